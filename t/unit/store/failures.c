/*
 * failures -- the failed jobs of runs in the store, and what came of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/failures.h"
#include "lib/store/history.h"
#include "lib/store/key.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

/* A run of octo/app that nothing more is heard of. */
static struct jr_run run_of(uint64_t id)
{
    return (struct jr_run){
        .known = true, .run_id = id, .repo = "octo/app", .workflow = "CI", .attempt = 1,
        .base_attempt = 1, .complete = true, .conclusion = JR_CONCLUSION_FAILURE,
        .phase = JR_PHASE_CLOSED, .last_event_ms = START_MS, .told_ms = START_MS,
    };
}

static struct jr_failure failure_of(uint64_t job_id, const char *name, enum jr_cause cause)
{
    struct jr_failure failure = {
        .job_id = job_id, .attempt = 1, .conclusion = JR_CONCLUSION_FAILURE, .counts = true,
        .finding = { .cause = cause, .step = "Run make" },
    };

    snprintf(failure.name, sizeof failure.name, "%s", name);
    return failure;
}

static void put_run(struct jr_store *store, struct jr_run *run)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_ledger_save_run(&txn, run);
    commit(&txn);
}

static void put_failure(struct jr_store *store, const struct jr_run *run,
                        const struct jr_failure *failure, int64_t now_ms)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_failures_save(&txn, run, failure, now_ms);
    commit(&txn);
}

/* A job of a later attempt, which ran for a second: a minute that is begun counts. */
static void put_job(struct jr_store *store, uint64_t run_id, uint64_t job_id, const char *name,
                    uint32_t attempt, enum jr_conclusion conclusion)
{
    struct jr_job job = {
        .known = true, .run_id = run_id, .job_id = job_id, .attempt = attempt,
        .status = conclusion == JR_CONCLUSION_NONE ? JR_STATUS_IN_PROGRESS : JR_STATUS_COMPLETED,
        .conclusion = conclusion, .started_ms = START_MS,
        .completed_ms = conclusion == JR_CONCLUSION_NONE ? 0 : START_MS + JR_SECOND_MS,
    };
    struct jr_txn txn;

    snprintf(job.name, sizeof job.name, "%s", name);
    jr_txn_begin(&txn, store, true);
    jr_ledger_save_job(&txn, &job);
    commit(&txn);
}

static uint64_t count(struct jr_store *store, enum jr_table table)
{
    struct jr_txn txn;
    uint64_t entries;

    jr_txn_begin(&txn, store, false);
    entries = jr_txn_count(&txn, table);
    commit(&txn);
    return entries;
}

/*
 * The truth about the indexes: each failure of each run has its two entries, and there are no
 * others.
 */
static void check_indexes(struct jr_store *store)
{
    struct jr_entry entry = { .key_length = 0 };
    struct jr_failure_place place, other;
    struct jr_txn txn;
    uint64_t failures = 0;

    jr_txn_begin(&txn, store, false);
    while (jr_txn_seek(&txn, JR_TABLE_RUNS, entry.key, entry.key_length, true, &entry)) {
        if (entry.key[8] != JR_PART_FAILURE)
            continue;
        failures++;
        assert_true(jr_failure_place_read(&place, entry.value, entry.value_length));
        place.run_id = jr_key_number_at(&entry, 0);
        place.job_id = jr_key_number_at(&entry, 9);
        other = place;
        other.job_id--;
        assert_true(jr_failure_index_next(&txn, &other));
        assert_true(other.at_ms == place.at_ms && other.run_id == place.run_id
                    && other.job_id == place.job_id);
        other.job_id++;
        memcpy(other.job, place.job, sizeof other.job);
        other.cause = place.cause;
        assert_true(jr_failure_index_before(&txn, &other));
        assert_true(other.at_ms == place.at_ms && other.run_id == place.run_id
                    && other.job_id == place.job_id);
        other.run_id++;
        assert_true(jr_failure_index_run_before(&txn, place.cause, &other.run_id));
        assert_true(other.run_id == place.run_id);
    }
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_FAILURES), 3 * failures);
    commit(&txn);
}

