/*
 * intake -- one webhook event into the store, in one transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/work/intake.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/rules/decide.h"
#include "lib/store/days.h"
#include "lib/store/flaky.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "lib/store/repo.h"

#include <stdio.h>
#include <string.h>

/* Does each of some texts end within its own array? */
#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)

static bool is_event_sound(const struct jr_event *event)
{
    return (event->kind == JR_EVENT_JOB || event->kind == JR_EVENT_RUN)
           && (unsigned)event->status <= JR_STATUS_COMPLETED
           && (unsigned)event->conclusion <= JR_CONCLUSION_OTHER && event->run_id != 0
           && ENDS(event->action) && ENDS(event->repo) && ENDS(event->branch)
           && ENDS(event->workflow) && ENDS(event->sender) && ENDS(event->job_name)
           && ENDS(event->runner) && ENDS(event->labels) && ENDS(event->actor)
           && ENDS(event->triggering_actor) && ENDS(event->trigger) && ENDS(event->head_repo)
           && jr_text_is_full_name(event->repo);
}

static bool is_time(int64_t time_ms)
{
    return time_ms >= -JR_TIME_MOST && time_ms <= JR_TIME_MOST;
}

bool jr_update_is_sound(const struct jr_update *update)
{
    const struct jr_event *event = &update->event;
    const struct jr_delivery *delivery = &update->delivery;

    return is_event_sound(event) && is_time(event->created_ms) && is_time(event->started_ms)
           && is_time(event->completed_ms) && is_time(event->updated_ms)
           && update->now_ms > 0 && is_time(update->now_ms)
           && delivery->key_length > 0 && delivery->key_length <= sizeof delivery->key
           && delivery->day >= -1 && delivery->day <= JR_TIME_MOST / JR_DAY_MS
           && ENDS(delivery->text);
}

/* What has come from elsewhere need not be true or false. */
static bool is_bool(const bool *value)
{
    unsigned char byte;

    memcpy(&byte, value, 1);
    return byte <= 1;
}

bool jr_receipt_is_sound(const struct jr_receipt *receipt)
{
    static const int statuses[] = { 200, 201, 202, 204, 404 };
    bool known = false;

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        known |= receipt->answer.status == statuses[i];
    return known && is_bool(&receipt->repeated) && is_bool(&receipt->due_moved)
           && is_bool(&receipt->rescued);
}

static void tell_event(struct jr_txn *txn, struct jr_run *run, const struct jr_update *update,
                       const struct jr_decision *decision, uint32_t attempt)
{
    const struct jr_event *event = &update->event;
    bool is_job = event->kind == JR_EVENT_JOB;
    struct jr_history entry = {
        .at_ms = update->now_ms,
        .kind = JR_HISTORY_EVENT,
        .attempt = attempt,
        .reason = decision->reason,
        .status = decision->status,
        .job_id = event->job_id,
    };

    jr_text_copy(entry.delivery, sizeof entry.delivery, update->delivery.text);
    snprintf(entry.detail, sizeof entry.detail, "%s %s%s%s%s%s%s%s%.100s",
             is_job ? "workflow_job" : "workflow_run", event->action,
             event->status == JR_STATUS_COMPLETED ? " " : "",
             event->status == JR_STATUS_COMPLETED ? jr_conclusion_name(event->conclusion) : "",
             is_job ? " '" : "", event->job_name, is_job ? "'" : "",
             *event->sender == '\0' ? "" : " by ", event->sender);
    jr_history_add(txn, run, &entry);
}

/* Add what the event has decided about the run, if it has. */
static void tell_decision(struct jr_txn *txn, struct jr_run *run, const struct jr_run *before,
                          const struct jr_decision *decision, int64_t now_ms)
{
    if (decision->ended_attempt != 0)
        jr_history_add_outcome(txn, run, decision->ended_attempt, decision->ended_reason, now_ms);
    if (run->phase != JR_PHASE_OPEN
        && (run->attempt != before->attempt || run->phase != before->phase
            || run->reason != before->reason))
        jr_history_add_decision(txn, run, run->reason, now_ms);
}

/* The reason of a verdict that was not there before. */
static enum jr_reason verdict_of(const struct jr_run *before, const struct jr_run *run)
{
    bool same = before->phase == JR_PHASE_CLOSED && before->attempt == run->attempt
                && before->reason == run->reason;

    return run->phase == JR_PHASE_CLOSED && !same ? run->reason : JR_REASON_NONE;
}

/* Apply the event and remember the answer. */
static void record(struct jr_txn *txn, const struct jr_settings *settings,
                   const struct jr_update *update, bool anew, struct jr_receipt *receipt)
{
    const struct jr_event *event = &update->event;
    struct jr_run run, before;
    struct jr_job job = { .known = false }, job_before;
    struct jr_decision decision;

    jr_ledger_load_run(txn, event->run_id, &run);
    if (event->kind == JR_EVENT_JOB)
        jr_ledger_load_job(txn, event->run_id, event->job_id, &job);
    if (txn->error.code != JR_OK)
        return;
    before = run;
    job_before = job;
    jr_decide_event(settings, event, anew, &run, &job, update->now_ms, &decision);
    receipt->answer.status = decision.status;
    receipt->answer.reason = decision.reason;
    receipt->answer.run_id = event->run_id;
    receipt->answer.attempt = event->attempt != 0 ? event->attempt : run.attempt;
    receipt->due_moved = run.due_ms != 0 && run.due_ms != before.due_ms;
    receipt->verdict = verdict_of(&before, &run);
    tell_event(txn, &run, update, &decision, receipt->answer.attempt);
    tell_decision(txn, &run, &before, &decision, update->now_ms);
    if (job.known)
        jr_ledger_save_job(txn, &job);
    jr_flaky_tally(txn, &before, &run, &job_before, &job, update->now_ms);
    jr_days_note(txn, &before, &run, update->now_ms);
    receipt->rescued = run.rescued && !before.rescued;
    jr_ledger_save_run(txn, &run);
    jr_repo_note(txn, event->repo_id, event->repo, update->now_ms);
    jr_delivery_remember(txn, &update->delivery, update->now_ms, &receipt->answer);
}

void jr_intake_apply(struct jr_txn *txn, const struct jr_settings *settings,
                     const struct jr_update *update, struct jr_receipt *receipt)
{
    bool anew;

    memset(receipt, 0, sizeof *receipt);
    receipt->repeated = jr_delivery_find(txn, &update->delivery, update->now_ms, &receipt->answer);
    if (receipt->repeated && receipt->answer.status != 204) {
        if (receipt->answer.status == 404) {
            receipt->answer.status = 202;
            receipt->answer.reason = JR_REASON_NO_NEWS;
        }
        return;
    }
    anew = receipt->repeated;
    receipt->repeated = false;
    record(txn, settings, update, anew, receipt);
}
