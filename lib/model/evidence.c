/*
 * evidence -- what is known of a failed job.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/evidence.h"
#include "lib/base/text.h"
#include "lib/format/json.h"

#include <stdlib.h>
#include <string.h>

static void drop_annotations(struct jr_evidence *evidence)
{
    for (size_t i = 0; i < evidence->annotation_count; i++)
        free(evidence->annotations[i].message);
    free(evidence->annotations);
    evidence->annotations = NULL;
    evidence->annotation_count = 0;
    evidence->annotations_found = JR_UNREADABLE;
}

void jr_evidence_release(struct jr_evidence *evidence)
{
    drop_annotations(evidence);
    free(evidence->steps);
    free(evidence->log);
    memset(evidence, 0, sizeof *evidence);
}

static void read_step(json_object *object, struct jr_job_step *step)
{
    char word[JR_WORD_SIZE];
    uint64_t number;

    if (jr_json_get_id(object, "number", &number) == JR_JSON_OK && number <= UINT32_MAX)
        step->number = (uint32_t)number;
    jr_json_get_text(object, "status", word, sizeof word);
    step->status = jr_status_from(word);
    jr_json_get_text(object, "conclusion", word, sizeof word);
    step->conclusion = jr_conclusion_from(word);
    jr_json_get_text(object, "name", step->name, sizeof step->name);
    step->started_ms = jr_json_get_time(object, "started_at");
    step->completed_ms = jr_json_get_time(object, "completed_at");
}

/* The array's length, up to a ceiling; 0: it is none. */
static size_t items_of(json_object *array, size_t most)
{
    size_t count;

    if (!json_object_is_type(array, json_type_array))
        return 0;
    count = json_object_array_length(array);
    return count < most ? count : most;
}

/* Room for `count` steps in the place of those that were there; none are in it yet. */
static enum jr_err make_room(struct jr_evidence *evidence, size_t count)
{
    free(evidence->steps);
    evidence->steps = NULL;
    evidence->step_count = 0;
    evidence->steps_found = count == 0 ? JR_ABSENT : JR_FOUND;
    if (count == 0)
        return JR_OK;
    evidence->steps = calloc(count, sizeof *evidence->steps);
    return evidence->steps != NULL ? JR_OK : JR_ENOMEM;
}

enum jr_err jr_evidence_take_steps(struct jr_evidence *evidence, json_object *array)
{
    size_t count = items_of(array, JR_STEPS_MAX);
    enum jr_err err = make_room(evidence, count);

    if (err != JR_OK)
        return err;
    if (!json_object_is_type(array, json_type_array))
        evidence->steps_found = JR_UNREADABLE;
    for (size_t i = 0; i < count; i++) {
        json_object *item = json_object_array_get_idx(array, i);

        if (json_object_is_type(item, json_type_object))
            read_step(item, &evidence->steps[evidence->step_count++]);
    }
    return JR_OK;
}

/* Where a step belongs: at its number or, since numbers have gaps before the last steps, at the
 * end of what has no name yet. */
static struct jr_job_step *place_of(struct jr_evidence *evidence, uint32_t number)
{
    size_t last = evidence->step_count - 1;

    if (number > 0 && number <= evidence->step_count)
        return &evidence->steps[number - 1];
    while (last > 0 && evidence->steps[last].name[0] != '\0')
        last--;
    return &evidence->steps[last];
}

static void put_step(struct jr_evidence *evidence, const struct jr_steptext_step *told)
{
    struct jr_job_step *step = place_of(evidence, told->number);

    step->conclusion = jr_conclusion_from(told->outcome);
    if (strcmp(told->outcome, "in_progress") == 0 || strcmp(told->outcome, "queued") == 0
        || strcmp(told->outcome, "pending") == 0) {
        step->status = jr_status_from(told->outcome);
        step->conclusion = JR_CONCLUSION_NONE;
    }
    jr_text_copy(step->name, sizeof step->name, told->name);
}

enum jr_err jr_evidence_take_steptext(struct jr_evidence *evidence, const char *text)
{
    struct jr_steptext_step told;
    enum jr_err err;
    uint32_t count;

