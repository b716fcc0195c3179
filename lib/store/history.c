/*
 * history -- the story of each run: its events, the decisions, the calls.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/history.h"
#include "lib/base/codec.h"
#include "lib/base/timestamp.h"
#include "lib/store/ledger.h"

#include <stdio.h>
#include <string.h>

#define HISTORY_VERSION 2

const char *jr_history_words(const struct jr_history *entry)
{
    return entry->reason == JR_REASON_PAUSED ? "it waited for the end of a pause"
                                             : jr_reason_words(entry->reason);
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
    jr_write_u8(&writer, (uint8_t)entry->reply);
    jr_write_u16(&writer, (uint16_t)entry->status);
    jr_write_u64(&writer, entry->job_id);
    jr_write_text(&writer, entry->delivery);
    jr_write_text(&writer, entry->detail);
    if (!writer.ok)
        jr_txn_fail(txn, JR_EINVAL, "an entry of the history is too large");
    jr_txn_put(txn, JR_TABLE_RUNS, key,
               jr_ledger_key(key, run->run_id, JR_PART_HISTORY, run->history_count), record,
               writer.length);
    run->history_count++;
    if (entry->at_ms > run->told_ms)
        run->told_ms = entry->at_ms;
}

void jr_history_add_outcome(struct jr_txn *txn, struct jr_run *run, uint32_t attempt,
                            enum jr_reason reason, int64_t now_ms)
{
    struct jr_history entry = {
        .at_ms = now_ms, .kind = JR_HISTORY_OUTCOME, .attempt = attempt, .reason = reason,
    };

    snprintf(entry.detail, sizeof entry.detail, "attempt %u is next", run->attempt);
    jr_history_add(txn, run, &entry);
}

void jr_history_add_decision(struct jr_txn *txn, struct jr_run *run, enum jr_reason reason,
                             int64_t now_ms)
{
    struct jr_history entry = {
        .at_ms = now_ms, .kind = JR_HISTORY_DECISION, .attempt = run->attempt, .reason = reason,
    };
    char due[JR_TIMESTAMP_SIZE];

    snprintf(entry.detail, sizeof entry.detail,
             "%s; jobs known %u, unfinished %u, failed %u%s%s%s%s", jr_phase_name(run->phase),
             run->jobs_known, run->jobs_unfinished, run->jobs_failed,
             run->complete ? "; run completed " : "",
             run->complete ? jr_conclusion_name(run->conclusion) : "",
             run->due_ms != 0 ? "; GitHub is asked at " : "",
             run->due_ms != 0 ? jr_timestamp_format(run->due_ms, due) : "");
    if (reason == JR_REASON_SUPERSEDED)
        snprintf(entry.detail + strlen(entry.detail), sizeof entry.detail - strlen(entry.detail),
                 "; by run %llu", (unsigned long long)run->superseded_by);
    jr_history_add(txn, run, &entry);
}

bool jr_history_next(struct jr_txn *txn, uint64_t run_id, uint32_t *number,
                     struct jr_history *entry)
{
    struct jr_entry found;
    struct jr_reader reader;
    uint64_t at = *number;

    memset(entry, 0, sizeof *entry);
    if (!jr_ledger_seek(txn, run_id, JR_PART_HISTORY, &at, &found))
        return false;
    *number = (uint32_t)at + 1;
    jr_reader_init(&reader, found.value, found.value_length);
    if (jr_read_u8(&reader) != HISTORY_VERSION)
        reader.ok = false;
    entry->at_ms = jr_read_time(&reader);
    entry->kind = (enum jr_history_kind)jr_read_u8(&reader);
    entry->attempt = jr_read_u32(&reader);
    entry->reason = (enum jr_reason)jr_read_u16(&reader);
    entry->reply = (enum jr_reply)jr_read_u8(&reader);
    entry->status = jr_read_u16(&reader);
    entry->job_id = jr_read_u64(&reader);
    jr_read_text(&reader, entry->delivery, sizeof entry->delivery);
    jr_read_text(&reader, entry->detail, sizeof entry->detail);
    if (entry->reply >= JR_REPLIES)
        reader.ok = false;
    if (!reader.ok)
        jr_txn_fail(txn, JR_EFORMAT, "the history of run %llu is damaged",
                    (unsigned long long)run_id);
    return reader.ok;
}
