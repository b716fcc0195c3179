/*
 * page_status -- GET /status: how it goes, on one page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_status.h"
#include "fcgi/view/health.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_settings.h"
#include "lib/base/say.h"
#include "lib/base/timestamp.h"
#include "lib/format/html.h"
#include "lib/service/halt.h"
#include "lib/steps/chosen.h"
#include "lib/steps/holding.h"
#include "lib/steps/spending.h"
#include "lib/store/days.h"
#include "lib/store/flaky.h"
#include "lib/store/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much of each is shown. */
#define RUNS_MOST 50

/* Where more runs than this had events within the hour, those shown are of the newest runs. */
#define RUNS_LOOKS 120

#define WAITING_MOST 25
#define DAYS JR_FLAKY_RECENT_DAYS
#define FLAKY_MOST 15
#define RUNNERS_MOST 10

/* What is read before anything is written. */
struct status {
    struct jr_listing_counts counts;
    uint64_t used_bytes, map_bytes;
    struct jr_halt halt;
    struct jr_pauses pauses;
    struct jr_holdings holdings;
    struct jr_run waiting[WAITING_MOST];
    size_t waiting_count;
    struct jr_run runs[RUNS_MOST];
    size_t runs_count;
    struct jr_day days[DAYS];
    struct jr_flaky jobs[FLAKY_MOST];
    size_t jobs_count;
    struct jr_flaky_total jobs_total;
    struct jr_flaky runners[RUNNERS_MOST];
    size_t runners_count;
    struct jr_spending_view spending;
    struct jr_sight sight;
    const struct jr_sight *seen; /* that, or NULL: no service is running */
};

static enum jr_err read_runs(struct jr_store *store, struct status *status, struct jr_error *error)
{
    const struct jr_listing_filter all = { .phase = JR_LISTING_ANY_PHASE,
                                           .most_looks = RUNS_LOOKS };
    struct jr_listing listing = { .ended = false };
    enum jr_err err = JR_OK;

    while (err == JR_OK && !listing.ended && status->runs_count < RUNS_MOST) {
        size_t count;

        err = jr_listing_runs(store, &all, &listing, status->runs + status->runs_count,
                              RUNS_MOST - status->runs_count, &count, error);
        status->runs_count += count;
    }
    return err;
}

static enum jr_err read_waiting(struct jr_store *store, struct status *status,
                                struct jr_error *error)
{
    struct jr_listing_outbox listing = { .ended = false };
    enum jr_err err = JR_OK;

    while (err == JR_OK && !listing.ended && status->waiting_count < WAITING_MOST) {
        size_t count;

        err = jr_listing_outbox(store, &listing, status->waiting + status->waiting_count,
                                WAITING_MOST - status->waiting_count, &count, error);
        status->waiting_count += count;
    }
    return err;
}

static enum jr_err read_flaky(struct jr_store *store, struct status *status, int64_t now_ms,
                              struct jr_error *error)
{
    enum jr_err err = jr_flaky_recent(store, JR_FLAKY_JOB, now_ms, status->jobs, FLAKY_MOST,
                                      &status->jobs_count, error);

    if (err == JR_OK)
        err = jr_flaky_recent(store, JR_FLAKY_RUNNER, now_ms, status->runners, RUNNERS_MOST,
                              &status->runners_count, error);
    if (err == JR_OK)
        err = jr_flaky_recent_total(store, now_ms, &status->jobs_total, error);
    return err;
}

static enum jr_err read_limits(const struct jr_context *context, struct status *status,
                               int64_t now_ms, struct jr_error *error)
{
    struct jr_policy policy;
    enum jr_err err = jr_chosen_policy(context->settings, &policy);

    if (err != JR_OK)
        return jr_error_set(error, err, "the policy cannot be read");
    err = jr_spending_look(context->store, &policy, now_ms, &status->spending, error);
    jr_policy_release(&policy);
    return err;
}

