/*
 * query -- the parameters in the address of a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/query.h"
#include "t/unit/support.h"

#include <string.h>

static const char *const names[] = { "a", "b", "refresh", NULL };

static const struct row {
    const char *name, *text;
    const char *a, *b;   /* their values; NULL: it is refused */
    const char *written; /* again; or what the error has */
} rows[] = {
    { "nothing", "", "", "", "" },
    { "one", "a=x", "x", "", "?a=x" },
    { "two, in the page's order", "b=y&a=x", "x", "y", "?a=x&b=y" },
    { "empty ones", "a=&b", "", "", "" },
    { "no more than signs", "&&", "", "", "" },
    { "encoded", "a=%C3%A4+%26%3d%2B", "\xc3\xa4 &=+", "", "?a=%C3%A4%20%26%3D%2B" },
    { "what needs no encoding", "a=octo/*,x-1._~:@!()", "octo/*,x-1._~:@!()", "", "?a=octo/*,x-1._~:@!()" },
    { "markup", "a=%22%3Cb%3E'", "\"<b>'", "", "?a=%22%3Cb%3E%27" },
    { "an equals sign in a value", "a=b=c", "b=c", "", "?a=b%3Dc" },
    { "not known", "c=1", NULL, NULL, "no parameter 'c' here; there are: a, b, refresh" },
    { "a name in capitals", "A=1", NULL, NULL, "no parameter 'A'" },
    { "twice", "a=1&b=2&a=3", NULL, NULL, "'a' is there twice" },
    { "a bad escape", "a=%4", NULL, NULL, "'a=%4' is badly encoded" },
    { "a zero byte", "a=%00", NULL, NULL, "badly encoded" },
    { "a zero byte in a name", "a%00=1", NULL, NULL, "badly encoded" },
};

static void is_read(void **state)
{
    const struct row *row = *state;
    struct jr_query query;
    struct jr_buffer buffer;
    struct jr_error error;

    if (row->a == NULL) {
        assert_int_equal(jr_query_read(&query, names, row->text, &error), JR_EINVAL);
        assert_contains(error.text, row->written);
        return;
    }
    assert_int_equal(jr_query_read(&query, names, row->text, &error), JR_OK);
    assert_string_equal(jr_query_value(&query, "a"), row->a);
    assert_string_equal(jr_query_value(&query, "b"), row->b);
    assert_string_equal(jr_query_value(&query, "none"), "");
    jr_buffer_init(&buffer, 4096);
    jr_query_write(&buffer, &query, NULL, NULL);
    assert_string_equal(buffer.bytes == NULL ? "" : buffer.bytes, row->written);
    jr_buffer_release(&buffer);
}

static void one_is_changed(void **state)
{
    struct jr_query query;
    struct jr_buffer buffer;
    struct jr_error error;

    (void)state;
    assert_int_equal(jr_query_read(&query, names, "a=x&refresh=10", &error), JR_OK);
    jr_buffer_init(&buffer, 4096);
    jr_query_write(&buffer, &query, "b", "1-2");
    jr_query_write(&buffer, &query, "refresh", "");
    jr_query_write(&buffer, &query, "a", "y z");
    assert_string_equal(buffer.bytes, "?a=x&b=1-2&refresh=10?a=x?a=y%20z&refresh=10");
    jr_buffer_release(&buffer);
}

/* As long as it may be, and one more. */
static void lengths(void **state)
{
    char text[JR_QUERY_BYTES_MAX + 2];
    struct jr_query query;
    struct jr_error error;

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "a=", 2);
    text[2 + JR_QUERY_VALUE_SIZE - 1] = '\0';
    assert_int_equal(jr_query_read(&query, names, text, &error), JR_OK);
    assert_int_equal(strlen(jr_query_value(&query, "a")), JR_QUERY_VALUE_SIZE - 1);
    text[2 + JR_QUERY_VALUE_SIZE - 1] = 'x';
    text[2 + JR_QUERY_VALUE_SIZE] = '\0';
    assert_int_equal(jr_query_read(&query, names, text, &error), JR_EINVAL);
    assert_contains(error.text, "'a' is longer than 255 bytes");
    memset(text, '&', sizeof text);
    text[JR_QUERY_BYTES_MAX] = '\0';
    assert_int_equal(jr_query_read(&query, names, text, &error), JR_OK);
    text[JR_QUERY_BYTES_MAX] = '&';
    text[JR_QUERY_BYTES_MAX + 1] = '\0';
    assert_int_equal(jr_query_read(&query, names, text, &error), JR_EINVAL);
}

static const struct number_row {
    const char *name, *text;
    int64_t want; /* 0: it is refused */
} numbers[] = {
    { "not given", "", 7 },      { "empty", "a=", 7 },
    { "the least", "a=5", 5 },   { "the most", "a=3600", 3600 },
    { "less", "a=4", 0 },        { "more", "a=3601", 0 },
    { "a sign", "a=%2B10", 0 },  { "negative", "a=-10", 0 },
    { "a fraction", "a=1.5", 0 }, { "a blank", "a=+10", 0 },
    { "far too great", "a=99999999999999999999", 0 },
};

static void number_is(void **state)
{
    const struct number_row *row = *state;
    struct jr_query query;
    struct jr_error error;
    int64_t number = 7;
    enum jr_err err;

    assert_int_equal(jr_query_read(&query, names, row->text, &error), JR_OK);
    err = jr_query_number(&query, "a", 5, 3600, &number, &error);
    assert_int_equal(err, row->want == 0 ? JR_EINVAL : JR_OK);
    if (err == JR_OK)
        assert_true(number == row->want);
    else
        assert_contains(error.text, "it is a number from 5 to 3600");
}

int main(void)
{
    TABLE(rows, is_read);
    TEST(one_is_changed);
    TEST(lengths);
    TABLE(numbers, number_is);
    return run_program("query");
}
