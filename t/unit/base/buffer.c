/*
 * buffer -- bytes put together, up to a ceiling.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/buffer.h"
#include "t/unit/support.h"

#include <string.h>

static void grows(void **state)
{
    struct jr_buffer buffer;

    (void)state;
    jr_buffer_init(&buffer, 1000000);
    assert_null(buffer.bytes);
    for (int i = 0; i < 100000; i++)
        jr_buffer_print(&buffer, "%d,", i % 10);
    assert_true(buffer.ok);
    assert_int_equal(buffer.length, 200000);
    assert_int_equal(strlen(buffer.bytes), 200000);
    assert_int_equal(strncmp(buffer.bytes, "0,1,2,", 6), 0);
    assert_string_equal(buffer.bytes + 199994, "7,8,9,");
    jr_buffer_release(&buffer);
    assert_null(buffer.bytes);
}

static void nothing_is_added(void **state)
{
    struct jr_buffer buffer;

    (void)state;
    jr_buffer_init(&buffer, 0);
    jr_buffer_add(&buffer, "");
    jr_buffer_add_bytes(&buffer, NULL, 0);
    assert_true(buffer.ok);
    assert_int_equal(buffer.length, 0);
    jr_buffer_release(&buffer);
}

/* The sizes of pieces that lead up to a ceiling of 5000 bytes, and whether the last one fits. */
struct ceiling_row {
    const char *name;
    size_t first, second;
    bool ok;
};

static void ceiling_holds(void **state)
{
    static char text[10001];
    const struct ceiling_row *row = *state;
    struct jr_buffer buffer;

    memset(text, 'x', sizeof text - 1);
    for (int how = 0; how < 3; how++) {
        jr_buffer_init(&buffer, 5000);
        jr_buffer_add_bytes(&buffer, text, row->first);
        assert_true(buffer.ok);
        if (how == 0)
            jr_buffer_add_bytes(&buffer, text, row->second);
        else if (how == 1)
            jr_buffer_add(&buffer, text + sizeof text - 1 - row->second);
        else
            jr_buffer_print(&buffer, "%.*s", (int)row->second, text);
        assert_int_equal(buffer.ok, row->ok);
        assert_int_equal(buffer.length, row->first + (row->ok ? row->second : 0));
        /* Nothing comes after what did not fit. */
        jr_buffer_add(&buffer, row->ok ? "" : "y");
        assert_int_equal(buffer.length, row->first + (row->ok ? row->second : 0));
        jr_buffer_release(&buffer);
    }
}

static const struct ceiling_row ceilings[] = {
    { "at once, below", 0, 4999, true },
    { "at once, just", 0, 5000, true },
    { "at once, one too many", 0, 5001, false },
    { "in two, just", 4000, 1000, true },
    { "in two, one too many", 4000, 1001, false },
    { "full, nothing more", 5000, 0, true },
    { "full, one more", 5000, 1, false },
    { "much too much", 1, 10000, false },
};

static void all_zero_takes_nothing(void **state)
{
    struct jr_buffer buffer = { .bytes = NULL };

    (void)state;
    jr_buffer_add(&buffer, "x");
    assert_int_equal(buffer.length, 0);
    assert_false(buffer.ok);
    jr_buffer_release(&buffer);
}

int main(void)
{
    TEST(grows);
    TEST(nothing_is_added);
    TABLE(ceilings, ceiling_holds);
    TEST(all_zero_takes_nothing);
    return run_program("buffer");
}