static enum jr_err read_status(const struct jr_context *context, struct status *status,
                               int64_t now_ms, struct jr_error *error)
{
    struct jr_store *store = context->store;
    enum jr_err err = jr_listing_count(store, &status->counts, error);

    if (err == JR_OK)
        err = jr_halt_read(store, context->settings, now_ms, &status->halt, error);
    if (err == JR_OK)
        err = jr_store_usage(store, &status->used_bytes, &status->map_bytes, error);
    if (err == JR_OK)
        err = jr_pauses_read(store, now_ms, &status->pauses, error);
    if (err == JR_OK)
        err = jr_holding_read(store, now_ms, &status->holdings, error);
    if (err == JR_OK)
        err = read_waiting(store, status, error);
    if (err == JR_OK)
        err = read_runs(store, status, error);
    if (err == JR_OK)
        err = jr_days_read(store, now_ms, status->days, DAYS, error);
    if (err == JR_OK)
        err = read_flaky(store, status, now_ms, error);
    if (err == JR_OK)
        err = read_limits(context, status, now_ms, error);
    return err;
}

/* The 30 days together. */
static struct jr_day sum_of(const struct status *status)
{
    struct jr_day sum = { .start_ms = 0 };

    for (size_t i = 0; i < DAYS; i++) {
        sum.failed += status->days[i].failed;
        sum.reruns += status->days[i].reruns;
        sum.rescued += status->days[i].rescued;
        sum.not_rescued += status->days[i].not_rescued;
    }
    return sum;
}

static void add_figure(struct jr_buffer *page, const char *name, const char *value,
                       const char *note)
{
    jr_html(page, "<div><dt>%s</dt><dd>%s", name, value);
    if (*note != '\0')
        jr_html(page, "<small>%s</small>", note);
    jr_buffer_add(page, "</dd></div>\n");
}

static void add_figures(struct jr_buffer *page, const struct status *status)
{
    struct jr_day sum = sum_of(status);
    uint32_t ended = sum.rescued + sum.not_rescued;
    char number[JR_COUNT_SIZE], note[96], bytes[JR_BYTES_SIZE], map[JR_BYTES_SIZE];

    jr_buffer_add(page, "<dl class=\"figures\">\n");
    add_figure(page, "Waiting", jr_say_count(status->counts.waiting, number),
               "to be asked about at GitHub");
    snprintf(note, sizeof note, "in %d days, %u today", DAYS, status->days[DAYS - 1].reruns);
    add_figure(page, "Reruns", jr_say_count(sum.reruns, number), note);
    if (ended > 0)
        snprintf(note, sizeof note, "%.0f %% of the %u whose end is known",
                 100.0 * sum.rescued / ended, ended);
    else
        snprintf(note, sizeof note, "in %d days", DAYS);
    add_figure(page, "Runs rescued", jr_say_count(sum.rescued, number), note);
    snprintf(note, sizeof note, "%s of %s in use",
             jr_say_bytes((int64_t)status->used_bytes, bytes),
             jr_say_bytes((int64_t)status->map_bytes, map));
    add_figure(page, "Runs recorded", jr_say_count(status->counts.runs, number), note);
    jr_buffer_add(page, "</dl>\n");
}

static void add_health(struct jr_buffer *page, const struct jr_context *context,
                       const struct status *status, int64_t now_ms)
{
    const struct jr_ailment *found[JR_AILMENTS_MAX];
    size_t count = jr_health_look(context->settings, status->seen, context->worker >= 0, now_ms,
                                  found);
    bool fails = count > 0 && found[0]->fails;

    jr_html(page, "<section class=\"health %s\">\n<h1>%s</h1>\n",
            fails ? "bad" : count > 0 ? "wait" : "good",
            fails       ? "It cannot do its work"
            : count > 0 ? "It works, but something needs a look"
                        : "All is well");
    if (count > 0)
        jr_buffer_add(page, "<ul>\n");
    for (size_t i = 0; i < count; i++)
        jr_html(page, "<li><strong>%s</strong> <span class=\"soft\">%s "
                      "<span class=\"mono\">(%s)</span></span></li>\n",
                found[i]->what, found[i]->remedy, found[i]->word);
    jr_buffer_add(page, count > 0 ? "</ul>\n<p class=\"soft\">"
                                  : "<p class=\"soft\">Webhooks are recorded, and a dispatcher "
                                    "is at work. ");
    if (status->seen != NULL) {
        jr_buffer_add(page, "Started ");
        jr_page_time(page, status->seen->started_ms, now_ms);
        jr_buffer_add(page, ".");
    }
    jr_buffer_add(page, "</p>\n");
    add_figures(page, status);
    jr_buffer_add(page, "</section>\n");
}

