/*
 * notice_rule -- of which runs people are told.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_NOTICE_RULE_H
#define JR_NOTICE_RULE_H

#include "lib/model/notice.h"
#include "lib/model/run.h"
#include "lib/rules/bounds.h"

#include <stdbool.h>

/*
 * Has a step given the run up, and is that to be told: is its branch one whose failures matter
 * to all? Given up is a completed attempt that failed and is closed since its attempts are used
 * up, since the policy takes the failure for a real one, since GitHub reruns it no more, or since
 * it has waited in vain; not one that nobody needs any more, that a setting or a guard leaves
 * alone, or for which the token may not do it.
 */
bool jr_notice_rule_gives_up(const struct jr_bounds *bounds, const struct jr_run *before,
                             const struct jr_run *run);

/* The notice of such a run. Its causes are not known here. */
struct jr_notice jr_notice_rule_of_run(const struct jr_run *run, int64_t now_ms);

#endif
