/*
 * history -- the story of each run, as facts: its events, the calls, what was asked for by
 * hand, and what was decided.
 *
 * Entries are numbered per run and never changed. Sentences are made of them when they are
 * read (narrate.h). They hold all that the rules have used, so that a run can be replayed
 * (lib/steps/replay.h).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HISTORY_H
#define JR_HISTORY_H

#include "lib/base/codec.h"
#include "lib/model/call.h"
#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/model/words.h"
#include "lib/rules/effect.h"
#include "lib/rules/input.h"
#include "lib/store/delivery.h"
#include "lib/store/pause.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are stored. */
enum jr_history_kind {
    JR_HISTORY_EVENT = 1,    /* a webhook */
    JR_HISTORY_DECISION = 2, /* what was decided */
    JR_HISTORY_CALL = 3,     /* a call of the API */
    JR_HISTORY_OUTCOME = 4,  /* what became of an attempt */
    JR_HISTORY_REQUEST = 5,  /* something is done by hand */
    JR_HISTORY_JUDGEMENT = 6 /* what the policy says of a failed attempt */
};

/* How an input found the run, besides what the history has told by then. */
struct jr_found {
    int64_t due_ms; /* its outbox entry, which may have been put off; 0: there was none */
    uint32_t tries; /* of that */
    bool moved;     /* it was not the one that was claimed (struct jr_input) */
    bool anew;
    struct jr_newer newer;
    enum jr_reason guard; /* that the policy's guards gave; NONE */
    struct jr_hold hold;
    struct jr_guards_told guards;
    bool asked, all;      /* HAND: likewise */
};

/* A call and its answer, for people. */
struct jr_told_call {
    char what[40]; /* "GET run" */
    int status;    /* HTTP; 0: no answer */
    uint32_t duration_ms;
    enum jr_outcome outcome;
    bool try_all;
    char text[256]; /* what GitHub or libcurl said; may be empty */
};

/*
 * An entry. What a kind of entry or of input does not have, is 0 or empty. An input that has
 * no entry of its own (of a list, or without a token) is told by the first entry of what came
 * of it.
 */
struct jr_history {
    int64_t at_ms;
    enum jr_history_kind kind;
    uint32_t attempt;
    enum jr_reason reason; /* of the answer, the decision, the outcome, the call */

    enum jr_input_kind input; /* whose facts it has; 0: none */
    struct jr_found found;
    struct jr_event event;    /* EVENT, SEEN, LISTED, NAMED: run_id is not set */
    uint32_t known;           /* bits: its facts that were known, so are empty (_recall()) */
    char repo[JR_REPO_SIZE];  /* HAND, of a run of which nothing was recorded */

    enum jr_reply reply;             /* of an EVENT */
    char delivery[JR_DELIVERY_SIZE]; /* of an EVENT: what it is known by, jr_delivery.text */
    struct jr_told_call call;        /* of a CALL */
    struct jr_judgement judgement;   /* of a JUDGEMENT */
    char who[JR_LOGIN_SIZE];         /* of a REQUEST; of a pause that is over: who ended it */
    struct jr_pause pause;           /* with the reason PAUSED, of a REQUEST or DECISION */
    struct jr_decided decided;       /* of a DECISION, but for that */
    uint32_t next;                   /* of an OUTCOME: the attempt after it */
};

/*
 * How many entries a run may have. 50 attempts of 256 jobs could bring more
 * than 38,000 events; the later ones are still applied, but not kept here.
 * Decisions, calls and outcomes are always kept.
 */
#define JR_HISTORY_EVENTS_MAX 10000

/*
 * The bytes of an entry (history_record.c). An event comes with each webhook, so its record is
 * kept small: only what is not empty, and nothing that the run or the job told before; numbers
 * and times are as short as they can be, times count from that of the entry. The arguments are
 * those of jr_history_add().
 */
void jr_history_encode(const struct jr_history *entry, const struct jr_run *before,
                       const struct jr_job *job, struct jr_writer *writer);

/* Read one. False for another version, or bytes that are no such record. */
bool jr_history_decode(struct jr_history *entry, const void *bytes, size_t size);

/*
 * Add an entry to a run that is saved afterwards in the same transaction. Facts of the event
 * that the run, or the job, told before are not stored again.
 *   before  the run as the input found it; NULL: the entry has no event
 *   job     the event's, likewise; NULL: it is not of a job
 */
void jr_history_add(struct jr_txn *txn, struct jr_run *run, const struct jr_history *entry,
                    const struct jr_run *before, const struct jr_job *job);

/*
 * Read the next entry of a run.
 *   number  in: the number to look from, 0 at first; out: the number after the
 *           entry that was found
 * Returns whether there was one.
 */
bool jr_history_next(struct jr_txn *txn, uint64_t run_id, uint32_t *number,
                     struct jr_history *entry);

/*
 * Fill in the facts of an entry's event that were known when it came.
 *   before, job  as it found them
 */
void jr_history_recall(struct jr_history *entry, const struct jr_run *before,
                       const struct jr_job *job);

#endif
