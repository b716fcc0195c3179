/*
 * names -- slips in the names of settings, and names of others that are none.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/names.h"
#include "lib/config/settings.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names that are warned of in the environment, and what is said. */
static const struct row {
    const char *name, *says; /* "": nothing */
} rows[] = {
    { "NO_RETRY_REPO", "NO_RETRY_REPOS" },
    { "NO_RETRY_WORKFLOW", "NO_RETRY_WORKFLOWS" },
    { "RUN_ATTEMPT", "RUN_ATTEMPTS" },
    { "RUN_ATTEMTPS", "RUN_ATTEMPTS" },
    { "run_attempts", "RUN_ATTEMPTS" },
    { "DRYRUN", "DRY_RUN" },
    { "REPO", "REPOS" },
    { "REPOBRANCHES", "REPO_BRANCHES" },
    { "LOGLEVEL", "LOG_LEVEL" },
    { "STATEDIR", "STATE_DIR" },
    { "WORKER", "WORKERS" },
    { "GITHUB_TOKENS", "GITHUB_TOKEN" },
    { "GITHUB_TOKEN_FLIE", "GITHUB_TOKEN_FILE" },
    { "GITHUB_SIGNKEY_FILE", "GITHUB_SIGN_KEY_FILE" },
    { "GITHUB_SIGN_KEYS", "GITHUB_SIGN_KEY" },
    { "GITHUB_APPID", "GITHUB_APP_ID" },
    { "GITHUB_WEBHOOK_SECRET", "GITHUB_SIGN_KEY" },
    { "WEBHOOK_SECRET", "GITHUB_SIGN_KEY" },
    { "GITHUB_APP_PRIVATE_KEY", "GITHUB_APP_KEY" },
    { "RERUN_DELAY_FILE", "set RERUN_DELAY itself" },
    { "GITHUB_SIGNING_KEY", "GITHUB_SIGN_KEY" },
    { "GH_TOKEN", "GITHUB_TOKEN" },
    { "REPOSITORIES", "REPOS" },
    { "NO_RETRY_REPOSITORIES", "NO_RETRY_REPOS" },
    { "NO_RETRY_USER", "NO_RETRY_LIST" },
    { "RUN_ATTEMPTS_MAX", "RUN_ATTEMPTS" },
    { "RETENTION_DAYS", "RETENTION" },
    { "WORKERS_MAX", "WORKERS" },
    { "DRY-RUN", "DRY_RUN" },
    { "PROT", "PORT" },
    { "REPS", "REPOS" },
    /* whatever begins so is no one else's */
    { "NO_RETRY_BRANCHES", "NO_RETRY_BRANCHES: is no setting; the nearest is" },
    { "NO_RETRY_ANYTHING_AT_ALL", "NO_RETRY_ANYTHING_AT_ALL: is no setting" },
    { "REPO_SOMETHING_ELSE", "REPO_SOMETHING_ELSE: is no setting" },
    { "RERUN_X", "RERUN_X: is no setting" },
    { "RUN_AT_NIGHT_ONLY", "RUN_AT_NIGHT_ONLY: is no setting" },
    { "RETRY_EVERYTHING_AGAIN", "RETRY_EVERYTHING_AGAIN: is no setting" },
    /* settings */
    { "RUN_ATTEMPTS", "" },
    { "GITHUB_TOKEN_FILE", "" },
    { "CREDENTIALS_DIRECTORY", "" },
    /* others' */
    { "https_proxy", "" },
    { "HTTPS_PROXY", "" },
    { "no_proxy", "" },
    { "TZ", "" },
    { "LANG", "" },
    { "LC_ALL", "" },
    { "PATH", "" },
    { "HOME", "" },
    { "GITHUB_ACTOR", "" },
    { "GITHUB_REF", "" },
    { "GITHUB_RUN_ID", "" },
    { "GITHUB_RUN_ATTEMPT", "" },
    { "GITHUB_REPOSITORY", "" },
    { "GITHUB_API_URL", "" },
    { "GITHUB_SERVER_URL", "" },
    { "GITHUB_RETENTION_DAYS", "" },
    { "GITHUB_STATE", "" },
    { "GITHUB_ENV", "" },
    { "SORT", "" },
    { "POST", "" },
    { "PART", "" },
    { "HOST", "" },
    { "PORT_OF_OTHERS", "" },
    { "RUST_LOG_LEVEL", "" },
    { "LISTEN_FDS", "" },
    { "LISTEN_PID", "" },
    { "STATE_DIRECTORY", "" },
    { "HOSTNAME", "" },
    { "LOGNAME", "" },
    { "USER", "" },
    { "TERM", "" },
    { "PWD", "" },
    { "SHLVL", "" },
    { "SERVER_PORT", "" },
    { "REMOTE_PORT", "" },
    { "HTTP_PORT", "" },
    { "HTTP_DRY_RUN", "" },
    { "POSTGRES_PORT", "" },
    { "SOMETHING_ELSE", "" },
    { "\xe2\x82\xac", "" },
};

