/*
 * show -- which characters are shown, here and by all who write text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/emit.h"
#include "fcgi/tool/grid.h"
#include "lib/base/buffer.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/format/html.h"
#include "t/unit/support.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FFFD JR_SHOW_INSTEAD
#define NIHON "\xe6\x97\xa5\xe6\x9c\xac"

/* A character by its number, in UTF-8. */
static const char *character(uint32_t code, char bytes[5])
{
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    bytes[0] = (char)(length == 1 ? code : (0xf00u >> length & 0xff) | code >> (6 * (length - 1)));
    for (size_t i = 1; i < length; i++)
        bytes[i] = (char)(0x80 | (code >> (6 * (length - 1 - i)) & 0x3f));
    bytes[length] = '\0';
    return bytes;
}

static const struct code_row {
    const char *name;
    uint32_t first, last;
    bool shown;
} codes[] = {
    { "C0", 0x0000, 0x001f, false }, { "ASCII", 0x0020, 0x007e, true },
    { "delete and C1", 0x007f, 0x009f, false }, { "Latin", 0x00a0, 0x00ac, true },
    { "soft hyphen", 0x00ad, 0x00ad, false }, { "letters and accents", 0x00ae, 0x034e, true },
    { "grapheme joiner", 0x034f, 0x034f, false }, { "Arabic letter mark", 0x061c, 0x061c, false },
    { "Hebrew, Arabic", 0x05d0, 0x05ea, true }, { "Hangul fillers", 0x115f, 0x1160, false },
    { "Mongolian selectors", 0x180b, 0x180f, false }, { "no room", 0x200b, 0x200f, false },
    { "dashes and quotes", 0x2010, 0x2027, true }, { "separators, embeddings", 0x2028, 0x202e, false },
    { "marks", 0x202f, 0x205f, true }, { "word joiner, isolates", 0x2060, 0x206f, false },
    { "euro and so on", 0x2070, 0x2bff, true }, { "Japanese", 0x3041, 0x3096, true },
    { "Hangul filler", 0x3164, 0x3164, false }, { "Chinese", 0x4e00, 0x9fff, true },
    { "no characters", 0xfdd0, 0xfdef, false }, { "selectors", 0xfe00, 0xfe0d, false },
    { "selectors of emoji", 0xfe0e, 0xfe0f, true }, { "byte order mark", 0xfeff, 0xfeff, false },
    { "half-width filler", 0xffa0, 0xffa0, false }, { "annotations", 0xfff9, 0xfffb, false },
    { "replacement", 0xfffd, 0xfffd, true }, { "none at all", 0xfffe, 0xffff, false },
    { "emoji", 0x1f300, 0x1faff, true }, { "end of a plane", 0x1fffe, 0x1ffff, false },
    { "shorthand", 0x1bca0, 0x1bca3, false }, { "music", 0x1d173, 0x1d17a, false },
    { "tags and selectors", 0xe0000, 0xe0fff, false }, { "the last ones", 0x10fffe, 0x10ffff, false },
};

static void code_is_shown(void **state)
{
    const struct code_row *row = *state;
    char bytes[5];

    for (uint32_t code = row->first; code <= row->last; code++) {
        const char *text = character(code, bytes);
        size_t length = code == 0 ? 1 : strlen(text);

        assert_int_equal(jr_show_code(text, length), code);
        assert_int_equal(jr_show_length(text, JR_SHOW_PLAIN), row->shown ? length : 0);
    }
}

static void joiners_only_in_pages(void **state)
{
    (void)state;
    assert_int_equal(jr_show_length("\xe2\x80\x8c", JR_SHOW_PAGE), 3);
    assert_int_equal(jr_show_length("\xe2\x80\x8d", JR_SHOW_PAGE), 3);
    assert_int_equal(jr_show_length("\xe2\x80\x8b", JR_SHOW_PAGE), 0);
    assert_int_equal(jr_show_length("\xe2\x80\xae", JR_SHOW_PAGE), 0);
}

static const struct clean_row {
    const char *name, *text, *want;
} texts[] = {
    { "plain", "a b", "a b" },
    { "UTF-8", "\xc3\xa4 " NIHON " \xf0\x9f\x8c\x99", "\xc3\xa4 " NIHON " \xf0\x9f\x8c\x99" },
    { "control characters", "a\x1b[31m\n\t\x7f", "a" FFFD "[31m" FFFD FFFD FFFD },
    { "C1 control characters", "\xc2\x9b" "1m", FFFD "1m" },
    { "bytes that are no UTF-8", "a\xff\xc3(\xe6\x97", "a" FFFD FFFD "(" FFFD FFFD },
    { "right to left override", "a\xe2\x80\xae" "b\xe2\x81\xa6", "a" FFFD "b" FFFD },
    { "no room", "ad\xe2\x80\x8dmin\xef\xbb\xbf", "ad" FFFD "min" FFFD },
};

