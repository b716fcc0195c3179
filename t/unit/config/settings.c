/*
 * settings -- every variable, in every way in which it can be given.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/config/load.h"
#include "lib/config/secrets.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct jr_source environment = { .environment = true };

/* An environment that is good, and nothing more. */
static void good_environment(void)
{
    clear_settings();
    setenv("GITHUB_TOKEN", "token", 1);
    setenv("GITHUB_SIGN_KEY", "key", 1);
}

static size_t row_of(const char *name)
{
    for (size_t row = 0; row < jr_settings_count(); row++)
        if (strcmp(jr_settings_name(row), name) == 0)
            return row;
    fail_msg("there is no setting '%s'", name);
    return 0;
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void defaults(void **state)
{
    struct jr_settings settings;
    char *problems;

    (void)state;
    good_environment();
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    assert_null(problems);
    assert_int_equal(settings.run_attempts, 4);
    assert_int_equal(settings.no_retry_list.count, 0);
    assert_int_equal(settings.repo_branches.count, 0);
    assert_int_equal(settings.repos.count, 0);
    assert_int_equal(settings.no_retry_repos.count, 0);
    assert_int_equal(settings.no_retry_workflows.count, 0);
    assert_string_equal(settings.github_token, "token");
    assert_string_equal(settings.github_sign_key, "key");
    assert_null(settings.github_sign_key_old);
    assert_string_equal(settings.github_api_url, "https://api.github.com");
    assert_null(settings.github_ca_file);
    assert_int_equal(settings.rerun_delay_ms, 5 * JR_SECOND_MS);
    assert_int_equal(settings.api_backoff_min_ms, 10 * JR_SECOND_MS);
    assert_int_equal(settings.api_backoff_max_ms, 10 * JR_MINUTE_MS);
    assert_int_equal(settings.api_write_interval_ms, JR_SECOND_MS);
    assert_int_equal(settings.reconcile_interval_ms, 5 * JR_MINUTE_MS);
    assert_int_equal(settings.catch_up_ms, JR_DAY_MS);
    assert_string_equal(settings.state_dir, "/var/lib/job-rerunner");
    assert_true(settings.map_size_bytes == INT64_C(16) << 30);
    assert_int_equal(settings.retention_ms, 90 * JR_DAY_MS);
    assert_int_equal(settings.workers, 16);
    assert_int_equal(settings.body_max_bytes, 4 << 20);
    assert_string_equal(settings.listen, "127.0.0.1");
    assert_int_equal(settings.port, 5000);
    assert_false(settings.dry_run);
    assert_int_equal(settings.log_level, JR_LOG_INFO);
    for (int conclusion = 0; conclusion <= JR_CONCLUSION_OTHER; conclusion++)
        assert_int_equal((settings.retry_conclusions & 1u << conclusion) != 0,
                         conclusion == JR_CONCLUSION_FAILURE || conclusion == JR_CONCLUSION_TIMED_OUT);
    jr_settings_release(&settings);
    assert_null(settings.github_token);
}

/* A value, and how it is shown when it is in force. */
struct good_row {
    const char *variable, *value, *shown;
};

static const struct good_row good[] = {
    { "RUN_ATTEMPTS", "1", "1" },
    { "RUN_ATTEMPTS", "50", "50" },
    { "NO_RETRY_LIST", " dependabot[bot], renovate* ,", "dependabot[bot],renovate*" },
    { "REPO_BRANCHES", "main,release/*", "main,release/*" },
    { "REPO_BRANCHES", "main,\n  release/*,\n", "main,release/*" },
    { "REPOS", "octo/app", "octo/app" },
    { "NO_RETRY_REPOS", "octo/*", "octo/*" },
    { "NO_RETRY_WORKFLOWS", "Deploy to production,Release", "Deploy to production,Release" },
    { "RETRY_CONCLUSIONS", "failure", "failure" },
    { "RETRY_CONCLUSIONS", "Cancelled, STALE,startup_failure", "cancelled,stale,startup_failure" },
    { "GITHUB_TOKEN", "ghs_1234_abc.DEF-x", "set" },
    { "GITHUB_SIGN_KEY", "It's a Secret to Everybody", "set" },
    { "GITHUB_SIGN_KEY_OLD", "k\xc3\xa9y", "set" },
    { "GITHUB_API_URL", "https://ghe.example.com/api/v3/", "https://ghe.example.com/api/v3" },
    { "GITHUB_API_URL", "http://127.0.0.1:8080", "http://127.0.0.1:8080" },
    { "GITHUB_API_URL", "https://[::1]:8443//", "https://[::1]:8443" },
    { "GITHUB_CA_FILE", "/dev/null", "/dev/null" },
    { "RERUN_DELAY", "0", "0" },
    { "RERUN_DELAY", "250ms", "250ms" },
    { "RERUN_DELAY", "90", "90s" },
    { "RERUN_DELAY", "60s", "1m" },
    { "RERUN_DELAY", "1h", "1h" },
    { "API_BACKOFF_MIN", "1s", "1s" },
    { "API_BACKOFF_MIN", "10m", "10m" },
    { "API_BACKOFF_MAX", "1d", "1d" },
    { "API_BACKOFF_MAX", "10s", "10s" },
    { "API_WRITE_INTERVAL", "0", "0" },
    { "API_WRITE_INTERVAL", "1500ms", "1500ms" },
    { "RECONCILE_INTERVAL", "0", "0" },
    { "RECONCILE_INTERVAL", "0m", "0" },
    { "RECONCILE_INTERVAL", "1d", "1d" },
    { "CATCH_UP", "1m", "1m" },
    { "CATCH_UP", "30d", "30d" },
    { "STATE_DIR", "./state", "./state" },
    { "STATE_DIR", "/srv/a folder", "/srv/a folder" },
    { "MAP_SIZE", "1M", "1M" },
    { "MAP_SIZE", "1024g", "1024G" },
    { "MAP_SIZE", "1048576", "1M" },
    { "RETENTION", "1h", "1h" },
    { "RETENTION", "3650d", "3650d" },
    { "WORKERS", "1", "1" },
    { "WORKERS", "256", "256" },
    { "BODY_MAX", "1k", "1k" },
    { "BODY_MAX", "25M", "25M" },
    { "BODY_MAX", "1025", "1025" },
    { "LISTEN", "0.0.0.0", "0.0.0.0" },
    { "LISTEN", "[::]", "[::]" },
    { "PORT", "1", "1" },
    { "PORT", "65535", "65535" },
    { "DRY_RUN", "yes", "yes" },
    { "DRY_RUN", "TRUE", "yes" },
    { "DRY_RUN", "on", "yes" },
    { "DRY_RUN", "1", "yes" },
    { "DRY_RUN", "No", "no" },
    { "DRY_RUN", "0", "no" },
    { "POLICY", "careful", "careful" },
    { "POLICY", "/etc/job-rerunner/policy.yml", "/etc/job-rerunner/policy.yml" },
    { "POLICY", "policy.yaml", "policy.yaml" },
    { "EVIDENCE", "always", "always" },
    { "EVIDENCE", "Never", "never" },
    { "LOG_TAIL", "0", "0" },
    { "LOG_TAIL", "16M", "16M" },
    { "LOG_LEVEL", "error", "error" },
    { "LOG_LEVEL", "Debug", "debug" },
};

static void good_value(void **state)
{
    const struct good_row *row = *state;
    struct jr_settings settings;
    char *problems, text[256];

    good_environment();
    setenv(row->variable, row->value, 1);
    if (load_environment(&settings, &problems) != JR_OK)
        fail_msg("%s=%s: %s", row->variable, row->value, problems);
    assert_ptr_equal(jr_settings_show(&settings, row_of(row->variable), text, sizeof text), text);
    assert_string_equal(text, row->shown);
    jr_settings_release(&settings);
}

/* A value, and what its one message says besides name and value. */
struct bad_row {
    const char *variable, *value, *says;
};

#define X32  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X128 X32 X32 X32 X32

static const struct bad_row bad[] = {
    { "RUN_ATTEMPTS", "0", "1 to 50" },
    { "RUN_ATTEMPTS", "51", "1 to 50" },
    { "RUN_ATTEMPTS", "-1", "1 to 50" },
    { "RUN_ATTEMPTS", "+4", "1 to 50" },
    { "RUN_ATTEMPTS", " 4", "1 to 50" },
    { "RUN_ATTEMPTS", "4 ", "1 to 50" },
    { "RUN_ATTEMPTS", "4s", "1 to 50" },
    { "RUN_ATTEMPTS", "four", "1 to 50" },
    { "RUN_ATTEMPTS", "0x4", "1 to 50" },
    { "RUN_ATTEMPTS", "4.0", "1 to 50" },
    { "RUN_ATTEMPTS", "18446744073709551617", "1 to 50" },
    { "RETRY_CONCLUSIONS", "success", "failure" },
    { "RETRY_CONCLUSIONS", "skipped", "failure" },
    { "RETRY_CONCLUSIONS", "failed", "failure" },
    { "RETRY_CONCLUSIONS", "success", "never rerun" },
    { "RETRY_CONCLUSIONS", "timedout", "the nearest is timed_out" },
    { "REPOS", "octo", "octo/* stands for all" },
    { "REPOS", "octo/app\nocto/web", "separated by commas" },
    { "NO_RETRY_REPOS", "deploy", "owner/name" },
    { "REPO_BRANCHES", "refs/heads/main", "write main" },
    { "REPO_BRANCHES", "main # only main", "comment" },
    { "NO_RETRY_LIST", "@octocat", "write octocat" },
    { "LISTEN", "0.0.0.0:80", "PORT" },
    { "GITHUB_API_URL", "https://github.com/", "is GitHub's web site" },
    { "GITHUB_API_URL", "api.github.com", "https" },
    { "GITHUB_API_URL", "ftp://api.github.com", "https" },
    { "GITHUB_API_URL", "https://", "https" },
    { "GITHUB_API_URL", "https:///repos", "https" },
    { "GITHUB_API_URL", "https://a.example/x?y=1", "https" },
    { "GITHUB_API_URL", "https://a.example/#x", "https" },
    { "GITHUB_API_URL", "https://a.example/a b", "https" },
    { "RERUN_DELAY", "61m", "0 to 1h" },
    { "RERUN_DELAY", "5 s", "0 to 1h" },
    { "RERUN_DELAY", "5x", "0 to 1h" },
    { "RERUN_DELAY", "s", "0 to 1h" },
    { "RERUN_DELAY", "-5s", "0 to 1h" },
    { "RERUN_DELAY", "9223372036854775807d", "0 to 1h" },
    { "API_BACKOFF_MIN", "0", "to 1h" },
    { "API_BACKOFF_MIN", "2h", "to 1h" },
    { "API_BACKOFF_MIN", "11m", "API_BACKOFF_MAX" },
    { "API_BACKOFF_MAX", "25h", "to 1d" },
    { "API_BACKOFF_MAX", "9s", "API_BACKOFF_MIN" },
    { "API_BACKOFF_MAX", "soon", "to 1d" },
    { "API_WRITE_INTERVAL", "2h", "0 to 1h" },
    { "RECONCILE_INTERVAL", "1ms", "or 0" },
    { "RECONCILE_INTERVAL", "2d", "to 1d" },
    { "CATCH_UP", "999ms", "1s to 30d" },
    { "CATCH_UP", "31d", "1s to 30d" },
    { "STATE_DIR", "/" X128, "96" },
    { "STATE_DIR", "/a\nb", "control" },
    { "MAP_SIZE", "1023k", "1M to" },
    { "MAP_SIZE", "1025G", "1M to" },
    { "MAP_SIZE", "16GB", "1M to" },
    { "MAP_SIZE", "16s", "1M to" },
    { "RETENTION", "59s", "1m to 3650d" },
    { "RETENTION", "3651d", "1m to 3650d" },
    { "WORKERS", "0", "1 to 256" },
    { "WORKERS", "257", "1 to 256" },
    { "BODY_MAX", "1023", "1k to 25M" },
    { "BODY_MAX", "26M", "1k to 25M" },
    { "LISTEN", X128 X128, "255" },
    { "PORT", "0", "1 to 65535" },
    { "PORT", "65536", "1 to 65535" },
    { "PORT", "http", "1 to 65535" },
    { "DRY_RUN", "maybe", "yes" },
    { "POLICY", "carefull", "the nearest is careful" },
    { "POLICY", "all", "nor the path of a file" },
    { "EVIDENCE", "sometimes", "auto, always, never" },
    { "LOG_TAIL", "17M", "16M" },
    { "LOG_LEVEL", "verbose", "error, warn, info, debug" },
    { "LOG_LEVEL", "warning", "the nearest is warn" },
};

static void bad_value(void **state)
{
    const struct bad_row *row = *state;
    struct jr_settings settings;
    char *problems, shown[24];

    good_environment();
    setenv(row->variable, row->value, 1);
    assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
    assert_non_null(problems);
    if (lines_of(problems) != 1)
        fail_msg("more than one problem: %s", problems);
    assert_contains(problems, row->variable);
    assert_contains(problems, row->says);
    snprintf(shown, sizeof shown, "%.20s", row->value);
    if (strchr(row->value, '\n') == NULL)
        assert_contains(problems, shown);
    free(problems);
    jr_settings_release(&settings);
}

/* What is taken, but likely not meant so. */
static const struct bad_row doubtful[] = {
    { "REPO_BRANCHES", "main,origin/main", "REPO_BRANCHES: 'origin/main' is a branch of a remote" },
    { "NO_RETRY_LIST", "renovate,dependabot", "login is renovate[bot]" },
    { "NO_RETRY_WORKFLOWS", "Deploy # and more", "NO_RETRY_WORKFLOWS: 'Deploy # and more' has a '#'" },
    { "GITHUB_API_URL", "https://ghe.example.com", "https://ghe.example.com/api/v3" },
    { "GITHUB_SIGN_KEY", "ghp_S3CRET", "GITHUB_SIGN_KEY: looks like a token" },
    { "GITHUB_SIGN_KEY", " S3CRET", "GITHUB_SIGN_KEY: begins or ends with a blank" },
    { "GITHUB_SIGN_KEY", "token", "is the same as GITHUB_TOKEN" },
    { "GITHUB_SIGN_KEY_OLD", "key", "is the same as GITHUB_SIGN_KEY" },
};

static void doubtful_value(void **state)
{
    const struct bad_row *row = *state;
    struct jr_settings settings;
    char *problems;

    good_environment();
    setenv(row->variable, row->value, 1);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    assert_non_null(settings.doubts);
    assert_contains(settings.doubts, row->says);
    assert_not_contains(settings.doubts, "S3CRET");
    jr_settings_release(&settings);
}

static void both_acted_on_and_left_alone(void **state)
{
    struct jr_settings settings;

    (void)state;
    load_settings(&settings, "REPOS=octo/app,octo/web NO_RETRY_REPOS=Octo/App");
    assert_string_equal(settings.doubts, "REPOS: 'octo/app' is in NO_RETRY_REPOS too, which counts\n");
    jr_settings_release(&settings);
    load_settings(&settings, NULL);
    assert_null(settings.doubts);
    jr_settings_release(&settings);
}

/* Who has forgotten a secret still shows that there is one. */
static void forgotten_is_shown(void **state)
{
    struct jr_settings settings;
    char text[16];

    (void)state;
    load_settings(&settings, NULL);
    jr_settings_forget(&settings, JR_SECRETS_TOKEN);
    jr_settings_forget(&settings, JR_SECRETS_KEYS);
    assert_string_equal(jr_settings_show(&settings, row_of("GITHUB_TOKEN"), text, sizeof text), "set");
    assert_string_equal(jr_settings_show(&settings, row_of("GITHUB_SIGN_KEY"), text, sizeof text), "set");
    assert_string_equal(jr_settings_show(&settings, row_of("GITHUB_APP_KEY"), text, sizeof text), "not set");
    jr_settings_release(&settings);
}

/* A long value is cut between two characters: here there is no place for that but its start. */
static void long_value_without_characters(void **state)
{
    struct jr_settings settings;
    char value[129] = "", *problems;

    (void)state;
    memset(value, 0x80, sizeof value - 1);
    good_environment();
    setenv("RUN_ATTEMPTS", value, 1);
    assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
    assert_contains(problems, "RUN_ATTEMPTS: '...' is not a whole number");
    free(problems);
    jr_settings_release(&settings);
}

/* A secret is never in a message. */
static const struct bad_row bad_secrets[] = {
    { "GITHUB_TOKEN", "S3CRET with-a-blank", "blank" },
    { "GITHUB_TOKEN", "S3CRET\r\nX-Header: 1", "control" },
    { "GITHUB_TOKEN", "S3CRET\n", "control" },
    { "GITHUB_SIGN_KEY", "S3CRET\n", "control" },
    { "GITHUB_TOKEN", "\xef\xbb\xbfS3CRET", "byte order mark" },
    { "GITHUB_TOKEN", "'S3CRET'", "quotes" },
    { "GITHUB_SIGN_KEY", "\xef\xbb\xbfS3CRET", "byte order mark" },
    { "GITHUB_SIGN_KEY_OLD", "S3\tCRET", "control" },
    { "GITHUB_API_URL", "https://me:S3CRET@a.example", "https" },
    { "NOTIFY_URL", "http://hooks.example.com/S3CRET", "use https" },
    { "NOTIFY_URL", "http://127.0.0.1.example.com/S3CRET", "use https" },
    { "NOTIFY_URL", "http://[::1].example.com/S3CRET", "use https" },
    { "NOTIFY_URL", "https://me:S3CRET@a.example", "a user" },
    { "NOTIFY_URL", "https://a.example/S3 CRET", "character" },
    { "NOTIFY_URL", "S3CRET", "https://HOST/PATH" },
};

static void bad_secret(void **state)
{
    const struct bad_row *row = *state;
    struct jr_settings settings;
    char *problems;

    good_environment();
    setenv(row->variable, row->value, 1);
    assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
    assert_int_equal(lines_of(problems), 1);
    assert_contains(problems, row->variable);
    assert_contains(problems, row->says);
    assert_not_contains(problems, "S3");
    assert_not_contains(problems, "CRET");
    free(problems);
    jr_settings_release(&settings);
}

static void files_that_are_named(void **state)
{
    struct jr_settings settings;
    struct jr_error error;

    (void)state;
    load_settings(&settings, "GITHUB_CA_FILE=/nowhere/ca.pem");
    assert_int_equal(jr_load_check_files(&settings, &error), JR_EINVAL);
    assert_contains(error.text, "GITHUB_CA_FILE");
    assert_contains(error.text, "/nowhere/ca.pem");
    assert_contains(error.text, "No such file");
    jr_settings_release(&settings);
    load_settings(&settings, "GITHUB_CA_FILE=/dev/null");
    assert_int_equal(jr_load_check_files(&settings, &error), JR_EINVAL);
    assert_contains(error.text, "GITHUB_CA_FILE: '/dev/null' is not a regular file");
    jr_settings_release(&settings);
    load_settings(&settings, "GITHUB_CA_FILE=/etc/passwd");
    assert_int_equal(jr_load_check_files(&settings, &error), JR_OK);
    jr_settings_release(&settings);
    load_settings(&settings, NULL);
    assert_int_equal(jr_load_check_files(&settings, &error), JR_OK);
    jr_settings_release(&settings);
}

static void all_problems_at_once(void **state)
{
    static const char *const wrong[] = { "RUN_ATTEMPTS", "RERUN_DELAY", "MAP_SIZE", "GITHUB_API_URL",
                                         "LOG_LEVEL", "PORT", "WORKERS", "RETRY_CONCLUSIONS" };
    struct jr_settings settings;
    char *problems;

    (void)state;
    clear_settings();
    for (size_t i = 0; i < COUNT(wrong); i++)
        setenv(wrong[i], "?", 1);
    assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_contains(problems, wrong[i]);
    assert_contains(problems, "GITHUB_TOKEN: is required");
    assert_contains(problems, "GITHUB_SIGN_KEY: is required");
    assert_int_equal(lines_of(problems), COUNT(wrong) + 2);
    assert_int_equal(problems[strlen(problems) - 1], '\n');
    /* What could be read is there: a tool can still show it. */
    assert_int_equal(settings.catch_up_ms, JR_DAY_MS);
    free(problems);
    jr_settings_release(&settings);
}

static void message_is_one_line_and_short(void **state)
{
    struct jr_settings settings;
    char *problems, value[2000];

    (void)state;
    good_environment();
    memset(value, 'x', sizeof value);
    memcpy(value, "a\n\033[31m", 7);
    value[sizeof value - 1] = '\0';
    setenv("LOG_LEVEL", value, 1);
    assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
    assert_int_equal(lines_of(problems), 1);
    assert_null(strchr(problems, '\033'));
    assert_true(strlen(problems) < 400);
    free(problems);
    jr_settings_release(&settings);
}

static void empty_is_as_good_as_none(void **state)
{
    struct jr_settings settings, none;
    char *problems, text[256], want[256];

    (void)state;
    load_settings(&none, NULL);
    good_environment();
    for (size_t row = 0; row < jr_settings_count(); row++)
        if (strncmp(jr_settings_name(row), "GITHUB_TOKEN", 12) != 0
            && strcmp(jr_settings_name(row), "GITHUB_SIGN_KEY") != 0)
            setenv(jr_settings_name(row), "", 1);
    setenv("GITHUB_TOKEN_FILE", "", 1);
    setenv("CREDENTIALS_DIRECTORY", "", 1);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    for (size_t row = 0; row < jr_settings_count(); row++)
        assert_string_equal(jr_settings_show(&settings, row, text, sizeof text),
                            jr_settings_show(&none, row, want, sizeof want));
    jr_settings_release(&settings);
    jr_settings_release(&none);

    setenv("GITHUB_SIGN_KEY", "", 1);
    assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
    assert_contains(problems, "GITHUB_SIGN_KEY: is required");
    free(problems);
    jr_settings_release(&settings);
}

static void token_is_not_required_for_a_dry_run(void **state)
{
    struct jr_settings settings;
    char *problems;

    (void)state;
    good_environment();
    unsetenv("GITHUB_TOKEN");
    assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
    assert_contains(problems, "GITHUB_TOKEN: is required");
    free(problems);
    jr_settings_release(&settings);
    setenv("DRY_RUN", "yes", 1);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    assert_null(settings.github_token);
    jr_settings_release(&settings);
}

/* What is in a file, and what becomes of it. */
struct file_row {
    const char *name, *bytes;
    size_t length;
    const char *want, *says; /* one of them */
};

static const struct file_row files[] = {
    { "a token", "t0ken", 5, "t0ken", NULL },
    { "a line feed at its end", "t0ken\n", 6, "t0ken", NULL },
    { "a line of Windows", "t0ken\r\n", 7, "t0ken", NULL },
    { "empty", "", 0, NULL, "empty" },
    { "only a line feed", "\n", 1, NULL, "empty" },
    { "two lines", "t0ken\nt0ken\n", 12, NULL, "control" },
    { "a blank", "t0 ken\n", 7, NULL, "blank" },
    { "a NUL", "t0\0ken", 6, NULL, "NUL" },
};

static void secret_in_a_file(void **state)
{
    const struct file_row *row = *state;
    struct jr_settings settings;
    const char *path = path_in(new_folder(), "secret");
    char *problems;

    good_environment();
    unsetenv("GITHUB_TOKEN");
    write_file(path, row->bytes, row->length);
    setenv("GITHUB_TOKEN_FILE", path, 1);
    assert_int_equal(load_environment(&settings, &problems), row->want != NULL ? JR_OK : JR_EINVAL);
    if (row->want != NULL) {
        assert_string_equal(settings.github_token, row->want);
    } else {
        assert_int_equal(lines_of(problems), 1);
        assert_contains(problems, "GITHUB_TOKEN_FILE");
        assert_contains(problems, row->says);
        assert_not_contains(problems, "t0");
    }
    free(problems);
    jr_settings_release(&settings);
}

static void file_that_cannot_be_read(void **state)
{
    const char *folder = new_folder();
    const char *paths[4] = { "/nowhere/token", folder, path_in(folder, "fifo"), "/dev/zero" };
    struct jr_settings settings;
    char *problems;

    (void)state;
    assert_int_equal(mkfifo(paths[2], 0600), 0);
    (void)alarm(FIFO_LIMIT_S);
    for (size_t i = 0; i < COUNT(paths); i++) {
        good_environment();
        unsetenv("GITHUB_TOKEN");
        setenv("GITHUB_TOKEN_FILE", paths[i], 1);
        assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
        assert_int_equal(lines_of(problems), 1);
        assert_contains(problems, "GITHUB_TOKEN_FILE");
        assert_contains(problems, paths[i]);
        free(problems);
        jr_settings_release(&settings);
    }
    (void)alarm(0);
}

static void variable_and_file_are_one_too_many(void **state)
{
    struct jr_settings settings;
    char *problems;

    (void)state;
    good_environment();
    setenv("GITHUB_SIGN_KEY_FILE", "/dev/null", 1);
    assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
    assert_int_equal(lines_of(problems), 1);
    assert_contains(problems, "GITHUB_SIGN_KEY_FILE");
    free(problems);
    jr_settings_release(&settings);
}

static void systemd_credentials(void **state)
{
    char folder[64], other[80];
    struct jr_settings settings;
    char *problems;

    (void)state;
    snprintf(folder, sizeof folder, "%s", new_folder());
    snprintf(other, sizeof other, "%s/other", folder);
    clear_settings();
    write_file(path_in(folder, "github_token"), "t0ken\n", 6);
    write_file(path_in(folder, "github_sign_key"), "k3y", 3);
    write_file(other, "0ther", 5);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    assert_string_equal(settings.github_token, "t0ken");
    assert_string_equal(settings.github_sign_key, "k3y");
    assert_null(settings.github_sign_key_old);
    jr_settings_release(&settings);

    /* What is set goes before what is found. */
    setenv("GITHUB_TOKEN", "variable", 1);
    setenv("GITHUB_SIGN_KEY_FILE", other, 1);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    assert_string_equal(settings.github_token, "variable");
    assert_string_equal(settings.github_sign_key, "0ther");
    jr_settings_release(&settings);
}

static void token_is_read_anew(void **state)
{
    char path[80];
    struct jr_settings settings;
    char *problems;

    (void)state;
    snprintf(path, sizeof path, "%s", path_in(new_folder(), "token"));
    good_environment();
    unsetenv("GITHUB_TOKEN");
    setenv("GITHUB_TOKEN_FILE", path, 1);
    write_file(path, "one", 3);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    assert_false(jr_secrets_reread_token(&settings));
    write_file(path, "two\n", 4);
    assert_true(jr_secrets_reread_token(&settings));
    assert_string_equal(settings.github_token, "two");
    assert_string_equal(settings.github_sign_key, "key");
    assert_false(jr_secrets_reread_token(&settings));
    write_file(path, "bad token", 9);
    assert_false(jr_secrets_reread_token(&settings));
    write_file(path, "", 0);
    assert_false(jr_secrets_reread_token(&settings));
    assert_int_equal(remove(path), 0);
    assert_false(jr_secrets_reread_token(&settings));
    assert_string_equal(settings.github_token, "two");
    jr_settings_release(&settings);
}

/* GITHUB_TOKEN, GITHUB_APP_ID and GITHUB_APP_KEY, and what is wrong with them. */
struct access_row {
    const char *name, *token, *id, *key;
    const char *says; /* NULL: nothing */
};

#define A_KEY "a key" /* stands for one */

static void access_is_one_of_two(void **state)
{
    const struct access_row *row = *state;
    struct jr_settings settings;
    char *problems;

    clear_settings();
    setenv("GITHUB_SIGN_KEY", "key", 1);
    if (row->token != NULL)
        setenv("GITHUB_TOKEN", row->token, 1);
    if (row->id != NULL)
        setenv("GITHUB_APP_ID", row->id, 1);
    if (row->key != NULL)
        setenv("GITHUB_APP_KEY", strcmp(row->key, A_KEY) == 0 ? app_key() : row->key, 1);
    assert_int_equal(load_environment(&settings, &problems), row->says == NULL ? JR_OK : JR_EINVAL);
    if (row->says != NULL) {
        assert_int_equal(lines_of(problems), 1);
        assert_contains(problems, row->says);
    } else {
        assert_true(jr_settings_can_call(&settings));
        assert_int_equal(settings.github_token != NULL, row->token != NULL);
        assert_int_equal(settings.github_app_id != NULL, row->id != NULL);
        assert_int_equal(settings.github_app_key != NULL, row->key != NULL);
    }
    free(problems);
    jr_settings_release(&settings);
}

static const struct access_row accesses[] = {
    { "a token", "t0ken", NULL, NULL, NULL },
    { "an App", NULL, "4711", A_KEY, NULL },
    { "an App by its client id", NULL, "Iv1.8a61f9b3a7aba766", A_KEY, NULL },
    { "neither", NULL, NULL, NULL, "GITHUB_TOKEN: is required" },
    { "both", "t0ken", "4711", A_KEY, "GITHUB_TOKEN: is set, and so is GITHUB_APP_ID" },
    { "a token and an id", "t0ken", "4711", NULL, "GITHUB_TOKEN: is set, and so is GITHUB_APP_ID" },
    { "a token and a key", "t0ken", NULL, A_KEY, "GITHUB_TOKEN: is set, and so is GITHUB_APP_KEY" },
    { "an id", NULL, "4711", NULL, "GITHUB_APP_KEY: is required" },
    { "a key", NULL, NULL, A_KEY, "GITHUB_APP_ID: is required" },
    { "a key that is none", NULL, "4711", "S3CRET", "GITHUB_APP_KEY: is not a private key" },
    { "an id that is none", NULL, "47 11", A_KEY, "GITHUB_APP_ID: '47 11' has other" },
    { "an id with a quote", NULL, "1\"", A_KEY, "GITHUB_APP_ID: '1\"' has other" },
    { "an id that is too long", NULL, "01234567890123456789012345678901234567890123456789012345678901234", A_KEY,
      "GITHUB_APP_ID: '0123" },
};

static void app_key_in_its_ways(void **state)
{
    char folder[64], path[80], *problems, text[16];
    struct jr_settings settings;

    (void)state;
    snprintf(folder, sizeof folder, "%s", new_folder());
    snprintf(path, sizeof path, "%s/github_app_key", folder);
    write_file(path, app_key(), strlen(app_key()));
    for (int credential = 0; credential < 2; credential++) {
        clear_settings();
        setenv("GITHUB_SIGN_KEY", "key", 1);
        setenv("GITHUB_APP_ID", "4711", 1);
        setenv(credential ? "CREDENTIALS_DIRECTORY" : "GITHUB_APP_KEY_FILE", credential ? folder : path, 1);
        assert_int_equal(load_environment(&settings, &problems), JR_OK);
        assert_int_equal(strncmp(settings.github_app_key, app_key(), strlen(app_key()) - 1), 0);
        assert_string_equal(jr_settings_show(&settings, row_of("GITHUB_APP_KEY"), text, sizeof text), "set");
        assert_string_equal(jr_settings_show(&settings, row_of("GITHUB_APP_ID"), text, sizeof text), "4711");
        assert_false(jr_secrets_reread_token(&settings));
        jr_settings_forget(&settings, JR_SECRETS_TOKEN);
        assert_null(settings.github_app_key);
        assert_false(jr_settings_can_call(&settings));
        assert_true(jr_secrets_reread_token(&settings)); /* another one than none */
        assert_non_null(settings.github_app_key);
        jr_settings_release(&settings);
    }
    /* Another one in the file, and then none. */
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    write_file(path, "\n\n", 2);
    assert_false(jr_secrets_reread_token(&settings));
    assert_non_null(settings.github_app_key);
    jr_settings_release(&settings);
    assert_int_equal(load_environment(&settings, &problems), JR_EINVAL);
    assert_int_equal(lines_of(problems), 1);
    assert_contains(problems, "GITHUB_APP_KEY: is not a private key");
    free(problems);
    jr_settings_release(&settings);
    clear_settings();
}

static void forgotten(void **state)
{
    struct jr_settings settings;
    char *problems;

    (void)state;
    good_environment();
    setenv("GITHUB_SIGN_KEY_OLD", "old", 1);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    jr_settings_forget(&settings, JR_SECRETS_TOKEN);
    assert_null(settings.github_token);
    assert_string_equal(settings.github_sign_key, "key");
    assert_string_equal(settings.github_sign_key_old, "old");
    jr_settings_forget(&settings, JR_SECRETS_KEYS);
    assert_null(settings.github_sign_key);
    assert_null(settings.github_sign_key_old);
    jr_settings_forget(&settings, JR_SECRETS_TOKEN);
    jr_settings_release(&settings);
}

/* The very bytes, as /proc/PID/environ shows them, are overwritten. */
static void environment_is_cleared(void **state)
{
    static char token[] = "GITHUB_TOKEN=S3CRET", key[] = "GITHUB_SIGN_KEY=S3CRET",
                old[] = "GITHUB_SIGN_KEY_OLD=S3CRET";
    struct jr_settings settings;
    char *problems;

    (void)state;
    clear_settings();
    putenv(token);
    putenv(key);
    putenv(old);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    jr_secrets_clear_environment();
    assert_null(getenv("GITHUB_TOKEN"));
    assert_null(getenv("GITHUB_SIGN_KEY"));
    assert_null(getenv("GITHUB_SIGN_KEY_OLD"));
    assert_null(memmem(token, sizeof token, "S3CRET", 6));
    assert_null(memmem(key, sizeof key, "S3CRET", 6));
    assert_null(memmem(old, sizeof old, "S3CRET", 6));
    assert_string_equal(settings.github_token, "S3CRET");
    jr_settings_release(&settings);
}

static void secrets_are_not_shown(void **state)
{
    struct jr_settings settings;
    char *problems, text[256];

    (void)state;
    clear_settings();
    setenv("GITHUB_TOKEN", "S3CRET", 1);
    setenv("GITHUB_SIGN_KEY", "S3CRET", 1);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    for (size_t row = 0; row < jr_settings_count(); row++)
        assert_not_contains(jr_settings_show(&settings, row, text, sizeof text), "S3CRET");
    assert_string_equal(jr_settings_show(&settings, row_of("GITHUB_TOKEN"), text, sizeof text), "set");
    assert_string_equal(jr_settings_show(&settings, row_of("GITHUB_SIGN_KEY_OLD"), text, sizeof text), "not set");
    jr_settings_release(&settings);
}

static void show_stays_in_its_place(void **state)
{
    struct jr_settings settings;
    char *problems;

    (void)state;
    good_environment();
    setenv("NO_RETRY_LIST", "one,two,three,four,five", 1);
    setenv("RETRY_CONCLUSIONS", "failure,timed_out,cancelled", 1);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    for (size_t size = 1; size < 30; size++) {
        char *text = malloc(size);

        assert_non_null(text);
        for (size_t row = 0; row < jr_settings_count(); row++)
            assert_true(strlen(jr_settings_show(&settings, row, text, size)) < size);
        free(text);
    }
    jr_settings_release(&settings);
}

/* A text that is cut is the beginning of the whole one, also in the middle of a character. */
static void a_list_is_cut_at_its_end(void **state)
{
    struct jr_settings settings;
    char *whole, cut[64], *problems;

    (void)state;
    good_environment();
    setenv("REPO_BRANCHES", "ab\xe2\x82\xac\xe2\x82\xac,c,\xf0\x9f\x98\x80,d,e", 1);
    assert_int_equal(load_environment(&settings, &problems), JR_OK);
    whole = jr_settings_text(&settings, row_of("REPO_BRANCHES"));
    assert_string_equal(whole, "ab\xe2\x82\xac\xe2\x82\xac,c,\xf0\x9f\x98\x80,d,e");
    for (size_t size = 1; size <= sizeof cut; size++) {
        jr_settings_show(&settings, row_of("REPO_BRANCHES"), cut, size);
        assert_true(strlen(cut) < size && strncmp(cut, whole, strlen(cut)) == 0);
    }
    free(whole);
    jr_settings_release(&settings);
    clear_settings();
}

/* Is it plain text in one line, as it goes into documents? */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static void every_setting_has_a_meaning(void **state)
{
    char range[JR_RANGE_SIZE];

    (void)state;
    for (size_t row = 0; row < jr_settings_count(); row++) {
        const char *details = jr_settings_details(row);

        assert_true(*jr_settings_name(row) != '\0');
        assert_non_null(jr_settings_default(row));
        assert_true(strlen(jr_settings_meaning(row)) > 10 && is_plain(jr_settings_meaning(row)));
        assert_true(is_plain(details));
        assert_true(*details == '\0' || details[strlen(details) - 1] == '.');
        assert_true(*jr_settings_type(row) != '\0');
        assert_true(is_plain(jr_settings_range(row, range)));
        assert_true(*jr_settings_group(row) != '\0');
        assert_int_equal(strcmp(jr_settings_type(row), "secret") == 0, jr_settings_is_secret(row));
        assert_int_equal(strcmp(jr_settings_renewal(row), "restart") != 0,
                         jr_settings_is_secret(row));
    }
}

/* Rows of one group stand together, so that a document can have a heading for each. */
static void groups_are_not_mixed(void **state)
{
    const char *ended[16];
    size_t count = 0;

    (void)state;
    for (size_t row = 1; row < jr_settings_count(); row++) {
        const char *group = jr_settings_group(row);

        if (group != jr_settings_group(row - 1)) {
            assert_true(count < COUNT(ended));
            ended[count++] = jr_settings_group(row - 1);
        }
        for (size_t i = 0; i < count; i++)
            assert_ptr_not_equal(ended[i], group);
    }
    assert_true(count > 2);
}

/* What the table says of a setting, by its type. */
static const struct told {
    const char *name, *type, *range;
} told[] = {
    { "RUN_ATTEMPTS", "whole number", "1 to 50" },
    { "REPOS", "list", "" },
    { "RETRY_CONCLUSIONS", "list", "failure, timed_out, cancelled, stale, startup_failure" },
    { "SUPERSEDED", "word", "leave or rerun" },
    { "EVIDENCE", "word", "auto, always or never" },
    { "LOG_TAIL", "size", "0 to 16M" },
    { "GITHUB_TOKEN", "secret", "" },
    { "GITHUB_APP_ID", "word", "at most 64 letters, digits, '.', '_' and '-'" },
    { "GITHUB_APP_KEY", "secret", "" },
    { "GITHUB_API_URL", "URL", "at most 512 bytes" },
    { "RECONCILE_INTERVAL", "duration", "100ms to 1d, or 0" },
    { "RERUN_DELAY", "duration", "0 to 1h" },
    { "STATE_DIR", "text", "at most 96 bytes" },
    { "MAP_SIZE", "size", "1M to 1024G" },
    { "DRY_RUN", "switch", "yes or no" },
    { "LOG_LEVEL", "word", "error, warn, info or debug" },
};

static void the_table_tells_types_and_ranges(void **state)
{
    char range[JR_RANGE_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(told); i++) {
        assert_string_equal(jr_settings_type(row_of(told[i].name)), told[i].type);
        assert_string_equal(jr_settings_range(row_of(told[i].name), range), told[i].range);
    }
}

/* Rows that are named by variable and value. */
#define VALUES(rows, function)                                                            \
    do {                                                                                  \
        for (size_t i = 0; i < COUNT(rows); i++) {                                        \
            snprintf(name, sizeof name, "%s=%.24s", (rows)[i].variable, (rows)[i].value); \
            for (char *c = name; *c != '\0'; c++)                                         \
                if ((unsigned char)*c < ' ' || *c == '#')                                 \
                    *c = '.';                                                             \
            add_test(#rows, name, function, &(rows)[i]);                                  \
        }                                                                                 \
    } while (0)

static void public_settings_need_no_secret(void **state)
{
    struct jr_settings settings;
    char *problems;

    (void)state;
    clear_settings();
    setenv("GITHUB_TOKEN_FILE", "/nowhere/token", 1);
    setenv("GITHUB_SIGN_KEY", "short", 1);
    setenv("STATE_DIR", "/some/where", 1);
    assert_int_equal(jr_load_public(&settings, &environment, &problems), JR_OK);
    assert_null(settings.github_token);
    assert_null(settings.github_sign_key);
    assert_string_equal(settings.state_dir, "/some/where");
    jr_settings_release(&settings);
    setenv("WORKERS", "many", 1);
    assert_int_equal(jr_load_public(&settings, &environment, &problems), JR_EINVAL);
    assert_contains(problems, "WORKERS");
    assert_not_contains(problems, "GITHUB");
    free(problems);
    jr_settings_release(&settings);
    clear_settings();
}

static void settings_in_the_environment(void **state)
{
    static const char *const telling[] = {
        "STATE_DIR", "GITHUB_SIGN_KEY", "GITHUB_SIGN_KEY_FILE", "CREDENTIALS_DIRECTORY",
    };

    (void)state;
    clear_settings();
    setenv("GITHUB_TOKEN", "ghp_1", 1); /* for other programs */
    setenv("PORT", "80", 1);
    setenv("STATE_DIR", "", 1);
    assert_false(jr_load_finds_service(&environment));
    for (size_t i = 0; i < COUNT(telling); i++) {
        setenv(telling[i], "x", 1);
        assert_true(jr_load_finds_service(&environment));
        unsetenv(telling[i]);
        assert_false(jr_load_finds_service(&environment));
    }
    clear_settings();
}

static void durations_are_read(void **state)
{
    int64_t duration_ms;

    (void)state;
    assert_true(jr_types_read_duration("90", &duration_ms) && duration_ms == 90000);
    assert_true(jr_types_read_duration("2h", &duration_ms) && duration_ms == 7200000);
    assert_true(jr_types_read_duration("5ms", &duration_ms) && duration_ms == 5);
    assert_false(jr_types_read_duration("", &duration_ms));
    assert_false(jr_types_read_duration("h", &duration_ms));
    assert_false(jr_types_read_duration("2 h", &duration_ms));
    assert_false(jr_types_read_duration("-2h", &duration_ms));
    assert_false(jr_types_read_duration("9999999999999999d", &duration_ms));
    assert_false(jr_types_read_duration("99999999999999999999s", &duration_ms));
}

int main(void)
{
    char name[64];

    TEST(defaults);
    VALUES(good, good_value);
    VALUES(bad, bad_value);
    VALUES(doubtful, doubtful_value);
    TEST(both_acted_on_and_left_alone);
    TEST(forgotten_is_shown);
    TEST(long_value_without_characters);
    VALUES(bad_secrets, bad_secret);
    TEST(files_that_are_named);
    TEST(all_problems_at_once);
    TEST(message_is_one_line_and_short);
    TEST(empty_is_as_good_as_none);
    TEST(token_is_not_required_for_a_dry_run);
    TABLE(files, secret_in_a_file);
    TEST(file_that_cannot_be_read);
    TEST(variable_and_file_are_one_too_many);
    TEST(systemd_credentials);
    TEST(token_is_read_anew);
    TABLE(accesses, access_is_one_of_two);
    TEST(app_key_in_its_ways);
    TEST(forgotten);
    TEST(environment_is_cleared);
    TEST(secrets_are_not_shown);
    TEST(show_stays_in_its_place);
    TEST(a_list_is_cut_at_its_end);
    TEST(every_setting_has_a_meaning);
    TEST(groups_are_not_mixed);
    TEST(the_table_tells_types_and_ranges);
    TEST(public_settings_need_no_secret);
    TEST(settings_in_the_environment);
    TEST(durations_are_read);
    return run_program("settings");
}
