/*
 * run -- records of runs and jobs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/run.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

static void fill(char *text, size_t size, char c)
{
    memset(text, c, size - 1);
    text[size - 1] = '\0';
}

/* A run in which each field differs from zero and from the others. */
static struct jr_run full_run(void)
{
    struct jr_run run = {
        .repo_id = UINT64_C(0x1122334455667788),
        .repo = "octo/app",
        .branch = "main",
        .workflow = "CI",
        .trigger = "push",
        .actor = "dev",
        .triggering_actor = "ops",
        .first_sender = "octocat",
        .first_sender_ms = START_MS + 6,
        .head_repo = "fork/app",
        .created_ms = START_MS,
        .attempt = 3,
        .numbered = true,
        .base_attempt = 2,
        .jobs_known = 1000,
        .jobs_unfinished = 500,
        .jobs_failed = 70000,
        .complete = true,
        .conclusion = JR_CONCLUSION_STARTUP_FAILURE,
        .updated_ms = START_MS + 1,
        .phase = JR_PHASE_DUE,
        .reason = JR_REASON_OUTCOME_UNKNOWN,
        .due_ms = START_MS + 2,
        .tries = 17,
        .intent_ms = START_MS + 3,
        .rerun_all = true,
        .by_hand = true,
        .asked = true,
        .reopened = true,
        .workflow_path = ".github/workflows/ci.yml",
        .workflow_id = UINT64_C(1) << 40,
        .run_number = UINT64_C(1) << 41,
        .head_sha = "abc",
        .quiet_due_ms = START_MS + 7,
        .quiet_asks = 9,
        .accepted_attempt = 4,
        .reruns = 5,
        .first_event_ms = START_MS + 4,
        .last_event_ms = START_MS + 5,
        .history_count = 100000,
        .told_ms = START_MS + 8,
        .jobs_tallied = 600,
        .failed_day = 20000,
        .rescue_day = 20001,
        .rescued = true,
        .denied_ms = START_MS + 8,
        .held = JR_REASON_OUTAGE_HOLD,
        .spent = { 12, START_MS + 9, UINT64_MAX, { { 1, 2, UINT32_MAX, 4 } } },
    };

    return run;
}

static size_t encode_run(const struct jr_run *run, unsigned char *record)
{
    struct jr_writer writer;

    jr_writer_init(&writer, record, JR_RECORD_SIZE);
    jr_run_encode(run, &writer);
    assert_true(writer.ok);
    return writer.length;
}

static void run_comes_back(void **state)
{
    struct jr_run run = full_run(), read;
    unsigned char record[JR_RECORD_SIZE];

    (void)state;
    assert_true(jr_run_decode(&read, record, encode_run(&run, record)));
    assert_true(read.repo_id == run.repo_id);
    assert_string_equal(read.repo, "octo/app");
    assert_string_equal(read.branch, "main");
    assert_string_equal(read.workflow, "CI");
    assert_string_equal(read.workflow_path, ".github/workflows/ci.yml");
    assert_true(read.workflow_id == UINT64_C(1) << 40);
    assert_true(read.run_number == UINT64_C(1) << 41);
    assert_string_equal(read.head_sha, "abc");
    assert_string_equal(read.trigger, "push");
    assert_string_equal(read.actor, "dev");
    assert_string_equal(read.triggering_actor, "ops");
    assert_string_equal(read.first_sender, "octocat");
    assert_string_equal(read.head_repo, "fork/app");
    assert_int_equal(read.created_ms, START_MS);
    assert_int_equal(read.attempt, 3);
    assert_true(read.numbered);
    assert_int_equal(read.base_attempt, 2);
    assert_int_equal(read.jobs_known, 1000);
    assert_int_equal(read.jobs_unfinished, 500);
    assert_int_equal(read.jobs_failed, 70000);
    assert_true(read.complete);
    assert_int_equal(read.conclusion, JR_CONCLUSION_STARTUP_FAILURE);
    assert_int_equal(read.updated_ms, START_MS + 1);
    assert_int_equal(read.phase, JR_PHASE_DUE);
    assert_int_equal(read.reason, JR_REASON_OUTCOME_UNKNOWN);
    assert_int_equal(read.due_ms, START_MS + 2);
    assert_int_equal(read.tries, 17);
    assert_int_equal(read.intent_ms, START_MS + 3);
    assert_true(read.rerun_all);
    assert_true(read.by_hand);
    assert_true(read.asked);
    assert_true(read.reopened);
    assert_int_equal(read.first_sender_ms, START_MS + 6);
    assert_int_equal(read.quiet_due_ms, START_MS + 7);
    assert_int_equal(read.quiet_asks, 9);
    assert_int_equal(read.accepted_attempt, 4);
    assert_int_equal(read.reruns, 5);
    assert_int_equal(read.first_event_ms, START_MS + 4);
    assert_int_equal(read.last_event_ms, START_MS + 5);
    assert_int_equal(read.history_count, 100000);
    assert_int_equal(read.told_ms, START_MS + 8);
    assert_int_equal(read.jobs_tallied, 600);
    assert_int_equal(read.failed_day, 20000);
    assert_int_equal(read.rescue_day, 20001);
    assert_true(read.rescued);
    assert_int_equal(read.denied_ms, run.denied_ms);
    assert_memory_equal(&read.spent, &run.spent, sizeof run.spent);
    assert_int_equal(read.held, run.held);
}

