/*
 * policyfile -- policies as files have them, all that is wrong with one, and what they decide.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/guards.h"
#include "lib/rules/policy.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

static struct jr_problems problems;

static void read_policy(struct jr_policy *policy, const char *text)
{
    memset(&problems, 0, sizeof problems);
    assert_int_equal(jr_policy_read(policy, text, strlen(text), &problems), JR_OK);
}

struct bad_row {
    const char *name, *text, *part;
    unsigned line, column;
};

static void refused(void **state)
{
    const struct bad_row *row = *state;
    struct jr_policy policy;

    read_policy(&policy, row->text);
    assert_int_equal(problems.count, 1);
    assert_contains(problems.items[0].text, row->part);
    assert_int_equal(problems.items[0].line, row->line);
    assert_int_equal(problems.items[0].column, row->column);
    jr_policy_release(&policy);
}

#define V "version: 1\n"

static const struct bad_row bad[] = {
    { "nothing", "", "empty", 1, 1 },
    { "no map", "- a\n", "map of: version, mixed", 1, 1 },
    { "another version", "version: 2\n", "version 1 only", 1, 10 },
    { "a key that is near", V "otherwize: leave\n", "did you mean 'otherwise'", 2, 1 },
    { "a key that is not", V "colour: red\n", "there are: version, mixed, otherwise, rules", 2, 1 },
    { "neither all nor any", V "mixed: some\n", "all or any", 2, 8 },
    { "neither rerun nor leave", V "otherwise: maybe\n", "rerun or leave", 2, 12 },
    { "rules that are no list", V "rules: x\n", "list of at most 100", 2, 8 },
    { "a rule without a decision", V "rules:\n  - name: x\n", "needs rerun or leave", 3, 5 },
    { "a rule that wants both", V "rules:\n  - { rerun: [test], leave: [test] }\n", "both reruns and leaves", 3, 5 },
    { "no such cause", V "rules:\n  - rerun: [netwrok]\n", "no cause 'netwrok'", 3, 13 },
    { "an empty list of causes", V "rules:\n  - rerun: []\n", "names no cause", 3, 12 },
    { "a time without a unit", V "rules:\n  - { rerun: all, delay: 30 }\n", "30s, 2m or 1h", 3, 26 },
    { "a time that is too long", V "rules:\n  - { rerun: all, delay: 13h }\n", "0s to 12h", 3, 26 },
    { "too many attempts", V "rules:\n  - { rerun: all, attempts: 52 }\n", "1 to 51", 3, 29 },
    { "attempts that are no number", V "rules:\n  - { rerun: all, attempts: two }\n", "whole number", 3, 29 },
    { "a condition that there is not", V "rules:\n  - { rerun: all, when: { color: x } }\n", "no key 'color'", 3, 27 },
    { "a range that goes back", V "rules:\n  - { rerun: all, when: { attempt: 3-2 } }\n", "range", 3, 36 },
    { "a fork that is no answer", V "rules:\n  - { rerun: all, when: { fork: maybe } }\n", "yes or no", 3, 33 },
    { "half an only-if", V "rules:\n  - { rerun: all, only-if: { of: 20 } }\n", "both rescued and of", 3, 28 },
    { "a share that is none", V "rules:\n  - { rerun: all, only-if: { of: 20, rescued: 5 } }\n", "0% to 100%", 3, 47 },
    { "a guard that waits", V "guards: { closed: wait }\n", "leave or rerun", 2, 19 },
    { "a limit of nothing", V "limits: { reruns-per-hour: 0 }\n", "1 to 1000000", 2, 28 },
    { "more reruns than are looked back at", V "rules:\n  - { rerun: all, only-if: { of: 101, rescued: 5% } }\n", "1 to 100", 3, 34 },
    { "a conclusion that is none", V "rules:\n  - { rerun: all, when: { conclusion: failed } }\n", "no job ends in 'failed'", 3, 39 },
    { "too many runs for an outage", V "outage: { runs: 501, within: 10m, hold: 5m }\n", "from 1 to 500", 2, 17 },
    { "half an outage", V "outage: { runs: 10 }\n", "runs, within and hold", 2, 9 },
    { "a signature without a cause", V "causes: [{ id: a, log: x }]\n", "needs a cause", 2, 10 },
    { "causes of one repository", V "repositories: { \"a/*\": { causes: [] } }\n", "no key 'causes'", 2, 26 },
};

/* What a repository's own file cannot have. */
static void refused_of_its_own(void **state)
{
    const struct bad_row *row = *state;
    struct jr_policy policy;

    memset(&problems, 0, sizeof problems);
    assert_int_equal(jr_policy_read_own(&policy, row->text, strlen(row->text), &problems), JR_OK);
    assert_int_equal(problems.count, 1);
    assert_contains(problems.items[0].text, row->part);
    assert_int_equal(problems.items[0].line, row->line);
    assert_int_equal(problems.items[0].column, row->column);
    jr_policy_release(&policy);
}

