/*
 * answerer -- does what people ask for on pull requests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/answerer.h"
#include "fcgi/process/calls.h"
#include "fcgi/process/desk.h"
#include "lib/base/log.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/github/github.h"
#include "lib/model/reporttext.h"
#include "lib/service/counters.h"
#include "lib/service/process.h"
#include "lib/steps/answering.h"
#include "lib/store/reports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The waits before the next look: while calls fail, or those about one owner; during a pause. */
#define UNWELL_MS (5 * JR_SECOND_MS)
#define PAUSED_MS JR_MINUTE_MS

/* At most so many pages of comments are read. */
#define PAGES_MOST 30

/* So many answers are remembered to the question who may ask, and for so long. */
#define KNOWN_KEPT 64
#define KNOWN_MS (5 * JR_MINUTE_MS)

enum step {
    STEP_IDLE,
    STEP_WHO,   /* GitHub is asked whether he may, */
    STEP_PULL,  /* for the pull request, */
    STEP_COMMIT, /* or whether that of a button is still of its commit, */
    STEP_RUNS,  /* for the runs of its newest commit; */
    STEP_REACTS, /* takes the reaction, */
    STEP_LOOKS, /* tells whether the comment is there, */
    STEP_SAYS   /* takes it */
};

struct answerer {
    struct jr_desk *desk;
    enum step step;
    struct jr_answering work;
    struct jr_question question;
    struct jr_github_permission permission; /* what questions hold */
    struct jr_github_pull pull;
    struct jr_run run;  /* of a button */
    struct jr_github_page page; /* its runs are owned while RUNS is asked */
    struct jr_github_found found;
    uint64_t made;
    struct jr_ours ours;
    char marker[64];
    unsigned comments_page;
    char *json;           /* owned */
    int64_t write_due_ms; /* monotonic: nothing is written before */
    struct {
        uint64_t repo_id, who_id;
        bool may;
        int64_t until_ms; /* monotonic; 0: nothing is known here */
    } known[KNOWN_KEPT];
    size_t next_known;
};

static enum jr_err set_up(void *state, struct jr_desk *desk, struct jr_error *error)
{
    struct answerer *answerer = state;

    (void)error;
    answerer->desk = desk;
    answerer->question.is_aside = true;
    return JR_OK;
}

/* Let go of the asking: drop the question, free what it holds. */
static void lay_down(struct answerer *answerer)
{
    jr_calls_drop(&answerer->desk->calls, &answerer->question);
    answerer->question.is_over = false;
    free(answerer->json);
    answerer->json = NULL;
    free(answerer->page.runs);
    memset(&answerer->page, 0, sizeof answerer->page);
    memset(&answerer->work, 0, sizeof answerer->work);
    answerer->step = STEP_IDLE;
}

static void put_down(void *state)
{
    lay_down(state);
}

/* The transaction is over: log its error, if it failed, and let go of the asking. */
static void leave(struct answerer *answerer, enum jr_err err, const struct jr_error *error)
{
    if (err != JR_OK)
        jr_desk_store_failed(answerer->desk, err, error);
    lay_down(answerer);
}

static void begin_line(const struct jr_asked *asked, struct jr_line *line, enum jr_log_level level)
{
    jr_line_begin(line, level, "command");
    jr_line_text(line, "repo", asked->repo);
    if (asked->comment_id != 0)
        jr_line_number(line, "pull-request", asked->pull_request);
    else
        jr_line_number(line, "run", asked->run_id);
    jr_line_text(line, "command", jr_verb_name(asked->verb));
    jr_line_text(line, "by", asked->who);
}

static void tell_end(const struct answerer *answerer, unsigned rerun)
{
    const struct jr_asked *asked = &answerer->work.asked;
    const struct jr_desk *desk = answerer->desk;
    struct jr_line line;

    if (desk->process != NULL)
        jr_count(&desk->process->counters.commands[asked->verb][asked->end]);
    begin_line(asked, &line, JR_LOG_INFO);
    jr_line_text(&line, "verdict", jr_asked_end_name(asked->end));
    jr_line_number(&line, "runs", rerun);
    jr_line_write(&line);
}

