/*
 * calls -- GitHub's API, as the dispatcher may call it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/calls.h"
#include "fcgi/process.h"
#include "lib/log.h"
#include "lib/timestamp.h"

#include <string.h>

/* How often the file of a rejected token is looked at. */
#define TOKEN_LOOK_MS (2 * JR_SECOND_MS)

#define EXPIRY_WARNING_MS (14 * JR_DAY_MS)
#define EXPIRY_REPEAT_MS JR_DAY_MS

/* Show the throttle to /healthz, /metrics and the tool. */
static void show(const struct jr_calls *calls)
{
    const struct jr_throttle *throttle = &calls->throttle;

    if (calls->runtime == NULL)
        return;
    calls->runtime->token_rejected_ms = throttle->rejected_ms;
    calls->runtime->rate_limited_until_ms =
        throttle->stop_reason == JR_REASON_RATE_LIMITED ? throttle->stopped_until_ms : 0;
    calls->runtime->token_expires_ms = throttle->token_expires_ms;
}

/* What the answer says of the rate limit; one that says nothing takes nothing back. */
static void show_rate(const struct jr_calls *calls, const struct jr_call *call)
{
    if (calls->runtime == NULL || call->hourly_limit <= 0 || call->rate_remaining < 0)
        return;
    calls->runtime->rate_remaining = call->rate_remaining;
    calls->runtime->rate_reset_ms = call->rate_reset_ms;
    calls->runtime->rate_limit = call->hourly_limit;
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

static void note(struct jr_calls *calls, const struct jr_call *call)
{
    int64_t now_ms = jr_now_ms();
    struct jr_txn txn;

    if (call->status == 0 && jr_process_stopping())
        return; /* broken off by ourselves */
    if (calls->runtime != NULL)
        jr_count_call(&jr_runtime_dispatcher(calls->runtime)->counters, call);
    show_rate(calls, call);
    if (jr_throttle_note(&calls->throttle, calls->settings, call, now_ms)) {
        jr_txn_begin(&txn, calls->store, true);
        jr_throttle_save(&txn, &calls->throttle);
        if (jr_txn_commit(&txn) != JR_OK)
            jr_log(JR_LOG_ERROR, "store-failed", "%s", txn.error.text);
        show(calls);
    }
    if (call->stops_all)
        jr_log(JR_LOG_ERROR, "calls-stopped", "%s; no call for %lld s%s%s",
               jr_reason_words(call->reason),
               (long long)((calls->throttle.stopped_until_ms - now_ms + 999) / 1000),
               call->text[0] == '\0' ? "" : ": ", call->text);
    warn_of_expiry(calls, now_ms);
}

enum jr_err jr_calls_open(struct jr_calls *calls, struct jr_settings *settings,
                          struct jr_store *store, struct jr_runtime *runtime,
                          struct jr_error *error)
{
    struct jr_txn txn;

    memset(calls, 0, sizeof *calls);
    calls->settings = settings;
    calls->store = store;
    calls->runtime = runtime;
    if (settings->github_token == NULL)
        return JR_OK;
    jr_txn_begin(&txn, store, false);
    jr_throttle_load(&txn, &calls->throttle, settings->github_token, jr_now_ms());
    jr_txn_abort(&txn);
    if (txn.error.code != JR_OK) {
        *error = txn.error;
        return error->code;
    }
    show(calls);
    return jr_http_open(&calls->http, settings->github_ca_file, settings->github_token,
                        jr_process_stopping, error);
}

void jr_calls_close(struct jr_calls *calls)
{
    jr_http_close(calls->http);
    calls->http = NULL;
}

/* A rejected token has got a successor in its file. */
static bool renew_token(struct jr_calls *calls)
{
    struct jr_txn txn;

    if (!jr_settings_reread_token(calls->settings))
        return false;
    jr_http_set_token(calls->http, calls->settings->github_token);
    jr_txn_begin(&txn, calls->store, false);
    jr_throttle_load(&txn, &calls->throttle, calls->settings->github_token, jr_now_ms());
    jr_txn_abort(&txn);
    show(calls);
    jr_log(JR_LOG_INFO, "token-renewed", "the token has been read anew");
    return true;
}

int64_t jr_calls_wait_ms(struct jr_calls *calls)
{
    struct jr_throttle *throttle = &calls->throttle;
    bool rejected = throttle->rejected_ms != 0;
    int64_t left_ms;
    struct jr_call call;

    if (throttle->stopped_until_ms == 0)
        return 0;
    if (rejected && renew_token(calls))
        return 0;
    left_ms = jr_throttle_stop_left_ms(throttle, jr_now_ms());
    show(calls);
    if (left_ms > 0)
        return rejected && left_ms > TOKEN_LOOK_MS ? TOKEN_LOOK_MS : left_ms;
    if (!rejected)
        return 0;
    jr_github_probe(calls->http, calls->settings->github_api_url, jr_now_ms(), &call);
    note(calls, &call);
    if (call.status == 0)
        return calls->settings->api_backoff_min_ms;
    return throttle->rejected_ms != 0 ? TOKEN_LOOK_MS : 0;
}

void jr_calls_get_run(struct jr_calls *calls, const struct jr_run *run, struct jr_event *seen,
                      struct jr_call *call)
{
    jr_github_get_run(calls->http, calls->settings->github_api_url, run->repo, run->run_id,
                      jr_now_ms(), seen, call);
    note(calls, call);
}

void jr_calls_rerun(struct jr_calls *calls, const struct jr_run *run, bool all,
                    struct jr_call *call)
{
    jr_github_rerun(calls->http, calls->settings->github_api_url, run->repo, run->run_id, all,
                    jr_now_ms(), call);
    note(calls, call);
}

void jr_calls_list_runs(struct jr_calls *calls, const char *repo,
                        const struct jr_github_list *list, struct jr_event *runs, size_t *count,
                        size_t *shown, struct jr_call *call)
{
    jr_github_list_runs(calls->http, calls->settings->github_api_url, repo, list, jr_now_ms(),
                        runs, count, shown, call);
    note(calls, call);
}
