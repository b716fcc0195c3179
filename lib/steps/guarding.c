/*
 * guarding -- the guards of a policy, asked about a run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/guarding.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/rules/attempt.h"
#include "lib/rules/guards.h"
#include "lib/rules/learn.h"
#include "lib/rules/workflowfile.h"
#include "lib/steps/step.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"

#include <stdlib.h>
#include <string.h>

/* How soon a run is looked at again whose concurrency group another run holds: half of what it
 * has waited by then, within these. */
#define BUSY_LEAST_MS (30 * JR_SECOND_MS)
#define BUSY_MOST_MS (10 * JR_MINUTE_MS)

/* So many names of an attempt's failed jobs are looked for in the workflow's file. */
#define FAILED_MAX 300

void jr_guarding_find_newer(struct jr_txn *txn, const struct jr_bounds *bounds,
                            const struct jr_run *run, struct jr_input *input)
{
    struct jr_run learned = *run;

    if (input->event != NULL)
        jr_learn_shown(bounds, input->event, &learned);
    jr_ledger_newer(txn, bounds, &learned, input->now_ms, &input->newer);
}

/* The names of jobs that have an environment, as events told. */
struct deployers {
    char names[64][JR_NAME_SIZE];
    size_t count;
};

static bool deploys(const struct deployers *deployers, const char *name)
{
    for (size_t i = 0; i < deployers->count; i++)
        if (strcmp(deployers->names[i], name) == 0)
            return true;
    return false;
}

/*
 * Is it one that failed in the newest attempt, or was skipped, behind one perhaps? Where the whole
 * run is rerun, all do, those that were only shown again, too.
 */
static bool may_run_again(const struct jr_run *run, const struct jr_job *job)
{
    if (run->rerun_all)
        return true;
    return jr_run_attempt_of(run, job) == run->attempt && job->status == JR_STATUS_COMPLETED
           && (jr_conclusion_is_bad(job->conclusion) || job->conclusion == JR_CONCLUSION_SKIPPED);
}

/*
 * Would a job run again that deploys: one that failed, or was skipped behind one? Of a skipped
 * job no event tells that; another attempt of the run may have.
 */
static bool would_deploy(struct jr_txn *txn, const struct jr_run *run)
{
    struct deployers deployers = { .count = 0 };
    struct jr_job job = { .job_id = 0 };

    while (jr_ledger_next_job(txn, run->run_id, job.job_id, &job))
        if (*job.environment != '\0' && deployers.count < 64 && !deploys(&deployers, job.name))
            (void)jr_text_copy(deployers.names[deployers.count++], JR_NAME_SIZE, job.name);
    if (deployers.count == 0)
        return false;
    job.job_id = 0;
    while (jr_ledger_next_job(txn, run->run_id, job.job_id, &job))
        if (may_run_again(run, &job) && deploys(&deployers, job.name))
            return true;
    return false;
}

/* Does the name of the workflow, or of a job that may run again, say that it deploys? */
static bool names_deploy(struct jr_txn *txn, const struct jr_run *run)
{
    struct jr_failure failure = { .job_id = 0 };
    struct jr_job job = { .job_id = 0 };

    if (jr_guards_name_deploys(jr_run_workflow(run)))
        return true;
    while (jr_ledger_next_job(txn, run->run_id, job.job_id, &job))
        if (may_run_again(run, &job) && jr_guards_name_deploys(job.name))
            return true;
    while (jr_failures_next(txn, run->run_id, failure.job_id, &failure))
        if (failure.attempt == run->attempt && jr_guards_name_deploys(failure.name))
            return true;
    return false;
}

/* By names only where nothing exact can be known. */
static enum jr_guard_told told_of_deployments(struct jr_txn *txn, const struct jr_run *run,
                                              enum jr_guard_told by_file)
{
    if (would_deploy(txn, run))
        return JR_GUARD_HOLDS;
    return by_file == JR_GUARD_NOT_TOLD && names_deploy(txn, run) ? JR_GUARD_HOLDS : by_file;
}

