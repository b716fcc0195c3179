/*
 * intake -- an event into the store, and its answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/reply.h"
#include "lib/base/timestamp.h"
#include "lib/steps/intake.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "lib/store/narrate.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A store, settings, and a clock that goes on by a second with each event. */
struct desk {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_receipt receipt;
    struct jr_error error;
    int64_t now_ms;
};

static void open_desk(struct desk *desk, const char *settings)
{
    memset(desk, 0, sizeof *desk);
    desk->store = open_store(new_folder());
    desk->now_ms = START_MS + 100 * JR_SECOND_MS;
    load_settings(&desk->settings, settings);
}

static void close_desk(struct desk *desk)
{
    jr_store_close(desk->store);
    jr_settings_release(&desk->settings);
}

static void change_settings(struct desk *desk, const char *settings)
{
    jr_settings_release(&desk->settings);
    load_settings(&desk->settings, settings);
}

static enum jr_err try_deliver(struct desk *desk, const char *id, const char *token)
{
    struct jr_update update = { .event = event_of(token) };

    desk->now_ms += JR_SECOND_MS;
    update.now_ms = desk->now_ms;
    assert_int_equal(jr_delivery_identify(&update.delivery, id, token, strlen(token)), JR_OK);
    return intake(desk->store, &desk->settings, &update, &desk->receipt, &desk->error);
}

/* Deliver an event and return the status of the answer. */
static int deliver(struct desk *desk, const char *id, const char *token)
{
    if (try_deliver(desk, id, token) != JR_OK)
        fail_msg("'%s': %s", token, desk->error.text);
    assert_true(desk->receipt.answer.run_id == RUN_ID);
    return jr_reply_status(desk->receipt.answer.reply);
}

static struct jr_run run_of(struct desk *desk)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, desk->store, false);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    commit(&txn);
    return run;
}

static uint64_t count(struct desk *desk, enum jr_table table)
{
    struct jr_txn txn;
    uint64_t entries;

    jr_txn_begin(&txn, desk->store, false);
    entries = jr_txn_count(&txn, table);
    commit(&txn);
    return entries;
}

static void a_failing_job(void **state)
{
    struct desk desk;
    struct jr_run run;
    struct jr_txn txn;
    struct jr_job job;
    int64_t due_ms;
    uint64_t id;

    (void)state;
    open_desk(&desk, NULL);
    assert_int_equal(deliver(&desk, "d1", "q1"), 202);
    assert_false(desk.receipt.repeated || desk.receipt.due_moved);
    assert_int_equal(deliver(&desk, "d2", "i1"), 202);
    assert_int_equal(deliver(&desk, "d3", "c1=failure"), 201);
    assert_false(desk.receipt.repeated);
    assert_true(desk.receipt.due_moved);
    assert_int_equal(desk.receipt.answer.reason, JR_REASON_JOBS_FAILED);
    assert_int_equal(desk.receipt.answer.attempt, 1);

    run = run_of(&desk);
    assert_true(run.known);
    assert_int_equal(run.due_ms, desk.now_ms + 5 * JR_SECOND_MS);
    jr_txn_begin(&txn, desk.store, false);
    assert_true(jr_ledger_first_due(&txn, INT64_MAX, &due_ms, &id));
    assert_true(id == RUN_ID && due_ms == run.due_ms);
    jr_ledger_load_job(&txn, RUN_ID, JOB_ID(1), &job);
    assert_true(job.known);
    assert_int_equal(job.conclusion, JR_CONCLUSION_FAILURE);
    commit(&txn);
    close_desk(&desk);
}

/* Each event is in the history, with what it was known by and how it was answered. */
static void history_tells_it(void **state)
{
    struct desk desk;
    struct jr_txn txn;
    struct jr_history entry;
    uint32_t number = 0;
    unsigned events = 0, decisions = 0;
    char words[JR_NARRATE_SIZE];

    (void)state;
    open_desk(&desk, NULL);
    deliver(&desk, "d1", "q1");
    deliver(&desk, "d2", "c1=failure");
    jr_txn_begin(&txn, desk.store, false);
    while (jr_history_next(&txn, RUN_ID, &number, &entry)) {
        if (entry.kind == JR_HISTORY_EVENT) {
            assert_string_equal(entry.delivery, events == 0 ? "d1" : "d2");
            assert_int_equal(entry.reply, events == 0 ? JR_REPLY_RECORDED : JR_REPLY_SCHEDULED);
            assert_true(entry.event.job_id == JOB_ID(1));
            assert_string_equal(jr_narrate(&entry, words), events == 0 ? "workflow_job queued 'job 1' by octocat"
                                                                       : "workflow_job completed failure 'job 1' by octocat");
            events++;
        } else if (entry.kind == JR_HISTORY_DECISION) {
            assert_int_equal(entry.reason, JR_REASON_JOBS_FAILED);
            decisions++;
        }
    }
    commit(&txn);
    assert_int_equal(events, 2);
    assert_int_equal(decisions, 1);
    close_desk(&desk);
}

