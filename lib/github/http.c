/*
 * http -- an HTTP client over libcurl: several requests at once, in one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/http.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* GitHub ends requests after 10 s; connecting takes what TCP and TLS need. */
#define CONNECT_TIMEOUT_MS 10000L
#define TOTAL_TIMEOUT_MS 30000L

/* Nobody waits longer than a day; what is longer than a year is no time at all. */
#define RETRY_AFTER_MAX_S 86400
#define RETRY_AFTER_SENSE_S (366 * RETRY_AFTER_MAX_S)

/* The room for a body at first; one that has grown beyond the other is not kept. */
#define BODY_SIZE (64 * 1024)
#define BODY_KEPT_SIZE (256 * 1024)

/* Sockets that are looked at at once. */
#define EVENTS_MOST 16

#define NEVER INT64_MAX

struct jr_transfer {
    struct jr_http *http;
    struct jr_transfer *next; /* among those that can be used again */
    CURL *curl;               /* remembers the sessions of TLS */
    char *token;
    bool posts;
    const char *json;
    int64_t before_ms;
    bool too_late, over;
    char *body;
    size_t length, size;
    char error[CURL_ERROR_SIZE];
    struct jr_http_answer answer;
};

struct jr_http {
    CURLM *multi;
    int epoll_fd;             /* has the sockets that libcurl waits for */
    int64_t due_ms;           /* monotonic: when libcurl wants to be called; NEVER */
    struct curl_slist *headers;      /* of all requests without a type of the body, and */
    struct curl_slist *json_headers; /* of those with JSON */
    const char *ca_file;
    struct jr_transfer *idle;
};

/* libcurl tells which socket it waits for, and what for. */
static int watch_socket(CURL *curl, curl_socket_t fd, int what, void *context, void *unused)
{
    const struct jr_http *http = context;
    struct epoll_event event = { .data.fd = fd };

    (void)curl, (void)unused;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(http->epoll_fd, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0)
                   | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (epoll_ctl(http->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return 0;
    return epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* libcurl tells when it wants to be called, whatever the sockets do. */
static int watch_time(CURLM *multi, long wait_ms, void *context)
{
    struct jr_http *http = context;

    (void)multi;
    http->due_ms = wait_ms < 0 ? NEVER : jr_monotonic_ms() + wait_ms;
    return 0;
}

/* Take a piece of the body; returning less than it is ends the transfer. */
static size_t take_body(char *piece, size_t size, size_t count, void *context)
{
    struct jr_transfer *transfer = context;
    size_t more = size * count, wanted = transfer->length + more + 1;

    if (wanted > JR_HTTP_BODY_MAX)
        return 0;
    if (wanted > transfer->size) {
        size_t larger = wanted * 2;
        char *body = realloc(transfer->body, larger);

        if (body == NULL)
            return 0;
        transfer->body = body;
        transfer->size = larger;
    }
    memcpy(transfer->body + transfer->length, piece, more);
    transfer->length += more;
    transfer->body[transfer->length] = '\0';
    return more;
}

/*
 * close(2) of a connection leaves what was written to the kernel, which goes on sending:
 * a POST that was given up would arrive whenever the wire is whole again. With this it is
 * dropped, and the peer gets a reset (socket(7), SO_LINGER).
 */
static int drop_at_close(void *context, curl_socket_t fd, curlsocktype purpose)
{
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

    (void)context, (void)purpose;
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0
               ? CURL_SOCKOPT_OK
               : CURL_SOCKOPT_ERROR;
}

/* Called when the connection stands, TLS and all, before the first byte of the request. */
static int look_at_the_time(void *context, char *ip, char *local_ip, int port, int local_port)
{
    struct jr_transfer *transfer = context;

    (void)ip, (void)local_ip, (void)port, (void)local_port;
    transfer->too_late = transfer->before_ms != 0 && jr_boottime_ms() > transfer->before_ms;
    return transfer->too_late ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool add_header(struct curl_slist **headers, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*headers, header);

    if (longer == NULL)
        return false;
    *headers = longer;
    return true;
}

/* type: "Content-Type:" is none */
static bool make_headers(struct curl_slist **headers, const char *type)
{
    /* Source: https://docs.github.com/en/rest/about-the-rest-api/api-versions */
    return add_header(headers, "Accept: application/vnd.github+json")
           && add_header(headers, "X-GitHub-Api-Version: 2022-11-28") && add_header(headers, type)
           && add_header(headers, "Expect:");
}

static bool set_up(struct jr_http *http)
{
    http->multi = curl_multi_init();
    http->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return http->multi != NULL && http->epoll_fd >= 0
           && curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK
           && curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, (void *)http) == CURLM_OK
           && curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, watch_time) == CURLM_OK
           && curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, (void *)http) == CURLM_OK
           /* HTTP/2 would send all over one connection, which may hang. */
           && curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK
           && make_headers(&http->headers, "Content-Type:")
           && make_headers(&http->json_headers, "Content-Type: application/json");
}

