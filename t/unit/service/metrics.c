/*
 * metrics -- what there is to tell, as text for Prometheus.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/service/lock.h"
#include "lib/service/metrics.h"
#include "lib/store/ledger.h"
#include "lib/store/pause.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The text; the caller releases the buffer. */
static const char *text_of(const struct jr_metrics *metrics, struct jr_buffer *buffer)
{
    jr_buffer_init(buffer, JR_METRICS_MOST);
    jr_metrics_write(metrics, buffer);
    assert_true(buffer->ok);
    return buffer->bytes;
}

/* Is this one whole line of the text? */
static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);

    for (const char *found = strstr(text, line); found != NULL; found = strstr(found + 1, line))
        if ((found == text || found[-1] == '\n') && found[length] == '\n')
            return true;
    return false;
}

static void nothing_happened(struct jr_metrics *metrics)
{
    memset(metrics, 0, sizeof *metrics);
    metrics->version = "1.2.3";
    metrics->now_ms = START_MS;
}

struct line_row {
    const char *name;
    void (*change)(struct jr_metrics *metrics);
    const char *want[4];     /* lines that have to be there */
    const char *unwanted[2]; /* texts that may not be */
};

static void none(struct jr_metrics *metrics)
{
    (void)metrics;
}

static void started(struct jr_metrics *metrics)
{
    metrics->sight.started_ms = 1700000000007;
}

static void token(struct jr_metrics *metrics)
{
    metrics->sight.token_expires_ms = 1700000000500;
    metrics->sight.token_rejected_ms = 1700000000400;
}

static void limit_used_up(struct jr_metrics *metrics)
{
    metrics->sight.rate_limit = 5000;
    metrics->sight.rate_reset_ms = 1700000001000;
}

static void overdue(struct jr_metrics *metrics)
{
    metrics->outbox_entries = 3;
    metrics->outbox_due_ms = metrics->now_ms - 61250;
    metrics->outbox_oldest_ms = 1700000000250;
}

static void not_due_yet(struct jr_metrics *metrics)
{
    metrics->outbox_entries = 1;
    metrics->outbox_due_ms = metrics->now_ms + 5000;
}

static void hostile_version(struct jr_metrics *metrics)
{
    metrics->version = "a\"b\\c\nd\te";
}

static void webhooks(struct jr_metrics *metrics)
{
    jr_count_webhook(&metrics->sight.counters, "workflow_job", 202, JR_REASON_WAITING_FOR_JOBS, 1500);
    jr_count_webhook(&metrics->sight.counters, "workflow_job", 202, JR_REASON_WAITING_FOR_JOBS, 400);
    jr_count_webhook(&metrics->sight.counters, "{evil=\"1\"}", 403, JR_REASON_SIGNATURE_WRONG, 9000000);
    jr_count_webhook(&metrics->sight.counters, NULL, 403, JR_REASON_SIGNATURE_MISSING, 0);
}

static void strange_status(struct jr_metrics *metrics)
{
    jr_count_webhook(&metrics->sight.counters, "ping", 299, JR_REASON_NONE, 0);
}

static void outage(struct jr_metrics *metrics)
{
    metrics->held_causes = INT64_C(1) << JR_CAUSE_REGISTRY;
    metrics->held_runs = 7;
    jr_count_outage(&metrics->sight.counters, true, false);
    jr_count_outage(&metrics->sight.counters, true, true);
}

static void calls(struct jr_metrics *metrics)
{
    struct jr_call call = { .api = JR_API_RERUN_ALL, .outcome = JR_OUTCOME_DONE,
                            .reason = JR_REASON_RERUN_ACCEPTED };

    jr_count_call(&metrics->sight.counters, &call);
    call.outcome = JR_OUTCOME_NEVER;
    call.reason = JR_REASON_TOO_OLD;
    jr_count_call(&metrics->sight.counters, &call);
}

static void verdicts(struct jr_metrics *metrics)
{
    jr_count_verdict(&metrics->sight.counters, JR_REASON_ATTEMPTS_USED_UP);
    jr_count(&metrics->sight.counters.rescued_runs);
}

static void causes(struct jr_metrics *metrics)
{
    jr_count_failed_job(&metrics->sight.counters, JR_CAUSE_RUNNER_LOST);
    jr_count_causes(&metrics->sight.counters, UINT64_C(1) << JR_CAUSE_UNKNOWN,
                    UINT64_C(1) << JR_CAUSE_TEST);
}

