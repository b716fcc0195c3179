/*
 * key -- the bytes of keys, which are stored: they stay as they are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/store/days.h"
#include "lib/store/journal.h"
#include "lib/store/key.h"
#include "lib/store/pause.h"
#include "lib/store/repo.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

static void assert_bytes(const unsigned char *bytes, size_t length, const char *want)
{
    char hex[2 * JR_KEY_MAX + 1];

    jr_text_to_hex(bytes, length, hex);
    assert_string_equal(hex, want);
}

static void assert_key(struct jr_key key, const char *want)
{
    assert_bytes(key.bytes, key.length, want);
}

static void shapes(void **state)
{
    struct jr_key key = { .length = 0 };

    (void)state;
    assert_key(jr_key_of_id(0x0102030405060708), "0102030405060708");
    assert_key(jr_key_of_two(1, UINT64_MAX), "0000000000000001ffffffffffffffff");
    assert_key(jr_key_of_three(1, 2, 3), "000000000000000100000000000000020000000000000003");
    assert_key(jr_key_of_day(20000), "00004e20");
    assert_key(jr_key_of_numbered("act:", 7), "6163743a0000000000000007");
    jr_key_add_u8(&key, 3);
    jr_key_add_u32(&key, 4);
    jr_key_add_u64(&key, 5);
    jr_key_add_time(&key, -1); /* as 0 */
    jr_key_add_time(&key, INT64_MAX); /* as JR_TIME_MOST */
    jr_key_add_bytes(&key, "xyz", 3);
    assert_key(key, "0300000004" "0000000000000005" "0000000000000000" "0004000000000000" "78797a");
}

/* Nothing is written behind its end. */
static void too_long(void **state)
{
    struct jr_key key = { .length = 0 };

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        jr_key_add_u64(&key, i);
    assert_int_equal(key.length, JR_KEY_MAX);
    jr_key_add_u8(&key, 1);
    assert_int_equal(key.length, JR_KEY_MAX);
}

static void read_back(void **state)
{
    struct jr_entry entry = { .key_length = 12 };

    (void)state;
    memcpy(entry.key, jr_key_of_numbered("act:", 7).bytes, entry.key_length);
    assert_int_equal(jr_key_number_at(&entry, 4), 7);
    assert_int_equal(jr_key_number_at(&entry, 5), 0); /* it is too short for that */
    assert_int_equal(jr_key_number_at(&entry, 12), 0);
    assert_int_equal(jr_key_number_at(&entry, 100), 0);
    assert_true(jr_key_has_name(&entry, "act:", 8));
    assert_false(jr_key_has_name(&entry, "act:", 7));
    assert_false(jr_key_has_name(&entry, "acts", 8));
}

/* The key of the only entry of a table, or of the first behind a name. */
static void assert_stored(struct jr_store *store, enum jr_table table, const char *name, const char *want)
{
    struct jr_entry entry;
    struct jr_txn txn;

    jr_txn_begin(&txn, store, false);
    assert_true(jr_txn_seek(&txn, table, name, strlen(name), false, &entry));
    commit(&txn);
    assert_bytes(entry.key, entry.key_length, want);
}

static void stored(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo = { .id = 0x4711, .name = "octo/app", .tried_ms = 0x100, .look_ms = 0x200 };
    struct jr_pause pause = { .slot = 5 };
    struct jr_act act = { .kind = JR_ACT_PAUSE };
    struct jr_run before = { .known = false }, run = { .known = true, .reruns = 1 };
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_repo_save(&txn, &repo);
    jr_pause_save(&txn, &pause);
    jr_journal_add(&txn, &act);
    jr_journal_add(&txn, &act);
    jr_days_note(&txn, &before, &run, START_MS);
    commit(&txn);
    assert_stored(store, JR_TABLE_REPOS, "", "0000000000004711");
    assert_stored(store, JR_TABLE_LOOKS, "", "01000000000000010000000000000002000000000000004711");
    assert_stored(store, JR_TABLE_META, "pause:", "70617573653a05");
    assert_stored(store, JR_TABLE_META, "act:", "6163743a0000000000000000");
    assert_stored(store, JR_TABLE_DAYS, "", "00005129");
    jr_store_close(store);
}

struct drop_row {
    const char *name;
    int64_t day;
    unsigned most, want, left;
};

static const struct drop_row drops[] = {
    { "none is so old", 10, 100, 0, 5 },
    { "some are", 12, 100, 2, 3 },
    { "no more than are asked for", 14, 3, 3, 2 },
    { "all", INT64_MAX, 100, 5, 0 },
    { "before the first day", -5, 100, 0, 5 },
};

static void drop(void **state)
{
    const struct drop_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    for (uint32_t day = 10; day < 15; day++) {
        struct jr_key key = jr_key_of_day(day);

        jr_key_add_bytes(&key, "id", 2);
        jr_txn_put(&txn, JR_TABLE_DELIVERIES, key.bytes, key.length, "", 0);
    }
    assert_int_equal(jr_key_drop_days(&txn, JR_TABLE_DELIVERIES, row->day, row->most), row->want);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_DELIVERIES), row->left);
    commit(&txn);
    jr_store_close(store);
}

int main(void)
{
    TEST(shapes);
    TEST(too_long);
    TEST(read_back);
    TEST(stored);
    TABLE(drops, drop);
    return run_program("key");
}
