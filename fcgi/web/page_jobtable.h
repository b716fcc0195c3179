/*
 * page_jobtable -- the flakiest jobs, of all repositories or of one, with their trend by week.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_JOBTABLE_H
#define JR_PAGE_JOBTABLE_H

#include "fcgi/web/visit.h"
#include "lib/store/flaky.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_JOBTABLE_MAX 200
#define JR_JOBTABLE_WEEKS 12

/* All zero at first. */
struct jr_jobtable {
    int64_t since_ms;
    struct jr_flaky rows[JR_JOBTABLE_MAX]; /* the worst first */
    struct jr_flaky_week weeks[JR_JOBTABLE_MAX * JR_JOBTABLE_WEEKS]; /* of each, oldest first */
    size_t count;
    bool whole;                  /* else there may be worse ones that were not looked at */
    bool of_all;                 /* of all repositories */
    struct jr_flaky_total total; /* if of_all: a sum is kept of all together only */
};

/*
 * Read them, of the last JR_FLAKY_RECENT_DAYS days.
 *   repo  a pattern; NULL: all
 *   most  1 to JR_JOBTABLE_MAX
 */
enum jr_err jr_jobtable_read(struct jr_jobtable *jobs, struct jr_store *store, const char *repo,
                             int64_t now_ms, size_t most, struct jr_error *error) JR_CHECKED;

/* Add the table to a page, or a sentence where it has no rows. */
void jr_jobtable_add(const struct jr_visit *visit, const struct jr_jobtable *jobs);

/* Add the trend as a member `weeks' of an object that is open: an array for each row. */
void jr_jobtable_emit_weeks(struct jr_emit *emit, const struct jr_jobtable *jobs);

#endif
