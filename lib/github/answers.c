/*
 * answers -- what GitHub's answers mean.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/answers.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/json.h"

#include <string.h>

/* A wait that GitHub names is followed within these bounds: its limits are per hour. */
#define WAIT_MIN_MS JR_SECOND_MS
#define WAIT_MAX_MS (JR_HOUR_MS + JR_MINUTE_MS)

/* Clocks differ: after the reset that the header names, a little more. */
#define RESET_SLACK_MS (2 * JR_SECOND_MS)

/*
 * What GitHub says when it refuses, of a rerun or of all that somebody has. Wording is no
 * contract: match loosely (jr_text_match), the first row that fits.
 */
static const struct {
    const char *pattern;
    enum jr_outcome outcome;
    enum jr_reason reason;
    bool try_all;
    enum jr_shut shut;
} refusals[] = {
    { "*already running*", JR_OUTCOME_LATER, JR_REASON_ALREADY_RUNNING, false, 0 },
    { "*over a month ago*", JR_OUTCOME_NEVER, JR_REASON_TOO_OLD, false, 0 },
    { "*cannot be retried*", JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, true, 0 },
    { "*not attempted with failed jobs*", JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, false, 0 },
    { "*resource not accessible*", JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, false, 0 },
    { "*must have admin rights*", JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, false, 0 },
    { "*installation has been suspended*", JR_OUTCOME_LATER, JR_REASON_APP_SUSPENDED, false, 0 },
#define SHUT(pattern, whom) { pattern, JR_OUTCOME_LATER, JR_REASON_SHUT_OUT, false, whom }
    SHUT("*ip allow list*", JR_SHUT_OWNER),
    SHUT("*saml*", JR_SHUT_OWNER),
    SHUT("*forbids access via*", JR_SHUT_OWNER), /* what kinds of token it takes, and how old */
    SHUT("*organi?ation*suspended*", JR_SHUT_OWNER),
    SHUT("*enterprise*suspended*", JR_SHUT_OWNER),
    SHUT("*account*suspended*", JR_SHUT_ALL),
    SHUT("*user*suspended*", JR_SHUT_ALL),
    SHUT("*billing*", JR_SHUT_OWNER),
    SHUT("*spending limit*", JR_SHUT_OWNER),
    SHUT("*account*locked*", JR_SHUT_OWNER),
    SHUT("*actions*disabled*organi?ation*", JR_SHUT_OWNER),
    SHUT("*organi?ation*actions*disabled*", JR_SHUT_OWNER),
    SHUT("*actions*disabled*enterprise*", JR_SHUT_OWNER),
    SHUT("*enterprise*actions*disabled*", JR_SHUT_OWNER),
    SHUT("*actions*disabled*", JR_SHUT_REPO),
#undef SHUT
};

/* How GitHub says that there were too many calls, where a relay has taken the headers away. */
static const char *const limit_words[] = { "rate limit", "secondary rate", "abuse detection" };

/* Clocks that differ by less are the same: Date is in whole seconds, and answers travel. */
#define CLOCKS_MS (10 * JR_SECOND_MS)

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool contains(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

static void sorted(struct jr_call *call, enum jr_outcome outcome, enum jr_reason reason,
                   int64_t wait_ms)
{
    call->outcome = outcome;
    call->reason = reason;
    call->wait_ms = wait_ms;
}

/* wait_ms 0: not said */
static void stop_all(struct jr_call *call, enum jr_reason reason, int64_t wait_ms)
{
    sorted(call, JR_OUTCOME_LATER, reason, wait_ms);
    call->stops_all = true;
    if (wait_ms != 0)
        call->wait_ms = wait_ms < WAIT_MIN_MS   ? WAIT_MIN_MS
                        : wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS
                                                : wait_ms;
}

/*
 * GitHub's own words, and where its documentation of them is. Returns whether there are
 * any: each refusal of GitHub's is a JSON object with a text `message`.
 */
static bool read_message(const struct jr_http_answer *answer, char *message, size_t size,
                         char *documentation, size_t documentation_size)
{
    json_object *root = NULL;
    bool told;

    message[0] = documentation[0] = '\0';
    if (jr_json_parse(answer->body, answer->length, &root, NULL) != JR_OK)
        return false;
    told = jr_json_get_text(root, "message", message, size) == JR_JSON_OK;
    jr_json_get_text(root, "documentation_url", documentation, documentation_size);
    json_object_put(root);
    return told;
}

/* The first line of what is no JSON, for people: it often names who has answered. */
static void quote_body(const struct jr_http_answer *answer, char *text, size_t size)
{
    size_t blanks = strspn(answer->body, " \t\r\n");

    jr_text_copy(text, size, answer->body + blanks);
    text[strcspn(text, "\r\n")] = '\0';
}

static bool clocks_differ(const struct jr_http_answer *answer, int64_t now_ms)
{
    return answer->date_ms != 0
           && (answer->date_ms - now_ms > CLOCKS_MS || now_ms - answer->date_ms > CLOCKS_MS);
}

/* How long after the answer the limit is whole again, by GitHub's clock; 0 or less: not told. */
static int64_t reset_in_ms(const struct jr_http_answer *answer, int64_t now_ms)
{
    if (answer->ratelimit_reset_s <= 0)
        return 0;
    return answer->ratelimit_reset_s * 1000 - (answer->date_ms != 0 ? answer->date_ms : now_ms);
}

static bool is_limit_in_words(const char *text, const char *documentation)
{
    for (size_t i = 0; i < sizeof limit_words / sizeof *limit_words; i++)
        if (contains(text, limit_words[i]))
            return true;
    return contains(documentation, "secondary-rate-limits")
           || contains(documentation, "#abuse-rate-limits");
}

/*
 * Is it a rate limit? Told in the order that GitHub documents. A time that is over says
 * nothing: such are the headers of another limit than the one that was met.
 */
static bool sort_limit(const struct jr_http_answer *answer, const char *documentation,
                       int64_t now_ms, struct jr_call *call)
{
    int64_t reset_ms = reset_in_ms(answer, now_ms);

    if (answer->status != 403 && answer->status != 429)
        return false;
    if (answer->retry_after_s >= 0)
        stop_all(call, JR_REASON_RATE_LIMITED, answer->retry_after_s * 1000);
    else if (answer->ratelimit_remaining == 0)
        stop_all(call, JR_REASON_RATE_LIMITED, reset_ms > 0 ? reset_ms + RESET_SLACK_MS : 0);
    else if (answer->status == 429 || is_limit_in_words(call->text, documentation))
        stop_all(call, JR_REASON_RATE_LIMITED, 0);
    else
        return false;
    return true;
}

/* A 403 of GitHub's that is no rate limit: told by its words, then by its headers. */
static void sort_forbidden(const struct jr_http_answer *answer, struct jr_call *call)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (jr_text_match(refusals[i].pattern, call->text)) {
            sorted(call, refusals[i].outcome, refusals[i].reason, 0);
            call->try_all = refusals[i].try_all;
            call->shut = refusals[i].shut;
            call->stops_all = refusals[i].reason == JR_REASON_APP_SUSPENDED;
            return;
        }
    }
    if (answer->sso_required) {
        sorted(call, JR_OUTCOME_LATER, JR_REASON_SHUT_OUT, 0);
        call->shut = JR_SHUT_OWNER;
        return;
    }
    sorted(call, JR_OUTCOME_NEVER,
           answer->accepted_permissions ? JR_REASON_NO_PERMISSION : JR_REASON_REFUSED, 0);
}

