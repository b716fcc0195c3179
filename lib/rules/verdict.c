/*
 * verdict -- rules 5 to 7: whether a run is rerun.
 *
 * The comments name the rules of "The rules" in doc/design.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/verdict.h"
#include "lib/base/timestamp.h"
#include "lib/rules/attempt.h"
#include "lib/rules/learn.h"
#include "lib/rules/watch.h"

/*
 * The wait before try number `tries` + 1: doubled each time, between
 * API_BACKOFF_MIN and API_BACKOFF_MAX, and up to a quarter longer or (at the
 * end) shorter, so that runs that failed together do not ask together. The
 * jitter comes from the run and the try, not from chance.
 */
static int64_t backoff_ms(const struct jr_bounds *bounds, uint64_t run_id, uint32_t tries)
{
    int64_t wait_ms = bounds->api_backoff_min_ms, jitter_ms;
    uint64_t mixed = (run_id ^ tries) * UINT64_C(0x9e3779b97f4a7c15);

    while (tries-- > 0 && wait_ms < bounds->api_backoff_max_ms)
        wait_ms *= 2;
    jitter_ms = (int64_t)((mixed >> 32) % ((uint64_t)wait_ms / 4 + 1));
    if (wait_ms + jitter_ms <= bounds->api_backoff_max_ms)
        return wait_ms + jitter_ms;
    return jr_later_of(bounds->api_backoff_min_ms,
                       jr_earlier_of(wait_ms, bounds->api_backoff_max_ms) - jitter_ms);
}

static void verdict_is(struct jr_verdict *verdict, enum jr_step step, enum jr_reason reason)
{
    verdict->step = step;
    verdict->reason = reason;
}

/* GitHub has shown or said how it is: no POST is in doubt any more. */
static void verdict_closed(struct jr_verdict *verdict, struct jr_run *run, enum jr_reason reason)
{
    jr_attempt_close(run, reason);
    run->intent_ms = 0;
    verdict_is(verdict, JR_STEP_NONE, reason);
}

/* Ask again later, for as long as GitHub lets a run live: say so in the verdict and in the run. */
static void wait_more(const struct jr_bounds *bounds, struct jr_run *run,
                      struct jr_verdict *verdict, enum jr_reason reason, int64_t now_ms)
{
    int64_t due_ms = now_ms + backoff_ms(bounds, run->run_id, run->tries);

    if (now_ms - run->last_event_ms > JR_RUN_LIFE_MS) {
        verdict_closed(verdict, run, JR_REASON_NEVER_COMPLETED);
        return;
    }
    verdict_is(verdict, JR_STEP_WAIT, reason);
    run->phase = JR_PHASE_DUE;
    run->reason = reason;
    jr_attempt_ask_at(run, jr_attempt_not_too_soon(bounds, run, due_ms, now_ms), now_ms);
    if (run->tries < UINT32_MAX)
        run->tries++;
}

/* The same of one that may not be in the outbox: then it is asked about when it has gone quiet. */
static void wait_on(const struct jr_bounds *bounds, struct jr_run *run,
                    struct jr_verdict *verdict, enum jr_reason reason, int64_t now_ms)
{
    if (run->phase == JR_PHASE_DUE)
        wait_more(bounds, run, verdict, reason, now_ms);
    else
        verdict_is(verdict, JR_STEP_WAIT, reason);
}

/* Did it end so long ago that nobody waits for it? GitHub tells only its last change. */
static bool is_missed(const struct jr_bounds *bounds, const struct jr_event *seen, int64_t now_ms)
{
    return seen->updated_ms != 0 && now_ms - seen->updated_ms > bounds->catch_up_ms;
}

/*
 * Would a rerun take the place of what a newer commit brings? GitHub lets a rerun into the
 * run's concurrency group, where it may cancel a newer run. Where the newer run is over,
 * only a pull request's branch has no more use for the older result. A policy's guards stand
 * above that.
 */
static bool is_superseded(const struct jr_bounds *bounds, const struct jr_run *run,
                          const struct jr_input *input)
{
    const struct jr_newer *newer = &input->newer;

    return !bounds->rerun_superseded && !input->guards.asked && !run->by_hand
           && (newer->state == JR_NEWER_UNFINISHED
               || (newer->state == JR_NEWER_FINISHED && jr_run_is_of_pull_request(run)));
}

