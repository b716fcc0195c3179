/*
 * decide -- sequences of events and answers, and what comes of them.
 *
 * A scene is a script of tokens, played one after the other. Events are written
 * as support.h has it and come a second apart, the first at BEGIN_MS. Besides:
 *
 *   C            the dispatcher takes the entry that is due (G, F and U do so by
 *                themselves if it is not done before)
 *   Gc=failure   GET shows the run
 *   U            there is no token to ask with
 *   F=later      the GET failed:       later, never
 *   P=done       the POST came to:     done, unknown, later, never
 *   J=rerun      the policy judges:    rerun, rerun+30 (seconds after the end), leave, moved
 *                (the entry is no longer the one that was claimed)
 *   S:NAME=value the settings are changed
 *   !c1=failure  an event that was answered with 204 is delivered again
 *   Q            the time has come to look whether the run has gone quiet; the
 *                next G or F is about that
 *   Lc=failure   a list of failed runs shows the run
 *   H            an administrator asks for a rerun
 *   A            a command on its pull request asks for one; A=all: of all its jobs
 *   X=deployment from now on the policy's guards give this reason; X=none: nothing
 *   B=outage-hold+60   from now on this keeps it waiting, and is looked at again in so many
 *                seconds; B=none: nothing does
 *   N=finished   what is known of newer runs from now on: none, finished, unfinished
 *
 * Each token says something: an event the status of its answer, the others
 * what the dispatcher does next, "wait:", "none:" and the reason, or the rerun;
 * then in brackets an attempt that it ended. After each token the rules that
 * hold always are checked.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/reply.h"
#include "lib/base/timestamp.h"
#include "lib/rules/attempt.h"
#include "lib/rules/decide.h"
#include "lib/rules/watch.h"
#include "lib/steps/chosen.h"
#include "lib/steps/rerun.h"
#include "lib/steps/step.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_MS (START_MS + 100 * JR_SECOND_MS)
#define JOBS_MAX 40

struct scene {
    struct jr_settings settings;
    struct jr_run run;
    struct jr_job jobs[JOBS_MAX];
    struct jr_verdict verdict;
    int64_t now_ms, claimed_ms;
    struct jr_newer newer;
    struct jr_hold hold; /* until_ms: how long from now */
    enum jr_reason guard;
    bool asked_quiet;  /* GitHub is asked about a quiet run, which has no entry */
    int64_t posted_ms; /* when a POST was begun of which nothing was heard; 0: none */
    uint32_t posted_attempt;
    uint32_t accepted_attempt; /* the newest that was accepted, as the script knows */
    char script[TEXT_SIZE], said[TEXT_SIZE];
};

static void load_scene(struct scene *scene, const char *settings)
{
    char *problems;

    load_settings(&scene->settings, settings);
    assert_int_equal(jr_chosen_load(&scene->settings, &problems), JR_OK);
}

static void open_scene(struct scene *scene, const char *settings)
{
    memset(scene, 0, sizeof *scene);
    load_scene(scene, settings);
    scene->now_ms = BEGIN_MS - JR_SECOND_MS;
}

static void close_scene(struct scene *scene)
{
    jr_settings_release(&scene->settings);
}

/* Let something happen to the run: to the job, if it is an event of one. */
static void decide(struct scene *scene, const struct jr_input *input, struct jr_job *job)
{
    struct jr_bounds bounds = jr_step_bounds(&scene->settings);

    jr_decide(&bounds, input, &scene->run, job, &scene->verdict);
}

/* GitHub has shown the run. */
static void see(struct scene *scene, const struct jr_event *seen)
{
    struct jr_input input = {
        .kind = JR_INPUT_SEEN,
        .now_ms = scene->now_ms,
        .event = seen,
        .newer = scene->newer,
        .guard = scene->guard,
        .hold = { scene->hold.reason, scene->now_ms + scene->hold.until_ms },
        .moved = scene->run.due_ms != scene->claimed_ms,
    };

    decide(scene, &input, NULL);
}

/* What came of a call that showed nothing. */
static void answer(struct scene *scene, uint32_t attempt, bool posted, const struct jr_call *call)
{
    struct jr_input input = {
        .kind = posted ? JR_INPUT_POSTED : JR_INPUT_FAILED,
        .now_ms = scene->now_ms,
        .moved = scene->run.due_ms != scene->claimed_ms,
        .attempt = attempt,
        .outcome = call->outcome,
        .reason = call->reason,
        .try_all = call->try_all,
    };

    decide(scene, &input, NULL);
}

static void say(struct scene *scene, const char *what, enum jr_reason reason,
                uint32_t ended_attempt, enum jr_reason ended_reason)
{
    size_t length = strlen(scene->said);

    snprintf(scene->said + length, sizeof scene->said - length, "%s%s%s", length == 0 ? "" : " ",
             what, reason == JR_REASON_NONE ? "" : jr_reason_token(reason));
    length = strlen(scene->said);
    if (ended_attempt != 0)
        snprintf(scene->said + length, sizeof scene->said - length, "(%u:%s)", ended_attempt,
                 jr_reason_token(ended_reason));
}

static void say_verdict(struct scene *scene)
{
    static const char *const steps[] = { "none:", "wait:", "rerun-failed", "rerun-all",
                                         "ask:", "judge:" };
    enum jr_step step = scene->verdict.step;
    bool rerun = step == JR_STEP_RERUN_FAILED || step == JR_STEP_RERUN_ALL;

    say(scene, steps[step], rerun ? JR_REASON_NONE : scene->verdict.reason,
        scene->verdict.ended_attempt, scene->verdict.ended_reason);
}

/* The attempt that a job belongs to. */
static uint32_t attempt_of(const struct scene *scene, const struct jr_job *job)
{
    return job->attempt != 0 ? job->attempt : scene->run.base_attempt;
}

#define HOLDS(scene, what)                                          \
    do {                                                            \
        if (!(what))                                                \
            fail_msg("not (%s) after '%s', which said '%s'", #what, \
                     (scene)->script, (scene)->said);               \
    } while (0)

/* What is true after whatever has happened. */
static void check_rules(const struct scene *scene, const struct jr_run *before)
{
    const struct jr_run *run = &scene->run;
    uint32_t known = 0, unfinished = 0, failed = 0;

    for (size_t i = 0; i < JOBS_MAX; i++) {
        const struct jr_job *job = &scene->jobs[i];

        if (!job->known || attempt_of(scene, job) != run->attempt)
            continue;
        known++;
        unfinished += job->status != JR_STATUS_COMPLETED;
        failed += job->status == JR_STATUS_COMPLETED && jr_conclusion_is_bad(job->conclusion);
    }
    HOLDS(scene, run->jobs_known == known);
    HOLDS(scene, run->jobs_unfinished == unfinished);
    HOLDS(scene, run->jobs_failed == failed);
    HOLDS(scene, (run->phase == JR_PHASE_DUE) == (run->due_ms != 0));
    HOLDS(scene, (run->waiting_ms != 0) == (run->due_ms != 0));
    /* An entry that is put off has waited all the same. */
    HOLDS(scene, run->waiting_ms == 0 || run->waiting_ms == scene->now_ms
                     || run->waiting_ms == before->waiting_ms);
    HOLDS(scene, before->due_ms == 0 || run->due_ms == 0 || run->attempt != before->attempt
                     || run->waiting_ms == before->waiting_ms);
    HOLDS(scene, run->attempt >= before->attempt);
    HOLDS(scene, run->accepted_attempt < run->attempt || run->attempt == 0);
    HOLDS(scene, run->accepted_attempt >= scene->accepted_attempt);
    HOLDS(scene, run->last_event_ms >= before->last_event_ms);
    /* Rule 6: GitHub is not asked sooner about a POST of which nothing was heard. */
    if (scene->posted_ms != 0 && scene->posted_attempt == run->attempt && run->due_ms != 0)
        HOLDS(scene, run->due_ms >= scene->posted_ms + scene->settings.api_backoff_min_ms);
}

static void play_event(struct scene *scene, const char *token)
{
    bool anew = *token == '!';
    struct jr_event event = event_of(token + anew);
    struct jr_job unused = { .known = false };
    bool is_job = event.kind == JR_EVENT_JOB;
    struct jr_input input = { .kind = JR_INPUT_EVENT, .now_ms = scene->now_ms, .event = &event, .anew = anew };
    char status[16];

    if (is_job)
        assert_in_range(event.job_id, JOB_ID(0), JOB_ID(JOBS_MAX - 1));
    decide(scene, &input, is_job ? &scene->jobs[event.job_id - JOB_ID(0)] : &unused);
    snprintf(status, sizeof status, "%d", jr_reply_status(scene->verdict.reply));
    say(scene, status, JR_REASON_NONE, scene->verdict.ended_attempt, scene->verdict.ended_reason);
    HOLDS(scene, scene->run.known);
    HOLDS(scene, scene->run.last_event_ms == scene->now_ms);
    HOLDS(scene, scene->verdict.changed && scene->verdict.reason != JR_REASON_NONE);
}

static void claim(struct scene *scene)
{
    if (scene->claimed_ms != 0 || scene->asked_quiet)
        return;
    HOLDS(scene, scene->run.due_ms != 0);
    scene->claimed_ms = scene->run.due_ms;
    if (scene->now_ms < scene->claimed_ms)
        scene->now_ms = scene->claimed_ms;
}

/* A rate limit stops all calls (throttle.h); the run itself only backs off, or is held. */
static void check_wait(struct scene *scene)
{
    int64_t wait_ms = scene->run.due_ms - scene->now_ms;

    if (scene->verdict.step != JR_STEP_WAIT || scene->run.due_ms == 0)
        return;
    if (jr_reason_class(scene->run.reason) == JR_CLASS_HOLD) {
        HOLDS(scene, wait_ms >= 0 && wait_ms <= JR_HOLD_MOST_MS);
        return;
    }
    HOLDS(scene, wait_ms >= scene->settings.api_backoff_min_ms);
    HOLDS(scene, wait_ms <= scene->settings.api_backoff_max_ms);
}

static void play_seen(struct scene *scene, const char *token)
{
    struct jr_event seen = event_of(token);
    bool rerun;

    claim(scene);
    see(scene, &seen);
    say_verdict(scene);
    check_wait(scene);
    scene->asked_quiet = false;
    rerun = scene->verdict.step == JR_STEP_RERUN_FAILED || scene->verdict.step == JR_STEP_RERUN_ALL;
    scene->claimed_ms = rerun || scene->verdict.step == JR_STEP_JUDGE ? scene->run.due_ms : 0;
    if (!rerun)
        return;
    HOLDS(scene, !scene->settings.judges || scene->run.by_hand
                     || scene->run.judged_attempt == scene->run.attempt);
    HOLDS(scene, scene->run.intent_ms == scene->now_ms);
    HOLDS(scene, scene->run.due_ms == scene->now_ms + scene->settings.api_backoff_min_ms);
    HOLDS(scene, scene->verdict.attempt == scene->run.attempt);
    HOLDS(scene, scene->verdict.attempt > scene->accepted_attempt);
    HOLDS(scene, seen.attempt == 0 || scene->verdict.attempt == seen.attempt);
    HOLDS(scene, seen.status == JR_STATUS_COMPLETED);
    scene->posted_ms = scene->now_ms;
    scene->posted_attempt = scene->verdict.attempt;
}

static void play_outcome(struct scene *scene, const char *token)
{
    static const struct {
        const char *token;
        enum jr_outcome outcome;
        enum jr_reason reason;
        int64_t wait_ms;
    } outcomes[] = {
        { "P=done", JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED, 0 },
        { "P=unknown", JR_OUTCOME_UNKNOWN, JR_REASON_OUTCOME_UNKNOWN, 0 },
        { "P=later", JR_OUTCOME_LATER, JR_REASON_ALREADY_RUNNING, 0 },
        { "P=limit", JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, JR_HOUR_MS },
        { "P=never", JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, 0 },
        { "P=not-so", JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, 0 },
        { "F=later", JR_OUTCOME_LATER, JR_REASON_UNREACHABLE, 0 },
        { "F=limit", JR_OUTCOME_LATER, JR_REASON_RATE_LIMITED, JR_HOUR_MS },
        { "P=denied", JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, 0 },
        { "P=stranger", JR_OUTCOME_UNKNOWN, JR_REASON_NOT_GITHUB, 0 },
        { "F=never", JR_OUTCOME_NEVER, JR_REASON_REFUSED, 0 },
        { "F=missing", JR_OUTCOME_NEVER, JR_REASON_NOT_FOUND, 0 },
        { "F=denied", JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, 0 },
        { "F=not-installed", JR_OUTCOME_NEVER, JR_REASON_NOT_INSTALLED, 0 },
        { "F=rejected", JR_OUTCOME_LATER, JR_REASON_BAD_TOKEN, 0 },
    };
    bool posted = *token == 'P';
    size_t row = 0;
    struct jr_call call = { .what = "test" };
    uint32_t attempt;

    while (strcmp(outcomes[row].token, token) != 0)
        assert_true(++row < COUNT(outcomes));
    call.outcome = outcomes[row].outcome;
    call.try_all = strcmp(token, "P=not-so") == 0;
    call.reason = outcomes[row].reason;
    call.wait_ms = outcomes[row].wait_ms;
    if (posted)
        HOLDS(scene, scene->claimed_ms != 0 && scene->posted_ms != 0);
    else
        claim(scene);
    attempt = posted ? scene->posted_attempt : scene->run.attempt;
    if (posted && call.outcome != JR_OUTCOME_UNKNOWN)
        scene->posted_ms = 0;
    if (call.outcome == JR_OUTCOME_DONE && attempt > scene->accepted_attempt)
        scene->accepted_attempt = attempt;
    answer(scene, attempt, posted, &call);
    scene->claimed_ms = 0;
    scene->asked_quiet = false;
    say_verdict(scene);
    check_wait(scene);
    HOLDS(scene, scene->verdict.attempt == attempt);
}

/* The policy has judged why the run failed. */
static void play_judged(struct scene *scene, const char *token)
{
    bool moved = strcmp(token, "J=moved") == 0, used_up = strcmp(token, "J=used-up") == 0;
    const char *delay = strchr(token, '+');
    struct jr_input input = {
        .kind = JR_INPUT_JUDGED, .now_ms = scene->now_ms, .attempt = scene->run.attempt,
        .moved = moved || scene->run.due_ms != scene->claimed_ms,
        .reason = used_up ? JR_REASON_ATTEMPTS_USED_UP : JR_REASON_LEFT_BY_RULE,
        .judgement = {
            .leaves = used_up || strcmp(token, "J=leave") == 0, .jobs = 1,
            .delay_ms = delay == NULL ? -1 : atoi(delay + 1) * JR_SECOND_MS,
        },
    };

    HOLDS(scene, scene->claimed_ms != 0);
    decide(scene, &input, NULL);
    scene->claimed_ms = 0;
    say_verdict(scene);
    HOLDS(scene, scene->verdict.step != JR_STEP_WAIT || scene->run.due_ms >= scene->now_ms);
}

