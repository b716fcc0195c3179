/*
 * text -- copies, wildcards, names of repositories, hexadecimal, lists.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct copy_row {
    const char *name, *text;
    size_t size;
    const char *want;
    bool whole;
};

static void copied(void **state)
{
    const struct copy_row *row = *state;
    /* Just as large as said, so that a byte too many is seen. */
    char *copy = malloc(row->size);

    assert_non_null(copy);
    assert_int_equal(jr_text_copy(copy, row->size, row->text), row->whole);
    assert_string_equal(copy, row->want);
    free(copy);
}

static const struct copy_row copies[] = {
    { "NULL", NULL, 4, "", true },
    { "empty", "", 1, "", true },
    { "shorter", "abc", 8, "abc", true },
    { "fits just", "abc", 4, "abc", true },
    { "one too long", "abcd", 4, "abc", false },
    { "room for nothing", "abc", 1, "", false },
    { "cut before two bytes", "ab\xc3\xa9", 4, "ab", false },
    { "cut after two bytes", "a\xc3\xa9z", 4, "a\xc3\xa9", false },
    { "cut inside three bytes", "\xe2\x82\xac", 3, "", false },
    { "cut inside four bytes", "a\xf0\x9f\x98\x80", 5, "a", false },
    { "cut between characters", "\xc3\xa9\xc3\xa9", 3, "\xc3\xa9", false },
    { "not UTF-8", "\x80\x80\x80\x80", 3, "", false },
};

struct match_row {
    const char *name, *pattern, *value;
    bool want;
};

static void matched(void **state)
{
    const struct match_row *row = *state;

    assert_int_equal(jr_text_match(row->pattern, row->value), row->want);
}

static const struct match_row matches[] = {
    { "the same", "main", "main", true },
    { "without case", "MAIN", "maiN", true },
    { "another", "main", "master", false },
    { "only the beginning", "main", "maintenance", false },
    { "only the end", "main", "domain", false },
    { "empty and empty", "", "", true },
    { "empty and not", "", "a", false },
    { "not and empty", "a", "", false },
    { "* and empty", "*", "", true },
    { "* and anything", "*", "release/1.2", true },
    { "* at the end", "release/*", "Release/1.2", true },
    { "* at the end, not so long", "release/*", "release", false },
    { "* at the beginning", "*[bot]", "dependabot[bot]", true },
    { "brackets are no set", "[bot]", "b", false },
    { "brackets stand for themselves", "renovate[bot]", "renovate[bot]", true },
    { "* in the middle", "a*c", "abbc", true },
    { "* in the middle, of nothing", "a*c", "ac", true },
    { "* has to go back", "*abc", "ababc", true },
    { "* has to go back twice", "*ab*cd", "aabxcxcd", true },
    { "many *", "**a**", "bab", true },
    { "? and one", "v?", "v1", true },
    { "? and none", "v?", "v", false },
    { "? and two", "v?", "v12", false },
    { "? and a character of three bytes", "v?x", "v\xe2\x82\xacx", true },
    { "?? and a character of two bytes", "??", "\xc3\xa9", false },
    { "backslash stands for itself", "a\\*", "a\\b", true },
    { "backslash does not quote", "a\\*", "a*", false },
    { "letters beyond ASCII keep their case", "\xc3\x89", "\xc3\xa9", false },
};

/* What a naive matcher needs years for. */
static void hard_pattern_takes_no_time(void **state)
{
    char value[2001];

    (void)state;
    memset(value, 'a', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    assert_false(jr_text_match("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", value));
}

struct name_row {
    const char *name, *text;
    bool want;
};

static void full_name(void **state)
{
    const struct name_row *row = *state;

    assert_int_equal(jr_text_is_full_name(row->text), row->want);
}

#define TEN     "abcdefghij"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct name_row full_names[] = {
    { "plain", "octo/app", true },
    { "all that is allowed", "Octo-Org_x1/A.b-c_9", true },
    { "a dot first", "octo/.github", true },
    { "three dots", "octo/...", true },
    { "as long as allowed", HUNDRED "/" HUNDRED, true },
    { "owner too long", HUNDRED "x/app", false },
    { "name too long", "octo/" HUNDRED "x", false },
    { "empty", "", false },
    { "no slash", "octo", false },
    { "no owner", "/app", false },
    { "no name", "octo/", false },
    { "only a slash", "/", false },
    { "two slashes", "octo/app/x", false },
    { "two slashes together", "octo//app", false },
    { "slash at the end", "octo/app/", false },
    { "the folder", "octo/.", false },
    { "the folder above", "octo/..", false },
    { "owner is the folder above", "../app", false },
    { "out of the path", "octo/../../orgs/x", false },
    { "query", "octo/app?x=1", false },
    { "fragment", "octo/app#x", false },
    { "escape", "octo/%2e%2e", false },
    { "blank", "octo/a b", false },
    { "line feed", "octo/app\nX: y", false },
    { "line feed at the end", "octo/app\n", false },
    { "carriage return", "octo/app\r\n", false },
    { "backslash", "octo\\app", false },
    { "user in front", "me@octo/app", false },
    { "host", "//evil.example/app", false },
    { "colon", "octo:x/app", false },
    { "not ASCII", "octo/\xc3\xa1pp", false },
    { "DEL", "octo/app\x7f", false },
};

