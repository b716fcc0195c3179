/*
 * finding -- the record of a failure, and the keys by which lines are taken for the same.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/finding.h"
#include "lib/format/yaml.h"
#include "lib/rules/signatures.h"
#include "lib/store/store.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

static void fill(char *text, size_t size, char c)
{
    memset(text, c, size - 1);
    text[size - 1] = '\0';
}

/* One in which each field differs from zero and from the others. */
static struct jr_failure full_failure(void)
{
    struct jr_failure failure = {
        .attempt = 3,
        .name = "build",
        .runner = "runner-7",
        .labels = "linux,x64",
        .conclusion = JR_CONCLUSION_TIMED_OUT,
        .started_ms = START_MS + 1,
        .completed_ms = START_MS + 2,
        .steps_found = JR_FOUND,
        .annotations_found = JR_ABSENT,
        .log_found = JR_FOUND,
        .finding = {
            .cause = JR_CAUSE_UNKNOWN,
            .signature = "some-id",
            .line = "the line",
            .unreadable = true,
            .first_error = "one\ntwo",
            .step = "Run make",
        },
        .counts = true,
        .reruns = true,
        .not_worth_it = true,
        .same_failure = true,
        .rule = "infrastructure",
    };

    return failure;
}

static size_t encode(const struct jr_failure *failure, unsigned char *record)
{
    struct jr_writer writer;

    jr_writer_init(&writer, record, JR_FAILURE_RECORD_SIZE);
    jr_failure_encode(failure, &writer);
    assert_true(writer.ok);
    return writer.length;
}

static void comes_back(void **state)
{
    struct jr_failure failure = full_failure(), read;
    unsigned char record[JR_FAILURE_RECORD_SIZE];

    (void)state;
    memset(&read, 0xa5, sizeof read);
    assert_true(jr_failure_decode(&read, record, encode(&failure, record)));
    assert_true(read.job_id == 0);
    assert_int_equal(read.attempt, 3);
    assert_string_equal(read.name, "build");
    assert_string_equal(read.runner, "runner-7");
    assert_string_equal(read.labels, "linux,x64");
    assert_int_equal(read.conclusion, JR_CONCLUSION_TIMED_OUT);
    assert_int_equal(read.started_ms, START_MS + 1);
    assert_int_equal(read.completed_ms, START_MS + 2);
    assert_int_equal(read.steps_found, JR_FOUND);
    assert_int_equal(read.annotations_found, JR_ABSENT);
    assert_int_equal(read.log_found, JR_FOUND);
    assert_int_equal(read.finding.cause, JR_CAUSE_UNKNOWN);
    assert_string_equal(read.finding.signature, "some-id");
    assert_string_equal(read.finding.line, "the line");
    assert_string_equal(read.finding.first_error, "one\ntwo");
    assert_string_equal(read.finding.step, "Run make");
    assert_string_equal(read.rule, "infrastructure");
}

/* Each of them alone: none stands for another. */
static void flags_come_back(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct jr_failure failure = { .counts = i == 0, .reruns = i == 1, .not_worth_it = i == 2,
                                      .same_failure = i == 3, .finding.unreadable = i == 4 };
        struct jr_failure read;
        unsigned char record[JR_FAILURE_RECORD_SIZE];

        assert_true(jr_failure_decode(&read, record, encode(&failure, record)));
        assert_int_equal(read.counts, i == 0);
        assert_int_equal(read.reruns, i == 1);
        assert_int_equal(read.not_worth_it, i == 2);
        assert_int_equal(read.same_failure, i == 3);
        assert_int_equal(read.finding.unreadable, i == 4);
    }
}

static void of_a_known_cause_the_first_error_is_enough(void **state)
{
    struct jr_failure failure = full_failure(), read;
    unsigned char record[JR_FAILURE_RECORD_SIZE];

    (void)state;
    failure.finding.cause = JR_CAUSE_NETWORK;
    assert_true(jr_failure_decode(&read, record, encode(&failure, record)));
    assert_string_equal(read.finding.first_error, "one");
}

