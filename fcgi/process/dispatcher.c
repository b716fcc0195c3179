/*
 * dispatcher -- the process that asks GitHub about due runs and reruns them.
 *
 * Several runs are in its hands at once (errand.h); it sleeps until the next is due, GitHub
 * answers, or a worker wakes it. Each question has a limit, so that none holds up the others
 * for good.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/dispatcher.h"
#include "fcgi/process/announcer.h"
#include "fcgi/process/answerer.h"
#include "fcgi/process/calls.h"
#include "fcgi/process/complainer.h"
#include "fcgi/process/desk.h"
#include "fcgi/process/duty.h"
#include "fcgi/process/errand.h"
#include "fcgi/process/holder.h"
#include "fcgi/process/reporter.h"
#include "fcgi/process/sweep.h"
#include "fcgi/process/tell.h"
#include "fcgi/process/tracer.h"
#include "fcgi/process/upkeep.h"
#include "lib/base/log.h"
#include "lib/base/timestamp.h"
#include "lib/service/confine.h"
#include "lib/service/lock.h"
#include "lib/service/process.h"
#include "lib/service/wake.h"
#include "lib/steps/answering.h"

#include <stdlib.h>
#include <unistd.h>

/* How often a dispatcher that is not needed looks whether it is by now. */
#define LOCK_WAIT_MS 500

/* So many due runs are taken up in a row before what is missed has its turn. */
#define CLAIMS_IN_A_ROW 8

/* In this order: what people ask for is done before it is said what becomes of runs. */
static const struct jr_duty *const duties[] = {
    &jr_answerer_duty, &jr_reporter_duty, &jr_complainer_duty, &jr_announcer_duty,
    &jr_tracer_duty,
};
#define DUTIES (sizeof duties / sizeof duties[0])

struct dispatcher {
    struct jr_desk desk;
    struct jr_errands errands;
    struct jr_sweeper sweeper;
    struct jr_upkeep upkeep;
    struct jr_holder holder;
    void *duties[DUTIES]; /* the state of each; NULL: it is not open */
};

/* Take in what GitHub has answered by now. */
static void take_answers(struct dispatcher *dispatcher)
{
    (void)jr_calls_work(&dispatcher->desk.calls);
    jr_errands_work(&dispatcher->errands);
    jr_sweeper_take(&dispatcher->sweeper);
}

static int64_t earlier_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Say things at GitHub, none after until_ms. Returns how long until there is something to be done. */
static int64_t say(struct dispatcher *dispatcher, int64_t until_ms)
{
    const struct jr_desk *desk = &dispatcher->desk;
    bool late = jr_now_ms() > until_ms;
    int64_t wait_ms = JR_CALLS_NEVER;

    if (desk->paused_ms != 0 || desk->failing || late || jr_cluster_is_paused(&desk->cluster))
        return JR_CALLS_NEVER;
    for (size_t i = 0; i < DUTIES && wait_ms > 0; i++)
        if (duties[i]->turn == JR_DUTY_SAY)
            wait_ms = earlier_of(wait_ms, duties[i]->work(dispatcher->duties[i]));
    return wait_ms;
}

/* Go on with what is done aside; nothing is begun after until_ms. */
static int64_t work_aside(struct dispatcher *dispatcher, int64_t until_ms)
{
    bool may_begin = !dispatcher->desk.failing && jr_now_ms() <= until_ms;
    int64_t wait_ms = JR_CALLS_NEVER;

    for (size_t i = 0; i < DUTIES; i++) {
        void *state = dispatcher->duties[i];

        if (duties[i]->turn == JR_DUTY_ASIDE && (may_begin || duties[i]->is_under_way(state)))
            wait_ms = earlier_of(wait_ms, duties[i]->work(state));
    }
    return wait_ms;
}

/*
 * What waits to be rerun, then what is due, then what may have been missed; but behind a long
 * outbox that has a turn once in a while, too. Returns how long until there is something to be
 * done.
 */
