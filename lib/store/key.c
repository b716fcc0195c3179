/*
 * key -- the keys of the store: numbers and bytes, one behind the other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/key.h"
#include "lib/base/codec.h"

#include <string.h>

static struct jr_writer end_of(struct jr_key *key)
{
    struct jr_writer writer;

    jr_writer_init(&writer, key->bytes + key->length, sizeof key->bytes - key->length);
    return writer;
}

void jr_key_add_u8(struct jr_key *key, uint8_t number)
{
    struct jr_writer writer = end_of(key);

    jr_write_u8(&writer, number);
    key->length += writer.length;
}

void jr_key_add_u32(struct jr_key *key, uint32_t number)
{
    struct jr_writer writer = end_of(key);

    jr_write_u32(&writer, number);
    key->length += writer.length;
}

void jr_key_add_u64(struct jr_key *key, uint64_t number)
{
    struct jr_writer writer = end_of(key);

    jr_write_u64(&writer, number);
    key->length += writer.length;
}

void jr_key_add_time(struct jr_key *key, int64_t time_ms)
{
    struct jr_writer writer = end_of(key);

    jr_write_time(&writer, time_ms);
    key->length += writer.length;
}

void jr_key_add_bytes(struct jr_key *key, const void *bytes, size_t size)
{
    struct jr_writer writer = end_of(key);

    jr_write_bytes(&writer, bytes, size);
    key->length += writer.length;
}

struct jr_key jr_key_of_id(uint64_t id)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_u64(&key, id);
    return key;
}

struct jr_key jr_key_of_two(uint64_t first, uint64_t second)
{
    struct jr_key key = jr_key_of_id(first);

    jr_key_add_u64(&key, second);
    return key;
}

struct jr_key jr_key_of_day(uint32_t day)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_u32(&key, day);
    return key;
}

struct jr_key jr_key_of_numbered(const char *name, uint64_t number)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_bytes(&key, name, strlen(name));
    jr_key_add_u64(&key, number);
    return key;
}

uint64_t jr_key_number_at(const struct jr_entry *entry, size_t offset)
{
    struct jr_reader reader;

    if (offset >= entry->key_length)
        return 0;
    jr_reader_init(&reader, entry->key + offset, entry->key_length - offset);
    return jr_read_u64(&reader);
}

bool jr_key_has_name(const struct jr_entry *entry, const char *name, size_t size)
{
    size_t length = strlen(name);

    return entry->key_length == length + size && memcmp(entry->key, name, length) == 0;
}

unsigned jr_key_drop_days(struct jr_txn *txn, enum jr_table table, int64_t day, unsigned most)
{
    struct jr_entry entry;
    struct jr_reader reader;
    unsigned removed = 0;

    while (removed < most && jr_txn_seek(txn, table, NULL, 0, false, &entry)) {
        jr_reader_init(&reader, entry.key, entry.key_length);
        if (jr_read_u32(&reader) >= day)
            break;
        jr_txn_delete(txn, table, entry.key, entry.key_length);
        removed++;
    }
    return removed;
}