static const struct bad_row bad_own[] = {
    { "repositories", V "repositories: { \"a/*\": { otherwise: rerun } }\n", "no key 'repositories'", 2, 1 },
    { "limits of all", V "limits-all: { reruns-per-hour: 6 }\n", "no key 'limits-all'", 2, 1 },
    { "an outage", V "outage: { runs: 10, within: 10m, hold: 5m }\n", "no key 'outage'", 2, 1 },
    { "leave for others", V "repository-files: true\n", "no key 'repository-files'", 2, 1 },
    { "what no file may have", V "mixed: some\n", "all or any", 2, 8 },
    { "an unknown key", V "colour: red\n", "there are: version, mixed", 2, 1 },
};

/* A job of a cause under two policies: what becomes of it. */
struct ceiling_row {
    const char *name, *centre, *own;
    enum jr_cause cause;
    bool reruns;
    uint32_t attempts; /* of the run, RUN_ATTEMPTS being 4 */
    uint32_t looks_back;
};

static void under_a_ceiling(void **state)
{
    const struct ceiling_row *row = *state;
    struct jr_policy centre, own;
    struct jr_policy_force force;
    struct jr_evidence evidence = { .conclusion = JR_CONCLUSION_FAILURE };
    const struct jr_policy_run run = { .repo = "octo/app", .workflow = "CI", .workflow_path = "", .branch = "main",
                                       .event = "push", .attempt = 1, .run_attempts = 4,
                                       .conclusion = JR_CONCLUSION_FAILURE, .conclusion_retried = true };
    struct jr_policy_job job = { .evidence = &evidence, .finding = { .cause = row->cause }, .rescued = 1, .tried = 20 };
    struct jr_policy_answer answer;

    read_policy(&centre, row->centre);
    assert_int_equal(problems.count, 0);
    assert_int_equal(jr_policy_read_own(&own, row->own, strlen(row->own), &problems), JR_OK);
    assert_int_equal(problems.count, 0);
    jr_policy_in_force(&centre, &own, "octo/app", &force);
    jr_policy_decide(&force.part, &run, &job, 1, &answer);
    assert_int_equal(jr_policy_looks_back(&force.part), row->looks_back);
    assert_int_equal(answer.verdict, row->reruns ? JR_POLICY_RERUN : JR_POLICY_LEAVE);
    if (row->reruns)
        assert_int_equal(answer.attempts, row->attempts);
    jr_policy_release(&centre);
    jr_policy_release(&own);
}

#define LEAVES V "rules: [{ leave: [test] }, { rerun: [network], attempts: 2 }]\notherwise: leave\n"

