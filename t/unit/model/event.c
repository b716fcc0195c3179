/*
 * event -- payloads of every shape.
 *
 * A payload is the good one with one thing changed: `path` names a member
 * ("workflow_job.id"), `value` is the JSON that takes its place; NULL removes it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/json.h"
#include "lib/model/event.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char job_text[] =
    "{\"action\": \"completed\","
    " \"workflow_job\": {\"id\": 100520616165, \"run_id\": 33095003459, \"run_attempt\": 2,"
    "  \"status\": \"completed\", \"conclusion\": \"failure\", \"name\": \"test (a, b)\","
    "  \"workflow_name\": \"CI\", \"head_branch\": \"main\", \"runner_name\": \"runner 7\","
    "  \"created_at\": \"2026-11-20T00:00:00Z\", \"started_at\": \"2026-11-20T00:00:10Z\","
    "  \"completed_at\": \"2026-11-20T00:01:00Z\", \"steps\": [], \"labels\": [null]},"
    " \"repository\": {\"id\": 8589934593, \"full_name\": \"octo/app\"},"
    " \"sender\": {\"login\": \"dependabot[bot]\"}}";

static const char run_text[] =
    "{\"action\": \"completed\","
    " \"workflow_run\": {\"id\": 33095003459, \"run_attempt\": 3, \"status\": \"completed\","
    "  \"conclusion\": \"timed_out\", \"name\": \"v1.42 to eu-west\", \"head_branch\": \"main\", \"event\": \"push\","
    "  \"created_at\": \"2026-11-20T00:00:00Z\", \"run_started_at\": \"2026-11-20T00:00:10Z\","
    "  \"updated_at\": \"2026-11-20T00:01:00Z\", \"actor\": {\"login\": \"dev\"},"
    "  \"triggering_actor\": {\"login\": \"ops\"}, \"head_repository\": {\"full_name\": \"fork/app\"},"
    "  \"path\": \".github/workflows/ci.yml@refs/heads/main\", \"workflow_id\": 8589934594,"
    "  \"run_number\": 4711, \"head_sha\": \"0123456789abcdef0123456789abcdef01234567\","
    "  \"repository\": {\"id\": 8589934593, \"full_name\": \"octo/app\"}},"
    " \"workflow\": {\"id\": 5, \"name\": \"CI\", \"path\": \".github/workflows/other.yml\"},"
    " \"repository\": {\"id\": 8589934593, \"full_name\": \"octo/app\"},"
    " \"sender\": {\"login\": \"octocat\"}}";

static const char comment_text[] =
    "{\"action\": \"created\", \"issue\": {\"number\": 7, \"body\": \"/rerun why\","
    "  \"pull_request\": {\"url\": \"https://api.github.com/repos/octo/app/pulls/7\"}},"
    " \"comment\": {\"id\": 5000000001, \"body\": \"Flaky.\\r\\n/rerun all\\r\\n\","
    "  \"created_at\": \"2026-11-20T00:00:00Z\", \"author_association\": \"NONE\","
    "  \"user\": {\"login\": \"octocat\", \"type\": \"User\"}},"
    " \"repository\": {\"id\": 8589934593, \"full_name\": \"octo/app\"},"
    " \"sender\": {\"login\": \"octocat\", \"id\": 583231, \"type\": \"User\"}}";

static const char button_text[] =
    "{\"action\": \"requested_action\", \"requested_action\": {\"identifier\": \"stop-3\"},"
    " \"check_run\": {\"id\": 9, \"external_id\": \"33095003459\","
    "  \"app\": {\"id\": 4711, \"client_id\": \"Iv23x\"}},"
    " \"repository\": {\"id\": 8589934593, \"full_name\": \"octo/app\"},"
    " \"sender\": {\"login\": \"octocat\", \"id\": 583231, \"type\": \"User\"}}";

static json_object *parse(const char *text)
{
    json_object *root;
    struct jr_error error;

    if (jr_json_parse(text, strlen(text), &root, &error) != JR_OK)
        fail_msg("'%s': %s", text, error.text);
    return root;
}

/* Put a value in a member's place. */
static void change(json_object *root, const char *path, const char *value)
{
    char name[64];
    const char *dot;

    while ((dot = strchr(path, '.')) != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
        assert_true(json_object_object_get_ex(root, name, &root));
        path = dot + 1;
    }
    if (value == NULL)
        json_object_object_del(root, path);
    else
        json_object_object_add(root, path, parse(value));
}

