/*
 * joblog -- the log of a job, line by line, as plain text.
 *
 * The runner puts a time before each line that it writes, marks and colours some, and shows
 * the script of each step before it runs it. All of the log is written by the job, or by what
 * the job started: it may hold anything.
 * Source: actions/runner, src/Runner.Common/Logging.cs, src/Runner.Worker/ExecutionContext.cs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_JOBLOG_H
#define JR_JOBLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer line is cut: what tells a cause stands at its beginning. */
#define JR_JOBLOG_LINE_MAX 4096

/* What the runner has marked a line as. */
enum jr_joblog_mark {
    JR_MARK_NONE,
    JR_MARK_GROUP,    /* a group of lines begins; `script` tells of which kind */
    JR_MARK_ENDGROUP,
    JR_MARK_ERROR,
    JR_MARK_OTHER     /* warning, notice, debug, command, section */
};

struct jr_joblog_line {
    const char *text; /* of `length` bytes and a NUL: no time, no mark, no control characters */
    size_t length;
    int64_t time_ms; /* 0: neither this line nor one before it has a time */
    enum jr_joblog_mark mark;
    bool script;    /* part of a step's script, or its heading: not what the step has said */
    bool continued; /* goes on with the message of the line before */
};

/* A reader; the bytes stay the caller's and have to stay as they are. */
struct jr_joblog {
    const char *at, *end;
    int64_t time_ms;
    bool in_script;
    char text[JR_JOBLOG_LINE_MAX + 1];
};

/*
 * Begin to read.
 *   cut  what stood before these bytes is missing: what is left of its last line, and of the
 *        script that it may have been in, is passed over
 */
void jr_joblog_init(struct jr_joblog *log, const char *bytes, size_t length, bool cut);

/* The next line, until the next call; false at the end. */
bool jr_joblog_next(struct jr_joblog *log, struct jr_joblog_line *line);

#endif
