/*
 * flaky -- which jobs fail and then pass on the same commit, and on which runners.
 *
 * A run's executions are judged twice: those that were counted before the
 * transaction, and those that are counted after it. What differs goes into the
 * rows. So it does not matter which of them is heard of first.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/codec.h"
#include "lib/flaky.h"
#include "lib/ledger.h"
#include "lib/signature.h"
#include "lib/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLAKY_VERSION 1
#define RECORD_SIZE 1024

/* Rows that one transaction looks at, and that are copied at a time to be compared. */
#define LOOKS 500
#define BATCH 64

#define HASH_SIZE 16

/* What an execution is judged to be. */
enum { COUNTED = 1, FAILED = 2, RESCUED = 4, NOT_RESCUED = 8, BLAMED = 16 };

enum { BEFORE, AFTER, SIDES };

struct execution {
    unsigned char row[1 + HASH_SIZE];    /* key of the job's row */
    unsigned char runner[1 + HASH_SIZE]; /* key of the runner's */
    unsigned char pool[HASH_SIZE];       /* of the labels */
    bool placed;    /* runner and labels are told */
    bool hosted;    /* on a runner of GitHub's */
    bool has_runner;
    bool failed;
    bool in[SIDES]; /* is it counted there? */
    uint8_t is[SIDES];
    uint32_t attempt;
    uint64_t job_id;
    int64_t ran_ms, ended_ms;
};

/* The executions of one run. */
struct execution_list {
    struct execution *items; /* owned */
    size_t count, size;
};

/* What is to be added to a row. */
struct change {
    unsigned char row[1 + HASH_SIZE];
    uint64_t job_id; /* of one of its executions, for the names */
    int64_t executions, failures, rescued, not_rescued, lost_ms, blamed;
    int64_t first_ms, last_ms; /* of those that are new; 0: none is */
};

/* The first bytes of the SHA-256 of some texts, each with its NUL. */
static bool hash_of(const char *const *texts, size_t count, unsigned char hash[HASH_SIZE])
{
    char joined[JR_REPO_SIZE + 2 * JR_NAME_SIZE];
    unsigned char digest[JR_SHA256_SIZE];
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(texts[i]) + 1;

        memcpy(joined + length, texts[i], size);
        length += size;
    }
    if (jr_sha256(joined, length, digest) != JR_OK)
        return false;
    memcpy(hash, digest, HASH_SIZE);
    return true;
}

static bool make_row_key(enum jr_flaky_kind kind, const char *repo, const char *group,
                         const char *name, unsigned char key[1 + HASH_SIZE])
{
    key[0] = (unsigned char)kind;
    return hash_of((const char *const[]){ repo, group, name }, 3, key + 1);
}

/* "GitHub Actions 12" and the like; before 2020 "Hosted Agent". */
static bool is_hosted(const char *runner)
{
    size_t length = strlen(JR_FLAKY_HOSTED);

    if (strncmp(runner, JR_FLAKY_HOSTED, length) != 0)
        return strcmp(runner, "Hosted Agent") == 0;
    runner += length;
    return *runner == '\0'
           || (*runner == ' ' && runner[1 + strspn(runner + 1, "0123456789")] == '\0');
}

static const char *runner_name(const char *runner)
{
    return is_hosted(runner) ? JR_FLAKY_HOSTED : runner;
}

static bool is_execution(const struct jr_job *job)
{
    return job->status == JR_STATUS_COMPLETED && !job->carried_over && *job->name != '\0'
           && jr_conclusion_result(job->conclusion) != JR_RESULT_NONE;
}

/* Is the newest attempt at its end, as far as is known? */
static bool is_closed(const struct jr_run *run)
{
    return run->phase == JR_PHASE_CLOSED
           || (run->phase == JR_PHASE_OPEN && jr_run_result(run) == JR_RESULT_SUCCESS);
}

static uint32_t jobs_completed(const struct jr_run *run)
{
    return run->jobs_known - run->jobs_unfinished;
}

