/*
 * days -- what is counted under which day.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/intake.h"
#include "lib/steps/rerun.h"
#include "lib/store/budget.h"
#include "lib/store/days.h"
#include "lib/store/failures.h"
#include "lib/store/key.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of event_of(). */
#define EVENT_REPO_ID 4711

struct scene {
    struct jr_store *store;
    struct jr_settings settings;
    int64_t now_ms;
    unsigned deliveries;
};

static void play_event(struct scene *scene, const char *token)
{
    struct jr_update update = { .event = event_of(token), .now_ms = scene->now_ms };
    struct jr_receipt receipt;
    struct jr_error error;
    char id[16];

    snprintf(id, sizeof id, "%u", ++scene->deliveries);
    assert_int_equal(jr_delivery_identify(&update.delivery, id, NULL, 0), JR_OK);
    assert_int_equal(intake(scene->store, &scene->settings, &update, &receipt, &error), JR_OK);
}

/* The dispatcher asks about what is due, and posts if it is to. */
static void play_dispatcher(struct scene *scene, const char *shown, bool accepted)
{
    struct jr_event seen = event_of(shown);
    struct jr_call call = { .what = "test", .outcome = JR_OUTCOME_DONE };
    struct jr_rerun_answer answer = { .call = &call, .seen = &seen };
    struct jr_run run;
    struct jr_verdict verdict;
    struct jr_error error;
    int64_t due_ms;

    assert_int_equal(jr_rerun_first(scene->store, INT64_MAX, 0, NULL, &due_ms, &run, &error), JR_OK);
    assert_int_equal(jr_rerun_seen(scene->store, &scene->settings, &answer, &run, scene->now_ms, &verdict, &error), JR_OK);
    if (verdict.step != JR_STEP_RERUN_FAILED)
        return;
    call.outcome = accepted ? JR_OUTCOME_DONE : JR_OUTCOME_UNKNOWN;
    call.reason = accepted ? JR_REASON_RERUN_ACCEPTED : JR_REASON_OUTCOME_UNKNOWN;
    answer = (struct jr_rerun_answer){ .call = &call, .posted = true, .attempt = verdict.attempt };
    assert_int_equal(jr_rerun_outcome(scene->store, &scene->settings, &answer, &run, scene->now_ms, &verdict, &error),
                     JR_OK);
}

/*
 * A script of events as in support.h; G.. is what the dispatcher is shown, with
 * `?` after it when no answer to the POST comes; | ends a day. What is to be on
 * each day: failed, reruns, rescued, not rescued.
 */
struct scene_row {
    const char *name, *settings, *script, *want;
};

static void counted(void **state)
{
    const struct scene_row *row = *state;
    struct scene scene = { .now_ms = START_MS + JR_MINUTE_MS };
    struct jr_day days[3], of_repo[3];
    struct jr_error error;
    char script[256], *rest = script, *token, found[64] = "";

    scene.store = open_store(new_folder());
    load_settings(&scene.settings, row->settings);
    snprintf(script, sizeof script, "%s", row->script);
    while ((token = strsep(&rest, " ")) != NULL) {
        bool accepted = strchr(token, '?') == NULL;

        token[strcspn(token, "?")] = '\0';
        if (*token == '|')
            scene.now_ms += JR_DAY_MS;
        else if (*token == 'G')
            play_dispatcher(&scene, token, accepted);
        else
            play_event(&scene, token);
    }
    assert_int_equal(jr_days_read(scene.store, scene.now_ms, days, COUNT(days), &error), JR_OK);
    assert_int_equal(days[2].start_ms, scene.now_ms / JR_DAY_MS * JR_DAY_MS);
    assert_int_equal(days[1].start_ms, days[2].start_ms - JR_DAY_MS);
    for (size_t i = strchr(row->script, '|') == NULL ? 2 : 1; i < COUNT(days); i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%u/%u/%u/%u", *found == '\0' ? "" : " ",
                 days[i].failed, days[i].reruns, days[i].rescued, days[i].not_rescued);
    assert_string_equal(found, row->want);
    /* There is one repository, so what is counted of it is what is counted of all. */
    assert_int_equal(jr_days_read_of(scene.store, EVENT_REPO_ID, scene.now_ms, of_repo, COUNT(of_repo), &error), JR_OK);
    assert_memory_equal(of_repo, days, sizeof days);
    jr_store_close(scene.store);
    jr_settings_release(&scene.settings);
}

