/*
 * causehold -- what becomes of the reruns for a cause while many runs fail for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/causehold.h"
#include "lib/base/text.h"
#include "lib/rules/attempt.h"

#include <stddef.h>

void jr_causehold_keep_time(struct jr_causehold *hold, int64_t now_ms)
{
    hold->since_ms = jr_earlier_of(hold->since_ms, now_ms);
    hold->probe_ms = jr_earlier_of(hold->probe_ms, now_ms);
    hold->over_ms = jr_earlier_of(hold->over_ms, now_ms);
    hold->next_probe_ms = jr_earlier_of(hold->next_probe_ms, now_ms + hold->hold_ms);
}

void jr_causehold_begin(struct jr_causehold *hold, const struct jr_outage_rule *rule,
                        const struct jr_surge *surge, int64_t now_ms)
{
    if (hold->phase == JR_CAUSEHOLD_HELD)
        return;
    hold->phase = JR_CAUSEHOLD_HELD;
    hold->since_ms = now_ms;
    hold->runs = surge->runs;
    hold->workflows = surge->workflows;
    hold->first_hold_ms = hold->hold_ms = rule->hold_ms;
    hold->next_probe_ms = now_ms + rule->hold_ms;
    hold->probe_run_id = hold->last_run_id = 0;
    hold->probes = hold->released = 0;
    hold->lifted_by[0] = '\0';
    hold->news |= JR_CAUSEHOLD_BEGINS;
}

int64_t jr_causehold_after_ms(const struct jr_causehold *hold)
{
    return hold->over_ms;
}

int64_t jr_causehold_step_ms(const struct jr_causehold *hold)
{
    return jr_later_of(JR_SECOND_MS, jr_earlier_of(hold->first_hold_ms / 5, JR_MINUTE_MS));
}

/* How many may have gone ahead by now: 2, 6, 14, 30 ... */
static uint32_t allowed(const struct jr_causehold *hold, int64_t now_ms)
{
    int64_t steps = (now_ms - hold->over_ms) / jr_causehold_step_ms(hold);

    if (hold->end != JR_CAUSEHOLD_PROBED || steps >= JR_CAUSEHOLD_STEPS)
        return UINT32_MAX;
    return JR_CAUSEHOLD_FIRST * ((UINT32_C(2) << (steps < 0 ? 0 : steps)) - 1);
}

uint32_t jr_causehold_room(const struct jr_causehold *hold, int64_t now_ms)
{
    uint32_t most;

    switch (hold->phase) {
    case JR_CAUSEHOLD_HELD:
        return hold->probe_run_id == 0 && now_ms >= hold->next_probe_ms;
    case JR_CAUSEHOLD_RELEASING:
        most = allowed(hold, now_ms);
        return most == UINT32_MAX ? most : most > hold->released ? most - hold->released : 0;
    case JR_CAUSEHOLD_FREE:
        break;
    }
    return UINT32_MAX;
}

static bool is_probe(const struct jr_causehold *hold, uint64_t run_id, uint32_t attempt)
{
    return hold->phase == JR_CAUSEHOLD_HELD && hold->probe_run_id == run_id
           && hold->probe_attempt == attempt;
}

bool jr_causehold_passes(const struct jr_causehold *hold, uint64_t run_id, uint32_t attempt,
                         int64_t now_ms)
{
    return is_probe(hold, run_id, attempt) || jr_causehold_room(hold, now_ms) > 0;
}

void jr_causehold_pass(struct jr_causehold *hold, uint64_t run_id, uint32_t attempt,
                       int64_t now_ms)
{
    if (hold->phase == JR_CAUSEHOLD_RELEASING && hold->released < UINT32_MAX)
        hold->released++;
    if (hold->phase != JR_CAUSEHOLD_HELD || is_probe(hold, run_id, attempt))
        return;
    hold->probe_run_id = hold->last_run_id = run_id;
    hold->probe_attempt = attempt;
    hold->probe_ms = now_ms;
    hold->probes++;
    hold->news |= JR_CAUSEHOLD_PROBES;
}

static void end(struct jr_causehold *hold, enum jr_causehold_end why, int64_t now_ms)
{
    hold->phase = JR_CAUSEHOLD_RELEASING;
    hold->end = why;
    hold->over_ms = now_ms;
    hold->released = 0;
    hold->probe_run_id = 0;
    hold->news |= JR_CAUSEHOLD_OVER;
}

static void hold_on(struct jr_causehold *hold, int64_t now_ms)
{
    int64_t most_ms = jr_later_of(JR_CAUSEHOLD_MOST_MS, hold->first_hold_ms);

    hold->hold_ms = jr_earlier_of(jr_later_of(2 * hold->hold_ms, JR_SECOND_MS), most_ms);
    hold->next_probe_ms = now_ms + hold->hold_ms;
    hold->probe_run_id = 0;
    hold->news |= JR_CAUSEHOLD_HOLDS_ON;
}

void jr_causehold_probe_is(struct jr_causehold *hold, enum jr_causehold_outcome outcome,
                           int64_t now_ms)
{
    if (hold->phase != JR_CAUSEHOLD_HELD || hold->probe_run_id == 0)
        return;
    if (outcome == JR_PROBE_UNDER_WAY && now_ms - hold->probe_ms >= JR_CAUSEHOLD_PROBE_MS)
        outcome = JR_PROBE_LOST;
    switch (outcome) {
    case JR_PROBE_UNDER_WAY:
        break;
    case JR_PROBE_SUCCEEDED:
        end(hold, JR_CAUSEHOLD_PROBED, now_ms);
        break;
    case JR_PROBE_FAILED:
        hold_on(hold, now_ms);
        break;
    case JR_PROBE_LOST:
        hold->probe_run_id = 0;
        break;
    }
}

void jr_causehold_lift(struct jr_causehold *hold, enum jr_causehold_end why, const char *who,
                       int64_t now_ms)
{
    if (hold->phase == JR_CAUSEHOLD_HELD)
        end(hold, why, now_ms);
    else if (hold->phase == JR_CAUSEHOLD_RELEASING)
        hold->end = why;
    (void)jr_text_copy(hold->lifted_by, sizeof hold->lifted_by, who);
}

void jr_causehold_waiting(struct jr_causehold *hold, uint64_t waiting, int64_t now_ms)
{
    if (waiting > 0)
        return;
    if (hold->phase == JR_CAUSEHOLD_HELD && jr_causehold_room(hold, now_ms) > 0)
        end(hold, JR_CAUSEHOLD_IDLE, now_ms);
    if (hold->phase == JR_CAUSEHOLD_RELEASING)
        hold->phase = JR_CAUSEHOLD_FREE;
}

const char *jr_causehold_end_words(enum jr_causehold_end end)
{
    static const char *const words[] = {
        [JR_CAUSEHOLD_PROBED] = "a probe succeeded",
        [JR_CAUSEHOLD_LIFTED] = "lifted by hand",
        [JR_CAUSEHOLD_IDLE] = "no run waits for it",
        [JR_CAUSEHOLD_UNWANTED] = "the policy has no outage any more",
    };

    return words[end];
}
