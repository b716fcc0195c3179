/*
 * delivery -- what deliveries are known by, and for how long.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/delivery.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V1 "b1b2f9e0-1a5c-11ed-8f0e-abcdefabcdef"
#define V4 "0f8e1c1e-6f5b-4f6e-9d0a-0123456789ab"

static struct jr_delivery identify(const char *id, const char *body)
{
    struct jr_delivery delivery;

    assert_int_equal(jr_delivery_identify(&delivery, id, body, strlen(body)), JR_OK);
    assert_in_range(delivery.key_length, 1, sizeof delivery.key);
    return delivery;
}

static bool same(const struct jr_delivery *a, const struct jr_delivery *b)
{
    return a->key_length == b->key_length && memcmp(a->key, b->key, a->key_length) == 0;
}

struct usable_row {
    const char *name, *id;
    bool usable;
};

#define TEN "0123456789"

/* A usable id is what tells deliveries apart; without one it is the body. */
static void known_by(void **state)
{
    const struct usable_row *row = *state;
    struct jr_delivery one = identify(row->id, "one"), again = identify(row->id, "one"),
                       other = identify(row->id, "another");

    assert_true(same(&one, &again));
    assert_int_equal(same(&one, &other), row->usable);
    if (row->usable)
        assert_string_equal(one.text, row->id);
    else
        assert_contains(one.text, "sha256:");
}

static const struct usable_row ids[] = {
    { "a UUID with a time in it", V1, true },
    { "a random UUID", V4, true },
    { "another text", "delivery-17", true },
    { "one character", "x", true },
    { "79 bytes", TEN TEN TEN TEN TEN TEN TEN "012345678", true },
    { "80 bytes", TEN TEN TEN TEN TEN TEN TEN TEN, false },
    { "none", NULL, false },
    { "empty", "", false },
    { "a blank", "a b", false },
    { "a line feed", V1 "\n", false },
    { "DEL", "a\x7f", false },
    { "not ASCII", "caf\xc3\xa9", false },
};