static void failures_of_a_run(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_run run = run_of(RUN_ID), next = run_of(RUN_ID + 1);
    struct jr_failure one = failure_of(7, "build", JR_CAUSE_NETWORK);
    struct jr_failure two = failure_of(5, "test", JR_CAUSE_TEST), read;
    struct jr_txn txn;

    (void)state;
    two.attempt = 2;
    two.counts = false;
    put_failure(store, &run, &one, START_MS);
    put_failure(store, &run, &two, START_MS + 1);
    put_failure(store, &next, &one, START_MS + 2);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_failures_next(&txn, RUN_ID, 0, &read));
    assert_true(read.job_id == 5 && read.finding.cause == JR_CAUSE_TEST);
    assert_int_equal(read.recorded_ms, START_MS + 1);
    assert_true(jr_failures_next(&txn, RUN_ID, 5, &read));
    assert_true(read.job_id == 7 && strcmp(read.name, "build") == 0);
    assert_false(jr_failures_next(&txn, RUN_ID, 7, &read));
    assert_true(jr_failures_has(&txn, RUN_ID, 1) && jr_failures_has(&txn, RUN_ID, 2));
    assert_false(jr_failures_has(&txn, RUN_ID, 3) || jr_failures_has(&txn, RUN_ID + 1, 2));
    assert_false(jr_failures_has(&txn, RUN_ID + 2, 1));
    assert_true(jr_failures_causes(&txn, RUN_ID, 1) == UINT64_C(1) << JR_CAUSE_NETWORK);
    assert_true(jr_failures_causes(&txn, RUN_ID, 2) == 0); /* it does not count */
    assert_true(jr_failures_causes(&txn, RUN_ID, 3) == 0);
    commit(&txn);
    check_indexes(store);
    jr_store_close(store);
}

/* It moves in the indexes, by its time, its cause and its name, and leaves nothing behind. */
static void saved_again(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_run run = run_of(RUN_ID);
    struct jr_failure failure = failure_of(7, "build", JR_CAUSE_UNKNOWN);

    (void)state;
    put_failure(store, &run, &failure, START_MS);
    failure.finding.cause = JR_CAUSE_NETWORK;
    put_failure(store, &run, &failure, START_MS + 1);
    check_indexes(store);
    strcpy(failure.name, "other");
    strcpy(run.repo, "octo/new");
    put_failure(store, &run, &failure, START_MS + 2);
    check_indexes(store);
    assert_int_equal(count(store, JR_TABLE_FAILURES), 3);
    jr_store_close(store);
}

static void walk_by_time(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_run run = run_of(9), other = run_of(4);
    struct jr_failure failure = failure_of(7, "build", JR_CAUSE_NETWORK), read;
    struct jr_failures_place place = { .run_id = 0 };
    struct jr_txn txn;
    uint64_t run_id;

    (void)state;
    put_failure(store, &run, &failure, START_MS);
    put_failure(store, &other, &failure, START_MS + 5);
    failure.job_id = 8;
    put_failure(store, &run, &failure, START_MS + 5);
    failure.job_id = 9;
    put_failure(store, &other, &failure, START_MS + 5);
    damage_part(store, 4, JR_PART_FAILURE, 7);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_failures_next_since(&txn, START_MS + 1, &place, &run_id, &read));
    assert_true(run_id == 4 && read.job_id == 9); /* 7 is damaged */
    assert_true(jr_failures_next_since(&txn, START_MS + 1, &place, &run_id, &read));
    assert_true(run_id == 9 && read.job_id == 8);
    assert_false(jr_failures_next_since(&txn, START_MS + 1, &place, &run_id, &read));
    place = (struct jr_failures_place){ .run_id = 0 };
    assert_true(jr_failures_next_since(&txn, START_MS, &place, &run_id, &read));
    assert_true(run_id == 9 && read.job_id == 7);
    place = (struct jr_failures_place){ .run_id = 0 };
    assert_false(jr_failures_next_since(&txn, START_MS + 6, &place, &run_id, &read));
    assert_true(jr_failures_back_to(&txn, START_MS + 1, &place, &run_id, &read));
    assert_true(run_id == 9 && read.job_id == 8);
    assert_true(jr_failures_back_to(&txn, START_MS + 1, &place, &run_id, &read));
    assert_true(run_id == 4 && read.job_id == 9);
    assert_false(jr_failures_back_to(&txn, START_MS + 1, &place, &run_id, &read));
    commit(&txn);
    jr_store_close(store);
}

