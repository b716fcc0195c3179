/*
 * spending -- what reruns have spent this hour and today, and what the policy's limits leave.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SPENDING_H
#define JR_SPENDING_H

#include "lib/model/run.h"
#include "lib/rules/policy.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Repositories that are shown: those that have spent the greatest share of a limit. */
#define JR_SPENDING_ROWS_MAX 10

/* Entries of the outbox that are looked at for those that wait. */
#define JR_SPENDING_LOOKS 10000

/* A repository, or all. Weighted minutes; a limit of 0: there is none. */
struct jr_spending_row {
    char repo[JR_REPO_SIZE]; /* empty: all */
    uint32_t reruns, reruns_limit;
    uint64_t minutes;
    uint32_t minutes_limit;
    uint32_t percent; /* the greater share of the two limits; 0 without one, at most 10000 */
};

struct jr_spending_view {
    bool limited;               /* the policy has limits, for any repository */
    struct jr_spending_row all; /* without limits-all its weights are the usual ones */
    struct jr_spending_row rows[JR_SPENDING_ROWS_MAX]; /* of 80 % and more, the greatest first */
    size_t count;
    uint32_t near, over; /* repositories of 80 % up to the limit, and at it; also those not shown */
    uint64_t waiting;    /* runs that wait for budget */
    bool whole;          /* all that wait were looked at */
};

/* Does a policy limit anything, for any repository? */
bool jr_spending_is_limited(const struct jr_policy *policy);

/*
 * Look at it, in one read transaction. Runs that wait are counted only if the policy has limits.
 *   policy  the one in force
 * Returns JR_OK or what failed.
 */
enum jr_err jr_spending_look(struct jr_store *store, const struct jr_policy *policy,
                             int64_t now_ms, struct jr_spending_view *view,
                             struct jr_error *error) JR_CHECKED;

/* What a rerun of the newest attempt would cost by the limits of its repository, in weighted
 * minutes. */
enum jr_err jr_spending_cost(struct jr_store *store, const struct jr_policy *policy,
                             const struct jr_run *run, uint64_t *minutes,
                             struct jr_error *error) JR_CHECKED;

/* "3 of 60 reruns this hour, 41 of 600 minutes today"; without a limit "3 reruns this hour". */
#define JR_SPENDING_WORDS_SIZE 160
const char *jr_spending_words(const struct jr_spending_row *row,
                              char words[JR_SPENDING_WORDS_SIZE]);

#endif
