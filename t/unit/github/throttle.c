/*
 * throttle -- when GitHub may be called.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/throttle.h"
#include "t/unit/support.h"

#include <string.h>

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_throttle throttle;
};

static void load_of(struct bench *bench, const char *token, uint64_t installation, int64_t now_ms)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, false);
    jr_throttle_load(&txn, &bench->throttle, token, installation, now_ms);
    commit(&txn);
}

static void load(struct bench *bench, const char *token, int64_t now_ms)
{
    load_of(bench, token, 0, now_ms);
}

static void save(struct bench *bench)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, true);
    jr_throttle_save(&txn, &bench->throttle);
    commit(&txn);
}

static void open_bench(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->store = open_store(new_folder());
    load_settings(&bench->settings, NULL);
    load(bench, "token", START_MS);
}

static void close_bench(struct bench *bench)
{
    jr_store_close(bench->store);
    jr_settings_release(&bench->settings);
}

static bool note(struct bench *bench, int status, enum jr_reason reason, int64_t wait_ms, int64_t now_ms)
{
    struct jr_call call = {
        .what = "test",
        .status = status,
        .reason = reason,
        .outcome = JR_OUTCOME_LATER,
        .stops_all = reason == JR_REASON_RATE_LIMITED || reason == JR_REASON_BAD_TOKEN
                     || reason == JR_REASON_BAD_APP || reason == JR_REASON_APP_SUSPENDED,
        .wait_ms = wait_ms,
    };

    return jr_throttle_note(&bench->throttle, &bench->settings, &call, now_ms);
}

static void clean_start(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    assert_int_equal(bench.throttle.stopped_until_ms, 0);
    assert_int_equal(bench.throttle.rejected_ms, 0);
    assert_false(note(&bench, 200, JR_REASON_NONE, 0, START_MS));
    assert_int_equal(bench.throttle.stopped_until_ms, 0);
    close_bench(&bench);
}

static void named_wait(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    assert_true(note(&bench, 403, JR_REASON_RATE_LIMITED, 90000, START_MS));
    assert_int_equal(bench.throttle.stopped_until_ms, START_MS + 90000);
    assert_int_equal(bench.throttle.stop_reason, JR_REASON_RATE_LIMITED);
    assert_int_equal(bench.throttle.rejected_ms, 0);
    /* No answer says nothing about it. */
    assert_false(note(&bench, 0, JR_REASON_UNREACHABLE, 0, START_MS + 1));
    assert_int_equal(bench.throttle.stopped_until_ms, START_MS + 90000);
    /* A good one does. */
    assert_true(note(&bench, 200, JR_REASON_NONE, 0, START_MS + 90000));
    assert_int_equal(bench.throttle.stopped_until_ms, 0);
    close_bench(&bench);
}

/* What does not come from GitHub, or from a GitHub that fails, shows nothing of token and limit. */
static void strangers_end_no_stop(void **state)
{
    static const struct { int status; enum jr_reason reason; } answers[] = {
        { 502, JR_REASON_SERVER_ERROR }, { 502, JR_REASON_OUTCOME_UNKNOWN }, { 403, JR_REASON_NOT_GITHUB },
        { 200, JR_REASON_BAD_ANSWER }, { 302, JR_REASON_MOVED },
    };
    struct bench bench;

    (void)state;
    open_bench(&bench);
    note(&bench, 401, JR_REASON_BAD_TOKEN, 0, START_MS);
    note(&bench, 403, JR_REASON_RATE_LIMITED, 0, START_MS);
    for (size_t i = 0; i < COUNT(answers); i++) {
        assert_false(note(&bench, answers[i].status, answers[i].reason, 0, START_MS + JR_HOUR_MS));
        assert_int_equal(bench.throttle.rejected_ms, START_MS);
        assert_int_equal(bench.throttle.secondary_wait_ms, JR_MINUTE_MS);
    }
    assert_true(note(&bench, 404, JR_REASON_NOT_FOUND, 0, START_MS + JR_HOUR_MS));
    assert_int_equal(bench.throttle.rejected_ms, 0);
    close_bench(&bench);
}

/* "at least one minute", then "an exponentially increasing amount of time" */
static void unnamed_waits_double(void **state)
{
    struct bench bench;
    int64_t want_ms = JR_MINUTE_MS;

    (void)state;
    open_bench(&bench);
    for (int i = 0; i < 10; i++) {
        assert_true(note(&bench, 403, JR_REASON_RATE_LIMITED, 0, START_MS));
        assert_int_equal(bench.throttle.stopped_until_ms, START_MS + want_ms);
        want_ms = want_ms * 2 < JR_THROTTLE_MAX_MS ? want_ms * 2 : JR_THROTTLE_MAX_MS;
    }
    note(&bench, 200, JR_REASON_NONE, 0, START_MS);
    note(&bench, 403, JR_REASON_RATE_LIMITED, 0, START_MS);
    assert_int_equal(bench.throttle.stopped_until_ms, START_MS + JR_MINUTE_MS);
    close_bench(&bench);
}

