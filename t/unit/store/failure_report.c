/*
 * failure_report -- what failures come to, against a truth that is known.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/failure_report.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

/* A job that failed in attempt 1 of a run of its own, and what came of it in attempt 2. */
static void put(struct jr_store *store, uint64_t run_id, enum jr_cause cause,
                const char *signature, const char *line, enum jr_conclusion after)
{
    struct jr_run run = {
        .known = true, .run_id = run_id, .repo = "octo/app", .workflow = "CI", .attempt = 2,
        .base_attempt = 1, .last_event_ms = START_MS,
        .reruns = after != JR_CONCLUSION_NONE, .accepted_attempt = after != JR_CONCLUSION_NONE,
    };
    struct jr_failure failure = { .job_id = 1, .attempt = 1, .name = "build",
                                  .finding.cause = cause };
    struct jr_job job = {
        .known = true, .run_id = run_id, .job_id = 2, .attempt = 2, .name = "build",
        .status = JR_STATUS_COMPLETED, .conclusion = after, .started_ms = START_MS,
        .completed_ms = START_MS + 90 * JR_SECOND_MS,
    };
    struct jr_txn txn;

    snprintf(failure.finding.signature, sizeof failure.finding.signature, "%s", signature);
    snprintf(failure.finding.first_error, sizeof failure.finding.first_error, "%s", line);
    jr_txn_begin(&txn, store, true);
    jr_ledger_save_run(&txn, &run);
    jr_ledger_save_job(&txn, &job);
    jr_failures_save(&txn, &run, &failure, START_MS + (int64_t)run_id);
    commit(&txn);
}

static struct jr_report read_report(struct jr_store *store, int64_t since_ms)
{
    struct jr_report report;
    struct jr_error error;

    assert_int_equal(jr_report_read(store, since_ms, &report, &error), JR_OK);
    return report;
}

static void assert_row(const struct jr_report_row *row, enum jr_cause cause,
                       const char *signature, const uint64_t numbers[5])
{
    assert_int_equal(row->cause, cause);
    assert_string_equal(row->signature, signature);
    assert_int_equal(row->jobs, numbers[0]);
    assert_int_equal(row->reruns, numbers[1]);
    assert_int_equal(row->rescued, numbers[2]);
    assert_int_equal(row->again, numbers[3]);
    assert_int_equal(row->minutes, numbers[4]);
}

#define NUMBERS(...) ((const uint64_t[]){ __VA_ARGS__ })

static void nothing(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_report report = read_report(store, 0);

    (void)state;
    assert_int_equal(report.cause_count + report.signature_count + report.group_count, 0);
    jr_report_release(&report);
    jr_store_close(store);
}

static void by_cause_and_signature(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_report report;

    (void)state;
    put(store, 1, JR_CAUSE_TEST, "assertion", "x", JR_CONCLUSION_NONE);
    put(store, 2, JR_CAUSE_NETWORK, "reset", "x", JR_CONCLUSION_SUCCESS);
    put(store, 3, JR_CAUSE_NETWORK, "dns", "x", JR_CONCLUSION_FAILURE);
    put(store, 4, JR_CAUSE_NETWORK, "dns", "x", JR_CONCLUSION_CANCELLED);
    put(store, 5, JR_CAUSE_NETWORK, "dns", "x", JR_CONCLUSION_SUCCESS);
    report = read_report(store, START_MS);
    assert_int_equal(report.cause_count, 2);
    assert_row(&report.causes[0], JR_CAUSE_NETWORK, "", NUMBERS(4, 4, 2, 1, 8));
    assert_row(&report.causes[1], JR_CAUSE_TEST, "", NUMBERS(1, 0, 0, 0, 0));
    assert_int_equal(report.signature_count, 3);
    assert_row(&report.signatures[0], JR_CAUSE_NETWORK, "dns", NUMBERS(3, 3, 1, 1, 6));
    assert_row(&report.signatures[1], JR_CAUSE_NETWORK, "reset", NUMBERS(1, 1, 1, 0, 2));
    assert_row(&report.signatures[2], JR_CAUSE_TEST, "assertion", NUMBERS(1, 0, 0, 0, 0));
    assert_int_equal(report.group_count, 0);
    jr_report_release(&report);
    report = read_report(store, START_MS + 5);
    assert_int_equal(report.cause_count, 1);
    assert_row(&report.causes[0], JR_CAUSE_NETWORK, "", NUMBERS(1, 1, 1, 0, 2));
    jr_report_release(&report);
    /* What cannot be read is not counted, and stops nothing. */
    damage_part(store, 2, JR_PART_RUN, 0);
    damage_part(store, 3, JR_PART_FAILURE, 1);
    report = read_report(store, START_MS);
    assert_row(&report.causes[0], JR_CAUSE_NETWORK, "", NUMBERS(2, 2, 1, 0, 4));
    jr_report_release(&report);
    jr_store_close(store);
}

