/*
 * app -- what is known of a GitHub App: its key, which installation each repository belongs
 * to, and the tokens of the installations.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/app.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/jwt.h"
#include "lib/crypto/signature.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How long a token lives whose end GitHub does not tell. */
#define LIFE_MS JR_HOUR_MS

/* Where a repository belongs. */
struct place {
    char repo[JR_REPO_SIZE]; /* empty: none is kept here */
    uint64_t installation;
    uint64_t used;
};

struct jr_app {
    const struct jr_settings *settings;
    struct jr_store *store;
    struct jr_jwt_key *key;
    int64_t skew_ms;
    uint64_t uses;
    struct place places[JR_APP_REPOS];
    struct jr_installation installations[JR_APP_INSTALLATIONS];
};

enum jr_err jr_app_take_key(struct jr_app *app, struct jr_error *error)
{
    struct jr_jwt_key *key;
    enum jr_err err = jr_jwt_key_open(&key, app->settings->github_app_key, error);

    if (err != JR_OK)
        return err;
    jr_jwt_key_close(app->key);
    app->key = key;
    return JR_OK;
}

enum jr_err jr_app_open(struct jr_app **app, const struct jr_settings *settings,
                        struct jr_store *store, struct jr_error *error)
{
    struct jr_app *opened = calloc(1, sizeof *opened);
    enum jr_err err = JR_ENOMEM;

    *app = NULL;
    if (opened == NULL)
        return jr_error_set(error, err, "out of memory");
    opened->settings = settings;
    opened->store = store;
    err = jr_app_take_key(opened, error);
    if (err != JR_OK) {
        free(opened);
        return err;
    }
    *app = opened;
    return JR_OK;
}

void jr_app_drop_token(struct jr_installation *installation)
{
    if (installation->token == NULL)
        return;
    jr_wipe(installation->token, strlen(installation->token));
    free(installation->token);
    installation->token = NULL;
}

void jr_app_close(struct jr_app *app)
{
    if (app == NULL)
        return;
    for (size_t i = 0; i < JR_APP_INSTALLATIONS; i++)
        jr_app_drop_token(&app->installations[i]);
    jr_jwt_key_close(app->key);
    free(app);
}

enum jr_err jr_app_sign(const struct jr_app *app, int64_t now_ms, char jwt[JR_JWT_SIZE])
{
    return jr_jwt_make(app->key, app->settings->github_app_id, now_ms + app->skew_ms, jwt);
}

/* "'Expiration time' claim ('exp') is too far in the future", "'Issued at' claim ('iat') must ..." */
bool jr_app_learn_clock(struct jr_app *app, const struct jr_call *call, int64_t now_ms)
{
    if (call->status != 401 || call->date_ms == 0
        || (strstr(call->text, "'exp'") == NULL && strstr(call->text, "'iat'") == NULL))
        return false;
    app->skew_ms = call->date_ms - now_ms;
    return true;
}

int64_t jr_app_skew_ms(const struct jr_app *app)
{
    return app->skew_ms;
}

const struct jr_installation *jr_app_next(const struct jr_app *app, size_t *at)
{
    while (*at < JR_APP_INSTALLATIONS) {
        const struct jr_installation *installation = &app->installations[(*at)++];

        if (installation->id != 0)
            return installation;
    }
    return NULL;
}

/* An owner has an App once, so all his repositories belong to one installation. */
static struct jr_installation *installation_of_owner(struct jr_app *app, const char *repo)
{
    const char *slash = strchr(repo, '/');
    const struct place *newest = NULL;

    for (size_t i = 0; slash != NULL && i < JR_APP_REPOS; i++) {
        const struct place *place = &app->places[i];

        if (strncasecmp(place->repo, repo, (size_t)(slash - repo) + 1) == 0
            && (newest == NULL || place->used > newest->used))
            newest = place;
    }
    for (size_t i = 0; newest != NULL && i < JR_APP_INSTALLATIONS; i++)
        if (app->installations[i].id == newest->installation)
            return &app->installations[i];
    return NULL;
}

struct jr_throttle *jr_app_throttle(struct jr_app *app, const char *repo)
{
    struct jr_installation *installation = installation_of_owner(app, repo);

