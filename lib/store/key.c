/*
 * key -- the keys of the store: numbers and bytes, one behind the other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/key.h"
#include "lib/base/codec.h"

#include <endian.h>
#include <string.h>

void jr_key_add_bytes(struct jr_key *key, const void *bytes, size_t size)
{
    if (size > sizeof key->bytes - key->length)
        return;
    memcpy(key->bytes + key->length, bytes, size);
    key->length += size;
}

void jr_key_add_u8(struct jr_key *key, uint8_t number)
{
    jr_key_add_bytes(key, &number, sizeof number);
}

void jr_key_add_u32(struct jr_key *key, uint32_t number)
{
    uint32_t big_endian = htobe32(number);

    jr_key_add_bytes(key, &big_endian, sizeof big_endian);
}

void jr_key_add_u64(struct jr_key *key, uint64_t number)
{
    uint64_t big_endian = htobe64(number);

    jr_key_add_bytes(key, &big_endian, sizeof big_endian);
}

void jr_key_add_time(struct jr_key *key, int64_t time_ms)
{
    int64_t most_ms = time_ms < JR_TIME_MOST ? time_ms : JR_TIME_MOST;

    jr_key_add_u64(key, most_ms < 0 ? 0 : (uint64_t)most_ms);
}

/* Keys are made some dozens of times for a webhook: what is behind their end is not cleared. */
struct jr_key jr_key_of_id(uint64_t id)
{
    struct jr_key key;

    key.length = 0;
    jr_key_add_u64(&key, id);
    return key;
}

struct jr_key jr_key_of_two(uint64_t first, uint64_t second)
{
    struct jr_key key;

    key.length = 0;
    jr_key_add_u64(&key, first);
    jr_key_add_u64(&key, second);
    return key;
}

struct jr_key jr_key_of_three(uint64_t first, uint64_t second, uint64_t third)
{
    struct jr_key key;

    key.length = 0;
    jr_key_add_u64(&key, first);
    jr_key_add_u64(&key, second);
    jr_key_add_u64(&key, third);
    return key;
}

struct jr_key jr_key_of_day(uint32_t day)
{
    struct jr_key key;

    key.length = 0;
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
