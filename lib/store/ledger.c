/*
 * ledger -- runs and jobs in the store, and the indexes that follow from them.
 *
 * Numbers in keys are big-endian, so that the order of keys is their order.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/ledger.h"
#include "lib/rules/watch.h"
#include "lib/store/failure_index.h"
#include "lib/store/key.h"
#include "lib/model/report.h"
#include "lib/model/standing.h"
#include "lib/store/outbox.h"
#include "lib/store/runindex.h"
#include "lib/store/threads.h"

#include <ctype.h>
#include <string.h>

/* How many newer runs are looked at. */
#define NEWER_MAX 100

/* In JR_TABLE_META: all runs are in the lists; and which these are, in a byte. */
static const char listed_key[] = "listed";
static const unsigned char lists = 2;

/* So many of the runs with the newest events are looked at. */
#define NEWEST 500

size_t jr_ledger_key(unsigned char key[JR_KEY_MAX], uint64_t run_id, enum jr_part part,
                     uint64_t number)
{
    struct jr_writer writer;

    jr_writer_init(&writer, key, JR_KEY_MAX);
    jr_write_u64(&writer, run_id);
    jr_write_u8(&writer, (uint8_t)part);
    jr_write_u64(&writer, number);
    return writer.length;
}

bool jr_ledger_seek(struct jr_txn *txn, uint64_t run_id, enum jr_part part, uint64_t *number,
                    struct jr_entry *entry)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = jr_ledger_key(key, run_id, part, *number);
    struct jr_reader reader;

    if (!jr_txn_seek(txn, JR_TABLE_RUNS, key, length, false, entry))
        return false;
    jr_reader_init(&reader, entry->key, entry->key_length);
    if (jr_read_u64(&reader) != run_id || jr_read_u8(&reader) != part)
        return false;
    *number = jr_read_u64(&reader);
    return reader.ok;
}

/* Each has one entry there. */
uint64_t jr_ledger_count(struct jr_txn *txn)
{
    return jr_txn_count(txn, JR_TABLE_AGES);
}

/* Indexes by time are coarse, so that a run's events seldom move them. */
static uint64_t hour_of(int64_t time_ms)
{
    return (uint64_t)(time_ms / JR_HOUR_MS);
}

/* The outbox entry that follows from a run. */
static struct jr_due due_of(const struct jr_run *run, int64_t due_ms)
{
    return (struct jr_due){
        .kind = JR_DUE_ASK,
        .due_ms = due_ms,
        .run_id = run->run_id,
        .attempt = run->attempt,
        .tries = run->tries,
        .waiting_ms = run->waiting_ms,
    };
}

/* Since when a run waits; one whose entry does not tell, since it is due. */
static int64_t load_waiting(struct jr_txn *txn, const struct jr_run *run)
{
    struct jr_due entry = due_of(run, run->due_ms);

    (void)jr_outbox_load(txn, &entry);
    return entry.waiting_ms;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/*
 * The line that a run is in; 0: in none. FNV-1a, a hash of no secrecy
 * (http://www.isthe.com/chongo/tech/comp/fnv/): lines that share one are told apart by
 * jr_run_supersedes().
 */
static uint64_t line_of(const struct jr_run *run)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    if (!jr_run_is_in_line(run))
        return 0;
    hash = mix(hash, &run->repo_id, sizeof run->repo_id);
    hash = mix(hash, &run->workflow_id, sizeof run->workflow_id);
    hash = mix(hash, run->branch, strlen(run->branch) + 1);
    hash = mix(hash, run->trigger, strlen(run->trigger) + 1);
    for (const char *c = run->head_repo; *c != '\0'; c++) {
        char small = (char)tolower((unsigned char)*c);

        hash = mix(hash, &small, 1);
    }
    return hash != 0 ? hash : 1;
}

