/*
 * standing -- where a run stands, in words for people.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/standing.h"
#include "t/unit/support.h"

#include <string.h>

#define OPEN JR_PHASE_OPEN
#define DUE JR_PHASE_DUE
#define CLOSED JR_PHASE_CLOSED

/* Of attempt 2, whose rerun was ours (accepted 1), somebody else's (accepted 0), and so on. */
struct standing_row {
    const char *name;
    struct jr_run run;
    enum jr_mood mood;
    const char *word, *token, *why; /* why: the beginning */
    bool remedy, rerun_helps;
};

static void stands(void **state)
{
    const struct standing_row *row = *state;
    struct jr_run run = row->run;
    struct jr_standing standing;

    run.known = true;
    jr_standing_of(&run, &standing);
    assert_string_equal(standing.word, row->word);
    assert_string_equal(standing.token, row->token);
    assert_int_equal(strncmp(standing.why, row->why, strlen(row->why)), 0);
    assert_int_equal(standing.mood, row->mood);
    assert_int_equal(*standing.remedy != '\0', row->remedy);
    assert_int_equal(standing.rerun_helps, row->rerun_helps);
}

#define DONE(what) .complete = true, .conclusion = JR_CONCLUSION_##what

static const struct standing_row standings[] = {
    { "succeeded at once", { .attempt = 1, DONE(SUCCESS), .phase = CLOSED, .reason = JR_REASON_RUN_SUCCEEDED },
      JR_MOOD_GOOD, "succeeded", "run-succeeded", "the run succeeded", false, false },
    { "rescued", { .attempt = 2, .accepted_attempt = 1, .reruns = 1, .rescued = true, DONE(SUCCESS), .phase = CLOSED,
                   .reason = JR_REASON_CONCLUSION_NOT_RETRIED },
      JR_MOOD_GOOD, "rescued", "run-succeeded", "the run succeeded after a rerun", false, false },
    { "a human's rescue after a rerun of ours in vain",
      { .attempt = 3, .accepted_attempt = 1, .reruns = 1, DONE(SUCCESS), .phase = CLOSED, .reason = JR_REASON_RUN_SUCCEEDED },
      JR_MOOD_GOOD, "succeeded", "run-succeeded", "the run succeeded after a rerun that was not asked for here", false, false },
    { "a human's rescue after a rescue of ours",
      { .attempt = 4, .accepted_attempt = 1, .reruns = 1, .rescued = true, DONE(SUCCESS), .phase = CLOSED,
        .reason = JR_REASON_RUN_SUCCEEDED },
      JR_MOOD_GOOD, "succeeded", "run-succeeded", "the run succeeded after a rerun that was not asked for here", false, false },
    { "succeeded by its jobs", { .attempt = 1, .jobs_known = 2, .phase = OPEN, .reason = JR_REASON_JOBS_SUCCEEDED },
      JR_MOOD_GOOD, "succeeded", "jobs-succeeded", "every known job is done", false, false },
    { "succeeded, and asked for by hand", { .attempt = 1, DONE(SUCCESS), .phase = DUE, .reason = JR_REASON_BY_HAND, .by_hand = true },
      JR_MOOD_WAIT, "waiting", "by-hand", "a rerun was asked for by hand", false, false },
    { "skipped", { .attempt = 1, DONE(SKIPPED), .phase = CLOSED, .reason = JR_REASON_NOT_FAILED },
      JR_MOOD_CALM, "skipped", "not-failed", "nothing of the run failed", false, false },
    { "cancelled", { .attempt = 1, DONE(CANCELLED), .phase = CLOSED, .reason = JR_REASON_CONCLUSION_NOT_RETRIED },
      JR_MOOD_CALM, "left alone", "conclusion-not-retried", "it ended as cancelled, which is not in RETRY_CONCLUSIONS", true, true },
    { "the rerun is accepted", { .attempt = 2, .accepted_attempt = 1, .reruns = 1, .phase = OPEN },
      JR_MOOD_INFO, "rerun", "rerun-accepted", "GitHub accepted the rerun; nothing was heard", false, false },
    { "the rerun is accepted, and the record says so",
      { .attempt = 2, .accepted_attempt = 1, .reruns = 1, .phase = OPEN, .reason = JR_REASON_RERUN_ACCEPTED },
      JR_MOOD_INFO, "rerun", "rerun-accepted", "GitHub accepted the rerun; nothing was heard", false, false },
    { "the rerun goes on", { .attempt = 2, .accepted_attempt = 1, .reruns = 1, .jobs_known = 1, .jobs_unfinished = 1, .phase = OPEN,
                             .reason = JR_REASON_WAITING_FOR_JOBS },
      JR_MOOD_INFO, "rerun", "waiting-for-jobs", "GitHub accepted the rerun; its jobs", false, false },
    { "somebody else's rerun", { .attempt = 2, .jobs_known = 1, .jobs_unfinished = 1, .phase = OPEN },
      JR_MOOD_CALM, "going on", "waiting-for-jobs", "other jobs of this attempt", false, false },
    { "only the run is known", { .attempt = 1, .phase = OPEN },
      JR_MOOD_CALM, "going on", "waiting-for-run", "the run is not over", false, false },
    { "waiting", { .attempt = 1, .phase = DUE, .reason = JR_REASON_JOBS_FAILED },
      JR_MOOD_WAIT, "waiting", "jobs-failed", "every known job is done and some failed", false, false },
    { "waiting for a network", { .attempt = 1, .phase = DUE, .reason = JR_REASON_UNREACHABLE },
      JR_MOOD_WAIT, "waiting", "unreachable", "GitHub could not be reached", true, false },
    { "asked for", { .attempt = 1, .phase = DUE, .reason = JR_REASON_RUN_FAILED, .intent_ms = 1 },
      JR_MOOD_WAIT, "asked for", "run-failed", "the run is completed and failed", false, false },
    { "given up", { .attempt = 4, DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_ATTEMPTS_USED_UP },
      JR_MOOD_BAD, "given up", "attempts-used-up", "the run has had RUN_ATTEMPTS", true, true },
    { "refused", { .attempt = 1, DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_NO_PERMISSION },
      JR_MOOD_BAD, "refused", "no-permission", "the token may not do this", true, true },
    { "too late", { .attempt = 1, DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_TOO_OLD },
      JR_MOOD_CALM, "too late", "too-old", "the run is older than the 30 days", true, false },
    { "excluded", { .attempt = 1, .phase = CLOSED, .reason = JR_REASON_WORKFLOW_EXCLUDED },
      JR_MOOD_CALM, "left alone", "workflow-excluded", "the workflow is in", true, true },
    { "superseded", { .attempt = 1, DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_SUPERSEDED },
      JR_MOOD_CALM, "superseded", "superseded", "a newer run", true, true },
    { "succeeded, as the record says", { .attempt = 1, DONE(SUCCESS), .phase = CLOSED, .reason = JR_REASON_RUN_SUCCEEDED },
      JR_MOOD_GOOD, "succeeded", "run-succeeded", "the run succeeded", false, false },
    { "a reason without a row", { .attempt = 1, .phase = CLOSED, .reason = JR_REASON_STORE_FAILED },
      JR_MOOD_CALM, "left alone", "store-failed", "the store failed", false, false },
    { "a reason of one that waits", { .attempt = 1, .phase = CLOSED, .reason = JR_REASON_BAD_TOKEN },
      JR_MOOD_WAIT, "left alone", "bad-token", "", true, false },
};

