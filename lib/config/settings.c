/*
 * settings -- everything that can be set, read from the environment once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/settings.h"
#include "lib/base/reach.h"
#include "lib/base/show.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/config/sense.h"
#include "lib/crypto/jwt.h"
#include "lib/crypto/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* STATE_DIR/wake has to fit into sockaddr_un.sun_path, 108 bytes (unix(7)). */
#define STATE_DIR_MAX 96

#define SECOND JR_SECOND_MS
#define MINUTE JR_MINUTE_MS
#define HOUR JR_HOUR_MS
#define DAY JR_DAY_MS
#define KILO INT64_C(1024)

#define FIELD(name) offsetof(struct jr_settings, name)
#define BETWEEN(least, most) { .min = (least), .max = (most) }

static const struct jr_setting rows[] = {
    { "RUN_ATTEMPTS", &jr_type_number, FIELD(run_attempts), "4", BETWEEN(1, 50), JR_GROUP_RUNS,
      .meaning = "attempts of one run, the first included; 1 = never rerun" },
    { "NO_RETRY_LIST", &jr_type_list, FIELD(no_retry_list), "", { .look = jr_sense_login },
      JR_GROUP_RUNS,
      .meaning = "logins whose runs are left alone",
      .details = "A run is left alone by its actor, who started it, and by who triggered the "
                 "attempt." },
    { "REPO_BRANCHES", &jr_type_list, FIELD(repo_branches), "", { .look = jr_sense_branch },
      JR_GROUP_RUNS,
      .meaning = "branches whose runs are rerun, if not all",
      .details = "A branch of a fork does not count." },
    { "REPOS", &jr_type_list, FIELD(repos), "", { .look = jr_sense_repo }, JR_GROUP_RUNS,
      .meaning = "repositories (owner/name) acted on, if not all" },
    { "NO_RETRY_REPOS", &jr_type_list, FIELD(no_retry_repos), "", { .look = jr_sense_repo },
      JR_GROUP_RUNS,
      .meaning = "repositories left alone",
      .details = "They count more than REPOS." },
    { "NO_RETRY_WORKFLOWS", &jr_type_list, FIELD(no_retry_workflows), "",
      { .look = jr_sense_workflow }, JR_GROUP_RUNS,
      .meaning = "workflows left alone (deployments, releases), by name, file name or path",
      .details = "For instance: Deploy*, deploy.yml, .github/workflows/deploy.yml." },
    { "RETRY_CONCLUSIONS", &jr_type_conclusions, FIELD(retry_conclusions), "failure,timed_out",
      { 0 }, JR_GROUP_RUNS,
      .meaning = "run conclusions that deserve a rerun" },
    { "SUPERSEDED", &jr_type_keeping, FIELD(rerun_superseded), "leave", { 0 }, JR_GROUP_RUNS,
      .meaning = "a run of which a newer one of another commit is known, unfinished or a pull "
                 "request's: leave or rerun",
      .details = "The newer run is of the same workflow, branch, event and head repository. Only "
                 "runs of push, pull_request and pull_request_target follow each other so." },
    { "GITHUB_TOKEN", &jr_type_secret, FIELD(github_token), "", { .look = jr_sense_token },
      JR_GROUP_GITHUB, JR_SECRETS_TOKEN,
      .meaning = "token for the REST API; it or an App is required unless DRY_RUN",
      .details = "A token or an App, not both. When GitHub rejects the token, the file that "
                 "GITHUB_TOKEN_FILE names is read anew." },
    { "GITHUB_APP_ID", &jr_type_word, FIELD(github_app_id), "",
      { .max = JR_JWT_ISSUER_MAX, .look = jr_sense_app_id }, JR_GROUP_GITHUB,
      .meaning = "client id (or numeric id) of a GitHub App, in place of the token" },
    { "GITHUB_APP_KEY", &jr_type_private_key, FIELD(github_app_key), "", { 0 }, JR_GROUP_GITHUB,
      JR_SECRETS_TOKEN,
      .meaning = "private key of that App, in PEM; better GITHUB_APP_KEY_FILE",
      .details = "RSA, PKCS#1 or PKCS#8, without a passphrase. It has many lines, so a file is "
                 "better. When GitHub rejects the key, that file is read anew." },
    { "GITHUB_SIGN_KEY", &jr_type_secret, FIELD(github_sign_key), "", { .look = jr_sense_key },
      JR_GROUP_GITHUB, JR_SECRETS_KEYS,
      .meaning = "secret of the webhook; required" },
    { "GITHUB_SIGN_KEY_OLD", &jr_type_secret, FIELD(github_sign_key_old), "",
      { .look = jr_sense_key }, JR_GROUP_GITHUB, JR_SECRETS_KEYS,
      .meaning = "the secret that is being rotated out",
      .details = "What is signed with it is accepted as well." },
    { "GITHUB_API_URL", &jr_type_url, FIELD(github_api_url), "https://api.github.com",
      { .max = 512, .look = jr_sense_api_url }, JR_GROUP_GITHUB,
      .meaning = "base of the REST API; http only if written so",
      .details = "For GitHub Enterprise Server: https://HOST/api/v3." },
    { "GITHUB_CA_FILE", &jr_type_text, FIELD(github_ca_file), "",
      { .max = PATH_MAX, .look = jr_sense_path }, JR_GROUP_GITHUB,
      .meaning = "certificates to trust for a private host, if not the system's" },
    { "RERUN_DELAY", &jr_type_duration, FIELD(rerun_delay_ms), "5s", BETWEEN(0, HOUR),
      JR_GROUP_TIMES,
      .meaning = "from 'all known jobs are done, some failed' to asking GitHub" },
    { "API_BACKOFF_MIN", &jr_type_duration, FIELD(api_backoff_min_ms), "10s", BETWEEN(10, HOUR),
      JR_GROUP_TIMES,
      .meaning = "first wait before GitHub is asked again about one run; doubled each time" },
    { "API_BACKOFF_MAX", &jr_type_duration, FIELD(api_backoff_max_ms), "10m", BETWEEN(10, DAY),
      JR_GROUP_TIMES,
      .meaning = "longest such wait",
      .details = "It is no less than API_BACKOFF_MIN." },
    { "API_WRITE_INTERVAL", &jr_type_duration, FIELD(api_write_interval_ms), "1s", BETWEEN(0, HOUR),
      JR_GROUP_TIMES,
      .meaning = "least time between two reruns" },
    { "RECONCILE_INTERVAL", &jr_type_duration, FIELD(reconcile_interval_ms), "5m",
      { .min = 100, .max = DAY, .or_zero = true }, JR_GROUP_TIMES,
      .meaning = "how often missed work is looked for; 0 = never; also once at start" },
    { "CATCH_UP", &jr_type_duration, FIELD(catch_up_ms), "24h", BETWEEN(SECOND, 30 * DAY),
      JR_GROUP_TIMES,
      .meaning = "a run that ended longer ago is recorded as missed, not rerun" },
    { "STATE_DIR", &jr_type_text, FIELD(state_dir), "/var/lib/job-rerunner",
      { .max = STATE_DIR_MAX, .look = jr_sense_path }, JR_GROUP_STORE,
      .meaning = "folder of the store, locks and sockets",
      .details = "It has to be on a local disk." },
    { "MAP_SIZE", &jr_type_size, FIELD(map_size_bytes), "16G",
      BETWEEN(KILO * KILO, KILO * KILO * KILO * KILO), JR_GROUP_STORE,
      .meaning = "largest size of the store: address space, not disk" },
    { "RETENTION", &jr_type_duration, FIELD(retention_ms), "90d", BETWEEN(MINUTE, 3650 * DAY),
      JR_GROUP_STORE,
      .meaning = "how long history is kept after a run's last event" },
    { "WORKERS", &jr_type_number, FIELD(workers), "16", BETWEEN(1, 256), JR_GROUP_SERVICE,
      .meaning = "worker processes" },
    { "BODY_MAX", &jr_type_size, FIELD(body_max_bytes), "4M", BETWEEN(KILO, 25 * KILO * KILO),
      JR_GROUP_SERVICE,
      .meaning = "largest body read" },
    { "LISTEN", &jr_type_text, FIELD(listen), "127.0.0.1",
      { .max = 255, .look = jr_sense_listen }, JR_GROUP_SERVICE,
      .meaning = "address where conf/web has nginx listen" },
    { "PORT", &jr_type_number, FIELD(port), "5000", BETWEEN(1, 65535), JR_GROUP_SERVICE,
      .meaning = "port where conf/web has nginx listen" },
    { "DRY_RUN", &jr_type_switch, FIELD(dry_run), "no", { 0 }, JR_GROUP_SERVICE,
      .meaning = "do everything but the rerun; without a token GitHub is not called at all",
      .details = "The verdict rests on the events then." },
    { "LOG_LEVEL", &jr_type_level, FIELD(log_level), "info", { 0 }, JR_GROUP_SERVICE,
      .meaning = "error, warn, info or debug" },
};

