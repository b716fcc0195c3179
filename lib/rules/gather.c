/*
 * gather -- rules 1 to 4: what a webhook means for its run.
 *
 * The comments name the rules of "The rules" in doc/design.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/gather.h"
#include "lib/base/timestamp.h"
#include "lib/rules/attempt.h"
#include "lib/rules/learn.h"
#include "lib/rules/watch.h"

/* Rule 3: times of one payload differ by jitter; carried over is only what is clearly earlier. */
#define CARRIED_OVER_SLACK_MS (2 * JR_SECOND_MS)

/* One event on its way through the rules. */
struct gathering {
    const struct jr_bounds *bounds;
    const struct jr_event *event;
    int64_t now_ms;
    struct jr_run *run;
    struct jr_job *job;
    struct jr_verdict *verdict;
    bool is_job;
    bool first;            /* nothing was recorded of the run before */
    bool counted;          /* the job is in the run's numbers already */
    uint32_t attempt;      /* that the event is about */
    enum jr_reason filter; /* the setting that leaves that attempt alone */
};

struct answer {
    enum jr_reply reply; /* NONE: there is none */
    enum jr_reason reason;
};

static bool job_failed(const struct jr_job *job)
{
    return job->status == JR_STATUS_COMPLETED && jr_conclusion_is_bad(job->conclusion);
}

/*
 * Of two `completed` of one job the later one holds, and of two at the same
 * time the worse one, so that their order does not matter.
 */
static bool completes_anew(const struct jr_job *job, const struct jr_event *event)
{
    if (event->conclusion == job->conclusion)
        return false;
    if (event->completed_ms != job->completed_ms)
        return event->completed_ms > job->completed_ms;
    return event->conclusion > job->conclusion;
}

/* Rule 3. */
static bool is_carried_over(const struct jr_job *job, uint32_t attempt)
{
    return attempt > 1 && job->status == JR_STATUS_COMPLETED && job->created_ms != 0
           && job->completed_ms != 0
           && job->completed_ms + CARRIED_OVER_SLACK_MS < job->created_ms;
}

/* Rule 2: take the event into the job; false when it tells nothing new. */
static bool move_job(struct jr_job *job, const struct jr_event *event, uint32_t attempt)
{
    bool forward = !job->known || event->status > job->status;

    if (!forward && !(event->status == JR_STATUS_COMPLETED && completes_anew(job, event)))
        return false;
    job->known = true;
    job->run_id = event->run_id;
    job->job_id = event->job_id;
    job->status = event->status;
    job->conclusion = event->conclusion;
    if (event->created_ms != 0)
        job->created_ms = event->created_ms;
    if (event->started_ms != 0)
        job->started_ms = event->started_ms;
    if (event->completed_ms != 0)
        job->completed_ms = event->completed_ms;
    jr_learn_text(job->name, sizeof job->name, event->job_name);
    jr_learn_text(job->runner, sizeof job->runner, event->runner);
    jr_learn_text(job->labels, sizeof job->labels, event->labels);
    jr_learn_text(job->steps, sizeof job->steps, event->steps);
    jr_learn_text(job->environment, sizeof job->environment, event->environment);
    job->carried_over = is_carried_over(job, attempt);
    return true;
}

/* Keep the run's numbers true: one of its jobs goes from `before` (NULL: it is new) to `after`. */
static void count_job(struct jr_run *run, const struct jr_job *before, const struct jr_job *after)
{
    if (before != NULL) {
        run->jobs_known--;
        run->jobs_unfinished -= before->status != JR_STATUS_COMPLETED;
        run->jobs_failed -= job_failed(before);
    }
    run->jobs_known++;
    run->jobs_unfinished += after->status != JR_STATUS_COMPLETED;
    run->jobs_failed += job_failed(after);
}

/* Rule 1: which attempt an event is about. */
static uint32_t attempt_of(const struct gathering *gathering)
{
    if (gathering->event->attempt != 0)
        return gathering->event->attempt;
    if (gathering->is_job && gathering->job->known)
        return jr_run_attempt_of(gathering->run, gathering->job);
    return gathering->run->attempt;
}

