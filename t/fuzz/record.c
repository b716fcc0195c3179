/*
 * record -- any bytes in the place of a record in the store. The first byte says
 * of which kind; the rest is the record. What can be read of it and is written
 * again, reads the same; what cannot is called damaged.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/throttle.h"
#include "lib/model/run.h"
#include "lib/model/notice.h"
#include "lib/store/askings.h"
#include "lib/store/budget.h"
#include "lib/store/causeholds.h"
#include "lib/store/days.h"
#include "lib/store/delivery.h"
#include "lib/store/failures.h"
#include "lib/store/flaky.h"
#include "lib/store/history.h"
#include "lib/store/journal.h"
#include "lib/store/ledger.h"
#include "lib/store/narrate.h"
#include "lib/store/notices.h"
#include "lib/store/ownpolicy.h"
#include "lib/store/pause.h"
#include "lib/store/repo.h"
#include "lib/store/reports.h"
#include "lib/store/store.h"
#include "lib/store/threads.h"
#include "t/fuzz/fuzz.h"

#include <unistd.h>

#define NOW_MS  INT64_C(1795132800000) /* 2026-11-20T00:00:00Z */
#define TODAY   (NOW_MS / JR_DAY_MS)
#define RUN_ID  UINT64_C(12345678901)
#define JOB_ID  UINT64_C(100000000001)
#define REPO_ID UINT64_C(4711)

/* A record, found again. */
struct record {
    unsigned char bytes[JR_VALUE_MAX];
    size_t length;
};

static char folder[256];
static struct jr_store *store;

static void remove_store(void)
{
    static const char *const names[] = { "data.mdb", "lock.mdb" };
    char path[sizeof folder + 16];

    jr_store_close(store);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (snprintf(path, sizeof path, "%s/%s", folder, names[i]) > 0)
            unlink(path);
    rmdir(folder);
}

/* A store that nothing is ever committed to. */
static void open_store(void)
{
    const char *where = getenv("TMPDIR");
    struct jr_error error;

    HOLDS(snprintf(folder, sizeof folder, "%s/fuzz-record-XXXXXX", where == NULL ? "/tmp" : where)
          < (int)sizeof folder);
    HOLDS(mkdtemp(folder) != NULL);
    if (jr_store_open(&store, folder, 16 * 1024 * 1024, &error) != JR_OK) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    atexit(remove_store);
}

static size_t number_key(unsigned char key[JR_KEY_MAX], uint64_t number, bool is_long)
{
    struct jr_writer writer;

    jr_writer_init(&writer, key, JR_KEY_MAX);
    if (is_long)
        jr_write_u64(&writer, number);
    else
        jr_write_u32(&writer, (uint32_t)number);
    return writer.length;
}

static void get(struct jr_txn *txn, enum jr_table table, const void *key, size_t key_length,
                struct record *record)
{
    HOLDS(jr_txn_get(txn, table, key, key_length, record->bytes, sizeof record->bytes,
                     &record->length));
}

static void holds_same(const struct record *one, const struct record *two)
{
    HOLDS(one->length == two->length && memcmp(one->bytes, two->bytes, one->length) == 0);
}

/* Did the reading of a damaged record fail the transaction, and say so? */
static void holds_damaged(const struct jr_txn *txn)
{
    HOLDS(txn->error.code == JR_EFORMAT && txn->error.text[0] != '\0');
}

static void run_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = jr_ledger_key(key, RUN_ID, JR_PART_RUN, 0);
    struct record one, two;
    struct jr_run run;

    jr_txn_put(txn, JR_TABLE_RUNS, key, length, bytes, size);
    if (!jr_ledger_read_run(txn, RUN_ID, &run))
        return;
    HOLDS(run.phase <= JR_PHASE_CLOSED && run.conclusion <= JR_CONCLUSION_OTHER);
    (void)jr_run_result(&run);
    HOLDS(jr_reason_token(run.reason) != NULL && jr_phase_name(run.phase) != NULL);
    jr_ledger_save_run(txn, &run);
    HOLDS(txn->error.code == JR_OK);
    get(txn, JR_TABLE_RUNS, key, length, &one);
    /* One of before reruns were counted grows by the number that says that none is. */
    HOLDS(one.length == size || one.length == size + 4);
    jr_ledger_load_run(txn, RUN_ID, &run);
    jr_ledger_save_run(txn, &run);
    get(txn, JR_TABLE_RUNS, key, length, &two);
    holds_same(&one, &two);
    jr_ledger_remove_run(txn, &run);
    HOLDS(txn->error.code == JR_OK);
}

