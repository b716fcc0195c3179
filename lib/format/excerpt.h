/*
 * excerpt -- the members of a JSON text that will be read, and nothing else.
 *
 * A webhook's payload has some 9 kB, of which a few hundred bytes are looked at.
 * To make objects of all of it cost half of a worker's time; so the text is
 * checked as a whole, and only what is wanted is left for json-c. `t/bench/run`
 * measures it.
 *
 * Source: RFC 8259.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_EXCERPT_H
#define JR_EXCERPT_H

#include "lib/base/error.h"

#include <stddef.h>

/* A member that is wanted. A list of them ends with a name of NULL. */
struct jr_wanted {
    const char *name;
    const struct jr_wanted *members; /* of its object; NULL: whatever it is, as a whole */
};

/* How many levels deep a text may be; webhook payloads have about 6. */
#define JR_EXCERPT_DEPTH 64

/*
 * Leave only the wanted members of a text whose value is an object, in their
 * order; a member that comes twice is left twice. Where the value is no object,
 * or a member whose object has wanted members is none, it is left whole. All of
 * the text has to be JSON, to the letter of RFC 8259, also what is not wanted; but no name may
 * have a NUL in it, for json-c would cut it there.
 *   text    in and out: of *length bytes and a NUL after them, then and afterwards
 *   length  in and out: it never grows
 *   error   out: what is wrong and at which byte, on JR_EINVAL
 * Returns JR_OK or JR_EINVAL; the text is spoilt then.
 */
enum jr_err jr_excerpt(char *text, size_t *length, const struct jr_wanted *wanted,
                       struct jr_error *error) JR_CHECKED;

#endif
