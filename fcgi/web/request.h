/*
 * request -- an HTTP request and its answer, whichever door it came through.
 *
 * CGI and FastCGI both give a request as variables and a stream of bytes
 * (RFC 3875); a door fills this in and writes out the answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REQUEST_H
#define JR_REQUEST_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How a door reads the body: like read(2), -1 when the stream is broken. */
typedef ssize_t jr_body_fn(void *door, char *bytes, size_t size);

/* What the web server opens to the client, as bits: the words of RERUNNER_PAGES. */
enum {
    JR_PAGES_STATUS = 1, /* "status": /status and the other pages for people */
    JR_PAGES_METRICS = 2 /* "metrics": /metrics */
};

struct jr_request {
    /* NULL: not there. The strings belong to the door. */
    const char *method;
    const char *path;  /* without the query; never NULL */
    const char *query; /* what stands behind the `?', as it came; never NULL */
    const char *content_type;
    const char *content_length;
    const char *event;     /* X-GitHub-Event */
    const char *delivery;  /* X-GitHub-Delivery */
    const char *signature; /* X-Hub-Signature-256 */
    bool signature_doubled;
    bool header_doubled; /* event or delivery */
    unsigned pages;      /* JR_PAGES_*; no header of the client can set it */
    jr_body_fn *read_body;
    void *door;

    char path_text[256]; /* what path points to; a longer one is cut */
};

/*
 * Fill in a request.
 *   variables  the door's, each NAME=value, ending with NULL; NULL: none. Where one comes
 *              twice the first counts, and it is noted of the headers where it matters
 */
void jr_request_init(struct jr_request *request, void *door, char *const *variables,
                     jr_body_fn *read_body);

/* Is the media type this one? Without case, parameters do not count. */
bool jr_request_has_type(const struct jr_request *request, const char *type);

/*
 * Read Content-Length.
 * Returns JR_OK; JR_ENOENT when there is none; JR_EINVAL when it is not a
 * number; JR_EFULL when it is greater than max.
 */
enum jr_err jr_request_length(const struct jr_request *request, uint64_t max, size_t *length)
    JR_CHECKED;

/*
 * Read the whole body into a buffer of length bytes: exactly as many, and the
 * stream has to end there. JR_OK or JR_EINVAL.
 */
enum jr_err jr_request_read(const struct jr_request *request, char *body, size_t length) JR_CHECKED;

/* The answer, header and body, as CGI has it: first the text, then the rest. */
struct jr_response {
    size_t length;
    char text[4096]; /* the longest is a page's header with the address of the next one */
    struct jr_buffer rest; /* the body of a large answer; else empty */
};

/* Free what the answer holds. */
void jr_response_release(struct jr_response *response);

/*
 * Write the answer to a webhook, or any refusal: a status, X-Rerun-Reason and,
 * but for 204, a small JSON object.
 *   run_id  0: none is known
 */
void jr_response_reason(struct jr_response *response, int status, enum jr_reason reason,
                        uint64_t run_id);

/* The `result` that goes with a status; static. */
const char *jr_response_result(int status);

/* Write any other answer; without_body: for HEAD. */
void jr_response_page(struct jr_response *response, int status, const char *content_type,
                      const char *body, bool without_body);

/*
 * The same for a body of any size.
 *   headers  more of them, each ending with CRLF; "" for none
 *   body     the response's from now on, and empty
 */
void jr_response_large(struct jr_response *response, int status, const char *content_type,
                       const char *headers, struct jr_buffer *body, bool without_body);

#endif