static void restarts(struct jr_metrics *metrics)
{
    metrics->sight.worker_restarts = 2;
    metrics->sight.dispatcher_restarts = 1;
}

static const struct line_row line_rows[] = {
    { "nothing is told before it is known", none,
      { "job_rerunner_webhooks_total{event=\"workflow_job\",status=\"503\"} 0",
        "job_rerunner_outbox_overdue_seconds 0.000", "job_rerunner_signature_failures_total 0",
        "job_rerunner_api_calls_total{call=\"get-run\",result=\"ok\"} 0" },
      { "\njob_rerunner_api_rate_limit_remaining ", "\njob_rerunner_outbox_oldest" } },
    { "no end of the token", none, { NULL }, { "\njob_rerunner_token_expiry" } },
    { "the version", none, { "job_rerunner_build_info{version=\"1.2.3\"} 1" }, { NULL } },
    { "the start", started, { "job_rerunner_start_time_seconds 1700000000.007" }, { NULL } },
    { "the token", token,
      { "job_rerunner_token_expiry_timestamp_seconds 1700000000.500",
        "job_rerunner_token_rejected 1" },
      { NULL } },
    { "a limit that is used up", limit_used_up,
      { "job_rerunner_api_rate_limit 5000", "job_rerunner_api_rate_limit_remaining 0",
        "job_rerunner_api_rate_limit_reset_timestamp_seconds 1700000001.000" },
      { NULL } },
    { "an outbox that is behind", overdue,
      { "job_rerunner_outbox_entries 3", "job_rerunner_outbox_overdue_seconds 61.250",
        "job_rerunner_outbox_oldest_timestamp_seconds 1700000000.250" },
      { NULL } },
    { "an outbox that waits", not_due_yet,
      { "job_rerunner_outbox_entries 1", "job_rerunner_outbox_overdue_seconds 0.000" }, { NULL } },
    { "escaping", hostile_version,
      { "job_rerunner_build_info{version=\"a\\\"b\\\\c\\nd\xef\xbf\xbd" "e\"} 1" }, { NULL } },
    { "webhooks", webhooks,
      { "job_rerunner_webhooks_total{event=\"workflow_job\",status=\"202\"} 2",
        "job_rerunner_webhooks_total{event=\"other\",status=\"403\"} 1",
        "job_rerunner_webhooks_total{event=\"unnamed\",status=\"403\"} 1",
        "job_rerunner_signature_failures_total 2" },
      { "evil", "status=\"other\"" } },
    { "reasons of webhooks", webhooks,
      { "job_rerunner_webhook_reasons_total{reason=\"waiting-for-jobs\"} 2",
        "job_rerunner_webhook_reasons_total{reason=\"signature-wrong\"} 1" },
      { "reason=\"store-full\"", "reason=\"none\"" } },
    { "buckets are cumulated", webhooks,
      { "job_rerunner_webhook_duration_seconds_bucket{le=\"0.0005\"} 2",
        "job_rerunner_webhook_duration_seconds_bucket{le=\"0.002\"} 3",
        "job_rerunner_webhook_duration_seconds_bucket{le=\"8\"} 3",
        "job_rerunner_webhook_duration_seconds_bucket{le=\"+Inf\"} 4" },
      { NULL } },
    { "sum and count", webhooks,
      { "job_rerunner_webhook_duration_seconds_sum 9.001900",
        "job_rerunner_webhook_duration_seconds_count 4",
        "job_rerunner_commit_duration_seconds_count 0" },
      { NULL } },
    { "a status that is not in the set", strange_status,
      { "job_rerunner_webhooks_total{event=\"ping\",status=\"other\"} 1" }, { NULL } },
    { "calls", calls,
      { "job_rerunner_api_calls_total{call=\"rerun\",result=\"ok\"} 1",
        "job_rerunner_api_calls_total{call=\"rerun\",result=\"too-old\"} 1",
        "job_rerunner_reruns_total{outcome=\"accepted\"} 1",
        "job_rerunner_reruns_total{outcome=\"refused\"} 1" },
      { NULL } },
    { "verdicts", verdicts,
      { "job_rerunner_verdicts_total{reason=\"attempts-used-up\"} 1",
        "job_rerunner_rescued_runs_total 1" },
      { NULL } },
    { "causes", causes,
      { "job_rerunner_failed_jobs_total{cause=\"runner-lost\"} 1",
        "job_rerunner_rerun_causes_total{cause=\"unknown\"} 1",
        "job_rerunner_rescued_causes_total{cause=\"test\"} 1" },
      { "cause=\"lint\"", "cause=\"\"" } },
    { "nothing is held", none,
      { "job_rerunner_held_cause{cause=\"registry\"} 0", "job_rerunner_held_runs 0",
        "job_rerunner_outages_begun_total 0", "job_rerunner_outages_over_total 0" },
      { "job_rerunner_held_cause{cause=\"test\"}" } },
    { "an outage", outage,
      { "job_rerunner_held_cause{cause=\"registry\"} 1",
        "job_rerunner_held_runs 7", "job_rerunner_outages_begun_total 2",
        "job_rerunner_outages_over_total 1" },
      { NULL } },
    { "restarts", restarts,
      { "job_rerunner_process_restarts_total{kind=\"worker\"} 2",
        "job_rerunner_process_restarts_total{kind=\"dispatcher\"} 1" },
      { NULL } },
};

