/*
 * outbox -- entries of several kinds, as they come due.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/ledger.h"
#include "lib/store/outbox.h"
#include "t/unit/support.h"

#include <string.h>

/* A kind that the program does not have, as a later one would be. */
#define OTHER ((enum jr_due_kind)32)

static struct jr_due due(enum jr_due_kind kind, int64_t due_ms, uint64_t run_id)
{
    return (struct jr_due){ .kind = kind, .due_ms = due_ms, .run_id = run_id, .attempt = 3, .tries = 1, .waiting_ms = START_MS };
}

static void put(struct jr_store *store, enum jr_due_kind kind, int64_t due_ms, uint64_t run_id)
{
    struct jr_due entry = due(kind, due_ms, run_id);
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_outbox_put(&txn, &entry);
    commit(&txn);
}

/* A mixed outbox: kinds of one run and time side by side, as they come due. */
static void fill(struct jr_store *store)
{
    put(store, OTHER, START_MS + 2, 7);
    put(store, JR_DUE_ASK, START_MS + 2, 7);
    put(store, JR_DUE_ASK, START_MS + 9, 5);
    put(store, OTHER, START_MS + 1, 9);
}

struct walk_row {
    const char *name;
    unsigned wanted;
    uint64_t runs[5]; /* in the order of the walk, then 0 */
};

static void walked(void **state)
{
    const struct walk_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_due entry = { .due_ms = 0 };
    struct jr_txn txn;
    size_t found = 0;

    fill(store);
    jr_txn_begin(&txn, store, false);
    for (; jr_outbox_next(&txn, row->wanted, &entry); found++) {
        assert_int_equal(entry.run_id, row->runs[found]);
        assert_true((row->wanted & (unsigned)entry.kind) != 0);
        assert_int_equal(entry.attempt, 3);
        assert_int_equal(entry.tries, 1);
        assert_int_equal(entry.waiting_ms, START_MS);
    }
    assert_int_equal(row->runs[found], 0);
    commit(&txn);
    jr_store_close(store);
}

static const struct walk_row walks[] = {
    { "all kinds", JR_DUE_ANY, { 9, 7, 7, 5 } },
    { "one kind", JR_DUE_ASK, { 7, 5 } },
    { "the other", OTHER, { 9, 7 } },
    { "none of ours", 64, { 0 } },
};

/* Whoever asks GitHub about runs sees entries of its own kind alone. */
static void runs_are_asked_about(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    int64_t due_ms = 0, waiting_ms;
    uint64_t run_id = 0;

    (void)state;
    fill(store);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_ledger_first_due(&txn, INT64_MAX, &due_ms, &run_id));
    assert_true(run_id == 7 && due_ms == START_MS + 2);
    due_ms = 0;
    run_id = 0;
    assert_true(jr_ledger_next_due(&txn, &due_ms, &run_id, &waiting_ms) && run_id == 7);
    assert_true(jr_ledger_next_due(&txn, &due_ms, &run_id, &waiting_ms) && run_id == 5);
    assert_false(jr_ledger_next_due(&txn, &due_ms, &run_id, &waiting_ms));
    commit(&txn);
    jr_store_close(store);
}

struct claim_row {
    const char *name;
    unsigned wanted;
    int64_t latest_ms; /* after START_MS */
    uint64_t run_id;   /* 0: there is none */
};

static void claimed(void **state)
{
    const struct claim_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_due entry;
    struct jr_txn txn;

    fill(store);
    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_outbox_claim(&txn, row->wanted, START_MS + row->latest_ms, &entry), row->run_id != 0);
    if (row->run_id != 0)
        assert_int_equal(entry.run_id, row->run_id);
    commit(&txn);
    jr_store_close(store);
}

static const struct claim_row claims[] = {
    { "what is due first", JR_DUE_ANY, 1000, 9 },
    { "of a kind", JR_DUE_ASK, 1000, 7 },
    { "the clock was set back", JR_DUE_ASK, 5, 5 },
    { "another kind lies ahead", OTHER, 1, 7 },
    { "none of it", 64, 1000, 0 },
};

/* An entry goes once it is settled, and only if it is still the one that was claimed. */
static void settled(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_due entry, old;
    struct jr_txn txn;

    (void)state;
    fill(store);
    jr_txn_begin(&txn, store, true);
    assert_true(jr_outbox_claim(&txn, OTHER, START_MS + 1000, &entry));
    old = entry;
    assert_true(jr_outbox_settle(&txn, &entry, START_MS + 50));
    assert_false(jr_outbox_settle(&txn, &old, START_MS + 60));
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 4);
    entry.due_ms = START_MS + 50;
    assert_true(jr_outbox_load(&txn, &entry));
    assert_int_equal(entry.tries, 2);
    assert_int_equal(entry.waiting_ms, START_MS);
    assert_true(jr_outbox_settle(&txn, &entry, 0));
    assert_false(jr_outbox_load(&txn, &entry));
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 3);
    /* The entry of the other kind for the same run and time stays. */
    entry = due(JR_DUE_ASK, START_MS + 2, 7);
    jr_outbox_remove(&txn, &entry);
    jr_outbox_remove(&txn, &entry);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 2);
    entry = due(OTHER, START_MS + 2, 7);
    assert_true(jr_outbox_load(&txn, &entry));
    commit(&txn);
    jr_store_close(store);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(jr_outbox_kind_name(JR_DUE_ASK), "ask");
    assert_string_equal(jr_outbox_kind_name(OTHER), "unknown");
}

int main(void)
{
    TABLE(walks, walked);
    TEST(runs_are_asked_about);
    TABLE(claims, claimed);
    TEST(settled);
    TEST(kinds_have_names);
    return run_program("outbox");
}
