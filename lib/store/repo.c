/*
 * repo -- the repositories that events came from.
 *
 * Whose turn it is stands in the key of an entry of JR_TABLE_LOOKS: its line, when it was
 * tried, when it was looked at, its id. So those whose turn has come stand at the start of
 * their line, and none of the others has to be read. What is saved is moved with it; an
 * entry whose record is damaged, or was made anew, is passed over, and pruned.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/repo.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/store/key.h"

#include <string.h>

#define REPO_VERSION 2
#define RECORD_SIZE 320

/*
 * The lines: with events since the last look, without, and one for each number of looks in
 * a row at which it was gone. So many doublings are more than JR_REPO_GONE_MS.
 */
enum { LINE_NEWS, LINE_QUIET, LINE_GONE };
#define GONE_LINES 32

#define TURN_SIZE 25

/* Entries that one call passes over: from the start, and from where the last one ended. */
#define FRONT 64
#define FURTHER 256

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

static uint8_t line_of(const struct jr_repo *repo)
{
    if (repo->gone_looks > 0)
        return (uint8_t)(LINE_GONE + (repo->gone_looks < GONE_LINES ? repo->gone_looks
                                                                    : GONE_LINES));
    return repo->last_event_ms > repo->look_ms ? LINE_NEWS : LINE_QUIET;
}

static struct jr_key turn_of(const struct jr_repo *repo)
{
    struct jr_key turn = { .length = 0 };

    jr_key_add_u8(&turn, line_of(repo));
    jr_key_add_time(&turn, repo->tried_ms);
    jr_key_add_time(&turn, repo->look_ms);
    jr_key_add_u64(&turn, repo->id);
    return turn;
}

/* Keep its turn in step with it. before: as it was stored; NULL: it was not. */
static void move_turn(struct jr_txn *txn, const struct jr_repo *before, const struct jr_repo *repo)
{
    struct jr_key from, to = turn_of(repo);

    if (before != NULL) {
        from = turn_of(before);
        if (memcmp(from.bytes, to.bytes, TURN_SIZE) == 0)
            return;
        jr_txn_delete(txn, JR_TABLE_LOOKS, from.bytes, from.length);
    }
    jr_txn_put(txn, JR_TABLE_LOOKS, to.bytes, to.length, "", 0);
}

static void save(struct jr_txn *txn, const struct jr_repo *before, const struct jr_repo *repo)
{
    struct jr_key key = jr_key_of_id(repo->id);
    unsigned char record[RECORD_SIZE];
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
    jr_txn_put(txn, JR_TABLE_REPOS, key.bytes, key.length, record, writer.length);
    move_turn(txn, before, repo);
}

bool jr_repo_load(struct jr_txn *txn, uint64_t id, struct jr_repo *repo)
{
    struct jr_key key = jr_key_of_id(id);
    unsigned char record[RECORD_SIZE];
    size_t length;

    return jr_txn_get(txn, JR_TABLE_REPOS, key.bytes, key.length, record, sizeof record, &length)
           && decode(repo, id, record, length);
}

void jr_repo_save(struct jr_txn *txn, const struct jr_repo *repo)
{
    struct jr_repo before;
    bool stored = jr_repo_load(txn, repo->id, &before);

    save(txn, stored ? &before : NULL, repo);
}

