/*
 * reporttext -- what is said of a run at GitHub.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/model/reporttext.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct jr_run run_with(enum jr_phase phase, enum jr_reason reason)
{
    struct jr_run run = {
        .known = true, .run_id = 77, .repo = "octo/app", .attempt = 1, .complete = true,
        .conclusion = JR_CONCLUSION_FAILURE, .phase = phase, .reason = reason,
    };

    return run;
}

struct standing_row {
    const char *name;
    enum jr_phase phase;
    enum jr_reason reason;
    uint32_t reruns;
    const char *title; /* how it begins */
    bool ended, good, for_check, for_comment;
};

static const struct standing_row standings[] = {
    { "it waits", JR_PHASE_DUE, JR_REASON_JOBS_FAILED, 0,
      "Failed; waits, to be rerun at 00:00:30 UTC", false, false, true, false },
    { "it is held", JR_PHASE_DUE, JR_REASON_BUDGET_USED_UP, 0,
      "Waits: as much as the policy's limits allow is spent; looked at again at 00:00:30 UTC", false,
      false, true, false },
    { "it was rerun", JR_PHASE_OPEN, JR_REASON_RERUN_ACCEPTED, 1, "Going on: ", false, false, true,
      true },
    { "given up", JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP, 1, "Given up: ", true, false, true,
      true },
    { "refused", JR_PHASE_CLOSED, JR_REASON_NO_PERMISSION, 0, "Refused: ", true, false, true,
      true },
    { "left by the policy", JR_PHASE_CLOSED, JR_REASON_LEFT_BY_RULE, 0, "Left alone: ", true, false,
      true, false },
    { "superseded before a rerun", JR_PHASE_CLOSED, JR_REASON_SUPERSEDED, 0, "Superseded: ", true,
      false, false, false },
    { "superseded after one", JR_PHASE_CLOSED, JR_REASON_SUPERSEDED, 1, "Superseded: ", true, false,
      true, false },
    { "its pull request is closed", JR_PHASE_CLOSED, JR_REASON_PULL_REQUEST_CLOSED, 1,
      "Left alone: ", true, false, true, false },
    { "left alone by a setting", JR_PHASE_CLOSED, JR_REASON_REPOSITORY_EXCLUDED, 0, "Left alone: ",
      true, false, false, false },
    { "missed", JR_PHASE_CLOSED, JR_REASON_MISSED, 0, "Too late: ", true, false, false, false },
    { "nothing failed", JR_PHASE_OPEN, JR_REASON_WAITING_FOR_JOBS, 0, "Going on: ", false, false,
      false, false },
};

static void stands(void **state)
{
    const struct standing_row *row = *state;
    struct jr_run run = run_with(row->phase, row->reason);
    struct jr_report_standing standing, timeless;

    run.reruns = row->reruns;
    run.due_ms = row->phase == JR_PHASE_DUE ? START_MS + 30000 : 0;
    jr_report_stands(&run, true, &standing);
    assert_true(strncmp(standing.title, row->title, strlen(row->title)) == 0);
    assert_int_equal(standing.ended, row->ended);
    assert_int_equal(standing.good, row->good);
    assert_int_equal(standing.for_check, row->for_check);
    assert_int_equal(standing.for_comment, row->for_comment);
    jr_report_stands(&run, false, &timeless);
    assert_null(strstr(timeless.title, "UTC"));
}

static void success_is_the_end(void **state)
{
    struct jr_run run = run_with(JR_PHASE_OPEN, JR_REASON_RUN_SUCCEEDED);
    struct jr_report_standing standing;

    (void)state;
    run.conclusion = JR_CONCLUSION_SUCCESS;
    run.attempt = 2;
    run.accepted_attempt = 1;
    run.reruns = 1;
    run.rescued = true;
    jr_report_stands(&run, true, &standing);
    assert_true(standing.ended && standing.good && standing.for_check && standing.for_comment);
    assert_string_equal(standing.title, "Rescued: the run succeeded after a rerun");
}

static void write_report(const struct jr_report_facts *facts, size_t most, char **text)
{
    struct jr_buffer buffer;

    jr_buffer_init(&buffer, JR_REPORT_TEXT_MAX);
    jr_report_write(facts, true, most, &buffer);
    assert_true(buffer.ok);
    assert_true(buffer.length <= most);
    *text = strdup(buffer.bytes);
    jr_buffer_release(&buffer);
}

/* Lines of the table: those that begin with a bar. Each has as many as its head. */
static unsigned count_rows(const char *text)
{
    unsigned rows = 0;

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        unsigned bars = 0;

        line += *line == '\n';
        if (*line != '|')
            continue;
        for (const char *at = line; *at != '\n' && *at != '\0'; at++)
            bars += *at == '|';
        assert_int_equal(bars, 7);
        rows++;
    }
    return rows - 2; /* but for its head */
}

