/*
 * rerun -- the dispatcher's steps, with events in between.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/rules/attempt.h"
#include "lib/rules/watch.h"
#include "lib/steps/chosen.h"
#include "lib/steps/intake.h"
#include "lib/steps/rerun.h"
#include "lib/store/days.h"
#include "lib/store/failures.h"
#include "lib/store/flaky.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_run run;
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t now_ms;
};

/* An event from GitHub, as a worker records it. */
static struct jr_receipt event(struct bench *bench, const char *token)
{
    return arrives(bench->store, &bench->settings, token, &bench->now_ms);
}

/* A run of which a job has failed, and the dispatcher has taken its entry. */
static void open_bench(struct bench *bench, const char *settings)
{
    int64_t due_ms;

    memset(bench, 0, sizeof *bench);
    bench->store = open_store(new_folder());
    load_settings(&bench->settings, settings);
    bench->now_ms = START_MS + 100 * JR_SECOND_MS;
    assert_int_equal(jr_rerun_first(bench->store, INT64_MAX, 0, NULL, &due_ms, &bench->run, &bench->error), JR_ENOENT);
    event(bench, "q1");
    event(bench, "c1=failure");
    assert_int_equal(jr_rerun_first(bench->store, INT64_MAX, 0, NULL, &due_ms, &bench->run, &bench->error), JR_OK);
    assert_int_equal(due_ms, bench->now_ms + 5 * JR_SECOND_MS);
    assert_true(bench->run.run_id == RUN_ID && bench->run.due_ms == due_ms);
    bench->now_ms = due_ms;
}

static void close_bench(struct bench *bench)
{
    jr_store_close(bench->store);
    jr_settings_release(&bench->settings);
}

static enum jr_step seen(struct bench *bench, const char *token)
{
    struct jr_event shown = event_of(token);
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE, .status = 200 };
    const struct jr_rerun_answer answer = { .call = &call, .seen = &shown };

    if (jr_rerun_seen(bench->store, &bench->settings, &answer, &bench->run, bench->now_ms, &bench->verdict, &bench->error)
        != JR_OK)
        fail_msg("seen: %s", bench->error.text);
    return bench->verdict.step;
}

static enum jr_step outcome(struct bench *bench, bool posted, enum jr_outcome what, enum jr_reason reason)
{
    struct jr_call call = {
        .what = posted ? "POST rerun-failed-jobs" : "GET run",
        .outcome = what,
        .reason = reason,
        .status = what == JR_OUTCOME_DONE ? 201 : 0,
        .text = "as it was said",
    };
    const struct jr_rerun_answer answer = { .call = &call, .posted = posted, .attempt = bench->verdict.attempt };

    if (jr_rerun_outcome(bench->store, &bench->settings, &answer, &bench->run, bench->now_ms, &bench->verdict,
                         &bench->error)
        != JR_OK)
        fail_msg("outcome: %s", bench->error.text);
    return bench->verdict.step;
}

/* What is on disk, which has to be what the dispatcher was told. */
static struct jr_run stored(struct bench *bench)
{
    struct jr_txn txn;
    struct jr_run run;
    int64_t due_ms = 0;
    uint64_t id;

    jr_txn_begin(&txn, bench->store, false);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), run.due_ms != 0);
    (void)jr_ledger_first_due(&txn, INT64_MAX, &due_ms, &id);
    assert_int_equal(due_ms, run.due_ms);
    commit(&txn);
    return run;
}

static unsigned entries(struct bench *bench, enum jr_history_kind kind, enum jr_reason reason)
{
    struct jr_txn txn;
    struct jr_history entry;
    uint32_t number = 0;
    unsigned found = 0;

    jr_txn_begin(&txn, bench->store, false);
    while (jr_history_next(&txn, RUN_ID, &number, &entry))
        found += entry.kind == kind && entry.reason == reason;
    commit(&txn);
    return found;
}

struct guard_row {
    const char *name, *policy, *events, *shown;
    enum jr_step step;
    enum jr_reason reason;
};

/* Before a POST the policy's guards are asked, by what the store knows. */
static void guards_are_asked(void **state)
{
    const struct guard_row *row = *state;
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE, .status = 200 };
    struct jr_event shown = event_of(row->shown);
    struct jr_rerun_answer answer = { .call = &call, .seen = &shown };
    struct bench bench;
    struct jr_policy policy;
    char *problems, *events = strdup(row->events), *rest = events, *token;

    open_bench(&bench, row->policy);
    assert_int_equal(jr_chosen_load(&bench.settings, &problems), JR_OK);
    assert_int_equal(jr_chosen_policy(&bench.settings, &policy), JR_OK);
    bench.settings.judges = false; /* it has been judged */
    while ((token = strsep(&rest, " ")) != NULL)
        if (*token != '\0')
            event(&bench, token);
    answer.policy = &policy;
    bench.run.due_ms = stored(&bench).due_ms;
    assert_int_equal(jr_rerun_seen(bench.store, &bench.settings, &answer, &bench.run, bench.now_ms, &bench.verdict, &bench.error),
                     JR_OK);
    assert_string_equal(jr_reason_token(bench.verdict.reason), jr_reason_token(row->reason));
    assert_int_equal(bench.verdict.step, row->step);
    assert_int_equal(entries(&bench, JR_HISTORY_DECISION, row->reason) > 0, 1);
    jr_policy_release(&policy);
    free(events);
    close_bench(&bench);
}

#define GUARDED "POLICY=careful"

