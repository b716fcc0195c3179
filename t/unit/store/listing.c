/*
 * listing -- runs newest first, the outbox, one run's story, in small batches.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/ledger.h"
#include "lib/store/listing.h"
#include "lib/store/repo.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

#define HOURS(n) (START_MS + (n) * JR_HOUR_MS)

static void save_in(struct jr_txn *txn, uint64_t id, const char *repo, int64_t last_event_ms, int64_t due_ms)
{
    struct jr_run run;

    jr_ledger_load_run(txn, id, &run);
    run.attempt = 1;
    snprintf(run.repo, sizeof run.repo, "%s", repo);
    run.last_event_ms = last_event_ms;
    run.due_ms = due_ms;
    snprintf(run.branch, sizeof run.branch, "%s", id == 7 ? "release/1" : id == 9 ? "hotfix" : "main");
    snprintf(run.workflow, sizeof run.workflow, "%s", id == 3 ? "Deploy" : id == 8 ? "" : "CI");
    snprintf(run.workflow_path, sizeof run.workflow_path, "%s",
             id == 3 || id == 8 ? ".github/workflows/go-live.yml" : "");
    run.reason = id == 1 || id == 9 ? JR_REASON_JOBS_FAILED : JR_REASON_JOBS_SUCCEEDED;
    run.complete = true;
    run.conclusion = id == 1 || id == 5 ? JR_CONCLUSION_FAILURE
                     : id == 2          ? JR_CONCLUSION_SUCCESS
                                        : JR_CONCLUSION_TIMED_OUT;
    run.phase = due_ms != 0 ? JR_PHASE_DUE : JR_PHASE_CLOSED;
    jr_ledger_save_run(txn, &run);
}

static void save(struct jr_store *store, uint64_t id, const char *repo, int64_t last_event_ms, int64_t due_ms)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    save_in(&txn, id, repo, last_event_ms, due_ms);
    commit(&txn);
}

struct list_row {
    const char *name, *repos;
    int phase;
    int64_t since_ms;
    const char *want; /* the ids, in order */
    const char *branches, *workflows;
    const char *paused; /* a pattern of repositories; NULL: none are */
    enum jr_reason reason;         /* NONE: whatever it is */
    enum jr_conclusion conclusion; /* likewise */
};

static void listed(void **state)
{
    const struct list_row *row = *state;
    struct jr_store *store = open_store(new_folder());

    save(store, 5, "octo/app", HOURS(1), 0);
    save(store, 1, "octo/lib", HOURS(9), HOURS(10));
    save(store, 7, "octo/app", HOURS(9) + JR_MINUTE_MS, 0);
    save(store, 3, "other/app", HOURS(4), HOURS(6));
    save(store, 9, "octo/app", HOURS(2) + 30 * JR_MINUTE_MS, HOURS(3));
    /* Of one hour, and by their ids in another order; of one moment. */
    save(store, 2, "octo/app", HOURS(9) + 2 * JR_MINUTE_MS, 0);
    save(store, 8, "octo/app", HOURS(4), 0);
    save(store, 6, "octo/app", HOURS(5), 0);
    damage_part(store, 6, JR_PART_RUN, 0);
    for (size_t size = 1; size <= 8; size++) {
        bool reasons[JR_REASONS] = { false }, conclusions[JR_CONCLUSIONS] = { false };
        struct jr_pauses pauses = { .count = 1 };
        struct jr_listing_filter filter = {
            .phase = row->phase,
            .since_ms = row->since_ms,
            .reasons = row->reason == JR_REASON_NONE ? NULL : reasons,
            .conclusions = row->conclusion == JR_CONCLUSION_NONE ? NULL : conclusions,
            .pauses = row->paused == NULL ? NULL : &pauses,
        };
        struct jr_listing listing = { .ended = false };
        struct jr_run runs[8];
        struct jr_error error;
        char found[64] = "";
        size_t count;

        snprintf(pauses.items[0].pattern, sizeof pauses.items[0].pattern, "%s", row->paused == NULL ? "" : row->paused);
        reasons[row->reason] = conclusions[row->conclusion] = true;
        assert_int_equal(jr_list_parse(&filter.repos, row->repos == NULL ? "" : row->repos), JR_OK);
        assert_int_equal(jr_list_parse(&filter.branches, row->branches == NULL ? "" : row->branches), JR_OK);
        assert_int_equal(jr_list_parse(&filter.workflows, row->workflows == NULL ? "" : row->workflows), JR_OK);
        while (!listing.ended) {
            assert_int_equal(jr_listing_runs(store, &filter, &listing, runs, size, &count, &error), JR_OK);
            assert_true(count <= size);
            for (size_t i = 0; i < count; i++) {
                assert_true(runs[i].known);
                snprintf(found + strlen(found), sizeof found - strlen(found), " %d", (int)runs[i].run_id);
            }
        }
        assert_string_equal(found, row->want);
        jr_list_release(&filter.repos);
        jr_list_release(&filter.branches);
        jr_list_release(&filter.workflows);
    }
    jr_store_close(store);
}