/* As a webhook brings it: a text that is spoilt. */
static enum jr_payload read_root(const char *event_name, json_object *root, struct jr_event *event,
                                 struct jr_error *error)
{
    char *text = strdup(root == NULL ? "null" : json_object_to_json_string(root));
    enum jr_payload payload;

    assert_non_null(text);
    payload = jr_event_read(event_name, text, strlen(text), event, error);
    free(text);
    return payload;
}

static enum jr_payload decode(const char *text, const char *event_name, const char *path,
                              const char *value, struct jr_event *event, struct jr_error *error)
{
    json_object *root = parse(text);
    enum jr_payload payload;

    memset(error, 0, sizeof *error);
    if (path != NULL)
        change(root, path, value);
    payload = read_root(event_name, root, event, error);
    json_object_put(root);
    return payload;
}

static void whole_job(void **state)
{
    struct jr_event event;
    struct jr_error error;

    (void)state;
    assert_int_equal(decode(job_text, "workflow_job", NULL, NULL, &event, &error), JR_PAYLOAD_EVENT);
    assert_int_equal(event.kind, JR_EVENT_JOB);
    assert_string_equal(event.action, "completed");
    assert_int_equal(event.status, JR_STATUS_COMPLETED);
    assert_int_equal(event.conclusion, JR_CONCLUSION_FAILURE);
    assert_true(event.job_id == UINT64_C(100520616165));
    assert_true(event.run_id == UINT64_C(33095003459));
    assert_true(event.repo_id == UINT64_C(8589934593));
    assert_int_equal(event.attempt, 2);
    assert_string_equal(event.repo, "octo/app");
    assert_string_equal(event.branch, "main");
    assert_string_equal(event.workflow, "CI");
    assert_string_equal(event.job_name, "test (a, b)");
    assert_string_equal(event.runner, "runner 7");
    assert_string_equal(event.sender, "dependabot[bot]");
    assert_int_equal(event.created_ms, START_MS);
    assert_int_equal(event.started_ms, START_MS + 10000);
    assert_int_equal(event.completed_ms, START_MS + 60000);
}

static void whole_run(void **state)
{
    struct jr_event event;
    struct jr_error error;

    (void)state;
    assert_int_equal(decode(run_text, "workflow_run", NULL, NULL, &event, &error), JR_PAYLOAD_EVENT);
    assert_int_equal(event.kind, JR_EVENT_RUN);
    assert_int_equal(event.status, JR_STATUS_COMPLETED);
    assert_int_equal(event.conclusion, JR_CONCLUSION_TIMED_OUT);
    assert_true(event.run_id == UINT64_C(33095003459));
    assert_int_equal(event.attempt, 3);
    assert_string_equal(event.repo, "octo/app");
    assert_string_equal(event.branch, "main");
    assert_string_equal(event.workflow, "CI");
    assert_string_equal(event.workflow_path, ".github/workflows/ci.yml");
    assert_true(event.workflow_id == UINT64_C(8589934594));
    assert_true(event.run_number == 4711);
    assert_string_equal(event.head_sha, "0123456789abcdef0123456789abcdef01234567");
    assert_string_equal(event.trigger, "push");
    assert_string_equal(event.actor, "dev");
    assert_string_equal(event.triggering_actor, "ops");
    assert_string_equal(event.head_repo, "fork/app");
    assert_string_equal(event.sender, "octocat");
    assert_int_equal(event.created_ms, START_MS);
    assert_int_equal(event.started_ms, START_MS + 10000);
    assert_int_equal(event.updated_ms, START_MS + 60000);
}

struct identity_row {
    const char *name, *path, *value;
    const char *workflow, *workflow_path;
    uint64_t workflow_id;
};

/* What is told of the workflow, after a change to the webhook. */
static void identity(void **state)
{
    const struct identity_row *row = *state;
    struct jr_event event;
    struct jr_error error;

    assert_int_equal(decode(run_text, "workflow_run", row->path, row->value, &event, &error), JR_PAYLOAD_EVENT);
    assert_string_equal(event.workflow, row->workflow);
    assert_string_equal(event.workflow_path, row->workflow_path);
    assert_true(event.workflow_id == row->workflow_id);
}

#define CI_YML ".github/workflows/ci.yml"

