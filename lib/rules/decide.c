/*
 * decide -- what an event means, and whether a run is to be rerun.
 *
 * The comments name the rules of "The rules" in HACKING.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/decide.h"
#include "lib/base/codec.h"
#include "lib/base/timestamp.h"

#include <string.h>
#include <strings.h>

/* Rule 3: times of one payload differ by jitter; carried over is only what is clearly earlier. */
#define CARRIED_OVER_SLACK_MS (2 * JR_SECOND_MS)

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void learn(char *known, size_t size, const char *told)
{
    if (*told != '\0')
        jr_text_copy(known, size, told);
}

/*
 * The workflow's name and path. What keeps a run from being rerun is never replaced by
 * what would not: otherwise a later event could lift what an earlier one excluded.
 */
static void learn_workflow(const struct jr_settings *settings, struct jr_run *run,
                           const struct jr_event *event)
{
    const struct jr_list *left_alone = &settings->no_retry_workflows;

    if (!jr_run_lists_workflow(left_alone, run->workflow, "")
        || jr_run_lists_workflow(left_alone, event->workflow, ""))
        learn(run->workflow, sizeof run->workflow, event->workflow);
    if (!jr_run_lists_workflow(left_alone, "", run->workflow_path)
        || jr_run_lists_workflow(left_alone, "", event->workflow_path))
        learn(run->workflow_path, sizeof run->workflow_path, event->workflow_path);
    if (event->workflow_id != 0)
        run->workflow_id = event->workflow_id;
}

/* Facts of the run itself, which hold for all of its attempts. */
static void learn_facts(const struct jr_settings *settings, struct jr_run *run,
                        const struct jr_event *event)
{
    run->run_id = event->run_id;
    learn(run->repo, sizeof run->repo, event->repo);
    learn(run->branch, sizeof run->branch, event->branch);
    learn_workflow(settings, run, event);
    if (event->repo_id != 0)
        run->repo_id = event->repo_id;
    if (event->kind != JR_EVENT_RUN)
        return;
    learn(run->trigger, sizeof run->trigger, event->trigger);
    learn(run->actor, sizeof run->actor, event->actor);
    learn(run->head_sha, sizeof run->head_sha, event->head_sha);
    if (event->run_number != 0)
        run->run_number = event->run_number;
    /* Compared within one payload: the repository may have been renamed since others. */
    if (*event->head_repo != '\0')
        jr_text_copy(run->head_repo, sizeof run->head_repo,
                     strcasecmp(event->head_repo, event->repo) == 0 ? "" : event->head_repo);
    if (event->created_ms != 0)
        run->created_ms = event->created_ms;
}

/* Have GitHub asked about the run. An entry that there is already has waited since it was made. */
static void put_in_outbox(struct jr_run *run, int64_t due_ms, int64_t now_ms)
{
    if (run->due_ms == 0)
        run->waiting_ms = now_ms;
    run->due_ms = due_ms;
}

static void take_from_outbox(struct jr_run *run)
{
    run->due_ms = 0;
    run->waiting_ms = 0;
}

/* Start over with an attempt of which nothing is known. */
static void open_attempt(struct jr_run *run, uint32_t attempt)
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
    take_from_outbox(run);
    run->tries = 0;
    run->intent_ms = 0;
    run->rerun_all = false;
    run->by_hand = false;
    run->denied_ms = 0;
    run->superseded_by = 0;
    run->quiet_asks = 0;
    run->jobs_tallied = 0;
    run->failed_day = 0;
}

/* When the event says that it happened; JR_TIME_MOST when it does not say. */
static int64_t time_of(const struct jr_event *event)
{
    int64_t time_ms = event->kind == JR_EVENT_RUN ? event->updated_ms : event->completed_ms;

    if (event->status != JR_STATUS_COMPLETED || time_ms == 0)
        time_ms = event->started_ms;
    if (time_ms == 0)
        time_ms = event->created_ms;
    return time_ms != 0 ? time_ms : JR_TIME_MOST;
}

/* The sender of the attempt's first event, whichever event comes first here. */
static void learn_sender(struct jr_run *run, const struct jr_event *event)
{
    int64_t time_ms = time_of(event);

    if (*event->sender == '\0'
        || (*run->first_sender != '\0'
            && (time_ms > run->first_sender_ms
                || (time_ms == run->first_sender_ms
                    && strcmp(event->sender, run->first_sender) >= 0))))
        return;
    learn(run->first_sender, sizeof run->first_sender, event->sender);
    run->first_sender_ms = time_ms;
}

/*
 * Rules 5 and 6: a newer attempt has shown up. If there was a POST of unknown
 * outcome for the attempt just before it, then that is what worked.
 *   in_flight  the POST may still be under way: jr_decide_outcome() will say
 *              what became of it
 */
static void leave_attempt(struct jr_run *run, uint32_t newer, bool in_flight,
                          uint32_t *ended_attempt, enum jr_reason *ended_reason)
{
    bool ours = run->intent_ms != 0 && newer == run->attempt + 1;

    if (ours)
        run->accepted_attempt = run->attempt;
    in_flight = in_flight && ours;
    if (ours && !in_flight)
        run->reruns++;
    if (!in_flight && (ours || run->phase == JR_PHASE_DUE)) {
        *ended_attempt = run->attempt;
        *ended_reason = ours ? JR_REASON_RERUN_WORKED : JR_REASON_RERUN_BY_OTHERS;
    }
    open_attempt(run, newer);
    run->reason = *ended_reason;
}

