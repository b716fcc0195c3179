/*
 * settings -- everything that can be set.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/settings.h"
#include "lib/crypto/jwt.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* STATE_DIR/wake has to fit into sockaddr_un.sun_path, 108 bytes (unix(7)). */
#define STATE_DIR_MAX 96

#define SECOND JR_SECOND_MS
#define MINUTE JR_MINUTE_MS
#define HOUR JR_HOUR_MS
#define DAY JR_DAY_MS
#define KILO INT64_C(1024)

/* What stands under one heading in documents. */
enum group { RUNS, GITHUB, TIMES, NOTICES, HOSTS, STORE, SERVICE };

static const char *const headings[] = {
    [RUNS] = "Which runs are rerun",
    [GITHUB] = "Access to GitHub",
    [TIMES] = "Times",
    [NOTICES] = "Who is told",
    [HOSTS] = "Several hosts",
    [STORE] = "The store",
    [SERVICE] = "The service",
};

/* All that there is to say of a setting. */
struct row {
    const char *name;
    const struct jr_type *type;
    size_t offset;        /* of its field in struct jr_settings */
    const char *standard; /* the default, as one would write it; "": none */
    struct jr_domain domain;
    enum group group;
    enum jr_secrets secret;
    const char *meaning, *details; /* as settings.h has them; details: may be NULL */
};

#define FIELD(name) offsetof(struct jr_settings, name)
#define BETWEEN(least, most) { .min = (least), .max = (most) }