static const struct identity_row identities[] = {
    { "no workflow: the run's name is not its", "workflow", NULL, "", CI_YML, UINT64_C(8589934594) },
    { "workflow is null", "workflow", "null", "", CI_YML, UINT64_C(8589934594) },
    { "workflow is text", "workflow", "\"CI\"", "", CI_YML, UINT64_C(8589934594) },
    { "no name of the workflow", "workflow.name", NULL, "", CI_YML, UINT64_C(8589934594) },
    { "no id in the run", "workflow_run.workflow_id", NULL, "CI", CI_YML, 5 },
    { "an id that is text", "workflow_run.workflow_id", "\"5\"", "CI", CI_YML, 5 },
    { "no path in the run", "workflow_run.path", NULL, "CI", ".github/workflows/other.yml", UINT64_C(8589934594) },
    { "a path with a branch", "workflow_run.path", "\".github/workflows/ci.yml@main\"", "CI", CI_YML, UINT64_C(8589934594) },
    { "a path with a long ending", "workflow_run.path", "\".github/workflows/ci.yaml@main\"", "CI", ".github/workflows/ci.yaml", UINT64_C(8589934594) },
    { "a path with an @ of its own", "workflow_run.path", "\".github/workflows/a@b.yml@v@1\"", "CI", ".github/workflows/a@b.yml", UINT64_C(8589934594) },
    { "a path of GitHub's own", "workflow_run.path", "\"dynamic/pages/pages-build-deployment\"", "CI", "dynamic/pages/pages-build-deployment", UINT64_C(8589934594) },
    { "a path that is an @", "workflow_run.path", "\"@\"", "CI", "@", UINT64_C(8589934594) },
};

struct payload_row {
    const char *name, *event_name, *text, *path, *value;
    enum jr_payload want;
};

static void payload_is(void **state)
{
    const struct payload_row *row = *state;
    struct jr_event event;
    struct jr_error error;

    assert_int_equal(decode(row->text, row->event_name, row->path, row->value, &event, &error), row->want);
    if (row->want == JR_PAYLOAD_BAD) {
        const char *member = row->path == NULL ? "" : strrchr(row->path, '.');

        assert_int_equal(error.code, JR_EINVAL);
        assert_contains(error.text, member == NULL ? row->path : *member == '.' ? member + 1
                                                                                : member);
    }
}

#define EVENT   JR_PAYLOAD_EVENT
#define NOTHING JR_PAYLOAD_NOTHING
#define BAD     JR_PAYLOAD_BAD
#define JOB     "workflow_job", job_text
#define RUN     "workflow_run", run_text
#define COMMENT "issue_comment", comment_text
#define BUTTON  "check_run", button_text