/* Is it for a policy to say whether the attempt is rerun, and has it not yet? */
static bool wants_judgement(const struct jr_bounds *bounds, const struct jr_run *run)
{
    return bounds->judges && !run->by_hand && run->judged_attempt != run->attempt;
}

enum jr_reason jr_verdict_refusal(const struct jr_bounds *bounds, const struct jr_run *run,
                                  const struct jr_input *input)
{
    const struct jr_event *seen = input->event;
    enum jr_reason filter;

    if (!jr_attempt_deserves(bounds, run, seen->conclusion))
        return jr_attempt_undeserving(run);
    filter = jr_bounds_filter_known(bounds, run);
    if (filter != JR_REASON_NONE)
        return filter;
    if (run->attempt > JR_RERUNS_LIMIT)
        return JR_REASON_RERUNS_LIMIT;
    if (seen->created_ms != 0 && input->now_ms - seen->created_ms > JR_RERUN_LIFE_MS)
        return JR_REASON_TOO_OLD;
    if (!run->by_hand && is_missed(bounds, seen, input->now_ms))
        return run->held != JR_REASON_NONE ? run->held : JR_REASON_MISSED;
    if (is_superseded(bounds, run, input))
        return JR_REASON_SUPERSEDED;
    if (input->guard != JR_REASON_NONE && (!run->by_hand || run->asked))
        return input->guard;
    return bounds->dry_run && !wants_judgement(bounds, run) ? JR_REASON_DRY_RUN : JR_REASON_NONE;
}

int64_t jr_verdict_hold_ms(const struct jr_bounds *bounds, int64_t until_ms, int64_t updated_ms,
                           int64_t now_ms)
{
    int64_t most_ms = now_ms + JR_HOLD_MOST_MS;

    if (updated_ms != 0)
        most_ms = jr_earlier_of(most_ms, updated_ms + bounds->catch_up_ms + JR_SECOND_MS);
    return jr_later_of(jr_earlier_of(until_ms, most_ms), now_ms);
}

/* It may be rerun, but not now. That is no failure, so the backoff stays where it is. */
static void hold(const struct jr_bounds *bounds, struct jr_run *run, const struct jr_input *input,
                 struct jr_verdict *verdict)
{
    int64_t now_ms = input->now_ms;
    int64_t until_ms = jr_verdict_hold_ms(bounds, input->hold.until_ms, input->event->updated_ms,
                                          now_ms);

    run->phase = JR_PHASE_DUE;
    run->reason = run->held = input->hold.reason;
    run->intent_ms = 0; /* it is shown as it was: no POST has taken effect */
    jr_attempt_ask_at(run, until_ms, now_ms);
    verdict_is(verdict, JR_STEP_WAIT, run->reason);
}

/* GitHub shows the attempt that was asked about, and it is completed. */
static void decide_completed(const struct jr_bounds *bounds, const struct jr_input *input,
                             struct jr_run *run, struct jr_verdict *verdict)
{
    int64_t now_ms = input->now_ms;
    bool was_complete = run->complete;
    enum jr_reason reason;

    jr_attempt_complete(run, input->event);
    reason = jr_verdict_refusal(bounds, run, input);
    if (reason == JR_REASON_SUPERSEDED)
        run->superseded_by = input->newer.run_id;
    if (reason != JR_REASON_NONE) {
        verdict_closed(verdict, run, reason);
        return;
    }
    if (input->hold.reason != JR_REASON_NONE && !wants_judgement(bounds, run) && !run->by_hand) {
        hold(bounds, run, input, verdict);
        return;
    }
    run->phase = JR_PHASE_DUE;
    run->reason = JR_REASON_RUN_FAILED;
    run->held = JR_REASON_NONE;
    jr_attempt_ask_at(run, now_ms + bounds->api_backoff_min_ms, now_ms);
    if (wants_judgement(bounds, run)) {
        if (!was_complete)
            run->tries = 0; /* they were about its end; why it failed has tries of its own */
        run->intent_ms = 0; /* it is shown as it was: no POST has taken effect */
        verdict_is(verdict, JR_STEP_JUDGE, JR_REASON_RUN_FAILED);
        return;
    }
    run->intent_ms = now_ms;
    /* A run that could not even start has no failed jobs to rerun. */
    verdict_is(verdict,
               run->rerun_all || run->conclusion == JR_CONCLUSION_STARTUP_FAILURE
                   ? JR_STEP_RERUN_ALL
                   : JR_STEP_RERUN_FAILED,
               JR_REASON_RUN_FAILED);
}

