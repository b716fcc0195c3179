/*
 * sight -- what is seen of a running service from outside.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/sight.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* "JRsee" and the version of the layout. */
#define MAGIC UINT64_C(0x4a52736565000003)

/* How long the master may take to answer; it does so at once, unless it hangs or the machine is
 * very busy. */
#define ANSWER_LIMIT_S 10

/* How many may stand in line. */
#define BACKLOG 64

/* More than any number here is: a time in the year 9999, in ms. */
#define NUMBER_MOST INT64_C(253402300799999)

/* More than the settings allow. */
#define WORKERS_MOST 1000

static const char name[] = "runtime";

struct message {
    uint64_t magic;
    struct jr_sight sight;
};

_Static_assert(offsetof(struct jr_sight, counters) % sizeof(int64_t) == 0,
               "numbers and nothing else");

static int64_t bounded(int64_t number, int64_t most)
{
    return number < 0 ? 0 : number > most ? most : number;
}

enum jr_cluster_sight jr_sight_cluster(const struct jr_sight *sight)
{
    return sight->cluster_state < JR_CLUSTER_AWAY ? (enum jr_cluster_sight)sight->cluster_state
                                                  : JR_CLUSTER_AWAY;
}

void jr_sight_bound(struct jr_sight *sight)
{
    int64_t *numbers = &sight->started_ms;

    for (size_t i = 0; i < offsetof(struct jr_sight, counters) / sizeof *numbers; i++)
        numbers[i] = bounded(numbers[i], NUMBER_MOST);
    sight->outage = bounded(sight->outage, JR_COUNTED_REASONS - 1);
    sight->workers = bounded(sight->workers, WORKERS_MOST);
    sight->workers_alive = bounded(sight->workers_alive, sight->workers);
    sight->workers_busy = bounded(sight->workers_busy, sight->workers);
    jr_counters_bound(&sight->counters);
}

static int open_socket(int flags)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
}

static bool make_address(const char *state_dir, struct sockaddr_un *address)
{
    int length;

    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    length = snprintf(address->sun_path, sizeof address->sun_path, "%s/%s", state_dir, name);
    return length < (int)sizeof address->sun_path;
}

/* A signal for each that connects: the master waits for signals, and for nothing else. */
static bool ask_for_signal(int fd)
{
    return fcntl(fd, F_SETOWN, getpid()) == 0
           && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) == 0;
}

enum jr_err jr_sight_listen(const char *state_dir, int *fd, struct jr_error *error)
{
    struct sockaddr_un address;
    mode_t mask;
    int saved;

    *fd = -1;
    if (!make_address(state_dir, &address))
        return jr_error_set(error, JR_EINVAL, "STATE_DIR is too long for a socket in it");
    *fd = open_socket(SOCK_NONBLOCK);
    if (*fd < 0)
        return jr_error_set(error, JR_EIO, "cannot make a socket: %s", strerror(errno));
    (void)unlink(address.sun_path);
    mask = umask(0177);
    saved = bind(*fd, (const struct sockaddr *)&address, sizeof address) == 0
                    && listen(*fd, BACKLOG) == 0 && ask_for_signal(*fd)
                ? 0
                : errno;
    umask(mask);
    if (saved == 0)
        return JR_OK;
    close(*fd);
    *fd = -1;
    return jr_error_set(error, JR_EIO, "cannot listen on '%s': %s", address.sun_path,
                        strerror(saved));
}

bool jr_sight_listens(int fd, const char *state_dir)
{
    struct sockaddr_un wanted, address;
    socklen_t size = sizeof address;

    memset(&address, 0, sizeof address);
    return make_address(state_dir, &wanted)
           && getsockname(fd, (struct sockaddr *)&address, &size) == 0
           && address.sun_family == AF_UNIX && size <= sizeof address
           && strncmp(address.sun_path, wanted.sun_path, sizeof address.sun_path) == 0;
}

int jr_sight_accept(int fd)
{
    return fd < 0 ? -1 : accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

void jr_sight_send(int peer, const struct jr_sight *sight)
{
    struct message message = { .magic = MAGIC, .sight = *sight };

    (void)send(peer, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(peer);
}

/* A message that is of our kind, whole. */
static bool take_message(int fd, struct jr_sight *sight)
{
    struct message message;
    ssize_t got;

    do
        got = recv(fd, &message, sizeof message, MSG_TRUNC);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof message || message.magic != MAGIC)
        return false;
    *sight = message.sight;
    jr_sight_bound(sight);
    return true;
}

enum jr_err jr_sight_ask(const char *state_dir, struct jr_sight *sight, pid_t *pid)
{
    const struct timeval limit = { .tv_sec = ANSWER_LIMIT_S };
    struct sockaddr_un address;
    struct ucred peer = { .pid = 0 };
    socklen_t size = sizeof peer;
    enum jr_err err = JR_ENOENT;
    int fd = open_socket(0);

    memset(sight, 0, sizeof *sight);
    if (fd >= 0 && make_address(state_dir, &address)
        && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0
        && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0) {
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
            err = take_message(fd, sight) ? JR_OK : JR_EBUSY;
        else if (errno == EAGAIN || errno == EINTR)
            err = JR_EBUSY;
        (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    }
    if (pid != NULL)
        *pid = err != JR_ENOENT && peer.pid > 0 ? peer.pid : 0;
    if (fd >= 0)
        close(fd);
    return err;
}
