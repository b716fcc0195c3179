/*
 * shutout -- whose repositories GitHub lets this program not in, and when that is tried again.
 *
 * An IP allow list, SAML, a policy for tokens, a suspension: such a refusal is of an owner as
 * a whole, not of the run that was asked about (enum jr_shut). Calls about what it covers are
 * not made; once its wait is over the next one is made, and tells. The wait doubles from
 * API_BACKOFF_MIN to API_BACKOFF_MAX. It outlives a restart, and belongs to the token: another
 * one starts clean.
 *
 * Kept in memory by who makes the calls, and each in a record of JR_TABLE_META.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SHUTOUT_H
#define JR_SHUTOUT_H

#include "lib/config/settings.h"
#include "lib/model/call.h"
#include "lib/model/event.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The name of one that covers all repositories. */
#define JR_SHUTOUT_ALL "*"

/* One that was not heard of for so long after its wait is over is forgotten: nobody asks. */
#define JR_SHUTOUT_LIFE_MS JR_DAY_MS

struct jr_shutout {
    char name[JR_REPO_SIZE]; /* an owner, owner/name, or JR_SHUTOUT_ALL */
    int64_t since_ms;
    int64_t until_ms; /* no call before */
    int64_t wait_ms;  /* how long that was when it began */
    bool posted;      /* a POST was refused so; a GET may be answered all the same */
    int64_t known_us; /* monotonic: when the refusal came; 0: before this start */
    char text[256];   /* what GitHub said */
};

struct jr_shutouts {
    uint64_t fingerprint; /* of the token that they are about */
    struct jr_shutout *items;
    size_t count;
};

/*
 * Load what is in the store.
 *   fingerprint  only of this token; 0: of whichever token was used last
 *   shutouts     out: jr_shutouts_release(); empty unless JR_OK
 * Returns JR_OK, JR_ENOMEM. Damaged records are passed over.
 */
enum jr_err jr_shutouts_load(struct jr_txn *txn, struct jr_shutouts *shutouts,
                             uint64_t fingerprint) JR_CHECKED;
void jr_shutouts_release(struct jr_shutouts *shutouts);

/* Take those out of the store that are of another token; in a transaction that writes. */
void jr_shutouts_prune(struct jr_txn *txn, uint64_t fingerprint);

/* Write one, or delete it from the store; in a transaction that writes. */
void jr_shutout_save(struct jr_txn *txn, const struct jr_shutouts *shutouts,
                     const struct jr_shutout *shutout);
void jr_shutout_delete(struct jr_txn *txn, const struct jr_shutout *shutout);

/*
 * The one that keeps calls about a repository from being made now, and that for longest;
 * NULL: they may be.
 *   repo     owner/name; empty: only one that covers all is looked for
 *   left_ms  out: for how long still. A clock that is set back makes it no longer.
 */
const struct jr_shutout *jr_shutouts_find(struct jr_shutouts *shutouts, const char *repo,
                                          int64_t now_ms, int64_t *left_ms);

/*
 * Is there one, over or not, that covers both? While a call about one of them is under way that
 * was begun at begun_us of the monotonic clock, after the refusal was known, that call is what
 * tells whether it is over.
 */
bool jr_shutouts_cover_both(const struct jr_shutouts *shutouts, const char *repo,
                            const char *asked, int64_t begun_us);

/*
 * GitHub has refused a call about repo so: call->reason is SHUT_OUT. A call that was begun
 * before the refusal of another was known changes nothing.
 *   posted  the call was a POST
 *   begun   out: nothing was known of it before
 * Returns it, to be saved; NULL when there is no memory.
 */
struct jr_shutout *jr_shutouts_note(struct jr_shutouts *shutouts,
                                    const struct jr_settings *settings, const struct jr_call *call,
                                    const char *repo, bool posted, int64_t now_ms, bool *begun);

/*
 * Is one over by this answer about repo, or because nobody has heard of it for long? Takes
 * it out of the list, and gives it in over; to be asked until it returns false.
 *   call    NULL: there was no call
 */
bool jr_shutouts_take_over(struct jr_shutouts *shutouts, const struct jr_call *call,
                           const char *repo, bool posted, int64_t now_ms, struct jr_shutout *over);

#endif
