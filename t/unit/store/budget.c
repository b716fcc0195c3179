/*
 * budget -- what reruns have spent: each attempt once, whatever happens between the intent of its
 * POST and its answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/rules/attempt.h"
#include "lib/steps/chosen.h"
#include "lib/steps/control.h"
#include "lib/steps/intake.h"
#include "lib/steps/rerun.h"
#include "lib/store/budget.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_policy policy;
    struct jr_run run;
    struct jr_verdict verdict;
    uint32_t posted; /* the attempt of the last intent */
    int64_t now_ms;
    struct jr_error error;
    char told[256]; /* what the dispatcher was told to do */
};

static void open_scene_in(struct scene *scene, const char *folder, const char *policy)
{
    char path[512], setting[600], *problems = NULL;
    FILE *file;

    memset(scene, 0, sizeof *scene);
    scene->store = open_store(folder);
    snprintf(path, sizeof path, "%s/policy.yml", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "version: 1\notherwise: rerun\nsame-failure: rerun\n%s", policy);
    assert_int_equal(fclose(file), 0);
    snprintf(setting, sizeof setting, "POLICY=%s RUN_ATTEMPTS=5", path);
    load_settings(&scene->settings, setting);
    if (jr_chosen_load(&scene->settings, &problems) != JR_OK)
        fail_msg("%s", problems);
    assert_int_equal(jr_chosen_policy(&scene->settings, &scene->policy), JR_OK);
    scene->now_ms = START_MS + 58 * JR_MINUTE_MS;
    scene->run.run_id = RUN_ID;
}

static void open_scene(struct scene *scene, const char *policy)
{
    open_scene_in(scene, new_folder(), policy);
}

static void close_scene(struct scene *scene)
{
    jr_policy_release(&scene->policy);
    jr_settings_release(&scene->settings);
    jr_store_close(scene->store);
}

static void load_run(struct scene *scene)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, scene->store, false);
    jr_ledger_load_run(&txn, scene->run.run_id, &scene->run);
    commit(&txn);
}

static void tell(struct scene *scene, const char *word)
{
    size_t length = strlen(scene->told);

    snprintf(scene->told + length, sizeof scene->told - length, "%s%s", length == 0 ? "" : " ", word);
}

/* GitHub shows the run. */
static void play_seen(struct scene *scene, const char *token)
{
    struct jr_event shown = event_of(token);
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE, .status = 200 };
    const struct jr_rerun_answer answer = { .call = &call, .seen = &shown, .policy = &scene->policy };

    load_run(scene);
    if (jr_rerun_seen(scene->store, &scene->settings, &answer, &scene->run, scene->now_ms, &scene->verdict, &scene->error)
        != JR_OK)
        fail_msg("seen: %s", scene->error.text);
    if (scene->verdict.step == JR_STEP_RERUN_FAILED || scene->verdict.step == JR_STEP_RERUN_ALL)
        scene->posted = scene->verdict.attempt;
    tell(scene, scene->verdict.step == JR_STEP_RERUN_FAILED ? "post"
                : scene->verdict.step == JR_STEP_RERUN_ALL  ? "post-all"
                : scene->verdict.step == JR_STEP_WAIT       ? "wait"
                                                            : jr_reason_token(scene->verdict.reason));
}

/* The answer to the POST: A accepted, U unknown, N refused for good, L refused for now, M only all can be rerun. */
static void play_answer(struct scene *scene, char letter)
{
    struct jr_call call = { .what = "POST rerun-failed-jobs" };
    const struct jr_rerun_answer answer = { .call = &call, .posted = true, .attempt = scene->posted };

    call.outcome = letter == 'A'   ? JR_OUTCOME_DONE
                   : letter == 'U' ? JR_OUTCOME_UNKNOWN
                   : letter == 'L' ? JR_OUTCOME_LATER
                                   : JR_OUTCOME_NEVER;
    call.reason = letter == 'A'   ? JR_REASON_RERUN_ACCEPTED
                  : letter == 'U' ? JR_REASON_OUTCOME_UNKNOWN
                                  : JR_REASON_REFUSED;
    call.try_all = letter == 'M';
    load_run(scene);
    if (jr_rerun_outcome(scene->store, &scene->settings, &answer, &scene->run, scene->now_ms, &scene->verdict, &scene->error)
        != JR_OK)
        fail_msg("outcome: %s", scene->error.text);
}

static void play_hand(struct scene *scene)
{
    struct jr_rerun_request request = { .run_id = scene->run.run_id, .repo = "Octo/App" };
    enum jr_reason reason;

    if (jr_control_rerun(scene->store, &scene->settings, &request, scene->now_ms, &scene->run, &reason, &scene->error) != JR_OK)
        fail_msg("by hand: %s", scene->error.text);
    assert_string_equal(jr_reason_token(reason), "none");
}