bool jr_ledger_read_run(struct jr_txn *txn, uint64_t run_id, struct jr_run *run)
{
    unsigned char key[JR_KEY_MAX], record[JR_RECORD_SIZE];
    size_t key_length = jr_ledger_key(key, run_id, JR_PART_RUN, 0), length;
    bool whole = true;

    memset(run, 0, sizeof *run);
    if (jr_txn_get(txn, JR_TABLE_RUNS, key, key_length, record, sizeof record, &length)) {
        whole = jr_run_decode(run, record, length);
        if (!whole)
            memset(run, 0, sizeof *run);
        run->known = true;
    }
    run->run_id = run_id;
    if (run->due_ms != 0)
        run->waiting_ms = load_waiting(txn, run);
    run->stored_due_ms = run->due_ms;
    run->stored_waiting_ms = run->waiting_ms;
    run->stored_quiet_due_ms = run->quiet_due_ms;
    run->stored_last_event_ms = run->last_event_ms;
    run->stored_told_ms = run->told_ms;
    run->stored_line = line_of(run);
    run->stored_run_number = run->run_number;
    run->stored_scope = run->listed ? jr_runindex_scope(run->repo) : 0;
    run->stored_list = run->list;
    return whole;
}

void jr_ledger_load_run(struct jr_txn *txn, uint64_t run_id, struct jr_run *run)
{
    if (!jr_ledger_read_run(txn, run_id, run))
        jr_txn_fail(txn, JR_EFORMAT, "the record of run %llu is damaged",
                    (unsigned long long)run_id);
}

static void save_due(struct jr_txn *txn, struct jr_run *run)
{
    struct jr_due stored = due_of(run, run->stored_due_ms), entry = due_of(run, run->due_ms);

    if (run->due_ms == run->stored_due_ms && run->waiting_ms == run->stored_waiting_ms)
        return;
    if (run->stored_due_ms != 0)
        jr_outbox_remove(txn, &stored);
    if (run->due_ms != 0)
        jr_outbox_put(txn, &entry);
    run->stored_due_ms = run->due_ms;
    run->stored_waiting_ms = run->waiting_ms;
}

static void save_quiet(struct jr_txn *txn, struct jr_run *run)
{
    struct jr_key key;

    if (run->quiet_due_ms == run->stored_quiet_due_ms)
        return;
    if (run->stored_quiet_due_ms != 0)
        jr_ledger_drop_quiet(txn, run->stored_quiet_due_ms, run->run_id);
    if (run->quiet_due_ms != 0) {
        key = jr_key_of_two((uint64_t)run->quiet_due_ms, run->run_id);
        jr_txn_put(txn, JR_TABLE_QUIET, key.bytes, key.length, "", 0);
    }
    run->stored_quiet_due_ms = run->quiet_due_ms;
}

/* Move a run in an index by hours. */
static void move_hour(struct jr_txn *txn, enum jr_table table, uint64_t run_id,
                      int64_t *stored_ms, int64_t time_ms)
{
    struct jr_key key;

    if (hour_of(*stored_ms) == hour_of(time_ms))
        return;
    if (*stored_ms != 0) {
        key = jr_key_of_two(hour_of(*stored_ms), run_id);
        jr_txn_delete(txn, table, key.bytes, key.length);
    }
    key = jr_key_of_two(hour_of(time_ms), run_id);
    jr_txn_put(txn, table, key.bytes, key.length, "", 0);
    *stored_ms = time_ms;
}

static void drop_line(struct jr_txn *txn, const struct jr_run *run)
{
    struct jr_key key = jr_key_of_three(run->stored_line, run->stored_run_number, run->run_id);

    if (run->stored_line != 0)
        jr_txn_delete(txn, JR_TABLE_LINES, key.bytes, key.length);
}

static void save_line(struct jr_txn *txn, struct jr_run *run)
{
    uint64_t line = line_of(run);
    struct jr_key key;

    if (line == run->stored_line && run->run_number == run->stored_run_number)
        return;
    drop_line(txn, run);
    if (line != 0) {
        key = jr_key_of_three(line, run->run_number, run->run_id);
        jr_txn_put(txn, JR_TABLE_LINES, key.bytes, key.length, "", 0);
    }
    run->stored_line = line;
    run->stored_run_number = run->run_number;
}

/* In which list is it to be, by where it stands? */
static enum jr_run_list list_of(const struct jr_run *run)
{
    switch (jr_standing_need(run)) {
    case JR_NEED_NOTHING:
        return JR_RUN_LIST_NONE;
    case JR_NEED_WAITS:
        return JR_RUN_LIST_WAITING;
    default:
        return JR_RUN_LIST_NEEDY;
    }
}

