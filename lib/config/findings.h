/*
 * findings -- what is found wrong, or doubtful, while settings are read: lines for people.
 *
 * A line is "NAME: what" with a line feed. NAME is a setting, or the variable that names its
 * file. No secret is in a line; what is quoted of other values is short and can be shown.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_FINDINGS_H
#define JR_FINDINGS_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* It may not be moved between opening and closing. */
struct jr_findings {
    FILE *problems, *doubts;
    char *problem_lines, *doubt_lines; /* where these write */
    size_t problem_size, doubt_size;
    bool out_of_memory; /* set by whoever ran out of it */
};

void jr_findings_open(struct jr_findings *findings);

/*
 * Hand over what was gathered.
 *   problems, doubts  out: NULL, or the lines; owned by the caller, free()
 * Returns JR_OK; JR_EINVAL when there are problems; JR_ENOMEM, problems is then NULL.
 */
enum jr_err jr_findings_close(struct jr_findings *findings, char **problems,
                              char **doubts) JR_CHECKED;

/* Close, and throw away what was gathered. */
void jr_findings_drop(struct jr_findings *findings);

/* A value that is not taken. */
void jr_findings_problem(struct jr_findings *findings, const char *name, const char *format, ...)
    JR_PRINTF(3, 4);

/* A value that is taken, but likely not meant so. */
void jr_findings_doubt(struct jr_findings *findings, const char *name, const char *format, ...)
    JR_PRINTF(3, 4);

/* A value as it stands in a line: cut, and nothing in it that is not shown. Returns quoted. */
#define JR_QUOTED_SIZE 80
const char *jr_findings_quote(const char *value, char quoted[JR_QUOTED_SIZE]);

#endif
