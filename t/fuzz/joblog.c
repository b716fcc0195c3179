/*
 * joblog -- a job's log of any bytes, whole and cut: what is read is plain text, a line at a
 * time, and comes to an end.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/joblog.h"
#include "t/fuzz/fuzz.h"

static void holds_line(const struct jr_joblog *log, const struct jr_joblog_line *line)
{
    HOLDS(line->length <= JR_JOBLOG_LINE_MAX);
    HOLDS(line->text >= log->text && line->text + line->length <= log->text + JR_JOBLOG_LINE_MAX);
    HOLDS(strlen(line->text) == line->length);
    for (const char *at = line->text; *at != '\0'; at++) {
        HOLDS((unsigned char)*at >= ' ' && *at != 0x7f);
        HOLDS((unsigned char)*at != 0xc2 || (unsigned char)at[1] < 0x80
              || (unsigned char)at[1] >= 0xa0);
    }
    HOLDS(line->mark <= JR_MARK_OTHER);
    HOLDS(line->mark != JR_MARK_ENDGROUP || !log->in_script);
    HOLDS(line->time_ms >= 0);
}

/* Returns how many lines there are. */
static size_t read_lines(const char *bytes, size_t length, bool cut)
{
    struct jr_joblog log;
    struct jr_joblog_line line;
    const char *before = bytes;
    size_t lines = 0;

    jr_joblog_init(&log, bytes, length, cut);
    HOLDS(log.at >= before);
    for (before = log.at; jr_joblog_next(&log, &line); before = log.at, lines++) {
        HOLDS(log.at > before && log.at <= bytes + length);
        holds_line(&log, &line);
    }
    HOLDS(log.at == bytes + length);
    HOLDS(!jr_joblog_next(&log, &line));
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    size_t length, whole, part;
    char *text = take_rest(&input, &length);

    /* To measure: a log has no NUL behind it. */
    text = realloc(text, length > 0 ? length : 1);
    HOLDS(text != NULL);
    whole = read_lines(text, length, false);
    part = read_lines(text, length, true);
    HOLDS(part < whole || whole == 0);
    free(text);
    return 0;
}
