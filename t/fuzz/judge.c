/*
 * judge -- a failed job, by a log and an annotation of any bytes: there is a cause, from the
 * closed list, and what it rests on.
 *
 * A byte says what is there, then follow, each up to a NUL, the name of the step, how it ended
 * and an annotation; the rest is the log.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/yaml.h"
#include "lib/rules/judge.h"
#include "t/fuzz/fuzz.h"

/* Of the first byte. */
enum { HAS_LOG = 1, NO_LOG = 2, IS_CUT = 4, NO_ANNOTATIONS = 8, HAS_TIMES = 16, IN_PROGRESS = 32 };

static const char own_yaml[] = "- { id: own, cause: environment, log: 'device \\w+ offline' }\n"
                               "- { id: mine, cause: memory, text: '(a+)+b' }\n";

static struct jr_signatures builtin, own;
static const struct jr_signature_sets sets = { { &own, &builtin }, 2 };

static void read_signatures(void)
{
    struct jr_problems problems = { .count = 0 };
    struct jr_error error;
    struct jr_yaml *root;

    HOLDS(jr_signatures_builtin(&builtin, &error) == JR_OK);
    HOLDS(jr_yaml_parse(own_yaml, strlen(own_yaml), sizeof own_yaml, &root, &problems) == JR_OK);
    HOLDS(jr_signatures_read(&own, root, true, &problems) == JR_OK);
    HOLDS(problems.count == 0 && own.count == 2);
    jr_yaml_free(root);
}

static void holds_text(const char *text, size_t size)
{
    HOLDS(strnlen(text, size) < size);
    for (; *text != '\0'; text++)
        HOLDS((unsigned char)*text >= ' ' || *text == '\n');
}

static void holds_finding(const struct jr_finding *finding, const struct jr_evidence *evidence)
{
    HOLDS(finding->cause != JR_CAUSE_NONE && jr_cause_name(finding->cause) != NULL);
    HOLDS((finding->cause == JR_CAUSE_UNKNOWN) == (*finding->signature == '\0'));
    HOLDS(*finding->line == '\0' || *finding->signature != '\0');
    HOLDS(strlen(finding->line) < sizeof finding->line);
    holds_text(finding->first_error, sizeof finding->first_error);
    HOLDS(!finding->unreadable || finding->cause == JR_CAUSE_UNKNOWN
          || evidence->annotations_found == JR_UNREADABLE
          || evidence->log_found == JR_UNREADABLE);
}

static void take_step(struct input *input, int what, struct jr_job_step *steps)
{
    char *name = take_until(input, '\0', NULL), *ended = take_until(input, '\0', NULL);

    steps[0] = (struct jr_job_step){ .number = 1, .status = JR_STATUS_COMPLETED,
                                     .conclusion = JR_CONCLUSION_SUCCESS, .name = "Set up job" };
    steps[1] = (struct jr_job_step){ .number = 2, .status = JR_STATUS_COMPLETED,
                                     .conclusion = jr_conclusion_from(ended) };
    if (what & IN_PROGRESS)
        steps[1].status = JR_STATUS_IN_PROGRESS;
    if (what & HAS_TIMES) {
        steps[1].started_ms = INT64_C(1764324000000);
        steps[1].completed_ms = steps[1].started_ms + JR_MINUTE_MS;
    }
    jr_text_copy(steps[1].name, sizeof steps[1].name, name);
    free(name);
    free(ended);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    int what = take_byte(&input);
    struct jr_job_step steps[2];
    struct jr_annotation annotation = { .failure = true };
    struct jr_evidence evidence = {
        .job_id = 1, .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_FAILURE,
        .created_ms = 1000, .started_ms = 2000, .completed_ms = 2000 + JR_HOUR_MS,
        .runner_told = true, .runner_id = 1, .steps_found = JR_FOUND, .steps = steps,
        .step_count = 2, .annotations = &annotation, .annotation_count = 1,
        .annotations_found = JR_FOUND, .log_cut = (what & IS_CUT) != 0,
    };
    struct jr_finding finding, again;

    if (builtin.count == 0)
        read_signatures();
    take_step(&input, what, steps);
    annotation.message = take_until(&input, '\0', NULL);
    evidence.log = take_rest(&input, &evidence.log_length);
    evidence.log_found = what & HAS_LOG ? JR_FOUND : what & NO_LOG ? JR_ABSENT : JR_UNREADABLE;
    if (what & NO_ANNOTATIONS) {
        evidence.annotation_count = 0;
        evidence.annotations_found = JR_UNREADABLE;
    }
    jr_judge(&sets, &evidence, &finding);
    holds_finding(&finding, &evidence);
    jr_judge(&sets, &evidence, &again);
    HOLDS(memcmp(&finding, &again, sizeof finding) == 0);
    free(annotation.message);
    free(evidence.log);
    return 0;
}
