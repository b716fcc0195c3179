/*
 * loghost -- the hosts where logs are, which GitHub's links lead to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/loghost.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/github/address.h"
#include "lib/github/proxy.h"
#include "lib/github/wire.h"

#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static const struct jr_loghost_limits usual = {
    .total_ms = 60 * JR_SECOND_MS, .idle_s = 15, .most_bytes = UINT64_C(256) << 20,
};

/* A log so many times as long as its end is asked for once more. */
#define FAR_ABOVE 4

/* What a refusal may say, which nobody reads. */
#define REFUSAL_MAX (64 * 1024)

/* The room for an end at first. */
#define TAIL_SIZE (64 * 1024)

/* How long it is known where the API is. */
#define API_KNOWN_MS (5 * JR_MINUTE_MS)

struct jr_loghost {
    struct jr_wire *wire;
    struct curl_slist *headers;
    bool api_is_plain; /* http:// */
    char *api_host;    /* libcurl's */
    bool api_inside, api_link;
    int64_t api_known_ms; /* monotonic: until then; 0: it was not looked at */
    size_t tail_bytes;
    struct jr_loghost_limits limits;
};

/* Why a read was broken off by ourselves. */
enum stop { GOES_ON, OFF_LIMITS, ASKS_AGAIN, TOO_LONG, NO_MEMORY, ENCODED, ANOTHER_PART };

struct jr_log_read {
    struct jr_loghost *host;
    CURL *curl;
    CURLU *url;
    char name[JR_NAME_SIZE]; /* the host's */
    bool by_proxy;
    int64_t end_ms;          /* monotonic: it has to be over by then */
    enum { SUFFIX, FROM, ALL } range; /* what is asked for: the end, from a place on, all */
    uint64_t from;
    bool looked, good;       /* the answer's headers were looked at; it brings a log */
    enum stop stop;
    char *tail;              /* the last bytes that came: a ring, once it is full */
    size_t size, kept, oldest;
    uint64_t came;
    bool over, cut;
    bool may_pass;           /* what kept it from us may be otherwise the next time */
    enum jr_presence presence;
    char error[CURL_ERROR_SIZE];
    char words[JR_LOG_WORDS_SIZE];
};

static bool is_plain(const char *scheme)
{
    return strcasecmp(scheme, "http") == 0;
}

/* A part of a URL; libcurl's, or NULL. */
static char *get_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;

    return curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : NULL;
}

/* The host of a URL, without the brackets of IPv6; libcurl's, or NULL. */
static char *get_host(CURLU *url)
{
    char *host = get_part(url, CURLUPART_HOST);
    size_t length = host == NULL ? 0 : strlen(host);

    if (length > 1 && host[0] == '[') {
        memmove(host, host + 1, length - 2);
        host[length - 2] = '\0';
    }
    return host;
}

static bool read_api_url(struct jr_loghost *host, const char *api_url)
{
    CURLU *url = curl_url();
    char *scheme = NULL;

    if (url != NULL && curl_url_set(url, CURLUPART_URL, api_url, 0) == CURLUE_OK) {
        scheme = get_part(url, CURLUPART_SCHEME);
        host->api_host = get_host(url);
    }
    host->api_is_plain = scheme != NULL && is_plain(scheme);
    curl_free(scheme);
    curl_url_cleanup(url);
    return scheme != NULL && host->api_host != NULL;
}

static enum jr_err set_up(struct jr_loghost *host, const char *api_url, struct jr_error *error)
{
    if (!read_api_url(host, api_url))
        return jr_error_set(error, JR_EINVAL, "GITHUB_API_URL is no URL");
    if (!jr_wire_add_header(&host->headers, "Accept-Encoding: identity"))
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    return JR_OK;
}

static void read_ended(void *read, CURLcode rc);