static const struct row rows[] = {
    { "RUN_ATTEMPTS", &jr_type_number, FIELD(run_attempts), "4", BETWEEN(1, 50), RUNS,
      .meaning = "attempts of one run, the first included; 1 = never rerun" },
    { "NO_RETRY_LIST", &jr_type_list, FIELD(no_retry_list), "", { .look = jr_sense_login },
      RUNS,
      .meaning = "logins whose runs are left alone",
      .details = "A run is left alone by its actor, who started it, and by who triggered the "
                 "attempt." },
    { "REPO_BRANCHES", &jr_type_list, FIELD(repo_branches), "", { .look = jr_sense_branch },
      RUNS,
      .meaning = "branches whose runs are rerun, if not all",
      .details = "A branch of a fork does not count." },
    { "REPOS", &jr_type_list, FIELD(repos), "", { .look = jr_sense_repo }, RUNS,
      .meaning = "repositories (owner/name) acted on, if not all" },
    { "NO_RETRY_REPOS", &jr_type_list, FIELD(no_retry_repos), "", { .look = jr_sense_repo },
      RUNS,
      .meaning = "repositories left alone",
      .details = "They count more than REPOS." },
    { "NO_RETRY_WORKFLOWS", &jr_type_list, FIELD(no_retry_workflows), "",
      { .look = jr_sense_workflow }, RUNS,
      .meaning = "workflows left alone (deployments, releases), by name, file name or path",
      .details = "For instance: Deploy*, deploy.yml, .github/workflows/deploy.yml." },
    { "RETRY_CONCLUSIONS", &jr_type_conclusions, FIELD(retry_conclusions), "failure,timed_out",
      { 0 }, RUNS,
      .meaning = "run conclusions that deserve a rerun" },
    { "SUPERSEDED", &jr_type_keeping, FIELD(rerun_superseded), "leave", { 0 }, RUNS,
      .meaning = "a run of which a newer one of another commit is known, unfinished or a pull "
                 "request's: leave or rerun",
      .details = "The newer run is of the same workflow, branch, event and head repository. Only "
                 "runs of push, pull_request and pull_request_target follow each other so. With "
                 "another POLICY than everything its guard counts." },
    { "POLICY", &jr_type_text, FIELD(policy), "everything",
      { .max = PATH_MAX, .look = jr_sense_policy }, RUNS,
      .meaning = "which causes of a failure deserve a rerun: everything, careful, infrastructure, "
                 "or the path of a file",
      .details = "everything: each failed run, whyever it failed. careful: all but those that a "
                 "rerun cannot help. infrastructure: only those whose every failed job has a "
                 "cause that is not the code's. A file is described in job-rerunner-policy(5)." },
    { "EVIDENCE", &jr_type_looking, FIELD(evidence), "auto", { 0 }, RUNS,
      .meaning = "when it is looked for why a run failed: auto, always or never",
      .details = "auto: when the policy asks for causes. always: of each failed run that is to be "
                 "rerun, so that another policy can be tried on what is recorded. never: GitHub is "
                 "not asked for it." },
    { "LOG_TAIL", &jr_type_size, FIELD(log_tail_bytes), "1M", { .min = 0, .max = 16 * KILO * KILO },
      RUNS,
      .meaning = "how much of a failed job's log is looked at, from its end; 0 = logs are not read",
      .details = "Logs are read from the host that GitHub names, without the token." },
    { "REPORT", &jr_type_reporting, FIELD(report), "none", { 0 }, RUNS,
      .meaning = "where it is said at GitHub what becomes of a failed run: none, check or comment",
      .details = "check: in a check run of its commit, which never blocks a merge; it takes a "
                 "GitHub App with Checks \"Read and write\". comment: in one comment on its pull "
                 "request; it takes Pull requests \"Read and write\". With DRY_RUN nothing is "
                 "said." },
    { "COMMANDS", &jr_type_switch, FIELD(commands), "no", { 0 }, RUNS,
      .meaning = "whether people may ask for reruns on pull requests, by a comment such as /rerun",
      .details = "Who asks has to have write permission in the repository, which GitHub is asked "
                 "for. It takes Pull requests \"Read and write\" and the event Issue comments; for "
                 "the buttons of REPORT=check also the event Check runs." },
    { "GITHUB_TOKEN", &jr_type_secret, FIELD(github_token), "", { .look = jr_sense_token },
      GITHUB, JR_SECRETS_TOKEN,
      .meaning = "token for the REST API; it or an App is required unless DRY_RUN",
      .details = "A token or an App, not both. When GitHub rejects the token, the file that "
                 "GITHUB_TOKEN_FILE names is read anew." },
    { "GITHUB_APP_ID", &jr_type_word, FIELD(github_app_id), "",
      { .max = JR_JWT_ISSUER_MAX, .look = jr_sense_app_id }, GITHUB,
      .meaning = "client id (or numeric id) of a GitHub App, in place of the token" },
    { "GITHUB_APP_KEY", &jr_type_private_key, FIELD(github_app_key), "", { 0 }, GITHUB,
      JR_SECRETS_TOKEN,
      .meaning = "private key of that App, in PEM; better GITHUB_APP_KEY_FILE",
      .details = "RSA, PKCS#1 or PKCS#8, without a passphrase. It has many lines, so a file is "
                 "better. When GitHub rejects the key, that file is read anew." },
    { "GITHUB_SIGN_KEY", &jr_type_secret, FIELD(github_sign_key), "", { .look = jr_sense_key },
      GITHUB, JR_SECRETS_KEYS,
      .meaning = "secret of the webhook; required" },
    { "GITHUB_SIGN_KEY_OLD", &jr_type_secret, FIELD(github_sign_key_old), "",
      { .look = jr_sense_key }, GITHUB, JR_SECRETS_KEYS,
      .meaning = "the secret that is being rotated out",
      .details = "What is signed with it is accepted as well." },
    { "GITHUB_API_URL", &jr_type_url, FIELD(github_api_url), "https://api.github.com",
      { .max = 512, .look = jr_sense_api_url }, GITHUB,
      .meaning = "base of the REST API; http only if written so",
      .details = "For GitHub Enterprise Server: https://HOST/api/v3." },
    { "GITHUB_CA_FILE", &jr_type_text, FIELD(github_ca_file), "",
      { .max = PATH_MAX, .look = jr_sense_path }, GITHUB,
      .meaning = "certificates to trust for a private host, if not the system's" },
    { "RERUN_DELAY", &jr_type_duration, FIELD(rerun_delay_ms), "5s", BETWEEN(0, HOUR), TIMES,
      .meaning = "from 'all known jobs are done, some failed' to asking GitHub" },
    { "API_BACKOFF_MIN", &jr_type_duration, FIELD(api_backoff_min_ms), "10s", BETWEEN(10, HOUR),
      TIMES,
      .meaning = "first wait before GitHub is asked again about one run; doubled each time" },
    { "API_BACKOFF_MAX", &jr_type_duration, FIELD(api_backoff_max_ms), "10m", BETWEEN(10, DAY),
      TIMES,
      .meaning = "longest such wait",
      .details = "It is no less than API_BACKOFF_MIN." },
    { "API_WRITE_INTERVAL", &jr_type_duration, FIELD(api_write_interval_ms), "1s", BETWEEN(0, HOUR),
      TIMES,
      .meaning = "least time between two reruns" },
    { "API_READS", &jr_type_number, FIELD(api_reads), "4", BETWEEN(1, 16), TIMES,
      .meaning = "how many questions to GitHub may be under way at once" },
    { "RECONCILE_INTERVAL", &jr_type_duration, FIELD(reconcile_interval_ms), "5m",
      { .min = 100, .max = DAY, .or_zero = true }, TIMES,
      .meaning = "how often missed work is looked for; 0 = never; also once at start" },
    { "CATCH_UP", &jr_type_duration, FIELD(catch_up_ms), "24h", BETWEEN(SECOND, 30 * DAY),
      TIMES,
      .meaning = "a run that ended longer ago is recorded as missed, not rerun" },
    { "NOTIFY_URL", &jr_type_secret, FIELD(notify_url), "", { .look = jr_sense_notify_url },
      NOTICES, JR_SECRETS_TOKEN,
      .meaning = "address of a chat's incoming webhook, or of another receiver; unset: nobody is "
                 "told",
      .details = "https, or http to this host itself and where GITHUB_API_URL is http. Whoever has "
                 "the address can write there, so it is a secret: only its host is ever shown." },
    { "NOTIFY_ON", &jr_type_notices, FIELD(notify_on),
      "given-up,outage,outage-over,shut-out,runner,rescue-rate", { 0 }, NOTICES,
      .meaning = "what is told",
      .details = "given-up: a failed run is not rerun any more, since its attempts are used up or "
                 "the failure is taken for a real one." },
    { "NOTIFY_BRANCHES", &jr_type_list, FIELD(notify_branches), "main,master",
      { .look = jr_sense_branch }, NOTICES,
      .meaning = "branches whose given-up runs are told; * = all",
      .details = "A failure there is everybody's; that of another branch its author sees. A "
                 "branch of a fork does not count." },
    { "NOTIFY_FORMAT", &jr_type_notice_format, FIELD(notify_format), "json", { 0 }, NOTICES,
      .meaning = "how it is told: json (Slack, Mattermost, Discord's /slack) or cloudevents",
      .details = "json: an object with `text` and all facts. cloudevents: the same as the data of "
                 "a CloudEvent 1.0 in structured mode." },
    { "CLUSTER_ETCD", &jr_type_list, FIELD(cluster_etcd), "", { .look = jr_sense_etcd_url }, HOSTS,
      .meaning = "client URLs of the etcd by which several hosts agree; unset: one host",
      .details = "For instance: https://etcd-1.example.org:2379, https://etcd-2.example.org:2379. "
                 "doc/hosts.md tells who needs it, and how it is set up." },
    { "CLUSTER_NAME", &jr_type_word, FIELD(cluster_name), "job-rerunner",
      { .max = 32 }, HOSTS,
      .meaning = "hosts with the same name, on the same etcd, work together" },
    { "CLUSTER_HOST", &jr_type_word, FIELD(cluster_host), "", { .max = 63 }, HOSTS,
      .meaning = "what this host is called where people read it; unset: the host's own name" },
    { "CLUSTER_CA_FILE", &jr_type_text, FIELD(cluster_ca_file), "",
      { .max = PATH_MAX, .look = jr_sense_path }, HOSTS,
      .meaning = "certificates to trust for etcd, if not the system's" },
    { "CLUSTER_CERT_FILE", &jr_type_text, FIELD(cluster_cert_file), "",
      { .max = PATH_MAX, .look = jr_sense_path }, HOSTS,
      .meaning = "certificate that this host shows to etcd, in PEM",
      .details = "With CLUSTER_USER it must have no CN, or etcd refuses it." },
    { "CLUSTER_KEY", &jr_type_secret, FIELD(cluster_key), "", { .look = jr_sense_pem }, HOSTS,
      JR_SECRETS_TOKEN,
      .meaning = "private key of that certificate, in PEM; better CLUSTER_KEY_FILE" },
    { "CLUSTER_USER", &jr_type_word, FIELD(cluster_user), "", { .max = 64 }, HOSTS,
      .meaning = "user of etcd, where its authentication is on" },
    { "CLUSTER_PASSWORD", &jr_type_secret, FIELD(cluster_password), "",
      { .look = jr_sense_password }, HOSTS, JR_SECRETS_TOKEN,
      .meaning = "password of that user" },
    { "CLUSTER_LEASE", &jr_type_duration, FIELD(cluster_lease_ms), "60s",
      BETWEEN(10 * SECOND, 5 * MINUTE), HOSTS,
      .meaning = "how long runs that a dead host has in hand stay its own" },
    { "CLUSTER_TAKEOVER", &jr_type_duration, FIELD(cluster_takeover_ms), "90s",
      BETWEEN(MINUTE, HOUR), HOSTS,
      .meaning = "how long a rerun that another host has asked for is left alone while nobody knows "
                 "what came of it" },
    { "STATE_DIR", &jr_type_text, FIELD(state_dir), "/var/lib/job-rerunner",
      { .max = STATE_DIR_MAX, .look = jr_sense_path }, STORE,
      .meaning = "folder of the store, locks and sockets",
      .details = "It has to be on a local disk." },
    { "MAP_SIZE", &jr_type_size, FIELD(map_size_bytes), "16G",
      BETWEEN(KILO * KILO, KILO * KILO * KILO * KILO), STORE,
      .meaning = "largest size of the store: address space, not disk" },
    { "RETENTION", &jr_type_duration, FIELD(retention_ms), "90d", BETWEEN(MINUTE, 3650 * DAY),
      STORE,
      .meaning = "how long history is kept after a run's last event" },
    { "WORKERS", &jr_type_number, FIELD(workers), "16", BETWEEN(1, 256), SERVICE,
      .meaning = "worker processes" },
    { "BODY_MAX", &jr_type_size, FIELD(body_max_bytes), "4M", BETWEEN(KILO, 25 * KILO * KILO),
      SERVICE,
      .meaning = "largest body read" },
    { "LISTEN", &jr_type_text, FIELD(listen), "127.0.0.1",
      { .max = 255, .look = jr_sense_listen }, SERVICE,
      .meaning = "address where conf/web has nginx listen" },
    { "PORT", &jr_type_number, FIELD(port), "5000", BETWEEN(1, 65535), SERVICE,
      .meaning = "port where conf/web has nginx listen" },
    { "DRY_RUN", &jr_type_switch, FIELD(dry_run), "no", { 0 }, SERVICE,
      .meaning = "do everything but the rerun; without a token GitHub is not called at all",
      .details = "The verdict rests on the events then." },
    { "LOG_LEVEL", &jr_type_level, FIELD(log_level), "info", { 0 }, SERVICE,
      .meaning = "what is logged: error, warn, info or debug, each with those before it" },
};

