/*
 * holding -- what an outage holds, in the store: found in what is judged, with a probe that is
 * chosen with its intent, and whatever comes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/chosen.h"
#include "lib/steps/control.h"
#include "lib/steps/holding.h"
#include "lib/steps/judging.h"
#include "lib/steps/rerun.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"
#include "lib/store/notices.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_TEXT                                                                   \
    "version: 1\notherwise: leave\nrules:\n  - rerun: [infrastructure]\n"            \
    "outage: { runs: 4, within: 10m, hold: 5m }\n"                                  \
    "repositories:\n  'octo/apart': { mixed: any }\n"

/* All notices are wanted. */
#define NOTIFY_ON ~0u

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_policy policy;
    struct jr_error error;
    struct jr_holding_work work;
    int64_t now_ms;
};

static void open_bench(struct bench *bench)
{
    const char *path = path_in(new_folder(), "policy.yml");
    char variables[512], *problems;

    memset(bench, 0, sizeof *bench);
    write_file(path, POLICY_TEXT, strlen(POLICY_TEXT));
    snprintf(variables, sizeof variables, "POLICY=%s", path);
    bench->store = open_store(new_folder());
    load_settings(&bench->settings, variables);
    assert_int_equal(jr_chosen_load(&bench->settings, &problems), JR_OK);
    assert_int_equal(jr_chosen_policy(&bench->settings, &bench->policy), JR_OK);
    assert_true(bench->settings.judges);
    bench->now_ms = START_MS;
}

static void close_bench(struct bench *bench)
{
    jr_policy_release(&bench->policy);
    jr_settings_release(&bench->settings);
    jr_store_close(bench->store);
}

static void load(struct bench *bench, unsigned number, struct jr_run *run)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, false);
    jr_ledger_load_run(&txn, RUN_ID + number, run);
    commit(&txn);
}

/* Run `number' is due, has failed in its newest attempt, and is going to be judged. */
static void put_run(struct bench *bench, unsigned number, uint32_t attempt)
{
    struct jr_run run;
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, true);
    jr_ledger_load_run(&txn, RUN_ID + number, &run);
    run.known = true;
    snprintf(run.repo, sizeof run.repo, "octo/app");
    snprintf(run.workflow, sizeof run.workflow, "workflow %u", number % 2);
    run.attempt = attempt;
    run.base_attempt = 1;
    run.numbered = run.complete = true;
    run.conclusion = JR_CONCLUSION_FAILURE;
    run.phase = JR_PHASE_DUE;
    run.reason = JR_REASON_RUN_FAILED;
    run.due_ms = run.last_event_ms = run.updated_ms = bench->now_ms;
    run.waiting_ms = bench->now_ms;
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
}

/* It failed for a cause at the bench's time, and is judged. */
static void fails(struct bench *bench, unsigned number, uint32_t attempt, enum jr_cause cause)
{
    struct jr_failure failure = {
        .job_id = JOB_ID(10 * number + attempt), .attempt = attempt, .name = "build",
        .conclusion = JR_CONCLUSION_FAILURE, .completed_ms = bench->now_ms,
        .log_found = JR_FOUND, .finding = { .cause = cause, .step = "Run make" },
    };
    struct jr_judging judging = { .policy = &bench->policy };
    struct jr_verdict verdict;
    struct jr_run run;

    put_run(bench, number, attempt);
    load(bench, number, &run);
    snprintf(failure.runner, sizeof failure.runner, "machine %u", number);
    assert_int_equal(jr_judging_add(&judging, &failure), JR_OK);
    assert_int_equal(jr_judging_take(bench->store, &bench->settings, &judging, &run, bench->now_ms,
                                     &verdict, &bench->error), JR_OK);
    jr_judging_release(&judging);
}

