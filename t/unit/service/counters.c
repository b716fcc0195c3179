/*
 * counters -- what one process counts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/request.h"
#include "lib/service/counters.h"
#include "t/unit/support.h"

#include <string.h>

struct bucket_row {
    const char *name;
    int64_t duration_us;
    size_t want;
};

/* Bounds belong to the bucket below: Prometheus' "le". */
static const struct bucket_row bucket_rows[] = {
    { "nothing", 0, 0 },
    { "a clock that was wrong", -5, 0 },
    { "on the first bound", 500, 0 },
    { "above the first bound", 501, 1 },
    { "half a bucket", 1500, 2 },
    { "on the last bound", 8000000, JR_HISTOGRAM_BOUNDS - 1 },
    { "above the last bound", 8000001, JR_HISTOGRAM_BOUNDS },
    { "for ever", INT64_MAX, JR_HISTOGRAM_BOUNDS },
};

static void bucket(void **state)
{
    const struct bucket_row *row = *state;
    struct jr_histogram histogram;

    memset(&histogram, 0, sizeof histogram);
    jr_histogram_note(&histogram, row->duration_us);
    for (size_t i = 0; i <= JR_HISTOGRAM_BOUNDS; i++)
        assert_int_equal(histogram.buckets[i], i == row->want);
    assert_int_equal(histogram.sum_us, row->duration_us < 0 ? 0 : row->duration_us);
    assert_int_equal(jr_histogram_count(&histogram), 1);
}

static void bounds_rise(void **state)
{
    (void)state;
    for (size_t i = 1; i < JR_HISTOGRAM_BOUNDS; i++)
        assert_true(jr_histogram_bounds_us[i] > jr_histogram_bounds_us[i - 1]);
}

struct webhook_row {
    const char *name, *event;
    int status;
    enum jr_counted_event want;
    int want_status;
};

static const struct webhook_row webhook_rows[] = {
    { "a job", "workflow_job", 202, JR_COUNTED_WORKFLOW_JOB, 202 },
    { "a run", "workflow_run", 201, JR_COUNTED_WORKFLOW_RUN, 201 },
    { "a ping", "ping", 204, JR_COUNTED_PING, 204 },
    { "another", "push", 204, JR_COUNTED_OTHER, 204 },
    { "a word of ours", "other", 204, JR_COUNTED_OTHER, 204 },
    { "none", NULL, 400, JR_COUNTED_UNNAMED, 400 },
    { "almost a job", "workflow_jobs", 400, JR_COUNTED_OTHER, 400 },
    { "a status that is not in the set", "ping", 299, JR_COUNTED_PING, 0 },
};

static void webhook(void **state)
{
    const struct webhook_row *row = *state;
    struct jr_counters counters;

    memset(&counters, 0, sizeof counters);
    jr_count_webhook(&counters, row->event, row->status, JR_REASON_BAD_JSON, 700);
    for (size_t event = 0; event < JR_COUNTED_EVENTS; event++)
        for (size_t i = 0; i < JR_COUNTED_STATUSES; i++)
            assert_int_equal(counters.webhooks[event][i],
                             event == (size_t)row->want
                                 && jr_counted_status(i) == row->want_status);
    assert_int_equal(counters.webhook_reasons[JR_REASON_BAD_JSON], 1);
    assert_int_equal(counters.webhook_us.sum_us, 700);
}

/* Whatever request.c may answer has a place of its own. */
static void every_status(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        bool counted = false;

        for (size_t i = 0; i < JR_COUNTED_STATUSES; i++)
            counted |= jr_counted_status(i) == status;
        if (!counted)
            assert_string_equal(jr_response_result(status), jr_response_result(999));
    }
    assert_int_equal(jr_counted_status(JR_COUNTED_STATUSES - 1), 0);
}

/* Each reason that there is has a place of its own. */
static void every_reason(void **state)
{
    (void)state;
    for (int reason = 1; reason < 1000; reason++)
        if (strcmp(jr_reason_token((enum jr_reason)reason), "none") != 0)
            assert_true(reason < JR_COUNTED_REASONS);
}

struct call_row {
    const char *name;
    struct jr_call call;
    int want; /* enum jr_api; -1: not counted */
    enum jr_reason want_result;
    int want_rerun; /* enum jr_outcome; -1: none */
};

static const struct call_row call_rows[] = {
    { "GET", { .api = JR_API_GET_RUN, .outcome = JR_OUTCOME_DONE }, JR_API_GET_RUN,
      JR_REASON_NONE, -1 },
    { "GET that fails",
      { .api = JR_API_GET_RUN, .outcome = JR_OUTCOME_LATER, .reason = JR_REASON_SERVER_ERROR },
      JR_API_GET_RUN, JR_REASON_SERVER_ERROR, -1 },
    { "POST",
      { .api = JR_API_RERUN_FAILED, .outcome = JR_OUTCOME_DONE,
        .reason = JR_REASON_RERUN_ACCEPTED },
      JR_API_RERUN_FAILED, JR_REASON_NONE, JR_OUTCOME_DONE },
    { "POST refused",
      { .api = JR_API_RERUN_ALL, .outcome = JR_OUTCOME_NEVER, .reason = JR_REASON_NO_PERMISSION },
      JR_API_RERUN_ALL, JR_REASON_NO_PERMISSION, JR_OUTCOME_NEVER },
    { "list", { .api = JR_API_LIST_RUNS, .outcome = JR_OUTCOME_DONE }, JR_API_LIST_RUNS,
      JR_REASON_NONE, -1 },
    { "probe", { .api = JR_API_RATE_LIMIT, .outcome = JR_OUTCOME_DONE }, JR_API_RATE_LIMIT,
      JR_REASON_NONE, -1 },
    { "one that only the tool makes", { .api = JR_API_GET_REPO, .outcome = JR_OUTCOME_DONE }, -1,
      JR_REASON_NONE, -1 },
    { "none was made", { .api = JR_API_NONE, .outcome = JR_OUTCOME_LATER }, -1, JR_REASON_NONE, -1 },
};

