/*
 * tool -- the sub-commands for the administrator: which there are, and their help.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/tool.h"
#include "fcgi/tool/command.h"
#include "fcgi/tool/complete.h"
#include "fcgi/tool/screen.h"
#include "fcgi/tool/tint.h"
#include "fcgi/tool/repeat.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int show_help(struct jr_command *command);
static int show_version(struct jr_command *command);

/* What all of them take. */
#define HELP                                                                                     \
    { "help", NULL, false, "show this text" },                                                   \
    { "version", NULL, false, "show the version" }

/* What most of them take. */
#define COMMON                                                                                   \
    { "output", "FORMAT", false, "text, json or, of a table, wide (nothing is cut) or csv" },     \
    { "json", NULL, false, "the same as -o json; the keys are in job-rerunner(8)" },             \
    { "color", "WHEN", true, "auto (on a terminal), always or never; NO_COLOR is heeded" },      \
    { "env-file", "FILE", false, "take the settings from FILE, and the secrets beside it" },     \
    HELP,                                                                                        \
    { NULL, NULL, false, NULL }

#define PATTERNS "; * and ? are wildcards, commas part several"
#define REPO { "repo", "PATTERN", false, "only of repositories (owner/name) that match; * and ? are wildcards" }
#define LIMIT(number) { "limit", "N", false, "so many at most [" number "]" }
#define SINCE(meaning) { "since", "WHEN", false, meaning ": 90m, 24h, 7d, 2026-11-23 or an RFC 3339 time" }

#define WATCH { "watch", "SECONDS", true, "show it anew all the time, every 2 s or so many; q ends it" }

static const struct jr_option common_options[] = { COMMON };
static const struct jr_option no_options[] = {
    HELP, { NULL, NULL, false, NULL },
};
static const struct jr_option status_options[] = {
    { "settings", NULL, false, "only show the settings that are in force in the running service" },
    WATCH,
    COMMON
};
static const struct jr_option check_options[] = {
    { "in-force", NULL, false, "only tell which settings are not in force yet: they need a restart" },
    { "names", NULL, false, "only look for names in the file of settings that may not be there" },
    { "online", NULL, false, "also ask GitHub: does the token work, as whom, may it rerun in OWNER/NAME" },
    COMMON
};
static const struct jr_option export_options[] = { SINCE("only what happened since"), COMMON };
static const struct jr_option flaky_options[] = {
    { "jobs", NULL, false, "only jobs" },
    { "runners", NULL, false, "only runners" },
    REPO, SINCE("only executions that ended on that day or later"), LIMIT("20"), COMMON
};
static const struct jr_option causes_options[] = {
    SINCE("only what was recorded since [30d]"),
    { "unknown", NULL, false, "only failures without a cause, each with a signature to paste" },
    { "by", "WHAT", false, "cause, or repository: what its reruns took and brought [cause]" },
    COMMON
};
static const struct jr_option notify_options[] = {
    { "test", NULL, false, "send a notice that says that it is a test" }, COMMON
};
static const struct jr_option outbox_options[] = { LIMIT("50"), COMMON };
#define DRY_RUN { "dry-run", NULL, false, "only tell what would be done, and whether it can be" }

