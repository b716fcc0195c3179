/*
 * watch -- rule 8: attempts that are under way are watched, so that GitHub is asked about
 * those that have gone quiet.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_WATCH_H
#define JR_WATCH_H

#include "lib/base/timestamp.h"
#include "lib/model/run.h"
#include "lib/rules/bounds.h"

#include <stdbool.h>
#include <stdint.h>

/* The longest wait before GitHub is asked again about a quiet run. */
#define JR_QUIET_MAX_MS JR_HOUR_MS

/* Begin to watch the newest attempt, or stop, by what is known of it now. */
void jr_watch(const struct jr_bounds *bounds, struct jr_run *run, int64_t now_ms);

/* Something was heard of it: where GitHub was asked already, the waits start over. */
void jr_watch_heard(struct jr_run *run);

/*
 * A watched run's quiet_due_ms has come: is GitHub to be asked? Sets when to
 * look next: later of twice RECONCILE_INTERVAL after the last event and, once
 * asked, twice the wait before, up to JR_QUIET_MAX_MS.
 */
bool jr_watch_asks(const struct jr_bounds *bounds, struct jr_run *run, int64_t now_ms);

/* The furthest that quiet_due_ms lies ahead, unless the clock was set back. */
int64_t jr_watch_most_ms(const struct jr_bounds *bounds);

/*
 * Is a run over, so that no rerun of an older one can cancel it? It is when GitHub says so,
 * and when its jobs have: the event that ends a run may be lost, and nobody asks about one
 * whose known jobs have all succeeded. That is believed once nothing was heard of it for as
 * long as makes a run quiet, since a job may still come that needs the others.
 */
bool jr_watch_is_finished(const struct jr_bounds *bounds, const struct jr_run *run,
                          int64_t now_ms);

#endif
