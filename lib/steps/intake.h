/*
 * intake -- one webhook event into the store, inside a transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_INTAKE_H
#define JR_INTAKE_H

#include "lib/config/settings.h"
#include "lib/model/event.h"
#include "lib/store/delivery.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* What is to be recorded. Holds no pointers. */
struct jr_update {
    struct jr_event event;
    struct jr_delivery delivery;
    int64_t now_ms;
};

/* What came of it. */
struct jr_receipt {
    struct jr_answer answer;
    bool repeated; /* the delivery was answered before, and nothing was changed */
    bool due_moved; /* an outbox entry was added or moved: wake the dispatcher */
    enum jr_reason verdict; /* why the event closed an attempt; NONE: it did not */
    bool rescued;   /* the run has ended in success by a rerun of ours */
    uint64_t rerun_causes, rescued_causes; /* as in struct jr_verdict */
};

/*
 * Is it one that jr_event_read() and jr_delivery_identify() can have made, as far as
 * those rely on it who work with it? Texts end, words and lengths are of their sets.
 * Of one that was in memory that others write.
 */
bool jr_update_is_sound(const struct jr_update *update);

/* Is it one that jr_intake_apply() can have made? */
bool jr_receipt_is_sound(const struct jr_receipt *receipt);

/*
 * Record an update and say how it is to be answered; batch.h commits it. A
 * repeated delivery gets its first answer again, but for UNKNOWN_RUN (RECORDED: it is
 * known now) and LEFT_ALONE, which is always by a setting and is judged anew.
 */
void jr_intake_apply(struct jr_txn *txn, const struct jr_settings *settings,
                     const struct jr_update *update, struct jr_receipt *receipt);

#endif
