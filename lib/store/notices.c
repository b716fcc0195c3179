/*
 * notices -- what people are to be told, until that is done.
 *
 * Key: the number (8 bytes). What is common to all stands in JR_TABLE_META.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/notices.h"
#include "lib/crypto/signature.h"
#include "lib/store/key.h"

#include <stdio.h>
#include <string.h>

#define STATE_VERSION 1

/* So many are dropped in a transaction for their age. */
#define OLD_MOST 200

struct state {
    uint64_t newest;      /* the number given last */
    uint64_t first, last; /* the batch that was begun; 0: none */
    int64_t begun_ms;
    uint64_t sent, dropped;
};

static struct jr_key state_key(void)
{
    return jr_key_of_numbered("notices", 0);
}

/* Of a damaged one only the newest number is needed, which the table tells. */
static void repair(struct jr_txn *txn, struct state *state)
{
    struct jr_entry entry;

    memset(state, 0, sizeof *state);
    if (jr_txn_seek_before(txn, JR_TABLE_NOTICES, "", 0, &entry))
        state->newest = jr_key_number_at(&entry, 0);
}

static void load(struct jr_txn *txn, struct state *state)
{
    struct jr_key key = state_key();
    unsigned char record[64];
    struct jr_reader reader;
    size_t length;

    memset(state, 0, sizeof *state);
    if (!jr_txn_get(txn, JR_TABLE_META, key.bytes, key.length, record, sizeof record, &length))
        return;
    jr_reader_init(&reader, record, length);
    reader.ok = jr_read_u8(&reader) == STATE_VERSION;
    state->newest = jr_read_short(&reader);
    state->first = jr_read_short(&reader);
    state->last = jr_read_short(&reader);
    state->begun_ms = jr_read_time(&reader);
    state->sent = jr_read_short(&reader);
    state->dropped = jr_read_short(&reader);
    if (!reader.ok)
        repair(txn, state);
}

static void save(struct jr_txn *txn, const struct state *state)
{
    struct jr_key key = state_key();
    unsigned char record[64];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, STATE_VERSION);
    jr_write_short(&writer, state->newest);
    jr_write_short(&writer, state->first);
    jr_write_short(&writer, state->last);
    jr_write_time(&writer, state->begun_ms);
    jr_write_short(&writer, state->sent);
    jr_write_short(&writer, state->dropped);
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, record, writer.length);
}

/* The first notice from a number on. A record that cannot be read has kind JR_NOTICE_TEST. */
static bool find(struct jr_txn *txn, uint64_t from, struct jr_notice *notice)
{
    struct jr_key key = jr_key_of_id(from);
    struct jr_entry entry;

    if (!jr_txn_seek(txn, JR_TABLE_NOTICES, key.bytes, key.length, false, &entry))
        return false;
    if (!jr_notice_decode(notice, entry.value, entry.value_length))
        *notice = (struct jr_notice){ .kind = JR_NOTICE_TEST };
    notice->number = jr_key_number_at(&entry, 0);
    return true;
}

static void drop(struct jr_txn *txn, uint64_t number)
{
    struct jr_key key = jr_key_of_id(number);

    jr_txn_delete(txn, JR_TABLE_NOTICES, key.bytes, key.length);
}

void jr_notices_add(struct jr_txn *txn, const struct jr_notice *notice)
{
    unsigned char record[JR_NOTICE_RECORD_SIZE];
    struct jr_notice oldest;
    struct jr_writer writer;
    struct state state;
    struct jr_key key;

    load(txn, &state);
    if (jr_txn_count(txn, JR_TABLE_NOTICES) >= JR_NOTICES_MOST && find(txn, 0, &oldest)) {
        drop(txn, oldest.number);
        state.dropped++;
    }
    state.newest++;
    key = jr_key_of_id(state.newest);
    jr_writer_init(&writer, record, sizeof record);
    jr_notice_encode(notice, &writer);
    jr_txn_put(txn, JR_TABLE_NOTICES, key.bytes, key.length, record, writer.length);
    save(txn, &state);
}

/* In JR_TABLE_META: this and a hash of the names; the value is when it was last seen. */
static const char seen_name[] = "noticed:";

static struct jr_key seen_key(struct jr_txn *txn, const struct jr_notice *notice)
{
    unsigned char digest[JR_SHA256_SIZE] = { 0 };
    char names[3 * JR_NAME_SIZE + JR_REPO_SIZE];
    uint64_t hash;
    int length = snprintf(names, sizeof names, "%s%c%s%c%s%c%s", jr_notice_kind_name(notice->kind),
                          0, notice->repo, 0, notice->workflow, 0, notice->subject);

