/*
 * github -- the calls of GitHub's REST API, and what its answers mean.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/github.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/format/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_SIZE 1024

/* A wait that GitHub names is followed within these bounds: its limits are per hour. */
#define WAIT_MIN_MS JR_SECOND_MS
#define WAIT_MAX_MS (JR_HOUR_MS + JR_MINUTE_MS)

#define REDIRECTS_MAX 3

/* Clocks differ: after the reset that the header names, a little more. */
#define RESET_SLACK_MS (2 * JR_SECOND_MS)

/*
 * What GitHub says when it refuses, of a rerun or of all that somebody has. Wording is no
 * contract: match loosely (jr_text_match), the first row that fits.
 */
static const struct {
    const char *pattern;
    enum jr_outcome outcome;
    enum jr_reason reason;
    bool try_all;
    enum jr_shut shut;
} refusals[] = {
    { "*already running*", JR_OUTCOME_LATER, JR_REASON_ALREADY_RUNNING, false, 0 },
    { "*over a month ago*", JR_OUTCOME_NEVER, JR_REASON_TOO_OLD, false, 0 },
    { "*cannot be retried*", JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, true, 0 },
    { "*not attempted with failed jobs*", JR_OUTCOME_NEVER, JR_REASON_CANNOT_BE_RETRIED, false, 0 },
    { "*resource not accessible*", JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, false, 0 },
    { "*must have admin rights*", JR_OUTCOME_NEVER, JR_REASON_NO_PERMISSION, false, 0 },
    { "*installation has been suspended*", JR_OUTCOME_LATER, JR_REASON_APP_SUSPENDED, false, 0 },
#define SHUT(pattern, whom) { pattern, JR_OUTCOME_LATER, JR_REASON_SHUT_OUT, false, whom }
    SHUT("*ip allow list*", JR_SHUT_OWNER),
    SHUT("*saml*", JR_SHUT_OWNER),
    SHUT("*forbids access via*", JR_SHUT_OWNER), /* what kinds of token it takes, and how old */
    SHUT("*organi?ation*suspended*", JR_SHUT_OWNER),
    SHUT("*enterprise*suspended*", JR_SHUT_OWNER),
    SHUT("*account*suspended*", JR_SHUT_ALL),
    SHUT("*user*suspended*", JR_SHUT_ALL),
    SHUT("*billing*", JR_SHUT_OWNER),
    SHUT("*spending limit*", JR_SHUT_OWNER),
    SHUT("*account*locked*", JR_SHUT_OWNER),
    SHUT("*actions*disabled*organi?ation*", JR_SHUT_OWNER),
    SHUT("*organi?ation*actions*disabled*", JR_SHUT_OWNER),
    SHUT("*actions*disabled*enterprise*", JR_SHUT_OWNER),
    SHUT("*enterprise*actions*disabled*", JR_SHUT_OWNER),
    SHUT("*actions*disabled*", JR_SHUT_REPO),
#undef SHUT
};

/* How GitHub says that there were too many calls, where a relay has taken the headers away. */
static const char *const limit_words[] = { "rate limit", "secondary rate", "abuse detection" };

