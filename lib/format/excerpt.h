/*
 * excerpt -- the values in a JSON text that will be read, and nothing else.
 *
 * A webhook's payload has some 9 kB, of which a few hundred bytes are looked at.
 * To make objects of all of it cost half of a worker's time; so the text is
 * checked as a whole, and only the values that are wanted are left for json-c, one
 * behind the other: it need not make objects, nor copies of names. `t/bench/run`
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
#include <stdint.h>

/* A member that is wanted. A list of them ends with a name of NULL. */
struct jr_wanted {
    const char *name;
    size_t length; /* of the name */
    size_t place;  /* of its own, in what jr_excerpt() tells */
    const struct jr_wanted *members; /* of its object; NULL: whatever it is, as a whole */
};

/* The beginning of a struct jr_wanted: its name is a literal. */
#define JR_WANTED(name) (name), sizeof(name) - 1

/* What is told of a member's place, but for the number of its value. */
#define JR_EXCERPT_ABSENT UINT32_C(0)
#define JR_EXCERPT_OBJECT UINT32_MAX /* an object, whose wanted members have places of their own */

/* How many levels deep a text may be; webhook payloads have about 6. */
#define JR_EXCERPT_DEPTH 64

/*
 * Leave only the wanted values of a text, as one array. The value of a member whose object
 * has wanted members is left if it is no object. Of a member that comes twice both are left,
 * and the last one counts. A text whose value is no object is left as it is, without the blanks
 * around it. All of the text has to be JSON, to the letter of RFC 8259, also what is not wanted;
 * but no name may have a NUL in it, for json-c would cut it there.
 *   text    in and out: of *length bytes and a NUL after them, then and afterwards
 *   length  in and out: it never grows
 *   wanted  the text itself, whose name is of no account, and its members
 *   found   in: all JR_EXCERPT_ABSENT. out: by the places of `wanted`, the number of the value in
 *           the array, from 1 on, or one of the words above; of the text, whether it is an
 *           object
 *   error   out: what is wrong and at which byte, on JR_EINVAL
 * Returns JR_OK, JR_EINVAL or JR_ENOMEM; the text is spoilt then.
 */
enum jr_err jr_excerpt(char *text, size_t *length, const struct jr_wanted *wanted,
                       uint32_t *found, struct jr_error *error) JR_CHECKED;

#endif
