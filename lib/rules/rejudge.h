/*
 * rejudge -- the cause of a job, judged once more by what is recorded of it.
 *
 * Of a failed job its cause is recorded with the line that it rests on, and the first errors.
 * That is enough to see what a signature would have made of it that was not there then. Pure.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REJUDGE_H
#define JR_REJUDGE_H

#include "lib/model/finding.h"
#include "lib/rules/signatures.h"

/*
 * Judge what is recorded. The signatures of a policy are tried against the line, the first
 * errors and the step, as if each line were among the last of its step; they stand in the place
 * of a cause that weighs no more (signatures.h). Where a signature has told the cause that
 * neither has, another policy's, the program's own are tried as well; what none of them knows
 * is unknown.
 *   own      of the policy
 *   job      the job's name
 *   finding  in and out
 */
void jr_rejudge(const struct jr_signatures *own, const struct jr_signatures *builtin,
                const char *job, struct jr_finding *finding);

#endif
