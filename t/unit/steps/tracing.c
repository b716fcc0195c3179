/*
 * tracing -- whose rerun it was, of those that nobody here has asked for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/step.h"
#include "lib/steps/tracing.h"
#include "lib/store/days.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <string.h>

#define HOSTS "CLUSTER_ETCD=http://127.0.0.1:2379 GITHUB_TOKEN=x"

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_due entry;
    struct jr_run run;
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t now_ms, due_ms;
};

static void play(struct bench *bench, const char *const *tokens)
{
    for (; *tokens != NULL; tokens++)
        arrives(bench->store, &bench->settings, *tokens, &bench->now_ms);
}

/* Attempt 2 of a failed run shows itself, and it is due to see whose that is. */
static void open_bench(struct bench *bench, const char *settings)
{
    memset(bench, 0, sizeof *bench);
    bench->store = open_store(new_folder());
    load_settings(&bench->settings, settings);
    bench->now_ms = START_MS;
    play(bench, (const char *[]){ "q1", "c1=failure", "q2@2", NULL });
    bench->now_ms += JR_STEP_TRACE_MS;
}

static void close_bench(struct bench *bench)
{
    jr_store_close(bench->store);
    jr_settings_release(&bench->settings);
}

static enum jr_err find(struct bench *bench)
{
    return jr_tracing_find(bench->store, bench->now_ms, &bench->entry, &bench->due_ms,
                           &bench->error);
}

static void settle(struct bench *bench, bool is_of_host)
{
    const struct jr_call call = { .what = "no call", .outcome = JR_OUTCOME_DONE,
                                  .reason = JR_REASON_RERUN_ELSEWHERE, .text = "web-2" };

    struct jr_traced traced = { .run.known = false };

    assert_int_equal(jr_tracing_settle(bench->store, &bench->settings, &bench->entry,
                                       is_of_host ? &call : NULL, bench->now_ms, &traced,
                                       &bench->error),
                     JR_OK);
    bench->run = traced.run;
    bench->verdict = traced.verdict;
}

static struct jr_run stored(struct bench *bench)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, bench->store, false);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    commit(&txn);
    return run;
}

/* What the history has told last as an outcome of attempt 1. */
static enum jr_reason told(struct bench *bench)
{
    enum jr_reason reason = JR_REASON_NONE;
    struct jr_history entry;
    uint32_t number = 0;
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, false);
    while (jr_history_next(&txn, RUN_ID, &number, &entry))
        if (entry.kind == JR_HISTORY_OUTCOME && entry.attempt == 1)
            reason = entry.reason;
    commit(&txn);
    return reason;
}

static struct jr_day today(struct bench *bench)
{
    struct jr_day day;

    assert_int_equal(jr_days_read(bench->store, bench->now_ms, &day, 1, &bench->error), JR_OK);
    return day;
}

static void only_with_other_hosts(void **state)
{
    static const struct {
        const char *settings;
        bool noted;
    } rows[] = {
        { HOSTS, true },
        { NULL, false },
        { HOSTS " DRY_RUN=1", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench bench;

        open_bench(&bench, rows[i].settings);
        assert_int_equal(find(&bench), rows[i].noted ? JR_OK : JR_ENOENT);
        assert_int_equal(bench.due_ms != 0, rows[i].noted);
        close_bench(&bench);
    }
}

static void not_before_it_is_due(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, HOSTS);
    bench.now_ms--;
    assert_int_equal(find(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, bench.now_ms + 1);
    bench.now_ms -= JR_HOUR_MS; /* the clock is set back: it is due at once */
    assert_int_equal(find(&bench), JR_OK);
    assert_int_equal(bench.entry.attempt, 1);
    close_bench(&bench);
}

static void another_host(void **state)
{
    struct bench bench;
    struct jr_run run;

    (void)state;
    open_bench(&bench, HOSTS);
    assert_int_equal(told(&bench), JR_REASON_RERUN_BY_OTHERS);
    assert_int_equal(today(&bench).reruns, 0);
    assert_int_equal(find(&bench), JR_OK);
    settle(&bench, true);
    assert_true(bench.verdict.changed);
    assert_int_equal(bench.verdict.reason, JR_REASON_RERUN_ELSEWHERE);
    run = stored(&bench);
    assert_int_equal(run.attempt, 2);
    assert_int_equal(run.reruns, 1);
    assert_int_equal(run.accepted_attempt, 1);
    assert_int_equal(told(&bench), JR_REASON_RERUN_ELSEWHERE);
    assert_int_equal(find(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, 0);
    play(&bench, (const char *[]){ "c2@2=success", "Rc=success@2", NULL });
    assert_int_equal(today(&bench).reruns, 1);
    assert_int_equal(today(&bench).rescued, 1);
    close_bench(&bench);
}

/* What came of attempt 2 is known before it is known whose it is. */
static void another_host_late(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, HOSTS);
    play(&bench, (const char *[]){ "c2@2=success", "Rc=success@2", NULL });
    assert_int_equal(today(&bench).rescued, 0);
    assert_int_equal(find(&bench), JR_OK);
    settle(&bench, true);
    assert_int_equal(today(&bench).reruns, 1);
    assert_int_equal(today(&bench).rescued, 1);
    close_bench(&bench);
}

static void nobody_of_ours(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, HOSTS);
    assert_int_equal(find(&bench), JR_OK);
    settle(&bench, false);
    assert_false(bench.verdict.changed);
    assert_int_equal(told(&bench), JR_REASON_RERUN_BY_OTHERS);
    assert_int_equal(stored(&bench).reruns, 0);
    assert_int_equal(find(&bench), JR_ENOENT);
    close_bench(&bench);
}