/* Is a job one that is to be counted by now? */
static bool is_due(const struct jr_run *run, const struct jr_job *job)
{
    uint32_t attempt = jr_run_attempt_of(run, job);

    return job->status == JR_STATUS_COMPLETED
           && (attempt < run->attempt || (attempt == run->attempt && is_closed(run)));
}

/* Is there anything to count? From what is at hand, without the store. */
static bool has_news(const struct jr_run *before, const struct jr_run *run,
                     const struct jr_job *job_before, const struct jr_job *job)
{
    if (before->known && before->attempt != run->attempt
        && before->jobs_tallied < jobs_completed(before))
        return true;
    if (is_closed(run) && run->jobs_tallied < jobs_completed(run))
        return true;
    if (job == NULL || !job->known)
        return false;
    return job_before->tallied ? job_before->conclusion != job->conclusion : is_due(run, job);
}

/* Put a job into the list, if it is an execution. False without memory or libcrypto. */
static bool add_execution(struct execution_list *list, const struct jr_run *run,
                          const struct jr_job *job, bool before, bool after, int64_t now_ms)
{
    struct execution *execution;

    if (!is_execution(job))
        return true;
    if (list->count == list->size) {
        size_t size = list->size == 0 ? 64 : 2 * list->size;
        struct execution *items = realloc(list->items, size * sizeof *items);

        if (items == NULL)
            return false;
        list->items = items;
        list->size = size;
    }
    execution = &list->items[list->count++];
    memset(execution, 0, sizeof *execution);
    execution->in[BEFORE] = before;
    execution->in[AFTER] = after;
    execution->failed = jr_conclusion_result(job->conclusion) == JR_RESULT_FAILED;
    execution->attempt = jr_run_attempt_of(run, job);
    execution->job_id = job->job_id;
    if (job->started_ms != 0 && job->completed_ms > job->started_ms)
        execution->ran_ms = job->completed_ms - job->started_ms;
    execution->ended_ms = job->completed_ms != 0 && job->completed_ms < now_ms ? job->completed_ms
                                                                                : now_ms;
    execution->has_runner = *job->runner != '\0';
    execution->placed = execution->has_runner && *job->labels != '\0';
    execution->hosted = is_hosted(job->runner);
    return make_row_key(JR_FLAKY_JOB, run->repo, run->workflow, job->name, execution->row)
           && make_row_key(JR_FLAKY_RUNNER, run->repo, job->labels, runner_name(job->runner),
                           execution->runner)
           && hash_of((const char *const[]){ job->labels }, 1, execution->pool);
}

/* Collect the run's executions, and mark the jobs that are counted by this. */
static bool collect(struct jr_txn *txn, struct jr_run *run, const struct jr_job *job_before,
                    struct execution_list *list, int64_t now_ms)
{
    struct jr_job job = { .job_id = 0 };
    unsigned looks = 0;
    bool ok = true;

    run->jobs_tallied = 0;
    while (ok && jr_ledger_next_job(txn, run->run_id, job.job_id, &job)) {
        bool tallied = job.tallied, changed = false;

        if (looks++ == JR_FLAKY_JOBS_MAX) {
            run->jobs_tallied = jobs_completed(run);
            break;
        }
        if (job_before != NULL && job_before->tallied && job_before->job_id == job.job_id) {
            ok = add_execution(list, run, job_before, true, false, now_ms);
            changed = true;
        }
        job.tallied |= is_due(run, &job);
        if (job.tallied)
            ok = ok && add_execution(list, run, &job, tallied && !changed, true, now_ms);
        if (job.tallied && !tallied)
            jr_ledger_save_job(txn, &job);
        run->jobs_tallied += job.tallied && jr_run_attempt_of(run, &job) == run->attempt;
    }
    return ok;
}

static int by_row(const void *a, const void *b)
{
    const struct execution *one = a, *two = b;
    int order = memcmp(one->row, two->row, sizeof one->row);

    if (order != 0)
        return order;
    return (one->attempt > two->attempt) - (one->attempt < two->attempt);
}

static bool any_failed(const struct execution *items, size_t count, int side)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].in[side] && items[i].failed)
            return true;
    return false;
}

