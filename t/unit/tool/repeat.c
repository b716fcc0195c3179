/*
 * repeat -- a command whose output is drawn again and again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/repeat.h"
#include "lib/service/process.h"
#include "t/unit/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Ctrl-Z while it shows: the terminal signals this process as well. Then Ctrl-C for the parent. */
static int show_and_be_stopped(void *context, int width)
{
    (void)context;
    (void)width;
    /* A group of its own: the kernel stops nobody in a group whose parents are all of another
     * session (POSIX: an orphaned process group). */
    (void)setpgid(0, 0);
    (void)raise(SIGTSTP);
    (void)kill(getppid(), SIGINT);
    return JR_EXIT_OK;
}

/* A terminal for standard output. Returns what it was; `far' is where its user would sit. */
static int sit_down(int *far)
{
    int out = dup(STDOUT_FILENO), near;

    *far = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(out >= 0 && *far >= 0 && grantpt(*far) == 0 && unlockpt(*far) == 0);
    near = open(ptsname(*far), O_RDWR | O_NOCTTY);
    assert_true(near >= 0);
    fflush(stdout);
    assert_int_equal(dup2(near, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(near);
    return out;
}

static void get_up(int out, int far)
{
    fflush(stdout);
    assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(out);
    (void)close(far);
}

static void a_child_is_not_suspended(void **state)
{
    const struct jr_repeat watch = {
        .interval_s = 1,
        .drawn = true,
        .title = "",
        .show = show_and_be_stopped,
    };
    int far, out = sit_down(&far), status;

    (void)state;
    alarm(60); /* else it would wait for ever */
    status = jr_repeat_run(&watch);
    alarm(0);
    get_up(out, far);
    assert_int_equal(status, JR_EXIT_OK);
}

int main(void)
{
    TEST(a_child_is_not_suspended);
    return run_program("repeat");
}