static void largest_fits(void **state)
{
    struct jr_failure failure = full_failure(), read;
    unsigned char record[JR_FAILURE_RECORD_SIZE];

    (void)state;
    assert_true(JR_FAILURE_RECORD_SIZE + 100 < JR_VALUE_MAX);
    fill(failure.name, sizeof failure.name, 'n');
    fill(failure.runner, sizeof failure.runner, 'r');
    fill(failure.labels, sizeof failure.labels, 'l');
    fill(failure.rule, sizeof failure.rule, 'u');
    fill(failure.finding.signature, sizeof failure.finding.signature, 's');
    fill(failure.finding.line, sizeof failure.finding.line, 'i');
    fill(failure.finding.first_error, sizeof failure.finding.first_error, 'e');
    fill(failure.finding.step, sizeof failure.finding.step, 't');
    assert_true(jr_failure_decode(&read, record, encode(&failure, record)));
    assert_string_equal(read.finding.first_error, failure.finding.first_error);
    assert_string_equal(read.rule, failure.rule);
}

static void damaged(void **state)
{
    struct jr_failure failure = full_failure(), read;
    unsigned char record[JR_FAILURE_RECORD_SIZE + 1];
    size_t length = encode(&failure, record);

    (void)state;
    for (size_t i = 0; i < length; i++)
        assert_false(jr_failure_decode(&read, record, i));
    record[length] = 0;
    assert_false(jr_failure_decode(&read, record, length + 1));
    record[0]++;
    assert_false(jr_failure_decode(&read, record, length));
}

struct bad_row {
    const char *name;
    size_t offset;
    unsigned char byte;
};

static void bad_number(void **state)
{
    const struct bad_row *row = *state;
    struct jr_failure failure = { .attempt = 1 }, read;
    unsigned char record[JR_FAILURE_RECORD_SIZE];
    size_t length = encode(&failure, record);

    assert_true(jr_failure_decode(&read, record, length));
    record[row->offset] = row->byte;
    assert_false(jr_failure_decode(&read, record, length));
}

static const struct bad_row bad_rows[] = {
    { "conclusion", 5, JR_CONCLUSION_OTHER + 1 },
    { "steps", 7, JR_FOUND + 1 },
    { "annotations", 8, JR_FOUND + 1 },
    { "log", 9, JR_FOUND + 1 },
    { "cause between the groups", 34, 14 },
    { "cause behind the last", 34, JR_CAUSES },
};

/* A line, what it is taken for, and another one that is taken for the same. */
struct line_row {
    const char *name, *line, *key, *same;
};

static void line_key(void **state)
{
    const struct line_row *row = *state;
    char key[JR_LINE_KEY_SIZE];

    jr_failure_line_key(row->line, key, sizeof key);
    assert_string_equal(key, row->key);
    if (row->same == NULL)
        return;
    jr_failure_line_key(row->same, key, sizeof key);
    assert_string_equal(key, row->key);
}

