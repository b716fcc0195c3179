/*
 * page_parts -- what the pages are put together from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_parts.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/html.h"
#include "lib/github/github.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *const jr_page_no_names[] = { "refresh", NULL };

/* Links to all pages. That of this page, or of the list which it belongs to, is marked. */
static void add_navigation(const struct jr_visit *visit)
{
    const struct jr_route *here = visit->route;

    jr_buffer_add(visit->page, "<nav class=\"pages\" aria-label=\"Pages\">");
    while (here != visit->routes && here->title == NULL)
        here--;
    for (const struct jr_route *route = visit->routes; route->path != NULL; route++)
        if (route->title != NULL)
            jr_html(visit->page,
                    route != here           ? "<a href=\"%s\">%s</a> "
                    : here != visit->route ? "<a href=\"%s\" aria-current=\"true\">%s</a> "
                                           : "<a href=\"%s\" aria-current=\"page\">%s</a> ",
                    route->path, route->title);
    jr_buffer_add(visit->page, "</nav>\n");
}

void jr_page_begin(const struct jr_visit *visit, const char *title)
{
    struct jr_buffer *page = visit->page;

    jr_buffer_add(page, jr_page_head);
    jr_html(page, "<title>%s \xe2\x80\x93 job-rerunner</title>\n<style>", title);
    jr_buffer_add(page, jr_page_style);
    jr_buffer_add(page, "</style>\n</head>\n<body>\n"
                        "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n"
                        "<header class=\"top\"><div class=\"wrap\">\n"
                        "<a class=\"brand\" href=\"/status\">");
    jr_buffer_add(page, jr_page_mark);
    jr_buffer_add(page, "job-rerunner</a>\n");
    add_navigation(visit);
    jr_buffer_add(page, "<p class=\"soft small\">as of ");
    jr_page_whole_time(page, visit->now_ms);
    jr_buffer_add(page, "</p>\n</div></header>\n<main class=\"wrap\" id=\"content\">\n");
    if (visit->settings->dry_run)
        jr_buffer_add(page, "<p class=\"note\"><span class=\"badge info\">dry run</span> "
                            "DRY_RUN is on: everything is done but the rerun itself.</p>\n");
}

/* How often it is made anew by itself, and the way to change that. */
static void add_refresh(const struct jr_visit *visit)
{
    if (visit->refresh_s == 0) {
        jr_buffer_add(visit->page, " &middot; ");
        jr_visit_link(visit, JR_VISIT_HTML, "refresh", "10", "refresh it every 10 s");
    } else {
        jr_html(visit->page, " &middot; made anew every %d s &middot; ", (int)visit->refresh_s);
        jr_visit_link(visit, JR_VISIT_HTML, "refresh", "", "stop that");
    }
}

void jr_page_end(const struct jr_visit *visit)
{
    struct jr_buffer *page = visit->page;

    jr_buffer_add(page, "</main>\n<footer class=\"wrap\"><p>job-rerunner " PACKAGE_VERSION
                        " &middot; times are <span id=\"zone\">UTC</span>");
    if (visit->query.names != NULL) {
        add_refresh(visit);
        if ((visit->route->forms & JR_VISIT_AS_JSON) != 0) {
            jr_buffer_add(page, " &middot; the same as ");
            jr_visit_link(visit, JR_VISIT_JSON, "refresh", "", "JSON");
        }
        if ((visit->route->forms & JR_VISIT_AS_CSV) != 0) {
            jr_buffer_add(page, " or ");
            jr_visit_link(visit, JR_VISIT_CSV, "refresh", "", "CSV");
        }
    }
    jr_buffer_add(page, "</p></footer>\n<script>");
    jr_buffer_add(page, jr_page_script);
    jr_buffer_add(page, "</script>\n</body>\n</html>\n");
}

void jr_page_asked(struct jr_buffer *page, const struct jr_halt *halt, int64_t due_ms,
                   int64_t now_ms)
{
    int64_t asked_ms = jr_halt_asked_ms(halt, due_ms);

    if (asked_ms == 0)
        jr_html(page, "%s", halt->word);
    else if (asked_ms <= now_ms)
        jr_buffer_add(page, "now");
    else
        jr_page_time(page, asked_ms, now_ms);
}

void jr_page_sentence(struct jr_buffer *page, const char *words)
{
    char first[2] = { (char)toupper((unsigned char)*words), '\0' };

    if (*words != '\0')
        jr_html(page, "%s%s.", first, words + 1);
}

