/*
 * reconcile -- looks through the repositories for failed runs that no event
 * told of: rule 8.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/work/reconcile.h"
#include "lib/base/timestamp.h"
#include "lib/store/ledger.h"
#include "lib/work/step.h"

#include <string.h>

/*
 * A list goes by when a run was created, and it is found only once it has
 * failed: so each look goes back before the last one, by what most runs take,
 * and once a day by more than a job on a self-hosted runner may take (5 days).
 */
#define BACK_MS (6 * JR_HOUR_MS)
#define DEEP_BACK_MS (6 * JR_DAY_MS)
#define DEEP_INTERVAL_MS JR_DAY_MS

/* Runs taken up in one transaction, so that no worker waits long. */
#define BATCH 20

/* The next conclusion whose list is to be read; false after the last. */
static bool next_list(const struct jr_bounds *bounds, struct jr_look *look)
{
    while (++look->conclusion <= JR_CONCLUSION_OTHER) {
        if (!jr_bounds_retries(bounds, (enum jr_conclusion)look->conclusion))
            continue;
        look->list.conclusion = jr_conclusion_name((enum jr_conclusion)look->conclusion);
        look->list.until_ms = 0;
        look->list.page = 1;
        return true;
    }
    return false;
}

/* From when on runs are looked for. Never before the repository was first seen. */
static int64_t look_from(const struct jr_look *look)
{
    const struct jr_repo *repo = &look->repo;
    int64_t from_ms;

    if (repo->look_ms == 0)
        return repo->first_seen_ms;
    from_ms = repo->look_ms < look->started_ms ? repo->look_ms : look->started_ms;
    from_ms -= look->deep ? DEEP_BACK_MS : BACK_MS;
    return from_ms > repo->first_seen_ms ? from_ms : repo->first_seen_ms;
}

/* What may be looked at: by the caller's share, and the settings. */
struct gate {
    const struct jr_bounds *bounds;
    const struct jr_share *share;
};

static int64_t gate_wait_ms(void *context, const char *repo)
{
    const struct gate *gate = context;

    return jr_bounds_covers(gate->bounds, repo) ? jr_share_wait_ms(gate->share, repo)
                                                : JR_SHARE_NONE;
}

/* Find whose turn it is. Reads only: workers need the write lock. */
static enum jr_err find(struct jr_store *store, const struct jr_repo_search *search,
                        struct jr_sweep *sweep, struct jr_repo *repo, enum jr_repo_turn *turn,
                        struct jr_error *error)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, false);
    *turn = jr_repo_next(&txn, search, &sweep->walk, repo, &sweep->held_ms);
    jr_txn_abort(&txn);
    *error = txn.error;
    return error->code;
}

/* Note that it is tried. The look is active unless it was forgotten meanwhile. */
static enum jr_err try(struct jr_store *store, int64_t tried_ms, struct jr_look *look,
                       struct jr_error *error)
{
    struct jr_txn txn;
    enum jr_err err;

    jr_txn_begin(&txn, store, true);
    look->active = jr_repo_tried(&txn, look->repo.id, tried_ms, &look->repo);
    err = jr_txn_commit(&txn);
    if (err == JR_OK)
        return JR_OK;
    look->active = false;
    *error = txn.error;
    return err;
}

enum jr_err jr_reconcile_begin(struct jr_store *store, const struct jr_settings *settings,
                               struct jr_sweep *sweep, int64_t now_ms,
                               const struct jr_share *share, struct jr_look *look,
                               struct jr_error *error)
{
    int64_t tried_ms = now_ms > sweep->begun_ms ? now_ms : sweep->begun_ms;
    struct jr_bounds bounds = jr_step_bounds(settings);
    struct gate gate = { &bounds, share };
    const struct jr_share gated = { gate_wait_ms, &gate };
    const struct jr_repo_search search = {
        .since_ms = sweep->begun_ms,
        .now_ms = tried_ms,
        .interval_ms = bounds.reconcile_interval_ms,
        .share = &gated,
    };
    enum jr_repo_turn turn;
    enum jr_err err;

