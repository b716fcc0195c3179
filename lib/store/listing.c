/*
 * listing -- the store as somebody reads it: runs newest first, the outbox, and
 * the story of one run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/listing.h"
#include "lib/base/timestamp.h"
#include "lib/model/standing.h"
#include "lib/store/ledger.h"
#include "lib/store/outbox.h"
#include "lib/store/reports.h"
#include "lib/store/threads.h"

#include <stdlib.h>
#include <string.h>

/* Jobs of a run that are looked at for what they came to; the worst is soon found. */
#define JOBS_LOOKS 1000

/* Of two conclusions of jobs the one that makes the run's; as GitHub does, a failure above all. */
static enum jr_conclusion worse_of(enum jr_conclusion a, enum jr_conclusion b)
{
    static const enum jr_conclusion worst_first[] = {
        JR_CONCLUSION_FAILURE,         JR_CONCLUSION_TIMED_OUT, JR_CONCLUSION_STARTUP_FAILURE,
        JR_CONCLUSION_ACTION_REQUIRED, JR_CONCLUSION_CANCELLED, JR_CONCLUSION_STALE,
    };

    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++)
        if (a == worst_first[i] || b == worst_first[i])
            return worst_first[i];
    return a == JR_CONCLUSION_NONE ? b : a;
}

/* What the jobs came to, of a run that does not tell: the run only counts those that failed. */
static void look_at_jobs(struct jr_txn *txn, struct jr_run *run)
{
    struct jr_job job = { .job_id = 0 };

    if (run->complete || run->jobs_failed == 0 || run->jobs_unfinished > 0)
        return;
    for (unsigned looks = 0; looks < JOBS_LOOKS && run->jobs_conclusion != JR_CONCLUSION_FAILURE
                             && jr_ledger_next_job(txn, run->run_id, job.job_id, &job);
         looks++)
        if (jr_run_attempt_of(run, &job) == run->attempt && jr_conclusion_is_bad(job.conclusion))
            run->jobs_conclusion = worse_of(run->jobs_conclusion, job.conclusion);
    if (txn->error.code == JR_EFORMAT)
        txn->error.code = JR_OK;
}

/* Nothing is written here, so one that is damaged is as good as missing. */
bool jr_listing_load(struct jr_txn *txn, uint64_t run_id, struct jr_run *run)
{
    jr_ledger_load_run(txn, run_id, run);
    if (txn->error.code == JR_EFORMAT) {
        txn->error.code = JR_OK;
        memset(run, 0, sizeof *run);
        run->run_id = run_id;
    }
    look_at_jobs(txn, run);
    return txn->error.code == JR_OK && run->known;
}

static bool matches(const struct jr_list *patterns, const char *value)
{
    return patterns->count == 0 || jr_list_match(patterns, value);
}

static bool has_reason(const struct jr_listing_filter *filter, const struct jr_run *run)
{
    bool paused = filter->pauses != NULL && jr_pauses_hold(filter->pauses, run) != NULL;
    enum jr_reason reason = jr_standing_reason(run, paused);

    return (size_t)reason < JR_REASONS && filter->reasons[reason];
}

static bool is_wanted(const struct jr_listing_filter *filter, const struct jr_run *run)
{
    return matches(&filter->repos, run->repo) && matches(&filter->branches, run->branch)
           && (filter->workflows.count == 0
               || jr_run_lists_workflow(&filter->workflows, run->workflow, run->workflow_path))
           && (filter->reasons == NULL || has_reason(filter, run))
           && (filter->conclusions == NULL
               || ((size_t)jr_run_conclusion(run) < JR_CONCLUSIONS
                   && filter->conclusions[jr_run_conclusion(run)]))
           && (filter->phase == JR_LISTING_ANY_PHASE || filter->phase == (int)run->phase)
           && run->last_event_ms >= filter->since_ms;
}

/* Those that come first in the listing stand first. */
static int by_place(const void *a, const void *b)
{
    const struct jr_listing_place *one = a, *two = b;

    if (one->last_event_ms != two->last_event_ms)
        return one->last_event_ms < two->last_event_ms ? 1 : -1;
    return (one->run_id < two->run_id) - (one->run_id > two->run_id);
}