static const struct scene_row scenes[] = {
    { "nothing yet", "", "q1 i1", "0/0/0/0" },
    { "passed", "", "q1 c1=success Rc=success", "0/0/0/0" },
    { "failed, to be rerun", "", "q1 c1=failure", "0/0/0/0" },
    { "failed, left alone", "RUN_ATTEMPTS=1", "q1 c1=failure", "1/0/0/0" },
    { "said in all ways", "RUN_ATTEMPTS=1", "q1 c1=failure c1=failure Rc=failure Rc=failure q1", "1/0/0/0" },
    { "cancelled is not failed", "RUN_ATTEMPTS=1", "Rc=cancelled", "0/0/0/0" },
    { "timed out", "RUN_ATTEMPTS=1", "Rc=timed_out", "1/0/0/0" },
    { "rerun", "", "q1 c1=failure Gc=failure", "1/1/0/0" },
    { "rerun, no answer", "", "q1 c1=failure Gc=failure?", "0/0/0/0" },
    { "rerun, no answer, but it worked", "", "q1 c1=failure Gc=failure? q11@2", "1/1/0/0" },
    { "rescued", "", "q1 c1=failure Gc=failure q11@2 c11@2=success", "1/1/1/0" },
    { "rescued, by the run's own word too", "", "q1 c1=failure Gc=failure c11@2=success Rc=success@2", "1/1/1/0" },
    { "not rescued", "RUN_ATTEMPTS=2", "q1 c1=failure Gc=failure c11@2=failure", "2/1/0/1" },
    { "rescued at the third", "", "Rc=failure Gc=failure Rc=failure@2 Gc=failure@2 Rc=success@3", "2/2/1/0" },
    { "not rescued, twice", "RUN_ATTEMPTS=3", "Rc=failure Gc=failure Rc=failure@2 Gc=failure@2 Rc=failure@3", "3/2/0/1" },
    { "somebody else reruns it at first", "", "Rc=failure Rc=success@2", "1/0/0/0" },
    { "somebody else reruns what was not rescued", "", "Rc=failure Gc=failure c11@2=failure Rc=success@3", "2/1/0/1" },
    { "success, as it seems", "RUN_ATTEMPTS=2", "Rc=failure Gc=failure c11@2=success q12@2", "1/1/0/0" },
    { "success, as it seemed", "RUN_ATTEMPTS=2", "Rc=failure Gc=failure c11@2=success q12@2 c12@2=failure", "2/1/0/1" },
    { "cancelled after a rerun", "", "Rc=failure Gc=failure Rc=cancelled@2", "1/1/0/0" },
    { "the conclusion is replaced", "RUN_ATTEMPTS=1", "Rc=failure Rc=success~90", "0/0/0/0" },
    { "each on its day", "", "Rc=failure Gc=failure | Rc=success@2", "1/1/0/0 0/0/1/0" },
    { "moved to another day", "RUN_ATTEMPTS=2", "Rc=failure Gc=failure c11@2=success | q12@2 c12@2=failure", "1/1/0/0 1/0/0/1" },
    { "the number is told late", "RUN_ATTEMPTS=4", "q1@0 c1@0=failure Gc=failure@3", "1/1/0/0" },
};

static void forgotten(void **state)
{
    struct scene scene = { .now_ms = START_MS };
    struct jr_txn txn;
    struct jr_day day;
    struct jr_error error;

    (void)state;
    scene.store = open_store(new_folder());
    load_settings(&scene.settings, "RUN_ATTEMPTS=1");
    play_event(&scene, "Rc=failure");
    for (int days = 0; days < 2; days++) {
        jr_txn_begin(&txn, scene.store, true);
        jr_days_prune(&txn, START_MS + days * JR_DAY_MS, 10);
        assert_int_equal(jr_txn_count(&txn, JR_TABLE_DAYS), 2 * (1 - days));
        commit(&txn);
    }
    assert_int_equal(jr_days_read(scene.store, START_MS, &day, 1, &error), JR_OK);
    assert_int_equal(day.failed, 0);
    assert_int_equal(day.start_ms, START_MS);
    jr_store_close(scene.store);
    jr_settings_release(&scene.settings);
}

/* A run of a repository that a rerun was accepted for, or a job of it that failed for a cause. */
static void count_one(struct jr_store *store, const struct jr_run *run, uint64_t job_id, enum jr_cause cause, int64_t now_ms)
{
    struct jr_failure failure = { .job_id = job_id, .attempt = 1, .name = "build", .finding = { .cause = cause } };
    struct jr_run after = *run;
    struct jr_txn txn;

    after.reruns++;
    jr_txn_begin(&txn, store, true);
    if (cause == JR_CAUSE_NONE) {
        jr_days_note(&txn, run, &after, now_ms);
    } else {
        jr_days_note_cause(&txn, run, &failure, now_ms);
        jr_failures_save(&txn, run, &failure, now_ms);
    }
    commit(&txn);
}

