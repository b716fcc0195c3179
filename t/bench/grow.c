/*
 * grow -- what a thing costs when a store has grown: one figure for one size.
 *
 *   grow looks STATE_DIR N    ms of processor for the beginning of a look at one of N repositories
 *   grow passed STATE_DIR N   the same of the dearest call, when only one of N is acted on
 *   grow jobs STATE_DIR N     ms for an event of the last of N jobs of a run that end one by one
 *   grow again STATE_DIR N    the same in the run's second attempt, with all jobs executed again
 *   grow flaky STATE_DIR N    makes N rows of flaky jobs, and of two runners for each; prints N
 *
 * STATE_DIR has to be empty. The figures are medians, of processor time alone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/config/load.h"
#include "lib/steps/intake.h"
#include "lib/steps/reconcile.h"
#include "lib/store/delivery.h"
#include "lib/store/flaky.h"
#include "lib/store/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAP_BYTES  (INT64_C(16) * 1024 * 1024 * 1024)
#define AT_ONCE    5000 /* what is made in one transaction */
#define TIMES      200  /* that are measured */
#define RUN_JOBS   1000 /* of a run that has flaky jobs */
#define RUN_ID     UINT64_C(1000000000)

static struct jr_store *store;
static struct jr_settings settings;
static double figures[TIMES];
static size_t figure_count;

static void fail(const char *text)
{
    fprintf(stderr, "grow: %s\n", text);
    exit(1);
}

static void commit(struct jr_txn *txn)
{
    if (jr_txn_commit(txn) != JR_OK)
        fail(txn->error.text);
}

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Keep the last TIMES figures. */
static void note(double ms)
{
    figures[figure_count++ % TIMES] = ms;
}

static int by_size(const void *a, const void *b)
{
    const double *one = a, *two = b;

    return (*one > *two) - (*one < *two);
}

static double figure_at(double share)
{
    size_t count = figure_count < TIMES ? figure_count : TIMES;

    if (count == 0)
        fail("nothing was measured");
    qsort(figures, count, sizeof *figures, by_size);
    return figures[(size_t)(share * (double)(count - 1))];
}

static void load_settings(const char *repos)
{
    struct jr_source source = { .count = 0 };
    char *problems = NULL;

    if (jr_source_set(&source, "GITHUB_TOKEN", "token") != JR_OK
        || jr_source_set(&source, "GITHUB_SIGN_KEY", "key") != JR_OK
        || jr_source_set(&source, "REPOS", repos) != JR_OK
        || jr_load_settings(&settings, &source, &problems) != JR_OK)
        fail(problems == NULL ? "no memory" : problems);
    jr_source_release(&source);
}

static void know_repos(long wanted, int64_t now_ms)
{
    for (long made = 0; made < wanted;) {
        struct jr_txn txn;

        jr_txn_begin(&txn, store, true);
        for (int i = 0; i < AT_ONCE && made < wanted; i++) {
            char name[JR_REPO_SIZE];

            snprintf(name, sizeof name, "octo/app-%ld", ++made);
            jr_repo_note(&txn, (uint64_t)made, name, now_ms);
        }
        commit(&txn);
    }
}

/* Begin looks of one sweep, and let each end with nothing found. */
static void look(long wanted, bool to_the_end)
{
    int64_t now_ms = jr_now_ms();
    struct jr_sweep sweep = { .begun_ms = now_ms };

    know_repos(wanted, now_ms - JR_HOUR_MS);
    for (int i = 0; to_the_end || i < TIMES; i++) {
        struct jr_look one;
        struct jr_error error;
        const struct jr_github_page empty = { .count = 0 };
        struct jr_look_result result;
        double begun_ms = cpu_ms();
        enum jr_err err = jr_reconcile_begin(store, &settings, &sweep, now_ms + i, NULL,
                                             &one, &error);

        if (err == JR_ENOENT)
            break;
        if (err != JR_OK)
            fail(error.text);
        note(cpu_ms() - begun_ms);
        while (one.active)
            if (jr_reconcile_page(store, &settings, &one, &empty, now_ms + i, &result, &error)
                != JR_OK)
                fail(error.text);
    }
}