/* GitHub shows run `number' as it was. Returns what is decided. */
static struct jr_verdict see(struct bench *bench, unsigned number)
{
    struct jr_event seen = event_of("Gc=failure");
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE, .status = 200 };
    const struct jr_rerun_answer answer = { .call = &call, .seen = &seen, .policy = &bench->policy };
    struct jr_verdict verdict;
    struct jr_run run;

    load(bench, number, &run);
    seen.run_id = run.run_id;
    seen.attempt = run.attempt;
    seen.workflow[0] = '\0';
    seen.created_ms = seen.updated_ms = run.updated_ms;
    assert_int_equal(jr_rerun_seen(bench->store, &bench->settings, &answer, &run, bench->now_ms,
                                   &verdict, &bench->error), JR_OK);
    return verdict;
}

static bool goes_ahead(struct bench *bench, unsigned number)
{
    struct jr_verdict verdict = see(bench, number);

    if (verdict.step != JR_STEP_RERUN_FAILED)
        assert_string_equal(jr_reason_token(verdict.reason), "outage-hold");
    return verdict.step == JR_STEP_RERUN_FAILED;
}

/* GitHub takes the rerun; it is the run's next attempt, which goes on. */
static void accept(struct bench *bench, unsigned number)
{
    struct jr_call call = { .what = "POST", .outcome = JR_OUTCOME_DONE, .status = 201 };
    struct jr_verdict verdict;
    struct jr_run run;

    load(bench, number, &run);
    assert_int_equal(jr_rerun_outcome(bench->store, &bench->settings,
                                      &(struct jr_rerun_answer){ .call = &call, .posted = true,
                                                                 .attempt = run.attempt },
                                      &run, bench->now_ms, &verdict, &bench->error), JR_OK);
    assert_int_equal(run.accepted_attempt + 1, run.attempt);
}

/* A job of its attempt ends so; with `over' the run, too. */
static void ends(struct bench *bench, unsigned number, enum jr_conclusion conclusion)
{
    struct jr_run run;
    struct jr_job job;
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, true);
    jr_ledger_load_run(&txn, RUN_ID + number, &run);
    jr_ledger_load_job(&txn, run.run_id, JOB_ID(10 * number + run.attempt), &job);
    job.known = true;
    job.attempt = run.attempt;
    job.status = JR_STATUS_COMPLETED;
    job.conclusion = conclusion;
    snprintf(job.name, sizeof job.name, "build");
    jr_ledger_save_job(&txn, &job);
    run.complete = true;
    run.conclusion = conclusion;
    run.phase = JR_PHASE_CLOSED;
    run.due_ms = run.waiting_ms = 0;
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
}

static void work(struct bench *bench)
{
    assert_int_equal(jr_holding_work(bench->store, &bench->policy, NOTIFY_ON, bench->now_ms, &bench->work,
                                     &bench->error), JR_OK);
}

static struct jr_causehold state_of(struct bench *bench, enum jr_cause cause)
{
    struct jr_causehold hold;
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, false);
    jr_causehold_load(&txn, cause, bench->now_ms, &hold);
    commit(&txn);
    return hold;
}

static unsigned due_now(struct bench *bench, unsigned from, unsigned to)
{
    unsigned count = 0;
    struct jr_run run;

    for (unsigned i = from; i <= to; i++) {
        load(bench, i, &run);
        count += run.due_ms != 0 && run.due_ms <= bench->now_ms;
    }
    return count;
}

/* Runs 1 to `count' fail for a registry, and are seen: held, from the fourth on. */
static void begin_outage(struct bench *bench, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        bench->now_ms += JR_SECOND_MS;
        fails(bench, i, 1, JR_CAUSE_REGISTRY);
    }
    assert_int_equal(state_of(bench, JR_CAUSE_REGISTRY).phase, JR_CAUSEHOLD_HELD);
    for (unsigned i = 1; i <= count; i++)
        assert_false(goes_ahead(bench, i));
}

