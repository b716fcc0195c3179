/*
 * ledger -- runs, jobs, and the indexes that follow from them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/failures.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "lib/store/runindex.h"
#include "lib/store/listing.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

/* Save a run with these times; id 0 is not used. */
static void save(struct jr_store *store, uint64_t id, int64_t last_event_ms, int64_t due_ms)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, id, &run);
    run.known = true;
    run.attempt = 1;
    run.last_event_ms = last_event_ms;
    run.due_ms = due_ms;
    run.phase = due_ms != 0 ? JR_PHASE_DUE : JR_PHASE_OPEN;
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
}

static struct jr_run stored_run(struct jr_store *store, uint64_t id)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, store, false);
    jr_ledger_load_run(&txn, id, &run);
    commit(&txn);
    return run;
}

static bool is_known(struct jr_store *store, uint64_t id) { return stored_run(store, id).known; }

static uint64_t count(struct jr_store *store, enum jr_table table)
{
    struct jr_txn txn;
    uint64_t entries;

    jr_txn_begin(&txn, store, false);
    entries = jr_txn_count(&txn, table);
    commit(&txn);
    return entries;
}

static void no_run_yet(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run, want;
    struct jr_job job;
    int64_t due_ms;
    uint64_t id;

    (void)state;
    memset(&want, 0, sizeof want);
    want.run_id = RUN_ID;
    memset(&run, 0xa5, sizeof run);
    memset(&job, 0xa5, sizeof job);
    jr_txn_begin(&txn, store, false);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    assert_memory_equal(&run, &want, sizeof run);
    jr_ledger_load_job(&txn, RUN_ID, JOB_ID(1), &job);
    assert_false(job.known);
    assert_true(job.run_id == RUN_ID && job.job_id == JOB_ID(1));
    assert_int_equal(job.status, JR_STATUS_UNKNOWN);
    assert_string_equal(job.name, "");
    assert_false(jr_ledger_next_job(&txn, RUN_ID, 0, &job));
    assert_false(jr_ledger_first_due(&txn, INT64_MAX, &due_ms, &id));
    assert_false(jr_ledger_first_quiet(&txn, INT64_MAX, &due_ms, &id));
    commit(&txn);
    jr_store_close(store);
}

static void run_comes_back(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    snprintf(run.branch, sizeof run.branch, "main");
    run.last_event_ms = START_MS;
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
    jr_txn_begin(&txn, store, false);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    commit(&txn);
    assert_true(run.known && run.run_id == RUN_ID);
    assert_string_equal(run.branch, "main");
    assert_false(is_known(store, RUN_ID + 1));
    jr_store_close(store);
}

/* Due times that a run takes on, one after the other. */
static void outbox_follows_the_run(void **state)
{
    static const int64_t due_s[] = { 5, 5, 90, 3, 0, 0, 7, 0 };
    struct jr_store *store = open_store(new_folder());

    (void)state;
    for (size_t i = 0; i < COUNT(due_s); i++) {
        struct jr_txn txn;
        int64_t due_ms = 0, want_ms = due_s[i] != 0 ? START_MS + due_s[i] * 1000 : 0;
        uint64_t id = 0;

        save(store, RUN_ID, START_MS, want_ms);
        assert_int_equal(count(store, JR_TABLE_OUTBOX), want_ms != 0);
        jr_txn_begin(&txn, store, false);
        assert_int_equal(jr_ledger_first_due(&txn, INT64_MAX, &due_ms, &id), want_ms != 0);
        commit(&txn);
        assert_int_equal(due_ms, want_ms);
        assert_true(id == (want_ms != 0 ? RUN_ID : 0));
    }
    jr_store_close(store);
}

/* Since when a run waits, as its entry tells; 0: it does not. */
static int64_t waiting_of(struct jr_store *store, uint64_t id)
{
    return stored_run(store, id).waiting_ms;
}

static int64_t oldest_of(struct jr_store *store)
{
    const struct jr_pauses none = { .count = 0 };
    struct jr_waiting waiting;
    struct jr_error error;

    assert_int_equal(jr_listing_waiting(store, &none, &waiting, &error), JR_OK);
    assert_true(waiting.whole);
    return waiting.oldest_ms;
}

static void save_waiting(struct jr_store *store, uint64_t id, int64_t due_ms, int64_t waiting_ms)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, id, &run);
    run.last_event_ms = START_MS;
    run.due_ms = due_ms;
    run.waiting_ms = waiting_ms;
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
}