/* Rule 8: a quiet run is asked about now and then. */
static void play_quiet(struct scene *scene, const char *token)
{
    struct jr_input input = { .kind = JR_INPUT_QUIET };

    (void)token;
    HOLDS(scene, scene->run.quiet_due_ms != 0);
    if (scene->now_ms < scene->run.quiet_due_ms)
        scene->now_ms = scene->run.quiet_due_ms;
    input.now_ms = scene->now_ms;
    decide(scene, &input, NULL);
    scene->asked_quiet = scene->verdict.step == JR_STEP_ASK;
    say(scene, scene->asked_quiet ? "ask" : "look", JR_REASON_NONE, 0, JR_REASON_NONE);
    HOLDS(scene, scene->run.quiet_due_ms == 0 || scene->run.quiet_due_ms > scene->now_ms);
}

static void play_list(struct scene *scene, const char *token)
{
    struct jr_event seen;
    struct jr_input input = { .kind = JR_INPUT_LISTED, .now_ms = scene->now_ms, .event = &seen };
    char copy[128];
    bool changed;

    snprintf(copy, sizeof copy, "G%s", token + 1);
    seen = event_of(copy);
    decide(scene, &input, NULL);
    changed = scene->verdict.changed;
    say(scene, changed ? "listed:" : "nothing", changed ? scene->verdict.reason : JR_REASON_NONE, 0,
        JR_REASON_NONE);
}

/* There is no token to ask GitHub with. */
static void play_unseen(struct scene *scene, const char *token)
{
    struct jr_input input = { .kind = JR_INPUT_UNSEEN, .newer = scene->newer };

    (void)token;
    claim(scene);
    input.now_ms = scene->now_ms;
    input.moved = scene->run.due_ms != scene->claimed_ms;
    decide(scene, &input, NULL);
    scene->claimed_ms = 0;
    say_verdict(scene);
}

static void play_hand(struct scene *scene, const char *token)
{
    struct jr_input input = {
        .kind = JR_INPUT_HAND, .now_ms = scene->now_ms, .repo = "octo/app", .asked = *token == 'A',
        .all = strcmp(token, "A=all") == 0,
    };

    decide(scene, &input, NULL);
    say(scene, scene->verdict.changed ? "asked" : "refused:",
        scene->verdict.changed ? JR_REASON_NONE : scene->verdict.reason, 0, JR_REASON_NONE);
}

/* Why the guards have it left from now on. */
static void play_guard(struct scene *scene, const char *token)
{
    scene->guard = JR_REASON_NONE;
    for (int reason = 0; reason < JR_REASONS; reason++)
        if (strcmp(jr_reason_token((enum jr_reason)reason), token + 2) == 0)
            scene->guard = (enum jr_reason)reason;
    assert_true(scene->guard != JR_REASON_NONE || strcmp(token, "X=none") == 0);
}

/* What keeps the run waiting from now on. */
static void play_hold(struct scene *scene, const char *token)
{
    const char *plus = strchr(token, '+');

    scene->hold = (struct jr_hold){ .reason = JR_REASON_NONE };
    for (int reason = 0; plus != NULL && reason < JR_REASONS; reason++)
        if (strlen(jr_reason_token((enum jr_reason)reason)) == (size_t)(plus - token - 2)
            && strncmp(jr_reason_token((enum jr_reason)reason), token + 2, (size_t)(plus - token - 2)) == 0)
            scene->hold = (struct jr_hold){ (enum jr_reason)reason, atoll(plus + 1) * JR_SECOND_MS };
    assert_int_equal(scene->hold.reason != JR_REASON_NONE, plus != NULL);
}

static void play_settings(struct scene *scene, const char *token)
{
    jr_settings_release(&scene->settings);
    load_scene(scene, token + 2);
}

static void play_newer(struct scene *scene, const char *token)
{
    scene->newer.state = token[2] == 'n'   ? JR_NEWER_NONE
                         : token[2] == 'f' ? JR_NEWER_FINISHED
                                           : JR_NEWER_UNFINISHED;
}

static void play_claim(struct scene *scene, const char *token)
{
    (void)token;
    claim(scene);
}

/* What each token does, by its first letter; all others are events. */
static const struct player {
    char letter;
    void (*play)(struct scene *scene, const char *token);
} players[] = {
    { 'S', play_settings }, { 'N', play_newer },  { 'B', play_hold },  { 'C', play_claim },
    { 'G', play_seen },     { 'U', play_unseen }, { 'P', play_outcome }, { 'F', play_outcome },
    { 'J', play_judged },   { 'Q', play_quiet },  { 'L', play_list },  { 'H', play_hand },
    { 'A', play_hand },     { 'X', play_guard },
};

static void play(struct scene *scene, const char *token)
{
    struct jr_run before = scene->run;
    size_t length = strlen(scene->script), which = 0;

    snprintf(scene->script + length, sizeof scene->script - length, "%s%s", length == 0 ? "" : " ",
             token);
    while (which < COUNT(players) && players[which].letter != *token)
        which++;
    if (which == COUNT(players)) {
        scene->now_ms += JR_SECOND_MS;
        play_event(scene, token);
    } else {
        players[which].play(scene, token);
    }
    check_rules(scene, &before);
}

static void play_all(struct scene *scene, const char *script)
{
    char *copy = strdup(script), *rest = copy, *token;

    assert_non_null(copy);
    while ((token = strsep(&rest, " ")) != NULL)
        if (*token != '\0')
            play(scene, token);
    free(copy);
}

/*
 * Compare word by word; "*" stands for any word. What an answer of GitHub's has
 * ended need not be told.
 */
static bool said_so(const char *said, const char *want)
{
    while (*said != '\0' && *want != '\0') {
        size_t said_length = strcspn(said, " "), want_length = strcspn(want, " ");
        size_t compared = said_length;

        if (strncmp(want, "none:", 5) == 0 && memchr(want, '(', want_length) == NULL)
            compared = strcspn(said, " (");
        if (strncmp(want, "*", want_length) != 0
            && (compared != want_length || memcmp(said, want, compared) != 0))
            return false;
        said += said_length + (said[said_length] == ' ');
        want += want_length + (want[want_length] == ' ');
    }
    return *said == *want;
}

/* Attempt, phase, jobs known/unfinished/failed. */
static const char *state_of(const struct scene *scene, char *text, size_t size)
{
    const struct jr_run *run = &scene->run;

    snprintf(text, size, "%u %s %u/%u/%u", run->attempt, jr_phase_name(run->phase), run->jobs_known,
             run->jobs_unfinished, run->jobs_failed);
    return text;
}

struct scene_row {
    const char *name, *settings, *script, *said, *state;
    int due_s; /* when GitHub is asked, in seconds after the first event; 0: not looked at */
};

static void scene_ends_as_told(void **state)
{
    const struct scene_row *row = *state;
    struct scene scene;
    char ended[128];

    open_scene(&scene, row->settings);
    play_all(&scene, row->script);
    if (!said_so(scene.said, row->said))
        fail_msg("'%s' said '%s', not '%s'", row->script, scene.said, row->said);
    assert_string_equal(state_of(&scene, ended, sizeof ended), row->state);
    if (row->due_s != 0)
        assert_int_equal(scene.run.due_ms, BEGIN_MS + row->due_s * JR_SECOND_MS);
    close_scene(&scene);
}

/* What GitHub is known to send for the jobs of a run, and what comes of it. */
static const struct scene_row sequences[] = {
    { "a job succeeds", "", "q1 i1 c1=success", "202 202 200", "1 open 1/0/0", 0 },
    { "a job fails", "", "q1 i1 c1=failure", "202 202 201", "1 due 1/0/1", 7 },
    { "a job times out", "", "q1 i1 c1=timed_out", "202 202 201", "1 due 1/0/1", 7 },
    { "skipped: only completed", "", "c1=skipped", "202", "1 open 1/0/0", 0 },
    { "skipped, and another fails", "", "q1 c2=skipped i1 c1=failure", "202 202 202 201", "1 due 2/0/1", 8 },
    { "skipped after the others succeeded", "", "q1 c1=success c2=skipped", "202 200 200", "1 open 2/0/0", 0 },
    { "skipped after another failed", "", "q1 c1=failure c2=skipped", "202 201 201", "1 due 2/0/1", 7 },
    { "a skipped matrix: one completed", "", "q1 c1=failure c2=skipped c3=skipped", "202 201 201 201", "1 due 3/0/1", 8 },
    { "cancelled before a runner took it", "", "q1 c1=cancelled", "202 201", "1 due 1/0/1", 6 },
    { "a protected environment", "", "w1 q1 i1 c1=failure", "202 202 202 201", "1 due 1/0/1", 8 },
    { "queued twice", "", "q1 w1 q1 i1 c1=failure", "202 202 202 202 201", "1 due 1/0/1", 9 },
    { "queued twice, then success", "", "q1 w1 q1 i1 c1=success", "202 202 202 202 200", "1 open 1/0/0", 0 },
    { "never planned", "", "Rc=startup_failure", "200", "1 closed 0/0/0", 0 },
    { "never planned, and that is retried", "RETRY_CONCLUSIONS=startup_failure", "Rc=startup_failure", "201", "1 due 0/0/0", 5 },
    { "carried over into the next attempt", "", "q1 c1=failure q2@2 c3@2=success^ c4@2=skipped^ c2@2=success",
      "202 201 202(1:rerun-by-others) 202 202 200", "2 open 3/0/0", 0 },
    { "a failure carried over counts", "", "q1@2 c2@2=failure^ c1@2=success", "202 202 201", "2 due 2/0/1", 7 },
    { "a check run that is no job", "", "q1 c2=success i1 c1=failure", "202 202 202 201", "1 due 2/0/1", 8 },
    { "the end of a job never comes", "", "q1 i1 Rc=cancelled", "202 202 200", "1 closed 1/1/0", 0 },
    { "a leg without queued", "", "q1 c2=failure c1=success", "202 202 201", "1 due 2/0/1", 7 },
    { "a dependent job after a success", "", "q1 c1=success q2 i2 c2=failure", "202 200 202 202 201", "1 due 2/0/1", 9 },
    { "a new job takes the entry back", "", "q1 c1=failure q2", "202 201 202", "1 open 2/1/1", 0 },
    { "and it comes again when that is done", "", "q1 c1=failure q2 i2 c2=success", "202 201 202 202 201", "1 due 2/0/1", 9 },
    { "completed, in_progress, queued", "", "c1=failure i1 q1", "404 202 202", "1 due 1/0/1", 5 },
    { "in_progress, queued, completed", "", "i1 q1 c1=failure", "202 202 201", "1 due 1/0/1", 7 },
    { "queued, completed, in_progress", "", "q1 c1=failure i1", "202 201 202", "1 due 1/0/1", 6 },
    { "three legs", "", "q1 q2 q3 i1 i2 i3 c2=failure c1=success c3=success",
      "202 202 202 202 202 202 202 202 201", "1 due 3/0/1", 13 },
    { "two runs of completed: the later one holds", "", "q1 c1=failure~60 c1=success~80", "202 201 200", "1 open 1/0/0", 0 },
    { "two runs of completed: the earlier comes late", "", "q1 c1=success~80 c1=failure~60", "202 200 202", "1 open 1/0/0", 0 },
    { "an action that nobody knows", "", "u1", "202", "1 open 0/0/0", 0 },
    { "an action that nobody knows, in between", "", "q1 u1 c1=failure", "202 202 201", "1 due 1/0/1", 7 },
    { "a conclusion that nobody knows", "", "q1 c1=exploded", "202 201", "1 due 1/0/1", 6 },
};

static const struct scene_row first_events[] = {
    { "completed failure", "", "c1=failure", "404", "1 due 1/0/1", 5 },
    { "completed cancelled", "", "c1=cancelled", "404", "1 due 1/0/1", 5 },
    { "completed success", "", "c1=success", "404", "1 open 1/0/0", 0 },
    { "completed skipped", "", "c1=skipped", "202", "1 open 1/0/0", 0 },
    { "queued", "", "q1", "202", "1 open 1/1/0", 0 },
    { "the second is known", "", "c1=success c2=success", "404 200", "1 open 2/0/0", 0 },
    { "a run's completed", "", "Rc=failure", "201", "1 due 0/0/0", 5 },
    { "a run's requested", "", "Rq", "202", "1 open 0/0/0", 0 },
    { "after a run's requested", "", "Rq c1=failure", "202 201", "1 due 1/0/1", 6 },
    { "filtered goes before unknown", "NO_RETRY_REPOS=octo/app", "c1=failure", "204", "1 closed 1/0/1", 0 },
};

static const struct scene_row run_events[] = {
    { "success", "", "Rc=success", "200", "1 closed 0/0/0", 0 },
    { "failure", "", "Rq Ri Rc=failure", "202 202 201", "1 due 0/0/0", 7 },
    { "timed_out", "", "Rc=timed_out", "201", "1 due 0/0/0", 5 },
    { "cancelled", "", "Rc=cancelled", "200", "1 closed 0/0/0", 0 },
    { "neutral", "", "Rc=neutral", "200", "1 closed 0/0/0", 0 },
    { "skipped", "", "Rc=skipped", "200", "1 closed 0/0/0", 0 },
    { "action_required", "", "Rc=action_required", "200", "1 closed 0/0/0", 0 },
    { "stale", "", "Rc=stale", "200", "1 closed 0/0/0", 0 },
    { "a conclusion that nobody knows", "", "Rc=exploded", "200", "1 closed 0/0/0", 0 },
    { "cancelled, when that is retried", "RETRY_CONCLUSIONS=cancelled", "Rc=cancelled", "201", "1 due 0/0/0", 5 },
    { "failure, when only another is retried", "RETRY_CONCLUSIONS=cancelled", "Rc=failure", "200", "1 closed 0/0/0", 0 },
    { "the run succeeds though a job failed", "", "q1 c1=failure Rc=success", "202 201 200", "1 closed 1/0/1", 0 },
    { "the run fails though no job did", "", "q1 c1=success Rc=failure", "202 200 201", "1 due 1/0/0", 7 },
    { "the run fails as its job did", "", "q1 c1=failure Rc=failure", "202 201 201", "1 due 1/0/1", 6 },
    { "jobs after the end are history", "", "q1 Rc=success c1=failure q2 c2=failure", "202 200 202 202 202", "1 closed 2/0/2", 0 },
    { "jobs after a failed end do not move it", "", "q1 Rc=failure c1=success", "202 201 202", "1 due 1/0/0", 6 },
    { "in progress after the end", "", "Rc=failure Ri", "201 202", "1 due 0/0/0", 5 },
    { "the same end again", "", "Rc=failure Rc=failure", "201 202", "1 due 0/0/0", 5 },
    { "ended early, then failed", "", "q1 Rc=success~70 c1=failure Rc=failure~90", "202 200 202 201", "1 due 1/0/1", 8 },
    { "ended early, then succeeded", "", "Rc=failure~70 Rc=success~90", "201 200", "1 closed 0/0/0", 0 },
    { "the early end comes late", "", "Rc=success~90 Rc=failure~70", "200 202", "1 closed 0/0/0", 0 },
    { "replaced after GitHub was asked", "", "q1 c1=failure Gc=cancelled~70 Rc=failure~90",
      "202 201 none:conclusion-not-retried 201", "1 due 1/0/1", 0 },
};

