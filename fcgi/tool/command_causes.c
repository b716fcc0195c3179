/*
 * command_causes -- the sub-command causes: what jobs failed by, what reruns of them were worth,
 * and which failures a signature is missing for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "fcgi/view/causeview.h"
#include "lib/base/say.h"
#include "lib/base/show.h"
#include "lib/base/timestamp.h"
#include "lib/steps/chosen.h"
#include "lib/steps/costs.h"
#include "lib/steps/step.h"
#include "lib/store/failure_report.h"
#include "lib/store/flaky.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SINCE_MS (30 * JR_DAY_MS)

/* Lines that are shown, and runs of each. */
#define GROUPS_SHOWN 20
#define RUNS_SHOWN 3

/* A line with fewer letters than this is no signature of anything. */
#define LETTERS_LEAST 6

/* Of an id that is made of a line; the number behind it keeps it apart from others. */
#define ID_SIZE 41

static const struct jr_column columns[] = {
    { "CAUSE", false, false, 0 },  { "SIGNATURE", false, true, 4 }, { "JOBS", true, false, 0 },
    { "RERUN", true, false, 0 },   { "RESCUED", true, false, 0 },   { "AGAIN", true, false, 3 },
    { "RATE", true, false, 0 },    { "95 %", false, false, 1 },     { "MINUTES", true, false, 2 },
    { "GREEN", true, false, 0 },
};

static const struct jr_column repo_columns[] = {
    { "REPOSITORY", false, true, 0 }, { "RUNS", true, false, 0 },  { "RESCUED", true, false, 0 },
    { "RERUNS", true, false, 0 },     { "GREEN", true, false, 0 }, { "AGAIN", true, false, 1 },
    { "MINUTES", true, false, 0 },
};

/* costs: NULL: they were not asked for. */
static void tell_as_json(const struct jr_report *report, const struct jr_costs *costs,
                         int64_t since_ms, bool only_unknown)
{
    struct jr_emit emit;

    jr_emit_init(&emit, stdout);
    jr_emit_open(&emit, NULL);
    jr_emit_time(&emit, "since", since_ms);
    if (!only_unknown)
        jr_causeview_emit_causes(&emit, "causes", report);
    jr_causeview_emit_unknown(&emit, "unknown", report);
    if (costs != NULL)
        jr_causeview_emit_costs(&emit, "repositories", costs);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
}

/* The one table that is asked for. */
static void tell_as_csv(const struct jr_command *command, const struct jr_report *report,
                        const struct jr_costs *costs, bool only_unknown)
{
    struct jr_emit emit;

    jr_command_emit(command, &emit);
    if (costs != NULL)
        jr_causeview_emit_costs(&emit, NULL, costs);
    else if (only_unknown)
        jr_causeview_emit_unknown(&emit, NULL, report);
    else
        jr_causeview_emit_causes(&emit, NULL, report);
    jr_emit_end(&emit);
}

static void add_row(struct jr_grid *grid, const struct jr_report_row *row, const char *signature)
{
    uint64_t out = row->rescued + row->again;
    double low, high;

    jr_grid_add(grid, jr_causeview_name(row->cause));
    jr_grid_add(grid, signature);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->jobs);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->reruns);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->rescued);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->again);
    if (out == 0) {
        jr_grid_add(grid, "");
        jr_grid_add(grid, "");
    } else {
        jr_wilson(row->rescued, out, &low, &high);
        jr_grid_addf(grid, "%.0f %%", 100 * (double)row->rescued / (double)out);
        jr_grid_addf(grid, "%.0f-%.0f", 100 * low, 100 * high);
    }
    jr_grid_addf(grid, "%lld", (long long)row->minutes);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->green);
}

static void add_cost(struct jr_grid *grid, const struct jr_cost_row *row)
{
    jr_grid_add(grid, row->repo);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->runs);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->runs_rescued);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->reruns);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->rescued);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->again);
    jr_grid_addf(grid, "%lld", (long long)row->minutes);
}

static int tell_costs(const struct jr_command *command, const struct jr_costs *costs,
                      int64_t since_ms)
{
    const struct jr_cost_row *all = &costs->all;
    char when[JR_WHEN_SIZE];
    struct jr_grid grid;
    int status;

    if (costs->count == 0) {
        printf("Of no attempt that has failed since %s was a rerun made.\n",
               jr_command_when(since_ms, when));
        return JR_EXIT_OK;
    }
    jr_grid_init(&grid, repo_columns, sizeof repo_columns / sizeof *repo_columns);
    for (size_t i = 0; i < costs->count; i++)
        add_cost(&grid, &costs->rows[i]);
    status = jr_command_show(command, &grid);
    printf("Total since %s: %zu %s, %llu %s rerun, %llu rescued; %llu times nobody had to press "
           "the button; %lld %s spent\n", jr_command_when(since_ms, when), costs->count,
           jr_say_plural(costs->count, "repository", "repositories"),
           (unsigned long long)all->runs, jr_say_plural(all->runs, "run", "runs"),
           (unsigned long long)all->runs_rescued, (unsigned long long)all->rescued,
           (long long)all->minutes, jr_say_plural((uint64_t)all->minutes, "minute", "minutes"));
    return status;
}

