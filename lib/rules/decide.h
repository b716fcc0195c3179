/*
 * decide -- what an event means, and whether a run is to be rerun.
 *
 * Pure: no clock, no I/O, no memory of its own. Everything is in the arguments,
 * so that each decision can be tried in any order of events and replayed.
 * An outbox entry is asked for by setting run->due_ms and taken back by setting
 * it to 0; who stores the run keeps the outbox in step.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_DECIDE_H
#define JR_DECIDE_H

#include "lib/base/timestamp.h"
#include "lib/config/settings.h"
#include "lib/model/call.h"
#include "lib/model/event.h"
#include "lib/model/run.h"

#include <stdbool.h>
#include <stdint.h>

/* Hosted and self-hosted runs are ended by GitHub after 35 days:
 * https://docs.github.com/en/actions/reference/limits */
#define JR_RUN_LIFE_MS (35 * JR_DAY_MS)

/* "up to 30 days after its initial run":
 * https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs */
#define JR_RERUN_LIFE_MS (30 * JR_DAY_MS)

/* How often a run can be rerun, whoever does it: https://docs.github.com/en/actions/reference/limits */
#define JR_RERUNS_LIMIT 50

/* Rule 8: the longest wait before GitHub is asked again about a quiet run. */
#define JR_QUIET_MAX_MS JR_HOUR_MS

/* A POST that was begun longer ago than this is no longer under way: http.c gives it 30 s. */
#define JR_POST_LIMIT_MS (35 * JR_SECOND_MS)

/* What an event comes to. */
struct jr_decision {
    int status; /* the HTTP status that it is answered with: 200, 201, 202, 204, 404 */
    enum jr_reason reason;
    /* An older attempt that this ended: 0, or its number and what became of it. */
    uint32_t ended_attempt;
    enum jr_reason ended_reason;
};

/*
 * Apply one webhook event.
 *   anew    it was answered before, with a 204 because of a setting: answer it as
 *           if it came for the first time
 *   run     in and out; known == false: a run of which nothing is recorded,
 *           all else in it zero
 *   job     in and out, of the event's job_id; not looked at for JR_EVENT_RUN
 *   now_ms  when the event came
 */
void jr_decide_event(const struct jr_settings *settings, const struct jr_event *event,
                     bool anew, struct jr_run *run, struct jr_job *job, int64_t now_ms,
                     struct jr_decision *decision);

/* What the dispatcher does next about a run. */
enum jr_step {
    JR_STEP_NONE,         /* nothing: closed, or a newer entry stands */
    JR_STEP_WAIT,         /* ask again at due_ms */
    JR_STEP_RERUN_FAILED, /* POST rerun-failed-jobs; the intent is in the run */
    JR_STEP_RERUN_ALL     /* POST rerun; the intent is in the run */
};

struct jr_verdict {
    enum jr_step step;
    enum jr_reason reason;
    uint32_t attempt; /* the attempt that was decided on */
    uint32_t ended_attempt;
    enum jr_reason ended_reason;
    bool rescued; /* the run has ended in success by a rerun of ours; set by who records it */
};

/* What is known of newer runs of the same workflow, branch, event and head repository, with
 * another commit. */
enum jr_newer_state {
    JR_NEWER_NONE,
    JR_NEWER_FINISHED,  /* all that are known are over */
    JR_NEWER_UNFINISHED /* one is under way: a rerun of the older run may cancel it */
};

struct jr_newer {
    enum jr_newer_state state;
    uint64_t run_id; /* of the one under way, else of the newest; 0: there is none */
};

/*
 * Is a run over, so that no rerun of an older one can cancel it? It is when GitHub says so,
 * and when its jobs have: the event that ends a run may be lost, and nobody asks about one
 * whose known jobs have all succeeded. That is believed once nothing was heard of it for as
 * long as makes a run quiet (rule 8), since a job may still come that needs the others.
 */
