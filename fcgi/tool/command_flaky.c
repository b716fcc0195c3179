/*
 * command_flaky -- the sub-command flaky: jobs that fail and then pass, and runners.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "fcgi/view/flakyview.h"
#include "lib/base/say.h"
#include "lib/store/flaky.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT 20
#define LIMIT_MAX 10000

/* Numbers leave before names are cut; how often it happened and the rate stay. */
static const struct jr_column job_columns[] = {
    { "REPOSITORY", false, true, 0 }, { "WORKFLOW", false, true, 0 }, { "JOB", false, true, 0 },
    { "RUNS", true, false, 6 },       { "FAILED", true, false, 5 },   { "RESCUED", true, false, 0 },
    { "AGAIN", true, false, 4 },      { "RATE", true, false, 0 },     { "95 %", false, false, 2 },
    { "LOST", false, false, 3 },      { "APART", true, false, 7 },  { "LAST", false, false, 1 },
};

static const struct jr_column runner_columns[] = {
    { "OWNER", false, true, 0 },    { "LABELS", false, true, 0 },  { "RUNNER", false, true, 0 },
    { "RUNS", true, false, 4 },     { "FAILED", true, false, 3 },  { "BLAMED", true, false, 0 },
    { "RATE", true, false, 0 },     { "95 %", false, false, 2 },   { "OF ALL", true, false, 5 },
    { "SUSPECT", false, false, 0 }, { "LAST", false, false, 1 },
};

/* What one kind comes to. */
struct part {
    struct jr_command *command;
    struct jr_emit emit;
    struct jr_flaky_filter filter;
    struct jr_flaky *rows; /* owned */
    size_t limit, count;
    struct jr_flaky_total total;
};

/* A percentage; empty when there is nothing to tell it of. */
static void add_percent(struct jr_grid *grid, uint64_t hits, uint64_t of)
{
    if (of == 0)
        jr_grid_add(grid, "");
    else
        jr_grid_addf(grid, "%.0f %%", 100 * (double)hits / (double)of);
}

/* A rate and its interval, in hundredths. */
static void add_rate(struct jr_grid *grid, uint64_t hits, uint64_t of)
{
    double low, high;

    add_percent(grid, hits, of);
    jr_wilson(hits, of, &low, &high);
    if (of == 0)
        jr_grid_add(grid, "");
    else
        jr_grid_addf(grid, "%.0f-%.0f", 100 * low, 100 * high);
}

/* On a terminal numbers are short, so that names have room. */
static void add_number(const struct part *part, struct jr_grid *grid, uint64_t number)
{
    char text[JR_COUNT_SIZE];

    if (part->command->width > 0)
        jr_grid_add(grid, jr_say_short_count(number, text));
    else
        jr_grid_addf(grid, "%llu", (unsigned long long)number);
}

static void add_row(const struct part *part, struct jr_grid *grid, const struct jr_flaky *row)
{
    char when[JR_WHEN_SIZE], span[JR_SPAN_SIZE];

    jr_grid_add(grid, row->repo);
    jr_grid_add(grid, row->group);
    jr_grid_add(grid, row->name);
    add_number(part, grid, row->executions);
    add_number(part, grid, row->failures);
    if (part->filter.kind == JR_FLAKY_JOB) {
        add_number(part, grid, row->rescued);
        add_number(part, grid, row->not_rescued);
        add_rate(grid, row->rescued, row->rescued + row->not_rescued);
        jr_grid_add(grid, row->lost_ms == 0 ? "" : jr_say_span(row->lost_ms, span));
        add_number(part, grid, row->apart_failures);
    } else {
        add_number(part, grid, row->blamed);
        add_rate(grid, row->blamed, row->executions);
        add_percent(grid, row->pool_blamed, row->pool_executions);
        jr_grid_add(grid, row->suspect ? "yes" : "");
        jr_grid_tint(grid, row->suspect ? JR_MOOD_BAD : JR_MOOD_CALM);
    }
    jr_grid_addf(grid, "%.10s", jr_command_when(row->last_ms, when));
}

