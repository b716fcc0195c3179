/*
 * page_runs -- GET /runs: all runs, by what somebody wants to see.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/runview.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_runlist.h"
#include "fcgi/web/page_table.h"
#include "fcgi/web/pages.h"
#include "lib/base/say.h"
#include "lib/base/text.h"
#include "lib/format/html.h"
#include "lib/store/runpage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 50

/* There are fewer words of a standing. */
#define VERDICTS 64

const char *const jr_page_runs_names[] = {
    "repository", "workflow", "branch", "conclusion", "verdict", "reason",
    "cause",      "signature", "since", "limit",      "after",   "refresh", NULL,
};

/* What is read before anything is written. */
struct runs {
    struct jr_pauses pauses;
    struct jr_runpage_row *rows; /* `limit' of them; owned */
    struct jr_runpage page;
    int64_t limit;
    struct jr_runpage_filter filter;
    struct jr_runpage_place place;
};

/* The word of a reason, if a run can have it; the other reasons are of requests. */
static const char *reason_at(int number)
{
    enum jr_reason reason = (enum jr_reason)number;

    switch (jr_reason_class(reason)) {
    case JR_CLASS_SIGNATURE:
    case JR_CLASS_REQUEST:
    case JR_CLASS_STORE:
        return NULL;
    default:
        return jr_reason_token(reason);
    }
}

static const char *conclusion_at(int number)
{
    return jr_conclusion_name((enum jr_conclusion)number);
}

static const char *cause_at(int number)
{
    return jr_cause_name((enum jr_cause)number);
}

static const char *verdict_at(int number)
{
    return jr_standing_word((size_t)number);
}

/*
 * Parameters whose value is one word of a set. Where a number has no word, word() returns NULL or
 * the word of 0.
 */
static const struct words {
    const char *name;
    const char *(*word)(int number);
    int first, count;
} sets[] = {
    { "conclusion", conclusion_at, 1, JR_CONCLUSIONS },
    { "verdict", verdict_at, 0, VERDICTS },
    { "reason", reason_at, 1, JR_REASONS },
    { "cause", cause_at, 1, JR_CAUSES },
};

enum { CONCLUSION, VERDICT, REASON, CAUSE };

/* The word of a number of a set; NULL: it has none. */
static const char *word_of(const struct words *set, int number)
{
    const char *word = set->word(number), *none = set->first > 0 ? set->word(0) : NULL;

    return word != NULL && none != NULL && strcmp(word, none) == 0 ? NULL : word;
}

/* Read such a parameter. number: out: `none' where it is not given */
static enum jr_err read_word(const struct jr_query *query, const struct words *set, int none,
                             int *number, struct jr_error *error)
{
    const char *given = jr_query_value(query, set->name);

    *number = none;
    if (*given == '\0')
        return JR_OK;
    for (int i = set->first; i < set->count; i++) {
        const char *word = word_of(set, i);

        if (word != NULL && strcmp(word, given) == 0)
            *number = i;
    }
    return *number != none ? JR_OK
                           : jr_error_set(error, JR_EINVAL, "the parameter '%s' has no '%.60s'",
                                          set->name, given);
}

/* "PART-RUN" */
static enum jr_err read_place(const struct jr_query *query, struct jr_runpage_place *place,
                              struct jr_error *error)
{
    const char *given = jr_query_value(query, "after");
    size_t length = strlen(given);

    if (length == 0)
        return JR_OK;
    if (length < 3 || length > 20 || given[0] < '0' || given[0] > '2' || given[1] != '-'
        || strspn(given + 2, "0123456789") != length - 2)
        return jr_error_set(error, JR_EINVAL, "the parameter 'after' is '%.60s', which is no place "
                            "that this page has given", given);
    place->part = (unsigned)(given[0] - '0');
    place->run_id = strtoull(given + 2, NULL, 10);
    return JR_OK;
}

