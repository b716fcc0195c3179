/*
 * flaky -- what is counted of jobs and runners, against a truth that is known.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/intake.h"
#include "lib/store/failures.h"
#include "lib/store/flaky.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct desk {
    struct jr_store *store;
    struct jr_settings settings;
    int64_t now_ms;
    unsigned deliveries;
};

/* Nothing is rerun: what has failed is closed at once. */
static void open_desk(struct desk *desk)
{
    memset(desk, 0, sizeof *desk);
    desk->store = open_store(new_folder());
    desk->now_ms = START_MS + JR_DAY_MS;
    load_settings(&desk->settings, "RUN_ATTEMPTS=1");
}

static void close_desk(struct desk *desk)
{
    jr_store_close(desk->store);
    jr_settings_release(&desk->settings);
}

static void deliver_in(struct desk *desk, struct jr_txn *txn, const struct jr_event *event)
{
    struct jr_update update = { .event = *event };
    struct jr_receipt receipt;
    char id[16];

    desk->now_ms += JR_SECOND_MS;
    update.now_ms = desk->now_ms;
    snprintf(id, sizeof id, "%u", ++desk->deliveries);
    assert_int_equal(jr_delivery_identify(&update.delivery, id, NULL, 0), JR_OK);
    jr_intake_apply(txn, &desk->settings, &update, &receipt);
}

static void deliver_event(struct desk *desk, const struct jr_event *event)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, desk->store, true);
    deliver_in(desk, &txn, event);
    commit(&txn);
}

static uint64_t count_in(struct desk *desk, enum jr_table table)
{
    struct jr_txn txn;
    uint64_t entries;

    jr_txn_begin(&txn, desk->store, false);
    entries = jr_txn_count(&txn, table);
    commit(&txn);
    return entries;
}

static uint64_t rows_in(struct desk *desk)
{
    return count_in(desk, JR_TABLE_FLAKY);
}

/* Find a row by its name; all zero when there is none. */
static struct jr_flaky row_of(struct desk *desk, enum jr_flaky_kind kind, const char *name)
{
    struct jr_flaky_walk walk = { .ended = false };
    const struct jr_flaky_filter all = { .kind = kind };
    struct jr_flaky row, found = { .executions = 0 };
    struct jr_error error;
    size_t count;

    while (!walk.ended) {
        assert_int_equal(jr_flaky_read(desk->store, &all, &walk, &row, 1, &count, &error), JR_OK);
        if (count == 1 && strcmp(row.name, name) == 0)
            found = row;
    }
    return found;
}

/*
 * Scenes: events as in support.h, each with the runner and the labels that stand
 * behind it ("c1=failure/r1/a"); then what is counted of "job 1".
 */
struct scene_row {
    const char *name;
    const char *events;
    uint64_t executions, failures, rescued, not_rescued;
    int64_t lost_s;
    const char *runner;
    uint64_t runs_there, failures_there, blamed;
};

static void counted(void **state)
{
    const struct scene_row *row = *state;
    struct desk desk;
    struct jr_flaky job, runner;
    char script[512], *rest = script, *token;

    open_desk(&desk);
    snprintf(script, sizeof script, "%s", row->events);
    while ((token = strsep(&rest, " ")) != NULL) {
        struct jr_event event;
        char *place = token;

        token = strsep(&place, "/");
        event = event_of(token);
        if (place != NULL) {
            char *name = strsep(&place, "/");

            snprintf(event.runner, sizeof event.runner, "%s", name);
            for (char *c = event.runner; *c != '\0'; c++)
                if (*c == '_')
                    *c = ' ';
            snprintf(event.labels, sizeof event.labels, "%s", place == NULL ? "" : place);
        }
        deliver_event(&desk, &event);
    }
    job = row_of(&desk, JR_FLAKY_JOB, "job 1");
    assert_int_equal(job.executions, row->executions);
    assert_int_equal(job.failures, row->failures);
    assert_int_equal(job.rescued, row->rescued);
    assert_int_equal(job.not_rescued, row->not_rescued);
    assert_int_equal(job.lost_ms, row->lost_s * JR_SECOND_MS);
    assert_int_equal(job.blamed, 0);
    if (job.executions > 0) {
        assert_string_equal(job.repo, "octo/app");
        assert_string_equal(job.group, "CI");
        assert_true(job.first_ms == START_MS + JR_MINUTE_MS || job.first_ms == START_MS + 90 * JR_SECOND_MS);
        assert_true(job.last_ms >= job.first_ms && job.last_ms <= START_MS + 90 * JR_SECOND_MS);
    }
    if (row->runner != NULL) {
        runner = row_of(&desk, JR_FLAKY_RUNNER, row->runner);
        assert_int_equal(runner.executions, row->runs_there);
        assert_int_equal(runner.failures, row->failures_there);
        assert_int_equal(runner.blamed, row->blamed);
        assert_int_equal(runner.rescued, 0);
    }
    close_desk(&desk);
}

static const struct scene_row scenes[] = {
    { "nothing is closed", "q1 i1", .executions = 0 },
    { "passed", "q1 c1=success", 1, .failures = 0 },
    { "passed, but others are not done", "q1 q2 c1=success", .executions = 0 },
    { "the others done too", "q1 q2 c1=success c2=success", 1, .failures = 0 },
    { "the others come later", "q1 c1=success q2 c2=success", 1, .failures = 0 },
    { "failed for good", "q1 c1=failure", 1, 1, .rescued = 0 },
    { "timed out", "q1 c1=timed_out", 1, 1, .rescued = 0 },
    { "cancelled is no execution", "q1 c1=cancelled", .executions = 0 },
    { "skipped is no execution", "q2 c1=skipped c2=success", .executions = 0 },
    { "said twice", "q1 c1=failure c1=failure Rc=failure Rc=failure", 1, 1, .rescued = 0 },
    { "by the run alone", "Rc=failure c1=failure", 1, 1, .rescued = 0 },
    { "rescued", "q1 c1=failure q11@2,job:1 c11@2=success,job:1", 2, 1, 1, 0, .lost_s = 50 },
    { "failed again", "q1 c1=failure q11@2,job:1 c11@2=failure,job:1", 2, 2, 0, 1, .lost_s = 0 },
    { "failed, failed, passed", "c1=failure c11@2=failure,job:1 c12@3=success,job:1", 3, 2, 1, 1, .lost_s = 50 },
    { "rescued after an attempt without it", "c1=failure c2@2=success c11@3=success,job:1", 2, 1, 1, 0, .lost_s = 50 },
    { "cancelled in between", "c1=failure c11@2=cancelled,job:1 c12@3=success,job:1", 2, 1, 1, 0, .lost_s = 50 },
    { "the newer attempt first", "c11@2=success,job:1 c1=failure", 2, 1, 1, 0, .lost_s = 50 },
    { "the attempt in between last", "c1=failure c12@3=success,job:1 c11@2=failure,job:1", 3, 2, 1, 1, .lost_s = 50 },
    { "passed, and again", "c1=success c11@2=success,job:1", 2, 0, .rescued = 0 },
    { "carried over", "c1=success c11@2=success^,job:1", 1, 0, .rescued = 0 },
    { "a failure carried over", "c1=failure c11@2=failure^,job:1 c2@2=success", 1, 1, .rescued = 0 },
    { "not completed in the older attempt", "q1 c11@2=success,job:1", 1, 0, .rescued = 0 },
    { "completed when the newer is known", "q1 q11@2,job:1 c1=failure c11@2=success,job:1", 2, 1, 1, 0, .lost_s = 50 },
    { "another conclusion later", "q1 c1=success c1=failure~90", 1, 1, .rescued = 0 },
    { "another conclusion later, reopened", "q1 c1=success q2 c1=failure~90 c2=success", 1, 1, .rescued = 0 },
    { "another conclusion, of an older attempt", "c1=failure c11@2=success,job:1 c1=success~90", 2, 0, .rescued = 0 },
    { "the rescue turns into a failure", "c1=failure c11@2=success,job:1 c11@2=failure~90,job:1", 2, 2, 0, 1, .lost_s = 0 },
    { "two of a name, both pass later", "c1=failure c9=failure,job:1 c11@2=success,job:1 c19@2=success,job:1", 4, 2, 2, 0, .lost_s = 100 },
    { "two of a name, one passes later", "c1=failure c9=failure,job:1 c11@2=success,job:1 c19@2=failure,job:1", 4, 3, 0, 2, .lost_s = 0 },
    { "a job without a name", "q1,job: c1=failure,job:", .executions = 0 },
    { "elsewhere", "c1=failure/r1/a c11@2=success,job:1/r2/a", 2, 1, 1, 0, 50, "r1", 1, 1, 1 },
    { "elsewhere, the one that helped", "c1=failure/r1/a c11@2=success,job:1/r2/a", 2, 1, 1, 0, 50, "r2", 1, 0, 0 },
    { "elsewhere, in the other order", "c11@2=success,job:1/r2/a c1=failure/r1/a", 2, 1, 1, 0, 50, "r1", 1, 1, 1 },
    { "on the same", "c1=failure/r1/a c11@2=success,job:1/r1/a", 2, 1, 1, 0, 50, "r1", 2, 1, 0 },
    { "elsewhere for other labels", "c1=failure/r1/a c11@2=success,job:1/r2/a,b", 2, 1, 1, 0, 50, "r1", 1, 1, 0 },
    { "elsewhere, but failed", "c1=failure/r1/a c11@2=failure,job:1/r2/a", 2, 2, 0, 1, 0, "r1", 1, 1, 0 },
    { "labels are not told", "c1=failure/r1 c11@2=success,job:1/r2", 2, 1, 1, 0, 50, "r1", 1, 1, 0 },
    { "no runner is told", "c1=failure c11@2=success,job:1/r2/a", 2, 1, 1, 0, 50, "r2", 1, 0, 0 },
    { "hosted", "c1=failure/GitHub_Actions_7/ubuntu-latest c11@2=success,job:1/GitHub_Actions_12/ubuntu-latest", 2, 1, 1, 0, 50, "GitHub Actions", 2, 1, 0 },
    { "not quite hosted", "c1=failure/GitHub_Actions_7x/a c11@2=success,job:1/GitHub_Actions/a", 2, 1, 1, 0, 50, "GitHub Actions 7x", 1, 1, 1 },
    { "hosted long ago", "c1=failure/Hosted_Agent/a", 1, 1, .runner = "GitHub Actions", 1, 1, 0 },
};

