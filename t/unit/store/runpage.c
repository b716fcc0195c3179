/*
 * runpage -- runs for a page: which, in what order, where it ends, and what needs a person.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"
#include "lib/store/runpage.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOURS(n) (START_MS + (n) * JR_HOUR_MS)

struct run_row {
    uint64_t id;
    const char *repo, *branch, *workflow, *path;
    int64_t last_event_ms;
    enum jr_phase phase;
    enum jr_reason reason;
    enum jr_conclusion conclusion;
    enum jr_cause cause; /* of its one failure; NONE: none is recorded */
};

/* The reruns of 3 were used up, 5 waits, 8 is a real one; the others need nothing. */
static const struct run_row rows[] = {
    { 2, "octo/app", "main", "CI", "", HOURS(9), JR_PHASE_CLOSED, JR_REASON_RUN_SUCCEEDED, JR_CONCLUSION_SUCCESS, JR_CAUSE_NETWORK },
    { 3, "octo/app", "main", "CI", "", HOURS(2), JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP, JR_CONCLUSION_FAILURE, JR_CAUSE_TEST },
    { 4, "octo/lib", "release/1", "", ".github/workflows/go-live.yml", HOURS(3), JR_PHASE_CLOSED, JR_REASON_BRANCH_EXCLUDED, JR_CONCLUSION_FAILURE, JR_CAUSE_NONE },
    { 5, "octo/lib", "main", "CI", "", HOURS(4), JR_PHASE_DUE, JR_REASON_RUN_FAILED, JR_CONCLUSION_TIMED_OUT, JR_CAUSE_NETWORK },
    { 6, "Other/App", "hotfix", "CI", "", HOURS(5), JR_PHASE_CLOSED, JR_REASON_RUN_SUCCEEDED, JR_CONCLUSION_SUCCESS, JR_CAUSE_NONE },
    { 7, "octo/app", "main", "Deploy", "", HOURS(6), JR_PHASE_OPEN, JR_REASON_WAITING_FOR_JOBS, JR_CONCLUSION_NONE, JR_CAUSE_NONE },
    { 8, "other/app", "main", "CI", "", HOURS(7), JR_PHASE_CLOSED, JR_REASON_LEFT_BY_RULE, JR_CONCLUSION_FAILURE, JR_CAUSE_TEST },
    { 9, "octo/app", "main", "CI", "", HOURS(1), JR_PHASE_CLOSED, JR_REASON_SUPERSEDED, JR_CONCLUSION_FAILURE, JR_CAUSE_NETWORK },
};

static void save_in(struct jr_txn *txn, const struct run_row *row)
{
    struct jr_failure failure = { .job_id = 10 * row->id, .attempt = 1, .counts = true, .name = "build",
                                  .finding = { .cause = row->cause } };
    struct jr_run run;

    snprintf(failure.finding.signature, sizeof failure.finding.signature, "%s", row->id % 5 == 3 || row->id == 2 ? "odd" : "even");
    jr_ledger_load_run(txn, row->id, &run);
    run.attempt = 1;
    snprintf(run.repo, sizeof run.repo, "%s", row->repo);
    snprintf(run.branch, sizeof run.branch, "%s", row->branch);
    snprintf(run.workflow, sizeof run.workflow, "%s", row->workflow);
    snprintf(run.workflow_path, sizeof run.workflow_path, "%s", row->path);
    run.last_event_ms = run.told_ms = row->last_event_ms;
    run.complete = row->conclusion != JR_CONCLUSION_NONE;
    run.conclusion = row->conclusion;
    run.phase = row->phase;
    run.due_ms = row->phase == JR_PHASE_DUE ? HOURS(10) : 0;
    run.reason = row->reason;
    jr_ledger_save_run(txn, &run);
    if (row->cause != JR_CAUSE_NONE)
        jr_failures_save(txn, &run, &failure, row->last_event_ms);
}

static void save(struct jr_store *store, const struct run_row *row)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    save_in(&txn, row);
    commit(&txn);
}

static struct jr_store *open_with_rows(void)
{
    struct jr_store *store = open_store(new_folder());

    for (size_t i = 0; i < COUNT(rows); i++)
        save(store, &rows[i]);
    return store;
}

struct page_row {
    const char *name;
    struct jr_runpage_filter filter;
    const char *paused; /* a pattern of repositories; NULL: none are */
    const char *want;   /* the ids, in order */
};

#define ALL .conclusion = JR_RUNPAGE_ANY, .reason = JR_RUNPAGE_ANY

