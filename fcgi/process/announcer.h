/*
 * announcer -- sends what people are to be told (notices.h) to NOTIFY_URL, one message at a time.
 *
 * It waits for nobody, and nobody for it: a message is begun when it is its turn, and looked at
 * when the dispatcher comes by. At most one a second is sent, as chats want it. What cannot be
 * sent is tried again, after API_BACKOFF_MIN at first and an hour at last, until it is a day
 * old; what is refused is dropped after some tries.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ANNOUNCER_H
#define JR_ANNOUNCER_H

#include "fcgi/process/desk.h"
#include "lib/base/buffer.h"
#include "lib/steps/vigil.h"
#include "lib/store/notices.h"

#include <stdbool.h>
#include <stdint.h>

struct jr_announcer {
    struct jr_desk *desk;        /* its receiver is the way out */
    struct jr_transfer *sending; /* NULL: nothing is under way */
    struct jr_buffer body;
    struct jr_notice_batch batch; /* that is being sent */
    uint64_t dropped;             /* as was last seen; the log is told of more */
    bool has_looked;
    int64_t due_ms;               /* monotonic: not before */
    int64_t backoff_ms;           /* 0: the last message was taken */
    unsigned refusals;            /* of this batch, in a row */
    int64_t vigil_due_ms;         /* monotonic: when it is looked for what no step tells */
    struct jr_flaky_walk walk;
    bool warned;                  /* the log was told of this stretch */
};

/* JR_OK, or why nothing can be sent. Without NOTIFY_URL it is open, and sends nothing. */
enum jr_err jr_announcer_open(struct jr_announcer *announcer, struct jr_desk *desk,
                              struct jr_error *error) JR_CHECKED;
void jr_announcer_close(struct jr_announcer *announcer);

/* Go on as far as that is possible without waiting. Returns how long until there is more to do. */
int64_t jr_announcer_work(struct jr_announcer *announcer);

#endif
