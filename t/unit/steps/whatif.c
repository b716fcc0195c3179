/*
 * whatif -- what another policy, or other settings, would have done with a run.
 *
 * A script is played with the functions that the service works with, over a store; what its
 * jobs failed for is recorded beside it.
 *
 *   q1 c1=failure Rc=failure   events, as support.h has them
 *   Gc=failure                 the run is asked about, and GET shows it
 *   P                          the POST is accepted
 *   H                          an administrator asks for a rerun
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/control.h"
#include "lib/steps/intake.h"
#include "lib/steps/rerun.h"
#include "lib/steps/costs.h"
#include "lib/steps/step.h"
#include "lib/steps/whatif.h"
#include "lib/store/failures.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stage {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_run run; /* as it was claimed */
    int64_t now_ms;
};

static void play_event(struct stage *stage, const char *token)
{
    arrives(stage->store, &stage->settings, token, &stage->now_ms);
}

static void play_seen(struct stage *stage, const char *token)
{
    struct jr_event seen = event_of(token);
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE, .status = 200 };
    const struct jr_rerun_answer answer = { .call = &call, .seen = &seen };
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t due_ms;

    assert_int_equal(jr_rerun_first(stage->store, INT64_MAX, 0, NULL, &due_ms, &stage->run, &error), JR_OK);
    if (stage->now_ms < due_ms)
        stage->now_ms = due_ms;
    assert_int_equal(jr_rerun_seen(stage->store, &stage->settings, &answer, &stage->run, stage->now_ms, &verdict, &error), JR_OK);
}

static void play_posted(struct stage *stage)
{
    struct jr_call call = { .what = "POST rerun", .outcome = JR_OUTCOME_DONE, .reason = JR_REASON_RERUN_ACCEPTED };
    const struct jr_rerun_answer answer = { .call = &call, .posted = true, .attempt = stage->run.attempt };
    struct jr_verdict verdict;
    struct jr_error error;

    assert_int_equal(jr_rerun_outcome(stage->store, &stage->settings, &answer, &stage->run, stage->now_ms, &verdict, &error), JR_OK);
}

static void play_by_hand(struct stage *stage)
{
    static const struct jr_rerun_request request = { RUN_ID, "octo/app", "root" };
    struct jr_error error;
    struct jr_run run;
    enum jr_reason refused;

    assert_int_equal(jr_control_rerun(stage->store, &stage->settings, &request, stage->now_ms, &run, &refused, &error), JR_OK);
    assert_int_equal(refused, JR_REASON_NONE);
}

static void play(struct stage *stage, const char *script)
{
    char *copy = strdup(script), *rest = copy, *token;

    assert_non_null(copy);
    while ((token = strsep(&rest, " ")) != NULL) {
        if (*token == 'G')
            play_seen(stage, token);
        else if (*token == 'P')
            play_posted(stage);
        else if (*token == 'H')
            play_by_hand(stage);
        else if (*token != '\0')
            play_event(stage, token);
    }
    free(copy);
}

/* What a job failed for. */
struct told {
    uint32_t attempt; /* 0: no more */
    enum jr_cause cause;
    const char *signature, *line, *first_error;
};

static void record(struct stage *stage, const struct told *told, unsigned number)
{
    struct jr_failure failure = {
        .job_id = JOB_ID(number), .attempt = told->attempt, .name = "job 1", .labels = "linux,x64",
        .conclusion = JR_CONCLUSION_FAILURE, .counts = true, .finding = { .cause = told->cause, .step = "Run make" },
    };
    struct jr_txn txn;
    struct jr_run run;

    snprintf(failure.finding.signature, sizeof failure.finding.signature, "%s", told->signature == NULL ? "" : told->signature);
    snprintf(failure.finding.line, sizeof failure.finding.line, "%s", told->line == NULL ? "" : told->line);
    snprintf(failure.finding.first_error, sizeof failure.finding.first_error, "%s", told->first_error == NULL ? "" : told->first_error);
    jr_txn_begin(&txn, stage->store, true);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    jr_failures_save(&txn, &run, &failure, START_MS + 100 * JR_SECOND_MS);
    commit(&txn);
}

