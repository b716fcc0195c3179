/*
 * evidence -- steps and annotations are taken out of the API's JSON, and what is not there is
 * not taken for found.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/json.h"
#include "lib/model/evidence.h"
#include "t/unit/support.h"

#include <json-c/json.h>
#include <string.h>

static void take(struct jr_evidence *evidence, const char *text)
{
    struct jr_error error;
    json_object *array;

    assert_int_equal(jr_json_parse(text, strlen(text), &array, &error), JR_OK);
    assert_int_equal(jr_evidence_take_annotations(evidence, array), JR_OK);
    json_object_put(array);
}

/* Annotations that are read once more stand in the place of those before. */
static void annotations(void **state)
{
    struct jr_evidence evidence = { .job_id = 1 };

    (void)state;
    take(&evidence, "[{\"annotation_level\":\"failure\",\"message\":\"a\"},null,7,{\"message\":7},{\"message\":\"b\"}]");
    assert_int_equal(evidence.annotations_found, JR_FOUND);
    assert_int_equal(evidence.annotation_count, 2);
    assert_true(evidence.annotations[0].failure);
    assert_false(evidence.annotations[1].failure);
    take(&evidence, "[{\"message\":\"c\"}]");
    assert_int_equal(evidence.annotation_count, 1);
    assert_string_equal(evidence.annotations[0].message, "c");
    take(&evidence, "[]");
    assert_int_equal(evidence.annotations_found, JR_ABSENT);
    assert_int_equal(evidence.annotation_count, 0);
    take(&evidence, "{}");
    assert_int_equal(evidence.annotations_found, JR_UNREADABLE);
    jr_evidence_release(&evidence);
}

int main(void)
{
    TEST(annotations);
    return run_program("evidence");
}