static const struct ceiling_row ceilings[] = {
    { "a leave of the centre holds", LEAVES, V "rules: [{ rerun: all }]\n", JR_CAUSE_TEST, false, 0, 0 },
    { "... also against otherwise", LEAVES, V "otherwise: rerun\n", JR_CAUSE_TEST, false, 0, 0 },
    { "what no rule names is its own choice", LEAVES, V "rules: [{ rerun: [unknown] }]\n", JR_CAUSE_UNKNOWN, true, 4, 0 },
    { "... by otherwise, too", LEAVES, V "otherwise: rerun\n", JR_CAUSE_UNKNOWN, true, 4, 0 },
    { "it may leave more", LEAVES, V "rules: [{ leave: [network] }]\n", JR_CAUSE_NETWORK, false, 0, 0 },
    { "attempts of the centre hold", LEAVES, V "rules: [{ rerun: [network], attempts: 4 }]\n", JR_CAUSE_NETWORK, true, 2, 0 },
    { "fewer are its own choice", V "rules: [{ rerun: [network], attempts: 3 }]\n", V "rules: [{ rerun: [network], attempts: 2 }]\n",
      JR_CAUSE_NETWORK, true, 2, 0 },
    { "never more than RUN_ATTEMPTS", V "otherwise: rerun\n", V "rules: [{ rerun: all, attempts: 9 }]\n", JR_CAUSE_TEST, true, 4, 0 },
    { "without rules of its own the centre's count", LEAVES, V, JR_CAUSE_NETWORK, true, 2, 0 },
    { "... and its otherwise", LEAVES, V, JR_CAUSE_UNKNOWN, false, 0, 0 },
    { "what is not worth it for the centre is not", V "rules: [{ rerun: all, only-if: { rescued: 10%, of: 20 } }]\n",
      V "rules: [{ rerun: all }]\n", JR_CAUSE_TEST, false, 0, 20 },
    { "nor what is not by its own rule", V "otherwise: rerun\n", V "rules: [{ rerun: all, only-if: { rescued: 10%, of: 15 } }]\n",
      JR_CAUSE_TEST, false, 0, 15 },
};

/* Of guards and limits the stricter counts, and what is not named is the centre's. */
static void the_stricter_counts(void **state)
{
    static const char centre_text[] = V "mixed: any\nguards: { superseded: rerun, closed: leave, concurrency: rerun, events: [push] }\n"
                                        "limits: { reruns-per-hour: 10, os-weights: { linux: 3 } }\nsame-failure: rerun\n"
                                        "rules: [{ when: { event: release }, rerun: all }]\n";
    static const char own_text[] = V "guards: { closed: rerun, concurrency: wait }\n"
                                     "limits: { reruns-per-hour: 20, minutes-per-day: 5, os-weights: { linux: 0, macos: 20 } }\n"
                                     "rules: [{ when: { event: [release, deployment] }, rerun: all }]\n";
    struct jr_policy centre, own;
    struct jr_policy_part above, part;

    (void)state;
    read_policy(&centre, centre_text);
    assert_int_equal(jr_policy_read_own(&own, own_text, strlen(own_text), &problems), JR_OK);
    assert_int_equal(problems.count, 0);
    jr_policy_for(&centre, "octo/app", &above);
    jr_policy_under(&above, &own, &part);
    assert_int_equal(part.guards.superseded, JR_GUARD_RERUN);
    assert_int_equal(part.guards.closed, JR_GUARD_LEAVE);
    assert_int_equal(part.guards.concurrency, JR_GUARD_WAIT);
    assert_int_equal(part.guards.deployments, JR_GUARD_LEAVE);
    assert_int_equal(part.limits.reruns_per_hour, 10);
    assert_int_equal(part.limits.minutes_per_day, 5);
    assert_int_equal(part.limits.weight_linux, 3);
    assert_int_equal(part.limits.weight_macos, 20);
    assert_int_equal(part.limits.weight_windows, 2);
    assert_true(part.any_deserves && part.same_failure_rerun);
    assert_true(jr_guards_event_is_named(&part, "release"));
    assert_false(jr_guards_event_is_named(&part, "deployment"));
    jr_policy_release(&centre);
    jr_policy_release(&own);
}

static void presets(void **state)
{
    static const char *const names[] = { "everything", "careful", "infrastructure" };
    struct jr_policy policy;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        read_policy(&policy, jr_policy_preset(names[i]));
        assert_int_equal(problems.count, 0);
        assert_int_equal(policy.wants_evidence, i > 0);
        jr_policy_release(&policy);
    }
    assert_null(jr_policy_preset("nothing"));
}