static void text_is_cleaned(void **state)
{
    const struct clean_row *row = *state;
    char copy[TEXT_SIZE], again[TEXT_SIZE];

    jr_show_clean(copy, sizeof copy, row->text);
    assert_string_equal(copy, row->want);
    jr_show_clean(again, sizeof again, copy);
    assert_string_equal(again, row->want);
}

static void cleaning_keeps_whole_characters(void **state)
{
    char copy[5];

    (void)state;
    jr_show_clean(copy, sizeof copy, "abc" NIHON);
    assert_string_equal(copy, "abc");
    jr_show_clean(copy, sizeof copy, "abc\xff");
    assert_string_equal(copy, "abc");
    jr_show_clean(copy, sizeof copy, "abcd");
    assert_string_equal(copy, "abcd");
}

/* All who write text, by the name of what they write. */
static char *as_json(const char *text)
{
    struct jr_emit emit;
    char *bytes = NULL;
    size_t size;
    FILE *stream = open_memstream(&bytes, &size);

    jr_emit_init(&emit, stream);
    jr_emit_text(&emit, NULL, text);
    fclose(stream);
    return bytes;
}

static char *as_table(const char *text)
{
    static const struct jr_column column = { .title = "X" };
    struct jr_grid grid;
    char *bytes = NULL;
    size_t size;
    FILE *stream = open_memstream(&bytes, &size);

    jr_grid_init(&grid, &column, 1);
    jr_grid_add(&grid, text);
    assert_int_equal(jr_grid_write(&grid, stream, 0), JR_OK);
    jr_grid_release(&grid);
    fclose(stream);
    return bytes;
}

static char *as_page(const char *text)
{
    struct jr_buffer buffer;
    char *bytes;

    jr_buffer_init(&buffer, TEXT_SIZE);
    jr_html_text(&buffer, text);
    bytes = strdup(buffer.bytes);
    jr_buffer_release(&buffer);
    return bytes;
}

static char *as_line(const char *text)
{
    struct jr_line line;

    jr_line_begin(&line, JR_LOG_ERROR, "x");
    jr_line_text(&line, "y", text);
    line.text[line.length] = '\0';
    return strdup(line.text);
}

static char *as_setting(const char *text)
{
    struct jr_settings settings = { 0 };
    char bytes[TEXT_SIZE];
    size_t row = 0;

    while (strcmp(jr_settings_name(row), "REPO_BRANCHES") != 0)
        row++;
    assert_int_equal(jr_list_parse(&settings.repo_branches, text), JR_OK);
    jr_settings_show(&settings, row, bytes, sizeof bytes);
    jr_settings_release(&settings);
    return strdup(bytes);
}

static const struct writer_row {
    const char *name;
    char *(*write)(const char *text);
} writers[] = {
    { "JSON", as_json }, { "a table", as_table }, { "a page", as_page }, { "the log", as_line },
    { "a setting", as_setting },
};

/* Whoever writes them: none of those that are not shown comes out, all others do. */
static void nobody_shows_them(void **state)
{
    const struct writer_row *row = *state;

    for (size_t i = 0; i < COUNT(codes); i++) {
        char bytes[5], text[16], *written;
        /* Of a long range the ends are enough; a NUL ends a text. */
        const uint32_t ends[] = { codes[i].first == 0 ? 1 : codes[i].first, codes[i].last };

        for (size_t end = 0; end < COUNT(ends); end++) {
            bool plain = ends[end] > ' ' && ends[end] < 0x7f;

            snprintf(text, sizeof text, "a%sz", character(ends[end], bytes));
            written = row->write(text);
            if (!plain && ends[end] != ' ' && (strstr(written, bytes) != NULL) != codes[i].shown
                && !(ends[end] == '\n' && row->write == as_table))
                fail_msg("U+%04X: '%s'", (unsigned)ends[end], written);
            free(written);
        }
    }
}

int main(void)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    TABLE(codes, code_is_shown);
    TEST(joiners_only_in_pages);
    TABLE(texts, text_is_cleaned);
    TEST(cleaning_keeps_whole_characters);
    TABLE(writers, nobody_shows_them);
    return run_program("show");
}
