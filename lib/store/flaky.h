/*
 * flaky -- which jobs fail and then pass on the same commit, and on which runners.
 *
 * All attempts of a run are of one commit. An execution is a job that ended in
 * success (passed) or by failure, time-out or start-up failure (failed), and was
 * not carried over. Skipped, cancelled and other jobs tell nothing.
 *
 * A failed execution is rescued when the job's next executions, in the next
 * attempt of the run that has any, all passed; not rescued when one of them
 * failed; of one that was never executed again neither can be said. A job is
 * known by its name: jobs of one run with one name are taken together, as said.
 *
 * A runner is blamed for an execution that failed on it and was rescued on other
 * runners for the same labels. GitHub's hosted runners, "GitHub Actions N", are
 * one runner, JR_FLAKY_HOSTED, which is never blamed. A runner is one for all
 * repositories of an owner. It is suspect when it is blamed for more of its
 * executions than chance explains: when it is blamed for JR_FLAKY_SUSPECT_BLAMED at
 * least, and the lower end of that rate's interval lies above the rate of all runners of
 * the owner with the same labels.
 *
 * A runner stands out when it is suspect by its last JR_FLAKY_RECENT_DAYS days. Failures on
 * it do not count against jobs: in the rows of jobs they, what came of them, and as many
 * executions are told apart. That is judged when the rows are read: of a runner that comes to
 * stand out all failures are told apart, of one that does so no longer none are.
 *
 * Each row keeps its numbers for the last JR_FLAKY_DAYS days on which it had any, too,
 * so that it can be told what they were since a day. An execution and all that came
 * of it belong to the day (in UTC) on which it ended.
 *
 * Each execution is counted once, by the transaction that closes its attempt, or
 * when it is heard of later, by its own; what other executions it changes (a
 * rescue) and a conclusion that is replaced are put right with it. So the
 * numbers do not depend on the order of events, as long as a run's repository
 * and workflow keep their names.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_FLAKY_H
#define JR_FLAKY_H

#include "lib/model/run.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_FLAKY_HOSTED "GitHub Actions"

/* Is it the name of such a runner: "GitHub Actions 12" and the like; before 2020 "Hosted Agent"? */
bool jr_flaky_is_hosted(const char *runner);

/* Jobs of one run, of all attempts, that are looked at; later ones are not counted. */
#define JR_FLAKY_JOBS_MAX 20000

/* A runner with fewer executions is forgotten after JR_FLAKY_RARE_MS: many live for one job. */
#define JR_FLAKY_RARE 5
#define JR_FLAKY_RARE_MS INT64_C(259200000) /* 3 days */

/* A runner that is blamed less often is not suspect: once, any that lives for one job may be. */
#define JR_FLAKY_SUSPECT_BLAMED 2

/* Runners that stand out, the worst, and jobs that failed on these, are told apart up to so many. */
#define JR_FLAKY_SUSPECTS_MAX 100
#define JR_FLAKY_APART_MAX 5000

/* The days, the newest of a row and those before, of which a row has the numbers. */
#define JR_FLAKY_DAYS 90

/* The days, today and those before, of which the worst are told without reading all rows. */
#define JR_FLAKY_RECENT_DAYS 30

/* Rows that are looked at for that. */
#define JR_FLAKY_RECENT_LOOKS 1000

/* The numbers are stored. */
enum jr_flaky_kind {
    JR_FLAKY_JOB = 1,
    JR_FLAKY_RUNNER = 2,
    JR_FLAKY_POOL = 3, /* all runners of an owner with the same labels; its name is empty */
    JR_FLAKY_APART = 4 /* the failures of a job on a runner that is not hosted; it has no names */
};

struct jr_flaky {
    char repo[JR_REPO_SIZE];  /* of a runner or pool: the owner alone */
    char group[JR_NAME_SIZE]; /* of a job: its workflow; of a runner: the labels that jobs asked for, sorted, "a,b" */
    char name[JR_NAME_SIZE];  /* of the job or the runner */
    uint64_t executions;
    uint64_t failures;
    uint64_t rescued;     /* of a job */
    uint64_t not_rescued; /* of a job; failures less these two were never executed again */
    int64_t lost_ms;      /* of a job: how long the rescued executions ran */
    uint64_t blamed;      /* of a runner */
    int64_t first_ms, last_ms; /* when executions ended, of all that were counted */
    uint64_t pool_executions, pool_failures, pool_blamed; /* of a runner that failed: of all with its labels */
    bool suspect;                          /* of a runner, see above */
    uint64_t apart_failures, apart_rescued; /* of a job, on runners that stand out: not counted above */
};

/* Which rows are wanted, and what of them. */
struct jr_flaky_filter {
    enum jr_flaky_kind kind;
    const char *repo; /* a pattern, see jr_text_match(); of runners its owner counts; NULL: all */
    int64_t since_ms; /* only what ended on this day or later; 0: all that was counted */
    int64_t now_ms;   /* by its last days until then a runner stands out; 0: none does */
};

/* The first moment that since_ms stands for: of a day, and none too long ago to be told. */
int64_t jr_flaky_since_ms(int64_t since_ms, int64_t now_ms);

/*
 * Count what a transaction has brought to its end.
 *   before      the run as it was loaded
 *   run         the run as it is to be saved; what was counted is noted in it
 *   job_before  the event's job as it was loaded; NULL: no event of a job
 *   job         the same as it is now, which is saved already
 * Touches the store only when an attempt was closed or a job of a closed one
 * changed; then reads the run's jobs once.
 */