static void all_keys(void **state)
{
    static const char text[] =
        V "mixed: any\notherwise: leave\n"
        "rules:\n"
        "  - name: one\n"
        "    when: { repository: [a/*, b/*], workflow: CI, branch: main, event: push, job: x, step: y,\n"
        "            runner: r, conclusion: failure, labels: [linux, x64], attempt: 2-3, fork: no }\n"
        "    rerun: [infrastructure, test]\n"
        "    attempts: 3\n    delay: [1s, 2m]\n    only-if: { rescued: 5%, of: 20 }\n"
        "causes: [{ id: mine, cause: setup, log: offline }]\n"
        "guards: { superseded: rerun, closed: leave, deployments: leave, merge-queue: leave, concurrency: wait, events: [push] }\n"
        "limits: { reruns-per-hour: 60, minutes-per-day: 600, os-weights: { linux: 1, windows: 2, macos: 10, self-hosted: 0 } }\n"
        "limits-all: { reruns-per-hour: 600 }\n"
        "outage: { runs: 10, within: 10m, hold: 5m }\n"
        "same-failure: leave\ndebug-logging: last\nrepository-files: true\n"
        "repositories: { \"octo/legacy-*\": { otherwise: rerun, limits: { minutes-per-day: 60 } } }\n";
    struct jr_policy policy;
    struct jr_policy_part part;
    const struct jr_rule *rule;

    (void)state;
    read_policy(&policy, text);
    assert_int_equal(problems.count, 0);
    rule = &policy.base.rules[0];
    assert_string_equal(rule->name, "one");
    assert_int_equal(rule->when.repository.count, 2);
    assert_int_equal(rule->when.labels.count, 2);
    assert_int_equal(rule->when.attempt_to, 3);
    assert_int_equal(rule->when.fork, 0);
    assert_int_equal(rule->delay_count, 2);
    assert_int_equal(rule->delays_ms[1], 120000);
    assert_int_equal(rule->of, 20);
    assert_int_equal(policy.base.guards.superseded, JR_GUARD_RERUN);
    assert_int_equal(policy.base.guards.concurrency, JR_GUARD_WAIT);
    assert_int_equal(policy.base.outage.hold_ms, 300000);
    assert_int_equal(policy.limits_all.reruns_per_hour, 600);
    assert_true(policy.base.debug_last && policy.repository_files && policy.base.any_deserves);
    jr_policy_for(&policy, "octo/legacy-app", &part);
    assert_true(part.otherwise_rerun && part.any_deserves);
    assert_int_equal(part.limits.minutes_per_day, 60);
    assert_int_equal(part.limits.reruns_per_hour, 60);
    assert_int_equal(part.rule_count, 1);
    jr_policy_for(&policy, "octo/app", &part);
    assert_false(part.otherwise_rerun);
    jr_policy_release(&policy);
}

/* Whatever a deviation does not name is as above, also where that stands below. */
static void deviations(void **state)
{
    static const char text[] =
        V "repositories:\n"
        "  \"a/*\": { limits: { minutes-per-day: 60, os-weights: { macos: 5 } }, guards: { closed: rerun } }\n"
        "  \"b/*\": { guards: { events: push }, rules: [] }\n"
        "rules: [{ rerun: all }]\n"
        "limits: { reruns-per-hour: 9, minutes-per-day: 600, os-weights: { linux: 3 } }\n"
        "guards: { superseded: rerun, events: [push, schedule] }\n";
    struct jr_policy policy;
    struct jr_policy_part part;

    (void)state;
    read_policy(&policy, text);
    assert_int_equal(problems.count, 0);
    jr_policy_for(&policy, "a/x", &part);
    assert_int_equal(part.limits.reruns_per_hour, 9);
    assert_int_equal(part.limits.minutes_per_day, 60);
    assert_int_equal(part.limits.weight_linux, 3);
    assert_int_equal(part.limits.weight_macos, 5);
    assert_int_equal(part.limits.weight_windows, 2);
    assert_int_equal(part.guards.superseded, JR_GUARD_RERUN);
    assert_int_equal(part.guards.closed, JR_GUARD_RERUN);
    assert_int_equal(part.guards.events.count, 2);
    assert_int_equal(part.rule_count, 1);
    jr_policy_for(&policy, "b/x", &part);
    assert_int_equal(part.guards.superseded, JR_GUARD_RERUN);
    assert_int_equal(part.guards.events.count, 1);
    assert_int_equal(part.rule_count, 0);
    jr_policy_release(&policy);
}

