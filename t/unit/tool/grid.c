/*
 * grid -- rows of text in columns.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/grid.h"
#include "t/unit/support.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define FFFD "\xef\xbf\xbd"
#define DOTS "\xe2\x80\xa6"
#define NIHON "\xe6\x97\xa5\xe6\x9c\xac" /* two characters of two columns each */

static const struct jr_column columns[] = {
    { "NAME", false, true, 0 }, { "N", true, false, 0 }, { "WHAT", false, true, 0 },
};

/* Write the cells, as many a row as there are columns; the end is NULL. */
static char *written_in(const struct jr_column *of, size_t count, int width, const char *const *cells)
{
    struct jr_grid grid;
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    jr_grid_init(&grid, of, count);
    for (; *cells != NULL; cells++)
        jr_grid_add(&grid, *cells);
    assert_int_equal(jr_grid_write(&grid, stream, width), JR_OK);
    fclose(stream);
    jr_grid_release(&grid);
    return text;
}

static char *written(int width, const char *const *cells)
{
    return written_in(columns, COUNT(columns), width, cells);
}

static const struct grid_row {
    const char *name;
    int width;
    const char *cells[10], *want;
} grids[] = {
    { "no rows", 0, { NULL }, "NAME  N  WHAT\n" },
    { "aligned", 0, { "a", "1", "x", "longer", "100", "y", NULL },
      "NAME      N  WHAT\na         1  x\nlonger  100  y\n" },
    { "empty cells", 0, { "", "", "", NULL }, "NAME  N  WHAT\n-     -  -\n" },
    { "wide characters", 0, { NIHON, "1", "x", "abcdef", "2", "y", NULL },
      "NAME    N  WHAT\n" NIHON "    1  x\nabcdef  2  y\n" },
    { "combining characters", 0, { "e\xcc\x81" "e\xcc\x81" "bcd", "1", "x", NULL },
      "NAME   N  WHAT\ne\xcc\x81" "e\xcc\x81" "bcd  1  x\n" },
    { "fits", 22, { "a long name", "1", "words", NULL }, "NAME         N  WHAT\na long name  1  words\n" },
    { "the widest gives way", 20, { "a very long name", "1", "words", NULL },
      "NAME        N  WHAT\na very lo" DOTS "  1  words\n" },
    { "both give way", 21, { "a very long name", "1", "a very long text", NULL },
      "NAME      N  WHAT\na very " DOTS "  1  a very " DOTS "\n" },
    { "no column is cut to nothing, the line is", 12, { "a very long name", "1", "what", NULL },
      "NAME      N\na very " DOTS "  1\n" },
    { "cut between wide characters", 13, { NIHON NIHON NIHON, "1", "", NULL },
      "NAME      N\n" NIHON "\xe6\x97\xa5" DOTS "   1\n" },
    { "no limit", 0, { "a very long name that goes on and on and on and on", "1", "x", NULL },
      "NAME                                                N  WHAT\n"
      "a very long name that goes on and on and on and on  1  x\n" },
};

