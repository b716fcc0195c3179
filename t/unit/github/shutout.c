/*
 * shutout -- whose repositories GitHub lets this program not in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/shutout.h"
#include "t/unit/support.h"

#include <string.h>

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_shutouts shutouts;
};

static void load(struct bench *bench, uint64_t fingerprint)
{
    struct jr_txn txn;

    jr_shutouts_release(&bench->shutouts);
    jr_txn_begin(&txn, bench->store, false);
    assert_int_equal(jr_shutouts_load(&txn, &bench->shutouts, fingerprint), JR_OK);
    commit(&txn);
}

static void open_bench(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->store = open_store(new_folder());
    load_settings(&bench->settings, NULL);
    load(bench, 1);
}

static void close_bench(struct bench *bench)
{
    jr_shutouts_release(&bench->shutouts);
    jr_store_close(bench->store);
    jr_settings_release(&bench->settings);
}

/* Refused, and saved. Returns whether it was news. */
static bool refuse(struct bench *bench, enum jr_shut shut, const char *repo, bool posted, int64_t now_ms)
{
    struct jr_call call = { .reason = JR_REASON_SHUT_OUT, .shut = shut, .status = 403, .text = "an IP allow list" };
    const struct jr_shutout *shutout;
    struct jr_txn txn;
    bool begun;

    shutout = jr_shutouts_note(&bench->shutouts, &bench->settings, &call, repo, posted, now_ms, &begun);
    assert_non_null(shutout);
    jr_txn_begin(&txn, bench->store, true);
    jr_shutout_save(&txn, &bench->shutouts, shutout);
    commit(&txn);
    return begun;
}

static int64_t left_ms(struct bench *bench, const char *repo, int64_t now_ms)
{
    int64_t left;
    const struct jr_shutout *found = jr_shutouts_find(&bench->shutouts, repo, now_ms, &left);

    assert_true((found != NULL) == (left > 0));
    return left;
}

/* How many an answer about repo ends; they are deleted. */
static unsigned ended(struct bench *bench, enum jr_outcome outcome, enum jr_reason reason, const char *repo,
                      bool posted)
{
    struct jr_call call = { .outcome = outcome, .reason = reason, .status = 200 };
    struct jr_shutout over;
    struct jr_txn txn;
    unsigned count = 0;

    while (jr_shutouts_take_over(&bench->shutouts, &call, repo, posted, START_MS, &over)) {
        jr_txn_begin(&txn, bench->store, true);
        jr_shutout_delete(&txn, &over);
        commit(&txn);
        count++;
    }
    return count;
}

static void owner_by_owner(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    assert_int_equal(left_ms(&bench, "acme/shop", START_MS), 0);
    assert_true(refuse(&bench, JR_SHUT_OWNER, "acme/shop", false, START_MS));
    assert_int_equal(left_ms(&bench, "acme/shop", START_MS), 10 * JR_SECOND_MS);
    assert_int_equal(left_ms(&bench, "ACME/other", START_MS), 10 * JR_SECOND_MS);
    assert_int_equal(left_ms(&bench, "acmeco/shop", START_MS), 0);
    assert_int_equal(left_ms(&bench, "acm/shop", START_MS), 0);
    assert_int_equal(left_ms(&bench, "", START_MS), 0);
    assert_string_equal(bench.shutouts.items[0].name, "acme");
    assert_string_equal(bench.shutouts.items[0].text, "an IP allow list");
    /* The probe is the next call about any of them; the wait doubles up to API_BACKOFF_MAX. */
    assert_int_equal(left_ms(&bench, "acme/shop", START_MS + 10 * JR_SECOND_MS), 0);
    for (int64_t wait_ms = 20 * JR_SECOND_MS; wait_ms < 2 * JR_HOUR_MS; wait_ms *= 2) {
        assert_false(refuse(&bench, JR_SHUT_OWNER, "acme/other", false, START_MS));
        assert_int_equal(left_ms(&bench, "acme/shop", START_MS),
                         wait_ms < 10 * JR_MINUTE_MS ? wait_ms : 10 * JR_MINUTE_MS);
    }
    assert_int_equal(bench.shutouts.count, 1);
    assert_int_equal(bench.shutouts.items[0].since_ms, START_MS);
    close_bench(&bench);
}

