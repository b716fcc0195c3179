/*
 * policy -- a policy file of any bytes: what is wrong is said in its place; what is taken
 * decides about a run with a job of each cause, and never beyond the settings; as a repository's
 * own it lifts nothing of the centre's.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/policy.h"
#include "t/fuzz/fuzz.h"

#define RUN_ATTEMPTS 3

static void holds_problems(const struct jr_problems *problems)
{
    HOLDS(problems->count <= JR_PROBLEMS_MAX);
    HOLDS(!problems->more || problems->count == JR_PROBLEMS_MAX);
    for (size_t i = 0; i < problems->count; i++) {
        const struct jr_problem *problem = &problems->items[i], *before = problem - 1;
        size_t length = strnlen(problem->text, sizeof problem->text);

        HOLDS(length > 0 && length < sizeof problem->text);
        HOLDS(problem->line >= 1 && problem->column >= 1);
        HOLDS(i == 0 || before->line < problem->line
              || (before->line == problem->line && before->column <= problem->column));
        for (size_t at = 0; at < length; at++)
            HOLDS((unsigned char)problem->text[at] >= ' ' && problem->text[at] != 0x7f);
    }
}

static void holds_part(const struct jr_policy_part *part)
{
    HOLDS(part->rule_count <= JR_POLICY_RULES_MAX);
    for (size_t i = 0; i < part->rule_count; i++) {
        const struct jr_rule *rule = &part->rules[i];

        HOLDS(rule->name != NULL && *rule->name != '\0');
        HOLDS(rule->delay_count <= JR_POLICY_DELAYS_MAX);
        for (size_t at = 0; at < rule->delay_count; at++)
            HOLDS(rule->delays_ms[at] >= 0);
        HOLDS(rule->when.attempt_from <= rule->when.attempt_to);
        HOLDS(rule->when.fork >= -1 && rule->when.fork <= 1);
        HOLDS(rule->rescued >= 0 && rule->rescued <= 100);
    }
    HOLDS(part->outage.within_ms >= 0 && part->outage.hold_ms >= 0);
}

static void decide(const struct jr_policy_part *part, uint32_t attempt,
                   enum jr_conclusion conclusion, bool retried)
{
    static struct jr_evidence evidence = { .job_id = 1, .name = "build (linux)",
                                           .labels = "linux,x64", .runner = "r1" };
    struct jr_policy_run run = {
        .repo = "octo/app", .workflow = "CI", .workflow_path = ".github/workflows/ci.yml",
        .branch = "main", .event = "push", .attempt = attempt, .run_attempts = RUN_ATTEMPTS,
        .reruns = attempt - 1, .conclusion = conclusion, .conclusion_retried = retried,
    };

    evidence.conclusion = conclusion;
    for (unsigned cause = 1; cause < JR_CAUSES; cause++) {
        struct jr_policy_job job = { .evidence = &evidence, .finding.cause = (enum jr_cause)cause,
                                     .finding.signature = "x", .rescued = 1, .tried = 20 };
        struct jr_policy_answer answer;

        if (jr_cause_name((enum jr_cause)cause) == NULL)
            continue;
        jr_policy_decide(part, &run, &job, 1, &answer);
        HOLDS(answer.attempts <= RUN_ATTEMPTS && answer.delay_ms >= -1);
        HOLDS((answer.verdict == JR_POLICY_RERUN) == (answer.reason == JR_POLICY_DESERVES));
        HOLDS(answer.verdict != JR_POLICY_RERUN
              || (job.reruns && attempt < RUN_ATTEMPTS
                  && (retried || jr_cause_is_infrastructural((enum jr_cause)cause))));
    }
}

static void use(const struct jr_policy *policy, const char *repo)
{
    struct jr_policy_part part;

    jr_policy_for(policy, repo, &part);
    holds_part(&part);
    for (uint32_t attempt = 1; attempt <= RUN_ATTEMPTS; attempt++)
        decide(&part, attempt, JR_CONCLUSION_FAILURE, true);
    decide(&part, 1, JR_CONCLUSION_CANCELLED, false);
    decide(&part, 1, JR_CONCLUSION_TIMED_OUT, false);
}

static const char centre_text[] =
    "version: 1\nrules: [{ leave: [test, build] }, { rerun: all, attempts: 2 }]\n"
    "limits: { reruns-per-hour: 9 }\n";

/* Is a run with a job of this cause rerun, and how often at most? */
static uint32_t attempts_for(const struct jr_policy_part *part, enum jr_cause cause)
{
    static const struct jr_evidence evidence = { .job_id = 1, .name = "build", .labels = "linux",
                                                 .conclusion = JR_CONCLUSION_FAILURE };
    const struct jr_policy_run run = {
        .repo = "octo/app", .workflow = "CI", .workflow_path = "", .branch = "main",
        .event = "push", .attempt = 1, .run_attempts = RUN_ATTEMPTS,
        .conclusion = JR_CONCLUSION_FAILURE, .conclusion_retried = true,
    };
    struct jr_policy_job job = { .evidence = &evidence, .finding.cause = cause };
    struct jr_policy_answer answer;

    jr_policy_decide(part, &run, &job, 1, &answer);
    return answer.verdict == JR_POLICY_RERUN ? answer.attempts : 0;
}

/* What the centre says holds, whatever the repository's own file does. */
static void use_own(const struct jr_policy *own)
{
    struct jr_problems problems = { .count = 0 };
    struct jr_policy_force force;
    struct jr_policy centre;

    HOLDS(jr_policy_read(&centre, centre_text, sizeof centre_text - 1, &problems) == JR_OK);
    HOLDS(problems.count == 0);
    jr_policy_in_force(&centre, own, "octo/app", &force);
    holds_part(&force.part);
    for (unsigned cause = 1; cause < JR_CAUSES; cause++)
        if (jr_cause_name((enum jr_cause)cause) != NULL)
            HOLDS(attempts_for(&force.part, (enum jr_cause)cause) <= 2);
    HOLDS(attempts_for(&force.part, JR_CAUSE_TEST) == 0);
    HOLDS(attempts_for(&force.part, JR_CAUSE_BUILD) == 0);
    HOLDS(force.part.guards.superseded == JR_GUARD_LEAVE);
    HOLDS(force.part.guards.concurrency != JR_GUARD_RERUN);
    HOLDS(force.part.limits.reruns_per_hour >= 1 && force.part.limits.reruns_per_hour <= 9);
    HOLDS(force.part.outage.runs == 0);
    jr_policy_release(&centre);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    struct jr_policy policy;
    struct jr_problems problems = { .count = 0 };
    size_t length;
    char *text = take_rest(&input, &length);

    HOLDS(jr_policy_read(&policy, text, length, &problems) == JR_OK);
    holds_problems(&problems);
    if (problems.count == 0) {
        HOLDS(policy.repo_count <= JR_POLICY_REPOS_MAX);
        use(&policy, "octo/app");
        use(&policy, "octo/legacy-1");
    }
    jr_policy_release(&policy);
    memset(&problems, 0, sizeof problems);
    HOLDS(jr_policy_read_own(&policy, text, length, &problems) == JR_OK);
    holds_problems(&problems);
    if (problems.count == 0)
        use_own(&policy);
    jr_policy_release(&policy);
    free(text);
    return 0;
}
