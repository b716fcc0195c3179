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

enum { TEXT, ACTION, ID, JOB, JOB_ID, JOB_NAME, JOB_LABELS, ACTOR, ACTOR_LOGIN, ACTOR_ID, PLACES };

#define END { NULL, 0, 0, NULL }

static const struct jr_wanted inner[] = {
    { JR_WANTED("login"), ACTOR_LOGIN, NULL },
    { JR_WANTED("id"), ACTOR_ID, NULL },
    END,
};
static const struct jr_wanted middle[] = {
    { JR_WANTED("id"), JOB_ID, NULL },
    { JR_WANTED("name"), JOB_NAME, NULL },
    { JR_WANTED("actor"), ACTOR, inner },
    { JR_WANTED("labels"), JOB_LABELS, NULL },
    END,
};
static const struct jr_wanted outer[] = {
    { JR_WANTED("action"), ACTION, NULL },
    { JR_WANTED("id"), ID, NULL },
    { JR_WANTED("workflow_job"), JOB, middle },
    END,
};
static const struct jr_wanted wanted = { JR_WANTED(""), TEXT, outer };

/*
 *   whole  what json-c reads of the text
 *   there  whether it is there
 *   left   the values of the excerpt
 */
static void holds_same(json_object *whole, bool there, json_object *left,
                       const struct jr_wanted *member, const uint32_t *found)
{
    uint32_t at = found[member->place];
    bool is_object = there && json_object_is_type(whole, json_type_object);

    if (member->members != NULL && is_object) {
        HOLDS(at == JR_EXCERPT_OBJECT);
    } else {
        HOLDS((at != JR_EXCERPT_ABSENT) == there && at != JR_EXCERPT_OBJECT);
        if (there)
            HOLDS(at <= json_object_array_length(left)
                  && json_object_equal(whole, json_object_array_get_idx(left, at - 1)));
    }
    for (const struct jr_wanted *one = member->members; one != NULL && one->name != NULL; one++) {
        json_object *value = NULL;
        bool has = is_object && json_object_object_get_ex(whole, one->name, &value);

        holds_same(value, has, left, one, found);
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
    uint32_t found[PLACES] = { JR_EXCERPT_ABSENT };
    size_t length, left_length;
    char *text = take_rest(&input, &length), *left = copy_of(text, length);
    json_object *whole_root, *left_root;

    left_length = length;
    if (jr_excerpt(left, &left_length, &wanted, found, &error) == JR_OK) {
        HOLDS(left_length <= length && left[left_length] == '\0');
        HOLDS(jr_json_parse(text, length, &whole_root, &error) == JR_OK);
        HOLDS(jr_json_parse(left, left_length, &left_root, &error) == JR_OK);
        if (json_object_is_type(whole_root, json_type_object))
            holds_same(whole_root, true, left_root, &wanted, found);
        else
            HOLDS(found[TEXT] == JR_EXCERPT_ABSENT && json_object_equal(whole_root, left_root));
        json_object_put(whole_root);
        json_object_put(left_root);
    } else {
        HOLDS(error.code == JR_EINVAL);
    }
    free(left);
    free(text);
    return 0;
}
