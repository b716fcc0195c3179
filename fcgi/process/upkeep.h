/*
 * upkeep -- rule 9: forget what is past its RETENTION, and more than that while the map fills up.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_UPKEEP_H
#define JR_UPKEEP_H

#include "fcgi/process/desk.h"
#include "lib/store/flaky.h"
#include "lib/store/ledger.h"
#include "lib/store/repo.h"

#include <stdbool.h>
#include <stdint.h>

/* Where it stands. All zero at first, but for desk. */
struct jr_upkeep {
    struct jr_desk *desk;
    int64_t due_ms; /* monotonic */
    struct jr_prune prune;
    struct jr_flaky_walk flaky_walk;
    struct jr_repo_place repo_place;
    uint64_t list_after; /* of jr_ledger_list() */
    bool filling;        /* the map is */
    uint64_t used_bytes; /* of the map */
};

/* A little of it now. Its commit also shows, after a failed one, whether there is room again. */
void jr_upkeep_now(struct jr_upkeep *upkeep);

/* The same once it is due. Returns how long until then, in ms; 0: it was done. */
int64_t jr_upkeep_work(struct jr_upkeep *upkeep);

#endif
