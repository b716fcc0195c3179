/*
 * key -- the keys of the store: numbers and bytes, one behind the other.
 *
 * Numbers are big-endian, so that the order of keys is the order of numbers. doc/design.md,
 * "The store", has the shape of the keys of each table.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_KEY_H
#define JR_KEY_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jr_key {
    unsigned char bytes[JR_KEY_MAX];
    size_t length;
};

/* Add to a key, which has length 0 at first. What does not fit is left out: no shape is so long. */
void jr_key_add_u8(struct jr_key *key, uint8_t number);
void jr_key_add_u32(struct jr_key *key, uint32_t number);
void jr_key_add_u64(struct jr_key *key, uint64_t number);
void jr_key_add_time(struct jr_key *key, int64_t time_ms); /* bounded as by jr_write_time() */
void jr_key_add_bytes(struct jr_key *key, const void *bytes, size_t size);

/* The shapes that more than one table has. */
struct jr_key jr_key_of_id(uint64_t id);
struct jr_key jr_key_of_two(uint64_t first, uint64_t second); /* an hour or a time, and an id */
struct jr_key jr_key_of_three(uint64_t first, uint64_t second, uint64_t third);
struct jr_key jr_key_of_day(uint32_t day);

/* In JR_TABLE_META, where each kind of thing has a name: one of them by its number. */
struct jr_key jr_key_of_numbered(const char *name, uint64_t number);

/* The number of 8 bytes that stands at an offset of an entry's key; 0 when it is too short. */
uint64_t jr_key_number_at(const struct jr_entry *entry, size_t offset);

/*
 * Is it an entry of JR_TABLE_META under this name?
 *   size    how many bytes stand behind the name
 */
bool jr_key_has_name(const struct jr_entry *entry, const char *name, size_t size);

/*
 * Remove the first entries of a table whose keys begin with a day (4 bytes), of days before one.
 *   day   since 1970; more than UINT32_MAX: all days are before it
 *   most  so many at most
 * Returns how many were removed.
 */
unsigned jr_key_drop_days(struct jr_txn *txn, enum jr_table table, int64_t day, unsigned most);

#endif
