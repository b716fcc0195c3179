/*
 * json -- what is JSON and what is not, and members of every type.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/json.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

struct parse_row {
    const char *name, *text;
    enum jr_err want;
    size_t length; /* 0: that of the text */
};

static void parsed(void **state)
{
    const struct parse_row *row = *state;
    size_t length = row->length != 0 ? row->length : strlen(row->text);
    struct jr_error error = { .code = JR_OK };
    /* Just as large as it has to be, so that a byte too many is seen. */
    char *text = calloc(1, length + 1);
    json_object *root = NULL;

    assert_non_null(text);
    memcpy(text, row->text, length);
    assert_int_equal(jr_json_parse(text, length, &root, &error), row->want);
    if (row->want != JR_OK) {
        assert_null(root);
        assert_int_equal(error.code, row->want);
        assert_true(error.text[0] != '\0');
    }
    json_object_put(root);
    free(text);
}

static const struct parse_row documents[] = {
    { "an object", "{\"a\": [1, -2.5e3, true, false, null, \"x\"]}", JR_OK, 0 },
    { "an empty object", "{}", JR_OK, 0 },
    { "white space round it", " \t\r\n{} \t\r\n", JR_OK, 0 },
    { "null", "null", JR_OK, 0 },
    { "escapes", "{\"a\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}", JR_OK, 0 },
    { "a character outside the first plane", "{\"a\": \"\\ud83d\\ude00\"}", JR_OK, 0 },
    { "UTF-8", "{\"a\": \"\xf0\x9f\x98\x80\"}", JR_OK, 0 },

    { "nothing", "", JR_EINVAL, 0 },
    { "white space", "  ", JR_EINVAL, 0 },
    { "half an object", "{\"a\": 1", JR_EINVAL, 0 },
    { "half a string", "{\"a\": \"x", JR_EINVAL, 0 },
    { "text after it", "{} x", JR_EINVAL, 0 },
    { "a second value", "{}{}", JR_EINVAL, 0 },
    { "a NUL after it", "{}\0", JR_EINVAL, 3 },
    { "a NUL inside", "{\"a\":\0 1}", JR_EINVAL, 9 },
    { "a byte order mark", "\xef\xbb\xbf{}", JR_EINVAL, 0 },
    { "a comment", "{} // x", JR_EINVAL, 0 },
    { "a comment inside", "{/* x */}", JR_EINVAL, 0 },
    { "a comma too many", "{\"a\": 1,}", JR_EINVAL, 0 },
    { "a comma too many in an array", "[1,]", JR_EINVAL, 0 },
    { "a leading zero", "{\"a\": 01}", JR_EINVAL, 0 },
    { "a name without quotes", "{a: 1}", JR_EINVAL, 0 },
    { "capital letters", "{\"a\": TRUE}", JR_EINVAL, 0 },
    { "bad UTF-8", "{\"a\": \"\xff\"}", JR_EINVAL, 0 },
    { "half a character", "{\"a\": \"\xe2\x82\"}", JR_EINVAL, 0 },
    { "an escape that there is not", "{\"a\": \"\\x\"}", JR_EINVAL, 0 },
    { "single quotes, as json-c takes them", "{'a': 1}", JR_OK, 0 },
    { "NaN, as json-c takes it", "{\"a\": NaN}", JR_OK, 0 },
    { "a NUL in a string", "{\"a\": \"\\u0000:\", \"b\": [\"\\u0000\"]}", JR_OK, 0 },
    { "four zeros in a name", "{\"\\\\u0000\": 1, \"u0000\": \"\\u0000\"}", JR_OK, 0 },
    { "a NUL in a name", "{\"a\\u0000\": 1}", JR_EINVAL, 0 },
    { "a NUL in a name deeper down", "{\"a\": [\"'\", {\"b\\\\\\u0000c\"\t: 1}]}", JR_EINVAL, 0 },
    { "a NUL in a name behind one in a string", "{\"a\": \"\\u0000\\\"\", \"\\u0000\": 1}", JR_EINVAL, 0 },
    { "a NUL in a name in single quotes", "{'a\\u0000\"': 1}", JR_EINVAL, 0 },
    { "a form", "payload=%7B%7D", JR_EINVAL, 0 },
};

