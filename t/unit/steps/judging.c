/*
 * judging -- failed jobs of an attempt, what is recorded of them, and what a policy makes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/chosen.h"
#include "lib/steps/intake.h"
#include "lib/steps/judging.h"
#include "lib/steps/rerun.h"
#include "lib/store/failures.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_policy policy;
    struct jr_judging judging;
    struct jr_run run;
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t now_ms;
};

static void event(struct bench *bench, const char *token)
{
    arrives(bench->store, &bench->settings, token, &bench->now_ms);
}

/* GitHub shows the run, which has an entry in the outbox. */
static void see(struct bench *bench, const char *token)
{
    struct jr_event shown = event_of(token);
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE, .status = 200 };
    const struct jr_rerun_answer answer = { .call = &call, .seen = &shown };
    int64_t due_ms;

    assert_int_equal(jr_rerun_first(bench->store, INT64_MAX, 0, NULL, &due_ms, &bench->run, &bench->error), JR_OK);
    bench->now_ms = due_ms;
    assert_int_equal(jr_rerun_seen(bench->store, &bench->settings, &answer, &bench->run, bench->now_ms, &bench->verdict,
                                   &bench->error),
                     JR_OK);
}

/* A run whose jobs 1 and 2 have failed, which the policy is to judge. */
static void open_bench(struct bench *bench, const char *settings)
{
    char *problems;

    memset(bench, 0, sizeof *bench);
    bench->store = open_store(new_folder());
    load_settings(&bench->settings, settings);
    assert_int_equal(jr_chosen_load(&bench->settings, &problems), JR_OK);
    assert_int_equal(jr_chosen_policy(&bench->settings, &bench->policy), JR_OK);
    bench->judging.policy = &bench->policy;
    bench->now_ms = START_MS + 100 * JR_SECOND_MS;
    event(bench, "q1");
    event(bench, "q2");
    event(bench, "c1=failure");
    event(bench, "c2=failure");
    see(bench, "Gc=failure");
    assert_int_equal(bench->verdict.step, JR_STEP_JUDGE);
}

static void close_bench(struct bench *bench)
{
    jr_judging_release(&bench->judging);
    jr_policy_release(&bench->policy);
    jr_settings_release(&bench->settings);
    jr_store_close(bench->store);
}

static struct jr_failure failure_of(unsigned job, enum jr_cause cause)
{
    struct jr_failure failure = {
        .job_id = JOB_ID(job), .attempt = 1, .conclusion = JR_CONCLUSION_FAILURE,
        .log_found = JR_FOUND, .finding = { .cause = cause, .step = "Run make" },
    };

    snprintf(failure.name, sizeof failure.name, "job %u", job);
    return failure;
}

static void add(struct bench *bench, const struct jr_failure *failure)
{
    assert_int_equal(jr_judging_add(&bench->judging, failure), JR_OK);
}

static void judge(struct bench *bench)
{
    bench->judging.policy = &bench->policy;
    assert_int_equal(jr_judging_take(bench->store, &bench->settings, &bench->judging, &bench->run,
                                     bench->now_ms, &bench->verdict, &bench->error),
                     JR_OK);
}

static struct jr_failure stored(struct bench *bench, unsigned job)
{
    struct jr_failure failure;
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, false);
    assert_true(jr_failures_next(&txn, RUN_ID, JOB_ID(job) - 1, &failure));
    assert_int_equal(failure.job_id, JOB_ID(job));
    commit(&txn);
    return failure;
}

struct verdict_row {
    const char *name, *settings;
    enum jr_cause first, second;
    enum jr_step step;
    enum jr_reason reason;
};

static void policy_judges(void **state)
{
    const struct verdict_row *row = *state;
    struct bench bench;
    struct jr_failure failure;

    open_bench(&bench, row->settings);
    failure = failure_of(1, row->first);
    add(&bench, &failure);
    if (row->second != JR_CAUSE_NONE) {
        failure = failure_of(2, row->second);
        add(&bench, &failure);
    }
    judge(&bench);
    assert_int_equal(bench.verdict.step, row->step);
    assert_string_equal(jr_reason_token(bench.verdict.reason), jr_reason_token(row->reason));
    assert_int_equal(bench.run.judged_attempt, row->step == JR_STEP_WAIT ? 1 : 0);
    close_bench(&bench);
}

