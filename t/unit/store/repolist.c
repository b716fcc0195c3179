/*
 * repolist -- repositories for a page: all that are known, and how it goes in one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/repolist.h"
#include "lib/store/runindex.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

/* A run of a repository, for which a rerun was accepted. */
static void save_run(struct jr_store *store, uint64_t id, uint64_t repo_id, const char *repo, int64_t now_ms)
{
    struct jr_txn txn;
    struct jr_run before, run;

    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, id, &before);
    before.repo_id = repo_id;
    snprintf(before.repo, sizeof before.repo, "%s", repo);
    before.last_event_ms = now_ms;
    run = before;
    run.known = true;
    run.reruns++;
    jr_days_note(&txn, &before, &run, now_ms);
    jr_ledger_save_run(&txn, &run);
    jr_repo_note(&txn, repo_id, repo, now_ms);
    commit(&txn);
}

static struct jr_store *open_with_repos(void)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_ownpolicy own = { .state = JR_OWNPOLICY_BROKEN, .asked_ms = START_MS, .line = 3, .column = 5,
                                .problem = "there is no key 'colour'" };
    struct jr_txn txn;
    struct jr_repo repo;

    for (uint64_t id = 1; id <= 6; id++)
        save_run(store, id, 7, "octo/app", START_MS);
    save_run(store, 7, 5, "octo/lib", START_MS - 29 * JR_DAY_MS);
    save_run(store, 8, 5, "octo/lib", START_MS - 30 * JR_DAY_MS);
    save_run(store, 9, 0, "Host/Old", START_MS);
    jr_txn_begin(&txn, store, true);
    jr_ownpolicy_save(&txn, 7, &own);
    assert_true(jr_repo_load(&txn, 5, &repo));
    repo.gone_looks = 2;
    jr_repo_save(&txn, &repo);
    commit(&txn);
    return store;
}

struct list_row {
    const char *name, *repo, *paused;
    const char *want; /* of each: its name, runs known, reruns of the last days, marks */
};

static void listed(void **state)
{
    const struct list_row *row = *state;
    struct jr_store *store = open_with_repos();

    for (size_t size = 1; size <= 4; size++) {
        struct jr_pauses pauses = { .count = row->paused != NULL };
        struct jr_repolist_filter filter = { .now_ms = START_MS, .pauses = row->paused == NULL ? NULL : &pauses };
        struct jr_repo_row rows[4];
        struct jr_repolist list = { .rows = rows, .size = size };
        struct jr_error error;
        char found[256] = "";
        uint64_t after = 0;

        snprintf(filter.repo, sizeof filter.repo, "%s", row->repo);
        if (row->paused != NULL)
            snprintf(pauses.items[0].pattern, sizeof pauses.items[0].pattern, "%s", row->paused);
        while (!list.ended) {
            assert_int_equal(jr_repolist_read(store, &filter, &after, &list, &error), JR_OK);
            for (size_t i = 0; i < list.count; i++)
                snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s %u %u%s%s%s", *found == '\0' ? "" : ", ",
                         rows[i].repo.name, rows[i].runs, rows[i].sum.reruns, rows[i].paused ? " paused" : "",
                         rows[i].gone ? " gone" : "", rows[i].own == JR_OWNPOLICY_BROKEN ? " broken" : "");
        }
        assert_string_equal(found, row->want);
    }
    jr_store_close(store);
}

static const struct list_row lists[] = {
    { "all", "", NULL, "octo/lib 2 1 gone, octo/app 6 6 broken, Host/Old 1 1" },
    { "of an owner", "OCTO/*", NULL, "octo/lib 2 1 gone, octo/app 6 6 broken" },
    { "paused", "", "octo/a*", "octo/lib 2 1 gone, octo/app 6 6 paused broken, Host/Old 1 1" },
    { "none", "nobody/*", NULL, "" },
};

struct find_row {
    const char *name, *repo;
    enum jr_err want;
    const char *found; /* its name */
    uint64_t scope;    /* 0: by its name */
    uint32_t runs, reruns, today;
};

