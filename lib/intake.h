/*
 * intake -- one webhook event into the store, in one transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_INTAKE_H
#define JR_INTAKE_H

#include "lib/delivery.h"
#include "lib/event.h"
#include "lib/settings.h"
#include "lib/store.h"

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
};

/*
 * Record an update and say how it is to be answered. A repeated delivery gets
 * its first answer again, but for a 404 (202: it is known now) and a 204, which
 * is always by a setting and is judged anew.
 * Returns JR_OK: receipt is whole, and all of it is on disk. Else nothing is
 * recorded and error says why: JR_EFULL (disk or map), JR_EFATAL (the store has
 * to be closed), or another code.
 */
enum jr_err jr_intake(struct jr_store *store, const struct jr_settings *settings,
                      const struct jr_update *update, struct jr_receipt *receipt,
                      struct jr_error *error) JR_CHECKED;

#endif
