/*
 * json -- strict reading of JSON from outside, over json-c.
 *
 * json-c's own getters convert silently and abort on wrong types; these never
 * do. An object argument may be NULL or of any type: then nothing is found.
 * Source: RFC 8259.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_JSON_H
#define JR_JSON_H

#include "lib/base/error.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a member turned out to be. */
enum jr_json {
    JR_JSON_OK,     /* there, and of the wanted type */
    JR_JSON_ABSENT, /* not there, or null */
    JR_JSON_WRONG   /* there, but of another type, out of range, or no such string */
};

/*
 * Parse one JSON text: at most 64 levels deep, and nothing after it. What json-c
 * takes beyond RFC 8259 even so does no harm and is taken: single quotes, NaN and
 * Infinity, control characters in strings, a name twice (the last one counts). A member's name
 * with a NUL in it (\u0000) is refused: json-c would cut it, and take it for another one.
 *   text   of `length` bytes and a NUL after them
 *   root   out: the value, released with json_object_put(); NULL for `null`
 *   error  out: why not, on JR_EINVAL
 * Returns JR_OK, JR_EINVAL or JR_ENOMEM; root is NULL unless JR_OK.
 */
enum jr_err jr_json_parse(const char *text, size_t length, json_object **root,
                          struct jr_error *error) JR_CHECKED;

/* Is the member there, and null? */
bool jr_json_is_null(json_object *object, const char *key);

/* Is the member there, and true? */
bool jr_json_is_true(json_object *object, const char *key);

/* A member that is an object; borrowed from the parent, NULL unless OK. */
enum jr_json jr_json_get_object(json_object *object, const char *key, json_object **member);

/* A member that is an array; borrowed from the parent, NULL unless OK. */
enum jr_json jr_json_get_array(json_object *object, const char *key, json_object **member);

/* A whole number from 1 to INT64_MAX: what GitHub's ids are. 0 unless OK. */
enum jr_json jr_json_get_id(json_object *object, const char *key, uint64_t *value);

/*
 * A string of valid UTF-8 without NUL. A longer one than size - 1 bytes is cut at a UTF-8
 * border. The copy is empty unless OK.
 */
enum jr_json jr_json_get_text(json_object *object, const char *key, char *copy, size_t size);

/* The same of an array's item; ABSENT after the last one. */
enum jr_json jr_json_get_item_text(json_object *array, size_t index, char *copy, size_t size);

/* The time that a string member names, 0 if there is none. */
int64_t jr_json_get_time(json_object *object, const char *key);

#endif