#undef FIELD
#undef BETWEEN

#define ROWS (sizeof rows / sizeof *rows)
_Static_assert(ROWS <= JR_SETTINGS_MOST, "a place for each in struct jr_settings");

void *jr_settings_field(struct jr_settings *settings, size_t row)
{
    return (char *)settings + rows[row].offset;
}

static const void *const_field(const struct jr_settings *settings, size_t row)
{
    return (const char *)settings + rows[row].offset;
}

size_t jr_settings_find(const char *name)
{
    size_t row = 0, length = strcspn(name, "=");

    while (row < ROWS
           && (strlen(rows[row].name) != length || strncmp(rows[row].name, name, length) != 0))
        row++;
    return row;
}

void jr_settings_read(struct jr_settings *settings, size_t row, const char *name,
                      const char *value, struct jr_findings *findings)
{
    const struct jr_reading reading = { name, &rows[row].domain, findings };

    if (value == NULL && *rows[row].standard == '\0')
        return;
    if (value == NULL)
        value = rows[row].standard;
    rows[row].type->read(&reading, value, jr_settings_field(settings, row));
    if (jr_settings_secret(settings, row) != NULL)
        settings->given |= UINT64_C(1) << row;
}

static void release_field(struct jr_settings *settings, size_t row)
{
    if (rows[row].type->release != NULL)
        rows[row].type->release(jr_settings_field(settings, row));
}

