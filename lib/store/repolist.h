/*
 * repolist -- repositories for a page: all that are known, and how it goes in one.
 *
 * Each call is one short read transaction, or a few, and looks at a bounded number of records.
 * What happened in a repository is counted since a version that does so (days.h), and its runs
 * are those that are in its list (runindex.h).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPOLIST_H
#define JR_REPOLIST_H

#include "lib/store/days.h"
#include "lib/store/ownpolicy.h"
#include "lib/store/pause.h"
#include "lib/store/repo.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The days, today and those before, that are told of each. */
#define JR_REPOLIST_DAYS 30

/* Repositories that one call passes over. */
#define JR_REPOLIST_LOOKS 5000

/* So many runs are counted in one call, of all rows together; none gets more than its share. */
#define JR_REPOLIST_RUNS 2500

struct jr_repo_row {
    struct jr_repo repo;
    uint64_t scope; /* jr_budget_scope() of its runs */
    uint32_t runs;  /* that are known */
    bool more_runs; /* there are more than were counted */
    struct jr_day sum; /* of its days; start_ms is that of the first */
    bool paused;
    bool gone; /* GitHub did not show it when it was looked at last */
    enum jr_ownpolicy_state own; /* of its own policy file */
};

/* Which are wanted, and what is to be known of them. */
struct jr_repolist_filter {
    char repo[JR_REPO_SIZE]; /* a pattern, see jr_text_match(); empty: all */
    int64_t now_ms;
    const struct jr_pauses *pauses; /* those in force; NULL: there are none */
};

struct jr_repolist {
    struct jr_repo_row *rows; /* the caller's, room for `size' (at least 1) */
    size_t size;
    size_t count; /* out: how many were found; fewer than `size' also when JR_REPOLIST_LOOKS
                   * were passed over */
    bool ended;   /* out: no more comes */
};

/*
 * The next repositories, by their ids.
 *   after  in and out: 0 at first, then where to go on
 *   list   in and out
 * Returns JR_OK or what failed.
 */
enum jr_err jr_repolist_read(struct jr_store *store, const struct jr_repolist_filter *filter,
                             uint64_t *after, struct jr_repolist *list,
                             struct jr_error *error) JR_CHECKED;

/* How it goes in one. */
struct jr_repo_health {
    struct jr_repo_row row;
    struct jr_day days[JR_REPOLIST_DAYS]; /* oldest first; the last is the day of now_ms */
};

/*
 * Find the repository that filter->repo names, in any case, which is no pattern here.
 * Returns JR_OK; JR_ENOENT when nothing is known of it; or what failed.
 */
enum jr_err jr_repolist_find(struct jr_store *store, const struct jr_repolist_filter *filter,
                             struct jr_repo_health *health, struct jr_error *error) JR_CHECKED;

#endif