static struct jr_day day_of(struct jr_store *store, uint64_t scope, int64_t now_ms)
{
    struct jr_error error;
    struct jr_day day;

    assert_int_equal(jr_days_read_of(store, scope, now_ms, &day, 1, &error), JR_OK);
    return day;
}

/* Each repository has its own numbers, by its id; by its name when nobody told an id. */
static void of_each_repository(void **state)
{
    const struct jr_run one = { .known = true, .run_id = 1, .repo_id = 7, .repo = "octo/app" },
                        other = { .known = true, .run_id = 2, .repo_id = 8, .repo = "octo/lib" },
                        nameless = { .known = true, .run_id = 3, .repo = "octo/app" };
    struct jr_store *store = open_store(new_folder());

    (void)state;
    count_one(store, &one, 1, JR_CAUSE_NONE, START_MS);
    count_one(store, &one, 1, JR_CAUSE_NONE, START_MS);
    count_one(store, &other, 1, JR_CAUSE_NONE, START_MS);
    count_one(store, &nameless, 1, JR_CAUSE_NONE, START_MS);
    assert_int_equal(day_of(store, JR_DAYS_ALL, START_MS).reruns, 4);
    assert_int_equal(day_of(store, 7, START_MS).reruns, 2);
    assert_int_equal(day_of(store, 8, START_MS).reruns, 1);
    assert_int_equal(day_of(store, jr_budget_scope(&nameless), START_MS).reruns, 1);
    assert_int_equal(day_of(store, 9, START_MS).reruns, 0);
    assert_int_equal(day_of(store, 7, START_MS + JR_DAY_MS).reruns, 0);
    jr_store_close(store);
}

/* A failed job counts once, for what was found out last, on the day of that. */
static void by_cause(void **state)
{
    const struct jr_run run = { .known = true, .run_id = 1, .repo_id = 7 };
    struct jr_store *store = open_store(new_folder());
    struct jr_day day, sum = { .start_ms = 5, .failed = UINT32_MAX - 1 };

    (void)state;
    count_one(store, &run, 1, JR_CAUSE_NETWORK, START_MS);
    count_one(store, &run, 1, JR_CAUSE_NETWORK, START_MS + 1);
    count_one(store, &run, 2, JR_CAUSE_NETWORK, START_MS);
    count_one(store, &run, 3, JR_CAUSE_UNKNOWN, START_MS);
    for (int scope = 0; scope < 8; scope += 7) {
        day = day_of(store, (uint64_t)scope, START_MS);
        assert_int_equal(day.causes[JR_CAUSE_NETWORK], 2);
        assert_int_equal(day.causes[JR_CAUSE_UNKNOWN], 1);
    }
    count_one(store, &run, 3, JR_CAUSE_TEST, START_MS);
    count_one(store, &run, 2, JR_CAUSE_NETWORK, START_MS + JR_DAY_MS);
    day = day_of(store, 7, START_MS);
    assert_true(day.causes[JR_CAUSE_NETWORK] == 1 && day.causes[JR_CAUSE_UNKNOWN] == 0 && day.causes[JR_CAUSE_TEST] == 1);
    assert_int_equal(day_of(store, 7, START_MS + JR_DAY_MS).causes[JR_CAUSE_NETWORK], 1);
    day.failed = 7;
    jr_day_add(&sum, &day);
    jr_day_add(&sum, &day);
    assert_true(sum.start_ms == 5 && sum.failed == UINT32_MAX && sum.causes[JR_CAUSE_TEST] == 2);
    jr_store_close(store);
}

/* All causes at once have room; a record without any ends as that of an older version. */
static void records(void **state)
{
    static const unsigned char older[17] = { 1, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0, 6 };
    const struct jr_run run = { .known = true, .run_id = 1, .repo_id = 7 };
    struct jr_store *store = open_store(new_folder());
    struct jr_key key = jr_key_of_day(jr_day_of(START_MS));
    struct jr_txn txn;
    struct jr_day day;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, JR_TABLE_DAYS, key.bytes, key.length, older, sizeof older);
    commit(&txn);
    for (unsigned cause = 1; cause < JR_CAUSES; cause++)
        count_one(store, &run, cause, (enum jr_cause)cause, START_MS);
    day = day_of(store, JR_DAYS_ALL, START_MS);
    assert_true(day.failed == 9 && day.reruns == 8 && day.rescued == 7 && day.not_rescued == 6);
    for (unsigned cause = 1; cause < JR_CAUSES; cause++)
        assert_int_equal(day.causes[cause], 1);
    jr_store_close(store);
}

int main(void)
{
    TABLE(scenes, counted);
    TEST(forgotten);
    TEST(of_each_repository);
    TEST(by_cause);
    TEST(records);
    return run_program("days");
}
