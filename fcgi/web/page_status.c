/*
 * page_status -- GET /status: how it goes, in short.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/statusview.h"
#include "fcgi/web/page_chart.h"
#include "fcgi/web/page_days.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_runlist.h"
#include "fcgi/web/page_table.h"
#include "fcgi/web/pages.h"
#include "lib/base/say.h"
#include "lib/base/timestamp.h"
#include "lib/format/html.h"
#include "lib/service/lock.h"
#include "lib/steps/chosen.h"
#include "lib/store/days.h"
#include "lib/store/runpage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How much of each is shown. */
#define WAITING_MOST 25
#define DAYS JR_CHART_DAYS

/* Runs that need a person are looked for so far back. */
#define NEEDY_DAYS 7

/* What is read before anything is written. */
struct status {
    struct jr_statusview view;
    struct jr_pauses pauses;
    struct jr_run waiting[WAITING_MOST];
    size_t waiting_count;
    struct jr_needy needy;
    struct jr_day days[DAYS];
};

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

/* What this process knows of the service that it belongs to. */
static void look_at_service(const struct jr_visit *visit, struct jr_statusview *view)
{
    const struct jr_settings *settings = visit->settings;
    bool token = jr_settings_is_given(settings, "GITHUB_TOKEN");

    view->now_ms = visit->now_ms;
    view->state_dir = settings->state_dir;
    view->running = view->answers = jr_context_look(visit->context, &view->sight) != NULL;
    view->master_pid = visit->context->runtime != NULL ? getppid() : 0;
    view->dispatcher_at_work = jr_lock_is_held(settings->state_dir);
    view->dispatcher_pid = jr_lock_holder(settings->state_dir);
    view->app = jr_settings_is_given(settings, "GITHUB_APP_KEY");
    view->access = jr_access_look(view->app || token, view->running ? &view->sight : NULL);
    view->settings_known = view->running;
    view->dry_run = settings->dry_run;
    view->token_rejected_ms = view->sight.token_rejected_ms;
    view->token_taken_ms = view->sight.token_taken_ms;
    view->token_expires_ms = view->sight.token_expires_ms;
}

static enum jr_err read_view(const struct jr_visit *visit, struct status *status,
                             struct jr_error *error)
{
    struct jr_store *store = visit->context->store;
    struct jr_policy policy;
    enum jr_err err = jr_chosen_policy(visit->settings, &policy);

    if (err != JR_OK)
        return jr_error_set(error, err, "the policy cannot be read");
    look_at_service(visit, &status->view);
    status->view.pauses = &status->pauses;
    err = jr_pauses_read(store, visit->now_ms, &status->pauses, error);
    if (err == JR_OK)
        err = jr_statusview_read(&status->view, store, visit->settings, &policy, error);
    jr_statusview_judge(&status->view, visit->settings, visit->context->worker >= 0);
    jr_policy_release(&policy);
    return err;
}

static enum jr_err read_status(const struct jr_visit *visit, struct status *status,
                               struct jr_error *error)
{
    struct jr_store *store = visit->context->store;
    enum jr_err err = read_view(visit, status, error);

    if (visit->form != JR_VISIT_HTML)
        return err;
    if (err == JR_OK)
        err = read_waiting(store, status, error);
    if (err == JR_OK)
        err = jr_needy_read(store, visit->now_ms - NEEDY_DAYS * JR_DAY_MS, &status->needy, error);
    if (err == JR_OK)
        err = jr_days_read(store, visit->now_ms, status->days, DAYS, error);
    return err;
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
    const struct jr_statusview *view = &status->view;
    const struct jr_day *today = &status->days[DAYS - 1];
    struct jr_day sum = jr_page_days_sum(status->days);
    uint32_t ended = sum.rescued + sum.not_rescued;
    char number[JR_COUNT_SIZE], note[96], bytes[JR_BYTES_SIZE], map[JR_BYTES_SIZE];

