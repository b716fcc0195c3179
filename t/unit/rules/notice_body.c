/*
 * notice_body -- notices as chats and receivers of CloudEvents take them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/format/json.h"
#include "lib/model/cause.h"
#include "lib/rules/notice_body.h"
#include "lib/rules/notice_rule.h"
#include "t/unit/support.h"

#include <string.h>

static struct jr_notice notice_of(enum jr_notice_kind kind)
{
    struct jr_notice notice = {
        .number = 7, .kind = kind, .at_ms = START_MS, .reason = JR_REASON_ATTEMPTS_USED_UP,
        .run_id = RUN_ID, .attempt = 4, .causes = UINT64_C(1) << JR_CAUSE_NETWORK,
        .repo = "octo/app", .workflow = "CI", .branch = "main", .subject = "somebody",
        .rate = { 1, 20 }, .rate_before = { 15, 20 },
    };

    return notice;
}

/* The body of some that are the same; json_object_put() it. */
static json_object *body_of(enum jr_notice_format format, const struct jr_notice *notice,
                            uint64_t count)
{
    struct jr_notice items[5] = { *notice, *notice, *notice, *notice, *notice };
    uint64_t counts[JR_NOTICE_KINDS] = { 0 };
    struct jr_notice_told told = {
        .items = items, .items_count = count < COUNT(items) ? (size_t)count : COUNT(items),
        .count = count, .counts = counts, .first = 7, .last = 6 + count, .begun_ms = START_MS,
        .api_url = "https://api.github.com", .web_url = "https://github.com",
    };
    struct jr_buffer buffer;
    struct jr_error error;
    json_object *root;

    if (notice->kind < JR_NOTICE_KINDS)
        counts[notice->kind] = count;
    jr_buffer_init(&buffer, JR_NOTICE_BODY_MAX);
    jr_notice_body_write(format, &told, &buffer);
    assert_true(buffer.ok);
    assert_int_equal(jr_json_parse(buffer.bytes, buffer.length, &root, &error), JR_OK);
    jr_buffer_release(&buffer);
    return root;
}

static const char *text_of(json_object *root, const char *key)
{
    return json_object_get_string(json_object_object_get(root, key));
}

static const struct text_row {
    const char *name;
    enum jr_notice_kind kind;
    const char *text;
} texts[] = {
    { "given up", JR_NOTICE_GIVEN_UP,
      "octo/app: CI on main failed and is given up (attempt 4; the run has had RUN_ATTEMPTS "
      "attempts; network) https://github.com/octo/app/actions/runs/12345678901" },
    { "outage", JR_NOTICE_OUTAGE,
      "Many runs fail for the same kind of cause, and reruns are held; network" },
    { "outage over", JR_NOTICE_OUTAGE_OVER, "The outage is over: reruns go on; network" },
    { "shut out", JR_NOTICE_SHUT_OUT,
      "GitHub refuses every call about what somebody has; what is due stays due" },
    { "runner", JR_NOTICE_RUNNER, "The runner somebody fails more than the others: 1 of 20 jobs" },
    { "rescue rate", JR_NOTICE_RESCUE_RATE,
      "octo/app: reruns of somebody help less than they did: 1 of 20 rescued, before 15 of 20" },
    { "test", JR_NOTICE_TEST,
      "job-rerunner: a notice sent by hand, to see whether they arrive" },
};

static void text_is(void **state)
{
    const struct text_row *row = *state;
    struct jr_notice notice = notice_of(row->kind);
    json_object *root = body_of(JR_NOTICE_JSON, &notice, 1);

    assert_string_equal(text_of(root, "text"), row->text);
    assert_string_equal(text_of(root, "kind"), jr_notice_kind_name(row->kind));
    json_object_put(root);
}

