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

struct jr_transfer {
    struct jr_http_answer answer;
};

static struct jr_transfer transfer;

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
struct jr_transfer *jr_http_begin(struct jr_http *http, const struct jr_http_request *request)
{
    (void)http;
    posts += request->posts;
    answer_request(request->url, &transfer.answer);
    return &transfer;
}

const struct jr_http_answer *jr_http_answer(const struct jr_transfer *begun)
{
    return &begun->answer;
}

const struct jr_http_answer *jr_http_await(struct jr_transfer *begun)
{
    return &begun->answer;
}

void jr_http_release(struct jr_transfer *begun)
{
    (void)begun;
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
        HOLDS((call->status >= 200 && call->status < 300)
              || (call->status == 302 && call->api == JR_API_GET_LOG));
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

static void ask(enum jr_api api, void *holds, struct jr_call *call)
{
    const struct jr_github_list list = { .conclusion = "failure", .from_ms = NOW_MS, .page = 1 };
    const struct jr_ask question = { .api = api, .repo = REPO, .id = RUN_ID, .list = &list,
                                     .holds = holds };

    jr_github_ask(NULL, API_URL, "t0ken", &question, call);
    HOLDS(call->api == api && strcmp(call->what, jr_github_what(api)) == 0);
    if (api == JR_API_MAKE_TOKEN) {
        HOLDS(posts == requests);
        posts = 0; /* one that may be made again is sorted as a GET is */
    }
    holds_call(call, jr_github_is_write(api));
}

static void find_run(void)
{
    static struct jr_event seen;
    struct jr_call call;

    ask(JR_API_GET_RUN, &seen, &call);
    HOLDS(call.outcome != JR_OUTCOME_DONE || seen.run_id == RUN_ID);
}

static void list_runs(void)
{
    static struct jr_event runs[JR_GITHUB_PAGE_RUNS];
    struct jr_github_page page = { .runs = runs };
    struct jr_call call;

    ask(JR_API_LIST_RUNS, &page, &call);
    HOLDS(page.count <= page.shown && page.count <= JR_GITHUB_PAGE_RUNS);
    HOLDS(call.outcome == JR_OUTCOME_DONE || page.shown == 0);
    for (size_t i = 0; i < page.count; i++)
        HOLDS(runs[i].run_id != 0 && runs[i].repo[0] != '\0');
}

/* What an App or a workflow is called, the latter by itself or by a job of a run. */
static void find_name(enum jr_api api)
{
    struct jr_github_app name;
    struct jr_call call;

    ask(api, &name, &call);
    HOLDS(memchr(name.text, '\0', sizeof name.text) != NULL);
    HOLDS(api == JR_API_GET_APP || (call.outcome == JR_OUTCOME_DONE) == (name.text[0] != '\0'));
}

static void find_installation(void)
{
    struct jr_call call;
    uint64_t id;

    ask(JR_API_GET_INSTALLATION, &id, &call);
    HOLDS((call.outcome == JR_OUTCOME_DONE) == (id != 0));
}

static void make_token(void)
{
    struct jr_github_token made;
    struct jr_call call;

    ask(JR_API_MAKE_TOKEN, &made, &call);
    HOLDS((call.outcome == JR_OUTCOME_DONE) == (made.token != NULL));
    if (made.token != NULL) {
        /* It goes into a header. */
        HOLDS(*made.token != '\0');
        for (const char *c = made.token; *c != '\0'; c++)
            HOLDS(*c > ' ' && *c < 0x7f);
    }
    HOLDS(made.expires_ms >= 0);
    free(made.token);
}

static void find_jobs(void)
{
    struct jr_github_jobs jobs;
    struct jr_call call;

    ask(JR_API_GET_ATTEMPT_JOBS, &jobs, &call);
    HOLDS(jobs.count <= jobs.shown && jobs.shown <= JR_GITHUB_PAGE_JOBS);
    HOLDS(call.outcome == JR_OUTCOME_DONE || jobs.jobs == NULL);
    for (size_t i = 0; i < jobs.count; i++)
        HOLDS(jobs.jobs[i].job_id != 0 && jr_conclusion_is_bad(jobs.jobs[i].conclusion));
    jr_github_jobs_release(&jobs);
}

static void find_annotations(void)
{
    struct jr_github_annotations annotations;
    struct jr_call call;

    ask(JR_API_GET_ANNOTATIONS, &annotations, &call);
    HOLDS((call.outcome == JR_OUTCOME_DONE)
          == (annotations.evidence.annotations_found != JR_UNREADABLE));
    jr_evidence_release(&annotations.evidence);
}

static void find_log(void)
{
    struct jr_github_log log;
    struct jr_call call;

    ask(JR_API_GET_LOG, &log, &call);
    HOLDS((call.outcome == JR_OUTCOME_DONE) == (log.text != NULL || log.link[0] != '\0'));
    HOLDS(log.text == NULL || log.link[0] == '\0');
    HOLDS(log.link[0] == '\0' || strstr(log.link, "://") != NULL);
    free(log.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct jr_github_user user;
    struct jr_github_repo repo;
    struct jr_call call;
    int kind;

    input = (struct input){ bytes, size };
    requests = posts = 0;
    kind = take_byte(&input) % 12;
    if (kind == 0)
        find_run();
    else if (kind == 1)
        ask(size % 2 == 0 ? JR_API_RERUN_ALL : JR_API_RERUN_FAILED, NULL, &call);
    else if (kind == 2)
        list_runs();
    else if (kind == 3)
        ask(JR_API_RATE_LIMIT, NULL, &call);
    else if (kind == 4)
        ask(JR_API_GET_USER, &user, &call);
    else if (kind == 5)
        find_name(JR_API_GET_APP);
    else if (kind == 6)
        find_installation();
    else if (kind == 7)
        make_token();
    else if (kind == 9)
        find_jobs();
    else if (kind == 10)
        find_annotations();
    else if (kind == 11)
        find_log();
    else if (size % 3 != 0)
        find_name(size % 3 == 1 ? JR_API_GET_JOBS : JR_API_GET_WORKFLOW);
    else
        ask(JR_API_GET_REPO, &repo, &call);
    free(body);
    body = NULL;
    return 0;
}
