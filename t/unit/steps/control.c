/*
 * control -- paused, rerun and forgotten by hand.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/reply.h"
#include "lib/base/timestamp.h"
#include "lib/steps/control.h"
#include "lib/steps/intake.h"
#include "lib/steps/rerun.h"
#include "lib/store/days.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "lib/store/narrate.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

static int deliver(struct jr_store *store, const struct jr_settings *settings, const char *id, const char *token,
                   int64_t now_ms)
{
    struct jr_update update = { .event = event_of(token), .now_ms = now_ms };
    struct jr_receipt receipt;
    struct jr_error error;

    assert_int_equal(jr_delivery_identify(&update.delivery, id, token, strlen(token)), JR_OK);
    if (intake(store, settings, &update, &receipt, &error) != JR_OK)
        fail_msg("%s", error.text);
    return jr_reply_status(receipt.answer.reply);
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

static const struct jr_list all; /* the work as a whole */

static void pause_work(struct jr_store *store, const char *repos, int64_t now_ms, int64_t until_ms)
{
    struct jr_pause wanted = { .until_ms = until_ms, .who = "alice", .why = "a move" };
    struct jr_pauses pauses;
    struct jr_list patterns;
    struct jr_error error;

    assert_int_equal(jr_list_parse(&patterns, repos), JR_OK);
    if (jr_control_pause(store, &patterns, &wanted, now_ms, &pauses, &error) != JR_OK)
        fail_msg("%s", error.text);
    jr_list_release(&patterns);
}

/* Resume; how many pauses are ended, and how many are left. */
static void resume_work(struct jr_store *store, const char *repos, int64_t now_ms, size_t ended_want, size_t left_want)
{
    struct jr_pauses ended, left;
    struct jr_list patterns;
    struct jr_error error;

    assert_int_equal(jr_list_parse(&patterns, repos), JR_OK);
    if (jr_control_resume(store, &patterns, "bob", now_ms, &ended, &left, &error) != JR_OK)
        fail_msg("%s", error.text);
    assert_int_equal(ended.count, ended_want);
    assert_int_equal(left.count, left_want);
    jr_list_release(&patterns);
}

static void paused(void **state)
{
    const char *folder = new_folder();
    struct jr_store *store = open_store(folder);
    struct jr_pauses pauses;
    struct jr_error error;

    (void)state;
    assert_int_equal(jr_pauses_read(store, START_MS, &pauses, &error), JR_OK);
    assert_int_equal(pauses.count, 0);
    resume_work(store, "", START_MS, 0, 0);
    pause_work(store, "", START_MS, 0);
    /* Again: since when it was, but otherwise as it is said now. */
    pause_work(store, "", START_MS + 9, START_MS + JR_HOUR_MS);
    jr_store_close(store);

    store = open_store(folder);
    assert_int_equal(jr_pauses_read(store, START_MS + 10, &pauses, &error), JR_OK);
    assert_int_equal(pauses.count, 1);
    assert_int_equal(jr_pauses_whole(&pauses)->since_ms, START_MS);
    assert_int_equal(jr_pauses_whole(&pauses)->until_ms, START_MS + JR_HOUR_MS);
    assert_string_equal(jr_pauses_whole(&pauses)->who, "alice");
    assert_string_equal(jr_pauses_whole(&pauses)->why, "a move");
    resume_work(store, "", START_MS + 11, 1, 0);
    jr_store_close(store);
}

static void paused_repositories(void **state)
{
    struct jr_store *store = open_store(new_folder());

    (void)state;
    pause_work(store, "octo/app, octo/lib, other/*", START_MS, 0);
    pause_work(store, "", START_MS, 0);
    pause_work(store, "OCTO/App", START_MS + 5, 0);
    /* Neither is meant by the other. */
    resume_work(store, "", START_MS, 1, 3);
    resume_work(store, "other/app", START_MS, 0, 3);
    resume_work(store, "octo/LIB", START_MS, 1, 2);
    pause_work(store, "octo/lib", START_MS, 0);
    resume_work(store, "octo/*", START_MS, 2, 1);
    resume_work(store, "*", START_MS, 1, 0);
    jr_store_close(store);
}