    if (!jr_steptext_head(text, &count, &evidence->runner_told, &evidence->runner_id, &text))
        return JR_OK;
    err = make_room(evidence, count);
    if (err != JR_OK)
        return err;
    evidence->step_count = count;
    for (uint32_t i = 0; i < count; i++)
        evidence->steps[i] = (struct jr_job_step){ .number = i + 1, .status = JR_STATUS_COMPLETED,
                                                   .conclusion = JR_CONCLUSION_SUCCESS };
    while (jr_steptext_next(&text, &told))
        put_step(evidence, &told);
    return JR_OK;
}

enum jr_err jr_evidence_take_annotations(struct jr_evidence *evidence, json_object *array)
{
    size_t count = items_of(array, JR_ANNOTATIONS_MAX);
    char message[JR_MESSAGE_SIZE], level[JR_WORD_SIZE];

    drop_annotations(evidence);
    if (!json_object_is_type(array, json_type_array))
        return JR_OK;
    evidence->annotations_found = count == 0 ? JR_ABSENT : JR_FOUND;
    if (count == 0)
        return JR_OK;
    evidence->annotations = calloc(count, sizeof *evidence->annotations);
    if (evidence->annotations == NULL)
        return JR_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        json_object *item = json_object_array_get_idx(array, i);
        struct jr_annotation *annotation = &evidence->annotations[evidence->annotation_count];

        if (jr_json_get_text(item, "message", message, sizeof message) != JR_JSON_OK)
            continue;
        jr_json_get_text(item, "annotation_level", level, sizeof level);
        annotation->failure = strcmp(level, "failure") == 0;
        annotation->message = strdup(message);
        if (annotation->message == NULL)
            return JR_ENOMEM;
        evidence->annotation_count++;
    }
    return JR_OK;
}

enum jr_err jr_evidence_take_job(struct jr_evidence *evidence, json_object *job)
{
    char word[JR_WORD_SIZE];
    json_object *member;

    if (jr_json_get_id(job, "id", &evidence->job_id) != JR_JSON_OK)
        return JR_EINVAL;
    jr_json_get_text(job, "name", evidence->name, sizeof evidence->name);
    jr_json_get_text(job, "status", word, sizeof word);
    evidence->status = jr_status_from(word);
    jr_json_get_text(job, "conclusion", word, sizeof word);
    evidence->conclusion = jr_conclusion_from(word);
    evidence->created_ms = jr_json_get_time(job, "created_at");
    evidence->started_ms = jr_json_get_time(job, "started_at");
    evidence->completed_ms = jr_json_get_time(job, "completed_at");
    /* Of a job that no runner took, runner_id is null or 0: both are told. */
    evidence->runner_told = json_object_object_get_ex(job, "runner_id", &member);
    jr_json_get_id(job, "runner_id", &evidence->runner_id);
    jr_json_get_text(job, "runner_name", evidence->runner, sizeof evidence->runner);
    jr_json_get_array(job, "labels", &member);
    jr_labels_read(member, evidence->labels);
    jr_json_get_array(job, "steps", &member);
    return jr_evidence_take_steps(evidence, member);
}

size_t jr_evidence_keep_failed(struct jr_evidence *jobs, size_t count, enum jr_conclusion run)
{
    bool cancelled_too = run == JR_CONCLUSION_CANCELLED, any_failed = false;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        any_failed |= jr_conclusion_is_bad(jobs[i].conclusion)
                      && jobs[i].conclusion != JR_CONCLUSION_CANCELLED;
    for (size_t i = 0; i < count; i++) {
        bool cancelled = jobs[i].conclusion == JR_CONCLUSION_CANCELLED;
        struct jr_evidence job = jobs[i];

        memset(&jobs[i], 0, sizeof jobs[i]);
        if (jr_conclusion_is_bad(job.conclusion) && (!cancelled || cancelled_too || !any_failed))
            jobs[kept++] = job;
        else
            jr_evidence_release(&job);
    }
    return kept;
}
