/*
 * codec -- the bytes of stored records: big-endian numbers, counted strings.
 *
 * Writer and reader are sticky: after the first thing that does not fit, `ok`
 * is false and nothing more is written or read, so that callers write straight
 * lines and check once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CODEC_H
#define JR_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The latest time, and the longest span of it, in ms. Nothing that is told is as far
 * away (36,000 years), and whoever adds some of them has no overflow to think of.
 */
#define JR_TIME_MOST (INT64_C(1) << 50)

struct jr_writer {
    unsigned char *bytes; /* the caller's */
    size_t size, length;
    bool ok;
};

struct jr_reader {
    const unsigned char *bytes; /* the caller's */
    size_t size, offset;
    bool ok;
};

void jr_writer_init(struct jr_writer *writer, void *bytes, size_t size);
void jr_write_u8(struct jr_writer *writer, uint8_t value);
void jr_write_u16(struct jr_writer *writer, uint16_t value);
void jr_write_u32(struct jr_writer *writer, uint32_t value);
void jr_write_u64(struct jr_writer *writer, uint64_t value);
void jr_write_short(struct jr_writer *writer, uint64_t value); /* 7 bits a byte: small ones are short */
void jr_write_time(struct jr_writer *writer, int64_t time_ms); /* negative: as 0; later: as JR_TIME_MOST */
void jr_write_text(struct jr_writer *writer, const char *text); /* up to 65535 bytes */
void jr_write_bytes(struct jr_writer *writer, const void *bytes, size_t size);

/* Numbers read after the end are 0, strings empty. */
void jr_reader_init(struct jr_reader *reader, const void *bytes, size_t size);
uint8_t jr_read_u8(struct jr_reader *reader);
uint16_t jr_read_u16(struct jr_reader *reader);
uint32_t jr_read_u32(struct jr_reader *reader);
uint64_t jr_read_u64(struct jr_reader *reader);
uint64_t jr_read_short(struct jr_reader *reader); /* more than 64 bits: not ok */
int64_t jr_read_time(struct jr_reader *reader); /* over JR_TIME_MOST: not ok */
void jr_read_text(struct jr_reader *reader, char *text, size_t size); /* too long, or with a NUL: not ok */

#endif
