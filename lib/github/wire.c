/*
 * wire -- what is the same for each client over libcurl.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/wire.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Connecting takes what TCP and TLS need. */
#define CONNECT_TIMEOUT_MS 10000L

/* Sockets that are looked at at once. */
#define EVENTS_MOST 16

#define NEVER INT64_MAX

struct jr_wire {
    CURLM *multi;
    int epoll_fd;   /* has the sockets that libcurl waits for */
    int64_t due_ms; /* monotonic: when libcurl wants to be called; NEVER */
    const char *ca_file;
    jr_wire_ended *ended;
};

/* libcurl tells which socket it waits for, and what for. */
static int watch_socket(CURL *curl, curl_socket_t fd, int what, void *context, void *unused)
{
    const struct jr_wire *wire = context;
    struct epoll_event event = { .data.fd = fd };

    (void)curl, (void)unused;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(wire->epoll_fd, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0)
                   | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (epoll_ctl(wire->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return 0;
    return epoll_ctl(wire->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* libcurl tells when it wants to be called, whatever the sockets do. */
static int watch_time(CURLM *multi, long wait_ms, void *context)
{
    struct jr_wire *wire = context;

    (void)multi;
    wire->due_ms = wait_ms < 0 ? NEVER : jr_monotonic_ms() + wait_ms;
    return 0;
}

static bool set_up(struct jr_wire *wire)
{
    wire->multi = curl_multi_init();
    wire->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return wire->multi != NULL && wire->epoll_fd >= 0
           && curl_multi_setopt(wire->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK
           && curl_multi_setopt(wire->multi, CURLMOPT_SOCKETDATA, (void *)wire) == CURLM_OK
           && curl_multi_setopt(wire->multi, CURLMOPT_TIMERFUNCTION, watch_time) == CURLM_OK
           && curl_multi_setopt(wire->multi, CURLMOPT_TIMERDATA, (void *)wire) == CURLM_OK
           /* HTTP/2 would send all over one connection, which may hang. */
           && curl_multi_setopt(wire->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK;
}

enum jr_err jr_wire_open(struct jr_wire **wire, const char *ca_file, jr_wire_ended *ended,
                         struct jr_error *error)
{
    struct jr_wire *opened;

    *wire = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return jr_error_set(error, JR_EIO, "cannot set up libcurl");
    opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        curl_global_cleanup();
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    }
    opened->ca_file = ca_file;
    opened->ended = ended;
    opened->due_ms = NEVER;
    opened->epoll_fd = -1;
    if (!set_up(opened)) {
        jr_wire_close(opened);
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    }
    *wire = opened;
    return JR_OK;
}

void jr_wire_close(struct jr_wire *wire)
{
    if (wire == NULL)
        return;
    if (wire->multi != NULL)
        curl_multi_cleanup(wire->multi);
    if (wire->epoll_fd >= 0)
        close(wire->epoll_fd);
    free(wire);
    curl_global_cleanup();
}

CURLcode jr_wire_set_up(const struct jr_wire *wire, CURL *curl, const char *protocols,
                        char error[CURL_ERROR_SIZE], void *request)
{
    CURLcode rc = CURLE_OK;

    error[0] = '\0';
    curl_easy_reset(curl);
#define SET(option, value)                                \
    do {                                                  \
        if (rc == CURLE_OK)                               \
            rc = curl_easy_setopt(curl, option, value);   \
    } while (0)
    SET(CURLOPT_PROTOCOLS_STR, protocols);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* does not wait for a resolver that hangs */
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (wire->ca_file != NULL)
        SET(CURLOPT_CAINFO, wire->ca_file);
    SET(CURLOPT_ERRORBUFFER, error);
    SET(CURLOPT_PRIVATE, request);
#undef SET
    return rc;
}

CURLcode jr_wire_add(struct jr_wire *wire, CURL *curl)
{
    return curl_multi_add_handle(wire->multi, curl) == CURLM_OK ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

void jr_wire_remove(struct jr_wire *wire, CURL *curl)
{
    (void)curl_multi_remove_handle(wire->multi, curl);
}

int jr_wire_fd(const struct jr_wire *wire)
{
    return wire->epoll_fd;
}

int64_t jr_wire_wait_ms(const struct jr_wire *wire)
{
    int64_t now_ms = jr_monotonic_ms();

    return wire->due_ms == NEVER ? NEVER : wire->due_ms > now_ms ? wire->due_ms - now_ms : 0;
}

static void take_events(struct jr_wire *wire)
{
    struct epoll_event events[EVENTS_MOST];
    int running, count = epoll_wait(wire->epoll_fd, events, EVENTS_MOST, 0);

    for (int i = 0; i < count; i++) {
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0)
                   | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                   | (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

        (void)curl_multi_socket_action(wire->multi, events[i].data.fd, what, &running);
    }
}

void jr_wire_work(struct jr_wire *wire)
{
    const CURLMsg *message;
    int running, left;

    take_events(wire);
    if (wire->due_ms <= jr_monotonic_ms()) {
        wire->due_ms = NEVER;
        (void)curl_multi_socket_action(wire->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    while ((message = curl_multi_info_read(wire->multi, &left)) != NULL) {
        void *request = NULL;

        if (message->msg == CURLMSG_DONE
            && curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request)
                   == CURLE_OK)
            wire->ended(request, message->data.result);
    }
}

void jr_wire_wait(const struct jr_wire *wire)
{
    struct pollfd ready = { .fd = wire->epoll_fd, .events = POLLIN };
    int64_t wait_ms = jr_wire_wait_ms(wire);

    (void)poll(&ready, 1, wait_ms < 1000 ? (int)wait_ms : 1000);
}

bool jr_wire_add_header(struct curl_slist **headers, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*headers, header);

    if (longer == NULL)
        return false;
    *headers = longer;
    return true;
}

bool jr_wire_get_header(CURL *curl, const char *name, char *copy, size_t size, bool *fits)
{
    struct curl_header *header;
    bool whole;

    copy[0] = '\0';
    if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return false;
    whole = jr_text_copy(copy, size, header->value);
    if (fits != NULL)
        *fits = whole;
    return true;
}