/* Those that were written before it was told what holds a run, and before reruns were counted. */
static void run_of_before(void **state)
{
    struct jr_run run = full_run(), read;
    unsigned char record[JR_RECORD_SIZE];

    (void)state;
    run.spent = (struct jr_spent){ .attempt = 0 };
    assert_true(jr_run_decode(&read, record, encode_run(&run, record) - 2));
    assert_int_equal(read.held, JR_REASON_NONE);
    assert_true(jr_run_decode(&read, record, encode_run(&run, record) - 2 - 4));
    assert_int_equal(read.spent.attempt, 0);
    assert_int_equal(read.held, JR_REASON_NONE);
    assert_int_equal(read.denied_ms, run.denied_ms);
}

/* What is not in the test above by name comes back too. */
static void every_byte_of_a_run_comes_back(void **state)
{
    struct jr_run run, read;
    unsigned char record[JR_RECORD_SIZE], again[JR_RECORD_SIZE];
    size_t length;

    (void)state;
    memset(&run, 0, sizeof run);
    assert_true(jr_run_decode(&read, record, encode_run(&run, record)));
    assert_memory_equal(&read, &run, sizeof run);
    run = full_run();
    length = encode_run(&run, record);
    assert_true(jr_run_decode(&read, record, length));
    assert_int_equal(encode_run(&read, again), length);
    assert_memory_equal(again, record, length);
}

static void longest_run_fits(void **state)
{
    struct jr_run run = full_run(), read;
    unsigned char record[JR_RECORD_SIZE];

    (void)state;
    fill(run.repo, sizeof run.repo, 'a');
    fill(run.branch, sizeof run.branch, 'b');
    fill(run.workflow, sizeof run.workflow, 'c');
    fill(run.trigger, sizeof run.trigger, 'd');
    fill(run.actor, sizeof run.actor, 'e');
    fill(run.triggering_actor, sizeof run.triggering_actor, 'f');
    fill(run.first_sender, sizeof run.first_sender, 'g');
    fill(run.head_repo, sizeof run.head_repo, 'h');
    assert_true(jr_run_decode(&read, record, encode_run(&run, record)));
    assert_string_equal(read.branch, run.branch);
    assert_string_equal(read.head_repo, run.head_repo);
}

static struct jr_job full_job(void)
{
    struct jr_job job = {
        .attempt = 3,
        .status = JR_STATUS_COMPLETED,
        .conclusion = JR_CONCLUSION_OTHER,
        .carried_over = true,
        .tallied = true,
        .created_ms = START_MS,
        .started_ms = START_MS + 1,
        .completed_ms = START_MS + 2,
    };

    fill(job.name, sizeof job.name, 'n');
    fill(job.runner, sizeof job.runner, 'r');
    fill(job.labels, sizeof job.labels, 'l');
    return job;
}

static size_t encode_job(const struct jr_job *job, unsigned char *record)
{
    struct jr_writer writer;

    jr_writer_init(&writer, record, JR_RECORD_SIZE);
    jr_job_encode(job, &writer);
    assert_true(writer.ok);
    return writer.length;
}

static void job_comes_back(void **state)
{
    struct jr_job job = full_job(), read;
    unsigned char record[JR_RECORD_SIZE];

    (void)state;
    assert_true(jr_job_decode(&read, record, encode_job(&job, record)));
    assert_memory_equal(&read, &job, sizeof job);
}

