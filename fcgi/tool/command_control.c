/*
 * command_control -- the sub-commands that change something: rerun, forget,
 * pause, resume.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/clusterview.h"
#include "fcgi/tool/command.h"
#include "lib/base/say.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/model/standing.h"
#include "lib/service/wake.h"
#include "lib/steps/control.h"
#include "lib/steps/holding.h"
#include "lib/store/listing.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long --wait waits when it is not told, and how often it looks. */
#define WAIT_MS (2 * JR_MINUTE_MS)
#define LOOK_MS 200

/* The longest pause that ends by itself. */
#define PAUSE_MOST_MS (366 * JR_DAY_MS)

/* Records read at once. */
#define BATCH 16

/* Repositories that are named. */
#define REPOS_MOST 5

static int open_store(struct jr_command *command)
{
    int status = jr_command_load(command, false);

    return status == JR_EXIT_OK ? jr_command_open(command) : status;
}

static int read_wait(const struct jr_command *command, int64_t *wait_ms)
{
    const char *text = jr_command_value(command, "wait");

    *wait_ms = text == NULL ? 0 : WAIT_MS;
    if (text == NULL || *text == '\0')
        return JR_EXIT_OK;
    if (!jr_types_read_duration(text, wait_ms) || *wait_ms < 1 || *wait_ms > JR_DAY_MS)
        return jr_command_misused(command,
                                  "--wait: '%.100s' is not a duration up to 1d, such as 90s "
                                  "or 5m",
                                  text);
    return JR_EXIT_OK;
}

/* Has GitHub accepted a rerun since? */
static bool is_accepted(const struct jr_run *asked, const struct jr_run *run)
{
    return run->reruns > asked->reruns || run->accepted_attempt > asked->accepted_attempt;
}

/* Is the request done with, one way or the other? */
static bool is_decided(const struct jr_run *asked, const struct jr_run *run)
{
    return is_accepted(asked, run) || run->phase == JR_PHASE_CLOSED
           || (!run->by_hand && run->due_ms == 0);
}

/* Tell what has come to the history since. */
static enum jr_err tell_news(const struct jr_command *command, uint64_t run_id, uint32_t *number,
                             struct jr_error *error)
{
    struct jr_history entries[BATCH];
    size_t count;

    do {
        enum jr_err err = jr_listing_history(command->store, run_id, number, entries, BATCH, &count,
                                             error);

        if (err != JR_OK)
            return err;
        for (size_t i = 0; i < count && !command->json; i++)
            jr_command_tell_entry(&entries[i]);
        if (fflush(stdout) != 0)
            return jr_error_set(error, JR_EIO, "cannot write to standard output");
    } while (count == BATCH);
    return JR_OK;
}

/*
 * Wait until the request is decided.
 *   run  out: as it is at the end
 */
static enum jr_err wait_for_outcome(const struct jr_command *command, int64_t wait_ms,
                                    const struct jr_run *asked, struct jr_run *run,
                                    struct jr_error *error)
{
    int64_t end_ms = jr_monotonic_ms() + wait_ms;
    uint32_t number = asked->history_count;
    enum jr_err err;

    for (;;) {
        err = jr_listing_run(command->store, asked->run_id, run, error);
        if (err == JR_OK)
            err = tell_news(command, asked->run_id, &number, error);
        if (err != JR_OK || is_decided(asked, run) || jr_monotonic_ms() >= end_ms)
            return err;
        (void)poll(NULL, 0, LOOK_MS);
    }
}

/* What has come of it, at the end of the wait; returns the exit status. */
static int tell_outcome(const struct jr_run *asked, const struct jr_run *run)
{
    if (is_accepted(asked, run)) {
        printf("GitHub has accepted the rerun; attempt %u is next.\n", run->attempt);
        return JR_EXIT_OK;
    }
    if (is_decided(asked, run)) {
        /* A newer attempt that goes on has no reason of its own. */
        enum jr_reason reason = run->attempt > asked->attempt && run->phase == JR_PHASE_OPEN
                                    ? JR_REASON_RERUN_BY_OTHERS
                                    : run->reason;

        return jr_command_fail(JR_EXIT_FAILED, "not rerun: %s (%s)", jr_reason_words(reason),
                               jr_reason_token(reason));
    }
    return jr_command_fail(JR_EXIT_FAILED, "not decided yet; it goes on without waiting. See: "
                           "job-rerunner why %llu", (unsigned long long)run->run_id);
}

