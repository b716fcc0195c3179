/*
 * answers -- what each answer of the API comes to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/answers.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS START_MS
#define NOW_S  (START_MS / 1000)

/*
 * Headers are 0 when they are not there, but for remaining, which is then -1. retry_after_s
 * -2: it is there, but names no time.
 */
struct sort_row {
    const char *name;
    int status;
    const char *body;
    bool posted;
    int64_t retry_after_s, remaining, reset_s;
    bool permissions;
    enum jr_outcome outcome;
    enum jr_reason reason;
    int64_t least_ms, most_ms; /* of a stop for all calls; 0: it stops only this one */
};

static struct jr_http_answer answer_of(int status, char *body)
{
    struct jr_http_answer answer = {
        .status = status,
        .body = body,
        .length = strlen(body),
        .retry_after_s = -1,
        .ratelimit_limit = -1,
        .ratelimit_remaining = -1,
        .ratelimit_reset_s = -1,
        .duration_us = 1234,
    };

    return answer;
}

/* Nothing was sent: what GitHub had shown was too old. */
static void outdated(void **state)
{
    char body[] = "";
    struct jr_http_answer answer = answer_of(0, body);
    struct jr_call call;

    (void)state;
    answer.too_late = true;
    jr_answer_sort(&answer, true, NOW_MS, &call);
    assert_int_equal(call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(call.reason, JR_REASON_OUTDATED);
}

/* Likewise: there was no permit. */
static void forbidden(void **state)
{
    char body[] = "";
    struct jr_http_answer answer = answer_of(0, body);
    struct jr_call call;

    (void)state;
    answer.forbidden = JR_REASON_PAUSED;
    jr_answer_sort(&answer, true, NOW_MS, &call);
    assert_int_equal(call.outcome, JR_OUTCOME_LATER);
    assert_int_equal(call.reason, JR_REASON_PAUSED);
}

static void sorted(void **state)
{
    const struct sort_row *row = *state;
    char *body = strdup(row->body);
    struct jr_http_answer answer = answer_of(row->status, body);
    struct jr_call call = { .what = "test", .wait_ms = -1, .stops_all = true };

    if (row->retry_after_s != 0)
        answer.retry_after_s = row->retry_after_s > 0 ? row->retry_after_s : 0;
    answer.ratelimit_remaining = row->remaining;
    if (row->reset_s != 0)
        answer.ratelimit_reset_s = row->reset_s;
    answer.accepted_permissions = row->permissions;
    jr_answer_sort(&answer, row->posted, NOW_MS, &call);
    assert_int_equal(call.outcome, row->outcome);
    assert_int_equal(call.reason, row->reason);
    assert_int_equal(call.stops_all, row->most_ms != 0);
    if (row->most_ms < 0)
        assert_int_equal(call.wait_ms, 0);
    else
        assert_in_range(call.wait_ms, row->least_ms, row->most_ms);
    assert_int_equal(call.status, row->status);
    assert_int_equal(call.duration_us, 1234);
    free(body);
}

#define NO_WAIT 0, 0
#define HEADERS 0, 4321, NOW_S + 1800, false
#define MINUTE  JR_MINUTE_MS
#define WORDS "{\"message\": \"No.\"}"
/* 0 is for throttle.c to say. */
#define UNNAMED 0, 2 * MINUTE
/* No time is named: the test takes no other value of wait_ms. */
#define NO_TIME 0, -1

static const struct sort_row calls[] = {
    { "a run", 200, "{\"id\": 1}", false, HEADERS, JR_OUTCOME_DONE, JR_REASON_NONE, NO_WAIT },
    { "accepted", 201, "{}", true, HEADERS, JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED, NO_WAIT },
    { "accepted, with an empty body", 201, "", true, HEADERS, JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED, NO_WAIT },
    { "accepted, with another status", 202, "x", true, HEADERS, JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED, NO_WAIT },

    { "already running", 403, "{\"message\": \"This workflow is already running\"}", true, HEADERS,
      JR_OUTCOME_LATER, JR_REASON_ALREADY_RUNNING, NO_WAIT },
    { "already running, of a job", 403,
      "{\"message\": \"The workflow run containing this job is already running\"}", true, HEADERS,
      JR_OUTCOME_LATER, JR_REASON_ALREADY_RUNNING, NO_WAIT },
    { "already running, in capitals", 403, "{\"message\": \"Workflow ALREADY RUNNING.\"}", true, HEADERS,
      JR_OUTCOME_LATER, JR_REASON_ALREADY_RUNNING, NO_WAIT },
    { "over a month old", 403,
      "{\"message\": \"Unable to retry this workflow run because it was created over a month ago\"}", true, HEADERS,
      JR_OUTCOME_NEVER, JR_REASON_TOO_OLD, NO_WAIT },
    { "over a month old, in other words", 403,
      "{\"message\": \"Unable to re-run this workflow run because it was created over a month ago\"}", true, HEADERS,
      JR_OUTCOME_NEVER, JR_REASON_TOO_OLD, NO_WAIT },
    { "cannot be retried", 403, "{\"message\": \"This workflow run cannot be retried\"}", true, HEADERS,
      JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, NO_WAIT },
    { "no failed jobs", 403,
      "{\"message\": \"Unable to retry this workflow run because it was not attempted with failed jobs.\"}", true,
      HEADERS, JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, NO_WAIT },
    { "not accessible by integration", 403, "{\"message\": \"Resource not accessible by integration\"}", true,
      0, 4321, 0, true, JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, NO_WAIT },
    { "not accessible by personal access token", 403,
      "{\"message\": \"Resource not accessible by personal access token\"}", true, 0, 4321, 0, true,
      JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, NO_WAIT },
    { "a permission in other words", 403, "{\"message\": \"No.\"}", true, 0, 4321, 0, true,
      JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, NO_WAIT },
    { "suspended", 403, "{\"message\": \"This installation has been suspended\"}", false, 0, 4321, 0, false,
      JR_OUTCOME_LATER, JR_REASON_APP_SUSPENDED, UNNAMED },
    { "must have admin rights", 403, "{\"message\": \"Must have admin rights to Repository.\"}", true, HEADERS,
      JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, NO_WAIT },
    { "403 in words that nobody knows", 403, "{\"message\": \"The repository is archived\"}", true, HEADERS,
      JR_OUTCOME_NEVER, JR_REASON_REFUSED, NO_WAIT },

    { "bad credentials", 401, "{\"message\": \"Bad credentials\"}", false, HEADERS, JR_OUTCOME_LATER,
      JR_REASON_BAD_TOKEN, 0, 61 * MINUTE },
    { "bad credentials for a POST", 401, "{\"message\": \"Bad credentials\"}", true, HEADERS, JR_OUTCOME_LATER,
      JR_REASON_BAD_TOKEN, 0, 61 * MINUTE },
    { "not found", 404, "{\"message\": \"Not Found\"}", false, HEADERS, JR_OUTCOME_NEVER, JR_REASON_NOT_FOUND, NO_WAIT },
    { "not found for a POST", 404, "{\"message\": \"Not Found\"}", true, HEADERS, JR_OUTCOME_NEVER,
      JR_REASON_NOT_FOUND, NO_WAIT },
    { "an API version that there is not", 400, WORDS, false, HEADERS, JR_OUTCOME_NEVER, JR_REASON_REFUSED, NO_WAIT },
    { "an API version that was retired", 410, WORDS, false, HEADERS, JR_OUTCOME_NEVER, JR_REASON_REFUSED, NO_WAIT },
    { "a conflict", 409, WORDS, true, HEADERS, JR_OUTCOME_NEVER, JR_REASON_REFUSED, NO_WAIT },
    { "not processable", 422, WORDS, true, HEADERS, JR_OUTCOME_NEVER, JR_REASON_REFUSED, NO_WAIT },
    { "moved", 301, "{}", false, HEADERS, JR_OUTCOME_LATER, JR_REASON_MOVED, NO_WAIT },

    { "server error", 500, "<html>Unicorn!</html>", false, HEADERS, JR_OUTCOME_LATER, JR_REASON_SERVER_ERROR, NO_WAIT },
    { "server error for a POST", 500, "{\"message\": \"Server Error\"}", true, HEADERS, JR_OUTCOME_UNKNOWN,
      JR_REASON_OUTCOME_UNKNOWN, NO_WAIT },
    { "bad gateway for a POST", 502, "<html>", true, HEADERS, JR_OUTCOME_UNKNOWN, JR_REASON_OUTCOME_UNKNOWN, NO_WAIT },
    { "gateway time-out for a POST", 504, "", true, HEADERS, JR_OUTCOME_UNKNOWN, JR_REASON_OUTCOME_UNKNOWN, NO_WAIT },
    { "unavailable", 503, "", false, HEADERS, JR_OUTCOME_LATER, JR_REASON_SERVER_ERROR, NO_WAIT },
};

/* In the order of GitHub's documents: Retry-After, none remaining, the words. */
static const struct sort_row limits[] = {
    { "Retry-After", 403, "{}", true, 30, -1, 0, false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, 30000, 35000 },
    { "Retry-After that names no time to come", 403, "{}", true, -2, -1, 0, false, JR_OUTCOME_LATER,
      JR_REASON_RATE_LIMITED, NO_TIME },
    { "Retry-After with 429", 429, "{}", false, 90, -1, 0, false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, 90000, 95000 },
    { "Retry-After goes before the reset", 403, "{}", true, 30, 0, NOW_S + 1800, false, JR_OUTCOME_LATER,
      JR_REASON_RATE_LIMITED, 30000, 35000 },
    { "Retry-After goes before the words", 403, "{\"message\": \"already running\"}", true, 30, 4321, 0, false,
      JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, 30000, 35000 },
    { "Retry-After of a day is cut", 403, "{}", true, 86400, -1, 0, false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED,
      60 * MINUTE, 70 * MINUTE },
    { "none remaining", 403, "{\"message\": \"API rate limit exceeded for user ID 1.\"}", true, 0, 0, NOW_S + 1800,
      false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, 1800 * 1000, 1810 * 1000 },
    { "none remaining, with 429", 429, "{}", false, 0, 0, NOW_S + 1800, false, JR_OUTCOME_LATER,
      JR_REASON_RATE_LIMITED, 1800 * 1000, 1810 * 1000 },
    { "none remaining goes before the words", 403, "{\"message\": \"already running\"}", true, 0, 0, NOW_S + 60,
      false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, MINUTE, 70000 },
    { "the reset has passed", 403, "{}", true, 0, 0, NOW_S - 100, false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED,
      NO_TIME },
    { "the reset is now", 403, "{}", true, 0, 0, NOW_S, false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, NO_TIME },
    { "the words of a secondary limit beside a reset that has passed", 403,
      "{\"message\": \"You have exceeded a secondary rate limit. Please wait a few minutes.\"}", false, 0, 0,
      NOW_S - 1, false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, NO_TIME },
    { "the limit of an App, by its words", 403,
      "{\"message\": \"API rate limit exceeded for installation ID 71234567.\"}", false, 0, -1, 0, false,
      JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, UNNAMED },
    { "abuse, by its words", 403,
      "{\"message\": \"You have triggered an abuse detection mechanism.\"}", true, 0, -1, 0, false,
      JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, UNNAMED },
    { "429 from something on the way", 429, "<html>", false, 0, -1, 0, false, JR_OUTCOME_LATER,
      JR_REASON_RATE_LIMITED, UNNAMED },
    { "the reset is in another century", 403, "{}", true, 0, 0, NOW_S + INT64_C(9000000000), false, JR_OUTCOME_LATER,
      JR_REASON_RATE_LIMITED, 60 * MINUTE, 70 * MINUTE },
    { "no reset told", 403, "{}", true, 0, 0, 0, false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, UNNAMED },
    { "secondary, by its words", 403, "{\"message\": \"You have exceeded a secondary rate limit. Please wait.\"}",
      true, HEADERS, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, UNNAMED },
    { "secondary, in capitals", 403, "{\"message\": \"SECONDARY RATE limit\"}", true, HEADERS, JR_OUTCOME_LATER,
      JR_REASON_RATE_LIMITED, UNNAMED },
    { "secondary, by its document", 403,
      "{\"message\": \"No.\", \"documentation_url\": \"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
      "#about-secondary-rate-limits\"}",
      true, HEADERS, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, UNNAMED },
    { "abuse, by its document", 403,
      "{\"message\": \"No.\", \"documentation_url\": \"https://developer.github.com/v3/#abuse-rate-limits\"}", true,
      HEADERS, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, UNNAMED },
    { "429 without anything", 429, "", true, 0, -1, 0, false, JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, UNNAMED },
    { "another document", 403,
      "{\"message\": \"No.\", \"documentation_url\": \"https://docs.github.com/rest/actions/workflow-runs\"}", true,
      HEADERS, JR_OUTCOME_NEVER, JR_REASON_REFUSED, NO_WAIT },
};

/* The reset is by GitHub's clock, which Date tells. */
struct clock_row {
    const char *name;
    int64_t reset_s, date_s; /* from ours; date_s 0: not told */
    int64_t wait_s;          /* without the slack; 0: none is named */
};

static void clocks(void **state)
{
    const struct clock_row *row = *state;
    char body[] = "{}";
    struct jr_http_answer answer = answer_of(403, body);
    struct jr_call call = { .what = "test" };

    answer.ratelimit_remaining = 0;
    answer.ratelimit_reset_s = NOW_S + row->reset_s;
    answer.date_ms = row->date_s == 0 ? 0 : (NOW_S + row->date_s) * 1000;
    jr_answer_sort(&answer, true, NOW_MS, &call);
    assert_int_equal(call.reason, JR_REASON_RATE_LIMITED);
    if (row->wait_s == 0)
        assert_int_equal(call.wait_ms, 0);
    else
        assert_in_range(call.wait_ms, row->wait_s * 1000, row->wait_s * 1000 + 10000);
}

static const struct clock_row clock_rows[] = {
    { "ours is right", 1800, 1, 1799 },
    { "ours is an hour ahead", -1800, -3600, 1800 },
    { "ours is an hour behind", 5400, 3600, 1800 },
    { "the reset is over by GitHub's alone", 1800, 3600, 0 },
    { "the reset is over by ours alone", -10, -20, 10 },
    { "the reset is over, and no Date", -10, 0, 0 },
};

/* What does not speak as GitHub does decides nothing for good; a POST may have got through. */
struct stranger_row {
    const char *name;
    int status;
    const char *body, *text;
};

static void not_githubs(void **state)
{
    const struct stranger_row *row = *state;
    char *body = strdup(row->body);
    struct jr_http_answer answer = answer_of(row->status, body);
    struct jr_call call = { .what = "test" };

    for (int posted = 0; posted <= 1; posted++) {
        jr_answer_sort(&answer, posted, NOW_MS, &call);
        assert_int_equal(call.reason, JR_REASON_NOT_GITHUB);
        assert_int_equal(call.outcome, posted ? JR_OUTCOME_UNKNOWN : JR_OUTCOME_LATER);
        assert_false(call.stops_all);
        assert_int_equal(call.wait_ms, 0);
        assert_string_equal(call.text, row->text);
    }
    free(body);
}

static const struct stranger_row strangers[] = {
    { "a proxy's 403", 403, "<!DOCTYPE html><html><h1>Access Denied</h1>", "<!DOCTYPE html><html><h1>Access Denied</h1>" },
    { "an ingress' 404", 404, "404 page not found\n", "404 page not found" },
    { "a front end's 400", 400, "\r\n  <html>\r\n<h1>Whoa there!</h1>", "<html>" },
    { "a 404 without a body", 404, "", "" },
    { "a 403 without a body", 403, "", "" },
    { "a 401 of a login page", 401, "<html>", "<html>" },
    { "a 407 of a proxy", 407, "<html>", "<html>" },
    { "a 422 without a message", 422, "{}", "{}" },
    { "another JSON", 404, "{\"error\": \"no route\"}", "{\"error\": \"no route\"}" },
    { "an array", 404, "[{\"message\": \"Not Found\"}]", "[{\"message\": \"Not Found\"}]" },
    { "a message that is no text", 403, "{\"message\": [\"already running\"]}", "{\"message\": [\"already running\"]}" },
    { "words of GitHub's that are no JSON", 403, "This workflow is already running", "This workflow is already running" },
};

struct shut_row {
    const char *name;
    enum jr_shut shut;
};

static void shut_out(void **state)
{
    const struct shut_row *row = *state;
    char body[512];
    struct jr_http_answer answer;
    struct jr_call call = { .what = "test" };

    assert_true(snprintf(body, sizeof body, "{\"message\": \"%s\"}", row->name) < (int)sizeof body);
    answer = answer_of(403, body);
    for (int posted = 0; posted <= 1; posted++) {
        jr_answer_sort(&answer, posted, NOW_MS, &call);
        assert_int_equal(call.outcome, JR_OUTCOME_LATER);
        assert_int_equal(call.reason, JR_REASON_SHUT_OUT);
        assert_int_equal(call.shut, row->shut);
        assert_false(call.stops_all);
    }
}

static const struct shut_row shuts[] = {
    { "Although you appear to have the correct authorization credentials, the `acme` organization has an IP allow "
      "list enabled, and your IP address is not permitted to access this resource.", JR_SHUT_OWNER },
    { "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to "
      "this organization.", JR_SHUT_OWNER },
    { "`acme` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a "
      "personal access token with fine-grained permissions.", JR_SHUT_OWNER },
    { "The 'acme' organization forbids access via a fine-grained personal access tokens if the token's lifetime is "
      "greater than 366 days.", JR_SHUT_OWNER },
    { "Sorry. Your account was suspended.", JR_SHUT_ALL },
    { "Sorry. Your account is suspended. Please check with your installation administrator.", JR_SHUT_ALL },
    { "This organization has been suspended.", JR_SHUT_OWNER },
    { "This account is locked due to a billing issue.", JR_SHUT_OWNER },
    { "GitHub Actions has been disabled for this organization.", JR_SHUT_OWNER },
    { "Actions is disabled by the enterprise.", JR_SHUT_OWNER },
    { "Actions has been disabled for this repository.", JR_SHUT_REPO },
};

static void single_sign_on_by_its_header(void **state)
{
    char body[] = WORDS;
    struct jr_http_answer answer = answer_of(403, body);
    struct jr_call call = { .what = "test" };

    (void)state;
    answer.sso_required = true;
    jr_answer_sort(&answer, false, NOW_MS, &call);
    assert_int_equal(call.reason, JR_REASON_SHUT_OUT);
    assert_int_equal(call.shut, JR_SHUT_OWNER);
}

/* What is shown of the limit is by this host's clock. */
static void reset_is_by_our_clock(void **state)
{
    char body[] = "{}";
    struct jr_http_answer answer = answer_of(200, body);
    struct jr_call call = { .what = "test" };

    (void)state;
    answer.ratelimit_reset_s = NOW_S + 1800 - 3600;
    answer.date_ms = NOW_MS - JR_HOUR_MS;
    jr_answer_sort(&answer, false, NOW_MS, &call);
    assert_int_equal(call.rate_reset_ms, NOW_MS + 1800 * 1000);
    answer.ratelimit_reset_s = NOW_S + 1800;
    answer.date_ms = NOW_MS - 2000;
    jr_answer_sort(&answer, false, NOW_MS, &call);
    assert_int_equal(call.rate_reset_ms, NOW_MS + 1800 * 1000);
}

struct lost_row {
    const char *name;
    bool posted, sent;
    enum jr_outcome outcome;
    enum jr_reason reason;
};

static void no_answer(void **state)
{
    const struct lost_row *row = *state;
    char body[] = "";
    struct jr_http_answer answer = answer_of(0, body);
    struct jr_call call = { .what = "test" };

    answer.sent = row->sent;
    strcpy(answer.text, "Could not connect");
    jr_answer_sort(&answer, row->posted, NOW_MS, &call);
    assert_int_equal(call.outcome, row->outcome);
    assert_int_equal(call.reason, row->reason);
    assert_false(call.stops_all);
    assert_int_equal(call.status, 0);
    assert_string_equal(call.text, "Could not connect");
}

static const struct lost_row lost[] = {
    { "a GET that was not sent", false, false, JR_OUTCOME_LATER, JR_REASON_UNREACHABLE },
    { "a GET that was sent", false, true, JR_OUTCOME_LATER, JR_REASON_UNREACHABLE },
    { "a POST that was not sent", true, false, JR_OUTCOME_LATER, JR_REASON_UNREACHABLE },
    { "a POST that was sent", true, true, JR_OUTCOME_UNKNOWN, JR_REASON_OUTCOME_UNKNOWN },
};

static void words_and_headers_are_kept(void **state)
{
    char body[] = "{\"message\": \"This workflow is already running\"}";
    struct jr_http_answer answer = answer_of(403, body);
    struct jr_call call = { .what = "test" };

    (void)state;
    answer.ratelimit_limit = 15000;
    strcpy(answer.token_expiration, "2026-11-20 00:00:00 UTC");
    jr_answer_sort(&answer, true, NOW_MS, &call);
    assert_string_equal(call.text, "This workflow is already running");
    assert_int_equal(call.hourly_limit, 15000);
    assert_int_equal(call.token_expires_ms, START_MS);

    answer = answer_of(200, body);
    jr_answer_sort(&answer, false, NOW_MS, &call);
    assert_int_equal(call.hourly_limit, 0);
    assert_int_equal(call.token_expires_ms, 0);
}

static void long_words_are_cut(void **state)
{
    char body[2000] = "{\"message\": \"";
    size_t start = strlen(body);
    struct jr_http_answer answer;
    struct jr_call call = { .what = "test" };

    (void)state;
    memset(body + start, 'x', 1500);
    strcpy(body + start + 1500, "\"}");
    answer = answer_of(403, body);
    jr_answer_sort(&answer, true, NOW_MS, &call);
    assert_int_equal(strlen(call.text), sizeof call.text - 1);
}

int main(void)
{
    TEST(outdated);
    TEST(forbidden);
    TABLE(calls, sorted);
    TABLE(limits, sorted);
    TABLE(clock_rows, clocks);
    TABLE(strangers, not_githubs);
    TABLE(shuts, shut_out);
    TEST(single_sign_on_by_its_header);
    TEST(reset_is_by_our_clock);
    TABLE(lost, no_answer);
    TEST(words_and_headers_are_kept);
    TEST(long_words_are_cut);
    return run_program("answers");
}
