/*
 * reporting -- the steps by which it is said at GitHub what becomes of runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/reporting.h"
#include "lib/store/ledger.h"
#include "lib/store/reports.h"
#include "lib/store/threads.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_reporting_work work;
    struct jr_error error;
    int64_t now_ms, due_ms;
    enum jr_reporting_end end;
};

static void open_bench(struct bench *bench, enum jr_reporting report)
{
    memset(bench, 0, sizeof *bench);
    bench->store = open_store(new_folder());
    load_settings(&bench->settings, "RUN_ATTEMPTS=1");
    bench->settings.report = report;
    bench->now_ms = START_MS + 100 * JR_SECOND_MS;
}

static void close_bench(struct bench *bench)
{
    jr_reporting_release(&bench->work);
    jr_settings_release(&bench->settings);
    jr_store_close(bench->store);
}

/* A run fails, and is given up. */
static void run_fails(struct bench *bench)
{
    arrives(bench->store, &bench->settings, "q1,sha:0a1b", &bench->now_ms);
    arrives(bench->store, &bench->settings, "c1=failure,sha:0a1b", &bench->now_ms);
    arrives(bench->store, &bench->settings, "Rc=failure,sha:0a1b", &bench->now_ms);
    bench->now_ms += JR_REPORTS_SETTLE_MS;
}

static enum jr_err claim(struct bench *bench)
{
    jr_reporting_release(&bench->work);
    return jr_reporting_claim(bench->store, &bench->settings, bench->now_ms, &bench->work,
                              &bench->due_ms, &bench->error);
}

static void begin(struct bench *bench, bool is_new)
{
    int64_t wait_ms;

    assert_int_equal(jr_reporting_begin(bench->store, &bench->work, is_new, bench->now_ms,
                                        &wait_ms, &bench->error), JR_OK);
    assert_int_equal(wait_ms, 0);
}

static void settle(struct bench *bench, enum jr_outcome outcome, int status, uint64_t id)
{
    const struct jr_call call = { .api = JR_API_MAKE_CHECK, .outcome = outcome, .status = status };
    const struct jr_reporting_result result = {
        .call = &call, .id = id, .is_written = outcome == JR_OUTCOME_DONE,
        .was_new = outcome != JR_OUTCOME_DONE,
    };

    assert_int_equal(jr_reporting_settle(bench->store, &bench->settings, &bench->work, &result,
                                         bench->now_ms, &bench->end, &bench->error), JR_OK);
}

static void rest(struct bench *bench)
{
    const struct jr_reporting_result none = { .call = NULL };

    assert_int_equal(bench->work.act, JR_REPORTING_REST);
    assert_int_equal(jr_reporting_settle(bench->store, &bench->settings, &bench->work, &none,
                                         bench->now_ms, &bench->end, &bench->error), JR_OK);
    assert_int_equal(bench->end, JR_REPORTING_UNCHANGED);
}

static void made_once(void **state)
{
    struct bench bench;
    char *json;

    (void)state;
    open_bench(&bench, JR_REPORTING_CHECK);
    assert_int_equal(claim(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, 0);
    run_fails(&bench);
    bench.now_ms -= JR_MINUTE_MS;
    assert_int_equal(claim(&bench), JR_ENOENT);
    assert_true(bench.due_ms > bench.now_ms);
    bench.now_ms += JR_MINUTE_MS;
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.act, JR_REPORTING_MAKE);
    json = jr_reporting_json(&bench.work, true);
    assert_non_null(strstr(json, "\"head_sha\":\"0a1b\",\"external_id\":\"12345678901\""));
    assert_non_null(strstr(json, "\"status\":\"completed\",\"conclusion\":\"neutral\""));
    free(json);
    begin(&bench, true);
    /* As after a crash: it is to be looked for, and there is one intent. */
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.act, JR_REPORTING_MAKE);
    assert_true(bench.work.report.intent);
    begin(&bench, true);
    settle(&bench, JR_OUTCOME_DONE, 201, 42);
    assert_int_equal(bench.end, JR_REPORTING_WRITTEN);
    assert_int_equal(claim(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, 0);
    close_bench(&bench);
}

