/*
 * guards -- what keeps a run that deserves a rerun from getting one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/guards.h"
#include "lib/base/text.h"

#include <ctype.h>
#include <string.h>

static bool is_merge_queue(const struct jr_guard_facts *facts)
{
    return (jr_trigger_traits(facts->event) & JR_TRIGGER_QUEUE) != 0;
}

/* Is it of an event whose runs these guards do not let be rerun? */
static bool leaves_event(const struct jr_guards *guards, const struct jr_guard_facts *facts)
{
    if (*facts->event == '\0')
        return false;
    if (guards->events.count > 0)
        return !jr_list_match(&guards->events, facts->event);
    return (jr_trigger_traits(facts->event) & JR_TRIGGER_DOES) != 0 && !facts->event_named;
}

enum jr_guard jr_guards_of(const struct jr_guards *guards, enum jr_guard_kind kind)
{
    const enum jr_guard of[JR_GUARD_KINDS] = {
        [JR_GUARD_SUPERSEDED] = guards->superseded, [JR_GUARD_CONCURRENCY] = guards->concurrency,
        [JR_GUARD_CLOSED] = guards->closed,         [JR_GUARD_DEPLOYMENTS] = guards->deployments,
        [JR_GUARD_MERGE_QUEUE] = guards->merge_queue, [JR_GUARD_EVENTS] = JR_GUARD_LEAVE,
    };

    return of[kind];
}

/* By the event alone; one that is not known tells nothing. */
static enum jr_guard_told told_by_event(const struct jr_guard_facts *facts, bool holds)
{
    if (*facts->event == '\0')
        return JR_GUARD_NOT_TOLD;
    return holds ? JR_GUARD_HOLDS : JR_GUARD_FREE;
}

static bool is_left_by_event(const struct jr_guards *guards, const struct jr_guard_facts *facts)
{
    return leaves_event(guards, facts)
           || (guards->ceiling != NULL && leaves_event(guards->ceiling, facts));
}

struct jr_guard_answer jr_guards_ask(const struct jr_guards *guards,
                                     const struct jr_guard_facts *facts)
{
    const struct {
        enum jr_guard_told told;
        enum jr_reason reason;
    } asked[JR_GUARD_KINDS] = {
        [JR_GUARD_SUPERSEDED] = { facts->newer, JR_REASON_SUPERSEDED },
        [JR_GUARD_CONCURRENCY] = { facts->held, JR_REASON_CONCURRENCY_BUSY },
        [JR_GUARD_CLOSED] = { facts->closed, JR_REASON_PULL_REQUEST_CLOSED },
        [JR_GUARD_DEPLOYMENTS] = { facts->deploys, JR_REASON_DEPLOYMENT },
        [JR_GUARD_MERGE_QUEUE] = { told_by_event(facts, is_merge_queue(facts)),
                                   JR_REASON_MERGE_QUEUE },
        [JR_GUARD_EVENTS] = { told_by_event(facts, is_left_by_event(guards, facts)),
                              JR_REASON_LEFT_BY_RULE },
    };
    struct jr_guard_answer answer = { .verdict = JR_POLICY_RERUN, .reason = JR_REASON_NONE };

    for (int i = 0; i < JR_GUARD_KINDS && answer.verdict == JR_POLICY_RERUN; i++) {
        enum jr_guard guard = jr_guards_of(guards, (enum jr_guard_kind)i);

        if (guard == JR_GUARD_RERUN)
            continue;
        answer.told[i] = asked[i].told;
        if (asked[i].told != JR_GUARD_HOLDS)
            continue;
        answer.verdict = guard == JR_GUARD_WAIT ? JR_POLICY_WAIT : JR_POLICY_LEAVE;
        answer.reason = asked[i].reason;
    }
    return answer;
}

/* Does a word stand in a text, in whatever case, with no letter or digit beside it? */
static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = text; (at = strcasestr(at, word)) != NULL; at++)
        if ((at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[length]))
            return true;
    return false;
}

bool jr_guards_name_deploys(const char *name)
{
    static const char *const words[] = { "deploy", "release", "publish", "upload", "promote",
                                         "pages" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has_word(name, words[i]))
            return true;
    return false;
}

bool jr_guards_event_is_named(const struct jr_policy_part *part, const char *event)
{
    if (part->ceiling != NULL && !jr_guards_event_is_named(part->ceiling, event))
        return false;
    for (size_t i = 0; i < part->rule_count; i++) {
        const struct jr_list *events = &part->rules[i].when.event;

        if (events->count > 0 && jr_list_match(events, event))
            return true;
    }
    return false;
}
