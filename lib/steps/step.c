/*
 * step -- one step of one run in the store: whatever happens to a run goes through here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/step.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/rules/notice_rule.h"
#include "lib/store/budget.h"
#include "lib/store/days.h"
#include "lib/store/failures.h"
#include "lib/store/flaky.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "lib/store/notices.h"
#include "lib/store/outbox.h"
#include "lib/store/repo.h"
#include "lib/store/reports.h"

#include <string.h>

struct jr_bounds jr_step_bounds(const struct jr_settings *settings)
{
    return (struct jr_bounds){
        .run_attempts = settings->run_attempts,
        .no_retry_list = settings->no_retry_list,
        .repo_branches = settings->repo_branches,
        .repos = settings->repos,
        .no_retry_repos = settings->no_retry_repos,
        .no_retry_workflows = settings->no_retry_workflows,
        .retry_conclusions = settings->retry_conclusions,
        .rerun_superseded = settings->rerun_superseded,
        .dry_run = settings->dry_run,
        .judges = settings->judges,
        .judges_cancelled = settings->judges_cancelled,
        .judges_workflows = settings->judges_workflows,
        .reports = jr_settings_reports(settings),
        .traces = jr_settings_clusters(settings) && !settings->dry_run,
        .rerun_delay_ms = settings->rerun_delay_ms,
        .api_backoff_min_ms = settings->api_backoff_min_ms,
        .api_backoff_max_ms = settings->api_backoff_max_ms,
        .reconcile_interval_ms = settings->reconcile_interval_ms,
        .catch_up_ms = settings->catch_up_ms,
        .patience_ms = settings->patience_ms,
        .notify_on = jr_settings_notifies(settings),
        .notify_branches = settings->notify_branches,
    };
}

/* A step on its way, and how it was before. */
struct taking {
    struct jr_txn *txn;
    const struct jr_input *input;
    const struct jr_origin *source;
    const struct jr_verdict *verdict;
    const struct jr_run *before;
    const struct jr_job *job_before; /* NULL: it is not about a job */
    struct jr_run *run;
    struct jr_effects effects;
};

static void copy_call(struct jr_told_call *told, const struct jr_call *call)
{
    int64_t duration_ms = call->duration_us / 1000;

    jr_text_copy(told->what, sizeof told->what, call->what);
    told->status = call->status;
    told->duration_ms = duration_ms < UINT32_MAX ? (uint32_t)duration_ms : UINT32_MAX;
    told->outcome = call->outcome;
    told->try_all = call->try_all;
    jr_text_copy(told->text, sizeof told->text, call->text);
}

/* What the input is told by, if it has an entry of its own; 0: it has none. */
static enum jr_history_kind kind_of(enum jr_input_kind input)
{
    static const enum jr_history_kind kinds[JR_INPUTS] = {
        [JR_INPUT_EVENT] = JR_HISTORY_EVENT, [JR_INPUT_SEEN] = JR_HISTORY_CALL,
        [JR_INPUT_FAILED] = JR_HISTORY_CALL, [JR_INPUT_POSTED] = JR_HISTORY_CALL,
        [JR_INPUT_NAMED] = JR_HISTORY_CALL,  [JR_INPUT_HAND] = JR_HISTORY_REQUEST,
        [JR_INPUT_JUDGED] = JR_HISTORY_JUDGEMENT,
    };

    return kinds[input];
}

/* The facts of the input, and how it found the run. */
static void set_input(struct jr_history *entry, const struct taking *taking)
{
    const struct jr_input *input = taking->input;

    entry->input = input->kind;
    entry->found = (struct jr_found){
        .due_ms = taking->before->due_ms,
        .tries = taking->before->tries,
        .moved = input->moved,
        .anew = input->anew,
        .newer = input->newer,
        .guard = input->guard,
        .guards = input->guards,
        .hold = input->hold,
        .asked = input->asked,
        .all = input->all,
    };
    if (input->event != NULL)
        entry->event = *input->event;
    if (input->kind == JR_INPUT_HAND && !taking->before->known)
        jr_text_copy(entry->repo, sizeof entry->repo, input->repo);
}

/* What its entry has besides. */
static void set_source(struct jr_history *entry, const struct taking *taking)
{
    const struct jr_origin *source = taking->source;

    entry->attempt = taking->verdict->attempt;
    entry->reason = taking->verdict->reason;
    if (entry->kind == JR_HISTORY_JUDGEMENT) {
        entry->reason = taking->input->reason;
        entry->judgement = taking->input->judgement;
    }
    if (source == NULL)
        return;
    if (source->delivery != NULL) {
        entry->reply = taking->verdict->reply;
        jr_text_copy(entry->delivery, sizeof entry->delivery, source->delivery->text);
    }
    if (source->call != NULL) {
        copy_call(&entry->call, source->call);
        if (entry->input != JR_INPUT_SEEN && entry->input != JR_INPUT_NAMED)
            entry->reason = source->call->reason;
    }
    if (source->who != NULL)
        jr_text_copy(entry->who, sizeof entry->who, source->who);
}

static void set_effect(struct jr_history *entry, const struct jr_effect *effect)
{
    entry->kind = effect->is_outcome ? JR_HISTORY_OUTCOME : JR_HISTORY_DECISION;
    entry->attempt = effect->attempt;
    entry->reason = effect->reason;
    entry->decided = effect->decided;
    entry->next = effect->next;
}