/* Columns that leave, before any name is cut: the first of them first. */
static void columns_leave(void **state)
{
    static const struct jr_column leaving[] = {
        { "NAME", false, true, 0 }, { "SECOND", true, false, 2 }, { "KEPT", true, false, 0 },
        { "FIRST", false, false, 1 },
    };
    static const struct {
        int width;
        const char *want;
    } widths[] = {
        { 0, "NAME           SECOND  KEPT  FIRST\na longer name       1     2  3\n" },
        { 34, "NAME           SECOND  KEPT  FIRST\na longer name       1     2  3\n" },
        { 33, "NAME           SECOND  KEPT\na longer name       1     2\n" },
        { 26, "NAME           KEPT\na longer name     2\n" },
        { 18, "NAME          KEPT\na longer na" DOTS "     2\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(widths); i++) {
        static const char *const cells[] = { "a longer name", "1", "2", "3", NULL };
        char *text = written_in(leaving, COUNT(leaving), widths[i].width, cells);

        assert_string_equal(text, widths[i].want);
        free(text);
    }
}

/* Names that are cut a little, then columns that leave, and what is won by that. */
static void names_give_way_before(void **state)
{
    static const struct jr_column giving[] = {
        { "NAME", false, 10, 0 }, { "SECOND", true, false, 2 }, { "OTHER", false, true, 0 },
        { "FIRST", false, false, 1 },
    };
    static const struct {
        int width;
        const char *want;
    } widths[] = {
        { 0, "NAME           SECOND  OTHER        FIRST\na longer name       1  other names  3\n" },
        { 38, "NAME        SECOND  OTHER        FIRST\na longer " DOTS "       1  other names  3\n" },
        { 37, "NAME           SECOND  OTHER\na longer name       1  other names\n" },
        { 32, "NAME         SECOND  OTHER\na longer n" DOTS "       1  other names\n" },
        { 30, "NAME           OTHER\na longer name  other names\n" },
        { 21, "NAME       OTHER\na longer" DOTS "  other nam" DOTS "\n" },
        { 18, "NAME      OTHER\na longe" DOTS "  other n" DOTS "\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(widths); i++) {
        static const char *const cells[] = { "a longer name", "1", "other names", "3", NULL };
        char *text = written_in(giving, COUNT(giving), widths[i].width, cells);

        assert_string_equal(text, widths[i].want);
        free(text);
    }
}

static void grid_is_written(void **state)
{
    const struct grid_row *row = *state;
    char *text = written(row->width, row->cells);

    assert_string_equal(text, row->want);
    free(text);
}

/* An emoji that is newer than libc takes two columns; what is not shown is told from text. */
static void cells_are_cleaned(void **state)
{
    static const char *const cells[] = {
        "a\x1b[31m", "1", "x", "\xe2\x80\xae" "b\xe2\x80\x8b", "2", "y",
        "\xf0\x9f\xab\xa9" "c", "3", "z", NULL,
    };
    char *text = written(0, cells);

    (void)state;
    assert_string_equal(text, "NAME    N  WHAT\na" FFFD "[31m  1  x\n" FFFD "b" FFFD "     2  y\n"
                              "\xf0\x9f\xab\xa9" "c     3  z\n");
    free(text);
}

/* Colours take no room, a cell that is cut has one too, and nobody brings another one. */
static void cells_have_colors(void **state)
{
    struct jr_grid grid;
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    (void)state;
    jr_grid_init(&grid, columns, COUNT(columns));
    grid.color = true;
    jr_grid_add(&grid, "a very long name");
    jr_grid_tint(&grid, JR_MOOD_BAD);
    jr_grid_add(&grid, "1");
    jr_grid_tint(&grid, JR_MOOD_GOOD);
    jr_grid_add(&grid, "a\x1b[31m");
    assert_int_equal(jr_grid_write(&grid, stream, 20), JR_OK);
    fclose(stream);
    jr_grid_release(&grid);
    assert_string_equal(text, "NAME       N  WHAT\n"
                              "\x1b[31ma very l" DOTS "\x1b[0m  \x1b[32m1\x1b[0m  a" FFFD "[31m\n");
    free(text);
}

static void many_rows_and_long_cells(void **state)
{
    struct jr_grid grid;
    char *text = NULL, *huge = malloc(100000);
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    (void)state;
    memset(huge, 'x', 99999);
    huge[99999] = '\0';
    jr_grid_init(&grid, columns, COUNT(columns));
    for (int i = 0; i < 1000; i++) {
        jr_grid_addf(&grid, "%d", i);
        jr_grid_addf(&grid, "%s", i == 7 ? huge : "");
        jr_grid_add(&grid, NULL);
    }
    assert_int_equal(jr_grid_write(&grid, stream, 0), JR_OK);
    fclose(stream);
    jr_grid_release(&grid);
    assert_contains(text, "\n999 ");
    free(text);
    free(huge);
}

int main(void)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    TABLE(grids, grid_is_written);
    TEST(columns_leave);
    TEST(names_give_way_before);
    TEST(cells_are_cleaned);
    TEST(cells_have_colors);
    TEST(many_rows_and_long_cells);
    return run_program("grid");
}