enum jr_err jr_loghost_open(struct jr_loghost **host, const struct jr_settings *settings,
                            size_t tail_bytes, struct jr_error *error)
{
    struct jr_loghost *opened = calloc(1, sizeof *opened);
    enum jr_err err;

    *host = NULL;
    if (opened == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    opened->tail_bytes = tail_bytes;
    opened->limits = usual;
    err = jr_wire_open(&opened->wire, settings->github_ca_file, read_ended, error);
    if (err == JR_OK)
        err = set_up(opened, settings->github_api_url, error);
    if (err != JR_OK) {
        jr_loghost_close(opened);
        return err;
    }
    *host = opened;
    return JR_OK;
}

void jr_loghost_close(struct jr_loghost *host)
{
    if (host == NULL)
        return;
    curl_free(host->api_host);
    curl_slist_free_all(host->headers);
    jr_wire_close(host->wire);
    free(host);
}

void jr_loghost_set_limits(struct jr_loghost *host, const struct jr_loghost_limits *limits)
{
    if (limits->total_ms != 0)
        host->limits.total_ms = limits->total_ms;
    if (limits->idle_s != 0)
        host->limits.idle_s = limits->idle_s;
    if (limits->most_bytes != 0)
        host->limits.most_bytes = limits->most_bytes;
}

int jr_loghost_fd(const struct jr_loghost *host)
{
    return jr_wire_fd(host->wire);
}

int64_t jr_loghost_wait_ms(const struct jr_loghost *host)
{
    return jr_wire_wait_ms(host->wire);
}

void jr_loghost_work(struct jr_loghost *host)
{
    jr_wire_work(host->wire);
}

/*
 * See where the API is. Only a log at an address off the Internet makes that necessary; the
 * API was called a moment ago, so that its name is found at once.
 */
static void look_for_api(struct jr_loghost *host)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int64_t now_ms = jr_monotonic_ms();

    if (host->api_known_ms > now_ms)
        return;
    host->api_known_ms = now_ms + API_KNOWN_MS;
    host->api_inside = host->api_link = false;
    if (getaddrinfo(host->api_host, NULL, &hints, &found) != 0)
        return;
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
        enum jr_address kind = jr_address_sort(one->ai_addr);

        host->api_inside |= kind == JR_ADDRESS_INSIDE;
        host->api_link |= kind == JR_ADDRESS_LINK;
    }
    freeaddrinfo(found);
}

static bool is_allowed(struct jr_loghost *host, enum jr_address kind)
{
    if (kind == JR_ADDRESS_PUBLIC || kind == JR_ADDRESS_NOWHERE)
        return kind == JR_ADDRESS_PUBLIC;
    look_for_api(host);
    return kind == JR_ADDRESS_INSIDE ? host->api_inside : host->api_link;
}

