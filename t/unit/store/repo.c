/*
 * repo -- which repository is looked at next.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/repo.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

static void note(struct jr_store *store, uint64_t id, const char *name, int64_t now_ms)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_repo_note(&txn, id, name, now_ms);
    commit(&txn);
}

static void save(struct jr_store *store, const struct jr_repo *repo)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_repo_save(&txn, repo);
    commit(&txn);
}

/* Whose turn is it, when one call is enough? */
static bool turn(struct jr_txn *txn, int64_t since_ms, int64_t now_ms, jr_share_wait *share_wait,
                 struct jr_repo *repo, int64_t *held_ms)
{
    const struct jr_share share = { share_wait, NULL };
    const struct jr_repo_search search = { since_ms, now_ms, 5 * JR_MINUTE_MS, share_wait == NULL ? NULL : &share };
    struct jr_repo_walk walk = { .found = false };
    enum jr_repo_turn turn = jr_repo_next(txn, &search, &walk, repo, held_ms);

    assert_int_not_equal(turn, JR_REPO_MORE);
    return turn == JR_REPO_FOUND;
}

static bool next(struct jr_store *store, int64_t since_ms, struct jr_repo *repo)
{
    struct jr_txn txn;
    int64_t held_ms;
    bool found;

    jr_txn_begin(&txn, store, false);
    found = turn(&txn, since_ms, INT64_MAX, NULL, repo, &held_ms);
    commit(&txn);
    return found;
}

static uint64_t count(struct jr_store *store)
{
    struct jr_txn txn;
    uint64_t entries;

    jr_txn_begin(&txn, store, false);
    entries = jr_txn_count(&txn, JR_TABLE_REPOS);
    commit(&txn);
    return entries;
}

static void first_event(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo;

    (void)state;
    assert_false(next(store, START_MS, &repo));
    note(store, 4711, "octo/app", START_MS);
    assert_true(next(store, START_MS, &repo));
    assert_int_equal(repo.id, 4711);
    assert_string_equal(repo.name, "octo/app");
    assert_int_equal(repo.first_seen_ms, START_MS);
    assert_int_equal(repo.look_ms, 0);
    assert_int_equal(repo.deep_ms, 0);
    assert_true(repo.last_event_ms > 0);
    jr_store_close(store);
}

static void later_events(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo;

    (void)state;
    note(store, 4711, "octo/app", START_MS);
    note(store, 4711, "octo/app", START_MS + 3 * JR_HOUR_MS);
    assert_true(next(store, START_MS, &repo));
    assert_int_equal(repo.first_seen_ms, START_MS);
    assert_true(repo.last_event_ms >= START_MS + 3 * JR_HOUR_MS);
    note(store, 4711, "octo/renamed", START_MS + 3 * JR_HOUR_MS);
    assert_true(next(store, START_MS, &repo));
    assert_string_equal(repo.name, "octo/renamed");
    assert_int_equal(count(store), 1);
    jr_store_close(store);
}

/* A host that tells no ids: the name tells them apart. */
static void without_an_id(void **state)
{
    struct jr_store *store = open_store(new_folder());

    (void)state;
    note(store, 0, "octo/app", START_MS);
    note(store, 0, "octo/app", START_MS + 1);
    assert_int_equal(count(store), 1);
    note(store, 0, "octo/lib", START_MS);
    note(store, 4711, "octo/app", START_MS);
    assert_int_equal(count(store), 3);
    jr_store_close(store);
}

static void looked(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo, gone = { .id = 5, .look_ms = START_MS };
    struct jr_txn txn;

    (void)state;
    note(store, 4711, "octo/app", START_MS);
    assert_true(next(store, START_MS, &repo));
    /* Events and a new name come while it is looked at. */
    note(store, 4711, "octo/renamed", START_MS + 2 * JR_HOUR_MS);
    repo.look_ms = START_MS + JR_HOUR_MS;
    repo.deep_ms = START_MS + JR_HOUR_MS;
    jr_txn_begin(&txn, store, true);
    jr_repo_looked(&txn, &repo);
    jr_repo_looked(&txn, &gone); /* which was pruned meanwhile */
    commit(&txn);
    assert_true(next(store, START_MS, &repo));
    assert_string_equal(repo.name, "octo/renamed");
    assert_true(repo.last_event_ms >= START_MS + 2 * JR_HOUR_MS);
    assert_int_equal(repo.look_ms, START_MS + JR_HOUR_MS);
    assert_int_equal(repo.deep_ms, START_MS + JR_HOUR_MS);
    assert_int_equal(count(store), 1);
    jr_store_close(store);
}

