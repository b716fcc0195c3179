/*
 * effect -- what a step is remembered for: what was decided, and what became of an attempt.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_EFFECT_H
#define JR_EFFECT_H

#include "lib/model/run.h"
#include "lib/rules/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the newest attempt stands after a decision, and what that rests on. */
struct jr_decided {
    enum jr_step step; /* NONE after an event */
    enum jr_phase phase;
    uint32_t jobs_known, jobs_unfinished, jobs_failed;
    bool complete;
    enum jr_conclusion conclusion; /* if it is complete */
    int64_t due_ms;                /* when GitHub is asked; 0: it is not */
    uint64_t superseded_by;        /* with the reason SUPERSEDED */
};

struct jr_effect {
    uint32_t attempt;
    enum jr_reason reason;
    bool is_outcome;           /* of an attempt that is over: the next one is `next' */
    uint32_t next;
    struct jr_decided decided; /* if it is none */
};

#define JR_EFFECTS_MAX 2

struct jr_effects {
    bool told; /* the input itself is to be remembered: it is no repetition */
    size_t count;
    struct jr_effect items[JR_EFFECTS_MAX]; /* in this order */
};

/*
 * What a step comes to.
 *   before   the run as it was
 *   run      and as it is, by jr_decide(), which has set `verdict'
 */
void jr_effects_of(const struct jr_input *input, const struct jr_run *before,
                   const struct jr_run *run, const struct jr_verdict *verdict,
                   struct jr_effects *effects);

#endif
