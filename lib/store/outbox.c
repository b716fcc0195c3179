/*
 * outbox -- what is to be done, and when: an entry for each thing due, of several kinds.
 *
 * Key: due time (8 bytes), run id (8), kind (1), so that the order of keys is the order in
 * which they come due. Value: attempt, since when it waits, how often it was put off.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/outbox.h"
#include "lib/base/codec.h"
#include "lib/store/key.h"

/* In JR_TABLE_META: these bytes and the number of a kind. */
static const char count_name[] = "outbox-kind-";

static const struct {
    enum jr_due_kind kind;
    const char *name;
} kinds[] = {
    { JR_DUE_ASK, "ask" },
    { JR_DUE_REPORT, "report" },
    { JR_DUE_COMPLAINT, "complaint" },
    { JR_DUE_TRACE, "trace" },
};

const char *jr_outbox_kind_name(enum jr_due_kind kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "unknown";
}

static struct jr_key key_of(const struct jr_due *entry)
{
    struct jr_key key = jr_key_of_two((uint64_t)entry->due_ms, entry->run_id);

    jr_key_add_u8(&key, (uint8_t)entry->kind);
    return key;
}

/* How many entries there are of a kind that is not counted by the table itself. */
static uint64_t count_of(struct jr_txn *txn, enum jr_due_kind kind)
{
    struct jr_key key = jr_key_of_numbered(count_name, (uint64_t)kind);
    unsigned char record[8];
    struct jr_reader reader;
    size_t length;

    if (!jr_txn_get(txn, JR_TABLE_META, key.bytes, key.length, record, sizeof record, &length))
        return 0;
    jr_reader_init(&reader, record, length);
    return jr_read_u64(&reader);
}

/* An entry is added, or another in its place; or it is removed, if it is there. */
static void count_entry(struct jr_txn *txn, const struct jr_due *entry, bool adds)
{
    struct jr_key key = jr_key_of_numbered(count_name, (uint64_t)entry->kind);
    struct jr_due there = *entry;
    unsigned char record[8];
    struct jr_writer writer;

    if (entry->kind == JR_DUE_ASK || jr_outbox_load(txn, &there) == adds)
        return;
    jr_writer_init(&writer, record, sizeof record);
    jr_write_u64(&writer, count_of(txn, entry->kind) + (adds ? 1 : UINT64_MAX));
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, record, writer.length);
}

uint64_t jr_outbox_count_asks(struct jr_txn *txn)
{
    uint64_t all = jr_txn_count(txn, JR_TABLE_OUTBOX), others = 0;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind != JR_DUE_ASK)
            others += count_of(txn, kinds[i].kind);
    return others < all ? all - others : 0;
}

bool jr_outbox_has(struct jr_txn *txn, enum jr_due_kind kind)
{
    return count_of(txn, kind) > 0;
}

void jr_outbox_put(struct jr_txn *txn, const struct jr_due *entry)
{
    struct jr_key key = key_of(entry);
    unsigned char value[24];
    struct jr_writer writer;

    count_entry(txn, entry, true);
    jr_writer_init(&writer, value, sizeof value);
    jr_write_u32(&writer, entry->attempt);
    jr_write_time(&writer, entry->waiting_ms);
    jr_write_short(&writer, entry->tries);
    jr_txn_put(txn, JR_TABLE_OUTBOX, key.bytes, key.length, value, writer.length);
}

void jr_outbox_remove(struct jr_txn *txn, const struct jr_due *entry)
{
    struct jr_key key = key_of(entry);

    count_entry(txn, entry, false);
    jr_txn_delete(txn, JR_TABLE_OUTBOX, key.bytes, key.length);
}

static void read_value(struct jr_due *entry, const void *value, size_t length)
{
    struct jr_reader reader;

    jr_reader_init(&reader, value, length);
    entry->attempt = jr_read_u32(&reader);
    entry->waiting_ms = jr_read_time(&reader);
    entry->tries = (uint32_t)jr_read_short(&reader);
    if (!reader.ok || entry->waiting_ms == 0)
        entry->waiting_ms = entry->due_ms;
}

bool jr_outbox_load(struct jr_txn *txn, struct jr_due *entry)
{
    struct jr_key key = key_of(entry);
    unsigned char value[24];
    size_t length = 0;
    bool found = jr_txn_get(txn, JR_TABLE_OUTBOX, key.bytes, key.length, value, sizeof value,
                            &length);

    read_value(entry, value, found ? length : 0);
    return found;
}

static void read_entry(struct jr_due *due, const struct jr_entry *entry)
{
    *due = (struct jr_due){
        .kind = (enum jr_due_kind)(entry->key_length > 16 ? entry->key[16] : 0),
        .due_ms = (int64_t)jr_key_number_at(entry, 0),
        .run_id = jr_key_number_at(entry, 8),
    };
    read_value(due, entry->value, entry->value_length);
}

/* The first of some kinds behind a key. */
static bool seek(struct jr_txn *txn, unsigned wanted, const struct jr_key *after,
                 struct jr_due *due)
{
    struct jr_entry entry;

    if (!jr_txn_seek(txn, JR_TABLE_OUTBOX, after->bytes, after->length, true, &entry))
        return false;
    for (;;) {
        read_entry(due, &entry);
        if ((wanted & (unsigned)due->kind) != 0)
            return true;
        if (!jr_txn_seek(txn, JR_TABLE_OUTBOX, entry.key, entry.key_length, true, &entry))
            return false;
    }
}

bool jr_outbox_next(struct jr_txn *txn, unsigned wanted, struct jr_due *entry)
{
    struct jr_key key = key_of(entry);

    return seek(txn, wanted, &key, entry);
}

bool jr_outbox_claim(struct jr_txn *txn, unsigned wanted, int64_t latest_ms,
                     struct jr_due *entry)
{
    struct jr_due latest = {
        .kind = (enum jr_due_kind)JR_DUE_ANY, .due_ms = latest_ms, .run_id = UINT64_MAX,
    };
    struct jr_key key = key_of(&latest), none = { .length = 0 };

    return seek(txn, wanted, &key, entry) || seek(txn, wanted, &none, entry);
}

bool jr_outbox_settle(struct jr_txn *txn, const struct jr_due *claimed, int64_t next_ms)
{
    struct jr_due entry = *claimed;

    if (!jr_outbox_load(txn, &entry))
        return false;
    jr_outbox_remove(txn, &entry);
    if (next_ms == 0)
        return true;
    entry.due_ms = next_ms;
    entry.tries++;
    jr_outbox_put(txn, &entry);
    return true;
}
