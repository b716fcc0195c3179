/*
 * http -- an HTTP client over libcurl: several requests at once, in one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/http.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/github/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* GitHub ends requests after 10 s. */
#define TOTAL_TIMEOUT_MS 30000L

/* Less, so that it is over when the request is. */
#define UNSENT_TIMEOUT_MS 25000

/* Nobody waits longer than a day; what is longer than a year is no time at all. */
#define RETRY_AFTER_MAX_S 86400
#define RETRY_AFTER_SENSE_S (366 * RETRY_AFTER_MAX_S)

/* The room for a body at first; one that has grown beyond the other is not kept. */
#define BODY_SIZE (64 * 1024)
#define BODY_KEPT_SIZE (256 * 1024)

struct jr_transfer {
    struct jr_http *http;
    struct jr_transfer *next; /* among those that can be used again */
    CURL *curl;               /* remembers the sessions of TLS */
    char *token;
    bool posts, patches;
    const char *json;
    struct curl_slist *headers; /* of its own; NULL: those of all */
    size_t body_most;
    int64_t before_ms;
    bool too_late, over;
    const struct jr_http_peer *peer;
    jr_http_permit *permit;
    void *permits;
    enum jr_reason forbidden;
    char *body;
    size_t length, size;
    char error[CURL_ERROR_SIZE];
    struct jr_http_answer answer;
};

struct jr_http {
    struct jr_wire *wire;
    struct curl_slist *headers;      /* of all requests without a type of the body, and */
    struct curl_slist *json_headers; /* of those with JSON */
    struct jr_transfer *idle;
};

/* Take a piece of the body; returning less than it is ends the transfer. */
static size_t take_body(char *piece, size_t size, size_t count, void *context)
{
    struct jr_transfer *transfer = context;
    size_t more = size * count, wanted = transfer->length + more + 1;

    if (wanted > transfer->body_most)
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
 * dropped, and the peer gets a reset (socket(7), SO_LINGER). A process that stands still closes
 * nothing: then the kernel gives up by itself what nobody acknowledges (tcp(7),
 * TCP_USER_TIMEOUT).
 */
static int drop_at_close(void *context, curl_socket_t fd, curlsocktype purpose)
{
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    const unsigned unsent_ms = (unsigned)jr_test_shorter_ms(UNSENT_TIMEOUT_MS);

    (void)context, (void)purpose;
    /* What is no TCP socket needs none of it. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unsent_ms, sizeof unsent_ms);
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0
               ? CURL_SOCKOPT_OK
               : CURL_SOCKOPT_ERROR;
}

/* Called when the connection stands, TLS and all, before the first byte of the request. */
static int may_be_sent(void *context, char *ip, char *local_ip, int port, int local_port)
{
    struct jr_transfer *transfer = context;

    (void)ip, (void)local_ip, (void)port, (void)local_port;
    transfer->too_late = transfer->before_ms != 0 && jr_boottime_ms() > transfer->before_ms;
    if (!transfer->too_late && transfer->permit != NULL)
        transfer->forbidden = transfer->permit(transfer->permits);
    return transfer->too_late || transfer->forbidden != JR_REASON_NONE ? CURL_PREREQFUNC_ABORT
                                                                       : CURL_PREREQFUNC_OK;
}

/* type: "Content-Type:" is none */
static bool make_headers(struct curl_slist **headers, const char *type)
{
    /* Source: https://docs.github.com/en/rest/about-the-rest-api/api-versions */
    return jr_wire_add_header(headers, "Accept: application/vnd.github+json")
           && jr_wire_add_header(headers, "X-GitHub-Api-Version: 2022-11-28") && jr_wire_add_header(headers, type)
           && jr_wire_add_header(headers, "Expect:");
}

static void free_transfer(struct jr_transfer *transfer)
{
    if (transfer == NULL)
        return;
    if (transfer->curl != NULL)
        curl_easy_cleanup(transfer->curl);
    curl_slist_free_all(transfer->headers);
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
    jr_wire_close(http->wire);
    curl_slist_free_all(http->headers);
    curl_slist_free_all(http->json_headers);
    free(http);
}

/* What goes to a service of the administrator's own: one more line, and the token as it is. */
static bool add_peer_headers(struct jr_transfer *transfer, const struct jr_http_request *request)
{
    char header[JR_LINK_SIZE];
    bool good;

    if (request->peer == NULL)
        return true;
    if (request->peer->header != NULL
        && !jr_wire_add_header(&transfer->headers, request->peer->header))
        return false;
    if (request->token == NULL)
        return true;
    snprintf(header, sizeof header, "Authorization: %s", request->token);
    good = jr_wire_add_header(&transfer->headers, header);
    jr_wipe(header, sizeof header);
    return good;
}

/*
 * The headers of a request that are not those of all: it goes to somebody else than GitHub, or
 * names the version that is known. Returns false without memory.
 */
static bool make_own_headers(struct jr_transfer *transfer, const struct jr_http_request *request)
{
    char header[JR_ETAG_SIZE + 32];

    if (request->type != NULL) {
        snprintf(header, sizeof header, "Content-Type: %s", request->type);
        return jr_wire_add_header(&transfer->headers, header)
               && jr_wire_add_header(&transfer->headers, "Expect:")
               && add_peer_headers(transfer, request);
    }
    if (request->etag == NULL || *request->etag == '\0')
        return true;
    snprintf(header, sizeof header, "If-None-Match: %s", request->etag);
    return make_headers(&transfer->headers, "Content-Type:")
           && jr_wire_add_header(&transfer->headers, header);
}

static int64_t total_ms_of(const struct jr_http_request *request)
{
    if (request->total_ms != 0)
        return request->total_ms;
    return request->permit == NULL ? TOTAL_TIMEOUT_MS : jr_test_shorter_ms(TOTAL_TIMEOUT_MS);
}

/* The options that only a service of the administrator's own has. */
static CURLcode set_peer(CURL *curl, const struct jr_http_peer *peer)
{
    struct curl_blob key = { .data = (void *)(uintptr_t)peer->key, .flags = CURL_BLOB_COPY };
    CURLcode rc = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)peer->connect_ms);

    if (rc == CURLE_OK)
        rc = curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (rc == CURLE_OK) /* it is in the same network, where no proxy for the world leads */
        rc = curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (rc == CURLE_OK && peer->cert_file != NULL)
        rc = curl_easy_setopt(curl, CURLOPT_SSLCERT, peer->cert_file);
    if (peer->key == NULL)
        return rc;
    key.len = strlen(peer->key);
    return rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key);
}