/* Clocks that differ by less are the same: Date is in whole seconds, and answers travel. */
#define CLOCKS_MS (10 * JR_SECOND_MS)

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool contains(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

static void sorted(struct jr_call *call, enum jr_outcome outcome, enum jr_reason reason,
                   int64_t wait_ms)
{
    call->outcome = outcome;
    call->reason = reason;
    call->wait_ms = wait_ms;
}

/* wait_ms 0: not said */
static void stop_all(struct jr_call *call, enum jr_reason reason, int64_t wait_ms)
{
    sorted(call, JR_OUTCOME_LATER, reason, wait_ms);
    call->stops_all = true;
    if (wait_ms != 0)
        call->wait_ms = wait_ms < WAIT_MIN_MS   ? WAIT_MIN_MS
                        : wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS
                                                : wait_ms;
}

/*
 * GitHub's own words, and where its documentation of them is. Returns whether there are
 * any: each refusal of GitHub's is a JSON object with a text `message`.
 */
static bool read_message(const struct jr_http_answer *answer, char *message, size_t size,
                         char *documentation, size_t documentation_size)
{
    json_object *root = NULL;
    bool told;

    message[0] = documentation[0] = '\0';
    if (jr_json_parse(answer->body, answer->length, &root, NULL) != JR_OK)
        return false;
    told = jr_json_get_text(root, "message", message, size) == JR_JSON_OK;
    jr_json_get_text(root, "documentation_url", documentation, documentation_size);
    json_object_put(root);
    return told;
}

/* The first line of what is no JSON, for people: it often names who has answered. */
static void quote_body(const struct jr_http_answer *answer, char *text, size_t size)
{
    size_t blanks = strspn(answer->body, " \t\r\n");

    jr_text_copy(text, size, answer->body + blanks);
    text[strcspn(text, "\r\n")] = '\0';
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

void jr_github_web_url(const char *api_url, char *url, size_t size)
{
    static const char path[] = "/api/v3", host[] = "https://api.";
    bool fits;

    if (ends_with(api_url, path))
        fits = snprintf(url, size, "%.*s", (int)(strlen(api_url) - (sizeof path - 1)), api_url)
               < (int)size;
    else if (strcmp(api_url, "https://api.github.com") == 0
             || (strncmp(api_url, host, sizeof host - 1) == 0 && ends_with(api_url, ".ghe.com")))
        fits = snprintf(url, size, "https://%s", api_url + sizeof host - 1) < (int)size;
    else
        fits = jr_text_copy(url, size, api_url);
    if (!fits)
        url[0] = '\0';
}

bool jr_github_run_url(const char *api_url, const char *repo, uint64_t run_id,
                       char url[JR_URL_SIZE])
{
    char web[600];

    jr_github_web_url(api_url, web, sizeof web);
    url[0] = '\0';
    if (web[0] == '\0' || !jr_text_is_full_name(repo))
        return false;
    snprintf(url, JR_URL_SIZE, "%s/%s/actions/runs/%llu", web, repo, (unsigned long long)run_id);
    return true;
}

static bool clocks_differ(const struct jr_http_answer *answer, int64_t now_ms)
{
    return answer->date_ms != 0
           && (answer->date_ms - now_ms > CLOCKS_MS || now_ms - answer->date_ms > CLOCKS_MS);
}

/* How long after the answer the limit is whole again, by GitHub's clock; 0 or less: not told. */
static int64_t reset_in_ms(const struct jr_http_answer *answer, int64_t now_ms)
{
    if (answer->ratelimit_reset_s <= 0)
        return 0;
    return answer->ratelimit_reset_s * 1000 - (answer->date_ms != 0 ? answer->date_ms : now_ms);
}

static bool is_limit_in_words(const char *text, const char *documentation)
{
    for (size_t i = 0; i < sizeof limit_words / sizeof *limit_words; i++)
        if (contains(text, limit_words[i]))
            return true;
    return contains(documentation, "secondary-rate-limits")
           || contains(documentation, "#abuse-rate-limits");
}

/*
 * Is it a rate limit? Told in the order that GitHub documents. A time that is over says
 * nothing: such are the headers of another limit than the one that was met.
 */
static bool sort_limit(const struct jr_http_answer *answer, const char *documentation,
                       int64_t now_ms, struct jr_call *call)
{
    int64_t reset_ms = reset_in_ms(answer, now_ms);

    if (answer->status != 403 && answer->status != 429)
        return false;
    if (answer->retry_after_s >= 0)
        stop_all(call, JR_REASON_RATE_LIMITED, answer->retry_after_s * 1000);
    else if (answer->ratelimit_remaining == 0)
        stop_all(call, JR_REASON_RATE_LIMITED, reset_ms > 0 ? reset_ms + RESET_SLACK_MS : 0);
    else if (answer->status == 429 || is_limit_in_words(call->text, documentation))
        stop_all(call, JR_REASON_RATE_LIMITED, 0);
    else
        return false;
    return true;
}

/* A 403 of GitHub's that is no rate limit: told by its words, then by its headers. */
static void sort_forbidden(const struct jr_http_answer *answer, struct jr_call *call)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (jr_text_match(refusals[i].pattern, call->text)) {
            sorted(call, refusals[i].outcome, refusals[i].reason, 0);
            call->try_all = refusals[i].try_all;
            call->shut = refusals[i].shut;
            call->stops_all = refusals[i].reason == JR_REASON_APP_SUSPENDED;
            return;
        }
    }
    if (answer->sso_required) {
        sorted(call, JR_OUTCOME_LATER, JR_REASON_SHUT_OUT, 0);
        call->shut = JR_SHUT_OWNER;
        return;
    }
    sorted(call, JR_OUTCOME_NEVER,
           answer->accepted_permissions ? JR_REASON_NO_PERMISSION : JR_REASON_REFUSED, 0);
}