/* All of them in a line, also those that the table has no room for. */
static void tell_total(const struct part *part)
{
    const struct jr_flaky *sum = &part->total.sum;
    uint64_t again = sum->rescued + sum->not_rescued;
    char when[JR_WHEN_SIZE], span[JR_SPAN_SIZE];
    bool is_job = part->filter.kind == JR_FLAKY_JOB;

    printf("Total");
    if (part->filter.since_ms != 0)
        printf(" since %.10s", jr_command_when(part->filter.since_ms, when));
    printf(": %llu %s%s, %llu run, %llu failed, ", (unsigned long long)part->total.rows,
           is_job ? "job" : "runner", part->total.rows == 1 ? "" : "s",
           (unsigned long long)sum->executions, (unsigned long long)sum->failures);
    if (!is_job) {
        printf("%llu blamed\n", (unsigned long long)sum->blamed);
        return;
    }
    printf("%llu rescued, %llu failed again, ", (unsigned long long)sum->rescued,
           (unsigned long long)sum->not_rescued);
    if (again > 0)
        printf("%.0f %% rescued, ", 100 * (double)sum->rescued / (double)again);
    printf("%s lost\n", jr_say_span(sum->lost_ms, span));
    if (sum->apart_failures > 0)
        printf("Told apart, and not counted: %llu failed on runners that stand out, %llu of these "
               "were rescued\n", (unsigned long long)sum->apart_failures,
               (unsigned long long)sum->apart_rescued);
}

static int tell_part(const struct part *part)
{
    struct jr_grid grid;
    int status;

    if (part->filter.kind == JR_FLAKY_JOB)
        jr_grid_init(&grid, job_columns, sizeof job_columns / sizeof *job_columns);
    else
        jr_grid_init(&grid, runner_columns, sizeof runner_columns / sizeof *runner_columns);
    for (size_t i = 0; i < part->count; i++)
        add_row(part, &grid, &part->rows[i]);
    status = jr_command_show(part->command, &grid);
    tell_total(part);
    return status;
}

/* Find the worst of a kind and show them. */
static int show(struct part *part, enum jr_flaky_kind kind)
{
    struct jr_error error;

    part->filter.kind = kind;
    if (jr_flaky_worst(part->command->store, &part->filter, part->rows, part->limit, &part->count,
                       &part->total, &error) != JR_OK)
        return jr_command_store_failed(&error);
    if (!part->command->json)
        return tell_part(part);
    if (part->command->csv)
        jr_flakyview_emit_list(&part->emit, kind, part->rows, part->count);
    else
        jr_flakyview_emit_all(&part->emit, kind, part->rows, part->count, &part->total);
    return JR_EXIT_OK;
}

/* Which kinds are wanted: of CSV one, else both if none is named. */
static int read_kinds(const struct jr_command *command, bool *jobs, bool *runners)
{
    *jobs = jr_command_value(command, "jobs") != NULL;
    *runners = jr_command_value(command, "runners") != NULL;
    if (command->csv && *jobs == *runners)
        return jr_command_misused(command, "--output csv: there are two tables: which one, --jobs "
                                  "or --runners?");
    if (!*jobs && !*runners)
        *jobs = *runners = true;
    return JR_EXIT_OK;
}

/* Both kinds, or one of them. */
static int show_kinds(struct part *part, bool jobs, bool runners)
{
    bool object = part->command->json && !part->command->csv;
    int status = JR_EXIT_OK;

    jr_command_emit(part->command, &part->emit);
    if (object) {
        jr_emit_open(&part->emit, NULL);
        jr_emit_time(&part->emit, "since", part->filter.since_ms);
    }
    if (jobs)
        status = show(part, JR_FLAKY_JOB);
    if (jobs && runners && !part->command->json)
        printf("\n");
    if (runners && status == JR_EXIT_OK)
        status = show(part, JR_FLAKY_RUNNER);
    if (object)
        jr_emit_close(&part->emit);
    if (part->command->json)
        jr_emit_end(&part->emit);
    return status;
}

int jr_command_flaky(struct jr_command *command)
{
    struct part part = {
        .command = command,
        .filter = { .repo = jr_command_value(command, "repo"), .now_ms = command->now_ms },
        .limit = LIMIT,
    };
    bool jobs, runners;
    int status = jr_command_read_limit(command, LIMIT_MAX, &part.limit);

    if (status == JR_EXIT_OK)
        status = jr_command_read_since(command, &part.filter.since_ms);
    if (status == JR_EXIT_OK)
        status = read_kinds(command, &jobs, &runners);
    if (status == JR_EXIT_OK)
        status = jr_command_load(command, false);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status != JR_EXIT_OK)
        return status;
    part.filter.since_ms = jr_flaky_since_ms(part.filter.since_ms, command->now_ms);
    part.rows = calloc(part.limit, sizeof *part.rows);
    if (part.rows == NULL)
        return jr_command_fail(JR_EXIT_FAILED, "out of memory");
    status = show_kinds(&part, jobs, runners);
    free(part.rows);
    return status;
}