/*
 * The policy for a run as it is shown. A person who asks for a rerun knows whether it is still
 * wanted: what is left is that it does more than to test.
 */
static void force_for(const struct jr_guarded_run *about, const struct jr_event *seen,
                      struct jr_policy_force *force)
{
    struct jr_guards *guards = &force->part.guards;

    jr_policy_in_force(about->policy, about->own,
                       *seen->repo != '\0' ? seen->repo : about->run->repo, force);
    if (about->run->asked)
        guards->superseded = guards->closed = guards->merge_queue = guards->concurrency
            = JR_GUARD_RERUN;
}

/* What is known for each guard. */
static struct jr_guard_facts facts_of(struct jr_txn *txn, const struct jr_policy_part *part,
                                      const struct jr_run *run, const struct jr_input *input,
                                      const struct jr_guard_news *news)
{
    struct jr_guard_facts facts = {
        .event = *input->event->trigger != '\0' ? input->event->trigger : run->trigger,
        .newer = input->newer.state != JR_NEWER_NONE ? JR_GUARD_HOLDS
                                                     : news->told[JR_GUARD_SUPERSEDED],
        .held = news->told[JR_GUARD_CONCURRENCY],
        .closed = news->told[JR_GUARD_CLOSED],
    };

    facts.event_named = jr_guards_event_is_named(part, facts.event);
    if (part->guards.deployments != JR_GUARD_RERUN)
        facts.deploys = told_of_deployments(txn, run, news->told[JR_GUARD_DEPLOYMENTS]);
    return facts;
}

/* The longer it has waited for its group, the longer it waits. */
static int64_t busy_until_ms(const struct jr_run *run, int64_t now_ms)
{
    int64_t wait_ms = jr_test_scaled_ms(BUSY_LEAST_MS);

    if (run->held == JR_REASON_CONCURRENCY_BUSY && run->waiting_ms != 0)
        wait_ms = jr_later_of(wait_ms, (now_ms - run->waiting_ms) / 2);
    return now_ms + jr_earlier_of(wait_ms, jr_test_scaled_ms(BUSY_MOST_MS));
}

void jr_guarding_ask(struct jr_txn *txn, const struct jr_guarded_run *about,
                     struct jr_input *input)
{
    static const struct jr_guard_news nothing = { .newer_run_id = 0 };
    const struct jr_guard_news *news = about->news == NULL ? &nothing : about->news;
    struct jr_guard_answer answer;
    struct jr_guard_facts facts;
    struct jr_policy_force force;

    force_for(about, input->event, &force);
    facts = facts_of(txn, &force.part, about->run, input, news);
    answer = jr_guards_ask(&force.part.guards, &facts);
    input->guards.asked = true;
    memcpy(input->guards.by, answer.told, sizeof answer.told);
    if (input->newer.state == JR_NEWER_NONE && answer.reason == JR_REASON_SUPERSEDED)
        input->newer = (struct jr_newer){
            news->newer_finished ? JR_NEWER_FINISHED : JR_NEWER_UNFINISHED, news->newer_run_id,
        };
    if (answer.verdict == JR_POLICY_WAIT)
        input->hold = (struct jr_hold){ answer.reason, busy_until_ms(about->run, input->now_ms) };
    else
        input->guard = answer.reason;
}

/* Can GitHub be asked for a guard of this run at all? */
static bool can_be_asked(enum jr_guard_kind kind, const struct jr_run *run)
{
    switch (kind) {
    case JR_GUARD_SUPERSEDED:
        return jr_run_is_in_line(run);
    case JR_GUARD_CLOSED:
        return jr_run_is_of_pull_request(run);
    case JR_GUARD_CONCURRENCY:
    case JR_GUARD_DEPLOYMENTS:
        return true;
    default:
        return false;
    }
}

