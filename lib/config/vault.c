/*
 * vault -- where the master has the secrets.
 *
 * A file holds NAME=value and a NUL, again and again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/vault.h"
#include "lib/base/file.h"
#include "lib/config/secrets.h"
#include "lib/crypto/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The descriptors of a vault that is handed on, as "NUMBER NUMBER". */
static const char variable[] = "JR_VAULT";

/* Nobody can change it any more, not even its size. */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int make_file(const struct jr_settings *settings, enum jr_secrets kind)
{
    int fd = jr_file_memory("secrets");
    bool good = fd >= 0;

    for (size_t i = 0; i < jr_settings_count(); i++) {
        const char *secret = jr_settings_secret(settings, i);

        if (good && secret != NULL && jr_settings_kind(i) == kind)
            good = jr_file_write(fd, jr_settings_name(i), strlen(jr_settings_name(i)))
                   && jr_file_write(fd, "=", 1) && jr_file_write(fd, secret, strlen(secret) + 1);
    }
    if (good && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void close_all(struct jr_vault *vault)
{
    for (int kind = JR_SECRETS_KEYS; kind < JR_SECRETS_KINDS; kind++) {
        if (vault->fds[kind] >= 0)
            close(vault->fds[kind]);
        vault->fds[kind] = -1;
    }
}

enum jr_err jr_vault_fill(struct jr_vault *vault, struct jr_settings *settings,
                          struct jr_error *error)
{
    int saved = 0;

    vault->fds[JR_SECRETS_NONE] = -1;
    for (int kind = JR_SECRETS_KEYS; kind < JR_SECRETS_KINDS; kind++) {
        vault->fds[kind] = make_file(settings, (enum jr_secrets)kind);
        if (vault->fds[kind] < 0)
            saved = errno;
    }
    if (saved != 0) {
        close_all(vault);
        return jr_error_set(error, JR_EIO, "cannot put the secrets aside: %s", strerror(saved));
    }
    for (int kind = JR_SECRETS_KEYS; kind < JR_SECRETS_KINDS; kind++)
        jr_settings_forget(settings, (enum jr_secrets)kind);
    return JR_OK;
}

/* The whole file with a NUL behind it, or NULL. The offset is shared by all: pread. */
static char *read_file(int fd, size_t *length)
{
    struct stat status;
    char *bytes;
    int seals = fcntl(fd, F_GET_SEALS);

    /* The kernel may have set one more (jr_file_memory()). */
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) != 0)
        return NULL;
    *length = (size_t)status.st_size;
    bytes = calloc(1, *length + 1);
    for (size_t at = 0; bytes != NULL && at < *length;) {
        ssize_t got = pread(fd, bytes + at, *length - at, (off_t)at);

        if (got <= 0) {
            jr_wipe(bytes, at);
            free(bytes);
            return NULL;
        }
        at += (size_t)got;
    }
    return bytes;
}

enum jr_err jr_vault_open(struct jr_vault *vault, enum jr_secrets kind,
                          struct jr_settings *settings, struct jr_error *error)
{
    size_t length = 0;
    char *bytes = read_file(vault->fds[kind], &length);
    enum jr_err err = JR_OK;

    close_all(vault);
    if (bytes == NULL)
        return jr_error_set(error, JR_EIO, "cannot read the secrets that were put aside");
    for (char *line = bytes; err == JR_OK && line < bytes + length; line += strlen(line) + 1)
        err = jr_settings_put_secret(settings, line);
    jr_wipe(bytes, length);
    free(bytes);
    return err == JR_OK ? JR_OK : jr_error_set(error, err, "out of memory");
}

void jr_vault_hand_on(const struct jr_vault *vault, bool yes)
{
    char numbers[64];

    for (int kind = JR_SECRETS_KEYS; kind < JR_SECRETS_KINDS; kind++)
        (void)fcntl(vault->fds[kind], F_SETFD, yes ? 0 : FD_CLOEXEC);
    snprintf(numbers, sizeof numbers, "%d %d", vault->fds[JR_SECRETS_KEYS],
             vault->fds[JR_SECRETS_TOKEN]);
    if (yes)
        (void)setenv(variable, numbers, 1);
    else
        (void)unsetenv(variable);
}

/* What can be read from a file is left to that: there may be another one in it by now. */
static bool put_lines(char *bytes, size_t length, struct jr_source *source)
{
    for (char *line = bytes, *next; line < bytes + length; line = next) {
        char *equals = strchr(line, '=');

        next = line + strlen(line) + 1;
        if (equals == NULL || jr_secrets_has_file(source, line))
            continue;
        *equals = '\0';
        if (jr_source_set(source, line, equals + 1) != JR_OK)
            return false;
    }
    return true;
}

bool jr_vault_take_over(struct jr_source *source)
{
    const char *numbers = getenv(variable);
    int fds[JR_SECRETS_KINDS];
    bool good = true;

    if (numbers == NULL
        || sscanf(numbers, "%d %d", &fds[JR_SECRETS_KEYS], &fds[JR_SECRETS_TOKEN]) != 2)
        return false;
    (void)unsetenv(variable);
    for (int kind = JR_SECRETS_KEYS; kind < JR_SECRETS_KINDS; kind++) {
        size_t length = 0;
        char *bytes = fds[kind] <= STDERR_FILENO ? NULL : read_file(fds[kind], &length);

        if (bytes == NULL)
            continue;
        close(fds[kind]);
        good &= put_lines(bytes, length, source);
        jr_wipe(bytes, length);
        free(bytes);
    }
    return good;
}