/* 201 is a promise: only where there is an entry in the outbox. */
static struct answer answer_suspect(const struct jr_run *run, enum jr_reason reason)
{
    if (run->phase == JR_PHASE_DUE)
        return (struct answer){ JR_REPLY_SCHEDULED, reason };
    return (struct answer){ JR_REPLY_LEFT_ALONE, run->reason };
}

/* Rule 4: some jobs go on. What GitHub is being asked about stays so: GitHub knows better. */
static void wait_for_jobs(struct jr_run *run)
{
    if (run->phase == JR_PHASE_DUE && (run->tries > 0 || run->intent_ms != 0 || run->by_hand))
        return;
    run->phase = JR_PHASE_OPEN;
    run->reason = JR_REASON_WAITING_FOR_JOBS;
    jr_attempt_ask_not(run);
}

/* All are done, and none failed. */
static void succeed_by_jobs(struct jr_run *run)
{
    if (run->by_hand)
        return;
    run->phase = JR_PHASE_OPEN;
    run->reason = JR_REASON_JOBS_SUCCEEDED;
    jr_attempt_ask_not(run);
}

/* Rules 2 to 4 for a job of the newest attempt. */
static struct answer apply_job(const struct gathering *gathering)
{
    struct jr_run *run = gathering->run;
    struct jr_job *job = gathering->job, before = *job;
    bool moved = move_job(job, gathering->event, run->attempt) || !gathering->counted;
    bool left_alone = run->phase == JR_PHASE_CLOSED
                      && jr_reason_class(run->reason) == JR_CLASS_FILTER;

    if (moved)
        count_job(run, gathering->counted ? &before : NULL, job);
    if (run->complete || (run->phase == JR_PHASE_CLOSED && !left_alone))
        return (struct answer){ JR_REPLY_RECORDED, JR_REASON_ALREADY_DECIDED };
    if (!jr_run_jobs_done(run)) {
        wait_for_jobs(run);
        return (struct answer){ JR_REPLY_RECORDED,
                                moved ? JR_REASON_WAITING_FOR_JOBS : JR_REASON_NO_NEWS };
    }
    if (!moved && !left_alone)
        return (struct answer){ JR_REPLY_RECORDED, JR_REASON_NO_NEWS };
    if (run->jobs_failed == 0) {
        succeed_by_jobs(run);
        return (struct answer){ JR_REPLY_SETTLED, JR_REASON_JOBS_SUCCEEDED };
    }
    /* One that a setting left alone is judged anew: the setting may be repaired. */
    jr_attempt_suspect(gathering->bounds, run, JR_REASON_JOBS_FAILED, gathering->now_ms);
    return answer_suspect(run, JR_REASON_JOBS_FAILED);
}

/* The run goes on. */
static struct answer apply_going_on(struct jr_run *run)
{
    if (run->phase == JR_PHASE_OPEN && run->reason == JR_REASON_NONE)
        run->reason = JR_REASON_WAITING_FOR_RUN;
    return (struct answer){ JR_REPLY_RECORDED, run->complete ? JR_REASON_ALREADY_DECIDED
                                                             : JR_REASON_WAITING_FOR_RUN };
}

/* Of two conclusions the later one holds, and of two at the same time the worse one. */
static bool is_old_news(const struct jr_run *run, const struct jr_event *event)
{
    bool other = event->conclusion != run->conclusion;
    bool newer = event->updated_ms > run->updated_ms
                 || (event->updated_ms == run->updated_ms && event->conclusion > run->conclusion);

    return run->complete && (!newer || (!other && run->phase != JR_PHASE_DUE));
}

/* Rule 4 for the newest attempt of the run itself. */
static struct answer apply_run(const struct gathering *gathering)
{
    const struct jr_bounds *bounds = gathering->bounds;
    const struct jr_event *event = gathering->event;
    struct jr_run *run = gathering->run;
    int64_t now_ms = gathering->now_ms;

