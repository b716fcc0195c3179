/*
 * worker -- the FastCGI door: a child of the master that answers requests.
 *
 * The accept loop is built round a trap: a signal that comes while libfcgi
 * accepts or reads costs a request. So SIGTERM is blocked but for the wait in
 * ppoll(), the socket does not block, and a worker that finds another one was
 * quicker goes back to wait.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/handle.h"
#include "fcgi/process.h"
#include "fcgi/worker.h"
#include "lib/log.h"
#include "lib/signature.h"

#include <errno.h>
#include <fcgiapp.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

bool jr_worker_has_socket(void)
{
    int listening = 0;
    socklen_t size = sizeof listening;

    return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0
           && listening != 0;
}

/* How long a peer may send nothing in the middle of a body, or take nothing of a page. */
#define PEER_LIMIT_S 10

/* The first value of a variable, and whether nginx passed the header on twice. */
static const char *variable(void *door, const char *name, bool *doubled)
{
    const FCGX_Request *fcgx = door;
    size_t length = strlen(name);
    const char *value = NULL;

    *doubled = false;
    for (char **pair = fcgx->envp; pair != NULL && *pair != NULL; pair++) {
        if (strncmp(*pair, name, length) != 0 || (*pair)[length] != '=')
            continue;
        *doubled = value != NULL;
        if (value == NULL)
            value = *pair + length + 1;
    }
    return value;
}

static ssize_t read_body(void *door, char *bytes, size_t size)
{
    FCGX_Request *fcgx = door;
    int wanted = size > INT_MAX ? INT_MAX : (int)size;
    int got = FCGX_GetStr(bytes, wanted, fcgx->in);

    return got < wanted && FCGX_GetError(fcgx->in) != 0 ? -1 : got;
}

/*
 * Write out what is too large for the text. The last byte goes when the place for
 * pages has been given back: who has the whole page can have the next one.
 */
static void write_rest(struct jr_handler *handler, struct jr_response *response,
                       FCGX_Request *fcgx)
{
    int length = (int)response->rest.length;
    char last = length > 0 ? response->rest.bytes[length - 1] : '\0';

    if (length > 1) {
        (void)FCGX_PutStr(response->rest.bytes, length - 1, fcgx->out);
        (void)FCGX_FFlush(fcgx->out);
    }
    jr_handle_done(handler, response);
    if (length > 0)
        (void)FCGX_PutChar(last, fcgx->out);
}

static void answer(struct jr_handler *handler, FCGX_Request *fcgx)
{
    const struct timeval limit = { .tv_sec = PEER_LIMIT_S };
    struct jr_request request;
    struct jr_response response;

    /* nginx has the whole body before it connects; nobody else may hold a worker for long. */
    (void)setsockopt(fcgx->ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fcgx->ipcFd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    jr_request_init(&request, fcgx, variable, read_body);
    jr_handle(handler, &request, &response);
    /* A client that has gone is none of our business: what was promised is on disk. */
    (void)FCGX_PutStr(response.text, (int)response.length, fcgx->out);
    write_rest(handler, &response, fcgx);
    FCGX_Finish_r(fcgx);
}

/* Wait for a connection. Returns false when it is time to stop. */
static bool wait_for_request(void)
{
    struct pollfd listening = { .fd = STDIN_FILENO, .events = POLLIN };

    while (!jr_process_stopping()) {
        int ready = ppoll(&listening, 1, NULL, jr_process_wait_mask());

        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR) {
            jr_log(JR_LOG_ERROR, "worker", "cannot wait for requests: %s", strerror(errno));
            return false;
        }
    }
    return false;
}

static int serve(struct jr_handler *handler)
{
    FCGX_Request fcgx;

    if (FCGX_Init() != 0 || FCGX_InitRequest(&fcgx, STDIN_FILENO, 0) != 0) {
        jr_log(JR_LOG_ERROR, "worker", "cannot set up libfcgi");
        return JR_EXIT_FAILED;
    }
    while (!handler->broken && wait_for_request()) {
        int rc = FCGX_Accept_r(&fcgx);

        if (rc == 0) {
            answer(handler, &fcgx);
        } else if (rc != -EAGAIN && rc != -EINTR && rc != -ECONNABORTED) {
            jr_log(JR_LOG_ERROR, "worker", "cannot accept: %s", strerror(-rc));
            return JR_EXIT_FAILED;
        }
    }
    FCGX_Free(&fcgx, 1);
    return handler->broken || !jr_process_stopping() ? JR_EXIT_FAILED : JR_EXIT_OK;
}

int jr_worker_main(struct jr_settings *settings, struct jr_runtime *runtime, int number)
{
    struct jr_handler handler;
    struct jr_error error;
    int status;

    if (jr_signature_self_test() != JR_OK) {
        jr_log(JR_LOG_ERROR, "worker", "libcrypto does not compute what it should");
        return JR_EXIT_FAILED;
    }
    jr_handler_init(&handler, settings, runtime, number);
    if (jr_handler_open_store(&handler, &error) != JR_OK) {
        jr_log(JR_LOG_ERROR, "worker", "%s", error.text);
        return JR_EXIT_STORE;
    }
    status = serve(&handler);
    jr_handler_release(&handler);
    return status;
}
