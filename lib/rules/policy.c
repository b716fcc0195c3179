/*
 * policy -- what to do about the causes of a failed run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/policy.h"
#include "lib/model/run.h"

#include <string.h>

static const struct {
    const char *name, *text;
} presets[] = {
    { "everything",
      "version: 1\n"
      "mixed: any\n"
      "otherwise: rerun\n"
      "guards: { superseded: rerun, closed: rerun, deployments: rerun, merge-queue: rerun, "
      "concurrency: rerun, events: ['*'] }\n"
      "same-failure: rerun\n" },
    { "careful",
      "version: 1\n"
      "otherwise: rerun\n"
      "rules:\n"
      "  - name: no-rerun-helps\n"
      "    leave: [build, lint, crash, timeout, environment, billing, policy, workflow-invalid, "
      "cancelled-by-person, superseded]\n"
      "  - name: may-help\n"
      "    rerun: [infrastructure, test, step-timeout, unknown]\n"
      "    delay: [0s, 30s, 2m]\n"
      "same-failure: leave\n" },
    { "infrastructure",
      "version: 1\n"
      "otherwise: leave\n"
      "rules:\n"
      "  - name: wait-first\n"
      "    rerun: [rate-limited, not-acquired, internal-error]\n"
      "    delay: [5m, 15m, 30m]\n"
      "  - name: once\n"
      "    rerun: [memory, disk]\n"
      "    attempts: 2\n"
      "  - name: infrastructure\n"
      "    rerun: [infrastructure]\n"
      "    delay: [30s, 2m, 10m]\n"
      "same-failure: leave\n" },
};

const char *jr_policy_preset(const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (strcmp(presets[i].name, name) == 0)
            return presets[i].text;
    return NULL;
}

const char *jr_policy_defaults(void)
{
    return "version: 1\n"
           "mixed: all\n"
           "otherwise: leave\n"
           "rules: []\n"
           "guards: { superseded: leave, closed: leave, deployments: leave, merge-queue: leave, "
           "concurrency: wait }\n"
           "limits: { os-weights: { linux: 1, windows: 2, macos: 10, self-hosted: 0 } }\n"
           "limits-all: { os-weights: { linux: 1, windows: 2, macos: 10, self-hosted: 0 } }\n"
           "same-failure: leave\n"
           "debug-logging: never\n"
           "repository-files: no\n";
}

static bool listed(const struct jr_list *list, const char *value)
{
    return list->count == 0 || jr_list_match(list, value);
}

/* A workflow is named by its name, its path or its file's name. */
static bool workflow_listed(const struct jr_list *list, const struct jr_policy_run *run)
{
    const char *slash = strrchr(run->workflow_path, '/');

    return list->count == 0 || jr_list_match(list, run->workflow)
           || (*run->workflow_path != '\0'
               && (jr_list_match(list, run->workflow_path)
                   || jr_list_match(list, slash == NULL ? run->workflow_path : slash + 1)));
}

