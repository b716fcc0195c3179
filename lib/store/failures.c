/*
 * failures -- the failed jobs of runs, and what was found out about them, in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/failures.h"
#include "lib/base/timestamp.h"
#include "lib/store/flaky.h"
#include "lib/store/history.h"
#include "lib/store/ledger.h"

#include <string.h>

/* An entry of JR_PART_FAILURE: its place in the indexes, then its record. */
#define ENTRY_SIZE (JR_FAILURE_PLACE_SIZE + JR_FAILURE_RECORD_SIZE)

static bool decode(struct jr_failure *failure, const void *value, size_t length, uint64_t job_id)
{
    const unsigned char *bytes = value;
    struct jr_failure_place place;

    if (!jr_failure_place_read(&place, value, length)
        || !jr_failure_decode(failure, bytes + JR_FAILURE_PLACE_SIZE,
                              length - JR_FAILURE_PLACE_SIZE))
        return false;
    failure->job_id = job_id;
    failure->recorded_ms = place.at_ms;
    return true;
}

/* Load one; false when there is none that can be read. */
static bool load(struct jr_txn *txn, uint64_t run_id, uint64_t job_id, struct jr_failure *failure)
{
    unsigned char key[JR_KEY_MAX], entry[ENTRY_SIZE];
    size_t key_length = jr_ledger_key(key, run_id, JR_PART_FAILURE, job_id), length;

    return jr_txn_get(txn, JR_TABLE_RUNS, key, key_length, entry, sizeof entry, &length)
           && decode(failure, entry, length, job_id);
}

/* Find the place in the indexes of what is recorded of a job. */
static bool find_place(struct jr_txn *txn, uint64_t run_id, uint64_t job_id,
                       struct jr_failure_place *place)
{
    unsigned char key[JR_KEY_MAX], entry[ENTRY_SIZE];
    size_t key_length = jr_ledger_key(key, run_id, JR_PART_FAILURE, job_id), length;

    if (!jr_txn_get(txn, JR_TABLE_RUNS, key, key_length, entry, sizeof entry, &length)
        || !jr_failure_place_read(place, entry, length))
        return false;
    place->run_id = run_id;
    place->job_id = job_id;
    return true;
}

bool jr_failures_recorded(struct jr_txn *txn, uint64_t run_id, uint64_t job_id, int64_t *at_ms,
                          enum jr_cause *cause)
{
    struct jr_failure_place place;

    if (!find_place(txn, run_id, job_id, &place))
        return false;
    *at_ms = place.at_ms;
    *cause = place.cause;
    return true;
}

void jr_failures_save(struct jr_txn *txn, const struct jr_run *run,
                      const struct jr_failure *failure, int64_t now_ms)
{
    unsigned char key[JR_KEY_MAX], entry[ENTRY_SIZE];
    size_t key_length = jr_ledger_key(key, run->run_id, JR_PART_FAILURE, failure->job_id);
    struct jr_failure_place place = {
        .at_ms = now_ms, .cause = failure->finding.cause,
        .run_id = run->run_id, .job_id = failure->job_id,
    }, before;
    struct jr_writer writer;

    if (!jr_failure_index_job(run->repo, run->workflow, failure->name, place.job))
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
    if (find_place(txn, run->run_id, failure->job_id, &before))
        jr_failure_index_drop(txn, &before);
    jr_writer_init(&writer, entry, sizeof entry);
    jr_failure_place_write(&writer, &place);
    jr_failure_encode(failure, &writer);
    if (!writer.ok)
        jr_txn_fail(txn, JR_EINVAL, "the record of a failure is too large");
    jr_txn_put(txn, JR_TABLE_RUNS, key, key_length, entry, writer.length);
    jr_failure_index_put(txn, &place);
}

/*
 * Find the next failure of a run, whether it can be read or not.
 *   job_id  in: of the one before; out: of this one
 *   whole   out: it could be read
 */
static bool find_next(struct jr_txn *txn, uint64_t run_id, uint64_t *job_id,
                      struct jr_failure *failure, bool *whole)
{
    struct jr_entry entry;

    ++*job_id;
    if (!jr_ledger_seek(txn, run_id, JR_PART_FAILURE, job_id, &entry))
        return false;
    *whole = decode(failure, entry.value, entry.value_length, *job_id);
    return true;
}

bool jr_failures_next(struct jr_txn *txn, uint64_t run_id, uint64_t after,
                      struct jr_failure *failure)
{
    bool whole;

    if (!find_next(txn, run_id, &after, failure, &whole))
        return false;
    if (!whole)
        jr_txn_fail(txn, JR_EFORMAT, "the record of the failure of job %llu is damaged",
                    (unsigned long long)after);
    return whole;
}

