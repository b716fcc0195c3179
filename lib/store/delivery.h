/*
 * delivery -- which webhooks were answered before, and how.
 *
 * A delivery is remembered for 8 days from when it came: GitHub keeps
 * deliveries for redelivery 3 days (7 on GitHub Enterprise Server), see
 * https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks .
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_DELIVERY_H
#define JR_DELIVERY_H

#include "lib/model/words.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_DELIVERY_DAYS 8

/* X-GitHub-Delivery as it is shown in the log and kept in the history. */
#define JR_DELIVERY_SIZE 80

/* What a delivery is known by. */
struct jr_delivery {
    unsigned char key[33];
    size_t key_length;
    int64_t day; /* of its event, since the epoch; -1: the id does not tell */
    char text[JR_DELIVERY_SIZE];
};

/* How a delivery was answered. */
struct jr_answer {
    enum jr_reply reply;
    enum jr_reason reason;
    uint64_t run_id;
    uint32_t attempt;
};

/*
 * Find what a delivery is known by: its id, or else the SHA-256 of its body.
 *   id    X-GitHub-Delivery; NULL, empty, longer than 79 bytes or not plain
 *         visible ASCII: not usable
 * Returns JR_OK, or JR_EIO when libcrypto fails.
 */
enum jr_err jr_delivery_identify(struct jr_delivery *delivery, const char *id, const void *body,
                                 size_t length) JR_CHECKED;

/* Find the first answer to a delivery. Returns whether there is one. */
bool jr_delivery_find(struct jr_txn *txn, const struct jr_delivery *delivery, int64_t now_ms,
                      struct jr_answer *answer);

/* Remember an answer, in the place of the one that was found, if any. */
void jr_delivery_remember(struct jr_txn *txn, const struct jr_delivery *delivery, int64_t now_ms,
                          const struct jr_answer *answer);

/*
 * Forget a delivery that came at a time.
 *   text  jr_delivery.text, as the history has it
 * Returns whether it was remembered about that day.
 */
bool jr_delivery_forget(struct jr_txn *txn, const char *text, int64_t at_ms);

/* Forget up to `most` deliveries that are older than 8 days; returns how many it were. */
unsigned jr_delivery_prune(struct jr_txn *txn, int64_t now_ms, unsigned most);

/* About how much of the map a delivery takes, with its share of a page. */
#define JR_DELIVERY_BYTES 180

/* How many are remembered. */
uint64_t jr_delivery_count(struct jr_txn *txn);

/* Forget the `most` oldest, whatever their age; returns how many it were. */
unsigned jr_delivery_drop_oldest(struct jr_txn *txn, unsigned most);

#endif
