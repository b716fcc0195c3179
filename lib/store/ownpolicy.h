/*
 * ownpolicy -- the policy files that repositories have of their own, as they were last read.
 *
 * What counts is the last version that had no mistake: a broken one changes nothing, and is
 * told. All functions work inside the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_OWNPOLICY_H
#define JR_OWNPOLICY_H

#include "lib/model/call.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No file is larger (JR_POLICY_BYTES_MAX). */
#define JR_OWNPOLICY_BYTES_MAX (64 * 1024)

#define JR_OWNPOLICY_PROBLEM_SIZE 256

/* How it was when it was last asked for. The numbers are stored. */
enum jr_ownpolicy_state {
    JR_OWNPOLICY_UNKNOWN = 0, /* it was never read: nobody asked, or GitHub does not show it */
    JR_OWNPOLICY_NONE = 1,    /* there is no such file */
    JR_OWNPOLICY_GOOD = 2,
    JR_OWNPOLICY_BROKEN = 3   /* the text is that of the last good version, if there was one */
};

struct jr_ownpolicy {
    enum jr_ownpolicy_state state;
    int64_t asked_ms;        /* when GitHub last answered about it; 0: never */
    char etag[JR_ETAG_SIZE]; /* of what it then was; empty: none */
    char *text;              /* that counts; NULL: none. Owned: jr_ownpolicy_release() */
    size_t length;
    /* of a broken one: the first thing that is wrong, and where */
    unsigned line, column;
    char problem[JR_OWNPOLICY_PROBLEM_SIZE];
};

/* Load that of a repository; one that is not stored, or damaged, is all zero. */
void jr_ownpolicy_load(struct jr_txn *txn, uint64_t repo_id, struct jr_ownpolicy *own);

/* Store it, in the place of what was. own->length is JR_OWNPOLICY_BYTES_MAX at most. */
void jr_ownpolicy_save(struct jr_txn *txn, uint64_t repo_id, const struct jr_ownpolicy *own);

/* Forget those that GitHub was last asked about before a time, of up to `most' repositories. */
void jr_ownpolicy_prune(struct jr_txn *txn, int64_t before_ms, unsigned most);

/* Free what it holds; it is all zero then. */
void jr_ownpolicy_release(struct jr_ownpolicy *own);

#endif
