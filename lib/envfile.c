/*
 * envfile -- a file of settings, as systemd's EnvironmentFile= has it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/envfile.h"
#include "lib/settings.h"
#include "lib/signature.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the reading stands. What is read is written back to the front of the same text. */
struct cursor {
    const char *path;
    char *next;
    unsigned line;
    struct jr_error *error;
};

static enum jr_err wrong(const struct cursor *cursor, unsigned line, const char *what)
{
    return jr_error_set(cursor->error, JR_EINVAL, "%.200s:%u: %s", cursor->path, line, what);
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

/* Read up to the closing quote. */
static enum jr_err read_quoted(struct cursor *cursor, char quote, char **end)
{
    unsigned line = cursor->line;

    while (*cursor->next != quote) {
        char c;

        if (*cursor->next == '\0')
            return wrong(cursor, line, "the quote that is opened here is not closed");
        c = take(cursor);
        if (c == '\\' && quote == '"')
            (void)take_escaped(cursor, "\"\\`$", end);
        else
            *(*end)++ = c;
    }
    cursor->next++;
    return JR_OK;
}

/* Read a value up to the end of its line, into its own place. */
static enum jr_err read_value(struct cursor *cursor, char *value)
{
    char *end = value, *kept = value; /* blanks after `kept` count only if more comes */

    while (is_blank(*cursor->next))
        cursor->next++;
    while (*cursor->next != '\0' && *cursor->next != '\n') {
        char c = take(cursor);

        if (c == '\'' || c == '"') {
            enum jr_err err = read_quoted(cursor, c, &end);

            if (err != JR_OK)
                return err;
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
    return JR_OK;
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

static enum jr_err read_assignment(struct cursor *cursor)
{
    char *name = cursor->next, *equals = name + strcspn(name, "=\n"), *end = equals;
    unsigned line = cursor->line;
    enum jr_err err;

    if (*equals != '=')
        return wrong(cursor, line, "not NAME=value");
    while (end > name && is_blank(end[-1]))
        end--;
    *end = '\0';
    cursor->next = equals + 1;
    if (!is_name(name))
        return wrong(cursor, line, strncmp(name, "export ", 7) == 0
                                       ? "this is no shell: leave `export' out"
                                       : "what stands before = is not the name of a variable");
    err = read_value(cursor, equals + 1);
    if (err == JR_OK && setenv(name, equals + 1, 1) != 0)
        err = jr_error_set(cursor->error, JR_ENOMEM, "out of memory");
    return err;
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
    return err;
}

/* The whole file, with a NUL after it. */
static enum jr_err read_file(const char *path, char *text, size_t *length, struct jr_error *error)
{
    int fd = jr_settings_open_file(path, error), saved;
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

enum jr_err jr_envfile_load(const char *path, struct jr_error *error)
{
    struct cursor cursor = { .path = path, .line = 1, .error = error };
    char *text = malloc(JR_ENVFILE_MAX + 1);
    size_t length;
    enum jr_err err;

    if (text == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    cursor.next = text;
    err = read_file(path, text, &length, error);
    if (err == JR_OK)
        err = read_all(&cursor);
    jr_wipe(text, length);
    free(text);
    return err;
}
