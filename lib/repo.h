/*
 * repo -- the repositories that events came from, and when each was last
 * looked at for failed runs that no event told of.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPO_H
#define JR_REPO_H

#include "lib/call.h"
#include "lib/event.h"
#include "lib/store.h"
#include "lib/timestamp.h"

#include <stdbool.h>
#include <stdint.h>

struct jr_repo {
    uint64_t id;
    char name[JR_REPO_SIZE]; /* as the newest event has it */
    int64_t first_seen_ms;
    int64_t last_event_ms; /* to the hour, but always later than look_ms if one came since */
    int64_t tried_ms;      /* when the last look was begun, whatever came of it; 0: never */
    int64_t look_ms;       /* when the last whole look was begun; 0: never */
    int64_t deep_ms;       /* when the last whole look far back was begun; 0: never */
    uint32_t gone_looks;   /* how often in a row GitHub has not shown it; 0: it has, or an event came */
    bool gone_told;        /* the log was told; until GitHub shows it again */
};

/* The longest wait before one that is gone is looked at again. */
#define JR_REPO_GONE_MS JR_DAY_MS

/*
 * Note that an event came from a repository (id 0: not told). Writes only what is
 * news. A damaged record is made anew, and passed over by the others below: all
 * that it tells is where to look.
 */
void jr_repo_note(struct jr_txn *txn, uint64_t id, const char *name, int64_t now_ms);

void jr_repo_save(struct jr_txn *txn, const struct jr_repo *repo);

/*
 * When GitHub has not shown it, it is looked at ever more rarely: after interval_ms, doubled
 * each time up to JR_REPO_GONE_MS, since it was tried last. Its next event ends that.
 */
int64_t jr_repo_gone_until_ms(const struct jr_repo *repo, int64_t interval_ms);

/* Note that GitHub does not show it. Returns whether the log is to be told. */
bool jr_repo_gone(struct jr_txn *txn, const struct jr_repo *repo);

/* Record how far a look got, without undoing what events told meanwhile. */
void jr_repo_looked(struct jr_txn *txn, const struct jr_repo *repo);

/*
 * The repository to be looked at next: of those not tried since since_ms, one
 * that had events after its last look before the others, and the longest not
 * looked at first; not one that is gone, before its time. One tried later than now_ms
 * was so before the clock was set back, which does not count.
 *   interval_ms  of jr_repo_gone_until_ms()
 *   share_wait  passes over those that have to wait; NULL: none has
 *   held_ms     out: how long the first of those that were passed over waits; 0: none
 *               was, or none that is worth waiting for (JR_SHARE_NONE), or it was not
 *               asked about each
 * Returns whether there is one.
 */
bool jr_repo_next(struct jr_txn *txn, int64_t since_ms, int64_t now_ms, int64_t interval_ms,
                  jr_share_wait *share_wait, void *context, struct jr_repo *repo, int64_t *held_ms);

/* Forget up to `most` repositories without an event since before_ms. */
void jr_repo_prune(struct jr_txn *txn, int64_t before_ms, unsigned most);

#endif
