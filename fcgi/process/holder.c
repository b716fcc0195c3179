/*
 * holder -- goes on with the reruns that an outage of others holds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/holder.h"
#include "fcgi/process/tell.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/steps/holding.h"

#include <string.h>

/* How often it looks: where an outage may be found, and where there is none to be found. */
#define LOOK_MS JR_SECOND_MS
#define LOOK_SELDOM_MS JR_MINUTE_MS

static void count(const struct jr_desk *desk, const struct jr_causeholds *news)
{
    struct jr_counters *counters = desk->process == NULL ? NULL : &desk->process->counters;

    for (size_t i = 0; i < news->count; i++)
        jr_count_outage(counters, (news->items[i].news & JR_CAUSEHOLD_BEGINS) != 0,
                        (news->items[i].news & JR_CAUSEHOLD_OVER) != 0);
}

int64_t jr_holder_work(struct jr_holder *holder)
{
    struct jr_desk *desk = holder->desk;
    struct jr_holding_work work;
    struct jr_error error;
    int64_t now_ms = jr_monotonic_ms();
    bool seldom;

    if (now_ms < holder->due_ms)
        return holder->due_ms - now_ms;
    holder->due_ms = now_ms + LOOK_MS;
    if (jr_holding_work(desk->store, holder->policy, jr_settings_notifies(desk->settings),
                        jr_now_ms(), &work, &error)
        != JR_OK) {
        jr_desk_store_failed(desk, error.code, &error);
        return LOOK_MS;
    }
    if (desk->told != NULL)
        desk->told->held_causes = (int64_t)work.held;
    if (work.news.count > 0) {
        jr_test_point("outage-told");
        count(desk, &work.news);
        jr_tell_outages(&work.news);
    }
    jr_cluster_hold(&desk->cluster, work.held);
    seldom = work.in_force == 0 && !jr_policy_has_outage(holder->policy);
    if (seldom)
        holder->due_ms = now_ms + LOOK_SELDOM_MS;
    if (work.sent == 0)
        return seldom ? LOOK_SELDOM_MS : LOOK_MS;
    memset(&desk->walk, 0, sizeof desk->walk);
    return 0;
}
