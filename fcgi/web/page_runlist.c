/*
 * page_runlist -- a table of runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_runlist.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_table.h"

static const struct jr_htable_column columns[] = {
    { "Run", false, false },     { "Verdict", false, false },   { "Cause", false, true },
    { "Attempt", true, false }, { "Last event", true, false },
};

void jr_page_runlist(const struct jr_visit *visit, const char *caption,
                     const struct jr_runpage_row *rows, size_t count)
{
    struct jr_htable table;

    jr_htable_begin(&table, visit->page, caption, "runs", columns, sizeof columns / sizeof *columns,
                   visit->now_ms);
    for (size_t i = 0; i < count; i++) {
        const struct jr_runpage_row *row = &rows[i];

        jr_page_run_cells(&table, visit->settings, &row->run);
        jr_page_cause_cell(&table, visit->settings, &row->run, row->cause, row->job_id);
        jr_htable_number(&table, row->run.attempt);
        jr_htable_time(&table, row->run.last_event_ms);
    }
    jr_htable_end(&table);
}