/* Decode a copy that is just as large as it says. */
static bool run_decodes(const unsigned char *record, size_t length)
{
    unsigned char *copy = malloc(length + (length == 0));
    struct jr_run run;
    bool decoded;

    assert_non_null(copy);
    memcpy(copy, record, length);
    decoded = jr_run_decode(&run, copy, length);
    free(copy);
    return decoded;
}

static bool job_decodes(const unsigned char *record, size_t length)
{
    unsigned char *copy = malloc(length + (length == 0));
    struct jr_job job;
    bool decoded;

    assert_non_null(copy);
    memcpy(copy, record, length);
    decoded = jr_job_decode(&job, copy, length);
    free(copy);
    return decoded;
}

static void records_of_another_length(void **state)
{
    unsigned char record[JR_RECORD_SIZE + 1] = { 0 };
    struct jr_run run = full_run();
    struct jr_job job = full_job();
    size_t length;

    (void)state;
    length = encode_run(&run, record);
    /* Of before: what holds a run has 2 bytes, and reruns that are counted 4 + 8 + 8 + 4 * 4. */
    for (size_t cut = 0; cut < length; cut++)
        assert_int_equal(run_decodes(record, cut), cut == length - 2 || cut == length - 2 - 36);
    assert_true(run_decodes(record, length));
    assert_false(run_decodes(record, length + 1));

    length = encode_job(&job, record);
    for (size_t cut = 0; cut < length; cut++)
        assert_false(job_decodes(record, cut));
    assert_true(job_decodes(record, length));
    assert_false(job_decodes(record, length + 1));
}

static void records_of_another_version(void **state)
{
    unsigned char record[JR_RECORD_SIZE];
    struct jr_run run = full_run();
    struct jr_job job = full_job();
    size_t length = encode_run(&run, record);

    (void)state;
    record[0]++;
    assert_false(run_decodes(record, length));
    record[0] = 0;
    assert_false(run_decodes(record, length));
    length = encode_job(&job, record);
    record[0]++;
    assert_false(job_decodes(record, length));
}

/* A damaged byte makes another run of it or none, and never reads elsewhere. */
static void damaged_records(void **state)
{
    unsigned char record[JR_RECORD_SIZE];
    struct jr_run run = full_run(), read;
    struct jr_job job = full_job();
    size_t length = encode_run(&run, record), refused = 0;

    (void)state;
    for (size_t i = 0; i < length; i++) {
        unsigned char before = record[i];

        record[i] = 0xff;
        if (!jr_run_decode(&read, record, length)) {
            refused++;
        } else {
            assert_in_range(read.phase, JR_PHASE_OPEN, JR_PHASE_CLOSED);
            assert_in_range(read.conclusion, JR_CONCLUSION_NONE, JR_CONCLUSION_OTHER);
            assert_true(read.due_ms >= 0 && read.intent_ms >= 0);
        }
        record[i] = before;
    }
    assert_true(refused > 20); /* version, lengths, enums, times */
    length = encode_job(&job, record);
    for (size_t i = 0; i < length; i++) {
        unsigned char before = record[i];

        record[i] = 0xff;
        (void)job_decodes(record, length);
        record[i] = before;
    }
}

struct result_row {
    const char *name;
    bool complete;
    enum jr_conclusion conclusion;
    uint32_t known, unfinished, failed;
    enum jr_result want;
};

static void result_is(void **state)
{
    const struct result_row *row = *state;
    struct jr_run run = {
        .complete = row->complete, .conclusion = row->conclusion, .jobs_known = row->known,
        .jobs_unfinished = row->unfinished, .jobs_failed = row->failed,
    };

    assert_int_equal(jr_run_result(&run), row->want);
}

