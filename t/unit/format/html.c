/*
 * html -- text from outside in a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/html.h"
#include "t/unit/support.h"

#include <string.h>

#define BAD "\xef\xbf\xbd"

struct text_row {
    const char *name, *text, *want;
};

static void text_is_escaped(void **state)
{
    const struct text_row *row = *state;
    struct jr_buffer buffer;

    jr_buffer_init(&buffer, TEXT_SIZE);
    jr_html_text(&buffer, row->text);
    assert_true(buffer.ok);
    assert_string_equal(buffer.bytes == NULL ? "" : buffer.bytes, row->want);
    jr_buffer_release(&buffer);
}

static const struct text_row texts[] = {
    { "NULL", NULL, "" },
    { "empty", "", "" },
    { "plain", "octo/app #1", "octo/app #1" },
    { "a tag", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;" },
    { "quotes", "\"x\" 'y'", "&quot;x&quot; &#39;y&#39;" },
    { "out of an attribute", "\" onload=\"x", "&quot; onload=&quot;x" },
    { "a reference", "&lt;", "&amp;lt;" },
    { "end of a comment", "-->", "--&gt;" },
    { "two to four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
    { "right to left", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d" },
    { "an emoji of several", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb" },
    { "white space", "a\tb\nc\rd", "a b c d" },
    { "a control character", "a\x1b[31mb\x07", "a" BAD "[31mb" BAD },
    { "delete", "\x7f", BAD },
    { "C1", "\xc2\x85\xc2\x9f\xc2\xa0", BAD BAD "\xc2\xa0" },
    { "right-to-left override", "a\xe2\x80\xae" "b", "a" BAD "b" },
    { "the other marks of direction",
      "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad"
      "\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9",
      BAD BAD BAD BAD BAD BAD BAD BAD BAD BAD BAD },
    { "separators", "\xe2\x80\xa8\xe2\x80\xa9", BAD BAD },
    { "invisible ones", "\xe2\x80\x8b\xc2\xad\xef\xbb\xbf\xe2\x81\xa0\xf3\xa0\x81\x81", BAD BAD BAD BAD BAD },
    { "half a character", "a\xe2\x82", "a" BAD BAD },
    { "overlong", "\xc0\xbcscript>", BAD BAD "script&gt;" },
    { "a surrogate", "\xed\xa0\x80", BAD BAD BAD },
    { "beyond Unicode", "\xf4\x90\x80\x80", BAD BAD BAD BAD },
    { "no character at all", "\xef\xbf\xbe\xef\xbf\xbf", BAD BAD },
};

static void values_are_escaped(void **state)
{
    struct jr_buffer buffer;

    (void)state;
    jr_buffer_init(&buffer, TEXT_SIZE);
    jr_html(&buffer, "<b class=\"%s\">%d %u %zu %llu %3d %.1f 100%% %s</b>", "\"<", -5, 7U,
            (size_t)8, 9ULL, 12, 2.25, "a&b");
    assert_true(buffer.ok);
    assert_string_equal(buffer.bytes,
                        "<b class=\"&quot;&lt;\">-5 7 8 9  12 2.2 100% a&amp;b</b>");
    jr_buffer_release(&buffer);
    jr_buffer_init(&buffer, TEXT_SIZE);
    jr_html(&buffer, "nothing to fill in");
    assert_string_equal(buffer.bytes, "nothing to fill in");
    jr_buffer_release(&buffer);
}

static void ceiling_holds(void **state)
{
    struct jr_buffer buffer;

    (void)state;
    jr_buffer_init(&buffer, 20);
    jr_html(&buffer, "<b>%s</b>", "<<<<<<");
    assert_false(buffer.ok);
    assert_true(buffer.length <= 20);
    /* No half of a reference. */
    assert_string_equal(buffer.bytes, "<b>&lt;&lt;&lt;&lt;");
    jr_buffer_release(&buffer);
}

int main(void)
{
    TABLE(texts, text_is_escaped);
    TEST(values_are_escaped);
    TEST(ceiling_holds);
    return run_program("html");
}
