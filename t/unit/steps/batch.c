/*
 * batch -- the updates of several processes in one commit, and each of them
 * found or missed as its owner was told.
 *
 * The processes are real, and so is the store. What a test needs to happen in
 * a certain order is arranged with the store's write lock, which somebody else
 * holds until every slot waits, and with SIGSTOP.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/reply.h"
#include "lib/base/timestamp.h"
#include "lib/steps/batch.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS    6
#define NOW_MS     (START_MS + 100 * JR_SECOND_MS)
#define RUN(i)     (RUN_ID + (uint64_t)(i) + 1)
#define LARGE_MAP  (16 * 1024 * 1024)
#define SMALL_MAP  (1024 * 1024)
#define HALL_ID    7

/* A test that waits in vain ends the program; its children die with it. */
#define LIMIT_S 120

/* What came of an update. */
struct outcome {
    enum jr_err err;
    struct jr_receipt receipt;
    char text[sizeof ((struct jr_error *)0)->text];
};

/* What is shared by the processes of one test. */
struct hall {
    struct jr_slot slots[WORKERS];
    _Atomic uint32_t leading;
    char folder[64];
    int64_t map_size_bytes;
    char tokens[WORKERS][32], ids[WORKERS][32];
    uint64_t runs[WORKERS];
    struct outcome outcomes[WORKERS]; /* of the first update of each */
    size_t each;                      /* how many updates each submits at once */
    struct outcome all[WORKERS][JR_SLOT_UPDATES];
    int failing; /* the worker that cannot write to the disk; -1: none */
    uint64_t commits[WORKERS], updates[WORKERS];
    struct jr_settings settings;
    size_t count;
};

/* The test's own, not to be shared. */
static struct child children[WORKERS], holder;

static void open_hall(struct hall **hall, size_t count)
{
    (void)alarm(LIMIT_S);
    *hall = mmap(NULL, sizeof **hall, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(*hall != MAP_FAILED);
    snprintf((*hall)->folder, sizeof(*hall)->folder, "%s", new_folder());
    load_settings(&(*hall)->settings, "");
    (*hall)->map_size_bytes = LARGE_MAP;
    (*hall)->count = count;
    (*hall)->each = 1;
    (*hall)->failing = -1;
    for (size_t i = 0; i < WORKERS; i++)
        children[i].fd = -1;
    /* Each queues the first job of a run of its own, unless the test wants another thing. */
    for (size_t i = 0; i < count; i++) {
        snprintf((*hall)->tokens[i], sizeof(*hall)->tokens[i], "q1");
        snprintf((*hall)->ids[i], sizeof(*hall)->ids[i], "delivery-%zu", i);
        (*hall)->runs[i] = RUN(i);
    }
}

static void close_hall(struct hall *hall)
{
    (void)alarm(0);
    jr_settings_release(&hall->settings);
    munmap(hall, sizeof *hall);
}

static struct jr_store *open_hall_store(const struct hall *hall)
{
    struct jr_store *store;
    struct jr_error error;

    if (jr_store_open(&store, hall->folder, hall->map_size_bytes, &error) != JR_OK) {
        fprintf(stderr, "# %s\n", error.text);
        return NULL;
    }
    return store;
}

static void make_update(struct jr_update *update, const char *id, const char *token, uint64_t run_id)
{
    memset(update, 0, sizeof *update);
    update->event = event_of(token);
    update->event.run_id = run_id;
    update->now_ms = NOW_MS;
    if (jr_delivery_identify(&update->delivery, id, token, strlen(token)) != JR_OK)
        abort();
}

/* The run of a worker's update: the first is hall->runs[i]. */
static uint64_t run_of(const struct hall *hall, size_t i, size_t u)
{
    return hall->runs[i] + 1000000 * u;
}

static void submit(struct hall *hall, struct jr_batch *batch, struct jr_store *store, size_t i)
{
    struct jr_update updates[JR_SLOT_UPDATES];
    struct jr_item items[JR_SLOT_UPDATES];

    for (size_t u = 0; u < hall->each; u++) {
        char id[64];

        snprintf(id, sizeof id, u == 0 ? "%s" : "%s+%zu", hall->ids[i], u);
        make_update(&updates[u], id, hall->tokens[i], run_of(hall, i, u));
        items[u] = (struct jr_item){ .update = &updates[u] };
    }
    jr_batch_submit(batch, store, &hall->settings, items, hall->each);
    for (size_t u = 0; u < hall->each; u++) {
        struct outcome *outcome = &hall->all[i][u];

        outcome->err = items[u].error.code;
        outcome->receipt = items[u].receipt;
        snprintf(outcome->text, sizeof outcome->text, "%s", items[u].error.text);
    }
    hall->outcomes[i] = hall->all[i][0];
    hall->commits[i] = batch->commits;
    hall->updates[i] = batch->updates;
}

/* A child must not keep the others from seeing that the test lets go of them. */
static void close_others(size_t number)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (i != number && children[i].fd >= 0)
            close(children[i].fd);
}

static void let_worker_go(size_t i)
{
    let_child_go(&children[i]);
    children[i].fd = -1;
}

static void kill_worker(size_t i)
{
    kill_child(&children[i]);
    children[i].fd = -1;
}

struct place {
    struct hall *hall;
    size_t number;
};

static bool take_place(struct jr_batch *batch, const struct hall *hall, size_t number,
                       struct jr_store *store)
{
    const struct jr_slots slots = {
        .id = HALL_ID,
        .all = (struct jr_slot *)(uintptr_t)hall->slots,
        .leading = (_Atomic uint32_t *)(uintptr_t)&hall->leading,
        .count = WORKERS,
        .own = number,
    };
    struct jr_error error;

    return store != NULL && jr_batch_open(batch, &slots, store, &error) == JR_OK;
}

/* A worker: ready, told to go, submits; once more for each byte it is sent. */
static void work(int fd, const void *argument)
{
    const struct place *place = argument;
    struct hall *hall = place->hall;
    struct jr_store *store;
    struct jr_batch batch;
    char byte;

    close_others(place->number);
    store = open_hall_store(hall);
    if (!take_place(&batch, hall, place->number, store))
        _exit(4);
    if (hall->failing == (int)place->number) {
        const struct rlimit nothing_more = { 0, RLIM_INFINITY };

        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &nothing_more);
    }
    child_says_ready(fd);
    while (read(fd, &byte, 1) == 1) {
        submit(hall, &batch, store, place->number);
        if (write(fd, "d", 1) != 1)
            _exit(5);
    }
    jr_store_close(store);
}

