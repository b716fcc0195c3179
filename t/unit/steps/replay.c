/*
 * replay -- the history of a run, put through the rules once more.
 *
 * A script is played with the functions that the service works with, over a store. Then the
 * run's history alone is replayed, and every decision in it has to come out again.
 *
 *   q1 c1=failure Rc=failure   events, as support.h has them, a second apart
 *   !c1=failure                the same delivery as the last one, once more
 *   C                          the dispatcher takes what is due (G, F, P and U do so by
 *                              themselves)
 *   Gc=failure                 GET shows the run
 *   U                          there is no token to ask with
 *   F=later F=never F=missing  the GET failed
 *   P=done unknown later never not-so   what the POST came to
 *   Lc=failure                 a list of failed runs shows it
 *   H                          an administrator asks for a rerun
 *   Q                          a look at what has gone quiet
 *   W                          what is due is put off
 *   Z E                        everything is paused; the pause ends
 *   T=90                       so many seconds go by
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/control.h"
#include "lib/steps/intake.h"
#include "lib/steps/reconcile.h"
#include "lib/steps/replay.h"
#include "lib/steps/rerun.h"
#include "lib/steps/step.h"
#include "lib/store/ledger.h"
#include "lib/store/listing.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stage {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_run run;      /* as it was claimed */
    bool claimed, posting;
    uint32_t attempt;       /* that is asked or posted about */
    unsigned deliveries;
    int64_t now_ms;
    struct jr_history *entries; /* of the run, at the end; owned */
    size_t count;
    struct jr_run end; /* the run as it is stored then */
};

static void play_event(struct stage *stage, const char *token)
{
    bool again = *token == '!';
    struct jr_update update = { .event = event_of(token + again) };
    struct jr_receipt receipt;
    struct jr_error error;
    char id[64];

    stage->now_ms += JR_SECOND_MS;
    update.now_ms = stage->now_ms;
    stage->deliveries += !again;
    snprintf(id, sizeof id, "b8e5d2a0-c3d4-11f0-8e3c-%012x", stage->deliveries);
    assert_int_equal(jr_delivery_identify(&update.delivery, id, NULL, 0), JR_OK);
    assert_int_equal(intake(stage->store, &stage->settings, &update, &receipt, &error), JR_OK);
}

/* Whose turn is it? No scene goes on for so long that a clock could have been set back. */
static void claim(struct stage *stage)
{
    struct jr_error error;
    int64_t due_ms;

    if (stage->claimed)
        return;
    if (jr_rerun_first(stage->store, INT64_MAX, 0, NULL, &due_ms, &stage->run, &error) != JR_OK)
        return;
    stage->claimed = true;
    stage->attempt = stage->run.attempt;
    if (stage->now_ms < due_ms)
        stage->now_ms = due_ms;
}

static void decided(struct stage *stage, enum jr_err err, const struct jr_verdict *verdict)
{
    stage->claimed = stage->posting = false;
    if (err != JR_OK)
        return;
    stage->posting = verdict->step == JR_STEP_RERUN_FAILED || verdict->step == JR_STEP_RERUN_ALL;
    stage->claimed = stage->posting;
    stage->attempt = verdict->attempt;
}

static void play_seen(struct stage *stage, const char *token)
{
    struct jr_event seen = event_of(token);
    struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_DONE, .status = 200, .duration_us = 123456 };
    const struct jr_rerun_answer answer = { .call = &call, .seen = &seen };
    struct jr_verdict verdict;
    struct jr_error error;

    claim(stage);
    if (stage->claimed)
        decided(stage, jr_rerun_seen(stage->store, &stage->settings, &answer, &stage->run, stage->now_ms, &verdict, &error), &verdict);
}

