/*
 * guards -- what keeps a run that deserves a rerun from getting one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/guards.h"
#include "lib/base/text.h"

#include <string.h>

static bool is_merge_queue(const struct jr_guard_facts *facts)
{
    return strcmp(facts->event, "merge_group") == 0;
}

/* Is it of an event whose runs may not be rerun? */
static bool is_left_by_event(const struct jr_guards *guards, const struct jr_guard_facts *facts)
{
    static const char *const doers[] = { "release", "deployment", "issue_comment",
                                         "repository_dispatch" };

    if (*facts->event == '\0')
        return false;
    if (guards->events.count > 0)
        return !jr_list_match(&guards->events, facts->event);
    for (size_t i = 0; i < sizeof doers / sizeof *doers; i++)
        if (strcmp(facts->event, doers[i]) == 0)
            return !facts->event_named;
    return false;
}

struct jr_guard_answer jr_guards_ask(const struct jr_guards *guards,
                                     const struct jr_guard_facts *facts)
{
    const struct {
        bool holds;
        enum jr_guard guard;
        enum jr_reason reason;
    } asked[] = {
        { facts->newer, guards->superseded, JR_REASON_SUPERSEDED },
        { facts->held, guards->concurrency, JR_REASON_CONCURRENCY_BUSY },
        { facts->closed, guards->closed, JR_REASON_PULL_REQUEST_CLOSED },
        { facts->deploys, guards->deployments, JR_REASON_DEPLOYMENT },
        { is_merge_queue(facts), guards->merge_queue, JR_REASON_MERGE_QUEUE },
        { is_left_by_event(guards, facts), JR_GUARD_LEAVE, JR_REASON_LEFT_BY_RULE },
    };

    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        if (!asked[i].holds || asked[i].guard == JR_GUARD_RERUN)
            continue;
        return (struct jr_guard_answer){
            asked[i].guard == JR_GUARD_WAIT ? JR_POLICY_WAIT : JR_POLICY_LEAVE, asked[i].reason,
        };
    }
    return (struct jr_guard_answer){ JR_POLICY_RERUN, JR_REASON_NONE };
}

bool jr_guards_event_is_named(const struct jr_policy_part *part, const char *event)
{
    for (size_t i = 0; i < part->rule_count; i++) {
        const struct jr_list *events = &part->rules[i].when.event;

        if (events->count > 0 && jr_list_match(events, event))
            return true;
    }
    return false;
}