static const struct jr_option forget_options[] = {
    DRY_RUN,
    { "yes", NULL, false, "do not ask; without a terminal it has to be given" }, COMMON
};
static const struct jr_option pause_options[] = {
    DRY_RUN,
    { "repo", "PATTERN", false, "only repositories (owner/name) that match" PATTERNS },
    { "for", "TIME", false, "it ends by itself after so long: 30m, 2h, 1d" },
    { "reason", "TEXT", false, "why, for those who look at it" },
    COMMON
};
static const struct jr_option resume_options[] = {
    DRY_RUN,
    { "repo", "PATTERN", false, "end pauses of repositories that were made with it, or match it" },
    { "outage", "CAUSE", true, "lift what an outage holds: reruns for this cause, or for all" },
    COMMON
};
static const struct jr_option rerun_options[] = {
    DRY_RUN,
    { "wait", "TIME", true, "wait so long at most for what comes of it, and show it [2m]" }, COMMON
};
static const struct jr_option runs_options[] = {
    { "repo", "PATTERN", false, "only of repositories (owner/name) that match" PATTERNS },
    { "branch", "PATTERN", false, "only of branches that match" PATTERNS },
    { "workflow", "PATTERN", false, "only of workflows that match by name, file or path" PATTERNS },
    { "reason", "REASON", false, "only those with one of these reasons, such as jobs-failed" },
    { "conclusion", "WORD", false, "only those that ended so: success, failure, cancelled ..." },
    { "state", "STATE", false, "only those that are open, due or closed" },
    SINCE("only with an event since"),
    LIMIT("50"),
    WATCH,
    COMMON
};

static const struct jr_option policy_options[] = {
    { "repo", "OWNER/NAME", false, "show what is in force for one repository, with its own policy" },
    { "own", NULL, false, "check the file as a repository's own policy, .github/job-rerunner.yml" },
    { "policy", "POLICY", false, "try everything, careful, infrastructure or a file, in the place "
      "of the one in force" },
    COMMON
};
static const struct jr_option replay_options[] = {
    { "policy", "POLICY", false, "try everything, careful, infrastructure or a file, in the place "
      "of the one in force" },
    { "set", "NAME=VALUE", false, "try a setting that bounds which runs are rerun; may be given "
      "again" },
    SINCE("only attempts that ended since"),
    { "repo", "PATTERN", false, "only of repositories (owner/name) that match" PATTERNS },
    COMMON
};
static const struct jr_option why_options[] = {
    { "events", NULL, false, "show each webhook, too" }, COMMON
};