static const struct result_row results[] = {
    { "nothing is known", false, JR_CONCLUSION_NONE, 0, 0, 0, JR_RESULT_NONE },
    { "not done", false, JR_CONCLUSION_NONE, 2, 1, 1, JR_RESULT_NONE },
    { "done", false, JR_CONCLUSION_NONE, 2, 0, 0, JR_RESULT_SUCCESS },
    { "done, one failed", false, JR_CONCLUSION_NONE, 2, 0, 1, JR_RESULT_FAILED },
    { "the run knows better", true, JR_CONCLUSION_SUCCESS, 2, 0, 1, JR_RESULT_SUCCESS },
    { "failed without jobs", true, JR_CONCLUSION_STARTUP_FAILURE, 0, 0, 0, JR_RESULT_FAILED },
    { "timed out", true, JR_CONCLUSION_TIMED_OUT, 2, 1, 0, JR_RESULT_FAILED },
    { "cancelled", true, JR_CONCLUSION_CANCELLED, 2, 0, 1, JR_RESULT_NONE },
    { "complete, but how?", true, JR_CONCLUSION_NONE, 1, 0, 1, JR_RESULT_FAILED },
};

static void attempt_of_a_job(void **state)
{
    struct jr_run run = { .attempt = 4, .base_attempt = 2 };
    struct jr_job job = { .attempt = 0 };

    (void)state;
    assert_int_equal(jr_run_attempt_of(&run, &job), 2);
    job.attempt = 3;
    assert_int_equal(jr_run_attempt_of(&run, &job), 3);
}

static void phases_have_names(void **state)
{
    (void)state;
    assert_string_equal(jr_phase_name(JR_PHASE_OPEN), "open");
    assert_string_equal(jr_phase_name(JR_PHASE_DUE), "due");
    assert_string_equal(jr_phase_name(JR_PHASE_CLOSED), "closed");
    assert_string_equal(jr_phase_name((enum jr_phase)9), "unknown");
}

/* What is shown of a run as its conclusion and reason, whatever the record has. */
static const struct shown_row {
    const char *name;
    struct jr_run run;
    enum jr_conclusion conclusion;
    enum jr_reason reason;
} shown[] = {
    { "told by the run", { .known = true, .complete = true, .conclusion = JR_CONCLUSION_CANCELLED, .jobs_known = 1,
                           .jobs_failed = 1, .phase = JR_PHASE_CLOSED, .reason = JR_REASON_CONCLUSION_NOT_RETRIED },
      JR_CONCLUSION_CANCELLED, JR_REASON_CONCLUSION_NOT_RETRIED },
    { "by its jobs", { .known = true, .jobs_known = 2, .phase = JR_PHASE_OPEN, .reason = JR_REASON_JOBS_SUCCEEDED },
      JR_CONCLUSION_SUCCESS, JR_REASON_JOBS_SUCCEEDED },
    { "by its jobs, failed", { .known = true, .jobs_known = 2, .jobs_failed = 1, .phase = JR_PHASE_DUE, .reason = JR_REASON_JOBS_FAILED },
      JR_CONCLUSION_FAILURE, JR_REASON_JOBS_FAILED },
    { "by its jobs, as somebody has looked", { .known = true, .jobs_known = 2, .jobs_failed = 1, .jobs_conclusion = JR_CONCLUSION_TIMED_OUT,
                                               .phase = JR_PHASE_CLOSED, .reason = JR_REASON_BRANCH_EXCLUDED },
      JR_CONCLUSION_TIMED_OUT, JR_REASON_BRANCH_EXCLUDED },
    { "a job goes on", { .known = true, .jobs_known = 2, .jobs_unfinished = 1, .jobs_failed = 1 },
      JR_CONCLUSION_NONE, JR_REASON_WAITING_FOR_JOBS },
    { "nothing but the run", { .known = true, .attempt = 1 }, JR_CONCLUSION_NONE, JR_REASON_WAITING_FOR_RUN },
    { "our rerun", { .known = true, .attempt = 3, .accepted_attempt = 2 }, JR_CONCLUSION_NONE, JR_REASON_RERUN_ACCEPTED },
    { "the rerun after ours", { .known = true, .attempt = 4, .accepted_attempt = 2 }, JR_CONCLUSION_NONE, JR_REASON_WAITING_FOR_RUN },
    { "a damaged record", { .known = false }, JR_CONCLUSION_NONE, JR_REASON_NONE },
};

static void run_is_shown(void **state)
{
    const struct shown_row *row = *state;

    assert_int_equal(jr_run_conclusion(&row->run), row->conclusion);
    assert_int_equal(jr_run_reason(&row->run), row->reason);
}

static void workflow_is_called(void **state)
{
    struct jr_run run = full_run();

    (void)state;
    assert_string_equal(jr_run_workflow(&run), "CI");
    run.workflow[0] = '\0';
    assert_string_equal(jr_run_workflow(&run), "ci.yml");
    run.workflow_path[0] = '\0';
    assert_string_equal(jr_run_workflow(&run), "");
}