static void paged(void **state)
{
    const struct page_row *row = *state;
    struct jr_store *store = open_with_rows();

    for (size_t size = 1; size <= 9; size++) {
        struct jr_runpage_filter filter = row->filter;
        struct jr_pauses pauses = { .count = 1 };
        struct jr_runpage page = { .ended = false };
        struct jr_runpage_row found[9];
        struct jr_error error;
        char ids[64] = "";

        if (row->paused != NULL) {
            snprintf(pauses.items[0].pattern, sizeof pauses.items[0].pattern, "%s", row->paused);
            filter.pauses = &pauses;
        }
        while (!page.ended) {
            struct jr_runpage_place place = page.next;

            assert_int_equal(jr_runpage_read(store, &filter, &place, found, size, &page, &error), JR_OK);
            assert_false(page.cut);
            /* Only the last page is not full. */
            assert_true(page.count == size || page.ended);
            for (size_t i = 0; i < page.count; i++)
                snprintf(ids + strlen(ids), sizeof ids - strlen(ids), " %d", (int)found[i].run.run_id);
        }
        assert_string_equal(ids, row->want);
    }
    jr_store_close(store);
}

static const struct page_row pages[] = {
    { "failures first", { ALL }, NULL, " 8 3 5 9 7 6 4 2" },
    { "all alike", { ALL, .plain = true }, NULL, " 9 8 7 6 5 4 3 2" },
    { "of a repository", { ALL, .repo = "Octo/APP" }, NULL, " 3 9 7 2" },
    { "of a repository, all alike", { ALL, .repo = "octo/app", .plain = true }, NULL, " 9 7 3 2" },
    { "of one that nobody knows", { ALL, .repo = "octo/none" }, NULL, "" },
    { "of an owner", { ALL, .repo = "octo/*" }, NULL, " 3 5 9 7 4 2" },
    { "of a branch", { ALL, .branch = "main" }, NULL, " 8 3 5 9 7 2" },
    { "of branches", { ALL, .branch = "RELEASE/*" }, NULL, " 4" },
    { "of a workflow", { ALL, .workflow = "deploy" }, NULL, " 7" },
    { "of a workflow's file", { ALL, .workflow = "go-live.yml" }, NULL, " 4" },
    { "with a conclusion", { .conclusion = JR_CONCLUSION_FAILURE, .reason = JR_RUNPAGE_ANY }, NULL, " 8 3 9 4" },
    { "that succeeded", { .conclusion = JR_CONCLUSION_SUCCESS, .reason = JR_RUNPAGE_ANY }, NULL, " 6 2" },
    { "that go on", { .conclusion = JR_CONCLUSION_NONE, .reason = JR_RUNPAGE_ANY }, NULL, " 7" },
    { "for a reason", { .conclusion = JR_RUNPAGE_ANY, .reason = JR_REASON_LEFT_BY_RULE }, NULL, " 8" },
    { "for a reason that needs nobody", { .conclusion = JR_RUNPAGE_ANY, .reason = JR_REASON_SUPERSEDED }, NULL, " 9" },
    { "paused", { .conclusion = JR_RUNPAGE_ANY, .reason = JR_REASON_PAUSED }, "octo/*", " 5" },
    { "paused, so for no other reason", { .conclusion = JR_RUNPAGE_ANY, .reason = JR_REASON_RUN_FAILED }, "octo/*", "" },
    { "by a word", { ALL, .verdict = "given up" }, NULL, " 3" },
    { "by a word that may need somebody", { ALL, .verdict = "left alone" }, NULL, " 8 4" },
    { "that wait", { ALL, .verdict = "waiting" }, NULL, " 5" },
    { "by a word that needs nobody", { ALL, .verdict = "succeeded" }, NULL, " 6 2" },
    { "for a cause", { ALL, .cause = JR_CAUSE_NETWORK }, NULL, " 5 9 2" },
    { "for a cause, all alike", { ALL, .cause = JR_CAUSE_NETWORK, .plain = true }, NULL, " 9 5 2" },
    { "for a cause that none had", { ALL, .cause = JR_CAUSE_DISK }, NULL, "" },
    { "for a signature", { ALL, .signature = "odd" }, NULL, " 8 3 2" },
    { "for a signature of a cause", { ALL, .cause = JR_CAUSE_NETWORK, .signature = "odd" }, NULL, " 2" },
    { "for one that none had", { ALL, .cause = JR_CAUSE_NETWORK, .signature = "none" }, NULL, "" },
    { "since a time", { ALL, .since_ms = HOURS(4) }, NULL, " 8 5 7 6 2" },
    { "since a time within an hour", { ALL, .since_ms = HOURS(4) + 1 }, NULL, " 8 7 6 2" },
    { "since the end", { ALL, .since_ms = HOURS(99) }, NULL, "" },
    { "for a cause since a time, of an owner", { ALL, .cause = JR_CAUSE_NETWORK, .since_ms = HOURS(2), .repo = "octo/*" }, NULL, " 5 2" },
};