/* What a name can do to who reads it in a chat. */
static const struct hostile_row {
    const char *name, *never;
} hostile[] = {
    { "<!channel>", "<" },
    { "<!here|x>", "<" },
    { "<@U024BE7LH>", "<" },
    { "@everyone", "@everyone" },
    { "@here", "@here" },
    { "@all", "@all" },
    { "a@b@channel", "@channel" },
    { "[log in](https://evil.example/)", "](" },
    { "https://evil.example/", "https://evil" },
    { "&lt;!channel&gt;", "&lt;!" },
    { "one\ntwo", "\n" },
    { "one\r\ntwo", "\r" },
    { "```code```", "`" },
    { "**bold**", "**" },
    { "\xe2\x80\xae" "dne", "\xe2\x80\xae" },
    { "\x1b[31mred", "\x1b" },
    { "\xff\xfe", "\xff" },
    { "\"},\"channel\":\"#all\",{\"", "#all" },
    { "\\u0040everyone", "@" },
    { "#general", "#general" },
    { "www.evil.example", "www.evil" },
    { "evil.example/x", "evil.example" },
};

static void name_is_defused(void **state)
{
    const struct hostile_row *row = *state;
    struct jr_notice notice = notice_of(JR_NOTICE_GIVEN_UP);
    json_object *root;

    strcpy(notice.workflow, row->name);
    strcpy(notice.branch, row->name);
    strcpy(notice.repo, row->name);
    root = body_of(JR_NOTICE_JSON, &notice, 1);
    assert_not_contains(text_of(root, "text"), row->never);
    assert_int_equal(json_object_object_length(root), 6);
    json_object_put(root);
    for (int kind = JR_NOTICE_SHUT_OUT; kind < JR_NOTICE_KINDS; kind++) {
        notice = notice_of((enum jr_notice_kind)kind);
        strcpy(notice.subject, row->name);
        root = body_of(JR_NOTICE_JSON, &notice, 1);
        assert_not_contains(text_of(root, "text"), row->never);
        json_object_put(root);
    }
}

/* However long names are, chats take the text, and nothing is cut off behind it. */
static void long_names(void **state)
{
    struct jr_notice notice = notice_of(JR_NOTICE_GIVEN_UP);
    json_object *root;

    (void)state;
    memset(notice.workflow, '<', sizeof notice.workflow - 1);
    memset(notice.branch, '@', sizeof notice.branch - 1);
    memset(notice.repo, '&', sizeof notice.repo - 1);
    notice.causes = UINT64_MAX;
    root = body_of(JR_NOTICE_JSON, &notice, 1000);
    assert_true(strlen(text_of(root, "text")) <= JR_NOTICE_TEXT_MAX);
    assert_contains(text_of(root, "text"), "more; in all given-up 1000");
    json_object_put(root);
}

static void folded(void **state)
{
    struct jr_notice notice = notice_of(JR_NOTICE_GIVEN_UP);
    json_object *root = body_of(JR_NOTICE_JSON, &notice, 1000), *counts;

    (void)state;
    assert_string_equal(text_of(root, "kind"), "several");
    assert_string_equal(text_of(root, "id"), "7-1006/1795132800000");
    assert_string_equal(text_of(root, "count"), "1000");
    counts = json_object_object_get(root, "counts");
    assert_string_equal(text_of(counts, "given-up"), "1000");
    assert_int_equal(json_object_array_length(json_object_object_get(root, "notices")), 5);
    assert_contains(text_of(root, "text"), "\nand 995 more; in all given-up 1000");
    json_object_put(root);
}

static void facts(void **state)
{
    struct jr_notice notice = notice_of(JR_NOTICE_GIVEN_UP);
    json_object *root, *item;

    (void)state;
    strcpy(notice.workflow, "CI \"<@x>\" \\ \xc3\xa4");
    root = body_of(JR_NOTICE_JSON, &notice, 1);
    assert_string_equal(text_of(root, "id"), "given-up/12345678901/4");
    item = json_object_array_get_idx(json_object_object_get(root, "notices"), 0);
    assert_string_equal(text_of(item, "workflow"), notice.workflow);
    assert_string_equal(text_of(item, "at"), "2026-11-20T00:00:00.000Z");
    assert_string_equal(text_of(item, "reason"), "attempts-used-up");
    assert_string_equal(text_of(item, "causes"), "[ \"network\" ]");
    assert_string_equal(text_of(item, "run_id"), "12345678901");
    json_object_put(root);
}

