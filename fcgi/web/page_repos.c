/*
 * page_repos -- GET /repos: the repositories, and how it goes in each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/repoview.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_table.h"
#include "fcgi/web/pages.h"
#include "lib/base/say.h"
#include "lib/base/text.h"
#include "lib/format/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const jr_page_repos_names[] = { "repository", "limit", "after", "refresh", NULL };

#define LIMIT 50
#define LIMIT_MAX 500

/* What is read before anything is written. */
struct repos {
    struct jr_pauses pauses;
    struct jr_repolist list;
    uint64_t after, next; /* where this page begins, and the next one */
};

/* Not jr_query_number(): ids that were made from names take all 64 bits. */
static enum jr_err read_place(const struct jr_query *query, uint64_t *after, struct jr_error *error)
{
    const char *given = jr_query_value(query, "after");

    *after = jr_query_id(given);
    return *given == '\0' || *after != 0
               ? JR_OK
               : jr_error_set(error, JR_EINVAL,
                              "the parameter 'after' is '%.60s', which is no place "
                              "that this page has given",
                              given);
}

static enum jr_err read_repos(const struct jr_visit *visit, struct repos *repos,
                              struct jr_error *error)
{
    struct jr_repolist_filter filter = { .now_ms = visit->now_ms, .pauses = &repos->pauses };
    int64_t limit = LIMIT;
    enum jr_err err = jr_query_number(&visit->query, "limit", 1, LIMIT_MAX, &limit, error);

    (void)jr_text_copy(filter.repo, sizeof filter.repo,
                       jr_query_value(&visit->query, "repository"));
    if (err == JR_OK)
        err = read_place(&visit->query, &repos->after, error);
    if (err == JR_OK)
        err = jr_pauses_read(visit->context->store, visit->now_ms, &repos->pauses, error);
    if (err != JR_OK)
        return err;
    repos->next = repos->after;
    repos->list.size = (size_t)limit;
    repos->list.rows = calloc((size_t)limit, sizeof *repos->list.rows);
    if (repos->list.rows == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    return jr_repolist_read(visit->context->store, &filter, &repos->next, &repos->list, error);
}

static void add_state(struct jr_htable *table, const struct jr_repo_row *row)
{
    static const char *const own[] = {
        [JR_OWNPOLICY_UNKNOWN] = "",
        [JR_OWNPOLICY_NONE] = "",
        [JR_OWNPOLICY_GOOD] = "<span class=\"badge info\">own policy</span> ",
        [JR_OWNPOLICY_BROKEN] = "<span class=\"badge bad\">broken policy</span> ",
    };
    bool plain = !row->paused && !row->gone && *own[row->own] == '\0';

    jr_htable_open(table);
    jr_buffer_add(table->page, row->paused ? "<span class=\"badge wait\">paused</span> " : "");
    jr_buffer_add(table->page,
                  row->gone ? "<span class=\"badge wait\">not shown by GitHub</span> " : "");
    jr_buffer_add(table->page, plain ? "\xe2\x80\x93" : own[row->own]);
    jr_htable_close(table);
}

static const struct jr_htable_column columns[] = {
    { "Repository", false, false }, { "State", false, true },    { "Runs", true, false },
    { "Failed", true, false },      { "Reruns", true, false },   { "Rescued", true, false },
    { "Rescue rate", true, false }, { "Last event", true, false },
};

static void add_row(struct jr_htable *table, const struct jr_repo_row *row)
{
    char number[JR_COUNT_SIZE];

    jr_htable_open(table);
    jr_page_repo_link(table->page, row->repo.name);
    jr_htable_close(table);
    add_state(table, row);
    jr_htable_open(table);
    jr_html(table->page, "<a href=\"/runs?repository=%s\">%s%s</a>", row->repo.name,
            row->more_runs ? "over " : "", jr_say_count(row->runs, number));
    jr_htable_close(table);
    jr_htable_number(table, row->sum.failed);
    jr_htable_number(table, row->sum.reruns);
    jr_htable_number(table, row->sum.rescued);
    jr_htable_rate(table, row->sum.rescued, row->sum.rescued + row->sum.not_rescued);
    jr_htable_time(table, row->repo.last_event_ms);
}

static void add_next(const struct jr_visit *visit, const struct repos *repos)
{
    if (repos->list.ended && repos->after == 0)
        return;
    jr_buffer_add(visit->page, "<nav class=\"paging\" aria-label=\"More repositories\"><p>");
    if (repos->after != 0)
        jr_visit_link(visit, JR_VISIT_HTML, "after", "", "From the beginning");
    if (!repos->list.ended)
        jr_html(visit->page, " <a href=\"%s\" rel=\"next\">More repositories</a>",
                visit->next.bytes);
    jr_buffer_add(visit->page, "</p></nav>\n");
}

static void write_page(const struct jr_visit *visit, const struct repos *repos)
{
    struct jr_buffer *page = visit->page;
    struct jr_htable table;

    jr_page_begin(visit, "Repositories");
    jr_html(
        page,
        "<section aria-labelledby=\"repos\">\n<h1 id=\"repos\">Repositories</h1>\n"
        "<form class=\"filters\" method=\"get\" action=\"/repos\" aria-label=\"Which "
        "repositories\">"
        "<label>Repository <input name=\"repository\" value=\"%s\" placeholder=\"octo/*\"></label>"
        " <button>Show</button></form>\n"
        "<p class=\"soft\">Failed attempts, reruns and rescues are those of the last %d "
        "days.</p>\n",
        jr_query_value(&visit->query, "repository"), JR_REPOLIST_DAYS);
    if (repos->list.count == 0) {
        jr_buffer_add(
            page, "<p class=\"empty\">There is no such repository. Once a webhook of one points "
                  "here, it appears.</p>\n");
    } else {
        jr_htable_begin(&table, page, "Repositories", "", columns, sizeof columns / sizeof *columns,
                       visit->now_ms);
        for (size_t i = 0; i < repos->list.count; i++)
            add_row(&table, &repos->list.rows[i]);
        jr_htable_end(&table);
    }
    add_next(visit, repos);
    jr_buffer_add(page, "</section>\n");
    jr_page_end(visit);
}

static void write_data(const struct jr_visit *visit, const struct repos *repos)
{
    static const struct jr_repo_row none;
    struct jr_emit emit;

    jr_visit_emit(visit, &emit);
    jr_emit_open_array(&emit, NULL);
    jr_emit_heading(&emit, true);
    for (size_t i = 0; i <= repos->list.count; i++) {
        jr_emit_open(&emit, NULL);
        jr_repoview_emit(&emit, i == 0 ? &none : &repos->list.rows[i - 1]);
        jr_emit_close(&emit);
        if (i == 0)
            jr_emit_heading(&emit, false);
    }
    jr_emit_close_array(&emit);
    jr_emit_end(&emit);
}

enum jr_err jr_page_repos(struct jr_visit *visit, struct jr_error *error)
{
    struct repos *repos = calloc(1, sizeof *repos);
    char place[32];
    enum jr_err err;

    if (repos == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = read_repos(visit, repos, error);
    if (err == JR_OK && !repos->list.ended) {
        snprintf(place, sizeof place, "%llu", (unsigned long long)repos->next);
        jr_visit_goes_on(visit, "after", place);
    }
    if (err == JR_OK && visit->form == JR_VISIT_HTML)
        write_page(visit, repos);
    else if (err == JR_OK)
        write_data(visit, repos);
    free(repos->list.rows);
    free(repos);
    return err;
}
