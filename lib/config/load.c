/*
 * load -- all settings out of a source, with everything that is wrong with them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/load.h"
#include "lib/base/testpoint.h"
#include "lib/config/secrets.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

struct loader {
    struct jr_settings *settings;
    const struct jr_source *source;
    struct jr_findings findings;
};

static void read_row(struct loader *loader, size_t row)
{
    const char *name = jr_settings_name(row), *value = jr_source_get(loader->source, name);

    if (jr_settings_is_secret(row))
        jr_secrets_read(loader->settings, row, loader->source, &loader->findings);
    else
        jr_settings_read(loader->settings, row, name, value, &loader->findings);
}

/* What GitHub is called with: a token, or an App with its key, not both. */
static void check_access(struct loader *loader)
{
    const struct jr_source *source = loader->source;
    struct jr_findings *findings = &loader->findings;
    bool token = jr_secrets_is_tried(source, "GITHUB_TOKEN");
    bool id = jr_source_get(source, "GITHUB_APP_ID") != NULL;
    bool key = jr_secrets_is_tried(source, "GITHUB_APP_KEY");

    if (token && (id || key))
        jr_findings_problem(findings, "GITHUB_TOKEN",
                            "is set, and so is %s; set a token or an App, not both",
                            id ? "GITHUB_APP_ID" : "GITHUB_APP_KEY");
    else if (id && !key)
        jr_findings_problem(findings, "GITHUB_APP_KEY",
                            "is required with GITHUB_APP_ID (or GITHUB_APP_KEY_FILE, or the "
                            "systemd credential github_app_key)");
    else if (key && !id)
        jr_findings_problem(findings, "GITHUB_APP_ID",
                            "is required with GITHUB_APP_KEY: the App's client id");
    else if (!token && !id && !loader->settings->dry_run)
        jr_findings_problem(findings, "GITHUB_TOKEN",
                            "is required unless DRY_RUN=yes (or GITHUB_TOKEN_FILE, or the systemd "
                            "credential github_token, or a GitHub App: GITHUB_APP_ID and "
                            "GITHUB_APP_KEY_FILE)");
}

/* No token of a user may make check runs. */
static void check_report(struct loader *loader)
{
    if (loader->settings->report == JR_REPORTING_CHECK
        && jr_source_get(loader->source, "GITHUB_APP_ID") == NULL)
        jr_findings_problem(&loader->findings, "REPORT",
                            "is check, and only a GitHub App may make check runs: set "
                            "GITHUB_APP_ID and GITHUB_APP_KEY_FILE, or REPORT=comment");
}

static void check_sign_key(struct loader *loader)
{
    if (!jr_secrets_is_tried(loader->source, "GITHUB_SIGN_KEY"))
        jr_findings_problem(&loader->findings, "GITHUB_SIGN_KEY",
                            "is required: the secret that the webhook has on GitHub (or "
                            "GITHUB_SIGN_KEY_FILE, or the systemd credential github_sign_key)");
}