/* "1 rerun run-failed rule=may-help was=rescued 1m" */
static void describe(const struct jr_whatif_run *run, char *text, size_t size)
{
    static const char *const verdicts[] = { "rerun", "leave", "wait" };
    static const char *const results[] = { "unknown", "rescued", "failed" };
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < run->count; i++) {
        const struct jr_whatif_case *one = &run->cases[i];

        length += (size_t)snprintf(text + length, size - length, "%s%u %s %s %s %s %dm", i == 0 ? "" : "; ", one->attempt,
                                   verdicts[one->would], jr_reason_token(one->reason),
                                   one->by_setting ? "setting" : one->rule == NULL ? "-" : one->rule->name,
                                   one->was ? results[one->came_to] : "left", (int)one->minutes);
    }
}

struct row {
    const char *name;
    const char *settings; /* as they are; NULL: the defaults */
    const char *script;
    struct told told[3];
    const char *tried;  /* other settings; NULL: none */
    const char *policy; /* YAML, or a preset's name */
    const char *want;
};

static void tried(void **state)
{
    const struct row *row = *state;
    struct stage stage = { .now_ms = START_MS + 100 * JR_SECOND_MS };
    struct jr_settings settings;
    struct jr_policy policy;
    struct jr_signatures builtin;
    struct jr_problems problems = { .count = 0 };
    const char *yaml = jr_policy_preset(row->policy) != NULL ? jr_policy_preset(row->policy) : row->policy;
    struct jr_worths worths = { .count = 0 };
    struct jr_bounds told, bounds;
    const struct jr_whatif whatif = { &told, &bounds, &policy, &builtin, &worths };
    struct jr_whatif_run run;
    struct jr_error error;
    char got[TEXT_SIZE];

    stage.store = open_store(new_folder());
    load_settings(&stage.settings, row->settings);
    play(&stage, row->script);
    for (unsigned i = 0; i < COUNT(row->told) && row->told[i].attempt != 0; i++)
        record(&stage, &row->told[i], i + 1);
    load_settings(&settings, row->tried != NULL ? row->tried : row->settings);
    told = jr_step_bounds(&stage.settings);
    bounds = jr_step_bounds(&settings);
    assert_int_equal(jr_policy_read(&policy, yaml, strlen(yaml), &problems), JR_OK);
    assert_int_equal(problems.count, 0);
    assert_int_equal(jr_signatures_builtin(&builtin, &error), JR_OK);
    assert_int_equal(jr_whatif_run(stage.store, &whatif, RUN_ID, &run, &error), JR_OK);
    describe(&run, got, sizeof got);
    assert_string_equal(got, row->want);
    assert_string_equal(run.repo, "octo/app");
    assert_int_equal(jr_whatif_run(stage.store, &whatif, RUN_ID + 99, &run, &error), JR_ENOENT);
    jr_worths_release(&worths);
    jr_signatures_release(&builtin);
    jr_policy_release(&policy);
    jr_settings_release(&settings);
    jr_settings_release(&stage.settings);
    jr_store_close(stage.store);
}

#define FAILS     "q1 i1 c1=failure Gc=failure "
#define RERUN     FAILS "P "
#define RESCUED   RERUN "q2@2 c2@2=success Rc@2=success"
#define AGAIN     RERUN "q2@2,job:1 c2@2=failure,job:1 Gc@2=failure P "
#define AT_LAST   AGAIN "q3@3,job:1 c3@3=success,job:1 Rc@3=success"
#define NET(n)    { n, JR_CAUSE_NETWORK, "connection-lost", "curl: (56) connection reset by peer", "" }
#define TESTS(n)  { n, JR_CAUSE_TEST, "", "", "FAIL x" }
#define UNKNOWN(n, line) { n, JR_CAUSE_UNKNOWN, "", "", line }
#define V         "version: 1\nsame-failure: rerun\n"