static void tell_vain(const struct answerer *answerer)
{
    const struct jr_call *call = &answerer->question.turn.call;
    struct jr_line line;

    begin_line(&answerer->work.asked, &line, JR_LOG_DEBUG);
    jr_line_text(&line, "verdict", "put-off");
    jr_line_number(&line, "status", (uint64_t)call->status);
    jr_line_text(&line, "text", call->text);
    jr_line_write(&line);
}

/* Do what was asked for, if the end is OPEN; else record the end, which says why it is not done. */
static void act(struct answerer *answerer, enum jr_asked_end end)
{
    struct jr_desk *desk = answerer->desk;
    struct jr_error error;
    unsigned rerun;
    enum jr_err err;

    if (end == JR_ASKED_OPEN && answerer->work.asked.verb == JR_VERB_WHY)
        end = JR_ASKED_DONE;
    jr_test_point("before-command");
    err = jr_answering_act(desk->store, desk->settings, &answerer->work, end, jr_now_ms(), &rerun,
                           &error);
    if (err == JR_OK) {
        jr_test_point("command-done");
        tell_end(answerer, rerun);
    }
    leave(answerer, err, &error);
}

static void go_on(struct answerer *answerer, enum jr_asked_state state, bool over)
{
    struct jr_error error;
    enum jr_err err = jr_answering_go_on(answerer->desk->store, &answerer->work, state, over,
                                         jr_now_ms(), &error);

    leave(answerer, err, &error);
}

static void put_off(struct answerer *answerer, int64_t wait_ms, bool in_vain)
{
    struct jr_error error;
    enum jr_err err = jr_answering_put_off(answerer->desk->store, &answerer->work,
                                           jr_now_ms() + wait_ms, in_vain, &error);

    leave(answerer, err, &error);
}

/* GitHub did not answer: try again later. Once the asking is done, only the reaction or comment is
 * left, and that is tried JR_ANSWERING_TRIES times at most. */
static void try_again(struct answerer *answerer)
{
    const struct jr_settings *settings = answerer->desk->settings;
    const struct jr_asked *asked = &answerer->work.asked;
    int64_t wait_ms = settings->api_backoff_min_ms;

    tell_vain(answerer);
    if (asked->state != JR_ASKED_NEW && asked->tries >= JR_ANSWERING_TRIES) {
        go_on(answerer, asked->state, true);
        return;
    }
    for (uint32_t i = 0; i < asked->tries && wait_ms < settings->api_backoff_max_ms; i++)
        wait_ms *= 2;
    put_off(answerer, wait_ms < settings->api_backoff_max_ms ? wait_ms
                                                             : settings->api_backoff_max_ms, true);
}

static void ask(struct answerer *answerer, enum step step, struct jr_ask what)
{
    answerer->step = step;
    what.repo = answerer->work.asked.repo;
    answerer->question.turn.ask = what;
    jr_calls_ask(&answerer->desk->calls, &answerer->question);
}

/* Ask GitHub whether the commit of a button's run is still the newest of its pull request. It is
 * not asked about a run of no pull request, nor about a deleted fork, which gets no newer commit.
 * Without the branch or the commit of the run the button counts as stale. */
static void ask_about_commit(struct answerer *answerer)
{
    struct jr_desk *desk = answerer->desk;
    struct jr_run *run = &answerer->run;
    struct jr_error error;
    enum jr_err err = jr_answering_look(desk->store, &answerer->work, run, &error);

    if (err != JR_OK && err != JR_ENOENT)
        leave(answerer, err, &error);
    else if (err == JR_ENOENT || !jr_run_is_of_pull_request(run)
             || strcmp(run->head_repo, JR_REPO_DELETED) == 0)
        act(answerer, JR_ASKED_OPEN);
    else if (*run->branch == '\0' || *run->head_sha == '\0')
        act(answerer, JR_ASKED_STALE);
    else
        ask(answerer, STEP_COMMIT, (struct jr_ask){
            .api = JR_API_FIND_PULL, .run = run, .holds = &answerer->pull,
        });
}