/* What closes nothing leaves nothing behind, whatever it is. */
static void nothing_while_open(void **state)
{
    static const char *const events[] = { "q1", "i1", "q2", "c1=failure", "i1", "Ri", "q3", "c2=success" };
    struct desk desk;
    struct jr_event event;

    (void)state;
    open_desk(&desk);
    for (size_t i = 0; i < COUNT(events); i++) {
        event = event_of(events[i]);
        deliver_event(&desk, &event);
        assert_int_equal(rows_in(&desk), 0);
    }
    event = event_of("c3=success");
    deliver_event(&desk, &event);
    assert_int_equal(rows_in(&desk), 3);
    close_desk(&desk);
}

/*
 * A truth: runs of some attempts of some jobs, of which is known how each ended
 * and where it ran.
 */
#define RUNS 25
#define ATTEMPTS 4
#define NAMES 5
#define RUNNERS 4
#define EXECUTIONS_MAX (RUNS * ATTEMPTS * (NAMES + 1))
#define EVENTS_MAX (EXECUTIONS_MAX * 4)

struct execution {
    int run, attempt, name, runner, pool;
    uint64_t job_id;
    enum jr_conclusion conclusion, first; /* first: said before it was replaced; NONE: it was not */
    bool carried_over, lost; /* lost: nobody says how it ended */
    int64_t started_ms, completed_ms;
};

struct truth {
    unsigned seed;
    struct execution executions[EXECUTIONS_MAX];
    size_t count;
    int attempts[RUNS];
    struct jr_event events[EVENTS_MAX];
    size_t event_count;
};

static unsigned dice(struct truth *truth, unsigned sides)
{
    truth->seed = truth->seed * 1103515245u + 12345u;
    return (truth->seed >> 16) % sides;
}

static void name_event(const struct execution *execution, struct jr_event *event)
{
    *event = event_of("q1");
    event->run_id = RUN_ID + (uint64_t)execution->run;
    event->attempt = (uint32_t)execution->attempt;
    event->job_id = execution->job_id;
    snprintf(event->job_name, sizeof event->job_name, "name %d", execution->name);
}

static void add_event(struct truth *truth, const struct jr_event *event)
{
    assert_true(truth->event_count < EVENTS_MAX);
    truth->events[truth->event_count++] = *event;
}

/* The events of an execution. */
static void tell(struct truth *truth, const struct execution *execution)
{
    struct jr_event event;

    name_event(execution, &event);
    event.created_ms = execution->carried_over ? execution->completed_ms + JR_HOUR_MS
                                               : execution->started_ms - JR_SECOND_MS;
    if (!execution->carried_over && dice(truth, 4) > 0)
        add_event(truth, &event);
    event.status = JR_STATUS_COMPLETED;
    snprintf(event.action, sizeof event.action, "completed");
    snprintf(event.runner, sizeof event.runner, "runner %d", execution->runner);
    snprintf(event.labels, sizeof event.labels, "pool %d", execution->pool);
    event.started_ms = execution->started_ms;
    if (execution->lost)
        return;
    if (execution->first != JR_CONCLUSION_NONE) {
        event.conclusion = execution->first;
        event.completed_ms = execution->completed_ms - JR_SECOND_MS;
        add_event(truth, &event);
    }
    event.conclusion = execution->conclusion;
    event.completed_ms = execution->completed_ms;
    add_event(truth, &event);
}

static void tell_end(struct truth *truth, int run, int attempt)
{
    struct jr_event event = event_of("Rc=failure");

    event.run_id = RUN_ID + (uint64_t)run;
    event.attempt = (uint32_t)attempt;
    add_event(truth, &event);
}

static void imagine(struct truth *truth, unsigned seed, bool with_runs)
{
    static const enum jr_conclusion ends[] = {
        JR_CONCLUSION_SUCCESS, JR_CONCLUSION_SUCCESS, JR_CONCLUSION_FAILURE, JR_CONCLUSION_FAILURE,
        JR_CONCLUSION_TIMED_OUT, JR_CONCLUSION_CANCELLED, JR_CONCLUSION_SKIPPED,
    };

    truth->seed = seed;
    truth->count = truth->event_count = 0;
    for (int run = 0; run < RUNS; run++) {
        truth->attempts[run] = 1 + (int)dice(truth, ATTEMPTS);
        for (int attempt = 1; attempt <= truth->attempts[run]; attempt++) {
            /* The first job of each attempt is always told, so that it is heard of. */
            for (int job = 0; job <= NAMES; job++) {
                struct execution *execution = &truth->executions[truth->count];

                if (job > 0 && dice(truth, 4) == 0)
                    continue;
                memset(execution, 0, sizeof *execution);
                execution->run = run;
                execution->attempt = attempt;
                execution->name = job % NAMES; /* one name comes twice */
                execution->job_id = JOB_ID(++truth->count);
                execution->runner = (int)dice(truth, RUNNERS);
                execution->pool = (int)dice(truth, 2);
                execution->conclusion = ends[dice(truth, COUNT(ends))];
                if (dice(truth, 8) == 0)
                    execution->first = ends[dice(truth, COUNT(ends))];
                if (execution->first == execution->conclusion)
                    execution->first = JR_CONCLUSION_NONE;
                execution->carried_over = attempt > 1 && dice(truth, 4) == 0;
                execution->lost = job > 0 && attempt < truth->attempts[run] && dice(truth, 8) == 0;
                execution->started_ms = START_MS + (attempt * 100 + (int)dice(truth, 50)) * JR_SECOND_MS;
                execution->completed_ms = execution->started_ms + (10 + (int)dice(truth, 30)) * JR_SECOND_MS;
                tell(truth, execution);
            }
            if (with_runs && (attempt == truth->attempts[run] || dice(truth, 2) == 0))
                tell_end(truth, run, attempt);
        }
    }
}

