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
    { "GET user", JR_API_GET_USER, "GET /api/v3/user", JR_REASON_NOT_FOUND, false },
    { "GET repository", JR_API_GET_REPO, "GET /api/v3/repos/acme/x", JR_REASON_NOT_FOUND, false },
};

static void call(void **state)
{
    const struct call_row *row = *state;
    struct server server = { .respond = refuse };
    struct jr_github_list list = { .conclusion = "failure", .from_ms = START_MS, .page = 2 };
    struct jr_github_page *page = calloc(1, sizeof(struct jr_event)); /* room for each */
    struct jr_ask ask = { .api = row->api, .repo = "acme/x", .id = 77, .list = &list, .holds = page };
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
    assert_int_equal(call.outcome, JR_OUTCOME_NEVER);
    assert_int_equal(call.reason, row->reason);
    assert_true(call.begun_us > 0);
    read_request(&server, asked, sizeof asked);
    snprintf(want, sizeof want, "%s\n", row->request);
    assert_string_equal(asked, want);
    assert_int_equal(jr_github_is_write(row->api), row->is_write);
    jr_http_close(http);
    free(page);
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

        assert_int_equal(counted != NULL, i < JR_API_GET_USER);
        for (int j = 0; j < i && counted != NULL; j++)
            assert_string_not_equal(counted, jr_github_counted((enum jr_api)j));
        /* Tokens of installations are made for that one permission. */
        assert_true(permission == NULL || strncmp(permission, "Actions, ", 9) == 0);
        assert_true(permission != NULL || !jr_github_is_write((enum jr_api)i));
    }
}

int main(void)
{
    TABLE(webs, web_url);
    TABLE(calls, call);
    TEST(table_is_whole);
    return run_program("github");
}
