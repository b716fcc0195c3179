/*
 * buffer -- bytes that are put together piece by piece, up to a ceiling.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE ((size_t)4096)

void jr_buffer_init(struct jr_buffer *buffer, size_t most)
{
    memset(buffer, 0, sizeof *buffer);
    buffer->most = most;
    buffer->ok = true;
}

void jr_buffer_release(struct jr_buffer *buffer)
{
    free(buffer->bytes);
    memset(buffer, 0, sizeof *buffer);
}

/* Make room for `more` bytes and the NUL; false when there can be none. */
static bool reserve(struct jr_buffer *buffer, size_t more)
{
    size_t size = buffer->size == 0 ? FIRST_SIZE : buffer->size;
    char *larger;

    if (!buffer->ok || more > buffer->most - buffer->length) {
        buffer->ok = false;
        return false;
    }
    while (size - 1 < buffer->length + more)
        size *= 2;
    if (size == buffer->size)
        return true;
    larger = realloc(buffer->bytes, size);
    if (larger == NULL) {
        buffer->ok = false;
        return false;
    }
    buffer->bytes = larger;
    buffer->size = size;
    return true;
}

void jr_buffer_add_bytes(struct jr_buffer *buffer, const char *bytes, size_t length)
{
    if (!reserve(buffer, length))
        return;
    if (length > 0)
        memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

void jr_buffer_add(struct jr_buffer *buffer, const char *text)
{
    jr_buffer_add_bytes(buffer, text, strlen(text));
}

void jr_buffer_print(struct jr_buffer *buffer, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        buffer->ok = false;
        return;
    }
    if (!reserve(buffer, (size_t)length))
        return;
    va_start(args, format);
    vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, args);
    va_end(args);
    buffer->length += (size_t)length;
}