static void emit_rerun(struct jr_command *command, const struct jr_run *run, enum jr_reason refused,
                       bool waited, bool accepted)
{
    struct jr_emit emit;

    jr_emit_init(&emit, stdout);
    jr_emit_open(&emit, NULL);
    jr_emit_bool(&emit, "dry_run", command->dry_run);
    jr_emit_bool(&emit, "scheduled", refused == JR_REASON_NONE && !command->dry_run);
    jr_emit_text(&emit, "refused", refused == JR_REASON_NONE ? NULL : jr_reason_token(refused));
    if (waited)
        jr_emit_bool(&emit, "accepted", accepted);
    else
        jr_emit_null(&emit, "accepted");
    jr_runview_emit(&emit, "run", &command->settings, &command->pauses, run);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
}

/* Which run it is, and where it stood: "run 7 of octo/app, attempt 2 (given up: ...)". */
static void tell_asked(const struct jr_run *before, const struct jr_run *run)
{
    char repo[JR_REPO_SIZE * 3];
    struct jr_standing standing;

    jr_show_clean(repo, sizeof repo, *run->repo == '\0' ? "(unknown repository)" : run->repo);
    printf("run %llu of %s", (unsigned long long)run->run_id, repo);
    if (!before->known) {
        printf(", of which nothing is recorded");
        return;
    }
    jr_standing_of(before, &standing);
    printf(", attempt %u (%s: %s; of its jobs %u %s known, %u failed)", before->attempt,
           standing.word, standing.token, before->jobs_known,
           jr_say_plural(before->jobs_known, "is", "are"), before->jobs_failed);
}

static bool is_in_force(const struct jr_inforce *inforce, const char *name, const char *text)
{
    const char *value = jr_inforce_value(inforce, name);

    return value != NULL && strcmp(value, text) == 0;
}

/*
 * Warn of a dry run. That of the service that runs counts: the tool may have other settings.
 * Returns whether GitHub is asked.
 */
static bool warn_of_dry_run(const struct jr_command *command)
{
    struct jr_inforce inforce;
    bool dry = command->settings.dry_run, asked = true;

    if (jr_command_in_force(command, NULL, &inforce)) {
        dry = is_in_force(&inforce, "DRY_RUN", "yes");
        asked = !dry || is_in_force(&inforce, "GITHUB_TOKEN", "set")
                || is_in_force(&inforce, "GITHUB_APP_KEY", "set");
        jr_inforce_release(&inforce);
    }
    if (!asked)
        jr_command_fail(0, "DRY_RUN is on, and there is no token: GitHub is not asked, and nothing "
                           "is posted");
    else if (dry)
        jr_command_fail(0, "DRY_RUN is on: GitHub is asked, but nothing is posted");
    return asked;
}

/* What becomes of the request. */
static const char *prospect(bool asked, bool dry_run)
{
    if (!asked)
        return dry_run ? "it would be decided by its events alone"
                       : "it is decided by its events alone";
    return dry_run ? "GitHub would be asked about it, and it would be rerun if it failed"
                   : "GitHub is asked about it, and it is rerun if it failed";
}

/*
 * The run is in the outbox, or would be: say so, and wait if that is wanted.
 *   before  as it was
 */
static int follow(struct jr_command *command, int64_t wait_ms, const struct jr_run *before,
                  const struct jr_run *asked)
{
    struct jr_run run = *asked;
    struct jr_error error;
    int status = JR_EXIT_OK;
    bool waits = wait_ms != 0 && !command->dry_run, asks;

    jr_command_wake(command, run.repo, "GitHub is asked");
    asks = warn_of_dry_run(command);
    if (!command->json) {
        tell_asked(before, asked);
        printf(": %s\n", prospect(asks, command->dry_run));
    }
    if (waits && wait_for_outcome(command, wait_ms, asked, &run, &error) != JR_OK)
        return jr_command_store_failed(&error);
    if (command->json) {
        emit_rerun(command, &run, JR_REASON_NONE, waits, is_accepted(asked, &run));
        return !waits || is_accepted(asked, &run) ? JR_EXIT_OK : JR_EXIT_FAILED;
    }
    if (waits)
        status = tell_outcome(asked, &run);
    return status;
}