static void what_is_filtered_is_recorded(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "NO_RETRY_REPOS=octo/app");
    assert_int_equal(deliver(&desk, "d1", "q1"), 204);
    assert_int_equal(deliver(&desk, "d2", "c1=failure"), 204);
    assert_false(desk.receipt.due_moved);
    assert_int_equal(count(&desk, JR_TABLE_OUTBOX), 0);
    assert_int_equal(count_parts(desk.store, JR_PART_JOB), 1);
    assert_true(count_parts(desk.store, JR_PART_HISTORY) >= 2);
    close_desk(&desk);
}

/* Deliveries "id token", with ids that come again; the answer to each. */
struct repeat_row {
    const char *name, *settings, *later_settings; /* from the last delivery on */
    const char *deliveries[5];
    int want[5];
    bool last_is_repeat;
};

static void repeated(void **state)
{
    const struct repeat_row *row = *state;
    struct desk desk;

    open_desk(&desk, row->settings);
    for (size_t i = 0; i < COUNT(row->deliveries) && row->deliveries[i] != NULL; i++) {
        char id[16];
        uint64_t history = count_parts(desk.store, JR_PART_HISTORY);
        bool last = i + 1 == COUNT(row->deliveries) || row->deliveries[i + 1] == NULL;
        const char *token = strchr(row->deliveries[i], ' ') + 1;

        if (last && row->later_settings != NULL)
            change_settings(&desk, row->later_settings);
        snprintf(id, sizeof id, "%.*s", (int)(token - row->deliveries[i] - 1), row->deliveries[i]);
        assert_int_equal(deliver(&desk, id, token), row->want[i]);
        if (!last)
            continue;
        assert_int_equal(desk.receipt.repeated, row->last_is_repeat);
        if (row->last_is_repeat) {
            assert_int_equal(count_parts(desk.store, JR_PART_HISTORY), history);
            assert_false(desk.receipt.due_moved);
        }
    }
    close_desk(&desk);
}

static const struct repeat_row repeats[] = {
    { "of a 202", "", NULL, { "a q1", "a q1" }, { 202, 202 }, true },
    { "of a 201", "", NULL, { "a q1", "b c1=failure", "b c1=failure" }, { 202, 201, 201 }, true },
    { "of a 200", "", NULL, { "a q1", "b c1=success", "b c1=success" }, { 202, 200, 200 }, true },
    { "of a 404", "", NULL, { "a c1=failure", "a c1=failure" }, { 404, 202 }, true },
    { "of a 404, twice", "", NULL, { "a c1=failure", "a c1=failure", "a c1=failure" }, { 404, 202, 202 }, true },
    { "of a 202 after more came", "", NULL, { "a q1", "b c1=failure", "a q1" }, { 202, 201, 202 }, true },
    { "of a 201 after the settings changed", "", "RUN_ATTEMPTS=1", { "a q1", "b c1=failure", "b c1=failure" }, { 202, 201, 201 }, true },
    { "of a 204, still so", "RUN_ATTEMPTS=1", NULL, { "a q1", "b c1=failure", "b c1=failure" }, { 204, 204, 204 }, false },
    { "of a 204, attempts are more", "RUN_ATTEMPTS=1", "RUN_ATTEMPTS=4", { "a q1", "b c1=failure", "b c1=failure" }, { 204, 204, 201 }, false },
    { "of a 204, the sender is no longer listed", "NO_RETRY_LIST=octocat", "", { "a q1", "b c1=failure", "b c1=failure" }, { 204, 204, 201 }, false },
    { "of a 204, the branch is listed now", "REPO_BRANCHES=master", "REPO_BRANCHES=ma*", { "a q1", "b c1=failure", "b c1=failure" }, { 204, 204, 201 }, false },
    { "of a 204, of a success", "RUN_ATTEMPTS=1", "", { "a q1", "b c1=success", "b c1=success" }, { 204, 204, 200 }, false },
    { "of a 204, of what is not the end", "RUN_ATTEMPTS=1", "", { "a q1", "b i1", "b i1" }, { 204, 204, 202 }, false },
    { "of a 204 by its run", "NO_RETRY_WORKFLOWS=ci", "", { "a Rc=failure", "a Rc=failure" }, { 204, 201 }, false },
    { "the same event with another id", "", NULL, { "a q1", "b c1=failure", "c c1=failure" }, { 202, 201, 202 }, false },
    { "another event with the same id", "", NULL, { "a q1", "a c1=failure" }, { 202, 202 }, true },
};