static void job_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = jr_ledger_key(key, RUN_ID, JR_PART_JOB, JOB_ID);
    struct record one, two;
    struct jr_job job;

    jr_txn_put(txn, JR_TABLE_RUNS, key, length, bytes, size);
    if (!jr_ledger_next_job(txn, RUN_ID, 0, &job)) {
        holds_damaged(txn);
        return;
    }
    HOLDS(job.job_id == JOB_ID && job.status <= JR_STATUS_COMPLETED);
    HOLDS(jr_status_name(job.status) != NULL && jr_conclusion_name(job.conclusion) != NULL);
    jr_ledger_save_job(txn, &job);
    get(txn, JR_TABLE_RUNS, key, length, &one);
    HOLDS(one.length == size);
    jr_ledger_load_job(txn, RUN_ID, JOB_ID, &job);
    jr_ledger_save_job(txn, &job);
    get(txn, JR_TABLE_RUNS, key, length, &two);
    holds_same(&one, &two);
    HOLDS(txn->error.code == JR_OK);
}

/* Of an entry the place in the indexes is a record's, too: nothing is left of it. */
static void failure_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = jr_ledger_key(key, RUN_ID, JR_PART_FAILURE, JOB_ID);
    struct jr_run run = { .known = true, .run_id = RUN_ID, .repo = "octo/app", .workflow = "CI" };
    struct jr_failure failure;
    struct record one, two;
    const struct jr_failures_span span = { NOW_MS, JR_TIME_MOST, 9 };
    uint32_t tried, rescued;
    char line[JR_LINE_PATTERN_SIZE];

    jr_txn_put(txn, JR_TABLE_RUNS, key, length, bytes, size);
    if (!jr_failures_next(txn, RUN_ID, 0, &failure)) {
        holds_damaged(txn);
        return;
    }
    HOLDS(failure.job_id == JOB_ID && failure.conclusion <= JR_CONCLUSION_OTHER);
    HOLDS(failure.finding.cause == JR_CAUSE_NONE || jr_cause_name(failure.finding.cause) != NULL);
    jr_failure_line_key(failure.finding.first_error, line, JR_LINE_KEY_SIZE);
    HOLDS(strlen(line) < JR_LINE_KEY_SIZE);
    jr_failure_line_pattern(failure.finding.first_error, line, sizeof line);
    HOLDS(strlen(line) < sizeof line);
    jr_failures_save(txn, &run, &failure, NOW_MS);
    HOLDS(txn->error.code == JR_OK);
    get(txn, JR_TABLE_RUNS, key, length, &one);
    HOLDS(jr_failures_next(txn, RUN_ID, 0, &failure));
    jr_failures_save(txn, &run, &failure, NOW_MS);
    get(txn, JR_TABLE_RUNS, key, length, &two);
    holds_same(&one, &two);
    jr_failures_worth(txn, &run, failure.name, failure.finding.cause, span, &tried, &rescued);
    failure.attempt++;
    (void)jr_failures_same_as_before(txn, &run, &failure, NULL);
    jr_ledger_remove_run(txn, &run);
    HOLDS(txn->error.code == JR_OK && jr_txn_count(txn, JR_TABLE_FAILURES) == 0);
    HOLDS(jr_txn_count(txn, JR_TABLE_RUNS) == 0);
}

