/*
 * timestamp -- times as GitHub writes them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "t/unit/support.h"

#include <string.h>

struct parse_row {
    const char *name, *text;
    int64_t want;
};

static void parsed(void **state)
{
    const struct parse_row *row = *state;

    assert_int_equal(jr_timestamp_parse(row->text), row->want);
}

static const struct parse_row times[] = {
    { "as GitHub sends it", "2026-11-23T08:30:00Z", INT64_C(1795422600000) },
    { "the first second", "1970-01-01T00:00:01Z", 1000 },
    { "milliseconds", "2026-11-23T08:30:00.123Z", INT64_C(1795422600123) },
    { "one digit of a fraction", "2026-11-23T08:30:00.5Z", INT64_C(1795422600500) },
    { "nine digits of a fraction", "2026-11-23T08:30:00.123999999Z", INT64_C(1795422600123) },
    { "east of Greenwich", "2026-11-23T10:30:00+02:00", INT64_C(1795422600000) },
    { "west of Greenwich", "2026-11-22T23:00:00.250-09:30", INT64_C(1795422600250) },
    { "no offset", "2026-11-23T08:30:00+00:00", INT64_C(1795422600000) },
    { "small letters", "2026-11-23t08:30:00z", INT64_C(1795422600000) },
    { "the end of a token", "2026-11-23 08:30:00 UTC", INT64_C(1795422600000) },
    { "the end of a token, with an offset", "2026-11-23 10:30:00 +0200", INT64_C(1795422600000) },
    { "29 February", "2028-02-29T00:00:00Z", INT64_C(1835395200000) },
    { "a leap second", "2016-12-31T23:59:60Z", INT64_C(1483228800000) },
    { "after 2038", "2100-01-01T00:00:00Z", INT64_C(4102444800000) },
    { "the last second", "9999-12-31T23:59:59Z", INT64_C(253402300799000) },

    { "NULL", NULL, 0 },
    { "empty", "", 0 },
    { "a word", "yesterday, in the morning", 0 },
    { "the epoch is no time that is known", "1970-01-01T00:00:00Z", 0 },
    { "before the epoch", "1969-12-31T23:59:59Z", 0 },
    { "before the epoch by its offset", "1970-01-01T00:30:00+01:00", 0 },
    { "the year 1", "0001-01-01T00:00:00Z", 0 },
    { "no offset at all", "2026-11-23T08:30:00", 0 },
    { "only a date", "2026-11-23", 0 },
    { "month 0", "2026-00-23T08:30:00Z", 0 },
    { "month 13", "2026-13-23T08:30:00Z", 0 },
    { "day 0", "2026-11-00T08:30:00Z", 0 },
    { "day 32", "2026-12-32T08:30:00Z", 0 },
    { "31 November", "2026-11-31T08:30:00Z", 0 },
    { "29 February of another year", "2027-02-29T00:00:00Z", 0 },
    { "29 February of 2100", "2100-02-29T00:00:00Z", 0 },
    { "hour 24", "2026-11-23T24:00:00Z", 0 },
    { "minute 60", "2026-11-23T08:60:00Z", 0 },
    { "second 61", "2026-11-23T08:30:61Z", 0 },
    { "offset of 24 hours", "2026-11-23T08:30:00+24:00", 0 },
    { "text after it", "2026-11-23T08:30:00Z ", 0 },
    { "text before it", " 2026-11-23T08:30:00Z", 0 },
    { "a sign", "+026-11-23T08:30:00Z", 0 },
    { "a fraction of nothing", "2026-11-23T08:30:00.Z", 0 },
    { "other separators", "2026/11/23T08:30:00Z", 0 },
    { "seconds since the epoch", "1795422600", 0 },
};

struct format_row {
    const char *name;
    int64_t time_ms;
    const char *want;
};

static void formatted(void **state)
{
    const struct format_row *row = *state;
    char buffer[JR_TIMESTAMP_SIZE];

    assert_ptr_equal(jr_timestamp_format(row->time_ms, buffer), buffer);
    assert_string_equal(buffer, row->want);
}

static const struct format_row formats[] = {
    { "now", INT64_C(1795422600123), "2026-11-23T08:30:00.123Z" },
    { "no milliseconds", INT64_C(1795422600000), "2026-11-23T08:30:00.000Z" },
    { "a few milliseconds", INT64_C(1795422600007), "2026-11-23T08:30:00.007Z" },
    { "zero", 0, "1970-01-01T00:00:00.000Z" },
};

/* Times that no year of four digits holds still make 24 characters. */
static void any_time_fits(void **state)
{
    static const int64_t times_ms[] = { INT64_MIN, -1, INT64_MAX, INT64_C(253402300800000) };
    char buffer[JR_TIMESTAMP_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(times_ms); i++)
        assert_int_equal(strlen(jr_timestamp_format(times_ms[i], buffer)), JR_TIMESTAMP_SIZE - 1);
}

static void what_is_written_can_be_read(void **state)
{
    char buffer[JR_TIMESTAMP_SIZE];

    (void)state;
    for (int64_t time_ms = 1001; time_ms < INT64_C(253402300799999); time_ms = time_ms * 3 + 7)
        assert_int_equal(jr_timestamp_parse(jr_timestamp_format(time_ms, buffer)), time_ms);
}

/* The system's calendar says the same. */
static void every_day_is_right(void **state)
{
    char buffer[JR_TIMESTAMP_SIZE];

    (void)state;
    for (int64_t day = 1; day < 366 * 500; day++)
        assert_int_equal(jr_timestamp_parse(jr_timestamp_format(day * JR_DAY_MS, buffer)),
                         day * JR_DAY_MS);
}

static void clocks_run(void **state)
{
    int64_t before_ms = jr_monotonic_ms(), before_us = jr_monotonic_us();

    (void)state;
    assert_true(jr_now_ms() > START_MS - 400 * JR_DAY_MS);
    assert_true(jr_monotonic_ms() >= before_ms);
    assert_true(jr_monotonic_us() >= before_us);
}

int main(void)
{
    TABLE(times, parsed);
    TABLE(formats, formatted);
    TEST(any_time_fits);
    TEST(what_is_written_can_be_read);
    TEST(every_day_is_right);
    TEST(clocks_run);
    return run_program("timestamp");
}