/* Put a run into a list, or take it out: of all, and of its repository's. */
static void change_list(struct jr_txn *txn, uint64_t run_id, enum jr_run_list list,
                        uint64_t scope, bool in)
{
    void (*change)(struct jr_txn *, enum jr_runindex, uint64_t, uint64_t) = in
                                                                          ? jr_runindex_put
                                                                          : jr_runindex_drop;
    enum jr_runindex index = list == JR_RUN_LIST_NEEDY ? JR_RUNINDEX_NEEDY : JR_RUNINDEX_WAITING;

    if (list == JR_RUN_LIST_NONE)
        return;
    change(txn, index, JR_RUNINDEX_ALL, run_id);
    change(txn, index, scope, run_id);
}

static void drop_list(struct jr_txn *txn, const struct jr_run *run)
{
    change_list(txn, run->run_id, run->stored_list, run->stored_scope, false);
}

static void drop_listed(struct jr_txn *txn, const struct jr_run *run)
{
    if (run->stored_scope != 0)
        jr_runindex_drop(txn, JR_RUNINDEX_REPO, run->stored_scope, run->run_id);
}

static void save_lists(struct jr_txn *txn, struct jr_run *run)
{
    uint64_t scope = jr_runindex_scope(run->repo);

    if (scope == run->stored_scope && run->list == run->stored_list)
        return;
    /* An older version, come back, does not take out what a newer one had put in. */
    if (run->stored_scope == 0 && run->stored_last_event_ms != 0) {
        change_list(txn, run->run_id, JR_RUN_LIST_NEEDY, scope, false);
        change_list(txn, run->run_id, JR_RUN_LIST_WAITING, scope, false);
    }
    drop_list(txn, run);
    if (scope != run->stored_scope) {
        drop_listed(txn, run);
        jr_runindex_put(txn, JR_RUNINDEX_REPO, scope, run->run_id);
    }
    change_list(txn, run->run_id, run->list, scope, true);
    run->stored_scope = scope;
    run->stored_list = run->list;
}

void jr_ledger_save_run(struct jr_txn *txn, struct jr_run *run)
{
    unsigned char key[JR_KEY_MAX], record[JR_RECORD_SIZE];
    struct jr_writer writer;

    run->listed = true;
    run->list = list_of(run);
    jr_writer_init(&writer, record, sizeof record);
    jr_run_encode(run, &writer);
    if (!writer.ok)
        jr_txn_fail(txn, JR_EINVAL, "the record of a run is too large");
    jr_txn_put(txn, JR_TABLE_RUNS, key, jr_ledger_key(key, run->run_id, JR_PART_RUN, 0), record,
               writer.length);
    save_due(txn, run);
    save_quiet(txn, run);
    move_hour(txn, JR_TABLE_AGES, run->run_id, &run->stored_last_event_ms, run->last_event_ms);
    move_hour(txn, JR_TABLE_TOLD, run->run_id, &run->stored_told_ms, run->told_ms);
    save_line(txn, run);
    save_lists(txn, run);
}

static void decode_job(struct jr_txn *txn, struct jr_job *job, const void *record, size_t length,
                       uint64_t run_id, uint64_t job_id)
{
    if (!jr_job_decode(job, record, length))
        jr_txn_fail(txn, JR_EFORMAT, "the record of job %llu is damaged",
                    (unsigned long long)job_id);
    job->known = true;
    job->run_id = run_id;
    job->job_id = job_id;
}

void jr_ledger_load_job(struct jr_txn *txn, uint64_t run_id, uint64_t job_id, struct jr_job *job)
{
    unsigned char key[JR_KEY_MAX], record[JR_RECORD_SIZE];
    size_t key_length = jr_ledger_key(key, run_id, JR_PART_JOB, job_id), length;

    memset(job, 0, sizeof *job);
    job->run_id = run_id;
    job->job_id = job_id;
    if (jr_txn_get(txn, JR_TABLE_RUNS, key, key_length, record, sizeof record, &length))
        decode_job(txn, job, record, length, run_id, job_id);
}

void jr_ledger_save_job(struct jr_txn *txn, const struct jr_job *job)
{
    unsigned char key[JR_KEY_MAX], record[JR_RECORD_SIZE];
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_job_encode(job, &writer);
    if (!writer.ok)
        jr_txn_fail(txn, JR_EINVAL, "the record of a job is too large");
    jr_txn_put(txn, JR_TABLE_RUNS, key, jr_ledger_key(key, job->run_id, JR_PART_JOB, job->job_id),
               record, writer.length);
}

