/*
 * timestamp -- points in time as milliseconds since 1970-01-01T00:00:00Z.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/base/testpoint.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* 9999-12-31T23:59:59Z: the last second that four digits of a year can name */
#define LAST_SECOND INT64_C(253402300799)

int64_t jr_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + jr_test_ahead_ms();
}

int64_t jr_monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t jr_monotonic_ms(void)
{
    return jr_monotonic_us() / 1000;
}

int64_t jr_boottime_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Read `digits` decimal digits, no sign, no blanks; -1 if they are not there. */
static int read_digits(const char *text, int digits)
{
    int value = 0;

    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/*
 * Read "Z", "+hh:mm" or "-hh:mm" up to the end, or what GitHub writes in its
 * header about a token's end: " UTC", " +hhmm"; false if it is none of them.
 */
static bool read_offset(const char *text, int *offset_s)
{
    int hours, minutes;
    bool colon;

    *offset_s = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0 || strcmp(text, " UTC") == 0)
        return true;
    text += *text == ' ';
    colon = strlen(text) == 6 && text[3] == ':';
    if ((text[0] != '+' && text[0] != '-') || (!colon && strlen(text) != 5))
        return false;
    hours = read_digits(text + 1, 2);
    minutes = read_digits(text + 3 + colon, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset_s = (hours * 60 + minutes) * 60;
    if (text[0] == '-')
        *offset_s = -*offset_s;
    return true;
}

uint32_t jr_day_of(int64_t time_ms)
{
    return time_ms > 0 ? (uint32_t)(time_ms / JR_DAY_MS) : 0;
}

/* The parts of a date and a time of day, and what may follow each of them. */
static const struct {
    int digits, least, most;
    const char *after;
} parts[] = {
    { 4, 1970, 9999, "-" }, { 2, 1, 12, "-" }, { 2, 1, 31, "Tt " },
    { 2, 0, 23, ":" },      { 2, 0, 59, ":" }, { 2, 0, 60, "" },
};

#define PARTS (sizeof parts / sizeof *parts)

/* Is it one of these? Nothing has to follow when there are none. */
static bool may_follow(char c, const char *after)
{
    const char *any = after;

    while (*any != '\0' && *any != c)
        any++;
    return *after == '\0' || *any != '\0';
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The days that leap years before this year have brought. */
static int leap_days(int year)
{
    return (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
}

/* The days from 1970-01-01 on; -1 when the month has no such day. By hand: timegm(3) takes long. */
static int64_t day_number(int year, int month, int day)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
    int leap = is_leap(year);

    if (day > before[month] - before[month - 1] + (month == 2 && leap))
        return -1;
    return 365 * (year - 1970) + leap_days(year) - leap_days(1970) + before[month - 1]
           + (month > 2 && leap) + day - 1;
}

/* Read "2026-11-23T08:30:00"; text is moved behind it. */
static bool read_date(const char **text, int64_t *seconds)
{
    int values[PARTS];
    int64_t day;

    for (size_t i = 0; i < PARTS; i++) {
        values[i] = read_digits(*text, parts[i].digits);
        if (values[i] < parts[i].least || values[i] > parts[i].most)
            return false;
        *text += parts[i].digits;
        if (!may_follow(**text, parts[i].after))
            return false;
        *text += *parts[i].after != '\0';
    }
    day = day_number(values[0], values[1], values[2]);
    *seconds = day * 86400 + values[3] * 3600 + values[4] * 60 + values[5];
    return day >= 0;
}

/* Read ".123", if it is there, of which the first three digits count. */
static bool read_fraction(const char **text, int *fraction_ms)
{
    *fraction_ms = 0;
    if (**text != '.')
        return true;
    if (read_digits(++*text, 1) < 0)
        return false;
    for (int place = 100; **text >= '0' && **text <= '9'; ++*text, place /= 10)
        *fraction_ms += (**text - '0') * place;
    return true;
}

int64_t jr_timestamp_parse(const char *text)
{
    int offset_s, fraction_ms;
    int64_t seconds;

    if (text == NULL || !read_date(&text, &seconds) || !read_fraction(&text, &fraction_ms)
        || !read_offset(text, &offset_s))
        return 0;
    seconds -= offset_s;
    return seconds > 0 && seconds <= LAST_SECOND ? seconds * 1000 + fraction_ms : 0;
}

/* Write a number of so many digits and what follows it; returns the end. */
static char *write_digits(char *at, int count, int value, char after)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    at[count] = after;
    return at + count + 1;
}

char *jr_timestamp_format(int64_t time_ms, char buffer[JR_TIMESTAMP_SIZE])
{
    time_t seconds;
    struct tm tm;
    char *at = buffer;

    if (time_ms < 0)
        time_ms = 0;
    if (time_ms / 1000 > LAST_SECOND)
        time_ms = LAST_SECOND * 1000;
    seconds = (time_t)(time_ms / 1000);
    gmtime_r(&seconds, &tm);
    /* By hand: each line of the log begins with one. */
    at = write_digits(at, 4, tm.tm_year + 1900, '-');
    at = write_digits(at, 2, tm.tm_mon + 1, '-');
    at = write_digits(at, 2, tm.tm_mday, 'T');
    at = write_digits(at, 2, tm.tm_hour, ':');
    at = write_digits(at, 2, tm.tm_min, ':');
    at = write_digits(at, 2, tm.tm_sec, '.');
    at = write_digits(at, 3, (int)(time_ms % 1000), 'Z');
    *at = '\0';
    return buffer;
}
