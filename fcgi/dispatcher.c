/*
 * dispatcher -- the process that asks GitHub about due runs and reruns them.
 *
 * One entry at a time, each call with a limit, so that no run holds up the
 * others. Between entries it sleeps until the next is due or a worker wakes it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/dispatcher.h"
#include "fcgi/process.h"
#include "lib/github.h"
#include "lib/ledger.h"
#include "lib/delivery.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/rerun.h"
#include "lib/timestamp.h"
#include "lib/wake.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* How often a dispatcher that is not needed looks whether it is by now. */
#define LOCK_WAIT_MS 500

/* After a failure of the store. */
#define STORE_WAIT_MS JR_SECOND_MS

#define UPKEEP_INTERVAL_MS JR_MINUTE_MS
/* Upkeep that has more to do goes on after this. */
#define UPKEEP_MORE_MS 100
#define PRUNE_RUNS 16
#define PRUNE_DELIVERIES 200
/* Rule 9: from here on, in hundredths of the map, the oldest history goes early. */
#define MAP_FILLING 90

struct dispatcher {
    const struct jr_settings *settings;
    struct jr_runtime *runtime; /* NULL for plain CGI without a service */
    struct jr_store *store;
    struct jr_http *http; /* NULL without a token */
    int lock_fd, wake_fd;
    int64_t stop_calls_until_ms; /* a rate limit or a rejected token; 0: none */
    int64_t upkeep_due_ms;       /* monotonic */
    bool broken;                 /* the store can no longer be used */
};

/* Sleep for a time, or until woken or told to stop. */
static void rest(const struct dispatcher *dispatcher, int64_t wait_ms)
{
    struct pollfd wake = { .fd = dispatcher->wake_fd, .events = POLLIN };
    struct timespec limit;

    if (wait_ms <= 0 || jr_process_stopping)
        return;
    limit.tv_sec = wait_ms / 1000;
    limit.tv_nsec = wait_ms % 1000 * 1000000;
    if (ppoll(&wake, dispatcher->wake_fd >= 0, &limit, jr_process_wait_mask()) > 0)
        jr_wake_drain(dispatcher->wake_fd);
}

/* Sleep for the whole time, whoever wakes; ends early only to stop. */
static void pause_for(int64_t wait_ms)
{
    int64_t end_ms = jr_monotonic_ms() + wait_ms;
    struct dispatcher deaf = { .wake_fd = -1 };

    for (int64_t left_ms = wait_ms; left_ms > 0 && !jr_process_stopping;
         left_ms = end_ms - jr_monotonic_ms())
        rest(&deaf, left_ms);
}

static void store_failed(struct dispatcher *dispatcher, enum jr_err err, const struct jr_error *error)
{
    jr_runtime_note_commit(dispatcher->runtime, false, jr_now_ms());
    jr_log(JR_LOG_ERROR, "store-failed", "%s", error->text);
    if (err == JR_EFATAL) {
        dispatcher->broken = true;
        return;
    }
    jr_store_clear_stale_readers(dispatcher->store);
    pause_for(STORE_WAIT_MS);
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
        break;
    }
    if (verdict->reason == JR_REASON_DRY_RUN || verdict->reason == JR_REASON_DRY_RUN_UNVERIFIED)
        return "dry-run";
    return verdict->reason == JR_REASON_CHANGED_MEANWHILE ? "overtaken" : "closed";
}

static void log_decision(const struct jr_run *run, const struct jr_verdict *verdict,
                         const struct jr_call *call)
{
    struct jr_line line;
    char due[JR_TIMESTAMP_SIZE];

    log_run(&line, JR_LOG_INFO, "decision", run, verdict->attempt);
    jr_line_text(&line, "verdict", verdict_name(verdict));
    jr_line_text(&line, "reason", jr_reason_token(verdict->reason));
    if (run->complete)
        jr_line_text(&line, "conclusion", jr_conclusion_name(run->conclusion));
    if (run->due_ms != 0)
        jr_line_text(&line, "due", jr_timestamp_format(run->due_ms, due));
    if (call != NULL) {
        jr_line_number(&line, "github", (uint64_t)call->status);
        jr_line_text(&line, "text", call->text);
        jr_line_ms(&line, "ms", call->duration_us);
    } else {
        jr_line_text(&line, "text", jr_reason_words(verdict->reason));
    }
    jr_line_write(&line);
}