    return installation == NULL ? NULL : &installation->throttle;
}

bool jr_app_is_making(struct jr_app *app, const char *repo)
{
    const struct jr_installation *installation = installation_of_owner(app, repo);

    return installation != NULL && installation->making;
}

static struct place *find_place(struct jr_app *app, const char *repo)
{
    for (size_t i = 0; i < JR_APP_REPOS; i++) {
        if (app->places[i].repo[0] != '\0' && strcasecmp(app->places[i].repo, repo) == 0) {
            app->places[i].used = ++app->uses;
            return &app->places[i];
        }
    }
    return NULL;
}

uint64_t jr_app_place(struct jr_app *app, const char *repo)
{
    const struct place *place = find_place(app, repo);

    return place == NULL ? 0 : place->installation;
}

void jr_app_forget_place(struct jr_app *app, const char *repo)
{
    struct place *place = find_place(app, repo);

    if (place != NULL)
        memset(place, 0, sizeof *place);
}

void jr_app_keep_place(struct jr_app *app, const char *repo, uint64_t installation)
{
    struct place *place = find_place(app, repo);

    for (size_t i = 0; place == NULL && i < JR_APP_REPOS; i++)
        if (app->places[i].repo[0] == '\0')
            place = &app->places[i];
    if (place == NULL) {
        place = &app->places[0];
        for (size_t i = 1; i < JR_APP_REPOS; i++)
            if (app->places[i].used < place->used)
                place = &app->places[i];
    }
    jr_text_copy(place->repo, sizeof place->repo, repo);
    place->installation = installation;
    place->used = ++app->uses;
}

/* What is known of an installation. */
struct known {
    const char *app_id;
    struct jr_installation *installation;
    int64_t now_ms;
};

static void read_throttle(struct jr_txn *txn, void *context)
{
    const struct known *known = context;

    jr_throttle_load(txn, &known->installation->throttle, known->app_id, known->installation->id,
                     known->now_ms);
}

static void load_throttle(struct jr_app *app, struct jr_installation *installation, int64_t now_ms)
{
    struct known known = { app->settings->github_app_id, installation, now_ms };
    struct jr_error error;

    /* When it cannot be read nothing is known, but whose it is: by that it is saved. */
    if (app->store != NULL && jr_store_read(app->store, read_throttle, &known, &error) != JR_OK)
        installation->throttle.installation = installation->id;
}

/* The place of the installation that was not used for longest, and is not used now. */
static struct jr_installation *oldest_installation(struct jr_app *app)
{
    struct jr_installation *oldest = NULL;

    for (size_t i = 0; i < JR_APP_INSTALLATIONS; i++)
        if (app->installations[i].users == 0
            && (oldest == NULL || app->installations[i].used < oldest->used))
            oldest = &app->installations[i];
    return oldest;
}

struct jr_installation *jr_app_installation(struct jr_app *app, uint64_t id, int64_t now_ms)
{
    struct jr_installation *found = NULL;

    for (size_t i = 0; found == NULL && i < JR_APP_INSTALLATIONS; i++)
        if (app->installations[i].id == id)
            found = &app->installations[i];
    if (found == NULL) {
        found = oldest_installation(app);
        jr_app_drop_token(found);
        memset(found, 0, sizeof *found);
        found->id = id;
        found->rate_remaining = -1;
        load_throttle(app, found, now_ms);
    }
    found->used = ++app->uses;
    return found;
}

bool jr_app_has_token(const struct jr_app *app, const struct jr_installation *installation,
                      int64_t now_ms)
{
    return installation->token != NULL
           && installation->expires_ms - (now_ms + app->skew_ms) > JR_APP_EARLY_MS;
}

void jr_app_keep_token(const struct jr_app *app, struct jr_installation *installation,
                       const struct jr_github_token *made, int64_t now_ms)
{
    jr_app_drop_token(installation);
    installation->token = made->token;
    installation->grants = made->grants;
    installation->tokens++;
    installation->made_ms = jr_monotonic_ms();
    installation->proven = false;
    installation->expires_ms = made->expires_ms != 0 ? made->expires_ms
                                                     : now_ms + app->skew_ms + LIFE_MS;
}
