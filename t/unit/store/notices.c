/*
 * notices -- what people are to be told: in order, bounded, folded, and the same after a crash.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/notices.h"
#include "t/unit/support.h"

#include <string.h>

static void add_some(struct jr_store *store, unsigned count, int64_t at_ms)
{
    struct jr_notice notice = { .kind = JR_NOTICE_GIVEN_UP, .at_ms = at_ms, .attempt = 4 };
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    for (unsigned i = 0; i < count; i++) {
        notice.run_id = RUN_ID + i;
        jr_notices_add(&txn, &notice);
    }
    commit(&txn);
}

static struct jr_notice_batch begin(struct jr_store *store, int64_t now_ms)
{
    struct jr_notice_batch batch;
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_notices_begin(&txn, now_ms, &batch);
    commit(&txn);
    return batch;
}

static void end(struct jr_store *store, const struct jr_notice_batch *batch, bool sent)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_notices_end(&txn, batch, sent);
    commit(&txn);
}

static void expect_sum(struct jr_store *store, uint64_t waiting, uint64_t sent, uint64_t dropped)
{
    struct jr_notices_sum sum;
    struct jr_txn txn;

    jr_txn_begin(&txn, store, false);
    jr_notices_sum(&txn, &sum);
    jr_txn_abort(&txn);
    assert_int_equal(sum.waiting, waiting);
    assert_int_equal(sum.sent, sent);
    assert_int_equal(sum.dropped, dropped);
}

static void in_order_one_by_one(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_notice_batch batch;

    (void)state;
    assert_int_equal(begin(store, START_MS).count, 0);
    add_some(store, JR_NOTICES_SINGLE, START_MS);
    for (unsigned i = 0; i < JR_NOTICES_SINGLE; i++) {
        batch = begin(store, START_MS);
        assert_int_equal(batch.count, 1);
        assert_int_equal(batch.items[0].run_id, RUN_ID + i);
        assert_int_equal(batch.first, i + 1);
        end(store, &batch, true);
    }
    expect_sum(store, 0, JR_NOTICES_SINGLE, 0);
    jr_store_close(store);
}

/* A batch that was begun stays what it is, whatever comes before it is sent again. */
static void begun_and_not_ended(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_notice_batch batch, again;

    (void)state;
    add_some(store, 8, START_MS);
    batch = begin(store, START_MS);
    assert_int_equal(batch.count, 8);
    assert_int_equal(batch.counts[JR_NOTICE_GIVEN_UP], 8);
    assert_int_equal(batch.items_count, JR_NOTICES_SINGLE);
    add_some(store, 3, START_MS + 1000);
    again = begin(store, START_MS + 2000);
    assert_memory_equal(&again, &batch, sizeof batch);
    end(store, &again, true);
    expect_sum(store, 3, 8, 0);
    batch = begin(store, START_MS + 2000);
    assert_int_equal(batch.first, 9);
    end(store, &batch, false);
    expect_sum(store, 2, 8, 1);
    jr_store_close(store);
}

/* An end that is recorded twice, since nobody knew of the first, does no harm. */
static void ended_twice(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_notice_batch batch;

    (void)state;
    add_some(store, 1, START_MS);
    batch = begin(store, START_MS);
    end(store, &batch, true);
    add_some(store, 1, START_MS);
    end(store, &batch, true);
    expect_sum(store, 1, 2, 0);
    jr_store_close(store);
}

static void too_many(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_notice_batch batch;

    (void)state;
    add_some(store, JR_NOTICES_MOST + 10, START_MS);
    expect_sum(store, JR_NOTICES_MOST, 0, 10);
    batch = begin(store, START_MS);
    assert_int_equal(batch.first, 11);
    assert_int_equal(batch.count, JR_NOTICES_MOST);
    end(store, &batch, true);
    expect_sum(store, 0, JR_NOTICES_MOST, 10);
    jr_store_close(store);
}

static void too_old(void **state)
{
    struct jr_store *store = open_store(new_folder());
    int64_t late_ms = START_MS + JR_NOTICES_AGE_MS;

    (void)state;
    add_some(store, 2, START_MS);
    add_some(store, 1, late_ms);
    assert_int_equal(begin(store, late_ms).items[0].number, 1);
    assert_int_equal(begin(store, late_ms + 1).items[0].number, 3);
    expect_sum(store, 1, 0, 2);
    assert_int_equal(begin(store, late_ms + JR_NOTICES_AGE_MS + 1).count, 0);
    expect_sum(store, 0, 0, 3);
    jr_store_close(store);
}

static void damaged(void **state)
{
    struct jr_store *store = open_store(new_folder());
    const unsigned char key[8] = { 0, 0, 0, 0, 0, 0, 0, 1 };
    struct jr_txn txn;

    (void)state;
    add_some(store, 2, START_MS);
    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, JR_TABLE_NOTICES, key, sizeof key, "nonsense", 8);
    commit(&txn);
    assert_int_equal(begin(store, START_MS).items[0].number, 2);
    expect_sum(store, 1, 0, 1);
    jr_store_close(store);
}

static void record(void **state)
{
    struct jr_notice notice = {
        .kind = JR_NOTICE_RESCUE_RATE, .at_ms = START_MS, .reason = JR_REASON_SHUT_OUT,
        .run_id = UINT64_MAX, .attempt = UINT32_MAX, .causes = UINT64_MAX,
        .rate = { 1, 2 }, .rate_before = { 3, UINT32_MAX },
    }, read;
    unsigned char bytes[JR_NOTICE_RECORD_SIZE];
    struct jr_writer writer;

    (void)state;
    memset(notice.repo, 'r', sizeof notice.repo - 1);
    memset(notice.workflow, 'w', sizeof notice.workflow - 1);
    memset(notice.branch, 'b', sizeof notice.branch - 1);
    memset(notice.subject, 's', sizeof notice.subject - 1);
    jr_writer_init(&writer, bytes, sizeof bytes);
    jr_notice_encode(&notice, &writer);
    assert_true(writer.ok);
    assert_true(jr_notice_decode(&read, bytes, writer.length));
    assert_memory_equal(&read, &notice, sizeof notice);
    for (size_t length = 0; length < writer.length; length++)
        assert_false(jr_notice_decode(&read, bytes, length));
}

int main(void)
{
    TEST(in_order_one_by_one);
    TEST(begun_and_not_ended);
    TEST(ended_twice);
    TEST(too_many);
    TEST(too_old);
    TEST(damaged);
    TEST(record);
    return run_program("notices");
}
