/*
 * repo -- which repository is looked at next.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/repo.h"
#include "lib/timestamp.h"
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

static bool next(struct jr_store *store, int64_t since_ms, struct jr_repo *repo)
{
    struct jr_txn txn;
    int64_t held_ms;
    bool found;

    jr_txn_begin(&txn, store, false);
    found = jr_repo_next(&txn, since_ms, INT64_MAX, JR_MINUTE_MS, NULL, NULL, repo, &held_ms);
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
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_repo_prune(&txn, before_ms, most);
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
    prune(store, START_MS + JR_DAY_MS, 2);
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
    assert_false(jr_repo_next(&txn, START_MS, START_MS + JR_HOUR_MS, JR_MINUTE_MS, NULL, NULL, &repo, &held_ms));
    assert_true(jr_repo_next(&txn, START_MS, START_MS + JR_HOUR_MS - 1, JR_MINUTE_MS, NULL, NULL, &repo, &held_ms));
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
    found = jr_repo_next(&txn, now_ms, now_ms, 5 * JR_MINUTE_MS, NULL, NULL, &repo, &held_ms);
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
    assert_true(jr_repo_next(&txn, START_MS, INT64_MAX, JR_MINUTE_MS, never_octo, NULL, &repo, &held_ms));
    assert_string_equal(repo.name, "other/app");
    repo.tried_ms = START_MS + 1;
    jr_repo_save(&txn, &repo);
    assert_false(jr_repo_next(&txn, START_MS, INT64_MAX, JR_MINUTE_MS, never_octo, NULL, &repo, &held_ms));
    assert_int_equal(held_ms, 0);
    commit(&txn);
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
    return run_program("repo");
}
