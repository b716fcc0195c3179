/*
 * slow_disk -- preloaded into a service, makes one flush of its store take long.
 *
 * SLOW_DISK names a file of a struct control, which the test writes and reads. The
 * process that is named in it does at its next fdatasync(2) what it says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct control {
    _Atomic int32_t pids[8]; /* whose flush it may be; 0: nobody's */
    _Atomic int32_t action;  /* 0: none, -1: stop as by SIGSTOP, else so many ms; taken once */
    _Atomic int32_t taker;   /* who has taken it; 0: nobody yet */
};

static struct control *control;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SLOW_DISK");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
}

static int is_meant(void)
{
    for (size_t i = 0; i < sizeof control->pids / sizeof *control->pids; i++)
        if (control->pids[i] == getpid())
            return 1;
    return 0;
}

int fdatasync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int32_t action = control != NULL && is_meant() ? atomic_exchange(&control->action, 0) : 0;
    struct timespec left = { .tv_sec = action / 1000, .tv_nsec = action % 1000 * 1000000L };

    if (action != 0)
        control->taker = getpid();
    if (action < 0)
        (void)raise(SIGSTOP);
    while (action > 0 && nanosleep(&left, &left) != 0)
        continue;
    return real(fd);
}
