/*
 * lock -- one dispatcher for a STATE_DIR.
 *
 * A write lock on STATE_DIR/dispatcher.lock that the kernel lets go of when its
 * holder dies. It belongs to the process: the holder must not open the file a
 * second time, since closing it again would let go of the lock, and a child
 * made by fork does not have it. The file holds the process id of the last holder.
 * Source: fcntl(2), "Advisory record locking".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LOCK_H
#define JR_LOCK_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Take the lock, if it is free.
 *   fd  out: held until it is closed; closed on exec
 * Returns JR_OK; JR_EBUSY when somebody else holds it; JR_EIO.
 */
enum jr_err jr_lock_take(const char *state_dir, int *fd, struct jr_error *error) JR_CHECKED;

/* Does another process hold it? Only looks: takes and writes nothing. */
bool jr_lock_is_held(const char *state_dir);

/* The process that holds it; 0: none does, or it is not to be seen from here. */
pid_t jr_lock_holder(const char *state_dir);

/*
 * For a process that only looks, and soon may no longer open files: open the file
 * now, making it if need be, for all looks to come.
 */
void jr_lock_prepare_look(const char *state_dir);

#endif
