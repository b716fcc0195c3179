/*
 * store -- one LMDB environment, its tables, and transactions that remember
 * that they failed.
 *
 * Owns:   the MDB_env; one per process, opened after fork.
 * Knows:  nothing of runs. Keys are up to 511 bytes and sort as bytes.
 * Source: lmdb.h, "Restrictions/caveats"; doc/design.md, "The store".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_STORE_H
#define JR_STORE_H

#include "lib/base/error.h"
#include "lib/base/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of everything in the store. A newer one is refused, and one from before the
 * first release. */
#define JR_STORE_FORMAT 5

#define JR_KEY_MAX 64
#define JR_VALUE_MAX 4096

enum jr_table {
    JR_TABLE_META,       /* name -> one thing of each kind */
    JR_TABLE_RUNS,       /* run id, part, number -> all of a run (ledger.h) */
    JR_TABLE_OUTBOX,     /* due time, run id, kind -> the entry (outbox.h) */
    JR_TABLE_DELIVERIES, /* day, delivery -> first answer */
    JR_TABLE_AGES,       /* hour of the last event, run id -> nothing */
    JR_TABLE_TOLD,       /* hour of the newest entry in the history, run id -> nothing */
    JR_TABLE_QUIET,      /* quiet_due_ms, run id -> nothing */
    JR_TABLE_LINES,      /* line of runs, number, run id -> nothing (ledger.h) */
    JR_TABLE_REPOS,      /* repository id -> repository */
    JR_TABLE_LOOKS,      /* whose turn to be looked at it is (repo.c) -> nothing */
    JR_TABLE_FLAKY,      /* kind, hash of the names -> row of numbers */
    JR_TABLE_WORST,      /* kind, how bad it is, hash of the names -> nothing */
    JR_TABLE_SUMS,       /* day -> numbers of the rows of jobs together */
    JR_TABLE_DAYS,       /* day, repository -> what happened (days.h) */
    JR_TABLE_NOTICES,    /* number -> what people are told (notices.h) */
    JR_TABLE_FAILURES,   /* which index, its key, time, run id, job id -> nothing (failure_index.h) */
    JR_TABLE_SPENT,      /* day, repository -> what reruns have spent (budget.h) */
    JR_TABLE_LISTS,      /* list, repository, run id -> nothing (runindex.h) */
    JR_TABLES
};

struct jr_store;

/*
 * LMDB checks neither the length of its file nor its pages: a store that is cut
 * short, like a new one on a full disk, ends the process that opens it (SIGBUS).
 * So it is tried in a child, and this says what became of it: folder, signal.
 */
#define JR_STORE_DIED                                                                      \
    "STATE_DIR: opening the store in '%s' ended with signal %d: the disk is full, or "     \
    "data.mdb is cut short or damaged; make room, restore a backup, or move it away to "   \
    "start with an empty store"

/*
 * Open the store, making folder and tables as needed.
 *   store  out: owned by the caller, jr_store_close(); NULL unless JR_OK
 *   error  out: what is wrong with it and what to do
 * Returns JR_OK; JR_EFORMAT when it is not ours, newer, or damaged; JR_EFULL,
 * JR_EBUSY, JR_ENOMEM, JR_EIO. Not to be called twice for one folder in one
 * process, nor across fork().
 */
enum jr_err jr_store_open(struct jr_store **store, const char *folder, int64_t map_size_bytes,
                          struct jr_error *error) JR_CHECKED;
void jr_store_close(struct jr_store *store); /* NULL is allowed */

/* Is there a store in a folder, as far as one may look? */
bool jr_store_exists(const char *folder);

/*
 * Copy a store that may be at work into a folder: as it is at one moment, without
 * the pages that are free, and on disk when it returns. While it copies, pages
 * that others free are not used again.
 *   folder  empty; what was begun in it is removed when it fails
 *   bytes   out: how large the copy is
 * Returns JR_OK, JR_EFULL or JR_EIO; JR_EFORMAT when the store is damaged.
 */
enum jr_err jr_store_copy(struct jr_store *store, const char *folder, uint64_t *bytes,
                          struct jr_error *error) JR_CHECKED;

