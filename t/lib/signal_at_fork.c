/*
 * signal_at_fork -- preloaded into a shell that runs a script, sends it a signal
 * right after one of its forks: before it can note the child's number.
 *
 *   SIGNAL_AT_FORK  which fork, from 1
 *   SIGNAL          SIGTERM's number, or SIGKILL's: then the child does nothing
 *                   before the shell is gone
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static pid_t shell;
static long left;
static int signal_number;

static long take_number(const char *name)
{
    const char *number = getenv(name);
    long value = number == NULL ? 0 : atol(number);

    unsetenv(name);
    return value;
}

/* Only this one process: what it executes gets nothing of it. */
__attribute__((constructor)) static void begin(void)
{
    shell = getpid();
    left = take_number("SIGNAL_AT_FORK");
    signal_number = (int)take_number("SIGNAL");
    unsetenv("LD_PRELOAD");
}

pid_t fork(void)
{
    pid_t (*real)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
    int is_the_one = getpid() == shell && --left == 0;
    pid_t child = real();

    if (is_the_one && child > 0)
        (void)kill(shell, signal_number);
    while (is_the_one && child == 0 && signal_number == SIGKILL && getppid() == shell)
        (void)usleep(1000);
    return child;
}