/* Its probe goes ahead: the first of those that are held. Returns which. */
static unsigned begin_probe(struct bench *bench, unsigned count)
{
    bench->now_ms = state_of(bench, JR_CAUSE_REGISTRY).next_probe_ms;
    work(bench);
    assert_int_equal(bench->work.sent, 1);
    for (unsigned i = 1; i <= count; i++) {
        if (due_now(bench, i, i) == 0)
            continue;
        assert_true(goes_ahead(bench, i));
        assert_int_equal(state_of(bench, JR_CAUSE_REGISTRY).probe_run_id, RUN_ID + i);
        return i;
    }
    fail();
    return 0;
}

static void a_surge_is_found(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 4);
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).runs, 4);
    work(&bench);
    assert_int_equal(bench.work.news.count, 1);
    assert_int_equal(bench.work.news.items[0].news, JR_CAUSEHOLD_BEGINS);
    assert_int_equal(bench.work.held, UINT64_C(1) << JR_CAUSE_REGISTRY);
    work(&bench);
    assert_int_equal(bench.work.news.count, 0); /* it is told once */
    /* Another cause of the family is held with its first failure, one of another is not. */
    fails(&bench, 5, 1, JR_CAUSE_NETWORK);
    fails(&bench, 6, 1, JR_CAUSE_RUNNER_LOST);
    assert_false(goes_ahead(&bench, 5));
    assert_true(goes_ahead(&bench, 6));
    close_bench(&bench);
}

/* Events come in any order: it counts when the failure happened, not when it is judged. */
static void late_news_count(void **state)
{
    static const int seconds[] = { 500, 0, 599, 300 };
    struct bench bench;

    (void)state;
    open_bench(&bench);
    for (unsigned i = 0; i < COUNT(seconds); i++) {
        bench.now_ms = START_MS + seconds[i] * JR_SECOND_MS;
        fails(&bench, i + 1, 1, JR_CAUSE_REGISTRY);
    }
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).phase, JR_CAUSEHOLD_HELD);
    close_bench(&bench);
}

/* A run of so many jobs fails for something else that not all failures can be looked at. */
static void others_hide_nothing(void **state)
{
    struct jr_failure failure = {
        .attempt = 1, .name = "test", .conclusion = JR_CONCLUSION_FAILURE, .counts = true,
        .log_found = JR_FOUND, .finding = { .cause = JR_CAUSE_TEST, .step = "Run make" },
    };
    struct bench bench;
    struct jr_run run;
    struct jr_txn txn;

    (void)state;
    open_bench(&bench);
    put_run(&bench, 99, 1);
    load(&bench, 99, &run);
    failure.completed_ms = bench.now_ms;
    jr_txn_begin(&txn, bench.store, true);
    for (failure.job_id = JOB_ID(1000); failure.job_id < JOB_ID(3000); failure.job_id++)
        jr_failures_save(&txn, &run, &failure, bench.now_ms);
    commit(&txn);
    begin_outage(&bench, 4);
    close_bench(&bench);
}

static void the_same_run_counts_once(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    for (unsigned i = 1; i <= 3; i++)
        for (unsigned attempt = 1; attempt <= 2; attempt++)
            fails(&bench, i, attempt, JR_CAUSE_REGISTRY);
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).phase, JR_CAUSEHOLD_FREE);
    close_bench(&bench);
}

static void success_releases(void **state)
{
    struct bench bench;
    unsigned probe, ahead = 0;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 12);
    probe = begin_probe(&bench, 12);
    for (unsigned i = 1; i <= 12; i++)
        assert_int_equal(goes_ahead(&bench, i), i == probe);
    accept(&bench, probe);
    work(&bench);
    assert_int_equal(bench.work.sent, 0);
    ends(&bench, probe, JR_CONCLUSION_SUCCESS);
    work(&bench);
    assert_int_equal(bench.work.news.items[0].news & JR_CAUSEHOLD_OVER, JR_CAUSEHOLD_OVER);
    assert_int_equal(bench.work.held, 0);
    work(&bench);
    assert_int_equal(bench.work.sent + due_now(&bench, 1, 12), due_now(&bench, 1, 12)); /* sent before */
    assert_int_equal(due_now(&bench, 1, 12), 2);
    for (unsigned i = 1; i <= 12; i++)
        if (i != probe && due_now(&bench, i, i) == 1)
            ahead += goes_ahead(&bench, i);
    assert_int_equal(ahead, 2);
    for (unsigned i = 1; i <= 12; i++)
        if (i != probe && due_now(&bench, i, i) == 0)
            assert_false(goes_ahead(&bench, i));
    bench.now_ms += JR_MINUTE_MS;
    work(&bench);
    assert_int_equal(bench.work.sent, 4);
    close_bench(&bench);
}