static void unknown_by_line(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_report report;

    (void)state;
    put(store, 1, JR_CAUSE_UNKNOWN, "", "no answer in 7 s", JR_CONCLUSION_NONE);
    put(store, 2, JR_CAUSE_UNKNOWN, "", "another", JR_CONCLUSION_NONE);
    put(store, 3, JR_CAUSE_UNKNOWN, "", "", JR_CONCLUSION_NONE);
    put(store, 4, JR_CAUSE_UNKNOWN, "", "no answer in 12 s\nmore", JR_CONCLUSION_NONE);
    put(store, 5, JR_CAUSE_TEST, "", "no answer in 12 s", JR_CONCLUSION_NONE);
    report = read_report(store, START_MS);
    assert_int_equal(report.group_count, 3);
    assert_string_equal(report.groups[0].key, "no answer in <n> s");
    assert_string_equal(report.groups[0].line, "no answer in 12 s");
    assert_int_equal(report.groups[0].jobs, 2);
    assert_int_equal(report.groups[0].last_ms, START_MS + 4);
    assert_int_equal(report.groups[0].run_count, 2);
    assert_int_equal(report.groups[0].run_ids[0], 4);
    assert_int_equal(report.groups[0].run_ids[1], 1);
    assert_string_equal(report.groups[1].key, "");
    assert_string_equal(report.groups[2].key, "another");
    assert_int_equal(report.ungrouped, 0);
    jr_report_release(&report);
    jr_store_close(store);
}

/* Over more than one transaction; of the runs the newest are named. */
static void many(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_run run = { .known = true, .repo = "octo/app", .last_event_ms = START_MS };
    struct jr_failure failure = { .attempt = 1, .finding.cause = JR_CAUSE_UNKNOWN };
    struct jr_report report;
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (run.run_id = 1; run.run_id <= 250; run.run_id++) {
        struct jr_run saved = run;

        jr_ledger_save_run(&txn, &saved);
        for (failure.job_id = 1; failure.job_id <= 2; failure.job_id++) {
            snprintf(failure.finding.first_error, sizeof failure.finding.first_error, "%s",
                     run.run_id % 50 == 0 ? "rare" : "frequent");
            jr_failures_save(&txn, &saved, &failure, START_MS + (int64_t)run.run_id);
        }
    }
    commit(&txn);
    report = read_report(store, 0);
    assert_int_equal(report.causes[0].jobs, 500);
    assert_int_equal(report.group_count, 2);
    assert_string_equal(report.groups[0].key, "frequent");
    assert_int_equal(report.groups[0].jobs, 490);
    assert_int_equal(report.groups[0].run_count, JR_REPORT_RUNS);
    assert_int_equal(report.groups[0].run_ids[0], 249);
    assert_int_equal(report.groups[0].run_ids[JR_REPORT_RUNS - 1], 249 - JR_REPORT_RUNS + 1);
    assert_int_equal(report.groups[1].jobs, 10);
    assert_int_equal(report.groups[1].run_count, 5);
    jr_report_release(&report);
    jr_store_close(store);
}

/* The newest, of a time and of repositories: how far it has come is told. */
struct some_row {
    const char *name;
    int64_t since; /* after START_MS */
    size_t most;
    const char *repo;
    uint64_t jobs;
    int64_t from;
    bool whole;
};

static void some(void **state)
{
    const struct some_row *row = *state;
    const struct jr_report_filter filter = { .since_ms = START_MS + row->since, .most = row->most, .repo = row->repo };
    struct jr_store *store = open_store(new_folder());
    struct jr_report report;
    struct jr_error error;

    for (uint64_t id = 1; id <= 6; id++)
        put(store, id, JR_CAUSE_NETWORK, "reset", "x", JR_CONCLUSION_SUCCESS);
    assert_int_equal(jr_report_read_some(store, &filter, &report, &error), JR_OK);
    assert_int_equal(report.cause_count, row->jobs > 0);
    assert_int_equal(report.causes[0].jobs, row->jobs);
    assert_int_equal(report.from_ms, START_MS + row->from);
    assert_int_equal(report.whole, row->whole);
    jr_report_release(&report);
    jr_store_close(store);
}

static const struct some_row some_rows[] = {
    { "all", 0, 0, NULL, 6, 0, true },
    { "as many as there are", 0, 6, NULL, 6, 0, true },
    { "one less", 0, 5, NULL, 5, 2, false },
    { "the newest", 0, 1, NULL, 1, 6, false },
    { "since a time", 4, 3, NULL, 3, 4, true },
    { "the newest since a time", 4, 2, NULL, 2, 5, false },
    { "of a repository", 0, 9, "octo/app", 6, 0, true },
    { "of none", 0, 9, "octo/lib", 0, 0, true },
    { "later", 9, 9, NULL, 0, 9, true },
};

int main(void)
{
    TEST(nothing);
    TEST(by_cause_and_signature);
    TEST(unknown_by_line);
    TEST(many);
    TABLE(some_rows, some);
    return run_program("failure_report");
}
