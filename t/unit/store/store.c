/*
 * store -- a real LMDB environment, good, foreign, damaged and full.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/codec.h"
#include "lib/base/timestamp.h"
#include "t/unit/support.h"

#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Any table will do. */
#define SOME JR_TABLE_REPOS

static void put(struct jr_txn *txn, const char *key, const char *value)
{
    jr_txn_put(txn, SOME, key, strlen(key), value, strlen(value));
}

static bool get(struct jr_txn *txn, const char *key, char *value, size_t size)
{
    size_t length;
    bool found = jr_txn_get(txn, SOME, key, strlen(key), value, size - 1, &length);

    value[length] = '\0';
    return found;
}

static void put_in_one(struct jr_store *store, const char *key, const char *value)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    put(&txn, key, value);
    commit(&txn);
}

static bool is_there(struct jr_store *store, const char *key)
{
    struct jr_txn txn;
    char value[64];
    bool found;

    jr_txn_begin(&txn, store, false);
    found = get(&txn, key, value, sizeof value);
    commit(&txn);
    return found;
}

static void what_is_committed_stays(void **state)
{
    const char *folder = new_folder();
    struct jr_store *store = open_store(folder);
    struct jr_txn txn;
    char value[64];

    (void)state;
    put_in_one(store, "a", "one");
    put_in_one(store, "a", "two");
    put_in_one(store, "empty", "");
    jr_store_close(store);
    store = open_store(folder);
    jr_txn_begin(&txn, store, false);
    assert_true(get(&txn, "a", value, sizeof value));
    assert_string_equal(value, "two");
    assert_true(get(&txn, "empty", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(get(&txn, "b", value, sizeof value));
    assert_int_equal(jr_txn_count(&txn, SOME), 2);
    assert_int_equal(txn.error.code, JR_OK);
    jr_txn_abort(&txn);
    jr_store_close(store);
}

static void what_is_aborted_is_gone(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    put(&txn, "a", "one");
    jr_txn_abort(&txn);
    jr_txn_abort(&txn); /* which does nothing */
    assert_false(is_there(store, "a"));
    jr_store_close(store);
}

/* LMDB frees a transaction in a commit that fails, too. */
static void no_handle_after_the_end(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;

    (void)state;
    for (int writes = 0; writes < 2; writes++) {
        jr_txn_begin(&txn, store, writes);
        commit(&txn);
        assert_null(txn.handle);
        jr_txn_abort(&txn);
        jr_txn_begin(&txn, store, writes);
        jr_txn_fail(&txn, JR_EINVAL, "no");
        assert_int_equal(jr_txn_commit(&txn), JR_EINVAL);
        assert_null(txn.handle);
        jr_txn_abort(&txn);
    }
    jr_store_close(store);
}

/* What is only tried is seen by its body, and by nobody after it. */
static void put_and_look(struct jr_txn *txn, void *context)
{
    bool *seen = context;

    char value[64];

    put(txn, "tried", "value");
    *seen = get(txn, "tried", value, sizeof value);
}

static void nothing_is_left_of_a_try(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_error error;
    bool seen;

    (void)state;
    for (int tries = 1; tries >= 0; tries--) {
        jr_store_only_try(store, tries);
        assert_int_equal(jr_store_write(store, put_and_look, &seen, &error), JR_OK);
        assert_true(seen);
        assert_int_equal(is_there(store, "tried"), !tries);
    }
    jr_store_close(store);
}

/* A body that counts its runs, and fails some of them after it has written. */
struct attempt {
    unsigned runs;
    unsigned failing; /* so many of the first runs fail */
    enum jr_err code; /* with this */
};

static void attempt(struct jr_txn *txn, void *context)
{
    struct attempt *given = context;
    char key[16];

    snprintf(key, sizeof key, "run %u", ++given->runs);
    if (txn->writes)
        put(txn, key, "");
    if (given->runs <= given->failing)
        jr_txn_fail(txn, given->code, "run %u failed", given->runs);
}

struct run_row {
    const char *name;
    bool writes;
    struct attempt attempt;
    enum jr_err want;
    unsigned runs;
};

static const struct run_row runs[] = {
    { "a write that goes well", true, { .failing = 0 }, JR_OK, 1 },
    { "a write that fails", true, { .failing = 1, .code = JR_EINVAL }, JR_EINVAL, 1 },
    { "a write that finds nothing", true, { .failing = 1, .code = JR_ENOENT }, JR_ENOENT, 1 },
    { "a conflict", true, { .failing = 1, .code = JR_ECONFLICT }, JR_OK, 2 },
    { "two conflicts", true, { .failing = 2, .code = JR_ECONFLICT }, JR_OK, 3 },
    { "conflicts without end", true, { .failing = 99, .code = JR_ECONFLICT }, JR_ECONFLICT, JR_STORE_RUNS },
    { "full, and nobody died", true, { .failing = 1, .code = JR_EFULL }, JR_EFULL, 1 },
    { "a read that goes well", false, { .failing = 0 }, JR_OK, 1 },
    { "a read that fails", false, { .failing = 1, .code = JR_EFORMAT }, JR_EFORMAT, 1 },
    { "a read is not repeated", false, { .failing = 1, .code = JR_ECONFLICT }, JR_ECONFLICT, 1 },
};

static void run(void **state)
{
    const struct run_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct attempt given = row->attempt;
    struct jr_error error = { .code = JR_OK };
    char name[16], want[32];
    enum jr_err err = row->writes ? jr_store_write(store, attempt, &given, &error)
                                  : jr_store_read(store, attempt, &given, &error);

    assert_int_equal(err, row->want);
    assert_int_equal(given.runs, row->runs);
    assert_int_equal(error.code, row->want);
    snprintf(want, sizeof want, "run %u failed", row->runs);
    assert_string_equal(error.text, row->want == JR_OK ? "" : want);
    /* Of the run that went well everything is there; of the others nothing. */
    for (unsigned i = 1; i <= JR_STORE_RUNS; i++) {
        snprintf(name, sizeof name, "run %u", i);
        assert_int_equal(is_there(store, name), row->writes && row->want == JR_OK && i == row->runs);
    }
    put_in_one(store, "after", "it"); /* nothing was left open */
    jr_store_close(store);
}

static void run_twice_by_a_test(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct attempt given = { .runs = 0 };
    struct jr_error error;

    (void)state;
    setenv("JR_TEST_TWICE", "on", 1);
    assert_int_equal(jr_store_write(store, attempt, &given, &error), JR_OK);
    unsetenv("JR_TEST_TWICE");
    assert_int_equal(given.runs, 2);
    assert_false(is_there(store, "run 1"));
    assert_true(is_there(store, "run 2"));
    jr_store_close(store);
}

static void folder_is_made(void **state)
{
    const char *folder = path_in(new_folder(), "state");
    struct jr_store *store;
    struct stat status;

    (void)state;
    store = open_store(folder);
    jr_store_close(store);
    assert_int_equal(stat(path_in(folder, "data.mdb"), &status), 0);
    /* Nobody else is to read what is kept of private repositories. */
    assert_int_equal(status.st_mode & 077, 0);
    assert_int_equal(stat(folder, &status), 0);
    assert_int_equal(status.st_mode & 077, 0);
}

static void first_error_sticks(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_entry entry;
    char value[64];

    (void)state;
    put_in_one(store, "old", "value");
    jr_txn_begin(&txn, store, true);
    put(&txn, "a", "one");
    jr_txn_fail(&txn, JR_EFORMAT, "the first of %d", 2);
    jr_txn_fail(&txn, JR_EFULL, "the second");
    put(&txn, "b", "two");
    jr_txn_delete(&txn, SOME, "old", 3);
    assert_false(get(&txn, "old", value, sizeof value));
    assert_false(jr_txn_seek(&txn, SOME, NULL, 0, false, &entry));
    assert_int_equal(jr_txn_count(&txn, SOME), 0);
    assert_int_equal(jr_txn_commit(&txn), JR_EFORMAT);
    assert_string_equal(txn.error.text, "the first of 2");
    assert_true(is_there(store, "old"));
    assert_false(is_there(store, "a"));
    assert_false(is_there(store, "b"));
    jr_store_close(store);
}

struct misuse_row {
    const char *name;
    size_t key_length, value_size;
};

/* Keys that LMDB does not take. */
static void misuse_fails_the_transaction(void **state)
{
    const struct misuse_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    char key[600];

    memset(key, 'k', sizeof key);
    put_in_one(store, "kk", "0123456789");
    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, SOME, key, row->key_length, "x", row->value_size);
    assert_int_not_equal(jr_txn_commit(&txn), JR_OK);
    assert_true(txn.error.text[0] != '\0');
    assert_true(is_there(store, "kk"));
    jr_store_close(store);
}

static const struct misuse_row misuses[] = {
    { "no key", 0, 1 },
    { "a key of 512 bytes", 512, 1 },
};

/* It is there, but nothing of it is shown. */
static void value_larger_than_its_place(void **state)
{
    static char large[JR_VALUE_MAX + 1];
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_entry entry;
    char value[10];
    size_t length;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, SOME, "a", 1, large, sizeof large);
    jr_txn_put(&txn, SOME, "b", 1, large, sizeof large - 1);
    assert_true(jr_txn_get(&txn, SOME, "b", 1, large, sizeof large - 1, &length));
    assert_int_equal(length, sizeof large - 1);
    assert_true(jr_txn_get(&txn, SOME, "b", 1, value, sizeof value, &length));
    assert_int_equal(length, 0);
    assert_true(jr_txn_seek(&txn, SOME, NULL, 0, false, &entry));
    assert_int_equal(entry.key_length, 1);
    assert_int_equal(entry.value_length, 0);
    assert_true(jr_txn_seek(&txn, SOME, "a", 1, true, &entry));
    assert_int_equal(entry.value_length, sizeof large - 1);
    commit(&txn);
    jr_store_close(store);
}

