/*
 * page_run -- GET /runs/ID: the story of one run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/page_parts.h"
#include "fcgi/page_run.h"
#include "lib/control.h"
#include "lib/github.h"
#include "lib/html.h"
#include "lib/listing.h"
#include "lib/say.h"
#include "lib/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The newest entries of the history that are shown, and the newest jobs. */
#define ENTRIES_MOST 500
#define JOBS_MOST 100

/* What is read of a run before anything is written. */
struct story {
    struct jr_run run;
    struct jr_pauses pauses;
    struct jr_job jobs[JOBS_MOST]; /* by id, the greatest ones */
    size_t jobs_count;
    size_t jobs_left_out;
    struct jr_history entries[ENTRIES_MOST]; /* oldest first */
    size_t entries_count;
    size_t entries_left_out;
};

/* Jobs come by id, so the newest are the last ones of all. */
static enum jr_err read_jobs(struct jr_store *store, struct story *story, struct jr_error *error)
{
    struct jr_job batch[JOBS_MOST];
    uint64_t after = 0;
    size_t count = JOBS_MOST, over;

    while (count == JOBS_MOST) {
        enum jr_err err = jr_listing_jobs(store, story->run.run_id, &after, batch, JOBS_MOST,
                                          &count, error);

        if (err != JR_OK)
            return err;
        over = story->jobs_count + count > JOBS_MOST ? story->jobs_count + count - JOBS_MOST : 0;
        memmove(story->jobs, story->jobs + over,
                (story->jobs_count - over) * sizeof *story->jobs);
        story->jobs_count -= over;
        story->jobs_left_out += over;
        memcpy(story->jobs + story->jobs_count, batch, count * sizeof *batch);
        story->jobs_count += count;
    }
    return JR_OK;
}

static enum jr_err read_story(struct jr_store *store, uint64_t run_id, int64_t now_ms,
                              struct story *story, struct jr_error *error)
{
    enum jr_err err = jr_listing_run(store, run_id, &story->run, error);
    uint32_t number;

    if (err == JR_OK)
        err = read_jobs(store, story, error);
    if (err == JR_OK)
        err = jr_control_pauses(store, now_ms, &story->pauses, error);
    if (err != JR_OK)
        return err;
    if (story->run.history_count > ENTRIES_MOST)
        story->entries_left_out = story->run.history_count - ENTRIES_MOST;
    number = (uint32_t)story->entries_left_out;
    return jr_listing_history(store, run_id, &number, story->entries, ENTRIES_MOST,
                              &story->entries_count, error);
}

static void add_fact(struct jr_buffer *page, const char *name, const char *value)
{
    if (*value != '\0')
        jr_html(page, "<div><dt>%s</dt><dd><bdi>%s</bdi></dd></div>\n", name, value);
}

static void add_facts(struct jr_buffer *page, const struct jr_settings *settings,
                      const struct jr_run *run, int64_t now_ms)
{
    jr_buffer_add(page, "<dl class=\"facts\">\n");
    add_fact(page, "Workflow", run->workflow);
    add_fact(page, "Branch", run->branch);
    add_fact(page, "Fork", run->head_repo);
    add_fact(page, "Trigger", run->trigger);
    add_fact(page, "Started by", *run->actor != '\0' ? run->actor : run->first_sender);
    if (strcmp(run->actor, run->triggering_actor) != 0)
        add_fact(page, "This attempt by", run->triggering_actor);
    jr_html(page, "<div><dt>Attempt</dt><dd>%u <span class=\"soft\">of at most %u</span></dd></div>\n",
            run->attempt, (unsigned)settings->run_attempts);
    jr_html(page, "<div><dt>Reruns from here</dt><dd>%u</dd></div>\n", run->reruns);
    jr_html(page, "<div><dt>Jobs of this attempt</dt><dd>%u", run->jobs_known);
    if (run->jobs_unfinished > 0)
        jr_html(page, ", %u unfinished", run->jobs_unfinished);
    if (run->jobs_failed > 0)
        jr_html(page, ", %u failed", run->jobs_failed);
    jr_buffer_add(page, "</dd></div>\n<div><dt>First heard of</dt><dd>");
    jr_page_time(page, run->first_event_ms, now_ms);
    jr_buffer_add(page, "</dd></div>\n<div><dt>Last event</dt><dd>");
    jr_page_time(page, run->last_event_ms, now_ms);
    jr_buffer_add(page, "</dd></div>\n</dl>\n");
}

