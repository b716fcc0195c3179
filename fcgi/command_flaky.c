/*
 * command_flaky -- the sub-command flaky: jobs that fail and then pass, and runners.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/command.h"
#include "lib/flaky.h"
#include "lib/say.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT 20
#define LIMIT_MAX 10000

static const struct jr_column job_columns[] = {
    { "REPOSITORY", false, true, 0 }, { "WORKFLOW", false, true, 0 }, { "JOB", false, true, 0 },
    { "RUNS", true, false, 0 },       { "FAILED", true, false, 0 },   { "RESCUED", true, false, 0 },
    { "NOT RESCUED", true, false, 0 },        { "RATE", true, false, 0 },     { "95 %", false, false, 0 },
    { "LOST", false, false, 0 },      { "LAST", false, false, 0 },
};

static const struct jr_column runner_columns[] = {
    { "REPOSITORY", false, true, 0 }, { "LABELS", false, true, 0 }, { "RUNNER", false, true, 0 },
    { "RUNS", true, false, 0 },       { "FAILED", true, false, 0 }, { "BLAMED", true, false, 0 },
    { "RATE", true, false, 0 },       { "95 %", false, false, 0 },  { "LAST", false, false, 0 },
};

/* A rate and its interval, in hundredths. */
static void add_rate(struct jr_grid *grid, uint64_t hits, uint64_t of)
{
    double low, high;

    if (of == 0) {
        jr_grid_add(grid, "");
        jr_grid_add(grid, "");
        return;
    }
    jr_wilson(hits, of, &low, &high);
    jr_grid_addf(grid, "%.0f %%", 100 * (double)hits / (double)of);
    jr_grid_addf(grid, "%.0f-%.0f", 100 * low, 100 * high);
}

static void emit_rate(struct jr_emit *emit, uint64_t hits, uint64_t of)
{
    double low, high;

    jr_wilson(hits, of, &low, &high);
    if (of == 0)
        jr_emit_null(emit, "rate");
    else
        jr_emit_rate(emit, "rate", (double)hits / (double)of);
    jr_emit_rate(emit, "rate_low", low);
    jr_emit_rate(emit, "rate_high", high);
}

static void emit_row(struct jr_emit *emit, enum jr_flaky_kind kind, const struct jr_flaky *row)
{
    jr_emit_open(emit, NULL);
    jr_emit_text(emit, "repository", row->repo);
    jr_emit_text(emit, kind == JR_FLAKY_JOB ? "workflow" : "labels", row->group);
    jr_emit_text(emit, kind == JR_FLAKY_JOB ? "job" : "runner", row->name);
    jr_emit_number(emit, "executions", (int64_t)row->executions);
    jr_emit_number(emit, "failures", (int64_t)row->failures);
    if (kind == JR_FLAKY_JOB) {
        jr_emit_number(emit, "rescued", (int64_t)row->rescued);
        jr_emit_number(emit, "not_rescued", (int64_t)row->not_rescued);
        emit_rate(emit, row->rescued, row->rescued + row->not_rescued);
        jr_emit_number(emit, "lost_ms", row->lost_ms);
    } else {
        jr_emit_number(emit, "blamed", (int64_t)row->blamed);
        emit_rate(emit, row->blamed, row->executions);
    }
    jr_emit_time(emit, "first_at", row->first_ms);
    jr_emit_time(emit, "last_at", row->last_ms);
    jr_emit_close(emit);
}

static void add_row(struct jr_grid *grid, enum jr_flaky_kind kind, const struct jr_flaky *row)
{
    char when[JR_WHEN_SIZE], span[JR_SPAN_SIZE];

    jr_grid_add(grid, row->repo);
    jr_grid_add(grid, row->group);
    jr_grid_add(grid, row->name);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->executions);
    jr_grid_addf(grid, "%llu", (unsigned long long)row->failures);
    if (kind == JR_FLAKY_JOB) {
        jr_grid_addf(grid, "%llu", (unsigned long long)row->rescued);
        jr_grid_addf(grid, "%llu", (unsigned long long)row->not_rescued);
        add_rate(grid, row->rescued, row->rescued + row->not_rescued);
        jr_grid_add(grid, row->lost_ms == 0 ? "" : jr_say_span(row->lost_ms, span));
    } else {
        jr_grid_addf(grid, "%llu", (unsigned long long)row->blamed);
        add_rate(grid, row->blamed, row->executions);
    }
    jr_grid_addf(grid, "%.10s", jr_command_when(row->last_ms, when));
}

/* Find the worst of a kind and show them. */
static int show(struct jr_command *command, struct jr_emit *emit, enum jr_flaky_kind kind,
                struct jr_flaky *rows, size_t limit)
{
    struct jr_grid grid;
    struct jr_error error;
    size_t count;

    if (jr_flaky_worst(command->store, kind, jr_command_value(command, "repo"), rows, limit, &count,
                       &error) != JR_OK)
        return jr_command_store_failed(&error);
    if (command->json) {
        jr_emit_open_array(emit, kind == JR_FLAKY_JOB ? "jobs" : "runners");
        for (size_t i = 0; i < count; i++)
            emit_row(emit, kind, &rows[i]);
        jr_emit_close_array(emit);
        return JR_EXIT_OK;
    }
    if (kind == JR_FLAKY_JOB)
        jr_grid_init(&grid, job_columns, sizeof job_columns / sizeof *job_columns);
    else
        jr_grid_init(&grid, runner_columns, sizeof runner_columns / sizeof *runner_columns);
    for (size_t i = 0; i < count; i++)
        add_row(&grid, kind, &rows[i]);
    return jr_command_show(command, &grid);
}

int jr_command_flaky(struct jr_command *command)
{
    struct jr_flaky *rows;
    struct jr_emit emit;
    size_t limit = LIMIT;
    int status = jr_command_read_limit(command, LIMIT_MAX, &limit);

    if (status == JR_EXIT_OK)
        status = jr_command_load(command, false);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status != JR_EXIT_OK)
        return status;
    rows = calloc(limit, sizeof *rows);
    if (rows == NULL)
        return jr_command_fail(JR_EXIT_FAILED, "out of memory");
    jr_emit_init(&emit, stdout);
    if (command->json)
        jr_emit_open(&emit, NULL);
    status = show(command, &emit, JR_FLAKY_JOB, rows, limit);
    if (!command->json)
        printf("\n");
    if (status == JR_EXIT_OK)
        status = show(command, &emit, JR_FLAKY_RUNNER, rows, limit);
    if (command->json) {
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    }
    free(rows);
    return status;
}
