/*
 * flakyview -- what is said of jobs that fail and then pass, and of runners.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/flakyview.h"

void jr_flakyview_emit_rate(struct jr_emit *emit, uint64_t hits, uint64_t of)
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

static void emit_numbers(struct jr_emit *emit, enum jr_flaky_kind kind, const struct jr_flaky *row)
{
    jr_emit_number(emit, "executions", (int64_t)row->executions);
    jr_emit_number(emit, "failures", (int64_t)row->failures);
    if (kind == JR_FLAKY_JOB) {
        jr_emit_number(emit, "rescued", (int64_t)row->rescued);
        jr_emit_number(emit, "not_rescued", (int64_t)row->not_rescued);
        jr_flakyview_emit_rate(emit, row->rescued, row->rescued + row->not_rescued);
        jr_emit_number(emit, "lost_ms", row->lost_ms);
        jr_emit_number(emit, "apart_failures", (int64_t)row->apart_failures);
        jr_emit_number(emit, "apart_rescued", (int64_t)row->apart_rescued);
    } else {
        jr_emit_number(emit, "blamed", (int64_t)row->blamed);
        jr_flakyview_emit_rate(emit, row->blamed, row->executions);
    }
    jr_emit_time(emit, "first_at", row->first_ms);
    jr_emit_time(emit, "last_at", row->last_ms);
}

void jr_flakyview_emit(struct jr_emit *emit, enum jr_flaky_kind kind, const struct jr_flaky *row)
{
    bool is_job = kind == JR_FLAKY_JOB;

    jr_emit_open(emit, NULL);
    jr_emit_text(emit, is_job ? "repository" : "owner", row->repo);
    jr_emit_text(emit, is_job ? "workflow" : "labels", row->group);
    jr_emit_text(emit, is_job ? "job" : "runner", row->name);
    emit_numbers(emit, kind, row);
    if (!is_job) {
        jr_emit_bool(emit, "suspect", row->suspect);
        jr_emit_number(emit, "pool_executions", (int64_t)row->pool_executions);
        jr_emit_number(emit, "pool_blamed", (int64_t)row->pool_blamed);
    }
    jr_emit_close(emit);
}

void jr_flakyview_emit_list(struct jr_emit *emit, enum jr_flaky_kind kind,
                            const struct jr_flaky *rows, size_t count)
{
    static const struct jr_flaky none;

    jr_emit_open_array(emit, NULL);
    jr_emit_heading(emit, true);
    jr_flakyview_emit(emit, kind, &none);
    jr_emit_heading(emit, false);
    for (size_t i = 0; i < count; i++)
        jr_flakyview_emit(emit, kind, &rows[i]);
    jr_emit_close_array(emit);
}

void jr_flakyview_emit_all(struct jr_emit *emit, enum jr_flaky_kind kind,
                           const struct jr_flaky *rows, size_t count,
                           const struct jr_flaky_total *total)
{
    bool is_job = kind == JR_FLAKY_JOB;

    jr_emit_open_array(emit, is_job ? "jobs" : "runners");
    for (size_t i = 0; i < count; i++)
        jr_flakyview_emit(emit, kind, &rows[i]);
    jr_emit_close_array(emit);
    if (total == NULL) {
        jr_emit_null(emit, is_job ? "jobs_total" : "runners_total");
        return;
    }
    jr_emit_open(emit, is_job ? "jobs_total" : "runners_total");
    jr_emit_number(emit, is_job ? "jobs" : "runners", (int64_t)total->rows);
    emit_numbers(emit, kind, &total->sum);
    jr_emit_close(emit);
}
