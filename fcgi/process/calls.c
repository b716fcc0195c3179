/*
 * calls -- GitHub's API, as the dispatcher may call it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/calls.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/config/secrets.h"
#include "lib/crypto/signature.h"
#include "lib/service/process.h"
#include "lib/store/notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often the file of a rejected token is looked at. */
#define TOKEN_LOOK_MS (2 * JR_SECOND_MS)

/* How long the first answer to an App is waited for. */
#define FIRST_ANSWER_US (2 * 1000000)

#define EXPIRY_WARNING_MS (14 * JR_DAY_MS)
#define EXPIRY_REPEAT_MS JR_DAY_MS

static int64_t limit_of(const struct jr_throttle *throttle)
{
    return throttle->stop_reason == JR_REASON_RATE_LIMITED ? throttle->stopped_until_ms : 0;
}

/* Until when a rate limit stops anything. */
static int64_t limited_until(const struct jr_calls *calls)
{
    int64_t until_ms = limit_of(&calls->throttle);
    const struct jr_installation *installation;

    for (size_t at = 0;
         calls->turns.app != NULL && (installation = jr_app_next(calls->turns.app, &at)) != NULL;)
        if (limit_of(&installation->throttle) > until_ms)
            until_ms = limit_of(&installation->throttle);
    return until_ms;
}

/* Show the throttle to /healthz, /metrics and the tool. */
static void show(const struct jr_calls *calls)
{
    const struct jr_throttle *throttle = &calls->throttle;

    if (calls->told == NULL)
        return;
    calls->told->token_rejected_ms = throttle->rejected_ms;
    calls->told->rate_limited_until_ms = limited_until(calls);
    calls->told->token_expires_ms = throttle->token_expires_ms;
    calls->told->shut_outs = (int64_t)calls->shutouts.count;
}

/* Of an App, show the installation that has the fewest calls left. */
static void show_tightest(const struct jr_calls *calls, int64_t now_ms)
{
    const struct jr_installation *installation, *tightest = NULL;

    for (size_t at = 0; (installation = jr_app_next(calls->turns.app, &at)) != NULL;)
        if (installation->rate_remaining >= 0 && installation->rate_reset_ms >= now_ms
            && (tightest == NULL || installation->rate_remaining < tightest->rate_remaining))
            tightest = installation;
    if (tightest == NULL)
        return;
    calls->told->rate_remaining = tightest->rate_remaining;
    calls->told->rate_reset_ms = tightest->rate_reset_ms;
    calls->told->rate_limit = tightest->throttle.hourly_limit;
}

/* What the answer says of the rate limit; one that says nothing takes nothing back. */
static void show_rate(const struct jr_calls *calls, struct jr_installation *installation,
                      const struct jr_call *call, int64_t now_ms)
{
    if (calls->told == NULL || call->hourly_limit <= 0 || call->rate_remaining < 0)
        return;
    if (installation != NULL) {
        installation->rate_remaining = call->rate_remaining;
        installation->rate_reset_ms = call->rate_reset_ms;
        show_tightest(calls, now_ms);
    } else if (calls->turns.app == NULL) {
        calls->told->rate_remaining = call->rate_remaining;
        calls->told->rate_reset_ms = call->rate_reset_ms;
        calls->told->rate_limit = call->hourly_limit;
    }
}

static void warn_of_expiry(struct jr_calls *calls, int64_t now_ms)
{
    int64_t expires_ms = calls->throttle.token_expires_ms;
    char when[JR_TIMESTAMP_SIZE];

    if (expires_ms == 0 || expires_ms - now_ms > EXPIRY_WARNING_MS
        || (calls->expiry_told_ms != 0 && now_ms - calls->expiry_told_ms < EXPIRY_REPEAT_MS))
        return;
    calls->expiry_told_ms = now_ms;
    jr_log(JR_LOG_WARN, "token-expires", "GITHUB_TOKEN expires at %s; make a new one",
           jr_timestamp_format(expires_ms, when));
}

static void count(const struct jr_calls *calls, const struct jr_call *call)
{
    if (calls->told != NULL)
        jr_count_call(&calls->told->process.counters, call);
}

static void tell_stop(const struct jr_throttle *throttle, const struct jr_call *call,
                      int64_t now_ms)
{
    char whose[64] = "";

    if (throttle->installation != 0)
        snprintf(whose, sizeof whose, " for installation %llu",
                 (unsigned long long)throttle->installation);
    jr_log(JR_LOG_ERROR, "calls-stopped", "%s; no call%s for %lld s%s%s",
           jr_reason_words(call->reason), whose,
           (long long)((throttle->stopped_until_ms - now_ms + 999) / 1000),
           call->text[0] == '\0' ? "" : ": ", call->text);
}