static void name_in_the_environment(void **state)
{
    const struct row *row = *state;
    char variable[96], *items[] = { variable, NULL }, **before = environ, *doubts;

    snprintf(variable, sizeof variable, "%s=s3cret", row->name);
    environ = items;
    doubts = jr_names_doubts();
    environ = before;
    if (*row->says == '\0') {
        if (doubts != NULL)
            fail_msg("%s", doubts);
        return;
    }
    assert_non_null(doubts);
    assert_int_equal(strncmp(doubts, row->name, strlen(row->name)), 0);
    assert_contains(doubts, row->says);
    assert_not_contains(doubts, "s3cret");
    assert_int_equal(doubts[strlen(doubts) - 1], '\n');
    free(doubts);
}

/* In a file a name that has only something in common is told with the nearest. */
static void farther_names(void **state)
{
    char text[JR_NAMES_SIZE];

    (void)state;
    jr_names_explain("NO_RETRY_BRANCHES", text);
    assert_contains(text, "is no setting; the nearest is ");
    jr_names_explain("COMPLETELY_DIFFERENT_FROM_ALL_OF_THEM", text);
    assert_contains(text, "is no setting; `job-rerunner help' lists them");
}

/* What a file of settings may have. */
static const struct file_row {
    const char *name;
    bool may;
} in_a_file[] = {
    { "RUN_ATTEMPTS", true },
    { "GITHUB_TOKEN_FILE", true },
    { "https_proxy", true },
    { "NO_PROXY", true },
    { "TZ", true },
    { "LC_ALL", true },
    { "SSL_CERT_FILE", true },
    { "OPENSSL_CONF", true },
    { "CURL_CA_BUNDLE", true },
    { "LD_LIBRARY_PATH", true },
    { "SYSTEMD_LOG_LEVEL", true },
    { "GITHUB_REPOSITORY", false },
    { "GITHUB_WORKFLOW_NAME", false },
    { "HTTP_REPOS", false },
    { "REMOTE_USER", false },
    { "REMOTE_ADDR", false },
    { "RUNNER_LIST", false },
    { "SERVER_X", false },
    { "JR_X", false },
    { "STATE_DIRECTORY", false },
    { "LISTEN_FDS", false },
    { "SHELL", false },
    { "FOO", false },
};

static void name_in_a_file(void **state)
{
    const struct file_row *row = *state;

    assert_int_equal(jr_names_may_be_in_file(row->name), row->may);
}

static void there_is_room(void **state)
{
    (void)state;
    assert_true(2 * jr_settings_count() + 1 <= JR_NAMES_KNOWN_MOST);
}

int main(void)
{
    TEST(there_is_room);
    TABLE(in_a_file, name_in_a_file);
    TABLE(rows, name_in_the_environment);
    TEST(farther_names);
    return run_program("names");
}