static void play_answer(struct stage *stage, const char *token)
{
    static const struct {
        const char *token;
        enum jr_outcome outcome;
        enum jr_reason reason;
        bool try_all;
    } rows[] = {
        { "=done", JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED, false },
        { "=unknown", JR_OUTCOME_UNKNOWN, JR_REASON_OUTCOME_UNKNOWN, false },
        { "=later", JR_OUTCOME_LATER, JR_REASON_SERVER_ERROR, false },
        { "=never", JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, false },
        { "=not-so", JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, true },
        { "=missing", JR_OUTCOME_NEVER, JR_REASON_NOT_FOUND, false },
    };
    bool posted = *token == 'P';
    struct jr_call call = { .what = posted ? "POST rerun-failed-jobs" : "GET run", .text = "said" };
    struct jr_rerun_answer answer = { .call = &call, .posted = posted };
    struct jr_verdict verdict;
    struct jr_error error;
    size_t row = 0;

    claim(stage);
    if (!stage->claimed || posted != stage->posting)
        return;
    while (strcmp(rows[row].token, token + 1) != 0)
        assert_true(++row < COUNT(rows));
    call.outcome = rows[row].outcome;
    call.reason = rows[row].reason;
    call.try_all = rows[row].try_all;
    answer.attempt = stage->attempt;
    decided(stage, jr_rerun_outcome(stage->store, &stage->settings, &answer, &stage->run, stage->now_ms, &verdict, &error), &verdict);
}

static void play_unseen(struct stage *stage)
{
    struct jr_verdict verdict;
    struct jr_error error;

    claim(stage);
    if (stage->claimed && !stage->posting)
        decided(stage, jr_rerun_unseen(stage->store, &stage->settings, &stage->run, stage->now_ms, &verdict, &error), &verdict);
}

static void play_list(struct stage *stage, const char *token)
{
    struct jr_look look = { .active = true, .started_ms = stage->now_ms, .list = { .page = 1 } };
    struct jr_event seen;
    const struct jr_github_page page = { .count = 1, .shown = 1, .runs = &seen };
    struct jr_look_result result;
    struct jr_error error;
    char copy[128];

    snprintf(copy, sizeof copy, "G%s", token + 1);
    seen = event_of(copy);
    assert_int_equal(jr_reconcile_page(stage->store, &stage->settings, &look, &page, stage->now_ms, &result, &error), JR_OK);
}

/* A run that has gone quiet is asked about without an entry. */
static void play_quiet(struct stage *stage)
{
    struct jr_error error;
    int64_t due_ms = 0;

    if (stage->claimed)
        return;
    for (int i = 0; i < 4 && !stage->claimed; i++) {
        stage->claimed = jr_rerun_quiet(stage->store, &stage->settings, stage->now_ms, NULL, &stage->run, &due_ms, &error) == JR_OK;
        if (due_ms > stage->now_ms)
            stage->now_ms = due_ms;
    }
    stage->attempt = stage->run.attempt;
}

static void play_other(struct stage *stage, char what)
{
    static const struct jr_rerun_request request = { RUN_ID, "octo/app", "root" };
    struct jr_list none = { .count = 0 };
    struct jr_pause pause = { .who = "alice" };
    struct jr_pauses pauses, ended;
    struct jr_error error;
    struct jr_run run;
    enum jr_reason refused;

    switch (what) {
    case 'H':
        assert_int_equal(jr_control_rerun(stage->store, &stage->settings, &request, stage->now_ms, &run, &refused, &error), JR_OK);
        break;
    case 'W':
        claim(stage);
        if (stage->claimed && !stage->posting)
            assert_int_equal(jr_rerun_postpone(stage->store, &stage->run, stage->now_ms + 17 * JR_SECOND_MS, &error), JR_OK);
        stage->claimed = stage->posting;
        break;
    case 'Z':
        assert_int_equal(jr_control_pause(stage->store, &none, &pause, stage->now_ms, &pauses, &error), JR_OK);
        break;
    case 'E':
        assert_int_equal(jr_control_resume(stage->store, &none, "bob", stage->now_ms, &ended, &pauses, &error), JR_OK);
        break;
    default:
        fail_msg("'%c' is no token", what);
    }
}

