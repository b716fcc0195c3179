/*
 * turn -- one question for GitHub, with all that it takes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/turn.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/jwt.h"
#include "lib/crypto/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void set_installation(struct jr_turn *turn, struct jr_installation *installation)
{
    if (turn->installation != NULL)
        turn->installation->users--;
    turn->installation = installation;
    if (installation != NULL)
        installation->users++;
}

static const struct jr_ask *ask_of(const struct jr_turn *turn)
{
    return turn->stage == JR_TURN_MAIN ? &turn->ask : &turn->own;
}

/* Nothing can be signed, so that nothing can be asked: which is an answer, of a kind. */
static void cannot_sign(struct jr_turn *turn)
{
    turn->answer = (struct jr_call){
        .api = JR_API_GET_APP, .what = jr_github_what(JR_API_GET_APP),
        .outcome = JR_OUTCOME_LATER, .reason = JR_REASON_BAD_APP, .stops_all = true,
        .rate_remaining = -1, .text = "nothing can be signed",
    };
    turn->call = turn->answer;
    turn->again = false;
    turn->state = JR_TURN_ANSWERED;
    if (turn->stage == JR_TURN_TOKEN)
        turn->installation->making = false;
}

/* Begin the call of the turn's stage. */
static void start(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    const struct jr_ask *ask = ask_of(turn);
    const char *token = turn->installation != NULL ? turn->installation->token
                                                   : turns->settings->github_token;
    char jwt[JR_JWT_SIZE] = "";

    turn->concerns = NULL;
    turn->is_main = turn->stage == JR_TURN_MAIN;
    turn->token_had_ended = false;
    if (jr_github_is_as_app(ask->api)) {
        if (jr_app_sign(turns->app, now_ms, jwt) != JR_OK) {
            cannot_sign(turn);
            return;
        }
        token = jwt;
    }
    turn->state = JR_TURN_ASKS;
    jr_github_begin(&turn->exchange, turns->http, turns->settings->github_api_url, token, ask);
    jr_wipe(jwt, sizeof jwt);
}

static void look_up(struct jr_turns *turns, struct jr_turn *turn, bool again, int64_t now_ms)
{
    turn->looked_up = true;
    turn->by_new_clock = false;
    turn->stage = again ? JR_TURN_PLACE_AGAIN : JR_TURN_PLACE;
    turn->own = (struct jr_ask){ .api = JR_API_GET_INSTALLATION, .repo = turn->ask.repo,
                                 .holds = &turn->place };
    start(turns, turn, now_ms);
}

/* What it takes to say at GitHub what becomes of runs. */
static unsigned report_grants(const struct jr_settings *settings)
{
    if (!jr_settings_reports(settings))
        return 0;
    return settings->report == JR_REPORTING_CHECK ? JR_GRANT_WRITE_CHECKS : JR_GRANT_WRITE_PULLS;
}

/* What it takes to answer who asks on a pull request. */
static unsigned command_grants(const struct jr_settings *settings)
{
    return settings->commands && !settings->dry_run ? JR_GRANT_WRITE_PULLS : 0;
}

unsigned jr_turns_grants(const struct jr_settings *settings)
{
    bool reads_checks = settings->judges && settings->evidence != JR_LOOKING_NEVER;

    return (reads_checks ? JR_GRANT_CHECKS : 0u) | (settings->guards_pulls ? JR_GRANT_PULLS : 0u)
           | (settings->guards_files || settings->own_files ? JR_GRANT_CONTENTS : 0u)
           | report_grants(settings) | command_grants(settings);
}

/*
 * What the next token is asked to do: all that is wanted (of two things that are written each
 * without the other, then), then all that is read, then what is written alone, then ever less of
 * what is read, since GitHub does not say what of it an owner has not accepted.
 *   refused  how many of these were refused by now
 */
static unsigned grants_of(unsigned wanted, unsigned refused)
{
    static const unsigned order[] = {
        JR_GRANTS_ALL,
        JR_GRANT_CHECKS | JR_GRANT_PULLS, JR_GRANT_CHECKS | JR_GRANT_CONTENTS,
        JR_GRANT_PULLS | JR_GRANT_CONTENTS,
        JR_GRANT_CHECKS, JR_GRANT_PULLS, JR_GRANT_CONTENTS,
    };

    unsigned writes = wanted & JR_GRANTS_WRITE;

    if (writes != 0 && refused == 0)
        return wanted;
    if (writes == JR_GRANTS_WRITE && refused <= 2)
        return wanted & ~(unsigned)(refused == 1 ? JR_GRANT_WRITE_PULLS : JR_GRANT_WRITE_CHECKS);
    if (writes == JR_GRANTS_WRITE)
        refused -= 2;
    if (writes != 0 && refused == 2 && wanted != writes)
        return writes;
    if (writes != 0)
        refused -= refused > 2 ? 2 : 1;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if ((order[i] & ~wanted) == 0 && refused-- == 0)
            return order[i];
    return 0;
}

