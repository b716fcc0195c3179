/*
 * say -- amounts as people say them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/say.h"
#include "lib/base/timestamp.h"

#include <stddef.h>
#include <stdio.h>

char *jr_say_span(int64_t span_ms, char buffer[JR_SPAN_SIZE])
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = { { "d", JR_DAY_MS }, { "h", JR_HOUR_MS }, { "min", JR_MINUTE_MS },
                  { "s", JR_SECOND_MS }, { "ms", 1 } };
    const size_t last = sizeof units / sizeof *units - 1;
    size_t unit = 0;
    int64_t whole, rest;

    if (span_ms < 0)
        span_ms = 0;
    while (unit < last && span_ms < units[unit].ms)
        unit++;
    whole = span_ms / units[unit].ms;
    rest = unit >= 3 ? 0 : span_ms % units[unit].ms / units[unit + 1].ms;
    if (unit == last && span_ms == 0)
        snprintf(buffer, JR_SPAN_SIZE, "0 s");
    else if (rest == 0 || whole >= 10)
        snprintf(buffer, JR_SPAN_SIZE, "%lld %s", (long long)whole, units[unit].name);
    else
        snprintf(buffer, JR_SPAN_SIZE, "%lld %s %lld %s", (long long)whole, units[unit].name,
                 (long long)rest, units[unit + 1].name);
    return buffer;
}

char *jr_say_bytes(int64_t bytes, char buffer[JR_BYTES_SIZE])
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
    double value = bytes < 0 ? 0 : (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit < sizeof units / sizeof *units - 1) {
        value /= 1024;
        unit++;
    }
    snprintf(buffer, JR_BYTES_SIZE, value < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", value,
             units[unit]);
    return buffer;
}

char *jr_say_count(uint64_t count, char buffer[JR_COUNT_SIZE])
{
    char digits[JR_COUNT_SIZE];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *to = buffer;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return buffer;
}

char *jr_say_short_count(uint64_t count, char buffer[JR_COUNT_SIZE])
{
    static const char units[] = "kMGTPE";
    double value = (double)count;
    size_t unit = 0;

    if (count < 10000) {
        snprintf(buffer, JR_COUNT_SIZE, "%llu", (unsigned long long)count);
        return buffer;
    }
    for (value /= 1000; value >= 999.5 && units[unit + 1] != '\0'; value /= 1000)
        unit++;
    snprintf(buffer, JR_COUNT_SIZE, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
    return buffer;
}

const char *jr_say_plural(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}