struct hex_row {
    const char *name, *text;
    size_t size;
    bool want;
    const char *bytes;
};

static void from_hex(void **state)
{
    const struct hex_row *row = *state;
    unsigned char bytes[4] = { 0 };

    assert_int_equal(jr_text_from_hex(row->text, bytes, row->size), row->want);
    if (row->want)
        assert_memory_equal(bytes, row->bytes, row->size);
}

static const struct hex_row hex[] = {
    { "lower case", "00ff7a", 3, true, "\x00\xff\x7a" },
    { "upper case", "00FF7A", 3, true, "\x00\xff\x7a" },
    { "nothing", "", 0, true, "" },
    { "too short", "00ff7", 3, false, "" },
    { "too long", "00ff7a0", 3, false, "" },
    { "no digit", "00fg7a", 3, false, "" },
    { "sign", "+0ff7a", 3, false, "" },
    { "blank", " 0ff7a", 3, false, "" },
    { "0x", "0x0011", 3, false, "" },
};

struct base64_row {
    const char *name, *text;
    const char *want; /* NULL: it is none */
};

static void from_base64(void **state)
{
    const struct base64_row *row = *state;
    size_t length;
    char *bytes = jr_text_from_base64(row->text, 6, &length);

    assert_int_equal(bytes == NULL, row->want == NULL);
    if (bytes != NULL) {
        assert_int_equal(length, strlen(row->want));
        assert_string_equal(bytes, row->want);
    }
    free(bytes);
}

static const struct base64_row base64[] = {
    { "nothing", "", "" },
    { "one", "Zg==", "f" },
    { "two", "Zm8=", "fo" },
    { "three", "Zm9v", "foo" },
    { "all there may be, in lines", "Zm9v\r\nYmFy\n", "foobar" },
    { "more", "Zm9vYmFyYg==", NULL },
    { "without its end", "Zm9vYg", "foob" },
    { "a digit alone", "Zm9vY", NULL },
    { "no digit", "Zm-v", NULL },
    { "more behind its end", "Zg==Zg==", NULL },
};

static void digits(void **state)
{
    static const uint64_t numbers[] = { 0, 7, 10, 202, 30000000000, UINT64_MAX };
    char want[32], room[JR_DIGITS_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        snprintf(want, sizeof want, "%llu", (unsigned long long)numbers[i]);
        assert_string_equal(jr_text_digits(numbers[i], room), want);
    }
}

static void to_hex(void **state)
{
    char text[9];

    (void)state;
    jr_text_to_hex((const unsigned char *)"\x00\xff\x7a\x10", 4, text);
    assert_string_equal(text, "00ff7a10");
}

struct utf8_row {
    const char *name, *text;
    size_t want;
};

static void utf8_length(void **state)
{
    const struct utf8_row *row = *state;

    assert_int_equal(jr_text_utf8_length(row->text), row->want);
}

static const struct utf8_row utf8[] = {
    { "one byte", "ab", 1 },
    { "the NUL", "", 1 },
    { "the last of one byte", "\x7f", 1 },
    { "the first of two", "\xc2\x80", 2 },
    { "the last of two", "\xdf\xbf", 2 },
    { "the first of three", "\xe0\xa0\x80", 3 },
    { "before the surrogates", "\xed\x9f\xbf", 3 },
    { "behind the surrogates", "\xee\x80\x80", 3 },
    { "the first of four", "\xf0\x90\x80\x80", 4 },
    { "the last of all", "\xf4\x8f\xbf\xbf", 4 },
    { "beyond the last", "\xf4\x90\x80\x80", 0 },
    { "a surrogate", "\xed\xa0\x80", 0 },
    { "one byte as two", "\xc1\xbf", 0 },
    { "two bytes as three", "\xe0\x9f\xbf", 0 },
    { "three bytes as four", "\xf0\x8f\xbf\xbf", 0 },
    { "the inside of a character", "\x80", 0 },
    { "cut after one of two", "\xc3", 0 },
    { "cut after two of three", "\xe2\x82", 0 },
    { "cut by a letter", "\xe2\x82z", 0 },
    { "no first byte", "\xf8\x88\x80\x80\x80", 0 },
    { "no byte of UTF-8", "\xff", 0 },
};