/* Tell the input, and what comes of it: an entry each. */
static void tell(const struct taking *taking)
{
    struct jr_history entry;
    bool begun = false;

    memset(&entry, 0, sizeof entry);
    entry.at_ms = taking->input->now_ms;
    entry.kind = kind_of(taking->input->kind);
    set_input(&entry, taking);
    if (entry.kind != 0) {
        set_source(&entry, taking);
        jr_history_add(taking->txn, taking->run, &entry, taking->before, taking->job_before);
        begun = true;
    }
    for (size_t i = 0; i < taking->effects.count; i++) {
        if (begun)
            entry.input = 0;
        set_effect(&entry, &taking->effects.items[i]);
        jr_history_add(taking->txn, taking->run, &entry, taking->before, NULL);
        begun = true;
    }
}

/* Why jobs of the attempt had failed that is rerun now, or that our rerun has rescued. */
static void tell_causes(struct jr_txn *txn, const struct jr_run *run, struct jr_verdict *verdict)
{
    if (verdict->ended_reason == JR_REASON_RERUN_ACCEPTED
        || verdict->ended_reason == JR_REASON_RERUN_WORKED)
        verdict->rerun_causes = jr_failures_causes(txn, run->run_id, verdict->ended_attempt);
    if (verdict->rescued)
        verdict->rescued_causes = jr_failures_causes(txn, run->run_id, run->accepted_attempt);
}

static enum jr_budget_step budget_step_of(enum jr_step step)
{
    return step == JR_STEP_RERUN_FAILED ? JR_BUDGET_POST_FAILED
           : step == JR_STEP_RERUN_ALL  ? JR_BUDGET_POST_ALL
                                        : JR_BUDGET_NO_POST;
}

/*
 * Somebody else may have had it rerun: the dispatcher looks who (tracing.h), soon, when that host
 * has noted it.
 */
static void trace(struct jr_txn *txn, const struct jr_run *run, const struct jr_verdict *verdict,
                  int64_t now_ms)
{
    const struct jr_due entry = {
        .kind = JR_DUE_TRACE, .due_ms = now_ms + jr_test_shorter_ms(JR_STEP_TRACE_MS),
        .run_id = run->run_id, .attempt = verdict->by_others, .waiting_ms = now_ms,
    };

    if (verdict->by_others != 0)
        jr_outbox_put(txn, &entry);
}

/* Have it told that the run is given up. */
static void notify(struct jr_txn *txn, const struct jr_run *run, int64_t now_ms)
{
    struct jr_notice notice = jr_notice_rule_of_run(run, now_ms);

    notice.causes = jr_failures_causes(txn, run->run_id, run->attempt);
    jr_notices_add(txn, &notice);
}

/* Has it moved in a way that there may be something to say of it at GitHub? */
static bool has_moved(const struct jr_input *input, const struct jr_run *before,
                      const struct jr_run *run)
{
    return input->kind == JR_INPUT_JUDGED || run->phase != before->phase
           || run->reason != before->reason || run->attempt != before->attempt
           || run->complete != before->complete || run->conclusion != before->conclusion
           || run->reruns != before->reruns || run->due_ms != before->due_ms
           || run->intent_ms != before->intent_ms;
}

void jr_step_take(struct jr_txn *txn, const struct jr_bounds *bounds,
                  const struct jr_input *input, const struct jr_origin *source,
                  struct jr_run *run, struct jr_verdict *verdict)
{
    bool is_job = input->kind == JR_INPUT_EVENT && input->event->kind == JR_EVENT_JOB;
    struct jr_job job = { .known = false }, job_before = { .known = false };
    struct jr_run before = *run;
    struct taking taking = {
        .txn = txn, .input = input, .source = source, .verdict = verdict, .before = &before,
        .job_before = is_job ? &job_before : NULL, .run = run,
    };

    memset(verdict, 0, sizeof *verdict);
    if (is_job)
        jr_ledger_load_job(txn, run->run_id, input->event->job_id, &job);
    if (txn->error.code != JR_OK)
        return;
    job_before = job;
    jr_decide(bounds, input, run, &job, verdict);
    if (!verdict->changed)
        return;
    jr_effects_of(input, &before, run, verdict, &taking.effects);
    if (taking.effects.told)
        tell(&taking);
    if (job.known)
        jr_ledger_save_job(txn, &job);
    jr_flaky_tally(txn, &before, run, taking.job_before, is_job ? &job : NULL, input->now_ms);
    jr_days_note(txn, &before, run, input->now_ms);
    jr_budget_note(txn, &before, run, budget_step_of(verdict->step), input->now_ms);
    verdict->rescued = run->rescued && !before.rescued;
    tell_causes(txn, run, verdict);
    if (jr_notice_rule_gives_up(bounds, &before, run))
        notify(txn, run, input->now_ms);
    if (bounds->traces)
        trace(txn, run, verdict, input->now_ms);
    jr_ledger_save_run(txn, run);
    if (bounds->reports && has_moved(input, &before, run))
        jr_reports_note(txn, run, input->now_ms);
    if (input->kind == JR_INPUT_EVENT)
        jr_repo_note(txn, input->event->repo_id, input->event->repo, input->now_ms);
}