static void found(void **state)
{
    const struct find_row *row = *state;
    struct jr_store *store = open_with_repos();
    struct jr_repolist_filter filter = { .now_ms = START_MS };
    struct jr_repo_health health;
    struct jr_error error;

    snprintf(filter.repo, sizeof filter.repo, "%s", row->repo);
    assert_int_equal(jr_repolist_find(store, &filter, &health, &error), row->want);
    if (row->want == JR_OK) {
        assert_string_equal(health.row.repo.name, row->found);
        assert_true(row->scope == 0 ? health.row.scope > INT64_MAX : health.row.scope == row->scope);
        assert_int_equal(health.row.runs, row->runs);
        assert_int_equal(health.row.sum.reruns, row->reruns);
        assert_int_equal(health.row.sum.start_ms, START_MS / JR_DAY_MS * JR_DAY_MS - 29 * JR_DAY_MS);
        assert_int_equal(health.days[JR_REPOLIST_DAYS - 1].reruns, row->today);
        assert_true((health.row.own == JR_OWNPOLICY_BROKEN) == (row->scope == 7));
    }
    jr_store_close(store);
}

static const struct find_row finds[] = {
    { "by its name", "octo/app", JR_OK, "octo/app", 7, 6, 6, 6 },
    { "in any case", "OCTO/App", JR_OK, "octo/app", 7, 6, 6, 6 },
    { "the day before the first is not told", "octo/lib", JR_OK, "octo/lib", 5, 2, 1, 0 },
    { "that has no id", "host/old", JR_OK, "Host/Old", 0, 1, 1, 1 },
    { "unknown", "octo/none", JR_ENOENT, NULL, 0, 0, 0, 0 },
    { "a pattern", "octo/*", JR_ENOENT, NULL, 0, 0, 0, 0 },
    { "nothing", "", JR_ENOENT, NULL, 0, 0, 0, 0 },
};

/* It was forgotten, or has no runs any more: what there is of it is told. */
static void known_in_part(void **state)
{
    struct jr_store *store = open_with_repos();
    struct jr_repolist_filter filter = { .repo = "octo/app", .now_ms = START_MS };
    struct jr_repo_place place = { .key_length = 0 };
    struct jr_repo_health health;
    struct jr_error error;
    struct jr_txn txn;
    struct jr_run run;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_repo_prune(&txn, START_MS + JR_DAY_MS, 9, &place);
    commit(&txn);
    assert_int_equal(jr_repolist_find(store, &filter, &health, &error), JR_OK);
    assert_true(health.row.repo.id == 7 && health.row.runs == 6 && health.row.repo.first_seen_ms == 0);
    jr_txn_begin(&txn, store, true);
    jr_repo_note(&txn, 7, "octo/app", START_MS);
    for (uint64_t id = 1; id <= 6; id++) {
        jr_ledger_load_run(&txn, id, &run);
        jr_ledger_remove_run(&txn, &run);
    }
    commit(&txn);
    assert_int_equal(jr_repolist_find(store, &filter, &health, &error), JR_OK);
    assert_true(health.row.repo.first_seen_ms == START_MS && health.row.runs == 0 && health.row.sum.reruns == 6);
    jr_store_close(store);
}

/* No call looks at more than it may: the next one goes on. */
static void bounded(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repolist_filter filter = { .repo = "octo/last", .now_ms = START_MS };
    struct jr_repo_row row;
    struct jr_repolist list = { .rows = &row, .size = 1 };
    uint64_t after = 0;
    struct jr_error error;
    struct jr_txn txn;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 1; id <= JR_REPOLIST_LOOKS + 10; id++)
        jr_repo_note(&txn, id, id == JR_REPOLIST_LOOKS + 10 ? "octo/last" : "octo/app", START_MS);
    commit(&txn);
    for (uint64_t id = 1; id <= JR_REPOLIST_RUNS + 1; id++) {
        if (id % 2000 == 1)
            jr_txn_begin(&txn, store, true);
        jr_runindex_put(&txn, JR_RUNINDEX_REPO, jr_runindex_scope("octo/last"), id);
        if (id % 2000 == 0 || id == JR_REPOLIST_RUNS + 1)
            commit(&txn);
    }
    assert_int_equal(jr_repolist_read(store, &filter, &after, &list, &error), JR_OK);
    assert_true(list.count == 0 && !list.ended && after == JR_REPOLIST_LOOKS);
    assert_int_equal(jr_repolist_read(store, &filter, &after, &list, &error), JR_OK);
    assert_true(list.count == 1 && row.runs == JR_REPOLIST_RUNS && row.more_runs);
    assert_int_equal(jr_repolist_read(store, &filter, &after, &list, &error), JR_OK);
    assert_true(list.count == 0 && list.ended);
    jr_store_close(store);
}

int main(void)
{
    TABLE(lists, listed);
    TABLE(finds, found);
    TEST(known_in_part);
    TEST(bounded);
    return run_program("repolist");
}
