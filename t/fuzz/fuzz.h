/*
 * fuzz -- what the fuzz targets share.
 *
 * A target is one file t/fuzz/NAME.c with LLVMFuzzerTestOneInput(). With
 * --enable-fuzzers, libFuzzer calls it with bytes that it makes up
 * (https://llvm.org/docs/LibFuzzer.html); in every build replay.c calls it with
 * the files of t/fuzz/corpus/NAME. What does not hold ends the process.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_T_FUZZ_H
#define JR_T_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What has to hold, whatever the input. */
#define HOLDS(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

/* The bytes that are left of an input. */
struct input {
    const uint8_t *bytes;
    size_t size;
};

/* Take a byte; 0 after the end. */
static inline uint8_t take_byte(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->bytes++;
}

/*
 * Take what stands before the next byte `end`, and that byte, or all that is left: as a
 * string of the caller's, free(). Made to measure, so that a sanitizer sees what is read
 * beyond it. NULs in it end it for who reads it as a string.
 *   length  out: its length in bytes; may be NULL
 */
static inline char *take_until(struct input *input, int end, size_t *length)
{
    const uint8_t *found = input->size == 0 ? NULL : memchr(input->bytes, end, input->size);
    size_t size = found == NULL ? input->size : (size_t)(found - input->bytes);
    char *text = malloc(size + 1);

    HOLDS(text != NULL);
    if (size > 0)
        memcpy(text, input->bytes, size);
    text[size] = '\0';
    input->bytes += size + (found != NULL);
    input->size -= size + (found != NULL);
    if (length != NULL)
        *length = size;
    return text;
}

/* Take all that is left. */
static inline char *take_rest(struct input *input, size_t *length)
{
    char *text = malloc(input->size + 1);

    HOLDS(text != NULL);
    if (input->size > 0)
        memcpy(text, input->bytes, input->size);
    text[input->size] = '\0';
    *length = input->size;
    input->size = 0;
    return text;
}

#endif