/* An event in the same hour as a look, but after it, is news. */
static void event_after_a_look(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo;
    struct jr_txn txn;

    (void)state;
    note(store, 4711, "octo/app", START_MS);
    assert_true(next(store, START_MS, &repo));
    repo.look_ms = START_MS + 1000;
    jr_txn_begin(&txn, store, true);
    jr_repo_looked(&txn, &repo);
    commit(&txn);
    assert_true(next(store, START_MS, &repo));
    assert_true(repo.last_event_ms <= repo.look_ms);
    note(store, 4711, "octo/app", START_MS + 2000);
    assert_true(next(store, START_MS, &repo));
    assert_true(repo.last_event_ms > repo.look_ms);
    jr_store_close(store);
}

/* Two repositories; which of them comes first? Hours after START_MS. */
struct order_row {
    const char *name;
    int event[2], look[2], tried[2];
    int want; /* 1 or 2; 0: none */
};

static void order_is(void **state)
{
    const struct order_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo;

    for (int i = 0; i < 2; i++) {
        struct jr_repo one = {
            .id = (uint64_t)i + 1,
            .first_seen_ms = 1,
            .last_event_ms = START_MS + row->event[i] * JR_HOUR_MS,
            .look_ms = row->look[i] == 0 ? 0 : START_MS + row->look[i] * JR_HOUR_MS,
            .tried_ms = row->tried[i] == 0 ? 0 : START_MS + row->tried[i] * JR_HOUR_MS,
        };

        snprintf(one.name, sizeof one.name, "octo/%d", i + 1);
        save(store, &one);
    }
    assert_int_equal(next(store, START_MS + 100 * JR_HOUR_MS, &repo), row->want != 0);
    if (row->want != 0)
        assert_int_equal(repo.id, row->want);
    jr_store_close(store);
}

static const struct order_row looks[] = {
    { "longest not looked at", { 1, 1 }, { 50, 40 }, { 0, 0 }, 2 },
    { "never looked at", { 1, 1 }, { 50, 0 }, { 0, 0 }, 2 },
    { "with events before without", { 60, 1 }, { 50, 40 }, { 0, 0 }, 1 },
    { "both with events", { 60, 60 }, { 50, 40 }, { 0, 0 }, 2 },
    { "the first was tried already", { 60, 1 }, { 50, 40 }, { 100, 99 }, 2 },
    { "both were tried already", { 60, 60 }, { 50, 40 }, { 100, 101 }, 0 },
};

static void prune(struct jr_store *store, int64_t before_ms, unsigned most)
{
    struct jr_repo_place place = { .key_length = 0 };
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_repo_prune(&txn, before_ms, most, &place);
    commit(&txn);
}

static void pruned(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo;

    (void)state;
    for (uint64_t id = 1; id <= 6; id++)
        note(store, id, "octo/app", START_MS + (int64_t)(id % 2) * 10 * JR_DAY_MS);
    prune(store, START_MS, 9);
    assert_int_equal(count(store), 6);
    prune(store, START_MS + JR_DAY_MS, 4);
    assert_int_equal(count(store), 4);
    prune(store, START_MS + JR_DAY_MS, 9);
    assert_int_equal(count(store), 3);
    assert_true(next(store, START_MS, &repo));
    assert_int_equal(repo.id % 2, 1);
    jr_store_close(store);
}

/* It is passed over, and made anew by the next event. */
static void damaged_record(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo, damaged = { .id = 4711 };
    struct jr_entry entry;
    struct jr_txn txn;

    (void)state;
    note(store, 4711, "octo/app", START_MS);
    jr_txn_begin(&txn, store, true);
    assert_true(jr_txn_seek(&txn, JR_TABLE_REPOS, NULL, 0, false, &entry));
    jr_txn_put(&txn, JR_TABLE_REPOS, entry.key, entry.key_length, entry.value, entry.value_length - 1);
    commit(&txn);
    assert_false(next(store, START_MS, &repo));
    jr_txn_begin(&txn, store, true);
    jr_repo_looked(&txn, &damaged);
    commit(&txn);
    prune(store, START_MS + JR_DAY_MS, 9);
    assert_int_equal(count(store), 1);
    note(store, 4712, "octo/lib", START_MS);
    assert_true(next(store, START_MS, &repo));
    assert_int_equal(repo.id, 4712);
    note(store, 4711, "octo/app", START_MS + 1);
    assert_true(next(store, START_MS, &repo));
    assert_int_equal(repo.id, 4711);
    assert_int_equal(repo.first_seen_ms, START_MS + 1);
    jr_store_close(store);
}

