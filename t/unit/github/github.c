/*
 * github -- what the API is asked by each call of the table, and where people see it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/github.h"
#include "t/unit/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct web_row {
    const char *name, *want;
};

static void web_url(void **state)
{
    const struct web_row *row = *state;
    char url[64];

    jr_github_web_url(row->name, url, sizeof url);
    assert_string_equal(url, row->want);
}

static const struct web_row webs[] = {
    { "https://api.github.com", "https://github.com" },
    { "https://ghes.example.org/api/v3", "https://ghes.example.org" },
    { "https://ghes.example.org:8443/api/v3", "https://ghes.example.org:8443" },
    { "https://api.octo.ghe.com", "https://octo.ghe.com" },
    { "https://api.example.org", "https://api.example.org" },
    { "https://api.github.com.example.org", "https://api.github.com.example.org" },
    { "http://127.0.0.1:8080", "http://127.0.0.1:8080" },
    { "https://a-host-with-a-name-that-does-not-fit-into-the-buffer.example.org/api/v3", "" },
    { "https://a-host-with-a-name-that-does-not-fit-into-the-buffer.example.org", "" },
};

/* Answers nothing but what was asked. */
static void refuse(const char *request, char *answer, size_t size)
{
    (void)request;
    snprintf(answer, size, "HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 24\r\n\r\n"
             "{\"message\": \"Not Found\"}");
}

struct call_row {
    const char *name; /* as in struct jr_call, and */
    enum jr_api api;
    const char *request;
    enum jr_reason reason; /* of a 404 */
    bool is_write;
};

#define RUN "/api/v3/repos/acme/x/actions/runs/77"

