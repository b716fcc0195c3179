/*
 * guardcalls -- what GitHub is asked for the guards of a policy, right before a rerun: cheapest
 * first, and only as far as no guard holds.
 *
 * What GitHub refuses to tell (403, 404) lets the run pass, and is not asked for again for an
 * hour. What it does not tell now is asked for again some times, with the run's backoff.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_GUARDCALLS_H
#define JR_GUARDCALLS_H

#include "fcgi/process/desk.h"
#include "fcgi/process/refusals.h"
#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/rules/policy.h"
#include "lib/steps/guarding.h"

/*
 * So long what GitHub has told for the guards stays good, from the last answer on. The run itself
 * is asked about anew meanwhile, when it is no longer fresh: so that a rerun can follow, however
 * slow the API is.
 */
#define JR_GUARDCALLS_GOOD_MS JR_MINUTE_MS

struct jr_guardcalls;

enum jr_guardcalls_end {
    JR_GUARDCALLS_GO_ON,
    JR_GUARDCALLS_DONE,     /* all is told that can be; or the store failed: the step tells it */
    JR_GUARDCALLS_LATER,    /* GitHub did not answer: jr_guardcalls_call() says how */
    JR_GUARDCALLS_LAID_DOWN /* no more may be asked now; the run stays due */
};

/*
 * Begin to ask.
 *   refusals  like `desk' they outlast them
 *   question  by which they ask: the errand's
 *   about     the policies, which outlast them, the run that is to be rerun, and what GitHub has
 *             shown of it, which are copied; news is not looked at
 *   news      in and out: what has been told; the caller's, as long as they go on
 * Returns NULL when nothing is to be asked, or when there is no memory for it: then nobody could
 * say.
 */
struct jr_guardcalls *jr_guardcalls_begin(struct jr_desk *desk, struct jr_refusals *refusals,
                                          struct jr_question *question,
                                          const struct jr_guarded_run *about,
                                          struct jr_guard_news *news);

/* Take them on as far as they go without waiting, when the question is over. */
enum jr_guardcalls_end jr_guardcalls_work(struct jr_guardcalls *calls);

const struct jr_call *jr_guardcalls_call(const struct jr_guardcalls *calls);

/* End them, over or not. NULL: nothing. */
void jr_guardcalls_end(struct jr_guardcalls *calls);

#endif