static void as_many_as_there_may_be(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_pause wanted = { .since_ms = 0 };
    struct jr_pauses pauses;
    struct jr_error error;
    char repo[32];

    (void)state;
    for (int i = 0; i < JR_PAUSES_MAX; i++) {
        snprintf(repo, sizeof repo, "octo/%d", i);
        pause_work(store, repo, START_MS, START_MS + JR_HOUR_MS + i);
    }
    assert_int_equal(jr_control_pause(store, &all, &wanted, START_MS, &pauses, &error), JR_EBUSY);
    assert_contains(error.text, "32 pauses");
    pause_work(store, "octo/7", START_MS, START_MS + JR_DAY_MS);
    /* One that is over makes room. */
    pause_work(store, "", START_MS + JR_HOUR_MS, 0);
    resume_work(store, "*", START_MS + 2 * JR_HOUR_MS, 1, 1);
    jr_store_close(store);
}

/* What was done stands in the journal, and is news once. */
static void news(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_act acts[8], act;
    struct jr_error error;
    size_t found;

    (void)state;
    assert_int_equal(jr_control_news(store, acts, 8, &found, &error), JR_OK);
    assert_int_equal(found, 0);
    pause_work(store, "octo/app", START_MS, START_MS + 10);
    pause_work(store, "", START_MS + 1, 0);
    resume_work(store, "", START_MS + 2, 1, 1);
    assert_int_equal(jr_control_news(store, acts, 2, &found, &error), JR_OK);
    assert_int_equal(found, 2);
    assert_int_equal(acts[0].kind, JR_ACT_PAUSE);
    assert_string_equal(acts[0].who, "alice");
    assert_string_equal(acts[0].pause.pattern, "octo/app");
    assert_int_equal(acts[0].pause.until_ms, START_MS + 10);
    assert_int_equal(acts[1].at_ms, START_MS + 1);
    assert_int_equal(jr_control_news(store, acts, 8, &found, &error), JR_OK);
    assert_int_equal(found, 1);
    assert_int_equal(acts[0].kind, JR_ACT_RESUME);
    assert_string_equal(acts[0].who, "bob");
    assert_string_equal(acts[0].pause.who, "alice");

    /* A time that is over is nobody's deed. */
    assert_int_equal(jr_control_end_pauses(store, START_MS + 9, &error), JR_OK);
    assert_int_equal(jr_control_news(store, acts, 8, &found, &error), JR_OK);
    assert_int_equal(found, 0);
    assert_int_equal(jr_control_end_pauses(store, START_MS + 10, &error), JR_OK);
    assert_int_equal(jr_control_news(store, acts, 8, &found, &error), JR_OK);
    assert_int_equal(found, 1);
    assert_int_equal(acts[0].kind, JR_ACT_RESUME);
    assert_string_equal(acts[0].who, "");
    assert_int_equal(acts[0].at_ms, START_MS + 10);
    assert_int_equal(jr_control_find_act(store, JR_ACT_FORGET, RUN_ID, &act, &error), JR_ENOENT);
    jr_store_close(store);
}

/* How many jobs and entries of the history a run has. */
static unsigned parts(struct jr_store *store, uint64_t run_id)
{
    struct jr_txn txn;
    struct jr_job job = { .job_id = 0 };
    struct jr_history entry;
    uint32_t number = 0;
    unsigned found = 0;

    jr_txn_begin(&txn, store, false);
    while (jr_ledger_next_job(&txn, run_id, job.job_id, &job))
        found++;
    while (jr_history_next(&txn, run_id, &number, &entry))
        found++;
    commit(&txn);
    return found;
}

/* The newest entry of a kind in the run's history. */
/* The last entry of a kind, for a reason; NONE: for any. */
static bool find_entry(struct jr_store *store, enum jr_history_kind kind, enum jr_reason reason, struct jr_history *found)
{
    struct jr_txn txn;
    struct jr_history entry;
    uint32_t number = 0;
    bool any = false;

    jr_txn_begin(&txn, store, false);
    while (jr_history_next(&txn, RUN_ID, &number, &entry)) {
        if (entry.kind != kind || (reason != JR_REASON_NONE && entry.reason != reason))
            continue;
        *found = entry;
        any = true;
    }
    commit(&txn);
    return any;
}

