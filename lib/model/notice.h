/*
 * notice -- what people are told who do not look at the service: a fact about a run, an owner, a
 * runner or a job. It holds facts, and no sentence; notice_body.h makes one of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_NOTICE_H
#define JR_NOTICE_H

#include "lib/base/codec.h"
#include "lib/model/event.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stdint.h>

/* The numbers are stored, and are bits of NOTIFY_ON. */
enum jr_notice_kind {
    JR_NOTICE_GIVEN_UP,    /* a failed run is not rerun any more */
    JR_NOTICE_OUTAGE,      /* reruns are held, since many runs fail for the same kind of cause */
    JR_NOTICE_OUTAGE_OVER, /* they go on */
    JR_NOTICE_SHUT_OUT,    /* GitHub refuses every call about what an owner has */
    JR_NOTICE_RUNNER,      /* a runner fails more than the others */
    JR_NOTICE_RESCUE_RATE, /* reruns of a job help less than they did */
    JR_NOTICE_TEST         /* somebody tries whether notices arrive; never in the store */
};

#define JR_NOTICE_KINDS (JR_NOTICE_RESCUE_RATE + 1)

/* The word of a kind, static: "given-up". */
const char *jr_notice_kind_name(enum jr_notice_kind kind);

/* The form in which they are sent. */
enum jr_notice_format { JR_NOTICE_JSON, JR_NOTICE_CLOUDEVENTS };

/* A part of some that counts: in how many cases of how many. */
struct jr_notice_rate {
    uint32_t some, of;
};

/* Empty or 0: it is not about that, or it is not known. */
struct jr_notice {
    uint64_t number; /* in the order in which they arose, from 1; the key, not in the record */
    int64_t at_ms;   /* when it arose */
    enum jr_notice_kind kind;
    enum jr_reason reason;
    uint64_t run_id;
    uint32_t attempt;
    uint64_t causes; /* bit n is enum jr_cause n */
    char repo[JR_REPO_SIZE];
    char workflow[JR_NAME_SIZE];
    char branch[JR_NAME_SIZE];
    char subject[JR_NAME_SIZE]; /* an owner, a runner, a job */
    struct jr_notice_rate rate, rate_before;
};

/* More than any record needs. */
#define JR_NOTICE_RECORD_SIZE 1280

/* The record. Decoding fails for bytes that are none; the number is set by the caller. */
void jr_notice_encode(const struct jr_notice *notice, struct jr_writer *writer);
bool jr_notice_decode(struct jr_notice *notice, const void *bytes, size_t size);

#endif
