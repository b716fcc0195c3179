/*
 * judging -- what was found out about the failed jobs of an attempt, and what the policy makes
 * of it, in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/judging.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/rules/judge.h"
#include "lib/steps/holding.h"
#include "lib/steps/step.h"
#include "lib/store/days.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"

#include <stdlib.h>
#include <string.h>

void jr_judging_release(struct jr_judging *judging)
{
    free(judging->items);
    memset(judging, 0, sizeof *judging);
}

static size_t place_of(const struct jr_judging *judging, uint64_t job_id)
{
    size_t place = 0;

    while (place < judging->count && judging->items[place].job_id < job_id)
        place++;
    return place;
}

enum jr_err jr_judging_add(struct jr_judging *judging, const struct jr_failure *failure)
{
    size_t place = place_of(judging, failure->job_id);
    struct jr_failure *items;

    if (place < judging->count && judging->items[place].job_id == failure->job_id) {
        judging->items[place] = *failure;
        return JR_OK;
    }
    items = realloc(judging->items, (judging->count + 1) * sizeof *items);
    if (items == NULL)
        return JR_ENOMEM;
    judging->items = items;
    memmove(items + place + 1, items + place, (judging->count - place) * sizeof *items);
    items[place] = *failure;
    judging->count++;
    return JR_OK;
}

const struct jr_failure *jr_judging_find(const struct jr_judging *judging, uint64_t job_id)
{
    size_t place = place_of(judging, job_id);

    return place < judging->count && judging->items[place].job_id == job_id
               ? &judging->items[place]
               : NULL;
}

struct jr_failure jr_judging_failure(const struct jr_evidence *evidence, uint32_t attempt,
                                     const struct jr_finding *finding)
{
    struct jr_failure failure = {
        .job_id = evidence->job_id,
        .attempt = attempt,
        .conclusion = evidence->conclusion,
        .started_ms = evidence->started_ms,
        .completed_ms = evidence->completed_ms,
        .steps_found = evidence->steps_found,
        .annotations_found = evidence->annotations_found,
        .log_found = evidence->log_found,
        .finding = *finding,
    };

    jr_text_copy(failure.name, sizeof failure.name, evidence->name);
    jr_text_copy(failure.runner, sizeof failure.runner, evidence->runner);
    jr_text_copy(failure.labels, sizeof failure.labels, evidence->labels);
    return failure;
}

/* A transaction about one run, and what it is about. */
struct context {
    uint64_t run_id;
    uint32_t attempt;
    struct jr_judging *judging;
    const struct jr_failure *failure;
    int64_t now_ms;
    const struct jr_run *run;
    struct jr_evidence *jobs;
    size_t count;
};

static void load(struct jr_txn *txn, void *argument)
{
    struct context *context = argument;
    struct jr_failure failure = { .job_id = 0 };

    while (jr_failures_next(txn, context->run_id, failure.job_id, &failure))
        if (failure.attempt == context->attempt
            && jr_judging_add(context->judging, &failure) != JR_OK)
            jr_txn_fail(txn, JR_ENOMEM, "out of memory");
}

enum jr_err jr_judging_load(struct jr_store *store, uint64_t run_id, uint32_t attempt,
                            struct jr_judging *judging, struct jr_error *error)
{
    struct context context = { .run_id = run_id, .attempt = attempt, .judging = judging };

    return jr_store_read(store, load, &context, error);
}

static enum jr_err take_job(struct jr_evidence *evidence, const struct jr_job *job)
{
    memset(evidence, 0, sizeof *evidence);
    evidence->job_id = job->job_id;
    evidence->status = job->status;
    evidence->conclusion = job->conclusion;
    evidence->created_ms = job->created_ms;
    evidence->started_ms = job->started_ms;
    evidence->completed_ms = job->completed_ms;
    jr_text_copy(evidence->name, sizeof evidence->name, job->name);
    jr_text_copy(evidence->runner, sizeof evidence->runner, job->runner);
    jr_text_copy(evidence->labels, sizeof evidence->labels, job->labels);
    return jr_evidence_take_steptext(evidence, job->steps);
}

static bool has_failed(const struct jr_run *run, const struct jr_job *job)
{
    return jr_run_attempt_of(run, job) == run->attempt && !job->carried_over
           && job->status == JR_STATUS_COMPLETED && jr_conclusion_is_bad(job->conclusion);
}

static void read_jobs(struct jr_txn *txn, void *argument)
{
    struct context *context = argument;
    struct jr_job job = { .job_id = 0 };

    while (context->count > 0) /* of a run of this before */
        jr_evidence_release(&context->jobs[--context->count]);
    while (context->count <= JR_JUDGING_JOBS_MAX
           && jr_ledger_next_job(txn, context->run->run_id, job.job_id, &job))
        if (has_failed(context->run, &job)
            && take_job(&context->jobs[context->count++], &job) != JR_OK)
            jr_txn_fail(txn, JR_ENOMEM, "out of memory");
}

