/*
 * failure_report -- what the failures of some time come to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/failure_report.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"

#include <stdlib.h>
#include <string.h>

/* Failures that one transaction looks at. */
#define LOOKS 200

/* A report in the making. */
struct reading {
    struct jr_report *report;
    const struct jr_report_filter *filter;
    struct jr_failures_place place;
    bool ended, no_memory;
};

/* Room for one more of `count' things; NULL: no memory, and the old ones stay as they are. */
static void *make_room(void *items, size_t count, size_t *size, size_t item_size)
{
    size_t larger = *size == 0 ? 32 : 2 * *size;
    void *more;

    if (count < *size)
        return items;
    more = realloc(items, larger * item_size);
    if (more != NULL)
        *size = larger;
    return more;
}

/* The row of a signature; NULL without memory. */
static struct jr_report_row *signature_row(struct jr_report *report, enum jr_cause cause,
                                           const char *signature)
{
    struct jr_report_row *rows;

    for (size_t i = 0; i < report->signature_count; i++)
        if (report->signatures[i].cause == cause
            && strcmp(report->signatures[i].signature, signature) == 0)
            return &report->signatures[i];
    rows = make_room(report->signatures, report->signature_count, &report->signature_size,
                     sizeof *rows);
    if (rows == NULL)
        return NULL;
    report->signatures = rows;
    rows += report->signature_count++;
    memset(rows, 0, sizeof *rows);
    rows->cause = cause;
    jr_text_copy(rows->signature, sizeof rows->signature, signature);
    return rows;
}

/* Did the rerun of the attempt that a failure is of end the run well? */
static bool is_green(const struct jr_run *run, const struct jr_failure *failure,
                     enum jr_aftermath aftermath)
{
    return aftermath != JR_AFTER_NOT_RERUN && run->attempt == failure->attempt + 1
           && jr_run_result(run) == JR_RESULT_SUCCESS;
}

/* Failures of an attempt follow on one another, so that a run is counted once. */
static void count_green(struct jr_report_row *row, uint64_t run_id)
{
    row->green += row->last_green != run_id;
    row->last_green = run_id;
}

static void count(struct jr_report_row *row, enum jr_aftermath aftermath, int64_t minutes)
{
    row->jobs++;
    row->reruns += aftermath != JR_AFTER_NOT_RERUN;
    row->rescued += aftermath == JR_AFTER_RESCUED;
    row->again += aftermath == JR_AFTER_FAILED;
    row->minutes += minutes;
}

/* The group of a key; NULL without memory, or when there is no room for another one. */
static struct jr_report_group *group_of(struct reading *reading, const char *key)
{
    struct jr_report *report = reading->report;
    struct jr_report_group *groups;

    for (size_t i = 0; i < report->group_count; i++)
        if (strcmp(report->groups[i].key, key) == 0)
            return &report->groups[i];
    if (report->group_count == JR_REPORT_GROUPS_MAX)
        return NULL;
    groups = make_room(report->groups, report->group_count, &report->group_size, sizeof *groups);
    if (groups == NULL) {
        reading->no_memory = true;
        return NULL;
    }
    report->groups = groups;
    groups += report->group_count++;
    memset(groups, 0, sizeof *groups);
    jr_text_copy(groups->key, sizeof groups->key, key);
    return groups;
}

/* Failures come by their time, so the newest run goes to the front. */
static void add_run(struct jr_report_group *group, uint64_t run_id)
{
    size_t place = 0;

    while (place < group->run_count && group->run_ids[place] != run_id)
        place++;
    if (place == group->run_count && group->run_count < JR_REPORT_RUNS)
        group->run_count++;
    if (place == JR_REPORT_RUNS)
        place--;
    memmove(group->run_ids + 1, group->run_ids, place * sizeof *group->run_ids);
    group->run_ids[0] = run_id;
}

static void add_unknown(struct reading *reading, uint64_t run_id, const struct jr_failure *failure)
{
    char key[JR_LINE_KEY_SIZE];
    struct jr_report_group *group;

    jr_failure_key(failure, key);
    group = group_of(reading, key);
    if (group == NULL) {
        reading->report->ungrouped++;
        return;
    }
    group->jobs++;
    group->last_ms = reading->place.at_ms;
    jr_failure_line(failure, group->line, sizeof group->line);
    add_run(group, run_id);
}