static void log_outcome(const struct jr_run *run, const struct jr_verdict *verdict,
                        const struct jr_call *call)
{
    struct jr_line line;
    char due[JR_TIMESTAMP_SIZE];

    log_run(&line, call->outcome == JR_OUTCOME_DONE ? JR_LOG_INFO : JR_LOG_WARN, "rerun", run,
            verdict->attempt);
    jr_line_text(&line, "call", call->what);
    jr_line_text(&line, "reason", jr_reason_token(call->reason));
    if (run->due_ms != 0)
        jr_line_text(&line, "due", jr_timestamp_format(run->due_ms, due));
    jr_line_number(&line, "github", (uint64_t)call->status);
    jr_line_text(&line, "text", call->text);
    jr_line_ms(&line, "ms", call->duration_us);
    jr_line_write(&line);
}

/* Rule 7: a rate limit or a rejected token stops all calls for a time. */
static void note_call(struct dispatcher *dispatcher, const struct jr_call *call)
{
    struct jr_runtime *runtime = dispatcher->runtime;
    int64_t now_ms = jr_now_ms(), wait_ms = call->wait_ms;

    if (!call->stops_all) {
        if (runtime != NULL && call->status != 0)
            runtime->token_rejected_ms = 0;
        return;
    }
    if (wait_ms == 0)
        wait_ms = dispatcher->settings->api_backoff_max_ms;
    dispatcher->stop_calls_until_ms = now_ms + wait_ms;
    jr_log(JR_LOG_ERROR, "calls-stopped", "%s; no call for %lld s", jr_reason_words(call->reason),
           (long long)(wait_ms / 1000));
    if (runtime == NULL)
        return;
    if (call->reason == JR_REASON_BAD_TOKEN)
        runtime->token_rejected_ms = now_ms;
    else
        runtime->rate_limited_until_ms = dispatcher->stop_calls_until_ms;
}

/* GitHub asks for a pause between two writes; the last one may have been another process's. */
static void keep_write_interval(struct dispatcher *dispatcher)
{
    int64_t last_post_ms, wait_ms, interval_ms = dispatcher->settings->api_write_interval_ms;
    struct jr_error error;

    if (jr_rerun_last_post(dispatcher->store, &last_post_ms, &error) != JR_OK)
        return;
    wait_ms = last_post_ms + interval_ms - jr_now_ms();
    pause_for(wait_ms < interval_ms ? wait_ms : interval_ms);
}

/* The POST, of which the intent is on disk, and what came of it. */
static void rerun(struct dispatcher *dispatcher, struct jr_run *run, const struct jr_verdict *decided)
{
    struct jr_call call;
    struct jr_verdict verdict;
    struct jr_error error;
    enum jr_err err;

    jr_github_rerun(dispatcher->http, dispatcher->settings->github_api_url, run->repo, run->run_id,
                    decided->step == JR_STEP_RERUN_ALL, jr_now_ms(), &call);
    note_call(dispatcher, &call);
    err = jr_rerun_outcome(dispatcher->store, dispatcher->settings, decided->attempt, true, &call,
                           run, jr_now_ms(), &verdict, &error);
    if (err != JR_OK)
        store_failed(dispatcher, err, &error);
    else
        log_outcome(run, &verdict, &call);
}

/* Ask GitHub about a run that is due, decide, and rerun it if it is to be. */
static void work(struct dispatcher *dispatcher, struct jr_run *run)
{
    const struct jr_settings *settings = dispatcher->settings;
    struct jr_event seen;
    struct jr_call call;
    struct jr_verdict verdict;
    struct jr_error error;
    enum jr_err err;
    uint32_t attempt = run->attempt;

    if (dispatcher->http == NULL) {
        err = jr_rerun_unseen(dispatcher->store, settings, run, jr_now_ms(), &verdict, &error);
        if (err != JR_OK)
            store_failed(dispatcher, err, &error);
        else
            log_decision(run, &verdict, NULL);
        return;
    }
    keep_write_interval(dispatcher);
    if (jr_process_stopping)
        return;
    jr_github_get_run(dispatcher->http, settings->github_api_url, run->repo, run->run_id,
                      jr_now_ms(), &seen, &call);
    if (jr_process_stopping && call.status == 0)
        return; /* broken off by ourselves */
    note_call(dispatcher, &call);
    if (call.outcome == JR_OUTCOME_DONE)
        err = jr_rerun_seen(dispatcher->store, settings, &seen, &call, run, jr_now_ms(), &verdict,
                            &error);
    else
        err = jr_rerun_outcome(dispatcher->store, settings, attempt, false, &call, run,
                               jr_now_ms(), &verdict, &error);
    if (err != JR_OK) {
        store_failed(dispatcher, err, &error);
        return;
    }
    jr_runtime_note_commit(dispatcher->runtime, true, jr_now_ms());
    log_decision(run, &verdict, &call);
    if (verdict.step == JR_STEP_RERUN_FAILED || verdict.step == JR_STEP_RERUN_ALL)
        rerun(dispatcher, run, &verdict);
}