/* libcurl has an address of the host, or of the proxy, and is about to connect. */
static curl_socket_t open_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct jr_log_read *read = context;

    (void)purpose;
    if (!read->by_proxy && !is_allowed(read->host, jr_address_sort(&address->addr))) {
        read->stop = OFF_LIMITS;
        return CURL_SOCKET_BAD;
    }
    read->stop = GOES_ON; /* one of its addresses is good */
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* "bytes FIRST-LAST/SIZE", where the size may be `*'. Source: RFC 9110, 14.4 */
static bool is_the_end(struct jr_log_read *read)
{
    uint64_t first, last, size;
    char text[80], rest[2];
    int count;

    jr_wire_get_header(read->curl, "Content-Range", text, sizeof text, NULL);
    count = sscanf(text, "bytes %20" SCNu64 "-%20" SCNu64 "/%20" SCNu64 "%1s", &first, &last, &size,
                   rest);
    if (count < 2 || count > 3 || first > last || (count == 3 && last + 1 != size)
        || (count == 2 && strstr(text, "/*") == NULL))
        return false;
    read->cut = first > 0;
    return true;
}

/* Of all that comes only the end is of use: if there is much before it, it is asked for. */
static bool is_far_too_long(struct jr_log_read *read)
{
    curl_off_t length = -1;

    curl_easy_getinfo(read->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (read->range == FROM || length <= 0
        || (uint64_t)length / FAR_ABOVE <= read->host->tail_bytes)
        return false;
    read->range = FROM;
    read->from = (uint64_t)length - read->host->tail_bytes;
    return true;
}

/* Look at the headers of an answer. Returns whether its body is to come. */
static bool look(struct jr_log_read *read)
{
    char encoding[32];
    long status = 0;

    read->looked = true;
    curl_easy_getinfo(read->curl, CURLINFO_RESPONSE_CODE, &status);
    read->good = status == 200 || status == 206;
    if (!read->good)
        return true;
    if (jr_wire_get_header(read->curl, "Content-Encoding", encoding, sizeof encoding, NULL)
        && strcasecmp(encoding, "identity") != 0)
        read->stop = ENCODED;
    else if (status == 206 && !is_the_end(read))
        read->stop = ANOTHER_PART;
    else if (status == 200 && is_far_too_long(read))
        read->stop = ASKS_AGAIN;
    return read->stop == GOES_ON;
}

/* Room for more of the end, up to all that is wanted. */
static bool grow(struct jr_log_read *read, size_t more)
{
    size_t most = read->host->tail_bytes, wanted = read->size == 0 ? TAIL_SIZE : read->size;
    char *larger;

    while (wanted < most && wanted - read->kept < more)
        wanted *= 2;
    if (wanted > most)
        wanted = most;
    if (wanted <= read->size)
        return true;
    larger = realloc(read->tail, wanted + 1);
    if (larger == NULL)
        return false;
    read->tail = larger;
    read->size = wanted;
    return true;
}

/* Keep the last bytes of what has come. */
static void keep(struct jr_log_read *read, const char *piece, size_t count)
{
    size_t room;

    if (count >= read->size) {
        memcpy(read->tail, piece + count - read->size, read->size);
        read->kept = read->size;
        read->oldest = 0;
        return;
    }
    room = read->size - read->kept;
    if (room > count)
        room = count;
    memcpy(read->tail + read->kept, piece, room);
    read->kept += room;
    /* It is full: the rest takes the place of the oldest. */
    for (piece += room, count -= room; count > 0; piece += room, count -= room) {
        room = read->size - read->oldest;
        if (room > count)
            room = count;
        memcpy(read->tail + read->oldest, piece, room);
        read->oldest = (read->oldest + room) % read->size;
    }
}

/* Take a piece of the body; returning less than it is ends the transfer. */
static size_t take_piece(char *piece, size_t size, size_t count, void *context)
{
    struct jr_log_read *read = context;
    size_t more = size * count;

    if (!read->looked && !look(read))
        return 0;
    read->came += more;
    if (!read->good)
        return read->came > REFUSAL_MAX ? 0 : more;
    if (read->came > read->host->limits.most_bytes) {
        read->stop = TOO_LONG;
        return 0;
    }
    if (!grow(read, more)) {
        read->stop = NO_MEMORY;
        return 0;
    }
    keep(read, piece, more);
    return more;
}

static void end(struct jr_log_read *read, enum jr_presence presence, const char *words)
{
    read->over = true;
    read->presence = presence;
    read->words[0] = '\0';
    if (words != NULL)
        snprintf(read->words, sizeof read->words, "%.100s%s%.140s", read->name,
                 read->name[0] == '\0' ? "" : ": ", words);
}

static CURLcode set_range(struct jr_log_read *read)
{
    char range[48];

    if (read->range == ALL)
        return CURLE_OK;
    if (read->range == SUFFIX)
        snprintf(range, sizeof range, "-%zu", read->host->tail_bytes);
    else
        snprintf(range, sizeof range, "%" PRIu64 "-", read->from);
    return curl_easy_setopt(read->curl, CURLOPT_RANGE, range);
}

static CURLcode set_options(struct jr_log_read *read, const char *proxy, int64_t left_ms)
{
    const struct jr_loghost *host = read->host;
    CURL *curl = read->curl;
    CURLcode rc = jr_wire_set_up(host->wire, curl, host->api_is_plain ? "http,https" : "https",
                                 read->error, read);

#define SET(option, value)                                \
    do {                                                  \
        if (rc == CURLE_OK)                               \
            rc = curl_easy_setopt(curl, option, value);   \
    } while (0)
    SET(CURLOPT_CURLU, read->url);
    SET(CURLOPT_HTTPHEADER, host->headers);
    SET(CURLOPT_PROXY, proxy == NULL ? "" : proxy);
    SET(CURLOPT_NOPROXY, ""); /* jr_proxy_find() has looked */
    SET(CURLOPT_TIMEOUT_MS, (long)left_ms);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)host->limits.idle_s);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, (void *)read);
    SET(CURLOPT_WRITEFUNCTION, take_piece);
    SET(CURLOPT_WRITEDATA, (void *)read);
#undef SET
    return rc == CURLE_OK ? set_range(read) : rc;
}

/* Begin a request for the range that is wanted. */
static void ask(struct jr_log_read *read)
{
    int64_t left_ms = read->end_ms - jr_monotonic_ms();
    char *scheme = get_part(read->url, CURLUPART_SCHEME), *host = get_host(read->url);
    const char *proxy;
    CURLcode rc = CURLE_OUT_OF_MEMORY;

    read->looked = read->good = read->cut = false;
    read->stop = GOES_ON;
    read->kept = read->oldest = 0;
    read->came = 0;
    if (left_ms <= 0) {
        read->may_pass = true;
        end(read, JR_UNREADABLE, "it took too long");
    } else {
        if (scheme != NULL && host != NULL) {
            proxy = jr_proxy_find(scheme, host);
            read->by_proxy = proxy != NULL;
            rc = set_options(read, proxy, left_ms);
        }
        if (rc == CURLE_OK)
            rc = jr_wire_add(read->host->wire, read->curl);
        if (rc != CURLE_OK)
            end(read, JR_UNREADABLE, curl_easy_strerror(rc));
    }
    curl_free(scheme);
    curl_free(host);
}

static const char *words_of(const struct jr_log_read *read, CURLcode rc)
{
    switch (read->stop) {
    case OFF_LIMITS:
        return "its address is of this host or its network, or nobody's";
    case TOO_LONG:
        return "the log is too long to be read through, and its end cannot be had alone";
    case NO_MEMORY:
        return "out of memory";
    case ENCODED:
        return "the log came encoded, which was not asked for";
    case ANOTHER_PART:
        return "another part came than the end that was asked for";
    case GOES_ON:
    case ASKS_AGAIN:
        break;
    }
    return read->error[0] != '\0' ? read->error : curl_easy_strerror(rc);
}

/*
 * The end by itself was refused. An empty log has none; a host that takes only ranges that
 * begin somewhere may have told how long the log is: "bytes *" and its size behind a slash.
 */
static void suffix_is_refused(struct jr_log_read *read, long status)
{
    uint64_t size = 0;
    char text[80];

    jr_wire_get_header(read->curl, "Content-Range", text, sizeof text, NULL);
    if (status == 416 && sscanf(text, "bytes */%20" SCNu64, &size) == 1 && size == 0) {
        end(read, JR_FOUND, NULL);
        return;
    }
    read->range = size > read->host->tail_bytes ? FROM : ALL;
    read->from = read->range == FROM ? size - read->host->tail_bytes : 0;
    ask(read);
}

static void end_refused(struct jr_log_read *read, long status)
{
    char words[64];

    if (status == 404)
        end(read, JR_ABSENT, NULL);
    else if (status == 416 && read->range == ALL)
        end(read, JR_FOUND, NULL);
    else if (read->range == SUFFIX && (status == 400 || status == 416 || status == 501))
        suffix_is_refused(read, status);
    else {
        /* 403: the time of the link was over. */
        read->may_pass = status == 403 || status == 408 || status == 429 || status >= 500;
        snprintf(words, sizeof words, "answer %ld%s", status,
                 status == 410                   ? ", it is no longer kept"
                 : status >= 300 && status < 400 ? ", which leads elsewhere"
                                                 : "");
        end(read, JR_UNREADABLE, words);
    }
}

/* A request has ended: is it the last one? */
static void read_ended(void *context, CURLcode rc)
{
    struct jr_log_read *read = context;
    bool good_end;
    long status = 0;

    if (rc == CURLE_OK && !read->looked && !look(read))
        rc = CURLE_WRITE_ERROR;
    curl_easy_getinfo(read->curl, CURLINFO_RESPONSE_CODE, &status);
    /* What a refusal says is not waited for to its end. */
    good_end = rc == CURLE_OK || (read->looked && !read->good && read->stop == GOES_ON);
    jr_wire_remove(read->host->wire, read->curl);
    if (read->stop == ASKS_AGAIN)
        ask(read);
    else if (!good_end) {
        read->may_pass = read->stop == GOES_ON || read->stop == NO_MEMORY;
        end(read, JR_UNREADABLE, words_of(read, rc));
    } else if (!read->good)
        end_refused(read, status);
    else {
        read->cut = read->cut || read->came > read->kept;
        end(read, JR_FOUND, NULL);
    }
}

/* Take a link apart. Returns whether it is one that may be followed; else the read is over. */
static bool take_link(struct jr_log_read *read, const char *link)
{
    char *scheme, *host;
    bool good;

    if (curl_url_set(read->url, CURLUPART_URL, link, CURLU_DISALLOW_USER) != CURLUE_OK) {
        end(read, JR_UNREADABLE, "the link to the log is no URL");
        return false;
    }
    scheme = get_part(read->url, CURLUPART_SCHEME);
    host = get_host(read->url);
    jr_text_copy(read->name, sizeof read->name, host);
    good = scheme != NULL && host != NULL
           && (strcasecmp(scheme, "https") == 0 || (read->host->api_is_plain && is_plain(scheme)));
    if (!good)
        end(read, JR_UNREADABLE, "the link to the log does not begin with https://");
    else if (!is_allowed(read->host, jr_address_sort_text(host))) {
        read->stop = OFF_LIMITS; /* which a proxy would not know */
        end(read, JR_UNREADABLE, words_of(read, CURLE_OK));
        good = false;
    }
    curl_free(scheme);
    curl_free(host);
    return good;
}

struct jr_log_read *jr_loghost_begin(struct jr_loghost *host, const char *link)
{
    struct jr_log_read *read = calloc(1, sizeof *read);

    if (read == NULL)
        return NULL;
    read->host = host;
    read->curl = curl_easy_init();
    read->url = curl_url();
    read->end_ms = jr_monotonic_ms() + host->limits.total_ms;
    if (read->curl == NULL || read->url == NULL) {
        read->over = true;
        jr_loghost_release(read);
        return NULL;
    }
    if (take_link(read, link))
        ask(read);
    return read;
}

bool jr_loghost_is_over(const struct jr_log_read *read)
{
    return read == NULL || read->over;
}

void jr_loghost_await(struct jr_log_read *read)
{
    if (read == NULL)
        return;
    for (jr_loghost_work(read->host); !read->over; jr_loghost_work(read->host))
        jr_wire_wait(read->host->wire);
}

/* Turn the ring so that it begins with its oldest byte. */
static bool straighten(struct jr_log_read *read)
{
    char *straight;
    size_t newer = read->kept - read->oldest;

    if (read->tail != NULL && read->oldest == 0)
        return true;
    straight = malloc(read->kept + 1);
    if (straight == NULL)
        return false;
    if (read->kept > 0) {
        memcpy(straight, read->tail + read->oldest, newer);
        memcpy(straight + newer, read->tail, read->oldest);
    }
    free(read->tail);
    read->tail = straight;
    read->oldest = 0;
    return true;
}

enum jr_presence jr_loghost_take(struct jr_log_read *read, char **text, size_t *length, bool *cut,
                                 char words[JR_LOG_WORDS_SIZE])
{
    *text = NULL;
    *length = 0;
    *cut = false;
    jr_text_copy(words, JR_LOG_WORDS_SIZE, read == NULL ? "out of memory" : read->words);
    if (read == NULL || read->presence != JR_FOUND)
        return read == NULL ? JR_UNREADABLE : read->presence;
    if (!straighten(read)) {
        jr_text_copy(words, JR_LOG_WORDS_SIZE, "out of memory");
        return JR_UNREADABLE;
    }
    read->tail[read->kept] = '\0';
    *text = read->tail;
    *length = read->kept;
    *cut = read->cut;
    read->tail = NULL;
    return JR_FOUND;
}

bool jr_loghost_may_pass(const struct jr_log_read *read)
{
    return read == NULL || read->may_pass;
}

void jr_loghost_release(struct jr_log_read *read)
{
    if (read == NULL)
        return;
    if (!read->over)
        jr_wire_remove(read->host->wire, read->curl);
    if (read->curl != NULL)
        curl_easy_cleanup(read->curl);
    curl_url_cleanup(read->url);
    free(read->tail);
    free(read);
}