static const struct guard_row guards[] = {
    { "nothing is in the way", GUARDED, "", "Gc=failure", JR_STEP_RERUN_FAILED, JR_REASON_RUN_FAILED },
    { "a job that failed deploys", GUARDED, "c2=failure,environment:production", "Gc=failure", JR_STEP_NONE, JR_REASON_DEPLOYMENT },
    { "a job that succeeded deployed", GUARDED, "c2=success,environment:production", "Gc=failure", JR_STEP_RERUN_FAILED, JR_REASON_RUN_FAILED },
    { "a job whose end is not told yet deploys", GUARDED, "i2,environment:production", "Gc=failure", JR_STEP_RERUN_FAILED, JR_REASON_RUN_FAILED },
    { "a job that was skipped, and nobody knows more", GUARDED, "c2=skipped", "Gc=failure", JR_STEP_RERUN_FAILED, JR_REASON_RUN_FAILED },
    { "the merge queue", GUARDED, "", "Gc=failure,trigger:merge_group", JR_STEP_NONE, JR_REASON_MERGE_QUEUE },
    { "a release", GUARDED, "", "Gc=failure,trigger:release", JR_STEP_NONE, JR_REASON_LEFT_BY_RULE },
    { "everything has no guards", "POLICY=everything", "c2=failure,environment:production", "Gc=failure,trigger:merge_group",
      JR_STEP_RERUN_FAILED, JR_REASON_RUN_FAILED },
};

/* The longer another run has held its group, the later it is looked at again, whatever fails meanwhile. */
static void waits_for_its_group(void **state)
{
    static const int64_t waited_ms[] = { 35000, 65000, 97500, 146250, 219375 };
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE, .status = 200 };
    struct jr_event shown = event_of("Gc=failure");
    const struct jr_guard_news news = { .told = { [JR_GUARD_CONCURRENCY] = JR_GUARD_HOLDS } };
    struct jr_rerun_answer answer = { .call = &call, .seen = &shown, .news = &news };
    struct jr_policy policy;
    struct bench bench;
    char *problems;

    (void)state;
    open_bench(&bench, GUARDED);
    assert_int_equal(jr_chosen_load(&bench.settings, &problems), JR_OK);
    assert_int_equal(jr_chosen_policy(&bench.settings, &policy), JR_OK);
    bench.settings.judges = false;
    answer.policy = &policy;
    for (size_t i = 0; i < COUNT(waited_ms); i++) {
        assert_int_equal(jr_rerun_seen(bench.store, &bench.settings, &answer, &bench.run, bench.now_ms, &bench.verdict, &bench.error),
                         JR_OK);
        assert_int_equal(bench.verdict.reason, JR_REASON_CONCURRENCY_BUSY);
        assert_int_equal(bench.run.due_ms - bench.run.waiting_ms, waited_ms[i]);
        bench.now_ms = stored(&bench).due_ms;
        if (i == 2)
            outcome(&bench, false, JR_OUTCOME_LATER, JR_REASON_UNREACHABLE);
    }
    jr_policy_release(&policy);
    close_bench(&bench);
}

static void intent_is_on_disk_before_the_post(void **state)
{
    struct bench bench;
    struct jr_run run;
    int64_t last_post_ms;

    (void)state;
    open_bench(&bench, NULL);
    assert_int_equal(jr_rerun_last_post(bench.store, &last_post_ms, &bench.error), JR_OK);
    assert_int_equal(last_post_ms, 0);
    assert_int_equal(seen(&bench, "Gc=failure"), JR_STEP_RERUN_FAILED);
    run = stored(&bench);
    assert_int_equal(run.intent_ms, bench.now_ms);
    assert_int_equal(run.due_ms, bench.now_ms + 10 * JR_SECOND_MS);
    assert_int_equal(bench.run.due_ms, run.due_ms);
    assert_int_equal(jr_rerun_last_post(bench.store, &last_post_ms, &bench.error), JR_OK);
    assert_int_equal(last_post_ms, bench.now_ms);
    close_bench(&bench);
}

static void accepted(void **state)
{
    struct bench bench;
    struct jr_run run;
    int64_t due_ms;

    (void)state;
    open_bench(&bench, NULL);
    seen(&bench, "Gc=failure");
    assert_int_equal(outcome(&bench, true, JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED), JR_STEP_NONE);
    run = stored(&bench);
    assert_int_equal(run.attempt, 2);
    assert_int_equal(run.accepted_attempt, 1);
    assert_int_equal(run.reruns, 1);
    assert_int_equal(run.intent_ms, 0);
    assert_int_equal(run.due_ms, 0);
    assert_int_equal(jr_rerun_first(bench.store, INT64_MAX, 0, NULL, &due_ms, &bench.run, &bench.error), JR_ENOENT);
    assert_int_equal(entries(&bench, JR_HISTORY_CALL, JR_REASON_RERUN_ACCEPTED), 1);
    close_bench(&bench);
}

/* The dispatcher dies after the POST; the next one finds the entry and asks first. */
static void killed_after_the_post(void **state)
{
    struct bench bench;
    struct jr_run run;
    int64_t due_ms;

    (void)state;
    open_bench(&bench, NULL);
    seen(&bench, "Gc=failure");
    assert_int_equal(jr_rerun_first(bench.store, INT64_MAX, 0, NULL, &due_ms, &bench.run, &bench.error), JR_OK);
    assert_int_equal(due_ms, bench.now_ms + 10 * JR_SECOND_MS);
    /* Long enough that no POST can still be under way. */
    bench.now_ms += JR_HOUR_MS;
    assert_int_equal(seen(&bench, "Gi@2"), JR_STEP_NONE);
    run = stored(&bench);
    assert_int_equal(run.attempt, 2);
    assert_int_equal(run.accepted_attempt, 1);
    assert_int_equal(run.reruns, 1);
    assert_int_equal(entries(&bench, JR_HISTORY_OUTCOME, JR_REASON_RERUN_WORKED), 1);
    close_bench(&bench);
}

