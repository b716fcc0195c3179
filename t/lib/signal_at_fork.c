/*
 * signal_at_fork -- preloaded into a shell that runs a script, sends it a signal
 * right after one of its forks: before it can note the child's number.
 *
 * A file, whose name is compiled in as NUMBERS, has two numbers:
 *
 *   which fork, from 1
 *   which signal: SIGTERM's number, or SIGKILL's: then the child does nothing
 *   before the shell is gone
 *
 * conf/web begins anew with an environment of its own, in which LD_PRELOAD still is;
 * only from then on is there anything to stop, and forks count.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pid_t shell;
static long left;
static int signal_number;

/* Is this the shell that has begun anew, with `aside' as its only argument? */
static int is_aside(void)
{
    char words[4096];
    FILE *file = fopen("/proc/self/cmdline", "r");
    size_t length = file == NULL ? 0 : fread(words, 1, sizeof words, file);

    if (file != NULL)
        fclose(file);
    return length >= sizeof "/aside" && memcmp(words + length - sizeof "aside", "aside", sizeof "aside") == 0;
}

/* Only this one process: what it executes gets nothing of it. */
__attribute__((constructor)) static void begin(void)
{
    FILE *file = is_aside() ? fopen(NUMBERS, "r") : NULL;

    shell = getpid();
    if (file == NULL)
        return;
    if (fscanf(file, "%ld %d", &left, &signal_number) != 2)
        left = 0;
    fclose(file);
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
