/*
 * sight -- who asks is told how a service goes, whatever stands at the other end.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/service/sight.h"
#include "t/unit/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_in(const char *folder)
{
    struct jr_error error;
    int fd;

    if (jr_sight_listen(folder, &fd, &error) != JR_OK)
        fail_msg("%s", error.text);
    return fd;
}

static void hold_back_signal(void)
{
    sigset_t io;

    sigemptyset(&io);
    sigaddset(&io, SIGIO);
    sigprocmask(SIG_BLOCK, &io, NULL);
}

/* A master that waits for signals, as the real one does, and answers once with these bytes. */
struct master {
    const char *folder;
    struct jr_sight sight;
    size_t cut; /* bytes that the answer lacks */
    bool garbage;
};

static void answer_once(int fd, const void *argument)
{
    const struct master *master = argument;
    int door = listen_in(master->folder), peer, size = (int)sizeof(struct jr_sight) + 8;
    char *bytes = calloc(1, (size_t)size);
    sigset_t io;

    hold_back_signal();
    sigemptyset(&io);
    sigaddset(&io, SIGIO);
    child_says_ready(fd);
    (void)sigwaitinfo(&io, NULL);
    peer = jr_sight_accept(door);
    if (peer < 0 || bytes == NULL)
        _exit(2);
    if (!master->garbage && master->cut == 0) {
        jr_sight_send(peer, &master->sight);
    } else {
        memset(bytes, 0x5a, (size_t)size);
        (void)send(peer, bytes, (size_t)size - master->cut, MSG_NOSIGNAL);
        close(peer);
    }
    free(bytes);
    child_waits(fd);
    close(door);
}

static void told(void **state)
{
    const char *folder = new_folder();
    struct master master = { .folder = folder, .sight = { .workers = 4, .workers_busy = 1 } };
    struct jr_sight sight;
    struct stat status;
    struct child child;
    pid_t pid;

    (void)state;
    master.sight.counters.rescued_runs = 17;
    start_child(&child, answer_once, &master);
    assert_int_equal(stat(path_in(folder, "runtime"), &status), 0);
    assert_int_equal(status.st_mode & 077, 0);
    assert_int_equal(jr_sight_ask(folder, &sight, &pid), JR_OK);
    assert_int_equal(pid, child.pid);
    assert_int_equal(sight.workers, 4);
    assert_int_equal(sight.workers_busy, 1);
    assert_int_equal(sight.counters.rescued_runs, 17);
    let_child_go(&child);
    assert_int_equal(jr_sight_ask(folder, &sight, NULL), JR_ENOENT);
}

/* Whatever is said, each number is in its range. */
static void told_lies(void **state)
{
    const char *folder = new_folder();
    struct master master = { .folder = folder };
    struct jr_sight sight;
    struct child child;

    (void)state;
    memset(&master.sight, 0xff, sizeof master.sight);
    master.sight.workers = INT64_MAX;
    master.sight.workers_busy = INT64_MAX;
    master.sight.rate_reset_ms = INT64_MAX;
    start_child(&child, answer_once, &master);
    assert_int_equal(jr_sight_ask(folder, &sight, NULL), JR_OK);
    assert_in_range(sight.workers, 256, 10000);
    assert_int_equal(sight.workers_busy, sight.workers);
    assert_int_equal(sight.started_ms, 0);
    assert_int_equal(sight.rate_reset_ms, INT64_C(253402300799999));
    assert_true(jr_histogram_count(&sight.counters.webhook_us) >= sight.counters.webhook_us.buckets[0]);
    let_child_go(&child);
}

struct wrong_row {
    const char *name;
    size_t cut;
    bool garbage;
};

static const struct wrong_row wrongs[] = {
    { "too short", 8, true },
    { "nothing but the end", sizeof(struct jr_sight) + 8, true },
    { "of another kind", 0, true },
};

static void not_an_answer(void **state)
{
    const struct wrong_row *row = *state;
    const char *folder = new_folder();
    struct master master = { .folder = folder, .cut = row->cut, .garbage = row->garbage };
    struct jr_sight sight;
    struct child child;
    pid_t pid;

    start_child(&child, answer_once, &master);
    assert_int_equal(jr_sight_ask(folder, &sight, &pid), JR_EBUSY);
    assert_int_equal(pid, child.pid);
    assert_int_equal(sight.workers, 0);
    let_child_go(&child);
}

static void be_silent(int fd, const void *argument)
{
    int door = listen_in(argument);

    child_says_ready(fd);
    child_waits(fd);
    close(door);
}

/* One that hangs is known to be there. Then it is killed, and leaves its socket behind. */
static void no_answer(void **state)
{
    const char *folder = new_folder();
    struct jr_sight sight;
    struct child child;
    pid_t pid;

    (void)state;
    hold_back_signal();
    start_child(&child, be_silent, folder);
    assert_int_equal(jr_sight_ask(folder, &sight, &pid), JR_EBUSY);
    assert_int_equal(pid, child.pid);
    kill_child(&child);
    assert_int_equal(jr_sight_ask(folder, &sight, &pid), JR_ENOENT);
    assert_int_equal(pid, 0);
}

static void nobody(void **state)
{
    const char *folder = new_folder();
    struct jr_sight sight;
    char deep[200];
    int fd;

    (void)state;
    memset(&sight, 1, sizeof sight);
    assert_int_equal(jr_sight_ask(folder, &sight, NULL), JR_ENOENT);
    assert_int_equal(sight.workers, 0);
    /* The file of a version before. */
    write_file(path_in(folder, "runtime"), "old", 3);
    assert_int_equal(jr_sight_ask(folder, &sight, NULL), JR_ENOENT);
    fd = listen_in(folder);
    close(fd);
    memset(deep, 'd', sizeof deep);
    deep[0] = '/';
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(jr_sight_ask(deep, &sight, NULL), JR_ENOENT);
    assert_int_equal(jr_sight_listen(deep, &fd, NULL), JR_EINVAL);
    assert_int_equal(fd, -1);
    assert_int_equal(jr_sight_listen("/nowhere/at/all", &fd, NULL), JR_EIO);
    assert_int_equal(jr_sight_accept(-1), -1);
}

/* The descriptor that a reload hands on is known; another service's socket takes its place. */
static void known_by_its_place(void **state)
{
    const char *folder = new_folder();
    struct jr_sight sight;
    struct child child;
    pid_t pid;
    int door;

    (void)state;
    hold_back_signal();
    door = listen_in(folder);
    assert_true(jr_sight_listens(door, folder));
    assert_false(jr_sight_listens(door, "/elsewhere"));
    assert_false(jr_sight_listens(0, folder));
    start_child(&child, be_silent, folder);
    close(door);
    assert_int_equal(jr_sight_ask(folder, &sight, &pid), JR_EBUSY);
    assert_int_equal(pid, child.pid);
    let_child_go(&child);
    assert_int_equal(jr_sight_ask(folder, &sight, &pid), JR_ENOENT);
}

int main(void)
{
    TEST(told);
    TEST(told_lies);
    TABLE(wrongs, not_an_answer);
    TEST(no_answer);
    TEST(nobody);
    TEST(known_by_its_place);
    return run_program("sight");
}