static const struct payload_row payloads[] = {
    { "a job without the header", NULL, job_text, NULL, NULL, EVENT },
    { "a run without the header", NULL, run_text, NULL, NULL, EVENT },
    { "a run as a job", "workflow_job", run_text, NULL, NULL, NOTHING },
    { "a job as a run", "workflow_run", job_text, NULL, NULL, NOTHING },
    { "no members", "workflow_job", "{}", NULL, NULL, NOTHING },
    { "ping", NULL, "{\"zen\": \"Keep it simple.\", \"hook_id\": 1}", NULL, NULL, NOTHING },
    { "workflow_job: null", JOB, "workflow_job", "null", NOTHING },
    { "workflow_run: null", RUN, "workflow_run", "null", NOTHING },
    { "workflow_job: null without the header", NULL, job_text, "workflow_job", "null", NOTHING },
    { "no workflow_job", JOB, "workflow_job", NULL, NOTHING },

    { "an array", "workflow_job", "[]", NULL, NULL, BAD },
    { "a string", "workflow_job", "\"workflow_job\"", NULL, NULL, BAD },
    { "workflow_job is a number", JOB, "workflow_job", "5", BAD },
    { "workflow_job is an array", JOB, "workflow_job", "[{}]", BAD },
    { "workflow_job is a string", JOB, "workflow_job", "\"x\"", BAD },
    { "workflow_run is a truth", RUN, "workflow_run", "true", BAD },
    { "workflow_job is empty", JOB, "workflow_job", "{}", BAD },

    { "no action", JOB, "action", NULL, BAD },
    { "action: null", JOB, "action", "null", BAD },
    { "action is a number", JOB, "action", "1", BAD },
    { "action with a NUL", JOB, "action", "\"completed\\u0000\"", BAD },
    { "an action that nobody knows", JOB, "action", "\"paused\"", EVENT },

    { "no job id", JOB, "workflow_job.id", NULL, BAD },
    { "job id: null", JOB, "workflow_job.id", "null", BAD },
    { "job id is 0", JOB, "workflow_job.id", "0", BAD },
    { "job id is negative", JOB, "workflow_job.id", "-1", BAD },
    { "job id is a string", JOB, "workflow_job.id", "\"100520616165\"", BAD },
    { "job id is no whole number", JOB, "workflow_job.id", "1.5", BAD },
    { "job id is too large", JOB, "workflow_job.id", "18446744073709551616", BAD },
    { "job id is an object", JOB, "workflow_job.id", "{}", BAD },
    { "no run id", JOB, "workflow_job.run_id", NULL, BAD },
    { "run id is a string", JOB, "workflow_job.run_id", "\"x\"", BAD },
    { "no id of the run", RUN, "workflow_run.id", NULL, BAD },
    { "id of the run is an array", RUN, "workflow_run.id", "[]", BAD },

    { "no attempt", JOB, "workflow_job.run_attempt", NULL, EVENT },
    { "attempt: null", JOB, "workflow_job.run_attempt", "null", EVENT },
    { "attempt is 0", JOB, "workflow_job.run_attempt", "0", BAD },
    { "attempt is a string", JOB, "workflow_job.run_attempt", "\"2\"", BAD },
    { "attempt is a truth", RUN, "workflow_run.run_attempt", "true", BAD },
    { "attempt does not fit", JOB, "workflow_job.run_attempt", "4294967296", BAD },
    { "the largest attempt", JOB, "workflow_job.run_attempt", "4294967295", EVENT },

    { "no repository", JOB, "repository", NULL, BAD },
    { "repository: null", JOB, "repository", "null", BAD },
    { "repository is a string", JOB, "repository", "\"octo/app\"", BAD },
    { "no name of the repository", JOB, "repository.full_name", NULL, BAD },
    { "no id of the repository", JOB, "repository.id", NULL, EVENT },
    { "id of the repository is a string", JOB, "repository.id", "\"1\"", BAD },
    { "name: out of the path", JOB, "repository.full_name", "\"octo/../../orgs/x\"", BAD },
    { "name: the folder above", JOB, "repository.full_name", "\"octo/..\"", BAD },
    { "name: only one part", JOB, "repository.full_name", "\"octo\"", BAD },
    { "name: three parts", JOB, "repository.full_name", "\"octo/app/actions\"", BAD },
    { "name: query", JOB, "repository.full_name", "\"octo/app?x\"", BAD },
    { "name: fragment", JOB, "repository.full_name", "\"octo/app#\"", BAD },
    { "name: escape", JOB, "repository.full_name", "\"octo/%2e%2e\"", BAD },
    { "name: header", JOB, "repository.full_name", "\"octo/app\\r\\nX: y\"", BAD },
    { "name: NUL", JOB, "repository.full_name", "\"octo/app\\u0000/x\"", BAD },
    { "name: not ASCII", RUN, "repository.full_name", "\"octo/\\u00e1pp\"", BAD },
    { "name: a number", JOB, "repository.full_name", "7", BAD },

    { "no sender", JOB, "sender", NULL, EVENT },
    { "sender: null", JOB, "sender", "null", EVENT },
    { "sender is a string", JOB, "sender", "\"octocat\"", EVENT },
    { "login is a number", JOB, "sender.login", "5", EVENT },
    { "branch: null", JOB, "workflow_job.head_branch", "null", EVENT },
    { "branch is a number", JOB, "workflow_job.head_branch", "5", EVENT },
    { "steps is a string", JOB, "workflow_job.steps", "\"x\"", EVENT },
    { "no status", JOB, "workflow_job.status", NULL, EVENT },
    { "conclusion is an object", JOB, "workflow_job.conclusion", "{}", EVENT },
    { "time is no time", JOB, "workflow_job.created_at", "\"yesterday\"", EVENT },
    { "time is a number", RUN, "workflow_run.updated_at", "1795422600", EVENT },
    { "actor: null", RUN, "workflow_run.actor", "null", EVENT },
    { "a comment", COMMENT, NULL, NULL, EVENT },
    { "a comment, without the header", NULL, comment_text, NULL, NULL, NOTHING },
    { "no comment", COMMENT, "comment", NULL, NOTHING },
    { "comment is a number", COMMENT, "comment", "5", BAD },
    { "comment without an action", COMMENT, "action", NULL, BAD },
    { "comment without a number", COMMENT, "comment.id", NULL, BAD },
    { "comment whose number is a text", COMMENT, "comment.id", "\"5\"", BAD },
    { "comment of no time", COMMENT, "comment.created_at", "\"now\"", BAD },
    { "issue without a number", COMMENT, "issue.number", "\"7\"", BAD },
    { "comment of no repository", COMMENT, "repository", NULL, BAD },
    { "comment of a repository without a number", COMMENT, "repository.id", NULL, BAD },
    { "comment that asks for nothing, without a number", COMMENT, "comment", "{}", EVENT },
    { "comment of who has no number", COMMENT, "sender.id", NULL, BAD },
    { "comment of who has a number in words", COMMENT, "sender.id", "\"583231\"", BAD },
    { "a button", BUTTON, NULL, NULL, EVENT },
    { "a button that nobody has pressed", BUTTON, "sender.id", "0", BAD },
    { "a check run that is made", BUTTON, "action", "\"created\"", EVENT },
    { "check_run is a text", BUTTON, "check_run", "\"x\"", BAD },
    { "no check_run", BUTTON, "check_run", NULL, NOTHING },
    { "a button of no run", BUTTON, "check_run.external_id", "\"\"", BAD },
    { "a button of a run in words", BUTTON, "check_run.external_id", "\"12x\"", BAD },
    { "a button of run 0", BUTTON, "check_run.external_id", "\"0\"", BAD },
    { "a button of too large a run", BUTTON, "check_run.external_id", "\"99999999999999999999\"", BAD },
    { "a button of a run as a number", BUTTON, "check_run.external_id", "5", BAD },
    { "head_repository: null", RUN, "workflow_run.head_repository", "null", EVENT },
};

