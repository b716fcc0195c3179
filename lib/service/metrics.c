/*
 * metrics -- the counters and the state of a service as text for Prometheus.
 *
 * A table has a row for each metric: its name, its type, a sentence, and who writes
 * its samples. Times are told as timestamps, not as "so long until", so that a
 * number changes only when something has happened, and rules do the arithmetic.
 * Series that are few are all there from the start, at 0: rate() sees no first
 * increase from nothing. Those by reason come with their first count.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/metrics.h"
#include "lib/base/show.h"
#include "lib/base/timestamp.h"
#include "lib/service/lock.h"
#include "lib/steps/holding.h"
#include "lib/steps/reporting.h"
#include "lib/store/flaky.h"
#include "lib/store/listing.h"
#include "lib/store/pause.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jr_metrics_read_sight(struct jr_metrics *metrics, const struct jr_sight *sight,
                           bool from_worker, const char *state_dir, int64_t now_ms)
{
    memset(metrics, 0, sizeof *metrics);
    metrics->sight = *sight;
    metrics->sight.workers_busy -= from_worker && sight->workers_busy > 0;
    metrics->version = PACKAGE_VERSION;
    metrics->now_ms = now_ms;
    metrics->dispatcher_up = jr_lock_is_held(state_dir);
}

static enum jr_err read_holdings(struct jr_metrics *metrics, struct jr_store *store,
                                 struct jr_error *error)
{
    struct jr_holdings holdings;
    enum jr_err err = jr_holding_read(store, metrics->now_ms, &holdings, error);

    for (size_t i = 0; i < holdings.holds.count; i++)
        if (holdings.holds.items[i].phase == JR_CAUSEHOLD_HELD)
            metrics->held_causes |= INT64_C(1) << holdings.holds.items[i].cause;
    metrics->held_runs = (int64_t)holdings.runs;
    return err;
}

/* How many runners stand out, which is told without their names. */
static enum jr_err count_runners(struct jr_store *store, int64_t now_ms, int64_t *many,
                                 struct jr_error *error)
{
    struct jr_flaky *rows = malloc(JR_FLAKY_SUSPECTS_MAX * sizeof *rows);
    size_t count = 0;
    enum jr_err err;

    if (rows == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = jr_flaky_recent(store, JR_FLAKY_RUNNER, now_ms, rows, JR_FLAKY_SUSPECTS_MAX, &count,
                          error);
    free(rows);
    *many = (int64_t)count;
    return err;
}

/* What somebody has paused is not late. */
enum jr_err jr_metrics_read_store(struct jr_metrics *metrics, struct jr_store *store,
                                  struct jr_error *error)
{
    struct jr_pauses pauses;
    struct jr_waiting waiting;
    enum jr_err err = jr_pauses_read(store, metrics->now_ms, &pauses, error);

