/*
 * shutout -- whose repositories GitHub lets this program not in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/shutout.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/github/github.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHUTOUT_VERSION 1

/* Its keys begin so, and end in a hash of the name, which may be longer than a key. */
static const char prefix[] = "shut-out-";
#define PREFIX_LENGTH (sizeof prefix - 1)
#define HASH_LENGTH 8

static size_t make_key(const char *name, unsigned char key[JR_KEY_MAX])
{
    unsigned char digest[JR_SHA256_SIZE] = { 0 };
    char lower[JR_REPO_SIZE];
    size_t length = 0;

    for (; length < sizeof lower && name[length] != '\0'; length++)
        lower[length] = (char)tolower((unsigned char)name[length]);
    if (jr_sha256(lower, length, digest) != JR_OK) /* libcrypto is broken: all under one key */
        memset(digest, 0, sizeof digest);
    memcpy(key, prefix, PREFIX_LENGTH);
    memcpy(key + PREFIX_LENGTH, digest, HASH_LENGTH);
    return PREFIX_LENGTH + HASH_LENGTH;
}

void jr_shutout_save(struct jr_txn *txn, const struct jr_shutouts *shutouts,
                     const struct jr_shutout *shutout)
{
    unsigned char key[JR_KEY_MAX], record[sizeof *shutout + 64];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, SHUTOUT_VERSION);
    jr_write_u64(&writer, shutouts->fingerprint);
    jr_write_text(&writer, shutout->name);
    jr_write_time(&writer, shutout->since_ms);
    jr_write_time(&writer, shutout->until_ms);
    jr_write_time(&writer, shutout->wait_ms);
    jr_write_u8(&writer, shutout->posted);
    jr_write_text(&writer, shutout->text);
    jr_txn_put(txn, JR_TABLE_META, key, make_key(shutout->name, key), record, writer.length);
}

void jr_shutout_delete(struct jr_txn *txn, const struct jr_shutout *shutout)
{
    unsigned char key[JR_KEY_MAX];

    jr_txn_delete(txn, JR_TABLE_META, key, make_key(shutout->name, key));
}

/* Returns false for a damaged record. */
static bool decode(const struct jr_entry *entry, struct jr_shutout *shutout, uint64_t *fingerprint)
{
    struct jr_reader reader;

    memset(shutout, 0, sizeof *shutout);
    jr_reader_init(&reader, entry->value, entry->value_length);
    if (jr_read_u8(&reader) != SHUTOUT_VERSION)
        return false;
    *fingerprint = jr_read_u64(&reader);
    jr_read_text(&reader, shutout->name, sizeof shutout->name);
    shutout->since_ms = jr_read_time(&reader);
    shutout->until_ms = jr_read_time(&reader);
    shutout->wait_ms = jr_read_time(&reader);
    shutout->posted = jr_read_u8(&reader) != 0;
    jr_read_text(&reader, shutout->text, sizeof shutout->text);
    return reader.ok && reader.offset == entry->value_length && shutout->name[0] != '\0';
}

/* Go to the next record; the key in entry is empty at first. */
static bool next_record(struct jr_txn *txn, struct jr_entry *entry)
{
    bool begins = entry->key_length == 0;
    const void *key = begins ? (const void *)prefix : entry->key;

    return jr_txn_seek(txn, JR_TABLE_META, key, begins ? PREFIX_LENGTH : entry->key_length, !begins,
                       entry)
           && entry->key_length >= PREFIX_LENGTH
           && memcmp(entry->key, prefix, PREFIX_LENGTH) == 0;
}

/* Room for one more; NULL: there is no memory. */
static struct jr_shutout *add(struct jr_shutouts *shutouts)
{
    struct jr_shutout *more = realloc(shutouts->items, (shutouts->count + 1) * sizeof *more);

    if (more == NULL)
        return NULL;
    shutouts->items = more;
    memset(&more[shutouts->count], 0, sizeof *more);
    return &more[shutouts->count++];
}

enum jr_err jr_shutouts_load(struct jr_txn *txn, struct jr_shutouts *shutouts,
                             uint64_t fingerprint)
{
    struct jr_entry entry = { .key_length = 0 };

    *shutouts = (struct jr_shutouts){ .fingerprint = fingerprint };
    while (next_record(txn, &entry)) {
        struct jr_shutout read, *item;
        uint64_t of;

        if (!decode(&entry, &read, &of) || (fingerprint != 0 && of != fingerprint))
            continue;
        item = add(shutouts);
        if (item == NULL) {
            jr_shutouts_release(shutouts);
            return JR_ENOMEM;
        }
        *item = read;
        item->known_us = 0;
    }
    return JR_OK;
}

void jr_shutouts_release(struct jr_shutouts *shutouts)
{
    free(shutouts->items);
    *shutouts = (struct jr_shutouts){ .count = 0 };
}

