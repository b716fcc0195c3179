/*
 * history -- the story of each run: its events, the decisions, the calls.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/codec.h"
#include "lib/history.h"

#include <string.h>

#define HISTORY_VERSION 1

static size_t make_key(unsigned char key[JR_KEY_MAX], uint64_t run_id, uint32_t number)
{
    struct jr_writer writer;

    jr_writer_init(&writer, key, JR_KEY_MAX);
    jr_write_u64(&writer, run_id);
    jr_write_u32(&writer, number);
    return writer.length;
}

void jr_history_add(struct jr_txn *txn, struct jr_run *run, const struct jr_history *entry)
{
    unsigned char key[JR_KEY_MAX], record[1024];
    struct jr_writer writer;

    if (entry->kind == JR_HISTORY_EVENT && run->history_count >= JR_HISTORY_EVENTS_MAX)
        return;
    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, HISTORY_VERSION);
    jr_write_time(&writer, entry->at_ms);
    jr_write_u8(&writer, (uint8_t)entry->kind);
    jr_write_u32(&writer, entry->attempt);
    jr_write_u16(&writer, (uint16_t)entry->reason);
    jr_write_u16(&writer, (uint16_t)entry->status);
    jr_write_u64(&writer, entry->job_id);
    jr_write_text(&writer, entry->delivery);
    jr_write_text(&writer, entry->detail);
    if (!writer.ok)
        jr_txn_fail(txn, JR_EINVAL, "an entry of the history is too large");
    jr_txn_put(txn, JR_TABLE_HISTORY, key, make_key(key, run->run_id, run->history_count), record,
               writer.length);
    run->history_count++;
}

bool jr_history_next(struct jr_txn *txn, uint64_t run_id, uint32_t *number,
                     struct jr_history *entry)
{
    unsigned char key[JR_KEY_MAX];
    struct jr_entry found;
    struct jr_reader reader;

    memset(entry, 0, sizeof *entry);
    if (!jr_txn_seek(txn, JR_TABLE_HISTORY, key, make_key(key, run_id, *number), false, &found))
        return false;
    jr_reader_init(&reader, found.key, found.key_length);
    if (jr_read_u64(&reader) != run_id)
        return false;
    *number = jr_read_u32(&reader) + 1;
    jr_reader_init(&reader, found.value, found.value_length);
    if (jr_read_u8(&reader) != HISTORY_VERSION)
        reader.ok = false;
    entry->at_ms = jr_read_time(&reader);
    entry->kind = (enum jr_history_kind)jr_read_u8(&reader);
    entry->attempt = jr_read_u32(&reader);
    entry->reason = (enum jr_reason)jr_read_u16(&reader);
    entry->status = jr_read_u16(&reader);
    entry->job_id = jr_read_u64(&reader);
    jr_read_text(&reader, entry->delivery, sizeof entry->delivery);
    jr_read_text(&reader, entry->detail, sizeof entry->detail);
    if (!reader.ok)
        jr_txn_fail(txn, JR_EFORMAT, "the history of run %llu is damaged",
                    (unsigned long long)run_id);
    return reader.ok;
}
