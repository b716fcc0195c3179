/*
 * step -- one step of one run in the store: whatever happens to a run goes through here.
 *
 * A step applies the one transition (jr_decide) to a run that was loaded, and writes what
 * comes of it: the job, the history, what is counted, the run with its outbox entry.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_STEP_H
#define JR_STEP_H

#include "lib/config/settings.h"
#include "lib/model/call.h"
#include "lib/model/run.h"
#include "lib/rules/decide.h"
#include "lib/store/delivery.h"
#include "lib/store/store.h"

/* What the history keeps of an input besides its facts. NULL, where there is none. */
struct jr_origin {
    const struct jr_delivery *delivery; /* of an event */
    const struct jr_call *call;         /* that GitHub answered, or did not */
    const char *who;                    /* asks by hand; "": nobody knows */
};

/* So long after a rerun that nobody here has asked for, it is looked whose it is. */
#define JR_STEP_TRACE_MS (2 * JR_SECOND_MS)

/* The bounds that the settings make. Its lists are those of the settings. */
struct jr_bounds jr_step_bounds(const struct jr_settings *settings);

/*
 * Take a step.
 *   source   NULL: the input's facts are all
 *   run      in: as loaded in this transaction; out: as saved. Where verdict->changed is
 *            false, nothing is written
 *   verdict  out
 * What fails, fails the transaction.
 */
void jr_step_take(struct jr_txn *txn, const struct jr_bounds *bounds,
                  const struct jr_input *input, const struct jr_origin *source,
                  struct jr_run *run, struct jr_verdict *verdict);

#endif
