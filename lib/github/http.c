/*
 * http -- one blocking HTTP client, over libcurl.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/http.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* GitHub ends requests after 10 s; connecting takes what TCP and TLS need. */
#define CONNECT_TIMEOUT_MS 10000L
#define TOTAL_TIMEOUT_MS 30000L

#define POST_GRACE_MS 3000

/* Nobody waits longer than a day; what is longer than a year is no time at all. */
#define RETRY_AFTER_MAX_S 86400
#define RETRY_AFTER_SENSE_S (366 * RETRY_AFTER_MAX_S)

struct jr_http {
    CURL *curl;
    struct curl_slist *headers;      /* of all requests without a type of the body, and */
    struct curl_slist *json_headers; /* of those with JSON */
    const char *ca_file;
    const char *token;
    bool (*stopping)(void);
    bool posting;
    const char *json; /* of the POST in progress; NULL: it is empty */
    int64_t before_ms; /* jr_boottime_ms() after which it is not sent; 0: no limit */
    bool too_late;
    int64_t stop_seen_ms; /* when a call first saw that it is to stop; 0: not yet */
    char *body;
    size_t length, size;
    char error[CURL_ERROR_SIZE];
};

/* Take a piece of the body; returning less than it is ends the transfer. */
static size_t take_body(char *piece, size_t size, size_t count, void *context)
{
    struct jr_http *http = context;
    size_t more = size * count, wanted = http->length + more + 1;

    if (wanted > JR_HTTP_BODY_MAX)
        return 0;
    if (wanted > http->size) {
        size_t larger = wanted * 2;
        char *body = realloc(http->body, larger);

        if (body == NULL)
            return 0;
        http->body = body;
        http->size = larger;
    }
    memcpy(http->body + http->length, piece, more);
    http->length += more;
    http->body[http->length] = '\0';
    return more;
}

/* Called about once a second, and whenever data comes; non-zero breaks off. */
static int look_whether_to_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c,
                                curl_off_t d)
{
    struct jr_http *http = context;

    (void)a, (void)b, (void)c, (void)d;
    if (!http->stopping())
        return 0;
    if (!http->posting)
        return 1;
    if (http->stop_seen_ms == 0)
        http->stop_seen_ms = jr_monotonic_ms();
    return jr_monotonic_ms() - http->stop_seen_ms > POST_GRACE_MS;
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
    struct jr_http *http = context;

    (void)ip, (void)local_ip, (void)port, (void)local_port;
    http->too_late = http->before_ms != 0 && jr_boottime_ms() > http->before_ms;
    return http->too_late ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
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

enum jr_err jr_http_open(struct jr_http **http, const char *ca_file, const char *token,
                         bool (*stopping)(void), struct jr_error *error)
{
    struct jr_http *opened;

    *http = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return jr_error_set(error, JR_EIO, "cannot set up libcurl");
    opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    opened->ca_file = ca_file;
    opened->token = token;
    opened->stopping = stopping;
    opened->size = 64 * 1024;
    opened->body = malloc(opened->size);
    opened->curl = curl_easy_init();
    if (opened->body == NULL || opened->curl == NULL
        || !make_headers(&opened->headers, "Content-Type:")
        || !make_headers(&opened->json_headers, "Content-Type: application/json")) {
        jr_http_close(opened);
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    }
    *http = opened;
    return JR_OK;
}

void jr_http_close(struct jr_http *http)
{
    if (http == NULL)
        return;
    curl_slist_free_all(http->headers);
    curl_slist_free_all(http->json_headers);
    if (http->curl != NULL)
        curl_easy_cleanup(http->curl);
    free(http->body);
    free(http);
    curl_global_cleanup();
}

void jr_http_set_token(struct jr_http *http, const char *token)
{
    http->token = token;
}

static CURLcode set_options(struct jr_http *http, const char *url)
{
    CURL *curl = http->curl;
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
    SET(CURLOPT_HTTPHEADER, http->json == NULL ? http->headers : http->json_headers);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (http->ca_file != NULL)
        SET(CURLOPT_CAINFO, http->ca_file);
    if (http->token != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, http->token);
    }
    SET(CURLOPT_ERRORBUFFER, http->error);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, (void *)http);
    SET(CURLOPT_XFERINFOFUNCTION, look_whether_to_stop);
    SET(CURLOPT_XFERINFODATA, (void *)http);
    SET(CURLOPT_NOPROGRESS, 0L);
    if (http->posting) {
        SET(CURLOPT_POSTFIELDS, http->json == NULL ? "" : http->json);
        SET(CURLOPT_POSTFIELDSIZE, http->json == NULL ? 0L : (long)strlen(http->json));
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
        SET(CURLOPT_SOCKOPTFUNCTION, drop_at_close);
        SET(CURLOPT_PREREQFUNCTION, look_at_the_time);
        SET(CURLOPT_PREREQDATA, (void *)http);
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
    get_header(curl, "Location", answer->location, sizeof answer->location);
    get_header(curl, "github-authentication-token-expiration", answer->token_expiration,
               sizeof answer->token_expiration);
}

/*
 * What a host between GitHub and us answers may show the request that it refuses,
 * token and all, and ends in the log and in the history.
 */
static void hide_token(const struct jr_http *http, char *text, size_t length)
{
    size_t token_length = http->token == NULL ? 0 : strlen(http->token);
    char *found = token_length == 0 ? NULL : memmem(text, length, http->token, token_length);

    while (found != NULL) {
        memset(found, '*', token_length);
        found = memmem(found, length - (size_t)(found - text), http->token, token_length);
    }
}

static void call(struct jr_http *http, const char *url, struct jr_http_answer *answer)
{
    int64_t start_us = jr_monotonic_us();
    curl_off_t pretransfer_us = 0;
    long status = 0;
    CURLcode rc;

    memset(answer, 0, sizeof *answer);
    answer->retry_after_s = answer->ratelimit_limit = answer->ratelimit_remaining =
        answer->ratelimit_reset_s = -1;
    http->too_late = false;
    http->stop_seen_ms = 0;
    http->length = 0;
    http->body[0] = '\0';
    http->error[0] = '\0';
    rc = set_options(http, url);
    if (rc == CURLE_OK)
        rc = curl_easy_perform(http->curl);
    answer->duration_us = jr_monotonic_us() - start_us;
    hide_token(http, http->body, http->length);
    hide_token(http, http->error, strlen(http->error));
    answer->body = http->body;
    answer->length = http->length;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    /* Rule 6: an accepted POST is accepted, whatever becomes of the rest of the answer. */
    if (rc == CURLE_OK || (http->posting && status >= 200 && status < 300)) {
        answer->status = (int)status;
        read_headers(http->curl, answer);
        hide_token(http, answer->location, strlen(answer->location));
        return;
    }
    /* Before its pretransfer phase is over, libcurl has sent nothing of the request. */
    curl_easy_getinfo(http->curl, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
    answer->too_late = http->too_late;
    answer->sent = pretransfer_us > 0 && !http->too_late;
    jr_text_copy(answer->text, sizeof answer->text,
                 http->error[0] != '\0' ? http->error : curl_easy_strerror(rc));
}

void jr_http_get(struct jr_http *http, const char *url, struct jr_http_answer *answer)
{
    http->posting = false;
    http->json = NULL;
    call(http, url, answer);
}

void jr_http_post(struct jr_http *http, const char *url, const char *json, int64_t before_ms,
                  struct jr_http_answer *answer)
{
    http->posting = true;
    http->json = json;
    http->before_ms = before_ms;
    call(http, url, answer);
}
