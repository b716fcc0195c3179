/*
 * evidence -- evidence as it is handed to the matcher: what is read is within its ceilings, and
 * written again it is the same bytes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/evidence.h"
#include "t/fuzz/fuzz.h"

static void holds_steps(const struct jr_evidence *evidence)
{
    HOLDS(evidence->step_count <= JR_STEPS_MAX);
    HOLDS(evidence->step_count == 0 || evidence->steps_found == JR_FOUND);
    for (size_t i = 0; i < evidence->step_count; i++) {
        const struct jr_job_step *step = &evidence->steps[i];

        HOLDS(strnlen(step->name, sizeof step->name) < sizeof step->name);
        HOLDS(step->status <= JR_STATUS_COMPLETED && step->conclusion < JR_CONCLUSIONS);
        HOLDS(step->started_ms >= 0 && step->completed_ms <= JR_TIME_MOST);
    }
}

static void holds_rest(const struct jr_evidence *evidence)
{
    HOLDS(evidence->status <= JR_STATUS_COMPLETED && evidence->conclusion < JR_CONCLUSIONS);
    HOLDS(strnlen(evidence->labels, sizeof evidence->labels) < sizeof evidence->labels);
    HOLDS(evidence->annotation_count <= JR_ANNOTATIONS_MAX);
    HOLDS(evidence->annotation_count == 0 || evidence->annotations_found == JR_FOUND);
    for (size_t i = 0; i < evidence->annotation_count; i++)
        HOLDS(strlen(evidence->annotations[i].message) < JR_MESSAGE_SIZE);
    HOLDS(evidence->log_found <= JR_FOUND && evidence->log_length <= JR_LOG_MOST);
    HOLDS((evidence->log != NULL) == (evidence->log_found == JR_FOUND));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct jr_evidence evidence;
    struct jr_writer writer;
    unsigned char *again;

    if (!jr_evidence_decode(&evidence, bytes, size)) {
        HOLDS(evidence.steps == NULL && evidence.annotations == NULL && evidence.log == NULL);
        return 0;
    }
    holds_steps(&evidence);
    holds_rest(&evidence);
    again = malloc(jr_evidence_size(&evidence));
    HOLDS(again != NULL);
    jr_writer_init(&writer, again, jr_evidence_size(&evidence));
    jr_evidence_encode(&evidence, &writer);
    HOLDS(writer.ok && writer.length == size && memcmp(again, bytes, size) == 0);
    free(again);
    jr_evidence_release(&evidence);
    return 0;
}
