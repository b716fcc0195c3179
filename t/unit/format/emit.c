/*
 * emit -- JSON and CSV, as they are written.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/emit.h"
#include "lib/base/show.h"
#include "lib/format/json.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

/* What is written between these two, checked to be JSON. */
static char *text;
static size_t size;
static FILE *stream;

static void begin(struct jr_emit *emit)
{
    stream = open_memstream(&text, &size);
    jr_emit_init(emit, stream);
}

static void expect(const char *want)
{
    struct jr_error error;
    json_object *root;

    fclose(stream);
    assert_string_equal(text, want);
    assert_int_equal(jr_json_parse(text, strlen(text), &root, &error), JR_OK);
    json_object_put(root);
    free(text);
}

static void object_of_each_kind(void **state)
{
    struct jr_emit emit;

    (void)state;
    begin(&emit);
    jr_emit_open(&emit, NULL);
    jr_emit_null(&emit, "a");
    jr_emit_bool(&emit, "b", true);
    jr_emit_bool(&emit, "c", false);
    jr_emit_number(&emit, "d", INT64_MIN);
    jr_emit_number(&emit, "e", INT64_MAX);
    jr_emit_rate(&emit, "f", 1.0 / 3);
    jr_emit_text(&emit, "g", "x");
    jr_emit_text(&emit, "h", "");
    jr_emit_text(&emit, "i", NULL);
    jr_emit_time(&emit, "j", START_MS);
    jr_emit_time(&emit, "k", 0);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
    expect("{\"a\":null,\"b\":true,\"c\":false,\"d\":-9223372036854775808,"
           "\"e\":9223372036854775807,\"f\":0.3333,\"g\":\"x\",\"h\":null,\"i\":null,"
           "\"j\":\"2026-11-20T00:00:00.000Z\",\"k\":null}\n");
}

static void nested(void **state)
{
    struct jr_emit emit;

    (void)state;
    begin(&emit);
    jr_emit_open(&emit, NULL);
    jr_emit_open_array(&emit, "a");
    jr_emit_close_array(&emit);
    jr_emit_open_array(&emit, "b");
    jr_emit_number(&emit, NULL, 1);
    jr_emit_open(&emit, NULL);
    jr_emit_close(&emit);
    jr_emit_close_array(&emit);
    jr_emit_open(&emit, "c");
    jr_emit_number(&emit, "d", 2);
    jr_emit_close(&emit);
    jr_emit_number(&emit, "e", 3);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
    expect("{\"a\":[],\"b\":[1,{}],\"c\":{\"d\":2},\"e\":3}\n");
}

static void array_with_a_line_for_each(void **state)
{
    struct jr_emit emit;

    (void)state;
    begin(&emit);
    jr_emit_open_array(&emit, NULL);
    for (int i = 0; i < 2; i++) {
        jr_emit_open(&emit, NULL);
        jr_emit_number(&emit, "a", i);
        jr_emit_open_array(&emit, "b");
        jr_emit_number(&emit, NULL, i);
        jr_emit_number(&emit, NULL, i);
        jr_emit_close_array(&emit);
        jr_emit_close(&emit);
    }
    jr_emit_close_array(&emit);
    jr_emit_end(&emit);
    expect("[\n{\"a\":0,\"b\":[0,0]},\n{\"a\":1,\"b\":[1,1]}\n]\n");
}

static void empty_array(void **state)
{
    struct jr_emit emit;

    (void)state;
    begin(&emit);
    jr_emit_open_array(&emit, NULL);
    jr_emit_close_array(&emit);
    jr_emit_end(&emit);
    expect("[\n]\n");
}

static void document_after_document(void **state)
{
    struct jr_emit emit;

    (void)state;
    stream = open_memstream(&text, &size);
    jr_emit_init(&emit, stream);
    for (int i = 0; i < 2; i++) {
        jr_emit_open(&emit, NULL);
        jr_emit_number(&emit, "a", i);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    }
    fclose(stream);
    assert_string_equal(text, "{\"a\":0}\n{\"a\":1}\n");
    free(text);
}

