/*
 * joblog -- what the runner adds to a log is taken off, and scripts are told from words.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/joblog.h"
#include "lib/base/timestamp.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

#define STAMP "2026-11-28T10:00:00.1234567Z "

struct line_row {
    const char *name, *text, *want;
    enum jr_joblog_mark mark;
    bool script, stamped;
};

static void line(void **state)
{
    const struct line_row *row = *state;
    struct jr_joblog log;
    struct jr_joblog_line line;

    jr_joblog_init(&log, row->text, strlen(row->text), false);
    assert_true(jr_joblog_next(&log, &line));
    assert_string_equal(line.text, row->want);
    assert_int_equal(line.length, strlen(row->want));
    assert_int_equal(line.mark, row->mark);
    assert_int_equal(line.script, row->script);
    assert_int_equal(line.continued, !row->stamped);
    assert_int_equal(line.time_ms, row->stamped ? jr_timestamp_parse("2026-11-28T10:00:00.123Z") : 0);
    assert_false(jr_joblog_next(&log, &line));
}

static const struct line_row lines[] = {
    { "plain", STAMP "hello\n", "hello", JR_MARK_NONE, false, true },
    { "without an end", STAMP "hello", "hello", JR_MARK_NONE, false, true },
    { "after a byte order mark", "\xef\xbb\xbf" STAMP "hello\n", "hello", JR_MARK_NONE, false, true },
    { "of a message that goes on", "    at x.js:1\n", "    at x.js:1", JR_MARK_NONE, false, false },
    { "with colours", STAMP "\033[36;1mok\033[0m\n", "ok", JR_MARK_NONE, false, true },
    { "with a sequence that does not end", STAMP "a\033[1;2", "a", JR_MARK_NONE, false, true },
    { "with control characters", STAMP "a\x01\x08\tb\n", "a b", JR_MARK_NONE, false, true },
    { "with control characters of two bytes", STAMP "a\x7f\xc2\x9b" "b\xc2\xa0\xc2\n", "ab\xc2\xa0\xc2", JR_MARK_NONE, false, true },
    { "with such a one round another", STAMP "a\xc2\x01\x9b" "31m\n", "a31m", JR_MARK_NONE, false, true },
    { "with two ends", STAMP "a\r\n", "a", JR_MARK_NONE, false, true },
    { "an error", STAMP "##[error]Process completed\n", "Process completed", JR_MARK_ERROR, false, true },
    { "a command", STAMP "[command]/usr/bin/git\n", "/usr/bin/git", JR_MARK_OTHER, false, true },
    { "a script", STAMP "##[group]Run make\n", "Run make", JR_MARK_GROUP, true, true },
    { "a group of another kind", STAMP "##[group]Fetching\n", "Fetching", JR_MARK_GROUP, false, true },
    { "a time without a text", STAMP "\n", "", JR_MARK_NONE, false, true },
    { "no time", "2026-99-99T10:00:00.1234567Z x\n", "2026-99-99T10:00:00.1234567Z x", JR_MARK_NONE, false, false },
};

/* Read all, and say which lines are no script. */
static void words_of(const char *text, size_t length, bool cut, char *words, size_t size)
{
    struct jr_joblog log;
    struct jr_joblog_line line;

    words[0] = '\0';
    jr_joblog_init(&log, text, length, cut);
    while (jr_joblog_next(&log, &line))
        if (!line.script && strlen(words) + line.length + 2 < size)
            strcat(strcat(words, line.text), "|");
}

static void scripts_are_told(void **state)
{
    static const char text[] = "a\n##[group]Run x\nb\n##[endgroup]\nc\n##[group]other\nd\n##[endgroup]\ne\n";
    char words[100];

    (void)state;
    words_of(text, strlen(text), false, words, sizeof words);
    assert_string_equal(words, "a|c|other|d||e|");
}

/* What stood before is missing: half a line, and perhaps the head of a script. */
static void the_end_of_a_log(void **state)
{
    static const char in_script[] = "lf a line\nreset by peer\n##[endgroup]\nc\n";
    static const char outside[] = "lf a line\nc\n##[group]Run x\nb\n##[endgroup]\nd\n";
    char words[100];

    (void)state;
    words_of(in_script, strlen(in_script), true, words, sizeof words);
    assert_string_equal(words, "c|");
    words_of(outside, strlen(outside), true, words, sizeof words);
    assert_string_equal(words, "c|d|");
    words_of("no end", 6, true, words, sizeof words);
    assert_string_equal(words, "");
}

static void long_lines_are_cut(void **state)
{
    size_t size = 10 * 1000 * 1000;
    char *text = malloc(size);
    struct jr_joblog log;
    struct jr_joblog_line line;

    (void)state;
    memset(text, 'x', size);
    text[size - 3] = '\n';
    jr_joblog_init(&log, text, size, false);
    assert_true(jr_joblog_next(&log, &line));
    assert_int_equal(line.length, JR_JOBLOG_LINE_MAX);
    assert_true(jr_joblog_next(&log, &line));
    assert_string_equal(line.text, "xx");
    free(text);
}

int main(void)
{
    TABLE(lines, line);
    TEST(scripts_are_told);
    TEST(the_end_of_a_log);
    TEST(long_lines_are_cut);
    return run_program("joblog");
}
