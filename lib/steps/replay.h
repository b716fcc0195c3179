/*
 * replay -- what a run's history tells, put through the rules once more.
 *
 * The facts of each input go to jr_decide(), as they did when they came, and what it decides
 * is compared with what the history tells was decided. Pure: over entries of the history,
 * without a store. By the bounds that was in force then, both are the same; by another one,
 * the differences are what it would have changed.
 *
 * A run of more than JR_HISTORY_EVENTS_MAX entries cannot be replayed to its end: later
 * events are not kept.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPLAY_H
#define JR_REPLAY_H

#include "lib/model/run.h"
#include "lib/rules/bounds.h"
#include "lib/store/history.h"

#include <stddef.h>
#include <stdint.h>

struct jr_replay {
    struct jr_run run;    /* as the inputs have made it; its outbox entry as the last found it */
    struct jr_job *jobs;  /* those of all its attempts; owned */
    size_t job_count, job_size;
    struct jr_effects effects; /* what the last input came to */
    size_t next;               /* of these, the one that the history has to tell next */
    unsigned inputs;           /* taken so far */
    unsigned decisions;        /* that were told, and are the same */
    unsigned differences;
    char first[256]; /* the first difference, for people; empty: there is none */
};

/* Begin with a run of which nothing is recorded. The caller ends with jr_replay_release(). */
void jr_replay_begin(struct jr_replay *replay, uint64_t run_id);

/* Take the run's next entry. Returns JR_OK or JR_ENOMEM. */
enum jr_err jr_replay_take(struct jr_replay *replay, const struct jr_bounds *bounds,
                           const struct jr_history *entry) JR_CHECKED;

/* There are no more entries: whatever was decided and not told is a difference. */
void jr_replay_end(struct jr_replay *replay);

void jr_replay_release(struct jr_replay *replay);

#endif
