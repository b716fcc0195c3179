/*
 * notices -- what people are to be told, in the order in which it arose, until that is done.
 *
 * A notice is written in the transaction in which its fact arises, so that no crash loses or
 * doubles it. It is sent by batches: one, or all that wait when they are many, folded into one
 * message. What belongs to a batch is recorded before it is sent, so that one that is sent again
 * after a crash is the same: whoever gets it knows it by its id.
 *
 * All functions work inside the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_NOTICES_H
#define JR_NOTICES_H

#include "lib/base/timestamp.h"
#include "lib/model/notice.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No more wait: the oldest is dropped for a new one. */
#define JR_NOTICES_MOST 1000

/* More than so many are folded; so many of them are in the message. */
#define JR_NOTICES_SINGLE 5

/* What cannot be told for so long is no news any more. */
#define JR_NOTICES_AGE_MS JR_DAY_MS

/* What was told and has been otherwise for so long is told again. */
#define JR_NOTICES_QUIET_MS (7 * JR_DAY_MS)

/* What became of all notices of this store. */
struct jr_notices_sum {
    uint64_t waiting;
    uint64_t sent;
    uint64_t dropped; /* too many, too old, or refused */
};

/* What one message tells. */
struct jr_notice_batch {
    uint64_t first, last; /* the numbers; 0: there is nothing to be told */
    int64_t begun_ms;     /* when it was made up: tells it from another store's */
    uint64_t count;
    uint64_t counts[JR_NOTICE_KINDS];
    struct jr_notice items[JR_NOTICES_SINGLE]; /* the first of them */
    size_t items_count;
};

/* Add one; its number is given here. */
void jr_notices_add(struct jr_txn *txn, const struct jr_notice *notice);

/*
 * What lasts is told once: is this the first time that a runner or a job, by its names, is seen
 * so, or the first after JR_NOTICES_QUIET_MS in which it was not? Remembers that it was seen.
 */
bool jr_notices_is_news(struct jr_txn *txn, const struct jr_notice *notice, int64_t now_ms);

/* Forget what was not seen for that long, some of it in a call. */
void jr_notices_forget(struct jr_txn *txn, int64_t now_ms);

void jr_notices_sum(struct jr_txn *txn, struct jr_notices_sum *sum);

/*
 * The batch that is to be sent: one that was begun, as long as anything of it is there, else a
 * new one. Drops first what is too old. It writes.
 */
void jr_notices_begin(struct jr_txn *txn, int64_t now_ms, struct jr_notice_batch *batch);

/* The batch is done with: it was sent, or is dropped. */
void jr_notices_end(struct jr_txn *txn, const struct jr_notice_batch *batch, bool sent);

#endif
