/*
 * secrets -- the files that secrets are read from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/secrets.h"
#include "lib/base/reach.h"
#include "lib/crypto/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int jr_secrets_open_file(const char *path, struct jr_error *error)
{
    char quoted[JR_QUOTED_SIZE];
    struct stat status;
    /* A FIFO that nobody writes to is opened all the same. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    if (fd < 0)
        (void)jr_error_set(error, errno == ENOENT ? JR_ENOENT : JR_EIO, "cannot read '%s': %s",
                           jr_findings_quote(path, quoted), strerror(errno));
    else
        (void)jr_error_set(error, JR_EIO, "'%s' is not a regular file",
                           jr_findings_quote(path, quoted));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The file that a secret is read from, and what stands in front of a finding about it. */
struct place {
    char name[64];
    const char *path; /* the source's, or credential */
    char credential[PATH_MAX];
};

/* The file of that name in systemd's folder. */
static bool find_credential(const struct jr_source *source, const char *name, struct place *place)
{
    const char *folder = jr_source_get(source, "CREDENTIALS_DIRECTORY");

    if (folder == NULL
        || snprintf(place->credential, sizeof place->credential, "%s/%s", folder, name)
               >= (int)sizeof place->credential)
        return false;
    for (char *c = place->credential + strlen(folder); *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    snprintf(place->name, sizeof place->name, "%s", name);
    place->path = place->credential;
    return access(place->path, F_OK) == 0;
}

/* What NAME_FILE says; NULL: nothing. variable becomes that name. */
static const char *file_of(const struct jr_source *source, const char *name, char variable[64])
{
    snprintf(variable, 64, "%s_FILE", name);
    return jr_source_get(source, variable);
}

static bool find_file(const struct jr_source *source, const char *name, struct place *place)
{
    place->path = file_of(source, name, place->name);
    return place->path != NULL || find_credential(source, name, place);
}

/* Open the file; -1: it is told why not. */
static int open_place(const struct place *place, struct jr_findings *findings)
{
    char quoted[JR_QUOTED_SIZE];
    struct jr_error error;
    struct stat status;
    int fd = jr_secrets_open_file(place->path, &error);

    if (fd < 0) {
        jr_findings_problem(findings, place->name, "%s", error.text);
        return -1;
    }
    if (geteuid() != 0 || fstat(fd, &status) != 0 || !jr_reach_is_lent(place->path, &status))
        return fd;
    jr_findings_problem(findings, place->name, "'%s' belongs to another user than something on "
                        "the way to it; root does not read it",
                        jr_findings_quote(place->path, quoted));
    close(fd);
    return -1;
}

/* Take the line feed from the end of a text. Returns its length. */
static size_t cut_line_feed(char *text, size_t length)
{
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    return length;
}

/* The whole file without the line feed at its end; false: it is told why not. */
static bool read_file(const struct place *place, char text[JR_SECRET_MAX + 3],
                      struct jr_findings *findings)
{
    char quoted[JR_QUOTED_SIZE];
    int fd = open_place(place, findings);
    size_t length = 0;
    ssize_t got;

    if (fd < 0)
        return false;
    while ((got = read(fd, text + length, JR_SECRET_MAX + 2 - length)) > 0)
        length += (size_t)got;
    if (got < 0)
        jr_findings_problem(findings, place->name, "cannot read '%s': %s",
                            jr_findings_quote(place->path, quoted), strerror(errno));
    close(fd);
    length = cut_line_feed(text, length);
    if (got == 0 && strlen(text) != length)
        jr_findings_problem(findings, place->name, "'%s' has a NUL byte in it: is it saved as "
                            "UTF-16? It has to be plain text",
                            jr_findings_quote(place->path, quoted));
    return got == 0 && strlen(text) == length;
}

static void read_from(struct jr_settings *settings, size_t row, const struct place *place,
                      struct jr_findings *findings)
{
    char text[JR_SECRET_MAX + 3];

    settings->secret_files[row] = strdup(place->path);
    if (settings->secret_files[row] == NULL)
        findings->out_of_memory = true;
    if (read_file(place, text, findings))
        jr_settings_read(settings, row, place->name, text, findings);
    jr_wipe(text, sizeof text);
}

void jr_secrets_read(struct jr_settings *settings, size_t row, const struct jr_source *source,
                     struct jr_findings *findings)
{
    const char *name = jr_settings_name(row), *value = jr_source_get(source, name);
    struct place place;
    char variable[64];

    if (value != NULL && file_of(source, name, variable) != NULL)
        jr_findings_problem(findings, name, "is set, and so is %s; set one of them", variable);
    else if (value != NULL)
        jr_settings_read(settings, row, name, value, findings);
    else if (find_file(source, name, &place))
        read_from(settings, row, &place, findings);
}

bool jr_secrets_has_file(const struct jr_source *source, const char *name)
{
    size_t row = jr_settings_find(name);
    struct place place;

    return row < jr_settings_count() && jr_settings_is_secret(row)
           && find_file(source, jr_settings_name(row), &place);
}

bool jr_secrets_is_tried(const struct jr_source *source, const char *name)
{
    return jr_source_get(source, name) != NULL || jr_secrets_has_file(source, name);
}

bool jr_secrets_reread_token(struct jr_settings *settings)
{
    size_t row = jr_settings_find(settings->github_app_id == NULL ? "GITHUB_TOKEN"
                                                                  : "GITHUB_APP_KEY");
    const struct place place = { .path = settings->secret_files[row] };
    struct jr_settings fresh = { .github_token = NULL };
    char **field = jr_settings_field(settings, row), **read = jr_settings_field(&fresh, row);
    struct jr_findings findings;
    bool other;

    if (place.path == NULL)
        return false;
    jr_findings_open(&findings);
    read_from(&fresh, row, &place, &findings);
    jr_findings_drop(&findings);
    other = *read != NULL && (*field == NULL || strcmp(*read, *field) != 0);
    if (other) {
        char *old = *field;

        *field = *read;
        *read = old;
    }
    jr_settings_release(&fresh);
    return other;
}

void jr_secrets_warn(const struct jr_settings *settings, const char *file,
                     void (*warn)(void *context, const char *name, const char *text),
                     void *context)
{
    bool inside = false;
    char quoted[JR_QUOTED_SIZE], text[256];

    for (size_t row = 0; row < jr_settings_count(); row++) {
        const char *path = settings->secret_files[row];

        if (jr_settings_secret(settings, row) == NULL)
            continue;
        if (path == NULL) {
            inside = true;
        } else if (jr_reach_is_open(path)) {
            snprintf(text, sizeof text, "everybody on this host may read or write '%s'; chmod o= "
                     "keeps the secret", jr_findings_quote(path, quoted));
            warn(context, jr_settings_name(row), text);
        }
    }
    if (inside && file != NULL && jr_reach_is_open(file)) {
        snprintf(text, sizeof text, "everybody on this host may read or write '%s', which has a "
                 "secret in it; chmod o= keeps it", jr_findings_quote(file, quoted));
        warn(context, "settings", text);
    }
    if (strncmp(settings->github_api_url, "http://", 7) == 0)
        warn(context, "GITHUB_API_URL", "http:// shows the token to everybody on the way, and "
             "nobody knows who answers; use https://");
}

void jr_secrets_clear_environment(void)
{
    for (size_t row = 0; row < jr_settings_count(); row++) {
        const char *name = jr_settings_name(row);
        char *value = jr_settings_is_secret(row) ? getenv(name) : NULL;

        if (value == NULL)
            continue;
        jr_wipe(value, strlen(value));
        unsetenv(name);
    }
}
