/*
 * tracer -- sees whether another host has asked for a rerun that shows itself here
 * (lib/steps/tracing.h), by its claim in etcd; one at a time. GitHub is not asked.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TRACER_H
#define JR_TRACER_H

#include "fcgi/process/desk.h"
#include "lib/cluster/engine.h"
#include "lib/store/outbox.h"

#include <stdbool.h>
#include <stdint.h>

struct jr_tracer {
    struct jr_desk *desk;
    bool looks;          /* etcd is asked about `entry' */
    struct jr_due entry;
    int64_t again_ms;    /* monotonic: when it is looked for the next one */
    struct jr_claimant claimant;
};

/* After the cluster. Where there is one host, nothing is looked for any more. */
void jr_tracer_open(struct jr_tracer *tracer, struct jr_desk *desk);
void jr_tracer_close(struct jr_tracer *tracer);

/*
 * Go on. Returns how long until there is something to be done, in ms; JR_CALLS_NEVER: only when
 * something changes, or etcd answers.
 */
int64_t jr_tracer_work(struct jr_tracer *tracer);

#endif
