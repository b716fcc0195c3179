/*
 * listen -- the socket that requests come by: descriptor 0, as FastCGI has it.
 *
 * Whoever starts the service may bring it along (systemd, spawn-fcgi), or have it made here,
 * by the variable JR_SOCKET. The latter is for a start as root, as of conf/web: secrets are
 * read as root, then the program becomes the owner of STATE_DIR, and only then makes the
 * socket, so that root touches nothing in a folder that another user may fill with links.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LISTEN_H
#define JR_LISTEN_H

#include "lib/base/error.h"

#include <stdbool.h>

/* Is descriptor 0 a listening socket? */
bool jr_listen_is_ready(void);

/* Is there a wish for one to be made: is JR_SOCKET in the environment? */
bool jr_listen_is_wanted(void);

/*
 * Make it, if it is wanted, and take the wish out of the environment. Nobody but this user may
 * connect. The path may be longer than a socket's may be (108 bytes), but for the part behind
 * the last slash.
 * Returns JR_OK, also when it is ready or not wanted; JR_EINVAL for a path without a folder,
 * or JR_EIO, such as when there is something of that name.
 */
enum jr_err jr_listen_make(struct jr_error *error) JR_CHECKED;

#endif