/* A run that its settings leave alone is rerun, and once. */
static void rerun_by_hand(void **state)
{
    static const struct jr_rerun_request asked = { RUN_ID, NULL, "root" };
    struct jr_store *store = open_store(new_folder());
    struct jr_settings settings;
    struct jr_run run;
    struct jr_event seen = event_of("Gc=failure");
    struct jr_call call = { .what = "test", .outcome = JR_OUTCOME_DONE };
    const struct jr_rerun_answer shown = { .call = &call, .seen = &seen };
    const struct jr_rerun_answer posted = { .call = &call, .posted = true, .attempt = 1 };
    struct jr_verdict verdict;
    struct jr_history entry;
    enum jr_reason reason;
    struct jr_error error;
    int64_t now_ms = START_MS + JR_HOUR_MS, due_ms;
    char words[JR_NARRATE_SIZE];

    (void)state;
    load_settings(&settings, "RUN_ATTEMPTS=1");
    assert_int_equal(deliver(store, &settings, "a", "Rc=failure", now_ms), 204);
    assert_int_equal(count(store, JR_TABLE_OUTBOX), 0);
    assert_int_equal(jr_control_rerun(store, &settings, &asked, now_ms, &run, &reason, &error), JR_OK);
    assert_int_equal(reason, JR_REASON_NONE);
    assert_int_equal(run.due_ms, now_ms);
    assert_true(find_entry(store, JR_HISTORY_REQUEST, JR_REASON_NONE, &entry));
    assert_int_equal(entry.reason, JR_REASON_BY_HAND);
    assert_string_equal(jr_narrate(&entry, words), "by root");
    assert_true(find_entry(store, JR_HISTORY_DECISION, JR_REASON_NONE, &entry));
    assert_int_equal(entry.reason, JR_REASON_BY_HAND);

    assert_int_equal(jr_rerun_first(store, INT64_MAX, 0, NULL, &due_ms, &run, &error), JR_OK);
    assert_true(run.run_id == RUN_ID && run.by_hand);
    assert_int_equal(jr_rerun_seen(store, &settings, &shown, &run, now_ms, &verdict, &error), JR_OK);
    assert_int_equal(verdict.step, JR_STEP_RERUN_FAILED);
    call.reason = JR_REASON_RERUN_ACCEPTED;
    assert_int_equal(jr_rerun_outcome(store, &settings, &posted, &run, now_ms, &verdict, &error), JR_OK);
    assert_false(run.by_hand);
    assert_int_equal(run.attempt, 2);
    assert_int_equal(count(store, JR_TABLE_OUTBOX), 0);
    jr_store_close(store);
    jr_settings_release(&settings);
}

/* What is asked for by hand counts like any other step: the run is not left as it failed. */
static void rerun_by_hand_is_counted(void **state)
{
    static const struct jr_rerun_request asked = { RUN_ID, NULL, "root" };
    struct jr_store *store = open_store(new_folder());
    struct jr_settings settings;
    struct jr_run run;
    struct jr_event seen = event_of("Gc=failure");
    struct jr_call call = { .what = "test", .outcome = JR_OUTCOME_DONE, .reason = JR_REASON_RERUN_ACCEPTED };
    const struct jr_rerun_answer shown = { .call = &call, .seen = &seen };
    const struct jr_rerun_answer posted = { .call = &call, .posted = true, .attempt = 1 };
    struct jr_verdict verdict;
    enum jr_reason reason;
    struct jr_error error;
    struct jr_day day;
    int64_t now_ms = START_MS + JR_HOUR_MS, due_ms;

    (void)state;
    load_settings(&settings, "RUN_ATTEMPTS=2");
    assert_int_equal(deliver(store, &settings, "a", "Rc=failure", now_ms), 201);
    assert_int_equal(jr_rerun_first(store, INT64_MAX, 0, NULL, &due_ms, &run, &error), JR_OK);
    assert_int_equal(jr_rerun_seen(store, &settings, &shown, &run, due_ms, &verdict, &error), JR_OK);
    assert_int_equal(jr_rerun_outcome(store, &settings, &posted, &run, due_ms, &verdict, &error), JR_OK);
    assert_int_equal(deliver(store, &settings, "b", "Rc@2=failure", now_ms + JR_MINUTE_MS), 204);
    assert_int_equal(jr_days_read(store, now_ms, &day, 1, &error), JR_OK);
    assert_int_equal(day.not_rescued, 1);
    assert_int_equal(jr_control_rerun(store, &settings, &asked, now_ms + JR_HOUR_MS, &run, &reason, &error), JR_OK);
    assert_int_equal(reason, JR_REASON_NONE);
    assert_int_equal(jr_days_read(store, now_ms, &day, 1, &error), JR_OK);
    assert_int_equal(day.not_rescued, 0);
    jr_store_close(store);
    jr_settings_release(&settings);
}