struct verb_row {
    const char *name, *event_name, *text, *path, *value;
    enum jr_verb want;
};

static void verb_is(void **state)
{
    const struct verb_row *row = *state;
    struct jr_event event;
    struct jr_error error;

    assert_int_equal(decode(row->text, row->event_name, row->path, row->value, &event, &error), EVENT);
    assert_int_equal(event.kind, JR_EVENT_ASKING);
    assert_string_equal(jr_verb_name(event.verb), jr_verb_name(row->want));
}

static const struct verb_row verbs[] = {
    { "a comment", COMMENT, "comment.author_association", "\"NONE\"", JR_VERB_ALL },
    { "an edit", COMMENT, "action", "\"edited\"", JR_VERB_NONE },
    { "an issue", COMMENT, "issue.pull_request", NULL, JR_VERB_NONE },
    { "an issue, in another way", COMMENT, "issue.pull_request", "null", JR_VERB_NONE },
    { "a pull request that is a text", COMMENT, "issue.pull_request", "\"x\"", JR_VERB_NONE },
    { "a bot sends it", COMMENT, "sender.type", "\"Bot\"", JR_VERB_NONE },
    { "a bot has written it", COMMENT, "comment.user.type", "\"Bot\"", JR_VERB_NONE },
    { "nobody says of what type", COMMENT, "sender.type", NULL, JR_VERB_NONE },
    { "somebody else has written it", COMMENT, "comment.user.login", "\"mallory\"", JR_VERB_NONE },
    { "nobody has", COMMENT, "comment.user", "null", JR_VERB_NONE },
    { "nobody sends it", COMMENT, "sender", "null", JR_VERB_NONE },
    { "no body", COMMENT, "comment.body", "null", JR_VERB_NONE },
    { "body is a number", COMMENT, "comment.body", "5", JR_VERB_NONE },
    { "body with a NUL", COMMENT, "comment.body", "\"x\\u0000\\n/rerun\"", JR_VERB_RERUN },
    { "a NUL in it", COMMENT, "comment.body", "\"/rerun\\u0000\"", JR_VERB_NONE },
    { "a button", BUTTON, "check_run.id", "9", JR_VERB_STOP },
    { "a button that is not ours", BUTTON, "requested_action.identifier", "\"deploy\"", JR_VERB_NONE },
    { "a button of no attempt", BUTTON, "requested_action.identifier", "\"stop\"", JR_VERB_NONE },
    { "a button that is pressed by a bot", BUTTON, "sender.type", "\"Bot\"", JR_VERB_NONE },
    { "a check run that is asked for anew", BUTTON, "action", "\"rerequested\"", JR_VERB_NONE },
};