/* A run that is shown as completed without a conclusion was looked at in between. */
static bool is_over(const struct jr_event *seen)
{
    return seen->status == JR_STATUS_COMPLETED && seen->conclusion != JR_CONCLUSION_NONE;
}

/* Has the run lived longer than GitHub lets one? */
static bool is_over_age(const struct jr_event *seen, int64_t now_ms)
{
    return seen->created_ms != 0
           && now_ms - jr_later_of(seen->created_ms, seen->started_ms) > JR_RUN_LIFE_MS;
}

/* GitHub shows a newer attempt than the one that was asked about. */
static void decide_newer(const struct jr_bounds *bounds, const struct jr_input *input,
                         struct jr_run *run, struct jr_verdict *verdict)
{
    const struct jr_event *seen = input->event;
    bool by_hand = run->by_hand && run->intent_ms == 0 && is_over(seen);
    bool asked = by_hand && run->asked, all = asked && run->rerun_all;

    jr_attempt_leave(run, seen->attempt, false, verdict);
    /* Who asks by hand means the run as it is, not an attempt that we did not hear of. */
    run->by_hand = by_hand;
    run->asked = asked;
    run->rerun_all = all;
    jr_learn_text(run->triggering_actor, sizeof run->triggering_actor, seen->triggering_actor);
    verdict_is(verdict, JR_STEP_NONE,
               verdict->ended_reason != JR_REASON_NONE ? verdict->ended_reason
                                                       : JR_REASON_RERUN_BY_OTHERS);
    if (!is_over(seen))
        return;
    jr_attempt_complete(run, seen);
    if (jr_attempt_is_suspect(bounds, run, seen->conclusion))
        jr_attempt_suspect(bounds, run, JR_REASON_RUN_FAILED, input->now_ms);
    else
        jr_attempt_close(run, jr_attempt_undeserving(run));
}

/* GitHub shows the attempt that is known as the newest. */
static void decide_same(const struct jr_bounds *bounds, const struct jr_input *input,
                        struct jr_run *run, struct jr_verdict *verdict)
{
    const struct jr_event *seen = input->event;

    jr_learn_text(run->triggering_actor, sizeof run->triggering_actor, seen->triggering_actor);
    if (is_over(seen))
        decide_completed(bounds, input, run, verdict);
    else if (is_over_age(seen, input->now_ms))
        verdict_closed(verdict, run, JR_REASON_NEVER_COMPLETED);
    else
        wait_on(bounds, run, verdict, JR_REASON_RUN_NOT_COMPLETED, input->now_ms);
}

bool jr_verdict_wants_workflow(const struct jr_bounds *bounds, const struct jr_run *run,
                               const struct jr_event *seen)
{
    const struct jr_list *left_alone = &bounds->no_retry_workflows;
    bool for_names = bounds->judges_workflows || jr_run_lists_names(left_alone);

    if (!for_names || (run->by_hand && !run->asked) || *run->workflow != '\0'
        || jr_run_lists_workflow(left_alone, "", run->workflow_path))
        return false;
    return seen == NULL
           || (is_over(seen) && jr_attempt_deserves(bounds, run, seen->conclusion)
               && *seen->workflow == '\0'
               && !jr_run_lists_workflow(left_alone, "", seen->workflow_path));
}

void jr_verdict_seen(const struct jr_bounds *bounds, const struct jr_input *input,
                     struct jr_run *run, struct jr_verdict *verdict)
{
    const struct jr_event *seen = input->event;
    uint32_t seen_attempt = seen->attempt != 0 ? seen->attempt : run->attempt;