/* Two reruns, of which the later one is known first: each counts once, and rule 6 stays. */
static void later_one_first(void **state)
{
    struct bench bench;
    struct jr_due first;

    (void)state;
    open_bench(&bench, HOSTS);
    assert_int_equal(find(&bench), JR_OK);
    first = bench.entry;
    play(&bench, (const char *[]){ "c2@2=failure", "q3@3", NULL });
    bench.now_ms += JR_STEP_TRACE_MS;
    bench.entry = (struct jr_due){ .kind = JR_DUE_TRACE, .due_ms = bench.now_ms,
                                   .run_id = RUN_ID, .attempt = 2 };
    settle(&bench, true);
    assert_int_equal(stored(&bench).accepted_attempt, 2);
    assert_int_equal(stored(&bench).reruns, 1);
    bench.entry = first;
    settle(&bench, true);
    assert_int_equal(stored(&bench).accepted_attempt, 2);
    assert_int_equal(stored(&bench).reruns, 2);
    settle(&bench, true); /* its entry is gone */
    assert_int_equal(stored(&bench).reruns, 2);
    assert_int_equal(find(&bench), JR_ENOENT);
    close_bench(&bench);
}

/* An answer that was under way has told of it meanwhile. */
static void known_meanwhile(void **state)
{
    const struct jr_input input = {
        .kind = JR_INPUT_POSTED, .attempt = 1, .outcome = JR_OUTCOME_DONE,
        .reason = JR_REASON_RERUN_ELSEWHERE, .now_ms = START_MS + JR_HOUR_MS,
    };
    struct jr_bounds bounds;
    struct bench bench;
    struct jr_txn txn;

    (void)state;
    open_bench(&bench, HOSTS);
    bounds = jr_step_bounds(&bench.settings);
    jr_txn_begin(&txn, bench.store, true);
    jr_ledger_load_run(&txn, RUN_ID, &bench.run);
    jr_step_take(&txn, &bounds, &input, NULL, &bench.run, &bench.verdict);
    commit(&txn);
    assert_int_equal(stored(&bench).reruns, 1);
    assert_int_equal(find(&bench), JR_OK);
    settle(&bench, true);
    assert_false(bench.verdict.changed);
    assert_int_equal(stored(&bench).reruns, 1);
    assert_int_equal(find(&bench), JR_ENOENT);
    close_bench(&bench);
}

static void forgotten_meanwhile(void **state)
{
    struct bench bench;
    struct jr_txn txn;

    (void)state;
    open_bench(&bench, HOSTS);
    jr_txn_begin(&txn, bench.store, true);
    jr_ledger_load_run(&txn, RUN_ID, &bench.run);
    jr_ledger_remove_run(&txn, &bench.run);
    commit(&txn);
    assert_int_equal(find(&bench), JR_OK);
    settle(&bench, true);
    assert_false(bench.verdict.changed);
    assert_false(stored(&bench).known);
    assert_int_equal(find(&bench), JR_ENOENT);
    close_bench(&bench);
}

static void again_and_given_up(void **state)
{
    struct bench bench;
    int64_t begun_ms;

    (void)state;
    open_bench(&bench, HOSTS);
    begun_ms = bench.now_ms - JR_STEP_TRACE_MS;
    assert_int_equal(find(&bench), JR_OK);
    assert_int_equal(jr_tracing_postpone(bench.store, &bench.entry, bench.now_ms, &bench.error), JR_OK);
    assert_int_equal(find(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, bench.now_ms + JR_TRACING_AGAIN_MS);
    bench.now_ms = begun_ms + JR_TRACING_PATIENCE_MS - 1;
    assert_int_equal(find(&bench), JR_OK);
    assert_int_equal(bench.entry.tries, 1);
    assert_int_equal(jr_tracing_postpone(bench.store, &bench.entry, bench.now_ms, &bench.error), JR_OK);
    bench.now_ms += JR_TRACING_AGAIN_MS;
    assert_int_equal(find(&bench), JR_OK);
    assert_int_equal(jr_tracing_postpone(bench.store, &bench.entry, bench.now_ms, &bench.error), JR_OK);
    assert_int_equal(find(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, 0);
    assert_int_equal(told(&bench), JR_REASON_RERUN_BY_OTHERS);
    close_bench(&bench);
}

static void put_trace(struct bench *bench, uint64_t run_id)
{
    const struct jr_due entry = { .kind = JR_DUE_TRACE, .due_ms = START_MS, .run_id = run_id,
                                  .attempt = 1, .waiting_ms = START_MS };
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, true);
    jr_outbox_put(&txn, &entry);
    commit(&txn);
}

static void there_is_one_host_now(void **state)
{
    struct bench bench;
    struct jr_txn txn;

    (void)state;
    open_bench(&bench, HOSTS);
    for (uint64_t i = 1; i <= 501; i++)
        put_trace(&bench, RUN_ID + i);
    assert_int_equal(jr_tracing_drop(bench.store, &bench.error), JR_OK);
    assert_int_equal(find(&bench), JR_ENOENT);
    jr_txn_begin(&txn, bench.store, false);
    assert_false(jr_outbox_has(&txn, JR_DUE_TRACE));
    commit(&txn);
    close_bench(&bench);
}

int main(void)
{
    TEST(only_with_other_hosts);
    TEST(not_before_it_is_due);
    TEST(another_host);
    TEST(another_host_late);
    TEST(nobody_of_ours);
    TEST(later_one_first);
    TEST(known_meanwhile);
    TEST(forgotten_meanwhile);
    TEST(again_and_given_up);
    TEST(there_is_one_host_now);
    return run_program("tracing");
}