static void rerun_of_an_unknown_run(void **state)
{
    static const struct jr_rerun_request nameless = { 77, NULL, NULL }, misnamed = { 77, "octo", NULL }, asked = { 77, "octo/app", NULL };
    struct jr_store *store = open_store(new_folder());
    struct jr_settings settings;
    struct jr_run run;
    enum jr_reason reason;
    struct jr_error error;
    int64_t due_ms;

    (void)state;
    load_settings(&settings, "REPOS=other/app");
    assert_int_equal(jr_control_rerun(store, &settings, &nameless, START_MS, &run, &reason, &error), JR_ENOENT);
    assert_contains(error.text, "77");
    assert_int_equal(jr_control_rerun(store, &settings, &misnamed, START_MS, &run, &reason, &error), JR_ENOENT);
    assert_int_equal(count(store, JR_TABLE_AGES), 0);
    assert_int_equal(jr_control_rerun(store, &settings, &asked, START_MS, &run, &reason, &error), JR_OK);
    assert_int_equal(reason, JR_REASON_NONE);
    assert_int_equal(jr_rerun_first(store, INT64_MAX, 0, NULL, &due_ms, &run, &error), JR_OK);
    assert_int_equal(run.run_id, 77);
    assert_string_equal(run.repo, "octo/app");
    assert_int_equal(run.last_event_ms, START_MS);
    assert_int_equal(count(store, JR_TABLE_AGES), 1);
    jr_store_close(store);
    jr_settings_release(&settings);
}

/* What is refused changes nothing. */
static void refused(void **state)
{
    static const struct jr_rerun_request asked = { RUN_ID, NULL, NULL };
    struct jr_store *store = open_store(new_folder());
    struct jr_settings settings;
    struct jr_run run;
    enum jr_reason reason;
    struct jr_error error;
    unsigned history;

    (void)state;
    load_settings(&settings, "");
    deliver(store, &settings, "a", "Rc=failure@51", START_MS);
    history = parts(store, RUN_ID);
    assert_int_equal(jr_control_rerun(store, &settings, &asked, START_MS, &run, &reason, &error), JR_OK);
    assert_int_equal(reason, JR_REASON_RERUNS_LIMIT);
    assert_int_equal(parts(store, RUN_ID), history);
    assert_int_equal(count(store, JR_TABLE_OUTBOX), 0);
    jr_store_close(store);
    jr_settings_release(&settings);
}