/* The attributes that CloudEvents 1.0 requires, and those that we have besides. */
static void cloudevent(void **state)
{
    struct jr_notice notice = notice_of(JR_NOTICE_GIVEN_UP);
    json_object *root = body_of(JR_NOTICE_CLOUDEVENTS, &notice, 1), *data;

    (void)state;
    assert_string_equal(text_of(root, "specversion"), "1.0");
    assert_string_equal(text_of(root, "id"), "given-up/12345678901/4");
    assert_string_equal(text_of(root, "type"), "job-rerunner.given-up");
    assert_string_equal(text_of(root, "source"), "https://api.github.com");
    assert_string_equal(text_of(root, "subject"), "octo/app/actions/runs/12345678901");
    assert_string_equal(text_of(root, "time"), "2026-11-20T00:00:00.000Z");
    assert_string_equal(text_of(root, "datacontenttype"), "application/json");
    data = json_object_object_get(root, "data");
    assert_contains(text_of(data, "text"), "octo/app: CI on main");
    json_object_put(root);
    root = body_of(JR_NOTICE_CLOUDEVENTS, &notice, 6);
    assert_string_equal(text_of(root, "type"), "job-rerunner.several");
    assert_null(json_object_object_get(root, "subject"));
    json_object_put(root);
}

/* Which runs are told. */
static const struct rule_row {
    const char *name;
    enum jr_phase phase;
    enum jr_reason reason;
    const char *branch, *fork;
    unsigned on;
    bool told;
} rules[] = {
    { "attempts", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP, "main", "", 1, true },
    { "by rule", JR_PHASE_CLOSED, JR_REASON_LEFT_BY_RULE, "release/1", "", 1, true },
    { "limits", JR_PHASE_CLOSED, JR_REASON_BUDGET_USED_UP, "main", "", 1, true },
    { "a hold", JR_PHASE_DUE, JR_REASON_BUDGET_USED_UP, "main", "", 1, false },
    { "another branch", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP, "x", "", 1, false },
    { "no branch", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP, "", "", 1, false },
    { "a fork's", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP, "main", "a/b", 1, false },
    { "superseded", JR_PHASE_CLOSED, JR_REASON_SUPERSEDED, "main", "", 1, false },
    { "closed", JR_PHASE_CLOSED, JR_REASON_PULL_REQUEST_CLOSED, "main", "", 1, false },
    { "filtered", JR_PHASE_CLOSED, JR_REASON_WORKFLOW_EXCLUDED, "main", "", 1, false },
    { "conclusion", JR_PHASE_CLOSED, JR_REASON_CONCLUSION_NOT_RETRIED, "main", "", 1, false },
    { "dry run", JR_PHASE_CLOSED, JR_REASON_DRY_RUN, "main", "", 1, false },
    { "succeeded", JR_PHASE_CLOSED, JR_REASON_RUN_SUCCEEDED, "main", "", 1, false },
    { "nobody", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP, "main", "", 0, false },
    { "others only", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP, "main", "", 2, false },
};

static void rule_says(void **state)
{
    const struct rule_row *row = *state;
    struct jr_bounds bounds = { .notify_on = row->on };
    struct jr_run before = { .run_id = RUN_ID, .attempt = 4 }, run;

    assert_int_equal(jr_list_parse(&bounds.notify_branches, "main,release/*"), JR_OK);
    strcpy(before.branch, row->branch);
    strcpy(before.head_repo, row->fork);
    run = before;
    run.complete = true;
    run.phase = row->phase;
    run.reason = row->reason;
    assert_int_equal(jr_notice_rule_gives_up(&bounds, &before, &run), row->told);
    run.complete = false;
    assert_false(jr_notice_rule_gives_up(&bounds, &before, &run));
    run.complete = true;
    /* Once for an attempt; another one is told anew. */
    assert_false(jr_notice_rule_gives_up(&bounds, &run, &run));
    before = run;
    before.attempt = 3;
    assert_int_equal(jr_notice_rule_gives_up(&bounds, &before, &run), row->told);
    jr_list_release(&bounds.notify_branches);
}

int main(void)
{
    TABLE(texts, text_is);
    TABLE(hostile, name_is_defused);
    TEST(long_names);
    TEST(folded);
    TEST(facts);
    TEST(cloudevent);
    TABLE(rules, rule_says);
    return run_program("notice_body");
}
