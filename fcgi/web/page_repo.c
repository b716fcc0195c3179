/*
 * page_repo -- GET /repos/OWNER/NAME: how it goes in one repository.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/flakyview.h"
#include "fcgi/view/repoview.h"
#include "fcgi/web/page_days.h"
#include "fcgi/web/page_jobtable.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_policy.h"
#include "fcgi/web/page_runlist.h"
#include "fcgi/web/pages.h"
#include "lib/base/say.h"
#include "lib/base/text.h"
#include "lib/format/html.h"
#include "lib/github/github.h"
#include "lib/steps/chosen.h"
#include "lib/steps/ownfile.h"
#include "lib/store/repolist.h"
#include "lib/store/runpage.h"

#include <stdio.h>
#include <stdlib.h>

#define RUNS_MOST 10
#define JOBS_MOST 10

/* What is read before anything is written. */
struct repo {
    struct jr_pauses pauses;
    struct jr_repo_health health;
    struct jr_runpage_row runs[RUNS_MOST];
    struct jr_runpage page;
    struct jr_jobtable jobs;
    /* the policy, and that of its own, which counts if the centre admits it */
    struct jr_policy policy, own_policy; /* owned */
    struct jr_ownpolicy own;             /* owned */
    struct jr_policyshow centre, ours;
    struct jr_policyshow_repo show;
    struct jr_policy_force force;
};

/* The policy in force for it, as GitHub showed its own file last. */
static enum jr_err read_policy(const struct jr_visit *visit, struct repo *repo,
                               struct jr_error *error)
{
    const struct jr_repo_row *row = &repo->health.row;
    enum jr_err err = jr_chosen_policy(visit->settings, &repo->policy);
    bool counts = false;

    if (err != JR_OK)
        return jr_error_set(error, err, "the policy cannot be read");
    if (repo->policy.repository_files) {
        err = jr_ownfile_load(visit->context->store, row->scope, &repo->own, error);
        counts = err == JR_OK && jr_ownfile_policy(&repo->own, &repo->own_policy) == JR_OK;
    }
    repo->centre = jr_page_policy_show(visit->settings);
    repo->ours = (struct jr_policyshow){ .name = JR_OWNFILE_PATH, .text = repo->own.text,
                                         .length = repo->own.length,
                                         .run_attempts = repo->centre.run_attempts };
    jr_policy_in_force(&repo->policy, counts ? &repo->own_policy : NULL, row->repo.name,
                       &repo->force);
    repo->show = (struct jr_policyshow_repo){ &repo->centre, counts ? &repo->ours : NULL,
                                              &repo->force, row->repo.name };
    return err;
}

static enum jr_err read_repo(const struct jr_visit *visit, struct repo *repo,
                             struct jr_error *error)
{
    struct jr_store *store = visit->context->store;
    struct jr_repolist_filter filter = { .now_ms = visit->now_ms, .pauses = &repo->pauses };
    struct jr_runpage_filter runs = { .conclusion = JR_RUNPAGE_ANY, .reason = JR_RUNPAGE_ANY,
                                      .pauses = &repo->pauses };
    const struct jr_runpage_place start = { .part = 0 };
    enum jr_err err = jr_pauses_read(store, visit->now_ms, &repo->pauses, error);

    if (!jr_text_is_full_name(visit->name)
        || !jr_text_copy(filter.repo, sizeof filter.repo, visit->name))
        return JR_ENOENT;
    if (err == JR_OK)
        err = jr_repolist_find(store, &filter, &repo->health, error);
    if (err != JR_OK)
        return err;
    (void)jr_text_copy(runs.repo, sizeof runs.repo, repo->health.row.repo.name);
    err = jr_runpage_read(store, &runs, &start, repo->runs, RUNS_MOST, &repo->page, error);
    if (err == JR_OK)
        err = jr_jobtable_read(&repo->jobs, store, runs.repo, visit->now_ms, JOBS_MOST, error);
    return err == JR_OK ? read_policy(visit, repo, error) : err;
}

static void add_fact(struct jr_buffer *page, const char *name, uint64_t number, const char *note)
{
    char text[JR_COUNT_SIZE];

    jr_html(page, "<div><dt>%s</dt><dd>%s<small>%s</small></dd></div>\n", name,
            jr_say_count(number, text), note);
}

static void add_figures(struct jr_buffer *page, const struct jr_repo_row *row)
{
    uint64_t ended = (uint64_t)row->sum.rescued + row->sum.not_rescued;
    char note[64], days[32];

    snprintf(days, sizeof days, "in %d days", JR_REPOLIST_DAYS);
    snprintf(note, sizeof note, "of the %llu whose end is known", (unsigned long long)ended);
    jr_buffer_add(page, "<dl class=\"figures\">\n");
    add_fact(page, "Runs recorded", row->runs, row->more_runs ? "and more" : "");
    add_fact(page, "Failed attempts", row->sum.failed, days);
    add_fact(page, "Reruns", row->sum.reruns, days);
    add_fact(page, "Runs rescued", row->sum.rescued, note);
    jr_buffer_add(page, "</dl>\n");
}