/* The text of the defaults says what a policy is that says nothing. */
static void defaults(void **state)
{
    struct jr_policy nothing, said;

    (void)state;
    read_policy(&nothing, V);
    read_policy(&said, jr_policy_defaults());
    assert_int_equal(problems.count, 0);
    assert_int_equal(said.base.any_deserves, nothing.base.any_deserves);
    assert_int_equal(said.base.otherwise_rerun, nothing.base.otherwise_rerun);
    assert_int_equal(said.base.rule_count, 0);
    assert_memory_equal(&said.base.guards, &nothing.base.guards, sizeof said.base.guards);
    assert_memory_equal(&said.base.limits, &nothing.base.limits, sizeof said.base.limits);
    assert_memory_equal(&said.limits_all, &nothing.limits_all, sizeof said.limits_all);
    assert_int_equal(said.base.same_failure_rerun, nothing.base.same_failure_rerun);
    assert_int_equal(said.base.debug_last, nothing.base.debug_last);
    assert_int_equal(said.repository_files, nothing.repository_files);
    jr_policy_release(&nothing);
    jr_policy_release(&said);
}

static void warned(void **state)
{
    static const char text[] =
        V "repositories: { \"a/*\": { rules: [{ rerun: all, attempts: 9 }] } }\n"
        "rules:\n  - { rerun: test, attempts: 4 }\n  - { rerun: all, attempts: 5 }\n";
    struct jr_problems warnings = { .count = 0 };
    struct jr_policy policy;

    (void)state;
    read_policy(&policy, text);
    jr_policy_warn(&policy, 4, &warnings);
    assert_int_equal(warnings.count, 2);
    assert_int_equal(warnings.items[0].line, 2);
    assert_int_equal(warnings.items[1].line, 5);
    assert_int_equal(warnings.items[1].column, 29);
    assert_contains(warnings.items[1].text, "5 attempts are more than RUN_ATTEMPTS, 4");
    jr_policy_release(&policy);
}

struct evidence_row {
    const char *name, *text;
    bool wanted;
};

static void wants_evidence(void **state)
{
    const struct evidence_row *row = *state;
    struct jr_policy policy;

    read_policy(&policy, row->text);
    assert_int_equal(problems.count, 0);
    assert_int_equal(policy.wants_evidence, row->wanted);
    jr_policy_release(&policy);
}

#define ALL V "otherwise: rerun\nsame-failure: rerun\n"

static const struct evidence_row evidences[] = {
    { "nothing is asked for", ALL, false },
    { "the same failure twice", V "otherwise: rerun\n", true },
    { "a rule", ALL "rules: [{ leave: build }]\n", true },
    { "a repository with a rule", ALL "repositories: { a/b: { rules: [{ leave: build }] } }\n", true },
    { "a repository without one", ALL "repositories: { a/b: { mixed: any } }\n", false },
    { "a repository's same failure", ALL "repositories: { a/b: { same-failure: leave } }\n", true },
};

struct decide_row {
    const char *name, *policy;
    enum jr_cause causes[3]; /* of the failed jobs; NONE: no more */
    uint32_t attempt;
    enum jr_policy_verdict verdict;
    enum jr_policy_reason reason;
    int64_t delay_ms;
};

static void decided(void **state)
{
    const struct decide_row *row = *state;
    struct jr_evidence evidence = { .name = "e2e (1)", .conclusion = JR_CONCLUSION_FAILURE, .labels = "linux,x64" };
    struct jr_policy_run run = {
        .repo = "octo/app", .workflow = "CI", .workflow_path = ".github/workflows/ci.yml", .branch = "main", .event = "push",
        .attempt = row->attempt, .run_attempts = 4, .conclusion = JR_CONCLUSION_FAILURE, .conclusion_retried = true,
    };
    struct jr_policy_job jobs[3];
    struct jr_policy_answer answer;
    struct jr_policy policy;
    struct jr_policy_part part;
    const char *preset = jr_policy_preset(row->policy);
    size_t count = 0;

    memset(jobs, 0, sizeof jobs);
    for (; count < 3 && row->causes[count] != JR_CAUSE_NONE; count++) {
        jobs[count].evidence = &evidence;
        jobs[count].finding.cause = row->causes[count];
    }
    read_policy(&policy, preset != NULL ? preset : row->policy);
    assert_int_equal(problems.count, 0);
    jr_policy_for(&policy, run.repo, &part);
    jr_policy_decide(&part, &run, jobs, count, &answer);
    assert_int_equal(answer.verdict, row->verdict);
    assert_int_equal(answer.reason, row->reason);
    if (answer.verdict == JR_POLICY_RERUN)
        assert_int_equal(answer.delay_ms, row->delay_ms);
    jr_policy_release(&policy);
}

