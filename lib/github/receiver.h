/*
 * receiver -- who is told: NOTIFY_URL, a chat's incoming webhook or another receiver.
 *
 * An administrator has named it, so it may stand at a private address. It gets a POST and no
 * token, no header of GitHub's; no redirect is followed; 10 s, and 64 KiB of an answer that
 * nobody reads. Of its URL only the host is ever shown.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RECEIVER_H
#define JR_RECEIVER_H

#include "lib/github/http.h"

#include <stddef.h>
#include <stdint.h>

/* What an answer comes to. */
enum jr_uptake {
    JR_UPTAKE_TAKEN,  /* 2xx */
    JR_UPTAKE_LATER,  /* it may be taken later: 408, 425, 429, 5xx, or no answer */
    JR_UPTAKE_REFUSED /* anything else: it will not be taken as it stands */
};

/* A wait that is asked for is no longer. */
#define JR_RECEIVER_WAIT_MOST_MS (3600 * INT64_C(1000))

/* Room for the host of a URL, with its port. */
#define JR_RECEIVER_HOST_SIZE 256

/* The host of a URL that makes sense for NOTIFY_URL; cut when it is longer. Returns host. */
const char *jr_receiver_host(const char *url, char host[JR_RECEIVER_HOST_SIZE]);

/*
 * Send a message.
 *   type, body  of the message; body is kept until the release
 * Returns what is to be released in the end (http.h); NULL: there is no memory.
 */
struct jr_transfer *jr_receiver_begin(struct jr_http *http, const char *url, const char *type,
                                      const char *body) JR_CHECKED;

/*
 * Sort its answer.
 *   wait_ms  out: how long it asks to be left alone; 0: it does not
 */
enum jr_uptake jr_receiver_sort(const struct jr_http_answer *answer, int64_t *wait_ms);

/* What came, for people: "503", or what went wrong on the way; nothing of the URL but its host. */
void jr_receiver_words(const struct jr_http_answer *answer, const char *url, char *words,
                       size_t size);

#endif