/* Would this login keep a run from being rerun? */
static bool excludes_login(const struct jr_settings *settings, const char *login)
{
    return *login != '\0' && jr_list_match(&settings->no_retry_list, login);
}

/* The setting that leaves the run alone, judged by what is known of it; NONE if none does. */
static enum jr_reason filter_run(const struct jr_settings *settings, const struct jr_run *run,
                                 uint32_t attempt)
{
    if (run->by_hand && attempt == run->attempt)
        return JR_REASON_NONE;
    if ((settings->repos.count > 0 && !jr_list_match(&settings->repos, run->repo))
        || jr_list_match(&settings->no_retry_repos, run->repo))
        return JR_REASON_REPOSITORY_EXCLUDED;
    if (jr_run_lists_workflow(&settings->no_retry_workflows, run->workflow, run->workflow_path))
        return JR_REASON_WORKFLOW_EXCLUDED;
    /* Rule 5: a branch that is not told is not filtered before GitHub was asked. */
    if (settings->repo_branches.count > 0 && (*run->branch != '\0' || run->shown)) {
        if (!jr_list_match(&settings->repo_branches, run->branch))
            return JR_REASON_BRANCH_EXCLUDED;
        /* A fork's `master` carries the same name and is not ours. */
        if (*run->head_repo != '\0')
            return JR_REASON_FORK_BRANCH;
    }
    if (excludes_login(settings, run->actor) || excludes_login(settings, run->triggering_actor))
        return JR_REASON_ACTOR_EXCLUDED;
    if (attempt >= settings->run_attempts)
        return JR_REASON_ATTEMPTS_USED_UP;
    return JR_REASON_NONE;
}

/*
 * The same once all is known that will be known: where GitHub names no actor,
 * the sender of the attempt's first event stands for him.
 */
static enum jr_reason filter_known_run(const struct jr_settings *settings, const struct jr_run *run)
{
    if (!run->by_hand && *run->actor == '\0' && *run->triggering_actor == '\0'
        && excludes_login(settings, run->first_sender))
        return JR_REASON_ACTOR_EXCLUDED;
    return filter_run(settings, run, run->attempt);
}

/*
 * Rule 6: after a POST of unknown outcome nothing is asked before API_BACKOFF_MIN.
 * One that was made later than now was made before the clock was set back.
 */
static int64_t not_too_soon(const struct jr_settings *settings, const struct jr_run *run,
                            int64_t due_ms, int64_t now_ms)
{
    if (run->intent_ms == 0)
        return due_ms;
    return later_of(due_ms, earlier_of(run->intent_ms, now_ms) + settings->api_backoff_min_ms);
}

/* What became of a POST under way is open still: the intent stays. */
static void close_run(struct jr_run *run, enum jr_reason reason)
{
    run->phase = JR_PHASE_CLOSED;
    run->reason = reason;
    take_from_outbox(run);
    run->tries = 0;
    run->by_hand = false;
}

/*
 * Rule 4: the attempt looks failed. Ask GitHub in RERUN_DELAY, unless a setting
 * leaves the run alone.
 */
static void suspect(const struct jr_settings *settings, struct jr_run *run,
                    enum jr_reason reason, int64_t now_ms)
{
    enum jr_reason filter = filter_run(settings, run, run->attempt);

    if (filter != JR_REASON_NONE) {
        close_run(run, filter);
        return;
    }
    run->phase = JR_PHASE_DUE;
    run->reason = reason;
    put_in_outbox(run,
                  not_too_soon(settings, run, later_of(now_ms + settings->rerun_delay_ms, 1),
                               now_ms),
                  now_ms);
    run->tries = 0;
}

/* Does a run that ended so deserve a rerun? */
static bool deserves(const struct jr_settings *settings, const struct jr_run *run,
                     enum jr_conclusion conclusion)
{
    return run->by_hand ? jr_conclusion_is_bad(conclusion)
                        : jr_settings_retries(settings, conclusion);
}

/* Is there anything in the conclusion that GitHub should be asked about? */
static bool is_suspect_conclusion(const struct jr_settings *settings, const struct jr_run *run,
                                  enum jr_conclusion conclusion)
{
    return conclusion == JR_CONCLUSION_NONE || deserves(settings, run, conclusion);
}

/* Why one that does not is left alone. */
static enum jr_reason undeserving(const struct jr_run *run)
{
    if (run->conclusion == JR_CONCLUSION_SUCCESS)
        return JR_REASON_RUN_SUCCEEDED;
    return jr_conclusion_is_bad(run->conclusion) ? JR_REASON_CONCLUSION_NOT_RETRIED
                                                 : JR_REASON_NOT_FAILED;
}

/* Was the attempt closed because of how it ended? */
static bool is_closed_by_conclusion(const struct jr_run *run)
{
    return run->phase == JR_PHASE_CLOSED && jr_reason_class(run->reason) == JR_CLASS_CONCLUSION;
}