/*
 * An answer of 400 to 499, but for 408. One without GitHub's words comes from something on
 * the way, and decides nothing: a POST may have got through before it was answered so.
 */
static void sort_refusal(const struct jr_http_answer *answer, bool githubs,
                         const char *documentation, bool posted, int64_t now_ms,
                         struct jr_call *call)
{
    if (sort_limit(answer, documentation, now_ms, call))
        return;
    if (!githubs) {
        quote_body(answer, call->text, sizeof call->text);
        sorted(call, posted ? JR_OUTCOME_UNKNOWN : JR_OUTCOME_LATER, JR_REASON_NOT_GITHUB, 0);
    } else if (answer->status == 401) {
        stop_all(call, JR_REASON_BAD_TOKEN, 0);
    } else if (answer->status == 403) {
        sort_forbidden(answer, call);
    } else {
        sorted(call, JR_OUTCOME_NEVER,
               answer->status == 404 ? JR_REASON_NOT_FOUND : JR_REASON_REFUSED, 0);
    }
}

/* What the headers tell, whatever the answer. */
static void read_headers(const struct jr_http_answer *answer, int64_t now_ms,
                         struct jr_call *call)
{
    call->status = answer->status;
    call->duration_us = answer->duration_us;
    call->stops_all = call->try_all = false;
    call->shut = JR_SHUT_NOTHING;
    call->hourly_limit = later_of(answer->ratelimit_limit, 0);
    call->rate_remaining = later_of(answer->ratelimit_remaining, -1);
    call->rate_reset_ms = later_of(answer->ratelimit_reset_s, 0) * 1000;
    if (call->rate_reset_ms != 0 && clocks_differ(answer, now_ms))
        call->rate_reset_ms = later_of(now_ms + reset_in_ms(answer, now_ms), 0);
    call->token_expires_ms = jr_timestamp_parse(answer->token_expiration);
    call->date_ms = answer->date_ms;
}

void jr_github_sort(const struct jr_http_answer *answer, bool posted, int64_t now_ms,
                    struct jr_call *call)
{
    char documentation[256] = "";
    int status = answer->status;
    bool githubs = false;

    read_headers(answer, now_ms, call);
    if (status == 0)
        jr_text_copy(call->text, sizeof call->text, answer->text);
    else
        githubs = read_message(answer, call->text, sizeof call->text, documentation,
                               sizeof documentation);

    if (status >= 200 && status < 300)
        sorted(call, JR_OUTCOME_DONE, posted ? JR_REASON_RERUN_ACCEPTED : JR_REASON_NONE, 0);
    else if (posted && ((status == 0 && answer->sent) || status >= 500 || status == 408))
        sorted(call, JR_OUTCOME_UNKNOWN, JR_REASON_OUTCOME_UNKNOWN, 0);
    else if (status == 0)
        sorted(call, JR_OUTCOME_LATER,
               answer->too_late ? JR_REASON_OUTDATED : JR_REASON_UNREACHABLE, 0);
    else if (status >= 500 || status == 408)
        sorted(call, JR_OUTCOME_LATER, JR_REASON_SERVER_ERROR, 0);
    else if (status >= 400)
        sort_refusal(answer, githubs, documentation, posted, now_ms, call);
    else
        sorted(call, JR_OUTCOME_LATER, JR_REASON_MOVED, 0);
}

