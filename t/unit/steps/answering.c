/*
 * answering -- the steps by which it is done what people ask for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/answering.h"
#include "lib/store/askings.h"
#include "lib/store/ledger.h"
#include "lib/store/reports.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

static const char repo[] = "octo/app";

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_answering work;
    struct jr_run run;
    struct jr_error error;
    int64_t now_ms, due_ms;
    unsigned rerun;
};

static void load_run(struct jr_txn *txn, void *context)
{
    struct bench *bench = context;

    jr_ledger_load_run(txn, RUN_ID, &bench->run);
}

static void look(struct bench *bench)
{
    assert_int_equal(jr_store_read(bench->store, load_run, bench, &bench->error), JR_OK);
}

/* A run has failed, and is given up. */
static void open_bench(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->store = open_store(new_folder());
    load_settings(&bench->settings, "RUN_ATTEMPTS=1 COMMANDS=yes");
    bench->now_ms = START_MS + 100 * JR_SECOND_MS;
    arrives(bench->store, &bench->settings, "q1,sha:0a1b", &bench->now_ms);
    arrives(bench->store, &bench->settings, "c1=failure,sha:0a1b", &bench->now_ms);
    arrives(bench->store, &bench->settings, "Rc=failure,sha:0a1b", &bench->now_ms);
    look(bench);
}

static void close_bench(struct bench *bench)
{
    jr_settings_release(&bench->settings);
    jr_store_close(bench->store);
}

static void add(struct jr_txn *txn, void *context)
{
    const struct jr_asked *asked = context;

    assert_true(jr_askings_add(txn, asked, asked->at_ms));
}

static void asks(struct bench *bench, enum jr_verb verb, uint64_t comment_id)
{
    struct jr_asked asked = {
        .verb = verb, .repo_id = bench->run.repo_id, .who = "octocat", .comment_id = comment_id,
        .pull_request = 7, .at_ms = bench->now_ms, .due_ms = bench->now_ms,
        .who_id = 583231, .run_id = comment_id == 0 ? RUN_ID : 0, .attempt = comment_id == 0,
    };

    memcpy(asked.repo, repo, sizeof repo);
    assert_int_equal(jr_store_write(bench->store, add, &asked, &bench->error), JR_OK);
}

static enum jr_err claim(struct bench *bench)
{
    return jr_answering_claim(bench->store, bench->now_ms, &bench->work, &bench->due_ms,
                              &bench->error);
}

/* What GitHub tells: the commit, and its runs. */
static void learns(struct bench *bench)
{
    const struct jr_event listed[] = { { .run_id = RUN_ID, .workflow_id = 5, .trigger = "push" } };

    memcpy(bench->work.asked.sha, "0a1b", 5);
    jr_answering_choose(&bench->work, listed, 1);
}

static enum jr_asked_end acts(struct bench *bench, enum jr_asked_end end)
{
    assert_int_equal(jr_answering_act(bench->store, &bench->settings, &bench->work, end,
                                      bench->now_ms, &bench->rerun, &bench->error), JR_OK);
    look(bench);
    return bench->work.asked.end;
}

static void is_over(struct bench *bench)
{
    assert_int_equal(jr_answering_go_on(bench->store, &bench->work, JR_ASKED_ACTED, true,
                                        bench->now_ms, &bench->error), JR_OK);
}

/* Who dies after it was done does it not again. */
static void is_done_once(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    assert_int_equal(claim(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, 0);
    asks(&bench, JR_VERB_RERUN, 5);
    assert_int_equal(claim(&bench), JR_OK);
    learns(&bench);
    assert_int_equal(acts(&bench, JR_ASKED_OPEN), JR_ASKED_DONE);
    assert_int_equal(bench.rerun, 1);
    assert_true(bench.run.by_hand && bench.run.asked && !bench.run.rerun_all);
    assert_int_equal(bench.run.phase, JR_PHASE_DUE);
    bench.work.asked.state = JR_ASKED_NEW;
    (void)acts(&bench, JR_ASKED_OPEN);
    assert_int_equal(bench.rerun, 0);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.asked.state, JR_ASKED_ACTED);
    is_over(&bench);
    assert_int_equal(claim(&bench), JR_ENOENT);
    close_bench(&bench);
}

