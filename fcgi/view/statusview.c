/*
 * statusview -- what is said of a service: is it alive, and what is it doing?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/statusview.h"
#include "fcgi/view/runview.h"
#include "lib/github/throttle.h"

#include <string.h>

/* What the store tells of GitHub. */
struct recalled {
    struct jr_throttle throttle;
    struct jr_shutouts *shutouts;
    struct jr_notices_sum *notices;
};

static void recall(struct jr_txn *txn, void *context)
{
    struct recalled *recalled = context;
    enum jr_err err;

    jr_throttle_recall(txn, &recalled->throttle);
    jr_notices_sum(txn, recalled->notices);
    err = jr_shutouts_load(txn, recalled->shutouts, 0);
    if (err != JR_OK)
        jr_txn_fail(txn, err, "out of memory");
}

/* Who we are, where there are several hosts. */
static enum jr_err read_host(struct jr_statusview *view, struct jr_store *store,
                             const struct jr_settings *settings, struct jr_error *error)
{
    view->clusters = jr_settings_clusters(settings);
    if (!view->clusters)
        return JR_OK;
    jr_engine_host(settings, view->host);
    return jr_host_look(store, view->host_id, error);
}

enum jr_err jr_statusview_read(struct jr_statusview *view, struct jr_store *store,
                               const struct jr_settings *settings, const struct jr_policy *policy,
                               struct jr_error *error)
{
    struct recalled recalled = { .shutouts = &view->shutouts, .notices = &view->notices };
    const struct jr_throttle *throttle = &recalled.throttle;
    enum jr_err err = jr_store_read(store, recall, &recalled, error);

    if (err == JR_OK)
        err = jr_listing_count(store, &view->counts, error);
    if (err == JR_OK)
        err = jr_listing_reports(store, view->now_ms, &view->reports, error);
    if (err != JR_OK)
        return err;
    /* A running service knows this better: the store may speak of an earlier token. */
    if (!view->answers) {
        view->token_rejected_ms = throttle->rejected_ms;
        view->token_expires_ms = throttle->token_expires_ms;
    }
    if (throttle->stop_reason == JR_REASON_RATE_LIMITED
        && throttle->stopped_until_ms > view->now_ms)
        view->rate_limited_until_ms = throttle->stopped_until_ms;
    err = jr_listing_waiting(store, view->pauses, &view->waiting, error);
    if (err == JR_OK)
        err = jr_halt_read(store, settings, view->now_ms, &view->halt, error);
    if (err == JR_OK)
        err = jr_holding_read(store, view->now_ms, &view->holdings, error);
    if (err == JR_OK)
        err = jr_store_usage(store, &view->used_bytes, &view->map_bytes, error);
    view->spending_known = policy != NULL;
    if (err == JR_OK && policy != NULL)
        err = jr_spending_look(store, policy, view->now_ms, &view->spending, error);
    if (err == JR_OK)
        err = jr_flaky_recent(store, JR_FLAKY_RUNNER, view->now_ms, view->runners,
                              JR_STATUSVIEW_RUNNERS, &view->runner_count, error);
    if (err == JR_OK)
        err = read_host(view, store, settings, error);
    return err;
}

void jr_statusview_judge(struct jr_statusview *view, const struct jr_settings *settings,
                         bool in_service)
{
    view->ailment_count = jr_health_look(settings, view->answers ? &view->sight : NULL,
                                         in_service, view->now_ms, view->ailments);
    view->healthy = true;
    for (size_t i = 0; i < view->ailment_count; i++)
        view->healthy = view->healthy && !view->ailments[i]->fails;
}

void jr_statusview_release(struct jr_statusview *view)
{
    jr_shutouts_release(&view->shutouts);
}

static void emit_words(struct jr_emit *emit, const char *key, const struct jr_statusview *view,
                       bool fails)
{
    jr_emit_open_array(emit, key);
    for (size_t i = 0; i < view->ailment_count; i++)
        if (view->ailments[i]->fails == fails)
            jr_emit_text(emit, NULL, view->ailments[i]->word);
    jr_emit_close_array(emit);
}

int64_t jr_statusview_restarts(const struct jr_statusview *view)
{
    return view->sight.worker_restarts + view->sight.dispatcher_restarts;
}