static void make_url(char url[URL_SIZE], const char *api_url, const char *repo, uint64_t run_id,
                     const char *rest)
{
    snprintf(url, URL_SIZE, "%s/repos/%s/actions/runs/%llu%s", api_url, repo,
             (unsigned long long)run_id, rest);
}

/* Is this an answer that names the place where the thing is now? */
static bool is_redirect(const struct jr_http_answer *answer)
{
    return (answer->status == 301 || answer->status == 302 || answer->status == 307
            || answer->status == 308)
           && answer->location[0] != '\0';
}

/* The length of "scheme://host:port" of a URL. */
static size_t origin_length(const char *url)
{
    const char *host = strstr(url, "://");

    return host == NULL ? 0 : (size_t)(host + 3 - url) + strcspn(host + 3, "/?#");
}

/* The URL that a redirect leads to; false when it leads to another host. */
static bool follow(char url[URL_SIZE], const char *api_url, const char *location)
{
    size_t origin = origin_length(api_url);

    if (location[0] == '/' && location[1] != '/')
        return snprintf(url, URL_SIZE, "%.*s%s", (int)origin, api_url, location) < URL_SIZE;
    if (origin_length(location) != origin || strncasecmp(location, api_url, origin) != 0)
        return false;
    return jr_text_copy(url, URL_SIZE, location);
}

enum method {
    GET,
    RERUN,    /* a POST that may have taken effect whenever it was sent */
    MAKE_TOKEN /* one that can be made again */
};

/* All that the program does: metadata may be read besides, always. */
static const char token_wish[] = "{\"permissions\":{\"actions\":\"write\"}}";

/* Make a call, with its redirects, and sort the answer. */
static void perform_before(struct jr_http *http, const char *api_url, char url[URL_SIZE],
                           enum method method, int64_t before_ms, int64_t now_ms,
                           struct jr_http_answer *answer, struct jr_call *call)
{
    int64_t duration_us = 0;
    bool goes_on = true;

    for (int hops = 0; goes_on; hops++) {
        if (method == GET)
            jr_http_get(http, url, answer);
        else
            jr_http_post(http, url, method == MAKE_TOKEN ? token_wish : NULL, before_ms, answer);
        duration_us += answer->duration_us;
        goes_on = hops < REDIRECTS_MAX && is_redirect(answer)
                  && follow(url, api_url, answer->location);
    }
    jr_github_sort(answer, method == RERUN, now_ms, call);
    call->duration_us = duration_us;
    if (call->reason == JR_REASON_MOVED && call->text[0] == '\0')
        snprintf(call->text, sizeof call->text, "to %.240s", answer->location);
}

static void perform(struct jr_http *http, const char *api_url, char url[URL_SIZE],
                    enum method method, int64_t now_ms, struct jr_http_answer *answer,
                    struct jr_call *call)
{
    perform_before(http, api_url, url, method, 0, now_ms, answer, call);
}

/* Read the run in a good answer; anything else there is a bad answer. */
static void read_run(const struct jr_http_answer *answer, uint64_t run_id, struct jr_event *seen,
                     struct jr_call *call)
{
    json_object *root = NULL;
    struct jr_error error;
    enum jr_err err = jr_json_parse(answer->body, answer->length, &root, &error);

    if (err == JR_OK)
        err = jr_event_decode_run(root, seen, &error);
    if (err == JR_OK && seen->run_id != run_id)
        err = jr_error_set(&error, JR_EINVAL, "the answer is about run %llu",
                           (unsigned long long)seen->run_id);
    json_object_put(root);
    if (err == JR_OK)
        return;
    sorted(call, JR_OUTCOME_LATER, JR_REASON_BAD_ANSWER, 0);
    jr_text_copy(call->text, sizeof call->text, error.text);
}

