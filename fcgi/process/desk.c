/*
 * desk -- what the dispatcher's parts share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/desk.h"
#include "lib/base/log.h"
#include "lib/base/timestamp.h"
#include "lib/service/process.h"
#include "lib/service/wake.h"
#include "lib/steps/control.h"

#include <poll.h>
#include <string.h>

/* It shows that often, at least, that it has not hung (master.c). */
#define BEAT_MS (2 * JR_SECOND_MS)

void jr_desk_beat(const struct jr_desk *desk)
{
    if (desk->told != NULL)
        jr_process_note_beat(&desk->told->process, jr_monotonic_ms());
}

/* How long until there is work to do though nothing can be read, in ms, at most `most_ms'. */
static int64_t timers_ms(const struct jr_desk *desk, int64_t most_ms)
{
    int64_t http_ms = desk->calls.http == NULL ? most_ms : jr_http_wait_ms(desk->calls.http);
    int64_t log_ms = desk->loghost == NULL ? most_ms : jr_loghost_wait_ms(desk->loghost);

    int64_t receiver_ms = desk->receiver == NULL ? most_ms : jr_http_wait_ms(desk->receiver);

    int64_t cluster_ms = jr_cluster_wait_ms(&desk->cluster);

    if (cluster_ms < most_ms)
        most_ms = cluster_ms;
    if (http_ms < most_ms)
        most_ms = http_ms;
    if (receiver_ms < most_ms)
        most_ms = receiver_ms;
    return log_ms < most_ms ? log_ms : most_ms;
}

/* Go on with what is read and written besides the calls of the API. */
static void work_beside(struct jr_desk *desk)
{
    (void)jr_cluster_tend(&desk->cluster, &desk->calls);
    if (desk->receiver != NULL)
        jr_http_work(desk->receiver);
    if (desk->loghost != NULL)
        jr_loghost_work(desk->loghost);
}

/*
 * Wait for what comes first: the time, GitHub, a log, a judge, a worker unless we are deaf, a
 * signal. Returns whether there is something to go on with.
 */
static bool wait_once(struct jr_desk *desk, int64_t wait_ms, bool is_deaf)
{
    struct jr_http *http = desk->calls.http;
    struct pollfd fds[] = {
        { .fd = is_deaf ? -1 : desk->wake_fd, .events = POLLIN },
        { .fd = http == NULL ? -1 : jr_http_fd(http), .events = POLLIN },
        { .fd = desk->loghost == NULL ? -1 : jr_loghost_fd(desk->loghost), .events = POLLIN },
        { .fd = desk->matcher == NULL ? -1 : jr_matcher_fd(desk->matcher), .events = POLLIN },
        { .fd = desk->receiver == NULL ? -1 : jr_http_fd(desk->receiver), .events = POLLIN },
        { .fd = jr_cluster_fd(&desk->cluster), .events = POLLIN },
    };
    struct timespec limit;
    bool is_told;
    int ready;

    wait_ms = timers_ms(desk, wait_ms < BEAT_MS ? wait_ms : BEAT_MS);
    limit.tv_sec = wait_ms / 1000;
    limit.tv_nsec = wait_ms % 1000 * 1000000;
    ready = ppoll(fds, sizeof fds / sizeof *fds, &limit, jr_process_wait_mask());
    jr_desk_beat(desk);
    if (ready > 0 && fds[0].revents != 0) {
        jr_wake_drain(desk->wake_fd);
        return true;
    }
    /* Who waits takes it (inquiry.h). */
    if (ready > 0 && (fds[2].revents | fds[3].revents) != 0)
        return true;
    is_told = (ready > 0 && (fds[4].revents | fds[5].revents) != 0)
              || jr_cluster_wait_ms(&desk->cluster) == 0;
    work_beside(desk);
    if (is_told)
        return true;
    return jr_calls_work(&desk->calls);
}

static void rest(struct jr_desk *desk, int64_t wait_ms, bool is_deaf, bool stops)
{
    int64_t now_ms = jr_monotonic_ms(), end_ms = wait_ms > BEAT_MS ? now_ms + BEAT_MS
                                                                   : now_ms + wait_ms;
    bool goes_on = true;

    jr_desk_beat(desk);
    for (; goes_on && now_ms < end_ms && !(stops && jr_process_stopping());
         now_ms = jr_monotonic_ms())
        goes_on = !wait_once(desk, end_ms - now_ms, is_deaf);
}

void jr_desk_rest(struct jr_desk *desk, int64_t wait_ms)
{
    rest(desk, wait_ms, false, true);
}

void jr_desk_rest_deaf(struct jr_desk *desk, int64_t wait_ms)
{
    rest(desk, wait_ms, true, false);
}

