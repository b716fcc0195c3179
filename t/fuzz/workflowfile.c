/*
 * workflowfile -- a workflow's file of any bytes, and names of failed jobs: what more jobs that
 * failed could tell is never less.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/workflowfile.h"
#include "t/fuzz/fuzz.h"

/* Names of jobs, one a line, up to an empty line; then the file. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    char *names[8], *text;
    size_t count = 0, length;
    enum jr_guard_told few, all, whole;

    do
        names[count] = take_until(&input, '\n', NULL);
    while (*names[count++] != '\0' && count < 8);
    count--;
    text = take_rest(&input, &length);
    HOLDS(jr_workflowfile_deploys(text, length, (const char *const *)names, 0) == JR_GUARD_NOT_TOLD);
    whole = jr_workflowfile_deploys(text, length, NULL, 0);
    HOLDS(whole != JR_GUARD_NOT_ASKED);
    if (count > 0) {
        few = jr_workflowfile_deploys(text, length, (const char *const *)names, 1);
        all = jr_workflowfile_deploys(text, length, (const char *const *)names, count);
        HOLDS(few != JR_GUARD_NOT_ASKED && all != JR_GUARD_NOT_ASKED);
        HOLDS(few != JR_GUARD_HOLDS || all == JR_GUARD_HOLDS);
        HOLDS(all != JR_GUARD_HOLDS || whole == JR_GUARD_HOLDS);
        HOLDS(few != JR_GUARD_NOT_TOLD || all != JR_GUARD_FREE);
    }
    for (size_t i = 0; i <= count; i++)
        free(names[i]);
    free(text);
    return 0;
}
