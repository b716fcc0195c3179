/*
 * reload -- the master makes way for the program that is on disk now.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/reload.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/timestamp.h"
#include "lib/config/inforce.h"
#include "lib/service/process.h"
#include "lib/steps/chosen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Trying opens the store; more than that it does not. */
#define TRIAL_LIMIT_MS (30 * JR_SECOND_MS)

/* More than is said of any file of settings that somebody writes by hand. */
#define OUTPUT_MOST 32768

/* The children's process ids, each with a blank behind it; there also if there are none. */
static const char variable[] = "JR_CHILDREN";

/* The descriptor of the socket where the master is asked how it goes (sight.h). */
static const char door_variable[] = "JR_DOOR";

static void refuse(const char *why)
{
    jr_log(JR_LOG_ERROR, "reload-refused", "%s; everything goes on as before", why);
}

/* As it was named, so that a link may point to another one by now. Without a path the shell
 * has looked for it. */
void jr_reload_init(struct jr_reload *reload)
{
    char path[PATH_MAX];
    ssize_t length;

    *reload = (struct jr_reload){ .output = -1 };
    if (strchr(program_invocation_name, '/') != NULL) {
        reload->program = strdup(program_invocation_name);
        return;
    }
    length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0)
        reload->program = strndup(path, (size_t)length);
}

void jr_reload_release(struct jr_reload *reload)
{
    if (reload->output >= 0)
        close(reload->output);
    free(reload->program);
    *reload = (struct jr_reload){ .output = -1 };
}

/* In the child. Only what the master itself would hand on is open. */
static _Noreturn void try(const struct jr_reload *reload, const struct jr_vault *vault,
                          pid_t parent)
{
    char check[] = "check";
    char *const argv[] = { reload->program, check, NULL };
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0
        || dup2(reload->output, STDERR_FILENO) < 0 || getppid() != parent)
        _exit(JR_EXIT_FAILED);
    jr_vault_hand_on(vault, true);
    (void)unsetenv("NOTIFY_SOCKET");
    /* With one of these it would answer a request, and not check anything. */
    (void)unsetenv("REQUEST_METHOD");
    (void)unsetenv("GATEWAY_INTERFACE");
    (void)setenv(JR_INFORCE_TRIAL, "yes", 1);
    execv(reload->program, argv);
    dprintf(STDERR_FILENO, "cannot execute '%s': %s\n", reload->program, strerror(errno));
    _exit(JR_EXIT_FAILED);
}

bool jr_reload_try(struct jr_reload *reload, const struct jr_vault *vault)
{
    pid_t parent = getpid();

    if (reload->program == NULL) {
        refuse("it is not known what was started");
        return false;
    }
    /* Not a pipe: nobody has to read it meanwhile. */
    reload->output = jr_file_memory("check");
    reload->pid = reload->output < 0 ? -1 : fork();
    if (reload->pid == 0)
        try(reload, vault, parent);
    if (reload->pid < 0) {
        refuse(strerror(errno));
        if (reload->output >= 0)
            close(reload->output);
        reload->output = -1;
        reload->pid = 0;
        return false;
    }
    reload->due_ms = jr_monotonic_ms() + TRIAL_LIMIT_MS;
    return true;
}

void jr_reload_look(const struct jr_reload *reload)
{
    if (reload->pid != 0 && jr_monotonic_ms() > reload->due_ms)
        (void)kill(reload->pid, SIGKILL);
}

static void read_output(int fd, char *words, size_t size)
{
    ssize_t got = pread(fd, words, size - 1, 0);

    words[got > 0 ? got : 0] = '\0';
}

