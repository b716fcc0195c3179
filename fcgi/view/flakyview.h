/*
 * flakyview -- what is said of jobs that fail and then pass, and of runners: records with the
 * same keys from the tool and from the pages. job-rerunner(8) documents them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_FLAKYVIEW_H
#define JR_FLAKYVIEW_H

#include "lib/format/emit.h"
#include "lib/store/flaky.h"

#include <stddef.h>
#include <stdint.h>

/* A job or a runner, as an element of an array. */
void jr_flakyview_emit(struct jr_emit *emit, enum jr_flaky_kind kind, const struct jr_flaky *row);

/* Members `rate', `rate_low' and `rate_high' (jr_wilson) of an object that is open. */
void jr_flakyview_emit_rate(struct jr_emit *emit, uint64_t hits, uint64_t of);

/* Some of a kind as the outermost array, with a heading, as CSV has it. */
void jr_flakyview_emit_list(struct jr_emit *emit, enum jr_flaky_kind kind,
                            const struct jr_flaky *rows, size_t count);

/*
 * The worst of a kind, and all of it together: two members of an object that is open.
 *   kind   JR_FLAKY_JOB: "jobs" and "jobs_total"; JR_FLAKY_RUNNER: "runners" and "runners_total"
 *   total  NULL: it is not known, and null
 */
void jr_flakyview_emit_all(struct jr_emit *emit, enum jr_flaky_kind kind,
                           const struct jr_flaky *rows, size_t count,
                           const struct jr_flaky_total *total);

#endif
