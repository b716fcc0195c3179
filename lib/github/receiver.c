/*
 * receiver -- who is told.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/receiver.h"
#include "lib/base/show.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

#define TOTAL_MS 10000

/* The part of a URL behind its host: the secret. */
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://");

    host = host == NULL ? url : host + 3;
    return host + strcspn(host, "/?#");
}

const char *jr_receiver_host(const char *url, char host[JR_RECEIVER_HOST_SIZE])
{
    const char *begin = strstr(url, "://"), *end = path_of(url);
    size_t length;

    begin = begin == NULL ? url : begin + 3;
    length = (size_t)(end - begin);
    if (length >= JR_RECEIVER_HOST_SIZE)
        length = JR_RECEIVER_HOST_SIZE - 1;
    memcpy(host, begin, length);
    host[length] = '\0';
    return host;
}

struct jr_transfer *jr_receiver_begin(struct jr_http *http, const char *url, const char *type,
                                      const char *body)
{
    struct jr_http_request request = {
        .url = url, .posts = true, .json = body, .type = type, .total_ms = TOTAL_MS,
    };

    return jr_http_begin(http, &request);
}

enum jr_uptake jr_receiver_sort(const struct jr_http_answer *answer, int64_t *wait_ms)
{
    *wait_ms = answer->retry_after_s > 0 ? answer->retry_after_s * 1000 : 0;
    if (*wait_ms > JR_RECEIVER_WAIT_MOST_MS)
        *wait_ms = JR_RECEIVER_WAIT_MOST_MS;
    if (answer->status >= 200 && answer->status < 300)
        return JR_UPTAKE_TAKEN;
    if (answer->status == 0 || answer->status == 408 || answer->status == 425
        || answer->status == 429 || answer->status >= 500)
        return JR_UPTAKE_LATER;
    return JR_UPTAKE_REFUSED;
}

void jr_receiver_words(const struct jr_http_answer *answer, const char *url, char *words,
                       size_t size)
{
    const char *path = path_of(url);

    if (answer->status != 0)
        snprintf(words, size, "%d", answer->status);
    else if (strlen(path) > 1 && strstr(answer->text, path) != NULL)
        (void)jr_text_copy(words, size, "no answer");
    else
        jr_show_clean(words, size, answer->text);
}