enum jr_err jr_http_open(struct jr_http **http, const char *ca_file, struct jr_error *error)
{
    struct jr_http *opened;

    *http = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return jr_error_set(error, JR_EIO, "cannot set up libcurl");
    opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    opened->ca_file = ca_file;
    opened->due_ms = NEVER;
    opened->epoll_fd = -1;
    if (!set_up(opened)) {
        jr_http_close(opened);
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    }
    *http = opened;
    return JR_OK;
}

static void free_transfer(struct jr_transfer *transfer)
{
    if (transfer == NULL)
        return;
    if (transfer->curl != NULL)
        curl_easy_cleanup(transfer->curl);
    free(transfer->body);
    free(transfer);
}

void jr_http_close(struct jr_http *http)
{
    if (http == NULL)
        return;
    while (http->idle != NULL) {
        struct jr_transfer *transfer = http->idle;

        http->idle = transfer->next;
        free_transfer(transfer);
    }
    if (http->multi != NULL)
        curl_multi_cleanup(http->multi);
    if (http->epoll_fd >= 0)
        close(http->epoll_fd);
    curl_slist_free_all(http->headers);
    curl_slist_free_all(http->json_headers);
    free(http);
    curl_global_cleanup();
}

static CURLcode set_options(struct jr_transfer *transfer, const char *url)
{
    CURL *curl = transfer->curl;
    const struct jr_http *http = transfer->http;
    const char *protocols = strncmp(url, "http://", 7) == 0 ? "http" : "https";
    CURLcode rc = CURLE_OK;

    curl_easy_reset(curl);
#define SET(option, value)                                \
    do {                                                  \
        if (rc == CURLE_OK)                               \
            rc = curl_easy_setopt(curl, option, value);   \
    } while (0)
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, protocols);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* does not wait for a resolver that hangs */
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    SET(CURLOPT_TIMEOUT_MS, TOTAL_TIMEOUT_MS);
    SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
    SET(CURLOPT_HTTPHEADER, transfer->json == NULL ? http->headers : http->json_headers);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (http->ca_file != NULL)
        SET(CURLOPT_CAINFO, http->ca_file);
    if (transfer->token != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, transfer->token);
    }
    SET(CURLOPT_ERRORBUFFER, transfer->error);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, (void *)transfer);
    SET(CURLOPT_PRIVATE, (void *)transfer);
    if (transfer->posts) {
        SET(CURLOPT_POSTFIELDS, transfer->json == NULL ? "" : transfer->json);
        SET(CURLOPT_POSTFIELDSIZE, transfer->json == NULL ? 0L : (long)strlen(transfer->json));
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
        SET(CURLOPT_SOCKOPTFUNCTION, drop_at_close);
        SET(CURLOPT_PREREQFUNCTION, look_at_the_time);
        SET(CURLOPT_PREREQDATA, (void *)transfer);
    }
#undef SET
    return rc;
}

/* Copy a header at once: the next look-up overwrites what libcurl returned. */
static bool get_header(CURL *curl, const char *name, char *copy, size_t size)
{
    struct curl_header *header;

    copy[0] = '\0';
    if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return false;
    jr_text_copy(copy, size, header->value);
    return true;
}

/* Half an address leads somewhere else. */
static void get_location(CURL *curl, char location[JR_LINK_SIZE])
{
    struct curl_header *header;

    location[0] = '\0';
    if (curl_easy_header(curl, "Location", 0, CURLH_HEADER, -1, &header) == CURLHE_OK
        && !jr_text_copy(location, JR_LINK_SIZE, header->value))
        location[0] = '\0';
}

