/*
 * command_settings -- what the sub-commands tell of settings: which are in force, which
 * need a restart, and which are likely not meant so.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "lib/base/log.h"
#include "lib/base/show.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/config/envfile.h"
#include "lib/config/inforce.h"
#include "lib/config/load.h"
#include "lib/config/names.h"
#include "lib/store/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs that are looked at, the newest first, for what a pattern has matched. */
#define LOOKS_MOST 10000
#define AT_ONCE 50

/* A value in a sentence is cut. */
#define VALUE_SIZE 128

bool jr_command_in_force(const struct jr_command *command, const struct jr_sight *sight,
                         struct jr_inforce *inforce)
{
    struct jr_sight asked;
    struct jr_error error;

    if (jr_inforce_read(command->settings.state_dir, inforce, &error) != JR_OK)
        return false;
    if (sight == NULL && jr_sight_ask(command->settings.state_dir, &asked, NULL) == JR_OK)
        sight = &asked;
    /* A service that was killed leaves its file behind. */
    if (sight != NULL && sight->started_ms == inforce->started_ms)
        return true;
    jr_inforce_release(inforce);
    return false;
}

int jr_command_show_in_force(struct jr_command *command)
{
    struct jr_inforce inforce = { .count = 0 };
    bool known = jr_command_in_force(command, NULL, &inforce);
    struct jr_emit emit;
    char when[JR_WHEN_SIZE], clean[2048];

    if (!known && !command->json)
        return jr_command_fail(JR_EXIT_FAILED, "no service runs in '%s', so nothing is in force",
                               command->settings.state_dir);
    if (command->json) {
        jr_emit_init(&emit, stdout);
        jr_emit_open(&emit, NULL);
        jr_emit_bool(&emit, "in_force", known);
        jr_emit_time(&emit, "started_at", inforce.started_ms);
        jr_emit_text(&emit, "version", inforce.version);
        jr_emit_open(&emit, "settings");
    } else {
        jr_show_clean(clean, sizeof clean, inforce.version);
        printf("in force since %s, version %s\n\n", jr_command_when(inforce.started_ms, when),
               clean);
    }
    for (size_t i = 0; i < inforce.count; i++) {
        if (command->json) {
            jr_emit_text(&emit, inforce.rows[i].name, inforce.rows[i].value);
            continue;
        }
        jr_show_clean(clean, sizeof clean, inforce.rows[i].value);
        printf("%-22s %s\n", inforce.rows[i].name, clean);
    }
    if (command->json) {
        jr_emit_close(&emit);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    }
    jr_inforce_release(&inforce);
    return known ? JR_EXIT_OK : JR_EXIT_FAILED;
}

/* How a difference is told. NULL: as JSON. */
typedef void tell_difference(const char *setting, const char *in_force, const char *here);

/* Which settings are compared. */
struct choice {
    bool secrets;
    const struct jr_source *file; /* only what it names, the rest may come otherwise; NULL: all */
};

static bool is_chosen(const struct choice *choice, size_t row)
{
    return (choice->secrets || !jr_settings_is_secret(row))
           && (choice->file == NULL
               || jr_source_find(choice->file, jr_settings_name(row)) != NULL);
}

/* Tell each of these settings that is other than in force. Returns how many. */
static size_t tell_differences(const struct jr_inforce *inforce,
                               const struct jr_settings *settings, struct choice choice,
                               struct jr_emit *emit, tell_difference *tell)
{
    size_t count = 0;

    for (size_t row = 0; row < jr_settings_count(); row++) {
        const char *name = jr_settings_name(row), *value = jr_inforce_value(inforce, name);
        char *here = NULL;

        if (is_chosen(&choice, row) && jr_inforce_differs(inforce, settings, row, &here)) {
            count++;
            if (tell != NULL) {
                tell(name, value, here);
            } else {
                jr_emit_open(emit, NULL);
                jr_emit_text(emit, "setting", name);
                jr_emit_text(emit, "in_force", value);
                jr_emit_text(emit, "here", here);
                jr_emit_close(emit);
            }
        }
        free(here);
    }
    return count;
}

