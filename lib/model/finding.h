/*
 * finding -- what was found out about a failed job: its cause, and the evidence for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_FINDING_H
#define JR_FINDING_H

#include "lib/base/codec.h"
#include "lib/model/cause.h"
#include "lib/model/evidence.h"
#include "lib/model/labels.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_SIGNATURE_ID_SIZE 64
#define JR_EVIDENCE_LINE_SIZE 301
#define JR_FIRST_ERROR_SIZE 1025
#define JR_RULE_SIZE 64

struct jr_finding {
    enum jr_cause cause;
    char signature[JR_SIGNATURE_ID_SIZE]; /* by which it is known; empty: by none */
    char line[JR_EVIDENCE_LINE_SIZE];     /* the line that it rests on, cut; empty: none */
    bool unreadable; /* something could not be read that might have told more */
    char first_error[JR_FIRST_ERROR_SIZE]; /* the first errors that the log tells of, a line each */
    char step[JR_NAME_SIZE];               /* the step that failed; empty: none */
};

/*
 * A failed job of an attempt, as it is recorded: what is known of it, what was found, and
 * what the policy in force made of it.
 */
struct jr_failure {
    uint64_t job_id;
    uint32_t attempt; /* of the run, from 1 */
    char name[JR_NAME_SIZE];
    char runner[JR_NAME_SIZE];   /* empty: not told, or none took the job */
    char labels[JR_LABELS_SIZE]; /* sorted, "a,b" */
    enum jr_conclusion conclusion;
    int64_t started_ms, completed_ms; /* 0: not told */
    enum jr_presence steps_found, annotations_found, log_found;
    struct jr_finding finding;
    bool counts; /* a job that only reports others does not, beside others */
    bool reruns; /* the policy would rerun it; without `counts': no meaning */
    bool not_worth_it, same_failure; /* why it would not, though its rule names the cause for it */
    char rule[JR_RULE_SIZE]; /* that decided; empty: none did, or `otherwise' */
    int64_t recorded_ms; /* not in the record: when it was made, set by who reads it (failures.h) */
};

/*
 * The record of a failure: a version, then the fields but job_id, which is in its key. It is
 * at most JR_FAILURE_RECORD_SIZE bytes. Of `first_error' of a known cause only the first line
 * is recorded: the others are there to find a signature by.
 */
#define JR_FAILURE_RECORD_SIZE 2600
void jr_failure_encode(const struct jr_failure *failure, struct jr_writer *writer);

/* Read one; job_id is left 0. False for another version, or bytes that are no such record. */
bool jr_failure_decode(struct jr_failure *failure, const void *bytes, size_t size);

/* What the policy made of it, as the end of a sentence: "it deserves a rerun". Static. */
const char *jr_failure_then(const struct jr_failure *failure);

/*
 * What could not be read of it, or was not: "annotations, log"; empty when all was.
 * Returns the buffer.
 */
#define JR_FAILURE_UNREAD_SIZE 32
const char *jr_failure_unread(const struct jr_failure *failure,
                              char text[JR_FAILURE_UNREAD_SIZE]);

/* More is not looked at, of a line or of its key. */
#define JR_LINE_KEY_SIZE 301

/*
 * What lines are taken for the same by: the line, without what differs each time.
 *   <time>  a date, a time of day with seconds, or both
 *   <uuid>  a UUID
 *   <hex>   0x and hexadecimal digits; or at least 7 of these that stand alone and are neither
 *           all letters nor all decimal, as ids of commits and objects do
 *   <tmp>   the path of a temporary folder as far as the name that was made up for it: below
 *           /tmp, /var/tmp, /var/folders, _temp of a runner, or Windows' Temp
 *   <n>     any other number, with its points and commas. One that says what kind of error it
 *           is stays: behind "http", "status", "code", "errno", "exit" or "signal", and three
 *           digits or more behind a letter (TS2322, E0308)
 * Blanks in a row become one, those at the ends go. What is over 300 bytes is cut.
 *   key  of `size' bytes, JR_LINE_KEY_SIZE for a whole one
 */
void jr_failure_line_key(const char *line, char *key, size_t size);

/*
 * The same as a pattern that finds such lines, as a signature has it (PCRE2): what differs is
 * generalised, and so is what is not shown (show.h); all else is quoted. It is cut after some
 * 200 bytes, since the beginning of a line finds it as well. Empty for a line of blanks.
 *   size  at least JR_LINE_PATTERN_SIZE for a whole one
 */
#define JR_LINE_PATTERN_SIZE 600
void jr_failure_line_pattern(const char *line, char *pattern, size_t size);

/*
 * The line that tells best what went wrong: the first error, or else the line that the cause
 * rests on. Empty when the failure has neither; cut to `size'.
 */
void jr_failure_line(const struct jr_failure *failure, char *line, size_t size);

/* Its key. */
void jr_failure_key(const struct jr_failure *failure, char key[JR_LINE_KEY_SIZE]);

#endif