static const struct row rows[] = {
    { "nothing has failed", NULL, "q1 c1=success Rc=success", { { 0 } }, NULL, "everything", "" },
    { "it goes on", NULL, "q1 i1 q2 c2=failure", { { 0 } }, NULL, "everything", "" },
    { "not decided yet", NULL, "q1 c1=failure Rc=failure", { { 0 } }, NULL, "everything", "" },
    { "as it was", NULL, RESCUED, { { 0 } }, NULL, "everything", "1 rerun run-failed - rescued 1m" },
    { "twice", NULL, AT_LAST, { { 0 } }, NULL, "everything", "1 rerun run-failed - failed 1m; 2 rerun run-failed - rescued 1m" },
    { "under way", NULL, RERUN "q2@2", { { 0 } }, NULL, "everything", "1 rerun run-failed - unknown 1m" },
    { "left by the last attempt", "RUN_ATTEMPTS=2", RERUN "q2@2 c2@2=failure Rc@2=failure", { { 0 } }, NULL, "everything",
      "1 rerun run-failed - failed 1m; 2 leave attempts-used-up setting left 1m" },
    { "more attempts", "RUN_ATTEMPTS=2", RERUN "q2@2 c2@2=failure Rc@2=failure", { { 0 } }, "RUN_ATTEMPTS=3", "everything",
      "1 rerun run-failed - failed 1m; 2 rerun run-failed - left 1m" },
    { "fewer attempts", NULL, AT_LAST, { { 0 } }, "RUN_ATTEMPTS=1", "everything",
      "1 leave attempts-used-up setting failed 1m; 2 leave attempts-used-up setting rescued 1m" },
    { "a list", NULL, RESCUED, { { 0 } }, "NO_RETRY_REPOS=octo/*", "everything", "1 leave repository-excluded setting rescued 1m" },
    { "a list that is gone", "NO_RETRY_WORKFLOWS=CI", "q1 c1=failure Rc=failure", { { 0 } }, "NO_RETRY_WORKFLOWS=x", "everything",
      "1 rerun run-failed - left 1m" },
    { "another conclusion", NULL, RESCUED, { { 0 } }, "RETRY_CONCLUSIONS=timed_out", "everything",
      "1 leave conclusion-not-retried setting rescued 1m" },
    { "superseded", NULL, "q1,number:7 Rc=failure,number:7,sha:aaa,trigger:push,path:ci.yml Ri,id:1,number:8,sha:bbb,trigger:push,path:ci.yml "
      "Gc=failure,number:7,sha:aaa,trigger:push,path:ci.yml", { { 0 } }, NULL, "everything", "1 leave superseded setting left 0m" },
    { "superseded, and rerun all the same", NULL, "q1,number:7 Rc=failure,number:7,sha:aaa,trigger:push,path:ci.yml Ri,id:1,number:8,sha:bbb,trigger:push,path:ci.yml "
      "Gc=failure,number:7,sha:aaa,trigger:push,path:ci.yml", { { 0 } }, "SUPERSEDED=rerun", "everything", "1 rerun run-failed - left 0m" },
    { "DRY_RUN has left it", "DRY_RUN=yes", FAILS, { { 0 } }, NULL, "everything", "1 rerun run-failed - left 1m" },
    { "by hand", "RUN_ATTEMPTS=1", "q1 c1=failure Rc=failure H Gc=failure P q2@2 c2@2=failure Rc@2=failure", { { 0 } }, NULL, "everything",
      "2 leave attempts-used-up setting left 1m" },
    { "by others", "RUN_ATTEMPTS=1", "q1 c1=failure Rc=failure q2@2 c2@2=success Rc@2=success", { { 0 } }, NULL, "everything",
      "1 leave attempts-used-up setting left 1m" },
    { "cancelled", NULL, "q1 c1=cancelled Rc=cancelled", { { 0 } }, NULL, "infrastructure", "1 leave conclusion-not-retried setting left 1m" },
    { "cancelled, and no runner took it", NULL, "q1 c1=cancelled Rc=cancelled", { { 1, JR_CAUSE_NOT_ACQUIRED, "not-acquired", "x", "" } },
      NULL, "infrastructure", "1 leave conclusion-not-retried setting left 1m" },

    { "a network", NULL, RESCUED, { NET(1) }, NULL, "infrastructure", "1 rerun run-failed infrastructure rescued 1m" },
    { "a test", NULL, RESCUED, { TESTS(1) }, NULL, "infrastructure", "1 leave left-by-rule - rescued 1m" },
    { "nothing is recorded", NULL, RESCUED, { { 0 } }, NULL, "infrastructure", "1 leave evidence-unreadable - rescued 1m" },
    { "nothing is recorded, and tried in doubt", NULL, RESCUED, { { 0 } }, NULL, "careful", "1 rerun run-failed may-help rescued 1m" },
    { "not even a job", NULL, "Rc=failure Gc=failure P", { { 0 } }, NULL, "careful", "1 rerun run-failed may-help unknown 0m" },
    { "left, so that it would not have failed again", NULL, AT_LAST, { TESTS(1), NET(2) }, NULL, "infrastructure",
      "1 leave left-by-rule - failed 1m; 2 leave left-by-rule - rescued 1m" },
    { "left at the second attempt", NULL, AT_LAST, { NET(1), TESTS(2) }, NULL, "infrastructure",
      "1 rerun run-failed infrastructure failed 1m; 2 leave left-by-rule - rescued 1m" },
    { "a setting before the policy", NULL, RESCUED, { NET(1) }, "REPO_BRANCHES=release", "infrastructure", "1 leave branch-excluded setting rescued 1m" },
    { "a rule's attempts", NULL, AT_LAST, { NET(1), NET(2) }, NULL, V "rules: [{ name: once, rerun: all, attempts: 2 }]\n",
      "1 rerun run-failed once failed 1m; 2 leave attempts-used-up once rescued 1m" },
    { "a rule for other jobs", NULL, RESCUED, { NET(1) }, NULL, V "rules: [{ when: { job: x }, rerun: all }]\n", "1 leave left-by-rule - rescued 1m" },
    { "the same failure twice", NULL, AT_LAST, { TESTS(1), TESTS(2) }, NULL, "version: 1\nrules: [{ name: all, rerun: all }]\n",
      "1 rerun run-failed all failed 1m; 2 leave same-failure all rescued 1m" },
    { "what does not pay", NULL, AT_LAST, { NET(1), NET(2) }, NULL, V "rules: [{ name: pays, rerun: all, only-if: { rescued: 50%, of: 1 } }]\n",
      "1 rerun run-failed pays failed 1m; 2 leave not-worth-it pays rescued 1m" },
    { "a new signature", NULL, RESCUED, { UNKNOWN(1, "something else\nadb: device offline") }, NULL,
      V "causes: [{ id: e, cause: setup, log: device offline }]\nrules: [{ name: setups, rerun: setup }]\n", "1 rerun run-failed setups rescued 1m" },
    { "another job, of which nothing is recorded", NULL, "q1 q2 c1=failure c2=failure Gc=failure P", { NET(1) }, NULL, "infrastructure",
      "1 leave evidence-unreadable - unknown 2m" },
    { "another job, which was cancelled with it", NULL, "q1 q2 c1=failure c2=cancelled Gc=failure P", { NET(1) }, NULL, "infrastructure",
      "1 rerun run-failed infrastructure unknown 2m" },
    { "a job that only reports", NULL, "q1,job:all-green c1=failure,job:all-green Gc=failure P", { { 0 } }, NULL, "careful",
      "1 rerun run-failed may-help unknown 1m" },
};

