/*
 * tint -- when words are coloured, and how.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/tint.h"
#include "t/unit/support.h"

#include <stdlib.h>

static const struct choice_row {
    const char *name, *choice, *term, *no_color;
    bool terminal, good, want;
} choices[] = {
    { "a terminal", NULL, "xterm", NULL, true, true, true },
    { "a pipe", NULL, "xterm", NULL, false, true, false },
    { "auto is said", "auto", "xterm", NULL, true, true, true },
    { "NO_COLOR", NULL, "xterm", "1", true, true, false },
    { "NO_COLOR, empty", NULL, "xterm", "", true, true, true },
    { "a terminal that has none", NULL, "dumb", NULL, true, true, false },
    { "a terminal that is not told", NULL, NULL, NULL, true, true, false },
    { "never", "never", "xterm", NULL, true, true, false },
    { "always, in a pipe", "always", NULL, NULL, false, true, true },
    { "always goes before NO_COLOR", "always", "dumb", "1", true, true, true },
    { "--color alone", "", "xterm", NULL, false, true, true },
    { "no choice", "sometimes", "xterm", NULL, true, false, false },
};

static void set(const char *name, const char *value)
{
    if (value == NULL)
        assert_int_equal(unsetenv(name), 0);
    else
        assert_int_equal(setenv(name, value, 1), 0);
}

static void color_is_chosen(void **state)
{
    const struct choice_row *row = *state;
    bool color = false;

    set("TERM", row->term);
    set("NO_COLOR", row->no_color);
    assert_int_equal(jr_tint_choose(row->choice, row->terminal, &color), row->good);
    if (row->good)
        assert_int_equal(color, row->want);
}

static void what_has_a_color_loses_it_again(void **state)
{
    (void)state;
    for (enum jr_mood mood = JR_MOOD_CALM; mood <= JR_MOOD_INFO; mood++) {
        assert_string_equal(jr_tint_begin(false, mood), "");
        assert_string_equal(jr_tint_end(false, mood), "");
        assert_string_equal(jr_tint_end(true, mood),
                            *jr_tint_begin(true, mood) == '\0' ? "" : "\x1b[0m");
    }
    assert_string_equal(jr_tint_begin(true, JR_MOOD_BAD), "\x1b[31m");
    assert_string_equal(jr_tint_begin(true, JR_MOOD_CALM), "");
}

static void conclusions(void **state)
{
    (void)state;
    assert_int_equal(jr_tint_conclusion(JR_CONCLUSION_SUCCESS), JR_MOOD_GOOD);
    assert_int_equal(jr_tint_conclusion(JR_CONCLUSION_FAILURE), JR_MOOD_BAD);
    assert_int_equal(jr_tint_conclusion(JR_CONCLUSION_SKIPPED), JR_MOOD_CALM);
    assert_int_equal(jr_tint_conclusion(JR_CONCLUSION_NONE), JR_MOOD_CALM);
}

int main(void)
{
    TABLE(choices, color_is_chosen);
    TEST(what_has_a_color_loses_it_again);
    TEST(conclusions);
    return run_program("tint");
}
