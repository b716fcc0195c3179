/*
 * runtime -- what the processes of one service tell each other about how it
 * goes, and the slots of their group commit: shared memory, STATE_DIR/runtime.
 *
 * Nothing in it has to survive: it is made anew at each start. But for the slots
 * it is atomic numbers, so that nobody waits for anybody. Each process has a
 * block of its own, on cache lines of its own, that only it writes to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RUNTIME_H
#define JR_RUNTIME_H

#include "lib/batch.h"
#include "lib/counters.h"
#include "lib/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What does not change in step never shares this many bytes. */
#define JR_CACHE_LINE 64

/*
 * One process of the service: a worker, the dispatcher or the master. The first
 * three are the master's; who takes over after a death finds the counters as the
 * one before left them, and goes on with them. The dispatcher's belong to whoever
 * holds the dispatcher's lock, which may be one that plain CGI has left behind.
 */
struct jr_process {
    _Alignas(JR_CACHE_LINE) _Atomic int64_t pid; /* 0: there is none now */
    _Atomic int64_t started_ms;
    _Atomic uint64_t restarts;      /* how often another one has been started in its place */
    _Atomic int64_t busy_since_ms;  /* at a request, or at a run; 0: idle */
    _Atomic int64_t beat_ms;        /* monotonic: when it last went on to something else */
    _Alignas(JR_CACHE_LINE) struct jr_counters counters;
};

/* Pages are for people and monitors, who can wait; webhooks cannot. */
#define JR_PAGES_AT_ONCE 2

struct jr_runtime {
    uint64_t magic; /* and the version of the layout */
    uint64_t file; /* inode of STATE_DIR/runtime; 0: there is no file */
    _Atomic int64_t started_ms;
    _Atomic int64_t commits_fail_ms;     /* since when commits fail; 0: the last one succeeded */
    _Atomic int64_t dispatcher_free_ms;  /* monotonic: since when no dispatcher of ours holds the lock; 0: one does */
    _Atomic int64_t token_rejected_ms;   /* since when GitHub rejects the token; 0: it does not */
    _Atomic int64_t token_taken_ms;      /* when GitHub last did what was asked with it; 0: not yet */
    _Atomic int64_t rate_limited_until_ms;
    _Atomic int64_t rate_limit;          /* calls an hour, as GitHub said last; 0: it did not */
    _Atomic int64_t rate_remaining;      /* of them, until rate_reset_ms; means nothing without rate_limit */
    _Atomic int64_t rate_reset_ms;       /* 0: not said */
    _Atomic int64_t token_expires_ms;    /* as GitHub said last; 0: it did not */
    _Atomic int64_t sweep_begun_ms;      /* the last look for missed work; 0: none yet */
    _Atomic int64_t sweep_ended_ms;      /* the last one that came to its end; 0: none yet */
    _Atomic int64_t paused_ms;           /* since when the dispatcher is paused; 0: it is not */
    _Atomic int64_t repo_pauses;         /* how many pauses of some repositories there are */
    _Atomic int64_t map_used_bytes;      /* as last measured */
    _Atomic int64_t map_size_bytes;
    _Atomic int64_t pages[JR_PAGES_AT_ONCE]; /* who makes one: the worker's number + 1; 0: nobody */
    struct jr_writer_watch writer; /* who holds the store's write lock */
    uint64_t batch_id; /* tells these slots from any others */
    _Atomic uint32_t batch_leading;
    uint64_t slot_count;
    struct jr_slot slots[]; /* one for each worker; behind them the processes */
};

/* How many processes there are: the workers, the dispatcher, the master. */
size_t jr_runtime_processes(const struct jr_runtime *runtime);

/* The block of a process: worker `number`; behind the workers stand the other two. */
struct jr_process *jr_runtime_process(struct jr_runtime *runtime, size_t number);
struct jr_process *jr_runtime_dispatcher(struct jr_runtime *runtime);
struct jr_process *jr_runtime_master(struct jr_runtime *runtime);

/* Note since when a process is busy, 0: idle. For itself; it may be NULL. */
static inline void jr_process_note_busy(struct jr_process *process, int64_t since_ms)
{
    if (process != NULL)
        atomic_store_explicit(&process->busy_since_ms, since_ms, memory_order_relaxed);
}

/*
 * Note that a process goes on, at something or with waiting: who has not done so
 * for long has hung. For itself, and for the master when it starts one; it may be NULL.
 *   now_ms  monotonic
 */
static inline void jr_process_note_beat(struct jr_process *process, int64_t now_ms)
{
    if (process != NULL)
        atomic_store_explicit(&process->beat_ms, now_ms, memory_order_relaxed);
}

/* Add up what all processes have counted. */
void jr_runtime_sum(struct jr_runtime *runtime, struct jr_counters *sum);

/* How many workers are at a request. */
size_t jr_runtime_workers_busy(struct jr_runtime *runtime);

/*
 * Note that a process has been started in a block, or (pid 0) that it has ended.
 * For the master.
 */
void jr_process_note_start(struct jr_process *process, int64_t pid, int64_t now_ms);
void jr_process_note_end(struct jr_process *process);

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