/* What came before a text, good or spoilt, large or small, changes nothing about it. */
static void one_after_the_other(void **state)
{
    static const char good[] = "{\"a\":[\"\\u00e9\",\"\\ud83d\\ude00\",1,-2.5e3,null],\"b\":{\"c\":\"\\ud83d\"}}";
    static const char *const halves[] = {
        "{\"a\":\"\\ud83d", "{\"a\":\"\\ud83d\\u", "{\"a\":\"\\u0", "\"\\ud83d\"", "-", "{\"a\":'", "[1,2", "{\"a\":1.5e", "nul",
    };
    char *large = malloc(200001), *first = NULL;
    struct jr_error error;
    json_object *root;

    (void)state;
    assert_non_null(large);
    memset(large, '"', 200000);
    memset(large + 1, 'x', 199998);
    large[200000] = '\0';
    for (size_t i = 0; i <= COUNT(documents) + COUNT(halves) + 1; i++) {
        const char *before = i < COUNT(documents)                    ? documents[i].text
                             : i < COUNT(documents) + COUNT(halves)  ? halves[i - COUNT(documents)]
                             : i == COUNT(documents) + COUNT(halves) ? large
                                                                     : good;

        assert_int_equal(jr_json_parse(good, sizeof good - 1, &root, &error), JR_OK);
        if (first == NULL)
            first = strdup(json_object_to_json_string(root));
        assert_string_equal(json_object_to_json_string(root), first);
        json_object_put(root);
        if (jr_json_parse(before, strlen(before), &root, &error) == JR_OK)
            json_object_put(root);
    }
    free(first);
    free(large);
}

static enum jr_err parse_nested(unsigned depth)
{
    char text[512];
    json_object *root;
    enum jr_err err;

    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    err = jr_json_parse(text, 2 * depth, &root, NULL);
    json_object_put(root);
    return err;
}

static void at_most_64_levels(void **state)
{
    (void)state;
    assert_int_equal(parse_nested(63), JR_OK);
    assert_int_equal(parse_nested(64), JR_OK);
    assert_int_equal(parse_nested(65), JR_EINVAL);
    assert_int_equal(parse_nested(250), JR_EINVAL);
}

/* Each member of this and what it is. */
static const char members_text[] =
    "{\"object\": {\"x\": 1}, \"array\": [1], \"null\": null, \"text\": \"caf\xc3\xa9\","
    " \"empty\": \"\", \"nul\": \"a\\u0000b\", \"one\": 1, \"zero\": 0, \"minus\": -1,"
    " \"too long\": \"\xc0\xaf\", \"double\": 1.0, \"exponent\": 1e3, \"bool\": true, \"digits\": \"12\","
    " \"large\": 100520616165, \"beyond 53 bits\": 9007199254740993,"
    " \"2^63-2\": 9223372036854775806, \"2^63-1\": 9223372036854775807,"
    " \"2^63\": 9223372036854775808, \"2^64\": 18446744073709551616,"
    " \"time\": \"2026-11-20T00:00:00Z\", \"twice\": 1, \"twice\": 2}";

static json_object *members(void)
{
    json_object *root;

    assert_int_equal(jr_json_parse(members_text, strlen(members_text), &root, NULL), JR_OK);
    return root;
}

struct member_row {
    const char *name;
    enum jr_json object, array, id, text;
    uint64_t number;
    const char *string;
};

static void member_is(void **state)
{
    const struct member_row *row = *state;
    json_object *root = members(), *member;
    uint64_t number = 7;
    char text[64] = "before";

    assert_int_equal(jr_json_get_object(root, row->name, &member), row->object);
    assert_int_equal(member != NULL, row->object == JR_JSON_OK);
    assert_int_equal(jr_json_get_array(root, row->name, &member), row->array);
    assert_int_equal(member != NULL, row->array == JR_JSON_OK);
    assert_int_equal(jr_json_get_id(root, row->name, &number), row->id);
    assert_true(number == row->number);
    assert_int_equal(jr_json_get_text(root, row->name, text, sizeof text), row->text);
    assert_string_equal(text, row->string);
    json_object_put(root);
}

#define OK  JR_JSON_OK
#define NO  JR_JSON_WRONG
#define NIL JR_JSON_ABSENT

