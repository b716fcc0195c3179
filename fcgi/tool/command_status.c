/*
 * command_status -- the sub-command status: is it alive, and what is it doing?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/clusterview.h"
#include "fcgi/tool/command.h"
#include "fcgi/tool/tint.h"
#include "fcgi/view/statusview.h"
#include "lib/base/say.h"
#include "lib/base/show.h"
#include "lib/base/timestamp.h"
#include "lib/service/lock.h"
#include "lib/steps/chosen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void look_at_service(struct jr_statusview *picture, const char *state_dir)
{
    enum jr_err err = jr_sight_ask(state_dir, &picture->sight, &picture->master_pid);

    picture->running = err != JR_ENOENT;
    picture->answers = err == JR_OK;
}

/* What GitHub is called with, in the running service, and whether it is called in earnest. */
static void look_at_settings(struct jr_statusview *picture, const struct jr_command *command)
{
    const struct jr_sight *sight = &picture->sight;
    struct jr_inforce inforce;
    const char *key, *token, *dry_run;

    picture->token_taken_ms = sight->token_taken_ms;
    picture->token_rejected_ms = sight->token_rejected_ms;
    picture->token_expires_ms = sight->token_expires_ms;
    picture->settings_known = jr_command_in_force(command, sight, &inforce);
    if (!picture->settings_known)
        return;
    key = jr_inforce_value(&inforce, "GITHUB_APP_KEY");
    token = jr_inforce_value(&inforce, "GITHUB_TOKEN");
    dry_run = jr_inforce_value(&inforce, "DRY_RUN");
    picture->app = key != NULL && strcmp(key, "set") == 0;
    picture->access = jr_access_look(picture->app || (token != NULL && strcmp(token, "set") == 0),
                                     sight);
    picture->dry_run = dry_run != NULL && strcmp(dry_run, "yes") == 0;
    jr_inforce_release(&inforce);
}

/* The policy's limits are not known while its file is broken. */
static enum jr_err look_at_store(struct jr_statusview *picture, const struct jr_command *command,
                                 struct jr_error *error)
{
    struct jr_policy policy;
    char *problems;
    bool known = jr_chosen_read(command->settings.policy, &policy, NULL, NULL, &problems) == JR_OK;
    enum jr_err err = jr_statusview_read(picture, command->store, &command->settings,
                                         known ? &policy : NULL, error);

    jr_policy_release(&policy);
    free(problems);
    return err;
}

static void emit_picture(const struct jr_statusview *picture)
{
    struct jr_emit emit;

    jr_emit_init(&emit, stdout);
    jr_statusview_emit(&emit, picture);
    jr_emit_end(&emit);
}

/* "12 s ago" or "in 12 s" */
static const char *distance(const struct jr_statusview *picture, int64_t time_ms, char text[64])
{
    char span[JR_SPAN_SIZE];
    int64_t left_ms = time_ms - picture->now_ms;

    snprintf(text, 64, left_ms > 0 ? "in %s" : "%s ago",
             jr_say_span(left_ms > 0 ? left_ms : -left_ms, span));
    return text;
}

static void label(const char *name)
{
    printf("%-12s", name);
}

static void tell_pauses(bool color, const struct jr_pauses *pauses)
{
    char words[JR_PAUSE_WORDS_SIZE], clean[3 * JR_PAUSE_WORDS_SIZE];

    for (size_t i = 0; i < pauses->count; i++) {
        label(i == 0 ? "paused" : "");
        jr_show_clean(clean, sizeof clean, jr_pause_words(&pauses->items[i], words));
        jr_tint_print(color, JR_MOOD_WAIT, clean);
        putchar('\n');
    }
}

static void tell_processes(bool color, const struct jr_statusview *picture)
{
    const struct jr_sight *sight = &picture->sight;
    char when[JR_WHEN_SIZE], span[64];

    label("service");
    if (!picture->running)
        jr_tint_print(color, JR_MOOD_BAD, "not running");
    else if (!picture->answers)
        printf("running, process %lld, but it does not say how it goes",
               (long long)picture->master_pid);
    else
        printf("running since %s (%s), process %lld", jr_command_when(sight->started_ms, when),
               distance(picture, sight->started_ms, span), (long long)picture->master_pid);
    putchar('\n');
    if (picture->answers) {
        label("workers");
        printf("%lld of %lld alive, %lld busy; processes replaced since the start: %lld\n",
               (long long)sight->workers_alive, (long long)sight->workers,
               (long long)sight->workers_busy, (long long)jr_statusview_restarts(picture));
    }
    label("dispatcher");
    if (picture->dispatcher_at_work)
        printf("at work, process %lld%s", (long long)picture->dispatcher_pid,
               picture->sight.dispatcher_busy_ms != 0 ? ", busy with a run" : "");
    else
        jr_tint_print(color, JR_MOOD_BAD, "none is at work: nothing is asked and nothing is rerun");
    putchar('\n');
}

