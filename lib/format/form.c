/*
 * form -- form-encoded text: the one field of a webhook, and the values in an address.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/form.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

static const char field[] = "payload=";

enum jr_err jr_form_decode(const char *text, size_t length, char *decoded, size_t *decoded_length)
{
    size_t out = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '+') {
            decoded[out++] = ' ';
        } else if (text[i] == '%') {
            char digits[3] = "";
            unsigned char byte;

            if (length - i < 3)
                return JR_EINVAL;
            memcpy(digits, text + i + 1, 2);
            if (!jr_text_from_hex(digits, &byte, 1))
                return JR_EINVAL;
            decoded[out++] = (char)byte;
            i += 2;
        } else {
            decoded[out++] = text[i];
        }
    }
    decoded[out] = '\0';
    *decoded_length = out;
    return JR_OK;
}

enum jr_err jr_form_payload(const char *body, size_t body_length, char **value,
                            size_t *length, struct jr_error *error)
{
    const char *found = NULL, *end = body + body_length;
    size_t found_length = 0, name_length = sizeof field - 1;

    *value = NULL;
    *length = 0;
    for (const char *part = body; part < end;) {
        const char *next = memchr(part, '&', (size_t)(end - part));
        size_t part_length = (size_t)((next == NULL ? end : next) - part);

        if (part_length >= name_length && memcmp(part, field, name_length) == 0) {
            if (found != NULL)
                return jr_error_set(error, JR_EINVAL, "form has 'payload' twice");
            found = part + name_length;
            found_length = part_length - name_length;
        }
        part += part_length + 1;
    }
    if (found == NULL)
        return jr_error_set(error, JR_EINVAL, "form has no 'payload'");
    *value = malloc(found_length + 1);
    if (*value == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    if (jr_form_decode(found, found_length, *value, length) != JR_OK) {
        free(*value);
        *value = NULL;
        return jr_error_set(error, JR_EINVAL, "form has a bad %% escape in 'payload'");
    }
    return JR_OK;
}