static void emit_processes(struct jr_emit *emit, const struct jr_statusview *view)
{
    const struct jr_pause *whole = jr_pauses_whole(view->pauses);

    jr_emit_open(emit, "service");
    jr_emit_bool(emit, "running", view->running);
    jr_emit_known(emit, "pid", view->master_pid != 0, view->master_pid);
    jr_emit_time(emit, "started_at", view->sight.started_ms);
    jr_emit_number(emit, "workers", view->sight.workers);
    jr_emit_number(emit, "workers_alive", view->sight.workers_alive);
    jr_emit_number(emit, "workers_busy", view->sight.workers_busy);
    jr_emit_number(emit, "restarts", jr_statusview_restarts(view));
    jr_emit_close(emit);
    jr_emit_open(emit, "dispatcher");
    jr_emit_bool(emit, "at_work", view->dispatcher_at_work);
    jr_emit_known(emit, "pid", view->dispatcher_pid != 0, view->dispatcher_pid);
    jr_emit_time(emit, "busy_since", view->sight.dispatcher_busy_ms);
    jr_emit_time(emit, "paused_since", whole == NULL ? 0 : whole->since_ms);
    jr_runview_emit_pauses(emit, "pauses", view->pauses);
    jr_emit_close(emit);
}

static void emit_shutouts(struct jr_emit *emit, const struct jr_shutouts *shutouts)
{
    jr_emit_open_array(emit, "shut_outs");
    for (size_t i = 0; i < shutouts->count; i++) {
        jr_emit_open(emit, NULL);
        jr_emit_text(emit, "name", shutouts->items[i].name);
        jr_emit_time(emit, "since", shutouts->items[i].since_ms);
        jr_emit_text(emit, "text", shutouts->items[i].text);
        jr_emit_close(emit);
    }
    jr_emit_close_array(emit);
}

static void emit_github(struct jr_emit *emit, const struct jr_statusview *view)
{
    bool rate_known = view->sight.rate_limit != 0;
    bool access_known = view->access != JR_ACCESS_UNKNOWN && view->access != JR_ACCESS_NONE;

    jr_emit_open(emit, "github");
    jr_emit_known(emit, "rate_limit", rate_known, view->sight.rate_limit);
    jr_emit_known(emit, "rate_remaining", rate_known, view->sight.rate_remaining);
    jr_emit_time(emit, "rate_reset_at", view->sight.rate_reset_ms);
    jr_emit_time(emit, "rate_limited_until", view->rate_limited_until_ms);
    jr_emit_text(emit, "access", !access_known ? NULL : view->app ? "app" : "token");
    jr_emit_text(emit, "token_state", jr_access_token(view->access));
    jr_emit_time(emit, "token_taken_at", view->token_taken_ms);
    jr_emit_time(emit, "token_rejected_since", view->token_rejected_ms);
    jr_emit_time(emit, "token_expires_at", view->token_expires_ms);
    emit_shutouts(emit, &view->shutouts);
    jr_emit_time(emit, "sweep_begun_at", view->sight.sweep_begun_ms);
    jr_emit_time(emit, "sweep_ended_at", view->sight.sweep_ended_ms);
    jr_emit_close(emit);
}

static void emit_limit(struct jr_emit *emit, const struct jr_spending_row *row)
{
    jr_emit_number(emit, "reruns_this_hour", row->reruns);
    jr_emit_known(emit, "reruns_per_hour", row->reruns_limit != 0, row->reruns_limit);
    jr_emit_number(emit, "minutes_today", (int64_t)row->minutes);
    jr_emit_known(emit, "minutes_per_day", row->minutes_limit != 0, row->minutes_limit);
}

static void emit_limits(struct jr_emit *emit, const struct jr_statusview *view)
{
    const struct jr_spending_view *spending = &view->spending;

    if (!view->spending_known) {
        jr_emit_null(emit, "limits");
        return;
    }
    jr_emit_open(emit, "limits");
    emit_limit(emit, &spending->all);
    jr_emit_known(emit, "waiting", spending->whole, (int64_t)spending->waiting);
    jr_emit_number(emit, "repositories_near", spending->near);
    jr_emit_number(emit, "repositories_over", spending->over);
    jr_emit_open_array(emit, "repositories");
    for (size_t i = 0; i < spending->count; i++) {
        jr_emit_open(emit, NULL);
        jr_emit_text(emit, "repository", spending->rows[i].repo);
        emit_limit(emit, &spending->rows[i]);
        jr_emit_close(emit);
    }
    jr_emit_close_array(emit);
    jr_emit_close(emit);
}

static void emit_runners(struct jr_emit *emit, const struct jr_statusview *view)
{
    jr_emit_open_array(emit, "suspect_runners");
    for (size_t i = 0; i < view->runner_count; i++) {
        const struct jr_flaky *row = &view->runners[i];

        jr_emit_open(emit, NULL);
        jr_emit_text(emit, "owner", row->repo);
        jr_emit_text(emit, "labels", row->group);
        jr_emit_text(emit, "runner", row->name);
        jr_emit_number(emit, "executions", (int64_t)row->executions);
        jr_emit_number(emit, "blamed", (int64_t)row->blamed);
        jr_emit_close(emit);
    }
    jr_emit_close_array(emit);
}

