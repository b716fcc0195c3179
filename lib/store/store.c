/*
 * store -- one LMDB environment, its tables, and transactions that remember
 * that they failed.
 *
 * LMDB runs with its default flags: each commit is synced, and no crash can
 * damage the file (lmdb.h, mdb_env_open). Pointers into the map never leave
 * this file: values are copied out before the transaction goes on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/store.h"
#include "lib/base/codec.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Slots in the reader table: more than workers, dispatcher and tools can be. */
#define READERS_MAX 512

/* Of jr_writer_watch: below the milliseconds, whether it commits. */
#define COMMITTING UINT64_C(1)
#define TIME_SHIFT 1

/* How often a map that others have made larger is adopted before giving up. */
#define RESIZED_MAX 16

static const char *const table_names[JR_TABLES] = {
    [JR_TABLE_META] = "meta",
    [JR_TABLE_RUNS] = "runs",
    [JR_TABLE_OUTBOX] = "outbox",
    [JR_TABLE_DELIVERIES] = "deliveries",
    [JR_TABLE_AGES] = "ages",
    [JR_TABLE_TOLD] = "told",
    [JR_TABLE_QUIET] = "quiet",
    [JR_TABLE_LINES] = "lines",
    [JR_TABLE_REPOS] = "repos",
    [JR_TABLE_LOOKS] = "looks",
    [JR_TABLE_FLAKY] = "flaky",
    [JR_TABLE_WORST] = "worst",
    [JR_TABLE_SUMS] = "sums",
    [JR_TABLE_DAYS] = "days",
    [JR_TABLE_NOTICES] = "notices",
    [JR_TABLE_FAILURES] = "failures",
    [JR_TABLE_SPENT] = "spent",
    [JR_TABLE_LISTS] = "lists",
};

static const char format_key[] = "format";
static const char probe_key[] = "probe";
static const char format_magic[] = "job-rerunner";

struct jr_store {
    MDB_env *env;
    MDB_dbi tables[JR_TABLES];
    struct jr_writer_watch *watch; /* may be NULL */
    bool stays_awake;
    bool only_tries;
    struct jr_histogram *commit_us; /* may be NULL */
};

/* The one place where LMDB's and the system's codes become ours. */
static enum jr_err err_of(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return JR_OK;
    case MDB_NOTFOUND:
        return JR_ENOENT;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EIO: /* what LMDB makes of a write that was cut short by a full disk */
        return JR_EFULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_VERSION_MISMATCH:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
        return JR_EFORMAT;
    case MDB_READERS_FULL:
    case EBUSY:
        return JR_EBUSY;
    case MDB_MAP_RESIZED:
        return JR_ECONFLICT;
    case MDB_PANIC:
        return JR_EFATAL;
    case ENOMEM:
        return JR_ENOMEM;
    default:
        return JR_EIO;
    }
}

static enum jr_err fail(struct jr_error *error, int rc, const char *what)
{
    return jr_error_set(error, err_of(rc), "%s: %s", what, mdb_strerror(rc));
}

static MDB_txn *handle_of(const struct jr_txn *txn)
{
    return txn->handle;
}

/* Fail a transaction that found another program's store. */
static void fail_foreign(struct jr_txn *txn)
{
    jr_txn_fail(txn, JR_EFORMAT, "the store was made by another program; set STATE_DIR to a "
                "folder of its own");
}

/* Is it of this version? */
static void check_format(struct jr_txn *txn, const void *record, size_t length)
{
    struct jr_reader reader;
    char magic[32];
    uint32_t format;

    jr_reader_init(&reader, record, length);
    format = jr_read_u32(&reader);
    jr_read_text(&reader, magic, sizeof magic);
    if (!reader.ok || strcmp(magic, format_magic) != 0)
        fail_foreign(txn);
    else if (format > JR_STORE_FORMAT)
        jr_txn_fail(txn, JR_EFORMAT, "the store has format %u and this version (%s) knows %u at "
                    "most; install the newer version again, or restore a backup made before the "
                    "upgrade", format, PACKAGE_VERSION, JR_STORE_FORMAT);
    else if (format < JR_STORE_FORMAT)
        jr_txn_fail(txn, JR_EFORMAT, "the store has format %u, of a version before the first "
                    "release; move it away to start with an empty store", format);
}