/* Put what was gathered in order, and keep half of the room free. */
static void put_in_order(struct jr_listing *listing)
{
    qsort(listing->places, listing->gathered, sizeof *listing->places, by_place);
    if (listing->gathered == JR_LISTING_HOUR_MAX)
        listing->more = true;
    /* Once some were dropped, what stands behind the half is not all that there is. */
    if (listing->more && listing->gathered > JR_LISTING_HOUR_MAX / 2)
        listing->gathered = JR_LISTING_HOUR_MAX / 2;
}

/* Look at the next run of the hour, or find that it has no more. */
static void gather(struct jr_txn *txn, const struct jr_listing_filter *filter,
                   struct jr_listing *listing)
{
    int64_t hour_ms = listing->hour_ms;
    struct jr_listing_place place;
    struct jr_run run;

    listing->last_hour = (filter->most_looks > 0 && listing->looks >= filter->most_looks)
                         || !jr_ledger_next_older(txn, &hour_ms, &listing->run_id);
    listing->looks++;
    if (listing->begun && (listing->last_hour || hour_ms != listing->hour_ms)) {
        listing->ordered = true;
        put_in_order(listing);
        return;
    }
    listing->begun = true;
    listing->hour_ms = hour_ms;
    listing->ended = listing->last_hour || hour_ms + JR_HOUR_MS <= filter->since_ms;
    if (listing->ended || !jr_listing_load(txn, listing->run_id, &run) || !is_wanted(filter, &run))
        return;
    place = (struct jr_listing_place){ run.last_event_ms, run.run_id };
    if (listing->before.run_id != 0 && by_place(&place, &listing->before) <= 0)
        return;
    if (listing->gathered == JR_LISTING_HOUR_MAX)
        put_in_order(listing);
    listing->places[listing->gathered++] = place;
}

/* All of the hour that was in order is given out: go to the rest of it, or to the hour before. */
static void go_on(struct jr_listing *listing)
{
    if (listing->more) {
        listing->before = listing->places[listing->gathered - 1];
        listing->run_id = UINT64_MAX;
    } else {
        memset(&listing->before, 0, sizeof listing->before);
        listing->run_id = 0;
        listing->ended = listing->last_hour;
    }
    listing->begun = listing->more;
    listing->ordered = listing->more = false;
    listing->gathered = listing->given = 0;
}

/* Runs that are wanted. */
struct runs {
    const struct jr_listing_filter *filter;
    struct jr_listing *listing;
    struct jr_run *items;
    size_t size, count;
};

static void list_runs(struct jr_txn *txn, void *context)
{
    struct runs *runs = context;
    struct jr_listing *listing = runs->listing;

    for (unsigned looks = 0;
         !listing->ended && runs->count < runs->size && looks < JR_LISTING_LOOKS; looks++) {
        struct jr_run *run = &runs->items[runs->count];

        if (!listing->ordered)
            gather(txn, runs->filter, listing);
        else if (listing->given == listing->gathered)
            go_on(listing);
        else if (jr_listing_load(txn, listing->places[listing->given++].run_id, run)
                 && is_wanted(runs->filter, run))
            runs->count++;
    }
}

enum jr_err jr_listing_runs(struct jr_store *store, const struct jr_listing_filter *filter,
                            struct jr_listing *listing, struct jr_run *runs, size_t size,
                            size_t *count, struct jr_error *error)
{
    struct runs wanted = { filter, listing, runs, size, 0 };
    enum jr_err err = jr_store_read(store, list_runs, &wanted, error);

    *count = err == JR_OK ? wanted.count : 0;
    return err;
}

/* A run, by its id or behind that of another one. */
struct one_run {
    uint64_t run_id;
    struct jr_run *run;
};

static void find_next_run(struct jr_txn *txn, void *context)
{
    struct one_run *one = context;
    bool found;

    do
        found = jr_ledger_next_run(txn, &one->run_id);
    while (found && !jr_listing_load(txn, one->run_id, one->run));
    if (!found)
        jr_txn_fail(txn, JR_ENOENT, "there is no run after %llu", (unsigned long long)one->run_id);
}

