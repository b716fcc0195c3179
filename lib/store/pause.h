/*
 * pause -- what an administrator has paused: everything, or some repositories.
 *
 * GitHub is not called about what is paused, whatever comes due; webhooks are
 * recorded as ever. A pause ends when somebody ends it, or when its time is over.
 * Who makes and ends them, with a line in the journal for each: control.h.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAUSE_H
#define JR_PAUSE_H

#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many at one time. */
#define JR_PAUSES_MAX 32
#define JR_PAUSE_WHY_SIZE 256

struct jr_pause {
    char pattern[JR_REPO_SIZE]; /* of the repositories (jr_text_match); empty: everything */
    int64_t since_ms;
    int64_t until_ms; /* 0: until somebody ends it */
    char who[JR_LOGIN_SIZE];     /* made it; empty: not known */
    char why[JR_PAUSE_WHY_SIZE]; /* may be empty */
    unsigned slot;               /* where it is stored */
};

/* Those in force at a time. All zero: none. */
struct jr_pauses {
    struct jr_pause items[JR_PAUSES_MAX];
    size_t count;
    size_t over; /* how many more are stored whose time is over */
};

/* Load them, in a transaction of any kind. One whose record is damaged pauses everything. */
void jr_pauses_load(struct jr_txn *txn, int64_t now_ms, struct jr_pauses *pauses);

/*
 * The same, in a read transaction of its own.
 * Returns JR_OK or what failed; of no use is `pauses' then.
 */
enum jr_err jr_pauses_read(struct jr_store *store, int64_t now_ms, struct jr_pauses *pauses,
                           struct jr_error *error) JR_CHECKED;

/* That of everything; NULL: there is none. Both belong to `pauses`. */
const struct jr_pause *jr_pauses_whole(const struct jr_pauses *pauses);

/* What holds up a repository: that of everything, else the one that ends last; NULL: nothing. */
const struct jr_pause *jr_pauses_find(const struct jr_pauses *pauses, const char *repo);

/* What holds up a run that is due; NULL: nothing. */
const struct jr_pause *jr_pauses_hold(const struct jr_pauses *pauses, const struct jr_run *run);

/* Do they hold up the same repositories? */
bool jr_pauses_equal(const struct jr_pauses *one, const struct jr_pauses *other);

/* How many are of some repositories. */
size_t jr_pauses_partial(const struct jr_pauses *pauses);

/* Does it hold up a repository? */
bool jr_pause_covers(const struct jr_pause *pause, const char *repo);

/*
 * Save a pause in its slot, or (until_ms is of no use then) remove it from there, in a
 * transaction that writes.
 */
void jr_pause_save(struct jr_txn *txn, const struct jr_pause *pause);
void jr_pause_remove(struct jr_txn *txn, const struct jr_pause *pause);

/* One of those whose time is over; false: there is none. */
bool jr_pause_over(struct jr_txn *txn, int64_t now_ms, struct jr_pause *pause);

/* A slot where none is stored; false: all have one. */
bool jr_pause_free_slot(struct jr_txn *txn, unsigned *slot);

/*
 * Is it a pattern that a repository can match: OWNER/NAME with wildcards, or a
 * wildcard that may stand for the slash too? Returns JR_OK, or JR_EINVAL and what
 * it ought to be.
 */
enum jr_err jr_pause_check_pattern(const char *pattern, struct jr_error *error) JR_CHECKED;

/* "octo/app, by alice, since 2026-11-23T09:03:06Z, until ...: a move". Returns the buffer. */
#define JR_PAUSE_WORDS_SIZE 768
char *jr_pause_words(const struct jr_pause *pause, char buffer[JR_PAUSE_WORDS_SIZE]);

#endif
