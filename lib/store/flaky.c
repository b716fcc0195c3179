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

#include "lib/store/flaky.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/store/key.h"
#include "lib/store/ledger.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLAKY_VERSION 3
#define RECORD_SIZE JR_VALUE_MAX

/* Rows that one transaction looks at, and that are copied at a time to be compared. */
#define LOOKS 500
#define BATCH 64

#define HASH_SIZE 16
#define HALF_HASH (HASH_SIZE / 2)

/* Key of JR_TABLE_WORST: kind, rank (the worst first), hash. */
#define RANK_KEY_SIZE (1 + 8 + HASH_SIZE)

/* Ranks of runners that are not suspect are below this: see rank_of(). */
#define LEAST_SUSPECT_RANK ((uint64_t)JR_FLAKY_SUSPECT_BLAMED << 32)

#define SUM_VERSION 1
#define SUM_SIZE 80

#define NAMESAKES_VERSION 1

/* Jobs of one name in one run: one for each attempt, of which GitHub allows 51, and some besides. */
#define NAMESAKES_MAX 64
#define NAMESAKES_SIZE (1 + 8 * NAMESAKES_MAX)

/* What an execution is judged to be. */
enum { COUNTED = 1, FAILED = 2, RESCUED = 4, NOT_RESCUED = 8, BLAMED = 16 };

enum { BEFORE, AFTER, SIDES };

/* What is counted of them; a row of a kind has only some. */
enum number { N_EXECUTIONS, N_FAILURES, N_RESCUED, N_NOT_RESCUED, N_LOST_MS, N_BLAMED, NUMBERS };

struct execution {
    unsigned char row[1 + HASH_SIZE];    /* key of the job's row */
    unsigned char runner[1 + HASH_SIZE]; /* key of the runner's */
    unsigned char pool[1 + HASH_SIZE];   /* key of that of its labels */
    unsigned char apart[1 + HASH_SIZE];  /* key of the job's failures on the runner */
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

/* What is to be added for a day. */
struct day_change {
    uint32_t day; /* since 1970 */
    int64_t numbers[NUMBERS];
};

/* An attempt may end 30 days after the first one, and some days of work are enough. */
#define CHANGE_DAYS 40

/* What is to be added to a row. */
struct change {
    unsigned char key[1 + HASH_SIZE];
    uint64_t job_id; /* of one of its executions, for the names */
    int64_t numbers[NUMBERS];
    struct day_change days[CHANGE_DAYS];
    size_t day_count;
    int64_t first_ms, last_ms; /* of those that are new; 0: none is */
};

/* A row as it is stored. */
struct row {
    struct jr_flaky names; /* repo, group, name and times */
    uint64_t numbers[NUMBERS];
    struct day {
        uint32_t day;
        uint64_t numbers[NUMBERS];
    } days[JR_FLAKY_DAYS]; /* ascending */
    size_t day_count;
    uint64_t rank; /* how bad it was lately, when it was saved; 0: not among the worst */
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

/* Half of the hash of a runner, then half of that of a job: all jobs of a runner stand together. */
static void make_apart_key(const unsigned char *runner, const unsigned char *job,
                           unsigned char key[1 + HASH_SIZE])
{
    key[0] = JR_FLAKY_APART;
    memcpy(key + 1, runner + 1, HALF_HASH);
    memcpy(key + 1 + HALF_HASH, job + 1, HALF_HASH);
}

static void copy_owner(char owner[JR_REPO_SIZE], const char *repo)
{
    jr_text_copy(owner, JR_REPO_SIZE, repo);
    owner[strcspn(owner, "/")] = '\0';
}

bool jr_flaky_is_hosted(const char *runner)
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
    return jr_flaky_is_hosted(runner) ? JR_FLAKY_HOSTED : runner;
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
    char owner[JR_REPO_SIZE];
    bool ok;

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
    execution->hosted = jr_flaky_is_hosted(job->runner);
    copy_owner(owner, run->repo);
    ok = make_row_key(JR_FLAKY_JOB, run->repo, run->workflow, job->name, execution->row)
         && make_row_key(JR_FLAKY_RUNNER, owner, job->labels, runner_name(job->runner),
                         execution->runner)
         && make_row_key(JR_FLAKY_POOL, owner, job->labels, "", execution->pool);
    make_apart_key(execution->runner, execution->row, execution->apart);
    return ok;
}

/*
 * Namesakes: which jobs of a run are counted under one name. An execution is judged by those
 * of its name alone, so that with these not all jobs of the run need be read for each one of
 * a later attempt. The first walk through the jobs of a run with such an attempt notes them
 * all, and then the number 0; from then on each job is noted that is counted. Two names that
 * share a number are only judged together.
 */
static size_t make_namesakes_key(unsigned char key[JR_KEY_MAX], uint64_t run_id, const char *name,
                                 bool *ok)
{
    unsigned char hash[HASH_SIZE] = { 0 };
    uint64_t number = 0;

    if (name != NULL) {
        *ok = hash_of(&name, 1, hash);
        memcpy(&number, hash, sizeof number);
        number |= 1;
    }
    return jr_ledger_key(key, run_id, JR_PART_NAMESAKES, number);
}

/*
 * Read which jobs have a name; NULL: the entry that says that all are noted.
 * Returns how many; NAMESAKES_MAX also for what cannot be read, which is of no more use
 * than a list that is full.
 */
static size_t read_namesakes(struct jr_txn *txn, uint64_t run_id, const char *name,
                             uint64_t ids[NAMESAKES_MAX], bool *noted)
{
    unsigned char key[JR_KEY_MAX], record[NAMESAKES_SIZE];
    struct jr_reader reader;
    size_t length, count;
    bool ok = true;
    size_t key_length = make_namesakes_key(key, run_id, name, &ok);

    *noted = ok && jr_txn_get(txn, JR_TABLE_RUNS, key, key_length, record, sizeof record, &length);
    if (!*noted)
        return ok ? 0 : NAMESAKES_MAX;
    jr_reader_init(&reader, record, length);
    if (jr_read_u8(&reader) != NAMESAKES_VERSION || length % 8 != 1)
        return NAMESAKES_MAX;
    count = length / 8;
    for (size_t i = 0; i < count; i++)
        ids[i] = jr_read_u64(&reader);
    return count;
}

static bool save_namesakes(struct jr_txn *txn, uint64_t run_id, const char *name,
                           const uint64_t *ids, size_t count)
{
    unsigned char key[JR_KEY_MAX], record[NAMESAKES_SIZE];
    struct jr_writer writer;
    bool ok = true;
    size_t key_length = make_namesakes_key(key, run_id, name, &ok);

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, NAMESAKES_VERSION);
    for (size_t i = 0; i < count; i++)
        jr_write_u64(&writer, ids[i]);
    if (ok)
        jr_txn_put(txn, JR_TABLE_RUNS, key, key_length, record, writer.length);
    return ok;
}

/*
 * Note a job under its name. With a list that is full all jobs are read for the name, so one
 * that finds no place is not missed. False without libcrypto.
 */
