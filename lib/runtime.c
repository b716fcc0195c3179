/*
 * runtime -- what the processes of one service tell each other about how it goes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/runtime.h"
#include "lib/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* "JRrun" and the version of the layout */
#define MAGIC UINT64_C(0x4a5272756e000008)

static bool make_path(char path[PATH_MAX], const char *state_dir)
{
    return snprintf(path, PATH_MAX, "%s/runtime", state_dir) < PATH_MAX;
}

/* Where the processes' blocks begin, and where they end. */
static size_t processes_offset(size_t workers)
{
    size_t end = sizeof(struct jr_runtime) + workers * sizeof(struct jr_slot);

    return (end + JR_CACHE_LINE - 1) / JR_CACHE_LINE * JR_CACHE_LINE;
}

static size_t whole_size(size_t workers)
{
    return processes_offset(workers) + (workers + 2) * sizeof(struct jr_process);
}

static struct jr_runtime *map(int fd, size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* A file with its blocks there: on a full disk, writing to a hole would be SIGBUS. */
static int make_file(const char *state_dir, size_t size)
{
    char path[PATH_MAX];
    int fd;

    if (!make_path(path, state_dir))
        return -1;
    (void)unlink(path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 && posix_fallocate(fd, 0, (off_t)size) != 0) {
        close(fd);
        (void)unlink(path);
        return -1;
    }
    return fd;
}

enum jr_err jr_runtime_create(struct jr_runtime **runtime, const char *state_dir,
                              size_t workers, int64_t now_ms, struct jr_error *error)
{
    size_t size = whole_size(workers);
    int fd = make_file(state_dir, size);
    struct stat status = { .st_ino = 0 };

    *runtime = map(fd, size);
    if (fd >= 0) {
        (void)fstat(fd, &status);
        close(fd);
    }
    if (*runtime == NULL)
        return jr_error_set(error, JR_EIO, "cannot share memory: %s", strerror(errno));
    if (getrandom(&(*runtime)->batch_id, sizeof (*runtime)->batch_id, 0) < 0)
        return jr_error_set(error, JR_EIO, "cannot get random bytes: %s", strerror(errno));
    (*runtime)->slot_count = workers;
    (*runtime)->started_ms = now_ms;
    (*runtime)->dispatcher_free_ms = jr_monotonic_ms();
    (*runtime)->file = status.st_ino;
    (*runtime)->magic = MAGIC;
    return JR_OK;
}

void jr_runtime_remove(const struct jr_runtime *runtime, const char *state_dir)
{
    char path[PATH_MAX];
    struct stat status;

    if (make_path(path, state_dir) && stat(path, &status) == 0 && status.st_ino == runtime->file)
        (void)unlink(path);
}

struct jr_runtime *jr_runtime_attach(const char *state_dir)
{
    char path[PATH_MAX];
    struct jr_runtime *runtime = NULL;
    struct stat status;
    int fd;

    if (!make_path(path, state_dir))
        return NULL;
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0 && status.st_size >= (off_t)sizeof *runtime)
        runtime = map(fd, (size_t)status.st_size);
    close(fd);
    if (runtime != NULL
        && (runtime->magic != MAGIC
            || (uint64_t)status.st_size / sizeof(struct jr_slot) < runtime->slot_count
            || (uint64_t)status.st_size != whole_size(runtime->slot_count))) {
        munmap(runtime, (size_t)status.st_size);
        runtime = NULL;
    }
    return runtime;
}

size_t jr_runtime_processes(const struct jr_runtime *runtime)
{
    return runtime->slot_count + 2;
}

struct jr_process *jr_runtime_process(struct jr_runtime *runtime, size_t number)
{
    char *blocks = (char *)runtime + processes_offset(runtime->slot_count);

    return (struct jr_process *)(void *)(blocks + number * sizeof(struct jr_process));
}

struct jr_process *jr_runtime_dispatcher(struct jr_runtime *runtime)
{
    return jr_runtime_process(runtime, runtime->slot_count);
}

struct jr_process *jr_runtime_master(struct jr_runtime *runtime)
{
    return jr_runtime_process(runtime, runtime->slot_count + 1);
}

void jr_runtime_sum(struct jr_runtime *runtime, struct jr_counters *sum)
{
    memset(sum, 0, sizeof *sum);
    for (size_t i = 0; i < jr_runtime_processes(runtime); i++)
        jr_counters_add(sum, &jr_runtime_process(runtime, i)->counters);
}

size_t jr_runtime_workers_busy(struct jr_runtime *runtime)
{
    size_t busy = 0;

    for (size_t i = 0; i < runtime->slot_count; i++)
        busy += jr_runtime_process(runtime, i)->busy_since_ms != 0;
    return busy;
}

void jr_process_note_start(struct jr_process *process, int64_t pid, int64_t now_ms)
{
    process->restarts += process->started_ms != 0;
    process->started_ms = now_ms;
    process->pid = pid;
}

void jr_process_note_end(struct jr_process *process)
{
    process->pid = 0;
    process->busy_since_ms = 0;
}

void jr_runtime_note_commit(struct jr_runtime *runtime, bool ok, int64_t now_ms)
{
    if (runtime == NULL)
        return;
    if (ok)
        runtime->commits_fail_ms = 0;
    else if (runtime->commits_fail_ms == 0)
        runtime->commits_fail_ms = now_ms;
}

bool jr_runtime_commits_fail(const struct jr_runtime *runtime)
{
    return runtime->commits_fail_ms != 0;
}

bool jr_runtime_page_begin(struct jr_runtime *runtime, int worker)
{
    for (size_t i = 0; i < JR_PAGES_AT_ONCE; i++) {
        int64_t nobody = 0;

        if (atomic_compare_exchange_strong(&runtime->pages[i], &nobody, worker + 1))
            return true;
    }
    return false;
}

void jr_runtime_page_end(struct jr_runtime *runtime, int worker)
{
    for (size_t i = 0; i < JR_PAGES_AT_ONCE; i++) {
        int64_t ours = worker + 1;

        (void)atomic_compare_exchange_strong(&runtime->pages[i], &ours, 0);
    }
}
