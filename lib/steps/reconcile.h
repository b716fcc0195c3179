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
    /* How long until one that was passed over has its turn, as the last jr_reconcile_begin()
     * saw it when it returned JR_ENOENT; 0: none was, the sweep is over. */
    int64_t held_ms;
};

/* What came of a page. */
struct jr_look_result {
    unsigned found;  /* how many runs got an outbox entry */
    unsigned closed; /* how many were recorded, but are not rerun */
    /* One for each run of the page. Reason NONE: nothing was new, or it is not on disk. */
    struct jr_verdict verdicts[JR_GITHUB_PAGE_RUNS];
};

/*
 * Begin a look at the repository whose turn it is. It is looked for outside the write lock,
 * and those that are not acted on are passed over without a trace.
 *   sweep  in and out: who was tried since it began is done with
 *   share  those that have to wait are passed over, for now; NULL: none has to
 *   look   out: active on JR_OK; if not, so many were passed over that another call,
 *          at once, has to go on
 * Returns JR_OK; JR_ENOENT when there is none to look at (sweep->held_ms); else what failed.
 */
enum jr_err jr_reconcile_begin(struct jr_store *store, const struct jr_settings *settings,
                               struct jr_sweep *sweep, int64_t now_ms,
                               const struct jr_share *share, struct jr_look *look,
                               struct jr_error *error) JR_CHECKED;

/*
 * Take up the runs of a page and go on to the next; after the last page of the
 * last list the look is over and how far it got is recorded.
 *   page    that GitHub has shown of look->list
 *   result  out: the verdicts also when it fails, of what was committed before
 * Returns JR_OK or what failed; then the look is over, and not recorded.
 */
enum jr_err jr_reconcile_page(struct jr_store *store, const struct jr_settings *settings,
                              struct jr_look *look, const struct jr_github_page *page,
                              int64_t now_ms, struct jr_look_result *result,
                              struct jr_error *error) JR_CHECKED;

/*
 * GitHub does not show the repository: deleted, or not to be seen. The look is over, and the
 * next one comes the later (jr_repo_gone).
 *   news  out: it showed it before
 */
enum jr_err jr_reconcile_gone(struct jr_store *store, struct jr_look *look, bool *news,
                              struct jr_error *error) JR_CHECKED;

#endif
