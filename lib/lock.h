/*
 * lock -- one dispatcher for a STATE_DIR.
 *
 * A write lock on STATE_DIR/dispatcher.lock that the kernel lets go of when its
 * holder dies. The file holds the process id of the last one who took it.
 * Source: fcntl(2), "Open file description locks".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LOCK_H
#define JR_LOCK_H

#include "lib/error.h"

#include <stdbool.h>

/*
 * Take the lock, if it is free.
 *   fd  out: held until it is closed; closed on exec
 * Returns JR_OK; JR_EBUSY when somebody else holds it; JR_EIO.
 */
enum jr_err jr_lock_take(const char *state_dir, int *fd, struct jr_error *error) JR_CHECKED;

/* Does anybody hold it? Only looks: takes and writes nothing. */
bool jr_lock_is_held(const char *state_dir);

#endif
