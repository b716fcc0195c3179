/*
 * logline -- values of any bytes in a line of the log: it stays one line of
 * printable text, and each value can be read back from it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "t/fuzz/fuzz.h"

/* No control character, no half character, wherever it was cut. */
static void holds_printable(const struct jr_line *line)
{
    char text[JR_LINE_MOST + 1];
    size_t length;

    HOLDS(line->length < sizeof line->text);
    memcpy(text, line->text, line->length);
    text[line->length] = '\0';
    for (const char *at = text; *at != '\0'; at += length) {
        length = jr_text_utf8_length(at);
        HOLDS((unsigned char)*at >= ' ' && *at != 0x7f);
        HOLDS((unsigned char)*at != 0xc2 || (unsigned char)at[1] >= 0xa0);
        HOLDS(length > 0);
    }
    HOLDS(strlen(text) == line->length);
}

static int hex_digit(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* Read a value from the line, as people and programs do; returns what stands behind it. */
static const char *read_value(const char *at, char *value)
{
    if (*at != '"') {
        while (*at != ' ' && *at != '\0') {
            HOLDS(*at != '"' && *at != '=' && *at != '\\');
            *value++ = *at++;
        }
        *value = '\0';
        return at;
    }
    for (at++; *at != '"'; at++) {
        HOLDS(*at != '\0');
        if (*at != '\\') {
            *value++ = *at;
        } else if (at[1] == 'x') {
            HOLDS(strspn(at + 2, "0123456789abcdef") >= 2);
            *value++ = (char)(hex_digit(at[2]) << 4 | hex_digit(at[3]));
            at += 3;
        } else {
            HOLDS(at[1] == '"' || at[1] == '\\');
            *value++ = *++at;
        }
    }
    *value = '\0';
    return at + 1;
}

/* What stands for key=, and the value; returns what stands behind it. */
static const char *holds_value(const char *at, const char *key, const char *value)
{
    char read[JR_LINE_MOST];

    if (*value == '\0')
        return at;
    HOLDS(*at == ' ' && strncmp(at + 1, key, strlen(key)) == 0 && at[1 + strlen(key)] == '=');
    at = read_value(at + 2 + strlen(key), read);
    HOLDS(strcmp(read, value) == 0);
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    char *first = take_until(&input, '\0', NULL), *second = take_until(&input, '\0', NULL);
    struct jr_line line;
    const char *at;

    jr_line_begin(&line, JR_LOG_ERROR, "event");
    jr_line_text(&line, "one", first);
    jr_line_number(&line, "n", size);
    jr_line_text(&line, "two", second);
    holds_printable(&line);
    if (!line.full) {
        char number[24];

        snprintf(number, sizeof number, "%zu", size);
        line.text[line.length] = '\0';
        at = strstr(line.text, " event");
        HOLDS(at != NULL);
        at = holds_value(at + strlen(" event"), "one", first);
        at = holds_value(at, "n", number);
        at = holds_value(at, "two", second);
        HOLDS(*at == '\0');
    }
    free(first);
    free(second);
    return 0;
}