static void write_in_a_read_fails(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, false);
    put(&txn, "a", "one");
    assert_int_not_equal(jr_txn_commit(&txn), JR_OK);
    assert_false(is_there(store, "a"));
    put_in_one(store, "a", "one"); /* the store is as good as before */
    jr_store_close(store);
}

struct seek_row {
    const char *name, *key;
    bool after;
    const char *want; /* NULL: none */
};

static void sought(void **state)
{
    const struct seek_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_entry entry;

    put_in_one(store, "b", "1");
    put_in_one(store, "bb", "2");
    put_in_one(store, "d", "3");
    put_in_one(store, "\xff", "4");
    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_txn_seek(&txn, SOME, row->key, strlen(row->key), row->after, &entry), row->want != NULL);
    if (row->want != NULL) {
        assert_int_equal(entry.key_length, strlen(row->want));
        assert_memory_equal(entry.key, row->want, entry.key_length);
        assert_int_equal(entry.value_length, 1);
    }
    commit(&txn);
    jr_store_close(store);
}

static const struct seek_row seeks[] = {
    { "from the beginning", "", false, "b" },
    { "after the beginning", "", true, "b" },
    { "before the first", "a", false, "b" },
    { "the key itself", "b", false, "b" },
    { "after the key", "b", true, "bb" },
    { "after a key that is not there", "c", true, "d" },
    { "from a key that is not there", "c", false, "d" },
    { "bytes are not signed", "d", true, "\xff" },
    { "after the last", "\xff", true, NULL },
    { "beyond the last", "\xff\xff", false, NULL },
};

