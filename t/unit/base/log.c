/*
 * log -- lines, as they arrive at the other end of standard error.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Standard error is a datagram socket meanwhile: each write is one datagram.
 */
struct capture {
    int reader, saved;
    char text[8192];
};

static void begin(struct capture *capture, enum jr_log_level level, bool journal)
{
    int ends[2];
    struct stat status;
    char stream[64];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    fflush(stderr);
    capture->saved = dup(STDERR_FILENO);
    assert_true(capture->saved >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    close(ends[1]);
    capture->reader = ends[0];
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino + (journal ? 0 : 1));
    setenv("JOURNAL_STREAM", stream, 1);
    jr_log_open(level);
}

/* What was written, which has to be one line by one write; empty if nothing was. */
static const char *end(struct capture *capture)
{
    ssize_t got = recv(capture->reader, capture->text, sizeof capture->text - 1, MSG_DONTWAIT);
    char more;
    bool again = recv(capture->reader, &more, 1, MSG_DONTWAIT) >= 0;

    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    close(capture->reader);
    unsetenv("JOURNAL_STREAM");
    assert_false(again);
    if (got <= 0)
        return "";
    capture->text[got] = '\0';
    assert_int_equal(strlen(capture->text), got);
    assert_ptr_equal(strchr(capture->text, '\n'), capture->text + got - 1);
    capture->text[got - 1] = '\0';
    return capture->text;
}

struct value_row {
    const char *name, *value, *want;
};

static void value_is_written(void **state)
{
    const struct value_row *row = *state;
    struct capture capture;
    struct jr_line line;
    char want[256];

    begin(&capture, JR_LOG_INFO, true);
    jr_line_begin(&line, JR_LOG_INFO, "event");
    jr_line_text(&line, "key", row->value);
    jr_line_text(&line, "last", "x");
    jr_line_write(&line);
    snprintf(want, sizeof want, "<6>info event%s%s last=x", row->want == NULL ? "" : " key=",
             row->want == NULL ? "" : row->want);
    assert_string_equal(end(&capture), want);
}

static const struct value_row values[] = {
    { "plain", "octo/app", "octo/app" },
    { "NULL", NULL, NULL },
    { "empty", "", NULL },
    { "a blank", "a b", "\"a b\"" },
    { "an equals sign", "a=b", "\"a=b\"" },
    { "quotes", "a\"b", "\"a\\\"b\"" },
    { "a backslash", "a\\b", "\"a\\\\b\"" },
    { "a line feed", "a\nb", "\"a\\x0ab\"" },
    { "a forged line", "x\n<3>error forged", "\"x\\x0a<3>error forged\"" },
    { "a carriage return", "a\rb", "\"a\\x0db\"" },
    { "a tab", "a\tb", "\"a\\x09b\"" },
    { "an escape sequence", "\033[31mred", "\"\\x1b[31mred\"" },
    { "DEL", "a\x7f", "\"a\\x7f\"" },
    { "UTF-8", "caf\xc3\xa9\xe2\x82\xac", "caf\xc3\xa9\xe2\x82\xac" },
    { "a control character of two bytes", "a\xc2\x9b"
                                          "31m",
      "\"a\\xc2\\x9b31m\"" },
    { "the first character after those", "a\xc2\xa0", "a\xc2\xa0" },
    { "a single byte that some terminals obey", "a\x9b"
                                                "31m",
      "\"a\\x9b31m\"" },
    { "one that turns the order round", "a\xe2\x80\xaetxt.exe", "\"a\\xe2\\x80\\xaetxt.exe\"" },
    { "one that isolates what follows", "a\xe2\x81\xa6z", "\"a\\xe2\\x81\\xa6z\"" },
    { "a line separator", "a\xe2\x80\xa8z", "\"a\\xe2\\x80\\xa8z\"" },
    { "a dash next to those", "a\xe2\x80\xa7z\xe2\x81\xb0z", "a\xe2\x80\xa7z\xe2\x81\xb0z" },
    { "half a character at the end", "a\xe2\x82", "\"a\\xe2\\x82\"" },
};

struct level_row {
    const char *name;
    enum jr_log_level level;
    const char *want[4]; /* for error, warn, info, debug */
};

static void level_is(void **state)
{
    const struct level_row *row = *state;

    for (int level = JR_LOG_ERROR; level <= JR_LOG_DEBUG; level++) {
        struct capture capture;

        begin(&capture, row->level, true);
        jr_log((enum jr_log_level)level, "event", "%d", 5);
        assert_string_equal(end(&capture), row->want[level]);
    }
}

static const struct level_row levels[] = {
    { "error", JR_LOG_ERROR, { "<3>error event text=5", "", "", "" } },
    { "warn", JR_LOG_WARN, { "<3>error event text=5", "<4>warn event text=5", "", "" } },
    { "info", JR_LOG_INFO, { "<3>error event text=5", "<4>warn event text=5", "<6>info event text=5", "" } },
    { "debug", JR_LOG_DEBUG, { "<3>error event text=5", "<4>warn event text=5", "<6>info event text=5", "<7>debug event text=5" } },
};

