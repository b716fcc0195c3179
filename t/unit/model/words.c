/*
 * words -- GitHub's words and ours.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/words.h"
#include "t/unit/support.h"

#include <ctype.h>
#include <string.h>

struct status_row {
    const char *name;
    enum jr_status want;
};

static void status_from(void **state)
{
    const struct status_row *row = *state;

    assert_int_equal(jr_status_from(row->name), row->want);
}

static const struct status_row statuses[] = {
    { "queued", JR_STATUS_QUEUED },
    { "waiting", JR_STATUS_QUEUED },
    { "pending", JR_STATUS_QUEUED },
    { "requested", JR_STATUS_QUEUED },
    { "in_progress", JR_STATUS_IN_PROGRESS },
    { "completed", JR_STATUS_COMPLETED },
    { "", JR_STATUS_UNKNOWN },
    { "paused", JR_STATUS_UNKNOWN },
    { "Completed", JR_STATUS_UNKNOWN },
    { "completed ", JR_STATUS_UNKNOWN },
};

/* A job only moves to a greater status. */
static void statuses_are_in_order(void **state)
{
    (void)state;
    assert_int_equal(jr_status_from(NULL), JR_STATUS_UNKNOWN);
    assert_true(JR_STATUS_UNKNOWN < JR_STATUS_QUEUED);
    assert_true(JR_STATUS_QUEUED < JR_STATUS_IN_PROGRESS);
    assert_true(JR_STATUS_IN_PROGRESS < JR_STATUS_COMPLETED);
    assert_string_equal(jr_status_name(JR_STATUS_QUEUED), "queued");
    assert_string_equal(jr_status_name(JR_STATUS_COMPLETED), "completed");
    assert_string_equal(jr_status_name(JR_STATUS_UNKNOWN), "unknown");
}

struct conclusion_row {
    const char *name;
    enum jr_conclusion want;
    bool bad;
};

static void conclusion_from(void **state)
{
    const struct conclusion_row *row = *state;

    assert_int_equal(jr_conclusion_from(row->name), row->want);
    assert_int_equal(jr_conclusion_is_bad(row->want), row->bad);
}

static const struct conclusion_row conclusions[] = {
    { "success", JR_CONCLUSION_SUCCESS, false },
    { "skipped", JR_CONCLUSION_SKIPPED, false },
    { "neutral", JR_CONCLUSION_NEUTRAL, false },
    { "failure", JR_CONCLUSION_FAILURE, true },
    { "timed_out", JR_CONCLUSION_TIMED_OUT, true },
    { "cancelled", JR_CONCLUSION_CANCELLED, true },
    { "action_required", JR_CONCLUSION_ACTION_REQUIRED, true },
    { "stale", JR_CONCLUSION_STALE, true },
    { "startup_failure", JR_CONCLUSION_STARTUP_FAILURE, true },
    { "exploded", JR_CONCLUSION_OTHER, true },
    { "SUCCESS", JR_CONCLUSION_OTHER, true },
};

static void conclusion_names_can_be_read(void **state)
{
    (void)state;
    assert_int_equal(jr_conclusion_from(NULL), JR_CONCLUSION_NONE);
    assert_int_equal(jr_conclusion_from(""), JR_CONCLUSION_NONE);
    for (int value = JR_CONCLUSION_SUCCESS; value <= JR_CONCLUSION_OTHER; value++)
        assert_int_equal(jr_conclusion_from(jr_conclusion_name((enum jr_conclusion)value)), value);
    assert_string_equal(jr_conclusion_name(JR_CONCLUSION_NONE), "none");
}