static void history_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    unsigned char key[JR_KEY_MAX];
    struct jr_run run = { .run_id = RUN_ID, .history_count = 1 };
    struct jr_history entry, again;
    struct record one, two;
    uint32_t number = 0;
    char words[JR_NARRATE_SIZE];

    jr_txn_put(txn, JR_TABLE_RUNS, key, jr_ledger_key(key, RUN_ID, JR_PART_HISTORY, 0), bytes, size);
    if (!jr_history_next(txn, RUN_ID, &number, &entry)) {
        holds_damaged(txn);
        return;
    }
    HOLDS(number == 1 && jr_narrate_reason(&entry) != NULL);
    HOLDS(strlen(jr_narrate(&entry, words)) < sizeof words - 1);
    jr_history_add(txn, &run, &entry, NULL, NULL);
    HOLDS(jr_history_next(txn, RUN_ID, &number, &again));
    jr_history_add(txn, &run, &again, NULL, NULL);
    get(txn, JR_TABLE_RUNS, key, jr_ledger_key(key, RUN_ID, JR_PART_HISTORY, 1), &one);
    get(txn, JR_TABLE_RUNS, key, jr_ledger_key(key, RUN_ID, JR_PART_HISTORY, 2), &two);
    holds_same(&one, &two);
    HOLDS(txn->error.code == JR_OK);
}

static void delivery_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    struct jr_delivery delivery;
    struct jr_answer answer, again;
    struct jr_entry entry;
    struct record one, two;

    HOLDS(jr_delivery_identify(&delivery, "one", "", 0) == JR_OK);
    memset(&answer, 0, sizeof answer);
    jr_delivery_remember(txn, &delivery, NOW_MS, &answer);
    HOLDS(jr_txn_seek(txn, JR_TABLE_DELIVERIES, NULL, 0, false, &entry));
    jr_txn_put(txn, JR_TABLE_DELIVERIES, entry.key, entry.key_length, bytes, size);
    if (!jr_delivery_find(txn, &delivery, NOW_MS, &answer) || txn->error.code != JR_OK) {
        holds_damaged(txn);
        return;
    }
    HOLDS(jr_reason_token(answer.reason) != NULL);
    jr_delivery_remember(txn, &delivery, NOW_MS, &answer);
    get(txn, JR_TABLE_DELIVERIES, entry.key, entry.key_length, &one);
    HOLDS(jr_delivery_find(txn, &delivery, NOW_MS, &again));
    HOLDS(again.reply == answer.reply && again.reason == answer.reason);
    HOLDS(again.run_id == answer.run_id && again.attempt == answer.attempt);
    jr_delivery_remember(txn, &delivery, NOW_MS, &again);
    get(txn, JR_TABLE_DELIVERIES, entry.key, entry.key_length, &two);
    holds_same(&one, &two);
    HOLDS(jr_delivery_forget(txn, "one", NOW_MS));
    HOLDS(txn->error.code == JR_OK && jr_txn_count(txn, JR_TABLE_DELIVERIES) == 0);
}

/* Whose turn is it? One that is gone may have to wait for its time. */
static bool next_repo(struct jr_txn *txn, struct jr_repo *repo)
{
    const struct jr_repo_search search = { INT64_MAX, INT64_MAX, JR_MINUTE_MS, NULL };
    struct jr_repo_walk walk = { .found = false };
    int64_t held_ms;

    return jr_repo_next(txn, &search, &walk, repo, &held_ms) == JR_REPO_FOUND;
}

static void repo_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = number_key(key, REPO_ID, true);
    struct jr_repo_place place = { .key_length = 0 };
    struct record one, two;
    struct jr_repo repo;

    jr_txn_put(txn, JR_TABLE_REPOS, key, length, bytes, size);
    if (jr_repo_load(txn, REPO_ID, &repo)) {
        /* As a new one: nothing tells that it is to be looked at so far. */
        jr_txn_delete(txn, JR_TABLE_REPOS, key, length);
        jr_repo_save(txn, &repo);
        get(txn, JR_TABLE_REPOS, key, length, &one);
        HOLDS(next_repo(txn, &repo) && repo.id == REPO_ID);
        jr_repo_save(txn, &repo);
        get(txn, JR_TABLE_REPOS, key, length, &two);
        holds_same(&one, &two);
        jr_repo_looked(txn, &repo);
    }
    /* Damaged or not, an event puts it right; what stood for it before is pruned. */
    jr_repo_note(txn, REPO_ID, "octo/app", NOW_MS);
    HOLDS(next_repo(txn, &repo) && strcmp(repo.name, "octo/app") == 0);
    HOLDS(repo.last_event_ms > repo.look_ms || repo.look_ms == JR_TIME_MOST);
    jr_repo_prune(txn, 0, 9, &place);
    HOLDS(jr_txn_count(txn, JR_TABLE_LOOKS) == 1);
    HOLDS(txn->error.code == JR_OK);
}