static void hold_lock(int fd, const void *argument)
{
    struct jr_store *store;
    struct jr_txn txn;

    close_others(WORKERS);
    store = open_hall_store(argument);
    if (store == NULL)
        _exit(4);
    jr_txn_begin(&txn, store, true);
    if (txn.error.code != JR_OK)
        _exit(4);
    child_says_ready(fd);
    child_waits(fd);
    jr_txn_abort(&txn);
    jr_store_close(store);
}

static void start_worker(struct hall *hall, size_t i)
{
    struct place place = { hall, i };

    start_child(&children[i], work, &place);
}

static void start_workers(struct hall *hall)
{
    for (size_t i = 0; i < hall->count; i++)
        start_worker(hall, i);
}

/* All wait with their update in the slot, for a lock that somebody else holds. */
static void bring_before_the_lock(struct hall *hall)
{
    start_child(&holder, hold_lock, hall);
    for (size_t i = 0; i < hall->count; i++)
        assert_int_equal(write(children[i].fd, "g", 1), 1);
    for (size_t i = 0; i < hall->count; i++)
        while (jr_slot_state(&hall->slots[i]) != JR_SLOT_WAITING)
            usleep(1000);
}

static void give_lock(void)
{
    let_child_go(&holder);
}

static void wait_outcome(size_t i)
{
    char byte = '?';

    assert_int_equal(read(children[i].fd, &byte, 1), 1);
    assert_int_equal(byte, 'd');
}

/* The child that has stopped itself. */
static size_t wait_stopped(struct hall *hall)
{
    for (;;) {
        for (size_t i = 0; i < hall->count; i++) {
            siginfo_t info = { .si_pid = 0 };

            assert_int_equal(waitid(P_PID, (id_t)children[i].pid, &info, WSTOPPED | WNOHANG), 0);
            if (info.si_pid != 0)
                return i;
        }
        usleep(1000);
    }
}

/* The file that tells of it comes a moment before. */
static void wait_child_stopped(size_t i)
{
    siginfo_t info;

    assert_int_equal(waitid(P_PID, (id_t)children[i].pid, &info, WSTOPPED), 0);
}

static void stop_child(size_t i)
{
    assert_int_equal(kill(children[i].pid, SIGSTOP), 0);
    wait_child_stopped(i);
}

static uint64_t count(struct jr_store *store, enum jr_table table)
{
    struct jr_txn txn;
    uint64_t entries;

    jr_txn_begin(&txn, store, false);
    entries = jr_txn_count(&txn, table);
    commit(&txn);
    return entries;
}

static struct jr_run run_in(struct jr_store *store, uint64_t run_id)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, store, false);
    jr_ledger_load_run(&txn, run_id, &run);
    commit(&txn);
    return run;
}

/* How many events the history of a run has. */
static unsigned events_of(struct jr_store *store, uint64_t run_id)
{
    struct jr_txn txn;
    struct jr_history entry;
    uint32_t number = 0;
    unsigned events = 0;

    jr_txn_begin(&txn, store, false);
    while (jr_history_next(&txn, run_id, &number, &entry))
        events += entry.kind == JR_HISTORY_EVENT;
    commit(&txn);
    return events;
}

static void assert_update(const struct hall *hall, size_t i, size_t u, int status)
{
    const struct outcome *outcome = &hall->all[i][u];

    if (outcome->err != JR_OK)
        fail_msg("worker %zu, update %zu: %s", i, u, outcome->text);
    assert_int_equal(jr_reply_status(outcome->receipt.answer.reply), status);
    assert_true(outcome->receipt.answer.run_id == run_of(hall, i, u));
    assert_false(outcome->receipt.repeated);
    assert_int_equal(outcome->receipt.due_moved, status == 201);
}

static void assert_outcome(const struct hall *hall, size_t i, int status)
{
    for (size_t u = 0; u < hall->each; u++)
        assert_update(hall, i, u, status);
}

/* One whose owner was told that it is recorded is, once. */
static void assert_recorded_once(struct hall *hall, struct jr_store *store, size_t i)
{
    for (size_t u = 0; u < hall->each; u++) {
        assert_true(run_in(store, run_of(hall, i, u)).known);
        assert_int_equal(events_of(store, run_of(hall, i, u)), 1);
    }
}

static uint64_t sum(const uint64_t *numbers, size_t length)
{
    uint64_t whole = 0;

    for (size_t i = 0; i < length; i++)
        whole += numbers[i];
    return whole;
}

static void one_alone(void **state)
{
    struct hall *hall;
    struct jr_store *store;
    struct jr_batch batch;

    (void)state;
    open_hall(&hall, 1);
    store = open_hall_store(hall);
    assert_true(take_place(&batch, hall, 0, store));
    submit(hall, &batch, store, 0);
    assert_outcome(hall, 0, 202);
    assert_int_equal(jr_slot_state(&hall->slots[0]), JR_SLOT_EMPTY);
    snprintf(hall->tokens[0], sizeof hall->tokens[0], "c1=failure");
    snprintf(hall->ids[0], sizeof hall->ids[0], "another");
    submit(hall, &batch, store, 0);
    assert_outcome(hall, 0, 201);
    submit(hall, &batch, store, 0);
    assert_int_equal(hall->outcomes[0].err, JR_OK);
    assert_int_equal(jr_reply_status(hall->outcomes[0].receipt.answer.reply), 201);
    assert_true(hall->outcomes[0].receipt.repeated);
    assert_false(hall->outcomes[0].receipt.due_moved);
    assert_int_equal(events_of(store, RUN(0)), 2);
    assert_int_equal(batch.commits, 3);
    jr_store_close(store);
    close_hall(hall);
}

struct group_row {
    const char *name;
    size_t each; /* updates in a slot */
};

static const struct group_row groups[] = {
    { "one", 1 },
    { "three", 3 },
    { "as many as there may be", JR_SLOT_UPDATES },
};