static bool job_failed(const struct jr_job *job)
{
    return job->status == JR_STATUS_COMPLETED && jr_conclusion_is_bad(job->conclusion);
}

static bool all_jobs_done(const struct jr_run *run)
{
    return run->jobs_known > 0 && run->jobs_unfinished == 0;
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
    learn(job->name, sizeof job->name, event->job_name);
    learn(job->runner, sizeof job->runner, event->runner);
    learn(job->labels, sizeof job->labels, event->labels);
    job->carried_over = attempt > 1 && job->status == JR_STATUS_COMPLETED
                        && job->created_ms != 0 && job->completed_ms != 0
                        && job->completed_ms + CARRIED_OVER_SLACK_MS < job->created_ms;
    return true;
}

/* Keep the run's numbers true while one of its jobs goes from `before` (NULL: it is new) to `after`. */
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
static uint32_t attempt_of(const struct jr_event *event, const struct jr_run *run,
                           const struct jr_job *job)
{
    if (event->attempt != 0)
        return event->attempt;
    if (event->kind == JR_EVENT_JOB && job->known)
        return jr_run_attempt_of(run, job);
    return run->attempt;
}

static void answer(struct jr_decision *decision, int status, enum jr_reason reason)
{
    decision->status = status;
    decision->reason = reason;
}

/* 201 is a promise: only where there is an entry in the outbox. */
static void answer_suspect(struct jr_decision *decision, const struct jr_run *run,
                           enum jr_reason reason)
{
    if (run->phase == JR_PHASE_DUE)
        answer(decision, 201, reason);
    else
        answer(decision, 204, run->reason);
}

/*
 * Rules 2 to 4 for a job of the newest attempt.
 *   counted  it is in the run's numbers already
 */
static void apply_job(const struct jr_settings *settings, const struct jr_event *event,
                      struct jr_run *run, struct jr_job *job, bool counted, int64_t now_ms,
                      struct jr_decision *decision)
{
    struct jr_job before = *job;
    bool moved = move_job(job, event, run->attempt) || !counted;
    bool filtered = run->phase == JR_PHASE_CLOSED && jr_reason_class(run->reason) == JR_CLASS_FILTER;

    if (moved)
        count_job(run, counted ? &before : NULL, job);
    if (run->complete || (run->phase == JR_PHASE_CLOSED && !filtered)) {
        answer(decision, 202, JR_REASON_ALREADY_DECIDED);
    } else if (!all_jobs_done(run)) {
        /* What GitHub is being asked about stays so: GitHub knows better. */
        if (run->phase != JR_PHASE_DUE
            || (run->tries == 0 && run->intent_ms == 0 && !run->by_hand)) {
            run->phase = JR_PHASE_OPEN;
            run->reason = JR_REASON_WAITING_FOR_JOBS;
            take_from_outbox(run);
        }
        answer(decision, 202, moved ? JR_REASON_WAITING_FOR_JOBS : JR_REASON_NO_NEWS);
    } else if (!moved && !filtered) {
        answer(decision, 202, JR_REASON_NO_NEWS);
    } else if (run->jobs_failed == 0) {
        if (!run->by_hand) {
            run->phase = JR_PHASE_OPEN;
            run->reason = JR_REASON_JOBS_SUCCEEDED;
            take_from_outbox(run);
        }
        answer(decision, 200, JR_REASON_JOBS_SUCCEEDED);
    } else {
        /* One that a setting left alone is judged anew: the setting may be repaired. */
        suspect(settings, run, JR_REASON_JOBS_FAILED, now_ms);
        answer_suspect(decision, run, JR_REASON_JOBS_FAILED);
    }
}

/* Rule 4 for the newest attempt of the run itself. */
static void apply_run(const struct jr_settings *settings, const struct jr_event *event,
                      struct jr_run *run, int64_t now_ms, struct jr_decision *decision)
{
    bool newer, other;

    if (event->status != JR_STATUS_COMPLETED) {
        if (run->phase == JR_PHASE_OPEN && run->reason == JR_REASON_NONE)
            run->reason = JR_REASON_WAITING_FOR_RUN;
        answer(decision, 202,
               run->complete ? JR_REASON_ALREADY_DECIDED : JR_REASON_WAITING_FOR_RUN);
        return;
    }
    /* Of two conclusions the later one holds, and of two at the same time the worse one. */
    other = event->conclusion != run->conclusion;
    newer = event->updated_ms > run->updated_ms
            || (event->updated_ms == run->updated_ms && event->conclusion > run->conclusion);
    if (run->complete && (!newer || (!other && run->phase != JR_PHASE_DUE))) {
        answer(decision, 202, JR_REASON_ALREADY_DECIDED);
        return;
    }
    run->complete = true;
    run->conclusion = event->conclusion;
    run->updated_ms = event->updated_ms;
    if (!is_suspect_conclusion(settings, run, run->conclusion)) {
        close_run(run, undeserving(run));
        answer(decision, 200, run->reason);
        return;
    }
    if (run->phase != JR_PHASE_DUE || run->due_ms > now_ms + settings->rerun_delay_ms
        || filter_run(settings, run, run->attempt) != JR_REASON_NONE)
        suspect(settings, run, JR_REASON_RUN_FAILED, now_ms);
    else
        run->reason = JR_REASON_RUN_FAILED;
    answer_suspect(decision, run, JR_REASON_RUN_FAILED);
}

