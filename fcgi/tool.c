/*
 * tool -- the sub-commands for the administrator.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process.h"
#include "fcgi/tool.h"
#include "lib/ledger.h"
#include "lib/lock.h"
#include "lib/settings.h"
#include "lib/store.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int show_help(void);
static int show_version(void);
static int check(void);

static const struct command {
    const char *name, *alias, *meaning;
    int (*run)(void);
} commands[] = {
    { "check", NULL, "read the settings, open the store, show what the service would run with", check },
    { "help", "--help", "show this text", show_help },
    { "version", "--version", "show the version", show_version },
};

void jr_tool_usage(FILE *out)
{
    fputs("usage: job-rerunner COMMAND\n"
          "       spawn-fcgi -n -s SOCKET -M 0660 -- job-rerunner\n"
          "       REQUEST_METHOD=... job-rerunner < BODY\n\n"
          "Re-runs failed jobs of GitHub Actions. Without a command it is the FastCGI\n"
          "service when standard input is a listening socket, and answers one CGI\n"
          "request when the variables of one are in the environment.\n\n"
          "commands:\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].meaning);
}

static int show_help(void)
{
    jr_tool_usage(stdout);
    puts("\nsettings, from the environment (NAME_FILE reads a secret from a file):");
    for (size_t i = 0; i < jr_settings_count(); i++) {
        const char *standard = jr_settings_default(i);

        printf("  %-22s %s%s%s%s\n", jr_settings_name(i), jr_settings_meaning(i),
               *standard == '\0' ? "" : " [", standard, *standard == '\0' ? "" : "]");
    }
    puts("\nexit status: 0 done; 1 failed; 2 wrong usage; 73 the store cannot be opened;\n"
         "78 a setting is wrong. See job-rerunner(8).");
    return JR_EXIT_OK;
}

static int show_version(void)
{
    puts(PACKAGE_NAME " " PACKAGE_VERSION);
    return JR_EXIT_OK;
}

static void show_settings(const struct jr_settings *settings)
{
    char value[1024];

    for (size_t i = 0; i < jr_settings_count(); i++)
        printf("%-22s %s\n", jr_settings_name(i),
               jr_settings_show(settings, i, value, sizeof value));
}

/* What is in the store. The transaction is over before anything is printed. */
static int check_store(const struct jr_settings *settings)
{
    struct jr_store *store;
    struct jr_txn txn;
    struct jr_error error;
    uint64_t used_bytes, map_bytes, runs, waiting;

    if (jr_store_open(&store, settings->state_dir, settings->map_size_bytes, &error) != JR_OK) {
        fprintf(stderr, "job-rerunner: %s\n", error.text);
        return JR_EXIT_STORE;
    }
    jr_txn_begin(&txn, store, false);
    runs = jr_ledger_count(&txn);
    waiting = jr_txn_count(&txn, JR_TABLE_OUTBOX);
    jr_txn_abort(&txn);
    if (txn.error.code != JR_OK
        || jr_store_usage(store, &used_bytes, &map_bytes, &error) != JR_OK) {
        fprintf(stderr, "job-rerunner: %s\n",
                txn.error.code != JR_OK ? txn.error.text : error.text);
        jr_store_close(store);
        return JR_EXIT_STORE;
    }
    jr_store_close(store);
    printf("\n%-22s %s (format %d), %llu runs, %llu waiting for a rerun\n", "store", "good",
           JR_STORE_FORMAT, (unsigned long long)runs, (unsigned long long)waiting);
    printf("%-22s %llu kB of %llu MB\n", "map", (unsigned long long)(used_bytes / 1024),
           (unsigned long long)(map_bytes / 1024 / 1024));
    printf("%-22s %s\n", "dispatcher",
           jr_lock_is_held(settings->state_dir) ? "at work" : "none is running");
    return JR_EXIT_OK;
}

/* A look leaves nothing behind: no folder, no empty store. */
static bool has_store(const struct jr_settings *settings)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/data.mdb", settings->state_dir) < (int)sizeof path
           && (access(path, F_OK) == 0 || errno != ENOENT);
}

/* A damaged store may end the process that looks at it. */
static int check_store_in_child(const struct jr_settings *settings)
{
    pid_t pid;
    int status = 0;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        status = check_store(settings);
        fflush(stdout);
        _exit(status);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (pid < 0 || WIFSIGNALED(status)) {
        fprintf(stderr, "job-rerunner: " JR_STORE_DIED "\n", settings->state_dir,
                pid < 0 ? 0 : WTERMSIG(status));
        return JR_EXIT_STORE;
    }
    return WEXITSTATUS(status);
}

static int check(void)
{
    struct jr_settings settings;
    struct jr_error error;
    char *problems;
    int status = JR_EXIT_OK;

    if (jr_settings_load(&settings, &problems) != JR_OK) {
        fprintf(stderr, "job-rerunner: wrong settings:\n%s",
                problems == NULL ? "out of memory\n" : problems);
        free(problems);
        jr_settings_release(&settings);
        return JR_EXIT_CONFIG;
    }
    show_settings(&settings);
    if (!has_store(&settings)) {
        printf("\n%-22s there is none yet in %s; the first start makes it\n", "store",
               settings.state_dir);
    } else if (jr_process_become_owner(settings.state_dir, &error) != JR_OK) {
        fprintf(stderr, "job-rerunner: %s\n", error.text);
        status = JR_EXIT_STORE;
    } else {
        status = check_store_in_child(&settings);
    }
    if (jr_settings_check_files(&settings, &error) != JR_OK) {
        fprintf(stderr, "job-rerunner: %s\n", error.text);
        status = JR_EXIT_CONFIG;
    }
    jr_settings_release(&settings);
    return status;
}

int jr_tool_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(name, commands[i].name) != 0
            && (commands[i].alias == NULL || strcmp(name, commands[i].alias) != 0))
            continue;
        if (argc > 2) {
            fprintf(stderr, "job-rerunner: '%s' takes no arguments\n", name);
            return JR_EXIT_USAGE;
        }
        return commands[i].run();
    }
    fprintf(stderr, "job-rerunner: there is no command '%s'; see job-rerunner --help\n", name);
    return JR_EXIT_USAGE;
}
