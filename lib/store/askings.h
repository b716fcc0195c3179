/*
 * askings -- what people have asked for on pull requests, in the store: what is not done with,
 * which comments were read, who was refused, and which commits nothing is rerun of any more.
 *
 * All are records of JR_TABLE_META. All functions work inside the caller's transaction; what
 * fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ASKINGS_H
#define JR_ASKINGS_H

#include "lib/model/asked.h"
#include "lib/model/run.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* So many that are not done with; more are not taken. */
#define JR_ASKINGS_MAX 200

/* How long it is remembered that a comment was read: longer than one is fresh, and than any clock
 * is wrong. */
#define JR_ASKINGS_READ_MS ((int64_t)24 * 60 * 60 * 1000)

/* How long one stays that cannot be done with, since it was acted on: nobody waits for a reaction
 * of the day before. Before that, since it came: nothing works on it with COMMANDS switched off. */
#define JR_ASKINGS_LIFE_MS ((int64_t)24 * 60 * 60 * 1000)

/* For so long refusals are counted. */
#define JR_ASKINGS_REFUSED_MS ((int64_t)60 * 60 * 1000)

/* GitHub reruns nothing that is older than 30 days; so long a commit is remembered. */
#define JR_STOPS_LIFE_MS ((int64_t)31 * 24 * 60 * 60 * 1000)

/*
 * Add one.
 * Returns false when it is not taken: its comment was read before, or there are too many.
 */
bool jr_askings_add(struct jr_txn *txn, const struct jr_asked *asked, int64_t now_ms);

/*
 * Walk those that are not done with, in the order in which they came. A damaged one is passed over.
 *   number  in: of the one before, 0 at first; out: of this one
 * Returns whether there is one.
 */
bool jr_askings_next(struct jr_txn *txn, uint64_t *number, struct jr_asked *asked);

/* The one of a number; false: it is gone. */
bool jr_askings_load(struct jr_txn *txn, uint64_t number, struct jr_asked *asked);
void jr_askings_save(struct jr_txn *txn, uint64_t number, const struct jr_asked *asked);
void jr_askings_remove(struct jr_txn *txn, uint64_t number);

/*
 * How many were refused in a repository in the last hour, or since that was counted anew, because
 * GitHub said that who asks may not. Those of buttons count for themselves.
 */
unsigned jr_askings_refused(struct jr_txn *txn, const struct jr_asked *asked, int64_t now_ms);

/* Count this one, too. */
void jr_askings_refuse(struct jr_txn *txn, const struct jr_asked *asked, int64_t now_ms);

/* Nothing of a repository's commit is rerun by itself from now on, or it may be again. */
void jr_stops_set(struct jr_txn *txn, uint64_t repo_id, const char *sha, int64_t now_ms);
void jr_stops_lift(struct jr_txn *txn, uint64_t repo_id, const char *sha);

/* Is a run of such a commit? */
bool jr_stops_hold(struct jr_txn *txn, const struct jr_run *run);

/*
 * Forget up to `most' of each kind whose time is over, and what cannot be read of those that are
 * not done with. Returns how many of these there were.
 */
unsigned jr_askings_prune(struct jr_txn *txn, int64_t now_ms, unsigned most);

#endif