static const struct line_row line_rows[] = {
    { "empty", "", "", "  \t" },
    { "plain", "undefined reference to `foo'", "undefined reference to `foo'", NULL },
    { "blanks", "  a \t b  ", "a b", "a b\r" },
    { "number", "took 12 tries", "took <n> tries", "took 3 tries" },
    { "with points and commas", "read 1,234.5 of 7 kB.", "read <n> of <n> kB.",
      "read 9 of 12.25 kB." },
    { "in a word", "emulator-5554 gw3 died", "emulator-<n> gw<n> died", "emulator-5556 gw11 died" },
    { "at the end", "line 7", "line <n>", "line 8" },
    { "code of a compiler", "main.ts(1,2): error TS2322: no", "main.ts(<n>): error TS2322: no",
      "main.ts(30,12): error TS2322: no" },
    { "code of an exit", "exit code 137 after 5 s", "exit code 137 after <n> s",
      "exit code 137 after 60 s" },
    { "status", "answered HTTP/1.1 503 in 2 s", "answered HTTP/1.1 503 in <n> s", NULL },
    { "status in brackets", "failed (status: 404)", "failed (status: 404)", NULL },
    { "word that only ends so", "barcode 12", "barcode <n>", "barcode 13" },
    { "time", "at 2026-11-20T10:11:12.123Z: no", "at <time>: no", "at 2026-11-21 01:02:03: no" },
    { "time of day", "[10:11:12] no", "[<time>] no", "[9:59:01,250] no" },
    { "time with a zone", "10:11:12+01:00 no", "<time> no", "10:11:12-0800 no" },
    { "date", "since 2026/11/20, no", "since <time>, no", "since 2025-01-02, no" },
    { "line and column", "a.c:10:5: no", "a.c:<n>:<n>: no", "a.c:7:12: no" },
    { "uuid", "job 01234567-89ab-cdef-0123-456789abcdef gone", "job <uuid> gone",
      "job FFFFFFFF-89ab-cdef-0123-456789abcdee gone" },
    { "commit", "at 0a1b2c3d4e, no", "at <hex>, no", "at c0ffee0ddba11, no" },
    { "address", "at 0x7ffd12, no", "at <hex>, no", "at 0XDEAD, no" },
    { "word of hex letters", "facaded defaced", "facaded defaced", NULL },
    { "hex in a word", "xa1b2c3d4", "xa<n>b<n>c<n>d<n>", NULL },
    { "temporary file", "open /tmp/tmp.aB3x/log.txt: no", "open <tmp>/log.txt: no",
      "open /tmp/other/log.txt: no" },
    { "of macOS", "'/var/folders/zz/zyxv_6/T/abc/x' no", "'<tmp>/x' no",
      "'/var/folders/12/q/T/def/x' no" },
    { "of a runner", "/home/runner/_work/_temp/f.sh: no", "/home/runner/_work<tmp>: no",
      "/home/runner/_work/_temp/g.sh: no" },
    { "of Windows", "C:\\Users\\me\\AppData\\Local\\Temp\\x1\\y no",
      "C:\\Users\\me\\AppData\\Local<tmp>\\y no", "C:\\Users\\me\\AppData\\Local\\temp\\zz\\y no" },
    { "folder alone", "ls /tmp/ no", "ls /tmp/ no", NULL },
    { "other letters", "Fehler: Gr\xc3\xb6\xc3\x9f 7", "Fehler: Gr\xc3\xb6\xc3\x9f <n>", NULL },
    { "bytes of no text", "\xff 1 \xc3", "\xff <n> \xc3", NULL },
};

static void long_line_is_cut(void **state)
{
    char line[2 * JR_LINE_KEY_SIZE], key[JR_LINE_KEY_SIZE];

    (void)state;
    fill(line, sizeof line, 'x');
    jr_failure_line_key(line, key, sizeof key);
    assert_int_equal(strlen(key), JR_LINE_KEY_SIZE - 1);
    /* A piece that does not fit is left out as a whole. */
    memcpy(line + JR_LINE_KEY_SIZE - 3, " 12 ", 4);
    jr_failure_line_key(line, key, sizeof key);
    assert_int_equal(strlen(key), JR_LINE_KEY_SIZE - 2);
}

/* Does a signature with this pattern match a line? It is read as a policy has it. */
static bool finds(const char *pattern, const char *line)
{
    struct jr_signatures signatures = { .count = 0 };
    struct jr_problems problems = { .count = 0 };
    struct jr_matches matches;
    struct jr_yaml *yaml;
    char text[2 * JR_LINE_PATTERN_SIZE + 100];
    size_t length = (size_t)snprintf(text, sizeof text, "- id: mine\n  cause: network\n  log: '");

    for (; *pattern != '\0'; pattern++) {
        text[length++] = *pattern;
        if (*pattern == '\'')
            text[length++] = '\'';
    }
    length += (size_t)snprintf(text + length, sizeof text - length, "'\n");
    assert_int_equal(jr_yaml_parse(text, length, sizeof text, &yaml, &problems), JR_OK);
    assert_int_equal(problems.count, 0);
    assert_int_equal(jr_signatures_read(&signatures, yaml, true, &problems), JR_OK);
    if (problems.count > 0)
        fail_msg("%s: %s", text, problems.items[0].text);
    jr_signatures_match(&signatures, line, strlen(line), JR_IN_LOG, "job", false, &matches);
    jr_yaml_free(yaml);
    jr_signatures_release(&signatures);
    for (int i = 0; i < JR_WEIGHTS; i++)
        if (matches.index[i] != SIZE_MAX)
            return true;
    return false;
}