static void waits_since(void **state)
{
    struct jr_store *store = open_store(new_folder());

    (void)state;
    assert_int_equal(oldest_of(store), 0);
    save_waiting(store, 1, START_MS + 5000, START_MS);
    assert_int_equal(waiting_of(store, 1), START_MS);
    /* saved by who does not look at it: as it was */
    save(store, 1, START_MS, START_MS + 90000);
    assert_int_equal(waiting_of(store, 1), START_MS);
    /* the one that has waited longest need not be due first */
    save_waiting(store, 2, START_MS + 6000, START_MS + 1000);
    assert_int_equal(oldest_of(store), START_MS);
    /* another one for the same time */
    save_waiting(store, 1, START_MS + 90000, START_MS + 2000);
    assert_int_equal(waiting_of(store, 1), START_MS + 2000);
    assert_int_equal(oldest_of(store), START_MS + 1000);
    save_waiting(store, 2, 0, 0);
    assert_int_equal(waiting_of(store, 2), 0);
    assert_int_equal(oldest_of(store), START_MS + 2000);
    jr_store_close(store);
}

/* Until 0.1.0 an entry held the attempt alone. */
static void waits_since_an_older_version(void **state)
{
    static const unsigned char attempt[4] = { 0, 0, 0, 1 };
    struct jr_store *store = open_store(new_folder());
    struct jr_entry entry;
    struct jr_txn txn;

    (void)state;
    save_waiting(store, RUN_ID, START_MS + 5000, START_MS);
    jr_txn_begin(&txn, store, true);
    assert_true(jr_txn_seek(&txn, JR_TABLE_OUTBOX, NULL, 0, false, &entry));
    jr_txn_put(&txn, JR_TABLE_OUTBOX, entry.key, entry.key_length, attempt, sizeof attempt);
    commit(&txn);
    assert_int_equal(waiting_of(store, RUN_ID), START_MS + 5000);
    assert_int_equal(oldest_of(store), START_MS + 5000);
    save(store, RUN_ID, START_MS, START_MS + 90000);
    assert_int_equal(waiting_of(store, RUN_ID), START_MS + 5000);
    assert_int_equal(oldest_of(store), START_MS + 5000);
    jr_store_close(store);
}

static void quiet_follows_the_run(void **state)
{
    static const int64_t quiet_s[] = { 600, 1200, 1200, 0, 60, 0 };
    struct jr_store *store = open_store(new_folder());

    (void)state;
    for (size_t i = 0; i < COUNT(quiet_s); i++) {
        struct jr_txn txn;
        struct jr_run run;
        int64_t due_ms = 0, want_ms = quiet_s[i] != 0 ? START_MS + quiet_s[i] * 1000 : 0;
        uint64_t id;

        jr_txn_begin(&txn, store, true);
        jr_ledger_load_run(&txn, RUN_ID, &run);
        run.last_event_ms = START_MS;
        run.quiet_due_ms = want_ms;
        jr_ledger_save_run(&txn, &run);
        assert_int_equal(jr_ledger_first_quiet(&txn, INT64_MAX, &due_ms, &id), want_ms != 0);
        assert_int_equal(due_ms, want_ms);
        assert_int_equal(jr_txn_count(&txn, JR_TABLE_QUIET), want_ms != 0);
        assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 0);
        commit(&txn);
    }
    jr_store_close(store);
}

/* A run may be saved twice in one transaction. */
static void saved_twice_at_once(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    run.last_event_ms = START_MS;
    run.due_ms = START_MS + 1;
    jr_ledger_save_run(&txn, &run);
    run.last_event_ms = START_MS + JR_DAY_MS;
    run.due_ms = START_MS + 2;
    jr_ledger_save_run(&txn, &run);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_OUTBOX), 1);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_AGES), 1);
    commit(&txn);
    jr_store_close(store);
}

static void first_due_is_the_earliest(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    int64_t due_ms;
    uint64_t id;

    (void)state;
    save(store, 5, START_MS, START_MS + 900);
    save(store, 6, START_MS, START_MS + 256); /* later bytes are less than those of the others */
    save(store, 7, START_MS, START_MS + 255);
    save(store, UINT64_C(1) << 40, START_MS, START_MS + 255);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_ledger_first_due(&txn, INT64_MAX, &due_ms, &id));
    commit(&txn);
    assert_int_equal(due_ms, START_MS + 255);
    assert_int_equal(id, 7);
    jr_store_close(store);
}

