/*
 * budget -- what reruns have spent, by hour and day, of each repository and of all.
 *
 * Kept by the transaction that records the intent of a POST, whatever the policy: so that limits
 * which are set later start with the truth. Counted are reruns by the hour, and runner minutes
 * by the day and by system; weights come in when a limit is asked (limits.h).
 *
 * Each attempt of a run counts at most once. While its POST is in doubt it counts; a POST that
 * turns out not to have taken effect gives it back, by the transaction that records that. The run's
 * record tells what is counted, and under which hour and day.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_BUDGET_H
#define JR_BUDGET_H

#include "lib/model/run.h"
#include "lib/rules/limits.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* The scope of all repositories together. */
#define JR_BUDGET_ALL 0

/*
 * Under which number a run's repository is counted: its id, so that it may be renamed. Of a
 * run whose repository's id nobody has told, as of one that was only asked for by hand, a number
 * made of the name, without regard to case; no id is so large.
 */
uint64_t jr_budget_scope(const struct jr_run *run);

/*
 * What a rerun of the newest attempt would cost, by how long its jobs ran: those that failed or
 * were cancelled; those that were skipped, which may have been so because of them, as long as the
 * job of that name ran last in an earlier attempt of the run. Of a job whose end no event told,
 * as GitHub has listed it among the failed ones (failures.h). What is not known costs nothing.
 *   all  every job of the attempt runs again
 */
void jr_budget_cost(struct jr_txn *txn, const struct jr_run *run, bool all,
                    struct jr_minutes *cost);

/*
 * What was spent in the hour and on the day of now_ms, without what is counted of this run's
 * newest attempt: its POST is in doubt, and another one would take the place of it.
 *   scope  jr_budget_scope(run), or JR_BUDGET_ALL
 */
void jr_budget_spent(struct jr_txn *txn, uint64_t scope, const struct jr_run *run, int64_t now_ms,
                     struct jr_spending *spent);

/* What a step means for it. */
enum jr_budget_step { JR_BUDGET_NO_POST, JR_BUDGET_POST_FAILED, JR_BUDGET_POST_ALL };

/*
 * Count a rerun that is to be made, or give back one that was not.
 *   before  the run as it was loaded
 *   run     the run as it is to be saved; what is counted is noted in it
 * Touches the store only when there is something to count.
 */
void jr_budget_note(struct jr_txn *txn, const struct jr_run *before, struct jr_run *run,
                    enum jr_budget_step step, int64_t now_ms);

/* What was spent on a day. */
struct jr_budget_day {
    uint64_t scope;
    char repo[JR_REPO_SIZE]; /* as its newest rerun had it; empty: of all */
    uint32_t reruns[24];     /* by the hour */
    struct jr_minutes minutes;
};

/* Read what was spent on the day of now_ms; all zero when nothing was, or the record is damaged. */
void jr_budget_load(struct jr_txn *txn, uint64_t scope, int64_t now_ms,
                    struct jr_budget_day *spent);

/*
 * The next scope of that day, by its number; that of all comes first.
 *   first  begin with that
 *   spent  in: unless it is the first, `scope' of the one before; out
 * Returns false after the last.
 */
bool jr_budget_next(struct jr_txn *txn, int64_t now_ms, bool first, struct jr_budget_day *spent);

/* The hour of the day that now_ms lies in. */
unsigned jr_budget_hour(int64_t now_ms);

/* Forget up to `most` records of days that were over before before_ms. */
void jr_budget_prune(struct jr_txn *txn, int64_t before_ms, unsigned most);

#endif
