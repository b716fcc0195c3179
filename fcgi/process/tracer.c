/*
 * tracer -- sees whether another host has asked for a rerun that shows itself here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/tracer.h"
#include "fcgi/process/desk.h"
#include "fcgi/process/tell.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/cluster/engine.h"
#include "lib/steps/tracing.h"
#include "lib/store/outbox.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct tracer {
    struct jr_desk *desk;
    bool looks;          /* etcd is asked about `entry' */
    struct jr_due entry;
    int64_t again_ms;    /* monotonic: when it is looked for the next one */
    struct jr_claimant claimant;
};

/* Where there is one host, nothing is looked for any more. */
static enum jr_err set_up(void *state, struct jr_desk *desk, struct jr_error *error)
{
    struct tracer *tracer = state;

    tracer->desk = desk;
    if (!jr_cluster_is_on(&desk->cluster) && jr_tracing_drop(desk->store, error) != JR_OK)
        jr_log(JR_LOG_WARN, "store-failed", "%s", error->text);
    return JR_OK;
}

static void put_down(void *state)
{
    struct tracer *tracer = state;

    jr_claimant_end(&tracer->claimant);
    tracer->looks = false;
}

/* What the history has of it: the host, and its own clock. */
static void name_host(const struct jr_claim *claim, struct jr_call *call)
{
    char at[JR_TIMESTAMP_SIZE];

    *call = (struct jr_call){
        .api = JR_API_NONE, .what = JR_TURN_UNASKED, .outcome = JR_OUTCOME_DONE,
        .reason = JR_REASON_RERUN_ELSEWHERE, .rate_remaining = -1,
    };
    snprintf(call->text, sizeof call->text, "%s, at %s", claim->name,
             jr_timestamp_format(claim->at_ms, at));
}

static void settle(struct tracer *tracer, const struct jr_call *call)
{
    struct jr_desk *desk = tracer->desk;
    struct jr_traced traced;
    struct jr_error error;
    enum jr_err err = jr_tracing_settle(desk->store, desk->settings, &tracer->entry, call,
                                        jr_now_ms(), &traced, &error);

    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return;
    }
    if (!traced.verdict.changed)
        return;
    jr_tell_decision(&traced.run, &traced.verdict, call, 0);
    jr_desk_count(desk, &traced.verdict);
}

static void postpone(struct tracer *tracer)
{
    struct jr_error error;
    enum jr_err err = jr_tracing_postpone(tracer->desk->store, &tracer->entry, jr_now_ms(),
                                          &error);

    if (err != JR_OK)
        jr_desk_store_failed(tracer->desk, err, &error);
}

/* Take etcd's answer, if it has come. */
static void take_answer(struct tracer *tracer)
{
    enum jr_claimed traced = jr_claimant_traced(&tracer->claimant);
    struct jr_call call;

    if (traced == JR_CLAIMED_NOT_YET)
        return;
    if (traced == JR_CLAIMED_ACCEPT) {
        name_host(&tracer->claimant.claim, &call);
        settle(tracer, &call);
    } else if (traced == JR_CLAIMED_CLOSE) {
        settle(tracer, NULL);
    } else {
        postpone(tracer);
    }
    put_down(tracer);
}

/* None is due: the outbox may be long, and is not walked through again at once. */
static int64_t rest(struct tracer *tracer, int64_t due_ms, int64_t now_ms)
{
    int64_t wait_ms = due_ms - now_ms;

    if (due_ms == 0)
        return JR_CALLS_NEVER;
    if (wait_ms > JR_SECOND_MS)
        wait_ms = JR_SECOND_MS;
    tracer->again_ms = jr_monotonic_ms() + wait_ms;
    return wait_ms;
}

/* While etcd cannot be reached, what is due stays where it is. */
static int64_t take_turn(void *state)
{
    struct tracer *tracer = state;
    struct jr_desk *desk = tracer->desk;
    int64_t due_ms, now_ms = jr_now_ms();
    struct jr_error error;
    enum jr_err err;

    if (tracer->looks)
        take_answer(tracer);
    if (tracer->looks || !jr_cluster_is_up(&desk->cluster))
        return JR_CALLS_NEVER;
    if (tracer->again_ms > jr_monotonic_ms())
        return tracer->again_ms - jr_monotonic_ms();
    err = jr_tracing_find(desk->store, now_ms, &tracer->entry, &due_ms, &error);
    if (err == JR_ENOENT)
        return rest(tracer, due_ms, now_ms);
    if (err != JR_OK) {
        jr_desk_store_failed(desk, err, &error);
        return JR_SECOND_MS;
    }
    tracer->claimant.run_id = tracer->entry.run_id;
    tracer->claimant.attempt = tracer->entry.attempt;
    jr_claimant_trace(desk->cluster.engine, &tracer->claimant);
    tracer->looks = true;
    return 0;
}

static bool is_under_way(const void *state)
{
    const struct tracer *tracer = state;

    return tracer->looks;
}

const struct jr_duty jr_tracer_duty = {
    .turn = JR_DUTY_ASIDE,
    .size = sizeof(struct tracer),
    .open = set_up,
    .work = take_turn,
    .is_under_way = is_under_way,
    .close = put_down,
};
