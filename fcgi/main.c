/*
 * main -- finds out what the program is to be: tool, service, matcher, or one CGI request.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/cgi.h"
#include "fcgi/process/listen.h"
#include "fcgi/process/master.h"
#include "fcgi/tool/tool.h"
#include "lib/base/log.h"
#include "lib/config/load.h"
#include "lib/config/names.h"
#include "lib/config/secrets.h"
#include "lib/config/vault.h"
#include "lib/service/matcher.h"
#include "lib/service/process.h"
#include "lib/steps/chosen.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What stands in one of several lines; returns the next one. */
static const char *cut_line(const char *lines, int *length)
{
    *length = (int)strcspn(lines, "\n");
    return lines + *length + (lines[*length] == '\n');
}

/* Log each problem by itself, so that one line is one problem. */
static void log_problems(const char *problems)
{
    int length;

    for (const char *next; *problems != '\0'; problems = next) {
        next = cut_line(problems, &length);
        jr_log(JR_LOG_ERROR, "wrong-setting", "%.*s", length, problems);
    }
}

/* What is likely not meant so, if anything; NULL: nothing. */
static void log_doubts(const char *doubts)
{
    int length;

    for (const char *next; doubts != NULL && *doubts != '\0'; doubts = next) {
        next = cut_line(doubts, &length);
        jr_log(JR_LOG_WARN, "doubtful-setting", "%.*s", length, doubts);
    }
}

static void log_all_doubts(const struct jr_settings *settings)
{
    char *names = jr_names_doubts();

    log_doubts(names);
    free(names);
    log_doubts(settings->doubts);
}

/* Settings, log and rights, as both doors need them. */
static int prepare(struct jr_settings *settings, const struct jr_source *source)
{
    char *problems;
    struct jr_error error;
    enum jr_err err;

    jr_process_guard_secrets();
    err = jr_load_settings(settings, source, &problems);
    jr_secrets_clear_environment();
    jr_log_open(settings->log_level);
    log_all_doubts(settings);
    if (err != JR_OK) {
        log_problems(problems == NULL ? "out of memory" : problems);
        free(problems);
        return JR_EXIT_CONFIG;
    }
    if (jr_process_become_owner(settings->state_dir, &error) != JR_OK) {
        jr_log(JR_LOG_ERROR, "start-failed", "%s", error.text);
        return JR_EXIT_STORE;
    }
    if (jr_load_check_files(settings, &error) != JR_OK) {
        jr_log(JR_LOG_ERROR, "wrong-setting", "%s", error.text);
        return JR_EXIT_CONFIG;
    }
    err = jr_chosen_load(settings, &problems);
    if (err != JR_OK) {
        log_problems(problems == NULL ? "out of memory" : problems);
        free(problems);
        return JR_EXIT_CONFIG;
    }
    if (geteuid() == 0)
        jr_log(JR_LOG_WARN, "runs-as-root", "STATE_DIR '%s' belongs to root, so everything runs "
               "as root; give it to another user", settings->state_dir);
    if (strlen(settings->github_sign_key) < 16)
        jr_log(JR_LOG_WARN, "short-key", "GITHUB_SIGN_KEY has fewer than 16 characters; "
               "a secret that can be guessed protects nothing");
    jr_process_guard_secrets(); /* another user's processes begin anew */
    return JR_EXIT_OK;
}

/* As the user that everything runs as. */
static int make_socket(void)
{
    struct jr_error error;

    if (jr_listen_make(&error) == JR_OK)
        return JR_EXIT_OK;
    jr_log(JR_LOG_ERROR, "start-failed", "%s", error.text);
    return JR_EXIT_FAILED;
}

/* Did the dispatcher start us to match text? For anybody else there is no such option. */
static bool is_matcher(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[1], JR_MATCHER_ARGUMENT) == 0
           && jr_matcher_is_socket(JR_MATCHER_FD);
}

int main(int argc, char **argv)
{
    struct jr_source source = { .environment = true };
    struct jr_settings settings;
    bool service = jr_listen_is_ready() || jr_listen_is_wanted(), request = jr_cgi_is_request();
    int status;

    jr_process_open_standard();
    if (!request && is_matcher(argc, argv))
        return jr_matcher_main(JR_MATCHER_FD);
    (void)jr_vault_take_over(&source);
    /* Who reads our output or log may leave before we do. */
    (void)signal(SIGPIPE, SIG_IGN);
    /* Arguments of a request are a stranger's: RFC 3875, 4.4, makes them of a query without `='. */
    if (argc > 1 && !request) {
        status = jr_tool_main(argv, &source);
        jr_source_release(&source);
        return status;
    }
    if (!service && !request) {
        jr_tool_usage(stderr);
        return JR_EXIT_USAGE;
    }
    status = prepare(&settings, &source);
    jr_source_release(&source);
    if (status == JR_EXIT_OK && service)
        status = make_socket();
    if (status == JR_EXIT_OK)
        status = service ? jr_master_main(&settings) : jr_cgi_main(&settings);
    else if (!service)
        jr_cgi_refuse();
    jr_settings_release(&settings);
    return status;
}