static void tell_skew(struct jr_calls *calls)
{
    int64_t skew_ms = calls->turns.app == NULL ? 0 : jr_app_skew_ms(calls->turns.app);

    if (skew_ms == calls->skew_told_ms)
        return;
    calls->skew_told_ms = skew_ms;
    jr_log(JR_LOG_WARN, "clock-differs", "this host's clock is %lld s %s GitHub's; what the App "
           "signs goes by GitHub's from now on", (long long)((skew_ms < 0 ? -skew_ms : skew_ms) / 1000),
           skew_ms < 0 ? "ahead of" : "behind");
}

/* Do calls fail, whatever they are about? */
static void note_outage(struct jr_calls *calls, uint64_t about, const struct jr_call *call)
{
    struct jr_outage *outage = &calls->outage;

    if (jr_outage_note(outage, calls->settings, call, about, jr_monotonic_ms())) {
        if (outage->reason != JR_REASON_NONE)
            jr_log(JR_LOG_WARN, "calls-fail", "%s: %s%s%s; one call at a time is tried until one "
                   "is answered", jr_reason_token(outage->reason), jr_reason_words(outage->reason),
                   call->text[0] == '\0' ? "" : ": ", call->text);
        else
            jr_log(JR_LOG_INFO, "calls-again", "GitHub answers again");
    }
    if (calls->told == NULL)
        return;
    calls->told->outage_reason = (int64_t)outage->reason;
    if (outage->good_ms != 0)
        calls->told->answered_ms = outage->good_ms;
}

/* Write to the store what calls have shown. Who cannot goes on by what is in memory. */
static void save(const struct jr_calls *calls, jr_txn_body *body, void *context)
{
    struct jr_error error;

    if (jr_store_write(calls->store, body, context, &error) != JR_OK)
        jr_log(JR_LOG_ERROR, "store-failed", "%s", error.text);
}

/* A change of the shut-outs. */
struct shutout_change {
    const struct jr_shutouts *shutouts;
    const struct jr_notice *notice; /* to be told of it; NULL: nothing is */
    const struct jr_shutout *shutout;
    bool over; /* it is no longer one */
};

static void write_shutout(struct jr_txn *txn, void *context)
{
    const struct shutout_change *change = context;

    if (change->over)
        jr_shutout_delete(txn, change->shutout);
    else
        jr_shutout_save(txn, change->shutouts, change->shutout);
    if (change->notice != NULL)
        jr_notices_add(txn, change->notice);
}

/* Keep a change of the shut-outs; over: it is no longer one. */
static void save_shutout(struct jr_calls *calls, const struct jr_shutout *shutout,
                         const struct jr_notice *notice, bool over)
{
    struct shutout_change change = { &calls->shutouts, notice, shutout, over };

    save(calls, write_shutout, &change);
    show(calls);
}

static void end_shutouts(struct jr_calls *calls, const struct jr_call *call, const char *repo,
                         bool posted)
{
    struct jr_shutout over;

    while (jr_shutouts_take_over(&calls->shutouts, call, repo, posted, jr_now_ms(), &over)) {
        save_shutout(calls, &over, NULL, true);
        jr_log(JR_LOG_INFO, "shut-out-over", "%s: %s", over.name,
               call != NULL ? "GitHub lets us in again" : "nobody has asked for a day");
    }
}

/* Is the refusal of a call about repo one of all that its owner has? */
static void note_shutout(struct jr_calls *calls, const char *repo, bool posted,
                         struct jr_call *call)
{
    const struct jr_shutout *shutout;
    struct jr_notice notice;
    bool begun, tells;

    if (call->reason != JR_REASON_SHUT_OUT) {
        end_shutouts(calls, call, repo, posted);
        return;
    }
    /* An App has an account in each place where it is installed. */
    if (calls->turns.app != NULL && call->shut == JR_SHUT_ALL)
        call->shut = JR_SHUT_OWNER;
    shutout = jr_shutouts_note(&calls->shutouts, calls->settings, call, repo, posted, jr_now_ms(),
                               &begun);
    if (shutout == NULL)
        return;
    notice = (struct jr_notice){ .kind = JR_NOTICE_SHUT_OUT, .at_ms = jr_now_ms(),
                                 .reason = JR_REASON_SHUT_OUT };
    jr_text_copy(notice.subject, sizeof notice.subject, shutout->name);
    tells = begun && (jr_settings_notifies(calls->settings) & 1u << JR_NOTICE_SHUT_OUT) != 0;
    save_shutout(calls, shutout, tells ? &notice : NULL, false);
    if (begun)
        jr_log(JR_LOG_WARN, "shut-out", "%s: %s; what is due stays due, and one call at a time "
               "tries whether that is over", strcmp(shutout->name, JR_SHUTOUT_ALL) == 0
               ? "all repositories" : shutout->name, call->text);
}

