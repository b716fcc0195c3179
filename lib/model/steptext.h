/*
 * steptext -- what an event tells of a failed job's steps, as one text that is kept with the job.
 *
 * Of most steps it is enough that they were there; those that did not go well keep number,
 * outcome and name.
 *
 *     COUNT [rRUNNER_ID]
 *     NUMBER OUTCOME NAME        a line for each that neither succeeded nor was skipped
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_STEPTEXT_H
#define JR_STEPTEXT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_STEPTEXT_SIZE 512

/* Of a name so much is kept. */
#define JR_STEPTEXT_NAME_SIZE 81

/*
 * Make it.
 *   steps      the array of a job; what is none, or has more in it than there is room for, makes
 *              an empty text: nothing is told
 *   runner_id  of the job; what is no number is left out
 */
void jr_steptext_make(json_object *steps, json_object *runner_id, char text[JR_STEPTEXT_SIZE]);

/* A step that did not go well. */
struct jr_steptext_step {
    uint32_t number;
    char outcome[24]; /* a conclusion, or the status of one that was not over */
    char name[JR_STEPTEXT_NAME_SIZE];
};

/*
 * Read the head. Returns false for a text that tells nothing, or is none of these.
 *   count        out: how many steps there were
 *   runner_told  out: whether runner_id is
 *   rest         out: where the steps begin
 */
bool jr_steptext_head(const char *text, uint32_t *count, bool *runner_told, uint64_t *runner_id,
                      const char **rest);

/* Read the next step. Returns false when there is none. */
bool jr_steptext_next(const char **rest, struct jr_steptext_step *step);

#endif
