/*
 * reconcile -- looks through the repositories for failed runs that no event
 * told of: rule 8.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/reconcile.h"
#include "lib/base/timestamp.h"
#include "lib/steps/step.h"
#include "lib/store/ledger.h"

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
        if (!jr_bounds_looks_at(bounds, (enum jr_conclusion)look->conclusion))
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

/* Whose turn is looked for. */
struct finding {
    const struct jr_repo_search *search;
    struct jr_sweep *sweep;
    struct jr_repo *repo;   /* out */
    enum jr_repo_turn turn; /* out */
};

static void find(struct jr_txn *txn, void *context)
{
    struct finding *finding = context;
    struct jr_sweep *sweep = finding->sweep;

    finding->turn = jr_repo_next(txn, finding->search, &sweep->walk, finding->repo,
                                 &sweep->held_ms);
}

/* A look that is noted as tried. */
struct trying {
    int64_t tried_ms;
    struct jr_look *look;
};

/* The look is active unless its repository was forgotten meanwhile. */
static void try(struct jr_txn *txn, void *context)
{
    const struct trying *trying = context;
    struct jr_look *look = trying->look;

    look->active = jr_repo_tried(txn, look->repo.id, trying->tried_ms, &look->repo);
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
    /* It is found outside the write lock, which workers need. */
    struct finding finding = { &search, sweep, &look->repo, JR_REPO_NONE };
    struct trying trying = { tried_ms, look };
    enum jr_err err;

    memset(look, 0, sizeof *look);
    err = jr_store_read(store, find, &finding, error);
    if (err != JR_OK)
        return err;
    if (finding.turn != JR_REPO_FOUND)
        return finding.turn == JR_REPO_NONE ? JR_ENOENT : JR_OK;
    err = jr_store_write(store, try, &trying, error);
    if (err != JR_OK)
        look->active = false;
    if (!look->active)
        return err;
    look->started_ms = now_ms;
    /* Times to come are of a clock that was set back. */
    look->deep = look->repo.deep_ms > now_ms || look->repo.look_ms > now_ms
                 || now_ms - look->repo.deep_ms >= DEEP_INTERVAL_MS;
    look->list.from_ms = look_from(look);
    look->active = next_list(&bounds, look);
    return look->active ? JR_OK : JR_ENOENT;
}

/* Runs of a page that are taken up in one transaction. */
struct batch {
    struct jr_bounds bounds;
    int64_t now_ms;
    const struct jr_event *runs;
    size_t count;
    struct jr_verdict *verdicts; /* out: one for each */
    unsigned found, closed;      /* out: as in the result */
};

static void take_up(struct jr_txn *txn, struct batch *batch, size_t at)
{
    const struct jr_event *seen = &batch->runs[at];
    struct jr_input input = { .kind = JR_INPUT_LISTED, .now_ms = batch->now_ms, .event = seen };
    struct jr_verdict *verdict = &batch->verdicts[at];
    struct jr_run run, before;

    if (!jr_ledger_read_run(txn, seen->run_id, &run))
        return;
    before = run;
    jr_step_take(txn, &batch->bounds, &input, NULL, &run, verdict);
    /* What is only confirmed was told, and counted, when it was decided. */
    if (run.phase == JR_PHASE_CLOSED && before.phase == JR_PHASE_CLOSED
        && run.attempt == before.attempt && run.reason == before.reason)
        verdict->reason = JR_REASON_NONE;
    if (verdict->changed)
        *(run.due_ms != 0 ? &batch->found : &batch->closed) += 1;
}

static void take_up_all(struct jr_txn *txn, void *context)
{
    struct batch *batch = context;

    batch->found = batch->closed = 0;
    memset(batch->verdicts, 0, batch->count * sizeof *batch->verdicts);
    for (size_t i = 0; i < batch->count; i++)
        take_up(txn, batch, i);
}

static void record(struct jr_txn *txn, void *context)
{
    const struct jr_look *look = context;

    jr_repo_looked(txn, &look->repo);
}

/* Record that the look is over and how far it got. */
static enum jr_err finish(struct jr_store *store, struct jr_look *look, struct jr_error *error)
{
    look->active = false;
    look->repo.look_ms = look->started_ms;
    if (look->deep)
        look->repo.deep_ms = look->started_ms;
    return jr_store_write(store, record, look, error);
}

/* A repository that GitHub does not show. */
struct absence {
    const struct jr_repo *repo;
    bool *news; /* out */
};

static void note_absence(struct jr_txn *txn, void *context)
{
    const struct absence *absence = context;

    *absence->news = jr_repo_gone(txn, absence->repo);
}

enum jr_err jr_reconcile_gone(struct jr_store *store, struct jr_look *look, bool *news,
                              struct jr_error *error)
{
    struct absence absence = { &look->repo, news };

    look->active = *news = false;
    return jr_store_write(store, note_absence, &absence, error);
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

/* Take up the runs of a page, some at a time. */
static enum jr_err take_up_page(struct jr_store *store, const struct jr_bounds *bounds,
                                const struct jr_github_page *page, int64_t now_ms,
                                struct jr_look_result *result, struct jr_error *error)
{
    struct batch batch = { .bounds = *bounds, .now_ms = now_ms };
    enum jr_err err = JR_OK;

    result->found = result->closed = 0;
    memset(result->verdicts, 0, page->count * sizeof *result->verdicts);
    for (size_t done = 0; done < page->count && err == JR_OK; done += batch.count) {
        batch.runs = page->runs + done;
        batch.verdicts = result->verdicts + done;
        batch.count = page->count - done < BATCH ? page->count - done : BATCH;
        err = jr_store_write(store, take_up_all, &batch, error);
        if (err == JR_OK) {
            result->found += batch.found;
            result->closed += batch.closed;
        } else {
            memset(batch.verdicts, 0, batch.count * sizeof *batch.verdicts);
        }
    }
    return err;
}

enum jr_err jr_reconcile_page(struct jr_store *store, const struct jr_settings *settings,
                              struct jr_look *look, const struct jr_github_page *page,
                              int64_t now_ms, struct jr_look_result *result,
                              struct jr_error *error)
{
    struct jr_bounds bounds = jr_step_bounds(settings);
    enum jr_err err = take_up_page(store, &bounds, page, now_ms, result, error);

    if (err != JR_OK) {
        look->active = false;
        return err;
    }
    if (page->shown >= JR_GITHUB_PAGE_RUNS) {
        next_page(look, page->runs, page->count);
        if (look->list.until_ms >= look->list.from_ms
            || (look->list.until_ms == 0 && look->list.page > 1))
            return JR_OK;
    }
    return next_list(&bounds, look) ? JR_OK : finish(store, look, error);
}
