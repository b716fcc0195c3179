/*
 * repeat -- what a command shows, anew each interval, until somebody has seen enough.
 *
 * Each time is one child, which opens the store, shows and is gone: nothing is kept open while
 * nobody looks, and the terminal is restored whatever happens to it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPEAT_H
#define JR_REPEAT_H

#include <stdbool.h>

#define JR_REPEAT_LEAST_S 1
#define JR_REPEAT_MOST_S 3600
#define JR_REPEAT_USUAL_S 2

struct jr_repeat {
    int interval_s;    /* from the end of one time to the begin of the next */
    bool drawn;        /* a terminal, each in the place of the one before (jr_screen_is_there()),
                          until q or Ctrl-C; else one behind the other, until the reader leaves */
    bool marked;       /* when they are not drawn: a line `=== TIME' stands before each */
    const char *title; /* when they are: what is shown */
    /* Show it once, on standard output, `width' columns wide (0: it is no terminal); returns the
     * exit status. Runs in a child. */
    int (*show)(void *context, int width);
    void *context;
};

/*
 * Watch. Returns JR_EXIT_OK at its end. If the first time ends with a worse status than
 * JR_EXIT_FAILED, it ends with that one, which is told on standard error. JR_EXIT_FAILED: no child
 * can be made.
 */
int jr_repeat_run(const struct jr_repeat *watch);

#endif
