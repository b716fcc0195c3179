/*
 * pause -- pauses of everything and of some repositories, and the journal of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/journal.h"
#include "lib/store/pause.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

static const struct pattern_row {
    const char *name;
    bool good;
    const char *text; /* in what is said of a bad one */
} patterns[] = {
    { "octo/app", true, NULL },
    { "octo/*", true, NULL },
    { "*", true, NULL },
    { "octo*", true, NULL },
    { "*/app-?", true, NULL },
    { "a.b-c_d/.github", true, NULL },
    { "octo", false, "'octo/*'" },
    { "oct?", false, "'oct?/*'" },
    { "", false, "OWNER/NAME" },
    { "octo/", false, "OWNER/NAME" },
    { "/app", false, "OWNER/NAME" },
    { "a/b/c", false, "OWNER/NAME" },
    { "https://github.com/octo/app", false, "OWNER/NAME" },
    { "octo app", false, "OWNER/NAME" },
    { "octo/\xc3\xa4", false, "OWNER/NAME" },
};

static void pattern_is_checked(void **state)
{
    const struct pattern_row *row = *state;
    struct jr_error error;
    enum jr_err err = jr_pause_check_pattern(row->name, &error);

    assert_int_equal(err, row->good ? JR_OK : JR_EINVAL);
    if (!row->good)
        assert_contains(error.text, row->text);
}

static void too_long_a_pattern(void **state)
{
    char pattern[JR_REPO_SIZE + 1];
    struct jr_error error;

    (void)state;
    snprintf(pattern, sizeof pattern, "octo/%0*d", JR_REPO_SIZE - 5, 1);
    assert_int_equal(jr_pause_check_pattern(pattern, &error), JR_EINVAL);
    pattern[JR_REPO_SIZE - 1] = '\0';
    assert_int_equal(jr_pause_check_pattern(pattern, &error), JR_OK);
}

static void save(struct jr_store *store, unsigned slot, const char *pattern, int64_t until_ms)
{
    struct jr_pause pause = { .slot = slot, .since_ms = START_MS, .until_ms = until_ms };
    struct jr_txn txn;

    snprintf(pause.pattern, sizeof pause.pattern, "%s", pattern);
    snprintf(pause.who, sizeof pause.who, "alice");
    snprintf(pause.why, sizeof pause.why, "slot %u", slot);
    jr_txn_begin(&txn, store, true);
    jr_pause_save(&txn, &pause);
    commit(&txn);
}

static void load(struct jr_store *store, int64_t now_ms, struct jr_pauses *pauses)
{
    struct jr_error error;

    assert_int_equal(jr_pauses_read(store, now_ms, pauses, &error), JR_OK);
}

/* Which one holds up a repository: its slot, or -1. */
static int holder(struct jr_store *store, int64_t now_ms, const char *repo)
{
    static struct jr_pauses pauses;
    const struct jr_pause *found;

    load(store, now_ms, &pauses);
    found = jr_pauses_find(&pauses, repo);
    return found == NULL ? -1 : (int)found->slot;
}

static void found(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_pauses pauses;
    int64_t soon_ms = START_MS + JR_HOUR_MS, late_ms = START_MS + JR_DAY_MS;

    (void)state;
    load(store, START_MS, &pauses);
    assert_int_equal(pauses.count, 0);
    assert_null(jr_pauses_whole(&pauses));
    save(store, 0, "octo/*", soon_ms);
    save(store, 3, "OCTO/app", late_ms);
    save(store, 5, "other/app", 0);
    assert_int_equal(holder(store, START_MS, "octo/lib"), 0);
    assert_int_equal(holder(store, START_MS, "octo/app"), 3);
    assert_int_equal(holder(store, START_MS, "other/app"), 5);
    assert_int_equal(holder(store, START_MS, "free/app"), -1);
    assert_int_equal(holder(store, START_MS, ""), -1);

    /* The first is over to the millisecond. */
    assert_int_equal(holder(store, soon_ms - 1, "octo/lib"), 0);
    assert_int_equal(holder(store, soon_ms, "octo/lib"), -1);
    assert_int_equal(holder(store, soon_ms, "octo/app"), 3);
    load(store, soon_ms, &pauses);
    assert_int_equal(pauses.count, 2);
    assert_int_equal(pauses.over, 1);
    assert_int_equal(jr_pauses_partial(&pauses), 2);

    save(store, 7, "", 0);
    assert_int_equal(holder(store, soon_ms, "octo/app"), 7);
    assert_int_equal(holder(store, soon_ms, ""), 7);
    load(store, soon_ms, &pauses);
    assert_int_equal(jr_pauses_whole(&pauses)->slot, 7);
    assert_int_equal(jr_pauses_partial(&pauses), 2);
    jr_store_close(store);
}

