/*
 * days -- what happened on each day, in UTC, of all repositories and of each: for a chart.
 *
 * Kept by the transactions in which it happens. Each attempt and each run counts
 * once; when it turns out otherwise later, it is moved. Of a single repository, and by cause,
 * there is nothing of the time before a version that counts it. Of a run that is forgotten
 * the numbers stay: they name nobody.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_DAYS_H
#define JR_DAYS_H

#include "lib/model/cause.h"
#include "lib/model/finding.h"
#include "lib/model/run.h"
#include "lib/store/store.h"

#include <stddef.h>
#include <stdint.h>

struct jr_day {
    int64_t start_ms;     /* its first millisecond */
    uint32_t failed;      /* attempts that ended failed, timed out or unable to start */
    uint32_t reruns;      /* reruns that GitHub accepted from us */
    uint32_t rescued;     /* runs that ended in success by a rerun of ours */
    uint32_t not_rescued; /* runs that failed again after it, and were left so */
    uint32_t causes[JR_CAUSES]; /* failed jobs that were judged on it, by what they failed for */
};

/* The scope of all repositories together; that of one is jr_budget_scope(). */
#define JR_DAYS_ALL 0

/*
 * Count what has come of a run in this transaction.
 *   before  the run as it was loaded
 *   run     the run as it is to be saved; what has been counted is noted in it
 * Touches the store only when there is something to count.
 */
void jr_days_note(struct jr_txn *txn, const struct jr_run *before, struct jr_run *run,
                  int64_t now_ms);

/*
 * Count what a job failed for. Before it is recorded (jr_failures_save()): what is recorded of
 * it until then counts no longer.
 */
void jr_days_note_cause(struct jr_txn *txn, const struct jr_run *run,
                        const struct jr_failure *failure, int64_t now_ms);

/*
 * Read the last days of all repositories, in one short read transaction.
 *   days   out: the caller's, `count` of them, oldest first; the last is the day
 *          of now_ms. Of days without a record all numbers are 0.
 * Returns JR_OK or what failed.
 */
enum jr_err jr_days_read(struct jr_store *store, int64_t now_ms, struct jr_day *days,
                         size_t count, struct jr_error *error) JR_CHECKED;

/* The same, of one scope. */
enum jr_err jr_days_read_of(struct jr_store *store, uint64_t scope, int64_t now_ms,
                            struct jr_day *days, size_t count, struct jr_error *error) JR_CHECKED;

/* The same, within the caller's transaction. */
void jr_days_load(struct jr_txn *txn, uint64_t scope, int64_t now_ms, struct jr_day *days,
                  size_t count);

/* Add what happened on a day to a sum, which keeps its own start_ms. */
void jr_day_add(struct jr_day *sum, const struct jr_day *day);

/* Forget up to `most` records of days that were over before before_ms. */
void jr_days_prune(struct jr_txn *txn, int64_t before_ms, unsigned most);

#endif