static int64_t work_in_turn(struct dispatcher *dispatcher)
{
    struct jr_errands *errands = &dispatcher->errands;
    bool missed_first = errands->claims >= CLAIMS_IN_A_ROW;
    bool has_room = jr_errands_may_read(errands);
    size_t reads = jr_calls_reads(&dispatcher->desk.calls);
    int64_t wait_ms = earlier_of(jr_errands_write(errands), jr_errands_patience_ms(errands));

    for (int turn = 0; turn < 2 && wait_ms > 0; turn++)
        wait_ms = earlier_of(wait_ms, missed_first == (turn == 0)
                                          ? jr_sweeper_work(&dispatcher->sweeper)
                                          : jr_errands_claim(errands));
    /* The turn is over with a question, or when there is room and none to be asked. */
    if (missed_first && has_room
        && (wait_ms > 0 || jr_calls_reads(&dispatcher->desk.calls) > reads))
        errands->claims = 0;
    return wait_ms;
}

/* While nothing can be recorded nothing is asked: only try whether there is room again. */
static bool is_failing(struct dispatcher *dispatcher)
{
    struct jr_desk *desk = &dispatcher->desk;

    if (!jr_desk_commits_fail(desk))
        return false;
    jr_errands_lay_down(&dispatcher->errands);
    jr_desk_pause(desk, JR_DESK_STORE_WAIT_MS);
    if (!jr_process_stopping())
        jr_upkeep_now(&dispatcher->upkeep);
    return desk->failing || jr_process_stopping();
}

/* Work until told to stop: what is due first, then what can wait, then sleep. */
static void dispatch(struct dispatcher *dispatcher)
{
    struct jr_desk *desk = &dispatcher->desk;

    while (!jr_process_stopping() && !desk->broken) {
        int64_t wait_ms = JR_CALLS_NEVER, upkeep_ms, holder_ms, cluster_ms;

        jr_desk_beat(desk);
        jr_calls_tend(&desk->calls);
        cluster_ms = jr_cluster_tend(&desk->cluster, &desk->calls);
        take_answers(dispatcher);
        if (is_failing(dispatcher))
            continue;
        /* First, since it is short: behind a long outbox it would not come for hours. */
        upkeep_ms = jr_upkeep_work(&dispatcher->upkeep);
        if (upkeep_ms == 0)
            continue;
        jr_tell_acts(desk);
        holder_ms = jr_holder_work(&dispatcher->holder);
        if (jr_desk_look_at_pauses(desk))
            wait_ms = work_in_turn(dispatcher);
        else
            jr_errands_lay_down(&dispatcher->errands);
        /* Only when nothing else is to be done at once. */
        if (wait_ms > 0)
            wait_ms = earlier_of(wait_ms, say(dispatcher, INT64_MAX));
        /* Last, and only to begin or to look: what is due does not wait for it. */
        wait_ms = earlier_of(wait_ms, work_aside(dispatcher, INT64_MAX));
        wait_ms = earlier_of(wait_ms, cluster_ms);
        if (wait_ms > 0)
            jr_desk_rest(desk, earlier_of(earlier_of(wait_ms, holder_ms), upkeep_ms));
    }
    jr_errands_stop(&dispatcher->errands);
}

/*
 * Is an answer waited for? What is said at GitHub is not, after until_ms: the lock is kept from
 * who could rerun meanwhile, and who finds it unsettled looks what came of it.
 */
static bool is_under_way(const struct dispatcher *dispatcher, int64_t until_ms)
{
    bool late = jr_now_ms() > until_ms;
    bool under_way = dispatcher->errands.count > 0 || dispatcher->desk.calls.probe.under_way;

    for (size_t i = 0; i < DUTIES && !under_way; i++)
        under_way = (duties[i]->turn == JR_DUTY_ASIDE || !late)
                    && duties[i]->is_under_way(dispatcher->duties[i]);
    return under_way;
}

