/*
 * emit -- JSON, as it is written.
 *
 * Straight lines: the commas are put by themselves. Text is written as valid
 * UTF-8 whatever comes in: each byte that is none becomes U+FFFD. Characters that are not
 * shown (show.h) are escaped: the reader has them, but no terminal. Each element of
 * the outermost array stands in a line of its own.
 * Source: RFC 8259.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_EMIT_H
#define JR_EMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct jr_emit {
    FILE *stream; /* knows whether the writing went well */
    unsigned depth;
    bool started;   /* something was written at this depth */
    bool in_array;  /* the outermost value is an array */
};

void jr_emit_init(struct jr_emit *emit, FILE *stream);

/* End the document: a line feed. The writer can be used for the next one. */
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
void jr_emit_text(struct jr_emit *emit, const char *key, const char *text); /* NULL or empty: null */
void jr_emit_time(struct jr_emit *emit, const char *key, int64_t time_ms);  /* RFC 3339; 0: null */

#endif