/* Nothing is asked about who shuts us out, but for one call after each wait. */
static bool is_shut_out(struct jr_calls *calls, const char *repo, struct jr_call *call)
{
    int64_t left_ms;
    const struct jr_shutout *shutout = jr_shutouts_find(&calls->shutouts, repo, jr_now_ms(),
                                                        &left_ms);

    if (shutout == NULL)
        return false;
    *call = (struct jr_call){ .api = JR_API_NONE, .what = JR_TURN_UNASKED, .outcome = JR_OUTCOME_LATER,
                              .reason = JR_REASON_SHUT_OUT, .rate_remaining = -1 };
    jr_text_copy(call->text, sizeof call->text, shutout->text);
    return true;
}

static void write_throttle(struct jr_txn *txn, void *context)
{
    const struct jr_throttle *throttle = context;

    jr_throttle_save(txn, throttle);
}

/*
 *   installation  whose answer it is; NULL: it is about all calls
 *   about         as in struct jr_question
 */
static void note(struct jr_calls *calls, struct jr_installation *installation, uint64_t about,
                 const struct jr_call *call)
{
    struct jr_throttle *throttle = installation == NULL ? &calls->throttle
                                                        : &installation->throttle;
    int64_t now_ms = jr_now_ms();
    struct jr_call told = *call;

    /* What an App may ask as itself is nobody's share. */
    if (calls->turns.app != NULL && installation == NULL)
        told.hourly_limit = told.token_expires_ms = 0;

    if (call->status == 0 && jr_process_stopping())
        return; /* broken off by ourselves */
    tell_skew(calls);
    count(calls, call);
    calls->is_taken = calls->is_taken || call->outcome == JR_OUTCOME_DONE;
    note_outage(calls, about, call);
    if (jr_throttle_note(throttle, calls->settings, &told, now_ms)) {
        save(calls, write_throttle, throttle);
        show(calls);
    }
    show_rate(calls, installation, call, now_ms);
    if (calls->told != NULL && call->outcome == JR_OUTCOME_DONE)
        calls->told->token_taken_ms = now_ms;
    if (call->stops_all)
        tell_stop(throttle, call, now_ms);
    if (calls->turns.app == NULL)
        warn_of_expiry(calls, now_ms);
}

static void read_shutouts(struct jr_txn *txn, void *context)
{
    struct jr_calls *calls = context;

    if (jr_shutouts_load(txn, &calls->shutouts, calls->throttle.fingerprint) != JR_OK)
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
}

static void prune_shutouts(struct jr_txn *txn, void *context)
{
    const struct jr_calls *calls = context;

    jr_shutouts_prune(txn, calls->throttle.fingerprint);
}

/* Who shuts out the token that there is now; what was known of another is forgotten. */
static enum jr_err load_shutouts(struct jr_calls *calls, struct jr_error *error)
{
    struct jr_error why;
    enum jr_err err;

    jr_shutouts_release(&calls->shutouts);
    calls->shutouts.fingerprint = calls->throttle.fingerprint;
    err = jr_store_read(calls->store, read_shutouts, calls, error);
    if (err != JR_OK)
        return err;
    show(calls);
    /* On a full disk it has to wait, which does no harm: it is of another token. */
    if (jr_store_write(calls->store, prune_shutouts, calls, &why) != JR_OK)
        jr_log(JR_LOG_WARN, "store-failed", "%s", why.text);
    return JR_OK;
}

/* What is known of a secret. */
struct known {
    const char *secret; /* the token, or what stands for an App */
    struct jr_throttle *throttle;
};

static void read_throttle(struct jr_txn *txn, void *context)
{
    const struct known *known = context;

    jr_throttle_load(txn, known->throttle, known->secret, 0, jr_now_ms());
}

/* What is known of the token or the App that there is now. */
static enum jr_err load_throttle(struct jr_calls *calls, struct jr_error *error)
{
    const struct jr_settings *settings = calls->settings;
    const char *token = settings->github_token;
    struct known known = { token, &calls->throttle };
    char *both = NULL;
    enum jr_err err;