static bool is_counted(const struct execution *execution)
{
    return !execution->lost && !execution->carried_over
           && (execution->conclusion == JR_CONCLUSION_SUCCESS
               || execution->conclusion == JR_CONCLUSION_FAILURE
               || execution->conclusion == JR_CONCLUSION_TIMED_OUT);
}

static bool has_failed(const struct execution *execution)
{
    return execution->conclusion != JR_CONCLUSION_SUCCESS;
}

/* What came of a failed one, from the truth. */
static void look_ahead(const struct truth *truth, const struct execution *failed, bool *again,
                       bool *rescued, bool *elsewhere)
{
    *again = *rescued = *elsewhere = false;
    for (int attempt = failed->attempt + 1; attempt <= ATTEMPTS && !*again; attempt++) {
        for (size_t i = 0; i < truth->count; i++) {
            const struct execution *other = &truth->executions[i];

            if (!is_counted(other) || other->run != failed->run || other->attempt != attempt
                || other->name != failed->name)
                continue;
            if (!*again)
                *rescued = *elsewhere = true;
            *again = true;
            *rescued &= !has_failed(other);
            *elsewhere &= other->pool == failed->pool && other->runner != failed->runner;
        }
    }
}

/* Is an execution counted in the row of this name? */
static bool is_in_row(const struct execution *execution, bool is_job, const char *group,
                      const char *name)
{
    char its_name[32], its_group[32];

    snprintf(its_name, sizeof its_name, is_job ? "name %d" : "runner %d",
             is_job ? execution->name : execution->runner);
    snprintf(its_group, sizeof its_group, is_job ? "CI" : "pool %d", execution->pool);
    return is_counted(execution) && strcmp(its_name, name) == 0 && strcmp(its_group, group) == 0;
}

static void expect_failure(const struct truth *truth, const struct execution *execution,
                           bool is_job, struct jr_flaky *row)
{
    bool again, rescued, elsewhere;

    look_ahead(truth, execution, &again, &rescued, &elsewhere);
    row->failures++;
    row->blamed += !is_job && rescued && elsewhere;
    row->rescued += is_job && rescued;
    row->not_rescued += is_job && again && !rescued;
    if (is_job && rescued)
        row->lost_ms += execution->completed_ms - execution->started_ms;
}

/* Count from the truth what is to be in a row. */
static struct jr_flaky expected(const struct truth *truth, enum jr_flaky_kind kind, const char *group,
                                const char *name)
{
    struct jr_flaky row = { .executions = 0 };

    for (size_t i = 0; i < truth->count; i++) {
        const struct execution *execution = &truth->executions[i];

        if (!is_in_row(execution, kind == JR_FLAKY_JOB, group, name))
            continue;
        row.executions++;
        if (execution->completed_ms > row.last_ms)
            row.last_ms = execution->completed_ms;
        if (row.first_ms == 0 || execution->completed_ms < row.first_ms)
            row.first_ms = execution->completed_ms;
        if (has_failed(execution))
            expect_failure(truth, execution, kind == JR_FLAKY_JOB, &row);
    }
    return row;
}

/* Compare all rows of a kind; returns how many executions they hold. */
static uint64_t compare(struct desk *desk, const struct truth *truth, enum jr_flaky_kind kind,
                        uint64_t *told)
{
    const struct jr_flaky_filter of_octo = { .kind = kind, .repo = "octo/*" };
    struct jr_flaky_walk walk = { .ended = false };
    struct jr_flaky row;
    struct jr_error error;
    uint64_t executions = 0;
    size_t count;

    while (!walk.ended) {
        struct jr_flaky want;

        assert_int_equal(jr_flaky_read(desk->store, &of_octo, &walk, &row, 1, &count, &error), JR_OK);
        if (count == 0)
            continue;
        want = expected(truth, kind, row.group, row.name);
        if (row.executions != want.executions || row.failures != want.failures
            || row.rescued != want.rescued || row.not_rescued != want.not_rescued
            || row.lost_ms != want.lost_ms || row.blamed != want.blamed)
            fail_msg("'%s' of '%s': executions %lu, failures %lu, rescued %lu, not %lu, lost %ld, blamed %lu; "
                     "but in truth %lu, %lu, %lu, %lu, %ld, %lu",
                     row.name, row.group, (unsigned long)row.executions, (unsigned long)row.failures,
                     (unsigned long)row.rescued, (unsigned long)row.not_rescued, (long)row.lost_ms,
                     (unsigned long)row.blamed, (unsigned long)want.executions, (unsigned long)want.failures,
                     (unsigned long)want.rescued, (unsigned long)want.not_rescued, (long)want.lost_ms,
                     (unsigned long)want.blamed);
        /* What was replaced may have ended before or after all others. */
        assert_true(row.first_ms > START_MS && row.first_ms <= want.first_ms);
        assert_true(row.last_ms < START_MS + JR_DAY_MS && row.last_ms >= want.last_ms);
        executions += row.executions;
        *told += row.rescued + row.blamed;
    }
    return executions;
}

#define RECENT 6

/* What is kept of the last days tells the same as all rows do, read one by one. */
static uint64_t recent_as_read(struct desk *desk, int64_t now_ms)
{
    struct jr_flaky_filter filter = { .since_ms = jr_flaky_since_ms(now_ms - (JR_FLAKY_RECENT_DAYS - 1) * JR_DAY_MS, now_ms), .now_ms = now_ms };
    struct jr_flaky rows[64], recent[RECENT];
    struct jr_flaky_total total, sum;
    struct jr_error error;
    size_t count, found, worst;
    uint64_t told = 0;

    for (enum jr_flaky_kind kind = JR_FLAKY_RUNNER; kind >= JR_FLAKY_JOB; kind--) {
        filter.kind = kind;
        assert_int_equal(jr_flaky_worst(desk->store, &filter, rows, COUNT(rows), &count, &total, &error), JR_OK);
        for (worst = 0; worst < count && (rows[worst].rescued > 0 || rows[worst].suspect); worst++)
            continue;
        assert_int_equal(jr_flaky_recent(desk->store, kind, now_ms, recent, RECENT, &found, &error), JR_OK);
        assert_int_equal(found, worst < RECENT ? worst : RECENT);
        for (size_t i = 0; i < found; i++) {
            assert_int_equal(recent[i].rescued, rows[i].rescued);
            assert_int_equal(recent[i].blamed, rows[i].blamed);
            assert_int_equal(recent[i].failures, rows[i].failures);
            assert_int_equal(recent[i].suspect, rows[i].suspect);
            told++;
        }
    }
    assert_int_equal(jr_flaky_recent_total(desk->store, now_ms, &sum, &error), JR_OK);
    assert_int_equal(sum.rows, total.rows);
    assert_int_equal(sum.sum.executions, total.sum.executions);
    assert_int_equal(sum.sum.failures, total.sum.failures);
    assert_int_equal(sum.sum.rescued, total.sum.rescued);
    assert_int_equal(sum.sum.not_rescued, total.sum.not_rescued);
    assert_true(sum.sum.lost_ms == total.sum.lost_ms);
    return told;
}

struct truth_row {
    const char *name;
    bool with_runs, shuffled, repeated;
};

