/*
 * reconcile -- looks through lists of failed runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/reconcile.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_sweep sweep;
    struct jr_look look;
    struct jr_error error;
    int64_t now_ms;
    const struct jr_share *share;
};

static void open_bench(struct bench *bench, const char *settings)
{
    memset(bench, 0, sizeof *bench);
    bench->store = open_store(new_folder());
    load_settings(&bench->settings, settings);
    bench->now_ms = START_MS;
}

static void close_bench(struct bench *bench)
{
    jr_store_close(bench->store);
    jr_settings_release(&bench->settings);
}

static void know(struct bench *bench, uint64_t id, const char *name)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, true);
    jr_repo_note(&txn, id, name, bench->now_ms);
    commit(&txn);
}

static enum jr_err begin(struct bench *bench, int64_t sweep_ms)
{
    enum jr_err err;

    if (bench->sweep.begun_ms != sweep_ms)
        bench->sweep = (struct jr_sweep){ .begun_ms = sweep_ms };
    do {
        err = jr_reconcile_begin(bench->store, &bench->settings, &bench->sweep, bench->now_ms,
                                 bench->share, &bench->look, &bench->error);
    } while (err == JR_OK && !bench->look.active);
    return err;
}

/* Hand in a page with these runs; returns how many were found. */
static unsigned page(struct bench *bench, struct jr_event *runs, size_t count, size_t shown)
{
    const struct jr_github_page page = { count, shown, runs };
    struct jr_look_result result;
    unsigned told = 0;

    if (jr_reconcile_page(bench->store, &bench->settings, &bench->look, &page, bench->now_ms, &result, &bench->error)
        != JR_OK)
        fail_msg("%s", bench->error.text);
    for (size_t i = 0; i < count; i++)
        told += result.verdicts[i].reason != JR_REASON_NONE;
    assert_int_equal(told, result.found + result.closed);
    return result.found;
}

/* Look through all lists of one repository, all of them empty. */
static void look_in_vain(struct bench *bench, int64_t sweep_ms)
{
    assert_int_equal(begin(bench, sweep_ms), JR_OK);
    while (bench->look.active)
        assert_int_equal(page(bench, NULL, 0, 0), 0);
}

static void every_conclusion_is_asked(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, "RETRY_CONCLUSIONS=failure,timed_out,startup_failure");
    assert_int_equal(begin(&bench, START_MS), JR_ENOENT);
    know(&bench, 1, "octo/app");
    bench.now_ms += JR_HOUR_MS;
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    assert_string_equal(bench.look.repo.name, "octo/app");
    assert_string_equal(bench.look.list.conclusion, "failure");
    /* Never before it was first seen. */
    assert_int_equal(bench.look.list.from_ms, START_MS);
    assert_int_equal(bench.look.list.until_ms, 0);
    assert_int_equal(bench.look.list.page, 1);
    page(&bench, NULL, 0, 0);
    assert_true(bench.look.active);
    assert_string_equal(bench.look.list.conclusion, "timed_out");
    page(&bench, NULL, 0, 0);
    assert_string_equal(bench.look.list.conclusion, "startup_failure");
    assert_int_equal(bench.look.list.page, 1);
    page(&bench, NULL, 0, 0);
    assert_false(bench.look.active);
    close_bench(&bench);
}

static void each_once_a_sweep(void **state)
{
    struct bench bench;
    int64_t sweep_ms;
    bool seen[4] = { false };

    (void)state;
    open_bench(&bench, NULL);
    for (uint64_t id = 1; id <= 3; id++)
        know(&bench, id, "octo/app");
    sweep_ms = bench.now_ms += JR_HOUR_MS;
    for (int i = 0; i < 3; i++) {
        look_in_vain(&bench, sweep_ms);
        assert_false(seen[bench.look.repo.id]);
        seen[bench.look.repo.id] = true;
        bench.now_ms += 1000;
    }
    assert_int_equal(begin(&bench, sweep_ms), JR_ENOENT);
    bench.now_ms += JR_HOUR_MS;
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    close_bench(&bench);
}

/* A look that breaks off is not begun again in the same sweep, and counts for nothing. */
static void look_that_breaks_off(void **state)
{
    struct bench bench;
    int64_t sweep_ms;

    (void)state;
    open_bench(&bench, NULL);
    know(&bench, 1, "octo/app");
    sweep_ms = bench.now_ms += JR_HOUR_MS;
    assert_int_equal(begin(&bench, sweep_ms), JR_OK);
    assert_int_equal(begin(&bench, sweep_ms), JR_ENOENT);
    bench.now_ms += JR_HOUR_MS;
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    assert_int_equal(bench.look.list.from_ms, START_MS);
    close_bench(&bench);
}

