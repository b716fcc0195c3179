/*
 * worker -- the FastCGI door: a child of the master that answers requests.
 *
 * The accept loop is built round a trap: a signal that comes while libfcgi
 * accepts or reads costs a request. So SIGTERM is blocked but for the wait in
 * epoll_pwait(), the socket does not block, and a worker that finds another one
 * was quicker goes back to wait.
 *
 * Requests that wait already are taken in one go, a few at a time, and recorded
 * in one transaction: what a commit costs, it costs once for all of them. Only one
 * that is there as a whole is taken besides others, so that nobody waits for a
 * slow sender but the worker that has nothing else to do. One that is not to be
 * recorded ends the taking: however many of those come, the others do not wait.
 *
 * libfcgi would accept by itself, and read without a limit of time. So connections
 * are accepted here and handed on: it takes one that it finds in ipcFd for the
 * next request of a connection that is kept.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/worker.h"
#include "fcgi/web/handle.h"
#include "lib/base/log.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/service/confine.h"
#include "lib/service/lock.h"
#include "lib/service/process.h"

#include <errno.h>
#include <fcgiapp.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* How long a peer may send nothing in the middle of a request, or take nothing of a page. */
#define PEER_LIMIT_S 10

/* One worker is woken for a connection. Should it be stopped before it accepts, another looks. */
#define LOOK_AGAIN_MS 1000

/* The largest request that is looked at before it is read. */
#define PEEK_MAX 65536

/*
 * All the memory that a worker needs in the end it has from the start, so that nothing looks
 * like a leak. Pages that a batch changes: with 64 requests that wait at a time 25 to 110. And
 * what malloc(3) takes besides: some 30 kB for each request that is begun, and the gaps that
 * blocks of many sizes leave.
 */
#define PAGES_MOST 128
#define BLOCKS     10
#define BLOCK_SIZE ((size_t)32 * 1024)

/* So much that is free malloc(3) keeps: more than all of that. */
#define KEPT_BYTES (1024 * 1024)

/* FastCGI Specification 1.0, 8: FCGI_STDIN, FCGI_HEADER_LEN. */
#define TYPE_STDIN    5
#define HEADER_LENGTH 8

/* A request that a worker has taken. */
struct flight {
    FCGX_Request fcgx;
    struct jr_exchange exchange;
};

struct server {
    struct jr_context *context;
    int epoll;
    struct flight flights[JR_SLOT_UPDATES];
    size_t begun; /* of the flights, those that are to be recorded */
    bool broken;  /* the socket is */
    unsigned char peeked[PEEK_MAX];
};

static ssize_t read_body(void *door, char *bytes, size_t size)
{
    FCGX_Request *fcgx = door;
    int wanted = size > INT_MAX ? INT_MAX : (int)size;
    int got = FCGX_GetStr(bytes, wanted, fcgx->in);

    /* A process that was stopped and goes on: with a limit, the kernel does not read again,
     * and libfcgi forgets the error but not that the stream is closed. */
    while (got < wanted && FCGX_GetError(fcgx->in) == EINTR) {
        FCGX_ClearError(fcgx->in);
        fcgx->in->isClosed = 0;
        got += FCGX_GetStr(bytes + got, wanted - got, fcgx->in);
    }
    return got < wanted && FCGX_GetError(fcgx->in) != 0 ? -1 : got;
}

/*
 * Write out what is too large for the text. The last byte goes when the place for
 * pages has been given back: who has the whole page can have the next one.
 */
