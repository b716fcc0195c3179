/*
 * batch -- group commit: the updates of concurrent workers in one transaction.
 *
 * One commit per webhook is bound by the disk. So each worker puts its update
 * into a slot that all workers share. One of those that wait leads: it begins a
 * write transaction, applies every update that waits in a slot, commits once,
 * tells the others, and names the next leader.
 *
 * Right and wrong hang on LMDB's own write lock alone, which outlives the death of
 * its holder. That there is a leader only spares the others the way through the
 * lock, one after the other, to find their update on disk: who is not told
 * anything for a while goes that way.
 *
 * How one knows: each batch has a number, one more than the last of these slots;
 * it is written into the store with the batch, and into each slot that the batch holds. A slot
 * whose number is not greater than the store's is on disk; a greater one is of a
 * batch that failed. (LMDB's own transaction id would not do: after a batch that
 * failed, any other writer, such as the dispatcher, commits under its id.)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_BATCH_H
#define JR_BATCH_H

#include "lib/config/settings.h"
#include "lib/steps/intake.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a slot's update stands. */
enum jr_slot_state {
    JR_SLOT_EMPTY = 0,
    JR_SLOT_WAITING, /* to be applied */
    JR_SLOT_APPLIED, /* by the batch of that number, on disk or not */
    JR_SLOT_DURABLE  /* by a batch that is on disk */
};

/* How many updates a worker may have recorded at once. */
#define JR_SLOT_UPDATES 8

/*
 * One worker's place. Its owner fills it while it is EMPTY, and takes the receipts
 * when it is DURABLE; everything else happens under LMDB's write lock, but for the
 * word, which a leader also changes after its commit.
 *
 * A worker that was taken over can write anything into any slot, at any time. So what
 * is read in one is read once, and checked (jr_update_is_sound(), jr_receipt_is_sound());
 * what is wrong costs time, or an answer of 503, and nobody his life. One's own updates,
 * and what one has recorded oneself, are never taken from here.
 */
struct jr_slot {
    _Atomic uint32_t word; /* jr_slot_state(), whether it is to lead, and of the number what fits:
                            * its owner sleeps on it */
    _Atomic uint32_t trying; /* not 0: is being applied; left so by one who died at it */
    _Atomic uint32_t alone;  /* not 0: failed in a batch, or killed one: only its owner applies it */
    _Atomic uint32_t count;  /* of updates, all of them in one batch */
    _Atomic uint64_t number;
    struct jr_update updates[JR_SLOT_UPDATES];
    struct jr_receipt receipts[JR_SLOT_UPDATES];
};

enum jr_slot_state jr_slot_state(const struct jr_slot *slot);

/* The slots of one service, or of one process alone. */
struct jr_slots {
    uint64_t id;               /* of the array, another for each; 0: of a process alone */
    struct jr_slot *all;       /* shared memory, or the process's own */
    _Atomic uint32_t *leading; /* shared likewise: does one of them lead? 0 at first. NULL: there is
                                * one slot, and each update has a transaction of its own */
    size_t count;
    size_t own;                /* which of them is this process's */
};

struct jr_item;

/* A process's way into the store, by its slot. */
struct jr_batch {
    struct jr_slots slots;
    uint64_t commits;          /* of this process, and how many updates were in them */
    uint64_t updates;
    struct jr_item *items;     /* what is being submitted; the caller's */
    size_t item_count;
    bool answered;             /* it was recorded by this process: the receipts are in the items */
    struct jr_update copy;     /* of another's update, at which nobody can change anything */
};

/*
 * Take over a slot that a worker before may have left in any state.
 *   slots  copied; what it points to stays the caller's, and has to outlive the batch
 * Returns JR_OK, or what failed.
 */
enum jr_err jr_batch_open(struct jr_batch *batch, const struct jr_slots *slots,
                          struct jr_store *store, struct jr_error *error) JR_CHECKED;

/* An update to be recorded, and what came of it. */
struct jr_item {
    const struct jr_update *update;
    struct jr_receipt receipt; /* whole if error.code is JR_OK: then the update is on disk */
    struct jr_error error;     /* else as jr_intake_apply() comes out; nothing of it is recorded */
};

/*
 * Record updates, together with those of the other workers that wait. One bad
 * update fails alone.
 *   items  1 to JR_SLOT_UPDATES; in: update; out: receipt and error of each
 */
void jr_batch_submit(struct jr_batch *batch, struct jr_store *store,
                     const struct jr_settings *settings, struct jr_item *items, size_t count);

/* Forget the numbers of slots that have not been used for a day. */
void jr_batch_prune(struct jr_txn *txn, int64_t now_ms);

#endif