void jr_flaky_tally(struct jr_txn *txn, const struct jr_run *before, struct jr_run *run,
                    const struct jr_job *job_before, const struct jr_job *job, int64_t now_ms);

/* How far a walk through the rows has come; all zero at first. */
struct jr_flaky_walk {
    bool ended;
    unsigned char key[17];
    size_t key_length;
    unsigned char rank_key[25]; /* of jr_flaky_prune(): the same in the order of the worst */
    size_t rank_length;
    uint64_t looks; /* rows that jr_flaky_read() has looked at */
};

/*
 * Read the next rows of the filter's kind, in no order that means anything, in one short
 * read transaction that looks at 500 rows at most. Rows with nothing that is
 * wanted are left out.
 *   walk   in and out: go on until it has ended, even when a call finds none
 *   rows   out: the caller's, room for `size` (at least 1)
 *   count  out: how many were found
 * Returns JR_OK or what failed.
 */
enum jr_err jr_flaky_read(struct jr_store *store, const struct jr_flaky_filter *filter,
                          struct jr_flaky_walk *walk, struct jr_flaky *rows, size_t size,
                          size_t *count, struct jr_error *error) JR_CHECKED;

/* All rows of a kind together. */
struct jr_flaky_total {
    uint64_t rows;
    struct jr_flaky sum; /* its numbers, and the first and the last time */
};

/*
 * Find the worst: jobs with the most rescues; suspect runners, then those with the
 * most blame; then those with the most failures. Rows without a failure are left
 * out. Reads all rows of the kind, a short transaction for every 500.
 *   rows   out: the caller's, room for `size`; the worst first
 *   count  out: how many there are, `size` at most
 *   total  out: of all that the filter lets through, also those left out
 * Returns JR_OK, JR_ENOMEM or what failed.
 */
enum jr_err jr_flaky_worst(struct jr_store *store, const struct jr_flaky_filter *filter,
                           struct jr_flaky *rows, size_t size, size_t *count,
                           struct jr_flaky_total *total, struct jr_error *error) JR_CHECKED;

/*
 * Find the worst of the last JR_FLAKY_RECENT_DAYS days, in one short transaction and however
 * many rows there are: jobs with the most rescues, of those with any; suspect runners with
 * the most blame. Goes by an order that is kept with the rows, in which one may stand too far
 * in front until it changes, or jr_flaky_prune() comes by. JR_FLAKY_RECENT_LOOKS of them
 * are looked at: of more runners that are blamed more than once, but not suspect, some may not
 * be seen.
 * Parameters and result as with jr_flaky_worst(); of equals any may come first.
 */
enum jr_err jr_flaky_recent(struct jr_store *store, enum jr_flaky_kind kind, int64_t now_ms,
                            struct jr_flaky *rows, size_t size, size_t *count,
                            struct jr_error *error) JR_CHECKED;

/*
 * The same of what a filter lets through, whose since_ms is of no matter.
 *   whole  out: false when JR_FLAKY_RECENT_LOOKS rows were looked at, and there may be more
 */
enum jr_err jr_flaky_recent_of(struct jr_store *store, const struct jr_flaky_filter *filter,
                               struct jr_flaky *rows, size_t size, size_t *count, bool *whole,
                               struct jr_error *error) JR_CHECKED;

/* Put a row into its place among the worst, which are `size' at most, if it has one there. */
void jr_flaky_place(const struct jr_flaky *row, struct jr_flaky *rows, size_t size,
                    size_t *count);

/* The weeks of which rows can tell: a day is missing of the first. */
#define JR_FLAKY_WEEKS 13

/* What was counted in seven days, as in a row; also what failed on a runner that stands out. */
struct jr_flaky_week {
    int64_t start_ms;
    uint64_t executions, failures, rescued, blamed;
};

/*
 * How it went with rows of a kind, week by week, in one short read transaction that reads a
 * record for each. Of one that is forgotten all numbers are 0.
 *   filter  its kind, and now_ms: with that day the last week ends
 *   rows    their names
 *   weeks   1 to JR_FLAKY_WEEKS
 *   trend   out: the caller's, `weeks' for each row, oldest first
 */
enum jr_err jr_flaky_trend(struct jr_store *store, const struct jr_flaky_filter *filter,
                           const struct jr_flaky *rows, size_t count, unsigned weeks,
                           struct jr_flaky_week *trend, struct jr_error *error) JR_CHECKED;

/* All jobs of those days together, as jr_flaky_worst() sums them up, but without times. */
enum jr_err jr_flaky_recent_total(struct jr_store *store, int64_t now_ms,
                                  struct jr_flaky_total *total,
                                  struct jr_error *error) JR_CHECKED;

/*
 * Does a runner stand out? Reads two rows.
 *   repo    whose owner's runner it is
 *   labels  that its job asked for, sorted, "a,b"
 */
bool jr_flaky_stands_out(struct jr_txn *txn, const char *repo, const char *labels,
                         const char *runner, int64_t now_ms);

/*
 * The 95 % interval of a rate (Wilson's, without correction for continuity), from
 * 0 to 1. Of nothing (of == 0) it is 0 to 1.
 *   hits  at most `of`
 */
void jr_wilson(uint64_t hits, uint64_t of, double *low, double *high);

/*
 * Look at the next `most` rows and forget those without an execution since
 * before_ms, and rare runners (see above). Puts right where they stand among the worst. The
 * walk begins anew after its end.
 * Returns how many were forgotten.
 */
unsigned jr_flaky_prune(struct jr_txn *txn, int64_t before_ms, int64_t now_ms, unsigned most,
                        struct jr_flaky_walk *walk);

#endif
