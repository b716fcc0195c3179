/*
 * steptext -- a failed job's steps as a text, and back.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/evidence.h"
#include "lib/model/steptext.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct make_row {
    const char *name, *steps, *runner_id, *text;
};

static void text_of_steps(void **state)
{
    const struct make_row *row = *state;
    json_object *steps = json_tokener_parse(row->steps);
    json_object *runner_id = row->runner_id == NULL ? NULL : json_tokener_parse(row->runner_id);
    char text[JR_STEPTEXT_SIZE];

    jr_steptext_make(steps, runner_id, text);
    assert_string_equal(text, row->text);
    json_object_put(steps);
    json_object_put(runner_id);
}

#define FINE "{\"name\":\"Set up job\",\"number\":1,\"status\":\"completed\",\"conclusion\":\"success\"}"

static const struct make_row makes[] = {
    { "no array", "{}", "7", "" },
    { "nothing", "null", NULL, "" },
    { "none", "[]", "0", "0 r0" },
    { "none, and nobody tells the runner", "[]", NULL, "0" },
    { "a runner that is no number", "[]", "\"seven\"", "0" },
    { "all well", "[" FINE "]", "7", "1 r7" },
    { "one failed", "[" FINE ",{\"name\":\"Run make\",\"number\":2,\"status\":\"completed\",\"conclusion\":\"failure\"}]", "7",
      "2 r7\n2 failure Run make" },
    { "one is left out", "[{\"name\":\"Post\",\"number\":9,\"conclusion\":\"skipped\"}]", "7", "1 r7" },
    { "one goes on", "[{\"name\":\"Run a\",\"number\":2,\"status\":\"in_progress\",\"conclusion\":null}]", "7",
      "1 r7\n2 in_progress Run a" },
    { "a null among them", "[null," FINE "]", "7", "1 r7" },
    { "a name of two lines", "[{\"name\":\"Run a\\nb\",\"number\":2,\"conclusion\":\"failure\"}]", "7", "1 r7\n2 failure Run a b" },
    { "a name that is none", "[{\"number\":2,\"conclusion\":\"failure\"}]", "7", "1 r7\n2 failure " },
    { "no number", "[{\"name\":\"x\",\"number\":\"y\",\"conclusion\":\"failure\"}]", "7", "1 r7\n0 failure x" },
    { "an outcome of two words", "[{\"name\":\"x\",\"number\":1,\"conclusion\":\"no good\"}]", "7", "1 r7\n1 unknown x" },
    { "no outcome", "[{\"name\":\"x\",\"number\":1}]", "7", "1 r7\n1 unknown x" },
};

/* More than there is room for is not told in part. */
static void too_much_is_nothing(void **state)
{
    json_object *steps = json_object_new_array();
    char text[JR_STEPTEXT_SIZE];

    (void)state;
    for (int i = 0; i < 20; i++) {
        json_object *step = json_object_new_object();

        json_object_object_add(step, "name", json_object_new_string("a name of some length, as people give them"));
        json_object_object_add(step, "number", json_object_new_int(i + 1));
        json_object_object_add(step, "conclusion", json_object_new_string("failure"));
        json_object_array_add(steps, step);
    }
    jr_steptext_make(steps, NULL, text);
    assert_string_equal(text, "");
    for (int i = 0; i < 200; i++)
        json_object_array_add(steps, json_object_new_object());
    jr_steptext_make(steps, NULL, text);
    assert_string_equal(text, "");
    json_object_put(steps);
}

/* As evidence they say the same of what matters. */
static void evidence_of_a_text(void **state)
{
    struct jr_evidence evidence = { .job_id = 1 };

    (void)state;
    assert_int_equal(jr_evidence_take_steptext(&evidence, "4 r7\n2 failure Run make\n19 in_progress Post a\n21 cancelled Post b"), JR_OK);
    assert_true(evidence.runner_told && evidence.runner_id == 7);
    assert_int_equal(evidence.steps_found, JR_FOUND);
    assert_int_equal(evidence.step_count, 4);
    assert_int_equal(evidence.steps[0].conclusion, JR_CONCLUSION_SUCCESS);
    assert_string_equal(evidence.steps[0].name, "");
    assert_int_equal(evidence.steps[1].conclusion, JR_CONCLUSION_FAILURE);
    assert_string_equal(evidence.steps[1].name, "Run make");
    assert_int_equal(evidence.steps[3].status, JR_STATUS_IN_PROGRESS);
    assert_int_equal(evidence.steps[2].conclusion, JR_CONCLUSION_CANCELLED);
    jr_evidence_release(&evidence);
    assert_int_equal(jr_evidence_take_steptext(&evidence, "0 r0"), JR_OK);
    assert_int_equal(evidence.steps_found, JR_ABSENT);
    assert_true(evidence.runner_told);
    jr_evidence_release(&evidence);
}

static void texts_that_tell_nothing(void **state)
{
    static const char *const texts[] = { "", "x", "-1", " 4", "4x", "4 r", "4 r7x", "201", "99999999999999999999" };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct jr_evidence evidence = { .job_id = 1 };

        assert_int_equal(jr_evidence_take_steptext(&evidence, texts[i]), JR_OK);
        assert_int_equal(evidence.steps_found, JR_UNREADABLE);
        jr_evidence_release(&evidence);
    }
}

static void lines_that_are_none(void **state)
{
    static const char *const texts[] = { "\n", "\nx", "\n2", "\n2 failure", "\n2 failure-that-is-longer-than-any x", "\n failure x", "2 failure x" };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *rest = texts[i];
        struct jr_steptext_step step;

        assert_false(jr_steptext_next(&rest, &step));
    }
}

int main(void)
{
    TABLE(makes, text_of_steps);
    TEST(too_much_is_nothing);
    TEST(evidence_of_a_text);
    TEST(texts_that_tell_nothing);
    TEST(lines_that_are_none);
    return run_program("steptext");
}