static bool note_namesake(struct jr_txn *txn, const struct jr_job *job)
{
    uint64_t ids[NAMESAKES_MAX];
    bool noted;
    size_t count = read_namesakes(txn, job->run_id, job->name, ids, &noted);

    if (count >= NAMESAKES_MAX)
        return true;
    for (size_t i = 0; i < count; i++)
        if (ids[i] == job->job_id)
            return true;
    ids[count] = job->job_id;
    return save_namesakes(txn, job->run_id, job->name, ids, count + 1);
}

/* Are all jobs noted, also those of this name? */
static bool has_namesakes(struct jr_txn *txn, const struct jr_job *job)
{
    uint64_t ids[NAMESAKES_MAX];
    bool all, noted;

    (void)read_namesakes(txn, job->run_id, NULL, ids, &all);
    return all && read_namesakes(txn, job->run_id, job->name, ids, &noted) < NAMESAKES_MAX;
}

/* Collect the executions that a new one of the same name is judged with, and note it. */
static bool collect_namesakes(struct jr_txn *txn, const struct jr_run *run,
                              const struct jr_job *job, struct execution_list *list,
                              int64_t now_ms)
{
    uint64_t ids[NAMESAKES_MAX];
    struct jr_job other;
    bool noted, ok = true;
    size_t count = read_namesakes(txn, run->run_id, job->name, ids, &noted);

    for (size_t i = 0; ok && i < count; i++) {
        jr_ledger_load_job(txn, run->run_id, ids[i], &other);
        if (other.tallied)
            ok = add_execution(list, run, &other, true, true, now_ms);
    }
    return ok && note_namesake(txn, job);
}

/*
 * Collect a job's executions, and mark the job if it is counted by this.
 *   all_noted  the namesakes of all jobs that were counted before
 */
static bool collect_job(struct jr_txn *txn, const struct jr_run *run, const struct jr_job *job_before,
                        struct jr_job *job, bool all_noted, struct execution_list *list,
                        int64_t now_ms)
{
    bool tallied = job->tallied, ok = true;
    bool changed = job_before != NULL && job_before->tallied && job_before->job_id == job->job_id;

    if (changed)
        ok = add_execution(list, run, job_before, true, false, now_ms);
    job->tallied |= is_due(run, job);
    if (!job->tallied)
        return ok;
    ok = ok && add_execution(list, run, job, tallied && !changed, true, now_ms);
    if (!tallied)
        jr_ledger_save_job(txn, job);
    if (run->attempt == 1 || !is_execution(job) || (tallied && !changed && all_noted))
        return ok;
    return ok && note_namesake(txn, job);
}

/* Collect the run's executions, and mark the jobs that are counted by this. */
static bool collect(struct jr_txn *txn, struct jr_run *run, const struct jr_job *job_before,
                    struct execution_list *list, int64_t now_ms)
{
    struct jr_job job = { .job_id = 0 };
    uint64_t none[NAMESAKES_MAX];
    unsigned looks = 0;
    bool ok = true, all_noted;

    (void)read_namesakes(txn, run->run_id, NULL, none, &all_noted);
    run->jobs_tallied = 0;
    while (ok && jr_ledger_next_job(txn, run->run_id, job.job_id, &job)) {
        if (looks++ == JR_FLAKY_JOBS_MAX) {
            run->jobs_tallied = jobs_completed(run);
            return true;
        }
        ok = collect_job(txn, run, job_before, &job, all_noted, list, now_ms);
        run->jobs_tallied += job.tallied && jr_run_attempt_of(run, &job) == run->attempt;
    }
    if (ok && run->attempt > 1 && !all_noted)
        ok = save_namesakes(txn, run->run_id, NULL, none, 0);
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

/* Where a change has the numbers of a day; NULL: it has no room for another one. */
static int64_t *numbers_of_day(struct change *change, uint32_t day)
{
    for (size_t i = 0; i < change->day_count; i++)
        if (change->days[i].day == day)
            return change->days[i].numbers;
    if (change->day_count == CHANGE_DAYS)
        return NULL;
    change->days[change->day_count].day = day;
    return change->days[change->day_count++].numbers;
}

/* Add what has changed about an execution; false when nothing has. */
static bool add_change(struct change *change, const struct execution *execution)
{
    const int64_t by[NUMBERS] = {
        [N_EXECUTIONS] = change_of(execution, COUNTED),
        [N_FAILURES] = change_of(execution, FAILED),
        [N_RESCUED] = change_of(execution, RESCUED),
        [N_NOT_RESCUED] = change_of(execution, NOT_RESCUED),
        [N_LOST_MS] = change_of(execution, RESCUED) * execution->ran_ms,
        [N_BLAMED] = change_of(execution, BLAMED),
    };
    int64_t *of_day;

    if (execution->is[BEFORE] == execution->is[AFTER])
        return false;
    change->job_id = execution->job_id;
    of_day = numbers_of_day(change, jr_day_of(execution->ended_ms));
    for (int i = 0; i < NUMBERS; i++) {
        change->numbers[i] += by[i];
        if (of_day != NULL)
            of_day[i] += by[i];
    }
    if (by[N_EXECUTIONS] > 0) {
        if (change->first_ms == 0 || execution->ended_ms < change->first_ms)
            change->first_ms = execution->ended_ms;
        if (execution->ended_ms > change->last_ms)
            change->last_ms = execution->ended_ms;
    }
    return true;
}

/* Does a row of this kind have this number? Blame is a runner's, rescues are a job's. */
static bool has_number(enum jr_flaky_kind kind, enum number number)
{
    bool is_of_job = kind == JR_FLAKY_JOB || kind == JR_FLAKY_APART;

    return number == N_EXECUTIONS || number == N_FAILURES || (number == N_BLAMED) != is_of_job;
}

static void write_numbers(enum jr_flaky_kind kind, const uint64_t *numbers,
                          struct jr_writer *writer)
{
    for (int i = 0; i < NUMBERS; i++)
        if (has_number(kind, (enum number)i))
            jr_write_short(writer, numbers[i]);
}

static void read_numbers(enum jr_flaky_kind kind, uint64_t *numbers, struct jr_reader *reader)
{
    for (int i = 0; i < NUMBERS; i++)
        if (has_number(kind, (enum number)i))
            numbers[i] = jr_read_short(reader);
}

static void encode(enum jr_flaky_kind kind, const struct row *row, struct jr_writer *writer)
{
    uint32_t before = 0;

    jr_write_u8(writer, FLAKY_VERSION);
    jr_write_text(writer, row->names.repo);
    jr_write_text(writer, row->names.group);
    jr_write_text(writer, row->names.name);
    jr_write_time(writer, row->names.first_ms);
    jr_write_time(writer, row->names.last_ms);
    jr_write_short(writer, row->rank);
    write_numbers(kind, row->numbers, writer);
    jr_write_short(writer, row->day_count);
    for (size_t day = 0; day < row->day_count; day++) {
        jr_write_short(writer, row->days[day].day - before);
        before = row->days[day].day;
        write_numbers(kind, row->days[day].numbers, writer);
    }
}

static bool decode_days(enum jr_flaky_kind kind, struct row *row, struct jr_reader *reader)
{
    uint64_t count = jr_read_short(reader), day = 0;

    for (; reader->ok && row->day_count < count; row->day_count++) {
        uint64_t more = jr_read_short(reader);

        if (row->day_count == JR_FLAKY_DAYS || more > UINT32_MAX - day
            || (more == 0 && row->day_count > 0))
            return false;
        day += more;
        memset(&row->days[row->day_count], 0, sizeof *row->days);
        row->days[row->day_count].day = (uint32_t)day;
        read_numbers(kind, row->days[row->day_count].numbers, reader);
    }
    return reader->ok;
}

static bool decode(enum jr_flaky_kind kind, struct row *row, const void *record, size_t length)
{
    struct jr_reader reader;

    /* All but the days, of which only those that are counted mean anything. */
    memset(&row->names, 0, sizeof row->names);
    memset(row->numbers, 0, sizeof row->numbers);
    row->day_count = 0;
    row->rank = 0;
    jr_reader_init(&reader, record, length);
    if (jr_read_u8(&reader) != FLAKY_VERSION)
        return false;
    jr_read_text(&reader, row->names.repo, sizeof row->names.repo);
    jr_read_text(&reader, row->names.group, sizeof row->names.group);
    jr_read_text(&reader, row->names.name, sizeof row->names.name);
    row->names.first_ms = jr_read_time(&reader);
    row->names.last_ms = jr_read_time(&reader);
    row->rank = jr_read_short(&reader);
    read_numbers(kind, row->numbers, &reader);
    return decode_days(kind, row, &reader);
}

/* Never below 0: a row may have been forgotten, or the run have had another name. */
static void add_numbers(enum jr_flaky_kind kind, uint64_t *numbers, const int64_t *by)
{
    for (int i = 0; i < NUMBERS; i++) {
        if (!has_number(kind, (enum number)i))
            continue;
        if (by[i] < 0 && (uint64_t)-by[i] > numbers[i])
            numbers[i] = 0;
        else
            numbers[i] += (uint64_t)by[i];
    }
    /* The blame may be for executions that were forgotten with an earlier row. */
    if (numbers[N_BLAMED] > numbers[N_EXECUTIONS])
        numbers[N_BLAMED] = numbers[N_EXECUTIONS];
}

/* The place of a day in a row, which is made if need be; NULL: it is too long ago. */
static struct day *place_of(struct row *row, uint32_t day)
{
    size_t place = row->day_count;
    uint32_t newest = place > 0 ? row->days[place - 1].day : 0;

