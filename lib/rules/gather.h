/*
 * gather -- rules 1 to 4: what a webhook means for its run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_GATHER_H
#define JR_GATHER_H

#include "lib/model/run.h"
#include "lib/rules/input.h"
#include "lib/rules/bounds.h"

/*
 * Take in an event (JR_INPUT_EVENT) and say how its webhook is answered.
 *   run      in and out; known == false: a run of which nothing is recorded, all else in it
 *            zero but its id
 *   job      in and out, of the event's job_id; not looked at for JR_EVENT_RUN
 *   verdict  in: all zero; out: `step' is not set
 */
void jr_gather(const struct jr_bounds *bounds, const struct jr_input *input, struct jr_run *run,
               struct jr_job *job, struct jr_verdict *verdict);

#endif
