/*
 * answer -- what a host may answer to each call of the API: how it is sorted, and
 * where redirects lead. The input is read as answers: some bytes for the status
 * and the headers that are numbers, then texts with a NUL after each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/github.h"
#include "t/fuzz/fuzz.h"

#include <strings.h>

#define ORIGIN  "https://github.example.com:8443"
#define API_URL ORIGIN "/api/v3"
#define REPO    "octo/app"
#define NOW_MS  INT64_C(1795132800000) /* 2026-11-20T00:00:00Z */
#define RUN_ID  UINT64_C(4711)

/* The longest that all calls are stopped at a time. */
#define STOP_MAX_MS (JR_HOUR_MS + JR_MINUTE_MS)

static struct input input;
static int requests, posts;
static char *body; /* of the last answer */

/* As many as http.c lets through: -1, or 0 to 10^15. */
static int64_t take_number(void)
{
    uint64_t number = 0;
    int length = take_byte(&input) % 9;

    if (length == 0)
        return -1;
    while (length-- > 0)
        number = number << 8 | take_byte(&input);
    return (int64_t)(number % UINT64_C(1000000000000001));
}

static void take_string(char *text, size_t size)
{
    char *taken = take_until(&input, '\0', NULL);

    snprintf(text, size, "%s", taken);
    free(taken);
}

static int take_status(void)
{
    static const int statuses[] = {
        200,
        201,
        301,
        302,
        304,
        307,
        308,
        400,
        401,
        403,
        404,
        408,
        409,
        422,
        429,
        500,
        502,
        503,
        0,
    };
    size_t which = take_byte(&input);

    return which < sizeof statuses / sizeof *statuses ? statuses[which] : 100 + (int)which * 2;
}

/* The token goes along with each request: never to another host. */
static void answer_request(const char *url, struct jr_http_answer *answer)
{
    size_t origin = strlen(ORIGIN);

    HOLDS(strncasecmp(url, ORIGIN, origin) == 0);
    HOLDS(url[origin] == '\0' || strchr("/?#", url[origin]) != NULL);
    HOLDS(++requests <= 4);

    memset(answer, 0, sizeof *answer);
    free(body);
    answer->status = take_status();
    answer->sent = (take_byte(&input) & 1) != 0;
    answer->accepted_permissions = (take_byte(&input) & 1) != 0;
    answer->scopes_told = (take_byte(&input) & 1) != 0;
    answer->sso_required = (take_byte(&input) & 1) != 0;
    answer->date_ms = take_number();
    if (answer->date_ms < 0)
        answer->date_ms = 0;
    answer->retry_after_s = take_number();
    if (answer->retry_after_s > 86400)
        answer->retry_after_s = 86400;
    answer->ratelimit_limit = take_number();
    answer->ratelimit_remaining = take_number();
    answer->ratelimit_reset_s = take_number();
    take_string(answer->location, sizeof answer->location);
    take_string(answer->token_expiration, sizeof answer->token_expiration);
    take_string(answer->scopes, sizeof answer->scopes);
    if (answer->status == 0)
        take_string(answer->text, sizeof answer->text);
    body = take_until(&input, '\0', &answer->length);
    answer->body = body;
}

/* In the place of http.c. */
void jr_http_get(struct jr_http *http, const char *url, struct jr_http_answer *answer)
{
    (void)http;
    answer_request(url, answer);
}

void jr_http_post(struct jr_http *http, const char *url, const char *json, int64_t before_ms,
                  struct jr_http_answer *answer)
{
    (void)http, (void)json, (void)before_ms;
    posts++;
    answer_request(url, answer);
}

/* What may be done after a call, and when. */
static void holds_stop(const struct jr_call *call)
{
    HOLDS(call->wait_ms == 0 || (call->wait_ms >= JR_SECOND_MS && call->wait_ms <= STOP_MAX_MS));
    HOLDS(!call->stops_all || call->outcome == JR_OUTCOME_LATER);
    HOLDS(call->stops_all || call->wait_ms == 0);
    HOLDS((call->reason == JR_REASON_SHUT_OUT) == (call->shut != JR_SHUT_NOTHING));
    HOLDS(call->shut == JR_SHUT_NOTHING || call->outcome == JR_OUTCOME_LATER);
    HOLDS(!call->try_all || call->outcome == JR_OUTCOME_NEVER);
}

