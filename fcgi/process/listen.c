/*
 * listen -- the socket that requests come by.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char variable[] = "JR_SOCKET";

/* So many wait when all workers are busy: as under the socket unit. */
#define BACKLOG 4096

bool jr_listen_is_ready(void)
{
    int listening = 0;
    socklen_t size = sizeof listening;

    return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0
           && listening != 0;
}

bool jr_listen_is_wanted(void)
{
    return getenv(variable) != NULL;
}

/* By way of the open folder, whose name is short whatever its path is. */
static enum jr_err make_address(const char *path, int *folder, struct sockaddr_un *address,
                                struct jr_error *error)
{
    const char *slash = strrchr(path, '/');
    char name[PATH_MAX];
    int length;

    *folder = -1;
    if (slash == NULL || slash[1] == '\0' || slash - path >= PATH_MAX)
        return jr_error_set(error, JR_EINVAL, "%s: '%.200s' is no path of a socket", variable, path);
    snprintf(name, sizeof name, "%.*s/", (int)(slash - path), path);
    *folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return jr_error_set(error, JR_EIO, "%s: cannot open the folder '%.200s': %s", variable, name,
                            strerror(errno));
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *folder,
                      slash + 1);
    if (length < (int)sizeof address->sun_path)
        return JR_OK;
    close(*folder);
    return jr_error_set(error, JR_EINVAL, "%s: the name '%.200s' is too long", variable, slash + 1);
}

/* The socket as descriptor 0; returns 0, or -1 and errno. */
static int listen_at(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc, saved;
    mode_t mask;

    if (fd < 0)
        return -1;
    mask = umask(0177);
    rc = bind(fd, (const struct sockaddr *)address, sizeof *address);
    umask(mask);
    if (rc == 0)
        rc = listen(fd, BACKLOG);
    if (rc == 0)
        rc = dup2(fd, STDIN_FILENO);
    saved = errno;
    close(fd);
    errno = saved;
    return rc < 0 ? -1 : 0;
}

enum jr_err jr_listen_make(struct jr_error *error)
{
    const char *path = getenv(variable);
    struct sockaddr_un address;
    enum jr_err err = JR_OK;
    int folder;

    if (path != NULL && !jr_listen_is_ready()) {
        err = make_address(path, &folder, &address, error);
        if (err != JR_OK)
            return err;
        if (listen_at(&address) != 0)
            err = jr_error_set(error, JR_EIO, "%s: cannot listen on '%.200s': %s", variable, path,
                               strerror(errno));
        close(folder);
    }
    (void)unsetenv(variable);
    return err;
}