static void send(uint32_t attempt, uint64_t job, bool ended)
{
    struct jr_update update = { .now_ms = jr_now_ms() };
    struct jr_event *event = &update.event;
    struct jr_receipt receipt;
    struct jr_txn txn;
    char id[32];

    snprintf(id, sizeof id, "%u-%d-%llu", attempt, ended, (unsigned long long)job);
    if (jr_delivery_identify(&update.delivery, id, "", 0) != JR_OK)
        fail("no delivery id");
    event->kind = JR_EVENT_JOB;
    event->run_id = RUN_ID;
    event->attempt = attempt;
    event->job_id = (RUN_ID * attempt + job) * 10;
    event->status = ended ? JR_STATUS_COMPLETED : JR_STATUS_QUEUED;
    event->conclusion = ended ? JR_CONCLUSION_SUCCESS : JR_CONCLUSION_NONE;
    event->created_ms = event->started_ms = update.now_ms - JR_MINUTE_MS;
    event->completed_ms = ended ? update.now_ms : 0;
    snprintf(event->action, sizeof event->action, "%s", ended ? "completed" : "queued");
    snprintf(event->repo, sizeof event->repo, "octo/app");
    snprintf(event->workflow, sizeof event->workflow, "CI");
    snprintf(event->job_name, sizeof event->job_name, "test (%llu)", (unsigned long long)job);
    snprintf(event->runner, sizeof event->runner, "GitHub Actions 12");
    snprintf(event->labels, sizeof event->labels, "ubuntu-latest");
    jr_txn_begin(&txn, store, true);
    jr_intake_apply(&txn, &settings, &update, &receipt);
    commit(&txn);
}

static void end_jobs(uint32_t attempt, long wanted)
{
    for (long job = 1; job <= wanted; job++) {
        double begun_ms;

        send(attempt, (uint64_t)job, false);
        begun_ms = cpu_ms();
        send(attempt, (uint64_t)job, true);
        note(cpu_ms() - begun_ms);
    }
}

static void end_jobs_again(long wanted)
{
    end_jobs(1, wanted);
    figure_count = 0;
    end_jobs(2, wanted);
}

/* One attempt: all jobs fail at first, and pass on another runner. */
static void add_attempt(struct jr_txn *txn, struct jr_run *run, uint32_t attempt, int64_t at_ms)
{
    struct jr_run before = *run;

    for (unsigned i = 0; i < RUN_JOBS; i++) {
        struct jr_job job = {
            .known = true,
            .run_id = run->run_id,
            .job_id = (run->run_id * 2 + attempt) * RUN_JOBS + i,
            .attempt = attempt,
            .status = JR_STATUS_COMPLETED,
            .conclusion = attempt == 1 ? JR_CONCLUSION_FAILURE : JR_CONCLUSION_SUCCESS,
            .started_ms = at_ms - JR_MINUTE_MS,
            .completed_ms = at_ms,
            .labels = "self-hosted",
        };

        snprintf(job.name, sizeof job.name, "job %llu.%u", (unsigned long long)run->run_id, i);
        snprintf(job.runner, sizeof job.runner, "runner %llu.%u.%u",
                 (unsigned long long)run->run_id, i, attempt);
        jr_ledger_save_job(txn, &job);
    }
    run->attempt = attempt;
    run->jobs_known = RUN_JOBS;
    run->jobs_failed = attempt == 1 ? RUN_JOBS : 0;
    run->jobs_tallied = 0;
    jr_flaky_tally(txn, &before, run, NULL, NULL, at_ms);
    jr_ledger_save_run(txn, run);
}

static void make_flaky(long wanted)
{
    int64_t now_ms = jr_now_ms();

    for (long made = 0; made < wanted; made += RUN_JOBS) {
        struct jr_run run = {
            .known = true,
            .run_id = RUN_ID + (uint64_t)(made / RUN_JOBS),
            .repo = "octo/app",
            .workflow = "CI",
            .attempt = 1,
            .numbered = true,
            .base_attempt = 1,
            .phase = JR_PHASE_CLOSED,
            .reason = JR_REASON_JOBS_SUCCEEDED,
            .first_event_ms = now_ms,
            .last_event_ms = now_ms,
        };
        struct jr_txn txn;

        jr_txn_begin(&txn, store, true);
        add_attempt(&txn, &run, 1, now_ms - made / RUN_JOBS % 20 * JR_DAY_MS);
        add_attempt(&txn, &run, 2, now_ms);
        commit(&txn);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc == 4 ? argv[1] : "";
    long size = argc == 4 ? atol(argv[3]) : 0;
    struct jr_error error;

    if (size <= 0) {
        fputs("usage: grow looks|passed|jobs|again|flaky STATE_DIR N\n", stderr);
        return 2;
    }
    load_settings(strcmp(what, "passed") == 0 ? "octo/app-1" : "");
    if (jr_store_open(&store, argv[2], MAP_BYTES, &error) != JR_OK)
        fail(error.text);
    if (strcmp(what, "looks") == 0)
        look(size, false);
    else if (strcmp(what, "passed") == 0)
        look(size, true);
    else if (strcmp(what, "jobs") == 0)
        end_jobs(1, size);
    else if (strcmp(what, "again") == 0)
        end_jobs_again(size);
    else
        make_flaky(size);
    if (figure_count == 0)
        printf("%ld\n", size);
    else
        printf("%.4f\n", figure_at(strcmp(what, "passed") == 0 ? 1 : 0.5));
    jr_store_close(store);
    return 0;
}