static const struct scene_row attempts[] = {
    { "an older attempt is history", "", "q1@2 q2@1 c2@1=failure Rc@1=failure", "202 202 202 202", "2 open 1/1/0", 0 },
    { "a newer attempt starts over", "", "q1 c1=failure q2@2", "202 201 202(1:rerun-by-others)", "2 open 1/1/0", 0 },
    { "a newer attempt while the old one is open", "", "q1 q2@2 c2@2=failure", "202 202 201", "2 due 1/0/1", 7 },
    { "an attempt left out", "", "q1 c1=failure q2@3", "202 201 202(1:rerun-by-others)", "3 open 1/1/0", 0 },
    { "a run's newer attempt", "", "Rc=failure Ri@2 Rc@2=failure", "201 202(1:rerun-by-others) 201", "2 due 0/0/0", 7 },
    { "the last attempt", "", "q1@4 c1@4=failure", "204 204", "4 closed 1/0/1", 0 },
    { "the last but one", "", "q1@3 c1@3=failure", "202 201", "3 due 1/0/1", 6 },
    { "beyond the last", "", "q1@7 c1@7=failure", "204 204", "7 closed 1/0/1", 0 },
    { "the last, by its run", "", "Rc@4=failure", "204", "4 closed 0/0/0", 0 },
    { "an attempt before the last comes late", "", "q1@4 c2@3=failure", "204 202", "4 open 1/1/0", 0 },
    { "never rerun", "RUN_ATTEMPTS=1", "q1 c1=failure", "204 204", "1 closed 1/0/1", 0 },
    { "GitHub says it is the last", "", "q1@0 c1@0=failure Gc@4=failure", "202 201 none:attempts-used-up", "4 closed 1/0/1", 0 },
    { "without a number", "", "q1@0 i1@0 c1@0=failure", "202 202 201", "1 due 1/0/1", 7 },
    { "without a number, GitHub tells it", "", "q1@0 c1@0=failure Gc@3=failure P=done",
      "202 201 rerun-failed none:rerun-accepted", "4 open 0/0/0", 0 },
    { "without a number, an old job after the rerun", "", "q1@0 c1@0=failure Gc=failure P=done c1@0=failure q2@0",
      "202 201 rerun-failed none:rerun-accepted 202 202", "2 open 1/1/0", 0 },
    { "without a number on both sides", "", "q1@0 c1@0=failure Gc@0=failure P=done q2@0 c2@0=failure Gc@0=failure",
      "202 201 rerun-failed none:rerun-accepted 202 201 rerun-failed", "2 due 1/0/1", 0 },
    { "a number from the second event on", "", "q1@0 c1@1=failure", "202 201", "1 due 1/0/1", 6 },
    { "a job of which another number is told", "", "q1@0 c1@2=failure", "202 201", "2 due 1/0/1", 6 },
    { "a job that shows up in a newer attempt", "", "q1 c1=failure q1@2 c1@2=failure", "202 201 * *", "2 due 1/0/1", 0 },
    { "a job that shows up in an older attempt", "", "q1@2 i1@1 c1@2=failure", "202 202 201", "2 due 1/0/1", 7 },
    { "a job that ends in an older attempt", "", "q1@2 c1@1=failure c1@2=success", "202 202 200", "2 open 1/0/0", 0 },
    { "an action that nobody knows, in a newer attempt", "", "q1 u1@2 i1@2 c1@2=failure", "202 202 202 201", "2 due 1/0/1", 8 },
    { "a job's number is less than what GitHub says of the run", "", "q1@0 Q Gi@5 c1@4=failure", "202 ask * *", "5 open 1/1/0", 0 },
};

static const struct scene_row newer_runs[] = {
    { "none", "", "Rc=failure N=none Gc=failure", "201 rerun-failed", "1 due 0/0/0", 0 },
    { "unfinished", "", "Rc=failure N=unfinished Gc=failure", "201 none:superseded", "1 closed 0/0/0", 0 },
    { "finished", "", "Rc=failure N=finished Gc=failure", "201 rerun-failed", "1 due 0/0/0", 0 },
    { "finished, of a pull request", "", "Rc=failure,trigger:pull_request N=finished Gc=failure,trigger:pull_request",
      "201 none:superseded", "1 closed 0/0/0", 0 },
    { "finished, of a pull request's target", "", "Rc=failure N=finished Gc=failure,trigger:pull_request_target",
      "201 none:superseded", "1 closed 0/0/0", 0 },
    { "unfinished, of a pull request", "", "Rc=failure N=unfinished Gc=failure,trigger:pull_request", "201 none:superseded", "1 closed 0/0/0", 0 },
    { "unfinished, but the setting says rerun", "SUPERSEDED=rerun", "Rc=failure N=unfinished Gc=failure", "201 rerun-failed", "1 due 0/0/0", 0 },
    { "of a pull request, but the setting says rerun", "SUPERSEDED=rerun", "Rc=failure N=finished Gc=failure,trigger:pull_request",
      "201 rerun-failed", "1 due 0/0/0", 0 },
    { "unfinished, but asked for by hand", "", "Rc=failure N=unfinished H Gc=failure", "201 asked rerun-failed", "1 due 0/0/0", 0 },
    { "a run that succeeded", "", "q1 c1=failure N=unfinished Gc=success", "202 201 none:run-succeeded", "1 closed 1/0/1", 0 },
    { "attempts used up", "RUN_ATTEMPTS=1", "q1 c1=failure N=unfinished", "204 204", "1 closed 1/0/1", 0 },
    { "a run that goes on", "", "q1 c1=failure N=unfinished Gi", "202 201 wait:run-not-completed", "1 due 1/0/1", 0 },
    { "dry run", "DRY_RUN=yes", "Rc=failure N=unfinished Gc=failure", "201 none:superseded", "1 closed 0/0/0", 0 },
    { "dry run without a token", "DRY_RUN=yes", "Rc=failure N=unfinished U", "201 none:superseded", "1 closed 0/0/0", 0 },
    { "dry run without a token, finished", "DRY_RUN=yes", "Rc=failure N=finished U", "201 none:dry-run-unverified", "1 closed 0/0/0", 0 },
    { "skipped", "", "Rc=skipped N=unfinished", "200", "1 closed 0/0/0", 0 },
    { "a later event changes nothing", "", "q1 c1=failure N=unfinished Gc=failure Rc=failure", "202 201 none:superseded 202", "1 closed 1/0/1", 0 },
    { "a newer attempt is judged by itself", "", "Rc=failure N=unfinished Gc=failure q1@2 N=none c1@2=failure Gc@2=failure",
      "201 none:superseded 202 201 rerun-failed", "2 due 1/0/1", 0 },
};

static const struct scene_row filters[] = {
    { "repository not listed", "REPOS=other/app,octo/lib", "q1 c1=failure", "204 204", "1 closed 1/0/1", 0 },
    { "repository listed", "REPOS=other/app,OCTO/*", "q1 c1=failure", "202 201", "1 due 1/0/1", 6 },
    { "repository left alone", "NO_RETRY_REPOS=Octo/App", "q1 c1=failure", "204 204", "1 closed 1/0/1", 0 },
    { "repository listed and left alone", "REPOS=octo/app NO_RETRY_REPOS=octo/app", "Rc=failure", "204", "1 closed 0/0/0", 0 },
    { "workflow left alone", "NO_RETRY_WORKFLOWS=deploy,ci", "q1 c1=failure", "204 204", "1 closed 1/0/1", 0 },
    { "workflow left alone by a wildcard", "NO_RETRY_WORKFLOWS=C?", "q1 c1=failure", "204 204", "1 closed 1/0/1", 0 },
    { "workflow left alone by its file", "NO_RETRY_WORKFLOWS=ci.yml", "Rc=failure", "204", "1 closed 0/0/0", 0 },
    { "workflow left alone by its path", "NO_RETRY_WORKFLOWS=.github/workflows/CI.yml", "Rc=failure", "204", "1 closed 0/0/0", 0 },
    { "workflow left alone by a wildcard for its file", "NO_RETRY_WORKFLOWS=*.yaml,c*.yml", "Rc=failure", "204", "1 closed 0/0/0", 0 },
    { "another file", "NO_RETRY_WORKFLOWS=deploy.yml", "Rc=failure", "201", "1 due 0/0/0", 5 },
    { "a job does not tell the file, the run does", "NO_RETRY_WORKFLOWS=ci.yml", "q1 c1=failure Rc=failure", "202 201 204", "1 closed 1/0/1", 0 },
    { "a job does not tell the file, GitHub does", "NO_RETRY_WORKFLOWS=ci.yml", "q1 c1=failure Gc=failure", "202 201 none:workflow-excluded", "1 closed 1/0/1", 0 },
    { "what excludes is not replaced", "NO_RETRY_WORKFLOWS=ci", "q1 c1=failure Rc=failure,workflow:Release", "204 204 204", "1 closed 1/0/1", 0 },
    { "what excludes is not replaced by what GitHub tells", "NO_RETRY_WORKFLOWS=ci", "q1,workflow: c1=failure,workflow: Gi,workflow:CI Gc=failure,workflow:other",
      "202 201 wait:run-not-completed none:workflow-excluded", "1 closed 1/0/1", 0 },
    { "a file that excludes is not replaced", "NO_RETRY_WORKFLOWS=ci.yml", "Ri Rc=failure,path:other.yml", "204 204", "1 closed 0/0/0", 0 },
    { "what does not exclude is replaced by what does", "NO_RETRY_WORKFLOWS=release", "q1 c1=failure Rc=failure,workflow:Release", "202 201 204", "1 closed 1/0/1", 0 },
    { "left alone until the setting is repaired", "NO_RETRY_WORKFLOWS=ci", "Rc=failure S:NO_RETRY_WORKFLOWS=release !Rc=failure", "204 201", "1 due 0/0/0", 6 },
    { "another workflow", "NO_RETRY_WORKFLOWS=deploy", "q1 c1=failure", "202 201", "1 due 1/0/1", 6 },
    { "branch not listed", "REPO_BRANCHES=master,release/*", "q1 c1=failure", "204 204", "1 closed 1/0/1", 0 },
    { "branch listed", "REPO_BRANCHES=master,release/*", "q1,branch:Release/1 c1=failure,branch:Release/1", "202 201", "1 due 1/0/1", 6 },
    { "branch not told by jobs", "REPO_BRANCHES=master", "q1,branch: c1=failure,branch:", "202 201", "1 due 1/0/1", 6 },
    { "branch told by GitHub, not listed", "REPO_BRANCHES=master", "q1,branch: c1=failure,branch: Gc=failure,branch:main",
      "202 201 none:branch-excluded", "1 closed 1/0/1", 0 },
    { "branch told by GitHub, listed", "REPO_BRANCHES=master", "q1,branch: c1=failure,branch: Gc=failure,branch:master",
      "202 201 rerun-failed", "1 due 1/0/1", 0 },
    { "branch not even told by GitHub", "REPO_BRANCHES=master", "q1,branch: c1=failure,branch: Gc=failure,branch:",
      "202 201 none:branch-excluded", "1 closed 1/0/1", 0 },
    { "a fork's branch of that name", "REPO_BRANCHES=master", "Rc=failure,branch:master,head:fork/app", "204", "1 closed 0/0/0", 0 },
    { "a fork's branch of that name, told by GitHub", "REPO_BRANCHES=main", "q1 c1=failure Gc=failure,head:fork/app",
      "202 201 none:fork-branch", "1 closed 1/0/1", 0 },
    { "a fork, all branches", "", "Rc=failure,head:fork/app", "201", "1 due 0/0/0", 5 },
    { "success of what is filtered", "NO_RETRY_REPOS=octo/app", "q1 c1=success", "204 204", "1 open 1/0/0", 0 },
    { "filtered by what GitHub tells", "NO_RETRY_WORKFLOWS=release", "q1,workflow: c1=failure,workflow: Gc=failure,workflow:release",
      "202 201 none:workflow-excluded", "1 closed 1/0/1", 0 },

    /* The sender decides about the answer, the actor about the run. */
    { "sender listed, actor not", "NO_RETRY_LIST=octocat", "q1 c1=failure Gc=failure,actor:dev,by:dev",
      "204 204 rerun-failed", "1 due 1/0/1", 0 },
    { "sender listed, no actor told", "NO_RETRY_LIST=octocat", "q1 c1=failure Gc=failure",
      "204 204 none:actor-excluded", "1 closed 1/0/1", 0 },
    { "a later sender listed, no actor told", "NO_RETRY_LIST=bot", "q1 c1=failure,sender:bot Gc=failure",
      "202 204 rerun-failed", "1 due 1/0/1", 0 },
    { "the first sender listed, a later one not", "NO_RETRY_LIST=bot", "q1,sender:bot c1=failure Gc=failure",
      "204 201 none:actor-excluded", "1 closed 1/0/1", 0 },
    { "the first sender of the attempt counts", "NO_RETRY_LIST=bot", "q1,sender:bot c1=failure q2@2 c2@2=failure Gc@2=failure",
      "204 201 202(1:rerun-by-others) 201 rerun-failed", "2 due 1/0/1", 0 },
    { "a pattern for bots", "NO_RETRY_LIST=*[bot]", "q1,sender:Dependabot[bot]", "204", "1 open 1/1/0", 0 },
    { "no sender", "NO_RETRY_LIST=*", "q1,sender: c1=failure,sender:", "202 201", "1 due 1/0/1", 6 },
    { "actor listed", "NO_RETRY_LIST=bot", "q1 c1=failure Gc=failure,actor:BOT,by:dev",
      "202 201 none:actor-excluded", "1 closed 1/0/1", 0 },
    { "triggering actor listed", "NO_RETRY_LIST=bot", "q1 c1=failure Gc=failure,actor:dev,by:bot",
      "202 201 none:actor-excluded", "1 closed 1/0/1", 0 },
    { "actor known from the run", "NO_RETRY_LIST=bot", "Rq,actor:bot q1 c1=failure", "* * *", "1 closed 1/0/1", 0 },
    { "who triggered the attempt before does not count", "NO_RETRY_LIST=bot", "Rq,by:bot q1@2 c1@2=failure",
      "* 202 201", "2 due 1/0/1", 7 },
};

