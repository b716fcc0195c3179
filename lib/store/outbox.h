/*
 * outbox -- what is to be done, and when: an entry for each thing due, of several kinds.
 *
 * An entry of the kind ASK follows from its run (due_ms of struct jr_run): ledger.c keeps it in
 * step, and it is settled by saving the run. One of the kind REPORT follows from the run's report
 * in the same manner (reports.h), and one of the kind COMPLAINT from a record of its own, with a
 * repository in the place of the run (complaints.h). Others are put, claimed and settled here. For a new kind: a
 * number, a row in kinds[] of outbox.c, and what is done when it is due.
 *
 * All functions work inside the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_OUTBOX_H
#define JR_OUTBOX_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* The numbers are stored, and are bits: several kinds are asked for by one number. */
enum jr_due_kind {
    JR_DUE_ASK = 1,   /* ask GitHub about the run */
    JR_DUE_REPORT = 2, /* say at GitHub what becomes of it (reports.h) */
    JR_DUE_COMPLAINT = 4, /* say there what is wrong with a repository's policy file (complaints.h) */
    JR_DUE_TRACE = 8   /* see whether another host has had the attempt rerun */
};

/* Any kind. */
#define JR_DUE_ANY 0xffu

/*
 * An entry. A run has one of each kind at most, but one of TRACE for each attempt. All zero: the
 * place before the first.
 */
struct jr_due {
    enum jr_due_kind kind;
    int64_t due_ms;
    uint64_t run_id;
    uint32_t attempt;   /* it is about */
    uint32_t tries;     /* how often it was put off */
    int64_t waiting_ms; /* since when there is one, however often it was put off */
};

/* What a kind is called: "ask"; "unknown" for none of ours. */
const char *jr_outbox_kind_name(enum jr_due_kind kind);

/* How many entries of the kind ASK there are; without a walk. */
uint64_t jr_outbox_count_asks(struct jr_txn *txn);

/* Is there an entry of another kind? Likewise. */
bool jr_outbox_has(struct jr_txn *txn, enum jr_due_kind kind);

/* Add an entry, or put another in the place of the one with the same time, run and kind. */
void jr_outbox_put(struct jr_txn *txn, const struct jr_due *entry);

/* Remove an entry, known by its time, run and kind; that it is not there is no error. */
void jr_outbox_remove(struct jr_txn *txn, const struct jr_due *entry);

/*
 * Read what is stored with an entry that is known by its time, run and kind. An entry that
 * cannot be read waits since it is due.
 * Returns whether it is there.
 */
bool jr_outbox_load(struct jr_txn *txn, struct jr_due *entry);

/*
 * Walk the outbox in due order; of one time by run, then by kind.
 *   wanted  which kinds, as bits
 *   entry   in: the one before, all zero at first; out: the next
 * Returns whether there is one.
 */
bool jr_outbox_next(struct jr_txn *txn, unsigned wanted, struct jr_due *entry);

/*
 * Claim the entry that is due first: it stays where it is until it is settled. One due later
 * than latest_ms was made before the clock was set back, and comes before all others.
 * Returns whether there is one.
 */
bool jr_outbox_claim(struct jr_txn *txn, unsigned wanted, int64_t latest_ms,
                     struct jr_due *entry);

/*
 * Settle an entry that was claimed: it is done, or is tried again.
 *   next_ms  when; 0: it is done
 * Returns false when it is no longer there: somebody has moved it meanwhile, and nothing is
 * changed.
 */
bool jr_outbox_settle(struct jr_txn *txn, const struct jr_due *claimed, int64_t next_ms);

#endif