static void as_in_truth(void **state)
{
    const struct truth_row *row = *state;
    struct truth *truth = calloc(1, sizeof *truth);
    uint64_t rescued = 0, blamed = 0, counted_executions;

    assert_non_null(truth);
    for (unsigned seed = 1; seed <= 8; seed++) {
        struct desk desk;
        struct jr_event event;
        struct jr_txn txn;

        imagine(truth, seed, row->with_runs);
        for (size_t i = truth->event_count; row->shuffled && i > 1; i--) {
            size_t other = dice(truth, (unsigned)i);

            event = truth->events[i - 1];
            truth->events[i - 1] = truth->events[other];
            truth->events[other] = event;
        }
        open_desk(&desk);
        jr_txn_begin(&txn, desk.store, true);
        for (size_t i = 0; i < truth->event_count; i++) {
            deliver_in(&desk, &txn, &truth->events[i]);
            if (row->repeated && dice(truth, 2) == 0)
                deliver_in(&desk, &txn, &truth->events[dice(truth, (unsigned)truth->event_count)]);
        }
        commit(&txn);
        counted_executions = 0;
        for (size_t i = 0; i < truth->count; i++)
            counted_executions += is_counted(&truth->executions[i]);
        assert_int_equal(compare(&desk, truth, JR_FLAKY_JOB, &rescued), counted_executions);
        assert_int_equal(compare(&desk, truth, JR_FLAKY_RUNNER, &blamed), counted_executions);
        assert_true(recent_as_read(&desk, desk.now_ms) > 0);
        close_desk(&desk);
    }
    /* There was something to be right about. */
    assert_true(rescued > 50);
    assert_true(blamed > 10);
    free(truth);
}

static const struct truth_row truths[] = {
    { "in order", true, false, false },
    { "in order, of jobs alone", false, false, false },
    { "shuffled", true, true, false },
    { "shuffled, of jobs alone", false, true, false },
    { "shuffled and repeated", true, true, true },
    { "shuffled and repeated, of jobs alone", false, true, true },
};

/* A large matrix through some attempts: each execution once, nothing twice. */
static void large_matrix(void **state)
{
    enum { LEGS = 256, TIMES = 6 };
    struct jr_store *store = open_store(new_folder());
    struct jr_run run = { .known = true, .run_id = RUN_ID, .attempt = 1, .base_attempt = 1, .last_event_ms = START_MS };
    static const struct jr_flaky_filter all = { .kind = JR_FLAKY_JOB };
    struct jr_flaky rows[2];
    struct jr_flaky_total total;
    struct jr_error error;
    size_t count;

    (void)state;
    snprintf(run.repo, sizeof run.repo, "octo/app");
    for (uint32_t attempt = 1; attempt <= TIMES; attempt++) {
        struct jr_run before = run;
        struct jr_txn txn;

        jr_txn_begin(&txn, store, true);
        for (unsigned leg = 0; leg < LEGS; leg++) {
            struct jr_job job = {
                .known = true, .run_id = RUN_ID, .job_id = JOB_ID(attempt * 1000 + leg), .attempt = attempt,
                .status = JR_STATUS_COMPLETED,
                .conclusion = attempt == TIMES ? JR_CONCLUSION_SUCCESS : JR_CONCLUSION_FAILURE,
                .started_ms = START_MS, .completed_ms = START_MS + JR_SECOND_MS,
            };

            snprintf(job.name, sizeof job.name, "leg %u", leg);
            jr_ledger_save_job(&txn, &job);
        }
        run.attempt = attempt;
        run.jobs_known = LEGS;
        run.jobs_failed = attempt == TIMES ? 0 : LEGS;
        run.jobs_tallied = 0;
        run.phase = JR_PHASE_CLOSED;
        jr_flaky_tally(&txn, &before, &run, NULL, NULL, START_MS + JR_MINUTE_MS);
        assert_int_equal(run.jobs_tallied, LEGS);
        before = run;
        jr_flaky_tally(&txn, &before, &run, NULL, NULL, START_MS + JR_MINUTE_MS);
        jr_ledger_save_run(&txn, &run);
        commit(&txn);
    }
    assert_int_equal(jr_flaky_worst(store, &all, rows, 2, &count, &total, &error), JR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(total.rows, LEGS);
    assert_int_equal(total.sum.executions, LEGS * TIMES);
    assert_int_equal(total.sum.rescued, LEGS);
    assert_true(total.sum.lost_ms == LEGS * JR_SECOND_MS);
    assert_int_equal(rows[0].executions, TIMES);
    assert_int_equal(rows[0].failures, TIMES - 1);
    assert_int_equal(rows[0].rescued, 1);
    assert_int_equal(rows[0].not_rescued, TIMES - 2);
    assert_int_equal(rows[0].lost_ms, JR_SECOND_MS);
    jr_store_close(store);
}

/* The worst come first, and those without a failure not at all. */
static void the_worst(void **state)
{
    static const struct {
        int run;
        const char *token;
    } events[] = {
        { 1, "c1=success" }, { 2, "c2=failure" }, { 3, "c3=failure" }, { 3, "c13@2=success,job:3" },
        { 4, "c4=failure" }, { 4, "c14@2=failure,job:4" }, { 5, "c5=failure" }, { 5, "c15@2=success,job:5" },
        { 6, "c6=failure" }, { 6, "c16@2=success,job:5" },
    };
    static const struct jr_flaky_filter all = { .kind = JR_FLAKY_JOB },
                                        of_octo = { .kind = JR_FLAKY_JOB, .repo = "octo/*" },
                                        runners = { .kind = JR_FLAKY_RUNNER };
    struct desk desk;
    struct jr_flaky rows[8];
    struct jr_flaky_total total;
    struct jr_error error;
    size_t count;

    (void)state;
    open_desk(&desk);
    for (size_t i = 0; i < COUNT(events); i++) {
        struct jr_event event = event_of(events[i].token);

        event.run_id += (uint64_t)events[i].run;
        if (events[i].run == 6) {
            snprintf(event.repo, sizeof event.repo, "other/app");
            snprintf(event.job_name, sizeof event.job_name, "job 6");
        }
        deliver_event(&desk, &event);
    }
    assert_int_equal(jr_flaky_worst(desk.store, &all, rows, COUNT(rows), &count, &total, &error), JR_OK);
    assert_int_equal(count, 5);
    /* The total has also the one that never failed. */
    assert_int_equal(total.rows, 6);
    assert_int_equal(total.sum.executions, 10);
    assert_int_equal(total.sum.failures, 6);
    assert_int_equal(total.sum.rescued, 3);
    assert_int_equal(total.sum.not_rescued, 1);
    assert_string_equal(rows[0].name, "job 3");
    assert_string_equal(rows[1].name, "job 5");
    assert_string_equal(rows[2].name, "job 6");
    assert_string_equal(rows[3].name, "job 4");
    assert_string_equal(rows[4].name, "job 2");
    assert_int_equal(jr_flaky_worst(desk.store, &of_octo, rows, 3, &count, &total, &error), JR_OK);
    assert_int_equal(count, 3);
    assert_string_equal(rows[0].name, "job 3");
    assert_string_equal(rows[2].name, "job 4");
    assert_int_equal(jr_flaky_worst(desk.store, &runners, rows, 3, &count, &total, &error), JR_OK);
    assert_int_equal(count, 0);
    close_desk(&desk);
}

/* An execution that ended `days` after the first ones, of a run of its own. */
static void execute(struct desk *desk, const char *token, int days, const char *repo, const char *runner,
                    const char *labels)
{
    static uint64_t number;
    struct jr_event event = event_of(token);

    event.run_id += ++number;
    event.job_id += 1000 * number;
    event.created_ms += days * JR_DAY_MS;
    event.started_ms += days * JR_DAY_MS;
    event.completed_ms += days * JR_DAY_MS;
    snprintf(event.repo, sizeof event.repo, "%s", repo);
    snprintf(event.runner, sizeof event.runner, "%s", runner);
    snprintf(event.labels, sizeof event.labels, "%s", labels);
    deliver_event(desk, &event);
}

static struct jr_flaky_total total_since(struct desk *desk, enum jr_flaky_kind kind, const char *repo, int64_t since_ms)
{
    struct jr_flaky_filter filter = { .kind = kind, .repo = repo, .since_ms = since_ms };
    struct jr_flaky rows[4];
    struct jr_flaky_total total;
    struct jr_error error;
    size_t count;

    assert_int_equal(jr_flaky_worst(desk->store, &filter, rows, COUNT(rows), &count, &total, &error), JR_OK);
    return total;
}

/* What was since a day is told exactly, for as many days as are kept. */
static void since_a_day(void **state)
{
    struct desk desk;
    struct jr_event event;

    (void)state;
    open_desk(&desk);
    desk.now_ms += 200 * JR_DAY_MS;
    /* Each third day one fails; told in no order. */
    for (int i = 0; i < 120; i++)
        execute(&desk, (i * 7) % 120 % 3 == 0 ? "c1=failure" : "c1=success", (i * 7) % 120, "octo/app", "r1", "a");
    for (int days = 0; days < 120; days++) {
        int64_t since_ms = START_MS + days * JR_DAY_MS;
        unsigned want = days < 120 - JR_FLAKY_DAYS ? JR_FLAKY_DAYS : 120 - (unsigned)days;

        for (enum jr_flaky_kind kind = JR_FLAKY_JOB; kind <= JR_FLAKY_RUNNER; kind++) {
            struct jr_flaky_total total = total_since(&desk, kind, NULL, since_ms);

            assert_int_equal(total.rows, 1);
            assert_int_equal(total.sum.executions, want);
            assert_int_equal(total.sum.failures, want / 3);
        }
    }
    assert_int_equal(total_since(&desk, JR_FLAKY_JOB, NULL, 0).sum.executions, 120);
    assert_int_equal(total_since(&desk, JR_FLAKY_JOB, NULL, START_MS + 120 * JR_DAY_MS).rows, 0);
    /* A rescue belongs to the day of what was rescued, whenever it came. */
    event = event_of("c5=failure");
    deliver_event(&desk, &event);
    event = event_of("c15@2=success,job:5");
    event.started_ms += 110 * JR_DAY_MS;
    event.completed_ms += 110 * JR_DAY_MS;
    deliver_event(&desk, &event);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 5").rescued, 1);
    assert_int_equal(total_since(&desk, JR_FLAKY_JOB, NULL, START_MS + 110 * JR_DAY_MS).sum.rescued, 0);
    assert_int_equal(total_since(&desk, JR_FLAKY_JOB, NULL, START_MS + 110 * JR_DAY_MS).rows, 2);
    close_desk(&desk);
}

/* A day as the whole of it, and none of which nothing is kept. */
static void since_what_can_be_told(void **state)
{
    int64_t noon_ms = 20000 * JR_DAY_MS + 12 * JR_HOUR_MS;

    (void)state;
    assert_true(jr_flaky_since_ms(0, noon_ms) == 0);
    assert_true(jr_flaky_since_ms(noon_ms - 1, noon_ms) == 20000 * JR_DAY_MS);
    assert_true(jr_flaky_since_ms(noon_ms - 30 * JR_DAY_MS, noon_ms) == 19970 * JR_DAY_MS);
    assert_true(jr_flaky_since_ms(noon_ms - 400 * JR_DAY_MS, noon_ms) == (20001 - JR_FLAKY_DAYS) * JR_DAY_MS);
}

/* A runner is one for its labels, in all repositories of an owner, and of no other owner. */
static void across_repositories(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk);
    execute(&desk, "c1=failure", 0, "octo/app", "r1", "a");
    execute(&desk, "c1=success", 0, "octo/lib", "r1", "a");
    execute(&desk, "c1=success", 0, "octo/lib", "r1", "a,b");
    execute(&desk, "c1=success", 0, "other/app", "r1", "a");
    assert_int_equal(total_since(&desk, JR_FLAKY_RUNNER, NULL, 0).rows, 3);
    assert_int_equal(total_since(&desk, JR_FLAKY_RUNNER, "octo/app", 0).rows, 2);
    assert_int_equal(total_since(&desk, JR_FLAKY_RUNNER, "octo/app", 0).sum.executions, 3);
    assert_int_equal(total_since(&desk, JR_FLAKY_RUNNER, "oth*", 0).rows, 1);
    assert_int_equal(total_since(&desk, JR_FLAKY_RUNNER, "*/app", 0).rows, 3);
    assert_int_equal(total_since(&desk, JR_FLAKY_RUNNER, "nobody/*", 0).rows, 0);
    assert_int_equal(total_since(&desk, JR_FLAKY_RUNNER, "octo", 0).rows, 0);
    assert_int_equal(total_since(&desk, JR_FLAKY_JOB, "octo/app", 0).rows, 1);
    close_desk(&desk);
}

