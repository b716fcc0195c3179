/*
 * lock -- one holder among several processes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/lock.h"
#include "t/unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void one_at_a_time(void **state)
{
    const char *folder = new_folder();
    struct jr_error error;
    struct child child;
    int fd;

    (void)state;
    start_child(&child, child_holds_lock, folder);
    assert_true(jr_lock_is_held(folder));
    assert_int_equal(jr_lock_holder(folder), child.pid);
    assert_int_equal(jr_lock_take(folder, &fd, &error), JR_EBUSY);
    assert_int_equal(fd, -1);
    assert_true(jr_lock_is_held(folder)); /* looking and trying take nothing away */
    let_child_go(&child);
    assert_false(jr_lock_is_held(folder));
    assert_int_equal(jr_lock_holder(folder), 0);
    assert_int_equal(jr_lock_take(folder, &fd, &error), JR_OK);
    close(fd);
}

static void holder_that_is_killed(void **state)
{
    const char *folder = new_folder();
    struct jr_error error;
    struct child child;
    int fd;

    (void)state;
    start_child(&child, child_holds_lock, folder);
    kill_child(&child);
    assert_false(jr_lock_is_held(folder));
    assert_int_equal(jr_lock_take(folder, &fd, &error), JR_OK);
    close(fd);
}

/* What another process sees while this one has it, and when it has let go. */
static void expect_held(int fd, const void *folder)
{
    struct jr_error error;
    int lock;

    if (!jr_lock_is_held(folder) || jr_lock_take(folder, &lock, &error) != JR_EBUSY)
        _exit(3);
    child_says_ready(fd);
    child_waits(fd);
    if (jr_lock_is_held(folder) || jr_lock_take(folder, &lock, &error) != JR_OK)
        _exit(4);
}

static void seen_by_others(void **state)
{
    const char *folder = new_folder();
    struct jr_error error;
    struct child child;
    int fd;

    (void)state;
    assert_int_equal(jr_lock_take(folder, &fd, &error), JR_OK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    start_child(&child, expect_held, folder);
    close(fd);
    let_child_go(&child);
}

static void file_tells_the_process(void **state)
{
    const char *folder = new_folder();
    struct child child;
    char text[64] = "", want[64];
    FILE *file;

    (void)state;
    write_file(path_in(folder, "dispatcher.lock"), "12345678901234567890\n", 21);
    start_child(&child, child_holds_lock, folder);
    file = fopen(path_in(folder, "dispatcher.lock"), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    snprintf(want, sizeof want, "%d\n", child.pid);
    assert_string_equal(text, want);
    let_child_go(&child);
}

static void looking_makes_no_file(void **state)
{
    const char *folder = new_folder();

    (void)state;
    assert_false(jr_lock_is_held(folder));
    assert_int_not_equal(access(path_in(folder, "dispatcher.lock"), F_OK), 0);
    assert_false(jr_lock_is_held("/nowhere/at/all"));
}

/* Opened before, it is seen by who can open nothing any more. */
static void look_is_prepared(int fd, const void *folder)
{
    char name[64];

    jr_lock_prepare_look(folder);
    snprintf(name, sizeof name, "%s/dispatcher.lock", (const char *)folder);
    if (access(name, F_OK) != 0 || jr_lock_is_held(folder))
        _exit(3);
    child_says_ready(fd);
    child_waits(fd);
    _exit(jr_lock_is_held("/nowhere/at/all") ? 0 : 4);
}

static void look_that_is_prepared(void **state)
{
    const char *folder = new_folder();
    struct jr_error error;
    struct child child;
    int fd;

    (void)state;
    start_child(&child, look_is_prepared, folder);
    assert_int_equal(jr_lock_take(folder, &fd, &error), JR_OK);
    let_child_go(&child);
    close(fd);
}

static void file_that_cannot_be_used(void **state)
{
    char folder[64];
    struct jr_error error;
    int fd;

    (void)state;
    assert_int_equal(jr_lock_take("/nowhere/at/all", &fd, &error), JR_EIO);
    assert_int_equal(fd, -1);
    assert_contains(error.text, "/nowhere/at/all");
    /* A link might lead anywhere. */
    snprintf(folder, sizeof folder, "%s", new_folder());
    write_file(path_in(folder, "victim"), "precious", 8);
    assert_int_equal(symlink("victim", path_in(folder, "dispatcher.lock")), 0);
    assert_int_equal(jr_lock_take(folder, &fd, &error), JR_EIO);
}

int main(void)
{
    TEST(one_at_a_time);
    TEST(holder_that_is_killed);
    TEST(seen_by_others);
    TEST(file_tells_the_process);
    TEST(looking_makes_no_file);
    TEST(look_that_is_prepared);
    TEST(file_that_cannot_be_used);
    return run_program("lock");
}
