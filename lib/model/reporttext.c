/*
 * reporttext -- what is said of a run at GitHub, in Markdown.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/reporttext.h"
#include "lib/base/say.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/markdown.h"
#include "lib/model/standing.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Of names, of a line of evidence; and of a row with all its cells, fences and links. */
#define NAME_MOST 120
#define LINE_MOST 300
#define ROW_MOST 4096
#define OWN_MOST 400

/* What stands behind the table needs no more. */
#define TAIL_MOST 1400

/* "Waits, rerun at 12:34:56 UTC", or why it is not rerun yet. */
static void title_of_waiting(const struct jr_run *run, const struct jr_standing *standing,
                             bool with_times, char title[JR_REPORT_TITLE_SIZE])
{
    bool suspect = jr_reason_class(run->reason) == JR_CLASS_SUSPECT;
    char when[JR_TIMESTAMP_SIZE], at[48] = "";

    if (with_times && run->due_ms != 0)
        snprintf(at, sizeof at, " at %.8s UTC", jr_timestamp_format(run->due_ms, when) + 11);
    if (run->intent_ms != 0)
        snprintf(title, JR_REPORT_TITLE_SIZE, "A rerun is asked for");
    else if (suspect)
        snprintf(title, JR_REPORT_TITLE_SIZE, "Failed; waits, to be rerun%s", at);
    else
        snprintf(title, JR_REPORT_TITLE_SIZE, "Waits: %s%s%s", standing->why,
                 *at == '\0' ? "" : "; looked at again", at);
}

/* Of one whose answer nobody has heard, only the attempt tells. */
static uint32_t count_reruns(const struct jr_run *run)
{
    return run->reruns > 0 ? run->reruns : run->accepted_attempt > 0;
}

/* Has it failed, and is not rerun, though it is looked after? */
static bool is_refused(const struct jr_run *run)
{
    enum jr_reason_class class = jr_reason_class(run->reason);

    return run->phase == JR_PHASE_CLOSED && !jr_standing_is_over(run->reason)
           && (class == JR_CLASS_FINAL || class == JR_CLASS_HOLD || class == JR_CLASS_CALL
               || class == JR_CLASS_DENIAL || run->reason == JR_REASON_ATTEMPTS_USED_UP);
}

void jr_report_stands(const struct jr_run *run, bool with_times,
                      struct jr_report_standing *standing)
{
    bool closed = run->phase == JR_PHASE_CLOSED, refused = is_refused(run);
    bool rerun = count_reruns(run) > 0;
    struct jr_standing words;

    jr_standing_of(run, &words);
    standing->good = words.mood == JR_MOOD_GOOD;
    standing->ended = closed || standing->good;
    standing->left = closed && jr_standing_is_over(run->reason) && run->reason != JR_REASON_MISSED;
    standing->for_check = rerun || refused || run->phase == JR_PHASE_DUE;
    standing->in_comment = rerun || (refused && (*words.remedy != '\0' || words.rerun_helps));
    standing->for_comment = standing->in_comment && !(closed && jr_standing_is_over(run->reason));
    if (run->phase == JR_PHASE_DUE)
        title_of_waiting(run, &words, with_times, standing->title);
    else
        snprintf(standing->title, sizeof standing->title, "%c%s: %s",
                 toupper((unsigned char)*words.word), words.word + 1, words.why);
}

static const struct jr_report_decision *find_decision(const struct jr_report_facts *facts,
                                                      uint32_t attempt)
{
    for (size_t i = 0; i < facts->decision_count; i++)
        if (facts->decisions[i].attempt == attempt)
            return &facts->decisions[i];
    return NULL;
}

/* What became of an attempt. */
static void add_decision(const struct jr_report_facts *facts, uint32_t attempt,
                         struct jr_buffer *row)
{
    const struct jr_report_decision *decision = find_decision(facts, attempt);
    struct jr_standing standing;

    if (attempt == facts->run->attempt) {
        jr_standing_of(facts->run, &standing);
        jr_buffer_print(row, "%s: %s", standing.word, standing.why);
    } else if (decision != NULL && decision->next != 0) {
        jr_buffer_print(row, "attempt %u is next: %s", decision->next,
                        jr_reason_words(decision->reason));
    } else if (decision != NULL) {
        jr_buffer_add(row, jr_reason_words(decision->reason));
    }
}

static void add_job(const struct jr_report_facts *facts, const struct jr_failure *failure,
                    struct jr_buffer *row)
{
    jr_markdown_code(row, failure->name, NAME_MOST);
    if (*facts->web != '\0' && jr_text_is_full_name(facts->run->repo))
        jr_buffer_print(row, " ([job](%s/%s/actions/runs/%llu/job/%llu))", facts->web,
                        facts->run->repo, (unsigned long long)facts->run->run_id,
                        (unsigned long long)failure->job_id);
}

static void add_evidence(const struct jr_failure *failure, struct jr_buffer *row)
{
    char line[JR_FIRST_ERROR_SIZE];

    jr_failure_line(failure, line, sizeof line);
    if (*failure->finding.step != '\0') {
        jr_buffer_add(row, "in step ");
        jr_markdown_code(row, failure->finding.step, NAME_MOST);
        jr_buffer_add(row, *line == '\0' ? "" : ": ");
    }
    jr_markdown_code(row, line, LINE_MOST);
}

