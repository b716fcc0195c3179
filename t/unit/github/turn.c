/*
 * turn -- which calls an App makes by itself, and which token it goes on with.
 *
 * The server has an installation N for each repository of owner N (o1/x is of 1),
 * and gives tokens that tell whose they are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/turn.h"
#include "t/unit/server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define EXPIRES "2026-11-20T01:00:00Z"
#define LONG_TOKEN 3000

struct bench {
    struct server server;
    struct jr_settings settings;
    struct jr_turns turns;
    struct jr_call noted; /* the last one */
    const struct jr_installation *stopped;
    unsigned notes, old_tokens;
};

/* What the question itself is answered, for the child: well so often, then so, if the token begins
 * so. */
static struct {
    unsigned well;
    int status;
    const char *body, *token;
} answers;

static void answer_with(char *answer, size_t size, int status, const char *headers, const char *body)
{
    snprintf(answer, size, "HTTP/1.1 %d Test\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
             status, strlen(body), headers, body);
}

/* Runs in the child; serial is its own. */
static void usual(const char *request, char *answer, size_t size)
{
    static unsigned serial, asked_before;
    unsigned long long number;
    char body[256];

    if (sscanf(request, "GET /repos/o%llu/", &number) == 1) {
        snprintf(body, sizeof body, "{\"id\": %llu}", number);
        answer_with(answer, size, number == 404 ? 404 : 200, "", number == 404 ? "{\"message\": \"Not Found\"}" : body);
    } else if (sscanf(request, "POST /app/installations/%llu/", &number) == 1) {
        snprintf(body, sizeof body, "{\"token\": \"of-%llu-%u\", \"expires_at\": \"" EXPIRES "\"}", number, ++serial);
        if (number == 403)
            answer_with(answer, size, 403, "", "{\"message\": \"This installation has been suspended\"}");
        else
            answer_with(answer, size, 201, "", body);
    } else if (strncmp(request, "GET /rate_limit", 15) == 0 && answers.status != 0
               && (answers.token == NULL || strstr(request, answers.token) != NULL)
               && ++asked_before > answers.well) {
        answer_with(answer, size, answers.status, "", answers.body);
    } else {
        answer_with(answer, size, 200, "", "{\"name\": \"Test\"}");
    }
}

/* The first looks for a place find another one than later ones. */
static void moving(const char *request, char *answer, size_t size)
{
    static unsigned looks;
    char body[64];

    if (strncmp(request, "GET /repos/", 11) != 0) {
        usual(request, answer, size);
        return;
    }
    snprintf(body, sizeof body, "{\"id\": %u}", ++looks == 1 ? 1 : 2);
    answer_with(answer, size, 200, "", body);
}

/* Its clock is half an hour ahead. */
static void ahead(const char *request, char *answer, size_t size)
{
    static bool told;

    if (told)
        usual(request, answer, size);
    else
        answer_with(answer, size, 401, "Date: Fri, 20 Nov 2026 00:30:00 GMT\r\n",
                    "{\"message\": \"'Expiration time' claim ('exp') must be a numeric value\"}");
    told = true;
}

static void always_ahead(const char *request, char *answer, size_t size)
{
    (void)request;
    answer_with(answer, size, 401, "Date: Fri, 20 Nov 2026 00:30:00 GMT\r\n",
                "{\"message\": \"'Issued at' claim ('iat') must be an Integer\"}");
}

static void unknown_app(const char *request, char *answer, size_t size)
{
    (void)request;
    answer_with(answer, size, 404, "", "{\"message\": \"Integration not found\"}");
}

static void long_token(const char *request, char *answer, size_t size)
{
    char body[LONG_TOKEN + 64];

    if (strncmp(request, "POST ", 5) != 0) {
        usual(request, answer, size);
        return;
    }
    snprintf(body, sizeof body, "{\"token\": \"%0*d\"}", LONG_TOKEN, 7);
    answer_with(answer, size, 201, "", body);
}

static void without_logs(const char *request, char *answer, size_t size)
{
    if (strstr(request, "/logs ") != NULL)
        answer_with(answer, size, 404, "", "{\"message\": \"Not Found\"}");
    else
        usual(request, answer, size);
}