/* Did all of the next executions run for the same labels, but elsewhere? */
static bool is_blamed(const struct execution *execution, const struct execution *next,
                      size_t count, int side)
{
    if (!execution->placed || execution->hosted)
        return false;
    for (size_t i = 0; i < count; i++)
        if (next[i].in[side]
            && (!next[i].placed || memcmp(next[i].pool, execution->pool, sizeof next[i].pool) != 0
                || memcmp(next[i].runner, execution->runner, sizeof next[i].runner) == 0))
            return false;
    return true;
}

/* Judge the executions of one attempt by those of the next that has any (NULL: none has). */
static void judge_attempt(struct execution *items, size_t count, const struct execution *next,
                          size_t next_count, int side)
{
    bool failed_again = next != NULL && any_failed(next, next_count, side);

    for (size_t i = 0; i < count; i++) {
        struct execution *execution = &items[i];

        if (!execution->in[side])
            continue;
        execution->is[side] = COUNTED | (execution->failed ? FAILED : 0);
        if (!execution->failed || next == NULL)
            continue;
        execution->is[side] |= failed_again ? NOT_RESCUED : RESCUED;
        if (!failed_again && is_blamed(execution, next, next_count, side))
            execution->is[side] |= BLAMED;
    }
}

static bool any_in(const struct execution *items, size_t count, int side)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].in[side])
            return true;
    return false;
}

/* Judge the executions of one job, which are in the order of attempts. */
static void judge(struct execution *items, size_t count, int side)
{
    const struct execution *next = NULL;
    size_t next_count = 0, end = count;

    while (end > 0) {
        size_t start = end - 1;

        while (start > 0 && items[start - 1].attempt == items[end - 1].attempt)
            start--;
        if (any_in(&items[start], end - start, side)) {
            judge_attempt(&items[start], end - start, next, next_count, side);
            next = &items[start];
            next_count = end - start;
        }
        end = start;
    }
}

/* By how much has one count of an execution changed? */
static int change_of(const struct execution *execution, int what)
{
    return ((execution->is[AFTER] & what) != 0) - ((execution->is[BEFORE] & what) != 0);
}

/* Add what has changed about an execution; false when nothing has. */
static bool add_change(struct change *change, const struct execution *execution)
{
    if (execution->is[BEFORE] == execution->is[AFTER])
        return false;
    change->job_id = execution->job_id;
    change->executions += change_of(execution, COUNTED);
    change->failures += change_of(execution, FAILED);
    change->rescued += change_of(execution, RESCUED);
    change->not_rescued += change_of(execution, NOT_RESCUED);
    change->lost_ms += change_of(execution, RESCUED) * execution->ran_ms;
    change->blamed += change_of(execution, BLAMED);
    if (change_of(execution, COUNTED) > 0) {
        if (change->first_ms == 0 || execution->ended_ms < change->first_ms)
            change->first_ms = execution->ended_ms;
        if (execution->ended_ms > change->last_ms)
            change->last_ms = execution->ended_ms;
    }
    return true;
}

static void encode(const struct jr_flaky *row, struct jr_writer *writer)
{
    jr_write_u8(writer, FLAKY_VERSION);
    jr_write_text(writer, row->repo);
    jr_write_text(writer, row->group);
    jr_write_text(writer, row->name);
    jr_write_u64(writer, row->executions);
    jr_write_u64(writer, row->failures);
    jr_write_u64(writer, row->rescued);
    jr_write_u64(writer, row->not_rescued);
    jr_write_time(writer, row->lost_ms);
    jr_write_u64(writer, row->blamed);
    jr_write_time(writer, row->first_ms);
    jr_write_time(writer, row->last_ms);
}