#define TABLE_BEGIN(class) "<table class=\"rows" class "\" role=\"table\"><thead role=\"rowgroup\"><tr role=\"row\">"
#define COLUMN(name) "<th role=\"columnheader\" scope=\"col\">" name "</th>"
#define NUMBERS(name) "<th role=\"columnheader\" scope=\"col\" class=\"num\">" name "</th>"
#define TABLE_ROWS "</tr></thead>\n<tbody role=\"rowgroup\">\n"
#define TABLE_END "</tbody></table>\n"

static void add_run_cells(struct jr_buffer *page, const struct jr_settings *settings,
                          const struct jr_run *run)
{
    struct jr_standing standing;

    jr_buffer_add(page, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">");
    jr_page_run_name(page, settings, run);
    jr_buffer_add(page, "</th><td role=\"cell\" class=\"why\"><div>");
    jr_standing_of(run, &standing);
    jr_page_standing(page, &standing);
    jr_buffer_add(page, "</div></td>");
    jr_html(page, "<td role=\"cell\" class=\"num\" data-label=\"Attempt\">%u</td>", run->attempt);
}

/* What many runs fail for, and how far that is. */
static void add_outages(struct jr_buffer *page, const struct jr_holdings *holdings)
{
    for (size_t i = 0; i < holdings->holds.count; i++) {
        const struct jr_causehold *hold = &holdings->holds.items[i];
        uint64_t waiting = holdings->waiting[hold->cause];
        char line[JR_HOLDING_WORDS_SIZE + 64], words[JR_HOLDING_WORDS_SIZE];

        if (hold->phase == JR_CAUSEHOLD_FREE)
            continue;
        snprintf(line, sizeof line, "%s; %llu %s", jr_holding_words(hold, words),
                 (unsigned long long)waiting, jr_say_plural(waiting, "run waits", "runs wait"));
        jr_page_outage(page, line);
    }
}

static void add_limit_row(struct jr_buffer *page, const char *name,
                          const struct jr_spending_row *row)
{
    jr_html(page, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">%s</th>", name);
    jr_html(page, "<td role=\"cell\" class=\"num\" data-label=\"Reruns this hour\">%u", row->reruns);
    if (row->reruns_limit != 0)
        jr_html(page, " of %u", row->reruns_limit);
    jr_html(page, "</td><td role=\"cell\" class=\"num\" data-label=\"Minutes today\">%llu",
            (unsigned long long)row->minutes);
    if (row->minutes_limit != 0)
        jr_html(page, " of %u", row->minutes_limit);
    jr_buffer_add(page, "</td></tr>\n");
}

/* What is left of the policy's limits; nothing is shown where there are none. */
static void add_limits(struct jr_buffer *page, const struct status *status)
{
    const struct jr_spending_view *spending = &status->spending;

    if (!spending->limited)
        return;
    jr_buffer_add(page, "<section aria-labelledby=\"limits\">\n<h2 id=\"limits\">Limits</h2>\n");
    jr_html(page, "<p>%s%llu %s for budget. ", spending->whole ? "" : "At least ",
            (unsigned long long)spending->waiting,
            jr_say_plural(spending->waiting, "run waits", "runs wait"));
    jr_html(page, "Repositories that have spent 80 %% of a limit: %u; all of it: %u.</p>\n",
            spending->near + spending->over, spending->over);
    jr_buffer_add(page, TABLE_BEGIN("") COLUMN("Repository") NUMBERS("Reruns this hour")
                            NUMBERS("Minutes today") TABLE_ROWS);
    add_limit_row(page, "all", &spending->all);
    for (size_t i = 0; i < spending->count; i++)
        add_limit_row(page, spending->rows[i].repo, &spending->rows[i]);
    jr_buffer_add(page, TABLE_END "</section>\n");
}

