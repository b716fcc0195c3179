/*
 * askings -- what people have asked for on pull requests, in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/askings.h"
#include "lib/store/key.h"

#include <string.h>

/* Behind the names: a number; a repository and a comment; a repository, and whether by a button; a
 * repository and a commit. */
static const char open_name[] = "asking-", read_name[] = "read-comment-",
                  refused_name[] = "not-allowed-", stop_name[] = "stopped-";

/* What a key has room for; the rest of an SHA-256 says nothing more. */
#define SHA_MOST 40

static struct jr_key key_of(const char *name, uint64_t repo_id)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_bytes(&key, name, strlen(name));
    jr_key_add_u64(&key, repo_id);
    return key;
}

static struct jr_key key_of_comment(const struct jr_asked *asked)
{
    struct jr_key key = key_of(read_name, asked->repo_id);

    jr_key_add_u64(&key, asked->comment_id);
    return key;
}

static struct jr_key key_of_commit(uint64_t repo_id, const char *sha)
{
    struct jr_key key = key_of(stop_name, repo_id);

    jr_key_add_bytes(&key, sha, strnlen(sha, SHA_MOST));
    return key;
}

static bool is_there(struct jr_txn *txn, const struct jr_key *key)
{
    unsigned char record[8];
    size_t length;

    return jr_txn_get(txn, JR_TABLE_META, key->bytes, key->length, record, sizeof record, &length);
}

/* Since when something holds is all that its record says. */
static void put_time(struct jr_txn *txn, const struct jr_key *key, int64_t now_ms)
{
    unsigned char record[8];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_time(&writer, now_ms);
    jr_txn_put(txn, JR_TABLE_META, key->bytes, key->length, record, writer.length);
}

/* The next record under a name, whatever stands behind it. */
static bool next_of(struct jr_txn *txn, const char *name, const struct jr_key *after,
                    struct jr_entry *entry)
{
    size_t length = strlen(name);

    return jr_txn_seek(txn, JR_TABLE_META, after->bytes, after->length, true, entry)
           && entry->key_length > length && memcmp(entry->key, name, length) == 0;
}

static uint64_t number_of(const struct jr_entry *entry)
{
    return jr_key_number_at(entry, sizeof open_name - 1);
}

/* The next that is open; a key of another length is none of ours, and they end there. */
static bool next_open(struct jr_txn *txn, const struct jr_key *after, struct jr_entry *entry)
{
    return next_of(txn, open_name, after, entry) && jr_key_has_name(entry, open_name, 8);
}

/*
 * The number of the next one: behind all that there are.
 *   count  out: how many there are
 */
static uint64_t next_number(struct jr_txn *txn, unsigned *count)
{
    struct jr_key key = key_of(open_name, 0);
    struct jr_entry entry;
    uint64_t number = 0;

    for (*count = 0; *count < JR_ASKINGS_MAX && next_open(txn, &key, &entry); ++*count) {
        number = number_of(&entry);
        key = key_of(open_name, number);
    }
    return number + 1;
}

bool jr_askings_add(struct jr_txn *txn, const struct jr_asked *asked, int64_t now_ms)
{
    struct jr_key read = key_of_comment(asked);
    unsigned count;
    uint64_t number = next_number(txn, &count);

    if (count >= JR_ASKINGS_MAX || (asked->comment_id != 0 && is_there(txn, &read)))
        return false;
    if (asked->comment_id != 0)
        put_time(txn, &read, now_ms);
    jr_askings_save(txn, number, asked);
    return true;
}

bool jr_askings_next(struct jr_txn *txn, uint64_t *number, struct jr_asked *asked)
{
    struct jr_entry entry;

    for (;;) {
        struct jr_key key = key_of(open_name, *number);

        if (!next_open(txn, &key, &entry))
            return false;
        *number = number_of(&entry);
        if (jr_asked_decode(asked, entry.value, entry.value_length))
            return true;
    }
}

bool jr_askings_load(struct jr_txn *txn, uint64_t number, struct jr_asked *asked)
{
    unsigned char record[JR_ASKED_RECORD_SIZE];
    struct jr_key key = key_of(open_name, number);
    size_t length;

    return jr_txn_get(txn, JR_TABLE_META, key.bytes, key.length, record, sizeof record, &length)
           && jr_asked_decode(asked, record, length);
}

void jr_askings_save(struct jr_txn *txn, uint64_t number, const struct jr_asked *asked)
{
    unsigned char record[JR_ASKED_RECORD_SIZE];
    struct jr_key key = key_of(open_name, number);
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_asked_encode(asked, &writer);
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, record, writer.length);
}

void jr_askings_remove(struct jr_txn *txn, uint64_t number)
{
    struct jr_key key = key_of(open_name, number);

    jr_txn_delete(txn, JR_TABLE_META, key.bytes, key.length);
}

