/*
 * page_table -- a table on a page.
 *
 * Cells come row by row, in the order of the columns; each function below adds the next one,
 * and the first of a row is its heading. On a narrow screen a row is a block, and each number has
 * its column's title before it. Any other markup for a cell is added between jr_htable_open() and
 * jr_htable_close().
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_TABLE_H
#define JR_PAGE_TABLE_H

#include "lib/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jr_htable_column {
    const char *title; /* static */
    bool number;       /* stands at the right */
    bool labelled;     /* no number, but has its title before it on a narrow screen */
};

struct jr_htable {
    struct jr_buffer *page;
    const struct jr_htable_column *columns;
    size_t count, at; /* at: the column of the next cell */
    int64_t now_ms;
};

/*
 * Begin a table.
 *   caption  for those who do not see where it stands
 *   class    more classes than "rows"; "" for none
 *   columns  static
 */
void jr_htable_begin(struct jr_htable *table, struct jr_buffer *page, const char *caption,
                    const char *class, const struct jr_htable_column *columns, size_t count,
                    int64_t now_ms);
void jr_htable_end(struct jr_htable *table);

/* The next cell, for markup. */
void jr_htable_open(struct jr_htable *table);
void jr_htable_close(struct jr_htable *table);

/* The next cell. An empty text, a time of 0, a span of 0 and a rate of nothing are a dash. */
void jr_htable_text(struct jr_htable *table, const char *text);
void jr_htable_number(struct jr_htable *table, uint64_t number);
void jr_htable_time(struct jr_htable *table, int64_t time_ms);
void jr_htable_span(struct jr_htable *table, int64_t span_ms);
void jr_htable_rate(struct jr_htable *table, uint64_t hits, uint64_t of);

#endif