enum jr_err jr_listing_next_run(struct jr_store *store, uint64_t *after, struct jr_run *run,
                                struct jr_error *error)
{
    struct one_run one = { *after, run };
    enum jr_err err = jr_store_read(store, find_next_run, &one, error);

    *after = one.run_id;
    return err;
}

/* How far the walk through what was told has come, and what it has found. */
struct told {
    int64_t since_ms;
    bool ended;
    int64_t time_ms;
    uint64_t run_id;
    uint64_t *run_ids; /* owned */
    size_t size, count;
};

/* Runs of which something is told while we walk move on, so they are found, perhaps twice. */
static void add_told(struct jr_txn *txn, void *context)
{
    struct told *told = context;

    for (unsigned looks = 0; !told->ended && looks < JR_LISTING_LOOKS; looks++) {
        if (jr_ledger_next_told(txn, told->since_ms, &told->time_ms, &told->run_id))
            told->run_ids[told->count++] = told->run_id;
        else
            told->ended = true;
    }
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *one = a, *two = b;

    return (*one > *two) - (*one < *two);
}

/* Sort, and leave each number once. Returns how many are left. */
static size_t sort_once(uint64_t *numbers, size_t count)
{
    size_t kept = 0;

    if (count > 0)
        qsort(numbers, count, sizeof *numbers, by_number);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || numbers[i] != numbers[i - 1])
            numbers[kept++] = numbers[i];
    return kept;
}

/* Room for as many as one transaction finds. */
static bool has_room(struct told *told)
{
    size_t larger = 2 * told->size + JR_LISTING_LOOKS;
    uint64_t *more;

    if (told->size - told->count >= JR_LISTING_LOOKS)
        return true;
    more = realloc(told->run_ids, larger * sizeof *more);
    if (more == NULL)
        return false;
    told->run_ids = more;
    told->size = larger;
    return true;
}

enum jr_err jr_listing_told(struct jr_store *store, int64_t since_ms, uint64_t **run_ids,
                            size_t *count, struct jr_error *error)
{
    struct told told = { .since_ms = since_ms };
    enum jr_err err = JR_OK;

    *run_ids = NULL;
    *count = 0;
    while (err == JR_OK && !told.ended)
        err = has_room(&told) ? jr_store_read(store, add_told, &told, error)
                              : jr_error_set(error, JR_ENOMEM, "out of memory");
    if (err != JR_OK) {
        free(told.run_ids);
        return err;
    }
    *count = sort_once(told.run_ids, told.count);
    *run_ids = told.run_ids;
    return JR_OK;
}

/* Entries of the outbox that are wanted. */
struct entries {
    struct jr_listing_outbox *listing;
    struct jr_run *runs;
    size_t size, count;
};

static void list_outbox(struct jr_txn *txn, void *context)
{
    struct entries *entries = context;
    struct jr_listing_outbox *listing = entries->listing;
    int64_t waiting_ms;

    while (!listing->ended && entries->count < entries->size) {
        struct jr_run *run = &entries->runs[entries->count];

        if (!jr_ledger_next_due(txn, &listing->due_ms, &listing->run_id, &waiting_ms)) {
            listing->ended = true;
            break;
        }
        (void)jr_listing_load(txn, listing->run_id, run);
        run->due_ms = listing->due_ms;
        run->waiting_ms = waiting_ms;
        entries->count++;
    }
}

enum jr_err jr_listing_outbox(struct jr_store *store, struct jr_listing_outbox *listing,
                              struct jr_run *runs, size_t size, size_t *count,
                              struct jr_error *error)
{
    struct entries entries = { listing, runs, size, 0 };
    enum jr_err err = jr_store_read(store, list_outbox, &entries, error);

    *count = err == JR_OK ? entries.count : 0;
    return err;
}

/* Does a pause hold up an entry? Nobody knows it of a damaged one. */
static bool is_paused(struct jr_txn *txn, const struct jr_pauses *pauses, uint64_t run_id)
{
    struct jr_run run;

    if (jr_pauses_whole(pauses) != NULL)
        return true;
    return pauses->count > 0 && jr_ledger_read_run(txn, run_id, &run)
           && jr_pauses_find(pauses, run.repo) != NULL;
}