static void sought_before(void **state)
{
    const struct seek_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_entry entry;

    put_in_one(store, "b", "1");
    put_in_one(store, "bb", "2");
    put_in_one(store, "d", "3");
    put_in_one(store, "\xff", "4");
    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_txn_seek_before(&txn, SOME, row->key, strlen(row->key), &entry), row->want != NULL);
    if (row->want != NULL) {
        assert_int_equal(entry.key_length, strlen(row->want));
        assert_memory_equal(entry.key, row->want, entry.key_length);
        assert_int_equal(entry.value_length, 1);
    }
    commit(&txn);
    jr_store_close(store);
}

static const struct seek_row seeks_before[] = {
    { "from the end", "", false, "\xff" },
    { "beyond the last", "\xff\xff", false, "\xff" },
    { "the last", "\xff", false, "d" },
    { "a key in the middle", "d", false, "bb" },
    { "a key that is not there", "c", false, "bb" },
    { "the second", "bb", false, "b" },
    { "the first", "b", false, NULL },
    { "before the first", "a", false, NULL },
};

static void walk_meets_every_entry(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_entry entry = { .key_length = 0 };
    unsigned count = 0;

    (void)state;
    jr_txn_begin(&txn, store, true);
    assert_false(jr_txn_seek(&txn, SOME, NULL, 0, false, &entry));
    for (unsigned i = 0; i < 500; i++) {
        unsigned char key[8];
        struct jr_writer writer;

        jr_writer_init(&writer, key, sizeof key);
        jr_write_u64(&writer, i * 7);
        jr_txn_put(&txn, SOME, key, sizeof key, &i, sizeof i);
    }
    while (jr_txn_seek(&txn, SOME, entry.key, entry.key_length, true, &entry)) {
        assert_memory_equal(entry.value, &count, sizeof count);
        if (count++ % 2 == 0) /* what is behind may go */
            jr_txn_delete(&txn, SOME, entry.key, entry.key_length);
    }
    assert_int_equal(count, 500);
    assert_int_equal(jr_txn_count(&txn, SOME), 250);
    entry.key_length = 0;
    while (jr_txn_seek_before(&txn, SOME, entry.key, entry.key_length, &entry)) {
        count -= 2;
        assert_memory_equal(entry.value, &(unsigned){ count + 1 }, sizeof count);
    }
    assert_int_equal(count, 0);
    commit(&txn);
    jr_store_close(store);
}

/* A walk opens one cursor, and a write to the table ends it. */
static void one_cursor_a_walk(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_entry entry = { .key_length = 0 };
    struct jr_txn txn;
    void *cursor = NULL;
    unsigned count = 0;

    (void)state;
    put_in_one(store, "a", "one");
    put_in_one(store, "b", "two");
    put_in_one(store, "c", "three");
    jr_txn_begin(&txn, store, true);
    for (; jr_txn_seek(&txn, SOME, entry.key, entry.key_length, true, &entry); count++) {
        assert_true(count == 0 || txn.cursors[SOME] == cursor);
        cursor = txn.cursors[SOME];
    }
    assert_int_equal(count, 3);
    assert_true(jr_txn_seek_before(&txn, SOME, NULL, 0, &entry));
    assert_ptr_equal(txn.cursors[SOME], cursor);
    jr_txn_put(&txn, JR_TABLE_RUNS, "a", 1, "", 0); /* another table */
    assert_ptr_equal(txn.cursors[SOME], cursor);
    put(&txn, "d", "four");
    assert_null(txn.cursors[SOME]);
    commit(&txn);
    for (int writes = 0; writes < 2; writes++) {
        jr_txn_begin(&txn, store, writes);
        assert_true(jr_txn_seek(&txn, SOME, NULL, 0, false, &entry));
        jr_txn_fail(&txn, JR_EINVAL, "no");
        assert_int_equal(jr_txn_commit(&txn), JR_EINVAL);
        assert_null(txn.cursors[SOME]);
    }
    jr_store_close(store);
}

