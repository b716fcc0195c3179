/*
 * literals -- no pattern is passed over that could match.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/literals.h"
#include "t/unit/support.h"

#include <string.h>

struct literal_row {
    const char *name, *pattern, *text;
    bool candidate;
};

static void found(void **state)
{
    const struct literal_row *row = *state;
    struct jr_literals *literals = jr_literals_open();
    struct jr_candidates candidates;

    assert_int_equal(jr_literals_add(literals, row->pattern, 77), JR_OK);
    jr_literals_find(literals, row->text, strlen(row->text), &candidates);
    assert_int_equal(jr_candidates_have(&candidates, 77), row->candidate);
    assert_false(jr_candidates_have(&candidates, 76));
    jr_literals_close(literals);
}

static const struct literal_row rows[] = {
    { "a word", "reset by peer", "connection reset by peer", true },
    { "a word that is not there", "reset by peer", "all is well", false },
    { "without case", "ECONNRESET", "read econnReset", true },
    { "one of two", "(timed out|reset)", "was reset", true },
    { "none of two", "(timed out|reset)", "was closed", false },
    { "two branches at the top", "refused|reset", "refused", true },
    { "a branch without a word", "reset|\\d+", "17", true },
    { "a character that may be missing", "colou?r", "color", true },
    { "the rest of it", "colou?r", "cold", false },
    { "a group that may be missing", "(very )?late", "late", true },
    { "a class between", "error[ :]+reset", "error: reset", true },
    { "a class with its end in it", "x[]a]reset", "reset", true },
    { "an escaped point", "example\\.org", "example.org", true },
    { "an escaped point, another text", "example\\.org", "exampleXorg", false },
    { "a look ahead", "foo(?!barbar)", "foo", true },
    { "a look back", "(?<!barbar)foo", "foo", true },
    { "a group without a number", "(?:alpha|beta) gamma", "beta gamma", true },
    { "options", "(?-i:PASS)", "PASS", true },
    { "a count", "ab{2}c", "abbc", true },
    { "a count from 0", "longword(xyz){0,3}", "longword", true },
    { "too short for a word", "ab", "ab", true },
    { "what is not understood", "a{x}", "a{x}", true },
    { "a verb", "(*COMMIT)reset", "reset", true },
    { "at the end of the text", "peer", "reset by peer", true },
    { "an empty text", "peer", "", false },
    { "a long word", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
      "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", true },
};

/* What is left of a pattern whose words do not stand in the text. */
static const struct split_row {
    const char *name, *pattern, *bare;
    bool always; /* it is a candidate for any text, and nothing is left */
} split_rows[] = {
    { "all branches have a word", "reset|refused", "", false },
    { "one has none", "reset|\\d+x|refused", "\\d+x", false },
    { "two have none", "^ok\\b|reset|^\\[ +\\d+ +\\]", "^ok\\b|^\\[ +\\d+ +\\]", false },
    { "none has one", "\\d+|[ab]", "", true },
    { "a bar in a group", "(a|reset) now!|\\d", "\\d", false },
    { "a bar in a class", "[a|b]|reset", "[a|b]", false },
    { "an escaped bar", "\\d\\|\\d|reset", "\\d\\|\\d", false },
    { "groups that are harmless", "(?:x|y)(?=z)(?!a)(?<=b)(?<!c)(?-i:d)|reset", "(?:x|y)(?=z)(?!a)(?<=b)(?<!c)(?-i:d)", false },
    { "an empty branch", "reset||\\d", "", true },
    { "an option until the end", "(?i)\\d|reset", "", true },
    { "an option in the middle", "reset|(?-i)\\d|X", "", true },
    { "a name", "(?<n>\\d)|reset", "", true },
    { "a reference", "\\d\\1|reset", "", true },
    { "a quotation", "\\Qa|b\\E|reset", "", true },
    { "a verb", "(*COMMIT)\\d|reset", "", true },
    { "a class by name", "[[:alpha:]|]|reset", "", true },
    { "what is not understood", "a{x}|reset", "", true },
};

static void split(void **state)
{
    const struct split_row *row = *state;
    struct jr_literals *literals = jr_literals_open();
    struct jr_candidates candidates;
    char bare[200];

    assert_int_equal(jr_literals_split(literals, row->pattern, 77, bare, sizeof bare), JR_OK);
    assert_string_equal(bare, row->bare);
    jr_literals_find(literals, "17", 2, &candidates);
    assert_int_equal(jr_candidates_have(&candidates, 77), row->always);
    jr_literals_find(literals, "was reset now!", 14, &candidates);
    assert_true(jr_candidates_have(&candidates, 77) || row->always);
    jr_literals_close(literals);
}

int main(void)
{
    TABLE(rows, found);
    TABLE(split_rows, split);
    return run_program("literals");
}