static void event_between_claim_and_answer(void **state)
{
    struct bench bench;
    struct jr_run run;
    int64_t newer_ms;

    (void)state;
    open_bench(&bench, NULL);
    event(&bench, "c2=failure");
    newer_ms = bench.now_ms + 5 * JR_SECOND_MS;
    assert_int_equal(seen(&bench, "Gc=failure"), JR_STEP_NONE);
    assert_int_equal(bench.verdict.reason, JR_REASON_CHANGED_MEANWHILE);
    run = stored(&bench);
    assert_int_equal(run.due_ms, newer_ms);
    assert_int_equal(run.intent_ms, 0);
    assert_int_equal(run.jobs_known, 2);
    close_bench(&bench);
}

static void event_between_claim_and_failure(void **state)
{
    struct bench bench;
    struct jr_run run;

    (void)state;
    open_bench(&bench, NULL);
    bench.verdict.attempt = 1;
    event(&bench, "c2=failure");
    assert_int_equal(outcome(&bench, false, JR_OUTCOME_NEVER, JR_REASON_NOT_FOUND), JR_STEP_NONE);
    run = stored(&bench);
    assert_int_equal(run.phase, JR_PHASE_DUE);
    assert_int_equal(run.due_ms, bench.now_ms + 5 * JR_SECOND_MS);
    close_bench(&bench);
}

static void event_between_claim_and_decision_unseen(void **state)
{
    struct bench bench;
    struct jr_run run;

    (void)state;
    open_bench(&bench, "DRY_RUN=yes");
    event(&bench, "q2");
    assert_int_equal(jr_rerun_unseen(bench.store, &bench.settings, &bench.run, bench.now_ms,
                                     &bench.verdict, &bench.error),
                     JR_OK);
    run = stored(&bench);
    assert_int_equal(run.phase, JR_PHASE_OPEN);
    assert_int_equal(run.jobs_unfinished, 1);
    event(&bench, "c2=success");
    assert_int_equal(stored(&bench).phase, JR_PHASE_DUE);
    close_bench(&bench);
}

static void decision_unseen(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, "DRY_RUN=yes");
    assert_int_equal(jr_rerun_unseen(bench.store, &bench.settings, &bench.run, bench.now_ms,
                                     &bench.verdict, &bench.error),
                     JR_OK);
    assert_int_equal(stored(&bench).phase, JR_PHASE_CLOSED);
    assert_int_equal(entries(&bench, JR_HISTORY_DECISION, JR_REASON_DRY_RUN_UNVERIFIED), 1);
    close_bench(&bench);
}

/* The new attempt's event is quicker than the answer to the POST. */
static void event_between_post_and_answer(void **state)
{
    struct bench bench;
    struct jr_run run;

    (void)state;
    open_bench(&bench, NULL);
    seen(&bench, "Gc=failure");
    event(&bench, "q2@2");
    event(&bench, "c2@2=failure");
    outcome(&bench, true, JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED);
    run = stored(&bench);
    assert_int_equal(run.attempt, 2);
    assert_int_equal(run.reruns, 1);
    assert_int_equal(run.accepted_attempt, 1);
    assert_int_equal(run.phase, JR_PHASE_DUE);
    assert_int_equal(run.due_ms, bench.now_ms + 5 * JR_SECOND_MS);
    assert_int_equal(run.jobs_failed, 1);
    close_bench(&bench);
}

static void late_event_of_the_old_attempt(void **state)
{
    struct bench bench;
    struct jr_run run;

    (void)state;
    open_bench(&bench, NULL);
    seen(&bench, "Gc=failure");
    event(&bench, "Rc=failure~90");
    outcome(&bench, true, JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED);
    event(&bench, "Rc=failure~95");
    event(&bench, "c2=failure");
    run = stored(&bench);
    assert_int_equal(run.attempt, 2);
    assert_int_equal(run.due_ms, 0);
    assert_int_equal(run.reruns, 1);
    close_bench(&bench);
}

/* However long it is asked in vain, the history does not grow with it. */
static void same_answer_is_no_news(void **state)
{
    struct bench bench;
    uint32_t history;

    (void)state;
    open_bench(&bench, NULL);
    assert_int_equal(seen(&bench, "Gi"), JR_STEP_WAIT);
    history = stored(&bench).history_count;
    for (int i = 0; i < 20; i++) {
        bench.now_ms = bench.run.due_ms;
        assert_int_equal(seen(&bench, "Gi"), JR_STEP_WAIT);
    }
    assert_int_equal(stored(&bench).history_count, history);
    bench.now_ms = bench.run.due_ms;
    assert_int_equal(seen(&bench, "Gc=failure"), JR_STEP_RERUN_FAILED);
    assert_true(stored(&bench).history_count > history);
    close_bench(&bench);
}

static void a_no_is_kept_with_its_reason(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, NULL);
    assert_int_equal(seen(&bench, "Gc=cancelled"), JR_STEP_NONE);
    assert_int_equal(entries(&bench, JR_HISTORY_DECISION, JR_REASON_CONCLUSION_NOT_RETRIED), 1);
    assert_int_equal(stored(&bench).phase, JR_PHASE_CLOSED);
    close_bench(&bench);
}

struct newer_row {
    const char *name, *settings;
    const char *events; /* of other runs, before GitHub shows ours */
    const char *seen;
    enum jr_reason want; /* NONE: it is rerun */
};

