/*
 * reconcile -- looks through the repositories for failed runs that no event
 * told of: rule 8.
 *
 * A sweep looks at every known repository once. A look goes through the lists
 * of the repository's runs by each conclusion that deserves a rerun, a page at
 * a time, so that other work can come between. What it finds goes into the
 * outbox and is asked about like any other run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RECONCILE_H
#define JR_RECONCILE_H

#include "lib/config/settings.h"
#include "lib/github/github.h"
#include "lib/rules/input.h"
#include "lib/store/repo.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a look stands. */
struct jr_look {
    bool active;
    struct jr_repo repo;
    int64_t started_ms;
    bool deep;               /* looks far back */
    int conclusion;          /* enum jr_conclusion: whose list is being read */
    struct jr_github_list list; /* the page to ask for */
};

/* Where a sweep stands. */
struct jr_sweep {
    int64_t begun_ms;         /* 0: none is in progress */
    struct jr_repo_walk walk; /* all zero at first */
};

/*
 * Begin a look at the repository whose turn it is. It is looked for outside the write lock,
 * and those that are not acted on are passed over without a trace.
 *   sweep       who was tried since it began is done with
 *   share_wait  those that have to wait are passed over, for now; NULL: none has to
 *   look        out: active on JR_OK; if not, so many were passed over that another call,
 *               at once, has to go on
 *   held_ms     out: with JR_ENOENT, how long until one that was passed over has its
 *               turn; 0: none was, the sweep is over
 * Returns JR_OK; JR_ENOENT when there is none to look at; else what failed.
 */
enum jr_err jr_reconcile_begin(struct jr_store *store, const struct jr_settings *settings,
                               struct jr_sweep *sweep, int64_t now_ms,
                               jr_share_wait *share_wait, void *context, struct jr_look *look,
                               int64_t *held_ms, struct jr_error *error) JR_CHECKED;

/*
 * Take up the runs of a page and go on to the next; after the last page of the
 * last list the look is over and how far it got is recorded.
 *   shown  how many runs the page held
 *   verdicts  out: `count` entries of the caller's, one for each of runs; reason
 *           NONE: nothing was new, or it is not on disk
 *   found   out: how many runs got an outbox entry
 *   closed  out: how many were recorded, but are not rerun
 */
enum jr_err jr_reconcile_page(struct jr_store *store, const struct jr_settings *settings,
                              struct jr_look *look, const struct jr_event *runs, size_t count,
                              size_t shown, int64_t now_ms, struct jr_verdict *verdicts,
                              unsigned *found, unsigned *closed,
                              struct jr_error *error) JR_CHECKED;

/*
 * GitHub does not show the repository: deleted, or not to be seen. The look is over, and the
 * next one comes the later (jr_repo_gone).
 *   news  out: it showed it before
 */
enum jr_err jr_reconcile_gone(struct jr_store *store, struct jr_look *look, bool *news,
                              struct jr_error *error) JR_CHECKED;

#endif
