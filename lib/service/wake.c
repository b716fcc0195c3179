/*
 * wake -- tells the dispatcher that the outbox has something new for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/wake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char name[] = "wake";

static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* JR_EINVAL when the path is too long for a socket's. */
static enum jr_err make_address(const char *state_dir, struct sockaddr_un *address)
{
    int length;

    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    length = snprintf(address->sun_path, sizeof address->sun_path, "%s/%s", state_dir, name);
    return length < (int)sizeof address->sun_path ? JR_OK : JR_EINVAL;
}

enum jr_err jr_wake_listen(const char *state_dir, int *fd, struct jr_error *error)
{
    struct sockaddr_un address;
    mode_t mask;
    int rc;

    *fd = -1;
    if (make_address(state_dir, &address) != JR_OK)
        return jr_error_set(error, JR_EINVAL, "STATE_DIR is too long for a socket in it");
    *fd = open_socket();
    if (*fd < 0)
        return jr_error_set(error, JR_EIO, "cannot make a socket: %s", strerror(errno));
    (void)unlink(address.sun_path);
    mask = umask(0177);
    rc = bind(*fd, (const struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (rc == 0)
        return JR_OK;
    jr_error_set(error, JR_EIO, "cannot listen on '%s': %s", address.sun_path, strerror(errno));
    close(*fd);
    *fd = -1;
    return JR_EIO;
}

void jr_wake_drain(int fd)
{
    char byte;

    while (recv(fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0)
        continue;
}

void jr_wake_send(const char *state_dir)
{
    struct sockaddr_un address;
    int fd;

    if (make_address(state_dir, &address) != JR_OK)
        return;
    fd = open_socket();
    if (fd < 0)
        return;
    (void)sendto(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&address,
                 sizeof address);
    close(fd);
}