static void add(struct jr_txn *txn, struct reading *reading, uint64_t run_id,
                const struct jr_failure *failure)
{
    enum jr_cause cause = failure->finding.cause;
    struct jr_report_row *row;
    enum jr_aftermath aftermath;
    struct jr_run run;
    int64_t minutes;
    bool green;

    if (!jr_ledger_read_run(txn, run_id, &run)
        || (reading->filter->repo != NULL && !jr_text_match(reading->filter->repo, run.repo)))
        return;
    aftermath = jr_failures_aftermath(txn, &run, failure, &minutes);
    green = is_green(&run, failure, aftermath);
    count(&reading->report->causes[cause], aftermath, minutes);
    if (green)
        count_green(&reading->report->causes[cause], run_id);
    row = signature_row(reading->report, cause, failure->finding.signature);
    if (row == NULL)
        reading->no_memory = true;
    else
        count(row, aftermath, minutes);
    if (row != NULL && green)
        count_green(row, run_id);
    if (cause == JR_CAUSE_UNKNOWN)
        add_unknown(reading, run_id, failure);
}

static void read_some(struct jr_txn *txn, void *context)
{
    struct reading *reading = context;
    struct jr_failure failure;
    uint64_t run_id;

    for (unsigned looks = 0; looks < LOOKS && !reading->ended && !reading->no_memory; looks++) {
        if (jr_failures_next_since(txn, reading->report->from_ms, &reading->place, &run_id,
                                   &failure))
            add(txn, reading, run_id, &failure);
        else
            reading->ended = true;
    }
}

static int compare(uint64_t one, uint64_t two) { return (one > two) - (one < two); }

static int by_jobs(const void *a, const void *b)
{
    const struct jr_report_row *one = a, *two = b;

    return one->jobs != two->jobs ? compare(two->jobs, one->jobs) : compare(one->cause, two->cause);
}

/* Those of a cause together; the causes in what order there will be by their numbers. */
static int by_cause(const void *a, const void *b)
{
    const struct jr_report_row *one = a, *two = b;

    if (one->cause != two->cause)
        return compare(one->cause, two->cause);
    return one->jobs != two->jobs ? compare(two->jobs, one->jobs)
                                  : strcmp(one->signature, two->signature);
}

static int by_frequency(const void *a, const void *b)
{
    const struct jr_report_group *one = a, *two = b;

    if (one->jobs != two->jobs)
        return compare(two->jobs, one->jobs);
    if (one->last_ms != two->last_ms)
        return compare((uint64_t)two->last_ms, (uint64_t)one->last_ms);
    return strcmp(one->key, two->key);
}

static void put_in_order(struct jr_report *report)
{
    for (size_t cause = 0; cause < JR_CAUSES; cause++)
        if (report->causes[cause].jobs > 0) {
            struct jr_report_row row = report->causes[cause];

            row.cause = (enum jr_cause)cause;
            report->causes[report->cause_count++] = row;
        }
    qsort(report->causes, report->cause_count, sizeof *report->causes, by_jobs);
    if (report->signature_count > 0)
        qsort(report->signatures, report->signature_count, sizeof *report->signatures, by_cause);
    if (report->group_count > 0)
        qsort(report->groups, report->group_count, sizeof *report->groups, by_frequency);
}

/* Find since when there are not more than are wanted. */
static void find_start(struct jr_txn *txn, void *context)
{
    struct reading *reading = context;
    const struct jr_report_filter *filter = reading->filter;
    struct jr_report *report = reading->report;
    struct jr_failure_place place = { .at_ms = JR_TIME_MOST };

    report->from_ms = filter->since_ms;
    report->whole = true;
    for (size_t looks = 0; jr_failure_index_back(txn, &place) && place.at_ms >= filter->since_ms;
         looks++) {
        report->whole = looks < filter->most;
        if (!report->whole)
            return;
        report->from_ms = place.at_ms;
    }
    report->from_ms = filter->since_ms;
}

enum jr_err jr_report_read_some(struct jr_store *store, const struct jr_report_filter *filter,
                                struct jr_report *report, struct jr_error *error)
{
    struct reading reading = { .report = report, .filter = filter };
    enum jr_err err = JR_OK;

    memset(report, 0, sizeof *report);
    report->from_ms = filter->since_ms;
    report->whole = true;
    if (filter->most > 0)
        err = jr_store_read(store, find_start, &reading, error);
    while (err == JR_OK && !reading.ended && !reading.no_memory)
        err = jr_store_read(store, read_some, &reading, error);
    if (err == JR_OK && reading.no_memory)
        err = jr_error_set(error, JR_ENOMEM, "out of memory");
    if (err == JR_OK)
        put_in_order(report);
    return err;
}

enum jr_err jr_report_read(struct jr_store *store, int64_t since_ms, struct jr_report *report,
                           struct jr_error *error)
{
    const struct jr_report_filter all = { .since_ms = since_ms };

    return jr_report_read_some(store, &all, report, error);
}

void jr_report_release(struct jr_report *report)
{
    free(report->signatures);
    free(report->groups);
    memset(report, 0, sizeof *report);
}
