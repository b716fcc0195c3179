/*
 * ownpolicy -- the policy files that repositories have of their own, as they were last read.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/ownpolicy.h"
#include "lib/base/codec.h"
#include "lib/store/key.h"

#include <stdlib.h>
#include <string.h>

#define OWNPOLICY_VERSION 1

/* In JR_TABLE_META: these bytes, the repository's id, and the number of a piece. */
static const char piece_key[] = "own-policy:";

/* The first piece tells what there is, those behind it have the text. */
#define PIECE_SIZE 4000
#define PIECES ((JR_OWNPOLICY_BYTES_MAX + PIECE_SIZE - 1) / PIECE_SIZE + 1)

static struct jr_key key_of(uint64_t repo_id, unsigned piece)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_bytes(&key, piece_key, sizeof piece_key - 1);
    jr_key_add_u64(&key, repo_id);
    jr_key_add_u8(&key, (uint8_t)piece);
    return key;
}

static bool load_piece(struct jr_txn *txn, uint64_t repo_id, unsigned piece,
                       unsigned char bytes[PIECE_SIZE], size_t *length)
{
    struct jr_key key = key_of(repo_id, piece);

    return jr_txn_get(txn, JR_TABLE_META, key.bytes, key.length, bytes, PIECE_SIZE, length);
}

/* Returns false for another version, or bytes that are no such record. */
static bool decode(struct jr_ownpolicy *own, const unsigned char *bytes, size_t size)
{
    struct jr_reader reader;
    uint8_t version, state;

    jr_reader_init(&reader, bytes, size);
    version = jr_read_u8(&reader);
    state = jr_read_u8(&reader);
    own->state = (enum jr_ownpolicy_state)state;
    own->asked_ms = jr_read_time(&reader);
    jr_read_text(&reader, own->etag, sizeof own->etag);
    own->length = jr_read_u32(&reader);
    own->line = jr_read_u32(&reader);
    own->column = jr_read_u32(&reader);
    jr_read_text(&reader, own->problem, sizeof own->problem);
    return reader.ok && version == OWNPOLICY_VERSION && state <= JR_OWNPOLICY_BROKEN
           && own->length <= JR_OWNPOLICY_BYTES_MAX;
}

/* The text, to be freed; NULL: a piece is missing, or there is no memory. */
static char *load_text(struct jr_txn *txn, uint64_t repo_id, size_t length)
{
    char *text = malloc(length + 1);
    size_t at = 0;

    for (unsigned piece = 1; text != NULL && at < length; piece++) {
        unsigned char bytes[PIECE_SIZE];
        size_t got;

        if (!load_piece(txn, repo_id, piece, bytes, &got) || got == 0 || got > length - at) {
            free(text);
            return NULL;
        }
        memcpy(text + at, bytes, got);
        at += got;
    }
    if (text != NULL)
        text[length] = '\0';
    return text;
}

void jr_ownpolicy_load(struct jr_txn *txn, uint64_t repo_id, struct jr_ownpolicy *own)
{
    unsigned char bytes[PIECE_SIZE];
    size_t length;

    memset(own, 0, sizeof *own);
    if (!load_piece(txn, repo_id, 0, bytes, &length))
        return;
    if (!decode(own, bytes, length)) {
        memset(own, 0, sizeof *own);
        return;
    }
    if (own->length == 0)
        return;
    own->text = load_text(txn, repo_id, own->length);
    if (own->text == NULL)
        memset(own, 0, sizeof *own);
}

void jr_ownpolicy_save(struct jr_txn *txn, uint64_t repo_id, const struct jr_ownpolicy *own)
{
    size_t length = own->text == NULL ? 0 : own->length;
    unsigned char bytes[PIECE_SIZE];
    struct jr_key key = key_of(repo_id, 0);
    struct jr_writer writer;
    unsigned piece = 1;

    jr_writer_init(&writer, bytes, sizeof bytes);
    jr_write_u8(&writer, OWNPOLICY_VERSION);
    jr_write_u8(&writer, (uint8_t)own->state);
    jr_write_time(&writer, own->asked_ms);
    jr_write_text(&writer, own->etag);
    jr_write_u32(&writer, (uint32_t)length);
    jr_write_u32(&writer, own->line);
    jr_write_u32(&writer, own->column);
    jr_write_text(&writer, own->problem);
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, bytes, writer.length);
    for (size_t at = 0; at < length; at += PIECE_SIZE, piece++) {
        key = key_of(repo_id, piece);
        jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, own->text + at,
                   length - at < PIECE_SIZE ? length - at : PIECE_SIZE);
    }
    for (; piece < PIECES; piece++) {
        key = key_of(repo_id, piece);
        jr_txn_delete(txn, JR_TABLE_META, key.bytes, key.length);
    }
}

/* The first piece of the next repository; what is no such key ends the walk. */
static bool next_first(struct jr_txn *txn, uint64_t after, struct jr_entry *entry)
{
    struct jr_key key = key_of(after, UINT8_MAX);

    return jr_txn_seek(txn, JR_TABLE_META, key.bytes, key.length, true, entry)
           && jr_key_has_name(entry, piece_key, 9);
}

static void forget(struct jr_txn *txn, uint64_t repo_id)
{
    for (unsigned piece = 0; piece < PIECES; piece++) {
        struct jr_key key = key_of(repo_id, piece);

        jr_txn_delete(txn, JR_TABLE_META, key.bytes, key.length);
    }
}

void jr_ownpolicy_prune(struct jr_txn *txn, int64_t before_ms, unsigned most)
{
    struct jr_entry entry;
    uint64_t repo_id = 0; /* no repository has it */

    while (most > 0 && next_first(txn, repo_id, &entry)) {
        struct jr_ownpolicy own = { .length = 0 };

        repo_id = jr_key_number_at(&entry, sizeof piece_key - 1);
        if (decode(&own, entry.value, entry.value_length) && own.asked_ms >= before_ms)
            continue;
        forget(txn, repo_id);
        most--;
    }
}

void jr_ownpolicy_release(struct jr_ownpolicy *own)
{
    free(own->text);
    memset(own, 0, sizeof *own);
}