static void write_format(struct jr_txn *txn)
{
    unsigned char record[64];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u32(&writer, JR_STORE_FORMAT);
    jr_write_text(&writer, format_magic);
    jr_txn_put(txn, JR_TABLE_META, format_key, sizeof format_key - 1, record, writer.length);
}

/* Open every table, and check whose they are; in a transaction that writes, make what is missing. */
static void open_tables(struct jr_txn *txn, void *context)
{
    struct jr_store *store = txn->store;
    unsigned char record[64];
    MDB_dbi main_table;
    MDB_stat status = { .ms_entries = 0 };
    size_t length;
    int rc = mdb_dbi_open(txn->handle, NULL, 0, &main_table);

    (void)context;
    if (rc == MDB_SUCCESS)
        rc = mdb_stat(txn->handle, main_table, &status);
    for (int i = 0; rc == MDB_SUCCESS && i < JR_TABLES; i++)
        rc = mdb_dbi_open(txn->handle, table_names[i], txn->writes ? MDB_CREATE : 0,
                          &store->tables[i]);
    if (rc != MDB_SUCCESS)
        jr_txn_fail(txn, err_of(rc), "cannot open the tables of the store: %s", mdb_strerror(rc));
    if (jr_txn_get(txn, JR_TABLE_META, format_key, sizeof format_key - 1, record, sizeof record,
                   &length))
        check_format(txn, record, length);
    else if (status.ms_entries != 0)
        fail_foreign(txn);
    else
        write_format(txn);
}

/* Why LMDB does not open what is in a folder, and the way out. */
static enum jr_err cannot_open(struct jr_error *error, int rc, const char *folder,
                               int64_t map_size_bytes)
{
    const char *why = mdb_strerror(rc);

    if (rc == ENOMEM)
        return jr_error_set(error, JR_ENOMEM, "STATE_DIR: cannot map the store in '%.200s': %s. "
                            "MAP_SIZE asks for %lld MB of address space, which is neither memory "
                            "nor disk, and this process may not have as much (ulimit -v, a "
                            "container): a smaller MAP_SIZE will do, such as 1G", folder, why,
                            (long long)(map_size_bytes / 1024 / 1024));
    return jr_error_set(error, err_of(rc),
                        rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH
                            ? "STATE_DIR: '%s' holds a data.mdb that is not ours or damaged (%s); "
                              "restore a backup, or move it away to start with an empty store"
                            : "STATE_DIR: cannot open the store in '%s': %s",
                        folder, why);
}

enum jr_err jr_store_open(struct jr_store **store, const char *folder, int64_t map_size_bytes,
                          struct jr_error *error)
{
    struct jr_store *opened = NULL;
    struct jr_error why;
    enum jr_err err;
    int rc;

    *store = NULL;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return jr_error_set(error, JR_EIO, "STATE_DIR: cannot make '%s': %s", folder,
                            strerror(errno));
    opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    rc = mdb_env_create(&opened->env);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_mapsize(opened->env, (size_t)map_size_bytes);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_maxdbs(opened->env, JR_TABLES);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_maxreaders(opened->env, READERS_MAX);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_open(opened->env, folder, 0, 0600);
    if (rc != MDB_SUCCESS) {
        jr_store_close(opened);
        return cannot_open(error, rc, folder, map_size_bytes);
    }
    jr_store_clear_stale_readers(opened);
    /* Only a new store has to wait for the write lock. */
    err = jr_store_read(opened, open_tables, NULL, &why);
    if (err == JR_ENOENT)
        err = jr_store_write(opened, open_tables, NULL, &why);
    if (err != JR_OK) {
        jr_store_close(opened);
        return jr_error_set(error, why.code, "STATE_DIR: '%.100s': %.380s", folder, why.text);
    }
    *store = opened;
    return JR_OK;
}

void jr_store_stay_awake(struct jr_store *store)
{
    store->stays_awake = true;
}

void jr_store_only_try(struct jr_store *store, bool tries)
{
    store->only_tries = tries;
}

/* Block (SIG_BLOCK) what suspends a process, or let it in again (SIG_UNBLOCK). */
static void mask_suspension(const struct jr_store *store, int how)
{
    sigset_t suspending;

    if (!store->stays_awake)
        return;
    sigemptyset(&suspending);
    sigaddset(&suspending, SIGTSTP);
    sigaddset(&suspending, SIGTTIN);
    sigaddset(&suspending, SIGTTOU);
    sigprocmask(how, &suspending, NULL);
}