static bool decode(struct jr_flaky *row, const void *record, size_t length)
{
    struct jr_reader reader;

    memset(row, 0, sizeof *row);
    jr_reader_init(&reader, record, length);
    if (jr_read_u8(&reader) != FLAKY_VERSION)
        return false;
    jr_read_text(&reader, row->repo, sizeof row->repo);
    jr_read_text(&reader, row->group, sizeof row->group);
    jr_read_text(&reader, row->name, sizeof row->name);
    row->executions = jr_read_u64(&reader);
    row->failures = jr_read_u64(&reader);
    row->rescued = jr_read_u64(&reader);
    row->not_rescued = jr_read_u64(&reader);
    row->lost_ms = jr_read_time(&reader);
    row->blamed = jr_read_u64(&reader);
    row->first_ms = jr_read_time(&reader);
    row->last_ms = jr_read_time(&reader);
    return reader.ok;
}

/* Never below 0: a row may have been forgotten, or the run have had another name. */
static void add(uint64_t *number, int64_t change)
{
    if (change < 0 && (uint64_t)-change > *number)
        *number = 0;
    else
        *number += (uint64_t)change;
}

/* What a new row is about. */
static void name_row(struct jr_txn *txn, const struct jr_run *run, const struct change *change,
                     struct jr_flaky *row)
{
    struct jr_job job;

    memset(row, 0, sizeof *row);
    jr_ledger_load_job(txn, run->run_id, change->job_id, &job);
    jr_text_copy(row->repo, sizeof row->repo, run->repo);
    if (change->row[0] == JR_FLAKY_JOB) {
        jr_text_copy(row->group, sizeof row->group, run->workflow);
        jr_text_copy(row->name, sizeof row->name, job.name);
    } else {
        jr_text_copy(row->group, sizeof row->group, job.labels);
        jr_text_copy(row->name, sizeof row->name, runner_name(job.runner));
    }
}

/* Bring a change into its row. A row that cannot be read begins anew. */
static void apply(struct jr_txn *txn, const struct jr_run *run, const struct change *change)
{
    unsigned char record[RECORD_SIZE];
    struct jr_flaky row;
    struct jr_writer writer;
    size_t length;
    bool is_job = change->row[0] == JR_FLAKY_JOB;

    if (!jr_txn_get(txn, JR_TABLE_FLAKY, change->row, sizeof change->row, record, sizeof record,
                    &length)
        || !decode(&row, record, length)) {
        if (change->executions <= 0)
            return;
        name_row(txn, run, change, &row);
    }
    add(&row.executions, change->executions);
    add(&row.failures, change->failures);
    if (is_job) {
        add(&row.rescued, change->rescued);
        add(&row.not_rescued, change->not_rescued);
        row.lost_ms = row.lost_ms + change->lost_ms > 0 ? row.lost_ms + change->lost_ms : 0;
    } else {
        add(&row.blamed, change->blamed);
        /* The blame may be for executions that were forgotten with an earlier row. */
        if (row.blamed > row.executions)
            row.blamed = row.executions;
    }
    if (change->first_ms != 0 && (row.first_ms == 0 || change->first_ms < row.first_ms))
        row.first_ms = change->first_ms;
    if (change->last_ms > row.last_ms)
        row.last_ms = change->last_ms;
    jr_writer_init(&writer, record, sizeof record);
    encode(&row, &writer);
    if (!writer.ok)
        jr_txn_fail(txn, JR_EINVAL, "a row of the aggregates is too large");
    jr_txn_put(txn, JR_TABLE_FLAKY, change->row, sizeof change->row, record, writer.length);
}

/* Judge job by job, and bring what has changed into the rows of jobs. */
static void apply_jobs(struct jr_txn *txn, const struct jr_run *run, struct execution_list *list)
{
    size_t end;

    qsort(list->items, list->count, sizeof *list->items, by_row);
    for (size_t start = 0; start < list->count; start = end) {
        struct execution *items = &list->items[start];
        struct change change = { .job_id = 0 };
        bool changed = false;

        for (end = start; end < list->count
                          && memcmp(list->items[end].row, items->row, sizeof items->row) == 0;)
            end++;
        for (int side = 0; side < SIDES; side++)
            judge(items, end - start, side);
        memcpy(change.row, items->row, sizeof change.row);
        for (size_t i = 0; i < end - start; i++)
            changed |= add_change(&change, &items[i]);
        if (changed)
            apply(txn, run, &change);
    }
}

