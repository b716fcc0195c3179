/*
 * workflowfile -- which jobs of a workflow would run again, and whether one of them deploys, by
 * the workflow's file.
 *
 * Pure. The file is written by whoever may push, or has opened a pull request: it is data, and
 * whatever cannot be read (anchors, more than there is room for) is not told, never an error.
 * Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_WORKFLOWFILE_H
#define JR_WORKFLOWFILE_H

#include "lib/model/words.h"

#include <stddef.h>

/* What is looked at: of a longer file, or one with more jobs, nothing is told. */
#define JR_WORKFLOWFILE_MAX (256 * 1024)
#define JR_WORKFLOWFILE_JOBS_MAX 200

/*
 * Would a job with an environment run again?  GitHub reruns the jobs that failed or were
 * cancelled, and all that need one of them, directly or not.
 *   failed  the names of those, as GitHub shows them: "build (linux, 12)" is of the job with
 *           the id or name "build", "caller / inner" of the job "caller" that calls another
 *           workflow. Of a name with an expression only what stands before it is compared. NULL:
 *           the whole run is rerun
 * Returns HOLDS; FREE; or NOT_TOLD: the file cannot be read, no job has a name that failed, or
 * one would run again that calls another workflow, and nobody knows what that does. A call of
 * one whose own name says that it deploys (jr_guards_name_deploys()) holds.
 */
enum jr_guard_told jr_workflowfile_deploys(const char *text, size_t length,
                                           const char *const *failed, size_t count);

#endif