void jr_settings_release(struct jr_settings *settings)
{
    for (size_t row = 0; row < ROWS; row++) {
        release_field(settings, row);
        free(settings->secret_files[row]);
    }
    free(settings->policy_text);
    free(settings->doubts);
    memset(settings, 0, sizeof *settings);
}

bool jr_settings_can_call(const struct jr_settings *settings)
{
    return settings->github_token != NULL || settings->github_app_key != NULL;
}

bool jr_settings_clusters(const struct jr_settings *settings)
{
    return settings->cluster_etcd.count > 0;
}

bool jr_settings_reports(const struct jr_settings *settings)
{
    return settings->report != JR_REPORTING_NONE && !settings->dry_run;
}

void jr_settings_forget(struct jr_settings *settings, enum jr_secrets kind)
{
    for (size_t row = 0; row < ROWS; row++)
        if (rows[row].secret == kind)
            release_field(settings, row);
}

const char *jr_settings_secret(const struct jr_settings *settings, size_t row)
{
    return jr_settings_is_secret(row) ? *(char *const *)const_field(settings, row) : NULL;
}

enum jr_err jr_settings_put_secret(struct jr_settings *settings, const char *assignment)
{
    size_t row = jr_settings_find(assignment);
    const char *value = strchr(assignment, '=');
    char **field;

