/*
 * days -- what happened on each day, in UTC, of all repositories and of each: for a chart.
 *
 * The run's record says under which day it and its newest attempt are counted,
 * so that they can be moved.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/days.h"
#include "lib/base/codec.h"
#include "lib/base/timestamp.h"
#include "lib/store/budget.h"
#include "lib/store/failures.h"
#include "lib/store/key.h"

#include <string.h>

#define DAY_VERSION 1

/* The four numbers, then how many causes there are, and of each which it is and its number. */
#define RECORD_SIZE (1 + 4 * 4 + 1 + JR_CAUSES * (1 + 5))

/* That of all has the day alone. */
static struct jr_key key_of(uint32_t number, uint64_t scope)
{
    struct jr_key key = jr_key_of_day(number);

    if (scope != JR_DAYS_ALL)
        jr_key_add_u64(&key, scope);
    return key;
}

/* A record that an older version has written ends before the causes. */
static void read_causes(struct jr_reader *reader, size_t length, struct jr_day *day)
{
    size_t count = reader->offset < length ? jr_read_u8(reader) : 0;

    for (size_t i = 0; i < count && reader->ok; i++) {
        size_t cause = jr_read_u8(reader);
        uint64_t number = jr_read_short(reader);

        if (reader->ok && cause < JR_CAUSES)
            day->causes[cause] = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
    }
}

/* Load a day; all zero when there is none, or none that can be read. */
static void load(struct jr_txn *txn, uint32_t number, uint64_t scope, struct jr_day *day)
{
    struct jr_key key = key_of(number, scope);
    unsigned char record[RECORD_SIZE];
    struct jr_reader reader;
    size_t length;

    memset(day, 0, sizeof *day);
    day->start_ms = (int64_t)number * JR_DAY_MS;
    if (!jr_txn_get(txn, JR_TABLE_DAYS, key.bytes, key.length, record, sizeof record, &length))
        return;
    jr_reader_init(&reader, record, length);
    if (jr_read_u8(&reader) != DAY_VERSION)
        return;
    day->failed = jr_read_u32(&reader);
    day->reruns = jr_read_u32(&reader);
    day->rescued = jr_read_u32(&reader);
    day->not_rescued = jr_read_u32(&reader);
    read_causes(&reader, length, day);
}

static void write_causes(struct jr_writer *writer, const struct jr_day *day)
{
    uint8_t count = 0;

    for (size_t cause = 0; cause < JR_CAUSES; cause++)
        count = (uint8_t)(count + (day->causes[cause] > 0));
    if (count == 0)
        return;
    jr_write_u8(writer, count);
    for (size_t cause = 0; cause < JR_CAUSES; cause++) {
        if (day->causes[cause] == 0)
            continue;
        jr_write_u8(writer, (uint8_t)cause);
        jr_write_short(writer, day->causes[cause]);
    }
}

static void save(struct jr_txn *txn, uint32_t number, uint64_t scope, const struct jr_day *day)
{
    struct jr_key key = key_of(number, scope);
    unsigned char record[RECORD_SIZE];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, DAY_VERSION);
    jr_write_u32(&writer, day->failed);
    jr_write_u32(&writer, day->reruns);
    jr_write_u32(&writer, day->rescued);
    jr_write_u32(&writer, day->not_rescued);
    write_causes(&writer, day);
    jr_txn_put(txn, JR_TABLE_DAYS, key.bytes, key.length, record, writer.length);
}

/* What is counted of a day; a cause is CAUSES and its number. */
enum { FAILED, RERUNS, RESCUED, NOT_RESCUED, CAUSES };

static uint32_t *counter_of(struct jr_day *day, unsigned what)
{
    switch (what) {
    case FAILED:
        return &day->failed;
    case RERUNS:
        return &day->reruns;
    case RESCUED:
        return &day->rescued;
    case NOT_RESCUED:
        return &day->not_rescued;
    default:
        return &day->causes[what - CAUSES];
    }
}

static void count_in(struct jr_txn *txn, uint32_t number, uint64_t scope, unsigned what,
                     int64_t change)
{
    struct jr_day day;
    uint32_t *counter;
    int64_t sum;

    load(txn, number, scope, &day);
    counter = counter_of(&day, what);
    sum = (int64_t)*counter + change;
    *counter = sum < 0 ? 0 : sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
    save(txn, number, scope, &day);
}

/* Count it for all repositories, and for that of the run. */
static void count(struct jr_txn *txn, const struct jr_run *run, uint32_t number, unsigned what,
                  int64_t change)
{
    count_in(txn, number, JR_DAYS_ALL, what, change);
    count_in(txn, number, jr_budget_scope(run), what, change);
}

/* Has the attempt been left for a newer one (and not only got its number)? */
static bool is_left(const struct jr_run *before, const struct jr_run *run)
{
    return before->known && run->attempt != before->attempt
           && run->base_attempt == before->base_attempt;
}

static void note_failed(struct jr_txn *txn, const struct jr_run *before, struct jr_run *run,
                        uint32_t today)
{
    bool failed = run->phase == JR_PHASE_CLOSED && jr_run_result(run) == JR_RESULT_FAILED;

    if (is_left(before, run) && before->failed_day == 0
        && jr_run_result(before) == JR_RESULT_FAILED)
        count(txn, run, today, FAILED, 1);
    if (failed == (run->failed_day != 0))
        return;
    count(txn, run, failed ? today : run->failed_day, FAILED, failed ? 1 : -1);
    run->failed_day = failed ? today : 0;
}

