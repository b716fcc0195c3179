/*
 * turn -- one question for GitHub, with all that it takes: which token goes along, and once
 * more with another one where that is why it was refused.
 *
 * As a GitHub App, the installation that a repository belongs to may have to be looked up
 * first, and a token of it to be made. Several turns may be under way at once; where two need
 * the same look-up or token, one asks for it and the other waits.
 *
 * Each call that a turn makes is shown to who runs it, before the turn goes on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TURN_H
#define JR_TURN_H

#include "lib/config/settings.h"
#include "lib/github/app.h"
#include "lib/github/github.h"
#include "lib/github/http.h"

#include <stdbool.h>
#include <stdint.h>

/* What a call is named that was not made. */
#define JR_TURN_UNASKED "no call"

/* The turns of a process. */
struct jr_turns {
    struct jr_http *http;
    const struct jr_settings *settings; /* the token in it may be another one from now on */
    struct jr_app *app;                 /* NULL: there is a token */
    unsigned grants;                    /* JR_GRANT_*: what an App's tokens are to do besides,
                                           as far as the owner has accepted that */
    struct jr_turn *first;              /* those under way */
};

/* What an App's tokens are to do for the settings: JR_GRANT_*. */
unsigned jr_turns_grants(const struct jr_settings *settings);

enum jr_turn_state {
    JR_TURN_WAITS,    /* for what another turn has asked for */
    JR_TURN_ASKS,     /* a call is under way */
    JR_TURN_ANSWERED, /* one has ended: see `answer', and go on */
    JR_TURN_OVER      /* `call' says what came of it all */
};

struct jr_turn {
    struct jr_ask ask;     /* in. As an App, one without repo only for calls that the App makes as
                              itself */
    struct jr_call answer; /* when ANSWERED: how the last call ended */
    struct jr_call call;   /* when OVER. With status 0 and a stop as its reason, or UNASKED, GitHub
                              was not asked */
    int64_t asked_ms;      /* jr_boottime_ms() when the question itself was asked last; 0: never */
    struct jr_installation *concerns; /* when ANSWERED: what the answer may stop; NULL: all */
    bool is_main;          /* ... it answers the question itself, not what it took before */
    bool token_had_ended;  /* ... it refuses a token that is replaced: that stops nothing */
    bool again;            /* ... another call follows; who runs the turn may take that back */

    /* The rest is turn.c's. */
    enum jr_turn_state state;
    enum { JR_TURN_MAIN, JR_TURN_PLACE, JR_TURN_PLACE_AGAIN, JR_TURN_TOKEN } stage;
    struct jr_installation *installation; /* whose token goes along */
    bool looked_up, renewed, by_new_clock, begun;
    unsigned narrowed;     /* how often less was asked of a token than before */
    uint64_t token_number; /* which of the installation's tokens that is */
    struct jr_ask own;     /* what is asked for the sake of the question */
    uint64_t place;
    struct jr_github_token made;
    struct jr_exchange exchange;
    struct jr_turn *next;
};

/*
 * Begin a turn.
 *   turn  all zero but for ask; it stays where it is until jr_turn_end()
 */
void jr_turn_begin(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms);

/* See how it goes, after jr_http_work(); ANSWERED is returned until jr_turn_go_on(). */
enum jr_turn_state jr_turn_work(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms);

/* Make the next call, or none if there is none to be made. */
void jr_turn_go_on(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms);

/* Break off the call that is under way: the turn is ANSWERED, as though that had failed. */
void jr_turn_give_up(struct jr_turns *turns, struct jr_turn *turn, int64_t now_ms);

/* Release it, under way or not. One that was never begun: nothing. */
void jr_turn_end(struct jr_turns *turns, struct jr_turn *turn);

/* Make a whole turn and wait for its end: for who does nothing else, and notes nothing. */
void jr_turn_await(struct jr_turns *turns, struct jr_turn *turn);

#endif
