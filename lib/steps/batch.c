/*
 * batch -- group commit: the updates of concurrent workers in one transaction.
 *
 * Applying an update twice is harmless: its delivery is remembered by the first
 * time, and what a transaction that failed had done is not there.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/batch.h"
#include "lib/base/codec.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A slot's word: its state, whether its owner is to lead, and the batch's number as far as it fits. */
#define STATE_MASK   UINT32_C(3)
#define TO_LEAD      UINT32_C(4)
#define NUMBER_SHIFT 3

/* Who is not told anything for so long sees for himself: the leader may be dead. */
#define WAIT_LIMIT_MS 100

static enum jr_slot_state state_of(uint32_t word)
{
    return (enum jr_slot_state)(word & STATE_MASK);
}

enum jr_slot_state jr_slot_state(const struct jr_slot *slot)
{
    return state_of(slot->word);
}

static uint32_t word_of(enum jr_slot_state state, uint64_t number)
{
    return (uint32_t)state | (uint32_t)(number << NUMBER_SHIFT);
}

/* Change all of the word but TO_LEAD. */
static void set_state(struct jr_slot *slot, enum jr_slot_state state, uint64_t number)
{
    uint32_t before = slot->word;

    while (!atomic_compare_exchange_weak(&slot->word, &before,
                                         word_of(state, number) | (before & TO_LEAD)))
        continue;
}