static int by_runner(const void *a, const void *b)
{
    const struct execution *one = a, *two = b;

    return memcmp(one->runner, two->runner, sizeof one->runner);
}

/* The same for the rows of runners, once all is judged. */
static void apply_runners(struct jr_txn *txn, const struct jr_run *run,
                          struct execution_list *list)
{
    size_t end;

    qsort(list->items, list->count, sizeof *list->items, by_runner);
    for (size_t start = 0; start < list->count; start = end) {
        const struct execution *first = &list->items[start];
        struct change change = { .job_id = 0 };
        bool changed = false;

        memcpy(change.row, first->runner, sizeof change.row);
        for (end = start; end < list->count
                          && memcmp(list->items[end].runner, first->runner, sizeof first->runner)
                                 == 0;
             end++)
            changed |= add_change(&change, &list->items[end]);
        if (changed && first->has_runner)
            apply(txn, run, &change);
    }
}

/*
 * Is the job all that is new, and judged by itself? So it is when all others are counted, in
 * a run's first attempt, or if it is no execution. Otherwise all jobs would be read again
 * for each one of a run whose jobs end one after the other.
 */
static bool is_one_more(const struct jr_run *before, const struct jr_run *run,
                        const struct jr_job *job_before, const struct jr_job *job)
{
    return job != NULL && job->known && !job_before->tallied && is_due(run, job)
           && (!before->known || before->attempt == run->attempt)
           && run->jobs_tallied + 1 == jobs_completed(run)
           && (run->attempt == 1 || !is_execution(job));
}

static bool collect_one(struct jr_txn *txn, struct jr_run *run, const struct jr_job *job,
                        struct execution_list *list, int64_t now_ms)
{
    struct jr_job counted = *job;

    run->jobs_tallied++;
    if (run->jobs_tallied > JR_FLAKY_JOBS_MAX)
        return true;
    counted.tallied = true;
    jr_ledger_save_job(txn, &counted);
    return add_execution(list, run, &counted, false, true, now_ms);
}

void jr_flaky_tally(struct jr_txn *txn, const struct jr_run *before, struct jr_run *run,
                    const struct jr_job *job_before, const struct jr_job *job, int64_t now_ms)
{
    struct execution_list list = { .items = NULL };
    bool ok;

    if (txn->error.code != JR_OK || !has_news(before, run, job_before, job))
        return;
    if (is_one_more(before, run, job_before, job))
        ok = collect_one(txn, run, job, &list, now_ms);
    else
        ok = collect(txn, run, job_before, &list, now_ms);
    if (!ok)
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
    if (list.count > 0) {
        apply_jobs(txn, run, &list);
        apply_runners(txn, run, &list);
    }
    free(list.items);
}

/* Find the next row of a kind; false at the end. */
static bool next_row(struct jr_txn *txn, enum jr_flaky_kind kind, struct jr_flaky_walk *walk,
                     struct jr_entry *entry)
{
    if (walk->key_length == 0) {
        walk->key[0] = (unsigned char)kind;
        walk->key_length = 1;
    }
    if (!jr_txn_seek(txn, JR_TABLE_FLAKY, walk->key, walk->key_length, true, entry)
        || entry->key_length != sizeof walk->key || entry->key[0] != (unsigned char)kind) {
        walk->ended = true;
        return false;
    }
    memcpy(walk->key, entry->key, sizeof walk->key);
    walk->key_length = sizeof walk->key;
    return true;
}

enum jr_err jr_flaky_read(struct jr_store *store, enum jr_flaky_kind kind, const char *repo,
                          struct jr_flaky_walk *walk, struct jr_flaky *rows, size_t size,
                          size_t *count, struct jr_error *error)
{
    struct jr_txn txn;
    struct jr_entry entry;

    *count = 0;
    jr_txn_begin(&txn, store, false);
    for (unsigned looks = 0; !walk->ended && *count < size && looks < LOOKS; looks++)
        if (next_row(&txn, kind, walk, &entry)
            && decode(&rows[*count], entry.value, entry.value_length)
            && (repo == NULL || jr_text_match(repo, rows[*count].repo)))
            (*count)++;
    jr_txn_abort(&txn);
    if (txn.error.code == JR_OK)
        return JR_OK;
    *count = 0;
    *error = txn.error;
    return error->code;
}