static void emit_notices(struct jr_emit *emit, const struct jr_statusview *view)
{
    jr_emit_open(emit, "notices");
    jr_emit_number(emit, "waiting", (int64_t)view->notices.waiting);
    jr_emit_number(emit, "sent", (int64_t)view->notices.sent);
    jr_emit_number(emit, "dropped", (int64_t)view->notices.dropped);
    jr_emit_number(emit, "failures", view->sight.notices_failed);
    jr_emit_close(emit);
}

const char *jr_statusview_cluster(const struct jr_statusview *view)
{
    static const char *const words[] = {
        [JR_CLUSTER_NONE] = "off",
        [JR_CLUSTER_JOINS] = "joining",
        [JR_CLUSTER_UP] = "up",
        [JR_CLUSTER_AWAY] = "unreachable",
    };

    return words[jr_sight_cluster(&view->sight)];
}

static const char *text_or_null(const char *text)
{
    return *text == '\0' ? NULL : text;
}

static void emit_hosts(struct jr_emit *emit, const struct jr_statusview *view)
{
    static const struct jr_engine_sight nothing;
    const struct jr_engine_sight *hosts = view->hosts == NULL ? &nothing : view->hosts;

    if (!view->clusters) {
        jr_emit_null(emit, "cluster");
        return;
    }
    jr_emit_open(emit, "cluster");
    jr_emit_text(emit, "host", view->host);
    jr_emit_text(emit, "host_id", text_or_null(view->host_id));
    jr_emit_text(emit, "state", jr_statusview_cluster(view));
    jr_emit_bool(emit, "etcd_answers", view->hosts != NULL);
    jr_emit_text(emit, "etcd_text", view->etcd_text);
    jr_emit_open_array(emit, "hosts");
    for (size_t i = 0; i < hosts->hosts; i++)
        jr_emit_text(emit, NULL, hosts->names[i]);
    jr_emit_close_array(emit);
    jr_emit_text(emit, "sweeper", text_or_null(hosts->sweeper));
    jr_emit_bool(emit, "paused", hosts->paused);
    jr_emit_text(emit, "paused_by_host", text_or_null(hosts->pauser));
    jr_emit_time(emit, "paused_since", hosts->paused_ms);
    jr_emit_close(emit);
}

void jr_statusview_emit(struct jr_emit *emit, const struct jr_statusview *view)
{
    jr_emit_open(emit, NULL);
    jr_emit_text(emit, "version", PACKAGE_VERSION);
    jr_emit_text(emit, "state_dir", view->state_dir);
    jr_emit_bool(emit, "healthy", view->healthy);
    if (view->settings_known)
        jr_emit_bool(emit, "dry_run", view->dry_run);
    else
        jr_emit_null(emit, "dry_run");
    emit_words(emit, "failed", view, true);
    emit_words(emit, "degraded", view, false);
    emit_processes(emit, view);
    jr_emit_open(emit, "outbox");
    jr_emit_number(emit, "waiting", (int64_t)view->waiting.entries);
    jr_emit_number(emit, "paused", (int64_t)view->waiting.paused);
    jr_emit_time(emit, "first_due_at", view->waiting.due_ms);
    jr_emit_known(emit, "first_due_run_id", view->waiting.due_ms != 0,
                  (int64_t)view->waiting.due_run_id);
    jr_emit_time(emit, "oldest_since", view->waiting.oldest_ms);
    jr_emit_close(emit);
    jr_runview_emit_outages(emit, "outages", &view->holdings.holds,
                            view->holdings.waiting);
    emit_limits(emit, view);
    jr_emit_number(emit, "reports_waiting", view->reports);
    emit_github(emit, view);
    emit_runners(emit, view);
    emit_notices(emit, view);
    emit_hosts(emit, view);
    jr_emit_open(emit, "store");
    jr_emit_number(emit, "format", JR_STORE_FORMAT);
    jr_emit_number(emit, "runs", (int64_t)view->counts.runs);
    jr_emit_number(emit, "repositories", (int64_t)view->counts.repos);
    jr_emit_number(emit, "used_bytes", (int64_t)view->used_bytes);
    jr_emit_number(emit, "map_bytes", (int64_t)view->map_bytes);
    jr_emit_close(emit);
    jr_emit_close(emit);
}
