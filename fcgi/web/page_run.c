/*
 * page_run -- GET /runs/ID: the story of one run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/runview.h"
#include "fcgi/view/storyview.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_table.h"
#include "fcgi/web/pages.h"
#include "lib/base/say.h"
#include "lib/base/timestamp.h"
#include "lib/format/html.h"
#include "lib/github/github.h"
#include "lib/steps/chosen.h"
#include "lib/steps/holding.h"
#include "lib/steps/ownfile.h"
#include "lib/store/listing.h"
#include "lib/store/narrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The newest jobs that are shown, the newest that failed, and the newest webhooks and other entries of the history. */
#define JOBS_MOST 100
#define FAILURES_MOST 100
#define ENTRIES_MOST 500

/* Entries read at once. */
#define BATCH 16

/* An entry of the history, as it is shown. */
struct line {
    int64_t at_ms;
    enum jr_history_kind kind;
    uint32_t attempt;
    enum jr_reason reason;
    const char *words; /* of the reason */
    int status;        /* HTTP: our answer to a webhook, GitHub's to a call; 0: none */
    char delivery[JR_DELIVERY_SIZE];
    char text[512];
};

/* The newest entries of a kind, as a ring: entry number n of them stands at n % ENTRIES_MOST. */
struct entries {
    struct line items[ENTRIES_MOST];
    size_t all; /* of these, the last ENTRIES_MOST are kept */
};

/* What is read of a run before anything is written. */
struct story {
    struct jr_run run;
    struct jr_halt halt;
    struct jr_pauses pauses;
    struct jr_causeholds holds;
    char own[JR_OWNFILE_TOLD_SIZE]; /* what is wrong with its repository's policy; empty: nothing */
    jr_causes held; /* for which of its causes reruns are held, or were until now */
    struct jr_job jobs[JOBS_MOST]; /* by id, the greatest ones */
    size_t jobs_count;
    size_t jobs_left_out;
    struct jr_failure failures[FAILURES_MOST]; /* likewise */
    size_t failures_count;
    size_t failures_left_out;
    struct entries webhooks, others;
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

static enum jr_err read_failures(struct jr_store *store, struct story *story,
                                 struct jr_error *error)
{
    struct jr_failure batch[BATCH];
    uint64_t after = 0;
    size_t count = BATCH, over;

    while (count == BATCH) {
        enum jr_err err = jr_listing_failures(store, story->run.run_id, &after, batch, BATCH,
                                              &count, error);

        if (err != JR_OK)
            return err;
        over = story->failures_count + count > FAILURES_MOST
                   ? story->failures_count + count - FAILURES_MOST
                   : 0;
        memmove(story->failures, story->failures + over,
                (story->failures_count - over) * sizeof *story->failures);
        story->failures_count -= over;
        story->failures_left_out += over;
        memcpy(story->failures + story->failures_count, batch, count * sizeof *batch);
        story->failures_count += count;
    }
    return JR_OK;
}

static void set_line(struct line *line, const struct jr_history *entry)
{
    char text[JR_NARRATE_SIZE];

    line->at_ms = entry->at_ms;
    line->kind = entry->kind;
    line->attempt = entry->attempt;
    line->reason = entry->reason;
    line->words = jr_narrate_reason(entry);
    line->status = jr_runview_status(entry);
    jr_text_copy(line->delivery, sizeof line->delivery, entry->delivery);
    jr_text_copy(line->text, sizeof line->text, jr_narrate(entry, text));
}

/* All of them, so that thousands of webhooks hide no decision. */
static enum jr_err read_entries(struct jr_store *store, struct story *story,
                                struct jr_error *error)
{
    struct jr_history batch[BATCH];
    uint32_t number = 0;
    size_t count = BATCH;

    while (count == BATCH) {
        enum jr_err err = jr_listing_history(store, story->run.run_id, &number, batch, BATCH,
                                             &count, error);

        if (err != JR_OK)
            return err;
        for (size_t i = 0; i < count; i++) {
            struct entries *entries = batch[i].kind == JR_HISTORY_EVENT ? &story->webhooks
                                                                        : &story->others;

            set_line(&entries->items[entries->all++ % ENTRIES_MOST], &batch[i]);
        }
    }
    return JR_OK;
}

static enum jr_err read_story(const struct jr_context *context, uint64_t run_id, int64_t now_ms,
                              struct story *story, struct jr_error *error)
{
    enum jr_err err = jr_listing_run(context->store, run_id, &story->run, error);

