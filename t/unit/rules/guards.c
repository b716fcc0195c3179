/*
 * guards -- each guard of a policy, by what is known.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/guards.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

#define ON "version: 1\notherwise: rerun\n"
#define OFF "version: 1\notherwise: rerun\nguards: { superseded: rerun, closed: rerun, deployments: rerun, merge-queue: rerun, concurrency: rerun }\n"

struct guard_row {
    const char *name, *policy;
    struct jr_guard_facts facts;
    enum jr_policy_verdict verdict;
    enum jr_reason reason;
};

static void guard_answers(void **state)
{
    const struct guard_row *row = *state;
    struct jr_problems *problems = calloc(1, sizeof *problems);
    struct jr_guard_facts facts = row->facts;
    struct jr_guard_answer answer;
    struct jr_policy_part part;
    struct jr_policy policy;
    const char *text = jr_policy_preset(row->policy);

    assert_non_null(problems);
    if (text == NULL)
        text = row->policy;
    assert_int_equal(jr_policy_read(&policy, text, strlen(text), problems), JR_OK);
    assert_int_equal(problems->count, 0);
    jr_policy_for(&policy, "octo/app", &part);
    if (facts.event == NULL)
        facts.event = "push";
    answer = jr_guards_ask(&part.guards, &facts);
    assert_int_equal(answer.verdict, row->verdict);
    assert_string_equal(jr_reason_token(answer.reason), jr_reason_token(row->reason));
    jr_policy_release(&policy);
    free(problems);
}

#define PASSES JR_POLICY_RERUN, JR_REASON_NONE

static const struct guard_row guards[] = {
    { "nothing is in the way", ON, { .event = "push" }, PASSES },
    { "the event is not known", ON, { .event = "" }, PASSES },
    { "a newer run", ON, { .newer = JR_GUARD_HOLDS }, JR_POLICY_LEAVE, JR_REASON_SUPERSEDED },
    { "its group is held", ON, { .held = JR_GUARD_HOLDS }, JR_POLICY_WAIT, JR_REASON_CONCURRENCY_BUSY },
    { "closed", ON, { .closed = JR_GUARD_HOLDS }, JR_POLICY_LEAVE, JR_REASON_PULL_REQUEST_CLOSED },
    { "it deploys", ON, { .deploys = JR_GUARD_HOLDS }, JR_POLICY_LEAVE, JR_REASON_DEPLOYMENT },
    { "the merge queue", ON, { .event = "merge_group" }, JR_POLICY_LEAVE, JR_REASON_MERGE_QUEUE },
    { "a release", ON, { .event = "release" }, JR_POLICY_LEAVE, JR_REASON_LEFT_BY_RULE },
    { "a comment", ON, { .event = "issue_comment" }, JR_POLICY_LEAVE, JR_REASON_LEFT_BY_RULE },
    { "a dispatch", ON, { .event = "repository_dispatch" }, JR_POLICY_LEAVE, JR_REASON_LEFT_BY_RULE },
    { "a deployment's event", ON, { .event = "deployment" }, JR_POLICY_LEAVE, JR_REASON_LEFT_BY_RULE },
    { "a release that the rules name", ON, { .event = "release", .event_named = true }, PASSES },
    { "a schedule", ON, { .event = "schedule" }, PASSES },
    { "the cheapest answers first", ON, { .newer = JR_GUARD_HOLDS, .held = JR_GUARD_HOLDS, .closed = JR_GUARD_HOLDS, .deploys = JR_GUARD_HOLDS }, JR_POLICY_LEAVE, JR_REASON_SUPERSEDED },
    { "what waits comes before what leaves", ON, { .held = JR_GUARD_HOLDS, .closed = JR_GUARD_HOLDS }, JR_POLICY_WAIT, JR_REASON_CONCURRENCY_BUSY },
    { "all off", OFF, { .event = "merge_group", .newer = JR_GUARD_HOLDS, .held = JR_GUARD_HOLDS, .closed = JR_GUARD_HOLDS, .deploys = JR_GUARD_HOLDS }, PASSES },
    { "off, but the events", OFF, { .event = "release" }, JR_POLICY_LEAVE, JR_REASON_LEFT_BY_RULE },
    { "concurrency leaves", "version: 1\notherwise: rerun\nguards: { concurrency: leave }\n", { .held = JR_GUARD_HOLDS }, JR_POLICY_LEAVE, JR_REASON_CONCURRENCY_BUSY },
    { "listed events alone", "version: 1\notherwise: rerun\nguards: { events: [push, pull_request] }\n", { .event = "schedule" }, JR_POLICY_LEAVE, JR_REASON_LEFT_BY_RULE },
    { "a listed event", "version: 1\notherwise: rerun\nguards: { events: [push, release] }\n", { .event = "release" }, PASSES },
    { "what nobody could say", ON, { .newer = JR_GUARD_NOT_TOLD, .held = JR_GUARD_NOT_TOLD, .closed = JR_GUARD_NOT_TOLD, .deploys = JR_GUARD_NOT_TOLD }, PASSES },
    { "everything", "everything", { .event = "release", .newer = JR_GUARD_HOLDS, .held = JR_GUARD_HOLDS, .closed = JR_GUARD_HOLDS, .deploys = JR_GUARD_HOLDS }, PASSES },
    { "careful", "careful", { .deploys = JR_GUARD_HOLDS }, JR_POLICY_LEAVE, JR_REASON_DEPLOYMENT },
    { "infrastructure", "infrastructure", { .event = "merge_group" }, JR_POLICY_LEAVE, JR_REASON_MERGE_QUEUE },
};

/* What is told of each: of those that are off, and behind the first that holds, nothing. */
static void answers_tell_what_was_asked(void **state)
{
    struct jr_guards on = { .concurrency = JR_GUARD_WAIT, .closed = JR_GUARD_RERUN };
    struct jr_guard_facts facts = { .event = "push", .newer = JR_GUARD_FREE, .held = JR_GUARD_NOT_TOLD, .closed = JR_GUARD_HOLDS };
    struct jr_guard_answer answer;

    (void)state;
    answer = jr_guards_ask(&on, &facts);
    assert_int_equal(answer.verdict, JR_POLICY_RERUN);
    assert_int_equal(answer.told[JR_GUARD_SUPERSEDED], JR_GUARD_FREE);
    assert_int_equal(answer.told[JR_GUARD_CONCURRENCY], JR_GUARD_NOT_TOLD);
    assert_int_equal(answer.told[JR_GUARD_CLOSED], JR_GUARD_NOT_ASKED);
    assert_int_equal(answer.told[JR_GUARD_DEPLOYMENTS], JR_GUARD_NOT_ASKED);
    assert_int_equal(answer.told[JR_GUARD_EVENTS], JR_GUARD_FREE);
    facts.held = JR_GUARD_HOLDS;
    answer = jr_guards_ask(&on, &facts);
    assert_int_equal(answer.told[JR_GUARD_CONCURRENCY], JR_GUARD_HOLDS);
    assert_int_equal(answer.told[JR_GUARD_EVENTS], JR_GUARD_NOT_ASKED);
    facts = (struct jr_guard_facts){ .event = "" };
    answer = jr_guards_ask(&on, &facts);
    assert_int_equal(answer.told[JR_GUARD_MERGE_QUEUE], JR_GUARD_NOT_TOLD);
}