static void call(void **state)
{
    const struct call_row *row = *state;
    struct jr_counters counters;

    memset(&counters, 0, sizeof counters);
    jr_count_call(&counters, &row->call);
    for (int kind = 0; kind < JR_COUNTED_CALLS; kind++)
        for (int reason = 0; reason < JR_COUNTED_REASONS; reason++)
            assert_int_equal(counters.calls[kind][reason],
                             kind == row->want && reason == (int)row->want_result);
    for (int outcome = 0; outcome < JR_COUNTED_OUTCOMES; outcome++)
        assert_int_equal(counters.reruns[outcome], outcome == row->want_rerun);
}

static void verdict(void **state)
{
    struct jr_counters counters;

    (void)state;
    memset(&counters, 0, sizeof counters);
    jr_count_verdict(&counters, JR_REASON_MISSED);
    jr_count_verdict(&counters, JR_REASON_NONE);
    assert_int_equal(counters.verdicts[JR_REASON_MISSED], 1);
    assert_int_equal(counters.verdicts[JR_REASON_NONE], 0);
}

static void causes(void **state)
{
    struct jr_counters counters;

    (void)state;
    memset(&counters, 0, sizeof counters);
    jr_count_failed_job(&counters, JR_CAUSE_DISK);
    jr_count_failed_job(&counters, (enum jr_cause)JR_COUNTED_CAUSES); /* there is no such */
    jr_count_failed_job(NULL, JR_CAUSE_DISK);
    jr_count_causes(&counters, UINT64_C(1) << JR_CAUSE_DISK | UINT64_C(1) << JR_CAUSE_UNKNOWN,
                    UINT64_C(1) << JR_CAUSE_UNKNOWN);
    jr_count_causes(&counters, 0, 0);
    jr_count_causes(NULL, UINT64_MAX, UINT64_MAX);
    for (size_t i = 0; i < JR_COUNTED_CAUSES; i++) {
        assert_int_equal(counters.failed_jobs[i], i == JR_CAUSE_DISK);
        assert_int_equal(counters.rerun_causes[i], i == JR_CAUSE_DISK || i == JR_CAUSE_UNKNOWN);
        assert_int_equal(counters.rescued_causes[i], i == JR_CAUSE_UNKNOWN);
    }
    assert_true(JR_CAUSES <= JR_COUNTED_CAUSES);
}

static void added_up(void **state)
{
    struct jr_counters sum, one, other;

    (void)state;
    memset(&sum, 0, sizeof sum);
    memset(&one, 0, sizeof one);
    memset(&other, 0, sizeof other);
    jr_count_webhook(&one, "ping", 204, JR_REASON_EVENT_NOT_WATCHED, 400);
    jr_count_webhook(&other, "ping", 204, JR_REASON_EVENT_NOT_WATCHED, 600);
    jr_count(&other.rescued_runs);
    jr_histogram_note(&other.commit_us, 9000000);
    jr_counters_add(&sum, &one);
    jr_counters_add(&sum, &other);
    assert_int_equal(sum.webhook_reasons[JR_REASON_EVENT_NOT_WATCHED], 2);
    assert_int_equal(jr_histogram_count(&sum.webhook_us), 2);
    assert_int_equal(sum.webhook_us.sum_us, 1000);
    assert_int_equal(sum.rescued_runs, 1);
    /* the last number of all */
    assert_int_equal(sum.commit_us.sum_us, 9000000);
}

/* Whatever a process says that it has counted, no sum of it, nor of its buckets, goes over its end. */
static void anything_counted(void **state)
{
    struct jr_counters sum, liar, honest;
    _Atomic uint64_t *counts = (_Atomic uint64_t *)&sum;

    (void)state;
    memset(&sum, 0, sizeof sum);
    memset(&honest, 0, sizeof honest);
    memset(&liar, 0xff, sizeof liar);
    jr_count(&honest.rescued_runs);
    for (int i = 0; i < 256; i++)
        jr_counters_add(&sum, &liar);
    assert_int_equal(sum.rescued_runs, 256 * JR_COUNT_MOST);
    jr_counters_add(&sum, &honest);
    assert_int_equal(sum.rescued_runs, 256 * JR_COUNT_MOST + 1);
    assert_true(jr_histogram_count(&sum.webhook_us) >= sum.webhook_us.buckets[0]);
    /* As one that comes from another process. */
    memset(&sum, 0xff, sizeof sum);
    jr_counters_bound(&sum);
    for (size_t i = 0; i < sizeof sum / sizeof *counts; i++)
        assert_true(counts[i] < UINT64_MAX / (JR_HISTOGRAM_BOUNDS + 1));
}

/* A process that has no block, as plain CGI. */
static void nowhere_to_count(void **state)
{
    const struct jr_call done = { .api = JR_API_GET_RUN };

    (void)state;
    jr_count(NULL);
    jr_histogram_note(NULL, 5);
    jr_count_webhook(NULL, "ping", 204, JR_REASON_NONE, 5);
    jr_count_verdict(NULL, JR_REASON_MISSED);
    jr_count_call(NULL, &done);
}

int main(void)
{
    TABLE(bucket_rows, bucket);
    TEST(bounds_rise);
    TABLE(webhook_rows, webhook);
    TEST(every_status);
    TEST(every_reason);
    TABLE(call_rows, call);
    TEST(verdict);
    TEST(causes);
    TEST(added_up);
    TEST(anything_counted);
    TEST(nowhere_to_count);
    return run_program("counters");
}