enum jr_err jr_judging_jobs(struct jr_store *store, const struct jr_run *run,
                            struct jr_evidence **jobs, size_t *count, struct jr_error *error)
{
    struct context context = { .run = run };
    enum jr_err err;

    *count = 0;
    *jobs = context.jobs = calloc(JR_JUDGING_JOBS_MAX + 1, sizeof *context.jobs);
    if (*jobs == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = jr_store_read(store, read_jobs, &context, error);
    *count = context.count;
    return err;
}

static void save(struct jr_txn *txn, void *argument)
{
    const struct context *context = argument;
    struct jr_run run;

    jr_ledger_load_run(txn, context->run_id, &run);
    if (!run.known)
        jr_txn_fail(txn, JR_ENOENT, "run %llu is no longer in the store",
                    (unsigned long long)context->run_id);
    if (txn->error.code != JR_OK)
        return;
    jr_days_note_cause(txn, &run, context->failure, context->now_ms);
    jr_failures_save(txn, &run, context->failure, context->now_ms);
}

enum jr_err jr_judging_save(struct jr_store *store, uint64_t run_id,
                            const struct jr_failure *failure, int64_t now_ms,
                            struct jr_error *error)
{
    struct context context = { .run_id = run_id, .failure = failure, .now_ms = now_ms };

    return jr_store_write(store, save, &context, error);
}

enum jr_reason jr_judging_reason(enum jr_policy_reason reason)
{
    static const enum jr_reason reasons[] = {
        [JR_POLICY_DESERVES] = JR_REASON_RUN_FAILED,
        [JR_POLICY_LEFT_BY_RULE] = JR_REASON_LEFT_BY_RULE,
        [JR_POLICY_CAUSE_NOT_KNOWN] = JR_REASON_CAUSE_NOT_KNOWN,
        [JR_POLICY_NOT_WORTH_IT] = JR_REASON_NOT_WORTH_IT,
        [JR_POLICY_SAME_FAILURE] = JR_REASON_SAME_FAILURE,
        [JR_POLICY_UNREADABLE] = JR_REASON_EVIDENCE_UNREADABLE,
        [JR_POLICY_ATTEMPTS_USED_UP] = JR_REASON_ATTEMPTS_USED_UP,
        [JR_POLICY_CONCLUSION] = JR_REASON_CONCLUSION_NOT_RETRIED,
    };

