/*
 * html -- text from outside, made harmless in a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/html.h"
#include "lib/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/* U+FFFD, the replacement character */
#define REPLACEMENT "\xef\xbf\xbd"

/* The number of a character of `length` bytes that is valid UTF-8. */
static uint32_t code_point(const char *text, size_t length)
{
    static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t code = (unsigned char)text[0] & first_bits[length];

    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    return code;
}

/*
 * Control characters; invisible ones that could hide a part of a name, but not
 * the joiners U+200C and U+200D, which scripts and emoji need; line and paragraph
 * separators; marks of direction (Unicode Technical Report 36, 2.10); tags.
 */
static bool is_harmful(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x061c, 0x061c },
        { 0x180e, 0x180e }, { 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e },
        { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xfffe, 0xffff },
        { 0xe0000, 0xe007f },
    };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

static const char *reference(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
    case '\r':
    case '\t':
        return " ";
    default:
        return NULL;
    }
}

void jr_html_text(struct jr_buffer *buffer, const char *text)
{
    while (text != NULL && *text != '\0') {
        const char *instead = reference(*text);
        size_t length = jr_text_utf8_length(text);

        if (instead == NULL && (length == 0 || is_harmful(code_point(text, length))))
            instead = REPLACEMENT;
        if (instead != NULL)
            jr_buffer_add(buffer, instead);
        else
            jr_buffer_add_bytes(buffer, text, length);
        text += length == 0 ? 1 : length;
    }
}

/* Each specification is handed to printf(3) as it stands, with a value of its type. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

void jr_html(struct jr_buffer *buffer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    while (*format != '\0') {
        size_t plain = strcspn(format, "%"), length;
        char spec[16] = "";

        jr_buffer_add_bytes(buffer, format, plain);
        format += plain;
        if (*format == '\0')
            break;
        length = strcspn(format + 1, "%sdufx") + 2;
        if (length >= sizeof spec || format[length - 1] == '\0') {
            buffer->ok = false;
            break;
        }
        memcpy(spec, format, length);
        format += length;
        if (strcmp(spec, "%s") == 0)
            jr_html_text(buffer, va_arg(args, const char *));
        else if (strcmp(spec, "%%") == 0)
            jr_buffer_add(buffer, "%");
        else if (spec[length - 1] == 'f')
            jr_buffer_print(buffer, spec, va_arg(args, double));
        else if (strstr(spec, "llu") != NULL)
            jr_buffer_print(buffer, spec, va_arg(args, unsigned long long));
        else if (strstr(spec, "zu") != NULL)
            jr_buffer_print(buffer, spec, va_arg(args, size_t));
        else if (spec[length - 1] == 'd')
            jr_buffer_print(buffer, spec, va_arg(args, int));
        else if (spec[length - 1] == 'u')
            jr_buffer_print(buffer, spec, va_arg(args, unsigned));
        else {
            buffer->ok = false;
            break;
        }
    }
    va_end(args);
}

#pragma GCC diagnostic pop