    while (place > 0 && row->days[place - 1].day > day)
        place--;
    if (place > 0 && row->days[place - 1].day == day)
        return &row->days[place - 1];
    if (newest >= JR_FLAKY_DAYS && day <= newest - JR_FLAKY_DAYS)
        return NULL;
    if (row->day_count == JR_FLAKY_DAYS) {
        /* The oldest one goes: with so many days, it is too long before a newer one. */
        if (place == 0)
            return NULL;
        memmove(row->days, row->days + 1, --place * sizeof *row->days);
    } else {
        memmove(row->days + place + 1, row->days + place,
                (row->day_count++ - place) * sizeof *row->days);
    }
    memset(&row->days[place], 0, sizeof row->days[place]);
    row->days[place].day = day;
    return &row->days[place];
}

static void drop_days(struct row *row, size_t count)
{
    row->day_count -= count;
    memmove(row->days, row->days + count, row->day_count * sizeof *row->days);
}

/* Forget days that are too long before the newest one. */
static void drop_old_days(struct row *row)
{
    uint32_t newest = row->day_count > 0 ? row->days[row->day_count - 1].day : 0;
    size_t old = 0;

    while (old < row->day_count && newest - row->days[old].day >= JR_FLAKY_DAYS)
        old++;
    drop_days(row, old);
}

/* Give a new row its names. */
static void name_row(struct jr_txn *txn, const struct jr_run *run, const struct change *change,
                     struct jr_flaky *names)
{
    struct jr_job job;

    if (change->key[0] == JR_FLAKY_APART)
        return;
    jr_ledger_load_job(txn, run->run_id, change->job_id, &job);
    if (change->key[0] == JR_FLAKY_JOB) {
        jr_text_copy(names->repo, sizeof names->repo, run->repo);
        jr_text_copy(names->group, sizeof names->group, run->workflow);
        jr_text_copy(names->name, sizeof names->name, job.name);
        return;
    }
    copy_owner(names->repo, run->repo);
    jr_text_copy(names->group, sizeof names->group, job.labels);
    if (change->key[0] == JR_FLAKY_RUNNER)
        jr_text_copy(names->name, sizeof names->name, runner_name(job.runner));
}

/* Write a row. One that is too large loses its oldest days. */
static void save(struct jr_txn *txn, const unsigned char *key, struct row *row)
{
    unsigned char record[RECORD_SIZE];
    struct jr_writer writer;

    for (;;) {
        jr_writer_init(&writer, record, sizeof record);
        encode((enum jr_flaky_kind)key[0], row, &writer);
        if (writer.ok || row->day_count == 0)
            break;
        drop_days(row, 1);
    }
    if (!writer.ok)
        jr_txn_fail(txn, JR_EINVAL, "a row of the aggregates is too large");
    jr_txn_put(txn, JR_TABLE_FLAKY, key, 1 + HASH_SIZE, record, writer.length);
}

/* Rescues or blame, then failures, as one number. */
static uint64_t rank_of(uint64_t hits, uint64_t failures)
{
    hits = hits < UINT32_MAX ? hits : UINT32_MAX;
    return hits == 0 ? 0 : hits << 32 | (failures < UINT32_MAX ? failures : UINT32_MAX);
}

/* The first of the recent days. */
static uint32_t recent_from(int64_t now_ms)
{
    uint32_t today = jr_day_of(now_ms);

    return today > JR_FLAKY_RECENT_DAYS ? today + 1 - JR_FLAKY_RECENT_DAYS : 0;
}

/* How bad is a row on its recent days? On a later day it is not worse, unless it is saved again. */
static uint64_t rank_now(enum jr_flaky_kind kind, const struct row *row, int64_t now_ms)
{
    uint64_t hits = 0, failures = 0;

    if (kind == JR_FLAKY_POOL || kind == JR_FLAKY_APART)
        return 0;
    for (size_t i = row->day_count; i > 0 && row->days[i - 1].day >= recent_from(now_ms); i--) {
        const struct day *day = &row->days[i - 1];

        hits += day->numbers[kind == JR_FLAKY_JOB ? N_RESCUED : N_BLAMED];
        failures += day->numbers[N_FAILURES];
    }
    return rank_of(hits, failures);
}

/* Of the key of a row, that of its place among the worst. */
static struct jr_key place_key(const unsigned char *key, uint64_t rank)
{
    struct jr_key place = { .length = 0 };