static void refusals_change_nothing(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    asks(&bench, JR_VERB_ALL, 5);
    assert_int_equal(claim(&bench), JR_OK);
    learns(&bench);
    assert_int_equal(acts(&bench, JR_ASKED_CLOSED), JR_ASKED_CLOSED);
    assert_false(bench.run.by_hand);
    close_bench(&bench);
}

/* They are told nothing; and no more than some are asked about. */
static void strangers_are_refused(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    for (unsigned i = 0; i < JR_ANSWERING_REFUSALS + 3; i++) {
        asks(&bench, JR_VERB_RERUN, 5 + i);
        assert_int_equal(claim(&bench), JR_OK);
        assert_int_equal(bench.work.strange, i >= JR_ANSWERING_REFUSALS + 2);
        bench.work.looked_up = i > 1;
        assert_int_equal(acts(&bench, JR_ASKED_NOT_ALLOWED), JR_ASKED_NOT_ALLOWED);
        assert_int_equal(claim(&bench), JR_ENOENT);
    }
    asks(&bench, JR_VERB_RERUN, 0);
    assert_int_equal(claim(&bench), JR_OK);
    assert_false(bench.work.strange);
    assert_false(bench.run.by_hand);
    close_bench(&bench);
}

/* Whoever presses it has not seen the newest attempt. */
static void buttons_go_stale(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    asks(&bench, JR_VERB_RERUN, 0);
    assert_int_equal(claim(&bench), JR_OK);
    bench.work.asked.attempt = 2;
    assert_int_equal(acts(&bench, JR_ASKED_OPEN), JR_ASKED_STALE);
    assert_false(bench.run.by_hand);
    is_over(&bench);
    asks(&bench, JR_VERB_STOP, 0);
    assert_int_equal(claim(&bench), JR_OK);
    bench.work.asked.attempt = 2;
    assert_int_equal(acts(&bench, JR_ASKED_OPEN), JR_ASKED_DONE);
    close_bench(&bench);
}

static void forget_all(struct jr_txn *txn, void *context)
{
    const struct bench *bench = context;

    (void)jr_askings_prune(txn, bench->now_ms + 2 * JR_ASKINGS_LIFE_MS, 10);
}

/* One that was forgotten in hand does not come back, nor touch the next of its number. */
static void is_forgotten_in_hand(void **state)
{
    struct bench bench;
    int64_t wait_ms;

    (void)state;
    open_bench(&bench);
    asks(&bench, JR_VERB_WHY, 5);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(jr_store_write(bench.store, forget_all, &bench, &bench.error), JR_OK);
    assert_int_equal(jr_answering_put_off(bench.store, &bench.work, bench.now_ms, true, &bench.error),
                     JR_OK);
    assert_int_equal(jr_answering_begin(bench.store, &bench.work, bench.now_ms, &wait_ms,
                                        &bench.error), JR_OK);
    assert_int_equal(acts(&bench, JR_ASKED_DONE), JR_ASKED_OPEN);
    assert_int_equal(claim(&bench), JR_ENOENT);
    asks(&bench, JR_VERB_WHY, 6);
    is_over(&bench);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.asked.comment_id, 6);
    close_bench(&bench);
}

static bool is_stopped(struct bench *bench)
{
    struct jr_txn txn;
    bool holds;

    jr_txn_begin(&txn, bench->store, false);
    holds = jr_stops_hold(&txn, &bench->run);
    jr_txn_abort(&txn);
    return holds;
}

static void stops_and_goes_on(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    asks(&bench, JR_VERB_STOP, 5);
    assert_int_equal(claim(&bench), JR_OK);
    learns(&bench);
    assert_int_equal(acts(&bench, JR_ASKED_OPEN), JR_ASKED_DONE);
    assert_true(is_stopped(&bench));
    assert_false(bench.run.by_hand);
    is_over(&bench);
    /* A button knows the run alone, and by it the commit. */
    asks(&bench, JR_VERB_ALL, 0);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(acts(&bench, JR_ASKED_OPEN), JR_ASKED_DONE);
    assert_false(is_stopped(&bench));
    assert_true(bench.run.by_hand && bench.run.rerun_all);
    close_bench(&bench);
}

