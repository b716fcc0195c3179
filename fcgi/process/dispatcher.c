/*
 * dispatcher -- the process that asks GitHub about due runs and reruns them.
 *
 * One entry at a time, each call with a limit, so that no run holds up the
 * others. Between entries it sleeps until the next is due or a worker wakes it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/dispatcher.h"
#include "fcgi/process/calls.h"
#include "fcgi/process/workflows.h"
#include "lib/base/log.h"
#include "lib/base/say.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/service/confine.h"
#include "lib/service/lock.h"
#include "lib/service/process.h"
#include "lib/service/wake.h"
#include "lib/store/days.h"
#include "lib/store/delivery.h"
#include "lib/store/flaky.h"
#include "lib/store/ledger.h"
#include "lib/work/batch.h"
#include "lib/work/control.h"
#include "lib/work/reconcile.h"
#include "lib/work/rerun.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often a dispatcher that is not needed looks whether it is by now. */
#define LOCK_WAIT_MS 500

/* After a failure of the store. */
#define STORE_WAIT_MS JR_SECOND_MS

/* It shows that often, at least, that it has not hung (master.c). */
#define BEAT_MS (2 * JR_SECOND_MS)

#define UPKEEP_INTERVAL_MS JR_MINUTE_MS
/* Upkeep that has more to do goes on after this. */
#define UPKEEP_MORE_MS 100
#define PRUNE_RUNS 16
#define PRUNE_DELIVERIES 200
#define PRUNE_TIGHT_DELIVERIES 20
/* Runs that are looked at for one that may go. */
#define SQUEEZE_LOOKS 500
#define PRUNE_FLAKY 200
#define PRUNE_REPOS 200
/* Rule 9: from here on, in hundredths of the map, the oldest history goes early; and when no
 * more is left than the copies of the pages may take that one batch of events changes. */
#define MAP_FILLING 90
#define MAP_LEAST_FREE_BYTES (256 * 1024)

/* Things done by hand that are told in the log at once. */
#define NEWS_MOST 16

/* No time: nothing is to be done by itself. */
#define NEVER INT64_MAX

struct dispatcher {
    struct jr_settings *settings;
    struct jr_runtime *runtime; /* NULL for plain CGI */
    struct jr_told *told;       /* what we tell in it; NULL without it */
    struct jr_process *process; /* our block of that, once the lock is ours; NULL without it */
    struct jr_store *store;
    struct jr_calls calls;
    struct jr_workflows workflows;
    int lock_fd, wake_fd;
    int64_t upkeep_due_ms; /* monotonic */
    struct jr_sweep sweep; /* the one in progress */
    int64_t sweep_due_ms;  /* monotonic */
    bool sweep_first;      /* whose turn it is, the sweep's or the quiet runs' */
    struct jr_look look;
    struct jr_event *listed; /* a page of runs; owned */
    struct jr_prune prune;
    struct jr_flaky_walk flaky_walk;
    struct jr_repo_place repo_place;
    struct jr_pauses pauses; /* what was paused when that was last looked at */
    int64_t paused_ms;       /* since when all of it is; 0: it is not */
    struct jr_rerun_walk walk; /* past what they hold up */
    bool filling;            /* the map is */
    uint64_t used_bytes;     /* of the map */
    int64_t unsure_ms;       /* when a POST begun before may have been cut off */
    bool failing;            /* the last commit failed */
    bool broken;             /* the store can no longer be used */
};

/* Whoever has the lock, the master wants to see that its own dispatcher goes on. */
static void beat(const struct dispatcher *dispatcher)
{
    if (dispatcher->told != NULL)
        jr_process_note_beat(&dispatcher->told->process, jr_monotonic_ms());
}

/* Sleep for a time or less, until woken or told to stop. */
static void rest(const struct dispatcher *dispatcher, int64_t wait_ms)
{
    struct pollfd wake = { .fd = dispatcher->wake_fd, .events = POLLIN };
    struct timespec limit;

    beat(dispatcher);
    if (wait_ms <= 0 || jr_process_stopping())
        return;
    if (wait_ms > BEAT_MS)
        wait_ms = BEAT_MS;
    limit.tv_sec = wait_ms / 1000;
    limit.tv_nsec = wait_ms % 1000 * 1000000;
    if (ppoll(&wake, dispatcher->wake_fd >= 0, &limit, jr_process_wait_mask()) > 0)
        jr_wake_drain(dispatcher->wake_fd);
    beat(dispatcher);
}

/* Sleep for the whole time, whoever wakes; ends early only to stop. */
static void pause_for(const struct dispatcher *dispatcher, int64_t wait_ms)
{
    int64_t end_ms = jr_monotonic_ms() + wait_ms;
    struct dispatcher deaf = { .told = dispatcher->told, .wake_fd = -1 };

    for (int64_t left_ms = wait_ms; left_ms > 0 && !jr_process_stopping();
         left_ms = end_ms - jr_monotonic_ms())
        rest(&deaf, left_ms);
}

static void store_failed(struct dispatcher *dispatcher, enum jr_err err,
                         const struct jr_error *error)
{
    /* Somebody made the service forget a run that was at work. */
    if (err == JR_ENOENT) {
        jr_log(JR_LOG_INFO, "forgotten", "%s", error->text);
        return;
    }
    jr_process_note_commit(dispatcher->process, false);
    jr_log(JR_LOG_ERROR, "store-failed", "%s", error->text);
    dispatcher->broken = err == JR_EFATAL;
    dispatcher->failing = true;
    dispatcher->unsure_ms = jr_now_ms();
}