/* Nothing of it is closed, and no try is counted. */
static const struct scene_row held[] = {
    { "it waits", "", "Rc=failure B=outage-hold+300 Gc=failure", "201 wait:outage-hold", "1 due 0/0/0", 305 },
    { "... and is looked at again", "", "Rc=failure B=outage-hold+300 Gc=failure Gc=failure", "201 wait:outage-hold wait:outage-hold", "1 due 0/0/0", 605 },
    { "... and is rerun", "", "Rc=failure B=concurrency-busy+300 Gc=failure B=none Gc=failure", "201 wait:concurrency-busy rerun-failed", "1 due 0/0/0", 0 },
    { "... for half a day at a time", "", "Rc=failure B=budget-used-up+86400 Gc=failure", "201 wait:budget-used-up", "1 due 0/0/0", 43205 },
    { "... but no longer than CATCH_UP", "CATCH_UP=1h", "Rc=failure~0 B=budget-used-up+3610 Gc=failure~0 Gc=failure~0",
      "201 wait:budget-used-up none:budget-used-up", "1 closed 0/0/0", 0 },
    { "... also when GitHub could not be asked at last", "CATCH_UP=1h",
      "Rc=failure~0 B=concurrency-busy+3610 Gc=failure~0 F=later Gc=failure~0", "201 wait:concurrency-busy wait:unreachable none:concurrency-busy", "1 closed 0/0/0", 0 },
    { "... and not much longer, however far its window is", "CATCH_UP=1h", "Rc=failure~0 B=budget-used-up+86400 Gc=failure~0",
      "201 wait:budget-used-up", "1 due 0/0/0", 3501 },
    { "... which is when it is left", "CATCH_UP=1h", "Rc=failure~0 B=budget-used-up+86400 Gc=failure~0 Gc=failure~0",
      "201 wait:budget-used-up none:budget-used-up", "1 closed 0/0/0", 0 },
    { "what leaves it comes first", "RUN_ATTEMPTS=1", "Rc=failure B=outage-hold+300 H Gc=failure", "204 asked rerun-failed", "1 due 0/0/0", 0 },
    { "by hand nothing holds it", "", "Rc=failure B=outage-hold+300 H Gc=failure", "201 asked rerun-failed", "1 due 0/0/0", 0 },
    { "why it failed is found out meanwhile", "POLICY=careful", "Rc=failure B=outage-hold+300 Gc=failure J=rerun+0 Gc=failure",
      "201 judge:run-failed wait:run-failed wait:outage-hold", "1 due 0/0/0", 305 },
    { "GitHub fails meanwhile", "", "Rc=failure B=outage-hold+300 Gc=failure F=later B=none Gc=failure", "201 wait:outage-hold wait:unreachable rerun-failed", "1 due 0/0/0", 0 },
    { "dry run", "DRY_RUN=yes", "Rc=failure B=outage-hold+300 Gc=failure", "201 none:dry-run", "1 closed 0/0/0", 0 },
    { "it is rerun elsewhere", "", "Rc=failure B=outage-hold+300 Gc=failure q1@2", "201 wait:outage-hold 202(1:rerun-by-others)", "2 open 1/1/0", 0 },
};

static const struct scene_row judged_anew[] = {
    { "attempts", "RUN_ATTEMPTS=1", "q1 c1=failure S:RUN_ATTEMPTS=4 !c1=failure", "204 204 201", "1 due 1/0/1", 7 },
    { "repository", "NO_RETRY_REPOS=octo/app", "q1 S: !q1", "204 202", "1 open 1/1/0", 0 },
    { "branch, by its run", "REPO_BRANCHES=master", "Rc=failure S: !Rc=failure", "204 201", "1 due 0/0/0", 6 },
    { "sender", "NO_RETRY_LIST=octocat", "q1 c1=failure S: !c1=failure", "204 204 201", "1 due 1/0/1", 0 },
    { "sender, of a success", "NO_RETRY_LIST=octocat", "q1 c1=success S: !c1=success", "204 204 200", "1 open 1/0/0", 0 },
    { "repository, of a success", "NO_RETRY_REPOS=octo/app", "q1 c1=success S: !c1=success", "204 204 200", "1 open 1/0/0", 0 },
    { "repository, of a run's success", "NO_RETRY_REPOS=octo/app", "Rc=success S: !Rc=success", "204 200", "1 closed 0/0/0", 0 },
    { "the first of two jobs that fail", "NO_RETRY_REPOS=octo/app", "q1 q2 c1=failure S: !c1=failure", "204 204 204 202", "1 open 2/1/1", 0 },
    { "still filtered", "RUN_ATTEMPTS=1", "q1 c1=failure !c1=failure", "204 204 204", "1 closed 1/0/1", 0 },
    { "now filtered by another setting", "RUN_ATTEMPTS=1", "q1 c1=failure S:REPOS=x/y !c1=failure", "204 204 204", "1 closed 1/0/1", 0 },
    { "the run had ended well", "NO_RETRY_REPOS=octo/app", "q1 c1=failure Rc=success S: !c1=failure", "204 204 204 *", "1 closed 1/0/1", 0 },
};

static const struct scene_row dispatcher[] = {
    { "completed and failed", "", "q1 c1=failure Gc=failure", "202 201 rerun-failed", "1 due 1/0/1", 16 },
    { "completed and timed out", "", "q1 c1=failure Gc=timed_out", "202 201 rerun-failed", "1 due 1/0/1", 16 },
    { "it could not start", "RETRY_CONCLUSIONS=startup_failure", "Rc=startup_failure Gc=startup_failure",
      "201 rerun-all", "1 due 0/0/0", 15 },
    { "completed and cancelled", "", "q1 c1=cancelled Gc=cancelled", "202 201 none:conclusion-not-retried", "1 closed 1/0/1", 0 },
    { "completed and succeeded", "", "q1 c1=failure Gc=success", "202 201 none:run-succeeded", "1 closed 1/0/1", 0 },
    { "in progress", "", "q1 c1=failure Gi", "202 201 wait:run-not-completed", "1 due 1/0/1", 0 },
    { "completed, but how is not told yet", "", "q1 c1=failure Gc Gc=failure", "202 201 wait:run-not-completed rerun-failed", "1 due 1/0/1", 0 },
    { "queued", "", "q1 c1=failure Gq", "202 201 wait:run-not-completed", "1 due 1/0/1", 0 },
    { "in progress for long, then failed", "", "q1 c1=failure Gi Gi Gi Gi Gi Gi Gi Gi Gi Gc=failure",
      "202 201 * * * * * * * * wait:run-not-completed rerun-failed", "1 due 1/0/1", 0 },
    { "in progress for 34 days", "", "q1 c1=failure Gi,created:34", "202 201 wait:run-not-completed", "1 due 1/0/1", 0 },
    { "in progress for 36 days", "", "q1 c1=failure Gi,created:36", "202 201 none:never-completed", "1 closed 1/0/1", 0 },
    { "29 days old", "", "q1 c1=failure Gc=failure,created:29", "202 201 rerun-failed", "1 due 1/0/1", 0 },
    { "31 days old", "", "q1 c1=failure Gc=failure,created:31", "202 201 none:too-old", "1 closed 1/0/1", 0 },
    { "ended 23 hours ago", "", "q1 c1=failure Gc=failure~-82800", "202 201 rerun-failed", "1 due 1/0/1", 0 },
    { "ended 25 hours ago", "", "q1 c1=failure Gc=failure~-90000", "202 201 none:missed", "1 closed 1/0/1", 0 },
    { "ended 25 hours ago, CATCH_UP is longer", "CATCH_UP=2d", "q1 c1=failure Gc=failure~-90000",
      "202 201 rerun-failed", "1 due 1/0/1", 0 },
    { "dry run", "DRY_RUN=yes", "q1 c1=failure Gc=failure", "202 201 none:dry-run", "1 closed 1/0/1", 0 },
    { "dry run of what is not rerun anyway", "DRY_RUN=yes", "q1 c1=failure Gc=cancelled",
      "202 201 none:conclusion-not-retried", "1 closed 1/0/1", 0 },
    { "a newer attempt is going on", "", "q1 c1=failure Gi@2", "202 201 none:rerun-by-others(1:rerun-by-others)", "2 open 0/0/0", 0 },
    { "a newer attempt has failed", "", "q1 c1=failure Gc@2=failure Gc@2=failure",
      "202 201 none:rerun-by-others(1:rerun-by-others) rerun-failed", "2 due 0/0/0", 0 },
    { "a newer attempt has succeeded", "", "q1 c1=failure Gc@2=success", "202 201 none:rerun-by-others(1:rerun-by-others)", "2 closed 0/0/0", 0 },
    { "a newer attempt, the last, has failed", "RUN_ATTEMPTS=2", "q1 c1=failure Gc@2=failure",
      "202 201 none:rerun-by-others(1:rerun-by-others)", "2 closed 0/0/0", 0 },
    { "an older attempt is shown", "", "q1@2 c1@2=failure Gc=failure", "202 201 wait:behind", "2 due 1/0/1", 0 },
    { "GitHub cannot be reached", "", "q1 c1=failure F=later F=later Gc=failure",
      "202 201 wait:unreachable wait:unreachable rerun-failed", "1 due 1/0/1", 0 },
    { "GitHub refuses", "", "q1 c1=failure F=never", "202 201 none:refused", "1 closed 1/0/1", 0 },
    { "GitHub does not know it yet", "", "q1 c1=failure F=missing F=missing Gc=failure",
      "202 201 wait:not-found wait:not-found rerun-failed", "1 due 1/0/1", 0 },
    { "the App is not known there yet", "", "q1 c1=failure F=not-installed Gc=failure",
      "202 201 wait:not-installed rerun-failed", "1 due 1/0/1", 0 },
    { "asked for by hand, GitHub does not know it", "", "H F=missing", "asked none:not-found", "1 closed 0/0/0", 0 },
    { "asked for by hand, and not permitted", "", "q1 c1=failure H F=denied", "202 201 asked none:no-permission", "1 closed 1/0/1", 0 },
    { "found in a list, and then not there", "", "Lc=failure F=missing", "listed:found-failed wait:not-found", "1 due 0/0/0", 0 },
    { "a rate limit", "", "q1 c1=failure F=limit", "202 201 wait:rate-limited", "1 due 1/0/1", 0 },

    { "without a token", "DRY_RUN=yes", "q1 c1=failure U", "202 201 none:dry-run-unverified", "1 closed 1/0/1", 0 },
    { "without a token, by its run", "DRY_RUN=yes", "Rc=failure U", "201 none:dry-run-unverified", "1 closed 0/0/0", 0 },
    { "without a token, the sender stands for the actor", "NO_RETRY_LIST=bot", "q1,sender:bot c1=failure U",
      "204 201 none:actor-excluded", "1 closed 1/0/1", 0 },
    { "without a token, the actor is known", "NO_RETRY_LIST=octocat", "Rq,actor:dev,sender:dev q1 c1=failure,sender:dev U",
      "202 204 201 none:dry-run-unverified", "1 closed 1/0/1", 0 },
};

static const struct scene_row changed_meanwhile[] = {
    { "a new job", "", "q1 c1=failure C q2 Gi", "202 201 202 *", "1 open 2/1/1", 0 },
    { "another job failed", "", "q1 c1=failure C c2=failure Gc=failure", "202 201 201 none:changed-meanwhile", "1 due 2/0/2", 12 },
    { "another job failed, and GitHub did not answer", "", "q1 c1=failure C c2=failure F=later",
      "202 201 201 none:changed-meanwhile", "1 due 2/0/2", 12 },
    { "another job failed, and GitHub says never", "", "q1 c1=failure C c2=failure F=never",
      "202 201 201 none:changed-meanwhile", "1 due 2/0/2", 12 },
    { "a newer attempt failed", "", "q1 c1=failure C q2@2 c2@2=failure Gc=failure",
      "202 201 202(1:rerun-by-others) 201 none:changed-meanwhile", "2 due 1/0/1", 13 },
    { "a newer attempt failed, and the same is shown", "", "q1 c1=failure C q2@2 c2@2=failure Gc@2=failure",
      "202 201 202(1:rerun-by-others) 201 none:changed-meanwhile", "2 due 1/0/1", 13 },
    { "the run ended well", "", "q1 c1=failure C Rc=success~90 Gi", "202 201 200 none:changed-meanwhile", "1 closed 1/0/1", 0 },
    { "a new job, without a token", "DRY_RUN=yes", "q1 c1=failure C q2 U", "202 201 202 none:changed-meanwhile", "1 open 2/1/1", 0 },
    { "another job failed, without a token", "DRY_RUN=yes", "q1 c1=failure C c2=failure U",
      "202 201 201 none:changed-meanwhile", "1 due 2/0/2", 12 },
    { "a job that was known", "", "q1 c1=failure C q1 Gc=failure", "202 201 202 rerun-failed", "1 due 1/0/1", 0 },
};

#define CAREFUL "POLICY=careful"

