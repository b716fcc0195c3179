/*
 * guarding -- the guards of a policy, asked about a run: by what the store knows, and by what
 * GitHub was asked for them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_GUARDING_H
#define JR_GUARDING_H

#include "lib/config/settings.h"
#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/rules/bounds.h"
#include "lib/rules/input.h"
#include "lib/rules/policy.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>

/* What GitHub was asked for the guards of one run; all zero: nothing. */
struct jr_guard_news {
    enum jr_guard_told told[JR_GUARD_KINDS]; /* of the first four */
    uint64_t newer_run_id; /* where JR_GUARD_SUPERSEDED holds */
    bool newer_finished;   /* that is over */
};

/* A run that is to be rerun, and what is known for its guards. All is the caller's. */
struct jr_guarded_run {
    const struct jr_policy *policy;
    const struct jr_policy *own; /* the repository's, under that; NULL: it has none */
    const struct jr_run *run;
    const struct jr_event *seen; /* what GitHub has shown of it */
    const struct jr_guard_news *news;
    int64_t now_ms; /* for jr_guarding_next() */
};

/* Find newer runs once it is known what GitHub has shown of this one: input->newer. */
void jr_guarding_find_newer(struct jr_txn *txn, const struct jr_bounds *bounds,
                            const struct jr_run *run, struct jr_input *input);

/*
 * Ask the guards, and note in the input what they say: guard, hold and guards.
 *   about  news NULL: GitHub was asked nothing; what it has shown is the input's
 *   input  in and out: JR_INPUT_SEEN, with what jr_guarding_find_newer() has found; news of a
 *          newer run take the place of none
 */
void jr_guarding_ask(struct jr_txn *txn, const struct jr_guarded_run *about,
                     struct jr_input *input);

/*
 * For which guard is GitHub to be asked next, before a run is rerun? The cheapest that nothing
 * is known of; none, when one holds already, or for a run that is asked for by hand.
 *   kind  out: with JR_OK
 * Returns JR_OK; JR_ENOENT when there is none; else what failed.
 */
enum jr_err jr_guarding_next(struct jr_store *store, const struct jr_settings *settings,
                             const struct jr_guarded_run *about, enum jr_guard_kind *kind,
                             struct jr_error *error) JR_CHECKED;

/*
 * Would a job of the attempt run again that deploys, by the workflow's file
 * (jr_workflowfile_deploys())? Those that failed are known by events, and by what was found out.
 * Returns JR_OK, or what failed.
 */
enum jr_err jr_guarding_read_file(struct jr_store *store, const struct jr_run *run,
                                  const char *text, size_t length, enum jr_guard_told *told,
                                  struct jr_error *error) JR_CHECKED;

#endif
