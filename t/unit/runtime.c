/*
 * runtime -- what processes of one service see of each other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/runtime.h"
#include "lib/timestamp.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct jr_runtime *create(const char *folder)
{
    struct jr_runtime *runtime;
    struct jr_error error;

    if (jr_runtime_create(&runtime, folder, 2, START_MS, &error) != JR_OK)
        fail_msg("%s", error.text);
    return runtime;
}

static void detach(struct jr_runtime *runtime)
{
    munmap(runtime, sizeof *runtime);
}

static void made_anew(void **state)
{
    const char *folder = new_folder();
    struct jr_runtime *runtime = create(folder), *other;
    struct stat status;

    (void)state;
    assert_int_equal(runtime->started_ms, START_MS);
    assert_int_equal(runtime->commits_fail_ms, 0);
    assert_int_equal(runtime->token_rejected_ms, 0);
    /* Until a dispatcher says otherwise, there is none. */
    assert_in_range(runtime->dispatcher_free_ms, jr_monotonic_ms() - JR_MINUTE_MS, jr_monotonic_ms());
    runtime->token_rejected_ms = 5;
    assert_int_equal(stat(path_in(folder, "runtime"), &status), 0);
    assert_int_equal(status.st_mode & 077, 0);

    other = create(folder);
    assert_int_equal(other->token_rejected_ms, 0);
    detach(runtime);
    detach(other);
}

static void attached(void **state)
{
    const char *folder = new_folder();
    struct jr_runtime *runtime = create(folder), *seen = jr_runtime_attach(folder);

    (void)state;
    assert_non_null(seen);
    assert_int_equal(seen->started_ms, START_MS);
    runtime->map_used_bytes = 17;
    assert_int_equal(seen->map_used_bytes, 17);
    detach(seen);
    detach(runtime);
}

static void change(int fd, const void *runtime)
{
    jr_runtime_note_commit((struct jr_runtime *)(uintptr_t)runtime, false, START_MS + 1);
    child_says_ready(fd);
    child_waits(fd);
}

static void shared_with_children(void **state)
{
    struct jr_runtime *runtime = create(new_folder());
    struct child child;

    (void)state;
    start_child(&child, change, runtime);
    assert_true(jr_runtime_commits_fail(runtime));
    let_child_go(&child);
    detach(runtime);
}

/* Without a file the processes still share; only the tool sees nothing. */
static void no_file(void **state)
{
    struct jr_runtime *runtime = create("/nowhere/at/all");
    struct child child;

    (void)state;
    start_child(&child, change, runtime);
    assert_true(jr_runtime_commits_fail(runtime));
    let_child_go(&child);
    assert_null(jr_runtime_attach("/nowhere/at/all"));
    jr_runtime_remove(runtime, "/nowhere/at/all");
    detach(runtime);
}

static void nothing_to_attach_to(void **state)
{
    static const char zeros[4096];
    const char *folder = new_folder();

    (void)state;
    assert_null(jr_runtime_attach(folder));
    write_file(path_in(folder, "runtime"), "short", 5);
    assert_null(jr_runtime_attach(folder));
    write_file(path_in(folder, "runtime"), zeros, sizeof zeros);
    assert_null(jr_runtime_attach(folder));
}

static void removed_by_its_owner_only(void **state)
{
    const char *folder = new_folder();
    struct jr_runtime *old = create(folder), *newer = create(folder), *seen;

    (void)state;
    jr_runtime_remove(old, folder);
    seen = jr_runtime_attach(folder);
    assert_non_null(seen);
    detach(seen);
    jr_runtime_remove(newer, folder);
    assert_null(jr_runtime_attach(folder));
    jr_runtime_remove(newer, folder);
    detach(old);
    detach(newer);
}

/* Commits, "+5" one that succeeded at 5 ms, "-5" one that failed. */
struct commit_row {
    const char *name;
    int commits[4];
    bool want;
};

static void commits_fail(void **state)
{
    const struct commit_row *row = *state;
    struct jr_runtime *runtime = create(new_folder());

    for (size_t i = 0; i < COUNT(row->commits) && row->commits[i] != 0; i++)
        jr_runtime_note_commit(runtime, row->commits[i] > 0, START_MS + abs(row->commits[i]));
    assert_int_equal(jr_runtime_commits_fail(runtime), row->want);
    detach(runtime);
}

static const struct commit_row commits[] = {
    { "none", { 0 }, false },
    { "one that succeeded", { 5 }, false },
    { "one that failed", { -5 }, true },
    { "failed after success", { 5, -6 }, true },
    { "success after failed", { -5, 6 }, false },
    { "and failed again", { -5, 6, -7 }, true },
    { "failed in the same millisecond after success", { 5, -5 }, true },
    { "success in the same millisecond after failed", { -5, 5 }, false },
    { "success after failed, the clock was set back", { -500, 6 }, false },
    { "failed after success, the clock was set back", { 500, -6 }, true },
};