int jr_command_rerun(struct jr_command *command)
{
    struct jr_run run, before;
    struct jr_error error;
    char repo[JR_REPO_SIZE], who[JR_LOGIN_SIZE];
    struct jr_rerun_request request = { .who = who };
    int64_t wait_ms = 0;
    enum jr_reason refused;
    enum jr_err err;
    int status = jr_command_read_run(command, &request.run_id, repo);

    jr_command_caller(who);
    if (status == JR_EXIT_OK)
        status = read_wait(command, &wait_ms);
    if (status == JR_EXIT_OK)
        status = open_store(command);
    if (status != JR_EXIT_OK)
        return status;
    if (repo[0] != '\0')
        request.repo = repo;
    err = jr_listing_run(command->store, request.run_id, &before, &error);
    if (err == JR_ENOENT)
        memset(&before, 0, sizeof before);
    if (err == JR_OK || err == JR_ENOENT)
        err = jr_control_rerun(command->store, &command->settings, &request, command->now_ms, &run,
                               &refused, &error);
    if (err == JR_ENOENT)
        return jr_command_fail(JR_EXIT_FAILED, "%s; to have it rerun all the same, name it by its "
                               "address: https://github.com/OWNER/NAME/actions/runs/%llu",
                               error.text, (unsigned long long)request.run_id);
    if (err != JR_OK)
        return jr_command_store_failed(&error);
    if (refused == JR_REASON_NONE)
        return follow(command, wait_ms, &before, &run);
    if (command->json)
        emit_rerun(command, &run, refused, false, false);
    return jr_command_fail(JR_EXIT_FAILED, "run %llu, attempt %u is not rerun: %s (%s)",
                           (unsigned long long)request.run_id, run.attempt,
                           jr_reason_words(refused), jr_reason_token(refused));
}

/* What is forgotten does not come back, so who is at a terminal is asked, and others say --yes. */
static int expect_consent(const struct jr_command *command)
{
    if (jr_command_value(command, "yes") != NULL || command->dry_run || isatty(STDIN_FILENO))
        return JR_EXIT_OK;
    return jr_command_misused(command, "forget asks before it does it, and standard input is no "
                              "terminal; with --yes it does not ask");
}

/* "2 jobs, 13 entries of history, 6 deliveries" */
static void say_parts(FILE *stream, const struct jr_forgotten *parts)
{
    fprintf(stream, "%u %s, %u %s of history, %u %s", parts->jobs,
            jr_say_plural(parts->jobs, "job", "jobs"), parts->entries,
            jr_say_plural(parts->entries, "entry", "entries"), parts->deliveries,
            jr_say_plural(parts->deliveries, "delivery", "deliveries"));
}

static int ask_consent(const struct jr_command *command, const struct jr_run *run,
                       const struct jr_forgotten *parts)
{
    char answer[16] = "", repo[JR_REPO_SIZE * 3];

    if (jr_command_value(command, "yes") != NULL)
        return JR_EXIT_OK;
    jr_show_clean(repo, sizeof repo, run->repo);
    fprintf(stderr, "Forget run %llu of %s: ", (unsigned long long)run->run_id,
            *repo == '\0' ? "(unknown repository)" : repo);
    say_parts(stderr, parts);
    fputs("? [y/N] ", stderr);
    if (fgets(answer, sizeof answer, stdin) == NULL || strchr("yY", answer[0]) == NULL
        || answer[0] == '\0')
        return jr_command_fail(JR_EXIT_FAILED, "nothing is forgotten");
    return JR_EXIT_OK;
}

static int tell_forgotten(const struct jr_command *command, const struct jr_run *run,
                          const struct jr_forgotten *forgotten)
{
    struct jr_emit emit;
    char repo[JR_REPO_SIZE * 3];

    if (command->json) {
        jr_emit_init(&emit, stdout);
        jr_emit_open(&emit, NULL);
        jr_emit_bool(&emit, "dry_run", command->dry_run);
        jr_emit_number(&emit, "run_id", (int64_t)run->run_id);
        jr_emit_text(&emit, "repository", run->repo);
        jr_emit_number(&emit, "jobs", forgotten->jobs);
        jr_emit_number(&emit, "history", forgotten->entries);
        jr_emit_number(&emit, "deliveries", forgotten->deliveries);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
        return JR_EXIT_OK;
    }
    jr_show_clean(repo, sizeof repo, *run->repo == '\0' ? "(unknown repository)" : run->repo);
    printf("run %llu of %s %s: ", (unsigned long long)run->run_id, repo,
           command->dry_run ? "would be forgotten" : "is forgotten");
    say_parts(stdout, forgotten);
    putchar('\n');
    return JR_EXIT_OK;
}

