/*
 * vigil -- what people are told that no single step of a run shows: a runner that stands out, a
 * job whose reruns help less than they did. Looked for once in a while.
 *
 * A runner stands out as flaky.h has it. The rescue rate of a job is rescued of rescued and
 * failed again. It has fallen when the 95 % interval of its last JR_VIGIL_DAYS days lies below
 * that of the days before these, of JR_FLAKY_RECENT_DAYS in all, and both have
 * JR_VIGIL_LEAST cases. Either is told once, and not again before it was otherwise for
 * JR_NOTICES_QUIET_MS.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_VIGIL_H
#define JR_VIGIL_H

#include "lib/store/flaky.h"
#include "lib/store/notices.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define JR_VIGIL_DAYS 7
#define JR_VIGIL_LEAST 10

/* So many runners, and jobs with the most rescues, are looked at. */
#define JR_VIGIL_RUNNERS 10
#define JR_VIGIL_JOBS 50

/* So many short transactions are made in a look for the last days of these jobs. */
#define JR_VIGIL_READS 20

/* Has a rate fallen? Pure. */
bool jr_vigil_has_fallen(struct jr_notice_rate now, struct jr_notice_rate before);

/*
 * Look, and add a notice for each that was not told.
 *   notify_on  bits of enum jr_notice_kind: what is to be told
 *   walk       in and out: where to go on in the rows of jobs; all zero at first
 * Returns JR_OK or what failed; then nothing is added.
 */
enum jr_err jr_vigil_look(struct jr_store *store, unsigned notify_on, int64_t now_ms,
                          struct jr_flaky_walk *walk, struct jr_error *error) JR_CHECKED;

#endif
