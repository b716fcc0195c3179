/*
 * page_chart -- numbers by day, as bars.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_chart.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_table.h"
#include "lib/base/say.h"
#include "lib/format/html.h"

#include <stdio.h>

#define DAYS JR_CHART_DAYS

/* A slot for each day, in units of the view box, with the bars in it. */
#define SLOT 20
#define GAP 3
#define HEIGHT 100

/* "23 Nov" */
#define SHORT_DAY_SIZE 16

static uint64_t sum_of(const struct jr_chart_series *series)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < DAYS; i++)
        sum += series->values[i];
    return sum;
}

static size_t drawn(const struct jr_chart *chart)
{
    size_t count = 0;

    for (size_t i = 0; i < chart->count; i++)
        count += chart->series[i].legend != NULL;
    return count;
}

/* The greatest bar, or pile of bars. */
static uint32_t most_of(const struct jr_chart *chart)
{
    uint32_t most = 0;

    for (size_t day = 0; day < DAYS; day++) {
        uint32_t pile = 0;

        for (size_t i = 0; i < chart->count; i++) {
            uint32_t value = chart->series[i].legend == NULL ? 0 : chart->series[i].values[day];

            pile = chart->stacked ? pile + value : value;
            most = pile > most ? pile : most;
        }
    }
    return most;
}

/* The top of the scale: 2, 4, 10, 20, 40, 100 ... so that its half is a round number too. */
static uint32_t scale_of(uint32_t most)
{
    uint32_t unit = 1;

    while (unit < UINT32_MAX / 100 && most > 10 * unit)
        unit *= 10;
    return most <= 2 * unit ? 2 * unit : most <= 4 * unit ? 4 * unit : 10 * unit;
}

static void short_day(int64_t time_ms, char text[SHORT_DAY_SIZE])
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char day[JR_DAY_SIZE];
    int month;

    jr_page_day(time_ms, day);
    month = (day[5] - '0') * 10 + (day[6] - '0');
    snprintf(text, SHORT_DAY_SIZE, "%d %.3s", (day[8] - '0') * 10 + (day[9] - '0'),
             months + (ptrdiff_t)(month - 1) * 3);
}

static void add_legend(struct jr_buffer *page, const struct jr_chart *chart)
{
    jr_buffer_add(page, "<ul class=\"legend\">");
    for (size_t i = 0; i < chart->count; i++)
        if (chart->series[i].legend != NULL)
            jr_html(page, "<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"%s\" "
                          "width=\"12\" height=\"12\" rx=\"2\"/></svg>%s</li>",
                    chart->series[i].class, chart->series[i].legend);
    jr_buffer_add(page, "</ul>\n");
}

/* What the pointer shows over a day. */
static void add_hint(struct jr_buffer *page, const struct jr_chart *chart, size_t day)
{
    char text[SHORT_DAY_SIZE];
    bool any = false;

    short_day(chart->start_ms[day], text);
    jr_html(page, "<title>%s:", text);
    for (size_t i = 0; i < chart->count; i++) {
        const struct jr_chart_series *series = &chart->series[i];

        /* Of many kinds only those that there were. */
        if (series->legend == NULL || (chart->stacked && series->values[day] == 0))
            continue;
        jr_html(page, "%s %s %u", any ? "," : "", series->name, series->values[day]);
        any = true;
    }
    jr_html(page, "%s</title>", any ? "" : " none");
}

static void add_bars(struct jr_buffer *page, const struct jr_chart *chart, size_t day, uint32_t top)
{
    size_t beside = chart->stacked ? 1 : drawn(chart), place = 0;
    double width = (double)(SLOT - 2 * GAP) / (double)beside, floor = HEIGHT;

    for (size_t i = 0; i < chart->count; i++) {
        const struct jr_chart_series *series = &chart->series[i];
        double height = (double)series->values[day] * HEIGHT / top;
        double x = (double)(day * SLOT + GAP) + width * (double)place;

        if (series->legend == NULL)
            continue;
        place += !chart->stacked;
        if (series->values[day] > 0)
            jr_html(page,
                    "<rect class=\"%s\" x=\"%.1f\" y=\"%.2f\" width=\"%.1f\" height=\"%.2f\"/>",
                    series->class, x, floor - height, width, height);
        floor -= chart->stacked ? height : 0;
    }
}

