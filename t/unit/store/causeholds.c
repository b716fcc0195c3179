/*
 * causeholds -- records of what is held; damaged ones hold nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/causeholds.h"
#include "lib/store/key.h"
#include "t/unit/support.h"

#include <string.h>

static struct jr_causehold example(enum jr_cause cause)
{
    struct jr_causehold hold;

    memset(&hold, 0, sizeof hold);
    hold.cause = cause;
    hold.phase = JR_CAUSEHOLD_HELD;
    hold.since_ms = START_MS - 9;
    hold.runs = 12;
    hold.workflows = 3;
    hold.first_hold_ms = 5 * JR_MINUTE_MS;
    hold.hold_ms = 10 * JR_MINUTE_MS;
    hold.next_probe_ms = START_MS + 5;
    hold.probe_run_id = RUN_ID;
    hold.probe_attempt = 2;
    hold.probe_ms = START_MS - 3;
    hold.probes = 4;
    hold.last_run_id = RUN_ID + 1;
    hold.over_ms = START_MS - 99;
    hold.end = JR_CAUSEHOLD_LIFTED;
    strcpy(hold.lifted_by, "alice");
    hold.released = 17;
    hold.news = JR_CAUSEHOLD_BEGINS | JR_CAUSEHOLD_PROBES;
    return hold;
}

static void save(struct jr_store *store, const struct jr_causehold *hold)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_causehold_save(&txn, hold);
    commit(&txn);
}

static void load(struct jr_store *store, int64_t now_ms, struct jr_causeholds *holds)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, false);
    jr_causeholds_load(&txn, now_ms, holds);
    commit(&txn);
}

static void what_is_saved_is_loaded(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_causehold registry = example(JR_CAUSE_REGISTRY), lost = example(JR_CAUSE_RUNNER_LOST);
    struct jr_causehold none, found;
    struct jr_causeholds holds;
    struct jr_txn txn;

    (void)state;
    load(store, START_MS, &holds);
    assert_int_equal(holds.count, 0);
    lost.phase = JR_CAUSEHOLD_FREE;
    save(store, &registry);
    save(store, &lost);
    load(store, START_MS, &holds);
    assert_int_equal(holds.count, 2);
    assert_memory_equal(&holds.items[0], &lost, sizeof lost);
    assert_memory_equal(&holds.items[1], &registry, sizeof registry);
    assert_ptr_equal(jr_causeholds_find(&holds, JR_CAUSE_REGISTRY), &holds.items[1]);
    assert_null(jr_causeholds_find(&holds, JR_CAUSE_DISK));
    assert_int_equal(jr_causeholds_in_force(&holds), UINT64_C(1) << JR_CAUSE_REGISTRY);
    jr_txn_begin(&txn, store, false);
    jr_causehold_load(&txn, JR_CAUSE_REGISTRY, START_MS, &found);
    jr_causehold_load(&txn, JR_CAUSE_DISK, START_MS, &none);
    commit(&txn);
    assert_memory_equal(&found, &registry, sizeof registry);
    assert_int_equal(none.cause, JR_CAUSE_DISK);
    assert_int_equal(none.phase, JR_CAUSEHOLD_FREE);
    jr_store_close(store);
}

static void clock_is_set_back(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_causehold registry = example(JR_CAUSE_REGISTRY);
    struct jr_causeholds holds;

    (void)state;
    save(store, &registry);
    load(store, START_MS - JR_DAY_MS, &holds);
    assert_int_equal(holds.items[0].since_ms, START_MS - JR_DAY_MS);
    assert_int_equal(holds.items[0].next_probe_ms, START_MS - JR_DAY_MS + 10 * JR_MINUTE_MS);
    jr_store_close(store);
}

static void put(struct jr_store *store, enum jr_cause cause, const void *bytes, size_t length)
{
    struct jr_key key = { .length = 0 };
    struct jr_txn txn;

    jr_key_add_bytes(&key, "causehold:", 10);
    jr_key_add_u8(&key, (uint8_t)cause);
    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, JR_TABLE_META, key.bytes, key.length, bytes, length);
    commit(&txn);
}

/* Each record that is cut short, and one of a cause that cannot be held. */
static void damaged_ones_hold_nothing(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_causehold registry = example(JR_CAUSE_REGISTRY);
    struct jr_key key = { .length = 0 };
    struct jr_causeholds holds;
    unsigned char record[512];
    size_t length;
    struct jr_txn txn;

    (void)state;
    save(store, &registry);
    jr_key_add_bytes(&key, "causehold:", 10);
    jr_key_add_u8(&key, JR_CAUSE_REGISTRY);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_txn_get(&txn, JR_TABLE_META, key.bytes, key.length, record, sizeof record, &length));
    commit(&txn);
    put(store, JR_CAUSE_TEST, record, length);
    for (size_t cut = 0; cut < length; cut += 3) {
        put(store, JR_CAUSE_REGISTRY, record, cut);
        load(store, START_MS, &holds);
        assert_int_equal(holds.count, 1);
        assert_int_equal(jr_causeholds_in_force(&holds), 0);
    }
    record[1] = 9;
    put(store, JR_CAUSE_REGISTRY, record, length);
    load(store, START_MS, &holds);
    assert_int_equal(jr_causeholds_in_force(&holds), 0);
    jr_store_close(store);
}

int main(void)
{
    TEST(what_is_saved_is_loaded);
    TEST(clock_is_set_back);
    TEST(damaged_ones_hold_nothing);
    return run_program("causeholds");
}