/* Before the clock was set back it was later than now: that does not count as a try. */
static void tried_later_than_now(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo;
    struct jr_txn txn;
    int64_t held_ms;

    (void)state;
    note(store, 4711, "octo/app", START_MS);
    assert_true(next(store, START_MS, &repo));
    repo.tried_ms = START_MS + JR_HOUR_MS;
    jr_txn_begin(&txn, store, true);
    jr_repo_save(&txn, &repo);
    assert_false(turn(&txn, START_MS, START_MS + JR_HOUR_MS, NULL, &repo, &held_ms));
    assert_true(turn(&txn, START_MS, START_MS + JR_HOUR_MS - 1, NULL, &repo, &held_ms));
    commit(&txn);
    jr_store_close(store);
}

static bool gone(struct jr_store *store, const struct jr_repo *repo)
{
    struct jr_txn txn;
    bool news;

    jr_txn_begin(&txn, store, true);
    news = jr_repo_gone(&txn, repo);
    commit(&txn);
    return news;
}

/* Looks at now_ms, if it may be looked at then; it is not shown. Returns whether it was. */
static bool looks_in_vain(struct jr_store *store, int64_t now_ms, bool *news)
{
    struct jr_repo repo;
    struct jr_txn txn;
    int64_t held_ms;
    bool found;

    jr_txn_begin(&txn, store, true);
    found = turn(&txn, now_ms, now_ms, NULL, &repo, &held_ms);
    assert_int_equal(held_ms, 0);
    repo.tried_ms = now_ms;
    if (found)
        jr_repo_save(&txn, &repo);
    commit(&txn);
    *news = found && gone(store, &repo);
    return found;
}

/* One that is gone is looked at ever more rarely, and told of once. */
static void gone_ever_more_rarely(void **state)
{
    struct jr_store *store = open_store(new_folder());
    unsigned looked_at = 0, told = 0;
    int64_t last_ms = 0, longest_ms = 0;
    struct jr_repo repo;
    struct jr_txn txn;
    bool news;

    (void)state;
    note(store, 4711, "octo/app", START_MS);
    for (int64_t now_ms = START_MS; now_ms < START_MS + 10 * JR_DAY_MS; now_ms += 5 * JR_MINUTE_MS) {
        if (!looks_in_vain(store, now_ms, &news))
            continue;
        if (last_ms != 0 && now_ms - last_ms > longest_ms)
            longest_ms = now_ms - last_ms;
        last_ms = now_ms;
        looked_at++;
        told += news;
    }
    assert_int_equal(told, 1);
    assert_in_range(looked_at, 15, 20); /* each 5 minutes it would be 2880 */
    assert_int_equal(longest_ms, JR_DAY_MS);

    /* An event takes it up again; what was told once is not told again, until it was shown. */
    note(store, 4711, "octo/app", last_ms + JR_MINUTE_MS);
    assert_true(looks_in_vain(store, last_ms + 5 * JR_MINUTE_MS, &news));
    assert_false(news);
    note(store, 4711, "octo/app", last_ms + 6 * JR_MINUTE_MS);
    assert_true(next(store, INT64_MAX, &repo));
    repo.look_ms = last_ms + 10 * JR_MINUTE_MS;
    gone(store, &repo);
    jr_txn_begin(&txn, store, true);
    jr_repo_looked(&txn, &repo);
    commit(&txn);
    assert_true(next(store, INT64_MAX, &repo));
    assert_int_equal(repo.gone_looks, 0);
    assert_true(gone(store, &repo));
    jr_store_close(store);
}

/* An event that comes while GitHub is asked shows that it is there. */
static void gone_and_an_event_meanwhile(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo;

    (void)state;
    note(store, 4711, "octo/app", START_MS);
    assert_true(next(store, INT64_MAX, &repo));
    note(store, 4711, "octo/app", START_MS + JR_HOUR_MS);
    assert_false(gone(store, &repo));
    assert_true(next(store, INT64_MAX, &repo));
    assert_int_equal(repo.gone_looks, 0);
    jr_store_close(store);
}

static int64_t never_octo(void *context, const char *repo)
{
    (void)context;
    return strncmp(repo, "octo/", 5) == 0 ? JR_SHARE_NONE : 0;
}