static const struct call_row calls[] = {
    { "GET run", JR_API_GET_RUN, "GET " RUN, JR_REASON_NOT_FOUND, false },
    { "POST rerun-failed-jobs", JR_API_RERUN_FAILED, "POST " RUN "/rerun-failed-jobs",
      JR_REASON_NOT_FOUND, true },
    { "POST rerun", JR_API_RERUN_ALL, "POST " RUN "/rerun", JR_REASON_NOT_FOUND, true },
    { "GET runs", JR_API_LIST_RUNS,
      "GET /api/v3/repos/acme/x/actions/runs?status=failure&created=%3E%3D2026-11-20T00:00:00Z"
      "&exclude_pull_requests=true&per_page=100&page=2", JR_REASON_NOT_FOUND, false },
    { "GET rate_limit", JR_API_RATE_LIMIT, "GET /api/v3/rate_limit", JR_REASON_NOT_FOUND, false },
    { "GET app", JR_API_GET_APP, "GET /api/v3/app", JR_REASON_NOT_FOUND, false },
    { "GET installation", JR_API_GET_INSTALLATION, "GET /api/v3/repos/acme/x/installation",
      JR_REASON_NOT_INSTALLED, false },
    { "POST access_tokens", JR_API_MAKE_TOKEN, "POST /api/v3/app/installations/77/access_tokens",
      JR_REASON_NOT_INSTALLED, false },
    { "GET workflow", JR_API_GET_WORKFLOW, "GET /api/v3/repos/acme/x/actions/workflows/77",
      JR_REASON_NOT_FOUND, false },
    { "GET jobs", JR_API_GET_JOBS, "GET " RUN "/jobs?per_page=1", JR_REASON_NOT_FOUND, false },
    { "GET jobs of an attempt", JR_API_GET_ATTEMPT_JOBS,
      "GET " RUN "/attempts/3/jobs?per_page=100&page=2", JR_REASON_NOT_FOUND, false },
    { "GET annotations", JR_API_GET_ANNOTATIONS,
      "GET /api/v3/repos/acme/x/check-runs/77/annotations?per_page=100", JR_REASON_NOT_FOUND,
      false },
    { "GET log", JR_API_GET_LOG, "GET /api/v3/repos/acme/x/actions/jobs/77/logs",
      JR_REASON_NOT_FOUND, false },
    { "GET runs of a workflow", JR_API_LIST_LINE,
      "GET /api/v3/repos/acme/x/actions/workflows/77/runs?branch=feat%2Fa%26b%20%C3%BC%23&event=pull_request"
      "&exclude_pull_requests=true&per_page=10", JR_REASON_NOT_FOUND, false },
    { "GET concurrency groups of a run", JR_API_GET_GROUPS, "GET " RUN "/concurrency_groups?per_page=100",
      JR_REASON_NOT_FOUND, false },
    { "GET concurrency group", JR_API_GET_GROUP, "GET /api/v3/repos/acme/x/actions/concurrency_groups/ci%20%2541%2F..%3F",
      JR_REASON_NONE, false },
    { "GET pull request", JR_API_GET_PULL, "GET /api/v3/repos/acme/x/pulls/77", JR_REASON_NOT_FOUND, false },
    { "GET pull requests", JR_API_FIND_PULL,
      "GET /api/v3/repos/acme/x/pulls?head=dev:feat%2Fa%26b%20%C3%BC%23&state=all&per_page=100", JR_REASON_NOT_FOUND, false },
    { "GET file", JR_API_GET_FILE, "GET /api/v3/repos/acme/x/contents/ci%20%2541/..%3F?ref=abc", JR_REASON_NOT_FOUND, false },
    { "GET check-runs", JR_API_LIST_CHECKS,
      "GET /api/v3/repos/acme/x/commits/0a1b/check-runs?check_name=ci%20%2541%2F..%3F&filter=all"
      "&per_page=100&page=2", JR_REASON_NOT_FOUND, false },
    { "POST check-runs", JR_API_MAKE_CHECK, "POST /api/v3/repos/acme/x/check-runs",
      JR_REASON_NOT_FOUND, false },
    { "PATCH check-run", JR_API_SET_CHECK, "PATCH /api/v3/repos/acme/x/check-runs/77",
      JR_REASON_NOT_FOUND, false },
    { "GET comments", JR_API_LIST_COMMENTS,
      "GET /api/v3/repos/acme/x/issues/77/comments?per_page=100&page=2", JR_REASON_NOT_FOUND,
      false },
    { "POST comments", JR_API_MAKE_COMMENT, "POST /api/v3/repos/acme/x/issues/77/comments",
      JR_REASON_NOT_FOUND, false },
    { "PATCH comment", JR_API_SET_COMMENT, "PATCH /api/v3/repos/acme/x/issues/comments/77",
      JR_REASON_NOT_FOUND, false },
    { "GET permission", JR_API_GET_PERMISSION, "GET /api/v3/repos/acme/x/collaborators/ci%20%2541%2F..%3F/permission",
      JR_REASON_NOT_FOUND, false },
    { "GET runs of a commit", JR_API_LIST_COMMIT,
      "GET /api/v3/repos/acme/x/actions/runs?head_sha=0a1b&exclude_pull_requests=true&per_page=100", JR_REASON_NOT_FOUND, false },
    { "POST reactions", JR_API_REACT, "POST /api/v3/repos/acme/x/issues/comments/77/reactions", JR_REASON_NOT_FOUND, false },
    { "GET user", JR_API_GET_USER, "GET /api/v3/user", JR_REASON_NOT_FOUND, false },
    { "GET repository", JR_API_GET_REPO, "GET /api/v3/repos/acme/x", JR_REASON_NOT_FOUND, false },
    { "GET commits", JR_API_FIND_COMMIT, "GET /api/v3/repos/acme/x/commits?path=ci%20%2541%2F..%3F&per_page=1", JR_REASON_NOT_FOUND, false },
};

