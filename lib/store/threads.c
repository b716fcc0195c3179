/*
 * threads -- the comments on pull requests, in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/threads.h"
#include "lib/store/key.h"

#include <string.h>

static const char name[] = "report-on-";

/* Its place in JR_TABLE_META: the name, the repository, the number. */
static size_t make_key(unsigned char key[JR_KEY_MAX], uint64_t repo_id, uint64_t pull_request)
{
    struct jr_writer writer;

    jr_writer_init(&writer, key, JR_KEY_MAX);
    jr_write_bytes(&writer, name, sizeof name - 1);
    jr_write_u64(&writer, repo_id);
    jr_write_u64(&writer, pull_request);
    return writer.length;
}

void jr_threads_load(struct jr_txn *txn, uint64_t repo_id, uint64_t pull_request,
                     struct jr_thread *thread)
{
    unsigned char key[JR_KEY_MAX], record[JR_THREAD_RECORD_SIZE];
    size_t length, key_length = make_key(key, repo_id, pull_request);

    if (!jr_txn_get(txn, JR_TABLE_META, key, key_length, record, sizeof record, &length)
        || !jr_thread_decode(thread, record, length))
        memset(thread, 0, sizeof *thread);
    thread->repo_id = repo_id;
    thread->pull_request = pull_request;
}

void jr_threads_save(struct jr_txn *txn, const struct jr_thread *thread)
{
    unsigned char key[JR_KEY_MAX], record[JR_THREAD_RECORD_SIZE];
    size_t key_length = make_key(key, thread->repo_id, thread->pull_request);
    struct jr_writer writer;

    jr_writer_init(&writer, record, sizeof record);
    jr_thread_encode(thread, &writer);
    jr_txn_put(txn, JR_TABLE_META, key, key_length, record, writer.length);
}

void jr_threads_forget(struct jr_txn *txn, uint64_t repo_id, uint64_t pull_request,
                       uint64_t run_id)
{
    unsigned char key[JR_KEY_MAX];
    struct jr_thread thread;
    size_t left = 0;

    jr_threads_load(txn, repo_id, pull_request, &thread);
    for (size_t i = 0; i < thread.count; i++)
        if (thread.runs[i] != run_id)
            thread.runs[left++] = thread.runs[i];
    if (left == thread.count)
        return;
    thread.count = left;
    if (left > 0)
        jr_threads_save(txn, &thread);
    else
        jr_txn_delete(txn, JR_TABLE_META, key, make_key(key, repo_id, pull_request));
}