/* What a row tells besides its run. */
static void told_with_a_run(void **state)
{
    struct jr_store *store = open_with_rows();
    const struct jr_runpage_filter filter = { ALL };
    struct jr_failure failure = { .job_id = 31, .attempt = 2, .name = "report", .finding = { .cause = JR_CAUSE_ECHO } };
    const struct jr_runpage_place start = { .part = 0 };
    struct jr_runpage_row found[9];
    struct jr_runpage page;
    struct jr_error error;
    struct jr_txn txn;
    struct jr_run run;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, 3, &run);
    jr_failures_save(&txn, &run, &failure, HOURS(2));
    failure = (struct jr_failure){ .job_id = 32, .attempt = 2, .counts = true, .name = "build", .finding = { .cause = JR_CAUSE_DISK } };
    jr_failures_save(&txn, &run, &failure, HOURS(2));
    failure = (struct jr_failure){ .job_id = 33, .attempt = 2, .counts = true, .name = "test", .finding = { .cause = JR_CAUSE_TEST } };
    jr_failures_save(&txn, &run, &failure, HOURS(2));
    commit(&txn);
    damage_part(store, 8, JR_PART_FAILURE, 80);
    assert_int_equal(jr_runpage_read(store, &filter, &start, found, COUNT(found), &page, &error), JR_OK);
    assert_int_equal(page.count, COUNT(rows));
    assert_true(found[0].run.run_id == 8 && found[0].need == JR_NEED_LEFT && found[0].cause == JR_CAUSE_NONE);
    assert_true(found[1].need == JR_NEED_GIVEN_UP && found[1].cause == JR_CAUSE_DISK && found[1].job_id == 32);
    assert_true(found[2].run.run_id == 5 && found[2].need == JR_NEED_WAITS && found[2].job_id == 50);
    assert_true(found[3].need == JR_NEED_NOTHING && found[3].cause == JR_CAUSE_NETWORK && found[3].job_id == 90);
    assert_true(found[4].job_id == 0);
    /* A damaged run is passed over. */
    damage_part(store, 3, JR_PART_RUN, 0);
    assert_int_equal(jr_runpage_read(store, &filter, &start, found, COUNT(found), &page, &error), JR_OK);
    assert_int_equal(page.count, COUNT(rows) - 1);
    jr_store_close(store);
}

/* One that went quiet, and that GitHub does not show any more: of none of its jobs a failure is known. */
static void refused_without_a_failure(void **state)
{
    static const struct run_row quiet = { 10, "octo/app", "main", "CI", "", HOURS(1), JR_PHASE_CLOSED, JR_REASON_NOT_FOUND, JR_CONCLUSION_NONE, JR_CAUSE_NONE };
    static const struct jr_runpage_filter filters[] = {
        { ALL, .verdict = "refused" }, { .conclusion = JR_RUNPAGE_ANY, .reason = JR_REASON_NOT_FOUND },
    };
    struct jr_store *store = open_with_rows();

    (void)state;
    save(store, &quiet);
    for (size_t i = 0; i < COUNT(filters); i++) {
        const struct jr_runpage_place start = { .part = 0 };
        struct jr_runpage_row row;
        struct jr_runpage page;
        struct jr_error error;

        assert_int_equal(jr_runpage_read(store, &filters[i], &start, &row, 1, &page, &error), JR_OK);
        assert_true(page.count == 1 && row.run.run_id == quiet.id && row.need == JR_NEED_NOTHING);
    }
    jr_store_close(store);
}

