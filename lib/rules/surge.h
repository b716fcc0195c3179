/*
 * surge -- do so many runs fail for causes of the same kind that it is no accident of each?
 *
 * Pure. Whoever asks has gathered the signs; what follows from the answer is in causehold.h.
 * This is about what the jobs of others run into; that GitHub does not answer us is
 * lib/github/outage.h.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SURGE_H
#define JR_SURGE_H

#include "lib/model/cause.h"
#include "lib/rules/policy.h"

#include <stddef.h>
#include <stdint.h>

/* More than that are not looked at: some for each run that a rule can ask for. */
#define JR_SURGE_SIGNS_MAX (2 * JR_POLICY_OUTAGE_RUNS_MAX)

/* A failed job. */
struct jr_surge_sign {
    int64_t at_ms; /* when it failed */
    uint64_t run_id;
    uint64_t workflow; /* a number for its repository and workflow; equal only for the same */
    uint64_t runner;   /* likewise for the machine that ran it; 0: none, or one made for the job */
    enum jr_cause cause;
};

/*
 * The infrastructural causes that show the same trouble, a cause with the others of its family:
 * of what jobs fetch (setup, service, network, registry, git, rate-limited), of who runs them
 * (runner-lost, runner-shutdown, not-acquired, provisioning, internal-error), and of the
 * machine's room (disk, memory). Bit n is enum jr_cause n; 0: the cause is not infrastructural.
 */
jr_causes jr_surge_family(enum jr_cause cause);

/* What was found. All zero: no surge. */
struct jr_surge {
    jr_causes causes;         /* of all runs in such a time */
    uint32_t runs, workflows; /* in the one with the most runs */
};

/*
 * Is there a time of rule->within_ms in which rule->runs runs of more than one workflow failed?
 * A run counts once, whatever of it failed, and how often. Of the runs whose signs are all of one
 * runner, no more than half of rule->runs count: a bad machine is no outage.
 *   signs  of one family; JR_SURGE_SIGNS_MAX at most. They are put in the order of their times
 */
struct jr_surge jr_surge_find(const struct jr_outage_rule *rule, struct jr_surge_sign *signs,
                              size_t count);

#endif
