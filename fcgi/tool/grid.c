/*
 * grid -- rows of text in columns, for a terminal and for a pipe.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/grid.h"
#include "fcgi/tool/tint.h"
#include "lib/base/show.h"
#include "lib/base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* A cell is the longest text of a record and some words. */
#define CELL_SIZE 2048

/* No column is cut to less. */
#define NARROWEST 8

static const char ellipsis[] = "\xe2\x80\xa6"; /* U+2026 */

/* One that is newer than libc's table is a symbol most of the time, and those are wide. */
static int width_of(const char *text, size_t length)
{
    int width = length == 0 ? 0 : wcwidth((wchar_t)jr_text_utf8_code(text, length));

    return width >= 0 ? width : 2;
}

/* The width of a clean text up to `most`; *end is where it was reached. */
static int measure(const char *text, int most, const char **end)
{
    int width = 0;

    while (*text != '\0') {
        size_t length = jr_text_utf8_length(text);
        int more = width_of(text, length);

        if (width + more > most)
            break;
        width += more;
        text += length == 0 ? 1 : length;
    }
    *end = text;
    return width;
}

int jr_grid_width(const char *text)
{
    const char *end;

    return measure(text, INT32_MAX / 2, &end);
}

void jr_grid_init(struct jr_grid *grid, const struct jr_column *columns, size_t count)
{
    memset(grid, 0, sizeof *grid);
    grid->columns = columns;
    grid->count = count;
}

void jr_grid_release(struct jr_grid *grid)
{
    for (size_t i = 0; i < grid->used; i++)
        free(grid->cells[i].text);
    free(grid->cells);
    memset(grid, 0, sizeof *grid);
}

static bool make_room(struct jr_grid *grid)
{
    size_t size = grid->size == 0 ? 64 : grid->size * 2;
    struct jr_grid_cell *cells;

    if (grid->used < grid->size)
        return true;
    cells = reallocarray(grid->cells, size, sizeof *cells);
    if (cells == NULL)
        return false;
    grid->cells = cells;
    grid->size = size;
    return true;
}

void jr_grid_add(struct jr_grid *grid, const char *text)
{
    struct jr_grid_cell cell = { .mood = JR_MOOD_CALM };
    char clean[CELL_SIZE];

    jr_show_clean(clean, sizeof clean, text == NULL || *text == '\0' ? "-" : text);
    if (grid->out_of_memory || !make_room(grid) || (cell.text = strdup(clean)) == NULL)
        grid->out_of_memory = true;
    else
        grid->cells[grid->used++] = cell;
}

void jr_grid_tint(struct jr_grid *grid, enum jr_mood mood)
{
    if (grid->used > 0)
        grid->cells[grid->used - 1].mood = mood;
}

