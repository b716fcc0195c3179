/*
 * runtime -- the memory that the processes of one service share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/runtime.h"
#include "lib/base/file.h"
#include "lib/base/timestamp.h"
#include "lib/github/outage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* A file of its own for each: the workers' in their order, the dispatcher's, and these. */
enum { BOARD = 1, CROWD = 2 }; /* behind the dispatcher's */

struct jr_piece {
    int fd;        /* to write; -1: closed */
    void *address; /* where all but its writer can only read it; NULL: nowhere */
    size_t size;
};

/* A commit may have come after the look at the clock. */
#define CLAIM_SLACK_US INT64_C(1000000)

/* Nobody can change its size, nor take this back. */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)

static size_t count_pieces(size_t workers)
{
    return workers + 1 + CROWD;
}

static struct jr_piece *piece_of(const struct jr_runtime *runtime, int which)
{
    return &runtime->pieces[runtime->workers + (size_t)which];
}

static size_t size_of(size_t workers, size_t number)
{
    if (number < workers)
        return sizeof(struct jr_process);
    if (number == workers)
        return sizeof(struct jr_told);
    if (number == workers + BOARD)
        return sizeof(struct jr_board) + (workers + 1) * sizeof(struct jr_birth);
    return sizeof(struct jr_crowd) + workers * sizeof(struct jr_slot);
}