/* What is to be done about it. */
struct need_row {
    const char *name;
    struct jr_run run;
    enum jr_need want;
};

static void needs(void **state)
{
    const struct need_row *row = *state;
    struct jr_run run = row->run;

    run.known = true;
    assert_int_equal(jr_standing_need(&run), row->want);
    assert_int_equal(*jr_need_words(row->want) == '\0', row->want == JR_NEED_NOTHING);
}

static const struct need_row need_rows[] = {
    { "succeeded", { DONE(SUCCESS), .phase = CLOSED, .reason = JR_REASON_RUN_SUCCEEDED }, JR_NEED_NOTHING },
    { "goes on after a rerun", { .phase = OPEN, .jobs_failed = 1, .reason = JR_REASON_WAITING_FOR_JOBS }, JR_NEED_NOTHING },
    { "failed, and waits", { .phase = DUE, .jobs_failed = 1, .reason = JR_REASON_JOBS_FAILED }, JR_NEED_WAITS },
    { "timed out, and waits", { DONE(TIMED_OUT), .phase = DUE, .reason = JR_REASON_RUN_FAILED }, JR_NEED_WAITS },
    { "succeeded, and asked for by hand", { DONE(SUCCESS), .phase = DUE, .reason = JR_REASON_BY_HAND }, JR_NEED_NOTHING },
    { "given up", { DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_ATTEMPTS_USED_UP }, JR_NEED_GIVEN_UP },
    { "given up, as its jobs tell", { .jobs_failed = 1, .phase = CLOSED, .reason = JR_REASON_ATTEMPTS_USED_UP }, JR_NEED_GIVEN_UP },
    { "given up, and then it was well", { DONE(SUCCESS), .phase = CLOSED, .reason = JR_REASON_ATTEMPTS_USED_UP }, JR_NEED_NOTHING },
    { "a real one", { DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_LEFT_BY_RULE }, JR_NEED_LEFT },
    { "may not", { DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_NO_PERMISSION }, JR_NEED_ACCESS },
    { "over the limit", { DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_BUDGET_USED_UP }, JR_NEED_LIMIT },
    { "held too long", { DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_OUTAGE_HOLD }, JR_NEED_LATE },
    { "left alone by a list", { DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_WORKFLOW_EXCLUDED }, JR_NEED_NOTHING },
    { "superseded", { DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_SUPERSEDED }, JR_NEED_NOTHING },
    { "ended before anybody looked", { DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_MISSED }, JR_NEED_NOTHING },
};