static void damaged(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_run run = run_of(RUN_ID);
    struct jr_failure failure = failure_of(7, "build", JR_CAUSE_NETWORK), read;
    struct jr_txn txn;

    (void)state;
    put_failure(store, &run, &failure, START_MS);
    failure.job_id = 8;
    put_failure(store, &run, &failure, START_MS);
    damage_part(store, RUN_ID, JR_PART_FAILURE, 7);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_failures_has(&txn, RUN_ID, 1));
    assert_int_equal(txn.error.code, JR_OK);
    assert_false(jr_failures_next(&txn, RUN_ID, 0, &read));
    assert_int_equal(txn.error.code, JR_EFORMAT);
    assert_contains(txn.error.text, "job 7");
    jr_txn_abort(&txn);
    jr_store_close(store);
}

/* What is recorded with a run goes with it, whoever removes it. */
static void removed_with_the_run(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_prune place = { .key_length = 0 };
    struct jr_failure failure = failure_of(7, "build", JR_CAUSE_NETWORK);
    struct jr_error error;
    struct jr_run run;
    struct jr_txn txn;
    bool removed;

    (void)state;
    for (uint64_t id = 1; id <= 4; id++) {
        run = run_of(id);
        put_run(store, &run);
        for (failure.job_id = 1; failure.job_id <= 3; failure.job_id++)
            put_failure(store, &run, &failure, START_MS + (int64_t)failure.job_id);
    }
    damage_part(store, 4, JR_PART_RUN, 0);
    assert_int_equal(count(store, JR_TABLE_FAILURES), 36);
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, 1, &run);
    jr_ledger_remove_run(&txn, &run);
    commit(&txn);
    check_indexes(store);
    assert_int_equal(count(store, JR_TABLE_FAILURES), 27);
    assert_int_equal(jr_ledger_squeeze(store, START_MS + JR_DAY_MS, 1, &place, &removed, &error),
                     JR_OK);
    assert_true(removed);
    check_indexes(store);
    assert_int_equal(count(store, JR_TABLE_FAILURES), 18);
    jr_txn_begin(&txn, store, true);
    assert_int_equal(jr_ledger_prune(&txn, START_MS + JR_DAY_MS, false, 10, &place), 2);
    commit(&txn);
    assert_int_equal(count(store, JR_TABLE_FAILURES), 0);
    assert_int_equal(count(store, JR_TABLE_RUNS), 0);
    jr_store_close(store);
}

/* A run of which the history tells what came of attempts; then the jobs of attempt 2. */
struct after_row {
    const char *name;
    enum jr_reason outcome;          /* of attempt 1; NONE: nothing is told */
    uint32_t reruns, accepted;       /* of the run */
    uint32_t attempt;                /* where it is */
    enum jr_conclusion run, job, second; /* of attempt 2; NONE: a job is under way */
    int jobs;                        /* how many jobs of the name attempt 2 has */
    bool carried_over;
    enum jr_aftermath want;
    int64_t minutes;
};

static void tell_outcome(struct jr_store *store, struct jr_run *run, enum jr_reason reason)
{
    struct jr_history entry = { .at_ms = START_MS, .kind = JR_HISTORY_OUTCOME, .attempt = 1,
                                .reason = reason, .next = 2 };
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    if (reason != JR_REASON_NONE)
        jr_history_add(&txn, run, &entry, NULL, NULL);
    jr_ledger_save_run(&txn, run);
    commit(&txn);
}

