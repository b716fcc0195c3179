/*
 * failure_index -- by what the failures of all runs are found: by their time, and by job and
 * cause; and the runs that had one for a cause.
 *
 * A failure's entry in JR_TABLE_RUNS begins with its place in the indexes. So whoever has the
 * entry can take it out of them, though the run's record is damaged or was changed since: the
 * ledger does, when it removes a run. failures.h has all else.
 *
 * All functions work inside the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_FAILURE_INDEX_H
#define JR_FAILURE_INDEX_H

#include "lib/base/codec.h"
#include "lib/model/cause.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_FAILURE_JOB_SIZE 16

/* Where a failure stands in the indexes. */
struct jr_failure_place {
    int64_t at_ms;                          /* when it was recorded */
    unsigned char job[JR_FAILURE_JOB_SIZE]; /* jr_failure_index_job() */
    enum jr_cause cause;
    uint64_t run_id, job_id; /* in the key of its entry, not in the place as it is written */
};

/* What is written at the beginning of an entry, of so many bytes. */
#define JR_FAILURE_PLACE_SIZE (8 + JR_FAILURE_JOB_SIZE + 1)
void jr_failure_place_write(struct jr_writer *writer, const struct jr_failure_place *place);

/*
 * Read it. Sets neither run_id nor job_id.
 * Returns false when the entry is too short for it.
 */
bool jr_failure_place_read(struct jr_failure_place *place, const void *value, size_t length);

/* What a job is known by, in the runs of a workflow. False without memory for libcrypto. */
bool jr_failure_index_job(const char *repo, const char *workflow, const char *job,
                          unsigned char hash[JR_FAILURE_JOB_SIZE]) JR_CHECKED;

/* Put a place into the indexes, or take it out of them; that it is not there is no error. */
void jr_failure_index_put(struct jr_txn *txn, const struct jr_failure_place *place);
void jr_failure_index_drop(struct jr_txn *txn, const struct jr_failure_place *place);

/*
 * Walk all places by their time; of one time by run, then by job.
 *   place  in: the one before, of which at_ms, run_id and job_id count; to begin, the time to
 *          begin at and no ids. out: the next, without job and cause
 * Returns whether there is one.
 */
bool jr_failure_index_next(struct jr_txn *txn, struct jr_failure_place *place);

/*
 * The same, backwards.
 *   place  in: the one after it; to begin, JR_TIME_MOST and no ids. out: the next
 */
bool jr_failure_index_back(struct jr_txn *txn, struct jr_failure_place *place);

/*
 * Walk the failures of a job for a cause, the newest first.
 *   place  in: the one before; to begin, job and cause, and JR_TIME_MOST. out: the next
 * Returns whether there is one.
 */
bool jr_failure_index_before(struct jr_txn *txn, struct jr_failure_place *place);

/*
 * Walk the runs with a failure for a cause by their ids, backwards.
 *   run_id  in: of the run before, 0 at first; out: of the next, which is less
 * Returns whether there is one.
 */
bool jr_failure_index_run_before(struct jr_txn *txn, enum jr_cause cause, uint64_t *run_id);

#endif