static void write_rest(struct jr_context *context, struct jr_response *response,
                       FCGX_Request *fcgx)
{
    const struct timeval limit = { .tv_sec = PEER_LIMIT_S };
    int length = (int)response->rest.length;
    char last = length > 0 ? response->rest.bytes[length - 1] : '\0';

    if (length > 1) {
        (void)setsockopt(fcgx->ipcFd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        (void)FCGX_PutStr(response->rest.bytes, length - 1, fcgx->out);
        (void)FCGX_FFlush(fcgx->out);
    }
    jr_context_done(context, response);
    if (length > 0)
        (void)FCGX_PutChar(last, fcgx->out);
}

static void answer(struct server *server, struct flight *flight)
{
    FCGX_Request *fcgx = &flight->fcgx;
    struct jr_response *response = &flight->exchange.response;

    /* A client that has gone is none of our business: what was promised is on disk. */
    (void)FCGX_PutStr(response->text, (int)response->length, fcgx->out);
    write_rest(server->context, response, fcgx);
    /* Otherwise libfcgi would wait for nginx to close the connection first. A unix socket
     * delivers what was written before it was closed; only what was not read might be
     * taken for a reset. */
    fcgx->detached = FCGX_HasSeenEOF(fcgx->in) != 0;
    /* Also if nginx wants to keep it: nobody would read what comes next. */
    fcgx->keepConnection = 0;
    FCGX_Finish_r(fcgx);
}

static void record(struct server *server)
{
    struct jr_exchange *exchanges[JR_SLOT_UPDATES];

    if (server->begun == 0)
        return;
    for (size_t i = 0; i < server->begun; i++)
        exchanges[i] = &server->flights[i].exchange;
    jr_handle_record(server->context, exchanges, server->begun);
    for (size_t i = 0; i < server->begun; i++)
        answer(server, &server->flights[i]);
    server->begun = 0;
}

/* Accept a connection, if there is one. Returns it, or -1. */
static int take_connection(struct server *server)
{
    const struct timeval limit = { .tv_sec = PEER_LIMIT_S };
    int fd = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        /* nginx has the whole body before it connects; nobody else may hold a worker for long. */
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        jr_log(JR_LOG_ERROR, "worker", "cannot accept: %s", strerror(errno));
        server->broken = true;
    }
    return fd;
}

/*
 * Does a whole request lie there to be read? It ends with an empty record of
 * FCGI_STDIN. libfcgi reads past records that have another id than the first.
 */
static bool is_whole(struct server *server, int fd)
{
    const unsigned char *bytes = server->peeked;
    ssize_t got = recv(fd, server->peeked, sizeof server->peeked, MSG_PEEK | MSG_DONTWAIT);

    for (ssize_t at = 0; got - at >= HEADER_LENGTH;) {
        int length = bytes[at + 4] << 8 | bytes[at + 5];

        if (bytes[at + 1] == TYPE_STDIN && length == 0 && memcmp(bytes + at + 2, bytes + 2, 2) == 0)
            return true;
        at += HEADER_LENGTH + length + bytes[at + 6];
    }
    return false;
}

/*
 * Read a request and leave it to be recorded, or answer it. The answer comes after
 * those of the requests that were begun before: it waits for its client, and a page
 * also takes its time to be made.
 * Returns whether it was left, so that others may be taken besides.
 */
static bool begin(struct server *server, int fd)
{
    struct flight *flight = &server->flights[server->begun];
    struct jr_request *request = &flight->exchange.request;

    flight->fcgx.ipcFd = fd;
    flight->fcgx.keepConnection = 1;
    /* libfcgi closes what is no request: not after its sender does, who may take his time. */
    flight->fcgx.detached = 1;
    if (FCGX_Accept_r(&flight->fcgx) != 0)
        return false;
    jr_request_init(request, &flight->fcgx, flight->fcgx.envp, read_body);
    if (request->method == NULL || strcmp(request->method, "POST") != 0)
        record(server);
    if (!jr_handle_begin(server->context, &flight->exchange)) {
        server->begun++;
        return true;
    }
    record(server);
    answer(server, flight);
    return false;
}

/*
 * Wake one worker for a connection, not all that wait (EPOLLEXCLUSIVE, epoll_ctl(2)).
 * Returns a descriptor, or -1.
 */