static void add_head(const struct jr_visit *visit, const struct repo *repo)
{
    const struct jr_repo_row *row = &repo->health.row;
    const struct jr_pause *pause = jr_pauses_find(&repo->pauses, row->repo.name);
    struct jr_buffer *page = visit->page;
    char web[JR_URL_SIZE];

    jr_github_web_url(visit->settings->github_api_url, web, sizeof web);
    jr_html(page, "<section class=\"health\"><div class=\"head\"><h1><bdi>%s</bdi></h1>",
            row->repo.name);
    if (*web != '\0')
        jr_html(page, "<a href=\"%s/%s/actions\" rel=\"noreferrer\">Its runs on GitHub</a>", web,
                row->repo.name);
    jr_buffer_add(page, "</div>\n<p class=\"soft\">Last event ");
    jr_page_time(page, row->repo.last_event_ms, visit->now_ms);
    jr_buffer_add(page, ", first one ");
    jr_page_time(page, row->repo.first_seen_ms, visit->now_ms);
    jr_buffer_add(page, ".");
    if (row->gone)
        jr_buffer_add(page, " GitHub did not show it when it was looked at last.");
    jr_buffer_add(page, "</p>\n");
    if (pause != NULL)
        jr_page_pause(page, pause);
    add_figures(page, row);
    jr_buffer_add(page, "</section>\n");
}

static void add_days(struct jr_buffer *page, const struct repo *repo)
{
    jr_buffer_add(
        page,
        "<section aria-labelledby=\"days\">\n<h2 id=\"days\">Reruns and rescues per day</h2>\n");
    jr_page_days(page, repo->health.days, repo->health.row.repo.name);
    jr_buffer_add(page, "</section>\n<section aria-labelledby=\"causes\">\n"
                        "<h2 id=\"causes\">Causes per day</h2>\n");
    jr_page_days_causes(page, repo->health.days);
    jr_html(
        page,
        "<p><a href=\"/causes?repository=%s\">What reruns of them were worth</a></p>\n</section>\n",
        repo->health.row.repo.name);
}

/* Whether its own file counts, and what is wrong with it. */
static void add_own(const struct jr_visit *visit, const struct repo *repo)
{
    static const char *const states[] = {
        [JR_OWNPOLICY_UNKNOWN] = "Its own file was not read by now, or may not be.",
        [JR_OWNPOLICY_NONE] = "It has no file of its own.",
        [JR_OWNPOLICY_GOOD] = "Its own file counts, under what the centre allows.",
        [JR_OWNPOLICY_BROKEN] =
            "Its own file is broken; the last good version counts, if there was one.",
    };
    struct jr_buffer *page = visit->page;
    char words[JR_OWNFILE_WORDS_SIZE];

    if (!repo->policy.repository_files) {
        jr_buffer_add(page, "<p>The centre admits no files of repositories.</p>\n");
        return;
    }
    jr_html(page, "<p>%s", states[repo->own.state]);
    if (repo->own.asked_ms != 0) {
        jr_buffer_add(page, " GitHub was asked for it ");
        jr_page_time(page, repo->own.asked_ms, visit->now_ms);
        jr_buffer_add(page, ".");
    }
    jr_buffer_add(page, "</p>\n");
    if (*jr_ownfile_words(&repo->own, words) != '\0')
        jr_html(page,
                "<p class=\"note\"><span class=\"badge bad\">broken</span> <bdi>%s</bdi></p>\n",
                words);
}

static void write_page(const struct jr_visit *visit, const struct repo *repo)
{
    const char *name = repo->health.row.repo.name;
    struct jr_buffer *page = visit->page;

    jr_page_begin(visit, name);
    add_head(visit, repo);
    jr_buffer_add(page, "<section aria-labelledby=\"runs\">\n<h2 id=\"runs\">Runs</h2>\n");
    jr_html(page,
            "<p><a href=\"/runs?repository=%s\">All its runs</a>; first those that need a person, "
            "then those that wait.</p>\n",
            name);
    jr_page_runlist(visit, "Its runs", repo->runs, repo->page.count);
    jr_buffer_add(page, "</section>\n");
    add_days(page, repo);
    jr_buffer_add(page,
                  "<section aria-labelledby=\"flaky\">\n<h2 id=\"flaky\">Flakiest jobs</h2>\n");
    jr_jobtable_add(visit, &repo->jobs);
    jr_html(page, "<p><a href=\"/jobs?repository=%s\">All its flaky jobs</a></p>\n</section>\n",
            name);
    jr_buffer_add(page,
                  "<section aria-labelledby=\"policy\">\n<h2 id=\"policy\">Policy in force</h2>\n");
    add_own(visit, repo);
    jr_page_policy_for(page, &repo->show);
    jr_buffer_add(page, "</section>\n");
    jr_page_end(visit);
}

static enum jr_err write_json(const struct jr_visit *visit, const struct repo *repo)
{
    struct jr_emit emit;
    enum jr_err err;

    jr_visit_emit(visit, &emit);
    jr_emit_open(&emit, NULL);
    jr_repoview_emit(&emit, &repo->health.row);
    jr_page_days_emit(&emit, repo->health.days);
    jr_emit_open_array(&emit, "jobs");
    for (size_t i = 0; i < repo->jobs.count; i++)
        jr_flakyview_emit(&emit, JR_FLAKY_JOB, &repo->jobs.rows[i]);
    jr_emit_close_array(&emit);
    jr_jobtable_emit_weeks(&emit, &repo->jobs);
    jr_emit_text(&emit, "own_policy_problem", repo->own.problem);
    err = jr_policyshow_emit_for(&repo->show, &emit, "policy");
    jr_emit_close(&emit);
    jr_emit_end(&emit);
    return err;
}

enum jr_err jr_page_repo(struct jr_visit *visit, struct jr_error *error)
{
    struct repo *repo = calloc(1, sizeof *repo);
    enum jr_err err;

    if (repo == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = read_repo(visit, repo, error);
    if (err == JR_OK && visit->form == JR_VISIT_HTML)
        write_page(visit, repo);
    else if (err == JR_OK)
        err = write_json(visit, repo);
    jr_policy_release(&repo->policy);
    jr_policy_release(&repo->own_policy);
    jr_ownpolicy_release(&repo->own);
    free(repo);
    return err;
}