/* How full the map is, in hundredths. */
static int64_t measure(struct dispatcher *dispatcher)
{
    struct jr_error error;
    uint64_t used_bytes, map_bytes;

    if (jr_store_usage(dispatcher->store, &used_bytes, &map_bytes, &error) != JR_OK) {
        jr_log(JR_LOG_WARN, "upkeep", "%s", error.text);
        return 0;
    }
    if (dispatcher->runtime != NULL) {
        dispatcher->runtime->map_used_bytes = (int64_t)used_bytes;
        dispatcher->runtime->map_size_bytes = (int64_t)map_bytes;
    }
    return (int64_t)(used_bytes / (map_bytes / 100 + 1));
}

/*
 * Rule 9, a little at a time: forget what is past its RETENTION, and more than
 * that while the map fills up. The commit also shows, after a failed one,
 * whether there is room again.
 */
static void upkeep(struct dispatcher *dispatcher)
{
    int64_t now_ms = jr_now_ms(), before_ms = now_ms - dispatcher->settings->retention_ms;
    bool filling = measure(dispatcher) >= MAP_FILLING;
    unsigned runs, deliveries;
    struct jr_txn txn;
    enum jr_err err;

    jr_store_clear_stale_readers(dispatcher->store);
    if (filling) {
        jr_log(JR_LOG_WARN, "map-filling", "the map is over %d %% full: the oldest history goes "
               "before its time; raise MAP_SIZE or lower RETENTION", MAP_FILLING);
        before_ms = now_ms - JR_HOUR_MS;
    }
    jr_txn_begin(&txn, dispatcher->store, true);
    deliveries = jr_delivery_prune(&txn, now_ms, PRUNE_DELIVERIES);
    runs = jr_ledger_prune(&txn, before_ms, filling, PRUNE_RUNS);
    if (dispatcher->runtime != NULL && jr_runtime_commits_fail(dispatcher->runtime))
        jr_txn_put(&txn, JR_TABLE_META, "probe", 5, "", 0);
    err = jr_txn_commit(&txn);
    jr_runtime_note_commit(dispatcher->runtime, err == JR_OK, now_ms);
    if (err == JR_EFATAL)
        dispatcher->broken = true;
    if (err != JR_OK)
        jr_log(JR_LOG_ERROR, "store-failed", "%s", txn.error.text);
    if (runs > 0 || deliveries > 0)
        jr_log(JR_LOG_DEBUG, "upkeep", "forgot %u runs and %u deliveries", runs, deliveries);
    dispatcher->upkeep_due_ms = jr_monotonic_ms()
                                + (err == JR_OK && (runs > 0 || deliveries == PRUNE_DELIVERIES)
                                       ? UPKEEP_MORE_MS
                                   : err == JR_OK ? UPKEEP_INTERVAL_MS
                                                  : 10 * STORE_WAIT_MS);
}

/* Until when nothing can be done about an entry, given the stop of all calls. */
static int64_t start_of_work(const struct dispatcher *dispatcher, int64_t due_ms)
{
    if (dispatcher->http != NULL && dispatcher->stop_calls_until_ms > due_ms)
        return dispatcher->stop_calls_until_ms;
    return due_ms;
}

/* Work off the outbox; until_ms 0: for ever. */
static void dispatch(struct dispatcher *dispatcher, int64_t until_ms)
{
    while (!jr_process_stopping && !dispatcher->broken) {
        struct jr_run run;
        struct jr_error error;
        int64_t due_ms = 0, start_ms = 0, wait_ms, upkeep_ms;
        enum jr_err err = jr_rerun_first(dispatcher->store, &due_ms, &run, &error);

        if (err != JR_OK && err != JR_ENOENT) {
            store_failed(dispatcher, err, &error);
            continue;
        }
        if (err == JR_OK)
            start_ms = start_of_work(dispatcher, due_ms);
        if (until_ms != 0 && (err == JR_ENOENT || start_ms > until_ms || jr_now_ms() > until_ms))
            return;
        wait_ms = start_ms - jr_now_ms();
        if (err == JR_OK && wait_ms <= 0) {
            work(dispatcher, &run);
            continue;
        }
        upkeep_ms = dispatcher->upkeep_due_ms - jr_monotonic_ms();
        if (until_ms == 0 && upkeep_ms <= 0)
            upkeep(dispatcher);
        else
            rest(dispatcher, err == JR_OK && (wait_ms < upkeep_ms || until_ms != 0) ? wait_ms
                                                                                   : upkeep_ms);
    }
}

