/*
 * yaml -- trees, and all that is refused, with its place.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/yaml.h"
#include "t/unit/support.h"

#include <string.h>

static struct jr_problems problems;

static struct jr_yaml *parse(const char *text)
{
    struct jr_yaml *root;

    memset(&problems, 0, sizeof problems);
    assert_int_equal(jr_yaml_parse(text, strlen(text), 1000, &root, &problems), JR_OK);
    return root;
}

static void tree(void **state)
{
    struct jr_yaml *root = parse("a: 1\nb: [x, 'y z', \"q\"]\nc: { d: e }\n");
    const struct jr_yaml *list;

    (void)state;
    assert_int_equal(problems.count, 0);
    assert_int_equal(root->kind, JR_YAML_MAP);
    assert_string_equal(jr_yaml_get(root, "a")->text, "1");
    list = jr_yaml_get(root, "b");
    assert_int_equal(list->kind, JR_YAML_LIST);
    assert_int_equal(list->count, 3);
    assert_string_equal(list->items[1]->text, "y z");
    assert_true(list->items[0]->plain);
    assert_false(list->items[2]->plain);
    assert_int_equal(list->items[2]->line, 2);
    assert_int_equal(list->items[2]->column, 15);
    assert_string_equal(jr_yaml_get(jr_yaml_get(root, "c"), "d")->text, "e");
    assert_null(jr_yaml_get(root, "d"));
    assert_null(jr_yaml_get(list, "a"));
    jr_yaml_free(root);
}

struct bad_row {
    const char *name, *text;
    unsigned line, column;
    const char *part;
};

static void refused(void **state)
{
    const struct bad_row *row = *state;
    struct jr_yaml *root = parse(row->text);

    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].line, row->line);
    assert_int_equal(problems.items[0].column, row->column);
    assert_contains(problems.items[0].text, row->part);
    jr_yaml_free(root);
}

static const struct bad_row bad[] = {
    { "an anchor", "a: &x 1\n", 1, 4, "anchor" },
    { "an alias", "a: *x\n", 1, 4, "alias" },
    { "a tag", "a: !!int 1\n", 1, 4, "tag" },
    { "a second document", "a: 1\n---\nb: 2\n", 2, 1, "second document" },
    { "a key twice", "a: 1\nb: 2\na: 3\n", 3, 1, "twice, first in line 1" },
    { "no word as key", "[a]: 1\n", 1, 1, "key" },
    { "no YAML", "a: [1\nb: 2\n", 2, 2, "no YAML" },
    { "too deep", "[[[[[[[[[1]]]]]]]]]\n", 1, 9, "too deep" },
    { "no UTF-8", "a: \xff\n", 1, 1, "UTF-8" },
    { "a NUL", "a: \"x\\0y\"\n", 1, 4, "NUL" },
};

static void ceilings(void **state)
{
    char large[1001];
    struct jr_yaml *root;

    (void)state;
    memset(large, ' ', sizeof large);
    memset(&problems, 0, sizeof problems);
    assert_int_equal(jr_yaml_parse(large, sizeof large, 1000, &root, &problems), JR_OK);
    assert_null(root);
    assert_contains(problems.items[0].text, "more than the 1000 bytes that are allowed");
    root = parse("");
    assert_null(root);
    assert_int_equal(problems.count, 0);
    for (unsigned i = 0; i < JR_PROBLEMS_MAX + 1; i++)
        jr_problem_add(&problems, JR_PROBLEMS_MAX - i, 1, "x");
    assert_int_equal(problems.count, JR_PROBLEMS_MAX);
    assert_true(problems.more);
    jr_problems_sort(&problems);
    assert_int_equal(problems.items[0].line, 1);
}

/* The first of a key stands, so that who reads the tree takes each once. */
static void a_second_key_is_left_out(void **state)
{
    struct jr_yaml *root = parse("a: 1\na: [2]\nb: 3\na: 4\n");

    (void)state;
    assert_int_equal(problems.count, 2);
    assert_int_equal(root->count, 4);
    assert_string_equal(jr_yaml_get(root, "a")->text, "1");
    assert_string_equal(jr_yaml_get(root, "b")->text, "3");
    jr_yaml_free(root);
}

/* What a file holds does not reach a terminal as it is. */
static void a_problem_is_one_line_of_text(void **state)
{
    (void)state;
    memset(&problems, 0, sizeof problems);
    jr_problem_add(&problems, 1, 2, "no key: %s", "a\n\033[31m\x7f\xc3\xa9");
    assert_string_equal(problems.items[0].text, "no key: a??[31m?\xc3\xa9");
}

int main(void)
{
    TEST(tree);
    TABLE(bad, refused);
    TEST(ceilings);
    TEST(a_second_key_is_left_out);
    TEST(a_problem_is_one_line_of_text);
    return run_program("yaml");
}
