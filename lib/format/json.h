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

/*
 * What a value is, by itself. A whole number from 1 to INT64_MAX, which GitHub's ids are (0
 * unless OK); a string of valid UTF-8 without NUL, of which size - 1 bytes are copied, or less
 * up to a UTF-8 border (empty unless OK); the time that a string names (0 if it does not).
 * NULL, for null, is ABSENT.
 */
enum jr_json jr_json_id(json_object *value, uint64_t *id);
enum jr_json jr_json_text(json_object *value, char *copy, size_t size);
int64_t jr_json_time(json_object *value);

/* Is the member there, and true? */
bool jr_json_is_true(json_object *object, const char *key);

/* A member that is an object; borrowed from the parent, NULL unless OK. */
enum jr_json jr_json_get_object(json_object *object, const char *key, json_object **member);

/* A member that is an array; borrowed from the parent, NULL unless OK. */
enum jr_json jr_json_get_array(json_object *object, const char *key, json_object **member);

/* The same three of a member: one that is not there is as one that is null. */
enum jr_json jr_json_get_id(json_object *object, const char *key, uint64_t *value);
enum jr_json jr_json_get_text(json_object *object, const char *key, char *copy, size_t size);
int64_t jr_json_get_time(json_object *object, const char *key);

/* An array's item that is a string; ABSENT after the last one. */
enum jr_json jr_json_get_item_text(json_object *array, size_t index, char *copy, size_t size);

#endif