#define ANY NULL, JR_LISTING_ANY_PHASE, 0

static const struct list_row lists[] = {
    { "all", NULL, JR_LISTING_ANY_PHASE, 0, " 2 7 1 8 3 9 5", NULL, NULL, NULL, 0, 0 },
    { "of a repository", "octo/lib", JR_LISTING_ANY_PHASE, 0, " 1", NULL, NULL, NULL, 0, 0 },
    { "of some repositories", "OCTO/*", JR_LISTING_ANY_PHASE, 0, " 2 7 1 8 9 5", NULL, NULL, NULL, 0, 0 },
    { "due", NULL, JR_PHASE_DUE, 0, " 1 3 9", NULL, NULL, NULL, 0, 0 },
    { "closed, of a repository", "octo/app", JR_PHASE_CLOSED, 0, " 2 7 8 5", NULL, NULL, NULL, 0, 0 },
    { "open", NULL, JR_PHASE_OPEN, 0, "", NULL, NULL, NULL, 0, 0 },
    { "since a time", NULL, JR_LISTING_ANY_PHASE, HOURS(4), " 2 7 1 8 3", NULL, NULL, NULL, 0, 0 },
    { "since a time within an hour", NULL, JR_LISTING_ANY_PHASE, HOURS(2) + 30 * JR_MINUTE_MS, " 2 7 1 8 3 9", NULL, NULL, NULL, 0, 0 },
    { "since a little later", NULL, JR_LISTING_ANY_PHASE, HOURS(2) + 31 * JR_MINUTE_MS, " 2 7 1 8 3", NULL, NULL, NULL, 0, 0 },
    { "since the end", NULL, JR_LISTING_ANY_PHASE, HOURS(99), "", NULL, NULL, NULL, 0, 0 },
    { "of repositories in a list", "octo/lib,other/*", JR_LISTING_ANY_PHASE, 0, " 1 3", NULL, NULL, NULL, 0, 0 },
    { "of branches", ANY, " 7 9", "release/*, Hotfix", NULL, NULL, 0, 0 },
    { "of a workflow", ANY, " 3", NULL, "dep*", NULL, 0, 0 },
    { "of a workflow's file", ANY, " 8 3", NULL, "GO-live.yml", NULL, 0, 0 },
    { "of a workflow's path", ANY, " 8 3", NULL, ".github/workflows/go-*", NULL, 0, 0 },
    { "for a reason", ANY, " 1 9", NULL, NULL, NULL, JR_REASON_JOBS_FAILED, 0 },
    { "for a reason that the record does not have", ANY, " 2", NULL, NULL, NULL, JR_REASON_RUN_SUCCEEDED, 0 },
    { "paused", ANY, " 1 9", NULL, NULL, "octo/*", JR_REASON_PAUSED, 0 },
    { "paused, so for no other reason", ANY, " 9", NULL, NULL, "octo/lib", JR_REASON_JOBS_FAILED, 0 },
    { "with a conclusion", ANY, " 1 5", NULL, NULL, NULL, 0, JR_CONCLUSION_FAILURE },
    { "all at once", "octo/*", JR_PHASE_DUE, HOURS(1), " 9", "hotfix", "CI", NULL, JR_REASON_JOBS_FAILED,
      JR_CONCLUSION_TIMED_OUT },
};