static void call(void **state)
{
    const struct call_row *row = *state;
    struct server server = { .respond = refuse };
    struct jr_github_list list = { .conclusion = "failure", .from_ms = START_MS, .page = 2 };
    const struct jr_ours ours = { "1", "2", "bot", "<!--" };
    struct jr_event *holds = calloc(16, sizeof *holds); /* room for each */
    static const struct jr_run run = { .branch = "feat/a&b \xc3\xbc#", .trigger = "pull_request",
                                       .head_repo = "dev/x", .head_sha = "abc" };
    struct jr_ask ask = { .api = row->api, .repo = "acme/x", .id = 77, .list = &list, .attempt = 3,
                          .page = 2, .run = &run, .name = "ci %41/..?",
                          .sha = "0a1b", .ours = &ours, .json = "{}", .holds = holds };
    char url[128], asked[512], want[512];
    struct jr_http *http;
    struct jr_error error;
    struct jr_call call;

    start_server(&server);
    *strrchr(server.url, '/') = '\0';
    snprintf(url, sizeof url, "%s/api/v3", server.url);
    assert_int_equal(jr_http_open(&http, NULL, &error), JR_OK);
    jr_github_ask(http, url, "t0ken", &ask, &call);
    assert_int_equal(call.api, row->api);
    assert_string_equal(call.what, row->name);
    assert_string_equal(call.what, jr_github_what(row->api));
    assert_int_equal(call.outcome, row->reason == JR_REASON_NONE ? JR_OUTCOME_DONE : JR_OUTCOME_NEVER);
    assert_int_equal(call.reason, row->reason);
    assert_true(call.begun_us > 0);
    read_request(&server, asked, sizeof asked);
    snprintf(want, sizeof want, "%s\n", row->request);
    assert_string_equal(asked, want);
    assert_int_equal(jr_github_is_write(row->api), row->is_write);
    jr_http_close(http);
    free(holds);
    kill_child(&server.child);
}

/* Each row of the table is there, and tested above; no two are counted by one name. */
static void table_is_whole(void **state)
{
    (void)state;
    assert_int_equal(COUNT(calls), JR_APIS);
    for (int i = 0; i < JR_APIS; i++) {
        const char *counted = jr_github_counted((enum jr_api)i);
        const char *permission = jr_github_permission((enum jr_api)i);

        assert_int_equal(counted != NULL, i < JR_API_GET_REPO);
        for (int j = 0; j < i && counted != NULL; j++)
            assert_string_not_equal(counted, jr_github_counted((enum jr_api)j));
        /* Tokens of installations are made for that one permission, and may have another. */
        assert_true(permission == NULL || strncmp(permission, "Actions, ", 9) == 0
                    || ((strcmp(strchr(permission, ','), ", \"Read\"") == 0
                         || strncmp(permission, "Checks, ", 8) == 0
                         || strncmp(permission, "Pull requests, ", 15) == 0)
                        && jr_github_is_optional((enum jr_api)i)));
        assert_false(jr_github_is_optional((enum jr_api)i) && jr_github_is_write((enum jr_api)i));
        assert_true(permission != NULL || !jr_github_is_write((enum jr_api)i));
    }
}

