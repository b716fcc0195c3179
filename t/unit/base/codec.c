/*
 * codec -- the bytes of records.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/codec.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

static void numbers_are_big_endian(void **state)
{
    unsigned char bytes[15];
    struct jr_writer writer;

    (void)state;
    jr_writer_init(&writer, bytes, sizeof bytes);
    jr_write_u8(&writer, 0x01);
    jr_write_u16(&writer, 0x0203);
    jr_write_u32(&writer, 0x04050607);
    jr_write_u64(&writer, UINT64_C(0x08090a0b0c0d0e0f));
    assert_true(writer.ok);
    assert_int_equal(writer.length, sizeof bytes);
    assert_memory_equal(bytes, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 15);
}

static void all_that_is_written_is_read(void **state)
{
    unsigned char bytes[256];
    char text[16];
    struct jr_writer writer;
    struct jr_reader reader;

    (void)state;
    jr_writer_init(&writer, bytes, sizeof bytes);
    jr_write_u8(&writer, UINT8_MAX);
    jr_write_u16(&writer, UINT16_MAX);
    jr_write_u32(&writer, UINT32_MAX);
    jr_write_u64(&writer, UINT64_MAX);
    jr_write_time(&writer, JR_TIME_MOST);
    jr_write_time(&writer, INT64_MAX);
    jr_write_time(&writer, -5);
    jr_write_text(&writer, "");
    jr_write_text(&writer, "\xc3\xa9t\xc3\xa9");
    jr_write_bytes(&writer, "xyz", 3);
    assert_true(writer.ok);

    jr_reader_init(&reader, bytes, writer.length);
    assert_true(jr_read_u8(&reader) == UINT8_MAX);
    assert_true(jr_read_u16(&reader) == UINT16_MAX);
    assert_true(jr_read_u32(&reader) == UINT32_MAX);
    assert_true(jr_read_u64(&reader) == UINT64_MAX);
    assert_true(jr_read_time(&reader) == JR_TIME_MOST);
    assert_true(jr_read_time(&reader) == JR_TIME_MOST);
    assert_true(jr_read_time(&reader) == 0);
    jr_read_text(&reader, text, sizeof text);
    assert_string_equal(text, "");
    jr_read_text(&reader, text, sizeof text);
    assert_string_equal(text, "\xc3\xa9t\xc3\xa9");
    assert_true(reader.ok);
    assert_int_equal(reader.size - reader.offset, 3);
}

/* Any number of 64 bits, in as few bytes as it takes. */
static void short_numbers(void **state)
{
    static const struct {
        uint64_t value;
        size_t length;
    } numbers[] = { { 0, 1 }, { 127, 1 }, { 128, 2 }, { 16383, 2 }, { 16384, 3 }, { UINT64_MAX, 10 } };
    unsigned char bytes[10];
    struct jr_writer writer;
    struct jr_reader reader;

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        jr_writer_init(&writer, bytes, sizeof bytes);
        jr_write_short(&writer, numbers[i].value);
        assert_true(writer.ok);
        assert_int_equal(writer.length, numbers[i].length);
        jr_reader_init(&reader, bytes, writer.length);
        assert_true(jr_read_short(&reader) == numbers[i].value);
        assert_true(reader.ok && reader.offset == reader.size);
        /* One that is cut short is none. */
        jr_reader_init(&reader, bytes, writer.length - 1);
        assert_true(jr_read_short(&reader) == 0);
        assert_false(reader.ok);
    }
    /* Nor is one of more than 64 bits, however it goes on. */
    jr_reader_init(&reader, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
    assert_true(jr_read_short(&reader) == 0);
    assert_false(reader.ok);
    jr_reader_init(&reader, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11);
    assert_true(jr_read_short(&reader) == 0);
    assert_false(reader.ok);
}

static void writer_stops_at_the_end(void **state)
{
    unsigned char *bytes = malloc(6);
    struct jr_writer writer;

    (void)state;
    assert_non_null(bytes);
    jr_writer_init(&writer, bytes, 6);
    jr_write_u32(&writer, 1);
    jr_write_u32(&writer, 2);
    assert_false(writer.ok);
    assert_int_equal(writer.length, 4);
    jr_write_u8(&writer, 3); /* which would fit */
    assert_false(writer.ok);
    assert_int_equal(writer.length, 4);
    free(bytes);
}

struct text_row {
    const char *name;
    size_t length, room;
    bool want;
};

static void text_written(void **state)
{
    const struct text_row *row = *state;
    char *text = calloc(1, row->length + 1);
    unsigned char *bytes = malloc(row->room);
    struct jr_writer writer;

    assert_true(text != NULL && bytes != NULL);
    memset(text, 'x', row->length);
    jr_writer_init(&writer, bytes, row->room);
    jr_write_text(&writer, text);
    assert_int_equal(writer.ok, row->want);
    if (row->want)
        assert_int_equal(writer.length, row->length + 2);
    free(text);
    free(bytes);
}

static const struct text_row texts[] = {
    { "fits just", 10, 12, true },
    { "one byte too few", 10, 11, false },
    { "no room for its length", 0, 1, false },
    { "the longest", 65535, 70000, true },
    { "longer than that", 65536, 70000, false },
};

static void reader_stops_at_the_end(void **state)
{
    struct jr_reader reader;

    (void)state;
    jr_reader_init(&reader, "\x01\x02\x03", 3);
    assert_int_equal(jr_read_u16(&reader), 0x0102);
    assert_int_equal(jr_read_u32(&reader), 0);
    assert_false(reader.ok);
    assert_int_equal(jr_read_u8(&reader), 0); /* though there is one */
    assert_true(jr_read_u64(&reader) == 0);
    assert_true(jr_read_time(&reader) == 0);
    assert_false(reader.ok);
}

static void reader_of_nothing(void **state)
{
    struct jr_reader reader;

    (void)state;
    jr_reader_init(&reader, "", 0);
    assert_true(reader.ok);
    assert_int_equal(jr_read_u8(&reader), 0);
    assert_false(reader.ok);
}

struct bad_row {
    const char *name, *bytes;
    size_t length, size;
};

static void bad_text(void **state)
{
    const struct bad_row *row = *state;
    char *text = malloc(row->size);
    struct jr_reader reader;

    assert_non_null(text);
    text[0] = 'x';
    jr_reader_init(&reader, row->bytes, row->length);
    jr_read_text(&reader, text, row->size);
    assert_false(reader.ok);
    assert_string_equal(text, "");
    free(text);
}

static const struct bad_row bad_texts[] = {
    { "longer than its place", "\x00\x03"
                               "abc",
      5, 3 },
    { "longer than the record", "\x00\x04"
                                "abc",
      5, 16 },
    { "with a NUL", "\x00\x03"
                    "a\0c",
      5, 16 },
    { "half a length", "\x00", 1, 16 },
    { "nothing", "", 0, 16 },
};

static void time_too_large(void **state)
{
    struct jr_reader reader;

    (void)state;
    jr_reader_init(&reader, "\0\x04\0\0\0\0\0\x01", 8);
    assert_true(jr_read_time(&reader) == 0);
    assert_false(reader.ok);
}

int main(void)
{
    TEST(numbers_are_big_endian);
    TEST(all_that_is_written_is_read);
    TEST(short_numbers);
    TEST(writer_stops_at_the_end);
    TABLE(texts, text_written);
    TEST(reader_stops_at_the_end);
    TEST(reader_of_nothing);
    TABLE(bad_texts, bad_text);
    TEST(time_too_large);
    return run_program("codec");
}