static void what_is_asked(void **state)
{
    static const struct {
        const char *word;
        bool insider;
    } associations[] = {
        { "\"OWNER\"", true }, { "\"MEMBER\"", true }, { "\"COLLABORATOR\"", true },
        { "\"CONTRIBUTOR\"", false }, { "\"member\"", false }, { "1", false }, { NULL, false },
    };
    struct jr_event event;
    struct jr_error error;

    (void)state;
    assert_int_equal(decode(comment_text, "issue_comment", NULL, NULL, &event, &error), EVENT);
    assert_true(event.comment_id == 5000000001 && event.pull_request == 7 && event.run_id == 0);
    assert_string_equal(event.sender, "octocat");
    assert_int_equal(event.sender_id, 583231);
    assert_false(event.insider);
    assert_int_equal(event.created_ms, jr_timestamp_parse("2026-11-20T00:00:00Z"));
    for (size_t i = 0; i < COUNT(associations); i++) {
        assert_int_equal(decode(comment_text, "issue_comment", "comment.author_association",
                                associations[i].word, &event, &error), EVENT);
        assert_int_equal(event.insider, associations[i].insider);
    }
    assert_int_equal(decode(button_text, "check_run", NULL, NULL, &event, &error), EVENT);
    assert_true(event.comment_id == 0 && event.run_id == 33095003459 && event.app_id == 4711);
    assert_true(event.attempt == 3 && event.sender_id == 583231);
    assert_string_equal(event.app_client_id, "Iv23x");
}

static void null_is_nothing(void **state)
{
    struct jr_event event;

    (void)state;
    assert_int_equal(read_root("workflow_job", NULL, &event, NULL), JR_PAYLOAD_NOTHING);
    assert_int_equal(read_root(NULL, NULL, &event, NULL), JR_PAYLOAD_NOTHING);
}

struct status_row {
    const char *name, *text, *action, *status, *conclusion; /* as JSON; NULL: not there */
    enum jr_status want;
    enum jr_conclusion want_conclusion;
};

static void status_is(void **state)
{
    const struct status_row *row = *state;
    json_object *root = parse(row->text);
    bool is_job = row->text == job_text;
    struct jr_event event;

    change(root, "action", row->action);
    change(root, is_job ? "workflow_job.status" : "workflow_run.status", row->status);
    change(root, is_job ? "workflow_job.conclusion" : "workflow_run.conclusion", row->conclusion);
    assert_int_equal(read_root(NULL, root, &event, NULL), JR_PAYLOAD_EVENT);
    assert_int_equal(event.status, row->want);
    assert_int_equal(event.conclusion, row->want_conclusion);
    json_object_put(root);
}

static const struct status_row statuses[] = {
    { "queued", job_text, "\"queued\"", "\"queued\"", "null", JR_STATUS_QUEUED, JR_CONCLUSION_NONE },
    { "queued, but waiting", job_text, "\"queued\"", "\"waiting\"", "null", JR_STATUS_QUEUED, JR_CONCLUSION_NONE },
    { "in progress", job_text, "\"in_progress\"", "\"in_progress\"", "null", JR_STATUS_IN_PROGRESS, JR_CONCLUSION_NONE },
    { "completed", job_text, "\"completed\"", "\"completed\"", "\"success\"", JR_STATUS_COMPLETED, JR_CONCLUSION_SUCCESS },
    { "completed, status left behind", job_text, "\"completed\"", "\"in_progress\"", "\"failure\"", JR_STATUS_COMPLETED, JR_CONCLUSION_FAILURE },
    { "queued, status is further", job_text, "\"queued\"", "\"completed\"", "\"failure\"", JR_STATUS_COMPLETED, JR_CONCLUSION_FAILURE },
    { "no status", job_text, "\"completed\"", NULL, "\"skipped\"", JR_STATUS_COMPLETED, JR_CONCLUSION_SKIPPED },
    { "an action that nobody knows", job_text, "\"paused\"", "\"queued\"", "null", JR_STATUS_QUEUED, JR_CONCLUSION_NONE },
    { "nothing that anybody knows", job_text, "\"paused\"", "\"asleep\"", "null", JR_STATUS_UNKNOWN, JR_CONCLUSION_NONE },
    { "a conclusion that nobody knows", job_text, "\"completed\"", "\"completed\"", "\"exploded\"", JR_STATUS_COMPLETED, JR_CONCLUSION_OTHER },
    { "a conclusion before the end", job_text, "\"in_progress\"", "\"in_progress\"", "\"failure\"", JR_STATUS_IN_PROGRESS, JR_CONCLUSION_NONE },
    { "a run, requested", run_text, "\"requested\"", "\"queued\"", "null", JR_STATUS_QUEUED, JR_CONCLUSION_NONE },
    { "a run whose action says completed, status queued", run_text, "\"completed\"", "\"queued\"", "null", JR_STATUS_QUEUED, JR_CONCLUSION_NONE },
    { "a run, requested with a conclusion", run_text, "\"requested\"", "\"completed\"", "\"action_required\"", JR_STATUS_COMPLETED, JR_CONCLUSION_ACTION_REQUIRED },
};

