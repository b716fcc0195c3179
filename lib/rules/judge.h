/*
 * judge -- the cause of a failed job, by the evidence that there is.
 *
 * Pure. The order in which evidence counts:
 *   1. what says that nobody's rerun helps (a person's cancel, billing, policy ...)
 *   2. a limit of time, which otherwise looks like a lost runner
 *   3. hard text in the log of the failed step
 *   4. what GitHub and the runner say of themselves, and the shape of a lost runner
 *   5. text of transient faults, in steps that run no tests and then in those that do
 *   6. the shapes of what the runner does before and after the work
 *   7. texts that are written after failures of any kind
 * Of transient text, and of refusals by what is around the code, only the last words of the
 * step count. Of one weight the last match in the failed step counts; signatures of a policy
 * come before the program's own, those of the repository's own policy before both.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_JUDGE_H
#define JR_JUDGE_H

#include "lib/model/evidence.h"
#include "lib/model/finding.h"
#include "lib/rules/signatures.h"

#include <stdbool.h>
#include <stddef.h>

/* The signatures of the repository's own policy, of the policy in force, and the program's own. */
#define JR_SIGNATURE_SETS_MAX 3

/* Those that count: an earlier one comes first; the last is the program's own. */
struct jr_signature_sets {
    const struct jr_signatures *items[JR_SIGNATURE_SETS_MAX]; /* may be empty, but for the last */
    size_t count;
};

/* Judge a job that did not succeed. */
void jr_judge(const struct jr_signature_sets *sets, const struct jr_evidence *evidence,
              struct jr_finding *finding);

/*
 * May the job's log change what was found without it?
 *   finding  by the same evidence, without the log
 */
bool jr_judge_wants_log(const struct jr_evidence *evidence, const struct jr_finding *finding);

/* Does a job, by its name, only report what others came to? */
bool jr_judge_is_echo(const char *job);

/* Does a step run tests, by its name? */
bool jr_judge_runs_tests(const char *step);

#endif