    memset(look, 0, sizeof *look);
    err = find(store, &search, sweep, &look->repo, &turn, error);
    if (err != JR_OK)
        return err;
    if (turn != JR_REPO_FOUND)
        return turn == JR_REPO_NONE ? JR_ENOENT : JR_OK;
    err = try(store, tried_ms, look, error);
    if (err != JR_OK || !look->active)
        return err;
    look->started_ms = now_ms;
    /* Times to come are of a clock that was set back. */
    look->deep = look->repo.deep_ms > now_ms || look->repo.look_ms > now_ms
                 || now_ms - look->repo.deep_ms >= DEEP_INTERVAL_MS;
    look->list.from_ms = look_from(look);
    look->active = next_list(&bounds, look);
    return look->active ? JR_OK : JR_ENOENT;
}

static void take_up(struct jr_txn *txn, const struct jr_bounds *bounds,
                    const struct jr_event *seen, int64_t now_ms, struct jr_verdict *verdict,
                    struct jr_look_result *result)
{
    struct jr_input input = { .kind = JR_INPUT_LISTED, .now_ms = now_ms, .event = seen };
    struct jr_run run;

    if (!jr_ledger_read_run(txn, seen->run_id, &run))
        return;
    jr_step_take(txn, bounds, &input, NULL, &run, verdict);
    if (verdict->changed)
        *(run.due_ms != 0 ? &result->found : &result->closed) += 1;
}

/* Record that the look is over and how far it got. */
static enum jr_err finish(struct jr_store *store, struct jr_look *look, struct jr_error *error)
{
    struct jr_txn txn;
    enum jr_err err;

    look->active = false;
    look->repo.look_ms = look->started_ms;
    if (look->deep)
        look->repo.deep_ms = look->started_ms;
    jr_txn_begin(&txn, store, true);
    jr_repo_looked(&txn, &look->repo);
    err = jr_txn_commit(&txn);
    if (err != JR_OK)
        *error = txn.error;
    return err;
}

enum jr_err jr_reconcile_gone(struct jr_store *store, struct jr_look *look, bool *news,
                              struct jr_error *error)
{
    struct jr_txn txn;
    enum jr_err err;

    look->active = false;
    jr_txn_begin(&txn, store, true);
    *news = jr_repo_gone(&txn, &look->repo);
    err = jr_txn_commit(&txn);
    if (err != JR_OK)
        *error = txn.error;
    return err;
}

/*
 * Where to go on after a full page: at the time of its oldest run, not at the
 * next page, since what is rerun meanwhile leaves the list and moves all pages.
 * Only runs of one and the same second need pages, as many as GitHub gives.
 */
static void next_page(struct jr_look *look, const struct jr_event *runs, size_t count)
{
    int64_t oldest_ms = count > 0 ? runs[count - 1].created_ms : 0;

    if (oldest_ms != 0 && (look->list.until_ms == 0 || oldest_ms < look->list.until_ms)) {
        look->list.until_ms = oldest_ms;
        look->list.page = 1;
    } else if (look->list.page < JR_GITHUB_PAGES) {
        look->list.page++;
    } else {
        look->list.until_ms -= JR_SECOND_MS;
        look->list.page = 1;
    }
}

enum jr_err jr_reconcile_page(struct jr_store *store, const struct jr_settings *settings,
                              struct jr_look *look, const struct jr_github_page *page,
                              int64_t now_ms, struct jr_look_result *result,
                              struct jr_error *error)
{
    struct jr_bounds bounds = jr_step_bounds(settings);
    struct jr_verdict *verdicts = result->verdicts;
    size_t begin = 0, count = page->count;
    struct jr_txn txn;
    enum jr_err err = JR_OK;

    result->found = result->closed = 0;
    memset(verdicts, 0, count * sizeof *verdicts);
    for (size_t done = 0; done < count && err == JR_OK;) {
        begin = done;
        jr_txn_begin(&txn, store, true);
        for (size_t end = done + BATCH; done < count && done < end; done++)
            take_up(&txn, &bounds, &page->runs[done], now_ms, &verdicts[done], result);
        err = jr_txn_commit(&txn);
    }
    if (err != JR_OK) {
        memset(verdicts + begin, 0, (count - begin) * sizeof *verdicts);
        *error = txn.error;
        look->active = false;
        return err;
    }
    if (page->shown >= JR_GITHUB_PAGE_RUNS) {
        next_page(look, page->runs, count);
        if (look->list.until_ms >= look->list.from_ms
            || (look->list.until_ms == 0 && look->list.page > 1))
            return JR_OK;
    }
    return next_list(&bounds, look) ? JR_OK : finish(store, look, error);
}