/* "is '4' in force, and '2' here" */
static void say_difference(const char *in_force, const char *here, const char *where,
                           char *text, size_t size)
{
    char cut[VALUE_SIZE], other[VALUE_SIZE], all[2 * VALUE_SIZE + 128];

    (void)jr_text_copy(cut, sizeof cut, in_force);
    (void)jr_text_copy(other, sizeof other, here);
    snprintf(all, sizeof all, "is %s%s%s in force, and %s%s%s %s: it needs a restart",
             *cut == '\0' ? "" : "'", *cut == '\0' ? "empty" : cut, *cut == '\0' ? "" : "'",
             *other == '\0' ? "" : "'", *other == '\0' ? "empty" : other,
             *other == '\0' ? "" : "'", where);
    jr_show_clean(text, size, all);
}

static void print_difference(const char *setting, const char *in_force, const char *here)
{
    char text[1024];

    say_difference(in_force, here, "here", text, sizeof text);
    printf("%-22s %s\n", setting, text);
}

static void log_difference(const char *setting, const char *in_force, const char *here)
{
    char text[1024];

    say_difference(in_force, here, "here", text, sizeof text);
    jr_log(JR_LOG_WARN, "restart-needed", "%s %s", setting, text);
}

/* For the master, which logs it (reload.c). */
static void hand_difference(const char *setting, const char *in_force, const char *here)
{
    char text[1024];

    say_difference(in_force, here, "in the file", text, sizeof text);
    fprintf(stderr, JR_RESTART_NEEDED "%s %s\n", setting, text);
}

void jr_command_tell_restart(const struct jr_command *command, struct jr_emit *emit)
{
    struct jr_inforce inforce;
    bool known = jr_command_in_force(command, NULL, &inforce);

    if (command->json)
        jr_emit_open_array(emit, "restart");
    if (known) {
        (void)tell_differences(&inforce, &command->settings, (struct choice){ .secrets = true },
                               emit, command->json ? NULL : print_difference);
        if (!command->json)
            printf("%-22s are compared only for being set, not for what they are\n", "secrets");
        jr_inforce_release(&inforce);
    }
    if (command->json)
        jr_emit_close_array(emit);
}

int jr_command_check_in_force(struct jr_command *command)
{
    struct jr_inforce inforce;
    struct jr_error error;
    struct jr_emit emit;
    size_t count;
    int status = jr_command_load(command, false);

    if (status != JR_EXIT_OK)
        return status;
    if (jr_process_become_owner(command->settings.state_dir, &error) != JR_OK)
        return jr_command_fail(JR_EXIT_STORE, "%s", error.text);
    if (!jr_command_in_force(command, NULL, &inforce))
        return jr_command_fail(JR_EXIT_FAILED, "no service runs in '%s', so nothing is in force",
                               command->settings.state_dir);
    jr_log_open(JR_LOG_INFO);
    if (command->json) {
        jr_emit_init(&emit, stdout);
        jr_emit_open(&emit, NULL);
        jr_emit_open_array(&emit, "restart");
    }
    count = tell_differences(&inforce, &command->settings, (struct choice){ .file = NULL }, &emit,
                             command->json ? NULL : log_difference);
    jr_inforce_release(&inforce);
    if (command->json) {
        jr_emit_close_array(&emit);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    } else if (count == 0) {
        printf("what is set is in force; secrets are not compared\n");
    }
    return count == 0 ? JR_EXIT_OK : JR_EXIT_FAILED;
}

/* Hand on each of some lines, which are cut to pieces. */
static void hand_lines(const char *mark, const char *before, char *lines)
{
    char *line;

    while (lines != NULL && (line = strsep(&lines, "\n")) != NULL && *line != '\0')
        fprintf(stderr, "%s%s%s\n", mark, before, line);
}

/* What a file says. All but settings and path is owned. */
struct contents {
    const char *path;
    char *lines, *doubts; /* that are wrong, or doubtful */
    struct jr_source source;
    struct jr_settings settings;
    char *problems; /* with the values */
};

/*
 * Values that stop the start. Only those that the file names: what it does not, such as a secret
 * that is a credential, may be right. They are taken out of its source, so as not to be
 * compared. Whether a file with a secret can be read is up to who starts the service.
 */