static void throttle_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const char key[] = "throttle";
    static const struct jr_settings settings = { .api_backoff_max_ms = JR_HOUR_MS };
    struct jr_call call = { .status = 403, .stops_all = true, .reason = JR_REASON_RATE_LIMITED };
    struct jr_throttle throttle;
    struct record one, two;

    /* Without a token its fingerprint is 0. */
    jr_txn_put(txn, JR_TABLE_META, key, sizeof key - 1, bytes, size);
    jr_throttle_load(txn, &throttle, NULL, 0, NOW_MS);
    HOLDS(throttle.fingerprint == 0);
    HOLDS(throttle.stopped_until_ms <= NOW_MS + JR_THROTTLE_MAX_MS);
    HOLDS(jr_throttle_stop_left_ms(&throttle, NOW_MS) <= JR_THROTTLE_MAX_MS);
    HOLDS(jr_throttle_wait_ms(&throttle, NOW_MS) >= 0);
    jr_throttle_save(txn, &throttle);
    get(txn, JR_TABLE_META, key, sizeof key - 1, &one);
    jr_throttle_load(txn, &throttle, NULL, 0, NOW_MS);
    jr_throttle_save(txn, &throttle);
    get(txn, JR_TABLE_META, key, sizeof key - 1, &two);
    holds_same(&one, &two);
    HOLDS(jr_throttle_note(&throttle, &settings, &call, NOW_MS));
    HOLDS(jr_throttle_stop_left_ms(&throttle, NOW_MS) > 0);
    HOLDS(jr_throttle_stop_left_ms(&throttle, NOW_MS) <= JR_THROTTLE_MAX_MS);
    HOLDS(txn->error.code == JR_OK);
}

static void day_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = number_key(key, TODAY, false);
    struct jr_run before = { .known = true, .run_id = RUN_ID, .repo_id = REPO_ID, .attempt = 1 }, run = before;
    struct jr_failure failure = { .job_id = JOB_ID, .finding = { .cause = JR_CAUSE_NETWORK } };
    struct record one, two;
    struct jr_day day;

    jr_txn_put(txn, JR_TABLE_DAYS, key, length, bytes, size);
    for (int i = 0; i < 2; i++) {
        run.reruns = before.reruns + 1;
        jr_days_note(txn, &before, &run, NOW_MS);
        get(txn, JR_TABLE_DAYS, key, length, i == 0 ? &one : &two);
    }
    /* One number has grown by one, if it was not at its end. */
    HOLDS(one.length >= 17 && two.length == one.length);
    HOLDS(memcmp(one.bytes, two.bytes, 5) == 0);
    HOLDS(memcmp(one.bytes + 9, two.bytes + 9, one.length - 9) == 0);
    HOLDS(memcmp(one.bytes + 5, two.bytes + 5, 4) <= 0);
    jr_days_note_cause(txn, &before, &failure, NOW_MS);
    jr_days_load(txn, JR_DAYS_ALL, NOW_MS, &day, 1);
    HOLDS(day.causes[JR_CAUSE_NETWORK] > 0);
    jr_days_load(txn, REPO_ID, NOW_MS, &day, 1);
    HOLDS(day.causes[JR_CAUSE_NETWORK] == 1 && day.reruns == 2);
    jr_days_prune(txn, NOW_MS + 2 * JR_DAY_MS, 2);
    HOLDS(txn->error.code == JR_OK && jr_txn_count(txn, JR_TABLE_DAYS) == 0);
}