static void newer_run(void **state)
{
    const struct newer_row *row = *state;
    struct bench bench;
    char events[256], *token, *rest = events;

    open_bench(&bench, row->settings);
    snprintf(events, sizeof events, "%s", row->events);
    while ((token = strsep(&rest, " ")) != NULL)
        event(&bench, token);
    (void)seen(&bench, row->seen);
    assert_int_equal(bench.verdict.step,
                     row->want == JR_REASON_NONE ? JR_STEP_RERUN_FAILED : JR_STEP_NONE);
    if (row->want != JR_REASON_NONE) {
        assert_int_equal(stored(&bench).phase, JR_PHASE_CLOSED);
        assert_int_equal(stored(&bench).reason, row->want);
        assert_int_equal(entries(&bench, JR_HISTORY_DECISION, row->want), 1);
        assert_true(stored(&bench).superseded_by > RUN_ID);
    }
    close_bench(&bench);
}

#define NEWER ",id:1,number:18,sha:f2"
#define NEWEST ",id:2,number:19,sha:f3"
#define PULL ",trigger:pull_request"

static const struct newer_row newer_runs[] = {
    { "under way", NULL, "Ri" NEWER, "Gc=failure", JR_REASON_SUPERSEDED },
    { "under way, and our own run was told of first", NULL, "Rc=failure Ri" NEWER, "Gc=failure", JR_REASON_SUPERSEDED },
    { "over", NULL, "Ri" NEWER " Rc=success" NEWER, "Gc=failure", JR_REASON_NONE },
    { "over, the next one is not", NULL, "Rc=success" NEWER " Ri" NEWEST, "Gc=failure", JR_REASON_SUPERSEDED },
    { "not over, the next one is", NULL, "Ri" NEWER " Rc=success" NEWEST, "Gc=failure", JR_REASON_SUPERSEDED },
    { "over, of a pull request", NULL, "Rc=success" NEWER PULL, "Gc=failure" PULL, JR_REASON_SUPERSEDED },
    { "of the same commit", NULL, "Ri,id:1,number:18", "Gc=failure", JR_REASON_NONE },
    { "older", NULL, "Ri,id:1,number:16,sha:f2", "Gc=failure", JR_REASON_NONE },
    { "another branch", NULL, "Ri,branch:dev" NEWER, "Gc=failure", JR_REASON_NONE },
    { "another event", NULL, "Ri" NEWER PULL, "Gc=failure", JR_REASON_NONE },
    { "a fork's", NULL, "Ri,head:fork/app" NEWER, "Gc=failure", JR_REASON_NONE },
    { "known by a job alone", NULL, "q3,id:1", "Gc=failure", JR_REASON_NONE },
    { "the setting says rerun", "SUPERSEDED=rerun", "Ri" NEWER, "Gc=failure", JR_REASON_NONE },
};

/* The index does not keep what is pruned. */
static void newer_run_is_forgotten(void **state)
{
    struct bench bench;
    struct jr_prune prune = { .key_length = 0 };
    struct jr_txn txn;

    (void)state;
    open_bench(&bench, NULL);
    event(&bench, "Ri" NEWER);
    jr_txn_begin(&txn, bench.store, true);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_LINES), 1);
    assert_int_equal(jr_ledger_prune(&txn, bench.now_ms + 10 * JR_HOUR_MS, false, 10, &prune), 1);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_LINES), 0);
    commit(&txn);
    assert_int_equal(seen(&bench, "Gc=failure"), JR_STEP_RERUN_FAILED);
    close_bench(&bench);
}

static void refused_for_good(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, NULL);
    seen(&bench, "Gc=failure");
    assert_int_equal(outcome(&bench, true, JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED), JR_STEP_NONE);
    assert_int_equal(stored(&bench).phase, JR_PHASE_CLOSED);
    assert_int_equal(stored(&bench).reason, JR_REASON_CANNOT_BE_RETRIED);
    assert_int_equal(entries(&bench, JR_HISTORY_CALL, JR_REASON_CANNOT_BE_RETRIED), 1);
    close_bench(&bench);
}

/* Rule 7: since when is on disk, so that a restart does not begin the quarter of an hour anew. */
static void denied_is_remembered(void **state)
{
    struct bench bench;
    int64_t first_ms;

    (void)state;
    open_bench(&bench, NULL);
    seen(&bench, "Gc=failure");
    first_ms = bench.now_ms;
    assert_int_equal(outcome(&bench, true, JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION), JR_STEP_WAIT);
    assert_int_equal(stored(&bench).denied_ms, first_ms);
    bench.now_ms += JR_PATIENCE_MS - 1;
    assert_int_equal(outcome(&bench, false, JR_OUTCOME_NEVER, JR_REASON_NOT_FOUND), JR_STEP_WAIT);
    assert_int_equal(stored(&bench).denied_ms, first_ms);
    bench.now_ms += 1;
    assert_int_equal(outcome(&bench, false, JR_OUTCOME_NEVER, JR_REASON_NOT_FOUND), JR_STEP_NONE);
    assert_int_equal(stored(&bench).reason, JR_REASON_NOT_FOUND);
    close_bench(&bench);
}

static void postponed(void **state)
{
    struct bench bench;
    int64_t due_ms;

    (void)state;
    open_bench(&bench, NULL);
    due_ms = bench.run.due_ms + JR_HOUR_MS;
    assert_int_equal(jr_rerun_postpone(bench.store, &bench.run, due_ms, &bench.error), JR_OK);
    assert_int_equal(stored(&bench).due_ms, due_ms);
    assert_int_equal(bench.run.due_ms, due_ms);

    /* Not when it has moved by itself. */
    event(&bench, "c2=failure");
    assert_int_equal(jr_rerun_postpone(bench.store, &bench.run, due_ms + 1, &bench.error), JR_OK);
    assert_int_equal(stored(&bench).due_ms, bench.now_ms + 5 * JR_SECOND_MS);
    close_bench(&bench);
}