struct next {
    struct jr_bounds bounds;
    struct jr_input input;
    const struct jr_guarded_run *about;
    enum jr_guard_kind kind; /* out */
    bool found;              /* out */
};

static void find_next(struct jr_txn *txn, void *context)
{
    struct next *next = context;
    struct jr_run run = *next->about->run;
    struct jr_guard_facts facts;
    struct jr_policy_force force;

    force_for(next->about, next->input.event, &force);
    jr_guarding_find_newer(txn, &next->bounds, &run, &next->input);
    jr_learn_shown(&next->bounds, next->input.event, &run);
    facts = facts_of(txn, &force.part, &run, &next->input, next->about->news);
    if (jr_guards_ask(&force.part.guards, &facts).verdict != JR_POLICY_RERUN)
        return;
    for (int i = 0; i < JR_GUARD_KINDS && !next->found; i++) {
        next->kind = (enum jr_guard_kind)i;
        next->found = jr_guards_of(&force.part.guards, next->kind) != JR_GUARD_RERUN
                      && next->about->news->told[i] == JR_GUARD_NOT_ASKED
                      && can_be_asked(next->kind, &run);
    }
}

enum jr_err jr_guarding_next(struct jr_store *store, const struct jr_settings *settings,
                             const struct jr_guarded_run *about, enum jr_guard_kind *kind,
                             struct jr_error *error)
{
    struct next next = {
        .bounds = jr_step_bounds(settings), .about = about,
        .input = { .kind = JR_INPUT_SEEN, .now_ms = about->now_ms, .event = about->seen },
    };
    enum jr_err err;

    if (!settings->has_guards || (about->run->by_hand && !about->run->asked))
        return JR_ENOENT;
    err = jr_store_read(store, find_next, &next, error);
    *kind = next.kind;
    return err == JR_OK && !next.found ? JR_ENOENT : err;
}

/* The names of the jobs of an attempt that failed. */
struct failed {
    const struct jr_run *run;
    char names[FAILED_MAX][JR_NAME_SIZE];
    size_t count;
    bool more; /* than there is room for */
};

static void add_name(struct failed *failed, const char *name)
{
    for (size_t i = 0; i < failed->count; i++)
        if (strcmp(failed->names[i], name) == 0)
            return;
    failed->more |= failed->count == FAILED_MAX;
    if (!failed->more)
        (void)jr_text_copy(failed->names[failed->count++], JR_NAME_SIZE, name);
}

static void find_failed(struct jr_txn *txn, void *context)
{
    struct failed *failed = context;
    const struct jr_run *run = failed->run;
    struct jr_failure failure = { .job_id = 0 };
    struct jr_job job = { .job_id = 0 };

    while (jr_ledger_next_job(txn, run->run_id, job.job_id, &job))
        if (jr_run_attempt_of(run, &job) == run->attempt && job.status == JR_STATUS_COMPLETED
            && jr_conclusion_is_bad(job.conclusion))
            add_name(failed, job.name);
    while (jr_failures_next(txn, run->run_id, failure.job_id, &failure))
        if (failure.attempt == run->attempt)
            add_name(failed, failure.name);
}

enum jr_err jr_guarding_read_file(struct jr_store *store, const struct jr_run *run,
                                  const char *text, size_t length, enum jr_guard_told *told,
                                  struct jr_error *error)
{
    struct failed *failed = calloc(1, sizeof *failed);
    const char *names[FAILED_MAX];
    enum jr_err err;

    *told = JR_GUARD_NOT_TOLD;
    if (failed == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    failed->run = run;
    err = jr_store_read(store, find_failed, failed, error);
    for (size_t i = 0; i < failed->count; i++)
        names[i] = failed->names[i];
    if (err == JR_OK && run->rerun_all)
        *told = jr_workflowfile_deploys(text, length, NULL, 0);
    else if (err == JR_OK && !failed->more)
        *told = jr_workflowfile_deploys(text, length, names, failed->count);
    free(failed);
    return err;
}
