/*
 * journal -- what administrators did by hand, and who: the newest of it.
 *
 * It outlives what it is about (a run that is forgotten, a pause that has ended).
 * The dispatcher tells each line once in the log; it may be done while none works.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_JOURNAL_H
#define JR_JOURNAL_H

#include "lib/model/cause.h"
#include "lib/store/pause.h"

/* The newest so many are kept. */
#define JR_ACTS_MAX 200

/* The numbers are stored. */
enum jr_act_kind {
    JR_ACT_PAUSE = 1,
    JR_ACT_RESUME = 2, /* also a pause whose time was over: then by nobody */
    JR_ACT_RERUN = 3,
    JR_ACT_FORGET = 4,
    JR_ACT_LIFT = 5, /* what is held in an outage goes ahead (causehold.h) */
    JR_ACT_STOP = 6  /* nothing more of its commit is rerun by itself */
};

struct jr_act {
    int64_t at_ms;
    enum jr_act_kind kind;
    char who[JR_LOGIN_SIZE]; /* empty: nobody, or not known */
    uint64_t run_id;         /* 0: about no run */
    char repo[JR_REPO_SIZE]; /* of the run */
    struct jr_pause pause;   /* that was made or ended; all zero: about something else */
    enum jr_cause cause;     /* whose reruns were held; NONE: about something else */
};

/* Add a line, in a transaction that writes. */
void jr_journal_add(struct jr_txn *txn, const struct jr_act *act);

/*
 * Walk the journal, oldest first. A damaged line is passed over.
 *   number  in: the number to look from, 0 at first; out: the number after the line
 * Returns whether there is one.
 */
bool jr_journal_next(struct jr_txn *txn, uint64_t *number, struct jr_act *act);

/*
 * Walk it backwards.
 *   number  in: the number to look before, UINT64_MAX at first; out: of the line
 */
bool jr_journal_before(struct jr_txn *txn, uint64_t *number, struct jr_act *act);

/* From which number on the log has not told it; and note it. */
uint64_t jr_journal_untold(struct jr_txn *txn);
void jr_journal_tell(struct jr_txn *txn, uint64_t number);

#endif