/* Since the last look minus 6 hours, and once a day minus 6 days. */
static void how_far_back(void **state)
{
    struct bench bench;
    int64_t first_ms, second_ms;

    (void)state;
    open_bench(&bench, NULL);
    know(&bench, 1, "octo/app");
    first_ms = bench.now_ms += 20 * JR_DAY_MS;
    look_in_vain(&bench, bench.now_ms);
    second_ms = bench.now_ms += 10 * JR_HOUR_MS;
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    assert_int_equal(bench.look.list.from_ms, first_ms - 6 * JR_HOUR_MS);
    while (bench.look.active)
        page(&bench, NULL, 0, 0);
    bench.now_ms += 15 * JR_HOUR_MS;
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    assert_int_equal(bench.look.list.from_ms, second_ms - 6 * JR_DAY_MS);
    close_bench(&bench);
}

static void left_alone(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, "NO_RETRY_REPOS=octo/app REPOS=octo/*");
    know(&bench, 1, "octo/app");
    know(&bench, 2, "other/app");
    know(&bench, 3, "octo/lib");
    bench.now_ms += JR_HOUR_MS;
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    assert_string_equal(bench.look.repo.name, "octo/lib");
    assert_int_equal(begin(&bench, bench.now_ms), JR_ENOENT);
    close_bench(&bench);
}

/* Of octo longer than of others; hepta need not. */
static int64_t share_of_owner(void *context, const char *repo)
{
    (void)context;
    return strncmp(repo, "octo/", 5) == 0 ? 9000 : strncmp(repo, "hexa/", 5) == 0 ? 7200 : 0;
}

/* Who has used up his share does not keep others back, and has his turn as soon as he can. */
static void shares_are_apart(void **state)
{
    static const struct jr_share share = { share_of_owner, NULL };
    struct bench bench;
    int64_t sweep_ms;

    (void)state;
    open_bench(&bench, NULL);
    know(&bench, 1, "octo/app");
    know(&bench, 2, "octo/lib");
    know(&bench, 3, "hexa/app");
    bench.now_ms += 1000;
    know(&bench, 4, "hepta/app");
    sweep_ms = bench.now_ms += JR_HOUR_MS;
    bench.share = &share;
    look_in_vain(&bench, sweep_ms);
    assert_string_equal(bench.look.repo.name, "hepta/app");
    assert_int_equal(begin(&bench, sweep_ms), JR_ENOENT);
    assert_int_equal(bench.sweep.held_ms, 7200);
    bench.share = NULL;
    for (int i = 0; i < 3; i++) {
        look_in_vain(&bench, sweep_ms);
        assert_string_not_equal(bench.look.repo.name, "hepta/app");
    }
    assert_int_equal(begin(&bench, sweep_ms), JR_ENOENT);
    assert_int_equal(bench.sweep.held_ms, 0);
    close_bench(&bench);
}

/* Those that are not acted on are passed over: nothing is written about them. */
static void not_acted_on(void **state)
{
    struct bench bench;
    struct jr_repo repo;
    struct jr_txn txn;

    (void)state;
    open_bench(&bench, "REPOS=octo/app");
    for (uint64_t id = 1; id <= 1000; id++)
        know(&bench, id, "octo/lib");
    know(&bench, 1001, "octo/app");
    bench.now_ms += JR_HOUR_MS;
    look_in_vain(&bench, bench.now_ms);
    assert_int_equal(bench.look.repo.id, 1001);
    assert_int_equal(begin(&bench, bench.now_ms), JR_ENOENT);
    assert_int_equal(bench.sweep.held_ms, 0);
    jr_txn_begin(&txn, bench.store, false);
    for (uint64_t id = 1; id <= 1001; id++) {
        assert_true(jr_repo_load(&txn, id, &repo));
        assert_int_equal(repo.tried_ms != 0, id == 1001);
    }
    jr_txn_abort(&txn);
    close_bench(&bench);
}

static struct jr_run run_of(struct bench *bench, uint64_t id)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, bench->store, false);
    jr_ledger_load_run(&txn, id, &run);
    commit(&txn);
    return run;
}

static void found_runs_get_an_entry(void **state)
{
    struct bench bench;
    struct jr_event runs[3];
    struct jr_txn txn;
    struct jr_history entry;
    uint32_t number = 0;

    (void)state;
    open_bench(&bench, NULL);
    know(&bench, 1, "octo/app");
    bench.now_ms += JR_HOUR_MS;
    for (size_t i = 0; i < COUNT(runs); i++) {
        runs[i] = event_of(i == 2 ? "Gc=failure~-90000" : "Gc=failure"); /* the last ended long ago */
        runs[i].run_id = RUN_ID + i;
    }
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    assert_int_equal(page(&bench, runs, COUNT(runs), COUNT(runs)), 2);
    assert_true(run_of(&bench, RUN_ID).due_ms != 0);
    assert_true(run_of(&bench, RUN_ID + 1).due_ms != 0);
    assert_int_equal(run_of(&bench, RUN_ID + 2).due_ms, 0);
    assert_int_equal(run_of(&bench, RUN_ID + 2).reason, JR_REASON_MISSED);
    /* The other list shows them again. */
    assert_int_equal(page(&bench, runs, COUNT(runs), COUNT(runs)), 0);
    assert_false(bench.look.active);
    jr_txn_begin(&txn, bench.store, false);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 2);
    assert_true(jr_history_next(&txn, RUN_ID, &number, &entry));
    assert_int_equal(entry.kind, JR_HISTORY_DECISION);
    assert_int_equal(entry.reason, JR_REASON_FOUND_FAILED);
    assert_false(jr_history_next(&txn, RUN_ID, &number, &entry));
    commit(&txn);
    close_bench(&bench);
}