static void note_without_a_runtime(void **state)
{
    (void)state;
    jr_runtime_note_commit(NULL, true, START_MS);
    jr_runtime_note_commit(NULL, false, START_MS);
}

/* Each process has its own block, on cache lines of its own, behind the slots. */
static void blocks(void **state)
{
    struct jr_runtime *runtime = create(new_folder());
    const char *before = (const char *)&runtime->slots[2];

    (void)state;
    assert_int_equal(jr_runtime_processes(runtime), 4);
    for (size_t i = 0; i < 4; i++) {
        const char *block = (const char *)jr_runtime_process(runtime, i);

        assert_true(block >= before);
        assert_int_equal((uintptr_t)block % JR_CACHE_LINE, 0);
        assert_int_equal(((const struct jr_process *)(const void *)block)->pid, 0);
        before = block + sizeof(struct jr_process);
    }
    assert_ptr_equal(jr_runtime_dispatcher(runtime), jr_runtime_process(runtime, 2));
    assert_ptr_equal(jr_runtime_master(runtime), jr_runtime_process(runtime, 3));
    detach(runtime);
}

static void count_ping(struct jr_process *process)
{
    jr_count_webhook(&process->counters, "ping", 204, JR_REASON_EVENT_NOT_WATCHED, 700);
}

static uint64_t pings(struct jr_runtime *runtime)
{
    struct jr_counters sum;

    jr_runtime_sum(runtime, &sum);
    return sum.webhook_reasons[JR_REASON_EVENT_NOT_WATCHED];
}

static void summed_over_processes(void **state)
{
    const char *folder = new_folder();
    struct jr_runtime *runtime = create(folder), *seen;

    (void)state;
    for (size_t i = 0; i < jr_runtime_processes(runtime); i++)
        count_ping(jr_runtime_process(runtime, i));
    seen = jr_runtime_attach(folder);
    assert_non_null(seen);
    assert_int_equal(pings(seen), 4);
    detach(seen);
    detach(runtime);
}

/* Who takes over goes on with the counters, and is not busy with what killed the one before. */
static void respawned(void **state)
{
    struct jr_runtime *runtime = create(new_folder());
    struct jr_process *process = jr_runtime_process(runtime, 1);

    (void)state;
    jr_process_note_start(process, 100, START_MS);
    assert_int_equal(process->pid, 100);
    assert_int_equal(process->restarts, 0);
    count_ping(process);
    process->busy_since_ms = START_MS + 1;
    assert_int_equal(jr_runtime_workers_busy(runtime), 1);
    jr_process_note_end(process);
    assert_int_equal(process->pid, 0);
    assert_int_equal(jr_runtime_workers_busy(runtime), 0);
    assert_int_equal(pings(runtime), 1);
    jr_process_note_start(process, 200, START_MS + 5);
    assert_int_equal(process->pid, 200);
    assert_int_equal(process->started_ms, START_MS + 5);
    assert_int_equal(process->restarts, 1);
    count_ping(process);
    assert_int_equal(pings(runtime), 2);
    detach(runtime);
}

static void dispatcher_is_no_worker(void **state)
{
    struct jr_runtime *runtime = create(new_folder());

    (void)state;
    jr_runtime_dispatcher(runtime)->busy_since_ms = START_MS;
    assert_int_equal(jr_runtime_workers_busy(runtime), 0);
    detach(runtime);
}

/* A file that has been cut: what is behind its end would be SIGBUS. */
static void cut_short(void **state)
{
    const char *folder = new_folder();
    struct jr_runtime *runtime = create(folder);
    struct stat status;

    (void)state;
    assert_int_equal(stat(path_in(folder, "runtime"), &status), 0);
    assert_int_equal(truncate(path_in(folder, "runtime"), status.st_size - 4096), 0);
    assert_null(jr_runtime_attach(folder));
    detach(runtime);
}

static void pages_have_few_places(void **state)
{
    struct jr_runtime *runtime;

    (void)state;
    assert_int_equal(jr_runtime_create(&runtime, new_folder(), 4, START_MS, NULL), JR_OK);
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
}

int main(void)
{
    TEST(made_anew);
    TEST(attached);
    TEST(shared_with_children);
    TEST(no_file);
    TEST(nothing_to_attach_to);
    TEST(removed_by_its_owner_only);
    TABLE(commits, commits_fail);
    TEST(note_without_a_runtime);
    TEST(blocks);
    TEST(summed_over_processes);
    TEST(respawned);
    TEST(dispatcher_is_no_worker);
    TEST(cut_short);
    TEST(pages_have_few_places);
    return run_program("runtime");
}
