/*
 * repo -- the repositories that events came from, and when each was last
 * looked at for failed runs that no event told of.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPO_H
#define JR_REPO_H

#include "lib/base/timestamp.h"
#include "lib/model/call.h"
#include "lib/model/event.h"
#include "lib/store/store.h"

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

/* Read one. Returns false when there is none, or a damaged one. */
bool jr_repo_load(struct jr_txn *txn, uint64_t id, struct jr_repo *repo);

/*
 * Note that a look at it is begun: with that it goes to the end of its line.
 *   repo  out: as it is then
 * Returns false when it was forgotten meanwhile.
 */
bool jr_repo_tried(struct jr_txn *txn, uint64_t id, int64_t tried_ms, struct jr_repo *repo);

/*
 * When GitHub has not shown it, it is looked at ever more rarely: after interval_ms, doubled
 * each time up to JR_REPO_GONE_MS, since it was tried last. Its next event ends that.
 */
int64_t jr_repo_gone_until_ms(const struct jr_repo *repo, int64_t interval_ms);

/* Note that GitHub does not show it. Returns whether the log is to be told. */
bool jr_repo_gone(struct jr_txn *txn, const struct jr_repo *repo);

/* Record how far a look got, without undoing what events told meanwhile. */
void jr_repo_looked(struct jr_txn *txn, const struct jr_repo *repo);

/* A place in the table of turns (JR_TABLE_LOOKS); all zero: at its start. */
struct jr_repo_place {
    unsigned char key[32];
    size_t key_length;
};

/* How far a sweep has come; all zero at first, and again when it is over. */
struct jr_repo_walk {
    struct jr_repo_place place; /* behind what was passed over; at the start: nothing was */
    bool found;                 /* one, since it went on from the start */
    int64_t held_until_ms;      /* of those that were passed over since; 0: none is waited for */
};

/* Who may be next, see jr_repo_next(). */
struct jr_repo_search {
    int64_t since_ms;    /* those tried since are not looked for */
    int64_t now_ms;
    int64_t interval_ms; /* of jr_repo_gone_until_ms() */
    const struct jr_share *share; /* passes over those that have to wait; NULL: none has */
};

enum jr_repo_turn {
    JR_REPO_NONE,  /* there is none */
    JR_REPO_FOUND,
    JR_REPO_MORE   /* so many were passed over that this is for another call, at once */
};

/*
 * The repository to be looked at next: of those not tried since since_ms, one
 * that had events after its last look before the others, then those that are gone and
 * whose time has come; the one that was tried the longest ago first. One tried later than
 * now_ms was so before the clock was set back, which does not count.
 *   walk     in and out: of this sweep. A call passes over some hundreds at most, and
 *            the next one goes on behind them; the first of all are asked about each time
 *   repo     out: with FOUND
 *   held_ms  out: with NONE, how long the first of those that were passed over waits; 0:
 *            none was, or none that is worth waiting for (JR_SHARE_NONE)
 */
enum jr_repo_turn jr_repo_next(struct jr_txn *txn, const struct jr_repo_search *search,
                               struct jr_repo_walk *walk, struct jr_repo *repo,
                               int64_t *held_ms);

/*
 * Look at the next `most` repositories, and forget those without an event since before_ms.
 *   place  in and out: where to go on; after the last one it is the start again
 */
void jr_repo_prune(struct jr_txn *txn, int64_t before_ms, unsigned most,
                   struct jr_repo_place *place);

#endif