/* Look at what is paused by now; notes it for /healthz. False: all work has to wait. */
static bool look_at_pauses(struct dispatcher *dispatcher)
{
    int64_t now_ms = jr_now_ms();
    struct jr_error error;
    struct jr_pauses pauses;
    const struct jr_pause *whole;
    enum jr_err err = jr_control_pauses(dispatcher->store, now_ms, &pauses, &error);

    if (err == JR_OK && pauses.over > 0)
        err = jr_control_end_pauses(dispatcher->store, now_ms, &error);
    if (err != JR_OK) {
        store_failed(dispatcher, err, &error);
        return false;
    }
    if (!jr_pauses_equal(&pauses, &dispatcher->pauses))
        memset(&dispatcher->walk, 0, sizeof dispatcher->walk);
    dispatcher->pauses = pauses;
    whole = jr_pauses_whole(&dispatcher->pauses);
    dispatcher->paused_ms = whole == NULL ? 0 : whole->since_ms;
    if (dispatcher->told != NULL) {
        dispatcher->told->paused_ms = dispatcher->paused_ms;
        dispatcher->told->repo_pauses = (int64_t)jr_pauses_partial(&dispatcher->pauses);
    }
    return whole == NULL;
}

/* Is the work on a run paused by now? */
static bool is_paused(struct dispatcher *dispatcher, const struct jr_run *run)
{
    return !look_at_pauses(dispatcher) || jr_pauses_find(&dispatcher->pauses, run->repo) != NULL;
}

/* How long runs of a repository wait for the end of a pause (jr_share_wait). */
static int64_t pause_wait_ms(void *context, const char *repo)
{
    const struct dispatcher *dispatcher = context;

    return jr_pauses_find(&dispatcher->pauses, repo) == NULL ? 0 : JR_SHARE_NONE;
}

/* How long a repository may not be looked at for missed work (jr_share_wait). */
static int64_t look_wait_ms(void *context, const char *repo)
{
    struct dispatcher *dispatcher = context;
    int64_t wait_ms = pause_wait_ms(dispatcher, repo);

    return wait_ms != 0 ? wait_ms : jr_calls_share_wait_ms(&dispatcher->calls, repo);
}

static void log_pause(struct jr_line *line, const struct jr_act *act)
{
    char until[JR_TIMESTAMP_SIZE];

    jr_line_begin(line, JR_LOG_INFO, act->kind == JR_ACT_PAUSE ? "paused" : "resumed");
    jr_line_text(line, "repos", act->pause.pattern);
    jr_line_text(line, "by", act->who);
    if (act->kind == JR_ACT_PAUSE && act->pause.until_ms != 0)
        jr_line_text(line, "until", jr_timestamp_format(act->pause.until_ms, until));
    jr_line_text(line, "text", act->kind == JR_ACT_PAUSE ? act->pause.why
                               : act->who[0] == '\0'    ? "its time is over"
                                                        : "");
}

/* What administrators did by hand stands in the log, with their names. */
static void tell_acts(struct dispatcher *dispatcher)
{
    struct jr_act acts[NEWS_MOST];
    struct jr_error error;
    struct jr_line line;
    size_t count;
    enum jr_err err = jr_control_news(dispatcher->store, acts, NEWS_MOST, &count, &error);

    if (err != JR_OK) {
        store_failed(dispatcher, err, &error);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (acts[i].kind == JR_ACT_PAUSE || acts[i].kind == JR_ACT_RESUME) {
            log_pause(&line, &acts[i]);
        } else {
            jr_line_begin(&line, JR_LOG_INFO,
                          acts[i].kind == JR_ACT_RERUN ? "rerun-asked" : "forgotten");
            jr_line_text(&line, "repo", acts[i].repo);
            jr_line_number(&line, "run", acts[i].run_id);
            jr_line_text(&line, "by", acts[i].who);
        }
        jr_line_write(&line);
    }
}

static void log_run(struct jr_line *line, enum jr_log_level level, const char *event,
                    const struct jr_run *run, uint32_t attempt)
{
    jr_line_begin(line, level, event);
    jr_line_text(line, "repo", run->repo);
    jr_line_number(line, "run", run->run_id);
    jr_line_number(line, "attempt", attempt);
}

static const char *verdict_name(const struct jr_verdict *verdict)
{
    switch (verdict->step) {
    case JR_STEP_WAIT:
        return "wait";
    case JR_STEP_RERUN_FAILED:
    case JR_STEP_RERUN_ALL:
        return "rerun";
    case JR_STEP_NONE:
    case JR_STEP_ASK:
        break;
    }
    if (verdict->reason == JR_REASON_DRY_RUN || verdict->reason == JR_REASON_DRY_RUN_UNVERIFIED)
        return "dry-run";
    return verdict->reason == JR_REASON_CHANGED_MEANWHILE ? "overtaken" : "closed";
}

/* That a run waits, unasked, for whoever shuts us out is no news the second time. */
static bool is_repeated(const struct jr_run *run, const struct jr_call *call)
{
    return call != NULL && strcmp(call->what, JR_CALLS_UNASKED) == 0 && run->tries > 1;
}

/* call: NULL when GitHub was not asked; duration_us: of what led to the decision */
static void log_decision(const struct jr_run *run, const struct jr_verdict *verdict,
                         const struct jr_call *call, int64_t duration_us)
{
    struct jr_line line;
    char due[JR_TIMESTAMP_SIZE];

    log_run(&line, is_repeated(run, call) ? JR_LOG_DEBUG : JR_LOG_INFO, "decision", run,
            verdict->attempt);
    jr_line_text(&line, "verdict", verdict_name(verdict));
    jr_line_text(&line, "reason", jr_reason_token(verdict->reason));
    if (run->complete)
        jr_line_text(&line, "conclusion", jr_conclusion_name(run->conclusion));
    if (verdict->reason == JR_REASON_SUPERSEDED)
        jr_line_number(&line, "newer", run->superseded_by);
    if (run->due_ms != 0 && verdict->step != JR_STEP_RERUN_FAILED
        && verdict->step != JR_STEP_RERUN_ALL)
        jr_line_text(&line, "due", jr_timestamp_format(run->due_ms, due));
    if (call != NULL) {
        jr_line_number(&line, "github", (uint64_t)call->status);
        jr_line_text(&line, "text", call->text);
    } else {
        jr_line_text(&line, "text", jr_reason_words(verdict->reason));
    }
    jr_line_ms(&line, "ms", duration_us);
    jr_line_write(&line);
}

