/*
 * spent -- what reruns of all hosts have spent, for the limits of a policy (lib/rules/limits.h): a
 * key for each hour and one for each day, of a repository and of all.
 *
 *   ctl/budget/REPOSITORY/hour-NUMBER   how many reruns: "5"
 *   ctl/budget/REPOSITORY/day-NUMBER    runner minutes by system: "12 0 3 0"
 *
 * REPOSITORY is "all", or the number that budget.h counts it under. Hours and days are those of
 * UTC, by the clock of the host that asks. The transaction of a permit writes the new sums, and
 * compares that the old ones are still there: so the limits hold for all hosts together.
 *
 * Pure but for the names of keys.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SPENT_H
#define JR_SPENT_H

#include "lib/cluster/etcd.h"
#include "lib/config/settings.h"
#include "lib/rules/limits.h"

#include <stdbool.h>
#include <stdint.h>

/* The keys of one rerun: the repository's hour and day, then those of all. */
#define JR_SPENT_KEYS 4

struct jr_spent_view {
    bool wanted;      /* the policy may have limits */
    uint64_t scope;   /* of the repository */
    int64_t at_ms;    /* a time in that hour and on that day; 0: nothing was read yet */
    struct jr_spending repo, all;
    int64_t modified[JR_SPENT_KEYS]; /* 0: the key is not there */
};

/* Have it read. */
void jr_spent_add_reads(const struct jr_settings *settings, const struct jr_spent_view *view,
                        struct jr_etcd_txn *txn);

/* Take what was read; what is damaged counts as nothing. */
void jr_spent_take(const struct jr_settings *settings, const struct jr_etcd_answer *answer,
                   struct jr_spent_view *view);

/* Was it read for the hour and the day of now_ms, and for that repository? */
bool jr_spent_is_of(const struct jr_spent_view *view, uint64_t scope, int64_t now_ms);

/*
 * One rerun more, or with `back' one less: all four keys are compared with what was read, and
 * written.
 */
void jr_spent_add_puts(const struct jr_settings *settings, const struct jr_spent_view *view,
                       const struct jr_minutes *cost, bool back, struct jr_etcd_txn *txn);

#endif
