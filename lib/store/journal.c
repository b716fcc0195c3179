/*
 * journal -- what administrators did by hand, and who: the newest of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/journal.h"
#include "lib/base/codec.h"
#include "lib/store/key.h"

#include <string.h>

#define ACT_VERSION 1

/* In JR_TABLE_META: these bytes and the number of the line (8). */
static const char act_key[] = "act:";
#define NAME_LENGTH (sizeof act_key - 1)

static const char told_key[] = "acts-told";

/* Is it a line of the journal? Then which. */
static bool read_key(const struct jr_entry *entry, uint64_t *number)
{
    if (!jr_key_has_name(entry, act_key, 8))
        return false;
    *number = jr_key_number_at(entry, NAME_LENGTH);
    return true;
}

static bool decode(struct jr_act *act, const struct jr_entry *entry)
{
    struct jr_reader reader;

    memset(act, 0, sizeof *act);
    jr_reader_init(&reader, entry->value, entry->value_length);
    if (jr_read_u8(&reader) != ACT_VERSION)
        return false;
    act->at_ms = jr_read_time(&reader);
    act->kind = (enum jr_act_kind)jr_read_u8(&reader);
    jr_read_text(&reader, act->who, sizeof act->who);
    act->run_id = jr_read_u64(&reader);
    jr_read_text(&reader, act->repo, sizeof act->repo);
    jr_read_text(&reader, act->pause.pattern, sizeof act->pause.pattern);
    act->pause.since_ms = jr_read_time(&reader);
    act->pause.until_ms = jr_read_time(&reader);
    jr_read_text(&reader, act->pause.who, sizeof act->pause.who);
    jr_read_text(&reader, act->pause.why, sizeof act->pause.why);
    if (reader.ok && reader.offset < reader.size) /* it was added later */
        act->cause = (enum jr_cause)jr_read_u8(&reader);
    return reader.ok;
}

bool jr_journal_next(struct jr_txn *txn, uint64_t *number, struct jr_act *act)
{
    struct jr_key key;
    struct jr_entry entry;
    uint64_t found;

    for (;;) {
        key = jr_key_of_numbered(act_key, *number);
        if (!jr_txn_seek(txn, JR_TABLE_META, key.bytes, key.length, false, &entry)
            || !read_key(&entry, &found))
            return false;
        *number = found + 1;
        if (decode(act, &entry))
            return true;
    }
}

bool jr_journal_before(struct jr_txn *txn, uint64_t *number, struct jr_act *act)
{
    struct jr_key key;
    struct jr_entry entry;

    do {
        key = jr_key_of_numbered(act_key, *number);
        if (!jr_txn_seek_before(txn, JR_TABLE_META, key.bytes, key.length, &entry)
            || !read_key(&entry, number))
            return false;
    } while (!decode(act, &entry));
    return true;
}

/* The number of the line that comes next. */
static uint64_t end_of(struct jr_txn *txn)
{
    struct jr_key key = jr_key_of_numbered(act_key, UINT64_MAX);
    struct jr_entry entry;
    uint64_t number;

    return jr_txn_seek_before(txn, JR_TABLE_META, key.bytes, key.length, &entry)
                   && read_key(&entry, &number)
               ? number + 1
               : 0;
}

void jr_journal_add(struct jr_txn *txn, const struct jr_act *act)
{
    unsigned char record[2048];
    uint64_t number = end_of(txn);
    struct jr_key key = jr_key_of_numbered(act_key, number);
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, ACT_VERSION);
    jr_write_time(&writer, act->at_ms);
    jr_write_u8(&writer, (uint8_t)act->kind);
    jr_write_text(&writer, act->who);
    jr_write_u64(&writer, act->run_id);
    jr_write_text(&writer, act->repo);
    jr_write_text(&writer, act->pause.pattern);
    jr_write_time(&writer, act->pause.since_ms);
    jr_write_time(&writer, act->pause.until_ms);
    jr_write_text(&writer, act->pause.who);
    jr_write_text(&writer, act->pause.why);
    jr_write_u8(&writer, (uint8_t)act->cause);
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, record, writer.length);
    if (number >= JR_ACTS_MAX) {
        key = jr_key_of_numbered(act_key, number - JR_ACTS_MAX);
        jr_txn_delete(txn, JR_TABLE_META, key.bytes, key.length);
    }
}

uint64_t jr_journal_untold(struct jr_txn *txn)
{
    unsigned char record[8];
    struct jr_reader reader;
    size_t length;

    if (!jr_txn_get(txn, JR_TABLE_META, told_key, sizeof told_key - 1, record, sizeof record,
                    &length))
        return 0;
    jr_reader_init(&reader, record, length);
    return jr_read_u64(&reader);
}

void jr_journal_tell(struct jr_txn *txn, uint64_t number)
{
    unsigned char record[8];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u64(&writer, number);
    jr_txn_put(txn, JR_TABLE_META, told_key, sizeof told_key - 1, record, sizeof record);
}
