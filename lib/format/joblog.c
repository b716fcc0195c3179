/*
 * joblog -- the log of a job, line by line.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/joblog.h"
#include "lib/base/timestamp.h"

#include <string.h>

#define BOM "\xef\xbb\xbf"

/* "2026-11-28T10:00:00.1234567Z " */
#define STAMP_LENGTH 29

static const char script_group[] = "##[group]Run ";

static const struct {
    const char *prefix;
    enum jr_joblog_mark mark;
} marks[] = {
    { "##[group]", JR_MARK_GROUP },     { "##[endgroup]", JR_MARK_ENDGROUP },
    { "##[error]", JR_MARK_ERROR },     { "##[warning]", JR_MARK_OTHER },
    { "##[notice]", JR_MARK_OTHER },    { "##[debug]", JR_MARK_OTHER },
    { "##[command]", JR_MARK_OTHER },   { "##[section]", JR_MARK_OTHER },
    { "[command]", JR_MARK_OTHER },
};

static bool begins(const char *text, size_t length, const char *prefix)
{
    size_t prefix_length = strlen(prefix);

    return length >= prefix_length && memcmp(text, prefix, prefix_length) == 0;
}

/* Where a line ends: at a line feed, or at a return that begins the line anew (a progress bar). */
static const char *end_of_line(const char *at, const char *end)
{
    while (at < end && *at != '\n' && *at != '\r')
        at++;
    return at;
}

/* Take the time off the front; 0: there is none. */
static int64_t take_time(const char **at, const char *end)
{
    char stamp[STAMP_LENGTH];
    int64_t time_ms;

    if (end - *at < STAMP_LENGTH - 1 || (*at)[4] != '-' || (*at)[10] != 'T'
        || (*at)[STAMP_LENGTH - 2] != 'Z')
        return 0;
    memcpy(stamp, *at, STAMP_LENGTH - 1);
    stamp[STAMP_LENGTH - 1] = '\0';
    time_ms = jr_timestamp_parse(stamp);
    if (time_ms == 0)
        return 0;
    *at += STAMP_LENGTH - 1;
    if (*at < end && **at == ' ')
        ++*at;
    return time_ms;
}

/*
 * The end of an escape sequence that begins at `at`, with ESC: of CSI at its final byte, else
 * two bytes. Source: ECMA-48, 5.4.
 */
static const char *end_of_escape(const char *at, const char *end)
{
    if (++at == end)
        return end;
    if (*at != '[')
        return at + 1;
    for (at++; at < end; at++)
        if (*at >= 0x40 && *at <= 0x7e)
            return at + 1;
    return end;
}

/*
 * Add a byte, unless it is a control character, or the second byte of one: of U+0080 to U+009F, by
 * which some terminals begin an escape sequence, too.
 */
static size_t add_byte(char *text, size_t length, char c)
{
    unsigned char byte = (unsigned char)c;

    if (byte == '\t')
        byte = ' ';
    if (byte < ' ' || byte == 0x7f)
        return length;
    if ((byte & 0xe0) == 0x80 && length > 0 && (unsigned char)text[length - 1] == 0xc2)
        return length - 1;
    text[length] = (char)byte;
    return length + 1;
}

/* Copy what people would see of a line. Returns its length. */
static size_t clean(const char *at, const char *end, char *text)
{
    size_t length = 0;

    while (at < end && length < JR_JOBLOG_LINE_MAX) {
        if (*at == '\033')
            at = end_of_escape(at, end);
        else
            length = add_byte(text, length, *at++);
    }
    text[length] = '\0';
    return length;
}

void jr_joblog_init(struct jr_joblog *log, const char *bytes, size_t length, bool cut)
{
    const char *end = bytes + length, *line_end;
    const char *group = NULL;

    log->at = bytes;
    log->end = end;
    log->time_ms = 0;
    log->in_script = false;
    if (!cut)
        return;
    line_end = memchr(bytes, '\n', length);
    log->at = line_end == NULL ? end : line_end + 1;
    /* The first mark of a group tells whether these bytes begin in one. */
    group = memmem(log->at, (size_t)(end - log->at), "##[endgroup]", 12);
    if (group != NULL) {
        const char *begin = memmem(log->at, (size_t)(group - log->at), "##[group]", 9);

        log->in_script = begin == NULL;
    }
}

/* Take the mark off the front of a line. */
static void take_mark(struct jr_joblog *log, struct jr_joblog_line *line)
{
    bool script = begins(line->text, line->length, script_group);

    line->mark = JR_MARK_NONE;
    line->script = log->in_script || script;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t length = strlen(marks[i].prefix);

        if (!begins(line->text, line->length, marks[i].prefix))
            continue;
        line->mark = marks[i].mark;
        line->text += length;
        line->length -= length;
        break;
    }
    if (line->mark == JR_MARK_GROUP)
        log->in_script = script;
    else if (line->mark == JR_MARK_ENDGROUP)
        log->in_script = false;
}

bool jr_joblog_next(struct jr_joblog *log, struct jr_joblog_line *line)
{
    const char *end, *at = log->at;
    int64_t time_ms;

    if (at == log->end)
        return false;
    end = end_of_line(at, log->end);
    log->at = end < log->end ? end + 1 : end;
    if (log->at < log->end && *end == '\r' && *log->at == '\n')
        log->at++;
    if (begins(at, (size_t)(end - at), BOM))
        at += strlen(BOM);
    time_ms = take_time(&at, end);
    line->continued = time_ms == 0;
    if (time_ms != 0)
        log->time_ms = time_ms;
    line->time_ms = log->time_ms;
    line->length = clean(at, end, log->text);
    line->text = log->text;
    take_mark(log, line);
    return true;
}