static void add_failure(const struct jr_report_facts *facts, const struct jr_failure *failure,
                        struct jr_buffer *row)
{
    const struct jr_finding *finding = &failure->finding;
    const char *cause = finding->cause == JR_CAUSE_NONE ? NULL : jr_cause_name(finding->cause);
    char unread[JR_FAILURE_UNREAD_SIZE];

    jr_buffer_print(row, "| %u | ", failure->attempt);
    add_job(facts, failure, row);
    jr_buffer_print(row, " | %s | ", cause != NULL ? cause : "not looked for");
    add_evidence(failure, row);
    if (cause != NULL && finding->unreadable)
        jr_buffer_print(row, " (not read: %s)", jr_failure_unread(failure, unread));
    jr_buffer_add(row, " | ");
    jr_markdown_code(row, failure->rule, NAME_MOST);
    jr_buffer_print(row, "%s%s | ", *failure->rule == '\0' || cause == NULL ? "" : ": ",
                    cause == NULL ? "" : jr_failure_then(failure));
    add_decision(facts, failure->attempt, row);
    jr_buffer_add(row, " |\n");
}

/* The table, newest attempt first. */
struct table {
    const struct jr_report_facts *facts;
    struct jr_buffer *buffer;
    size_t most;
    size_t left_out;
};

static void add_row(struct table *table, uint32_t attempt, const struct jr_failure *failure)
{
    struct jr_buffer row;

    jr_buffer_init(&row, ROW_MOST);
    if (failure != NULL) {
        add_failure(table->facts, failure, &row);
    } else {
        jr_buffer_print(&row, "| %u |  |  |  |  | ", attempt);
        add_decision(table->facts, attempt, &row);
        jr_buffer_add(&row, " |\n");
    }
    if (table->left_out > 0 || !row.ok
        || table->buffer->length + row.length + TAIL_MOST > table->most)
        table->left_out++;
    else
        jr_buffer_add(table->buffer, row.bytes);
    jr_buffer_release(&row);
}

static void add_attempt(struct table *table, uint32_t attempt)
{
    const struct jr_report_facts *facts = table->facts;
    bool any = false;

    for (size_t i = 0; i < facts->failure_count; i++) {
        if (facts->failures[i].attempt != attempt)
            continue;
        add_row(table, attempt, &facts->failures[i]);
        any = true;
    }
    if (!any && (attempt == facts->run->attempt || find_decision(facts, attempt) != NULL))
        add_row(table, attempt, NULL);
}

static void add_table(const struct jr_report_facts *facts, size_t most, struct jr_buffer *buffer)
{
    struct table table = { facts, buffer, most, 0 };
    uint32_t attempt = facts->run->attempt, first = attempt > 100 ? attempt - 100 : 0;

    jr_buffer_add(buffer, "| Attempt | Failed job | Cause | Evidence | Rule | What became of it |\n"
                          "| --- | --- | --- | --- | --- | --- |\n");
    for (; attempt > first; attempt--)
        add_attempt(&table, attempt);
    if (table.left_out > 0)
        jr_buffer_print(buffer, "\n... and %zu more %s.\n", table.left_out,
                        jr_say_plural(table.left_out, "row", "rows"));
}

/* What would change it. */
static void add_remedy(const struct jr_run *run, struct jr_buffer *buffer)
{
    struct jr_standing standing;
    const char *note = "";

    jr_standing_of(run, &standing);
    if (run->phase != JR_PHASE_OPEN && standing.mood != JR_MOOD_GOOD)
        note = jr_reason_note(run->reason);
    if (*standing.remedy == '\0' && *note == '\0')
        return;
    jr_buffer_print(buffer, "\n**What would change it:** %s%s%s\n", standing.remedy,
                    *standing.remedy == '\0' || *note == '\0' ? "" : " ", note);
    if (standing.rerun_helps)
        jr_buffer_print(buffer, "\nAn administrator can have it rerun: `job-rerunner rerun %llu`\n",
                        (unsigned long long)run->run_id);
}

void jr_report_write(const struct jr_report_facts *facts, bool with_times, size_t most,
                     struct jr_buffer *buffer)
{
    const struct jr_run *run = facts->run;
    uint32_t reruns = count_reruns(run);
    struct jr_report_standing standing;
    size_t end = buffer->length + most;

    jr_report_stands(run, with_times, &standing);
    jr_buffer_print(buffer, "**%s.**\n\nRun ", standing.title);
    if (*facts->web != '\0' && jr_text_is_full_name(run->repo))
        jr_buffer_print(buffer, "[%llu](%s/%s/actions/runs/%llu)", (unsigned long long)run->run_id,
                        facts->web, run->repo, (unsigned long long)run->run_id);
    else
        jr_buffer_print(buffer, "%llu", (unsigned long long)run->run_id);
    jr_buffer_print(buffer, " is at attempt %u; GitHub has accepted %u %s from job-rerunner.\n\n",
                    run->attempt, reruns, jr_say_plural(reruns, "rerun", "reruns"));
    if (facts->own != NULL && *facts->own != '\0') {
        jr_buffer_add(buffer, "**The repository's policy is broken:** ");
        jr_markdown_code(buffer, facts->own, OWN_MOST);
        jr_buffer_add(buffer, "\n\n");
    }
    add_table(facts, end, buffer);
    add_remedy(run, buffer);
}