static void add_svg(struct jr_buffer *page, const struct jr_chart *chart, uint32_t top)
{
    jr_html(page,
            "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-labelledby=\"%s-title %s-desc\"><title id=\"%s-title\">%s</title>"
            "<desc id=\"%s-desc\">The last %d days.",
            DAYS * SLOT, HEIGHT, chart->id, chart->id, chart->id, chart->title, chart->id, DAYS);
    for (size_t i = 0; i < chart->count; i++)
        if (chart->series[i].legend != NULL)
            jr_html(page, " %s: %llu.", chart->series[i].legend,
                    (unsigned long long)sum_of(&chart->series[i]));
    jr_buffer_add(page, " The table below has each day.</desc>\n");
    for (int line = 0; line <= 2; line++)
        jr_html(page, "<line class=\"grid\" x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", DAYS * SLOT,
                line * HEIGHT / 2, line * HEIGHT / 2);
    for (size_t day = 0; day < DAYS; day++) {
        jr_buffer_add(page, "\n<g class=\"day\">");
        add_hint(page, chart, day);
        jr_html(page, "<rect class=\"hit\" x=\"%zu\" y=\"0\" width=\"%d\" height=\"%d\"/>",
                day * SLOT, SLOT, HEIGHT);
        add_bars(page, chart, day, top);
        jr_buffer_add(page, "</g>");
    }
    jr_buffer_add(page, "</svg>\n");
}

static void add_table(struct jr_buffer *page, const struct jr_chart *chart)
{
    struct jr_htable_column columns[JR_CHART_SERIES_MAX + 1] = { { "Day (UTC)", false, false } };
    struct jr_htable table;
    char day[JR_DAY_SIZE];

    for (size_t i = 0; i < chart->count; i++)
        columns[i + 1] = (struct jr_htable_column){ chart->series[i].name, true, false };
    jr_buffer_add(page, "<details><summary>The same as a table</summary>\n");
    jr_htable_begin(&table, page, chart->title, "days", columns, chart->count + 1, 0);
    for (size_t i = DAYS; i-- > 0;) {
        jr_htable_open(&table);
        jr_html(page, "<a href=\"/runs?since=%s", jr_page_day(chart->start_ms[i], day));
        if (*chart->repo != '\0') {
            jr_buffer_add(page, "&amp;repository=");
            jr_query_encode(page, chart->repo);
        }
        jr_html(page, "\">%s</a>", day);
        jr_htable_close(&table);
        for (size_t k = 0; k < chart->count; k++)
            jr_htable_number(&table, chart->series[k].values[i]);
    }
    jr_htable_end(&table);
    jr_buffer_add(page, "</details>\n");
}

void jr_chart_add(struct jr_buffer *page, const struct jr_chart *chart)
{
    uint32_t most = most_of(chart), top = scale_of(most);
    char first[SHORT_DAY_SIZE], middle[SHORT_DAY_SIZE], number[JR_COUNT_SIZE];

    if (most == 0) {
        jr_html(page, "<p class=\"empty\">None in the last %d days.</p>\n", DAYS);
        return;
    }
    short_day(chart->start_ms[0], first);
    short_day(chart->start_ms[DAYS / 2], middle);
    add_legend(page, chart);
    jr_html(page, "<div class=\"chart\">\n<div class=\"y\" aria-hidden=\"true\"><span>%s</span>",
            jr_say_count(top, number));
    jr_html(page, "<span>%s</span><span>0</span></div>\n", jr_say_count(top / 2, number));
    add_svg(page, chart, top);
    jr_html(page, "<div class=\"x\" aria-hidden=\"true\"><span>%s</span><span>%s</span>"
                  "<span>today</span></div>\n</div>\n",
            first, middle);
    add_table(page, chart);
}

void jr_chart_add_small(struct jr_buffer *page, const uint64_t *values, size_t count,
                        const char *label)
{
    uint64_t most = 1;

    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    jr_html(page,
            "<svg class=\"trend\" viewBox=\"0 0 %zu 20\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"%s\">",
            count * 6, label);
    for (size_t i = 0; i < count; i++) {
        double height = values[i] == 0 ? 1 : 2 + 18.0 * (double)values[i] / (double)most;

        jr_html(page, "<rect class=\"%s\" x=\"%zu\" y=\"%.1f\" width=\"5\" height=\"%.1f\"/>",
                values[i] == 0 ? "none" : "bar", i * 6, 20 - height, height);
    }
    jr_buffer_add(page, "</svg>");
}