/* Keys of two bytes, as many as fill some dozen pages. */
#define MODEL_KEYS 2000

struct model {
    bool there[MODEL_KEYS];
    unsigned seed;
};

static unsigned draw(struct model *model, unsigned below)
{
    model->seed = model->seed * 1103515245 + 12345;
    return (model->seed >> 16) % below;
}

static void name_key(unsigned number, unsigned char key[2])
{
    key[0] = (unsigned char)(number >> 8);
    key[1] = (unsigned char)number;
}

static void assert_entry(const struct jr_entry *entry, bool found, int want)
{
    assert_int_equal(found, want >= 0 && want < MODEL_KEYS);
    if (found)
        assert_int_equal(entry->key[0] << 8 | entry->key[1], want);
}

/* Some steps of a walk from anywhere, in either direction, sometimes past the end. */
static void walk_model(struct jr_txn *txn, struct model *model)
{
    int at = (int)draw(model, MODEL_KEYS), steps = (int)draw(model, 8);
    bool onwards = draw(model, 2) == 0, after = draw(model, 2) == 0;
    struct jr_entry entry;
    unsigned char key[2];

    for (int step = 0; step < steps && at >= 0 && at < MODEL_KEYS; step++) {
        name_key((unsigned)at, key);
        if (onwards) {
            at += after || step > 0;
            while (at < MODEL_KEYS && !model->there[at])
                at++;
            assert_entry(&entry, jr_txn_seek(txn, SOME, key, 2, after || step > 0, &entry), at);
        } else {
            at--;
            while (at >= 0 && !model->there[at])
                at--;
            assert_entry(&entry, jr_txn_seek_before(txn, SOME, key, 2, &entry), at);
        }
    }
}

static void change_model(struct jr_txn *txn, struct model *model)
{
    static const char value[150];
    unsigned number = draw(model, MODEL_KEYS);
    unsigned char key[2];

    name_key(number, key);
    model->there[number] = draw(model, 3) > 0;
    if (model->there[number])
        jr_txn_put(txn, SOME, key, 2, value, draw(model, sizeof value));
    else
        jr_txn_delete(txn, SOME, key, 2);
}

/* Several walks in one transaction, and writes between their steps, find what is there. */
static void walks_and_writes(void **state)
{
    struct jr_store *store = open_store(new_folder());
    static struct model model = { .seed = 4711 };
    struct jr_txn txn;

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        jr_txn_begin(&txn, store, true);
        for (unsigned i = 0; i < 500; i++)
            if (draw(&model, 3) == 0)
                change_model(&txn, &model);
            else
                walk_model(&txn, &model);
        commit(&txn);
        jr_txn_begin(&txn, store, false);
        for (unsigned i = 0; i < 500; i++)
            walk_model(&txn, &model);
        commit(&txn);
    }
    jr_store_close(store);
}

static void values_are_copies(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_entry entry;
    char value[64];

    (void)state;
    put_in_one(store, "a", "one");
    jr_txn_begin(&txn, store, true);
    assert_true(get(&txn, "a", value, sizeof value));
    assert_true(jr_txn_seek(&txn, SOME, "a", 1, false, &entry));
    put(&txn, "a", "two");
    for (int i = 0; i < 1000; i++) {
        char key[16];

        snprintf(key, sizeof key, "key %d", i);
        put(&txn, key, "something else that moves pages about");
    }
    assert_string_equal(value, "one");
    assert_memory_equal(entry.value, "one", 3);
    commit(&txn);
    jr_store_close(store);
    assert_string_equal(value, "one");
    assert_memory_equal(entry.value, "one", 3);
}

static void tables_are_apart(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    char value[8];
    size_t length;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (int table = 0; table < JR_TABLES; table++)
        jr_txn_put(&txn, (enum jr_table)table, "k", 1, &table, sizeof table);
    commit(&txn);
    jr_txn_begin(&txn, store, true);
    for (int table = 0; table < JR_TABLES; table++) {
        assert_true(jr_txn_get(&txn, (enum jr_table)table, "k", 1, value, sizeof value, &length));
        assert_memory_equal(value, &table, sizeof table);
    }
    jr_txn_delete(&txn, JR_TABLE_RUNS, "k", 1);
    jr_txn_delete(&txn, JR_TABLE_RUNS, "k", 1); /* is no error */
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_RUNS), 0);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 1);
    commit(&txn);
    jr_store_close(store);
}

/* Fill the store until nothing more goes in; returns how many values there are. */
static unsigned fill(struct jr_store *store)
{
    static const char value[2000];
    unsigned number = 0;
    enum jr_err err = JR_OK;

    while (err == JR_OK) {
        struct jr_txn txn;

        jr_txn_begin(&txn, store, true);
        jr_txn_put(&txn, JR_TABLE_RUNS, &number, sizeof number, value, sizeof value);
        err = jr_txn_commit(&txn);
        number += err == JR_OK;
    }
    assert_int_equal(err, JR_EFULL);
    return number;
}

