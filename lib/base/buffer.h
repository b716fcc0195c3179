/*
 * buffer -- bytes that are put together piece by piece, up to a ceiling.
 *
 * Sticky, as codec.h: after the first thing that does not fit, `ok` is false and
 * nothing more is added, so that callers write straight lines and check once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_BUFFER_H
#define JR_BUFFER_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* All zero bytes is a buffer with nothing in it and room for nothing. */
struct jr_buffer {
    char *bytes; /* owned; ends with a NUL that does not count; NULL while empty */
    size_t length;
    size_t size; /* allocated */
    size_t most; /* the ceiling of length */
    bool ok;     /* false: over the ceiling, or out of memory */
};

/* Begin with nothing; may hold up to `most` bytes. */
void jr_buffer_init(struct jr_buffer *buffer, size_t most);

/* Free what it holds; it is all zero then. */
void jr_buffer_release(struct jr_buffer *buffer);

/* Add bytes, a string, or what printf(3) makes: all of it or, with ok false, nothing. */
void jr_buffer_add_bytes(struct jr_buffer *buffer, const char *bytes, size_t length);
void jr_buffer_add(struct jr_buffer *buffer, const char *text);
void jr_buffer_print(struct jr_buffer *buffer, const char *format, ...) JR_PRINTF(2, 3);

#endif