static void those_who_wait_share_a_commit(void **state)
{
    const struct group_row *row = *state;
    struct hall *hall;
    struct jr_store *store;

    open_hall(&hall, WORKERS);
    hall->each = row->each;
    start_workers(hall);
    bring_before_the_lock(hall);
    give_lock();
    for (size_t i = 0; i < WORKERS; i++)
        wait_outcome(i);
    for (size_t i = 0; i < WORKERS; i++)
        let_worker_go(i);
    assert_int_equal(sum(hall->commits, WORKERS), 1);
    assert_int_equal(sum(hall->updates, WORKERS), WORKERS * row->each);
    store = open_hall_store(hall);
    for (size_t i = 0; i < WORKERS; i++) {
        assert_outcome(hall, i, 202);
        assert_recorded_once(hall, store, i);
        assert_int_equal(jr_slot_state(&hall->slots[i]), JR_SLOT_EMPTY);
    }
    jr_store_close(store);
    close_hall(hall);
}

/* The same delivery in two slots: one is the first, and the other its repeat. */
static void one_delivery_in_two_slots(void **state)
{
    struct hall *hall;
    struct jr_store *store;

    (void)state;
    open_hall(&hall, 3);
    for (size_t i = 0; i < 2; i++) {
        snprintf(hall->tokens[i], sizeof hall->tokens[i], "Rc=failure");
        snprintf(hall->ids[i], sizeof hall->ids[i], "the-same");
        hall->runs[i] = RUN_ID;
    }
    start_workers(hall);
    bring_before_the_lock(hall);
    give_lock();
    for (size_t i = 0; i < 3; i++)
        wait_outcome(i);
    for (size_t i = 0; i < 3; i++)
        let_worker_go(i);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(hall->outcomes[i].err, JR_OK);
        assert_int_equal(jr_reply_status(hall->outcomes[i].receipt.answer.reply), 201);
    }
    assert_int_equal(hall->outcomes[0].receipt.repeated + hall->outcomes[1].receipt.repeated, 1);
    assert_int_equal(hall->outcomes[0].receipt.due_moved + hall->outcomes[1].receipt.due_moved, 1);
    assert_outcome(hall, 2, 202);
    store = open_hall_store(hall);
    assert_int_equal(events_of(store, RUN_ID), 1);
    assert_int_equal(count(store, JR_TABLE_OUTBOX), 1);
    jr_store_close(store);
    close_hall(hall);
}

/* What happens between the death of a leader and the turn of those who waited. */
struct death_row {
    const char *name;
    void (*meanwhile)(struct hall *hall, struct jr_store *store);
    size_t commits; /* that the others need */
    size_t each;    /* updates in a slot */
};

static void nothing(struct hall *hall, struct jr_store *store)
{
    (void)hall, (void)store;
}

/* As the dispatcher does. */
static void another_writer_commits(struct hall *hall, struct jr_store *store)
{
    struct jr_txn txn;

    (void)hall;
    for (int i = 0; i < 3; i++) {
        jr_txn_begin(&txn, store, true);
        jr_txn_put(&txn, JR_TABLE_META, "some", 4, &i, sizeof i);
        commit(&txn);
    }
}

static void commit_batches(struct hall *hall, struct jr_store *store, uint64_t id, size_t slot_count)
{
    _Atomic uint32_t leading = 0;
    struct jr_slots slots = { .id = id, .leading = slot_count > 1 ? &leading : NULL, .count = slot_count };
    struct jr_update update;
    struct jr_batch batch;
    struct jr_error error;

    slots.all = calloc(slot_count, sizeof *slots.all);
    assert_non_null(slots.all);
    assert_int_equal(jr_batch_open(&batch, &slots, store, &error), JR_OK);
    for (int i = 0; i < 3; i++) {
        char name[32];
        struct jr_item item = { .update = &update };

        snprintf(name, sizeof name, "other-%d", i);
        make_update(&update, name, "q1", RUN_ID);
        jr_batch_submit(&batch, store, &hall->settings, &item, 1);
        assert_int_equal(item.error.code, JR_OK);
    }
    free(slots.all);
}

static void another_service_commits(struct hall *hall, struct jr_store *store)
{
    commit_batches(hall, store, HALL_ID + 1, 2);
}

static void cgi_commits(struct hall *hall, struct jr_store *store)
{
    commit_batches(hall, store, 0, 1);
}

static const struct death_row deaths[] = {
    { "and nothing else happens", nothing, 1, 1 },
    { "and another writer commits", another_writer_commits, 1, 1 },
    { "and another service on the same store commits", another_service_commits, 1, 1 },
    { "and plain CGI commits", cgi_commits, 1, 1 },
    { "with several updates in each slot", another_writer_commits, 1, JR_SLOT_UPDATES },
};

static void leader_is_killed(void **state)
{
    const struct death_row *row = *state;
    struct hall *hall;
    struct jr_store *store;
    char point[128];
    size_t leader;

    open_hall(&hall, WORKERS);
    hall->each = row->each;
    snprintf(point, sizeof point, "in-batch:%s/stop", hall->folder);
    setenv("JR_TEST_STOP_AT", point, 1);
    start_workers(hall);
    unsetenv("JR_TEST_STOP_AT");
    bring_before_the_lock(hall);
    give_lock();
    leader = wait_stopped(hall);
    /* It has applied all of them, and committed nothing. */
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(jr_slot_state(&hall->slots[i]), JR_SLOT_APPLIED);
    for (size_t i = 0; i < WORKERS; i++)
        if (i != leader)
            stop_child(i);
    kill_worker(leader);
    store = open_hall_store(hall);
    assert_int_equal(count_parts(store, JR_PART_RUN), 0);
    row->meanwhile(hall, store);
    jr_store_close(store);
    for (size_t i = 0; i < WORKERS; i++)
        if (i != leader)
            assert_int_equal(kill(children[i].pid, SIGCONT), 0);
    for (size_t i = 0; i < WORKERS; i++)
        if (i != leader)
            wait_outcome(i);
    store = open_hall_store(hall);
    for (size_t i = 0; i < WORKERS; i++) {
        if (i == leader)
            continue;
        assert_outcome(hall, i, 202);
        assert_recorded_once(hall, store, i);
    }
    jr_store_close(store);
    assert_int_equal(sum(hall->commits, WORKERS), row->commits);

    /* The one who takes its place begins with an empty slot, and works. */
    assert_int_not_equal(jr_slot_state(&hall->slots[leader]), JR_SLOT_EMPTY);
    start_worker(hall, leader);
    assert_int_equal(jr_slot_state(&hall->slots[leader]), JR_SLOT_EMPTY);
    snprintf(hall->ids[leader], sizeof hall->ids[leader], "later");
    hall->runs[leader] = RUN(WORKERS);
    assert_int_equal(write(children[leader].fd, "g", 1), 1);
    wait_outcome(leader);
    assert_outcome(hall, leader, 202);
    for (size_t i = 0; i < WORKERS; i++)
        let_worker_go(i);
    close_hall(hall);
}