#define CAREFUL "POLICY=careful"
#define INFRASTRUCTURE "POLICY=infrastructure"

static const struct verdict_row verdicts[] = {
    { "worth it", CAREFUL, JR_CAUSE_NETWORK, JR_CAUSE_TEST, JR_STEP_WAIT, JR_REASON_RUN_FAILED },
    { "one is not", CAREFUL, JR_CAUSE_NETWORK, JR_CAUSE_BUILD, JR_STEP_NONE, JR_REASON_LEFT_BY_RULE },
    { "a test", INFRASTRUCTURE, JR_CAUSE_TEST, JR_CAUSE_NONE, JR_STEP_NONE, JR_REASON_LEFT_BY_RULE },
    { "nobody knows", INFRASTRUCTURE, JR_CAUSE_UNKNOWN, JR_CAUSE_NONE, JR_STEP_NONE, JR_REASON_CAUSE_NOT_KNOWN },
    { "infrastructure", INFRASTRUCTURE, JR_CAUSE_DISK, JR_CAUSE_ECHO, JR_STEP_WAIT, JR_REASON_RUN_FAILED },
    { "everything", "EVIDENCE=always", JR_CAUSE_BUILD, JR_CAUSE_NONE, JR_STEP_WAIT, JR_REASON_RUN_FAILED },
};

static void what_is_made_of_a_job_is_recorded(void **state)
{
    struct bench bench;
    struct jr_failure first, second;
    struct jr_txn txn;
    struct jr_history entry;
    uint32_t number = 0;
    unsigned judgements = 0;

    (void)state;
    open_bench(&bench, INFRASTRUCTURE);
    first = failure_of(1, JR_CAUSE_NETWORK);
    second = failure_of(2, JR_CAUSE_ECHO);
    add(&bench, &second);
    add(&bench, &first);
    assert_int_equal(bench.judging.items[0].job_id, JOB_ID(1));
    judge(&bench);
    first = stored(&bench, 1);
    assert_true(first.counts && first.reruns);
    assert_string_equal(first.rule, "infrastructure");
    second = stored(&bench, 2);
    assert_false(second.counts);
    assert_int_equal(second.finding.cause, JR_CAUSE_ECHO);
    jr_txn_begin(&txn, bench.store, false);
    while (jr_history_next(&txn, RUN_ID, &number, &entry)) {
        if (entry.kind != JR_HISTORY_JUDGEMENT)
            continue;
        judgements++;
        assert_int_equal(entry.judgement.jobs, 2);
        assert_int_equal(entry.judgement.delay_ms, 30 * JR_SECOND_MS);
        assert_false(entry.judgement.leaves);
    }
    commit(&txn);
    assert_int_equal(judgements, 1);
    close_bench(&bench);
}

static void nothing_is_asked_twice(void **state)
{
    struct bench bench;
    struct jr_failure failure = failure_of(2, JR_CAUSE_REGISTRY);

    (void)state;
    open_bench(&bench, CAREFUL);
    assert_int_equal(jr_judging_save(bench.store, RUN_ID, &failure, bench.now_ms, &bench.error), JR_OK);
    assert_int_equal(jr_judging_load(bench.store, RUN_ID, 1, &bench.judging, &bench.error), JR_OK);
    assert_int_equal(bench.judging.count, 1);
    assert_null(jr_judging_find(&bench.judging, JOB_ID(1)));
    assert_int_equal(jr_judging_find(&bench.judging, JOB_ID(2))->finding.cause, JR_CAUSE_REGISTRY);
    jr_judging_release(&bench.judging);
    assert_int_equal(jr_judging_load(bench.store, RUN_ID, 2, &bench.judging, &bench.error), JR_OK);
    assert_int_equal(bench.judging.count, 0);
    assert_int_equal(jr_judging_save(bench.store, RUN_ID + 1, &failure, bench.now_ms, &bench.error), JR_ENOENT);
    close_bench(&bench);
}

