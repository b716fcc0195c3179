/*
 * whatif -- what another policy, or other settings, would have done with a run that is recorded.
 *
 * What happened is taken from the run's history, by replaying it (replay.h); what the failed
 * jobs failed for is taken from what is recorded of them (failures.h), or from the jobs alone
 * where nothing is, and then their cause is not known. GitHub is not asked.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_WHATIF_H
#define JR_WHATIF_H

#include "lib/model/run.h"
#include "lib/rules/bounds.h"
#include "lib/rules/policy.h"
#include "lib/rules/signatures.h"
#include "lib/steps/worth.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is tried. All of it is the caller's, and stays as it is but for `worths'. */
struct jr_whatif {
    const struct jr_bounds *told;   /* with these the histories are replayed: the settings */
    const struct jr_bounds *bounds; /* these are tried; dry_run and judges do not count */
    const struct jr_policy *policy; /* so is this */
    const struct jr_signatures *builtin;
    struct jr_worths *worths; /* what was learned of reruns on the way; all zero at first. Runs
                                 have to come in the order of their ids, that is of their age */
};

/* A decision: about an attempt that ended without success. */
struct jr_whatif_case {
    uint32_t attempt;
    int64_t ended_ms; /* when the attempt ended, by GitHub, or when its last event came */
    enum jr_policy_verdict would;
    enum jr_reason reason;
    bool by_setting;             /* a setting, or GitHub's own limits, leave it, not a rule */
    const struct jr_rule *rule;  /* that decides, of the policy; NULL: a setting, or none */
    bool was;                    /* it was rerun by us */
    enum jr_result came_to;      /* what came of that; NONE: not known, or it was not */
    int64_t spent;   /* runner minutes of its jobs (jr_job_minutes()), so far as they are told */
    int64_t minutes; /* the same; if 0, those of the jobs that failed: they would run again */
};

/* GitHub lets a run have 51 attempts. */
#define JR_WHATIF_CASES_MAX 60

struct jr_whatif_run {
    uint64_t run_id;
    char repo[JR_REPO_SIZE];
    size_t count;
    struct jr_whatif_case cases[JR_WHATIF_CASES_MAX]; /* by attempt */
};

/*
 * Try it on a run. Of its attempts those are cases that ended, did not succeed, and are
 * decided. Not judged is one that was rerun because somebody asked for it by hand. What came of
 * reruns that would not have been made is not to be had: the case after such a rerun is left
 * for the same reason, by the same rule.
 *   run  out
 * Returns JR_OK; JR_ENOENT: there is no such run; JR_EFORMAT: it is damaged; JR_ENOMEM; or what
 * failed.
 */
enum jr_err jr_whatif_run(struct jr_store *store, const struct jr_whatif *whatif, uint64_t run_id,
                          struct jr_whatif_run *run, struct jr_error *error) JR_CHECKED;

#endif
