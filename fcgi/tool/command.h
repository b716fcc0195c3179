/*
 * command -- what the administrator's sub-commands share: settings and store,
 * tables and JSON, how they fail.
 *
 * No transaction is open while something is printed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_COMMAND_H
#define JR_COMMAND_H

#include "fcgi/tool/args.h"
#include "lib/format/emit.h"
#include "fcgi/tool/grid.h"
#include "fcgi/view/runview.h"
#include "lib/base/error.h"
#include "lib/config/inforce.h"
#include "lib/config/settings.h"
#include "lib/config/sources.h"
#include "lib/model/run.h"
#include "lib/rules/policy.h"
#include "lib/service/process.h"
#include "lib/service/sight.h"
#include "lib/store/history.h"
#include "lib/store/pause.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One call of a sub-command. */
struct jr_command {
    const char *name;
    const struct jr_option *options;
    struct jr_args args;
    bool json;      /* records are written, not text: JSON, or */
    bool csv;       /* CSV */
    bool wide;      /* all columns of a table, however narrow the terminal is */
    bool dry_run;   /* --dry-run: nothing is written, jr_command_open() sees to it */
    bool color;     /* words are coloured (tint.h) */
    int width;      /* of the terminal that standard output is; 0: it is none, or does not count */
    int64_t now_ms; /* when it was called */
    struct jr_source *source; /* what settings are loaded from; empty when they are */
    struct jr_settings settings;
    const char *file;       /* the one that settings were read from; NULL: the environment */
    char *file_doubts;      /* of that file, a line each; NULL: nothing. Owned */
    struct jr_store *store; /* NULL: not open */
    struct jr_pauses pauses; /* in force when the store was opened */
};

/* A row of the table of sub-commands, which is in tool.c. */
struct jr_command_row {
    const char *name, *alias, *letter;
    const char *words; /* as its usage has them: "show|check|test [FILE...]" */
    size_t least, most; /* of the words */
    const struct jr_option *options;
    const char *meaning;
    int (*run)(struct jr_command *command);
    const char *more; /* of its help; NULL: nothing */
};

/* The sub-commands. Each returns the exit status. */
int jr_command_backup(struct jr_command *command);
int jr_command_causes(struct jr_command *command);
int jr_command_check(struct jr_command *command);
int jr_command_export(struct jr_command *command);
int jr_command_flaky(struct jr_command *command);
int jr_command_forget(struct jr_command *command);
int jr_command_notify(struct jr_command *command);
int jr_command_outbox(struct jr_command *command);
int jr_command_pause(struct jr_command *command);
int jr_command_policy(struct jr_command *command);
int jr_command_replay(struct jr_command *command);
int jr_command_rerun(struct jr_command *command);
int jr_command_resume(struct jr_command *command);
int jr_command_runs(struct jr_command *command);
int jr_command_status(struct jr_command *command);
int jr_command_why(struct jr_command *command);

/* `status --settings', `check --in-force' and `check --names', parts of the two. */
int jr_command_show_in_force(struct jr_command *command);
int jr_command_check_in_force(struct jr_command *command);
int jr_command_check_names(struct jr_command *command);

/* The settings that `replay --set' may be told, by number; NULL behind the last. */
const char *jr_command_settable(size_t number);

/* Say on standard error what has failed. Returns status. */
int jr_command_fail(int status, const char *format, ...) JR_PRINTF(2, 3);

/* The same for arguments that are not as they have to be: exit status 2. */
int jr_command_misused(const struct jr_command *command, const char *format, ...) JR_PRINTF(2, 3);

/* The value of an option; NULL: not given. */
const char *jr_command_value(const struct jr_command *command, const char *option);

/*
 * Read what the options say; each leaves the number as it is when its option is
 * not given. Return JR_EXIT_OK, or that of the message that they have written.
 */
int jr_command_read_limit(const struct jr_command *command, size_t most, size_t *limit);
int jr_command_read_since(const struct jr_command *command, int64_t *since_ms);

/* Read an option that is a list of patterns, or of words; patterns is to be released. */
int jr_command_read_patterns(const struct jr_command *command, const char *option,
                             struct jr_list *patterns);

/* Read the argument RUN. repo holds JR_REPO_SIZE; empty: it was given by its number alone. */
int jr_command_read_run(const struct jr_command *command, uint64_t *run_id, char *repo);

/*
 * Load the settings from where --env-file and the environment say. All that is wrong is told
 * at once, lines of the file and values.
 *   secrets  token and keys are wanted; else they are neither read nor missed
 */
