/*
 * page_jobtable -- the flakiest jobs, of all repositories or of one, with their trend by week.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_jobtable.h"
#include "fcgi/web/page_chart.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_table.h"
#include "lib/format/html.h"

#include <stdio.h>

#define WEEKS JR_JOBTABLE_WEEKS

enum jr_err jr_jobtable_read(struct jr_jobtable *jobs, struct jr_store *store, const char *repo,
                             int64_t now_ms, size_t most, struct jr_error *error)
{
    const struct jr_flaky_filter filter = { .kind = JR_FLAKY_JOB, .repo = repo, .now_ms = now_ms };
    enum jr_err err = jr_flaky_recent_of(store, &filter, jobs->rows, most, &jobs->count,
                                         &jobs->whole, error);

    jobs->since_ms = jr_flaky_since_ms(now_ms - (JR_FLAKY_RECENT_DAYS - 1) * JR_DAY_MS, now_ms);
    if (err == JR_OK)
        err = jr_flaky_trend(store, &filter, jobs->rows, jobs->count, WEEKS, jobs->weeks, error);
    jobs->of_all = repo == NULL;
    if (err == JR_OK && jobs->of_all)
        err = jr_flaky_recent_total(store, now_ms, &jobs->total, error);
    return err;
}

static void add_name(struct jr_htable *table, const struct jr_flaky *row)
{
    struct jr_buffer *page = table->page;

    jr_htable_open(table);
    jr_html(page, "<a class=\"name\" href=\"/runs?repository=");
    jr_query_encode(page, row->repo);
    if (*row->group != '\0') {
        jr_buffer_add(page, "&amp;workflow=");
        jr_query_encode(page, row->group);
    }
    jr_html(page, "\"><bdi>%s</bdi></a><small>", row->name);
    jr_page_repo_link(page, row->repo);
    if (*row->group != '\0')
        jr_html(page, " &middot; <bdi>%s</bdi>", row->group);
    jr_buffer_add(page, "</small>");
    jr_htable_close(table);
}

/* Which part of the executions was rescued, week by week. */
static void add_trend(struct jr_htable *table, const struct jr_flaky_week *weeks)
{
    uint64_t values[WEEKS], sum = 0;
    char label[96];

    for (size_t i = 0; i < WEEKS; i++) {
        values[i] = weeks[i].rescued;
        sum += weeks[i].rescued;
    }
    snprintf(label, sizeof label, "Rescued in %d weeks: %llu, in the last two: %llu and %llu",
             WEEKS, (unsigned long long)sum, (unsigned long long)values[WEEKS - 2],
             (unsigned long long)values[WEEKS - 1]);
    jr_htable_open(table);
    jr_chart_add_small(table->page, values, WEEKS, label);
    jr_htable_close(table);
}

static const struct jr_htable_column columns[] = {
    { "Job", false, false },         { "Executions", true, false },
    { "Failed", true, false },       { "Rescued", true, false },
    { "Failed again", true, false }, { "Rescue rate", true, false },
    { "12 weeks", true, false },     { "Time lost", true, false },
};

void jr_jobtable_add(const struct jr_visit *visit, const struct jr_jobtable *jobs)
{
    struct jr_htable table;

    if (jobs->count == 0) {
        jr_buffer_add(visit->page,
                      "<p class=\"empty\">No job has failed and then passed on the same "
                      "commit.</p>\n");
        return;
    }
    jr_htable_begin(&table, visit->page, "Jobs that failed and then passed, the worst first", "",
                    columns, sizeof columns / sizeof *columns, visit->now_ms);
    for (size_t i = 0; i < jobs->count; i++) {
        const struct jr_flaky *row = &jobs->rows[i];

        add_name(&table, row);
        jr_htable_number(&table, row->executions);
        jr_htable_number(&table, row->failures);
        jr_htable_number(&table, row->rescued);
        jr_htable_number(&table, row->not_rescued);
        jr_htable_rate(&table, row->rescued, row->rescued + row->not_rescued);
        add_trend(&table, jobs->weeks + i * WEEKS);
        jr_htable_span(&table, row->lost_ms);
    }
    jr_htable_end(&table);
    if (!jobs->whole)
        jr_buffer_add(visit->page,
                      "<p class=\"soft\">There may be more: <span class=\"mono\">job-rerunner "
                      "flaky</span> looks at all.</p>\n");
}

void jr_jobtable_emit_weeks(struct jr_emit *emit, const struct jr_jobtable *jobs)
{
    jr_emit_open_array(emit, "weeks");
    for (size_t row = 0; row < jobs->count; row++) {
        jr_emit_open_array(emit, NULL);
        for (size_t i = 0; i < WEEKS; i++) {
            const struct jr_flaky_week *week = &jobs->weeks[row * WEEKS + i];

            jr_emit_open(emit, NULL);
            jr_emit_time(emit, "since", week->start_ms);
            jr_emit_number(emit, "executions", (int64_t)week->executions);
            jr_emit_number(emit, "failures", (int64_t)week->failures);
            jr_emit_number(emit, "rescued", (int64_t)week->rescued);
            jr_emit_close(emit);
        }
        jr_emit_close_array(emit);
    }
    jr_emit_close_array(emit);
}