/*
 * Forget a run, or only try to.
 *   who  forgets it
 */
static int forget(struct jr_command *command, bool tries, const struct jr_run *run,
                  const char *who, struct jr_forgotten *forgotten)
{
    struct jr_error error;
    enum jr_err err;

    jr_store_only_try(command->store, tries);
    err = jr_control_forget(command->store, run->run_id, who, jr_now_ms(), forgotten, &error);
    return err == JR_OK ? JR_EXIT_OK : jr_command_store_failed(&error);
}

/* Does a host ask for its rerun just now, or does nobody know what came of that? */
static int expect_no_post(const struct jr_command *command, uint64_t run_id)
{
    struct jr_clusterview *view = malloc(sizeof *view);
    int status = JR_EXIT_OK;

    if (view == NULL || !jr_clusterview_open(view, command))
        status = jr_command_fail(JR_EXIT_FAILED, "out of memory");
    else if (view->etcd != NULL && !jr_clusterview_claims(view, run_id))
        status = jr_command_fail(JR_EXIT_FAILED, "etcd does not tell whether it is being rerun: %s",
                                 view->text);
    for (size_t i = 0; view != NULL && status == JR_EXIT_OK && i < view->count; i++)
        if (view->claims[i].state == JR_CLAIM_POSTING)
            status = jr_command_fail(JR_EXIT_FAILED, "%s has asked for the rerun of attempt %u, and "
                                     "what came of it is not known yet; try again later",
                                     view->claims[i].name, view->attempts[i]);
    if (view != NULL)
        jr_clusterview_close(view);
    free(view);
    return status;
}

int jr_command_forget(struct jr_command *command)
{
    struct jr_forgotten forgotten;
    struct jr_run run;
    struct jr_error error;
    char repo[JR_REPO_SIZE], who[JR_LOGIN_SIZE];
    uint64_t run_id;
    int status = jr_command_read_run(command, &run_id, repo);

    jr_command_caller(who);
    if (status == JR_EXIT_OK)
        status = expect_consent(command);
    if (status == JR_EXIT_OK)
        status = open_store(command);
    if (status != JR_EXIT_OK)
        return status;
    if (jr_listing_run(command->store, run_id, &run, &error) != JR_OK)
        return jr_command_store_failed(&error);
    status = expect_no_post(command, run_id);
    if (status == JR_EXIT_OK)
        status = forget(command, true, &run, who, &forgotten);
    if (status == JR_EXIT_OK && !command->dry_run) {
        status = ask_consent(command, &run, &forgotten);
        if (status == JR_EXIT_OK)
            status = forget(command, false, &run, who, &forgotten);
        if (status == JR_EXIT_OK)
            jr_wake_send(command->settings.state_dir);
    }
    return status == JR_EXIT_OK ? tell_forgotten(command, &run, &forgotten) : status;
}

/* NULL: there is no memory. */
static struct jr_clusterview *open_view(const struct jr_command *command)
{
    struct jr_clusterview *view = malloc(sizeof *view);

    if (view != NULL && jr_clusterview_open(view, command))
        return view;
    free(view);
    return NULL;
}

/* Returns good; if it is not, that is told. */
static bool close_view(struct jr_clusterview *view, bool good)
{
    if (!good)
        (void)jr_command_fail(JR_EXIT_FAILED, "etcd does not answer as it has to, so the other hosts "
                              "are not told, and this holds for this one only: %s",
                              view == NULL ? "out of memory" : view->text);
    if (view != NULL)
        jr_clusterview_close(view);
    free(view);
    return good;
}

/*
 * With several hosts: pause all, or end that. First, so that it holds for this one whatever
 * becomes of etcd.
 *   who   who pauses them; NULL: they are resumed
 * Returns whether all of them know.
 */
static bool tell_hosts(const struct jr_command *command, const char *who, int64_t span_ms)
{
    struct jr_clusterview *view = command->dry_run ? NULL : open_view(command);

    return command->dry_run
           || close_view(view, view != NULL
                                   && (who != NULL ? jr_clusterview_pause(view, who, span_ms)
                                                   : jr_clusterview_resume(view)));
}

