/*
 * scribble -- preloaded into a service, makes one of its workers do what one might do
 * that was taken over: it writes anything into all shared memory of the service that it
 * can write, for as long as the test wants, and serves nobody.
 *
 * SCRIBBLE names a file of a struct control, which the test writes and reads.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct control {
    _Atomic int32_t go;      /* by the test: scribble */
    _Atomic int32_t pid;     /* of the worker that does; 0: none yet */
    _Atomic int32_t pieces;  /* that it can write */
    _Atomic int32_t bytes;   /* of them all */
    _Atomic int32_t foreign; /* that it can only read */
    _Atomic int32_t opened;  /* of those, how many it got to write all the same */
    _Atomic int32_t writes;  /* how often it has written */
};

#define PIECES_MOST 64

static struct control *control;
static struct piece {
    unsigned char *at;
    size_t size;
} own[PIECES_MOST], foreign[PIECES_MOST];
static int own_count, foreign_count;
static uint64_t dice = 88172645463325252u;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SCRIBBLE");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
}

static void find_pieces(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512], rights[8];
    unsigned long from, to;

    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        struct piece *piece;

        if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3
            || strstr(line, "/memfd:runtime") == NULL)
            continue;
        piece = rights[1] == 'w' ? &own[own_count] : &foreign[foreign_count];
        if (own_count == PIECES_MOST || foreign_count == PIECES_MOST)
            break;
        *piece = (struct piece){ (unsigned char *)from, to - from };
        if (rights[1] == 'w') {
            own_count++;
            control->bytes += (int32_t)piece->size;
        } else {
            foreign_count++;
        }
    }
    if (maps != NULL)
        fclose(maps);
    control->pieces = own_count;
    control->foreign = foreign_count;
}

/* What a worker does last before it gives up what it does not need: files can be opened still. */
int epoll_create1(int flags)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "epoll_create1");
    int32_t nobody = 0;

    if (control != NULL && atomic_compare_exchange_strong(&control->pid, &nobody, getpid()))
        find_pieces();
    return real(flags);
}

static uint64_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

/* Words of all kinds: anything, small ones, and the ends of what there is. */
static uint64_t some_word(void)
{
    static const uint64_t ends[] = { 0, 1, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN, UINT32_MAX };

    switch (roll() % 3) {
    case 0:
        return roll();
    case 1:
        return roll() % 100000;
    default:
        return ends[roll() % (sizeof ends / sizeof *ends)];
    }
}

static void scribble(void)
{
    for (int i = 0; i < 10000; i++) {
        const struct piece *piece = &own[roll() % (uint64_t)own_count];
        size_t words = piece->size / sizeof(uint64_t);
        /* The beginning, where the words stand that say most, as often as all the rest. */
        size_t at = roll() % 2 == 0 ? roll() % (words < 32 ? words : 32) : roll() % words;
        uint64_t word = some_word();

        memcpy(piece->at + at * sizeof word, &word, roll() % 2 == 0 ? sizeof word : 1 + roll() % 7);
    }
    control->writes++;
}

static void try_foreign(void)
{
    for (int i = 0; i < foreign_count; i++)
        if (mprotect(foreign[i].at, foreign[i].size, PROT_READ | PROT_WRITE) == 0)
            control->opened++;
}

int epoll_pwait(int fd, struct epoll_event *events, int most, int timeout_ms, const sigset_t *mask)
{
    int (*real)(int, struct epoll_event *, int, int, const sigset_t *) =
        (int (*)(int, struct epoll_event *, int, int, const sigset_t *))dlsym(RTLD_NEXT, "epoll_pwait");
    const struct timespec tick = { .tv_nsec = 1000000 };
    sigset_t pending;

    if (control == NULL || control->pid != getpid())
        return real(fd, events, most, timeout_ms, mask);
    try_foreign();
    while (sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 0) {
        if (control->go != 0)
            scribble();
        (void)nanosleep(&tick, NULL);
    }
    return real(fd, events, most, 0, mask);
}