bool jr_ledger_next_job(struct jr_txn *txn, uint64_t run_id, uint64_t after, struct jr_job *job)
{
    struct jr_entry entry;
    uint64_t job_id = after + 1;

    if (!jr_ledger_seek(txn, run_id, JR_PART_JOB, &job_id, &entry))
        return false;
    decode_job(txn, job, entry.value, entry.value_length, run_id, job_id);
    return txn->error.code == JR_OK;
}

/* What lies after latest_ms, if there is any, or else what comes first. */
static bool first_in(struct jr_txn *txn, enum jr_table table, int64_t latest_ms, int64_t *time_ms,
                     uint64_t *run_id)
{
    struct jr_key latest = jr_key_of_two((uint64_t)latest_ms, UINT64_MAX);
    struct jr_entry entry;

    if (!jr_txn_seek(txn, table, latest.bytes, latest.length, true, &entry)
        && !jr_txn_seek(txn, table, NULL, 0, false, &entry))
        return false;
    *time_ms = (int64_t)jr_key_number_at(&entry, 0);
    *run_id = jr_key_number_at(&entry, 8);
    return true;
}

bool jr_ledger_first_due(struct jr_txn *txn, int64_t latest_ms, int64_t *due_ms, uint64_t *run_id)
{
    struct jr_due entry;

    if (!jr_outbox_claim(txn, JR_DUE_ASK, latest_ms, &entry))
        return false;
    *due_ms = entry.due_ms;
    *run_id = entry.run_id;
    return true;
}

bool jr_ledger_next_due(struct jr_txn *txn, int64_t *due_ms, uint64_t *run_id,
                        int64_t *waiting_ms)
{
    struct jr_due entry = { .kind = JR_DUE_ASK, .due_ms = *due_ms, .run_id = *run_id };

    if (!jr_outbox_next(txn, JR_DUE_ASK, &entry))
        return false;
    *due_ms = entry.due_ms;
    *run_id = entry.run_id;
    *waiting_ms = entry.waiting_ms;
    return true;
}

bool jr_ledger_next_older(struct jr_txn *txn, int64_t *hour_ms, uint64_t *run_id)
{
    struct jr_key key = jr_key_of_two(hour_of(*hour_ms), *run_id);
    struct jr_entry entry;

    if (!jr_txn_seek_before(txn, JR_TABLE_AGES, key.bytes, *hour_ms != 0 ? key.length : 0, &entry))
        return false;
    *hour_ms = (int64_t)jr_key_number_at(&entry, 0) * JR_HOUR_MS;
    *run_id = jr_key_number_at(&entry, 8);
    return true;
}

bool jr_ledger_next_told(struct jr_txn *txn, int64_t since_ms, int64_t *hour_ms,
                         uint64_t *run_id)
{
    int64_t from_ms = *hour_ms != 0 ? *hour_ms : since_ms;
    struct jr_key key = jr_key_of_two(hour_of(from_ms), *run_id);
    struct jr_entry entry;

    if (!jr_txn_seek(txn, JR_TABLE_TOLD, key.bytes, key.length, *hour_ms != 0, &entry))
        return false;
    *hour_ms = (int64_t)jr_key_number_at(&entry, 0) * JR_HOUR_MS;
    *run_id = jr_key_number_at(&entry, 8);
    return true;
}

bool jr_ledger_next_run(struct jr_txn *txn, uint64_t *run_id)
{
    unsigned char key[JR_KEY_MAX];
    struct jr_entry entry;

    if (!jr_txn_seek(txn, JR_TABLE_RUNS, key,
                     jr_ledger_key(key, *run_id + 1, JR_PART_HISTORY, 0), false, &entry))
        return false;
    *run_id = jr_key_number_at(&entry, 0);
    return true;
}

bool jr_ledger_previous_run(struct jr_txn *txn, uint64_t *run_id)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = jr_ledger_key(key, *run_id, JR_PART_HISTORY, 0);
    struct jr_entry entry;

    if (!jr_txn_seek_before(txn, JR_TABLE_RUNS, key, *run_id != 0 ? length : 0, &entry))
        return false;
    *run_id = jr_key_number_at(&entry, 0);
    return true;
}