static const struct jr_command_row rows[] = {
    { "status", NULL, NULL, "", 0, 0, status_options,
      "is it alive, what is it doing, what is wrong", jr_command_status,
      "Exit status 0: the service does its work; 1: it does not, or is not running." },
    { "runs", NULL, NULL, "", 0, 0, runs_options,
      "list the runs, the newest first", jr_command_runs, NULL },
    { "why", NULL, NULL, "RUN", 1, 1, why_options,
      "tell what happened to a run, and why", jr_command_why,
      "RUN is its number, or the address of its page on GitHub. Shows where it stands and what to\n"
      "do, then of each attempt its jobs, every decision and every call of GitHub's API; --json\n"
      "has the webhooks, too. Exit status 1: nothing is recorded of it." },
    { "outbox", NULL, NULL, "", 0, 0, outbox_options,
      "list what waits, as it comes due", jr_command_outbox, NULL },
    { "flaky", NULL, NULL, "", 0, 0, flaky_options,
      "show jobs that fail and then pass, and suspect runners", jr_command_flaky,
      "AGAIN: it failed again. RATE of a job is rescued of rescued and failed again, of a runner\n"
      "blamed of all, with the 95 % interval after it; LOST is the time of the failed executions\n"
      "that were rescued. A runner is suspect when that interval lies above the rate of all\n"
      "runners with its labels, and it is blamed twice at least. APART: failed on a runner that is\n"
      "suspect by the last 30 days, which does not count against the job." },
    { "causes", NULL, NULL, "", 0, 0, causes_options,
      "show what jobs failed by, and what reruns were worth", jr_command_causes,
      "RATE is rescued of rescued and failed again (AGAIN), with the 95 % interval after it.\n"
      "MINUTES are those that the jobs ran in the reruns, where a minute that has begun counts.\n"
      "GREEN are runs that succeeded with that rerun. --by repository counts RUNS that were rerun,\n"
      "those RESCUED, RERUNS of failed attempts, and after how many of these the run was GREEN, so\n"
      "that nobody had to press the button, or failed AGAIN; it needs no causes.\n"
      "Only what a policy has looked at has a cause; EVIDENCE=always has all failures looked at." },
    { "rerun", NULL, NULL, "RUN", 1, 1, rerun_options,
      "have a run rerun, whatever RUN_ATTEMPTS and filters say", jr_command_rerun,
      "RUN is its number, or the address of its page on GitHub, which a run needs that is not in\n"
      "the store. GitHub is asked first. What GitHub does not rerun is not rerun, and an attempt\n"
      "whose rerun was accepted is not rerun again. Exit status 1: refused, or with --wait not\n"
      "accepted in time." },
    { "forget", NULL, NULL, "RUN", 1, 1, forget_options,
      "remove a run from the store, with its history and deliveries", jr_command_forget,
      "What it added to `flaky' stays. An event that comes later is the first of a new run.\n"
      "Refused while a rerun has been asked for and its outcome is not known." },
    { "pause", NULL, NULL, "", 0, 0, pause_options,
      "record webhooks, but do not call GitHub", jr_command_pause,
      "With --repo, not about these repositories; else about none. Holds over restarts, until\n"
      "`job-rerunner resume', or for as long as --for says. Given again, the last word counts." },
    { "resume", NULL, NULL, "", 0, 0, resume_options,
      "end a pause", jr_command_resume,
      "Without --repo it ends the pause of everything; --repo '*' ends all those of repositories.\n"
      "Exit status 1: another pause still holds up what was named.\n"
      "With --outage it ends no pause, but lets reruns go ahead that are held since many runs fail\n"
      "for the same kind of cause, until that is found anew." },
    { "check", NULL, NULL, "[OWNER/NAME]", 0, 1, check_options,
      "read the settings, open the store, show what the service would run with", jr_command_check,
      NULL },
    { "notify", NULL, NULL, "", 0, 0, notify_options,
      "with --test, send a notice to NOTIFY_URL and tell the answer", jr_command_notify,
      "Exit status 0: it was taken; 1: it was not, or nobody is to be told." },
    { "policy", NULL, NULL, "show|check|test [FILE...]", 1, JR_ARGS_WORDS_MAX, policy_options,
      "show or check a policy, or try one on a failed run", jr_command_policy,
      "A policy says which failures are rerun, by their causes: everything, careful,\n"
      "infrastructure, or a file. policy show [POLICY] prints one, or that of the setting POLICY,\n"
      "with where each value comes from; policy check FILE tells all that is wrong with it;\n"
      "with --own, as a repository's own (.github/job-rerunner.yml), which needs no settings;\n"
      "policy test EVIDENCE.json... judges failed runs without a store and without GitHub.\n"
      "job-rerunner(8) has the form of both files. Exit status 65: a file is not what it has\n"
      "to be." },
    { "replay", NULL, NULL, "", 0, 0, replay_options,
      "show what another policy would have done with the recorded runs", jr_command_replay,
      "Counts attempts that failed, by the rule that would decide: FAILED all of them; WOULD and\n"
      "WAS those that would be rerun, and that were; RESCUED those of both after which the run\n"
      "succeeded; LOST those that were rescued, and would be left; WASTE those of both that\n"
      "failed again; MINUTES of runners for what would be rerun; SAVED those that reruns took\n"
      "which would not be made. GitHub is not asked. Causes are known of failures that the service\n"
      "has looked into; with EVIDENCE=always, of all that it was to rerun." },
    { "backup", NULL, NULL, "DIR", 1, 1, common_options,
      "copy the store into a folder, also while it is at work", jr_command_backup,
      "DIR is not there yet, or empty. job-rerunner(8) tells how to restore it." },
    { "export", NULL, NULL, "", 0, 0, export_options,
      "write the history as JSON, an entry a line", jr_command_export, NULL },
    { "help", "--help", "-h", "[COMMAND]", 0, 1, no_options, "show this text, or that of a command",
      show_help, NULL },
    { "version", "--version", "-V", "", 0, 0, no_options, "show the version", show_version, NULL },
};

