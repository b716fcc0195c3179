/*
 * history -- the story of each run, as facts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

#define UUID "b8e5d2a0-c3d4-11f0-8e3c-0a1b2c3d4e5f"

static void add(struct jr_store *store, uint64_t run_id, const struct jr_history *entry)
{
    struct jr_txn txn;
    struct jr_run run;

    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, run_id, &run);
    jr_history_add(&txn, &run, entry, NULL, NULL);
    jr_ledger_save_run(&txn, &run);
    commit(&txn);
}

#define FILL(text, c) memset(text, c, sizeof(text) - 1)

/* Everything that an event can tell, as long as it can be. */
static struct jr_event longest_event(void)
{
    struct jr_event event = {
        .kind = JR_EVENT_JOB,
        .status = JR_STATUS_COMPLETED,
        .conclusion = JR_CONCLUSION_OTHER,
        .attempt = UINT32_MAX,
        .repo_id = UINT64_MAX,
        .job_id = UINT64_MAX,
        .created_ms = 1,
        .started_ms = -5,
        .completed_ms = INT64_C(1) << 50,
        .updated_ms = START_MS + 1,
        .workflow_id = UINT64_MAX,
        .run_number = UINT64_MAX,
    };

    FILL(event.action, 'a');
    FILL(event.repo, 'b');
    FILL(event.branch, 'c');
    FILL(event.workflow, 'd');
    FILL(event.sender, 'e');
    FILL(event.job_name, 'f');
    FILL(event.runner, 'g');
    FILL(event.labels, 'h');
    FILL(event.actor, 'i');
    FILL(event.triggering_actor, 'j');
    FILL(event.trigger, 'k');
    FILL(event.head_repo, 'l');
    FILL(event.workflow_path, 'm');
    FILL(event.head_sha, 'n');
    return event;
}

/* event_of(), with nothing left behind the end of a text. */
static struct jr_event tidy_event_of(const char *token)
{
    struct jr_event event = event_of(token);
    char *const texts[] = { event.action, event.repo, event.branch, event.workflow, event.sender, event.job_name,
                            event.runner, event.labels, event.actor, event.triggering_actor, event.trigger,
                            event.head_repo, event.workflow_path, event.head_sha };
    const size_t sizes[] = { sizeof event.action, sizeof event.repo, sizeof event.branch, sizeof event.workflow,
                             sizeof event.sender, sizeof event.job_name, sizeof event.runner, sizeof event.labels,
                             sizeof event.actor, sizeof event.triggering_actor, sizeof event.trigger,
                             sizeof event.head_repo, sizeof event.workflow_path, sizeof event.head_sha };

    for (size_t i = 0; i < COUNT(texts); i++)
        memset(texts[i] + strlen(texts[i]), 0, sizes[i] - strlen(texts[i]));
    event.run_id = 0;
    return event;
}

static void make_event(struct jr_history *entry)
{
    entry->input = JR_INPUT_EVENT;
    entry->found.anew = true;
    entry->reply = JR_REPLY_UNKNOWN_RUN;
    entry->event = longest_event();
    FILL(entry->delivery, 'd');
}

static void make_run_event(struct jr_history *entry)
{
    entry->input = JR_INPUT_EVENT;
    entry->event = tidy_event_of("Rc@3=failure,sha:abc,number:7,head:fork/app,actor:dev");
    entry->reply = JR_REPLY_SCHEDULED;
    snprintf(entry->delivery, sizeof entry->delivery, "%s", UUID);
}

static void make_call(struct jr_history *entry)
{
    entry->input = JR_INPUT_POSTED;
    entry->found = (struct jr_found){ .due_ms = START_MS - 7, .tries = UINT32_MAX, .moved = true };
    entry->call = (struct jr_told_call){ .status = 999, .duration_ms = UINT32_MAX, .outcome = JR_OUTCOME_UNKNOWN, .try_all = true };
    FILL(entry->call.what, 'w');
    FILL(entry->call.text, 't');
}