/* The token, or the App's key. */
static void tell_access(bool color, const struct jr_statusview *picture)
{
    char when[JR_WHEN_SIZE], span[64];

    label(picture->app ? "app" : "token");
    switch (picture->access) {
    case JR_ACCESS_UNKNOWN:
        if (picture->token_rejected_ms != 0)
            printf("was rejected since %s, when the service ran last",
                   jr_command_when(picture->token_rejected_ms, when));
        else
            printf("not known%s", !picture->running ? ", since no service runs" : "");
        break;
    case JR_ACCESS_NONE:
        printf("none is set, so GitHub is not called");
        break;
    case JR_ACCESS_NOT_TRIED:
        printf("not tried yet");
        break;
    case JR_ACCESS_TAKEN:
        printf("taken by GitHub, last at %s (%s)", jr_command_when(picture->token_taken_ms, when),
               distance(picture, picture->token_taken_ms, span));
        break;
    case JR_ACCESS_REJECTED:
        jr_tint_print(color, JR_MOOD_BAD, "rejected");
        printf(" since %s", jr_command_when(picture->token_rejected_ms, when));
        break;
    }
    if (picture->token_expires_ms != 0)
        printf("; ends at %s (%s)", jr_command_when(picture->token_expires_ms, when),
               distance(picture, picture->token_expires_ms, span));
    putchar('\n');
}

/* Who shuts us out, and in which words. */
static void tell_shutouts(bool color, const struct jr_statusview *picture)
{
    const struct jr_shutouts *shutouts = &picture->shutouts;
    char when[JR_WHEN_SIZE], name[512], text[512];

    for (size_t i = 0; i < shutouts->count; i++) {
        const struct jr_shutout *item = &shutouts->items[i];

        label("shut out");
        jr_show_clean(name, sizeof name,
                      strcmp(item->name, JR_SHUTOUT_ALL) == 0 ? "everywhere" : item->name);
        jr_show_clean(text, sizeof text, item->text);
        jr_tint_print(color, JR_MOOD_BAD, name);
        printf(", since %s: %s\n", jr_command_when(item->since_ms, when), text);
    }
}

static void tell_github(bool color, const struct jr_statusview *picture)
{
    int64_t reset_ms = picture->sight.rate_reset_ms;
    char when[JR_WHEN_SIZE], span[64];

    label("rate limit");
    if (picture->rate_limited_until_ms != 0) {
        jr_tint_print(color, JR_MOOD_WAIT, "used up");
        printf(" until %s (%s)\n", jr_command_when(picture->rate_limited_until_ms, when),
               distance(picture, picture->rate_limited_until_ms, span));
    } else if (picture->sight.rate_limit == 0)
        printf("GitHub has not told it yet\n");
    else
        printf("%lld of %lld %s left%s%s\n", (long long)picture->sight.rate_remaining,
               (long long)picture->sight.rate_limit,
               jr_say_plural((uint64_t)picture->sight.rate_limit, "call", "calls"),
               reset_ms == 0                ? ""
               : reset_ms > picture->now_ms ? ", whole again at "
                                            : ", whole again since ",
               reset_ms == 0 ? "" : jr_command_when(reset_ms, when));
    tell_access(color, picture);
    tell_shutouts(color, picture);
    label("last sweep");
    if (picture->sight.sweep_begun_ms == 0)
        printf("none since the service has started\n");
    else if (picture->sight.sweep_ended_ms < picture->sight.sweep_begun_ms)
        printf("going on since %s\n", jr_command_when(picture->sight.sweep_begun_ms, when));
    else
        printf("ended at %s (%s)\n", jr_command_when(picture->sight.sweep_ended_ms, when),
               distance(picture, picture->sight.sweep_ended_ms, span));
}

static void tell_waiting(const struct jr_statusview *picture)
{
    const struct jr_waiting *waiting = &picture->waiting;
    char when[JR_WHEN_SIZE], span[64];

    label("outbox");
    if (waiting->entries == 0) {
        printf("empty\n");
        return;
    }
    printf("%llu waiting", (unsigned long long)waiting->entries);
    if (waiting->paused > 0)
        printf(", %s%llu of them paused", waiting->whole ? "" : "at least ",
               (unsigned long long)waiting->paused);
    if (waiting->due_ms != 0)
        printf(", the first %sdue at %s (%s)", waiting->paused > 0 ? "of the others " : "",
               jr_command_when(waiting->due_ms, when),
               picture->halt.word != NULL ? picture->halt.word
                                          : distance(picture, waiting->due_ms, span));
    printf(", the oldest since %s\n", jr_command_when(waiting->oldest_ms, when));
}