    if (err != JR_OK)
        return err;
    err = jr_listing_waiting(store, &pauses, &waiting, error);
    if (err == JR_OK)
        err = count_runners(store, metrics->now_ms, &metrics->suspect_runners, error);
    if (err == JR_OK)
        err = read_holdings(metrics, store, error);
    metrics->outbox_entries = (int64_t)waiting.entries;
    metrics->outbox_due_ms = waiting.due_ms;
    metrics->outbox_oldest_ms = waiting.free_oldest_ms;
    return err;
}

struct family;

typedef void write_fn(struct jr_buffer *buffer, const struct family *family,
                      const struct jr_metrics *metrics);

struct family {
    const char *name, *type, *help;
    write_fn *write; /* the samples */
    size_t offset;   /* of the number in struct jr_metrics, for those that write one */
};

/* The text format, "Line format": three characters of a label's value are escaped. */
static const struct jr_show_mark marks[] = {
    { '\\', "\\\\" }, { '"', "\\\"" }, { '\n', "\\n" }, { '\0', NULL },
};
static const struct jr_show_way way = { .marks = marks };

static void add_label(struct jr_buffer *buffer, const char *name, const char *value)
{
    struct jr_show_part part;

    jr_buffer_print(buffer, "%s=\"", name);
    while (jr_show_next(&way, &value, &part))
        jr_buffer_add_bytes(buffer, part.bytes, part.length);
    jr_buffer_add(buffer, "\"");
}

/* A sample with up to two labels; label names of NULL are left out. */
static void add_sample(struct jr_buffer *buffer, const struct family *family, const char *name,
                       const char *value, const char *other_name, const char *other_value,
                       uint64_t number)
{
    jr_buffer_add(buffer, family->name);
    if (name != NULL) {
        jr_buffer_add(buffer, "{");
        add_label(buffer, name, value);
        if (other_name != NULL) {
            jr_buffer_add(buffer, ",");
            add_label(buffer, other_name, other_value);
        }
        jr_buffer_add(buffer, "}");
    }
    jr_buffer_print(buffer, " %llu\n", (unsigned long long)number);
}

static int64_t number_of(const struct jr_metrics *metrics, const struct family *family)
{
    int64_t number;

    memcpy(&number, (const char *)metrics + family->offset, sizeof number);
    return number;
}

/* Seconds, with as many decimals as the unit of the number has. */
static void add_milliseconds(struct jr_buffer *buffer, int64_t time_ms)
{
    jr_buffer_print(buffer, "%lld.%03lld", (long long)(time_ms / 1000),
                    (long long)(time_ms % 1000));
}

static void add_microseconds(struct jr_buffer *buffer, uint64_t duration_us)
{
    jr_buffer_print(buffer, "%llu.%06llu", (unsigned long long)(duration_us / 1000000),
                    (unsigned long long)(duration_us % 1000000));
}

static void write_number(struct jr_buffer *buffer, const struct family *family,
                         const struct jr_metrics *metrics)
{
    add_sample(buffer, family, NULL, NULL, NULL, NULL, (uint64_t)number_of(metrics, family));
}

/* Nothing while it is not known. */
static void write_known(struct jr_buffer *buffer, const struct family *family,
                        const struct jr_metrics *metrics)
{
    if (number_of(metrics, family) > 0)
        write_number(buffer, family, metrics);
}

/* Of the rate limit, 0 is what one wants to know most. */
static void write_remaining(struct jr_buffer *buffer, const struct family *family,
                            const struct jr_metrics *metrics)
{
    if (metrics->sight.rate_limit > 0)
        write_number(buffer, family, metrics);
}

static void write_time(struct jr_buffer *buffer, const struct family *family,
                       const struct jr_metrics *metrics)
{
    int64_t time_ms = number_of(metrics, family);

    if (time_ms <= 0)
        return;
    jr_buffer_print(buffer, "%s ", family->name);
    add_milliseconds(buffer, time_ms);
    jr_buffer_add(buffer, "\n");
}

/* Is there any, or such a time? */
static void write_whether(struct jr_buffer *buffer, const struct family *family,
                          const struct jr_metrics *metrics)
{
    add_sample(buffer, family, NULL, NULL, NULL, NULL, number_of(metrics, family) != 0);
}

/* Is the time still to come? */
static void write_until(struct jr_buffer *buffer, const struct family *family,
                        const struct jr_metrics *metrics)
{
    add_sample(buffer, family, NULL, NULL, NULL, NULL,
               number_of(metrics, family) > metrics->now_ms);
}

static void write_overdue(struct jr_buffer *buffer, const struct family *family,
                          const struct jr_metrics *metrics)
{
    int64_t overdue_ms = metrics->now_ms - metrics->outbox_due_ms;

    jr_buffer_print(buffer, "%s ", family->name);
    add_milliseconds(buffer, metrics->outbox_due_ms == 0 || overdue_ms < 0 ? 0 : overdue_ms);
    jr_buffer_add(buffer, "\n");
}

static void write_build(struct jr_buffer *buffer, const struct family *family,
                        const struct jr_metrics *metrics)
{
    add_sample(buffer, family, "version", metrics->version, NULL, NULL, 1);
}

static void write_webhooks(struct jr_buffer *buffer, const struct family *family,
                           const struct jr_metrics *metrics)
{
    for (size_t event = 0; event < JR_COUNTED_EVENTS; event++) {
        for (size_t i = 0; i < JR_COUNTED_STATUSES; i++) {
            uint64_t count = metrics->sight.counters.webhooks[event][i];
            char status[16] = "other";

            if (jr_counted_status(i) != 0)
                snprintf(status, sizeof status, "%d", jr_counted_status(i));
            else if (count == 0)
                continue;
            add_sample(buffer, family, "event",
                       jr_counted_event_name((enum jr_counted_event)event), "status", status,
                       count);
        }
    }
}

/* One counter for each reason, of those that have been counted. */
static void write_reasons(struct jr_buffer *buffer, const struct family *family,
                          const struct jr_metrics *metrics)
{
    const _Atomic uint64_t *counters =
        (const _Atomic uint64_t *)(const void *)((const char *)metrics + family->offset);

    for (size_t i = 0; i < JR_COUNTED_REASONS; i++)
        if (counters[i] != 0)
            add_sample(buffer, family, "reason", jr_reason_token((enum jr_reason)i), NULL, NULL,
                       counters[i]);
}

/* One counter for each cause, of those that have been counted. */
static void write_causes(struct jr_buffer *buffer, const struct family *family,
                         const struct jr_metrics *metrics)
{
    const _Atomic uint64_t *counters =
        (const _Atomic uint64_t *)(const void *)((const char *)metrics + family->offset);

    for (size_t i = 0; i < JR_CAUSES; i++) {
        const char *name = jr_cause_name((enum jr_cause)i);

        if (counters[i] != 0 && name != NULL)
            add_sample(buffer, family, "cause", name, NULL, NULL, counters[i]);
    }
}

/* All that can be held, from the start. */
static void write_held_causes(struct jr_buffer *buffer, const struct family *family,
                              const struct jr_metrics *metrics)
{
    for (unsigned i = 0; i < JR_CAUSES; i++)
        if (jr_cause_is_infrastructural((enum jr_cause)i))
            add_sample(buffer, family, "cause", jr_cause_name((enum jr_cause)i), NULL, NULL,
                       (metrics->held_causes & (INT64_C(1) << i)) != 0);
}

static void write_counter(struct jr_buffer *buffer, const struct family *family,
                          const struct jr_metrics *metrics)
{
    const _Atomic uint64_t *counter =
        (const _Atomic uint64_t *)(const void *)((const char *)metrics + family->offset);

    add_sample(buffer, family, NULL, NULL, NULL, NULL, *counter);
}

static void write_signature_failures(struct jr_buffer *buffer, const struct family *family,
                                     const struct jr_metrics *metrics)
{
    uint64_t failures = 0;

    for (size_t i = 0; i < JR_REASONS; i++)
        if (jr_reason_class((enum jr_reason)i) == JR_CLASS_SIGNATURE)
            failures += metrics->sight.counters.webhook_reasons[i];
    add_sample(buffer, family, NULL, NULL, NULL, NULL, failures);
}

static void write_reruns(struct jr_buffer *buffer, const struct family *family,
                         const struct jr_metrics *metrics)
{
    static const char *const outcomes[JR_COUNTED_OUTCOMES] = {
        [JR_OUTCOME_DONE] = "accepted",
        [JR_OUTCOME_LATER] = "postponed",
        [JR_OUTCOME_NEVER] = "refused",
        [JR_OUTCOME_UNKNOWN] = "unknown",
    };

    for (size_t i = 0; i < JR_COUNTED_OUTCOMES; i++)
        add_sample(buffer, family, "outcome", outcomes[i], NULL, NULL,
                   metrics->sight.counters.reruns[i]);
}

static void write_reports(struct jr_buffer *buffer, const struct family *family,
                          const struct jr_metrics *metrics)
{
    static const char *const outcomes[JR_COUNTED_REPORTS] = {
        [JR_REPORTING_WRITTEN] = "written",
        [JR_REPORTING_PUT_OFF] = "put-off",
        [JR_REPORTING_GIVEN_UP] = "given-up",
    };

    for (size_t i = 0; i < JR_COUNTED_REPORTS; i++)
        if (outcomes[i] != NULL)
            add_sample(buffer, family, "outcome", outcomes[i], NULL, NULL,
                       metrics->sight.counters.reports[i]);
}

static void write_ownfiles(struct jr_buffer *buffer, const struct family *family,
                           const struct jr_metrics *metrics)
{
    for (int i = 0; i < JR_COUNTED_OWNFILES; i++)
        add_sample(buffer, family, "result", jr_counted_ownfile_name((enum jr_counted_ownfile)i),
                   NULL, NULL, metrics->sight.counters.ownfiles[i]);
}

static void write_commands(struct jr_buffer *buffer, const struct family *family,
                           const struct jr_metrics *metrics)
{
    for (size_t verb = JR_VERB_NONE + 1; verb < JR_VERBS; verb++)
        for (size_t end = JR_ASKED_OPEN + 1; end < JR_ASKED_ENDS; end++)
            add_sample(buffer, family, "command", jr_verb_name((enum jr_verb)verb), "outcome",
                       jr_asked_end_name((enum jr_asked_end)end),
                       metrics->sight.counters.commands[verb][end]);
}

static void write_calls(struct jr_buffer *buffer, const struct family *family,
                        const struct jr_metrics *metrics)
{
    for (size_t call = 0; call < JR_COUNTED_CALLS; call++)
        for (size_t i = 0; i < JR_COUNTED_REASONS; i++)
            if (i == JR_REASON_NONE || metrics->sight.counters.calls[call][i] != 0)
                add_sample(buffer, family, "call",
                           jr_counted_call_name((enum jr_api)call), "result",
                           i == JR_REASON_NONE ? "ok" : jr_reason_token((enum jr_reason)i),
                           metrics->sight.counters.calls[call][i]);
}

static void write_outage(struct jr_buffer *buffer, const struct family *family,
                         const struct jr_metrics *metrics)
{
    for (size_t i = 0; i < JR_REASONS; i++)
        if (jr_reason_class((enum jr_reason)i) == JR_CLASS_OUTAGE)
            add_sample(buffer, family, "reason", jr_reason_token((enum jr_reason)i), NULL, NULL,
                       (size_t)metrics->sight.outage == i);
}

static void write_restarts(struct jr_buffer *buffer, const struct family *family,
                           const struct jr_metrics *metrics)
{
    const struct jr_sight *sight = &metrics->sight;

    add_sample(buffer, family, "kind", "worker", NULL, NULL, (uint64_t)sight->worker_restarts);
    add_sample(buffer, family, "kind", "dispatcher", NULL, NULL,
               (uint64_t)sight->dispatcher_restarts);
}

/* Buckets count what is in those below them too, up to "+Inf", which is all. */
static void write_histogram(struct jr_buffer *buffer, const struct family *family,
                            const struct jr_metrics *metrics)
{
    const struct jr_histogram *histogram =
        (const struct jr_histogram *)(const void *)((const char *)metrics + family->offset);
    uint64_t count = 0;

    for (size_t i = 0; i < JR_HISTOGRAM_BOUNDS; i++) {
        count += histogram->buckets[i];
        jr_buffer_print(buffer, "%s_bucket{le=\"%g\"} %llu\n", family->name,
                        (double)jr_histogram_bounds_us[i] / 1e6, (unsigned long long)count);
    }
    count += histogram->buckets[JR_HISTOGRAM_BOUNDS];
    jr_buffer_print(buffer, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", family->name,
                    (unsigned long long)count, family->name);
    add_microseconds(buffer, histogram->sum_us);
    jr_buffer_print(buffer, "\n%s_count %llu\n", family->name, (unsigned long long)count);
}

/* Of the only host there is nothing to tell. */
static bool is_alone(const struct jr_metrics *metrics)
{
    return jr_sight_cluster(&metrics->sight) == JR_CLUSTER_NONE;
}

static void write_cluster_calls(struct jr_buffer *buffer, const struct family *family,
                                const struct jr_metrics *metrics)
{
    for (size_t i = 0; i < JR_COUNTED_ENDS && !is_alone(metrics); i++)
        add_sample(buffer, family, "result", jr_counted_end_name(i), NULL, NULL,
                   metrics->sight.counters.cluster_calls[i]);
}

static void write_cluster_claims(struct jr_buffer *buffer, const struct family *family,
                                 const struct jr_metrics *metrics)
{
    for (enum jr_counted_claim i = 0; i < JR_COUNTED_CLAIMS && !is_alone(metrics); i++)
        add_sample(buffer, family, "result", jr_counted_claim_name(i), NULL, NULL,
                   metrics->sight.counters.cluster_claims[i]);
}

/* 1: this host is among the others, and etcd answers. */
static void write_cluster_up(struct jr_buffer *buffer, const struct family *family,
                             const struct jr_metrics *metrics)
{
    if (!is_alone(metrics))
        add_sample(buffer, family, NULL, NULL, NULL, NULL,
                   jr_sight_cluster(&metrics->sight) == JR_CLUSTER_UP);
}

static void write_cluster_hosts(struct jr_buffer *buffer, const struct family *family,
                                const struct jr_metrics *metrics)
{
    if (!is_alone(metrics))
        write_number(buffer, family, metrics);
}

static void write_cluster_time(struct jr_buffer *buffer, const struct family *family,
                               const struct jr_metrics *metrics)
{
    if (!is_alone(metrics))
        write_histogram(buffer, family, metrics);
}

#define NUMBER(field) offsetof(struct jr_metrics, field)

static const struct family families[] = {
    { "job_rerunner_build_info", "gauge", "Always 1; the version of the program.", write_build, 0 },
    { "job_rerunner_start_time_seconds", "gauge",
      "When the service was started, as a Unix time; its counters begin at 0 then.", write_time,
      NUMBER(sight.started_ms) },
    { "job_rerunner_webhooks_total", "counter",
      "Webhooks answered, by X-GitHub-Event and by the HTTP status of the answer.",
      write_webhooks, 0 },
    { "job_rerunner_webhook_reasons_total", "counter",
      "Webhooks answered, by the reason of the answer.", write_reasons,
      NUMBER(sight.counters.webhook_reasons) },
    { "job_rerunner_signature_failures_total", "counter",
      "Webhooks refused because of their signature: missing, malformed, doubled or wrong.",
      write_signature_failures, 0 },
    { "job_rerunner_webhook_duration_seconds", "histogram",
      "Time from a worker's first look at a webhook to its answer.", write_histogram,
      NUMBER(sight.counters.webhook_us) },
    { "job_rerunner_commit_duration_seconds", "histogram",
      "Time of a commit to the store, without the wait for the write lock.", write_histogram,
      NUMBER(sight.counters.commit_us) },
    { "job_rerunner_verdicts_total", "counter",
      "Decisions about runs, by reason: an attempt closed by an event, or what came of asking GitHub.",
      write_reasons, NUMBER(sight.counters.verdicts) },
    { "job_rerunner_reruns_total", "counter",
      "Reruns asked for, by what GitHub answered.", write_reruns, 0 },
    { "job_rerunner_rescued_runs_total", "counter",
      "Runs that ended in success after a rerun made here.", write_counter,
      NUMBER(sight.counters.rescued_runs) },
    { "job_rerunner_failed_jobs_total", "counter",
      "Failed jobs whose cause was looked for, by what was found.", write_causes,
      NUMBER(sight.counters.failed_jobs) },
    { "job_rerunner_rerun_causes_total", "counter",
      "Accepted reruns of runs that were judged, by each cause among their failed jobs.",
      write_causes, NUMBER(sight.counters.rerun_causes) },
    { "job_rerunner_rescued_causes_total", "counter",
      "Of these, runs that then ended in success, likewise.", write_causes,
      NUMBER(sight.counters.rescued_causes) },
    { "job_rerunner_reports_total", "counter",
      "What was written at GitHub about runs and policy files (REPORT), by what came of it.", write_reports, 0 },
    { "job_rerunner_repository_policies_total", "counter",
      "Answers of GitHub about policy files of repositories, by what came of them.",
      write_ownfiles, 0 },
    { "job_rerunner_commands_total", "counter",
      "What people asked for on pull requests (COMMANDS), by what came of it.", write_commands, 0 },
    { "job_rerunner_api_calls_total", "counter",
      "Calls of GitHub's API, by what was asked and what came of it.", write_calls, 0 },
    { "job_rerunner_api_rate_limit", "gauge",
      "Calls an hour that GitHub allows, as it told last.", write_known, NUMBER(sight.rate_limit) },
    { "job_rerunner_api_rate_limit_remaining", "gauge",
      "Calls left of these, as GitHub told last.", write_remaining, NUMBER(sight.rate_remaining) },
    { "job_rerunner_api_rate_limit_reset_timestamp_seconds", "gauge",
      "When they will all be there again, as a Unix time that GitHub told last.", write_time,
      NUMBER(sight.rate_reset_ms) },
    { "job_rerunner_api_rate_limited", "gauge",
      "1 while no call is made because of GitHub's rate limit.", write_until,
      NUMBER(sight.rate_limited_until_ms) },
    { "job_rerunner_api_failing", "gauge",
      "1 while runs wait and no call of the last minute was answered, by what is wrong.",
      write_outage, 0 },
    { "job_rerunner_shut_outs", "gauge",
      "How many owners (or repositories) shut the token out as a whole.", write_number,
      NUMBER(sight.shut_outs) },
    { "job_rerunner_token_rejected", "gauge", "1 while GitHub rejects the token.", write_whether,
      NUMBER(sight.token_rejected_ms) },
    { "job_rerunner_token_expiry_timestamp_seconds", "gauge",
      "When the token ends, as a Unix time that GitHub told last.", write_time,
      NUMBER(sight.token_expires_ms) },
    { "job_rerunner_outbox_entries", "gauge", "Runs that GitHub is to be asked about.",
      write_number, NUMBER(outbox_entries) },
    { "job_rerunner_outbox_overdue_seconds", "gauge",
      "How long ago the first of them became due that no pause holds up; 0 if none is.", write_overdue, 0 },
    { "job_rerunner_outbox_oldest_timestamp_seconds", "gauge",
      "Since when the one waits without a pause that has waited longest, as a Unix time.", write_time,
      NUMBER(outbox_oldest_ms) },
    { "job_rerunner_spent_reruns", "gauge", "Reruns of this hour, of all repositories.",
      write_number, NUMBER(spent_reruns) },
    { "job_rerunner_spent_runner_seconds", "gauge",
      "Runner time that reruns of today cost, in minutes begun, weighted as by limits-all.", write_number,
      NUMBER(spent_seconds) },
    { "job_rerunner_limits_near", "gauge",
      "Repositories that have spent 80 percent of a limit of theirs, but not all.", write_number,
      NUMBER(limits_near) },
    { "job_rerunner_limits_over", "gauge", "Repositories that have spent all of a limit of theirs.",
      write_number, NUMBER(limits_over) },
    { "job_rerunner_budget_waiting_runs", "gauge",
      "Runs that wait for the next hour or day, since a limit is used up.", write_number,
      NUMBER(budget_waiting) },
    { "job_rerunner_suspect_runners", "gauge",
      "Runners that stand out by their last 30 days, since jobs fail there that pass on others; 100: as many or more.",
      write_number, NUMBER(suspect_runners) },
    { "job_rerunner_held_cause", "gauge",
      "1 while reruns for a cause are held, since many runs fail for it or its kind.",
      write_held_causes, 0 },
    { "job_rerunner_held_runs", "gauge",
      "Runs that failed for causes that are held, or were until now, and wait.", write_number,
      NUMBER(held_runs) },
    { "job_rerunner_outages_begun_total", "counter",
      "How often reruns for a cause began to be held.", write_counter,
      NUMBER(sight.counters.outages_begun) },
    { "job_rerunner_outages_over_total", "counter",
      "How often reruns for a cause were held no longer.", write_counter,
      NUMBER(sight.counters.outages_over) },
    { "job_rerunner_paused", "gauge", "1 while the service is paused: nothing is rerun.",
      write_whether, NUMBER(sight.paused_ms) },
    { "job_rerunner_repository_pauses", "gauge", "Pauses of some repositories that are in force.",
      write_number, NUMBER(sight.repo_pauses) },
    { "job_rerunner_commits_failing", "gauge",
      "1 after a commit to the store has failed, until one succeeds.", write_number,
      NUMBER(sight.commits_fail) },
    { "job_rerunner_dispatcher_up", "gauge", "1 while a dispatcher works on the store.",
      write_number, NUMBER(dispatcher_up) },
    { "job_rerunner_workers", "gauge", "Worker processes, as configured.", write_number,
      NUMBER(sight.workers) },
    { "job_rerunner_workers_busy", "gauge",
      "Workers at a request, but for the one that answers this.", write_number,
      NUMBER(sight.workers_busy) },
    { "job_rerunner_process_restarts_total", "counter",
      "Processes replaced after their death, by what they were.", write_restarts, 0 },
    { "job_rerunner_last_sweep_start_timestamp_seconds", "gauge",
      "When missed runs were last begun to be looked for, as a Unix time.", write_time,
      NUMBER(sight.sweep_begun_ms) },
    { "job_rerunner_last_sweep_end_timestamp_seconds", "gauge",
      "When that was last done with, as a Unix time.", write_time, NUMBER(sight.sweep_ended_ms) },
    { "job_rerunner_notices_waiting", "gauge", "Notices that wait to be sent to NOTIFY_URL.",
      write_number, NUMBER(sight.notices_waiting) },
    { "job_rerunner_notices_sent_total", "counter",
      "Notices sent, since the store was made; of some that were sent as one message, each.",
      write_number, NUMBER(sight.notices_sent) },
    { "job_rerunner_notices_dropped_total", "counter",
      "Notices that nobody was told, likewise: too many at once, too old, or refused.",
      write_number, NUMBER(sight.notices_dropped) },
    { "job_rerunner_notices_failures_total", "counter",
      "Tries to send notices that failed, since the dispatcher was started.", write_number,
      NUMBER(sight.notices_failed) },
    { "job_rerunner_cluster_up", "gauge",
      "1 while this host is one of several, and etcd answers it.",
      write_cluster_up, 0 },
    { "job_rerunner_cluster_hosts", "gauge", "Hosts of the cluster that live, as this one saw last.",
      write_cluster_hosts, NUMBER(sight.cluster_hosts) },
    { "job_rerunner_cluster_calls_total", "counter",
      "Calls of etcd: won, lost since another was quicker, or unknown since it did not answer.",
      write_cluster_calls, 0 },
    { "job_rerunner_cluster_claims_total", "counter",
      "What became of this host's claims to ask for reruns.", write_cluster_claims, 0 },
    { "job_rerunner_cluster_call_duration_seconds", "histogram",
      "Time of a call of etcd, with all its tries.", write_cluster_time,
      NUMBER(sight.counters.cluster_us) },
    { "job_rerunner_map_used_bytes", "gauge",
      "Bytes of the store's map in use, as measured each minute.", write_known,
      NUMBER(sight.map_used_bytes) },
    { "job_rerunner_map_size_bytes", "gauge", "Size of the store's map: MAP_SIZE.", write_known,
      NUMBER(sight.map_size_bytes) },
};

void jr_metrics_write(const struct jr_metrics *metrics, struct jr_buffer *buffer)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const struct family *family = &families[i];

        jr_buffer_print(buffer, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                        family->name, family->type);
        family->write(buffer, family, metrics);
    }
}