    if (event->status != JR_STATUS_COMPLETED)
        return apply_going_on(run);
    if (is_old_news(run, event))
        return (struct answer){ JR_REPLY_RECORDED, JR_REASON_ALREADY_DECIDED };
    if (bounds->judges && !run->complete)
        run->tries = 0; /* they were about its end; why it failed has tries of its own */
    jr_attempt_conclude(run, event->conclusion);
    run->updated_ms = event->updated_ms;
    if (!jr_attempt_is_suspect(bounds, run, run->conclusion)) {
        jr_attempt_close(run, jr_attempt_undeserving(run));
        return (struct answer){ JR_REPLY_SETTLED, run->reason };
    }
    if (run->phase != JR_PHASE_DUE
        || (run->due_ms > now_ms + bounds->rerun_delay_ms && run->judged_attempt != run->attempt)
        || jr_bounds_filter(bounds, run, run->attempt) != JR_REASON_NONE)
        jr_attempt_suspect(bounds, run, JR_REASON_RUN_FAILED, now_ms);
    else
        run->reason = JR_REASON_RUN_FAILED;
    return answer_suspect(run, JR_REASON_RUN_FAILED);
}

/* Did a policy leave it? The attempts that a rule allows are no setting. */
static bool is_left_by_policy(const struct jr_run *run)
{
    return run->reason == JR_REASON_ATTEMPTS_USED_UP && run->judged_attempt == run->attempt;
}

/* Is it a completed attempt that only a setting left alone which is repaired by now? */
static bool is_let_go(const struct jr_bounds *bounds, const struct jr_run *run)
{
    return run->complete && run->phase == JR_PHASE_CLOSED && !is_left_by_policy(run)
           && jr_reason_class(run->reason) == JR_CLASS_FILTER
           && jr_attempt_is_suspect(bounds, run, run->conclusion)
           && jr_bounds_filter_known(bounds, run) == JR_REASON_NONE;
}

/*
 * What an event that tells nothing new is answered with when it has to be judged
 * anew: as if it had brought the attempt to where it is.
 */
static struct answer answer_anew(const struct gathering *gathering, struct answer answer)
{
    const struct jr_run *run = gathering->run;

    if (answer.reply != JR_REPLY_RECORDED || gathering->event->status != JR_STATUS_COMPLETED)
        return answer;
    if (run->phase == JR_PHASE_DUE)
        return (struct answer){ JR_REPLY_SCHEDULED, run->reason };
    if (run->reason == JR_REASON_JOBS_SUCCEEDED || jr_attempt_is_closed_by_conclusion(run))
        return (struct answer){ JR_REPLY_SETTLED, run->reason };
    return answer;
}

/* What the event brings, and the answer that goes with it. */
static struct answer apply(const struct gathering *gathering, bool anew)
{
    struct jr_run *run = gathering->run;
    struct answer answer;

    if (gathering->is_job && gathering->event->status == JR_STATUS_UNKNOWN)
        return (struct answer){ JR_REPLY_RECORDED, JR_REASON_UNKNOWN_ACTION };
    if (gathering->attempt < run->attempt) {
        /* One that is in a newer attempt by now is counted there. */
        if (gathering->is_job && jr_run_attempt_of(run, gathering->job) == gathering->attempt)
            move_job(gathering->job, gathering->event, gathering->attempt);
        return (struct answer){ JR_REPLY_RECORDED, JR_REASON_OLDER_ATTEMPT };
    }
    answer = gathering->is_job ? apply_job(gathering) : apply_run(gathering);
    if (is_let_go(gathering->bounds, run)) {
        jr_attempt_suspect(gathering->bounds, run, JR_REASON_RUN_FAILED, gathering->now_ms);
        answer = answer_suspect(run, JR_REASON_RUN_FAILED);
    }
    return anew ? answer_anew(gathering, answer) : answer;
}

/* May the dispatcher be waiting for the answer to a POST? An answer of unknown outcome is one. */
static bool is_in_flight(const struct jr_run *run, int64_t now_ms)
{
    return run->intent_ms != 0 && run->reason != JR_REASON_OUTCOME_UNKNOWN
           && now_ms - run->intent_ms < JR_POST_LIMIT_MS;
}

