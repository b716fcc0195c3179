/*
 * literals -- which of many patterns a text can match at all.
 *
 * Most patterns need some word to stand in the text. One pass over the text finds which of the
 * words of all patterns do; only those patterns are tried then. A pattern of which no such
 * word is known is always tried.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LITERALS_H
#define JR_LITERALS_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Patterns are numbered below this. */
#define JR_LITERALS_PATTERNS 512

struct jr_literals; /* opaque */

/* One bit for each pattern. */
struct jr_candidates {
    uint64_t words[JR_LITERALS_PATTERNS / 64];
};

/* A set without patterns; NULL: out of memory. */
struct jr_literals *jr_literals_open(void);
void jr_literals_close(struct jr_literals *literals);

/*
 * Add a pattern as PCRE2 takes it, to be matched without case.
 *   number  below JR_LITERALS_PATTERNS
 * What is not understood is taken for a pattern without a word. Returns JR_OK or JR_ENOMEM.
 */
enum jr_err jr_literals_add(struct jr_literals *literals, const char *pattern,
                            size_t number) JR_CHECKED;

/*
 * Add a pattern of whose branches at the top ("a|b|c") some may need a word and others not: it
 * is a candidate only where a word of the former stands.
 *   bare  out: the latter, as a pattern of their own, which always has to be tried; empty: there
 *         are none, or the pattern was added as jr_literals_add() does
 *   size  of bare, at least the pattern's with its NUL
 * Returns JR_OK or JR_ENOMEM.
 */
enum jr_err jr_literals_split(struct jr_literals *literals, const char *pattern, size_t number,
                              char *bare, size_t size) JR_CHECKED;

/* Which patterns can match the text? */
void jr_literals_find(const struct jr_literals *literals, const char *text, size_t length,
                      struct jr_candidates *candidates);

static inline bool jr_candidates_have(const struct jr_candidates *candidates, size_t number)
{
    return (candidates->words[number / 64] >> number % 64 & 1) != 0;
}

#endif
