/*
 * reporttext -- what is said of a run at GitHub, in Markdown: where it stands, its attempts with
 * their failed jobs, and what would change it. Pure.
 *
 * Whatever comes from outside stands in code spans (lib/format/markdown.h), or is made of a
 * closed set of words. Links lead to GitHub's own pages.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPORTTEXT_H
#define JR_REPORTTEXT_H

#include "lib/base/buffer.h"
#include "lib/model/finding.h"
#include "lib/model/run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "Maximum length: 65535 characters" (docs, "Create a check run": output.summary). */
#define JR_REPORT_TEXT_MAX 65535

/* What a comment of ours begins with. */
#define JR_REPORT_MARKER "<!-- job-rerunner -->"

/* What was decided last about an attempt. */
struct jr_report_decision {
    uint32_t attempt;
    enum jr_reason reason;
    uint32_t next; /* the attempt after it, where there is one; else 0 */
};

struct jr_report_facts {
    const char *web; /* where people see it, "https://github.com"; empty: there are no links */
    const struct jr_run *run;
    const struct jr_failure *failures; /* of all attempts; cause NONE: nobody has looked why */
    size_t failure_count;
    const struct jr_report_decision *decisions; /* one for an attempt at most */
    size_t decision_count;
    const char *own; /* what is wrong with its repository's own policy; NULL or empty: nothing */
};

#define JR_REPORT_TITLE_SIZE 256

/* What there is to say, in short. */
struct jr_report_standing {
    char title[JR_REPORT_TITLE_SIZE]; /* plain text, nothing from outside in it */
    bool ended;         /* nothing more is to come by itself */
    bool good;          /* it has succeeded in the end */
    bool left;          /* nobody waits for it any more, or GitHub reruns it no more */
    bool for_check;     /* there is enough to begin a check run */
    bool for_comment;   /* there is enough to say for a comment: a rerun, the end, or a refusal */
    bool in_comment;    /* likewise, once there is one: it is told of one that is left, too */
};

/*
 * Tell where a run stands.
 *   with_times  say when it is looked at next; else the same for as long as nothing but that
 *               changes
 */
void jr_report_stands(const struct jr_run *run, bool with_times,
                      struct jr_report_standing *standing);

/*
 * Add the text: `most` bytes of it at most (at least 2,000), cut behind a whole row of the table
 * and with how many more there are.
 */
void jr_report_write(const struct jr_report_facts *facts, bool with_times, size_t most,
                     struct jr_buffer *buffer);

#endif
