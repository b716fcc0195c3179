/*
 * costs -- what reruns have cost and saved, by repository.
 *
 * Counted from what is recorded: the history tells which reruns were made here of our own
 * accord, the jobs how long they ran. Nothing is estimated, and no policy need have looked for
 * causes. A rerun that somebody has asked for by hand does not count.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_COSTS_H
#define JR_COSTS_H

#include "lib/model/run.h"
#include "lib/rules/bounds.h"
#include "lib/store/store.h"

#include <stddef.h>
#include <stdint.h>

struct jr_cost_row {
    char repo[JR_REPO_SIZE];
    uint64_t runs;         /* with a rerun */
    uint64_t runs_rescued; /* of these, runs with a rerun that succeeded */
    uint64_t reruns;       /* failed attempts that were rerun */
    uint64_t rescued;      /* of these, after which the next attempt succeeded: nobody had to
                              press the button */
    uint64_t again;        /* and after which it failed again; of the others nobody has told */
    int64_t minutes;       /* of the jobs that ran in the reruns (jr_job_minutes()) */
};

/* All zero at first. */
struct jr_costs {
    struct jr_cost_row *rows; /* by minutes, the most first; owned */
    size_t count, size;
    struct jr_cost_row all;   /* together; without a name */
};

/*
 * Read all reruns of attempts that ended since then, each run in a short transaction. What
 * cannot be read is passed over.
 *   bounds  those of the settings, with which the histories are replayed
 * Returns JR_OK, JR_ENOMEM or what failed. costs is the caller's to release in any case.
 */
enum jr_err jr_costs_read(struct jr_store *store, const struct jr_bounds *bounds,
                          int64_t since_ms, struct jr_costs *costs,
                          struct jr_error *error) JR_CHECKED;

void jr_costs_release(struct jr_costs *costs);

#endif