/* A record that is damaged is told, and not passed over. */
static void damaged(void **state)
{
    static const struct told told = NET(1);
    struct stage stage = { .now_ms = START_MS + 100 * JR_SECOND_MS };
    struct jr_policy policy;
    struct jr_signatures builtin;
    struct jr_problems problems = { .count = 0 };
    const char *yaml = jr_policy_preset("careful");
    struct jr_worths worths = { .count = 0 };
    struct jr_bounds bounds;
    const struct jr_whatif whatif = { &bounds, &bounds, &policy, &builtin, &worths };
    struct jr_whatif_run run;
    struct jr_error error;

    (void)state;
    stage.store = open_store(new_folder());
    load_settings(&stage.settings, NULL);
    play(&stage, FAILS);
    record(&stage, &told, 1);
    damage_part(stage.store, RUN_ID, JR_PART_FAILURE, JOB_ID(1));
    bounds = jr_step_bounds(&stage.settings);
    assert_int_equal(jr_policy_read(&policy, yaml, strlen(yaml), &problems), JR_OK);
    assert_int_equal(jr_signatures_builtin(&builtin, &error), JR_OK);
    assert_int_equal(jr_whatif_run(stage.store, &whatif, RUN_ID, &run, &error), JR_EFORMAT);
    assert_contains(error.text, "damaged");
    jr_signatures_release(&builtin);
    jr_policy_release(&policy);
    jr_settings_release(&stage.settings);
    jr_store_close(stage.store);
}