/* One that nobody knows the time of is passed over, and the look does not wait for it. */
static void not_waited_for(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo;
    struct jr_txn txn;
    int64_t held_ms;

    (void)state;
    note(store, 4711, "octo/app", START_MS);
    note(store, 4712, "other/app", START_MS);
    jr_txn_begin(&txn, store, true);
    assert_true(turn(&txn, START_MS, INT64_MAX, never_octo, &repo, &held_ms));
    assert_string_equal(repo.name, "other/app");
    repo.tried_ms = START_MS + 1;
    jr_repo_save(&txn, &repo);
    assert_false(turn(&txn, START_MS, INT64_MAX, never_octo, &repo, &held_ms));
    assert_int_equal(held_ms, 0);
    commit(&txn);
    jr_store_close(store);
}

#define SOME 12
#define INTERVAL_MS (5 * JR_MINUTE_MS)

/* Is a to be looked at before b? As lib/store/repo.h says it. */
static bool comes_before(const struct jr_repo *a, const struct jr_repo *b)
{
    const struct jr_repo *of[2] = { a, b };
    unsigned line[2];

    for (int i = 0; i < 2; i++)
        line[i] = of[i]->gone_looks > 0 ? 1 + of[i]->gone_looks : of[i]->last_event_ms <= of[i]->look_ms;
    if (line[0] != line[1])
        return line[0] < line[1];
    if (a->tried_ms != b->tried_ms)
        return a->tried_ms < b->tried_ms;
    return a->look_ms != b->look_ms ? a->look_ms < b->look_ms : a->id < b->id;
}

/* What jr_repo_next() has to find, by looking at all records; 0: none. */
static uint64_t found_by_hand(struct jr_txn *txn, int64_t since_ms, int64_t now_ms)
{
    struct jr_repo best = { .id = 0 }, repo;

    for (uint64_t id = 1; id <= SOME; id++) {
        bool later;

        if (!jr_repo_load(txn, id, &repo))
            continue;
        later = repo.tried_ms > now_ms;
        if (!later && (repo.tried_ms >= since_ms || jr_repo_gone_until_ms(&repo, INTERVAL_MS) > now_ms))
            continue;
        if (best.id == 0 || comes_before(&repo, &best))
            best = repo;
    }
    return best.id;
}

/* One of the things that are done to repositories. */
static void do_one(struct jr_txn *txn, unsigned what, uint64_t id, int64_t now_ms,
                   struct jr_repo_place *place)
{
    struct jr_repo repo;

    if (what == 0)
        jr_repo_prune(txn, now_ms - 6 * JR_HOUR_MS, 3, place);
    else if (what < 4 || !jr_repo_load(txn, id, &repo))
        jr_repo_note(txn, id, what == 1 ? "octo/other" : "octo/app", now_ms);
    else if (what < 7)
        jr_repo_tried(txn, id, now_ms, &repo);
    else if (what == 7)
        jr_repo_gone(txn, &repo);
    else {
        repo.look_ms = repo.tried_ms;
        jr_repo_looked(txn, &repo);
    }
}

/* xorshift32 */
static unsigned dice(unsigned *random, unsigned sides)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random % sides;
}

/* Whatever is done, turns and records agree; also when the clock is set back. */
static void turns_and_records(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo_place place = { .key_length = 0 };
    int64_t now_ms = START_MS, held_ms;
    unsigned random = 1, found = 0;

    (void)state;
    for (int i = 0; i < 4000; i++) {
        int64_t since_ms;
        struct jr_repo repo;
        struct jr_txn txn;
        uint64_t want;

        now_ms += dice(&random, 400) == 0 ? -10 * JR_MINUTE_MS : (int64_t)dice(&random, 60) * JR_SECOND_MS;
        since_ms = now_ms - (int64_t)dice(&random, 60) * JR_MINUTE_MS;
        jr_txn_begin(&txn, store, true);
        do_one(&txn, dice(&random, 10), 1 + dice(&random, SOME), now_ms, &place);
        want = found_by_hand(&txn, since_ms, now_ms);
        assert_int_equal(turn(&txn, since_ms, now_ms, NULL, &repo, &held_ms), want != 0);
        if (want != 0)
            assert_int_equal(repo.id, want);
        found += want != 0;
        assert_int_equal(jr_txn_count(&txn, JR_TABLE_LOOKS), jr_txn_count(&txn, JR_TABLE_REPOS));
        commit(&txn);
    }
    assert_in_range(found, 1000, 3999);
    jr_store_close(store);
}