void jr_ledger_newer(struct jr_txn *txn, const struct jr_bounds *bounds,
                     const struct jr_run *run, int64_t now_ms, struct jr_newer *newer)
{
    uint64_t line = line_of(run);
    struct jr_key key = jr_key_of_three(line, UINT64_MAX, UINT64_MAX);
    struct jr_entry entry;
    struct jr_run other;

    *newer = (struct jr_newer){ .state = JR_NEWER_NONE };
    for (unsigned seen = 0; line != 0 && seen < NEWER_MAX; seen++) {
        if (!jr_txn_seek_before(txn, JR_TABLE_LINES, key.bytes, key.length, &entry)
            || jr_key_number_at(&entry, 0) != line
            || jr_key_number_at(&entry, 8) <= run->run_number)
            return;
        memcpy(key.bytes, entry.key, key.length);
        if (!jr_ledger_read_run(txn, jr_key_number_at(&entry, 16), &other)
            || !jr_run_supersedes(&other, run))
            continue;
        if (newer->run_id == 0)
            *newer = (struct jr_newer){ .state = JR_NEWER_FINISHED, .run_id = other.run_id };
        if (!jr_watch_is_finished(bounds, &other, now_ms)) {
            *newer = (struct jr_newer){ .state = JR_NEWER_UNFINISHED, .run_id = other.run_id };
            return;
        }
    }
}

void jr_ledger_drop_due(struct jr_txn *txn, int64_t due_ms, uint64_t run_id)
{
    struct jr_due entry = { .kind = JR_DUE_ASK, .due_ms = due_ms, .run_id = run_id };

    jr_outbox_remove(txn, &entry);
}

bool jr_ledger_first_quiet(struct jr_txn *txn, int64_t latest_ms, int64_t *quiet_due_ms,
                           uint64_t *run_id)
{
    return first_in(txn, JR_TABLE_QUIET, latest_ms, quiet_due_ms, run_id);
}

void jr_ledger_drop_quiet(struct jr_txn *txn, int64_t quiet_due_ms, uint64_t run_id)
{
    struct jr_key key = jr_key_of_two((uint64_t)quiet_due_ms, run_id);

    jr_txn_delete(txn, JR_TABLE_QUIET, key.bytes, key.length);
}

/* Put the failures of a run into all their indexes; where one stands already, it stays. */
static void index_failures(struct jr_txn *txn, uint64_t run_id)
{
    struct jr_failure_place place;
    struct jr_entry entry;

    for (uint64_t job_id = 0; jr_ledger_seek(txn, run_id, JR_PART_FAILURE, &job_id, &entry);
         job_id++) {
        if (!jr_failure_place_read(&place, entry.value, entry.value_length))
            continue;
        place.run_id = run_id;
        place.job_id = job_id;
        jr_failure_index_put(txn, &place);
    }
}

/* Is a run in the lists to which it belongs? */
static bool is_listed(const struct jr_run *run)
{
    return run->listed && run->list == list_of(run);
}

/* Has an older version been back? What it wrote is among what happened last. */
static bool has_unlisted(struct jr_txn *txn)
{
    uint64_t run_id = 0;
    int64_t hour_ms = 0;
    struct jr_run run;

    for (unsigned looks = 0; looks < NEWEST && jr_ledger_next_older(txn, &hour_ms, &run_id);
         looks++)
        if (jr_ledger_read_run(txn, run_id, &run) && run.known && !is_listed(&run))
            return true;
    return false;
}

/* Are all runs in their lists, as far as can be seen without looking at each? */
static bool all_are_listed(struct jr_txn *txn)
{
    unsigned char which;
    size_t length;

    return jr_txn_get(txn, JR_TABLE_META, listed_key, sizeof listed_key - 1, &which,
                      sizeof which, &length)
           && length == sizeof which && which == lists && !has_unlisted(txn);
}

bool jr_ledger_list(struct jr_txn *txn, unsigned most, uint64_t *after)
{
    struct jr_run run;

    if (*after == 0 && all_are_listed(txn))
        *after = JR_LEDGER_LISTED;
    for (; *after != JR_LEDGER_LISTED && most > 0; most--) {
        if (!jr_ledger_next_run(txn, after)) {
            jr_txn_put(txn, JR_TABLE_META, listed_key, sizeof listed_key - 1, &lists,
                       sizeof lists);
            *after = JR_LEDGER_LISTED;
            break;
        }
        if (!jr_ledger_read_run(txn, *after, &run) || !run.known || is_listed(&run))
            continue;
        jr_ledger_save_run(txn, &run);
        index_failures(txn, *after);
    }
    return *after != JR_LEDGER_LISTED;
}