static int watch_socket(void)
{
    struct epoll_event connection = { .events = EPOLLIN | EPOLLEXCLUSIVE };
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &connection) != 0) {
        close(epoll);
        return -1;
    }
    return epoll;
}

/* Wait for a connection. Returns false when it is time to stop. */
static bool wait_for_request(const struct server *server)
{
    struct epoll_event connection;

    while (!jr_process_stopping()) {
        int ready = epoll_pwait(server->epoll, &connection, 1, LOOK_AGAIN_MS,
                                jr_process_wait_mask());

        jr_process_note_beat(server->context->process, jr_monotonic_ms());
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR) {
            jr_log(JR_LOG_ERROR, "worker", "cannot wait for requests: %s", strerror(errno));
            return false;
        }
    }
    return false;
}

/* Serve requests, as many at a time as wait already, until told to stop. */
static void serve(struct server *server)
{
    int fd = -1;

    while (!server->broken && !server->context->broken
           && (fd >= 0 || wait_for_request(server))) {
        if (fd < 0)
            fd = take_connection(server);
        if (fd >= 0)
            jr_process_note_busy(server->context->process, jr_now_ms());
        while (fd >= 0) {
            bool more = begin(server, fd) && server->begun < JR_SLOT_UPDATES;

            fd = more && !jr_process_stopping() ? take_connection(server) : -1;
            if (fd >= 0 && !is_whole(server, fd))
                break;
        }
        record(server);
        jr_process_note_busy(server->context->process, 0);
        jr_process_note_beat(server->context->process, jr_monotonic_ms());
    }
    if (fd >= 0)
        close(fd);
}

static void take_memory(struct jr_context *context)
{
    char *blocks[BLOCKS];

    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    jr_store_take_memory(context->store, PAGES_MOST);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_SIZE);
        /* What was never written is not there yet; a memset() before a free() would be left out. */
        if (blocks[i] != NULL)
            jr_wipe(blocks[i], BLOCK_SIZE);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

static int run(struct jr_context *context)
{
    struct server *server = calloc(1, sizeof *server);
    struct jr_error error;
    int status;

    if (server == NULL || FCGX_Init() != 0) {
        jr_log(JR_LOG_ERROR, "worker", "cannot set up libfcgi");
        free(server);
        return JR_EXIT_FAILED;
    }
    server->context = context;
    server->epoll = watch_socket();
    if (server->epoll < 0) {
        jr_log(JR_LOG_ERROR, "worker", "cannot wait for requests: %s", strerror(errno));
        free(server);
        return JR_EXIT_FAILED;
    }
    /* Without a socket to accept from: it gets its connections from us. */
    for (size_t i = 0; i < JR_SLOT_UPDATES; i++)
        (void)FCGX_InitRequest(&server->flights[i].fcgx, -1, 0);
    /* Everything that it needs is open. */
    jr_lock_prepare_look(context->settings->state_dir);
    if (jr_confine(JR_CONFINE_WORKER, &error) != JR_OK)
        jr_log(JR_LOG_WARN, "not-confined", "%s", error.text);
    take_memory(context);
    serve(server);
    status = server->broken || context->broken || !jr_process_stopping() ? JR_EXIT_FAILED
                                                                         : JR_EXIT_OK;
    close(server->epoll);
    free(server);
    return status;
}

int jr_worker_main(struct jr_settings *settings, struct jr_runtime *runtime, int number)
{
    struct jr_context context;
    struct jr_error error;
    int status;

    if (jr_signature_self_test() != JR_OK) {
        jr_log(JR_LOG_ERROR, "worker", "libcrypto does not compute what it should");
        return JR_EXIT_FAILED;
    }
    jr_context_init(&context, settings, runtime, number);
    if (jr_context_open_store(&context, &error) != JR_OK) {
        jr_log(JR_LOG_ERROR, "worker", "%s", error.text);
        return JR_EXIT_STORE;
    }
    status = run(&context);
    jr_context_release(&context);
    return status;
}
