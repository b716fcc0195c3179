/*
 * judging -- what was found out about the failed jobs of an attempt, and what the policy makes
 * of it, in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_JUDGING_H
#define JR_JUDGING_H

#include "lib/config/settings.h"
#include "lib/model/evidence.h"
#include "lib/model/finding.h"
#include "lib/model/run.h"
#include "lib/rules/input.h"
#include "lib/rules/policy.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No more failed jobs of an attempt are looked at. One more is kept, and stands for those behind
 * it, of which nothing can be read. */
#define JR_JUDGING_JOBS_MAX 256

/* The failed jobs of an attempt. */
struct jr_judging {
    const struct jr_policy *policy; /* by which it is judged; the caller's */
    const struct jr_policy *own;    /* the repository's own, under that; NULL: it has none */
    struct jr_failure *items; /* by job id; owned */
    size_t count;
    bool incomplete; /* others may have failed: GitHub has not listed the jobs */
};

/* All zero is none. */
void jr_judging_release(struct jr_judging *judging);

/* Add a failure in its place, or put it in the place of the same job's. JR_OK or JR_ENOMEM. */
enum jr_err jr_judging_add(struct jr_judging *judging, const struct jr_failure *failure) JR_CHECKED;

/* The failure of a job; NULL: nothing was found out about it. */
const struct jr_failure *jr_judging_find(const struct jr_judging *judging, uint64_t job_id);

/* What was found out about a job: its failure, but for what a policy makes of it. */
struct jr_failure jr_judging_failure(const struct jr_evidence *evidence, uint32_t attempt,
                                     const struct jr_finding *finding);

/*
 * Read what was found out about an attempt before. It is added.
 * Returns JR_OK, or what failed.
 */
enum jr_err jr_judging_load(struct jr_store *store, uint64_t run_id, uint32_t attempt,
                            struct jr_judging *judging, struct jr_error *error) JR_CHECKED;

/*
 * Read the jobs of an attempt as events have told them, those that ended and did not succeed,
 * for when GitHub does not list them: nothing but that is known of them, and of their steps no
 * times.
 *   jobs   out: owned by the caller, free(), each to be released
 * Returns JR_OK, JR_ENOMEM, or what failed.
 */
enum jr_err jr_judging_jobs(struct jr_store *store, const struct jr_run *run,
                            struct jr_evidence **jobs, size_t *count,
                            struct jr_error *error) JR_CHECKED;

/* Record what was found out about one job of a run, so that nothing is asked twice. */
enum jr_err jr_judging_save(struct jr_store *store, uint64_t run_id,
                            const struct jr_failure *failure, int64_t now_ms,
                            struct jr_error *error) JR_CHECKED;

/* Is it settled that the run is left, whatever the rest of its failed jobs failed for? */
bool jr_judging_is_settled(const struct jr_judging *judging, const struct jr_settings *settings,
                           const struct jr_run *run);

/*
 * Have the policy judge the attempt (JR_INPUT_JUDGED), and record what it makes of each job.
 *   judging  in and out: what it makes of each job is filled in
 *   run      in: as claimed; out: as saved
 *   verdict  out
 * Returns JR_OK; JR_ENOENT when the run is no longer in the store; or what failed.
 */
enum jr_err jr_judging_take(struct jr_store *store, const struct jr_settings *settings,
                            struct jr_judging *judging, struct jr_run *run, int64_t now_ms,
                            struct jr_verdict *verdict, struct jr_error *error) JR_CHECKED;

/* What a policy's answer is called. */
enum jr_reason jr_judging_reason(enum jr_policy_reason reason);

#endif
