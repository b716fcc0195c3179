/*
 * ledger -- runs and jobs in the store, and the indexes that follow from them.
 *
 * Saving a run keeps six indexes in step with it: its entry of the outbox (the kind ASK: by
 * due_ms, while that is not 0; with waiting_ms in the entry), the watched runs (by quiet_due_ms,
 * likewise), the ages (by the hour of the last event, for pruning), what was told (by the
 * hour of the newest entry in the history: of a call, say), the lines (runs of the same
 * workflow, branch, event and head repository, by their run_number) and the lists in which
 * people look for runs (runindex.h).
 * All functions work inside the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LEDGER_H
#define JR_LEDGER_H

#include "lib/base/timestamp.h"
#include "lib/model/run.h"
#include "lib/rules/input.h"
#include "lib/rules/bounds.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Everything of a run stands together: its history, then its jobs, then the run
 * itself. So an event, which adds to the first and changes the others, touches
 * one page or two.
 */
enum jr_part {
    JR_PART_HISTORY = 1, /* number: of the entry, from 0 on */
    JR_PART_JOB = 2,     /* number: the job id */
    JR_PART_RUN = 3,     /* number: 0 */
    JR_PART_NAMESAKES = 4, /* number: of a job's name, or 0 (flaky.c) */
    JR_PART_FAILURE = 5,   /* number: the job id (failures.h) */
    JR_PART_REPORT = 6     /* number: 0 (reports.h) */
};

/* Write the key of a part in JR_TABLE_RUNS; returns its length. */
size_t jr_ledger_key(unsigned char key[JR_KEY_MAX], uint64_t run_id, enum jr_part part,
                     uint64_t number);

/*
 * Find the first part of this kind whose number is not less than the given one.
 *   number  in and out
 * Returns whether there is one; entry holds it then.
 */
bool jr_ledger_seek(struct jr_txn *txn, uint64_t run_id, enum jr_part part, uint64_t *number,
                    struct jr_entry *entry);

/* How many runs there are. */
uint64_t jr_ledger_count(struct jr_txn *txn);

/* Load a run. When there is none, run is all zero but for its id. */
void jr_ledger_load_run(struct jr_txn *txn, uint64_t run_id, struct jr_run *run);

/*
 * The same, but a damaged record does not fail the transaction, for who can do
 * without it. Returns false for one: run is then of no use but for its id.
 */
bool jr_ledger_read_run(struct jr_txn *txn, uint64_t run_id, struct jr_run *run) JR_CHECKED;

/* Save a run that was loaded in this transaction. */
void jr_ledger_save_run(struct jr_txn *txn, struct jr_run *run);

/* Load a job. When there is none, job is all zero but for its ids. */
void jr_ledger_load_job(struct jr_txn *txn, uint64_t run_id, uint64_t job_id, struct jr_job *job);
void jr_ledger_save_job(struct jr_txn *txn, const struct jr_job *job);

/*
 * The next job of a run in the order of job ids.
 *   after  0 for the first, else the id of the one before
 * Returns whether there is one.
 */
bool jr_ledger_next_job(struct jr_txn *txn, uint64_t run_id, uint64_t after, struct jr_job *job);

/*
 * Find the run about which GitHub is to be asked first (JR_DUE_ASK). One due later than latest_ms was made
 * before the clock was set back, and comes before all others.
 * Returns whether there is one.
 */
bool jr_ledger_first_due(struct jr_txn *txn, int64_t latest_ms, int64_t *due_ms, uint64_t *run_id);

/*
 * Walk the runs about which GitHub is to be asked, in due order.
 *   due_ms, run_id  in: of the entry before, 0 and 0 at first; out: of the next
 *   waiting_ms      out: since when it waits; of an entry that does not tell, when
 *                   it is or was due
 * Returns whether there is one.
 */
bool jr_ledger_next_due(struct jr_txn *txn, int64_t *due_ms, uint64_t *run_id,
                        int64_t *waiting_ms);

/*
 * Walk the runs by the hour of their last event, backwards; within an hour the
 * greatest run id first.
 *   hour_ms, run_id  in: of the run before, 0 and 0 at first; out: of the next
 * Returns whether there is one.
 */
bool jr_ledger_next_older(struct jr_txn *txn, int64_t *hour_ms, uint64_t *run_id);

