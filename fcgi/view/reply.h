/*
 * reply -- HTTP's status for how a webhook is answered.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPLY_H
#define JR_REPLY_H

#include "lib/model/words.h"

/* The status of the answer to a webhook that was recorded. */
int jr_reply_status(enum jr_reply reply);

#endif
