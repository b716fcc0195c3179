/*
 * wire -- what is the same for each client over libcurl: the loop in which several requests go
 * on at once, in one thread, and the options that every request has.
 *
 * Certificates are always verified, by the system's and those of a file; TLS is 1.2 or newer.
 * Redirects are not followed, .netrc is not read. Each request has a connection to itself while
 * it lasts, so that one that hangs holds up no other; connecting takes 10 s at the most. For
 * the clients of this room only: struct and types of libcurl's go no further.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_WIRE_H
#define JR_WIRE_H

#include "lib/base/error.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jr_wire;

/* Called by jr_wire_work() for each request that has ended; it may begin another one. */
typedef void jr_wire_ended(void *request, CURLcode rc);

/*
 * Set up the loop.
 *   ca_file  certificates to trust besides the system's folder of them, in the place of the
 *            system's file; NULL: the system's. Kept until close
 * Only after fork, one for a client. JR_OK, JR_ENOMEM or JR_EIO.
 */
enum jr_err jr_wire_open(struct jr_wire **wire, const char *ca_file, jr_wire_ended *ended,
                         struct jr_error *error) JR_CHECKED;

/* Close it, after all requests were taken off it. NULL: nothing. */
void jr_wire_close(struct jr_wire *wire);

/*
 * Reset a handle and give it the options of every request.
 *   protocols  "https", or "http,https"
 *   error      libcurl's words, if it fails; it is empty at first
 *   request    what jr_wire_ended is called with
 */
CURLcode jr_wire_set_up(const struct jr_wire *wire, CURL *curl, const char *protocols,
                        char error[CURL_ERROR_SIZE], void *request);

/* Begin a request, and take one off the loop, whether it has ended or not. */
CURLcode jr_wire_add(struct jr_wire *wire, CURL *curl);
void jr_wire_remove(struct jr_wire *wire, CURL *curl);

/* Can be read when there is work to do; for poll(2). */
int jr_wire_fd(const struct jr_wire *wire);

/* How long until there is work to do though nothing can be read, in ms; INT64_MAX: never. */
int64_t jr_wire_wait_ms(const struct jr_wire *wire);

/* Go on with all requests as far as that is possible without waiting. */
void jr_wire_work(struct jr_wire *wire);

/* Wait until there is work to do, a second at the most. */
void jr_wire_wait(const struct jr_wire *wire);

/* Add a line to a list of headers. Returns false when there is no memory. */
bool jr_wire_add_header(struct curl_slist **headers, const char *header) JR_CHECKED;

/*
 * Copy a header of the answer; what does not fit is cut off. It is copied at once, since the
 * next look-up overwrites what libcurl returned.
 *   fits  out: all of it is there; may be NULL
 * Returns whether there is one; if not, the copy is empty.
 */
bool jr_wire_get_header(CURL *curl, const char *name, char *copy, size_t size, bool *fits);

#endif