/* What becomes of a probe's next attempt, and what of the hold. */
struct probe_row {
    const char *name;
    enum jr_conclusion conclusion; /* of the next attempt */
    enum jr_cause cause;           /* for which it failed; NONE: nobody looked */
    enum jr_causehold_phase phase;
    int hold_minutes;
    bool again; /* another probe may go at once */
};

static void probe_comes_out(void **state)
{
    const struct probe_row *row = *state;
    struct jr_causehold hold;
    struct bench bench;
    unsigned probe;

    open_bench(&bench);
    begin_outage(&bench, 6);
    probe = begin_probe(&bench, 6);
    accept(&bench, probe);
    bench.now_ms += JR_MINUTE_MS;
    ends(&bench, probe, row->conclusion);
    if (row->cause != JR_CAUSE_NONE)
        fails(&bench, probe, 2, row->cause);
    work(&bench);
    hold = state_of(&bench, JR_CAUSE_REGISTRY);
    assert_int_equal(hold.phase, row->phase);
    assert_int_equal(hold.hold_ms, row->hold_minutes * JR_MINUTE_MS);
    assert_int_equal(hold.probe_run_id, 0);
    assert_int_equal(hold.phase == JR_CAUSEHOLD_HELD && jr_causehold_room(&hold, bench.now_ms) > 0,
                     row->again);
    close_bench(&bench);
}

static const struct probe_row probes[] = {
    { "success", JR_CONCLUSION_SUCCESS, JR_CAUSE_NONE, JR_CAUSEHOLD_RELEASING, 5, false },
    { "the same cause", JR_CONCLUSION_FAILURE, JR_CAUSE_REGISTRY, JR_CAUSEHOLD_HELD, 10, false },
    { "another of its kind", JR_CONCLUSION_FAILURE, JR_CAUSE_GIT, JR_CAUSEHOLD_HELD, 10, false },
    { "something else", JR_CONCLUSION_FAILURE, JR_CAUSE_TEST, JR_CAUSEHOLD_RELEASING, 5, false },
    { "nobody knows what", JR_CONCLUSION_FAILURE, JR_CAUSE_NONE, JR_CAUSEHOLD_HELD, 10, false },
    { "cancelled", JR_CONCLUSION_CANCELLED, JR_CAUSE_NONE, JR_CAUSEHOLD_HELD, 5, true },
};

/* The process dies behind the POST, and the events of the next attempt are there first. */
static void events_come_before_the_outcome(void **state)
{
    struct bench bench;
    struct jr_run run;
    struct jr_txn txn;
    unsigned probe;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 6);
    probe = begin_probe(&bench, 6);
    jr_txn_begin(&txn, bench.store, true);
    jr_ledger_load_run(&txn, RUN_ID + probe, &run);
    run.attempt = 2;
    run.complete = false;
    run.conclusion = JR_CONCLUSION_NONE;
    run.phase = JR_PHASE_OPEN;
    run.due_ms = run.waiting_ms = 0;
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
    work(&bench);
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).probe_run_id, run.run_id);
    ends(&bench, probe, JR_CONCLUSION_SUCCESS);
    work(&bench);
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).phase, JR_CAUSEHOLD_RELEASING);
    close_bench(&bench);
}