static void one_repository_and_all(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    refuse(&bench, JR_SHUT_REPO, "acme/shop", true, START_MS);
    assert_int_equal(left_ms(&bench, "acme/shop", START_MS), 10 * JR_SECOND_MS);
    assert_int_equal(left_ms(&bench, "acme/shop2", START_MS), 0);
    refuse(&bench, JR_SHUT_ALL, "other/shop", false, START_MS);
    assert_int_equal(left_ms(&bench, "acme/shop2", START_MS), 10 * JR_SECOND_MS);
    assert_int_equal(left_ms(&bench, "", START_MS), 10 * JR_SECOND_MS);
    close_bench(&bench);
}

static void ends(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    refuse(&bench, JR_SHUT_OWNER, "acme/shop", false, START_MS);
    refuse(&bench, JR_SHUT_OWNER, "other/shop", false, START_MS);
    assert_int_equal(ended(&bench, JR_OUTCOME_LATER, JR_REASON_UNREACHABLE, "acme/shop", false), 0);
    assert_int_equal(ended(&bench, JR_OUTCOME_LATER, JR_REASON_NOT_GITHUB, "acme/shop", false), 0);
    assert_int_equal(ended(&bench, JR_OUTCOME_NEVER, JR_REASON_NOT_FOUND, "acme/shop", false), 0);
    assert_int_equal(ended(&bench, JR_OUTCOME_DONE, JR_REASON_NONE, "third/shop", false), 0);
    assert_int_equal(ended(&bench, JR_OUTCOME_DONE, JR_REASON_NONE, "acme/other", false), 1);
    assert_int_equal(left_ms(&bench, "acme/shop", START_MS), 0);
    assert_true(left_ms(&bench, "other/shop", START_MS) > 0);
    /* Where a POST is refused, a GET shows nothing. */
    refuse(&bench, JR_SHUT_REPO, "acme/shop", true, START_MS);
    assert_int_equal(ended(&bench, JR_OUTCOME_DONE, JR_REASON_NONE, "acme/shop", false), 0);
    assert_int_equal(ended(&bench, JR_OUTCOME_DONE, JR_REASON_RERUN_ACCEPTED, "acme/shop", true), 1);
    load(&bench, 1);
    assert_int_equal(bench.shutouts.count, 1);
    close_bench(&bench);
}

/* That a log or annotations may not be read is normal, and shows nothing. */
static void refused_option_ends_none(void **state)
{
    struct jr_call call = { .api = JR_API_GET_ANNOTATIONS, .outcome = JR_OUTCOME_NEVER,
                            .reason = JR_REASON_NO_PERMISSION, .status = 403 };
    struct jr_shutout over;
    struct bench bench;

    (void)state;
    open_bench(&bench);
    refuse(&bench, JR_SHUT_OWNER, "acme/shop", false, START_MS);
    assert_false(jr_shutouts_take_over(&bench.shutouts, &call, "acme/shop", false, START_MS, &over));
    call.outcome = JR_OUTCOME_DONE;
    call.reason = JR_REASON_NONE;
    assert_true(jr_shutouts_take_over(&bench.shutouts, &call, "acme/shop", false, START_MS, &over));
    close_bench(&bench);
}

static void nobody_asks_any_more(void **state)
{
    struct bench bench;
    struct jr_shutout over;
    int64_t end_ms = START_MS + 10 * JR_SECOND_MS + JR_SHUTOUT_LIFE_MS;

    (void)state;
    open_bench(&bench);
    refuse(&bench, JR_SHUT_OWNER, "acme/shop", false, START_MS);
    assert_false(jr_shutouts_take_over(&bench.shutouts, NULL, "", false, end_ms, &over));
    assert_true(jr_shutouts_take_over(&bench.shutouts, NULL, "", false, end_ms + 1, &over));
    assert_string_equal(over.name, "acme");
    assert_int_equal(bench.shutouts.count, 0);
    close_bench(&bench);
}