#define ROWS (sizeof rows / sizeof *rows)

static const struct jr_command_row *find(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(name, rows[i].name) == 0
            || (rows[i].alias != NULL
                && (strcmp(name, rows[i].alias) == 0 || strcmp(name, rows[i].letter) == 0)))
            return &rows[i];
    return NULL;
}

/* Tell that there is no such command, and which was likely meant. */
static int refuse(const char *name)
{
    const char *nearest = NULL;

    for (size_t i = 0; i < ROWS; i++)
        jr_args_nearest(name, rows[i].name, &nearest);
    if (nearest == NULL)
        return jr_command_fail(JR_EXIT_USAGE, "there is no command '%.100s'; see job-rerunner "
                               "--help", name);
    return jr_command_fail(JR_EXIT_USAGE, "there is no command '%.100s'; did you mean '%s'?", name,
                           nearest);
}

/* An option by its name, of whatever command has one: they all mean the same by it. */
static const struct jr_option *find_option(const char *name, const char **nearest)
{
    *nearest = NULL;
    for (size_t i = 0; i < ROWS; i++) {
        for (const struct jr_option *option = rows[i].options; option->name != NULL; option++) {
            if (strcmp(option->name, name) == 0)
                return option;
            jr_args_nearest(name, option->name, nearest);
        }
    }
    return NULL;
}

/*
 * Pass over an option that stands before the command.
 *   at  in and out: where it stands, and where the next argument does
 */
