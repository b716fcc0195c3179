/*
 * complaints -- the broken policy files of which their authors are to be told.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/complaints.h"
#include "lib/store/ledger.h"
#include "lib/store/outbox.h"
#include "t/unit/support.h"

#include <string.h>

#define REPO 7

/* One for a repository, whatever comes; none that GitHub is asked about a run by. */
static void one_of_each(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_complaint complaint;
    int64_t due_ms;
    uint64_t scope;
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    assert_false(jr_complaints_first(&txn, START_MS, &due_ms, &scope));
    for (unsigned i = 1; i <= 3; i++) {
        jr_complaints_note(&txn, REPO, "octo/app", START_MS + i);
        jr_complaints_load(&txn, REPO, &complaint);
        assert_int_equal(complaint.news, i);
        assert_int_equal(complaint.due_ms, START_MS + i);
        assert_string_equal(complaint.repo, "octo/app");
        assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 1);
        assert_int_equal(jr_outbox_count_asks(&txn), 0);
        complaint.tries = 5;
        jr_complaints_save(&txn, REPO, &complaint, complaint.due_ms);
    }
    jr_complaints_note(&txn, REPO, "octo/renamed", START_MS + 9);
    jr_complaints_load(&txn, REPO, &complaint);
    assert_int_equal(complaint.tries, 0);
    assert_string_equal(complaint.repo, "octo/renamed");
    assert_false(jr_ledger_first_due(&txn, INT64_MAX, &due_ms, &scope));
    jr_complaints_save(&txn, REPO, &complaint, 0);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 0);
    assert_false(jr_outbox_has(&txn, JR_DUE_COMPLAINT));
    jr_complaints_load(&txn, REPO, &complaint);
    assert_int_equal(complaint.due_ms, 0);
    commit(&txn);
    jr_store_close(store);
}

/* What is due first; before that what was noted before the clock was set back. */
static void in_order(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_complaint complaint;
    int64_t due_ms;
    uint64_t scope;
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_complaints_note(&txn, REPO, "octo/app", START_MS + 2);
    jr_complaints_note(&txn, REPO + 1, "octo/lib", START_MS + 1);
    assert_true(jr_complaints_first(&txn, START_MS, &due_ms, &scope));
    assert_int_equal(scope, REPO + 1);
    assert_int_equal(due_ms, START_MS + 1);
    assert_true(jr_complaints_first(&txn, START_MS + 1 - JR_DAY_MS, &due_ms, &scope));
    assert_int_equal(scope, REPO);
    jr_complaints_drop(&txn, START_MS + 1, REPO + 1);
    jr_complaints_load(&txn, REPO + 1, &complaint);
    assert_int_equal(complaint.due_ms, START_MS + 1);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 1);
    commit(&txn);
    jr_store_close(store);
}

/* No byte of a record that is cut, or of another kind, is believed. */
static void damaged(void **state)
{
    static const char key[] = "complaint-\0\0\0\0\0\0\0\7";
    struct jr_store *store = open_store(new_folder());
    unsigned char record[512];
    struct jr_complaint complaint;
    struct jr_txn txn;
    size_t length;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_complaints_note(&txn, REPO, "octo/app", START_MS);
    assert_true(jr_txn_get(&txn, JR_TABLE_META, key, sizeof key - 1, record, sizeof record, &length));
    for (size_t cut = 1; cut < length; cut++) {
        jr_txn_put(&txn, JR_TABLE_META, key, sizeof key - 1, record, cut);
        jr_complaints_load(&txn, REPO, &complaint);
        assert_int_equal(complaint.due_ms, 0);
        assert_string_equal(complaint.repo, "");
    }
    memcpy(record + length - 8, "octo app", 8);
    jr_txn_put(&txn, JR_TABLE_META, key, sizeof key - 1, record, length);
    jr_complaints_load(&txn, REPO, &complaint);
    assert_string_equal(complaint.repo, "");
    commit(&txn);
    jr_store_close(store);
}

int main(void)
{
    TEST(one_of_each);
    TEST(in_order);
    TEST(damaged);
    return run_program("complaints");
}
