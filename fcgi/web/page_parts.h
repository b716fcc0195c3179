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

#include "fcgi/web/page_table.h"
#include "fcgi/web/page_times.h"
#include "fcgi/web/visit.h"
#include "lib/base/buffer.h"
#include "lib/config/settings.h"
#include "lib/model/cause.h"
#include "lib/model/run.h"
#include "lib/model/standing.h"
#include "lib/service/halt.h"
#include "lib/store/pause.h"

#include <stddef.h>
#include <stdint.h>

/* page.css and page.js; their hashes stand in the Content-Security-Policy. */
extern const char jr_page_style[], jr_page_script[];
/* page_head.html and page_mark.svg. */
extern const char jr_page_head[], jr_page_mark[];

/* The parameters of a page that has none of its own. */
extern const char *const jr_page_no_names[];

/*
 * Everything before what is the page's own, and after it: the navigation, and at the end the
 * ways to have it as data and to have it made anew by itself.
 *   title  what it is about, before the program's name
 */
void jr_page_begin(const struct jr_visit *visit, const char *title);
void jr_page_end(const struct jr_visit *visit);

/* Where a run stands: a word in a coloured badge, and why, in a sentence. */
void jr_page_standing(struct jr_buffer *page, const struct jr_standing *standing);

/* When GitHub is asked about what is due at due_ms: a time, or what keeps it from being asked. */
void jr_page_asked(struct jr_buffer *page, const struct jr_halt *halt, int64_t due_ms,
                   int64_t now_ms);

/* Words of ours, which begin small and have no full stop, as a sentence. */
void jr_page_sentence(struct jr_buffer *page, const char *words);

/* A link to a repository's page, and one to the runs of a kind: a parameter and its value. */
void jr_page_repo_link(struct jr_buffer *page, const char *repo);
void jr_page_runs_link(struct jr_buffer *page, const char *name, const char *value,
                       const char *text);

/* A run by its names: repository, workflow, branch, number; with links. */
void jr_page_run_name(struct jr_buffer *page, const struct jr_settings *settings,
                      const struct jr_run *run);

/* The next two cells of a row: a run by its names, and where it stands. */
void jr_page_run_cells(struct jr_htable *table, const struct jr_settings *settings,
                       const struct jr_run *run);

/*
 * The next cell: the cause of a failure, which leads to the log of its job at GitHub.
 *   job_id  0: not known
 */
void jr_page_cause_cell(struct jr_htable *table, const struct jr_settings *settings,
                        const struct jr_run *run, enum jr_cause cause, uint64_t job_id);

/* A paragraph about a pause that is in force, and one for each. */
void jr_page_pause(struct jr_buffer *page, const struct jr_pause *pause);
void jr_page_pauses(struct jr_buffer *page, const struct jr_pauses *pauses);

/* A paragraph about reruns that an outage holds, in words of ours that begin small. */
void jr_page_outage(struct jr_buffer *page, const char *words);

#endif