/* One that is due too late to be true comes before those that are due. */
static void due_after_the_latest_comes_first(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    int64_t due_ms;
    uint64_t id;

    (void)state;
    save(store, 5, START_MS, START_MS - 900);
    save(store, 6, START_MS, START_MS + 1000);
    save(store, 7, START_MS, START_MS + 1001);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_ledger_first_due(&txn, START_MS + 1001, &due_ms, &id));
    assert_int_equal(id, 5);
    assert_true(jr_ledger_first_due(&txn, START_MS + 1000, &due_ms, &id));
    assert_int_equal(id, 7);
    assert_int_equal(due_ms, START_MS + 1001);
    commit(&txn);
    jr_store_close(store);
}

static void save_job(struct jr_txn *txn, uint64_t run_id, uint64_t job_id, const char *name)
{
    struct jr_job job;

    jr_ledger_load_job(txn, run_id, job_id, &job);
    job.status = JR_STATUS_QUEUED;
    snprintf(job.name, sizeof job.name, "%s", name);
    jr_ledger_save_job(txn, &job);
}

static void jobs_of_a_run(void **state)
{
    static const uint64_t ids[] = { 1, 255, 256, UINT64_C(0x100000000), INT64_MAX };
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_job job;
    uint64_t after = 0;
    size_t found = 0;

    (void)state;
    jr_txn_begin(&txn, store, true);
    save_job(&txn, RUN_ID - 1, 300, "before");
    save_job(&txn, RUN_ID + 1, 1, "behind");
    for (size_t i = COUNT(ids); i-- > 0;)
        save_job(&txn, RUN_ID, ids[i], "of the run");
    save_job(&txn, RUN_ID, ids[1], "changed");
    while (jr_ledger_next_job(&txn, RUN_ID, after, &job)) {
        assert_true(found < COUNT(ids) && job.job_id == ids[found]);
        assert_true(job.known && job.run_id == RUN_ID);
        assert_string_equal(job.name, found == 1 ? "changed" : "of the run");
        after = job.job_id;
        found++;
    }
    assert_int_equal(found, COUNT(ids));
    jr_ledger_load_job(&txn, RUN_ID, 255, &job);
    assert_true(job.known);
    assert_string_equal(job.name, "changed");
    commit(&txn);
    jr_store_close(store);
}

static void damaged_record(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run;
    struct jr_job job;

    (void)state;
    damage_part(store, 7, JR_PART_RUN, 0);
    damage_part(store, 7, JR_PART_JOB, 8);
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, 7, &run);
    assert_int_equal(jr_txn_commit(&txn), JR_EFORMAT);
    assert_contains(txn.error.text, "7");
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_job(&txn, 7, 8, &job);
    assert_int_equal(jr_txn_commit(&txn), JR_EFORMAT);
    jr_txn_begin(&txn, store, false);
    assert_false(jr_ledger_next_job(&txn, 7, 0, &job));
    assert_int_equal(jr_txn_commit(&txn), JR_EFORMAT);
    jr_store_close(store);
}

/* Prune from the beginning, up to `most` runs looked at. */
static unsigned prune(struct jr_store *store, int64_t before_ms, bool only_closed, unsigned most)
{
    struct jr_prune place = { .key_length = 0 };
    struct jr_txn txn;
    unsigned removed;

    jr_txn_begin(&txn, store, true);
    removed = jr_ledger_prune(&txn, before_ms, only_closed, most, &place);
    commit(&txn);
    return removed;
}

static void old_runs_go_with_all_they_have(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_history entry = { .kind = JR_HISTORY_EVENT, .at_ms = START_MS };
    struct jr_txn txn;
    struct jr_run run;

    (void)state;
    for (uint64_t id = 1; id <= 3; id++) {
        save(store, id, START_MS + (int64_t)id * JR_DAY_MS, 0);
        jr_txn_begin(&txn, store, true);
        jr_ledger_load_run(&txn, id, &run);
        save_job(&txn, id, 10, "a");
        save_job(&txn, id, 11, "b");
        jr_history_add(&txn, &run, &entry, NULL, NULL);
        jr_history_add(&txn, &run, &entry, NULL, NULL);
        jr_ledger_save_run(&txn, &run);
        commit(&txn);
    }
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, false, 9), 0);
    assert_int_equal(prune(store, START_MS + 2 * JR_DAY_MS + 2 * JR_HOUR_MS, false, 9), 2);
    assert_false(is_known(store, 1));
    assert_false(is_known(store, 2));
    assert_true(is_known(store, 3));
    assert_int_equal(count_parts(store, JR_PART_RUN), 1);
    assert_int_equal(count_parts(store, JR_PART_JOB), 2);
    assert_int_equal(count_parts(store, JR_PART_HISTORY), 2);
    assert_int_equal(count(store, JR_TABLE_AGES), 1);
    assert_int_equal(count(store, JR_TABLE_TOLD), 1);
    jr_store_close(store);
}

