/*
 * markdown -- text from outside in GitHub's Markdown.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/markdown.h"
#include "t/unit/support.h"

#include <string.h>

#define BAD "\xef\xbf\xbd"
#define BAR "\xc2\xa6"
#define CUT "\xe2\x80\xa6"

struct text_row {
    const char *name, *text;
    size_t most;
    const char *want;
};

static void text_is_code(void **state)
{
    const struct text_row *row = *state;
    struct jr_buffer buffer;

    jr_buffer_init(&buffer, TEXT_SIZE);
    jr_markdown_code(&buffer, row->text, row->most);
    assert_true(buffer.ok);
    assert_string_equal(buffer.bytes == NULL ? "" : buffer.bytes, row->want);
    jr_buffer_release(&buffer);
}

static const struct text_row texts[] = {
    { "NULL", NULL, 99, "" },
    { "empty", "", 99, "" },
    { "blanks", " \n\t ", 99, "" },
    { "plain", "make: *** [all] Error 2", 99, "`make: *** [all] Error 2`" },
    { "a person", "@octocat and @octo/team", 99, "`@octocat and @octo/team`" },
    { "a link", "[x](https://example.org) <https://example.org>", 99,
      "`[x](https://example.org) <https://example.org>`" },
    { "an issue", "fixes #1, GH-1, octo/app#1", 99, "`fixes #1, GH-1, octo/app#1`" },
    { "markup", "<img src=x onerror=alert(1)><!-- job-rerunner -->", 99,
      "`<img src=x onerror=alert(1)><!-- job-rerunner -->`" },
    { "a backtick", "a`b", 99, "`` a`b ``" },
    { "backticks at the ends", "`@octocat`", 99, "`` `@octocat` ``" },
    { "nothing but backticks", "```", 99, "```` ``` ````" },
    { "runs of several lengths", "```` `` ```", 99, "````` ```` `` ``` `````" },
    { "a bar", "a|b", 99, "`a" BAR "b`" },
    { "an escaped bar", "a\\|b\\\\|c", 99, "`a\\" BAR "b\\\\" BAR "c`" },
    { "a backslash at the end", "C:\\", 99, "`C:\\`" },
    { "lines", "a\n\n# b\r\n| c |", 99, "`a  # b  " BAR " c " BAR "`" },
    { "colours", "\x1b[31mred", 99, "`" BAD "[31mred`" },
    { "marks of direction", "a\xe2\x80\xae" "b\xe2\x81\xa6", 99, "`a" BAD "b" BAD "`" },
    { "no UTF-8", "a\xff", 99, "`a" BAD "`" },
    { "cut", "abcdef", 3, "`abc" CUT "`" },
    { "cut at a character", "a\xc3\xa9z", 2, "`a" CUT "`" },
    { "whole", "abc", 3, "`abc`" },
};

int main(void)
{
    TABLE(texts, text_is_code);
    return run_program("markdown");
}