/* A leader that died at an update leaves it to its owner. */
static void what_a_leader_died_at(void **state)
{
    struct hall *hall;
    struct jr_store *store;
    struct jr_batch batch;

    (void)state;
    open_hall(&hall, 3);
    /* The third is this process. */
    hall->count = 2;
    start_workers(hall);
    bring_before_the_lock(hall);
    hall->count = 3;
    stop_child(0);
    stop_child(1);
    hall->slots[0].trying = true;
    give_lock();
    store = open_hall_store(hall);
    assert_true(take_place(&batch, hall, 2, store));
    submit(hall, &batch, store, 2);
    assert_outcome(hall, 2, 202);
    assert_false(run_in(store, hall->runs[0]).known);
    assert_true(run_in(store, hall->runs[1]).known);
    assert_int_equal(batch.updates, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(kill(children[i].pid, SIGCONT), 0);
        wait_outcome(i);
        let_worker_go(i);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_outcome(hall, i, 202);
        assert_recorded_once(hall, store, i);
    }
    jr_store_close(store);
    close_hall(hall);
}

/* One who takes over a slot does not answer for what was in it. */
static void a_slot_is_cleared(void **state)
{
    struct hall *hall;
    struct jr_store *store;
    struct jr_batch batch;

    (void)state;
    open_hall(&hall, 2);
    store = open_hall_store(hall);
    make_update(&hall->slots[0].updates[0], "left", "q1", RUN_ID);
    hall->slots[0].count = 1;
    hall->slots[0].word = JR_SLOT_WAITING;
    hall->slots[0].trying = hall->slots[0].alone = true;
    assert_true(take_place(&batch, hall, 0, store));
    assert_int_equal(jr_slot_state(&hall->slots[0]), JR_SLOT_EMPTY);
    assert_false(hall->slots[0].trying || hall->slots[0].alone);
    assert_true(take_place(&batch, hall, 1, store));
    submit(hall, &batch, store, 1);
    assert_outcome(hall, 1, 202);
    assert_int_equal(count_parts(store, JR_PART_RUN), 1);
    submit(hall, &batch, store, 0);
    jr_store_close(store);
    close_hall(hall);
}

/* Which of them are bad, as bits. */
struct bad_row {
    const char *name;
    unsigned bad;
};

static const struct bad_row bads[] = {
    { "the first", 1 },
    { "one in the middle", 4 },
    { "the last", 1 << (WORKERS - 1) },
    { "two", 2 | 8 },
    { "all", (1 << WORKERS) - 1 },
};

static void bad_updates_fail_alone(void **state)
{
    const struct bad_row *row = *state;
    struct hall *hall;
    struct jr_store *store;
    size_t good = 0;

    open_hall(&hall, WORKERS);
    store = open_hall_store(hall);
    for (size_t i = 0; i < WORKERS; i++) {
        /* A job that ends without a beginning is answered 404 once, and then no more. */
        snprintf(hall->tokens[i], sizeof hall->tokens[i], i % 2 == 0 ? "c1=failure" : "Rc=failure");
        if (row->bad & 1U << i)
            damage_part(store, hall->runs[i], JR_PART_RUN, 0);
    }
    jr_store_close(store);
    start_workers(hall);
    bring_before_the_lock(hall);
    give_lock();
    for (size_t i = 0; i < WORKERS; i++)
        wait_outcome(i);
    store = open_hall_store(hall);
    for (size_t i = 0; i < WORKERS; i++) {
        if (row->bad & 1U << i) {
            assert_int_equal(hall->outcomes[i].err, JR_EFORMAT);
            assert_true(hall->outcomes[i].text[0] != '\0');
            continue;
        }
        good++;
        assert_int_equal(hall->outcomes[i].err, JR_OK);
        assert_int_equal(jr_reply_status(hall->outcomes[i].receipt.answer.reply), i % 2 == 0 ? 404 : 201);
        assert_false(hall->outcomes[i].receipt.repeated);
        assert_true(hall->outcomes[i].receipt.due_moved);
        assert_recorded_once(hall, store, i);
    }
    assert_int_equal(count(store, JR_TABLE_DELIVERIES), good);

    /* None of them is marked for ever. */
    for (size_t i = 0; i < WORKERS; i++) {
        snprintf(hall->ids[i], sizeof hall->ids[i], "later-%zu", i);
        snprintf(hall->tokens[i], sizeof hall->tokens[i], "q1");
        hall->runs[i] = RUN(WORKERS + i);
    }
    memset(hall->commits, 0, sizeof hall->commits);
    jr_store_close(store);
    bring_before_the_lock(hall);
    give_lock();
    for (size_t i = 0; i < WORKERS; i++)
        wait_outcome(i);
    for (size_t i = 0; i < WORKERS; i++) {
        assert_outcome(hall, i, 202);
        let_worker_go(i);
    }
    close_hall(hall);
}

/* A reader that stays in its transaction keeps every page that it can see from being used again. */
static void read_and_wait(int fd, const void *argument)
{
    struct jr_store *store;
    struct jr_txn txn;

    close_others(WORKERS);
    store = open_hall_store(argument);
    if (store == NULL)
        _exit(4);
    jr_txn_begin(&txn, store, false);
    child_says_ready(fd);
    child_waits(fd);
    jr_txn_abort(&txn);
    jr_store_close(store);
}

