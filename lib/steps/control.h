/*
 * control -- what an administrator does to the service by hand: pause and resume
 * it, have a run rerun, forget one.
 *
 * Each is one transaction, with a line in the journal, and works whether a service runs
 * or not. Afterwards the caller wakes the dispatcher, which tells it in the log:
 * jr_wake_send().
 * All return JR_OK or what failed, with `error` set.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CONTROL_H
#define JR_CONTROL_H

#include "lib/base/text.h"
#include "lib/config/settings.h"
#include "lib/model/run.h"
#include "lib/store/causeholds.h"
#include "lib/store/journal.h"
#include "lib/store/pause.h"
#include "lib/store/store.h"

#include <stdint.h>

/*
 * Pause: webhooks are recorded and answered as ever, GitHub is not called about what
 * is paused. Holds over restarts. A call that the dispatcher has begun comes to its end,
 * and a POST whose intent is on disk by now is made; no other is.
 *   patterns  of the repositories, each fit (jr_pause_check_pattern); a pause each.
 *             Empty: everything
 *   wanted    who, why and until when; the rest is not looked at. One with the same
 *             pattern that is in force goes on with these, since when it was
 *   pauses    out: all that are in force then
 * Returns JR_EBUSY when there are JR_PAUSES_MAX already.
 */
enum jr_err jr_control_pause(struct jr_store *store, const struct jr_list *patterns,
                             const struct jr_pause *wanted, int64_t now_ms,
                             struct jr_pauses *pauses, struct jr_error *error) JR_CHECKED;

/*
 * End pauses. What came due meanwhile is worked off by the same rules: what ended
 * longer ago than CATCH_UP is no longer rerun.
 *   patterns  those of some repositories whose pattern is one of these, or matched by
 *             it (that of all of an owner also ends that of one). Empty: that of everything
 *   who       ends them; may be NULL
 *   ended     out: those
 *   pauses    out: all that are still in force
 */
enum jr_err jr_control_resume(struct jr_store *store, const struct jr_list *patterns,
                              const char *who, int64_t now_ms, struct jr_pauses *ended,
                              struct jr_pauses *pauses, struct jr_error *error) JR_CHECKED;

/* Remove those whose time is over: for the dispatcher, when jr_pauses.over tells of some. */
enum jr_err jr_control_end_pauses(struct jr_store *store, int64_t now_ms,
                                  struct jr_error *error) JR_CHECKED;

/*
 * Lift what an outage holds: the runs that wait for it go ahead, and others until it is found
 * anew, from failures after this.
 *   cause   NONE: all causes
 *   who     lifts it; may be NULL
 *   lifted  out: those that were held, or released in turn, as they are then
 */
enum jr_err jr_control_lift(struct jr_store *store, enum jr_cause cause, const char *who,
                            int64_t now_ms, struct jr_causeholds *lifted,
                            struct jr_error *error) JR_CHECKED;

/*
 * What was done by hand and not told in the log yet; from now on it counts as told.
 *   acts   out: the caller's, room for `size`; oldest first
 *   count  out: how many; as many as `size`: there may be more
 */
enum jr_err jr_control_news(struct jr_store *store, struct jr_act *acts, size_t size,
                            size_t *count, struct jr_error *error) JR_CHECKED;

/* The newest thing of a kind that was done by hand about a run; JR_ENOENT: none is known. */
enum jr_err jr_control_find_act(struct jr_store *store, enum jr_act_kind kind, uint64_t run_id,
                                struct jr_act *act, struct jr_error *error) JR_CHECKED;

/* A rerun that somebody asks for. */
struct jr_rerun_request {
    uint64_t run_id;
    const char *repo; /* owner/name, for a run of which nothing is recorded; else it is not looked
                       * at and may be NULL */
    const char *who;  /* asks, for history and journal; any text, may be NULL */
};

/*
 * Have a run rerun (JR_INPUT_HAND): GitHub is asked about it at once.
 *   run     out: the run as saved; without a reason below it has an outbox entry
 *   reason  out: JR_REASON_NONE, or why it is refused; nothing is then changed
 * Returns JR_ENOENT when nothing is recorded of the run and request->repo is NULL or not
 * "owner/name".
 */
enum jr_err jr_control_rerun(struct jr_store *store, const struct jr_settings *settings,
                             const struct jr_rerun_request *request, int64_t now_ms,
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
 * stays, and so does who forgot it, in the journal. An event that comes later is the
 * first of a new run.
 * Returns JR_ENOENT when nothing is recorded of the run, JR_EBUSY while a POST is
 * under way or of unknown outcome: rule 6 needs what is recorded of it.
 */
enum jr_err jr_control_forget(struct jr_store *store, uint64_t run_id, const char *who,
                              int64_t now_ms, struct jr_forgotten *forgotten,
                              struct jr_error *error) JR_CHECKED;

#endif