/* What is going to happen, where something is; pause: what holds it up, NULL: nothing does. */
static void add_prospect(struct jr_buffer *page, const struct jr_run *run,
                         const struct jr_pause *pause, int64_t now_ms)
{
    if (run->due_ms != 0 && pause != NULL) {
        jr_buffer_add(page, "<p class=\"soft\">");
        jr_page_sentence(page, jr_reason_words(JR_REASON_PAUSED));
        jr_html(page, " <span class=\"mono\">(%s)</span></p>\n", jr_reason_token(JR_REASON_PAUSED));
        jr_page_pause(page, pause);
    } else if (run->due_ms != 0) {
        jr_buffer_add(page, "<p class=\"soft\">GitHub is asked about it ");
        if (run->due_ms <= now_ms)
            jr_buffer_add(page, "now");
        else
            jr_page_time(page, run->due_ms, now_ms);
        if (run->tries > 0)
            jr_html(page, "; it was asked %u %s before", run->tries,
                    jr_say_plural(run->tries, "time", "times"));
        jr_buffer_add(page, ".</p>\n");
    } else if (run->quiet_due_ms != 0) {
        jr_buffer_add(page, "<p class=\"soft\">If nothing is heard of it, GitHub is asked ");
        jr_page_time(page, run->quiet_due_ms, now_ms);
        jr_buffer_add(page, ".</p>\n");
    }
}

static void add_head(struct jr_buffer *page, const struct jr_settings *settings,
                     const struct story *story, int64_t now_ms)
{
    const struct jr_run *run = &story->run;
    char url[JR_URL_SIZE];

    jr_html(page, "<nav class=\"small\" aria-label=\"Where you are\"><a href=\"/status\">Status</a> "
                  "<span aria-hidden=\"true\">/</span> run %llu</nav>\n"
                  "<article class=\"run\">\n<div class=\"head\"><h1><bdi>%s</bdi></h1>",
            (unsigned long long)run->run_id,
            *run->repo == '\0' ? "Repository not told" : run->repo);
    if (jr_github_run_url(settings->github_api_url, run->repo, run->run_id, url))
        jr_html(page, "<a href=\"%s\" rel=\"noreferrer\">Run %llu on GitHub</a>", url,
                (unsigned long long)run->run_id);
    jr_buffer_add(page, "</div>\n<p class=\"verdict\">");
    jr_page_badge(page, run);
    jr_buffer_add(page, " <span>");
    jr_page_why(page, run);
    jr_buffer_add(page, "</span></p>\n");
    add_prospect(page, run, jr_pauses_find(&story->pauses, run->repo), now_ms);
    add_facts(page, settings, run, now_ms);
    jr_buffer_add(page, "</article>\n");
}

static const char *kind_of_job(const struct jr_job *job)
{
    if (job->status != JR_STATUS_COMPLETED)
        return "info";
    if (jr_conclusion_is_bad(job->conclusion))
        return job->conclusion == JR_CONCLUSION_CANCELLED ? "calm" : "bad";
    return job->conclusion == JR_CONCLUSION_SUCCESS ? "good" : "calm";
}

static void add_job(struct jr_buffer *page, const struct jr_job *job)
{
    bool done = job->status == JR_STATUS_COMPLETED;
    char took[JR_SPAN_SIZE] = "";

    if (done && !job->carried_over && job->started_ms != 0 && job->completed_ms >= job->started_ms)
        jr_say_span(job->completed_ms - job->started_ms, took);
    jr_html(page, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"><bdi class=\"name\">%s</bdi>%s</th>"
                  "<td role=\"cell\"><span class=\"badge %s\">%s</span></td>",
            *job->name == '\0' ? "(no name)" : job->name,
            job->carried_over ? " (carried over)" : "", kind_of_job(job),
            done ? jr_conclusion_name(job->conclusion) : jr_status_name(job->status));
    jr_html(page, "<td role=\"cell\"><bdi>%s</bdi></td>", job->runner);
    jr_html(page, "<td role=\"cell\" class=\"num\" data-label=\"Attempt\">%u</td>",
            job->attempt == 0 ? 1 : job->attempt);
    jr_html(page, "<td role=\"cell\" class=\"num\" data-label=\"Took\">%s</td></tr>\n",
            *took == '\0' ? "\xe2\x80\x93" : took);
}

static void add_jobs(struct jr_buffer *page, const struct story *story)
{
    jr_buffer_add(page, "<section aria-labelledby=\"jobs\">\n<h2 id=\"jobs\">Jobs</h2>\n");
    if (story->jobs_left_out > 0)
        jr_html(page, "<p>The newest %zu of %zu.</p>\n", story->jobs_count,
                story->jobs_count + story->jobs_left_out);
    if (story->jobs_count == 0) {
        jr_buffer_add(page, "<p class=\"empty\">No event has told of a job.</p></section>\n");
        return;
    }
    jr_buffer_add(page,
                  "<table class=\"rows\" role=\"table\"><thead role=\"rowgroup\"><tr role=\"row\">"
                  "<th role=\"columnheader\" scope=\"col\">Job</th>"
                  "<th role=\"columnheader\" scope=\"col\">State</th>"
                  "<th role=\"columnheader\" scope=\"col\">Runner</th>"
                  "<th role=\"columnheader\" scope=\"col\" class=\"num\">Attempt</th>"
                  "<th role=\"columnheader\" scope=\"col\" class=\"num\">Took</th></tr></thead>\n"
                  "<tbody role=\"rowgroup\">\n");
    for (size_t i = 0; i < story->jobs_count; i++)
        add_job(page, &story->jobs[i]);
    jr_buffer_add(page, "</tbody></table>\n</section>\n");
}