/* A header that is a number from 0 to 10^15; else -1. */
static int64_t get_number(CURL *curl, const char *name)
{
    char text[32], *end;
    long long number;

    if (!get_header(curl, name, text, sizeof text) || text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (*end != '\0' || errno != 0 || number > 1000000000000000LL)
        return -1;
    return number;
}

/* A header that is a time, in ms since the epoch; 0: not there, or no time. */
static int64_t get_time(CURL *curl, const char *name)
{
    char text[64];
    time_t time_s;

    if (!get_header(curl, name, text, sizeof text) || (time_s = curl_getdate(text, NULL)) <= 0)
        return 0;
    return (int64_t)time_s * 1000;
}

/*
 * Retry-After is a number of seconds, or a time by the server's clock, which Date tells:
 * RFC 9110, 10.2.3. libcurl would take ours.
 */
static int64_t get_retry_after(CURL *curl, int64_t date_ms)
{
    char ignored[8];
    int64_t seconds, time_ms;

    if (!get_header(curl, "Retry-After", ignored, sizeof ignored))
        return -1;
    seconds = get_number(curl, "Retry-After");
    time_ms = seconds >= 0 ? 0 : get_time(curl, "Retry-After");
    if (time_ms != 0)
        seconds = (time_ms - (date_ms != 0 ? date_ms : jr_now_ms())) / 1000;
    if (seconds < 0 || seconds > RETRY_AFTER_SENSE_S)
        return 0;
    return seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S;
}

static void read_headers(CURL *curl, struct jr_http_answer *answer)
{
    char ignored[8], sso[16];

    answer->date_ms = get_time(curl, "Date");
    answer->retry_after_s = get_retry_after(curl, answer->date_ms);
    answer->ratelimit_limit = get_number(curl, "X-RateLimit-Limit");
    answer->ratelimit_remaining = get_number(curl, "X-RateLimit-Remaining");
    answer->ratelimit_reset_s = get_number(curl, "X-RateLimit-Reset");
    answer->accepted_permissions = get_header(curl, "X-Accepted-GitHub-Permissions", ignored,
                                              sizeof ignored);
    answer->sso_required = get_header(curl, "X-GitHub-SSO", sso, sizeof sso)
                           && strncasecmp(sso, "required", 8) == 0;
    answer->scopes_told = get_header(curl, "X-OAuth-Scopes", answer->scopes,
                                     sizeof answer->scopes);
    get_location(curl, answer->location);
    get_header(curl, "github-authentication-token-expiration", answer->token_expiration,
               sizeof answer->token_expiration);
}

/*
 * What a host between GitHub and us answers may show the request that it refuses,
 * token and all, and ends in the log and in the history.
 */
static void hide_token(const struct jr_transfer *transfer, char *text, size_t length)
{
    size_t token_length = transfer->token == NULL ? 0 : strlen(transfer->token);
    char *found = token_length == 0 ? NULL : memmem(text, length, transfer->token, token_length);

    while (found != NULL) {
        memset(found, '*', token_length);
        found = memmem(found, length - (size_t)(found - text), transfer->token, token_length);
    }
}

/* Make the answer of a transfer that has ended as rc tells. */
static void finish(struct jr_transfer *transfer, CURLcode rc)
{
    struct jr_http_answer *answer = &transfer->answer;
    curl_off_t pretransfer_us = 0;
    long status = 0;

    transfer->over = true;
    answer->duration_us = jr_monotonic_us() - answer->begun_us;
    hide_token(transfer, transfer->body, transfer->length);
    hide_token(transfer, transfer->error, strlen(transfer->error));
    answer->body = transfer->body;
    answer->length = transfer->length;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    /* Rule 6: an accepted POST is accepted, whatever becomes of the rest of the answer. */
    if (rc == CURLE_OK || (transfer->posts && status >= 200 && status < 300)) {
        answer->status = (int)status;
        read_headers(transfer->curl, answer);
        hide_token(transfer, answer->location, strlen(answer->location));
    } else {
        /* Before its pretransfer phase is over, libcurl has sent nothing of the request. */
        curl_easy_getinfo(transfer->curl, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
        answer->too_late = transfer->too_late;
        answer->sent = pretransfer_us > 0 && !transfer->too_late;
        jr_text_copy(answer->text, sizeof answer->text,
                     transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(rc));
    }
    (void)curl_multi_remove_handle(transfer->http->multi, transfer->curl);
}

/* A transfer that was used before, or a new one; NULL: there is no memory. */
static struct jr_transfer *get_transfer(struct jr_http *http)
{
    struct jr_transfer *transfer = http->idle;

    if (transfer != NULL) {
        http->idle = transfer->next;
        return transfer;
    }
    transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL)
        return NULL;
    transfer->http = http;
    transfer->size = BODY_SIZE;
    transfer->body = malloc(transfer->size);
    transfer->curl = curl_easy_init();
    if (transfer->body != NULL && transfer->curl != NULL)
        return transfer;
    free_transfer(transfer);
    return NULL;
}

struct jr_transfer *jr_http_begin(struct jr_http *http, const struct jr_http_request *request)
{
    struct jr_transfer *transfer = get_transfer(http);
    CURLcode rc;

    if (transfer == NULL)
        return NULL;
    memset(&transfer->answer, 0, sizeof transfer->answer);
    transfer->answer.retry_after_s = transfer->answer.ratelimit_limit =
        transfer->answer.ratelimit_remaining = transfer->answer.ratelimit_reset_s = -1;
    transfer->answer.begun_us = jr_monotonic_us();
    transfer->posts = request->posts;
    transfer->json = request->json;
    transfer->before_ms = request->before_ms;
    transfer->too_late = transfer->over = false;
    transfer->length = 0;
    transfer->body[0] = transfer->error[0] = '\0';
    transfer->token = request->token == NULL ? NULL : strdup(request->token);
    rc = request->token != NULL && transfer->token == NULL ? CURLE_OUT_OF_MEMORY
                                                           : set_options(transfer, request->url);
    if (rc == CURLE_OK && curl_multi_add_handle(http->multi, transfer->curl) != CURLM_OK)
        rc = CURLE_OUT_OF_MEMORY;
    if (rc != CURLE_OK)
        finish(transfer, rc);
    return transfer;
}

int jr_http_fd(const struct jr_http *http)
{
    return http->epoll_fd;
}

int64_t jr_http_wait_ms(const struct jr_http *http)
{
    int64_t now_ms = jr_monotonic_ms();

    return http->due_ms == NEVER ? NEVER : http->due_ms > now_ms ? http->due_ms - now_ms : 0;
}

static void take_events(struct jr_http *http)
{
    struct epoll_event events[EVENTS_MOST];
    int running, count = epoll_wait(http->epoll_fd, events, EVENTS_MOST, 0);

    for (int i = 0; i < count; i++) {
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0)
                   | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                   | (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

        (void)curl_multi_socket_action(http->multi, events[i].data.fd, what, &running);
    }
}

void jr_http_work(struct jr_http *http)
{
    const CURLMsg *message;
    int running, left;

    take_events(http);
    if (http->due_ms <= jr_monotonic_ms()) {
        http->due_ms = NEVER;
        (void)curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct jr_transfer *transfer = NULL;

        if (message->msg == CURLMSG_DONE
            && curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer)
                   == CURLE_OK)
            finish(transfer, message->data.result);
    }
}

