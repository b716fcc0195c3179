/*
 * page_causes -- GET /causes: what jobs failed by, and what reruns of them were worth.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/causeview.h"
#include "fcgi/web/page_days.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_table.h"
#include "fcgi/web/pages.h"
#include "lib/base/timestamp.h"
#include "lib/format/html.h"
#include "lib/store/days.h"
#include "lib/store/failure_report.h"

#include <stdlib.h>
#include <string.h>

const char *const jr_page_causes_names[] = {
    "repository", "since", "by", "limit", "refresh", NULL
};

/* Failures that are read, the newest. */
#define LIMIT 200
#define LIMIT_MAX 5000

/* Lines without a cause that are shown, and runs of each. */
#define LINES_MOST 20
#define RUNS_MOST 3

#define SINCE_MS (30 * JR_DAY_MS)

/* What is read before anything is written. */
struct causes {
    struct jr_report report;
    struct jr_day days[JR_CHART_DAYS];
    int64_t since_ms, limit;
    bool by_line;
};

static enum jr_err read_by(const struct jr_query *query, bool *by_line, struct jr_error *error)
{
    const char *by = jr_query_value(query, "by");

    *by_line = strcmp(by, "line") == 0;
    if (*by_line || *by == '\0' || strcmp(by, "cause") == 0)
        return JR_OK;
    return jr_error_set(error, JR_EINVAL, "the parameter 'by' is '%.60s': it is cause or line", by);
}

static enum jr_err read_causes(const struct jr_visit *visit, struct causes *causes,
                               struct jr_error *error)
{
    const char *repo = jr_query_value(&visit->query, "repository");
    struct jr_report_filter filter = { .repo = *repo == '\0' ? NULL : repo };
    enum jr_err err;

    causes->since_ms = visit->now_ms - SINCE_MS;
    causes->limit = LIMIT;
    err = jr_visit_since(visit, &causes->since_ms, error);
    if (err == JR_OK)
        err = jr_query_number(&visit->query, "limit", 1, LIMIT_MAX, &causes->limit, error);
    filter.since_ms = causes->since_ms;
    filter.most = (size_t)causes->limit;
    if (err == JR_OK)
        err = read_by(&visit->query, &causes->by_line, error);
    if (err == JR_OK)
        err = jr_report_read_some(visit->context->store, &filter, &causes->report, error);
    if (err == JR_OK && visit->form == JR_VISIT_HTML)
        err =
            jr_days_read(visit->context->store, visit->now_ms, causes->days, JR_CHART_DAYS, error);
    return err;
}

static const struct jr_htable_column columns[] = {
    { "Cause", false, false },  { "Failed jobs", true, false },  { "Rerun", true, false },
    { "Rescued", true, false }, { "Failed again", true, false }, { "Rescue rate", true, false },
    { "Minutes", true, false }, { "Runs rescued", true, false },
};

/* Behind an address: what the page is of. */
static void add_filter(const struct jr_visit *visit, const char *name)
{
    const char *value = jr_query_value(&visit->query, name);

    if (*value == '\0')
        return;
    jr_html(visit->page, "&amp;%s=", name);
    jr_query_encode(visit->page, value);
}

/* The way to the runs. One that was not judged has no list: the setting decides it. */
static void add_name(const struct jr_visit *visit, const struct jr_report_row *row,
                     bool is_signature)
{
    const char *name = jr_causeview_name(row->cause);

    if (row->cause == JR_CAUSE_NONE) {
        jr_html(visit->page, "<a href=\"/settings#EVIDENCE\">%s</a>", name);
        return;
    }
    jr_html(visit->page, "<a href=\"/runs?cause=%s", name);
    if (is_signature) {
        jr_buffer_add(visit->page, "&amp;signature=");
        jr_query_encode(visit->page, row->signature);
    }
    add_filter(visit, "repository");
    add_filter(visit, "since");
    jr_html(visit->page, is_signature ? "\"><bdi class=\"mono\">%s</bdi></a>" : "\">%s</a>",
            is_signature ? row->signature : name);
}

static void add_row(const struct jr_visit *visit, struct jr_htable *table,
                    const struct jr_report_row *row, bool is_signature)
{
    jr_htable_open(table);
    add_name(visit, row, is_signature);
    jr_htable_close(table);
    jr_htable_number(table, row->jobs);
    jr_htable_number(table, row->reruns);
    jr_htable_number(table, row->rescued);
    jr_htable_number(table, row->again);
    jr_htable_rate(table, row->rescued, row->rescued + row->again);
    jr_htable_number(table, (uint64_t)row->minutes);
    jr_htable_number(table, row->green);
}

static void add_causes(const struct jr_visit *visit, const struct jr_report *report)
{
    struct jr_htable table;

    if (report->cause_count == 0) {
        jr_buffer_add(visit->page,
                      "<p class=\"empty\">Of no job that has failed the cause was looked for: "
                      "that is done where POLICY asks for it, or EVIDENCE is always.</p>\n");
        return;
    }
    jr_htable_begin(&table, visit->page, "Causes, and below each the signatures that told it", "",
                    columns, sizeof columns / sizeof *columns, visit->now_ms);
    for (size_t i = 0; i < report->cause_count; i++) {
        add_row(visit, &table, &report->causes[i], false);
        for (size_t k = 0; k < report->signature_count; k++)
            if (jr_causeview_is_signature_of(&report->signatures[k], report->causes[i].cause))
                add_row(visit, &table, &report->signatures[k], true);
    }
    jr_htable_end(&table);
}