static void keep_older(int64_t *oldest_ms, int64_t waiting_ms)
{
    if (*oldest_ms == 0 || waiting_ms < *oldest_ms)
        *oldest_ms = waiting_ms;
}

static void add_waiting(struct jr_waiting *waiting, int64_t due_ms, uint64_t run_id,
                        int64_t waiting_ms, bool paused)
{
    keep_older(&waiting->oldest_ms, waiting_ms);
    if (paused) {
        waiting->paused++;
        return;
    }
    keep_older(&waiting->free_oldest_ms, waiting_ms);
    if (waiting->due_ms == 0) {
        waiting->due_ms = due_ms;
        waiting->due_run_id = run_id;
    }
}

/* A look through the outbox: how far it has come, and what it has found. */
struct look {
    const struct jr_pauses *pauses;
    int64_t due_ms;
    uint64_t run_id;
    size_t looks;
    struct jr_waiting *waiting;
};

static void look_on(struct jr_txn *txn, void *context)
{
    struct look *look = context;
    struct jr_waiting *waiting = look->waiting;
    int64_t waiting_ms;

    waiting->entries = jr_outbox_count_asks(txn);
    do {
        waiting->whole = !jr_ledger_next_due(txn, &look->due_ms, &look->run_id, &waiting_ms);
        if (!waiting->whole)
            add_waiting(waiting, look->due_ms, look->run_id, waiting_ms,
                        is_paused(txn, look->pauses, look->run_id));
    } while (!waiting->whole && ++look->looks % JR_LISTING_LOOKS != 0);
}

enum jr_err jr_listing_waiting(struct jr_store *store, const struct jr_pauses *pauses,
                               struct jr_waiting *waiting, struct jr_error *error)
{
    struct look look = { .pauses = pauses, .waiting = waiting };
    enum jr_err err = JR_OK;

    memset(waiting, 0, sizeof *waiting);
    while (err == JR_OK && !waiting->whole && look.looks < JR_LISTING_WAITING_MAX)
        err = jr_store_read(store, look_on, &look, error);
    return err;
}

static void find_run(struct jr_txn *txn, void *context)
{
    const struct one_run *one = context;

    jr_ledger_load_run(txn, one->run_id, one->run);
    look_at_jobs(txn, one->run);
    if (!one->run->known)
        jr_txn_fail(txn, JR_ENOENT, "nothing is recorded of run %llu",
                    (unsigned long long)one->run_id);
}

enum jr_err jr_listing_run(struct jr_store *store, uint64_t run_id, struct jr_run *run,
                           struct jr_error *error)
{
    struct one_run one = { run_id, run };

    return jr_store_read(store, find_run, &one, error);
}

/* Jobs that are wanted, or failures, or entries of the history. */
struct parts {
    uint64_t run_id;
    uint64_t after;  /* of jobs and failures */
    uint32_t number; /* of entries */
    struct jr_job *jobs;
    struct jr_failure *failures;
    struct jr_history *entries;
    size_t size, count;
};

static void list_jobs(struct jr_txn *txn, void *context)
{
    struct parts *parts = context;

    while (parts->count < parts->size
           && jr_ledger_next_job(txn, parts->run_id, parts->after, &parts->jobs[parts->count]))
        parts->after = parts->jobs[parts->count++].job_id;
}

enum jr_err jr_listing_jobs(struct jr_store *store, uint64_t run_id, uint64_t *after,
                            struct jr_job *jobs, size_t size, size_t *count,
                            struct jr_error *error)
{
    struct parts parts = { .run_id = run_id, .after = *after, .jobs = jobs, .size = size };
    enum jr_err err = jr_store_read(store, list_jobs, &parts, error);

    *after = parts.after;
    *count = err == JR_OK ? parts.count : 0;
    return err;
}

static void list_failures(struct jr_txn *txn, void *context)
{
    struct parts *parts = context;

    while (parts->count < parts->size
           && jr_failures_next(txn, parts->run_id, parts->after, &parts->failures[parts->count]))
        parts->after = parts->failures[parts->count++].job_id;
}