static void add_waiting(struct jr_buffer *page, const struct jr_settings *settings,
                        const struct status *status, int64_t now_ms)
{
    const struct jr_halt all = jr_halt_with(&status->halt, jr_pauses_whole(&status->pauses));

    jr_buffer_add(page, "<section aria-labelledby=\"waiting\">\n<h2 id=\"waiting\">Waiting</h2>\n");
    jr_page_pauses(page, &status->pauses);
    add_outages(page, &status->holdings);
    if (status->waiting_count == 0) {
        jr_buffer_add(page, "<p class=\"empty\">Nothing is waiting. A run that looks failed stands "
                            "here until GitHub has been asked about it.</p>\n</section>\n");
        return;
    }
    if (all.until != NULL)
        jr_html(page, "<p>Nothing is asked until %s.</p>\n", all.until);
    if (all.until_ms != 0) {
        jr_html(page, "<p>No call is made now (%s): the next one is made ", all.word);
        jr_page_time(page, all.until_ms, now_ms);
        jr_buffer_add(page, ".</p>\n");
    }
    if (status->counts.waiting > status->waiting_count)
        jr_html(page, "<p>The first %zu of %llu.</p>\n", status->waiting_count,
                (unsigned long long)status->counts.waiting);
    else if (all.word == NULL)
        jr_buffer_add(page, "<p>GitHub is asked about these runs before anything is rerun.</p>\n");
    jr_buffer_add(page, TABLE_BEGIN(" runs") COLUMN("Run") COLUMN("Why") NUMBERS("Attempt")
                            NUMBERS("Since") NUMBERS("Asked") TABLE_ROWS);
    for (size_t i = 0; i < status->waiting_count; i++) {
        const struct jr_run *run = &status->waiting[i];

        add_run_cells(page, settings, run);
        jr_buffer_add(page, "<td role=\"cell\" class=\"num soft\" data-label=\"Since\">");
        jr_page_time(page, run->waiting_ms, now_ms);
        jr_buffer_add(page, "</td><td role=\"cell\" class=\"num\" data-label=\"Asked\">");
        struct jr_halt halt = jr_halt_with(&status->halt, jr_pauses_find(&status->pauses, run->repo));

        jr_page_asked(page, &halt, run->due_ms, now_ms);
        jr_buffer_add(page, "</td></tr>\n");
    }
    jr_buffer_add(page, TABLE_END "</section>\n");
}

static void add_runs(struct jr_buffer *page, const struct jr_settings *settings,
                     const struct status *status, int64_t now_ms)
{
    jr_buffer_add(page, "<section aria-labelledby=\"runs\">\n<h2 id=\"runs\">Last runs</h2>\n");
    if (status->runs_count == 0) {
        jr_buffer_add(page, "<p class=\"empty\">No event has come yet. Once a webhook of a "
                            "repository points here, its runs appear.</p>\n</section>\n");
        return;
    }
    jr_buffer_add(page, TABLE_BEGIN(" runs") COLUMN("Run") COLUMN("Verdict") NUMBERS("Attempt")
                            NUMBERS("Last event") TABLE_ROWS);
    for (size_t i = 0; i < status->runs_count; i++) {
        const struct jr_run *run = &status->runs[i];

        add_run_cells(page, settings, run);
        jr_buffer_add(page, "<td role=\"cell\" class=\"num soft\" data-label=\"Last event\">");
        jr_page_time(page, run->last_event_ms, now_ms);
        jr_buffer_add(page, "</td></tr>\n");
    }
    jr_buffer_add(page, TABLE_END "</section>\n");
}

/* The chart: a slot for each day, in units of the view box, with two bars in it. */
#define SLOT 20
#define BAR 7
#define HEIGHT 100

/* The top of the scale: 2, 4, 10, 20, 40, 100 ... so that its half is a round number too. */
static uint32_t scale_of(uint32_t most)
{
    uint32_t unit = 1;

    while (unit < UINT32_MAX / 100 && most > 10 * unit)
        unit *= 10;
    return most <= 2 * unit ? 2 * unit : most <= 4 * unit ? 4 * unit : 10 * unit;
}

