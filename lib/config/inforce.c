/*
 * inforce -- the settings that a service runs with, as its master has left them for others.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/inforce.h"
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "job-rerunner settings 1\n"

/* An environment has at most 128 kB in one variable, and few settings are lists: execve(2). */
#define SIZE_MOST ((size_t)1024 * 1024)

static bool make_path(char path[PATH_MAX], const char *state_dir, const char *name)
{
    return snprintf(path, PATH_MAX, "%s/%s", state_dir, name) < PATH_MAX;
}

/* All of it, as text. NULL: no memory. */
static char *make_text(const struct jr_settings *settings, int64_t started_ms, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    bool good = out != NULL;

    if (!good)
        return NULL;
    fprintf(out, HEAD "started_ms=%lld\nversion=%s\n", (long long)started_ms, PACKAGE_VERSION);
    for (size_t i = 0; good && i < jr_settings_count(); i++) {
        char *value = jr_settings_text(settings, i);

        good = value != NULL && fprintf(out, "%s=%s\n", jr_settings_name(i), value) > 0;
        free(value);
    }
    if (fclose(out) == 0 && good)
        return text;
    free(text);
    return NULL;
}

/* Under another name first: nobody reads half of it. */
static bool put_file(const char *path, const char *new_path, const char *text, size_t length)
{
    int fd;
    bool good;

    (void)unlink(new_path);
    fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    good = jr_file_write(fd, text, length);
    good &= close(fd) == 0;
    if (good && rename(new_path, path) == 0)
        return true;
    (void)unlink(new_path);
    return false;
}

enum jr_err jr_inforce_write(const char *state_dir, const struct jr_settings *settings,
                             int64_t started_ms, struct jr_error *error)
{
    char path[PATH_MAX], new_path[PATH_MAX], *text;
    size_t length;
    enum jr_err err = JR_OK;

    if (!make_path(path, state_dir, "settings") || !make_path(new_path, state_dir, "settings.new"))
        return jr_error_set(error, JR_EIO, "STATE_DIR: the path is too long");
    text = make_text(settings, started_ms, &length);
    if (text == NULL)
        err = jr_error_set(error, JR_ENOMEM, "out of memory");
    else if (!put_file(path, new_path, text, length))
        err = jr_error_set(error, JR_EIO, "cannot write '%.200s': %s", path, strerror(errno));
    if (err != JR_OK)
        (void)unlink(path);
    free(text);
    return err;
}

/* The whole file with a NUL behind it. */
static enum jr_err read_file(const char *path, char **text, struct jr_error *error)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    size_t length = 0;
    ssize_t got = 0;

    *text = NULL;
    if (fd < 0)
        return jr_error_set(error, errno == ENOENT ? JR_ENOENT : JR_EIO, "cannot read '%.200s': %s",
                            path, strerror(errno));
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > (off_t)SIZE_MOST) {
        close(fd);
        return jr_error_set(error, JR_EFORMAT, "'%.200s' is no file of settings in force", path);
    }
    *text = malloc(SIZE_MOST + 1);
    while (*text != NULL && (got = read(fd, *text + length, SIZE_MOST - length)) > 0)
        length += (size_t)got;
    close(fd);
    if (*text == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    (*text)[length] = '\0';
    if (got < 0 || strlen(*text) != length)
        return jr_error_set(error, JR_EFORMAT, "'%.200s' cannot be read", path);
    return JR_OK;
}

static size_t lines_in(const char *text)
{
    size_t lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

/* Cut the text into names and values. Returns whether it has the form. */
static bool parse(struct jr_inforce *inforce)
{
    char *line = inforce->text + strlen(HEAD), *end;

    for (; *line != '\0'; line = end + 1) {
        char *equals = strchr(line, '=');

        end = strchr(line, '\n');
        if (end == NULL || equals == NULL || equals > end || equals == line)
            return false;
        *end = *equals = '\0';
        if (strcmp(line, "started_ms") == 0)
            inforce->started_ms = strtoll(equals + 1, NULL, 10);
        else if (strcmp(line, "version") == 0)
            inforce->version = equals + 1;
        else
            inforce->rows[inforce->count++] = (struct jr_inforce_row){ line, equals + 1 };
    }
    return inforce->started_ms != 0 && inforce->version != NULL;
}

enum jr_err jr_inforce_read(const char *state_dir, struct jr_inforce *inforce,
                            struct jr_error *error)
{
    char path[PATH_MAX];
    enum jr_err err;

    *inforce = (struct jr_inforce){ .text = NULL };
    if (!make_path(path, state_dir, "settings"))
        return jr_error_set(error, JR_EIO, "STATE_DIR: the path is too long");
    err = read_file(path, &inforce->text, error);
    if (err == JR_OK && strncmp(inforce->text, HEAD, strlen(HEAD)) != 0)
        err = jr_error_set(error, JR_EFORMAT, "'%.200s' is no file of settings in force", path);
    if (err == JR_OK) {
        inforce->rows = calloc(lines_in(inforce->text) + 1, sizeof *inforce->rows);
        if (inforce->rows == NULL)
            err = jr_error_set(error, JR_ENOMEM, "out of memory");
        else if (!parse(inforce))
            err = jr_error_set(error, JR_EFORMAT, "'%.200s' is not whole", path);
    }
    if (err != JR_OK)
        jr_inforce_release(inforce);
    return err;
}

void jr_inforce_release(struct jr_inforce *inforce)
{
    free(inforce->rows);
    free(inforce->text);
    *inforce = (struct jr_inforce){ .text = NULL };
}

const char *jr_inforce_value(const struct jr_inforce *inforce, const char *name)
{
    for (size_t i = 0; i < inforce->count; i++)
        if (strcmp(inforce->rows[i].name, name) == 0)
            return inforce->rows[i].value;
    return NULL;
}

bool jr_inforce_differs(const struct jr_inforce *inforce, const struct jr_settings *settings,
                        size_t row, char **here)
{
    const char *value = jr_inforce_value(inforce, jr_settings_name(row));
    char *standard = value == NULL ? jr_settings_default_text(row) : NULL;
    bool differs;

    if (value == NULL)
        value = standard;
    *here = jr_settings_text(settings, row);
    differs = *here != NULL && value != NULL && strcmp(*here, value) != 0;
    free(standard);
    return differs;
}