int jr_command_load(struct jr_command *command, bool secrets);

/*
 * The same without secrets, for a command that works without a service: a file of settings
 * that is not named, and cannot be read, is passed over; then the defaults hold.
 */
int jr_command_load_bounds(struct jr_command *command);

/*
 * Load the settings, without secrets, as they are and as they would be.
 *   assignments  NAME=value each, `count' of them; they stand in the place of what is set
 *   tried        out: with these; owned by the caller, jr_settings_release()
 */
int jr_command_load_tried(struct jr_command *command, const char *const *assignments, size_t count,
                          struct jr_settings *tried);

/*
 * Tell all that is wrong with the settings, and free it. Returns the exit status.
 *   lines   of the file; NULL: none
 *   values  NULL with err JR_OK: none; else there was no memory for it
 */
int jr_command_tell_wrong(char *lines, enum jr_err err, char *values);

/*
 * Look at the lines of a file of settings only: is each an assignment to a name that may stand
 * there? A file that is not there is good. If not, all that is wrong is told, values too.
 */
int jr_command_load_names(struct jr_command *command);

/*
 * Read a policy, once the settings are loaded; all that is wrong with it is told. Returns
 * JR_EXIT_OK, or that of the message.
 *   name    everything, careful, infrastructure, or the path of a file; NULL: that of POLICY
 *   policy  out: to be released; all zero unless JR_EXIT_OK
 *   text    out: what was read, free(); NULL: nobody wants it, nor its length
 */
int jr_command_read_policy(const struct jr_command *command, const char *name,
                           struct jr_policy *policy, char **text, size_t *length);

/* The same of a file as a repository's own policy. */
int jr_command_read_own_policy(const char *path, struct jr_policy *policy);

/*
 * Become the owner of STATE_DIR and open the store, which has to be there. From
 * then on a damaged one ends the process with a message and exit status 73.
 */
int jr_command_open(struct jr_command *command);

/* Where the systemd unit has its settings. */
#define JR_COMMAND_STANDARD_FILE "/etc/job-rerunner/job-rerunner.env"

/*
 * The settings of a running service. As the owner of STATE_DIR.
 *   sight    of that service; NULL: it is asked
 *   inforce  out: owned by the caller if the function returns true
 * Returns false when no service runs, or it is not known with which settings.
 */
bool jr_command_in_force(const struct jr_command *command, const struct jr_sight *sight,
                         struct jr_inforce *inforce);

/* Tell which of the command's settings are not in force yet, if a service runs. */
void jr_command_tell_restart(const struct jr_command *command, struct jr_emit *emit);

/*
 * Tell what is likely not meant so: names, values, and, when the store is open, patterns that
 * have matched nothing. Cuts the settings' doubts to pieces.
 */
void jr_command_tell_doubts(struct jr_command *command, struct jr_emit *emit);

/*
 * When a reload is tried, by `check' in a child of the master: say on standard error what the
 * standard file names that is other than in force, or would stop a start, and what else is wrong
 * with it, a line each, marked as inforce.h has it. Only if it can be read and is for the same
 * STATE_DIR. What the file does not name is not compared: it may be set otherwise.
 */
void jr_command_compare_file(const struct jr_command *command);

/* Tell what failed in the store. Returns the exit status. */
int jr_command_store_failed(const struct jr_error *error);

/* Begin to write records to standard output, as JSON or as CSV. */
void jr_command_emit(const struct jr_command *command, struct jr_emit *emit);

/* Write a table to standard output and release it. Returns the exit status. */
int jr_command_show(const struct jr_command *command, struct jr_grid *grid);

/*
 * Wake the dispatcher, for a run of a repository; say on standard error if none is at
 * work or it is paused. With --dry-run only that is said.
 */
void jr_command_wake(struct jr_command *command, const char *repo, const char *what);

/*
 * Who gives the command, by the user id and not by what the environment says; of root, who
 * he logged in as, where the kernel knows. Before jr_command_open(), which may change it.
 * Returns the buffer.
 */
char *jr_command_caller(char name[JR_LOGIN_SIZE]);

/* A time as it stands in tables: "2026-11-23T09:03:06Z"; 0: "". */
#define JR_WHEN_SIZE 32
const char *jr_command_when(int64_t time_ms, char text[JR_WHEN_SIZE]);

/* A line that tells an entry of the history in words. */
void jr_command_tell_entry(const struct jr_history *entry);

#endif
