/*
 * query -- the parameters in the address of a page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/query.h"
#include "lib/base/text.h"
#include "lib/format/form.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One parameter, decoded. */
struct part {
    char name[JR_QUERY_BYTES_MAX + 1];
    char value[JR_QUERY_BYTES_MAX + 1];
};

/* Where a name stands among those of the page; that of NULL: nowhere. */
static size_t find(const struct jr_query *query, const char *name)
{
    size_t i = 0;

    while (query->names[i] != NULL && strcmp(query->names[i], name) != 0)
        i++;
    return i;
}

static enum jr_err decode(const char *text, size_t length, char *decoded)
{
    size_t got;

    if (jr_form_decode(text, length, decoded, &got) != JR_OK || strlen(decoded) != got)
        return JR_EINVAL;
    return JR_OK;
}

static enum jr_err split(const char *text, size_t length, struct part *part)
{
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals == NULL ? length : (size_t)(equals - text);
    enum jr_err err = decode(text, name_length, part->name);

    part->value[0] = '\0';
    if (err == JR_OK && equals != NULL)
        err = decode(equals + 1, length - name_length - 1, part->value);
    return err;
}

/* Which parameters there are. */
static enum jr_err unknown(const struct jr_query *query, const char *name, struct jr_error *error)
{
    char all[256] = "";

    for (size_t i = 0; query->names[i] != NULL; i++) {
        size_t length = strlen(all);

        snprintf(all + length, sizeof all - length, "%s%s", i == 0 ? "" : ", ", query->names[i]);
    }
    return jr_error_set(error, JR_EINVAL, "there is no parameter '%.60s' here; there are: %s", name,
                        all);
}

static enum jr_err take(struct jr_query *query, const struct part *part, struct jr_error *error)
{
    size_t i = find(query, part->name);

    if (query->names[i] == NULL)
        return unknown(query, part->name, error);
    if (*query->values[i] != '\0')
        return jr_error_set(error, JR_EINVAL, "the parameter '%s' is there twice", part->name);
    if (strlen(part->value) >= JR_QUERY_VALUE_SIZE)
        return jr_error_set(error, JR_EINVAL, "the parameter '%s' is longer than %d bytes",
                            part->name, JR_QUERY_VALUE_SIZE - 1);
    (void)jr_text_copy(query->values[i], JR_QUERY_VALUE_SIZE, part->value);
    return JR_OK;
}

enum jr_err jr_query_read(struct jr_query *query, const char *const *names, const char *text,
                          struct jr_error *error)
{
    struct part part;
    enum jr_err err = JR_OK;

    memset(query, 0, sizeof *query);
    query->names = names;
    if (strlen(text) > JR_QUERY_BYTES_MAX)
        return jr_error_set(error, JR_EINVAL, "the parameters are longer than %d bytes",
                            JR_QUERY_BYTES_MAX);
    while (err == JR_OK && *text != '\0') {
        size_t length = strcspn(text, "&");

        if (length > 0 && split(text, length, &part) != JR_OK)
            err = jr_error_set(error, JR_EINVAL, "the parameter '%.*s' is badly encoded",
                               (int)(length < 60 ? length : 60), text);
        else if (length > 0)
            err = take(query, &part, error);
        text += length + (text[length] == '&');
    }
    return err;
}

const char *jr_query_value(const struct jr_query *query, const char *name)
{
    size_t i = find(query, name);

    return query->names[i] == NULL ? "" : query->values[i];
}

enum jr_err jr_query_number(const struct jr_query *query, const char *name, int64_t least,
                            int64_t most, int64_t *number, struct jr_error *error)
{
    const char *text = jr_query_value(query, name);
    size_t length = strlen(text);
    int64_t value = length == 0 ? least : strtoll(text, NULL, 10);

    if (length > 18 || strspn(text, "0123456789") != length || value < least || value > most)
        return jr_error_set(error, JR_EINVAL,
                            "the parameter '%s' is '%.60s': it is a number from %lld to %lld", name,
                            text, (long long)least, (long long)most);
    if (length > 0)
        *number = value;
    return JR_OK;
}

uint64_t jr_query_id(const char *digits)
{
    uint64_t number = 0;

    if (*digits == '0' || strspn(digits, "0123456789") != strlen(digits))
        return 0;
    for (; *digits != '\0'; digits++) {
        uint64_t digit = (uint64_t)(*digits - '0');

        if (number > (UINT64_MAX - digit) / 10)
            return 0;
        number = number * 10 + digit;
    }
    return number;
}

void jr_query_encode(struct jr_buffer *buffer, const char *value)
{
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;

        /* Those that RFC 3986 allows in a query, but for what has a meaning in a form. */
        if (isalnum(c) || strchr("-._~*/:@,!()", c) != NULL)
            jr_buffer_add_bytes(buffer, value, 1);
        else
            jr_buffer_print(buffer, "%%%02X", c);
    }
}

void jr_query_write(struct jr_buffer *buffer, const struct jr_query *query, const char *name,
                    const char *value)
{
    bool any = false;

    for (size_t i = 0; query->names[i] != NULL; i++) {
        bool other = name != NULL && strcmp(query->names[i], name) == 0;
        const char *given = other ? value : query->values[i];

        if (*given == '\0')
            continue;
        jr_buffer_print(buffer, "%s%s=", any ? "&" : "?", query->names[i]);
        jr_query_encode(buffer, given);
        any = true;
    }
}