#undef FIELD
#undef BETWEEN

#define ROWS (sizeof rows / sizeof *rows)
_Static_assert(ROWS <= 64, "a bit of `given' for each");

static const char *const groups[] = {
    [JR_GROUP_RUNS] = "Which runs are rerun",
    [JR_GROUP_GITHUB] = "Access to GitHub",
    [JR_GROUP_TIMES] = "Times",
    [JR_GROUP_STORE] = "The store",
    [JR_GROUP_SERVICE] = "The service",
};

static void *field_of(struct jr_settings *settings, const struct jr_setting *row)
{
    return (char *)settings + row->offset;
}

static const void *const_field_of(const struct jr_settings *settings, const struct jr_setting *row)
{
    return (const char *)settings + row->offset;
}

/* Where problems and doubts are gathered, and what is being read. */
struct loader {
    struct jr_settings *settings;
    struct jr_findings findings;
};

/* Read a value into its field. What is wrong with it is told of `source`. */
static void read_field(struct loader *loader, const struct jr_setting *row, const char *source,
                       const char *value)
{
    const struct jr_reading reading = { source, &row->domain, &loader->findings };

    row->type->read(&reading, value, field_of(loader->settings, row));
}

int jr_settings_open_file(const char *path, struct jr_error *error)
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

/* Read a secret from a file; the line feed at its end does not count. */
static void read_secret_file(struct loader *loader, const struct jr_setting *row,
                             const char *source, const char *path)
{
    char text[JR_SECRET_MAX + 3], quoted[JR_QUOTED_SIZE];
    struct jr_error error;
    struct stat status;
    int fd = jr_settings_open_file(path, &error);
    size_t length = 0;
    ssize_t got;

    if (fd < 0) {
        jr_findings_problem(&loader->findings, source, "%s", error.text);
        return;
    }
    if (geteuid() == 0 && fstat(fd, &status) == 0 && jr_reach_is_lent(path, &status)) {
        jr_findings_problem(&loader->findings,
                            source, "'%s' belongs to another user than something on the way to it; "
                "root does not read it", jr_findings_quote(path, quoted));
        close(fd);
        return;
    }
    while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    if (got < 0)
        jr_findings_problem(&loader->findings,
                            source,
                            "cannot read '%s': %s", jr_findings_quote(path, quoted),
                            strerror(errno));
    close(fd);
    if (got < 0)
        return;
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    if (strlen(text) != length)
        jr_findings_problem(&loader->findings,
                            source,
                            "'%s' has a NUL byte in it: is it saved as UTF-16? It has to be plain "
                "text", jr_findings_quote(path, quoted));
    else
        read_field(loader, row, source, text);
    jr_wipe(text, sizeof text);
}