static bool lift_everywhere(const struct jr_command *command, enum jr_cause cause)
{
    struct jr_clusterview *view = command->dry_run ? NULL : open_view(command);

    return command->dry_run || close_view(view, view != NULL && jr_clusterview_lift(view, cause));
}

/* Read --repo of pause and resume: patterns that a repository can match. */
static int read_repos(const struct jr_command *command, struct jr_list *patterns)
{
    int status = jr_command_read_patterns(command, "repo", patterns);
    struct jr_error error;

    for (size_t i = 0; i < patterns->count && status == JR_EXIT_OK; i++)
        if (jr_pause_check_pattern(patterns->items[i], &error) != JR_OK)
            status = jr_command_misused(command, "--repo: %s", error.text);
    return status;
}

static int read_pause(const struct jr_command *command, struct jr_pause *pause)
{
    const char *span = jr_command_value(command, "for"), *why = jr_command_value(command, "reason");
    int64_t span_ms = 0;

    if (span != NULL
        && (!jr_types_read_duration(span, &span_ms) || span_ms < JR_SECOND_MS
            || span_ms > PAUSE_MOST_MS))
        return jr_command_misused(command, "--for: '%.100s' is not a duration from 1s to 366d, "
                                  "such as 30m or 2h", span);
    if (span != NULL)
        pause->until_ms = command->now_ms + span_ms;
    if (why == NULL)
        return JR_EXIT_OK;
    if (strlen(why) >= sizeof pause->why)
        return jr_command_misused(command, "--reason: longer than %zu bytes",
                                  sizeof pause->why - 1);
    if (!jr_show_is_fit(why))
        return jr_command_misused(command, "--reason: not UTF-8, or with a character that is not "
                                  "shown, such as a control character");
    (void)jr_text_copy(pause->why, sizeof pause->why, why);
    return JR_EXIT_OK;
}

/* What waits, and how much of it pauses hold up: with those of before, and of after a command. */
struct held {
    uint64_t waiting, runs, before; /* of the first JR_LISTING_WAITING_MAX entries */
    char repos[REPOS_MOST][JR_REPO_SIZE]; /* of those that are held up then */
    size_t repo_count;
    bool more; /* there are other repositories */
};

static void note_repo(struct held *held, const char *repo)
{
    size_t i = 0;

    while (i < held->repo_count && strcmp(held->repos[i], repo) != 0)
        i++;
    if (i < held->repo_count)
        return;
    if (i == REPOS_MOST)
        held->more = true;
    else
        (void)jr_text_copy(held->repos[held->repo_count++], JR_REPO_SIZE, repo);
}

/*
 * Look through what waits.
 *   pauses  those that are in force after the command; before it, command->pauses
 */
static int look_at_held(const struct jr_command *command, const struct jr_pauses *pauses,
                        struct held *held)
{
    struct jr_listing_outbox listing = { .ended = false };
    struct jr_run runs[BATCH];
    struct jr_error error;
    size_t count;

    memset(held, 0, sizeof *held);
    while (!listing.ended && held->waiting < JR_LISTING_WAITING_MAX) {
        if (jr_listing_outbox(command->store, &listing, runs, BATCH, &count, &error) != JR_OK)
            return jr_command_store_failed(&error);
        held->waiting += count;
        for (size_t i = 0; i < count; i++) {
            held->before += jr_pauses_hold(&command->pauses, &runs[i]) != NULL;
            if (jr_pauses_hold(pauses, &runs[i]) == NULL)
                continue;
            held->runs++;
            note_repo(held, runs[i].repo);
        }
    }
    return JR_EXIT_OK;
}

/* What a command about pauses has come to, or would come to. */
struct pausing {
    struct jr_pauses pauses; /* those in force then */
    struct jr_pauses ended;
    bool resumes; /* it ends some */
    struct held held;
};