static void sha256_of_the_body(void **state)
{
    struct jr_delivery delivery = identify(NULL, "abc");

    (void)state;
    assert_string_equal(delivery.text,
                        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* No two of these are taken for one another. */
static void apart(void **state)
{
    static const char *const different[] = {
        V1,
        V4,
        "b1b2f9e1-1a5c-11ed-8f0e-abcdefabcdef",
        "b1b2f9e0-1a5d-11ed-8f0e-abcdefabcdef",
        "b1b2f9e0-1a5c-11ee-8f0e-abcdefabcdef",
        "b1b2f9e0-1a5c-41ed-8f0e-abcdefabcdef",
        "b1b2f9e0-1a5c-11ed-8f0f-abcdefabcdef",
        "b1b2f9e0-1a5c-11ed-8f0e-abcdefabcdee",
        "b1b2f9e01a5c11ed8f0eabcdefabcdef",
        "b1b2f9e0-1a5c-11ed-8f0e-abcdefabcdeg",
        "{" V1 "}",
        /* the time of the first in front makes the bytes of the second */
        "aabb4cdd-eeff-1234-8899-aabbccddeeff",
        "1234eeff-aabb-4cdd-8899-aabbccddeeff",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(different); i++) {
        struct jr_delivery one = identify(different[i], "");

        for (size_t j = 0; j < i; j++) {
            struct jr_delivery other = identify(different[j], "");

            if (same(&one, &other))
                fail_msg("'%s' is taken for '%s'", different[i], different[j]);
        }
    }
}

/* The text of an id is not taken for a body. */
static void id_and_body_are_apart(void **state)
{
    struct jr_delivery by_id = identify("abc", "x"), by_body = identify(NULL, "abc");

    (void)state;
    assert_false(same(&by_id, &by_body));
}

/* GitHub's ids carry a time: later ones go behind earlier ones. */
static void later_ids_are_greater(void **state)
{
    static const char *const in_order[] = {
        "ffffffff-1a5c-11ed-8f0e-abcdefabcdef",
        "00000000-1a5d-11ed-8f0e-abcdefabcdef",
        "00000001-1a5d-11ed-8f0e-abcdefabcdef",
        "00000000-0000-11ee-8f0e-abcdefabcdef",
    };

    (void)state;
    for (size_t i = 1; i < COUNT(in_order); i++) {
        struct jr_delivery before = identify(in_order[i - 1], ""), later = identify(in_order[i], "");

        assert_true(memcmp(before.key, later.key, later.key_length) < 0);
    }
}

static void remember(struct jr_store *store, const char *id, int64_t now_ms, enum jr_reply reply)
{
    struct jr_delivery delivery = identify(id, "");
    struct jr_answer answer = { .reply = reply, .reason = JR_REASON_JOBS_FAILED, .run_id = RUN_ID, .attempt = 3 };
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_delivery_remember(&txn, &delivery, now_ms, &answer);
    commit(&txn);
}

/* The first answer, NONE when there is none. */
static enum jr_reply find(struct jr_store *store, const char *id, int64_t now_ms)
{
    struct jr_delivery delivery = identify(id, "");
    struct jr_answer answer;
    struct jr_txn txn;
    bool found;

    jr_txn_begin(&txn, store, false);
    found = jr_delivery_find(&txn, &delivery, now_ms, &answer);
    commit(&txn);
    if (!found)
        return 0;
    assert_int_equal(answer.reason, JR_REASON_JOBS_FAILED);
    assert_true(answer.run_id == RUN_ID);
    assert_int_equal(answer.attempt, 3);
    return answer.reply;
}

static uint64_t count(struct jr_store *store)
{
    struct jr_txn txn;
    uint64_t entries;

    jr_txn_begin(&txn, store, false);
    entries = jr_txn_count(&txn, JR_TABLE_DELIVERIES);
    commit(&txn);
    return entries;
}

static unsigned prune(struct jr_store *store, int64_t now_ms, unsigned most)
{
    struct jr_txn txn;
    unsigned removed;

    jr_txn_begin(&txn, store, true);
    removed = jr_delivery_prune(&txn, now_ms, most);
    commit(&txn);
    return removed;
}

struct later_row {
    const char *name;
    int64_t after_ms;
    bool want;
};

static void found_later(void **state)
{
    const struct later_row *row = *state;
    /* START_MS is the first moment of a day; this is in the midst of one. */
    int64_t came_ms = START_MS + 15 * JR_HOUR_MS;
    struct jr_store *store = open_store(new_folder());

    remember(store, V1, came_ms, JR_REPLY_SCHEDULED);
    assert_int_equal(find(store, V1, came_ms + row->after_ms), row->want ? JR_REPLY_SCHEDULED : JR_REPLY_NONE);
    if (row->want) {
        prune(store, came_ms + row->after_ms, 100);
        assert_int_equal(find(store, V1, came_ms + row->after_ms), JR_REPLY_SCHEDULED);
    }
    assert_int_equal(find(store, V4, came_ms + row->after_ms), 0);
    jr_store_close(store);
}

static const struct later_row later[] = {
    { "at once", 0, true },
    { "before midnight", 8 * JR_HOUR_MS, true },
    { "after midnight", 10 * JR_HOUR_MS, true },
    { "after three days", 3 * JR_DAY_MS, true },
    { "after seven days", 7 * JR_DAY_MS, true },
    { "after eight days", 8 * JR_DAY_MS, true },
    { "after ten days", 10 * JR_DAY_MS, false },
    { "the clock was set back an hour", -JR_HOUR_MS, true },
    { "the clock was set back a day", -JR_DAY_MS, true },
};

/* An id as GitHub makes them, with the time of its event in it. */
static const char *id_of(int64_t event_ms, unsigned number)
{
    static char id[40];
    uint64_t ticks = UINT64_C(0x01b21dd213814000) + (uint64_t)event_ms * 10000;

    snprintf(id, sizeof id, "%08x-%04x-1%03x-8f0e-abcdef%06x", (unsigned)ticks,
             (unsigned)(ticks >> 32) & 0xffff, (unsigned)(ticks >> 48) & 0xfff, number);
    return id;
}

struct event_row {
    const char *name;
    int64_t event_ms; /* before it came */
};

static const struct event_row events[] = {
    { "a moment ago", 1 },
    { "an hour ago", JR_HOUR_MS },
    { "a day ago", JR_DAY_MS },
    { "two days ago, less a moment", 2 * JR_DAY_MS - 1 },
    { "three days ago", 3 * JR_DAY_MS },
    { "a year ago", 365 * JR_DAY_MS },
    { "an hour ahead", -JR_HOUR_MS },
    { "a day ahead", -JR_DAY_MS },
    { "three days ahead", -3 * JR_DAY_MS },
    { "nine days ahead", -9 * JR_DAY_MS },
};

/* Whatever time an event has, and at whatever hour it comes, it is known for 8 days, and once. */
static void known_for_eight_days(void **state)
{
    const struct event_row *row = *state;
    static const int64_t hours[] = { 0, 1, 12, 23 };

    for (size_t i = 0; i < COUNT(hours); i++) {
        int64_t came_ms = START_MS + hours[i] * JR_HOUR_MS;
        struct jr_store *store = open_store(new_folder());
        const char *id = id_of(came_ms - row->event_ms, 7);

        assert_int_equal(find(store, id, came_ms), 0);
        remember(store, id, came_ms, JR_REPLY_LEFT_ALONE);
        for (int64_t day = 0; day < JR_DELIVERY_DAYS; day++) {
            for (int64_t hour = 0; hour < 24; hour++) {
                int64_t now_ms = came_ms + day * JR_DAY_MS + hour * JR_HOUR_MS;

                prune(store, now_ms, 100);
                if (find(store, id, now_ms) != JR_REPLY_LEFT_ALONE)
                    fail_msg("came at %d h, forgotten after %d d %d h", (int)hours[i], (int)day, (int)hour);
            }
            remember(store, id, came_ms + day * JR_DAY_MS, JR_REPLY_LEFT_ALONE);
            assert_int_equal(count(store), 1);
        }
        assert_int_equal(find(store, id, came_ms + 8 * JR_DAY_MS), JR_REPLY_LEFT_ALONE);
        prune(store, came_ms + 23 * JR_DAY_MS, 100);
        assert_int_equal(count(store), 0);
        jr_store_close(store);
    }
}

#define MANY 300

/* Deliveries of all days in any order, some again: each is found while it is young, and no other. */
static void in_any_order(void **state)
{
    struct jr_store *store = open_store(new_folder());
    int64_t came_ms[MANY], event_ms[MANY];
    int64_t now_ms = START_MS;

    (void)state;
    srand(17);
    for (unsigned i = 0; i < MANY; i++) {
        now_ms += rand() % (3 * JR_HOUR_MS);
        came_ms[i] = now_ms;
        event_ms[i] = now_ms + 4 * JR_DAY_MS - rand() % (9 * JR_DAY_MS);
        assert_int_equal(find(store, id_of(event_ms[i], i), now_ms), 0);
        remember(store, id_of(event_ms[i], i), now_ms, JR_REPLY_RECORDED);
        if (i % 10 == 0)
            prune(store, now_ms, 100);
        for (int n = 0; n < 5; n++) {
            unsigned again = (unsigned)rand() % (i + 1);

            if (now_ms - came_ms[again] < JR_DELIVERY_DAYS * JR_DAY_MS
                && find(store, id_of(event_ms[again], again), now_ms) != JR_REPLY_RECORDED)
                fail_msg("%u is forgotten", again);
            assert_int_equal(find(store, id_of(event_ms[again], MANY + again), now_ms), 0);
        }
    }
    jr_store_close(store);
}

/* The clock was three days behind, and is right again. */
static void clock_was_behind(void **state)
{
    struct jr_store *store = open_store(new_folder());
    const char *id = id_of(START_MS, 7);

    (void)state;
    remember(store, id, START_MS - 3 * JR_DAY_MS, JR_REPLY_RECORDED);
    assert_int_equal(find(store, id, START_MS), JR_REPLY_RECORDED);
    jr_store_close(store);
}

static void answer_is_replaced(void **state)
{
    struct jr_store *store = open_store(new_folder());

    (void)state;
    remember(store, V1, START_MS, JR_REPLY_LEFT_ALONE);
    remember(store, V1, START_MS + 2 * JR_DAY_MS, JR_REPLY_SCHEDULED);
    assert_int_equal(count(store), 1);
    assert_int_equal(find(store, V1, START_MS + 3 * JR_DAY_MS), JR_REPLY_SCHEDULED);
    jr_store_close(store);
}

/* On a full map the oldest go, however young they are. */
static void oldest_are_dropped(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_delivery delivery;
    struct jr_answer answer = { .reply = JR_REPLY_RECORDED };
    struct jr_txn txn;
    char id[16];

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(jr_delivery_identify(&delivery, id, NULL, 0), JR_OK);
        jr_delivery_remember(&txn, &delivery, START_MS + i * JR_DAY_MS / 2, &answer);
    }
    assert_true(jr_delivery_count(&txn) == 10);
    assert_int_equal(jr_delivery_drop_oldest(&txn, 6), 6);
    assert_true(jr_delivery_count(&txn) == 4);
    assert_false(jr_delivery_find(&txn, &delivery, START_MS, &answer));
    assert_true(jr_delivery_find(&txn, &delivery, START_MS + 9 * JR_DAY_MS / 2, &answer));
    assert_int_equal(jr_delivery_drop_oldest(&txn, 6), 4);
    assert_int_equal(jr_delivery_drop_oldest(&txn, 6), 0);
    commit(&txn);
    jr_store_close(store);
}

static void old_ones_are_pruned(void **state)
{
    static const char *const names[] = { V1, V4, "text-1", "text-2", "text-3" };
    struct jr_store *store = open_store(new_folder());
    int64_t now_ms = START_MS + 20 * JR_DAY_MS;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        remember(store, names[i], START_MS + (int64_t)i * JR_DAY_MS, JR_REPLY_RECORDED);
    remember(store, "today", now_ms, JR_REPLY_RECORDED);
    assert_int_equal(prune(store, now_ms, 2), 2);
    assert_int_equal(count(store), 4);
    assert_int_equal(find(store, V4, START_MS + JR_DAY_MS), 0); /* the oldest went first */
    assert_int_equal(find(store, "text-1", START_MS + JR_DAY_MS), JR_REPLY_RECORDED);
    assert_int_equal(prune(store, now_ms, 100), 3);
    assert_int_equal(prune(store, now_ms, 100), 0);
    assert_int_equal(find(store, "today", now_ms), JR_REPLY_RECORDED);
    jr_store_close(store);
}

/* Each kind is found again by what the history has of it, under its own day only. */
static void forgotten(void **state)
{
    static const char *const known[] = { V1, V4, "delivery-17", "sha256:x",
                                         "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };
    struct jr_store *store = open_store(new_folder());
    struct jr_delivery delivery = identify(NULL, "abd");
    struct jr_answer answer = { .reply = JR_REPLY_RECORDED };
    struct jr_txn txn;

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++)
        remember(store, known[i], START_MS, JR_REPLY_RECORDED);
    jr_txn_begin(&txn, store, true);
    jr_delivery_remember(&txn, &delivery, START_MS, &answer);
    for (size_t i = 0; i < COUNT(known); i++) {
        assert_false(jr_delivery_forget(&txn, known[i], START_MS - 20 * JR_DAY_MS));
        assert_true(jr_delivery_forget(&txn, known[i], START_MS + JR_HOUR_MS));
        assert_false(jr_delivery_forget(&txn, known[i], START_MS));
    }
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_DELIVERIES), 1);
    assert_true(jr_delivery_forget(&txn, delivery.text, START_MS));
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_DELIVERIES), 0);
    commit(&txn);
    jr_store_close(store);
}

