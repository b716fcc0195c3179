/*
 * page_days -- what happened on each of the last days, as charts: of all, or of one repository.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_DAYS_H
#define JR_PAGE_DAYS_H

#include "fcgi/web/page_chart.h"
#include "lib/base/buffer.h"
#include "lib/format/emit.h"
#include "lib/store/days.h"

/* `days' has JR_CHART_DAYS of them in all of these functions, oldest first. */

/* Their numbers together. */
struct jr_day jr_page_days_sum(const struct jr_day *days);

/* A chart of reruns and rescues. repo: whose they are; empty: of all */
void jr_page_days(struct jr_buffer *page, const struct jr_day *days, const char *repo);

/* A chart of the causes for which jobs failed: the most frequent ones, and the others together. */
void jr_page_days_causes(struct jr_buffer *page, const struct jr_day *days);

/* Add them as a member `days' of an object that is open. */
void jr_page_days_emit(struct jr_emit *emit, const struct jr_day *days);

#endif
