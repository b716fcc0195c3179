/*
 * report -- what is said of a run at GitHub: whatever stands in names and lines, each row has its
 * cells, and no more is written than may be.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/model/reporttext.h"
#include "t/fuzz/fuzz.h"

#define FAILURES 8

static void take_text(struct input *input, char *copy, size_t size)
{
    char *text = take_until(input, '\n', NULL);

    (void)jr_text_copy(copy, size, text);
    free(text);
}

/* Seven bars in each row: of our own, since none comes from outside. */
static void holds_rows(const char *text)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        unsigned bars = 0;

        line += *line == '\n';
        for (const char *at = line; *at != '\n' && *at != '\0'; at++) {
            HOLDS((unsigned char)*at >= ' ' && *at != 0x7f);
            bars += *at == '|';
        }
        HOLDS(bars == (*line == '|' ? 7 : 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    struct jr_run run = { .run_id = 7, .repo = "octo/app", .attempt = 1 + take_byte(&input) % 3 };
    struct jr_failure *failures = calloc(FAILURES, sizeof *failures);
    struct jr_report_facts facts = { "https://github.com", &run, failures, 0, NULL, 0, NULL };
    size_t most = 2000 + 16 * (size_t)take_byte(&input);
    struct jr_buffer buffer;

    HOLDS(failures != NULL);
    run.phase = (enum jr_phase)(take_byte(&input) % 3);
    run.reason = (enum jr_reason)take_byte(&input);
    for (; input.size > 0 && facts.failure_count < FAILURES; facts.failure_count++) {
        struct jr_failure *failure = &failures[facts.failure_count];

        failure->attempt = 1 + take_byte(&input) % 3;
        failure->finding.cause = (enum jr_cause)(take_byte(&input) % JR_CAUSES);
        take_text(&input, failure->name, sizeof failure->name);
        take_text(&input, failure->rule, sizeof failure->rule);
        take_text(&input, failure->finding.step, sizeof failure->finding.step);
        take_text(&input, failure->finding.line, sizeof failure->finding.line);
    }
    jr_buffer_init(&buffer, JR_REPORT_TEXT_MAX);
    jr_report_write(&facts, true, most, &buffer);
    HOLDS(buffer.ok && buffer.length <= most);
    holds_rows(buffer.bytes);
    jr_buffer_release(&buffer);
    free(failures);
    return 0;
}
