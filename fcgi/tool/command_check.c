/*
 * command_check -- the sub-command check: settings, store, and with --online GitHub.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "fcgi/tool/online.h"
#include "fcgi/tool/tint.h"
#include "lib/base/say.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/config/inforce.h"
#include "lib/config/load.h"
#include "lib/config/secrets.h"
#include "lib/service/lock.h"
#include "lib/steps/chosen.h"
#include "lib/store/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is in the store; looked at before anything is printed. */
struct contents {
    bool there;
    struct jr_listing_counts counts;
    uint64_t used_bytes, map_bytes;
    bool dispatcher;
};

static int look_at_store(struct jr_command *command, struct contents *contents)
{
    struct jr_error error;
    int status;

    contents->there = jr_store_exists(command->settings.state_dir);
    if (!contents->there)
        return JR_EXIT_OK;
    status = jr_command_open(command);
    if (status != JR_EXIT_OK)
        return status;
    contents->dispatcher = jr_lock_is_held(command->settings.state_dir);
    if (jr_listing_count(command->store, &contents->counts, &error) != JR_OK
        || jr_store_usage(command->store, &contents->used_bytes, &contents->map_bytes, &error)
               != JR_OK)
        return jr_command_fail(JR_EXIT_STORE, "%s", error.text);
    return JR_EXIT_OK;
}

static void show_settings(const struct jr_command *command, struct jr_emit *emit)
{
    char value[1024];

    if (command->json)
        jr_emit_open(emit, "settings");
    for (size_t i = 0; i < jr_settings_count(); i++) {
        jr_settings_show(&command->settings, i, value, sizeof value);
        if (command->json)
            jr_emit_text(emit, jr_settings_name(i), value);
        else
            printf("%-22s %s\n", jr_settings_name(i), value);
    }
    if (command->json)
        jr_emit_close(emit);
    else
        printf("\n");
}

/* Where a warning goes. */
struct output {
    const struct jr_command *command;
    struct jr_emit *emit;
};

static void show_warning(void *context, const char *name, const char *text)
{
    const struct output *output = context;
    char clean[2048];

    if (output->command->json) {
        jr_emit_open(output->emit, NULL);
        jr_emit_text(output->emit, "what", name);
        jr_emit_text(output->emit, "text", text);
        jr_emit_close(output->emit);
    } else {
        jr_show_clean(clean, sizeof clean, text);
        jr_tint_print(output->command->color, JR_MOOD_WAIT, "warning");
        printf("%-15s %s: %s\n", "", name, clean);
    }
}

static void show_warnings(const struct jr_command *command, struct jr_emit *emit)
{
    struct output output = { command, emit };

    if (command->json)
        jr_emit_open_array(emit, "warnings");
    jr_secrets_warn(&command->settings, command->file, show_warning, &output);
    if (command->json)
        jr_emit_close_array(emit);
}

static void show_store(const struct jr_command *command, struct jr_emit *emit,
                       const struct contents *contents)
{
    char folder[512];

    if (command->json && !contents->there) {
        jr_emit_null(emit, "store");
    } else if (command->json) {
        jr_emit_open(emit, "store");
        jr_emit_number(emit, "format", JR_STORE_FORMAT);
        jr_emit_number(emit, "runs", (int64_t)contents->counts.runs);
        jr_emit_number(emit, "waiting", (int64_t)contents->counts.waiting);
        jr_emit_number(emit, "used_bytes", (int64_t)contents->used_bytes);
        jr_emit_number(emit, "map_bytes", (int64_t)contents->map_bytes);
        jr_emit_bool(emit, "dispatcher_at_work", contents->dispatcher);
        jr_emit_close(emit);
    } else if (!contents->there) {
        jr_show_clean(folder, sizeof folder, command->settings.state_dir);
        printf("%-22s there is none yet in %s; the first start makes it\n", "store", folder);
    } else {
        printf("%-22s good (format %d), %llu %s, %llu waiting for a rerun\n", "store",
               JR_STORE_FORMAT, (unsigned long long)contents->counts.runs,
               jr_say_plural(contents->counts.runs, "run", "runs"), (unsigned long long)contents->counts.waiting);
        printf("%-22s %llu kB of %llu MB\n", "map",
               (unsigned long long)(contents->used_bytes / 1024),
               (unsigned long long)(contents->map_bytes / 1024 / 1024));
        printf("%-22s %s\n", "dispatcher", contents->dispatcher ? "at work" : "none is running");
    }
}

