/*
 * outage -- while calls fail, whatever they are about.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/outage.h"
#include "t/unit/support.h"

#define MS JR_SECOND_MS

struct row {
    const char *name;
    enum jr_reason reason;
    int status;
    enum jr_reason want;
};

static void reason_is(void **state)
{
    const struct row *row = *state;
    struct jr_call call = { .reason = row->reason, .status = row->status };

    assert_int_equal(jr_outage_reason(&call), row->want);
}

static const struct row rows[] = {
    { "a good answer", JR_REASON_NONE, 200, JR_REASON_NONE },
    { "nobody there", JR_REASON_UNREACHABLE, 0, JR_REASON_UNREACHABLE },
    { "a 502", JR_REASON_SERVER_ERROR, 502, JR_REASON_SERVER_ERROR },
    { "a POST that was cut off", JR_REASON_OUTCOME_UNKNOWN, 0, JR_REASON_UNREACHABLE },
    { "a POST and a 502", JR_REASON_OUTCOME_UNKNOWN, 502, JR_REASON_SERVER_ERROR },
    { "a proxy's 403", JR_REASON_NOT_GITHUB, 403, JR_REASON_NOT_GITHUB },
    { "a portal's page", JR_REASON_BAD_ANSWER, 200, JR_REASON_NOT_GITHUB },
    { "a way to a portal", JR_REASON_MOVED, 302, JR_REASON_NOT_GITHUB },
    { "a 404", JR_REASON_NOT_FOUND, 404, JR_REASON_NONE },
    { "a rate limit", JR_REASON_RATE_LIMITED, 429, JR_REASON_NONE },
    { "a rejected token", JR_REASON_BAD_TOKEN, 401, JR_REASON_NONE },
    { "a shut-out", JR_REASON_SHUT_OUT, 403, JR_REASON_NONE },
};

struct bench {
    struct jr_settings settings;
    struct jr_outage outage;
};

static void open_bench(struct bench *bench, const char *settings)
{
    load_settings(&bench->settings, settings);
    bench->outage = (struct jr_outage){ .good_ms = 0 };
}

static bool note(struct bench *bench, enum jr_reason reason, uint64_t about, int64_t now_ms)
{
    struct jr_call call = { .reason = reason, .status = reason == JR_REASON_UNREACHABLE ? 0 : 500 };

    return jr_outage_note(&bench->outage, &bench->settings, &call, about, now_ms);
}

static void waits_double(void **state)
{
    static const int64_t waits_ms[] = { 10 * MS, 20 * MS, 40 * MS, 60 * MS, 60 * MS };
    struct bench bench;

    (void)state;
    open_bench(&bench, NULL);
    assert_false(note(&bench, JR_REASON_UNREACHABLE, 1, MS));
    assert_int_equal(jr_outage_wait_ms(&bench.outage, MS), 0);
    assert_int_equal(bench.outage.reason, JR_REASON_UNREACHABLE);
    for (size_t i = 0; i < COUNT(waits_ms); i++) {
        assert_int_equal(note(&bench, JR_REASON_SERVER_ERROR, i + 2, MS), i == 0);
        assert_int_equal(jr_outage_wait_ms(&bench.outage, MS), waits_ms[i]);
        assert_int_equal(jr_outage_wait_ms(&bench.outage, MS + waits_ms[i]), 0);
    }
    assert_int_equal(bench.outage.reason, JR_REASON_SERVER_ERROR);
    assert_true(note(&bench, JR_REASON_NONE, 1, 99 * MS));
    assert_int_equal(jr_outage_wait_ms(&bench.outage, 99 * MS), 0);
    assert_int_equal(bench.outage.reason, JR_REASON_NONE);
    assert_int_equal(bench.outage.good_ms, 99 * MS);
    assert_false(note(&bench, JR_REASON_NONE, 1, 100 * MS));
    jr_settings_release(&bench.settings);
}

static void api_backoff_max_is_the_most(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, "API_BACKOFF_MIN=1s API_BACKOFF_MAX=3s");
    for (uint64_t run = 1; run < 6; run++)
        note(&bench, JR_REASON_UNREACHABLE, run, MS);
    assert_int_equal(jr_outage_wait_ms(&bench.outage, MS), 3 * MS);
    jr_settings_release(&bench.settings);
}

/* It may be this run alone. */
static void one_run_holds_up_nobody(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, NULL);
    for (int i = 0; i < 5; i++)
        assert_false(note(&bench, JR_REASON_SERVER_ERROR, 7, MS));
    assert_int_equal(jr_outage_wait_ms(&bench.outage, MS), 0);
    note(&bench, JR_REASON_NONE, 8, MS);
    assert_false(note(&bench, JR_REASON_SERVER_ERROR, 7, MS));
    assert_true(note(&bench, JR_REASON_SERVER_ERROR, 8, MS));
    assert_int_equal(jr_outage_wait_ms(&bench.outage, MS), 10 * MS);
    jr_settings_release(&bench.settings);
}

