/*
 * markdown -- text from outside, made harmless in GitHub's Markdown.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_MARKDOWN_H
#define JR_MARKDOWN_H

#include "lib/base/buffer.h"

/* No more of a text is shown. */
#define JR_MARKDOWN_CODE_MAX 1000

/*
 * Add text as a code span of one line, in which nothing has a meaning: no mention, link, number of
 * an issue, markup or formula. The fence is longer than any run of backticks in it. Line feeds
 * and tabs are blanks, what is not shown (show.h) is U+FFFD. A vertical bar, which would end the
 * cell of a table even there, is a broken one (U+00A6), whatever stands before it.
 *   text  may be NULL or blank: nothing is added
 *   most  bytes of it, JR_MARKDOWN_CODE_MAX at most; what is cut ends with an ellipsis
 * Source: GitHub Flavored Markdown Spec, 6.3 "Code spans" and 4.10 "Tables (extension)".
 */
void jr_markdown_code(struct jr_buffer *buffer, const char *text, size_t most);

#endif