static void add_bar(struct jr_buffer *page, const char *class, double x, uint32_t value,
                    uint32_t top)
{
    double height = (double)value * HEIGHT / top;

    if (value > 0)
        jr_html(page, "<rect class=\"%s\" x=\"%.1f\" y=\"%.2f\" width=\"%d\" height=\"%.2f\"/>",
                class, x, HEIGHT - height, BAR, height);
}

/* "23 Nov" */
static void short_day(int64_t time_ms, char text[16])
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char day[JR_DAY_SIZE];
    int month;

    jr_page_day(time_ms, day);
    month = (day[5] - '0') * 10 + (day[6] - '0');
    snprintf(text, 16, "%d %.3s", (day[8] - '0') * 10 + (day[9] - '0'),
             months + (ptrdiff_t)(month - 1) * 3);
}

static void add_svg(struct jr_buffer *page, const struct status *status, uint32_t top)
{
    const struct jr_day sum = sum_of(status);
    char day[16];

    jr_html(page,
            "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-labelledby=\"chart-title chart-desc\">"
            "<title id=\"chart-title\">Reruns and rescues per day</title>"
            "<desc id=\"chart-desc\">The last %d days. Reruns: %u; runs that ended in success "
            "after one: %u. The table below has each day.</desc>\n",
            DAYS * SLOT, HEIGHT, DAYS, sum.reruns, sum.rescued);
    for (int line = 0; line <= 2; line++)
        jr_html(page, "<line class=\"grid\" x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", DAYS * SLOT,
                line * HEIGHT / 2, line * HEIGHT / 2);
    for (size_t i = 0; i < DAYS; i++) {
        const struct jr_day *each = &status->days[i];
        double x = (double)(i * SLOT) + (SLOT - 2 * BAR) / 2.0;

        short_day(each->start_ms, day);
        jr_html(page, "\n<g class=\"day\"><title>%s: reruns %u, rescued %u</title>"
                      "<rect class=\"hit\" x=\"%zu\" y=\"0\" width=\"%d\" height=\"%d\"/>",
                day, each->reruns, each->rescued, i * SLOT, SLOT, HEIGHT);
        add_bar(page, "bar", x, each->reruns, top);
        add_bar(page, "bar good", x + BAR, each->rescued, top);
        jr_buffer_add(page, "</g>");
    }
    jr_buffer_add(page, "</svg>\n");
}

static void add_days_table(struct jr_buffer *page, const struct status *status)
{
    jr_buffer_add(page, "<details><summary>The same as a table</summary>\n<table><thead><tr>"
                        "<th scope=\"col\">Day</th><th scope=\"col\" class=\"num\">Failed attempts</th>"
                        "<th scope=\"col\" class=\"num\">Reruns</th>"
                        "<th scope=\"col\" class=\"num\">Rescued</th>"
                        "<th scope=\"col\" class=\"num\">Not rescued</th></tr></thead>\n<tbody>\n");
    for (size_t i = DAYS; i-- > 0;) {
        const struct jr_day *each = &status->days[i];
        char day[JR_DAY_SIZE];

        jr_html(page, "<tr><th scope=\"row\">%s</th><td class=\"num\">%u</td><td class=\"num\">%u</td>"
                      "<td class=\"num\">%u</td><td class=\"num\">%u</td></tr>\n",
                jr_page_day(each->start_ms, day), each->failed, each->reruns, each->rescued,
                each->not_rescued);
    }
    jr_buffer_add(page, "</tbody></table>\n</details>\n");
}