/* Hosts of some years ago send less. */
static void old_shapes(void **state)
{
    static const char text[] = "{\"action\": \"queued\", \"workflow_job\": {\"id\": 7, \"run_id\": 8,"
                               " \"status\": \"queued\", \"conclusion\": null, \"name\": \"build\","
                               " \"started_at\": \"2026-11-20T02:00:00+02:00\", \"completed_at\": null},"
                               " \"repository\": {\"full_name\": \"octo/app\"}}";
    struct jr_event event;
    struct jr_error error;

    (void)state;
    assert_int_equal(decode(text, "workflow_job", NULL, NULL, &event, &error), JR_PAYLOAD_EVENT);
    assert_int_equal(event.attempt, 0);
    assert_true(event.repo_id == 0);
    assert_string_equal(event.branch, "");
    assert_string_equal(event.workflow, "");
    assert_string_equal(event.sender, "");
    assert_int_equal(event.created_ms, 0);
    assert_int_equal(event.started_ms, START_MS);
    assert_int_equal(event.completed_ms, 0);
}

static void set_text(json_object *root, const char *path, size_t length)
{
    char value[2048];

    value[0] = value[length + 1] = '"';
    memset(value + 1, 'x', length);
    value[length + 2] = '\0';
    change(root, path, value);
}

/* A pattern must not match what is left of a longer branch; names are only shown. */
static void long_names(void **state)
{
    json_object *root = parse(job_text);
    struct jr_event event;

    (void)state;
    set_text(root, "workflow_job.head_branch", 300);
    set_text(root, "workflow_job.name", 300);
    set_text(root, "workflow_job.runner_name", 1500);
    assert_int_equal(read_root(NULL, root, &event, NULL), JR_PAYLOAD_EVENT);
    assert_string_equal(event.branch, "");
    assert_int_equal(strlen(event.job_name), sizeof event.job_name - 1);
    assert_int_equal(strlen(event.runner), sizeof event.runner - 1);

    set_text(root, "workflow_job.head_branch", 255);
    assert_int_equal(read_root(NULL, root, &event, NULL), JR_PAYLOAD_EVENT);
    assert_int_equal(strlen(event.branch), 255);

    set_text(root, "repository.full_name", 1500);
    assert_int_equal(read_root(NULL, root, &event, NULL), JR_PAYLOAD_BAD);
    json_object_put(root);
}

static enum jr_err decode_run(const char *path, const char *value, struct jr_event *event)
{
    json_object *root = parse(run_text), *run;
    struct jr_error error;
    enum jr_err err;

    assert_true(json_object_object_get_ex(root, "workflow_run", &run));
    if (path != NULL)
        change(run, path, value);
    err = jr_event_decode_run(run, event, &error);
    json_object_put(root);
    return err;
}

struct labels_row {
    const char *name, *json, *want;
};

#define L40 "0123456789012345678901234567890123456789"

static void labels_are(void **state)
{
    const struct labels_row *row = *state;
    struct jr_event event;
    struct jr_error error;

    assert_int_equal(decode(job_text, NULL, "workflow_job.labels", row->json, &event, &error), JR_PAYLOAD_EVENT);
    assert_string_equal(event.labels, row->want);
}

