/*
 * evidence_record -- evidence as bytes, to be handed to another process.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/evidence.h"

#include <stdlib.h>
#include <string.h>

/* The first byte: another layout has another one. */
#define LAYOUT 1

/* At the most: what stands before steps and annotations, a step, an annotation without its text. */
#define HEAD_BYTES (64 + 3 * (2 + JR_NAME_SIZE) + JR_LABELS_SIZE)
#define STEP_BYTES (22 + 2 + JR_NAME_SIZE)
#define ANNOTATION_BYTES (1 + 2)

/* So much of the end of the log is written. */
static size_t log_bytes(const struct jr_evidence *evidence)
{
    return evidence->log_length < JR_LOG_MOST ? evidence->log_length : JR_LOG_MOST;
}

size_t jr_evidence_size(const struct jr_evidence *evidence)
{
    size_t size = HEAD_BYTES + evidence->step_count * STEP_BYTES + log_bytes(evidence);

    for (size_t i = 0; i < evidence->annotation_count; i++)
        size += ANNOTATION_BYTES + strlen(evidence->annotations[i].message);
    return size;
}

static void write_head(const struct jr_evidence *evidence, struct jr_writer *writer)
{
    jr_write_u8(writer, LAYOUT);
    jr_write_u64(writer, evidence->job_id);
    jr_write_text(writer, evidence->name);
    jr_write_u8(writer, (uint8_t)evidence->status);
    jr_write_u8(writer, (uint8_t)evidence->conclusion);
    jr_write_time(writer, evidence->created_ms);
    jr_write_time(writer, evidence->started_ms);
    jr_write_time(writer, evidence->completed_ms);
    jr_write_u8(writer, evidence->runner_told);
    jr_write_u64(writer, evidence->runner_id);
    jr_write_text(writer, evidence->runner);
    jr_write_text(writer, evidence->labels);
}

static void write_step(const struct jr_job_step *step, struct jr_writer *writer)
{
    jr_write_u32(writer, step->number);
    jr_write_u8(writer, (uint8_t)step->status);
    jr_write_u8(writer, (uint8_t)step->conclusion);
    jr_write_time(writer, step->started_ms);
    jr_write_time(writer, step->completed_ms);
    jr_write_text(writer, step->name);
}

void jr_evidence_encode(const struct jr_evidence *evidence, struct jr_writer *writer)
{
    size_t length = log_bytes(evidence), left_out = evidence->log_length - length;

    writer->ok &= evidence->step_count <= JR_STEPS_MAX
                  && evidence->annotation_count <= JR_ANNOTATIONS_MAX;
    write_head(evidence, writer);
    jr_write_u8(writer, (uint8_t)evidence->steps_found);
    jr_write_u16(writer, (uint16_t)evidence->step_count);
    for (size_t i = 0; writer->ok && i < evidence->step_count; i++)
        write_step(&evidence->steps[i], writer);
    jr_write_u8(writer, (uint8_t)evidence->annotations_found);
    jr_write_u16(writer, (uint16_t)evidence->annotation_count);
    for (size_t i = 0; writer->ok && i < evidence->annotation_count; i++) {
        const struct jr_annotation *annotation = &evidence->annotations[i];

        writer->ok &= strlen(annotation->message) < JR_MESSAGE_SIZE;
        jr_write_u8(writer, annotation->failure);
        jr_write_text(writer, annotation->message);
    }
    jr_write_u8(writer, (uint8_t)evidence->log_found);
    jr_write_u8(writer, evidence->log_cut || left_out > 0);
    if (length > 0)
        jr_write_bytes(writer, evidence->log + left_out, length);
}

/* A number below `count`; else the reader is not ok, and it is 0. */
static uint8_t read_below(struct jr_reader *reader, unsigned count)
{
    uint8_t number = jr_read_u8(reader);

    if (number < count)
        return number;
    reader->ok = false;
    return 0;
}

static bool read_bool(struct jr_reader *reader)
{
    return read_below(reader, 2) != 0;
}

static enum jr_status read_status(struct jr_reader *reader)
{
    return (enum jr_status)read_below(reader, JR_STATUS_COMPLETED + 1);
}