    if (jr_sha256(names, (size_t)length, digest) != JR_OK)
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
    memcpy(&hash, digest, sizeof hash);
    return jr_key_of_numbered(seen_name, hash);
}

static int64_t seen_ms(const void *value, size_t length)
{
    struct jr_reader reader;
    int64_t time_ms;

    jr_reader_init(&reader, value, length);
    time_ms = jr_read_time(&reader);
    return reader.ok ? time_ms : 0;
}

bool jr_notices_is_news(struct jr_txn *txn, const struct jr_notice *notice, int64_t now_ms)
{
    struct jr_key key = seen_key(txn, notice);
    unsigned char value[8];
    struct jr_writer writer;
    size_t length;
    bool known = jr_txn_get(txn, JR_TABLE_META, key.bytes, key.length, value, sizeof value,
                            &length)
                 && seen_ms(value, length) > now_ms - JR_NOTICES_QUIET_MS;

    jr_writer_init(&writer, value, sizeof value);
    jr_write_time(&writer, now_ms);
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, value, writer.length);
    return !known;
}

void jr_notices_forget(struct jr_txn *txn, int64_t now_ms)
{
    struct jr_key key = jr_key_of_numbered(seen_name, 0);
    struct jr_entry entry;
    bool after = false;

    memcpy(entry.key, key.bytes, key.length);
    entry.key_length = key.length;
    for (int i = 0; i < OLD_MOST; i++, after = true) {
        if (!jr_txn_seek(txn, JR_TABLE_META, entry.key, entry.key_length, after, &entry)
            || !jr_key_has_name(&entry, seen_name, 8))
            return;
        if (seen_ms(entry.value, entry.value_length) <= now_ms - JR_NOTICES_QUIET_MS)
            jr_txn_delete(txn, JR_TABLE_META, entry.key, entry.key_length);
    }
}

void jr_notices_sum(struct jr_txn *txn, struct jr_notices_sum *sum)
{
    struct state state;

    load(txn, &state);
    sum->waiting = jr_txn_count(txn, JR_TABLE_NOTICES);
    sum->sent = state.sent;
    sum->dropped = state.dropped;
}

/* A damaged one has no time, and is as old as can be. */
static void drop_old(struct jr_txn *txn, int64_t now_ms, struct state *state)
{
    struct jr_notice notice;

    for (int i = 0; i < OLD_MOST && find(txn, 0, &notice)
                    && notice.at_ms < now_ms - JR_NOTICES_AGE_MS; i++) {
        drop(txn, notice.number);
        state->dropped++;
    }
}

static void collect(struct jr_txn *txn, struct jr_notice_batch *batch)
{
    struct jr_notice notice;

    for (uint64_t from = batch->first; find(txn, from, &notice) && notice.number <= batch->last;
         from = notice.number + 1) {
        if (notice.kind == JR_NOTICE_TEST)
            continue;
        if (batch->items_count < JR_NOTICES_SINGLE)
            batch->items[batch->items_count++] = notice;
        batch->counts[notice.kind]++;
        batch->count++;
    }
}

void jr_notices_begin(struct jr_txn *txn, int64_t now_ms, struct jr_notice_batch *batch)
{
    struct jr_notice oldest;
    struct state state;

    memset(batch, 0, sizeof *batch);
    load(txn, &state);
    drop_old(txn, now_ms, &state);
    batch->first = state.first;
    batch->last = state.last;
    batch->begun_ms = state.begun_ms;
    if (batch->last != 0)
        collect(txn, batch);
    if (batch->count == 0 && find(txn, 0, &oldest)) {
        batch->first = oldest.number;
        batch->begun_ms = now_ms;
        batch->last = jr_txn_count(txn, JR_TABLE_NOTICES) > JR_NOTICES_SINGLE ? state.newest
                                                                            : oldest.number;
        collect(txn, batch);
    }
    if (batch->count == 0)
        batch->first = batch->last = 0;
    state.first = batch->first;
    state.last = batch->last;
    state.begun_ms = batch->begun_ms;
    save(txn, &state);
}

void jr_notices_end(struct jr_txn *txn, const struct jr_notice_batch *batch, bool sent)
{
    struct jr_notice notice;
    struct state state;

    load(txn, &state);
    while (find(txn, batch->first, &notice) && notice.number <= batch->last)
        drop(txn, notice.number);
    *(sent ? &state.sent : &state.dropped) += batch->count;
    if (state.first == batch->first && state.last == batch->last)
        state.first = state.last = 0;
    save(txn, &state);
}
