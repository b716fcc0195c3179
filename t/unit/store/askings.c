/*
 * askings -- what people have asked for, in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/askings.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

static const char sha[] = "0123456789abcdef0123456789abcdef01234567";

static struct jr_asked a_comment(uint64_t comment_id)
{
    struct jr_asked asked = {
        .verb = JR_VERB_ALL, .repo_id = 9, .repo = "octo/app", .who = "octocat", .who_id = 583231,
        .comment_id = comment_id, .pull_request = 7, .at_ms = START_MS, .due_ms = START_MS,
    };

    return asked;
}

static void record_comes_back(void **state)
{
    struct jr_asked asked = a_comment(5), found;
    struct jr_store *store = open_store(new_folder());
    uint64_t number = 0;
    struct jr_txn txn;

    (void)state;
    memset(asked.repo, 'r', sizeof asked.repo - 1);
    memset(asked.who, 'w', sizeof asked.who - 1);
    memset(asked.sha, 'a', sizeof asked.sha - 1);
    asked.state = JR_ASKED_SAYS;
    asked.end = JR_ASKED_GIVEN_UP;
    asked.tries = 3;
    asked.intent = asked.insider = true;
    asked.attempt = UINT32_MAX;
    asked.acted_ms = START_MS + 1;
    for (asked.count = 0; asked.count < JR_ASKED_RUNS; asked.count++)
        asked.runs[asked.count] = UINT64_MAX - asked.count;
    jr_txn_begin(&txn, store, true);
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    assert_true(jr_askings_next(&txn, &number, &found));
    assert_memory_equal(&found, &asked, sizeof asked);
    found.tries++;
    jr_askings_save(&txn, number, &found);
    assert_true(jr_askings_load(&txn, number, &asked));
    assert_int_equal(asked.tries, 4);
    assert_false(jr_askings_next(&txn, &number, &found));
    jr_askings_remove(&txn, number);
    assert_false(jr_askings_load(&txn, number, &asked));
    commit(&txn);
    jr_store_close(store);
}

static void comments_are_read_once(void **state)
{
    struct jr_asked asked = a_comment(5), found;
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    uint64_t number = 0;

    (void)state;
    jr_txn_begin(&txn, store, true);
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    assert_false(jr_askings_add(&txn, &asked, START_MS + 1));
    asked.repo_id = 10;
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    asked.comment_id = 0; /* a button may be pressed again */
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    for (int i = 0; i < 4; i++)
        assert_true(jr_askings_next(&txn, &number, &found));
    assert_false(jr_askings_next(&txn, &number, &found));
    asked = a_comment(5);
    assert_int_equal(jr_askings_prune(&txn, START_MS + JR_ASKINGS_READ_MS, 10), 0);
    assert_false(jr_askings_add(&txn, &asked, START_MS));
    jr_askings_prune(&txn, START_MS + JR_ASKINGS_READ_MS + 1, 10);
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    commit(&txn);
    jr_store_close(store);
}

static void no_more_than_there_is_room_for(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_asked asked, found;
    struct jr_txn txn;
    uint64_t number = 0;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (uint64_t i = 1; i <= JR_ASKINGS_MAX; i++) {
        asked = a_comment(i);
        assert_true(jr_askings_add(&txn, &asked, START_MS));
    }
    asked = a_comment(JR_ASKINGS_MAX + 1);
    assert_false(jr_askings_add(&txn, &asked, START_MS));
    assert_true(jr_askings_next(&txn, &number, &found));
    jr_askings_remove(&txn, number);
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    commit(&txn);
    jr_store_close(store);
}

static void commits_are_stopped(void **state)
{
    struct jr_run run = { .repo_id = 9 }, other = { .repo_id = 10 };
    struct jr_store *store = open_store(new_folder());
    char long_sha[JR_SHA_SIZE], another[JR_SHA_SIZE];
    struct jr_txn txn;

    (void)state;
    memcpy(run.head_sha, sha, sizeof sha);
    memcpy(other.head_sha, sha, sizeof sha);
    jr_txn_begin(&txn, store, true);
    assert_false(jr_stops_hold(&txn, &run));
    jr_stops_set(&txn, 9, sha, START_MS);
    assert_true(jr_stops_hold(&txn, &run));
    assert_false(jr_stops_hold(&txn, &other));
    jr_askings_prune(&txn, START_MS + JR_STOPS_LIFE_MS, 10);
    assert_true(jr_stops_hold(&txn, &run));
    jr_askings_prune(&txn, START_MS + JR_STOPS_LIFE_MS + 1, 10);
    assert_false(jr_stops_hold(&txn, &run));
    jr_stops_set(&txn, 9, sha, START_MS);
    jr_stops_lift(&txn, 9, sha);
    assert_false(jr_stops_hold(&txn, &run));
    /* SHA-256 */
    memset(long_sha, 'a', sizeof long_sha - 1);
    long_sha[sizeof long_sha - 1] = '\0';
    memset(another, 'b', sizeof another - 1);
    another[sizeof another - 1] = '\0';
    jr_stops_set(&txn, 9, long_sha, START_MS);
    memcpy(run.head_sha, long_sha, sizeof long_sha);
    assert_true(jr_stops_hold(&txn, &run));
    memcpy(run.head_sha, another, sizeof another);
    assert_false(jr_stops_hold(&txn, &run));
    run.head_sha[0] = '\0';
    assert_false(jr_stops_hold(&txn, &run));
    commit(&txn);
    jr_store_close(store);
}

