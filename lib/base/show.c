/*
 * show -- which characters of a text are shown to people.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/show.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

#define REPLACEMENT 0xfffd

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

static bool is_shown(const struct jr_show_way *way, uint32_t code)
{
    size_t low = 0, high = sizeof not_shown / sizeof *not_shown;

    if (is_joiner(code))
        return way->joiners;
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

/* How a character with a meaning of its own is written; NULL: it has none. */
static const char *find_mark(const struct jr_show_way *way, char c)
{
    for (const struct jr_show_mark *mark = way->marks; mark != NULL && mark->mark != '\0'; mark++)
        if (mark->mark == c)
            return mark->written;
    return NULL;
}

/* Most of a name, in every way of writing; the log of each webhook goes through here. */
static bool is_harmless(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '-' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The length of a character that is written as it is; 0: it is not. */
static size_t length_as_it_is(const struct jr_show_way *way, const char *text)
{
    size_t length;

    if ((unsigned char)*text < 0x80)
        return *text >= ' ' && *text < 0x7f && find_mark(way, *text) == NULL;
    length = jr_text_utf8_length(text);
    return length > 0 && is_shown(way, jr_text_utf8_code(text, length)) ? length : 0;
}

/* RFC 8259, 7: what is beyond 16 bits as the two halves that UTF-16 has for it. */
static void escape(uint32_t code, char made[JR_SHOW_MADE_SIZE])
{
    if (code > 0xffff)
        snprintf(made, JR_SHOW_MADE_SIZE, "\\u%04x\\u%04x",
                 (unsigned)(0xd800 + ((code - 0x10000) >> 10)) & 0xffff,
                 (unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
    else
        snprintf(made, JR_SHOW_MADE_SIZE, "\\u%04x", (unsigned)code);
}

static void write_bytes(const char *text, size_t length, char made[JR_SHOW_MADE_SIZE])
{
    for (size_t i = 0; i < length; i++)
        snprintf(made + 4 * i, JR_SHOW_MADE_SIZE - 4 * i, "\\x%02x", (unsigned char)text[i]);
}

/* What stands for a character that is not shown, or for a byte that is none (length 0). */
static const char *make(enum jr_show_instead instead, const char *text, size_t length,
                        char made[JR_SHOW_MADE_SIZE])
{
    switch (instead) {
    case JR_SHOW_ESCAPED:
        escape(length > 0 ? jr_text_utf8_code(text, length) : REPLACEMENT, made);
        return made;
    case JR_SHOW_BYTES:
        write_bytes(text, length > 0 ? length : 1, made);
        return made;
    case JR_SHOW_REPLACED:
    default:
        return JR_SHOW_INSTEAD;
    }
}

bool jr_show_next(const struct jr_show_way *way, const char **text, struct jr_show_part *part)
{
    const char *begin = *text, *at = begin;
    size_t length;

    if (*begin == '\0')
        return false;
    do {
        while (is_harmless(*at))
            at++;
        length = length_as_it_is(way, at);
        at += length;
    } while (length > 0);
    part->bytes = begin;
    part->is_text = at > begin;
    if (!part->is_text) {
        part->bytes = find_mark(way, *at);
        length = jr_text_utf8_length(at);
        if (part->bytes == NULL)
            part->bytes = make(way->instead, at, length, part->made);
        at += length > 0 ? length : 1;
    }
    part->length = part->is_text ? (size_t)(at - begin) : strlen(part->bytes);
    *text = at;
    return true;
}

void jr_show_clean(char *copy, size_t size, const char *text)
{
    static const struct jr_show_way way = { .instead = JR_SHOW_REPLACED };
    struct jr_show_part part;
    size_t used = 0, length;

    while (jr_show_next(&way, &text, &part)) {
        length = part.length;
        if (used + length >= size)
            length = part.is_text ? jr_text_cut(part.bytes, size - 1 - used) : 0;
        memcpy(copy + used, part.bytes, length);
        used += length;
        if (length < part.length)
            break;
    }
    copy[used] = '\0';
}

bool jr_show_is_fit(const char *text)
{
    static const struct jr_show_way way = { .joiners = true };
    struct jr_show_part part;

    return !jr_show_next(&way, &text, &part) || (part.is_text && *text == '\0');
}