    verdict->changed = true;
    jr_learn_shown(bounds, seen, run);
    if (!run->numbered && seen->attempt > run->accepted_attempt) {
        /* Rule 1: GitHub has been asked; what was assumed to be 1 is this. */
        run->base_attempt = run->attempt = seen->attempt;
        run->numbered = true;
    }
    verdict->attempt = run->attempt;
    if (seen_attempt > run->attempt)
        decide_newer(bounds, input, run, verdict);
    else if (run->phase == JR_PHASE_CLOSED || (run->phase == JR_PHASE_DUE && input->moved))
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
    else if (seen_attempt == run->attempt)
        decide_same(bounds, input, run, verdict);
    else
        wait_on(bounds, run, verdict, JR_REASON_BEHIND, input->now_ms);
    jr_watch(bounds, run, input->now_ms);
}

/* When it is to be rerun, counted from its end, of which GitHub tells the second. */
static int64_t due_after_judgement_ms(const struct jr_bounds *bounds, const struct jr_run *run,
                                      const struct jr_input *input)
{
    int64_t delay_ms = input->judgement.delay_ms < 0 ? bounds->rerun_delay_ms
                                                     : input->judgement.delay_ms;
    int64_t ended_ms = run->updated_ms == 0 ? input->now_ms
                                            : jr_earlier_of(run->updated_ms, input->now_ms);

    return jr_later_of(ended_ms + delay_ms, input->now_ms);
}

void jr_verdict_judged(const struct jr_bounds *bounds, const struct jr_input *input,
                       struct jr_run *run, struct jr_verdict *verdict)
{
    verdict->changed = true;
    verdict->attempt = input->attempt;
    if (input->moved || run->attempt != input->attempt || run->phase != JR_PHASE_DUE) {
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
    } else if (input->judgement.leaves) {
        if (jr_reason_class(input->reason) == JR_CLASS_FILTER)
            run->judged_attempt = run->attempt; /* no setting has left it (gather.c) */
        verdict_closed(verdict, run, input->reason);
    } else {
        run->judged_attempt = run->attempt;
        run->debug = input->judgement.debug;
        run->tries = 0;
        jr_attempt_ask_at(run, due_after_judgement_ms(bounds, run, input), input->now_ms);
        verdict_is(verdict, JR_STEP_WAIT, run->reason);
    }
    jr_watch(bounds, run, input->now_ms);
}

/* Rule 4: does the list show a later conclusion than the one that closed the attempt? */
static bool is_replaced(const struct jr_run *run, const struct jr_event *seen)
{
    return jr_attempt_is_closed_by_conclusion(run) && seen->conclusion != run->conclusion
           && seen->updated_ms > run->updated_ms;
}

/* Was its last attempt closed by the count of its jobs? That it has failed nobody has said so far. */
static bool is_counted_out(const struct jr_run *run, uint32_t attempt)
{
    return attempt == run->attempt && !run->complete && run->phase == JR_PHASE_CLOSED
           && run->reason == JR_REASON_ATTEMPTS_USED_UP;
}

/* Does the list tell something of the run that is not known? */
static bool is_news(const struct jr_run *run, const struct jr_event *seen, uint32_t attempt)
{
    if (seen->status != JR_STATUS_COMPLETED || attempt < run->attempt)
        return false;
    return attempt > run->attempt || (!run->complete && run->phase == JR_PHASE_OPEN)
           || is_counted_out(run, attempt) || is_replaced(run, seen);
}

void jr_verdict_listed(const struct jr_bounds *bounds, const struct jr_input *input,
                       struct jr_run *run, struct jr_verdict *verdict)
{
    const struct jr_event *seen = input->event;
    uint32_t attempt = seen->attempt != 0 ? seen->attempt : run->attempt;
    bool counted_out = is_counted_out(run, attempt);