static void no_such_page(void **state)
{
    struct jr_store *store = open_with_rows();
    struct jr_runpage_filter filter = { ALL };
    struct jr_runpage_place place = { .part = 3 };
    struct jr_runpage_row row;
    struct jr_runpage page;
    struct jr_error error;

    (void)state;
    assert_int_equal(jr_runpage_read(store, &filter, &place, &row, 1, &page, &error), JR_EINVAL);
    place.part = 2;
    assert_int_equal(jr_runpage_read(store, &filter, &place, &row, 1, &page, &error), JR_OK);
    assert_int_equal(row.run.run_id, 9);
    place.run_id = UINT64_MAX;
    assert_int_equal(jr_runpage_read(store, &filter, &place, &row, 1, &page, &error), JR_OK);
    assert_int_equal(row.run.run_id, 9);
    filter.plain = true;
    assert_int_equal(jr_runpage_read(store, &filter, &place, &row, 1, &page, &error), JR_EINVAL);
    assert_int_equal(page.count, 0);
    jr_store_close(store);
}

#define MANY 20000

/* Each third waits; each 1000th is of a repository of its own, and each 4000th of a branch of its own. */
static struct run_row one_of_many(uint64_t id)
{
    return (struct run_row){
        .id = id, .repo = id % 1000 == 0 ? "octo/rare" : "octo/app", .workflow = "CI", .path = "",
        .branch = id % 4000 == 0 ? "rare" : "main", .last_event_ms = HOURS((int64_t)(id % 48)),
        .phase = id % 3 == 0 ? JR_PHASE_DUE : JR_PHASE_CLOSED,
        .reason = id % 3 == 0 ? JR_REASON_RUN_FAILED : JR_REASON_RUN_SUCCEEDED,
        .conclusion = id % 3 == 0 ? JR_CONCLUSION_FAILURE : JR_CONCLUSION_SUCCESS,
    };
}

static struct jr_store *open_with_many(void)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 1; id <= MANY; id++) {
        struct run_row row = one_of_many(id);

        save_in(&txn, &row);
    }
    commit(&txn);
    return store;
}

/* How it is to go through many. */
struct many_row {
    const char *name;
    struct jr_runpage_filter filter;
    unsigned count, pages; /* that are found; that are asked for at most, of 500 rows */
};

/* No page reads more than it may, and all of them together find each run once. */
static void ceiling(void **state)
{
    static const struct many_row many[] = {
        { "all", { ALL }, MANY, 40 },
        { "by the list of a repository", { ALL, .repo = "octo/rare" }, MANY / 1000, 1 },
        { "a branch, by looking at all", { ALL, .branch = "rare", .plain = true }, MANY / 4000, 4 },
        { "a repository, by looking at all", { ALL, .repo = "octo/r*" }, MANY / 1000, 6 },
        { "of a short time", { ALL, .since_ms = HOURS(46) }, 2 * (MANY / 48), 2 },
        { "of a long time", { ALL, .since_ms = HOURS(10), .branch = "rare" }, 4, 6 },
        { "that nobody is needed for, by a word", { ALL, .verdict = "given up" }, 0, 1 },
        { "that wait, by a word", { ALL, .verdict = "waiting", .branch = "rare" }, 1, 6 },
    };
    struct jr_store *store = open_with_many();
    struct jr_runpage_row *found = calloc(JR_RUNPAGE_SIZE_MAX, sizeof *found);
    bool *seen = calloc(MANY + 1, sizeof *seen);

    (void)state;
    assert_true(found != NULL && seen != NULL);
    for (size_t i = 0; i < COUNT(many); i++) {
        struct jr_runpage page = { .ended = false };
        unsigned all = 0, asked = 0;
        struct jr_error error;

        memset(seen, 0, (MANY + 1) * sizeof *seen);
        while (!page.ended) {
            struct jr_runpage_place place = page.next;

            assert_int_equal(jr_runpage_read(store, &many[i].filter, &place, found, JR_RUNPAGE_SIZE_MAX,
                                             &page, &error), JR_OK);
            assert_true(page.looks <= JR_RUNPAGE_LOOKS);
            assert_int_equal(page.cut, page.looks == JR_RUNPAGE_LOOKS && page.count < JR_RUNPAGE_SIZE_MAX && !page.ended);
            all += (unsigned)page.count;
            asked++;
            for (size_t row = 0; row < page.count; row++) {
                assert_false(seen[found[row].run.run_id]);
                seen[found[row].run.run_id] = true;
            }
        }
        assert_int_equal(all, many[i].count);
        assert_true(asked <= many[i].pages);
    }
    free(seen);
    free(found);
    jr_store_close(store);
}

