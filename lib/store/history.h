/*
 * history -- the story of each run: its events, the decisions, the calls.
 *
 * Entries are numbered per run and never changed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HISTORY_H
#define JR_HISTORY_H

#include "lib/model/run.h"
#include "lib/model/words.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* The numbers are stored. */
enum jr_history_kind {
    JR_HISTORY_EVENT = 1,    /* a webhook; detail: what it said */
    JR_HISTORY_DECISION = 2, /* what was decided; detail: the evidence */
    JR_HISTORY_CALL = 3,     /* a call of the API; detail: what was asked and answered */
    JR_HISTORY_OUTCOME = 4,  /* what became of an attempt */
    JR_HISTORY_REQUEST = 5   /* something is done by hand; detail: by whom */
};

struct jr_history {
    int64_t at_ms;
    enum jr_history_kind kind;
    uint32_t attempt;
    enum jr_reason reason;
    enum jr_reply reply; /* of an event: our answer; else NONE */
    int status;      /* of a call: GitHub's answer, HTTP; 0: none */
    uint64_t job_id; /* 0: about the run */
    char delivery[80]; /* of an event: what it is known by, jr_delivery.text */
    char detail[512];
};

/*
 * How many entries a run may have. 50 attempts of 256 jobs could bring more
 * than 38,000 events; the later ones are still applied, but not kept here.
 * Decisions, calls and outcomes are always kept.
 */
#define JR_HISTORY_EVENTS_MAX 10000

/* The words of an entry's reason: those of jr_reason_words(), told of what is over. */
const char *jr_history_words(const struct jr_history *entry);

/* Add an entry to a run that is saved afterwards in the same transaction. */
void jr_history_add(struct jr_txn *txn, struct jr_run *run, const struct jr_history *entry);

/* Add that an attempt has ended, and why; the run is at a newer one by now. */
void jr_history_add_outcome(struct jr_txn *txn, struct jr_run *run, uint32_t attempt,
                            enum jr_reason reason, int64_t now_ms);

/* Add where the run's newest attempt stands, and what that rests on. */
void jr_history_add_decision(struct jr_txn *txn, struct jr_run *run, enum jr_reason reason,
                             int64_t now_ms);

/*
 * Read the next entry of a run.
 *   number  in: the number to look from, 0 at first; out: the number after the
 *           entry that was found
 * Returns whether there was one.
 */
bool jr_history_next(struct jr_txn *txn, uint64_t run_id, uint32_t *number,
                     struct jr_history *entry);

#endif