    if (!is_news(run, seen, attempt))
        return;
    verdict->changed = true;
    if (!run->known)
        jr_attempt_begin_run(run, attempt != 0 ? attempt : 1, input->now_ms);
    run->numbered |= seen->attempt != 0;
    jr_learn_shown(bounds, seen, run);
    if (attempt > run->attempt)
        jr_attempt_leave(run, attempt, false, verdict);
    jr_learn_text(run->triggering_actor, sizeof run->triggering_actor, seen->triggering_actor);
    verdict->attempt = run->attempt;
    jr_attempt_complete(run, seen);
    if (!jr_attempt_is_suspect(bounds, run, run->conclusion))
        verdict_closed(verdict, run, jr_attempt_undeserving(run));
    else if (!counted_out && is_missed(bounds, seen, input->now_ms))
        verdict_closed(verdict, run, JR_REASON_MISSED);
    else
        jr_attempt_suspect(bounds, run, JR_REASON_FOUND_FAILED, input->now_ms);
    if (run->phase == JR_PHASE_DUE)
        verdict_is(verdict, JR_STEP_WAIT, JR_REASON_FOUND_FAILED);
    else
        verdict_is(verdict, JR_STEP_NONE, run->reason);
    jr_watch(bounds, run, input->now_ms);
}

static enum jr_reason refusal_by_hand(const struct jr_run *run)
{
    if (run->known && run->accepted_attempt >= run->attempt)
        return JR_REASON_RERUN_ACCEPTED;
    return run->attempt > JR_RERUNS_LIMIT ? JR_REASON_RERUNS_LIMIT : JR_REASON_NONE;
}

enum jr_reason jr_verdict_refusal_of_asked(const struct jr_bounds *bounds,
                                           const struct jr_run *run)
{
    struct jr_run asked = *run;

    if (refusal_by_hand(run) != JR_REASON_NONE)
        return refusal_by_hand(run);
    asked.by_hand = asked.asked = true;
    asked.conclusion = jr_run_conclusion(run);
    if (asked.conclusion == JR_CONCLUSION_NONE)
        return JR_REASON_RUN_NOT_COMPLETED;
    if (!jr_attempt_deserves(bounds, &asked, asked.conclusion))
        return jr_attempt_undeserving(&asked);
    return jr_bounds_filter(bounds, &asked, run->attempt);
}

void jr_verdict_by_hand(const struct jr_bounds *bounds, const struct jr_input *input,
                        struct jr_run *run, struct jr_verdict *verdict)
{
    int64_t now_ms = input->now_ms;

    verdict->reason = input->asked ? jr_verdict_refusal_of_asked(bounds, run)
                                   : refusal_by_hand(run);
    if (verdict->reason != JR_REASON_NONE)
        return;
    verdict->changed = true;
    if (!run->known) {
        jr_attempt_begin_run(run, 1, now_ms);
        jr_text_copy(run->repo, sizeof run->repo, input->repo);
    }
    run->last_event_ms = jr_later_of(now_ms, run->last_event_ms);
    /* The guards let by more of whoever asks by the tool: nobody's "all" goes with that. */
    if (run->asked && !input->asked)
        run->rerun_all = false;
    if (input->all && (!run->by_hand || run->asked))
        run->rerun_all = true;
    run->asked = input->asked && (!run->by_hand || run->asked);
    run->by_hand = true;
    run->phase = JR_PHASE_DUE;
    run->reason = JR_REASON_BY_HAND;
    jr_attempt_ask_at(run, jr_attempt_not_too_soon(bounds, run, now_ms, now_ms), now_ms);
    run->tries = 0;
    jr_watch(bounds, run, now_ms);
    verdict->attempt = run->attempt;
    verdict_is(verdict, JR_STEP_WAIT, JR_REASON_BY_HAND);
}

void jr_verdict_unseen(const struct jr_bounds *bounds, const struct jr_input *input,
                       struct jr_run *run, struct jr_verdict *verdict)
{
    enum jr_reason reason = jr_bounds_filter_known(bounds, run);

    verdict->changed = true;
    verdict->attempt = run->attempt;
    if (input->moved) {
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
        return;
    }
    if (reason == JR_REASON_NONE)
        reason = is_superseded(bounds, run, input) ? JR_REASON_SUPERSEDED
                                                           : JR_REASON_DRY_RUN_UNVERIFIED;
    if (reason == JR_REASON_SUPERSEDED)
        run->superseded_by = input->newer.run_id;
    verdict_closed(verdict, run, reason);
}

/*
 * GitHub has accepted the rerun of an attempt: rule 6 holds for it from now on. That another host
 * has asked for it may turn out when a later one was rerun, too.
 */
static void accept_rerun(struct jr_run *run, const struct jr_input *input,
                         struct jr_verdict *verdict)
{
    uint32_t attempt = input->attempt;