static void play(struct scene *scene, const char *token)
{
    /* The policy has judged the run: its guards and limits are left. */
    scene->settings.judges = false;
    if (*token == 'G')
        play_seen(scene, token);
    else if (*token == 'H')
        play_hand(scene);
    else if (*token == '+')
        scene->now_ms += atoll(token + 1) * JR_MINUTE_MS;
    else if (strchr("AUNLM", *token) != NULL)
        play_answer(scene, *token);
    else
        arrives(scene->store, &scene->settings, token, &scene->now_ms);
}

static void play_all(struct scene *scene, const char *tokens)
{
    char *text = strdup(tokens), *rest = text, *token;

    while ((token = strsep(&rest, " ")) != NULL)
        if (*token != '\0')
            play(scene, token);
    free(text);
}

/* "0:1 1:2 linux=3": reruns by the hour, and minutes; of both scopes, which have to be the same. */
static void say_spent(struct scene *scene, char text[256])
{
    struct jr_budget_day days[2];
    struct jr_txn txn;
    size_t length = 0;
    static const char *const names[JR_SYSTEMS] = { "linux", "windows", "macos", "self-hosted" };

    load_run(scene);
    jr_txn_begin(&txn, scene->store, false);
    jr_budget_load(&txn, JR_BUDGET_ALL, START_MS, &days[0]);
    jr_budget_load(&txn, scene->run.spent.scope != 0 ? scene->run.spent.scope : jr_budget_scope(&scene->run), START_MS, &days[1]);
    commit(&txn);
    text[0] = '\0';
    for (unsigned hour = 0; hour < 24; hour++) {
        assert_int_equal(days[0].reruns[hour], days[1].reruns[hour]);
        if (days[0].reruns[hour] > 0)
            length += (size_t)snprintf(text + length, 256 - length, "%s%u:%u", length == 0 ? "" : " ", hour, days[0].reruns[hour]);
    }
    for (enum jr_system system = 0; system < JR_SYSTEMS; system++) {
        assert_int_equal(days[0].minutes.of[system], days[1].minutes.of[system]);
        if (days[0].minutes.of[system] > 0)
            length += (size_t)snprintf(text + length, 256 - length, "%s%s=%u", length == 0 ? "" : " ", names[system],
                                       days[0].minutes.of[system]);
    }
}

struct spent_row {
    const char *name, *policy, *tokens, *told, *spent;
};

static void is_spent(void **state)
{
    const struct spent_row *row = *state;
    struct scene scene;
    char spent[256];

    open_scene(&scene, row->policy);
    play_all(&scene, row->tokens);
    assert_string_equal(scene.told, row->told);
    say_spent(&scene, spent);
    assert_string_equal(spent, row->spent);
    close_scene(&scene);
}

#define FAILED "c1=failure~130 Rc=failure"
#define ONE "limits: { reruns-per-hour: 1 }\n"