/* What the trial has found in the file of settings. */
static void log_file(int fd)
{
    static const char *const marks[][2] = {
        { JR_RESTART_NEEDED, "restart-needed" }, { JR_DOUBTFUL_FILE, "doubtful-setting" },
    };
    char text[OUTPUT_MOST], *rest = text, *line;

    read_output(fd, text, sizeof text);
    while ((line = strsep(&rest, "\n")) != NULL)
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
            if (strncmp(line, marks[i][0], strlen(marks[i][0])) == 0)
                jr_log(JR_LOG_WARN, marks[i][1], "%s", line + strlen(marks[i][0]));
}

static bool finds_broken_policy(int fd)
{
    char text[OUTPUT_MOST];

    read_output(fd, text, sizeof text);
    return strncmp(text, JR_CHOSEN_BROKEN, strlen(JR_CHOSEN_BROKEN)) == 0
           || strstr(text, "\n" JR_CHOSEN_BROKEN) != NULL;
}

/* What the trial has said, in one line. */
static void read_words(int fd, char *words, size_t size)
{
    read_output(fd, words, size);
    for (char *c = words; *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] == '\0' ? '\0' : ' ';
}

bool jr_reload_judge(struct jr_reload *reload, int status)
{
    char words[400], why[512];
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == JR_EXIT_OK;

    reload->policy_broken = !good && finds_broken_policy(reload->output);
    if (good) {
        log_file(reload->output);
    } else {
        read_words(reload->output, words, sizeof words);
        snprintf(why, sizeof why, "the check of '%.40s' ended with %s %d%s%s", reload->program,
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                 words[0] == '\0' ? "" : ": ", words);
        refuse(why);
    }
    close(reload->output);
    reload->output = -1;
    reload->pid = 0;
    return good;
}

/* Who asks meanwhile waits for the next master's answer. */
static void hand_on_door(int door, bool yes)
{
    char number[16];

    if (door < 0)
        return;
    (void)fcntl(door, F_SETFD, yes ? 0 : FD_CLOEXEC);
    snprintf(number, sizeof number, "%d", door);
    if (yes)
        (void)setenv(door_variable, number, 1);
    else
        (void)unsetenv(door_variable);
}

/* A socket of ours, or -1. */
static int take_door(void)
{
    const char *number = getenv(door_variable);
    int door = number == NULL ? -1 : atoi(number);
    int listening = 0;
    socklen_t size = sizeof listening;

    (void)unsetenv(door_variable);
    if (door <= STDERR_FILENO
        || getsockopt(door, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
        return -1;
    (void)fcntl(door, F_SETFD, FD_CLOEXEC);
    return door;
}

void jr_reload_go(const struct jr_reload *reload, const struct jr_vault *vault, int door,
                  const pid_t *children, size_t count)
{
    char *const argv[] = { reload->program, NULL };
    char *list;
    size_t size;
    FILE *out = open_memstream(&list, &size);
    int saved = ENOMEM;

    if (out != NULL) {
        for (size_t i = 0; i < count; i++)
            fprintf(out, "%ld ", (long)children[i]);
        if (fclose(out) == 0 && setenv(variable, list, 1) == 0) {
            jr_vault_hand_on(vault, true);
            hand_on_door(door, true);
            execv(reload->program, argv);
            saved = errno;
            hand_on_door(door, false);
            jr_vault_hand_on(vault, false);
            (void)unsetenv(variable);
        }
        free(list);
    }
    refuse(strerror(saved));
}

bool jr_reload_inherit(pid_t **children, size_t *count, int *door)
{
    const char *list = getenv(variable);
    char *end;
    size_t blanks = 0;

    *children = NULL;
    *count = 0;
    *door = take_door();
    if (list == NULL)
        return false;
    for (const char *c = list; *c != '\0'; c++)
        blanks += *c == ' ';
    *children = calloc(blanks + 1, sizeof **children);
    while (*children != NULL && *count < blanks) {
        long pid = strtol(list, &end, 10);

        if (end == list || pid <= 1)
            break;
        (*children)[(*count)++] = (pid_t)pid;
        list = end;
    }
    (void)unsetenv(variable);
    return true;
}