    jr_buffer_add(page, "<dl class=\"figures\">\n");
    add_figure(page, "Waiting", jr_say_count(view->counts.waiting, number),
               "to be asked about at GitHub");
    snprintf(note, sizeof note, "in %d days, %u today", DAYS, today->reruns);
    add_figure(page, "Reruns", jr_say_count(sum.reruns, number), note);
    if (ended > 0)
        snprintf(note, sizeof note, "%.0f %% of the %u whose end is known, %u today",
                 100.0 * sum.rescued / ended, ended, today->rescued);
    else
        snprintf(note, sizeof note, "in %d days", DAYS);
    add_figure(page, "Runs rescued", jr_say_count(sum.rescued, number), note);
    snprintf(note, sizeof note, "%s of %s in use", jr_say_bytes((int64_t)view->used_bytes, bytes),
             jr_say_bytes((int64_t)view->map_bytes, map));
    add_figure(page, "Runs recorded", jr_say_count(view->counts.runs, number), note);
    jr_buffer_add(page, "</dl>\n");
}

static void add_ailments(struct jr_buffer *page, const struct jr_statusview *view)
{
    if (view->ailment_count == 0)
        return;
    jr_buffer_add(page, "<ul>\n");
    for (size_t i = 0; i < view->ailment_count; i++)
        jr_html(page, "<li><strong>%s</strong> <span class=\"soft\">%s "
                      "<span class=\"mono\">(%s)</span></span></li>\n",
                view->ailments[i]->what, view->ailments[i]->remedy, view->ailments[i]->word);
    jr_buffer_add(page, "</ul>\n");
}

