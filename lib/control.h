/*
 * control -- what an administrator does to the service by hand: pause and resume
 * it, have a run rerun, forget one.
 *
 * Each is one transaction, and works whether a service runs or not. After pause,
 * resume and rerun the caller wakes the dispatcher: jr_wake_send().
 * All return JR_OK or what failed, with `error` set.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CONTROL_H
#define JR_CONTROL_H

#include "lib/run.h"
#include "lib/settings.h"
#include "lib/store.h"

#include <stdint.h>

/*
 * Pause: webhooks are recorded and answered as ever, GitHub is not called. Holds
 * over restarts. A call that the dispatcher has begun comes to its end, and a POST
 * whose intent is on disk by now is made; no other is.
 *   since_ms  out: since when; earlier than now_ms when it was paused before
 */
enum jr_err jr_control_pause(struct jr_store *store, int64_t now_ms, int64_t *since_ms,
                             struct jr_error *error) JR_CHECKED;

/*
 * Go on. What came due meanwhile is worked off by the same rules: what ended
 * longer ago than CATCH_UP is no longer rerun.
 *   since_ms  out: since when it was paused; 0: it was not
 */
enum jr_err jr_control_resume(struct jr_store *store, int64_t *since_ms,
                              struct jr_error *error) JR_CHECKED;

/* Since when it is paused; 0: it is not. */
enum jr_err jr_control_paused(struct jr_store *store, int64_t *since_ms,
                              struct jr_error *error) JR_CHECKED;

/*
 * Have a run rerun (jr_decide_by_hand): GitHub is asked about it at once.
 *   repo    owner/name, for a run of which nothing is recorded; else it is not
 *           looked at and may be NULL
 *   who     who asks, for the history; any text, may be NULL
 *   run     out: the run as saved; without a reason below it has an outbox entry
 *   reason  out: JR_REASON_NONE, or why it is refused; nothing is then changed
 * Returns JR_ENOENT when nothing is recorded of the run and repo is NULL or not
 * "owner/name".
 */
enum jr_err jr_control_rerun(struct jr_store *store, const struct jr_settings *settings,
                             uint64_t run_id, const char *repo, const char *who, int64_t now_ms,
                             struct jr_run *run, enum jr_reason *reason,
                             struct jr_error *error) JR_CHECKED;

/* What was forgotten. */
struct jr_forgotten {
    unsigned jobs, entries, deliveries;
};

/*
 * Forget a run: the run, its jobs and history, its entry in the outbox, and the
 * deliveries that its history names (not those of events that came after
 * JR_HISTORY_EVENTS_MAX). What it added to the aggregates (flaky.h, days.h)
 * stays. An event that comes later is the first of a new run.
 * Returns JR_ENOENT when nothing is recorded of the run, JR_EBUSY while a POST is
 * under way or of unknown outcome: rule 6 needs what is recorded of it.
 */
enum jr_err jr_control_forget(struct jr_store *store, uint64_t run_id,
                              struct jr_forgotten *forgotten,
                              struct jr_error *error) JR_CHECKED;

#endif
