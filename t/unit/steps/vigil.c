/*
 * vigil -- what people are told that no single step of a run shows.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/vigil.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

#define BOTH (1u << JR_NOTICE_RUNNER | 1u << JR_NOTICE_RESCUE_RATE)

struct desk {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_flaky_walk walk;
    int64_t now_ms;
    unsigned number;
};

static void open_desk(struct desk *desk)
{
    memset(desk, 0, sizeof *desk);
    desk->store = open_store(new_folder());
    desk->now_ms = START_MS + JR_DAY_MS;
    load_settings(&desk->settings, "RUN_ATTEMPTS=1");
}

static void close_desk(struct desk *desk)
{
    jr_store_close(desk->store);
    jr_settings_release(&desk->settings);
}

static void deliver(struct desk *desk, const struct jr_event *event)
{
    struct jr_update update = { .event = *event, .now_ms = desk->now_ms += JR_SECOND_MS };
    struct jr_receipt receipt;
    struct jr_error error;
    char id[16];

    snprintf(id, sizeof id, "%u", ++desk->number);
    assert_int_equal(jr_delivery_identify(&update.delivery, id, NULL, 0), JR_OK);
    assert_int_equal(intake(desk->store, &desk->settings, &update, &receipt, &error), JR_OK);
}

/* Job 1 fails on a runner, and what comes of it on another, some days after START_MS. */
static void again(struct desk *desk, int days, const char *runner, const char *conclusion)
{
    for (uint32_t attempt = 1; attempt <= 2; attempt++) {
        char token[64] = "c1=failure";
        struct jr_event event;

        if (attempt == 2)
            snprintf(token, sizeof token, "c11@2=%s,job:1", conclusion);
        event = event_of(token);
        event.run_id += 100 + desk->number / 2;
        event.job_id += 1000 * (100 + desk->number / 2);
        event.created_ms += days * JR_DAY_MS;
        event.started_ms += days * JR_DAY_MS;
        event.completed_ms += days * JR_DAY_MS;
        snprintf(event.runner, sizeof event.runner, "%s", attempt == 1 ? runner : "good");
        snprintf(event.labels, sizeof event.labels, "a");
        deliver(desk, &event);
    }
}

static void look(struct desk *desk, unsigned on, int64_t now_ms)
{
    struct jr_error error;

    assert_int_equal(jr_vigil_look(desk->store, on, now_ms, &desk->walk, &error), JR_OK);
}

/* All that waits, which is taken away; the last of it. */
static struct jr_notice take(struct desk *desk, uint64_t count, int64_t now_ms)
{
    struct jr_notice last = { .kind = JR_NOTICE_TEST };
    struct jr_notice_batch batch;
    struct jr_txn txn;

    for (uint64_t i = 0; i <= count; i++) {
        jr_txn_begin(&txn, desk->store, true);
        jr_notices_begin(&txn, now_ms, &batch);
        jr_notices_end(&txn, &batch, true);
        commit(&txn);
        assert_int_equal(batch.count, i < count ? 1 : 0);
        if (batch.count > 0)
            last = batch.items[0];
    }
    return last;
}

static const struct fall_row {
    const char *name;
    struct jr_notice_rate now, before;
    bool fallen;
} falls[] = {
    { "clearly", { 2, 20 }, { 18, 20 }, true },
    { "to nothing", { 0, 10 }, { 10, 10 }, true },
    { "by chance", { 12, 20 }, { 16, 20 }, false },
    { "the same", { 10, 10 }, { 10, 10 }, false },
    { "it rises", { 20, 20 }, { 2, 20 }, false },
    { "few now", { 0, 9 }, { 100, 100 }, false },
    { "few before", { 0, 100 }, { 9, 9 }, false },
    { "nothing", { 0, 0 }, { 0, 0 }, false },
};

static void rate_falls(void **state)
{
    const struct fall_row *row = *state;

    assert_int_equal(jr_vigil_has_fallen(row->now, row->before), row->fallen);
}

static void a_job_that_reruns_help_less(void **state)
{
    struct desk desk;
    struct jr_notice notice;
    int64_t now_ms = START_MS + 20 * JR_DAY_MS + JR_HOUR_MS;

    (void)state;
    open_desk(&desk);
    desk.now_ms = now_ms;
    for (int i = 0; i < 20; i++)
        again(&desk, 5, "GitHub Actions 7", "success");
    look(&desk, BOTH, now_ms);
    for (int i = 0; i < 15; i++)
        again(&desk, 20, "GitHub Actions 8", "failure");
    look(&desk, 1u << JR_NOTICE_RUNNER, now_ms);
    (void)take(&desk, 0, now_ms);
    look(&desk, 1u << JR_NOTICE_RESCUE_RATE, now_ms);
    notice = take(&desk, 1, now_ms);
    assert_int_equal(notice.kind, JR_NOTICE_RESCUE_RATE);
    assert_string_equal(notice.repo, "octo/app");
    assert_string_equal(notice.subject, "job 1");
    assert_int_equal(notice.rate.some, 0);
    assert_int_equal(notice.rate.of, 15);
    assert_int_equal(notice.rate_before.some, 20);
    assert_int_equal(notice.rate_before.of, 20);
    /* Once, as long as it is so. */
    look(&desk, 1u << JR_NOTICE_RESCUE_RATE, now_ms + JR_HOUR_MS);
    (void)take(&desk, 0, now_ms);
    close_desk(&desk);
}

static void a_runner_that_stands_out(void **state)
{
    struct desk desk;
    struct jr_notice notice;
    int64_t now_ms = START_MS + JR_DAY_MS, later_ms = now_ms + JR_NOTICES_QUIET_MS + JR_HOUR_MS;

    (void)state;
    open_desk(&desk);
    for (int i = 0; i < 9; i++)
        again(&desk, 0, "bad", "success");
    for (int i = 0; i < 40; i++)
        again(&desk, 0, "good", "success");
    look(&desk, 1u << JR_NOTICE_RESCUE_RATE, now_ms);
    (void)take(&desk, 0, now_ms);
    look(&desk, BOTH, now_ms);
    notice = take(&desk, 1, now_ms);
    assert_int_equal(notice.kind, JR_NOTICE_RUNNER);
    assert_string_equal(notice.repo, "octo");
    assert_string_equal(notice.subject, "bad");
    assert_int_equal(notice.rate.some, 9);
    assert_int_equal(notice.rate.of, 9);
    look(&desk, BOTH, now_ms + JR_HOUR_MS);
    (void)take(&desk, 0, now_ms);
    /* What was not seen so for a week is news again. */
    look(&desk, BOTH, later_ms);
    (void)take(&desk, 1, later_ms);
    close_desk(&desk);
}

int main(void)
{
    TABLE(falls, rate_falls);
    TEST(a_job_that_reruns_help_less);
    TEST(a_runner_that_stands_out);
    return run_program("vigil");
}