static void add_health(struct jr_buffer *page, const struct status *status)
{
    const struct jr_statusview *view = &status->view;
    bool fails = !view->healthy, well = view->ailment_count == 0;

    jr_html(page, "<section class=\"health %s\">\n<h1>%s</h1>\n",
            fails ? "bad" : well ? "good" : "wait",
            fails  ? "It cannot do its work"
            : well ? "All is well"
                   : "It works, but something needs a look");
    add_ailments(page, view);
    jr_buffer_add(page, "<p class=\"soft\">");
    if (well)
        jr_buffer_add(page, "Webhooks are recorded, and a dispatcher is at work. ");
    if (view->answers) {
        jr_buffer_add(page, "Started ");
        jr_page_time(page, view->sight.started_ms, view->now_ms);
        jr_buffer_add(page, ".");
    }
    jr_buffer_add(page, "</p>\n");
    add_figures(page, status);
    jr_buffer_add(page, "</section>\n");
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

static void add_spent(struct jr_htable *table, uint64_t spent, uint64_t limit)
{
    jr_htable_open(table);
    jr_html(table->page, "%llu", (unsigned long long)spent);
    if (limit != 0)
        jr_html(table->page, " of %llu", (unsigned long long)limit);
    jr_htable_close(table);
}

static void add_limit_row(struct jr_htable *table, const struct jr_spending_row *row)
{
    jr_htable_open(table);
    if (*row->repo == '\0')
        jr_buffer_add(table->page, "<a href=\"/settings#policy\">all</a>");
    else
        jr_page_repo_link(table->page, row->repo);
    jr_htable_close(table);
    add_spent(table, row->reruns, row->reruns_limit);
    add_spent(table, row->minutes, row->minutes_limit);
}

/* What is left of the policy's limits; nothing is shown where there are none. */
static void add_limits(struct jr_buffer *page, const struct jr_spending_view *spending)
{
    static const struct jr_htable_column columns[] = {
        { "Repository", false, false },
        { "Reruns this hour", true, false },
        { "Minutes today", true, false },
    };
    struct jr_htable table;

    if (!spending->limited)
        return;
    jr_buffer_add(page, "<section aria-labelledby=\"limits\">\n<h2 id=\"limits\">Limits</h2>\n");
    jr_html(page, "<p>%s%llu %s for budget. ", spending->whole ? "" : "At least ",
            (unsigned long long)spending->waiting,
            jr_say_plural(spending->waiting, "run waits", "runs wait"));
    jr_html(page, "Repositories that have spent 80 %% of a limit: %u; all of it: %u.</p>\n",
            spending->near + spending->over, spending->over);
    jr_htable_begin(&table, page, "What the limits have left", "", columns,
                    sizeof columns / sizeof *columns, 0);
    add_limit_row(&table, &spending->all);
    for (size_t i = 0; i < spending->count; i++)
        add_limit_row(&table, &spending->rows[i]);
    jr_htable_end(&table);
    jr_buffer_add(page, "</section>\n");
}

/* What keeps GitHub from being asked, and how many wait. */
static void add_halt(struct jr_buffer *page, const struct status *status)
{
    const struct jr_statusview *view = &status->view;
    const struct jr_halt all = jr_halt_with(&view->halt, jr_pauses_whole(&status->pauses));

    if (all.until != NULL)
        jr_html(page, "<p>Nothing is asked until %s.</p>\n", all.until);
    if (all.until_ms != 0) {
        jr_html(page, "<p>No call is made now (%s): the next one is made ", all.word);
        jr_page_time(page, all.until_ms, view->now_ms);
        jr_buffer_add(page, ".</p>\n");
    }
    if (view->counts.waiting > status->waiting_count)
        jr_html(page, "<p>The first %zu of %llu. <a href=\"/runs?verdict=waiting\">All of them</a></p>\n",
                status->waiting_count, (unsigned long long)view->counts.waiting);
    else if (all.word == NULL)
        jr_buffer_add(page, "<p>GitHub is asked about these runs before anything is rerun.</p>\n");
}

static const struct jr_htable_column waiting_columns[] = {
    { "Run", false, false },  { "Why", false, false },  { "Attempt", true, false },
    { "Since", true, false }, { "Asked", true, false },
};

static void add_waiting(const struct jr_visit *visit, const struct status *status)
{
    struct jr_buffer *page = visit->page;
    struct jr_htable table;

    jr_buffer_add(page, "<section aria-labelledby=\"waiting\">\n<h2 id=\"waiting\">Waiting</h2>\n");
    jr_page_pauses(page, &status->pauses);
    add_outages(page, &status->view.holdings);
    if (status->waiting_count == 0) {
        jr_buffer_add(page, "<p class=\"empty\">Nothing is waiting. A run that looks failed stands "
                            "here until GitHub has been asked about it.</p>\n</section>\n");
        return;
    }
    add_halt(page, status);
    jr_htable_begin(&table, page, "Runs that wait", "runs", waiting_columns,
                    sizeof waiting_columns / sizeof *waiting_columns, visit->now_ms);
    for (size_t i = 0; i < status->waiting_count; i++) {
        const struct jr_run *run = &status->waiting[i];
        struct jr_halt halt = jr_halt_with(&status->view.halt,
                                           jr_pauses_find(&status->pauses, run->repo));

        jr_page_run_cells(&table, visit->settings, run);
        jr_htable_number(&table, run->attempt);
        jr_htable_time(&table, run->waiting_ms);
        jr_htable_open(&table);
        jr_page_asked(page, &halt, run->due_ms, visit->now_ms);
        jr_htable_close(&table);
    }
    jr_htable_end(&table);
    jr_buffer_add(page, "</section>\n");
}

/* How many runs need a person, and for what. */
static void add_needs(struct jr_buffer *page, const struct jr_needy *needy)
{
    bool any = false;

    jr_html(page, "<p>In %d days: %s%u %s.", NEEDY_DAYS, needy->whole ? "" : "at least ",
            needy->all, jr_say_plural(needy->all, "run failed for good", "runs failed for good"));
    for (int need = 0; need < JR_NEEDS; need++) {
        if (needy->counts[need] == 0)
            continue;
        jr_html(page, "%s %u %s", any ? "," : "", needy->counts[need],
                jr_need_words((enum jr_need)need));
        any = true;
    }
    jr_html(page, "%s <a href=\"/runs\">All runs, these first</a></p>\n", any ? "." : "");
}

/* What reruns do not help: the fault is somewhere else. */
static void add_suspects(struct jr_buffer *page, const struct jr_statusview *view)
{
    size_t count = 0;

    for (size_t i = 0; i < view->runner_count; i++)
        count += view->runners[i].suspect;
    if (count > 0)
        jr_html(page, "<p class=\"note\"><span class=\"badge wait\">%s</span> "
                      "<a href=\"/runners\">%zu %s</a> more jobs than chance explains.</p>\n",
                jr_say_plural(count, "suspect runner", "suspect runners"), count,
                jr_say_plural(count, "runner fails", "runners fail"));
}

static void add_needy(const struct jr_visit *visit, const struct status *status)
{
    const struct jr_needy *needy = &status->needy;
    struct jr_buffer *page = visit->page;

    jr_buffer_add(page,
                  "<section aria-labelledby=\"needy\">\n<h2 id=\"needy\">Needs a person</h2>\n");
    add_suspects(page, &status->view);
    if (needy->all == 0 && !needy->whole) {
        jr_html(page,
                "<p class=\"empty\">None of the newest %d that need a person had news in %d days. "
                "<a href=\"/runs\">All of them</a></p>\n</section>\n",
                JR_NEEDY_LOOKS, NEEDY_DAYS);
        return;
    }
    if (needy->all == 0) {
        jr_html(page, "<p class=\"empty\">No run of the last %d days. One that failed, and is not "
                      "rerun any more, stands here.</p>\n</section>\n",
                NEEDY_DAYS);
        return;
    }
    add_needs(page, needy);
    jr_page_runlist(visit, "The newest runs that need a person", needy->newest,
                    needy->newest_count);
    jr_buffer_add(page, "</section>\n");
}

static void add_today(const struct jr_visit *visit, const struct status *status)
{
    const struct jr_day *today = &status->days[DAYS - 1];
    struct jr_buffer *page = visit->page;

    jr_buffer_add(page, "<section aria-labelledby=\"days\">\n"
                        "<h2 id=\"days\">Today, and the days before</h2>\n");
    jr_html(page, "<p>Today, in UTC: %u failed %s, %u %s, %u %s rescued, %u not. "
                  "<a href=\"/causes\">For which causes</a></p>\n",
            today->failed, jr_say_plural(today->failed, "attempt", "attempts"), today->reruns,
            jr_say_plural(today->reruns, "rerun", "reruns"), today->rescued,
            jr_say_plural(today->rescued, "run", "runs"), today->not_rescued);
    jr_page_days(page, status->days, "");
    jr_buffer_add(page, "</section>\n");
}

static void write_page(const struct jr_visit *visit, const struct status *status)
{
    jr_page_begin(visit, "Status");
    add_health(visit->page, status);
    add_waiting(visit, status);
    add_needy(visit, status);
    add_limits(visit->page, &status->view.spending);
    add_today(visit, status);
    jr_page_end(visit);
}

enum jr_err jr_page_status(struct jr_visit *visit, struct jr_error *error)
{
    struct status *status = calloc(1, sizeof *status);
    struct jr_emit emit;
    enum jr_err err;

    if (status == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = read_status(visit, status, error);
    if (err == JR_OK && visit->form == JR_VISIT_HTML)
        write_page(visit, status);
    if (err == JR_OK && visit->form == JR_VISIT_JSON) {
        jr_visit_emit(visit, &emit);
        jr_statusview_emit(&emit, &status->view);
        jr_emit_end(&emit);
    }
    jr_statusview_release(&status->view);
    free(status);
    return err;
}
