/*
 * markdown -- text from outside, made harmless in GitHub's Markdown.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/markdown.h"
#include "lib/base/show.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

static const struct jr_show_mark marks[] = {
    { '|', "\xc2\xa6" }, { '\n', " " }, { '\r', " " }, { '\t', " " }, { '\0', NULL },
};

/* Copy as much as fits. Returns whether that was all. */
static bool copy_shown(char *line, size_t most, const char *text)
{
    static const struct jr_show_way way = { .instead = JR_SHOW_REPLACED, .marks = marks };
    struct jr_show_part part;
    size_t used = 0, length;
    bool fits = true;

    while (fits && jr_show_next(&way, &text, &part)) {
        length = part.length;
        fits = used + length <= most;
        if (!fits)
            length = part.is_text ? jr_text_cut(part.bytes, most - used) : 0;
        memcpy(line + used, part.bytes, length);
        used += length;
    }
    line[used] = '\0';
    return fits;
}

/* The longest run of backticks. */
static size_t longest_run(const char *line)
{
    size_t longest = 0, run = 0;

    for (; *line != '\0'; line++) {
        run = *line == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void add_fence(struct jr_buffer *buffer, size_t length)
{
    while (length-- > 0)
        jr_buffer_add(buffer, "`");
}

void jr_markdown_code(struct jr_buffer *buffer, const char *text, size_t most)
{
    char line[JR_MARKDOWN_CODE_MAX + 1];
    size_t length, fence;
    bool whole;

    if (text == NULL)
        return;
    text += strspn(text, " \t\r\n");
    whole = copy_shown(line, most < JR_MARKDOWN_CODE_MAX ? most : JR_MARKDOWN_CODE_MAX, text);
    length = strlen(line);
    while (length > 0 && line[length - 1] == ' ')
        line[--length] = '\0';
    if (length == 0)
        return;
    fence = longest_run(line) + 1;
    add_fence(buffer, fence);
    /* One blank at each end is the fence's, where a backtick stands next to it. */
    jr_buffer_add(buffer, fence > 1 ? " " : "");
    jr_buffer_add(buffer, line);
    jr_buffer_add(buffer, whole ? "" : ELLIPSIS);
    jr_buffer_add(buffer, fence > 1 ? " " : "");
    add_fence(buffer, fence);
}