void jr_github_get_run(struct jr_http *http, const char *api_url, const char *repo,
                       uint64_t run_id, int64_t now_ms, struct jr_event *seen,
                       struct jr_call *call)
{
    struct jr_http_answer answer;
    char url[URL_SIZE];

    memset(call, 0, sizeof *call);
    memset(seen, 0, sizeof *seen);
    call->what = "GET run";
    make_url(url, api_url, repo, run_id, "");
    perform(http, api_url, url, GET, now_ms, &answer, call);
    if (call->outcome == JR_OUTCOME_DONE)
        read_run(&answer, run_id, seen, call);
}

void jr_github_rerun(struct jr_http *http, const char *api_url, const char *repo,
                     uint64_t run_id, bool all, int64_t before_ms, int64_t now_ms,
                     struct jr_call *call)
{
    struct jr_http_answer answer;
    char url[URL_SIZE];

    memset(call, 0, sizeof *call);
    call->what = all ? "POST rerun" : "POST rerun-failed-jobs";
    make_url(url, api_url, repo, run_id, all ? "/rerun" : "/rerun-failed-jobs");
    perform_before(http, api_url, url, RERUN, before_ms, now_ms, &answer, call);
}

void jr_github_probe(struct jr_http *http, const char *api_url, int64_t now_ms,
                     struct jr_call *call)
{
    struct jr_http_answer answer;
    char url[URL_SIZE];

    memset(call, 0, sizeof *call);
    call->what = "GET rate_limit";
    snprintf(url, sizeof url, "%s/rate_limit", api_url);
    perform(http, api_url, url, GET, now_ms, &answer, call);
}

/* The object in a good answer; NULL: it is a bad one. Released by the caller. */
static json_object *read_object(const struct jr_http_answer *answer, struct jr_call *call)
{
    json_object *root = NULL;
    struct jr_error error = { .text = "not an object" };

    if (jr_json_parse(answer->body, answer->length, &root, &error) == JR_OK
        && json_object_is_type(root, json_type_object))
        return root;
    json_object_put(root);
    sorted(call, JR_OUTCOME_LATER, JR_REASON_BAD_ANSWER, 0);
    jr_text_copy(call->text, sizeof call->text, error.text);
    return NULL;
}

/* NULL when GitHub did not answer with an object; the call says why. The caller puts it. */
static json_object *get_object(struct jr_http *http, const char *api_url, char url[URL_SIZE],
                               int64_t now_ms, struct jr_call *call)
{
    struct jr_http_answer answer;

    perform(http, api_url, url, GET, now_ms, &answer, call);
    return call->outcome == JR_OUTCOME_DONE ? read_object(&answer, call) : NULL;
}

void jr_github_get_user(struct jr_http *http, const char *api_url, int64_t now_ms,
                        struct jr_github_user *user, struct jr_call *call)
{
    struct jr_http_answer answer;
    char url[URL_SIZE];
    json_object *root;

    memset(call, 0, sizeof *call);
    memset(user, 0, sizeof *user);
    call->what = "GET user";
    snprintf(url, sizeof url, "%s/user", api_url);
    perform(http, api_url, url, GET, now_ms, &answer, call);
    if (call->outcome != JR_OUTCOME_DONE || (root = read_object(&answer, call)) == NULL)
        return;
    jr_json_get_text(root, "login", user->login, sizeof user->login);
    json_object_put(root);
    user->classic = answer.scopes_told;
    jr_text_copy(user->scopes, sizeof user->scopes, answer.scopes);
}

/* The name that a member of an object holds; that there is none will not change. */
static void take_name(json_object *object, const char *key, char name[JR_NAME_SIZE],
                      struct jr_call *call)
{
    if (jr_json_get_text(object, key, name, JR_NAME_SIZE) == JR_JSON_OK && name[0] != '\0')
        return;
    name[0] = '\0';
    sorted(call, JR_OUTCOME_NEVER, JR_REASON_BAD_ANSWER, 0);
    snprintf(call->text, sizeof call->text, "no '%s' in it", key);
}

