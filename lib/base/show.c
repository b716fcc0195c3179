/*
 * show -- which characters of a text are shown to people.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/show.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <string.h>

/* In order. */
static const struct range {
    uint32_t first, last;
} not_shown[] = {
    { 0x0000, 0x001f },   /* C0 */
    { 0x007f, 0x009f },   /* delete, C1 */
    { 0x00ad, 0x00ad },   /* soft hyphen */
    { 0x034f, 0x034f },   /* combining grapheme joiner */
    { 0x061c, 0x061c },   /* Arabic letter mark */
    { 0x115f, 0x1160 },   /* Hangul fillers */
    { 0x17b4, 0x17b5 },   /* Khmer vowels without a form */
    { 0x180b, 0x180f },   /* Mongolian selectors and the vowel separator */
    { 0x200b, 0x200f },   /* no room: space, joiners, marks of direction */
    { 0x2028, 0x202e },   /* separators of lines, embeddings and overrides */
    { 0x2060, 0x206f },   /* word joiner, invisible operators, isolates */
    { 0x3164, 0x3164 },   /* Hangul filler */
    { 0xfdd0, 0xfdef },   /* no characters */
    { 0xfe00, 0xfe0d },   /* selectors of form; the two behind them are those of emoji */
    { 0xfeff, 0xfeff },   /* byte order mark */
    { 0xffa0, 0xffa0 },   /* half-width Hangul filler */
    { 0xfff0, 0xfffb },   /* not assigned, annotations */
    { 0xfffe, 0xffff },   /* no characters */
    { 0x1bca0, 0x1bca3 }, /* controls of shorthand */
    { 0x1d173, 0x1d17a }, /* controls of music */
    { 0xe0000, 0xe0fff }, /* tags, more selectors */
};

static bool is_joiner(uint32_t code)
{
    return code == 0x200c || code == 0x200d;
}

static bool is_shown(uint32_t code, enum jr_show where)
{
    size_t low = 0, high = sizeof not_shown / sizeof *not_shown;

    if (code >= ' ' && code < 0x7f)
        return true;
    if (is_joiner(code))
        return where == JR_SHOW_PAGE;
    /* The last two of each plane are no characters. */
    if ((code & 0xfffe) == 0xfffe)
        return false;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (code > not_shown[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low == sizeof not_shown / sizeof *not_shown || code < not_shown[low].first;
}

uint32_t jr_show_code(const char *text, size_t length)
{
    static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t code = (unsigned char)text[0] & first_bits[length];

    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    return code;
}

size_t jr_show_length(const char *text, enum jr_show where)
{
    size_t length = jr_text_utf8_length(text);

    return length > 0 && is_shown(jr_show_code(text, length), where) ? length : 0;
}

void jr_show_clean(char *copy, size_t size, const char *text)
{
    size_t used = 0;

    while (*text != '\0') {
        size_t whole = jr_text_utf8_length(text), shown = jr_show_length(text, JR_SHOW_PLAIN);
        const char *part = shown > 0 ? text : JR_SHOW_INSTEAD;
        size_t length = shown > 0 ? shown : sizeof JR_SHOW_INSTEAD - 1;

        if (used + length >= size)
            break;
        memcpy(copy + used, part, length);
        used += length;
        text += whole > 0 ? whole : 1;
    }
    copy[used] = '\0';
}
