/*
 * budget -- what reruns have spent, by hour and day, of each repository and of all.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/budget.h"
#include "lib/base/codec.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/store/failures.h"
#include "lib/store/key.h"
#include "lib/store/ledger.h"

#include <ctype.h>
#include <string.h>

#define SPENT_VERSION 1

/* 24 hours and the minutes of four systems, of up to 5 bytes each, and a name. */
#define RECORD_SIZE 512

/* Jobs that were skipped, of which the last duration is looked for. */
#define SKIPPED_MOST 256

#define BY_NAME (UINT64_C(1) << 63)

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/: for names that nobody forges. */
static uint64_t hash_of(const char *text, bool any_case)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text != '\0'; text++)
        hash = (hash ^ (uint64_t)(any_case ? tolower((unsigned char)*text) : (unsigned char)*text))
               * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t jr_budget_scope(const struct jr_run *run)
{
    return run->repo_id != 0 ? run->repo_id : hash_of(run->repo, true) | BY_NAME;
}

unsigned jr_budget_hour(int64_t now_ms)
{
    return (unsigned)(now_ms / jr_test_scaled_ms(JR_HOUR_MS) % 24);
}

static uint32_t day_of(int64_t time_ms)
{
    return (uint32_t)(time_ms / jr_test_scaled_ms(JR_DAY_MS));
}

static struct jr_key key_of(uint32_t day, uint64_t scope)
{
    struct jr_key key = jr_key_of_day(day);

    jr_key_add_u64(&key, scope);
    return key;
}

static uint32_t read_number(struct jr_reader *reader)
{
    uint64_t number = jr_read_short(reader);

    if (number > UINT32_MAX)
        reader->ok = false;
    return (uint32_t)number;
}

static bool read_record(struct jr_budget_day *spent, const void *bytes, size_t length)
{
    struct jr_reader reader;

    jr_reader_init(&reader, bytes, length);
    if (jr_read_u8(&reader) != SPENT_VERSION)
        return false;
    jr_read_text(&reader, spent->repo, sizeof spent->repo);
    for (size_t i = 0; i < 24; i++)
        spent->reruns[i] = read_number(&reader);
    for (size_t i = 0; i < JR_SYSTEMS; i++)
        spent->minutes.of[i] = read_number(&reader);
    return reader.ok && reader.offset == length;
}

static void load(struct jr_txn *txn, uint32_t day, uint64_t scope, struct jr_budget_day *spent)
{
    struct jr_key key = key_of(day, scope);
    unsigned char record[RECORD_SIZE];
    size_t length;

    memset(spent, 0, sizeof *spent);
    if (jr_txn_get(txn, JR_TABLE_SPENT, key.bytes, key.length, record, sizeof record, &length)
        && !read_record(spent, record, length))
        memset(spent, 0, sizeof *spent);
    spent->scope = scope;
}

static void save(struct jr_txn *txn, uint32_t day, const struct jr_budget_day *spent)
{
    struct jr_key key = key_of(day, spent->scope);
    unsigned char record[RECORD_SIZE];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, SPENT_VERSION);
    jr_write_text(&writer, spent->repo);
    for (size_t i = 0; i < 24; i++)
        jr_write_short(&writer, spent->reruns[i]);
    for (size_t i = 0; i < JR_SYSTEMS; i++)
        jr_write_short(&writer, spent->minutes.of[i]);
    jr_txn_put(txn, JR_TABLE_SPENT, key.bytes, key.length, record, writer.length);
}

void jr_budget_load(struct jr_txn *txn, uint64_t scope, int64_t now_ms,
                    struct jr_budget_day *spent)
{
    load(txn, day_of(now_ms), scope, spent);
}