static void line(void **state)
{
    const struct line_row *row = *state;
    struct jr_metrics metrics;
    struct jr_buffer buffer;
    const char *text;

    nothing_happened(&metrics);
    row->change(&metrics);
    text = text_of(&metrics, &buffer);
    for (size_t i = 0; i < COUNT(row->want) && row->want[i] != NULL; i++)
        if (!has_line(text, row->want[i]))
            fail_msg("no line '%s' in:\n%s", row->want[i], text);
    for (size_t i = 0; i < COUNT(row->unwanted) && row->unwanted[i] != NULL; i++)
        if (strstr(text, row->unwanted[i]) != NULL)
            fail_msg("'%s' is in:\n%s", row->unwanted[i], text);
    jr_buffer_release(&buffer);
}

/* The largest text that there can be stays far below the ceiling. */
static void room_for_all(void **state)
{
    struct jr_metrics metrics;
    struct jr_buffer buffer;

    (void)state;
    memset(&metrics, 0x7f, sizeof metrics);
    metrics.version = "1.2.3";
    (void)text_of(&metrics, &buffer);
    assert_true(buffer.length < JR_METRICS_MOST / 2);
    jr_buffer_release(&buffer);
}

static void no_room(void **state)
{
    struct jr_metrics metrics;
    struct jr_buffer buffer;

    (void)state;
    nothing_happened(&metrics);
    jr_buffer_init(&buffer, 1000);
    jr_metrics_write(&metrics, &buffer);
    assert_false(buffer.ok);
    jr_buffer_release(&buffer);
}

/* What is told of kinds of reasons goes by their class: a new row is in it by itself. */
static void reasons_by_class(void **state)
{
    struct jr_buffer buffer;
    struct jr_metrics metrics;
    char line[128];
    unsigned signatures = 0;
    const char *text;

    (void)state;
    nothing_happened(&metrics);
    for (int i = 0; i < JR_REASONS; i++)
        metrics.sight.counters.webhook_reasons[i] = 1;
    text = text_of(&metrics, &buffer);
    for (int i = 0; i < JR_REASONS; i++) {
        enum jr_reason_class class = jr_reason_class((enum jr_reason)i);

        signatures += class == JR_CLASS_SIGNATURE;
        snprintf(line, sizeof line, "api_failing{reason=\"%s\"}", jr_reason_token((enum jr_reason)i));
        assert_int_equal(strstr(text, line) != NULL, class == JR_CLASS_OUTAGE);
    }
    snprintf(line, sizeof line, "job_rerunner_signature_failures_total %u", signatures);
    assert_true(signatures > 0 && has_line(text, line));
    jr_buffer_release(&buffer);
}

static void be_dispatcher(int fd, const void *folder)
{
    struct jr_error error;
    int lock_fd;

    if (jr_lock_take(folder, &lock_fd, &error) != JR_OK)
        _exit(1);
    child_says_ready(fd);
    child_waits(fd);
}