static void make_seen(struct jr_history *entry)
{
    entry->input = JR_INPUT_SEEN;
    entry->found = (struct jr_found){ .due_ms = START_MS + 1, .newer = { JR_NEWER_UNFINISHED, UINT64_MAX },
                                      .guards = { true, { JR_GUARD_NOT_TOLD, JR_GUARD_HOLDS, JR_GUARD_FREE, JR_GUARD_NOT_ASKED,
                                                          JR_GUARD_FREE, JR_GUARD_NOT_TOLD } },
                                      .hold = { JR_REASON_OUTAGE_HOLD, INT64_C(1) << 50 } };
    entry->event = longest_event();
    entry->event.kind = JR_EVENT_RUN;
    entry->event.job_id = 0;
    memset(entry->event.job_name, 0, sizeof entry->event.job_name);
}

static void make_request(struct jr_history *entry)
{
    entry->input = JR_INPUT_HAND;
    entry->found.asked = entry->found.all = true;
    FILL(entry->repo, 'r');
    FILL(entry->who, 'w');
}

static void make_pause(struct jr_history *entry)
{
    entry->reason = JR_REASON_PAUSED;
    FILL(entry->who, 'w');
    FILL(entry->pause.pattern, 'p');
    FILL(entry->pause.who, 'q');
    FILL(entry->pause.why, 'y');
    entry->pause.since_ms = START_MS - JR_DAY_MS;
    entry->pause.until_ms = START_MS - 1;
}

static void make_decision(struct jr_history *entry)
{
    entry->reason = JR_REASON_SUPERSEDED;
    entry->decided = (struct jr_decided){ JR_STEP_ASK, JR_PHASE_CLOSED, UINT32_MAX, 2, 3, true, JR_CONCLUSION_OTHER,
                                          START_MS + JR_DAY_MS, UINT64_MAX };
}

static void make_listed(struct jr_history *entry)
{
    entry->input = JR_INPUT_LISTED;
    entry->event = tidy_event_of("Gc=failure");
}

static void make_outcome(struct jr_history *entry)
{
    entry->next = UINT32_MAX;
}

struct entry_row {
    const char *name;
    enum jr_history_kind kind;
    void (*make)(struct jr_history *entry);
};

/* Each kind of entry comes back as it was, to the last byte. */
static void entry_comes_back(void **state)
{
    const struct entry_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_history entry, read;
    struct jr_txn txn;
    uint32_t number = 0;

    memset(&entry, 0, sizeof entry);
    entry.at_ms = START_MS;
    entry.kind = row->kind;
    entry.attempt = 3;
    entry.reason = JR_REASON_OUT_OF_MEMORY;
    row->make(&entry);
    add(store, RUN_ID, &entry);
    jr_txn_begin(&txn, store, false);
    assert_true(jr_history_next(&txn, RUN_ID, &number, &read));
    jr_history_recall(&read, NULL, NULL);
    assert_memory_equal(&read, &entry, sizeof entry);
    assert_false(jr_history_next(&txn, RUN_ID, &number, &read));
    commit(&txn);
    jr_store_close(store);
}

static const struct entry_row rows[] = {
    { "an event as long as it can be", JR_HISTORY_EVENT, make_event },
    { "an event of a run", JR_HISTORY_EVENT, make_run_event },
    { "a call", JR_HISTORY_CALL, make_call },
    { "a call that shows the run", JR_HISTORY_CALL, make_seen },
    { "a request", JR_HISTORY_REQUEST, make_request },
    { "somebody ends a pause", JR_HISTORY_REQUEST, make_pause },
    { "a pause ends", JR_HISTORY_DECISION, make_pause },
    { "a decision", JR_HISTORY_DECISION, make_decision },
    { "a decision about a run of a list", JR_HISTORY_DECISION, make_listed },
    { "an outcome", JR_HISTORY_OUTCOME, make_outcome },
};