/* What has had an event lately stays, however long ago its first one was. */
static void last_event_counts(void **state)
{
    struct jr_store *store = open_store(new_folder());

    (void)state;
    save(store, 1, START_MS, 0);
    save(store, 1, START_MS + 10 * JR_DAY_MS, 0);
    assert_int_equal(prune(store, START_MS + 9 * JR_DAY_MS, false, 9), 0);
    assert_int_equal(prune(store, START_MS + 10 * JR_DAY_MS, false, 9), 0);
    assert_int_equal(prune(store, START_MS + 10 * JR_DAY_MS + 2 * JR_HOUR_MS, false, 9), 1);
    assert_int_equal(count(store, JR_TABLE_AGES), 0);
    jr_store_close(store);
}

static void pruned_a_little_at_a_time(void **state)
{
    struct jr_store *store = open_store(new_folder());

    (void)state;
    for (uint64_t id = 1; id <= 10; id++)
        save(store, id, START_MS + (int64_t)id * JR_HOUR_MS, 0);
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, false, 4), 4);
    assert_false(is_known(store, 4));
    assert_true(is_known(store, 5)); /* the oldest went first */
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, false, 4), 4);
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, false, 4), 2);
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, false, 4), 0);
    jr_store_close(store);
}

static void due_runs_stay(void **state)
{
    struct jr_store *store = open_store(new_folder());

    (void)state;
    save(store, 1, START_MS, START_MS + 1);
    save(store, 2, START_MS, 0);
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, false, 9), 1);
    assert_true(is_known(store, 1));
    assert_false(is_known(store, 2));
    assert_int_equal(count(store, JR_TABLE_OUTBOX), 1);
    jr_store_close(store);
}

static void open_runs_stay_if_told(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run;

    (void)state;
    for (uint64_t id = 1; id <= 2; id++) {
        save(store, id, START_MS, 0);
        jr_txn_begin(&txn, store, true);
        jr_ledger_load_run(&txn, id, &run);
        run.jobs_known = 1;
        run.jobs_unfinished = id == 1;
        run.phase = id == 1 ? JR_PHASE_OPEN : JR_PHASE_CLOSED;
        jr_ledger_save_run(&txn, &run);
        commit(&txn);
    }
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, true, 9), 1);
    assert_true(is_known(store, 1));
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, false, 9), 1);
    assert_false(is_known(store, 1));
    jr_store_close(store);
}

/* A damaged record is no obstacle: it goes when it is old, by its age alone. */
static void damaged_runs_go_too(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run;

    (void)state;
    for (uint64_t id = 1; id <= 3; id++)
        save(store, id, START_MS, 0);
    jr_txn_begin(&txn, store, true);
    save_job(&txn, 2, 10, "a");
    commit(&txn);
    damage_part(store, 2, JR_PART_RUN, 0);
    jr_txn_begin(&txn, store, false);
    assert_false(jr_ledger_read_run(&txn, 2, &run));
    assert_true(run.run_id == 2);
    assert_true(jr_ledger_read_run(&txn, 3, &run));
    commit(&txn);
    /* When the map fills up, only what is known to be over goes: neither these nor that. */
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, true, 9), 0);
    assert_int_equal(count_parts(store, JR_PART_RUN), 3);
    assert_int_equal(prune(store, START_MS + JR_DAY_MS, false, 9), 3);
    assert_int_equal(count_parts(store, JR_PART_RUN), 0);
    assert_int_equal(count_parts(store, JR_PART_JOB), 0);
    assert_int_equal(count(store, JR_TABLE_AGES), 0);
    jr_store_close(store);
}