void jr_desk_pause(struct jr_desk *desk, int64_t wait_ms)
{
    int64_t end_ms = jr_monotonic_ms() + wait_ms;

    for (int64_t left_ms = wait_ms; left_ms > 0 && !jr_process_stopping();
         left_ms = end_ms - jr_monotonic_ms())
        rest(desk, left_ms, true, true);
}

void jr_desk_store_failed(struct jr_desk *desk, enum jr_err err, const struct jr_error *error)
{
    /* Somebody made the service forget a run that was at work. */
    if (err == JR_ENOENT) {
        jr_log(JR_LOG_INFO, "forgotten", "%s", error->text);
        return;
    }
    jr_process_note_commit(desk->process, false);
    jr_log(JR_LOG_ERROR, "store-failed", "%s", error->text);
    desk->broken = err == JR_EFATAL;
    desk->failing = true;
    desk->unsure_ms = jr_now_ms();
}

bool jr_desk_commits_fail(const struct jr_desk *desk)
{
    return desk->failing || (desk->runtime != NULL && jr_runtime_commits_fail(desk->runtime));
}

static struct jr_counters *counters_of(const struct jr_desk *desk)
{
    return desk->process == NULL ? NULL : &desk->process->counters;
}

void jr_desk_count_rerun(const struct jr_desk *desk, const struct jr_verdict *verdict)
{
    struct jr_counters *counters = counters_of(desk);

    if (counters != NULL && verdict->rescued)
        jr_count(&counters->rescued_runs);
    jr_count_causes(counters, verdict->rerun_causes, verdict->rescued_causes);
}

void jr_desk_count(const struct jr_desk *desk, const struct jr_verdict *verdict)
{
    jr_count_verdict(counters_of(desk), verdict->reason);
    jr_desk_count_rerun(desk, verdict);
}

void jr_desk_count_findings(const struct jr_desk *desk, const struct jr_judging *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        jr_count_failed_job(counters_of(desk), findings->items[i].finding.cause);
}

void jr_desk_count_ownfile(const struct jr_desk *desk, enum jr_ownpolicy_state state,
                           bool unchanged)
{
    static const enum jr_counted_ownfile kinds[] = {
        [JR_OWNPOLICY_UNKNOWN] = JR_COUNTED_OWNFILE_REFUSED,
        [JR_OWNPOLICY_NONE] = JR_COUNTED_OWNFILE_NONE,
        [JR_OWNPOLICY_GOOD] = JR_COUNTED_OWNFILE_GOOD,
        [JR_OWNPOLICY_BROKEN] = JR_COUNTED_OWNFILE_BROKEN,
    };

    jr_count_ownfile(counters_of(desk), unchanged ? JR_COUNTED_OWNFILE_UNCHANGED : kinds[state]);
}

bool jr_desk_look_at_pauses(struct jr_desk *desk)
{
    int64_t now_ms = jr_now_ms();
    struct jr_error error;
    struct jr_pauses pauses;
    const struct jr_pause *whole;
    enum jr_err err = jr_pauses_read(desk->store, now_ms, &pauses, &error);

    if (err == JR_OK && pauses.over > 0)
        err = jr_control_end_pauses(desk->store, now_ms, &error);
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return false;
    }
    if (!jr_pauses_equal(&pauses, &desk->pauses)) {
        memset(&desk->walk, 0, sizeof desk->walk);
        if (jr_cluster_is_on(&desk->cluster)) /* it may be one of all hosts */
            jr_engine_look(desk->cluster.engine);
    }
    desk->pauses = pauses;
    whole = jr_pauses_whole(&desk->pauses);
    desk->paused_ms = whole == NULL ? 0 : whole->since_ms;
    if (desk->told != NULL) {
        desk->told->paused_ms = desk->paused_ms;
        desk->told->repo_pauses = (int64_t)jr_pauses_partial(&desk->pauses);
    }
    return whole == NULL;
}

bool jr_desk_is_paused(struct jr_desk *desk, const struct jr_run *run)
{
    return !jr_desk_look_at_pauses(desk) || jr_pauses_find(&desk->pauses, run->repo) != NULL;
}

int64_t jr_desk_pause_wait_ms(void *desk, const char *repo)
{
    const struct jr_desk *ours = desk;

    return jr_pauses_find(&ours->pauses, repo) == NULL ? 0 : JR_SHARE_NONE;
}

int64_t jr_desk_look_wait_ms(void *desk, const char *repo)
{
    struct jr_desk *ours = desk;
    int64_t wait_ms = jr_desk_pause_wait_ms(desk, repo);

    return wait_ms != 0 ? wait_ms : jr_calls_share_wait_ms(&ours->calls, repo);
}