/* What waits, of which a pause holds up some: they stand before and between the others. */
static void waiting(void **state)
{
    const struct jr_pauses none = { .count = 0 }, all = { .count = 1 },
                           some = { .items = { { .pattern = "octo/*" } }, .count = 1 };
    struct jr_store *store = open_store(new_folder());
    struct jr_waiting waiting;
    struct jr_error error;
    struct jr_txn txn;

    (void)state;
    assert_int_equal(jr_listing_waiting(store, &some, &waiting, &error), JR_OK);
    assert_true(waiting.whole && waiting.entries == 0 && waiting.due_ms == 0 && waiting.oldest_ms == 0);
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 10; id < 10 + 3 * JR_LISTING_LOOKS; id++)
        save_in(&txn, id, "octo/app", HOURS(1), HOURS(2) + (int64_t)id);
    save_in(&txn, 7, "other/app", HOURS(1), HOURS(3));
    save_in(&txn, 8, "octo/app", HOURS(1), HOURS(4));
    save_in(&txn, 9, "other/lib", HOURS(1), HOURS(5));
    commit(&txn);
    assert_int_equal(jr_listing_waiting(store, &some, &waiting, &error), JR_OK);
    assert_true(waiting.whole);
    assert_int_equal(waiting.entries, 3 * JR_LISTING_LOOKS + 3);
    assert_int_equal(waiting.paused, 3 * JR_LISTING_LOOKS + 1);
    assert_int_equal(waiting.due_ms, HOURS(3));
    assert_int_equal(waiting.due_run_id, 7);
    assert_true(waiting.oldest_ms != 0 && waiting.oldest_ms <= waiting.free_oldest_ms);

    assert_int_equal(jr_listing_waiting(store, &none, &waiting, &error), JR_OK);
    assert_int_equal(waiting.paused, 0);
    assert_int_equal(waiting.due_run_id, 10);
    assert_int_equal(jr_listing_waiting(store, &all, &waiting, &error), JR_OK);
    assert_int_equal(waiting.paused, waiting.entries);
    assert_true(waiting.due_ms == 0 && waiting.free_oldest_ms == 0 && waiting.oldest_ms != 0);

    /* Of a damaged one nobody knows whether it is paused. */
    damage_part(store, 10, JR_PART_RUN, 0);
    assert_int_equal(jr_listing_waiting(store, &some, &waiting, &error), JR_OK);
    assert_int_equal(waiting.due_run_id, 10);
    jr_store_close(store);
}

/* One call looks at so many runs and no more, and the next goes on. */
static void bounded(void **state)
{
    struct jr_store *store = open_store(new_folder());
    char name[] = "octo/lib", *lib[] = { name };
    struct jr_listing_filter filter = { .phase = JR_LISTING_ANY_PHASE, .repos = { lib, 1 } };
    struct jr_listing listing = { .ended = false };
    struct jr_run run;
    struct jr_txn txn;
    struct jr_error error;
    size_t count;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 1; id <= 2 * JR_LISTING_LOOKS; id++)
        save_in(&txn, id, id == 1 ? "octo/lib" : "octo/app", HOURS(1), 0);
    commit(&txn);
    assert_int_equal(jr_listing_runs(store, &filter, &listing, &run, 1, &count, &error), JR_OK);
    assert_int_equal(count, 0);
    assert_false(listing.ended);
    assert_int_equal(listing.run_id, JR_LISTING_LOOKS + 1);
    assert_int_equal(jr_listing_runs(store, &filter, &listing, &run, 1, &count, &error), JR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(listing.run_id, 1);
    /* The hour has been looked at as a whole. */
    assert_int_equal(jr_listing_runs(store, &filter, &listing, &run, 1, &count, &error), JR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(run.run_id, 1);
    assert_int_equal(jr_listing_runs(store, &filter, &listing, &run, 1, &count, &error), JR_OK);
    assert_int_equal(count, 0);
    assert_true(listing.ended);
    jr_store_close(store);
}

/* An hour with more runs than are put in order at once: all of them, in order, each once. */
static void a_busy_hour(void **state)
{
    enum { MOST = 3 * JR_LISTING_HOUR_MAX + 7 };
    struct jr_store *store = open_store(new_folder());
    struct jr_listing_filter filter = { .phase = JR_LISTING_ANY_PHASE };
    struct jr_listing listing = { .ended = false };
    struct jr_run runs[64];
    struct jr_txn txn;
    struct jr_error error;
    int64_t before_ms = HOURS(9);
    size_t count, all = 0;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 1; id <= MOST; id++)
        save_in(&txn, id, "octo/app", HOURS(1) + (int64_t)(id * 7919 % 100003) % MOST, 0);
    save_in(&txn, MOST + 1, "octo/app", HOURS(0), 0);
    commit(&txn);
    while (!listing.ended) {
        assert_int_equal(jr_listing_runs(store, &filter, &listing, runs, COUNT(runs), &count, &error), JR_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(runs[i].last_event_ms <= before_ms);
            before_ms = runs[i].last_event_ms;
        }
        all += count;
    }
    assert_int_equal(all, MOST + 1);
    assert_true(before_ms == HOURS(0));
    jr_store_close(store);
}