/* Rule 7: tried again every API_BACKOFF_MAX. */
static void rejected_token(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    assert_true(note(&bench, 401, JR_REASON_BAD_TOKEN, 0, START_MS));
    assert_int_equal(bench.throttle.rejected_ms, START_MS);
    assert_int_equal(bench.throttle.stop_reason, JR_REASON_BAD_TOKEN);
    assert_int_equal(bench.throttle.stopped_until_ms, START_MS + 10 * JR_MINUTE_MS);
    assert_true(note(&bench, 401, JR_REASON_BAD_TOKEN, 0, START_MS + 10 * JR_MINUTE_MS));
    assert_int_equal(bench.throttle.rejected_ms, START_MS); /* since when */
    assert_int_equal(bench.throttle.stopped_until_ms, START_MS + 20 * JR_MINUTE_MS);
    assert_true(note(&bench, 200, JR_REASON_NONE, 0, START_MS + 20 * JR_MINUTE_MS));
    assert_int_equal(bench.throttle.rejected_ms, 0);
    assert_int_equal(bench.throttle.stopped_until_ms, 0);
    close_bench(&bench);
}

static void stop_outlives_a_restart(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    note(&bench, 401, JR_REASON_BAD_TOKEN, 0, START_MS);
    note(&bench, 403, JR_REASON_RATE_LIMITED, JR_HOUR_MS, START_MS);
    save(&bench);
    load(&bench, "token", START_MS + 1000);
    assert_int_equal(bench.throttle.stopped_until_ms, START_MS + JR_HOUR_MS);
    assert_int_equal(bench.throttle.stop_reason, JR_REASON_RATE_LIMITED);
    close_bench(&bench);
}

static void new_token_starts_clean(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    note(&bench, 401, JR_REASON_BAD_TOKEN, 0, START_MS);
    save(&bench);
    load(&bench, "another", START_MS);
    assert_int_equal(bench.throttle.stopped_until_ms, 0);
    assert_int_equal(bench.throttle.rejected_ms, 0);
    load(&bench, "token", START_MS);
    assert_int_equal(bench.throttle.rejected_ms, START_MS);
    close_bench(&bench);
}

/* The clock was far ahead when it was saved. */
static void stop_too_far_ahead_is_cut(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    note(&bench, 403, JR_REASON_RATE_LIMITED, JR_HOUR_MS, START_MS + 1000 * JR_DAY_MS);
    save(&bench);
    load(&bench, "token", START_MS);
    assert_in_range(bench.throttle.stopped_until_ms, START_MS, START_MS + JR_THROTTLE_MAX_MS);
    close_bench(&bench);
}

/* A clock that is set back makes no stop longer; and it still ends by itself. */
static void stop_grows_no_longer(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS), 0);
    note(&bench, 403, JR_REASON_RATE_LIMITED, JR_MINUTE_MS, START_MS);
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS + 1000), JR_MINUTE_MS - 1000);
    save(&bench);
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS - JR_DAY_MS), JR_MINUTE_MS);
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS - JR_DAY_MS + 59000), 1000);
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS - JR_DAY_MS + JR_MINUTE_MS), 0);
    load(&bench, "token", START_MS + 2000);
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS + 2000), JR_MINUTE_MS - 2000);
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS - JR_HOUR_MS), JR_MINUTE_MS - 2000);
    close_bench(&bench);
}

/* Each is stopped by itself, and what is no longer stopped leaves nothing behind. */
static void installations_are_apart(void **state)
{
    struct bench bench;
    struct jr_txn txn;
    uint64_t records;

    (void)state;
    open_bench(&bench);
    jr_txn_begin(&txn, bench.store, false);
    records = jr_txn_count(&txn, JR_TABLE_META);
    commit(&txn);
    load_of(&bench, "4711", 11, START_MS);
    note(&bench, 403, JR_REASON_RATE_LIMITED, JR_HOUR_MS, START_MS);
    save(&bench);
    load_of(&bench, "4711", 12, START_MS);
    assert_int_equal(bench.throttle.stopped_until_ms, 0);
    note(&bench, 403, JR_REASON_APP_SUSPENDED, 0, START_MS);
    assert_int_equal(bench.throttle.stopped_until_ms, START_MS + 10 * JR_MINUTE_MS);
    assert_int_equal(bench.throttle.rejected_ms, 0);
    save(&bench);
    load(&bench, "4711", START_MS);
    assert_int_equal(bench.throttle.stopped_until_ms, 0);
    load_of(&bench, "4712", 11, START_MS); /* another App */
    assert_int_equal(bench.throttle.stopped_until_ms, 0);
    for (uint64_t id = 11; id <= 12; id++) {
        load_of(&bench, "4711", id, START_MS + 1000);
        assert_int_equal(bench.throttle.stopped_until_ms, START_MS + (id == 11 ? JR_HOUR_MS : 10 * JR_MINUTE_MS));
        assert_int_equal(bench.throttle.installation, id);
        note(&bench, 200, JR_REASON_NONE, 0, START_MS + 2000);
        save(&bench);
    }
    jr_txn_begin(&txn, bench.store, false);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_META), records);
    commit(&txn);
    close_bench(&bench);
}