void jr_page_standing(struct jr_buffer *page, const struct jr_standing *standing)
{
    static const char *const classes[] = {
        [JR_MOOD_CALM] = "calm", [JR_MOOD_GOOD] = "good", [JR_MOOD_BAD] = "bad",
        [JR_MOOD_WAIT] = "wait", [JR_MOOD_INFO] = "info",
    };

    jr_html(page, "<span class=\"badge %s\">%s</span> <span>", classes[standing->mood],
            standing->word);
    jr_page_sentence(page, standing->why);
    jr_buffer_add(page, "</span>");
}

void jr_page_repo_link(struct jr_buffer *page, const char *repo)
{
    const char *dot = strrchr(repo, '.');
    bool ends_like_form = dot != NULL
                          && (strcmp(dot, ".json") == 0 || strcmp(dot, ".csv") == 0
                              || strcmp(dot, ".html") == 0);

    if (jr_text_is_full_name(repo))
        jr_html(page, "<a href=\"/repos/%s%s\">%s</a>", repo, ends_like_form ? ".html" : "", repo);
    else
        jr_html(page, "%s", *repo == '\0' ? "(repository not told)" : repo);
}

void jr_page_runs_link(struct jr_buffer *page, const char *name, const char *value,
                       const char *text)
{
    jr_html(page, "<a href=\"/runs?%s=", name);
    jr_query_encode(page, value);
    jr_html(page, "\">%s</a>", text);
}

void jr_page_run_name(struct jr_buffer *page, const struct jr_settings *settings,
                      const struct jr_run *run)
{
    char url[JR_URL_SIZE];

    jr_html(page, "<a class=\"name\" href=\"/runs/%llu\">%s</a><small>",
            (unsigned long long)run->run_id,
            *run->repo == '\0' ? "(repository not told)" : run->repo);
    if (*jr_run_workflow(run) != '\0')
        jr_html(page, "<bdi>%s</bdi> &middot; ", jr_run_workflow(run));
    if (*run->branch != '\0')
        jr_html(page, "<bdi>%s</bdi> &middot; ", run->branch);
    if (jr_github_run_url(settings->github_api_url, run->repo, run->run_id, url))
        jr_html(page, "<a href=\"%s\" rel=\"noreferrer\">GitHub #%llu</a>", url,
                (unsigned long long)run->run_id);
    else
        jr_html(page, "#%llu", (unsigned long long)run->run_id);
    jr_buffer_add(page, "</small>");
}

void jr_page_run_cells(struct jr_htable *table, const struct jr_settings *settings,
                       const struct jr_run *run)
{
    struct jr_standing standing;

    jr_htable_open(table);
    jr_page_run_name(table->page, settings, run);
    jr_htable_close(table);
    jr_htable_open(table);
    jr_buffer_add(table->page, "<div class=\"why\">");
    jr_standing_of(run, &standing);
    jr_page_standing(table->page, &standing);
    jr_buffer_add(table->page, "</div>");
    jr_htable_close(table);
}

void jr_page_cause_cell(struct jr_htable *table, const struct jr_settings *settings,
                        const struct jr_run *run, enum jr_cause cause, uint64_t job_id)
{
    char url[JR_URL_SIZE];

    if (cause == JR_CAUSE_NONE) {
        jr_htable_text(table, "");
        return;
    }
    jr_htable_open(table);
    jr_page_runs_link(table->page, "cause", jr_cause_name(cause), jr_cause_name(cause));
    if (jr_github_job_url(settings->github_api_url, run->repo, run->run_id, job_id, url))
        jr_html(table->page, " <a class=\"small\" href=\"%s\" rel=\"noreferrer\">log</a>", url);
    jr_htable_close(table);
}

void jr_page_pause(struct jr_buffer *page, const struct jr_pause *pause)
{
    char words[JR_PAUSE_WORDS_SIZE];

    jr_html(page, "<p class=\"note\"><span class=\"badge wait\">paused</span> <bdi>%s</bdi></p>\n",
            jr_pause_words(pause, words));
}

void jr_page_pauses(struct jr_buffer *page, const struct jr_pauses *pauses)
{
    for (size_t i = 0; i < pauses->count; i++)
        jr_page_pause(page, &pauses->items[i]);
}

void jr_page_outage(struct jr_buffer *page, const char *words)
{
    jr_buffer_add(page, "<p class=\"note\"><span class=\"badge wait\">outage</span> ");
    jr_page_sentence(page, words);
    jr_buffer_add(page, "</p>\n");
}
