/*
 * runtime -- what processes of one service see of each other, and what they cannot touch.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/service/runtime.h"
#include "t/unit/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct jr_runtime *create(size_t workers)
{
    struct jr_runtime *runtime;
    struct jr_error error;

    if (jr_runtime_create(&runtime, workers, START_MS, &error) != JR_OK)
        fail_msg("%s", error.text);
    return runtime;
}

/* This process is to write a piece. */
static void own(struct jr_runtime *runtime, int who)
{
    struct jr_error error;

    if (jr_runtime_own(runtime, who, &error) != JR_OK)
        fail_msg("%s", error.text);
}

static struct jr_sight look(const struct jr_runtime *runtime)
{
    struct jr_sight sight;

    jr_runtime_look(runtime, &sight);
    return sight;
}

static void made_anew(void **state)
{
    struct jr_runtime *runtime = create(2);
    struct jr_sight sight = look(runtime);

    (void)state;
    assert_int_equal(sight.started_ms, START_MS);
    assert_int_equal(sight.workers, 2);
    assert_int_equal(sight.workers_alive, 0);
    assert_int_equal(sight.commits_fail, 0);
    assert_int_equal(sight.token_rejected_ms, 0);
    /* Until a dispatcher says otherwise, there is none. */
    assert_in_range(sight.dispatcher_free_ms, jr_monotonic_ms() - JR_MINUTE_MS, jr_monotonic_ms());
    assert_null(runtime->crowd);
    jr_runtime_release(runtime);
    jr_runtime_release(NULL);
}

/* One process of the service, as a test makes it. */
struct role {
    struct jr_runtime *runtime;
    int who;
    void (*act)(struct jr_runtime *runtime, int who);
};

static void play(int fd, const void *argument)
{
    const struct role *role = argument;
    struct jr_error error;

    if (jr_runtime_own(role->runtime, role->who, &error) != JR_OK)
        _exit(2);
    jr_runtime_close(role->runtime);
    role->act(role->runtime, role->who);
    child_says_ready(fd);
    child_waits(fd);
}

static void start_role(struct child *child, struct jr_runtime *runtime, int who,
                       void (*act)(struct jr_runtime *runtime, int who))
{
    const struct role role = { runtime, who, act };

    start_child(child, play, &role);
}

static struct jr_process *block(struct jr_runtime *runtime, int who)
{
    return who == JR_OWN_DISPATCHER ? jr_runtime_dispatcher(runtime)
                                    : jr_runtime_process(runtime, (size_t)who);
}

static void be_busy(struct jr_runtime *runtime, int who)
{
    jr_process_note_busy(block(runtime, who), START_MS + 1);
    jr_count_webhook(&block(runtime, who)->counters, "ping", 204, JR_REASON_EVENT_NOT_WATCHED, 700);
}

static void tell(struct jr_runtime *runtime, int who)
{
    be_busy(runtime, who);
    runtime->told->at_work_ms = jr_monotonic_ms();
    runtime->told->paused_ms = START_MS + 2;
    runtime->told->map_used_bytes = 17;
}

static void fail_to_commit(struct jr_runtime *runtime, int who)
{
    jr_process_note_commit(block(runtime, who), false);
}

/* What each says is seen by the others, a worker among them; who has ended is not busy. */
static void seen_by_all(void **state)
{
    struct jr_runtime *runtime = create(3);
    struct child workers[2], dispatcher;
    struct jr_sight sight;

    (void)state;
    jr_runtime_note_start(runtime, 0, 100, START_MS);
    jr_runtime_note_start(runtime, 1, 101, START_MS);
    jr_runtime_note_start(runtime, 3, 102, START_MS);
    start_role(&workers[0], runtime, 0, be_busy);
    start_role(&workers[1], runtime, 1, fail_to_commit);
    start_role(&dispatcher, runtime, JR_OWN_DISPATCHER, tell);
    own(runtime, 2);
    sight = look(runtime);
    assert_int_equal(sight.workers_alive, 2);
    assert_int_equal(sight.workers_busy, 1);
    assert_int_equal(sight.dispatcher_busy_ms, START_MS + 1);
    assert_int_equal(sight.dispatcher_free_ms, 0);
    assert_int_equal(sight.paused_ms, START_MS + 2);
    assert_int_equal(sight.map_used_bytes, 17);
    assert_int_equal(sight.commits_fail, 1);
    assert_int_equal(sight.counters.webhook_reasons[JR_REASON_EVENT_NOT_WATCHED], 2);
    /* Who was started later has the descriptors of those before. */
    let_child_go(&dispatcher);
    let_child_go(&workers[1]);
    let_child_go(&workers[0]);
    jr_runtime_release(runtime);
}

