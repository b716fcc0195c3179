/*
 * reports -- what was said about runs at GitHub, in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/ledger.h"
#include "lib/store/outbox.h"
#include "lib/store/reports.h"
#include "lib/store/threads.h"
#include "t/unit/support.h"

#include <string.h>

static void record_comes_back(void **state)
{
    struct jr_report report = {
        .check_id = 5, .intent = true, .completed = true, .given_up = true, .pull_request = 7,
        .hash = 9, .news = 3, .tries = 2, .failing_ms = START_MS,
    }, found;
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_reports_load(&txn, RUN_ID, &found);
    assert_false(found.known);
    jr_reports_save(&txn, RUN_ID, &report, START_MS + 5);
    jr_reports_load(&txn, RUN_ID, &found);
    assert_true(found.known);
    assert_int_equal(found.due_ms, START_MS + 5);
    assert_memory_equal(&found, &report, sizeof report);
    commit(&txn);
    jr_store_close(store);
}

/* There is one entry at most, and none that GitHub is asked by. */
static void entry_follows(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_report report = { .check_id = 1 };
    uint64_t run_id;
    int64_t due_ms;
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    due_ms = 0, run_id = 0;
    assert_false(jr_reports_next(&txn, &due_ms, &run_id));
    for (int64_t at_ms = START_MS; at_ms < START_MS + 3; at_ms++) {
        jr_reports_save(&txn, RUN_ID, &report, at_ms);
        due_ms = 0, run_id = 0;
        assert_true(jr_reports_next(&txn, &due_ms, &run_id));
        assert_int_equal(due_ms, at_ms);
        assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 1);
        assert_int_equal(jr_outbox_count_asks(&txn), 0);
    }
    assert_false(jr_ledger_first_due(&txn, INT64_MAX, &due_ms, &run_id));
    assert_int_equal(jr_reports_waiting(&txn, START_MS, 10), 0);
    assert_int_equal(jr_reports_waiting(&txn, START_MS + 2, 10), 1);
    jr_reports_save(&txn, RUN_ID, &report, 0);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 0);
    assert_int_equal(jr_outbox_count_asks(&txn), 0);
    commit(&txn);
    jr_store_close(store);
}

/* It goes with its run, but for a check run that is to be completed first. */
static void goes_with_run(bool is_completed)
{
    int64_t before_ms = START_MS + JR_DAY_MS;
    struct jr_run run = { .run_id = RUN_ID, .known = true, .repo_id = 3, .last_event_ms = START_MS,
                          .phase = JR_PHASE_CLOSED };
    struct jr_report report = { .check_id = 1, .pull_request = 7 };
    struct jr_thread thread = { .repo_id = 3, .pull_request = 7, .count = 1, .runs = { RUN_ID } };
    struct jr_store *store = open_store(new_folder());
    struct jr_prune prune = { .key_length = 0 };
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_ledger_save_run(&txn, &run);
    jr_reports_save(&txn, RUN_ID, &report, START_MS);
    jr_threads_save(&txn, &thread);
    assert_int_equal(jr_ledger_prune(&txn, START_MS + JR_DAY_MS, false, 10, &prune), 0);
    report.completed = is_completed;
    jr_reports_save(&txn, RUN_ID, &report, is_completed ? 0 : START_MS);
    if (!is_completed)
        before_ms += JR_LEDGER_REPORT_MS;
    assert_int_equal(jr_ledger_prune(&txn, before_ms, false, 10, &prune), 1);
    jr_reports_load(&txn, RUN_ID, &report);
    assert_false(report.known);
    jr_threads_load(&txn, 3, 7, &thread);
    assert_int_equal(thread.count, 0);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 0);
    commit(&txn);
    jr_store_close(store);
}

static void goes_with_its_run(void **state)
{
    (void)state;
    goes_with_run(true);
}

/* Nobody can complete it: the App is no longer there, or nothing is written any more. */
static void goes_with_its_run_though_open(void **state)
{
    (void)state;
    goes_with_run(false);
}

/* No 60 s have more than the limit of a minute, no hour more than that of an hour. */
static void limits_are_kept(void **state)
{
    struct jr_store *store = open_store(new_folder());
    int64_t now_ms = START_MS + 30000, times[1000];
    unsigned count = 0;
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    while (now_ms < START_MS + 3 * JR_HOUR_MS && count < 1000) {
        int64_t wait_ms = jr_reports_wait_ms(&txn, now_ms);

        assert_in_range(wait_ms, 0, JR_MINUTE_MS);
        now_ms += wait_ms;
        if (wait_ms > 0)
            continue;
        jr_reports_count(&txn, now_ms);
        times[count++] = now_ms;
    }
    assert_in_range(count, 700, 1000);
    for (unsigned i = 0; i < count; i++) {
        unsigned minute = 0, hour = 0;

        for (unsigned j = i; j < count; j++) {
            minute += times[j] < times[i] + JR_MINUTE_MS;
            hour += times[j] < times[i] + JR_HOUR_MS;
        }
        assert_in_range(minute, 1, JR_REPORTS_A_MINUTE);
        assert_in_range(hour, 1, JR_REPORTS_AN_HOUR);
    }
    /* A clock that was set back lets no more through. */
    for (unsigned i = 0; i < JR_REPORTS_A_MINUTE; i++)
        jr_reports_count(&txn, now_ms);
    assert_true(jr_reports_wait_ms(&txn, now_ms - JR_DAY_MS) > 0);
    commit(&txn);
    jr_store_close(store);
}

static void thread_keeps_the_newest(void **state)
{
    struct jr_thread thread = { .count = 0 };

    (void)state;
    for (uint64_t run = 1; run <= JR_THREAD_RUNS + 2; run++)
        assert_true(jr_thread_add(&thread, run));
    assert_false(jr_thread_add(&thread, 5));
    assert_int_equal(thread.count, JR_THREAD_RUNS);
    assert_int_equal(thread.runs[0], 3);
}

int main(void)
{
    TEST(record_comes_back);
    TEST(entry_follows);
    TEST(goes_with_its_run);
    TEST(goes_with_its_run_though_open);
    TEST(limits_are_kept);
    TEST(thread_keeps_the_newest);
    return run_program("reports");
}