/* Kilobytes of memory that are this process's own. */
static long own_kb(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    char line[128];
    long kb = -1;

    assert_non_null(file);
    while (kb < 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Private_Dirty: %ld kB", &kb) != 1)
            kb = -1;
    fclose(file);
    return kb;
}

static void change_pages(struct jr_store *store, unsigned pages)
{
    static const unsigned char value[2500];
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    for (unsigned i = 0; i < pages; i++)
        jr_txn_put(&txn, JR_TABLE_RUNS, &i, sizeof i, value, sizeof value);
    commit(&txn);
}

/* Memory for a large transaction is there before it comes, and nothing of that is stored. */
static void memory_that_is_taken(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_error error;
    uint64_t used, used_before, size;
    struct jr_txn txn;
    uint64_t entries;
    long before_kb;

    (void)state;
    change_pages(store, 1);
    jr_txn_begin(&txn, store, false);
    entries = jr_txn_count(&txn, JR_TABLE_META);
    commit(&txn);
    assert_int_equal(jr_store_usage(store, &used_before, &size, &error), JR_OK);
    jr_store_take_memory(store, 512);
    assert_int_equal(jr_store_usage(store, &used, &size, &error), JR_OK);
    assert_int_equal(used, used_before);
    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_META), entries);
    commit(&txn);
    /* 450 pages are 1,800 kB; a sanitizer's own memory grows by some. */
    before_kb = own_kb();
    change_pages(store, 450);
    assert_in_range(own_kb() - before_kb + 100, 0, 600);
    jr_store_close(store);
}

static void full_map(void **state)
{
    const char *folder = new_folder();
    struct jr_store *store;
    struct jr_error error;
    struct jr_txn txn;
    unsigned number;
    uint64_t used, size;

    (void)state;
    assert_int_equal(jr_store_open(&store, folder, 1024 * 1024, &error), JR_OK);
    number = fill(store);
    assert_in_range(number, 50, 600);
    jr_store_take_memory(store, 512); /* it finds no room, and that does no harm */
    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_RUNS), number); /* and nothing of the last */
    commit(&txn);
    assert_int_equal(jr_store_usage(store, &used, &size, &error), JR_OK);
    assert_int_equal(size, 1024 * 1024);
    assert_in_range(used, size * 8 / 10, size);

    /* Removing makes room. */
    for (unsigned i = 0; i < number / 2; i++) {
        jr_txn_begin(&txn, store, true);
        jr_txn_delete(&txn, JR_TABLE_RUNS, &i, sizeof i);
        commit(&txn);
    }
    assert_int_equal(jr_store_usage(store, &used, &size, &error), JR_OK);
    assert_in_range(used, 1, size * 7 / 10);
    put_in_one(store, "a", "one");
    jr_store_close(store);

    /* And so does a larger map. */
    store = open_store(folder);
    assert_int_equal(jr_store_usage(store, &used, &size, &error), JR_OK);
    assert_int_equal(size, 16 * 1024 * 1024);
    jr_store_close(store);
}

static void assert_refused(const char *folder, enum jr_err want, const char *says)
{
    struct jr_error error = { .code = JR_OK };
    struct jr_store *store = (struct jr_store *)&error;

    assert_int_equal(jr_store_open(&store, folder, 1024 * 1024, &error), want);
    assert_null(store);
    assert_int_equal(error.code, want);
    assert_contains(error.text, "STATE_DIR");
    assert_contains(error.text, folder);
    assert_contains(error.text, says);
    assert_null(strchr(error.text, '\n'));
}