static void starts_and_ends(void **state)
{
    struct jr_runtime *runtime = create(2);
    struct child child;
    struct jr_sight sight;

    (void)state;
    jr_runtime_note_start(runtime, 0, 100, START_MS);
    start_role(&child, runtime, 0, be_busy);
    assert_int_equal(look(runtime).workers_busy, 1);
    kill_child(&child);
    jr_runtime_note_end(runtime, 0);
    sight = look(runtime);
    assert_int_equal(sight.workers_alive, 0);
    assert_int_equal(sight.workers_busy, 0);
    assert_int_equal(sight.worker_restarts, 0);
    jr_runtime_note_start(runtime, 0, 200, START_MS + 5);
    /* Who takes over goes on with the counters, and is not busy with what killed the one before. */
    start_role(&child, runtime, 0, fail_to_commit);
    sight = look(runtime);
    assert_int_equal(sight.workers_alive, 1);
    assert_int_equal(sight.workers_busy, 0);
    assert_int_equal(sight.worker_restarts, 1);
    assert_int_equal(sight.dispatcher_restarts, 0);
    assert_int_equal(sight.counters.webhook_reasons[JR_REASON_EVENT_NOT_WATCHED], 1);
    let_child_go(&child);
    jr_runtime_release(runtime);
}

/* The dispatcher says when it works; that it has died, only the master can know. */
static void dispatcher_lost(void **state)
{
    struct jr_runtime *runtime = create(1);
    struct child child;
    int64_t free_ms;

    (void)state;
    jr_runtime_note_start(runtime, 1, 100, START_MS);
    start_role(&child, runtime, JR_OWN_DISPATCHER, tell);
    assert_int_equal(look(runtime).dispatcher_free_ms, 0);
    kill_child(&child);
    usleep(2000);
    jr_runtime_note_end(runtime, 1);
    free_ms = look(runtime).dispatcher_free_ms;
    assert_in_range(free_ms, jr_monotonic_ms() - JR_MINUTE_MS, jr_monotonic_ms());
    usleep(2000);
    assert_int_equal(look(runtime).dispatcher_free_ms, free_ms);
    /* Another one that dies before it has the lock. */
    start_role(&child, runtime, JR_OWN_DISPATCHER, fail_to_commit);
    kill_child(&child);
    jr_runtime_note_end(runtime, 1);
    assert_int_equal(look(runtime).dispatcher_free_ms, free_ms);
    start_role(&child, runtime, JR_OWN_DISPATCHER, tell);
    assert_int_equal(look(runtime).dispatcher_free_ms, 0);
    let_child_go(&child);
    jr_runtime_release(runtime);
}

/* Calls that fail matter while something waits, and no call of the last minute was answered. */
static void outage(void **state)
{
    const int64_t untrue_ms[] = { INT64_MIN, -1, jr_monotonic_ms() + JR_DAY_MS, INT64_MAX };
    struct jr_runtime *runtime = create(1);

    (void)state;
    own(runtime, JR_OWN_DISPATCHER);
    runtime->told->outage_reason = JR_REASON_SERVER_ERROR;
    assert_int_equal(look(runtime).outage, JR_REASON_NONE);
    runtime->told->work_waits = 1;
    assert_int_equal(look(runtime).outage, JR_REASON_SERVER_ERROR);
    runtime->told->answered_ms = jr_monotonic_ms();
    assert_int_equal(look(runtime).outage, JR_REASON_NONE);
    for (size_t i = 0; i < COUNT(untrue_ms); i++) {
        runtime->told->answered_ms = untrue_ms[i];
        assert_int_equal(look(runtime).outage, JR_REASON_SERVER_ERROR);
    }
    runtime->told->answered_ms = 0;
    runtime->told->outage_reason = INT64_MAX;
    assert_in_range(look(runtime).outage, 0, JR_COUNTED_REASONS - 1);
    jr_runtime_release(runtime);
}