static const struct scene_row judged[] = {
    { "why it failed is asked first", CAREFUL, "q1 c1=failure Gc=failure", "202 201 judge:run-failed", "1 due 1/0/1", 0 },
    { "a rerun is due at once", CAREFUL, "Rc=failure Gc=failure J=rerun+0", "201 judge:run-failed wait:run-failed", "1 due 0/0/0", 5 },
    { "... after its delay, from the end of the attempt", CAREFUL, "Rc=failure~100 Gc=failure~100 J=rerun+300",
      "201 judge:run-failed wait:run-failed", "1 due 0/0/0", 300 },
    { "... and is made", CAREFUL, "Rc=failure Gc=failure J=rerun Gc=failure P=done",
      "201 judge:run-failed wait:run-failed rerun-failed none:rerun-accepted", "2 open 0/0/0", 0 },
    { "the next attempt is judged by itself", CAREFUL, "Rc=failure Gc=failure J=rerun Gc=failure P=done Rc@2=failure Gc@2=failure",
      "* * * * * 201 judge:run-failed", "2 due 0/0/0", 0 },
    { "it is left", CAREFUL, "Rc=failure Gc=failure J=leave", "201 judge:run-failed none:left-by-rule", "1 closed 0/0/0", 0 },
    { "what is told again changes nothing", CAREFUL, "Rc=failure Gc=failure J=leave Rc=failure c1=failure", "* * * 202 202", "1 closed 1/0/1", 0 },
    { "... nor does it shorten a delay", CAREFUL, "Rc=failure~100 Gc=failure~100 J=rerun+300 Rc=failure~110", "* * * 201", "1 due 0/0/0", 300 },
    { "a rule's attempts are used up, whatever is told again", CAREFUL, "Rc=failure Gc=failure J=used-up c1=failure !Rc=failure",
      "* * none:attempts-used-up 202 *", "1 closed 1/0/1", 0 },
    { "... but another end is judged", CAREFUL, "Rc=failure~70 Gc=failure~70 J=used-up Rc=timed_out~90 Gc=timed_out~90",
      "* * * 201 judge:run-failed", "1 due 0/0/0", 0 },
    { "worth a rerun as failed, and then cancelled", CAREFUL, "Rc=failure~70 Gc=failure~70 J=rerun Rc=cancelled~90 Gc=cancelled~90",
      "* * * 201 judge:run-failed", "1 due 0/0/0", 0 },
    { "... as GitHub shows before the POST", CAREFUL, "Rc=failure~70 Gc=failure~70 J=rerun Gc=cancelled~90", "* * * judge:run-failed", "1 due 0/0/0", 0 },
    { "another attempt was quicker", CAREFUL, "Rc=failure Gc=failure q1@2 J=rerun", "201 judge:run-failed * none:changed-meanwhile", "2 open 1/1/0", 0 },
    { "the entry has moved", CAREFUL, "Rc=failure Gc=failure J=moved", "201 judge:run-failed none:changed-meanwhile", "1 due 0/0/0", 0 },
    { "GitHub does not answer before the POST", CAREFUL, "Rc=failure Gc=failure J=rerun F=later Gc=failure",
      "* * wait:run-failed wait:unreachable rerun-failed", "1 due 0/0/0", 0 },
    { "the POST is refused for now", CAREFUL, "Rc=failure Gc=failure J=rerun Gc=failure P=later Gc=failure",
      "* * * rerun-failed wait:already-running rerun-failed", "1 due 0/0/0", 0 },
    { "by hand, nobody judges", CAREFUL, "Rc=failure H Gc=failure", "201 asked rerun-failed", "1 due 0/0/0", 0 },
    { "a filter comes first", CAREFUL " RUN_ATTEMPTS=1", "Rc=failure", "204", "1 closed 0/0/0", 0 },
    { "a newer run comes first", CAREFUL, "Rc=failure N=unfinished Gc=failure", "201 none:superseded", "1 closed 0/0/0", 0 },
    { "dry run: it is judged", CAREFUL " DRY_RUN=yes", "Rc=failure Gc=failure J=rerun Gc=failure",
      "201 judge:run-failed wait:run-failed none:dry-run", "1 closed 0/0/0", 0 },
    { "dry run: it is left", CAREFUL " DRY_RUN=yes", "Rc=failure Gc=failure J=leave", "* * none:left-by-rule", "1 closed 0/0/0", 0 },
    { "a cancelled run is looked at", CAREFUL, "Rc=cancelled Gc=cancelled", "201 judge:run-failed", "1 due 0/0/0", 0 },
    { "... and left, if a person has done it", CAREFUL, "Rc=cancelled Gc=cancelled J=leave", "201 judge:run-failed none:left-by-rule", "1 closed 0/0/0", 0 },
    { "... and rerun, if it is proved", CAREFUL, "Rc=cancelled Gc=cancelled J=rerun Gc=cancelled", "* * * rerun-failed", "1 due 0/0/0", 0 },
    { "everything: nobody judges", "POLICY=everything", "Rc=failure Gc=failure", "201 rerun-failed", "1 due 0/0/0", 0 },
    { "everything: what is cancelled is left", "EVIDENCE=always", "Rc=cancelled", "200", "1 closed 0/0/0", 0 },
    { "everything, but evidence is wanted", "EVIDENCE=always", "Rc=failure Gc=failure J=rerun Gc=failure", "* judge:run-failed * rerun-failed", "1 due 0/0/0", 0 },
    { "a success is none of that", CAREFUL, "Rc=success", "200", "1 closed 0/0/0", 0 },
};

/* Why an attempt failed is asked for some times, however long the run went on before. */
static void tries_begin_anew(void **state)
{
    const struct scene_row *row = *state;
    struct scene scene;

    open_scene(&scene, row->settings);
    play_all(&scene, row->script);
    if (!said_so(scene.said, row->said))
        fail_msg("'%s' said '%s', not '%s'", row->script, scene.said, row->said);
    assert_int_equal(scene.run.tries, 1);
    close_scene(&scene);
}

static const struct scene_row anew[] = {
    { "GitHub shows that it is over", CAREFUL, "q1 c1=failure Gi Gi Gi Gc=failure F=later", "* * * * * judge:run-failed wait:unreachable", "", 0 },
    { "its end is told", CAREFUL, "q1 c1=failure Gi Rc=failure Gc=failure F=later", "* * * 201 judge:run-failed wait:unreachable", "", 0 },
};

static const struct scene_row posts[] = {
    { "accepted", "", "q1 c1=failure Gc=failure P=done", "202 201 rerun-failed none:rerun-accepted", "2 open 0/0/0", 0 },
    { "accepted, old events come late", "", "q1 c1=failure Gc=failure P=done Rc=failure c2=failure c1=failure",
      "202 201 rerun-failed none:rerun-accepted 202 202 202", "2 open 0/0/0", 0 },
    { "accepted, and fails again", "", "q1 c1=failure Gc=failure P=done q2@2 c2@2=failure Gc@2=failure P=done",
      "202 201 rerun-failed none:rerun-accepted 202 201 rerun-failed none:rerun-accepted", "3 open 0/0/0", 0 },
    { "accepted until attempts are used up", "RUN_ATTEMPTS=2", "q1 c1=failure Gc=failure P=done q2@2 c2@2=failure",
      "202 201 rerun-failed none:rerun-accepted 204 204", "2 closed 1/0/1", 0 },
    { "accepted, and GitHub shows the old attempt", "", "q1 c1=failure Gc=failure P=done q2@2 c2@2=failure Gc=failure Gc=failure",
      "202 201 rerun-failed none:rerun-accepted 202 201 wait:behind wait:behind", "2 due 1/0/1", 0 },
    { "its own event is quicker", "", "q1 c1=failure Gc=failure q2@2 P=done",
      "202 201 rerun-failed * none:rerun-accepted", "2 open 1/1/0", 0 },
    { "its own event is quicker, and has failed", "", "q1 c1=failure Gc=failure q2@2 c2@2=failure P=done",
      "202 201 rerun-failed * 201 none:rerun-accepted", "2 due 1/0/1", 0 },
    { "unknown, and GitHub shows a newer attempt", "", "q1 c1=failure Gc=failure P=unknown Gi@2",
      "202 201 rerun-failed wait:outcome-unknown none:rerun-worked(1:rerun-worked)", "2 open 0/0/0", 0 },
    { "unknown, and an event shows a newer attempt", "", "q1 c1=failure Gc=failure P=unknown q2@2",
      "202 201 rerun-failed wait:outcome-unknown 202(1:rerun-worked)", "2 open 1/1/0", 0 },
    { "unknown, and nothing has come of it", "", "q1 c1=failure Gc=failure P=unknown Gc=failure P=done",
      "202 201 rerun-failed wait:outcome-unknown rerun-failed none:rerun-accepted", "2 open 0/0/0", 0 },
    { "unknown, then GitHub cannot be reached", "", "q1 c1=failure Gc=failure P=unknown F=later Gi@2",
      "202 201 rerun-failed wait:outcome-unknown wait:unreachable none:rerun-worked(1:rerun-worked)", "2 open 0/0/0", 0 },
    { "unknown, and the run goes on", "", "q1 c1=failure Gc=failure P=unknown Gi", "202 201 rerun-failed wait:outcome-unknown wait:run-not-completed", "1 due 1/0/1", 0 },
    { "killed between POST and record", "", "q1 c1=failure Gc=failure C Gc@2=failure",
      "202 201 rerun-failed none:rerun-worked(1:rerun-worked)", "2 due 0/0/0", 0 },
    { "unknown, and the run's end is told again", "", "q1 c1=failure Gc=failure~70 P=unknown Rc=failure~90",
      "202 201 rerun-failed wait:outcome-unknown *", "1 due 1/0/1", 0 },
    { "unknown, and the run's end changes twice", "", "q1 c1=failure Gc=failure~70 P=unknown Rc=success~80 Rc=failure~90",
      "202 201 rerun-failed wait:outcome-unknown * *", "1 due 1/0/1", 0 },
    { "already running", "", "q1 c1=failure Gc=failure P=later Gc=failure P=done",
      "202 201 rerun-failed wait:already-running rerun-failed none:rerun-accepted", "2 open 0/0/0", 0 },
    { "refused for good", "", "q1 c1=failure Gc=failure P=never", "202 201 rerun-failed none:cannot-be-retried", "1 closed 1/0/1", 0 },
    { "a rate limit", "", "q1 c1=failure Gc=failure P=limit", "202 201 rerun-failed wait:rate-limited", "1 due 1/0/1", 0 },
    { "refused as it was asked, without known jobs", "", "Rc=failure Gc=failure P=not-so Gc=failure P=not-so",
      "201 rerun-failed wait:cannot-be-retried rerun-all none:cannot-be-retried", "1 closed 0/0/0", 0 },
    { "refused as it was asked, with jobs", "", "q1 c1=failure Gc=failure P=not-so",
      "202 201 rerun-failed none:cannot-be-retried", "1 closed 1/0/1", 0 },
    { "refused, and a newer attempt is known", "", "q1 c1=failure Gc=failure q2@2 P=never",
      "202 201 rerun-failed * *", "2 open 1/1/0", 0 },
};

/* Rule 8: RECONCILE_INTERVAL is 5 m. */
static const struct scene_row quiet[] = {
    { "a job goes on", "", "q1 Q Gi", "202 ask *", "1 open 1/1/0", 0 },
    { "the run has failed", "", "q1 Q Gc=failure", "202 ask rerun-failed", "1 due 1/1/0", 0 },
    { "the run has succeeded", "", "q1 Q Gc=success", "202 ask none:run-succeeded", "1 closed 1/1/0", 0 },
    { "the run ended long ago", "", "q1 Q Gc=failure~-90000", "202 ask none:missed", "1 closed 1/1/0", 0 },
    { "GitHub does not answer", "", "q1 Q F=later Q Gc=failure", "202 ask * ask rerun-failed", "1 due 1/1/0", 0 },
    { "GitHub refuses", "", "q1 Q F=never", "202 ask none:refused", "1 closed 1/1/0", 0 },
    { "GitHub does not know it", "", "q1 Q F=missing Q F=missing", "202 ask wait:not-found ask none:not-found", "1 closed 1/1/0", 0 },
    { "a rerun of which nothing is heard", "", "q1 c1=failure Gc=failure P=done Q Gc@2=failure",
      "202 201 rerun-failed none:rerun-accepted ask rerun-failed", "2 due 0/0/0", 0 },
    { "a rerun that GitHub does not show yet", "", "q1 c1=failure Gc=failure P=done Q Gc@1=failure",
      "202 201 rerun-failed none:rerun-accepted ask *", "2 open 0/0/0", 0 },
    { "a job completes while GitHub is asked", "", "q1 Q c1=failure Gi", "202 ask 201 none:changed-meanwhile", "1 due 1/0/1", 0 },
    { "the run completes while GitHub is asked", "", "q1 Q Rc=success Gc=failure", "202 ask 200 none:changed-meanwhile", "1 closed 1/1/0", 0 },
};

/* A rerun by hand: settings do not count, GitHub's limits and rule 6 do. */
static const struct scene_row by_hand[] = {
    { "attempts used up", "RUN_ATTEMPTS=1", "q1 c1=failure H Gc=failure P=done", "204 204 asked rerun-failed none:rerun-accepted", "2 open 0/0/0", 0 },
    { "and once only", "RUN_ATTEMPTS=1", "Rc=failure H Gc=failure P=done Rc=failure@2", "204 asked rerun-failed none:rerun-accepted 204", "2 closed 0/0/0", 0 },
    { "repository not listed", "REPOS=other/app", "q1 c1=failure H Gc=failure", "204 204 asked rerun-failed", "1 due 1/0/1", 0 },
    { "branch not listed", "REPO_BRANCHES=master", "q1 c1=failure H Gc=failure", "204 204 asked rerun-failed", "1 due 1/0/1", 0 },
    { "workflow left alone", "NO_RETRY_WORKFLOWS=ci", "q1 c1=failure H Gc=failure", "204 204 asked rerun-failed", "1 due 1/0/1", 0 },
    { "actor excluded", "NO_RETRY_LIST=bot", "H Gc=failure,actor:bot", "asked rerun-failed", "1 due 0/0/0", 0 },
    { "first sender excluded", "NO_RETRY_LIST=octocat", "q1 c1=failure H Gc=failure", "204 204 asked rerun-failed", "1 due 1/0/1", 0 },
    { "conclusion not retried", "", "Rc=cancelled H Gc=cancelled", "200 asked rerun-failed", "1 due 0/0/0", 0 },
    { "ended longer ago than CATCH_UP", "", "H Gc=failure~-90000", "asked rerun-failed", "1 due 0/0/0", 0 },
    { "too old", "", "H Gc=failure,created:31", "asked none:too-old", "1 closed 0/0/0", 0 },
    { "dry run", "DRY_RUN=on", "H Gc=failure", "asked none:dry-run", "1 closed 0/0/0", 0 },
    { "dry run without a token", "DRY_RUN=on", "H U", "asked none:dry-run-unverified", "1 closed 0/0/0", 0 },
    { "it succeeded", "", "Rc=success H Gc=success", "200 asked none:run-succeeded", "1 closed 0/0/0", 0 },
    { "nothing was done in it", "", "H Gc=skipped", "asked none:not-failed", "1 closed 0/0/0", 0 },
    { "an event tells that it succeeded", "", "Rc=failure H Rc=success~90", "201 asked 200", "1 closed 0/0/0", 0 },
    { "a run that is not known", "", "H Gc=failure@3 P=done", "asked rerun-failed none:rerun-accepted", "4 open 0/0/0", 0 },
    { "at once", "RUN_ATTEMPTS=1", "q1 c1=failure H", "204 204 asked", "1 due 1/0/1", 1 },
    { "sooner than RERUN_DELAY", "", "q1 c1=failure H", "202 201 asked", "1 due 1/0/1", 1 },
    { "twice", "RUN_ATTEMPTS=1", "Rc=failure H H Gc=failure P=done", "204 asked asked rerun-failed none:rerun-accepted", "2 open 0/0/0", 0 },
    { "still running", "", "q1 i1 H Gi c1=failure Gc=failure", "202 202 asked wait:run-not-completed 201 rerun-failed", "1 due 1/0/1", 0 },
    { "more is heard before GitHub is asked", "", "q1 H q2 c1=success", "202 asked 202 202", "1 due 2/1/0", 0 },
    { "its jobs succeed before GitHub is asked", "", "q1 H c1=success Gc=success", "202 asked 200 none:run-succeeded", "1 closed 1/0/0", 0 },
    { "no reruns left, as is known", "", "Rc=failure@51 H", "204 refused:reruns-limit", "51 closed 0/0/0", 0 },
    { "no reruns left, as GitHub shows", "", "H Gc=failure@51", "asked none:reruns-limit", "51 closed 0/0/0", 0 },
    { "the last rerun", "", "H Gc=failure@50", "asked rerun-failed", "50 due 0/0/0", 0 },
    { "a newer attempt has failed unheard", "RUN_ATTEMPTS=1", "Rc=failure H Gc=failure@2 Gc=failure@2", "204 asked none:rerun-by-others rerun-failed", "2 due 0/0/0", 0 },
    { "a newer attempt has succeeded unheard", "", "Rc=failure H Gc=success@2", "201 asked none:rerun-by-others", "2 closed 0/0/0", 0 },
    { "a newer attempt runs", "RUN_ATTEMPTS=1", "Rc=failure H Gi@2 Rc=failure@2", "204 asked none:rerun-by-others 204", "2 closed 0/0/0", 0 },
    { "a newer attempt shows itself", "RUN_ATTEMPTS=1", "Rc=failure H q11@2 c11@2=failure", "204 asked 204(1:rerun-by-others) 204", "2 closed 1/0/1", 0 },
    { "after ours was accepted", "", "Rc=failure Gc=failure P=done H Gc=failure Gi@2", "201 rerun-failed none:rerun-accepted asked wait:behind wait:run-not-completed", "2 due 0/0/0", 0 },
    { "while ours is under way", "", "Rc=failure Gc=failure H P=done", "201 rerun-failed asked none:rerun-accepted", "2 open 0/0/0", 0 },
    { "while ours is in doubt", "", "Rc=failure Gc=failure P=unknown H Gc=failure@2", "201 rerun-failed wait:outcome-unknown asked none:rerun-worked", "2 due 0/0/0", 0 },
    { "refused for good, and settings count again", "RUN_ATTEMPTS=1", "Rc=failure H Gc=failure P=never Rc=timed_out~90", "204 asked rerun-failed none:cannot-be-retried 204", "1 closed 0/0/0", 0 },
    { "refused for good, and asked again", "", "Rc=failure H Gc=failure P=never H Gc=failure P=done", "201 asked rerun-failed none:cannot-be-retried asked rerun-failed none:rerun-accepted", "2 open 0/0/0", 0 },
    { "GitHub cannot be reached", "RUN_ATTEMPTS=1", "Rc=failure H F=later Gc=failure", "204 asked wait:unreachable rerun-failed", "1 due 0/0/0", 0 },
};