/* Open what working needs. The lock is held. */
static int begin(struct dispatcher *dispatcher)
{
    const struct jr_settings *settings = dispatcher->settings;
    struct jr_error error;

    if (dispatcher->runtime != NULL)
        dispatcher->runtime->dispatcher_free_ms = 0;
    if (jr_wake_listen(settings->state_dir, &dispatcher->wake_fd, &error) != JR_OK) {
        jr_log(JR_LOG_ERROR, "dispatcher", "%s", error.text);
        return JR_EXIT_FAILED;
    }
    if (jr_store_open(&dispatcher->store, settings->state_dir, settings->map_size_bytes, &error)
        != JR_OK) {
        jr_log(JR_LOG_ERROR, "dispatcher", "%s", error.text);
        return JR_EXIT_STORE;
    }
    if (settings->github_token != NULL
        && jr_http_open(&dispatcher->http, settings->github_ca_file, settings->github_token,
                        &jr_process_stopping, &error)
               != JR_OK) {
        jr_log(JR_LOG_ERROR, "dispatcher", "%s", error.text);
        return JR_EXIT_FAILED;
    }
    jr_log(JR_LOG_DEBUG, "dispatcher", "at work");
    return JR_EXIT_OK;
}

static void end(struct dispatcher *dispatcher)
{
    jr_http_close(dispatcher->http);
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

    while (!jr_process_stopping) {
        err = jr_lock_take(dispatcher->settings->state_dir, &dispatcher->lock_fd, error);
        if (err != JR_EBUSY)
            break;
        if (!told)
            jr_log(JR_LOG_INFO, "dispatcher-waits",
                   "another dispatcher works on this STATE_DIR; this one takes over when it ends");
        told = true;
        pause_for(LOCK_WAIT_MS);
    }
    return err;
}

int jr_dispatcher_main(struct jr_settings *settings, struct jr_runtime *runtime)
{
    struct dispatcher dispatcher = {
        .settings = settings, .runtime = runtime, .lock_fd = -1, .wake_fd = -1,
    };
    struct jr_error error;
    int status = JR_EXIT_OK;

    switch (wait_for_lock(&dispatcher, &error)) {
    case JR_OK:
        status = begin(&dispatcher);
        if (status == JR_EXIT_OK)
            dispatch(&dispatcher, 0);
        break;
    case JR_EBUSY:
        break;
    default:
        jr_log(JR_LOG_ERROR, "dispatcher", "%s", error.text);
        status = JR_EXIT_FAILED;
    }
    end(&dispatcher);
    return dispatcher.broken ? JR_EXIT_FAILED : status;
}

/*
 * Let go of the lock, then look once more: who added an entry just before found
 * the lock held, and left the work to us.
 */
static bool is_left(struct dispatcher *dispatcher, int64_t until_ms)
{
    struct jr_run run;
    struct jr_error error;
    int64_t due_ms;

    close(dispatcher->lock_fd);
    dispatcher->lock_fd = -1;
    return jr_now_ms() < until_ms
           && jr_rerun_first(dispatcher->store, &due_ms, &run, &error) == JR_OK
           && start_of_work(dispatcher, due_ms) <= until_ms;
}

static int work_off_once(struct jr_settings *settings, int64_t until_ms, bool *more)
{
    struct dispatcher dispatcher = {
        .settings = settings,
        .runtime = jr_runtime_attach(settings->state_dir),
        .lock_fd = -1,
        .wake_fd = -1,
    };
    struct jr_error error;
    int status = JR_EXIT_OK;

    switch (jr_lock_take(settings->state_dir, &dispatcher.lock_fd, &error)) {
    case JR_OK:
        status = begin(&dispatcher);
        if (status == JR_EXIT_OK)
            dispatch(&dispatcher, until_ms);
        break;
    case JR_EBUSY:
        break;
    default:
        jr_log(JR_LOG_ERROR, "dispatcher", "%s", error.text);
        status = JR_EXIT_FAILED;
    }
    *more = status == JR_EXIT_OK && dispatcher.lock_fd >= 0 && is_left(&dispatcher, until_ms);
    end(&dispatcher);
    return status;
}

int jr_dispatcher_work_off(struct jr_settings *settings, int64_t until_ms)
{
    bool more;
    int status;

    do
        status = work_off_once(settings, until_ms, &more);
    while (more && !jr_process_stopping);
    return status;
}
