/*
 * fill -- put closed runs into a store, fast: as a service that has been at work
 * for nearly RETENTION (90 days) would have left them.
 *
 *   fill STATE_DIR RUNS SECONDS
 *
 * Each run has JOBS jobs, an entry of history for each event and for the
 * decision; the deliveries of the last 8 days are remembered. One run in FAILING has
 * failed, for one cause or another, and is given up. They are of REPOS repositories, and
 * those of the last weeks are counted for what is flaky. Stops after so many seconds at the
 * latest, and prints how many runs it has made.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/model/run.h"
#include "lib/store/days.h"
#include "lib/store/delivery.h"
#include "lib/store/failures.h"
#include "lib/store/flaky.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "lib/store/repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JOBS         2
#define EVENTS       3 /* of a job: queued, in_progress, completed */
#define FAILING      20
#define REPOS        200
#define COUNTED_MS   (10 * JR_DAY_MS)
#define RUNS_PER_TXN 5000
#define SPAN_MS      (80 * JR_DAY_MS) /* within RETENTION: nothing is to be pruned */
#define REPO_ID      4711
#define FIRST_RUN_ID UINT64_C(1000000000)
#define MAP_BYTES    (INT64_C(16) * 1024 * 1024 * 1024)

/* One event of a job: its delivery, and its place in the history. */
static void add_event(struct jr_txn *txn, struct jr_run *run, uint64_t job_id, int number,
                      int64_t at_ms, int64_t now_ms)
{
    static uint64_t count;
    uint64_t ticks;
    struct jr_history entry = { .at_ms = at_ms, .kind = JR_HISTORY_EVENT, .attempt = 1, .reason = JR_REASON_WAITING_FOR_JOBS,
                                .input = JR_INPUT_EVENT, .reply = JR_REPLY_RECORDED };
    struct jr_event *event = &entry.event;
    struct jr_answer answer = { .reply = JR_REPLY_RECORDED, .reason = JR_REASON_WAITING_FOR_JOBS, .run_id = run->run_id, .attempt = 1 };
    struct jr_delivery delivery;
    char id[40];

    /* As GitHub's, with the time of the event in it: RFC 9562, 5.1. */
    ticks = (uint64_t)at_ms * 10000 + UINT64_C(0x01b21dd213814000) + count++ % 10000;
    snprintf(id, sizeof id, "%08x-%04x-1%03x-8000-%012x", (unsigned)(ticks & 0xffffffff),
             (unsigned)(ticks >> 32 & 0xffff), (unsigned)(ticks >> 48 & 0xfff), 2u);
    if (jr_delivery_identify(&delivery, id, "", 0) != JR_OK)
        jr_txn_fail(txn, JR_EIO, "no delivery id");
    snprintf(entry.delivery, sizeof entry.delivery, "%s", delivery.text);
    event->kind = JR_EVENT_JOB;
    event->status = (enum jr_status)(JR_STATUS_QUEUED + number);
    event->conclusion = number < EVENTS - 1 ? JR_CONCLUSION_NONE : run->conclusion;
    event->attempt = 1;
    event->job_id = job_id;
    event->created_ms = event->started_ms = at_ms;
    event->completed_ms = number == EVENTS - 1 ? at_ms : 0;
    snprintf(event->action, sizeof event->action, "%s", jr_status_name(event->status));
    snprintf(event->job_name, sizeof event->job_name, "test (%u)", (unsigned)(job_id % JOBS));
    snprintf(event->sender, sizeof event->sender, "octocat");
    /* The others find all else known. */
    if (run->history_count == 0) {
        event->repo_id = run->repo_id;
        snprintf(event->repo, sizeof event->repo, "%s", run->repo);
        snprintf(event->branch, sizeof event->branch, "%s", run->branch);
        snprintf(event->workflow, sizeof event->workflow, "%s", run->workflow);
    } else {
        entry.known = 15;
    }
    jr_history_add(txn, run, &entry, NULL, NULL);
    if (at_ms > now_ms - JR_DELIVERY_DAYS * JR_DAY_MS)
        jr_delivery_remember(txn, &delivery, at_ms, &answer);
}

/* Why its first job failed. */
static void add_failure(struct jr_txn *txn, const struct jr_run *run, int64_t at_ms)
{
    static const enum jr_cause causes[] = { JR_CAUSE_NETWORK, JR_CAUSE_TEST, JR_CAUSE_RUNNER_LOST,
                                            JR_CAUSE_UNKNOWN };
    struct jr_failure failure = { .job_id = run->run_id * JOBS, .attempt = 1, .counts = true };

    failure.finding.cause = causes[run->run_id % (sizeof causes / sizeof *causes)];
    snprintf(failure.name, sizeof failure.name, "test (0)");
    snprintf(failure.finding.line, sizeof failure.finding.line, "error: no answer from host %u",
             (unsigned)(run->run_id % 50));
    jr_days_note_cause(txn, run, &failure, at_ms);
    jr_failures_save(txn, run, &failure, at_ms);
}

