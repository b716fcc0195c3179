/*
 * complaints -- the policy files of repositories that are broken, of which their authors are to be
 * told at GitHub.
 *
 * There is one for a repository at most, in a record of JR_TABLE_META, while it is to be told; its
 * entry of the outbox (JR_DUE_COMPLAINT) is there as long. What is wrong is not kept: it is read
 * when it is told, since the file may be another by then.
 *
 * All functions work inside the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_COMPLAINTS_H
#define JR_COMPLAINTS_H

#include "lib/model/event.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct jr_complaint {
    int64_t due_ms;  /* when it is to be told; 0: there is none */
    uint32_t news;   /* counts the broken versions that came while it was not told */
    uint32_t tries;  /* how often it was tried in vain */
    char repo[JR_REPO_SIZE]; /* owner/name, as it was called when the file was read */
};

/* Load that of a repository, by its number (jr_budget_scope()); all zero where there is none. */
void jr_complaints_load(struct jr_txn *txn, uint64_t scope, struct jr_complaint *complaint);

/* Save one that is due then, in the place of what was; due_ms 0: there is none any more. */
void jr_complaints_save(struct jr_txn *txn, uint64_t scope, struct jr_complaint *complaint,
                        int64_t due_ms);

/* A file was found broken, in a version that is new. */
void jr_complaints_note(struct jr_txn *txn, uint64_t scope, const char *repo, int64_t now_ms);

/*
 * Find the entry that is due first. One later than any is made was made before the clock was set
 * back, and comes first.
 *   due_ms, scope  out
 * Returns whether there is one.
 */
bool jr_complaints_first(struct jr_txn *txn, int64_t now_ms, int64_t *due_ms, uint64_t *scope);

/* Take out an entry whose record cannot be read. */
void jr_complaints_drop(struct jr_txn *txn, int64_t due_ms, uint64_t scope);

#endif
