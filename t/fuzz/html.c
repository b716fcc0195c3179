/*
 * html -- text of any bytes in a page: it stays text, and none of it is lost.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/format/html.h"
#include "t/fuzz/fuzz.h"

static const struct {
    const char *reference;
    char byte;
} references[] = {
    { "&amp;", '&' },
    { "&lt;", '<' },
    { "&gt;", '>' },
    { "&quot;", '"' },
    { "&#39;", '\'' },
};

/* The byte that a reference stands for, and its length; 0: it is none. */
static char byte_of(const char *at, size_t *length)
{
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        *length = strlen(references[i].reference);
        if (strncmp(at, references[i].reference, *length) == 0)
            return references[i].byte;
    }
    return '\0';
}

/* Read the page as a browser would: each of its characters is the text's, a blank or U+FFFD. */
static void holds_markup(const char *page, const char *text)
{
    while (*page != '\0') {
        size_t page_length = jr_text_utf8_length(page), length = jr_text_utf8_length(text);
        char byte = '\0';

        HOLDS(page_length > 0);
        HOLDS((unsigned char)*page >= ' ' && strchr("<>\"'\x7f", *page) == NULL);
        HOLDS(*text != '\0');
        if (*page == '&') {
            byte = byte_of(page, &page_length);
            HOLDS(byte != '\0' && *text == byte);
        } else if (strncmp(page, "\xef\xbf\xbd", 3) == 0) {
            /* It stands for whatever was there: no plain character. */
            HOLDS(length != 1 || (unsigned char)*text < ' ' || *text == 0x7f);
        } else if (*page == ' ') {
            HOLDS(strchr(" \n\r\t", *text) != NULL);
        } else {
            HOLDS(page_length == length && memcmp(page, text, length) == 0);
        }
        page += page_length;
        text += length == 0 ? 1 : length;
    }
    HOLDS(*text == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    size_t most = 16 * (size_t)take_byte(&input), length;
    char *text = take_rest(&input, &length);
    struct jr_buffer whole, within, small;

    jr_buffer_init(&whole, 6 * length + 64);
    jr_html_text(&whole, text);
    HOLDS(whole.ok);
    holds_markup(whole.bytes == NULL ? "" : whole.bytes, text);

    /* The same as a value in markup, between other things. */
    jr_buffer_init(&within, 6 * length + 64);
    jr_html(&within, "<p title=\"%s\">%d%%", text, 7);
    HOLDS(within.ok && within.length == whole.length + 14);
    HOLDS(memcmp(within.bytes, "<p title=\"", 10) == 0);
    HOLDS(whole.length == 0 || memcmp(within.bytes + 10, whole.bytes, whole.length) == 0);
    HOLDS(strcmp(within.bytes + 10 + whole.length, "\">7%") == 0);

    /* A ceiling cuts between characters, and says so. */
    jr_buffer_init(&small, most);
    jr_html_text(&small, text);
    HOLDS(small.ok == (whole.length <= most) && small.length <= most);
    HOLDS(small.length == 0 || memcmp(small.bytes, whole.bytes, small.length) == 0);

    jr_buffer_release(&small);
    jr_buffer_release(&within);
    jr_buffer_release(&whole);
    free(text);
    return 0;
}