    if (token == NULL
        && asprintf(&both, "%s %s", settings->github_app_id, settings->github_app_key) < 0)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    if (token == NULL)
        known.secret = both;
    /* What is known of another says nothing of this one, also when the store cannot be read. */
    memset(&calls->throttle, 0, sizeof calls->throttle);
    err = jr_store_read(calls->store, read_throttle, &known, error);
    if (both != NULL)
        jr_wipe(both, strlen(both));
    free(both);
    return err == JR_OK ? load_shutouts(calls, error) : err;
}

enum jr_err jr_calls_open(struct jr_calls *calls, struct jr_settings *settings,
                          struct jr_store *store, struct jr_told *told,
                          struct jr_error *error)
{
    enum jr_err err;

    memset(calls, 0, sizeof *calls);
    calls->settings = settings;
    calls->store = store;
    calls->told = told;
    if (!jr_settings_can_call(settings))
        return JR_OK;
    err = load_throttle(calls, error);
    if (err == JR_OK)
        err = jr_http_open(&calls->http, settings->github_ca_file, error);
    if (err == JR_OK && settings->github_token == NULL)
        err = jr_app_open(&calls->turns.app, settings, store, error);
    calls->turns.http = calls->http;
    calls->turns.settings = settings;
    calls->turns.grants = jr_turns_grants(settings);
    return err;
}

void jr_calls_close(struct jr_calls *calls)
{
    jr_calls_drop(calls, &calls->probe);
    jr_app_close(calls->turns.app);
    calls->turns.app = NULL;
    jr_shutouts_release(&calls->shutouts);
    jr_http_close(calls->http);
    calls->http = NULL;
}

/* A token that is rejected or shut out, or an App's key, has got a successor in its file. */
static bool renew_token(struct jr_calls *calls)
{
    int64_t now_ms = jr_monotonic_ms();
    struct jr_error error;

    if (calls->secret_look_ms != 0 && now_ms - calls->secret_look_ms < TOKEN_LOOK_MS / 2)
        return false;
    calls->secret_look_ms = now_ms;
    if (!jr_secrets_reread_token(calls->settings))
        return false;
    if (calls->turns.app != NULL && jr_app_take_key(calls->turns.app, &error) != JR_OK)
        return false;
    calls->renewed_us = jr_monotonic_us();
    calls->is_taken = false;
    if (calls->told != NULL)
        calls->told->token_taken_ms = 0;
    if (load_throttle(calls, &error) != JR_OK)
        jr_log(JR_LOG_ERROR, "store-failed", "%s", error.text);
    jr_log(JR_LOG_INFO, "token-renewed", "the %s has been read anew",
           calls->turns.app == NULL ? "token" : "App's key");
    return true;
}

void jr_calls_tend(struct jr_calls *calls)
{
    if (calls->http == NULL || calls->shutouts.count == 0)
        return;
    if (!renew_token(calls))
        end_shutouts(calls, NULL, "", false);
}

/* How long calls wait because they fail, or because all of them are shut out. */
static int64_t held_ms(struct jr_calls *calls)
{
    int64_t left_ms, wait_ms = jr_outage_wait_ms(&calls->outage, jr_monotonic_ms());

    jr_shutouts_find(&calls->shutouts, "", jr_now_ms(), &left_ms);
    return wait_ms > left_ms ? wait_ms : left_ms;
}

/* Ask whether what was rejected is taken again. Returns how long to wait meanwhile. */
static int64_t probe(struct jr_calls *calls)
{
    int64_t now_ms = jr_monotonic_ms();

    if (calls->probe.under_way)
        return JR_CALLS_NEVER;
    if (calls->probe_due_ms > now_ms)
        return calls->probe_due_ms - now_ms;
    calls->probe = (struct jr_question){ .turn.ask = { .api = JR_API_RATE_LIMIT } };
    if (calls->turns.app != NULL)
        calls->probe.turn.ask = (struct jr_ask){ .api = JR_API_GET_APP, .holds = &calls->who };
    jr_calls_ask(calls, &calls->probe);
    return JR_CALLS_NEVER;
}

static void end_probe(struct jr_calls *calls)
{
    bool came = calls->probe.turn.call.status != 0;

    calls->probe.is_over = false;
    calls->probe_due_ms = jr_monotonic_ms()
                          + (came ? TOKEN_LOOK_MS : calls->settings->api_backoff_min_ms);
}