static void add_chart(struct jr_buffer *page, const struct status *status)
{
    uint32_t most = 0, top;
    char first[16], middle[16], number[JR_COUNT_SIZE];

    for (size_t i = 0; i < DAYS; i++) {
        most = status->days[i].reruns > most ? status->days[i].reruns : most;
        most = status->days[i].rescued > most ? status->days[i].rescued : most;
    }
    jr_buffer_add(page, "<section aria-labelledby=\"days\">\n<h2 id=\"days\">Reruns and rescues per day</h2>\n");
    if (most == 0) {
        jr_html(page, "<p class=\"empty\">None in the last %d days.</p>\n</section>\n", DAYS);
        return;
    }
    top = scale_of(most);
    short_day(status->days[0].start_ms, first);
    short_day(status->days[DAYS / 2].start_ms, middle);
    jr_buffer_add(page,
                  "<ul class=\"legend\"><li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">"
                  "<rect class=\"bar\" width=\"12\" height=\"12\" rx=\"2\"/></svg>Reruns that GitHub accepted</li>"
                  "<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">"
                  "<rect class=\"bar good\" width=\"12\" height=\"12\" rx=\"2\"/></svg>"
                  "Runs that then succeeded</li></ul>\n<div class=\"chart\">\n");
    jr_html(page, "<div class=\"y\" aria-hidden=\"true\"><span>%s</span>",
            jr_say_count(top, number));
    jr_html(page, "<span>%s</span><span>0</span></div>\n", jr_say_count(top / 2, number));
    add_svg(page, status, top);
    jr_html(page, "<div class=\"x\" aria-hidden=\"true\"><span>%s</span><span>%s</span>"
                  "<span>today</span></div>\n</div>\n",
            first, middle);
    add_days_table(page, status);
    jr_buffer_add(page, "</section>\n");
}

/* A rate in hundredths, its interval in words and as a picture. */
static void add_rate(struct jr_buffer *page, const char *label, uint64_t hits, uint64_t of)
{
    double low, high;

    jr_html(page, "<td role=\"cell\" class=\"num\" data-label=\"%s\">", label);
    if (of == 0) {
        jr_buffer_add(page, "\xe2\x80\x93</td>");
        return;
    }
    jr_wilson(hits, of, &low, &high);
    jr_html(page, "<span>%.0f %%<small>%.0f to %.0f %%</small>"
                  "<svg class=\"range\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
                  "<rect class=\"track\" y=\"3\" width=\"100\" height=\"4\"/>"
                  "<rect class=\"span\" x=\"%.1f\" y=\"3\" width=\"%.1f\" height=\"4\"/>"
                  "<rect class=\"dot\" x=\"%.1f\" width=\"2.5\" height=\"10\"/></svg></span></td>",
            100.0 * (double)hits / (double)of, 100 * low, 100 * high, 100 * low,
            100 * (high - low), 97.5 * (double)hits / (double)of);
}

static void add_number(struct jr_buffer *page, const char *label, uint64_t value)
{
    char number[JR_COUNT_SIZE];

    jr_html(page, "<td role=\"cell\" class=\"num\" data-label=\"%s\">%s</td>", label,
            jr_say_count(value, number));
}

static void add_flaky_name(struct jr_buffer *page, const struct jr_flaky *row)
{
    jr_html(page, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"><bdi class=\"name\">%s</bdi>"
                  "<small>%s", row->name, row->repo);
    if (*row->group != '\0')
        jr_html(page, " &middot; <bdi>%s</bdi>", row->group);
    jr_buffer_add(page, "</small></th>");
}

/* What does not count against jobs, as sentences behind others. */
static void add_apart(struct jr_buffer *page, const struct jr_flaky *sum)
{
    char number[JR_COUNT_SIZE];

    if (sum->apart_failures == 0)
        return;
    jr_html(page, " Not among these: %s failed on <a href=\"#runners\">suspect runners</a>, ",
            jr_say_count(sum->apart_failures, number));
    jr_html(page, "of which %s were rescued. They do not count against the jobs.",
            jr_say_count(sum->apart_rescued, number));
}

