/*
 * say -- amounts as people say them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/say.h"
#include "lib/base/timestamp.h"
#include "t/unit/support.h"

#include <string.h>

static const struct span_row {
    const char *name;
    int64_t span_ms;
} spans[] = {
    { "0 s", -1 },
    { "0 s", 0 },
    { "1 ms", 1 },
    { "999 ms", 999 },
    { "1 s", 1999 },
    { "59 s", JR_MINUTE_MS - 1 },
    { "1 min", JR_MINUTE_MS },
    { "1 min 5 s", JR_MINUTE_MS + 5 * JR_SECOND_MS },
    { "12 min", 12 * JR_MINUTE_MS + 30 * JR_SECOND_MS },
    { "1 h 5 min", JR_HOUR_MS + 5 * JR_MINUTE_MS },
    { "23 h", 23 * JR_HOUR_MS + JR_MINUTE_MS },
    { "2 d 1 h", 49 * JR_HOUR_MS },
    { "90 d", 90 * JR_DAY_MS },
    { "106751991167 d", INT64_MAX },
};

static void span_is_said(void **state)
{
    const struct span_row *row = *state;
    char text[JR_SPAN_SIZE];

    assert_string_equal(jr_say_span(row->span_ms, text), row->name);
}

static const struct bytes_row {
    const char *name;
    int64_t bytes;
} sizes[] = {
    { "0 B", -1 },
    { "0 B", 0 },
    { "1023 B", 1023 },
    { "1.0 kB", 1024 },
    { "9.5 kB", 9728 },
    { "140 kB", 140 * 1024 },
    { "16 GB", INT64_C(16) << 30 },
    { "8388608 TB", INT64_MAX },
};

static void size_is_said(void **state)
{
    const struct bytes_row *row = *state;
    char text[JR_BYTES_SIZE];

    assert_string_equal(jr_say_bytes(row->bytes, text), row->name);
}

static const struct count_row {
    const char *name;
    uint64_t count;
} counts[] = {
    { "0", 0 },
    { "999", 999 },
    { "1,000", 1000 },
    { "1,234,567", 1234567 },
    { "18,446,744,073,709,551,615", UINT64_MAX },
};

static void count_is_said(void **state)
{
    const struct count_row *row = *state;
    char text[JR_COUNT_SIZE];

    assert_string_equal(jr_say_count(row->count, text), row->name);
}

static void short_count_is_said(void **state)
{
    const struct count_row *row = *state;
    char text[JR_COUNT_SIZE];

    assert_string_equal(jr_say_short_count(row->count, text), row->name);
}

static const struct count_row short_counts[] = {
    { "0", 0 },       { "9999", 9999 },     { "10k", 10000 },     { "12k", 12345 },     { "999k", 999499 },
    { "1.0M", 999501 }, { "3.4M", 3420000 }, { "10M", 9950000 }, { "18E", UINT64_MAX },
};

static void words_for_one_and_many(void **state)
{
    (void)state;
    assert_string_equal(jr_say_plural(0, "entry", "entries"), "entries");
    assert_string_equal(jr_say_plural(1, "entry", "entries"), "entry");
    assert_string_equal(jr_say_plural(2, "entry", "entries"), "entries");
}

int main(void)
{
    TABLE(spans, span_is_said);
    TABLE(sizes, size_is_said);
    TABLE(counts, count_is_said);
    TABLE(short_counts, short_count_is_said);
    TEST(words_for_one_and_many);
    return run_program("say");
}
