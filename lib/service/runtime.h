/*
 * runtime -- the memory that the processes of one service share: how it goes with
 * each, and the slots of their group commit.
 *
 * A worker reads what anybody sends, so it may be taken over by what it reads. Hence
 * each piece of memory has one writer, and is read-only for all others: the kernel
 * sees to that. Each process keeps for itself, from before the fork, where the pieces
 * are and how large. What it reads in another's piece it takes for a claim: read once,
 * into a local, and bounded before it is an index, a size or a time to judge by. Process
 * ids stand in the master's piece alone. Only the slots (struct jr_crowd) are written by
 * all workers; master and dispatcher do not have them in their memory at all.
 *
 * A piece is a file without a name (memfd_create(2)) of its own, for a mapping can be
 * made to grow within its file (mremap(2)). It is sealed: nobody can cut it short, which
 * would be SIGBUS for all who look. A child maps what it may write from a descriptor that
 * it closes then; the rest it has from one that was opened to read, which mprotect(2)
 * cannot change.
 *
 * Nothing in it has to survive: it is made anew at each start. But for the slots
 * it is atomic numbers, so that nobody waits for anybody.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RUNTIME_H
#define JR_RUNTIME_H

#include "lib/base/error.h"
#include "lib/service/counters.h"
#include "lib/service/sight.h"
#include "lib/steps/batch.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What does not change in step never shares this many bytes. */
#define JR_CACHE_LINE 64

/*
 * What a worker or the dispatcher says of itself; nobody else writes it. Who takes over
 * after a death finds the counters as the one before left them, and goes on with them.
 */
struct jr_process {
    _Alignas(JR_CACHE_LINE) _Atomic int64_t busy_since_ms; /* at a request, or at a run; 0: idle */
    _Atomic int64_t beat_ms;    /* monotonic: when it last went on to something else */
    _Atomic int64_t commit_us;  /* monotonic: when it last committed; negative: in vain; 0: never */
    struct jr_writer_watch watch; /* whether it holds the store's write lock */
    _Alignas(JR_CACHE_LINE) struct jr_counters counters;
};

#define JR_TOLD_NUMBER(name) _Atomic int64_t name;

/* What the dispatcher tells; only it writes it. */
struct jr_told {
    struct jr_process process;
    _Atomic int64_t at_work_ms; /* monotonic: since when it holds the lock; 0: it never did */
    _Atomic int64_t waits_ms;   /* monotonic: when it last found others to hold it; 0: it works */
    _Atomic int64_t outage_reason; /* enum jr_reason: of the last call (outage.h); 0: none */
    _Atomic int64_t answered_ms;   /* monotonic: when GitHub answered last; 0: it has not yet */
    _Atomic int64_t work_waits;    /* is anything in the outbox? */
    JR_SIGHT_TOLD(JR_TOLD_NUMBER)
};

/* What the master knows of one child. */
struct jr_birth {
    _Atomic int64_t pid; /* 0: there is none now */
    _Atomic int64_t started_ms;
    _Atomic uint64_t restarts; /* how often another one has been started in its place */
};

/* What the master tells; only it writes it. */
struct jr_board {
    _Atomic int64_t started_ms;
    _Atomic int64_t dispatcher_lost_ms; /* monotonic: when one died at work; first, the start */
    _Atomic int64_t policy_refused; /* the last reload was refused for its policy */
    struct jr_birth births[]; /* the workers', the dispatcher's */
};

/* Pages are for people and monitors, who can wait; webhooks cannot. */
#define JR_PAGES_AT_ONCE 2

/* What all workers write, and nobody else sees. */
struct jr_crowd {
    _Atomic uint32_t leading; /* of batch.h */
    _Atomic int64_t pages[JR_PAGES_AT_ONCE]; /* who makes one: the worker's number + 1; 0: nobody */
    struct jr_slot slots[]; /* one for each worker */
};