static void spent_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const unsigned char all[8] = { 0 };
    unsigned char key[JR_KEY_MAX];
    size_t length = number_key(key, TODAY, false);
    struct jr_run before = { .known = true, .run_id = RUN_ID, .attempt = 1, .repo_id = 7 }, run = before;
    struct jr_budget_day first, more, less;

    memcpy(key + length, all, sizeof all);
    jr_txn_put(txn, JR_TABLE_SPENT, key, length + sizeof all, bytes, size);
    jr_budget_load(txn, JR_BUDGET_ALL, NOW_MS, &first);
    HOLDS(jr_budget_next(txn, NOW_MS, true, &more) && more.scope == JR_BUDGET_ALL);
    run.intent_ms = NOW_MS;
    jr_budget_note(txn, &before, &run, JR_BUDGET_POST_FAILED, NOW_MS);
    jr_budget_load(txn, JR_BUDGET_ALL, NOW_MS, &more);
    before = run;
    run.intent_ms = 0;
    jr_budget_note(txn, &before, &run, JR_BUDGET_NO_POST, NOW_MS);
    jr_budget_load(txn, JR_BUDGET_ALL, NOW_MS, &less);
    /* One has come and gone; a counter at its end stays there, and one less comes of it. */
    for (unsigned hour = 0; hour < 24; hour++)
        HOLDS(less.reruns[hour] == more.reruns[hour] - (hour == jr_budget_hour(NOW_MS)));
    HOLDS(memcmp(&first.minutes, &less.minutes, sizeof first.minutes) == 0);
    HOLDS(run.spent.attempt == 0);
    jr_budget_prune(txn, NOW_MS + 2 * JR_DAY_MS, 2);
    HOLDS(txn->error.code == JR_OK && jr_txn_count(txn, JR_TABLE_SPENT) == 0);
}

/* A job that fails: it is counted in the rows of the job, the runner, its labels, and the job there. */
static void tally(struct jr_txn *txn, const struct jr_job *before, struct jr_run *run)
{
    struct jr_job job = *before;
    struct jr_run run_before = *run;

    job.known = true;
    job.status = JR_STATUS_COMPLETED;
    job.conclusion = JR_CONCLUSION_FAILURE;
    jr_ledger_save_job(txn, &job);
    jr_flaky_tally(txn, &run_before, run, before, &job, NOW_MS);
}

static void flaky_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    struct jr_run run = {
        .known = true,
        .run_id = RUN_ID,
        .repo = "octo/app",
        .workflow = "CI",
        .attempt = 1,
        .base_attempt = 1,
        .jobs_known = 1,
        .phase = JR_PHASE_CLOSED,
    };
    struct jr_job job = {
        .run_id = RUN_ID,
        .job_id = JOB_ID,
        .attempt = 1,
        .name = "build",
        .runner = "runner",
        .labels = "linux",
        .started_ms = NOW_MS - JR_MINUTE_MS,
        .completed_ms = NOW_MS,
    };
    struct jr_flaky_walk walk = { .ended = false };
    struct jr_entry entry = { .key_length = 0 };
    struct record row;

    tally(txn, &job, &run);
    HOLDS(txn->error.code == JR_OK && jr_txn_count(txn, JR_TABLE_FLAKY) == 4);
    while (jr_txn_seek(txn, JR_TABLE_FLAKY, entry.key, entry.key_length, true, &entry))
        jr_txn_put(txn, JR_TABLE_FLAKY, entry.key, entry.key_length, bytes, size);
    /* Another one of the same name on the same runner. */
    job.job_id++;
    run.jobs_known++;
    tally(txn, &job, &run);
    HOLDS(txn->error.code == JR_OK && jr_txn_count(txn, JR_TABLE_FLAKY) == 4);
    get(txn, JR_TABLE_FLAKY, entry.key, entry.key_length, &row);
    HOLDS(jr_flaky_prune(txn, NOW_MS - JR_DAY_MS, NOW_MS, 10, &walk) == 0);
    HOLDS(jr_flaky_prune(txn, INT64_MAX, NOW_MS, 10, &walk) <= 4);
    HOLDS(txn->error.code == JR_OK);
}

/* The sum of a day of all rows of jobs: one more execution of a job of its own. */
static void sum_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = number_key(key, TODAY, false);
    struct jr_run run = {
        .known = true,
        .run_id = RUN_ID,
        .repo = "octo/app",
        .attempt = 1,
        .base_attempt = 1,
        .jobs_known = 1,
        .phase = JR_PHASE_CLOSED,
    };
    struct jr_job job = { .run_id = RUN_ID, .job_id = JOB_ID, .attempt = 1, .name = "build", .completed_ms = NOW_MS };
    struct jr_flaky_walk walk = { .ended = false };
    struct record sum;

    jr_txn_put(txn, JR_TABLE_SUMS, key, length, bytes, size);
    tally(txn, &job, &run);
    get(txn, JR_TABLE_SUMS, key, length, &sum);
    HOLDS(sum.length > 1);
    HOLDS(jr_flaky_prune(txn, INT64_MAX, NOW_MS, 10, &walk) > 0);
    HOLDS(txn->error.code == JR_OK && jr_txn_count(txn, JR_TABLE_FLAKY) == 0);
}