static void add_run(struct jr_txn *txn, uint64_t run_id, int64_t at_ms, int64_t now_ms)
{
    struct jr_run run = {
        .known = true,
        .run_id = run_id,
        .repo_id = REPO_ID + run_id % REPOS,
        .branch = "main",
        .workflow = "CI",
        .first_sender = "octocat",
        .first_sender_ms = at_ms,
        .attempt = 1,
        .numbered = true,
        .base_attempt = 1,
        .jobs_known = JOBS,
        .phase = JR_PHASE_CLOSED,
        .reason = JR_REASON_JOBS_SUCCEEDED,
        .first_event_ms = at_ms,
        .last_event_ms = at_ms,
        .complete = true,
        .conclusion = JR_CONCLUSION_SUCCESS,
    };
    const struct jr_run before = { .run_id = run_id };
    struct jr_history decision = { .at_ms = at_ms, .kind = JR_HISTORY_DECISION, .attempt = 1, .reason = JR_REASON_JOBS_SUCCEEDED,
                                   .decided = { .phase = JR_PHASE_CLOSED, .jobs_known = JOBS } };

    snprintf(run.repo, sizeof run.repo, "octo/app-%llu", (unsigned long long)(run_id % REPOS));
    if (run_id / REPOS % FAILING == 0) {
        run.conclusion = JR_CONCLUSION_FAILURE;
        run.reason = decision.reason = JR_REASON_ATTEMPTS_USED_UP;
        run.jobs_failed = JOBS;
    }
    for (unsigned i = 0; i < JOBS; i++) {
        struct jr_job job = {
            .known = true,
            .run_id = run_id,
            .job_id = run_id * JOBS + i,
            .attempt = 1,
            .status = JR_STATUS_COMPLETED,
            .conclusion = run.conclusion,
            .created_ms = at_ms,
            .started_ms = at_ms,
            .completed_ms = at_ms,
        };

        snprintf(job.name, sizeof job.name, "test (%u)", i);
        snprintf(job.runner, sizeof job.runner, "runner-%llu", (unsigned long long)(run_id % 500));
        snprintf(job.labels, sizeof job.labels, "self-hosted,pool-%llu", (unsigned long long)(run_id % 500 % 9));
        jr_ledger_save_job(txn, &job);
        for (int number = 0; number < EVENTS; number++)
            add_event(txn, &run, job.job_id, number, at_ms, now_ms);
    }
    jr_history_add(txn, &run, &decision, NULL, NULL);
    if (at_ms > now_ms - COUNTED_MS)
        jr_flaky_tally(txn, &before, &run, NULL, NULL, at_ms);
    jr_days_note(txn, &before, &run, at_ms);
    if (run.conclusion == JR_CONCLUSION_FAILURE)
        add_failure(txn, &run, at_ms);
    jr_ledger_save_run(txn, &run);
}

static long uptime_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec;
}

int main(int argc, char **argv)
{
    long wanted = argc == 4 ? atol(argv[2]) : 0, made = 0;
    long end_s = uptime_s() + (argc == 4 ? atol(argv[3]) : 0);
    int64_t now_ms = jr_now_ms();
    struct jr_store *store;
    struct jr_error error;

    if (wanted <= 0) {
        fputs("usage: fill STATE_DIR RUNS SECONDS\n", stderr);
        return 2;
    }
    if (jr_store_open(&store, argv[1], MAP_BYTES, &error) != JR_OK) {
        fprintf(stderr, "fill: %s\n", error.text);
        return 1;
    }
    while (made < wanted && uptime_s() < end_s) {
        struct jr_txn txn;

        jr_txn_begin(&txn, store, true);
        for (int i = 0; i < RUNS_PER_TXN && made < wanted; i++, made++)
            add_run(&txn, FIRST_RUN_ID + (uint64_t)made,
                    now_ms - SPAN_MS + SPAN_MS / wanted * made, now_ms);
        for (unsigned i = 0; i < REPOS; i++) {
            char name[64];

            snprintf(name, sizeof name, "octo/app-%u", (unsigned)((FIRST_RUN_ID + i) % REPOS));
            jr_repo_note(&txn, REPO_ID + (FIRST_RUN_ID + i) % REPOS, name, now_ms);
        }
        if (jr_txn_commit(&txn) != JR_OK) {
            fprintf(stderr, "fill: %s\n", txn.error.text);
            return 1;
        }
    }
    jr_store_close(store);
    printf("%ld\n", made);
    return 0;
}