static void wake_owner(struct jr_slot *slot)
{
    (void)syscall(SYS_futex, &slot->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/*
 * Let the others of a batch know that it is on disk. One that is no longer as the
 * batch left it is left alone. Of a batch that failed nobody is told: the next one
 * may have the same number, and hold the same slots already.
 */
static void tell_followers(struct jr_batch *batch, uint64_t number)
{
    for (size_t i = 0; i < batch->slots.count; i++) {
        struct jr_slot *slot = &batch->slots.all[i];
        uint32_t before = slot->word;

        if (i != batch->slots.own && (before & ~TO_LEAD) == word_of(JR_SLOT_APPLIED, number)
            && atomic_compare_exchange_strong(
                &slot->word, &before, word_of(JR_SLOT_DURABLE, number) | (before & TO_LEAD)))
            wake_owner(slot);
    }
}

/* May its owner be made the leader? He waits, as far as one can see, and is not to lead yet. */
static bool may_lead(uint32_t word)
{
    enum jr_slot_state state = state_of(word);

    return (state == JR_SLOT_WAITING || state == JR_SLOT_APPLIED) && (word & TO_LEAD) == 0;
}

/* Make one of those that wait the next leader. Returns whether there is one. */
static bool name_leader(struct jr_batch *batch)
{
    for (size_t i = 1; i < batch->slots.count; i++) {
        struct jr_slot *slot = &batch->slots.all[(batch->slots.own + i) % batch->slots.count];
        uint32_t before = slot->word;

        if (may_lead(before)
            && atomic_compare_exchange_strong(&slot->word, &before, before | TO_LEAD)) {
            wake_owner(slot);
            return true;
        }
    }
    return false;
}

/* Is there one for name_leader()? Who was named, and died, would be waited for in vain. */
static bool anyone_waits(const struct jr_batch *batch)
{
    for (size_t i = 0; i < batch->slots.count; i++)
        if (i != batch->slots.own && may_lead(batch->slots.all[i].word))
            return true;
    return false;
}

/* End leading. Who began to wait after the search for a leader saw that there was one. */
static void stop_leading(struct jr_batch *batch)
{
    do {
        if (name_leader(batch))
            return;
        *batch->slots.leading = 0;
    } while (anyone_waits(batch) && atomic_exchange(batch->slots.leading, 1) == 0);
}

/*
 * Wait for one's update to be on disk, or for one's turn.
 * Returns whether it is one's turn: as the leader, or to see for oneself.
 */
static bool wait_for_turn(struct jr_batch *batch)
{
    struct jr_slot *own = &batch->slots.all[batch->slots.own];
    int64_t limit_ms = jr_monotonic_ms() + WAIT_LIMIT_MS;

    if (atomic_exchange(batch->slots.leading, 1) == 0)
        return true;
    for (;;) {
        uint32_t word = own->word;
        int64_t left_ms = limit_ms - jr_monotonic_ms();
        struct timespec limit = { .tv_nsec = left_ms * 1000000 };

        if ((word & STATE_MASK) == JR_SLOT_DURABLE)
            return false;
        if ((word & TO_LEAD) != 0 || left_ms <= 0)
            return true;
        (void)syscall(SYS_futex, &own->word, FUTEX_WAIT, word, &limit, NULL, 0);
    }
}

/* Empty one's own slot under the lock: a leader may be applying what is in it. */
static enum jr_err clear_own(struct jr_batch *batch, struct jr_store *store, struct jr_error *error)
{
    struct jr_slot *own = &batch->slots.all[batch->slots.own];
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    if (txn.error.code == JR_OK) {
        own->trying = own->alone = 0;
        own->word = JR_SLOT_EMPTY;
    }
    jr_txn_abort(&txn);
    if (txn.error.code != JR_OK)
        *error = txn.error;
    return txn.error.code;
}

enum jr_err jr_batch_open(struct jr_batch *batch, const struct jr_slots *slots,
                          struct jr_store *store, struct jr_error *error)
{
    memset(batch, 0, sizeof *batch);
    batch->slots = *slots;
    return clear_own(batch, store, error);
}

static const char number_key[] = "batch";

/* Nobody has an update in a slot for as long. */
#define NUMBER_LIFE_MS JR_DAY_MS

/*
 * Each array of slots counts for itself: plain CGI, or another service on the
 * same store, must not make a failed batch of ours look as if it were on disk.
 */
static size_t make_key(unsigned char key[JR_KEY_MAX], uint64_t id)
{
    struct jr_writer writer;

    jr_writer_init(&writer, key, JR_KEY_MAX);
    jr_write_bytes(&writer, number_key, sizeof number_key - 1);
    jr_write_u64(&writer, id);
    return writer.length;
}

/* The number of the array's last batch that is on disk. */
static uint64_t read_number(struct jr_txn *txn, uint64_t id)
{
    unsigned char key[JR_KEY_MAX], record[16];
    struct jr_reader reader;
    size_t length;

    if (!jr_txn_get(txn, JR_TABLE_META, key, make_key(key, id), record, sizeof record, &length))
        return 0;
    jr_reader_init(&reader, record, length);
    return jr_read_u64(&reader);
}

static void write_number(struct jr_txn *txn, uint64_t id, uint64_t number, int64_t now_ms)
{
    unsigned char key[JR_KEY_MAX], record[16];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u64(&writer, number);
    jr_write_time(&writer, now_ms);
    jr_txn_put(txn, JR_TABLE_META, key, make_key(key, id), record, sizeof record);
}

void jr_batch_prune(struct jr_txn *txn, int64_t now_ms)
{
    struct jr_entry entry = { .key_length = sizeof number_key - 1 };
    struct jr_reader reader;

    memcpy(entry.key, number_key, entry.key_length);
    while (jr_txn_seek(txn, JR_TABLE_META, entry.key, entry.key_length, true, &entry)
           && entry.key_length == sizeof number_key - 1 + 8
           && memcmp(entry.key, number_key, sizeof number_key - 1) == 0) {
        jr_reader_init(&reader, entry.value, entry.value_length);
        (void)jr_read_u64(&reader);
        if (now_ms - jr_read_time(&reader) > NUMBER_LIFE_MS)
            jr_txn_delete(txn, JR_TABLE_META, entry.key, entry.key_length);
    }
}

/*
 *   word    the slot's, as it was read once
 *   number  of the last batch on disk
 */
static bool is_on_disk(const struct jr_slot *slot, uint32_t word, uint64_t number)
{
    enum jr_slot_state state = state_of(word);

    return state == JR_SLOT_DURABLE || (state == JR_SLOT_APPLIED && slot->number <= number);
}

/* Apply one's own, as the caller has them. */
static void apply_own(struct jr_batch *batch, struct jr_txn *txn,
                      const struct jr_settings *settings)
{
    for (size_t u = 0; u < batch->item_count; u++)
        jr_intake_apply(txn, settings, batch->items[u].update, &batch->items[u].receipt);
}

/*
 * Apply another's. Returns how many were applied; 0 when there is something in the slot
 * that none of ours has put there, which is left to its owner.
 */
static size_t apply_others(struct jr_batch *batch, struct jr_txn *txn,
                           const struct jr_settings *settings, struct jr_slot *slot)
{
    size_t count = slot->count;
    struct jr_receipt receipt;

    if (count > JR_SLOT_UPDATES)
        return 0;
    for (size_t u = 0; u < count; u++) {
        batch->copy = slot->updates[u];
        if (!jr_update_is_sound(&batch->copy))
            return 0;
        jr_intake_apply(txn, settings, &batch->copy, &receipt);
        slot->receipts[u] = receipt;
    }
    return count;
}

/*
 * Apply every update that waits. One that fails makes the transaction fail, and
 * is left to its owner from then on.
 *   number  of the last batch on disk
 * Returns how many were applied.
 */
static size_t lead(struct jr_batch *batch, struct jr_txn *txn, const struct jr_settings *settings,
                   uint64_t number)
{
    size_t applied = 0;

    for (size_t i = 0; i < batch->slots.count && txn->error.code == JR_OK; i++) {
        struct jr_slot *slot = &batch->slots.all[i];
        bool is_own = i == batch->slots.own;
        /* Its owner takes a slot back, and fills it anew, without the lock once it is on disk:
         * seen twice, it could look as if it were neither on disk nor empty. */
        uint32_t word = slot->word;
        size_t count = batch->item_count;

        if (!is_own && (state_of(word) == JR_SLOT_EMPTY || is_on_disk(slot, word, number)
                        || slot->alone != 0 || slot->trying != 0))
            continue;
        /* A batch that leaves this one out must not count as its own. */
        set_state(slot, JR_SLOT_WAITING, 0);
        slot->trying = 1;
        if (is_own)
            apply_own(batch, txn, settings);
        else
            count = apply_others(batch, txn, settings, slot);
        slot->trying = 0;
        slot->alone = txn->error.code != JR_OK || count == 0;
        if (txn->error.code != JR_OK)
            break;
        if (count == 0)
            continue;
        slot->number = number + 1;
        set_state(slot, JR_SLOT_APPLIED, number + 1);
        applied += count;
    }
    write_number(txn, batch->slots.id, number + 1, batch->items[0].update->now_ms);
    return applied;
}

/*
 * Apply one of one's own updates in a transaction of its own. All are taken out of
 * the others' reach first, and only under the lock: somebody may be applying them.
 *   all_done  out: they were on disk already, and the receipts are there
 */
static enum jr_err apply_alone(struct jr_batch *batch, struct jr_store *store,
                               const struct jr_settings *settings, size_t which, bool *all_done,
                               struct jr_error *error)
{
    struct jr_slot *own = &batch->slots.all[batch->slots.own];
    struct jr_txn txn;
    enum jr_err err;

    *all_done = false;
    jr_txn_begin(&txn, store, true);
    if (txn.error.code == JR_OK) {
        *all_done = is_on_disk(own, own->word, read_number(&txn, batch->slots.id))
                    && txn.error.code == JR_OK;
        set_state(own, JR_SLOT_EMPTY, 0);
        if (*all_done) {
            jr_txn_abort(&txn);
            return JR_OK;
        }
        batch->answered = true;
        jr_intake_apply(&txn, settings, batch->items[which].update, &batch->items[which].receipt);
    }
    err = jr_txn_commit(&txn);
    if (err != JR_OK)
        *error = txn.error;
    batch->commits += err == JR_OK;
    batch->updates += err == JR_OK;
    return err;
}

/*
 * Each of one's own updates by itself.
 *   full  the map or the disk looked full just before
 */
static void go_alone(struct jr_batch *batch, struct jr_store *store,
                     const struct jr_settings *settings, bool full, struct jr_item *items,
                     size_t count)
{
    bool all_done = false;

    for (size_t i = 0; i < count && !all_done; i++) {
        enum jr_err err = JR_OK;

        for (int attempt = 0; attempt < 2; attempt++) {
            /* Pages that a dead reader holds make the map look full. */
            if (full)
                jr_store_clear_stale_readers(store);
            items[i].error.code = JR_OK;
            err = apply_alone(batch, store, settings, i, &all_done, &items[i].error);
            full = err == JR_EFULL;
            if (!full)
                break;
        }
        /* The store has to be closed: nothing more will succeed. */
        for (size_t rest = i + 1; err == JR_EFATAL && rest < count; rest++)
            items[rest].error = items[i].error;
        if (err == JR_EFATAL)
            break;
    }
}

/*
 * With the lock: find one's update on disk, or lead a batch.
 * Returns JR_ENOENT when one's update has to go alone.
 */
static enum jr_err take_turn(struct jr_batch *batch, struct jr_store *store,
                             const struct jr_settings *settings, struct jr_error *error)
{
    struct jr_slot *own = &batch->slots.all[batch->slots.own];
    struct jr_txn txn;
    uint64_t number;
    size_t applied;
    enum jr_err err;
    bool on_disk;

    jr_txn_begin(&txn, store, true);
    number = read_number(&txn, batch->slots.id);
    on_disk = is_on_disk(own, own->word, number);
    if (txn.error.code != JR_OK || on_disk || own->alone != 0) {
        *error = txn.error;
        jr_txn_abort(&txn);
        return error->code != JR_OK ? error->code : on_disk ? JR_OK : JR_ENOENT;
    }
    applied = lead(batch, &txn, settings, number);
    jr_test_point("in-batch");
    err = jr_txn_commit(&txn);
    jr_test_point("batch-over");
    if (err == JR_OK) {
        batch->commits++;
        batch->updates += applied;
        batch->answered = true;
        tell_followers(batch, number + 1);
    } else {
        *error = txn.error;
    }
    return err;
}

/*
 * With the updates in the slot: see to it that they are recorded.
 * Returns whether somebody else has to be named as the next to lead.
 */
static bool record(struct jr_batch *batch, struct jr_store *store,
                   const struct jr_settings *settings, struct jr_item *items, size_t count)
{
    struct jr_error error = { .code = JR_OK };
    enum jr_err err = JR_ENOENT;
    bool led = false;

    if (batch->slots.leading != NULL) {
        led = wait_for_turn(batch);
        err = led ? take_turn(batch, store, settings, &error) : JR_OK;
    }
    for (size_t i = 0; err == JR_EFATAL && i < count; i++)
        items[i].error = error;
    if (err != JR_OK && err != JR_EFATAL)
        go_alone(batch, store, settings, err == JR_EFULL, items, count);
    return led;
}

/* What somebody else has recorded for us, as far as it can be that. */
static void take_receipts(struct jr_batch *batch)
{
    const struct jr_slot *own = &batch->slots.all[batch->slots.own];

    for (size_t i = 0; i < batch->item_count; i++) {
        struct jr_item *item = &batch->items[i];

        if (item->error.code != JR_OK)
            continue;
        item->receipt = own->receipts[i];
        if (!jr_receipt_is_sound(&item->receipt)) {
            memset(&item->receipt, 0, sizeof item->receipt);
            jr_error_set(&item->error, JR_EIO,
                         "another worker has spoilt what this one is to answer");
        }
    }
}

/* Put one's updates where the others find them. */
static void fill_own(struct jr_batch *batch)
{
    struct jr_slot *own = &batch->slots.all[batch->slots.own];

    for (size_t i = 0; i < batch->item_count; i++) {
        own->updates[i] = *batch->items[i].update;
        batch->items[i].error.code = JR_OK;
    }
    own->count = (uint32_t)batch->item_count;
    own->alone = own->trying = 0;
    own->word = JR_SLOT_WAITING;
}

void jr_batch_submit(struct jr_batch *batch, struct jr_store *store,
                     const struct jr_settings *settings, struct jr_item *items, size_t count)
{
    struct jr_slot *own = &batch->slots.all[batch->slots.own];
    struct jr_error error;
    uint32_t before;
    bool led, taken;

    /* After a failure that left no lock to take it back under. */
    if (jr_slot_state(own) != JR_SLOT_EMPTY && clear_own(batch, store, &error) != JR_OK) {
        for (size_t i = 0; i < count; i++)
            items[i].error = error;
        return;
    }
    batch->items = items;
    batch->item_count = count;
    batch->answered = false;
    fill_own(batch);
    led = record(batch, store, settings, items, count);
    taken = items[0].error.code == JR_OK;
    if (!batch->answered)
        take_receipts(batch);
    /* Nobody else looks at a slot that is on disk, but to name its owner the leader. */
    before = taken ? atomic_exchange(&own->word, JR_SLOT_EMPTY)
                   : atomic_fetch_and(&own->word, ~TO_LEAD);
    if (led || (before & TO_LEAD) != 0)
        stop_leading(batch);
}
