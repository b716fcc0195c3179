/*
 * tint -- colours of words on a terminal, by the kind of news that they are.
 *
 * Each is one of the eight that every terminal has and whose shade is its owner's choice. The
 * word says the same without: colour is never the only sign.
 * Source: ECMA-48, 8.3.117 (SGR); https://no-color.org.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TINT_H
#define JR_TINT_H

#include "lib/model/standing.h"
#include "lib/model/words.h"

#include <stdbool.h>

/*
 * Are colours wanted?
 *   choice    auto, always or never; empty: always; NULL: auto. It goes before the environment
 *   terminal  the output is one
 *   color     out: with auto, on a terminal, unless TERM is dumb or not set, or NO_COLOR is set
 *             and not empty
 * Returns false when the choice is none of these.
 */
bool jr_tint_choose(const char *choice, bool terminal, bool *color);

/* What stands before and behind a word; both are empty without colour, or for CALM. Static. */
const char *jr_tint_begin(bool color, enum jr_mood mood);
const char *jr_tint_end(bool color, enum jr_mood mood);

/* Write a text to standard output with its colour; it is clean (show.h). */
void jr_tint_print(bool color, enum jr_mood mood, const char *text);

/* What kind of news a conclusion is. */
enum jr_mood jr_tint_conclusion(enum jr_conclusion conclusion);

#endif