/* Whose piece it is: worker `number`'s, or */
#define JR_OWN_DISPATCHER (-1)

struct jr_piece;

/* Each process's own knowledge of it, which is not shared. */
struct jr_runtime {
    size_t workers;
    uint64_t batch_id;      /* tells these slots from any others */
    struct jr_board *board; /* whether one may write what these point to: see above */
    struct jr_told *told;
    struct jr_crowd *crowd; /* NULL but for workers */
    struct jr_piece *pieces;
};

/* How many have a block: the workers and the dispatcher. */
size_t jr_runtime_processes(const struct jr_runtime *runtime);

/* The block of a process: worker `number`; behind the workers stands the dispatcher. */
struct jr_process *jr_runtime_process(const struct jr_runtime *runtime, size_t number);
struct jr_process *jr_runtime_dispatcher(const struct jr_runtime *runtime);

/* Note since when a process is busy, 0: idle. For itself; it may be NULL. */
static inline void jr_process_note_busy(struct jr_process *process, int64_t since_ms)
{
    if (process != NULL)
        atomic_store_explicit(&process->busy_since_ms, since_ms, memory_order_relaxed);
}

/*
 * Note that a process goes on, at something or with waiting: who has not done so
 * for long has hung. For itself; it may be NULL.
 *   now_ms  monotonic
 */
static inline void jr_process_note_beat(struct jr_process *process, int64_t now_ms)
{
    if (process != NULL)
        atomic_store_explicit(&process->beat_ms, now_ms, memory_order_relaxed);
}

/* Note how a commit went. For itself; it may be NULL. */
void jr_process_note_commit(struct jr_process *process, bool ok);

/* When it last went on, as it says: not later than now_ms. Monotonic. */
int64_t jr_process_beat_ms(const struct jr_process *process, int64_t now_ms);

/*
 * Make the memory. The master's piece can be written from here on, by the caller alone.
 *   runtime  out: owned by the caller, jr_runtime_release(); NULL unless JR_OK
 * Returns JR_OK, or JR_EIO when there is no memory to share.
 */
enum jr_err jr_runtime_create(struct jr_runtime **runtime, size_t workers, int64_t now_ms,
                              struct jr_error *error) JR_CHECKED;
void jr_runtime_release(struct jr_runtime *runtime); /* NULL is allowed */

/*
 * For a child, after the fork: get one's own piece to write, a worker also the crowd's;
 * give up the master's; and begin with what the one before has left.
 *   who  number of a worker, or JR_OWN_DISPATCHER
 * Returns JR_OK or JR_EIO.
 */
enum jr_err jr_runtime_own(struct jr_runtime *runtime, int who, struct jr_error *error) JR_CHECKED;

/* For a child, after jr_runtime_own(): nothing more can be got to write. */
void jr_runtime_close(struct jr_runtime *runtime);

/*
 * Note that a child was started, or has ended. For the master.
 *   number  as of jr_runtime_process()
 */
void jr_runtime_note_start(struct jr_runtime *runtime, size_t number, pid_t pid, int64_t now_ms);
void jr_runtime_note_end(struct jr_runtime *runtime, size_t number);

/* Note whether the last reload was refused for its policy. For the master. */
void jr_runtime_note_policy(struct jr_runtime *runtime, bool refused);

/* See how it goes, by what all of them say; bounded. */
void jr_runtime_look(const struct jr_runtime *runtime, struct jr_sight *sight);

/*
 * A worker begins to make a page, or the metrics. Returns false when JR_PAGES_AT_ONCE
 * others are at it. A worker that was killed at it takes its place back with
 * jr_runtime_page_end() when it is replaced.
 */
bool jr_runtime_page_begin(struct jr_runtime *runtime, int worker);
void jr_runtime_page_end(struct jr_runtime *runtime, int worker);

/* Has a commit failed, and none succeeded since, whoever made it? */
bool jr_runtime_commits_fail(const struct jr_runtime *runtime);

#endif