static void pause_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const char key[] = "pause:\x05";
    struct jr_pauses pauses;
    struct record one, two;
    char words[JR_PAUSE_WORDS_SIZE];

    jr_txn_put(txn, JR_TABLE_META, key, sizeof key - 1, bytes, size);
    jr_pauses_load(txn, 0, &pauses);
    HOLDS(pauses.count == 1 && pauses.over == 0 && pauses.items[0].slot == 5);
    HOLDS(strlen(jr_pause_words(&pauses.items[0], words)) < JR_PAUSE_WORDS_SIZE - 1);
    HOLDS((jr_pauses_whole(&pauses) == NULL) == (jr_pauses_partial(&pauses) == 1));
    jr_pause_save(txn, &pauses.items[0]);
    get(txn, JR_TABLE_META, key, sizeof key - 1, &one);
    jr_pauses_load(txn, 0, &pauses);
    jr_pause_save(txn, &pauses.items[0]);
    get(txn, JR_TABLE_META, key, sizeof key - 1, &two);
    holds_same(&one, &two);
    jr_pause_remove(txn, &pauses.items[0]);
    jr_pauses_load(txn, 0, &pauses);
    HOLDS(pauses.count == 0 && txn->error.code == JR_OK);
}

static void act_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const char key[] = "act:\0\0\0\0\0\0\0\x05";
    static const char next_key[] = "act:\0\0\0\0\0\0\0\x06";
    struct record one, two;
    struct jr_act act;
    uint64_t number = 0;

    jr_txn_put(txn, JR_TABLE_META, key, sizeof key - 1, bytes, size);
    if (jr_journal_next(txn, &number, &act)) {
        HOLDS(number == 6);
        jr_journal_add(txn, &act);
        get(txn, JR_TABLE_META, next_key, sizeof next_key - 1, &one);
        HOLDS(jr_journal_next(txn, &number, &act) && number == 7);
        jr_txn_delete(txn, JR_TABLE_META, next_key, sizeof next_key - 1);
        jr_journal_add(txn, &act);
        get(txn, JR_TABLE_META, next_key, sizeof next_key - 1, &two);
        holds_same(&one, &two);
    }
    HOLDS(txn->error.code == JR_OK);
}

static void hold_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const char key[] = "causehold:\x09"; /* JR_CAUSE_REGISTRY */
    struct jr_causeholds holds;
    struct record one, two;

    jr_txn_put(txn, JR_TABLE_META, key, sizeof key - 1, bytes, size);
    jr_causeholds_load(txn, NOW_MS, &holds);
    HOLDS(holds.count == 1 && holds.items[0].cause == JR_CAUSE_REGISTRY);
    HOLDS(holds.items[0].since_ms <= NOW_MS && holds.items[0].over_ms <= NOW_MS);
    HOLDS(holds.items[0].next_probe_ms <= NOW_MS + JR_DAY_MS);
    HOLDS(jr_causehold_end_words(holds.items[0].end) != NULL);
    (void)jr_causehold_room(&holds.items[0], NOW_MS);
    jr_causehold_save(txn, &holds.items[0]);
    get(txn, JR_TABLE_META, key, sizeof key - 1, &one);
    jr_causehold_load(txn, JR_CAUSE_REGISTRY, NOW_MS, &holds.items[0]);
    jr_causehold_save(txn, &holds.items[0]);
    get(txn, JR_TABLE_META, key, sizeof key - 1, &two);
    holds_same(&one, &two);
    HOLDS(txn->error.code == JR_OK);
}