/* A run in which a job fails on one runner and then passes on another one. */
static void blame(struct desk *desk, const char *runner, const char *other)
{
    static uint64_t number = 5000;

    number++;
    for (uint32_t attempt = 1; attempt <= 2; attempt++) {
        struct jr_event event = event_of(attempt == 1 ? "c1=failure" : "c11@2=success,job:1");

        event.run_id += number;
        event.job_id += 1000 * number;
        snprintf(event.runner, sizeof event.runner, "%s", attempt == 1 ? runner : other);
        snprintf(event.labels, sizeof event.labels, "a");
        deliver_event(desk, &event);
    }
}

/* Suspect is who is blamed for more than all with his labels, and more than chance explains. */
static void who_is_suspect(void **state)
{
    struct desk desk;
    static const struct jr_flaky_filter runners = { .kind = JR_FLAKY_RUNNER };
    struct jr_flaky rows[4];
    struct jr_flaky_total total;
    struct jr_error error;
    size_t count;

    (void)state;
    open_desk(&desk);
    /* Once may be chance. */
    blame(&desk, "bad", "good");
    for (int i = 0; i < 10; i++)
        execute(&desk, "c1=success", 0, "octo/app", i % 2 == 0 ? "bad" : "good", "a");
    assert_int_equal(row_of(&desk, JR_FLAKY_RUNNER, "bad").blamed, 1);
    assert_false(row_of(&desk, JR_FLAKY_RUNNER, "bad").suspect);
    for (int i = 0; i < 20; i++) {
        blame(&desk, i < 8 ? "bad" : "many", "good");
        execute(&desk, "c1=success", 0, "octo/lib", "good", "a");
        for (int k = 0; k < 20; k++)
            execute(&desk, "c1=success", 0, "octo/lib", "many", "a");
    }
    assert_int_equal(jr_flaky_worst(desk.store, &runners, rows, 4, &count, &total, &error), JR_OK);
    assert_int_equal(count, 2);
    /* The one with the most blame has the most executions, too. */
    assert_string_equal(rows[0].name, "bad");
    assert_true(rows[0].suspect && rows[0].blamed == 9 && rows[0].executions == 14);
    assert_string_equal(rows[1].name, "many");
    assert_true(!rows[1].suspect && rows[1].blamed == 12);
    assert_int_equal(rows[0].pool_executions, total.sum.executions);
    assert_int_equal(rows[0].pool_blamed, 21);
    close_desk(&desk);
}

/* How "job 1" of octo/app stands in the table, without and with what is told apart. */
static struct jr_flaky job_as_told(struct desk *desk, int64_t now_ms)
{
    const struct jr_flaky_filter filter = { .kind = JR_FLAKY_JOB, .repo = "octo/app", .now_ms = now_ms };
    struct jr_flaky rows[4];
    struct jr_flaky_total total;
    struct jr_error error;
    size_t count;