/* Read what somebody wants to see. */
static enum jr_err read_filter(const struct jr_visit *visit, struct runs *runs,
                               struct jr_error *error)
{
    const struct jr_query *query = &visit->query;
    struct jr_runpage_filter *filter = &runs->filter;
    int verdict = JR_RUNPAGE_ANY, cause = JR_CAUSE_NONE;
    enum jr_err err =
        read_word(query, &sets[CONCLUSION], JR_RUNPAGE_ANY, &filter->conclusion, error);

    if (err == JR_OK)
        err = read_word(query, &sets[VERDICT], JR_RUNPAGE_ANY, &verdict, error);
    if (err == JR_OK)
        err = read_word(query, &sets[REASON], JR_RUNPAGE_ANY, &filter->reason, error);
    if (err == JR_OK)
        err = read_word(query, &sets[CAUSE], JR_CAUSE_NONE, &cause, error);
    if (err == JR_OK)
        err = jr_visit_since(visit, &filter->since_ms, error);
    if (err == JR_OK)
        err = read_place(query, &runs->place, error);
    if (err == JR_OK)
        err = jr_query_number(query, "limit", 1, JR_RUNPAGE_SIZE_MAX, &runs->limit, error);
    filter->cause = (enum jr_cause)cause;
    (void)jr_text_copy(filter->verdict, sizeof filter->verdict, jr_query_value(query, "verdict"));
    (void)jr_text_copy(filter->repo, sizeof filter->repo, jr_query_value(query, "repository"));
    (void)jr_text_copy(filter->workflow, sizeof filter->workflow,
                       jr_query_value(query, "workflow"));
    (void)jr_text_copy(filter->signature, sizeof filter->signature,
                       jr_query_value(query, "signature"));
    (void)jr_text_copy(filter->branch, sizeof filter->branch, jr_query_value(query, "branch"));
    return err;
}

static enum jr_err read_runs(const struct jr_visit *visit, struct runs *runs,
                             struct jr_error *error)
{
    struct jr_store *store = visit->context->store;
    enum jr_err err = read_filter(visit, runs, error);

    if (err == JR_OK)
        err = jr_pauses_read(store, visit->now_ms, &runs->pauses, error);
    runs->filter.pauses = &runs->pauses;
    if (err == JR_OK) {
        runs->rows = calloc((size_t)runs->limit, sizeof *runs->rows);
        if (runs->rows == NULL)
            err = jr_error_set(error, JR_ENOMEM, "out of memory");
    }
    if (err == JR_OK)
        err = jr_runpage_read(store, &runs->filter, &runs->place, runs->rows, (size_t)runs->limit,
                              &runs->page, error);
    return err;
}

/* The next page begins behind the last run of this one. */
static void tell_next(struct jr_visit *visit, const struct jr_runpage *page)
{
    char place[32];

    if (page->ended)
        return;
    snprintf(place, sizeof place, "%u-%llu", page->next.part,
             (unsigned long long)page->next.run_id);
    jr_visit_goes_on(visit, "after", place);
}

static void add_input(const struct jr_visit *visit, const char *name, const char *label,
                      const char *hint)
{
    jr_html(visit->page,
            "<label>%s <input name=\"%s\" value=\"%s\" placeholder=\"%s\" size=\"16\"></label>\n",
            label, name, jr_query_value(&visit->query, name), hint);
}

static void add_choice(const struct jr_visit *visit, const struct words *set, const char *label)
{
    const char *given = jr_query_value(&visit->query, set->name);

    jr_html(visit->page, "<label>%s <select name=\"%s\"><option value=\"\">any</option>", label,
            set->name);
    for (int i = set->first; i < set->count; i++)
        if (word_of(set, i) != NULL)
            jr_html(visit->page,
                    strcmp(word_of(set, i), given) == 0
                        ? "<option selected=\"selected\">%s</option>"
                        : "<option>%s</option>",
                    word_of(set, i));
    jr_buffer_add(visit->page, "</select></label>\n");
}

