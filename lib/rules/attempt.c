/*
 * attempt -- where the newest attempt of a run stands, and how it gets from there to
 * elsewhere: opened, suspect, closed, left for a newer one.
 *
 * The comments name the rules of "The rules" in doc/design.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/attempt.h"

int64_t jr_later_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

int64_t jr_earlier_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

void jr_attempt_ask_at(struct jr_run *run, int64_t due_ms, int64_t now_ms)
{
    if (run->due_ms == 0)
        run->waiting_ms = now_ms;
    run->due_ms = due_ms;
}

void jr_attempt_ask_not(struct jr_run *run)
{
    run->due_ms = 0;
    run->waiting_ms = 0;
}

void jr_attempt_open(struct jr_run *run, uint32_t attempt)
{
    run->attempt = attempt;
    run->triggering_actor[0] = '\0';
    run->first_sender[0] = '\0';
    run->first_sender_ms = 0;
    run->jobs_known = run->jobs_unfinished = run->jobs_failed = 0;
    run->complete = false;
    run->conclusion = JR_CONCLUSION_NONE;
    run->updated_ms = 0;
    run->phase = JR_PHASE_OPEN;
    run->reason = JR_REASON_NONE;
    jr_attempt_ask_not(run);
    run->tries = 0;
    run->intent_ms = 0;
    run->debug = false;
    run->rerun_all = false;
    run->by_hand = run->asked = run->reopened = false;
    run->denied_ms = 0;
    run->superseded_by = 0;
    run->held = JR_REASON_NONE;
    run->quiet_asks = 0;
    run->jobs_tallied = 0;
    run->failed_day = 0;
}

void jr_attempt_begin_run(struct jr_run *run, uint32_t attempt, int64_t now_ms)
{
    run->known = true;
    run->base_attempt = 1;
    run->first_event_ms = run->last_event_ms = now_ms;
    jr_attempt_open(run, attempt);
}

/* Of several hosts, another had the attempt in hand: the newer one is what came of it. */
static bool is_by_other_host(const struct jr_run *run, uint32_t newer)
{
    return run->phase == JR_PHASE_DUE && newer == run->attempt + 1
           && run->reason == JR_REASON_CLAIMED_ELSEWHERE;
}

/* Is it known to have failed? Not all of its jobs need be known. */
static bool has_failed(const struct jr_run *run)
{
    return run->phase == JR_PHASE_DUE || run->jobs_failed > 0
           || jr_run_result(run) == JR_RESULT_FAILED;
}

void jr_attempt_leave(struct jr_run *run, uint32_t newer, bool in_flight,
                      struct jr_verdict *verdict)
{
    bool ours = run->intent_ms != 0 && newer == run->attempt + 1;
    enum jr_reason reason = ours                          ? JR_REASON_RERUN_WORKED
                            : is_by_other_host(run, newer) ? JR_REASON_RERUN_ELSEWHERE
                                                           : JR_REASON_RERUN_BY_OTHERS;

    if (reason != JR_REASON_RERUN_BY_OTHERS)
        run->accepted_attempt = run->attempt;
    else if (newer == run->attempt + 1 && has_failed(run))
        verdict->by_others = run->attempt;
    in_flight = in_flight && ours;
    if (reason != JR_REASON_RERUN_BY_OTHERS && !in_flight)
        run->reruns++;
    if (!in_flight && (ours || run->phase == JR_PHASE_DUE)) {
        verdict->ended_attempt = run->attempt;
        verdict->ended_reason = reason;
    }
    jr_attempt_open(run, newer);
    run->reason = verdict->ended_reason;
}

/* A POST that was made later than now was made before the clock was set back. */
int64_t jr_attempt_not_too_soon(const struct jr_bounds *bounds, const struct jr_run *run,
                                int64_t due_ms, int64_t now_ms)
{
    if (run->intent_ms == 0)
        return due_ms;
    return jr_later_of(due_ms, jr_earlier_of(run->intent_ms, now_ms) + bounds->api_backoff_min_ms);
}

void jr_attempt_close(struct jr_run *run, enum jr_reason reason)
{
    run->phase = JR_PHASE_CLOSED;
    run->reason = reason;
    jr_attempt_ask_not(run);
    run->tries = 0;
    if (run->asked)
        run->rerun_all = false; /* who asks again may mean less */
    run->by_hand = run->asked = run->reopened = false;
}

void jr_attempt_suspect(const struct jr_bounds *bounds, struct jr_run *run,
                        enum jr_reason reason, int64_t now_ms)
{
    enum jr_reason filter = jr_bounds_filter(bounds, run, run->attempt);
    int64_t due_ms = jr_later_of(now_ms + bounds->rerun_delay_ms, 1);

    if (filter != JR_REASON_NONE) {
        jr_attempt_close(run, filter);
        return;
    }
    run->reopened |= run->phase == JR_PHASE_CLOSED;
    run->phase = JR_PHASE_DUE;
    run->reason = reason;
    jr_attempt_ask_at(run, jr_attempt_not_too_soon(bounds, run, due_ms, now_ms), now_ms);
    run->tries = 0;
}

void jr_attempt_conclude(struct jr_run *run, enum jr_conclusion conclusion)
{
    if (run->complete && run->conclusion != conclusion)
        run->judged_attempt = 0;
    run->complete = true;
    run->conclusion = conclusion;
}

void jr_attempt_complete(struct jr_run *run, const struct jr_event *seen)
{
    jr_attempt_conclude(run, seen->conclusion);
    run->updated_ms = jr_later_of(run->updated_ms, seen->updated_ms);
}

bool jr_attempt_deserves(const struct jr_bounds *bounds, const struct jr_run *run,
                         enum jr_conclusion conclusion)
{
    if (run->asked && conclusion == JR_CONCLUSION_ACTION_REQUIRED)
        return false;
    return run->by_hand ? jr_conclusion_is_bad(conclusion)
                        : jr_bounds_looks_at(bounds, conclusion);
}

bool jr_attempt_is_suspect(const struct jr_bounds *bounds, const struct jr_run *run,
                           enum jr_conclusion conclusion)
{
    return conclusion == JR_CONCLUSION_NONE || jr_attempt_deserves(bounds, run, conclusion);
}

enum jr_reason jr_attempt_undeserving(const struct jr_run *run)
{
    if (run->conclusion == JR_CONCLUSION_SUCCESS)
        return JR_REASON_RUN_SUCCEEDED;
    return jr_conclusion_is_bad(run->conclusion) ? JR_REASON_CONCLUSION_NOT_RETRIED
                                                 : JR_REASON_NOT_FAILED;
}

bool jr_attempt_is_closed_by_conclusion(const struct jr_run *run)
{
    return run->phase == JR_PHASE_CLOSED && jr_reason_class(run->reason) == JR_CLASS_CONCLUSION;
}
