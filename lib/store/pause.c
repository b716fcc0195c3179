/*
 * pause -- what an administrator has paused: everything, or some repositories.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/pause.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/store/key.h"

#include <stdio.h>
#include <string.h>

#define PAUSE_VERSION 1

/* In JR_TABLE_META: these bytes and the number of a slot. */
static const char slot_key[] = "pause:";
#define NAME_LENGTH (sizeof slot_key - 1)

static struct jr_key key_of(unsigned slot)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_bytes(&key, slot_key, NAME_LENGTH);
    jr_key_add_u8(&key, (uint8_t)slot);
    return key;
}

static unsigned slot_of(const struct jr_entry *entry)
{
    return entry->key[NAME_LENGTH];
}

/*
 * The next slot that holds one.
 *   entry  in: an entry of length 0 at first, then the one before; out: the next
 */
static bool next(struct jr_txn *txn, struct jr_entry *entry)
{
    bool begins = entry->key_length == 0;
    struct jr_key key = key_of(begins ? 0 : slot_of(entry));

    return jr_txn_seek(txn, JR_TABLE_META, key.bytes, key.length, !begins, entry)
           && jr_key_has_name(entry, slot_key, 1) && slot_of(entry) < JR_PAUSES_MAX;
}

/* Nobody knows what a damaged one was for: nothing is done that it may have forbidden. */
static void take_damaged(struct jr_pause *pause, int64_t now_ms)
{
    memset(pause, 0, sizeof *pause);
    pause->since_ms = now_ms;
    snprintf(pause->why, sizeof pause->why, "the record of this pause is damaged");
}

static void decode(struct jr_pause *pause, const struct jr_entry *entry, int64_t now_ms)
{
    struct jr_reader reader;

    memset(pause, 0, sizeof *pause);
    jr_reader_init(&reader, entry->value, entry->value_length);
    if (jr_read_u8(&reader) != PAUSE_VERSION)
        reader.ok = false;
    jr_read_text(&reader, pause->pattern, sizeof pause->pattern);
    pause->since_ms = jr_read_time(&reader);
    pause->until_ms = jr_read_time(&reader);
    jr_read_text(&reader, pause->who, sizeof pause->who);
    jr_read_text(&reader, pause->why, sizeof pause->why);
    if (!reader.ok)
        take_damaged(pause, now_ms);
    pause->slot = slot_of(entry);
}

static bool is_over(const struct jr_pause *pause, int64_t now_ms)
{
    return pause->until_ms != 0 && pause->until_ms <= now_ms;
}

void jr_pauses_load(struct jr_txn *txn, int64_t now_ms, struct jr_pauses *pauses)
{
    struct jr_entry entry = { .key_length = 0 };

    pauses->count = pauses->over = 0;
    while (pauses->count < JR_PAUSES_MAX && next(txn, &entry)) {
        decode(&pauses->items[pauses->count], &entry, now_ms);
        if (is_over(&pauses->items[pauses->count], now_ms))
            pauses->over++;
        else
            pauses->count++;
    }
}

struct reading {
    int64_t now_ms;
    struct jr_pauses *pauses;
};

static void read_pauses(struct jr_txn *txn, void *context)
{
    const struct reading *reading = context;

    jr_pauses_load(txn, reading->now_ms, reading->pauses);
}

enum jr_err jr_pauses_read(struct jr_store *store, int64_t now_ms, struct jr_pauses *pauses,
                           struct jr_error *error)
{
    struct reading reading = { now_ms, pauses };

    return jr_store_read(store, read_pauses, &reading, error);
}

bool jr_pause_over(struct jr_txn *txn, int64_t now_ms, struct jr_pause *pause)
{
    struct jr_entry entry = { .key_length = 0 };

    while (next(txn, &entry)) {
        decode(pause, &entry, now_ms);
        if (is_over(pause, now_ms))
            return true;
    }
    return false;
}

bool jr_pause_free_slot(struct jr_txn *txn, unsigned *slot)
{
    struct jr_entry entry = { .key_length = 0 };

    *slot = 0;
    while (next(txn, &entry) && slot_of(&entry) == *slot)
        ++*slot;
    return *slot < JR_PAUSES_MAX;
}

