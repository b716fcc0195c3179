/*
 * clusterview -- what a sub-command sees and changes of the other hosts, in etcd.
 *
 * Each call waits for etcd some seconds at the most, and is made while no transaction is open.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CLUSTERVIEW_H
#define JR_CLUSTERVIEW_H

#include "fcgi/tool/command.h"
#include "lib/cluster/engine.h"

#include <stdbool.h>
#include <stdint.h>

/* Attempts of one run whose claims are told. */
#define JR_CLUSTERVIEW_CLAIMS 50

struct jr_clusterview {
    const struct jr_settings *settings;
    struct jr_etcd *etcd; /* NULL: there is one host */
    char text[256];       /* why the last call has failed; empty: it has not */
    struct jr_engine_sight sight;
    uint32_t attempts[JR_CLUSTERVIEW_CLAIMS]; /* of the claims */
    struct jr_claim claims[JR_CLUSTERVIEW_CLAIMS];
    size_t count;
};

/*
 * Where there is one host, nothing is opened, and the other calls do nothing.
 * view: large, so better not on the stack. Returns false when there is no memory.
 */
bool jr_clusterview_open(struct jr_clusterview *view, const struct jr_command *command);
void jr_clusterview_close(struct jr_clusterview *view);

/* See which hosts live, and whether they are paused. Returns whether etcd has answered. */
bool jr_clusterview_look(struct jr_clusterview *view);

/* See who has claimed a run, by attempt. Returns whether etcd has answered. */
bool jr_clusterview_claims(struct jr_clusterview *view, uint64_t run_id);

/*
 * Pause all hosts, or end that. What is so already is good.
 *   span_ms  how long; 0: until it is ended
 * Returns whether it is so by now.
 */
bool jr_clusterview_pause(struct jr_clusterview *view, const char *who, int64_t span_ms);
bool jr_clusterview_resume(struct jr_clusterview *view);

/*
 * Have no host hold reruns for a cause, or for any (JR_CAUSE_NONE).
 * Returns whether etcd was told.
 */
bool jr_clusterview_lift(struct jr_clusterview *view, enum jr_cause cause);

/* One line of an answer, as online.h has it. */
typedef void jr_clusterview_tell(const void *context, const char *what, bool good, const char *text,
                                 const char *remedy);

/* Try etcd: each node, whether it answers in time, and whether our keys may be written. Returns
 * whether hosts can agree by it. */
bool jr_clusterview_check(struct jr_clusterview *view, jr_clusterview_tell *tell,
                          const void *context);

#endif