/* Runs that stay do not stop the walk: it goes on behind them. */
static void walk_goes_on_where_it_was(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_prune place = { .key_length = 0 };
    unsigned removed = 0, calls = 0;

    (void)state;
    for (uint64_t id = 1; id <= 20; id++)
        save(store, id, START_MS, id <= 15 ? START_MS + 1 : 0);
    do {
        struct jr_txn txn;

        jr_txn_begin(&txn, store, true);
        removed += jr_ledger_prune(&txn, START_MS + JR_DAY_MS, false, 4, &place);
        commit(&txn);
        assert_true(++calls < 10);
    } while (place.key_length != 0);
    assert_int_equal(removed, 5);
    assert_int_equal(count_parts(store, JR_PART_RUN), 15);
    assert_int_equal(count(store, JR_TABLE_AGES), 15);
    jr_store_close(store);
}

/* A closed run with a history of some length; JR_EFULL when the map takes no more. */
static enum jr_err save_closed(struct jr_store *store, uint64_t id, size_t length)
{
    struct jr_run run = {
        .known = true,
        .run_id = id,
        .repo_id = 1,
        .workflow_id = 2,
        .run_number = id,
        .branch = "main",
        .trigger = "push",
        .head_sha = "f0",
        .attempt = 1,
        .complete = true,
        .conclusion = JR_CONCLUSION_FAILURE,
        .phase = JR_PHASE_CLOSED,
        .reason = JR_REASON_ATTEMPTS_USED_UP,
        .last_event_ms = START_MS,
    };
    struct jr_history entry = { .kind = JR_HISTORY_EVENT, .at_ms = START_MS, .input = JR_INPUT_EVENT };
    struct jr_failure failure = { .attempt = 1, .name = "build" };
    struct jr_txn txn;

    memset(entry.event.branch, 'x', length / 2);
    memset(entry.event.workflow, 'x', length - length / 2);
    jr_txn_begin(&txn, store, true);
    jr_history_add(&txn, &run, &entry, NULL, NULL);
    jr_ledger_save_run(&txn, &run);
    for (failure.job_id = 1; failure.job_id <= id % 3; failure.job_id++)
        jr_failures_save(&txn, &run, &failure, START_MS + (int64_t)id);
    return jr_txn_commit(&txn);
}

/* However full the map is, runs can be removed: few pages are changed at a time. */
static void full_map_is_squeezed(void **state)
{
    (void)state;
    for (size_t length = 0; length < 400; length += 23) {
        struct jr_prune place = { .key_length = 0 };
        struct jr_store *store;
        struct jr_error error;
        uint64_t id = 1000;
        bool removed = true;

        assert_int_equal(jr_store_open(&store, new_folder(), 1024 * 1024, &error), JR_OK);
        while (save_closed(store, id, length) == JR_OK)
            id++;
        for (int i = 0; i < 40 && removed; i++)
            assert_int_equal(jr_ledger_squeeze(store, START_MS + JR_DAY_MS, 100, &place, &removed, &error), JR_OK);
        assert_true(removed);
        assert_int_equal(save_closed(store, id, length), JR_OK);
        assert_false(is_known(store, 1000));
        assert_int_equal(count(store, JR_TABLE_AGES), id - 1000 - 40 + 1);
        assert_int_equal(count(store, JR_TABLE_TOLD), id - 1000 - 40 + 1);
        assert_int_equal(count(store, JR_TABLE_LINES), id - 1000 - 40 + 1);
        assert_int_equal(count(store, JR_TABLE_LISTS), 3 * (id - 1000 - 40 + 1));
        assert_int_equal(count(store, JR_TABLE_FAILURES), 3 * count_parts(store, JR_PART_FAILURE));
        jr_store_close(store);
    }
}

/* A process died between two of its transactions. */
static void squeezed_in_part(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_prune place = { .key_length = 0 };
    struct jr_error error;
    unsigned char key[JR_KEY_MAX];
    struct jr_txn txn;
    bool removed;

    (void)state;
    assert_int_equal(save_closed(store, 7, 10), JR_OK);
    jr_txn_begin(&txn, store, true);
    jr_txn_delete(&txn, JR_TABLE_RUNS, key, jr_ledger_key(key, 7, JR_PART_RUN, 0));
    commit(&txn);
    assert_int_equal(jr_ledger_squeeze(store, START_MS + JR_DAY_MS, 100, &place, &removed, &error), JR_OK);
    assert_true(removed);
    assert_int_equal(count(store, JR_TABLE_AGES), 0);
    assert_int_equal(count_parts(store, JR_PART_HISTORY), 0);
    assert_int_equal(jr_ledger_squeeze(store, START_MS + JR_DAY_MS, 100, &place, &removed, &error), JR_OK);
    assert_false(removed);
    jr_store_close(store);
}

