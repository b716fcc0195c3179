/*
 * failures -- the failed jobs of runs, and what was found out about them, in the store.
 *
 * A failure stands with its run, and goes with it; the indexes by which others find it are in
 * failure_index.h. What came of it later is not recorded: it is read from the run, its jobs
 * and its history, so that it is right in whatever order these become known.
 *
 * All functions work inside the caller's transaction; what fails, fails it. A damaged record
 * fails it only where its run is read (jr_failures_next()): others pass it over.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_FAILURES_H
#define JR_FAILURES_H

#include "lib/model/finding.h"
#include "lib/model/run.h"
#include "lib/store/failure_index.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Record a failure of a run that is loaded in this transaction. One that is recorded of this
 * job is replaced, and counts as recorded now.
 *   run      its names and its id
 *   failure  job_id is not 0
 */
void jr_failures_save(struct jr_txn *txn, const struct jr_run *run,
                      const struct jr_failure *failure, int64_t now_ms);

/*
 * Is a failure of this job recorded?
 *   at_ms, cause  out: when, and for what
 */
bool jr_failures_recorded(struct jr_txn *txn, uint64_t run_id, uint64_t job_id, int64_t *at_ms,
                          enum jr_cause *cause);

/*
 * The next failure of a run, by job id.
 *   after  0 for the first, else the job id of the one before
 * Returns whether there is one. JR_EFORMAT for a damaged one.
 */
bool jr_failures_next(struct jr_txn *txn, uint64_t run_id, uint64_t after,
                      struct jr_failure *failure);

/* Was an attempt judged: is there a failure of it? */
bool jr_failures_has(struct jr_txn *txn, uint64_t run_id, uint32_t attempt);

/*
 * The causes of the jobs of an attempt that count: bit n is enum jr_cause n. None, of an
 * attempt that nobody has judged.
 */
uint64_t jr_failures_causes(struct jr_txn *txn, uint64_t run_id, uint32_t attempt);

/*
 * Has GitHub accepted the rerun of an attempt from us: from this host, or another of ours? The
 * history, which may be long, is read only where the run leaves it open.
 */
bool jr_failures_rerun_is_ours(struct jr_txn *txn, const struct jr_run *run, uint32_t attempt);

/* What came of a failure later. */
enum jr_aftermath {
    JR_AFTER_NOT_RERUN, /* not by us */
    JR_AFTER_UNDER_WAY, /* rerun by us; the job has not come out yet, or nobody told */
    JR_AFTER_RESCUED,   /* rerun by us, and the job then succeeded */
    JR_AFTER_FAILED     /* rerun by us, and it failed again */
};

/*
 * Tell what came of a failure. The next attempt is ours when the history has it that GitHub
 * accepted our rerun. In it all jobs of the same name count that were executed, not only
 * shown again: they rescued it when all succeeded, and failed when one did. A job that was
 * skipped or cancelled there has not come out. Where none is known, the success of the run
 * counts.
 *   run      that it is of, as it is loaded
 *   minutes  out: how long those jobs ran together, where of each a minute that has begun
 *            counts; of one that has not ended, or whose times are not told, nothing. May be
 *            NULL
 */
enum jr_aftermath jr_failures_aftermath(struct jr_txn *txn, const struct jr_run *run,
                                        const struct jr_failure *failure, int64_t *minutes);

/* How many failures jr_failures_worth() looks at. */
#define JR_FAILURES_LOOKS 500

/* The same, whoever began the next attempt: never JR_AFTER_NOT_RERUN. */
enum jr_aftermath jr_failures_in_next(struct jr_txn *txn, const struct jr_run *run,
                                      const struct jr_failure *failure, int64_t *minutes);

/*
 * Did a rerun of ours come out that tells how good reruns of the job are? What failed on a runner
 * that stands out (flaky.h), the first time or each time that it was rerun, does not count
 * against the job, nor does what came of that count for it. Whether it stands out goes by now_ms.
 *   rescued  out: whether it rescued it
 */
bool jr_failures_tells_worth(struct jr_txn *txn, const struct jr_run *run,
                             const struct jr_failure *failure, int64_t now_ms, bool *rescued);

/* Which reruns count: the last `of' of those whose failure was recorded before a time. */
struct jr_failures_span {
    int64_t now_ms;    /* see jr_failures_tells_worth() */
    int64_t before_ms; /* JR_TIME_MOST: of all */
    uint32_t of;       /* up to 100 */
};

/*
 * Of the last reruns of ours of a job for a cause that came out: how many there were, and how
 * many rescued it.
 *   run      its repository and workflow; its own failures count too
 *   job      its name
 *   tried    out: how many came out, `of' at most; fewer also when more than JR_FAILURES_LOOKS
 *            would have to be looked at
 *   rescued  out: of these
 */
void jr_failures_worth(struct jr_txn *txn, const struct jr_run *run, const char *job,
                       enum jr_cause cause, struct jr_failures_span span, uint32_t *tried,
                       uint32_t *rescued);

/*
 * Did a job of this name fail in an earlier attempt, in the same step and with the same line
 * (jr_failure_key()), and has not passed since? Failures without a line are never the same. Of
 * the attempts between nothing need be known: somebody else may have had them rerun.
 *   run      that it is of
 *   failure  need not be recorded
 *   before   out: that failure, of the newest such attempt; may be NULL
 */
bool jr_failures_same_as_before(struct jr_txn *txn, const struct jr_run *run,
                                const struct jr_failure *failure, struct jr_failure *before);

/* How far a walk by time has come; all zero at first. */
struct jr_failures_place {
    int64_t at_ms; /* when the failure was recorded */
    uint64_t run_id, job_id;
};

/*
 * Walk failures by the time when they were recorded.
 *   since_ms  from when on
 *   place     in and out: where to go on
 *   run_id    out: the run of the failure that was found
 * Returns whether there is one.
 */
bool jr_failures_next_since(struct jr_txn *txn, int64_t since_ms, struct jr_failures_place *place,
                            uint64_t *run_id, struct jr_failure *failure);

/* The same, the newest first, back to since_ms. */
bool jr_failures_back_to(struct jr_txn *txn, int64_t since_ms, struct jr_failures_place *place,
                         uint64_t *run_id, struct jr_failure *failure);

#endif
