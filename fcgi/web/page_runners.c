/*
 * page_runners -- GET /runners: runners by the labels that jobs ask for, across repositories.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/flakyview.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_table.h"
#include "fcgi/web/pages.h"
#include "lib/base/say.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/html.h"
#include "lib/store/runners.h"

#include <stdio.h>
#include <string.h>

const char *const jr_page_runners_names[] = { "owner", "labels", "by", "limit", "refresh", NULL };

#define LIMIT 50
#define LIMIT_MAX 500
#define DAYS JR_FLAKY_RECENT_DAYS

/* Is the list by labels wanted? */
static enum jr_err read_by(const struct jr_query *query, bool *by_labels, struct jr_error *error)
{
    const char *by = jr_query_value(query, "by");

    *by_labels = strcmp(by, "labels") == 0;
    if (*by_labels || *by == '\0' || strcmp(by, "runner") == 0)
        return JR_OK;
    return jr_error_set(error, JR_EINVAL, "the parameter 'by' is '%.60s': it is runner or labels",
                        by);
}

static enum jr_err read_runners(const struct jr_visit *visit, struct jr_runners *runners,
                                bool *by_labels, struct jr_error *error)
{
    const char *owner = jr_query_value(&visit->query, "owner");
    struct jr_runners_filter filter = {
        .since_ms = jr_flaky_since_ms(visit->now_ms - (DAYS - 1) * JR_DAY_MS, visit->now_ms),
        .now_ms = visit->now_ms,
    };
    int64_t limit = LIMIT;
    enum jr_err err = jr_query_number(&visit->query, "limit", 1, LIMIT_MAX, &limit, error);

    filter.most = (size_t)limit;
    if (err == JR_OK)
        err = read_by(&visit->query, by_labels, error);
    if (*owner != '\0')
        snprintf(filter.repo, sizeof filter.repo, "%.100s/*", owner);
    (void)jr_text_copy(filter.labels, sizeof filter.labels,
                       jr_query_value(&visit->query, "labels"));
    return err == JR_OK ? jr_runners_read(visit->context->store, &filter, runners, error) : err;
}

static const struct jr_htable_column pool_columns[] = {
    { "Labels", false, false }, { "Owners", true, false },
    { "Runners", true, false }, { "Executions", true, false },
    { "Failed", true, false },  { "Blamed of executions", true, false },
    { "Last", true, false },
};

static void add_pools(const struct jr_visit *visit, const struct jr_runners *runners)
{
    struct jr_buffer *page = visit->page;
    struct jr_htable table;

    jr_htable_begin(&table, page, "Runners by their labels", "", pool_columns,
                    sizeof pool_columns / sizeof *pool_columns, visit->now_ms);
    for (size_t i = 0; i < runners->pool_count; i++) {
        const struct jr_pool *pool = &runners->pools[i];
        const char *labels = *pool->labels == '\0' ? JR_RUNNERS_UNLABELLED : pool->labels;

        jr_htable_open(&table);
        jr_visit_link(visit, JR_VISIT_HTML, "labels", labels, labels);
        jr_htable_close(&table);
        jr_htable_number(&table, pool->owners);
        jr_htable_number(&table, pool->runners);
        jr_htable_number(&table, pool->executions);
        jr_htable_number(&table, pool->failures);
        jr_htable_rate(&table, pool->blamed, pool->executions);
        jr_htable_time(&table, pool->last_ms);
    }
    jr_htable_end(&table);
}

static const struct jr_htable_column runner_columns[] = {
    { "Runner", false, false },    { "State", false, false },
    { "Executions", true, false }, { "Failed", true, false },
    { "Blamed", true, false },     { "Blamed of executions", true, false },
    { "All with its labels", true, false },
};

/* The way to its fellows: of the same owner, with the same labels. */
static void add_runner_name(struct jr_buffer *page, const struct jr_flaky *row)
{
    jr_buffer_add(page, "<a class=\"name\" href=\"/runners?owner=");
    jr_query_encode(page, row->repo);
    jr_buffer_add(page, "&amp;labels=");
    jr_query_encode(page, *row->group == '\0' ? JR_RUNNERS_UNLABELLED : row->group);
    jr_html(page, "\"><bdi>%s</bdi></a>", row->name);
}

static void add_runner(const struct jr_visit *visit, struct jr_htable *table,
                       const struct jr_flaky *row)
{
    struct jr_buffer *page = visit->page;

    jr_htable_open(table);
    add_runner_name(page, row);
    jr_buffer_add(page, "<small>");
    jr_visit_link(visit, JR_VISIT_HTML, "owner", row->repo, row->repo);
    if (*row->group != '\0') {
        jr_buffer_add(page, " &middot; ");
        jr_visit_link(visit, JR_VISIT_HTML, "labels", row->group, row->group);
    }
    jr_buffer_add(page, "</small>");
    jr_htable_close(table);
    jr_htable_open(table);
    jr_html(page, "<span class=\"badge %s\">%s</span>", row->suspect ? "bad" : "calm",
            row->suspect ? "suspect" : "as others");
    jr_htable_close(table);
    jr_htable_number(table, row->executions);
    jr_htable_number(table, row->failures);
    jr_htable_number(table, row->blamed);
    jr_htable_rate(table, row->blamed, row->executions);
    jr_htable_open(table);
    if (row->pool_executions == 0)
        jr_buffer_add(page, "\xe2\x80\x93");
    else
        jr_html(page, "%.1f %%", 100.0 * (double)row->pool_blamed / (double)row->pool_executions);
    jr_htable_close(table);
}