static int pass_option(char **argv, size_t *at)
{
    const char *nearest, *value;
    const struct jr_option *option;
    char name[JR_ARGS_NAME_SIZE];

    if (!jr_args_name(argv[(*at)++], name, &value))
        return JR_EXIT_OK;
    option = find_option(name, &nearest);
    if (option == NULL)
        return jr_command_fail(JR_EXIT_USAGE, "there is no option '--%s'%s%s%s", name,
                               nearest == NULL ? "; see job-rerunner --help" : "; did you mean --",
                               nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
    if (option->value != NULL && !option->may_be_bare && value == NULL && argv[*at] != NULL)
        ++*at;
    return JR_EXIT_OK;
}

/*
 * Find the command, and move the options that stand before it behind it.
 *   name  out: its name as it is given
 */
static int pull_command(char **argv, const char **name)
{
    size_t at = 1;
    int status = JR_EXIT_OK;

    *name = NULL;
    while (argv[at] != NULL && argv[at][0] == '-' && status == JR_EXIT_OK) {
        /* They are commands as well, where there is no other. */
        if (find(argv[at]) != NULL && *name == NULL)
            *name = argv[at];
        status = pass_option(argv, &at);
    }
    if (status != JR_EXIT_OK)
        return status;
    if (argv[at] != NULL) {
        *name = argv[at];
        memmove(argv + 2, argv + 1, (at - 1) * sizeof *argv);
    } else if (*name != NULL) {
        argv[2] = NULL; /* help and version need none of the others */
    } else {
        return jr_command_fail(JR_EXIT_USAGE, "which command? See job-rerunner --help");
    }
    return JR_EXIT_OK;
}

void jr_tool_usage(FILE *out)
{
    fputs("usage: job-rerunner COMMAND [OPTIONS]\n"
          "       spawn-fcgi -n -s SOCKET -M 0660 -- job-rerunner\n"
          "       REQUEST_METHOD=... job-rerunner < BODY\n\n"
          "Re-runs failed jobs of GitHub Actions. Without a command it is the FastCGI\n"
          "service when standard input is a listening socket, and answers one CGI\n"
          "request when the variables of one are in the environment.\n\n"
          "commands:\n", out);
    for (size_t i = 0; i < ROWS; i++)
        fprintf(out, "  %-10s %s\n", rows[i].name, rows[i].meaning);
}

/* "-o, --output FORMAT" */
static void print_option(const struct jr_option *option)
{
    char letter = jr_args_letter(option->name), text[64], before[8] = "";

    if (letter != '\0')
        snprintf(before, sizeof before, "-%c, ", letter);
    snprintf(text, sizeof text, "%s--%s%s%s%s", before, option->name,
             option->value == NULL ? "" : option->may_be_bare ? "[=" : " ",
             option->value == NULL ? "" : option->value, option->may_be_bare ? "]" : "");
    printf("  %-19s %s\n", text, option->meaning);
}

static int show_command_help(const struct jr_command_row *row)
{
    printf("usage: job-rerunner %s%s%s [OPTIONS]\n\n%c%s.\n", row->name,
           *row->words == '\0' ? "" : " ", row->words, row->meaning[0] - 'a' + 'A',
           row->meaning + 1);
    if (row->more != NULL)
        printf("%s\n", row->more);
    printf("\n");
    for (const struct jr_option *option = row->options; option->name != NULL; option++)
        print_option(option);
    return JR_EXIT_OK;
}

static int show_help(struct jr_command *command)
{
    if (command->args.count > 0) {
        const struct jr_command_row *row = find(command->args.words[0]);

        return row != NULL ? show_command_help(row)
                           : refuse(command->args.words[0]);
    }
    jr_tool_usage(stdout);
    puts("\nOptions may also stand before the command; -h is --help, and -V --version.\n"
         "`job-rerunner COMMAND --help' tells more of one. Settings are taken from --env-file\n"
         "FILE; else from the environment, if STATE_DIR or GITHUB_SIGN_KEY are in it; else from\n"
         "/etc/job-rerunner/job-rerunner.env and, secrets, /etc/job-rerunner/github/.");
    puts("\nsettings, from the environment (NAME_FILE reads a secret from a file):");
    for (size_t i = 0; i < jr_settings_count(); i++) {
        const char *standard = jr_settings_default(i);

        printf("  %-22s %s%s%s%s\n", jr_settings_name(i), jr_settings_meaning(i),
               *standard == '\0' ? "" : " [", standard, *standard == '\0' ? "" : "]");
    }
    puts("\nexit status: 0 done; 1 failed, or there is no such thing; 2 wrong usage; 65 a file is\n"
         "not what it has to be; 73 the store cannot be opened; 78 a setting is wrong. See\n"
         "job-rerunner(8), job-rerunner.conf(5) and job-rerunner-reasons(7).");
    return JR_EXIT_OK;
}

static int show_version(struct jr_command *command)
{
    (void)command;
    puts(PACKAGE_NAME " " PACKAGE_VERSION);
    return JR_EXIT_OK;
}

/* A full disk is told. (A reader that has left ends us by SIGPIPE, without a word.) */
static int end_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return jr_command_fail(status == JR_EXIT_OK ? JR_EXIT_FAILED : status,
                           "cannot write to standard output: %s", strerror(errno));
}

/* One call of a sub-command. */
struct call {
    const struct jr_command_row *row;
    struct jr_command command;
};

static int clean_up(struct jr_command *command, int status)
{
    jr_store_close(command->store);
    jr_settings_release(&command->settings);
    free(command->file_doubts);
    return end_output(status);
}

/* Do it, as its arguments say; for jr_repeat_run(), too. */
static int run(void *context, int width)
{
    struct call *call = context;
    struct jr_command *command = &call->command;

    command->now_ms = jr_now_ms();
    command->width = command->wide ? 0 : width;
    return clean_up(command, call->row->run(command));
}

