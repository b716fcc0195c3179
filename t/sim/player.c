/*
 * player -- play webhooks, and the dispatcher's steps, into a store at chosen times.
 *
 *   player FOLDER    of the store; settings come from the environment, as for the service
 *
 * Whoever drives it (JR::Sim::Player) says on standard input what happens, a line each, in
 * the order of time; times are in ms since the epoch:
 *
 *   event TIME NAME ID BYTES    a webhook; so many bytes of payload follow the line
 *   step TIME                   the entry of the outbox that is due first: ask, decide, rerun
 *   pause TIME PATTERN WHO WHY  WHY is the rest of the line
 *   resume TIME PATTERN WHO
 *
 * Each is answered with "due TIME": when the first entry that no pause holds up is due, 0
 * when there is none. What goes wrong ends it, with a message and status 1.
 *
 * What is decided comes from the rules, and GitHub is asked through lib/github. Only the
 * time is not the clock's, so that hours take seconds. No service may be at work on the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/config/load.h"
#include "lib/github/github.h"
#include "lib/steps/control.h"
#include "lib/steps/intake.h"
#include "lib/steps/rerun.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 1024
#define BODY_SIZE (64 * 1024)

/* Nothing that is due later than this, from the time of a step, is a remnant of another clock. */
#define LATEST_MS JR_DAY_MS

/* How long after the GET a POST may still go out, as of the service. */
#define FRESH_MS (5 * JR_SECOND_MS)

struct player {
    struct jr_settings settings;
    struct jr_store *store;
    struct jr_http *http;
    struct jr_pauses pauses;
};

static void fail(const char *format, ...) JR_PRINTF(1, 2);

