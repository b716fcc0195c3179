/*
 * page_chart -- numbers by day, as bars: an SVG with a text in its place for those who do not see
 * it, and the same as a table.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_CHART_H
#define JR_PAGE_CHART_H

#include "lib/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_CHART_DAYS 30
#define JR_CHART_SERIES_MAX 8

/* Numbers of one kind. */
struct jr_chart_series {
    const char *name;   /* as a column of the table */
    const char *legend; /* what a bar of it is; NULL: it has none and stands in the table only */
    const char *class;  /* of its bar: one of page.css */
    uint32_t values[JR_CHART_DAYS]; /* oldest day first */
};

/* All zero at first. */
struct jr_chart {
    const char *id, *title; /* a word of its own on the page; what it shows */
    const char *repo; /* whose runs since then a day of the table leads to; empty: those of all */
    bool stacked;           /* the bars of a day stand on each other, not side by side */
    int64_t start_ms[JR_CHART_DAYS]; /* of each day, in UTC */
    struct jr_chart_series series[JR_CHART_SERIES_MAX];
    size_t count; /* of series */
};

/* Add it to a page; nothing but a sentence where all bars are 0. */
void jr_chart_add(struct jr_buffer *page, const struct jr_chart *chart);

/* Add bars without axes, as small as a line of text, for a cell. label: what they say */
void jr_chart_add_small(struct jr_buffer *page, const uint64_t *values, size_t count,
                        const char *label);

#endif