/* Tell what is paused now, and in JSON what is no longer. */
static void emit_pausing(const struct jr_command *command, const struct pausing *pausing)
{
    const struct jr_pause *whole = jr_pauses_whole(&pausing->pauses), *since = whole;
    const struct held *held = &pausing->held;
    struct jr_emit emit;

    if (whole == NULL && pausing->resumes)
        since = jr_pauses_whole(&pausing->ended);
    jr_emit_init(&emit, stdout);
    jr_emit_open(&emit, NULL);
    jr_emit_bool(&emit, "dry_run", command->dry_run);
    jr_emit_bool(&emit, "paused", whole != NULL);
    jr_emit_time(&emit, "paused_since", since == NULL ? 0 : since->since_ms);
    jr_runview_emit_pauses(&emit, "pauses", &pausing->pauses);
    if (pausing->resumes)
        jr_runview_emit_pauses(&emit, "ended", &pausing->ended);
    jr_emit_number(&emit, "waiting", (int64_t)held->waiting);
    jr_emit_number(&emit, "held", (int64_t)held->runs);
    jr_emit_number(&emit, "held_before", (int64_t)held->before);
    jr_emit_open_array(&emit, "held_repositories");
    for (size_t i = 0; i < held->repo_count; i++)
        jr_emit_text(&emit, NULL, held->repos[i]);
    jr_emit_close_array(&emit);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
}

static void print_pauses(const char *before, const struct jr_pauses *pauses)
{
    char words[JR_PAUSE_WORDS_SIZE], clean[3 * JR_PAUSE_WORDS_SIZE];

    for (size_t i = 0; i < pauses->count; i++) {
        jr_show_clean(clean, sizeof clean, jr_pause_words(&pauses->items[i], words));
        printf("%s: %s\n", before, clean);
    }
}

static void print_held(const struct jr_command *command, const struct held *held)
{
    char repo[JR_REPO_SIZE * 3];

    if (held->waiting == 0) {
        printf("nothing waits\n");
        return;
    }
    printf("%llu of %s%llu %s that %s %s held up (%llu %s)", (unsigned long long)held->runs,
           held->waiting >= JR_LISTING_WAITING_MAX ? "the first " : "",
           (unsigned long long)held->waiting, jr_say_plural(held->waiting, "run", "runs"),
           jr_say_plural(held->waiting, "waits", "wait"),
           command->dry_run ? "would be" : jr_say_plural(held->runs, "is", "are"),
           (unsigned long long)held->before, command->dry_run ? "now" : "before");
    for (size_t i = 0; i < held->repo_count; i++) {
        jr_show_clean(repo, sizeof repo, held->repos[i]);
        printf("%s%s", i == 0 ? ": " : ", ", *repo == '\0' ? "(unknown repository)" : repo);
    }
    printf("%s\n", held->more ? " and others" : "");
}

int jr_command_pause(struct jr_command *command)
{
    struct jr_pause wanted = { .since_ms = 0 };
    struct pausing pausing = { .resumes = false };
    struct jr_list patterns = { .count = 0 };
    struct jr_error error;
    bool told = true;
    int status = read_repos(command, &patterns);

    jr_command_caller(wanted.who);
    if (status == JR_EXIT_OK)
        status = read_pause(command, &wanted);
    if (status == JR_EXIT_OK)
        status = open_store(command);
    if (status == JR_EXIT_OK && patterns.count == 0)
        told = tell_hosts(command, wanted.who,
                          wanted.until_ms == 0 ? 0 : wanted.until_ms - command->now_ms);
    if (status == JR_EXIT_OK
        && jr_control_pause(command->store, &patterns, &wanted, command->now_ms, &pausing.pauses,
                            &error)
               != JR_OK)
        status = jr_command_store_failed(&error);
    jr_list_release(&patterns);
    if (status == JR_EXIT_OK && !command->dry_run)
        jr_wake_send(command->settings.state_dir);
    if (status == JR_EXIT_OK)
        status = look_at_held(command, &pausing.pauses, &pausing.held);
    if (status != JR_EXIT_OK)
        return status;
    if (command->json) {
        emit_pausing(command, &pausing);
    } else {
        print_pauses(command->dry_run ? "would be paused" : "paused", &pausing.pauses);
        print_held(command, &pausing.held);
    }
    return told ? JR_EXIT_OK : JR_EXIT_FAILED;
}

/* What is resumed, and what keeps some of it paused. */
static int tell_resumed(const struct jr_command *command, const struct jr_list *patterns,
                        const struct pausing *pausing)
{
    bool held = false, dry = command->dry_run;

    for (size_t i = 0; i < patterns->count; i++)
        held |= jr_pauses_find(&pausing->pauses, patterns->items[i]) != NULL;
    if (command->json) {
        emit_pausing(command, pausing);
    } else {
        print_pauses(dry ? "would be resumed" : "resumed", &pausing->ended);
        if (pausing->ended.count == 0)
            printf("%s %s not paused\n", patterns->count == 0 ? "everything" : "that",
                   dry ? "is" : "was");
        print_pauses(dry ? "would still be paused" : "still paused", &pausing->pauses);
        print_held(command, &pausing->held);
    }
    return held ? JR_EXIT_FAILED : JR_EXIT_OK;
}