/* By a command: what NO_RETRY_* and REPOS name, what waits for an approval and what the guards say
 * counts; how often and when does not. */
static const struct scene_row commands[] = {
    { "attempts used up", "RUN_ATTEMPTS=1", "q1 c1=failure A Gc=failure P=done", "204 204 asked rerun-failed none:rerun-accepted", "2 open 0/0/0", 0 },
    { "and once only", "RUN_ATTEMPTS=1", "Rc=failure A Gc=failure P=done Rc=failure@2", "204 asked rerun-failed none:rerun-accepted 204", "2 closed 0/0/0", 0 },
    { "all jobs", "RUN_ATTEMPTS=1", "q1 c1=failure A=all Gc=failure P=done", "204 204 asked rerun-all none:rerun-accepted", "2 open 0/0/0", 0 },
    { "all jobs, and the tool has asked before", "RUN_ATTEMPTS=1", "q1 c1=failure H A=all Gc=failure", "204 204 asked asked rerun-failed", "1 due 1/0/1", 0 },
    { "all jobs, and the tool asks then", "RUN_ATTEMPTS=1", "q1 c1=failure A=all H Gc=failure", "204 204 asked asked rerun-failed", "1 due 1/0/1", 0 },
    { "all jobs, once", "RUN_ATTEMPTS=3", "Rc=failure A=all Gc=failure P=done Rc=failure@2 Gc=failure@2", "201 asked rerun-all none:rerun-accepted 201 rerun-failed", "2 due 0/0/0", 0 },
    { "a branch that is not listed", "REPO_BRANCHES=master", "q1 c1=failure A Gc=failure", "204 204 asked rerun-failed", "1 due 1/0/1", 0 },
    { "a repository that is not listed", "REPOS=other/app", "q1 c1=failure A", "204 204 refused:repository-excluded", "1 closed 1/0/1", 0 },
    { "a repository that is left alone", "NO_RETRY_REPOS=octo/*", "q1 c1=failure A", "204 204 refused:repository-excluded", "1 closed 1/0/1", 0 },
    { "a workflow that is left alone", "NO_RETRY_WORKFLOWS=ci", "q1 c1=failure A", "204 204 refused:workflow-excluded", "1 closed 1/0/1", 0 },
    { "first sender excluded", "NO_RETRY_LIST=octocat", "q1 c1=failure A Gc=failure", "204 204 asked none:actor-excluded", "1 closed 1/0/1", 0 },
    { "an actor that GitHub shows", "NO_RETRY_LIST=bot", "q1 c1=failure A Gc=failure,actor:bot", "202 201 asked none:actor-excluded", "1 closed 1/0/1", 0 },
    { "it waits for an approval", "", "Rc=action_required A", "200 refused:conclusion-not-retried", "1 closed 0/0/0", 0 },
    { "it waits for an approval, as GitHub shows", "", "q1 c1=failure A Gc=action_required", "202 201 asked none:conclusion-not-retried", "1 closed 1/0/1", 0 },
    { "cancelled", "", "Rc=cancelled A Gc=cancelled", "200 asked rerun-failed", "1 due 0/0/0", 0 },
    { "it succeeded", "", "Rc=success A", "200 refused:run-succeeded", "1 closed 0/0/0", 0 },
    { "still running", "", "q1 i1 A", "202 202 refused:run-not-completed", "1 open 1/1/0", 0 },
    { "not known", "", "A", "refused:run-not-completed", "0 open 0/0/0", 0 },
    { "after ours was accepted", "", "Rc=failure Gc=failure P=done A", "201 rerun-failed none:rerun-accepted refused:run-not-completed", "2 open 0/0/0", 0 },
    { "ended longer ago than CATCH_UP", "", "q1 c1=failure A Gc=failure~-90000", "202 201 asked rerun-failed", "1 due 1/0/1", 0 },
    { "a guard holds", "", "q1 c1=failure A X=deployment Gc=failure", "202 201 asked none:deployment", "1 closed 1/0/1", 0 },
    { "stopped since", "", "q1 c1=failure A X=stopped Gc=failure", "202 201 asked none:stopped", "1 closed 1/0/1", 0 },
    { "stopped, and by hand of the tool", "", "q1 c1=failure X=stopped Gc=failure H Gc=failure", "202 201 none:stopped asked rerun-failed", "1 due 1/0/1", 0 },
    { "what is held up", "", "q1 c1=failure B=outage-hold+60 A Gc=failure", "202 201 asked rerun-failed", "1 due 1/0/1", 0 },
    { "by the tool before: that counts more", "NO_RETRY_LIST=bot", "q1 c1=failure H A Gc=failure,actor:bot", "202 201 asked asked rerun-failed", "1 due 1/0/1", 0 },
    { "by the tool afterwards", "NO_RETRY_LIST=bot", "q1 c1=failure A H Gc=failure,actor:bot", "202 201 asked asked rerun-failed", "1 due 1/0/1", 0 },
    { "a newer attempt has failed unheard", "RUN_ATTEMPTS=1", "Rc=failure A=all Gc=failure@2 Gc=failure@2", "204 asked none:rerun-by-others rerun-all", "2 due 0/0/0", 0 },
    { "a newer attempt waits for an approval", "RUN_ATTEMPTS=1", "Rc=failure A Gc=action_required@2", "204 asked none:rerun-by-others", "2 closed 0/0/0", 0 },
};

struct watch_row {
    const char *name, *settings, *script;
    int64_t want_s; /* from the last event to the question; 0: not watched */
};

static void watched(void **state)
{
    const struct watch_row *row = *state;
    struct scene scene;

    open_scene(&scene, row->settings);
    play_all(&scene, row->script);
    assert_int_equal(scene.run.quiet_due_ms != 0, row->want_s != 0);
    if (row->want_s != 0) {
        while (!scene.asked_quiet)
            play(&scene, "Q");
        assert_int_equal(scene.now_ms - scene.run.last_event_ms, row->want_s * JR_SECOND_MS);
    }
    close_scene(&scene);
}

static const struct watch_row watches[] = {
    { "a job that is not done", "", "q1", 600 },
    { "after another event of it", "", "q1 i1", 600 },
    { "another interval", "RECONCILE_INTERVAL=1m", "q1 i1", 120 },
    { "never", "RECONCILE_INTERVAL=0", "q1 i1", 0 },
    { "all jobs succeeded", "", "q1 c1=success", 0 },
    { "the run succeeded, a job's end never came", "", "q1 Rc=success", 0 },
    { "the run was decided", "", "q1 c1=failure Gc=cancelled", 0 },
};

/* "again at doubling intervals up to 1 h" */
static void quiet_runs_are_asked_less_and_less(void **state)
{
    static const int64_t waits_min[] = { 10, 20, 40, 60, 60, 60 };
    struct scene scene;
    int64_t before_ms;

    (void)state;
    open_scene(&scene, NULL);
    play_all(&scene, "q1");
    before_ms = scene.now_ms;
    for (size_t i = 0; i < COUNT(waits_min); i++) {
        play(&scene, "Q");
        HOLDS(&scene, scene.asked_quiet);
        assert_int_equal(scene.now_ms - before_ms, waits_min[i] * JR_MINUTE_MS);
        before_ms = scene.now_ms;
        play(&scene, "Gi");
    }
    play_all(&scene, "i1 Q"); /* an event starts it over */
    HOLDS(&scene, scene.asked_quiet);
    assert_int_equal(scene.now_ms - scene.run.last_event_ms, 10 * JR_MINUTE_MS);
    close_scene(&scene);
}

static const struct scene_row listed[] = {
    { "a run that nobody knows", "", "Lc=failure", "listed:found-failed", "1 due 0/0/0", 0 },
    { "and it is rerun", "", "Lc=failure Gc=failure P=done", "listed:found-failed rerun-failed none:rerun-accepted", "2 open 0/0/0", 0 },
    { "a run whose job's end never came", "", "q1 Lc=failure", "202 listed:found-failed", "1 due 1/1/0", 0 },
    { "a newer attempt", "", "q1 c1=failure Lc@2=failure", "202 201 listed:found-failed", "2 due 0/0/0", 0 },
    { "an older attempt", "", "q1@2 Lc@1=failure", "202 nothing", "2 open 1/1/0", 0 },
    { "an attempt that was rerun", "", "q1 c1=failure Gc=failure P=done Lc=failure",
      "202 201 rerun-failed none:rerun-accepted nothing", "2 open 0/0/0", 0 },
    { "an attempt that was decided", "", "q1 c1=failure Gc=failure P=never Lc=failure",
      "202 201 rerun-failed none:cannot-be-retried nothing", "1 closed 1/0/1", 0 },
    { "it ended longer ago than CATCH_UP", "", "Lc=failure~-90000", "listed:missed", "1 closed 0/0/0", 0 },
    { "the last attempt", "", "Lc@4=failure", "listed:attempts-used-up", "4 closed 0/0/0", 0 },
    { "filtered", "NO_RETRY_WORKFLOWS=ci.yml", "Lc=failure", "listed:workflow-excluded", "1 closed 0/0/0", 0 },
    { "closed by the count of its jobs", "RUN_ATTEMPTS=1", "q1 c1=failure Lc=failure Lc=failure",
      "204 204 listed:attempts-used-up nothing", "1 closed 1/0/1", 0 },
    { "the same, and longer ago than CATCH_UP", "RUN_ATTEMPTS=1", "q1 c1=failure Lc=failure~-90000",
      "204 204 listed:attempts-used-up", "1 closed 1/0/1", 0 },
    { "the same, and its run has said so", "RUN_ATTEMPTS=1", "q1 c1=failure Rc=failure Lc=failure",
      "204 204 204 nothing", "1 closed 1/0/1", 0 },
    { "the same, and it goes on", "RUN_ATTEMPTS=1", "q1 c1=failure Li", "204 204 nothing", "1 closed 1/0/1", 0 },
};

static void one_accepted_post_is_one_rerun(void **state)
{
    static const char *const scripts[] = {
        "q1 c1=failure Gc=failure P=done",
        "q1 c1=failure Gc=failure q2@2 P=done",
        "q1 c1=failure Gc=failure P=unknown Gi@2",
        "q1 c1=failure Gc=failure P=unknown q2@2",
        "q1 c1=failure Gc=failure q2@2 P=unknown",
        "q1 c1=failure Gc=failure P=unknown Gc=failure P=done q2@2",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct scene scene;

        open_scene(&scene, NULL);
        play_all(&scene, scripts[i]);
        HOLDS(&scene, scene.run.reruns == 1 && scene.run.accepted_attempt == 1);
        HOLDS(&scene, scene.run.intent_ms == 0 && scene.run.attempt == 2);
        close_scene(&scene);
    }
}