static void make_token(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    jr_app_drop_token(turn->installation);
    turn->installation->making = true;
    turn->by_new_clock = false;
    turn->stage = JR_TURN_TOKEN;
    turn->own = (struct jr_ask){ .api = JR_API_MAKE_TOKEN, .id = turn->installation->id,
                                 .grants = grants_of(turns->grants, turn->narrowed),
                                 .holds = &turn->made };
    start(turns, turn, now_ms);
}

static void ask_itself(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    turn->stage = JR_TURN_MAIN;
    turn->by_new_clock = false;
    turn->asked_ms = jr_boottime_ms();
    turn->token_number = turn->installation == NULL ? 0 : turn->installation->tokens;
    start(turns, turn, now_ms);
}

/* Does another turn ask where the repository belongs? */
static bool is_looked_up(const struct jr_turns *turns, const struct jr_turn *turn)
{
    for (const struct jr_turn *other = turns->first; other != NULL; other = other->next)
        if (other != turn && other->state == JR_TURN_ASKS
            && (other->stage == JR_TURN_PLACE || other->stage == JR_TURN_PLACE_AGAIN)
            && strcasecmp(other->ask.repo, turn->ask.repo) == 0)
            return true;
    return false;
}

/* Nothing is asked while the installation is stopped. */
static bool is_stopped(struct jr_turn *turn, int64_t now_ms)
{
    struct jr_installation *installation = turn->installation;
    int64_t left_ms = jr_throttle_stop_left_ms(&installation->throttle, now_ms);
    struct jr_call *call = &turn->call;

    if (left_ms <= 0)
        return false;
    *call = (struct jr_call){ .api = JR_API_NONE, .what = JR_TURN_UNASKED,
                              .outcome = JR_OUTCOME_LATER,
                              .reason = installation->throttle.stop_reason, .rate_remaining = -1 };
    snprintf(call->text, sizeof call->text, "installation %llu is not called for another %lld s",
             (unsigned long long)installation->id, (long long)((left_ms + 999) / 1000));
    return true;
}

/* Begin the next call that the question takes: for its place, for a token, or itself. */
static void enter(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    uint64_t place;

    if (turns->app == NULL || jr_github_is_as_app(turn->ask.api)) {
        ask_itself(turns, turn, now_ms);
        return;
    }
    place = jr_app_place(turns->app, turn->ask.repo);
    turn->state = JR_TURN_WAITS;
    if (place == 0) {
        if (!is_looked_up(turns, turn))
            look_up(turns, turn, false, now_ms);
        return;
    }
    set_installation(turn, jr_app_installation(turns->app, place, now_ms));
    if (is_stopped(turn, now_ms))
        turn->state = JR_TURN_OVER;
    else if (turn->installation->making)
        return;
    else if (jr_app_has_token(turns->app, turn->installation, now_ms))
        ask_itself(turns, turn, now_ms);
    else
        make_token(turns, turn, now_ms);
}

void jr_turn_begin(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    turn->begun = true;
    turn->next = turns->first;
    turns->first = turn;
    enter(turns, turn, now_ms);
}

static void place_is_told(struct jr_turns *turns, struct jr_turn *turn)
{
    uint64_t before = turn->installation == NULL ? 0 : turn->installation->id;
    bool done = turn->answer.outcome == JR_OUTCOME_DONE;

    if (done)
        jr_app_keep_place(turns->app, turn->ask.repo, turn->place);
    turn->again = done && (turn->stage == JR_TURN_PLACE || turn->place != before);
    /* If it belongs where it did, what was refused before stays refused. */
    if (turn->stage == JR_TURN_PLACE || !done)
        turn->call = turn->answer;
}

static void token_is_told(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    enum jr_reason reason = turn->answer.reason;

    turn->call = turn->answer;
    turn->installation->making = false;
    turn->concerns = reason == JR_REASON_APP_SUSPENDED ? turn->installation : NULL;
    turn->again = turn->answer.outcome == JR_OUTCOME_DONE;
    if (turn->again) {
        jr_app_keep_token(turns->app, turn->installation, &turn->made, now_ms);
        turn->made.token = NULL;
    } else if (reason == JR_REASON_NOT_INSTALLED && !turn->looked_up) {
        /* It was taken away, and perhaps installed again since. */
        jr_app_forget_place(turns->app, turn->ask.repo);
        turn->again = true;
    } else if (reason == JR_REASON_NO_PERMISSION && turn->own.grants != 0) {
        /* The owner has not accepted that; whether he has by then, the next token shows. */
        turn->narrowed++;
        turn->again = true;
    }
}

/*
 * An answer that refuses a fresh token (401, 404, a permission): the token is not known
 * everywhere at GitHub yet. The call is LATER, and stops nothing.
 */
