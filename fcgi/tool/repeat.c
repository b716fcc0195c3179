/*
 * repeat -- shows the output of a command again and again, at an interval.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/repeat.h"
#include "fcgi/tool/screen.h"
#include "lib/base/buffer.h"
#include "lib/base/timestamp.h"
#include "lib/service/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Only so much of one output is drawn; a screen has no room for more. */
#define TEXT_MAX (256 * 1024)

/* These signals are caught while the screen is ours. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH };

#define SIGNALS (sizeof signals / sizeof *signals)

static volatile sig_atomic_t caught; /* the newest that ends or suspends; 0: none */

static void note(int number)
{
    if (number != SIGWINCH)
        caught = number;
}

/* Block the signals, so that they come only while we wait; `open' is the mask to wait with. */
static void catch_signals(sigset_t *open)
{
    struct sigaction action;
    sigset_t blocked;

    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = note;
    sigemptyset(&blocked);
    for (size_t i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], &action, NULL);
        sigaddset(&blocked, signals[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &blocked, open);
}

static void let_signals(const sigset_t *open)
{
    for (size_t i = 0; i < SIGNALS; i++)
        (void)signal(signals[i], SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, open, NULL);
}

/* One run of the command. */
struct look {
    const struct jr_repeat *watch;
    const sigset_t *open; /* NULL: no signals are caught */
    int width;
    int out, err; /* what the child has as standard output and error; -1: ours */
};

/* Start the command in a child process. Returns its id; -1: that failed. */
static pid_t begin(const struct look *look)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid != 0)
        return pid;
    if (look->open != NULL) {
        sigset_t open = *look->open;

        /* Ctrl-Z is for the parent, which would wait for a stopped child for ever. */
        sigaddset(&open, SIGTSTP);
        let_signals(&open);
    }
    if ((look->out >= 0 && dup2(look->out, STDOUT_FILENO) < 0)
        || (look->err >= 0 && dup2(look->err, STDERR_FILENO) < 0))
        _exit(JR_EXIT_FAILED);
    _exit(look->watch->show(look->watch->context, look->width));
}

/*
 * Wait for the child. Returns its exit status.
 *   left  out: whoever read its output has closed the pipe
 */
static int end(pid_t pid, bool *left)
{
    int status;

    *left = false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return JR_EXIT_FAILED;
    *left = WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE;
    return WIFEXITED(status) ? WEXITSTATUS(status) : JR_EXIT_FAILED;
}

/* Wait for left_ms, or until poll() reports something or a signal comes. */
static void wait_for(struct pollfd *polled, nfds_t count, int64_t left_ms, const sigset_t *open)
{
    struct timespec span = { left_ms / 1000, left_ms % 1000 * 1000000 };

    for (nfds_t i = 0; i < count; i++)
        polled[i].revents = 0;
    (void)ppoll(polled, count, &span, open);
}

/* Write one output behind the other, until nobody reads any more. */
static int watch_pipe(const struct jr_repeat *watch)
{
    const struct look look = { watch, NULL, jr_screen_width(), -1, -1 };
    struct pollfd reader = { .fd = STDOUT_FILENO };
    char when[JR_TIMESTAMP_SIZE];

    for (bool first = true;; first = false) {
        bool left = false;
        pid_t pid;
        int status;

        if (watch->marked)
            printf("=== %.19sZ\n", jr_timestamp_format(jr_now_ms(), when));
        pid = begin(&look);
        status = pid < 0 ? JR_EXIT_FAILED : end(pid, &left);
        if (left)
            (void)raise(SIGPIPE);
        if (pid < 0 || (first && status > JR_EXIT_FAILED))
            return status;
        wait_for(&reader, 1, watch->interval_s * JR_SECOND_MS, NULL);
        if ((reader.revents & (POLLERR | POLLHUP)) != 0)
            return JR_EXIT_OK;
    }
}

/* Read the output of the child, as much as fits into the text. */
static void gather(int from, struct jr_buffer *text)
{
    char bytes[8192];
    ssize_t got = 1;

    while (got > 0 && text->length < TEXT_MAX / 2) {
        got = read(from, bytes, sizeof bytes);
        if (got > 0)
            jr_buffer_add_bytes(text, bytes, (size_t)got);
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
}

/*
 * Run the command once, and draw its output below a title.
 *   first  errors go to standard error; later they go to the screen
 */
static int look_once(const struct jr_repeat *watch, const sigset_t *open, bool first,
                     struct jr_buffer *text)
{
    struct look look = { watch, open, jr_screen_width(), -1, -1 };
    char when[JR_TIMESTAMP_SIZE];
    int ends[2], status;
    bool left = false;
    pid_t pid;

    if (pipe(ends) != 0)
        return JR_EXIT_FAILED;
    look.out = ends[1];
    look.err = first ? -1 : ends[1];
    pid = begin(&look);
    (void)close(ends[1]);
    jr_buffer_print(text, "job-rerunner %s  %.19sZ, every %d s, q ends\n\n", watch->title,
                    jr_timestamp_format(jr_now_ms(), when), watch->interval_s);
    if (pid > 0)
        gather(ends[0], text);
    (void)close(ends[0]);
    status = pid < 0 ? JR_EXIT_FAILED : end(pid, &left);
    /* The pipe is closed when the text is full: that is no failure of the command. */
    return left ? JR_EXIT_OK : status;
}

/* Stop this process as the terminal would (Ctrl-Z), and go on when it is continued. */
static void suspend(void)
{
    caught = 0;
    jr_screen_leave();
    (void)raise(SIGSTOP);
    jr_screen_enter();
}

/* Wait until the command is to run again. Returns false when the user has ended it. */
static bool wait_for_next(const struct jr_repeat *watch, const sigset_t *open)
{
    int keys = isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
    struct pollfd polled[] = { { .fd = STDOUT_FILENO }, { .fd = keys, .events = POLLIN } };
    char key = '\0';

    wait_for(polled, 2, watch->interval_s * JR_SECOND_MS, open);
    if (caught == SIGTSTP)
        suspend();
    if (caught != 0 || (polled[0].revents & (POLLERR | POLLHUP)) != 0)
        return false;
    if (polled[1].revents != 0 && read(STDIN_FILENO, &key, 1) != 1)
        return false;
    return key != 'q' && key != 'Q';
}

/* Draw each output in the place of the one before, until the user ends it. */
static int watch_screen(const struct jr_repeat *watch)
{
    struct jr_buffer text;
    sigset_t open;
    int status;

    jr_buffer_init(&text, TEXT_MAX);
    catch_signals(&open);
    status = look_once(watch, &open, true, &text);
    if (status <= JR_EXIT_FAILED) {
        jr_screen_enter();
        do {
            jr_screen_draw(text.ok ? text.bytes : "", jr_screen_width(), jr_screen_height());
            if (!wait_for_next(watch, &open))
                break;
            jr_buffer_release(&text);
            jr_buffer_init(&text, TEXT_MAX);
            (void)look_once(watch, &open, false, &text);
        } while (!ferror(stdout));
        jr_screen_leave();
        status = JR_EXIT_OK;
    }
    jr_buffer_release(&text);
    let_signals(&open);
    if (caught != 0 && caught != SIGINT)
        (void)raise(caught);
    return status;
}

int jr_repeat_run(const struct jr_repeat *watch)
{
    return watch->drawn ? watch_screen(watch) : watch_pipe(watch);
}
