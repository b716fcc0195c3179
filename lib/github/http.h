/*
 * http -- an HTTP client over libcurl: several requests at once, in one thread.
 *
 * Knows nothing of GitHub but what each request needs. Certificates are always
 * verified; plain http goes only where the URL is http. Redirects are not
 * followed. Nothing larger than the ceiling is read, nothing waited for longer
 * than the limit: 30 s for a request, 10 s of them for the connection. Each request
 * has a connection to itself while it lasts, so that one that hangs holds up no other.
 *
 * Who uses it begins requests, waits until jr_http_fd() can be read or jr_http_wait_ms() is
 * over, and calls jr_http_work(); what has ended meanwhile has an answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HTTP_H
#define JR_HTTP_H

#include "lib/base/error.h"
#include "lib/model/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A page of 100 runs is about 2 MB. */
#define JR_HTTP_BODY_MAX (8 * 1024 * 1024)

/* What somebody else than GitHub may answer, which nobody reads. */
#define JR_HTTP_OTHER_BODY_MAX (64 * 1024)

/* A link to stored bytes, with its signature, has some 600 bytes. */
#define JR_LINK_SIZE 4096

struct jr_http;

/* A request under way, or one that has ended and was not released yet. */
struct jr_transfer;

/* How a service is reached that is the administrator's own, and not GitHub. */
struct jr_http_peer {
    const char *cert_file; /* a certificate of ours, in PEM; NULL: none */
    const char *key;       /* its private key, in PEM; NULL: none */
    const char *header;    /* one more line of the head; NULL: none */
    int64_t connect_ms;    /* the limit for TCP and TLS */
};

/*
 * Asked when the connection of a POST stands, TLS and all, before the first byte of the request.
 * It may make requests of another client (struct jr_http), and takes seconds at the most.
 * Returns JR_REASON_NONE: it is sent; else why not, and nothing is.
 */
typedef enum jr_reason jr_http_permit(void *context);

struct jr_http_request {
    const char *url;
    const char *token; /* of the Authorization header; NULL: none is sent. It is copied */
    bool posts;        /* it is a POST; else a GET */
    bool patches;      /* ... but with the method PATCH */
    const char *json;  /* the body of a POST; NULL: it is empty. Kept until the release */
    const char *type;  /* what a body is that goes to somebody else than GitHub: none of GitHub's
                          headers is sent, and little is read; NULL: it goes to GitHub */
    int64_t total_ms;  /* the limit for all of it; 0: 30 s */
    const char *etag;  /* of what is known: 304 is the answer while it is still that; NULL or
                          empty: nothing is. It is copied */
    int64_t before_ms; /* of jr_boottime_ms(): when that is over, and the connection of a POST
                          and its TLS stand only by then, nothing is sent (too_late); 0: there
                          is no limit */
    const struct jr_http_peer *peer; /* NULL: it goes to GitHub or a receiver of notices. Else the
                          token goes along bare, a kept connection may be used again, and libcurl
                          may repeat a POST for that: what is asked has to bear it */
    jr_http_permit *permit; /* of a POST; NULL: it needs none */
    void *permits;          /* what that is called with; kept until the release */
};

struct jr_http_answer {
    int status;           /* 0: no answer came */
    bool sent;            /* with status 0: the request may have reached the server */
    bool too_late;        /* with status 0: nothing was sent, since its time was over */
    enum jr_reason forbidden; /* with status 0: likewise, since there was no permit; else NONE */
    char text[256];       /* with status 0: what libcurl says */
    char *body;           /* NUL-terminated; belongs to the transfer, good until its release */
    size_t length;
    int64_t begun_us;     /* monotonic: when the request was begun */
    int64_t duration_us;
    /* headers; -1 or empty: not there */
    int64_t retry_after_s;     /* 0: it is there, and names no time to come */
    int64_t ratelimit_limit;
    int64_t ratelimit_remaining;
    int64_t ratelimit_reset_s; /* since the epoch */
    bool accepted_permissions; /* X-Accepted-GitHub-Permissions is there */
    bool sso_required;         /* X-GitHub-SSO says that the token has to be authorized for SAML */
    char scopes[256]; /* X-OAuth-Scopes: of a classic token, "repo, workflow" */
    bool scopes_told; /* the header is there */
    char location[JR_LINK_SIZE]; /* empty, too, when it is longer */
    char token_expiration[64];
    char etag[JR_ETAG_SIZE];     /* likewise */
    int64_t date_ms; /* the server's clock, in whole seconds; 0: not told */
};

/*
 * Make a client.
 *   ca_file  certificates to trust; NULL: the system's. Kept until close
 * Only after fork, one for a process. JR_OK, JR_ENOMEM or JR_EIO.
 */
enum jr_err jr_http_open(struct jr_http **http, const char *ca_file,
                         struct jr_error *error) JR_CHECKED;

/* Close it, after all transfers were released. NULL: nothing. */
void jr_http_close(struct jr_http *http);

/*
 * Begin a request. A POST goes over a new connection: libcurl repeats a request by itself
 * when a kept connection turns out to be dead. One that is given up never arrives later:
 * what the kernel has not sent by then is dropped with the connection.
 * Returns what is to be released in the end; NULL: there is no memory.
 */
struct jr_transfer *jr_http_begin(struct jr_http *http,
                                  const struct jr_http_request *request) JR_CHECKED;

/* Can be read when there is work to do; for poll(2). */
int jr_http_fd(const struct jr_http *http);

/* How long until there is work to do though nothing can be read, in ms; INT64_MAX: never. */
int64_t jr_http_wait_ms(const struct jr_http *http);

/* Go on with all requests as far as that is possible without waiting. */
void jr_http_work(struct jr_http *http);

/* The answer of a request that has ended; NULL: it is under way. Good until the release. */
const struct jr_http_answer *jr_http_answer(const struct jr_transfer *transfer);

/* Wait for that; for who has nothing else to do. */
const struct jr_http_answer *jr_http_await(struct jr_transfer *transfer);

/* Break off a request that is under way: its answer has status 0 from now on. */
void jr_http_give_up(struct jr_transfer *transfer);

/* Release it, under way or not, with its answer. NULL: nothing. */
void jr_http_release(struct jr_transfer *transfer);

#endif