/* Elsewhere than in the journal the time comes first. */
static void time_comes_first(void **state)
{
    struct capture capture;
    char time[JR_TIMESTAMP_SIZE] = "";
    const char *text;

    (void)state;
    begin(&capture, JR_LOG_INFO, false);
    jr_log(JR_LOG_INFO, "started", "%s", "now");
    text = end(&capture);
    assert_true(strlen(text) > JR_TIMESTAMP_SIZE);
    memcpy(time, text, sizeof time - 1);
    assert_true(jr_timestamp_parse(time) > 0);
    assert_string_equal(text + sizeof time - 1, " info started text=now");
}

static void numbers(void **state)
{
    struct capture capture;
    struct jr_line line;

    (void)state;
    begin(&capture, JR_LOG_INFO, true);
    jr_line_begin(&line, JR_LOG_INFO, "webhook");
    jr_line_number(&line, "run", UINT64_MAX);
    jr_line_number(&line, "zero", 0);
    jr_line_ms(&line, "a", 0);
    jr_line_ms(&line, "b", 99);
    jr_line_ms(&line, "c", 1999);
    jr_line_ms(&line, "d", 1234567);
    jr_line_write(&line);
    assert_string_equal(end(&capture), "<6>info webhook run=18446744073709551615 zero=0 a=0.0 b=0.0 c=1.9 d=1234.5");
}

/* What does not fit is left out; it is still one line of plain text. */
static void long_line(void **state)
{
    static const char *const pieces[] = { "x", "\n", "\"", "\xe2\x82\xac", "\033" };
    char value[6001];

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct capture capture;
        struct jr_line line;
        const char *text;

        value[0] = '\0';
        while (strlen(value) + strlen(pieces[i]) < sizeof value)
            strcat(value, pieces[i]);
        begin(&capture, JR_LOG_INFO, true);
        jr_line_begin(&line, JR_LOG_INFO, "event");
        jr_line_text(&line, "key", value);
        jr_line_text(&line, "more", value);
        jr_line_number(&line, "number", 7);
        jr_line_write(&line);
        text = end(&capture);
        assert_in_range(strlen(text), 2000, sizeof line.text);
        for (const char *c = text; *c != '\0'; c++)
            assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
    }
}

/* It ends with a whole character, wherever that stands. */
static void long_line_of_wide_characters(void **state)
{
    static const char *const keys[] = { "k", "ke", "key", "keys" };
    char value[6001] = "";

    (void)state;
    while (strlen(value) + 4 < sizeof value)
        strcat(value, "\xf0\x9f\x98\x80");
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct capture capture;
        struct jr_line line;
        const char *text;

        begin(&capture, JR_LOG_INFO, true);
        jr_line_begin(&line, JR_LOG_INFO, "event");
        jr_line_text(&line, keys[i], value);
        jr_line_number(&line, "n", 7);
        jr_line_write(&line);
        text = end(&capture);
        assert_in_range(strlen(text), sizeof line.text - 5, sizeof line.text);
        for (size_t length; *text != '\0'; text += length) {
            length = jr_text_utf8_length(text);
            assert_true(length > 0);
        }
    }
}

static void long_message(void **state)
{
    struct capture capture;
    char value[5000];

    (void)state;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    begin(&capture, JR_LOG_INFO, true);
    jr_log(JR_LOG_ERROR, "event", "%s", value);
    assert_in_range(strlen(end(&capture)), 500, 2048);
}

static ssize_t next_write(struct capture *capture)
{
    ssize_t got = recv(capture->reader, capture->text, sizeof capture->text - 1, MSG_DONTWAIT);

    capture->text[got > 0 ? got : 0] = '\0';
    return got;
}

/* Lines that are held back come together, whole and in order; none is too much for one write. */
static void held_back(void **state)
{
    struct capture capture;
    char value[1000];

    (void)state;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    begin(&capture, JR_LOG_INFO, true);
    jr_log_hold();
    jr_log(JR_LOG_INFO, "one", "1");
    jr_log(JR_LOG_DEBUG, "none", "0");
    jr_log(JR_LOG_WARN, "two", "2");
    assert_int_equal(next_write(&capture), -1);
    jr_log_release();
    assert_true(next_write(&capture) > 0);
    assert_string_equal(capture.text, "<6>info one text=1\n<4>warn two text=2\n");
    jr_log_release(); /* there is nothing more */
    assert_int_equal(next_write(&capture), -1);
    jr_log_hold();
    for (int i = 0; i < 5; i++)
        jr_log(JR_LOG_INFO, "long", "%s", value);
    assert_in_range(next_write(&capture), 4 * 999, JR_LINE_MOST);
    assert_int_equal(capture.text[strlen(capture.text) - 1], '\n');
    assert_int_equal(next_write(&capture), -1);
    jr_log_release();
    assert_in_range(next_write(&capture), 999, 1100);
    jr_log(JR_LOG_INFO, "at once", "1");
    assert_string_equal(end(&capture), "<6>info at once text=1");
}

int main(void)
{
    TABLE(values, value_is_written);
    TABLE(levels, level_is);
    TEST(time_comes_first);
    TEST(numbers);
    TEST(long_line);
    TEST(long_line_of_wide_characters);
    TEST(long_message);
    TEST(held_back);
    return run_program("log");
}
