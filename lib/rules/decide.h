/*
 * decide -- the one transition: what has happened to a run, and what comes of it.
 *
 * Pure: no clock, no I/O, no memory of its own. Everything is in the arguments,
 * so that each decision can be tried in any order of events and replayed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_DECIDE_H
#define JR_DECIDE_H

#include "lib/model/run.h"
#include "lib/rules/input.h"
#include "lib/rules/bounds.h"

/*
 * Take in what has happened.
 *   run      in and out; known == false: a run of which nothing is recorded, all else in it
 *            zero but its id. Its outbox entry is there exactly while due_ms is not 0
 *   job      in and out, of the event's job_id; NULL: the input is no event of a job
 *   verdict  out
 */
void jr_decide(const struct jr_bounds *bounds, const struct jr_input *input, struct jr_run *run,
               struct jr_job *job, struct jr_verdict *verdict);

#endif