static void log_outcome(const struct jr_run *run, const struct jr_verdict *verdict,
                        const struct jr_call *call)
{
    struct jr_line line;
    char due[JR_TIMESTAMP_SIZE];

    log_run(&line,
            call->outcome == JR_OUTCOME_DONE || call->reason == JR_REASON_SHUT_OUT ? JR_LOG_INFO
                                                                                   : JR_LOG_WARN,
            "rerun", run, verdict->attempt);
    jr_line_text(&line, "call", call->what);
    jr_line_text(&line, "reason",
                 jr_reason_token(verdict->ended_attempt != 0 ? verdict->ended_reason
                                                             : call->reason));
    if (run->due_ms != 0)
        jr_line_text(&line, "due", jr_timestamp_format(run->due_ms, due));
    jr_line_number(&line, "github", (uint64_t)call->status);
    jr_line_text(&line, "text", call->text);
    jr_line_ms(&line, "ms", call->duration_us);
    jr_line_write(&line);
}

static struct jr_counters *counters_of(const struct dispatcher *dispatcher)
{
    return dispatcher->process == NULL ? NULL : &dispatcher->process->counters;
}

/* Count what has been recorded about a run. */
static void count_verdict(const struct dispatcher *dispatcher, const struct jr_verdict *verdict)
{
    struct jr_counters *counters = counters_of(dispatcher);

    jr_count_verdict(counters, verdict->reason);
    if (counters != NULL && verdict->rescued)
        jr_count(&counters->rescued_runs);
}

/* GitHub asks for a pause between two writes; the last one may have been another process's. */
static void keep_write_interval(struct dispatcher *dispatcher)
{
    int64_t last_post_ms, wait_ms, interval_ms = dispatcher->settings->api_write_interval_ms;
    struct jr_error error;

    if (jr_rerun_last_post(dispatcher->store, &last_post_ms, &error) != JR_OK)
        return;
    wait_ms = last_post_ms + interval_ms - jr_now_ms();
    pause_for(dispatcher, wait_ms < interval_ms ? wait_ms : interval_ms);
}

/* The POST, of which the intent is on disk, and what came of it. */
static void rerun(struct dispatcher *dispatcher, struct jr_run *run,
                  const struct jr_verdict *decided)
{
    struct jr_call call;
    struct jr_verdict verdict;
    struct jr_error error;
    enum jr_err err;

    beat(dispatcher);
    jr_test_point("before-post");
    jr_calls_rerun(&dispatcher->calls, run, decided->step == JR_STEP_RERUN_ALL, &call);
    jr_test_point("after-post");
    err = jr_rerun_outcome(dispatcher->store, dispatcher->settings, decided->attempt, true, &call,
                           run, jr_now_ms(), &verdict, &error);
    if (err != JR_OK)
        store_failed(dispatcher, err, &error);
    else
        log_outcome(run, &verdict, &call);
    jr_test_point("recorded");
}

/*
 * Ask what a workflow is called: the workflow, and if that is not shown (it may be deleted,
 * or another repository's), a job of the run. DONE: name has it. NEVER: GitHub does not
 * tell; the run itself may be shown all the same.
 */
static void get_name(struct dispatcher *dispatcher, const struct jr_run *run,
                     uint64_t workflow_id, char name[JR_NAME_SIZE], struct jr_call *call)
{
    int64_t now_ms = jr_monotonic_ms();
    const char *known = jr_workflows_find(&dispatcher->workflows, workflow_id, now_ms);

    if (known != NULL) {
        jr_text_copy(name, JR_NAME_SIZE, known);
        *call = (struct jr_call){ .what = "GET workflow", .outcome = JR_OUTCOME_DONE };
        return;
    }
    jr_calls_get_workflow(&dispatcher->calls, run->repo, workflow_id, name, call);
    if (call->outcome == JR_OUTCOME_NEVER)
        jr_calls_get_job_workflow(&dispatcher->calls, run, name, call);
    if (call->outcome == JR_OUTCOME_DONE)
        jr_workflows_put(&dispatcher->workflows, workflow_id, name, now_ms);
}

/*
 * GET the run. Where a filter waits for the name of its workflow, that is asked for first:
 * what is known of the run before a POST is then as new as it can be.
 */
static void get_run(struct dispatcher *dispatcher, const struct jr_run *run,
                    struct jr_event *seen, struct jr_call *call)
{
    const struct jr_settings *settings = dispatcher->settings;
    bool wants = jr_rerun_wants_workflow(settings, run, NULL);
    uint64_t workflow_id = run->workflow_id;
    struct jr_call naming = { .what = "GET workflow", .outcome = JR_OUTCOME_DONE };
    char name[JR_NAME_SIZE] = "";

    /* A run that nothing has told the workflow of has to be seen first, and then once more. */
    for (int round = 0; round < 2; round++) {
        if (wants && workflow_id != 0)
            get_name(dispatcher, run, workflow_id, name, &naming);
        if (naming.outcome == JR_OUTCOME_LATER) {
            *call = naming;
            return;
        }
        jr_calls_get_run(&dispatcher->calls, run, seen, call);
        if (call->outcome != JR_OUTCOME_DONE)
            return;
        jr_text_copy(seen->workflow, sizeof seen->workflow, name);
        if (!jr_rerun_wants_workflow(settings, run, seen))
            return;
        if (seen->workflow_id == 0 || naming.outcome != JR_OUTCOME_DONE)
            break;
        wants = true;
        workflow_id = seen->workflow_id;
    }
    *call = naming;
    call->outcome = JR_OUTCOME_NEVER;
    call->reason = JR_REASON_WORKFLOW_UNKNOWN;
}