/* What many runs fail for, and how far that is. */
static void tell_outages(bool color, const struct jr_statusview *picture)
{
    const struct jr_holdings *holdings = &picture->holdings;
    char words[JR_HOLDING_WORDS_SIZE];

    for (size_t i = 0; i < holdings->holds.count; i++) {
        const struct jr_causehold *hold = &holdings->holds.items[i];
        uint64_t waiting = holdings->waiting[hold->cause];

        if (hold->phase == JR_CAUSEHOLD_FREE)
            continue;
        label("outage");
        jr_tint_print(color, JR_MOOD_WAIT, jr_holding_words(hold, words));
        printf("; %llu %s\n", (unsigned long long)waiting,
               jr_say_plural(waiting, "run waits", "runs wait"));
    }
}

static void tell_limits(const struct jr_statusview *picture)
{
    const struct jr_spending_view *spending = &picture->spending;
    char words[JR_SPENDING_WORDS_SIZE], repo[512];

    if (!picture->spending_known)
        return;
    label("spent");
    printf("%s\n", jr_spending_words(&spending->all, words));
    for (size_t i = 0; i < spending->count; i++) {
        jr_show_clean(repo, sizeof repo, spending->rows[i].repo);
        printf("%-12s%s: %s\n", "", repo, jr_spending_words(&spending->rows[i], words));
    }
    if (spending->waiting > 0)
        printf("%-12s%s%llu %s for budget\n", "", spending->whole ? "" : "at least ",
               (unsigned long long)spending->waiting,
               jr_say_plural(spending->waiting, "run waits", "runs wait"));
}

/* A line for each: where to look for the fault is not the jobs. */
static void tell_runners(const struct jr_statusview *picture)
{
    char owner[512], name[512], labels[512];

    for (size_t i = 0; i < picture->runner_count; i++) {
        const struct jr_flaky *row = &picture->runners[i];

        label(i == 0 ? "runners" : "");
        jr_show_clean(name, sizeof name, row->name);
        jr_show_clean(owner, sizeof owner, row->repo);
        jr_show_clean(labels, sizeof labels, row->group);
        printf("%s of %s (%s) stands out: blamed for %llu of its %llu jobs in %d days\n", name,
               owner, labels, (unsigned long long)row->blamed,
               (unsigned long long)row->executions, JR_FLAKY_RECENT_DAYS);
    }
    if (picture->runner_count == JR_STATUSVIEW_RUNNERS)
        printf("%-12sthere may be more: job-rerunner flaky\n", "");
}

/* Nothing where nobody was ever to be told. */
static void tell_notices(const struct jr_statusview *picture)
{
    const struct jr_notices_sum *sum = &picture->notices;

    if (sum->waiting + sum->sent + sum->dropped == 0)
        return;
    label("notices");
    printf("%llu waiting, %llu sent, %llu dropped", (unsigned long long)sum->waiting,
           (unsigned long long)sum->sent, (unsigned long long)sum->dropped);
    if (picture->sight.notices_failed > 0)
        printf("; tries that failed: %lld", (long long)picture->sight.notices_failed);
    putchar('\n');
}

static void tell_reports(const struct jr_statusview *picture)
{
    if (picture->reports == 0)
        return;
    label("reports");
    printf("%u waiting to be written at GitHub\n", picture->reports);
}

/* Nothing where there is one host. */
static void tell_hosts(const struct jr_statusview *picture)
{
    const struct jr_engine_sight *sight = picture->hosts;
    char name[3 * JR_CLAIM_NAME_SIZE], when[JR_WHEN_SIZE];

    if (!picture->clusters)
        return;
    label("cluster");
    printf("this host, %s, is %s; ", picture->host, jr_statusview_cluster(picture));
    if (sight == NULL) {
        printf("etcd does not answer: %s\n", picture->etcd_text);
        return;
    }
    printf("%zu %s:", sight->hosts, jr_say_plural(sight->hosts, "lives", "live"));
    for (size_t i = 0; i < sight->hosts; i++) {
        jr_show_clean(name, sizeof name, sight->names[i]);
        printf("%s %s", i == 0 ? "" : ",", name);
    }
    jr_show_clean(name, sizeof name, sight->sweeper);
    printf("; %s%s\n", *name == '\0' ? "nobody reads GitHub's lists just now"
                                     : "GitHub's lists are read by ", name);
    if (!sight->paused)
        return;
    jr_show_clean(name, sizeof name, sight->pauser);
    printf("%-12sall hosts are paused since %s, from %s\n", "",
           jr_command_when(sight->paused_ms, when), name);
}