/* Is a label among "a,b"? */
static bool has_label(const char *labels, const char *pattern)
{
    char label[JR_LABELS_SIZE];

    for (const char *at = labels; *at != '\0';) {
        size_t length = strcspn(at, ",");

        memcpy(label, at, length);
        label[length] = '\0';
        if (jr_text_match(pattern, label))
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

static bool fits_job(const struct jr_when *when, const struct jr_policy_job *job)
{
    for (size_t i = 0; i < when->labels.count; i++)
        if (!has_label(job->evidence->labels, when->labels.items[i]))
            return false;
    return listed(&when->job, job->evidence->name) && listed(&when->step, job->finding.step)
           && listed(&when->runner, job->evidence->runner)
           && listed(&when->conclusion, jr_conclusion_name(job->evidence->conclusion));
}

static bool fits(const struct jr_when *when, const struct jr_policy_run *run,
                 const struct jr_policy_job *job)
{
    return listed(&when->repository, run->repo) && workflow_listed(&when->workflow, run)
           && listed(&when->branch, run->branch) && listed(&when->event, run->event)
           && (when->attempt_to == 0
               || (run->attempt >= when->attempt_from && run->attempt <= when->attempt_to))
           && (when->fork < 0 || when->fork == (run->fork ? 1 : 0)) && fits_job(when, job);
}

static bool has_cause(jr_causes causes, enum jr_cause cause)
{
    return (causes >> cause & 1) != 0;
}

/* Have reruns of this job for this cause not paid? */
static bool is_not_worth_it(const struct jr_rule *rule, const struct jr_policy_job *job)
{
    return rule != NULL && rule->of > 0 && job->tried >= rule->of
           && (double)job->rescued < rule->rescued * (double)job->tried;
}

/* The first rule that fits and names the cause; NULL: none does. */
static const struct jr_rule *rule_for(const struct jr_policy_part *part,
                                      const struct jr_policy_run *run,
                                      const struct jr_policy_job *job)
{
    enum jr_cause cause = job->finding.cause;

    for (size_t i = 0; i < part->rule_count; i++) {
        const struct jr_rule *rule = &part->rules[i];

        if ((has_cause(rule->rerun, cause) || has_cause(rule->leave, cause))
            && fits(&rule->when, run, job))
            return rule;
    }
    return NULL;
}

/* That rule decides; else `otherwise' does. What the centre's rule leaves, its own cannot rerun. */
static void apply_rules(const struct jr_policy_part *part, const struct jr_policy_run *run,
                        struct jr_policy_job *job)
{
    enum jr_cause cause = job->finding.cause;
    const struct jr_rule *above = part->ceiling == NULL ? NULL : rule_for(part->ceiling, run, job);

    job->above = above;
    job->rule = above != NULL && has_cause(above->leave, cause) ? above : rule_for(part, run, job);
    job->reruns = job->rule == NULL ? part->otherwise_rerun : has_cause(job->rule->rerun, cause);
    job->same_failure = job->reruns && job->same_as_before && !part->same_failure_rerun
                        && !jr_cause_is_infrastructural(cause);
    job->not_worth_it = job->reruns
                        && (is_not_worth_it(job->rule, job) || is_not_worth_it(above, job));
    job->reruns = job->reruns && !job->same_failure && !job->not_worth_it;
}

static bool is_cancelled(const struct jr_policy_job *job)
{
    return job->evidence->conclusion == JR_CONCLUSION_CANCELLED;
}

/*
 * What was cancelled is rerun only if it is proved that no person has done it. A cancelled job
 * beside one that is proved went along with it.
 */
static void look_for_proof(struct jr_policy_job *job)
{
    bool proved = jr_cause_cancels(job->finding.cause) && *job->finding.signature != '\0';

    if (!is_cancelled(job))
        return;
    job->reruns = job->reruns && proved;
    if (!proved && !jr_cause_forbids(job->finding.cause))
        job->counts = false;
}

/* Jobs that only report others count when there is nothing else. */
static void choose_counting(struct jr_policy_job *jobs, size_t count)
{
    size_t counting = 0;

    for (size_t i = 0; i < count; i++) {
        jobs[i].counts = jobs[i].finding.cause != JR_CAUSE_ECHO;
        counting += jobs[i].counts;
    }
    for (size_t i = 0; counting == 0 && i < count; i++) {
        jobs[i].counts = true;
        jobs[i].finding.cause = JR_CAUSE_UNKNOWN;
    }
}

static enum jr_policy_reason reason_of(const struct jr_policy_job *job)
{
    if (job->same_failure)
        return JR_POLICY_SAME_FAILURE;
    if (job->not_worth_it)
        return JR_POLICY_NOT_WORTH_IT;
    if (job->finding.cause == JR_CAUSE_UNKNOWN)
        return job->finding.unreadable ? JR_POLICY_UNREADABLE : JR_POLICY_CAUSE_NOT_KNOWN;
    return JR_POLICY_LEFT_BY_RULE;
}

static uint32_t fewer_attempts(uint32_t attempts, const struct jr_rule *rule)
{
    return rule != NULL && rule->attempts > 0 && rule->attempts < attempts ? rule->attempts
                                                                           : attempts;
}

/* The run's attempts are the smallest of its jobs' rules. */
static uint32_t attempts_of(const struct jr_policy_run *run, const struct jr_policy_job *jobs,
                            size_t count)
{
    uint32_t attempts = run->run_attempts;

    for (size_t i = 0; i < count; i++)
        if (jobs[i].counts && jobs[i].reruns)
            attempts = fewer_attempts(fewer_attempts(attempts, jobs[i].rule), jobs[i].above);
    return attempts;
}

/* Its delay is the largest. */
static int64_t delay_of(const struct jr_policy_run *run, const struct jr_policy_job *jobs,
                        size_t count)
{
    int64_t delay_ms = -1;

    for (size_t i = 0; i < count; i++) {
        const struct jr_rule *rule = jobs[i].rule;
        size_t at = run->attempt > 0 ? run->attempt - 1 : 0;

        if (!jobs[i].counts || !jobs[i].reruns || rule == NULL || rule->delay_count == 0)
            continue;
        if (at >= rule->delay_count)
            at = rule->delay_count - 1;
        if (rule->delays_ms[at] > delay_ms)
            delay_ms = rule->delays_ms[at];
    }
    return delay_ms;
}

static void leave(struct jr_policy_answer *answer, enum jr_policy_reason reason)
{
    answer->verdict = JR_POLICY_LEAVE;
    answer->reason = reason;
}

/* Do as many jobs deserve it as have to? If not, the first that does not says why. */
static bool jobs_deserve(const struct jr_policy_part *part, const struct jr_policy_job *jobs,
                         size_t count, enum jr_policy_reason *reason)
{
    bool any = false, all = true;

    *reason = JR_POLICY_CAUSE_NOT_KNOWN;
    if (count == 0) /* it failed before it had a job, or nobody can see them */
        return part->otherwise_rerun;
    for (size_t i = 0; i < count; i++) {
        if (!jobs[i].counts)
            continue;
        if (!jobs[i].reruns && all)
            *reason = reason_of(&jobs[i]);
        any |= jobs[i].reruns;
        all &= jobs[i].reruns;
    }
    return any && (all || part->any_deserves);
}

/* Does it look at cancelled runs? Only where a rule reruns what is not the code's. */
static bool reruns_cancelled(const struct jr_policy_part *part)
{
    for (size_t i = 0; i < part->rule_count; i++)
        for (unsigned cause = 0; cause < JR_CAUSES; cause++)
            if (jr_cause_is_infrastructural((enum jr_cause)cause)
                && has_cause(part->rules[i].rerun, (enum jr_cause)cause))
                return true;
    return false;
}

void jr_policy_decide(const struct jr_policy_part *part, const struct jr_policy_run *run,
                      struct jr_policy_job *jobs, size_t count, struct jr_policy_answer *answer)
{
    enum jr_policy_reason reason;
    bool proved = false;

    memset(answer, 0, sizeof *answer);
    choose_counting(jobs, count);
    for (size_t i = 0; i < count; i++) {
        apply_rules(part, run, &jobs[i]);
        look_for_proof(&jobs[i]);
        proved |= jobs[i].counts && jobs[i].reruns && is_cancelled(&jobs[i]);
    }
    answer->attempts = attempts_of(run, jobs, count);
    answer->delay_ms = delay_of(run, jobs, count);
    answer->debug = part->debug_last && run->attempt + 1 >= answer->attempts;
    if (!run->conclusion_retried
        && !(run->conclusion == JR_CONCLUSION_CANCELLED && proved && reruns_cancelled(part)))
        leave(answer, JR_POLICY_CONCLUSION);
    else if (!jobs_deserve(part, jobs, count, &reason))
        leave(answer, reason);
    else if (run->attempt >= answer->attempts)
        leave(answer, JR_POLICY_ATTEMPTS_USED_UP);
}

void jr_policy_for(const struct jr_policy *policy, const char *repo, struct jr_policy_part *part)
{
    const struct jr_policy_part *other = NULL;

    *part = policy->base;
    for (size_t i = 0; other == NULL && i < policy->repo_count; i++)
        if (jr_text_match(policy->repos[i].pattern, repo))
            other = &policy->repos[i].part;
    if (other == NULL)
        return;
    if (other->has & JR_HAS_MIXED)
        part->any_deserves = other->any_deserves;
    if (other->has & JR_HAS_OTHERWISE)
        part->otherwise_rerun = other->otherwise_rerun;
    if (other->has & JR_HAS_RULES) {
        part->rules = other->rules;
        part->rule_count = other->rule_count;
    }
    if (other->has & JR_HAS_GUARDS) {
        part->guards = other->guards;
        if (other->guards.events.count == 0)
            part->guards.events = policy->base.guards.events;
    }
    if (other->has & JR_HAS_LIMITS)
        part->limits = other->limits;
    if (other->has & JR_HAS_OUTAGE)
        part->outage = other->outage;
    if (other->has & JR_HAS_SAME_FAILURE)
        part->same_failure_rerun = other->same_failure_rerun;
    if (other->has & JR_HAS_DEBUG)
        part->debug_last = other->debug_last;
    part->has |= other->has;
}

static enum jr_guard stricter_guard(enum jr_guard a, enum jr_guard b)
{
    if (a == JR_GUARD_LEAVE || b == JR_GUARD_LEAVE)
        return JR_GUARD_LEAVE;
    return a == JR_GUARD_WAIT || b == JR_GUARD_WAIT ? JR_GUARD_WAIT : JR_GUARD_RERUN;
}

static void guard_under(const struct jr_guards *centre, struct jr_guards *guards)
{
    guards->superseded = stricter_guard(guards->superseded, centre->superseded);
    guards->closed = stricter_guard(guards->closed, centre->closed);
    guards->deployments = stricter_guard(guards->deployments, centre->deployments);
    guards->merge_queue = stricter_guard(guards->merge_queue, centre->merge_queue);
    guards->concurrency = stricter_guard(guards->concurrency, centre->concurrency);
    guards->ceiling = centre;
}

/* 0: no limit. */
static uint32_t smaller_limit(uint32_t a, uint32_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void limit_under(const struct jr_limits *centre, struct jr_limits *limits)
{
    limits->reruns_per_hour = smaller_limit(limits->reruns_per_hour, centre->reruns_per_hour);
    limits->minutes_per_day = smaller_limit(limits->minutes_per_day, centre->minutes_per_day);
    limits->weight_linux = larger(limits->weight_linux, centre->weight_linux);
    limits->weight_windows = larger(limits->weight_windows, centre->weight_windows);
    limits->weight_macos = larger(limits->weight_macos, centre->weight_macos);
    limits->weight_self_hosted = larger(limits->weight_self_hosted, centre->weight_self_hosted);
}

void jr_policy_under(const struct jr_policy_part *centre, const struct jr_policy *own,
                     struct jr_policy_part *part)
{
    unsigned has = own->base.has;

    *part = own->base;
    part->has = has | centre->has;
    part->ceiling = centre;
    part->any_deserves = centre->any_deserves
                         && (own->base.any_deserves || (has & JR_HAS_MIXED) == 0);
    if ((has & JR_HAS_OTHERWISE) == 0)
        part->otherwise_rerun = centre->otherwise_rerun;
    if ((has & JR_HAS_RULES) == 0) {
        part->rules = centre->rules;
        part->rule_count = centre->rule_count;
    }
    if ((has & JR_HAS_GUARDS) == 0)
        part->guards = centre->guards;
    guard_under(&centre->guards, &part->guards);
    limit_under(&centre->limits, &part->limits);
    part->outage = centre->outage;
    part->same_failure_rerun = centre->same_failure_rerun
                               && (own->base.same_failure_rerun
                                   || (has & JR_HAS_SAME_FAILURE) == 0);
    if ((has & JR_HAS_DEBUG) == 0)
        part->debug_last = centre->debug_last;
}

void jr_policy_in_force(const struct jr_policy *policy, const struct jr_policy *own,
                        const char *repo, struct jr_policy_force *force)
{
    jr_policy_for(policy, repo, &force->centre);
    if (own == NULL)
        force->part = force->centre;
    else
        jr_policy_under(&force->centre, own, &force->part);
}

bool jr_policy_reruns_cancelled(const struct jr_policy *policy)
{
    bool any = reruns_cancelled(&policy->base);

    for (size_t i = 0; i < policy->repo_count; i++)
        any = any || reruns_cancelled(&policy->repos[i].part);
    return any;
}

bool jr_policy_has_outage(const struct jr_policy *policy)
{
    bool any = policy->base.outage.runs > 0;

    for (size_t i = 0; i < policy->repo_count; i++)
        any = any || policy->repos[i].part.outage.runs > 0;
    return any;
}

bool jr_policy_guards_pulls(const struct jr_policy *policy)
{
    bool any = policy->base.guards.closed != JR_GUARD_RERUN;

    for (size_t i = 0; i < policy->repo_count; i++)
        any = any || policy->repos[i].part.guards.closed != JR_GUARD_RERUN;
    return any;
}

bool jr_policy_guards_files(const struct jr_policy *policy)
{
    bool any = policy->base.guards.deployments != JR_GUARD_RERUN;

    for (size_t i = 0; i < policy->repo_count; i++)
        any = any || policy->repos[i].part.guards.deployments != JR_GUARD_RERUN;
    return any;
}

static bool names_workflows(const struct jr_policy_part *part)
{
    for (size_t i = 0; i < part->rule_count; i++)
        if (jr_run_lists_names(&part->rules[i].when.workflow))
            return true;
    return false;
}

bool jr_policy_names_workflows(const struct jr_policy *policy)
{
    bool any = names_workflows(&policy->base);

    for (size_t i = 0; i < policy->repo_count; i++)
        any = any || names_workflows(&policy->repos[i].part);
    return any;
}

uint32_t jr_policy_looks_back(const struct jr_policy_part *part)
{
    uint32_t most = part->ceiling == NULL ? 0 : jr_policy_looks_back(part->ceiling);

    for (size_t i = 0; i < part->rule_count; i++)
        if (part->rules[i].of > most)
            most = part->rules[i].of;
    return most;
}
