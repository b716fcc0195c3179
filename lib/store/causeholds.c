/*
 * causeholds -- for which causes reruns are held, in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/causeholds.h"
#include "lib/base/codec.h"
#include "lib/store/key.h"

#include <string.h>

#define HOLD_VERSION 1

/* In JR_TABLE_META: these bytes and the cause (1). */
static const char hold_key[] = "causehold:";
#define NAME_LENGTH (sizeof hold_key - 1)

#define NEWS_ALL \
    (JR_CAUSEHOLD_BEGINS | JR_CAUSEHOLD_PROBES | JR_CAUSEHOLD_HOLDS_ON | JR_CAUSEHOLD_OVER)

static struct jr_key key_of(enum jr_cause cause)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_bytes(&key, hold_key, NAME_LENGTH);
    jr_key_add_u8(&key, (uint8_t)cause);
    return key;
}

static bool decode(struct jr_causehold *hold, const struct jr_entry *entry)
{
    struct jr_reader reader;

    jr_reader_init(&reader, entry->value, entry->value_length);
    if (jr_read_u8(&reader) != HOLD_VERSION)
        return false;
    hold->phase = (enum jr_causehold_phase)jr_read_u8(&reader);
    hold->since_ms = jr_read_time(&reader);
    hold->runs = jr_read_u32(&reader);
    hold->workflows = jr_read_u32(&reader);
    hold->first_hold_ms = jr_read_time(&reader);
    hold->hold_ms = jr_read_time(&reader);
    hold->next_probe_ms = jr_read_time(&reader);
    hold->probe_run_id = jr_read_u64(&reader);
    hold->probe_attempt = jr_read_u32(&reader);
    hold->probe_ms = jr_read_time(&reader);
    hold->probes = jr_read_u32(&reader);
    hold->last_run_id = jr_read_u64(&reader);
    hold->over_ms = jr_read_time(&reader);
    hold->end = (enum jr_causehold_end)jr_read_u8(&reader);
    jr_read_text(&reader, hold->lifted_by, sizeof hold->lifted_by);
    hold->released = jr_read_u32(&reader);
    hold->news = jr_read_u8(&reader);
    return reader.ok && hold->phase <= JR_CAUSEHOLD_RELEASING
           && hold->end <= JR_CAUSEHOLD_UNWANTED && (hold->news & ~(unsigned)NEWS_ALL) == 0
           && hold->hold_ms <= JR_DAY_MS && hold->first_hold_ms <= JR_DAY_MS;
}

static void take(struct jr_causehold *hold, const struct jr_entry *entry, enum jr_cause cause,
                 int64_t now_ms)
{
    memset(hold, 0, sizeof *hold);
    if (!decode(hold, entry))
        memset(hold, 0, sizeof *hold);
    hold->cause = cause;
    jr_causehold_keep_time(hold, now_ms);
}

void jr_causeholds_load(struct jr_txn *txn, int64_t now_ms, struct jr_causeholds *holds)
{
    struct jr_key key = key_of(JR_CAUSE_NONE);
    struct jr_entry entry;

    holds->count = 0;
    while (holds->count < JR_CAUSEHOLDS_MAX
           && jr_txn_seek(txn, JR_TABLE_META, key.bytes, key.length, true, &entry)
           && jr_key_has_name(&entry, hold_key, 1)) {
        enum jr_cause cause = (enum jr_cause)entry.key[NAME_LENGTH];

        if (jr_cause_is_infrastructural(cause))
            take(&holds->items[holds->count++], &entry, cause, now_ms);
        key = key_of(cause);
    }
}

void jr_causehold_load(struct jr_txn *txn, enum jr_cause cause, int64_t now_ms,
                       struct jr_causehold *hold)
{
    struct jr_key key = key_of(cause);
    struct jr_entry entry = { .value_length = 0 };

    (void)jr_txn_get(txn, JR_TABLE_META, key.bytes, key.length, entry.value, sizeof entry.value,
                     &entry.value_length);
    take(hold, &entry, cause, now_ms);
}

void jr_causehold_save(struct jr_txn *txn, const struct jr_causehold *hold)
{
    struct jr_key key = key_of(hold->cause);
    unsigned char record[512];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, HOLD_VERSION);
    jr_write_u8(&writer, (uint8_t)hold->phase);
    jr_write_time(&writer, hold->since_ms);
    jr_write_u32(&writer, hold->runs);
    jr_write_u32(&writer, hold->workflows);
    jr_write_time(&writer, hold->first_hold_ms);
    jr_write_time(&writer, hold->hold_ms);
    jr_write_time(&writer, hold->next_probe_ms);
    jr_write_u64(&writer, hold->probe_run_id);
    jr_write_u32(&writer, hold->probe_attempt);
    jr_write_time(&writer, hold->probe_ms);
    jr_write_u32(&writer, hold->probes);
    jr_write_u64(&writer, hold->last_run_id);
    jr_write_time(&writer, hold->over_ms);
    jr_write_u8(&writer, (uint8_t)hold->end);
    jr_write_text(&writer, hold->lifted_by);
    jr_write_u32(&writer, hold->released);
    jr_write_u8(&writer, (uint8_t)hold->news);
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, record, writer.length);
}

const struct jr_causehold *jr_causeholds_find(const struct jr_causeholds *holds,
                                              enum jr_cause cause)
{
    for (size_t i = 0; i < holds->count; i++)
        if (holds->items[i].cause == cause)
            return &holds->items[i];
    return NULL;
}

jr_causes jr_causeholds_in_force(const struct jr_causeholds *holds)
{
    jr_causes causes = 0;

    for (size_t i = 0; i < holds->count; i++)
        if (holds->items[i].phase != JR_CAUSEHOLD_FREE)
            causes |= UINT64_C(1) << holds->items[i].cause;
    return causes;
}
