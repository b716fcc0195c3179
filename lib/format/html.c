/*
 * html -- text from outside, made harmless in a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/html.h"
#include "lib/base/show.h"
#include "lib/base/text.h"

#include <stdarg.h>
#include <string.h>

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

        if (instead == NULL && jr_show_length(text, JR_SHOW_PAGE) == 0)
            instead = JR_SHOW_INSTEAD;
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
