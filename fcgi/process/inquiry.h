/*
 * inquiry -- why an attempt failed: its jobs are asked for, their annotations and their logs,
 * cheapest first and only as far as the policy needs them, and each job is judged.
 *
 * What is found out about a job is recorded at once, so that nothing is asked twice, whatever
 * happens in between. A piece that cannot be read is asked for again some times, and then
 * counts as unreadable, which is never the same as absent.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_INQUIRY_H
#define JR_INQUIRY_H

#include "fcgi/process/desk.h"
#include "fcgi/process/ownfiles.h"
#include "fcgi/process/refusals.h"
#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/rules/policy.h"
#include "lib/steps/judging.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jr_inquiry;

/* What inquiries share. */
struct jr_inquirer {
    struct jr_desk *desk;
    struct jr_policy policy; /* in force */
    struct jr_inquiry *first; /* those under way */
    struct jr_refusals refusals; /* what the token may not read */
};

/*
 * Begin, before the process confines itself: the matcher is started, if the policy asks for
 * causes. Returns JR_OK, or why there can be no inquiries.
 */
enum jr_err jr_inquirer_open(struct jr_inquirer *inquirer, struct jr_desk *desk,
                             struct jr_error *error) JR_CHECKED;

/* All inquiries have ended. */
void jr_inquirer_close(struct jr_inquirer *inquirer);

/* Take what has been read or judged meanwhile. Returns whether there was anything. */
bool jr_inquirer_work(struct jr_inquirer *inquirer);

enum jr_inquiry_end {
    JR_INQUIRY_GOES_ON,
    JR_INQUIRY_DONE,     /* all is found out that decides */
    JR_INQUIRY_LATER,    /* GitHub did not answer: jr_inquiry_call() says how */
    JR_INQUIRY_LAID_DOWN /* no more may be asked now; the run stays due */
};

/*
 * Begin one.
 *   question  by which it asks: the errand's, which lasts as long as the inquiry
 *   run       whose attempt failed; copied
 *   began_ms  when the attempt began, by GitHub's clock; 0: not told
 *   own       the policy of the repository's own, which outlasts it; NULL: there is none
 * Where nobody asks for a cause, nothing is looked for, and it is done at once. Returns NULL when
 * there is no memory.
 */
struct jr_inquiry *jr_inquiry_begin(struct jr_inquirer *inquirer, struct jr_question *question,
                                    const struct jr_run *run, int64_t began_ms,
                                    const struct jr_ownfile *own);

/* Take it on as far as it goes without waiting; after jr_inquirer_work(), or when its question
 * is over. */
enum jr_inquiry_end jr_inquiry_work(struct jr_inquiry *inquiry);

/* Does it ask GitHub now? Else it reads a log, or waits for a judge. */
bool jr_inquiry_asks(const struct jr_inquiry *inquiry);

const struct jr_call *jr_inquiry_call(const struct jr_inquiry *inquiry);
struct jr_judging *jr_inquiry_findings(struct jr_inquiry *inquiry);

/* End it, over or not; its question may be dropped afterwards. NULL: nothing. */
void jr_inquiry_end(struct jr_inquiry *inquiry);

#endif
