/*
 * page_table -- a table on a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_table.h"
#include "fcgi/web/page_times.h"
#include "lib/base/say.h"
#include "lib/format/html.h"
#include "lib/store/flaky.h"

#define DASH "\xe2\x80\x93"

void jr_htable_begin(struct jr_htable *table, struct jr_buffer *page, const char *caption,
                    const char *class, const struct jr_htable_column *columns, size_t count,
                    int64_t now_ms)
{
    *table = (struct jr_htable){ page, columns, count, 0, now_ms };
    jr_html(page, "<table class=\"rows %s\" role=\"table\"><caption>%s</caption>"
                  "<thead role=\"rowgroup\"><tr role=\"row\">", class, caption);
    for (size_t i = 0; i < count; i++)
        jr_html(page,
                columns[i].number
                    ? "<th role=\"columnheader\" scope=\"col\" class=\"num\">%s</th>"
                    : "<th role=\"columnheader\" scope=\"col\">%s</th>",
                columns[i].title);
    jr_buffer_add(page, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
}

void jr_htable_end(struct jr_htable *table)
{
    jr_buffer_add(table->page, "</tbody></table>\n");
}

void jr_htable_open(struct jr_htable *table)
{
    const struct jr_htable_column *column = &table->columns[table->at];

    if (table->at == 0) {
        jr_buffer_add(table->page, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">");
        return;
    }
    jr_buffer_print(table->page, "<td role=\"cell\"%s", column->number ? " class=\"num\"" : "");
    if (column->number || column->labelled)
        jr_html(table->page, " data-label=\"%s\"", column->title);
    jr_buffer_add(table->page, ">");
}

void jr_htable_close(struct jr_htable *table)
{
    jr_buffer_add(table->page, table->at == 0 ? "</th>" : "</td>");
    table->at++;
    if (table->at == table->count) {
        jr_buffer_add(table->page, "</tr>\n");
        table->at = 0;
    }
}

void jr_htable_text(struct jr_htable *table, const char *text)
{
    jr_htable_open(table);
    jr_html(table->page, "<bdi>%s</bdi>", *text == '\0' ? DASH : text);
    jr_htable_close(table);
}

void jr_htable_number(struct jr_htable *table, uint64_t number)
{
    char text[JR_COUNT_SIZE];

    jr_htable_open(table);
    jr_buffer_add(table->page, jr_say_count(number, text));
    jr_htable_close(table);
}

void jr_htable_time(struct jr_htable *table, int64_t time_ms)
{
    jr_htable_open(table);
    if (time_ms > 0)
        jr_page_time(table->page, time_ms, table->now_ms);
    else
        jr_buffer_add(table->page, DASH);
    jr_htable_close(table);
}

void jr_htable_span(struct jr_htable *table, int64_t span_ms)
{
    char text[JR_SPAN_SIZE];

    jr_htable_open(table);
    jr_buffer_add(table->page, span_ms > 0 ? jr_say_span(span_ms, text) : DASH);
    jr_htable_close(table);
}

/* A rate in hundredths, its interval in words and as a picture. */
void jr_htable_rate(struct jr_htable *table, uint64_t hits, uint64_t of)
{
    double low, high;

    jr_htable_open(table);
    jr_wilson(hits, of, &low, &high);
    if (of == 0)
        jr_buffer_add(table->page, DASH);
    else
        jr_html(table->page,
                "<span>%.0f %%<small>%.0f to %.0f %%</small>"
                "<svg class=\"range\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" "
                "aria-hidden=\"true\">"
                "<rect class=\"track\" y=\"3\" width=\"100\" height=\"4\"/>"
                "<rect class=\"span\" x=\"%.1f\" y=\"3\" width=\"%.1f\" height=\"4\"/>"
                "<rect class=\"dot\" x=\"%.1f\" width=\"2.5\" height=\"10\"/></svg></span>",
                100.0 * (double)hits / (double)of, 100 * low, 100 * high, 100 * low,
                100 * (high - low), 97.5 * (double)hits / (double)of);
    jr_htable_close(table);
}
