/*
 * findings -- what is found wrong, or doubtful, while settings are read: lines for people.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/findings.h"
#include "lib/base/show.h"
#include "lib/base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void jr_findings_open(struct jr_findings *findings)
{
    *findings = (struct jr_findings){ .out_of_memory = false };
    findings->problems = open_memstream(&findings->problem_lines, &findings->problem_size);
    findings->doubts = open_memstream(&findings->doubt_lines, &findings->doubt_size);
    findings->out_of_memory = findings->problems == NULL || findings->doubts == NULL;
}

/* Returns whether all lines are there; none are NULL. */
static bool close_lines(FILE *stream, char **lines)
{
    bool good = stream != NULL && fclose(stream) == 0;

    if (*lines != NULL && (!good || **lines == '\0')) {
        free(*lines);
        *lines = NULL;
    }
    return good;
}

enum jr_err jr_findings_close(struct jr_findings *findings, char **problems, char **doubts)
{
    bool good = !findings->out_of_memory;

    good &= close_lines(findings->problems, &findings->problem_lines);
    good &= close_lines(findings->doubts, &findings->doubt_lines);
    *doubts = findings->doubt_lines;
    *problems = good ? findings->problem_lines : NULL;
    if (!good)
        free(findings->problem_lines);
    return !good ? JR_ENOMEM : *problems != NULL ? JR_EINVAL : JR_OK;
}

void jr_findings_drop(struct jr_findings *findings)
{
    char *problems, *doubts;

    if (jr_findings_close(findings, &problems, &doubts) != JR_OK)
        free(problems);
    free(doubts);
}

static void tell(FILE *lines, const char *name, const char *format, va_list args) JR_PRINTF(3, 0);

static void tell(FILE *lines, const char *name, const char *format, va_list args)
{
    if (lines == NULL)
        return;
    fprintf(lines, "%s: ", name);
    vfprintf(lines, format, args);
    fputc('\n', lines);
}

void jr_findings_problem(struct jr_findings *findings, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(findings->problems, name, format, args);
    va_end(args);
}

void jr_findings_doubt(struct jr_findings *findings, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(findings->doubts, name, format, args);
    va_end(args);
}

const char *jr_findings_quote(const char *value, char quoted[JR_QUOTED_SIZE])
{
    static const char more[] = "...";
    char part[JR_QUOTED_SIZE - (sizeof more - 1)];

    if (jr_text_copy(part, sizeof part, value)) {
        jr_show_clean(quoted, JR_QUOTED_SIZE, part);
    } else {
        jr_show_clean(quoted, sizeof part, part);
        memcpy(quoted + strlen(quoted), more, sizeof more);
    }
    return quoted;
}
