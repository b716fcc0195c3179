/*
 * jobs -- jobs and annotations as the API shows them: what is taken is whole, and what is not
 * there is not taken for found.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/format/json.h"
#include "lib/model/evidence.h"
#include "t/fuzz/fuzz.h"

#include <json-c/json.h>

static void holds_text(const char *text, size_t size)
{
    size_t length = strnlen(text, size);

    HOLDS(length < size);
    for (const char *at = text; *at != '\0'; at += jr_text_utf8_length(at))
        HOLDS(jr_text_utf8_length(at) > 0);
}

static void holds_steps(const struct jr_evidence *evidence)
{
    HOLDS(evidence->step_count <= JR_STEPS_MAX);
    HOLDS(evidence->step_count == 0 || evidence->steps_found == JR_FOUND);
    for (size_t i = 0; i < evidence->step_count; i++) {
        holds_text(evidence->steps[i].name, sizeof evidence->steps[i].name);
        HOLDS(evidence->steps[i].started_ms >= 0 && evidence->steps[i].completed_ms >= 0);
    }
}

static void holds_annotations(const struct jr_evidence *evidence)
{
    HOLDS(evidence->annotation_count <= JR_ANNOTATIONS_MAX);
    HOLDS(evidence->annotation_count == 0 || evidence->annotations_found == JR_FOUND);
    for (size_t i = 0; i < evidence->annotation_count; i++)
        holds_text(evidence->annotations[i].message, 64 * 1024);
}

static void take(json_object *job, json_object *annotations)
{
    struct jr_evidence evidence;
    enum jr_err err;

    memset(&evidence, 0, sizeof evidence);
    err = jr_evidence_take_job(&evidence, job);
    HOLDS(err == JR_OK || err == JR_EINVAL);
    HOLDS((err == JR_OK) == (evidence.job_id != 0));
    holds_text(evidence.name, sizeof evidence.name);
    holds_text(evidence.runner, sizeof evidence.runner);
    holds_text(evidence.labels, sizeof evidence.labels);
    holds_steps(&evidence);
    HOLDS(jr_evidence_take_annotations(&evidence, annotations) == JR_OK);
    holds_annotations(&evidence);
    /* Each of them once more, in the place of what was there. */
    HOLDS(jr_evidence_take_job(&evidence, job) == err);
    HOLDS(jr_evidence_take_annotations(&evidence, annotations) == JR_OK);
    holds_steps(&evidence);
    holds_annotations(&evidence);
    jr_evidence_release(&evidence);
    HOLDS(evidence.steps == NULL && evidence.annotation_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    size_t length;
    char *text = take_rest(&input, &length);
    json_object *root, *jobs, *annotations = NULL;
    struct jr_error error;

    if (jr_json_parse(text, length, &root, &error) == JR_OK) {
        jr_json_get_array(root, "jobs", &jobs);
        if (json_object_is_type(root, json_type_object))
            json_object_object_get_ex(root, "annotations", &annotations);
        take(root, annotations);
        for (size_t i = 0; jobs != NULL && i < json_object_array_length(jobs); i++)
            take(json_object_array_get_idx(jobs, i), annotations);
        json_object_put(root);
    }
    free(text);
    return 0;
}