static void note(struct jr_txn *txn, uint64_t id, const char *name, int64_t now_ms)
{
    struct jr_repo before, repo;
    bool stored = jr_repo_load(txn, id, &before);

    if (stored && strcmp(before.name, name) == 0 && before.last_event_ms > before.look_ms
        && before.gone_looks == 0 && before.last_event_ms / JR_HOUR_MS == now_ms / JR_HOUR_MS)
        return;
    repo = stored ? before : (struct jr_repo){ .id = id, .first_seen_ms = now_ms };
    jr_text_copy(repo.name, sizeof repo.name, name);
    repo.gone_looks = 0;
    repo.last_event_ms = now_ms > repo.look_ms ? now_ms : repo.look_ms + 1;
    /* The turn goes by what is stored, which is no later. */
    if (repo.last_event_ms > JR_TIME_MOST)
        repo.last_event_ms = JR_TIME_MOST;
    save(txn, stored ? &before : NULL, &repo);
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

bool jr_repo_tried(struct jr_txn *txn, uint64_t id, int64_t tried_ms, struct jr_repo *repo)
{
    struct jr_repo before;

    if (!jr_repo_load(txn, id, &before))
        return false;
    *repo = before;
    repo->tried_ms = tried_ms;
    save(txn, &before, repo);
    return true;
}

void jr_repo_looked(struct jr_txn *txn, const struct jr_repo *repo)
{
    struct jr_repo before, stored;

    if (!jr_repo_load(txn, repo->id, &before))
        return;
    stored = before;
    stored.look_ms = repo->look_ms;
    stored.deep_ms = repo->deep_ms;
    stored.gone_looks = 0;
    stored.gone_told = false;
    save(txn, &before, &stored);
}

/* How long after it was tried one waits that was gone so many times. */
static int64_t gone_wait_ms(uint32_t gone_looks, int64_t interval_ms)
{
    int64_t wait_ms = interval_ms;

    for (uint32_t i = 0; i < gone_looks && wait_ms < JR_REPO_GONE_MS; i++)
        wait_ms *= 2;
    return wait_ms < JR_REPO_GONE_MS ? wait_ms : JR_REPO_GONE_MS;
}

int64_t jr_repo_gone_until_ms(const struct jr_repo *repo, int64_t interval_ms)
{
    return repo->gone_looks == 0 ? 0
                                 : repo->tried_ms + gone_wait_ms(repo->gone_looks, interval_ms);
}

bool jr_repo_gone(struct jr_txn *txn, const struct jr_repo *repo)
{
    struct jr_repo before, stored;

    /* An event that came while GitHub was asked shows that it is there. */
    if (!jr_repo_load(txn, repo->id, &before) || before.last_event_ms != repo->last_event_ms)
        return false;
    stored = before;
    if (stored.gone_looks < UINT32_MAX)
        stored.gone_looks++;
    stored.gone_told = true;
    save(txn, &before, &stored);
    return !before.gone_told;
}

/* Has the turn come of those in a line that were tried then? */
static bool is_due(const struct jr_repo_search *search, uint8_t line, int64_t tried_ms)
{
    return tried_ms > search->now_ms
           || (tried_ms < search->since_ms
               && (line < LINE_GONE
                   || tried_ms <= search->now_ms
                                      - gone_wait_ms((uint32_t)(line - LINE_GONE),
                                                     search->interval_ms)));
}

static void stand_at(struct jr_repo_place *place, const unsigned char *key, size_t length)
{
    place->key_length = length < sizeof place->key ? length : sizeof place->key;
    memcpy(place->key, key, place->key_length);
}

/* Where those begin that come behind all that were tried up to now: later, or in the next line. */
static void skip(const struct jr_repo_search *search, uint8_t line, struct jr_repo_place *place)
{
    bool any_later = search->now_ms < JR_TIME_MOST;
    struct jr_key key = { .length = 0 };

    jr_key_add_u8(&key, any_later ? line : (uint8_t)(line + 1));
    if (any_later)
        jr_key_add_time(&key, search->now_ms + 1);
    stand_at(place, key.bytes, key.length);
}

/* The repository of a turn; false when it is no longer so, or damaged. */
static bool load_turn(struct jr_txn *txn, const struct jr_repo_place *turn, struct jr_repo *repo)
{
    struct jr_reader reader;
    struct jr_key made;

    if (turn->key_length != TURN_SIZE)
        return false;
    jr_reader_init(&reader, turn->key + TURN_SIZE - 8, 8);
    if (!jr_repo_load(txn, jr_read_u64(&reader), repo))
        return false;
    made = turn_of(repo);
    return memcmp(made.bytes, turn->key, TURN_SIZE) == 0;
}

/* Go to the first turn at or behind a place; `after`: behind it. False at the end. */
static bool go_to(struct jr_txn *txn, bool after, struct jr_repo_place *place)
{
    struct jr_entry entry;

    if (!jr_txn_seek(txn, JR_TABLE_LOOKS, place->key, place->key_length, after, &entry))
        return false;
    stand_at(place, entry.key, entry.key_length);
    return true;
}

/* May it be looked at? If not, note how long it has to wait. */
static bool is_free(const struct jr_repo_search *search, const struct jr_repo *repo,
                    struct jr_repo_walk *walk)
{
    int64_t wait_ms = jr_share_wait_ms(search->share, repo->name);

    if (wait_ms > 0 && wait_ms < JR_TIME_MOST
        && (walk->held_until_ms == 0 || search->now_ms + wait_ms < walk->held_until_ms))
        walk->held_until_ms = search->now_ms + wait_ms;
    return wait_ms <= 0;
}

/*
 * Find the first one behind a place that may be looked at, and pass over so many others.
 *   place  in and out: at what was seen last
 */
static enum jr_repo_turn find(struct jr_txn *txn, const struct jr_repo_search *search,
                              unsigned most, struct jr_repo_walk *walk,
                              struct jr_repo_place *place, struct jr_repo *repo)
{
    bool after = place->key_length > 0;

    for (unsigned looks = 0; looks < most; looks++) {
        struct jr_reader reader;
        uint8_t line;

        if (!go_to(txn, after, place))
            return JR_REPO_NONE;
        jr_reader_init(&reader, place->key, place->key_length);
        line = jr_read_u8(&reader);
        after = reader.ok && is_due(search, line, jr_read_time(&reader));
        if (!after && reader.ok) {
            skip(search, line, place);
            continue;
        }
        after = true;
        if (load_turn(txn, place, repo) && is_free(search, repo, walk))
            return JR_REPO_FOUND;
    }
    return JR_REPO_MORE;
}

/* It went on from a place and is at the end: over, unless some came into line before that. */
static enum jr_repo_turn end_of(struct jr_repo_walk *walk, int64_t now_ms, int64_t *held_ms)
{
    bool again = walk->place.key_length > 0 && walk->found;

    if (!again && walk->held_until_ms != 0)
        *held_ms = walk->held_until_ms > now_ms ? walk->held_until_ms - now_ms : 1;
    memset(walk, 0, sizeof *walk);
    return again ? JR_REPO_MORE : JR_REPO_NONE;
}

enum jr_repo_turn jr_repo_next(struct jr_txn *txn, const struct jr_repo_search *search,
                               struct jr_repo_walk *walk, struct jr_repo *repo, int64_t *held_ms)
{
    struct jr_repo_place front = { .key_length = 0 };
    enum jr_repo_turn turn;

    *held_ms = 0;
    if (walk->place.key_length == 0)
        walk->held_until_ms = 0;
    turn = find(txn, search, FRONT, walk, &front, repo);
    if (turn == JR_REPO_NONE)
        walk->place.key_length = 0; /* this call has seen them all */
    if (turn == JR_REPO_MORE) {
        if (walk->place.key_length == 0
            || memcmp(walk->place.key, front.key, TURN_SIZE) < 0)
            walk->place = front;
        turn = find(txn, search, FURTHER, walk, &walk->place, repo);
    }
    walk->found |= turn == JR_REPO_FOUND;
    return turn == JR_REPO_NONE ? end_of(walk, search->now_ms, held_ms) : turn;
}

void jr_repo_prune(struct jr_txn *txn, int64_t before_ms, unsigned most,
                   struct jr_repo_place *place)
{
    for (; most > 0; most--) {
        struct jr_repo repo;
        struct jr_key key;
        bool sound;

        if (!go_to(txn, place->key_length > 0, place)) {
            place->key_length = 0;
            return;
        }
        sound = load_turn(txn, place, &repo);
        if (sound && repo.last_event_ms >= before_ms)
            continue;
        key = jr_key_of_id(repo.id);
        if (sound)
            jr_txn_delete(txn, JR_TABLE_REPOS, key.bytes, key.length);
        jr_txn_delete(txn, JR_TABLE_LOOKS, place->key, place->key_length);
    }
}
