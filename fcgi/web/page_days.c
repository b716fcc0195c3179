/*
 * page_days -- what happened on each of the last days, as charts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_days.h"

#define DAYS JR_CHART_DAYS

/* Causes with a colour of their own. */
#define TOP 5

struct jr_day jr_page_days_sum(const struct jr_day *days)
{
    struct jr_day sum = { .start_ms = days[0].start_ms };

    for (size_t i = 0; i < DAYS; i++)
        jr_day_add(&sum, &days[i]);
    return sum;
}

void jr_page_days(struct jr_buffer *page, const struct jr_day *days, const char *repo)
{
    struct jr_chart chart = {
        .id = "chart",
        .title = "Reruns and rescues per day",
        .repo = repo,
        .series = { { .name = "Failed attempts" },
                    { .name = "Reruns", .legend = "Reruns that GitHub accepted", .class = "bar" },
                    { .name = "Rescued",
                      .legend = "Runs that then succeeded",
                      .class = "bar good" },
                    { .name = "Not rescued" } },
        .count = 4,
    };

    for (size_t i = 0; i < DAYS; i++) {
        chart.start_ms[i] = days[i].start_ms;
        chart.series[0].values[i] = days[i].failed;
        chart.series[1].values[i] = days[i].reruns;
        chart.series[2].values[i] = days[i].rescued;
        chart.series[3].values[i] = days[i].not_rescued;
    }
    jr_chart_add(page, &chart);
}

/* The most frequent causes, the first one first. Returns how many there are, TOP at the most. */
static size_t find_top(const struct jr_day *sum, size_t top[TOP])
{
    size_t count = 0, place;

    for (size_t cause = 1; cause < JR_CAUSES; cause++) {
        if (sum->causes[cause] == 0)
            continue;
        for (place = count; place > 0 && sum->causes[top[place - 1]] < sum->causes[cause]; place--)
            if (place < TOP)
                top[place] = top[place - 1];
        if (place < TOP) {
            top[place] = cause;
            count += count < TOP;
        }
    }
    return count;
}

/* The sum of all causes but the `count' first ones of `top'. */
static uint32_t rest_of(const struct jr_day *day, const size_t *top, size_t count)
{
    uint32_t rest = 0;

    for (size_t cause = 0; cause < JR_CAUSES; cause++)
        rest += day->causes[cause];
    for (size_t i = 0; i < count; i++)
        rest -= day->causes[top[i]];
    return rest;
}

void jr_page_days_causes(struct jr_buffer *page, const struct jr_day *days)
{
    static const char *const classes[TOP + 1] = { "c1", "c2", "c3", "c4", "c5", "c6" };
    struct jr_chart chart = { .id = "causes-chart", .title = "Failed jobs per day, by their cause",
                              .repo = "", .stacked = true };
    const struct jr_day sum = jr_page_days_sum(days);
    size_t top[TOP], count = find_top(&sum, top);

    for (size_t i = 0; i < count; i++) {
        const char *name = jr_cause_name((enum jr_cause)top[i]);

        chart.series[i] = (struct jr_chart_series){ .name = name, .legend = name,
                                                    .class = classes[i] };
    }
    chart.count = count;
    if (rest_of(&sum, top, count) > 0)
        chart.series[chart.count++] = (struct jr_chart_series){
            .name = "others", .legend = "others", .class = classes[TOP]
        };
    for (size_t day = 0; day < DAYS; day++) {
        chart.start_ms[day] = days[day].start_ms;
        for (size_t i = 0; i < chart.count; i++)
            chart.series[i].values[day] = i < count ? days[day].causes[top[i]]
                                                    : rest_of(&days[day], top, count);
    }
    jr_chart_add(page, &chart);
}

static void emit_day(struct jr_emit *emit, const struct jr_day *day)
{
    jr_emit_open(emit, NULL);
    jr_emit_time(emit, "since", day->start_ms);
    jr_emit_number(emit, "failed", day->failed);
    jr_emit_number(emit, "reruns", day->reruns);
    jr_emit_number(emit, "rescued", day->rescued);
    jr_emit_number(emit, "not_rescued", day->not_rescued);
    jr_emit_open(emit, "causes");
    for (int cause = 1; cause < JR_CAUSES; cause++)
        if (day->causes[cause] != 0)
            jr_emit_number(emit, jr_cause_name((enum jr_cause)cause), day->causes[cause]);
    jr_emit_close(emit);
    jr_emit_close(emit);
}

void jr_page_days_emit(struct jr_emit *emit, const struct jr_day *days)
{
    jr_emit_open_array(emit, "days");
    for (size_t i = 0; i < DAYS; i++)
        emit_day(emit, &days[i]);
    jr_emit_close_array(emit);
}