static void aftermath(void **state)
{
    const struct after_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_run run = run_of(RUN_ID);
    struct jr_failure failure = failure_of(7, "build", JR_CAUSE_NETWORK);
    struct jr_job job;
    struct jr_txn txn;
    int64_t minutes = -1;

    run.reruns = row->reruns;
    run.accepted_attempt = row->accepted;
    run.attempt = row->attempt;
    run.conclusion = row->run;
    run.complete = row->run != JR_CONCLUSION_NONE;
    tell_outcome(store, &run, row->outcome);
    put_job(store, RUN_ID, 7, "build", 1, JR_CONCLUSION_FAILURE);
    put_job(store, RUN_ID, 8, "other", 2, JR_CONCLUSION_FAILURE);
    put_job(store, RUN_ID, 20, "build", 3, JR_CONCLUSION_SUCCESS);
    for (int i = 0; i < row->jobs; i++)
        put_job(store, RUN_ID, 9 + (uint64_t)i, "build", 2, i == 0 ? row->job : row->second);
    jr_txn_begin(&txn, store, true);
    if (row->carried_over) {
        jr_ledger_load_job(&txn, RUN_ID, 9, &job);
        job.carried_over = true;
        jr_ledger_save_job(&txn, &job);
    }
    assert_int_equal(jr_failures_aftermath(&txn, &run, &failure, &minutes), row->want);
    assert_int_equal(minutes, row->minutes);
    assert_int_equal(jr_failures_aftermath(&txn, &run, &failure, NULL), row->want);
    commit(&txn);
    jr_store_close(store);
}

#define ACCEPTED  JR_REASON_RERUN_ACCEPTED
#define SUCCESS   JR_CONCLUSION_SUCCESS
#define FAILURE   JR_CONCLUSION_FAILURE
#define CANCELLED JR_CONCLUSION_CANCELLED
#define NONE      JR_CONCLUSION_NONE

static const struct after_row after_rows[] = {
    { "not rerun", 0, 0, 0, 1, FAILURE, NONE, NONE, 0, false, JR_AFTER_NOT_RERUN, 0 },
    { "rerun by others", JR_REASON_RERUN_BY_OTHERS, 0, 0, 2, SUCCESS, SUCCESS, NONE, 1, false,
      JR_AFTER_NOT_RERUN, 0 },
    { "the next attempt was, too", JR_REASON_RERUN_BY_OTHERS, 1, 2, 3, SUCCESS, SUCCESS, NONE, 1,
      false, JR_AFTER_NOT_RERUN, 0 },
    { "rescued", ACCEPTED, 1, 1, 2, SUCCESS, SUCCESS, NONE, 1, false, JR_AFTER_RESCUED, 1 },
    { "rescued, though the run failed", ACCEPTED, 1, 1, 2, FAILURE, SUCCESS, NONE, 1, false,
      JR_AFTER_RESCUED, 1 },
    { "failed again", ACCEPTED, 1, 1, 2, FAILURE, FAILURE, NONE, 1, false, JR_AFTER_FAILED, 1 },
    { "nobody saw the answer", JR_REASON_RERUN_WORKED, 1, 1, 2, SUCCESS, SUCCESS, NONE, 1, false,
      JR_AFTER_RESCUED, 1 },
    { "another host of ours", JR_REASON_RERUN_ELSEWHERE, 1, 2, 3, SUCCESS, SUCCESS, NONE, 1, false,
      JR_AFTER_RESCUED, 1 },
    { "the history has to tell", ACCEPTED, 1, 2, 3, FAILURE, FAILURE, NONE, 1, false,
      JR_AFTER_FAILED, 1 },
    { "refused, since others were quicker", JR_REASON_RERUN_BY_OTHERS, 0, 1, 2, SUCCESS, SUCCESS,
      NONE, 1, false, JR_AFTER_NOT_RERUN, 0 },
    { "the run leaves no doubt", 0, 2, 2, 3, SUCCESS, SUCCESS, NONE, 1, false, JR_AFTER_RESCUED,
      1 },
    { "under way", ACCEPTED, 1, 1, 2, NONE, NONE, NONE, 1, false, JR_AFTER_UNDER_WAY, 0 },
    { "one of two under way", ACCEPTED, 1, 1, 2, NONE, SUCCESS, NONE, 2, false,
      JR_AFTER_UNDER_WAY, 1 },
    { "one of two failed", ACCEPTED, 1, 1, 2, FAILURE, SUCCESS, FAILURE, 2, false,
      JR_AFTER_FAILED, 2 },
    { "one failed, one is under way", ACCEPTED, 1, 1, 2, NONE, FAILURE, NONE, 2, false,
      JR_AFTER_FAILED, 1 },
    { "both succeeded", ACCEPTED, 1, 1, 2, SUCCESS, SUCCESS, SUCCESS, 2, false, JR_AFTER_RESCUED,
      2 },
    { "cancelled", ACCEPTED, 1, 1, 2, CANCELLED, CANCELLED, NONE, 1, false, JR_AFTER_UNDER_WAY,
      1 },
    { "nothing is known yet", ACCEPTED, 1, 1, 2, NONE, NONE, NONE, 0, false, JR_AFTER_UNDER_WAY,
      0 },
    { "only the run is known", ACCEPTED, 1, 1, 2, SUCCESS, NONE, NONE, 0, false,
      JR_AFTER_RESCUED, 0 },
    { "only that the run failed", ACCEPTED, 1, 1, 2, FAILURE, NONE, NONE, 0, false,
      JR_AFTER_UNDER_WAY, 0 },
    { "the run's success is a later one's", ACCEPTED, 1, 1, 3, SUCCESS, NONE, NONE, 0, false,
      JR_AFTER_UNDER_WAY, 0 },
    { "only shown again", ACCEPTED, 1, 1, 2, FAILURE, FAILURE, NONE, 1, true, JR_AFTER_UNDER_WAY,
      0 },
};

