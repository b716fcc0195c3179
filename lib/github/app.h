/*
 * app -- what is known of a GitHub App: its key, which installation each repository belongs
 * to, and the tokens of the installations.
 *
 * Who signs with the App's key (lib/crypto/jwt.h) may ask where a repository belongs and for
 * tokens, nothing else: lib/github/turn.h does. A token ends after an hour; it is asked for
 * anew shortly before, and never written down. Installations and the repositories' places are
 * kept in memory, those used last.
 *
 * Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_APP_H
#define JR_APP_H

#include "lib/base/error.h"
#include "lib/base/timestamp.h"
#include "lib/config/settings.h"
#include "lib/crypto/jwt.h"
#include "lib/github/github.h"
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
    uint64_t tokens;             /* how many were made so far */
    unsigned grants;             /* what the token may read besides Actions: JR_GRANT_* */
    bool making;                 /* the next one is being asked for */
    bool proven;                 /* GitHub has taken the token */
    bool remade;                 /* it was made because the one before was not taken */
    struct jr_throttle throttle; /* what stops this one, and no other */
    int64_t rate_remaining;      /* of its hourly limit, for who uses this; -1: not told */
    int64_t rate_reset_ms;
    uint64_t used;               /* when it was used last, in uses */
    unsigned users;              /* turns that are at it: its place is not given away */
};

/*
 *   app       out: owned by the caller, jr_app_close(); NULL unless JR_OK
 *   settings  has an App; stays the caller's, as long as app lives
 *   store     where the stops of installations are; NULL: none is known
 * Returns JR_OK, JR_EINVAL for a bad key, JR_ENOMEM.
 */
enum jr_err jr_app_open(struct jr_app **app, const struct jr_settings *settings,
                        struct jr_store *store, struct jr_error *error) JR_CHECKED;
void jr_app_close(struct jr_app *app); /* NULL: nothing; wipes tokens and key */

/* Take the key in the settings, which has changed. JR_OK, JR_EINVAL, JR_ENOMEM. */
enum jr_err jr_app_take_key(struct jr_app *app, struct jr_error *error) JR_CHECKED;

/* Make a token of the App itself, by GitHub's clock. JR_OK, or what failed. */
enum jr_err jr_app_sign(const struct jr_app *app, int64_t now_ms,
                        char jwt[JR_JWT_SIZE]) JR_CHECKED;

/*
 * Was a call signed so refused because the clocks differ? Then GitHub's goes from now on, and
 * the call is to be made once more.
 */
bool jr_app_learn_clock(struct jr_app *app, const struct jr_call *call, int64_t now_ms);

/* How far GitHub's clock is ahead of ours, as far as it mattered; 0: it did not. */
int64_t jr_app_skew_ms(const struct jr_app *app);

/* Which installation a repository belongs to; 0: that is not known, or no longer. */
uint64_t jr_app_place(struct jr_app *app, const char *repo);
void jr_app_keep_place(struct jr_app *app, const char *repo, uint64_t installation);
void jr_app_forget_place(struct jr_app *app, const char *repo);

/*
 * An installation, in the place of the one that was not used for longest if it is new. It
 * stays as long as it has users, who count themselves.
 */
struct jr_installation *jr_app_installation(struct jr_app *app, uint64_t id, int64_t now_ms);

/* Has it a token that will last for a call? */
bool jr_app_has_token(const struct jr_app *app, const struct jr_installation *installation,
                      int64_t now_ms);
/* Keep a token that was made; its text is the installation's from now on. */
void jr_app_keep_token(const struct jr_app *app, struct jr_installation *installation,
                       const struct jr_github_token *made, int64_t now_ms);
/* Wipe it, if there is one. */
void jr_app_drop_token(struct jr_installation *installation);

/*
 * What throttles calls about a repository: that of its owner's installation, as far
 * as one is kept; else NULL.
 */
struct jr_throttle *jr_app_throttle(struct jr_app *app, const char *repo);

/* Is a token being made for the installation of a repository's owner? */
bool jr_app_is_making(struct jr_app *app, const char *repo);

/* The installations that are kept, beginning with *at = 0; NULL after the last. */
const struct jr_installation *jr_app_next(const struct jr_app *app, size_t *at);

#endif