/* The person may do this: find the commit and the runs that it is about. */
static void ask_about(struct answerer *answerer)
{
    const struct jr_asked *asked = &answerer->work.asked;

    if (asked->comment_id == 0)
        ask_about_commit(answerer);
    else
        ask(answerer, STEP_PULL, (struct jr_ask){
            .api = JR_API_GET_PULL, .id = asked->pull_request, .holds = &answerer->pull,
        });
}

static void begin_new(struct answerer *answerer)
{
    const struct jr_asked *asked = &answerer->work.asked;
    int64_t now_ms = jr_monotonic_ms();

    for (size_t i = 0; i < KNOWN_KEPT; i++) {
        if (answerer->known[i].until_ms <= now_ms || answerer->known[i].repo_id != asked->repo_id
            || answerer->known[i].who_id != asked->who_id)
            continue;
        if (answerer->known[i].may)
            ask_about(answerer);
        else
            act(answerer, JR_ASKED_NOT_ALLOWED);
        return;
    }
    if (answerer->work.strange) {
        act(answerer, JR_ASKED_NOT_ALLOWED);
        return;
    }
    answerer->work.looked_up = true;
    ask(answerer, STEP_WHO, (struct jr_ask){
        .api = JR_API_GET_PERMISSION, .name = asked->who, .holds = &answerer->permission,
    });
}

static void remember(struct answerer *answerer, bool may)
{
    const struct jr_asked *asked = &answerer->work.asked;
    size_t at = answerer->next_known;

    answerer->next_known = (at + 1) % KNOWN_KEPT;
    answerer->known[at].repo_id = asked->repo_id;
    answerer->known[at].who_id = asked->who_id;
    answerer->known[at].may = may;
    answerer->known[at].until_ms = jr_monotonic_ms() + KNOWN_MS;
}

static void permission_is_told(struct answerer *answerer, const struct jr_call *call)
{
    bool is_nobody = call->outcome == JR_OUTCOME_NEVER && call->reason == JR_REASON_NOT_FOUND;
    const struct jr_github_permission *told = &answerer->permission;
    /* Somebody else may have taken a login that was given up. */
    bool is_same = told->user_id != 0 && told->user_id == answerer->work.asked.who_id;
    bool may = call->outcome == JR_OUTCOME_DONE && told->writes && is_same;

    if (call->outcome != JR_OUTCOME_DONE && !is_nobody) {
        if (call->outcome == JR_OUTCOME_NEVER)
            act(answerer, JR_ASKED_GIVEN_UP);
        else
            try_again(answerer);
        return;
    }
    if (is_nobody || is_same)
        remember(answerer, may);
    if (may)
        ask_about(answerer);
    else
        act(answerer, JR_ASKED_NOT_ALLOWED);
}

static void pull_is_told(struct answerer *answerer)
{
    struct jr_asked *asked = &answerer->work.asked;

    if (answerer->pull.closed && asked->verb != JR_VERB_WHY) {
        act(answerer, JR_ASKED_CLOSED);
        return;
    }
    (void)jr_text_copy(asked->sha, sizeof asked->sha, answerer->pull.sha);
    answerer->page.runs = calloc(JR_GITHUB_PAGE_RUNS, sizeof *answerer->page.runs);
    if (*asked->sha == '\0' || answerer->page.runs == NULL)
        try_again(answerer);
    else
        ask(answerer, STEP_RUNS, (struct jr_ask){
            .api = JR_API_LIST_COMMIT, .sha = asked->sha, .holds = &answerer->page,
        });
}

/* How many pull requests there are of the branch and the commit of a button's run. */
static void commit_is_told(struct answerer *answerer)
{
    const struct jr_github_pull *pull = &answerer->pull;

    if (pull->found == 0)
        act(answerer, JR_ASKED_STALE);
    else
        act(answerer, pull->found == 1 && pull->closed ? JR_ASKED_CLOSED : JR_ASKED_OPEN);
}