/* Write a record as it is, in no list. */
static void write_record(struct jr_txn *txn, const struct jr_run *run)
{
    unsigned char key[JR_KEY_MAX], record[JR_RECORD_SIZE];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_run_encode(run, &writer);
    jr_txn_put(txn, JR_TABLE_RUNS, key, jr_ledger_key(key, run->run_id, JR_PART_RUN, 0), record, writer.length);
}

/* Write its record anew, as if nobody had known of lists. */
static void unlist(struct jr_txn *txn, uint64_t id)
{
    struct jr_run run;

    jr_ledger_load_run(txn, id, &run);
    jr_runindex_drop(txn, JR_RUNINDEX_REPO, run.stored_scope, id);
    jr_runindex_drop(txn, JR_RUNINDEX_NEEDY, run.stored_scope, id);
    jr_runindex_drop(txn, JR_RUNINDEX_NEEDY, JR_RUNINDEX_ALL, id);
    run.listed = false;
    run.list = JR_RUN_LIST_NONE;
    write_record(txn, &run);
}

/* The ids in a list, the greatest first. */
static const char *list(struct jr_store *store, enum jr_runindex list, const char *repo)
{
    static char found[64];
    uint64_t scope = *repo != '\0' ? jr_runindex_scope(repo) : JR_RUNINDEX_ALL, id = 0;
    struct jr_txn txn;

    *found = '\0';
    jr_txn_begin(&txn, store, false);
    while (jr_runindex_before(&txn, list, scope, &id))
        snprintf(found + strlen(found), sizeof found - strlen(found), " %d", (int)id);
    commit(&txn);
    return found;
}

static void save_as(struct jr_store *store, uint64_t id, const char *repo, enum jr_phase phase, enum jr_reason reason)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, id, &run);
    snprintf(run.repo, sizeof run.repo, "%s", repo);
    run.last_event_ms = START_MS;
    run.complete = true;
    run.conclusion = reason == JR_REASON_RUN_SUCCEEDED ? JR_CONCLUSION_SUCCESS : JR_CONCLUSION_FAILURE;
    run.phase = phase;
    run.reason = reason;
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
}

/* A run is in the list of its repository, and in one more while it waits or needs a person. */
static void lists_follow_the_run(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run;

    (void)state;
    save_as(store, 5, "octo/app", JR_PHASE_DUE, JR_REASON_RUN_FAILED);
    save_as(store, 7, "Octo/App", JR_PHASE_CLOSED, JR_REASON_RUN_SUCCEEDED);
    save_as(store, 6, "octo/lib", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    save_as(store, 9, "octo/app", JR_PHASE_CLOSED, JR_REASON_BRANCH_EXCLUDED);
    assert_string_equal(list(store, JR_RUNINDEX_REPO, "octo/app"), " 9 7 5");
    assert_string_equal(list(store, JR_RUNINDEX_REPO, "OCTO/lib"), " 6");
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, ""), " 6");
    assert_string_equal(list(store, JR_RUNINDEX_WAITING, ""), " 5");
    assert_string_equal(list(store, JR_RUNINDEX_WAITING, "octo/app"), " 5");
    /* It is given up, and somebody asks for it once more. */
    save_as(store, 5, "octo/app", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, "octo/app"), " 5");
    assert_string_equal(list(store, JR_RUNINDEX_WAITING, "octo/app"), "");
    save_as(store, 5, "octo/app", JR_PHASE_DUE, JR_REASON_RUN_FAILED);
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, "octo/app"), "");
    assert_string_equal(list(store, JR_RUNINDEX_WAITING, "octo/app"), " 5");
    /* It was rescued; another one fails, which goes to another repository. */
    save_as(store, 5, "octo/app", JR_PHASE_CLOSED, JR_REASON_RUN_SUCCEEDED);
    save_as(store, 6, "octo/new", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    assert_string_equal(list(store, JR_RUNINDEX_REPO, "octo/lib"), "");
    assert_string_equal(list(store, JR_RUNINDEX_REPO, "octo/new"), " 6");
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, ""), " 6");
    assert_string_equal(list(store, JR_RUNINDEX_WAITING, ""), "");
    assert_string_equal(list(store, JR_RUNINDEX_WAITING, "octo/app"), "");
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, "octo/lib"), "");
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, "octo/new"), " 6");
    assert_int_equal(count(store, JR_TABLE_LISTS), 4 + 2);
    /* Once in each, however often it is saved. */
    save_as(store, 6, "octo/new", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    assert_int_equal(count(store, JR_TABLE_LISTS), 4 + 2);
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 5; id <= 9; id++) {
        jr_ledger_load_run(&txn, id, &run);
        if (run.known)
            jr_ledger_remove_run(&txn, &run);
    }
    commit(&txn);
    assert_int_equal(count(store, JR_TABLE_LISTS), 0);
    jr_store_close(store);
}