static void a_probe_that_is_lost(void **state)
{
    struct bench bench;
    struct jr_forgotten forgotten;
    unsigned first, next;
    struct jr_run run;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 6);
    first = begin_probe(&bench, 6);
    accept(&bench, first);
    work(&bench);
    assert_int_equal(bench.work.sent, 0);
    bench.now_ms += JR_CAUSEHOLD_PROBE_MS; /* it never ends */
    work(&bench);
    assert_int_equal(bench.work.sent, 1);
    next = first == 1 ? 2 : 1;
    for (next = 1; next <= 6; next++)
        if (next != first && due_now(&bench, next, next) == 1)
            break;
    assert_true(goes_ahead(&bench, next));
    accept(&bench, next);
    load(&bench, next, &run);
    assert_int_equal(jr_control_forget(bench.store, run.run_id, "alice", bench.now_ms, &forgotten,
                                       &bench.error), JR_OK);
    work(&bench);
    assert_int_equal(bench.work.sent, 1); /* the third */
    close_bench(&bench);
}

static void a_turn_that_is_not_taken(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 6);
    bench.now_ms = state_of(&bench, JR_CAUSE_REGISTRY).next_probe_ms;
    work(&bench);
    assert_int_equal(bench.work.sent, 1);
    work(&bench);
    assert_int_equal(bench.work.sent, 0); /* it has its time */
    bench.now_ms += 15 * JR_SECOND_MS;
    work(&bench);
    assert_int_equal(bench.work.sent, 1); /* and then it is another's turn */
    close_bench(&bench);
}

static void what_is_paused_has_no_turn(void **state)
{
    struct jr_list patterns = { .count = 0 };
    const struct jr_pause wanted = { .who = "alice" };
    struct jr_pauses pauses;
    struct bench bench;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 6);
    assert_int_equal(jr_control_pause(bench.store, &patterns, &wanted, bench.now_ms, &pauses,
                                      &bench.error), JR_OK);
    bench.now_ms += JR_HOUR_MS / 2;
    work(&bench);
    assert_int_equal(bench.work.sent, 0);
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).phase, JR_CAUSEHOLD_HELD);
    close_bench(&bench);
}

static void lifted_by_hand(void **state)
{
    struct jr_causeholds lifted;
    struct jr_act acts[2];
    struct bench bench;
    size_t count;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 6);
    assert_int_equal(jr_control_lift(bench.store, JR_CAUSE_NETWORK, "alice", bench.now_ms, &lifted, &bench.error), JR_OK);
    assert_int_equal(lifted.count, 0);
    assert_int_equal(jr_control_lift(bench.store, JR_CAUSE_NONE, "alice", bench.now_ms, &lifted, &bench.error), JR_OK);
    assert_int_equal(lifted.count, 1);
    assert_int_equal(jr_control_lift(bench.store, JR_CAUSE_NONE, "alice", bench.now_ms, &lifted, &bench.error), JR_OK);
    assert_int_equal(lifted.count, 0); /* once */
    assert_int_equal(jr_control_news(bench.store, acts, 2, &count, &bench.error), JR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(acts[0].kind, JR_ACT_LIFT);
    assert_int_equal(acts[0].cause, JR_CAUSE_REGISTRY);
    assert_string_equal(acts[0].who, "alice");
    work(&bench);
    assert_int_equal(bench.work.sent, 6);
    assert_string_equal(bench.work.news.items[0].lifted_by, "alice");
    for (unsigned i = 1; i <= 6; i++) {
        assert_true(goes_ahead(&bench, i));
        accept(&bench, i);
    }
    work(&bench);
    assert_int_equal(bench.work.in_force, 0);
    /* What failed before does not count: three more are too few, four are enough. */
    for (unsigned i = 11; i <= 14; i++) {
        assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).phase, JR_CAUSEHOLD_FREE);
        bench.now_ms += JR_SECOND_MS;
        fails(&bench, i, 1, JR_CAUSE_REGISTRY);
    }
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).phase, JR_CAUSEHOLD_HELD);
    close_bench(&bench);
}

