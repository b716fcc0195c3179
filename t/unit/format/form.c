/*
 * form -- the payload of a form.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/form.h"
#include "t/unit/support.h"

#include <stdlib.h>
#include <string.h>

struct form_row {
    const char *name, *body, *want; /* NULL: refused */
    size_t length;                  /* of what is wanted; 0: that of the text */
};

static void payload_of(void **state)
{
    const struct form_row *row = *state;
    size_t size = strlen(row->body), length = 99;
    struct jr_error error = { .code = JR_OK };
    char *body = malloc(size + (size == 0)), *value = NULL;
    enum jr_err err;

    assert_non_null(body);
    memcpy(body, row->body, size);
    err = jr_form_payload(body, size, &value, &length, &error);
    if (row->want == NULL) {
        assert_int_equal(err, JR_EINVAL);
        assert_null(value);
        assert_true(error.text[0] != '\0');
    } else {
        assert_int_equal(err, JR_OK);
        assert_int_equal(length, row->length != 0 ? row->length : strlen(row->want));
        assert_memory_equal(value, row->want, length + 1);
    }
    free(value);
    free(body);
}

static const struct form_row forms[] = {
    { "plain", "payload=abc", "abc", 0 },
    { "empty", "payload=", "", 0 },
    { "escapes", "payload=%7B%22a%22%3a1%7d", "{\"a\":1}", 0 },
    { "plus is a blank", "payload=a+b%2Bc", "a b+c", 0 },
    { "not ASCII", "payload=%C3%A9", "\xc3\xa9", 0 },
    { "a NUL", "payload=a%00b", "a\0b", 3 },
    { "= in the value", "payload=a=b", "a=b", 0 },
    { "other fields", "x=1&payload=abc&y=2", "abc", 0 },
    { "empty fields", "&&payload=abc&&", "abc", 0 },
    { "a longer name before it", "payloads=1&payload=abc", "abc", 0 },
    { "an escaped & in the value", "payload=a%26payload=b", "a&payload=b", 0 },
    { "an escape at the very end", "payload=%41", "A", 0 },

    { "nothing", "", NULL, 0 },
    { "no payload", "x=1", NULL, 0 },
    { "no =", "payload", NULL, 0 },
    { "another case", "Payload=abc", NULL, 0 },
    { "twice", "payload=a&payload=b", NULL, 0 },
    { "twice, one empty", "payload=&payload=b", NULL, 0 },
    { "half an escape", "payload=a%4", NULL, 0 },
    { "only the % of an escape", "payload=a%", NULL, 0 },
    { "an escape cut by the next field", "payload=%4&x=1", NULL, 0 },
    { "no hexadecimal digits", "payload=%zz", NULL, 0 },
    { "a sign in an escape", "payload=%+1", NULL, 0 },
    { "JSON", "{\"payload\": 1}", NULL, 0 },
};

int main(void)
{
    TABLE(forms, payload_of);
    return run_program("form");
}