struct name_row {
    const char *name;
    bool deploys;
};

static void name(void **state)
{
    const struct name_row *row = *state;

    assert_int_equal(jr_guards_name_deploys(row->name), row->deploys);
}

static const struct name_row names[] = {
    { "build", false }, { "", false }, { "deployment", false }, { "prerelease", false }, { "Uploads", false },
    { "deploy", true }, { "Deploy to production", true }, { "build_and_publish", true },
    { "RELEASE", true }, { "docs / pages (1)", true }, { "undeploy, deploy", true }, { "promote", true }, { "upload", true },
};

static void rules_name_events(void **state)
{
    static char release[] = "rel*", *items[] = { release };
    struct jr_rule rules[2] = { { .name = NULL }, { .when.event = { items, 1 } } };
    struct jr_policy_part part = { .rules = rules, .rule_count = 2 };

    (void)state;
    assert_true(jr_guards_event_is_named(&part, "release"));
    assert_false(jr_guards_event_is_named(&part, "issue_comment"));
    part.rule_count = 1; /* a rule that names none means all, and names none */
    assert_false(jr_guards_event_is_named(&part, "release"));
}

int main(void)
{
    TABLE(guards, guard_answers);
    TEST(answers_tell_what_was_asked);
    TABLE(names, name);
    TEST(rules_name_events);
    return run_program("guards");
}