static enum jr_conclusion read_conclusion(struct jr_reader *reader)
{
    return (enum jr_conclusion)read_below(reader, JR_CONCLUSIONS);
}

static void read_head(struct jr_evidence *evidence, struct jr_reader *reader)
{
    reader->ok &= jr_read_u8(reader) == LAYOUT;
    evidence->job_id = jr_read_u64(reader);
    jr_read_text(reader, evidence->name, sizeof evidence->name);
    evidence->status = read_status(reader);
    evidence->conclusion = read_conclusion(reader);
    evidence->created_ms = jr_read_time(reader);
    evidence->started_ms = jr_read_time(reader);
    evidence->completed_ms = jr_read_time(reader);
    evidence->runner_told = read_bool(reader);
    evidence->runner_id = jr_read_u64(reader);
    jr_read_text(reader, evidence->runner, sizeof evidence->runner);
    jr_read_text(reader, evidence->labels, sizeof evidence->labels);
}

/*
 * How a list begins: whether it was found, and how many it has.
 *   most  it has at most; what was not found has none
 */
static size_t read_list(struct jr_reader *reader, enum jr_presence *found, size_t most)
{
    size_t count;

    *found = (enum jr_presence)read_below(reader, JR_FOUND + 1);
    count = jr_read_u16(reader);
    reader->ok &= count <= most && (count == 0 || *found == JR_FOUND);
    return reader->ok ? count : 0;
}

static void read_step(struct jr_job_step *step, struct jr_reader *reader)
{
    step->number = jr_read_u32(reader);
    step->status = read_status(reader);
    step->conclusion = read_conclusion(reader);
    step->started_ms = jr_read_time(reader);
    step->completed_ms = jr_read_time(reader);
    jr_read_text(reader, step->name, sizeof step->name);
}

static void read_steps(struct jr_evidence *evidence, struct jr_reader *reader)
{
    size_t count = read_list(reader, &evidence->steps_found, JR_STEPS_MAX);

    if (count == 0)
        return;
    evidence->steps = calloc(count, sizeof *evidence->steps);
    reader->ok &= evidence->steps != NULL;
    for (; reader->ok && evidence->step_count < count; evidence->step_count++)
        read_step(&evidence->steps[evidence->step_count], reader);
}

static void read_annotations(struct jr_evidence *evidence, struct jr_reader *reader)
{
    size_t count = read_list(reader, &evidence->annotations_found, JR_ANNOTATIONS_MAX);
    char message[JR_MESSAGE_SIZE];

    if (count == 0)
        return;
    evidence->annotations = calloc(count, sizeof *evidence->annotations);
    reader->ok &= evidence->annotations != NULL;
    while (reader->ok && evidence->annotation_count < count) {
        struct jr_annotation *annotation = &evidence->annotations[evidence->annotation_count++];

        annotation->failure = read_bool(reader);
        jr_read_text(reader, message, sizeof message);
        annotation->message = strdup(message);
        reader->ok &= annotation->message != NULL;
    }
}

/* It takes what is left of the record. */
static void read_log(struct jr_evidence *evidence, struct jr_reader *reader)
{
    size_t length;

    evidence->log_found = (enum jr_presence)read_below(reader, JR_FOUND + 1);
    evidence->log_cut = read_bool(reader);
    length = reader->size - reader->offset;
    reader->ok &= length <= JR_LOG_MOST && (length == 0 || evidence->log_found == JR_FOUND);
    if (!reader->ok || evidence->log_found != JR_FOUND)
        return;
    evidence->log = malloc(length + 1);
    if (evidence->log == NULL) {
        reader->ok = false;
        return;
    }
    if (length > 0)
        memcpy(evidence->log, reader->bytes + reader->offset, length);
    evidence->log[length] = '\0';
    evidence->log_length = length;
}

bool jr_evidence_decode(struct jr_evidence *evidence, const void *bytes, size_t size)
{
    struct jr_reader reader;

    memset(evidence, 0, sizeof *evidence);
    jr_reader_init(&reader, bytes, size);
    read_head(evidence, &reader);
    read_steps(evidence, &reader);
    read_annotations(evidence, &reader);
    read_log(evidence, &reader);
    if (!reader.ok)
        jr_evidence_release(evidence);
    return reader.ok;
}