static bool is_listed(const char *word)
{
    const char *listed;

    for (size_t i = 0; (listed = jr_standing_word(i)) != NULL; i++)
        if (strcmp(listed, word) == 0)
            return true;
    return false;
}

/* Whoever picks by a word is offered each that a run can have, whatever its reason is. */
static void all_words_are_listed(void **state)
{
    struct jr_standing standing;

    (void)state;
    for (size_t i = 0; i < COUNT(standings); i++)
        assert_true(is_listed(standings[i].word));
    for (int reason = 0; reason < JR_REASONS; reason++) {
        struct jr_run run = { .known = true, .attempt = 1, DONE(FAILURE), .phase = CLOSED,
                              .reason = (enum jr_reason)reason };

        jr_standing_of(&run, &standing);
        if (reason != JR_REASON_NOT_FAILED && *standing.word != '\0')
            assert_true(is_listed(standing.word));
    }
    for (size_t i = 1; jr_standing_word(i) != NULL; i++)
        assert_true(strcmp(jr_standing_word(i - 1), jr_standing_word(i)) < 0);
    assert_string_equal(jr_need_words((enum jr_need)JR_NEEDS), "");
}

/* The reason that lists show. */
struct reason_row {
    const char *name;
    struct jr_run run;
    bool paused;
    enum jr_reason want;
};

static void has_reason(void **state)
{
    const struct reason_row *row = *state;
    struct jr_run run = row->run;

    run.known = true;
    assert_int_equal(jr_standing_reason(&run, row->paused), row->want);
}

static const struct reason_row reasons[] = {
    { "due", { .attempt = 1, .phase = DUE, .reason = JR_REASON_JOBS_FAILED }, false, JR_REASON_JOBS_FAILED },
    { "due, and paused", { .attempt = 1, .phase = DUE, .reason = JR_REASON_JOBS_FAILED }, true, JR_REASON_PAUSED },
    { "closed, in a paused repository", { .attempt = 1, DONE(FAILURE), .phase = CLOSED, .reason = JR_REASON_NO_PERMISSION },
      true, JR_REASON_NO_PERMISSION },
    { "succeeded, as older records have it", { .attempt = 1, DONE(SUCCESS), .phase = CLOSED,
                                               .reason = JR_REASON_CONCLUSION_NOT_RETRIED },
      false, JR_REASON_RUN_SUCCEEDED },
    { "succeeded by its jobs", { .attempt = 1, .jobs_known = 1, .phase = OPEN, .reason = JR_REASON_JOBS_SUCCEEDED },
      false, JR_REASON_JOBS_SUCCEEDED },
    { "nothing is decided", { .attempt = 1, .jobs_known = 1, .phase = OPEN }, false, JR_REASON_WAITING_FOR_JOBS },
};

int main(void)
{
    TABLE(reasons, has_reason);
    TABLE(standings, stands);
    TABLE(need_rows, needs);
    TEST(all_words_are_listed);
    return run_program("standing");
}