static void lost_answers_are_looked_for(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, JR_REPORTING_CHECK);
    run_fails(&bench);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(claim(&bench), JR_OK);
        assert_int_equal(bench.work.act, JR_REPORTING_MAKE);
        begin(&bench, true);
        settle(&bench, JR_OUTCOME_UNKNOWN, 502, 0);
        assert_int_equal(bench.end, JR_REPORTING_PUT_OFF);
        bench.now_ms += bench.settings.api_backoff_max_ms;
    }
    bench.now_ms += JR_DAY_MS;
    assert_int_equal(claim(&bench), JR_OK);
    begin(&bench, true);
    settle(&bench, JR_OUTCOME_UNKNOWN, 502, 0);
    assert_int_equal(bench.end, JR_REPORTING_GIVEN_UP);
    close_bench(&bench);
}

struct refusal_row {
    const char *name;
    enum jr_outcome outcome;
    int status, tries;
};

static const struct refusal_row refusals[] = {
    { "forbidden", JR_OUTCOME_NEVER, 403, 1 },
    { "not found", JR_OUTCOME_NEVER, 404, 1 },
    { "gone", JR_OUTCOME_NEVER, 410, 1 },
    { "not taken", JR_OUTCOME_NEVER, 422, 1 },
    { "not reached", JR_OUTCOME_LATER, 0, JR_REPORTING_TRIES },
};

static void refusals_end(void **state)
{
    const struct refusal_row *row = *state;
    struct bench bench;

    open_bench(&bench, JR_REPORTING_CHECK);
    run_fails(&bench);
    for (int i = 1; i <= row->tries; i++) {
        assert_int_equal(claim(&bench), JR_OK);
        begin(&bench, true);
        settle(&bench, row->outcome, row->status, 0);
        assert_int_equal(bench.end, i < row->tries ? JR_REPORTING_PUT_OFF : JR_REPORTING_GIVEN_UP);
        bench.now_ms += bench.settings.api_backoff_max_ms;
    }
    assert_int_equal(claim(&bench), JR_ENOENT);
    close_bench(&bench);
}

/* Something comes while it is written: it is said afterwards. */
static void changes_are_not_lost(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, JR_REPORTING_CHECK);
    bench.settings.run_attempts = 4;
    run_fails(&bench);
    assert_int_equal(claim(&bench), JR_OK);
    assert_false(bench.work.standing.ended);
    begin(&bench, true);
    arrives(bench.store, &bench.settings, "q1@2,sha:0a1b,job:1", &bench.now_ms);
    settle(&bench, JR_OUTCOME_DONE, 201, 42);
    bench.now_ms += JR_REPORTS_SETTLE_MS;
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.act, JR_REPORTING_SET);
    begin(&bench, false);
    settle(&bench, JR_OUTCOME_DONE, 200, 42);
    /* It is open, so it is looked at once more, some day. */
    assert_int_equal(claim(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, bench.now_ms + JR_REPORTS_LOOK_MS);
    bench.now_ms += JR_REPORTS_LOOK_MS;
    assert_int_equal(claim(&bench), JR_OK);
    rest(&bench);
    /* Nothing is said any more: it is completed. */
    bench.settings.report = JR_REPORTING_NONE;
    assert_int_equal(claim(&bench), JR_ENOENT);
    assert_int_equal(jr_reporting_hasten(bench.store, bench.now_ms, &bench.error), JR_OK);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.act, JR_REPORTING_SET);
    assert_true(bench.work.closing && bench.work.standing.ended && !bench.work.standing.good);
    settle(&bench, JR_OUTCOME_DONE, 200, 42);
    assert_int_equal(claim(&bench), JR_ENOENT);
    close_bench(&bench);
}

static void what_is_past_retention_is_completed(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, JR_REPORTING_CHECK);
    bench.settings.run_attempts = 4;
    run_fails(&bench);
    assert_int_equal(claim(&bench), JR_OK);
    begin(&bench, true);
    settle(&bench, JR_OUTCOME_DONE, 201, 42);
    bench.now_ms += bench.settings.retention_ms + JR_HOUR_MS;
    assert_int_equal(claim(&bench), JR_OK);
    assert_true(bench.work.closing);
    close_bench(&bench);
}