bool jr_failures_has(struct jr_txn *txn, uint64_t run_id, uint32_t attempt)
{
    struct jr_failure failure;
    uint64_t job_id = 0;
    bool whole;

    while (find_next(txn, run_id, &job_id, &failure, &whole))
        if (whole && failure.attempt == attempt)
            return true;
    return false;
}

uint64_t jr_failures_causes(struct jr_txn *txn, uint64_t run_id, uint32_t attempt)
{
    struct jr_failure failure;
    uint64_t job_id = 0, causes = 0;
    bool whole;

    while (find_next(txn, run_id, &job_id, &failure, &whole))
        if (whole && failure.attempt == attempt && failure.counts)
            causes |= UINT64_C(1) << failure.finding.cause;
    return causes;
}

/* Does the history have it that our rerun of an attempt was accepted? */
static bool history_tells(struct jr_txn *txn, uint64_t run_id, uint32_t attempt)
{
    struct jr_history entry;
    struct jr_entry found;

    for (uint64_t number = 0; jr_ledger_seek(txn, run_id, JR_PART_HISTORY, &number, &found);
         number++)
        if (jr_history_decode(&entry, found.value, found.value_length)
            && entry.kind == JR_HISTORY_OUTCOME && entry.attempt == attempt
            && jr_reason_is_our_rerun(entry.reason))
            return true;
    return false;
}

bool jr_failures_rerun_is_ours(struct jr_txn *txn, const struct jr_run *run, uint32_t attempt)
{
    if (run->reruns == 0 || attempt > run->accepted_attempt)
        return false;
    return run->reruns >= run->accepted_attempt || history_tells(txn, run->run_id, attempt);
}

/* What the jobs of one name came to in an attempt. */
struct came_to {
    bool executed, unfinished, failed;
    int64_t minutes;
};

static void add_job(struct came_to *came_to, const struct jr_job *job)
{
    enum jr_result result = jr_conclusion_result(job->conclusion);

    came_to->executed = true;
    if (job->status != JR_STATUS_COMPLETED || result == JR_RESULT_NONE)
        came_to->unfinished = true;
    else if (result == JR_RESULT_FAILED)
        came_to->failed = true;
    came_to->minutes += jr_job_minutes(job);
}

static struct came_to look_at_jobs(struct jr_txn *txn, const struct jr_run *run,
                                   const char *name, uint32_t attempt)
{
    struct came_to came_to = { .executed = false };
    struct jr_entry entry;
    struct jr_job job;

    for (uint64_t id = 0; jr_ledger_seek(txn, run->run_id, JR_PART_JOB, &id, &entry); id++)
        if (jr_job_decode(&job, entry.value, entry.value_length) && !job.carried_over
            && jr_run_attempt_of(run, &job) == attempt && strcmp(job.name, name) == 0)
            add_job(&came_to, &job);
    return came_to;
}

enum jr_aftermath jr_failures_in_next(struct jr_txn *txn, const struct jr_run *run,
                                      const struct jr_failure *failure, int64_t *minutes)
{
    uint32_t next = failure->attempt + 1;
    struct came_to came_to = look_at_jobs(txn, run, failure->name, next);

    if (minutes != NULL)
        *minutes = came_to.minutes;
    if (came_to.failed)
        return JR_AFTER_FAILED;
    if (came_to.executed)
        return came_to.unfinished ? JR_AFTER_UNDER_WAY : JR_AFTER_RESCUED;
    return run->attempt == next && jr_run_result(run) == JR_RESULT_SUCCESS ? JR_AFTER_RESCUED
                                                                           : JR_AFTER_UNDER_WAY;
}

enum jr_aftermath jr_failures_aftermath(struct jr_txn *txn, const struct jr_run *run,
                                        const struct jr_failure *failure, int64_t *minutes)
{
    if (jr_failures_rerun_is_ours(txn, run, failure->attempt))
        return jr_failures_in_next(txn, run, failure, minutes);
    if (minutes != NULL)
        *minutes = 0;
    return JR_AFTER_NOT_RERUN;
}

/* Did jobs of a name fail in an attempt, but on runners that stand out only? */
static bool has_failed_oddly(struct jr_txn *txn, const struct jr_run *run, const char *name,
                             uint32_t attempt, int64_t now_ms)
{
    struct jr_entry entry;
    struct jr_job job;
    bool any = false;

    for (uint64_t id = 0; jr_ledger_seek(txn, run->run_id, JR_PART_JOB, &id, &entry); id++) {
        if (!jr_job_decode(&job, entry.value, entry.value_length) || job.carried_over
            || jr_run_attempt_of(run, &job) != attempt || strcmp(job.name, name) != 0
            || jr_conclusion_result(job.conclusion) != JR_RESULT_FAILED)
            continue;
        if (!jr_flaky_stands_out(txn, run->repo, job.labels, job.runner, now_ms))
            return false;
        any = true;
    }
    return any;
}