static void quiet_run(void **state)
{
    struct bench bench;
    struct jr_run run;
    int64_t due_ms;

    (void)state;
    open_bench(&bench, NULL);
    assert_int_equal(jr_rerun_quiet(bench.store, &bench.settings, bench.now_ms, NULL, &run, &due_ms, &bench.error), JR_ENOENT);
    assert_int_equal(due_ms, 0);
    event(&bench, "q2");
    assert_int_equal(jr_rerun_quiet(bench.store, &bench.settings, bench.now_ms, NULL, &run, &due_ms, &bench.error), JR_ENOENT);
    assert_int_equal(due_ms, bench.now_ms + 10 * JR_MINUTE_MS);
    bench.now_ms = due_ms;
    assert_int_equal(jr_rerun_quiet(bench.store, &bench.settings, bench.now_ms, NULL, &bench.run, &due_ms, &bench.error), JR_OK);
    assert_true(bench.run.run_id == RUN_ID);
    assert_int_equal(seen(&bench, "Gc=failure"), JR_STEP_RERUN_FAILED);
    assert_int_equal(stored(&bench).intent_ms, bench.now_ms);
    close_bench(&bench);
}

static int64_t waits_for_octo(void *context, const char *repo)
{
    *(unsigned *)context += 1;
    return strncmp(repo, "octo/", 5) == 0 ? 7200 : 0;
}

/* One that has to wait is put off, and does not count as asked about. */
static void quiet_run_has_to_wait(void **state)
{
    struct bench bench;
    struct jr_run run;
    int64_t due_ms;
    unsigned looks = 0;
    const struct jr_share share = { waits_for_octo, &looks };

    (void)state;
    open_bench(&bench, NULL);
    event(&bench, "q2");
    bench.now_ms += 10 * JR_MINUTE_MS;
    assert_int_equal(jr_rerun_quiet(bench.store, &bench.settings, bench.now_ms, &share, &run, &due_ms, &bench.error), JR_ENOENT);
    assert_int_equal(looks, jr_test_runs_twice() ? 2 : 1);
    assert_int_equal(stored(&bench).quiet_due_ms, bench.now_ms + bench.settings.reconcile_interval_ms);
    assert_int_equal(stored(&bench).quiet_asks, 0);
    bench.now_ms += bench.settings.reconcile_interval_ms;
    assert_int_equal(jr_rerun_quiet(bench.store, &bench.settings, bench.now_ms, NULL, &run, &due_ms, &bench.error), JR_OK);
    assert_int_equal(stored(&bench).quiet_asks, 1);
    close_bench(&bench);
}

static int64_t is_octos(void *context, const char *repo)
{
    unsigned *looks = context;

    if (looks != NULL)
        ++*looks;
    return strncmp(repo, "octo/", 5) == 0 ? JR_SHARE_NONE : 0;
}

static void due(struct jr_txn *txn, uint64_t run_id, const char *repo, int64_t due_ms)
{
    struct jr_run run;

    jr_ledger_load_run(txn, run_id, &run);
    snprintf(run.repo, sizeof run.repo, "%s", repo);
    run.due_ms = due_ms;
    run.phase = JR_PHASE_DUE;
    jr_ledger_save_run(txn, &run);
}

/* The search that the dispatcher makes, from its beginning. */
static enum jr_err first_anew(struct bench *bench, int64_t latest_ms, int64_t *due_ms, struct jr_run *run)
{
    struct jr_rerun_walk walk = { .wait = is_octos };

    return jr_rerun_first(bench->store, latest_ms, bench->now_ms, &walk, due_ms, run, &bench->error);
}

/* Run 100 is looked after, and what is of other/app has to wait for an answer. */
static bool is_in_hand(void *context, const struct jr_run *run)
{
    (void)context;
    return run->run_id == 100 || strcmp(run->repo, "other/app") == 0;
}

/* What is in hand is looked over, and found where it was once it is so no longer. */
static void first_that_is_not_in_hand(void **state)
{
    struct jr_rerun_walk walk = { .in_hand = is_in_hand };
    struct bench bench;
    struct jr_run run;
    struct jr_txn txn;
    int64_t due_ms;

    (void)state;
    open_bench(&bench, NULL);
    jr_txn_begin(&txn, bench.store, true);
    due(&txn, 100, "octo/lib", START_MS + 1);
    due(&txn, 101, "other/app", START_MS + 2);
    due(&txn, 102, "octo/lib", START_MS + 3);
    commit(&txn);
    for (int times = 0; times < 2; times++) {
        assert_int_equal(jr_rerun_first(bench.store, INT64_MAX, bench.now_ms, &walk, &due_ms, &run,
                                        &bench.error), JR_OK);
        assert_true(run.run_id == 102 && due_ms == START_MS + 3);
    }
    walk.in_hand = NULL;
    assert_int_equal(jr_rerun_first(bench.store, INT64_MAX, bench.now_ms, &walk, &due_ms, &run,
                                    &bench.error), JR_OK);
    assert_true(run.run_id == 100 && due_ms == START_MS + 1);

    /* With a pause as well: what is paused is looked over for longer, what is in hand is not. */
    walk = (struct jr_rerun_walk){ .wait = is_octos, .in_hand = is_in_hand };
    assert_int_equal(jr_rerun_first(bench.store, INT64_MAX, bench.now_ms, &walk, &due_ms, &run,
                                    &bench.error), JR_ENOENT);
    walk.in_hand = NULL;
    walk.held = (struct jr_rerun_place){ .due_ms = 0 };
    assert_int_equal(jr_rerun_first(bench.store, INT64_MAX, bench.now_ms, &walk, &due_ms, &run,
                                    &bench.error), JR_OK);
    assert_true(run.run_id == 101);
    close_bench(&bench);
}