static void worth(void **state)
{
    struct jr_worths worths = { .count = 0 };
    unsigned char job[JR_FAILURE_JOB_SIZE];
    struct jr_worth *one;
    uint32_t tried_, rescued;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        memset(job, (int)(i % 250), sizeof job);
        job[0] = (unsigned char)(i / 250);
        one = jr_worths_find(&worths, job, JR_CAUSE_TEST);
        assert_non_null(one);
        assert_int_equal(one->count, 0);
        jr_worth_add(one, i % 2 == 0);
    }
    assert_int_equal(worths.count, 1000);
    one = jr_worths_find(&worths, job, JR_CAUSE_NETWORK);
    assert_int_equal(one->count, 0);
    for (unsigned i = 0; i < 150; i++)
        jr_worth_add(one, i < 60 || i == 149);
    jr_worth_tell(one, 100, &tried_, &rescued);
    assert_int_equal(tried_, 100);
    assert_int_equal(rescued, 11);
    jr_worth_tell(one, 2, &tried_, &rescued);
    assert_int_equal(tried_, 2);
    assert_int_equal(rescued, 1);
    jr_worths_release(&worths);
}

/* What reruns took and brought, of one run. */
struct cost_row {
    const char *name;
    const char *settings, *script;
    struct jr_cost_row want; /* all 0: no row */
};

static void assert_costs(const struct jr_cost_row *row, const struct jr_cost_row *want)
{
    assert_int_equal(row->runs, want->runs);
    assert_int_equal(row->runs_rescued, want->runs_rescued);
    assert_int_equal(row->reruns, want->reruns);
    assert_int_equal(row->rescued, want->rescued);
    assert_int_equal(row->again, want->again);
    assert_int_equal(row->minutes, want->minutes);
}

static void costs_of(void **state)
{
    const struct cost_row *row = *state;
    struct stage stage = { .now_ms = START_MS + 100 * JR_SECOND_MS };
    struct jr_bounds bounds;
    struct jr_costs costs;
    struct jr_error error;

    stage.store = open_store(new_folder());
    load_settings(&stage.settings, row->settings);
    play(&stage, row->script);
    bounds = jr_step_bounds(&stage.settings);
    assert_int_equal(jr_costs_read(stage.store, &bounds, START_MS, &costs, &error), JR_OK);
    assert_int_equal(costs.count, row->want.runs);
    assert_costs(&costs.all, &row->want);
    if (costs.count > 0) {
        assert_costs(&costs.rows[0], &row->want);
        assert_string_equal(costs.rows[0].repo, "octo/app");
    }
    jr_costs_release(&costs);
    assert_int_equal(jr_costs_read(stage.store, &bounds, START_MS + JR_DAY_MS, &costs, &error), JR_OK);
    assert_int_equal(costs.count, 0);
    jr_costs_release(&costs);
    jr_settings_release(&stage.settings);
    jr_store_close(stage.store);
}

static const struct cost_row cost_rows[] = {
    { "nothing was rerun", "RUN_ATTEMPTS=1", "q1 c1=failure Rc=failure", { "", 0, 0, 0, 0, 0, 0 } },
    { "rescued", NULL, RESCUED, { "", 1, 1, 1, 1, 0, 1 } },
    { "at last", NULL, AT_LAST, { "", 1, 1, 2, 1, 1, 2 } },
    { "two jobs", NULL, RERUN "q2@2 q3@2 c2@2=success c3@2=success Rc@2=success", { "", 1, 1, 1, 1, 0, 2 } },
    { "in vain", "RUN_ATTEMPTS=2", RERUN "q2@2 c2@2=failure Rc@2=failure", { "", 1, 0, 1, 0, 1, 1 } },
    { "under way", NULL, RERUN "q2@2", { "", 1, 0, 1, 0, 0, 0 } },
    { "by hand", "RUN_ATTEMPTS=1", "q1 c1=failure Rc=failure H Gc=failure P q2@2 c2@2=success Rc@2=success", { "", 0, 0, 0, 0, 0, 0 } },
    { "by others", "RUN_ATTEMPTS=1", "q1 c1=failure Rc=failure q2@2 c2@2=success Rc@2=success", { "", 0, 0, 0, 0, 0, 0 } },
};

int main(void)
{
    TABLE(rows, tried);
    TABLE(cost_rows, costs_of);
    TEST(damaged);
    TEST(worth);
    return run_program("whatif");
}
