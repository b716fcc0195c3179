/*
 * notice -- what people are told who do not look at the service.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/notice.h"

#include <string.h>

#define NOTICE_VERSION 1

static const char *const names[] = {
    [JR_NOTICE_GIVEN_UP] = "given-up",       [JR_NOTICE_OUTAGE] = "outage",
    [JR_NOTICE_OUTAGE_OVER] = "outage-over", [JR_NOTICE_SHUT_OUT] = "shut-out",
    [JR_NOTICE_RUNNER] = "runner",           [JR_NOTICE_RESCUE_RATE] = "rescue-rate",
    [JR_NOTICE_TEST] = "test",
};

const char *jr_notice_kind_name(enum jr_notice_kind kind)
{
    return names[kind];
}

void jr_notice_encode(const struct jr_notice *notice, struct jr_writer *writer)
{
    jr_write_u8(writer, NOTICE_VERSION);
    jr_write_time(writer, notice->at_ms);
    jr_write_u8(writer, (uint8_t)notice->kind);
    jr_write_u16(writer, (uint16_t)notice->reason);
    jr_write_short(writer, notice->run_id);
    jr_write_short(writer, notice->attempt);
    jr_write_short(writer, notice->causes);
    jr_write_text(writer, notice->repo);
    jr_write_text(writer, notice->workflow);
    jr_write_text(writer, notice->branch);
    jr_write_text(writer, notice->subject);
    jr_write_u32(writer, notice->rate.some);
    jr_write_u32(writer, notice->rate.of);
    jr_write_u32(writer, notice->rate_before.some);
    jr_write_u32(writer, notice->rate_before.of);
}

bool jr_notice_decode(struct jr_notice *notice, const void *bytes, size_t size)
{
    struct jr_reader reader;
    bool is_ours;

    memset(notice, 0, sizeof *notice);
    jr_reader_init(&reader, bytes, size);
    is_ours = jr_read_u8(&reader) == NOTICE_VERSION;
    notice->at_ms = jr_read_time(&reader);
    notice->kind = (enum jr_notice_kind)jr_read_u8(&reader);
    notice->reason = (enum jr_reason)jr_read_u16(&reader);
    notice->run_id = jr_read_short(&reader);
    notice->attempt = (uint32_t)jr_read_short(&reader);
    notice->causes = jr_read_short(&reader);
    jr_read_text(&reader, notice->repo, sizeof notice->repo);
    jr_read_text(&reader, notice->workflow, sizeof notice->workflow);
    jr_read_text(&reader, notice->branch, sizeof notice->branch);
    jr_read_text(&reader, notice->subject, sizeof notice->subject);
    notice->rate.some = jr_read_u32(&reader);
    notice->rate.of = jr_read_u32(&reader);
    notice->rate_before.some = jr_read_u32(&reader);
    notice->rate_before.of = jr_read_u32(&reader);
    return is_ours && reader.ok && reader.offset == reader.size
           && (unsigned)notice->kind < JR_NOTICE_KINDS && (unsigned)notice->reason < JR_REASONS;
}