static void outlives_a_restart_but_not_the_token(void **state)
{
    struct bench bench;
    struct jr_txn txn;

    (void)state;
    open_bench(&bench);
    refuse(&bench, JR_SHUT_OWNER, "acme/shop", false, START_MS);
    refuse(&bench, JR_SHUT_REPO, "other/shop", true, START_MS);
    load(&bench, 1);
    assert_int_equal(bench.shutouts.count, 2);
    assert_int_equal(left_ms(&bench, "acme/x", START_MS + 1000), 9 * JR_SECOND_MS);
    assert_false(refuse(&bench, JR_SHUT_OWNER, "acme/shop", false, START_MS));
    assert_int_equal(left_ms(&bench, "acme/x", START_MS), 20 * JR_SECOND_MS);
    load(&bench, 2);
    assert_int_equal(bench.shutouts.count, 0);
    load(&bench, 0);
    assert_int_equal(bench.shutouts.count, 2);
    jr_txn_begin(&txn, bench.store, true);
    jr_shutouts_prune(&txn, 2);
    commit(&txn);
    load(&bench, 0);
    assert_int_equal(bench.shutouts.count, 0);
    close_bench(&bench);
}

/* A clock that is set back makes no wait longer. */
static void clock_may_go_back(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    refuse(&bench, JR_SHUT_OWNER, "acme/shop", false, START_MS);
    assert_int_equal(left_ms(&bench, "acme/shop", START_MS - JR_DAY_MS), 10 * JR_SECOND_MS);
    assert_int_equal(left_ms(&bench, "acme/shop", START_MS - JR_DAY_MS + 10 * JR_SECOND_MS), 0);
    close_bench(&bench);
}

static void damaged_record(void **state)
{
    struct bench bench;
    struct jr_entry entry = { .key_length = 0 };
    struct jr_txn txn;

    (void)state;
    open_bench(&bench);
    refuse(&bench, JR_SHUT_OWNER, "acme/shop", false, START_MS);
    jr_txn_begin(&txn, bench.store, true);
    assert_true(jr_txn_seek(&txn, JR_TABLE_META, "shut-out-", 9, false, &entry));
    jr_txn_put(&txn, JR_TABLE_META, entry.key, entry.key_length, "nonsense", 8);
    commit(&txn);
    load(&bench, 1);
    assert_int_equal(bench.shutouts.count, 0);
    assert_true(refuse(&bench, JR_SHUT_OWNER, "acme/shop", false, START_MS));
    load(&bench, 1);
    assert_int_equal(bench.shutouts.count, 1);
    close_bench(&bench);
}

/* Of calls that were under way together, a refusal counts once, and no answer ends it. */
static void calls_of_before(void **state)
{
    struct jr_call refused = { .reason = JR_REASON_SHUT_OUT, .shut = JR_SHUT_OWNER, .status = 403,
                               .begun_us = 5000000, .duration_us = 1000000 };
    struct jr_call good = { .outcome = JR_OUTCOME_DONE, .status = 200, .begun_us = 5999999 };
    struct jr_shutout over;
    struct bench bench;
    bool begun;

    (void)state;
    open_bench(&bench);
    assert_non_null(jr_shutouts_note(&bench.shutouts, &bench.settings, &refused, "acme/shop", false,
                                     START_MS, &begun));
    assert_true(begun);
    refused.begun_us = 5999999;
    assert_non_null(jr_shutouts_note(&bench.shutouts, &bench.settings, &refused, "acme/other", false,
                                     START_MS, &begun));
    assert_false(begun);
    assert_int_equal(left_ms(&bench, "acme/shop", START_MS), 10 * JR_SECOND_MS);
    assert_false(jr_shutouts_take_over(&bench.shutouts, &good, "acme/shop", false, START_MS, &over));
    assert_false(jr_shutouts_cover_both(&bench.shutouts, "acme/shop", "acme/other", 5999999));
    assert_true(jr_shutouts_cover_both(&bench.shutouts, "acme/shop", "acme/other", 6000000));
    assert_false(jr_shutouts_cover_both(&bench.shutouts, "acme/shop", "octo/other", 6000000));
    assert_false(jr_shutouts_cover_both(&bench.shutouts, "octo/other", "acme/shop", 6000000));
    good.begun_us = 6000000;
    assert_true(jr_shutouts_take_over(&bench.shutouts, &good, "acme/shop", false, START_MS, &over));
    close_bench(&bench);
}

int main(void)
{
    TEST(owner_by_owner);
    TEST(one_repository_and_all);
    TEST(ends);
    TEST(refused_option_ends_none);
    TEST(calls_of_before);
    TEST(nobody_asks_any_more);
    TEST(outlives_a_restart_but_not_the_token);
    TEST(clock_may_go_back);
    TEST(damaged_record);
    return run_program("shutout");
}