/* systemd.exec(5), LoadCredential=: a file of that name in the folder. */
static bool find_credential(const char *name, char *path, size_t size)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    size_t length;

    if (folder == NULL || *folder == '\0')
        return false;
    length = (size_t)snprintf(path, size, "%s/%s", folder, name);
    if (length >= size)
        return false;
    for (char *c = path + strlen(folder); *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return access(path, F_OK) == 0;
}

/* What NAME_FILE says; NULL: nothing. */
static const char *file_of(const struct jr_setting *row)
{
    char name[64];
    const char *file;

    snprintf(name, sizeof name, "%s_FILE", row->name);
    file = getenv(name);
    return file != NULL && *file != '\0' ? file : NULL;
}

static void read_secret(struct loader *loader, const struct jr_setting *row, const char *value)
{
    char name[64], path[PATH_MAX];
    const char *file = file_of(row);

    snprintf(name, sizeof name, "%s_FILE", row->name);
    if (value != NULL && file != NULL)
        jr_findings_problem(&loader->findings,
                            row->name, "is set, and so is %s; set one of them", name);
    else if (value != NULL)
        read_field(loader, row, row->name, value);
    else if (file != NULL)
        read_secret_file(loader, row, name, file);
    else if (find_credential(row->name, path, sizeof path))
        read_secret_file(loader, row, row->name, path);
}

static void read_row(struct loader *loader, const struct jr_setting *row)
{
    const char *value = getenv(row->name);

    if (value != NULL && *value == '\0')
        value = NULL;
    if (row->secret != JR_SECRETS_NONE)
        read_secret(loader, row, value);
    else if (value != NULL || *row->standard != '\0')
        read_field(loader, row, row->name, value == NULL ? row->standard : value);
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0';
}