static void read_from_sight(void **state)
{
    const char *folder = new_folder();
    struct jr_sight sight = {
        .workers = 3, .workers_busy = 2, .worker_restarts = 1, .paused_ms = START_MS,
        .repo_pauses = 3, .shut_outs = 2, .outage = JR_REASON_SERVER_ERROR,
        .rate_limited_until_ms = START_MS + 1, .sweep_ended_ms = START_MS + 7,
    };
    struct jr_metrics metrics;
    struct jr_buffer buffer;
    struct child dispatcher;
    const char *text;

    (void)state;
    sight.counters.rescued_runs = 2;
    jr_metrics_read_sight(&metrics, &sight, true, folder, START_MS);
    assert_int_equal(metrics.sight.workers, 3);
    assert_int_equal(metrics.sight.workers_busy, 1);
    assert_int_equal(metrics.sight.worker_restarts, 1);
    assert_int_equal(metrics.sight.dispatcher_restarts, 0);
    assert_int_equal(metrics.dispatcher_up, 0);
    assert_int_equal(metrics.sight.counters.rescued_runs, 2);
    assert_int_equal(metrics.sight.repo_pauses, 3);
    assert_int_equal(metrics.sight.shut_outs, 2);
    assert_int_equal(metrics.sight.sweep_ended_ms, START_MS + 7);
    assert_string_equal(metrics.version, PACKAGE_VERSION);
    text = text_of(&metrics, &buffer);
    assert_true(has_line(text, "job_rerunner_paused 1"));
    assert_true(has_line(text, "job_rerunner_api_rate_limited 1"));
    assert_true(has_line(text, "job_rerunner_token_rejected 0"));
    assert_true(has_line(text, "job_rerunner_workers_busy 1"));
    jr_buffer_release(&buffer);

    /* The stop is over when its time is, and whoever looks from elsewhere is not busy. */
    start_child(&dispatcher, be_dispatcher, folder);
    jr_metrics_read_sight(&metrics, &sight, false, folder, START_MS + 1);
    assert_int_equal(metrics.sight.outage, JR_REASON_SERVER_ERROR);
    assert_int_equal(metrics.dispatcher_up, 1);
    assert_int_equal(metrics.sight.workers_busy, 2);
    assert_true(has_line(text_of(&metrics, &buffer), "job_rerunner_api_rate_limited 0"));
    jr_buffer_release(&buffer);
    let_child_go(&dispatcher);
}

static void read_from_store(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_metrics metrics;
    struct jr_error error;
    struct jr_txn txn;

    (void)state;
    nothing_happened(&metrics);
    assert_int_equal(jr_metrics_read_store(&metrics, store, &error), JR_OK);
    assert_int_equal(metrics.outbox_entries, 0);
    assert_int_equal(metrics.outbox_due_ms, 0);
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 1; id <= 3; id++) {
        struct jr_run run;

        jr_ledger_load_run(&txn, id, &run);
        run.known = true;
        run.run_id = id;
        run.due_ms = START_MS - (int64_t)id * 1000;
        run.waiting_ms = START_MS - 9000 - (int64_t)(id % 3) * 1000;
        run.phase = JR_PHASE_DUE;
        jr_ledger_save_run(&txn, &run);
    }
    assert_int_equal(jr_txn_commit(&txn), JR_OK);
    assert_int_equal(jr_metrics_read_store(&metrics, store, &error), JR_OK);
    assert_int_equal(metrics.outbox_entries, 3);
    assert_int_equal(metrics.outbox_due_ms, START_MS - 3000);
    assert_int_equal(metrics.outbox_oldest_ms, START_MS - 11000);

    /* What somebody has paused is not late. */
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 2; id <= 3; id++) {
        struct jr_run run;

        jr_ledger_load_run(&txn, id, &run);
        snprintf(run.repo, sizeof run.repo, "octo/app");
        jr_ledger_save_run(&txn, &run);
    }
    jr_pause_save(&txn, &(struct jr_pause){ .pattern = "octo/*", .since_ms = START_MS });
    assert_int_equal(jr_txn_commit(&txn), JR_OK);
    assert_int_equal(jr_metrics_read_store(&metrics, store, &error), JR_OK);
    assert_int_equal(metrics.outbox_entries, 3);
    assert_int_equal(metrics.outbox_due_ms, START_MS - 1000);
    assert_int_equal(metrics.outbox_oldest_ms, START_MS - 10000);
    jr_store_close(store);
}

int main(void)
{
    TABLE(line_rows, line);
    TEST(room_for_all);
    TEST(no_room);
    TEST(reasons_by_class);
    TEST(read_from_sight);
    TEST(read_from_store);
    return run_program("metrics");
}