/* The owner of 2 has granted all that an App may ask for, that of 1 no Checks, that of 3 nothing.
 * The length tells what is asked for: the body itself is not shown. */
static void grants_checks(const char *request, char *answer, size_t size)
{
    bool checks = strstr(request, "Content-Length: 51\r\n") != NULL;
    unsigned long long number;

    if (sscanf(request, "POST /app/installations/%llu/", &number) != 1)
        usual(request, answer, size);
    else if (number == 3 || (number == 1 && checks))
        answer_with(answer, size, 422, "", "{\"message\": \"The permissions requested are not granted\"}");
    else if (checks)
        answer_with(answer, size, 201, "", "{\"token\": \"with\", \"permissions\": {\"checks\": \"read\"}}");
    else
        answer_with(answer, size, 201, "", "{\"token\": \"without\", \"permissions\": {}}");
}

static void open_bench(struct bench *bench, void (*respond)(const char *, char *, size_t))
{
    struct jr_error error;

    memset(bench, 0, sizeof *bench);
    bench->server.respond = respond;
    start_server(&bench->server);
    *strrchr(bench->server.url, '/') = '\0';
    bench->settings = (struct jr_settings){
        .github_api_url = bench->server.url,
        .github_app_id = strdup("4711"),
        .github_app_key = strdup(app_key()),
        .api_backoff_max_ms = 600000,
    };
    bench->turns.settings = &bench->settings;
    if (jr_http_open(&bench->turns.http, NULL, &error) != JR_OK
        || jr_app_open(&bench->turns.app, &bench->settings, NULL, &error) != JR_OK)
        fail_msg("%s", error.text);
}

static void close_bench(struct bench *bench)
{
    assert_null(bench->turns.first);
    jr_app_close(bench->turns.app);
    jr_http_close(bench->turns.http);
    kill_child(&bench->server.child);
    free(bench->settings.github_app_id);
    free(bench->settings.github_app_key);
    memset(&answers, 0, sizeof answers);
}

/* What was asked since the last time, a line each, but for the questions themselves; they are
 * counted. */
static unsigned questions;

static const char *asked(struct bench *bench)
{
    static const char question[] = "GET /rate_limit\n";
    static char lines[TEXT_SIZE];
    ssize_t got = recv(bench->server.child.fd, lines, sizeof lines - 1, MSG_DONTWAIT);
    char *found;

    lines[got > 0 ? got : 0] = '\0';
    for (questions = 0; (found = strstr(lines, question)) != NULL; questions++)
        memmove(found, found + strlen(question), strlen(found + strlen(question)) + 1);
    return lines;
}

static struct jr_installation *installation(struct bench *bench, uint64_t id)
{
    return jr_app_installation(bench->turns.app, id, START_MS);
}

/* Note an answer as who runs a turn does. */
static void note(struct bench *bench, const struct jr_turn *turn)
{
    bench->old_tokens += turn->token_had_ended;
    if (turn->is_main)
        return;
    bench->noted = turn->answer;
    bench->stopped = turn->concerns;
    bench->notes++;
    if (turn->concerns != NULL)
        jr_throttle_note(&turn->concerns->throttle, &bench->settings, &turn->answer, START_MS);
}

/* Run turns to their end, all at once. */
static void run(struct bench *bench, struct jr_turn *turns, size_t count, int64_t now_ms)
{
    size_t left = count;

    for (size_t i = 0; i < count; i++)
        jr_turn_begin(&bench->turns, &turns[i], now_ms);
    while (left > 0) {
        struct pollfd ready = { .fd = jr_http_fd(bench->turns.http), .events = POLLIN };
        int64_t wait_ms = jr_http_wait_ms(bench->turns.http);

        (void)poll(&ready, 1, wait_ms < 20 ? (int)wait_ms : 20);
        jr_http_work(bench->turns.http);
        left = 0;
        for (size_t i = 0; i < count; i++) {
            if (jr_turn_work(&bench->turns, &turns[i], now_ms) == JR_TURN_ANSWERED) {
                note(bench, &turns[i]);
                jr_turn_go_on(&bench->turns, &turns[i], now_ms);
            }
            left += turns[i].state != JR_TURN_OVER;
        }
    }
    for (size_t i = 0; i < count; i++)
        jr_turn_end(&bench->turns, &turns[i]);
}