/* Work on the bare environment; table NULL: the main one. */
static void put_raw(const char *folder, const char *table, const char *key, const void *value, size_t length)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val name = { strlen(key), (void *)(uintptr_t)key }, content = { length, (void *)(uintptr_t)value };

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 20), 0);
    assert_int_equal(mdb_env_open(env, folder, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, table != NULL ? MDB_CREATE : 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &name, &content, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static size_t count_raw(const char *folder)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_stat status;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, folder, MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    assert_int_equal(mdb_stat(txn, dbi, &status), 0);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return status.ms_entries;
}

static void store_of_another_program(void **state)
{
    const char *folder = new_folder();

    (void)state;
    put_raw(folder, NULL, "some key", "some value", 10);
    assert_refused(folder, JR_EFORMAT, "another program");
    assert_int_equal(count_raw(folder), 1); /* it was left as it is */
}

static void tables_of_another_program(void **state)
{
    const char *folder = new_folder();

    (void)state;
    put_raw(folder, "users", "some key", "some value", 10);
    assert_refused(folder, JR_EFORMAT, "another program");
    assert_int_equal(count_raw(folder), 1);
}

/* Its main table has a plain key by the name of one of our tables. */
static void key_by_the_name_of_a_table(void **state)
{
    const char *folder = new_folder();

    (void)state;
    put_raw(folder, NULL, "meta", "some value", 10);
    assert_refused(folder, JR_EFORMAT, "");
    assert_int_equal(count_raw(folder), 1);
}

static void put_format(const char *folder, uint32_t format, const char *magic)
{
    unsigned char record[64];
    struct jr_writer writer;

    jr_store_close(open_store(folder));
    jr_writer_init(&writer, record, sizeof record);
    jr_write_u32(&writer, format);
    jr_write_text(&writer, magic);
    put_raw(folder, "meta", "format", record, writer.length);
}

static void newer_format(void **state)
{
    const char *folder = new_folder();

    (void)state;
    put_format(folder, JR_STORE_FORMAT + 1, "job-rerunner");
    assert_refused(folder, JR_EFORMAT, "newer version");
    put_format(path_in(folder, "older"), JR_STORE_FORMAT - 1, "job-rerunner");
    assert_refused(path_in(folder, "older"), JR_EFORMAT, "before the first release");
    put_format(path_in(folder, "same"), JR_STORE_FORMAT, "job-rerunner");
    jr_store_close(open_store(path_in(folder, "same")));
}

static void format_of_another_program(void **state)
{
    const char *folder = new_folder();

    (void)state;
    put_format(folder, JR_STORE_FORMAT, "mail-server");
    assert_refused(folder, JR_EFORMAT, "another program");
}

struct file_row {
    const char *name, *bytes;
    size_t length; /* of the file; it goes on with zeros */
};

static void file_that_is_no_store(void **state)
{
    const struct file_row *row = *state;
    const char *folder = new_folder();
    char *bytes = calloc(1, row->length);

    assert_non_null(bytes);
    memcpy(bytes, row->bytes, strlen(row->bytes));
    write_file(path_in(folder, "data.mdb"), bytes, row->length);
    assert_refused(folder, JR_EFORMAT, "data.mdb");
    free(bytes);
}

static const struct file_row files[] = {
    { "text", "Dear diary,", 20000 },
    { "zeros", "", 20000 },
    { "a few bytes", "Dear diary,", 11 },
};

static void damaged_beginning(void **state)
{
    const char *folder = new_folder();
    FILE *file;

    (void)state;
    jr_store_close(open_store(folder));
    file = fopen(path_in(folder, "data.mdb"), "r+");
    assert_non_null(file);
    for (int i = 0; i < 8192; i++)
        assert_int_equal(fputc(0xa5, file), 0xa5);
    assert_int_equal(fclose(file), 0);
    assert_refused(folder, JR_EFORMAT, "backup");
}

static void folder_that_cannot_be_used(void **state)
{
    char folder[64];

    (void)state;
    assert_refused("/nowhere/at/all", JR_EIO, "No such file");
    snprintf(folder, sizeof folder, "%s/file", new_folder());
    write_file(folder, "", 0);
    assert_refused(folder, JR_EIO, "Not a directory");
}

/* A writer that dies in the midst of it leaves nothing, and is in nobody's way. */
static void write_and_wait(int fd, const void *folder)
{
    struct jr_store *store;
    struct jr_txn txn;
    struct jr_error error;

    if (jr_store_open(&store, folder, 16 * 1024 * 1024, &error) != JR_OK)
        _exit(3);
    jr_txn_begin(&txn, store, true);
    put(&txn, "a", "half");
    child_says_ready(fd);
    child_waits(fd);
    _exit(4);
}

static void killed_writer(void **state)
{
    const char *folder = new_folder();
    struct child child;
    struct jr_store *store;

    (void)state;
    start_child(&child, write_and_wait, folder);
    kill_child(&child);
    store = open_store(folder);
    assert_false(is_there(store, "a"));
    put_in_one(store, "b", "whole");
    assert_true(is_there(store, "b"));
    jr_store_close(store);
}

struct killed_row {
    const char *name;
    bool by_hand;
};

static const struct killed_row killed_readers[] = {
    { "by hand", true },
    { "a body", false },
};

/* A reader that dies holds pages until it is cleared away. */
static void read_and_wait(int fd, const void *folder)
{
    struct jr_store *store;
    struct jr_txn txn;
    struct jr_error error;

    if (jr_store_open(&store, folder, 1024 * 1024, &error) != JR_OK)
        _exit(3);
    jr_txn_begin(&txn, store, false);
    child_says_ready(fd);
    child_waits(fd);
    _exit(4);
}

static void write_one(struct jr_txn *txn, void *context)
{
    unsigned *times = context;

    ++*times;
    put(txn, "a", "one");
}

/*
 * A row is whether the transaction is begun by hand, so that the dead have to be cleared away by
 * hand; jr_store_write() looks for them before it believes that the map is full.
 */
static void killed_reader(void **state)
{
    const struct killed_row *row = *state;
    char folder[64];
    struct child child;
    struct jr_store *store;
    struct jr_error error;
    struct jr_txn txn;
    enum jr_err err = JR_OK;
    unsigned times = 0;

    snprintf(folder, sizeof folder, "%s", new_folder());
    start_child(&child, read_and_wait, folder);
    assert_int_equal(jr_store_open(&store, folder, 1024 * 1024, &error), JR_OK);
    kill_child(&child);
    for (int i = 0; row->by_hand && i < 1000 && err == JR_OK; i++) {
        jr_txn_begin(&txn, store, true);
        put(&txn, "a", "one");
        err = jr_txn_commit(&txn);
    }
    if (row->by_hand) {
        assert_int_equal(err, JR_EFULL);
        assert_int_equal(jr_store_clear_stale_readers(store), 1);
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(jr_store_write(store, write_one, &times, &error), JR_OK);
    /* Once the map was full, and that one was run again. */
    assert_int_equal(times, row->by_hand ? 1000 : 1001);
    assert_int_equal(jr_store_clear_stale_readers(store), 0);
    jr_store_close(store);
}

/* Another process makes the map larger and writes more than fitted before. */
static void enlarge(int fd, const void *folder)
{
    static const char value[2000];
    struct jr_store *store;
    struct jr_error error;

    child_says_ready(fd);
    child_waits(fd);
    if (jr_store_open(&store, folder, 8 * 1024 * 1024, &error) != JR_OK)
        _exit(3);
    for (unsigned i = 0; i < 1000; i++) {
        struct jr_txn txn;

        jr_txn_begin(&txn, store, true);
        jr_txn_put(&txn, JR_TABLE_RUNS, &i, sizeof i, value, sizeof value);
        if (jr_txn_commit(&txn) != JR_OK)
            _exit(4);
    }
    jr_store_close(store);
}

static void larger_map_is_adopted(void **state)
{
    char folder[64];
    struct child child;
    struct jr_store *store;
    struct jr_error error;
    struct jr_txn txn;
    unsigned times = 0;

    (void)state;
    snprintf(folder, sizeof folder, "%s", new_folder());
    start_child(&child, enlarge, folder);
    assert_int_equal(jr_store_open(&store, folder, 1024 * 1024, &error), JR_OK);
    put_in_one(store, "a", "one");
    let_child_go(&child);
    assert_int_equal(jr_store_write(store, write_one, &times, &error), JR_OK);
    assert_int_equal(times, 1); /* the body did not notice */
    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_RUNS), 1000);
    commit(&txn);
    put_in_one(store, "b", "two");
    assert_true(is_there(store, "a"));
    jr_store_close(store);
}

