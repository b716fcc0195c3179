/*
 * holder -- goes on with the reruns that an outage of others holds (lib/steps/holding.h), and
 * tells the log of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HOLDER_H
#define JR_HOLDER_H

#include "fcgi/process/desk.h"
#include "lib/rules/policy.h"

#include <stdint.h>

/* Where it stands. due_ms is 0 at first. */
struct jr_holder {
    struct jr_desk *desk;
    const struct jr_policy *policy; /* in force */
    int64_t due_ms;                 /* monotonic: when it looks again */
};

/*
 * Look, if it is time. Returns how long until something may be to be done, in ms; 0: runs were
 * made due.
 */
int64_t jr_holder_work(struct jr_holder *holder);

#endif
