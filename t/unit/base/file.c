/*
 * file -- bytes into a file: what write(2) takes only in parts, what it refuses, and files that
 * have no name.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/file.h"
#include "t/unit/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Far more than a pipe holds. */
#define LENGTH ((size_t)1 << 20)

static char byte_at(size_t place)
{
    return (char)('a' + place % 23);
}

static void on_alarm(int number)
{
    (void)number;
}

/* Read all of it slowly, and see whether it is right. */
static int read_slowly(int fd)
{
    char bytes[1000];
    size_t place = 0;
    ssize_t got;

    while ((got = read(fd, bytes, sizeof bytes)) > 0) {
        (void)kill(getppid(), SIGALRM);
        for (ssize_t i = 0; i < got; i++)
            if (bytes[i] != byte_at(place++))
                return 1;
    }
    return got == 0 && place == LENGTH ? 0 : 1;
}

static void whole_in_spite_of_signals(void **state)
{
    struct sigaction action = { .sa_handler = on_alarm }; /* without SA_RESTART */
    char *bytes = malloc(LENGTH);
    int ends[2], status;
    pid_t reader;

    (void)state;
    for (size_t i = 0; i < LENGTH; i++)
        bytes[i] = byte_at(i);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(pipe(ends), 0);
    reader = fork();
    if (reader == 0) {
        close(ends[1]);
        _exit(read_slowly(ends[0]));
    }
    close(ends[0]);
    assert_true(jr_file_write(ends[1], bytes, LENGTH));
    close(ends[1]);
    while (waitpid(reader, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    assert_int_equal(status, 0);
    free(bytes);
}

static void refused(void **state)
{
    (void)state;
    assert_true(jr_file_write(-1, "", 0));
    assert_false(jr_file_write(-1, "x", 1));
    assert_int_equal(errno, EBADF);
}

/* Whether this kernel knows files that can never be executed (Linux 6.3), it says itself. */
static bool knows_noexec(void)
{
    int fd = memfd_create("test", 8U);
    bool knows = fd >= 0;

    if (knows)
        close(fd);
    return knows;
}

static void memory_is_not_executed(void **state)
{
    int fd = jr_file_memory("test");
    struct stat status;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_true(jr_file_write(fd, "#!/bin/sh", 9));
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    assert_false(jr_file_write(fd, "x", 1));
    assert_int_equal(fstat(fd, &status), 0);
    if (knows_noexec()) {
        assert_int_equal(status.st_mode & 0111, 0);
        assert_int_equal(fchmod(fd, 0700), -1);
    }
    close(fd);
}

int main(void)
{
    TEST(whole_in_spite_of_signals);
    TEST(refused);
    TEST(memory_is_not_executed);
    return run_program("file");
}
