/*
 * history -- the story of each run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

static void add(struct jr_store *store, uint64_t run_id, const struct jr_history *entry)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, run_id, &run);
    jr_history_add(&txn, &run, entry);
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
}

static struct jr_history full_entry(void)
{
    struct jr_history entry = {
        .at_ms = START_MS,
        .kind = JR_HISTORY_CALL,
        .attempt = 3,
        .reason = JR_REASON_RERUN_ACCEPTED,
        .reply = JR_REPLY_SCHEDULED,
        .status = 201,
        .job_id = JOB_ID(1),
    };

    memset(entry.delivery, 'd', sizeof entry.delivery - 1);
    memset(entry.detail, 'x', sizeof entry.detail - 1);
    return entry;
}

static void entry_comes_back(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_history entry = full_entry(), read;
    struct jr_txn txn;
    uint32_t number = 0;

    (void)state;
    add(store, RUN_ID, &entry);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_history_next(&txn, RUN_ID, &number, &read));
    assert_int_equal(read.at_ms, START_MS);
    assert_int_equal(read.kind, JR_HISTORY_CALL);
    assert_int_equal(read.attempt, 3);
    assert_int_equal(read.reason, JR_REASON_RERUN_ACCEPTED);
    assert_int_equal(read.reply, JR_REPLY_SCHEDULED);
    assert_int_equal(read.status, 201);
    assert_true(read.job_id == JOB_ID(1));
    assert_string_equal(read.delivery, entry.delivery);
    assert_string_equal(read.detail, entry.detail);
    assert_false(jr_history_next(&txn, RUN_ID, &number, &read));
    commit(&txn);
    jr_store_close(store);
}

static void entries_are_in_order(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_history entry = { .kind = JR_HISTORY_EVENT }, read;
    struct jr_txn txn;
    uint32_t number = 0, found = 0;

    (void)state;
    add(store, RUN_ID - 1, &entry);
    add(store, RUN_ID + 1, &entry);
    for (uint32_t i = 0; i < 300; i++) {
        entry.attempt = i;
        add(store, RUN_ID, &entry);
    }
    jr_txn_begin(&txn, store, false);
    while (jr_history_next(&txn, RUN_ID, &number, &read)) {
        assert_int_equal(read.attempt, found++);
        assert_int_equal(number, found);
    }
    assert_int_equal(found, 300);
    number = 0;
    assert_false(jr_history_next(&txn, RUN_ID + 2, &number, &read));
    commit(&txn);
    jr_store_close(store);
}

/* Events end at a number; what was decided and done is always kept. */
static void only_so_many_events(void **state)
{
    static const enum jr_history_kind kinds[] = { JR_HISTORY_EVENT, JR_HISTORY_DECISION, JR_HISTORY_EVENT,
                                                  JR_HISTORY_CALL, JR_HISTORY_OUTCOME, JR_HISTORY_EVENT };
    static const enum jr_history_kind want[] = { JR_HISTORY_EVENT, JR_HISTORY_DECISION, JR_HISTORY_CALL,
                                                 JR_HISTORY_OUTCOME };
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run;
    struct jr_history read;
    uint32_t number = 0;
    size_t found = 0;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    run.history_count = JR_HISTORY_EVENTS_MAX - 1;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct jr_history entry = { .kind = kinds[i] };

        jr_history_add(&txn, &run, &entry);
    }
    while (jr_history_next(&txn, RUN_ID, &number, &read)) {
        assert_true(found < COUNT(want));
        assert_int_equal(read.kind, want[found++]);
    }
    assert_int_equal(found, COUNT(want));
    commit(&txn);
    jr_store_close(store);
}

static void damaged_entry(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_history entry = full_entry(), read;
    struct jr_entry stored;
    struct jr_txn txn;
    uint32_t number = 0;

    (void)state;
    add(store, RUN_ID, &entry);
    jr_txn_begin(&txn, store, true);
    assert_true(jr_txn_seek(&txn, JR_TABLE_RUNS, NULL, 0, false, &stored));
    jr_txn_put(&txn, JR_TABLE_RUNS, stored.key, stored.key_length, stored.value, stored.value_length - 1);
    commit(&txn);
    jr_txn_begin(&txn, store, false);
    assert_false(jr_history_next(&txn, RUN_ID, &number, &read));
    assert_int_equal(jr_txn_commit(&txn), JR_EFORMAT);
    assert_contains(txn.error.text, "12345678901");
    jr_store_close(store);
}

int main(void)
{
    TEST(entry_comes_back);
    TEST(entries_are_in_order);
    TEST(only_so_many_events);
    TEST(damaged_entry);
    return run_program("history");
}
