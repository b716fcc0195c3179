/*
 * limits -- may a rerun be made now, by what reruns have spent already?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/limits.h"
#include "lib/base/testpoint.h"

bool jr_limits_are_set(const struct jr_limits *limits)
{
    return limits->reruns_per_hour != 0 || limits->minutes_per_day != 0;
}

uint64_t jr_limits_weigh(const struct jr_limits *limits, const struct jr_minutes *minutes)
{
    const uint32_t weights[JR_SYSTEMS] = {
        [JR_SYSTEM_LINUX] = limits->weight_linux,
        [JR_SYSTEM_WINDOWS] = limits->weight_windows,
        [JR_SYSTEM_MACOS] = limits->weight_macos,
        [JR_SYSTEM_SELF_HOSTED] = limits->weight_self_hosted,
    };
    uint64_t sum = 0;

    for (size_t i = 0; i < JR_SYSTEMS; i++)
        sum += (uint64_t)weights[i] * minutes->of[i];
    return sum;
}

void jr_limits_add(struct jr_minutes *minutes, enum jr_system system, uint32_t more)
{
    uint32_t *sum = &minutes->of[system];

    *sum = more > UINT32_MAX - *sum ? UINT32_MAX : *sum + more;
}

/* When the window that now lies in is over, and a little more. */
static int64_t next_ms(const struct jr_limits_facts *facts, int64_t window_ms)
{
    uint64_t mixed = facts->run_id * UINT64_C(0x9e3779b97f4a7c15);

    return (facts->now_ms / window_ms + 1) * window_ms
           + (int64_t)((mixed >> 32) % (uint64_t)jr_test_scaled_ms(JR_LIMITS_SPREAD_MS));
}

/* Until when one set of limits makes it wait; 0: it does not. */
static int64_t wait_for(const struct jr_limits *limits, const struct jr_spending *spent,
                        const struct jr_limits_facts *facts)
{
    uint64_t cost = jr_limits_weigh(limits, &facts->cost);

    if (limits->minutes_per_day != 0 && cost > 0
        && jr_limits_weigh(limits, &spent->minutes) + cost > limits->minutes_per_day)
        return next_ms(facts, jr_test_scaled_ms(JR_DAY_MS));
    if (limits->reruns_per_hour != 0 && spent->reruns >= limits->reruns_per_hour)
        return next_ms(facts, jr_test_scaled_ms(JR_HOUR_MS));
    return 0;
}

static bool is_too_large(const struct jr_limits *limits, const struct jr_minutes *cost)
{
    return limits->minutes_per_day != 0
           && jr_limits_weigh(limits, cost) > limits->minutes_per_day;
}

struct jr_limits_answer jr_limits_ask(const struct jr_limits_facts *facts)
{
    int64_t repo_ms, all_ms;

    if (is_too_large(facts->repo, &facts->cost) || is_too_large(facts->all, &facts->cost))
        return (struct jr_limits_answer){ JR_LIMITS_NEVER, 0 };
    repo_ms = wait_for(facts->repo, &facts->repo_spent, facts);
    all_ms = wait_for(facts->all, &facts->all_spent, facts);
    if (repo_ms == 0 && all_ms == 0)
        return (struct jr_limits_answer){ JR_LIMITS_PASS, 0 };
    return (struct jr_limits_answer){ JR_LIMITS_WAIT, repo_ms > all_ms ? repo_ms : all_ms };
}
