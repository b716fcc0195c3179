/*
 * timestamp -- points in time as milliseconds since 1970-01-01T00:00:00Z.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"

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
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
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

int64_t jr_timestamp_parse(const char *text)
{
    struct tm tm;
    int offset_s, day, fraction_ms = 0;
    int64_t seconds;

    if (text == NULL || strlen(text) < 20 || text[4] != '-' || text[7] != '-'
        || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')
        || text[13] != ':' || text[16] != ':')
        return 0;
    memset(&tm, 0, sizeof tm);
    tm.tm_year = read_digits(text, 4) - 1900;
    tm.tm_mon = read_digits(text + 5, 2) - 1;
    tm.tm_mday = read_digits(text + 8, 2);
    tm.tm_hour = read_digits(text + 11, 2);
    tm.tm_min = read_digits(text + 14, 2);
    tm.tm_sec = read_digits(text + 17, 2);
    if (tm.tm_year < 70 || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1
        || tm.tm_mday > 31 || tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0
        || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
        return 0;
    text += 19;
    if (*text == '.') {
        int place = 100;

        if (read_digits(text + 1, 1) < 0)
            return 0;
        for (text++; *text >= '0' && *text <= '9'; text++) {
            fraction_ms += (*text - '0') * place;
            place /= 10;
        }
    }
    if (!read_offset(text, &offset_s))
        return 0;
    /* timegm() turns a 31 November into a 1 December. */
    day = tm.tm_mday;
    seconds = (int64_t)timegm(&tm) - offset_s;
    if (tm.tm_mday != day)
        return 0;
    if (seconds <= 0 || seconds > LAST_SECOND)
        return 0;
    return seconds * 1000 + fraction_ms;
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
