/*
 * page_times -- times, as they stand on a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_times.h"
#include "lib/base/timestamp.h"

#include <stdio.h>

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
    jr_buffer_print(page, "<time class=\"clock\" datetime=\"%s\">%.12s</time>", exact, exact + 11);
}

void jr_page_whole_time(struct jr_buffer *page, int64_t time_ms)
{
    char exact[JR_TIMESTAMP_SIZE];

    jr_timestamp_format(time_ms, exact);
    jr_buffer_print(page, "<time class=\"whole\" datetime=\"%s\">%.10s %.8s</time>", exact, exact,
                    exact + 11);
}
