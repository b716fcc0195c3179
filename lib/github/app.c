/*
 * app -- speaks to GitHub as a GitHub App.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/app.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/jwt.h"
#include "lib/crypto/signature.h"
#include "lib/github/github.h"

#include <stdio.h>
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
    struct jr_http *http;
    const struct jr_settings *settings;
    struct jr_store *store;
    jr_app_note *note;
    void *context;
    struct jr_jwt_key *key;
    int64_t skew_ms;
    uint64_t turns;
    struct place places[JR_APP_REPOS];
    struct jr_installation installations[JR_APP_INSTALLATIONS];
};

/* One of the calls with a JWT, and what it gives. */
struct question {
    void (*ask)(const struct jr_app *app, struct question *question, int64_t now_ms,
                struct jr_call *call);
    const char *repo;
    uint64_t installation;
    char **token, *name;
    int64_t expires_ms;
    size_t size;
};

static void ask_who(const struct jr_app *app, struct question *question, int64_t now_ms,
                    struct jr_call *call)
{
    jr_github_get_app(app->http, app->settings->github_api_url, now_ms, question->name,
                      question->size, call);
}

static void ask_where(const struct jr_app *app, struct question *question, int64_t now_ms,
                      struct jr_call *call)
{
    jr_github_get_installation(app->http, app->settings->github_api_url, question->repo, now_ms,
                               &question->installation, call);
}

static void ask_for_token(const struct jr_app *app, struct question *question, int64_t now_ms,
                          struct jr_call *call)
{
    jr_github_make_token(app->http, app->settings->github_api_url, question->installation, now_ms,
                         question->token, &question->expires_ms, call);
}

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

enum jr_err jr_app_open(struct jr_app **app, struct jr_http *http,
                        const struct jr_settings *settings, struct jr_store *store,
                        jr_app_note *note, void *context, struct jr_error *error)
{
    struct jr_app *opened = calloc(1, sizeof *opened);
    enum jr_err err = JR_ENOMEM;

    *app = NULL;
    if (opened == NULL)
        return jr_error_set(error, err, "out of memory");
    opened->http = http;
    opened->settings = settings;
    opened->store = store;
    opened->note = note;
    opened->context = context;
    err = jr_app_take_key(opened, error);
    if (err != JR_OK) {
        free(opened);
        return err;
    }
    *app = opened;
    return JR_OK;
}

static void drop_token(struct jr_app *app, struct jr_installation *installation)
{
    jr_http_set_token(app->http, NULL);
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
        drop_token(app, &app->installations[i]);
    jr_jwt_key_close(app->key);
    free(app);
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
struct jr_throttle *jr_app_throttle(struct jr_app *app, const char *repo)
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
            return &app->installations[i].throttle;
    return NULL;
}

/* The calls of an App as itself have refusals of their own. */
static void sort_as_app(struct jr_call *call)
{
    if (call->reason == JR_REASON_BAD_TOKEN)
        call->reason = JR_REASON_BAD_APP;
    /* GitHub knows no App of that id, so that nothing can be asked. */
    if (call->status == 404 && strcasestr(call->text, "integration not found") != NULL) {
        call->outcome = JR_OUTCOME_LATER;
        call->reason = JR_REASON_BAD_APP;
        call->stops_all = true;
    }
}

/* "'Expiration time' claim ('exp') is too far in the future", "'Issued at' claim ('iat') must ..." */
static bool is_about_clocks(const struct jr_call *call)
{
    return call->status == 401 && call->date_ms != 0
           && (strstr(call->text, "'exp'") != NULL || strstr(call->text, "'iat'") != NULL);
}

/* Ask with a JWT; once more by GitHub's clock when ours is wrong. */
static void ask(struct jr_app *app, struct question *question, int64_t now_ms,
                struct jr_call *call)
{
    char jwt[JR_JWT_SIZE];
    bool again = true;

