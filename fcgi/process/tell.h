/*
 * tell -- what the dispatcher tells the log of its work.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TELL_H
#define JR_TELL_H

#include "fcgi/process/desk.h"
#include "lib/model/call.h"
#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/rules/input.h"
#include "lib/steps/judging.h"
#include "lib/steps/reporting.h"
#include "lib/store/causeholds.h"
#include "lib/store/ownpolicy.h"

#include <stdint.h>

/* What administrators did by hand since this was last called, with their names. */
void jr_tell_acts(struct jr_desk *desk);

/* What is paused since before the start: who looks why nothing happens finds it. */
void jr_tell_pauses(struct jr_desk *desk);

/* What is new about reruns that are held in an outage. */
void jr_tell_outages(const struct jr_causeholds *news);

/*
 * What was decided about a run.
 *   call         NULL when GitHub was not asked
 *   duration_us  of what led to the decision
 */
void jr_tell_decision(const struct jr_run *run, const struct jr_verdict *verdict,
                      const struct jr_call *call, int64_t duration_us);

/* What was found out about each failed job of an attempt, and what the policy makes of it. */
void jr_tell_findings(const struct jr_run *run, const struct jr_verdict *verdict,
                      const struct jr_judging *findings);

/* What is new about the policy file of a repository. */
void jr_tell_ownfile(const char *repo, const struct jr_ownpolicy *own);

/* What came of saying something at GitHub; it is counted, too. */
struct jr_tell_said {
    const char *repo;
    uint64_t run_id;    /* that it is about; 0: none */
    const char *commit; /* likewise; NULL or empty: none */
    const char *in;     /* what: "check-run" ... */
    enum jr_reporting_end end;
    const struct jr_call *call; /* the last one; NULL: none was made */
};
void jr_tell_said(const struct jr_desk *desk, const struct jr_tell_said *said);

/* What came of a POST. */
void jr_tell_outcome(const struct jr_run *run, const struct jr_verdict *verdict,
                     const struct jr_call *call);

/* What a list has shown of a run, and what follows; nothing if that was no news. */
void jr_tell_listed(const struct jr_event *seen, const struct jr_verdict *verdict,
                    const struct jr_call *call);

#endif