bool jr_store_exists(const char *folder)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/data.mdb", folder) < (int)sizeof path
           && (access(path, F_OK) == 0 || errno != ENOENT);
}

enum jr_err jr_store_open_copy(struct jr_store **store, const char *folder,
                               struct jr_error *error)
{
    struct jr_store *opened = calloc(1, sizeof *opened);
    enum jr_err err = JR_OK;
    int rc;

    *store = NULL;
    if (opened == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    rc = mdb_env_create(&opened->env);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_maxdbs(opened->env, JR_TABLES);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_open(opened->env, folder, MDB_RDONLY | MDB_NOLOCK, 0600);
    if (rc != MDB_SUCCESS)
        err = jr_error_set(error, err_of(rc), "cannot open the store in '%.200s': %s", folder,
                           mdb_strerror(rc));
    if (err == JR_OK)
        err = jr_store_read(opened, open_tables, NULL, error);
    if (err == JR_OK)
        *store = opened;
    else
        jr_store_close(opened);
    return err;
}

/* On disk, like everything that is promised: LMDB does not sync a copy. */
static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;

    if (fd < 0)
        return errno;
    rc = fsync(fd) == 0 ? MDB_SUCCESS : errno;
    close(fd);
    return rc;
}

enum jr_err jr_store_copy(struct jr_store *store, const char *folder, uint64_t *bytes,
                          struct jr_error *error)
{
    char path[PATH_MAX];
    struct stat status;
    mode_t mask;
    int rc;

    *bytes = 0;
    if (snprintf(path, sizeof path, "%s/data.mdb", folder) >= (int)sizeof path)
        return jr_error_set(error, JR_EIO, "'%.200s': the name is too long", folder);
    if (access(path, F_OK) == 0)
        return jr_error_set(error, JR_EIO, "'%.200s' is there already", path);
    mask_suspension(store, SIG_BLOCK);
    mask = umask(077);
    rc = mdb_env_copy2(store->env, folder, MDB_CP_COMPACT);
    umask(mask);
    mask_suspension(store, SIG_UNBLOCK);
    if (rc == MDB_SUCCESS)
        rc = sync_path(path, 0);
    if (rc == MDB_SUCCESS)
        rc = sync_path(folder, O_DIRECTORY);
    if (rc == MDB_SUCCESS && stat(path, &status) != 0)
        rc = errno;
    if (rc != MDB_SUCCESS) {
        (void)unlink(path);
        return jr_error_set(error, err_of(rc), "cannot copy the store to '%.200s': %s", folder,
                            mdb_strerror(rc));
    }
    *bytes = (uint64_t)status.st_size;
    return JR_OK;
}

void jr_store_close(struct jr_store *store)
{
    if (store == NULL)
        return;
    mdb_env_close(store->env);
    free(store);
}

bool jr_writer_held(const struct jr_writer_watch *watch, int64_t now_ms, int64_t *since_ms,
                    bool *committing)
{
    uint64_t word = watch->word, since = word >> TIME_SHIFT;

    *since_ms = since < (uint64_t)now_ms ? (int64_t)since : now_ms;
    *committing = (word & COMMITTING) != 0;
    return word != 0;
}

void jr_store_watch(struct jr_store *store, struct jr_writer_watch *watch)
{
    store->watch = watch;
}

void jr_store_time(struct jr_store *store, struct jr_histogram *histogram)
{
    store->commit_us = histogram;
}

unsigned jr_store_clear_stale_readers(struct jr_store *store)
{
    int dead = 0;

    (void)mdb_reader_check(store->env, &dead);
    return (unsigned)dead;
}

/* Sum the numbers of pages in the free list; table 0 is LMDB's own (mdb_stat -f does so). */
static int count_free_pages(MDB_txn *txn, uint64_t *pages)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = mdb_cursor_open(txn, 0, &cursor);

    *pages = 0;
    if (rc != MDB_SUCCESS)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
        size_t count = 0;

        if (value.mv_size >= sizeof count)
            memcpy(&count, value.mv_data, sizeof count);
        *pages += count;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