/* The next notice that waits is of a kind, for registry; it is taken. */
static void expect_notice(struct bench *bench, enum jr_notice_kind kind)
{
    struct jr_notice_batch batch;
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, true);
    jr_notices_begin(&txn, bench->now_ms, &batch);
    jr_notices_end(&txn, &batch, true);
    commit(&txn);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.items[0].kind, kind);
    assert_int_equal(batch.items[0].causes, UINT64_C(1) << JR_CAUSE_REGISTRY);
}

/* Its beginning and its end are told, once each, and only where that is wanted. */
static void notices(void **state)
{
    struct bench bench;
    struct jr_notices_sum sum;
    struct jr_txn txn;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 4);
    work(&bench);
    work(&bench);
    expect_notice(&bench, JR_NOTICE_OUTAGE);
    for (unsigned i = 1; i <= 4; i++)
        ends(&bench, i, JR_CONCLUSION_CANCELLED);
    bench.now_ms += 5 * JR_MINUTE_MS;
    work(&bench);
    work(&bench);
    expect_notice(&bench, JR_NOTICE_OUTAGE_OVER);
    begin_outage(&bench, 4);
    assert_int_equal(jr_holding_work(bench.store, &bench.policy, 0, bench.now_ms, &bench.work,
                                     &bench.error), JR_OK);
    jr_txn_begin(&txn, bench.store, false);
    jr_notices_sum(&txn, &sum);
    commit(&txn);
    assert_int_equal(sum.waiting, 0);
    assert_int_equal(sum.sent, 2);
    close_bench(&bench);
}

static void nobody_waits(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 4);
    for (unsigned i = 1; i <= 4; i++)
        ends(&bench, i, JR_CONCLUSION_CANCELLED);
    work(&bench);
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).phase, JR_CAUSEHOLD_HELD);
    bench.now_ms += 5 * JR_MINUTE_MS;
    work(&bench);
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).phase, JR_CAUSEHOLD_FREE);
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).end, JR_CAUSEHOLD_IDLE);
    close_bench(&bench);
}

static void policy_without_outage(void **state)
{
    const struct jr_policy none = { .repos = NULL };
    struct bench bench;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 4);
    assert_int_equal(jr_holding_work(bench.store, &none, NOTIFY_ON, bench.now_ms, &bench.work, &bench.error), JR_OK);
    assert_int_equal(bench.work.held, 0);
    assert_int_equal(jr_holding_work(bench.store, &none, NOTIFY_ON, bench.now_ms, &bench.work, &bench.error), JR_OK);
    assert_int_equal(due_now(&bench, 1, 4), 4);
    close_bench(&bench);
}

static void who_asks_by_hand_passes(void **state)
{
    const struct jr_rerun_request request = { .run_id = RUN_ID + 3, .who = "alice" };
    enum jr_reason refused;
    struct bench bench;
    struct jr_run run;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 4);
    assert_int_equal(jr_control_rerun(bench.store, &bench.settings, &request, bench.now_ms, &run,
                                      &refused, &bench.error), JR_OK);
    assert_true(goes_ahead(&bench, 3));
    assert_int_equal(state_of(&bench, JR_CAUSE_REGISTRY).probe_run_id, 0);
    close_bench(&bench);
}