static void another_repository(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    bench.run.repo_id++;
    asks(&bench, JR_VERB_RERUN, 0);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(acts(&bench, JR_ASKED_OPEN), JR_ASKED_NOTHING);
    assert_false(bench.run.by_hand);
    close_bench(&bench);
}

static void newest_of_each_workflow(void **state)
{
    const struct jr_event listed[] = {
        { .run_id = 9, .workflow_id = 1, .trigger = "pull_request" },
        { .run_id = 8, .workflow_id = 2, .trigger = "pull_request" },
        { .run_id = 7, .workflow_id = 1, .trigger = "push" },
        { .run_id = 6, .workflow_id = 1, .trigger = "pull_request" },
    };
    struct jr_answering work = { .number = 1 };

    (void)state;
    jr_answering_choose(&work, listed, COUNT(listed));
    assert_int_equal(work.asked.count, 3);
    assert_int_equal(work.asked.runs[0], 9);
    assert_int_equal(work.asked.runs[1], 8);
    assert_int_equal(work.asked.runs[2], 7);
}

static void is_put_off(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    asks(&bench, JR_VERB_WHY, 5);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(jr_answering_put_off(bench.store, &bench.work, bench.now_ms + 500, true,
                                          &bench.error), JR_OK);
    assert_int_equal(claim(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, bench.now_ms + 500);
    bench.now_ms += 500;
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.asked.tries, 1);
    bench.now_ms -= 2 * JR_ASKED_LIFE_MS; /* the clock was set back */
    assert_int_equal(claim(&bench), JR_OK);
    close_bench(&bench);
}

/* What is written is counted among the reports; the intent to write a comment is on disk. */
static void writing_is_counted(void **state)
{
    struct bench bench;
    struct jr_buffer text;
    int64_t wait_ms;

    (void)state;
    open_bench(&bench);
    asks(&bench, JR_VERB_WHY, 5);
    assert_int_equal(claim(&bench), JR_OK);
    learns(&bench);
    assert_int_equal(acts(&bench, JR_ASKED_DONE), JR_ASKED_DONE);
    assert_int_equal(jr_answering_go_on(bench.store, &bench.work, JR_ASKED_SAYS, false,
                                        bench.now_ms, &bench.error), JR_OK);
    assert_int_equal(jr_answering_begin(bench.store, &bench.work, bench.now_ms, &wait_ms,
                                        &bench.error), JR_OK);
    assert_int_equal(wait_ms, 0);
    assert_int_equal(claim(&bench), JR_OK);
    assert_true(bench.work.asked.intent);
    jr_buffer_init(&text, 65535);
    assert_int_equal(jr_answering_tell(bench.store, &bench.settings, &bench.work, &text,
                                       &bench.error), JR_OK);
    assert_int_equal(strncmp(text.bytes, "<!-- job-rerunner why 5 -->\n", 28), 0);
    assert_contains(text.bytes, "### `");
    jr_buffer_release(&text);
    for (int i = 1; i < JR_REPORTS_A_MINUTE; i++) {
        assert_int_equal(jr_answering_begin(bench.store, &bench.work, bench.now_ms, &wait_ms,
                                            &bench.error), JR_OK);
        assert_int_equal(wait_ms, 0);
    }
    assert_int_equal(jr_answering_begin(bench.store, &bench.work, bench.now_ms, &wait_ms,
                                        &bench.error), JR_OK);
    assert_true(wait_ms > 0 && wait_ms <= JR_MINUTE_MS);
    close_bench(&bench);
}

int main(void)
{
    TEST(is_done_once);
    TEST(refusals_change_nothing);
    TEST(strangers_are_refused);
    TEST(buttons_go_stale);
    TEST(is_forgotten_in_hand);
    TEST(stops_and_goes_on);
    TEST(another_repository);
    TEST(newest_of_each_workflow);
    TEST(is_put_off);
    TEST(writing_is_counted);
    return run_program("answering");
}
