/*
 * runtime -- what the processes of one service tell each other about how it
 * goes, and the slots of their group commit: shared memory, STATE_DIR/runtime.
 *
 * Nothing in it has to survive: it is made anew at each start. What stands
 * before the slots are atomic numbers, so that nobody waits for anybody.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RUNTIME_H
#define JR_RUNTIME_H

#include "lib/batch.h"
#include "lib/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Pages are for people and monitors, who can wait; webhooks cannot. */
#define JR_PAGES_AT_ONCE 2

struct jr_runtime {
    uint64_t magic;
    uint64_t file; /* inode of STATE_DIR/runtime; 0: there is no file */
    _Atomic int64_t started_ms;
    _Atomic int64_t commits_fail_ms;     /* since when commits fail; 0: the last one succeeded */
    _Atomic int64_t dispatcher_free_ms;  /* since when no dispatcher of ours holds the lock; 0: one does */
    _Atomic int64_t token_rejected_ms;   /* since when GitHub rejects the token; 0: it does not */
    _Atomic int64_t rate_limited_until_ms;
    _Atomic int64_t paused_ms;           /* since when the dispatcher is paused; 0: it is not */
    _Atomic int64_t map_used_bytes;      /* as last measured */
    _Atomic int64_t map_size_bytes;
    _Atomic int64_t pages[JR_PAGES_AT_ONCE]; /* who makes one: the worker's number + 1; 0: nobody */
    struct jr_writer_watch writer; /* who holds the store's write lock */
    uint64_t batch_id; /* tells these slots from any others */
    uint64_t slot_count;
    struct jr_slot slots[]; /* one for each worker */
};

/*
 * Make STATE_DIR/runtime anew. A process forked later shares it. When the file
 * cannot be made, the processes still share memory, but the tool sees nothing.
 *   workers  how many slots it is to have
 *   runtime  out: never unmapped
 * Returns JR_OK, or JR_EIO when there is no memory to share.
 */
enum jr_err jr_runtime_create(struct jr_runtime **runtime, const char *state_dir,
                              size_t workers, int64_t now_ms, struct jr_error *error) JR_CHECKED;

/* Remove the file at the end, unless another service has put its own in the place. */
void jr_runtime_remove(const struct jr_runtime *runtime, const char *state_dir);

/* Attach to the running service's. Returns NULL when there is none. */
struct jr_runtime *jr_runtime_attach(const char *state_dir);

/* Note how a commit went. runtime may be NULL. */
void jr_runtime_note_commit(struct jr_runtime *runtime, bool ok, int64_t now_ms);

/*
 * A worker begins to make a page, or the metrics. Returns false when JR_PAGES_AT_ONCE
 * others are at it. A worker that was killed at it takes its place back with
 * jr_runtime_page_end() when it is replaced.
 */
bool jr_runtime_page_begin(struct jr_runtime *runtime, int worker);
void jr_runtime_page_end(struct jr_runtime *runtime, int worker);

/* Has a commit failed, and none succeeded since? */
bool jr_runtime_commits_fail(const struct jr_runtime *runtime);

#endif
