/*
 * log -- one line per thing that happened, on standard error.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/log.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    const char *journal_prefix; /* the priority, of syslog(3) */
} levels[] = {
    [JR_LOG_ERROR] = { "error", "<3>" },
    [JR_LOG_WARN] = { "warn", "<4>" },
    [JR_LOG_INFO] = { "info", "<6>" },
    [JR_LOG_DEBUG] = { "debug", "<7>" },
};

static enum jr_log_level log_level = JR_LOG_INFO;

/* Lines that wait to be written together. */
static struct {
    bool on;
    size_t length;
    char text[JR_LINE_MOST];
} held;

static bool to_journal;

/* systemd.exec(5): JOURNAL_STREAM holds device:inode of the journal's socket. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    char expected[64];

    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
        return false;
    snprintf(expected, sizeof expected, "%llu:%llu",
             (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
    return strcmp(stream, expected) == 0;
}

void jr_log_open(enum jr_log_level level)
{
    log_level = level;
    to_journal = stderr_is_journal();
}

/* One byte is always kept for the line feed. */
static size_t room_of(const struct jr_line *line)
{
    return sizeof line->text - 1 - line->length;
}

/* Append raw bytes, whole characters of them. */
static void append(struct jr_line *line, const char *bytes, size_t length)
{
    size_t room = room_of(line);

    if (line->full)
        return;
    if (length > room) {
        line->full = true;
        length = jr_text_cut(bytes, room);
    }
    memcpy(line->text + line->length, bytes, length);
    line->length += length;
}

static void append_text(struct jr_line *line, const char *text)
{
    append(line, text, strlen(text));
}

/* Inside of quotes. */
static const struct jr_show_mark quoted_marks[] = {
    { '"', "\\\"" }, { '\\', "\\\\" }, { '\0', NULL },
};
static const struct jr_show_way quoted = { .instead = JR_SHOW_BYTES, .marks = quoted_marks };

/* What can stand only inside of quotes; nothing is ever written by this way. */
static const struct jr_show_mark bare_marks[] = {
    { ' ', "" }, { '"', "" }, { '=', "" }, { '\\', "" }, { '\0', NULL },
};
static const struct jr_show_way bare = { .marks = bare_marks };

/* Is the value safe to stand without quotes? */
static bool is_plain(const char *value)
{
    struct jr_show_part part;

    return !jr_show_next(&bare, &value, &part) || (part.is_text && *value == '\0');
}

static void append_quoted(struct jr_line *line, const char *value)
{
    struct jr_show_part part;

    append(line, "\"", 1);
    while (jr_show_next(&quoted, &value, &part)) {
        /* Half of an escape could not be read back. */
        line->full |= !part.is_text && part.length > room_of(line);
        append(line, part.bytes, part.length);
    }
    append(line, "\"", 1);
}

void jr_line_begin(struct jr_line *line, enum jr_log_level level, const char *event)
{
    char now[JR_TIMESTAMP_SIZE];

    line->length = 0;
    line->full = false;
    line->wanted = level <= log_level;
    if (!line->wanted)
        return;
    if (to_journal) {
        append_text(line, levels[level].journal_prefix);
    } else {
        append_text(line, jr_timestamp_format(jr_now_ms(), now));
        append(line, " ", 1);
    }
    append_text(line, levels[level].name);
    append(line, " ", 1);
    append_text(line, event);
}

void jr_line_text(struct jr_line *line, const char *key, const char *value)
{
    if (!line->wanted || value == NULL || *value == '\0')
        return;
    append(line, " ", 1);
    append_text(line, key);
    append(line, "=", 1);
    if (is_plain(value))
        append_text(line, value);
    else
        append_quoted(line, value);
}

void jr_line_number(struct jr_line *line, const char *key, uint64_t value)
{
    char digits[JR_DIGITS_SIZE];

    jr_line_text(line, key, jr_text_digits(value, digits));
}

void jr_line_ms(struct jr_line *line, const char *key, int64_t microseconds)
{
    uint64_t tenths = microseconds < 0 ? 0 : (uint64_t)microseconds / 100;
    const char tenth[] = { '.', (char)('0' + tenths % 10) };

    jr_line_number(line, key, tenths / 10);
    if (line->wanted)
        append(line, tenth, sizeof tenth);
}

static void write_out(const char *text, size_t length)
{
    ssize_t written = write(STDERR_FILENO, text, length);

    (void)written; /* there is nowhere left to say that the log is gone */
}

static void write_held(void)
{
    if (held.length > 0)
        write_out(held.text, held.length);
    held.length = 0;
}

void jr_line_write(struct jr_line *line)
{
    if (!line->wanted)
        return;
    line->text[line->length++] = '\n';
    if (!held.on) {
        write_out(line->text, line->length);
        return;
    }
    if (line->length > sizeof held.text - held.length)
        write_held();
    memcpy(held.text + held.length, line->text, line->length);
    held.length += line->length;
}

void jr_log_hold(void)
{
    held.on = true;
}

void jr_log_release(void)
{
    write_held();
    held.on = false;
}

void jr_log(enum jr_log_level level, const char *event, const char *format, ...)
{
    struct jr_line line;
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    jr_line_begin(&line, level, event);
    jr_line_text(&line, "text", text);
    jr_line_write(&line);
}