void jr_github_get_workflow(struct jr_http *http, const char *api_url, const char *repo,
                            uint64_t workflow_id, int64_t now_ms, char name[JR_NAME_SIZE],
                            struct jr_call *call)
{
    char url[URL_SIZE];
    json_object *root;

    memset(call, 0, sizeof *call);
    name[0] = '\0';
    call->what = "GET workflow";
    snprintf(url, sizeof url, "%s/repos/%s/actions/workflows/%llu", api_url, repo,
             (unsigned long long)workflow_id);
    if ((root = get_object(http, api_url, url, now_ms, call)) == NULL)
        return;
    /* GitHub calls one without a name by its path; so asking again would be of no use. */
    take_name(root, "name", name, call);
    json_object_put(root);
}

void jr_github_get_job_workflow(struct jr_http *http, const char *api_url, const char *repo,
                                uint64_t run_id, int64_t now_ms, char name[JR_NAME_SIZE],
                                struct jr_call *call)
{
    char url[URL_SIZE];
    json_object *root, *jobs = NULL;

    memset(call, 0, sizeof *call);
    name[0] = '\0';
    call->what = "GET jobs";
    make_url(url, api_url, repo, run_id, "/jobs?per_page=1");
    if ((root = get_object(http, api_url, url, now_ms, call)) == NULL)
        return;
    (void)jr_json_get_array(root, "jobs", &jobs);
    take_name(json_object_is_type(jobs, json_type_array) ? json_object_array_get_idx(jobs, 0)
                                                         : NULL,
              "workflow_name", name, call);
    json_object_put(root);
}

void jr_github_get_repo(struct jr_http *http, const char *api_url, const char *repo,
                        int64_t now_ms, struct jr_github_repo *seen, struct jr_call *call)
{
    char url[URL_SIZE];
    json_object *root, *permissions;

    memset(call, 0, sizeof *call);
    memset(seen, 0, sizeof *seen);
    call->what = "GET repository";
    snprintf(url, sizeof url, "%s/repos/%s", api_url, repo);
    if ((root = get_object(http, api_url, url, now_ms, call)) == NULL)
        return;
    jr_json_get_text(root, "full_name", seen->name, sizeof seen->name);
    seen->archived = jr_json_is_true(root, "archived");
    seen->told = jr_json_get_object(root, "permissions", &permissions) == JR_JSON_OK;
    seen->write = seen->told && jr_json_is_true(permissions, "push");
    json_object_put(root);
}

void jr_github_get_app(struct jr_http *http, const char *api_url, int64_t now_ms, char *name,
                       size_t size, struct jr_call *call)
{
    char url[URL_SIZE];
    json_object *root;

    memset(call, 0, sizeof *call);
    name[0] = '\0';
    call->what = "GET app";
    snprintf(url, sizeof url, "%s/app", api_url);
    if ((root = get_object(http, api_url, url, now_ms, call)) == NULL)
        return;
    jr_json_get_text(root, "name", name, size);
    json_object_put(root);
}

void jr_github_get_installation(struct jr_http *http, const char *api_url, const char *repo,
                                int64_t now_ms, uint64_t *id, struct jr_call *call)
{
    char url[URL_SIZE];
    json_object *root;

    memset(call, 0, sizeof *call);
    *id = 0;
    call->what = "GET installation";
    snprintf(url, sizeof url, "%s/repos/%s/installation", api_url, repo);
    if ((root = get_object(http, api_url, url, now_ms, call)) == NULL)
        return;
    if (jr_json_get_id(root, "id", id) != JR_JSON_OK) {
        sorted(call, JR_OUTCOME_LATER, JR_REASON_BAD_ANSWER, 0);
        jr_text_copy(call->text, sizeof call->text, "no 'id' in it");
    }
    json_object_put(root);
}

/* A copy of the token in an object; NULL: there is none that could stand in a header. */
static char *read_token(json_object *root, size_t size)
{
    char *token = malloc(size);
    bool good = token != NULL && jr_json_get_text(root, "token", token, size) == JR_JSON_OK
                && token[0] != '\0';

    for (const char *c = token; good && *c != '\0'; c++)
        good = *c > ' ' && *c < 0x7f;
    if (good)
        return token;
    free(token);
    return NULL;
}