/* Ask GitHub about a run, decide, and rerun it if it is to be. */
static void ask_about(struct dispatcher *dispatcher, struct jr_run *run)
{
    const struct jr_settings *settings = dispatcher->settings;
    struct jr_event seen;
    struct jr_call call;
    struct jr_verdict verdict;
    struct jr_error error;
    enum jr_err err;

    keep_write_interval(dispatcher);
    if (jr_process_stopping() || is_paused(dispatcher, run))
        return;
    jr_test_point("before-get");
    get_run(dispatcher, run, &seen, &call);
    jr_test_point("after-get");
    if (jr_process_stopping() && call.status == 0)
        return; /* broken off by ourselves */
    if (is_paused(dispatcher, run))
        return;
    if (call.outcome == JR_OUTCOME_DONE)
        err = jr_rerun_seen(dispatcher->store, settings, &seen, &call, run, jr_now_ms(), &verdict,
                            &error);
    else
        err = jr_rerun_outcome(dispatcher->store, settings, run->attempt, false, &call, run,
                               jr_now_ms(), &verdict, &error);
    if (err == JR_EBUSY)
        return; /* paused meanwhile */
    if (err != JR_OK) {
        store_failed(dispatcher, err, &error);
        return;
    }
    jr_process_note_commit(dispatcher->process, true);
    log_decision(run, &verdict, &call, call.duration_us);
    count_verdict(dispatcher, &verdict);
    if (verdict.step == JR_STEP_RERUN_FAILED || verdict.step == JR_STEP_RERUN_ALL)
        rerun(dispatcher, run, &verdict);
}

static void ask(struct dispatcher *dispatcher, struct jr_run *run)
{
    jr_process_note_busy(dispatcher->process, jr_now_ms());
    ask_about(dispatcher, run);
    jr_process_note_busy(dispatcher->process, 0);
}

/* Without a token, the events alone have to do. */
static void decide_unseen(struct dispatcher *dispatcher, struct jr_run *run)
{
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t start_us = jr_monotonic_us();
    enum jr_err err = jr_rerun_unseen(dispatcher->store, dispatcher->settings, run, jr_now_ms(),
                                      &verdict, &error);

    if (err != JR_OK) {
        store_failed(dispatcher, err, &error);
        return;
    }
    log_decision(run, &verdict, NULL, jr_monotonic_us() - start_us);
    count_verdict(dispatcher, &verdict);
}

/*
 * Rule 6: a POST that was cut off, by the death of the one before or by a failing
 * store, is looked after no sooner than API_BACKOFF_MIN after that.
 */
static bool is_too_soon(const struct dispatcher *dispatcher, const struct jr_run *run)
{
    return run->intent_ms != 0 && run->intent_ms <= dispatcher->unsure_ms
           && jr_now_ms() - dispatcher->unsure_ms < dispatcher->settings->api_backoff_min_ms
           && jr_now_ms() >= dispatcher->unsure_ms;
}

/* An entry that is due later than this was made before the clock was set back. */
static int64_t longest_wait_ms(const struct jr_settings *settings)
{
    return (settings->rerun_delay_ms > settings->api_backoff_max_ms ? settings->rerun_delay_ms
                                                                    : settings->api_backoff_max_ms)
           + JR_SECOND_MS;
}

static void postpone(struct dispatcher *dispatcher, struct jr_run *run)
{
    struct jr_error error;
    enum jr_err err = jr_rerun_postpone(
        dispatcher->store, run, dispatcher->unsure_ms + dispatcher->settings->api_backoff_min_ms,
        &error);

    if (err != JR_OK)
        store_failed(dispatcher, err, &error);
}

/*
 * Find what is due first and not paused (jr_rerun_first).
 *   walk  in and out: see there; what holds up is set here
 */
static enum jr_err find_first(struct dispatcher *dispatcher, struct jr_rerun_walk *walk,
                              int64_t latest_ms, int64_t now_ms, int64_t *due_ms,
                              struct jr_run *run, struct jr_error *error)
{
    walk->wait = dispatcher->pauses.count > 0 ? pause_wait_ms : NULL;
    walk->context = dispatcher;
    return jr_rerun_first(dispatcher->store, latest_ms, now_ms, walk, due_ms, run, error);
}

/*
 * Work off what is due first. Returns how long until there is something to be
 * done: 0 when something was done, NEVER when the outbox is empty.
 */
static int64_t work_outbox(struct dispatcher *dispatcher)
{
    struct jr_run run;
    struct jr_error error;
    int64_t due_ms, wait_ms, now_ms = jr_now_ms();
    int64_t latest_ms = now_ms + longest_wait_ms(dispatcher->settings);
    enum jr_err err = find_first(dispatcher, &dispatcher->walk, latest_ms, now_ms, &due_ms, &run,
                                 &error);

    if (err == JR_EBUSY) /* all that was looked at is paused */
        return due_ms > now_ms ? due_ms - now_ms : 0;
    if (dispatcher->told != NULL)
        dispatcher->told->work_waits = err != JR_ENOENT;
    if (err == JR_ENOENT)
        return NEVER;
    if (err == JR_EFORMAT) {
        jr_log(JR_LOG_ERROR, "damaged", "%s; it is taken out of the outbox", error.text);
        err = jr_rerun_drop(dispatcher->store, due_ms, run.run_id, &error);
        if (err == JR_OK)
            return 0;
    }
    if (err != JR_OK) {
        store_failed(dispatcher, err, &error);
        return NEVER;
    }
    wait_ms = due_ms - jr_now_ms();
    if (wait_ms > 0 && due_ms <= latest_ms)
        return wait_ms;
    if (is_too_soon(dispatcher, &run)) {
        postpone(dispatcher, &run);
        return 0;
    }
    if (dispatcher->calls.http == NULL) {
        decide_unseen(dispatcher, &run);
        return 0;
    }
    wait_ms = jr_calls_wait_ms(&dispatcher->calls);
    if (wait_ms == 0)
        ask(dispatcher, &run);
    return wait_ms;
}

