/*
 * command_why -- the sub-command why: the story of one run, in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/command.h"
#include "lib/github.h"
#include "lib/listing.h"
#include "lib/say.h"
#include "lib/show.h"

#include <stdio.h>

/* Records read at once. */
#define BATCH 64

static void print_clean(const char *before, const char *text, const char *after)
{
    char clean[1024];

    jr_show_clean(clean, sizeof clean, text);
    printf("%s%s%s", before, clean, after);
}

static void tell_run(const struct jr_command *command, const struct jr_run *run)
{
    char url[JR_URL_SIZE];

    print_clean("", run->repo[0] == '\0' ? "(unknown repository)" : run->repo, "");
    printf(", run %llu", (unsigned long long)run->run_id);
    if (run->workflow[0] != '\0')
        print_clean(", workflow '", run->workflow, "'");
    if (run->branch[0] != '\0')
        print_clean(", branch '", run->branch, "'");
    if (run->actor[0] != '\0')
        print_clean(", started by ", run->actor, "");
    if (run->trigger[0] != '\0')
        print_clean(" (", run->trigger, ")");
    (void)jr_github_run_url(command->settings.github_api_url, run->repo, run->run_id, url);
    print_clean("\n", url, "\n");
}

/* Where the newest attempt stands: the answer in a sentence. */
static void tell_state(const struct jr_command *command, const struct jr_run *run)
{
    char when[JR_WHEN_SIZE], span[JR_SPAN_SIZE];
    int64_t left_ms = run->due_ms - command->now_ms;

    printf("\nAttempt %u ", run->attempt);
    if (run->phase == JR_PHASE_CLOSED)
        printf("is decided: ");
    else if (run->due_ms == 0)
        printf("is open: ");
    else if (left_ms <= 0)
        printf("waits; GitHub is to be asked since %s: ", jr_command_when(run->due_ms, when));
    else
        printf("waits; GitHub is asked at %s, in %s: ", jr_command_when(run->due_ms, when),
               jr_say_span(left_ms, span));
    if (run->reason == JR_REASON_NONE)
        printf("events are being gathered.\n");
    else
        printf("%s (%s).\n", jr_reason_words(run->reason), jr_reason_token(run->reason));
    printf("Of its jobs %u are known, %u unfinished, %u failed", run->jobs_known,
           run->jobs_unfinished, run->jobs_failed);
    if (run->complete)
        printf("; the run is completed with %s", jr_conclusion_name(run->conclusion));
    printf(".\nGitHub has accepted %u rerun%s from this service.\n", run->reruns,
           run->reruns == 1 ? "" : "s");
    if (run->by_hand)
        printf("An administrator has asked for a rerun, which is under way.\n");
}

static const struct jr_column job_columns[] = {
    { "ATTEMPT", true, false },    { "JOB", false, true },     { "STATUS", false, false },
    { "CONCLUSION", false, false }, { "TOOK", false, false },  { "RUNNER", false, true },
    { "JOB ID", true, false },
};

static void add_job(struct jr_grid *grid, const struct jr_run *run, const struct jr_job *job)
{
    char span[JR_SPAN_SIZE] = "";

    if (job->carried_over)
        snprintf(span, sizeof span, "carried over");
    else if (job->completed_ms > job->started_ms && job->started_ms != 0)
        jr_say_span(job->completed_ms - job->started_ms, span);
    jr_grid_addf(grid, "%u", jr_run_attempt_of(run, job));
    jr_grid_add(grid, job->name);
    jr_grid_add(grid, jr_status_name(job->status));
    jr_grid_add(grid,
                 job->conclusion == JR_CONCLUSION_NONE ? "" : jr_conclusion_name(job->conclusion));
    jr_grid_add(grid, span);
    jr_grid_add(grid, job->runner);
    jr_grid_addf(grid, "%llu", (unsigned long long)job->job_id);
}

/* Where the output goes: a table of jobs, or the JSON of all. */
struct story {
    struct jr_command *command;
    struct jr_run run;
    struct jr_grid grid;
    struct jr_emit emit;
};

static int tell_jobs(struct story *story)
{
    struct jr_job jobs[BATCH];
    struct jr_error error;
    uint64_t after = 0;
    size_t count;

    do {
        if (jr_listing_jobs(story->command->store, story->run.run_id, &after, jobs, BATCH, &count,
                            &error) != JR_OK)
            return jr_command_store_failed(&error);
        for (size_t i = 0; i < count; i++) {
            if (story->command->json)
                jr_command_emit_job(&story->emit, &story->run, &jobs[i]);
            else
                add_job(&story->grid, &story->run, &jobs[i]);
        }
    } while (count == BATCH);
    return JR_EXIT_OK;
}

static int tell_history(struct story *story)
{
    struct jr_history entries[BATCH];
    struct jr_error error;
    uint32_t number = 0;
    size_t count;

    do {
        if (jr_listing_history(story->command->store, story->run.run_id, &number, entries, BATCH,
                               &count, &error) != JR_OK)
            return jr_command_store_failed(&error);
        for (size_t i = 0; i < count; i++) {
            if (story->command->json) {
                jr_emit_open(&story->emit, NULL);
                jr_command_emit_entry(&story->emit, &entries[i]);
                jr_emit_close(&story->emit);
            } else {
                jr_command_tell_entry(&entries[i]);
            }
        }
    } while (count == BATCH);
    return JR_EXIT_OK;
}

static int tell_in_words(struct story *story)
{
    int status;

    tell_run(story->command, &story->run);
    tell_state(story->command, &story->run);
    jr_grid_init(&story->grid, job_columns, sizeof job_columns / sizeof *job_columns);
    status = tell_jobs(story);
    if (story->grid.used > 0)
        printf("\n");
    if (story->grid.used == 0)
        jr_grid_release(&story->grid);
    else if (status == JR_EXIT_OK)
        status = jr_command_show(story->command, &story->grid);
    if (status != JR_EXIT_OK)
        return status;
    printf("\n%-24s  AT  WHAT      IN WORDS\n", "TIME");
    return tell_history(story);
}

static int tell_as_json(struct story *story)
{
    int status;

    jr_emit_init(&story->emit, stdout);
    jr_emit_open(&story->emit, NULL);
    jr_command_emit_run(&story->emit, "run", story->command, &story->run);
    jr_emit_open_array(&story->emit, "jobs");
    status = tell_jobs(story);
    jr_emit_close_array(&story->emit);
    jr_emit_open_array(&story->emit, "history");
    if (status == JR_EXIT_OK)
        status = tell_history(story);
    jr_emit_close_array(&story->emit);
    jr_emit_close(&story->emit);
    jr_emit_end(&story->emit);
    return status;
}

int jr_command_why(struct jr_command *command)
{
    struct story story = { .command = command };
    struct jr_error error;
    char repo[JR_REPO_SIZE];
    uint64_t run_id;
    enum jr_err err;
    int status = jr_command_read_run(command, &run_id, repo);

    if (status == JR_EXIT_OK)
        status = jr_command_load(command, false);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status != JR_EXIT_OK)
        return status;
    err = jr_listing_run(command->store, run_id, &story.run, &error);
    if (err == JR_ENOENT)
        return jr_command_fail(JR_EXIT_FAILED, "%s: no webhook told of it, or it is older than "
                               "RETENTION, or it was forgotten. Does the repository have the "
                               "webhook? GitHub's page of its deliveries shows what was sent",
                               error.text);
    if (err != JR_OK)
        return jr_command_store_failed(&error);
    return command->json ? tell_as_json(&story) : tell_in_words(&story);
}
