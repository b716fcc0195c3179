/*
 * announcer -- sends what people are to be told.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/announcer.h"
#include "fcgi/process/desk.h"
#include "lib/base/buffer.h"
#include "lib/base/log.h"
#include "lib/base/say.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/github/github.h"
#include "lib/github/receiver.h"
#include "lib/rules/notice_body.h"
#include "lib/steps/vigil.h"
#include "lib/store/notices.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Slack takes one message a second. */
#define PACE_MS JR_SECOND_MS

#define BACKOFF_MOST_MS JR_HOUR_MS

/* How often it is looked for what shows only in the numbers of days. */
#define VIGIL_MS (10 * JR_MINUTE_MS)

/* What is refused so often in a row is dropped. */
#define REFUSALS_MOST 8

struct announcer {
    struct jr_desk *desk;        /* its receiver is the way out */
    struct jr_transfer *sending; /* NULL: nothing is under way */
    struct jr_buffer body;
    struct jr_notice_batch batch; /* that is being sent */
    uint64_t dropped;             /* as was last seen; the log is told of more */
    bool has_looked;
    int64_t due_ms;               /* monotonic: not before */
    int64_t backoff_ms;           /* 0: the last message was taken */
    unsigned refusals;            /* of this batch, in a row */
    int64_t vigil_due_ms;         /* monotonic: when it is looked for what no step tells */
    struct jr_flaky_walk walk;
    bool warned;                  /* the log was told of this stretch */
};

/* Without NOTIFY_URL it sends nothing. */
static enum jr_err set_up(void *state, struct jr_desk *desk, struct jr_error *error)
{
    struct announcer *announcer = state;

    announcer->desk = desk;
    if (desk->settings->notify_url == NULL)
        return JR_OK;
    return jr_http_open(&desk->receiver, desk->settings->github_ca_file, error);
}

static void put_down(void *state)
{
    struct announcer *announcer = state;

    jr_http_release(announcer->sending);
    jr_buffer_release(&announcer->body);
    jr_http_close(announcer->desk->receiver);
    announcer->desk->receiver = NULL;
    announcer->sending = NULL;
}

static void read_sum(struct jr_txn *txn, void *context)
{
    jr_notices_sum(txn, context);
}

/* What a transaction does with the batch. */
struct turn {
    struct jr_notice_batch batch;
    int64_t now_ms;
    bool sent;
};

static void begin_batch(struct jr_txn *txn, void *context)
{
    struct turn *turn = context;

    jr_notices_begin(txn, turn->now_ms, &turn->batch);
}

static void end_batch(struct jr_txn *txn, void *context)
{
    const struct turn *turn = context;

    jr_notices_end(txn, &turn->batch, turn->sent);
}

/* Show how many there are, and tell the log of those that others have dropped. */
static bool look(struct announcer *announcer, struct jr_notices_sum *sum)
{
    struct jr_desk *desk = announcer->desk;
    struct jr_error error;
    enum jr_err err = jr_store_read(desk->store, read_sum, sum, &error);

    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return false;
    }
    if (desk->told != NULL) {
        desk->told->notices_waiting = (int64_t)sum->waiting;
        desk->told->notices_sent = (int64_t)sum->sent;
        desk->told->notices_dropped = (int64_t)sum->dropped;
    }
    if (announcer->has_looked && sum->dropped > announcer->dropped)
        jr_log(JR_LOG_WARN, "notices-dropped", "%llu %s not told to anybody since the store was "
               "made: too many at once, older than a day, or refused; %llu before",
               (unsigned long long)sum->dropped,
               jr_say_plural(sum->dropped, "notice was", "notices were"),
               (unsigned long long)announcer->dropped);
    announcer->dropped = sum->dropped;
    announcer->has_looked = true;
    return true;
}

static void write_body(struct announcer *announcer)
{
    const struct jr_settings *settings = announcer->desk->settings;
    const struct jr_notice_batch *batch = &announcer->batch;
    char web_url[600];
    struct jr_notice_told told = {
        .items = batch->items, .items_count = batch->items_count, .count = batch->count,
        .counts = batch->counts, .first = batch->first, .last = batch->last,
        .begun_ms = batch->begun_ms, .api_url = settings->github_api_url, .web_url = web_url,
    };

    jr_github_web_url(settings->github_api_url, web_url, sizeof web_url);
    jr_buffer_release(&announcer->body);
    jr_buffer_init(&announcer->body, JR_NOTICE_BODY_MAX);
    jr_notice_body_write(settings->notify_format, &told, &announcer->body);
}

/* Look for what is to be told though no step of a run tells it. */
static void keep_vigil(struct announcer *announcer)
{
    struct jr_desk *desk = announcer->desk;
    struct jr_error error;
    enum jr_err err;

    if (jr_monotonic_ms() < announcer->vigil_due_ms)
        return;
    announcer->vigil_due_ms = jr_monotonic_ms() + VIGIL_MS;
    err = jr_vigil_look(desk->store, jr_settings_notifies(desk->settings), jr_now_ms(),
                        &announcer->walk, &error);
    if (err != JR_OK)
        jr_desk_store_failed(desk, err, &error);
}

