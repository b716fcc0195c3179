/*
 * workflows -- what workflows are called, as GitHub has told lately.
 *
 * A list of failed runs may show many runs of one workflow, none of which tells its name:
 * GitHub is asked once for all of them. Kept in memory only, and for so long as it does no
 * harm when a workflow is given another name meanwhile.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_WORKFLOWS_H
#define JR_WORKFLOWS_H

#include "lib/model/event.h"

#include <stddef.h>
#include <stdint.h>

#define JR_WORKFLOWS_MAX 64

/* All zero at first. An id is never given to two workflows of a host. */
struct jr_workflows {
    struct {
        uint64_t id; /* 0: an empty place */
        int64_t told_ms; /* monotonic */
        char name[JR_NAME_SIZE];
    } items[JR_WORKFLOWS_MAX];
    size_t next; /* the place for the next one: the oldest's */
};

/* The name of a workflow; NULL: it is not known, or no longer. Good until the next put. */
const char *jr_workflows_find(const struct jr_workflows *workflows, uint64_t id, int64_t now_ms);

void jr_workflows_put(struct jr_workflows *workflows, uint64_t id, const char *name,
                      int64_t now_ms);

#endif