/* Without an id, the body tells them apart. */
static void repeat_without_an_id(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, NULL);
    assert_int_equal(deliver(&desk, NULL, "q1"), 202);
    assert_int_equal(deliver(&desk, NULL, "c1=failure"), 201);
    assert_int_equal(deliver(&desk, NULL, "c1=failure"), 201);
    assert_true(desk.receipt.repeated);
    close_desk(&desk);
}

/* A repeat of what was judged anew is a repeat of the newer answer. */
static void repeat_after_judging_anew(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "RUN_ATTEMPTS=1");
    deliver(&desk, "a", "q1");
    assert_int_equal(deliver(&desk, "b", "c1=failure"), 204);
    change_settings(&desk, NULL);
    assert_int_equal(deliver(&desk, "b", "c1=failure"), 201);
    assert_true(desk.receipt.due_moved);
    assert_int_equal(deliver(&desk, "b", "c1=failure"), 201);
    assert_true(desk.receipt.repeated);
    assert_int_equal(count(&desk, JR_TABLE_OUTBOX), 1);
    close_desk(&desk);
}

static void an_entry_that_is_taken_back(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, NULL);
    deliver(&desk, "a", "q1");
    deliver(&desk, "b", "c1=failure");
    assert_int_equal(count(&desk, JR_TABLE_OUTBOX), 1);
    assert_int_equal(deliver(&desk, "c", "q2"), 202);
    assert_int_equal(count(&desk, JR_TABLE_OUTBOX), 0);
    assert_int_equal(deliver(&desk, "d", "c2=success"), 201);
    assert_true(desk.receipt.due_moved);
    assert_int_equal(count(&desk, JR_TABLE_OUTBOX), 1);
    close_desk(&desk);
}

/* A full store refuses, remembers nothing, and takes the same delivery later. */
static void full_store(void **state)
{
    static const char junk[1000];
    const char *folder;
    struct desk desk;
    uint64_t deliveries;
    unsigned number = 0;
    enum jr_err err = JR_OK;

    (void)state;
    open_desk(&desk, NULL);
    jr_store_close(desk.store);
    folder = new_folder();
    assert_int_equal(jr_store_open(&desk.store, folder, 1024 * 1024, &desk.error), JR_OK);
    assert_int_equal(deliver(&desk, "a", "q1"), 202);
    while (err == JR_OK) {
        struct jr_txn txn;

        jr_txn_begin(&txn, desk.store, true);
        jr_txn_put(&txn, JR_TABLE_META, &number, sizeof number, junk, sizeof junk);
        err = jr_txn_commit(&txn);
        number += err == JR_OK;
    }
    assert_int_equal(err, JR_EFULL);
    deliveries = count(&desk, JR_TABLE_DELIVERIES);
    assert_int_equal(try_deliver(&desk, "b", "c1=failure"), JR_EFULL);
    assert_int_equal(desk.error.code, JR_EFULL);
    assert_true(desk.error.text[0] != '\0');
    assert_int_equal(count(&desk, JR_TABLE_DELIVERIES), deliveries);
    assert_int_equal(count(&desk, JR_TABLE_OUTBOX), 0);
    assert_int_equal(run_of(&desk).jobs_unfinished, 1);

    jr_store_close(desk.store);
    desk.store = open_store(folder); /* which is larger */
    assert_int_equal(deliver(&desk, "b", "c1=failure"), 201);
    assert_false(desk.receipt.repeated);
    close_desk(&desk);
}

static void damaged_run(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, NULL);
    deliver(&desk, "a", "q1");
    damage_part(desk.store, RUN_ID, JR_PART_RUN, 0);
    assert_int_equal(count_parts(desk.store, JR_PART_RUN), 1);
    assert_int_equal(try_deliver(&desk, "b", "i1"), JR_EFORMAT);
    assert_int_equal(count(&desk, JR_TABLE_DELIVERIES), 1);
    close_desk(&desk);
}

