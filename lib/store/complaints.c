/*
 * complaints -- the policy files of repositories that are broken, of which their authors are to be
 * told at GitHub.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/complaints.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/store/key.h"
#include "lib/store/outbox.h"

#include <string.h>

#define COMPLAINT_VERSION 1
#define RECORD_SIZE (JR_REPO_SIZE + 32)

static struct jr_key key_of(uint64_t scope)
{
    return jr_key_of_numbered("complaint-", scope);
}

static struct jr_due entry_of(int64_t due_ms, uint64_t scope)
{
    return (struct jr_due){ .kind = JR_DUE_COMPLAINT, .due_ms = due_ms, .run_id = scope,
                            .waiting_ms = due_ms };
}

void jr_complaints_load(struct jr_txn *txn, uint64_t scope, struct jr_complaint *complaint)
{
    struct jr_key key = key_of(scope);
    unsigned char record[RECORD_SIZE];
    struct jr_reader reader;
    uint8_t version;
    size_t length;

    memset(complaint, 0, sizeof *complaint);
    if (!jr_txn_get(txn, JR_TABLE_META, key.bytes, key.length, record, sizeof record, &length))
        return;
    jr_reader_init(&reader, record, length);
    version = jr_read_u8(&reader);
    complaint->due_ms = jr_read_time(&reader);
    complaint->news = jr_read_u32(&reader);
    complaint->tries = jr_read_u32(&reader);
    jr_read_text(&reader, complaint->repo, sizeof complaint->repo);
    if (!reader.ok || version != COMPLAINT_VERSION || !jr_text_is_full_name(complaint->repo))
        memset(complaint, 0, sizeof *complaint);
}

void jr_complaints_save(struct jr_txn *txn, uint64_t scope, struct jr_complaint *complaint,
                        int64_t due_ms)
{
    struct jr_key key = key_of(scope);
    struct jr_due entry = entry_of(complaint->due_ms, scope);
    unsigned char record[RECORD_SIZE];
    struct jr_writer writer;

    if (complaint->due_ms != 0 && complaint->due_ms != due_ms)
        jr_outbox_remove(txn, &entry);
    complaint->due_ms = due_ms;
    if (due_ms == 0) {
        jr_txn_delete(txn, JR_TABLE_META, key.bytes, key.length);
        return;
    }
    entry = entry_of(due_ms, scope);
    jr_outbox_put(txn, &entry);
    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, COMPLAINT_VERSION);
    jr_write_time(&writer, complaint->due_ms);
    jr_write_u32(&writer, complaint->news);
    jr_write_u32(&writer, complaint->tries);
    jr_write_text(&writer, complaint->repo);
    jr_txn_put(txn, JR_TABLE_META, key.bytes, key.length, record, writer.length);
}

void jr_complaints_note(struct jr_txn *txn, uint64_t scope, const char *repo, int64_t now_ms)
{
    struct jr_complaint complaint;

    jr_complaints_load(txn, scope, &complaint);
    complaint.news++;
    complaint.tries = 0;
    (void)jr_text_copy(complaint.repo, sizeof complaint.repo, repo);
    jr_complaints_save(txn, scope, &complaint, now_ms);
}

bool jr_complaints_first(struct jr_txn *txn, int64_t now_ms, int64_t *due_ms, uint64_t *scope)
{
    struct jr_due entry = { .kind = 0 };

    if (!jr_outbox_has(txn, JR_DUE_COMPLAINT)
        || !jr_outbox_claim(txn, JR_DUE_COMPLAINT, now_ms + JR_DAY_MS, &entry))
        return false;
    *due_ms = entry.due_ms;
    *scope = entry.run_id;
    return true;
}

void jr_complaints_drop(struct jr_txn *txn, int64_t due_ms, uint64_t scope)
{
    struct jr_due entry = entry_of(due_ms, scope);

    jr_outbox_remove(txn, &entry);
}