static void app_is_rejected_like_a_token(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    assert_true(note(&bench, 401, JR_REASON_BAD_APP, 0, START_MS));
    assert_int_equal(bench.throttle.rejected_ms, START_MS);
    assert_int_equal(bench.throttle.stop_reason, JR_REASON_BAD_APP);
    assert_int_equal(bench.throttle.stopped_until_ms, START_MS + 10 * JR_MINUTE_MS);
    close_bench(&bench);
}

static void token_is_not_stored(void **state)
{
    struct bench bench;
    struct jr_entry entry = { .key_length = 0 };
    struct jr_txn txn;

    (void)state;
    open_bench(&bench);
    load(&bench, "ghp_S3CRET", START_MS);
    note(&bench, 401, JR_REASON_BAD_TOKEN, 0, START_MS);
    save(&bench);
    jr_txn_begin(&txn, bench.store, false);
    while (jr_txn_seek(&txn, JR_TABLE_META, entry.key, entry.key_length, true, &entry))
        assert_null(memmem(entry.value, entry.value_length, "S3CRET", 6));
    commit(&txn);
    close_bench(&bench);
}

static void headers_are_learnt(void **state)
{
    struct bench bench;
    struct jr_call call = { .what = "test", .status = 200, .hourly_limit = 15000, .token_expires_ms = START_MS };

    (void)state;
    open_bench(&bench);
    assert_true(jr_throttle_note(&bench.throttle, &bench.settings, &call, START_MS));
    assert_false(jr_throttle_note(&bench.throttle, &bench.settings, &call, START_MS));
    call.hourly_limit = call.token_expires_ms = 0; /* not said */
    assert_false(jr_throttle_note(&bench.throttle, &bench.settings, &call, START_MS));
    save(&bench);
    load(&bench, "token", START_MS);
    assert_int_equal(bench.throttle.hourly_limit, 15000);
    assert_int_equal(bench.throttle.token_expires_ms, START_MS);
    close_bench(&bench);
}

/* How many calls may be made at once. */
static unsigned burst(struct bench *bench, int64_t now_ms)
{
    unsigned calls = 0;

    while (jr_throttle_wait_ms(&bench->throttle, now_ms) == 0) {
        jr_throttle_take(&bench->throttle);
        assert_true(++calls < 10000);
    }
    return calls;
}

struct share_row {
    const char *name;
    int64_t hourly_limit;
    unsigned want;
};

/* A tenth of the hourly limit, as a bucket that is full at start. */
static void share_is(void **state)
{
    const struct share_row *row = *state;
    struct bench bench;
    int64_t wait_ms;

    open_bench(&bench);
    bench.throttle.hourly_limit = row->hourly_limit;
    assert_int_equal(burst(&bench, START_MS), row->want);
    wait_ms = jr_throttle_wait_ms(&bench.throttle, START_MS);
    assert_in_range(wait_ms, JR_HOUR_MS / row->want - 5, JR_HOUR_MS / row->want + 5);
    assert_int_equal(jr_throttle_wait_ms(&bench.throttle, START_MS + wait_ms), 0);
    assert_int_equal(burst(&bench, START_MS + wait_ms), 1);
    /* It fills up to the brim and no further. */
    assert_in_range(burst(&bench, START_MS + JR_HOUR_MS / 2), row->want / 2 - 2, row->want / 2 + 2);
    assert_int_equal(burst(&bench, START_MS + 100 * JR_HOUR_MS), row->want);
    close_bench(&bench);
}

static const struct share_row shares[] = {
    { "as long as nothing was told", 0, 500 },
    { "of a personal token", 5000, 500 },
    { "of an enterprise", 15000, 1500 },
    { "of a job's token", 1000, 100 },
};

