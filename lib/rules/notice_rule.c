/*
 * notice_rule -- of which runs people are told.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/notice_rule.h"
#include "lib/model/standing.h"

/* Not by its jobs alone: others may follow, and what fails need not make the run fail. */
static bool is_given_up(const struct jr_run *run)
{
    return run->phase == JR_PHASE_CLOSED && run->complete && jr_standing_gives_up(run->reason);
}

bool jr_notice_rule_gives_up(const struct jr_bounds *bounds, const struct jr_run *before,
                             const struct jr_run *run)
{
    return (bounds->notify_on & 1u << JR_NOTICE_GIVEN_UP) != 0 && is_given_up(run)
           && !(is_given_up(before) && before->attempt == run->attempt)
           && *run->head_repo == '\0' && jr_list_match(&bounds->notify_branches, run->branch);
}

struct jr_notice jr_notice_rule_of_run(const struct jr_run *run, int64_t now_ms)
{
    struct jr_notice notice = {
        .at_ms = now_ms, .kind = JR_NOTICE_GIVEN_UP, .reason = run->reason, .run_id = run->run_id,
        .attempt = run->attempt,
    };

    jr_text_copy(notice.repo, sizeof notice.repo, run->repo);
    jr_text_copy(notice.workflow, sizeof notice.workflow, jr_run_workflow(run));
    jr_text_copy(notice.branch, sizeof notice.branch, run->branch);
    return notice;
}