/* One run that cannot be read keeps no other from being found. */
static void damaged_run_in_a_list(void **state)
{
    struct bench bench;
    struct jr_event runs[2] = { event_of("Gc=failure"), event_of("Gc=failure") };

    (void)state;
    open_bench(&bench, NULL);
    know(&bench, 1, "octo/app");
    damage_part(bench.store, RUN_ID, JR_PART_RUN, 0);
    bench.now_ms += JR_HOUR_MS;
    runs[1].run_id++;
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    assert_int_equal(page(&bench, runs, COUNT(runs), COUNT(runs)), 1);
    assert_true(run_of(&bench, RUN_ID + 1).due_ms != 0);
    close_bench(&bench);
}

/* A page of runs that were created from a time on, step_ms apart, newest first. */
static void fill_page(struct bench *bench, struct jr_event *runs, uint64_t first_id,
                      int64_t oldest_ms, int64_t step_ms)
{
    for (size_t i = 0; i < JR_GITHUB_PAGE_RUNS; i++) {
        runs[i] = event_of("Gc=failure");
        runs[i].run_id = first_id + i;
        runs[i].created_ms = oldest_ms + (int64_t)(JR_GITHUB_PAGE_RUNS - 1 - i) * step_ms;
        runs[i].updated_ms = bench->now_ms - JR_MINUTE_MS;
    }
}

/* More than a page: the list is asked again for those up to the oldest, since a
 * rerun takes runs out of the list and would move the pages. */
static void long_lists(void **state)
{
    struct bench bench;
    struct jr_event *runs = calloc(JR_GITHUB_PAGE_RUNS, sizeof *runs);
    int64_t oldest_ms = START_MS + 50 * JR_HOUR_MS;

    (void)state;
    assert_non_null(runs);
    open_bench(&bench, NULL);
    know(&bench, 1, "octo/app");
    bench.now_ms += 60 * JR_HOUR_MS;
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    for (unsigned number = 1; number <= 12; number++) {
        int64_t page_ms = oldest_ms + (12 - number) * JR_MINUTE_MS;

        assert_int_equal(bench.look.list.page, 1);
        fill_page(&bench, runs, RUN_ID + number * 1000, page_ms, 100);
        assert_int_equal(page(&bench, runs, JR_GITHUB_PAGE_RUNS, JR_GITHUB_PAGE_RUNS), JR_GITHUB_PAGE_RUNS);
        assert_true(bench.look.active);
        assert_string_equal(bench.look.list.conclusion, "failure");
        assert_int_equal(bench.look.list.until_ms, page_ms);
    }
    /* All within the second that was asked for last: page by page, then on. */
    for (unsigned number = 1; number <= JR_GITHUB_PAGES; number++) {
        assert_int_equal(bench.look.list.page, number);
        assert_int_equal(bench.look.list.until_ms, oldest_ms);
        fill_page(&bench, runs, RUN_ID + 100000 + number * 1000, oldest_ms, 0);
        page(&bench, runs, JR_GITHUB_PAGE_RUNS, JR_GITHUB_PAGE_RUNS);
    }
    assert_int_equal(bench.look.list.page, 1);
    assert_int_equal(bench.look.list.until_ms, oldest_ms - JR_SECOND_MS);
    /* A page that is not full is the last. */
    page(&bench, runs, 5, 5);
    assert_string_equal(bench.look.list.conclusion, "timed_out");
    assert_int_equal(bench.look.list.until_ms, 0);
    free(runs);
    close_bench(&bench);
}

/* A page of runs that could not be read is a full page all the same. */
static void unreadable_page(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, NULL);
    know(&bench, 1, "octo/app");
    bench.now_ms += JR_HOUR_MS;
    assert_int_equal(begin(&bench, bench.now_ms), JR_OK);
    for (unsigned i = 0; bench.look.active; i++) {
        assert_true(i < 100);
        page(&bench, NULL, 0, JR_GITHUB_PAGE_RUNS);
    }
    close_bench(&bench);
}

int main(void)
{
    TEST(every_conclusion_is_asked);
    TEST(each_once_a_sweep);
    TEST(look_that_breaks_off);
    TEST(how_far_back);
    TEST(left_alone);
    TEST(shares_are_apart);
    TEST(found_runs_get_an_entry);
    TEST(damaged_run_in_a_list);
    TEST(long_lists);
    TEST(unreadable_page);
    TEST(not_acted_on);
    return run_program("reconcile");
}