const struct jr_http_answer *jr_http_answer(const struct jr_transfer *transfer)
{
    return transfer->over ? &transfer->answer : NULL;
}

const struct jr_http_answer *jr_http_await(struct jr_transfer *transfer)
{
    struct jr_http *http = transfer->http;
    struct pollfd ready = { .fd = http->epoll_fd, .events = POLLIN };

    for (jr_http_work(http); !transfer->over; jr_http_work(http)) {
        int64_t wait_ms = jr_http_wait_ms(http);

        (void)poll(&ready, 1, wait_ms < 1000 ? (int)wait_ms : 1000);
    }
    return &transfer->answer;
}

void jr_http_give_up(struct jr_transfer *transfer)
{
    if (!transfer->over)
        finish(transfer, CURLE_ABORTED_BY_CALLBACK);
}

void jr_http_release(struct jr_transfer *transfer)
{
    if (transfer == NULL)
        return;
    jr_http_give_up(transfer);
    if (transfer->token != NULL)
        jr_wipe(transfer->token, strlen(transfer->token));
    free(transfer->token);
    transfer->token = NULL;
    /* The handle has a copy of it. */
    curl_easy_reset(transfer->curl);
    if (transfer->size > BODY_KEPT_SIZE) {
        free_transfer(transfer);
        return;
    }
    transfer->next = transfer->http->idle;
    transfer->http->idle = transfer;
}