/* What another host of ours had in hand, and was rerun, was rerun by it; a later one was not. */
static void other_host_has_rerun_it(void **state)
{
    static const struct {
        enum jr_reason reason, ended;
        uint32_t newer, accepted, reruns;
    } rows[] = {
        { JR_REASON_CLAIMED_ELSEWHERE, JR_REASON_RERUN_ELSEWHERE, 2, 1, 1 },
        { JR_REASON_CLAIMED_ELSEWHERE, JR_REASON_RERUN_BY_OTHERS, 3, 0, 0 },
        { JR_REASON_RUN_FAILED, JR_REASON_RERUN_BY_OTHERS, 2, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jr_run run = { .known = true, .run_id = 1, .attempt = 1, .phase = JR_PHASE_DUE,
                              .reason = rows[i].reason };
        struct jr_verdict verdict = { .changed = false };

        jr_attempt_leave(&run, rows[i].newer, false, &verdict);
        assert_int_equal(verdict.ended_reason, rows[i].ended);
        assert_int_equal(run.accepted_attempt, rows[i].accepted);
        assert_int_equal(run.reruns, rows[i].reruns);
    }
}

/*
 * What was closed and comes due again is judged anew; not what only waits, and not when it is
 * closed again, or another attempt begins.
 */
static void closed_and_due_is_reopened(void **state)
{
    static const struct {
        const char *settings, *script;
        bool reopened;
    } rows[] = {
        { NULL, "q1 c1=failure", false },
        { NULL, "q1 c1=failure Gi Gc=failure", false },
        { NULL, "q1 c1=failure Gc=cancelled~70", false },
        { NULL, "q1 c1=failure Gc=cancelled~70 Rc=failure~90", true },
        { NULL, "q1 c1=failure Gc=cancelled~70 Rc=failure~90 Rc=success~95", false },
        { NULL, "q1 c1=failure Gc=cancelled~70 Rc=failure~90 q2@2", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scene scene;

        open_scene(&scene, rows[i].settings);
        play_all(&scene, rows[i].script);
        HOLDS(&scene, scene.run.reopened == rows[i].reopened);
        close_scene(&scene);
    }
}

/* Whose rerun it is that nobody here has asked for is looked for if the attempt had failed. */
static void others_rerun_of_a_failed_attempt(void **state)
{
    static const struct {
        const char *script;
        uint32_t by_others;
    } rows[] = {
        { "q1 c1=failure q2@2", 1 },
        { "q1 c1=failure Gi@2", 1 },
        { "q1 q2 c1=failure q3@2", 1 },
        { "q1 c1=failure Gc=failure P=later q2@2", 1 },
        { "q1 c1=failure Gc=failure q2@2 P=never", 1 },
        { "q1 c1=failure Gc=failure P=done q2@2", 0 },
        { "q1 c1=failure Gc=failure q2@2", 0 },
        { "q1 c1=failure Gc=failure P=unknown q2@2", 0 },
        { "q1 c1=failure q2@3", 0 },
        { "q1 q2@2", 0 },
        { "q1 c1=success q2@2", 0 },
        { "q1 c1=failure q2@2 c2@2=failure", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scene scene;

        open_scene(&scene, NULL);
        play_all(&scene, rows[i].script);
        HOLDS(&scene, scene.verdict.by_others == rows[i].by_others);
        close_scene(&scene);
    }
}

static void others_reruns_are_not_ours(void **state)
{
    static const char *const scripts[] = {
        "q1 c1=failure q2@2",
        "q1 c1=failure Gi@2",
        "q1 c1=failure Gc=failure P=later q2@2",
        "q1 c1=failure Gc=failure P=later Gi@2",
        "q1 c1=failure Gc=failure q2@2 P=never",
        "q1 c1=failure Gc=failure q2@2 P=later",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct scene scene;

        open_scene(&scene, NULL);
        play_all(&scene, scripts[i]);
        HOLDS(&scene, scene.run.reruns == 0 && scene.run.accepted_attempt == 0);
        close_scene(&scene);
    }
}

struct carried_row {
    const char *name, *token;
    bool want;
};

static void carried_over_is_told(void **state)
{
    static struct scene scene;
    const struct carried_row *row = *state;

    open_scene(&scene, NULL);
    play_all(&scene, row->token);
    assert_int_equal(scene.jobs[1].carried_over, row->want);
    close_scene(&scene);
}

static const struct carried_row carried[] = {
    { "executed", "c1@2=success", false },
    { "long before it was created", "c1@2=success^", true },
    { "2 s before it was created", "c1@2=success~998^", false },
    { "3 s before it was created", "c1@2=success~997^", true },
    { "in the first attempt", "c1@1=success^", false },
    { "not completed", "q1@2^", false },
};

static void job_keeps_what_it_was_told(void **state)
{
    struct scene scene;
    const struct jr_job *job = &scene.jobs[1];

    (void)state;
    open_scene(&scene, NULL);
    play_all(&scene, "c1=failure~60 i1 q1");
    assert_true(job->known);
    assert_true(job->run_id == RUN_ID && job->job_id == JOB_ID(1));
    assert_int_equal(job->status, JR_STATUS_COMPLETED);
    assert_int_equal(job->conclusion, JR_CONCLUSION_FAILURE);
    assert_int_equal(job->completed_ms, START_MS + 60 * JR_SECOND_MS);
    assert_int_equal(job->created_ms, START_MS);
    assert_string_equal(job->name, "job 1");
    close_scene(&scene);
}

static void run_learns_facts(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, NULL);
    play_all(&scene, "q1,branch:,workflow: c1=failure Gc=failure,actor:dev,by:ops,head:fork/app,created:3");
    assert_true(scene.run.run_id == RUN_ID && scene.run.repo_id == 4711);
    assert_string_equal(scene.run.repo, "octo/app");
    assert_string_equal(scene.run.branch, "main");
    assert_string_equal(scene.run.workflow, "CI");
    assert_string_equal(scene.run.actor, "dev");
    assert_string_equal(scene.run.triggering_actor, "ops");
    assert_string_equal(scene.run.head_repo, "fork/app");
    assert_string_equal(scene.run.first_sender, "octocat");
    assert_int_equal(scene.run.created_ms, START_MS - 3 * JR_DAY_MS);
    assert_int_equal(scene.run.first_event_ms, BEGIN_MS);
    assert_int_equal(scene.run.last_event_ms, BEGIN_MS + JR_SECOND_MS);
    close_scene(&scene);
}

/* A run that is 36 days old, of which an attempt was begun an hour ago. */
static void rerun_of_an_old_run_may_go_on(void **state)
{
    struct scene scene;
    struct jr_event seen = event_of("Gi");

    (void)state;
    open_scene(&scene, NULL);
    play_all(&scene, "q1 c1=failure C");
    seen.created_ms = scene.now_ms - 36 * JR_DAY_MS;
    seen.started_ms = scene.now_ms - JR_HOUR_MS;
    see(&scene, &seen);
    assert_int_equal(scene.verdict.step, JR_STEP_WAIT);
    close_scene(&scene);
}

static bool is_finished(const struct jr_run *run, int64_t now_ms)
{
    struct jr_bounds bounds = { .reconcile_interval_ms = 5 * JR_MINUTE_MS };

    return jr_watch_is_finished(&bounds, run, now_ms);
}

/* A run is over when its jobs have succeeded and nothing is heard any more. */
static void finished_when_quiet(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, "RECONCILE_INTERVAL=5m");
    play_all(&scene, "q1 c1=success");
    assert_false(is_finished(&scene.run, scene.now_ms));
    assert_false(is_finished(&scene.run, scene.now_ms + 9 * JR_MINUTE_MS));
    assert_true(is_finished(&scene.run, scene.now_ms + 10 * JR_MINUTE_MS));
    play_all(&scene, "q2");
    assert_false(is_finished(&scene.run, scene.now_ms + JR_DAY_MS));
    play_all(&scene, "c2=failure");
    assert_false(is_finished(&scene.run, scene.now_ms + JR_DAY_MS));
    play_all(&scene, "Rc=failure");
    assert_true(is_finished(&scene.run, scene.now_ms));
    close_scene(&scene);
}

struct wants_row {
    const char *name, *settings, *script, *seen; /* seen: NULL, or GitHub's answer */
    bool want;
};

static void wants_workflow(void **state)
{
    const struct wants_row *row = *state;
    struct scene scene;
    struct jr_event seen;

    open_scene(&scene, row->settings);
    play_all(&scene, row->script);
    if (row->seen != NULL)
        seen = event_of(row->seen);
    assert_int_equal(jr_rerun_wants_workflow(&scene.settings, NULL, &scene.run, row->seen == NULL ? NULL : &seen),
                     row->want);
    close_scene(&scene);
}

static const struct wants_row wants[] = {
    { "no list", "", "Lc=failure", NULL, false },
    { "known from a list alone", "NO_RETRY_WORKFLOWS=deploy", "Lc=failure", NULL, true },
    { "its file is listed", "NO_RETRY_WORKFLOWS=ci.yml", "Lc=failure", NULL, false },
    { "an event has told the name", "NO_RETRY_WORKFLOWS=deploy", "Rc=failure", NULL, false },
    { "a job has told the name", "NO_RETRY_WORKFLOWS=deploy", "q1 c1=failure", NULL, false },
    { "a job without the name", "NO_RETRY_WORKFLOWS=deploy", "q1,workflow: c1=failure,workflow:", NULL, true },
    { "GitHub shows the run", "NO_RETRY_WORKFLOWS=deploy", "q1,workflow: c1=failure,workflow:", "Gc=failure", true },
    { "GitHub shows that it goes on", "NO_RETRY_WORKFLOWS=deploy", "q1,workflow: c1=failure,workflow:", "Gi", false },
    { "GitHub shows a success", "NO_RETRY_WORKFLOWS=deploy", "q1,workflow: c1=failure,workflow:", "Gc=success", false },
    { "GitHub shows the file", "NO_RETRY_WORKFLOWS=ci.yml", "q1,workflow: c1=failure,workflow:", "Gc=failure", false },
    { "by hand", "NO_RETRY_WORKFLOWS=deploy", "Lc=failure H", NULL, false },
    { "files alone are listed", "NO_RETRY_WORKFLOWS=deploy.yml,*/release.YAML", "Lc=failure", NULL, false },
    { "a name among files", "NO_RETRY_WORKFLOWS=deploy.yml,deploy", "Lc=failure", NULL, true },
    { "GitHub was asked for the name", "NO_RETRY_WORKFLOWS=deploy", "q1,workflow: c1=failure,workflow:", "Gc=failure,workflow:CI", false },
};

/* A clock that was set back does not take the run's last event back. */
static void clock_may_go_back(void **state)
{
    struct scene scene;
    struct jr_event event = event_of("i1");
    struct jr_input input = { .kind = JR_INPUT_EVENT, .event = &event };

    (void)state;
    open_scene(&scene, NULL);
    play_all(&scene, "q1");
    input.now_ms = scene.now_ms - JR_DAY_MS;
    decide(&scene, &input, &scene.jobs[1]);
    assert_int_equal(scene.run.last_event_ms, scene.now_ms);
    close_scene(&scene);
}

static void waits_grow_and_stay_between(void **state)
{
    struct scene scene;
    int64_t waits_ms[12] = { 0 };
    bool jitter = false;

    (void)state;
    for (uint64_t id = RUN_ID; id < RUN_ID + 50; id++) {
        open_scene(&scene, "API_BACKOFF_MIN=10s API_BACKOFF_MAX=10m");
        play_all(&scene, "q1 c1=failure");
        scene.run.run_id = id;
        for (size_t try = 0; try < COUNT(waits_ms); try++) {
            int64_t least_ms = JR_SECOND_MS * (10 << (try < 6 ? try : 6)), wait_ms;

            play(&scene, "F=later"); /* which checks the bounds */
            wait_ms = scene.run.due_ms - scene.now_ms;
            jitter |= id > RUN_ID && wait_ms != waits_ms[try];
            waits_ms[try] = wait_ms;
            if (try < 6)
                HOLDS(&scene, wait_ms >= least_ms && wait_ms < 2 * least_ms);
            else
                HOLDS(&scene, wait_ms >= 5 * JR_MINUTE_MS);
        }
        close_scene(&scene);
    }
    assert_true(jitter);
}

/* Rule 7: one 404 is not for ever; one that stays is, as is a permission for a GET or a POST. */
static void denied_for_a_while(void **state)
{
    static const char *const denials[][2] = {
        { "F=missing", "" }, { "F=denied", "" }, { "P=denied", "Gc=failure" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(denials); i++) {
        struct scene scene;
        int64_t first_ms = 0;
        unsigned asked = 0;

        open_scene(&scene, "API_BACKOFF_MIN=10s API_BACKOFF_MAX=10m");
        play_all(&scene, "q1 c1=failure");
        while (scene.run.phase == JR_PHASE_DUE) {
            play_all(&scene, denials[i][1]);
            play(&scene, denials[i][0]);
            first_ms = first_ms == 0 ? scene.now_ms : first_ms;
            HOLDS(&scene, ++asked < 20);
        }
        HOLDS(&scene, scene.run.phase == JR_PHASE_CLOSED);
        HOLDS(&scene, scene.now_ms - first_ms >= JR_PATIENCE_MS);
        HOLDS(&scene, scene.now_ms - first_ms < JR_PATIENCE_MS + 10 * JR_MINUTE_MS);
        HOLDS(&scene, asked >= 6);
        HOLDS(&scene, scene.run.reason
                          == (i == 0 ? JR_REASON_NOT_FOUND : JR_REASON_NO_PERMISSION));
        close_scene(&scene);
    }
}

/* What a signed event tells anew is waited for anew; a rejected token never closes a run. */
static void denied_until_told_anew(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, "");
    play_all(&scene, "q1 c1=failure F=missing");
    scene.now_ms += JR_HOUR_MS;
    play_all(&scene, "Rc=failure F=missing");
    HOLDS(&scene, scene.run.phase == JR_PHASE_DUE);
    scene.now_ms += JR_PATIENCE_MS;
    for (int i = 0; i < 20; i++)
        play(&scene, "F=rejected");
    HOLDS(&scene, scene.run.phase == JR_PHASE_DUE);
    play(&scene, "F=missing");
    HOLDS(&scene, scene.run.phase == JR_PHASE_CLOSED);
    close_scene(&scene);
}

/* A POST that something on the way answered may have got through: look first. */
static void post_answered_on_the_way(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, "");
    play_all(&scene, "q1 c1=failure Gc=failure P=stranger");
    HOLDS(&scene, scene.run.phase == JR_PHASE_DUE && scene.run.intent_ms != 0);
    HOLDS(&scene, scene.run.reason == JR_REASON_NOT_GITHUB);
    play(&scene, "Gi@2");
    HOLDS(&scene, scene.run.accepted_attempt == 1 && scene.run.reruns == 1);
    close_scene(&scene);
}

/*
 * Rule 6: a POST that is cut off after 30 s may take effect at that moment, so that is
 * what API_BACKOFF_MIN is counted from, whoever is impatient.
 */
static void post_that_is_cut_off_late(void **state)
{
    static const char *const scripts[][2] = {
        { "P=unknown", "H" },               /* by hand afterwards */
        { "H", "P=unknown" },               /* by hand while it is under way */
        { "P=unknown", "Rc=timed_out~90" }, /* an event afterwards */
        { "Rc=timed_out~90", "P=unknown" },
    };
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        int64_t cut_ms;

        open_scene(&scene, NULL);
        play_all(&scene, "Rc=failure~70 Gc=failure~70");
        scene.now_ms += 20 * JR_SECOND_MS;
        play(&scene, scripts[i][0]);
        cut_ms = scene.now_ms;
        play(&scene, scripts[i][1]);
        if (*scripts[i][1] == 'P')
            cut_ms = scene.now_ms;
        assert_int_equal(scene.run.phase, JR_PHASE_DUE);
        HOLDS(&scene, scene.run.due_ms >= cut_ms + scene.settings.api_backoff_min_ms);
        close_scene(&scene);
    }
}

/* An event closed the attempt during the POST: what became of the POST counts still. */
static void post_that_an_event_overtook(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, NULL);
    play_all(&scene, "Rc=failure~70 Gc=failure~70 Rc=cancelled~90");
    assert_int_equal(scene.run.phase, JR_PHASE_CLOSED);
    play(&scene, "P=never");
    assert_int_equal(scene.run.intent_ms, 0);
    play(&scene, "Rc@2=success");
    assert_int_equal(scene.run.reruns, 0); /* somebody else's */
    close_scene(&scene);
}

static void one_wait_for_all_tries(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, "API_BACKOFF_MIN=20s API_BACKOFF_MAX=20s");
    play_all(&scene, "q1 c1=failure F=later F=later F=later");
    assert_int_equal(scene.run.due_ms - scene.now_ms, 20 * JR_SECOND_MS);
    close_scene(&scene);
}

/* Events of which every order has to end alike. */
struct order_row {
    const char *name, *script, *state;
};

static void swap(const char **a, const char **b)
{
    const char *c = *a;

    *a = *b;
    *b = c;
}