/* Since when, and how many: an hour that is over, or has not begun, counts no more. */
static unsigned read_refused(struct jr_txn *txn, const struct jr_key *key, int64_t now_ms,
                             int64_t *since_ms)
{
    unsigned char record[12];
    struct jr_reader reader;
    size_t length;
    unsigned count;

    *since_ms = now_ms;
    if (!jr_txn_get(txn, JR_TABLE_META, key->bytes, key->length, record, sizeof record, &length))
        return 0;
    jr_reader_init(&reader, record, length);
    *since_ms = jr_read_time(&reader);
    count = jr_read_u32(&reader);
    if (reader.ok && *since_ms <= now_ms && *since_ms > now_ms - JR_ASKINGS_REFUSED_MS)
        return count;
    *since_ms = now_ms;
    return 0;
}

static struct jr_key key_of_refused(const struct jr_asked *asked)
{
    struct jr_key key = key_of(refused_name, asked->repo_id);
    unsigned char by_button = asked->comment_id == 0;

    jr_key_add_bytes(&key, &by_button, 1);
    return key;
}

unsigned jr_askings_refused(struct jr_txn *txn, const struct jr_asked *asked, int64_t now_ms)
{
    struct jr_key key = key_of_refused(asked);
    int64_t since_ms;

    return read_refused(txn, &key, now_ms, &since_ms);
}

void jr_askings_refuse(struct jr_txn *txn, const struct jr_asked *asked, int64_t now_ms)
{
    struct jr_key key = key_of_refused(asked);
    int64_t since_ms;
    unsigned count = read_refused(txn, &key, now_ms, &since_ms);
    unsigned char record[12];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_time(&writer, since_ms);
    jr_write_u32(&writer, count < UINT32_MAX ? count + 1 : count);
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, record, writer.length);
}

void jr_stops_set(struct jr_txn *txn, uint64_t repo_id, const char *sha, int64_t now_ms)
{
    struct jr_key key = key_of_commit(repo_id, sha);

    put_time(txn, &key, now_ms);
}

void jr_stops_lift(struct jr_txn *txn, uint64_t repo_id, const char *sha)
{
    struct jr_key key = key_of_commit(repo_id, sha);

    jr_txn_delete(txn, JR_TABLE_META, key.bytes, key.length);
}

bool jr_stops_hold(struct jr_txn *txn, const struct jr_run *run)
{
    struct jr_key key = key_of_commit(run->repo_id, run->head_sha);

    return run->repo_id != 0 && *run->head_sha != '\0' && is_there(txn, &key);
}

static void prune(struct jr_txn *txn, const char *name, int64_t before_ms, unsigned most)
{
    struct jr_key key = { .length = 0 };
    struct jr_entry entry;
    struct jr_reader reader;

    jr_key_add_bytes(&key, name, strlen(name));
    while (most > 0 && next_of(txn, name, &key, &entry)) {
        key.length = 0;
        jr_key_add_bytes(&key, entry.key, entry.key_length);
        jr_reader_init(&reader, entry.value, entry.value_length);
        if (jr_read_time(&reader) >= before_ms)
            continue;
        jr_txn_delete(txn, JR_TABLE_META, entry.key, entry.key_length);
        most--;
    }
}

/* Is it over, by a clock that may have been set back meanwhile? */
static bool has_expired(const struct jr_asked *asked, int64_t now_ms)
{
    int64_t since_ms = asked->acted_ms != 0 ? asked->acted_ms : asked->at_ms;

    return since_ms < now_ms - JR_ASKINGS_LIFE_MS || since_ms > now_ms + JR_ASKINGS_LIFE_MS;
}

/* Returns how many could not be read. Nothing but an open one has such a name. */
static unsigned prune_open(struct jr_txn *txn, int64_t now_ms, unsigned most)
{
    struct jr_key key = { .length = 0 };
    struct jr_entry entry;
    struct jr_asked asked;
    unsigned damaged = 0;

    jr_key_add_bytes(&key, open_name, sizeof open_name - 1);
    while (most > 0 && next_of(txn, open_name, &key, &entry)) {
        bool is_read = jr_key_has_name(&entry, open_name, 8)
                       && jr_asked_decode(&asked, entry.value, entry.value_length);

        key.length = 0;
        jr_key_add_bytes(&key, entry.key, entry.key_length);
        if (is_read && !has_expired(&asked, now_ms))
            continue;
        damaged += !is_read;
        jr_txn_delete(txn, JR_TABLE_META, entry.key, entry.key_length);
        most--;
    }
    return damaged;
}

unsigned jr_askings_prune(struct jr_txn *txn, int64_t now_ms, unsigned most)
{
    prune(txn, read_name, now_ms - JR_ASKINGS_READ_MS, most);
    prune(txn, refused_name, now_ms - JR_ASKINGS_REFUSED_MS, most);
    prune(txn, stop_name, now_ms - JR_STOPS_LIFE_MS, most);
    return prune_open(txn, now_ms, most);
}