/*
 * An answer of 400 to 499, but for 408. One without GitHub's words comes from something on
 * the way, and decides nothing: a POST may have got through before it was answered so.
 */
static void sort_refusal(const struct jr_http_answer *answer, bool githubs,
                         const char *documentation, bool posted, int64_t now_ms,
                         struct jr_call *call)
{
    if (sort_limit(answer, documentation, now_ms, call))
        return;
    if (!githubs) {
        quote_body(answer, call->text, sizeof call->text);
        sorted(call, posted ? JR_OUTCOME_UNKNOWN : JR_OUTCOME_LATER, JR_REASON_NOT_GITHUB, 0);
    } else if (answer->status == 401) {
        stop_all(call, JR_REASON_BAD_TOKEN, 0);
    } else if (answer->status == 403) {
        sort_forbidden(answer, call);
    } else {
        sorted(call, JR_OUTCOME_NEVER,
               answer->status == 404 ? JR_REASON_NOT_FOUND : JR_REASON_REFUSED, 0);
    }
}

/* What the headers tell, whatever the answer. */
static void read_headers(const struct jr_http_answer *answer, int64_t now_ms,
                         struct jr_call *call)
{
    call->status = answer->status;
    call->begun_us = answer->begun_us;
    call->duration_us = answer->duration_us;
    call->stops_all = call->try_all = false;
    call->shut = JR_SHUT_NOTHING;
    call->hourly_limit = later_of(answer->ratelimit_limit, 0);
    call->rate_remaining = later_of(answer->ratelimit_remaining, -1);
    call->rate_reset_ms = later_of(answer->ratelimit_reset_s, 0) * 1000;
    if (call->rate_reset_ms != 0 && clocks_differ(answer, now_ms))
        call->rate_reset_ms = later_of(now_ms + reset_in_ms(answer, now_ms), 0);
    call->token_expires_ms = jr_timestamp_parse(answer->token_expiration);
    call->date_ms = answer->date_ms;
}

/* Why there is no answer to what changes nothing, or was not sent. */
static enum jr_reason unsent(const struct jr_http_answer *answer)
{
    if (answer->forbidden != JR_REASON_NONE)
        return answer->forbidden;
    return answer->too_late ? JR_REASON_OUTDATED : JR_REASON_UNREACHABLE;
}

void jr_answer_sort(const struct jr_http_answer *answer, bool posted, int64_t now_ms,
                    struct jr_call *call)
{
    char documentation[256] = "";
    int status = answer->status;
    bool githubs = false;

    read_headers(answer, now_ms, call);
    if (status == 0)
        jr_text_copy(call->text, sizeof call->text, answer->text);
    else
        githubs = read_message(answer, call->text, sizeof call->text, documentation,
                               sizeof documentation);

    if (status >= 200 && status < 300)
        sorted(call, JR_OUTCOME_DONE, posted ? JR_REASON_RERUN_ACCEPTED : JR_REASON_NONE, 0);
    else if (posted && ((status == 0 && answer->sent) || status >= 500 || status == 408))
        sorted(call, JR_OUTCOME_UNKNOWN, JR_REASON_OUTCOME_UNKNOWN, 0);
    else if (status == 0)
        sorted(call, JR_OUTCOME_LATER, unsent(answer), 0);
    else if (status >= 500 || status == 408)
        sorted(call, JR_OUTCOME_LATER, JR_REASON_SERVER_ERROR, 0);
    else if (status >= 400)
        sort_refusal(answer, githubs, documentation, posted, now_ms, call);
    else
        sorted(call, JR_OUTCOME_LATER, JR_REASON_MOVED, 0);
}
