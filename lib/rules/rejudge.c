/*
 * rejudge -- the cause of a job, judged once more by what is recorded of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/rejudge.h"
#include "lib/base/text.h"
#include "lib/rules/judge.h"

#include <string.h>

/* Of each weight, what the last line that says it was found to say. */
struct said {
    const struct jr_signatures *set;
    size_t index[JR_WEIGHTS];
    char line[JR_WEIGHTS][JR_EVIDENCE_LINE_SIZE];
};

static void forget(struct said *said, const struct jr_signatures *set)
{
    said->set = set;
    for (size_t weight = 0; weight < JR_WEIGHTS; weight++)
        said->index[weight] = SIZE_MAX;
}

static void look_at(struct said *said, const char *line, size_t length, unsigned place,
                    const char *job, bool in_tests)
{
    char text[JR_FIRST_ERROR_SIZE];
    struct jr_matches matches;

    if (length >= sizeof text)
        length = sizeof text - 1;
    memcpy(text, line, length);
    text[length] = '\0';
    jr_signatures_match(said->set, text, length, place, job, in_tests, &matches);
    if (matches.index[JR_WEIGHT_TRANSIENT] != SIZE_MAX)
        matches.index[JR_WEIGHT_HARD] = SIZE_MAX; /* as judge.c has it */
    for (size_t weight = 0; weight < JR_WEIGHTS; weight++) {
        if (matches.index[weight] == SIZE_MAX)
            continue;
        said->index[weight] = matches.index[weight];
        jr_text_copy(said->line[weight], sizeof said->line[weight], text);
    }
}

/* The step's name tells where nothing else does. */
static void look_at_step(struct said *said, const struct jr_finding *finding, const char *job,
                         bool in_tests)
{
    for (size_t weight = 0; weight < JR_WEIGHTS; weight++)
        if (said->index[weight] != SIZE_MAX)
            return;
    if (*finding->step != '\0')
        look_at(said, finding->step, strlen(finding->step), JR_IN_STEP_NAME, job, in_tests);
}

static void look_at_all(struct said *said, const struct jr_finding *finding, const char *job)
{
    bool in_tests = jr_judge_runs_tests(finding->step);
    const char *at = finding->first_error;

    while (*at != '\0') {
        size_t length = strcspn(at, "\n");

        look_at(said, at, length, JR_IN_LOG, job, in_tests);
        at += length + (at[length] == '\n');
    }
    /* It may be a line of the log or of an annotation. */
    if (*finding->line != '\0')
        look_at(said, finding->line, strlen(finding->line), JR_IN_LOG | JR_IN_ANNOTATION, job,
                in_tests);
    look_at_step(said, finding, job, in_tests);
}

static bool conclude(const struct said *said, enum jr_weight weight, struct jr_finding *finding)
{
    size_t index = said->index[weight];

    if (index == SIZE_MAX)
        return false;
    finding->cause = jr_signature_cause(said->set, index);
    finding->unreadable = false;
    jr_text_copy(finding->signature, sizeof finding->signature,
                 jr_signature_id(said->set, index));
    jr_text_copy(finding->line, sizeof finding->line, said->line[weight]);
    return true;
}

void jr_rejudge(const struct jr_signatures *own, const struct jr_signatures *builtin,
                const char *job, struct jr_finding *finding)
{
    size_t known = jr_signatures_find(builtin, finding->signature);
    size_t most = known == SIZE_MAX ? JR_WEIGHTS - 1 : jr_signature_weight(builtin, known);
    bool foreign = known == SIZE_MAX && *finding->signature != '\0';
    struct said by_own, by_builtin;

    forget(&by_own, own);
    look_at_all(&by_own, finding, job);
    forget(&by_builtin, builtin);
    if (foreign)
        look_at_all(&by_builtin, finding, job);
    for (size_t weight = 0; weight <= most; weight++)
        if (conclude(&by_own, (enum jr_weight)weight, finding)
            || conclude(&by_builtin, (enum jr_weight)weight, finding))
            return;
    if (!foreign)
        return;
    finding->cause = JR_CAUSE_UNKNOWN;
    finding->signature[0] = finding->line[0] = '\0';
}