/* Who wants an answer soon gets those of the newest runs, in order. */
static void no_more_than_so_many_looks(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_listing_filter filter = { .phase = JR_LISTING_ANY_PHASE, .most_looks = 3 };
    struct jr_listing listing = { .ended = false };
    struct jr_run runs[8];
    struct jr_txn txn;
    struct jr_error error;
    size_t count, all = 0;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 1; id <= 5; id++)
        save_in(&txn, id, "octo/app", HOURS(1) + (int64_t)(10 - id), 0);
    save_in(&txn, 6, "octo/app", HOURS(0), 0);
    commit(&txn);
    while (!listing.ended) {
        assert_int_equal(jr_listing_runs(store, &filter, &listing, runs + all, COUNT(runs) - all, &count, &error), JR_OK);
        all += count;
    }
    assert_int_equal(all, 3);
    assert_true(runs[0].run_id == 3 && runs[1].run_id == 4 && runs[2].run_id == 5);
    jr_store_close(store);
}

/* What the jobs came to is told where the run does not tell. */
static void what_jobs_came_to(void **state)
{
    static const struct {
        uint64_t id, job;
        uint32_t attempt;
        enum jr_conclusion conclusion;
    } jobs[] = {
        { 7, 11, 1, JR_CONCLUSION_FAILURE },   { 7, 12, 2, JR_CONCLUSION_SUCCESS },
        { 7, 13, 2, JR_CONCLUSION_CANCELLED }, { 8, 21, 2, JR_CONCLUSION_CANCELLED },
        { 8, 22, 2, JR_CONCLUSION_TIMED_OUT }, { 9, 31, 2, JR_CONCLUSION_CANCELLED },
        { 9, 32, 2, JR_CONCLUSION_FAILURE },
    };
    static const enum jr_conclusion want[] = {
        [7] = JR_CONCLUSION_CANCELLED, [8] = JR_CONCLUSION_TIMED_OUT, [9] = JR_CONCLUSION_FAILURE,
    };
    struct jr_store *store = open_store(new_folder());
    struct jr_run run;
    struct jr_txn txn;
    struct jr_error error;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (size_t i = 0; i < COUNT(jobs); i++) {
        struct jr_job job = {
            .run_id = jobs[i].id, .job_id = jobs[i].job, .attempt = jobs[i].attempt,
            .status = JR_STATUS_COMPLETED, .conclusion = jobs[i].conclusion,
        };

        jr_ledger_save_job(&txn, &job);
        jr_ledger_load_run(&txn, jobs[i].id, &run);
        run.attempt = 2;
        run.last_event_ms = HOURS(1);
        run.jobs_known = run.jobs_failed = 2;
        jr_ledger_save_run(&txn, &run);
    }
    commit(&txn);
    for (uint64_t id = 7; id <= 9; id++) {
        assert_int_equal(jr_listing_run(store, id, &run, &error), JR_OK);
        assert_int_equal(jr_run_conclusion(&run), want[id]);
    }
    jr_store_close(store);
}

/* Add to the history of a run, which is saved with it. */
static void tell(struct jr_store *store, uint64_t run_id, int64_t at_ms)
{
    struct jr_history entry = { .kind = JR_HISTORY_CALL, .at_ms = at_ms };
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, run_id, &run);
    if (!run.known)
        run.last_event_ms = HOURS(1);
    run.known = true;
    jr_history_add(&txn, &run, &entry, NULL, NULL);
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
}