/* One that cannot be read does not hide the next, and goes. */
static void asked_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const char key[] = "asking-\0\0\0\0\0\0\0\x05";
    struct jr_asked asked, again;
    uint64_t number = 0;
    struct record one;
    bool is_read;

    jr_txn_put(txn, JR_TABLE_META, key, sizeof key - 1, bytes, size);
    is_read = jr_askings_next(txn, &number, &asked);
    HOLDS(is_read == jr_askings_load(txn, 5, &again));
    if (is_read) {
        HOLDS(number == 5 && strcmp(jr_verb_name(asked.verb), "none") != 0);
        HOLDS(asked.count <= JR_ASKED_RUNS && jr_asked_end_name(asked.end) != NULL);
        jr_askings_save(txn, 5, &asked);
        get(txn, JR_TABLE_META, key, sizeof key - 1, &one);
        /* One of before grows by its end. */
        HOLDS(one.length == size || one.length == size + 21);
        HOLDS(jr_askings_load(txn, 5, &again) && memcmp(&asked, &again, sizeof asked) == 0);
    }
    again = (struct jr_asked){ .verb = JR_VERB_WHY, .comment_id = 77, .at_ms = NOW_MS };
    HOLDS(jr_askings_add(txn, &again, NOW_MS));
    HOLDS(jr_askings_next(txn, &number, &asked) && number == 6 && asked.comment_id == 77);
    HOLDS(jr_askings_prune(txn, NOW_MS, 9) == !is_read);
    (void)jr_askings_prune(txn, JR_TIME_MOST, 9);
    number = 0;
    HOLDS(!jr_askings_next(txn, &number, &asked) && txn->error.code == JR_OK);
}

/* How many were refused, and which comment was read. */
static void refused_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const char key[] = "not-allowed-\0\0\0\0\0\0\x12\x67\0"; /* REPO_ID */
    const struct jr_asked asked = { .verb = JR_VERB_WHY, .repo_id = REPO_ID, .comment_id = 77 };
    unsigned count;

    jr_txn_put(txn, JR_TABLE_META, key, sizeof key - 1, bytes, size);
    count = jr_askings_refused(txn, &asked, NOW_MS);
    jr_askings_refuse(txn, &asked, NOW_MS);
    HOLDS(jr_askings_refused(txn, &asked, NOW_MS) == (count < UINT32_MAX ? count + 1 : count));
    HOLDS(jr_askings_prune(txn, NOW_MS + JR_DAY_MS, 9) == 0);
    HOLDS(jr_askings_refused(txn, &asked, NOW_MS) == 0);
    HOLDS(txn->error.code == JR_OK && jr_txn_count(txn, JR_TABLE_META) == 1);
}

static void report_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = jr_ledger_key(key, RUN_ID, JR_PART_REPORT, 0);
    struct jr_report report, again;
    int64_t due_ms = 0;
    uint64_t run_id = 0;
    struct record one;

    jr_txn_put(txn, JR_TABLE_RUNS, key, length, bytes, size);
    jr_reports_load(txn, RUN_ID, &report);
    HOLDS(report.known && !(report.completed && jr_report_is_open(&report)));
    jr_reports_save(txn, RUN_ID, &report, NOW_MS);
    get(txn, JR_TABLE_RUNS, key, length, &one);
    HOLDS(report.check_id == 0 || one.length == size);
    jr_reports_load(txn, RUN_ID, &again);
    HOLDS(memcmp(&report, &again, sizeof report) == 0);
    HOLDS(report.due_ms == NOW_MS && txn->error.code == JR_OK);
    if (jr_reports_next(txn, &due_ms, &run_id))
        HOLDS(due_ms == NOW_MS && run_id == RUN_ID);
}

static void thread_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const char key[] = "report-on-\0\0\0\0\0\0\x12\x67\0\0\0\0\0\0\0\x07";
    struct jr_thread thread, again;
    struct record one;

    jr_txn_put(txn, JR_TABLE_META, key, sizeof key - 1, bytes, size);
    jr_threads_load(txn, REPO_ID, 7, &thread);
    HOLDS(thread.repo_id == REPO_ID && thread.pull_request == 7 && thread.count <= JR_THREAD_RUNS);
    jr_threads_save(txn, &thread);
    get(txn, JR_TABLE_META, key, sizeof key - 1, &one);
    HOLDS(thread.comment_id == 0 || one.length == size);
    jr_threads_load(txn, REPO_ID, 7, &again);
    HOLDS(memcmp(&thread, &again, sizeof thread) == 0);
    (void)jr_thread_add(&thread, RUN_ID);
    HOLDS(!jr_thread_add(&thread, RUN_ID));
    jr_threads_save(txn, &thread);
    for (size_t i = 0; i < thread.count; i++)
        jr_threads_forget(txn, REPO_ID, 7, thread.runs[i]);
    HOLDS(txn->error.code == JR_OK && jr_txn_count(txn, JR_TABLE_META) == 1);
}