/* Map what a descriptor was opened for; at an address or, NULL, anywhere. */
static void *map(int fd, size_t size, int protection, void *address)
{
    void *memory = mmap(address, size, protection, MAP_SHARED | (address != NULL ? MAP_FIXED : 0),
                        fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* The same file again, by a descriptor that is for reading alone: so is what is mapped with it. */
static void *map_to_read(int fd, size_t size)
{
    char path[64];
    void *memory;
    int reading;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    reading = open(path, O_RDONLY | O_CLOEXEC);
    if (reading < 0)
        return NULL;
    memory = map(reading, size, PROT_READ, NULL);
    close(reading);
    return memory;
}

static bool make_piece(struct jr_piece *piece, size_t size, bool seen)
{
    piece->size = size;
    piece->fd = jr_file_memory("runtime");
    if (piece->fd < 0 || ftruncate(piece->fd, (off_t)size) != 0
        || fcntl(piece->fd, F_ADD_SEALS, SEALS) != 0)
        return false;
    piece->address = seen ? map_to_read(piece->fd, size) : NULL;
    return !seen || piece->address != NULL;
}

static bool make_pieces(struct jr_runtime *runtime)
{
    size_t count = count_pieces(runtime->workers);
    struct jr_piece *board;

    runtime->pieces = calloc(count, sizeof *runtime->pieces);
    for (size_t i = 0; runtime->pieces != NULL && i < count; i++)
        runtime->pieces[i].fd = -1;
    if (runtime->pieces == NULL)
        return false;
    /* The master does not see the crowd's either. */
    for (size_t i = 0; i < count; i++)
        if (!make_piece(&runtime->pieces[i], size_of(runtime->workers, i),
                        i != runtime->workers + CROWD))
            return false;
    runtime->told = runtime->pieces[runtime->workers].address;
    board = piece_of(runtime, BOARD);
    runtime->board = map(board->fd, board->size, PROT_READ | PROT_WRITE, NULL);
    return runtime->board != NULL;
}

enum jr_err jr_runtime_create(struct jr_runtime **runtime, size_t workers, int64_t now_ms,
                              struct jr_error *error)
{
    struct jr_runtime *made = calloc(1, sizeof *made);
    int saved;

    *runtime = NULL;
    if (made == NULL)
        return jr_error_set(error, JR_EIO, "out of memory");
    made->workers = workers;
    if (!make_pieces(made)
        || getrandom(&made->batch_id, sizeof made->batch_id, 0) != sizeof made->batch_id) {
        saved = errno;
        jr_runtime_release(made);
        return jr_error_set(error, JR_EIO, "cannot share memory (it takes /proc, too): %s",
                            strerror(saved));
    }
    made->board->started_ms = now_ms;
    made->board->dispatcher_lost_ms = jr_monotonic_ms();
    *runtime = made;
    return JR_OK;
}

/* Unmap what the master alone may write. */
static void leave_board(struct jr_runtime *runtime)
{
    struct jr_piece *board = piece_of(runtime, BOARD);

    if (runtime->board != NULL && runtime->board != board->address)
        munmap(runtime->board, board->size);
    runtime->board = board->address;
}

void jr_runtime_close(struct jr_runtime *runtime)
{
    for (size_t i = 0; i < count_pieces(runtime->workers); i++) {
        if (runtime->pieces[i].fd >= 0)
            close(runtime->pieces[i].fd);
        runtime->pieces[i].fd = -1;
    }
}

void jr_runtime_release(struct jr_runtime *runtime)
{
    if (runtime == NULL)
        return;
    if (runtime->pieces != NULL) {
        jr_runtime_close(runtime);
        leave_board(runtime);
        if (runtime->crowd != NULL)
            munmap(runtime->crowd, piece_of(runtime, CROWD)->size);
        for (size_t i = 0; i < count_pieces(runtime->workers); i++)
            if (runtime->pieces[i].address != NULL)
                munmap(runtime->pieces[i].address, runtime->pieces[i].size);
        free(runtime->pieces);
    }
    free(runtime);
}

enum jr_err jr_runtime_own(struct jr_runtime *runtime, int who, struct jr_error *error)
{
    size_t number = who == JR_OWN_DISPATCHER ? runtime->workers : (size_t)who;
    struct jr_piece *own = &runtime->pieces[number], *crowd = piece_of(runtime, CROWD);
    struct jr_process *process = map(own->fd, own->size, PROT_READ | PROT_WRITE, own->address);

    leave_board(runtime);
    if (process != NULL && who != JR_OWN_DISPATCHER)
        runtime->crowd = map(crowd->fd, crowd->size, PROT_READ | PROT_WRITE, NULL);
    if (process == NULL || (who != JR_OWN_DISPATCHER && runtime->crowd == NULL))
        return jr_error_set(error, JR_EIO, "cannot share memory: %s", strerror(errno));
    process->busy_since_ms = 0;
    process->watch.word = 0;
    process->beat_ms = jr_monotonic_ms();
    return JR_OK;
}

size_t jr_runtime_processes(const struct jr_runtime *runtime)
{
    return runtime->workers + 1;
}

struct jr_process *jr_runtime_process(const struct jr_runtime *runtime, size_t number)
{
    return runtime->pieces[number].address;
}

struct jr_process *jr_runtime_dispatcher(const struct jr_runtime *runtime)
{
    return jr_runtime_process(runtime, runtime->workers);
}

void jr_runtime_note_start(struct jr_runtime *runtime, size_t number, pid_t pid, int64_t now_ms)
{
    struct jr_birth *birth = &runtime->board->births[number];

    birth->restarts += birth->started_ms != 0;
    birth->started_ms = now_ms;
    birth->pid = pid;
}

/* Since when no dispatcher of ours holds the lock. 0: one does. */
static int64_t dispatcher_free_ms(const struct jr_runtime *runtime)
{
    int64_t waits_ms = runtime->told->waits_ms;
    int64_t at_work_ms = runtime->told->at_work_ms;
    int64_t lost_ms = runtime->board->dispatcher_lost_ms;

    if (waits_ms != 0)
        return waits_ms;
    return at_work_ms != 0 && at_work_ms >= lost_ms ? 0 : lost_ms;
}

void jr_runtime_note_end(struct jr_runtime *runtime, size_t number)
{
    runtime->board->births[number].pid = 0;
    /* Those that die before they have the lock change nothing. */
    if (number == runtime->workers && dispatcher_free_ms(runtime) == 0)
        runtime->board->dispatcher_lost_ms = jr_monotonic_ms();
}

void jr_runtime_note_policy(struct jr_runtime *runtime, bool refused)
{
    runtime->board->policy_refused = refused;
}

int64_t jr_process_beat_ms(const struct jr_process *process, int64_t now_ms)
{
    int64_t beat_ms = process->beat_ms;

    return beat_ms < 0 ? 0 : beat_ms > now_ms ? now_ms : beat_ms;
}

void jr_process_note_commit(struct jr_process *process, bool ok)
{
    int64_t now_us;

    if (process == NULL)
        return;
    now_us = jr_monotonic_us();
    atomic_store_explicit(&process->commit_us, ok ? now_us : -now_us, memory_order_relaxed);
}

bool jr_runtime_commits_fail(const struct jr_runtime *runtime)
{
    int64_t failed_us = 0, succeeded_us = 0;
    /* One that says that it was later than now would have the last word for ever. */
    int64_t most_us = jr_monotonic_us() + CLAIM_SLACK_US;

    for (size_t i = 0; i < jr_runtime_processes(runtime); i++) {
        int64_t commit_us = jr_runtime_process(runtime, i)->commit_us;

        if (commit_us > succeeded_us && commit_us <= most_us)
            succeeded_us = commit_us;
        if (commit_us < -failed_us && commit_us >= -most_us)
            failed_us = -commit_us;
    }
    return failed_us > 0 && failed_us >= succeeded_us;
}

static void look_at_processes(const struct jr_runtime *runtime, struct jr_sight *sight)
{
    for (size_t i = 0; i < runtime->workers; i++) {
        const struct jr_birth *birth = &runtime->board->births[i];
        bool alive = birth->pid != 0;

        sight->workers_alive += alive;
        sight->workers_busy += alive && jr_runtime_process(runtime, i)->busy_since_ms != 0;
        sight->worker_restarts += (int64_t)birth->restarts;
    }
    sight->dispatcher_restarts = (int64_t)runtime->board->births[runtime->workers].restarts;
    if (runtime->board->births[runtime->workers].pid != 0)
        sight->dispatcher_busy_ms = runtime->told->process.busy_since_ms;
    for (size_t i = 0; i < jr_runtime_processes(runtime); i++)
        jr_counters_add(&sight->counters, &jr_runtime_process(runtime, i)->counters);
}

/*
 * Why calls of GitHub's API fail (jr_outage_reason), as far as that matters: something is in
 * the outbox, and no call of the last minute was answered. NONE: they do not. When that was the
 * dispatcher says, so it may be any number; a time that is still to come is none.
 */
static int64_t outage_of(const struct jr_told *told)
{
    int64_t answered_ms = told->answered_ms, now_ms = jr_monotonic_ms();
    bool lately = answered_ms > 0 && answered_ms <= now_ms
                  && now_ms - answered_ms < JR_OUTAGE_TOLD_MS;

    return told->work_waits != 0 && !lately ? told->outage_reason : JR_REASON_NONE;
}

#define TAKE(name) sight->name = told->name;

void jr_runtime_look(const struct jr_runtime *runtime, struct jr_sight *sight)
{
    const struct jr_told *told = runtime->told;

    memset(sight, 0, sizeof *sight);
    sight->started_ms = runtime->board->started_ms;
    sight->workers = (int64_t)runtime->workers;
    look_at_processes(runtime, sight);
    sight->dispatcher_free_ms = dispatcher_free_ms(runtime);
    sight->commits_fail = jr_runtime_commits_fail(runtime);
    sight->outage = outage_of(told);
    sight->policy_refused = runtime->board->policy_refused;
    JR_SIGHT_TOLD(TAKE)
    jr_sight_bound(sight);
}

/* Somebody's place, or, when what stands there is no worker's, nobody's. */
static bool is_taken(const struct jr_runtime *runtime, int64_t place)
{
    return place > 0 && place <= (int64_t)runtime->workers;
}

bool jr_runtime_page_begin(struct jr_runtime *runtime, int worker)
{
    for (size_t i = 0; i < JR_PAGES_AT_ONCE; i++) {
        int64_t place = runtime->crowd->pages[i];

        if (!is_taken(runtime, place)
            && atomic_compare_exchange_strong(&runtime->crowd->pages[i], &place, worker + 1))
            return true;
    }
    return false;
}

void jr_runtime_page_end(struct jr_runtime *runtime, int worker)
{
    for (size_t i = 0; i < JR_PAGES_AT_ONCE; i++) {
        int64_t ours = worker + 1;

        (void)atomic_compare_exchange_strong(&runtime->crowd->pages[i], &ours, 0);
    }
}
