/*
 * intake -- one webhook event into the store, in one transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/intake.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/steps/step.h"
#include "lib/store/askings.h"
#include "lib/store/ledger.h"

#include <stddef.h>
#include <string.h>

/* Does each of some texts end within its own array? */
#define ENDS(text) (memchr(text, '\0', sizeof(text)) != NULL)

/* The texts of an event. */
static const struct {
    size_t offset, size;
} texts[] = {
#define TEXT(member) \
    { offsetof(struct jr_event, member), sizeof(((struct jr_event *)0)->member) }
    TEXT(action), TEXT(repo), TEXT(branch), TEXT(workflow), TEXT(sender), TEXT(job_name),
    TEXT(runner), TEXT(labels), TEXT(steps), TEXT(environment), TEXT(actor),
    TEXT(triggering_actor), TEXT(trigger), TEXT(head_repo), TEXT(workflow_path), TEXT(head_sha),
    TEXT(app_client_id),
#undef TEXT
};

/* Does each text of an event end? */
static bool texts_end(const struct jr_event *event)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (memchr((const char *)event + texts[i].offset, '\0', texts[i].size) == NULL)
            return false;
    return true;
}

/* Is it one by which somebody asks for something? */
static bool is_asking_sound(const struct jr_event *event)
{
    return event->kind == JR_EVENT_ASKING && event->verb > JR_VERB_NONE && event->verb < JR_VERBS
           && event->repo_id != 0 && event->sender_id != 0
           && (event->comment_id != 0 ? event->pull_request != 0
                                      : event->run_id != 0 && event->attempt != 0);
}

static bool is_event_sound(const struct jr_event *event)
{
    if (event->kind == JR_EVENT_ASKING)
        return is_asking_sound(event) && texts_end(event) && jr_text_is_full_name(event->repo);
    return (event->kind == JR_EVENT_JOB || event->kind == JR_EVENT_RUN)
           && (unsigned)event->status <= JR_STATUS_COMPLETED
           && (unsigned)event->conclusion <= JR_CONCLUSION_OTHER && event->run_id != 0
           && texts_end(event) && jr_text_is_full_name(event->repo);
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
    unsigned reply = (unsigned)receipt->answer.reply;

    return reply > JR_REPLY_NONE && reply < JR_REPLIES && is_bool(&receipt->repeated)
           && is_bool(&receipt->due_moved) && is_bool(&receipt->rescued);
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
    struct jr_bounds bounds = jr_step_bounds(settings);
    struct jr_input input = {
        .kind = JR_INPUT_EVENT, .now_ms = update->now_ms, .event = event, .anew = anew,
    };
    struct jr_origin source = { .delivery = &update->delivery };
    struct jr_verdict verdict;
    struct jr_run run, before;

    jr_ledger_load_run(txn, event->run_id, &run);
    before = run;
    jr_step_take(txn, &bounds, &input, &source, &run, &verdict);
    receipt->answer.reply = verdict.reply;
    receipt->answer.reason = verdict.reason;
    receipt->answer.run_id = event->run_id;
    receipt->answer.attempt = verdict.attempt;
    receipt->due_moved = run.due_ms != 0 && run.due_ms != before.due_ms;
    receipt->verdict = verdict_of(&before, &run);
    receipt->rescued = verdict.rescued;
    receipt->rerun_causes = verdict.rerun_causes;
    receipt->rescued_causes = verdict.rescued_causes;
    jr_delivery_remember(txn, &update->delivery, update->now_ms, &receipt->answer);
}

/* Note what is asked for; the dispatcher does it. */
static void note_asking(struct jr_txn *txn, const struct jr_settings *settings,
                        const struct jr_update *update, struct jr_receipt *receipt)
{
    const struct jr_event *event = &update->event;
    struct jr_bounds bounds = jr_step_bounds(settings);
    struct jr_asked asked = {
        .verb = event->verb, .repo_id = event->repo_id, .comment_id = event->comment_id,
        .pull_request = event->pull_request, .run_id = event->run_id,
        .attempt = event->attempt, .who_id = event->sender_id, .insider = event->insider != 0,
        .at_ms = update->now_ms, .due_ms = update->now_ms,
    };
    bool taken;

    (void)jr_text_copy(asked.repo, sizeof asked.repo, event->repo);
    (void)jr_text_copy(asked.who, sizeof asked.who, event->sender);
    taken = jr_bounds_covers(&bounds, event->repo)
            && jr_askings_add(txn, &asked, update->now_ms);
    receipt->answer = (struct jr_answer){
        .reply = JR_REPLY_RECORDED, .reason = taken ? JR_REASON_ASKED : JR_REASON_NOTHING_ASKED,
        .run_id = event->run_id,
    };
    receipt->due_moved = taken;
    jr_delivery_remember(txn, &update->delivery, update->now_ms, &receipt->answer);
}

void jr_intake_apply(struct jr_txn *txn, const struct jr_settings *settings,
                     const struct jr_update *update, struct jr_receipt *receipt)
{
    bool anew;

    memset(receipt, 0, sizeof *receipt);
    receipt->repeated = jr_delivery_find(txn, &update->delivery, update->now_ms, &receipt->answer);
    if (receipt->repeated && receipt->answer.reply != JR_REPLY_LEFT_ALONE) {
        if (receipt->answer.reply == JR_REPLY_UNKNOWN_RUN) {
            receipt->answer.reply = JR_REPLY_RECORDED;
            receipt->answer.reason = JR_REASON_NO_NEWS;
        }
        return;
    }
    if (update->event.kind == JR_EVENT_ASKING) {
        note_asking(txn, settings, update, receipt);
        return;
    }
    anew = receipt->repeated;
    receipt->repeated = false;
    record(txn, settings, update, anew, receipt);
}