/* Of each kind that an event touches, a sound one with more bytes behind it than it can have. */
static void records_that_are_too_long(void **state)
{
    static const enum jr_table tables[] = { JR_TABLE_REPOS, JR_TABLE_DAYS, JR_TABLE_FLAKY };
    struct desk desk;
    struct jr_txn txn;
    struct jr_entry entry;

    (void)state;
    open_desk(&desk, "RETRY_CONCLUSIONS=timed_out");
    deliver(&desk, "d1", "q1");
    deliver(&desk, "d2", "c1=failure");
    assert_int_equal(deliver(&desk, "d3", "Rc=failure"), 200);
    for (size_t i = 0; i < COUNT(tables); i++) {
        jr_txn_begin(&txn, desk.store, true);
        assert_true(jr_txn_seek(&txn, tables[i], NULL, 0, false, &entry));
        memset(entry.value + entry.value_length, 'x', sizeof entry.value - entry.value_length);
        jr_txn_put(&txn, tables[i], entry.key, entry.key_length, entry.value, sizeof entry.value);
        commit(&txn);
    }
    deliver(&desk, "d4", "q2@2");
    deliver(&desk, "d5", "c2@2=failure");
    assert_int_equal(deliver(&desk, "d6", "Rc@2=failure"), 200);
    for (size_t i = 0; i < COUNT(tables); i++) {
        jr_txn_begin(&txn, desk.store, false);
        assert_true(jr_txn_seek(&txn, tables[i], NULL, 0, false, &entry));
        assert_in_range(entry.value_length, 1, 200);
        commit(&txn);
    }
    close_desk(&desk);
}

/* The longest texts that an event can hold. */
static void long_texts(void **state)
{
    struct desk desk;
    struct jr_update update = { .event = event_of("c1=failure") };
    struct jr_event *event = &update.event;

    (void)state;
    open_desk(&desk, NULL);
    memset(event->action, 'a', sizeof event->action - 1);
    memset(event->branch, 'b', sizeof event->branch - 1);
    memset(event->workflow, 'w', sizeof event->workflow - 1);
    memset(event->sender, 's', sizeof event->sender - 1);
    memset(event->job_name, 'j', sizeof event->job_name - 1);
    memset(event->runner, 'r', sizeof event->runner - 1);
    update.now_ms = desk.now_ms;
    assert_int_equal(jr_delivery_identify(&update.delivery, NULL, "x", 1), JR_OK);
    assert_int_equal(intake(desk.store, &desk.settings, &update, &desk.receipt, &desk.error), JR_OK);
    assert_int_equal(jr_reply_status(desk.receipt.answer.reply), 404);
    assert_string_equal(run_of(&desk).branch, event->branch);
    close_desk(&desk);
}

/* What people are told of a run on main whose last attempt this is. */
static const struct told_row {
    const char *name, *events;
    unsigned told;
} tellings[] = {
    { "it has failed", "q1,branch:main c1=failure Rc=failure,branch:main", 1 },
    { "a job has failed, and others go on",
      "q1,branch:main c1=failure,branch:main q2,branch:main c2=success,branch:main "
      "Rc=failure,branch:main", 1 },
    { "a failing job does not count",
      "q1,branch:main c1=failure,branch:main q2,branch:main c2=success,branch:main "
      "Rc=success,branch:main", 0 },
    { "told twice", "q1,branch:main c1=failure,branch:main Rc=failure,branch:main "
      "Rc=failure,branch:main", 1 },
    { "a fork's", "q1,branch:main c1=failure,branch:main Rc=failure,branch:main,head:a/b", 0 },
};

static void told_once(void **state)
{
    const struct told_row *row = *state;
    char *copy = strdup(row->events), *rest = copy, *token;
    struct jr_store *store = open_store(new_folder());
    struct jr_settings settings;
    int64_t now_ms = START_MS;
    struct jr_txn txn;

    assert_non_null(copy);
    load_settings(&settings, "RUN_ATTEMPTS=1 NOTIFY_URL=https://chat.example.org/x");
    while ((token = strsep(&rest, " ")) != NULL)
        arrives(store, &settings, token, &now_ms);
    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_NOTICES), row->told);
    jr_txn_abort(&txn);
    free(copy);
    jr_settings_release(&settings);
    jr_store_close(store);
}

int main(void)
{
    TEST(a_failing_job);
    TEST(history_tells_it);
    TEST(what_is_filtered_is_recorded);
    TABLE(repeats, repeated);
    TEST(repeat_without_an_id);
    TEST(repeat_after_judging_anew);
    TEST(an_entry_that_is_taken_back);
    TEST(full_store);
    TEST(damaged_run);
    TEST(records_that_are_too_long);
    TEST(long_texts);
    TABLE(tellings, told_once);
    return run_program("intake");
}