#define NET JR_CAUSE_NETWORK
#define RERUN JR_POLICY_RERUN, JR_POLICY_DESERVES
#define RULED JR_POLICY_LEAVE, JR_POLICY_LEFT_BY_RULE, 0
#define E2E V "otherwise: leave\nrules: [{ when: { job: \"e2e*\", labels: [x64] }, rerun: test, attempts: 2 }]\n"

static const struct decide_row decisions[] = {
    { "everything: a compiler's error", "everything", { JR_CAUSE_BUILD }, 1, RERUN, -1 },
    { "careful: a compiler's error", "careful", { JR_CAUSE_BUILD }, 1, RULED },
    { "careful: a test", "careful", { JR_CAUSE_TEST }, 1, RERUN, 0 },
    { "careful: later", "careful", { JR_CAUSE_TEST }, 2, RERUN, 30000 },
    { "careful: nobody knows", "careful", { JR_CAUSE_UNKNOWN }, 3, RERUN, 120000 },
    { "infrastructure: a network", "infrastructure", { NET }, 1, RERUN, 30000 },
    { "infrastructure: wait first", "infrastructure", { NET, JR_CAUSE_RATE_LIMITED }, 1, RERUN, 300000 },
    { "infrastructure: the smallest number of attempts", "infrastructure", { NET, JR_CAUSE_DISK }, 2, JR_POLICY_LEAVE, JR_POLICY_ATTEMPTS_USED_UP, 0 },
    { "infrastructure: a test", "infrastructure", { JR_CAUSE_TEST }, 1, RULED },
    { "infrastructure: one of two", "infrastructure", { NET, JR_CAUSE_TEST }, 1, RULED },
    { "infrastructure: nobody knows", "infrastructure", { JR_CAUSE_UNKNOWN }, 1, JR_POLICY_LEAVE, JR_POLICY_CAUSE_NOT_KNOWN, 0 },
    { "any: one of two", V "mixed: any\nrules: [{ rerun: network }]\n", { JR_CAUSE_TEST, NET }, 1, RERUN, -1 },
    { "an echo does not count", "infrastructure", { JR_CAUSE_ECHO, NET }, 1, RERUN, 30000 },
    { "but where there is nothing else", "infrastructure", { JR_CAUSE_ECHO }, 1, JR_POLICY_LEAVE, JR_POLICY_CAUSE_NOT_KNOWN, 0 },
    { "a rule that fits", E2E, { JR_CAUSE_TEST }, 1, RERUN, -1 },
    { "its attempts", E2E, { JR_CAUSE_TEST }, 2, JR_POLICY_LEAVE, JR_POLICY_ATTEMPTS_USED_UP, 0 },
    { "one of another file", V "otherwise: rerun\nrules: [{ when: { workflow: cd.yml }, leave: all }]\n", { NET }, 1, RERUN, -1 },
    { "one of this file", V "otherwise: rerun\nrules: [{ when: { workflow: ci.yml }, leave: all }]\n", { NET }, 1, RULED },
    { "no more than the settings", "everything", { NET }, 4, JR_POLICY_LEAVE, JR_POLICY_ATTEMPTS_USED_UP, 0 },
};