/* What a record has grown by: who asks, whether an insider, the attempt, and when it was done. */
#define END_SIZE (8 + 1 + 4 + 8)

static void damaged_records(void **state)
{
    unsigned char bytes[JR_ASKED_RECORD_SIZE];
    struct jr_asked asked = a_comment(5), found;
    struct jr_writer writer;

    (void)state;
    asked.runs[asked.count++] = 5;
    jr_writer_init(&writer, bytes, sizeof bytes);
    jr_asked_encode(&asked, &writer);
    assert_true(writer.ok);
    for (size_t length = 0; length < writer.length; length++)
        assert_int_equal(jr_asked_decode(&found, bytes, length), length == writer.length - END_SIZE);
    /* One of before. */
    assert_true(jr_asked_decode(&found, bytes, writer.length - END_SIZE));
    assert_true(found.who_id == 0 && found.attempt == 0 && found.acted_ms == 0 && !found.insider);
    assert_true(jr_asked_decode(&found, bytes, writer.length));
    bytes[1] = JR_VERBS;
    assert_false(jr_asked_decode(&found, bytes, writer.length));
}

/* How many there are. */
static unsigned count_open(struct jr_txn *txn)
{
    struct jr_asked asked;
    uint64_t number = 0;
    unsigned count = 0;

    while (jr_askings_next(txn, &number, &asked))
        count++;
    return count;
}

/* What was done, and what nobody does, is forgotten a day later. */
static void old_ones_go(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_asked asked = a_comment(5);
    const int64_t day_ms = JR_ASKINGS_LIFE_MS;
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    asked.comment_id = 6;
    asked.state = JR_ASKED_ACTED;
    asked.acted_ms = START_MS + 500;
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    assert_int_equal(jr_askings_prune(&txn, START_MS + day_ms, 10), 0);
    assert_int_equal(count_open(&txn), 2);
    assert_int_equal(jr_askings_prune(&txn, START_MS + day_ms + 1, 10), 0);
    assert_int_equal(count_open(&txn), 1);
    assert_int_equal(jr_askings_prune(&txn, START_MS + day_ms + 501, 10), 0);
    assert_int_equal(count_open(&txn), 0);
    /* The clock was set back. */
    asked.comment_id = 7;
    assert_true(jr_askings_add(&txn, &asked, START_MS));
    assert_int_equal(jr_askings_prune(&txn, START_MS - day_ms, 10), 0);
    assert_int_equal(count_open(&txn), 0);
    commit(&txn);
    jr_store_close(store);
}

/* What cannot be read does not stand before others, and goes. */
static void unreadable_ones_go(void **state)
{
    static const char *const keys[] = { "asking-\0\0\0\0\0\0\0\1", "asking-\0\0\0\0\0\0\0\1x" };
    static const size_t lengths[] = { 15, 16 };
    struct jr_store *store = open_store(new_folder());
    struct jr_asked asked = a_comment(5);
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_askings_save(&txn, 2, &asked);
    for (size_t i = 0; i < COUNT(keys); i++)
        jr_txn_put(&txn, JR_TABLE_META, keys[i], lengths[i], "\377", 1);
    assert_int_equal(jr_askings_prune(&txn, START_MS, 1), 1);
    assert_int_equal(jr_askings_prune(&txn, START_MS, 10), 1);
    assert_int_equal(jr_askings_prune(&txn, START_MS, 10), 0);
    assert_int_equal(count_open(&txn), 1);
    commit(&txn);
    jr_store_close(store);
}

static void refusals_are_counted(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_asked asked = a_comment(5), button = a_comment(0), other = a_comment(5);
    const int64_t later_ms = START_MS + JR_ASKINGS_REFUSED_MS;
    struct jr_txn txn;

    (void)state;
    other.repo_id++;
    jr_txn_begin(&txn, store, true);
    assert_int_equal(jr_askings_refused(&txn, &asked, START_MS), 0);
    for (unsigned i = 0; i < 40; i++)
        jr_askings_refuse(&txn, &asked, START_MS + i);
    assert_int_equal(jr_askings_refused(&txn, &asked, later_ms - 1), 40);
    assert_int_equal(jr_askings_refused(&txn, &button, START_MS), 0);
    assert_int_equal(jr_askings_refused(&txn, &other, START_MS), 0);
    assert_int_equal(jr_askings_refused(&txn, &asked, later_ms), 0);
    assert_int_equal(jr_askings_refused(&txn, &asked, START_MS - 1), 0);
    (void)jr_askings_prune(&txn, later_ms, 10);
    assert_int_equal(jr_askings_refused(&txn, &asked, START_MS), 40);
    (void)jr_askings_prune(&txn, later_ms + 1, 10);
    assert_int_equal(jr_askings_refused(&txn, &asked, START_MS), 0);
    jr_askings_refuse(&txn, &asked, START_MS);
    jr_askings_refuse(&txn, &asked, later_ms);
    assert_int_equal(jr_askings_refused(&txn, &asked, later_ms), 1);
    commit(&txn);
    jr_store_close(store);
}

int main(void)
{
    TEST(record_comes_back);
    TEST(comments_are_read_once);
    TEST(no_more_than_there_is_room_for);
    TEST(commits_are_stopped);
    TEST(damaged_records);
    TEST(old_ones_go);
    TEST(unreadable_ones_go);
    TEST(refusals_are_counted);
    return run_program("askings");
}