/* Nothing of a forgotten run is left, and nothing of another is gone. */
static void forgotten(void **state)
{
    static const struct jr_rerun_request asked = { 77, "octo/app", NULL };
    struct jr_store *store = open_store(new_folder());
    struct jr_settings settings;
    struct jr_forgotten gone;
    struct jr_error error;
    struct jr_run run;
    struct jr_act act;
    enum jr_reason reason;

    (void)state;
    load_settings(&settings, "NO_RETRY_LIST=x");
    deliver(store, &settings, "b1b2f9e0-1a5c-11ed-8f0e-abcdefabcdef", "q1", START_MS);
    deliver(store, &settings, NULL, "i1", START_MS);
    deliver(store, &settings, "some-id", "c1=failure", START_MS + JR_DAY_MS);
    /* Judged anew on another day, and remembered under its first. */
    for (int days = 0; days < 2; days++)
        assert_int_equal(deliver(store, &settings, "filtered", "q2,sender:x", START_MS + days * JR_DAY_MS), 204);
    assert_int_equal(count(store, JR_TABLE_DELIVERIES), 4);
    assert_int_equal(jr_control_rerun(store, &settings, &asked, START_MS, &run, &reason, &error), JR_OK);

    assert_int_equal(jr_control_forget(store, 78, NULL, START_MS, &gone, &error), JR_ENOENT);
    assert_contains(error.text, "78");
    assert_int_equal(jr_control_forget(store, RUN_ID, "carol", START_MS, &gone, &error), JR_OK);
    assert_int_equal(gone.jobs, 2);
    assert_int_equal(gone.deliveries, 4);
    assert_true(gone.entries >= 5);
    assert_int_equal(count(store, JR_TABLE_DELIVERIES), 0);
    assert_int_equal(parts(store, RUN_ID), 0);
    assert_int_equal(parts(store, 77), 2);
    assert_int_equal(count(store, JR_TABLE_QUIET), 0);
    assert_int_equal(count(store, JR_TABLE_OUTBOX), 1);
    assert_int_equal(count(store, JR_TABLE_AGES), 1);
    assert_int_equal(jr_control_find_act(store, JR_ACT_FORGET, RUN_ID, &act, &error), JR_OK);
    assert_string_equal(act.who, "carol");
    assert_string_equal(act.repo, "octo/app");
    assert_int_equal(jr_control_find_act(store, JR_ACT_RERUN, 77, &act, &error), JR_OK);
    assert_int_equal(jr_control_forget(store, RUN_ID, NULL, START_MS, &gone, &error), JR_ENOENT);

    /* The same event is the first of a new run. */
    assert_int_equal(deliver(store, &settings, "some-id", "c1=failure", START_MS + JR_DAY_MS), 404);
    jr_store_close(store);
    jr_settings_release(&settings);
}

static void forgotten_while_due(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_settings settings;
    struct jr_forgotten gone;
    struct jr_run run;
    struct jr_event seen = event_of("Gc=failure");
    struct jr_call call = { .what = "test", .outcome = JR_OUTCOME_DONE };
    const struct jr_rerun_answer shown = { .call = &call, .seen = &seen };
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t due_ms;

    (void)state;
    load_settings(&settings, "");
    deliver(store, &settings, "a", "Rc=failure", START_MS);
    assert_int_equal(jr_rerun_first(store, INT64_MAX, 0, NULL, &due_ms, &run, &error), JR_OK);
    assert_int_equal(jr_control_forget(store, RUN_ID, NULL, START_MS, &gone, &error), JR_OK);
    /* The dispatcher, which was asking, finds nothing to decide on. */
    assert_int_equal(jr_rerun_seen(store, &settings, &shown, &run, START_MS, &verdict, &error), JR_ENOENT);
    assert_int_equal(jr_rerun_first(store, INT64_MAX, 0, NULL, &due_ms, &run, &error), JR_ENOENT);
    assert_int_equal(count(store, JR_TABLE_AGES), 0);
    jr_store_close(store);
    jr_settings_release(&settings);
}

/* What keeps an attempt from being rerun twice is not forgotten before it has done so. */
static void not_forgotten_while_posted(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_settings settings;
    struct jr_forgotten gone;
    struct jr_run run;
    struct jr_event seen = event_of("Gc=failure");
    struct jr_call call = { .what = "test", .outcome = JR_OUTCOME_DONE };
    const struct jr_rerun_answer shown = { .call = &call, .seen = &seen };
    const struct jr_rerun_answer posted = { .call = &call, .posted = true, .attempt = 1 };
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t due_ms;
    unsigned before;

    (void)state;
    load_settings(&settings, "");
    deliver(store, &settings, "a", "Rc=failure", START_MS);
    assert_int_equal(jr_rerun_first(store, INT64_MAX, 0, NULL, &due_ms, &run, &error), JR_OK);
    assert_int_equal(jr_rerun_seen(store, &settings, &shown, &run, START_MS, &verdict, &error), JR_OK);
    before = parts(store, RUN_ID);
    assert_int_equal(jr_control_forget(store, RUN_ID, NULL, START_MS, &gone, &error), JR_EBUSY);
    assert_contains(error.text, "not known yet");
    assert_int_equal(parts(store, RUN_ID), before);
    call.outcome = JR_OUTCOME_UNKNOWN;
    assert_int_equal(jr_rerun_outcome(store, &settings, &posted, &run, START_MS, &verdict, &error), JR_OK);
    assert_int_equal(jr_control_forget(store, RUN_ID, NULL, START_MS, &gone, &error), JR_EBUSY);

    seen = event_of("Gi@2");
    assert_int_equal(jr_rerun_seen(store, &settings, &shown, &run, START_MS, &verdict, &error), JR_OK);
    assert_int_equal(verdict.ended_reason, JR_REASON_RERUN_WORKED);
    assert_int_equal(jr_control_forget(store, RUN_ID, NULL, START_MS, &gone, &error), JR_OK);
    jr_store_close(store);
    jr_settings_release(&settings);
}