/* Can this process get at memory to write it, in any way that there is? */
static bool can_write(void *memory, size_t size)
{
    char *pages = memory;
    bool can = mprotect(pages, size, PROT_READ | PROT_WRITE) == 0;

    return can || mprotect(pages, size, PROT_WRITE) == 0;
}

/* All that a process has of the runtime, by /proc/self/maps: how many mappings, how many to write. */
static void count_mappings(unsigned *all, unsigned *written)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");

    *all = *written = 0;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        if (strstr(line, "memfd:runtime") == NULL)
            continue;
        ++*all;
        *written += strstr(line, " rw-s ") != NULL;
    }
    if (maps != NULL)
        fclose(maps);
}

/* What somebody has of three workers' runtime. */
struct right_row {
    const char *name;
    int who;
    unsigned all, written;
};

static const struct right_row rights[] = {
    { "a worker: its own block and the crowd's", 1, 6, 2 },
    { "the dispatcher: its own block", JR_OWN_DISPATCHER, 5, 1 },
};

static void check_rights(struct jr_runtime *runtime, int who)
{
    const struct right_row *row = &rights[who == JR_OWN_DISPATCHER];
    unsigned all, written;
    char path[64];

    count_mappings(&all, &written);
    if (all != row->all || written != row->written) {
        fprintf(stderr, "# %u mappings, %u to write\n", all, written);
        _exit(3);
    }
    for (size_t i = 0; i < jr_runtime_processes(runtime); i++)
        if (jr_runtime_process(runtime, i) != block(runtime, who)
            && can_write(jr_runtime_process(runtime, i), sizeof(struct jr_process)))
            _exit(4);
    if (can_write(runtime->board, sizeof *runtime->board))
        _exit(5);
    for (int fd = 0; fd < 256; fd++) {
        char target[64] = "";

        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, target, sizeof target - 1) > 0 && strstr(target, "memfd") != NULL)
            _exit(6);
    }
}

static void only_ones_own(void **state)
{
    const struct right_row *row = *state;
    struct jr_runtime *runtime = create(3);
    struct child child;

    start_role(&child, runtime, row->who, check_rights);
    let_child_go(&child);
    jr_runtime_release(runtime);
}

/* The master itself writes its own piece alone. */
static void masters_own(void **state)
{
    struct jr_runtime *runtime = create(3);
    unsigned all, written;

    (void)state;
    count_mappings(&all, &written);
    /* Its own it has twice. */
    assert_int_equal(all, 6);
    assert_int_equal(written, 1);
    for (size_t i = 0; i < jr_runtime_processes(runtime); i++)
        assert_false(can_write(jr_runtime_process(runtime, i), sizeof(struct jr_process)));
    jr_runtime_release(runtime);
    count_mappings(&all, &written);
    assert_int_equal(all, 0);
}

/* Neither by who made it: what is behind the end of a file is SIGBUS. */
static void never_shorter(void **state)
{
    struct jr_runtime *runtime = create(1);
    unsigned tried = 0;

    (void)state;
    for (int fd = 3; fd < 256; fd++) {
        char path[64], target[64] = "";

        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, target, sizeof target - 1) <= 0 || strstr(target, "memfd:runtime") == NULL)
            continue;
        tried++;
        assert_int_equal(ftruncate(fd, 0), -1);
        assert_int_equal(ftruncate(fd, 1 << 24), -1);
    }
    assert_int_equal(tried, 4);
    jr_runtime_release(runtime);
}

/* A mapping that is made to grow reaches nothing that is somebody else's. */
static void grow(struct jr_runtime *runtime, int who)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (sizeof(struct jr_process) + page - 1) / page * page;
    char *grown = mremap(block(runtime, who), size, 16 * size, MREMAP_MAYMOVE);

    if (grown == MAP_FAILED)
        return;
    (void)signal(SIGBUS, SIG_DFL);
    grown[size] = 1;
}

