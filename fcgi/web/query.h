/*
 * query -- the parameters in the address of a page.
 *
 * A page knows a closed set of names; each may stand there once. An empty value counts as not
 * given: forms send one for each empty field.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_QUERY_H
#define JR_QUERY_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define JR_QUERY_NAMES_MAX 12   /* of a page */
#define JR_QUERY_VALUE_SIZE 256 /* of a decoded value, with its NUL */
#define JR_QUERY_BYTES_MAX 1024 /* of the whole query, encoded */

struct jr_query {
    const char *const *names; /* static; ends with NULL */
    char values[JR_QUERY_NAMES_MAX][JR_QUERY_VALUE_SIZE]; /* of each; empty: not given */
};

/*
 * Read the parameters.
 *   names  that the page knows, static, up to JR_QUERY_NAMES_MAX, and NULL
 *   text   what stands behind the `?`, encoded
 * Returns JR_OK, or JR_EINVAL with what is wrong, the parameter named: it is not known, there
 * twice, too long, badly encoded.
 */
enum jr_err jr_query_read(struct jr_query *query, const char *const *names, const char *text,
                          struct jr_error *error) JR_CHECKED;

/* The value of one; empty: it is not given, or the page does not know it. */
const char *jr_query_value(const struct jr_query *query, const char *name);

/*
 * A value that is a whole number from least to most. Where it is not given, number stays.
 * Returns JR_OK, or JR_EINVAL with what it may be.
 */
enum jr_err jr_query_number(const struct jr_query *query, const char *name, int64_t least,
                            int64_t most, int64_t *number, struct jr_error *error) JR_CHECKED;

/* A number that names something, as GitHub writes it: decimal, no zero before it; 0: it is none. */
uint64_t jr_query_id(const char *digits);

/*
 * Write all that is given, as it may stand in an address: "?a=b&c=d", or nothing.
 *   name   has another value; NULL: none
 *   value  that; empty: it is left out
 */
void jr_query_write(struct jr_buffer *buffer, const struct jr_query *query, const char *name,
                    const char *value);

/* Write one value, encoded for an address. */
void jr_query_encode(struct jr_buffer *buffer, const char *value);

#endif