    if (value == NULL || row == ROWS || !jr_settings_is_secret(row))
        return JR_OK;
    release_field(settings, row);
    field = jr_settings_field(settings, row);
    *field = strdup(value + 1);
    return *field == NULL ? JR_ENOMEM : JR_OK;
}

bool jr_settings_is_given(const struct jr_settings *settings, const char *name)
{
    size_t row = jr_settings_find(name);

    return row < ROWS && (settings->given >> row & 1) != 0;
}

unsigned jr_settings_notifies(const struct jr_settings *settings)
{
    return jr_settings_is_given(settings, "NOTIFY_URL") ? settings->notify_on : 0;
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
    return headings[rows[row].group];
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

enum jr_secrets jr_settings_kind(size_t row)
{
    return rows[row].secret;
}

char *jr_settings_show(const struct jr_settings *settings, size_t row, char *text, size_t size)
{
    if ((settings->given >> row & 1) != 0)
        (void)jr_text_copy(text, size, "set"); /* also when it is forgotten since */
    else
        rows[row].type->show(const_field(settings, row), text, size);
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
    struct jr_findings findings;
    char *text;

    jr_findings_open(&findings);
    jr_settings_read(&fresh, row, rows[row].name, NULL, &findings);
    text = jr_settings_text(&fresh, row);
    jr_findings_drop(&findings);
    jr_settings_release(&fresh);
    return text;
}