void jr_shutouts_prune(struct jr_txn *txn, uint64_t fingerprint)
{
    struct jr_entry entry = { .key_length = 0 };

    while (next_record(txn, &entry)) {
        struct jr_shutout read;
        uint64_t of;

        if (!decode(&entry, &read, &of) || of != fingerprint)
            jr_txn_delete(txn, JR_TABLE_META, entry.key, entry.key_length);
    }
}

static size_t owner_length(const char *repo)
{
    return strcspn(repo, "/");
}

static bool covers(const struct jr_shutout *shutout, const char *repo)
{
    size_t length = owner_length(repo);

    if (strcmp(shutout->name, JR_SHUTOUT_ALL) == 0)
        return true;
    return strcasecmp(shutout->name, repo) == 0
           || (strncasecmp(shutout->name, repo, length) == 0 && shutout->name[length] == '\0');
}

const struct jr_shutout *jr_shutouts_find(struct jr_shutouts *shutouts, const char *repo,
                                          int64_t now_ms, int64_t *left_ms)
{
    const struct jr_shutout *found = NULL;

    *left_ms = 0;
    for (size_t i = 0; i < shutouts->count; i++) {
        struct jr_shutout *item = &shutouts->items[i];

        if (!covers(item, repo))
            continue;
        if (item->until_ms - now_ms > item->wait_ms)
            item->until_ms = now_ms + item->wait_ms;
        if (item->until_ms - now_ms > *left_ms) {
            *left_ms = item->until_ms - now_ms;
            found = item;
        }
    }
    return found;
}

bool jr_shutouts_cover_both(const struct jr_shutouts *shutouts, const char *repo,
                            const char *asked, int64_t begun_us)
{
    for (size_t i = 0; i < shutouts->count; i++)
        if (begun_us >= shutouts->items[i].known_us && covers(&shutouts->items[i], repo)
            && covers(&shutouts->items[i], asked))
            return true;
    return false;
}

/* What the refusal of a call about repo covers. */
static void name_of(enum jr_shut shut, const char *repo, char name[JR_REPO_SIZE])
{
    jr_text_copy(name, JR_REPO_SIZE, shut == JR_SHUT_ALL ? JR_SHUTOUT_ALL : repo);
    if (shut == JR_SHUT_OWNER)
        name[owner_length(name)] = '\0';
}

struct jr_shutout *jr_shutouts_note(struct jr_shutouts *shutouts,
                                    const struct jr_settings *settings, const struct jr_call *call,
                                    const char *repo, bool posted, int64_t now_ms, bool *begun)
{
    struct jr_shutout *item = NULL;
    char name[JR_REPO_SIZE];

    name_of(call->shut, repo, name);
    for (size_t i = 0; i < shutouts->count && item == NULL; i++)
        if (strcasecmp(shutouts->items[i].name, name) == 0)
            item = &shutouts->items[i];
    *begun = item == NULL;
    if (item == NULL && (item = add(shutouts)) == NULL)
        return NULL;
    if (*begun) {
        jr_text_copy(item->name, sizeof item->name, name);
        item->since_ms = now_ms;
    }
    if (!*begun && jr_call_is_older(call, item->known_us))
        return item;
    item->known_us = jr_call_ended_us(call);
    item->posted = posted;
    item->wait_ms = item->wait_ms == 0 ? settings->api_backoff_min_ms : 2 * item->wait_ms;
    if (item->wait_ms > settings->api_backoff_max_ms)
        item->wait_ms = settings->api_backoff_max_ms;
    item->until_ms = now_ms + item->wait_ms;
    jr_text_copy(item->text, sizeof item->text, call->text);
    return item;
}

/*
 * Does the answer show that we are let in? A 404 does not: GitHub hides what it does not
 * want to show. Where a POST was refused, a GET shows nothing.
 */
static bool lets_in(const struct jr_shutout *shutout, const struct jr_call *call, bool posted)
{
    if ((shutout->posted && !posted) || jr_call_is_older(call, shutout->known_us)
        || (call->outcome != JR_OUTCOME_DONE && jr_github_is_optional(call->api)))
        return false;
    return call->outcome == JR_OUTCOME_DONE || call->reason == JR_REASON_ALREADY_RUNNING
           || (call->outcome == JR_OUTCOME_NEVER && call->reason != JR_REASON_NOT_FOUND
               && call->reason != JR_REASON_NOT_INSTALLED);
}

bool jr_shutouts_take_over(struct jr_shutouts *shutouts, const struct jr_call *call,
                           const char *repo, bool posted, int64_t now_ms, struct jr_shutout *over)
{
    for (size_t i = 0; i < shutouts->count; i++) {
        struct jr_shutout *item = &shutouts->items[i];
        bool ends = call != NULL ? covers(item, repo) && lets_in(item, call, posted)
                                 : now_ms - item->until_ms > JR_SHUTOUT_LIFE_MS;

        if (!ends)
            continue;
        *over = *item;
        *item = shutouts->items[--shutouts->count];
        return true;
    }
    return false;
}
