/*
 * http -- one blocking HTTP client, over libcurl.
 *
 * Knows nothing of GitHub but what each request needs. Certificates are always
 * verified; plain http goes only where the base URL is http. Redirects are not
 * followed. Nothing larger than the ceiling is read, nothing waited for longer
 * than the limit.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HTTP_H
#define JR_HTTP_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A page of 100 runs is about 2 MB. */
#define JR_HTTP_BODY_MAX (8 * 1024 * 1024)

struct jr_http;

struct jr_http_answer {
    int status;           /* 0: no answer came */
    bool sent;            /* with status 0: the request may have reached the server */
    bool too_late;        /* with status 0: nothing was sent, since its time was over */
    char text[256];       /* with status 0: what libcurl says */
    char *body;           /* NUL-terminated; belongs to the client, good until the next call */
    size_t length;
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
    char location[1024];
    char token_expiration[64];
    int64_t date_ms; /* the server's clock, in whole seconds; 0: not told */
};

/*
 * Make a client.
 *   ca_file  certificates to trust; NULL: the system's
 *   token    kept until close; NULL: none is sent
 *   stopping asked about once a second; when true, a call in progress is broken
 *            off: a GET at once, a POST after a grace of 3 s, since its outcome is
 *            worth it
 * Only after fork, one for a process. JR_OK, JR_ENOMEM or JR_EIO.
 */
enum jr_err jr_http_open(struct jr_http **http, const char *ca_file, const char *token,
                         bool (*stopping)(void), struct jr_error *error) JR_CHECKED;
void jr_http_close(struct jr_http *http);

/* Send another token from now on. It is kept until close. */
void jr_http_set_token(struct jr_http *http, const char *token);

/*
 * Ask for a URL, or post to it: json, or an empty body when that is NULL. A POST
 * goes over a connection of its own: libcurl repeats a request by itself when a
 * kept connection turns out to be dead. One that is given up never arrives later:
 * what the kernel has not sent by then is dropped with the connection.
 *   before_ms  of jr_boottime_ms(): when that is over, and the connection and TLS stand
 *              only by then, nothing is sent (too_late); 0: there is no limit
 *   answer     filled in each case
 */
void jr_http_get(struct jr_http *http, const char *url, struct jr_http_answer *answer);
void jr_http_post(struct jr_http *http, const char *url, const char *json, int64_t before_ms,
                  struct jr_http_answer *answer);

#endif