static void hand_wrong_values(struct contents *file)
{
    char *rest = file->problems, *line, *colon;

    while (rest != NULL && (line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        colon = strchr(line, ':');
        if (colon == NULL)
            continue;
        *colon = '\0';
        if (jr_source_find(&file->source, line) == NULL)
            continue;
        fprintf(stderr,
                jr_settings_find(line) < jr_settings_count()
                    ? JR_RESTART_NEEDED "%s is wrong, and a restart would fail: %s:%s\n"
                    : JR_DOUBTFUL_FILE "%s: %s:%s\n",
                file->path, line, colon + 1);
        jr_source_unset(&file->source, line);
    }
}

/* The trial has the secrets that are in force, so it can compare them. None is told. */
static void hand_secrets(const struct jr_settings *in_force, const struct jr_settings *settings)
{
    for (size_t row = 0; row < jr_settings_count(); row++) {
        const char *secret = jr_settings_secret(in_force, row),
                   *here = jr_settings_secret(settings, row);

        if (here != NULL && (secret == NULL || strcmp(secret, here) != 0))
            fprintf(stderr, JR_RESTART_NEEDED "%s is another one in the file than in force: it "
                    "needs a restart\n", jr_settings_name(row));
    }
}

/* Settings of another service's file would be compared in vain. */
static void compare(const struct jr_command *command, struct contents *file)
{
    const struct jr_settings *settings = &file->settings;
    struct jr_inforce inforce;
    struct jr_error error;

    if (settings->state_dir == NULL
        || strcmp(settings->state_dir, command->settings.state_dir) != 0)
        return;
    hand_lines(JR_DOUBTFUL_FILE, "", file->lines);
    hand_lines(JR_DOUBTFUL_FILE, "", file->doubts);
    hand_wrong_values(file);
    if (jr_load_check_files(settings, &error) != JR_OK)
        fprintf(stderr, JR_RESTART_NEEDED "%s is wrong, and a restart would fail: %s\n",
                file->path, error.text);
    hand_secrets(&command->settings, settings);
    if (jr_command_in_force(command, NULL, &inforce)) {
        (void)tell_differences(&inforce, settings, (struct choice){ .file = &file->source }, NULL,
                               hand_difference);
        jr_inforce_release(&inforce);
    }
}

void jr_command_compare_file(const struct jr_command *command)
{
    struct contents file = { .path = jr_test_env_file(JR_COMMAND_STANDARD_FILE) };
    struct jr_error error;
    enum jr_err err;

    if (access(file.path, R_OK) != 0)
        return;
    err = jr_envfile_load(file.path, &file.source, &file.lines, &file.doubts, &error);
    if (err == JR_OK || err == JR_EINVAL) {
        if (jr_load_settings(&file.settings, &file.source, &file.problems) != JR_ENOMEM)
            compare(command, &file);
        jr_settings_release(&file.settings);
    }
    jr_source_release(&file.source);
    free(file.problems);
    free(file.doubts);
    free(file.lines);
}

static bool matches_repo(const struct jr_list *one, const struct jr_run *run)
{
    return jr_list_match(one, run->repo);
}

static bool matches_branch(const struct jr_list *one, const struct jr_run *run)
{
    return jr_list_match(one, run->branch);
}

static bool matches_login(const struct jr_list *one, const struct jr_run *run)
{
    return jr_list_match(one, run->actor) || jr_list_match(one, run->triggering_actor)
           || jr_list_match(one, run->first_sender);
}

static bool matches_workflow(const struct jr_list *one, const struct jr_run *run)
{
    return jr_run_lists_workflow(one, run->workflow, run->workflow_path);
}

/* The patterns of a setting, and which of them have matched something. */
struct patterns {
    const char *setting;
    const struct jr_list *list;
    bool (*matches)(const struct jr_list *one, const struct jr_run *run);
    bool *matched; /* owned */
};

#define LISTS 5

static void look_at_run(struct patterns patterns[LISTS], const struct jr_run *run)
{
    for (size_t i = 0; i < LISTS; i++)
        for (size_t j = 0; j < patterns[i].list->count; j++) {
            const struct jr_list one = { .items = &patterns[i].list->items[j], .count = 1 };

            if (!patterns[i].matched[j])
                patterns[i].matched[j] = patterns[i].matches(&one, run);
        }
}

/* Returns how many runs were looked at. */
static size_t look_at_runs(struct jr_store *store, struct patterns patterns[LISTS])
{
    const struct jr_listing_filter all = { .phase = JR_LISTING_ANY_PHASE };
    struct jr_listing listing = { .ended = false };
    struct jr_run *runs = calloc(AT_ONCE, sizeof *runs);
    struct jr_error error;
    size_t looked = 0, count;

    while (runs != NULL && !listing.ended && looked < LOOKS_MOST
           && jr_listing_runs(store, &all, &listing, runs, AT_ONCE, &count, &error) == JR_OK) {
        for (size_t i = 0; i < count; i++)
            look_at_run(patterns, &runs[i]);
        looked += count;
    }
    free(runs);
    return looked;
}

static void tell_doubt(const struct jr_command *command, struct jr_emit *emit, const char *setting,
                       const char *text)
{
    char clean[2048];

    if (command->json) {
        jr_emit_open(emit, NULL);
        jr_emit_text(emit, "setting", setting);
        jr_emit_text(emit, "text", text);
        jr_emit_close(emit);
        return;
    }
    jr_show_clean(clean, sizeof clean, text);
    printf("%-22s doubtful: %s\n", setting, clean);
}

/* Lines of "NAME: what"; they are cut to pieces. */
static void tell_lines(const struct jr_command *command, struct jr_emit *emit, char *lines)
{
    char *line, *text;

    while (lines != NULL && (line = strsep(&lines, "\n")) != NULL && *line != '\0') {
        text = strchr(line, ':');
        if (text == NULL)
            continue;
        *text = '\0';
        tell_doubt(command, emit, line, text + 2);
    }
}

static void tell_unmatched(const struct jr_command *command, struct jr_emit *emit,
                           const struct patterns *patterns, size_t looked)
{
    char text[512], pattern[VALUE_SIZE];

    for (size_t j = 0; j < patterns->list->count; j++) {
        if (patterns->matched[j])
            continue;
        (void)jr_text_copy(pattern, sizeof pattern, patterns->list->items[j]);
        snprintf(text, sizeof text, "'%s' has matched nothing so far; runs that were looked at: "
                 "%zu%s", pattern, looked, looked >= LOOKS_MOST ? ", the newest" : "");
        tell_doubt(command, emit, patterns->setting, text);
    }
}

static void tell_patterns(const struct jr_command *command, struct jr_emit *emit)
{
    const struct jr_settings *settings = &command->settings;
    struct patterns patterns[LISTS] = {
        { "NO_RETRY_LIST", &settings->no_retry_list, matches_login, NULL },
        { "REPO_BRANCHES", &settings->repo_branches, matches_branch, NULL },
        { "REPOS", &settings->repos, matches_repo, NULL },
        { "NO_RETRY_REPOS", &settings->no_retry_repos, matches_repo, NULL },
        { "NO_RETRY_WORKFLOWS", &settings->no_retry_workflows, matches_workflow, NULL },
    };
    size_t looked = 0;
    bool memory = true;

    for (size_t i = 0; i < LISTS; i++) {
        patterns[i].matched = calloc(patterns[i].list->count + 1, sizeof *patterns[i].matched);
        memory &= patterns[i].matched != NULL;
    }
    if (memory)
        looked = look_at_runs(command->store, patterns);
    for (size_t i = 0; i < LISTS; i++) {
        if (looked > 0)
            tell_unmatched(command, emit, &patterns[i], looked);
        free(patterns[i].matched);
    }
}

void jr_command_tell_doubts(struct jr_command *command, struct jr_emit *emit)
{
    char *names = command->file != NULL ? NULL : jr_names_doubts();

    if (command->json)
        jr_emit_open_array(emit, "doubts");
    tell_lines(command, emit, names);
    tell_lines(command, emit, command->file_doubts);
    tell_lines(command, emit, command->settings.doubts);
    if (command->store != NULL)
        tell_patterns(command, emit);
    if (command->json)
        jr_emit_close_array(emit);
    free(names);
}

int jr_command_check_names(struct jr_command *command)
{
    int status = jr_command_load_names(command);
    struct jr_emit emit;

    if (command->json) {
        jr_emit_init(&emit, stdout);
        jr_emit_open(&emit, NULL);
        jr_emit_open_array(&emit, "doubts");
    }
    tell_lines(command, &emit, command->file_doubts);
    if (command->json) {
        jr_emit_close_array(&emit);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    }
    return status;
}