static void hostile_text_stays_in_its_cell(void **state)
{
    struct jr_run run = run_with(JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    struct jr_failure failures[2] = {
        { .job_id = 5, .attempt = 1, .name = "`x` | \\| @octo/team #1\n| row |",
          .rule = "<b>`rule`</b>", .counts = true,
          .finding = { .cause = JR_CAUSE_TEST, .step = "Run `make`|",
                       .line = "[a](https://example.org)|<!-- -->```\x1b[31m\xe2\x80\xae" } },
        { .job_id = 6, .attempt = 1, .name = "" },
    };
    const struct jr_report_facts facts = { "https://github.com", &run, failures, 2, NULL, 0, NULL };
    char *text;

    (void)state;
    write_report(&facts, JR_REPORT_TEXT_MAX, &text);
    assert_int_equal(count_rows(text), 2);
    assert_non_null(strstr(text, "(https://github.com/octo/app/actions/runs/77/job/5)"));
    assert_non_null(strstr(text, "| test |"));
    assert_non_null(strstr(text, "| not looked for |"));
    assert_non_null(strstr(text, "```` [a](https://example.org)\xc2\xa6<!-- -->```"));
    assert_null(strchr(text, '\x1b'));
    assert_null(strstr(text, "\xe2\x80\xae"));
    assert_non_null(strstr(text, "**What would change it:** Look at what fails."));
    free(text);
}

static void long_tables_are_cut_at_a_row(void **state)
{
    enum { COUNT_OF_FAILURES = 300 };
    struct jr_run run = run_with(JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    struct jr_failure *failures = calloc(COUNT_OF_FAILURES, sizeof *failures);
    const struct jr_report_facts facts = { "", &run, failures, COUNT_OF_FAILURES, NULL, 0, NULL };
    char *text, want[64];
    unsigned rows;

    (void)state;
    assert_non_null(failures);
    for (unsigned i = 0; i < COUNT_OF_FAILURES; i++) {
        failures[i] = (struct jr_failure){ .job_id = i + 1, .attempt = 1,
                                           .finding = { .cause = JR_CAUSE_TEST } };
        memset(failures[i].name, '`', sizeof failures[i].name - 1);
        memset(failures[i].finding.line, 'x', sizeof failures[i].finding.line - 1);
    }
    write_report(&facts, JR_REPORT_TEXT_MAX, &text);
    rows = count_rows(text);
    assert_in_range(rows, 50, COUNT_OF_FAILURES - 1);
    snprintf(want, sizeof want, "... and %u more rows.", COUNT_OF_FAILURES - rows);
    assert_non_null(strstr(text, want));
    free(text);
    write_report(&facts, 2000, &text);
    assert_in_range(count_rows(text), 0, 3);
    free(text);
    free(failures);
}

static void attempts_are_told(void **state)
{
    struct jr_run run = run_with(JR_PHASE_OPEN, JR_REASON_RERUN_ACCEPTED);
    const struct jr_report_decision decisions[] = {
        { 1, JR_REASON_RERUN_ACCEPTED, 2 }, { 2, JR_REASON_SAME_FAILURE, 0 },
    };
    const struct jr_report_facts facts = { "", &run, NULL, 0, decisions, 2, NULL };
    char *text;

    (void)state;
    run.attempt = 3;
    run.reruns = 1;
    write_report(&facts, JR_REPORT_TEXT_MAX, &text);
    assert_int_equal(count_rows(text), 3);
    assert_non_null(strstr(text, "| attempt 2 is next: GitHub accepted the rerun |"));
    assert_non_null(strstr(text, "failed in the same step"));
    assert_null(strstr(text, "http"));
    assert_true(strstr(text, "| 3 |") < strstr(text, "| 1 |"));
    free(text);
}

/* Its words are of a file that anybody may have written. */
static void broken_policy_is_told(void **state)
{
    struct jr_run run = run_with(JR_PHASE_CLOSED, JR_REASON_ATTEMPTS_USED_UP);
    struct jr_report_facts facts = { .web = "", .run = &run,
                                     .own = ".github/job-rerunner.yml:2:1: there is no key '@octo/team `x`'" };
    char *text;

    (void)state;
    write_report(&facts, JR_REPORT_TEXT_MAX, &text);
    assert_non_null(strstr(text, "**The repository's policy is broken:** `` .github/job-rerunner.yml:2:1: there is no key "
                                 "'@octo/team `x`' ``\n"));
    free(text);
    facts.own = "";
    write_report(&facts, JR_REPORT_TEXT_MAX, &text);
    assert_null(strstr(text, "policy is broken"));
    free(text);
}

int main(void)
{
    TEST(broken_policy_is_told);
    TABLE(standings, stands);
    TEST(success_is_the_end);
    TEST(hostile_text_stays_in_its_cell);
    TEST(long_tables_are_cut_at_a_row);
    TEST(attempts_are_told);
    return run_program("reporttext");
}
