/*
 * lock -- one dispatcher for a STATE_DIR.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_file(const char *state_dir, int flags)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/dispatcher.lock", state_dir) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static struct flock whole_file(void)
{
    return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

enum jr_err jr_lock_take(const char *state_dir, int *fd, struct jr_error *error)
{
    struct flock lock = whole_file();
    int saved;

    *fd = open_file(state_dir, O_RDWR | O_CREAT);
    if (*fd < 0)
        return jr_error_set(error, JR_EIO, "cannot open '%s/dispatcher.lock': %s", state_dir,
                            strerror(errno));
    if (fcntl(*fd, F_SETLK, &lock) == 0) {
        /* Only told to people: that it cannot be written on a full disk is no reason not to run. */
        if (ftruncate(*fd, 0) == 0)
            dprintf(*fd, "%ld\n", (long)getpid());
        return JR_OK;
    }
    saved = errno;
    close(*fd);
    *fd = -1;
    if (saved == EAGAIN || saved == EACCES)
        return JR_EBUSY;
    return jr_error_set(error, JR_EIO, "cannot lock '%s/dispatcher.lock': %s", state_dir,
                        strerror(saved));
}

/* What jr_lock_prepare_look() has opened; -1: nothing. */
static int look_fd = -1;

void jr_lock_prepare_look(const char *state_dir)
{
    if (look_fd < 0)
        look_fd = open_file(state_dir, O_RDONLY | O_CREAT);
}

/* The lock as somebody else holds it; l_type F_UNLCK: nobody does. */
static struct flock look(const char *state_dir)
{
    struct flock lock = whole_file(), none = { .l_type = F_UNLCK };
    int fd = look_fd >= 0 ? look_fd : open_file(state_dir, O_RDONLY);

    if (fd < 0)
        return none;
    if (fcntl(fd, F_GETLK, &lock) != 0)
        lock = none;
    if (fd != look_fd)
        close(fd);
    return lock;
}

bool jr_lock_is_held(const char *state_dir)
{
    return look(state_dir).l_type != F_UNLCK;
}

pid_t jr_lock_holder(const char *state_dir)
{
    struct flock lock = look(state_dir);

    return lock.l_type != F_UNLCK && lock.l_pid > 0 ? lock.l_pid : 0;
}
