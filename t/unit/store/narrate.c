/*
 * narrate -- the sentences of the history.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/narrate.h"
#include "t/unit/support.h"

#include <string.h>

struct narrate_row {
    const char *name;
    struct jr_history entry;
    const char *want;
};

static void narrated(void **state)
{
    const struct narrate_row *row = *state;
    char text[JR_NARRATE_SIZE];

    assert_string_equal(jr_narrate(&row->entry, text), row->want);
}

#define DECIDED .kind = JR_HISTORY_DECISION, .decided

static const struct narrate_row rows[] = {
    { "a job is queued", { .kind = JR_HISTORY_EVENT, .event = { .kind = JR_EVENT_JOB, .action = "queued", .status = JR_STATUS_QUEUED, .job_name = "build", .sender = "octocat" } },
      "workflow_job queued 'build' by octocat" },
    { "a job fails", { .kind = JR_HISTORY_EVENT, .event = { .kind = JR_EVENT_JOB, .action = "completed", .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_FAILURE, .job_name = "build" } },
      "workflow_job completed failure 'build'" },
    { "a run ends", { .kind = JR_HISTORY_EVENT, .event = { .kind = JR_EVENT_RUN, .action = "completed", .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_TIMED_OUT, .sender = "dev" } },
      "workflow_run completed timed_out by dev" },
    { "a call", { .kind = JR_HISTORY_CALL, .call = { .what = "GET run", .duration_ms = 120 } }, "GET run, 120 ms" },
    { "a refusal", { .kind = JR_HISTORY_CALL, .call = { .what = "POST rerun", .duration_ms = 7, .text = "No" } }, "POST rerun, 7 ms: No" },
    { "an attempt that is open", { DECIDED = { .phase = JR_PHASE_OPEN, .jobs_known = 3, .jobs_unfinished = 2, .jobs_failed = 1 } },
      "open; jobs known 3, unfinished 2, failed 1" },
    { "one that is due", { DECIDED = { .phase = JR_PHASE_DUE, .complete = true, .conclusion = JR_CONCLUSION_FAILURE, .due_ms = START_MS } },
      "due; jobs known 0, unfinished 0, failed 0; run completed failure; GitHub is asked at 2026-11-20T00:00:00.000Z" },
    { "one that is rerun", { DECIDED = { .step = JR_STEP_RERUN_FAILED, .phase = JR_PHASE_DUE, .complete = true, .conclusion = JR_CONCLUSION_FAILURE, .due_ms = START_MS } },
      "its failed jobs are rerun; jobs known 0, unfinished 0, failed 0; run completed failure; without an answer GitHub is asked at 2026-11-20T00:00:00.000Z" },
    { "a superseded one", { .reason = JR_REASON_SUPERSEDED, DECIDED = { .phase = JR_PHASE_CLOSED, .superseded_by = 12 } },
      "closed; jobs known 0, unfinished 0, failed 0; by run 12" },
    { "an outcome", { .kind = JR_HISTORY_OUTCOME, .next = 4 }, "attempt 4 is next" },
    { "a request", { .kind = JR_HISTORY_REQUEST, .who = "root" }, "by root" },
    { "a request of nobody", { .kind = JR_HISTORY_REQUEST }, "" },
    { "somebody ended a pause", { .kind = JR_HISTORY_REQUEST, .reason = JR_REASON_PAUSED, .who = "bob", .pause = { .pattern = "octo/*", .since_ms = START_MS, .who = "alice" } },
      "ended by bob: the pause of octo/*, by alice, since 2026-11-20T00:00:00Z" },
    { "a pause was over", { .kind = JR_HISTORY_DECISION, .reason = JR_REASON_PAUSED, .pause = { .since_ms = START_MS } },
      "ended by its time: the pause of everything, since 2026-11-20T00:00:00Z" },
};

/* All that can stand in an entry fits, and is not cut. */
static void longest(void **state)
{
    struct jr_history entry = { .kind = JR_HISTORY_EVENT, .event = { .kind = JR_EVENT_JOB, .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_STARTUP_FAILURE } };
    char text[JR_NARRATE_SIZE];

    (void)state;
    memset(entry.event.action, 'a', sizeof entry.event.action - 1);
    memset(entry.event.job_name, 'n', sizeof entry.event.job_name - 1);
    memset(entry.event.sender, 's', sizeof entry.event.sender - 1);
    assert_int_equal(jr_narrate(&entry, text)[strlen(text) - 1], 's');
    entry.kind = JR_HISTORY_REQUEST;
    entry.reason = JR_REASON_PAUSED;
    memset(entry.who, 'w', sizeof entry.who - 1);
    memset(entry.pause.pattern, 'p', sizeof entry.pause.pattern - 1);
    memset(entry.pause.who, 'q', sizeof entry.pause.who - 1);
    memset(entry.pause.why, 'y', sizeof entry.pause.why - 1);
    assert_int_equal(jr_narrate(&entry, text)[strlen(text) - 1], 'y');
    assert_string_equal(jr_narrate_reason(&entry), "it waited for the end of a pause");
    entry.reason = JR_REASON_RUN_FAILED;
    assert_string_equal(jr_narrate_reason(&entry), jr_reason_words(JR_REASON_RUN_FAILED));
}

int main(void)
{
    TABLE(rows, narrated);
    TEST(longest);
    return run_program("narrate");
}