static void fill(struct jr_store *store)
{
    enum jr_err err = JR_OK;

    for (unsigned i = 0; i < 1000 && err == JR_OK; i++) {
        struct jr_txn txn;

        jr_txn_begin(&txn, store, true);
        jr_txn_put(&txn, JR_TABLE_META, "some", 4, &i, sizeof i);
        err = jr_txn_commit(&txn);
    }
    assert_int_equal(err, JR_EFULL);
}

/* The same processes work on when there is room. */
static void full_map(void **state)
{
    const struct group_row *row = *state;
    struct hall *hall;
    struct jr_store *store;
    struct child reader;

    open_hall(&hall, WORKERS);
    hall->each = row->each;
    hall->map_size_bytes = SMALL_MAP;
    start_workers(hall);
    start_child(&reader, read_and_wait, hall);
    store = open_hall_store(hall);
    fill(store);
    jr_store_close(store);
    bring_before_the_lock(hall);
    give_lock();
    for (size_t i = 0; i < WORKERS; i++) {
        wait_outcome(i);
        for (size_t u = 0; u < row->each; u++) {
            assert_int_equal(hall->all[i][u].err, JR_EFULL);
            assert_true(hall->all[i][u].text[0] != '\0');
        }
    }
    store = open_hall_store(hall);
    assert_int_equal(count_parts(store, JR_PART_RUN), 0);
    assert_int_equal(count(store, JR_TABLE_DELIVERIES), 0);
    jr_store_close(store);
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(jr_slot_state(&hall->slots[i]), JR_SLOT_EMPTY);

    let_child_go(&reader);
    bring_before_the_lock(hall);
    give_lock();
    store = open_hall_store(hall);
    for (size_t i = 0; i < WORKERS; i++) {
        wait_outcome(i);
        assert_outcome(hall, i, 202);
        assert_recorded_once(hall, store, i);
        let_worker_go(i);
    }
    jr_store_close(store);
    close_hall(hall);
}

/* Neither the others of its slot nor those of other slots suffer from a bad one. */
static void one_bad_among_several(void **state)
{
    const size_t worker = 2, bad = 3;
    struct hall *hall;
    struct jr_store *store;

    (void)state;
    open_hall(&hall, WORKERS);
    hall->each = JR_SLOT_UPDATES;
    /* Only the first time is it 404. */
    for (size_t i = 0; i < WORKERS; i++)
        snprintf(hall->tokens[i], sizeof hall->tokens[i], i % 2 == 0 ? "q1" : "Rc=failure");
    store = open_hall_store(hall);
    damage_part(store, run_of(hall, worker, bad), JR_PART_RUN, 0);
    jr_store_close(store);
    start_workers(hall);
    bring_before_the_lock(hall);
    give_lock();
    for (size_t i = 0; i < WORKERS; i++)
        wait_outcome(i);
    for (size_t i = 0; i < WORKERS; i++)
        let_worker_go(i);
    store = open_hall_store(hall);
    for (size_t i = 0; i < WORKERS; i++) {
        for (size_t u = 0; u < JR_SLOT_UPDATES; u++) {
            if (i == worker && u == bad) {
                assert_int_equal(hall->all[i][u].err, JR_EFORMAT);
                assert_true(hall->all[i][u].text[0] != '\0');
                continue;
            }
            assert_update(hall, i, u, i % 2 == 0 ? 202 : 201);
            assert_int_equal(events_of(store, run_of(hall, i, u)), 1);
        }
        assert_int_equal(jr_slot_state(&hall->slots[i]), JR_SLOT_EMPTY);
    }
    assert_int_equal(count(store, JR_TABLE_DELIVERIES), WORKERS * JR_SLOT_UPDATES - 1);
    jr_store_close(store);
    close_hall(hall);
}

/* Send one to work, and wait until its update stands in the slot. */
static void bring_one(struct hall *hall, size_t i)
{
    assert_int_equal(write(children[i].fd, "g", 1), 1);
    while (jr_slot_state(&hall->slots[i]) == JR_SLOT_EMPTY)
        usleep(1000);
}

static void continue_child(size_t i)
{
    assert_int_equal(kill(children[i].pid, SIGCONT), 0);
}

/* Like start_worker(), and it stops at a point of lib/base/testpoint.h, once. */
static void start_worker_stopping_at(struct hall *hall, size_t i, const char *name)
{
    char point[128];

    snprintf(point, sizeof point, "%s:%s/stop-%zu", name, hall->folder, i);
    setenv("JR_TEST_STOP_AT", point, 1);
    start_worker(hall, i);
    unsetenv("JR_TEST_STOP_AT");
}

/* Far more than the 100 ms after which each looks for himself, and a few commits. */
#define SOON_MS 8000

struct nominee_row {
    const char *name;
    bool killed; /* else stopped for a while */
};

static const struct nominee_row nominees[] = {
    { "it is stopped", false },
    { "it is dead", true },
};

/* Who is named as the next to lead, and cannot, holds the others up for a moment only. */
static void nominee_does_not_lead(void **state)
{
    const struct nominee_row *row = *state;
    struct hall *hall;
    struct jr_store *store;
    int64_t since_ms;

    open_hall(&hall, 4);
    start_worker_stopping_at(hall, 0, "in-batch");
    for (size_t i = 1; i < 4; i++)
        start_worker(hall, i);
    bring_one(hall, 0);
    assert_int_equal(wait_stopped(hall), 0);
    /* It has closed its batch: those who come now have to wait for the next. */
    for (size_t i = 1; i < 4; i++)
        bring_one(hall, i);
    stop_child(1);
    if (row->killed)
        kill_worker(1);
    since_ms = jr_monotonic_ms();
    continue_child(0);
    wait_outcome(0);
    wait_outcome(2);
    wait_outcome(3);
    assert_true(jr_monotonic_ms() - since_ms < SOON_MS);
    if (!row->killed) {
        continue_child(1);
        wait_outcome(1);
    }
    store = open_hall_store(hall);
    for (size_t i = 0; i < 4; i++) {
        if (i == 1 && row->killed)
            continue;
        assert_outcome(hall, i, 202);
        assert_recorded_once(hall, store, i);
        let_worker_go(i);
    }
    jr_store_close(store);
    close_hall(hall);
}