    for (int tries = 0; again; tries++) {
        if (jr_jwt_make(app->key, app->settings->github_app_id, now_ms + app->skew_ms, jwt)
            != JR_OK) {
            *call = (struct jr_call){ .what = "GET app", .outcome = JR_OUTCOME_LATER,
                                      .reason = JR_REASON_BAD_APP, .stops_all = true,
                                      .rate_remaining = -1, .text = "nothing can be signed" };
            break;
        }
        jr_http_set_token(app->http, jwt);
        question->ask(app, question, now_ms, call);
        jr_http_set_token(app->http, NULL);
        sort_as_app(call);
        again = tries == 0 && is_about_clocks(call);
        if (again)
            app->skew_ms = call->date_ms - now_ms;
    }
    jr_wipe(jwt, sizeof jwt);
}

static void note(const struct jr_app *app, struct jr_installation *installation,
                 const struct jr_call *call)
{
    if (app->note != NULL)
        app->note(app->context, installation, call);
}

void jr_app_ask_who(struct jr_app *app, int64_t now_ms, char *name, size_t size,
                    struct jr_call *call)
{
    struct question question = { .ask = ask_who, .name = name, .size = size };

    ask(app, &question, now_ms, call);
    note(app, NULL, call);
}

static struct place *find_place(struct jr_app *app, const char *repo)
{
    for (size_t i = 0; i < JR_APP_REPOS; i++) {
        if (app->places[i].repo[0] != '\0' && strcasecmp(app->places[i].repo, repo) == 0) {
            app->places[i].used = ++app->turns;
            return &app->places[i];
        }
    }
    return NULL;
}

static void forget_place(struct jr_app *app, const char *repo)
{
    struct place *place = find_place(app, repo);

    if (place != NULL)
        memset(place, 0, sizeof *place);
}

/* Ask where a repository belongs, and keep it. NULL: call says why not. */
static struct place *look_up(struct jr_app *app, const char *repo, int64_t now_ms,
                             struct jr_call *call)
{
    struct question question = { .ask = ask_where, .repo = repo };
    struct place *oldest = &app->places[0];

    ask(app, &question, now_ms, call);
    if (call->reason == JR_REASON_NOT_FOUND)
        call->reason = JR_REASON_NOT_INSTALLED;
    note(app, NULL, call);
    if (call->outcome != JR_OUTCOME_DONE)
        return NULL;
    for (size_t i = 1; i < JR_APP_REPOS; i++)
        if (app->places[i].used < oldest->used)
            oldest = &app->places[i];
    jr_text_copy(oldest->repo, sizeof oldest->repo, repo);
    oldest->installation = question.installation;
    oldest->used = ++app->turns;
    return oldest;
}

static void load_throttle(struct jr_app *app, struct jr_installation *installation, int64_t now_ms)
{
    struct jr_txn txn;

    if (app->store == NULL)
        return;
    jr_txn_begin(&txn, app->store, false);
    jr_throttle_load(&txn, &installation->throttle, app->settings->github_app_id,
                     installation->id, now_ms);
    jr_txn_abort(&txn);
}

/* The installation of an id, in the place of the oldest one if it is new. */
static struct jr_installation *find_installation(struct jr_app *app, uint64_t id, int64_t now_ms)
{
    struct jr_installation *found = &app->installations[0];

    for (size_t i = 0; i < JR_APP_INSTALLATIONS && found->id != id; i++)
        if (app->installations[i].id == id || app->installations[i].used < found->used)
            found = &app->installations[i];
    if (found->id != id) {
        drop_token(app, found);
        memset(found, 0, sizeof *found);
        found->id = id;
        found->rate_remaining = -1;
        load_throttle(app, found, now_ms);
    }
    found->used = ++app->turns;
    return found;
}

