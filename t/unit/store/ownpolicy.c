/*
 * ownpolicy -- the files of repositories, as they were last read.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/key.h"
#include "lib/store/ownpolicy.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPO 7

static void save(struct jr_store *store, uint64_t repo_id, const struct jr_ownpolicy *own)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_ownpolicy_save(&txn, repo_id, own);
    commit(&txn);
}

static struct jr_ownpolicy load(struct jr_store *store, uint64_t repo_id)
{
    struct jr_ownpolicy own;
    struct jr_txn txn;

    jr_txn_begin(&txn, store, false);
    jr_ownpolicy_load(&txn, repo_id, &own);
    commit(&txn);
    return own;
}

/* Of `length` bytes, each of which is where it has to be. */
static struct jr_ownpolicy make(size_t length)
{
    struct jr_ownpolicy own = { .state = JR_OWNPOLICY_GOOD, .asked_ms = START_MS, .etag = "W/\"abc\"", .length = length };

    own.text = malloc(length + 1);
    assert_non_null(own.text);
    for (size_t i = 0; i < length; i++)
        own.text[i] = (char)('a' + (i / 4000 + i) % 26);
    own.text[length] = '\0';
    return own;
}

static void assert_equal(const struct jr_ownpolicy *got, const struct jr_ownpolicy *want)
{
    assert_int_equal(got->state, want->state);
    assert_int_equal(got->asked_ms, want->asked_ms);
    assert_string_equal(got->etag, want->etag);
    assert_int_equal(got->length, want->length);
    assert_string_equal(got->text, want->text);
    assert_string_equal(got->problem, want->problem);
    assert_int_equal(got->line, want->line);
}

/* Each in the place of the one before: of a longer text nothing stays behind. */
static void kept(void **state)
{
    static const size_t lengths[] = { 1, 4000, 4001, JR_OWNPOLICY_BYTES_MAX, 10, 7999 };
    struct jr_store *store = open_store(new_folder());

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct jr_ownpolicy own = make(lengths[i]), got;

        save(store, REPO, &own);
        got = load(store, REPO);
        assert_equal(&got, &own);
        jr_ownpolicy_release(&got);
        jr_ownpolicy_release(&own);
    }
    jr_store_close(store);
}

static void without_a_text(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_ownpolicy own = make(5000), got;

    (void)state;
    got = load(store, REPO);
    assert_int_equal(got.state, JR_OWNPOLICY_UNKNOWN);
    assert_null(got.text);
    save(store, REPO, &own);
    jr_ownpolicy_release(&own);
    own = (struct jr_ownpolicy){ .state = JR_OWNPOLICY_NONE, .asked_ms = START_MS };
    save(store, REPO, &own);
    got = load(store, REPO);
    assert_int_equal(got.state, JR_OWNPOLICY_NONE);
    assert_null(got.text);
    jr_store_close(store);
}

/* The good version of before counts on. */
static void broken(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_ownpolicy own = make(100), got;

    (void)state;
    own.state = JR_OWNPOLICY_BROKEN;
    own.line = 3;
    own.column = 5;
    snprintf(own.problem, sizeof own.problem, "there is no key 'colour'");
    save(store, REPO, &own);
    save(store, REPO + 1, &(struct jr_ownpolicy){ .state = JR_OWNPOLICY_NONE });
    got = load(store, REPO);
    assert_equal(&got, &own);
    assert_int_equal(got.column, 5);
    jr_ownpolicy_release(&got);
    jr_ownpolicy_release(&own);
    jr_store_close(store);
}

/* A piece that is missing, or a record of another kind: it is asked for anew. */
static void damaged(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_ownpolicy own = make(5000), got;
    struct jr_key key = { .length = 0 };
    struct jr_txn txn;

    (void)state;
    save(store, REPO, &own);
    jr_key_add_bytes(&key, "own-policy:", 11);
    jr_key_add_u64(&key, REPO);
    jr_key_add_u8(&key, 2);
    jr_txn_begin(&txn, store, true);
    jr_txn_delete(&txn, JR_TABLE_META, key.bytes, key.length);
    commit(&txn);
    got = load(store, REPO);
    assert_int_equal(got.state, JR_OWNPOLICY_UNKNOWN);
    assert_null(got.text);
    assert_string_equal(got.etag, "");
    key.bytes[key.length - 1] = 0;
    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, JR_TABLE_META, key.bytes, key.length, "nothing", 7);
    commit(&txn);
    got = load(store, REPO);
    assert_int_equal(got.state, JR_OWNPOLICY_UNKNOWN);
    jr_ownpolicy_release(&own);
    jr_store_close(store);
}

static void prune(struct jr_store *store, int64_t before_ms, unsigned most)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_ownpolicy_prune(&txn, before_ms, most);
    commit(&txn);
}

static size_t count(struct jr_store *store)
{
    struct jr_txn txn;
    size_t records;

    jr_txn_begin(&txn, store, false);
    records = jr_txn_count(&txn, JR_TABLE_META);
    commit(&txn);
    return records;
}

/* A repository that nobody has asked about for long may be deleted: all pieces go. */
static void forgotten(void **state)
{
    struct jr_store *store = open_store(new_folder());
    size_t others = count(store);
    struct jr_ownpolicy own = make(5000), got;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        own.asked_ms = START_MS + (i % 2 == 0 ? 0 : 10);
        save(store, REPO + i, &own);
    }
    save(store, UINT64_MAX, &own);
    prune(store, START_MS, 10);
    assert_int_equal(count(store), others + 15);
    prune(store, START_MS + 10, 1);
    assert_int_equal(count(store), others + 12);
    prune(store, START_MS + 10, 10);
    assert_int_equal(count(store), others + 9);
    got = load(store, REPO + 2);
    assert_int_equal(got.asked_ms, 0);
    got = load(store, REPO + 3);
    assert_equal(&got, &own);
    jr_ownpolicy_release(&got);
    prune(store, INT64_MAX, 10);
    assert_int_equal(count(store), others);
    jr_ownpolicy_release(&own);
    jr_store_close(store);
}

int main(void)
{
    TEST(kept);
    TEST(without_a_text);
    TEST(broken);
    TEST(damaged);
    TEST(forgotten);
    return run_program("ownpolicy");
}