/* A completed attempt that only a setting left alone, when that setting is repaired. */
static void judge_anew(const struct jr_settings *settings, struct jr_run *run, int64_t now_ms,
                       struct jr_decision *decision)
{
    if (!run->complete || run->phase != JR_PHASE_CLOSED || jr_reason_class(run->reason) != JR_CLASS_FILTER
        || !is_suspect_conclusion(settings, run, run->conclusion)
        || filter_known_run(settings, run) != JR_REASON_NONE)
        return;
    suspect(settings, run, JR_REASON_RUN_FAILED, now_ms);
    answer_suspect(decision, run, JR_REASON_RUN_FAILED);
}

/*
 * What an event that tells nothing new is answered with when it has to be judged
 * anew: as if it had brought the attempt to where it is.
 */
static void answer_anew(const struct jr_event *event, const struct jr_run *run,
                        struct jr_decision *decision)
{
    if (decision->status != 202 || event->status != JR_STATUS_COMPLETED)
        return;
    if (run->phase == JR_PHASE_DUE)
        answer(decision, 201, run->reason);
    else if (run->reason == JR_REASON_JOBS_SUCCEEDED || is_closed_by_conclusion(run))
        answer(decision, 200, run->reason);
}

/*
 * Rule 8: an attempt is watched while more is to be heard of it. When all known
 * jobs are done and none failed, nothing needs to be.
 */
static void watch(const struct jr_settings *settings, struct jr_run *run, int64_t now_ms)
{
    bool under_way = run->phase == JR_PHASE_OPEN && !run->complete && !all_jobs_done(run)
                     && settings->reconcile_interval_ms > 0
                     && filter_run(settings, run, run->attempt) == JR_REASON_NONE;

    if (!under_way)
        run->quiet_due_ms = 0;
    else if (run->quiet_due_ms == 0)
        run->quiet_due_ms = now_ms + 2 * settings->reconcile_interval_ms;
}

/* May the dispatcher be waiting for the answer to a POST? An answer of unknown outcome is one. */
static bool is_in_flight(const struct jr_run *run, int64_t now_ms)
{
    return run->intent_ms != 0 && run->reason != JR_REASON_OUTCOME_UNKNOWN
           && now_ms - run->intent_ms < JR_POST_LIMIT_MS;
}

/*
 * Take in what the event tells of the run and of its attempts.
 *   counted  out: the job is in the run's numbers already
 * Returns the attempt that the event is about.
 */
static uint32_t take_in(const struct jr_settings *settings, const struct jr_event *event,
                        struct jr_run *run, struct jr_job *job, bool *counted, int64_t now_ms,
                        struct jr_decision *decision)
{
    bool is_job = event->kind == JR_EVENT_JOB;
    uint32_t attempt;

    if (!run->known) {
        run->known = true;
        run->base_attempt = 1;
        run->first_event_ms = now_ms;
        open_attempt(run, event->attempt != 0 ? event->attempt : 1);
    }
    learn_facts(settings, run, event);
    run->last_event_ms = later_of(now_ms, run->last_event_ms);
    attempt = attempt_of(event, run, job);
    *counted = is_job && job->known && jr_run_attempt_of(run, job) == attempt;
    /* A job goes to a newer attempt only, and with an event that is applied: it is counted there. */
    if (is_job && event->attempt > (job->known ? jr_run_attempt_of(run, job) : 0)
        && event->status != JR_STATUS_UNKNOWN)
        job->attempt = event->attempt;
    else if (is_job && !job->known && event->attempt == 0)
        job->attempt = run->numbered ? run->attempt : 0;
    run->numbered |= event->attempt != 0;
    if (attempt > run->attempt)
        leave_attempt(run, attempt, is_in_flight(run, now_ms), &decision->ended_attempt,
                      &decision->ended_reason);
    if (attempt == run->attempt) {
        learn_sender(run, event);
        if (!is_job)
            learn(run->triggering_actor, sizeof run->triggering_actor, event->triggering_actor);
    }
    return attempt;
}

/* Where a setting leaves the run alone, or nothing was known of it, that is the answer. */
static void answer_by_rule(const struct jr_settings *settings, const struct jr_event *event,
                           enum jr_reason filter, bool first, struct jr_decision *decision)
{
    if (filter != JR_REASON_NONE)
        answer(decision, 204, filter);
    else if (excludes_login(settings, event->sender))
        answer(decision, 204, JR_REASON_SENDER_EXCLUDED);
    else if (!first || event->kind != JR_EVENT_JOB || event->status != JR_STATUS_COMPLETED)
        return;
    else if (event->conclusion == JR_CONCLUSION_SKIPPED)
        answer(decision, 202, JR_REASON_SKIPPED_FIRST);
    else
        answer(decision, 404, JR_REASON_UNKNOWN_RUN);
}

void jr_decide_event(const struct jr_settings *settings, const struct jr_event *event,
                     bool anew, struct jr_run *run, struct jr_job *job, int64_t now_ms,
                     struct jr_decision *decision)
{
    bool first = !run->known;
    bool is_job = event->kind == JR_EVENT_JOB;
    bool counted;
    enum jr_reason filter;
    uint32_t attempt;

