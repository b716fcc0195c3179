/*
 * report -- what is known of what was said about a run at GitHub.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/report.h"

#include <string.h>

#define REPORT_VERSION 1
#define THREAD_VERSION 1

bool jr_report_is_open(const struct jr_report *report)
{
    return (report->check_id != 0 || report->intent) && !report->completed && !report->given_up;
}

void jr_report_encode(const struct jr_report *report, struct jr_writer *writer)
{
    jr_write_u8(writer, REPORT_VERSION);
    jr_write_u64(writer, report->check_id);
    jr_write_u8(writer, report->intent);
    jr_write_u8(writer, report->completed);
    jr_write_u8(writer, report->given_up);
    jr_write_u64(writer, report->pull_request);
    jr_write_u64(writer, report->hash);
    jr_write_u32(writer, report->news);
    jr_write_u32(writer, report->tries);
    jr_write_time(writer, report->failing_ms);
    jr_write_time(writer, report->due_ms);
}

bool jr_report_decode(struct jr_report *report, const void *bytes, size_t size)
{
    struct jr_reader reader;

    memset(report, 0, sizeof *report);
    jr_reader_init(&reader, bytes, size);
    if (jr_read_u8(&reader) != REPORT_VERSION)
        return false;
    report->check_id = jr_read_u64(&reader);
    report->intent = jr_read_u8(&reader) != 0;
    report->completed = jr_read_u8(&reader) != 0;
    report->given_up = jr_read_u8(&reader) != 0;
    report->pull_request = jr_read_u64(&reader);
    report->hash = jr_read_u64(&reader);
    report->news = jr_read_u32(&reader);
    report->tries = jr_read_u32(&reader);
    report->failing_ms = jr_read_time(&reader);
    report->due_ms = jr_read_time(&reader);
    return reader.ok && reader.offset == size;
}

void jr_thread_encode(const struct jr_thread *thread, struct jr_writer *writer)
{
    jr_write_u8(writer, THREAD_VERSION);
    jr_write_u64(writer, thread->comment_id);
    jr_write_u8(writer, thread->intent);
    jr_write_u64(writer, thread->hash);
    jr_write_u32(writer, thread->tries);
    jr_write_time(writer, thread->failing_ms);
    jr_write_u8(writer, (uint8_t)thread->count);
    for (size_t i = 0; i < thread->count; i++)
        jr_write_u64(writer, thread->runs[i]);
}

bool jr_thread_decode(struct jr_thread *thread, const void *bytes, size_t size)
{
    struct jr_reader reader;

    memset(thread, 0, sizeof *thread);
    jr_reader_init(&reader, bytes, size);
    if (jr_read_u8(&reader) != THREAD_VERSION)
        return false;
    thread->comment_id = jr_read_u64(&reader);
    thread->intent = jr_read_u8(&reader) != 0;
    thread->hash = jr_read_u64(&reader);
    thread->tries = jr_read_u32(&reader);
    thread->failing_ms = jr_read_time(&reader);
    thread->count = jr_read_u8(&reader);
    if (!reader.ok || thread->count > JR_THREAD_RUNS)
        return false;
    for (size_t i = 0; i < thread->count; i++)
        thread->runs[i] = jr_read_u64(&reader);
    return reader.ok && reader.offset == size;
}

bool jr_thread_add(struct jr_thread *thread, uint64_t run_id)
{
    for (size_t i = 0; i < thread->count; i++)
        if (thread->runs[i] == run_id)
            return false;
    if (thread->count == JR_THREAD_RUNS)
        memmove(thread->runs, thread->runs + 1, --thread->count * sizeof *thread->runs);
    thread->runs[thread->count++] = run_id;
    return true;
}
