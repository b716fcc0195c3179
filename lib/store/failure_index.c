/*
 * failure_index -- by what the failures of all runs are found.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/failure_index.h"
#include "lib/crypto/signature.h"
#include "lib/model/event.h"
#include "lib/store/key.h"

#include <string.h>

/* The first byte of a key: in which index it is. The numbers are stored. */
enum { BY_TIME = 1, BY_JOB = 2, BY_CAUSE = 3 };

/* Where the time, the run and the job stand in a key of each. */
#define TIME_AT   1
#define TIME_END  (TIME_AT + 24)
#define JOB_AT    (1 + JR_FAILURE_JOB_SIZE + 1)
#define JOB_END   (JOB_AT + 24)
#define CAUSE_AT  2
#define CAUSE_END (CAUSE_AT + 16)

void jr_failure_place_write(struct jr_writer *writer, const struct jr_failure_place *place)
{
    jr_write_time(writer, place->at_ms);
    jr_write_bytes(writer, place->job, sizeof place->job);
    jr_write_u8(writer, (uint8_t)place->cause);
}

bool jr_failure_place_read(struct jr_failure_place *place, const void *value, size_t length)
{
    const unsigned char *bytes = value;
    struct jr_reader reader;

    memset(place, 0, sizeof *place);
    if (length < JR_FAILURE_PLACE_SIZE)
        return false;
    jr_reader_init(&reader, bytes, length);
    place->at_ms = jr_read_time(&reader);
    memcpy(place->job, bytes + reader.offset, sizeof place->job);
    place->cause = (enum jr_cause)bytes[JR_FAILURE_PLACE_SIZE - 1];
    return reader.ok;
}

bool jr_failure_index_job(const char *repo, const char *workflow, const char *job,
                          unsigned char hash[JR_FAILURE_JOB_SIZE])
{
    const char *texts[] = { repo, workflow, job };
    char joined[JR_REPO_SIZE + 2 * JR_NAME_SIZE];
    unsigned char digest[JR_SHA256_SIZE];
    struct jr_writer writer;

    jr_writer_init(&writer, joined, sizeof joined);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        jr_write_bytes(&writer, texts[i], strlen(texts[i]) + 1);
    if (!writer.ok || jr_sha256(joined, writer.length, digest) != JR_OK)
        return false;
    memcpy(hash, digest, JR_FAILURE_JOB_SIZE);
    return true;
}

static void add_rest(struct jr_key *key, const struct jr_failure_place *place)
{
    jr_key_add_time(key, place->at_ms);
    jr_key_add_u64(key, place->run_id);
    jr_key_add_u64(key, place->job_id);
}

static struct jr_key time_key(const struct jr_failure_place *place)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_u8(&key, BY_TIME);
    add_rest(&key, place);
    return key;
}

static struct jr_key job_key(const struct jr_failure_place *place)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_u8(&key, BY_JOB);
    jr_key_add_bytes(&key, place->job, sizeof place->job);
    jr_key_add_u8(&key, (uint8_t)place->cause);
    add_rest(&key, place);
    return key;
}

static struct jr_key cause_key(enum jr_cause cause, uint64_t run_id, uint64_t job_id)
{
    struct jr_key key = { .length = 0 };

    jr_key_add_u8(&key, BY_CAUSE);
    jr_key_add_u8(&key, (uint8_t)cause);
    jr_key_add_u64(&key, run_id);
    jr_key_add_u64(&key, job_id);
    return key;
}

static void read_rest(struct jr_failure_place *place, const struct jr_entry *entry, size_t at)
{
    place->at_ms = (int64_t)jr_key_number_at(entry, at);
    place->run_id = jr_key_number_at(entry, at + 8);
    place->job_id = jr_key_number_at(entry, at + 16);
}

void jr_failure_index_put(struct jr_txn *txn, const struct jr_failure_place *place)
{
    struct jr_key by_time = time_key(place), by_job = job_key(place),
                  by_cause = cause_key(place->cause, place->run_id, place->job_id);

    jr_txn_put(txn, JR_TABLE_FAILURES, by_time.bytes, by_time.length, "", 0);
    jr_txn_put(txn, JR_TABLE_FAILURES, by_job.bytes, by_job.length, "", 0);
    jr_txn_put(txn, JR_TABLE_FAILURES, by_cause.bytes, by_cause.length, "", 0);
}

void jr_failure_index_drop(struct jr_txn *txn, const struct jr_failure_place *place)
{
    struct jr_key by_time = time_key(place), by_job = job_key(place),
                  by_cause = cause_key(place->cause, place->run_id, place->job_id);

    jr_txn_delete(txn, JR_TABLE_FAILURES, by_time.bytes, by_time.length);
    jr_txn_delete(txn, JR_TABLE_FAILURES, by_job.bytes, by_job.length);
    jr_txn_delete(txn, JR_TABLE_FAILURES, by_cause.bytes, by_cause.length);
}

bool jr_failure_index_next(struct jr_txn *txn, struct jr_failure_place *place)
{
    struct jr_key key = time_key(place);
    struct jr_entry entry;

    if (!jr_txn_seek(txn, JR_TABLE_FAILURES, key.bytes, key.length, true, &entry)
        || entry.key_length != TIME_END || entry.key[0] != BY_TIME)
        return false;
    read_rest(place, &entry, TIME_AT);
    return true;
}

bool jr_failure_index_back(struct jr_txn *txn, struct jr_failure_place *place)
{
    struct jr_key key = time_key(place);
    struct jr_entry entry;

    if (!jr_txn_seek_before(txn, JR_TABLE_FAILURES, key.bytes, key.length, &entry)
        || entry.key_length != TIME_END || entry.key[0] != BY_TIME)
        return false;
    read_rest(place, &entry, TIME_AT);
    return true;
}

bool jr_failure_index_before(struct jr_txn *txn, struct jr_failure_place *place)
{
    struct jr_key key = job_key(place);
    struct jr_entry entry;

    if (!jr_txn_seek_before(txn, JR_TABLE_FAILURES, key.bytes, key.length, &entry)
        || entry.key_length != JOB_END || memcmp(entry.key, key.bytes, JOB_AT) != 0)
        return false;
    read_rest(place, &entry, JOB_AT);
    return true;
}

bool jr_failure_index_run_before(struct jr_txn *txn, enum jr_cause cause, uint64_t *run_id)
{
    struct jr_key key = cause_key(cause, *run_id != 0 ? *run_id : UINT64_MAX, 0);
    struct jr_entry entry;

    if (!jr_txn_seek_before(txn, JR_TABLE_FAILURES, key.bytes, key.length, &entry)
        || entry.key_length != CAUSE_END || memcmp(entry.key, key.bytes, CAUSE_AT) != 0)
        return false;
    *run_id = jr_key_number_at(&entry, CAUSE_AT);
    return true;
}
