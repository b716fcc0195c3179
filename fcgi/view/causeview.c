/*
 * causeview -- what is said of what jobs failed by, and of what reruns were worth.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/causeview.h"
#include "lib/store/flaky.h"

const char *jr_causeview_name(enum jr_cause cause)
{
    return cause == JR_CAUSE_NONE ? "none" : jr_cause_name(cause);
}

bool jr_causeview_is_signature_of(const struct jr_report_row *row, enum jr_cause cause)
{
    return row->cause == cause && *row->signature != '\0';
}

static void emit_numbers(struct jr_emit *emit, const struct jr_report_row *row)
{
    double low, high;

    jr_wilson(row->rescued, row->rescued + row->again, &low, &high);
    jr_emit_number(emit, "jobs", (int64_t)row->jobs);
    jr_emit_number(emit, "reruns", (int64_t)row->reruns);
    jr_emit_number(emit, "rescued", (int64_t)row->rescued);
    jr_emit_rate(emit, "rate_low", low);
    jr_emit_rate(emit, "rate_high", high);
    jr_emit_number(emit, "minutes_spent", row->minutes);
    jr_emit_number(emit, "runs_rescued", (int64_t)row->green);
}

static void emit_signatures(struct jr_emit *emit, const struct jr_report *report,
                            enum jr_cause cause)
{
    jr_emit_open_array(emit, "signatures");
    for (size_t i = 0; i < report->signature_count; i++) {
        if (!jr_causeview_is_signature_of(&report->signatures[i], cause))
            continue;
        jr_emit_open(emit, NULL);
        jr_emit_text(emit, "signature", report->signatures[i].signature);
        emit_numbers(emit, &report->signatures[i]);
        jr_emit_close(emit);
    }
    jr_emit_close_array(emit);
}

static void emit_cause(struct jr_emit *emit, const struct jr_report *report,
                       const struct jr_report_row *row)
{
    jr_emit_open(emit, NULL);
    jr_emit_text(emit, "cause", jr_causeview_name(row->cause));
    emit_numbers(emit, row);
    emit_signatures(emit, report, row->cause);
    jr_emit_close(emit);
}

void jr_causeview_emit_causes(struct jr_emit *emit, const char *key,
                              const struct jr_report *report)
{
    static const struct jr_report_row none;

    jr_emit_open_array(emit, key);
    if (key == NULL) {
        jr_emit_heading(emit, true);
        emit_cause(emit, report, &none);
        jr_emit_heading(emit, false);
    }
    for (size_t i = 0; i < report->cause_count; i++)
        emit_cause(emit, report, &report->causes[i]);
    jr_emit_close_array(emit);
}

static void emit_group(struct jr_emit *emit, const struct jr_report_group *group)
{
    jr_emit_open(emit, NULL);
    jr_emit_text(emit, "line", group->key);
    jr_emit_number(emit, "jobs", (int64_t)group->jobs);
    jr_emit_time(emit, "last", group->last_ms);
    jr_emit_open_array(emit, "runs");
    for (size_t run = 0; run < group->run_count; run++)
        jr_emit_number(emit, NULL, (int64_t)group->run_ids[run]);
    jr_emit_close_array(emit);
    jr_emit_close(emit);
}

void jr_causeview_emit_unknown(struct jr_emit *emit, const char *key,
                               const struct jr_report *report)
{
    static const struct jr_report_group none;

    jr_emit_open_array(emit, key);
    if (key == NULL) {
        jr_emit_heading(emit, true);
        emit_group(emit, &none);
        jr_emit_heading(emit, false);
    }
    for (size_t i = 0; i < report->group_count; i++)
        emit_group(emit, &report->groups[i]);
    jr_emit_close_array(emit);
}

static void emit_cost(struct jr_emit *emit, const struct jr_cost_row *row)
{
    jr_emit_open(emit, NULL);
    jr_emit_text(emit, "repository", row->repo);
    jr_emit_number(emit, "runs", (int64_t)row->runs);
    jr_emit_number(emit, "runs_rescued", (int64_t)row->runs_rescued);
    jr_emit_number(emit, "reruns", (int64_t)row->reruns);
    jr_emit_number(emit, "rescued", (int64_t)row->rescued);
    jr_emit_number(emit, "failed_again", (int64_t)row->again);
    jr_emit_number(emit, "minutes_spent", row->minutes);
    jr_emit_close(emit);
}

void jr_causeview_emit_costs(struct jr_emit *emit, const char *key, const struct jr_costs *costs)
{
    static const struct jr_cost_row none;

    jr_emit_open_array(emit, key);
    if (key == NULL) {
        jr_emit_heading(emit, true);
        emit_cost(emit, &none);
        jr_emit_heading(emit, false);
    }
    for (size_t i = 0; i < costs->count; i++)
        emit_cost(emit, &costs->rows[i]);
    jr_emit_close_array(emit);
}