    assert_int_equal(jr_flaky_worst(desk->store, &filter, rows, COUNT(rows), &count, &total, &error), JR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(total.sum.apart_failures, rows[0].apart_failures);
    return rows[0];
}

static bool stands_out(struct desk *desk, const char *runner, int64_t now_ms)
{
    struct jr_txn txn;
    bool is;

    jr_txn_begin(&txn, desk->store, false);
    is = jr_flaky_stands_out(&txn, "octo/web", "a", runner, now_ms);
    commit(&txn);
    return is;
}

/* Failures on a runner that stands out are told apart: once it does, as long as it does. */
static void told_apart(void **state)
{
    struct desk desk;
    struct jr_flaky job, recent;
    struct jr_flaky_total total;
    struct jr_error error;
    size_t count;

    (void)state;
    open_desk(&desk);
    blame(&desk, "bad", "good");
    blame(&desk, "good", "other");
    execute(&desk, "c1=failure", 0, "octo/app", "bad", "a");
    for (int i = 0; i < 30; i++)
        execute(&desk, "c1=success", 0, "octo/lib", "good", "a");
    /* Blamed once, it is none, though it failed more often than others. */
    job = job_as_told(&desk, desk.now_ms);
    assert_int_equal(job.apart_failures, 0);
    assert_int_equal(job.executions, 5);
    assert_int_equal(job.failures, 3);
    assert_int_equal(job.rescued, 2);
    assert_false(stands_out(&desk, "bad", desk.now_ms));
    for (int i = 0; i < 4; i++)
        blame(&desk, "bad", "good");
    assert_true(stands_out(&desk, "bad", desk.now_ms));
    assert_false(stands_out(&desk, "good", desk.now_ms));
    assert_false(stands_out(&desk, "nobody", desk.now_ms));
    /* Now those before count no more, either. Of 13 executions 6 failed there, 5 of which were rescued. */
    job = job_as_told(&desk, desk.now_ms);
    assert_int_equal(job.apart_failures, 6);
    assert_int_equal(job.apart_rescued, 5);
    assert_int_equal(job.executions, 13 - 6);
    assert_int_equal(job.failures, 1);
    assert_int_equal(job.rescued, 1);
    assert_int_equal(job_as_told(&desk, 0).failures, 7);
    assert_int_equal(jr_flaky_recent(desk.store, JR_FLAKY_JOB, desk.now_ms, &recent, 1, &count, &error), JR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(recent.failures, 1);
    assert_int_equal(recent.apart_failures, 6);
    assert_true(recent.lost_ms == job.lost_ms);
    assert_int_equal(jr_flaky_recent_total(desk.store, desk.now_ms, &total, &error), JR_OK);
    assert_int_equal(total.sum.failures, 1);
    assert_int_equal(total.sum.apart_rescued, 5);
    /* Repaired, it is blamed for less and less. */
    for (int i = 0; i < 200; i++)
        execute(&desk, "c1=success", 0, "octo/lib", "bad", "a");
    assert_false(stands_out(&desk, "bad", desk.now_ms));
    assert_int_equal(job_as_told(&desk, desk.now_ms).failures, 7);
    close_desk(&desk);
}

/* What a rerun came to tells nothing of a job that failed on a runner that stands out. */
struct odd_row {
    const char *name;
    const char *runner, *next; /* where it failed, and was rerun */
    enum jr_conclusion after;
    bool tells, rescued;
};

static void worth_of_odd(void **state)
{
    const struct odd_row *row = *state;
    struct desk desk;
    struct jr_run run = { .known = true, .run_id = 77, .repo = "octo/app", .workflow = "CI", .attempt = 2,
                          .base_attempt = 1, .reruns = 1, .accepted_attempt = 1 };
    struct jr_failure failure = { .job_id = 7, .attempt = 1, .name = "job 1", .labels = "a" };
    struct jr_job job = { .known = true, .run_id = 77, .job_id = 8, .attempt = 2, .name = "job 1", .labels = "a",
                          .status = JR_STATUS_COMPLETED, .conclusion = row->after };
    struct jr_txn txn;
    bool rescued;

    open_desk(&desk);
    for (int i = 0; i < 5; i++)
        blame(&desk, "bad", "good");
    snprintf(failure.runner, sizeof failure.runner, "%s", row->runner);
    snprintf(job.runner, sizeof job.runner, "%s", row->next);
    jr_txn_begin(&txn, desk.store, true);
    jr_ledger_save_run(&txn, &run);
    jr_ledger_save_job(&txn, &job);
    assert_int_equal(jr_failures_tells_worth(&txn, &run, &failure, desk.now_ms, &rescued), row->tells);
    if (row->tells)
        assert_int_equal(rescued, row->rescued);
    /* A month later it is like any other. */
    assert_true(jr_failures_tells_worth(&txn, &run, &failure, desk.now_ms + 40 * JR_DAY_MS, &rescued));
    commit(&txn);
    close_desk(&desk);
}

static const struct odd_row odd_rows[] = {
    { "rescued", "good", "other", JR_CONCLUSION_SUCCESS, true, true },
    { "failed again", "good", "other", JR_CONCLUSION_FAILURE, true, false },
    { "rescued from it", "bad", "good", JR_CONCLUSION_SUCCESS, false, false },
    { "failed on it, and elsewhere", "bad", "good", JR_CONCLUSION_FAILURE, false, false },
    { "failed again, but on it", "good", "bad", JR_CONCLUSION_FAILURE, false, false },
    { "rescued by it", "good", "bad", JR_CONCLUSION_SUCCESS, true, true },
};

/* Put a record that nothing can read in the place of a job's; returns what it was. */
static size_t damage(struct desk *desk, uint64_t job_id, unsigned char record[JR_VALUE_MAX])
{
    unsigned char key[JR_KEY_MAX];
    size_t key_length = jr_ledger_key(key, RUN_ID, JR_PART_JOB, job_id), length = 0;
    struct jr_txn txn;

    jr_txn_begin(&txn, desk->store, true);
    assert_true(jr_txn_get(&txn, JR_TABLE_RUNS, key, key_length, record, JR_VALUE_MAX, &length));
    jr_txn_put(&txn, JR_TABLE_RUNS, key, key_length, "", 1);
    commit(&txn);
    return length;
}

/*
 * Jobs of later attempts that end one by one: only those of the same name are read, since all
 * of a large run would take long. Who read another one would come upon a damaged record.
 */
static void one_by_one_again(void **state)
{
    static const char *const first[] = { "c1=failure", "c2=failure", "c3=success", "c11@2=success,job:1" };
    static const char *const later[] = { "q12@2,job:2", "c12@2=success,job:2", "c4@2=success", "q21@3,job:1",
                                         "c21@3=failure,job:1", "c22@3=success,job:2" };
    unsigned char key[JR_KEY_MAX], record[JR_VALUE_MAX];
    struct jr_event event;
    struct desk desk;
    struct jr_txn txn;
    size_t length;

    (void)state;
    open_desk(&desk);
    for (size_t i = 0; i < COUNT(first); i++) {
        event = event_of(first[i]);
        deliver_event(&desk, &event);
    }
    length = damage(&desk, JOB_ID(3), record);
    for (size_t i = 0; i < COUNT(later); i++) {
        event = event_of(later[i]);
        deliver_event(&desk, &event);
    }
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 1").executions, 3);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 1").failures, 2);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 1").rescued, 1);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 2").executions, 3);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 2").rescued, 1);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 4").executions, 1);
    /* With the job as it was, what comes late is judged as ever. */
    jr_txn_begin(&txn, desk.store, true);
    jr_txn_put(&txn, JR_TABLE_RUNS, key, jr_ledger_key(key, RUN_ID, JR_PART_JOB, JOB_ID(3)), record, length);
    commit(&txn);
    event = event_of("c13@2=failure,job:3");
    deliver_event(&desk, &event);
    event = event_of("c23@3=success,job:3");
    deliver_event(&desk, &event);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 3").executions, 3);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 3").rescued, 1);
    close_desk(&desk);
}

/* More of one name than are noted: all jobs are read then, and nothing is lost. */
static void many_of_a_name(void **state)
{
    enum { MANY = 70 };
    struct desk desk;

    (void)state;
    open_desk(&desk);
    for (unsigned i = 0; i < 2 * MANY; i++) {
        struct jr_event event = event_of(i < MANY ? "c1=failure" : "c1@2=success");

        event.job_id += 1000 * i;
        deliver_event(&desk, &event);
    }
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 1").executions, 2 * MANY);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 1").rescued, MANY);
    close_desk(&desk);
}

static unsigned prune(struct desk *desk, int64_t before_ms, int64_t now_ms, unsigned most,
                      struct jr_flaky_walk *walk)
{
    struct jr_txn txn;
    unsigned removed;