bool jr_decide_is_finished(const struct jr_settings *settings, const struct jr_run *run,
                           int64_t now_ms);

/*
 * Learn from GitHub's answer what is true of the run in all its attempts. jr_decide_seen()
 * does so by itself; this is for who has to know it before.
 */
void jr_decide_learn(const struct jr_settings *settings, const struct jr_event *seen,
                     struct jr_run *run);

/*
 * Is GitHub to be asked for the workflow's name before the run is judged? So it is while
 * NO_RETRY_WORKFLOWS has patterns for names (others end in .yml or .yaml), no event has told
 * the name (answers about runs do not tell it) and no pattern matches the path.
 *   seen  NULL, or GitHub's answer: one that is not to be rerun anyway needs no name
 */
bool jr_decide_wants_workflow(const struct jr_settings *settings, const struct jr_run *run,
                              const struct jr_event *seen);

/*
 * Decide on a run after GitHub has shown it.
 *   newer           what the store knows of newer runs
 *   seen            the answer of GET; run_id is the run's
 *   claimed_due_ms  the entry's due_ms as it was when the question was begun: if
 *                   the run has another by now, the newer entry stays
 * For a RERUN step, run->intent_ms is set and run->due_ms lies API_BACKOFF_MIN
 * ahead: store both before the POST.
 */
void jr_decide_seen(const struct jr_settings *settings, const struct jr_event *seen,
                    const struct jr_newer *newer, struct jr_run *run, int64_t claimed_due_ms,
                    int64_t now_ms, struct jr_verdict *verdict);

/*
 * A watched run's quiet_due_ms has come: is GitHub to be asked? Sets when to
 * look next: later of twice RECONCILE_INTERVAL after the last event and, once
 * asked, twice the wait before, up to JR_QUIET_MAX_MS. After true, ask, and go
 * on with jr_decide_seen() or jr_decide_outcome(); the run has no outbox entry
 * (claimed_due_ms 0).
 */
bool jr_decide_quiet(const struct jr_settings *settings, struct jr_run *run, int64_t now_ms);

/* The furthest that quiet_due_ms lies ahead, unless the clock was set back. */
int64_t jr_decide_quiet_max_ms(const struct jr_settings *settings);

/*
 * A list of failed runs shows one. If its attempt has no verdict yet it gets an
 * outbox entry, or is closed when it ended longer ago than CATCH_UP.
 *   run  as for jr_decide_event()
 * Returns whether anything was changed; verdict is then set.
 */
bool jr_decide_listed(const struct jr_settings *settings, const struct jr_event *seen,
                      struct jr_run *run, int64_t now_ms, struct jr_verdict *verdict);

/*
 * An administrator asks for a rerun: ask GitHub at once, and whatever it shows as
 * failed is rerun, by RUN_ATTEMPTS or more, whatever filters, RETRY_CONCLUSIONS
 * and CATCH_UP say. GitHub's own limits, rule 6 and DRY_RUN hold.
 *   repo  owner/name, for a run of which nothing is recorded
 *   run   as for jr_decide_event()
 * Returns JR_REASON_NONE, and the run has an outbox entry; or why not, and
 * nothing is changed.
 */
enum jr_reason jr_decide_by_hand(const struct jr_settings *settings, const char *repo,
                                 struct jr_run *run, int64_t now_ms);

/* Decide on a run without a token, when GitHub cannot be asked: from the events alone. */
void jr_decide_unseen(const struct jr_settings *settings, const struct jr_newer *newer,
                      struct jr_run *run, int64_t claimed_due_ms, struct jr_verdict *verdict);

/*
 * Record what came of a call about a run.
 *   attempt  the attempt that the call was about
 *   posted   it was the POST; else the GET, which is not DONE here
 */
void jr_decide_outcome(const struct jr_settings *settings, struct jr_run *run,
                       uint32_t attempt, bool posted, const struct jr_call *call,
                       int64_t claimed_due_ms, int64_t now_ms, struct jr_verdict *verdict);

#endif
