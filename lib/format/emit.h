/*
 * emit -- records of named values, written as JSON or as CSV.
 *
 * Straight lines: the commas are put by themselves. Whoever writes a list of records says it
 * once, for both.
 *
 * JSON: RFC 8259. Text is valid UTF-8 whatever comes in: each byte that is none becomes U+FFFD.
 * Characters that are not shown (show.h) are escaped: the reader has them, but no terminal.
 * Each element of the outermost array stands in a line of its own.
 *
 * CSV: RFC 4180, of an outermost array of objects: a line for each, and a first line with their
 * keys, by jr_emit_heading(). An object or an array in one of them is a cell with JSON in it. null
 * is an empty cell. Characters that are not shown become U+FFFD. Spreadsheets take a text that
 * begins with = + - @ tab or carriage return for a formula, and anybody may have written it: an
 * apostrophe before it makes them take it for a text. Numbers have none.
 * Source: https://owasp.org/www-community/attacks/CSV_Injection
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_EMIT_H
#define JR_EMIT_H

#include "lib/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct jr_emit {
    FILE *stream;             /* knows whether the writing went well; or */
    struct jr_buffer *buffer; /* likewise; the other one is NULL */
    bool csv;
    bool heading; /* only the keys are wanted */
    unsigned depth;
    bool started;   /* something was written at this depth */
    bool in_array;  /* the outermost value is an array */
};

/* Write JSON to a stream, or behind what is in a buffer. Neither is owned. */
void jr_emit_init(struct jr_emit *emit, FILE *stream);
void jr_emit_init_buffer(struct jr_emit *emit, struct jr_buffer *buffer);

/* Write CSV in its place. To be called before anything is written. */
void jr_emit_as_csv(struct jr_emit *emit);

/*
 * Write the heading of CSV: call it with true, write a record, of which only the keys are taken,
 * and call it with false. JSON gets nothing. To be done before the first record, so that an empty
 * list has its heading, too.
 */
void jr_emit_heading(struct jr_emit *emit, bool on);

/* End the document: of JSON with a line feed. The writer can be used for the next one. */
void jr_emit_end(struct jr_emit *emit);

/* In all of these the key is NULL in an array, and for the outermost value. */
void jr_emit_open(struct jr_emit *emit, const char *key);  /* an object */
void jr_emit_close(struct jr_emit *emit);
void jr_emit_open_array(struct jr_emit *emit, const char *key);
void jr_emit_close_array(struct jr_emit *emit);

void jr_emit_null(struct jr_emit *emit, const char *key);
void jr_emit_bool(struct jr_emit *emit, const char *key, bool value);
void jr_emit_number(struct jr_emit *emit, const char *key, int64_t value);
void jr_emit_rate(struct jr_emit *emit, const char *key, double value); /* four decimals */
/* NULL and an empty text are null. */
void jr_emit_text(struct jr_emit *emit, const char *key, const char *text);
void jr_emit_time(struct jr_emit *emit, const char *key, int64_t time_ms);  /* RFC 3339; 0: null */

/* A number, or null where it is not known. */
void jr_emit_known(struct jr_emit *emit, const char *key, bool known, int64_t value);

#endif
