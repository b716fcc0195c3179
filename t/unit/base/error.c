/*
 * error -- a code and one line of text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/error.h"
#include "t/unit/support.h"

#include <string.h>

static void code_and_text(void **state)
{
    struct jr_error error;

    (void)state;
    assert_int_equal(jr_error_set(&error, JR_EINVAL, "'%s' is no number", "x"), JR_EINVAL);
    assert_int_equal(error.code, JR_EINVAL);
    assert_string_equal(error.text, "'x' is no number");
}

static void nobody_wants_the_text(void **state)
{
    (void)state;
    assert_int_equal(jr_error_set(NULL, JR_EIO, "%s", "x"), JR_EIO);
}

static void long_text_is_cut(void **state)
{
    struct jr_error error;
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(jr_error_set(&error, JR_EIO, "%s", text), JR_EIO);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
}

int main(void)
{
    TEST(code_and_text);
    TEST(nobody_wants_the_text);
    TEST(long_text_is_cut);
    return run_program("error");
}
