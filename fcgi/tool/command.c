/*
 * command -- what the administrator's sub-commands share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/config/envfile.h"
#include "lib/config/load.h"
#include "lib/config/names.h"
#include "lib/config/secrets.h"
#include "lib/config/types.h"
#include "lib/github/github.h"
#include "lib/model/standing.h"
#include "lib/service/lock.h"
#include "lib/service/wake.h"
#include "lib/steps/chosen.h"
#include "lib/store/narrate.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void complain(const char *format, va_list args) JR_PRINTF(1, 0);

static void complain(const char *format, va_list args)
{
    char text[2048], clean[2048];

    vsnprintf(text, sizeof text, format, args);
    jr_show_clean(clean, sizeof clean, text);
    fflush(stdout);
    fprintf(stderr, "job-rerunner: %s\n", clean);
}

int jr_command_fail(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
    return status;
}

int jr_command_misused(const struct jr_command *command, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
    fprintf(stderr, "See: job-rerunner %s --help\n", command->name);
    return JR_EXIT_USAGE;
}

const char *jr_command_value(const struct jr_command *command, const char *option)
{
    return jr_args_value(command->options, &command->args, option);
}

int jr_command_read_limit(const struct jr_command *command, size_t most, size_t *limit)
{
    const char *text = jr_command_value(command, "limit");
    int64_t number;

    if (text == NULL)
        return JR_EXIT_OK;
    if (!jr_args_number(text, 1, (int64_t)most, &number))
        return jr_command_misused(command, "--limit: '%.100s' is not a number from 1 to %zu", text,
                                  most);
    *limit = (size_t)number;
    return JR_EXIT_OK;
}

int jr_command_read_since(const struct jr_command *command, int64_t *since_ms)
{
    const char *text = jr_command_value(command, "since");

    if (text != NULL && !jr_types_read_since(text, command->now_ms, since_ms))
        return jr_command_misused(command, "--since: '%.100s' is neither an age such as 90m, 24h "
                                  "or 7d, nor a day such as 2026-11-23, nor a time such as "
                                  "2026-11-23T08:30:00Z", text);
    return JR_EXIT_OK;
}

int jr_command_read_patterns(const struct jr_command *command, const char *option,
                             struct jr_list *patterns)
{
    const char *text = jr_command_value(command, option);

    if (text == NULL)
        return JR_EXIT_OK;
    if (jr_list_parse(patterns, text) != JR_OK)
        return jr_command_fail(JR_EXIT_FAILED, "out of memory");
    return patterns->count > 0 ? JR_EXIT_OK
                               : jr_command_misused(command, "--%s: no pattern in '%.100s'",
                                                    option, text);
}

int jr_command_read_run(const struct jr_command *command, uint64_t *run_id, char *repo)
{
    const char *text = command->args.words[0];

    if (jr_args_run(text, run_id, repo, JR_REPO_SIZE))
        return JR_EXIT_OK;
    return jr_command_misused(command, "'%.200s' is neither the number of a run nor the address of "
                              "its page (https://github.com/OWNER/NAME/actions/runs/NUMBER)", text);
}

/* A secret that systemd would hand over as a credential: the file beside the settings. */
static enum jr_err find_secret(struct jr_source *source, const char *file, const char *setting,
                               const char *name)
{
    char path[PATH_MAX], variable[64];
    int folder = (int)(strrchr(file, '/') == NULL ? 0 : strrchr(file, '/') + 1 - file);

    snprintf(variable, sizeof variable, "%s_FILE", setting);
    if (jr_source_find(source, setting) != NULL || jr_source_find(source, variable) != NULL
        || snprintf(path, sizeof path, "%.*sgithub/%s", folder, file, name) >= (int)sizeof path
        || access(path, F_OK) != 0)
        return JR_OK;
    return jr_source_set(source, variable, path);
}

static enum jr_err find_secrets(struct jr_source *source, const char *file)
{
    static const char *const names[][2] = {
        { "GITHUB_TOKEN", "token" },
        { "GITHUB_APP_KEY", "app_key" },
        { "GITHUB_SIGN_KEY", "sign_key" },
        { "GITHUB_SIGN_KEY_OLD", "sign_key_old" },
    };
    enum jr_err err = JR_OK;

    for (size_t i = 0; i < sizeof names / sizeof *names && err == JR_OK; i++)
        err = find_secret(source, file, names[i][0], names[i][1]);
    return err;
}

