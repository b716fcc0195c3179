/*
 * html -- text from outside, made harmless in a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HTML_H
#define JR_HTML_H

#include "lib/base/buffer.h"

/*
 * Add text so that it is only text, between tags and in a quoted attribute:
 * & < > " ' become character references, line feed and tab a blank. What is not shown
 * (show.h) is replaced by U+FFFD.
 *   text  may be NULL: nothing
 */
void jr_html_text(struct jr_buffer *buffer, const char *text);

/*
 * Add markup with values in it, as printf(3) would, but that each %s is added by
 * jr_html_text(). The format itself is markup, and never comes from outside.
 * Only %s, %%, and %d %u %zu %llu with or without a precision or width, and %.Nf.
 */
void jr_html(struct jr_buffer *buffer, const char *format, ...) JR_PRINTF(2, 3);

#endif
