/*
 * app -- which calls an App makes by itself, and which token it goes on with.
 *
 * The server has an installation N for each repository of owner N (o1/x is of 1),
 * and gives tokens that tell whose they are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/app.h"
#include "t/unit/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define EXPIRES "2026-11-20T01:00:00Z"
#define LONG_TOKEN 3000

struct bench {
    struct server server;
    struct jr_settings settings;
    struct jr_http *http;
    struct jr_app *app;
    struct jr_call noted; /* the last one */
    const struct jr_installation *stopped;
    unsigned notes;
};

static void answer_with(char *answer, size_t size, int status, const char *headers, const char *body)
{
    snprintf(answer, size, "HTTP/1.1 %d Test\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
             status, strlen(body), headers, body);
}

/* Runs in the child; serial is its own. */
static void usual(const char *request, char *answer, size_t size)
{
    static unsigned serial;
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

static bool never(void)
{
    return false;
}

static void note(void *context, struct jr_installation *installation, const struct jr_call *call)
{
    struct bench *bench = context;

    bench->noted = *call;
    bench->stopped = installation;
    bench->notes++;
    if (installation != NULL)
        jr_throttle_note(&installation->throttle, &bench->settings, call, START_MS);
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
    if (jr_http_open(&bench->http, NULL, NULL, never, &error) != JR_OK
        || jr_app_open(&bench->app, bench->http, &bench->settings, NULL, note, bench, &error) != JR_OK)
        fail_msg("%s", error.text);
}

static void close_bench(struct bench *bench)
{
    jr_app_close(bench->app);
    jr_http_close(bench->http);
    kill_child(&bench->server.child);
    free(bench->settings.github_app_id);
    free(bench->settings.github_app_key);
}

/* What was asked since the last time, a line each. */
static const char *asked(struct bench *bench)
{
    static char lines[TEXT_SIZE];
    ssize_t got = recv(bench->server.child.fd, lines, sizeof lines - 1, MSG_DONTWAIT);

    lines[got > 0 ? got : 0] = '\0';
    return lines;
}

static bool enter(struct bench *bench, struct jr_turn *turn, int64_t now_ms, struct jr_call *call)
{
    memset(call, 0xff, sizeof *call);
    return jr_app_enter(bench->app, turn, now_ms, call);
}

/* Get ready for a repository, and compare the token with which. */
static void enters(struct bench *bench, const char *repo, int64_t now_ms, const char *token)
{
    struct jr_turn turn = { .repo = repo };
    struct jr_call call;

    assert_true(enter(bench, &turn, now_ms, &call));
    assert_string_equal(turn.installation->token, token);
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
    struct jr_turn turn = { .repo = "o1/a" };
    struct bench bench;
    struct jr_call call;

    (void)state;
    open_bench(&bench, long_token);
    assert_true(enter(&bench, &turn, START_MS, &call));
    assert_int_equal(strlen(turn.installation->token), LONG_TOKEN);
    assert_int_equal(turn.installation->expires_ms, START_MS + JR_HOUR_MS); /* not told */
    close_bench(&bench);
}

static void after_a_401_once_more(void **state)
{
    struct jr_turn turn = { .repo = "o1/a" };
    struct bench bench;
    struct jr_call call, refused = { .status = 401, .reason = JR_REASON_BAD_TOKEN };

    (void)state;
    open_bench(&bench, usual);
    assert_true(enter(&bench, &turn, START_MS, &call));
    assert_true(jr_app_again(bench.app, &turn, START_MS, &refused));
    assert_true(enter(&bench, &turn, START_MS, &call));
    assert_string_equal(turn.installation->token, "of-1-2");
    assert_false(jr_app_again(bench.app, &turn, START_MS, &refused));
    enters(&bench, "o1/a", START_MS, "of-1-3"); /* another turn */
    close_bench(&bench);
}

struct early_row {
    const char *name;
    int status;
    enum jr_reason reason;
    bool early; /* with a token that has not worked yet */
};

/* A token's first refusals are no reason to believe them; once it has worked, they are. */
static void too_early(void **state)
{
    const struct early_row *row = *state;
    struct jr_turn turn = { .repo = "o1/a" };
    struct jr_call call, good = { .status = 200 };
    struct bench bench;

    open_bench(&bench, usual);
    assert_true(enter(&bench, &turn, START_MS, &call));
    for (int times = 0; times < 3; times++) {
        struct jr_call refused = { .status = row->status, .reason = row->reason, .outcome = JR_OUTCOME_NEVER,
                                   .stops_all = true, .wait_ms = 1 };

        assert_int_equal(jr_app_is_too_early(&turn, &refused), row->early);
        assert_int_equal(refused.outcome, row->early ? JR_OUTCOME_LATER : JR_OUTCOME_NEVER);
        assert_int_equal(refused.stops_all, !row->early);
        assert_int_equal(refused.reason, row->reason);
    }
    turn.installation->made_ms -= JR_APP_FRESH_MS;
    call = (struct jr_call){ .status = row->status, .reason = row->reason };
    assert_false(jr_app_is_too_early(&turn, &call));
    turn.installation->made_ms += JR_APP_FRESH_MS;
    assert_false(jr_app_is_too_early(&turn, &good));
    assert_false(jr_app_is_too_early(&turn, &call));
    close_bench(&bench);
}

static const struct early_row earlies[] = {
    { "401", 401, JR_REASON_BAD_TOKEN, true },
    { "403, not accessible", 403, JR_REASON_NO_PERMISSION, true },
    { "404", 404, JR_REASON_NOT_FOUND, true },
    { "a rate limit", 403, JR_REASON_RATE_LIMITED, false },
    { "a refusal of the run", 403, JR_REASON_CANNOT_BE_RETRIED, false },
    { "a proxy's 404", 404, JR_REASON_NOT_GITHUB, false },
};

/* One that is never taken has another one made once, not at each call. */
static void remade_once(void **state)
{
    struct jr_turn first = { .repo = "o1/a" }, second = { .repo = "o1/a" }, third = { .repo = "o1/a" };
    struct jr_call call, refused = { .status = 401, .reason = JR_REASON_BAD_TOKEN }, good = { .status = 200 };
    struct bench bench;

    (void)state;
    open_bench(&bench, usual);
    assert_true(enter(&bench, &first, START_MS, &call));
    assert_true(jr_app_renews(&first));
    assert_true(jr_app_again(bench.app, &first, START_MS, &refused));
    assert_true(enter(&bench, &second, START_MS, &call));
    assert_false(jr_app_renews(&second));
    assert_false(jr_app_again(bench.app, &second, START_MS, &refused));
    assert_true(enter(&bench, &third, START_MS, &call));
    assert_false(jr_app_is_too_early(&third, &good));
    assert_true(jr_app_renews(&third)); /* it has worked: now it may have ended */
    close_bench(&bench);
}

struct again_row {
    const char *name;
    void (*respond)(const char *, char *, size_t);
    enum jr_reason reason;
    bool looks, again;
};

/* A place that was known before is looked up again when GitHub knows nothing there. */
static void looks_again(void **state)
{
    const struct again_row *row = *state;
    struct jr_turn first = { .repo = "o1/a" }, turn = { .repo = "o1/a" };
    struct bench bench;
    struct jr_call call, answer = { .status = 404, .reason = row->reason };

    open_bench(&bench, row->respond);
    assert_true(enter(&bench, &first, START_MS, &call));
    assert_false(jr_app_again(bench.app, &first, START_MS, &answer)); /* it was just looked up */
    assert_true(enter(&bench, &turn, START_MS, &call));
    asked(&bench);
    assert_int_equal(jr_app_again(bench.app, &turn, START_MS, &answer), row->again);
    assert_string_equal(asked(&bench), row->looks ? "GET /repos/o1/a/installation\n" : "");
    if (row->again) {
        assert_true(enter(&bench, &turn, START_MS, &call));
        assert_int_equal(turn.installation->id, 2);
        assert_false(jr_app_again(bench.app, &turn, START_MS, &answer));
    }
    assert_int_equal(answer.reason, row->reason);
    close_bench(&bench);
}

static const struct again_row agains[] = {
    { "not found, and it has moved", moving, JR_REASON_NOT_FOUND, true, true },
    { "no permission, and it has moved", moving, JR_REASON_NO_PERMISSION, true, true },
    { "not found, where it was", usual, JR_REASON_NOT_FOUND, true, false },
    { "already running", usual, JR_REASON_ALREADY_RUNNING, false, false },
    { "a success", usual, JR_REASON_NONE, false, false },
};

static void not_installed(void **state)
{
    struct jr_turn turn = { .repo = "o404/a" };
    struct bench bench;
    struct jr_call call;

    (void)state;
    open_bench(&bench, usual);
    assert_false(enter(&bench, &turn, START_MS, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_NEVER);
    assert_int_equal(call.reason, JR_REASON_NOT_INSTALLED);
    assert_false(call.stops_all);
    close_bench(&bench);
}

/* Nothing is asked until the stop is over; other installations go on. */
static void suspended_is_a_stop_of_its_own(void **state)
{
    struct jr_turn turn = { .repo = "o403/a" };
    struct bench bench;
    struct jr_call call;

    (void)state;
    open_bench(&bench, usual);
    assert_false(enter(&bench, &turn, START_MS, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(call.reason, JR_REASON_APP_SUSPENDED);
    assert_int_equal(bench.stopped->id, 403);
    asked(&bench);
    assert_false(enter(&bench, &turn, START_MS + 599999, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(call.reason, JR_REASON_APP_SUSPENDED);
    assert_int_equal(call.status, 0);
    assert_contains(call.text, "installation 403");
    assert_string_equal(asked(&bench), "");
    enters(&bench, "o1/a", START_MS, "of-1-2");
    asked(&bench);
    assert_false(enter(&bench, &turn, START_MS + 600000, &call));
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
    while (jr_app_next(bench.app, &at) != NULL)
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
    assert_int_equal(jr_app_skew_ms(bench.app), JR_HOUR_MS / 2);
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
    struct jr_turn turn = { .repo = "o1/a" };
    struct bench bench;
    struct jr_call call;

    open_bench(&bench, row->respond);
    assert_false(enter(&bench, &turn, START_MS, &call));
    assert_int_equal(call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(call.reason, JR_REASON_BAD_APP);
    assert_true(call.stops_all);
    assert_null(bench.stopped);
    assert_int_equal(bench.notes, 1);
    assert_string_equal(asked(&bench), row->asked);
    close_bench(&bench);
}

#define LOOK "GET /repos/o1/a/installation\n"

static const struct rejected_row rejected[] = {
    { "the clock helps nothing", always_ahead, LOOK LOOK },
    { "nobody knows it", unknown_app, LOOK },
};

static void who_it_is(void **state)
{
    struct bench bench;
    struct jr_call call;
    char name[32];

    (void)state;
    open_bench(&bench, usual);
    jr_app_ask_who(bench.app, START_MS, name, sizeof name, &call);
    assert_int_equal(call.outcome, JR_OUTCOME_DONE);
    assert_string_equal(name, "Test");
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
    assert_int_equal(jr_app_take_key(bench.app, &error), JR_EINVAL);
    assert_int_equal(jr_app_open(&app, bench.http, &bench.settings, NULL, NULL, NULL, &error), JR_EINVAL);
    assert_null(app);
    bench.settings.github_app_key = key;
    enters(&bench, "o1/a", START_MS, "of-1-1");
    assert_int_equal(jr_app_take_key(bench.app, &error), JR_OK);
    jr_app_close(NULL);
    close_bench(&bench);
}

/* What is known of one repository holds for all of its owner. */
static void throttle_of_a_repository(void **state)
{
    struct jr_turn one = { .repo = "o7/x" }, other = { .repo = "o71/x" };
    struct bench bench;
    struct jr_call call;

    (void)state;
    open_bench(&bench, usual);
    assert_null(jr_app_throttle(bench.app, "o7/x"));
    assert_true(enter(&bench, &one, START_MS, &call));
    assert_true(enter(&bench, &other, START_MS, &call));
    assert_ptr_equal(jr_app_throttle(bench.app, "o7/x"), &one.installation->throttle);
    assert_ptr_equal(jr_app_throttle(bench.app, "O7/another"), &one.installation->throttle);
    assert_ptr_equal(jr_app_throttle(bench.app, "o71/another"), &other.installation->throttle);
    assert_null(jr_app_throttle(bench.app, "o"));
    assert_null(jr_app_throttle(bench.app, ""));
    assert_null(jr_app_throttle(bench.app, "o8/x"));
    close_bench(&bench);
}

int main(void)
{
    TEST(token_for_each_installation);
    TEST(token_is_renewed_early);
    TEST(token_of_any_length);
    TEST(after_a_401_once_more);
    TABLE(earlies, too_early);
    TEST(remade_once);
    TABLE(agains, looks_again);
    TEST(not_installed);
    TEST(suspended_is_a_stop_of_its_own);
    TEST(installations_are_bounded);
    TEST(places_are_bounded);
    TEST(clock_is_taken_from_github);
    TABLE(rejected, app_is_rejected);
    TEST(who_it_is);
    TEST(throttle_of_a_repository);
    TEST(bad_key_changes_nothing);
    return run_program("app");
}