/* What is held up stands at the head of the outbox and holds up nothing else. */
static void first_that_is_free(void **state)
{
    struct jr_rerun_walk nothing = { .wait = NULL };
    struct bench bench;
    struct jr_run run;
    struct jr_txn txn;
    int64_t due_ms;

    (void)state;
    open_bench(&bench, NULL);
    assert_int_equal(first_anew(&bench, INT64_MAX, &due_ms, &run), JR_ENOENT);
    jr_txn_begin(&txn, bench.store, true);
    for (uint64_t id = 100; id < 120; id++)
        due(&txn, id, "octo/lib", START_MS + (int64_t)id);
    due(&txn, 200, "other/app", bench.now_ms + 5);
    due(&txn, 201, "other/app", bench.now_ms + 9);
    commit(&txn);
    assert_int_equal(first_anew(&bench, INT64_MAX, &due_ms, &run), JR_OK);
    assert_true(run.run_id == 200 && due_ms == bench.now_ms + 5);
    assert_int_equal(jr_rerun_first(bench.store, INT64_MAX, bench.now_ms, &nothing, &due_ms, &run, &bench.error), JR_OK);
    assert_true(run.run_id == 100);

    /* What was written before the clock was set back comes first here too. */
    assert_int_equal(first_anew(&bench, bench.now_ms + 6, &due_ms, &run), JR_OK);
    assert_true(run.run_id == 201);
    assert_int_equal(first_anew(&bench, bench.now_ms + 9, &due_ms, &run), JR_OK);
    assert_true(run.run_id == 200);

    /* A damaged one is told, whatever it was of. */
    damage_part(bench.store, 110, JR_PART_RUN, 0);
    assert_int_equal(first_anew(&bench, INT64_MAX, &due_ms, &run), JR_EFORMAT);
    assert_true(run.run_id == 110);
    close_bench(&bench);
}

/* A search that the dispatcher goes on with, and what one step of it costs. */
struct search {
    struct bench bench;
    struct jr_rerun_walk walk;
    unsigned looks; /* of the last step */
    int64_t due_ms;
    struct jr_run run;
};

static enum jr_err step(struct search *search, int64_t latest_ms)
{
    search->walk.wait = is_octos;
    search->walk.context = &search->looks;
    search->looks = 0;
    return jr_rerun_first(search->bench.store, latest_ms, search->bench.now_ms, &search->walk, &search->due_ms,
                          &search->run, &search->bench.error);
}

static void make_due(struct search *search, uint64_t id, unsigned count, const char *repo, int64_t due_ms)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, search->bench.store, true);
    for (unsigned i = 0; i < count; i++)
        due(&txn, id + i, repo, due_ms + i);
    commit(&txn);
}

#define HELD 2500

/* What is held up before a run costs something once, a step at a time, and no more after that. */
static void what_is_held_up_costs_once(void **state)
{
    struct search search = { .looks = 0 };
    struct bench *bench = &search.bench;

    (void)state;
    open_bench(bench, NULL);
    make_due(&search, 1000, HELD, "octo/lib", START_MS);
    make_due(&search, 200, 1, "other/app", bench->now_ms - 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(step(&search, INT64_MAX), JR_EBUSY);
        assert_int_equal(search.looks, JR_RERUN_LOOKS);
        assert_true(search.due_ms <= bench->now_ms);
    }
    assert_int_equal(step(&search, INT64_MAX), JR_OK);
    assert_true(search.run.run_id == 200);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(step(&search, INT64_MAX), JR_OK);
        assert_true(search.run.run_id == 200);
        assert_true(search.looks <= 2);
    }

    /* What comes due before it, as soon as it is made, is found at once. */
    make_due(&search, 201, 1, "other/app", bench->now_ms - 5000);
    assert_int_equal(step(&search, INT64_MAX), JR_OK);
    assert_true(search.run.run_id == 201);

    /* One that is made between those that are held up: in a while. */
    make_due(&search, 202, 1, "other/app", START_MS + HELD / 2);
    assert_int_equal(step(&search, INT64_MAX), JR_OK);
    assert_true(search.run.run_id == 201);
    bench->now_ms += JR_MINUTE_MS;
    assert_int_equal(step(&search, INT64_MAX), JR_EBUSY);
    assert_int_equal(step(&search, INT64_MAX), JR_OK);
    assert_true(search.run.run_id == 202);

    /* After the clock was set back, at once. */
    make_due(&search, 203, 1, "other/app", START_MS + 1);
    bench->now_ms = START_MS + JR_SECOND_MS;
    assert_int_equal(step(&search, INT64_MAX), JR_OK);
    assert_true(search.run.run_id == 203);
    close_bench(bench);
}

