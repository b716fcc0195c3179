/*
 * reload -- the master makes way for the program that is on disk now: tried first,
 * then executed in its place.
 *
 * Process id, listening socket and children stay. The new one gets the settings by the
 * environment, the secrets by the vault, and the process ids of the children,
 * which it lets finish.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RELOAD_H
#define JR_RELOAD_H

#include "lib/config/vault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct jr_reload {
    char *program;  /* what is executed; NULL: not known. Owned */
    pid_t pid;      /* who tries it; 0: nobody */
    int output;     /* what that one says; -1 */
    int64_t due_ms; /* monotonic: when it is given up */
    bool policy_broken; /* the last trial found the policy broken */
};

/* Find out what was started. Before anything on disk changes. */
void jr_reload_init(struct jr_reload *reload);
void jr_reload_release(struct jr_reload *reload);

/*
 * Begin to try the program on disk: its sub-command `check`, with our settings, in a child.
 * Returns whether it is under way; what is wrong is logged.
 */
bool jr_reload_try(struct jr_reload *reload, const struct jr_vault *vault);

/* End a trial that takes too long; it is reaped as any other child. */
void jr_reload_look(const struct jr_reload *reload);

/*
 * The trial has ended: was it good? If not, the log says why; if so, which settings of the
 * systemd unit's file are not in force and need a restart.
 */
bool jr_reload_judge(struct jr_reload *reload, int status);

/*
 * Execute it, in our place. Returns only when that fails, which is logged.
 *   door      of jr_sight_listen(), -1: there is none
 *   children  to be left to it
 */
void jr_reload_go(const struct jr_reload *reload, const struct jr_vault *vault, int door,
                  const pid_t *children, size_t count);

/*
 * In the new one: the children that were left to it.
 *   children  out: owned by the caller, free(); NULL when there are none
 *   door      out: a socket that somebody listened on, the caller's; -1: there is none
 * Returns whether it was executed by a master in its place.
 */
bool jr_reload_inherit(pid_t **children, size_t *count, int *door);

#endif