static void play(struct stage *stage, const char *token)
{
    if (*token == 'C')
        claim(stage);
    else if (*token == 'G')
        play_seen(stage, token);
    else if (*token == 'F' || *token == 'P')
        play_answer(stage, token);
    else if (*token == 'U')
        play_unseen(stage);
    else if (*token == 'L')
        play_list(stage, token);
    else if (*token == 'Q')
        play_quiet(stage);
    else if (*token == 'T')
        stage->now_ms += strtol(token + 2, NULL, 10) * JR_SECOND_MS;
    else if (strchr("HWZE", *token) != NULL)
        play_other(stage, *token);
    else
        play_event(stage, token);
}

static void open_stage(struct stage *stage, const char *settings)
{
    memset(stage, 0, sizeof *stage);
    stage->store = open_store(new_folder());
    load_settings(&stage->settings, settings);
    stage->now_ms = START_MS + 100 * JR_SECOND_MS;
}

/* All is done: read the history, and close the store. */
static void end_play(struct stage *stage)
{
    struct jr_error error;
    uint32_t number = 0;

    assert_int_equal(jr_listing_run(stage->store, RUN_ID, &stage->end, &error), JR_OK);
    stage->entries = calloc(stage->end.history_count, sizeof *stage->entries);
    assert_true(stage->entries != NULL && stage->end.history_count > 0);
    assert_int_equal(jr_listing_history(stage->store, RUN_ID, &number, stage->entries, stage->end.history_count, &stage->count, &error), JR_OK);
    assert_int_equal(stage->count, stage->end.history_count);
    jr_store_close(stage->store);
    stage->store = NULL;
}

static void close_stage(struct stage *stage)
{
    jr_settings_release(&stage->settings);
    free(stage->entries);
}

static void play_all(struct stage *stage, const char *script)
{
    char *copy = strdup(script), *rest = copy, *token;

    assert_non_null(copy);
    while ((token = strsep(&rest, " ")) != NULL)
        if (*token != '\0')
            play(stage, token);
    free(copy);
    end_play(stage);
}

static void replay_all(struct stage *stage, struct jr_replay *replay, const struct jr_bounds *bounds)
{
    jr_replay_begin(replay, RUN_ID);
    for (size_t i = 0; i < stage->count; i++)
        assert_int_equal(jr_replay_take(replay, bounds, &stage->entries[i]), JR_OK);
    jr_replay_end(replay);
}

/* The run is as it was left, too, as far as decisions rest on it. */
static void assert_same_run(const struct jr_run *one, const struct jr_run *two)
{
    assert_int_equal(one->attempt, two->attempt);
    assert_int_equal(one->phase, two->phase);
    assert_int_equal(one->reason, two->reason);
    assert_int_equal(one->accepted_attempt, two->accepted_attempt);
    assert_int_equal(one->base_attempt, two->base_attempt);
    assert_int_equal(one->jobs_known, two->jobs_known);
    assert_int_equal(one->jobs_unfinished, two->jobs_unfinished);
    assert_int_equal(one->jobs_failed, two->jobs_failed);
    assert_int_equal(one->conclusion, two->conclusion);
    assert_int_equal(one->intent_ms, two->intent_ms);
    assert_int_equal(one->denied_ms, two->denied_ms);
    assert_int_equal(one->by_hand, two->by_hand);
    assert_int_equal(one->rerun_all, two->rerun_all);
    assert_int_equal(one->last_event_ms, two->last_event_ms);
    assert_string_equal(one->repo, two->repo);
    assert_string_equal(one->branch, two->branch);
    assert_string_equal(one->workflow, two->workflow);
    assert_string_equal(one->workflow_path, two->workflow_path);
    assert_string_equal(one->actor, two->actor);
    assert_string_equal(one->triggering_actor, two->triggering_actor);
    assert_string_equal(one->first_sender, two->first_sender);
    assert_string_equal(one->head_repo, two->head_repo);
    assert_string_equal(one->head_sha, two->head_sha);
}