    memset(decision, 0, sizeof *decision);
    attempt = take_in(settings, event, run, job, &counted, now_ms, decision);
    filter = filter_run(settings, run, attempt);
    if (is_job && event->status == JR_STATUS_UNKNOWN) {
        answer(decision, 202, JR_REASON_UNKNOWN_ACTION);
    } else if (attempt < run->attempt) {
        /* One that is in a newer attempt by now is counted there. */
        if (is_job && jr_run_attempt_of(run, job) == attempt)
            move_job(job, event, attempt);
        answer(decision, 202, JR_REASON_OLDER_ATTEMPT);
    } else {
        if (is_job)
            apply_job(settings, event, run, job, counted, now_ms, decision);
        else
            apply_run(settings, event, run, now_ms, decision);
        judge_anew(settings, run, now_ms, decision);
        if (anew)
            answer_anew(event, run, decision);
    }
    /* Where GitHub was asked already, the waits start over. */
    if (run->quiet_asks > 0) {
        run->quiet_asks = 0;
        run->quiet_due_ms = 0;
    }
    watch(settings, run, now_ms);
    answer_by_rule(settings, event, filter, first, decision);
}

/*
 * The wait before try number `tries` + 1: doubled each time, between
 * API_BACKOFF_MIN and API_BACKOFF_MAX, and up to a quarter longer or (at the
 * end) shorter, so that runs that failed together do not ask together. The
 * jitter comes from the run and the try, not from chance.
 */
static int64_t backoff_ms(const struct jr_settings *settings, uint64_t run_id, uint32_t tries)
{
    int64_t wait_ms = settings->api_backoff_min_ms, jitter_ms;
    uint64_t mixed = (run_id ^ tries) * UINT64_C(0x9e3779b97f4a7c15);

    while (tries-- > 0 && wait_ms < settings->api_backoff_max_ms)
        wait_ms *= 2;
    jitter_ms = (int64_t)((mixed >> 32) % ((uint64_t)wait_ms / 4 + 1));
    if (wait_ms + jitter_ms <= settings->api_backoff_max_ms)
        return wait_ms + jitter_ms;
    return later_of(settings->api_backoff_min_ms,
                    earlier_of(wait_ms, settings->api_backoff_max_ms) - jitter_ms);
}

static void verdict_is(struct jr_verdict *verdict, enum jr_step step, enum jr_reason reason)
{
    verdict->step = step;
    verdict->reason = reason;
}

/* GitHub has shown or said how it is: no POST is in doubt any more. */
static void verdict_closed(struct jr_verdict *verdict, struct jr_run *run, enum jr_reason reason)
{
    close_run(run, reason);
    run->intent_ms = 0;
    verdict_is(verdict, JR_STEP_NONE, reason);
}

/* Ask again later, for as long as GitHub lets a run live: say so in the verdict and in the run. */
static void wait_more(const struct jr_settings *settings, struct jr_run *run,
                      struct jr_verdict *verdict, enum jr_reason reason, int64_t now_ms)
{
    int64_t wait_ms = backoff_ms(settings, run->run_id, run->tries);

    if (now_ms - run->last_event_ms > JR_RUN_LIFE_MS) {
        verdict_closed(verdict, run, JR_REASON_NEVER_COMPLETED);
        return;
    }
    verdict_is(verdict, JR_STEP_WAIT, reason);
    run->phase = JR_PHASE_DUE;
    run->reason = reason;
    put_in_outbox(run, not_too_soon(settings, run, now_ms + wait_ms, now_ms), now_ms);
    if (run->tries < UINT32_MAX)
        run->tries++;
}

static void complete_run(struct jr_run *run, const struct jr_event *seen)
{
    run->complete = true;
    run->conclusion = seen->conclusion;
    run->updated_ms = later_of(run->updated_ms, seen->updated_ms);
}

/* Did it end so long ago that nobody waits for it? GitHub tells only its last change. */
static bool is_missed(const struct jr_settings *settings, const struct jr_event *seen,
                      int64_t now_ms)
{
    return seen->updated_ms != 0 && now_ms - seen->updated_ms > settings->catch_up_ms;
}

/*
 * Would a rerun take the place of what a newer commit brings? GitHub lets a rerun into the
 * run's concurrency group, where it may cancel a newer run. Where the newer run is over,
 * only a pull request's branch has no more use for the older result.
 */
static bool is_superseded(const struct jr_settings *settings, const struct jr_run *run,
                          const struct jr_newer *newer)
{
    return !settings->rerun_superseded && !run->by_hand
           && (newer->state == JR_NEWER_UNFINISHED
               || (newer->state == JR_NEWER_FINISHED && jr_run_is_of_pull_request(run)));
}

/* A run of which nothing was heard for so long is quiet, where nobody sets it. */
#define QUIET_MS (10 * JR_MINUTE_MS)

bool jr_decide_is_finished(const struct jr_settings *settings, const struct jr_run *run,
                           int64_t now_ms)
{
    int64_t quiet_ms = settings->reconcile_interval_ms > 0 ? 2 * settings->reconcile_interval_ms
                                                           : QUIET_MS;

    return run->complete
           || (all_jobs_done(run) && run->jobs_failed == 0
               && now_ms - run->last_event_ms >= quiet_ms);
}