/* Ask about a run that has gone quiet, if there is one and a call to spare. */
static int64_t work_quiet(struct dispatcher *dispatcher)
{
    struct jr_run run;
    struct jr_error error;
    int64_t due_ms;
    enum jr_err err = jr_rerun_quiet(dispatcher->store, dispatcher->settings, jr_now_ms(),
                                     look_wait_ms, dispatcher, &run, &due_ms, &error);

    if (err == JR_OK) {
        ask(dispatcher, &run);
        jr_calls_share_take(&dispatcher->calls, run.repo);
        return 0;
    }
    if (err == JR_EFORMAT) {
        jr_log(JR_LOG_ERROR, "damaged", "%s; it is watched no longer", error.text);
        return 0;
    }
    if (err != JR_ENOENT) {
        store_failed(dispatcher, err, &error);
        return NEVER;
    }
    if (due_ms == 0)
        return NEVER;
    due_ms -= jr_now_ms();
    return due_ms > 0 ? due_ms : 0;
}

/* What a list has shown of a run, and what follows. */
static void tell_listed(const struct dispatcher *dispatcher, const struct jr_event *seen,
                        const struct jr_verdict *verdict, const struct jr_call *call)
{
    struct jr_line line;

    if (verdict->reason == JR_REASON_NONE)
        return;
    jr_line_begin(&line, JR_LOG_INFO, "decision");
    jr_line_text(&line, "repo", seen->repo);
    jr_line_number(&line, "run", seen->run_id);
    jr_line_number(&line, "attempt", verdict->attempt);
    jr_line_text(&line, "verdict", verdict_name(verdict));
    jr_line_text(&line, "reason", jr_reason_token(verdict->reason));
    jr_line_text(&line, "conclusion", jr_conclusion_name(seen->conclusion));
    jr_line_number(&line, "github", (uint64_t)call->status);
    jr_line_text(&line, "text", jr_reason_words(verdict->reason));
    jr_line_ms(&line, "ms", call->duration_us);
    jr_line_write(&line);
    count_verdict(dispatcher, verdict);
}

/* A list cannot be read: not now, or GitHub does not show it, which is told once. */
static void look_failed(struct dispatcher *dispatcher, const struct jr_call *call)
{
    struct jr_look *look = &dispatcher->look;
    struct jr_error error;
    bool news;
    enum jr_err err;

    look->active = false;
    if (call->outcome != JR_OUTCOME_NEVER) {
        /* Who shuts us out is told by calls.c, once. */
        jr_log(call->reason == JR_REASON_SHUT_OUT ? JR_LOG_DEBUG : JR_LOG_WARN, "look-failed",
               "%s: %s (%d) %s", look->repo.name, jr_reason_token(call->reason), call->status,
               call->text);
        return;
    }
    err = jr_reconcile_gone(dispatcher->store, look, &news, &error);
    if (err != JR_OK)
        store_failed(dispatcher, err, &error);
    else
        jr_log(news ? JR_LOG_WARN : JR_LOG_DEBUG, "repository-gone", "%s: %s (%d) %s; it is looked "
               "at ever more rarely, until an event comes from it", look->repo.name,
               jr_reason_token(call->reason), call->status, call->text);
}

/* Read the next page of the look in progress. */
static void look_further(struct dispatcher *dispatcher)
{
    struct jr_look *look = &dispatcher->look;
    struct jr_verdict verdicts[JR_GITHUB_PAGE_RUNS];
    struct jr_call call;
    struct jr_error error;
    size_t count, shown;
    unsigned found, closed;
    enum jr_err err;

    jr_calls_list_runs(&dispatcher->calls, look->repo.name, &look->list, dispatcher->listed, &count,
                       &shown, &call);
    jr_calls_share_take(&dispatcher->calls, look->repo.name);
    if (call.outcome != JR_OUTCOME_DONE) {
        look_failed(dispatcher, &call);
        return;
    }
    err = jr_reconcile_page(dispatcher->store, dispatcher->settings, look, dispatcher->listed,
                            count, shown, jr_now_ms(), verdicts, &found, &closed, &error);
    for (size_t i = 0; i < count; i++)
        tell_listed(dispatcher, &dispatcher->listed[i], &verdicts[i], &call);
    if (err != JR_OK)
        store_failed(dispatcher, err, &error);
    else
        jr_log(found + closed > 0 ? JR_LOG_INFO : JR_LOG_DEBUG, "looked",
               "%s: %zu %s in a list, %u of them to be asked about, %u recorded and left alone",
               look->repo.name, shown, jr_say_plural(shown, "run", "runs"), found, closed);
}

/* Go on with the sweep through the repositories, or begin one when it is time. */
static int64_t work_sweep(struct dispatcher *dispatcher)
{
    int64_t now_ms = jr_now_ms(), wait_ms = dispatcher->sweep_due_ms - jr_monotonic_ms();
    int64_t held_ms;
    struct jr_error error;
    enum jr_err err = JR_OK;

    if (dispatcher->sweep.begun_ms == 0) {
        if (wait_ms > 0)
            return wait_ms;
        dispatcher->sweep = (struct jr_sweep){ .begun_ms = now_ms };
        if (dispatcher->told != NULL)
            dispatcher->told->sweep_begun_ms = now_ms;
        dispatcher->sweep_due_ms = jr_monotonic_ms() + dispatcher->settings->reconcile_interval_ms;
    }
    if (dispatcher->look.active && pause_wait_ms(dispatcher, dispatcher->look.repo.name) != 0)
        dispatcher->look.active = false;
    if (dispatcher->look.active) {
        look_further(dispatcher);
        return 0;
    }
    err = jr_reconcile_begin(dispatcher->store, dispatcher->settings, &dispatcher->sweep, now_ms,
                             look_wait_ms, dispatcher, &dispatcher->look, &held_ms, &error);
    if (err == JR_ENOENT) {
        wait_ms = dispatcher->sweep_due_ms - jr_monotonic_ms();
        /* Those that have to wait do not keep the next sweep from looking at the others. */
        if (held_ms > 0 && wait_ms > 0)
            return held_ms < wait_ms ? held_ms : wait_ms;
        dispatcher->sweep.begun_ms = 0;
        if (dispatcher->told != NULL)
            dispatcher->told->sweep_ended_ms = now_ms;
        return wait_ms > 0 ? wait_ms : 0;
    }
    if (err != JR_OK)
        store_failed(dispatcher, err, &error);
    return 0;
}