static void add_filters(const struct jr_visit *visit)
{
    jr_buffer_add(visit->page, "<form class=\"filters\" method=\"get\" action=\"/runs\" "
                               "aria-label=\"Which runs\">\n");
    add_input(visit, "repository", "Repository", "octo/*");
    add_input(visit, "workflow", "Workflow", "CI or ci.yml");
    add_input(visit, "branch", "Branch", "main");
    add_input(visit, "since", "Since", "7d");
    add_choice(visit, &sets[CONCLUSION], "Conclusion");
    add_choice(visit, &sets[VERDICT], "Verdict");
    add_choice(visit, &sets[CAUSE], "Cause");
    add_choice(visit, &sets[REASON], "Reason");
    jr_buffer_add(visit->page, "<button>Show</button> <a href=\"/runs\">all runs</a>\n</form>\n");
}

/* How to go on, and why. */
static void add_next(const struct jr_visit *visit, const struct runs *runs)
{
    const struct jr_runpage *page = &runs->page;
    char number[JR_COUNT_SIZE];

    if (page->ended && runs->place.run_id == 0 && runs->place.part == 0)
        return;
    jr_buffer_add(visit->page, "<nav class=\"paging\" aria-label=\"More runs\"><p>");
    if (page->cut)
        jr_html(visit->page, "%s runs were looked at, and there are more. ",
                jr_say_count(page->looks, number));
    if (runs->place.run_id != 0 || runs->place.part != 0)
        jr_visit_link(visit, JR_VISIT_HTML, "after", "", "From the beginning");
    if (!page->ended)
        jr_html(visit->page, " <a href=\"%s\" rel=\"next\">%s</a>", visit->next.bytes,
                page->cut ? "Go on looking" : "Older runs");
    jr_buffer_add(visit->page, "</p></nav>\n");
}

static void write_page(const struct jr_visit *visit, const struct runs *runs)
{
    struct jr_buffer *page = visit->page;

    jr_page_begin(visit, "Runs");
    jr_buffer_add(page,
                  "<section aria-labelledby=\"runs\">\n<h1 id=\"runs\">Runs</h1>\n"
                  "<p class=\"soft\">First those that need a person, then those that wait, then the "
                  "others; of each the newest first.</p>\n");
    add_filters(visit);
    if (runs->page.count == 0)
        jr_html(page, "<p class=\"empty\">%s</p>\n",
                runs->page.cut ? "None among these." : "There is no such run.");
    else
        jr_page_runlist(visit, "Runs", runs->rows, runs->page.count);
    add_next(visit, runs);
    jr_buffer_add(page, "</section>\n");
    jr_page_end(visit);
}

static void write_data(const struct jr_visit *visit, const struct runs *runs)
{
    static const struct jr_run none;
    struct jr_emit emit;

    jr_visit_emit(visit, &emit);
    jr_emit_open_array(&emit, NULL);
    jr_emit_heading(&emit, true);
    jr_runview_emit(&emit, NULL, visit->settings, &runs->pauses, &none);
    jr_emit_heading(&emit, false);
    for (size_t i = 0; i < runs->page.count; i++)
        jr_runview_emit(&emit, NULL, visit->settings, &runs->pauses, &runs->rows[i].run);
    jr_emit_close_array(&emit);
    jr_emit_end(&emit);
}

enum jr_err jr_page_runs(struct jr_visit *visit, struct jr_error *error)
{
    struct runs *runs = calloc(1, sizeof *runs);
    enum jr_err err;

    if (runs == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    runs->limit = LIMIT;
    err = read_runs(visit, runs, error);
    if (err == JR_OK) {
        tell_next(visit, &runs->page);
        if (visit->form == JR_VISIT_HTML)
            write_page(visit, runs);
        else
            write_data(visit, runs);
    }
    free(runs->rows);
    free(runs);
    return err;
}