static void add_worst(const struct jr_visit *visit, const struct jr_runners *runners)
{
    struct jr_buffer *page = visit->page;
    struct jr_htable table;

    jr_html(
        page,
        "<p>In %d days. Blamed: a job failed there, and the same job passed on another runner of "
        "the same labels. Suspect is one that is blamed twice at least, and for more than chance "
        "explains: the interval lies above the rate of all runners with its labels.</p>\n",
        DAYS);
    if (runners->row_count == 0) {
        jr_buffer_add(page, "<p class=\"empty\">No runner has failed.</p>\n");
        return;
    }
    jr_htable_begin(&table, page, "Runners, the worst first", "", runner_columns,
                    sizeof runner_columns / sizeof *runner_columns, visit->now_ms);
    for (size_t i = 0; i < runners->row_count; i++)
        add_runner(visit, &table, &runners->rows[i]);
    jr_htable_end(&table);
}

static void write_page(const struct jr_visit *visit, const struct jr_runners *runners)
{
    const char *labels = jr_query_value(&visit->query, "labels");
    const char *owner = jr_query_value(&visit->query, "owner");
    struct jr_buffer *page = visit->page;

    jr_page_begin(visit, "Runners");
    jr_buffer_add(page, "<section aria-labelledby=\"runners\">\n<h1 id=\"runners\">Runners</h1>\n");
    if (*labels != '\0' || *owner != '\0')
        jr_html(page,
                "<p>Only those%s<bdi>%s</bdi>%s<bdi>%s</bdi>. <a href=\"/runners\">All "
                "runners</a></p>\n",
                *owner == '\0' ? "" : " of ", owner, *labels == '\0' ? "" : " with the labels ",
                labels);
    if (!runners->whole)
        jr_html(page, "<p class=\"note\">There are more than %d: these are of the first.</p>\n",
                JR_RUNNERS_LOOKS);
    jr_buffer_add(page, "<h2>By labels</h2>\n");
    if (runners->pool_count == 0)
        jr_buffer_add(page, "<p class=\"empty\">No event has told of a runner.</p>\n");
    else
        add_pools(visit, runners);
    jr_buffer_add(page, "</section>\n<section aria-labelledby=\"worst\">\n"
                        "<h2 id=\"worst\">The worst runners</h2>\n");
    add_worst(visit, runners);
    jr_buffer_add(page, "</section>\n");
    jr_page_end(visit);
}

static void emit_pool(struct jr_emit *emit, const struct jr_pool *pool)
{
    jr_emit_open(emit, NULL);
    jr_emit_text(emit, "labels", pool->labels);
    jr_emit_number(emit, "owners", pool->owners);
    jr_emit_number(emit, "runners", pool->runners);
    jr_emit_number(emit, "executions", (int64_t)pool->executions);
    jr_emit_number(emit, "failures", (int64_t)pool->failures);
    jr_emit_number(emit, "blamed", (int64_t)pool->blamed);
    jr_flakyview_emit_rate(emit, pool->blamed, pool->executions);
    jr_emit_time(emit, "last_at", pool->last_ms);
    jr_emit_close(emit);
}

static void emit_pools(struct jr_emit *emit, const char *key, const struct jr_runners *runners)
{
    static const struct jr_pool none;

    jr_emit_open_array(emit, key);
    if (key == NULL) {
        jr_emit_heading(emit, true);
        emit_pool(emit, &none);
        jr_emit_heading(emit, false);
    }
    for (size_t i = 0; i < runners->pool_count; i++)
        emit_pool(emit, &runners->pools[i]);
    jr_emit_close_array(emit);
}

static void write_data(const struct jr_visit *visit, const struct jr_runners *runners,
                       bool by_labels)
{
    struct jr_emit emit;

    jr_visit_emit(visit, &emit);
    if (visit->form == JR_VISIT_JSON) {
        jr_emit_open(&emit, NULL);
        jr_emit_time(&emit, "since",
                     jr_flaky_since_ms(visit->now_ms - (DAYS - 1) * JR_DAY_MS, visit->now_ms));
        emit_pools(&emit, "pools", runners);
        jr_emit_open_array(&emit, "runners");
        for (size_t i = 0; i < runners->row_count; i++)
            jr_flakyview_emit(&emit, JR_FLAKY_RUNNER, &runners->rows[i]);
        jr_emit_close_array(&emit);
        jr_emit_bool(&emit, "whole", runners->whole);
        jr_emit_close(&emit);
    } else if (by_labels) {
        emit_pools(&emit, NULL, runners);
    } else {
        jr_flakyview_emit_list(&emit, JR_FLAKY_RUNNER, runners->rows, runners->row_count);
    }
    jr_emit_end(&emit);
}

enum jr_err jr_page_runners(struct jr_visit *visit, struct jr_error *error)
{
    struct jr_runners runners;
    bool by_labels = false;
    enum jr_err err;

    memset(&runners, 0, sizeof runners);
    err = read_runners(visit, &runners, &by_labels, error);
    if (err == JR_OK && visit->form == JR_VISIT_HTML)
        write_page(visit, &runners);
    else if (err == JR_OK)
        write_data(visit, &runners, by_labels);
    jr_runners_release(&runners);
    return err;
}