/* Two runs that differ in one thing, besides number and commit. */
struct line_row {
    const char *name, *older, *newer;
    bool want;
};

static void learn(struct jr_run *run, const char *token)
{
    struct jr_event event = event_of(token);

    memset(run, 0, sizeof *run);
    run->run_id = event.run_id;
    run->repo_id = event.repo_id;
    run->workflow_id = event.workflow_id;
    run->run_number = event.run_number;
    jr_text_copy(run->branch, sizeof run->branch, event.branch);
    jr_text_copy(run->trigger, sizeof run->trigger, event.trigger);
    jr_text_copy(run->head_repo, sizeof run->head_repo, event.head_repo);
    jr_text_copy(run->head_sha, sizeof run->head_sha, event.head_sha);
}

static void supersedes(void **state)
{
    const struct line_row *row = *state;
    struct jr_run older, newer;

    learn(&older, row->older);
    learn(&newer, row->newer);
    assert_int_equal(jr_run_is_in_line(&older) && jr_run_is_in_line(&newer)
                         && jr_run_supersedes(&newer, &older),
                     row->want);
}

#define NEWER "Ri,id:1,number:18,sha:f2"

static const struct line_row lines[] = {
    { "a newer run of another commit", "Rc", NEWER, true },
    { "of the same commit", "Rc,sha:F2", NEWER, false },
    { "an older run", "Rc,number:19", NEWER, false },
    { "the same number", "Rc,number:18", NEWER, false },
    { "the run itself", "Rc,id:1", NEWER, false },
    { "another branch", "Rc,branch:dev", NEWER, false },
    { "a branch with other letters", "Rc,branch:Main", NEWER, false },
    { "another event", "Rc,trigger:pull_request", NEWER, false },
    { "a pull request", "Rc,trigger:pull_request", NEWER ",trigger:pull_request", true },
    { "a pull request's target", "Rc,trigger:pull_request_target", NEWER ",trigger:pull_request_target", true },
    { "a schedule", "Rc,trigger:schedule", NEWER ",trigger:schedule", false },
    { "by hand", "Rc,trigger:workflow_dispatch", NEWER ",trigger:workflow_dispatch", false },
    { "the merge queue", "Rc,trigger:merge_group", NEWER ",trigger:merge_group", false },
    { "of a fork", "Rc,head:fork/app", NEWER, false },
    { "both of the same fork", "Rc,head:fork/app", NEWER ",head:Fork/App", true },
    { "no branch", "Rc,branch:", NEWER ",branch:", false },
    { "no commit told", "Rc,sha:", NEWER, false },
    { "no number told", "Rc,number:0", NEWER, false },
};

struct minutes_row {
    const char *name;
    int64_t started_ms, completed_ms;
    uint32_t minutes;
};

static void job_takes(void **state)
{
    const struct minutes_row *row = *state;

    assert_int_equal(jr_runner_minutes(row->started_ms, row->completed_ms), row->minutes);
}

static const struct minutes_row minutes[] = {
    { "not told", 0, START_MS, 0 },
    { "not over", START_MS, 0, 0 },
    { "a moment", START_MS, START_MS, 1 },
    { "backwards", START_MS, START_MS - JR_HOUR_MS, 1 },
    { "a minute", START_MS, START_MS + JR_MINUTE_MS, 1 },
    { "a minute and a bit", START_MS, START_MS + JR_MINUTE_MS + 1, 2 },
    { "an hour", START_MS, START_MS + JR_HOUR_MS, 60 },
    { "longer than GitHub lets one", START_MS, START_MS + 100 * JR_DAY_MS, JR_RUNNER_MINUTES_MOST },
};

int main(void)
{
    TEST(run_comes_back);
    TEST(run_of_before);
    TEST(every_byte_of_a_run_comes_back);
    TEST(longest_run_fits);
    TEST(job_comes_back);
    TEST(records_of_another_length);
    TEST(records_of_another_version);
    TEST(damaged_records);
    TABLE(results, result_is);
    TEST(attempt_of_a_job);
    TEST(phases_have_names);
    TABLE(shown, run_is_shown);
    TEST(workflow_is_called);
    TABLE(lines, supersedes);
    TABLE(minutes, job_takes);
    return run_program("run");
}
