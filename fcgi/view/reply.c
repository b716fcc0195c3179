/*
 * reply -- HTTP's status for how a webhook is answered.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/reply.h"

int jr_reply_status(enum jr_reply reply)
{
    static const int by_reply[JR_REPLIES] = {
        [JR_REPLY_NONE] = 500,        [JR_REPLY_SETTLED] = 200,    [JR_REPLY_SCHEDULED] = 201,
        [JR_REPLY_RECORDED] = 202,    [JR_REPLY_LEFT_ALONE] = 204, [JR_REPLY_UNKNOWN_RUN] = 404,
    };

    return by_reply[(unsigned)reply < JR_REPLIES ? reply : JR_REPLY_NONE];
}