bool jr_budget_next(struct jr_txn *txn, int64_t now_ms, bool first, struct jr_budget_day *spent)
{
    uint32_t day = day_of(now_ms);
    struct jr_key key = key_of(day, first ? JR_BUDGET_ALL : spent->scope);
    struct jr_entry entry;

    if (!jr_txn_seek(txn, JR_TABLE_SPENT, key.bytes, key.length, !first, &entry)
        || entry.key_length != key.length || memcmp(entry.key, key.bytes, sizeof day) != 0)
        return false;
    memset(spent, 0, sizeof *spent);
    if (!read_record(spent, entry.value, entry.value_length))
        memset(spent, 0, sizeof *spent);
    spent->scope = jr_key_number_at(&entry, sizeof day);
    return true;
}

static void take(uint32_t *number, uint32_t less)
{
    *number = *number > less ? *number - less : 0;
}

/* What is counted of the newest attempt in a day's record; nothing, if it is another day's. */
static void leave_out(struct jr_budget_day *spent, const struct jr_spent *counted, uint32_t day)
{
    if (day_of(counted->at_ms) != day)
        return;
    take(&spent->reruns[jr_budget_hour(counted->at_ms)], 1);
    for (size_t i = 0; i < JR_SYSTEMS; i++)
        take(&spent->minutes.of[i], counted->minutes.of[i]);
}

void jr_budget_spent(struct jr_txn *txn, uint64_t scope, const struct jr_run *run, int64_t now_ms,
                     struct jr_spending *spent)
{
    struct jr_budget_day day;

    jr_budget_load(txn, scope, now_ms, &day);
    if (run->spent.attempt == run->attempt
        && (scope == JR_BUDGET_ALL || scope == run->spent.scope))
        leave_out(&day, &run->spent, day_of(now_ms));
    spent->reruns = day.reruns[jr_budget_hour(now_ms)];
    spent->minutes = day.minutes;
}

/* Jobs that were skipped, and how long those of the same name ran last. */
struct skipped {
    uint64_t names[SKIPPED_MOST]; /* their hashes */
    struct {
        uint32_t attempt, minutes;
        enum jr_system system;
    } last[SKIPPED_MOST];
    size_t count;
};

static bool runs_again(const struct jr_job *job, bool all)
{
    return all || jr_conclusion_is_bad(job->conclusion)
           || job->conclusion == JR_CONCLUSION_SKIPPED;
}

static void note_last(struct skipped *skipped, const struct jr_job *job, uint32_t attempt)
{
    uint64_t name = hash_of(job->name, false);
    uint32_t minutes = jr_job_minutes(job);

    for (size_t i = 0; minutes > 0 && i < skipped->count; i++) {
        if (skipped->names[i] != name || attempt < skipped->last[i].attempt)
            continue;
        skipped->last[i].attempt = attempt;
        skipped->last[i].minutes = minutes;
        skipped->last[i].system = jr_labels_system(job->labels);
    }
}

/* How long those ran before that did not run in this attempt. */
static void add_skipped(struct jr_txn *txn, const struct jr_run *run, struct skipped *skipped,
                        struct jr_minutes *cost)
{
    struct jr_job job = { .job_id = 0 };

    if (skipped->count == 0 || run->attempt <= 1)
        return;
    while (jr_ledger_next_job(txn, run->run_id, job.job_id, &job))
        if (jr_run_attempt_of(run, &job) < run->attempt)
            note_last(skipped, &job, jr_run_attempt_of(run, &job));
    for (size_t i = 0; i < skipped->count; i++)
        jr_limits_add(cost, skipped->last[i].system, skipped->last[i].minutes);
}

/* Has GitHub listed it as failed, of which no event has told its end? */
static bool is_listed(struct jr_txn *txn, const struct jr_run *run, const struct jr_job *job)
{
    struct jr_failure failure;

    return job->status != JR_STATUS_COMPLETED
           && jr_failures_next(txn, run->run_id, job->job_id - 1, &failure)
           && failure.job_id == job->job_id && failure.attempt == run->attempt;
}

