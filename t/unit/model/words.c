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
        for (int other = 0; other < reason; other++)
            if (seen[other] != NULL && strcmp(seen[other], token) == 0)
                fail_msg("'%s' is the token of %d and %d", token, other, reason);
        seen[reason] = token;
    }
}

struct token_row {
    const char *name;
    enum jr_reason reason;
    bool filter;
};

/* A few that are told in documents, and all that a setting decides. */
static void token_is(void **state)
{
    const struct token_row *row = *state;

    assert_string_equal(jr_reason_token(row->reason), row->name);
    assert_int_equal(jr_reason_is_filter(row->reason), row->filter);
}

static const struct token_row tokens[] = {
    { "attempts-used-up", JR_REASON_ATTEMPTS_USED_UP, true },
    { "sender-excluded", JR_REASON_SENDER_EXCLUDED, true },
    { "actor-excluded", JR_REASON_ACTOR_EXCLUDED, true },
    { "branch-excluded", JR_REASON_BRANCH_EXCLUDED, true },
    { "repository-excluded", JR_REASON_REPOSITORY_EXCLUDED, true },
    { "workflow-excluded", JR_REASON_WORKFLOW_EXCLUDED, true },
    { "fork-branch", JR_REASON_FORK_BRANCH, true },
    { "jobs-failed", JR_REASON_JOBS_FAILED, false },
    { "run-failed", JR_REASON_RUN_FAILED, false },
    { "rerun-accepted", JR_REASON_RERUN_ACCEPTED, false },
    { "none", JR_REASON_NONE, false },
};

int main(void)
{
    TABLE(statuses, status_from);
    TEST(statuses_are_in_order);
    TABLE(conclusions, conclusion_from);
    TEST(conclusion_names_can_be_read);
    TEST(reasons_have_tokens_and_words);
    TABLE(tokens, token_is);
    return run_program("words");
}
