/*
 * report -- what is known of what was said about a run at GitHub: in a check run of its commit, or
 * in a comment on its pull request.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPORT_H
#define JR_REPORT_H

#include "lib/base/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was said of one run. */
struct jr_report {
    bool known;            /* false: nothing was recorded of it before; not in the record */
    uint64_t check_id;     /* the check run; 0: none is known to be there */
    bool intent;           /* one was asked for, and nobody has seen what came of it */
    bool completed;        /* it is, as it was written last */
    bool given_up;         /* nothing more is written, but by what begins anew */
    uint64_t pull_request; /* its number; 0: none is known */
    uint64_t hash;         /* of what was written last; 0: nothing was */
    uint32_t news;         /* counts the changes of the run that were noted */
    uint32_t tries;        /* in vain, since something was written last */
    int64_t failing_ms;    /* since when; 0: it does not fail */
    int64_t due_ms;        /* of its outbox entry; 0: there is none */
};

/* Is there a check run that has to be completed, or may there be one? */
bool jr_report_is_open(const struct jr_report *report);

/* Records as stored, as in run.h. */
#define JR_REPORT_RECORD_SIZE 128
void jr_report_encode(const struct jr_report *report, struct jr_writer *writer);
bool jr_report_decode(struct jr_report *report, const void *bytes, size_t size);

/* So many runs of a pull request stand in its comment. */
#define JR_THREAD_RUNS 16

/* The comment on a pull request. */
struct jr_thread {
    uint64_t repo_id, pull_request; /* not in the record: its key */
    uint64_t comment_id;            /* 0: none is known to be there */
    bool intent;                    /* as above */
    uint64_t hash;
    uint32_t tries;
    int64_t failing_ms;
    uint64_t runs[JR_THREAD_RUNS]; /* those noted last; the oldest goes first */
    size_t count;
};

#define JR_THREAD_RECORD_SIZE 256
void jr_thread_encode(const struct jr_thread *thread, struct jr_writer *writer);
bool jr_thread_decode(struct jr_thread *thread, const void *bytes, size_t size);

/* Note that a run is of the pull request. Returns whether that is news. */
bool jr_thread_add(struct jr_thread *thread, uint64_t run_id);

#endif
