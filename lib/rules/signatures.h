/*
 * signatures -- the texts by which causes are known, as data.
 *
 * A signature names a cause, where it is looked for and a pattern, in a YAML file: the
 * program's own (causes.yml, embedded by the build), and those of a policy. Patterns are
 * PCRE2's, without JIT (which needs memory that is writable and executable) and within limits
 * of work: one that reaches a limit has read nothing, which is never "no match".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SIGNATURES_H
#define JR_SIGNATURES_H

#include "lib/base/error.h"
#include "lib/format/yaml.h"
#include "lib/model/cause.h"
#include "lib/model/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_SIGNATURE_ID_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define JR_SIGNATURES_MAX 400
#define JR_PATTERN_MAX 1024

/* How much a text weighs when several are found; see judge.h for their order. */
enum jr_weight {
    JR_WEIGHT_VETO,      /* nobody's rerun helps */
    JR_WEIGHT_TIMEOUT,   /* a limit of time was reached: it looks like a lost runner */
    JR_WEIGHT_HARD,      /* the code's fault, said plainly */
    JR_WEIGHT_SERVICE,   /* said by GitHub or its runner about itself: annotations only */
    JR_WEIGHT_TRANSIENT, /* a fault of network or services */
    JR_WEIGHT_WEAK,      /* written after failures of any kind */
    JR_WEIGHTS
};

/* Where a text is looked for; bits. */
enum { JR_IN_LOG = 1, JR_IN_ANNOTATION = 2, JR_IN_STEP_NAME = 4 };

struct jr_signature; /* opaque */

/* A set of signatures, in the order of its file. All zero: none. */
struct jr_signatures {
    struct jr_signature *items; /* owned */
    size_t count;
    struct jr_literals *literals; /* owned; by which most patterns need not be tried */
};

/* The program's own file, as the build has embedded it. */
extern const char jr_causes_yml[];
extern const size_t jr_causes_yml_length;

/*
 * Read signatures from a list of a YAML file.
 *   list      each item a map; see causes.yml
 *   own       of a policy: an id need no example and no source
 *   problems  what is wrong is added; such an item is left out
 * Returns JR_OK, also with problems, or JR_ENOMEM; signatures is then empty.
 */
enum jr_err jr_signatures_read(struct jr_signatures *signatures, const struct jr_yaml *list,
                               bool own, struct jr_problems *problems) JR_CHECKED;

/* Read the program's own. A defect of the file is a defect of the build: JR_EFORMAT. */
enum jr_err jr_signatures_builtin(struct jr_signatures *signatures,
                                  struct jr_error *error) JR_CHECKED;

void jr_signatures_release(struct jr_signatures *signatures);

const char *jr_signature_id(const struct jr_signatures *signatures, size_t index);
enum jr_cause jr_signature_cause(const struct jr_signatures *signatures, size_t index);
enum jr_weight jr_signature_weight(const struct jr_signatures *signatures, size_t index);

/* The signature of an id. SIZE_MAX: there is none. */
size_t jr_signatures_find(const struct jr_signatures *signatures, const char *id);

/*
 * The signature of a shape: what steps, runner and times of a job look like (judge.c knows
 * which there are). SIZE_MAX: the file has none for it.
 */
size_t jr_signatures_shape(const struct jr_signatures *signatures, const char *shape);

/* What a line, or a message, was found to say; index SIZE_MAX: nothing of that weight. */
struct jr_matches {
    size_t index[JR_WEIGHTS];
    bool limited; /* a pattern reached its limit: what it would have said is not known */
};

/*
 * Find what a line says. Of each weight the first signature that matches counts.
 *   text      of `length` bytes, and a NUL
 *   place     JR_IN_LOG, JR_IN_ANNOTATION, or JR_IN_STEP_NAME for the name of a failed step
 *   job       the job's name
 *   in_tests  it was said by a step that runs tests
 */
void jr_signatures_match(const struct jr_signatures *signatures, const char *text, size_t length,
                         unsigned place, const char *job, bool in_tests,
                         struct jr_matches *matches);

/* Is the line one that tells of something overcome, which must not count (`ignore` in the file)? */
bool jr_signatures_ignore(const struct jr_signatures *signatures, const char *text,
                          size_t length);

#endif
