/*
 * listing -- the store as somebody reads it: runs newest first, the outbox, and
 * the story of one run.
 *
 * Each call is one short read transaction, begun and ended inside, and looks at a
 * bounded number of entries: nothing stays open while a caller prints, or is
 * suspended. So what comes between two calls is seen by the second only.
 * All return JR_OK or what failed; `count` is then 0. A record that is damaged
 * stops no listing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LISTING_H
#define JR_LISTING_H

#include "lib/history.h"
#include "lib/run.h"
#include "lib/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs that one call of jr_listing_runs() looks at, at most. */
#define JR_LISTING_LOOKS 500

#define JR_LISTING_ANY_PHASE (-1)

/* Which runs are wanted. */
struct jr_listing_filter {
    const char *repo; /* a pattern, see jr_text_match(); NULL: all */
    int phase;        /* enum jr_phase, or JR_LISTING_ANY_PHASE */
    int64_t since_ms; /* with an event since then; 0: all */
};

/* How far a listing has come; all zero at first. */
struct jr_listing {
    bool ended; /* nothing more will come */
    int64_t time_ms;
    uint64_t run_id;
};

/*
 * The next runs, by the hour of their last event, the newest hour first; within
 * an hour the greatest run id first.
 *   listing  in and out: go on until it has ended, even when a call finds none
 *   runs     out: the caller's, room for `size` (at least 1)
 *   count    out: how many were found
 */
enum jr_err jr_listing_runs(struct jr_store *store, const struct jr_listing_filter *filter,
                            struct jr_listing *listing, struct jr_run *runs, size_t size,
                            size_t *count, struct jr_error *error) JR_CHECKED;

/*
 * The next run by its id: to go through all of them, each once, however they
 * move meanwhile.
 *   after  in and out: 0 at first, then the id of the one found
 * Returns JR_ENOENT after the last.
 */
enum jr_err jr_listing_next_run(struct jr_store *store, uint64_t *after, struct jr_run *run,
                                struct jr_error *error) JR_CHECKED;

/*
 * The ids of all runs whose history has an entry since then, to the hour, in the order of
 * ids, each once. A run of which something is told meanwhile is among them.
 *   run_ids  out: owned by the caller, free(); NULL unless JR_OK, or when there is none
 *   count    out: how many there are
 */
enum jr_err jr_listing_told(struct jr_store *store, int64_t since_ms, uint64_t **run_ids,
                            size_t *count, struct jr_error *error) JR_CHECKED;

/*
 * The next entries of the outbox, as they come due. `due_ms` of a run is when;
 * of a run whose record is damaged or missing, only run_id, due_ms and waiting_ms are set.
 */
enum jr_err jr_listing_outbox(struct jr_store *store, struct jr_listing *listing,
                              struct jr_run *runs, size_t size, size_t *count,
                              struct jr_error *error) JR_CHECKED;

/* One run; JR_ENOENT when nothing is known of it, JR_EFORMAT when its record is damaged. */
enum jr_err jr_listing_run(struct jr_store *store, uint64_t run_id, struct jr_run *run,
                           struct jr_error *error) JR_CHECKED;

/*
 * The next jobs of a run, of all attempts, by job id.
 *   after  in and out: 0 at first, then the id of the last one found
 *   count  out: less than `size`: these were the last
 */
enum jr_err jr_listing_jobs(struct jr_store *store, uint64_t run_id, uint64_t *after,
                            struct jr_job *jobs, size_t size, size_t *count,
                            struct jr_error *error) JR_CHECKED;

/*
 * The next entries of a run's history, oldest first.
 *   number  in and out: 0 at first, then where to go on
 *   count   out: less than `size`: these were the last
 */
enum jr_err jr_listing_history(struct jr_store *store, uint64_t run_id, uint32_t *number,
                               struct jr_history *entries, size_t size, size_t *count,
                               struct jr_error *error) JR_CHECKED;

#endif