static void add_failures(struct jr_txn *txn, const struct jr_run *run, struct jr_minutes *cost)
{
    struct jr_failure failure = { .job_id = 0 };
    struct jr_job job;

    while (jr_failures_next(txn, run->run_id, failure.job_id, &failure)) {
        if (failure.attempt != run->attempt)
            continue;
        jr_ledger_load_job(txn, run->run_id, failure.job_id, &job);
        if (!job.known || job.status != JR_STATUS_COMPLETED)
            jr_limits_add(cost, jr_labels_system(failure.labels),
                          jr_runner_minutes(failure.started_ms, failure.completed_ms));
    }
}

void jr_budget_cost(struct jr_txn *txn, const struct jr_run *run, bool all,
                    struct jr_minutes *cost)
{
    struct skipped skipped = { .count = 0 };
    struct jr_job job = { .job_id = 0 };

    memset(cost, 0, sizeof *cost);
    while (jr_ledger_next_job(txn, run->run_id, job.job_id, &job)) {
        uint32_t minutes;

        if (jr_run_attempt_of(run, &job) != run->attempt)
            continue;
        minutes = jr_job_minutes(&job);
        if (!runs_again(&job, all) || is_listed(txn, run, &job))
            continue;
        if (minutes > 0)
            jr_limits_add(cost, jr_labels_system(job.labels), minutes);
        else if (skipped.count < SKIPPED_MOST)
            skipped.names[skipped.count++] = hash_of(job.name, false);
    }
    add_skipped(txn, run, &skipped, cost);
    add_failures(txn, run, cost);
}

/* Put what is counted of a run into the counters of a scope, or take it out of them. */
static void change(struct jr_txn *txn, const struct jr_run *run, uint64_t scope, bool more)
{
    const struct jr_spent *counted = &run->spent;
    uint32_t day = day_of(counted->at_ms), *reruns;
    struct jr_budget_day spent;

    load(txn, day, scope, &spent);
    reruns = &spent.reruns[jr_budget_hour(counted->at_ms)];
    if (!more)
        leave_out(&spent, counted, day);
    else if (*reruns < UINT32_MAX)
        ++*reruns;
    for (size_t i = 0; more && i < JR_SYSTEMS; i++)
        jr_limits_add(&spent.minutes, (enum jr_system)i, counted->minutes.of[i]);
    if (scope != JR_BUDGET_ALL)
        (void)jr_text_copy(spent.repo, sizeof spent.repo, run->repo);
    save(txn, day, &spent);
}

static void change_both(struct jr_txn *txn, const struct jr_run *run, bool more)
{
    change(txn, run, JR_BUDGET_ALL, more);
    change(txn, run, run->spent.scope, more);
}

/*
 * Does a rerun that is counted stay so: GitHub has accepted it, or its POST is in doubt?
 *   forever  out: it is in doubt, and nobody will know, since another attempt than the next one
 *            has shown itself
 */
static bool stays(const struct jr_run *before, const struct jr_run *run, bool *forever)
{
    uint32_t attempt = run->spent.attempt;

    *forever = false;
    if (run->accepted_attempt >= attempt)
        return true;
    if (run->attempt == attempt)
        return run->intent_ms != 0;
    *forever = before->attempt == attempt && before->intent_ms != 0;
    return *forever;
}

void jr_budget_note(struct jr_txn *txn, const struct jr_run *before, struct jr_run *run,
                    enum jr_budget_step step, int64_t now_ms)
{
    bool posts = step != JR_BUDGET_NO_POST, forever = false;
    bool again = posts && run->spent.attempt == run->attempt;

    if (run->spent.attempt != 0 && (again || !stays(before, run, &forever))) {
        change_both(txn, run, false);
        run->spent.attempt = 0;
    }
    if (forever)
        run->spent.attempt = 0;
    if (!posts)
        return;
    run->spent = (struct jr_spent){ .attempt = run->attempt, .at_ms = now_ms,
                                    .scope = jr_budget_scope(run) };
    jr_budget_cost(txn, run, step == JR_BUDGET_POST_ALL, &run->spent.minutes);
    change_both(txn, run, true);
}

void jr_budget_prune(struct jr_txn *txn, int64_t before_ms, unsigned most)
{
    (void)jr_key_drop_days(txn, JR_TABLE_SPENT, day_of(before_ms), most);
}
