/*
 * evidence -- steps and annotations are taken out of the API's JSON, and what is not there is
 * not taken for found; as bytes it is handed over whole, within its ceilings.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/json.h"
#include "lib/model/evidence.h"
#include "t/unit/support.h"

#include <json-c/json.h>
#include <stdlib.h>
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

/* All that evidence can have, to its ceilings. */
static void fill(struct jr_evidence *evidence, size_t log_length)
{
    struct jr_evidence all = {
        .job_id = UINT64_MAX, .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_OTHER,
        .created_ms = 1, .started_ms = 2, .completed_ms = JR_TIME_MOST, .runner_told = true, .runner_id = 3,
        .steps_found = JR_FOUND, .step_count = JR_STEPS_MAX, .annotations_found = JR_FOUND,
        .annotation_count = JR_ANNOTATIONS_MAX, .log_found = JR_FOUND, .log_length = log_length,
    };

    memset(all.name, 'n', sizeof all.name - 1);
    memset(all.runner, 'r', sizeof all.runner - 1);
    memset(all.labels, 'l', sizeof all.labels - 1);
    all.steps = calloc(JR_STEPS_MAX, sizeof *all.steps);
    for (size_t i = 0; i < JR_STEPS_MAX; i++) {
        all.steps[i] = (struct jr_job_step){ .number = (uint32_t)i, .status = JR_STATUS_IN_PROGRESS,
                                             .conclusion = JR_CONCLUSION_SKIPPED, .started_ms = 4, .completed_ms = 5 };
        memset(all.steps[i].name, 's', sizeof all.steps[i].name - 1);
    }
    all.annotations = calloc(JR_ANNOTATIONS_MAX, sizeof *all.annotations);
    for (size_t i = 0; i < JR_ANNOTATIONS_MAX; i++) {
        all.annotations[i].failure = i % 2 == 1;
        all.annotations[i].message = calloc(1, JR_MESSAGE_SIZE);
        memset(all.annotations[i].message, 'm', JR_MESSAGE_SIZE - 1);
    }
    all.log = malloc(log_length + 1);
    for (size_t i = 0; i < log_length; i++)
        all.log[i] = (char)(i * 7);
    *evidence = all;
}

static unsigned char *encode(const struct jr_evidence *evidence, struct jr_writer *writer)
{
    size_t size = jr_evidence_size(evidence);
    unsigned char *bytes = malloc(size);

    jr_writer_init(writer, bytes, size);
    jr_evidence_encode(evidence, writer);
    return bytes;
}

static void assert_same(const struct jr_evidence *one, const struct jr_evidence *two)
{
    assert_int_equal(one->job_id, two->job_id);
    assert_string_equal(one->name, two->name);
    assert_int_equal(one->status, two->status);
    assert_int_equal(one->conclusion, two->conclusion);
    assert_int_equal(one->created_ms, two->created_ms);
    assert_int_equal(one->started_ms, two->started_ms);
    assert_int_equal(one->completed_ms, two->completed_ms);
    assert_int_equal(one->runner_told, two->runner_told);
    assert_int_equal(one->runner_id, two->runner_id);
    assert_string_equal(one->runner, two->runner);
    assert_string_equal(one->labels, two->labels);
    assert_int_equal(one->steps_found, two->steps_found);
    assert_int_equal(one->step_count, two->step_count);
    if (one->step_count > 0)
        assert_memory_equal(one->steps, two->steps, one->step_count * sizeof *one->steps);
    assert_int_equal(one->annotations_found, two->annotations_found);
    assert_int_equal(one->annotation_count, two->annotation_count);
    for (size_t i = 0; i < one->annotation_count; i++) {
        assert_int_equal(one->annotations[i].failure, two->annotations[i].failure);
        assert_string_equal(one->annotations[i].message, two->annotations[i].message);
    }
    assert_int_equal(one->log_found, two->log_found);
    assert_int_equal(one->log_cut, two->log_cut);
    assert_int_equal(one->log_length, two->log_length);
    if (one->log_length > 0)
        assert_memory_equal(one->log, two->log, one->log_length);
}