/* A turn that no longer is one is passed over, and pruned. */
static void turn_that_is_none(void **state)
{
    static const unsigned char none[] = { 0 };
    struct jr_store *store = open_store(new_folder());
    struct jr_repo repo;
    struct jr_txn txn;

    (void)state;
    note(store, 4711, "octo/app", START_MS);
    note(store, 4712, "octo/lib", START_MS);
    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, JR_TABLE_LOOKS, none, sizeof none, "", 0);
    jr_txn_put(&txn, JR_TABLE_REPOS, "\0\0\0\0\0\0\x12\x67", 8, "?", 1);
    commit(&txn);
    assert_true(next(store, START_MS, &repo));
    assert_int_equal(repo.id, 4712);
    prune(store, START_MS, 9);
    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_txn_count(&txn, JR_TABLE_LOOKS), 1);
    jr_txn_abort(&txn);
    jr_store_close(store);
}

#define MANY 2000

/* Go on with a sweep until it finds one, or none is left. Counts the calls. */
static enum jr_repo_turn sweep_on(struct jr_store *store, struct jr_repo_walk *walk,
                                  struct jr_repo *repo, int64_t *held_ms, unsigned *calls)
{
    const struct jr_share share = { never_octo, NULL };
    const struct jr_repo_search search = { START_MS + 1, START_MS + 1, INTERVAL_MS, &share };
    enum jr_repo_turn turn;
    struct jr_txn txn;

    *calls = 0;
    do {
        jr_txn_begin(&txn, store, true);
        turn = jr_repo_next(&txn, &search, walk, repo, held_ms);
        if (turn == JR_REPO_FOUND)
            assert_true(jr_repo_tried(&txn, repo->id, START_MS + 1, repo));
        commit(&txn);
        ++*calls;
    } while (turn == JR_REPO_MORE);
    return turn;
}

/* Of many that may not be looked at a call passes over some, and the next one goes on there. */
static void many_are_passed_over(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_repo_walk walk = { .found = false };
    struct jr_repo repo;
    struct jr_txn txn;
    unsigned calls;
    int64_t held_ms;

    (void)state;
    jr_txn_begin(&txn, store, true);
    for (uint64_t id = 1; id <= MANY; id++)
        jr_repo_note(&txn, id, "octo/app", START_MS);
    for (uint64_t id = MANY + 1; id <= MANY + 3; id++)
        jr_repo_note(&txn, id, "other/app", START_MS);
    commit(&txn);
    assert_int_equal(sweep_on(store, &walk, &repo, &held_ms, &calls), JR_REPO_FOUND);
    assert_int_equal(repo.id, MANY + 1);
    assert_in_range(calls, 5, 50);
    /* What is behind it needs no second walk, and who comes before it is not forgotten. */
    note(store, 1000, "other/renamed", START_MS);
    assert_int_equal(sweep_on(store, &walk, &repo, &held_ms, &calls), JR_REPO_FOUND);
    assert_int_equal(repo.id, MANY + 2);
    assert_int_equal(calls, 1);
    /* One among the first of all has its turn at once. */
    note(store, 1, "other/first", START_MS);
    assert_int_equal(sweep_on(store, &walk, &repo, &held_ms, &calls), JR_REPO_FOUND);
    assert_int_equal(repo.id, 1);
    assert_int_equal(sweep_on(store, &walk, &repo, &held_ms, &calls), JR_REPO_FOUND);
    assert_int_equal(repo.id, MANY + 3);
    assert_int_equal(sweep_on(store, &walk, &repo, &held_ms, &calls), JR_REPO_FOUND);
    assert_int_equal(repo.id, 1000);
    assert_int_equal(sweep_on(store, &walk, &repo, &held_ms, &calls), JR_REPO_NONE);
    assert_int_equal(held_ms, 0);
    jr_store_close(store);
}

int main(void)
{
    TEST(first_event);
    TEST(later_events);
    TEST(without_an_id);
    TEST(looked);
    TEST(event_after_a_look);
    TABLE(looks, order_is);
    TEST(pruned);
    TEST(damaged_record);
    TEST(tried_later_than_now);
    TEST(gone_ever_more_rarely);
    TEST(gone_and_an_event_meanwhile);
    TEST(not_waited_for);
    TEST(turns_and_records);
    TEST(turn_that_is_none);
    TEST(many_are_passed_over);
    return run_program("repo");
}