/*
 * Delete the first failure of a run, with its places in the indexes.
 * Returns false when there is none.
 */
static bool delete_failure(struct jr_txn *txn, uint64_t run_id)
{
    struct jr_failure_place place;
    struct jr_entry entry;
    uint64_t job_id = 0;

    if (!jr_ledger_seek(txn, run_id, JR_PART_FAILURE, &job_id, &entry))
        return false;
    if (jr_failure_place_read(&place, entry.value, entry.value_length)) {
        place.run_id = run_id;
        place.job_id = job_id;
        jr_failure_index_drop(txn, &place);
    }
    jr_txn_delete(txn, JR_TABLE_RUNS, entry.key, entry.key_length);
    return true;
}

/* Delete all parts of a run. */
static void delete_parts(struct jr_txn *txn, uint64_t run_id)
{
    unsigned char key[JR_KEY_MAX];
    size_t length = jr_ledger_key(key, run_id, JR_PART_HISTORY, 0);
    struct jr_entry entry;

    while (delete_failure(txn, run_id))
        ;
    while (jr_txn_seek(txn, JR_TABLE_RUNS, key, length, false, &entry)
           && jr_key_number_at(&entry, 0) == run_id)
        jr_txn_delete(txn, JR_TABLE_RUNS, entry.key, entry.key_length);
}

/* Is more to be heard of it? */
static bool is_under_way(const struct jr_run *run)
{
    return run->phase == JR_PHASE_OPEN && !run->complete
           && (run->jobs_known == 0 || run->jobs_unfinished > 0);
}

static void drop_told(struct jr_txn *txn, const struct jr_run *run)
{
    struct jr_key key = jr_key_of_two(hour_of(run->stored_told_ms), run->run_id);

    jr_txn_delete(txn, JR_TABLE_TOLD, key.bytes, key.length);
}

static void drop_age(struct jr_txn *txn, const struct jr_run *run)
{
    struct jr_key key = jr_key_of_two(hour_of(run->stored_last_event_ms), run->run_id);

    jr_txn_delete(txn, JR_TABLE_AGES, key.bytes, key.length);
}

/* The report of a run. Returns whether there is one. */
static bool load_report(struct jr_txn *txn, uint64_t run_id, struct jr_report *report)
{
    struct jr_entry entry;
    uint64_t number = 0;

    return jr_ledger_seek(txn, run_id, JR_PART_REPORT, &number, &entry)
           && jr_report_decode(report, entry.value, entry.value_length);
}

/* What other tables have of the report. */
static void drop_report(struct jr_txn *txn, const struct jr_run *run)
{
    struct jr_due entry = { .kind = JR_DUE_REPORT, .run_id = run->run_id };
    struct jr_report report;

    if (!load_report(txn, run->run_id, &report))
        return;
    entry.due_ms = report.due_ms;
    if (report.due_ms != 0)
        jr_outbox_remove(txn, &entry);
    if (report.pull_request != 0)
        jr_threads_forget(txn, run->repo_id, report.pull_request, run->run_id);
}

static void drop_record(struct jr_txn *txn, const struct jr_run *run)
{
    drop_report(txn, run);
    if (run->stored_due_ms != 0)
        jr_ledger_drop_due(txn, run->stored_due_ms, run->run_id);
    if (run->stored_quiet_due_ms != 0)
        jr_ledger_drop_quiet(txn, run->stored_quiet_due_ms, run->run_id);
    delete_parts(txn, run->run_id);
}

/* All that there is of a run: first itself, so that no record is without its indexes; last its
 * age, by which what is left is found. */
static void (*const pieces[])(struct jr_txn *, const struct jr_run *) = {
    drop_record, drop_told, drop_line, drop_list, drop_listed, drop_age,
};

#define PIECES (sizeof pieces / sizeof *pieces)

void jr_ledger_remove_run(struct jr_txn *txn, struct jr_run *run)
{
    for (size_t i = 0; i < PIECES; i++)
        pieces[i](txn, run);
}

/* Is there a check run of it that has to be completed first, and may that still come? */
static bool is_reported_on(struct jr_txn *txn, const struct jr_run *run, int64_t before_ms)
{
    struct jr_report report;

    return run->known && run->last_event_ms > before_ms - JR_LEDGER_REPORT_MS
           && load_report(txn, run->run_id, &report) && report.due_ms != 0
           && jr_report_is_open(&report);
}