/* Read --outage: a cause that can be held, or none for all. */
static int read_cause(const struct jr_command *command, enum jr_cause *cause)
{
    const char *word = jr_command_value(command, "outage");

    *cause = JR_CAUSE_NONE;
    if (jr_command_value(command, "repo") != NULL)
        return jr_command_misused(command, "--outage is for all repositories: it cannot be given "
                                  "with --repo");
    if (*word == '\0')
        return JR_EXIT_OK;
    *cause = jr_cause_from(word);
    if (!jr_cause_is_infrastructural(*cause))
        return jr_command_misused(command, "--outage: '%.100s' is no infrastructural cause, such as "
                                  "registry; job-rerunner-policy(5) has all of them", word);
    return JR_EXIT_OK;
}

/* holdings: as they were before. */
static void tell_lifted(const struct jr_command *command, const struct jr_causeholds *lifted,
                        const struct jr_holdings *holdings)
{
    struct jr_emit emit;

    if (command->json) {
        jr_emit_init(&emit, stdout);
        jr_emit_open(&emit, NULL);
        jr_emit_bool(&emit, "dry_run", command->dry_run);
        jr_runview_emit_outages(&emit, "lifted", lifted, holdings->waiting);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
        return;
    }
    for (size_t i = 0; i < lifted->count; i++) {
        uint64_t waiting = holdings->waiting[lifted->items[i].cause];

        printf("reruns for %s %s held no longer; %llu %s for it\n",
               jr_cause_name(lifted->items[i].cause), command->dry_run ? "would be" : "are",
               (unsigned long long)waiting, jr_say_plural(waiting, "run waits", "runs wait"));
    }
    if (lifted->count == 0)
        printf("no reruns %s held\n", command->dry_run ? "are" : "were");
}

static int resume_outage(struct jr_command *command)
{
    struct jr_causeholds lifted;
    struct jr_holdings holdings;
    struct jr_error error;
    char who[JR_LOGIN_SIZE];
    enum jr_cause cause;
    bool told;
    int status = read_cause(command, &cause);

    jr_command_caller(who);
    if (status == JR_EXIT_OK)
        status = open_store(command);
    if (status != JR_EXIT_OK)
        return status;
    told = lift_everywhere(command, cause);
    if (jr_holding_read(command->store, command->now_ms, &holdings, &error) != JR_OK
        || jr_control_lift(command->store, cause, who, command->now_ms, &lifted, &error) != JR_OK)
        return jr_command_store_failed(&error);
    if (!command->dry_run)
        jr_wake_send(command->settings.state_dir);
    tell_lifted(command, &lifted, &holdings);
    return told ? JR_EXIT_OK : JR_EXIT_FAILED;
}

static int resume_pauses(struct jr_command *command)
{
    struct pausing pausing = { .resumes = true };
    struct jr_list patterns = { .count = 0 };
    struct jr_error error;
    char who[JR_LOGIN_SIZE];
    bool told = true;
    int status = read_repos(command, &patterns);

    jr_command_caller(who);
    if (status == JR_EXIT_OK)
        status = open_store(command);
    if (status == JR_EXIT_OK && patterns.count == 0)
        told = tell_hosts(command, NULL, 0);
    if (status == JR_EXIT_OK
        && jr_control_resume(command->store, &patterns, who, command->now_ms, &pausing.ended,
                             &pausing.pauses, &error)
               != JR_OK)
        status = jr_command_store_failed(&error);
    if (status == JR_EXIT_OK && !command->dry_run)
        jr_wake_send(command->settings.state_dir);
    if (status == JR_EXIT_OK)
        status = look_at_held(command, &pausing.pauses, &pausing.held);
    if (status == JR_EXIT_OK)
        status = tell_resumed(command, &patterns, &pausing);
    jr_list_release(&patterns);
    return told ? status : JR_EXIT_FAILED;
}

int jr_command_resume(struct jr_command *command)
{
    return jr_command_value(command, "outage") != NULL ? resume_outage(command)
                                                       : resume_pauses(command);
}