/* What a failed job's event tells of its steps; others are not asked. */
static void steps_of_a_failed_job(void **state)
{
    static const struct {
        const char *conclusion, *steps;
        const char *want;
    } rows[] = {
        { "\"failure\"", "[{\"name\":\"Run make\",\"number\":3,\"conclusion\":\"failure\"}]", "1\n3 failure Run make" },
        { "\"cancelled\"", "[]", "0" },
        { "\"timed_out\"", "[{\"name\":\"a\",\"number\":1,\"conclusion\":\"cancelled\"}]", "1\n1 cancelled a" },
        { "\"success\"", "[{\"name\":\"a\",\"number\":1,\"conclusion\":\"failure\"}]", "" },
        { "\"failure\"", "{}", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_object *root = parse(job_text);
        struct jr_event event;
        struct jr_error error;
        char *text;

        change(root, "workflow_job.conclusion", rows[i].conclusion);
        change(root, "workflow_job.steps", rows[i].steps);
        text = strdup(json_object_to_json_string(root));
        assert_int_equal(jr_event_read(NULL, text, strlen(text), &event, &error), JR_PAYLOAD_EVENT);
        assert_string_equal(event.steps, rows[i].want);
        free(text);
        json_object_put(root);
    }
}

static void environment_of_a_deployment(void **state)
{
    static const struct {
        const char *deployment, *want;
    } rows[] = {
        { "{\"environment\": \"production\"}", "production" },
        { "null", "" },
        { "{\"environment\": 7}", "" },
        { "[]", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_object *root = parse(job_text);
        struct jr_event event;
        struct jr_error error;
        char *text;

        change(root, "deployment", rows[i].deployment);
        text = strdup(json_object_to_json_string(root));
        assert_int_equal(jr_event_read(NULL, text, strlen(text), &event, &error), JR_PAYLOAD_EVENT);
        assert_string_equal(event.environment, rows[i].want);
        free(text);
        json_object_put(root);
    }
}

static const struct labels_row labels[] = {
    { "one", "[\"ubuntu-latest\"]", "ubuntu-latest" },
    { "sorted", "[\"x64\", \"self-hosted\", \"linux\", \"big\"]", "big,linux,self-hosted,x64" },
    { "in another order", "[\"big\", \"linux\", \"x64\", \"self-hosted\"]", "big,linux,self-hosted,x64" },
    { "null among them", "[null, \"b\", null, \"a\", 5, \"\", {}]", "a,b" },
    { "none", "[]", "" },
    { "null", "null", "" },
    { "not told", NULL, "" },
    { "no array", "\"linux\"", "" },
    { "too long for all", "[\"g" L40 "\", \"f" L40 "\", \"e" L40 "\", \"d" L40 "\", \"c" L40 "\", \"b" L40 "\", \"a" L40 "\"]",
      "a" L40 ",b" L40 ",c" L40 ",d" L40 ",e" L40 ",f" L40 },
    { "one that is too long", "[\"" L40 L40 L40 L40 "\"]", L40 L40 L40 "0123456" },
};

/* A fork that was deleted is a fork all the same. */
static void deleted_fork(void **state)
{
    struct jr_event event;
    struct jr_error error;

    (void)state;
    assert_int_equal(decode(run_text, NULL, "workflow_run.head_repository", "null", &event, &error), JR_PAYLOAD_EVENT);
    assert_string_equal(event.head_repo, JR_REPO_DELETED);
    assert_int_equal(decode(run_text, NULL, "workflow_run.head_repository", NULL, &event, &error), JR_PAYLOAD_EVENT);
    assert_string_equal(event.head_repo, "");
}

static void answer_of_the_api(void **state)
{
    struct jr_event event;
    struct jr_error error;

    (void)state;
    assert_int_equal(decode_run(NULL, NULL, &event), JR_OK);
    assert_int_equal(event.kind, JR_EVENT_RUN);
    assert_string_equal(event.action, "");
    assert_string_equal(event.sender, "");
    assert_true(event.run_id == UINT64_C(33095003459));
    assert_int_equal(event.attempt, 3);
    assert_int_equal(event.conclusion, JR_CONCLUSION_TIMED_OUT);
    assert_string_equal(event.repo, "octo/app");
    assert_int_equal(decode_run("run_attempt", NULL, &event), JR_OK);
    assert_int_equal(event.attempt, 0);
    assert_int_equal(decode_run("id", "\"5\"", &event), JR_EINVAL);
    assert_int_equal(decode_run("run_attempt", "\"5\"", &event), JR_EINVAL);
    assert_int_equal(decode_run("repository", "null", &event), JR_EINVAL);
    assert_int_equal(jr_event_decode_run(NULL, &event, &error), JR_EINVAL);
}

static void watched(void **state)
{
    (void)state;
    assert_true(jr_event_is_watched("workflow_job"));
    assert_true(jr_event_is_watched("workflow_run"));
    assert_false(jr_event_is_watched("ping"));
    assert_false(jr_event_is_watched("workflow_jobs"));
    assert_false(jr_event_is_watched("workflow"));
    assert_false(jr_event_is_watched(""));
    assert_false(jr_event_is_watched("issue_comment"));
    assert_true(jr_event_is_asking("issue_comment"));
    assert_true(jr_event_is_asking("check_run"));
    assert_false(jr_event_is_asking("workflow_run"));
    assert_false(jr_event_is_asking("check_suite"));
}

int main(void)
{
    TEST(whole_job);
    TEST(whole_run);
    TABLE(identities, identity);
    TABLE(payloads, payload_is);
    TABLE(verbs, verb_is);
    TEST(what_is_asked);
    TEST(null_is_nothing);
    TABLE(statuses, status_is);
    TEST(old_shapes);
    TEST(long_names);
    TEST(steps_of_a_failed_job);
    TEST(environment_of_a_deployment);
    TABLE(labels, labels_are);
    TEST(deleted_fork);
    TEST(answer_of_the_api);
    TEST(watched);
    return run_program("event");
}
