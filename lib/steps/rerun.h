/*
 * rerun -- the dispatcher's steps in the store, each one transaction.
 *
 * For one due entry: claim, ask GitHub, record what was seen, POST, record the
 * outcome. The intent is on disk before the POST; a process that dies between
 * leaves an entry that is due API_BACKOFF_MIN later and asks before it posts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RERUN_H
#define JR_RERUN_H

#include "lib/config/settings.h"
#include "lib/model/call.h"
#include "lib/model/run.h"
#include "lib/rules/input.h"
#include "lib/rules/policy.h"
#include "lib/steps/guarding.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* So many entries that are held up one call of jr_rerun_first() looks over, at most. */
#define JR_RERUN_LOOKS 1000

/* An entry of the outbox; all zero: before the first. */
struct jr_rerun_place {
    int64_t due_ms;
    uint64_t run_id;
};

/*
 * A search for what is not held up. At first, and whenever something else is held up than
 * before, or what was in hand is no longer, all zero but for `wait', `in_hand' and `context'.
 * Kept between calls, so that what is held up costs something once and not at each step.
 */
struct jr_rerun_walk {
    jr_share_wait *wait; /* tells the repositories that are held up: not 0; NULL: none is */
    /* is a run looked after, or its turn only in a moment? NULL: none is */
    bool (*in_hand)(void *context, const struct jr_run *run);
    void *context;
    bool going_on; /* the last call stopped in the middle, at `at' */
    bool late;     /* it is among those due later than latest_ms */
    struct jr_rerun_place at;
    struct jr_rerun_place held; /* up to there all are held up; the next search begins there */
    int64_t begun_ms;           /* when a search began before the first entry */
};

/*
 * Find the entry that is due first; one due later than latest_ms comes before all
 * others (jr_ledger_first_due). Runs whose repository is held up, and those in hand, are looked
 * over, and stand where they are. An entry that was made between them, due long ago, is found
 * within a minute.
 *   walk    NULL: nothing is held up
 *   due_ms  out: when it is or was due
 *   run     out: the run it belongs to
 * Returns JR_OK; JR_ENOENT when there is none; JR_EBUSY when JR_RERUN_LOOKS were held up, and
 * due_ms is when to look further; JR_EFORMAT when the run's record is damaged or missing
 * (run->run_id is set: jr_rerun_drop()); else what failed.
 */
enum jr_err jr_rerun_first(struct jr_store *store, int64_t latest_ms, int64_t now_ms,
                           struct jr_rerun_walk *walk, int64_t *due_ms, struct jr_run *run,
                           struct jr_error *error) JR_CHECKED;

/* Take an entry out of the outbox whose run cannot be read, so that it stops no other. */
enum jr_err jr_rerun_drop(struct jr_store *store, int64_t due_ms, uint64_t run_id,
                          struct jr_error *error) JR_CHECKED;

/* Move the entry of a claimed run to another time, unless it has moved by itself. */
enum jr_err jr_rerun_postpone(struct jr_store *store, struct jr_run *run, int64_t due_ms,
                              struct jr_error *error) JR_CHECKED;

/*
 * Look at the watched run whose time comes first (JR_INPUT_QUIET).
 *   share   a run whose repository has to wait is put off by RECONCILE_INTERVAL,
 *           as if nobody had looked; NULL: none has to. It is asked inside the transaction, and
 *           again when that has to run again
 *   run     out: the run to ask about, on JR_OK
 *   due_ms  out: when the first watched run is to be looked at; 0: none is watched
 * Returns JR_OK: ask about the run; JR_ENOENT: there is none to ask about now;
 * JR_EFORMAT: its record is damaged, and it is watched no longer; else what failed.
 */
enum jr_err jr_rerun_quiet(struct jr_store *store, const struct jr_settings *settings,
                           int64_t now_ms, const struct jr_share *share, struct jr_run *run,
                           int64_t *due_ms, struct jr_error *error) JR_CHECKED;