static bool is_too_early(const struct jr_turn *turn, struct jr_call *call)
{
    struct jr_installation *installation = turn->installation;
    bool is_newest = turn->token_number == installation->tokens;

    if (is_newest && call->status >= 200 && call->status < 300) {
        installation->proven = true;
        installation->remade = false;
    }
    if (!is_newest || installation->proven
        || jr_monotonic_ms() - installation->made_ms >= JR_APP_FRESH_MS
        || (call->reason != JR_REASON_BAD_TOKEN && call->reason != JR_REASON_NOT_FOUND
            && call->reason != JR_REASON_NO_PERMISSION))
        return false;
    call->outcome = JR_OUTCOME_LATER;
    call->stops_all = false;
    call->wait_ms = 0;
    return true;
}

/*
 * A 401 to the token of an installation: another one is made, once; or, where another turn has
 * seen that before, its new one is taken.
 */
static void token_is_refused(struct jr_turn *turn)
{
    struct jr_installation *installation = turn->installation;
    bool is_replaced = installation->token == NULL || turn->token_number != installation->tokens;

    turn->again = turn->token_had_ended = !turn->renewed && (is_replaced || !installation->remade);
    turn->renewed = true;
    if (is_replaced)
        return;
    jr_app_drop_token(installation);
    installation->remade = true;
}

static void question_is_answered(struct jr_turns *turns, struct jr_turn *turn)
{
    enum jr_reason reason = turn->answer.reason;

    turn->again = false;
    turn->concerns = turn->installation;
    if (turn->installation == NULL || is_too_early(turn, &turn->answer)) {
        turn->call = turn->answer;
        return;
    }
    turn->call = turn->answer;
    if (reason == JR_REASON_BAD_TOKEN) {
        token_is_refused(turn);
    } else if (!turn->looked_up && !jr_github_is_optional(turn->ask.api)
               && (reason == JR_REASON_NOT_FOUND || reason == JR_REASON_NO_PERMISSION)) {
        /* Was the repository taken out of the installation, or given to another owner? */
        jr_app_forget_place(turns->app, turn->ask.repo);
        turn->again = true;
    }
}

/* What follows from the answer of the call that has ended. */
static void judge(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    turn->state = JR_TURN_ANSWERED;
    switch (turn->stage) {
    case JR_TURN_PLACE:
    case JR_TURN_PLACE_AGAIN:
        place_is_told(turns, turn);
        break;
    case JR_TURN_TOKEN:
        token_is_told(turns, turn, now_ms);
        break;
    case JR_TURN_MAIN:
        question_is_answered(turns, turn);
        break;
    }
}

enum jr_turn_state jr_turn_work(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    if (turn->state == JR_TURN_WAITS)
        enter(turns, turn, now_ms);
    if (turn->state != JR_TURN_ASKS || !jr_github_take(&turn->exchange, now_ms, &turn->answer))
        return turn->state;
    jr_github_release(&turn->exchange);
    if (jr_github_is_as_app(ask_of(turn)->api) && !turn->by_new_clock
        && jr_app_learn_clock(turns->app, &turn->answer, now_ms)) {
        turn->by_new_clock = true;
        start(turns, turn, now_ms);
    } else {
        judge(turns, turn, now_ms);
    }
    return turn->state;
}

void jr_turn_go_on(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    if (!turn->again)
        turn->state = JR_TURN_OVER;
    else if (turn->stage == JR_TURN_MAIN && turn->call.reason != JR_REASON_BAD_TOKEN)
        look_up(turns, turn, true, now_ms);
    else if (turn->stage == JR_TURN_TOKEN && turn->installation->token != NULL)
        ask_itself(turns, turn, now_ms); /* however soon it ends */
    else
        enter(turns, turn, now_ms);
}

void jr_turn_give_up(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms)
{
    if (turn->exchange.transfer != NULL)
        jr_http_give_up(turn->exchange.transfer);
    /* First, for what it waits for may be there by now, and a call would begin. */
    if (turn->state == JR_TURN_WAITS) {
        turn->call = (struct jr_call){ .api = JR_API_NONE, .what = JR_TURN_UNASKED,
                                       .outcome = JR_OUTCOME_LATER,
                                       .reason = JR_REASON_UNREACHABLE, .rate_remaining = -1,
                                       .text = "broken off" };
        turn->state = JR_TURN_OVER;
    }
    (void)jr_turn_work(turns, turn, now_ms);
    turn->again = false;
}

void jr_turn_end(struct jr_turns *turns, struct jr_turn *turn)
{
    struct jr_turn **link = &turns->first;

    if (!turn->begun)
        return;
    while (*link != turn)
        link = &(*link)->next;
    *link = turn->next;
    jr_github_release(&turn->exchange);
    if (turn->stage == JR_TURN_TOKEN && turn->state == JR_TURN_ASKS)
        turn->installation->making = false;
    set_installation(turn, NULL);
    turn->begun = false;
}

void jr_turn_await(struct jr_turns *turns, struct jr_turn *turn)
{
    jr_turn_begin(turns, turn, jr_now_ms());
    while (jr_turn_work(turns, turn, jr_now_ms()) != JR_TURN_OVER) {
        if (turn->state == JR_TURN_ANSWERED)
            jr_turn_go_on(turns, turn, jr_now_ms());
        else if (turn->exchange.transfer != NULL)
            (void)jr_http_await(turn->exchange.transfer);
    }
}