/*
 * The number of the attempt that a job is in. It goes to a newer attempt only, and with an
 * event that is applied: it is counted there.
 */
static void number_job(const struct jr_event *event, const struct jr_run *run, struct jr_job *job)
{
    if (event->attempt > (job->known ? jr_run_attempt_of(run, job) : 0)
        && event->status != JR_STATUS_UNKNOWN)
        job->attempt = event->attempt;
    else if (!job->known && event->attempt == 0)
        job->attempt = run->numbered ? run->attempt : 0;
}

/* Take in what the event tells of the run and of its attempts. */
static void take_in(struct gathering *gathering)
{
    const struct jr_event *event = gathering->event;
    struct jr_run *run = gathering->run;
    struct jr_job *job = gathering->job;
    int64_t now_ms = gathering->now_ms;

    if (gathering->first)
        jr_attempt_begin_run(run, event->attempt != 0 ? event->attempt : 1, now_ms);
    jr_learn_run(gathering->bounds, event, run);
    run->last_event_ms = jr_later_of(now_ms, run->last_event_ms);
    gathering->attempt = attempt_of(gathering);
    gathering->counted = gathering->is_job && job->known
                         && jr_run_attempt_of(run, job) == gathering->attempt;
    if (gathering->is_job)
        number_job(event, run, job);
    run->numbered |= event->attempt != 0;
    if (gathering->attempt > run->attempt)
        jr_attempt_leave(run, gathering->attempt, is_in_flight(run, now_ms), gathering->verdict);
    if (gathering->attempt != run->attempt)
        return;
    jr_learn_sender(event, run);
    if (!gathering->is_job)
        jr_learn_text(run->triggering_actor, sizeof run->triggering_actor,
                      event->triggering_actor);
}

/* Where a setting leaves the run alone, or nothing was known of it, that is the answer. */
static struct answer answer_by_rule(const struct gathering *gathering)
{
    const struct jr_event *event = gathering->event;

    if (gathering->filter != JR_REASON_NONE)
        return (struct answer){ JR_REPLY_LEFT_ALONE, gathering->filter };
    if (jr_bounds_excludes_login(gathering->bounds, event->sender))
        return (struct answer){ JR_REPLY_LEFT_ALONE, JR_REASON_SENDER_EXCLUDED };
    if (!gathering->first || !gathering->is_job || event->status != JR_STATUS_COMPLETED)
        return (struct answer){ JR_REPLY_NONE, JR_REASON_NONE };
    if (event->conclusion == JR_CONCLUSION_SKIPPED)
        return (struct answer){ JR_REPLY_RECORDED, JR_REASON_SKIPPED_FIRST };
    return (struct answer){ JR_REPLY_UNKNOWN_RUN, JR_REASON_UNKNOWN_RUN };
}

void jr_gather(const struct jr_bounds *bounds, const struct jr_input *input, struct jr_run *run,
               struct jr_job *job, struct jr_verdict *verdict)
{
    struct gathering gathering = {
        .bounds = bounds,
        .event = input->event,
        .now_ms = input->now_ms,
        .run = run,
        .job = job,
        .verdict = verdict,
        .is_job = input->event->kind == JR_EVENT_JOB,
        .first = !run->known,
    };
    struct answer brought, ruled;

    take_in(&gathering);
    gathering.filter = jr_bounds_filter(bounds, run, gathering.attempt);
    ruled = answer_by_rule(&gathering);
    brought = apply(&gathering, input->anew);
    jr_watch_heard(run);
    jr_watch(bounds, run, input->now_ms);
    verdict->changed = true;
    verdict->reply = ruled.reply != JR_REPLY_NONE ? ruled.reply : brought.reply;
    verdict->reason = ruled.reply != JR_REPLY_NONE ? ruled.reason : brought.reason;
    verdict->attempt = input->event->attempt != 0 ? input->event->attempt : run->attempt;
}