/* One that was named, died, and left an update that nobody else applies. */
static void nominee_long_dead(void **state)
{
    struct hall *hall;
    struct jr_store *store;
    struct jr_batch batch;
    int64_t since_ms = jr_monotonic_ms();

    (void)state;
    open_hall(&hall, 2);
    store = open_hall_store(hall);
    assert_true(take_place(&batch, hall, 0, store));
    make_update(&hall->slots[1].updates[0], "left", "q1", RUN_ID);
    hall->slots[1].count = 1;
    hall->slots[1].trying = true;
    hall->slots[1].word = JR_SLOT_WAITING;
    for (int i = 0; i < 3; i++) {
        snprintf(hall->ids[0], sizeof hall->ids[0], "id-%d", i);
        hall->runs[0] = RUN(i);
        submit(hall, &batch, store, 0);
        assert_outcome(hall, 0, 202);
    }
    assert_true(jr_monotonic_ms() - since_ms < SOON_MS);
    assert_false(run_in(store, RUN_ID).known);
    jr_store_close(store);
    close_hall(hall);
}

/* Those who look for themselves during a slow commit find what they wait for, and only that. */
static void slow_commit(void **state)
{
    struct hall *hall;
    struct jr_store *store;

    (void)state;
    open_hall(&hall, WORKERS);
    hall->each = 2;
    start_worker_stopping_at(hall, 0, "in-batch");
    for (size_t i = 1; i < WORKERS; i++)
        start_worker(hall, i);
    start_child(&holder, hold_lock, hall);
    for (size_t i = 0; i < WORKERS; i++) {
        snprintf(hall->tokens[i], sizeof hall->tokens[i], "c1=failure");
        bring_one(hall, i);
    }
    give_lock();
    /* Its own limit lets the first one go to the lock; who is before it there leads. */
    while (hall->slots[0].word != JR_SLOT_EMPTY && access(path_in(hall->folder, "stop-0"), F_OK) != 0)
        usleep(1000);
    if (access(path_in(hall->folder, "stop-0"), F_OK) == 0)
        wait_child_stopped(0);
    usleep(300000);
    continue_child(0);
    for (size_t i = 0; i < WORKERS; i++)
        wait_outcome(i);
    for (size_t i = 0; i < WORKERS; i++)
        let_worker_go(i);
    store = open_hall_store(hall);
    for (size_t i = 0; i < WORKERS; i++) {
        for (size_t u = 0; u < hall->each; u++) {
            assert_int_equal(hall->all[i][u].err, JR_OK);
            assert_int_equal(jr_reply_status(hall->all[i][u].receipt.answer.reply), 404);
            assert_false(hall->all[i][u].receipt.repeated);
        }
        assert_recorded_once(hall, store, i);
    }
    assert_int_equal(sum(hall->updates, WORKERS), 2 * WORKERS);
    jr_store_close(store);
    close_hall(hall);
}

struct failure_row {
    const char *name;
    bool late; /* the leader goes on only when the next batch, of the same number, is under way */
};

static const struct failure_row failures[] = {
    { "and the others know at once", false },
    { "and its leader stops before he knows", true },
};

/* The leader that stopped before he knew goes on while the next batch is under way. */
static void let_leader_be_late(struct hall *hall)
{
    assert_int_equal(wait_stopped(hall), 0);
    continue_child(1);
    /* One of them waits no longer, and has a batch of his own under way. */
    while (access(path_in(hall->folder, "stop-1"), F_OK) != 0)
        usleep(1000);
    wait_child_stopped(1);
    continue_child(0);
    usleep(50000);
    continue_child(1);
    for (size_t i = 2; i < 4; i++)
        continue_child(i);
}

/* The commit of a whole batch fails: the others are recorded by the next one, once. */
static void commit_fails(void **state)
{
    const struct failure_row *row = *state;
    struct hall *hall;
    struct jr_store *store;

    open_hall(&hall, 4);
    for (size_t i = 0; i < 4; i++)
        snprintf(hall->tokens[i], sizeof hall->tokens[i], "c1=failure");
    hall->failing = 0;
    start_worker_stopping_at(hall, 0, row->late ? "batch-over" : "none");
    for (size_t i = 1; i < 4; i++)
        start_worker_stopping_at(hall, i, row->late && i == 1 ? "in-batch" : "none");
    /* The first is at the lock, and the others' updates are there when it gets it. */
    start_child(&holder, hold_lock, hall);
    bring_one(hall, 0);
    while (hall->leading == 0)
        usleep(1000);
    for (size_t i = 1; i < 4; i++)
        bring_one(hall, i);
    /* Who has waited for long enough goes to the lock himself. */
    if (row->late)
        for (size_t i = 1; i < 4; i++)
            stop_child(i);
    give_lock();
    if (row->late)
        let_leader_be_late(hall);
    for (size_t i = 0; i < 4; i++)
        wait_outcome(i);
    store = open_hall_store(hall);
    /* Another one may have recorded what the first could not. */
    assert_int_equal(hall->commits[0], 0);
    for (size_t i = hall->outcomes[0].err == JR_OK ? 0 : 1; i < 4; i++) {
        assert_int_equal(hall->outcomes[i].err, JR_OK);
        assert_int_equal(jr_reply_status(hall->outcomes[i].receipt.answer.reply), 404);
        assert_false(hall->outcomes[i].receipt.repeated);
        assert_recorded_once(hall, store, i);
    }
    jr_store_close(store);
    for (size_t i = 0; i < 4; i++)
        let_worker_go(i);
    close_hall(hall);
}

/* Many updates of each, one after the other. */
#define EACH 60

struct crowd_row {
    const char *name;
    size_t bad;  /* the first of them send updates that fail */
    bool killed; /* the last of them is killed in the middle, and replaced */
};

static const struct crowd_row crowds[] = {
    { "all good", 0, false },
    { "one sends bad ones", 1, false },
    { "two send bad ones", 2, false },
    { "one is killed", 0, true },
    { "one sends bad ones, one is killed", 1, true },
};

struct crowd_place {
    struct hall *hall;
    size_t number;
    bool bad;
    _Atomic unsigned *done, *wrong;
};

#define CROWD_RUN(i, m) (RUN_ID + 1000 * ((uint64_t)(i) + 1) + (uint64_t)(m))
#define BAD_RUN         (RUN_ID + 999999)