/* Nothing is asked while the installation is stopped. */
static bool is_stopped(struct jr_installation *installation, int64_t now_ms, struct jr_call *call)
{
    int64_t left_ms = jr_throttle_stop_left_ms(&installation->throttle, now_ms);

    if (left_ms <= 0)
        return false;
    *call = (struct jr_call){ .what = "no call", .outcome = JR_OUTCOME_LATER,
                              .reason = installation->throttle.stop_reason, .rate_remaining = -1 };
    snprintf(call->text, sizeof call->text, "installation %llu is not called for another %lld s",
             (unsigned long long)installation->id, (long long)((left_ms + 999) / 1000));
    return true;
}

static bool make_token(struct jr_app *app, struct jr_installation *installation, int64_t now_ms,
                       struct jr_call *call)
{
    struct question question = { .ask = ask_for_token, .installation = installation->id,
                                 .token = &installation->token };

    drop_token(app, installation);
    ask(app, &question, now_ms, call);
    if (call->reason == JR_REASON_NOT_FOUND)
        call->reason = JR_REASON_NOT_INSTALLED;
    note(app, call->reason == JR_REASON_APP_SUSPENDED ? installation : NULL, call);
    installation->made_ms = jr_monotonic_ms();
    installation->proven = false;
    installation->expires_ms = question.expires_ms != 0 ? question.expires_ms
                                                        : now_ms + app->skew_ms + LIFE_MS;
    return call->outcome == JR_OUTCOME_DONE;
}

bool jr_app_enter(struct jr_app *app, struct jr_turn *turn, int64_t now_ms, struct jr_call *call)
{
    for (;;) {
        const struct place *place = find_place(app, turn->repo);
        struct jr_installation *installation;

        if (place == NULL) {
            turn->looked_up = true;
            place = look_up(app, turn->repo, now_ms, call);
        }
        if (place == NULL)
            return false;
        installation = turn->installation = find_installation(app, place->installation, now_ms);
        if (is_stopped(installation, now_ms, call))
            return false;
        if ((installation->token != NULL
             && installation->expires_ms - (now_ms + app->skew_ms) > JR_APP_EARLY_MS)
            || make_token(app, installation, now_ms, call)) {
            jr_http_set_token(app->http, installation->token);
            return true;
        }
        if (call->reason != JR_REASON_NOT_INSTALLED || turn->looked_up)
            return false;
        /* It was taken away, and perhaps installed again since. */
        forget_place(app, turn->repo);
    }
}

bool jr_app_renews(const struct jr_turn *turn)
{
    return !turn->renewed && !turn->installation->remade;
}

bool jr_app_is_too_early(const struct jr_turn *turn, struct jr_call *call)
{
    struct jr_installation *installation = turn->installation;

    if (call->status >= 200 && call->status < 300) {
        installation->proven = true;
        installation->remade = false;
    }
    if (installation->proven || jr_monotonic_ms() - installation->made_ms >= JR_APP_FRESH_MS
        || (call->reason != JR_REASON_BAD_TOKEN && call->reason != JR_REASON_NOT_FOUND
            && call->reason != JR_REASON_NO_PERMISSION))
        return false;
    call->outcome = JR_OUTCOME_LATER;
    call->stops_all = false;
    call->wait_ms = 0;
    return true;
}

bool jr_app_again(struct jr_app *app, struct jr_turn *turn, int64_t now_ms, struct jr_call *call)
{
    uint64_t before = turn->installation->id;
    struct jr_call looked;
    const struct place *place;

    if (call->reason == JR_REASON_BAD_TOKEN) {
        bool again = jr_app_renews(turn);

        drop_token(app, turn->installation);
        turn->renewed = true;
        turn->installation->remade = true;
        return again;
    }
    if (turn->looked_up
        || (call->reason != JR_REASON_NOT_FOUND && call->reason != JR_REASON_NO_PERMISSION))
        return false;
    /* Was the repository taken out of the installation, or given to another owner? */
    forget_place(app, turn->repo);
    turn->looked_up = true;
    place = look_up(app, turn->repo, now_ms, &looked);
    if (place == NULL)
        *call = looked;
    return place != NULL && place->installation != before;
}
