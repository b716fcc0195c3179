/*
 * process -- what every process of this program does with itself: whose it is,
 * what it tells others, when it is to stop.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PROCESS_H
#define JR_PROCESS_H

#include "lib/base/error.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Exit statuses; the last two are those of sysexits.h. */
enum {
    JR_EXIT_OK = 0,
    JR_EXIT_FAILED = 1,
    JR_EXIT_USAGE = 2,
    JR_EXIT_DATA = 65, /* a file that was given is not what it has to be */
    JR_EXIT_STORE = 73, /* the store cannot be opened */
    JR_EXIT_CONFIG = 78 /* a setting is wrong */
};

/*
 * Has SIGTERM come, since jr_process_catch_stop() was called? Also sees one that
 * is still blocked: under constant load no wait would ever let it in.
 */
bool jr_process_stopping(void);

/*
 * Started as root, become the owner of the folder, so that every process and
 * tool sees the store with the same rights. An owner root is allowed; then
 * nothing changes. The folder has to be there: who makes it says whose it is.
 * A signal for when the parent is gone, which it has asked the kernel for (as conf/web
 * does), is still sent.
 *   folder  STATE_DIR
 * Returns JR_OK, JR_ENOENT when there is no folder, or JR_EIO. As any other user it does nothing.
 */
enum jr_err jr_process_become_owner(const char *folder, struct jr_error *error) JR_CHECKED;

/* No core dump, no reading of memory by others of the same user: prctl(2). */
void jr_process_guard_secrets(void);

/*
 * Wipe the whole environment, which root and the same user could read in
 * /proc/PID/environ; only switches for tests stay (testpoint.h). What was got by getenv() is
 * gone.
 */
void jr_process_forget_environment(void);

/* Make sure that descriptors 0 to 2 are open, so that no file gets their number. */
void jr_process_open_standard(void);

/*
 * For a child of the master: leave when the master is gone, take SIGTERM as the
 * wish to stop and nothing else from the terminal. SIGTERM is blocked from here
 * on; waits let it in with jr_process_wait_mask().
 *   parent  the master's process id
 */
void jr_process_begin_child(pid_t parent);

/* Catch SIGTERM, blocked but for waits; SIGUSR1 stays blocked. */
void jr_process_catch_stop(void);

/* The signal mask for ppoll(2) and epoll_pwait(2): lets SIGTERM in. */
const sigset_t *jr_process_wait_mask(void);

#endif