/* How many pages there are, and how many of them are free. */
struct usage {
    uint64_t pages, free_pages, page_bytes, map_bytes;
};

static void measure(struct jr_txn *txn, void *context)
{
    struct usage *usage = context;
    MDB_envinfo info = { .me_mapsize = 0 };
    MDB_stat status = { .ms_psize = 0 };
    int rc = count_free_pages(txn->handle, &usage->free_pages);

    if (rc == MDB_SUCCESS)
        rc = mdb_env_info(txn->store->env, &info);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_stat(txn->store->env, &status);
    if (rc != MDB_SUCCESS)
        jr_txn_fail(txn, err_of(rc), "cannot measure the store: %s", mdb_strerror(rc));
    usage->pages = (uint64_t)info.me_last_pgno + 1;
    usage->page_bytes = status.ms_psize;
    usage->map_bytes = info.me_mapsize;
}

enum jr_err jr_store_usage(struct jr_store *store, uint64_t *used_bytes, uint64_t *map_bytes,
                           struct jr_error *error)
{
    struct usage usage;
    enum jr_err err = jr_store_read(store, measure, &usage, error);

    *used_bytes = *map_bytes = 0;
    if (err != JR_OK)
        return err;
    if (usage.pages > usage.free_pages)
        *used_bytes = (usage.pages - usage.free_pages) * usage.page_bytes;
    *map_bytes = usage.map_bytes;
    return JR_OK;
}

/* Only this process writes its word. */
static void show(struct jr_writer_watch *watch, uint64_t word)
{
    atomic_store_explicit(&watch->word, word, memory_order_relaxed);
}

void jr_txn_begin(struct jr_txn *txn, struct jr_store *store, bool writes)
{
    MDB_txn *handle = NULL;
    int rc = MDB_MAP_RESIZED;

    memset(txn, 0, sizeof *txn);
    txn->store = store;
    mask_suspension(store, SIG_BLOCK);
    for (int i = 0; i < RESIZED_MAX && rc == MDB_MAP_RESIZED; i++) {
        rc = mdb_txn_begin(store->env, NULL, writes ? 0 : MDB_RDONLY, &handle);
        if (rc == MDB_MAP_RESIZED && mdb_env_set_mapsize(store->env, 0) != MDB_SUCCESS)
            break;
    }
    if (rc != MDB_SUCCESS) {
        mask_suspension(store, SIG_UNBLOCK);
        fail(&txn->error, rc, "cannot begin a transaction");
        return;
    }
    txn->handle = handle;
    txn->writes = writes;
    if (writes && store->watch != NULL)
        show(store->watch, (uint64_t)jr_monotonic_ms() << TIME_SHIFT);
}

/* From here on it is the disk that takes long: what was written goes there in pieces (pwrite(2),
 * which waits when there is much of it), and then fdatasync(2) waits for all. */
static void note_committing(const struct jr_txn *txn)
{
    struct jr_writer_watch *watch = txn->writes ? txn->store->watch : NULL;

    if (watch != NULL)
        show(watch, atomic_load_explicit(&watch->word, memory_order_relaxed) | COMMITTING);
}

/* The write lock has been let go of. */
static void end_watch(const struct jr_txn *txn)
{
    if (txn->writes && txn->store->watch != NULL)
        show(txn->store->watch, 0);
    mask_suspension(txn->store, SIG_UNBLOCK);
}

/* Leave a table that may have been walked. */
static void close_cursor(struct jr_txn *txn, enum jr_table table)
{
    if (txn->cursors[table] == NULL)
        return;
    mdb_cursor_close(txn->cursors[table]);
    txn->cursors[table] = NULL;
}

static void close_cursors(struct jr_txn *txn)
{
    for (int table = 0; table < JR_TABLES; table++)
        close_cursor(txn, (enum jr_table)table);
}

enum jr_err jr_txn_commit(struct jr_txn *txn)
{
    MDB_txn *handle = handle_of(txn);
    int64_t start_us;
    int rc;