/* Work off what can be worked off by until_ms, and end what was begun by then. */
static void dispatch_until(struct dispatcher *dispatcher, int64_t until_ms)
{
    struct jr_desk *desk = &dispatcher->desk;
    struct jr_errands *errands = &dispatcher->errands;

    jr_tell_acts(desk);
    while (!jr_process_stopping() && !desk->broken) {
        int64_t wait_ms = JR_CALLS_NEVER, write_ms, cluster_ms;

        cluster_ms = jr_cluster_tend(&desk->cluster, &desk->calls);
        take_answers(dispatcher);
        (void)jr_holder_work(&dispatcher->holder);
        if (!jr_desk_look_at_pauses(desk) || desk->failing)
            jr_errands_lay_down(errands);
        write_ms = jr_errands_write(errands);
        if (write_ms == 0)
            continue;
        if (desk->paused_ms == 0 && !desk->failing && jr_now_ms() <= until_ms)
            wait_ms = jr_errands_claim(errands);
        wait_ms = earlier_of(wait_ms, work_aside(dispatcher, until_ms));
        if (wait_ms > 0)
            wait_ms = earlier_of(wait_ms, say(dispatcher, until_ms));
        if (!is_under_way(dispatcher, until_ms) && wait_ms > 0 && wait_ms > until_ms - jr_now_ms())
            break;
        jr_desk_rest(desk, earlier_of(earlier_of(earlier_of(wait_ms, write_ms), cluster_ms),
                                      jr_errands_patience_ms(errands)));
    }
    jr_errands_stop(errands);
}

static enum jr_err open_duties(struct dispatcher *dispatcher, struct jr_error *error)
{
    enum jr_err err = JR_OK;

    for (size_t i = 0; i < DUTIES && err == JR_OK; i++) {
        void *state = calloc(1, duties[i]->size);

        if (state == NULL)
            return jr_error_set(error, JR_ENOMEM, "out of memory");
        err = duties[i]->open(state, &dispatcher->desk, error);
        if (err == JR_OK)
            dispatcher->duties[i] = state;
        else
            free(state);
    }
    return err;
}

static void close_duties(struct dispatcher *dispatcher)
{
    for (size_t i = 0; i < DUTIES; i++) {
        if (dispatcher->duties[i] != NULL)
            duties[i]->close(dispatcher->duties[i]);
        free(dispatcher->duties[i]);
        dispatcher->duties[i] = NULL;
    }
}

/* Open what working needs. The lock is held. */
static int begin(struct dispatcher *dispatcher)
{
    struct jr_desk *desk = &dispatcher->desk;
    struct jr_settings *settings = desk->settings;
    struct jr_error error;
    enum jr_err err;

    dispatcher->errands.desk = dispatcher->errands.ownfiles.desk = desk;
    dispatcher->upkeep.desk = dispatcher->holder.desk = desk;
    dispatcher->holder.policy = &dispatcher->errands.inquirer.policy;
    desk->unsure_ms = jr_now_ms();
    err = jr_wake_listen(settings->state_dir, &desk->wake_fd, &error);
    if (err == JR_OK)
        err = jr_store_open(&desk->store, settings->state_dir, settings->map_size_bytes,
                            &error);
    if (err == JR_OK && desk->told != NULL) {
        desk->process = &desk->told->process;
        jr_store_watch(desk->store, &desk->process->watch);
        jr_store_time(desk->store, &desk->process->counters.commit_us);
    }
    if (err == JR_OK)
        err = jr_calls_open(&desk->calls, settings, desk->store, desk->told,
                            &error);
    if (err == JR_OK)
        err = jr_cluster_open(&desk->cluster, settings, desk->store, desk->told, &error);
    if (err == JR_OK)
        err = jr_inquirer_open(&dispatcher->errands.inquirer, desk, &error);
    if (err == JR_OK)
        err = jr_sweeper_open(&dispatcher->sweeper, desk, &dispatcher->errands, &error);
    if (err == JR_OK)
        err = open_duties(dispatcher, &error);
    if (err != JR_OK) {
        jr_log(JR_LOG_ERROR, "dispatcher", "%s", error.text);
        return desk->store == NULL ? JR_EXIT_STORE : JR_EXIT_FAILED;
    }
    if (desk->told != NULL) {
        desk->told->at_work_ms = jr_monotonic_ms();
        desk->told->waits_ms = 0;
    }
    jr_tell_pauses(desk);
    jr_log(JR_LOG_DEBUG, "dispatcher", "at work");
    return JR_EXIT_OK;
}