static void handed_over(void **state)
{
    struct jr_evidence all[3] = { { .job_id = 1 } }, read;
    struct jr_writer writer;

    (void)state;
    all[1].steps_found = all[1].annotations_found = all[1].log_found = JR_ABSENT;
    fill(&all[2], 1000);
    for (size_t i = 0; i < COUNT(all); i++) {
        unsigned char *bytes = encode(&all[i], &writer);

        assert_true(writer.ok);
        assert_true(jr_evidence_decode(&read, bytes, writer.length));
        assert_same(&read, &all[i]);
        jr_evidence_release(&read);
        jr_evidence_release(&all[i]);
        free(bytes);
    }
}

/* Of a long log the end counts. */
static void long_log(void **state)
{
    struct jr_evidence evidence, read;
    struct jr_writer writer;
    unsigned char *bytes;

    (void)state;
    fill(&evidence, JR_LOG_MOST + 5);
    bytes = encode(&evidence, &writer);
    assert_true(writer.ok);
    assert_true(jr_evidence_decode(&read, bytes, writer.length));
    assert_true(read.log_cut);
    assert_int_equal(read.log_length, JR_LOG_MOST);
    assert_memory_equal(read.log, evidence.log + 5, JR_LOG_MOST);
    jr_evidence_release(&read);
    jr_evidence_release(&evidence);
    free(bytes);
}

/* What is over a ceiling is not handed over. */
static void over_a_ceiling(void **state)
{
    struct jr_evidence evidence;
    struct jr_writer writer;
    char *message;

    (void)state;
    fill(&evidence, 10);
    evidence.step_count++;
    evidence.steps = realloc(evidence.steps, evidence.step_count * sizeof *evidence.steps);
    memset(&evidence.steps[JR_STEPS_MAX], 0, sizeof *evidence.steps);
    free(encode(&evidence, &writer));
    assert_false(writer.ok);
    evidence.step_count--;
    message = calloc(1, JR_MESSAGE_SIZE + 1);
    memset(message, 'm', JR_MESSAGE_SIZE);
    free(evidence.annotations[0].message);
    evidence.annotations[0].message = message;
    free(encode(&evidence, &writer));
    assert_false(writer.ok);
    jr_evidence_release(&evidence);
}

/* Cut anywhere before its log, and with each byte changed: never beyond what there can be. */
static void damaged(void **state)
{
    struct jr_evidence evidence = { .job_id = 1, .name = "build", .log_found = JR_FOUND }, read;
    struct jr_job_step steps[2] = { { .number = 1, .name = "a" }, { .number = 2, .name = "b" } };
    struct jr_annotation annotation = { .failure = true, .message = (char[]){ "m" } };
    struct jr_writer writer;
    unsigned char *bytes;

    (void)state;
    evidence.steps_found = evidence.annotations_found = JR_FOUND;
    evidence.steps = steps;
    evidence.step_count = 2;
    evidence.annotations = &annotation;
    evidence.annotation_count = 1;
    bytes = encode(&evidence, &writer);
    for (size_t cut = 0; cut < writer.length; cut++)
        assert_false(jr_evidence_decode(&read, bytes, cut));
    for (size_t i = 0; i < writer.length; i++) {
        bytes[i] ^= 0xff;
        if (jr_evidence_decode(&read, bytes, writer.length)) {
            assert_in_range(read.status, 0, JR_STATUS_COMPLETED);
            assert_in_range(read.conclusion, 0, JR_CONCLUSIONS - 1);
            assert_in_range(read.step_count, 0, JR_STEPS_MAX);
            assert_in_range(read.completed_ms, 0, JR_TIME_MOST);
            jr_evidence_release(&read);
        }
        assert_int_equal(read.step_count, 0);
        assert_null(read.log);
        bytes[i] ^= 0xff;
    }
    free(bytes);
}

int main(void)
{
    TEST(annotations);
    TEST(handed_over);
    TEST(long_log);
    TEST(over_a_ceiling);
    TEST(damaged);
    return run_program("evidence");
}