    jr_key_add_u8(&place, key[0]);
    jr_key_add_u64(&place, ~rank);
    jr_key_add_bytes(&place, key + 1, HASH_SIZE);
    return place;
}

static void move_rank(struct jr_txn *txn, const unsigned char *key, uint64_t from, uint64_t to)
{
    struct jr_key place;

    if (from == to)
        return;
    place = place_key(key, from);
    if (from != 0)
        jr_txn_delete(txn, JR_TABLE_WORST, place.bytes, place.length);
    place = place_key(key, to);
    if (to != 0)
        jr_txn_put(txn, JR_TABLE_WORST, place.bytes, place.length, "", 0);
}

/* All rows of jobs on a day. */
struct sum {
    uint64_t rows; /* of which it is the newest day with an execution */
    uint64_t numbers[NUMBERS];
};

static bool load_sum(struct jr_txn *txn, uint32_t day, struct sum *sum)
{
    struct jr_key key = jr_key_of_day(day);
    unsigned char record[SUM_SIZE];
    struct jr_reader reader;
    size_t length;

    memset(sum, 0, sizeof *sum);
    if (!jr_txn_get(txn, JR_TABLE_SUMS, key.bytes, key.length, record, sizeof record, &length))
        return false;
    jr_reader_init(&reader, record, length);
    if (jr_read_u8(&reader) == SUM_VERSION) {
        sum->rows = jr_read_short(&reader);
        read_numbers(JR_FLAKY_JOB, sum->numbers, &reader);
        if (reader.ok)
            return true;
    }
    memset(sum, 0, sizeof *sum);
    return true;
}

static void save_sum(struct jr_txn *txn, uint32_t day, const struct sum *sum)
{
    struct jr_key key = jr_key_of_day(day);
    unsigned char record[SUM_SIZE];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, SUM_VERSION);
    jr_write_short(&writer, sum->rows);
    write_numbers(JR_FLAKY_JOB, sum->numbers, &writer);
    if (sum->rows == 0 && sum->numbers[N_EXECUTIONS] == 0)
        jr_txn_delete(txn, JR_TABLE_SUMS, key.bytes, key.length);
    else
        jr_txn_put(txn, JR_TABLE_SUMS, key.bytes, key.length, record, writer.length);
}

/* Put another number in the place of one in a sum, which stays in its range. */
static void replace(uint64_t *sum, uint64_t old, uint64_t now)
{
    *sum = *sum > old ? *sum - old : 0;
    *sum = *sum < UINT64_MAX - now ? *sum + now : UINT64_MAX;
}

/* The newest day of a row on which anything was executed; UINT32_MAX: none. */
static uint32_t newest_day(const struct row *row)
{
    for (size_t i = row->day_count; i > 0; i--)
        if (row->days[i - 1].numbers[N_EXECUTIONS] > 0)
            return row->days[i - 1].day;
    return UINT32_MAX;
}

/* Bring what has changed about a day of a row into the sum of that day. */
static void change_sum(struct jr_txn *txn, const struct day *old, const struct day *now,
                       bool was_newest, bool is_newest)
{
    struct sum sum;

    if (was_newest == is_newest && memcmp(old->numbers, now->numbers, sizeof old->numbers) == 0)
        return;
    /* A day that is forgotten is not begun anew by what leaves it. */
    if (!load_sum(txn, now->day, &sum) && now->numbers[N_EXECUTIONS] == 0)
        return;
    replace(&sum.rows, was_newest, is_newest);
    for (int i = 0; i < NUMBERS; i++)
        replace(&sum.numbers[i], old->numbers[i], now->numbers[i]);
    save_sum(txn, now->day, &sum);
}

/* Bring what has changed about a row of a job into the sums, day by day. */
static void change_sums(struct jr_txn *txn, const struct row *before, const struct row *row)
{
    uint32_t was = newest_day(before), is = newest_day(row);
    size_t a = 0, b = 0;

    while (a < before->day_count || b < row->day_count) {
        struct day old = { .day = 0 }, now = { .day = 0 };
        bool takes_old = a < before->day_count
                         && (b == row->day_count || before->days[a].day <= row->days[b].day);
        bool takes_now = b < row->day_count
                         && (a == before->day_count || row->days[b].day <= before->days[a].day);

        if (takes_old)
            old = before->days[a++];
        if (takes_now)
            now = row->days[b++];
        else
            now.day = old.day;
        change_sum(txn, &old, &now, now.day == was, now.day == is);
    }
}

/* Save a row, and bring its order and its sums in step. before: as it was stored, or empty. */
static void replace_row(struct jr_txn *txn, const unsigned char *key, const struct row *before,
                        struct row *row, int64_t now_ms)
{
    enum jr_flaky_kind kind = (enum jr_flaky_kind)key[0];

    row->rank = rank_now(kind, row, now_ms);
    save(txn, key, row);
    move_rank(txn, key, before->rank, row->rank);
    if (kind == JR_FLAKY_JOB)
        change_sums(txn, before, row);
}

static bool load(struct jr_txn *txn, const unsigned char *key, struct row *row)
{
    unsigned char record[RECORD_SIZE];
    size_t length;

    return jr_txn_get(txn, JR_TABLE_FLAKY, key, 1 + HASH_SIZE, record, sizeof record, &length)
           && decode((enum jr_flaky_kind)key[0], row, record, length);
}

/* Bring a change into its row. A row that cannot be read begins anew. */
static void apply(struct jr_txn *txn, const struct jr_run *run, const struct change *change,
                  int64_t now_ms)
{
    enum jr_flaky_kind kind = (enum jr_flaky_kind)change->key[0];
    struct row before, row;

    if (!load(txn, change->key, &before)) {
        if (change->numbers[N_EXECUTIONS] <= 0)
            return;
        memset(&before, 0, sizeof before);
        row = before;
        name_row(txn, run, change, &row.names);
    } else {
        row = before;
    }
    add_numbers(kind, row.numbers, change->numbers);
    for (size_t i = 0; i < change->day_count; i++) {
        struct day *day = place_of(&row, change->days[i].day);

        if (day != NULL)
            add_numbers(kind, day->numbers, change->days[i].numbers);
    }
    drop_old_days(&row);
    if (change->first_ms != 0
        && (row.names.first_ms == 0 || change->first_ms < row.names.first_ms))
        row.names.first_ms = change->first_ms;
    if (change->last_ms > row.names.last_ms)
        row.names.last_ms = change->last_ms;
    replace_row(txn, change->key, &before, &row, now_ms);
}

static const unsigned char *key_of(const struct execution *execution, enum jr_flaky_kind kind)
{
    return kind == JR_FLAKY_JOB      ? execution->row
           : kind == JR_FLAKY_RUNNER ? execution->runner
           : kind == JR_FLAKY_POOL   ? execution->pool
                                     : execution->apart;
}

/* Is an execution counted in the row of this kind? */
static bool is_of_row(const struct execution *execution, enum jr_flaky_kind kind)
{
    if (kind == JR_FLAKY_APART)
        return execution->failed && execution->placed && !execution->hosted;
    return kind == JR_FLAKY_JOB || execution->has_runner;
}

/* Where the executions that begin at `start` and share a row end. */
static size_t end_of(const struct execution_list *list, size_t start, enum jr_flaky_kind kind)
{
    size_t end = start + 1;

    while (end < list->count
           && memcmp(key_of(&list->items[end], kind), key_of(&list->items[start], kind),
                     1 + HASH_SIZE) == 0)
        end++;
    return end;
}

/* Judge job by job; the list is in the order of their rows then. */
static void judge_all(struct execution_list *list)
{
    qsort(list->items, list->count, sizeof *list->items, by_row);
    for (size_t start = 0, end; start < list->count; start = end) {
        end = end_of(list, start, JR_FLAKY_JOB);
        for (int side = 0; side < SIDES; side++)
            judge(&list->items[start], end - start, side);
    }
}