/* A run that an older version has written comes into the lists when it is saved again. */
static void lists_of_an_older_version(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;

    (void)state;
    save_as(store, 5, "octo/app", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    jr_txn_begin(&txn, store, true);
    unlist(&txn, 5);
    commit(&txn);
    assert_int_equal(count(store, JR_TABLE_LISTS), 0);
    save_as(store, 5, "octo/app", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    assert_string_equal(list(store, JR_RUNINDEX_REPO, "octo/app"), " 5");
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, ""), " 5");
    jr_store_close(store);
}

/* Upkeep goes through all runs once, a few at a time; then the store says that it is done. */
static void older_runs_are_listed(void **state)
{
    const struct jr_failure failure = { .job_id = 1, .attempt = 1, .name = "build", .finding = { .cause = JR_CAUSE_DISK } };
    struct jr_store *store = open_store(new_folder());
    struct jr_entry entry;
    struct jr_txn txn;
    struct jr_run run;
    uint64_t after = 0, id = 0;

    (void)state;
    for (id = 1; id <= 5; id++)
        save_as(store, id, "octo/app", JR_PHASE_CLOSED, id == 4 ? JR_REASON_ATTEMPTS_USED_UP : JR_REASON_RUN_SUCCEEDED);
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, 2, &run);
    jr_failures_save(&txn, &run, &failure, START_MS);
    /* The entry by cause, which is the last one. */
    assert_true(jr_txn_seek_before(&txn, JR_TABLE_FAILURES, NULL, 0, &entry));
    jr_txn_delete(&txn, JR_TABLE_FAILURES, entry.key, entry.key_length);
    for (id = 1; id <= 4; id++)
        unlist(&txn, id);
    commit(&txn);
    damage_part(store, 3, JR_PART_RUN, 0);
    assert_string_equal(list(store, JR_RUNINDEX_REPO, "octo/app"), " 5");
    for (unsigned calls = 0; calls < 4; calls++) {
        jr_txn_begin(&txn, store, true);
        assert_int_equal(jr_ledger_list(&txn, 2, &after), calls < 2);
        commit(&txn);
    }
    assert_string_equal(list(store, JR_RUNINDEX_REPO, "octo/app"), " 5 4 2 1");
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, ""), " 4");
    jr_txn_begin(&txn, store, true);
    id = 0;
    assert_true(jr_failure_index_run_before(&txn, JR_CAUSE_DISK, &id));
    assert_int_equal(id, 2);
    unlist(&txn, 1);
    assert_false(jr_ledger_list(&txn, 100, &after));
    commit(&txn);
    assert_string_equal(list(store, JR_RUNINDEX_REPO, "octo/app"), " 5 4 2");
    jr_store_close(store);
}

/* Somebody goes back to the older version for a while. Of what it wrote the lists know nothing. */
static void older_version_was_back(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    uint64_t after = 0;

    (void)state;
    for (uint64_t id = 1; id <= 3; id++)
        save_as(store, id, "octo/app", JR_PHASE_CLOSED, JR_REASON_RUN_SUCCEEDED);
    jr_txn_begin(&txn, store, true);
    assert_false(jr_ledger_list(&txn, 100, &after));
    unlist(&txn, 1);
    unlist(&txn, 2);
    /* It was given up before, and needed somebody. */
    jr_runindex_put(&txn, JR_RUNINDEX_NEEDY, JR_RUNINDEX_ALL, 2);
    jr_runindex_put(&txn, JR_RUNINDEX_NEEDY, jr_runindex_scope("octo/app"), 2);
    commit(&txn);
    jr_txn_begin(&txn, store, true);
    after = 0;
    assert_true(jr_ledger_list(&txn, 2, &after));
    assert_false(jr_ledger_list(&txn, 100, &after));
    assert_true(after == JR_LEDGER_LISTED);
    after = 0;
    assert_false(jr_ledger_list(&txn, 1, &after));
    commit(&txn);
    assert_string_equal(list(store, JR_RUNINDEX_REPO, "octo/app"), " 3 2 1");
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, ""), "");
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, "octo/app"), "");
    jr_store_close(store);
}

