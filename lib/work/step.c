/*
 * step -- one step of one run in the store: whatever happens to a run goes through here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/work/step.h"
#include "lib/store/days.h"
#include "lib/store/flaky.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "lib/store/repo.h"

#include <stdio.h>
#include <string.h>

struct jr_policy jr_step_policy(const struct jr_settings *settings)
{
    return (struct jr_policy){
        .run_attempts = settings->run_attempts,
        .no_retry_list = settings->no_retry_list,
        .repo_branches = settings->repo_branches,
        .repos = settings->repos,
        .no_retry_repos = settings->no_retry_repos,
        .no_retry_workflows = settings->no_retry_workflows,
        .retry_conclusions = settings->retry_conclusions,
        .rerun_superseded = settings->rerun_superseded,
        .dry_run = settings->dry_run,
        .rerun_delay_ms = settings->rerun_delay_ms,
        .api_backoff_min_ms = settings->api_backoff_min_ms,
        .api_backoff_max_ms = settings->api_backoff_max_ms,
        .reconcile_interval_ms = settings->reconcile_interval_ms,
        .catch_up_ms = settings->catch_up_ms,
        .patience_ms = settings->patience_ms,
    };
}

/* A step on its way, and how it was before. */
struct taking {
    struct jr_txn *txn;
    const struct jr_input *input;
    const struct jr_source *source;
    const struct jr_verdict *verdict;
    const struct jr_run *before;
    struct jr_run *run;
};

static void tell_event(const struct taking *taking)
{
    const struct jr_event *event = taking->input->event;
    bool is_job = event->kind == JR_EVENT_JOB;
    struct jr_history entry = {
        .at_ms = taking->input->now_ms,
        .kind = JR_HISTORY_EVENT,
        .attempt = taking->verdict->attempt,
        .reason = taking->verdict->reason,
        .reply = taking->verdict->reply,
        .job_id = event->job_id,
    };

    jr_text_copy(entry.delivery, sizeof entry.delivery, taking->source->delivery->text);
    snprintf(entry.detail, sizeof entry.detail, "%s %s%s%s%s%s%s%s%.100s",
             is_job ? "workflow_job" : "workflow_run", event->action,
             event->status == JR_STATUS_COMPLETED ? " " : "",
             event->status == JR_STATUS_COMPLETED ? jr_conclusion_name(event->conclusion) : "",
             is_job ? " '" : "", event->job_name, is_job ? "'" : "",
             *event->sender == '\0' ? "" : " by ", event->sender);
    jr_history_add(taking->txn, taking->run, &entry);
}

static void tell_call(const struct taking *taking)
{
    const struct jr_call *call = taking->source->call;
    bool seen = taking->input->kind == JR_INPUT_SEEN;
    struct jr_history entry = {
        .at_ms = taking->input->now_ms,
        .kind = JR_HISTORY_CALL,
        .attempt = taking->verdict->attempt,
        .reason = seen ? taking->verdict->reason : call->reason,
        .status = call->status,
    };

    snprintf(entry.detail, sizeof entry.detail, "%s, %lld ms%s%.400s", call->what,
             (long long)(call->duration_us / 1000), *call->text == '\0' ? "" : ": ", call->text);
    jr_history_add(taking->txn, taking->run, &entry);
}

static void tell_request(const struct taking *taking)
{
    const char *who = taking->source->who;
    struct jr_history entry = {
        .at_ms = taking->input->now_ms,
        .kind = JR_HISTORY_REQUEST,
        .attempt = taking->run->attempt,
        .reason = taking->verdict->reason,
    };
    char name[JR_LOGIN_SIZE];

    jr_text_copy(name, sizeof name, who);
    if (*name != '\0')
        snprintf(entry.detail, sizeof entry.detail, "by %s", name);
    jr_history_add(taking->txn, taking->run, &entry);
}

/* What was found out, or asked for. Of a list, and without a token, the decision tells it. */
static void tell_input(const struct taking *taking)
{
    switch (taking->input->kind) {
    case JR_INPUT_EVENT:
        tell_event(taking);
        break;
    case JR_INPUT_SEEN:
    case JR_INPUT_FAILED:
    case JR_INPUT_POSTED:
        tell_call(taking);
        break;
    case JR_INPUT_HAND:
        tell_request(taking);
        break;
    case JR_INPUT_UNSEEN:
    case JR_INPUT_LISTED:
    case JR_INPUT_QUIET:
        break;
    }
}

/* Has an event decided about the newest attempt? It has not while events are gathered. */
static bool is_decided(const struct jr_run *before, const struct jr_run *run)
{
    return run->phase != JR_PHASE_OPEN
           && (run->attempt != before->attempt || run->phase != before->phase
               || run->reason != before->reason);
}

/* What was decided, and what became of the attempt before. */
static void tell_decision(const struct taking *taking)
{
    const struct jr_verdict *verdict = taking->verdict;
    struct jr_run *run = taking->run;
    int64_t now_ms = taking->input->now_ms;
    enum jr_reason reason = verdict->reason;
    bool decided = true;

    if (verdict->ended_attempt != 0)
        jr_history_add_outcome(taking->txn, run, verdict->ended_attempt, verdict->ended_reason,
                               now_ms);
    if (taking->input->kind == JR_INPUT_EVENT) {
        decided = is_decided(taking->before, run);
        reason = run->reason;
    } else if (verdict->ended_attempt != 0 && taking->input->kind != JR_INPUT_LISTED) {
        decided = run->phase != JR_PHASE_OPEN;
        reason = run->reason;
    }
    if (decided)
        jr_history_add_decision(taking->txn, run, reason, now_ms);
}

/* Is there something to tell? The same answer again (still not completed, still unreachable)
 * is no news. */
static bool is_news(const struct taking *taking)
{
    const struct jr_verdict *verdict = taking->verdict;
    const struct jr_run *before = taking->before;

    switch (taking->input->kind) {
    case JR_INPUT_SEEN:
    case JR_INPUT_FAILED:
    case JR_INPUT_POSTED:
        return verdict->step != JR_STEP_WAIT || before->tries == 0
               || before->reason != verdict->reason;
    case JR_INPUT_QUIET:
        return false;
    default:
        return true;
    }
}

void jr_step_take(struct jr_txn *txn, const struct jr_policy *policy,
                  const struct jr_input *input, const struct jr_source *source,
                  struct jr_run *run, struct jr_verdict *verdict)
{
    bool is_job = input->kind == JR_INPUT_EVENT && input->event->kind == JR_EVENT_JOB;
    struct jr_job job = { .known = false }, job_before;
    struct jr_run before = *run;
    struct taking taking = { txn, input, source, verdict, &before, run };

    memset(verdict, 0, sizeof *verdict);
    if (is_job)
        jr_ledger_load_job(txn, run->run_id, input->event->job_id, &job);
    if (txn->error.code != JR_OK)
        return;
    job_before = job;
    jr_decide(policy, input, run, &job, verdict);
    if (!verdict->changed)
        return;
    if (is_news(&taking)) {
        tell_input(&taking);
        tell_decision(&taking);
    }
    if (job.known)
        jr_ledger_save_job(txn, &job);
    jr_flaky_tally(txn, &before, run, is_job ? &job_before : NULL, is_job ? &job : NULL,
                   input->now_ms);
    jr_days_note(txn, &before, run, input->now_ms);
    verdict->rescued = run->rescued && !before.rescued;
    jr_ledger_save_run(txn, run);
    if (input->kind == JR_INPUT_EVENT)
        jr_repo_note(txn, input->event->repo_id, input->event->repo, input->now_ms);
}
