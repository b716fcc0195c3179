/*
 * codec -- the bytes of stored records: big-endian numbers, counted strings.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/codec.h"

#include <string.h>

void jr_writer_init(struct jr_writer *writer, void *bytes, size_t size)
{
    writer->bytes = bytes;
    writer->size = size;
    writer->length = 0;
    writer->ok = true;
}

void jr_write_bytes(struct jr_writer *writer, const void *bytes, size_t size)
{
    if (!writer->ok || size > writer->size - writer->length) {
        writer->ok = false;
        return;
    }
    if (size > 0)
        memcpy(writer->bytes + writer->length, bytes, size);
    writer->length += size;
}

/* Write the low `size` bytes of value, the highest first. */
static void write_number(struct jr_writer *writer, uint64_t value, size_t size)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> (8 * (size - 1 - i)));
    jr_write_bytes(writer, bytes, size);
}

void jr_write_u8(struct jr_writer *writer, uint8_t value)
{
    write_number(writer, value, 1);
}

void jr_write_u16(struct jr_writer *writer, uint16_t value)
{
    write_number(writer, value, 2);
}

void jr_write_u32(struct jr_writer *writer, uint32_t value)
{
    write_number(writer, value, 4);
}

void jr_write_u64(struct jr_writer *writer, uint64_t value)
{
    write_number(writer, value, 8);
}

void jr_write_short(struct jr_writer *writer, uint64_t value)
{
    unsigned char bytes[10];
    bool room = writer->ok && writer->size - writer->length >= sizeof bytes;
    unsigned char *to = room ? writer->bytes + writer->length : bytes;
    size_t length = 0;

    for (; value > 0x7f; value >>= 7)
        to[length++] = (unsigned char)(0x80 | (value & 0x7f));
    to[length++] = (unsigned char)value;
    if (room)
        writer->length += length;
    else
        jr_write_bytes(writer, bytes, length);
}

void jr_write_time(struct jr_writer *writer, int64_t time_ms)
{
    jr_write_u64(writer,
                 time_ms < 0 ? 0 : (uint64_t)(time_ms < JR_TIME_MOST ? time_ms : JR_TIME_MOST));
}

void jr_write_text(struct jr_writer *writer, const char *text)
{
    size_t length = strlen(text);

    if (length > UINT16_MAX) {
        writer->ok = false;
        return;
    }
    jr_write_u16(writer, (uint16_t)length);
    jr_write_bytes(writer, text, length);
}

void jr_reader_init(struct jr_reader *reader, const void *bytes, size_t size)
{
    reader->bytes = bytes;
    reader->size = size;
    reader->offset = 0;
    reader->ok = true;
}

/* The next `size` bytes, or NULL when there are not that many. */
static const unsigned char *take(struct jr_reader *reader, size_t size)
{
    const unsigned char *bytes;

    if (!reader->ok || size > reader->size - reader->offset) {
        reader->ok = false;
        return NULL;
    }
    bytes = reader->bytes + reader->offset;
    reader->offset += size;
    return bytes;
}

static uint64_t read_number(struct jr_reader *reader, size_t size)
{
    const unsigned char *bytes = take(reader, size);
    uint64_t value = 0;

    for (size_t i = 0; bytes != NULL && i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

uint8_t jr_read_u8(struct jr_reader *reader)
{
    return (uint8_t)read_number(reader, 1);
}

uint16_t jr_read_u16(struct jr_reader *reader)
{
    return (uint16_t)read_number(reader, 2);
}

uint32_t jr_read_u32(struct jr_reader *reader)
{
    return (uint32_t)read_number(reader, 4);
}

uint64_t jr_read_u64(struct jr_reader *reader)
{
    return read_number(reader, 8);
}

uint64_t jr_read_short(struct jr_reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; reader->ok && reader->offset < reader->size; shift += 7) {
        unsigned char byte = reader->bytes[reader->offset++];

        if (shift > 63 || (shift == 63 && byte > 1))
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte <= 0x7f)
            return value;
    }
    reader->ok = false;
    return 0;
}

int64_t jr_read_time(struct jr_reader *reader)
{
    uint64_t value = jr_read_u64(reader);

    if (value > JR_TIME_MOST) {
        reader->ok = false;
        return 0;
    }
    return (int64_t)value;
}

void jr_read_text(struct jr_reader *reader, char *text, size_t size)
{
    size_t length = jr_read_u16(reader);
    const unsigned char *bytes = take(reader, length);

    text[0] = '\0';
    if (bytes == NULL)
        return;
    if (length >= size || memchr(bytes, '\0', length) != NULL) {
        reader->ok = false;
        return;
    }
    memcpy(text, bytes, length);
    text[length] = '\0';
}