/* Why a completed and failed attempt is not rerun all the same; NONE: it is. */
static enum jr_reason refuse(const struct jr_settings *settings, const struct jr_run *run,
                             const struct jr_event *seen, const struct jr_newer *newer,
                             int64_t now_ms)
{
    enum jr_reason filter;

    if (!deserves(settings, run, seen->conclusion))
        return undeserving(run);
    filter = filter_known_run(settings, run);
    if (filter != JR_REASON_NONE)
        return filter;
    if (run->attempt > JR_RERUNS_LIMIT)
        return JR_REASON_RERUNS_LIMIT;
    if (seen->created_ms != 0 && now_ms - seen->created_ms > JR_RERUN_LIFE_MS)
        return JR_REASON_TOO_OLD;
    if (!run->by_hand && is_missed(settings, seen, now_ms))
        return JR_REASON_MISSED;
    if (is_superseded(settings, run, newer))
        return JR_REASON_SUPERSEDED;
    if (settings->dry_run)
        return JR_REASON_DRY_RUN;
    return JR_REASON_NONE;
}

/* GitHub shows the attempt that was asked about, and it is completed. */
static void decide_completed(const struct jr_settings *settings, const struct jr_event *seen,
                             const struct jr_newer *newer, struct jr_run *run, int64_t now_ms,
                             struct jr_verdict *verdict)
{
    enum jr_reason reason;

    complete_run(run, seen);
    reason = refuse(settings, run, seen, newer, now_ms);
    if (reason == JR_REASON_SUPERSEDED)
        run->superseded_by = newer->run_id;
    if (reason != JR_REASON_NONE) {
        verdict_closed(verdict, run, reason);
        return;
    }
    run->phase = JR_PHASE_DUE;
    run->reason = JR_REASON_RUN_FAILED;
    run->intent_ms = now_ms;
    put_in_outbox(run, now_ms + settings->api_backoff_min_ms, now_ms);
    /* A run that could not even start has no failed jobs to rerun. */
    verdict_is(verdict,
               run->rerun_all || seen->conclusion == JR_CONCLUSION_STARTUP_FAILURE
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
           && now_ms - later_of(seen->created_ms, seen->started_ms) > JR_RUN_LIFE_MS;
}

/* GitHub shows a newer attempt than the one that was asked about. */
static void decide_newer(const struct jr_settings *settings, const struct jr_event *seen,
                         struct jr_run *run, int64_t now_ms, struct jr_verdict *verdict)
{
    bool by_hand = run->by_hand && run->intent_ms == 0 && is_over(seen);