    jr_txn_begin(&txn, desk->store, true);
    removed = jr_flaky_prune(&txn, before_ms, now_ms, most, walk);
    commit(&txn);
    return removed;
}

static void forgotten(void **state)
{
    struct desk desk;
    struct jr_event event = event_of("c1=failure");
    struct jr_flaky_walk walk = { .ended = false };
    int64_t ended_ms = event.completed_ms;

    (void)state;
    open_desk(&desk);
    snprintf(event.runner, sizeof event.runner, "pod-x7k2p");
    deliver_event(&desk, &event);
    assert_int_equal(rows_in(&desk), 3); /* job, runner, all with its labels */
    assert_int_equal(prune(&desk, ended_ms, ended_ms + JR_FLAKY_RARE_MS, 10, &walk), 0);
    assert_int_equal(walk.key_length, 0);
    /* One at a time: the walk goes on where it stood. */
    assert_int_equal(prune(&desk, ended_ms, ended_ms + JR_FLAKY_RARE_MS + 1, 1, &walk), 0);
    assert_int_equal(prune(&desk, ended_ms, ended_ms + JR_FLAKY_RARE_MS + 1, 1, &walk), 1);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 1").executions, 1);
    assert_int_equal(prune(&desk, ended_ms + 1, ended_ms, 10, &walk), 1);
    assert_int_equal(prune(&desk, ended_ms + 1, ended_ms, 10, &walk), 1);
    assert_int_equal(rows_in(&desk), 0);
    /* What is heard after that begins anew, and never goes below nothing. */
    event = event_of("c1=success~90");
    deliver_event(&desk, &event);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 1").failures, 0);
    close_desk(&desk);
}

/* What was told apart by a runner goes with it, and with what is too old. */
static void forgotten_with_the_runner(void **state)
{
    struct desk desk;
    struct jr_flaky_walk walk = { .ended = false };
    int64_t rare_ms;

    (void)state;
    open_desk(&desk);
    execute(&desk, "c1=failure", 0, "octo/app", "pod-x7k2p", "a");
    assert_int_equal(rows_in(&desk), 4); /* job, runner, all with its labels, the job on the runner */
    rare_ms = desk.now_ms + JR_FLAKY_RARE_MS + 1;
    assert_int_equal(prune(&desk, 0, rare_ms, 10, &walk), 2);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 1").failures, 1);
    assert_int_equal(prune(&desk, rare_ms, rare_ms, 10, &walk), 2);
    assert_int_equal(rows_in(&desk), 0);
    close_desk(&desk);
}

/* A failure on a day, which is mostly rescued on another runner. */
static void fail_and_rescue(struct desk *desk, struct truth *truth, unsigned number, int64_t at_ms)
{
    struct jr_event event = event_of("c1=failure");
    unsigned job = dice(truth, 12), runner = dice(truth, 3) == 0 ? 9 : dice(truth, 9);

    event.run_id += number;
    event.job_id += 1000ULL * number;
    event.started_ms = event.created_ms = at_ms;
    event.completed_ms = at_ms + JR_SECOND_MS * dice(truth, 90);
    snprintf(event.job_name, sizeof event.job_name, "job %u", job);
    snprintf(event.runner, sizeof event.runner, "r%u", runner);
    snprintf(event.labels, sizeof event.labels, "a");
    deliver_event(desk, &event);
    if (dice(truth, 3) == 0)
        return;
    event.job_id++;
    event.attempt = 2;
    event.conclusion = dice(truth, 5) == 0 ? JR_CONCLUSION_FAILURE : JR_CONCLUSION_SUCCESS;
    event.started_ms = event.created_ms = event.completed_ms;
    event.completed_ms += JR_MINUTE_MS;
    snprintf(event.runner, sizeof event.runner, "r%u", 9 - runner);
    deliver_event(desk, &event);
}

/* Whatever comes and is forgotten, on whatever day one looks. */
static void lately(void **state)
{
    struct truth *truth = calloc(1, sizeof *truth);
    struct jr_flaky_walk walk = { .ended = false };
    uint64_t told = 0;
    struct desk desk;

    (void)state;
    assert_non_null(truth);
    truth->seed = 4711;
    open_desk(&desk);
    for (unsigned i = 0; i < 800; i++) {
        /* Some months with much, and some with little to do. */
        desk.now_ms += (i / 200 % 2 == 0 ? 3 : 24) * JR_HOUR_MS;
        fail_and_rescue(&desk, truth, i, desk.now_ms - dice(truth, 4) * JR_DAY_MS);
        if (i % 5 == 0)
            prune(&desk, desk.now_ms - 40 * JR_DAY_MS, desk.now_ms, 3, &walk);
        if (i % 10 == 0)
            told += recent_as_read(&desk, desk.now_ms + dice(truth, 35) * JR_DAY_MS);
    }
    assert_true(told > 100);
    /* Nothing is left of what is forgotten. */
    for (int i = 0; i < 200; i++)
        prune(&desk, desk.now_ms + JR_DAY_MS, desk.now_ms, 3, &walk);
    assert_int_equal(rows_in(&desk), 0);
    assert_int_equal(count_in(&desk, JR_TABLE_WORST), 0);
    assert_int_equal(count_in(&desk, JR_TABLE_SUMS), 0);
    free(truth);
    close_desk(&desk);
}

/* Jobs of one run each, which fail and are rescued; one after the other of two repositories. */
static void rescue_jobs(struct desk *desk, unsigned from, unsigned to)
{
    struct jr_txn txn;

    jr_txn_begin(&txn, desk->store, true);
    for (unsigned job = from; job < to; job++)
        for (uint32_t attempt = 1; attempt <= 2; attempt++) {
            struct jr_event event = event_of("c1=failure");

            event.run_id += job;
            event.job_id = 10000 + 2 * job + attempt;
            event.attempt = attempt;
            event.conclusion = attempt == 1 ? JR_CONCLUSION_FAILURE : JR_CONCLUSION_SUCCESS;
            snprintf(event.job_name, sizeof event.job_name, "job %u", job);
            snprintf(event.repo, sizeof event.repo, "%s", job % 2 == 0 ? "octo/lib" : "octo/app");
            deliver_in(desk, &txn, &event);
        }
    commit(&txn);
}

/* The worst of what a filter lets through; of many others it is told that not all were seen. */
static void recent_of_some(void **state)
{
    struct jr_flaky_filter filter = { .kind = JR_FLAKY_JOB, .repo = "octo/lib" };
    struct jr_flaky rows[2];
    struct desk desk;
    struct jr_error error;
    size_t count;
    bool whole;

    (void)state;
    open_desk(&desk);
    rescue_jobs(&desk, 0, 2);
    filter.now_ms = desk.now_ms;
    assert_int_equal(jr_flaky_recent_of(desk.store, &filter, rows, 2, &count, &whole, &error), JR_OK);
    assert_true(count == 1 && whole && rows[0].rescued == 1);
    assert_string_equal(rows[0].repo, "octo/lib");
    rescue_jobs(&desk, 2, JR_FLAKY_RECENT_LOOKS + 1);
    filter.now_ms = desk.now_ms;
    filter.repo = "octo/none";
    assert_int_equal(jr_flaky_recent_of(desk.store, &filter, rows, 2, &count, &whole, &error), JR_OK);
    assert_true(count == 0 && !whole);
    close_desk(&desk);
}

