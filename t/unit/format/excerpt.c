/*
 * excerpt -- what is left of a text, and what is no JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/excerpt.h"
#include "lib/format/json.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT, A, O, X, Y, PLACES };

static const struct jr_wanted inner[] = { { JR_WANTED("x"), X, NULL }, { JR_WANTED("y"), Y, NULL }, { NULL, 0, 0, NULL } };
static const struct jr_wanted outer[] = { { JR_WANTED("a"), A, NULL }, { JR_WANTED("o"), O, inner }, { NULL, 0, 0, NULL } };
static const struct jr_wanted wanted = { JR_WANTED(""), TEXT, outer };

static enum jr_err excerpt(char *text, size_t *length, struct jr_error *error)
{
    uint32_t found[PLACES] = { JR_EXCERPT_ABSENT };

    return jr_excerpt(text, length, &wanted, found, error);
}

/* Just as large as it has to be, so that a byte too many is seen. */
static char *copy_of(const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    assert_non_null(copy);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

struct excerpt_row {
    const char *name, *text, *want; /* NULL: not JSON */
    size_t length;                  /* 0: that of the text */
    const char *found; /* what is told of each place: a digit, "-" absent, "o" an object */
};

static void excerpted(void **state)
{
    const struct excerpt_row *row = *state;
    size_t length = row->length != 0 ? row->length : strlen(row->text);
    struct jr_error error = { .code = JR_OK };
    char *text = copy_of(row->text, length), told[PLACES + 1] = "";
    uint32_t found[PLACES] = { JR_EXCERPT_ABSENT };
    enum jr_err err = jr_excerpt(text, &length, &wanted, found, &error);

    if (row->want == NULL) {
        assert_int_equal(err, JR_EINVAL);
        assert_int_equal(error.code, JR_EINVAL);
        assert_true(error.text[0] != '\0');
    } else {
        assert_int_equal(err, JR_OK);
        assert_string_equal(text, row->want);
        assert_int_equal(length, strlen(row->want));
        for (size_t i = 0; i < PLACES; i++)
            told[i] = (char)(found[i] == JR_EXCERPT_ABSENT   ? '-'
                             : found[i] == JR_EXCERPT_OBJECT ? 'o'
                                                             : '0' + (int)found[i]);
        assert_string_equal(told, row->found);
    }
    free(text);
}

static const struct excerpt_row rows[] = {
    { "a wanted member", "{\"a\": 1}", "[1]", 0, "o1---" },
    { "an unwanted one before it", "{\"b\": 2, \"a\": 1}", "[1]", 0, "o1---" },
    { "an unwanted one after it", "{\"a\": 1, \"b\": [2, {\"a\": 3}]}", "[1]", 0, "o1---" },
    { "none that is wanted", "{\"b\": 2, \"c\": {\"a\": 1}}", "[]", 0, "o----" },
    { "an empty object", " { } ", "[]", 0, "o----" },
    { "the shortest", "{}", "[]", 0, "o----" },
    { "twice", "{\"a\": 1, \"b\": 0, \"a\": 2}", "[1,2]", 0, "o2---" },
    { "an object twice", "{\"o\": {\"x\": 1}, \"o\": {\"y\": 2}}", "[1,2]", 0, "o-o-2" },
    { "an object, and then none", "{\"o\": {\"x\": 1}, \"o\": 3}", "[1,3]", 0, "o-2--" },
    { "none, and then an object", "{\"o\": 3, \"o\": {\"x\": 1}}", "[3,1]", 0, "o-o2-" },
    { "as a whole", "{\"a\": {\"q\": [1, {}], \"a\": 2}}", "[{\"q\": [1, {}], \"a\": 2}]", 0, "o1---" },
    { "blanks within what is wanted", "{\"a\" :\t[ 1 ,\r\n2 ] }", "[[ 1 ,\r\n2 ]]", 0, "o1---" },
    { "members of an object", "{\"o\": {\"z\": 1, \"x\": \"1\", \"zz\": {}, \"y\": null}}", "[\"1\",null]", 0, "o-o12" },
    { "an object without wanted members", "{\"o\": {\"z\": 1}, \"a\": 1}", "[1]", 0, "o1o--" },
    { "an empty object in it", "{\"o\": {}, \"a\": 1}", "[1]", 0, "o1o--" },
    { "an object that is none", "{\"o\": [{\"z\": 1}], \"a\": 1}", "[[{\"z\": 1}],1]", 0, "o21--" },
    { "an object that is null", "{\"o\": null}", "[null]", 0, "o-1--" },
    { "a name that is part of a wanted one", "{\"\": 0, \"aa\": 1, \"o\": {\"xy\": 1}}", "[]", 0, "o-o--" },
    { "a name with an escape", "{\"\\u0061\": 1, \"b\": 2}", "[1]", 0, "o1---" },
    { "a name with another one", "{\"\\u0062\": 1, \"\\ud800\": 3}", "[]", 0, "o----" },
    { "an escape in a name before one without", "{\"\\u0062\": 1, \"a\": 2}", "[2]", 0, "o1---" },
    { "an escape in a value before a name", "{\"b\": \"\\n\", \"a\": 2}", "[2]", 0, "o1---" },
    { "no object", " [1, {\"b\": 2}] ", "[1, {\"b\": 2}]", 0, "-----" },
    { "null", "null", "null", 0, "-----" },
    { "a number", "-12.5e-3", "-12.5e-3", 0, "-----" },
    { "a string", "\"x\"", "\"x\"", 0, "-----" },
    { "escapes", "{\"b\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\", \"a\": \"\\ud83d\\ude00\"}", "[\"\\ud83d\\ude00\"]", 0, "o1---" },
    { "a NUL in a string", "{\"b\": \"\\u0000\", \"a\": \"x\\u0000\"}", "[\"x\\u0000\"]", 0, "o1---" },
    { "four zeros in a name", "{\"\\\\u0000\": 1, \"u0000\": 2, \"a\": 3}", "[3]", 0, "o1---" },
    { "UTF-8", "{\"b\": \"\xf0\x9f\x98\x80\", \"a\": \"\xc3\xa9\"}", "[\"\xc3\xa9\"]", 0, "o1---" },
    { "numbers", "{\"b\": [0, -0, 10, 1.5, 1e3, 1E+3, 0.1e-2], \"a\": true, \"c\": false}", "[true]", 0, "o1---" },

    { "nothing", "", NULL, 0, NULL },
    { "blanks", "  ", NULL, 0, NULL },
    { "half an object", "{\"a\": 1", NULL, 0, NULL },
    { "half a name", "{\"a", NULL, 0, NULL },
    { "no value", "{\"a\":", NULL, 0, NULL },
    { "no colon", "{\"a\" 1}", NULL, 0, NULL },
    { "no name", "{1: 2}", NULL, 0, NULL },
    { "a comma too many", "{\"a\": 1,}", NULL, 0, NULL },
    { "a comma too many in an array", "[1,]", NULL, 0, NULL },
    { "no comma", "{\"a\": 1 \"b\": 2}", NULL, 0, NULL },
    { "the wrong end", "{\"b\": [1}", NULL, 0, NULL },
    { "half an array", "[1, [2]", NULL, 0, NULL },
    { "a bare word", "{\"b\": nil}", NULL, 0, NULL },
    { "half a word", "{\"b\": tru}", NULL, 0, NULL },
    { "a word in capitals", "{\"b\": TRUE}", NULL, 0, NULL },
    { "NaN", "{\"b\": NaN}", NULL, 0, NULL },
    { "single quotes", "{'a': 1}", NULL, 0, NULL },
    { "a comment", "{\"b\": /* x */ 1}", NULL, 0, NULL },
    { "a leading zero", "{\"b\": 01}", NULL, 0, NULL },
    { "a plus", "{\"b\": +1}", NULL, 0, NULL },
    { "no digit after the point", "{\"b\": 1.}", NULL, 0, NULL },
    { "no digit in the exponent", "{\"b\": 1e}", NULL, 0, NULL },
    { "only a minus", "{\"b\": -}", NULL, 0, NULL },
    { "a control character in a string", "{\"b\": \"\n\"}", NULL, 0, NULL },
    { "a bad escape", "{\"b\": \"\\x\"}", NULL, 0, NULL },
    { "half an escape", "{\"b\": \"\\", NULL, 0, NULL },
    { "half a \\u", "{\"b\": \"\\u00g0\"}", NULL, 0, NULL },
    { "the end in a \\u", "{\"b\": \"\\u0", NULL, 0, NULL },
    { "not UTF-8", "{\"b\": \"\xff\"}", NULL, 0, NULL },
    { "half a character", "{\"b\": \"\xc3\"}", NULL, 0, NULL },
    { "the end in a character", "{\"b\": \"\xf0\x9f", NULL, 0, NULL },
    { "a NUL in a name", "{\"a\\u0000\": 1}", NULL, 0, NULL },
    { "a NUL in a name that is not wanted", "{\"o\": {\"b\\\\\\u0000c\": 1}}", NULL, 0, NULL },
    { "a NUL in a name of an object in an array", "{\"a\": [{\"b\\u0000\" : 1}]}", NULL, 0, NULL },
    { "something after it", "{} x", NULL, 0, NULL },
    { "a second value", "{}{}", NULL, 0, NULL },
    { "a NUL after it", "{}\0", NULL, 3, NULL },
    { "a NUL inside", "{\"b\":\0 1}", NULL, 9, NULL },
    { "a NUL in a string", "{\"b\": \"x\0\"}", NULL, 11, NULL },
    { "a byte order mark", "\xef\xbb\xbf{}", NULL, 0, NULL },
};

static enum jr_err nested(size_t depth, const char *open, const char *close)
{
    char text[1024] = "";
    size_t length;
    struct jr_error error;

    for (size_t i = 0; i < depth; i++)
        strcat(text, open);
    strcat(text, "1");
    for (size_t i = 0; i < depth; i++)
        strcat(text, close);
    length = strlen(text);
    return excerpt(text, &length, &error);
}

static void depth(void **state)
{
    (void)state;
    assert_int_equal(nested(JR_EXCERPT_DEPTH - 1, "[", "]"), JR_OK);
    assert_int_equal(nested(JR_EXCERPT_DEPTH, "[", "]"), JR_EINVAL);
    assert_int_equal(nested(JR_EXCERPT_DEPTH - 1, "{\"b\":", "}"), JR_OK);
    assert_int_equal(nested(JR_EXCERPT_DEPTH, "{\"b\":", "}"), JR_EINVAL);
    assert_int_equal(nested(JR_EXCERPT_DEPTH, "{\"o\":", "}"), JR_EINVAL);
}

/* Whatever is done to a text: json-c takes what is left, and nothing is read beyond its end. */
static void spoilt(void **state)
{
    static const char good[] = "{\"b\":[1,-2.5e3,{\"a\":\"\\u00e9\"}],\"o\":{\"x\":\"\xc3\xa9\",\"z\":{}},\"a\":null}";
    static const char bytes[] = "{}[]\",:\\0-eE.tnu \xc3\xff\x01";
    uint32_t dice = 1;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        size_t length = sizeof good - 1;
        char *text = copy_of(good, length);
        struct jr_error error;
        json_object *root;

        for (int change = 0; change <= i % 4; change++) {
            dice = dice * 1664525 + 1013904223;
            text[(dice >> 8) % length] = bytes[(dice >> 20) % (sizeof bytes - 1)];
        }
        if (excerpt(text, &length, &error) == JR_OK) {
            assert_int_equal(strlen(text), length);
            if (jr_json_parse(text, length, &root, &error) != JR_OK)
                fail_msg("'%s': %s", text, error.text);
            json_object_put(root);
        }
        free(text);
    }
}

/* Strings are looked at many bytes at a time: what may not stand there is seen at each place. */
static void every_byte_at_every_place(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 40; length++) {
        for (size_t place = 0; place < length; place++) {
            for (int byte = 0; byte <= 255; byte++) {
                bool plain = byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
                char string[41] = "", text[64], *copy;
                size_t size;
                struct jr_error error;

                memset(string, 'x', length);
                snprintf(text, sizeof text, "[\"%s\"]", string);
                size = strlen(text);
                text[2 + place] = (char)byte;
                copy = copy_of(text, size);
                if ((excerpt(copy, &size, &error) == JR_OK) != plain)
                    fail_msg("byte %d at %zu of %zu", byte, place, length);
                free(copy);
            }
        }
    }
}

int main(void)
{
    TABLE(rows, excerpted);
    TEST(every_byte_at_every_place);
    TEST(depth);
    TEST(spoilt);
    return run_program("excerpt");
}
