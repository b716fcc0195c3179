/*
 * html -- text from outside, made harmless in a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/html.h"
#include "lib/base/show.h"

#include <stdarg.h>
#include <string.h>

static const struct jr_show_mark marks[] = {
    { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" },
    { '\n', " " },    { '\r', " " },   { '\t', " " },   { '\0', NULL },
};
static const struct jr_show_way way = { .joiners = true, .marks = marks };

void jr_html_text(struct jr_buffer *buffer, const char *text)
{
    struct jr_show_part part;

    while (text != NULL && jr_show_next(&way, &text, &part))
        jr_buffer_add_bytes(buffer, part.bytes, part.length);
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