static void comment_needs_a_pull_request(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, JR_REPORTING_COMMENT);
    run_fails(&bench);
    assert_int_equal(claim(&bench), JR_OK);
    rest(&bench);
    assert_int_equal(claim(&bench), JR_ENOENT);
    close_bench(&bench);
}

/* A run of a pull request is rerun, which a comment says. */
static void comment_is_made(struct bench *bench)
{
    struct jr_run run;
    struct jr_txn txn;

    open_bench(bench, JR_REPORTING_COMMENT);
    bench->settings.run_attempts = 4;
    arrives(bench->store, &bench->settings, "q1,sha:0a1b", &bench->now_ms);
    jr_txn_begin(&txn, bench->store, true);
    assert_true(jr_ledger_read_run(&txn, RUN_ID, &run));
    run.reruns = 1;
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
    arrives(bench->store, &bench->settings, "c1=failure,sha:0a1b", &bench->now_ms);
    arrives(bench->store, &bench->settings, "Rc=failure,sha:0a1b,trigger:pull_request",
            &bench->now_ms);
    bench->now_ms += JR_REPORTS_SETTLE_MS;
    assert_int_equal(claim(bench), JR_OK);
    assert_int_equal(bench->work.act, JR_REPORTING_ASK_PULL);
    assert_int_equal(jr_reporting_note_pull(bench->store, &bench->work, 7, bench->now_ms,
                                            &bench->error), JR_OK);
    assert_int_equal(claim(bench), JR_OK);
    assert_int_equal(bench->work.act, JR_REPORTING_MAKE);
    begin(bench, true);
}

/* It is left since a newer one has come, of which nothing is known here. */
static void run_is_superseded(struct bench *bench)
{
    struct jr_run run;
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, true);
    assert_true(jr_ledger_read_run(&txn, RUN_ID, &run));
    run.phase = JR_PHASE_CLOSED;
    run.reason = JR_REASON_SUPERSEDED;
    run.due_ms = 0;
    jr_ledger_save_run(&txn, &run);
    jr_reports_note(&txn, &run, bench->now_ms);
    commit(&txn);
    bench->now_ms += JR_REPORTS_SETTLE_MS;
}

static void comment_says_that_it_is_left(void **state)
{
    struct bench bench;

    (void)state;
    comment_is_made(&bench);
    settle(&bench, JR_OUTCOME_DONE, 201, 42);
    run_is_superseded(&bench);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.act, JR_REPORTING_SET);
    assert_non_null(strstr(bench.work.text.bytes, "**Superseded: "));
    close_bench(&bench);
}

/* Whether it is there is not known: it is looked for, and only changed. */
static void comment_is_not_made_for_what_is_left(void **state)
{
    struct bench bench;

    (void)state;
    comment_is_made(&bench);
    run_is_superseded(&bench);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.act, JR_REPORTING_MAKE);
    assert_true(bench.work.closing);
    close_bench(&bench);
}

/* A pull request that was locked may be open again when its next run fails. */
static void comment_is_given_up_for_the_run(void **state)
{
    struct bench bench;
    struct jr_thread thread;
    struct jr_report report;
    struct jr_txn txn;

    (void)state;
    comment_is_made(&bench);
    settle(&bench, JR_OUTCOME_NEVER, 403, 0);
    assert_int_equal(bench.end, JR_REPORTING_GIVEN_UP);
    assert_int_equal(claim(&bench), JR_ENOENT);
    jr_txn_begin(&txn, bench.store, false);
    jr_reports_load(&txn, RUN_ID, &report);
    jr_threads_load(&txn, bench.work.run.repo_id, 7, &thread);
    jr_txn_abort(&txn);
    assert_true(report.given_up);
    assert_false(thread.intent);
    assert_int_equal(thread.tries, 0);
    close_bench(&bench);
}

int main(void)
{
    TEST(made_once);
    TEST(lost_answers_are_looked_for);
    TABLE(refusals, refusals_end);
    TEST(changes_are_not_lost);
    TEST(what_is_past_retention_is_completed);
    TEST(comment_needs_a_pull_request);
    TEST(comment_says_that_it_is_left);
    TEST(comment_is_not_made_for_what_is_left);
    TEST(comment_is_given_up_for_the_run);
    return run_program("reporting");
}
