/*
 * sweep -- rule 8: looks for missed work.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/sweep.h"
#include "fcgi/process/tell.h"
#include "lib/base/log.h"
#include "lib/base/say.h"
#include "lib/base/timestamp.h"

#include <stdlib.h>

/* While another host reads the lists, look again after so long. */
#define TURN_MS (JR_SECOND_MS / 2)

enum jr_err jr_sweeper_open(struct jr_sweeper *sweeper, struct jr_desk *desk,
                            struct jr_errands *errands, struct jr_error *error)
{
    *sweeper = (struct jr_sweeper){ .desk = desk, .errands = errands };
    sweeper->page.runs = calloc(JR_GITHUB_PAGE_RUNS, sizeof *sweeper->page.runs);
    return sweeper->page.runs != NULL ? JR_OK : jr_error_set(error, JR_ENOMEM, "out of memory");
}

void jr_sweeper_close(struct jr_sweeper *sweeper)
{
    if (sweeper->desk != NULL)
        jr_calls_drop(&sweeper->desk->calls, &sweeper->question);
    free(sweeper->page.runs);
}

/* Ask about a run that has gone quiet, if there is one and a call to spare. */
static int64_t work_quiet(struct jr_sweeper *sweeper)
{
    const struct jr_share share = { jr_desk_look_wait_ms, sweeper->desk };
    struct jr_run run;
    struct jr_error error;
    int64_t due_ms;
    enum jr_err err;

    if (!jr_cluster_may_work(&sweeper->desk->cluster))
        return TURN_MS;
    err = jr_rerun_quiet(sweeper->desk->store, sweeper->desk->settings, jr_now_ms(),
                                     &share, &run, &due_ms, &error);

    if (err == JR_OK) {
        (void)jr_errands_take_quiet(sweeper->errands, &run);
        return 0;
    }
    if (err == JR_EFORMAT) {
        jr_log(JR_LOG_ERROR, "damaged", "%s; it is watched no longer", error.text);
        return 0;
    }
    if (err != JR_ENOENT) {
        jr_desk_store_failed(sweeper->desk, err, &error);
        return JR_CALLS_NEVER;
    }
    if (due_ms == 0)
        return JR_CALLS_NEVER;
    due_ms -= jr_now_ms();
    return due_ms > 0 ? due_ms : 0;
}

/* A list cannot be read: not now, or GitHub does not show it, which is told once. */
static void look_failed(struct jr_sweeper *sweeper, const struct jr_call *call)
{
    struct jr_look *look = &sweeper->look;
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
    err = jr_reconcile_gone(sweeper->desk->store, look, &news, &error);
    if (err != JR_OK)
        jr_desk_store_failed(sweeper->desk, err, &error);
    else
        jr_log(news ? JR_LOG_WARN : JR_LOG_DEBUG, "repository-gone", "%s: %s (%d) %s; it is looked "
               "at ever more rarely, until an event comes from it", look->repo.name,
               jr_reason_token(call->reason), call->status, call->text);
}

/* Ask for the next page of the look in progress. */
static int64_t look_further(struct jr_sweeper *sweeper)
{
    struct jr_look *look = &sweeper->look;

    if (!jr_calls_may_ask_about(&sweeper->desk->calls, look->repo.name))
        return JR_CALLS_NEVER;
    sweeper->page.count = sweeper->page.shown = 0;
    sweeper->question.turn.ask = (struct jr_ask){
        .api = JR_API_LIST_RUNS,
        .repo = look->repo.name,
        .list = &look->list,
        .holds = &sweeper->page,
    };
    jr_calls_ask(&sweeper->desk->calls, &sweeper->question);
    return 0;
}

void jr_sweeper_take(struct jr_sweeper *sweeper)
{
    struct jr_desk *desk = sweeper->desk;
    struct jr_look *look = &sweeper->look;
    const struct jr_github_page *page = &sweeper->page;
    const struct jr_call *call = &sweeper->question.turn.call;
    struct jr_look_result result;
    struct jr_error error;
    enum jr_err err;

    if (!sweeper->question.is_over)
        return;
    sweeper->question.is_over = false;
    jr_calls_share_take(&desk->calls, look->repo.name);
    if (call->outcome != JR_OUTCOME_DONE) {
        look_failed(sweeper, call);
        return;
    }
    err = jr_reconcile_page(desk->store, desk->settings, look, page, jr_now_ms(), &result, &error);
    for (size_t i = 0; i < page->count; i++) {
        jr_tell_listed(&page->runs[i], &result.verdicts[i], call);
        jr_desk_count(desk, &result.verdicts[i]);
    }
    if (err != JR_OK)
        jr_desk_store_failed(desk, err, &error);
    else
        jr_log(result.found + result.closed > 0 ? JR_LOG_INFO : JR_LOG_DEBUG, "looked",
               "%s: %zu %s in a list, %u of them to be asked about, %u recorded and left alone",
               look->repo.name, page->shown, jr_say_plural(page->shown, "run", "runs"),
               result.found, result.closed);
}

