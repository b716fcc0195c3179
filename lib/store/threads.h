/*
 * threads -- the comments on pull requests, in the store: which there are, and which runs stand in
 * each.
 *
 * Each is a record of JR_TABLE_META; it goes with the last of its runs. All functions work inside
 * the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_THREADS_H
#define JR_THREADS_H

#include "lib/model/report.h"
#include "lib/store/store.h"

#include <stdint.h>

/* Load that of a pull request; all zero but for its key where there is none, or a damaged one. */
void jr_threads_load(struct jr_txn *txn, uint64_t repo_id, uint64_t pull_request,
                     struct jr_thread *thread);
void jr_threads_save(struct jr_txn *txn, const struct jr_thread *thread);

/* A run is removed from the store, and so from that of its pull request. */
void jr_threads_forget(struct jr_txn *txn, uint64_t repo_id, uint64_t pull_request,
                       uint64_t run_id);

#endif