/* They go into a header and a log line, and people search for them. */
static void reasons_have_tokens_and_words(void **state)
{
    const char *seen[200] = { NULL };

    (void)state;
    for (int reason = 0; reason < 200; reason++) {
        const char *token = jr_reason_token((enum jr_reason)reason);
        const char *words = jr_reason_words((enum jr_reason)reason);

        assert_true(token != NULL && *token != '\0');
        assert_true(words != NULL && *words != '\0');
        for (const char *c = token; *c != '\0'; c++)
            assert_true(islower((unsigned char)*c) || *c == '-');
        for (const char *c = words; *c != '\0'; c++)
            assert_true((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f);
        if (strcmp(token, jr_reason_token(JR_REASON_NONE)) == 0)
            continue; /* a number of no reason */
        assert_true(reason < JR_REASONS);
        assert_int_not_equal(jr_reason_class((enum jr_reason)reason), JR_CLASS_NONE);
        for (int other = 0; other < reason; other++)
            if (seen[other] != NULL && strcmp(seen[other], token) == 0)
                fail_msg("'%s' is the token of %d and %d", token, other, reason);
        seen[reason] = token;
    }
}

/* A note is made of sentences, and each backquote has its partner. */
static void notes_are_sentences(void **state)
{
    size_t noted = 0;

    (void)state;
    for (int reason = 0; reason < JR_REASONS; reason++) {
        const char *note = jr_reason_note((enum jr_reason)reason);
        size_t length = strlen(note), quotes = 0;

        for (const char *c = note; *c != '\0'; c++)
            quotes += *c == '`';
        assert_int_equal(quotes % 2, 0);
        assert_true(length == 0 || (isupper((unsigned char)note[0]) && note[length - 1] == '.'));
        noted += length > 0;
    }
    assert_true(noted > 40);
}

struct token_row {
    const char *name;
    enum jr_reason reason;
    enum jr_reason_class class;
};

/* A few that are told in documents, and all of the classes that decide something by themselves. */
static void token_is(void **state)
{
    const struct token_row *row = *state;

    assert_string_equal(jr_reason_token(row->reason), row->name);
    assert_int_equal(jr_reason_class(row->reason), row->class);
    assert_int_equal(jr_reason_from(row->name), row->reason);
}

static const struct token_row tokens[] = {
    { "attempts-used-up", JR_REASON_ATTEMPTS_USED_UP, JR_CLASS_FILTER },
    { "sender-excluded", JR_REASON_SENDER_EXCLUDED, JR_CLASS_FILTER },
    { "actor-excluded", JR_REASON_ACTOR_EXCLUDED, JR_CLASS_FILTER },
    { "branch-excluded", JR_REASON_BRANCH_EXCLUDED, JR_CLASS_FILTER },
    { "repository-excluded", JR_REASON_REPOSITORY_EXCLUDED, JR_CLASS_FILTER },
    { "workflow-excluded", JR_REASON_WORKFLOW_EXCLUDED, JR_CLASS_FILTER },
    { "fork-branch", JR_REASON_FORK_BRANCH, JR_CLASS_FILTER },
    { "jobs-failed", JR_REASON_JOBS_FAILED, JR_CLASS_SUSPECT },
    { "run-failed", JR_REASON_RUN_FAILED, JR_CLASS_SUSPECT },
    { "rerun-accepted", JR_REASON_RERUN_ACCEPTED, JR_CLASS_RERUN },
    { "none", JR_REASON_NONE, JR_CLASS_NONE },
    { "not-found", JR_REASON_NOT_FOUND, JR_CLASS_DENIAL },
    { "no-permission", JR_REASON_NO_PERMISSION, JR_CLASS_DENIAL },
    { "not-installed", JR_REASON_NOT_INSTALLED, JR_CLASS_DENIAL },
    { "workflow-unknown", JR_REASON_WORKFLOW_UNKNOWN, JR_CLASS_DENIAL },
    { "run-succeeded", JR_REASON_RUN_SUCCEEDED, JR_CLASS_CONCLUSION },
    { "not-failed", JR_REASON_NOT_FAILED, JR_CLASS_CONCLUSION },
    { "conclusion-not-retried", JR_REASON_CONCLUSION_NOT_RETRIED, JR_CLASS_CONCLUSION },
    { "unreachable", JR_REASON_UNREACHABLE, JR_CLASS_OUTAGE },
    { "server-error", JR_REASON_SERVER_ERROR, JR_CLASS_OUTAGE },
    { "not-github", JR_REASON_NOT_GITHUB, JR_CLASS_OUTAGE },
    { "signature-missing", JR_REASON_SIGNATURE_MISSING, JR_CLASS_SIGNATURE },
    { "signature-malformed", JR_REASON_SIGNATURE_MALFORMED, JR_CLASS_SIGNATURE },
    { "signature-doubled", JR_REASON_SIGNATURE_DOUBLED, JR_CLASS_SIGNATURE },
    { "signature-wrong", JR_REASON_SIGNATURE_WRONG, JR_CLASS_SIGNATURE },
};

struct trigger_row {
    const char *name;
    unsigned want;
};

static void trigger_is(void **state)
{
    const struct trigger_row *row = *state;

    assert_int_equal(jr_trigger_traits(row->name), row->want);
}

static const struct trigger_row triggers[] = {
    { "push", JR_TRIGGER_LINE },
    { "pull_request_target", JR_TRIGGER_LINE | JR_TRIGGER_PULL | JR_TRIGGER_DEFAULT_BRANCH },
    { "merge_group", JR_TRIGGER_QUEUE },
    { "release", JR_TRIGGER_DOES },
    { "workflow_dispatch", 0 },
    { "", 0 },
};

int main(void)
{
    TABLE(statuses, status_from);
    TEST(statuses_are_in_order);
    TABLE(conclusions, conclusion_from);
    TEST(conclusion_names_can_be_read);
    TEST(reasons_have_tokens_and_words);
    TEST(notes_are_sentences);
    TABLE(tokens, token_is);
    TABLE(triggers, trigger_is);
    return run_program("words");
}
