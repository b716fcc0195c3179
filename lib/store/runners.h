/*
 * runners -- runners of all owners by the labels that jobs ask for, and the worst of them.
 *
 * Made of what flaky.h counts. A runner is known by its owner, its labels and its name; hosted
 * ones are one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RUNNERS_H
#define JR_RUNNERS_H

#include "lib/store/flaky.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows that are looked at, of runners and of what is counted by labels each. */
#define JR_RUNNERS_LOOKS 5000

/* In the place of labels: those of jobs that asked for none. */
#define JR_RUNNERS_UNLABELLED "(none)"

/* Which are wanted. */
struct jr_runners_filter {
    char repo[JR_REPO_SIZE];   /* whose owner's; a pattern, see jr_text_match(); empty: all */
    char labels[JR_NAME_SIZE]; /* sorted, "a,b"; JR_RUNNERS_UNLABELLED: none; empty: all */
    int64_t since_ms;          /* what ended on this day or later; 0: all that was counted */
    int64_t now_ms;
    size_t most;               /* of each list; at least 1 */
};

/* All runners that jobs asked for by the same labels. */
struct jr_pool {
    char labels[JR_NAME_SIZE];
    uint32_t owners;
    uint32_t runners; /* that are still known: see JR_FLAKY_RARE */
    uint64_t executions, failures, blamed;
    int64_t last_ms; /* when the newest execution ended */
};

struct jr_runners {
    struct jr_pool *pools; /* those with the most executions first; owned */
    size_t pool_count;
    struct jr_flaky *rows; /* that have failed, the worst first as by jr_flaky_worst(); owned */
    size_t row_count, rows_known;
    bool whole; /* false: JR_RUNNERS_LOOKS were looked at, and there are more */
};

/*
 * Read them, in a short read transaction for every 500 rows.
 * Returns JR_OK, JR_ENOMEM or what failed. runners is the caller's to release in any case.
 */
enum jr_err jr_runners_read(struct jr_store *store, const struct jr_runners_filter *filter,
                            struct jr_runners *runners, struct jr_error *error) JR_CHECKED;

void jr_runners_release(struct jr_runners *runners);

#endif