/*
 * Open a copy that nobody works on, to read it only; leaves no trace in its
 * folder. Returns as jr_store_open(); JR_EFORMAT also when a table is missing.
 */
enum jr_err jr_store_open_copy(struct jr_store **store, const char *folder,
                               struct jr_error *error) JR_CHECKED;

/* Whether a process holds the write lock; in memory that somebody sees who watches over it. */
struct jr_writer_watch {
    _Atomic uint64_t word; /* monotonic time, and whether it commits, in one; 0: it does not */
};

/*
 * What it says of itself.
 *   now_ms      monotonic
 *   since_ms    out: since when it holds the lock, monotonic; not later than now
 *   committing  out: whether it waits for the disk to take what it has written
 * Returns false when it does not hold it.
 */
bool jr_writer_held(const struct jr_writer_watch *watch, int64_t now_ms, int64_t *since_ms,
                    bool *committing);

/* Show in `watch` (the caller's, outliving the store) when this process holds the write lock. */
void jr_store_watch(struct jr_store *store, struct jr_writer_watch *watch);

/*
 * Hold back what the terminal sends to suspend a process (SIGTSTP, SIGTTIN,
 * SIGTTOU) while a transaction is open, so that nobody waits for who is suspended.
 */
void jr_store_stay_awake(struct jr_store *store);

/* Note in `histogram` (the caller's, outliving the store) how long the commits of this process take. */
void jr_store_time(struct jr_store *store, struct jr_histogram *histogram);

/*
 * Have LMDB take memory for a transaction that changes so many pages. It keeps for the next
 * transaction what its largest one has needed: without this a process grows for long, with
 * each that is larger than all before. Nothing is changed in the store; what cannot be taken is
 * left, as when the map is full.
 */
void jr_store_take_memory(struct jr_store *store, unsigned pages);

/* Free what processes that died inside a transaction still hold; returns of how many. */
unsigned jr_store_clear_stale_readers(struct jr_store *store);

/* How full the map is: bytes in use by pages that are not free, and its size. */
enum jr_err jr_store_usage(struct jr_store *store, uint64_t *used_bytes, uint64_t *map_bytes,
                           struct jr_error *error) JR_CHECKED;

/*
 * A transaction. After the first error every call does nothing, and the end
 * aborts: straight lines, and one check at the end.
 */
struct jr_txn {
    struct jr_store *store;
    void *handle;          /* MDB_txn, NULL when there is none */
    bool writes;
    void *cursors[JR_TABLES]; /* MDB_cursor, of tables that are walked; else NULL */
    struct jr_error error;    /* the first error; code JR_OK while all is well */
};

/*
 * What is done in one transaction, between its begin and its end.
 *
 * It may read and write by jr_txn_*() and what is built on them, compute, take memory, and
 * fail the transaction by jr_txn_fail(), also with JR_ENOENT to say that something is not
 * there. One that writes may run more than once, each time in a new transaction that
 * knows nothing of the one before. So it sets all that it tells its caller anew, and never
 * adds to it; it leaves what it is given as it is, and changes a copy; and it frees the
 * memory that it took.
 *
 * It must not begin another transaction, nor end its own; call the network; read or write a file,
 * a terminal, a pipe or a socket; log; wake anybody; or wait. All of that would happen once
 * more, or in vain, and one that writes has the lock that everybody waits for.
 */
typedef void jr_txn_body(struct jr_txn *txn, void *context);

/*
 * Run a body in a transaction that only reads. What it sees is the store at one moment, and
 * nobody can disturb it: it runs once, or not at all. So it may move on what it is given, as a walk does.
 *   context  the caller's; handed to the body
 *   error    out: unless JR_OK
 * Returns JR_OK; the code with which the body failed the transaction; or JR_ECONFLICT (others
 * make the map larger all the time), JR_EFORMAT, JR_EBUSY, JR_ENOMEM, JR_EFATAL or JR_EIO. Unless
 * it is JR_OK, the body may not have run, and what it has set is worth nothing.
 */
