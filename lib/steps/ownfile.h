/*
 * ownfile -- the policy files that repositories have of their own: when GitHub is to be asked for
 * one, and what its answer makes of what is kept.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_OWNFILE_H
#define JR_OWNFILE_H

#include "lib/base/error.h"
#include "lib/model/call.h"
#include "lib/model/run.h"
#include "lib/rules/policy.h"
#include "lib/store/ownpolicy.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where it stands, on the default branch. */
#define JR_OWNFILE_PATH ".github/job-rerunner.yml"

/* So long an answer is good enough; one that a repository may not be read, longer. */
#define JR_OWNFILE_GOOD_MS (5 * JR_MINUTE_MS)
#define JR_OWNFILE_REFUSED_MS JR_HOUR_MS

/* What GitHub has answered. */
enum jr_ownfile_told {
    JR_OWNFILE_UNCHANGED,
    JR_OWNFILE_TEXT,
    JR_OWNFILE_NONE,     /* there is no such file */
    JR_OWNFILE_NO_FILE,  /* what is there is a folder, or far too large */
    JR_OWNFILE_REFUSED   /* it may not be read: as if there were none */
};

struct jr_ownfile_answer {
    enum jr_ownfile_told told;
    const char *text; /* of a TEXT, of `length' bytes; it stays the caller's */
    size_t length;
    const char *etag; /* of what was shown; empty: not told */
    const char *repo; /* owner/name, where a broken version is to be told at GitHub; NULL: it is not */
};

/*
 * Read what is kept of a repository's file.
 *   scope  jr_budget_scope() of one of its runs
 *   own    out: the caller's, jr_ownpolicy_release()
 */
enum jr_err jr_ownfile_load(struct jr_store *store, uint64_t scope, struct jr_ownpolicy *own,
                            struct jr_error *error) JR_CHECKED;

/* Is GitHub to be asked for the file, before the next decision about a failed run? */
bool jr_ownfile_is_due(const struct jr_ownpolicy *own, int64_t now_ms);

/*
 * Find all that is wrong with a text.
 *   text      NULL: what is there is no file that can be read, which is wrong in line 1
 *   problems  out: in the order of the file; none: it is good
 * Returns JR_OK or JR_ENOMEM.
 */
enum jr_err jr_ownfile_check(const char *text, size_t length,
                             struct jr_problems *problems) JR_CHECKED;

/*
 * Take what GitHub has answered, and keep it. A text with a mistake changes nothing of the last
 * good one; what is wrong first is kept beside that. A broken version that is news is noted to be
 * told (complaints.h).
 *   own   in: as it was kept; out: as it is
 *   news  out: it is another version than before, or one that was refused for the first time
 * Returns JR_OK, JR_ENOMEM, or what failed.
 */
enum jr_err jr_ownfile_take(struct jr_store *store, uint64_t scope,
                            const struct jr_ownfile_answer *answer, int64_t now_ms,
                            struct jr_ownpolicy *own, bool *news,
                            struct jr_error *error) JR_CHECKED;

/*
 * Read the text that counts.
 *   policy  out: the caller's with JR_OK; else it is all zero
 * Returns JR_OK; JR_ENOENT: there is none, or this program takes it for no policy; JR_ENOMEM.
 */
enum jr_err jr_ownfile_policy(const struct jr_ownpolicy *own, struct jr_policy *policy) JR_CHECKED;

/*
 * What is wrong with the file of a run's repository, as jr_ownfile_words() has it, and what
 * counts instead; empty: nothing is.
 */
#define JR_OWNFILE_TOLD_SIZE (JR_OWNPOLICY_PROBLEM_SIZE + 160)
enum jr_err jr_ownfile_of_run(struct jr_store *store, const struct jr_run *run,
                              char told[JR_OWNFILE_TOLD_SIZE], struct jr_error *error) JR_CHECKED;

/* The same in the caller's transaction. */
void jr_ownfile_tell(struct jr_txn *txn, const struct jr_run *run,
                     char told[JR_OWNFILE_TOLD_SIZE]);

/* ".github/job-rerunner.yml:3:5: what", of a broken one; empty: it is none. */
#define JR_OWNFILE_WORDS_SIZE (JR_OWNPOLICY_PROBLEM_SIZE + 64)
const char *jr_ownfile_words(const struct jr_ownpolicy *own, char words[JR_OWNFILE_WORDS_SIZE]);

#endif
