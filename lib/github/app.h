/*
 * app -- speaks to GitHub as a GitHub App: for each repository with a token of the
 * installation that it belongs to.
 *
 * Who signs with the App's key (lib/crypto/jwt.h) may ask where a repository belongs and for
 * tokens, nothing else. A token ends after an hour; it is asked for anew shortly
 * before, and never written down. Installations and the repositories' places are
 * kept in memory, those used last.
 *
 * Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_APP_H
#define JR_APP_H

#include "lib/base/error.h"
#include "lib/config/settings.h"
#include "lib/github/http.h"
#include "lib/github/throttle.h"
#include "lib/model/call.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How many are kept. One more takes the place of the one that was not used for longest;
 * of that, the stops are remembered (in the store), the bucket of its share is not.
 */
#define JR_APP_INSTALLATIONS 64
#define JR_APP_REPOS 512

/* A token is not used in the last minutes of its life. */
#define JR_APP_EARLY_MS (5 * JR_MINUTE_MS)

/*
 * A token that has not worked yet may be refused for its first seconds: it is not known
 * everywhere at GitHub. Until then that is no reason to make another one, nor to believe it.
 */
#define JR_APP_FRESH_MS (10 * JR_SECOND_MS)

struct jr_app;

/* An installation: an organisation or user that has the App. */
struct jr_installation {
    uint64_t id;                 /* 0: none is kept here */
    char *token;                 /* NULL: it is to be asked for */
    int64_t expires_ms;          /* when it ends, by GitHub's clock */
    int64_t made_ms;             /* monotonic: when it was made */
    bool proven;                 /* GitHub has taken it */
    bool remade;                 /* it was made because the one before was not taken */
    struct jr_throttle throttle; /* what stops this one, and no other */
    int64_t rate_remaining;      /* of its hourly limit, for who uses this; -1: not told */
    int64_t rate_reset_ms;
    uint64_t used;               /* turn of the last use */
};

/*
 * Told of each call that app.c makes by itself.
 *   installation  what the answer stops, if it stops anything; NULL: all
 */
typedef void jr_app_note(void *context, struct jr_installation *installation,
                         const struct jr_call *call);

/*
 *   app       out: owned by the caller, jr_app_close(); NULL unless JR_OK
 *   http      its token is set by the functions below
 *   settings  has an App; stays the caller's, as long as app lives
 *   store     where the stops of installations are; NULL: none is known
 *   note      may be NULL
 * Returns JR_OK, JR_EINVAL for a bad key, JR_ENOMEM.
 */
enum jr_err jr_app_open(struct jr_app **app, struct jr_http *http,
                        const struct jr_settings *settings, struct jr_store *store,
                        jr_app_note *note, void *context, struct jr_error *error) JR_CHECKED;
void jr_app_close(struct jr_app *app); /* NULL: nothing; wipes tokens and key */

/* Take the key in the settings, which has changed. JR_OK, JR_EINVAL, JR_ENOMEM. */
enum jr_err jr_app_take_key(struct jr_app *app, struct jr_error *error) JR_CHECKED;

/* Ask GitHub who the App is. name: out, as people see it. */
void jr_app_ask_who(struct jr_app *app, int64_t now_ms, char *name, size_t size,
                    struct jr_call *call);

/* How far GitHub's clock is ahead of ours, as far as it mattered; 0: it did not. */
int64_t jr_app_skew_ms(const struct jr_app *app);

/* One call about a repository. */
struct jr_turn {
    const char *repo;                     /* in: owner/name */
    struct jr_installation *installation; /* out: good until the next turn; the rest is app.c's */
    bool looked_up, renewed;
};

/*
 * Get ready for a call about turn->repo: afterwards http has the token for it.
 * Returns false when there can be no such call now; call then says why: with status
 * 0 and a reason of a stop, GitHub was not asked.
 */
bool jr_app_enter(struct jr_app *app, struct jr_turn *turn, int64_t now_ms, struct jr_call *call);

/* Is a 401 of this turn the token's alone? Then jr_app_again() has another one made, once. */
bool jr_app_renews(const struct jr_turn *turn);

/*
 * Before an answer is noted: one that refuses a fresh token (401, 404, a permission) is
 * LATER, and stops nothing. Returns whether it is such a one; then jr_app_again() is not
 * asked.
 */
bool jr_app_is_too_early(const struct jr_turn *turn, struct jr_call *call);

/*
 * What to make of the answer. Returns whether to jr_app_enter() and call again: once
 * after a 401 with a new token, and once if the repository belongs to another
 * installation than it did.
 *   call  in and out: replaced when it shows that the repository belongs to none
 */
bool jr_app_again(struct jr_app *app, struct jr_turn *turn, int64_t now_ms, struct jr_call *call);

/*
 * What throttles calls about a repository: that of its owner's installation, as far
 * as one is kept; else NULL.
 */
struct jr_throttle *jr_app_throttle(struct jr_app *app, const char *repo);

/* The installations that are kept, beginning with *at = 0; NULL after the last. */
const struct jr_installation *jr_app_next(const struct jr_app *app, size_t *at);

#endif