/* Is a worse than b? Rows with the same numbers are in the order of their names. */
static bool is_worse(const struct jr_flaky *a, const struct jr_flaky *b)
{
    int order;

    if (a->rescued + a->blamed != b->rescued + b->blamed)
        return a->rescued + a->blamed > b->rescued + b->blamed;
    if (a->failures != b->failures)
        return a->failures > b->failures;
    order = strcmp(a->repo, b->repo);
    if (order == 0)
        order = strcmp(a->group, b->group);
    return order != 0 ? order < 0 : strcmp(a->name, b->name) < 0;
}

/* Put a row into its place, if it has one among the worst. */
static void take_place(const struct jr_flaky *row, struct jr_flaky *rows, size_t size,
                       size_t *count)
{
    size_t place = *count;

    while (place > 0 && is_worse(row, &rows[place - 1]))
        place--;
    if (place == size)
        return;
    if (*count < size)
        (*count)++;
    memmove(&rows[place + 1], &rows[place], (*count - place - 1) * sizeof *rows);
    rows[place] = *row;
}

enum jr_err jr_flaky_worst(struct jr_store *store, enum jr_flaky_kind kind, const char *repo,
                           struct jr_flaky *rows, size_t size, size_t *count,
                           struct jr_error *error)
{
    struct jr_flaky_walk walk = { .ended = false };
    struct jr_flaky *batch = calloc(BATCH, sizeof *batch);
    enum jr_err err = JR_OK;
    size_t found;

    *count = 0;
    if (batch == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    while (err == JR_OK && !walk.ended) {
        err = jr_flaky_read(store, kind, repo, &walk, batch, BATCH, &found, error);
        for (size_t i = 0; i < found; i++)
            if (batch[i].failures > 0)
                take_place(&batch[i], rows, size, count);
    }
    free(batch);
    if (err != JR_OK)
        *count = 0;
    return err;
}

void jr_wilson(uint64_t hits, uint64_t of, double *low, double *high)
{
    const double z = 1.959963984540054; /* 97.5 % of the normal distribution are below */
    double n = (double)of, rate, middle, reach;

    *low = 0;
    *high = 1;
    if (of == 0)
        return;
    rate = (double)hits / n;
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n);
    reach = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
    if (hits > 0)
        *low = middle - reach;
    if (hits < of)
        *high = middle + reach;
}

/* Is a row not worth its place any longer? One that cannot be read is not. */
static bool is_past(const struct jr_entry *entry, int64_t before_ms, int64_t now_ms)
{
    struct jr_flaky row;

    return !decode(&row, entry->value, entry->value_length) || row.last_ms < before_ms
           || (entry->key[0] == JR_FLAKY_RUNNER && row.executions < JR_FLAKY_RARE
               && row.last_ms < now_ms - JR_FLAKY_RARE_MS);
}

unsigned jr_flaky_prune(struct jr_txn *txn, int64_t before_ms, int64_t now_ms, unsigned most,
                        struct jr_flaky_walk *walk)
{
    struct jr_entry entry;
    unsigned removed = 0;

    for (; most > 0; most--) {
        if (!jr_txn_seek(txn, JR_TABLE_FLAKY, walk->key, walk->key_length, true, &entry)) {
            walk->key_length = 0;
            break;
        }
        walk->key_length = entry.key_length < sizeof walk->key ? entry.key_length
                                                               : sizeof walk->key;
        memcpy(walk->key, entry.key, walk->key_length);
        if (!is_past(&entry, before_ms, now_ms))
            continue;
        jr_txn_delete(txn, JR_TABLE_FLAKY, entry.key, entry.key_length);
        removed++;
    }
    return removed;
}