/* Rule 8: look for missed work, within its share of the calls. */
static int64_t work_reconcile(struct dispatcher *dispatcher)
{
    int64_t (*const works[])(struct dispatcher *) = { work_quiet, work_sweep };
    int64_t wait_ms, other_ms;

    if (dispatcher->calls.http == NULL || dispatcher->settings->reconcile_interval_ms == 0)
        return NEVER;
    wait_ms = jr_calls_wait_ms(&dispatcher->calls);
    if (wait_ms > 0)
        return wait_ms;
    wait_ms = jr_calls_share_wait_ms(&dispatcher->calls, "");
    if (wait_ms > 0)
        return wait_ms;
    /* In turn, so that neither uses up all of the share. */
    dispatcher->sweep_first = !dispatcher->sweep_first;
    wait_ms = works[dispatcher->sweep_first](dispatcher);
    if (wait_ms == 0)
        return 0;
    other_ms = works[!dispatcher->sweep_first](dispatcher);
    return wait_ms < other_ms ? wait_ms : other_ms;
}

/* See how full the map is, and show it. Returns whether it fills up. */
static bool measure(struct dispatcher *dispatcher)
{
    struct jr_error error;
    uint64_t used_bytes, map_bytes;

    if (jr_store_usage(dispatcher->store, &used_bytes, &map_bytes, &error) != JR_OK) {
        jr_log(JR_LOG_WARN, "upkeep", "%s", error.text);
        return false;
    }
    dispatcher->used_bytes = used_bytes;
    if (dispatcher->told != NULL) {
        dispatcher->told->map_used_bytes = (int64_t)used_bytes;
        dispatcher->told->map_size_bytes = (int64_t)map_bytes;
    }
    return used_bytes / (map_bytes / 100 + 1) >= MAP_FILLING
           || used_bytes + MAP_LEAST_FREE_BYTES > map_bytes;
}

/*
 * While the map fills up, ids of deliveries go when they take most of it (whoever has one
 * signed webhook can send it again under any number of ids), or when there is no closed
 * history left to go. What is known of open runs stays.
 */
static unsigned forget_deliveries(const struct dispatcher *dispatcher, struct jr_txn *txn,
                                  bool no_history, unsigned most)
{
    if (!dispatcher->filling
        || !(no_history
             || jr_delivery_count(txn) * JR_DELIVERY_BYTES > dispatcher->used_bytes / 2))
        return 0;
    return jr_delivery_drop_oldest(txn, most);
}

/*
 * One transaction of rule 9.
 *   more   out: is there more to be done?
 */
static enum jr_err forget(struct dispatcher *dispatcher, int64_t now_ms, bool *more,
                          struct jr_error *error)
{
    int64_t before_ms = dispatcher->filling ? now_ms + JR_HOUR_MS
                                            : now_ms - dispatcher->settings->retention_ms;
    struct jr_prune prune = dispatcher->prune;
    struct jr_flaky_walk flaky_walk = dispatcher->flaky_walk;
    struct jr_repo_place repo_place = dispatcher->repo_place;
    unsigned runs, deliveries;
    struct jr_txn txn;
    enum jr_err err;

    jr_txn_begin(&txn, dispatcher->store, true);
    deliveries = jr_delivery_prune(&txn, now_ms, PRUNE_DELIVERIES);
    jr_repo_prune(&txn, now_ms - dispatcher->settings->retention_ms, PRUNE_REPOS, &repo_place);
    jr_batch_prune(&txn, now_ms);
    jr_flaky_prune(&txn, dispatcher->filling ? now_ms - JR_DAY_MS : before_ms, now_ms,
                   PRUNE_FLAKY, &flaky_walk);
    jr_days_prune(&txn, now_ms - dispatcher->settings->retention_ms, PRUNE_RUNS);
    runs = jr_ledger_prune(&txn, before_ms, dispatcher->filling, PRUNE_RUNS, &prune);
    deliveries += forget_deliveries(dispatcher, &txn, runs == 0 && prune.key_length == 0,
                                    PRUNE_DELIVERIES);
    if (runs == 0
        && (dispatcher->failing
            || (dispatcher->runtime != NULL && jr_runtime_commits_fail(dispatcher->runtime))))
        jr_txn_probe(&txn);
    jr_test_point("in-upkeep");
    err = jr_txn_commit(&txn);
    if (err != JR_OK) {
        *error = txn.error;
        return err;
    }
    dispatcher->prune = prune;
    dispatcher->flaky_walk = flaky_walk;
    dispatcher->repo_place = repo_place;
    *more = deliveries >= PRUNE_TIGHT_DELIVERIES || prune.key_length != 0;
    if (runs > 0 || deliveries > 0)
        jr_log(JR_LOG_DEBUG, "upkeep", "forgot %u %s and %u %s", runs,
               jr_say_plural(runs, "run", "runs"), deliveries,
               jr_say_plural(deliveries, "delivery", "deliveries"));
    return JR_OK;
}

/*
 * The same where the map has no room for that: in many small transactions. Ids of deliveries
 * come first if they take most of the map, and where no closed run is left to go.
 */
static enum jr_err squeeze(struct dispatcher *dispatcher, int64_t now_ms, bool *more,
                           struct jr_error *error)
{
    /* It may be the disk that is full, and not the map. */
    int64_t before_ms = dispatcher->filling ? now_ms + JR_HOUR_MS
                                            : now_ms - dispatcher->settings->retention_ms;
    bool removed = true;
    unsigned deliveries, runs = 0;
    struct jr_txn txn;
    enum jr_err err = JR_OK;