static int by_runner(const void *a, const void *b)
{
    const struct execution *one = a, *two = b;

    return memcmp(one->runner, two->runner, sizeof one->runner);
}

static int by_pool(const void *a, const void *b)
{
    const struct execution *one = a, *two = b;

    return memcmp(one->pool, two->pool, sizeof one->pool);
}

static int by_apart(const void *a, const void *b)
{
    const struct execution *one = a, *two = b;

    return memcmp(one->apart, two->apart, sizeof one->apart);
}

/* Bring what has changed into the rows of a kind; the list is in their order. */
static void apply_rows(struct jr_txn *txn, const struct jr_run *run,
                       const struct execution_list *list, enum jr_flaky_kind kind,
                       int64_t now_ms)
{
    for (size_t start = 0, end; start < list->count; start = end) {
        struct change change = { .job_id = 0 };
        bool changed = false;

        end = end_of(list, start, kind);
        memcpy(change.key, key_of(&list->items[start], kind), sizeof change.key);
        for (size_t i = start; i < end; i++)
            if (is_of_row(&list->items[i], kind))
                changed |= add_change(&change, &list->items[i]);
        if (changed)
            apply(txn, run, &change, now_ms);
    }
}

/*
 * Is the job all that is new, so that it can be judged with those of its name alone? So it is
 * when all others of the newest attempt are counted. Otherwise all jobs would be read again for
 * each one of a run whose jobs end one after the other.
 */
static bool is_one_more(struct jr_txn *txn, const struct jr_run *before, const struct jr_run *run,
                        const struct jr_job *job_before, const struct jr_job *job)
{
    return job != NULL && job->known && !job_before->tallied && is_due(run, job)
           && (!before->known || before->attempt == run->attempt)
           && jr_run_attempt_of(run, job) == run->attempt
           && run->jobs_tallied + 1 == jobs_completed(run)
           && (run->attempt == 1 || !is_execution(job) || has_namesakes(txn, job));
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
    if (run->attempt > 1 && is_execution(job)
        && !collect_namesakes(txn, run, &counted, list, now_ms))
        return false;
    return add_execution(list, run, &counted, false, true, now_ms);
}