/* What GitHub answered about a run. */
struct jr_rerun_answer {
    const struct jr_call *call;  /* how it was asked, and how the answer was sorted */
    const struct jr_event *seen; /* what a GET has shown; NULL: nothing, or it was the POST */
    bool posted;                 /* it was the POST */
    const struct jr_policy *policy; /* whose guards are asked about what was shown; NULL: of none */
    const struct jr_policy *own; /* the repository's, under that; NULL: it has none */
    const struct jr_guard_news *news; /* what GitHub was asked for them; NULL: nothing */
    const struct jr_spending *repo_spent, *all_spent; /* what all hosts have spent, if that is
                                    known; NULL: what the store has counted */
    jr_causes held_elsewhere;    /* for which another host holds reruns, for all hosts */
    bool is_held;                /* it was not asked for them, since jr_rerun_held() had a reason */
    uint32_t attempt;            /* that it is about; jr_rerun_seen() does not look at it */
};

/*
 * Record what GitHub showed and decide (JR_INPUT_SEEN). When verdict->step says
 * RERUN, the intent is on disk.
 *   answer  to a GET; seen is not NULL
 *   run     in: as claimed; out: as saved
 * Returns JR_EBUSY when all work is paused, or that of the run's repository, under the
 * name it had or the one that GitHub tells: nothing is recorded but that name, and whoever
 * has paused it can rely on no POST being begun. Likewise when is_held is true no longer.
 */
enum jr_err jr_rerun_seen(struct jr_store *store, const struct jr_settings *settings,
                          const struct jr_rerun_answer *answer, struct jr_run *run,
                          int64_t now_ms, struct jr_verdict *verdict,
                          struct jr_error *error) JR_CHECKED;

/* Decide without asking, for a dry run without a token (JR_INPUT_UNSEEN). */
enum jr_err jr_rerun_unseen(struct jr_store *store, const struct jr_settings *settings,
                            struct jr_run *run, int64_t now_ms, struct jr_verdict *verdict,
                            struct jr_error *error) JR_CHECKED;

/*
 * Record what came of a GET that showed nothing (JR_INPUT_FAILED), or of the POST
 * (JR_INPUT_POSTED).
 *   answer  seen is not looked at
 *   run     in: as claimed; out: as saved
 */
enum jr_err jr_rerun_outcome(struct jr_store *store, const struct jr_settings *settings,
                             const struct jr_rerun_answer *answer, struct jr_run *run,
                             int64_t now_ms, struct jr_verdict *verdict,
                             struct jr_error *error) JR_CHECKED;

/*
 * Is GitHub to be asked for the workflow's name before the run is judged
 * (jr_verdict_wants_workflow)?
 *   own   the policy of the repository's own; NULL: it has none, or that is not known yet
 *   seen  NULL, or GitHub's answer
 */
bool jr_rerun_wants_workflow(const struct jr_settings *settings, const struct jr_policy *own,
                             const struct jr_run *run, const struct jr_event *seen);

/*
 * Would GitHub's answer, and nothing that is recorded meanwhile, ask for a rerun? Nothing is
 * recorded by this.
 */
bool jr_rerun_is_wanted(const struct jr_settings *settings, const struct jr_run *run,
                        const struct jr_event *seen, int64_t now_ms);

/*
 * Would an outage or the policy's limits make a run wait, or be left, if it were rerun now? It is
 * asked before GitHub is, which has to answer nothing about a run that waits anyhow. Nothing is
 * recorded by this.
 *   answer  its policy, and what a GET has shown; seen NULL: the run counts as it is known
 *   hold    out: no reason: nothing does; until_ms 0: it would be left
 * Returns JR_OK or what failed.
 */
enum jr_err jr_rerun_held(struct jr_store *store, const struct jr_settings *settings,
                          const struct jr_rerun_answer *answer, struct jr_run *run,
                          int64_t now_ms, struct jr_hold *hold,
                          struct jr_error *error) JR_CHECKED;

/* When the last POST was begun; 0: never. */
enum jr_err jr_rerun_last_post(struct jr_store *store, int64_t *last_post_ms,
                               struct jr_error *error) JR_CHECKED;

#endif