    while (err == JR_OK && removed && runs++ < PRUNE_RUNS)
        err = jr_ledger_squeeze(dispatcher->store, before_ms, SQUEEZE_LOOKS, &dispatcher->prune,
                                &removed, error);
    if (err != JR_OK && err != JR_EFULL)
        return err;
    jr_txn_begin(&txn, dispatcher->store, true);
    deliveries = forget_deliveries(dispatcher, &txn, err != JR_OK || !removed,
                                   PRUNE_TIGHT_DELIVERIES);
    if (deliveries == 0 && runs <= 1)
        jr_txn_probe(&txn);
    *more = deliveries > 0 || runs > 1;
    err = jr_txn_commit(&txn);
    if (err != JR_OK)
        *error = txn.error;
    return err;
}

/*
 * Rule 9, a little at a time: forget what is past its RETENTION, and more than
 * that while the map fills up. The commit also shows, after a failed one,
 * whether there is room again.
 */
static void upkeep(struct dispatcher *dispatcher)
{
    int64_t now_ms = jr_now_ms();
    bool filling = measure(dispatcher), more = false;
    struct jr_error error;
    enum jr_err err;

    jr_store_clear_stale_readers(dispatcher->store);
    if (filling && !dispatcher->filling)
        jr_log(JR_LOG_WARN, "map-filling", "the map is nearly full: the oldest history goes before "
               "its time; raise MAP_SIZE or lower RETENTION");
    if (filling != dispatcher->filling)
        dispatcher->prune.key_length = 0;
    dispatcher->filling = filling;
    err = forget(dispatcher, now_ms, &more, &error);
    if (err == JR_EFULL)
        err = squeeze(dispatcher, now_ms, &more, &error);
    jr_process_note_commit(dispatcher->process, err == JR_OK);
    dispatcher->broken = err == JR_EFATAL;
    dispatcher->failing = err != JR_OK;
    if (err != JR_OK)
        jr_log(JR_LOG_ERROR, "store-failed", "%s", error.text);
    dispatcher->upkeep_due_ms = jr_monotonic_ms()
                                + (err != JR_OK ? STORE_WAIT_MS
                                   : more       ? UPKEEP_MORE_MS
                                                : UPKEEP_INTERVAL_MS);
}

/* Rule 9 and the like, once in a while. */
static int64_t work_upkeep(struct dispatcher *dispatcher)
{
    int64_t wait_ms = dispatcher->upkeep_due_ms - jr_monotonic_ms();

    if (wait_ms > 0)
        return wait_ms;
    upkeep(dispatcher);
    return 0;
}

/* Work until told to stop: what is due first, then what can wait, then sleep. */
static void dispatch(struct dispatcher *dispatcher)
{
    while (!jr_process_stopping() && !dispatcher->broken) {
        int64_t outbox_ms, reconcile_ms, upkeep_ms;

        beat(dispatcher);
        jr_calls_tend(&dispatcher->calls);
        /* While nothing can be recorded nothing is asked: only try whether there is room again. */
        if (dispatcher->failing
            || (dispatcher->runtime != NULL && jr_runtime_commits_fail(dispatcher->runtime))) {
            pause_for(dispatcher, STORE_WAIT_MS);
            if (!jr_process_stopping())
                upkeep(dispatcher);
            if (dispatcher->failing || jr_process_stopping())
                continue;
        }
        /* First, since it is short: behind a long outbox it would not come for hours. */
        upkeep_ms = work_upkeep(dispatcher);
        if (upkeep_ms == 0)
            continue;
        tell_acts(dispatcher);
        if (!look_at_pauses(dispatcher)) {
            outbox_ms = reconcile_ms = NEVER;
        } else {
            outbox_ms = work_outbox(dispatcher);
            if (outbox_ms == 0)
                continue;
            reconcile_ms = work_reconcile(dispatcher);
            if (reconcile_ms == 0)
                continue;
        }
        if (reconcile_ms < outbox_ms)
            outbox_ms = reconcile_ms;
        rest(dispatcher, outbox_ms < upkeep_ms ? outbox_ms : upkeep_ms);
    }
}

/* Work off what can be worked off by until_ms. */
static void dispatch_until(struct dispatcher *dispatcher, int64_t until_ms)
{
    tell_acts(dispatcher);
    while (!jr_process_stopping() && !dispatcher->broken && look_at_pauses(dispatcher)) {
        int64_t wait_ms = work_outbox(dispatcher);

        if (dispatcher->failing || jr_now_ms() > until_ms
            || (wait_ms > 0 && wait_ms > until_ms - jr_now_ms()))
            return;
        rest(dispatcher, wait_ms);
    }
}

/* Who looks why nothing happens finds what is paused since before the start. */
static void tell_pauses(struct dispatcher *dispatcher)
{
    struct jr_line line;

    (void)look_at_pauses(dispatcher);
    for (size_t i = 0; i < dispatcher->pauses.count; i++) {
        const struct jr_pause *pause = &dispatcher->pauses.items[i];
        struct jr_act act = { .at_ms = pause->since_ms, .kind = JR_ACT_PAUSE, .pause = *pause };

        memcpy(act.who, pause->who, sizeof act.who);
        log_pause(&line, &act);
        jr_line_write(&line);
    }
}

