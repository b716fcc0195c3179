/*
 * text -- small things done to strings: bounded copies, lists, wildcards.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Is this a byte inside a UTF-8 character, not its first? */
static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t jr_text_cut(const char *text, size_t most)
{
    while (most > 0 && is_continuation(text[most]))
        most--;
    return most;
}

bool jr_text_copy(char *copy, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    bool whole = length < size;

    if (!whole)
        length = jr_text_cut(text, size - 1);
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return whole;
}

/*
 * The characters of more than one byte, by their first byte: how long they are, and between
 * which bounds the second byte is. The bounds keep out what is longer than it need be,
 * surrogates, and what is beyond U+10FFFF. Source: RFC 3629, 4.
 */
static const struct {
    unsigned char last; /* of the first bytes */
    unsigned char length, least, most;
} sequences[] = {
    { 0xc1, 0, 0, 0 },       { 0xdf, 2, 0x80, 0xbf }, { 0xe0, 3, 0xa0, 0xbf },
    { 0xec, 3, 0x80, 0xbf }, { 0xed, 3, 0x80, 0x9f }, { 0xef, 3, 0x80, 0xbf },
    { 0xf0, 4, 0x90, 0xbf }, { 0xf3, 4, 0x80, 0xbf }, { 0xf4, 4, 0x80, 0x8f },
    { 0xff, 0, 0, 0 },
};

size_t jr_text_utf8_length(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;
    size_t row = 0;

    if (byte[0] < 0x80)
        return 1;
    while (byte[0] > sequences[row].last)
        row++;
    if (byte[1] < sequences[row].least || byte[1] > sequences[row].most)
        return 0;
    for (size_t i = 2; i < sequences[row].length; i++)
        if (!is_continuation(text[i]))
            return 0;
    return sequences[row].length;
}

uint32_t jr_text_utf8_code(const char *text, size_t length)
{
    static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t code = (unsigned char)text[0] & first_bits[length];

    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    return code;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * Only the last `*` is ever gone back to, so the time is bounded by the product
 * of the two lengths whatever the pattern.
 */
bool jr_text_match(const char *pattern, const char *value)
{
    const char *star = NULL, *retry = NULL;

    while (*value != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            retry = value;
        } else if (*pattern == '?') {
            pattern++;
            do
                value++;
            while (is_continuation(*value));
        } else if (same_letter(*pattern, *value)) {
            pattern++;
            value++;
        } else if (star != NULL) {
            pattern = star;
            value = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool is_name_char(char c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || (c != '\0' && strchr(others, c) != NULL);
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool is_same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Row by row of the table of all prefixes' distances; a swap looks two rows back. */
size_t jr_text_distance(const char *a, const char *b)
{
    size_t rows[3][JR_TEXT_WORD_MAX + 1], a_length = strlen(a), b_length = strlen(b);

    if (a_length > JR_TEXT_WORD_MAX || b_length > JR_TEXT_WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least_of(above[j] + 1, row[j - 1] + 1);
            row[j] = least_of(row[j], above[j - 1] + !is_same_letter(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && is_same_letter(a[i - 1], b[j - 2])
                && is_same_letter(a[i - 2], b[j - 1]))
                row[j] = least_of(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

bool jr_text_is_near(const char *a, const char *b)
{
    size_t length = least_of(strlen(a), strlen(b));

    return jr_text_distance(a, b) <= least_of(length / 3, 3);
}

bool jr_text_is_full_name(const char *text)
{
    size_t owner = 0, name = 0;
    const char *start;

    while (is_name_char(text[owner], "-_"))
        owner++;
    if (owner == 0 || owner > 100 || text[owner] != '/')
        return false;
    start = text + owner + 1;
    while (is_name_char(start[name], "-_."))
        name++;
    if (name == 0 || name > 100 || start[name] != '\0')
        return false;
    return strcmp(start, ".") != 0 && strcmp(start, "..") != 0;
}

void jr_text_to_hex(const unsigned char *bytes, size_t size, char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * size] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool jr_text_from_hex(const char *text, unsigned char *bytes, size_t size)
{
    if (strlen(text) != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

const char *jr_text_digits(uint64_t number, char digits[JR_DIGITS_SIZE])
{
    char *first = digits + JR_DIGITS_SIZE - 1;

    *first = '\0';
    do
        *--first = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    return first;
}

enum jr_err jr_list_parse(struct jr_list *list, const char *text)
{
    size_t most = 1;

    memset(list, 0, sizeof *list);
    for (const char *c = text; *c != '\0'; c++)
        most += *c == ',';
    list->items = calloc(most, sizeof *list->items);
    if (list->items == NULL)
        return JR_ENOMEM;
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        const char *next = text[length] == ',' ? text + length + 1 : text + length;

        while (length > 0 && isspace((unsigned char)*text))
            text++, length--;
        while (length > 0 && isspace((unsigned char)text[length - 1]))
            length--;
        if (length > 0) {
            list->items[list->count] = strndup(text, length);
            if (list->items[list->count] == NULL) {
                jr_list_release(list);
                return JR_ENOMEM;
            }
            list->count++;
        }
        text = next;
    }
    return JR_OK;
}

void jr_list_release(struct jr_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    memset(list, 0, sizeof *list);
}

bool jr_list_match(const struct jr_list *list, const char *value)
{
    for (size_t i = 0; i < list->count; i++)
        if (jr_text_match(list->items[i], value))
            return true;
    return false;
}

/* The six bits of a character; -1: it is none of Base64's. */
static int base64_bits(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)(found - digits);
}

char *jr_text_from_base64(const char *text, size_t most, size_t *length)
{
    char *bytes = malloc(strlen(text) / 4 * 3 + 4);
    unsigned long word = 0;
    unsigned held = 0;

    *length = 0;
    for (; bytes != NULL && *text != '\0' && *text != '='; text++) {
        int bits = base64_bits(*text);

        if (isspace((unsigned char)*text))
            continue;
        if (bits < 0)
            break;
        word = (word << 6 | (unsigned long)bits) & 0xffffff;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        bytes[(*length)++] = (char)(word >> held & 0xff);
    }
    if (bytes != NULL && text[strspn(text, "= \t\r\n")] == '\0' && *length <= most && held < 6) {
        bytes[*length] = '\0';
        return bytes;
    }
    free(bytes);
    return NULL;
}