/* Was there anything to read the secret from, so that a problem is told already? */
static bool was_tried(const char *name)
{
    char file[64];

    snprintf(file, sizeof file, "%s_FILE", name);
    return is_set(name) || is_set(file);
}

static bool has_credential(const char *name)
{
    char path[PATH_MAX];

    return find_credential(name, path, sizeof path);
}

/* What GitHub is called with: a token, or an App with its key, not both. */
static void check_access(struct loader *loader)
{
    const struct jr_settings *settings = loader->settings;
    bool token = settings->github_token != NULL || was_tried("GITHUB_TOKEN");
    bool id = settings->github_app_id != NULL || is_set("GITHUB_APP_ID");
    bool key = settings->github_app_key != NULL || was_tried("GITHUB_APP_KEY")
               || has_credential("GITHUB_APP_KEY");

    if (token && (id || key))
        jr_findings_problem(&loader->findings,
                            "GITHUB_TOKEN", "is set, and so is %s; set a token or an App, not both",
                id ? "GITHUB_APP_ID" : "GITHUB_APP_KEY");
    else if (id && !key)
        jr_findings_problem(&loader->findings,
                            "GITHUB_APP_KEY",
                            "is required with GITHUB_APP_ID (or GITHUB_APP_KEY_FILE, "
                "or the systemd credential github_app_key)");
    else if (key && !id)
        jr_findings_problem(&loader->findings,
                            "GITHUB_APP_ID",
                            "is required with GITHUB_APP_KEY: the App's client id");
    else if (!token && !id && !settings->dry_run)
        jr_findings_problem(&loader->findings,
                            "GITHUB_TOKEN", "is required unless DRY_RUN=yes (or GITHUB_TOKEN_FILE, "
                "or the systemd credential github_token, or a GitHub App: GITHUB_APP_ID and "
                "GITHUB_APP_KEY_FILE)");
}

/* What is both acted on and left alone is left alone. */
static void doubt_lists(struct loader *loader)
{
    const struct jr_list *repos = &loader->settings->repos,
                         *left = &loader->settings->no_retry_repos;
    char quoted[JR_QUOTED_SIZE];

    for (size_t i = 0; i < repos->count; i++)
        for (size_t j = 0; j < left->count; j++)
            if (strcasecmp(repos->items[i], left->items[j]) == 0)
                jr_findings_doubt(&loader->findings,
                                  "REPOS", "'%s' is in NO_RETRY_REPOS too, which counts",
                      jr_findings_quote(repos->items[i], quoted));
}

static bool is_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void doubt_secrets(struct loader *loader)
{
    const struct jr_settings *settings = loader->settings;

    if (is_same(settings->github_sign_key, settings->github_token))
        jr_findings_doubt(&loader->findings,
                          "GITHUB_SIGN_KEY",
                          "is the same as GITHUB_TOKEN; it should be the secret of "
              "the webhook, and nothing else");
    if (is_same(settings->github_sign_key, settings->github_sign_key_old))
        jr_findings_doubt(&loader->findings,
                          "GITHUB_SIGN_KEY_OLD",
                          "is the same as GITHUB_SIGN_KEY: nothing is rotated out");
}

/* What no row can see by itself. */
static void check_together(struct loader *loader, bool secrets)
{
    const struct jr_settings *settings = loader->settings;

    doubt_lists(loader);
    doubt_secrets(loader);
    if (secrets)
        check_access(loader);
    if (secrets && settings->github_sign_key == NULL && !was_tried("GITHUB_SIGN_KEY"))
        jr_findings_problem(&loader->findings,
                            "GITHUB_SIGN_KEY",
                            "is required: the secret that the webhook has on GitHub "
                "(or GITHUB_SIGN_KEY_FILE, or the systemd credential github_sign_key)");
    /* 0: it could not be read, which has been told */
    if (settings->api_backoff_max_ms != 0
        && settings->api_backoff_max_ms < settings->api_backoff_min_ms) {
        char min[32], max[32];

        jr_type_duration.show(&settings->api_backoff_min_ms, min, sizeof min);
        jr_type_duration.show(&settings->api_backoff_max_ms, max, sizeof max);
        jr_findings_problem(&loader->findings,
                            "API_BACKOFF_MAX", "'%s' is less than API_BACKOFF_MIN, '%s'", max, min);
    }
}