int64_t jr_calls_wait_ms(struct jr_calls *calls)
{
    struct jr_throttle *throttle = &calls->throttle;
    bool rejected = throttle->rejected_ms != 0;
    int64_t left_ms, wait_ms = held_ms(calls);

    if (throttle->stopped_until_ms == 0)
        return wait_ms;
    if (rejected && renew_token(calls))
        return 0;
    left_ms = jr_throttle_stop_left_ms(throttle, jr_now_ms());
    show(calls);
    if (left_ms > 0)
        return rejected && left_ms > TOKEN_LOOK_MS ? TOKEN_LOOK_MS : left_ms;
    return wait_ms > 0 || !rejected ? wait_ms : probe(calls);
}

/* What a repository's calls come from; of an App's, NULL when it is not known yet. */
static struct jr_throttle *throttle_of(struct jr_calls *calls, const char *repo)
{
    return calls->turns.app == NULL ? &calls->throttle : jr_app_throttle(calls->turns.app, repo);
}

int64_t jr_calls_share_wait_ms(void *calls, const char *repo)
{
    struct jr_throttle *throttle = throttle_of(calls, repo);
    struct jr_calls *ours = calls;
    int64_t now_ms = jr_now_ms(), stop_ms;

    if (jr_shutouts_find(&ours->shutouts, repo, now_ms, &stop_ms) != NULL)
        return stop_ms;
    if (throttle == NULL)
        return 0;
    stop_ms = jr_throttle_stop_left_ms(throttle, now_ms);
    return stop_ms > 0 ? stop_ms : jr_throttle_wait_ms(throttle, now_ms);
}

void jr_calls_share_take(struct jr_calls *calls, const char *repo)
{
    struct jr_throttle *throttle = throttle_of(calls, repo);

    if (throttle != NULL)
        jr_throttle_take(throttle);
}

/* Is a question under way that was begun after known_us of the monotonic clock? */
static bool is_tried(const struct jr_calls *calls, int64_t known_us)
{
    for (const struct jr_question *other = calls->first; other != NULL; other = other->next)
        if (!other->is_aside && other->begun_us >= known_us)
            return true;
    return false;
}

/* Is one under way that tells whether a refusal of all that is about repo is over? */
static bool is_tried_for(struct jr_calls *calls, const char *repo)
{
    struct jr_throttle *throttle = throttle_of(calls, repo);
    bool stopped = calls->turns.app != NULL && throttle != NULL && throttle->stopped_until_ms != 0;

    for (const struct jr_question *other = calls->first; other != NULL; other = other->next) {
        const char *asked = other->turn.ask.repo;

        if (asked != NULL && !other->is_aside
            && (jr_shutouts_cover_both(&calls->shutouts, repo, asked, other->begun_us)
                || (stopped && other->begun_us >= throttle->known_us
                    && throttle_of(calls, asked) == throttle)))
            return true;
    }
    return false;
}

bool jr_calls_may_ask(const struct jr_calls *calls)
{
    const struct jr_throttle *throttle = &calls->throttle;

    return !calls->probe.under_way
           && !(calls->turns.app != NULL && !calls->is_taken
                && is_tried(calls, jr_monotonic_us() - FIRST_ANSWER_US))
           && !(calls->outage.wait_ms != 0 && is_tried(calls, calls->outage.known_us))
           && !(throttle->stopped_until_ms != 0 && is_tried(calls, throttle->known_us));
}

bool jr_calls_may_ask_about(struct jr_calls *calls, const char *repo)
{
    return !is_tried_for(calls, repo)
           && (calls->turns.app == NULL || !jr_app_is_making(calls->turns.app, repo));
}

bool jr_calls_are_well(struct jr_calls *calls, const char *repo)
{
    const struct jr_throttle *throttle = throttle_of(calls, repo);

    return calls->http != NULL && jr_calls_wait_ms(calls) == 0 && jr_calls_may_ask(calls)
           && calls->outage.wait_ms == 0 && calls->throttle.stopped_until_ms == 0
           && (throttle == NULL || throttle->stopped_until_ms == 0)
           && !jr_shutouts_cover_both(&calls->shutouts, repo, repo, INT64_MAX)
           && jr_calls_may_ask_about(calls, repo);
}

size_t jr_calls_reads(const struct jr_calls *calls)
{
    size_t reads = 0;

    for (const struct jr_question *other = calls->first; other != NULL; other = other->next)
        reads += other != &calls->probe && !other->is_aside
                 && !jr_github_is_write(other->turn.ask.api);
    return reads;
}