static void grown_mapping(void **state)
{
    struct jr_runtime *runtime = create(3);
    pid_t pid = fork();
    struct jr_error error;
    int status;

    (void)state;
    if (pid == 0) {
        if (jr_runtime_own(runtime, 0, &error) != JR_OK)
            _exit(2);
        grow(runtime, 0);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true((WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)
                || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    for (size_t i = 0; i < jr_runtime_processes(runtime); i++)
        assert_int_equal(jr_runtime_process(runtime, i)->busy_since_ms, 0);
    jr_runtime_release(runtime);
}

/* Any bytes at all in what a worker can write: each number that comes of it is in its range. */
static void scribble(struct jr_runtime *runtime, int who)
{
    unsigned char *bytes = (unsigned char *)block(runtime, who);

    for (size_t i = 0; i < sizeof(struct jr_process); i++)
        bytes[i] = (unsigned char)rand();
    for (size_t i = 0; i < JR_PAGES_AT_ONCE; i++)
        runtime->crowd->pages[i] = rand() - 5;
}

static void overwrite(struct jr_runtime *runtime, int who)
{
    memset(block(runtime, who), who == 0 ? 0xff : 0x80, sizeof(struct jr_process));
    runtime->crowd->pages[0] = runtime->crowd->pages[1] = INT64_MIN;
}

static void assert_bounded(struct jr_runtime *runtime)
{
    struct jr_sight sight = look(runtime);
    const int64_t *numbers = &sight.started_ms;
    const _Atomic uint64_t *counts = (const _Atomic uint64_t *)&sight.counters;
    int64_t since_ms, now_ms = jr_monotonic_ms();
    bool committing;

    for (size_t i = 0; i < offsetof(struct jr_sight, counters) / sizeof *numbers; i++)
        assert_true(numbers[i] >= 0);
    assert_true(sight.workers == 2 && sight.workers_busy <= 2);
    for (size_t i = 0; i < sizeof sight.counters / sizeof *counts; i++)
        assert_true(counts[i] <= 3 * JR_COUNT_MOST);
    for (size_t i = 0; i < 2; i++) {
        const struct jr_process *process = jr_runtime_process(runtime, i);

        assert_in_range(jr_process_beat_ms(process, now_ms), 0, now_ms);
        (void)jr_writer_held(&process->watch, now_ms, &since_ms, &committing);
        assert_in_range(since_ms, 0, now_ms);
    }
}

static void anything_in_it(void **state)
{
    struct jr_runtime *runtime = create(2);
    struct child child;

    (void)state;
    jr_runtime_note_start(runtime, 0, 100, START_MS);
    jr_runtime_note_start(runtime, 1, 101, START_MS);
    srand(1);
    for (int i = 0; i < 200; i++) {
        start_role(&child, runtime, i % 2, i < 2 ? overwrite : scribble);
        assert_bounded(runtime);
        let_child_go(&child);
        (void)rand();
    }
    /* Places that nobody can have are free. */
    own(runtime, 0);
    runtime->crowd->pages[0] = 3;
    runtime->crowd->pages[1] = -1;
    assert_true(jr_runtime_page_begin(runtime, 0));
    assert_true(jr_runtime_page_begin(runtime, 1));
    assert_false(jr_runtime_page_begin(runtime, 0));
    jr_runtime_release(runtime);
}

/* Commits, "+5" one that succeeded by the worker 5, "-1" one that failed by the worker 1. */
struct commit_row {
    const char *name;
    int commits[4];
    bool want;
};

static void commits_fail(void **state)
{
    const struct commit_row *row = *state;
    struct jr_runtime *runtime = create(6);

    for (int i = 0; i < 6; i++)
        own(runtime, i);
    for (size_t i = 0; i < COUNT(row->commits) && row->commits[i] != 0; i++) {
        jr_process_note_commit(block(runtime, abs(row->commits[i])), row->commits[i] > 0);
        usleep(10);
    }
    assert_int_equal(jr_runtime_commits_fail(runtime), row->want);
    jr_runtime_release(runtime);
}

static const struct commit_row commits[] = {
    { "none", { 0 }, false },
    { "one that succeeded", { 5 }, false },
    { "one that failed", { -5 }, true },
    { "failed after success", { 5, -5 }, true },
    { "success after failed", { -5, 5 }, false },
    { "and failed again", { -5, 5, -5 }, true },
    { "failed after another's success", { 1, -2 }, true },
    { "another's success after failed", { -1, 2 }, false },
    { "another's success, and failed again", { -1, 2, -1 }, true },
    { "a third one's", { -1, -2, 3 }, false },
};

/* Who says that his commit was later than now is not believed. */
static void commit_of_tomorrow(void **state)
{
    struct jr_runtime *runtime = create(2);

    (void)state;
    own(runtime, 0);
    own(runtime, 1);
    jr_runtime_process(runtime, 0)->commit_us = -(jr_monotonic_us() + 3600 * INT64_C(1000000));
    assert_false(jr_runtime_commits_fail(runtime));
    jr_runtime_process(runtime, 0)->commit_us = INT64_MIN;
    assert_false(jr_runtime_commits_fail(runtime));
    jr_process_note_commit(jr_runtime_process(runtime, 1), false);
    jr_runtime_process(runtime, 0)->commit_us = INT64_MAX;
    assert_true(jr_runtime_commits_fail(runtime));
    jr_runtime_release(runtime);
}

static void note_without_a_runtime(void **state)
{
    (void)state;
    jr_process_note_commit(NULL, true);
    jr_process_note_commit(NULL, false);
    jr_process_note_beat(NULL, 1);
    jr_process_note_busy(NULL, 1);
}

/* Each process has its own block, on cache lines of its own, and on pages. */
static void blocks(void **state)
{
    struct jr_runtime *runtime = create(2);

    (void)state;
    assert_int_equal(jr_runtime_processes(runtime), 3);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < i; j++) {
            uintptr_t one = (uintptr_t)jr_runtime_process(runtime, i);
            uintptr_t other = (uintptr_t)jr_runtime_process(runtime, j);

            assert_int_equal(one % 4096, 0);
            assert_true((one > other ? one - other : other - one) >= sizeof(struct jr_process));
        }
    assert_ptr_equal(jr_runtime_dispatcher(runtime), jr_runtime_process(runtime, 2));
    assert_ptr_equal(jr_runtime_dispatcher(runtime), runtime->told);
    jr_runtime_release(runtime);
}

static void pages_have_few_places(void **state)
{
    struct jr_runtime *runtime = create(4);

    (void)state;
    own(runtime, 0);
    for (int worker = 0; worker < JR_PAGES_AT_ONCE; worker++)
        assert_true(jr_runtime_page_begin(runtime, worker));
    assert_false(jr_runtime_page_begin(runtime, 3));
    jr_runtime_page_end(runtime, 3); /* had none: frees none */
    assert_false(jr_runtime_page_begin(runtime, 3));
    jr_runtime_page_end(runtime, 0);
    assert_true(jr_runtime_page_begin(runtime, 3));
    assert_false(jr_runtime_page_begin(runtime, 0));
    jr_runtime_page_end(runtime, 1);
    jr_runtime_page_end(runtime, 3);
    assert_true(jr_runtime_page_begin(runtime, 0));
    assert_true(jr_runtime_page_begin(runtime, 1));
    jr_runtime_release(runtime);
}

int main(void)
{
    TEST(made_anew);
    TEST(seen_by_all);
    TEST(starts_and_ends);
    TEST(dispatcher_lost);
    TEST(outage);
    TABLE(rights, only_ones_own);
    TEST(masters_own);
    TEST(never_shorter);
    TEST(grown_mapping);
    TEST(anything_in_it);
    TABLE(commits, commits_fail);
    TEST(commit_of_tomorrow);
    TEST(note_without_a_runtime);
    TEST(blocks);
    TEST(pages_have_few_places);
    return run_program("runtime");
}