/* Which secrets there are, for who has forgotten them. */
static void note_given(struct jr_settings *settings)
{
    settings->given = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].secret != JR_SECRETS_NONE
            && *(char *const *)const_field_of(settings, &rows[i]) != NULL)
            settings->given |= UINT64_C(1) << i;
}

static enum jr_err load(struct jr_settings *settings, bool secrets, char **problems)
{
    struct loader loader = { .settings = settings };
    enum jr_err err;

    memset(settings, 0, sizeof *settings);
    settings->patience_ms = jr_test_patience_ms(JR_PATIENCE_MS);
    jr_findings_open(&loader.findings);
    for (size_t i = 0; i < ROWS; i++)
        if (secrets || rows[i].secret == JR_SECRETS_NONE)
            read_row(&loader, &rows[i]);
    check_together(&loader, secrets);
    err = jr_findings_close(&loader.findings, problems, &settings->doubts);
    note_given(settings);
    return err;
}

enum jr_err jr_settings_load(struct jr_settings *settings, char **problems)
{
    return load(settings, true, problems);
}

enum jr_err jr_settings_load_public(struct jr_settings *settings, char **problems)
{
    return load(settings, false, problems);
}

enum jr_err jr_settings_check_files(const struct jr_settings *settings, struct jr_error *error)
{
    struct jr_error why;
    int fd;

    if (settings->github_ca_file == NULL)
        return JR_OK;
    fd = jr_settings_open_file(settings->github_ca_file, &why);
    if (fd < 0)
        return jr_error_set(error, JR_EINVAL, "GITHUB_CA_FILE: %s", why.text);
    close(fd);
    return JR_OK;
}

/* Where the secret is read from: a file or a credential. False: from neither. */
static bool find_source(const struct jr_setting *row, char *path, size_t size)
{
    const char *file = file_of(row);

    return file == NULL ? find_credential(row->name, path, size)
                        : snprintf(path, size, "%s", file) < (int)size;
}

void jr_settings_warn(const struct jr_settings *settings, const char *file,
                      void (*warn)(void *context, const char *name, const char *text),
                      void *context)
{
    bool inside = false;
    char path[PATH_MAX], quoted[JR_QUOTED_SIZE], text[256];

    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].secret == JR_SECRETS_NONE
            || *(char *const *)const_field_of(settings, &rows[i]) == NULL)
            continue;
        if (!find_source(&rows[i], path, sizeof path)) {
            inside = true;
        } else if (jr_reach_is_open(path)) {
            snprintf(text, sizeof text, "everybody on this host may read or write '%s'; chmod o= "
                     "keeps the secret", jr_findings_quote(path, quoted));
            warn(context, rows[i].name, text);
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

void jr_settings_clear_environment(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        char *value = rows[i].secret != JR_SECRETS_NONE ? getenv(rows[i].name) : NULL;

        if (value == NULL)
            continue;
        jr_wipe(value, strlen(value));
        unsetenv(rows[i].name);
    }
}

bool jr_settings_in_environment(void)
{
    return is_set("STATE_DIR") || is_set("GITHUB_SIGN_KEY") || is_set("GITHUB_SIGN_KEY_FILE")
           || is_set("CREDENTIALS_DIRECTORY");
}

void jr_settings_unset_environment(void)
{
    char name[64];

    jr_settings_clear_environment();
    for (size_t i = 0; i < ROWS; i++) {
        unsetenv(rows[i].name);
        snprintf(name, sizeof name, "%s_FILE", rows[i].name);
        if (rows[i].secret != JR_SECRETS_NONE)
            unsetenv(name);
    }
    unsetenv("CREDENTIALS_DIRECTORY");
}

bool jr_settings_can_call(const struct jr_settings *settings)
{
    return settings->github_token != NULL || settings->github_app_key != NULL;
}

/* The secret of that name; a value may stand behind it. */
static const struct jr_setting *find_secret(const char *name)
{
    size_t length = strcspn(name, "=");

    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].secret != JR_SECRETS_NONE && strlen(rows[i].name) == length
            && strncmp(rows[i].name, name, length) == 0)
            return &rows[i];
    return NULL;
}

/* One secret: has its file another one now? */
static bool reread(struct jr_settings *settings, const struct jr_setting *row)
{
    struct jr_settings fresh = { .github_token = NULL };
    char **field = field_of(settings, row), **read = field_of(&fresh, row);
    struct loader loader = { .settings = &fresh };
    bool other;

    jr_findings_open(&loader.findings);
    read_secret(&loader, row, NULL);
    jr_findings_drop(&loader.findings);
    other = *read != NULL && (*field == NULL || strcmp(*read, *field) != 0);
    if (other) {
        row->type->release(field);
        *field = *read;
    } else {
        row->type->release(read);
    }
    return other;
}