/*
 * Walk the runs whose history has an entry at or after since_ms, to the hour; the oldest
 * newest entry first. A run to whose history something is added meanwhile moves on, and may
 * be found once more.
 *   hour_ms, run_id  in: of the run before, 0 and 0 at first; out: of the next
 * Returns whether there is one.
 */
bool jr_ledger_next_told(struct jr_txn *txn, int64_t since_ms, int64_t *hour_ms,
                         uint64_t *run_id);

/*
 * Walk the runs by their ids, whatever their age.
 *   run_id  in: of the run before, 0 at first; out: of the next
 * Returns whether there is one.
 */
bool jr_ledger_next_run(struct jr_txn *txn, uint64_t *run_id);

/*
 * The same, backwards: the newest first.
 *   run_id  in: of the run after it, 0 at first; out: of the next, which is less
 */
bool jr_ledger_previous_run(struct jr_txn *txn, uint64_t *run_id);

/*
 * What is known of runs that are newer than this one, in the same line and of another
 * commit (jr_run_supersedes). The newest are looked at first, and no more than a hundred.
 */
void jr_ledger_newer(struct jr_txn *txn, const struct jr_bounds *bounds,
                     const struct jr_run *run, int64_t now_ms, struct jr_newer *newer);

/* Take an entry out of the outbox by itself, for a run that cannot be loaded. */
void jr_ledger_drop_due(struct jr_txn *txn, int64_t due_ms, uint64_t run_id);

/* The same for the watched runs, by their quiet_due_ms. */
bool jr_ledger_first_quiet(struct jr_txn *txn, int64_t latest_ms, int64_t *quiet_due_ms,
                           uint64_t *run_id);

/* Watch a run no longer that cannot be loaded. */
void jr_ledger_drop_quiet(struct jr_txn *txn, int64_t quiet_due_ms, uint64_t run_id);

/*
 * Remove a run that was loaded in this transaction, with jobs, history and all
 * that the indexes have of it.
 */
void jr_ledger_remove_run(struct jr_txn *txn, struct jr_run *run);

/*
 * Put runs that an older version has recorded into the lists in which people look for them, and
 * their failures into that of their cause. When all have been looked at, the store says so. From
 * then on only some of the newest are looked at, when `after' is 0: if one is in no list, an older
 * version has been at work again, and all are gone through once more.
 *   most   how many runs are looked at
 *   after  in and out: 0 when a process begins, then where to go on; JR_LEDGER_LISTED at the end
 * Returns whether there is more to do.
 */
#define JR_LEDGER_LISTED UINT64_MAX
bool jr_ledger_list(struct jr_txn *txn, unsigned most, uint64_t *after);

/* So long may a check run keep its run that is to be completed. */
#define JR_LEDGER_REPORT_MS (7 * JR_DAY_MS)

/* How far a walk through the ages has come; all zero at first, and at the end again. */
struct jr_prune {
    unsigned char key[16];
    size_t key_length;
};

/*
 * Remove runs whose last event is older than before_ms, with jobs and history.
 * Runs with an outbox entry stay; those with a check run that is not completed, for
 * JR_LEDGER_REPORT_MS more: there may be nothing any more with which to complete it.
 *   only_closed  runs stay too of which more may be heard, and damaged ones
 *   most         how many runs are looked at, so that the transaction stays short
 *   prune        in and out: where to go on
 * Returns how many were removed.
 */
unsigned jr_ledger_prune(struct jr_txn *txn, int64_t before_ms, bool only_closed, unsigned most,
                         struct jr_prune *prune);

/*
 * On a map that is full: remove the next closed run, by its age. Each page that a transaction
 * changes is copied first, and a full map may have room for no more than a few copies: so
 * each table has a transaction of its own. A process that dies in between leaves a run
 * without some of its parts, which is the next to go.
 *   most     how many runs are looked at
 *   removed  out: whether there was one
 *   prune    in and out: where to go on
 * Returns JR_OK, JR_EFULL when not even that is possible, or what else failed.
 */
enum jr_err jr_ledger_squeeze(struct jr_store *store, int64_t before_ms, unsigned most,
                              struct jr_prune *prune, bool *removed,
                              struct jr_error *error) JR_CHECKED;

#endif
