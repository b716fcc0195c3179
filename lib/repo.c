/*
 * repo -- the repositories that events came from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/codec.h"
#include "lib/repo.h"
#include "lib/text.h"
#include "lib/timestamp.h"

#include <string.h>

#define REPO_VERSION 2
#define RECORD_SIZE 320

static size_t make_key(unsigned char key[JR_KEY_MAX], uint64_t id)
{
    struct jr_writer writer;

    jr_writer_init(&writer, key, JR_KEY_MAX);
    jr_write_u64(&writer, id);
    return writer.length;
}

/* Returns false for a damaged record. */
static bool decode(struct jr_repo *repo, uint64_t id, const void *record, size_t length)
{
    struct jr_reader reader;

    memset(repo, 0, sizeof *repo);
    repo->id = id;
    jr_reader_init(&reader, record, length);
    if (jr_read_u8(&reader) != REPO_VERSION)
        reader.ok = false;
    jr_read_text(&reader, repo->name, sizeof repo->name);
    repo->first_seen_ms = jr_read_time(&reader);
    repo->last_event_ms = jr_read_time(&reader);
    repo->tried_ms = jr_read_time(&reader);
    repo->look_ms = jr_read_time(&reader);
    repo->deep_ms = jr_read_time(&reader);
    repo->gone_looks = jr_read_u32(&reader);
    repo->gone_told = jr_read_u8(&reader) != 0;
    return reader.ok;
}

void jr_repo_save(struct jr_txn *txn, const struct jr_repo *repo)
{
    unsigned char key[JR_KEY_MAX], record[RECORD_SIZE];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, REPO_VERSION);
    jr_write_text(&writer, repo->name);
    jr_write_time(&writer, repo->first_seen_ms);
    jr_write_time(&writer, repo->last_event_ms);
    jr_write_time(&writer, repo->tried_ms);
    jr_write_time(&writer, repo->look_ms);
    jr_write_time(&writer, repo->deep_ms);
    jr_write_u32(&writer, repo->gone_looks);
    jr_write_u8(&writer, repo->gone_told);
    jr_txn_put(txn, JR_TABLE_REPOS, key, make_key(key, repo->id), record, writer.length);
}

static void note(struct jr_txn *txn, uint64_t id, const char *name, int64_t now_ms)
{
    unsigned char key[JR_KEY_MAX], record[RECORD_SIZE];
    struct jr_repo repo;
    size_t length;

    if (!jr_txn_get(txn, JR_TABLE_REPOS, key, make_key(key, id), record, sizeof record, &length)
        || !decode(&repo, id, record, length)) {
        repo = (struct jr_repo){ .id = id, .first_seen_ms = now_ms };
    } else {
        if (strcmp(repo.name, name) == 0 && repo.last_event_ms > repo.look_ms
            && repo.gone_looks == 0
            && repo.last_event_ms / JR_HOUR_MS == now_ms / JR_HOUR_MS)
            return;
    }
    jr_text_copy(repo.name, sizeof repo.name, name);
    repo.gone_looks = 0;
    repo.last_event_ms = now_ms > repo.look_ms ? now_ms : repo.look_ms + 1;
    jr_repo_save(txn, &repo);
}

/* For a host that sends no id: FNV-1a of the name, out of the range of real ids. */
static uint64_t id_from(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash | UINT64_C(1) << 63;
}

void jr_repo_note(struct jr_txn *txn, uint64_t id, const char *name, int64_t now_ms)
{
    if (id == 0)
        id = id_from(name);
    note(txn, id, name, now_ms);
}

static bool load(struct jr_txn *txn, uint64_t id, struct jr_repo *repo)
{
    unsigned char key[JR_KEY_MAX], record[RECORD_SIZE];
    size_t length;

    return jr_txn_get(txn, JR_TABLE_REPOS, key, make_key(key, id), record, sizeof record, &length)
           && decode(repo, id, record, length);
}

void jr_repo_looked(struct jr_txn *txn, const struct jr_repo *repo)
{
    struct jr_repo stored;

    if (!load(txn, repo->id, &stored))
        return;
    stored.look_ms = repo->look_ms;
    stored.deep_ms = repo->deep_ms;
    stored.gone_looks = 0;
    stored.gone_told = false;
    jr_repo_save(txn, &stored);
}

int64_t jr_repo_gone_until_ms(const struct jr_repo *repo, int64_t interval_ms)
{
    int64_t wait_ms = interval_ms;

    if (repo->gone_looks == 0)
        return 0;
    for (uint32_t i = 0; i < repo->gone_looks && wait_ms < JR_REPO_GONE_MS; i++)
        wait_ms *= 2;
    return repo->tried_ms + (wait_ms < JR_REPO_GONE_MS ? wait_ms : JR_REPO_GONE_MS);
}

bool jr_repo_gone(struct jr_txn *txn, const struct jr_repo *repo)
{
    struct jr_repo stored;
    bool news;

    /* An event that came while GitHub was asked shows that it is there. */
    if (!load(txn, repo->id, &stored) || stored.last_event_ms != repo->last_event_ms)
        return false;
    if (stored.gone_looks < UINT32_MAX)
        stored.gone_looks++;
    news = !stored.gone_told;
    stored.gone_told = true;
    jr_repo_save(txn, &stored);
    return news;
}

/* Is a to be looked at before b? */
static bool comes_before(const struct jr_repo *a, const struct jr_repo *b)
{
    bool a_news = a->last_event_ms > a->look_ms, b_news = b->last_event_ms > b->look_ms;

    if (a_news != b_news)
        return a_news;
    return a->look_ms < b->look_ms;
}

/* Read the next sound record after the one in entry; its key is empty at first. */
static bool next(struct jr_txn *txn, struct jr_entry *entry, struct jr_repo *repo)
{
    struct jr_reader reader;

    while (jr_txn_seek(txn, JR_TABLE_REPOS, entry->key, entry->key_length, true, entry)) {
        jr_reader_init(&reader, entry->key, entry->key_length);
        if (decode(repo, jr_read_u64(&reader), entry->value, entry->value_length))
            return true;
    }
    return false;
}

bool jr_repo_next(struct jr_txn *txn, int64_t since_ms, int64_t now_ms, int64_t interval_ms,
                  jr_share_wait *share_wait, void *context, struct jr_repo *repo, int64_t *held_ms)
{
    struct jr_entry entry = { .key_length = 0 };
    struct jr_repo candidate;
    bool found = false;

    *held_ms = 0;
    while (next(txn, &entry, &candidate)) {
        int64_t wait_ms;

        if ((candidate.tried_ms >= since_ms && candidate.tried_ms <= now_ms)
            || (candidate.tried_ms <= now_ms
                && jr_repo_gone_until_ms(&candidate, interval_ms) > now_ms)
            || (found && !comes_before(&candidate, repo)))
            continue;
        wait_ms = share_wait == NULL ? 0 : share_wait(context, candidate.name);
        if (wait_ms > 0) {
            if (wait_ms != JR_SHARE_NONE && (*held_ms == 0 || wait_ms < *held_ms))
                *held_ms = wait_ms;
            continue;
        }
        *repo = candidate;
        found = true;
    }
    return found;
}

void jr_repo_prune(struct jr_txn *txn, int64_t before_ms, unsigned most)
{
    struct jr_entry entry = { .key_length = 0 };
    struct jr_repo repo;

    while (most > 0 && next(txn, &entry, &repo)) {
        if (repo.last_event_ms >= before_ms)
            continue;
        jr_txn_delete(txn, JR_TABLE_REPOS, entry.key, entry.key_length);
        most--;
    }
}