/* A clock far behind or far ahead does no harm. */
static void any_clock(void **state)
{
    struct jr_store *store = open_store(new_folder());

    (void)state;
    remember(store, V1, 0, JR_REPLY_RECORDED);
    assert_int_equal(find(store, V1, 5), JR_REPLY_RECORDED);
    remember(store, V4, INT64_C(253402300799000), JR_REPLY_RECORDED);
    assert_int_equal(find(store, V4, INT64_C(253402300799000)), JR_REPLY_RECORDED);
    assert_int_equal(prune(store, 0, 100), 0);
    assert_int_equal(count(store), 2);
    jr_store_close(store);
}

static void damaged_record(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_delivery delivery = identify(V1, "");
    struct jr_answer answer;
    struct jr_entry entry;
    struct jr_txn txn;

    (void)state;
    remember(store, V1, START_MS, JR_REPLY_RECORDED);
    jr_txn_begin(&txn, store, true);
    assert_true(jr_txn_seek(&txn, JR_TABLE_DELIVERIES, NULL, 0, false, &entry));
    jr_txn_put(&txn, JR_TABLE_DELIVERIES, entry.key, entry.key_length, entry.value, entry.value_length - 1);
    commit(&txn);
    jr_txn_begin(&txn, store, true);
    (void)jr_delivery_find(&txn, &delivery, START_MS, &answer);
    assert_int_equal(jr_txn_commit(&txn), JR_EFORMAT);
    jr_store_close(store);
}

int main(void)
{
    TABLE(ids, known_by);
    TEST(sha256_of_the_body);
    TEST(apart);
    TEST(id_and_body_are_apart);
    TEST(later_ids_are_greater);
    TABLE(later, found_later);
    TABLE(events, known_for_eight_days);
    TEST(in_any_order);
    TEST(clock_was_behind);
    TEST(answer_is_replaced);
    TEST(oldest_are_dropped);
    TEST(old_ones_are_pruned);
    TEST(forgotten);
    TEST(any_clock);
    TEST(damaged_record);
    return run_program("delivery");
}
