/*
 * sweep -- rule 8: looks for missed work, in the lists of the known repositories and among the
 * runs that have gone quiet, within the share of the calls that such looks have.
 *
 * A list is read like any other question, beside the errands. One look is under way at a time, at
 * a list or at a quiet run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SWEEP_H
#define JR_SWEEP_H

#include "fcgi/process/calls.h"
#include "fcgi/process/desk.h"
#include "fcgi/process/errand.h"
#include "lib/github/github.h"
#include "lib/steps/reconcile.h"

#include <stdbool.h>
#include <stdint.h>

struct jr_sweeper {
    struct jr_desk *desk;
    struct jr_errands *errands;
    struct jr_sweep sweep; /* the one in progress */
    int64_t due_ms;        /* monotonic */
    bool lists_first;      /* whose turn it is, the lists' or the quiet runs' */
    struct jr_look look;
    struct jr_question question; /* about the look's repository: a page of it */
    struct jr_github_page page;
};

/* JR_OK or JR_ENOMEM. jr_sweeper_close() in both cases. */
enum jr_err jr_sweeper_open(struct jr_sweeper *sweeper, struct jr_desk *desk,
                            struct jr_errands *errands, struct jr_error *error) JR_CHECKED;
void jr_sweeper_close(struct jr_sweeper *sweeper);

/* Take up what a list has shown, if one has been read. */
void jr_sweeper_take(struct jr_sweeper *sweeper);

/*
 * Go on with what is to be looked at. Returns how long until there is something to be done, in
 * ms: 0 when something was done, JR_CALLS_NEVER when all that is to come follows the end of a
 * question.
 */
int64_t jr_sweeper_work(struct jr_sweeper *sweeper);

#endif
