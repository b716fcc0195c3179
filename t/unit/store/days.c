/*
 * days -- what is counted under which day.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/intake.h"
#include "lib/steps/rerun.h"
#include "lib/store/days.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    struct jr_day days[3];
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
        assert_int_equal(jr_txn_count(&txn, JR_TABLE_DAYS), 1 - days);
        commit(&txn);
    }
    assert_int_equal(jr_days_read(scene.store, START_MS, &day, 1, &error), JR_OK);
    assert_int_equal(day.failed, 0);
    assert_int_equal(day.start_ms, START_MS);
    jr_store_close(scene.store);
    jr_settings_release(&scene.settings);
}

int main(void)
{
    TABLE(scenes, counted);
    TEST(forgotten);
    return run_program("days");
}