/* What libraries look for in the environment: proxies, the time zone and the like. */
static enum jr_err export_foreign(const struct jr_source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct jr_variable *variable = &source->variables[i];

        if (!jr_names_is_known(variable->name) && setenv(variable->name, variable->value, 1) != 0)
            return JR_ENOMEM;
    }
    return JR_OK;
}

/* Lines in which there may be what a file or the environment says. */
static void write_lines(const char *lines)
{
    static const struct jr_show_mark marks[] = { { '\n', "\n" }, { '\0', NULL } };
    static const struct jr_show_way way = { .marks = marks };
    struct jr_show_part part;

    while (jr_show_next(&way, &lines, &part))
        fwrite(part.bytes, 1, part.length, stderr);
}

int jr_command_tell_wrong(char *lines, enum jr_err err, char *values)
{
    fputs("job-rerunner: wrong settings:\n", stderr);
    write_lines(lines == NULL ? "" : lines);
    write_lines(values != NULL ? values : err == JR_OK ? "" : "out of memory\n");
    free(lines);
    free(values);
    return JR_EXIT_CONFIG;
}

/* problems: what jr_chosen_read() has found; freed. Returns the exit status. */
static int tell_problems(enum jr_err err, char *problems)
{
    if (err == JR_OK)
        return JR_EXIT_OK;
    if (problems == NULL)
        return jr_command_fail(JR_EXIT_FAILED, "out of memory");
    write_lines(problems);
    fputc('\n', stderr);
    free(problems);
    return JR_EXIT_DATA;
}

int jr_command_read_policy(const struct jr_command *command, const char *name,
                           struct jr_policy *policy, char **text, size_t *length)
{
    char *problems;
    enum jr_err err = jr_chosen_read(name == NULL ? command->settings.policy : name, policy, text,
                                     length, &problems);

    return tell_problems(err, problems);
}

int jr_command_read_own_policy(const char *path, struct jr_policy *policy)
{
    char *problems;
    enum jr_err err = jr_chosen_read_own(path, policy, &problems);

    return tell_problems(err, problems);
}

/*
 * Take the settings from a file alone.
 *   given  it has to be there
 *   lines  out: NULL, or the lines that are wrong; owned by the caller
 */
static int read_file(struct jr_command *command, const char *file, bool given, char **lines)
{
    struct jr_error error;
    enum jr_err err;

    jr_source_release(command->source);
    err = jr_envfile_load(file, command->source, lines, &command->file_doubts, &error);
    command->file = err == JR_OK ? file : NULL;
    if (err != JR_OK && *lines == NULL && !(err == JR_ENOENT && !given))
        return jr_command_fail(JR_EXIT_CONFIG, "%s%s", error.text,
                               err == JR_EIO && !given && geteuid() != 0
                                   ? "; run this as root, or name the settings with --env-file "
                                     "or in the environment"
                                   : "");
    if (find_secrets(command->source, file) != JR_OK || export_foreign(command->source) != JR_OK)
        return jr_command_fail(JR_EXIT_CONFIG, "out of memory");
    return JR_EXIT_OK;
}

/* Where are the settings: in the environment, or in which file? */
static int find_settings(struct jr_command *command, char **lines)
{
    const char *given = jr_command_value(command, "env-file");

    if (given == NULL
        && (jr_load_finds_service(command->source)
            || (access("/etc/job-rerunner", F_OK) != 0 && errno == ENOENT)))
        return JR_EXIT_OK;
    return read_file(command, given == NULL ? JR_COMMAND_STANDARD_FILE : given, given != NULL,
                     lines);
}

/* Read what was found. */
static int load(struct jr_command *command, bool secrets, char *lines)
{
    char *values;
    enum jr_err err;

    err = secrets ? jr_load_settings(&command->settings, command->source, &values)
                  : jr_load_public(&command->settings, command->source, &values);
    if (!secrets && err == JR_OK && jr_settings_clusters(&command->settings))
        jr_load_cluster_secrets(&command->settings, command->source);
    jr_source_release(command->source);
    jr_secrets_clear_environment();
    if (secrets || jr_settings_clusters(&command->settings))
        jr_process_guard_secrets();
    return err == JR_OK && lines == NULL ? JR_EXIT_OK : jr_command_tell_wrong(lines, err, values);
}

