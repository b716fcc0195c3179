/*
 * verb -- commands among all that people write.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/verb.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

struct verb_row {
    const char *name, *text;
    enum jr_verb want;
};

static void verb_is_found(void **state)
{
    const struct verb_row *row = *state;
    size_t length = strlen(row->text);
    char *text = malloc(length + 1);

    /* No byte behind it may be read. */
    assert_non_null(text);
    memcpy(text, row->text, length);
    assert_string_equal(jr_verb_name(jr_verb_find(text, length)), jr_verb_name(row->want));
    free(text);
}

#define NONE  JR_VERB_NONE
#define RERUN JR_VERB_RERUN

static const struct verb_row verbs[] = {
    { "failed jobs", "/rerun", RERUN },
    { "all", "/rerun all", JR_VERB_ALL },
    { "stop", "/rerun stop", JR_VERB_STOP },
    { "why", "/rerun why", JR_VERB_WHY },
    { "blanks around it", " \t/rerun all \t", NONE },
    { "some blanks around it", "   /rerun all \t ", JR_VERB_ALL },
    { "lines", "Flaky again,\n\n/rerun\nthank you", RERUN },
    { "lines as GitHub sends them", "Flaky again,\r\n/rerun\r\n\r\n", RERUN },
    { "lines of an old Mac", "Flaky\r/rerun\rthanks", RERUN },
    { "the first of some", "/rerun why\n/rerun all", JR_VERB_WHY },
    { "after what is none", "/rerun now\n/rerun all", JR_VERB_ALL },
    { "behind a quotation", "> does it work?\n/rerun", RERUN },

    { "nothing", "", NONE },
    { "blanks", " \n\t\n", NONE },
    { "text before it", "please /rerun", NONE },
    { "text behind it", "/rerun please", NONE },
    { "a full stop", "/rerun.", NONE },
    { "a longer word", "/rerunner", NONE },
    { "a shorter word", "/reru", NONE },
    { "without the slash", "rerun", NONE },
    { "two slashes", "//rerun", NONE },
    { "capitals", "/Rerun", NONE },
    { "two blanks between", "/rerun  all", NONE },
    { "a tab between", "/rerun\tall", NONE },
    { "two words", "/rerun all stop", NONE },
    { "quoted", "> /rerun", NONE },
    { "quoted twice", ">> /rerun", NONE },
    { "quoted without a blank", ">/rerun", NONE },
    { "in a list", "- /rerun", NONE },
    { "code in a line", "`/rerun`", NONE },
    { "bold", "**/rerun**", NONE },
    { "a link", "[/rerun](https://example.org)", NONE },

    { "a fence", "```\n/rerun\n```", NONE },
    { "behind a fence", "```\nx\n```\n/rerun", RERUN },
    { "a fence with a language", "```sh\n/rerun\n```\n", NONE },
    { "a fence of tildes", "~~~\n/rerun\n~~~", NONE },
    { "a fence that is not closed", "```\n/rerun", NONE },
    { "a longer fence", "````\n```\n/rerun\n````", NONE },
    { "closed by a longer one", "```\nx\n`````\n/rerun", RERUN },
    { "not closed by another sign", "```\n~~~\n/rerun\n```", NONE },
    { "not closed by one with text", "```\n``` x\n/rerun\n```", NONE },
    { "code that looks like a fence", "```x``` y\n/rerun", RERUN },
    { "two backticks are none", "``\n/rerun\n``", RERUN },
    { "an indented fence", "   ```\n/rerun\n   ```", NONE },
    { "too far indented for a fence", "    ```\n/rerun", RERUN },
    { "indented as code", "    /rerun", NONE },
    { "indented by a tab", "\t/rerun", NONE },

    { "hidden", "<!-- /rerun -->", NONE },
    { "hidden over lines", "<!--\n/rerun\n-->", NONE },
    { "behind what is hidden", "<!-- x -->\n/rerun", RERUN },
    { "beside what is hidden", "/rerun <!-- x -->", NONE },
    { "hidden, and not closed", "<!-- x\n/rerun", NONE },
    { "hidden again in the same line", "<!-- x --> <!--\n/rerun\n-->", NONE },
    { "no comment in a fence", "```\n<!--\n```\n/rerun", RERUN },

    { "a no-break space", "\xc2\xa0/rerun", NONE },
    { "a zero-width space", "/rerun\xe2\x80\x8b", NONE },
    { "another solidus", "\xe2\x88\x95rerun", NONE },
    { "right to left", "\xe2\x80\xae/rerun", NONE },
    { "a line separator", "x\xe2\x80\xa8/rerun", NONE },
    { "a byte order mark", "\xef\xbb\xbf/rerun", NONE },
    { "no UTF-8", "\xff\xfe\n/rerun", RERUN },
    { "full-width letters", "/\xef\xbd\x92\xef\xbd\x85run", NONE },
};

static void nul_is_a_byte(void **state)
{
    (void)state;
    assert_int_equal(jr_verb_find("/rerun\0", 7), JR_VERB_NONE);
    assert_int_equal(jr_verb_find("\0\n/rerun", 8), JR_VERB_RERUN);
    assert_int_equal(jr_verb_find("/rerun all", 6), JR_VERB_RERUN);
}

/* A body of more than GitHub's greatest size is read in no time: each byte some times. */
static void large_bodies(void **state)
{
    size_t size = 1u << 20;
    char *text = malloc(size);

    (void)state;
    assert_non_null(text);
    for (const char *sign = "`<-\n/> "; *sign != '\0'; sign++) {
        memset(text, *sign, size);
        assert_int_equal(jr_verb_find(text, size), JR_VERB_NONE);
    }
    for (size_t i = 0; i < size; i++)
        text[i] = "<!---->"[i % 7];
    assert_int_equal(jr_verb_find(text, size), JR_VERB_NONE);
    free(text);
}

static void names(void **state)
{
    const uint32_t attempts[] = { 1, 10, UINT32_MAX };
    const char *const none[] = { "", "none-1", "Rerun-1", "rerun", "rerun-", "rerun-0", "rerun-01",
                                 "rerun- 1", "rerun-+1", "rerun-1 ", "rerun--1", "rerun1",
                                 "rerun-4294967296", "rerun-99999999999999999999999", "-1" };
    char button[JR_BUTTON_SIZE];
    uint32_t attempt;

    (void)state;
    for (int verb = JR_VERB_NONE + 1; verb < JR_VERBS; verb++)
        for (size_t i = 0; i < COUNT(attempts); i++) {
            jr_verb_print_button(button, (enum jr_verb)verb, attempts[i]);
            assert_int_equal(jr_verb_of_button(button, &attempt), verb);
            assert_int_equal(attempt, attempts[i]);
        }
    for (size_t i = 0; i < COUNT(none); i++) {
        assert_int_equal(jr_verb_of_button(none[i], &attempt), JR_VERB_NONE);
        assert_int_equal(attempt, 0);
    }
    assert_string_equal(jr_verb_name((enum jr_verb)99), "none");
}

int main(void)
{
    TABLE(verbs, verb_is_found);
    TEST(nul_is_a_byte);
    TEST(large_bodies);
    TEST(names);
    return run_program("verb");
}