enum jr_err jr_listing_failures(struct jr_store *store, uint64_t run_id, uint64_t *after,
                                struct jr_failure *failures, size_t size, size_t *count,
                                struct jr_error *error)
{
    struct parts parts = {
        .run_id = run_id, .after = *after, .failures = failures, .size = size
    };
    enum jr_err err = jr_store_read(store, list_failures, &parts, error);

    *after = parts.after;
    *count = err == JR_OK ? parts.count : 0;
    return err;
}

struct same_failure {
    uint64_t run_id;
    const struct jr_failure *failure;
    struct jr_failure *before;
};

static void find_same_failure(struct jr_txn *txn, void *context)
{
    const struct same_failure *same = context;
    struct jr_run run;

    if (!jr_ledger_read_run(txn, same->run_id, &run)
        || !jr_failures_same_as_before(txn, &run, same->failure, same->before))
        same->before->job_id = 0;
}

enum jr_err jr_listing_same_failure(struct jr_store *store, uint64_t run_id,
                                    const struct jr_failure *failure, struct jr_failure *before,
                                    struct jr_error *error)
{
    struct same_failure same = { run_id, failure, before };

    return jr_store_read(store, find_same_failure, &same, error);
}

static void list_history(struct jr_txn *txn, void *context)
{
    struct parts *parts = context;

    while (parts->count < parts->size
           && jr_history_next(txn, parts->run_id, &parts->number, &parts->entries[parts->count]))
        parts->count++;
}

enum jr_err jr_listing_history(struct jr_store *store, uint64_t run_id, uint32_t *number,
                               struct jr_history *entries, size_t size, size_t *count,
                               struct jr_error *error)
{
    struct parts parts = { .run_id = run_id, .number = *number, .entries = entries, .size = size };
    enum jr_err err = jr_store_read(store, list_history, &parts, error);

    *number = parts.number;
    *count = err == JR_OK ? parts.count : 0;
    return err;
}

static void count_all(struct jr_txn *txn, void *context)
{
    struct jr_listing_counts *counts = context;

    counts->runs = jr_ledger_count(txn);
    counts->records = jr_txn_count(txn, JR_TABLE_RUNS);
    counts->waiting = jr_outbox_count_asks(txn);
    counts->repos = jr_txn_count(txn, JR_TABLE_REPOS);
}

enum jr_err jr_listing_count(struct jr_store *store, struct jr_listing_counts *counts,
                             struct jr_error *error)
{
    memset(counts, 0, sizeof *counts);
    return jr_store_read(store, count_all, counts, error);
}

struct reported {
    const struct jr_run *run;
    struct jr_reported *reported;
};

static void read_reported(struct jr_txn *txn, void *context)
{
    const struct reported *reported = context;
    struct jr_report *report = &reported->reported->report;
    struct jr_thread thread;

    jr_reports_load(txn, reported->run->run_id, report);
    reported->reported->comment_id = 0;
    if (report->pull_request == 0)
        return;
    jr_threads_load(txn, reported->run->repo_id, report->pull_request, &thread);
    reported->reported->comment_id = thread.comment_id;
}

enum jr_err jr_listing_reported(struct jr_store *store, const struct jr_run *run,
                                struct jr_reported *reported, struct jr_error *error)
{
    struct reported read = { run, reported };

    return jr_store_read(store, read_reported, &read, error);
}

struct reports {
    int64_t now_ms;
    unsigned waiting;
};

static void count_reports(struct jr_txn *txn, void *context)
{
    struct reports *reports = context;

    reports->waiting = jr_reports_waiting(txn, reports->now_ms + JR_REPORTS_SETTLE_MS, 1000);
}

enum jr_err jr_listing_reports(struct jr_store *store, int64_t now_ms, unsigned *waiting,
                               struct jr_error *error)
{
    struct reports reports = { .now_ms = now_ms };
    enum jr_err err = jr_store_read(store, count_reports, &reports, error);

    *waiting = reports.waiting;
    return err;
}
