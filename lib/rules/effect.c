/*
 * effect -- what a step is remembered for: what was decided, and what became of an attempt.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/effect.h"

#include <string.h>

static void add_outcome(struct jr_effects *effects, const struct jr_run *run,
                        const struct jr_verdict *verdict)
{
    struct jr_effect *effect = &effects->items[effects->count++];

    effect->attempt = verdict->ended_attempt;
    effect->reason = verdict->ended_reason;
    effect->is_outcome = true;
    effect->next = run->attempt;
}

static void add_decision(struct jr_effects *effects, const struct jr_run *run, enum jr_step step,
                         enum jr_reason reason)
{
    struct jr_effect *effect = &effects->items[effects->count++];

    effect->attempt = run->attempt;
    effect->reason = reason;
    effect->decided = (struct jr_decided){
        .step = step,
        .phase = run->phase,
        .jobs_known = run->jobs_known,
        .jobs_unfinished = run->jobs_unfinished,
        .jobs_failed = run->jobs_failed,
        .complete = run->complete,
        .conclusion = run->complete ? run->conclusion : JR_CONCLUSION_NONE,
        .due_ms = run->due_ms,
        .superseded_by = reason == JR_REASON_SUPERSEDED ? run->superseded_by : 0,
    };
}

/* Has an answer told other facts of the run than were known? They stand together in it. */
static bool has_learned(const struct jr_run *before, const struct jr_run *run)
{
    const size_t from = offsetof(struct jr_run, repo_id), to = offsetof(struct jr_run, shown);

    return memcmp((const char *)before + from, (const char *)run + from, to - from) != 0;
}

/* Does what has kept the run waiting go on? */
static bool is_still_held(const struct jr_run *before, const struct jr_verdict *verdict)
{
    return before->phase == JR_PHASE_DUE && before->reason == verdict->reason
           && jr_reason_class(verdict->reason) == JR_CLASS_HOLD;
}

/* The same answer again (still not completed, still unreachable) is no news. */
static bool is_news(const struct jr_input *input, const struct jr_run *before,
                    const struct jr_run *run, const struct jr_verdict *verdict)
{
    switch (input->kind) {
    case JR_INPUT_SEEN:
    case JR_INPUT_FAILED:
    case JR_INPUT_POSTED:
        return verdict->step != JR_STEP_WAIT || has_learned(before, run)
               || before->reason != verdict->reason
               || (before->tries == 0 && !is_still_held(before, verdict));
    case JR_INPUT_QUIET:
        return false;
    default:
        return verdict->changed;
    }
}

/* Has an event decided about the newest attempt? It has not while events are gathered. */
static bool is_decided(const struct jr_run *before, const struct jr_run *run)
{
    return run->phase != JR_PHASE_OPEN
           && (run->attempt != before->attempt || run->phase != before->phase
               || run->reason != before->reason);
}

void jr_effects_of(const struct jr_input *input, const struct jr_run *before,
                   const struct jr_run *run, const struct jr_verdict *verdict,
                   struct jr_effects *effects)
{
    bool ended = verdict->ended_attempt != 0;

    memset(effects, 0, sizeof *effects);
    effects->told = is_news(input, before, run, verdict);
    if (!effects->told)
        return;
    if (ended)
        add_outcome(effects, run, verdict);
    if (input->kind == JR_INPUT_EVENT) {
        if (is_decided(before, run))
            add_decision(effects, run, JR_STEP_NONE, run->reason);
    } else if (!ended || input->kind == JR_INPUT_LISTED) {
        if (input->kind != JR_INPUT_NAMED)
            add_decision(effects, run, verdict->step, verdict->reason);
    } else if (run->phase != JR_PHASE_OPEN) {
        add_decision(effects, run, verdict->step, run->reason);
    }
}