static bool has_table(const struct jr_command_row *row)
{
    static int (*const tables[])(struct jr_command *command) = {
        jr_command_runs, jr_command_outbox, jr_command_flaky, jr_command_causes, jr_command_replay,
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (row->run == tables[i])
            return true;
    return false;
}

/* Read --output and --json. */
static int read_format(struct call *call)
{
    struct jr_command *command = &call->command;
    const char *format = jr_command_value(command, "output");
    bool json = jr_command_value(command, "json") != NULL;

    if (format == NULL)
        format = json ? "json" : "text";
    else if (json && strcmp(format, "json") != 0)
        return jr_command_misused(command, "--json and --output %.60s cannot both be", format);
    command->csv = strcmp(format, "csv") == 0;
    command->wide = strcmp(format, "wide") == 0;
    command->json = command->csv || strcmp(format, "json") == 0;
    if (!command->json && !command->wide && strcmp(format, "text") != 0)
        return jr_command_misused(command, "--output: '%.60s' is none of text, wide, json, csv",
                                  format);
    if ((command->csv || command->wide) && !has_table(call->row))
        return jr_command_misused(command, "--output %s: %s shows no table; it has text and json",
                                  format, command->name);
    return JR_EXIT_OK;
}

static int watch(struct call *call, const char *seconds)
{
    struct jr_repeat watch = {
        .interval_s = JR_REPEAT_USUAL_S, .title = call->row->name, .show = run, .context = call,
    };
    int64_t number = JR_REPEAT_USUAL_S;

    if (call->command.csv)
        return jr_command_misused(&call->command, "--watch: what comes again and again is no CSV; "
                                  "-o json can be watched");
    if (*seconds != '\0' && !jr_args_number(seconds, JR_REPEAT_LEAST_S, JR_REPEAT_MOST_S, &number))
        return jr_command_misused(&call->command, "--watch: '%.60s' is no number of seconds from "
                                  "%d to %d", seconds, JR_REPEAT_LEAST_S, JR_REPEAT_MOST_S);
    watch.interval_s = (int)number;
    watch.marked = !call->command.json;
    watch.drawn = watch.marked && jr_screen_is_there();
    return jr_repeat_run(&watch);
}

/* Do what is asked for, once its arguments are read. */
static int carry_out(struct call *call)
{
    struct jr_command *command = &call->command;
    const char *color = jr_command_value(command, "color");
    const char *seconds = jr_command_value(command, "watch");
    int status;

    if (jr_command_value(command, "help") != NULL)
        return end_output(show_command_help(call->row));
    if (jr_command_value(command, "version") != NULL)
        return end_output(show_version(command));
    status = read_format(call);
    if (status != JR_EXIT_OK)
        return status;
    command->dry_run = jr_command_value(command, "dry-run") != NULL;
    if (!jr_tint_choose(color, isatty(STDOUT_FILENO) != 0, &command->color))
        return jr_command_misused(command, "--color: '%.60s' is none of auto, always, never",
                                  color);
    return seconds != NULL ? watch(call, seconds) : run(call, jr_screen_width());
}

int jr_tool_main(char **argv, struct jr_source *source)
{
    const char *name;
    struct call call = { .command = { .source = source } };
    struct jr_error error;
    int status;

    (void)signal(SIGPIPE, SIG_DFL);
    /* All that is stored is UTF-8, whatever the terminal's language. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    if (argv[1] != NULL && strcmp(argv[1], "complete") == 0) {
        jr_complete(&call.command, rows, ROWS, argv + 2);
        return clean_up(&call.command, JR_EXIT_OK);
    }
    status = pull_command(argv, &name);
    if (status != JR_EXIT_OK || name == NULL)
        return status;
    call.row = find(name);
    if (call.row == NULL)
        return refuse(name);
    call.command.name = call.row->name;
    call.command.options = call.row->options;
    if (jr_args_parse(call.row->options, call.row->least, call.row->most, argv + 2,
                      &call.command.args, &error)
        != JR_OK)
        return jr_command_misused(&call.command, "%s: %s", call.row->name, error.text);
    return carry_out(&call);
}