static void slots(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_pauses pauses;
    struct jr_txn txn;
    unsigned slot;

    (void)state;
    for (unsigned i = 0; i < JR_PAUSES_MAX; i++)
        if (i != 4)
            save(store, i, "octo/app", 0);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_pause_free_slot(&txn, &slot));
    assert_int_equal(slot, 4);
    commit(&txn);
    save(store, 4, "octo/app", 0);
    jr_txn_begin(&txn, store, false);
    assert_false(jr_pause_free_slot(&txn, &slot));
    commit(&txn);
    load(store, START_MS, &pauses);
    assert_int_equal(pauses.count, JR_PAUSES_MAX);
    jr_store_close(store);
}

/* Nobody knows what it was for, so nothing is done, and it can be ended like any other. */
static void damaged(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_pauses pauses;
    struct jr_txn txn;

    (void)state;
    save(store, 2, "octo/app", 0);
    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, JR_TABLE_META, "pause:\x02", 7, "\xff", 1);
    commit(&txn);
    load(store, START_MS, &pauses);
    assert_int_equal(pauses.count, 1);
    assert_non_null(jr_pauses_whole(&pauses));
    assert_contains(pauses.items[0].why, "damaged");
    jr_txn_begin(&txn, store, true);
    jr_pause_remove(&txn, &pauses.items[0]);
    commit(&txn);
    load(store, START_MS, &pauses);
    assert_int_equal(pauses.count, 0);
    jr_store_close(store);
}

static void words(void **state)
{
    struct jr_pause pause = { .pattern = "octo/*", .since_ms = START_MS, .who = "alice", .why = "a move" };
    char text[JR_PAUSE_WORDS_SIZE];

    (void)state;
    assert_string_equal(jr_pause_words(&pause, text), "octo/*, by alice, since 2026-11-20T00:00:00Z: a move");
    pause.until_ms = START_MS + JR_HOUR_MS;
    pause.why[0] = '\0';
    assert_string_equal(jr_pause_words(&pause, text),
                        "octo/*, by alice, since 2026-11-20T00:00:00Z, until 2026-11-20T01:00:00Z");
    pause = (struct jr_pause){ .since_ms = START_MS };
    assert_string_equal(jr_pause_words(&pause, text), "everything, since 2026-11-20T00:00:00Z");
}

static void journal(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_act act = { .kind = JR_ACT_FORGET, .who = "alice", .repo = "octo/app" };
    struct jr_txn txn;
    uint64_t number = 0;

    (void)state;
    jr_txn_begin(&txn, store, true);
    assert_false(jr_journal_next(&txn, &number, &act));
    for (uint64_t i = 1; i <= JR_ACTS_MAX + 5; i++) {
        act.run_id = i;
        jr_journal_add(&txn, &act);
    }
    jr_txn_put(&txn, JR_TABLE_META, "act:\0\0\0\0\0\0\0\x06", 12, "\xff", 1);
    assert_int_equal(jr_journal_untold(&txn), 0);
    jr_journal_tell(&txn, 7);
    commit(&txn);

    jr_txn_begin(&txn, store, false);
    assert_int_equal(jr_journal_untold(&txn), 7);
    number = 0;
    for (uint64_t i = 6; i <= JR_ACTS_MAX + 5; i++) {
        if (i == 7)
            continue; /* damaged */
        assert_true(jr_journal_next(&txn, &number, &act));
        assert_true(act.run_id == i);
    }
    assert_string_equal(act.who, "alice");
    assert_string_equal(act.repo, "octo/app");
    assert_int_equal(act.kind, JR_ACT_FORGET);
    assert_false(jr_journal_next(&txn, &number, &act));
    number = UINT64_MAX;
    for (unsigned i = 0; i < JR_ACTS_MAX - 1; i++)
        assert_true(jr_journal_before(&txn, &number, &act));
    assert_true(act.run_id == 6);
    assert_false(jr_journal_before(&txn, &number, &act));
    commit(&txn);
    jr_store_close(store);
}

int main(void)
{
    TABLE(patterns, pattern_is_checked);
    TEST(too_long_a_pattern);
    TEST(found);
    TEST(slots);
    TEST(damaged);
    TEST(words);
    TEST(journal);
    return run_program("pause");
}