/* Play the tokens in each order, and each of them `times` times in a row. */
static void play_orders(const char **tokens, size_t count, size_t fixed, unsigned times,
                        const char *want)
{
    if (fixed < count) {
        for (size_t i = fixed; i < count; i++) {
            swap(&tokens[fixed], &tokens[i]);
            play_orders(tokens, count, fixed + 1, times, want);
            swap(&tokens[fixed], &tokens[i]);
        }
        return;
    }
    {
        static struct scene scene; /* the settings do not change, and take long to read */
        struct jr_settings settings = scene.settings;
        char ended[128];

        if (settings.run_attempts == 0)
            load_settings(&settings, NULL);
        memset(&scene, 0, sizeof scene);
        scene.settings = settings;
        scene.now_ms = BEGIN_MS;
        for (size_t i = 0; i < count; i++)
            for (unsigned n = 0; n < times; n++)
                play(&scene, tokens[i]);
        if (strcmp(state_of(&scene, ended, sizeof ended), want) != 0)
            fail_msg("'%s' ended as '%s', not '%s'", scene.script, ended, want);
    }
}

static void every_order_ends_alike(void **state)
{
    const struct order_row *row = *state;
    char *copy = strdup(row->script), *rest = copy;
    const char *tokens[8];
    size_t count = 0;

    assert_non_null(copy);
    while (rest != NULL && count < COUNT(tokens))
        tokens[count++] = strsep(&rest, " ");
    play_orders(tokens, count, 0, 1, row->state);
    play_orders(tokens, count, 0, 2, row->state);
    free(copy);
}

static const struct order_row orders[] = {
    { "one job fails", "q1 i1 c1=failure", "1 due 1/0/1" },
    { "one job succeeds", "w1 q1 i1 c1=success", "1 open 1/0/0" },
    { "two jobs, one fails", "q1 c1=failure q2 i2 c2=success", "1 due 2/0/1" },
    { "two jobs, one goes on", "q1 c1=failure q2 i2", "1 open 2/1/1" },
    { "two jobs, one skipped", "q1 i1 c1=failure c2=skipped", "1 due 2/0/1" },
    { "all skipped", "c1=skipped c2=skipped c3=skipped", "1 open 3/0/0" },
    { "the run succeeds", "q1 c1=failure Ri Rc=success", "1 closed 1/0/1" },
    { "the run fails", "q1 i1 c1=failure Rq Rc=failure", "1 due 1/0/1" },
    { "the run fails, a job's end never comes", "q1 i1 Ri Rc=failure", "1 due 1/1/0" },
    { "the run is cancelled", "q1 c1=cancelled q2 c2=success Rc=cancelled", "1 closed 2/0/1" },
    { "the run ended early", "q1 c1=failure Rc=success~70 Rc=failure~90", "1 due 1/0/1" },
    { "the run ended early and better", "q1 c1=failure Rc=failure~70 Rc=success~90", "1 closed 1/0/1" },
    { "two ends at the same time", "q1 Rc=failure~70 Rc=success~70", "1 due 1/1/0" },
    { "three ends", "Rc=failure~70 Rc=cancelled~80 Rc=failure~90", "1 due 0/0/0" },
    { "three ends, the last is better", "Rc=failure~70 Rc=success~90 Rc=failure~80", "1 closed 0/0/0" },
    { "a job ends twice", "q1 c1=failure~60 c1=success~80", "1 open 1/0/0" },
    { "a job ends twice at the same time", "q1 c1=failure c1=success", "1 due 1/0/1" },
    { "two attempts", "q1 c1=failure q2@2 c2@2=success", "2 open 1/0/0" },
    { "two attempts, the newer fails", "c1=failure Rc=failure q2@2 c2@2=failure", "2 due 1/0/1" },
    { "two attempts, the newer is known by its run", "q1 c1=failure Rc=failure Rc@2=success", "2 closed 0/0/0" },
    { "three attempts", "c1=failure c2@2=failure q3@3 i3@3", "3 open 1/1/0" },
    { "carried over", "c1=failure q2@2 c3@2=success^ c4@2=failure^", "2 open 3/1/1" },
    { "without numbers", "q1@0 i1@0 c1@0=failure q2@0 c2@0=success", "1 due 2/0/1" },
    { "actions that nobody knows", "u1 q1 c1=failure u2", "1 due 1/0/1" },
};

/*
 * Long walks over all that can happen, GitHub's answers as wrong as they may
 * be. What has to hold is checked after each step.
 */
static uint64_t random_state;

static unsigned chance(unsigned sides)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % sides;
}

static const char *any_conclusion(void)
{
    static const char *const words[] = { "failure", "failure", "success", "cancelled", "timed_out",
                                         "skipped" };

    return words[chance(COUNT(words))];
}

static void random_token(const struct scene *scene, char *token, size_t size)
{
    static const char *const outcomes[] = { "P=done", "P=unknown", "P=later", "P=limit", "P=never" };
    bool posting = scene->claimed_ms != 0 && scene->claimed_ms == scene->posted_ms + scene->settings.api_backoff_min_ms;
    bool can_ask = scene->claimed_ms != 0 || scene->run.due_ms != 0 || scene->asked_quiet;
    unsigned attempt = 1 + chance(4);
    unsigned job = 3 * attempt + chance(3);

    switch (chance(8)) {
    case 0:
        snprintf(token, size, "%c%u@%u", "qwi"[chance(3)], job, attempt);
        return;
    case 1:
    case 2:
        snprintf(token, size, "c%u@%u=%s~%u", job, attempt, any_conclusion(), 60 + chance(3));
        return;
    case 3:
        snprintf(token, size, "R%c@%u", "qi"[chance(2)], attempt);
        return;
    case 4:
        snprintf(token, size, "Rc@%u=%s~%u", attempt, any_conclusion(), 70 + chance(4));
        return;
    default:
        break;
    }
    if (posting)
        snprintf(token, size, "%s", outcomes[chance(COUNT(outcomes))]);
    else if (chance(8) == 0)
        snprintf(token, size, "Lc@%u=failure~%u", attempt, 70 + chance(4));
    else if (!can_ask)
        snprintf(token, size, "%s", scene->run.quiet_due_ms != 0 ? "Q" : "q1");
    else if (chance(4) == 0)
        snprintf(token, size, "%s", chance(6) == 0 ? "F=never" : chance(3) == 0 ? "F=missing" : "F=later");
    else if (chance(3) == 0)
        snprintf(token, size, "Gi@%u", attempt);
    else
        snprintf(token, size, "Gc@%u=%s~%u", attempt, any_conclusion(), 70 + chance(4));
}

static void nothing_breaks_the_rules(void **state)
{
    struct jr_settings settings;
    struct scene scene;

    (void)state;
    load_settings(&settings, "RUN_ATTEMPTS=4");
    for (uint64_t walk = 0; walk < 4000; walk++) {
        random_state = walk * 2 + 1;
        memset(&scene, 0, sizeof scene);
        scene.settings = settings;
        scene.now_ms = BEGIN_MS;
        for (int step = 0; step < 30; step++) {
            char token[64];

            random_token(&scene, token, sizeof token);
            play(&scene, token);
        }
    }
    jr_settings_release(&settings);
}

/* What a reason brings about goes by its class: a new row does it by itself. */
static void reasons_by_class(void **state)
{
    (void)state;
    for (int i = 1; i < JR_REASONS; i++) {
        enum jr_reason reason = (enum jr_reason)i;
        enum jr_reason_class class = jr_reason_class(reason);
        struct jr_call call = { .what = "GET run", .outcome = JR_OUTCOME_NEVER, .reason = reason };
        struct scene scene;

        if (class == JR_CLASS_NONE)
            continue; /* a number of no reason */
        /* One that a setting left alone is judged anew with the next event. */
        open_scene(&scene, NULL);
        play_all(&scene, "q1 c1=failure");
        scene.run.phase = JR_PHASE_CLOSED;
        scene.run.reason = reason;
        scene.run.due_ms = scene.run.waiting_ms = 0;
        play(&scene, "c1=failure");
        assert_int_equal(scene.run.phase, class == JR_CLASS_FILTER ? JR_PHASE_DUE : JR_PHASE_CLOSED);
        close_scene(&scene);
        /* A denial may pass by itself; all else that is refused for good is believed at once. */
        open_scene(&scene, NULL);
        play_all(&scene, "q1 c1=failure C");
        answer(&scene, 1, false, &call);
        assert_int_equal(scene.run.phase, class == JR_CLASS_DENIAL ? JR_PHASE_DUE : JR_PHASE_CLOSED);
        /* An end that shows itself later replaces what closed the attempt by how it ended. */
        scene.run.phase = JR_PHASE_CLOSED;
        scene.run.reason = reason;
        scene.run.due_ms = scene.run.waiting_ms = 0;
        scene.run.complete = true;
        scene.run.conclusion = JR_CONCLUSION_CANCELLED;
        play(&scene, "Lc=failure");
        assert_int_equal(scene.run.phase, class == JR_CLASS_CONCLUSION ? JR_PHASE_DUE : JR_PHASE_CLOSED);
        close_scene(&scene);
    }
}

/* Large sets: what GitHub sends of a run with many jobs, in up to three attempts. */
#define SET_MAX 160
#define SETS 400
#define SHUFFLES 25

struct event_set {
    char tokens[SET_MAX][48];
    size_t count;
};

/* `job` 0: of the run itself; conclusion NULL: it has not ended. */
static void put_event(struct event_set *set, char what, unsigned job, unsigned attempt,
                      const char *conclusion, const char *rest)
{
    char number[12] = "";

    assert_true(set->count < SET_MAX);
    if (job != 0)
        snprintf(number, sizeof number, "%u", job);
    snprintf(set->tokens[set->count++], sizeof set->tokens[0], "%s%c%s@%u%s%s%s",
             job == 0 ? "R" : "", what, number, attempt, conclusion == NULL ? "" : "=",
             conclusion == NULL ? "" : conclusion, rest);
}

/* The events of one job: with needs, skipped, approved, cancelled before it began, carried over. */
static void put_job(struct event_set *set, unsigned job, unsigned attempt)
{
    switch (chance(attempt > 1 ? 7 : 5)) {
    case 0:
        put_event(set, 'c', job, attempt, "skipped", "");
        return;
    case 1:
        put_event(set, 'q', job, attempt, NULL, "");
        put_event(set, 'c', job, attempt, "cancelled", "");
        return;
    case 2:
        put_event(set, 'w', job, attempt, NULL, "");
        put_event(set, 'q', job, attempt, NULL, "");
        break;
    case 5:
    case 6:
        put_event(set, 'c', job, attempt, any_conclusion(), "^");
        return;
    default:
        break;
    }
    put_event(set, 'q', job, attempt, NULL, "");
    put_event(set, 'i', job, attempt, NULL, "");
    if (chance(12) != 0) /* now and then the end never comes */
        put_event(set, 'c', job, attempt, any_conclusion(), "");
}

static void make_set(struct event_set *set)
{
    unsigned newest = 1 + chance(3), jobs = 2 + chance(9), subscription = chance(3), job = 1;

    set->count = 0;
    for (unsigned attempt = 1; attempt <= newest; attempt++) {
        for (unsigned i = 0; subscription != 1 && i < jobs; i++)
            put_job(set, job++, attempt);
        if (subscription == 0)
            continue;
        put_event(set, 'i', 0, attempt, NULL, "");
        put_event(set, 'c', 0, attempt, any_conclusion(), "~90");
    }
}

/* Play a set in another order, some of it twice. */
static void play_shuffled(struct scene *scene, const struct jr_settings *settings,
                          const struct event_set *set, bool shuffled)
{
    size_t order[SET_MAX];

    memset(scene, 0, sizeof *scene);
    scene->settings = *settings;
    scene->now_ms = BEGIN_MS;
    for (size_t i = 0; i < set->count; i++) {
        size_t at = shuffled ? chance((unsigned)i + 1) : i;

        order[i] = order[at];
        order[at] = i;
    }
    for (size_t i = 0; i < set->count; i++) {
        play(scene, set->tokens[order[i]]);
        if (shuffled && chance(4) == 0)
            play(scene, set->tokens[order[chance((unsigned)i + 1)]]);
    }
}

static void large_sets_end_alike(void **state)
{
    const char *given = getenv("JR_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 1;
    struct jr_settings settings;
    struct event_set set;
    struct scene scene;

    (void)state;
    print_message("# seed %llu, %d sets, each in %d orders; JR_SEED sets another\n",
                  (unsigned long long)seed, SETS, SHUFFLES);
    load_settings(&settings, NULL);
    for (uint64_t number = 0; number < SETS; number++) {
        char want[128], ended[128];

        random_state = (seed * SETS + number) * 2 + 1;
        make_set(&set);
        play_shuffled(&scene, &settings, &set, false);
        state_of(&scene, want, sizeof want);
        for (int shuffle = 0; shuffle < SHUFFLES; shuffle++) {
            play_shuffled(&scene, &settings, &set, true);
            if (strcmp(state_of(&scene, ended, sizeof ended), want) != 0)
                fail_msg("seed %llu, set %llu: '%s' ended as '%s', not '%s'",
                         (unsigned long long)seed, (unsigned long long)number, scene.script, ended,
                         want);
        }
    }
    jr_settings_release(&settings);
}

int main(void)
{
    TABLE(sequences, scene_ends_as_told);
    TABLE(first_events, scene_ends_as_told);
    TABLE(run_events, scene_ends_as_told);
    TABLE(attempts, scene_ends_as_told);
    TEST(finished_when_quiet);
    TABLE(wants, wants_workflow);
    TABLE(newer_runs, scene_ends_as_told);
    TABLE(filters, scene_ends_as_told);
    TABLE(held, scene_ends_as_told);
    TABLE(judged_anew, scene_ends_as_told);
    TABLE(dispatcher, scene_ends_as_told);
    TABLE(changed_meanwhile, scene_ends_as_told);
    TABLE(judged, scene_ends_as_told);
    TABLE(anew, tries_begin_anew);
    TABLE(posts, scene_ends_as_told);
    TABLE(quiet, scene_ends_as_told);
    TABLE(by_hand, scene_ends_as_told);
    TABLE(commands, scene_ends_as_told);
    TABLE(watches, watched);
    TEST(quiet_runs_are_asked_less_and_less);
    TABLE(listed, scene_ends_as_told);
    TEST(one_accepted_post_is_one_rerun);
    TEST(others_reruns_are_not_ours);
    TEST(closed_and_due_is_reopened);
    TEST(others_rerun_of_a_failed_attempt);
    TEST(other_host_has_rerun_it);
    TABLE(carried, carried_over_is_told);
    TEST(job_keeps_what_it_was_told);
    TEST(run_learns_facts);
    TEST(rerun_of_an_old_run_may_go_on);
    TEST(clock_may_go_back);
    TEST(waits_grow_and_stay_between);
    TEST(one_wait_for_all_tries);
    TEST(denied_for_a_while);
    TEST(denied_until_told_anew);
    TEST(post_answered_on_the_way);
    TEST(post_that_is_cut_off_late);
    TEST(post_that_an_event_overtook);
    TABLE(orders, every_order_ends_alike);
    TEST(reasons_by_class);
    TEST(nothing_breaks_the_rules);
    TEST(large_sets_end_alike);
    return run_program("decide");
}