static void copy_of_a_store_at_work(void **state)
{
    struct jr_store *store = open_store(new_folder()), *copy;
    const char *target = new_folder();
    struct jr_error error;
    struct stat status;
    uint64_t bytes;

    (void)state;
    put_in_one(store, "a", "one");
    if (jr_store_copy(store, target, &bytes, &error) != JR_OK)
        fail_msg("%s", error.text);
    put_in_one(store, "b", "two");
    assert_int_equal(stat(path_in(target, "data.mdb"), &status), 0);
    assert_true(bytes == (uint64_t)status.st_size);
    assert_int_equal(status.st_mode & 0777, 0600);
    if (jr_store_open_copy(&copy, target, &error) != JR_OK)
        fail_msg("%s", error.text);
    assert_true(is_there(copy, "a"));
    assert_false(is_there(copy, "b"));
    jr_store_close(copy);
    assert_int_not_equal(access(path_in(target, "lock.mdb"), F_OK), 0); /* it left no trace */
    assert_int_equal(jr_store_copy(store, target, &bytes, &error), JR_EIO);
    assert_contains(error.text, "is there already");
    jr_store_close(store);
    store = open_store(target); /* and it is a store like any other */
    assert_true(is_there(store, "a"));
    put_in_one(store, "c", "three");
    jr_store_close(store);
}

static void copy_that_fails_leaves_nothing(void **state)
{
    struct jr_store *store = open_store(new_folder());
    const char *target = path_in(new_folder(), "none");
    struct jr_error error;
    uint64_t bytes;

    (void)state;
    assert_int_equal(jr_store_copy(store, target, &bytes, &error), JR_EIO);
    assert_contains(error.text, target);
    assert_true(bytes == 0);
    jr_store_close(store);
}

static void copy_that_is_none(void **state)
{
    const char *folder = new_folder();
    struct jr_store *copy;
    struct jr_error error;

    (void)state;
    assert_false(jr_store_exists(folder));
    assert_int_not_equal(jr_store_open_copy(&copy, folder, &error), JR_OK);
    assert_null(copy);
    write_file(path_in(folder, "data.mdb"), "nonsense", 8);
    assert_true(jr_store_exists(folder));
    assert_int_equal(jr_store_open_copy(&copy, folder, &error), JR_EFORMAT);
    assert_null(copy);
}

/* Hold the write lock until the parent lets go. */
static void hold_write_lock(int fd, const void *folder)
{
    struct jr_store *store = open_store(folder);
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    child_says_ready(fd);
    child_waits(fd);
    jr_txn_abort(&txn);
    jr_store_close(store);
}

/* The default is more than some hosts let a process map. */
static void more_address_space_than_there_is(void **state)
{
    struct jr_store *store;
    struct jr_error error;

    (void)state;
    /* It answers EINVAL where the kernel says ENOMEM. */
    if (getenv("JR_VALGRIND") != NULL)
        return;
    assert_int_equal(jr_store_open(&store, new_folder(), INT64_C(1) << 52, &error), JR_ENOMEM);
    assert_null(store);
    assert_contains(error.text, "MAP_SIZE");
    assert_contains(error.text, "address space");
    assert_contains(error.text, "smaller");
}

