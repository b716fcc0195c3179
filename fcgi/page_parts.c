/*
 * page_parts -- what the pages are put together from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/page_parts.h"
#include "lib/github.h"
#include "lib/html.h"
#include "lib/timestamp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A run that goes round again. */
static const char mark[] =
    "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\" fill=\"none\" stroke=\"currentColor\" "
    "stroke-linecap=\"round\" stroke-linejoin=\"round\" stroke-width=\"2.3\">"
    "<path d=\"M19 12a7 7 0 1 1-2.2-5.1\"/><path fill=\"currentColor\" stroke=\"none\" "
    "d=\"M19.6 2.6v5.2h-5.2z\"/><path d=\"m9 12.2 2.2 2.2 4-4.4\"/></svg>";

void jr_page_begin(struct jr_buffer *page, const struct jr_settings *settings, const char *title,
                   bool home, int64_t now_ms)
{
    char now[JR_TIMESTAMP_SIZE], day[JR_DAY_SIZE];

    jr_buffer_add(page,
                  "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<meta name=\"robots\" content=\"noindex\">\n"
                  "<link rel=\"icon\" href=\"data:image/svg+xml,"
                  "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E"
                  "%3Cpath d='M19 12a7 7 0 1 1-2.2-5.1' fill='none' stroke='%232f7fd6' "
                  "stroke-width='3'/%3E%3Cpath d='M20 2v6h-6z' fill='%232f7fd6'/%3E%3C/svg%3E\">\n");
    jr_html(page, "<title>%s</title>\n<style>", title);
    jr_buffer_add(page, jr_page_style);
    jr_buffer_add(page, "</style>\n</head>\n<body>\n"
                        "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n"
                        "<header class=\"top\"><div class=\"wrap\">\n");
    jr_buffer_print(page, "<a class=\"brand\" href=\"/status\"%s>",
                    home ? " aria-current=\"page\"" : "");
    jr_buffer_add(page, mark);
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

/* What a reason that closed an attempt comes to. */
static const struct {
    enum jr_reason reason;
    const char *kind, *word;
} closings[] = {
    { JR_REASON_ATTEMPTS_USED_UP, "bad", "given up" },
    { JR_REASON_CANNOT_BE_RETRIED, "bad", "refused" },
    { JR_REASON_NO_PERMISSION, "bad", "refused" },
    { JR_REASON_NOT_FOUND, "bad", "refused" },
    { JR_REASON_REFUSED, "bad", "refused" },
    { JR_REASON_DRY_RUN, "info", "dry run" },
    { JR_REASON_DRY_RUN_UNVERIFIED, "info", "dry run" },
    { JR_REASON_TOO_OLD, "calm", "too late" },
    { JR_REASON_MISSED, "calm", "too late" },
    { JR_REASON_NEVER_COMPLETED, "calm", "too late" },
};

/* All that is known of the newest attempt is good. */
static bool has_succeeded(const struct jr_run *run)
{
    return run->complete ? run->conclusion == JR_CONCLUSION_SUCCESS
                         : run->phase == JR_PHASE_OPEN && run->reason == JR_REASON_JOBS_SUCCEEDED;
}

/* The attempt is there because we asked for it. */
static bool is_our_rerun(const struct jr_run *run)
{
    return run->accepted_attempt != 0 && run->attempt == run->accepted_attempt + 1;
}

static const char *badge_of(const struct jr_run *run, const char **kind)
{
    *kind = "calm";
    if (has_succeeded(run)) {
        *kind = "good";
        return run->reruns > 0 ? "rescued" : "succeeded";
    }
    if (run->phase == JR_PHASE_DUE) {
        *kind = "wait";
        return run->intent_ms != 0 ? "asked for" : "waiting";
    }
    if (run->phase == JR_PHASE_OPEN) {
        *kind = is_our_rerun(run) ? "info" : "calm";
        return is_our_rerun(run) ? "rerun" : "going on";
    }
    for (size_t i = 0; i < sizeof closings / sizeof *closings; i++) {
        if (closings[i].reason == run->reason) {
            *kind = closings[i].kind;
            return closings[i].word;
        }
    }
    return "left alone";
}

void jr_page_badge(struct jr_buffer *page, const struct jr_run *run)
{
    const char *kind, *word = badge_of(run, &kind);

    jr_html(page, "<span class=\"badge %s\">%s</span>", kind, word);
}

void jr_page_sentence(struct jr_buffer *page, const char *words)
{
    char first[2] = { (char)toupper((unsigned char)*words), '\0' };

    if (*words != '\0')
        jr_html(page, "%s%s.", first, words + 1);
}

static const char *why(const struct jr_run *run)
{
    if (has_succeeded(run) && run->complete)
        return run->reruns > 0 ? "the run succeeded after a rerun" : "the run succeeded";
    if (run->phase == JR_PHASE_OPEN && run->reason == JR_REASON_NONE)
        return is_our_rerun(run) ? "GitHub accepted the rerun; nothing was heard of it yet"
                                 : "the attempt has begun";
    if (run->phase == JR_PHASE_OPEN && run->reason == JR_REASON_WAITING_FOR_JOBS
        && is_our_rerun(run))
        return "GitHub accepted the rerun; its jobs are not all done";
    return jr_reason_words(run->reason);
}

void jr_page_why(struct jr_buffer *page, const struct jr_run *run)
{
    if (!has_succeeded(run) && run->reason == JR_REASON_CONCLUSION_NOT_RETRIED)
        jr_html(page, "It ended as %s, which is not in RETRY_CONCLUSIONS.",
                jr_conclusion_name(run->conclusion));
    else
        jr_page_sentence(page, why(run));
}

void jr_page_run_name(struct jr_buffer *page, const struct jr_settings *settings,
                      const struct jr_run *run)
{
    char url[JR_URL_SIZE];

    jr_html(page, "<a class=\"name\" href=\"/runs/%llu\">%s</a><small>",
            (unsigned long long)run->run_id,
            *run->repo == '\0' ? "(repository not told)" : run->repo);
    if (*run->workflow != '\0')
        jr_html(page, "<bdi>%s</bdi> &middot; ", run->workflow);
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