/* Week by week back from a day; a row that is forgotten has none. */
static void trend(void **state)
{
    static const int days[] = { 0, 1, 7, 13, 14, 20, 83, 89 };
    struct jr_flaky_filter filter = { .kind = JR_FLAKY_JOB };
    struct jr_flaky rows[2] = { { .name = "nobody" } };
    struct jr_flaky_week weeks[2][JR_FLAKY_WEEKS];
    struct desk desk;
    struct jr_error error;
    int64_t first_ms;

    (void)state;
    open_desk(&desk);
    desk.now_ms += 100 * JR_DAY_MS;
    for (size_t i = 0; i < COUNT(days); i++)
        execute(&desk, i % 2 == 0 ? "c1=success" : "c1=failure", days[i], "octo/app", "r1", "a");
    rows[1] = row_of(&desk, JR_FLAKY_JOB, "job 1");
    filter.now_ms = rows[1].last_ms;
    assert_int_equal(jr_flaky_trend(desk.store, &filter, rows, 2, JR_FLAKY_WEEKS, weeks[0], &error), JR_OK);
    first_ms = rows[1].first_ms / JR_DAY_MS * JR_DAY_MS;
    for (size_t week = 0; week < JR_FLAKY_WEEKS; week++) {
        assert_true(weeks[1][week].start_ms == first_ms + ((int64_t)week * 7 - 1) * JR_DAY_MS);
        assert_int_equal(weeks[0][week].executions, 0);
    }
    /* From day -1 to 5, 6 to 12, 13 to 19, 20 to 26; and 83 to 89. */
    assert_true(weeks[1][0].executions == 2 && weeks[1][0].failures == 1);
    assert_true(weeks[1][1].executions == 1 && weeks[1][1].failures == 0);
    assert_true(weeks[1][2].executions == 2 && weeks[1][2].failures == 1);
    assert_true(weeks[1][3].executions == 1 && weeks[1][3].failures == 1);
    assert_true(weeks[1][12].executions == 2 && weeks[1][12].failures == 1);
    assert_int_equal(weeks[1][5].executions, 0);
    /* Of fewer weeks, and of a runner; what is later than the last day counts for that. */
    filter.now_ms -= JR_DAY_MS;
    assert_int_equal(jr_flaky_trend(desk.store, &filter, rows + 1, 1, 4, weeks[0], &error), JR_OK);
    assert_true(weeks[0][3].executions == 2 && weeks[0][2].executions == 0);
    filter.kind = JR_FLAKY_RUNNER;
    rows[1] = row_of(&desk, JR_FLAKY_RUNNER, "r1");
    assert_int_equal(jr_flaky_trend(desk.store, &filter, rows + 1, 1, 1, weeks[0], &error), JR_OK);
    assert_int_equal(weeks[0][0].executions, 2);
    close_desk(&desk);
}

/* What stands among the worst from before a row was damaged is not told, and pruned. */
static void order_of_a_damaged_row(void **state)
{
    struct desk desk;
    struct jr_event event = event_of("c1=failure");
    struct jr_flaky_walk walk = { .ended = false };
    struct jr_entry entry;
    struct jr_txn txn;
    struct jr_flaky row;
    struct jr_error error;
    size_t count;

    (void)state;
    open_desk(&desk);
    deliver_event(&desk, &event);
    event = event_of("c11@2=success,job:1");
    deliver_event(&desk, &event);
    assert_int_equal(jr_flaky_recent(desk.store, JR_FLAKY_JOB, desk.now_ms, &row, 1, &count, &error), JR_OK);
    assert_int_equal(count, 1);
    assert_string_equal(row.name, "job 1");
    jr_txn_begin(&txn, desk.store, true);
    assert_true(jr_txn_seek(&txn, JR_TABLE_FLAKY, NULL, 0, false, &entry));
    jr_txn_put(&txn, JR_TABLE_FLAKY, entry.key, entry.key_length, "x", 1);
    jr_txn_put(&txn, JR_TABLE_WORST, "\1", 1, "", 0);
    commit(&txn);
    assert_int_equal(jr_flaky_recent(desk.store, JR_FLAKY_JOB, desk.now_ms, &row, 1, &count, &error), JR_OK);
    assert_int_equal(count, 0);
    prune(&desk, 0, desk.now_ms, 9, &walk);
    assert_int_equal(count_in(&desk, JR_TABLE_WORST), 0);
    close_desk(&desk);
}

/* A runner is not blamed for more than the row has of it. */
static void blame_for_the_forgotten(void **state)
{
    static const struct {
        const char *token, *runner;
    } events[] = {
        { "c1=failure", "r1" }, { "c2=failure", "r1" }, { "", "" }, { "c3=failure", "r1" },
        { "c11@2=success,job:1", "r2" }, { "c12@2=success,job:2", "r2" },
    };
    struct desk desk;
    struct jr_flaky_walk walk = { .ended = false };
    struct jr_flaky runner;

    (void)state;
    open_desk(&desk);
    for (size_t i = 0; i < COUNT(events); i++) {
        struct jr_event event;

        if (*events[i].token == '\0') {
            assert_true(prune(&desk, desk.now_ms, desk.now_ms, 10, &walk) > 0);
            continue;
        }
        event = event_of(events[i].token);
        snprintf(event.runner, sizeof event.runner, "%s", events[i].runner);
        snprintf(event.labels, sizeof event.labels, "a");
        deliver_event(&desk, &event);
    }
    runner = row_of(&desk, JR_FLAKY_RUNNER, "r1");
    assert_int_equal(runner.executions, 1);
    assert_int_equal(runner.blamed, 1);
    close_desk(&desk);
}

/* A row that cannot be read stops neither the events nor the listing. */
static void a_damaged_row(void **state)
{
    struct desk desk;
    struct jr_event event = event_of("c1=failure");
    struct jr_entry entry;
    struct jr_txn txn;
    static const struct jr_flaky_filter all = { .kind = JR_FLAKY_JOB };
    struct jr_flaky row;
    struct jr_flaky_total total;
    struct jr_error error;
    size_t count;

    (void)state;
    open_desk(&desk);
    deliver_event(&desk, &event);
    jr_txn_begin(&txn, desk.store, true);
    assert_true(jr_txn_seek(&txn, JR_TABLE_FLAKY, NULL, 0, false, &entry));
    jr_txn_put(&txn, JR_TABLE_FLAKY, entry.key, entry.key_length, "x", 1);
    commit(&txn);
    assert_int_equal(jr_flaky_worst(desk.store, &all, &row, 1, &count, &total, &error), JR_OK);
    assert_int_equal(count, 0);
    event = event_of("c11@2=failure,job:1");
    deliver_event(&desk, &event);
    assert_int_equal(row_of(&desk, JR_FLAKY_JOB, "job 1").executions, 1);
    close_desk(&desk);
}

struct wilson_row {
    const char *name;
    uint64_t hits, of;
    double low, high;
};

/* Newcombe, Statistics in Medicine 17 (1998), table I, method 3; the others by its formula. */
static void wilson(void **state)
{
    const struct wilson_row *row = *state;
    double low, high;

    jr_wilson(row->hits, row->of, &low, &high);
    assert_true(fabs(low - row->low) < 0.00005);
    assert_true(fabs(high - row->high) < 0.00005);
}

static const struct wilson_row wilsons[] = {
    { "of nothing", 0, 0, 0, 1 },
    { "81 of 263", 81, 263, 0.2553, 0.3662 },
    { "15 of 148", 15, 148, 0.0624, 0.1605 },
    { "0 of 20", 0, 20, 0, 0.1611 },
    { "1 of 29", 1, 29, 0.0061, 0.1718 },
    { "all of 20", 20, 20, 0.8389, 1 },
};

int main(void)
{
    TABLE(scenes, counted);
    TEST(nothing_while_open);
    TABLE(truths, as_in_truth);
    TEST(large_matrix);
    TEST(one_by_one_again);
    TEST(many_of_a_name);
    TEST(the_worst);
    TEST(since_a_day);
    TEST(since_what_can_be_told);
    TEST(across_repositories);
    TEST(who_is_suspect);
    TEST(told_apart);
    TABLE(odd_rows, worth_of_odd);
    TEST(forgotten);
    TEST(forgotten_with_the_runner);
    TEST(lately);
    TEST(recent_of_some);
    TEST(trend);
    TEST(order_of_a_damaged_row);
    TEST(blame_for_the_forgotten);
    TEST(a_damaged_row);
    TABLE(wilsons, wilson);
    return run_program("flaky");
}
