/*
 * page_times -- times, as they stand on a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_TIMES_H
#define JR_PAGE_TIMES_H

#include "lib/base/buffer.h"

#include <stdint.h>

/*
 * A time as people say it ("5 min ago", "in 20 s"), the exact one in UTC behind it. These are
 * UTC as they are written; the script puts them into the reader's zone.
 */
void jr_page_time(struct jr_buffer *page, int64_t time_ms, int64_t now_ms);

/* A time of day, with milliseconds; and a day with the time. */
void jr_page_clock(struct jr_buffer *page, int64_t time_ms);
void jr_page_whole_time(struct jr_buffer *page, int64_t time_ms);

/* "2026-11-23": the day of a time in UTC. */
#define JR_DAY_SIZE 11
char *jr_page_day(int64_t time_ms, char buffer[JR_DAY_SIZE]);

#endif
