/*
 * limits -- may a rerun be made now, by what reruns have spent already?
 *
 * A policy limits the reruns of an hour and the runner minutes of a day, of each repository and
 * of all together. Hours and days are those of the calendar, in UTC: what was spent in one is
 * forgotten when the next begins.
 *
 * Pure. The store counts (budget.h).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LIMITS_H
#define JR_LIMITS_H

#include "lib/base/timestamp.h"
#include "lib/model/run.h"
#include "lib/rules/policy.h"

#include <stdbool.h>
#include <stdint.h>

/* Those that wait for an hour or a day come within so long after it has begun, each at a time
 * that its run's id gives, so that they do not all ask GitHub in one second. */
#define JR_LIMITS_SPREAD_MS (3 * JR_MINUTE_MS)

/* What was spent in the hour at hand, and on the day at hand. */
struct jr_spending {
    uint32_t reruns;           /* in the hour */
    struct jr_minutes minutes; /* on the day */
};

/* What the rule goes by. */
struct jr_limits_facts {
    const struct jr_limits *repo, *all;        /* the limits of the repository, and of all */
    struct jr_spending repo_spent, all_spent;  /* without the rerun that is asked about */
    struct jr_minutes cost;                    /* of the rerun that is asked about */
    uint64_t run_id;
    int64_t now_ms;
};

enum jr_limits_verdict {
    JR_LIMITS_PASS,
    JR_LIMITS_WAIT, /* for the next hour or day */
    JR_LIMITS_NEVER /* it costs more by itself than a whole day's limit allows */
};

struct jr_limits_answer {
    enum jr_limits_verdict verdict;
    int64_t until_ms; /* with WAIT: when to ask again; else 0 */
};

/* Does it limit anything? */
bool jr_limits_are_set(const struct jr_limits *limits);

/*
 * The minutes that count for a limit: each system's times its weight. It cannot overflow, as
 * weights are at most 1000 (policyfile.c).
 */
uint64_t jr_limits_weigh(const struct jr_limits *limits, const struct jr_minutes *minutes);

/* Add minutes of a system; at most UINT32_MAX come of it. */
void jr_limits_add(struct jr_minutes *minutes, enum jr_system system, uint32_t more);

/*
 * May the rerun be made now? Where more than one limit is in the way, it waits for the one that
 * moves on last. A rerun whose minutes weigh nothing is let pass by the limit of minutes,
 * whatever was spent.
 */
struct jr_limits_answer jr_limits_ask(const struct jr_limits_facts *facts);

#endif