static void tell_total(const struct jr_report *report, int64_t since_ms)
{
    struct jr_report_row sum = { .jobs = 0 };
    uint64_t unknown = 0;
    char when[JR_WHEN_SIZE];

    for (size_t i = 0; i < report->cause_count; i++) {
        const struct jr_report_row *row = &report->causes[i];

        sum.jobs += row->jobs;
        sum.reruns += row->reruns;
        sum.rescued += row->rescued;
        sum.again += row->again;
        sum.minutes += row->minutes;
        if (row->cause == JR_CAUSE_UNKNOWN)
            unknown = row->jobs;
    }
    printf("Total since %s: %llu %s failed, %llu rerun, %llu rescued, %llu failed again, "
           "%lld %s spent\n", jr_command_when(since_ms, when), (unsigned long long)sum.jobs,
           jr_say_plural(sum.jobs, "job", "jobs"), (unsigned long long)sum.reruns,
           (unsigned long long)sum.rescued, (unsigned long long)sum.again,
           (long long)sum.minutes, jr_say_plural((uint64_t)sum.minutes, "minute", "minutes"));
    if (unknown > 0)
        printf("The cause of %llu is not known: job-rerunner causes --unknown\n",
               (unsigned long long)unknown);
}

static int tell_causes(const struct jr_command *command, const struct jr_report *report,
                       int64_t since_ms)
{
    char when[JR_WHEN_SIZE];
    struct jr_grid grid;
    int status;

    if (report->cause_count == 0) {
        printf("Of no job that has failed since %s the cause was looked for: that is done where\n"
               "POLICY asks for it, or EVIDENCE is always.\n", jr_command_when(since_ms, when));
        return JR_EXIT_OK;
    }
    jr_grid_init(&grid, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < report->cause_count; i++) {
        add_row(&grid, &report->causes[i], "");
        for (size_t k = 0; k < report->signature_count; k++)
            if (jr_causeview_is_signature_of(&report->signatures[k], report->causes[i].cause))
                add_row(&grid, &report->signatures[k], report->signatures[k].signature);
    }
    status = jr_command_show(command, &grid);
    tell_total(report, since_ms);
    return status;
}

/* How many letters of a key are the line's own? */
static size_t letters_of(const char *key)
{
    size_t letters = 0;
    bool inside = false;

    for (; *key != '\0'; key++) {
        inside = *key == '<' || (inside && *key != '>');
        letters += !inside && isalpha((unsigned char)*key);
    }
    return letters;
}

/* Is there a signature to be made of a line? */
static bool can_paste(const struct jr_report_group *group)
{
    return letters_of(group->key) >= LETTERS_LEAST;
}

/* An id of the words of a line, and its number among those that are shown. */
static void print_id(const char *key, size_t number)
{
    char id[ID_SIZE] = "";
    size_t length = 0;

    for (; *key != '\0' && length < sizeof id - 1; key++) {
        unsigned char c = (unsigned char)*key;

        if (isalnum(c))
            id[length++] = (char)tolower(c);
        else if (length > 0 && id[length - 1] != '-')
            id[length++] = '-';
    }
    while (length > 0 && id[length - 1] == '-')
        length--;
    printf("  - id: %.*s-%zu\n", (int)length, id, number);
}

/* A text as YAML has it in single quotes. */
static void print_quoted(const char *key, const char *text)
{
    printf("    %s: '", key);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            putchar('\'');
        putchar(*text);
    }
    printf("'\n");
}