/* Who has begun to look goes on, and waits the longer afterwards. */
static void share_may_be_overdrawn(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    bench.throttle.hourly_limit = 600; /* one call a minute */
    burst(&bench, START_MS);
    for (int i = 0; i < 5; i++)
        jr_throttle_take(&bench.throttle);
    assert_in_range(jr_throttle_wait_ms(&bench.throttle, START_MS), 6 * JR_MINUTE_MS - 5, 6 * JR_MINUTE_MS + 5);
    assert_int_equal(burst(&bench, START_MS + 6 * JR_MINUTE_MS + 5), 1);
    close_bench(&bench);
}

static void clock_may_go_back(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    burst(&bench, START_MS);
    assert_true(jr_throttle_wait_ms(&bench.throttle, START_MS - JR_DAY_MS) > 0);
    assert_true(burst(&bench, START_MS - JR_DAY_MS + JR_HOUR_MS) > 0);
    close_bench(&bench);
}

static void recalled_without_the_token(void **state)
{
    struct bench bench;
    struct jr_throttle recalled;
    struct jr_txn txn;

    (void)state;
    open_bench(&bench);
    bench.throttle.rejected_ms = START_MS + 1;
    bench.throttle.token_expires_ms = START_MS + 2;
    bench.throttle.hourly_limit = 15000;
    jr_txn_begin(&txn, bench.store, false);
    jr_throttle_recall(&txn, &recalled);
    commit(&txn);
    assert_true(recalled.token_expires_ms == 0);
    save(&bench);
    jr_txn_begin(&txn, bench.store, false);
    jr_throttle_recall(&txn, &recalled);
    commit(&txn);
    assert_true(recalled.rejected_ms == START_MS + 1);
    assert_true(recalled.token_expires_ms == START_MS + 2);
    assert_true(recalled.hourly_limit == 15000);
    close_bench(&bench);
}

/* An answer to a call that was begun at begun_us and took a second. */
static struct jr_call call_of(int64_t begun_us, enum jr_reason reason, int64_t wait_ms)
{
    const struct jr_call call = {
        .status = 403, .reason = reason, .outcome = JR_OUTCOME_LATER,
        .stops_all = reason == JR_REASON_RATE_LIMITED, .wait_ms = wait_ms,
        .begun_us = begun_us, .duration_us = 1000000,
    };

    return call;
}

/* Of calls that were under way together, the good answer of one does not end the other's stop. */
static void calls_of_before_end_no_stop(void **state)
{
    struct jr_call stop = call_of(5000000, JR_REASON_RATE_LIMITED, 0);
    struct jr_call again = call_of(5900000, JR_REASON_RATE_LIMITED, 0);
    struct jr_call named = call_of(5900000, JR_REASON_RATE_LIMITED, 2 * JR_MINUTE_MS);
    struct jr_call early = call_of(5999999, JR_REASON_ALREADY_RUNNING, 0);
    struct jr_call late = call_of(6000000, JR_REASON_ALREADY_RUNNING, 0);
    struct bench bench;

    (void)state;
    open_bench(&bench);
    assert_true(jr_throttle_note(&bench.throttle, &bench.settings, &stop, START_MS));
    assert_false(jr_throttle_note(&bench.throttle, &bench.settings, &again, START_MS));
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS), JR_MINUTE_MS); /* not doubled */
    assert_true(jr_throttle_note(&bench.throttle, &bench.settings, &named, START_MS));
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS), 2 * JR_MINUTE_MS);
    named.wait_ms = JR_MINUTE_MS;
    assert_false(jr_throttle_note(&bench.throttle, &bench.settings, &named, START_MS));
    assert_false(jr_throttle_note(&bench.throttle, &bench.settings, &early, START_MS));
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS), 2 * JR_MINUTE_MS);
    assert_true(jr_throttle_note(&bench.throttle, &bench.settings, &late, START_MS));
    assert_int_equal(jr_throttle_stop_left_ms(&bench.throttle, START_MS), 0);
    close_bench(&bench);
}

int main(void)
{
    TEST(clean_start);
    TEST(named_wait);
    TEST(strangers_end_no_stop);
    TEST(unnamed_waits_double);
    TEST(rejected_token);
    TEST(stop_outlives_a_restart);
    TEST(new_token_starts_clean);
    TEST(stop_too_far_ahead_is_cut);
    TEST(stop_grows_no_longer);
    TEST(installations_are_apart);
    TEST(app_is_rejected_like_a_token);
    TEST(token_is_not_stored);
    TEST(headers_are_learnt);
    TEST(calls_of_before_end_no_stop);
    TABLE(shares, share_is);
    TEST(share_may_be_overdrawn);
    TEST(clock_may_go_back);
    TEST(recalled_without_the_token);
    return run_program("throttle");
}
