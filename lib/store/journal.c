/*
 * journal -- what administrators did by hand, and who: the newest of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/journal.h"
#include "lib/base/codec.h"

#include <string.h>

#define ACT_VERSION 1

/* In JR_TABLE_META: these bytes and the number of the line (8). */
static const char act_key[] = "act:";
#define KEY_LENGTH (sizeof act_key - 1 + 8)

static const char told_key[] = "acts-told";

static void make_key(uint64_t number, unsigned char key[KEY_LENGTH])
{
    struct jr_writer writer;

    jr_writer_init(&writer, key, KEY_LENGTH);
    jr_write_bytes(&writer, act_key, sizeof act_key - 1);
    jr_write_u64(&writer, number);
}

/* Is it a line of the journal? Then which. */
static bool read_key(const struct jr_entry *entry, uint64_t *number)
{
    struct jr_reader reader;

    if (entry->key_length != KEY_LENGTH || memcmp(entry->key, act_key, sizeof act_key - 1) != 0)
        return false;
    jr_reader_init(&reader, entry->key + sizeof act_key - 1, 8);
    *number = jr_read_u64(&reader);
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
    return reader.ok;
}

bool jr_journal_next(struct jr_txn *txn, uint64_t *number, struct jr_act *act)
{
    unsigned char key[KEY_LENGTH];
    struct jr_entry entry;
    uint64_t found;

    for (;;) {
        make_key(*number, key);
        if (!jr_txn_seek(txn, JR_TABLE_META, key, sizeof key, false, &entry)
            || !read_key(&entry, &found))
            return false;
        *number = found + 1;
        if (decode(act, &entry))
            return true;
    }
}

bool jr_journal_before(struct jr_txn *txn, uint64_t *number, struct jr_act *act)
{
    unsigned char key[KEY_LENGTH];
    struct jr_entry entry;

    do {
        make_key(*number, key);
        if (!jr_txn_seek_before(txn, JR_TABLE_META, key, sizeof key, &entry)
            || !read_key(&entry, number))
            return false;
    } while (!decode(act, &entry));
    return true;
}

/* The number of the line that comes next. */
static uint64_t end_of(struct jr_txn *txn)
{
    unsigned char key[KEY_LENGTH];
    struct jr_entry entry;
    uint64_t number;

    make_key(UINT64_MAX, key);
    return jr_txn_seek_before(txn, JR_TABLE_META, key, sizeof key, &entry)
                   && read_key(&entry, &number)
               ? number + 1
               : 0;
}

void jr_journal_add(struct jr_txn *txn, const struct jr_act *act)
{
    unsigned char key[KEY_LENGTH], record[2048];
    uint64_t number = end_of(txn);
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
    make_key(number, key);
    jr_txn_put(txn, JR_TABLE_META, key, sizeof key, record, writer.length);
    if (number >= JR_ACTS_MAX) {
        make_key(number - JR_ACTS_MAX, key);
        jr_txn_delete(txn, JR_TABLE_META, key, sizeof key);
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