static CURLcode set_options(struct jr_transfer *transfer, const struct jr_http_request *request)
{
    const char *url = request->url;
    CURL *curl = transfer->curl;
    const struct jr_http *http = transfer->http;
    const char *protocols = strncmp(url, "http://", 7) == 0 ? "http" : "https";
    CURLcode rc = jr_wire_set_up(http->wire, curl, protocols, transfer->error, transfer);

#define SET(option, value)                                \
    do {                                                  \
        if (rc == CURLE_OK)                               \
            rc = curl_easy_setopt(curl, option, value);   \
    } while (0)
    SET(CURLOPT_URL, url);
    SET(CURLOPT_TIMEOUT_MS, (long)total_ms_of(request));
    SET(CURLOPT_HTTPHEADER, transfer->headers != NULL ? transfer->headers
                            : transfer->json == NULL  ? http->headers
                                                      : http->json_headers);
    if (transfer->token != NULL && transfer->peer == NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, transfer->token);
    }
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, (void *)transfer);
    if (transfer->posts) {
        SET(CURLOPT_POSTFIELDS, transfer->json == NULL ? "" : transfer->json);
        SET(CURLOPT_POSTFIELDSIZE, transfer->json == NULL ? 0L : (long)strlen(transfer->json));
        if (transfer->patches)
            SET(CURLOPT_CUSTOMREQUEST, "PATCH");
        SET(CURLOPT_FRESH_CONNECT, transfer->peer == NULL ? 1L : 0L);
        SET(CURLOPT_FORBID_REUSE, transfer->peer == NULL ? 1L : 0L);
        SET(CURLOPT_SOCKOPTFUNCTION, drop_at_close);
        SET(CURLOPT_PREREQFUNCTION, may_be_sent);
        SET(CURLOPT_PREREQDATA, (void *)transfer);
    }
#undef SET
    return rc == CURLE_OK && transfer->peer != NULL ? set_peer(curl, transfer->peer) : rc;
}

