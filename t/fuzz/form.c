/*
 * form -- a form-encoded body; what is read of it, encoded again, reads the same.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/form.h"
#include "t/fuzz/fuzz.h"

/* payload=%XX%XX...: the caller's, free(). */
static char *encode(const char *value, size_t length, size_t *encoded_length)
{
    static const char digits[] = "0123456789aBcDeF";
    char *encoded = malloc(8 + 3 * length + 1), *at = encoded + 8;

    HOLDS(encoded != NULL);
    memcpy(encoded, "payload=", 8);
    for (size_t i = 0; i < length; i++) {
        *at++ = '%';
        *at++ = digits[(unsigned char)value[i] >> 4];
        *at++ = digits[(unsigned char)value[i] & 15];
    }
    *encoded_length = (size_t)(at - encoded);
    return encoded;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct jr_error error;
    /* A body has no NUL after it that anybody might count on. */
    char *body = malloc(size > 0 ? size : 1), *value, *encoded, *again;
    size_t length, encoded_length, again_length;

    HOLDS(body != NULL);
    if (size > 0)
        memcpy(body, bytes, size);
    if (jr_form_payload(body, size, &value, &length, &error) == JR_OK) {
        HOLDS(length + 8 <= size && value[length] == '\0');
        encoded = encode(value, length, &encoded_length);
        HOLDS(jr_form_payload(encoded, encoded_length, &again, &again_length, &error) == JR_OK);
        HOLDS(again_length == length && memcmp(again, value, length + 1) == 0);
        free(again);
        free(encoded);
        free(value);
    } else {
        HOLDS(value == NULL && length == 0);
        HOLDS(error.code == JR_EINVAL && error.text[0] != '\0');
    }
    free(body);
    return 0;
}
