/*
 * wake -- datagrams to whoever listens.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/wake.h"
#include "t/unit/support.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_woken(int fd)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };

    assert_true(poll(&wait, 1, 0) >= 0);
    return (wait.revents & POLLIN) != 0;
}

static int listen_in(const char *folder)
{
    struct jr_error error;
    int fd;

    if (jr_wake_listen(folder, &fd, &error) != JR_OK)
        fail_msg("%s", error.text);
    return fd;
}

static void woken_once_for_all(void **state)
{
    const char *folder = new_folder();
    int fd = listen_in(folder);

    (void)state;
    assert_false(is_woken(fd));
    jr_wake_drain(fd); /* of nothing */
    jr_wake_send(folder);
    assert_true(is_woken(fd));
    jr_wake_send(folder);
    jr_wake_send(folder);
    jr_wake_drain(fd);
    assert_false(is_woken(fd));
    jr_wake_send(folder);
    assert_true(is_woken(fd));
    close(fd);
}

/* The kernel keeps only so many datagrams; who wakes does not wait. */
static void many_at_once(void **state)
{
    const char *folder = new_folder();
    int fd = listen_in(folder);

    (void)state;
    for (int i = 0; i < 3000; i++)
        jr_wake_send(folder);
    assert_true(is_woken(fd));
    jr_wake_drain(fd);
    assert_false(is_woken(fd));
    close(fd);
}

static void nobody_listens(void **state)
{
    const char *folder = new_folder();
    int fd;

    (void)state;
    jr_wake_send(folder);
    jr_wake_send("/nowhere/at/all");
    fd = listen_in(folder);
    assert_false(is_woken(fd));
    close(fd);
    jr_wake_send(folder); /* the socket is there, and dead */
}

static void in_the_place_of_a_dead_one(void **state)
{
    const char *folder = new_folder();
    int dead = listen_in(folder), fd;

    (void)state;
    close(dead);
    fd = listen_in(folder);
    jr_wake_send(folder);
    assert_true(is_woken(fd));
    close(fd);
}

static void socket_is_private(void **state)
{
    const char *folder = new_folder();
    int fd = listen_in(folder);
    mode_t mask = umask(022);
    struct stat status;

    (void)state;
    umask(mask);
    assert_int_equal(mask, umask(mask)); /* it was put back */
    assert_int_equal(stat(path_in(folder, "wake"), &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 077, 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
}

static void folder_that_cannot_be_used(void **state)
{
    struct jr_error error;
    char folder[200];
    int fd = 7;

    (void)state;
    assert_int_equal(jr_wake_listen("/nowhere/at/all", &fd, &error), JR_EIO);
    assert_int_equal(fd, -1);
    assert_contains(error.text, "/nowhere/at/all");
    memset(folder, 'x', sizeof folder - 1);
    folder[0] = '/';
    folder[sizeof folder - 1] = '\0';
    assert_int_equal(jr_wake_listen(folder, &fd, &error), JR_EINVAL);
    assert_int_equal(fd, -1);
    jr_wake_send(folder);
}

int main(void)
{
    TEST(woken_once_for_all);
    TEST(many_at_once);
    TEST(nobody_listens);
    TEST(in_the_place_of_a_dead_one);
    TEST(socket_is_private);
    TEST(folder_that_cannot_be_used);
    return run_program("wake");
}