/* A question that is answered so. */
static void ask(const char *answer, struct jr_ask ask, struct jr_call *call, char *asked, size_t size)
{
    struct server server = { .answers = { answer } };
    struct jr_error error;
    struct jr_http *http;

    ask.repo = "acme/x";
    ask.id = 77;
    start_server(&server);
    *strrchr(server.url, '/') = '\0';
    assert_int_equal(jr_http_open(&http, NULL, &error), JR_OK);
    jr_github_ask(http, server.url, "t0ken", &ask, call);
    read_request(&server, asked, size);
    jr_http_close(http);
    let_child_go(&server.child);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

struct debug_row {
    const char *name;
    enum jr_api api;
    bool debug;
    const char *length;
};

static void rerun_with_debug_log(void **state)
{
    const struct debug_row *row = *state;
    struct jr_call call;
    char asked[4096];

    ask("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}",
        (struct jr_ask){ .api = row->api, .debug = row->debug }, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_contains(asked, row->length);
    assert_int_equal(strstr(asked, "Content-Type: application/json") != NULL, row->debug);
}

/* A run that asks, as others may have it. */
static const struct jr_run asking = { .branch = "topic", .head_repo = "dev/x", .head_sha = "abc" };

#define PULL(login, ref, sha, state) \
    "{\"state\":\"" state "\",\"head\":{\"ref\":\"" ref "\",\"sha\":\"" sha "\",\"user\":{\"login\":\"" login "\"}}}"

struct pull_row {
    const char *name, *answer;
    size_t found;
    bool closed;
};

static void pulls_of_a_run(void **state)
{
    const struct pull_row *row = *state;
    struct jr_github_pull pull;
    struct jr_call call;
    char asked[4096], answer[1024];

    snprintf(answer, sizeof answer, OK_HEAD "%s", row->answer);
    ask(answer, (struct jr_ask){ .api = JR_API_FIND_PULL, .run = &asking, .holds = &pull }, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_int_equal(pull.found, row->found);
    assert_int_equal(pull.closed, row->closed);
}

struct permission_row {
    const char *name, *answer;
    enum jr_outcome outcome;
    bool writes;
    uint64_t user_id;
};

static void permission(void **state)
{
    const struct permission_row *row = *state;
    struct jr_github_permission permission;
    struct jr_call call;
    char answer[1024], asked[512];

    snprintf(answer, sizeof answer, OK_HEAD "%s", row->answer);
    ask(answer, (struct jr_ask){ .api = JR_API_GET_PERMISSION, .name = "dev", .holds = &permission }, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, row->outcome);
    assert_int_equal(permission.writes, row->writes);
    assert_int_equal(permission.user_id, row->user_id);
}

static const struct permission_row permissions[] = {
    { "admin", "{\"permission\": \"admin\"}", JR_OUTCOME_DONE, true, 0 },
    { "whose", "{\"permission\": \"write\", \"user\": {\"login\": \"dev\", \"id\": 583231}}", JR_OUTCOME_DONE, true, 583231 },
    { "nobody's", "{\"permission\": \"write\", \"user\": null}", JR_OUTCOME_DONE, true, 0 },
    { "whose, in words", "{\"permission\": \"write\", \"user\": {\"id\": \"583231\"}}", JR_OUTCOME_DONE, true, 0 },
    { "write", "{\"permission\": \"write\", \"role_name\": \"maintain\"}", JR_OUTCOME_DONE, true, 0 },
    { "read", "{\"permission\": \"read\", \"role_name\": \"triage\"}", JR_OUTCOME_DONE, false, 0 },
    { "none", "{\"permission\": \"none\"}", JR_OUTCOME_DONE, false, 0 },
    { "a word that nobody knows", "{\"permission\": \"owner\", \"role_name\": \"admin\"}", JR_OUTCOME_DONE, false, 0 },
    { "a number", "{\"permission\": 1}", JR_OUTCOME_LATER, false, 0 },
    { "nothing", "{}", JR_OUTCOME_LATER, false, 0 },
    { "a list", "[]", JR_OUTCOME_LATER, false, 0 },
};

struct commit_row {
    const char *name, *answer;
    enum jr_outcome outcome;
    const char *sha;
};

static void newest_commit(void **state)
{
    const struct commit_row *row = *state;
    struct jr_github_commit commit;
    struct jr_call call;
    char answer[1024], asked[512];

    snprintf(answer, sizeof answer, OK_HEAD "%s", row->answer);
    ask(answer, (struct jr_ask){ .api = JR_API_FIND_COMMIT, .name = "a", .holds = &commit }, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, row->outcome);
    assert_string_equal(commit.sha, row->sha);
}

static const struct commit_row commits[] = {
    { "one", "[{\"sha\": \"abc\", \"commit\": {}}]", JR_OUTCOME_DONE, "abc" },
    { "none", "[]", JR_OUTCOME_DONE, "" },
    { "one without an id", "[{\"node_id\": \"abc\"}]", JR_OUTCOME_LATER, "" },
    { "what is none", "[7]", JR_OUTCOME_LATER, "" },
    { "no list", "{\"sha\": \"abc\"}", JR_OUTCOME_LATER, "" },
};

static const struct pull_row pulls[] = {
    { "none", "[]", 0, false },
    { "closed", "[" PULL("Dev", "topic", "ABC", "closed") "]", 1, true },
    { "open", "[" PULL("dev", "topic", "abc", "open") "]", 1, false },
    { "of others", "[" PULL("dve", "topic", "abc", "closed") "," PULL("dev", "topic2", "abc", "closed") ","
      PULL("dev", "topic", "abd", "closed") ", null, {}]", 0, false },
    { "two of it", "[" PULL("dev", "topic", "abc", "closed") "," PULL("dev", "topic", "abc", "open") "]", 2, false },
};

struct group_row {
    const char *name, *answer;
    bool held;
};

static void members_of_a_group(void **state)
{
    const struct group_row *row = *state;
    struct jr_github_group group;
    struct jr_call call;
    char asked[4096];

    ask(row->answer, (struct jr_ask){ .api = JR_API_GET_GROUP, .name = "ci", .holds = &group }, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_int_equal(group.held, row->held);
}

static const struct group_row groups[] = {
    { "nobody", "HTTP/1.1 404 No\r\nConnection: close\r\n\r\n{\"message\":\"Not Found\"}", false },
    { "the run itself", OK_HEAD "{\"group_members\":[{\"run_id\":77}]}", false },
    { "another", OK_HEAD "{\"group_members\":[{\"run_id\":77},{\"run_id\":78,\"status\":\"pending\"}]}", true },
    { "what is no member", OK_HEAD "{\"group_members\":[null,{},{\"run_id\":\"x\"}]}", false },
};

static void groups_of_a_run(void **state)
{
    struct jr_github_groups *held = calloc(1, sizeof *held);
    struct jr_call call;
    char asked[4096];

    (void)state;
    assert_non_null(held);
    ask(OK_HEAD "{\"concurrency_groups\":[{\"group_name\":\"ci/1\"},{\"group_name\":\"..\"},{\"group_name\":\"x\"}]}",
        (struct jr_ask){ .api = JR_API_GET_GROUPS, .holds = held }, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_int_equal(held->count, 2);
    assert_true(held->more);
    assert_string_equal(held->names[0], "ci/1");
    assert_string_equal(held->names[1], "x");
    free(held);
}

struct content_row {
    const char *name, *answer;
    const char *want; /* NULL: it cannot be read */
};

static void file_of_a_repository(void **state)
{
    const struct content_row *row = *state;
    struct jr_github_file file;
    struct jr_call call;
    char asked[4096], answer[1024];

    snprintf(answer, sizeof answer, OK_HEAD "%s", row->answer);
    ask(answer, (struct jr_ask){ .api = JR_API_GET_FILE, .name = "a.yml", .holds = &file }, &call, asked, sizeof asked);
    assert_contains(asked, "/contents/a.yml HTTP");
    assert_int_equal(call.outcome, row->want == NULL ? JR_OUTCOME_NEVER : JR_OUTCOME_DONE);
    assert_int_equal(file.text == NULL, row->want == NULL);
    if (row->want != NULL)
        assert_string_equal(file.text, row->want);
    free(file.text);
}

struct version_row {
    const char *name, *known, *head;
    enum jr_outcome outcome;
    bool unchanged;
    const char *etag;
};

#define JOBS "{\"encoding\":\"base64\",\"content\":\"am9iczoge30K\"}"

/* A version that is known is not sent again; nobody else can say that it is. */
static void version_of_a_file(void **state)
{
    const struct version_row *row = *state;
    struct jr_github_file file;
    struct jr_call call;
    char asked[4096], answer[1024], want[64];

    snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nConnection: close\r\n\r\n%s", row->head,
             row->head[0] == '2' ? JOBS : "");
    ask(answer, (struct jr_ask){ .api = JR_API_GET_FILE, .name = "a.yml", .etag = row->known, .holds = &file },
        &call, asked, sizeof asked);
    snprintf(want, sizeof want, "If-None-Match: %s\r\n", row->known == NULL ? "" : row->known);
    if (row->known != NULL && *row->known != '\0')
        assert_contains(asked, want);
    else
        assert_null(strstr(asked, "If-None-Match"));
    assert_contains(asked, "Accept: application/vnd.github+json\r\n");
    assert_int_equal(call.outcome, row->outcome);
    assert_int_equal(file.unchanged, row->unchanged);
    assert_string_equal(file.etag, row->etag);
    free(file.text);
}

#define LONG_TAG "0123456789012345678901234567890123456789012345678901234567890123456789"

static const struct version_row versions[] = {
    { "the first", NULL, "200 OK\r\nETag: W/\"1\"", JR_OUTCOME_DONE, false, "W/\"1\"" },
    { "none is told", "", "200 OK", JR_OUTCOME_DONE, false, "" },
    { "too long", NULL, "200 OK\r\nETag: \"" LONG_TAG LONG_TAG "\"", JR_OUTCOME_DONE, false, "" },
    { "still the same", "W/\"1\"", "304 Not Modified\r\nETag: W/\"1\"", JR_OUTCOME_DONE, true, "W/\"1\"" },
    { "another", "W/\"1\"", "200 OK\r\nETag: W/\"2\"", JR_OUTCOME_DONE, false, "W/\"2\"" },
    { "the same as nothing", NULL, "304 Not Modified", JR_OUTCOME_LATER, false, "" },
};

static const struct content_row contents[] = {
    { "in lines", "{\"encoding\":\"base64\",\"content\":\"am9i\\nczog\\ne30K\\n\"}", "jobs: {}\n" },
    { "empty", "{\"encoding\":\"base64\",\"content\":\"\"}", "" },
    { "too large for that", "{\"encoding\":\"none\",\"content\":\"\"}", NULL },
    { "a folder", "{\"entries\":[]}", NULL },
    { "no Base64", "{\"encoding\":\"base64\",\"content\":\"am?i\"}", NULL },
};

static void run_with_pull_requests(void **state)
{
    struct jr_event *seen = calloc(1, sizeof *seen);
    struct jr_call call;
    char asked[4096];

    (void)state;
    assert_non_null(seen);
    ask(OK_HEAD "{\"id\":77,\"status\":\"completed\",\"conclusion\":\"failure\",\"repository\":{\"id\":1,\"full_name\":\"acme/x\"},"
        "\"pull_requests\":[{\"number\":4,\"base\":{\"repo\":{\"id\":2}}},"
        "{\"number\":5,\"base\":{\"repo\":{\"id\":1}}},null,{\"number\":6},{\"number\":7},{\"number\":8},{\"number\":9}]}",
        (struct jr_ask){ .api = JR_API_GET_RUN, .holds = seen }, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_int_equal(seen->pull_count, 5);
    assert_int_equal(seen->pulls[0], 5);
    assert_int_equal(seen->pulls[3], 8);
    free(seen);
}

static const struct debug_row debugs[] = {
    { "failed jobs", JR_API_RERUN_FAILED, false, "Content-Length: 0\r\n" },
    { "failed jobs, with it", JR_API_RERUN_FAILED, true, "Content-Length: 29\r\n" },
    { "all jobs, with it", JR_API_RERUN_ALL, true, "Content-Length: 29\r\n" },
};

#define JOB(id, status, conclusion) \
    "{\"id\": " id ", \"name\": \"job " id "\", \"status\": \"" status "\", \"conclusion\": \"" conclusion "\"," \
    " \"runner_id\": 5, \"runner_name\": \"r5\", \"labels\": [\"linux\"]," \
    " \"steps\": [{\"number\": 1, \"name\": \"Set up job\", \"conclusion\": \"success\"}, null]}"

static void bad_jobs_are_read(void **state)
{
    struct jr_github_jobs jobs;
    struct jr_call call;
    char asked[4096];

    (void)state;
    ask(OK_HEAD "{\"total_count\": 5, \"jobs\": [" JOB("1", "completed", "success") ","
        JOB("2", "completed", "failure") "," JOB("3", "in_progress", "") ","
        JOB("4", "completed", "cancelled") "," JOB("5", "completed", "skipped") "]}",
        (struct jr_ask){ .api = JR_API_GET_ATTEMPT_JOBS, .attempt = 1, .page = 1, .holds = &jobs },
        &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_int_equal(jobs.shown, 5);
    assert_int_equal(jobs.count, 2);
    assert_int_equal(jobs.jobs[0].job_id, 2);
    assert_string_equal(jobs.jobs[0].runner, "r5");
    assert_int_equal(jobs.jobs[0].steps_found, JR_FOUND);
    assert_int_equal(jobs.jobs[0].step_count, 1);
    assert_int_equal(jobs.jobs[0].annotations_found, JR_UNREADABLE);
    assert_int_equal(jobs.jobs[1].conclusion, JR_CONCLUSION_CANCELLED);
    jr_github_jobs_release(&jobs);
    assert_null(jobs.jobs);
}

struct bad_row {
    const char *name;
    enum jr_api api;
    const char *body;
};

/* What cannot be read is never taken for a list in which nothing is. */
static void bad_answer(void **state)
{
    const struct bad_row *row = *state;
    char answer[4096], asked[4096];
    struct jr_event *holds = calloc(8, sizeof *holds);
    struct jr_call call;

    snprintf(answer, sizeof answer, OK_HEAD "%s", row->body);
    ask(answer, (struct jr_ask){ .api = row->api, .attempt = 1, .page = 1, .holds = holds }, &call,
        asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(call.reason, JR_REASON_BAD_ANSWER);
    if (row->api == JR_API_GET_ATTEMPT_JOBS) {
        assert_null(((struct jr_github_jobs *)(void *)holds)->jobs);
        assert_int_equal(((struct jr_github_jobs *)(void *)holds)->shown, 0);
    }
    free(holds);
}

static const struct bad_row bads[] = {
    { "jobs: a page", JR_API_GET_ATTEMPT_JOBS, "<html>" },
    { "jobs: none", JR_API_GET_ATTEMPT_JOBS, "{}" },
    { "jobs: no list", JR_API_GET_ATTEMPT_JOBS, "{\"jobs\": {}}" },
    { "jobs: one without an id", JR_API_GET_ATTEMPT_JOBS,
      "{\"jobs\": [" JOB("2", "completed", "failure") ", {\"name\": \"x\"}]}" },
    { "jobs: null", JR_API_GET_ATTEMPT_JOBS, "{\"jobs\": [null]}" },
    { "annotations: a page", JR_API_GET_ANNOTATIONS, "<html>" },
    { "annotations: no list", JR_API_GET_ANNOTATIONS, "{}" },
};

static void annotations_are_read(void **state)
{
    struct jr_github_annotations annotations;
    const struct jr_ask question = { .api = JR_API_GET_ANNOTATIONS, .holds = &annotations };
    struct jr_call call;
    char asked[4096];

    (void)state;
    ask(OK_HEAD "[{\"annotation_level\": \"failure\", \"message\": \"lost\"},"
        " {\"annotation_level\": \"warning\", \"message\": \"old\"}]", question, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_int_equal(annotations.evidence.annotations_found, JR_FOUND);
    assert_int_equal(annotations.evidence.annotation_count, 2);
    assert_string_equal(annotations.evidence.annotations[0].message, "lost");
    jr_evidence_release(&annotations.evidence);
    ask(OK_HEAD "[]", question, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_int_equal(annotations.evidence.annotations_found, JR_ABSENT);
    ask("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nX-Accepted-GitHub-Permissions: checks=read\r\n\r\n"
        "{\"message\": \"Resource not accessible by personal access token\"}",
        question, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_NEVER);
    assert_int_equal(call.reason, JR_REASON_NO_PERMISSION);
    assert_int_equal(annotations.evidence.annotations_found, JR_UNREADABLE);
}

struct link_row {
    const char *name;
    const char *location;
    enum jr_outcome outcome;
    const char *link; /* begins so; "/": as the API's own host, with the location behind it */
};

/* It is a secret: no word of it is told. */
static void link_to_a_log(void **state)
{
    const struct link_row *row = *state;
    char answer[8192], asked[4096];
    struct jr_github_log log;
    struct jr_call call;

    snprintf(answer, sizeof answer, "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: %s\r\n"
             "Content-Length: 0\r\n\r\n", row->location);
    ask(answer, (struct jr_ask){ .api = JR_API_GET_LOG, .holds = &log }, &call, asked, sizeof asked);
    assert_contains(asked, "/actions/jobs/77/logs ");
    assert_int_equal(call.status, 302);
    assert_int_equal(call.outcome, row->outcome);
    assert_not_contains(call.text, "sig");
    assert_null(log.text);
    if (row->link[0] == '/') {
        assert_int_equal(strncmp(log.link, "http://127.0.0.1:", 17), 0);
        assert_string_equal(strchr(log.link + 17, '/'), row->location);
    } else {
        assert_string_equal(log.link, row->link);
    }
}

/* As long as a link with a signature may be, and longer. */
static char long_link[3000], longer_link[5000];

static const struct link_row links[] = {
    { "to another host", "https://logs.example/job-logs.txt?sig=a%2Fb", JR_OUTCOME_DONE,
      "https://logs.example/job-logs.txt?sig=a%2Fb" },
    { "on the API's host, which is not followed", "/_services/log?sig=ab", JR_OUTCOME_DONE, "/" },
    { "to no host", "logs?sig=ab", JR_OUTCOME_LATER, "" },
    { "to a host without a scheme", "//logs.example/?sig=ab", JR_OUTCOME_LATER, "" },
    { "nowhere", "", JR_OUTCOME_LATER, "" },
    { "a long one", long_link, JR_OUTCOME_DONE, long_link },
    { "one that is too long", longer_link, JR_OUTCOME_LATER, "" },
};

static void log_that_comes_at_once(void **state)
{
    struct jr_github_log log;
    struct jr_ask question = { .api = JR_API_GET_LOG, .holds = &log };
    struct jr_call call;
    char asked[4096];

    (void)state;
    ask(OK_HEAD "one\ntwo\n", question, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_string_equal(log.link, "");
    assert_string_equal(log.text, "one\ntwo\n");
    assert_int_equal(log.length, 8);
    assert_false(log.cut);
    free(log.text);
    question.tail_bytes = 4;
    ask(OK_HEAD "one\ntwo\n", question, &call, asked, sizeof asked);
    assert_string_equal(log.text, "two\n");
    assert_true(log.cut);
    free(log.text);
}

static void log_is_gone(void **state)
{
    struct jr_github_log log;
    struct jr_call call;
    char asked[4096];

    (void)state;
    ask("HTTP/1.1 410 Gone\r\nConnection: close\r\n\r\n{\"message\": \"Server Error\"}",
        (struct jr_ask){ .api = JR_API_GET_LOG, .holds = &log }, &call, asked, sizeof asked);
    assert_int_equal(call.outcome, JR_OUTCOME_NEVER);
    assert_int_equal(call.status, 410);
    assert_null(log.text);
}

int main(void)
{
    static const char host[] = "https://logs.example/?sig=";

    memset(long_link, 'x', sizeof long_link - 1);
    memcpy(long_link, host, sizeof host - 1);
    memset(longer_link, 'x', sizeof longer_link - 1);
    memcpy(longer_link, host, sizeof host - 1);

    TABLE(webs, web_url);
    TABLE(calls, call);
    TEST(table_is_whole);
    TABLE(pulls, pulls_of_a_run);
    TABLE(permissions, permission);
    TABLE(commits, newest_commit);
    TABLE(groups, members_of_a_group);
    TEST(groups_of_a_run);
    TABLE(contents, file_of_a_repository);
    TABLE(versions, version_of_a_file);
    TEST(run_with_pull_requests);
    TABLE(debugs, rerun_with_debug_log);
    TEST(bad_jobs_are_read);
    TABLE(bads, bad_answer);
    TEST(annotations_are_read);
    TABLE(links, link_to_a_log);
    TEST(log_that_comes_at_once);
    TEST(log_is_gone);
    return run_program("github");
}
