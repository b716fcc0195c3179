/*
 * notice_body -- notices as a chat or a receiver of CloudEvents takes them.
 *
 * JSON is one object: `text`, which Slack, Mattermost, Rocket.Chat and Discord's /slack show, and
 * behind it all facts, which they ignore. A CloudEvent 1.0 has the same object as its data, in
 * structured mode: body and facts stay together whatever a proxy does to headers, and there is
 * one form for a receiver to read.
 *
 * Names from outside are defused in `text`: no mention, link, code, bold letters or second line
 * comes out of them. As facts they stand as they are.
 *
 * Sources: Slack's "Formatting text for app surfaces"; CloudEvents 1.0.2 with its JSON format.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_NOTICE_BODY_H
#define JR_NOTICE_BODY_H

#include "lib/base/buffer.h"
#include "lib/model/notice.h"

#include <stddef.h>
#include <stdint.h>

/* No body is longer. */
#define JR_NOTICE_BODY_MAX (32 * 1024)

/* No text is longer, in bytes: Discord takes 2,000 characters. */
#define JR_NOTICE_TEXT_MAX 1900

/* What one message tells. */
struct jr_notice_told {
    const struct jr_notice *items; /* the first of them */
    size_t items_count;            /* at least 1 */
    uint64_t count;                /* of all */
    const uint64_t *counts;        /* of all, by kind: JR_NOTICE_KINDS; of one that is a test: 0s */
    uint64_t first, last;          /* their numbers */
    int64_t begun_ms;              /* when they were put together */
    const char *api_url;           /* GITHUB_API_URL */
    const char *web_url;           /* of GitHub's pages; "": there are no links */
};

/* What the body is; static. */
const char *jr_notice_body_type(enum jr_notice_format format);

/* Write it; the buffer is empty at first, and holds JR_NOTICE_BODY_MAX. */
void jr_notice_body_write(enum jr_notice_format format, const struct jr_notice_told *told,
                          struct jr_buffer *buffer);

#endif