/* Below the settings as they are: what of them is doubtful, and what is not in force yet. */
static void tell_of_settings(struct jr_command *command, struct jr_emit *emit, bool store)
{
    jr_command_tell_doubts(command, emit);
    /* Without a store no service has begun. */
    if (store)
        jr_command_tell_restart(command, emit);
    else if (command->json) {
        jr_emit_open_array(emit, "restart");
        jr_emit_close_array(emit);
    }
}

/* The array `online' of the answer, or the lines of it. */
static int tell_online(const struct jr_command *command, struct jr_emit *emit)
{
    int status;

    if (command->json)
        jr_emit_open_array(emit, "online");
    else
        printf("\n");
    status = jr_online_check(command, emit);
    if (command->json)
        jr_emit_close_array(emit);
    return status;
}

/* All that is wrong with the policy, a line each. */
static bool is_policy_good(struct jr_command *command)
{
    const char *head = getenv(JR_INFORCE_TRIAL) != NULL ? JR_CHOSEN_BROKEN : "POLICY: ";
    char *problems, *rest, *line;
    enum jr_err err = jr_chosen_load(&command->settings, &problems);

    if (err == JR_ENOMEM)
        fprintf(stderr, "%sout of memory\n", head);
    rest = problems;
    while ((line = strsep(&rest, "\n")) != NULL)
        fprintf(stderr, "%s%s\n", head, line);
    free(problems);
    return err == JR_OK;
}

/* Everything there is to look at; what is wrong first decides the exit status. */
static int tell_all(struct jr_command *command, struct jr_emit *emit, bool online)
{
    struct contents contents = { .there = false };
    struct jr_error error;
    int status, checked;

    show_settings(command, emit);
    show_warnings(command, emit);
    fflush(stdout);
    status = look_at_store(command, &contents);
    if (status == JR_EXIT_OK)
        show_store(command, emit, &contents);
    if (getenv(JR_INFORCE_TRIAL) != NULL)
        jr_command_compare_file(command);
    else if (status == JR_EXIT_OK)
        tell_of_settings(command, emit, contents.there);
    if (jr_load_check_files(&command->settings, &error) != JR_OK)
        status = jr_command_fail(JR_EXIT_CONFIG, "%s", error.text);
    if (!is_policy_good(command))
        status = JR_EXIT_CONFIG;
    checked = online ? tell_online(command, emit) : JR_EXIT_OK;
    return status == JR_EXIT_OK ? checked : status;
}

static int check_all(struct jr_command *command, bool online)
{
    struct jr_emit emit;
    int status = jr_command_load(command, true);

    if (status != JR_EXIT_OK)
        return status;
    jr_emit_init(&emit, stdout);
    if (command->json)
        jr_emit_open(&emit, NULL);
    status = tell_all(command, &emit, online);
    if (command->json) {
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    }
    return status;
}

int jr_command_check(struct jr_command *command)
{
    bool online = jr_command_value(command, "online") != NULL,
         in_force = jr_command_value(command, "in-force") != NULL,
         names = jr_command_value(command, "names") != NULL;

    if (command->args.count > 0 && !online)
        return jr_command_misused(command, "a repository is only looked at with --online");
    if (command->args.count > 0 && !jr_text_is_full_name(command->args.words[0]))
        return jr_command_misused(command, "'%.200s' is not OWNER/NAME", command->args.words[0]);
    if (online + in_force + names > 1)
        return jr_command_misused(command, "--in-force, --names and --online are each for "
                                  "themselves");
    return in_force ? jr_command_check_in_force(command)
           : names  ? jr_command_check_names(command)
                    : check_all(command, online);
}