    leave_attempt(run, seen->attempt, false, &verdict->ended_attempt, &verdict->ended_reason);
    /* Who asks by hand means the run as it is, not an attempt that we did not hear of. */
    run->by_hand = by_hand;
    learn(run->triggering_actor, sizeof run->triggering_actor, seen->triggering_actor);
    verdict_is(verdict, JR_STEP_NONE,
               verdict->ended_reason != JR_REASON_NONE ? verdict->ended_reason
                                                       : JR_REASON_RERUN_BY_OTHERS);
    if (!is_over(seen))
        return;
    complete_run(run, seen);
    if (is_suspect_conclusion(settings, run, seen->conclusion))
        suspect(settings, run, JR_REASON_RUN_FAILED, now_ms);
    else
        close_run(run, undeserving(run));
}

/* GitHub shows the attempt that is known as the newest. */
static void decide_same(const struct jr_settings *settings, const struct jr_event *seen,
                        const struct jr_newer *newer, struct jr_run *run, int64_t now_ms,
                        struct jr_verdict *verdict)
{
    learn(run->triggering_actor, sizeof run->triggering_actor, seen->triggering_actor);
    if (is_over(seen))
        decide_completed(settings, seen, newer, run, now_ms, verdict);
    else if (is_over_age(seen, now_ms))
        verdict_closed(verdict, run, JR_REASON_NEVER_COMPLETED);
    else if (run->phase == JR_PHASE_DUE)
        wait_more(settings, run, verdict, JR_REASON_RUN_NOT_COMPLETED, now_ms);
    else
        verdict_is(verdict, JR_STEP_WAIT, JR_REASON_RUN_NOT_COMPLETED);
}

void jr_decide_learn(const struct jr_settings *settings, const struct jr_event *seen,
                     struct jr_run *run)
{
    learn_facts(settings, run, seen);
    run->shown = true;
}

/* Could a pattern be for the name of a workflow? One that ends so is for its file. */
static bool is_for_names(const char *pattern)
{
    size_t length = strlen(pattern);

    return !(length >= 4 && strcasecmp(pattern + length - 4, ".yml") == 0)
           && !(length >= 5 && strcasecmp(pattern + length - 5, ".yaml") == 0);
}

bool jr_decide_wants_workflow(const struct jr_settings *settings, const struct jr_run *run,
                              const struct jr_event *seen)
{
    const struct jr_list *left_alone = &settings->no_retry_workflows;
    bool for_names = false;

    for (size_t i = 0; i < left_alone->count; i++)
        for_names |= is_for_names(left_alone->items[i]);
    if (!for_names || run->by_hand || *run->workflow != '\0'
        || jr_run_lists_workflow(left_alone, "", run->workflow_path))
        return false;
    return seen == NULL
           || (is_over(seen) && deserves(settings, run, seen->conclusion)
               && *seen->workflow == '\0'
               && !jr_run_lists_workflow(left_alone, "", seen->workflow_path));
}

void jr_decide_seen(const struct jr_settings *settings, const struct jr_event *seen,
                    const struct jr_newer *newer, struct jr_run *run, int64_t claimed_due_ms,
                    int64_t now_ms, struct jr_verdict *verdict)
{
    uint32_t seen_attempt = seen->attempt != 0 ? seen->attempt : run->attempt;

    memset(verdict, 0, sizeof *verdict);
    jr_decide_learn(settings, seen, run);
    if (!run->numbered && seen->attempt > run->accepted_attempt) {
        /* Rule 1: GitHub has been asked; what was assumed to be 1 is this. */
        run->base_attempt = run->attempt = seen->attempt;
        run->numbered = true;
    }
    verdict->attempt = run->attempt;
    if (seen_attempt > run->attempt)
        decide_newer(settings, seen, run, now_ms, verdict);
    else if (run->phase == JR_PHASE_CLOSED
             || (run->phase == JR_PHASE_DUE && run->due_ms != claimed_due_ms))
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
    else if (seen_attempt == run->attempt)
        decide_same(settings, seen, newer, run, now_ms, verdict);
    else if (run->phase == JR_PHASE_DUE)
        wait_more(settings, run, verdict, JR_REASON_BEHIND, now_ms);
    else
        verdict_is(verdict, JR_STEP_WAIT, JR_REASON_BEHIND);
    watch(settings, run, now_ms);
}

int64_t jr_decide_quiet_max_ms(const struct jr_settings *settings)
{
    return later_of(2 * settings->reconcile_interval_ms, JR_QUIET_MAX_MS);
}

bool jr_decide_quiet(const struct jr_settings *settings, struct jr_run *run, int64_t now_ms)
{
    int64_t interval_ms = 2 * settings->reconcile_interval_ms, wait_ms = interval_ms;
    int64_t due_ms;

    watch(settings, run, now_ms);
    if (run->quiet_due_ms == 0)
        return false;
    due_ms = run->last_event_ms + interval_ms;
    if (due_ms > now_ms && due_ms <= now_ms + interval_ms) {
        run->quiet_due_ms = due_ms;
        run->quiet_asks = 0;
        return false;
    }
    for (uint32_t i = 0; i <= run->quiet_asks && wait_ms < JR_QUIET_MAX_MS; i++)
        wait_ms *= 2;
    run->quiet_due_ms = now_ms + later_of(interval_ms, earlier_of(wait_ms, JR_QUIET_MAX_MS));
    run->quiet_asks++;
    return true;
}

/* Rule 4: does the list show a later conclusion than the one that closed the attempt? */
static bool is_replaced(const struct jr_run *run, const struct jr_event *seen)
{
    return is_closed_by_conclusion(run) && seen->conclusion != run->conclusion
           && seen->updated_ms > run->updated_ms;
}

bool jr_decide_listed(const struct jr_settings *settings, const struct jr_event *seen,
                      struct jr_run *run, int64_t now_ms, struct jr_verdict *verdict)
{
    uint32_t seen_attempt = seen->attempt != 0 ? seen->attempt : run->attempt;

    memset(verdict, 0, sizeof *verdict);
    if (seen->status != JR_STATUS_COMPLETED || seen_attempt < run->attempt
        || (seen_attempt == run->attempt && (run->complete || run->phase != JR_PHASE_OPEN)
            && !is_replaced(run, seen)))
        return false;
    if (!run->known) {
        run->known = true;
        run->base_attempt = 1;
        run->first_event_ms = run->last_event_ms = now_ms;
        open_attempt(run, seen_attempt != 0 ? seen_attempt : 1);
    }
    run->numbered |= seen->attempt != 0;
    jr_decide_learn(settings, seen, run);
    if (seen_attempt > run->attempt)
        leave_attempt(run, seen_attempt, false, &verdict->ended_attempt, &verdict->ended_reason);
    learn(run->triggering_actor, sizeof run->triggering_actor, seen->triggering_actor);
    verdict->attempt = run->attempt;
    complete_run(run, seen);
    if (!is_suspect_conclusion(settings, run, run->conclusion))
        verdict_closed(verdict, run, undeserving(run));
    else if (is_missed(settings, seen, now_ms))
        verdict_closed(verdict, run, JR_REASON_MISSED);
    else
        suspect(settings, run, JR_REASON_FOUND_FAILED, now_ms);
    if (run->phase == JR_PHASE_DUE)
        verdict_is(verdict, JR_STEP_WAIT, JR_REASON_FOUND_FAILED);
    else
        verdict_is(verdict, JR_STEP_NONE, run->reason);
    watch(settings, run, now_ms);
    return true;
}

enum jr_reason jr_decide_by_hand(const struct jr_settings *settings, const char *repo,
                                 struct jr_run *run, int64_t now_ms)
{
    if (run->known && run->accepted_attempt >= run->attempt)
        return JR_REASON_RERUN_ACCEPTED;
    if (run->attempt > JR_RERUNS_LIMIT)
        return JR_REASON_RERUNS_LIMIT;
    if (!run->known) {
        run->known = true;
        run->base_attempt = 1;
        run->first_event_ms = now_ms;
        jr_text_copy(run->repo, sizeof run->repo, repo);
        open_attempt(run, 1);
    }
    run->last_event_ms = later_of(now_ms, run->last_event_ms);
    run->by_hand = true;
    run->phase = JR_PHASE_DUE;
    run->reason = JR_REASON_BY_HAND;
    put_in_outbox(run, not_too_soon(settings, run, now_ms, now_ms), now_ms);
    run->tries = 0;
    watch(settings, run, now_ms);
    return JR_REASON_NONE;
}

void jr_decide_unseen(const struct jr_settings *settings, const struct jr_newer *newer,
                      struct jr_run *run, int64_t claimed_due_ms, struct jr_verdict *verdict)
{
    enum jr_reason filter = filter_known_run(settings, run);