    if (txn->error.code != JR_OK || (txn->writes && txn->store->only_tries)) {
        jr_txn_abort(txn);
        return txn->error.code;
    }
    close_cursors(txn);
    txn->handle = NULL; /* commit frees it either way */
    note_committing(txn);
    start_us = jr_monotonic_us();
    rc = mdb_txn_commit(handle);
    end_watch(txn);
    if (txn->writes)
        jr_histogram_note(txn->store->commit_us, jr_monotonic_us() - start_us);
    if (rc != MDB_SUCCESS)
        return fail(&txn->error, rc, "cannot commit");
    return JR_OK;
}

void jr_txn_abort(struct jr_txn *txn)
{
    if (txn->handle == NULL)
        return;
    close_cursors(txn);
    mdb_txn_abort(txn->handle);
    txn->handle = NULL;
    end_watch(txn);
}

/* May the same go well now? Pages that a dead reader holds make the map look full. */
static bool is_worth_again(struct jr_store *store, enum jr_err err)
{
    return err == JR_ECONFLICT || (err == JR_EFULL && jr_store_clear_stale_readers(store) > 0);
}

static enum jr_err run(struct jr_store *store, bool writes, jr_txn_body *body, void *context,
                       struct jr_error *error)
{
    struct jr_txn txn;
    enum jr_err err;
    unsigned runs = 0;

    do {
        jr_txn_begin(&txn, store, writes);
        if (txn.error.code == JR_OK)
            body(&txn, context);
        err = jr_txn_commit(&txn);
    } while (writes && ++runs < JR_STORE_RUNS && is_worth_again(store, err));
    if (err != JR_OK)
        *error = txn.error;
    return err;
}

enum jr_err jr_store_read(struct jr_store *store, jr_txn_body *body, void *context,
                          struct jr_error *error)
{
    return run(store, false, body, context, error);
}

/* Run it for nothing: what it leaves must not change what it does the next time. */
static void rehearse(struct jr_store *store, jr_txn_body *body, void *context)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    if (txn.error.code == JR_OK)
        body(&txn, context);
    jr_txn_abort(&txn);
}

enum jr_err jr_store_write(struct jr_store *store, jr_txn_body *body, void *context,
                           struct jr_error *error)
{
    if (jr_test_runs_twice())
        rehearse(store, body, context);
    return run(store, true, body, context, error);
}

void jr_txn_fail(struct jr_txn *txn, enum jr_err code, const char *format, ...)
{
    va_list args;

    if (txn->error.code != JR_OK)
        return;
    txn->error.code = code;
    va_start(args, format);
    vsnprintf(txn->error.text, sizeof txn->error.text, format, args);
    va_end(args);
}

/* Remember a failed LMDB call; true when it was none. */
static bool went_well(struct jr_txn *txn, int rc, const char *verb, enum jr_table table)
{
    if (rc != MDB_SUCCESS)
        jr_txn_fail(txn, err_of(rc), "cannot %s '%s': %s", verb, table_names[table],
                    mdb_strerror(rc));
    return rc == MDB_SUCCESS;
}

bool jr_txn_get(struct jr_txn *txn, enum jr_table table, const void *key, size_t key_length,
                void *value, size_t size, size_t *length)
{
    MDB_val name = { key_length, (void *)(uintptr_t)key }, found;
    int rc;

    *length = 0;
    if (txn->error.code != JR_OK)
        return false;
    rc = mdb_get(txn->handle, txn->store->tables[table], &name, &found);
    if (rc == MDB_NOTFOUND || !went_well(txn, rc, "read", table))
        return false;
    if (found.mv_size <= size) {
        memcpy(value, found.mv_data, found.mv_size);
        *length = found.mv_size;
    }
    return true;
}

void jr_txn_put(struct jr_txn *txn, enum jr_table table, const void *key, size_t key_length,
                const void *value, size_t length)
{
    MDB_val name = { key_length, (void *)(uintptr_t)key };
    MDB_val content = { length, (void *)(uintptr_t)value };

    if (txn->error.code != JR_OK)
        return;
    close_cursor(txn, table);
    went_well(txn, mdb_put(txn->handle, txn->store->tables[table], &name, &content, 0), "write",
              table);
}

void jr_txn_probe(struct jr_txn *txn)
{
    jr_txn_put(txn, JR_TABLE_META, probe_key, sizeof probe_key - 1, "", 0);
}

