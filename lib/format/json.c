/*
 * json -- strict reading of JSON from outside, over json-c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/json.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

#include <limits.h>
#include <string.h>

/* Webhook payloads are about 6 levels deep. */
#define DEPTH_MAX 64

/* A tokener's buffer is as large as the longest string was: after such a text it is not kept. */
#define KEPT_MAX ((size_t)64 * 1024)

/* For the next text: it is larger than what most webhooks need besides. NULL: none. */
static json_tokener *kept;

static json_tokener *get_tokener(void)
{
    json_tokener *tokener = kept;

    kept = NULL;
    if (tokener == NULL)
        tokener = json_tokener_new_ex(DEPTH_MAX);
    if (tokener != NULL)
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    return tokener;
}

/* Only one that came to the end of a good text is as it was at first: not half in a string. */
static void put_tokener(json_tokener *tokener, bool is_good, size_t length)
{
    if (is_good && length <= KEPT_MAX) {
        json_tokener_reset(tokener);
        kept = tokener;
    } else {
        json_tokener_free(tokener);
    }
}

/* Behind a string, at whose quote `at` stands. */
static const char *skip_string(const char *at)
{
    char quote = *at++;

    while (*at != quote && *at != '\0')
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    return *at == quote ? at + 1 : at;
}

static bool is_escaped_nul(const char *at)
{
    return strncmp(at, "\\u0000", 6) == 0;
}

/* Has the string at `at`, up to `end`, a NUL in it? */
static bool has_nul(const char *at, const char *end)
{
    for (; at < end; at += *at == '\\' ? 2 : 1)
        if (is_escaped_nul(at))
            return true;
    return false;
}

/*
 * Is there a member whose name json-c would cut? It ends names at a NUL, so that one could be
 * taken for another. The text is good JSON, but for single quotes.
 */
static bool has_cut_name(const char *text, size_t length)
{
    const char *at = memchr(text, '\\', length);

    /* Mostly there is none, and this is done with each webhook. */
    if (at == NULL || strstr(at, "\\u0000") == NULL)
        return false;
    for (at = text + strcspn(text, "\"'"); *at != '\0'; at += strcspn(at, "\"'")) {
        const char *string = at;

        at = skip_string(at);
        if (at[strspn(at, " \t\r\n")] == ':' && has_nul(string, at))
            return true;
    }
    return false;
}

enum jr_err jr_json_parse(const char *text, size_t length, json_object **root,
                          struct jr_error *error)
{
    struct json_tokener *tokener = NULL;
    enum json_tokener_error status;
    enum jr_err err = JR_OK;

    *root = NULL;
    if (length >= INT_MAX)
        return jr_error_set(error, JR_EINVAL, "JSON text too long");
    tokener = get_tokener();
    if (tokener == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    /* A bare word or number ends only at the NUL. */
    *root = json_tokener_parse_ex(tokener, text, (int)length + 1);
    status = json_tokener_get_error(tokener);
    if (status != json_tokener_success) {
        err = jr_error_set(error, JR_EINVAL, "not JSON: %s at byte %zu",
                           json_tokener_error_desc(status),
                           json_tokener_get_parse_end(tokener));
    } else if (json_tokener_get_parse_end(tokener) != length) {
        err = jr_error_set(error, JR_EINVAL, "text after the JSON value");
    } else if (has_cut_name(text, length)) {
        err = jr_error_set(error, JR_EINVAL, "a member's name has a NUL in it");
    }
    if (err != JR_OK) {
        json_object_put(*root);
        *root = NULL;
    }
    put_tokener(tokener, err == JR_OK, length);
    return err;
}

/* A member; NULL: it is null, or not there. */
static json_object *find(json_object *object, const char *key)
{
    json_object *found = NULL;

    if (json_object_is_type(object, json_type_object))
        (void)json_object_object_get_ex(object, key, &found);
    return found;
}

/* Find a member of the wanted type. */
static enum jr_json get(json_object *object, const char *key, json_type type,
                        json_object **member)
{
    json_object *found = find(object, key);

    *member = NULL;
    if (found == NULL)
        return JR_JSON_ABSENT;
    if (!json_object_is_type(found, type))
        return JR_JSON_WRONG;
    *member = found;
    return JR_JSON_OK;
}

bool jr_json_is_true(json_object *object, const char *key)
{
    json_object *member = find(object, key);

    return json_object_is_type(member, json_type_boolean) && json_object_get_boolean(member);
}

enum jr_json jr_json_get_object(json_object *object, const char *key, json_object **member)
{
    return get(object, key, json_type_object, member);
}

enum jr_json jr_json_get_array(json_object *object, const char *key, json_object **member)
{
    return get(object, key, json_type_array, member);
}

/* json-c saturates what does not fit into 64 bits, hence < INT64_MAX. */
enum jr_json jr_json_id(json_object *value, uint64_t *id)
{
    int64_t number;

    *id = 0;
    if (value == NULL)
        return JR_JSON_ABSENT;
    if (!json_object_is_type(value, json_type_int))
        return JR_JSON_WRONG;
    number = json_object_get_int64(value);
    if (number <= 0 || number == INT64_MAX)
        return JR_JSON_WRONG;
    *id = (uint64_t)number;
    return JR_JSON_OK;
}

enum jr_json jr_json_get_id(json_object *object, const char *key, uint64_t *value)
{
    return jr_json_id(find(object, key), value);
}

/* Copy a json-c string; copy is empty already. */
static enum jr_json copy_text(json_object *string, char *copy, size_t size)
{
    const char *text = json_object_get_string(string);

    if (strlen(text) != (size_t)json_object_get_string_len(string))
        return JR_JSON_WRONG;
    for (size_t i = 0, character; text[i] != '\0'; i += character) {
        character = jr_text_utf8_length(text + i);
        if (character == 0)
            return JR_JSON_WRONG;
    }
    jr_text_copy(copy, size, text);
    return JR_JSON_OK;
}

enum jr_json jr_json_text(json_object *value, char *copy, size_t size)
{
    copy[0] = '\0';
    if (value == NULL)
        return JR_JSON_ABSENT;
    return json_object_is_type(value, json_type_string) ? copy_text(value, copy, size)
                                                        : JR_JSON_WRONG;
}

enum jr_json jr_json_get_text(json_object *object, const char *key, char *copy, size_t size)
{
    return jr_json_text(find(object, key), copy, size);
}

enum jr_json jr_json_get_item_text(json_object *array, size_t index, char *copy, size_t size)
{
    enum jr_json found;

    copy[0] = '\0';
    if (!json_object_is_type(array, json_type_array) || index >= json_object_array_length(array))
        return JR_JSON_ABSENT;
    found = jr_json_text(json_object_array_get_idx(array, index), copy, size);
    /* After the last one alone it is absent. */
    return found == JR_JSON_ABSENT ? JR_JSON_WRONG : found;
}

int64_t jr_json_time(json_object *value)
{
    char text[48];

    jr_json_text(value, text, sizeof text);
    return jr_timestamp_parse(text);
}

int64_t jr_json_get_time(json_object *object, const char *key)
{
    return jr_json_time(find(object, key));
}
