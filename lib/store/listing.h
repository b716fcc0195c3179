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

#include "lib/base/text.h"
#include "lib/model/report.h"
#include "lib/model/run.h"
#include "lib/store/failures.h"
#include "lib/store/history.h"
#include "lib/store/pause.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much there is of each. */
struct jr_listing_counts {
    uint64_t runs;
    uint64_t records; /* of runs: themselves, their jobs and failures, the entries of their histories */
    uint64_t waiting; /* entries of the outbox */
    uint64_t repos;
};

/* Count all that is stored, without reading it. */
enum jr_err jr_listing_count(struct jr_store *store, struct jr_listing_counts *counts,
                             struct jr_error *error) JR_CHECKED;

/* Runs that one call of jr_listing_runs() looks at, at most. */
#define JR_LISTING_LOOKS 500

#define JR_LISTING_ANY_PHASE (-1)

/* Which runs are wanted. */
struct jr_listing_filter {
    int phase;        /* enum jr_phase, or JR_LISTING_ANY_PHASE */
    int64_t since_ms; /* with an event since then; 0: all */
    struct jr_list repos, branches; /* patterns, see jr_text_match(); empty: all */
    struct jr_list workflows;       /* see jr_run_lists_workflow(); empty: all */
    const bool *reasons;     /* which of JR_REASONS, see jr_standing_reason(); NULL: all */
    const bool *conclusions; /* which of JR_CONCLUSIONS, see jr_run_conclusion(); NULL: all */
    const struct jr_pauses *pauses; /* those in force, for `reasons'; NULL: there are none */
    size_t most_looks; /* for who wants an answer soon: the listing ends with the hour in which so
                        * many runs were looked at; of that hour those with the greatest ids. 0: all */
};

/* Of an hour, so many of the newest are put in order at once. */
#define JR_LISTING_HOUR_MAX 2048

/* A run in its place: by its last event, of two at the same time the greater id first. */
struct jr_listing_place {
    int64_t last_event_ms;
    uint64_t run_id;
};

/*
 * How far a listing of runs has come; all zero at first. The store knows only the
 * hour of the last event, so an hour is gathered, put in order and given out.
 */
struct jr_listing {
    bool ended; /* nothing more will come */
    bool begun;                     /* hour_ms is being gathered; else it is done with */
    int64_t hour_ms;
    uint64_t run_id;                /* in it, the one looked at last */
    bool ordered;                   /* the hour is gathered: its places are given out */
    bool last_hour;                 /* there is none before it */
    bool more;                      /* it has more than there is room for: gather it again */
    struct jr_listing_place before; /* then only those behind this one; all zero: all */
    size_t gathered, given, looks;
    struct jr_listing_place places[JR_LISTING_HOUR_MAX];
};

/*
 * The next runs, by their last event, the newest first. What gets an event while
 * the listing goes on may be left out.
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

/* How far a listing of the outbox has come; all zero at first. */
struct jr_listing_outbox {
    bool ended; /* nothing more will come */
    int64_t due_ms;
    uint64_t run_id;
};

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
enum jr_err jr_listing_outbox(struct jr_store *store, struct jr_listing_outbox *listing,
                              struct jr_run *runs, size_t size, size_t *count,
                              struct jr_error *error) JR_CHECKED;

/* So many entries of the outbox jr_listing_waiting() looks at, as they come due, and no more. */
#define JR_LISTING_WAITING_MAX 100000

/* What waits, all in all; but for `entries', of those that were looked at. */
struct jr_waiting {
    uint64_t entries; /* of the outbox */
    uint64_t paused;  /* how many a pause holds up */
    bool whole;       /* all of them were looked at */
    int64_t due_ms;   /* when the first is or was due that no pause holds up; 0: there is none */
    uint64_t due_run_id;
    int64_t oldest_ms;      /* since when the one waits that has waited longest; 0: none waits */
    int64_t free_oldest_ms; /* likewise of those that no pause holds up */
};

/*
 * Look through the outbox: unlike the others in more than one transaction, each of
 * JR_LISTING_LOOKS entries.
 *   pauses  those in force; where there are none of single repositories no run is read
 */
enum jr_err jr_listing_waiting(struct jr_store *store, const struct jr_pauses *pauses,
                               struct jr_waiting *waiting, struct jr_error *error) JR_CHECKED;

/* What was said of a run at GitHub. */
struct jr_reported {
    struct jr_report report;
    uint64_t comment_id; /* on its pull request; 0: none is known */
};

enum jr_err jr_listing_reported(struct jr_store *store, const struct jr_run *run,
                                struct jr_reported *reported, struct jr_error *error) JR_CHECKED;

/* How many reports wait to be written; a thousand are counted at most. */
enum jr_err jr_listing_reports(struct jr_store *store, int64_t now_ms, unsigned *waiting,
                               struct jr_error *error) JR_CHECKED;

/*
 * Load a run in the caller's transaction, with its jobs_conclusion.
 * Returns false when nothing is known of it, or its record is damaged: that fails nothing.
 */
bool jr_listing_load(struct jr_txn *txn, uint64_t run_id, struct jr_run *run);

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
 * The next failures of a run, of all attempts, by job id.
 *   after  in and out: 0 at first, then the job id of the last one found
 *   count  out: less than `size`: these were the last
 */
enum jr_err jr_listing_failures(struct jr_store *store, uint64_t run_id, uint64_t *after,
                                struct jr_failure *failures, size_t size, size_t *count,
                                struct jr_error *error) JR_CHECKED;

/*
 * The earlier failure that one of a run was left for (jr_failures_same_as_before()).
 *   before  out: job_id is 0 when there is none, or no such run any more
 */
enum jr_err jr_listing_same_failure(struct jr_store *store, uint64_t run_id,
                                    const struct jr_failure *failure, struct jr_failure *before,
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