void jr_txn_delete(struct jr_txn *txn, enum jr_table table, const void *key, size_t key_length)
{
    MDB_val name = { key_length, (void *)(uintptr_t)key };
    int rc;

    if (txn->error.code != JR_OK)
        return;
    close_cursor(txn, table);
    rc = mdb_del(txn->handle, txn->store->tables[table], &name, NULL);
    if (rc != MDB_NOTFOUND)
        went_well(txn, rc, "delete from", table);
}

/* Copy the entry that a cursor has come to; false, with an error if it was not the end. */
static bool take_entry(struct jr_txn *txn, enum jr_table table, int rc, const MDB_val *name,
                       const MDB_val *value, struct jr_entry *entry)
{
    if (rc == MDB_NOTFOUND || !went_well(txn, rc, "walk", table))
        return false;
    if (name->mv_size > sizeof entry->key) {
        jr_txn_fail(txn, JR_EFORMAT, "a key in '%s' is too large", table_names[table]);
        return false;
    }
    memcpy(entry->key, name->mv_data, name->mv_size);
    entry->key_length = name->mv_size;
    entry->value_length = value->mv_size <= sizeof entry->value ? value->mv_size : 0;
    memcpy(entry->value, value->mv_data, entry->value_length);
    return true;
}

/*
 * The cursor of a table; NULL after an error. A table that is written to loses it: LMDB 0.9.24 does
 * not keep every cursor right through that (doc/design.md, "The store").
 */
static MDB_cursor *cursor_of(struct jr_txn *txn, enum jr_table table)
{
    MDB_cursor *opened;

    if (txn->error.code != JR_OK)
        return NULL;
    if (txn->cursors[table] == NULL
        && went_well(txn, mdb_cursor_open(txn->handle, txn->store->tables[table], &opened), "walk",
                     table))
        txn->cursors[table] = opened;
    return txn->cursors[table];
}

bool jr_txn_seek(struct jr_txn *txn, enum jr_table table, const void *key, size_t key_length,
                 bool after, struct jr_entry *entry)
{
    MDB_val name = { key_length, (void *)(uintptr_t)key }, value;
    MDB_cursor *cursor = cursor_of(txn, table);
    int rc;

    if (cursor == NULL)
        return false;
    rc = mdb_cursor_get(cursor, &name, &value, key_length == 0 ? MDB_FIRST : MDB_SET_RANGE);
    if (rc == MDB_SUCCESS && after && name.mv_size == key_length
        && memcmp(name.mv_data, key, key_length) == 0)
        rc = mdb_cursor_get(cursor, &name, &value, MDB_NEXT);
    return take_entry(txn, table, rc, &name, &value, entry);
}

bool jr_txn_seek_before(struct jr_txn *txn, enum jr_table table, const void *key,
                        size_t key_length, struct jr_entry *entry)
{
    MDB_val name = { key_length, (void *)(uintptr_t)key }, value;
    MDB_cursor *cursor = cursor_of(txn, table);
    int rc = MDB_NOTFOUND;

    if (cursor == NULL)
        return false;
    if (key_length != 0)
        rc = mdb_cursor_get(cursor, &name, &value, MDB_SET_RANGE);
    /* Before the first that is not less; when there is none, all are. */
    if (rc == MDB_SUCCESS)
        rc = mdb_cursor_get(cursor, &name, &value, MDB_PREV);
    else if (rc == MDB_NOTFOUND)
        rc = mdb_cursor_get(cursor, &name, &value, MDB_LAST);
    return take_entry(txn, table, rc, &name, &value, entry);
}

uint64_t jr_txn_count(struct jr_txn *txn, enum jr_table table)
{
    MDB_stat status;

    if (txn->error.code != JR_OK
        || !went_well(txn, mdb_stat(txn->handle, txn->store->tables[table], &status), "count",
                      table))
        return 0;
    return status.ms_entries;
}

/* More than half a page of LMDB's, and less than one: it gets a page of its own. */
#define OF_A_PAGE 2200

void jr_store_take_memory(struct jr_store *store, unsigned pages)
{
    static const unsigned char value[OF_A_PAGE];
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    for (unsigned i = 0; i < pages; i++) {
        unsigned char key[] = { 'p', 'a', 'g', 'e', (unsigned char)(i >> 8), (unsigned char)i };

        jr_txn_put(&txn, JR_TABLE_META, key, sizeof key, value, sizeof value);
    }
    jr_txn_abort(&txn);
}
