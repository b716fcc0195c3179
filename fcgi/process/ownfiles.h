/*
 * ownfiles -- the policies that repositories have of their own, at hand for the dispatcher.
 *
 * What counts is in the store; here it stands parsed, for those repositories that are decided
 * about. One that is used stays until nobody uses it, also when there is a newer version.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_OWNFILES_H
#define JR_OWNFILES_H

#include "fcgi/process/desk.h"
#include "lib/github/github.h"
#include "lib/model/call.h"
#include "lib/rules/policy.h"
#include "lib/store/ownpolicy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many repositories are at hand; one more takes the place of the one not used for longest. */
#define JR_OWNFILES_MAX 64

/* While GitHub does not answer, it is asked again after so long. */
#define JR_OWNFILES_AGAIN_MS JR_MINUTE_MS

/* A version that has no mistake. */
struct jr_ownfile {
    unsigned users;
    struct jr_policy policy;
    char *text; /* of `length' bytes; owned */
    size_t length;
};

/* All zero but for desk: none. */
struct jr_ownfiles {
    struct jr_desk *desk;
    struct jr_ownfiles_item {
        uint64_t scope;       /* 0: the place is free */
        uint64_t used;        /* the number of the last use */
        bool anew;            /* it is read once more, whatever is known of it */
        int64_t again_ms;     /* monotonic: before that GitHub is not asked again; 0: it answers */
        struct jr_ownpolicy own; /* as it is kept */
        struct jr_ownfile *file; /* NULL: there is none */
    } items[JR_OWNFILES_MAX];
    uint64_t uses;
};

/* No version is used any more but by the cache. */
void jr_ownfiles_close(struct jr_ownfiles *ownfiles);

/*
 * Is GitHub to be asked for the file of a repository now?
 *   scope  jr_budget_scope() of one of its runs
 *   etag   out: of the version that is known; empty: none is
 */
bool jr_ownfiles_wants(struct jr_ownfiles *ownfiles, uint64_t scope, char etag[JR_ETAG_SIZE]);

/*
 * Take what came of asking: it is recorded, counted and logged where it is news. What GitHub has
 * not told now changes nothing.
 *   repo  for the log
 *   file  what the question held; its text stays the caller's
 */
void jr_ownfiles_answer(struct jr_ownfiles *ownfiles, uint64_t scope, const char *repo,
                        const struct jr_call *call, const struct jr_github_file *file);

/* The version that counts, to be given back with jr_ownfile_end(); NULL: there is none. */
struct jr_ownfile *jr_ownfiles_use(struct jr_ownfiles *ownfiles, uint64_t scope);

/* Use it no longer. NULL: nothing. */
void jr_ownfile_end(struct jr_ownfile *file);

#endif
