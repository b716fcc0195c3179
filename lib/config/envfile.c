/*
 * envfile -- a file of settings, as systemd's EnvironmentFile= has it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/envfile.h"
#include "lib/base/text.h"
#include "lib/config/findings.h"
#include "lib/config/names.h"
#include "lib/config/secrets.h"
#include "lib/crypto/signature.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A setting that was read; name and value stand in the text. */
struct seen {
    const char *name, *value;
    unsigned line;
};

/* Where the reading stands. What is read is written back to the front of the same text. */
struct cursor {
    const char *path;
    char *next;
    unsigned line;
    struct jr_source *source;
    struct jr_findings findings;
    struct jr_error *error; /* the first of the problems */
    struct seen *seen;      /* a place for each name that is known; owned */
    size_t seen_count;
};

/* What is wrong is told; reading goes on. */
static void wrong(struct cursor *cursor, unsigned line, const char *format, ...)
    JR_PRINTF(3, 4);

static void wrong(struct cursor *cursor, unsigned line, const char *format, ...)
{
    char what[JR_NAMES_SIZE + JR_TEXT_WORD_MAX + 8], where[256];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(where, sizeof where, "%.200s:%u", cursor->path, line);
    jr_findings_problem(&cursor->findings, where, "%s", what);
    if (cursor->error->code == JR_OK)
        (void)jr_error_set(cursor->error, JR_EINVAL, "%s: %s", where, what);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static char take(struct cursor *cursor)
{
    char c = *cursor->next++;

    if (c == '\n')
        cursor->line++;
    return c;
}

/* What stands after a backslash; false: nothing, the two lines are one. */
static bool take_escaped(struct cursor *cursor, const char *special, char **end)
{
    char c;

    if (*cursor->next == '\0')
        return false;
    c = take(cursor);
    if (c == '\n')
        return false;
    if (special != NULL && strchr(special, c) == NULL)
        *(*end)++ = '\\';
    *(*end)++ = c;
    return true;
}

/* Read up to the closing quote. Returns whether there is one. */
static bool read_quoted(struct cursor *cursor, char quote, char **end)
{
    unsigned line = cursor->line;

    while (*cursor->next != quote) {
        char c;

        if (*cursor->next == '\0') {
            wrong(cursor, line, "the quote that is opened here is not closed");
            return false;
        }
        c = take(cursor);
        if (c == '\\' && quote == '"')
            (void)take_escaped(cursor, "\"\\`$", end);
        else
            *(*end)++ = c;
    }
    cursor->next++;
    return true;
}

/* Read a value up to the end of its line, into its own place. Returns whether it is one. */
static bool read_value(struct cursor *cursor, char *value)
{
    char *end = value, *kept = value; /* blanks after `kept` count only if more comes */

    while (is_blank(*cursor->next))
        cursor->next++;
    while (*cursor->next != '\0' && *cursor->next != '\n') {
        char c = take(cursor);

        if (c == '\'' || c == '"') {
            if (!read_quoted(cursor, c, &end))
                return false;
            kept = end;
        } else if (c == '\\') {
            if (take_escaped(cursor, NULL, &end))
                kept = end;
        } else {
            *end++ = c;
            if (!is_blank(c))
                kept = end;
        }
    }
    if (*cursor->next == '\n')
        (void)take(cursor);
    *kept = '\0';
    return true;
}

static bool is_name(const char *name)
{
    if (*name == '\0' || (*name >= '0' && *name <= '9'))
        return false;
    for (; *name != '\0'; name++)
        if (!(*name == '_' || (*name >= '0' && *name <= '9') || (*name >= 'A' && *name <= 'Z')
              || (*name >= 'a' && *name <= 'z')))
            return false;
    return true;
}

/* A comment goes on in the next line after a backslash, as everything does. */
static void skip_comment(struct cursor *cursor)
{
    while (*cursor->next != '\0')
        switch (take(cursor)) {
        case '\n':
            return;
        case '\\':
            if (*cursor->next != '\0')
                (void)take(cursor);
            break;
        default:
            break;
        }
}

/* A name that may not stand here. */
static void explain(struct cursor *cursor, unsigned line, const char *name)
{
    char text[JR_NAMES_SIZE], shown[JR_TEXT_WORD_MAX + 1];

    jr_names_explain(name, text);
    (void)jr_text_copy(shown, sizeof shown, name);
    wrong(cursor, line, "%s %s", shown, text);
}

/* Does a setting stand here again, as something else? */
static void look_for_two(struct cursor *cursor, unsigned line, const char *name, const char *value)
{
    struct seen *seen = cursor->seen;

    while (seen < cursor->seen + cursor->seen_count && strcmp(seen->name, name) != 0)
        seen++;
    if (seen == cursor->seen + cursor->seen_count)
        cursor->seen_count++;
    else if (strcmp(seen->value, value) != 0)
        jr_findings_doubt(&cursor->findings, name, "has another value in line %u than in line %u "
                          "of '%.200s'; the last one counts", line, seen->line, cursor->path);
    *seen = (struct seen){ name, value, line };
}

/* Set one variable, if its name may stand in such a file. */
static enum jr_err set(struct cursor *cursor, unsigned line, const char *name, const char *value)
{
    if (jr_names_is_known(name))
        look_for_two(cursor, line, name, value);
    if (jr_names_may_be_in_file(name))
        return jr_source_set(cursor->source, name, value) == JR_OK
                   ? JR_OK
                   : jr_error_set(cursor->error, JR_ENOMEM, "out of memory");
    explain(cursor, line, name);
    return JR_OK;
}

static void refuse_name(struct cursor *cursor, unsigned line, const char *name)
{
    if (strncmp(name, "\xef\xbb\xbf", 3) == 0)
        wrong(cursor, line, "a byte order mark stands here: save the file as UTF-8 without one");
    else if (strncmp(name, "export ", 7) == 0)
        wrong(cursor, line, "this is no shell: leave `export' out");
    else if (strchr(name, '-') != NULL && jr_names_is_plain(name))
        explain(cursor, line, name);
    else
        wrong(cursor, line, "what stands before = is not the name of a variable");
}

static enum jr_err read_assignment(struct cursor *cursor)
{
    char *name = cursor->next, *equals = name + strcspn(name, "=\n"), *end = equals;
    unsigned line = cursor->line;

    if (*equals != '=') {
        wrong(cursor, line, "not NAME=value");
        cursor->next = equals;
        return JR_OK;
    }
    while (end > name && is_blank(end[-1]))
        end--;
    *end = '\0';
    cursor->next = equals + 1;
    if (!read_value(cursor, equals + 1))
        return JR_OK;
    if (is_name(name))
        return set(cursor, line, name, equals + 1);
    refuse_name(cursor, line, name);
    return JR_OK;
}

static enum jr_err read_all(struct cursor *cursor)
{
    enum jr_err err = JR_OK;

    while (err == JR_OK && *cursor->next != '\0') {
        if (is_blank(*cursor->next) || *cursor->next == '\n')
            (void)take(cursor);
        else if (*cursor->next == '#' || *cursor->next == ';')
            skip_comment(cursor);
        else
            err = read_assignment(cursor);
    }
    return err == JR_OK ? cursor->error->code : err;
}

/* The whole file, with a NUL after it. */
static enum jr_err read_file(const char *path, char *text, size_t *length, struct jr_error *error)
{
    int fd = jr_secrets_open_file(path, error), saved;
    ssize_t got;

    *length = 0;
    if (fd < 0)
        return error->code;
    while ((got = read(fd, text + *length, JR_ENVFILE_MAX - *length)) > 0)
        *length += (size_t)got;
    saved = errno;
    close(fd);
    text[*length] = '\0';
    if (got < 0)
        return jr_error_set(error, JR_EIO, "cannot read '%.200s': %s", path, strerror(saved));
    if (*length == JR_ENVFILE_MAX)
        return jr_error_set(error, JR_EINVAL, "'%.200s' is too large for a file of settings", path);
    if (strlen(text) != *length)
        return jr_error_set(error, JR_EINVAL, "'%.200s' has a NUL byte in it", path);
    return JR_OK;
}

enum jr_err jr_envfile_load(const char *path, struct jr_source *source, char **problems,
                            char **doubts, struct jr_error *error)
{
    struct cursor cursor = { .path = path, .line = 1, .source = source, .error = error };
    char *text = malloc(JR_ENVFILE_MAX + 1);
    size_t length;
    enum jr_err err;

    *error = (struct jr_error){ .code = JR_OK };
    jr_findings_open(&cursor.findings);
    cursor.seen = calloc(JR_NAMES_KNOWN_MOST, sizeof *cursor.seen);
    cursor.next = text;
    if (text == NULL || cursor.seen == NULL) {
        err = jr_error_set(error, JR_ENOMEM, "out of memory");
    } else {
        err = read_file(path, text, &length, error);
        if (err == JR_OK)
            err = read_all(&cursor);
        jr_wipe(text, length);
    }
    if (jr_findings_close(&cursor.findings, problems, doubts) == JR_ENOMEM)
        err = jr_error_set(error, JR_ENOMEM, "out of memory");
    free(cursor.seen);
    free(text);
    return err;
}