/* What was cancelled is rerun where it is proved that no person has done it. */
static void cancelled(void **state)
{
    struct jr_evidence evidence = { .name = "x", .conclusion = JR_CONCLUSION_CANCELLED };
    struct jr_policy_run run = { .repo = "a/b", .workflow = "", .workflow_path = "", .branch = "", .event = "",
                                 .attempt = 1, .run_attempts = 4, .conclusion = JR_CONCLUSION_CANCELLED };
    struct jr_policy_job jobs[2] = { { .evidence = &evidence, .finding = { .cause = JR_CAUSE_NOT_ACQUIRED, .signature = "not-acquired" } },
                                     { .evidence = &evidence, .finding = { .cause = JR_CAUSE_UNKNOWN } } };
    struct jr_policy_answer answer;
    struct jr_policy policy;

    (void)state;
    read_policy(&policy, jr_policy_preset("infrastructure"));
    jr_policy_decide(&policy.base, &run, jobs, 2, &answer);
    assert_int_equal(answer.verdict, JR_POLICY_RERUN);
    assert_false(jobs[1].counts);
    jobs[0].finding.cause = JR_CAUSE_CANCELLED_BY_PERSON;
    jr_policy_decide(&policy.base, &run, jobs, 2, &answer);
    assert_int_equal(answer.verdict, JR_POLICY_LEAVE);
    assert_int_equal(answer.reason, JR_POLICY_CONCLUSION);
    jr_policy_release(&policy);
    read_policy(&policy, jr_policy_preset("everything")); /* it looks at none of them */
    jobs[0].finding.cause = JR_CAUSE_NOT_ACQUIRED;
    jr_policy_decide(&policy.base, &run, jobs, 2, &answer);
    assert_int_equal(answer.verdict, JR_POLICY_LEAVE);
    assert_int_equal(answer.reason, JR_POLICY_CONCLUSION);
    jobs[0].finding.cause = JR_CAUSE_UNKNOWN;
    jr_policy_decide(&policy.base, &run, jobs, 2, &answer);
    assert_int_equal(answer.verdict, JR_POLICY_LEAVE);
    jr_policy_release(&policy);
}

/* The same failure twice, and what has not paid. */
static void what_does_not_pay(void **state)
{
    struct jr_evidence evidence = { .name = "x", .conclusion = JR_CONCLUSION_FAILURE };
    struct jr_policy_run run = { .repo = "a/b", .workflow = "", .workflow_path = "", .branch = "", .event = "",
                                 .attempt = 2, .run_attempts = 4, .conclusion = JR_CONCLUSION_FAILURE, .conclusion_retried = true };
    struct jr_policy_job job = { .evidence = &evidence, .same_as_before = true, .finding = { .cause = JR_CAUSE_TEST } };
    struct jr_policy_answer answer;
    struct jr_policy policy;

    (void)state;
    read_policy(&policy, V "rules: [{ rerun: all, only-if: { rescued: 5%, of: 20 } }]\n");
    jr_policy_decide(&policy.base, &run, &job, 1, &answer);
    assert_int_equal(answer.reason, JR_POLICY_SAME_FAILURE);
    job.finding.cause = JR_CAUSE_NETWORK;
    jr_policy_decide(&policy.base, &run, &job, 1, &answer);
    assert_int_equal(answer.verdict, JR_POLICY_RERUN);
    job.tried = 19;
    jr_policy_decide(&policy.base, &run, &job, 1, &answer);
    assert_int_equal(answer.verdict, JR_POLICY_RERUN);
    job.tried = 20;
    jr_policy_decide(&policy.base, &run, &job, 1, &answer);
    assert_int_equal(answer.reason, JR_POLICY_NOT_WORTH_IT);
    job.rescued = 1;
    jr_policy_decide(&policy.base, &run, &job, 1, &answer);
    assert_int_equal(answer.verdict, JR_POLICY_RERUN);
    jr_policy_release(&policy);
}

int main(void)
{
    TABLE(bad, refused);
    TABLE(bad_own, refused_of_its_own);
    TABLE(ceilings, under_a_ceiling);
    TEST(the_stricter_counts);
    TEST(presets);
    TEST(all_keys);
    TEST(deviations);
    TEST(defaults);
    TEST(warned);
    TABLE(evidences, wants_evidence);
    TABLE(decisions, decided);
    TEST(cancelled);
    TEST(what_does_not_pay);
    return run_program("policyfile");
}
