/*
 * evidence -- what is known of a failed job, beyond that it failed.
 *
 * Each piece is found, absent or unreadable, and what is unreadable is never taken for
 * absent: a log that a 5xx keeps from us says nothing about the job, a log that was never
 * stored says that its runner died.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_EVIDENCE_H
#define JR_EVIDENCE_H

#include "lib/base/codec.h"
#include "lib/model/event.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: nobody could read it. */
enum jr_presence { JR_UNREADABLE = 0, JR_ABSENT = 1, JR_FOUND = 2 };

/* A job has some 20 steps; the runner itself allows 1,000 lines of a workflow more. */
#define JR_STEPS_MAX 200

struct jr_job_step {
    uint32_t number; /* from 1; 0: not told */
    enum jr_status status;
    enum jr_conclusion conclusion;
    int64_t started_ms, completed_ms; /* whole seconds; 0: not told */
    char name[JR_NAME_SIZE];
};

/* GitHub keeps 10 of a level for each step: https://docs.github.com/en/rest/checks/runs */
#define JR_ANNOTATIONS_MAX 100

/* GitHub cuts a message at 64 kB; nothing that tells a cause stands further back than this. */
#define JR_MESSAGE_SIZE 4097

struct jr_annotation {
    bool failure;  /* of level failure; else a warning or notice */
    char *message; /* owned, below JR_MESSAGE_SIZE; may have several lines */
};

/* Of a longer log only the end is handed on. */
#define JR_LOG_MOST ((size_t)16 * 1024 * 1024)

struct jr_evidence {
    uint64_t job_id;
    char name[JR_NAME_SIZE];
    enum jr_status status;
    enum jr_conclusion conclusion;
    int64_t created_ms, started_ms, completed_ms; /* 0: not told */
    bool runner_told;                             /* what follows is true, also when it is empty */
    uint64_t runner_id;                           /* 0: none took the job */
    char runner[JR_NAME_SIZE];
    char labels[JR_LABELS_SIZE];

    enum jr_presence steps_found;
    struct jr_job_step *steps; /* in their order; owned */
    size_t step_count;

    enum jr_presence annotations_found;
    struct jr_annotation *annotations; /* owned */
    size_t annotation_count;

    enum jr_presence log_found;
    char *log; /* its end, as it came; may hold anything. Owned */
    size_t log_length;
    bool log_cut; /* what stood before is not in it */
};

/* Free what it holds; it is all zero then. */
void jr_evidence_release(struct jr_evidence *evidence);

/*
 * Take steps, annotations out of GitHub's JSON.
 *   array  an array of steps as a job has them, or of annotations; may be NULL or of any
 *          type: then nothing is found and the piece stays unreadable. Items that are null or
 *          no objects are passed over; what is over the ceilings is left out. What was taken
 *          before is freed.
 * Return JR_OK or JR_ENOMEM.
 */
enum jr_err jr_evidence_take_steps(struct jr_evidence *evidence, json_object *array) JR_CHECKED;
enum jr_err jr_evidence_take_annotations(struct jr_evidence *evidence,
                                         json_object *array) JR_CHECKED;

/*
 * Take steps, and who ran the job, out of what an event told (steptext.h). An empty text tells
 * nothing: they stay unreadable. Those that went well have no name.
 * Returns JR_OK or JR_ENOMEM.
 */
enum jr_err jr_evidence_take_steptext(struct jr_evidence *evidence, const char *text) JR_CHECKED;

/*
 * Keep the jobs that count as failed: those that ended badly; a cancelled one only where none
 * has failed, or the run was cancelled, since one that fails has others cancelled.
 *   jobs  of `count'; those that are kept stand in front, in their order; others are released
 * Returns how many are kept.
 */
size_t jr_evidence_keep_failed(struct jr_evidence *jobs, size_t count, enum jr_conclusion run);

/*
 * Take a job as the API shows it, steps and runner with it.
 * Returns JR_OK, JR_EINVAL when it has no id, or JR_ENOMEM.
 */
enum jr_err jr_evidence_take_job(struct jr_evidence *evidence, json_object *job) JR_CHECKED;

/* How many bytes jr_evidence_encode() writes, at the most. */
size_t jr_evidence_size(const struct jr_evidence *evidence);

/*
 * Write it as bytes. Of a log over JR_LOG_MOST the end is written, and it is cut. The writer is
 * not ok when steps, annotations or a message are over their ceilings, or the room is too small.
 */
void jr_evidence_encode(const struct jr_evidence *evidence, struct jr_writer *writer);

/*
 * Read what was written so. All is in its range then, and within its ceiling, whoever wrote it.
 * Returns false for any other bytes, and when memory is out; evidence is then all zero.
 */
bool jr_evidence_decode(struct jr_evidence *evidence, const void *bytes, size_t size) JR_CHECKED;

#endif