static void assert_replayed(struct stage *stage, const char *script)
{
    struct jr_bounds bounds = jr_step_bounds(&stage->settings);
    struct jr_replay replay;

    replay_all(stage, &replay, &bounds);
    if (replay.differences > 0)
        fail_msg("'%s': %s", script, replay.first);
    assert_true(replay.inputs > 0);
    assert_same_run(&replay.run, &stage->end);
    jr_replay_release(&replay);
}

struct play_row {
    const char *name, *settings, *script;
    unsigned decisions; /* in the history, outcomes too */
};

static void replayed(void **state)
{
    const struct play_row *row = *state;
    unsigned decisions = 0;
    struct stage stage;

    open_stage(&stage, row->settings);
    play_all(&stage, row->script);
    for (size_t i = 0; i < stage.count; i++)
        decisions += stage.entries[i].reason != JR_REASON_PAUSED
                     && (stage.entries[i].kind == JR_HISTORY_DECISION || stage.entries[i].kind == JR_HISTORY_OUTCOME);
    assert_int_equal(decisions, row->decisions);
    assert_replayed(&stage, row->script);
    close_stage(&stage);
}

static const struct play_row plays[] = {
    { "a failure, and a rerun", NULL, "q1 i1 c1=failure Gc=failure P=done q2@2 c2@2=success Rc@2=success", 4 },
    { "all in order", NULL, "Rq q1 i1 c1=failure Ri Rc=failure Gc=failure P=done Rq@2 q2@2 i2@2 c2@2=success Rc@2=success", 5 },
    { "out of order", NULL, "c1=failure~60 i1 q1 Rc=failure Rq Gc=failure P=done c2@2=failure q2@2 Gc@2=failure P=done", 7 },
    { "jobs come later", NULL, "q1 c1=failure q2 i2 c2=success Gc=failure P=done", 4 },
    { "renamed", NULL, "q1 c1=failure Gc=failure,repo:octo/new,head:octo/new P=done q2@2,repo:octo/new c2@2=failure,repo:octo/new Gc@2=failure,repo:octo/new", 5 },
    { "renamed, and left alone by its new name", "NO_RETRY_REPOS=octo/new", "q1 c1=failure Gc=failure,repo:octo/new", 2 },
    { "superseded", NULL, "q1,number:7 Rc=failure,number:7,sha:aaa,trigger:push,path:ci.yml Ri,id:1,number:8,sha:bbb,trigger:push,path:ci.yml Gc=failure,number:7,sha:aaa,trigger:push,path:ci.yml", 2 },
    { "by hand", "RUN_ATTEMPTS=1", "q1 c1=failure Rc=failure H Gc=failure P=done", 4 },
    { "by hand, of an unknown run", NULL, "H Gc=failure P=done", 3 },
    { "by hand, twice", NULL, "q1 c1=failure Gc=failure P=done H H", 5 },
    { "nobody knows what came of the POST", NULL, "q1 c1=failure Gc=failure P=unknown Gi@2 q2@2 c2@2=success", 4 },
    { "the POST did nothing", NULL, "q1 c1=failure Gc=failure P=unknown Gc=failure P=done", 5 },
    { "a newer attempt while it is posted", NULL, "q1 c1=failure Gc=failure q2@2 P=unknown", 3 },
    { "somebody else was quicker", NULL, "q1 c1=failure Gc=failure q2@2 P=never c2@2=failure", 4 },
    { "a call is refused", NULL, "q1 c1=failure Gc=failure P=never", 3 },
    { "not its failed jobs alone", NULL, "Rc=failure Gc=failure P=not-so Gc=failure P=done", 5 },
    { "the GET fails for a while", NULL, "q1 c1=failure F=later F=later F=later F=missing Gc=failure P=done", 5 },
    { "GitHub knows it not", NULL, "q1 c1=failure F=missing F=missing T=1000 F=missing", 3 },
    { "it goes on for long", NULL, "q1 c1=failure Gi Gi Gi Gi Rc=failure Gc=failure P=done", 5 },
    { "it goes on, and its name changes", NULL, "q1 c1=failure Gi Gi,repo:octo/new Gi,repo:octo/new Gc=failure,repo:octo/new P=done", 5 },
    { "put off", NULL, "q1 c1=failure W Rc=failure~90 W Gc=failure P=done", 4 },
    { "an event comes between", NULL, "q1 c1=failure C q2 Gc=failure c2=failure Gc=failure", 3 },
    { "nothing is asked for", "DRY_RUN=yes", "q1 c1=failure Gc=failure", 2 },
    { "without a token", "DRY_RUN=yes", "q1 c1=failure U", 2 },
    { "without a token, too late", "DRY_RUN=yes", "q1 c1=failure C q2 U c2=success U", 4 },
    { "left alone by a setting", "NO_RETRY_LIST=octocat", "q1 c1=failure !c1=failure", 1 },
    { "found by a list", NULL, "Lc=failure Gc=failure P=done", 3 },
    { "found by a list, a newer attempt", NULL, "q1 c1=failure Lc@2=failure Gc@2=failure P=done", 5 },
    { "found by a list, too late", NULL, "q1 T=200000 Lc=failure~60", 1 },
    { "quiet", NULL, "q1 i1 Q Gi Q Gc=failure P=done", 3 },
    { "quiet, and not to be had", NULL, "q1 i1 Q F=later Q F=never", 2 },
    { "waits for a pause", NULL, "q1 c1=failure Z Gc=failure E Gc=failure P=done", 3 },
    { "renamed while it is paused", "NO_RETRY_REPOS=octo/new", "q1 c1=failure Z Gc=failure,repo:octo/new E Rc=failure,repo:octo/new", 2 },
    { "without numbers", NULL, "q1@0 c1@0=failure Gc@3=failure P=done q2@0 c2@0=success", 3 },
    { "the name of its workflow is excluded", "NO_RETRY_WORKFLOWS=deploy", "q1,workflow:deploy c1=failure,workflow:CI Rc=failure", 1 },
    { "a fork's", "REPO_BRANCHES=main", "q1 c1=failure Rc=failure,head:fork/app", 2 },
    { "another conclusion later", NULL, "q1 Rc=cancelled~70 Rc=failure~80 Gc=failure~80 P=done", 4 },
};