/* Between two pages runs come, get events, and go: none that stays as it is gets lost or repeated. */
static void written_in_between(void **state)
{
    struct jr_store *store = open_with_many();
    const struct jr_runpage_filter filter = { ALL };
    struct jr_runpage page = { .ended = false };
    struct jr_runpage_row *found = calloc(JR_RUNPAGE_SIZE_MAX, sizeof *found);
    unsigned *seen = calloc(MANY + 1000, sizeof *seen);
    uint64_t newest = MANY;
    struct jr_error error;

    (void)state;
    assert_true(found != NULL && seen != NULL);
    while (!page.ended) {
        struct jr_runpage_place place = page.next;
        struct run_row row = one_of_many(++newest);
        struct jr_txn txn;
        struct jr_run run;

        assert_int_equal(jr_runpage_read(store, &filter, &place, found, JR_RUNPAGE_SIZE_MAX, &page, &error), JR_OK);
        for (size_t i = 0; i < page.count; i++)
            seen[found[i].run.run_id]++;
        jr_txn_begin(&txn, store, true);
        save_in(&txn, &row);
        /* An event about an old one, which stays where it is; and the last one that was seen goes. */
        row = one_of_many(newest - MANY);
        row.last_event_ms = HOURS(60);
        save_in(&txn, &row);
        if (page.count > 0) {
            jr_ledger_load_run(&txn, found[page.count - 1].run.run_id, &run);
            jr_ledger_remove_run(&txn, &run);
        }
        commit(&txn);
    }
    for (uint64_t id = 1; id <= MANY; id++)
        assert_int_equal(seen[id], 1);
    free(seen);
    free(found);
    jr_store_close(store);
}

static void needy(void **state)
{
    static const enum jr_reason reasons[] = {
        JR_REASON_ATTEMPTS_USED_UP, JR_REASON_LEFT_BY_RULE, JR_REASON_NO_PERMISSION, JR_REASON_BRANCH_EXCLUDED,
    };
    struct jr_store *store = open_with_rows();
    struct jr_needy *needy = calloc(1, sizeof *needy);
    struct jr_error error;
    struct jr_txn txn;

    (void)state;
    assert_non_null(needy);
    assert_int_equal(jr_needy_read(store, HOURS(3), needy, &error), JR_OK);
    assert_true(needy->whole && needy->all == 1 && needy->counts[JR_NEED_LEFT] == 1);
    assert_int_equal(needy->counts[JR_NEED_WAITS], 0);
    assert_true(needy->newest_count == 1 && needy->newest[0].run.run_id == 8 && needy->newest[0].cause == JR_CAUSE_TEST);
    assert_int_equal(jr_needy_read(store, HOURS(99), needy, &error), JR_OK);
    assert_true(needy->whole && needy->all == 0 && needy->newest_count == 0);
    /* The newest are looked at, and no more than so many. */
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 101; id <= 100 + JR_NEEDY_LOOKS * 4 / 3; id++) {
        struct run_row row = rows[1];

        row.id = id;
        row.reason = reasons[id % COUNT(reasons)];
        row.cause = JR_CAUSE_NONE;
        save_in(&txn, &row);
    }
    commit(&txn);
    assert_int_equal(jr_needy_read(store, HOURS(1), needy, &error), JR_OK);
    assert_false(needy->whole);
    assert_int_equal(needy->all, JR_NEEDY_LOOKS);
    assert_int_equal(needy->counts[JR_NEED_GIVEN_UP] + needy->counts[JR_NEED_LEFT] + needy->counts[JR_NEED_ACCESS],
                     JR_NEEDY_LOOKS);
    assert_int_equal(needy->newest_count, JR_NEEDY_NEWEST);
    assert_int_equal(needy->newest[0].run.run_id, 100 + JR_NEEDY_LOOKS * 4 / 3);
    jr_store_close(store);
    /* However many wait. */
    store = open_with_rows();
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 101; id <= 101 + JR_NEEDY_LOOKS; id++) {
        struct run_row row = rows[3];

        row.id = id;
        save_in(&txn, &row);
    }
    commit(&txn);
    assert_int_equal(jr_needy_read(store, HOURS(1), needy, &error), JR_OK);
    assert_true(needy->whole && needy->all == 2 && needy->newest[0].run.run_id == 8);
    free(needy);
    jr_store_close(store);
}

int main(void)
{
    TABLE(pages, paged);
    TEST(told_with_a_run);
    TEST(refused_without_a_failure);
    TEST(no_such_page);
    TEST(ceiling);
    TEST(written_in_between);
    TEST(needy);
    return run_program("runpage");
}
