/*
 * verdict -- rules 5 to 7: whether a run is rerun, once GitHub has shown it, a list has, or
 * somebody asks for it; and what came of the call.
 *
 * Each function is what jr_decide() does with one kind of input. Those that get a verdict
 * find it all zero.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_VERDICT_H
#define JR_VERDICT_H

#include "lib/model/run.h"
#include "lib/rules/input.h"
#include "lib/rules/bounds.h"

#include <stdbool.h>

/* GitHub has shown the run. For a RERUN step, run->intent_ms is set and run->due_ms lies
 * API_BACKOFF_MIN ahead: store both before the POST. */
void jr_verdict_seen(const struct jr_bounds *bounds, const struct jr_input *input,
                     struct jr_run *run, struct jr_verdict *verdict);

/*
 * A policy has judged the attempt (JR_INPUT_JUDGED) after jr_verdict_seen() asked for that with
 * the step JUDGE. A run that is to be rerun is due when its delay is over.
 */
void jr_verdict_judged(const struct jr_bounds *bounds, const struct jr_input *input,
                       struct jr_run *run, struct jr_verdict *verdict);

/*
 * Why a completed attempt is not rerun, or not judged by a policy, by the settings and by what
 * GitHub reruns at all; NONE: it is.
 *   run    with the conclusion that GitHub shows
 *   input  JR_INPUT_SEEN: of the event its conclusion, created_ms and updated_ms count
 */
enum jr_reason jr_verdict_refusal(const struct jr_bounds *bounds, const struct jr_run *run,
                                  const struct jr_input *input);

/*
 * When a run is looked at again that is held until until_ms: then, but no later than in
 * JR_HOLD_MOST_MS, nor than when CATCH_UP closes it.
 *   updated_ms  when its attempt ended; 0: nobody has told
 */
int64_t jr_verdict_hold_ms(const struct jr_bounds *bounds, int64_t until_ms, int64_t updated_ms,
                           int64_t now_ms);

/* GitHub cannot be asked: decide from the events alone. */
void jr_verdict_unseen(const struct jr_bounds *bounds, const struct jr_input *input,
                       struct jr_run *run, struct jr_verdict *verdict);

/* What came of a call that showed nothing (JR_INPUT_FAILED), or of the POST. */
void jr_verdict_answer(const struct jr_bounds *bounds, const struct jr_input *input,
                       struct jr_run *run, struct jr_verdict *verdict);

/*
 * A list of failed runs shows one. If its attempt has no verdict yet it gets an
 * outbox entry, or is closed when it ended longer ago than CATCH_UP.
 */
void jr_verdict_listed(const struct jr_bounds *bounds, const struct jr_input *input,
                       struct jr_run *run, struct jr_verdict *verdict);

/*
 * Why a command (COMMANDS) does not have a run rerun; NONE: it has. It says so at once, for who asks
 * to be told: what GitHub shows of it later may still be otherwise.
 */
enum jr_reason jr_verdict_refusal_of_asked(const struct jr_bounds *bounds,
                                           const struct jr_run *run);

/*
 * An administrator asks for a rerun: ask GitHub at once, and whatever it shows as
 * failed is rerun, by RUN_ATTEMPTS or more, whatever filters, RETRY_CONCLUSIONS
 * and CATCH_UP say. GitHub's own limits, rule 6 and DRY_RUN hold.
 */
void jr_verdict_by_hand(const struct jr_bounds *bounds, const struct jr_input *input,
                        struct jr_run *run, struct jr_verdict *verdict);

/*
 * Is GitHub to be asked for the workflow's name before the run is judged? So it is while
 * NO_RETRY_WORKFLOWS has patterns for names (others end in .yml or .yaml), no event has told
 * the name (answers about runs do not tell it) and no pattern matches the path.
 *   seen  NULL, or GitHub's answer: one that is not to be rerun anyway needs no name
 */
bool jr_verdict_wants_workflow(const struct jr_bounds *bounds, const struct jr_run *run,
                               const struct jr_event *seen);

#endif