/* Runs 1 .. 6, of which 1 and 4 were rescued, 2 and 5 not, 3 and 6 have not come out. */
static void put_runs(struct jr_store *store, const char *job, enum jr_cause cause)
{
    static const enum jr_conclusion conclusions[] = { SUCCESS, FAILURE, NONE };

    for (uint64_t id = 1; id <= 6; id++) {
        struct jr_run run = run_of(id);
        struct jr_failure failure = failure_of(7, job, cause);

        run.reruns = run.accepted_attempt = 1;
        run.attempt = 2;
        put_run(store, &run);
        put_failure(store, &run, &failure, START_MS + (int64_t)id);
        put_job(store, id, 8, job, 2, conclusions[(id - 1) % 3]);
    }
}

static void worth_of(struct jr_store *store, const char *job, enum jr_cause cause, uint32_t of,
                     uint32_t want_tried, uint32_t want_rescued)
{
    struct jr_run run = run_of(100);
    struct jr_txn txn;
    uint32_t tried = 99, rescued = 99;

    jr_txn_begin(&txn, store, false);
    jr_failures_worth(&txn, &run, job, cause, (struct jr_failures_span){ START_MS, JR_TIME_MOST, of }, &tried, &rescued);
    commit(&txn);
    assert_int_equal(tried, want_tried);
    assert_int_equal(rescued, want_rescued);
}

static void worth(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_run other = run_of(50);
    struct jr_failure failure = failure_of(7, "build", JR_CAUSE_NETWORK);

    (void)state;
    put_runs(store, "build", JR_CAUSE_NETWORK);
    strcpy(other.workflow, "Nightly");
    put_failure(store, &other, &failure, START_MS + 50);
    worth_of(store, "build", JR_CAUSE_NETWORK, 20, 4, 2);
    worth_of(store, "build", JR_CAUSE_NETWORK, 1, 1, 0); /* the newest that came out is 5 */
    worth_of(store, "build", JR_CAUSE_NETWORK, 2, 2, 1);
    worth_of(store, "build", JR_CAUSE_NETWORK, 0, 0, 0);
    worth_of(store, "build", JR_CAUSE_REGISTRY, 20, 0, 0);
    worth_of(store, "builds", JR_CAUSE_NETWORK, 20, 0, 0);
    /* What cannot be read is not counted, and stops nothing. */
    damage_part(store, 5, JR_PART_FAILURE, 7);
    damage_part(store, 4, JR_PART_RUN, 0);
    worth_of(store, "build", JR_CAUSE_NETWORK, 20, 2, 1);
    damage_part(store, 1, JR_PART_JOB, 8);
    worth_of(store, "build", JR_CAUSE_NETWORK, 20, 1, 0);
    jr_store_close(store);
}