/* One question about a repository. Returns whether it came to that. */
static bool enter(struct bench *bench, const char *repo, int64_t now_ms, struct jr_call *call)
{
    struct jr_turn turn = { .ask = { .api = JR_API_RATE_LIMIT, .repo = repo } };

    run(bench, &turn, 1, now_ms);
    *call = turn.call;
    return call->api == JR_API_RATE_LIMIT;
}

/* Ask about a repository, and compare the token that went along with which. */
static void enters(struct bench *bench, const char *repo, int64_t now_ms, const char *token)
{
    struct jr_call call;

    assert_true(enter(bench, repo, now_ms, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_string_equal(installation(bench, jr_app_place(bench->turns.app, repo))->token, token);
}

static void token_for_each_installation(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, usual);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    assert_string_equal(asked(&bench), "GET /repos/o1/a/installation\nPOST /app/installations/1/access_tokens\n");
    enters(&bench, "O1/A", START_MS, "of-1-1");
    assert_string_equal(asked(&bench), "");
    enters(&bench, "o1/b", START_MS, "of-1-1");
    assert_string_equal(asked(&bench), "GET /repos/o1/b/installation\n");
    enters(&bench, "o2/a", START_MS, "of-2-2");
    enters(&bench, "o1/a", START_MS, "of-1-1");
    assert_int_equal(bench.notes, 5);
    close_bench(&bench);
}

/* Five minutes before its end, or at its end if that was not told. */
static void token_is_renewed_early(void **state)
{
    int64_t end_ms = jr_timestamp_parse(EXPIRES);
    struct bench bench;

    (void)state;
    open_bench(&bench, usual);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    enters(&bench, "o1/a", end_ms - JR_APP_EARLY_MS - 1, "of-1-1");
    enters(&bench, "o1/a", end_ms - JR_APP_EARLY_MS, "of-1-2");
    close_bench(&bench);
}

static void token_of_any_length(void **state)
{
    struct bench bench;
    struct jr_call call;

    (void)state;
    open_bench(&bench, long_token);
    assert_true(enter(&bench, "o1/a", START_MS, &call));
    assert_int_equal(strlen(installation(&bench, 1)->token), LONG_TOKEN);
    assert_int_equal(installation(&bench, 1)->expires_ms, START_MS + JR_HOUR_MS); /* not told */
    close_bench(&bench);
}

#define LOOK "GET /repos/o1/a/installation\n"
#define MAKE "POST /app/installations/1/access_tokens\n"
#define BAD_TOKEN "{\"message\": \"Bad credentials\"}"

static void after_a_401_once_more(void **state)
{
    struct bench bench;

    (void)state;
    answers.well = 1;
    answers.status = 401;
    answers.body = BAD_TOKEN;
    answers.token = "of-1-1";
    open_bench(&bench, usual);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    assert_string_equal(asked(&bench), LOOK MAKE);
    enters(&bench, "o1/a", START_MS, "of-1-2");
    assert_string_equal(asked(&bench), MAKE);
    assert_int_equal(bench.old_tokens, 1);
    close_bench(&bench);
}

/* Two that meet the end of a token have one made, and stop nothing. */
static void two_at_once(void **state)
{
    struct jr_turn turns[] = { { .ask = { .api = JR_API_RATE_LIMIT, .repo = "o1/a" } },
                               { .ask = { .api = JR_API_RATE_LIMIT, .repo = "O1/A" } },
                               { .ask = { .api = JR_API_RATE_LIMIT, .repo = "o1/b" } } };
    struct bench bench;

    (void)state;
    answers.well = 3;
    answers.status = 401;
    answers.body = BAD_TOKEN;
    answers.token = "of-1-1";
    open_bench(&bench, usual);
    for (int times = 0; times < 2; times++) {
        run(&bench, turns, 3, START_MS);
        for (size_t i = 0; i < COUNT(turns); i++) {
            const struct jr_ask ask = turns[i].ask;

            assert_int_equal(turns[i].call.outcome, JR_OUTCOME_DONE);
            turns[i] = (struct jr_turn){ .ask = ask };
        }
        if (times == 0)
            assert_string_equal(asked(&bench), LOOK "GET /repos/o1/b/installation\n" MAKE);
        else
            assert_string_equal(asked(&bench), MAKE);
        assert_int_equal(questions, times == 0 ? 3 : 6);
    }
    assert_int_equal(bench.old_tokens, 3);
    assert_string_equal(installation(&bench, 1)->token, "of-1-2");
    assert_int_equal(installation(&bench, 1)->users, 0);
    close_bench(&bench);
}

/* A turn that is released in the middle leaves what it asked for to the next. */
static void broken_off(void **state)
{
    struct jr_turn turn = { .ask = { .api = JR_API_RATE_LIMIT, .repo = "o1/a" } };
    struct bench bench;

    (void)state;
    open_bench(&bench, usual);
    enters(&bench, "o1/b", START_MS, "of-1-1");
    jr_app_drop_token(installation(&bench, 1));
    jr_app_keep_place(bench.turns.app, "o1/a", 1);
    jr_turn_begin(&bench.turns, &turn, START_MS);
    assert_true(jr_app_is_making(bench.turns.app, "o1/c"));
    jr_turn_give_up(&bench.turns, &turn, START_MS);
    jr_turn_go_on(&bench.turns, &turn, START_MS);
    assert_int_equal(turn.state, JR_TURN_OVER);
    assert_int_equal(turn.call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(turn.call.status, 0);
    jr_turn_end(&bench.turns, &turn);
    turn = (struct jr_turn){ .ask = turn.ask };
    jr_turn_begin(&bench.turns, &turn, START_MS);
    jr_turn_end(&bench.turns, &turn);
    assert_false(jr_app_is_making(bench.turns.app, "o1/c"));
    asked(&bench);
    close_bench(&bench);
}

/* One that only waits begins nothing when it is given up, though it could go on. */
static void broken_off_as_it_waits(void **state)
{
    struct jr_turn turns[] = { { .ask = { .api = JR_API_RATE_LIMIT, .repo = "o1/a" } },
                               { .ask = { .api = JR_API_RATE_LIMIT, .repo = "o1/a" } } };
    struct bench bench;

    (void)state;
    open_bench(&bench, usual);
    jr_turn_begin(&bench.turns, &turns[0], START_MS);
    jr_turn_begin(&bench.turns, &turns[1], START_MS);
    assert_int_equal(turns[1].state, JR_TURN_WAITS);
    jr_turn_end(&bench.turns, &turns[0]);
    jr_turn_give_up(&bench.turns, &turns[1], START_MS);
    assert_int_equal(turns[1].state, JR_TURN_OVER);
    assert_int_equal(turns[1].call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(turns[1].call.status, 0);
    jr_turn_end(&bench.turns, &turns[1]);
    close_bench(&bench);
}

/* Where nothing can be signed, no token is made; it is once something can be. */
static void nothing_is_signed(void **state)
{
    struct jr_call call;
    struct bench bench;
    char *id, none[] = "";

    (void)state;
    open_bench(&bench, usual);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    jr_app_drop_token(installation(&bench, 1));
    id = bench.settings.github_app_id;
    bench.settings.github_app_id = none;
    assert_false(enter(&bench, "o1/a", START_MS, &call));
    assert_int_equal(call.reason, JR_REASON_BAD_APP);
    bench.settings.github_app_id = id;
    assert_false(jr_app_is_making(bench.turns.app, "o1/a"));
    enters(&bench, "o1/a", START_MS, "of-1-2");
    close_bench(&bench);
}

struct early_row {
    const char *name;
    int status;
    const char *body;
    enum jr_reason reason;
    bool early; /* with a token that has not worked yet */
};

/* A token's first refusals are no reason to believe them; once it is older, they are. */
static void too_early(void **state)
{
    const struct early_row *row = *state;
    enum jr_outcome outcome = row->reason == JR_REASON_RATE_LIMITED || row->status == 401
                                      || row->reason == JR_REASON_NOT_GITHUB
                                  ? JR_OUTCOME_LATER
                                  : JR_OUTCOME_NEVER;
    struct jr_call call;
    struct bench bench;

    answers.status = row->status;
    answers.body = row->body;
    open_bench(&bench, usual);
    for (int times = 0; times < 3; times++) {
        assert_true(enter(&bench, "o1/a", START_MS, &call));
        assert_int_equal(call.reason, row->reason);
        assert_int_equal(call.outcome, row->early ? JR_OUTCOME_LATER : outcome);
        assert_int_equal(call.stops_all, !row->early && row->reason == JR_REASON_RATE_LIMITED);
    }
    assert_string_equal(asked(&bench), LOOK MAKE);
    installation(&bench, 1)->made_ms -= JR_APP_FRESH_MS;
    assert_true(enter(&bench, "o1/a", START_MS, &call));
    assert_int_equal(call.reason, row->reason);
    assert_int_equal(call.outcome, outcome);
    close_bench(&bench);
}

static const struct early_row earlies[] = {
    { "401", 401, BAD_TOKEN, JR_REASON_BAD_TOKEN, true },
    { "403, not accessible", 403, "{\"message\": \"Resource not accessible by integration\"}",
      JR_REASON_NO_PERMISSION, true },
    { "404", 404, "{\"message\": \"Not Found\"}", JR_REASON_NOT_FOUND, true },
    { "a rate limit", 403, "{\"message\": \"API rate limit exceeded\"}", JR_REASON_RATE_LIMITED, false },
    { "a refusal of the run", 403, "{\"message\": \"This workflow run cannot be retried\"}",
      JR_REASON_CANNOT_BE_RETRIED, false },
    { "a proxy's 404", 404, "<html>", JR_REASON_NOT_GITHUB, false },
};

/* One that has worked once is believed at once. */
static void proven(void **state)
{
    struct jr_call call;
    struct bench bench;

    (void)state;
    answers.well = 1;
    answers.status = 404;
    answers.body = "{\"message\": \"Not Found\"}";
    open_bench(&bench, usual);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    assert_true(enter(&bench, "o1/a", START_MS, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_NEVER);
    close_bench(&bench);
}

/* One that is never taken has another one made once, not at each call. */
static void remade_once(void **state)
{
    static const char *const makes[] = { LOOK MAKE, MAKE, "", MAKE, "" };
    struct jr_call call;
    struct bench bench;

    (void)state;
    answers.status = 401;
    answers.body = BAD_TOKEN;
    open_bench(&bench, usual);
    for (size_t i = 0; i < COUNT(makes); i++) {
        assert_true(enter(&bench, "o1/a", START_MS, &call));
        assert_int_equal(call.reason, JR_REASON_BAD_TOKEN);
        assert_int_equal(call.stops_all, i == 2 || i == 4);
        assert_string_equal(asked(&bench), makes[i]);
        installation(&bench, 1)->made_ms -= JR_APP_FRESH_MS;
    }
    close_bench(&bench);
}

struct again_row {
    const char *name;
    void (*respond)(const char *, char *, size_t);
    int status;
    const char *body;
    enum jr_reason reason;
    const char *asks;
    uint64_t place;
};

/* A place that was known before is looked up again when GitHub knows nothing there. */
static void looks_again(void **state)
{
    const struct again_row *row = *state;
    struct bench bench;
    struct jr_call call;

    answers.well = 1;
    answers.status = row->status;
    answers.body = row->body;
    answers.token = "of-1-";
    open_bench(&bench, row->respond);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    asked(&bench);
    assert_true(enter(&bench, "o1/a", START_MS, &call));
    assert_string_equal(asked(&bench), row->asks);
    assert_int_equal(call.reason, row->place == 2 ? JR_REASON_NONE : row->reason);
    assert_int_equal(jr_app_place(bench.turns.app, "o1/a"), row->place);
    close_bench(&bench);
}

#define MOVED LOOK "POST /app/installations/2/access_tokens\n"

static const struct again_row agains[] = {
    { "not found, and it has moved", moving, 404, "{\"message\": \"Not Found\"}",
      JR_REASON_NOT_FOUND, MOVED, 2 },
    { "no permission, and it has moved", moving, 403,
      "{\"message\": \"Resource not accessible by integration\"}", JR_REASON_NO_PERMISSION, MOVED, 2 },
    { "not found, where it was", usual, 404, "{\"message\": \"Not Found\"}", JR_REASON_NOT_FOUND,
      LOOK, 1 },
    { "already running", usual, 403, "{\"message\": \"The workflow run is already running\"}",
      JR_REASON_ALREADY_RUNNING, "", 1 },
    { "a success", usual, 200, "{}", JR_REASON_NONE, "", 1 },
};

/* What was just looked up is not looked up again. */
static void looks_once(void **state)
{
    struct bench bench;
    struct jr_call call;

    (void)state;
    answers.well = 1;
    answers.status = 404;
    answers.body = "{\"message\": \"Not Found\"}";
    open_bench(&bench, usual);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    asked(&bench);
    assert_true(enter(&bench, "o1/b", START_MS, &call));
    assert_string_equal(asked(&bench), "GET /repos/o1/b/installation\n");
    assert_int_equal(call.reason, JR_REASON_NOT_FOUND);
    close_bench(&bench);
}

/* Who asks for a log and for annotations is refused wherever the repository belongs. */
static void refused_option_looks_nowhere(void **state)
{
    struct jr_github_log log;
    struct jr_turn turn = { .ask = { .api = JR_API_GET_LOG, .repo = "o1/a", .id = 7, .holds = &log } };
    struct bench bench;

    (void)state;
    open_bench(&bench, without_logs);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    asked(&bench);
    run(&bench, &turn, 1, START_MS);
    assert_int_equal(turn.call.reason, JR_REASON_NOT_FOUND);
    assert_string_equal(asked(&bench), "GET /repos/o1/a/actions/jobs/7/logs\n");
    assert_int_equal(jr_app_place(bench.turns.app, "o1/a"), 1);
    close_bench(&bench);
}

/* The owner has not accepted that the App reads Checks: it does without, until he has. */
static void checks_if_accepted(void **state)
{
    struct jr_call call;
    struct bench bench;

    (void)state;
    open_bench(&bench, grants_checks);
    bench.turns.grants = JR_GRANT_CHECKS;
    enters(&bench, "o2/a", START_MS, "with");
    assert_string_equal(asked(&bench), "GET /repos/o2/a/installation\nPOST /app/installations/2/access_tokens\n");
    assert_int_equal(installation(&bench, 2)->grants, JR_GRANT_CHECKS);
    enters(&bench, "o1/a", START_MS, "without");
    assert_string_equal(asked(&bench), "GET /repos/o1/a/installation\nPOST /app/installations/1/access_tokens\n"
                        "POST /app/installations/1/access_tokens\n");
    assert_int_equal(bench.noted.outcome, JR_OUTCOME_DONE);
    assert_int_equal(installation(&bench, 1)->grants, 0);
    assert_false(enter(&bench, "o3/a", START_MS, &call));
    assert_int_equal(call.reason, JR_REASON_NO_PERMISSION);
    bench.turns.grants = 0;
    jr_app_drop_token(installation(&bench, 2));
    enters(&bench, "o2/a", START_MS, "without");
    close_bench(&bench);
}

/* Grants that and no more: contents, pull requests. The length tells what is asked for. */
static void grants_some(const char *request, char *answer, size_t size)
{
    unsigned long long number;

    if (sscanf(request, "POST /app/installations/%llu/", &number) != 1)
        usual(request, answer, size);
    else if (strstr(request, "Content-Length: 76\r\n") != NULL)
        answer_with(answer, size, 201, "", "{\"token\": \"with\", \"permissions\": {\"contents\": \"read\", \"pull_requests\": \"read\"}}");
    else
        answer_with(answer, size, 422, "", "{\"message\": \"The permissions requested are not granted\"}");
}

/* It is asked for ever less, until that is granted. */
static void all_that_is_accepted(void **state)
{
    struct bench bench;
    size_t posts = 0;

    (void)state;
    open_bench(&bench, grants_some);
    bench.turns.grants = JR_GRANTS_ALL;
    enters(&bench, "o2/a", START_MS, "with");
    assert_int_equal(installation(&bench, 2)->grants, JR_GRANT_PULLS | JR_GRANT_CONTENTS);
    for (const char *at = asked(&bench); (at = strstr(at, "POST ")) != NULL; at++)
        posts++;
    assert_int_equal(posts, 4);
    close_bench(&bench);
}

static void not_installed(void **state)
{
    struct bench bench;
    struct jr_call call;

    (void)state;
    open_bench(&bench, usual);
    assert_false(enter(&bench, "o404/a", START_MS, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_NEVER);
    assert_int_equal(call.reason, JR_REASON_NOT_INSTALLED);
    assert_false(call.stops_all);
    close_bench(&bench);
}

/* Nothing is asked until the stop is over; other installations go on. */
static void suspended_is_a_stop_of_its_own(void **state)
{
    struct bench bench;
    struct jr_call call;

    (void)state;
    open_bench(&bench, usual);
    assert_false(enter(&bench, "o403/a", START_MS, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(call.reason, JR_REASON_APP_SUSPENDED);
    assert_int_equal(bench.stopped->id, 403);
    asked(&bench);
    assert_false(enter(&bench, "o403/a", START_MS + 599999, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(call.reason, JR_REASON_APP_SUSPENDED);
    assert_int_equal(call.status, 0);
    assert_contains(call.text, "installation 403");
    assert_string_equal(asked(&bench), "");
    enters(&bench, "o1/a", START_MS, "of-1-2");
    asked(&bench);
    assert_false(enter(&bench, "o403/a", START_MS + 600000, &call));
    assert_string_equal(asked(&bench), "POST /app/installations/403/access_tokens\n");
    close_bench(&bench);
}

/* The one that was not used for longest makes room. */
static void installations_are_bounded(void **state)
{
    struct bench bench;
    char repo[32], token[32];
    size_t at = 0, kept = 0;

    (void)state;
    open_bench(&bench, usual);
    for (int i = 1; i <= JR_APP_INSTALLATIONS; i++) {
        snprintf(repo, sizeof repo, "o%d/a", i);
        snprintf(token, sizeof token, "of-%d-%d", i, i);
        enters(&bench, repo, START_MS, token);
        asked(&bench);
    }
    enters(&bench, "o1/a", START_MS, "of-1-1"); /* used again */
    enters(&bench, "o1000/a", START_MS, "of-1000-65");
    asked(&bench);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    enters(&bench, "o3/a", START_MS, "of-3-3");
    assert_string_equal(asked(&bench), "");
    enters(&bench, "o2/a", START_MS, "of-2-66");
    assert_string_equal(asked(&bench), "POST /app/installations/2/access_tokens\n");
    while (jr_app_next(bench.turns.app, &at) != NULL)
        kept++;
    assert_int_equal(kept, JR_APP_INSTALLATIONS);
    close_bench(&bench);
}

static void places_are_bounded(void **state)
{
    struct bench bench;
    char repo[32];

    (void)state;
    open_bench(&bench, usual);
    for (int i = 1; i <= JR_APP_REPOS + 1; i++) {
        snprintf(repo, sizeof repo, "o1/%d", i);
        enters(&bench, repo, START_MS, "of-1-1");
        asked(&bench);
    }
    enters(&bench, "o1/3", START_MS, "of-1-1");
    assert_string_equal(asked(&bench), "");
    enters(&bench, "o1/1", START_MS, "of-1-1");
    assert_string_equal(asked(&bench), "GET /repos/o1/1/installation\n");
    close_bench(&bench);
}

static void clock_is_taken_from_github(void **state)
{
    struct bench bench;
    int64_t end_ms = jr_timestamp_parse(EXPIRES);

    (void)state;
    open_bench(&bench, ahead);
    enters(&bench, "o1/a", START_MS, "of-1-1");
    assert_int_equal(jr_app_skew_ms(bench.turns.app), JR_HOUR_MS / 2);
    /* The end of a token is by GitHub's clock, too. */
    enters(&bench, "o1/a", end_ms - JR_APP_EARLY_MS - JR_HOUR_MS / 2 - 1, "of-1-1");
    enters(&bench, "o1/a", end_ms - JR_APP_EARLY_MS - JR_HOUR_MS / 2, "of-1-2");
    assert_string_equal(asked(&bench), "GET /repos/o1/a/installation\nGET /repos/o1/a/installation\n"
                                       "POST /app/installations/1/access_tokens\n"
                                       "POST /app/installations/1/access_tokens\n");
    close_bench(&bench);
}

struct rejected_row {
    const char *name;
    void (*respond)(const char *, char *, size_t);
    const char *asked;
};

/* All calls stop when the App itself is rejected. */
static void app_is_rejected(void **state)
{
    const struct rejected_row *row = *state;
    struct bench bench;
    struct jr_call call;

    open_bench(&bench, row->respond);
    assert_false(enter(&bench, "o1/a", START_MS, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(call.reason, JR_REASON_BAD_APP);
    assert_true(call.stops_all);
    assert_null(bench.stopped);
    assert_int_equal(bench.notes, 1);
    assert_string_equal(asked(&bench), row->asked);
    close_bench(&bench);
}

static const struct rejected_row rejected[] = {
    { "the clock helps nothing", always_ahead, LOOK LOOK },
    { "nobody knows it", unknown_app, LOOK },
};

static void who_it_is(void **state)
{
    struct bench bench;
    struct jr_github_app name;
    struct jr_turn turn = { .ask = { .api = JR_API_GET_APP, .holds = &name } };

    (void)state;
    open_bench(&bench, usual);
    run(&bench, &turn, 1, START_MS);
    assert_int_equal(turn.call.outcome, JR_OUTCOME_DONE);
    assert_string_equal(name.text, "Test");
    assert_string_equal(asked(&bench), "GET /app\n");
    close_bench(&bench);
}

static void bad_key_changes_nothing(void **state)
{
    struct bench bench;
    struct jr_error error;
    struct jr_app *app;
    char *key;

    (void)state;
    open_bench(&bench, usual);
    key = bench.settings.github_app_key;
    bench.settings.github_app_key = (char[]){ "no key" };
    assert_int_equal(jr_app_take_key(bench.turns.app, &error), JR_EINVAL);
    assert_int_equal(jr_app_open(&app, &bench.settings, NULL, &error), JR_EINVAL);
    assert_null(app);
    bench.settings.github_app_key = key;
    enters(&bench, "o1/a", START_MS, "of-1-1");
    assert_int_equal(jr_app_take_key(bench.turns.app, &error), JR_OK);
    jr_app_close(NULL);
    close_bench(&bench);
}

/* What is known of one repository holds for all of its owner. */
static void throttle_of_a_repository(void **state)
{
    struct bench bench;
    struct jr_call call;

    (void)state;
    open_bench(&bench, usual);
    assert_null(jr_app_throttle(bench.turns.app, "o7/x"));
    assert_true(enter(&bench, "o7/x", START_MS, &call));
    assert_true(enter(&bench, "o71/x", START_MS, &call));
    assert_ptr_equal(jr_app_throttle(bench.turns.app, "o7/x"), &installation(&bench, 7)->throttle);
    assert_ptr_equal(jr_app_throttle(bench.turns.app, "O7/another"), &installation(&bench, 7)->throttle);
    assert_ptr_equal(jr_app_throttle(bench.turns.app, "o71/another"), &installation(&bench, 71)->throttle);
    assert_null(jr_app_throttle(bench.turns.app, "o"));
    assert_null(jr_app_throttle(bench.turns.app, ""));
    assert_null(jr_app_throttle(bench.turns.app, "o8/x"));
    close_bench(&bench);
}

int main(void)
{
    TEST(token_for_each_installation);
    TEST(token_is_renewed_early);
    TEST(token_of_any_length);
    TEST(after_a_401_once_more);
    TEST(two_at_once);
    TEST(broken_off);
    TEST(broken_off_as_it_waits);
    TEST(nothing_is_signed);
    TABLE(earlies, too_early);
    TEST(proven);
    TEST(remade_once);
    TABLE(agains, looks_again);
    TEST(looks_once);
    TEST(refused_option_looks_nowhere);
    TEST(checks_if_accepted);
    TEST(all_that_is_accepted);
    TEST(not_installed);
    TEST(suspended_is_a_stop_of_its_own);
    TEST(installations_are_bounded);
    TEST(places_are_bounded);
    TEST(clock_is_taken_from_github);
    TABLE(rejected, app_is_rejected);
    TEST(who_it_is);
    TEST(throttle_of_a_repository);
    TEST(bad_key_changes_nothing);
    return run_program("turn");
}