    return reasons[reason];
}

/* A judgement on its way: the failures as the policy looks at them. */
struct trial {
    struct jr_policy_force force;
    struct jr_policy_answer answer;
    struct jr_evidence *evidence; /* what a policy asks of a job, by its failure */
    struct jr_policy_job *jobs;
    size_t count; /* the failures */
    size_t all;   /* behind them, one in the place of those that nobody has listed */
};

static void close_trial(struct trial *trial)
{
    free(trial->evidence);
    free(trial->jobs);
}

/* What cannot be read is not absent: a job that nobody has listed may have failed for anything. */
static void add_unlisted(struct trial *trial, const struct jr_judging *judging)
{
    struct jr_policy_job *job = &trial->jobs[trial->count];

    trial->all = trial->count;
    if (!judging->incomplete)
        return;
    job->evidence = &trial->evidence[trial->count];
    job->finding = (struct jr_finding){ .cause = JR_CAUSE_UNKNOWN, .unreadable = true };
    trial->all++;
}

static bool open_trial(struct trial *trial, const struct jr_judging *judging)
{
    memset(trial, 0, sizeof *trial);
    trial->count = judging->count;
    trial->evidence = calloc(judging->count + 1, sizeof *trial->evidence);
    trial->jobs = calloc(judging->count + 1, sizeof *trial->jobs);
    if (trial->evidence == NULL || trial->jobs == NULL) {
        close_trial(trial);
        return false;
    }
    for (size_t i = 0; i < judging->count; i++) {
        const struct jr_failure *failure = &judging->items[i];
        struct jr_evidence *evidence = &trial->evidence[i];

        evidence->conclusion = failure->conclusion;
        jr_text_copy(evidence->name, sizeof evidence->name, failure->name);
        jr_text_copy(evidence->runner, sizeof evidence->runner, failure->runner);
        jr_text_copy(evidence->labels, sizeof evidence->labels, failure->labels);
        trial->jobs[i].evidence = evidence;
        trial->jobs[i].finding = failure->finding;
    }
    add_unlisted(trial, judging);
    return true;
}

static void decide(struct trial *trial, const struct jr_judging *judging,
                   const struct jr_settings *settings, const struct jr_run *run)
{
    struct jr_bounds bounds = jr_step_bounds(settings);
    const struct jr_policy_run asked = {
        .repo = run->repo,
        .workflow = run->workflow,
        .workflow_path = run->workflow_path,
        .branch = run->branch,
        .event = run->trigger,
        .fork = *run->head_repo != '\0',
        .attempt = run->attempt,
        .run_attempts = (uint32_t)settings->run_attempts,
        .reruns = run->reruns,
        .conclusion = run->conclusion,
        .conclusion_retried = jr_bounds_retries(&bounds, run->conclusion),
    };

    jr_policy_in_force(judging->policy, judging->own, run->repo, &trial->force);
    jr_policy_decide(&trial->force.part, &asked, trial->jobs, trial->all, &trial->answer);
}

bool jr_judging_is_settled(const struct jr_judging *judging, const struct jr_settings *settings,
                           const struct jr_run *run)
{
    bool settled = false;
    struct trial trial;

    if (!open_trial(&trial, judging))
        return false;
    decide(&trial, judging, settings, run);
    for (size_t i = 0; i < trial.all; i++) {
        const struct jr_policy_job *job = &trial.jobs[i];
        bool echoes = i < judging->count && judging->items[i].finding.cause == JR_CAUSE_ECHO;

        /* A job without a cause of its own may turn out not to count. */
        settled |= job->counts && !job->reruns && !echoes
                   && job->evidence->conclusion != JR_CONCLUSION_CANCELLED;
    }
    close_trial(&trial);
    return settled && !trial.force.part.any_deserves;
}

struct taking {
    const struct jr_bounds bounds;
    const struct jr_settings *settings;
    struct jr_judging *judging;
    int64_t claimed_due_ms, now_ms;
    struct jr_run *run;
    struct jr_verdict *verdict;
    struct trial *trial;
};

/* What the store tells of each job: how its reruns went, and earlier attempts. */
static void ask_store(struct jr_txn *txn, struct taking *taking)
{
    struct trial *trial = taking->trial;
    struct jr_failures_span span = { .now_ms = taking->now_ms, .before_ms = JR_TIME_MOST };

    jr_policy_in_force(taking->judging->policy, taking->judging->own, taking->run->repo,
                       &trial->force);
    span.of = jr_policy_looks_back(&trial->force.part);
    for (size_t i = 0; i < trial->count; i++) {
        const struct jr_failure *failure = &taking->judging->items[i];
        struct jr_policy_job *job = &trial->jobs[i];

        job->finding = failure->finding;
        job->same_as_before = jr_failures_same_as_before(txn, taking->run, failure, NULL);
        if (span.of > 0)
            jr_failures_worth(txn, taking->run, failure->name, failure->finding.cause, span,
                              &job->tried, &job->rescued);
    }
}

/* What the policy made of each job. */
static void save_jobs(struct jr_txn *txn, const struct taking *taking)
{
    for (size_t i = 0; i < taking->trial->count; i++) {
        const struct jr_policy_job *job = &taking->trial->jobs[i];
        struct jr_failure *failure = &taking->judging->items[i];

        failure->counts = job->counts;
        failure->reruns = job->reruns;
        failure->not_worth_it = job->not_worth_it;
        failure->same_failure = job->same_failure;
        jr_text_copy(failure->rule, sizeof failure->rule,
                     job->rule == NULL ? "" : job->rule->name);
        jr_days_note_cause(txn, taking->run, failure, taking->now_ms);
        jr_failures_save(txn, taking->run, failure, taking->now_ms);
    }
}

static void take(struct jr_txn *txn, void *argument)
{
    struct taking *taking = argument;
    const struct jr_policy_answer *answer = &taking->trial->answer;
    struct jr_run *run = taking->run;
    struct jr_input input = { .kind = JR_INPUT_JUDGED, .now_ms = taking->now_ms };
    uint32_t attempt = run->attempt;

    jr_ledger_load_run(txn, run->run_id, run);
    if (!run->known) {
        jr_txn_fail(txn, JR_ENOENT, "run %llu is no longer in the store",
                    (unsigned long long)run->run_id);
        return;
    }
    input.attempt = attempt;
    input.moved = run->due_ms != taking->claimed_due_ms;
    ask_store(txn, taking);
    decide(taking->trial, taking->judging, taking->settings, run);
    input.reason = jr_judging_reason(answer->reason);
    input.judgement = (struct jr_judgement){
        .leaves = answer->verdict != JR_POLICY_RERUN,
        .debug = answer->debug,
        .delay_ms = answer->delay_ms,
        .jobs = (uint32_t)taking->trial->count,
    };
    if (run->attempt == attempt)
        save_jobs(txn, taking);
    jr_step_take(txn, &taking->bounds, &input, NULL, run, taking->verdict);
    jr_holding_note(txn, taking->judging->policy, run, attempt, taking->now_ms);
}

enum jr_err jr_judging_take(struct jr_store *store, const struct jr_settings *settings,
                            struct jr_judging *judging, struct jr_run *run, int64_t now_ms,
                            struct jr_verdict *verdict, struct jr_error *error)
{
    struct trial trial;
    struct taking taking = {
        .bounds = jr_step_bounds(settings), .settings = settings,
        .judging = judging, .claimed_due_ms = run->due_ms, .now_ms = now_ms, .run = run,
        .verdict = verdict, .trial = &trial,
    };
    enum jr_err err;

    if (!open_trial(&trial, judging))
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = jr_store_write(store, take, &taking, error);
    close_trial(&trial);
    return err;
}