/* Is what came of one of its updates what had to come? */
static bool is_outcome_right(const struct crowd_place *place, unsigned m)
{
    const struct outcome *outcome = &place->hall->outcomes[place->number];
    const struct jr_receipt *receipt = &outcome->receipt;

    if (place->bad)
        return outcome->err == JR_EFORMAT;
    if (outcome->err != JR_OK)
        return false;
    /* Who took another's place may find that its first one was recorded. */
    if (receipt->repeated && *place->done != 0 && m == *place->done)
        return true;
    /* Only the first time is it 404. */
    return receipt->answer.run_id == place->hall->runs[place->number]
           && jr_reply_status(receipt->answer.reply) == (m % 2 == 0 ? 404 : 201) && !receipt->repeated
           && receipt->due_moved;
}

static void tell_wrong(const struct crowd_place *place, unsigned m)
{
    const struct outcome *outcome = &place->hall->outcomes[place->number];

    fprintf(stderr, "# worker %zu, update %u: err %d '%s', status %d, run %llu%s%s\n",
            place->number, m, outcome->err, outcome->text, jr_reply_status(outcome->receipt.answer.reply),
            (unsigned long long)outcome->receipt.answer.run_id,
            outcome->receipt.repeated ? ", repeated" : "",
            outcome->receipt.due_moved ? "" : ", due not moved");
}

static void work_in_crowd(int fd, const void *argument)
{
    const struct crowd_place *place = argument;
    struct hall *hall = place->hall;
    size_t i = place->number;
    struct jr_store *store;
    struct jr_batch batch;

    close_others(i);
    store = open_hall_store(hall);
    if (!take_place(&batch, hall, i, store))
        _exit(4);
    child_says_ready(fd);
    child_waits(fd);
    for (unsigned m = *place->done; m < EACH; m++) {
        hall->runs[i] = place->bad ? BAD_RUN : CROWD_RUN(i, m);
        snprintf(hall->ids[i], sizeof hall->ids[i], "%zu-%u", i, m);
        snprintf(hall->tokens[i], sizeof hall->tokens[i], m % 2 == 0 ? "c1=failure" : "Rc=failure");
        submit(hall, &batch, store, i);
        if (!is_outcome_right(place, m) && (*place->wrong)++ == 0)
            tell_wrong(place, m);
        *place->done = m + 1;
    }
    if (write(fd, "d", 1) != 1)
        _exit(5);
    jr_store_close(store);
}

