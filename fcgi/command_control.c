/*
 * command_control -- the sub-commands that change something: rerun, forget,
 * pause, resume.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/command.h"
#include "lib/control.h"
#include "lib/listing.h"
#include "lib/say.h"
#include "lib/timestamp.h"
#include "lib/wake.h"

#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How long --wait waits when it is not told, and how often it looks. */
#define WAIT_MS (2 * JR_MINUTE_MS)
#define LOOK_MS 200

/* Records read at once. */
#define BATCH 16

/* Who asks: for the history. Before the process becomes somebody else. */
static const char *caller(void)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *user = getpwuid(getuid());

    return sudo != NULL && *sudo != '\0' ? sudo : user != NULL ? user->pw_name : NULL;
}

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
    if (!jr_settings_read_duration(text, wait_ms) || *wait_ms < 1 || *wait_ms > JR_DAY_MS)
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
    jr_emit_bool(&emit, "scheduled", refused == JR_REASON_NONE);
    jr_emit_text(&emit, "refused", refused == JR_REASON_NONE ? NULL : jr_reason_token(refused));
    if (waited)
        jr_emit_bool(&emit, "accepted", accepted);
    else
        jr_emit_null(&emit, "accepted");
    jr_command_emit_run(&emit, "run", command, run);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
}

/* The run is in the outbox: say so, and wait if that is wanted. */
static int follow(struct jr_command *command, int64_t wait_ms, struct jr_run *asked)
{
    struct jr_run run = *asked;
    struct jr_error error;
    int status = JR_EXIT_OK;

    jr_command_wake(command, "GitHub is asked");
    if (command->settings.dry_run)
        jr_command_fail(0, "DRY_RUN is on: GitHub is asked, but nothing is posted");
    if (!command->json)
        printf("run %llu, attempt %u: GitHub is asked about it, and it is rerun if it failed\n",
               (unsigned long long)run.run_id, run.attempt);
    if (wait_ms != 0 && wait_for_outcome(command, wait_ms, asked, &run, &error) != JR_OK)
        return jr_command_store_failed(&error);
    if (command->json) {
        emit_rerun(command, &run, JR_REASON_NONE, wait_ms != 0, is_accepted(asked, &run));
        return wait_ms == 0 || is_accepted(asked, &run) ? JR_EXIT_OK : JR_EXIT_FAILED;
    }
    if (wait_ms != 0)
        status = tell_outcome(asked, &run);
    return status;
}

int jr_command_rerun(struct jr_command *command)
{
    struct jr_run run;
    struct jr_error error;
    char repo[JR_REPO_SIZE];
    const char *who = caller();
    uint64_t run_id;
    int64_t wait_ms = 0;
    enum jr_reason refused;
    enum jr_err err;
    int status = jr_command_read_run(command, &run_id, repo);

    if (status == JR_EXIT_OK)
        status = read_wait(command, &wait_ms);
    if (status == JR_EXIT_OK)
        status = open_store(command);
    if (status != JR_EXIT_OK)
        return status;
    err = jr_control_rerun(command->store, &command->settings, run_id,
                           repo[0] == '\0' ? NULL : repo, who, command->now_ms, &run, &refused,
                           &error);
    if (err == JR_ENOENT)
        return jr_command_fail(JR_EXIT_FAILED, "%s; to have it rerun all the same, name it by its "
                               "address: https://github.com/OWNER/NAME/actions/runs/%llu",
                               error.text, (unsigned long long)run_id);
    if (err != JR_OK)
        return jr_command_store_failed(&error);
    if (refused == JR_REASON_NONE)
        return follow(command, wait_ms, &run);
    if (command->json)
        emit_rerun(command, &run, refused, false, false);
    return jr_command_fail(JR_EXIT_FAILED, "run %llu, attempt %u is not rerun: %s (%s)",
                           (unsigned long long)run_id, run.attempt, jr_reason_words(refused),
                           jr_reason_token(refused));
}

int jr_command_forget(struct jr_command *command)
{
    struct jr_forgotten forgotten;
    struct jr_error error;
    struct jr_emit emit;
    char repo[JR_REPO_SIZE];
    uint64_t run_id;
    int status = jr_command_read_run(command, &run_id, repo);

    if (status == JR_EXIT_OK)
        status = open_store(command);
    if (status != JR_EXIT_OK)
        return status;
    if (jr_control_forget(command->store, run_id, &forgotten, &error) != JR_OK)
        return jr_command_store_failed(&error);
    if (command->json) {
        jr_emit_init(&emit, stdout);
        jr_emit_open(&emit, NULL);
        jr_emit_number(&emit, "run_id", (int64_t)run_id);
        jr_emit_number(&emit, "jobs", forgotten.jobs);
        jr_emit_number(&emit, "history", forgotten.entries);
        jr_emit_number(&emit, "deliveries", forgotten.deliveries);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    } else {
        printf("run %llu is forgotten: %u %s, %u %s of history, %u %s\n",
               (unsigned long long)run_id, forgotten.jobs,
               jr_say_plural(forgotten.jobs, "job", "jobs"), forgotten.entries,
               jr_say_plural(forgotten.entries, "entry", "entries"), forgotten.deliveries,
               jr_say_plural(forgotten.deliveries, "delivery", "deliveries"));
    }
    return JR_EXIT_OK;
}

static void tell_pause(const struct jr_command *command, bool paused, int64_t since_ms)
{
    struct jr_emit emit;
    char when[JR_WHEN_SIZE];

    if (command->json) {
        jr_emit_init(&emit, stdout);
        jr_emit_open(&emit, NULL);
        jr_emit_bool(&emit, "paused", paused);
        jr_emit_time(&emit, "paused_since", since_ms);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    } else if (paused) {
        printf("paused since %s: webhooks are recorded, GitHub is not called\n",
               jr_command_when(since_ms, when));
    } else if (since_ms == 0) {
        printf("it was not paused\n");
    } else {
        printf("resumed; it was paused since %s\n", jr_command_when(since_ms, when));
    }
}

int jr_command_pause(struct jr_command *command)
{
    struct jr_error error;
    int64_t since_ms;
    int status = open_store(command);

    if (status != JR_EXIT_OK)
        return status;
    if (jr_control_pause(command->store, command->now_ms, &since_ms, &error) != JR_OK)
        return jr_command_store_failed(&error);
    jr_wake_send(command->settings.state_dir);
    tell_pause(command, true, since_ms);
    return JR_EXIT_OK;
}

int jr_command_resume(struct jr_command *command)
{
    struct jr_error error;
    int64_t since_ms;
    int status = open_store(command);

    if (status != JR_EXIT_OK)
        return status;
    if (jr_control_resume(command->store, &since_ms, &error) != JR_OK)
        return jr_command_store_failed(&error);
    jr_wake_send(command->settings.state_dir);
    tell_pause(command, false, since_ms);
    return JR_EXIT_OK;
}
