/*
 * file -- bytes into a file: what write(2) takes only in parts, and what it refuses.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/file.h"
#include "t/unit/support.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
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

int main(void)
{
    TEST(whole_in_spite_of_signals);
    TEST(refused);
    return run_program("file");
}