static const struct member_row member_types[] = {
    { "object", OK, NO, NO, NO, 0, "" },
    { "array", NO, OK, NO, NO, 0, "" },
    { "null", NIL, NIL, NIL, NIL, 0, "" },
    { "not there", NIL, NIL, NIL, NIL, 0, "" },
    { "text", NO, NO, NO, OK, 0, "caf\xc3\xa9" },
    { "empty", NO, NO, NO, OK, 0, "" },
    { "nul", NO, NO, NO, NO, 0, "" },
    { "too long", NO, NO, NO, NO, 0, "" },
    { "one", NO, NO, OK, NO, 1, "" },
    { "zero", NO, NO, NO, NO, 0, "" },
    { "minus", NO, NO, NO, NO, 0, "" },
    { "double", NO, NO, NO, NO, 0, "" },
    { "exponent", NO, NO, NO, NO, 0, "" },
    { "bool", NO, NO, NO, NO, 0, "" },
    { "digits", NO, NO, NO, OK, 0, "12" },
    { "large", NO, NO, OK, NO, UINT64_C(100520616165), "" },
    { "beyond 53 bits", NO, NO, OK, NO, UINT64_C(9007199254740993), "" },
    { "2^63-2", NO, NO, OK, NO, INT64_MAX - 1, "" },
    { "2^63", NO, NO, NO, NO, 0, "" },
    { "2^64", NO, NO, NO, NO, 0, "" },
};

/* What is no object has no members, whatever is asked. */
static void not_an_object(void **state)
{
    json_object *root = members(), *member, *array;
    uint64_t number;
    char text[8];

    (void)state;
    assert_int_equal(jr_json_get_array(root, "array", &array), JR_JSON_OK);
    assert_int_equal(jr_json_get_object(array, "x", &member), JR_JSON_ABSENT);
    assert_int_equal(jr_json_get_array(NULL, "x", &member), JR_JSON_ABSENT);
    assert_int_equal(jr_json_get_id(NULL, "x", &number), JR_JSON_ABSENT);
    assert_int_equal(jr_json_get_text(NULL, "x", text, sizeof text), JR_JSON_ABSENT);
    assert_string_equal(text, "");
    assert_int_equal(jr_json_get_time(array, "x"), 0);
    json_object_put(root);
}

static void items(void **state)
{
    static const char text[] = "{\"list\": [\"one\", null, 2, \"\\u0000\", \"longer\", \"\"]}";
    static const struct {
        enum jr_json found;
        const char *text;
    } want[] = {
        { OK, "one" }, { NO, "" }, { NO, "" }, { NO, "" }, { OK, "long" }, { OK, "" }, { JR_JSON_ABSENT, "" },
    };
    json_object *root, *list;
    char item[5];

    (void)state;
    assert_int_equal(jr_json_parse(text, strlen(text), &root, NULL), JR_OK);
    assert_int_equal(jr_json_get_array(root, "list", &list), JR_JSON_OK);
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(jr_json_get_item_text(list, i, item, sizeof item), want[i].found);
        assert_string_equal(item, want[i].text);
    }
    assert_int_equal(jr_json_get_item_text(root, 0, item, sizeof item), JR_JSON_ABSENT);
    assert_int_equal(jr_json_get_item_text(NULL, 0, item, sizeof item), JR_JSON_ABSENT);
    json_object_put(root);
}

static void long_text_is_cut(void **state)
{
    json_object *root = members();
    char *text = malloc(5);

    (void)state;
    assert_non_null(text);
    assert_int_equal(jr_json_get_text(root, "text", text, 5), JR_JSON_OK);
    assert_string_equal(text, "caf");
    free(text);
    json_object_put(root);
}

static void times(void **state)
{
    json_object *root = members();

    (void)state;
    assert_int_equal(jr_json_get_time(root, "time"), START_MS);
    assert_int_equal(jr_json_get_time(root, "text"), 0);
    assert_int_equal(jr_json_get_time(root, "null"), 0);
    assert_int_equal(jr_json_get_time(root, "large"), 0);
    assert_int_equal(jr_json_get_time(root, "object"), 0);
    json_object_put(root);
}

int main(void)
{
    TABLE(documents, parsed);
    TEST(one_after_the_other);
    TEST(at_most_64_levels);
    TABLE(member_types, member_is);
    TEST(not_an_object);
    TEST(items);
    TEST(long_text_is_cut);
    TEST(times);
    return run_program("json");
}