/* Lists are about no run, each of another repository. */
static void lists_count_each(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, NULL);
    assert_false(note(&bench, JR_REASON_UNREACHABLE, 0, MS));
    assert_true(note(&bench, JR_REASON_UNREACHABLE, 0, MS));
    jr_settings_release(&bench.settings);
}

/* Calls that were under way together fail together, and count as one. */
static void fail_together(void **state)
{
    struct jr_call call = { .reason = JR_REASON_SERVER_ERROR, .status = 500, .begun_us = 5000000,
                            .duration_us = 1000000 };
    struct bench bench;

    (void)state;
    open_bench(&bench, NULL);
    assert_false(jr_outage_note(&bench.outage, &bench.settings, &call, 1, MS));
    assert_true(jr_outage_note(&bench.outage, &bench.settings, &call, 2, MS));
    call.begun_us = 5999999;
    assert_false(jr_outage_note(&bench.outage, &bench.settings, &call, 3, 5 * MS));
    assert_int_equal(jr_outage_wait_ms(&bench.outage, MS), 10 * MS);
    call.begun_us = 6000000;
    assert_false(jr_outage_note(&bench.outage, &bench.settings, &call, 4, 20 * MS));
    assert_int_equal(jr_outage_wait_ms(&bench.outage, 20 * MS), 20 * MS);
    /* Whenever it was asked: GitHub answers. */
    call = (struct jr_call){ .status = 200, .begun_us = 1 };
    assert_true(jr_outage_note(&bench.outage, &bench.settings, &call, 5, 21 * MS));
    assert_int_equal(jr_outage_wait_ms(&bench.outage, 21 * MS), 0);
    jr_settings_release(&bench.settings);
}

/* Where logs cannot be had, all else may be as good as ever. */
static void optional_calls_make_none(void **state)
{
    struct jr_call call = { .api = JR_API_GET_LOG, .reason = JR_REASON_SERVER_ERROR, .status = 502 };
    struct bench bench;

    (void)state;
    open_bench(&bench, NULL);
    for (uint64_t about = 1; about < 5; about++)
        assert_false(jr_outage_note(&bench.outage, &bench.settings, &call, about, MS));
    assert_int_equal(bench.outage.reason, JR_REASON_NONE);
    assert_int_equal(jr_outage_wait_ms(&bench.outage, MS), 0);
    /* Nor does one end an outage but by being answered. */
    assert_false(note(&bench, JR_REASON_SERVER_ERROR, 1, MS));
    assert_true(note(&bench, JR_REASON_SERVER_ERROR, 2, MS));
    assert_false(jr_outage_note(&bench.outage, &bench.settings, &call, 3, MS));
    assert_int_equal(bench.outage.reason, JR_REASON_SERVER_ERROR);
    call = (struct jr_call){ .api = JR_API_GET_LOG, .reason = JR_REASON_NOT_FOUND, .status = 404 };
    assert_true(jr_outage_note(&bench.outage, &bench.settings, &call, 3, MS));
    jr_settings_release(&bench.settings);
}

int main(void)
{
    TABLE(rows, reason_is);
    TEST(waits_double);
    TEST(api_backoff_max_is_the_most);
    TEST(one_run_holds_up_nobody);
    TEST(lists_count_each);
    TEST(fail_together);
    TEST(optional_calls_make_none);
    return run_program("outage");
}