bool jr_failures_tells_worth(struct jr_txn *txn, const struct jr_run *run,
                             const struct jr_failure *failure, int64_t now_ms, bool *rescued)
{
    enum jr_aftermath aftermath = jr_failures_aftermath(txn, run, failure, NULL);

    *rescued = aftermath == JR_AFTER_RESCUED;
    if (aftermath != JR_AFTER_RESCUED && aftermath != JR_AFTER_FAILED)
        return false;
    return !jr_flaky_stands_out(txn, run->repo, failure->labels, failure->runner, now_ms)
           && (*rescued
               || !has_failed_oddly(txn, run, failure->name, failure->attempt + 1, now_ms));
}

void jr_failures_worth(struct jr_txn *txn, const struct jr_run *run, const char *job,
                       enum jr_cause cause, struct jr_failures_span span, uint32_t *tried,
                       uint32_t *rescued)
{
    struct jr_failure_place place = { .at_ms = span.before_ms, .cause = cause };
    struct jr_failure failure;
    struct jr_run other;

    *tried = *rescued = 0;
    if (!jr_failure_index_job(run->repo, run->workflow, job, place.job))
        jr_txn_fail(txn, JR_ENOMEM, "out of memory");
    for (unsigned looks = 0; looks < JR_FAILURES_LOOKS && *tried < span.of
                             && jr_failure_index_before(txn, &place); looks++) {
        bool came_well;

        if (!load(txn, place.run_id, place.job_id, &failure)
            || !jr_ledger_read_run(txn, place.run_id, &other)
            || !jr_failures_tells_worth(txn, &other, &failure, span.now_ms, &came_well))
            continue;
        ++*tried;
        *rescued += came_well;
    }
}

/* Is another failure one of an earlier attempt, in the same step by the same line? */
static bool is_same(const struct jr_failure *other, const struct jr_failure *failure,
                    const char *key)
{
    char other_key[JR_LINE_KEY_SIZE];

    if (other->attempt >= failure->attempt || strcmp(other->name, failure->name) != 0
        || strcmp(other->finding.step, failure->finding.step) != 0)
        return false;
    jr_failure_key(other, other_key);
    return strcmp(other_key, key) == 0;
}

/* Has a job passed in an attempt between two? Then the error comes and goes. */
static bool has_passed_between(struct jr_txn *txn, const struct jr_run *run, const char *name,
                               uint32_t after, uint32_t before)
{
    for (uint32_t attempt = after + 1; attempt < before; attempt++) {
        struct came_to came_to = look_at_jobs(txn, run, name, attempt);

        if (came_to.executed && !came_to.unfinished && !came_to.failed)
            return true;
    }
    return false;
}

bool jr_failures_same_as_before(struct jr_txn *txn, const struct jr_run *run,
                                const struct jr_failure *failure, struct jr_failure *before)
{
    char key[JR_LINE_KEY_SIZE];
    struct jr_failure other;
    uint32_t newest = 0;
    uint64_t job_id = 0;
    bool whole;

    jr_failure_key(failure, key);
    if (*key == '\0')
        return false;
    while (find_next(txn, run->run_id, &job_id, &other, &whole))
        if (whole && other.attempt > newest && is_same(&other, failure, key)) {
            newest = other.attempt;
            if (before != NULL)
                *before = other;
        }
    return newest > 0 && !has_passed_between(txn, run, failure->name, newest, failure->attempt);
}

/* Go on by one of the walks of the index, to the next failure that can be read. */
static bool go_on(struct jr_txn *txn, bool (*walk)(struct jr_txn *, struct jr_failure_place *),
                  int64_t since_ms, struct jr_failures_place *place, uint64_t *run_id,
                  struct jr_failure *failure)
{
    struct jr_failure_place at = {
        .at_ms = place->at_ms, .run_id = place->run_id, .job_id = place->job_id,
    };

    if (at.run_id == 0)
        at.at_ms = walk == jr_failure_index_back ? JR_TIME_MOST : since_ms;
    while (walk(txn, &at) && at.at_ms >= since_ms) {
        *place = (struct jr_failures_place){ at.at_ms, at.run_id, at.job_id };
        *run_id = at.run_id;
        if (load(txn, at.run_id, at.job_id, failure))
            return true;
    }
    return false;
}

bool jr_failures_next_since(struct jr_txn *txn, int64_t since_ms, struct jr_failures_place *place,
                            uint64_t *run_id, struct jr_failure *failure)
{
    return go_on(txn, jr_failure_index_next, since_ms, place, run_id, failure);
}

bool jr_failures_back_to(struct jr_txn *txn, int64_t since_ms, struct jr_failures_place *place,
                         uint64_t *run_id, struct jr_failure *failure)
{
    return go_on(txn, jr_failure_index_back, since_ms, place, run_id, failure);
}