/* What is held up and not due yet is looked at when its time comes. */
static void what_is_held_up_later_waits(void **state)
{
    struct search search = { .looks = 0 };
    struct bench *bench = &search.bench;
    int64_t later_ms;

    (void)state;
    open_bench(bench, NULL);
    later_ms = bench->now_ms + JR_HOUR_MS;
    make_due(&search, 1000, HELD, "octo/lib", later_ms);
    make_due(&search, 200, 1, "other/app", later_ms + HELD);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(step(&search, INT64_MAX), JR_EBUSY);
        assert_true(search.due_ms > later_ms && search.due_ms <= later_ms + HELD);
        assert_true(search.looks <= JR_RERUN_LOOKS);
    }
    make_due(&search, 201, 1, "other/app", bench->now_ms + 5);
    assert_int_equal(step(&search, INT64_MAX), JR_OK);
    assert_true(search.run.run_id == 201 && search.due_ms == bench->now_ms + 5);

    /* Of those that were made before the clock was set back all are looked at. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(step(&search, bench->now_ms + JR_MINUTE_MS), JR_EBUSY);
        assert_true(search.due_ms <= bench->now_ms);
    }
    assert_int_equal(step(&search, bench->now_ms + JR_MINUTE_MS), JR_OK);
    assert_true(search.run.run_id == 200);
    close_bench(bench);
}

/* What was written later than now was so before the clock was set back. */
static void clock_may_go_back(void **state)
{
    struct bench bench;
    struct jr_run run;
    int64_t due_ms, latest_ms;

    (void)state;
    open_bench(&bench, NULL);
    latest_ms = bench.now_ms - JR_HOUR_MS + 10 * JR_MINUTE_MS;
    assert_int_equal(jr_rerun_first(bench.store, latest_ms, 0, NULL, &due_ms, &run, &bench.error), JR_OK);
    assert_int_equal(due_ms, bench.run.due_ms);

    /* The intent of a POST that has to be looked after. */
    assert_int_equal(seen(&bench, "Gc=failure"), JR_STEP_RERUN_FAILED);
    outcome(&bench, true, JR_OUTCOME_UNKNOWN, JR_REASON_OUTCOME_UNKNOWN);
    bench.now_ms -= JR_HOUR_MS;
    assert_int_equal(seen(&bench, "Gi"), JR_STEP_WAIT);
    assert_in_range(stored(&bench).due_ms, bench.now_ms + bench.settings.api_backoff_min_ms,
                    bench.now_ms + bench.settings.api_backoff_max_ms);
    close_bench(&bench);

    /* A run that is watched: it is looked at, and then as often as ever. */
    open_bench(&bench, NULL);
    event(&bench, "q2");
    bench.now_ms -= 2 * JR_HOUR_MS;
    assert_int_equal(jr_rerun_quiet(bench.store, &bench.settings, bench.now_ms, NULL, &run, &due_ms, &bench.error), JR_OK);
    assert_true(run.run_id == RUN_ID);
    assert_int_equal(jr_rerun_quiet(bench.store, &bench.settings, bench.now_ms, NULL, &run, &due_ms, &bench.error), JR_ENOENT);
    assert_in_range(due_ms, bench.now_ms + 1, bench.now_ms + JR_QUIET_MAX_MS);
    close_bench(&bench);
}

/* It is told of once, and watched no longer, but the record stays as it is. */
static void quiet_run_with_a_damaged_record(void **state)
{
    struct bench bench;
    struct jr_run run;
    struct jr_txn txn;
    int64_t due_ms;

    (void)state;
    open_bench(&bench, NULL);
    event(&bench, "q2");
    bench.now_ms += JR_HOUR_MS;
    damage_part(bench.store, RUN_ID, JR_PART_RUN, 0);
    assert_int_equal(jr_rerun_quiet(bench.store, &bench.settings, bench.now_ms, NULL, &run, &due_ms, &bench.error), JR_EFORMAT);
    assert_contains(bench.error.text, "12345678901");
    assert_int_equal(jr_rerun_quiet(bench.store, &bench.settings, bench.now_ms, NULL, &run, &due_ms, &bench.error), JR_ENOENT);
    assert_int_equal(due_ms, 0);
    jr_txn_begin(&txn, bench.store, false);
    assert_int_equal(jr_ledger_count(&txn), 1);
    assert_false(jr_ledger_read_run(&txn, RUN_ID, &run));
    commit(&txn);
    close_bench(&bench);
}

/* An entry whose run is gone is told of and can be taken away. */
static void entry_without_a_run(void **state)
{
    unsigned char key[JR_KEY_MAX];
    struct bench bench;
    struct jr_txn txn;
    int64_t due_ms;

    (void)state;
    open_bench(&bench, NULL);
    jr_txn_begin(&txn, bench.store, true);
    jr_txn_delete(&txn, JR_TABLE_RUNS, key, jr_ledger_key(key, RUN_ID, JR_PART_RUN, 0));
    commit(&txn);
    assert_int_equal(jr_rerun_first(bench.store, INT64_MAX, 0, NULL, &due_ms, &bench.run, &bench.error), JR_EFORMAT);
    assert_true(bench.run.run_id == RUN_ID);
    assert_int_equal(jr_rerun_drop(bench.store, due_ms, RUN_ID, &bench.error), JR_OK);
    assert_int_equal(jr_rerun_first(bench.store, INT64_MAX, 0, NULL, &due_ms, &bench.run, &bench.error), JR_ENOENT);
    close_bench(&bench);
}

/* A run that was pruned while GitHub was asked. */
static void run_that_is_gone(void **state)
{
    struct bench bench;
    struct jr_event shown = event_of("Gc=failure");
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE };
    const struct jr_rerun_answer answer = { .call = &call, .seen = &shown };

    (void)state;
    open_bench(&bench, NULL);
    bench.run.run_id++;
    shown.run_id++;
    assert_int_equal(jr_rerun_seen(bench.store, &bench.settings, &answer, &bench.run, bench.now_ms, &bench.verdict, &bench.error),
                     JR_ENOENT);
    close_bench(&bench);
}

/* What is counted of "job 1". */
static struct jr_flaky tally_of(struct bench *bench)
{
    static const struct jr_flaky_filter all = { .kind = JR_FLAKY_JOB };
    struct jr_flaky_walk walk = { .ended = false };
    struct jr_flaky row = { .executions = 0 };
    size_t count;

    assert_int_equal(jr_flaky_read(bench->store, &all, &walk, &row, 1, &count, &bench->error), JR_OK);
    return row;
}

static struct jr_day day_of(struct bench *bench)
{
    struct jr_day day;

    assert_int_equal(jr_days_read(bench->store, bench->now_ms, &day, 1, &bench->error), JR_OK);
    return day;
}