/* Runs that wait once stood in one list with those that need a person. */
static void lists_are_parted(void **state)
{
    struct jr_store *store = open_store(new_folder());
    uint64_t after = 0, scope = jr_runindex_scope("octo/app");
    struct jr_txn txn;
    struct jr_run run;

    (void)state;
    save_as(store, 9, "octo/app", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    for (uint64_t id = 1; id <= 3; id++)
        save_as(store, id, "octo/app", JR_PHASE_DUE, JR_REASON_RUN_FAILED);
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 1; id <= 3; id++) {
        jr_ledger_load_run(&txn, id, &run);
        for (int all = 0; all <= 1; all++) {
            jr_runindex_drop(&txn, JR_RUNINDEX_WAITING, all ? JR_RUNINDEX_ALL : scope, id);
            jr_runindex_put(&txn, JR_RUNINDEX_NEEDY, all ? JR_RUNINDEX_ALL : scope, id);
        }
        run.list = JR_RUN_LIST_NEEDY;
        write_record(&txn, &run);
    }
    jr_txn_put(&txn, JR_TABLE_META, "listed", 6, "", 0);
    /* One is removed before upkeep comes by. */
    jr_ledger_load_run(&txn, 2, &run);
    jr_ledger_remove_run(&txn, &run);
    commit(&txn);
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, ""), " 9 3 1");
    jr_txn_begin(&txn, store, true);
    assert_true(jr_ledger_list(&txn, 1, &after));
    assert_false(jr_ledger_list(&txn, 100, &after));
    after = 0;
    assert_false(jr_ledger_list(&txn, 1, &after));
    commit(&txn);
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, ""), " 9");
    assert_string_equal(list(store, JR_RUNINDEX_NEEDY, "octo/app"), " 9");
    assert_string_equal(list(store, JR_RUNINDEX_WAITING, ""), " 3 1");
    assert_string_equal(list(store, JR_RUNINDEX_WAITING, "octo/app"), " 3 1");
    assert_int_equal(count(store, JR_TABLE_LISTS), 3 + 3 * 2);
    jr_store_close(store);
}

static void entry_of_a_run_that_is_gone(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    int64_t due_ms;
    uint64_t id;

    (void)state;
    save(store, 1, START_MS, START_MS + 5);
    save(store, 2, START_MS, START_MS + 5);
    jr_txn_begin(&txn, store, true);
    jr_ledger_drop_due(&txn, START_MS + 5, 1);
    jr_ledger_drop_due(&txn, START_MS + 6, 2); /* there is none */
    assert_true(jr_ledger_first_due(&txn, INT64_MAX, &due_ms, &id));
    assert_int_equal(id, 2);
    commit(&txn);
    jr_store_close(store);
}

int main(void)
{
    TEST(no_run_yet);
    TEST(run_comes_back);
    TEST(outbox_follows_the_run);
    TEST(waits_since);
    TEST(waits_since_an_older_version);
    TEST(quiet_follows_the_run);
    TEST(saved_twice_at_once);
    TEST(first_due_is_the_earliest);
    TEST(due_after_the_latest_comes_first);
    TEST(jobs_of_a_run);
    TEST(damaged_record);
    TEST(old_runs_go_with_all_they_have);
    TEST(last_event_counts);
    TEST(pruned_a_little_at_a_time);
    TEST(due_runs_stay);
    TEST(open_runs_stay_if_told);
    TEST(damaged_runs_go_too);
    TEST(walk_goes_on_where_it_was);
    TEST(full_map_is_squeezed);
    TEST(squeezed_in_part);
    TEST(lists_follow_the_run);
    TEST(lists_of_an_older_version);
    TEST(older_runs_are_listed);
    TEST(lists_are_parted);
    TEST(older_version_was_back);
    TEST(entry_of_a_run_that_is_gone);
    return run_program("ledger");
}