static void tell_group(const struct jr_report_group *group, size_t number)
{
    char when[JR_WHEN_SIZE], clean[JR_EVIDENCE_LINE_SIZE * 3];
    char pattern[JR_LINE_PATTERN_SIZE];

    printf("\n  # %llu %s, the last at %s; %s", (unsigned long long)group->jobs,
           jr_say_plural(group->jobs, "job", "jobs"), jr_command_when(group->last_ms, when),
           jr_say_plural(group->run_count, "run", "runs"));
    for (size_t i = 0; i < group->run_count && i < RUNS_SHOWN; i++)
        printf("%s %llu", i == 0 ? "" : ",", (unsigned long long)group->run_ids[i]);
    printf("%s\n", group->run_count > RUNS_SHOWN ? " ..." : "");
    jr_show_clean(clean, sizeof clean, group->line);
    printf("  # %s\n", *clean == '\0' ? "nothing could be read that tells of an error" : clean);
    if (!can_paste(group)) {
        printf("  # That is too little for a signature.\n");
        return;
    }
    jr_failure_line_pattern(group->line, pattern, sizeof pattern);
    print_id(group->key, number);
    printf("    cause: test\n");
    print_quoted("log", pattern);
    if (strcmp(clean, group->line) == 0)
        print_quoted("matches", group->line);
}

/* A part of a policy, which can be pasted into one. */
static void tell_unknown(const struct jr_report *report, int64_t since_ms)
{
    size_t shown = report->group_count < GROUPS_SHOWN ? report->group_count : GROUPS_SHOWN;
    char when[JR_WHEN_SIZE];
    bool any = false;

    if (shown == 0) {
        printf("# Since %s no job has failed whose cause is not known.\n",
               jr_command_when(since_ms, when));
        return;
    }
    printf("# Failures since %s whose cause is not known, the most frequent first.\n"
           "# For a policy file: keep what you know the cause of, and name it in the place of\n"
           "# `test', as which the presets treat it like an unknown one; job-rerunner-policy(5).\n",
           jr_command_when(since_ms, when));
    for (size_t i = 0; i < shown; i++)
        any |= can_paste(&report->groups[i]);
    printf("%s", any ? "causes:\n" : "");
    for (size_t i = 0; i < shown; i++)
        tell_group(&report->groups[i], i + 1);
    if (report->ungrouped > 0)
        printf("\n  # %llu more %s, of still other lines.\n",
               (unsigned long long)report->ungrouped,
               jr_say_plural(report->ungrouped, "job", "jobs"));
    if (report->group_count > shown)
        printf("\n  # %zu more %s: --json has them.\n", report->group_count - shown,
               jr_say_plural(report->group_count - shown, "line", "lines"));
}

/* Is it to be told by repository? */
static int read_by(const struct jr_command *command, bool *by_repo)
{
    const char *by = jr_command_value(command, "by");

    *by_repo = by != NULL && strcmp(by, "repository") == 0;
    if (by == NULL || *by_repo || strcmp(by, "cause") == 0)
        return JR_EXIT_OK;
    return jr_command_misused(command, "--by: '%.60s' is neither cause nor repository", by);
}

/* The histories came about with the policy in force; where it cannot be read, nearly so. */
static enum jr_err read_costs(struct jr_command *command, int64_t since_ms,
                              struct jr_costs *costs, struct jr_error *error)
{
    struct jr_bounds bounds;
    char *problems;

    if (jr_chosen_load(&command->settings, &problems) != JR_OK)
        free(problems);
    bounds = jr_step_bounds(&command->settings);
    return jr_costs_read(command->store, &bounds, since_ms, costs, error);
}

static int show(struct jr_command *command, int64_t since_ms, bool by_repo)
{
    bool only_unknown = jr_command_value(command, "unknown") != NULL;
    struct jr_report report = { .cause_count = 0 };
    struct jr_costs costs = { .count = 0 };
    struct jr_error error;
    int status = JR_EXIT_OK;
    enum jr_err err = JR_OK;

    if (!by_repo || command->json)
        err = jr_report_read(command->store, since_ms, &report, &error);
    if (err == JR_OK && by_repo)
        err = read_costs(command, since_ms, &costs, &error);
    if (err != JR_OK)
        status = jr_command_store_failed(&error);
    else if (command->csv)
        tell_as_csv(command, &report, by_repo ? &costs : NULL, only_unknown);
    else if (command->json)
        tell_as_json(&report, by_repo ? &costs : NULL, since_ms, only_unknown);
    else if (by_repo)
        status = tell_costs(command, &costs, since_ms);
    else if (only_unknown)
        tell_unknown(&report, since_ms);
    else
        status = tell_causes(command, &report, since_ms);
    jr_report_release(&report);
    jr_costs_release(&costs);
    return status;
}

int jr_command_causes(struct jr_command *command)
{
    int64_t since_ms = command->now_ms - SINCE_MS;
    bool by_repo = false;
    int status = jr_command_read_since(command, &since_ms);

    if (status == JR_EXIT_OK)
        status = read_by(command, &by_repo);
    if (status == JR_EXIT_OK)
        status = jr_command_load(command, false);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    return status == JR_EXIT_OK ? show(command, since_ms, by_repo) : status;
}
