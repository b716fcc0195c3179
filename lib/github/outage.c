/*
 * outage -- while calls fail, whatever they are about.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/outage.h"
#include "lib/github/github.h"

/* One alone may be bad luck. */
#define FAILED_BEFORE_HELD 2

enum jr_reason jr_outage_reason(const struct jr_call *call)
{
    if (jr_reason_class(call->reason) == JR_CLASS_OUTAGE)
        return call->reason;
    switch (call->reason) {
    case JR_REASON_OUTCOME_UNKNOWN:
        return call->status == 0 ? JR_REASON_UNREACHABLE : JR_REASON_SERVER_ERROR;
    case JR_REASON_BAD_ANSWER: /* a portal's page, with status 200 */
    case JR_REASON_MOVED:      /* or one that redirects to it */
        return JR_REASON_NOT_GITHUB;
    default:
        return JR_REASON_NONE;
    }
}

static int64_t next_wait_ms(const struct jr_outage *outage, const struct jr_settings *settings)
{
    int64_t most_ms = settings->api_backoff_max_ms < JR_OUTAGE_MAX_MS ? settings->api_backoff_max_ms
                                                                      : JR_OUTAGE_MAX_MS;
    int64_t wait_ms = outage->wait_ms == 0 ? settings->api_backoff_min_ms : 2 * outage->wait_ms;

    return wait_ms < most_ms ? wait_ms : most_ms;
}

bool jr_outage_note(struct jr_outage *outage, const struct jr_settings *settings,
                    const struct jr_call *call, uint64_t about, int64_t now_ms)
{
    enum jr_reason reason = jr_outage_reason(call);
    bool held = outage->wait_ms != 0;

    if (reason != JR_REASON_NONE && jr_github_is_optional(call->api))
        return false;
    if (reason == JR_REASON_NONE) {
        *outage = (struct jr_outage){ .good_ms = now_ms };
        return held;
    }
    if (held && jr_call_is_older(call, outage->known_us))
        return false;
    if (outage->failed == 0 || about == 0 || about != outage->about)
        outage->failed++;
    outage->reason = reason;
    outage->about = about;
    if (outage->failed < FAILED_BEFORE_HELD)
        return false;
    outage->wait_ms = next_wait_ms(outage, settings);
    outage->held_until_ms = now_ms + outage->wait_ms;
    outage->known_us = jr_call_ended_us(call);
    return !held;
}

int64_t jr_outage_wait_ms(const struct jr_outage *outage, int64_t now_ms)
{
    return outage->held_until_ms > now_ms ? outage->held_until_ms - now_ms : 0;
}