static const struct spent_row spents[] = {
    { "a rerun", "", FAILED " Gc=failure A", "post", "0:1 linux=2" },
    { "without limits, too", "limits: { reruns-per-hour: 9 }\n", FAILED " Gc=failure A", "post", "0:1 linux=2" },
    { "only what runs again", "", "c1=failure~130 c2=success~900 c3=cancelled~71 Rc=failure Gc=failure A", "post", "0:1 linux=4" },
    { "nothing is told of its jobs", "", "Rc=failure Gc=failure A", "post", "0:1" },
    { "it cannot start", "", "H Gc=startup_failure A", "post-all", "0:1" },
    { "the next attempt", "", FAILED " Gc=failure A q7@2,job:1 c7=failure@2~400,job:1 Rc=failure@2 Gc=failure@2 A", "post post", "0:2 linux=9" },
    { "what was skipped now ran before", "", "c1=success~130 c2=failure~130 Rc=failure Gc=failure A c7=failure@2~70,job:1 c8=skipped@2,job:2 Rc=failure@2 Gc=failure@2 A",
      "post post", "0:2 linux=5" },
    { "accepted, as an event tells first", "", FAILED " Gc=failure q1@2 A", "post", "0:1 linux=2" },
    { "somebody else was quicker", "", FAILED " Gc=failure q1@2 N", "post", "" },
    { "refused for good", "", FAILED " Gc=failure N", "post", "" },
    { "refused for now", "", FAILED " Gc=failure L", "post", "" },
    { "refused, and rerun later", "", FAILED " Gc=failure L +5 Gc=failure A", "post post", "1:1 linux=2" },
    { "only all of it can be rerun", "", "Rc=failure Gc=failure M +1 Gc=failure A", "post post-all", "0:1" },
    { "in doubt", "", FAILED " Gc=failure U", "post", "0:1 linux=2" },
    { "killed before or after the POST", "", FAILED " Gc=failure", "post", "0:1 linux=2" },
    { "in doubt, and it worked", "", FAILED " Gc=failure U q1@2", "post", "0:1 linux=2" },
    { "in doubt, and GitHub shows that it worked", "", FAILED " Gc=failure U +1 Gi@2", "post rerun-worked", "0:1 linux=2" },
    { "in doubt, and it has not: once more", "", FAILED " Gc=failure U +1 Gc=failure A", "post post", "0:1 linux=2" },
    { "killed, and once more in the next hour", "", FAILED " Gc=failure +5 Gc=failure A", "post post", "1:1 linux=2" },
    { "in doubt, and three attempts later", "", FAILED " Gc=failure U +1 q1@4 i1@4", "post", "0:1 linux=2" },
    { "in doubt, and its success is shown", "", FAILED " Gc=failure U +1 Gc=success", "post run-succeeded", "" },
    { "its own doubt does not hold it", ONE, FAILED " Gc=failure U +1 Gc=failure", "post post", "0:1 linux=2" },
    { "the limit holds the next attempt", ONE, FAILED " Gc=failure A q7@2,job:1 c7=failure@2~200,job:1 Rc=failure@2 Gc=failure@2", "post wait", "0:1 linux=2" },
    { "... until the hour is over", ONE, FAILED " Gc=failure A q7@2,job:1 c7=failure@2~190,job:1 Rc=failure@2 Gc=failure@2 +5 Gc=failure@2 A", "post wait post", "0:1 1:1 linux=5" },
    { "... but not by hand", ONE, FAILED " Gc=failure A q7@2,job:1 c7=failure@2~190,job:1 Rc=failure@2 H Gc=failure@2 A", "post post", "0:2 linux=5" },
    { "all together hold it", "limits-all: { reruns-per-hour: 1 }\n", FAILED " Gc=failure A q7@2,job:1 c7=failure@2~200,job:1 Rc=failure@2 Gc=failure@2", "post wait", "0:1 linux=2" },
    { "the day is used up", "limits: { minutes-per-day: 3 }\n", FAILED " Gc=failure A q7@2,job:1 c7=failure@2~130,job:1 Rc=failure@2 Gc=failure@2 +5 Gc=failure@2", "post wait wait", "0:1 linux=2" },
    { "what was refused holds nobody", ONE, FAILED " Gc=failure L +1 Gc=failure A", "post post", "0:1 linux=2" },
    { "more than a day allows", "limits: { minutes-per-day: 1 }\n", FAILED " Gc=failure", "budget-used-up", "" },
    { "... but by hand", "limits: { minutes-per-day: 1 }\n", FAILED " H Gc=failure A", "post", "0:1 linux=2" },
    { "by hand, of a run of which nothing is known", "", "H Gc=failure A", "post", "0:1" },
};

#define MANY 100
#define LIMIT "limits: { reruns-per-hour: 7, minutes-per-day: 1000 }\n"

/* What one process makes of half of the runs: each is either posted, or waits for the next hour. */
static void play_half(struct scene *scene, unsigned first)
{
    char token[64];

    scene->settings.judges = false;
    scene->now_ms = START_MS;
    for (unsigned i = first; i <= MANY; i += 2) {
        scene->run.run_id = RUN_ID + i;
        snprintf(token, sizeof token, "Gc=failure,id:%u", i);
        play_seen(scene, token);
        if (scene->verdict.step == JR_STEP_RERUN_FAILED)
            continue;
        assert_int_equal(scene->verdict.step, JR_STEP_WAIT);
        assert_int_equal(scene->run.reason, JR_REASON_BUDGET_USED_UP);
        assert_in_range(scene->run.due_ms, START_MS + JR_HOUR_MS, START_MS + JR_HOUR_MS + JR_LIMITS_SPREAD_MS - 1);
    }
}

static void play_in_child(int fd, const void *argument)
{
    struct scene scene;

    open_scene_in(&scene, argument, LIMIT);
    child_says_ready(fd);
    play_half(&scene, 2);
    close_scene(&scene);
}

/* Many that are due at once, and two processes at them: no more than the limit are posted. */
static void many_at_once(void **state)
{
    const char *folder = new_folder();
    struct scene scene;
    struct child child;
    char spent[256], token[64];

    (void)state;
    open_scene_in(&scene, folder, LIMIT);
    scene.now_ms = START_MS;
    for (unsigned i = 1; i <= MANY; i++) {
        snprintf(token, sizeof token, "Rc=failure,id:%u", i);
        scene.settings.judges = false;
        arrives(scene.store, &scene.settings, token, &scene.now_ms);
    }
    close_scene(&scene);
    start_child(&child, play_in_child, folder);
    open_scene_in(&scene, folder, LIMIT);
    play_half(&scene, 1);
    let_child_go(&child);
    scene.run.run_id = RUN_ID + 1;
    say_spent(&scene, spent);
    assert_string_equal(spent, "0:7");
    close_scene(&scene);
}

