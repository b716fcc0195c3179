/*
 * term_at_fork -- preloaded into a shell that runs a script, sends it SIGTERM
 * right after its fork number TERM_AT_FORK: before it can note the child's number.
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

/* Only this one process: what it executes gets nothing of it. */
__attribute__((constructor)) static void begin(void)
{
    const char *number = getenv("TERM_AT_FORK");

    shell = getpid();
    left = number == NULL ? 0 : atol(number);
    unsetenv("TERM_AT_FORK");
    unsetenv("LD_PRELOAD");
}

pid_t fork(void)
{
    pid_t (*real)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
    pid_t child = real();

    if (child > 0 && getpid() == shell && --left == 0)
        (void)kill(shell, SIGTERM);
    return child;
}