/* What the store holds is not asked about; and what it holds no longer is not rerun unasked. */
static void who_is_held_is_known(void **state)
{
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE, .status = 200 };
    struct jr_event seen = event_of("Gc=failure");
    struct jr_rerun_answer answer = { .call = &call, .is_held = true };
    struct jr_causeholds lifted;
    struct jr_verdict verdict;
    struct bench bench;
    struct jr_hold hold;
    struct jr_run run;

    (void)state;
    open_bench(&bench);
    begin_outage(&bench, 4);
    answer.policy = &bench.policy;
    load(&bench, 2, &run);
    assert_int_equal(jr_rerun_held(bench.store, &bench.settings, &answer, &run, bench.now_ms, &hold,
                                   &bench.error), JR_OK);
    assert_int_equal(hold.reason, JR_REASON_OUTAGE_HOLD);
    assert_in_range(hold.until_ms, bench.now_ms + 1, bench.now_ms + JR_HOLD_MOST_MS);
    assert_int_equal(jr_control_lift(bench.store, JR_CAUSE_NONE, "alice", bench.now_ms, &lifted, &bench.error), JR_OK);
    assert_int_equal(jr_rerun_held(bench.store, &bench.settings, &answer, &run, bench.now_ms, &hold,
                                   &bench.error), JR_OK);
    assert_int_equal(hold.reason, JR_REASON_NONE);
    answer.seen = &seen;
    seen.run_id = run.run_id;
    seen.created_ms = seen.updated_ms = run.updated_ms;
    assert_int_equal(jr_rerun_seen(bench.store, &bench.settings, &answer, &run, bench.now_ms,
                                   &verdict, &bench.error), JR_EBUSY);
    load(&bench, 2, &run);
    assert_int_equal(run.phase, JR_PHASE_DUE);
    assert_int_equal(run.intent_ms, 0);
    close_bench(&bench);
}

static void it_is_shown(void **state)
{
    struct jr_holdings *holdings = calloc(1, sizeof *holdings);
    char words[JR_HOLDING_WORDS_SIZE];
    struct jr_causeholds holds;
    struct bench bench;
    jr_causes causes;
    struct jr_run run;
    unsigned probe;

    (void)state;
    assert_non_null(holdings);
    open_bench(&bench);
    begin_outage(&bench, 5);
    assert_int_equal(jr_holding_read(bench.store, bench.now_ms, holdings, &bench.error), JR_OK);
    assert_int_equal(holdings->runs, 5);
    assert_int_equal(holdings->waiting[JR_CAUSE_REGISTRY], 5);
    assert_string_equal(jr_holding_words(&holdings->holds.items[0], words),
                        "reruns for registry are held since 2026-11-20T00:00:04Z, when 4 runs of 2 workflows "
                        "had failed for it or causes of its kind; 0 probes so far, next probe from "
                        "2026-11-20T00:05:04Z on");
    load(&bench, 5, &run);
    assert_int_equal(jr_holding_of_run(bench.store, &run, bench.now_ms, &holds, &causes, &bench.error), JR_OK);
    assert_int_equal(causes, UINT64_C(1) << JR_CAUSE_REGISTRY);
    probe = begin_probe(&bench, 5);
    assert_int_equal(jr_holding_read(bench.store, bench.now_ms, holdings, &bench.error), JR_OK);
    assert_contains(jr_holding_words(&holdings->holds.items[0], words), "1 probe so far, run 1234567890");
    accept(&bench, probe);
    ends(&bench, probe, JR_CONCLUSION_SUCCESS);
    work(&bench);
    assert_int_equal(jr_holding_read(bench.store, bench.now_ms, holdings, &bench.error), JR_OK);
    assert_contains(jr_holding_words(&holdings->holds.items[0], words),
                    "are held no longer since 2026-11-20T00:05:04Z (a probe succeeded); 0 went ahead");
    close_bench(&bench);
    free(holdings);
}

int main(void)
{
    TEST(a_surge_is_found);
    TEST(late_news_count);
    TEST(others_hide_nothing);
    TEST(the_same_run_counts_once);
    TEST(success_releases);
    TABLE(probes, probe_comes_out);
    TEST(events_come_before_the_outcome);
    TEST(a_probe_that_is_lost);
    TEST(a_turn_that_is_not_taken);
    TEST(what_is_paused_has_no_turn);
    TEST(lifted_by_hand);
    TEST(nobody_waits);
    TEST(notices);
    TEST(policy_without_outage);
    TEST(who_asks_by_hand_passes);
    TEST(who_is_held_is_known);
    TEST(it_is_shown);
    return run_program("holding");
}
