/*
 * timestamp -- points in time as milliseconds since 1970-01-01T00:00:00Z.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TIMESTAMP_H
#define JR_TIMESTAMP_H

#include <stddef.h>
#include <stdint.h>

#define JR_SECOND_MS INT64_C(1000)
#define JR_MINUTE_MS (60 * JR_SECOND_MS)
#define JR_HOUR_MS (60 * JR_MINUTE_MS)
#define JR_DAY_MS (24 * JR_HOUR_MS)

/* "2026-11-23T08:30:00.123Z" and its NUL */
#define JR_TIMESTAMP_SIZE 25

/* The system's real-time clock: what is stored, compared with GitHub's times. */
int64_t jr_now_ms(void);

/* A clock that never jumps, the same in all processes: for durations, until the host is started anew. */
int64_t jr_monotonic_ms(void);

/* The same, going on while the machine is suspended: for how old knowledge is. */
int64_t jr_boottime_ms(void);

/* jr_monotonic_ms() in microseconds. */
int64_t jr_monotonic_us(void);

/* The day that time_ms lies in, in UTC, 0 being 1970-01-01; 0 for an unknown or negative time too. */
uint32_t jr_day_of(int64_t time_ms);

/*
 * Read an RFC 3339 time (GitHub sends "2026-11-23T08:30:00Z"; older hosts add
 * fractions or an offset such as +02:00), or one as in the header about a
 * token's end ("2026-11-23 08:30:00 UTC", "2026-11-23 08:30:00 +0200").
 *   text  may be NULL
 * Returns the time, or 0 for anything that is not such a time: an unknown time
 * is no error anywhere in this program.
 */
int64_t jr_timestamp_parse(const char *text);

/* Write time_ms as RFC 3339 in UTC with milliseconds. Returns buffer. */
char *jr_timestamp_format(int64_t time_ms, char buffer[JR_TIMESTAMP_SIZE]);

#endif
