/*
 * sources -- variables of a source, and the environment behind them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/sources.h"
#include "t/unit/support.h"

#include <stdlib.h>

static void a_variable_is_found(void **state)
{
    struct jr_source source = { .count = 0 };

    (void)state;
    assert_null(jr_source_find(&source, "REPOS"));
    assert_int_equal(jr_source_set(&source, "REPOS", "octo/app"), JR_OK);
    assert_int_equal(jr_source_set(&source, "PORT", ""), JR_OK);
    assert_string_equal(jr_source_find(&source, "REPOS"), "octo/app");
    assert_string_equal(jr_source_get(&source, "REPOS"), "octo/app");
    assert_string_equal(jr_source_find(&source, "PORT"), "");
    assert_null(jr_source_get(&source, "PORT"));
    assert_null(jr_source_find(&source, "REPO"));
    jr_source_release(&source);
    assert_int_equal(source.count, 0);
    assert_null(jr_source_find(&source, "REPOS"));
}

static void the_last_value_counts(void **state)
{
    struct jr_source source = { .count = 0 };

    (void)state;
    assert_int_equal(jr_source_set(&source, "REPOS", "octo/app"), JR_OK);
    assert_int_equal(jr_source_set(&source, "PORT", "80"), JR_OK);
    assert_int_equal(jr_source_set(&source, "REPOS", "octo/web"), JR_OK);
    assert_int_equal(source.count, 2);
    assert_string_equal(jr_source_find(&source, "REPOS"), "octo/web");
    jr_source_unset(&source, "REPOS");
    jr_source_unset(&source, "REPOS");
    assert_null(jr_source_find(&source, "REPOS"));
    assert_string_equal(jr_source_find(&source, "PORT"), "80");
    jr_source_release(&source);
}

static void the_environment_is_behind(void **state)
{
    struct jr_source alone = { .count = 0 }, both = { .environment = true };

    (void)state;
    assert_int_equal(setenv("REPOS", "octo/environment", 1), 0);
    assert_null(jr_source_find(&alone, "REPOS"));
    assert_string_equal(jr_source_find(&both, "REPOS"), "octo/environment");
    assert_int_equal(jr_source_set(&both, "REPOS", "octo/app"), JR_OK);
    assert_string_equal(jr_source_find(&both, "REPOS"), "octo/app");
    assert_string_equal(getenv("REPOS"), "octo/environment");
    jr_source_unset(&both, "REPOS");
    assert_string_equal(jr_source_find(&both, "REPOS"), "octo/environment");
    jr_source_release(&both);
    assert_null(jr_source_find(&both, "REPOS"));
    assert_int_equal(unsetenv("REPOS"), 0);
}

int main(void)
{
    TEST(a_variable_is_found);
    TEST(the_last_value_counts);
    TEST(the_environment_is_behind);
    return run_program("sources");
}
