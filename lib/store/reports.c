/*
 * reports -- what was said about runs at GitHub, in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/reports.h"
#include "lib/base/codec.h"
#include "lib/base/testpoint.h"
#include "lib/model/reporttext.h"
#include "lib/store/ledger.h"
#include "lib/store/outbox.h"

#include <string.h>

static const char written_key[] = "reports-written";

/* An hour, and the minute that has begun. */
#define MINUTES 61

void jr_reports_load(struct jr_txn *txn, uint64_t run_id, struct jr_report *report)
{
    unsigned char key[JR_KEY_MAX], record[JR_REPORT_RECORD_SIZE];
    size_t length, key_length = jr_ledger_key(key, run_id, JR_PART_REPORT, 0);

    memset(report, 0, sizeof *report);
    if (!jr_txn_get(txn, JR_TABLE_RUNS, key, key_length, record, sizeof record, &length))
        return;
    if (!jr_report_decode(report, record, length))
        memset(report, 0, sizeof *report);
    report->known = true;
}

void jr_reports_save(struct jr_txn *txn, uint64_t run_id, struct jr_report *report,
                     int64_t due_ms)
{
    unsigned char key[JR_KEY_MAX], record[JR_REPORT_RECORD_SIZE];
    size_t key_length = jr_ledger_key(key, run_id, JR_PART_REPORT, 0);
    struct jr_due entry = { .kind = JR_DUE_REPORT, .due_ms = report->due_ms, .run_id = run_id };
    struct jr_writer writer;

    if (report->due_ms != 0 && report->due_ms != due_ms)
        jr_outbox_remove(txn, &entry);
    entry.due_ms = entry.waiting_ms = due_ms;
    if (due_ms != 0 && report->due_ms != due_ms)
        jr_outbox_put(txn, &entry);
    report->due_ms = due_ms;
    report->known = true;
    jr_writer_init(&writer, record, sizeof record);
    jr_report_encode(report, &writer);
    jr_txn_put(txn, JR_TABLE_RUNS, key, key_length, record, writer.length);
}

void jr_reports_note(struct jr_txn *txn, const struct jr_run *run, int64_t now_ms)
{
    int64_t due_ms = now_ms + JR_REPORTS_SETTLE_MS;
    struct jr_report_standing standing;
    struct jr_report report;

    jr_reports_load(txn, run->run_id, &report);
    jr_report_stands(run, false, &standing);
    if (!report.known && !standing.for_check && !standing.for_comment)
        return;
    report.news++;
    if (report.due_ms != 0 && report.due_ms < due_ms)
        due_ms = report.due_ms;
    jr_reports_save(txn, run->run_id, &report, due_ms);
}

bool jr_reports_next(struct jr_txn *txn, int64_t *due_ms, uint64_t *run_id)
{
    struct jr_due entry = { .kind = JR_DUE_REPORT, .due_ms = *due_ms, .run_id = *run_id };

    if (!jr_outbox_next(txn, JR_DUE_REPORT, &entry))
        return false;
    *due_ms = entry.due_ms;
    *run_id = entry.run_id;
    return true;
}

void jr_reports_drop(struct jr_txn *txn, int64_t due_ms, uint64_t run_id)
{
    struct jr_due entry = { .kind = JR_DUE_REPORT, .due_ms = due_ms, .run_id = run_id };

    jr_outbox_remove(txn, &entry);
}

unsigned jr_reports_waiting(struct jr_txn *txn, int64_t by_ms, unsigned most)
{
    struct jr_due entry = { .kind = 0 };
    unsigned count = 0;

    while (count < most && jr_outbox_next(txn, JR_DUE_REPORT, &entry) && entry.due_ms <= by_ms)
        count++;
    return count;
}

/* How many were written in each minute: that which has begun first. */
struct written {
    int64_t minute; /* since 1970 */
    uint16_t counts[MINUTES];
};

static void load_written(struct jr_txn *txn, int64_t now_ms, struct written *written)
{
    unsigned char record[16 + 2 * MINUTES];
    int64_t minute = now_ms / JR_MINUTE_MS, passed;
    struct jr_reader reader;
    size_t length;

    memset(written, 0, sizeof *written);
    if (jr_txn_get(txn, JR_TABLE_META, written_key, sizeof written_key - 1, record, sizeof record,
                   &length)) {
        jr_reader_init(&reader, record, length);
        written->minute = (int64_t)jr_read_u64(&reader);
        for (size_t i = 0; i < MINUTES; i++)
            written->counts[i] = jr_read_u16(&reader);
        if (!reader.ok)
            memset(written, 0, sizeof *written);
    }
    /* A clock that was set back makes none of them older. */
    passed = minute > written->minute ? minute - written->minute : 0;
    if (passed > MINUTES)
        passed = MINUTES;
    memmove(written->counts + passed, written->counts,
            (size_t)(MINUTES - passed) * sizeof *written->counts);
    memset(written->counts, 0, (size_t)passed * sizeof *written->counts);
    written->minute = minute;
}

int64_t jr_reports_interval_ms(void)
{
    return JR_MINUTE_MS / jr_test_reports(JR_REPORTS_A_MINUTE);
}

int64_t jr_reports_wait_ms(struct jr_txn *txn, int64_t now_ms)
{
    int64_t a_minute = jr_test_reports(JR_REPORTS_A_MINUTE), hour = 0, minute;
    int64_t an_hour = a_minute > JR_REPORTS_AN_HOUR ? INT64_MAX : JR_REPORTS_AN_HOUR;
    struct written written;

    load_written(txn, now_ms, &written);
    for (size_t i = 0; i < MINUTES; i++)
        hour += written.counts[i];
    minute = written.counts[0] + written.counts[1];
    if (hour < an_hour && minute < a_minute)
        return 0;
    return JR_MINUTE_MS - now_ms % JR_MINUTE_MS;
}

void jr_reports_count(struct jr_txn *txn, int64_t now_ms)
{
    unsigned char record[16 + 2 * MINUTES];
    struct jr_writer writer;
    struct written written;

    load_written(txn, now_ms, &written);
    if (written.counts[0] < UINT16_MAX)
        written.counts[0]++;
    jr_writer_init(&writer, record, sizeof record);
    jr_write_u64(&writer, (uint64_t)written.minute);
    for (size_t i = 0; i < MINUTES; i++)
        jr_write_u16(&writer, written.counts[i]);
    jr_txn_put(txn, JR_TABLE_META, written_key, sizeof written_key - 1, record, writer.length);
}
