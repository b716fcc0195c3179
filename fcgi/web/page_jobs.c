/*
 * page_jobs -- GET /jobs: jobs that fail and then pass on the same commit, and how that goes by
 * weeks.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/flakyview.h"
#include "fcgi/web/page_jobtable.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_table.h"
#include "fcgi/web/pages.h"
#include "lib/base/say.h"
#include "lib/format/html.h"

#include <stdlib.h>

const char *const jr_page_jobs_names[] = { "repository", "limit", "refresh", NULL };

#define LIMIT 50

static enum jr_err read_jobs(const struct jr_visit *visit, struct jr_jobtable *jobs,
                             struct jr_error *error)
{
    const char *repo = jr_query_value(&visit->query, "repository");
    int64_t limit = LIMIT;
    enum jr_err err = jr_query_number(&visit->query, "limit", 1, JR_JOBTABLE_MAX, &limit, error);

    if (err != JR_OK)
        return err;
    return jr_jobtable_read(jobs, visit->context->store, *repo == '\0' ? NULL : repo, visit->now_ms,
                            (size_t)limit, error);
}

/* Sentences that tell which failures do not count against jobs. */
static void add_apart(struct jr_buffer *page, const struct jr_flaky *sum)
{
    char number[JR_COUNT_SIZE];

    if (sum->apart_failures == 0)
        return;
    jr_html(page, " Not among these: %s failed on <a href=\"/runners\">suspect runners</a>, ",
            jr_say_count(sum->apart_failures, number));
    jr_html(page, "of which %s were rescued. They do not count against the jobs.",
            jr_say_count(sum->apart_rescued, number));
}

/* All of them in a line, also those that the table has no room for. */
static void add_sum(struct jr_buffer *page, const struct jr_flaky_total *total)
{
    const struct jr_flaky *sum = &total->sum;
    char lost[JR_SPAN_SIZE], number[JR_COUNT_SIZE];

    jr_html(page, " All %s jobs together: ", jr_say_count(total->rows, number));
    jr_html(page, "%s executions, ", jr_say_count(sum->executions, number));
    jr_html(page, "%s failed, ", jr_say_count(sum->failures, number));
    jr_html(page, "%s rescued, ", jr_say_count(sum->rescued, number));
    jr_html(page, "%s lost.", jr_say_span(sum->lost_ms, lost));
    add_apart(page, sum);
}

static void write_page(const struct jr_visit *visit, const struct jr_jobtable *jobs)
{
    const char *repo = jr_query_value(&visit->query, "repository");
    struct jr_buffer *page = visit->page;

    jr_page_begin(visit, "Flaky jobs");
    jr_buffer_add(page,
                  "<section aria-labelledby=\"flaky\">\n<h1 id=\"flaky\">Flakiest jobs</h1>\n");
    if (*repo != '\0') {
        jr_html(page, "<p>Of the repository <bdi>%s</bdi> only. ", repo);
        jr_visit_link(visit, JR_VISIT_HTML, "repository", "", "Those of all");
        jr_buffer_add(page, "</p>\n");
    }
    jr_html(page,
            "<p>In %d days. Rescued: it failed, and on the same commit passed in a later attempt.",
            JR_FLAKY_RECENT_DAYS);
    if (jobs->of_all)
        add_sum(page, &jobs->total);
    jr_buffer_add(page, "</p>\n");
    jr_jobtable_add(visit, jobs);
    jr_buffer_add(page, "</section>\n");
    jr_page_end(visit);
}

static void write_data(const struct jr_visit *visit, const struct jr_jobtable *jobs)
{
    struct jr_emit emit;

    jr_visit_emit(visit, &emit);
    if (visit->form == JR_VISIT_JSON) {
        jr_emit_open(&emit, NULL);
        jr_emit_time(&emit, "since", jobs->since_ms);
        jr_flakyview_emit_all(&emit, JR_FLAKY_JOB, jobs->rows, jobs->count,
                              jobs->of_all ? &jobs->total : NULL);
        jr_jobtable_emit_weeks(&emit, jobs);
        jr_emit_close(&emit);
    } else {
        jr_flakyview_emit_list(&emit, JR_FLAKY_JOB, jobs->rows, jobs->count);
    }
    jr_emit_end(&emit);
}

enum jr_err jr_page_jobs(struct jr_visit *visit, struct jr_error *error)
{
    struct jr_jobtable *jobs = calloc(1, sizeof *jobs);
    enum jr_err err;

    if (jobs == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = read_jobs(visit, jobs, error);
    if (err == JR_OK && visit->form == JR_VISIT_HTML)
        write_page(visit, jobs);
    else if (err == JR_OK)
        write_data(visit, jobs);
    free(jobs);
    return err;
}