static void check_backoff(struct loader *loader)
{
    const struct jr_settings *settings = loader->settings;
    char min[32], max[32];

    /* 0: it could not be read, which has been told */
    if (settings->api_backoff_max_ms == 0
        || settings->api_backoff_max_ms >= settings->api_backoff_min_ms)
        return;
    jr_type_duration.show(&settings->api_backoff_min_ms, min, sizeof min);
    jr_type_duration.show(&settings->api_backoff_max_ms, max, sizeof max);
    jr_findings_problem(&loader->findings, "API_BACKOFF_MAX",
                        "'%s' is less than API_BACKOFF_MIN, '%s'", max, min);
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
                jr_findings_doubt(&loader->findings, "REPOS",
                                  "'%s' is in NO_RETRY_REPOS too, which counts",
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
        jr_findings_doubt(&loader->findings, "GITHUB_SIGN_KEY",
                          "is the same as GITHUB_TOKEN; it should be the secret of the webhook, "
                          "and nothing else");
    if (is_same(settings->github_sign_key, settings->github_sign_key_old))
        jr_findings_doubt(&loader->findings, "GITHUB_SIGN_KEY_OLD",
                          "is the same as GITHUB_SIGN_KEY: nothing is rotated out");
}

/* The address of who is told is a secret, and what it is told is nobody else's. */
static void check_notify_url(struct loader *loader)
{
    const char *url = loader->settings->notify_url, *api = loader->settings->github_api_url;

    if (url != NULL && jr_sense_is_plain_elsewhere(url)
        && (api == NULL || strncmp(api, "http://", 7) != 0))
        jr_findings_problem(&loader->findings, "NOTIFY_URL",
                            "begins with http://, and anybody on the way could read it: use https");
}

/* The password, and who may rerun, for everybody on the way. */
static void doubt_plain_etcd(struct loader *loader)
{
    const struct jr_list *urls = &loader->settings->cluster_etcd;
    char quoted[JR_QUOTED_SIZE];

    for (size_t i = 0; i < urls->count; i++)
        if (jr_sense_is_plain_elsewhere(urls->items[i]))
            jr_findings_doubt(&loader->findings, "CLUSTER_ETCD",
                              "'%s' is http to another host: anybody on the way can read and "
                              "change what hosts agree on; use https",
                              jr_findings_quote(urls->items[i], quoted));
}

/* Each host has each run and each comment: each of them would say it. */
static void doubt_speakers(struct loader *loader)
{
    const struct jr_settings *settings = loader->settings;
    const struct {
        const char *name;
        bool says;
    } speakers[] = {
        { "REPORT", settings->report != JR_REPORTING_NONE },
        { "COMMANDS", settings->commands },
        { "NOTIFY_URL", settings->notify_url != NULL },
    };

    for (size_t i = 0; i < sizeof speakers / sizeof *speakers; i++)
        if (speakers[i].says)
            jr_findings_doubt(&loader->findings, speakers[i].name,
                              "is set, and so is CLUSTER_ETCD: set it on one host only, since each "
                              "that has it says everything");
}

/* Each setting of several hosts counts only with the others that it needs. */
static void check_cluster(struct loader *loader)
{
    static const char *const alone[] = { "CLUSTER_CERT_FILE", "CLUSTER_USER", "CLUSTER_CA_FILE" };
    const struct jr_source *source = loader->source;
    struct jr_findings *findings = &loader->findings;
    bool cert = jr_source_get(source, "CLUSTER_CERT_FILE") != NULL;
    bool user = jr_source_get(source, "CLUSTER_USER") != NULL;

    if (jr_source_get(source, "CLUSTER_ETCD") == NULL) {
        for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
            if (jr_source_get(source, alone[i]) != NULL)
                jr_findings_doubt(findings, alone[i],
                                  "is set, and CLUSTER_ETCD is not: there is one host, and nothing "
                                  "of it counts");
        return;
    }
    if (cert != jr_secrets_is_tried(source, "CLUSTER_KEY"))
        jr_findings_problem(findings, cert ? "CLUSTER_KEY" : "CLUSTER_CERT_FILE",
                            "is required with %s", cert ? "CLUSTER_CERT_FILE (CLUSTER_KEY_FILE)"
                                                        : "CLUSTER_KEY");
    if (user != jr_secrets_is_tried(source, "CLUSTER_PASSWORD"))
        jr_findings_problem(findings, user ? "CLUSTER_PASSWORD" : "CLUSTER_USER",
                            "is required with %s", user ? "CLUSTER_USER (or CLUSTER_PASSWORD_FILE)"
                                                        : "CLUSTER_PASSWORD");
    doubt_plain_etcd(loader);
    doubt_speakers(loader);
}

/* What no row can see by itself. */
static void check_together(struct loader *loader, bool secrets)
{
    doubt_lists(loader);
    doubt_secrets(loader);
    if (secrets) {
        check_access(loader);
        check_report(loader);
        check_sign_key(loader);
        check_notify_url(loader);
        check_cluster(loader);
    }
    check_backoff(loader);
}

static enum jr_err load(struct jr_settings *settings, const struct jr_source *source, bool secrets,
                        char **problems)
{
    struct loader loader = { .settings = settings, .source = source };

    memset(settings, 0, sizeof *settings);
    settings->patience_ms = jr_test_patience_ms(JR_PATIENCE_MS);
    jr_findings_open(&loader.findings);
    for (size_t row = 0; row < jr_settings_count(); row++)
        if (secrets || !jr_settings_is_secret(row))
            read_row(&loader, row);
    check_together(&loader, secrets);
    return jr_findings_close(&loader.findings, problems, &settings->doubts);
}

enum jr_err jr_load_settings(struct jr_settings *settings, const struct jr_source *source,
                             char **problems)
{
    return load(settings, source, true, problems);
}

enum jr_err jr_load_public(struct jr_settings *settings, const struct jr_source *source,
                           char **problems)
{
    return load(settings, source, false, problems);
}

void jr_load_cluster_secrets(struct jr_settings *settings, const struct jr_source *source)
{
    static const char *const names[] = { "CLUSTER_KEY", "CLUSTER_PASSWORD" };
    struct jr_findings findings;

    jr_findings_open(&findings);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        jr_secrets_read(settings, jr_settings_find(names[i]), source, &findings);
    jr_findings_drop(&findings);
}

enum jr_err jr_load_check_files(const struct jr_settings *settings, struct jr_error *error)
{
    const struct {
        const char *name, *path;
    } files[] = {
        { "GITHUB_CA_FILE", settings->github_ca_file },
        { "CLUSTER_CA_FILE", settings->cluster_ca_file },
        { "CLUSTER_CERT_FILE", settings->cluster_cert_file },
    };
    struct jr_error why;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int fd = files[i].path == NULL ? -1 : jr_secrets_open_file(files[i].path, &why);

        if (files[i].path != NULL && fd < 0)
            return jr_error_set(error, JR_EINVAL, "%s: %s", files[i].name, why.text);
        if (fd >= 0)
            close(fd);
    }
    return JR_OK;
}

bool jr_load_finds_service(const struct jr_source *source)
{
    return jr_source_get(source, "STATE_DIR") != NULL
           || jr_source_get(source, "GITHUB_SIGN_KEY") != NULL
           || jr_source_get(source, "GITHUB_SIGN_KEY_FILE") != NULL
           || jr_source_get(source, "CREDENTIALS_DIRECTORY") != NULL;
}
