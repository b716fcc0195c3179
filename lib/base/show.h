/*
 * show -- which characters of a text are shown to people: in the log, on a terminal, in JSON
 * that may be read on one, in a page. What comes from outside (names of workflows, branches,
 * jobs, and what GitHub says) may hold characters that do something to who reads it.
 *
 * Not shown are bytes that are no UTF-8; control characters; those that turn the direction of
 * writing, so that a name could look like another one; those that take no room, behind which
 * a part of a name could hide; and those that are none or that no text needs. How a text is
 * written in which there is one (escaped, or U+FFFD in its place) is up to the writer.
 * Source: Unicode Technical Report 36, 2.10; Unicode's DerivedCoreProperties,
 * Default_Ignorable_Code_Point.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SHOW_H
#define JR_SHOW_H

#include <stddef.h>
#include <stdint.h>

/* What stands where a character is not shown: U+FFFD, the replacement character. */
#define JR_SHOW_INSTEAD "\xef\xbf\xbd"

enum jr_show {
    JR_SHOW_PLAIN, /* terminals, the log, JSON */
    /* Also the joiners U+200C and U+200D, which a browser draws right: some scripts need them,
     * and emoji that are made of several. */
    JR_SHOW_PAGE
};

/*
 * The length in bytes of the character that text begins with, if it is shown; else 0: also at
 * the end of the text.
 */
size_t jr_show_length(const char *text, enum jr_show where);

/* The number of a character that is `length` bytes of valid UTF-8, as jr_text_utf8_length() says. */
uint32_t jr_show_code(const char *text, size_t length);

/*
 * Copy a text as it is shown, with U+FFFD in the place of what is not; cut at a character when
 * there is no room for all of it. Done twice, it comes out the same.
 *   size  of copy, at least 1
 */
void jr_show_clean(char *copy, size_t size, const char *text);

#endif