void jr_pause_save(struct jr_txn *txn, const struct jr_pause *pause)
{
    struct jr_key key = key_of(pause->slot);
    unsigned char record[1024];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, PAUSE_VERSION);
    jr_write_text(&writer, pause->pattern);
    jr_write_time(&writer, pause->since_ms);
    jr_write_time(&writer, pause->until_ms);
    jr_write_text(&writer, pause->who);
    jr_write_text(&writer, pause->why);
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, record, writer.length);
}

void jr_pause_remove(struct jr_txn *txn, const struct jr_pause *pause)
{
    struct jr_key key = key_of(pause->slot);

    jr_txn_delete(txn, JR_TABLE_META, key.bytes, key.length);
}

bool jr_pause_covers(const struct jr_pause *pause, const char *repo)
{
    return pause->pattern[0] == '\0' || jr_text_match(pause->pattern, repo);
}

const struct jr_pause *jr_pauses_whole(const struct jr_pauses *pauses)
{
    for (size_t i = 0; i < pauses->count; i++)
        if (pauses->items[i].pattern[0] == '\0')
            return &pauses->items[i];
    return NULL;
}

static bool ends_later(const struct jr_pause *a, const struct jr_pause *b)
{
    return b->until_ms != 0 && (a->until_ms == 0 || a->until_ms > b->until_ms);
}

const struct jr_pause *jr_pauses_find(const struct jr_pauses *pauses, const char *repo)
{
    const struct jr_pause *found = jr_pauses_whole(pauses);

    for (size_t i = 0; i < pauses->count && (found == NULL || found->pattern[0] != '\0'); i++)
        if (jr_pause_covers(&pauses->items[i], repo)
            && (found == NULL || ends_later(&pauses->items[i], found)))
            found = &pauses->items[i];
    return found;
}

const struct jr_pause *jr_pauses_hold(const struct jr_pauses *pauses, const struct jr_run *run)
{
    return run->due_ms == 0 ? NULL : jr_pauses_find(pauses, run->repo);
}

bool jr_pauses_equal(const struct jr_pauses *one, const struct jr_pauses *other)
{
    bool equal = one->count == other->count;

    for (size_t i = 0; i < one->count && equal; i++)
        equal = strcmp(one->items[i].pattern, other->items[i].pattern) == 0;
    return equal;
}

size_t jr_pauses_partial(const struct jr_pauses *pauses)
{
    size_t partial = 0;

    for (size_t i = 0; i < pauses->count; i++)
        partial += pauses->items[i].pattern[0] != '\0';
    return partial;
}

enum jr_err jr_pause_check_pattern(const char *pattern, struct jr_error *error)
{
    size_t known = strspn(pattern, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_./*?");
    const char *slash = strchr(pattern, '/');
    bool good = *pattern != '\0' && pattern[known] == '\0' && strlen(pattern) < JR_REPO_SIZE;

    if (good && slash == NULL)
        good = strchr(pattern, '*') != NULL;
    else if (good)
        good = slash != pattern && slash[1] != '\0' && strchr(slash + 1, '/') == NULL;
    if (good)
        return JR_OK;
    if (*pattern != '\0' && pattern[known] == '\0' && slash == NULL)
        return jr_error_set(error, JR_EINVAL, "'%.100s' matches no repository; all of an owner's "
                            "are '%.100s/*', and one is OWNER/NAME", pattern, pattern);
    return jr_error_set(error, JR_EINVAL, "'%.100s' matches no repository; it has to be "
                        "OWNER/NAME, where * and ? are wildcards", pattern);
}

static const char *when(int64_t time_ms, char text[32])
{
    char whole[JR_TIMESTAMP_SIZE];

    snprintf(text, 32, "%.19sZ", jr_timestamp_format(time_ms, whole));
    return text;
}

char *jr_pause_words(const struct jr_pause *pause, char buffer[JR_PAUSE_WORDS_SIZE])
{
    char since[32], until[32];

    snprintf(buffer, JR_PAUSE_WORDS_SIZE, "%s%s%s, since %s%s%s%s%s",
             pause->pattern[0] == '\0' ? "everything" : pause->pattern,
             pause->who[0] == '\0' ? "" : ", by ", pause->who, when(pause->since_ms, since),
             pause->until_ms == 0 ? "" : ", until ",
             pause->until_ms == 0 ? "" : when(pause->until_ms, until),
             pause->why[0] == '\0' ? "" : ": ", pause->why);
    return buffer;
}