void jr_github_make_token(struct jr_http *http, const char *api_url, uint64_t installation,
                          int64_t now_ms, char **token, int64_t *expires_ms, struct jr_call *call)
{
    struct jr_http_answer answer;
    char url[URL_SIZE];
    json_object *root;

    memset(call, 0, sizeof *call);
    *token = NULL;
    *expires_ms = 0;
    call->what = "POST access_tokens";
    snprintf(url, sizeof url, "%s/app/installations/%llu/access_tokens", api_url,
             (unsigned long long)installation);
    perform(http, api_url, url, MAKE_TOKEN, now_ms, &answer, call);
    /* "The permissions requested are not granted to this installation" */
    if (call->status == 422 && call->reason == JR_REASON_REFUSED)
        call->reason = JR_REASON_NO_PERMISSION;
    if (call->outcome != JR_OUTCOME_DONE || (root = read_object(&answer, call)) == NULL)
        return;
    *token = read_token(root, answer.length + 1);
    *expires_ms = jr_json_get_time(root, "expires_at");
    if (*token == NULL) {
        sorted(call, JR_OUTCOME_LATER, JR_REASON_BAD_ANSWER, 0);
        jr_text_copy(call->text, sizeof call->text, "no token in it");
    }
    json_object_put(root);
    jr_wipe(answer.body, answer.length);
}

/* created=from..until or >=from, in whole seconds as GitHub's search has it. */
static void make_list_url(char url[URL_SIZE], const char *api_url, const char *repo,
                          const struct jr_github_list *list)
{
    char from[JR_TIMESTAMP_SIZE], until[JR_TIMESTAMP_SIZE], created[64];

    jr_timestamp_format(list->from_ms, from);
    if (list->until_ms == 0)
        snprintf(created, sizeof created, "%%3E%%3D%.19sZ", from);
    else
        snprintf(created, sizeof created, "%.19sZ..%.19sZ", from,
                 jr_timestamp_format(list->until_ms, until));
    snprintf(url, URL_SIZE,
             "%s/repos/%s/actions/runs?status=%s&created=%s&exclude_pull_requests=true"
             "&per_page=%d&page=%u",
             api_url, repo, list->conclusion, created, JR_GITHUB_PAGE_RUNS, list->page);
}

static void read_list(const struct jr_http_answer *answer, struct jr_event *runs, size_t *count,
                      size_t *shown, struct jr_call *call)
{
    json_object *root = NULL, *array = NULL;
    struct jr_error error = { .text = "no 'workflow_runs' in it" };

    if (jr_json_parse(answer->body, answer->length, &root, &error) != JR_OK
        || jr_json_get_array(root, "workflow_runs", &array) != JR_JSON_OK) {
        sorted(call, JR_OUTCOME_LATER, JR_REASON_BAD_ANSWER, 0);
        jr_text_copy(call->text, sizeof call->text, error.text);
    } else {
        *shown = json_object_array_length(array);
        for (size_t i = 0; i < *shown && *count < JR_GITHUB_PAGE_RUNS; i++)
            if (jr_event_decode_run(json_object_array_get_idx(array, i), &runs[*count], NULL)
                == JR_OK)
                (*count)++;
    }
    json_object_put(root);
}

void jr_github_list_runs(struct jr_http *http, const char *api_url, const char *repo,
                         const struct jr_github_list *list, int64_t now_ms, struct jr_event *runs,
                         size_t *count, size_t *shown, struct jr_call *call)
{
    struct jr_http_answer answer;
    char url[URL_SIZE];

    memset(call, 0, sizeof *call);
    *count = *shown = 0;
    call->what = "GET runs";
    make_list_url(url, api_url, repo, list);
    perform(http, api_url, url, GET, now_ms, &answer, call);
    if (call->outcome == JR_OUTCOME_DONE)
        read_list(&answer, runs, count, shown, call);
}