static void add_flaky(struct jr_buffer *page, const struct status *status)
{
    const struct jr_flaky *sum = &status->jobs_total.sum;
    char lost[JR_SPAN_SIZE], number[JR_COUNT_SIZE];

    jr_buffer_add(page, "<section aria-labelledby=\"flaky\">\n<h2 id=\"flaky\">Flakiest jobs</h2>\n");
    if (status->jobs_count == 0) {
        jr_buffer_add(page, "<p class=\"empty\">No job has failed and then passed on the same commit.");
        add_apart(page, sum);
        jr_buffer_add(page, "</p>\n</section>\n");
        return;
    }
    jr_html(page, "<p>In %d days. Rescued: it failed, and on the same commit passed in a later attempt. ",
            DAYS);
    jr_html(page, "All %s jobs together: ", jr_say_count(status->jobs_total.rows, number));
    jr_html(page, "%s executions, ", jr_say_count(sum->executions, number));
    jr_html(page, "%s failed, ", jr_say_count(sum->failures, number));
    jr_html(page, "%s rescued, ", jr_say_count(sum->rescued, number));
    jr_html(page, "%s lost.", jr_say_span(sum->lost_ms, lost));
    add_apart(page, sum);
    jr_buffer_add(page, "</p>\n");
    jr_buffer_add(page, TABLE_BEGIN("") COLUMN("Job") NUMBERS("Executions") NUMBERS("Failed")
                            NUMBERS("Rescued") NUMBERS("Failed again") NUMBERS("Rescue rate")
                                NUMBERS("Time lost") TABLE_ROWS);
    for (size_t i = 0; i < status->jobs_count; i++) {
        const struct jr_flaky *row = &status->jobs[i];

        add_flaky_name(page, row);
        add_number(page, "Executions", row->executions);
        add_number(page, "Failed", row->failures);
        add_number(page, "Rescued", row->rescued);
        add_number(page, "Failed again", row->not_rescued);
        add_rate(page, "Rescue rate", row->rescued, row->rescued + row->not_rescued);
        jr_html(page, "<td role=\"cell\" class=\"num\" data-label=\"Time lost\">%s</td></tr>\n",
                row->lost_ms > 0 ? jr_say_span(row->lost_ms, lost) : "\xe2\x80\x93");
    }
    jr_buffer_add(page, TABLE_END "</section>\n");
}

static void add_runners(struct jr_buffer *page, const struct status *status)
{
    jr_buffer_add(page, "<section aria-labelledby=\"runners\">\n<h2 id=\"runners\">Suspect runners</h2>\n");
    if (status->runners_count == 0) {
        jr_buffer_add(page, "<p class=\"empty\">No runner is suspect.</p>\n</section>\n");
        return;
    }
    jr_html(page, "<p>In %d days. Blamed: a job failed there, and the same job passed on another runner of "
                  "the same labels. Suspect is one that is blamed twice at least, and for more than chance "
                  "explains: the interval lies above the rate of all runners with its labels.</p>\n", DAYS);
    jr_buffer_add(page, TABLE_BEGIN("") COLUMN("Runner") NUMBERS("Executions") NUMBERS("Failed")
                            NUMBERS("Blamed") NUMBERS("Blamed of executions")
                                NUMBERS("All with its labels") TABLE_ROWS);
    for (size_t i = 0; i < status->runners_count; i++) {
        const struct jr_flaky *row = &status->runners[i];

        add_flaky_name(page, row);
        add_number(page, "Executions", row->executions);
        add_number(page, "Failed", row->failures);
        add_number(page, "Blamed", row->blamed);
        add_rate(page, "Blamed of executions", row->blamed, row->executions);
        /* What is suspect is in its pool, so that is not empty. */
        jr_html(page, "<td role=\"cell\" class=\"num\" data-label=\"All with its labels\">%.1f %%</td></tr>\n",
                100.0 * (double)row->pool_blamed / (double)row->pool_executions);
    }
    jr_buffer_add(page, TABLE_END "</section>\n");
}

enum jr_err jr_page_status(const struct jr_context *context, struct jr_buffer *page,
                           int64_t now_ms, struct jr_error *error)
{
    struct status *status = calloc(1, sizeof *status);
    enum jr_err err;

    if (status == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    status->seen = jr_context_look(context, &status->sight);
    err = read_status(context, status, now_ms, error);
    if (err == JR_OK) {
        jr_page_begin(page, context->settings, "Status \xe2\x80\x93 job-rerunner", true, now_ms);
        add_health(page, context, status, now_ms);
        add_waiting(page, context->settings, status, now_ms);
        add_limits(page, status);
        add_chart(page, status);
        add_runs(page, context->settings, status, now_ms);
        add_flaky(page, status);
        add_runners(page, status);
        jr_page_settings(page, context->settings, status->seen, now_ms);
        jr_page_end(page);
    }
    free(status);
    return err;
}
