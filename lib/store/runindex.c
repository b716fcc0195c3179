/*
 * runindex -- by what runs are found that somebody wants to see.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/runindex.h"
#include "lib/store/key.h"

#include <ctype.h>
#include <string.h>

/* Where the run stands in a key. */
#define RUN_AT  (1 + 8)
#define KEY_END (RUN_AT + 8)

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/: for names that nobody forges. */
uint64_t jr_runindex_scope(const char *repo)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *repo != '\0'; repo++)
        hash = (hash ^ (uint64_t)tolower((unsigned char)*repo)) * UINT64_C(0x100000001b3);
    return hash != JR_RUNINDEX_ALL ? hash : 1;
}

static struct jr_key key_of(enum jr_runindex list, uint64_t scope, uint64_t run_id)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_u8(&key, (uint8_t)list);
    jr_key_add_u64(&key, scope);
    jr_key_add_u64(&key, run_id);
    return key;
}

void jr_runindex_put(struct jr_txn *txn, enum jr_runindex list, uint64_t scope, uint64_t run_id)
{
    struct jr_key key = key_of(list, scope, run_id);

    jr_txn_put(txn, JR_TABLE_LISTS, key.bytes, key.length, "", 0);
}

void jr_runindex_drop(struct jr_txn *txn, enum jr_runindex list, uint64_t scope, uint64_t run_id)
{
    struct jr_key key = key_of(list, scope, run_id);

    jr_txn_delete(txn, JR_TABLE_LISTS, key.bytes, key.length);
}

bool jr_runindex_before(struct jr_txn *txn, enum jr_runindex list, uint64_t scope,
                        uint64_t *run_id)
{
    struct jr_key key = key_of(list, scope, *run_id != 0 ? *run_id : UINT64_MAX);
    struct jr_entry entry;

    if (!jr_txn_seek_before(txn, JR_TABLE_LISTS, key.bytes, key.length, &entry)
        || entry.key_length != KEY_END || memcmp(entry.key, key.bytes, RUN_AT) != 0)
        return false;
    *run_id = jr_key_number_at(&entry, RUN_AT);
    return true;
}