static void begin_sweep(struct jr_sweeper *sweeper, int64_t now_ms)
{
    sweeper->sweep = (struct jr_sweep){ .begun_ms = now_ms };
    if (sweeper->desk->told != NULL)
        sweeper->desk->told->sweep_begun_ms = now_ms;
    sweeper->due_ms = jr_monotonic_ms() + sweeper->desk->settings->reconcile_interval_ms;
}

/* Go on with the sweep through the repositories, or begin one when it is time. */
static int64_t work_sweep(struct jr_sweeper *sweeper)
{
    const struct jr_share share = { jr_desk_look_wait_ms, sweeper->desk };
    int64_t now_ms = jr_now_ms(), wait_ms = sweeper->due_ms - jr_monotonic_ms();
    struct jr_error error;
    enum jr_err err = JR_OK;

    if (sweeper->sweep.begun_ms == 0 && wait_ms > 0)
        return wait_ms;
    if (!jr_cluster_may_sweep(&sweeper->desk->cluster))
        return TURN_MS;
    if (sweeper->sweep.begun_ms == 0)
        begin_sweep(sweeper, now_ms);
    if (sweeper->look.active && jr_desk_pause_wait_ms(sweeper->desk, sweeper->look.repo.name) != 0)
        sweeper->look.active = false;
    if (sweeper->look.active)
        return look_further(sweeper);
    err = jr_reconcile_begin(sweeper->desk->store, sweeper->desk->settings, &sweeper->sweep, now_ms,
                             &share, &sweeper->look, &error);
    if (err == JR_ENOENT) {
        int64_t held_ms = sweeper->sweep.held_ms;

        wait_ms = sweeper->due_ms - jr_monotonic_ms();
        /* Those that have to wait do not keep the next sweep from looking at the others. */
        jr_cluster_end_sweep(&sweeper->desk->cluster);
        if (held_ms > 0 && wait_ms > 0)
            return held_ms < wait_ms ? held_ms : wait_ms;
        sweeper->sweep.begun_ms = 0;
        if (sweeper->desk->told != NULL)
            sweeper->desk->told->sweep_ended_ms = now_ms;
        return wait_ms > 0 ? wait_ms : 0;
    }
    if (err != JR_OK)
        jr_desk_store_failed(sweeper->desk, err, &error);
    return 0;
}

int64_t jr_sweeper_work(struct jr_sweeper *sweeper)
{
    int64_t (*const works[])(struct jr_sweeper *) = { work_quiet, work_sweep };
    int64_t wait_ms, other_ms;

    if (sweeper->desk->calls.http == NULL || sweeper->desk->settings->reconcile_interval_ms == 0)
        return JR_CALLS_NEVER;
    wait_ms = jr_calls_wait_ms(&sweeper->desk->calls);
    if (wait_ms == 0)
        wait_ms = jr_calls_share_wait_ms(&sweeper->desk->calls, "");
    if (wait_ms > 0) {
        jr_cluster_end_sweep(&sweeper->desk->cluster);
        return wait_ms;
    }
    /* One look at a time: by its answer the share is known. */
    if (sweeper->question.under_way || jr_errands_has_quiet(sweeper->errands)
        || !jr_errands_may_read(sweeper->errands) || !jr_calls_may_ask(&sweeper->desk->calls))
        return JR_CALLS_NEVER;
    /* In turn, so that neither uses up all of the share. */
    sweeper->lists_first = !sweeper->lists_first;
    wait_ms = works[sweeper->lists_first](sweeper);
    if (wait_ms == 0)
        return 0;
    other_ms = works[!sweeper->lists_first](sweeper);
    return wait_ms < other_ms ? wait_ms : other_ms;
}