static void jobs_that_events_told(void **state)
{
    struct bench bench;
    struct jr_evidence *jobs;
    size_t count;

    (void)state;
    open_bench(&bench, CAREFUL);
    event(&bench, "c3=success");
    event(&bench, "c4=failure^@1");
    assert_int_equal(jr_judging_jobs(bench.store, &bench.run, &jobs, &count, &bench.error), JR_OK);
    assert_in_range(count, 2, 3);
    assert_int_equal(jobs[0].job_id, JOB_ID(1));
    assert_int_equal(jobs[0].steps_found, JR_UNREADABLE);
    assert_int_equal(jobs[0].log_found, JR_UNREADABLE);
    assert_false(jobs[0].runner_told);
    assert_string_equal(jobs[1].name, "job 2");
    while (count > 0)
        jr_evidence_release(&jobs[--count]);
    free(jobs);
    close_bench(&bench);
}

static void one_that_is_left_settles_it(void **state)
{
    struct bench bench;
    struct jr_failure failure = failure_of(1, JR_CAUSE_NETWORK);

    (void)state;
    open_bench(&bench, CAREFUL);
    assert_false(jr_judging_is_settled(&bench.judging, &bench.settings, &bench.run));
    add(&bench, &failure);
    assert_false(jr_judging_is_settled(&bench.judging, &bench.settings, &bench.run));
    failure = failure_of(2, JR_CAUSE_BUILD);
    add(&bench, &failure);
    assert_true(jr_judging_is_settled(&bench.judging, &bench.settings, &bench.run));
    close_bench(&bench);
    open_bench(&bench, "EVIDENCE=always");
    add(&bench, &failure);
    assert_false(jr_judging_is_settled(&bench.judging, &bench.settings, &bench.run));
    close_bench(&bench);
}