/* An API that is so slow is one that fails. */
static void refuse_slow(struct jr_call *call)
{
    if (call->outcome != JR_OUTCOME_DONE || call->duration_us <= JR_CALLS_SLOW_MS * 1000)
        return;
    call->outcome = JR_OUTCOME_LATER;
    call->reason = JR_REASON_SERVER_ERROR;
    snprintf(call->text, sizeof call->text, "the answer took %lld ms, too long for a rerun to "
             "rest on it", (long long)(call->duration_us / 1000));
}

/* An answer to the secret that there was before says nothing of the one that there is. */
static void refuse_old(const struct jr_calls *calls, struct jr_call *call)
{
    if (!jr_call_is_older(call, calls->renewed_us)
        || (call->reason != JR_REASON_BAD_TOKEN && call->reason != JR_REASON_BAD_APP
            && call->reason != JR_REASON_SHUT_OUT))
        return;
    call->outcome = JR_OUTCOME_LATER;
    call->reason = JR_REASON_UNREACHABLE;
    call->stops_all = false;
    call->wait_ms = 0;
    call->shut = JR_SHUT_NOTHING;
}

static void note_answer(struct jr_calls *calls, struct jr_question *question)
{
    struct jr_turn *turn = &question->turn;
    struct jr_call *answer = &turn->answer;
    bool is_result = answer->api == turn->call.api;
    const char *repo = turn->ask.repo == NULL ? "" : turn->ask.repo;

    if (turn->is_main && answer->api == JR_API_GET_RUN)
        refuse_slow(answer);
    refuse_old(calls, answer);
    if (turn->token_had_ended)
        count(calls, answer);
    else
        note(calls, turn->concerns, question->about, answer);
    if (*repo != '\0' && (turn->is_main || answer->reason == JR_REASON_SHUT_OUT))
        note_shutout(calls, repo, jr_github_is_write(answer->api), answer);
    if (is_result)
        turn->call = *answer;
}

static void end(struct jr_calls *calls, struct jr_question *question)
{
    struct jr_question **link = &calls->first;

    while (*link != question)
        link = &(*link)->next;
    *link = question->next;
    jr_turn_end(&calls->turns, &question->turn);
    question->under_way = false;
}

/* See how one goes. Returns whether it is over. */
static bool work(struct jr_calls *calls, struct jr_question *question)
{
    struct jr_turn *turn = &question->turn;

    while (jr_turn_work(&calls->turns, turn, jr_now_ms()) == JR_TURN_ANSWERED) {
        note_answer(calls, question);
        if (turn->again && turn->ask.repo != NULL
            && is_shut_out(calls, turn->ask.repo, &turn->call))
            turn->again = false;
        jr_turn_go_on(&calls->turns, turn, jr_now_ms());
    }
    if (turn->state != JR_TURN_OVER)
        return false;
    end(calls, question);
    question->is_over = true;
    if (question == &calls->probe)
        end_probe(calls);
    return true;
}

void jr_calls_ask(struct jr_calls *calls, struct jr_question *question)
{
    struct jr_turn *turn = &question->turn;
    struct jr_ask ask = turn->ask;

    memset(turn, 0, sizeof *turn);
    turn->ask = ask;
    question->begun_us = jr_monotonic_us();
    question->is_over = ask.repo != NULL && is_shut_out(calls, ask.repo, &turn->call);
    if (question->is_over)
        return;
    question->under_way = true;
    question->next = calls->first;
    calls->first = question;
    jr_turn_begin(&calls->turns, turn, jr_now_ms());
    if (turn->state == JR_TURN_OVER)
        (void)work(calls, question);
}

bool jr_calls_work(struct jr_calls *calls)
{
    bool any = false, more = calls->http != NULL;

    if (more)
        jr_http_work(calls->http);
    /* The end of one may be what another waits for. */
    while (more) {
        more = false;
        for (struct jr_question *question = calls->first, *next; question; question = next) {
            next = question->next;
            more = work(calls, question) || more;
        }
        any = any || more;
    }
    return any;
}

void jr_calls_drop(struct jr_calls *calls, struct jr_question *question)
{
    if (question->under_way)
        end(calls, question);
}

void jr_calls_give_up(struct jr_calls *calls, struct jr_question *question)
{
    if (!question->under_way)
        return;
    jr_turn_give_up(&calls->turns, &question->turn, jr_now_ms());
    (void)work(calls, question);
}