int jr_command_load(struct jr_command *command, bool secrets)
{
    char *lines = NULL;
    int status = find_settings(command, &lines);

    return status == JR_EXIT_OK ? load(command, secrets, lines) : status;
}

int jr_command_load_bounds(struct jr_command *command)
{
    bool given = jr_command_value(command, "env-file") != NULL;

    if (!given && access(JR_COMMAND_STANDARD_FILE, R_OK) != 0)
        return load(command, false, NULL);
    return jr_command_load(command, false);
}

static enum jr_err assign(struct jr_source *source, const char *assignment)
{
    const char *value = strchr(assignment, '=');
    char *name = value == NULL ? NULL : strndup(assignment, (size_t)(value - assignment));
    enum jr_err err = name == NULL ? JR_ENOMEM : jr_source_set(source, name, value + 1);

    free(name);
    return err;
}

int jr_command_load_tried(struct jr_command *command, const char *const *assignments, size_t count,
                          struct jr_settings *tried)
{
    char *lines = NULL, *values = NULL;
    int status = find_settings(command, &lines);
    enum jr_err err;

    if (status != JR_EXIT_OK)
        return status;
    err = jr_load_public(&command->settings, command->source, &values);
    if (err == JR_OK && lines == NULL) {
        for (size_t i = 0; err == JR_OK && i < count; i++)
            err = assign(command->source, assignments[i]);
        if (err == JR_OK)
            err = jr_load_public(tried, command->source, &values);
    }
    jr_source_release(command->source);
    jr_secrets_clear_environment();
    return err == JR_OK && lines == NULL ? JR_EXIT_OK : jr_command_tell_wrong(lines, err, values);
}

int jr_command_load_names(struct jr_command *command)
{
    const char *given = jr_command_value(command, "env-file");
    char *lines = NULL, *values;
    int status = read_file(command, given == NULL ? JR_COMMAND_STANDARD_FILE : given, false,
                           &lines);
    enum jr_err err;

    if (status != JR_EXIT_OK || lines == NULL)
        return status;
    err = jr_load_public(&command->settings, command->source, &values);
    return jr_command_tell_wrong(lines, err, values);
}

static char died_text[1024];

/* LMDB reads its file through memory: one that is cut short is a signal. */
static void die(int signal_number)
{
    (void)signal_number;
    if (write(STDERR_FILENO, died_text, strlen(died_text)) < 0)
        _exit(JR_EXIT_STORE);
    _exit(JR_EXIT_STORE);
}

static void expect_damage(const char *state_dir)
{
    struct sigaction action;
    char folder[sizeof died_text / 2];
    int signals[] = {
        SIGBUS,
#if !defined(__SANITIZE_ADDRESS__)
        SIGSEGV,
#endif
    };

    jr_show_clean(folder, sizeof folder, state_dir);
    snprintf(died_text, sizeof died_text, "job-rerunner: " JR_STORE_DIED "\n", folder, SIGBUS);
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = die;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        (void)sigaction(signals[i], &action, NULL);
}

int jr_command_open(struct jr_command *command)
{
    const char *folder = command->settings.state_dir;
    struct jr_error error;

    if (jr_process_become_owner(folder, &error) != JR_OK)
        return jr_command_fail(JR_EXIT_STORE, "%s", error.text);
    if (!jr_store_exists(folder))
        return jr_command_fail(JR_EXIT_STORE, "STATE_DIR: there is no store in '%s' yet; the "
                               "service makes it when it first starts. If it is elsewhere, name "
                               "the settings with --env-file", folder);
    if (access(folder, R_OK | W_OK | X_OK) != 0)
        return jr_command_fail(JR_EXIT_STORE, "STATE_DIR: '%s' cannot be used by this user: %s; "
                               "run this as root, or as the folder's owner", folder,
                               strerror(errno));
    expect_damage(folder);
    if (jr_store_open(&command->store, folder, command->settings.map_size_bytes, &error) != JR_OK)
        return jr_command_fail(JR_EXIT_STORE, "%s", error.text);
    jr_store_stay_awake(command->store);
    jr_store_only_try(command->store, command->dry_run);
    if (jr_pauses_read(command->store, command->now_ms, &command->pauses, &error) != JR_OK)
        return jr_command_store_failed(&error);
    return JR_EXIT_OK;
}

int jr_command_store_failed(const struct jr_error *error)
{
    return jr_command_fail(error->code == JR_EFORMAT ? JR_EXIT_STORE : JR_EXIT_FAILED, "%s",
                           error->text);
}

