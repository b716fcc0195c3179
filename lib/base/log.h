/*
 * log -- one line per thing that happened, on standard error.
 *
 * A line is `level event key=value ...`. Under the journal it starts with the
 * level as <N> (sd-daemon(3)), elsewhere with the time. Each write(2) is of whole
 * lines, so that those of many processes do not mix. Values that come from
 * outside are escaped, the bytes of a character that is not shown by \xNN each (show.h).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LOG_H
#define JR_LOG_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jr_log_level {
    JR_LOG_ERROR = 0,
    JR_LOG_WARN,
    JR_LOG_INFO,
    JR_LOG_DEBUG
};

/* One write of as much is never mixed with others, also on a pipe: pipe(7), PIPE_BUF. */
#define JR_LINE_MOST 4096

/*
 * A line in the making. What does not fit is left out, from the first character on that
 * does not: a caller bounds the values from outside, so that they crowd out nothing.
 */
struct jr_line {
    bool wanted;
    bool full;
    size_t length;
    char text[JR_LINE_MOST];
};

/* Lines above the level are dropped. Before this call the level is info. */
void jr_log_open(enum jr_log_level level);

void jr_line_begin(struct jr_line *line, enum jr_log_level level, const char *event);
void jr_line_text(struct jr_line *line, const char *key, const char *value); /* empty or NULL: left out */
void jr_line_number(struct jr_line *line, const char *key, uint64_t value);
void jr_line_ms(struct jr_line *line, const char *key, int64_t microseconds); /* as ms, one decimal */
void jr_line_write(struct jr_line *line);

/*
 * Lines that follow each other closely are written together: between the two calls those of
 * this process are held back, as far as one write takes them.
 */
void jr_log_hold(void);
void jr_log_release(void);

/* A line whose only value is text="...". */
void jr_log(enum jr_log_level level, const char *event, const char *format, ...)
    JR_PRINTF(3, 4);

#endif