static const struct jr_htable_column line_columns[] = {
    { "Line", false, false },
    { "Failed jobs", true, false },
    { "Newest runs", false, true },
    { "Last", true, false },
};

static void add_line(struct jr_htable *table, const struct jr_report_group *group)
{
    jr_htable_open(table);
    jr_html(table->page, "<bdi class=\"mono\">%s</bdi>",
            *group->line == '\0' ? "(nothing could be read that tells of an error)" : group->line);
    jr_htable_close(table);
    jr_htable_number(table, group->jobs);
    jr_htable_open(table);
    for (size_t i = 0; i < group->run_count && i < RUNS_MOST; i++)
        jr_html(table->page, "<a href=\"/runs/%llu\">%llu</a> ",
                (unsigned long long)group->run_ids[i], (unsigned long long)group->run_ids[i]);
    jr_htable_close(table);
    jr_htable_time(table, group->last_ms);
}

/* Failures that nobody knows the cause of: for each a signature is missing. */
static void add_lines(const struct jr_visit *visit, const struct jr_report *report)
{
    size_t shown = report->group_count < LINES_MOST ? report->group_count : LINES_MOST;
    struct jr_htable table;

    if (shown == 0)
        return;
    jr_buffer_add(visit->page,
                  "<section aria-labelledby=\"unknown\">\n<h2 id=\"unknown\">Of unknown cause"
                  "</h2>\n<p>The most frequent lines. <span class=\"mono\">job-rerunner causes "
                  "--unknown</span> makes signatures of them.</p>\n");
    jr_htable_begin(&table, visit->page, "Lines of failures whose cause is not known", "",
                    line_columns, sizeof line_columns / sizeof *line_columns, visit->now_ms);
    for (size_t i = 0; i < shown; i++)
        add_line(&table, &report->groups[i]);
    jr_htable_end(&table);
    jr_buffer_add(visit->page, "</section>\n");
}

static void write_page(const struct jr_visit *visit, const struct causes *causes)
{
    const char *repo = jr_query_value(&visit->query, "repository");
    struct jr_buffer *page = visit->page;

    jr_page_begin(visit, "Causes");
    jr_buffer_add(page,
                  "<section aria-labelledby=\"causes\">\n<h1 id=\"causes\">Causes</h1>\n<p>Since ");
    jr_page_whole_time(page, causes->since_ms);
    jr_buffer_add(page, ": what jobs failed for, and what came of reruns.");
    if (*repo != '\0') {
        jr_html(page, " Of <bdi>%s</bdi> only. ", repo);
        jr_visit_link(visit, JR_VISIT_HTML, "repository", "", "Those of all");
    }
    jr_buffer_add(page, "</p>\n");
    if (!causes->report.whole) {
        jr_html(page, "<p class=\"note\">The newest %d failures were read, since ",
                (int)causes->limit);
        jr_page_whole_time(page, causes->report.from_ms);
        jr_buffer_add(page, ". ");
        if (causes->limit < LIMIT_MAX)
            jr_visit_link(visit, JR_VISIT_HTML, "limit", "5000", "Read up to 5,000");
        jr_buffer_add(page, "</p>\n");
    }
    add_causes(visit, &causes->report);
    jr_buffer_add(page, "</section>\n");
    if (*repo == '\0') {
        jr_buffer_add(page,
                      "<section aria-labelledby=\"by-day\">\n<h2 id=\"by-day\">By day</h2>\n");
        jr_page_days_causes(page, causes->days);
        jr_buffer_add(page, "</section>\n");
    }
    add_lines(visit, &causes->report);
    jr_page_end(visit);
}

static void write_data(const struct jr_visit *visit, const struct causes *causes)
{
    struct jr_emit emit;

    jr_visit_emit(visit, &emit);
    if (visit->form == JR_VISIT_JSON) {
        jr_emit_open(&emit, NULL);
        jr_emit_time(&emit, "since", causes->since_ms);
        jr_causeview_emit_causes(&emit, "causes", &causes->report);
        jr_causeview_emit_unknown(&emit, "unknown", &causes->report);
        jr_emit_bool(&emit, "whole", causes->report.whole);
        jr_emit_close(&emit);
    } else if (causes->by_line) {
        jr_causeview_emit_unknown(&emit, NULL, &causes->report);
    } else {
        jr_causeview_emit_causes(&emit, NULL, &causes->report);
    }
    jr_emit_end(&emit);
}

enum jr_err jr_page_causes(struct jr_visit *visit, struct jr_error *error)
{
    struct causes *causes = calloc(1, sizeof *causes);
    enum jr_err err;

    if (causes == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = read_causes(visit, causes, error);
    if (err == JR_OK && visit->form == JR_VISIT_HTML)
        write_page(visit, causes);
    else if (err == JR_OK)
        write_data(visit, causes);
    jr_report_release(&causes->report);
    free(causes);
    return err;
}