static void holds_call(const struct jr_call *call, bool posted)
{
    HOLDS(call->what != NULL);
    HOLDS((posts > 0) == posted && (posts == 0 || posts == requests));
    HOLDS(memchr(call->text, '\0', sizeof call->text) != NULL);
    HOLDS(call->hourly_limit >= 0 && call->rate_remaining >= -1 && call->rate_reset_ms >= 0);
    HOLDS(call->token_expires_ms >= 0);
    holds_stop(call);
    switch (call->outcome) {
    case JR_OUTCOME_DONE:
        HOLDS(call->status >= 200 && call->status < 300);
        break;
    case JR_OUTCOME_UNKNOWN:
        HOLDS(posted
              && (call->reason == JR_REASON_OUTCOME_UNKNOWN || call->reason == JR_REASON_NOT_GITHUB));
        break;
    case JR_OUTCOME_LATER:
    case JR_OUTCOME_NEVER:
        HOLDS(call->reason != JR_REASON_NONE);
        /* What may have worked is not taken for a refusal. */
        HOLDS(!posted || (call->status < 500 && call->status != 408));
        HOLDS(!posted || call->status < 200 || call->status >= 300);
        break;
    }
}

static void list_runs(void)
{
    static struct jr_event runs[JR_GITHUB_PAGE_RUNS];
    const struct jr_github_list list = { .conclusion = "failure", .from_ms = NOW_MS, .page = 1 };
    struct jr_call call;
    size_t count, shown;

    jr_github_list_runs(NULL, API_URL, REPO, &list, NOW_MS, runs, &count, &shown, &call);
    holds_call(&call, false);
    HOLDS(count <= shown && count <= JR_GITHUB_PAGE_RUNS);
    HOLDS(call.outcome == JR_OUTCOME_DONE || shown == 0);
    for (size_t i = 0; i < count; i++)
        HOLDS(runs[i].run_id != 0 && runs[i].repo[0] != '\0');
}

/* The calls of a GitHub App. */
static void find_app(void)
{
    struct jr_call call;
    char name[64];

    jr_github_get_app(NULL, API_URL, NOW_MS, name, sizeof name, &call);
    holds_call(&call, false);
    HOLDS(memchr(name, '\0', sizeof name) != NULL);
}

static void find_installation(void)
{
    struct jr_call call;
    uint64_t id;

    jr_github_get_installation(NULL, API_URL, REPO, NOW_MS, &id, &call);
    holds_call(&call, false);
    HOLDS((call.outcome == JR_OUTCOME_DONE) == (id != 0));
}

/* What a workflow is called, by itself or by a job of a run. */
static void find_name(bool by_job)
{
    struct jr_call call;
    char name[JR_NAME_SIZE];

    if (by_job)
        jr_github_get_job_workflow(NULL, API_URL, REPO, RUN_ID, NOW_MS, name, &call);
    else
        jr_github_get_workflow(NULL, API_URL, REPO, 77, NOW_MS, name, &call);
    holds_call(&call, false);
    HOLDS(memchr(name, '\0', sizeof name) != NULL);
    HOLDS((call.outcome == JR_OUTCOME_DONE) == (name[0] != '\0'));
}

static void make_token(void)
{
    struct jr_call call;
    char *token;
    int64_t expires_ms;

    jr_github_make_token(NULL, API_URL, 4711, NOW_MS, &token, &expires_ms, &call);
    HOLDS(posts == requests);
    posts = 0; /* one that may be made again is sorted as a GET is */
    holds_call(&call, false);
    HOLDS((call.outcome == JR_OUTCOME_DONE) == (token != NULL));
    if (token != NULL) {
        /* It goes into a header. */
        HOLDS(*token != '\0');
        for (const char *c = token; *c != '\0'; c++)
            HOLDS(*c > ' ' && *c < 0x7f);
    }
    HOLDS(expires_ms >= 0);
    free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct jr_github_user user;
    struct jr_github_repo repo;
    struct jr_event seen;
    struct jr_call call;
    int kind;

    input = (struct input){ bytes, size };
    requests = posts = 0;
    kind = take_byte(&input) % 9;
    if (kind == 0) {
        jr_github_get_run(NULL, API_URL, REPO, RUN_ID, NOW_MS, &seen, &call);
        holds_call(&call, false);
        HOLDS(call.outcome != JR_OUTCOME_DONE || seen.run_id == RUN_ID);
    } else if (kind == 1) {
        jr_github_rerun(NULL, API_URL, REPO, RUN_ID, size % 2 == 0, 0, NOW_MS, &call);
        holds_call(&call, true);
    } else if (kind == 2) {
        list_runs();
    } else if (kind == 3) {
        jr_github_probe(NULL, API_URL, NOW_MS, &call);
        holds_call(&call, false);
    } else if (kind == 4) {
        jr_github_get_user(NULL, API_URL, NOW_MS, &user, &call);
        holds_call(&call, false);
    } else if (kind == 5) {
        find_app();
    } else if (kind == 6) {
        find_installation();
    } else if (kind == 7) {
        make_token();
    } else if (size % 3 != 0) {
        find_name(size % 3 == 1);
    } else {
        jr_github_get_repo(NULL, API_URL, REPO, NOW_MS, &repo, &call);
        holds_call(&call, false);
    }
    free(body);
    body = NULL;
    return 0;
}