struct delivery_row {
    const char *name, *text;
    size_t bytes; /* that its record is longer than that of an empty one */
};

static size_t length_of(const struct jr_history *entry)
{
    unsigned char record[JR_VALUE_MAX];
    struct jr_history read;
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_history_encode(entry, NULL, NULL, &writer);
    assert_true(writer.ok && jr_history_decode(&read, record, writer.length));
    assert_memory_equal(&read, entry, sizeof read);
    return writer.length;
}

/* GitHub's ids take 16 bytes; what only looks like one comes back as it was, too. */
static void delivery_comes_back(void **state)
{
    const struct delivery_row *row = *state;
    struct jr_history entry;
    size_t empty;

    memset(&entry, 0, sizeof entry);
    entry.at_ms = START_MS;
    entry.kind = JR_HISTORY_EVENT;
    empty = length_of(&entry);
    snprintf(entry.delivery, sizeof entry.delivery, "%s", row->text);
    assert_int_equal(length_of(&entry) - empty, row->bytes);
}

static const struct delivery_row deliveries[] = {
    { "an id of GitHub's", UUID, 15 },
    { "in capitals", "B8E5D2A0-C3D4-11F0-8E3C-0A1B2C3D4E5F", 36 },
    { "too long", UUID "0", 37 },
    { "too short", "b8e5d2a0-c3d4-11f0-8e3c-0a1b2c3d4e5", 35 },
    { "without a dash", "b8e5d2a0-c3d4-11f0-8e3c00a1b2c3d4e5f", 36 },
    { "a dash too many", "b8e5d2a0-c3d4-11f0-8e3c-0a1b2c3d4e-f", 36 },
    { "no digit", "b8e5d2a0-c3d4-11f0-8e3c-0a1b2c3d4e5g", 36 },
    { "another", "d1", 2 },
    { "none", "", 0 },
};

/* What the run or the job told before is not stored again, and is found again by them. */
static void known_facts_are_left_out(void **state)
{
    struct jr_event event = tidy_event_of("c1=failure");
    struct jr_run run = { .repo_id = event.repo_id };
    struct jr_job job = { .known = true };
    unsigned char record[JR_VALUE_MAX];
    struct jr_history entry, read;
    struct jr_writer writer;
    size_t whole;

    (void)state;
    memset(&entry, 0, sizeof entry);
    entry.at_ms = START_MS + 90 * JR_SECOND_MS;
    entry.kind = JR_HISTORY_EVENT;
    entry.input = JR_INPUT_EVENT;
    entry.reason = JR_REASON_WAITING_FOR_JOBS;
    entry.attempt = 1;
    entry.reply = JR_REPLY_RECORDED;
    snprintf(entry.delivery, sizeof entry.delivery, "%s", UUID);
    snprintf(event.runner, sizeof event.runner, "runner-1");
    snprintf(event.labels, sizeof event.labels, "linux,x64");
    entry.event = event;
    whole = length_of(&entry);

    memcpy(run.repo, event.repo, sizeof run.repo);
    memcpy(run.branch, event.branch, sizeof run.branch);
    snprintf(run.workflow, sizeof run.workflow, "another");
    memcpy(job.runner, event.runner, sizeof job.runner);
    memcpy(job.labels, event.labels, sizeof job.labels);
    jr_writer_init(&writer, record, sizeof record);
    jr_history_encode(&entry, &run, &job, &writer);
    assert_true(writer.ok);
    assert_true(writer.length + 30 < whole);
    assert_in_range(writer.length, 50, 75); /* the most frequent record of all */
    assert_true(jr_history_decode(&read, record, writer.length));
    assert_string_equal(read.event.repo, "");
    assert_string_equal(read.event.runner, "");
    assert_string_equal(read.event.workflow, event.workflow);
    assert_string_equal(read.event.job_name, event.job_name);
    jr_history_recall(&read, &run, &job);
    assert_memory_equal(&read, &entry, sizeof read);
}