bool jr_settings_reread_token(struct jr_settings *settings)
{
    return reread(settings, find_secret(settings->github_app_id == NULL ? "GITHUB_TOKEN"
                                                                         : "GITHUB_APP_KEY"));
}

void jr_settings_forget(struct jr_settings *settings, enum jr_secrets kind)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].secret == kind)
            rows[i].type->release(field_of(settings, &rows[i]));
}

const char *jr_settings_secret(const struct jr_settings *settings, size_t row, enum jr_secrets kind)
{
    return rows[row].secret == kind ? *(char *const *)const_field_of(settings, &rows[row]) : NULL;
}

enum jr_err jr_settings_put_secret(struct jr_settings *settings, const char *assignment)
{
    const struct jr_setting *row = find_secret(assignment);
    const char *value = strchr(assignment, '=');
    char **field;

    if (row == NULL || value == NULL)
        return JR_OK;
    field = field_of(settings, row);
    row->type->release(field);
    *field = strdup(value + 1);
    return *field == NULL ? JR_ENOMEM : JR_OK;
}

bool jr_settings_has_source(const char *name)
{
    const struct jr_setting *row = find_secret(name);
    char path[PATH_MAX];

    return row != NULL && (file_of(row) != NULL || find_credential(row->name, path, sizeof path));
}

bool jr_settings_is_given(const struct jr_settings *settings, const char *name)
{
    const struct jr_setting *row = find_secret(name);

    return row != NULL && (settings->given >> (row - rows) & 1) != 0;
}

void jr_settings_release(struct jr_settings *settings)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].type->release != NULL)
            rows[i].type->release(field_of(settings, &rows[i]));
    free(settings->doubts);
    memset(settings, 0, sizeof *settings);
}

bool jr_settings_retries(const struct jr_settings *settings, enum jr_conclusion conclusion)
{
    return (settings->retry_conclusions & 1u << conclusion) != 0;
}

size_t jr_settings_count(void)
{
    return ROWS;
}

const char *jr_settings_name(size_t row)
{
    return rows[row].name;
}

const char *jr_settings_default(size_t row)
{
    return rows[row].standard;
}

const char *jr_settings_meaning(size_t row)
{
    return rows[row].meaning;
}

const char *jr_settings_type(size_t row)
{
    return rows[row].type->word;
}

char *jr_settings_range(size_t row, char range[JR_RANGE_SIZE])
{
    rows[row].type->range(&rows[row].domain, range);
    return range;
}

const char *jr_settings_details(size_t row)
{
    return rows[row].details == NULL ? "" : rows[row].details;
}

const char *jr_settings_group(size_t row)
{
    return groups[rows[row].group];
}

const char *jr_settings_renewal(size_t row)
{
    return rows[row].secret == JR_SECRETS_NONE ? "restart"
                                               : "reload, if it is in a file that NAME_FILE names; "
                                                 "else restart";
}

bool jr_settings_is_secret(size_t row)
{
    return rows[row].secret != JR_SECRETS_NONE;
}

char *jr_settings_show(const struct jr_settings *settings, size_t row, char *text, size_t size)
{
    if ((settings->given >> row & 1) != 0)
        (void)jr_text_copy(text, size, "set"); /* also when it is forgotten since */
    else
        rows[row].type->show(const_field_of(settings, &rows[row]), text, size);
    return text;
}

char *jr_settings_text(const struct jr_settings *settings, size_t row)
{
    char *text = NULL, *larger;

    for (size_t size = 256;; size *= 4) {
        larger = realloc(text, size);
        if (larger == NULL) {
            free(text);
            return NULL;
        }
        text = larger;
        /* Cut at a border of characters, at most three bytes before the end. */
        if (strlen(jr_settings_show(settings, row, text, size)) + 4 < size)
            return text;
    }
}

char *jr_settings_default_text(size_t row)
{
    struct jr_settings fresh = { .doubts = NULL };
    struct loader loader = { .settings = &fresh };
    char *text;

    jr_findings_open(&loader.findings);
    if (*rows[row].standard != '\0')
        read_field(&loader, &rows[row], rows[row].name, rows[row].standard);
    text = jr_settings_text(&fresh, row);
    jr_findings_drop(&loader.findings);
    jr_settings_release(&fresh);
    return text;
}
