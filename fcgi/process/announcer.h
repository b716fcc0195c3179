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

#include "fcgi/process/duty.h"

extern const struct jr_duty jr_announcer_duty;

#endif