/* Begin to send what waits. */
static void send_next(struct announcer *announcer)
{
    struct jr_desk *desk = announcer->desk;
    struct turn turn = { .now_ms = jr_now_ms() };
    struct jr_error error;
    enum jr_err err = jr_store_write(desk->store, begin_batch, &turn, &error);

    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return;
    }
    if (turn.batch.last != announcer->batch.last)
        announcer->refusals = 0;
    announcer->batch = turn.batch;
    if (turn.batch.count == 0)
        return;
    write_body(announcer);
    if (announcer->body.ok)
        announcer->sending = jr_receiver_begin(
            desk->receiver, desk->settings->notify_url,
            jr_notice_body_type(desk->settings->notify_format), announcer->body.bytes);
    if (announcer->sending == NULL)
        jr_log(JR_LOG_ERROR, "notice-failed", "out of memory");
}

static void finish(struct announcer *announcer, bool sent)
{
    struct jr_desk *desk = announcer->desk;
    struct turn turn = { .batch = announcer->batch, .sent = sent };
    struct jr_error error;
    enum jr_err err;

    jr_test_point("notified");
    err = jr_store_write(desk->store, end_batch, &turn, &error);
    if (err != JR_OK)
        jr_desk_store_failed(desk, err, &error);
    announcer->refusals = 0;
}

static void tell_failure(struct announcer *announcer, const struct jr_http_answer *answer)
{
    const char *url = announcer->desk->settings->notify_url;
    char host[JR_RECEIVER_HOST_SIZE], words[256];

    jr_receiver_words(answer, url, words, sizeof words);
    jr_log(announcer->warned ? JR_LOG_DEBUG : JR_LOG_WARN, "notice-failed",
           "%s has not taken a notice: %s; it is tried again", jr_receiver_host(url, host), words);
    announcer->warned = true;
}

static void put_off(struct announcer *announcer, int64_t asked_ms)
{
    int64_t least_ms = announcer->desk->settings->api_backoff_min_ms;

    announcer->backoff_ms = announcer->backoff_ms == 0 ? least_ms : announcer->backoff_ms * 2;
    if (announcer->backoff_ms > BACKOFF_MOST_MS)
        announcer->backoff_ms = BACKOFF_MOST_MS;
    announcer->due_ms = jr_monotonic_ms()
                        + (asked_ms > announcer->backoff_ms ? asked_ms : announcer->backoff_ms);
}

static void take_answer(struct announcer *announcer, const struct jr_http_answer *answer)
{
    struct jr_told *told = announcer->desk->told;
    int64_t asked_ms;
    enum jr_uptake uptake = jr_receiver_sort(answer, &asked_ms);

    if (uptake == JR_UPTAKE_TAKEN) {
        char host[JR_RECEIVER_HOST_SIZE];

        finish(announcer, true);
        jr_log(announcer->warned ? JR_LOG_INFO : JR_LOG_DEBUG, "notified",
               "%s has taken a message about %llu %s",
               jr_receiver_host(announcer->desk->settings->notify_url, host),
               (unsigned long long)announcer->batch.count,
               jr_say_plural(announcer->batch.count, "notice", "notices"));
        announcer->warned = false;
        announcer->backoff_ms = 0;
        announcer->due_ms = jr_monotonic_ms() + PACE_MS;
        return;
    }
    if (told != NULL)
        told->notices_failed = told->notices_failed + 1;
    tell_failure(announcer, answer);
    if (uptake == JR_UPTAKE_REFUSED && ++announcer->refusals >= REFUSALS_MOST)
        finish(announcer, false);
    put_off(announcer, asked_ms);
}

/* Take in what has come of a message. Returns whether none is under way. */
static bool is_free(struct announcer *announcer)
{
    const struct jr_http_answer *answer;

    if (announcer->sending == NULL)
        return true;
    jr_http_work(announcer->desk->receiver);
    answer = jr_http_answer(announcer->sending);
    if (answer == NULL)
        return false;
    take_answer(announcer, answer);
    jr_http_release(announcer->sending);
    announcer->sending = NULL;
    return true;
}

static int64_t take_turn(void *state)
{
    struct announcer *announcer = state;
    struct jr_notices_sum sum;
    int64_t wait_ms;

    if (announcer->desk->receiver == NULL || !is_free(announcer))
        return JR_CALLS_NEVER;
    keep_vigil(announcer);
    if (!look(announcer, &sum) || sum.waiting == 0)
        return JR_CALLS_NEVER;
    wait_ms = announcer->due_ms - jr_monotonic_ms();
    if (wait_ms > 0)
        return wait_ms;
    send_next(announcer);
    return announcer->sending == NULL ? PACE_MS : JR_CALLS_NEVER;
}

static bool is_under_way(const void *state)
{
    const struct announcer *announcer = state;

    return announcer->sending != NULL;
}

const struct jr_duty jr_announcer_duty = {
    .turn = JR_DUTY_ASIDE,
    .size = sizeof(struct announcer),
    .open = set_up,
    .work = take_turn,
    .is_under_way = is_under_way,
    .close = put_down,
};
