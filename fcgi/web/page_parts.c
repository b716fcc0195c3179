/*
 * page_parts -- what the pages are put together from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_parts.h"
#include "lib/base/timestamp.h"
#include "lib/format/html.h"
#include "lib/github/github.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void jr_page_begin(struct jr_buffer *page, const struct jr_settings *settings, const char *title,
                   bool home, int64_t now_ms)
{
    char now[JR_TIMESTAMP_SIZE], day[JR_DAY_SIZE];

    jr_buffer_add(page, jr_page_head);
    jr_html(page, "<title>%s</title>\n<style>", title);
    jr_buffer_add(page, jr_page_style);
    jr_buffer_add(page, "</style>\n</head>\n<body>\n"
                        "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n"
                        "<header class=\"top\"><div class=\"wrap\">\n");
    jr_buffer_print(page, "<a class=\"brand\" href=\"/status\"%s>",
                    home ? " aria-current=\"page\"" : "");
    jr_buffer_add(page, jr_page_mark);
    jr_buffer_add(page, "job-rerunner</a>\n");
    if (home)
        jr_buffer_add(page, "<nav class=\"small\" aria-label=\"On this page\">"
                            "<a href=\"#waiting\">Waiting</a> <a href=\"#days\">Days</a> "
                            "<a href=\"#runs\">Runs</a> <a href=\"#flaky\">Flaky jobs</a> "
                            "<a href=\"#runners\">Runners</a></nav>\n");
    jr_timestamp_format(now_ms, now);
    jr_buffer_print(page,
                    "<p class=\"soft small\">as of <time datetime=\"%s\">%s %.8s UTC</time></p>\n",
                    now, jr_page_day(now_ms, day), now + 11);
    jr_buffer_add(page, "</div></header>\n<main class=\"wrap\" id=\"content\">\n");
    if (settings->dry_run)
        jr_buffer_add(page, "<p class=\"note\"><span class=\"badge info\">dry run</span> "
                            "DRY_RUN is on: everything is done but the rerun itself.</p>\n");
}

void jr_page_end(struct jr_buffer *page)
{
    jr_buffer_add(page, "</main>\n<footer class=\"wrap\"><p>job-rerunner " PACKAGE_VERSION
                        " &middot; times are UTC &middot; reload for newer</p></footer>\n"
                        "</body>\n</html>\n");
}

char *jr_page_day(int64_t time_ms, char buffer[JR_DAY_SIZE])
{
    char text[JR_TIMESTAMP_SIZE];

    jr_timestamp_format(time_ms, text);
    snprintf(buffer, JR_DAY_SIZE, "%.10s", text);
    return buffer;
}

/* One unit is enough for how long ago something was. */
static void relative(int64_t time_ms, int64_t now_ms, char *text, size_t size)
{
    int64_t span_ms = time_ms > now_ms ? time_ms - now_ms : now_ms - time_ms;
    const char *before = time_ms > now_ms ? "in " : "", *after = time_ms > now_ms ? "" : " ago";
    int64_t unit_ms = span_ms < JR_MINUTE_MS ? JR_SECOND_MS
                      : span_ms < JR_HOUR_MS ? JR_MINUTE_MS
                      : span_ms < 2 * JR_DAY_MS ? JR_HOUR_MS
                                                : JR_DAY_MS;
    const char *name = unit_ms == JR_SECOND_MS   ? "s"
                       : unit_ms == JR_MINUTE_MS ? "min"
                       : unit_ms == JR_HOUR_MS   ? "h"
                                                 : "days";

    if (span_ms < JR_SECOND_MS)
        snprintf(text, size, "now");
    else
        snprintf(text, size, "%s%lld %s%s", before, (long long)(span_ms / unit_ms), name, after);
}

void jr_page_time(struct jr_buffer *page, int64_t time_ms, int64_t now_ms)
{
    char exact[JR_TIMESTAMP_SIZE], day[JR_DAY_SIZE], said[64];

    if (time_ms <= 0) {
        jr_buffer_add(page, "unknown");
        return;
    }
    jr_timestamp_format(time_ms, exact);
    jr_page_day(time_ms, day);
    relative(time_ms, now_ms, said, sizeof said);
    jr_buffer_print(page, "<time datetime=\"%s\" title=\"%s %.8s UTC\">%s</time>", exact, day,
                    exact + 11, said);
}

void jr_page_clock(struct jr_buffer *page, int64_t time_ms)
{
    char exact[JR_TIMESTAMP_SIZE];

    jr_timestamp_format(time_ms, exact);
    jr_buffer_print(page, "<time datetime=\"%s\">%.12s</time>", exact, exact + 11);
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
