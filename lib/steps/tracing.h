/*
 * tracing -- a rerun that nobody here has asked for: was it another host of ours, or a person?
 *
 * Where there are several hosts, the step in which such a rerun shows itself leaves an entry in
 * the outbox (JR_DUE_TRACE). When it is due, the dispatcher reads the claim of the attempt that was
 * rerun. Until then, and if that cannot be read for JR_TRACING_PATIENCE_MS, others have rerun it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TRACING_H
#define JR_TRACING_H

#include "lib/base/timestamp.h"
#include "lib/config/settings.h"
#include "lib/model/call.h"
#include "lib/model/run.h"
#include "lib/rules/input.h"
#include "lib/store/outbox.h"
#include "lib/store/store.h"

#include <stdint.h>

/* A claim that cannot be read is tried again after so long, and given up when it may have been
 * deleted (engine.c): 8 days after its last change. */
#define JR_TRACING_AGAIN_MS JR_MINUTE_MS
#define JR_TRACING_PATIENCE_MS (7 * JR_DAY_MS)

/*
 * Find the entry that is due first. It stays where it is until it is settled.
 *   entry   out, on JR_OK
 *   due_ms  out: when the first is due; 0: there is none
 * Returns JR_OK, JR_ENOENT when none is due by now_ms, or what failed.
 */
enum jr_err jr_tracing_find(struct jr_store *store, int64_t now_ms, struct jr_due *entry,
                            int64_t *due_ms, struct jr_error *error) JR_CHECKED;

/* What was recorded of an entry. */
struct jr_traced {
    struct jr_verdict verdict; /* changed: false, nothing was, since it was no host, or it is known
                                  already, or the run is forgotten */
    struct jr_run run;         /* as saved; of no use when nothing was recorded */
};

/*
 * Settle an entry: another host has asked for the rerun, or none has.
 *   call    of the host, as JR_REASON_RERUN_ELSEWHERE; NULL: it was none
 *   traced  out, on JR_OK
 */
enum jr_err jr_tracing_settle(struct jr_store *store, const struct jr_settings *settings,
                              const struct jr_due *entry, const struct jr_call *call,
                              int64_t now_ms, struct jr_traced *traced,
                              struct jr_error *error) JR_CHECKED;

/* The claim cannot be read: look again later, or give it up. */
enum jr_err jr_tracing_postpone(struct jr_store *store, const struct jr_due *entry,
                                int64_t now_ms, struct jr_error *error) JR_CHECKED;

/* Remove all entries: there are no other hosts any more. */
enum jr_err jr_tracing_drop(struct jr_store *store, struct jr_error *error) JR_CHECKED;

#endif