/* Is the newest attempt the one that our last rerun made? */
static bool is_ours(const struct jr_run *run)
{
    return run->reruns > 0 && run->attempt == run->accepted_attempt + 1;
}

/* What has come of our last rerun, as far as it can be said. */
static enum jr_result rescue_of(const struct jr_run *run)
{
    enum jr_result result = jr_run_result(run);

    if (result == JR_RESULT_SUCCESS)
        return run->phase != JR_PHASE_DUE ? result : JR_RESULT_NONE;
    return run->phase == JR_PHASE_CLOSED ? result : JR_RESULT_NONE;
}

static void note_rescue(struct jr_txn *txn, const struct jr_run *before, struct jr_run *run,
                        uint32_t today)
{
    enum jr_result noted = run->rescue_day == 0 ? JR_RESULT_NONE
                           : run->rescued       ? JR_RESULT_SUCCESS
                                                : JR_RESULT_FAILED;
    enum jr_result result = noted;

    if (is_ours(run))
        result = rescue_of(run);
    else if (is_left(before, run) && is_ours(before) && noted == JR_RESULT_NONE)
        /* Somebody else has rerun it: so it was not rescued by us, if it failed. */
        result = jr_run_result(before) == JR_RESULT_FAILED ? JR_RESULT_FAILED : JR_RESULT_NONE;
    if (result == noted)
        return;
    if (noted != JR_RESULT_NONE)
        count(txn, run, run->rescue_day, run->rescued ? RESCUED : NOT_RESCUED, -1);
    run->rescued = result == JR_RESULT_SUCCESS;
    run->rescue_day = result == JR_RESULT_NONE ? 0 : today;
    if (result != JR_RESULT_NONE)
        count(txn, run, today, run->rescued ? RESCUED : NOT_RESCUED, 1);
}

void jr_days_note(struct jr_txn *txn, const struct jr_run *before, struct jr_run *run,
                  int64_t now_ms)
{
    uint32_t today = jr_day_of(now_ms);

    if (run->reruns != before->reruns)
        count(txn, run, today, RERUNS, (int64_t)run->reruns - before->reruns);
    note_failed(txn, before, run, today);
    note_rescue(txn, before, run, today);
}

/* A record that is damaged may tell of any cause. */
static void count_cause(struct jr_txn *txn, const struct jr_run *run, uint32_t number,
                        enum jr_cause cause, int64_t change)
{
    if ((size_t)cause < JR_CAUSES)
        count(txn, run, number, CAUSES + (unsigned)cause, change);
}

void jr_days_note_cause(struct jr_txn *txn, const struct jr_run *run,
                        const struct jr_failure *failure, int64_t now_ms)
{
    enum jr_cause cause;
    int64_t at_ms;

    if (jr_failures_recorded(txn, run->run_id, failure->job_id, &at_ms, &cause)) {
        if (cause == failure->finding.cause && jr_day_of(at_ms) == jr_day_of(now_ms))
            return;
        count_cause(txn, run, jr_day_of(at_ms), cause, -1);
    }
    count_cause(txn, run, jr_day_of(now_ms), failure->finding.cause, 1);
}

void jr_days_load(struct jr_txn *txn, uint64_t scope, int64_t now_ms, struct jr_day *days,
                  size_t count)
{
    for (size_t i = 0; i < count; i++)
        load(txn, jr_day_of(now_ms) - (uint32_t)(count - 1 - i), scope, &days[i]);
}

/* The days that are to be read; the last one is that of now_ms. */
struct span {
    uint64_t scope;
    int64_t now_ms;
    struct jr_day *days;
    size_t count;
};

static void read_span(struct jr_txn *txn, void *context)
{
    const struct span *span = context;

    jr_days_load(txn, span->scope, span->now_ms, span->days, span->count);
}

enum jr_err jr_days_read_of(struct jr_store *store, uint64_t scope, int64_t now_ms,
                            struct jr_day *days, size_t count, struct jr_error *error)
{
    struct span span = { scope, now_ms, days, count };

    return jr_store_read(store, read_span, &span, error);
}

enum jr_err jr_days_read(struct jr_store *store, int64_t now_ms, struct jr_day *days,
                         size_t count, struct jr_error *error)
{
    return jr_days_read_of(store, JR_DAYS_ALL, now_ms, days, count, error);
}

static void add(uint32_t *sum, uint32_t number)
{
    *sum = number < UINT32_MAX - *sum ? *sum + number : UINT32_MAX;
}

void jr_day_add(struct jr_day *sum, const struct jr_day *day)
{
    add(&sum->failed, day->failed);
    add(&sum->reruns, day->reruns);
    add(&sum->rescued, day->rescued);
    add(&sum->not_rescued, day->not_rescued);
    for (size_t cause = 0; cause < JR_CAUSES; cause++)
        add(&sum->causes[cause], day->causes[cause]);
}

void jr_days_prune(struct jr_txn *txn, int64_t before_ms, unsigned most)
{
    (void)jr_key_drop_days(txn, JR_TABLE_DAYS, jr_day_of(before_ms), most);
}
