/*
 * say -- amounts as people say them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SAY_H
#define JR_SAY_H

#include <stdint.h>

/* Those with a buffer return it, the caller's. */

/* "1 h 5 min": a length of time, as few words as are worth while. */
#define JR_SPAN_SIZE 48
char *jr_say_span(int64_t span_ms, char buffer[JR_SPAN_SIZE]);

/* "12.4 MB" */
#define JR_BYTES_SIZE 32
char *jr_say_bytes(int64_t bytes, char buffer[JR_BYTES_SIZE]);

/* "1,234,567" */
#define JR_COUNT_SIZE 32
char *jr_say_count(uint64_t count, char buffer[JR_COUNT_SIZE]);

/* "9999", "12k", "3.4M": where there is room for five characters only. */
char *jr_say_short_count(uint64_t count, char buffer[JR_COUNT_SIZE]);

/* The word for so many of something: `one` for 1, else `many`. */
const char *jr_say_plural(uint64_t count, const char *one, const char *many);

#endif