static void assert_told(struct jr_store *store, int64_t since_ms, const char *want)
{
    struct jr_error error;
    uint64_t *run_ids;
    size_t count;
    char found[256] = "";

    assert_int_equal(jr_listing_told(store, since_ms, &run_ids, &count, &error), JR_OK);
    for (size_t i = 0; i < count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), " %d", (int)run_ids[i]);
    assert_string_equal(found, want);
    free(run_ids);
}

/* By what was told of them, which may be long after their last event. */
static void told_since(void **state)
{
    struct jr_store *store = open_store(new_folder());

    (void)state;
    assert_told(store, HOURS(1), "");
    tell(store, 9, HOURS(2));
    tell(store, 3, HOURS(5));
    tell(store, 7, HOURS(5) + 30 * JR_MINUTE_MS);
    tell(store, 1, HOURS(800));
    assert_told(store, HOURS(1), " 1 3 7 9");
    assert_told(store, HOURS(5), " 1 3 7");
    assert_told(store, HOURS(5) + 59 * JR_MINUTE_MS, " 1 3 7");
    assert_told(store, HOURS(6), " 1");
    assert_told(store, HOURS(801), "");
    tell(store, 9, HOURS(6));
    assert_told(store, HOURS(6), " 1 9");
    tell(store, 9, HOURS(3)); /* the clock was set back */
    assert_told(store, HOURS(6), " 1 9");
    jr_store_close(store);
}

/* More than one transaction looks at, and each once. */
static void many_told(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_history entry = { .kind = JR_HISTORY_CALL, .at_ms = HOURS(3) };
    struct jr_txn txn;
    struct jr_error error;
    uint64_t *run_ids;
    size_t count;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 3 * JR_LISTING_LOOKS; id >= 1; id--) {
        struct jr_run run = { .known = true, .run_id = id, .last_event_ms = HOURS(1) };

        jr_history_add(&txn, &run, &entry, NULL, NULL);
        jr_ledger_save_run(&txn, &run);
    }
    commit(&txn);
    assert_int_equal(jr_listing_told(store, HOURS(2), &run_ids, &count, &error), JR_OK);
    assert_int_equal(count, 3 * JR_LISTING_LOOKS);
    for (size_t i = 0; i < count; i++)
        assert_true(run_ids[i] == i + 1);
    free(run_ids);
    jr_store_close(store);
}

static void outbox(void **state)
{
    static const uint64_t want[] = { 9, 3, 4, 1 };
    struct jr_store *store = open_store(new_folder());
    struct jr_listing_outbox listing = { .ended = false };
    struct jr_run runs[3];
    struct jr_error error;
    size_t count, seen = 0;

    (void)state;
    save(store, 1, "octo/lib", HOURS(9), HOURS(10));
    save(store, 3, "octo/app", HOURS(4), HOURS(6));
    save(store, 4, "octo/app", HOURS(4), HOURS(6));
    save(store, 9, "octo/app", HOURS(2), HOURS(3));
    save(store, 5, "octo/app", HOURS(2), 0);
    damage_part(store, 4, JR_PART_RUN, 0);
    while (!listing.ended) {
        assert_int_equal(jr_listing_outbox(store, &listing, runs, COUNT(runs), &count, &error), JR_OK);
        for (size_t i = 0; i < count; i++, seen++) {
            assert_in_range(seen, 0, COUNT(want) - 1);
            assert_int_equal(runs[i].run_id, want[seen]);
            assert_int_equal(runs[i].known, want[seen] != 4);
            assert_int_equal(runs[i].waiting_ms, runs[i].due_ms);
            assert_int_equal(runs[i].due_ms, want[seen] == 9 ? HOURS(3) : want[seen] == 1 ? HOURS(10) : HOURS(6));
        }
    }
    assert_int_equal(seen, COUNT(want));
    jr_store_close(store);
}

