/*
 * runview -- what is said of a run, its jobs, its history, and of what holds it up: records
 * with the same keys from the tool and from the pages. job-rerunner(8) documents them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RUNVIEW_H
#define JR_RUNVIEW_H

#include "lib/config/settings.h"
#include "lib/format/emit.h"
#include "lib/model/finding.h"
#include "lib/model/run.h"
#include "lib/store/causeholds.h"
#include "lib/store/history.h"
#include "lib/store/pause.h"

#include <stdint.h>

/*
 * A run.
 *   pauses  those in force
 */
void jr_runview_emit(struct jr_emit *emit, const char *key, const struct jr_settings *settings,
                     const struct jr_pauses *pauses, const struct jr_run *run);

/* Pauses, as an array. */
void jr_runview_emit_pauses(struct jr_emit *emit, const char *key, const struct jr_pauses *pauses);

/*
 * Reruns that are held, or were until now, as an array.
 *   waiting  how many runs wait, by each cause; NULL: it is not told
 */
void jr_runview_emit_outages(struct jr_emit *emit, const char *key,
                             const struct jr_causeholds *holds, const uint64_t *waiting);

/* A job, as an element of an array. */
void jr_runview_emit_job(struct jr_emit *emit, const struct jr_run *run, const struct jr_job *job);

/* Only the members of what was found out about a failed job, for an object that is open. */
void jr_runview_emit_failure(struct jr_emit *emit, const struct jr_failure *failure);

/* Only the members of an entry, for an object that is open. */
void jr_runview_emit_entry(struct jr_emit *emit, const struct jr_history *entry);

/* What kind of entry it is, in a word for people: "webhook", "GitHub", "by hand". Static. */
const char *jr_runview_kind(const struct jr_history *entry);

/* HTTP: our answer to a webhook, GitHub's to a call; 0: none. */
int jr_runview_status(const struct jr_history *entry);

#endif