static void a_crowd(void **state)
{
    const struct crowd_row *row = *state;
    struct hall *hall;
    struct jr_store *store;
    _Atomic unsigned *numbers = mmap(NULL, 2 * WORKERS * sizeof *numbers, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct crowd_place places[WORKERS];
    size_t last = WORKERS - 1;

    assert_true(numbers != MAP_FAILED);
    open_hall(&hall, WORKERS);
    store = open_hall_store(hall);
    damage_part(store, BAD_RUN, JR_PART_RUN, 0);
    jr_store_close(store);
    for (size_t i = 0; i < WORKERS; i++) {
        places[i] = (struct crowd_place){ hall, i, i < row->bad, &numbers[i], &numbers[WORKERS + i] };
        start_child(&children[i], work_in_crowd, &places[i]);
    }
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(write(children[i].fd, "g", 1), 1);
    for (unsigned at = 5; row->killed && at < EACH; at += 10) {
        while (numbers[last] < at)
            usleep(100);
        kill_worker(last);
        start_child(&children[last], work_in_crowd, &places[last]);
        assert_int_equal(write(children[last].fd, "g", 1), 1);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        wait_outcome(i);
        let_worker_go(i);
    }
    store = open_hall_store(hall);
    for (size_t i = 0; i < WORKERS; i++) {
        assert_int_equal(numbers[WORKERS + i], 0);
        for (unsigned m = 0; i >= row->bad && m < EACH; m++)
            assert_int_equal(events_of(store, CROWD_RUN(i, m)), 1);
    }
    assert_int_equal(count_parts(store, JR_PART_RUN), (WORKERS - row->bad) * EACH + 1);
    assert_int_equal(count(store, JR_TABLE_DELIVERIES), (WORKERS - row->bad) * EACH);
    jr_store_close(store);
    munmap(numbers, 2 * WORKERS * sizeof *numbers);
    close_hall(hall);
}

/* What a worker that was taken over may put into a slot in which an update waits. */
struct spoil_row {
    const char *name;
    void (*spoil)(struct jr_slot *slot);
};

static void many(struct jr_slot *slot)
{
    slot->count = JR_SLOT_UPDATES + 1;
}

static void very_many(struct jr_slot *slot)
{
    slot->count = UINT32_MAX;
}

static void none_at_all(struct jr_slot *slot)
{
    slot->count = 0;
}

static void endless_text(struct jr_slot *slot)
{
    memset(slot->updates[0].event.job_name, 'x', sizeof slot->updates[0].event.job_name);
}

static void endless_delivery(struct jr_slot *slot)
{
    memset(slot->updates[0].delivery.text, 'x', sizeof slot->updates[0].delivery.text);
}

static void long_key(struct jr_slot *slot)
{
    slot->updates[0].delivery.key_length = SIZE_MAX;
}

static void far_day(struct jr_slot *slot)
{
    slot->updates[0].delivery.day = INT64_MAX;
}

static void no_status(struct jr_slot *slot)
{
    slot->updates[0].event.status = (enum jr_status)77;
}

static void no_conclusion(struct jr_slot *slot)
{
    slot->updates[0].event.conclusion = (enum jr_conclusion)-1;
}

static void no_kind(struct jr_slot *slot)
{
    slot->updates[0].event.kind = (enum jr_event_kind)2;
}

static void no_time(struct jr_slot *slot)
{
    slot->updates[0].now_ms = INT64_MIN;
}

static void far_time(struct jr_slot *slot)
{
    slot->updates[0].event.completed_ms = INT64_MAX;
}

static void no_repository(struct jr_slot *slot)
{
    snprintf(slot->updates[0].event.repo, sizeof slot->updates[0].event.repo, "../../user/keys");
}

static void the_second_one(struct jr_slot *slot)
{
    slot->count = 2;
}

static const struct spoil_row spoils[] = {
    { "one update too many", many },
    { "many updates", very_many },
    { "no update", none_at_all },
    { "a text without an end", endless_text },
    { "a delivery without an end", endless_delivery },
    { "a long key", long_key },
    { "a day far away", far_day },
    { "a status that is none", no_status },
    { "a conclusion that is none", no_conclusion },
    { "a kind that is none", no_kind },
    { "a time that is none", no_time },
    { "a time far away", far_time },
    { "a repository that is none", no_repository },
    { "nothing in the second", the_second_one },
};

/* Who leads leaves it to its owner, and records what is good. */
static void spoilt_slot(void **state)
{
    const struct spoil_row *row = *state;
    struct hall *hall;
    struct jr_store *store;
    struct jr_batch batch;

    open_hall(&hall, 2);
    store = open_hall_store(hall);
    assert_true(take_place(&batch, hall, 0, store));
    make_update(&hall->slots[1].updates[0], "left", "q1", RUN_ID);
    hall->slots[1].count = 1;
    hall->slots[1].word = JR_SLOT_WAITING;
    row->spoil(&hall->slots[1]);
    submit(hall, &batch, store, 0);
    assert_outcome(hall, 0, 202);
    assert_recorded_once(hall, store, 0);
    assert_int_not_equal(hall->slots[1].alone, 0);
    assert_int_equal(jr_slot_state(&hall->slots[1]), JR_SLOT_WAITING);
    /* Its owner has his own copy. */
    assert_true(take_place(&batch, hall, 1, store));
    submit(hall, &batch, store, 1);
    assert_outcome(hall, 1, 202);
    jr_store_close(store);
    close_hall(hall);
}

/* Says that the first one's update is on disk, with an answer that is none. */
static void forge(int fd, const void *argument)
{
    struct hall *hall = (struct hall *)(uintptr_t)argument;

    child_says_ready(fd);
    while (jr_slot_state(&hall->slots[0]) != JR_SLOT_WAITING)
        usleep(100);
    memset(&hall->slots[0].receipts[0], 0x77, sizeof hall->slots[0].receipts[0]);
    hall->slots[0].word = JR_SLOT_DURABLE;
    child_waits(fd);
}

static void forged_receipt(void **state)
{
    struct hall *hall;
    struct jr_store *store;
    struct jr_batch batch;
    struct child forger;

    (void)state;
    open_hall(&hall, 1);
    store = open_hall_store(hall);
    assert_true(take_place(&batch, hall, 0, store));
    hall->leading = 1;
    start_child(&forger, forge, hall);
    submit(hall, &batch, store, 0);
    assert_int_equal(hall->outcomes[0].err, JR_EIO);
    assert_contains(hall->outcomes[0].text, "another worker");
    let_child_go(&forger);
    submit(hall, &batch, store, 0);
    assert_outcome(hall, 0, 202);
    jr_store_close(store);
    close_hall(hall);
}

/* Writes anything anywhere, a word at a time, until it is killed. */
static void scribble(int fd, const void *argument)
{
    struct hall *hall = (struct hall *)(uintptr_t)argument;
    uint32_t *words = (uint32_t *)(void *)hall->slots;
    size_t count = sizeof hall->slots / (sizeof *words);

    child_says_ready(fd);
    srand(7);
    for (;;) {
        size_t at = (size_t)rand() % count;

        /* The few words that matter as often as all the others. */
        if (rand() % 2 == 0)
            at = (size_t)rand() % WORKERS * (sizeof(struct jr_slot) / sizeof *words)
                 + (size_t)rand() % 8;
        words[at] = rand() % 2 == 0 ? (uint32_t)rand() : (uint32_t)rand() % 16;
        if (rand() % 64 == 0)
            hall->leading = (uint32_t)rand() % 2;
    }
}

/* Each is answered, with its receipt or an error; afterwards all is well again. */
static void scribbled(void **state)
{
    struct hall *hall;
    struct jr_store *store;
    struct child scribbler;
    struct jr_batch batch;

    (void)state;
    open_hall(&hall, 2);
    start_worker(hall, 1);
    store = open_hall_store(hall);
    assert_true(take_place(&batch, hall, 0, store));
    start_child(&scribbler, scribble, hall);
    for (int i = 0; i < 60; i++) {
        for (size_t w = 0; w < 2; w++) {
            snprintf(hall->ids[w], sizeof hall->ids[w], "id-%zu-%d", w, i);
            hall->runs[w] = RUN(2 * i + (int)w);
        }
        assert_int_equal(write(children[1].fd, "g", 1), 1);
        submit(hall, &batch, store, 0);
        wait_outcome(1);
        for (size_t w = 0; w < 2; w++)
            assert_true(hall->outcomes[w].err == JR_EIO || hall->outcomes[w].receipt.answer.reply != JR_REPLY_NONE);
    }
    kill_child(&scribbler);
    for (size_t w = 0; w < 2; w++) {
        snprintf(hall->ids[w], sizeof hall->ids[w], "last-%zu", w);
        hall->runs[w] = RUN(1000 + w);
    }
    assert_int_equal(write(children[1].fd, "g", 1), 1);
    wait_outcome(1);
    let_worker_go(1);
    submit(hall, &batch, store, 0);
    for (size_t w = 0; w < 2; w++)
        assert_outcome(hall, w, 202);
    jr_store_close(store);
    close_hall(hall);
}

int main(void)
{
    TEST(one_alone);
    TABLE(groups, those_who_wait_share_a_commit);
    TEST(one_delivery_in_two_slots);
    TABLE(deaths, leader_is_killed);
    TEST(what_a_leader_died_at);
    TEST(a_slot_is_cleared);
    TABLE(bads, bad_updates_fail_alone);
    TABLE(groups, full_map);
    TEST(one_bad_among_several);
    TABLE(nominees, nominee_does_not_lead);
    TEST(nominee_long_dead);
    TEST(slow_commit);
    TABLE(failures, commit_fails);
    TABLE(crowds, a_crowd);
    TABLE(spoils, spoilt_slot);
    TEST(forged_receipt);
    TEST(scribbled);
    return run_program("batch");
}
