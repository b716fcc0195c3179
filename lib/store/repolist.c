/*
 * repolist -- repositories for a page: all that are known, and how it goes in one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/repolist.h"
#include "lib/base/text.h"
#include "lib/store/budget.h"
#include "lib/store/key.h"
#include "lib/store/ledger.h"
#include "lib/store/runindex.h"

#include <string.h>
#include <strings.h>

/* Repositories are given ids by GitHub below this: one that has none is known by its name. */
#define BY_NAME (UINT64_C(1) << 63)

/* The next repository whose record can be read. */
static bool next_repo(struct jr_txn *txn, uint64_t *after, struct jr_repo *repo)
{
    struct jr_key key = jr_key_of_id(*after);
    struct jr_entry entry;

    if (!jr_txn_seek(txn, JR_TABLE_REPOS, key.bytes, key.length, true, &entry))
        return false;
    *after = jr_key_number_at(&entry, 0);
    if (!jr_repo_load(txn, *after, repo))
        *repo = (struct jr_repo){ .id = *after };
    return true;
}

/* Under which number the days of its runs are counted. */
static uint64_t scope_of(const struct jr_repo *repo)
{
    struct jr_run run = { .repo_id = repo->id < BY_NAME ? repo->id : 0 };

    jr_text_copy(run.repo, sizeof run.repo, repo->name);
    return jr_budget_scope(&run);
}

static void count_runs(struct jr_txn *txn, uint32_t most, struct jr_repo_row *row)
{
    uint64_t scope = jr_runindex_scope(row->repo.name), run_id = 0;

    while (row->runs < most && jr_runindex_before(txn, JR_RUNINDEX_REPO, scope, &run_id))
        row->runs++;
    row->more_runs = row->runs == most
                     && jr_runindex_before(txn, JR_RUNINDEX_REPO, scope, &run_id);
}

/*
 * Tell all of a repository.
 *   row   in: `repo'
 *   days  out: its last JR_REPOLIST_DAYS
 */
static void tell(struct jr_txn *txn, const struct jr_repolist_filter *filter, uint32_t most_runs,
                 struct jr_repo_row *row, struct jr_day *days)
{
    struct jr_repo repo = row->repo;
    struct jr_ownpolicy own;

    memset(row, 0, sizeof *row);
    row->repo = repo;
    row->scope = scope_of(&repo);
    count_runs(txn, most_runs, row);
    jr_days_load(txn, row->scope, filter->now_ms, days, JR_REPOLIST_DAYS);
    row->sum.start_ms = days[0].start_ms;
    for (size_t i = 0; i < JR_REPOLIST_DAYS; i++)
        jr_day_add(&row->sum, &days[i]);
    row->paused = filter->pauses != NULL && jr_pauses_find(filter->pauses, repo.name) != NULL;
    row->gone = repo.gone_looks > 0;
    jr_ownpolicy_load(txn, row->scope, &own);
    row->own = own.state;
    jr_ownpolicy_release(&own);
}

/* A list in the making. */
struct reading {
    const struct jr_repolist_filter *filter;
    struct jr_repolist *list;
    uint64_t after;
};

static void read_rows(struct jr_txn *txn, void *context)
{
    struct reading *reading = context;
    const struct jr_repolist_filter *filter = reading->filter;
    struct jr_repolist *list = reading->list;
    uint32_t most_runs = (uint32_t)(JR_REPOLIST_RUNS / list->size);

    for (unsigned looks = 0; looks < JR_REPOLIST_LOOKS && list->count < list->size; looks++) {
        struct jr_repo_row *row = &list->rows[list->count];
        struct jr_day days[JR_REPOLIST_DAYS];

        list->ended = !next_repo(txn, &reading->after, &row->repo);
        if (list->ended)
            return;
        if (*row->repo.name == '\0'
            || (*filter->repo != '\0' && !jr_text_match(filter->repo, row->repo.name)))
            continue;
        tell(txn, filter, most_runs, row, days);
        list->count++;
    }
}

enum jr_err jr_repolist_read(struct jr_store *store, const struct jr_repolist_filter *filter,
                             uint64_t *after, struct jr_repolist *list, struct jr_error *error)
{
    struct reading reading = { .filter = filter, .list = list, .after = *after };
    enum jr_err err;

    list->count = 0;
    list->ended = false;
    err = jr_store_read(store, read_rows, &reading, error);
    if (err != JR_OK)
        list->count = 0;
    else
        *after = reading.after;
    return err;
}

/* Its newest run. */
static bool find_run(struct jr_txn *txn, const char *name, struct jr_run *run)
{
    uint64_t scope = jr_runindex_scope(name), run_id = 0;

    for (unsigned looks = 0; looks < JR_REPOLIST_LOOKS
                             && jr_runindex_before(txn, JR_RUNINDEX_REPO, scope, &run_id); looks++)
        if (jr_ledger_read_run(txn, run_id, run) && strcasecmp(run->repo, name) == 0)
            return true;
    return false;
}

/* Find the repository by its newest run, which tells the id. */
static bool find_by_run(struct jr_txn *txn, const char *name, struct jr_repo *repo)
{
    struct jr_run run;

    if (!find_run(txn, name, &run) || run.repo_id == 0)
        return false;
    if (!jr_repo_load(txn, run.repo_id, repo) || strcasecmp(repo->name, name) != 0) {
        *repo = (struct jr_repo){ .id = run.repo_id };
        jr_text_copy(repo->name, sizeof repo->name, run.repo);
    }
    return true;
}

/* Find it by looking at all. */
static bool find_by_name(struct jr_txn *txn, const char *name, struct jr_repo *repo)
{
    uint64_t after = 0;

    for (unsigned looks = 0; looks < JR_REPOLIST_LOOKS && next_repo(txn, &after, repo); looks++)
        if (strcasecmp(repo->name, name) == 0)
            return true;
    return false;
}

struct finding {
    const struct jr_repolist_filter *filter;
    struct jr_repo_health *health;
};

static void find(struct jr_txn *txn, void *context)
{
    const struct finding *finding = context;
    const char *name = finding->filter->repo;
    struct jr_repo_health *health = finding->health;

    if (*name == '\0'
        || (!find_by_run(txn, name, &health->row.repo)
            && !find_by_name(txn, name, &health->row.repo))) {
        jr_txn_fail(txn, JR_ENOENT, "nothing is known of the repository %s", name);
        return;
    }
    tell(txn, finding->filter, JR_REPOLIST_RUNS, &health->row, health->days);
}

enum jr_err jr_repolist_find(struct jr_store *store, const struct jr_repolist_filter *filter,
                             struct jr_repo_health *health, struct jr_error *error)
{
    struct finding finding = { filter, health };

    memset(health, 0, sizeof *health);
    return jr_store_read(store, find, &finding, error);
}