/* GitHub is being asked when the work is paused: what it shows is asked for again later. */
static const struct paused_row {
    const char *name, *pattern;
    const char *seen;
    int64_t end_ms; /* when its time is over; 0: somebody resumes */
} paused_rows[] = {
    { "everything", "", "Gc=failure", 0 },
    { "everything, for a time", "", "Gc=failure", JR_HOUR_MS },
    { "its repository", "octo/app", "Gc=failure", 0 },
    { "its repository and others", "octo/*", "Gc=failure", JR_HOUR_MS },
    { "the name that GitHub tells", "octo/new", "Gc=failure,repo:octo/new", 0 },
};

static void paused_before_the_post(void **state)
{
    const struct paused_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_settings settings;
    struct jr_run run, after;
    struct jr_history entry;
    struct jr_event seen = event_of(row->seen);
    struct jr_call call = { .what = "test", .outcome = JR_OUTCOME_DONE };
    const struct jr_rerun_answer shown = { .call = &call, .seen = &seen };
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t due_ms, last_post_ms;
    unsigned before;
    char words[JR_NARRATE_SIZE];

    load_settings(&settings, "");
    deliver(store, &settings, "a", "Rc=failure", START_MS);
    before = parts(store, RUN_ID);
    assert_int_equal(jr_rerun_first(store, INT64_MAX, 0, NULL, &due_ms, &run, &error), JR_OK);
    pause_work(store, row->pattern, START_MS, START_MS + JR_HOUR_MS);
    assert_int_equal(jr_rerun_seen(store, &settings, &shown, &run, START_MS, &verdict, &error), JR_EBUSY);
    assert_contains(error.text, "paused");
    assert_int_equal(jr_rerun_last_post(store, &last_post_ms, &error), JR_OK);
    assert_int_equal(last_post_ms, 0);
    /* A new name is told, and nothing else. */
    assert_int_equal(parts(store, RUN_ID), before + (strcmp(seen.repo, "octo/app") != 0));
    assert_false(find_entry(store, JR_HISTORY_REQUEST, JR_REASON_NONE, &entry));

    if (row->end_ms == 0)
        resume_work(store, row->pattern, START_MS, 1, 0);
    else
        assert_int_equal(jr_control_end_pauses(store, START_MS + row->end_ms, &error), JR_OK);
    assert_int_equal(jr_rerun_first(store, INT64_MAX, 0, NULL, &due_ms, &after, &error), JR_OK);
    assert_int_equal(after.intent_ms, 0);
    assert_int_equal(jr_rerun_seen(store, &settings, &shown, &after, START_MS + row->end_ms, &verdict, &error), JR_OK);
    assert_int_equal(verdict.step, JR_STEP_RERUN_FAILED);
    /* Who paused and who resumed stands in the run's history. */
    assert_true(find_entry(store, row->end_ms == 0 ? JR_HISTORY_REQUEST : JR_HISTORY_DECISION, JR_REASON_PAUSED, &entry));
    assert_string_equal(jr_narrate_reason(&entry), "it waited for the end of a pause");
    assert_contains(jr_narrate(&entry, words), row->end_ms == 0 ? "ended by bob" : "ended by its time");
    assert_contains(words, ", by alice, since ");
    jr_store_close(store);
    jr_settings_release(&settings);
}

int main(void)
{
    TEST(paused);
    TEST(paused_repositories);
    TEST(as_many_as_there_may_be);
    TEST(news);
    TEST(rerun_by_hand);
    TEST(rerun_by_hand_is_counted);
    TEST(rerun_of_an_unknown_run);
    TEST(refused);
    TEST(forgotten);
    TEST(forgotten_while_due);
    TEST(not_forgotten_while_posted);
    TABLE(paused_rows, paused_before_the_post);
    return run_program("control");
}