/* Note that we are about to write at GitHub. If that has to wait, the asking is put off. Returns
 * whether to write now. */
static bool begin_writing(struct answerer *answerer)
{
    struct jr_error error;
    int64_t wait_ms;
    enum jr_err err = jr_answering_begin(answerer->desk->store, &answerer->work, jr_now_ms(),
                                         &wait_ms, &error);

    if (err != JR_OK)
        leave(answerer, err, &error);
    else if (wait_ms > 0)
        put_off(answerer, wait_ms, false);
    else
        answerer->write_due_ms = jr_monotonic_ms() + jr_reports_interval_ms();
    return err == JR_OK && wait_ms == 0;
}

/* "eyes": a comment will follow; "rocket": done; "confused": not done. */
static const char *reaction_of(const struct jr_asked *asked)
{
    if (asked->end != JR_ASKED_DONE)
        return "confused";
    return asked->verb == JR_VERB_WHY ? "eyes" : "rocket";
}

static void react(struct answerer *answerer)
{
    const struct jr_asked *asked = &answerer->work.asked;

    /* The check run of a button shows the result. In a dry run nothing is written at GitHub. */
    if (asked->comment_id == 0 || answerer->desk->settings->dry_run) {
        go_on(answerer, JR_ASKED_ACTED, true);
        return;
    }
    if (!begin_writing(answerer))
        return;
    answerer->json = jr_reaction_json(reaction_of(asked));
    jr_test_point("before-reaction");
    ask(answerer, STEP_REACTS, (struct jr_ask){
        .api = JR_API_REACT, .id = asked->comment_id, .json = answerer->json,
    });
}

static void say(struct answerer *answerer)
{
    const struct jr_desk *desk = answerer->desk;
    struct jr_buffer text;
    struct jr_error error;
    enum jr_err err;

    if (!begin_writing(answerer))
        return;
    jr_buffer_init(&text, JR_REPORT_TEXT_MAX);
    err = jr_answering_tell(desk->store, desk->settings, &answerer->work, &text, &error);
    if (err == JR_OK)
        answerer->json = jr_comment_json(text.bytes);
    jr_buffer_release(&text);
    if (err != JR_OK) {
        leave(answerer, err, &error);
        return;
    }
    jr_test_point("before-saying");
    ask(answerer, STEP_SAYS, (struct jr_ask){
        .api = JR_API_MAKE_COMMENT, .id = answerer->work.asked.pull_request,
        .json = answerer->json, .holds = &answerer->made,
    });
}

/* The comment was begun before, so it may be there: look for it. */
static void look(struct answerer *answerer)
{
    const struct jr_asked *asked = &answerer->work.asked;

    snprintf(answerer->marker, sizeof answerer->marker, JR_ANSWERING_MARKER "%llu -->",
             (unsigned long long)asked->comment_id);
    answerer->ours = (struct jr_ours){ .begins = answerer->marker };
    ask(answerer, STEP_LOOKS, (struct jr_ask){
        .api = JR_API_LIST_COMMENTS, .id = asked->pull_request, .ours = &answerer->ours,
        .page = ++answerer->comments_page, .holds = &answerer->found,
    });
}

static void comments_are_told(struct answerer *answerer)
{
    if (answerer->found.id != 0)
        go_on(answerer, JR_ASKED_SAYS, true);
    else if (answerer->found.shown >= JR_GITHUB_PAGE_FOUND
             && answerer->comments_page < PAGES_MOST)
        look(answerer);
    else
        say(answerer);
}

static void reaction_is_told(struct answerer *answerer)
{
    const struct jr_asked *asked = &answerer->work.asked;

    go_on(answerer, JR_ASKED_SAYS,
          asked->verb != JR_VERB_WHY || asked->end != JR_ASKED_DONE);
}