void jr_grid_addf(struct jr_grid *grid, const char *format, ...)
{
    char text[CELL_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    jr_grid_add(grid, text);
}

/*
 * Of the columns that can give way, the widest; -1: none can any more.
 *   early  before any is left out
 */
static int widest(const struct jr_grid *grid, const int *widths, bool early)
{
    int found = -1;

    for (size_t i = 0; i < grid->count; i++) {
        int least = grid->columns[i].gives_way;

        if (early ? least <= 1 : least == 0)
            continue;
        if (widths[i] > (early ? least : NARROWEST) && (found < 0 || widths[i] > widths[found]))
            found = (int)i;
    }
    return found;
}

/* Of the columns that were cut, the narrowest; -1: none is. */
static int narrowest(const struct jr_grid *grid, const int *widths, const int *wanted)
{
    int found = -1;

    for (size_t i = 0; i < grid->count; i++)
        if (widths[i] > 0 && widths[i] < wanted[i] && (found < 0 || widths[i] < widths[found]))
            found = (int)i;
    return found;
}

/* Leave out the column whose turn it is; -1: all that may leave have left. */
static int leave_out(const struct jr_grid *grid, const int *widths)
{
    int found = -1;

    for (size_t i = 0; i < grid->count; i++)
        if (grid->columns[i].leaves > 0 && widths[i] > 0
            && (found < 0 || grid->columns[i].leaves < grid->columns[found].leaves))
            found = (int)i;
    return found;
}

/* How wide each column has to be so that nothing is cut. Returns how wide lines are then. */
static int measure_columns(const struct jr_grid *grid, int *widths)
{
    int whole = 2 * ((int)grid->count - 1);

    for (size_t i = 0; i < grid->count; i++)
        widths[i] = jr_grid_width(grid->columns[i].title);
    for (size_t i = 0; i < grid->used; i++) {
        int cell = jr_grid_width(grid->cells[i].text);

        if (cell > widths[i % grid->count])
            widths[i % grid->count] = cell;
    }
    for (size_t i = 0; i < grid->count; i++)
        whole += widths[i];
    return whole;
}

/* Cut columns until lines are not wider, or nothing gives way. Returns how wide they are then. */
static int cut(const struct jr_grid *grid, int whole, int width, int *widths, bool early)
{
    for (int column; whole > width && (column = widest(grid, widths, early)) >= 0; whole--)
        widths[column]--;
    return whole;
}

/* How wide each column is to be; 0: it is left out. */
static void find_widths(const struct jr_grid *grid, int width, int *widths)
{
    int whole = measure_columns(grid, widths), wanted[JR_GRID_COLUMNS_MAX], column;

    if (width <= 0 || whole <= width)
        return;
    memcpy(wanted, widths, grid->count * sizeof *widths);
    whole = cut(grid, whole, width, widths, true);
    while (whole > width && (column = leave_out(grid, widths)) >= 0) {
        whole -= widths[column] + 2;
        widths[column] = 0;
    }
    whole = cut(grid, whole, width, widths, false);
    /* What a column that has left was too wide for has room again. */
    for (; whole < width && (column = narrowest(grid, widths, wanted)) >= 0; whole++)
        widths[column]++;
}

/* Write a cell, cut where it has to be; returns how wide it came out. */
static int write_cell(FILE *stream, const char *text, int width, enum jr_mood mood)
{
    const char *end;
    int got = measure(text, width, &end);
    bool whole = *end == '\0';

    if (!whole)
        got = measure(text, width - 1, &end) + 1;
    fprintf(stream, "%s%.*s%s%s", jr_tint_begin(true, mood), (int)(end - text), text,
            whole ? "" : ellipsis, jr_tint_end(true, mood));
    return got;
}

/*
 * A line.
 *   cells  NULL: the titles
 *   left   how wide it may still become
 */
static void write_line(const struct jr_grid *grid, FILE *stream, const struct jr_grid_cell *cells,
                       const int *widths, int left)
{
    size_t count = grid->count;

    while (count > 0 && widths[count - 1] == 0)
        count--;
    for (size_t i = 0; i < count && left > 0; i++) {
        bool last = i + 1 == count;
        const char *text = cells == NULL ? grid->columns[i].title : cells[i].text;
        enum jr_mood mood = cells == NULL || !grid->color ? JR_MOOD_CALM : cells[i].mood;
        int room = widths[i] < left ? widths[i] : left, blanks = room - jr_grid_width(text);

        if (widths[i] == 0)
            continue;
        if (grid->columns[i].right && blanks > 0)
            fprintf(stream, "%*s", blanks, "");
        blanks = room - write_cell(stream, text, room, mood);
        left -= room;
        if (grid->columns[i].right)
            blanks = 0;
        if (!last && left > 2)
            fprintf(stream, "%*s", blanks + 2, "");
        left -= 2;
    }
    fputc('\n', stream);
}

enum jr_err jr_grid_write(const struct jr_grid *grid, FILE *stream, int width)
{
    int widths[JR_GRID_COLUMNS_MAX], most = width > 0 ? width : INT32_MAX / 2;

    if (grid->out_of_memory)
        return JR_ENOMEM;
    find_widths(grid, width, widths);
    write_line(grid, stream, NULL, widths, most);
    for (size_t i = 0; i + grid->count <= grid->used; i += grid->count)
        write_line(grid, stream, &grid->cells[i], widths, most);
    return JR_OK;
}