static void opening_does_not_wait_for_writers(void **state)
{
    const char *folder = new_folder();
    struct jr_store *store;
    struct child child;

    (void)state;
    jr_store_close(open_store(folder));
    start_child(&child, hold_write_lock, folder);
    alarm(60); /* else it would wait for ever */
    store = open_store(folder);
    alarm(0);
    assert_false(is_there(store, "a"));
    jr_store_close(store);
    let_child_go(&child);
}

static bool is_blocked(int signal_number)
{
    sigset_t blocked;

    sigprocmask(SIG_SETMASK, NULL, &blocked);
    return sigismember(&blocked, signal_number) == 1;
}

static void nobody_is_suspended_in_a_transaction(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn, second;

    (void)state;
    jr_txn_begin(&txn, store, true);
    assert_false(is_blocked(SIGTSTP)); /* only who wants it */
    jr_txn_abort(&txn);
    jr_store_stay_awake(store);
    for (int writes = 0; writes < 2; writes++) {
        jr_txn_begin(&txn, store, writes);
        assert_true(is_blocked(SIGTSTP));
        assert_false(is_blocked(SIGINT));
        jr_txn_abort(&txn);
        assert_false(is_blocked(SIGTSTP));
        jr_txn_begin(&txn, store, writes);
        assert_true(is_blocked(SIGTTOU));
        commit(&txn);
        assert_false(is_blocked(SIGTTOU));
        jr_txn_begin(&txn, store, writes);
        jr_txn_fail(&txn, JR_EINVAL, "no");
        assert_int_equal(jr_txn_commit(&txn), JR_EINVAL);
        assert_false(is_blocked(SIGTSTP));
    }
    jr_txn_begin(&txn, store, false);
    jr_txn_begin(&second, store, false); /* never two at once */
    assert_int_not_equal(second.error.code, JR_OK);
    jr_txn_abort(&txn);
    assert_false(is_blocked(SIGTSTP));
    jr_store_close(store);
}

/* Who watches over a writer sees since when it holds the lock, and nothing of a reader. */
static void watched(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_writer_watch watch = { 0 };
    int64_t before_ms = jr_monotonic_ms(), since_ms;
    struct jr_txn txn;
    bool committing;

    (void)state;
    jr_store_watch(store, &watch);
    jr_txn_begin(&txn, store, false);
    assert_false(jr_writer_held(&watch, before_ms, &since_ms, &committing));
    jr_txn_abort(&txn);
    jr_txn_begin(&txn, store, true);
    assert_true(jr_writer_held(&watch, jr_monotonic_ms(), &since_ms, &committing));
    assert_in_range(since_ms, before_ms, jr_monotonic_ms());
    assert_false(committing);
    jr_txn_abort(&txn);
    assert_false(jr_writer_held(&watch, before_ms, &since_ms, &committing));
    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, JR_TABLE_META, "some", 4, "thing", 5);
    commit(&txn);
    assert_false(jr_writer_held(&watch, before_ms, &since_ms, &committing));
    /* A time that is to come is now. */
    watch.word = UINT64_MAX;
    assert_true(jr_writer_held(&watch, before_ms, &since_ms, &committing));
    assert_int_equal(since_ms, before_ms);
    assert_true(committing);
    jr_store_close(store);
}

int main(void)
{
    TEST(what_is_committed_stays);
    TEST(what_is_aborted_is_gone);
    TEST(no_handle_after_the_end);
    TEST(nothing_is_left_of_a_try);
    TABLE(runs, run);
    TEST(run_twice_by_a_test);
    TEST(folder_is_made);
    TEST(first_error_sticks);
    TABLE(misuses, misuse_fails_the_transaction);
    TEST(value_larger_than_its_place);
    TEST(write_in_a_read_fails);
    TABLE(seeks, sought);
    TABLE(seeks_before, sought_before);
    TEST(walk_meets_every_entry);
    TEST(one_cursor_a_walk);
    TEST(walks_and_writes);
    TEST(values_are_copies);
    TEST(tables_are_apart);
    TEST(memory_that_is_taken);
    TEST(full_map);
    TEST(store_of_another_program);
    TEST(tables_of_another_program);
    TEST(key_by_the_name_of_a_table);
    TEST(newer_format);
    TEST(format_of_another_program);
    TABLE(files, file_that_is_no_store);
    TEST(damaged_beginning);
    TEST(folder_that_cannot_be_used);
    TEST(killed_writer);
    TABLE(killed_readers, killed_reader);
    TEST(larger_map_is_adopted);
    TEST(copy_of_a_store_at_work);
    TEST(copy_that_fails_leaves_nothing);
    TEST(copy_that_is_none);
    TEST(more_address_space_than_there_is);
    TEST(opening_does_not_wait_for_writers);
    TEST(nobody_is_suspended_in_a_transaction);
    TEST(watched);
    return run_program("store");
}
