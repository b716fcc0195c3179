/*
 * decide -- the one transition: what has happened to a run, and what comes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/decide.h"
#include "lib/rules/gather.h"
#include "lib/rules/learn.h"
#include "lib/rules/verdict.h"
#include "lib/rules/watch.h"

#include <string.h>

static void look_at_quiet(const struct jr_bounds *bounds, const struct jr_input *input,
                          struct jr_run *run, struct jr_verdict *verdict)
{
    bool asks = jr_watch_asks(bounds, run, input->now_ms);

    verdict->changed = true;
    verdict->step = asks ? JR_STEP_ASK : JR_STEP_WAIT;
    verdict->attempt = run->attempt;
}

/* By the new name a pause is found before the next call. Nothing is decided. */
static void take_name(const struct jr_bounds *bounds, const struct jr_input *input,
                      struct jr_run *run, struct jr_verdict *verdict)
{
    const char *name = input->event->repo;

    (void)bounds;
    verdict->changed = *name != '\0' && strcmp(name, run->repo) != 0;
    verdict->step = JR_STEP_WAIT;
    verdict->reason = JR_REASON_PAUSED;
    verdict->attempt = run->attempt;
    jr_learn_text(run->repo, sizeof run->repo, name);
}

typedef void input_fn(const struct jr_bounds *bounds, const struct jr_input *input,
                      struct jr_run *run, struct jr_verdict *verdict);

/* What each kind of input does, but for an event, which is about a job as well. */
static input_fn *const inputs[] = {
    [JR_INPUT_SEEN] = jr_verdict_seen,     [JR_INPUT_UNSEEN] = jr_verdict_unseen,
    [JR_INPUT_FAILED] = jr_verdict_answer, [JR_INPUT_POSTED] = jr_verdict_answer,
    [JR_INPUT_LISTED] = jr_verdict_listed, [JR_INPUT_HAND] = jr_verdict_by_hand,
    [JR_INPUT_QUIET] = look_at_quiet,      [JR_INPUT_NAMED] = take_name,
    [JR_INPUT_JUDGED] = jr_verdict_judged,
};

void jr_decide(const struct jr_bounds *bounds, const struct jr_input *input, struct jr_run *run,
               struct jr_job *job, struct jr_verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    if (input->kind == JR_INPUT_EVENT)
        jr_gather(bounds, input, run, job, verdict);
    else
        inputs[input->kind](bounds, input, run, verdict);
}
