/*
 * show -- which characters are shown, here and by all who write text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/emit.h"
#include "fcgi/tool/grid.h"
#include "lib/base/buffer.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/format/html.h"
#include "lib/format/json.h"
#include "lib/rules/notice_body.h"
#include "lib/service/metrics.h"
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

/* The joiners are shown in pages alone. */
static bool is_joiner(uint32_t code)
{
    return code == 0x200c || code == 0x200d;
}

static void code_is_shown(void **state)
{
    const struct code_row *row = *state;
    char bytes[5];

    for (uint32_t code = row->first; code <= row->last; code++) {
        const char *text = character(code, bytes);
        size_t length = code == 0 ? 1 : strlen(text);

        assert_int_equal(jr_text_utf8_code(text, length), code);
        if (code != 0)
            assert_int_equal(jr_show_is_fit(text), row->shown || is_joiner(code));
    }
}

static void an_empty_text_is_fit(void **state)
{
    (void)state;
    assert_true(jr_show_is_fit(""));
    assert_true(jr_show_is_fit("a" NIHON));
    assert_false(jr_show_is_fit("a" NIHON "\n"));
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

static char *as_label(const char *text)
{
    struct jr_metrics metrics = { .version = text };
    struct jr_buffer buffer;
    char *bytes;

    jr_buffer_init(&buffer, JR_METRICS_MOST);
    jr_metrics_write(&metrics, &buffer);
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

/* What a program or a person reads on a terminal. */
static char *as_copy(const char *text)
{
    char copy[TEXT_SIZE];

    jr_show_clean(copy, sizeof copy, text);
    return strdup(copy);
}

/* What a chat shows of it. */
static char *as_notice(const char *text)
{
    static const uint64_t counts[JR_NOTICE_KINDS] = { 0 };
    struct jr_notice notice = { .kind = JR_NOTICE_SHUT_OUT };
    const struct jr_notice_told told = {
        .items = &notice, .items_count = 1, .count = 1, .counts = counts, .api_url = "",
        .web_url = "",
    };
    struct jr_buffer buffer;
    struct jr_error error;
    json_object *root;
    char *bytes;

    strcpy(notice.subject, text);
    jr_buffer_init(&buffer, JR_NOTICE_BODY_MAX);
    jr_notice_body_write(JR_NOTICE_JSON, &told, &buffer);
    assert_int_equal(jr_json_parse(buffer.bytes, buffer.length, &root, &error), JR_OK);
    bytes = strdup(json_object_get_string(json_object_object_get(root, "text")));
    json_object_put(root);
    jr_buffer_release(&buffer);
    return bytes;
}

static const struct writer_row {
    const char *name;
    char *(*write)(const char *text);
    enum jr_show_instead instead;
    bool joiners;
    const char *own; /* ASCII characters that it writes in a way of its own */
} writers[] = {
    { "JSON", as_json, JR_SHOW_ESCAPED, false, "\"\\" },
    { "a table", as_table, JR_SHOW_REPLACED, false, "" },
    { "a page", as_page, JR_SHOW_REPLACED, true, "&<>\"'\t\n\r" },
    { "the log", as_line, JR_SHOW_BYTES, false, "\"\\" },
    { "a label of a metric", as_label, JR_SHOW_REPLACED, false, "\\\"\n" },
    { "a setting", as_setting, JR_SHOW_REPLACED, false, "," },
    { "a terminal", as_copy, JR_SHOW_REPLACED, false, "" },
    { "a chat", as_notice, JR_SHOW_REPLACED, true, "&<>@:.]#`*~|\n\r\t" },
};

/* What stands for a character, or for some bytes that are none, worked out anew. */
static void instead_of(enum jr_show_instead instead, uint32_t code, const char *bytes, char *text)
{
    *text = '\0';
    for (size_t i = 0; bytes[i] != '\0' && (i == 0 || code == 0 || instead == JR_SHOW_BYTES); i++) {
        char *end = text + strlen(text);

        if (instead == JR_SHOW_BYTES)
            sprintf(end, "\\x%02x", (unsigned char)bytes[i]);
        else if (instead == JR_SHOW_REPLACED)
            strcpy(end, FFFD);
        else if (code > 0xffff)
            sprintf(end, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)) & 0xffff,
                    (unsigned)(0xdc00 | (code & 0x3ff)));
        else
            sprintf(end, "\\u%04x", (unsigned)(code == 0 ? 0xfffd : code));
    }
}

/* Whoever writes it: between two letters, the bytes of a character (0: of none) become these. */
static void writes(const struct writer_row *row, uint32_t code, const char *bytes, bool shown)
{
    char text[32], instead[64], want[80], *written;

    instead_of(row->instead, code, bytes, instead);
    snprintf(text, sizeof text, "a%sz", bytes);
    snprintf(want, sizeof want, "a%sz", shown ? bytes : instead);
    written = row->write(text);
    if (strstr(written, want) == NULL)
        fail_msg("U+%04X: '%s' has no '%s'", (unsigned)code, written, want);
    free(written);
}

/* None of those that are not shown comes out, all others do. */
static void all_write_alike(void **state)
{
    const struct writer_row *row = *state;

    for (size_t i = 0; i < COUNT(codes); i++) {
        uint32_t first = codes[i].first == 0 ? 1 : codes[i].first; /* a NUL ends a text */

        for (uint32_t code = first; code <= codes[i].last; code++) {
            char bytes[5];

            /* Of a long range the ends are enough. */
            if (code == first + 100 && codes[i].last > first + 200)
                code = codes[i].last - 100;
            if (code > 0x7f || strchr(row->own, (int)code) == NULL)
                writes(row, code, character(code, bytes),
                       codes[i].shown || (row->joiners && is_joiner(code)));
        }
    }
}

static const char *const no_characters[] = {
    "\x80", "\xff", "\xc3", "\xe6\x97", "\xf0\x9f\x8c", /* parts of one */
    "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", /* longer than need be */
    "\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\xbd\xed\xb8\x80", /* halves of UTF-16 */
    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", /* too great */
};

static void all_replace_what_is_none(void **state)
{
    for (size_t i = 0; i < COUNT(no_characters); i++)
        writes(*state, 0, no_characters[i], false);
}

int main(void)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    TABLE(codes, code_is_shown);
    TEST(an_empty_text_is_fit);
    TABLE(texts, text_is_cleaned);
    TEST(cleaning_keeps_whole_characters);
    TABLE(writers, all_write_alike);
    TABLE(writers, all_replace_what_is_none);
    return run_program("show");
}