enum jr_err jr_store_read(struct jr_store *store, jr_txn_body *body, void *context,
                          struct jr_error *error) JR_CHECKED;

/*
 * Run a body in a transaction that writes. On JR_OK all that it wrote is on disk; on any other
 * result nothing of it is.
 *
 * It is run again, up to JR_STORE_RUNS times in all, after JR_ECONFLICT: what others did in the
 * meantime made it fail, and the same may go well now. That is so when other processes make the
 * map larger; when one that died in a transaction makes it look full, by the pages that it
 * holds, which are freed first; or when the body says so itself.
 *   context, error  as with jr_store_read()
 * Returns as jr_store_read(), also JR_EFULL; JR_ECONFLICT when the last run failed with it
 * too. After JR_EFATAL the store has to be closed.
 */
enum jr_err jr_store_write(struct jr_store *store, jr_txn_body *body, void *context,
                           struct jr_error *error) JR_CHECKED;

#define JR_STORE_RUNS 8

/*
 * From now on jr_store_write() only tries: its body does its work, and at the end nothing of it
 * is written. It returns as if it were, but that nobody knows whether there is room for it.
 * With false, it writes again.
 */
void jr_store_only_try(struct jr_store *store, bool tries);

/*
 * Begin a transaction by hand, for who has to know between its begin and its end that it holds the
 * lock (lib/steps/batch.h); everybody else has jr_store_read() and jr_store_write(). What goes
 * wrong is told by commit. Never two at once in a process.
 */
void jr_txn_begin(struct jr_txn *txn, struct jr_store *store, bool writes);

/*
 * Commit, or abort if anything failed before. On JR_OK everything written is
 * on disk. On any other result nothing of it is, and txn->error says why;
 * after JR_EFATAL the store has to be closed.
 */
enum jr_err jr_txn_commit(struct jr_txn *txn) JR_CHECKED;
void jr_txn_abort(struct jr_txn *txn);

/* Make the transaction fail, as a record does that cannot be decoded. */
void jr_txn_fail(struct jr_txn *txn, enum jr_err code, const char *format, ...) JR_PRINTF(3, 4);

/*
 * Look up a key.
 *   value  out: a copy
 *   length out: its length; 0 for a value larger than size: that is no record of ours,
 *          and who reads it finds it as damaged as one that is cut short
 * Returns whether it is there; false also after an error.
 */
bool jr_txn_get(struct jr_txn *txn, enum jr_table table, const void *key, size_t key_length,
                void *value, size_t size, size_t *length);

void jr_txn_put(struct jr_txn *txn, enum jr_table table, const void *key, size_t key_length,
                const void *value, size_t length);

/* Write something that tells nothing: whether that can be committed is what one wants to know. */
void jr_txn_probe(struct jr_txn *txn);

/* Remove a key; that it is not there is no error. */
void jr_txn_delete(struct jr_txn *txn, enum jr_table table, const void *key, size_t key_length);

/* One entry, as copies. */
struct jr_entry {
    unsigned char key[JR_KEY_MAX];
    size_t key_length;
    unsigned char value[JR_VALUE_MAX];
    size_t value_length; /* 0 for a value larger than that, as with jr_txn_get() */
};

/*
 * Find the first entry whose key is not less than (or, with `after`, is greater
 * than) the given key. Walks a table by calling it with the key just found: the cursor stays where
 * it is until the transaction ends, or writes to that table, so that the next step is a short one.
 * Returns whether there is one.
 */
bool jr_txn_seek(struct jr_txn *txn, enum jr_table table, const void *key, size_t key_length,
                 bool after, struct jr_entry *entry);

/*
 * Find the last entry whose key is less than the given key; with a key of length
 * 0, the last entry of all. Walks a table backwards.
 * Returns whether there is one.
 */
bool jr_txn_seek_before(struct jr_txn *txn, enum jr_table table, const void *key,
                        size_t key_length, struct jr_entry *entry);

/* Entries in a table; 0 after an error. */
uint64_t jr_txn_count(struct jr_txn *txn, enum jr_table table);

#endif
