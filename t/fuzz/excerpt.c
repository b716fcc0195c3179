/*
 * excerpt -- what an excerpt is taken of, json-c has to read as well, and the
 * wanted members have to be the same in both.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/excerpt.h"
#include "lib/format/json.h"
#include "t/fuzz/fuzz.h"

static const struct jr_wanted inner[] = { { "login", NULL }, { "id", NULL }, { NULL, NULL } };
static const struct jr_wanted outer[] = {
    { "id", NULL },
    { "name", NULL },
    { "actor", inner },
    { "labels", NULL },
    { NULL, NULL },
};
static const struct jr_wanted wanted[] = {
    { "action", NULL },
    { "id", NULL },
    { "workflow_job", outer },
    { "sender", inner },
    { NULL, NULL },
};

static void holds_same(json_object *whole, json_object *left, const struct jr_wanted *members)
{
    HOLDS(json_object_get_type(whole) == json_object_get_type(left));
    if (members == NULL || !json_object_is_type(whole, json_type_object)) {
        HOLDS(strcmp(json_object_to_json_string(whole), json_object_to_json_string(left)) == 0);
        return;
    }
    for (; members->name != NULL; members++) {
        json_object *in_whole = NULL, *in_left = NULL;
        bool there = json_object_object_get_ex(whole, members->name, &in_whole);

        HOLDS(json_object_object_get_ex(left, members->name, &in_left) == there);
        holds_same(in_whole, in_left, members->members);
    }
}

static char *copy_of(const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    HOLDS(copy != NULL);
    memcpy(copy, text, length + 1);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    struct jr_error error;
    size_t length, left_length, again_length;
    char *text = take_rest(&input, &length), *left = copy_of(text, length), *again;
    json_object *whole_root, *left_root;

    left_length = length;
    if (jr_excerpt(left, &left_length, wanted, &error) == JR_OK) {
        HOLDS(left_length <= length && left[left_length] == '\0');
        HOLDS(jr_json_parse(text, length, &whole_root, &error) == JR_OK);
        HOLDS(jr_json_parse(left, left_length, &left_root, &error) == JR_OK);
        holds_same(whole_root, left_root, wanted);
        json_object_put(whole_root);
        json_object_put(left_root);

        /* Of an excerpt nothing more is to be left out. */
        again = copy_of(left, left_length);
        again_length = left_length;
        HOLDS(jr_excerpt(again, &again_length, wanted, &error) == JR_OK);
        HOLDS(again_length == left_length && memcmp(again, left, left_length) == 0);
        free(again);
    } else {
        HOLDS(error.code == JR_EINVAL);
    }
    free(left);
    free(text);
    return 0;
}