struct list_row {
    const char *name, *text;
    size_t count;
    const char *items[4];
};

static void list_of(void **state)
{
    const struct list_row *row = *state;
    struct jr_list list;

    assert_int_equal(jr_list_parse(&list, row->text), JR_OK);
    assert_int_equal(list.count, row->count);
    for (size_t i = 0; i < row->count; i++)
        assert_string_equal(list.items[i], row->items[i]);
    jr_list_release(&list);
    assert_int_equal(list.count, 0);
    assert_null(list.items);
}

static const struct list_row lists[] = {
    { "empty", "", 0, { NULL } },
    { "blanks", " \t ", 0, { NULL } },
    { "commas", ",, ,", 0, { NULL } },
    { "one", "main", 1, { "main" } },
    { "three", "a,b,c", 3, { "a", "b", "c" } },
    { "blanks round them", " a , b\t,\tc ", 3, { "a", "b", "c" } },
    { "blanks inside one", "Deploy to production, Release", 2, { "Deploy to production", "Release" } },
    { "empty ones", ",a,,b,", 2, { "a", "b" } },
    { "no other mark", "a;b c", 1, { "a;b c" } },
};

static void list_matches_any(void **state)
{
    struct jr_list list, none = { .count = 0 };

    (void)state;
    assert_int_equal(jr_list_parse(&list, "main, release/*"), JR_OK);
    assert_true(jr_list_match(&list, "main"));
    assert_true(jr_list_match(&list, "RELEASE/2"));
    assert_false(jr_list_match(&list, "dev"));
    assert_false(jr_list_match(&list, ""));
    assert_false(jr_list_match(&none, ""));
    assert_false(jr_list_match(&none, "main"));
    jr_list_release(&list);
    jr_list_release(&none);
}

struct distance_row {
    const char *name, *a, *b;
    size_t want;
    bool near;
};

static void distance(void **state)
{
    const struct distance_row *row = *state;

    assert_int_equal(jr_text_distance(row->a, row->b), row->want);
    assert_int_equal(jr_text_distance(row->b, row->a), row->want);
    assert_int_equal(jr_text_is_near(row->a, row->b), row->near);
    assert_int_equal(jr_text_is_near(row->b, row->a), row->near);
}

#define LONG_WORD "0123456789012345678901234567890123456789012345678901234567890123"

static const struct distance_row distances[] = {
    { "the same", "RUN_ATTEMPTS", "RUN_ATTEMPTS", 0, true },
    { "without case", "run_attempts", "RUN_ATTEMPTS", 0, true },
    { "nothing", "", "", 0, true },
    { "nothing and something", "", "abc", 3, false },
    { "one left out", "RUN_ATTEMPT", "RUN_ATTEMPTS", 1, true },
    { "one put in", "REPOSS", "REPOS", 1, true },
    { "another", "POST", "PORT", 1, true },
    { "neighbours in each other's place", "DRY_RNU", "DRY_RUN", 1, true },
    { "several of a long one", "NO_RETRY_WORKFLOW", "NO_RETRY_WORKFLOWS", 1, true },
    { "two of a short one", "LANG", "LIST", 3, false },
    { "one of a very short one", "ps", "rs", 1, false },
    { "three of a long one", "RETRY_CONCLUSION_", "RETRCONCLUSIONS", 3, true },
    { "four of a long one", "NO_RETRY", "NO_RETRY_LST", 4, false },
    { "the longest", LONG_WORD, LONG_WORD, 0, true },
    { "longer", LONG_WORD "4", LONG_WORD "4", SIZE_MAX, false },
};

int main(void)
{
    TABLE(copies, copied);
    TABLE(matches, matched);
    TEST(hard_pattern_takes_no_time);
    TABLE(distances, distance);
    TABLE(full_names, full_name);
    TABLE(hex, from_hex);
    TABLE(base64, from_base64);
    TEST(to_hex);
    TEST(digits);
    TABLE(utf8, utf8_length);
    TABLE(lists, list_of);
    TEST(list_matches_any);
    return run_program("text");
}