/* The one that cannot be read is told of nobody, and goes with the others. */
static void notice_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const char key[] = "\0\0\0\0\0\0\0\x01";
    struct jr_notice notice = { .kind = JR_NOTICE_RUNNER, .at_ms = NOW_MS };
    struct jr_notice_batch batch;
    struct jr_notices_sum sum;
    unsigned char record[JR_NOTICE_RECORD_SIZE];
    struct jr_writer writer;

    jr_notices_add(txn, &notice);
    jr_notices_add(txn, &notice);
    jr_txn_put(txn, JR_TABLE_NOTICES, key, sizeof key - 1, bytes, size);
    if (jr_notice_decode(&notice, bytes, size)) {
        jr_writer_init(&writer, record, sizeof record);
        jr_notice_encode(&notice, &writer);
        HOLDS(writer.ok && jr_notice_kind_name(notice.kind) != NULL);
        HOLDS(jr_notice_decode(&notice, record, writer.length));
        (void)jr_notices_is_news(txn, &notice, NOW_MS);
        HOLDS(!jr_notices_is_news(txn, &notice, NOW_MS));
        jr_notices_forget(txn, NOW_MS + 2 * JR_NOTICES_QUIET_MS);
    }
    for (int i = 0; i < 2; i++) {
        jr_notices_begin(txn, NOW_MS, &batch);
        if (batch.count > 0)
            jr_notices_end(txn, &batch, true);
    }
    jr_notices_sum(txn, &sum);
    HOLDS(txn->error.code == JR_OK && sum.waiting == 0 && sum.sent + sum.dropped == 2);
    HOLDS(jr_txn_count(txn, JR_TABLE_NOTICES) == 0);
}

static void own_record(struct jr_txn *txn, const void *bytes, size_t size)
{
    static const char key[] = "own-policy:\0\0\0\0\0\0\x12\x67\0";
    static const char text_key[] = "own-policy:\0\0\0\0\0\0\x12\x67\x01";
    struct jr_ownpolicy own, again;

    jr_txn_put(txn, JR_TABLE_META, key, sizeof key - 1, bytes, size);
    jr_txn_put(txn, JR_TABLE_META, text_key, sizeof text_key - 1, "rules: []", 9);
    jr_ownpolicy_load(txn, REPO_ID, &own);
    HOLDS(own.state <= JR_OWNPOLICY_BROKEN && own.length <= JR_OWNPOLICY_BYTES_MAX);
    HOLDS((own.text == NULL) == (own.length == 0));
    HOLDS(own.text == NULL || own.text[own.length] == '\0');
    jr_ownpolicy_save(txn, REPO_ID, &own);
    jr_ownpolicy_load(txn, REPO_ID, &again);
    HOLDS(own.state == again.state && own.length == again.length && own.line == again.line);
    HOLDS(own.asked_ms == again.asked_ms && strcmp(own.etag, again.etag) == 0);
    HOLDS(own.column == again.column && strcmp(own.problem, again.problem) == 0);
    jr_ownpolicy_release(&own);
    jr_ownpolicy_release(&again);
    HOLDS(txn->error.code == JR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void (*const kinds[])(struct jr_txn *txn, const void *bytes, size_t size) = {
        run_record,  job_record,      history_record, delivery_record,
        repo_record, throttle_record, day_record,     flaky_record,
        pause_record, act_record,      sum_record,     failure_record,
        spent_record, hold_record,     asked_record,   refused_record,
        report_record, thread_record,  notice_record,  own_record,
    };
    struct input input = { bytes, size };
    size_t kind = take_byte(&input) % (sizeof kinds / sizeof *kinds), length;
    char *record;
    struct jr_txn txn;

    if (store == NULL)
        open_store();
    record = take_rest(&input, &length);
    jr_txn_begin(&txn, store, true);
    kinds[kind](&txn, record, length);
    jr_txn_abort(&txn);
    free(record);
    return 0;
}