    if (err == JR_OK)
        err = jr_halt_read(context->store, context->settings, now_ms, &story->halt, error);
    if (err == JR_OK)
        err = read_jobs(context->store, story, error);
    if (err == JR_OK)
        err = read_failures(context->store, story, error);
    if (err == JR_OK)
        err = read_entries(context->store, story, error);
    if (err == JR_OK)
        err = jr_pauses_read(context->store, now_ms, &story->pauses, error);
    if (err == JR_OK)
        err = jr_holding_of_run(context->store, &story->run, now_ms, &story->holds, &story->held,
                                error);
    if (err == JR_OK && context->settings->own_files)
        err = jr_ownfile_of_run(context->store, &story->run, story->own, error);
    return err;
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
    add_fact(page, "Workflow", jr_run_workflow(run));
    add_fact(page, "Branch", run->branch);
    add_fact(page, "Fork", run->head_repo);
    add_fact(page, "Trigger", run->trigger);
    add_fact(page, "Started by", run->actor);
    if (*run->actor == '\0')
        add_fact(page, "First event by", run->first_sender);
    if (strcmp(run->actor, run->triggering_actor) != 0)
        add_fact(page, "This attempt by", run->triggering_actor);
    /* One that somebody has rerun by hand may be beyond. */
    jr_html(page,
            run->attempt <= (unsigned)settings->run_attempts
                ? "<div><dt>Attempt</dt><dd>%u <span class=\"soft\">of at most %u</span></dd></div>\n"
                : "<div><dt>Attempt</dt><dd>%u <span class=\"soft\">(RUN_ATTEMPTS is %u)</span></dd></div>\n",
            run->attempt, (unsigned)settings->run_attempts);
    jr_html(page, "<div><dt>Reruns from here</dt><dd>%u</dd></div>\n", run->reruns);
    if (run->jobs_known > 0)
        jr_html(page, "<div><dt>Jobs of this attempt</dt><dd>%u", run->jobs_known);
    else
        jr_buffer_add(page, "<div><dt>Jobs of this attempt</dt><dd>none is known");
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

/* What holds its reruns, and what comes next of that. */
static void add_outages(struct jr_buffer *page, const struct story *story)
{
    char words[JR_HOLDING_WORDS_SIZE];

    for (size_t i = 0; i < story->holds.count; i++)
        if ((story->held & (UINT64_C(1) << story->holds.items[i].cause)) != 0
            && *jr_holding_words(&story->holds.items[i], words) != '\0')
            jr_page_outage(page, words);
}

/* What is going to happen, where something is. */
static void add_prospect(struct jr_buffer *page, const struct story *story, int64_t now_ms)
{
    const struct jr_run *run = &story->run;
    const struct jr_pause *pause = jr_pauses_find(&story->pauses, run->repo);
    const struct jr_halt halt = jr_halt_with(&story->halt, pause);
    int64_t due_ms = run->due_ms != 0 ? run->due_ms : run->quiet_due_ms;

    if (due_ms == 0)
        return;
    if (run->due_ms != 0 && pause != NULL) {
        jr_buffer_add(page, "<p class=\"soft\">");
        jr_page_sentence(page, jr_reason_words(JR_REASON_PAUSED));
        jr_html(page, " <span class=\"mono\">(%s)</span></p>\n", jr_reason_token(JR_REASON_PAUSED));
        jr_page_pause(page, pause);
        return;
    }
    jr_html(page, "<p class=\"soft\">%sGitHub is asked about it ",
            run->due_ms != 0 ? "" : "If nothing is heard of it, ");
    if (jr_halt_asked_ms(&halt, due_ms) == 0)
        jr_html(page, "once it goes on: nothing is asked until %s", halt.until);
    else
        jr_page_asked(page, &halt, due_ms, now_ms);
    if (run->due_ms != 0 && run->tries > 0)
        jr_html(page, "; it was asked %u %s before", run->tries,
                jr_say_plural(run->tries, "time", "times"));
    jr_buffer_add(page, ".</p>\n");
    add_outages(page, story);
}

/* The repository's own policy has a mistake. */
static void add_own(struct jr_buffer *page, const struct story *story)
{
    if (*story->own != '\0')
        jr_html(page, "<p class=\"note\">The repository's policy is broken: <bdi>%s</bdi>.</p>\n",
                story->own);
}

/* What somebody can do about it. */
static void add_remedy(struct jr_buffer *page, const struct jr_run *run,
                       const struct jr_standing *standing)
{
    if (*standing->remedy == '\0' && !standing->rerun_helps)
        return;
    jr_html(page, "<p>%s", standing->remedy);
    if (standing->rerun_helps)
        jr_html(page, " To have it rerun by hand: <span class=\"mono\">job-rerunner rerun %llu</span>",
                (unsigned long long)run->run_id);
    jr_buffer_add(page, "</p>\n");
}

static void add_head(struct jr_buffer *page, const struct jr_settings *settings,
                     const struct story *story, int64_t now_ms)
{
    const struct jr_run *run = &story->run;
    struct jr_standing standing;
    char url[JR_URL_SIZE];

    jr_buffer_add(page, "<article class=\"run\">\n<div class=\"head\"><h1>");
    jr_page_repo_link(page, run->repo);
    jr_html(page, " run %llu</h1>", (unsigned long long)run->run_id);
    if (jr_github_run_url(settings->github_api_url, run->repo, run->run_id, url))
        jr_html(page, "<a href=\"%s\" rel=\"noreferrer\">Run %llu on GitHub</a>", url,
                (unsigned long long)run->run_id);
    jr_buffer_add(page, "</div>\n<p class=\"verdict\">");
    jr_standing_of(run, &standing);
    jr_page_standing(page, &standing);
    jr_buffer_add(page, "</p>\n");
    add_remedy(page, run, &standing);
    add_prospect(page, story, now_ms);
    add_own(page, story);
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

/* The name of a job, which leads to its log at GitHub. */
static void add_job_name(struct jr_buffer *page, const struct jr_settings *settings,
                         const struct jr_run *run, const struct jr_job *job)
{
    const char *name = *job->name == '\0' ? "(no name)" : job->name;
    char url[JR_URL_SIZE];

    if (jr_github_job_url(settings->github_api_url, run->repo, run->run_id, job->job_id, url))
        jr_html(page, "<a class=\"name\" href=\"%s\" rel=\"noreferrer\"><bdi>%s</bdi></a>", url, name);
    else
        jr_html(page, "<bdi class=\"name\">%s</bdi>", name);
    jr_buffer_add(page, job->carried_over ? " (carried over)" : "");
}

static void add_job(struct jr_htable *table, const struct jr_settings *settings,
                    const struct jr_run *run, const struct jr_job *job)
{
    bool done = job->status == JR_STATUS_COMPLETED;
    bool timed = done && !job->carried_over && job->started_ms != 0;

    jr_htable_open(table);
    add_job_name(table->page, settings, run, job);
    jr_htable_close(table);
    jr_htable_open(table);
    jr_html(table->page, "<span class=\"badge %s\">%s</span>", kind_of_job(job),
            done ? jr_conclusion_name(job->conclusion) : jr_status_name(job->status));
    jr_htable_close(table);
    jr_htable_text(table, job->runner);
    jr_htable_span(table, timed ? job->completed_ms - job->started_ms : 0);
}

static const struct jr_htable_column job_columns[] = {
    { "Job", false, false },
    { "State", false, false },
    { "Runner", false, false },
    { "Took", true, false },
};

/* The jobs of an attempt, if any is known. */
static void add_jobs(struct jr_buffer *page, const struct jr_settings *settings,
                     const struct story *story, uint32_t attempt)
{
    struct jr_htable table;
    char caption[64];
    bool open = false;

    snprintf(caption, sizeof caption, "Jobs of attempt %u", attempt);
    for (size_t i = 0; i < story->jobs_count; i++) {
        if (jr_run_attempt_of(&story->run, &story->jobs[i]) != attempt)
            continue;
        if (!open)
            jr_htable_begin(&table, page, caption, "", job_columns,
                           sizeof job_columns / sizeof *job_columns, 0);
        open = true;
        add_job(&table, settings, &story->run, &story->jobs[i]);
    }
    if (open)
        jr_htable_end(&table);
    else if (attempt == story->run.attempt)
        jr_buffer_add(page, "<p class=\"empty\">No event has told of a job.</p>\n");
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
    { JR_HISTORY_JUDGEMENT, "decision", "Policy" },
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
static void add_entry(struct jr_buffer *page, const struct line *entry, bool new_day)
{
    size_t row = row_of_kind(entry->kind);
    bool told = entry->kind == JR_HISTORY_EVENT || entry->kind == JR_HISTORY_CALL;
    char day[JR_DAY_SIZE];

    jr_html(page, "<li class=\"%s\"><span class=\"when\">", kinds[row].class);
    if (new_day)
        jr_html(page, "<span class=\"day\">%s</span> ", jr_page_day(entry->at_ms, day));
    jr_page_clock(page, entry->at_ms);
    jr_html(page, "</span><div><span class=\"kind\">%s</span>", kinds[row].name);
    if (!told) {
        jr_page_sentence(page, entry->words);
        jr_html(page, "<small><span class=\"mono\">%s</span>", jr_reason_token(entry->reason));
        if (*entry->text != '\0')
            jr_html(page, " &middot; <bdi>%s</bdi>", entry->text);
    } else {
        jr_html(page, "<bdi>%s</bdi><small>", entry->text);
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

/* The first of the entries that are kept. */
static size_t first_of(const struct entries *entries)
{
    return entries->all > ENTRIES_MOST ? entries->all - ENTRIES_MOST : 0;
}

static size_t count_of(const struct entries *entries, uint32_t attempt)
{
    size_t count = 0;

    for (size_t i = first_of(entries); i < entries->all; i++)
        count += entries->items[i % ENTRIES_MOST].attempt == attempt;
    return count;
}

static void add_entries(struct jr_buffer *page, const struct entries *entries, uint32_t attempt)
{
    char before[JR_DAY_SIZE] = "", day[JR_DAY_SIZE];

    jr_buffer_add(page, "<ol class=\"story\">\n");
    for (size_t i = first_of(entries); i < entries->all; i++) {
        const struct line *entry = &entries->items[i % ENTRIES_MOST];

        if (entry->attempt != attempt)
            continue;
        jr_page_day(entry->at_ms, day);
        add_entry(page, entry, strcmp(day, before) != 0);
        memcpy(before, day, sizeof before);
    }
    jr_buffer_add(page, "</ol>\n");
}

/* What a failure rests on, and what was made of it. */
static void add_grounds(struct jr_buffer *page, const struct jr_failure *failure)
{
    const struct jr_finding *finding = &failure->finding;
    const char *line = finding->cause == JR_CAUSE_UNKNOWN ? finding->first_error : finding->line;
    char unread[JR_FAILURE_UNREAD_SIZE];

    jr_buffer_add(page, "<small>");
    if (*line != '\0')
        jr_html(page, "<bdi class=\"mono\">%s</bdi> &middot; ", line);
    if (*failure->rule != '\0')
        jr_html(page, "by the rule <bdi>%s</bdi> ", failure->rule);
    jr_html(page, "%s", jr_failure_then(failure));
    if (*jr_failure_unread(failure, unread) != '\0')
        jr_html(page, " &middot; not read: %s", unread);
    if (finding->unreadable)
        jr_buffer_add(page, ", which might have told more");
    jr_buffer_add(page, "</small>");
}

static void add_failure(struct jr_buffer *page, const struct jr_failure *failure, bool new_day)
{
    const struct jr_finding *finding = &failure->finding;
    char day[JR_DAY_SIZE];

    jr_buffer_add(page, "<li class=\"decision\"><span class=\"when\">");
    if (new_day)
        jr_html(page, "<span class=\"day\">%s</span> ", jr_page_day(failure->recorded_ms, day));
    jr_page_clock(page, failure->recorded_ms);
    jr_html(page, "</span><div><span class=\"kind\">Cause</span><bdi>%s</bdi> failed: %s",
            failure->name,
            finding->cause == JR_CAUSE_NONE ? "not judged" : jr_cause_name(finding->cause));
    if (*finding->signature != '\0')
        jr_html(page, ", by the signature <span class=\"mono\">%s</span>", finding->signature);
    if (*finding->step != '\0')
        jr_html(page, ", in the step <bdi>%s</bdi>", finding->step);
    add_grounds(page, failure);
    jr_buffer_add(page, "</div></li>\n");
}

/* Why jobs of the attempt failed, where that was looked at. */
static void add_failures(struct jr_buffer *page, const struct story *story, uint32_t attempt)
{
    char before[JR_DAY_SIZE] = "", day[JR_DAY_SIZE];
    bool open = false;

    for (size_t i = 0; i < story->failures_count; i++) {
        const struct jr_failure *failure = &story->failures[i];

        if (failure->attempt != attempt)
            continue;
        if (!open)
            jr_html(page, "<ol class=\"story\" aria-label=\"Why jobs of attempt %u failed\">\n",
                    attempt);
        open = true;
        jr_page_day(failure->recorded_ms, day);
        add_failure(page, failure, strcmp(day, before) != 0);
        memcpy(before, day, sizeof before);
    }
    if (open)
        jr_buffer_add(page, "</ol>\n");
}

/* An attempt: its jobs, why they failed, what was decided and asked, and, folded away, its webhooks. */
static void add_attempt(struct jr_buffer *page, const struct jr_settings *settings,
                        const struct story *story, uint32_t attempt)
{
    size_t webhooks = count_of(&story->webhooks, attempt);

    jr_html(page, "<section aria-labelledby=\"attempt-%u\">\n<h2 id=\"attempt-%u\">Attempt %u</h2>\n",
            attempt, attempt, attempt);
    add_jobs(page, settings, story, attempt);
    add_failures(page, story, attempt);
    if (count_of(&story->others, attempt) > 0)
        add_entries(page, &story->others, attempt);
    if (webhooks > 0) {
        jr_html(page, "<details><summary>%zu webhook%s</summary>\n", webhooks,
                webhooks == 1 ? "" : "s");
        add_entries(page, &story->webhooks, attempt);
        jr_buffer_add(page, "</details>\n");
    }
    jr_buffer_add(page, "</section>\n");
}

/* Take the smaller of the attempts that come after one; 0: none has been found. */
static void take_next(uint32_t attempt, uint32_t after, uint32_t *next)
{
    if (attempt > after && (*next == 0 || attempt < *next))
        *next = attempt;
}

/* The next attempt of which anything is known; 0: there is none. */
static uint32_t next_attempt(const struct story *story, uint32_t after)
{
    const struct entries *kinds_of[] = { &story->webhooks, &story->others };
    uint32_t next = 0;

    take_next(story->run.attempt, after, &next);
    for (size_t i = 0; i < story->jobs_count; i++)
        take_next(jr_run_attempt_of(&story->run, &story->jobs[i]), after, &next);
    for (size_t i = 0; i < story->failures_count; i++)
        take_next(story->failures[i].attempt, after, &next);
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t i = first_of(kinds_of[kind]); i < kinds_of[kind]->all; i++)
            take_next(kinds_of[kind]->items[i % ENTRIES_MOST].attempt, after, &next);
    return next;
}

static void add_left_out(struct jr_buffer *page, const struct story *story)
{
    size_t webhooks = first_of(&story->webhooks), others = first_of(&story->others);

    if (story->jobs_left_out + story->failures_left_out + webhooks + others == 0)
        return;
    jr_buffer_add(page, "<p class=\"note soft\">");
    if (story->jobs_left_out > 0)
        jr_html(page, "The newest %zu of %zu jobs. ", story->jobs_count,
                story->jobs_count + story->jobs_left_out);
    if (story->failures_left_out > 0)
        jr_html(page, "The newest %zu of %zu causes. ", story->failures_count,
                story->failures_count + story->failures_left_out);
    if (webhooks > 0)
        jr_html(page, "The newest %d of %zu webhooks. ", ENTRIES_MOST, story->webhooks.all);
    if (others > 0)
        jr_html(page, "The newest %d of %zu decisions and calls. ", ENTRIES_MOST,
                story->others.all);
    jr_html(page, "<span class=\"mono\">job-rerunner why --events %llu</span> shows all.</p>\n",
            (unsigned long long)story->run.run_id);
}

static enum jr_err write_json(const struct jr_visit *visit, uint64_t run_id,
                              struct jr_error *error)
{
    struct jr_store *store = visit->context->store;
    struct jr_pauses pauses;
    struct jr_policy policy;
    struct jr_storyview view = { .store = store, .settings = visit->settings, .pauses = &pauses,
                                 .policy = &policy, .now_ms = visit->now_ms };
    struct jr_emit emit;
    enum jr_err err = jr_chosen_policy(visit->settings, &policy);

    if (err != JR_OK)
        return jr_error_set(error, err, "the policy cannot be read");
    err = jr_pauses_read(store, visit->now_ms, &pauses, error);
    jr_visit_emit(visit, &emit);
    if (err == JR_OK)
        err = jr_storyview_emit(&view, run_id, &emit, error);
    jr_emit_end(&emit);
    jr_policy_release(&policy);
    return err;
}

static void write_page(const struct jr_visit *visit, const struct story *story)
{
    char title[JR_REPO_SIZE + 64];

    snprintf(title, sizeof title, "Run %llu of %s", (unsigned long long)story->run.run_id,
             story->run.repo);
    jr_page_begin(visit, title);
    add_head(visit->page, visit->settings, story, visit->now_ms);
    add_left_out(visit->page, story);
    for (uint32_t attempt = 0; (attempt = next_attempt(story, attempt)) != 0;)
        add_attempt(visit->page, visit->settings, story, attempt);
    jr_page_end(visit);
}

enum jr_err jr_page_run(struct jr_visit *visit, struct jr_error *error)
{
    struct story *story;
    enum jr_err err;

    if (visit->form == JR_VISIT_JSON)
        return write_json(visit, jr_query_id(visit->name), error);
    story = calloc(1, sizeof *story);
    if (story == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = read_story(visit->context, jr_query_id(visit->name), visit->now_ms, story, error);
    if (err == JR_OK)
        write_page(visit, story);
    free(story);
    return err;
}
