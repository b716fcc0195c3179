/*
 * markdown -- text of any bytes in a code span: nothing of it gets out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/format/markdown.h"
#include "t/fuzz/fuzz.h"

/* The run of backticks at a place. */
static size_t run_at(const char *at)
{
    return strspn(at, "`");
}

/* As who renders it finds the end of a span: the next run of the same length. */
static void ends_early(const char *span)
{
    size_t fence = run_at(span);
    const char *at = span + fence;

    HOLDS(fence > 0);
    while (run_at(at) != fence) {
        HOLDS(*at != '\0');
        at += run_at(at) > 0 ? run_at(at) : 1;
    }
    HOLDS(at[fence] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    size_t most = 1 + 4 * (size_t)take_byte(&input), length;
    char *text = take_rest(&input, &length);
    struct jr_buffer buffer;

    jr_buffer_init(&buffer, 3 * JR_MARKDOWN_CODE_MAX + 64);
    jr_markdown_code(&buffer, text, most);
    HOLDS(buffer.ok);
    if (buffer.length > 0) {
        ends_early(buffer.bytes);
        HOLDS(buffer.length <= 3 * most + 16);
    }
    for (const char *at = buffer.bytes; at != NULL && *at != '\0'; at += jr_text_utf8_length(at)) {
        HOLDS(jr_text_utf8_length(at) > 0);
        HOLDS((unsigned char)*at >= ' ' && *at != 0x7f && *at != '|');
    }
    jr_buffer_release(&buffer);
    free(text);
    return 0;
}