/* Of a job whose end no event has told: by the failed ones that GitHub has listed. */
static void by_the_failures(void **state)
{
    struct jr_failure failure = {
        .job_id = JOB_ID(1), .attempt = 1, .conclusion = JR_CONCLUSION_FAILURE, .started_ms = START_MS,
        .completed_ms = START_MS + 7 * JR_MINUTE_MS, .name = "build", .labels = "windows-latest",
    };
    struct jr_job job = {
        .known = true, .run_id = RUN_ID, .job_id = JOB_ID(1), .attempt = 1, .status = JR_STATUS_IN_PROGRESS,
        .started_ms = START_MS, .name = "build", .labels = "ubuntu-latest",
    };
    struct jr_minutes cost;
    struct scene scene;
    struct jr_txn txn;

    (void)state;
    open_scene(&scene, "");
    play(&scene, "Rc=failure");
    load_run(&scene);
    jr_txn_begin(&txn, scene.store, true);
    jr_failures_save(&txn, &scene.run, &failure, scene.now_ms);
    failure.job_id++;
    failure.attempt = 2; /* another attempt's */
    jr_failures_save(&txn, &scene.run, &failure, scene.now_ms);
    jr_budget_cost(&txn, &scene.run, false, &cost);
    commit(&txn);
    assert_int_equal(cost.of[JR_SYSTEM_WINDOWS], 7);
    assert_int_equal(cost.of[JR_SYSTEM_LINUX], 0);
    jr_txn_begin(&txn, scene.store, true);
    jr_ledger_save_job(&txn, &job);
    jr_budget_cost(&txn, &scene.run, false, &cost);
    commit(&txn);
    assert_int_equal(cost.of[JR_SYSTEM_WINDOWS], 7);
    job.status = JR_STATUS_COMPLETED;
    job.conclusion = JR_CONCLUSION_FAILURE;
    job.completed_ms = START_MS + 2 * JR_MINUTE_MS;
    jr_txn_begin(&txn, scene.store, true);
    jr_ledger_save_job(&txn, &job);
    jr_budget_cost(&txn, &scene.run, false, &cost);
    commit(&txn);
    assert_int_equal(cost.of[JR_SYSTEM_WINDOWS], 0);
    assert_int_equal(cost.of[JR_SYSTEM_LINUX], 2);
    close_scene(&scene);
}

/* Records by day and repository; a damaged one counts as none, and is made anew. */
static void records(void **state)
{
    static const unsigned char damaged[] = { 1, 0, 9 };
    struct jr_budget_day day = { .scope = 0 };
    struct scene scene;
    struct jr_txn txn;
    unsigned count = 0;

    (void)state;
    open_scene(&scene, "");
    play_all(&scene, FAILED " Gc=failure A");
    jr_txn_begin(&txn, scene.store, true);
    for (bool first = true; jr_budget_next(&txn, START_MS, first, &day); first = false) {
        count++;
        assert_string_equal(day.repo, count == 1 ? "" : "octo/app");
        assert_int_equal(day.reruns[0], 1);
    }
    assert_int_equal(count, 2);
    assert_false(jr_budget_next(&txn, START_MS + JR_DAY_MS, true, &day));
    assert_false(jr_budget_next(&txn, START_MS - JR_DAY_MS, true, &day));
    jr_txn_put(&txn, JR_TABLE_SPENT, "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", 12, damaged, sizeof damaged);
    jr_budget_load(&txn, JR_BUDGET_ALL, JR_DAY_MS, &day);
    assert_int_equal(day.reruns[0], 0);
    jr_budget_prune(&txn, START_MS, 10);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_SPENT), 2);
    jr_budget_prune(&txn, START_MS + 2 * JR_DAY_MS, 10);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_SPENT), 0);
    commit(&txn);
    close_scene(&scene);
}

static void scopes(void **state)
{
    struct jr_run one = { .repo_id = 7, .repo = "octo/app" }, other = { .repo_id = 7, .repo = "octo/new" };

    (void)state;
    assert_true(jr_budget_scope(&one) == jr_budget_scope(&other));
    one.repo_id = other.repo_id = 0;
    assert_true(jr_budget_scope(&one) != jr_budget_scope(&other));
    strcpy(other.repo, "Octo/App");
    assert_true(jr_budget_scope(&one) == jr_budget_scope(&other));
    assert_true(jr_budget_scope(&one) > INT64_MAX);
}

int main(void)
{
    TABLE(spents, is_spent);
    TEST(many_at_once);
    TEST(by_the_failures);
    TEST(records);
    TEST(scopes);
    return run_program("budget");
}