static void story(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run;
    struct jr_job jobs[2];
    struct jr_history entries[2];
    struct jr_error error;
    uint64_t after = 0;
    uint32_t number = 0;
    size_t count;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, 7, &run);
    run.last_event_ms = HOURS(1);
    for (uint64_t id = 1; id <= 3; id++) {
        struct jr_job job = { .run_id = id == 3 ? 8 : 7, .job_id = 10 + id };
        struct jr_history entry = { .at_ms = HOURS(1), .kind = JR_HISTORY_EVENT, .attempt = (uint32_t)id };

        jr_ledger_save_job(&txn, &job);
        jr_history_add(&txn, &run, &entry, NULL, NULL);
    }
    jr_ledger_save_run(&txn, &run);
    commit(&txn);

    assert_int_equal(jr_listing_run(store, 7, &run, &error), JR_OK);
    assert_int_equal(run.history_count, 3);
    assert_int_equal(jr_listing_run(store, 8, &run, &error), JR_ENOENT);
    assert_contains(error.text, "8");
    save(store, 9, "octo/app", HOURS(1), 0);
    damage_part(store, 9, JR_PART_RUN, 0);
    assert_int_equal(jr_listing_run(store, 9, &run, &error), JR_EFORMAT);

    assert_int_equal(jr_listing_jobs(store, 7, &after, jobs, 2, &count, &error), JR_OK);
    assert_int_equal(count, 2);
    assert_true(jobs[0].job_id == 11 && jobs[1].job_id == 12);
    assert_int_equal(jr_listing_jobs(store, 7, &after, jobs, 2, &count, &error), JR_OK);
    assert_int_equal(count, 0);

    assert_int_equal(jr_listing_history(store, 7, &number, entries, 2, &count, &error), JR_OK);
    assert_int_equal(count, 2);
    assert_true(entries[0].attempt == 1 && entries[1].attempt == 2);
    assert_int_equal(jr_listing_history(store, 7, &number, entries, 2, &count, &error), JR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(entries[0].attempt, 3);
    jr_store_close(store);
}

static void each_run_once_by_its_id(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_run run;
    struct jr_error error;
    uint64_t after = 0;

    (void)state;
    assert_int_equal(jr_listing_next_run(store, &after, &run, &error), JR_ENOENT);
    save(store, 5, "octo/app", HOURS(1), 0);
    save(store, 3, "octo/app", HOURS(9), 0);
    save(store, 4, "octo/app", HOURS(4), 0);
    damage_part(store, 4, JR_PART_RUN, 0);
    assert_int_equal(jr_listing_next_run(store, &after, &run, &error), JR_OK);
    assert_true(run.run_id == 3 && after == 3);
    save(store, 3, "octo/app", HOURS(10), 0);
    save(store, 5, "octo/app", HOURS(11), 0);
    assert_int_equal(jr_listing_next_run(store, &after, &run, &error), JR_OK);
    assert_true(run.run_id == 5 && after == 5);
    assert_true(run.last_event_ms == HOURS(11));
    assert_int_equal(jr_listing_next_run(store, &after, &run, &error), JR_ENOENT);
    jr_store_close(store);
}

static void counted(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_listing_counts counts;
    struct jr_error error;
    struct jr_txn txn;
    struct jr_job job = { .run_id = 5, .job_id = 11 };

    (void)state;
    assert_int_equal(jr_listing_count(store, &counts, &error), JR_OK);
    assert_true(counts.runs == 0 && counts.records == 0 && counts.waiting == 0 && counts.repos == 0);
    save(store, 3, "octo/app", HOURS(1), 0);
    save(store, 5, "octo/app", HOURS(9), HOURS(10));
    jr_txn_begin(&txn, store, true);
    jr_ledger_save_job(&txn, &job);
    jr_repo_note(&txn, 7, "octo/app", HOURS(9));
    commit(&txn);
    assert_int_equal(jr_listing_count(store, &counts, &error), JR_OK);
    assert_true(counts.runs == 2 && counts.records == 3 && counts.waiting == 1 && counts.repos == 1);
    jr_store_close(store);
}

int main(void)
{
    TABLE(lists, listed);
    TEST(told_since);
    TEST(many_told);
    TEST(waiting);
    TEST(bounded);
    TEST(a_busy_hour);
    TEST(no_more_than_so_many_looks);
    TEST(what_jobs_came_to);
    TEST(outbox);
    TEST(story);
    TEST(each_run_once_by_its_id);
    TEST(counted);
    return run_program("listing");
}