    verdict->ended_attempt = attempt;
    verdict->ended_reason = input->reason;
    verdict_is(verdict, JR_STEP_NONE, input->reason);
    if (run->accepted_attempt < attempt)
        run->accepted_attempt = attempt;
    run->reruns++;
    if (run->attempt == attempt) {
        jr_attempt_open(run, attempt + 1);
        run->reason = JR_REASON_RERUN_ACCEPTED;
    }
    run->numbered = true;
}

/* The answer to a POST comes after the newer attempt has shown itself. */
static void answer_after_newer(struct jr_run *run, const struct jr_input *input,
                               struct jr_verdict *verdict)
{
    uint32_t attempt = input->attempt;

    if (run->accepted_attempt != attempt) {
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
        return;
    }
    verdict->ended_attempt = attempt;
    if (input->outcome == JR_OUTCOME_UNKNOWN) {
        run->reruns++;
        verdict->ended_reason = JR_REASON_RERUN_WORKED;
    } else {
        /* Refused: somebody else was quicker. */
        run->accepted_attempt = attempt - 1;
        verdict->by_others = attempt;
        verdict->ended_reason = JR_REASON_RERUN_BY_OTHERS;
    }
    verdict_is(verdict, JR_STEP_NONE, verdict->ended_reason);
}

/*
 * Rule 7: GitHub does not know the run or may not let us, though a signed event, or a list of
 * its own, has told of it. That comes for seconds to minutes, by replication, in outages, and
 * with a fresh token: it is final only when it stays so for patience_ms. Who asks by hand
 * has no use for an answer in a quarter of an hour, and can ask again.
 */
static bool may_pass(const struct jr_bounds *bounds, struct jr_run *run,
                     const struct jr_input *input)
{
    int64_t now_ms = input->now_ms;

    if (run->by_hand || jr_reason_class(input->reason) != JR_CLASS_DENIAL)
        return false;
    if (run->denied_ms == 0 || run->denied_ms > now_ms)
        run->denied_ms = now_ms;
    return now_ms - jr_later_of(run->denied_ms, jr_earlier_of(run->last_event_ms, now_ms))
           < bounds->patience_ms;
}

/* The answer is about the newest attempt, which is not closed. */
static void answer_about_newest(const struct jr_bounds *bounds, const struct jr_input *input,
                                struct jr_run *run, struct jr_verdict *verdict)
{
    bool posted = input->kind == JR_INPUT_POSTED;

    if (input->moved) {
        if (run->phase == JR_PHASE_DUE)
            run->due_ms = jr_attempt_not_too_soon(bounds, run, run->due_ms, input->now_ms);
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
    } else if (posted && input->try_all && !run->rerun_all && run->jobs_known == 0) {
        /* Perhaps it has no jobs that could have failed. */
        run->rerun_all = true;
        wait_more(bounds, run, verdict, input->reason, input->now_ms);
    } else if (input->outcome == JR_OUTCOME_NEVER && !may_pass(bounds, run, input)) {
        verdict_closed(verdict, run, input->reason);
    } else {
        wait_on(bounds, run, verdict, input->reason, input->now_ms);
    }
    jr_watch(bounds, run, input->now_ms);
}

void jr_verdict_answer(const struct jr_bounds *bounds, const struct jr_input *input,
                       struct jr_run *run, struct jr_verdict *verdict)
{
    bool posted = input->kind == JR_INPUT_POSTED;

    verdict->changed = true;
    verdict->attempt = input->attempt;
    if (posted && input->outcome == JR_OUTCOME_DONE) {
        accept_rerun(run, input, verdict);
        jr_watch(bounds, run, input->now_ms);
        return;
    }
    if (posted && run->attempt > input->attempt) {
        answer_after_newer(run, input, verdict);
        return;
    }
    /* A refusal is an outcome: the POST did not take effect. One that was cut off may do so
     * from now on, however long ago it was begun. */
    if (posted && run->attempt == input->attempt)
        run->intent_ms = input->outcome == JR_OUTCOME_UNKNOWN ? input->now_ms : 0;
    if (run->attempt != input->attempt || run->phase == JR_PHASE_CLOSED)
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
    else
        answer_about_newest(bounds, input, run, verdict);
}
