/*
 * page_parts -- what the pages are put together from.
 *
 * All functions add to a buffer; text from outside comes in by %s of jr_html()
 * or by jr_html_text() only.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_PARTS_H
#define JR_PAGE_PARTS_H

#include "lib/base/buffer.h"
#include "lib/config/settings.h"
#include "lib/model/run.h"
#include "lib/model/standing.h"
#include "lib/service/halt.h"
#include "lib/store/pause.h"

#include <stddef.h>
#include <stdint.h>

/* page.css; its hash stands in the Content-Security-Policy. */
extern const char jr_page_style[];
/* page_head.html and page_mark.svg. */
extern const char jr_page_head[], jr_page_mark[];

/* Everything before what is the page's own, and after it. */
void jr_page_begin(struct jr_buffer *page, const struct jr_settings *settings, const char *title,
                   bool home, int64_t now_ms);
void jr_page_end(struct jr_buffer *page);

/* A time as people say it ("5 min ago", "in 20 s"), the exact one in UTC behind it. */
void jr_page_time(struct jr_buffer *page, int64_t time_ms, int64_t now_ms);

/* A time of day in UTC, with milliseconds. */
void jr_page_clock(struct jr_buffer *page, int64_t time_ms);

/* "2026-11-23": the day of a time in UTC. */
#define JR_DAY_SIZE 11
char *jr_page_day(int64_t time_ms, char buffer[JR_DAY_SIZE]);

/* Where a run stands: a word in a coloured badge, and why, in a sentence. */
void jr_page_standing(struct jr_buffer *page, const struct jr_standing *standing);

/* When GitHub is asked about what is due at due_ms: a time, or what keeps it from being asked. */
void jr_page_asked(struct jr_buffer *page, const struct jr_halt *halt, int64_t due_ms,
                   int64_t now_ms);

/* Words of ours, which begin small and have no full stop, as a sentence. */
void jr_page_sentence(struct jr_buffer *page, const char *words);

/* A run by its names: repository, workflow, branch, number; with links. */
void jr_page_run_name(struct jr_buffer *page, const struct jr_settings *settings,
                      const struct jr_run *run);

/* A paragraph about a pause that is in force, and one for each. */
void jr_page_pause(struct jr_buffer *page, const struct jr_pause *pause);
void jr_page_pauses(struct jr_buffer *page, const struct jr_pauses *pauses);

/* A paragraph about reruns that an outage holds, in words of ours that begin small. */
void jr_page_outage(struct jr_buffer *page, const char *words);

#endif