static const struct {
    enum jr_history_kind kind;
    const char *class, *name;
} kinds[] = {
    { JR_HISTORY_EVENT, "event", "Webhook" },
    { JR_HISTORY_DECISION, "decision", "Decision" },
    { JR_HISTORY_CALL, "call", "GitHub" },
    { JR_HISTORY_OUTCOME, "outcome", "Outcome" },
    { JR_HISTORY_REQUEST, "request", "By hand" },
};

static size_t row_of_kind(enum jr_history_kind kind)
{
    size_t row = sizeof kinds / sizeof *kinds - 1;

    while (row > 0 && kinds[row].kind != kind)
        row--;
    return row;
}

static void add_reason(struct jr_buffer *page, enum jr_reason reason)
{
    if (reason != JR_REASON_NONE)
        jr_html(page, "%s <span class=\"mono\">(%s)</span>", jr_reason_words(reason),
                jr_reason_token(reason));
}

/* What happened stands large, and behind it, small, what was made of it. */
static void add_entry(struct jr_buffer *page, const struct jr_history *entry, uint32_t attempt,
                      bool new_day)
{
    size_t row = row_of_kind(entry->kind);
    bool told = entry->kind == JR_HISTORY_EVENT || entry->kind == JR_HISTORY_CALL;
    char day[JR_DAY_SIZE];

    jr_html(page, "<li class=\"%s\"><span class=\"clock\">", kinds[row].class);
    if (new_day)
        jr_html(page, "<span class=\"day\">%s</span> ", jr_page_day(entry->at_ms, day));
    jr_page_clock(page, entry->at_ms);
    jr_html(page, "</span><div><span class=\"kind\">%s</span>", kinds[row].name);
    if (entry->attempt != attempt)
        jr_html(page, "<span class=\"badge\">attempt %u</span> ", entry->attempt);
    if (!told) {
        jr_page_sentence(page, jr_reason_words(entry->reason));
        jr_html(page, "<small><span class=\"mono\">%s</span>", jr_reason_token(entry->reason));
        if (*entry->detail != '\0')
            jr_html(page, " &middot; <bdi>%s</bdi>", entry->detail);
    } else {
        jr_html(page, "<bdi>%s</bdi><small>", entry->detail);
        if (entry->kind == JR_HISTORY_EVENT)
            jr_html(page, "answered %d: ", entry->status);
        else if (entry->status != 0)
            jr_html(page, "HTTP %d: ", entry->status);
        else
            jr_buffer_add(page, "no answer: ");
        add_reason(page, entry->reason);
        if (*entry->delivery != '\0')
            jr_html(page, " &middot; delivery <span class=\"mono\">%s</span>", entry->delivery);
    }
    jr_buffer_add(page, "</small></div></li>\n");
}

static void add_story(struct jr_buffer *page, const struct story *story)
{
    uint32_t attempt = 0;
    bool open = false;
    char before[JR_DAY_SIZE] = "", day[JR_DAY_SIZE];

    jr_buffer_add(page, "<section aria-labelledby=\"story\">\n<h2 id=\"story\">What happened</h2>\n");
    if (story->entries_left_out > 0)
        jr_html(page, "<p>The newest %zu of %u entries; <span class=\"mono\">job-rerunner why %llu</span> "
                      "shows all.</p>\n",
                story->entries_count, story->run.history_count,
                (unsigned long long)story->run.run_id);
    if (story->entries_count == 0)
        jr_buffer_add(page, "<p class=\"empty\">Nothing yet.</p>\n");
    for (size_t i = 0; i < story->entries_count; i++) {
        const struct jr_history *entry = &story->entries[i];

        if (!open || entry->attempt > attempt) {
            jr_buffer_add(page, open ? "</ol>\n" : "");
            open = true;
            attempt = entry->attempt;
            jr_html(page, "<h3>Attempt %u</h3>\n<ol class=\"story\">\n", attempt);
        }
        jr_page_day(entry->at_ms, day);
        add_entry(page, entry, attempt, strcmp(day, before) != 0);
        memcpy(before, day, sizeof before);
    }
    jr_buffer_add(page, open ? "</ol>\n</section>\n" : "</section>\n");
}

enum jr_err jr_page_run(const struct jr_handler *handler, uint64_t run_id, struct jr_buffer *page,
                        int64_t now_ms, struct jr_error *error)
{
    struct story *story = calloc(1, sizeof *story);
    char title[JR_REPO_SIZE + 64];
    enum jr_err err;

    if (story == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = read_story(handler->store, run_id, now_ms, story, error);
    if (err == JR_OK) {
        snprintf(title, sizeof title, "Run %llu of %s \xe2\x80\x93 job-rerunner",
                 (unsigned long long)run_id, story->run.repo);
        jr_page_begin(page, handler->settings, title, false, now_ms);
        add_head(page, handler->settings, story, now_ms);
        add_story(page, story);
        add_jobs(page, story);
        jr_page_end(page);
    }
    free(story);
    return err;
}
