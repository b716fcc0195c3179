/*
 * signatures -- a file of them, its defects, and what lines they match.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/signatures.h"
#include "t/unit/support.h"

#include <string.h>

static struct jr_problems problems;

static void read_list(struct jr_signatures *signatures, const char *text, bool own)
{
    struct jr_yaml *root;

    memset(&problems, 0, sizeof problems);
    assert_int_equal(jr_yaml_parse(text, strlen(text), 10000, &root, &problems), JR_OK);
    assert_non_null(root);
    assert_int_equal(jr_signatures_read(signatures, root, own, &problems), JR_OK);
    jr_yaml_free(root);
}

static void builtin(void **state)
{
    struct jr_signatures signatures;
    struct jr_error error = { .text = "" };

    (void)state;
    assert_int_equal(jr_signatures_builtin(&signatures, &error), JR_OK);
    assert_true(signatures.count > 50);
    for (size_t i = 0; i < signatures.count; i++)
        assert_true(strlen(jr_signature_id(&signatures, i)) > 0);
    assert_true(jr_signatures_shape(&signatures, "in-progress") != SIZE_MAX);
    assert_true(jr_signatures_shape(&signatures, "no-such-shape") == SIZE_MAX);
    jr_signatures_release(&signatures);
}

struct bad_row {
    const char *name, *text, *part;
    unsigned line, column;
};

static void refused(void **state)
{
    const struct bad_row *row = *state;
    struct jr_signatures signatures;

    read_list(&signatures, row->text, true);
    assert_int_equal(problems.count, 1);
    assert_contains(problems.items[0].text, row->part);
    assert_int_equal(problems.items[0].line, row->line);
    assert_int_equal(problems.items[0].column, row->column);
    jr_signatures_release(&signatures);
}

static const struct bad_row bad[] = {
    { "no list", "id: a\n", "list", 1, 1 },
    { "no map", "- a\n", "map", 1, 3 },
    { "no id", "- { cause: test, log: x }\n", "needs an id", 1, 3 },
    { "an id with blanks", "- { id: a b, cause: test, log: x }\n", "an id is of", 1, 9 },
    { "no cause", "- { id: a, log: x }\n", "needs a cause", 1, 3 },
    { "no such cause", "- { id: a, cause: tset, log: x }\n", "no such cause", 1, 19 },
    { "no pattern", "- { id: a, cause: test }\n", "needs a pattern", 1, 3 },
    { "two patterns", "- { id: a, cause: test, log: x, text: y }\n", "one pattern", 1, 30 },
    { "a broken pattern", "- { id: a, cause: test, log: '(' }\n", "no pattern: missing closing parenthesis", 1, 30 },
    { "an empty pattern", "- { id: a, cause: test, log: '' }\n", "1 to 1024", 1, 30 },
    { "a key that there is not", "- { id: a, cause: test, log: x, color: y }\n", "no key of a signature", 1, 33 },
    { "a shape of one's own", "- { id: a, cause: test, log: x, shape: setup }\n", "no key of a signature", 1, 33 },
    { "neither yes nor no", "- { id: a, cause: test, log: x, weak: maybe }\n", "yes or no", 1, 39 },
    { "an id twice", "- { id: a, cause: test, log: x }\n- { id: a, cause: test, log: y }\n", "another", 2, 3 },
    { "an example that does not match", "- { id: a, cause: test, log: x, matches: y }\n", "does not match", 1, 42 },
    { "an example that matches", "- { id: a, cause: test, log: x, misses: axb }\n", "must not", 1, 41 },
};

static void examples_are_needed(void **state)
{
    struct jr_signatures signatures;

    (void)state;
    read_list(&signatures, "- { id: a, cause: test, log: x, source: y }\n", false);
    assert_true(problems.count > 0);
    assert_contains(problems.items[0].text, "example is missing");
    jr_signatures_release(&signatures);
}

static const char set[] =
    "- { id: veto, cause: billing, annotation: 'payments' }\n"
    "- { id: first, cause: network, text: 'reset', unless: 'on purpose' }\n"
    "- { id: second, cause: git, text: 'reset by peer' }\n"
    "- { id: outside, cause: network, text: 'refused', outside-tests: yes }\n"
    "- { id: android, cause: setup, log: 'offline', job: 'android*' }\n"
    "- { id: weak, cause: build, log: 'make: ', weak: yes }\n"
    "- { id: step, cause: lint, step: 'lint' }\n"
    "- { id: slow, cause: crash, log: '(a+)+$' }\n";

struct match_row {
    const char *name, *text;
    unsigned place;
    const char *job;
    bool in_tests;
    enum jr_weight weight;
    const char *want; /* NULL: none of that weight */
};

static void matched(void **state)
{
    const struct match_row *row = *state;
    struct jr_signatures signatures;
    struct jr_matches matches;
    size_t index;

    read_list(&signatures, set, true);
    assert_int_equal(problems.count, 0);
    jr_signatures_match(&signatures, row->text, strlen(row->text), row->place, row->job, row->in_tests, &matches);
    index = matches.index[row->weight];
    if (row->want == NULL)
        assert_true(index == SIZE_MAX);
    else
        assert_string_equal(jr_signature_id(&signatures, index), row->want);
    assert_false(matches.limited);
    jr_signatures_release(&signatures);
}

static const struct match_row matches[] = {
    { "the first of a weight", "Connection RESET by peer", JR_IN_LOG, "x", false, JR_WEIGHT_TRANSIENT, "first" },
    { "but for what it excludes", "reset by peer on purpose", JR_IN_LOG, "x", false, JR_WEIGHT_TRANSIENT, "second" },
    { "a veto", "payments have failed", JR_IN_ANNOTATION, "x", false, JR_WEIGHT_VETO, "veto" },
    { "in another place", "payments have failed", JR_IN_LOG, "x", false, JR_WEIGHT_VETO, NULL },
    { "outside of tests", "connection refused", JR_IN_LOG, "x", false, JR_WEIGHT_TRANSIENT, "outside" },
    { "in tests", "connection refused", JR_IN_LOG, "x", true, JR_WEIGHT_TRANSIENT, NULL },
    { "of such a job", "device offline", JR_IN_LOG, "Android 14", false, JR_WEIGHT_TRANSIENT, "android" },
    { "of another job", "device offline", JR_IN_LOG, "ios", false, JR_WEIGHT_TRANSIENT, NULL },
    { "weak", "make: *** Error 2", JR_IN_LOG, "x", false, JR_WEIGHT_WEAK, "weak" },
    { "the name of a step", "Run lint", JR_IN_STEP_NAME, "x", false, JR_WEIGHT_HARD, "step" },
    { "nothing", "all is well", JR_IN_LOG, "x", false, JR_WEIGHT_HARD, NULL },
};

/* A pattern that would take for ever has read nothing, which is told. */
static void limits_hold(void **state)
{
    char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
    struct jr_signatures signatures;
    struct jr_matches found;

    (void)state;
    read_list(&signatures, set, true);
    jr_signatures_match(&signatures, text, strlen(text), JR_IN_LOG, "x", false, &found);
    assert_true(found.limited);
    assert_true(found.index[JR_WEIGHT_HARD] == SIZE_MAX);
    jr_signatures_release(&signatures);
}

int main(void)
{
    TEST(builtin);
    TABLE(bad, refused);
    TEST(examples_are_needed);
    TABLE(matches, matched);
    TEST(limits_hold);
    return run_program("signatures");
}
