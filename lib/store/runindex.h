/*
 * runindex -- by what runs are found that somebody wants to see: of a repository; and those that
 * ended badly and need a person, and that wait (jr_standing_need()), of all and of a repository.
 *
 * The ledger keeps it in step with the records of runs. Within each list runs are in the order
 * of their ids, which is that in which GitHub has made them, and never changes: so a run is written
 * once, and where a page ends is the id of a run. What is found is only where to look: names
 * that share a number are told apart by the records, as is what is left of a damaged run.
 *
 * All functions work inside the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RUNINDEX_H
#define JR_RUNINDEX_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* The lists. The numbers are stored. */
enum jr_runindex {
    JR_RUNINDEX_REPO = 1,   /* all runs of a repository */
    JR_RUNINDEX_NEEDY = 2,  /* those that need a person */
    JR_RUNINDEX_WAITING = 3 /* those that wait */
};

/* The scope of all repositories together; JR_RUNINDEX_REPO has it not. */
#define JR_RUNINDEX_ALL 0

/* The scope of a repository by its name, in any case; never JR_RUNINDEX_ALL. */
uint64_t jr_runindex_scope(const char *repo);

/* Put a run into a list, or take it out; that it is, or is not, there is no error. */
void jr_runindex_put(struct jr_txn *txn, enum jr_runindex list, uint64_t scope, uint64_t run_id);
void jr_runindex_drop(struct jr_txn *txn, enum jr_runindex list, uint64_t scope, uint64_t run_id);

/*
 * Walk a list backwards.
 *   run_id  in: of the run before, 0 at first; out: of the next, which is less
 * Returns whether there is one.
 */
bool jr_runindex_before(struct jr_txn *txn, enum jr_runindex list, uint64_t scope,
                        uint64_t *run_id);

#endif