/*
 * Find the next run by its age that may be removed.
 *   most   in and out: how many runs are looked at
 *   prune  in and out: where to go on; the beginning, when there was none
 */
static bool next_to_go(struct jr_txn *txn, int64_t before_ms, bool only_closed, unsigned *most,
                       struct jr_prune *prune, struct jr_run *run)
{
    struct jr_entry entry;

    for (; *most > 0; --*most) {
        bool whole;

        if (!jr_txn_seek(txn, JR_TABLE_AGES, prune->key, prune->key_length, true, &entry)
            || jr_key_number_at(&entry, 0) >= hour_of(before_ms)) {
            prune->key_length = 0;
            return false;
        }
        memcpy(prune->key, entry.key, sizeof prune->key);
        prune->key_length = sizeof prune->key;
        /* A damaged one tells nothing of itself: it goes by its age alone. So does what is left
         * of one that was removed in part. */
        whole = jr_ledger_read_run(txn, jr_key_number_at(&entry, 8), run);
        if (only_closed && (!whole || (run->known && is_under_way(run))))
            continue;
        if (whole && (run->due_ms != 0 || is_reported_on(txn, run, before_ms)))
            continue;
        if (!whole || !run->known)
            run->stored_last_event_ms = (int64_t)jr_key_number_at(&entry, 0) * JR_HOUR_MS;
        --*most;
        return true;
    }
    return false;
}

unsigned jr_ledger_prune(struct jr_txn *txn, int64_t before_ms, bool only_closed, unsigned most,
                         struct jr_prune *prune)
{
    struct jr_run run;
    unsigned removed = 0;

    while (next_to_go(txn, before_ms, only_closed, &most, prune, &run)) {
        jr_ledger_remove_run(txn, &run);
        removed++;
    }
    return removed;
}

/*
 * Has a run changed since it was chosen to be removed?
 *   gone  its record was removed already, and may have been made anew
 */
static bool has_moved(struct jr_txn *txn, const struct jr_run *run, bool gone)
{
    struct jr_run now;

    if (!jr_ledger_read_run(txn, run->run_id, &now) || gone)
        return now.known;
    return now.known != run->known || now.last_event_ms != run->last_event_ms
           || now.told_ms != run->told_ms || now.due_ms != run->due_ms
           || now.attempt != run->attempt || now.phase != run->phase;
}

/* A run that is removed piece by piece. */
struct squeezing {
    int64_t before_ms;
    unsigned most;
    struct jr_prune *prune;
    struct jr_run run; /* out of the first transaction */
    bool found;        /* likewise */
    bool has_failures; /* there may be some that are not removed yet */
    size_t piece;      /* to be removed next */
};

static void choose(struct jr_txn *txn, void *context)
{
    struct squeezing *squeezing = context;

    squeezing->found = next_to_go(txn, squeezing->before_ms, true, &squeezing->most,
                                  squeezing->prune, &squeezing->run);
}

static void remove_piece(struct jr_txn *txn, void *context)
{
    const struct squeezing *squeezing = context;

    if (!has_moved(txn, &squeezing->run, squeezing->piece > 0))
        pieces[squeezing->piece](txn, &squeezing->run);
}

/* A failure goes as a whole, while its run is there, so that neither is without the other. */
static void remove_failure(struct jr_txn *txn, void *context)
{
    struct squeezing *squeezing = context;

    squeezing->has_failures = !has_moved(txn, &squeezing->run, false)
                              && delete_failure(txn, squeezing->run.run_id);
}

enum jr_err jr_ledger_squeeze(struct jr_store *store, int64_t before_ms, unsigned most,
                              struct jr_prune *prune, bool *removed, struct jr_error *error)
{
    struct squeezing squeezing = { .before_ms = before_ms, .most = most, .prune = prune };
    enum jr_err err = jr_store_read(store, choose, &squeezing, error);

    *removed = squeezing.found;
    if (err != JR_OK || !squeezing.found)
        return err;
    /* Each in a transaction of its own, since a full map has no room for all of them in one. */
    squeezing.has_failures = true;
    while (err == JR_OK && squeezing.has_failures)
        err = jr_store_write(store, remove_failure, &squeezing, error);
    for (; err == JR_OK && squeezing.piece < PIECES; squeezing.piece++)
        err = jr_store_write(store, remove_piece, &squeezing, error);
    if (err != JR_OK)
        prune->key_length = 0;
    return err;
}