struct same_row {
    const char *name;
    const char *step, *line, *first_error; /* of the earlier attempt */
    uint32_t attempt;
    const char *job;
    bool want;
    enum jr_conclusion between; /* of "build" in attempt 2; NONE: nothing is known of it */
};

static void same_as_before(void **state)
{
    const struct same_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_run run = run_of(RUN_ID);
    struct jr_failure before = failure_of(7, row->job, JR_CAUSE_UNKNOWN);
    struct jr_failure now = failure_of(9, "build", JR_CAUSE_UNKNOWN), found = { .job_id = 0 };
    struct jr_run other = run_of(RUN_ID + 1);
    struct jr_txn txn;

    before.attempt = row->attempt;
    strcpy(before.finding.step, row->step);
    strcpy(before.finding.line, row->line);
    strcpy(before.finding.first_error, row->first_error);
    put_failure(store, &run, &before, START_MS);
    if (row->between != JR_CONCLUSION_NONE)
        put_job(store, RUN_ID, 8, "build", 2, row->between);
    now.attempt = 3;
    strcpy(now.finding.first_error, "no answer in 12 s\nanother");
    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_failures_same_as_before(&txn, &run, &now, &found), row->want);
    assert_int_equal(jr_failures_same_as_before(&txn, &run, &now, NULL), row->want);
    if (row->want) {
        assert_int_equal(found.job_id, 7);
        assert_int_equal(found.attempt, row->attempt);
    }
    assert_false(jr_failures_same_as_before(&txn, &other, &now, NULL));
    strcpy(now.finding.first_error, "");
    assert_false(jr_failures_same_as_before(&txn, &run, &now, NULL));
    commit(&txn);
    jr_store_close(store);
}

static const struct same_row same_rows[] = {
    { "same", "Run make", "", "no answer in 7 s\nand more", 2, "build", true, JR_CONCLUSION_NONE },
    { "the line of a known cause", "Run make", "no answer in 7 s", "", 2, "build", true, JR_CONCLUSION_NONE },
    { "another step", "Run test", "", "no answer in 7 s", 2, "build", false, JR_CONCLUSION_NONE },
    { "another line", "Run make", "", "no answer at all", 2, "build", false, JR_CONCLUSION_NONE },
    { "no line", "Run make", "", "", 2, "build", false, JR_CONCLUSION_NONE },
    { "another job", "Run make", "", "no answer in 7 s", 2, "test", false, JR_CONCLUSION_NONE },
    { "two attempts before", "Run make", "", "no answer in 7 s", 1, "build", true, JR_CONCLUSION_NONE },
    { "and failed between", "Run make", "", "no answer in 7 s", 1, "build", true, JR_CONCLUSION_FAILURE },
    { "and was cancelled between", "Run make", "", "no answer in 7 s", 1, "build", true, JR_CONCLUSION_CANCELLED },
    { "but passed between", "Run make", "", "no answer in 7 s", 1, "build", false, JR_CONCLUSION_SUCCESS },
    { "a later attempt", "Run make", "", "no answer in 7 s", 4, "build", false, JR_CONCLUSION_NONE },
    { "the same attempt", "Run make", "", "no answer in 7 s", 3, "build", false, JR_CONCLUSION_NONE },
};

int main(void)
{
    TEST(failures_of_a_run);
    TEST(saved_again);
    TEST(walk_by_time);
    TEST(damaged);
    TEST(removed_with_the_run);
    TABLE(after_rows, aftermath);
    TEST(worth);
    TABLE(same_rows, same_as_before);
    return run_program("failures");
}