void jr_flaky_tally(struct jr_txn *txn, const struct jr_run *before, struct jr_run *run,
                    const struct jr_job *job_before, const struct jr_job *job, int64_t now_ms)
{
    struct execution_list list = { .items = NULL };
    bool ok;

    if (txn->error.code != JR_OK || !has_news(before, run, job_before, job))
        return;
    if (is_one_more(txn, before, run, job_before, job))
        ok = collect_one(txn, run, job, &list, now_ms);
    else
        ok = collect(txn, run, job_before, &list, now_ms);
    if (!ok)
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
    if (list.count > 0) {
        judge_all(&list);
        apply_rows(txn, run, &list, JR_FLAKY_JOB, now_ms);
        qsort(list.items, list.count, sizeof *list.items, by_runner);
        apply_rows(txn, run, &list, JR_FLAKY_RUNNER, now_ms);
        qsort(list.items, list.count, sizeof *list.items, by_pool);
        apply_rows(txn, run, &list, JR_FLAKY_POOL, now_ms);
        qsort(list.items, list.count, sizeof *list.items, by_apart);
        apply_rows(txn, run, &list, JR_FLAKY_APART, now_ms);
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

int64_t jr_flaky_since_ms(int64_t since_ms, int64_t now_ms)
{
    int64_t first = jr_day_of(now_ms) + 1 - JR_FLAKY_DAYS;

    if (since_ms == 0)
        return 0;
    return (jr_day_of(since_ms) > first ? jr_day_of(since_ms) : first) * JR_DAY_MS;
}

/* Tell of a row what ended since; false when nothing did. */
static bool tell(const struct row *row, int64_t since_ms, struct jr_flaky *told)
{
    uint64_t numbers[NUMBERS] = { 0 };

    for (size_t day = 0; day < row->day_count; day++)
        if (row->days[day].day >= jr_day_of(since_ms))
            for (int i = 0; i < NUMBERS; i++)
                numbers[i] += row->days[day].numbers[i];
    if (since_ms == 0)
        memcpy(numbers, row->numbers, sizeof numbers);
    *told = row->names;
    told->executions = numbers[N_EXECUTIONS];
    told->failures = numbers[N_FAILURES];
    told->rescued = numbers[N_RESCUED];
    told->not_rescued = numbers[N_NOT_RESCUED];
    told->lost_ms = numbers[N_LOST_MS] < JR_TIME_MOST ? (int64_t)numbers[N_LOST_MS]
                                                      : JR_TIME_MOST;
    told->blamed = numbers[N_BLAMED];
    return since_ms == 0 || told->executions > 0;
}

/* Compare a runner with all that have its labels. */
static void compare(struct jr_txn *txn, int64_t since_ms, struct jr_flaky *runner)
{
    unsigned char key[1 + HASH_SIZE];
    struct jr_flaky pool;
    struct row row;
    double low, high;

    if (!make_row_key(JR_FLAKY_POOL, runner->repo, runner->group, "", key)
        || !load(txn, key, &row) || !tell(&row, since_ms, &pool))
        return;
    runner->pool_executions = pool.executions;
    runner->pool_failures = pool.failures;
    runner->pool_blamed = pool.blamed;
    jr_wilson(runner->blamed, runner->executions, &low, &high);
    runner->suspect = runner->blamed >= JR_FLAKY_SUSPECT_BLAMED && pool.executions > 0
                      && low > (double)pool.blamed / (double)pool.executions;
}

/* Read the row of an entry of JR_TABLE_WORST; false when it does not stand there any longer. */
static bool load_ranked(struct jr_txn *txn, const struct jr_entry *entry, uint64_t *rank,
                        unsigned char key[1 + HASH_SIZE], struct row *row)
{
    if (entry->key_length != RANK_KEY_SIZE)
        return false;
    *rank = ~jr_key_number_at(entry, 1);
    key[0] = entry->key[0];
    memcpy(key + 1, entry->key + 1 + 8, HASH_SIZE);
    return load(txn, key, row) && row->rank == *rank;
}

/* The days by which a runner stands out. */
static int64_t standing_since_ms(int64_t now_ms)
{
    return recent_from(now_ms) * JR_DAY_MS;
}

bool jr_flaky_stands_out(struct jr_txn *txn, const char *repo, const char *labels,
                         const char *runner, int64_t now_ms)
{
    unsigned char key[1 + HASH_SIZE];
    char owner[JR_REPO_SIZE];
    struct jr_flaky told;
    struct row row;

    if (*runner == '\0' || *labels == '\0' || jr_flaky_is_hosted(runner))
        return false;
    copy_owner(owner, repo);
    if (!make_row_key(JR_FLAKY_RUNNER, owner, labels, runner, key) || !load(txn, key, &row)
        || !tell(&row, standing_since_ms(now_ms), &told))
        return false;
    compare(txn, standing_since_ms(now_ms), &told);
    return told.suspect;
}

/* Failures of a job on runners that stand out. */
struct apart {
    unsigned char job[HALF_HASH];
    uint64_t failures, rescued, not_rescued;
    int64_t lost_ms;
};

struct apart_list {
    struct apart *items; /* JR_FLAKY_APART_MAX, in the order of jobs; owned */
    size_t count;
};

/* Add those of the jobs that failed on a runner. */
static void add_apart(struct jr_txn *txn, const unsigned char *runner, int64_t since_ms,
                      struct apart_list *list)
{
    struct jr_entry entry = { .key = { JR_FLAKY_APART }, .key_length = 1 + HALF_HASH };
    unsigned char start[1 + HALF_HASH];
    struct jr_flaky told;
    struct row row;

    memcpy(entry.key + 1, runner + 1, HALF_HASH);
    memcpy(start, entry.key, sizeof start);
    while (list->count < JR_FLAKY_APART_MAX
           && jr_txn_seek(txn, JR_TABLE_FLAKY, entry.key, entry.key_length, true, &entry)
           && entry.key_length == 1 + HASH_SIZE && memcmp(entry.key, start, sizeof start) == 0) {
        struct apart *apart = &list->items[list->count];

        if (!decode(JR_FLAKY_APART, &row, entry.value, entry.value_length)
            || !tell(&row, since_ms, &told))
            continue;
        apart->failures = told.failures;
        apart->rescued = told.rescued;
        apart->not_rescued = told.not_rescued;
        apart->lost_ms = told.lost_ms;
        memcpy(apart->job, entry.key + 1 + HALF_HASH, HALF_HASH);
        list->count++;
    }
}

static int by_job(const void *a, const void *b)
{
    return memcmp(((const struct apart *)a)->job, ((const struct apart *)b)->job, HALF_HASH);
}

/* Is anything to be told apart in what a filter lets through? */
static bool tells_apart(const struct jr_flaky_filter *filter)
{
    return filter->kind == JR_FLAKY_JOB && filter->now_ms != 0;
}

/* Make room. False without memory. */
static bool open_apart(const struct jr_flaky_filter *filter, struct apart_list *list)
{
    list->count = 0;
    list->items = tells_apart(filter) ? malloc(JR_FLAKY_APART_MAX * sizeof *list->items) : NULL;
    return list->items != NULL || !tells_apart(filter);
}

/* Find runners that stand out, the worst first, and add what jobs failed on them since a day. */
static void find_apart(struct jr_txn *txn, const struct jr_flaky_filter *filter,
                       struct apart_list *list)
{
    struct jr_entry entry = { .key = { JR_FLAKY_RUNNER }, .key_length = 1 };
    int64_t since_ms = standing_since_ms(filter->now_ms);
    unsigned found = 0;

    list->count = 0;
    if (!tells_apart(filter))
        return;
    for (unsigned looks = 0; looks < JR_FLAKY_RECENT_LOOKS && found < JR_FLAKY_SUSPECTS_MAX;
         looks++) {
        unsigned char key[1 + HASH_SIZE];
        struct jr_flaky told;
        struct row row;
        uint64_t rank;

        if (!jr_txn_seek(txn, JR_TABLE_WORST, entry.key, entry.key_length, true, &entry)
            || entry.key[0] != JR_FLAKY_RUNNER)
            break;
        if (!load_ranked(txn, &entry, &rank, key, &row))
            continue;
        if (rank < LEAST_SUSPECT_RANK)
            break;
        if (!tell(&row, since_ms, &told))
            continue;
        compare(txn, since_ms, &told);
        if (!told.suspect)
            continue;
        found++;
        add_apart(txn, key, filter->since_ms, list);
    }
    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, by_job);
}

static void take_away(uint64_t *number, uint64_t by)
{
    *number = *number > by ? *number - by : 0;
}

/* Tell apart what failed on runners that stand out. */
static void take_apart(const struct apart *apart, struct jr_flaky *job)
{
    take_away(&job->executions, apart->failures);
    take_away(&job->failures, apart->failures);
    take_away(&job->rescued, apart->rescued);
    take_away(&job->not_rescued, apart->not_rescued);
    job->lost_ms = job->lost_ms > apart->lost_ms ? job->lost_ms - apart->lost_ms : 0;
    job->apart_failures += apart->failures;
    job->apart_rescued += apart->rescued;
}

/* key: that of the job's row */
static void take_apart_job(const struct apart_list *list, const unsigned char *key,
                           struct jr_flaky *job)
{
    struct apart wanted = { .failures = 0 };
    const struct apart *found;

    if (list->count == 0)
        return;
    memcpy(wanted.job, key + 1, HALF_HASH);
    found = bsearch(&wanted, list->items, list->count, sizeof *list->items, by_job);
    if (found == NULL)
        return;
    while (found > list->items && by_job(found - 1, &wanted) == 0)
        found--;
    for (; found < list->items + list->count && by_job(found, &wanted) == 0; found++)
        take_apart(found, job);
}

/* Has an owner a repository that a pattern may mean? */
static bool is_owner_of(const char *pattern, const char *owner)
{
    char head[JR_REPO_SIZE];
    size_t end;

    jr_text_copy(head, sizeof head, pattern);
    end = strcspn(head, "/*");
    if (head[end] == '\0')
        return false;
    /* What stands behind a `*' may be the name, or what is left of the owner. */
    head[end + (head[end] == '*')] = '\0';
    return jr_text_match(head, owner);
}

static bool is_wanted(const struct jr_flaky_filter *filter, const struct jr_flaky *row)
{
    return filter->repo == NULL
           || (filter->kind == JR_FLAKY_JOB ? jr_text_match(filter->repo, row->repo)
                                            : is_owner_of(filter->repo, row->repo));
}

/* Rows that are to be read, and where they go. */
struct query {
    const struct jr_flaky_filter *filter;
    struct jr_flaky_walk *walk; /* through all; the recent ones need none */
    struct jr_flaky *rows;
    size_t size, count;
    struct apart_list *apart;
    bool apart_found; /* it was found before */
    bool whole;       /* out, of the recent ones: all that may be among the worst were seen */
};

static void read_rows(struct jr_txn *txn, void *context)
{
    struct query *query = context;
    const struct jr_flaky_filter *filter = query->filter;
    enum jr_flaky_kind kind = filter->kind;
    struct jr_entry entry;
    struct row row;

    if (!query->apart_found)
        find_apart(txn, filter, query->apart);
    query->apart_found = true;
    for (unsigned looks = 0; !query->walk->ended && query->count < query->size && looks < LOOKS;
         looks++) {
        struct jr_flaky *told = &query->rows[query->count];

        if (!next_row(txn, kind, query->walk, &entry))
            continue;
        query->walk->looks++;
        if (!decode(kind, &row, entry.value, entry.value_length)
            || !is_wanted(filter, &row.names) || !tell(&row, filter->since_ms, told))
            continue;
        if (kind == JR_FLAKY_RUNNER && told->failures > 0)
            compare(txn, filter->since_ms, told);
        take_apart_job(query->apart, entry.key, told);
        query->count++;
    }
}

static enum jr_err out_of_memory(struct jr_error *error)
{
    return jr_error_set(error, JR_ENOMEM, "out of memory");
}

enum jr_err jr_flaky_read(struct jr_store *store, const struct jr_flaky_filter *filter,
                          struct jr_flaky_walk *walk, struct jr_flaky *rows, size_t size,
                          size_t *count, struct jr_error *error)
{
    struct apart_list apart;
    struct query query = {
        .filter = filter, .walk = walk, .rows = rows, .size = size, .apart = &apart
    };
    enum jr_err err = open_apart(filter, &apart) ? jr_store_read(store, read_rows, &query, error)
                                                 : out_of_memory(error);

    *count = err == JR_OK ? query.count : 0;
    free(apart.items);
    return err;
}

/* Is a worse than b? Rows with the same numbers are in the order of their names. */
static bool is_worse(const struct jr_flaky *a, const struct jr_flaky *b)
{
    int order;

    if (a->suspect != b->suspect)
        return a->suspect;
    if (a->rescued + a->blamed != b->rescued + b->blamed)
        return a->rescued + a->blamed > b->rescued + b->blamed;
    if (a->failures != b->failures)
        return a->failures > b->failures;
    order = strcmp(a->repo, b->repo);
    if (order == 0)
        order = strcmp(a->group, b->group);
    return order != 0 ? order < 0 : strcmp(a->name, b->name) < 0;
}

void jr_flaky_place(const struct jr_flaky *row, struct jr_flaky *rows, size_t size, size_t *count)
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

static void add_to_total(struct jr_flaky_total *total, const struct jr_flaky *row)
{
    struct jr_flaky *sum = &total->sum;

    total->rows++;
    sum->executions += row->executions;
    sum->failures += row->failures;
    sum->rescued += row->rescued;
    sum->not_rescued += row->not_rescued;
    sum->lost_ms += row->lost_ms;
    sum->blamed += row->blamed;
    sum->apart_failures += row->apart_failures;
    sum->apart_rescued += row->apart_rescued;
    if (sum->first_ms == 0 || (row->first_ms != 0 && row->first_ms < sum->first_ms))
        sum->first_ms = row->first_ms;
    if (row->last_ms > sum->last_ms)
        sum->last_ms = row->last_ms;
}

enum jr_err jr_flaky_worst(struct jr_store *store, const struct jr_flaky_filter *filter,
                           struct jr_flaky *rows, size_t size, size_t *count,
                           struct jr_flaky_total *total, struct jr_error *error)
{
    struct jr_flaky_walk walk = { .ended = false };
    struct jr_flaky *batch = calloc(BATCH, sizeof *batch);
    struct apart_list apart;
    struct query query = {
        .filter = filter, .walk = &walk, .rows = batch, .size = BATCH, .apart = &apart
    };
    enum jr_err err = open_apart(filter, &apart) && batch != NULL ? JR_OK : out_of_memory(error);

    *count = 0;
    memset(total, 0, sizeof *total);
    while (err == JR_OK && !walk.ended) {
        query.count = 0;
        err = jr_store_read(store, read_rows, &query, error);
        for (size_t i = 0; err == JR_OK && i < query.count; i++) {
            add_to_total(total, &batch[i]);
            if (batch[i].failures > 0)
                jr_flaky_place(&batch[i], rows, size, count);
        }
    }
    free(batch);
    free(apart.items);
    if (err != JR_OK)
        *count = 0;
    return err;
}

/* Are there as many as are wanted, and none behind this rank is worse than any of them? */
static bool has_the_worst(const struct query *query, uint64_t rank)
{
    const struct jr_flaky *last = query->rows + query->size - 1;

    return query->count == query->size
           && rank_of(last->rescued + last->blamed, last->failures) >= rank;
}

static void read_recent(struct jr_txn *txn, void *context)
{
    struct query *query = context;
    enum jr_flaky_kind kind = query->filter->kind;
    int64_t since_ms = query->filter->since_ms;
    struct jr_entry entry = { .key = { (unsigned char)kind }, .key_length = 1 };

    find_apart(txn, query->filter, query->apart);
    query->whole = false;
    for (unsigned looks = 0; looks < JR_FLAKY_RECENT_LOOKS && !query->whole; looks++) {
        unsigned char key[1 + HASH_SIZE];
        struct jr_flaky told;
        struct row row;
        uint64_t rank;

        query->whole = !jr_txn_seek(txn, JR_TABLE_WORST, entry.key, entry.key_length, true, &entry)
                       || entry.key[0] != (unsigned char)kind;
        if (query->whole || !load_ranked(txn, &entry, &rank, key, &row))
            continue;
        query->whole = has_the_worst(query, rank)
                       || (kind == JR_FLAKY_RUNNER && rank < LEAST_SUSPECT_RANK);
        if (query->whole || !is_wanted(query->filter, &row.names) || !tell(&row, since_ms, &told))
            continue;
        take_apart_job(query->apart, key, &told);
        if (kind == JR_FLAKY_RUNNER)
            compare(txn, since_ms, &told);
        if (told.rescued > 0 || told.suspect)
            jr_flaky_place(&told, query->rows, query->size, &query->count);
    }
}

enum jr_err jr_flaky_recent_of(struct jr_store *store, const struct jr_flaky_filter *wanted,
                               struct jr_flaky *rows, size_t size, size_t *count, bool *whole,
                               struct jr_error *error)
{
    const struct jr_flaky_filter filter = {
        .kind = wanted->kind, .repo = wanted->repo, .now_ms = wanted->now_ms,
        .since_ms = recent_from(wanted->now_ms) * JR_DAY_MS,
    };
    struct apart_list apart;
    struct query query = { .filter = &filter, .rows = rows, .size = size, .apart = &apart };
    enum jr_err err = open_apart(&filter, &apart)
                          ? jr_store_read(store, read_recent, &query, error)
                          : out_of_memory(error);

    *count = err == JR_OK ? query.count : 0;
    *whole = query.whole;
    free(apart.items);
    return err;
}

enum jr_err jr_flaky_recent(struct jr_store *store, enum jr_flaky_kind kind, int64_t now_ms,
                            struct jr_flaky *rows, size_t size, size_t *count,
                            struct jr_error *error)
{
    const struct jr_flaky_filter all = { .kind = kind, .now_ms = now_ms };
    bool whole;

    return jr_flaky_recent_of(store, &all, rows, size, count, &whole, error);
}

/* Rows whose trend is wanted. */
struct trends {
    enum jr_flaky_kind kind;
    const struct jr_flaky *rows;
    size_t count;
    uint32_t today;
    unsigned weeks;
    struct jr_flaky_week *trend;
};

/* Add the days of a row to its weeks, of which the last ends today. */
static void add_to_weeks(const struct row *row, const struct trends *trends,
                         struct jr_flaky_week *weeks)
{
    for (size_t i = row->day_count; i > 0; i--) {
        const struct day *day = &row->days[i - 1];
        uint32_t ago = trends->today >= day->day ? (trends->today - day->day) / 7 : 0;
        struct jr_flaky_week *week;

        if (ago >= trends->weeks)
            break;
        week = &weeks[trends->weeks - 1 - ago];
        week->executions += day->numbers[N_EXECUTIONS];
        week->failures += day->numbers[N_FAILURES];
        week->rescued += day->numbers[N_RESCUED];
        week->blamed += day->numbers[N_BLAMED];
    }
}

static void read_trends(struct jr_txn *txn, void *context)
{
    const struct trends *trends = context;

    for (size_t i = 0; i < trends->count; i++) {
        struct jr_flaky_week *weeks = trends->trend + i * trends->weeks;
        const struct jr_flaky *names = &trends->rows[i];
        unsigned char key[1 + HASH_SIZE];
        struct row row;

        memset(weeks, 0, trends->weeks * sizeof *weeks);
        for (unsigned week = 0; week < trends->weeks; week++)
            weeks[week].start_ms = ((int64_t)trends->today + 1 - 7 * (int64_t)(trends->weeks - week))
                                   * JR_DAY_MS;
        if (make_row_key(trends->kind, names->repo, names->group, names->name, key)
            && load(txn, key, &row))
            add_to_weeks(&row, trends, weeks);
    }
}

enum jr_err jr_flaky_trend(struct jr_store *store, const struct jr_flaky_filter *filter,
                           const struct jr_flaky *rows, size_t count, unsigned weeks,
                           struct jr_flaky_week *trend, struct jr_error *error)
{
    struct trends trends = {
        .kind = filter->kind, .rows = rows, .count = count, .today = jr_day_of(filter->now_ms),
        .weeks = weeks, .trend = trend,
    };

    return jr_store_read(store, read_trends, &trends, error);
}

/* The sums of the recent days. */
struct recent_sums {
    const struct jr_flaky_filter *filter;
    struct apart_list *apart;
    struct jr_flaky_total *total;
};

static void add_recent_sums(struct jr_txn *txn, void *context)
{
    const struct recent_sums *recent = context;
    int64_t now_ms = recent->filter->now_ms;

    for (uint32_t day = recent_from(now_ms); day <= jr_day_of(now_ms); day++) {
        struct jr_flaky told;
        struct row of_day;
        struct sum sum;

        load_sum(txn, day, &sum);
        memset(&of_day, 0, sizeof of_day);
        memcpy(of_day.numbers, sum.numbers, sizeof sum.numbers);
        tell(&of_day, 0, &told);
        add_to_total(recent->total, &told);
        recent->total->rows += sum.rows - 1;
    }
    find_apart(txn, recent->filter, recent->apart);
    for (size_t i = 0; i < recent->apart->count; i++)
        take_apart(&recent->apart->items[i], &recent->total->sum);
}

enum jr_err jr_flaky_recent_total(struct jr_store *store, int64_t now_ms,
                                  struct jr_flaky_total *total, struct jr_error *error)
{
    const struct jr_flaky_filter filter = {
        .kind = JR_FLAKY_JOB, .since_ms = recent_from(now_ms) * JR_DAY_MS, .now_ms = now_ms,
    };
    struct apart_list apart;
    struct recent_sums recent = { &filter, &apart, total };
    enum jr_err err;

    memset(total, 0, sizeof *total);
    err = open_apart(&filter, &apart) ? jr_store_read(store, add_recent_sums, &recent, error)
                                      : out_of_memory(error);
    free(apart.items);
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

/* Is the runner still known that failures are told apart by? */
static bool has_runner_of(struct jr_txn *txn, const struct jr_entry *apart)
{
    unsigned char key[1 + HALF_HASH] = { JR_FLAKY_RUNNER };
    struct jr_entry entry;

    memcpy(key + 1, apart->key + 1, HALF_HASH);
    return jr_txn_seek(txn, JR_TABLE_FLAKY, key, sizeof key, false, &entry)
           && entry.key_length > sizeof key && memcmp(entry.key, key, sizeof key) == 0;
}

/* Is a row not worth its place any longer? */
static bool is_past(enum jr_flaky_kind kind, const struct row *row, int64_t before_ms,
                    int64_t now_ms)
{
    return row->names.last_ms < before_ms
           || (kind == JR_FLAKY_RUNNER && row->numbers[N_EXECUTIONS] < JR_FLAKY_RARE
               && row->names.last_ms < now_ms - JR_FLAKY_RARE_MS);
}

/*
 * Forget a row, or put its place right: what was counted some time ago is not recent any more.
 * Returns whether it was forgotten, as one is that cannot be read.
 */
static bool prune_row(struct jr_txn *txn, const struct jr_entry *entry, int64_t before_ms,
                      int64_t now_ms)
{
    enum jr_flaky_kind kind = (enum jr_flaky_kind)entry->key[0];
    static const struct row nothing;
    struct row before, row;
    bool sound = entry->key_length == 1 + HASH_SIZE
                 && decode(kind, &before, entry->value, entry->value_length);

    if (sound && kind == JR_FLAKY_APART && !has_runner_of(txn, entry))
        sound = false;
    if (sound && !is_past(kind, &before, before_ms, now_ms)) {
        row = before;
        if (rank_now(kind, &row, now_ms) != row.rank)
            replace_row(txn, entry->key, &before, &row, now_ms);
        return false;
    }
    if (sound)
        move_rank(txn, entry->key, before.rank, 0);
    if (sound && kind == JR_FLAKY_JOB)
        change_sums(txn, &before, &nothing);
    jr_txn_delete(txn, JR_TABLE_FLAKY, entry->key, entry->key_length);
    return true;
}

/* Remove places among the worst whose rows are damaged, or were made anew after that. */
static void prune_ranks(struct jr_txn *txn, unsigned most, struct jr_flaky_walk *walk)
{
    struct jr_entry entry;

    for (; most > 0; most--) {
        unsigned char key[1 + HASH_SIZE];
        struct row row;
        uint64_t rank;

        if (!jr_txn_seek(txn, JR_TABLE_WORST, walk->rank_key, walk->rank_length, true, &entry)) {
            walk->rank_length = 0;
            break;
        }
        walk->rank_length = entry.key_length < sizeof walk->rank_key ? entry.key_length
                                                                     : sizeof walk->rank_key;
        memcpy(walk->rank_key, entry.key, walk->rank_length);
        if (!load_ranked(txn, &entry, &rank, key, &row))
            jr_txn_delete(txn, JR_TABLE_WORST, entry.key, entry.key_length);
    }
}

unsigned jr_flaky_prune(struct jr_txn *txn, int64_t before_ms, int64_t now_ms, unsigned most,
                        struct jr_flaky_walk *walk)
{
    struct jr_entry entry;
    unsigned removed = 0;

    prune_ranks(txn, most, walk);
    /* No row has numbers of a day any more that is so long ago. */
    (void)jr_key_drop_days(txn, JR_TABLE_SUMS, (int64_t)jr_day_of(now_ms) - JR_FLAKY_DAYS, most);
    for (; most > 0; most--) {
        if (!jr_txn_seek(txn, JR_TABLE_FLAKY, walk->key, walk->key_length, true, &entry)) {
            walk->key_length = 0;
            break;
        }
        walk->key_length = entry.key_length < sizeof walk->key ? entry.key_length
                                                               : sizeof walk->key;
        memcpy(walk->key, entry.key, walk->key_length);
        removed += prune_row(txn, &entry, before_ms, now_ms);
    }
    return removed;
}
