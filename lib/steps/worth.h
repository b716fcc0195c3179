/*
 * worth -- what the last reruns of jobs were worth, kept while runs are gone through from the
 * oldest on: by job and cause, in memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_WORTH_H
#define JR_WORTH_H

#include "lib/model/cause.h"
#include "lib/store/failure_index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many reruns of a job for a cause are kept, the last ones. */
#define JR_WORTH_MOST 100

struct jr_worth {
    unsigned char job[JR_FAILURE_JOB_SIZE]; /* jr_failure_index_job() */
    enum jr_cause cause;                    /* NONE: the place is free */
    uint32_t count;                         /* how many are kept */
    uint64_t rescued[2]; /* a bit each, the newest in bit 0 of the first: was the job rescued? */
};

/* All zero: none. */
struct jr_worths {
    struct jr_worth *items; /* owned */
    size_t count, room;     /* room: a power of two */
};

/*
 * The worth of a job for a cause; one that is not there is made.
 *   cause  not JR_CAUSE_NONE
 * Returns NULL when there is no memory. It may move with the next call.
 */
struct jr_worth *jr_worths_find(struct jr_worths *worths,
                                const unsigned char job[JR_FAILURE_JOB_SIZE],
                                enum jr_cause cause);
void jr_worths_release(struct jr_worths *worths);

/* A rerun has come out. */
void jr_worth_add(struct jr_worth *worth, bool rescued);

/* Of the last `of' reruns: how many there were, and how many rescued the job. */
void jr_worth_tell(const struct jr_worth *worth, uint32_t of, uint32_t *tried,
                   uint32_t *rescued);

#endif