static void tell_health(bool color, const struct jr_statusview *picture)
{
    bool good = picture->healthy && picture->ailment_count == 0;

    label("health");
    jr_tint_print(color, good ? JR_MOOD_GOOD : picture->healthy ? JR_MOOD_WAIT : JR_MOOD_BAD,
                  good ? "good" : picture->healthy ? "degraded" : "FAILING");
    putchar('\n');
    for (size_t i = 0; i < picture->ailment_count; i++) {
        const struct jr_ailment *ailment = picture->ailments[i];

        label("");
        jr_tint_print(color, ailment->fails ? JR_MOOD_BAD : JR_MOOD_WAIT, ailment->word);
        printf(": %s %s\n", ailment->what, ailment->remedy);
    }
}

static void tell_picture(const struct jr_command *command, const struct jr_statusview *picture)
{
    char folder[512], used[JR_BYTES_SIZE], whole[JR_BYTES_SIZE];
    bool color = command->color;

    tell_health(color, picture);
    tell_processes(color, picture);
    tell_hosts(picture);
    if (picture->settings_known) {
        label("dry run");
        jr_tint_print(color, picture->dry_run ? JR_MOOD_INFO : JR_MOOD_CALM,
             picture->dry_run ? "yes: everything is done but the rerun (DRY_RUN)" : "no");
        putchar('\n');
    }
    tell_pauses(color, &command->pauses);
    tell_waiting(picture);
    tell_outages(color, picture);
    tell_limits(picture);
    tell_reports(picture);
    tell_github(color, picture);
    tell_runners(picture);
    tell_notices(picture);
    label("store");
    jr_show_clean(folder, sizeof folder, command->settings.state_dir);
    printf("%s: %s of %s, %llu %s, %llu %s\n", folder,
           jr_say_bytes((int64_t)picture->used_bytes, used),
           jr_say_bytes((int64_t)picture->map_bytes, whole), (unsigned long long)picture->counts.runs,
           jr_say_plural(picture->counts.runs, "run", "runs"), (unsigned long long)picture->counts.repos,
           jr_say_plural(picture->counts.repos, "repository", "repositories"));
    label("version");
    printf("%s\n", PACKAGE_VERSION);
}

/* The other hosts, where there are any. `hosts' is kept until the end. */
static enum jr_err look_at_hosts(struct jr_statusview *picture, struct jr_clusterview *hosts,
                                 const struct jr_command *command, struct jr_error *error)
{
    if (!picture->clusters)
        return JR_OK;
    if (hosts == NULL || !jr_clusterview_open(hosts, command))
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    if (jr_clusterview_look(hosts))
        picture->hosts = &hosts->sight;
    else
        picture->etcd_text = hosts->text;
    jr_clusterview_close(hosts);
    return JR_OK;
}

static int show_picture(struct jr_command *command, struct jr_clusterview *hosts)
{
    struct jr_statusview picture = { .now_ms = command->now_ms };
    struct jr_error error;

    picture.pauses = &command->pauses;
    picture.state_dir = command->settings.state_dir;
    look_at_service(&picture, command->settings.state_dir);
    if (picture.answers)
        look_at_settings(&picture, command);
    picture.dispatcher_at_work = jr_lock_is_held(command->settings.state_dir);
    picture.dispatcher_pid = jr_lock_holder(command->settings.state_dir);
    if (look_at_store(&picture, command, &error) != JR_OK)
        return jr_command_store_failed(&error);
    if (look_at_hosts(&picture, hosts, command, &error) != JR_OK)
        return jr_command_store_failed(&error);
    jr_statusview_judge(&picture, &command->settings, false);
    if (command->json)
        emit_picture(&picture);
    else
        tell_picture(command, &picture);
    jr_statusview_release(&picture);
    return picture.healthy && picture.answers ? JR_EXIT_OK : JR_EXIT_FAILED;
}

int jr_command_status(struct jr_command *command)
{
    struct jr_clusterview *hosts;
    int status = jr_command_load(command, false);

    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status != JR_EXIT_OK)
        return status;
    if (jr_command_value(command, "settings") != NULL)
        return jr_command_show_in_force(command);
    hosts = malloc(sizeof *hosts);
    status = show_picture(command, hosts);
    free(hosts);
    return status;
}
