/*
 * runners -- runners by the labels that jobs ask for, and the worst of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/intake.h"
#include "lib/store/runners.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

/* A run whose only job ends on a runner; a failed one passes on another one in the next attempt. */
static void execute(struct jr_store *store, const char *repo, const char *labels, const char *runner, const char *other)
{
    static unsigned number;
    struct jr_settings settings;

    load_settings(&settings, "RUN_ATTEMPTS=1");
    number++;
    for (uint32_t attempt = 1; attempt <= (other == NULL ? 1 : 2); attempt++) {
        struct jr_event event = event_of(other != NULL && attempt == 1 ? "c1=failure" : "c1=success");
        struct jr_update update = { .now_ms = START_MS + JR_DAY_MS };
        struct jr_receipt receipt;
        struct jr_error error;
        char id[16];

        event.run_id += number;
        event.job_id += 1000 * number + attempt;
        event.attempt = attempt;
        snprintf(event.repo, sizeof event.repo, "%s", repo);
        snprintf(event.runner, sizeof event.runner, "%s", attempt == 1 ? runner : other);
        snprintf(event.labels, sizeof event.labels, "%s", labels);
        update.event = event;
        snprintf(id, sizeof id, "%u.%u", number, attempt);
        assert_int_equal(jr_delivery_identify(&update.delivery, id, NULL, 0), JR_OK);
        assert_int_equal(intake(store, &settings, &update, &receipt, &error), JR_OK);
    }
    jr_settings_release(&settings);
}

static struct jr_store *open_with_runners(void)
{
    struct jr_store *store = open_store(new_folder());

    for (int i = 0; i < 4; i++) {
        execute(store, "octo/app", "linux,x64", "r1", "r2");
        execute(store, "octo/lib", "linux,x64", "r2", NULL);
        execute(store, "octo/lib", "linux,x64", "r3", NULL);
        execute(store, "octo/lib", "linux,x64", "r3", NULL);
    }
    execute(store, "other/app", "linux,x64", "r1", NULL);
    execute(store, "other/app", "gpu", "big", NULL);
    execute(store, "other/app", "ubuntu-latest", "GitHub Actions 7", NULL);
    return store;
}

struct read_row {
    const char *name;
    struct jr_runners_filter filter;
    const char *pools; /* labels owners/runners/executions/failures/blamed */
    const char *rows;  /* owner/name executions/failures/blamed of executions/failures of all with its labels */
};

static void told(void **state)
{
    const struct read_row *row = *state;
    struct jr_store *store = open_with_runners();
    struct jr_runners runners;
    struct jr_error error;
    char pools[TEXT_SIZE] = "", rows[TEXT_SIZE] = "";

    assert_int_equal(jr_runners_read(store, &row->filter, &runners, &error), JR_OK);
    assert_true(runners.whole);
    for (size_t i = 0; i < runners.pool_count; i++) {
        const struct jr_pool *pool = &runners.pools[i];

        snprintf(pools + strlen(pools), sizeof pools - strlen(pools), "%s%s %u/%u/%u/%u/%u", i == 0 ? "" : "; ", pool->labels,
                 pool->owners, pool->runners, (unsigned)pool->executions, (unsigned)pool->failures, (unsigned)pool->blamed);
        assert_true(pool->last_ms > START_MS);
    }
    for (size_t i = 0; i < runners.row_count; i++) {
        const struct jr_flaky *one = &runners.rows[i];

        snprintf(rows + strlen(rows), sizeof rows - strlen(rows), "%s%s/%s%s %u/%u/%u of %u/%u", i == 0 ? "" : "; ", one->repo,
                 one->name, one->suspect ? "!" : "", (unsigned)one->executions, (unsigned)one->failures, (unsigned)one->blamed,
                 (unsigned)one->pool_executions, (unsigned)one->pool_failures);
    }
    assert_string_equal(pools, row->pools);
    assert_string_equal(rows, row->rows);
    jr_runners_release(&runners);
    jr_store_close(store);
}

#define NOW .now_ms = START_MS + JR_DAY_MS

static const struct read_row reads[] = {
    { "all", { NOW, .most = 9 }, "linux,x64 2/4/21/4/4; gpu 1/1/1/0/0; ubuntu-latest 1/1/1/0/0",
      "octo/r1! 4/4/4 of 20/4" },
    { "not so many", { NOW, .most = 1 }, "linux,x64 2/4/21/4/4", "octo/r1! 4/4/4 of 20/4" },
    { "of an owner", { NOW, .most = 9, .repo = "other/*" }, "gpu 1/1/1/0/0; linux,x64 1/1/1/0/0; ubuntu-latest 1/1/1/0/0", "" },
    { "for labels", { NOW, .most = 9, .labels = "gpu" }, "gpu 1/1/1/0/0", "" },
    { "a rate of owners and labels", { NOW, .most = 9, .repo = "octo/*", .labels = "linux,x64" }, "linux,x64 1/3/20/4/4", "octo/r1! 4/4/4 of 20/4" },
    { "since a day", { NOW, .most = 9, .since_ms = START_MS + 2 * JR_DAY_MS }, "", "" },
    { "of nobody", { NOW, .most = 9, .repo = "nobody/app" }, "", "" },
};

/* However many there are, no more than so many are looked at. */
static void bounded(void **state)
{
    struct jr_store *store = open_store(new_folder());
    const struct jr_runners_filter filter = { NOW, .most = 3 };
    struct jr_runners runners;
    struct jr_error error;
    struct jr_entry entry;
    struct jr_txn txn;

    (void)state;
    execute(store, "octo/app", "gpu", "big", "big");
    jr_txn_begin(&txn, store, true);
    assert_true(jr_txn_seek(&txn, JR_TABLE_FLAKY, "\2", 1, false, &entry));
    for (unsigned i = 0; i < JR_RUNNERS_LOOKS + 100; i++) {
        memcpy(entry.key + 1, &i, sizeof i);
        jr_txn_put(&txn, JR_TABLE_FLAKY, entry.key, entry.key_length, entry.value, entry.value_length);
    }
    commit(&txn);
    assert_int_equal(jr_runners_read(store, &filter, &runners, &error), JR_OK);
    assert_false(runners.whole);
    assert_true(runners.rows_known >= JR_RUNNERS_LOOKS && runners.rows_known < JR_RUNNERS_LOOKS + 64);
    assert_int_equal(runners.row_count, 3);
    jr_runners_release(&runners);
    jr_store_close(store);
}

int main(void)
{
    TABLE(reads, told);
    TEST(bounded);
    return run_program("runners");
}
