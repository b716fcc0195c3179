/*
 * answering -- the steps by which it is done what people ask for on pull requests, each one
 * transaction.
 *
 * For one asking: claim, ask GitHub who may, which commit is the newest and which runs it has,
 * act, react, and for "why" say it. What is done is recorded in the transaction that does it, so
 * that it is done once; a reaction may be set twice; and a comment that may be there is looked for
 * before one is written.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ANSWERING_H
#define JR_ANSWERING_H

#include "lib/base/buffer.h"
#include "lib/config/settings.h"
#include "lib/model/asked.h"
#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is done is told in vain so often, then no more. */
#define JR_ANSWERING_TRIES 8

/* After so many refusals in a repository, of which GitHub was asked, and in an hour, no more strangers
 * are asked about: they may not. */
#define JR_ANSWERING_REFUSALS 30

/* What a comment of ours begins with that answers another: this and its number. */
#define JR_ANSWERING_MARKER "<!-- job-rerunner why "

/* One in hand. All zero: none. */
struct jr_answering {
    uint64_t number;       /* in the store; 0: none */
    struct jr_asked asked; /* as it is there, and what was learnt since */
    bool strange;          /* too many strangers were refused of late, and so is this one */
    bool looked_up;        /* GitHub was asked whether who asks may */
};

/*
 * Claim the one that is due first.
 *   due_ms  out, on JR_ENOENT: when the first is due; 0: there is none
 * Returns JR_OK, JR_ENOENT when none is due, or what failed.
 */
enum jr_err jr_answering_claim(struct jr_store *store, int64_t now_ms, struct jr_answering *work,
                               int64_t *due_ms, struct jr_error *error) JR_CHECKED;

/*
 * Choose the runs that it is about, from a list of those of a commit, newest first: of each
 * workflow and event the newest. They come into work->asked.
 */
void jr_answering_choose(struct jr_answering *work, const struct jr_event *listed, size_t count);

/*
 * Look at the run of a button.
 * Returns JR_OK, JR_ENOENT when it is not known, or what failed.
 */
enum jr_err jr_answering_look(struct jr_store *store, const struct jr_answering *work,
                              struct jr_run *run, struct jr_error *error) JR_CHECKED;

/*
 * Do it: have runs rerun that failed, and lift a stop; or stop those of the commit. Then there is
 * something to be told.
 *   end      OPEN: do it, and find out; else it is refused so, or (DONE) nothing is to be done.
 *            NOT_ALLOWED: it is done with, since strangers are told nothing
 *   rerun    out: how many runs are asked about at once
 * Returns JR_OK, also when it was done already; or what failed.
 */
enum jr_err jr_answering_act(struct jr_store *store, const struct jr_settings *settings,
                             struct jr_answering *work, enum jr_asked_end end, int64_t now_ms,
                             unsigned *rerun, struct jr_error *error) JR_CHECKED;

/*
 * Begin to write at GitHub: it is counted among the reports (reports.h); of a comment the intent
 * is recorded.
 *   wait_ms  out: how long nothing may be written; 0: go ahead
 */
enum jr_err jr_answering_begin(struct jr_store *store, struct jr_answering *work, int64_t now_ms,
                               int64_t *wait_ms, struct jr_error *error) JR_CHECKED;

/* Add what is known of its runs: the text of a comment. */
enum jr_err jr_answering_tell(struct jr_store *store, const struct jr_settings *settings,
                              const struct jr_answering *work, struct jr_buffer *buffer,
                              struct jr_error *error) JR_CHECKED;

/* It has come on: to the next state, or (over) it is done with. */
enum jr_err jr_answering_go_on(struct jr_store *store, struct jr_answering *work,
                               enum jr_asked_state state, bool over, int64_t now_ms,
                               struct jr_error *error) JR_CHECKED;

/* Put it off. in_vain: GitHub was asked, and this counts. */
enum jr_err jr_answering_put_off(struct jr_store *store, struct jr_answering *work,
                                 int64_t due_ms, bool in_vain, struct jr_error *error) JR_CHECKED;

#endif
