/*
 * wake -- tells the dispatcher that the outbox has something new for it.
 *
 * A datagram to the unix socket STATE_DIR/wake. It carries nothing: whoever is
 * woken looks into the store. A lost one is no harm where nobody listens, since
 * a dispatcher looks before it first sleeps.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_WAKE_H
#define JR_WAKE_H

#include "lib/base/error.h"

/*
 * Listen, in the place of a socket that a dead dispatcher left. Only for who
 * holds the dispatcher's lock.
 *   fd  out: non-blocking, closed on exec; owned by the caller, close()
 */
enum jr_err jr_wake_listen(const char *state_dir, int *fd, struct jr_error *error) JR_CHECKED;

/* Take all datagrams that are waiting. */
void jr_wake_drain(int fd);

/* Wake whoever listens. Never waits, never fails. */
void jr_wake_send(const char *state_dir);

#endif
