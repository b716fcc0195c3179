/*
 * history -- the story of each run, as facts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/history.h"
#include "lib/store/ledger.h"

void jr_history_add(struct jr_txn *txn, struct jr_run *run, const struct jr_history *entry,
                    const struct jr_run *before, const struct jr_job *job)
{
    unsigned char key[JR_KEY_MAX], record[JR_VALUE_MAX];
    struct jr_writer writer;

    if (entry->kind == JR_HISTORY_EVENT && run->history_count >= JR_HISTORY_EVENTS_MAX)
        return;
    jr_writer_init(&writer, record, sizeof record);
    jr_history_encode(entry, before, job, &writer);
    if (!writer.ok)
        jr_txn_fail(txn, JR_EINVAL, "an entry of the history is too large");
    jr_txn_put(txn, JR_TABLE_RUNS, key,
               jr_ledger_key(key, run->run_id, JR_PART_HISTORY, run->history_count), record,
               writer.length);
    run->history_count++;
    if (entry->at_ms > run->told_ms)
        run->told_ms = entry->at_ms;
}

bool jr_history_next(struct jr_txn *txn, uint64_t run_id, uint32_t *number,
                     struct jr_history *entry)
{
    struct jr_entry found;
    uint64_t at = *number;

    if (!jr_ledger_seek(txn, run_id, JR_PART_HISTORY, &at, &found))
        return false;
    *number = (uint32_t)at + 1;
    if (jr_history_decode(entry, found.value, found.value_length))
        return true;
    jr_txn_fail(txn, JR_EFORMAT, "the history of run %llu is damaged",
                (unsigned long long)run_id);
    return false;
}