/* The pattern of a line finds it, and the other that is the same, but not another. */
static void line_pattern(void **state)
{
    const struct line_row *row = *state;
    char pattern[JR_LINE_PATTERN_SIZE];

    jr_failure_line_pattern(row->line, pattern, sizeof pattern);
    assert_int_equal(*pattern == '\0', *row->key == '\0');
    if (*pattern == '\0')
        return;
    if (!finds(pattern, row->line))
        fail_msg("%s does not find itself: %s", row->line, pattern);
    if (row->same != NULL && !finds(pattern, row->same))
        fail_msg("%s does not find %s", pattern, row->same);
    assert_false(finds(pattern, "something else"));
}

static void pattern_is_quoted(void **state)
{
    char pattern[JR_LINE_PATTERN_SIZE], line[4 * JR_LINE_PATTERN_SIZE];

    (void)state;
    jr_failure_line_pattern("f(x)[0] a|b c* \\d $5 it's #7", pattern, sizeof pattern);
    assert_string_equal(pattern, "f\\(x\\)\\[[0-9][0-9.,]*\\] a\\|b c\\* \\\\d \\$[0-9][0-9.,]* "
                                 "it's \\#[0-9][0-9.,]*");
    assert_true(finds(pattern, "f(x)[12] a|b c* \\d $6 it's #8"));
    assert_false(finds(pattern, "f(x) a|b c* \\d $6 it's #8"));
    jr_failure_line_pattern("a\x1b[m \xe2\x80\xae!", pattern, sizeof pattern);
    assert_string_equal(pattern, "a.\\[m ...!"); /* U+202E, which turns the direction */
    fill(line, sizeof line, '(');
    jr_failure_line_pattern(line, pattern, sizeof pattern);
    assert_true(strlen(pattern) >= 200 && strlen(pattern) < 210);
}

static void key_of_a_failure(void **state)
{
    struct jr_failure failure = { .attempt = 1 };
    char key[JR_LINE_KEY_SIZE];

    (void)state;
    jr_failure_key(&failure, key);
    assert_string_equal(key, "");
    strcpy(failure.finding.line, "line 7");
    jr_failure_key(&failure, key);
    assert_string_equal(key, "line <n>");
    strcpy(failure.finding.first_error, "error 1\nerror 2");
    jr_failure_key(&failure, key);
    assert_string_equal(key, "error <n>");
    jr_failure_line(&failure, key, sizeof key);
    assert_string_equal(key, "error 1");
    jr_failure_line(&failure, key, 4);
    assert_string_equal(key, "err");
}

struct then_row {
    const char *name;
    struct jr_failure failure;
    const char *words;
};

static void then(void **state)
{
    const struct then_row *row = *state;

    assert_contains(jr_failure_then(&row->failure), row->words);
}

static const struct then_row then_rows[] = {
    { "rerun", { .counts = true, .reruns = true }, "it deserves a rerun" },
    { "cancelled", { .conclusion = JR_CONCLUSION_CANCELLED }, "nothing tells by whom" },
    { "left", { .counts = true }, "it is left" },
    { "not worth it", { .counts = true, .not_worth_it = true }, "too few" },
    { "same failure", { .counts = true, .same_failure = true }, "the same error" },
    { "reports others", { .finding.cause = JR_CAUSE_ECHO }, "does not count" },
    { "found out, and not judged", { .finding.cause = JR_CAUSE_TEST }, "not judged" },
};

static void unread(void **state)
{
    struct jr_failure failure = { .attempt = 1 };
    char text[JR_FAILURE_UNREAD_SIZE];

    (void)state;
    assert_string_equal(jr_failure_unread(&failure, text), "steps, annotations, log");
    failure.steps_found = JR_FOUND;
    failure.log_found = JR_ABSENT;
    assert_string_equal(jr_failure_unread(&failure, text), "annotations");
    failure.annotations_found = JR_FOUND;
    assert_string_equal(jr_failure_unread(&failure, text), "");
}

int main(void)
{
    TABLE(then_rows, then);
    TEST(unread);
    TEST(comes_back);
    TEST(flags_come_back);
    TEST(of_a_known_cause_the_first_error_is_enough);
    TEST(largest_fits);
    TEST(damaged);
    TABLE(bad_rows, bad_number);
    TABLE(line_rows, line_key);
    TABLE(line_rows, line_pattern);
    TEST(long_line_is_cut);
    TEST(pattern_is_quoted);
    TEST(key_of_a_failure);
    return run_program("finding");
}