/* What happens in any order, GitHub's answers as wrong as they may be. */
static uint64_t random_state;

static unsigned chance(unsigned sides)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % sides;
}

static const char *any_conclusion(void)
{
    static const char *const words[] = { "failure", "failure", "success", "cancelled", "timed_out", "skipped" };

    return words[chance(COUNT(words))];
}

static void random_token(const struct stage *stage, char *token, size_t size)
{
    static const char *const answers[] = { "P=done", "P=unknown", "P=later", "P=never", "P=not-so" };
    static const char *const failures[] = { "F=later", "F=never", "F=missing" };
    static const char *const others[] = { "H", "Q", "W", "C", "T=30", "T=3000", "U", "Lc=failure~75", "Lc@2=failure~75" };
    static const char *const names[] = { "", "", "", ",repo:octo/new", ",workflow:deploy", ",branch:", ",actor:dev", ",sender:bot" };
    unsigned attempt = chance(8) == 0 ? 0 : 1 + chance(3), job = 3 * attempt + chance(3);
    const char *name = names[chance(COUNT(names))];

    if (stage->posting && chance(3) != 0) {
        snprintf(token, size, "%s", answers[chance(COUNT(answers))]);
        return;
    }
    switch (chance(10)) {
    case 0:
    case 1:
        snprintf(token, size, "%c%u@%u%s", "qwiu"[chance(4)], job, attempt, name);
        break;
    case 2:
    case 3:
        snprintf(token, size, "c%u@%u=%s~%u%s", job, attempt, any_conclusion(), 60 + chance(3), name);
        break;
    case 4:
        snprintf(token, size, "R%c@%u%s", "qi"[chance(2)], attempt, name);
        break;
    case 5:
        snprintf(token, size, "Rc@%u=%s~%u%s", attempt, any_conclusion(), 70 + chance(4), name);
        break;
    case 6:
        snprintf(token, size, "%s", failures[chance(COUNT(failures))]);
        break;
    case 7:
        snprintf(token, size, "Gc@%u=%s~%u", attempt, any_conclusion(), 70 + chance(4));
        break;
    case 8:
        snprintf(token, size, "Gi@%u", attempt);
        break;
    default:
        snprintf(token, size, "%s", others[chance(COUNT(others))]);
    }
}