void jr_command_emit(const struct jr_command *command, struct jr_emit *emit)
{
    jr_emit_init(emit, stdout);
    if (command->csv)
        jr_emit_as_csv(emit);
}

int jr_command_show(const struct jr_command *command, struct jr_grid *grid)
{
    enum jr_err err;

    grid->color = command->color;
    err = jr_grid_write(grid, stdout, command->width);
    jr_grid_release(grid);
    return err == JR_OK ? JR_EXIT_OK : jr_command_fail(JR_EXIT_FAILED, "out of memory");
}

void jr_command_wake(struct jr_command *command, const char *repo, const char *what)
{
    const struct jr_pause *pause = jr_pauses_find(&command->pauses, repo);
    char words[JR_PAUSE_WORDS_SIZE];

    if (!command->dry_run)
        jr_wake_send(command->settings.state_dir);
    if (pause != NULL)
        jr_command_fail(0, "paused is %s; %s when that ends", jr_pause_words(pause, words), what);
    else if (!jr_lock_is_held(command->settings.state_dir))
        jr_command_fail(0, "no dispatcher is at work: %s when the service runs", what);
}

/* Whom the kernel took root's session for; -1: it does not tell. */
static uid_t login_uid(void)
{
    FILE *stream = fopen("/proc/self/loginuid", "re");
    unsigned long uid;
    bool told = stream != NULL && fscanf(stream, "%lu", &uid) == 1 && uid < UINT32_MAX;

    if (stream != NULL)
        fclose(stream);
    return told ? (uid_t)uid : (uid_t)-1;
}

char *jr_command_caller(char name[JR_LOGIN_SIZE])
{
    uid_t uid = getuid(), login = uid == 0 ? login_uid() : (uid_t)-1;
    const struct passwd *user;

    if (login != (uid_t)-1)
        uid = login;
    user = getpwuid(uid);
    if (user != NULL)
        (void)jr_text_copy(name, JR_LOGIN_SIZE, user->pw_name);
    else
        snprintf(name, JR_LOGIN_SIZE, "user id %lu", (unsigned long)uid);
    return name;
}

const char *jr_command_when(int64_t time_ms, char text[JR_WHEN_SIZE])
{
    char whole[JR_TIMESTAMP_SIZE];

    text[0] = '\0';
    if (time_ms != 0)
        snprintf(text, JR_WHEN_SIZE, "%.19sZ", jr_timestamp_format(time_ms, whole));
    return text;
}

/* Append to a text that is cut when it is full. */
static void add(char *text, size_t size, const char *format, ...) JR_PRINTF(3, 4);

static void add(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + length, size - length, format, args);
    va_end(args);
}

void jr_command_tell_entry(const struct jr_history *entry)
{
    char when[JR_TIMESTAMP_SIZE], detail[JR_NARRATE_SIZE], text[1600] = "", clean[2048];
    int status = jr_runview_status(entry);
    bool has_reason = entry->reason != JR_REASON_NONE;

    jr_narrate(entry, detail);
    switch (entry->kind) {
    case JR_HISTORY_EVENT:
        add(text, sizeof text, "%s; answered %d", detail, status);
        break;
    case JR_HISTORY_CALL:
        add(text, sizeof text, "%s; %s", detail, status == 0 ? "no answer" : "answer ");
        if (status != 0)
            add(text, sizeof text, "%d", status);
        break;
    case JR_HISTORY_DECISION:
    case JR_HISTORY_OUTCOME:
    case JR_HISTORY_REQUEST:
    case JR_HISTORY_JUDGEMENT:
        break;
    }
    if (has_reason)
        add(text, sizeof text, "%s%s (%s)", text[0] == '\0' ? "" : ": ",
            jr_narrate_reason(entry), jr_reason_token(entry->reason));
    if (entry->kind != JR_HISTORY_EVENT && entry->kind != JR_HISTORY_CALL
        && detail[0] != '\0')
        add(text, sizeof text, "%s%s", text[0] == '\0' ? "" : "; ", detail);
    if (entry->delivery[0] != '\0')
        add(text, sizeof text, " [%s]", entry->delivery);
    jr_show_clean(clean, sizeof clean, text);
    printf("%s  %2u  %-8s  %s\n", jr_timestamp_format(entry->at_ms, when), entry->attempt,
           jr_runview_kind(entry), clean);
}
