/*
 * attempt -- where the newest attempt of a run stands, and how it gets from there to
 * elsewhere: opened, suspect, closed, left for a newer one.
 *
 * An outbox entry is asked for by setting run->due_ms and taken back by setting it to 0; who
 * stores the run keeps the outbox in step.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ATTEMPT_H
#define JR_ATTEMPT_H

#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/rules/input.h"
#include "lib/rules/bounds.h"

#include <stdbool.h>
#include <stdint.h>

/* Hosted and self-hosted runs are ended by GitHub after 35 days:
 * https://docs.github.com/en/actions/reference/limits */
#define JR_RUN_LIFE_MS (35 * JR_DAY_MS)

/* "up to 30 days after its initial run":
 * https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs */
#define JR_RERUN_LIFE_MS (30 * JR_DAY_MS)

/* How often a run can be rerun, whoever does it:
 * https://docs.github.com/en/actions/reference/limits */
#define JR_RERUNS_LIMIT 50

/* A POST that was begun longer ago than this is no longer under way: http.c gives it 30 s. */
#define JR_POST_LIMIT_MS (35 * JR_SECOND_MS)

int64_t jr_later_of(int64_t a_ms, int64_t b_ms);
int64_t jr_earlier_of(int64_t a_ms, int64_t b_ms);

/* Begin with a run of which nothing is recorded, at its first attempt that is known. */
void jr_attempt_begin_run(struct jr_run *run, uint32_t attempt, int64_t now_ms);

/* Start over with an attempt of which nothing is known. */
void jr_attempt_open(struct jr_run *run, uint32_t attempt);

/*
 * Rules 5 and 6: a newer attempt has shown up. If there was a POST of unknown outcome for the
 * attempt just before it, then that is what worked. Says in the verdict what it ended.
 *   in_flight  the POST may still be under way: its answer (JR_INPUT_POSTED) will say what
 *              became of it
 */
void jr_attempt_leave(struct jr_run *run, uint32_t newer, bool in_flight,
                      struct jr_verdict *verdict);

/* Close it. What became of a POST under way is open still: the intent stays. */
void jr_attempt_close(struct jr_run *run, enum jr_reason reason);

/*
 * Rule 4: it looks failed. Ask GitHub in RERUN_DELAY, unless a setting leaves the run alone:
 * then it is closed.
 */
void jr_attempt_suspect(const struct jr_bounds *bounds, struct jr_run *run,
                        enum jr_reason reason, int64_t now_ms);

/* Have GitHub asked about the run. An entry that there is already has waited since it was made. */
void jr_attempt_ask_at(struct jr_run *run, int64_t due_ms, int64_t now_ms);

/* Have it asked no longer. */
void jr_attempt_ask_not(struct jr_run *run);

/*
 * Rule 6: after a POST of unknown outcome nothing is asked before API_BACKOFF_MIN.
 * Returns due_ms, or the later time.
 */
int64_t jr_attempt_not_too_soon(const struct jr_bounds *bounds, const struct jr_run *run,
                                int64_t due_ms, int64_t now_ms);

/*
 * The run is over. What a policy has judged of it counts no more when it is told to have ended
 * otherwise: a cancelled run asks for other proof than a failed one.
 */
void jr_attempt_conclude(struct jr_run *run, enum jr_conclusion conclusion);

/* The run's own conclusion, as an answer shows it. */
void jr_attempt_complete(struct jr_run *run, const struct jr_event *seen);

/* Does it deserve a rerun, if it ended so? */
bool jr_attempt_deserves(const struct jr_bounds *bounds, const struct jr_run *run,
                         enum jr_conclusion conclusion);

/* Is there anything in the conclusion that GitHub should be asked about? */
bool jr_attempt_is_suspect(const struct jr_bounds *bounds, const struct jr_run *run,
                           enum jr_conclusion conclusion);

/* Why a completed one that deserves no rerun is left alone. */
enum jr_reason jr_attempt_undeserving(const struct jr_run *run);

/* Was it closed because of how it ended? */
bool jr_attempt_is_closed_by_conclusion(const struct jr_run *run);

#endif