static void anything_is_replayed(void **state)
{
    static const char *const settings[] = { NULL, "NO_RETRY_WORKFLOWS=deploy RUN_ATTEMPTS=4", "NO_RETRY_LIST=bot REPO_BRANCHES=main DRY_RUN=yes",
                                            "NO_RETRY_REPOS=octo/new RETRY_CONCLUSIONS=failure,cancelled" };
    static char script[TEXT_SIZE];

    (void)state;
    for (uint64_t walk = 0; walk < 48; walk++) {
        struct stage stage;
        size_t length = 0;

        random_state = walk * 2 + 1;
        open_stage(&stage, settings[walk % COUNT(settings)]);
        for (int step = 0; step < 40; step++) {
            char token[64];

            random_token(&stage, token, sizeof token);
            if (step == 0)
                snprintf(token, sizeof token, "q1");
            length += (size_t)snprintf(script + length, sizeof script - length, "%s ", token);
            play(&stage, token);
        }
        end_play(&stage);
        assert_replayed(&stage, script);
        close_stage(&stage);
    }
}

/* By another bounds, or with another history, something else comes out. */
static void differences_are_found(void **state)
{
    static const char script[] = "q1 c1=failure Gc=failure P=done";
    struct jr_bounds bounds;
    struct jr_replay replay;
    struct stage stage;

    (void)state;
    open_stage(&stage, NULL);
    play_all(&stage, script);
    bounds = jr_step_bounds(&stage.settings);
    bounds.run_attempts = 1;
    replay_all(&stage, &replay, &bounds);
    assert_true(replay.differences > 0);
    assert_contains(replay.first, "attempts-used-up");
    jr_replay_release(&replay);

    bounds = jr_step_bounds(&stage.settings);
    assert_int_equal(stage.entries[2].kind, JR_HISTORY_DECISION);
    stage.entries[2].decided.due_ms++;
    replay_all(&stage, &replay, &bounds);
    assert_int_equal(replay.differences, 1);
    assert_contains(replay.first, "jobs-failed");
    jr_replay_release(&replay);

    /* An input that is left out, and a decision that nobody tells. */
    stage.entries[2].decided.due_ms--;
    memmove(&stage.entries[1], &stage.entries[2], (stage.count - 2) * sizeof *stage.entries);
    stage.count--;
    replay_all(&stage, &replay, &bounds);
    assert_true(replay.differences > 0);
    jr_replay_release(&replay);
    stage.count = 0;
    replay_all(&stage, &replay, &bounds);
    assert_int_equal(replay.differences, 0);
    assert_int_equal(replay.inputs, 0);
    jr_replay_release(&replay);
    close_stage(&stage);
}

int main(void)
{
    TABLE(plays, replayed);
    TEST(anything_is_replayed);
    TEST(differences_are_found);
    return run_program("replay");
}