static const struct text_row {
    const char *name, *given, *want;
} texts[] = {
    { "C1 controls", "a\xc2\x9b" "31mb\xc2\x85\xc2\xa0", "\"a\\u009b31mb\\u0085\xc2\xa0\"" },
    { "quotes and backslashes", "a\"b\\c", "\"a\\\"b\\\\c\"" },
    { "control characters", "\x01\n\t\x1b\x7f", "\"\\u0001\\u000a\\u0009\\u001b\\u007f\"" },
    { "what turns the direction, what takes no room", "a\xe2\x80\xae" "b\xe2\x80\x8d\xef\xbb\xbf",
      "\"a\\u202eb\\u200d\\ufeff\"" },
    { "beyond 16 bits", "\xf3\xa0\x81\x81\xf4\x8f\xbf\xbf", "\"\\udb40\\udc41\\udbff\\udfff\"" },
    { "UTF-8", "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x8c\x99", "\"\xc3\xa4\xe6\x97\xa5\xf0\x9f\x8c\x99\"" },
    { "cut in a character", "a\xe6\x97", "\"a\\ufffd\\ufffd\"" },
    { "Latin-1", "\xe4\xff", "\"\\ufffd\\ufffd\"" },
    { "a surrogate", "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
    { "a slash", "a/b</script>", "\"a/b</script>\"" },
};

static void text_is_written(void **state)
{
    const struct text_row *row = *state;
    struct jr_emit emit;
    char want[TEXT_SIZE];

    begin(&emit);
    jr_emit_open(&emit, NULL);
    jr_emit_text(&emit, "a", row->given);
    jr_emit_close(&emit);
    snprintf(want, sizeof want, "{\"a\":%s}", row->want);
    expect(want);
}

/* A list of two records, of which only the keys are wanted of the first. */
static void write_list(struct jr_emit *emit, const char *name)
{
    jr_emit_open_array(emit, NULL);
    for (int i = 0; i < 2; i++) {
        jr_emit_heading(emit, i == 0);
        jr_emit_open(emit, NULL);
        jr_emit_text(emit, "name", name);
        jr_emit_number(emit, "number", -1);
        jr_emit_bool(emit, "yes", true);
        jr_emit_null(emit, "nothing");
        jr_emit_open(emit, "inside");
        jr_emit_text(emit, "name", name);
        jr_emit_open_array(emit, "list");
        jr_emit_number(emit, NULL, 1);
        jr_emit_rate(emit, NULL, 0.5);
        jr_emit_close_array(emit);
        jr_emit_close(emit);
        jr_emit_time(emit, "at", START_MS);
        jr_emit_close(emit);
    }
    jr_emit_close_array(emit);
    jr_emit_end(emit);
}

static void list_as_csv(void **state)
{
    struct jr_buffer buffer;
    struct jr_emit emit;

    (void)state;
    jr_buffer_init(&buffer, 4096);
    jr_emit_init_buffer(&emit, &buffer);
    jr_emit_as_csv(&emit);
    write_list(&emit, "a\"b");
    assert_string_equal(buffer.bytes,
                        "name,number,yes,nothing,inside,at\r\n"
                        "\"a\"\"b\",-1,true,,"
                        "\"{\"\"name\"\":\"\"a\\\"\"b\"\",\"\"list\"\":[1,0.5000]}\","
                        "2026-11-20T00:00:00.000Z\r\n");
    jr_buffer_release(&buffer);
}

/* As JSON the first record, which is the heading, is none. */
static void the_same_list_as_json(void **state)
{
    struct jr_emit emit;

    (void)state;
    begin(&emit);
    write_list(&emit, "a");
    expect("[\n{\"name\":\"a\",\"number\":-1,\"yes\":true,\"nothing\":null,"
           "\"inside\":{\"name\":\"a\",\"list\":[1,0.5000]},\"at\":\"2026-11-20T00:00:00.000Z\"}\n]\n");
}

static const struct text_row cells[] = {
    { "as it is", "a b", "a b" },
    { "a comma", "a,b", "\"a,b\"" },
    { "quotes", "\"a\"", "\"\"\"a\"\"\"" },
    { "a line feed, which is not shown", "a\nb", "\"a" JR_SHOW_INSTEAD "b\"" },
    { "=", "=1+1", "'=1+1" },
    { "= and a comma", "=A(1,2)", "\"'=A(1,2)\"" },
    { "+", "+1", "'+1" },
    { "-", "-1", "'-1" },
    { "@", "@SUM(1)", "'@SUM(1)" },
    { "a tab", "\t=1", "'" JR_SHOW_INSTEAD "=1" },
    { "carriage return", "\r=1", "\"'" JR_SHOW_INSTEAD "=1\"" },
    { "further on", "a=1", "a=1" },
    { "what turns the direction", "a\xe2\x80\xae" "b", "a" JR_SHOW_INSTEAD "b" },
    { "no UTF-8", "\xff", JR_SHOW_INSTEAD },
    { "nothing", "", "" },
};

static void cell_is_written(void **state)
{
    const struct text_row *row = *state;
    struct jr_buffer buffer;
    struct jr_emit emit;
    char want[TEXT_SIZE];

    jr_buffer_init(&buffer, 4096);
    jr_emit_init_buffer(&emit, &buffer);
    jr_emit_as_csv(&emit);
    jr_emit_open_array(&emit, NULL);
    jr_emit_open(&emit, NULL);
    jr_emit_text(&emit, "a", row->given);
    jr_emit_close(&emit);
    jr_emit_close_array(&emit);
    jr_emit_end(&emit);
    snprintf(want, sizeof want, "%s\r\n", row->want);
    assert_string_equal(buffer.bytes, want);
    jr_buffer_release(&buffer);
}

int main(void)
{
    TEST(object_of_each_kind);
    TEST(nested);
    TEST(array_with_a_line_for_each);
    TEST(empty_array);
    TEST(document_after_document);
    TEST(list_as_csv);
    TEST(the_same_list_as_json);
    TABLE(texts, text_is_written);
    TABLE(cells, cell_is_written);
    return run_program("emit");
}