static void fail(const char *format, ...)
{
    va_list args;

    fputs("player: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void check(enum jr_err err, const struct jr_error *error)
{
    if (err != JR_OK)
        fail("%s", error->text);
}

/* A webhook, and the settings to judge it by. */
struct intake {
    const struct jr_settings *settings;
    struct jr_update update;
};

/* A jr_txn_body. */
static void record(struct jr_txn *txn, void *context)
{
    const struct intake *intake = context;
    struct jr_receipt receipt;

    jr_intake_apply(txn, intake->settings, &intake->update, &receipt);
}

static void play_event(struct player *player, int64_t now_ms, const char *words)
{
    static char body[BODY_SIZE];
    struct intake intake = { .settings = &player->settings, .update.now_ms = now_ms };
    struct jr_update *update = &intake.update;
    struct jr_error error = { .text = "there is nothing in it" };
    char name[32], id[64];
    size_t length;

    if (sscanf(words, "%31s %63s %zu", name, id, &length) != 3 || length >= sizeof body
        || fread(body, 1, length, stdin) != length)
        fail("a webhook is cut short, or too large");
    body[length] = '\0';
    if (jr_delivery_identify(&update->delivery, id, body, length) != JR_OK)
        fail("no id for the delivery %s", id);
    if (jr_event_read(name, body, length, &update->event, &error) != JR_PAYLOAD_EVENT)
        fail("%s %s: %s", name, id, error.text);
    check(jr_store_write(player->store, record, &intake, &error), &error);
}

/* A jr_share_wait: how long a repository has to wait for the end of a pause. */
static int64_t pause_wait_ms(void *context, const char *repo)
{
    const struct player *player = context;

    return jr_pauses_find(&player->pauses, repo) == NULL ? 0 : JR_SHARE_NONE;
}

/* The entry that is due first. False: there is none but what pauses hold up. */
static bool find_due(struct player *player, int64_t now_ms, int64_t *due_ms, struct jr_run *run)
{
    struct jr_rerun_walk walk = { .wait = pause_wait_ms, .context = player };
    struct jr_error error;
    enum jr_err err;

    check(jr_pauses_read(player->store, now_ms, &player->pauses, &error), &error);
    err = jr_rerun_first(player->store, now_ms + LATEST_MS, now_ms, &walk, due_ms, run, &error);
    if (err != JR_ENOENT)
        check(err, &error);
    return err == JR_OK;
}

static void ask(struct player *player, const struct jr_ask *question, struct jr_call *call)
{
    jr_github_ask(player->http, player->settings.github_api_url, player->settings.github_token,
                  question, call);
}

static void rerun(struct player *player, struct jr_run *run, const struct jr_verdict *decided,
                  int64_t now_ms)
{
    struct jr_call call;
    const struct jr_rerun_answer answer = {
        .call = &call, .posted = true, .attempt = decided->attempt,
    };
    struct jr_verdict verdict;
    struct jr_error error;

    ask(player, &(struct jr_ask){ .api = decided->step == JR_STEP_RERUN_ALL ? JR_API_RERUN_ALL
                                                                            : JR_API_RERUN_FAILED,
                                  .repo = run->repo, .id = run->run_id,
                                  .before_ms = jr_boottime_ms() + FRESH_MS }, &call);
    check(jr_rerun_outcome(player->store, &player->settings, &answer, run, now_ms, &verdict,
                           &error),
          &error);
}

static void play_step(struct player *player, int64_t now_ms)
{
    int64_t due_ms;
    struct jr_run run;
    struct jr_event seen;
    struct jr_call call;
    struct jr_rerun_answer answer = { .call = &call };
    struct jr_verdict verdict;
    struct jr_error error;

    if (!find_due(player, now_ms, &due_ms, &run))
        fail("nothing is due");
    memset(&seen, 0, sizeof seen);
    ask(player, &(struct jr_ask){ .api = JR_API_GET_RUN, .repo = run.repo, .id = run.run_id,
                                  .holds = &seen }, &call);
    if (call.outcome != JR_OUTCOME_DONE) {
        answer.attempt = run.attempt;
        check(jr_rerun_outcome(player->store, &player->settings, &answer, &run, now_ms, &verdict,
                               &error),
              &error);
        return;
    }
    answer.seen = &seen;
    check(jr_rerun_seen(player->store, &player->settings, &answer, &run, now_ms, &verdict, &error),
          &error);
    if (verdict.step == JR_STEP_RERUN_FAILED || verdict.step == JR_STEP_RERUN_ALL)
        rerun(player, &run, &verdict, now_ms);
}

static struct jr_list list_of(const char *pattern)
{
    struct jr_list list;

    if (jr_list_parse(&list, pattern) != JR_OK)
        fail("no memory");
    return list;
}

static void play_pause(struct player *player, int64_t now_ms, const char *words)
{
    struct jr_pause pause = { .until_ms = 0 };
    struct jr_pauses pauses;
    struct jr_list patterns;
    struct jr_error error;

    if (sscanf(words, "%207s %111s %255[^\n]", pause.pattern, pause.who, pause.why) != 3)
        fail("pause: PATTERN WHO WHY");
    patterns = list_of(pause.pattern);
    check(jr_control_pause(player->store, &patterns, &pause, now_ms, &pauses, &error), &error);
    jr_list_release(&patterns);
}

static void play_resume(struct player *player, int64_t now_ms, const char *words)
{
    char pattern[JR_REPO_SIZE], who[JR_LOGIN_SIZE];
    struct jr_pauses ended, pauses;
    struct jr_list patterns;
    struct jr_error error;

    if (sscanf(words, "%207s %111s", pattern, who) != 2)
        fail("resume: PATTERN WHO");
    patterns = list_of(pattern);
    check(jr_control_resume(player->store, &patterns, who, now_ms, &ended, &pauses, &error),
          &error);
    jr_list_release(&patterns);
}

static void play(struct player *player, const char *line)
{
    char what[16];
    long long now_ms;
    int length = 0;

    if (sscanf(line, "%15s %lld %n", what, &now_ms, &length) < 2)
        fail("no command: %s", line);
    line += length;
    if (strcmp(what, "event") == 0)
        play_event(player, now_ms, line);
    else if (strcmp(what, "step") == 0)
        play_step(player, now_ms);
    else if (strcmp(what, "pause") == 0)
        play_pause(player, now_ms, line);
    else if (strcmp(what, "resume") == 0)
        play_resume(player, now_ms, line);
    else
        fail("no such command: %s", what);
}

static void tell_due(struct player *player, const char *line)
{
    int64_t due_ms;
    struct jr_run run;
    const char *time = strchr(line, ' ');
    long long now_ms = time == NULL ? 0 : strtoll(time, NULL, 10);
    bool due = find_due(player, now_ms, &due_ms, &run);

    printf("due %lld\n", due ? (long long)due_ms : 0);
    fflush(stdout);
}

static void open_all(struct player *player, const char *folder)
{
    struct jr_source source = { .environment = true };
    char *problems = NULL;
    struct jr_error error;

    if (jr_load_settings(&player->settings, &source, &problems) != JR_OK)
        fail("%s", problems == NULL ? "no memory" : problems);
    check(jr_store_open(&player->store, folder, player->settings.map_size_bytes, &error), &error);
    check(jr_http_open(&player->http, NULL, &error), &error);
}

int main(int argc, char **argv)
{
    static struct player player;
    char line[LINE_SIZE];

    if (argc != 2)
        fail("usage: player FOLDER");
    open_all(&player, argv[1]);
    while (fgets(line, sizeof line, stdin) != NULL) {
        play(&player, line);
        tell_due(&player, line);
    }
    jr_http_close(player.http);
    jr_store_close(player.store);
    jr_settings_release(&player.settings);
    return 0;
}