/* Open what working needs. The lock is held. */
static int begin(struct dispatcher *dispatcher)
{
    struct jr_settings *settings = dispatcher->settings;
    struct jr_error error;
    enum jr_err err;

    dispatcher->unsure_ms = jr_now_ms();
    err = jr_wake_listen(settings->state_dir, &dispatcher->wake_fd, &error);
    if (err == JR_OK)
        err = jr_store_open(&dispatcher->store, settings->state_dir, settings->map_size_bytes,
                            &error);
    if (err == JR_OK && dispatcher->told != NULL) {
        dispatcher->process = &dispatcher->told->process;
        jr_store_watch(dispatcher->store, &dispatcher->process->watch);
        jr_store_time(dispatcher->store, &dispatcher->process->counters.commit_us);
    }
    if (err == JR_OK)
        err = jr_calls_open(&dispatcher->calls, settings, dispatcher->store, dispatcher->told,
                            &error);
    dispatcher->listed = calloc(JR_GITHUB_PAGE_RUNS, sizeof *dispatcher->listed);
    if (err == JR_OK && dispatcher->listed == NULL)
        err = jr_error_set(&error, JR_ENOMEM, "out of memory");
    if (err != JR_OK) {
        jr_log(JR_LOG_ERROR, "dispatcher", "%s", error.text);
        return dispatcher->store == NULL ? JR_EXIT_STORE : JR_EXIT_FAILED;
    }
    if (dispatcher->told != NULL) {
        dispatcher->told->at_work_ms = jr_monotonic_ms();
        dispatcher->told->waits_ms = 0;
    }
    tell_pauses(dispatcher);
    jr_log(JR_LOG_DEBUG, "dispatcher", "at work");
    return JR_EXIT_OK;
}

static void end(struct dispatcher *dispatcher)
{
    free(dispatcher->listed);
    jr_calls_close(&dispatcher->calls);
    jr_store_close(dispatcher->store);
    if (dispatcher->wake_fd >= 0)
        close(dispatcher->wake_fd);
    if (dispatcher->lock_fd >= 0)
        close(dispatcher->lock_fd);
}

/* Get the lock, waiting for whoever holds it. False when it is time to stop. */
static enum jr_err wait_for_lock(struct dispatcher *dispatcher, struct jr_error *error)
{
    enum jr_err err = JR_EBUSY;
    bool told = false;

    while (!jr_process_stopping()) {
        err = jr_lock_take(dispatcher->settings->state_dir, &dispatcher->lock_fd, error);
        if (err != JR_EBUSY)
            break;
        if (!told)
            jr_log(JR_LOG_INFO, "dispatcher-waits",
                   "another dispatcher works on this STATE_DIR; this one takes over when it ends");
        told = true;
        /* Somebody is at work, if not we. */
        dispatcher->told->waits_ms = jr_monotonic_ms();
        pause_for(dispatcher, LOCK_WAIT_MS);
    }
    return err;
}

/*
 * Work, if the attempt to get the lock came out well. until_ms 0: until told to
 * stop. Returns the exit status.
 */
static int work_if_locked(struct dispatcher *dispatcher, enum jr_err locked,
                          const struct jr_error *error, int64_t until_ms)
{
    struct jr_error unconfined;
    int status;

    if (locked == JR_EBUSY)
        return JR_EXIT_OK;
    if (locked != JR_OK) {
        jr_log(JR_LOG_ERROR, "dispatcher", "%s", error->text);
        return JR_EXIT_FAILED;
    }
    status = begin(dispatcher);
    if (status != JR_EXIT_OK)
        return status;
    if (jr_confine(JR_CONFINE_DISPATCHER, &unconfined) != JR_OK)
        jr_log(JR_LOG_WARN, "not-confined", "%s", unconfined.text);
    if (until_ms == 0)
        dispatch(dispatcher);
    else
        dispatch_until(dispatcher, until_ms);
    return dispatcher->broken ? JR_EXIT_FAILED : JR_EXIT_OK;
}

int jr_dispatcher_main(struct jr_settings *settings, struct jr_runtime *runtime)
{
    struct dispatcher dispatcher = {
        .settings = settings,
        .runtime = runtime,
        .told = runtime->told,
        .lock_fd = -1,
        .wake_fd = -1,
    };
    struct jr_error error;
    enum jr_err locked = wait_for_lock(&dispatcher, &error);
    int status = work_if_locked(&dispatcher, locked, &error, 0);

    end(&dispatcher);
    return status;
}

/*
 * Let go of the lock, then look once more: who added an entry just before found
 * the lock held, and left the work to us.
 */
static bool is_left(struct dispatcher *dispatcher, int64_t until_ms)
{
    struct jr_rerun_walk walk = { .at = { .due_ms = 0 } };
    struct jr_run run;
    struct jr_error error;
    int64_t due_ms;
    enum jr_err err;

    close(dispatcher->lock_fd);
    dispatcher->lock_fd = -1;
    /* While calls or commits fail, nothing more comes of looking once more. */
    if (dispatcher->paused_ms != 0 || dispatcher->failing
        || (dispatcher->calls.http != NULL
            && jr_calls_wait_ms(&dispatcher->calls) > until_ms - jr_now_ms())
        || jr_now_ms() >= until_ms)
        return false;
    do
        err = find_first(dispatcher, &walk, INT64_MAX, until_ms, &due_ms, &run, &error);
    while (err == JR_EBUSY && due_ms <= until_ms);
    return err == JR_OK && due_ms <= until_ms
           && dispatcher->calls.throttle.stopped_until_ms <= until_ms;
}

static int work_off_once(struct jr_settings *settings, int64_t until_ms, bool *more)
{
    struct dispatcher dispatcher = {
        .settings = settings,
        .lock_fd = -1,
        .wake_fd = -1,
    };
    struct jr_error error;
    enum jr_err locked = jr_lock_take(settings->state_dir, &dispatcher.lock_fd, &error);
    int status = work_if_locked(&dispatcher, locked, &error, until_ms);

    *more = status == JR_EXIT_OK && locked == JR_OK && is_left(&dispatcher, until_ms);
    end(&dispatcher);
    return status;
}

int jr_dispatcher_work_off(struct jr_settings *settings, int64_t until_ms)
{
    bool more;
    int status;

    do
        status = work_off_once(settings, until_ms, &more);
    while (more && !jr_process_stopping());
    return status;
}