/* GitHub has answered well. */
static void take_good(struct answerer *answerer)
{
    switch (answerer->step) {
    case STEP_PULL:
        pull_is_told(answerer);
        break;
    case STEP_COMMIT:
        commit_is_told(answerer);
        break;
    case STEP_RUNS:
        jr_answering_choose(&answerer->work, answerer->page.runs, answerer->page.count);
        act(answerer, JR_ASKED_OPEN);
        break;
    case STEP_REACTS:
        reaction_is_told(answerer);
        break;
    case STEP_LOOKS:
        comments_are_told(answerer);
        break;
    case STEP_SAYS:
        jr_test_point("after-saying");
        go_on(answerer, JR_ASKED_SAYS, true);
        break;
    case STEP_WHO:
    case STEP_IDLE:
        break;
    }
}

static void take_answer(struct answerer *answerer)
{
    struct jr_call call = answerer->question.turn.call;

    answerer->question.is_over = false;
    if (answerer->step == STEP_WHO)
        permission_is_told(answerer, &call);
    else if (call.outcome == JR_OUTCOME_DONE)
        take_good(answerer);
    else if (call.outcome != JR_OUTCOME_NEVER)
        try_again(answerer);
    else if (answerer->step == STEP_REACTS)
        reaction_is_told(answerer);
    else if (answerer->work.asked.state == JR_ASKED_NEW)
        act(answerer, JR_ASKED_GIVEN_UP);
    else
        go_on(answerer, JR_ASKED_SAYS, true);
}

/* Begin with the asking that was claimed, or put it off. */
static void begin(struct answerer *answerer)
{
    const struct jr_asked *asked = &answerer->work.asked;
    struct jr_desk *desk = answerer->desk;

    answerer->comments_page = 0;
    if (asked->state == JR_ASKED_NEW
        && (desk->calls.http == NULL || jr_now_ms() - asked->at_ms > JR_ASKED_LIFE_MS))
        act(answerer, JR_ASKED_GIVEN_UP);
    else if (desk->calls.http == NULL)
        go_on(answerer, asked->state, true);
    else if (jr_desk_pause_wait_ms(desk, asked->repo) > 0)
        put_off(answerer, PAUSED_MS, false);
    else if (!jr_calls_are_well(&desk->calls, asked->repo))
        put_off(answerer, UNWELL_MS, false);
    else if (asked->state == JR_ASKED_NEW)
        begin_new(answerer);
    else if (asked->state == JR_ASKED_ACTED)
        react(answerer);
    else if (asked->intent)
        look(answerer);
    else
        say(answerer);
}

static int64_t claim(struct answerer *answerer)
{
    struct jr_desk *desk = answerer->desk;
    int64_t due_ms, now_ms = jr_now_ms();
    struct jr_error error;
    enum jr_err err = jr_answering_claim(desk->store, now_ms, &answerer->work, &due_ms, &error);

    if (err == JR_ENOENT)
        return due_ms == 0 ? JR_CALLS_NEVER : due_ms > now_ms ? due_ms - now_ms : 0;
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return UNWELL_MS;
    }
    begin(answerer);
    return 0;
}

static int64_t take_turn(void *state)
{
    struct answerer *answerer = state;
    int64_t wait_ms = answerer->write_due_ms - jr_monotonic_ms();

    if (answerer->question.is_over) {
        take_answer(answerer);
        /* It may have made a run due. */
        if (answerer->step == STEP_IDLE)
            return 0;
    }
    if (answerer->step != STEP_IDLE || !answerer->desk->settings->commands)
        return JR_CALLS_NEVER;
    return wait_ms > 0 ? wait_ms : claim(answerer);
}

static bool is_under_way(const void *state)
{
    const struct answerer *answerer = state;

    return answerer->step != STEP_IDLE;
}

const struct jr_duty jr_answerer_duty = {
    .turn = JR_DUTY_SAY,
    .size = sizeof(struct answerer),
    .open = set_up,
    .work = take_turn,
    .is_under_way = is_under_way,
    .close = put_down,
};