/* The step that closes an attempt counts it, whichever it is, and once. */
/* Which causes the failed jobs of attempt 1 have; that of a job that does not count is none. */
static void note_causes(struct bench *bench)
{
    static const enum jr_cause causes[] = { JR_CAUSE_NETWORK, JR_CAUSE_DISK, JR_CAUSE_ECHO };
    struct jr_txn txn;

    jr_txn_begin(&txn, bench->store, true);
    for (size_t i = 0; i < COUNT(causes); i++) {
        struct jr_failure failure = { .job_id = JOB_ID(i + 1), .attempt = 1, .name = "job",
                                      .counts = causes[i] != JR_CAUSE_ECHO,
                                      .finding.cause = causes[i] };

        jr_failures_save(&txn, &bench->run, &failure, bench->now_ms);
    }
    commit(&txn);
}

#define CAUSES (UINT64_C(1) << JR_CAUSE_NETWORK | UINT64_C(1) << JR_CAUSE_DISK)

/* Whether GitHub's answer tells of the rerun, or the attempt that it began. */
static void counted_by_cause(void **state)
{
    struct jr_receipt receipt;
    struct bench bench;

    (void)state;
    for (int answered = 0; answered < 2; answered++) {
        open_bench(&bench, "");
        note_causes(&bench);
        assert_int_equal(seen(&bench, "Gc=failure"), JR_STEP_RERUN_FAILED);
        assert_true(bench.verdict.rerun_causes == 0 && bench.verdict.rescued_causes == 0);
        outcome(&bench, true, answered ? JR_OUTCOME_DONE : JR_OUTCOME_UNKNOWN,
                answered ? JR_REASON_RERUN_ACCEPTED : JR_REASON_OUTCOME_UNKNOWN);
        assert_true(bench.verdict.rerun_causes == (answered ? CAUSES : 0));
        receipt = event(&bench, "i11@2,job:1");
        assert_true(receipt.rerun_causes == (answered ? 0 : CAUSES));
        assert_true(receipt.rescued_causes == 0);
        receipt = event(&bench, "c11@2=success,job:1");
        assert_true(receipt.rescued && receipt.rescued_causes == CAUSES);
        receipt = event(&bench, "Rc=success@2");
        assert_true(receipt.rerun_causes == 0 && receipt.rescued_causes == 0);
        close_bench(&bench);
    }
}

static void counted_when_accepted(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, "");
    assert_int_equal(seen(&bench, "Gc=failure"), JR_STEP_RERUN_FAILED);
    assert_int_equal(tally_of(&bench).executions, 0);
    outcome(&bench, true, JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED);
    assert_int_equal(tally_of(&bench).executions, 1);
    assert_int_equal(tally_of(&bench).failures, 1);
    assert_int_equal(day_of(&bench).failed, 1);
    assert_int_equal(day_of(&bench).reruns, 1);
    event(&bench, "c11@2=success,job:1");
    assert_int_equal(tally_of(&bench).rescued, 1);
    assert_int_equal(day_of(&bench).rescued, 1);
    event(&bench, "Rc=success@2");
    assert_int_equal(tally_of(&bench).executions, 2);
    assert_int_equal(day_of(&bench).rescued, 1);
    close_bench(&bench);
}

static void counted_when_closed(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, "");
    assert_int_equal(seen(&bench, "Gc=failure,created:31"), JR_STEP_NONE);
    assert_int_equal(bench.verdict.reason, JR_REASON_TOO_OLD);
    assert_int_equal(tally_of(&bench).failures, 1);
    assert_int_equal(day_of(&bench).failed, 1);
    close_bench(&bench);
    open_bench(&bench, "DRY_RUN=on");
    assert_int_equal(jr_rerun_unseen(bench.store, &bench.settings, &bench.run, bench.now_ms, &bench.verdict,
                                     &bench.error),
                     JR_OK);
    assert_int_equal(tally_of(&bench).failures, 1);
    assert_int_equal(day_of(&bench).failed, 1);
    close_bench(&bench);
}

/* Somebody else has rerun it, and a job of the first attempt is heard of last. */
static void counted_when_rerun_by_others(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, "");
    event(&bench, "q2");
    assert_int_equal(seen(&bench, "Gi@2"), JR_STEP_NONE);
    assert_int_equal(tally_of(&bench).failures, 1);
    assert_int_equal(day_of(&bench).reruns, 0);
    event(&bench, "c11@2=success,job:1");
    event(&bench, "c2=failure,job:1");
    assert_int_equal(tally_of(&bench).executions, 3);
    assert_int_equal(tally_of(&bench).rescued, 2);
    assert_int_equal(day_of(&bench).rescued, 0);
    close_bench(&bench);
}

int main(void)
{
    TABLE(guards, guards_are_asked);
    TEST(waits_for_its_group);
    TEST(intent_is_on_disk_before_the_post);
    TEST(accepted);
    TEST(killed_after_the_post);
    TEST(event_between_claim_and_answer);
    TEST(event_between_claim_and_failure);
    TEST(event_between_claim_and_decision_unseen);
    TEST(decision_unseen);
    TEST(event_between_post_and_answer);
    TEST(late_event_of_the_old_attempt);
    TEST(same_answer_is_no_news);
    TEST(a_no_is_kept_with_its_reason);
    TABLE(newer_runs, newer_run);
    TEST(newer_run_is_forgotten);
    TEST(refused_for_good);
    TEST(denied_is_remembered);
    TEST(postponed);
    TEST(quiet_run);
    TEST(quiet_run_has_to_wait);
    TEST(first_that_is_free);
    TEST(first_that_is_not_in_hand);
    TEST(what_is_held_up_costs_once);
    TEST(what_is_held_up_later_waits);
    TEST(clock_may_go_back);
    TEST(quiet_run_with_a_damaged_record);
    TEST(entry_without_a_run);
    TEST(run_that_is_gone);
    TEST(counted_when_accepted);
    TEST(counted_by_cause);
    TEST(counted_when_closed);
    TEST(counted_when_rerun_by_others);
    return run_program("rerun");
}
