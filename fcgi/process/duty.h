/*
 * duty -- something that a dispatcher does besides its reruns, one piece at a time: a row of
 * duties[] in dispatcher.c. No rerun waits for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_DUTY_H
#define JR_DUTY_H

#include "fcgi/process/desk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When it has its turn. */
enum jr_duty_turn {
    /*
     * It asks or tells GitHub something: when no rerun is to be done at once, calls are not paused,
     * and the duties above it in the table have nothing to do at once.
     */
    JR_DUTY_SAY,
    /* It asks somebody else, such as a chat or etcd: each time that the dispatcher comes by. */
    JR_DUTY_ASIDE
};

struct jr_duty {
    enum jr_duty_turn turn;
    size_t size; /* of its state, bytes */

    /*
     * Begin. The desk is open, and stays so until the end.
     *   state  all zero; it is freed after close(), or when this has failed
     * Returns JR_OK, or why the dispatcher cannot work.
     */
    enum jr_err (*open)(void *state, struct jr_desk *desk, struct jr_error *error);

    /*
     * Go on as far as that is possible without waiting. Returns how long until there is something
     * to be done, in ms; JR_CALLS_NEVER: only when something changes, or an answer comes.
     */
    int64_t (*work)(void *state);

    /* Does it wait for an answer? */
    bool (*is_under_way)(const void *state);

    /* Give up what is under way, and free what the state holds. */
    void (*close)(void *state);
};

#endif