/* A header that is a number from 0 to 10^15; else -1. */
static int64_t get_number(CURL *curl, const char *name)
{
    char text[32], *end;
    long long number;

    if (!jr_wire_get_header(curl, name, text, sizeof text, NULL) || text[0] < '0' || text[0] > '9')
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

    if (!jr_wire_get_header(curl, name, text, sizeof text, NULL) || (time_s = curl_getdate(text, NULL)) <= 0)
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

    if (!jr_wire_get_header(curl, "Retry-After", ignored, sizeof ignored, NULL))
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
    bool fits = true;

    answer->date_ms = get_time(curl, "Date");
    answer->retry_after_s = get_retry_after(curl, answer->date_ms);
    answer->ratelimit_limit = get_number(curl, "X-RateLimit-Limit");
    answer->ratelimit_remaining = get_number(curl, "X-RateLimit-Remaining");
    answer->ratelimit_reset_s = get_number(curl, "X-RateLimit-Reset");
    answer->accepted_permissions = jr_wire_get_header(curl, "X-Accepted-GitHub-Permissions",
                                                      ignored, sizeof ignored, NULL);
    answer->sso_required = jr_wire_get_header(curl, "X-GitHub-SSO", sso, sizeof sso, NULL)
                           && strncasecmp(sso, "required", 8) == 0;
    answer->scopes_told = jr_wire_get_header(curl, "X-OAuth-Scopes", answer->scopes,
                                             sizeof answer->scopes, NULL);
    jr_wire_get_header(curl, "Location", answer->location, sizeof answer->location, &fits);
    if (!fits) /* half an address leads somewhere else */
        answer->location[0] = '\0';
    jr_wire_get_header(curl, "ETag", answer->etag, sizeof answer->etag, &fits);
    if (!fits)
        answer->etag[0] = '\0';
    jr_wire_get_header(curl, "github-authentication-token-expiration", answer->token_expiration,
                       sizeof answer->token_expiration, NULL);
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
        answer->forbidden = transfer->forbidden;
        answer->sent = pretransfer_us > 0 && !transfer->too_late
                       && transfer->forbidden == JR_REASON_NONE;
        jr_text_copy(answer->text, sizeof answer->text,
                     transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(rc));
    }
    jr_wire_remove(transfer->http->wire, transfer->curl);
}

static void transfer_ended(void *transfer, CURLcode rc)
{
    finish(transfer, rc);
}

enum jr_err jr_http_open(struct jr_http **http, const char *ca_file, struct jr_error *error)
{
    struct jr_http *opened = calloc(1, sizeof *opened);
    enum jr_err err;

    *http = NULL;
    if (opened == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    err = jr_wire_open(&opened->wire, ca_file, transfer_ended, error);
    if (err == JR_OK
        && !(make_headers(&opened->headers, "Content-Type:")
             && make_headers(&opened->json_headers, "Content-Type: application/json")))
        err = jr_error_set(error, JR_ENOMEM, "out of memory");
    if (err != JR_OK) {
        jr_http_close(opened);
        return err;
    }
    *http = opened;
    return JR_OK;
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
    transfer->patches = request->patches;
    transfer->json = request->json;
    transfer->before_ms = request->before_ms;
    transfer->too_late = transfer->over = false;
    transfer->peer = request->peer;
    transfer->permit = request->permit;
    transfer->permits = request->permits;
    transfer->forbidden = JR_REASON_NONE;
    transfer->length = 0;
    transfer->body[0] = transfer->error[0] = '\0';
    transfer->token = request->token == NULL ? NULL : strdup(request->token);
    transfer->body_most = request->type == NULL ? JR_HTTP_BODY_MAX : JR_HTTP_OTHER_BODY_MAX;
    rc = (request->token != NULL && transfer->token == NULL)
                 || !make_own_headers(transfer, request)
             ? CURLE_OUT_OF_MEMORY
             : set_options(transfer, request);
    if (rc == CURLE_OK)
        rc = jr_wire_add(http->wire, transfer->curl);
    if (rc != CURLE_OK)
        finish(transfer, rc);
    return transfer;
}

int jr_http_fd(const struct jr_http *http)
{
    return jr_wire_fd(http->wire);
}

int64_t jr_http_wait_ms(const struct jr_http *http)
{
    return jr_wire_wait_ms(http->wire);
}

void jr_http_work(struct jr_http *http)
{
    jr_wire_work(http->wire);
}

const struct jr_http_answer *jr_http_answer(const struct jr_transfer *transfer)
{
    return transfer->over ? &transfer->answer : NULL;
}

const struct jr_http_answer *jr_http_await(struct jr_transfer *transfer)
{
    for (jr_http_work(transfer->http); !transfer->over; jr_http_work(transfer->http))
        jr_wire_wait(transfer->http->wire);
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
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    if (transfer->size > BODY_KEPT_SIZE) {
        free_transfer(transfer);
        return;
    }
    transfer->next = transfer->http->idle;
    transfer->http->idle = transfer;
}
