/*
 * refusals -- calls that may fail, and that GitHub has refused for a repository: remembered for
 * a while, so that they are not made each time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REFUSALS_H
#define JR_REFUSALS_H

#include "lib/model/call.h"
#include "lib/model/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many are remembered; one more takes the place of the oldest. */
#define JR_REFUSALS_MAX 128

/* How long a refusal is believed. */
#define JR_REFUSED_MS JR_HOUR_MS

/*
 * So many runs are remembered about which GitHub was asked in vain. With fewer than there are due,
 * each would be forgotten before its next turn, and be asked about for ever. GitHub takes 15,000
 * calls an hour at most, and a try costs two.
 */
#define JR_VAIN_MAX 8192

/* All zero: none. */
struct jr_refusals {
    struct jr_refusal {
        enum jr_api api;
        char repo[JR_REPO_SIZE]; /* empty: all */
        uint64_t id;             /* of a workflow; 0: of any */
        int64_t until_ms;        /* monotonic; 0: the place is free */
    } items[JR_REFUSALS_MAX];
    size_t at; /* the one to be used next */
    struct jr_vain {
        uint64_t run_id; /* 0: the place is free */
        uint32_t attempt, count;
    } vain[JR_VAIN_MAX];
    size_t vain_at;
};

/* Is a call refused about a repository, or about one of its workflows? */
bool jr_refusals_has(const struct jr_refusals *refusals, enum jr_api api, const char *repo,
                     uint64_t id, int64_t now_ms);

/*
 * Note that one is.
 *   repo  empty: about any repository, for the host has no such call
 *   id    0: about any workflow
 */
void jr_refusals_note(struct jr_refusals *refusals, enum jr_api api, const char *repo, uint64_t id,
                      int64_t now_ms);

/*
 * Note that a call about an attempt was made in vain, which may be otherwise the next time.
 * Returns how often that was so before, as far as it is remembered.
 */
uint32_t jr_refusals_vain(struct jr_refusals *refusals, uint64_t run_id, uint32_t attempt);

#endif