static void end(struct dispatcher *dispatcher)
{
    struct jr_desk *desk = &dispatcher->desk;

    close_duties(dispatcher);
    jr_sweeper_close(&dispatcher->sweeper);
    if (dispatcher->errands.inquirer.desk != NULL)
        jr_inquirer_close(&dispatcher->errands.inquirer);
    jr_ownfiles_close(&dispatcher->errands.ownfiles);
    jr_cluster_close(&desk->cluster);
    jr_calls_close(&desk->calls);
    jr_store_close(desk->store);
    if (desk->wake_fd >= 0)
        close(desk->wake_fd);
    if (desk->lock_fd >= 0)
        close(desk->lock_fd);
}

/* Get the lock, waiting for whoever holds it. False when it is time to stop. */
static enum jr_err wait_for_lock(struct dispatcher *dispatcher, struct jr_error *error)
{
    enum jr_err err = JR_EBUSY;
    bool told = false;

    while (!jr_process_stopping()) {
        err = jr_lock_take(dispatcher->desk.settings->state_dir, &dispatcher->desk.lock_fd, error);
        if (err != JR_EBUSY)
            break;
        if (!told)
            jr_log(JR_LOG_INFO, "dispatcher-waits",
                   "another dispatcher works on this STATE_DIR; this one takes over when it ends");
        told = true;
        /* Somebody is at work, if not we. */
        dispatcher->desk.told->waits_ms = jr_monotonic_ms();
        jr_desk_pause(&dispatcher->desk, LOCK_WAIT_MS);
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
    return dispatcher->desk.broken ? JR_EXIT_FAILED : JR_EXIT_OK;
}

int jr_dispatcher_main(struct jr_settings *settings, struct jr_runtime *runtime)
{
    struct dispatcher dispatcher = {
        .desk = {
            .settings = settings,
            .runtime = runtime,
            .told = runtime->told,
            .lock_fd = -1,
            .wake_fd = -1,
        },
    };
    struct jr_error error;
    enum jr_err locked = wait_for_lock(&dispatcher, &error);
    int status = work_if_locked(&dispatcher, locked, &error, 0);

    end(&dispatcher);
    return status;
}

/* Has anybody asked for something that is due? */
static bool is_asked(struct dispatcher *dispatcher)
{
    const struct jr_desk *desk = &dispatcher->desk;
    struct jr_answering work;
    struct jr_error error;
    int64_t due_ms;

    return desk->settings->commands
           && jr_answering_claim(desk->store, jr_now_ms(), &work, &due_ms, &error) == JR_OK;
}

/*
 * Let go of the lock, then look once more: who added an entry just before found
 * the lock held, and left the work to us.
 */
static bool is_left(struct dispatcher *dispatcher, int64_t until_ms)
{
    struct jr_desk *desk = &dispatcher->desk;
    struct jr_rerun_walk walk = { .at = { .due_ms = 0 } };
    struct jr_run run;
    struct jr_error error;
    int64_t due_ms;
    enum jr_err err;

    close(desk->lock_fd);
    desk->lock_fd = -1;
    /* While calls or commits fail, nothing more comes of looking once more. */
    if (desk->paused_ms != 0 || desk->failing
        || (desk->calls.http != NULL
            && jr_calls_wait_ms(&desk->calls) > until_ms - jr_now_ms())
        || jr_now_ms() >= until_ms)
        return false;
    do
        err = jr_errands_find(&dispatcher->errands, &walk, INT64_MAX, until_ms, &due_ms, &run,
                              &error);
    while (err == JR_EBUSY && due_ms <= until_ms);
    return ((err == JR_OK && due_ms <= until_ms) || is_asked(dispatcher))
           && desk->calls.throttle.stopped_until_ms <= until_ms;
}

static int work_off_once(struct jr_settings *settings, int64_t until_ms, bool *more)
{
    struct dispatcher dispatcher = {
        .desk = { .settings = settings, .lock_fd = -1, .wake_fd = -1 },
    };
    struct jr_error error;
    enum jr_err locked = jr_lock_take(settings->state_dir, &dispatcher.desk.lock_fd, &error);
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