/* A job that GitHub has not listed may have failed for anything. */
static void jobs_that_are_not_listed(void **state)
{
    static const struct {
        const char *settings;
        size_t known;
        enum jr_step step;
        enum jr_reason reason;
    } rows[] = {
        { INFRASTRUCTURE, 1, JR_STEP_NONE, JR_REASON_EVIDENCE_UNREADABLE },
        { INFRASTRUCTURE, 0, JR_STEP_NONE, JR_REASON_EVIDENCE_UNREADABLE },
        { CAREFUL, 1, JR_STEP_WAIT, JR_REASON_RUN_FAILED },
        { CAREFUL, 0, JR_STEP_WAIT, JR_REASON_RUN_FAILED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jr_failure failure = failure_of(1, JR_CAUSE_NETWORK);
        struct bench bench;

        open_bench(&bench, rows[i].settings);
        if (rows[i].known > 0)
            add(&bench, &failure);
        assert_false(jr_judging_is_settled(&bench.judging, &bench.settings, &bench.run));
        bench.judging.incomplete = true;
        assert_int_equal(jr_judging_is_settled(&bench.judging, &bench.settings, &bench.run),
                         rows[i].step == JR_STEP_NONE);
        judge(&bench);
        assert_int_equal(bench.verdict.step, rows[i].step);
        assert_int_equal(bench.verdict.reason, rows[i].reason);
        assert_int_equal(bench.judging.count, rows[i].known);
        close_bench(&bench);
    }
}

/* An attempt that fails as the one before is left, unless machines are to blame. */
static void the_same_failure_twice(void **state)
{
    static const struct {
        enum jr_cause cause;
        enum jr_reason reason;
    } rows[] = {
        { JR_CAUSE_UNKNOWN, JR_REASON_SAME_FAILURE },
        { JR_CAUSE_NETWORK, JR_REASON_RUN_FAILED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jr_failure failure = failure_of(1, rows[i].cause);
        struct jr_call call = { .what = "POST rerun-failed-jobs", .outcome = JR_OUTCOME_DONE,
                                .reason = JR_REASON_RERUN_ACCEPTED, .status = 201 };
        const struct jr_rerun_answer answer = { .call = &call, .posted = true, .attempt = 1 };
        struct bench bench;

        snprintf(failure.finding.first_error, sizeof failure.finding.first_error, "it broke at 12:00:01");
        open_bench(&bench, CAREFUL);
        add(&bench, &failure);
        judge(&bench);
        assert_int_equal(bench.verdict.step, JR_STEP_WAIT);
        see(&bench, "Gc=failure");
        assert_int_equal(bench.verdict.step, JR_STEP_RERUN_FAILED);
        assert_int_equal(jr_rerun_outcome(bench.store, &bench.settings, &answer, &bench.run, bench.now_ms, &bench.verdict,
                                          &bench.error),
                         JR_OK);
        event(&bench, "Rc@2=failure");
        see(&bench, "Gc@2=failure");
        assert_int_equal(bench.verdict.step, JR_STEP_JUDGE);
        jr_judging_release(&bench.judging);
        failure.job_id = JOB_ID(7);
        failure.attempt = 2;
        snprintf(failure.finding.first_error, sizeof failure.finding.first_error, "it broke at 12:59:13");
        add(&bench, &failure);
        judge(&bench);
        assert_string_equal(jr_reason_token(bench.verdict.reason), jr_reason_token(rows[i].reason));
        close_bench(&bench);
    }
}

/* A rule stops by itself when its reruns do not pay. */
static void what_does_not_pay(void **state)
{
    static const struct {
        const char *only_if;
        enum jr_reason reason;
    } rows[] = {
        { "{ rescued: 50%, of: 1 }", JR_REASON_NOT_WORTH_IT },
        { "{ rescued: 50%, of: 2 }", JR_REASON_RUN_FAILED }, /* too few have come out */
        { "{ rescued: 0%, of: 1 }", JR_REASON_RUN_FAILED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jr_failure failure = failure_of(1, JR_CAUSE_NETWORK);
        struct jr_call call = { .what = "POST rerun-failed-jobs", .outcome = JR_OUTCOME_DONE,
                                .reason = JR_REASON_RERUN_ACCEPTED, .status = 201 };
        const struct jr_rerun_answer answer = { .call = &call, .posted = true, .attempt = 1 };
        struct bench bench;
        char text[256], settings[128];
        const char *file = path_in(new_folder(), "policy.yml");

        snprintf(text, sizeof text, "version: 1\nrules:\n  - rerun: [network]\n    only-if: %s\n", rows[i].only_if);
        write_file(file, text, strlen(text));
        snprintf(settings, sizeof settings, "POLICY=%s", file);
        open_bench(&bench, settings);
        add(&bench, &failure);
        judge(&bench);
        assert_int_equal(bench.verdict.step, JR_STEP_WAIT);
        see(&bench, "Gc=failure");
        assert_int_equal(jr_rerun_outcome(bench.store, &bench.settings, &answer, &bench.run, bench.now_ms, &bench.verdict,
                                          &bench.error),
                         JR_OK);
        event(&bench, "c7@2=failure,job:1");
        event(&bench, "Rc@2=failure");
        see(&bench, "Gc@2=failure");
        assert_int_equal(bench.verdict.step, JR_STEP_JUDGE);
        jr_judging_release(&bench.judging);
        failure.job_id = JOB_ID(7);
        failure.attempt = 2;
        add(&bench, &failure);
        judge(&bench);
        assert_string_equal(jr_reason_token(bench.verdict.reason), jr_reason_token(rows[i].reason));
        close_bench(&bench);
    }
}

static void a_run_that_was_forgotten(void **state)
{
    struct bench bench;
    struct jr_run run;
    struct jr_txn txn;

    (void)state;
    open_bench(&bench, CAREFUL);
    jr_txn_begin(&txn, bench.store, true);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    jr_ledger_remove_run(&txn, &run);
    commit(&txn);
    assert_int_equal(jr_judging_take(bench.store, &bench.settings, &bench.judging, &bench.run,
                                     bench.now_ms, &bench.verdict, &bench.error),
                     JR_ENOENT);
    close_bench(&bench);
}

int main(void)
{
    TABLE(verdicts, policy_judges);
    TEST(what_is_made_of_a_job_is_recorded);
    TEST(nothing_is_asked_twice);
    TEST(jobs_that_events_told);
    TEST(one_that_is_left_settles_it);
    TEST(jobs_that_are_not_listed);
    TEST(the_same_failure_twice);
    TEST(what_does_not_pay);
    TEST(a_run_that_was_forgotten);
    return run_program("judging");
}
