/*
 * grid -- rows of text in columns, for a terminal and for a pipe.
 *
 * Cells are made safe: what is not shown (show.h) becomes U+FFFD, so that nothing from outside
 * reaches the terminal but text. An empty cell is shown as "-". Widths are those
 * of wcwidth(3): set the locale's LC_CTYPE to one with UTF-8 before.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_GRID_H
#define JR_GRID_H

#include "lib/base/error.h"
#include "lib/model/standing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct jr_column {
    const char *title; /* static */
    bool right;        /* its text stands at the right */
    int gives_way;     /* may it be cut when a terminal is too narrow, and to how much: see below */
    int leaves;        /* 1, 2, ...: it may be left out, in this order; 0: it stays */
};

#define JR_GRID_COLUMNS_MAX 12

/*
 * A column gives way to so many columns of the terminal before any is left out, and further
 * once nothing is to be left out; true (1): only that; false: never.
 */

struct jr_grid_cell {
    char *text; /* clean; owned */
    enum jr_mood mood;
};

/* Rows in the making. What cannot be had for lack of memory is told by write. */
struct jr_grid {
    const struct jr_column *columns;
    size_t count;
    struct jr_grid_cell *cells; /* row by row; owned */
    size_t used, size;
    bool color; /* are moods shown? The caller may set it; false at first */
    bool out_of_memory;
};

/*
 * Begin a table without rows.
 *   columns  static; up to JR_GRID_COLUMNS_MAX
 */
void jr_grid_init(struct jr_grid *grid, const struct jr_column *columns, size_t count);
void jr_grid_release(struct jr_grid *grid);

/* Add the next cell, row by row. text may be NULL: then it is empty. */
void jr_grid_add(struct jr_grid *grid, const char *text);
void jr_grid_addf(struct jr_grid *grid, const char *format, ...) JR_PRINTF(2, 3);

/* Say what kind of news the cell is that was added last; else it is calm. */
void jr_grid_tint(struct jr_grid *grid, enum jr_mood mood);

/*
 * Write the titles and the rows, a line each, columns two blanks apart.
 *   width  lines are not wider: columns give way, then leave, one after the other, then
 *          give way further, then lines are cut; 0: nothing is cut
 * Returns JR_OK or JR_ENOMEM; whether the writing went well, the stream knows.
 */
enum jr_err jr_grid_write(const struct jr_grid *grid, FILE *stream, int width) JR_CHECKED;

/* How many columns of a terminal a text takes, that has been cleaned. */
int jr_grid_width(const char *text);

#endif