static void entries_are_in_order(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_history entry = { .kind = JR_HISTORY_EVENT }, read;
    struct jr_txn txn;
    uint32_t number = 0, found = 0;

    (void)state;
    add(store, RUN_ID - 1, &entry);
    add(store, RUN_ID + 1, &entry);
    for (uint32_t i = 0; i < 300; i++) {
        entry.attempt = i;
        add(store, RUN_ID, &entry);
    }
    jr_txn_begin(&txn, store, false);
    while (jr_history_next(&txn, RUN_ID, &number, &read)) {
        assert_int_equal(read.attempt, found++);
        assert_int_equal(number, found);
    }
    assert_int_equal(found, 300);
    number = 0;
    assert_false(jr_history_next(&txn, RUN_ID + 2, &number, &read));
    commit(&txn);
    jr_store_close(store);
}

/* Events end at a number; what was decided and done is always kept. */
static void only_so_many_events(void **state)
{
    static const enum jr_history_kind kinds[] = { JR_HISTORY_EVENT, JR_HISTORY_DECISION, JR_HISTORY_EVENT,
                                                  JR_HISTORY_CALL, JR_HISTORY_OUTCOME, JR_HISTORY_EVENT };
    static const enum jr_history_kind want[] = { JR_HISTORY_EVENT, JR_HISTORY_DECISION, JR_HISTORY_CALL,
                                                 JR_HISTORY_OUTCOME };
    struct jr_store *store = open_store(new_folder());
    struct jr_txn txn;
    struct jr_run run;
    struct jr_history read;
    uint32_t number = 0;
    size_t found = 0;

    (void)state;
    jr_txn_begin(&txn, store, true);
    jr_ledger_load_run(&txn, RUN_ID, &run);
    run.history_count = JR_HISTORY_EVENTS_MAX - 1;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct jr_history entry = { .kind = kinds[i] };

        jr_history_add(&txn, &run, &entry, NULL, NULL);
    }
    while (jr_history_next(&txn, RUN_ID, &number, &read)) {
        assert_true(found < COUNT(want));
        assert_int_equal(read.kind, want[found++]);
    }
    assert_int_equal(found, COUNT(want));
    commit(&txn);
    jr_store_close(store);
}

/* No byte of a record may be missing, and none may be behind it. */
static void damaged_entry(void **state)
{
    const struct entry_row *row = *state;
    struct jr_store *store = open_store(new_folder());
    struct jr_history entry, read;
    unsigned char record[JR_VALUE_MAX];
    struct jr_entry stored;
    struct jr_txn txn;
    uint32_t number = 0;

    memset(&entry, 0, sizeof entry);
    entry.kind = row->kind;
    entry.at_ms = START_MS;
    row->make(&entry);
    add(store, RUN_ID, &entry);
    jr_txn_begin(&txn, store, true);
    assert_true(jr_txn_seek(&txn, JR_TABLE_RUNS, NULL, 0, false, &stored));
    jr_txn_put(&txn, JR_TABLE_RUNS, stored.key, stored.key_length, stored.value, stored.value_length - 1);
    commit(&txn);
    jr_txn_begin(&txn, store, false);
    assert_false(jr_history_next(&txn, RUN_ID, &number, &read));
    assert_int_equal(jr_txn_commit(&txn), JR_EFORMAT);
    assert_contains(txn.error.text, "12345678901");
    jr_store_close(store);
    memcpy(record, stored.value, stored.value_length);
    record[stored.value_length] = 0;
    for (size_t length = 0; length <= stored.value_length + 1; length++)
        assert_int_equal(jr_history_decode(&read, record, length), length == stored.value_length);
}

int main(void)
{
    TABLE(rows, entry_comes_back);
    TABLE(deliveries, delivery_comes_back);
    TEST(known_facts_are_left_out);
    TEST(entries_are_in_order);
    TEST(only_so_many_events);
    TABLE(rows, damaged_entry);
    return run_program("history");
}