    memset(verdict, 0, sizeof *verdict);
    verdict->attempt = run->attempt;
    if (run->due_ms != claimed_due_ms) {
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
        return;
    }
    if (filter == JR_REASON_NONE)
        filter = is_superseded(settings, run, newer) ? JR_REASON_SUPERSEDED
                                                     : JR_REASON_DRY_RUN_UNVERIFIED;
    if (filter == JR_REASON_SUPERSEDED)
        run->superseded_by = newer->run_id;
    verdict_closed(verdict, run, filter);
}

/* GitHub has accepted the rerun of an attempt: rule 6 holds for it from now on. */
static void accept_rerun(struct jr_run *run, uint32_t attempt)
{
    run->accepted_attempt = attempt;
    run->reruns++;
    if (run->attempt == attempt) {
        open_attempt(run, attempt + 1);
        run->reason = JR_REASON_RERUN_ACCEPTED;
    }
    run->numbered = true;
}

/* The answer to a POST comes after the newer attempt has shown itself. */
static void outcome_after_newer(struct jr_run *run, uint32_t attempt, const struct jr_call *call,
                                struct jr_verdict *verdict)
{
    if (run->accepted_attempt != attempt) {
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
        return;
    }
    verdict->ended_attempt = attempt;
    if (call->outcome == JR_OUTCOME_UNKNOWN) {
        run->reruns++;
        verdict->ended_reason = JR_REASON_RERUN_WORKED;
    } else {
        /* Refused: somebody else was quicker. */
        run->accepted_attempt = attempt - 1;
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
static bool may_pass(const struct jr_settings *settings, struct jr_run *run,
                     const struct jr_call *call, int64_t now_ms)
{
    if (run->by_hand || jr_reason_class(call->reason) != JR_CLASS_DENIAL)
        return false;
    if (run->denied_ms == 0 || run->denied_ms > now_ms)
        run->denied_ms = now_ms;
    return now_ms - later_of(run->denied_ms, earlier_of(run->last_event_ms, now_ms))
           < settings->patience_ms;
}

void jr_decide_outcome(const struct jr_settings *settings, struct jr_run *run,
                       uint32_t attempt, bool posted, const struct jr_call *call,
                       int64_t claimed_due_ms, int64_t now_ms, struct jr_verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    verdict->attempt = attempt;
    if (posted && call->outcome == JR_OUTCOME_DONE) {
        verdict->ended_attempt = attempt;
        verdict->ended_reason = call->reason;
        verdict_is(verdict, JR_STEP_NONE, call->reason);
        accept_rerun(run, attempt);
        watch(settings, run, now_ms);
        return;
    }
    if (posted && run->attempt > attempt) {
        outcome_after_newer(run, attempt, call, verdict);
        return;
    }
    /* A refusal is an outcome: the POST did not take effect. One that was cut off may do so
     * from now on, however long ago it was begun. */
    if (posted && run->attempt == attempt)
        run->intent_ms = call->outcome == JR_OUTCOME_UNKNOWN ? now_ms : 0;
    if (run->attempt != attempt || run->phase == JR_PHASE_CLOSED) {
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
        return;
    }
    if (run->due_ms != claimed_due_ms) {
        if (run->phase == JR_PHASE_DUE)
            run->due_ms = not_too_soon(settings, run, run->due_ms, now_ms);
        verdict_is(verdict, JR_STEP_NONE, JR_REASON_CHANGED_MEANWHILE);
    } else if (posted && call->try_all && !run->rerun_all && run->jobs_known == 0) {
        /* Perhaps it has no jobs that could have failed. */
        run->rerun_all = true;
        wait_more(settings, run, verdict, call->reason, now_ms);
    } else if (call->outcome == JR_OUTCOME_NEVER && !may_pass(settings, run, call, now_ms)) {
        verdict_closed(verdict, run, call->reason);
    } else if (run->phase == JR_PHASE_DUE) {
        wait_more(settings, run, verdict, call->reason, now_ms);
    } else {
        verdict_is(verdict, JR_STEP_WAIT, call->reason);
    }
    watch(settings, run, now_ms);
}
