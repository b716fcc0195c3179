/*
 * watch -- rule 8: attempts that are under way are watched, so that GitHub is asked about
 * those that have gone quiet.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/watch.h"
#include "lib/rules/attempt.h"

/* A run of which nothing was heard for so long is quiet, where nobody sets it. */
#define QUIET_MS (10 * JR_MINUTE_MS)

/* Once all known jobs are done and none failed, nothing more needs to be heard. */
void jr_watch(const struct jr_bounds *bounds, struct jr_run *run, int64_t now_ms)
{
    bool under_way = run->phase == JR_PHASE_OPEN && !run->complete && !jr_run_jobs_done(run)
                     && bounds->reconcile_interval_ms > 0
                     && jr_bounds_filter(bounds, run, run->attempt) == JR_REASON_NONE;

    if (!under_way)
        run->quiet_due_ms = 0;
    else if (run->quiet_due_ms == 0)
        run->quiet_due_ms = now_ms + 2 * bounds->reconcile_interval_ms;
}

void jr_watch_heard(struct jr_run *run)
{
    if (run->quiet_asks == 0)
        return;
    run->quiet_asks = 0;
    run->quiet_due_ms = 0;
}

bool jr_watch_asks(const struct jr_bounds *bounds, struct jr_run *run, int64_t now_ms)
{
    int64_t interval_ms = 2 * bounds->reconcile_interval_ms, wait_ms = interval_ms;
    int64_t due_ms;

    jr_watch(bounds, run, now_ms);
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
    run->quiet_due_ms = now_ms + jr_later_of(interval_ms, jr_earlier_of(wait_ms, JR_QUIET_MAX_MS));
    run->quiet_asks++;
    return true;
}

int64_t jr_watch_most_ms(const struct jr_bounds *bounds)
{
    return jr_later_of(2 * bounds->reconcile_interval_ms, JR_QUIET_MAX_MS);
}

bool jr_watch_is_finished(const struct jr_bounds *bounds, const struct jr_run *run,
                          int64_t now_ms)
{
    int64_t quiet_ms = bounds->reconcile_interval_ms > 0 ? 2 * bounds->reconcile_interval_ms
                                                         : QUIET_MS;

    return run->complete
           || (jr_run_jobs_done(run) && run->jobs_failed == 0
               && now_ms - run->last_event_ms >= quiet_ms);
}
