/*
 * learn -- what events and answers tell of a run as a whole.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/learn.h"
#include "lib/base/codec.h"

#include <string.h>
#include <strings.h>

void jr_learn_text(char *known, size_t size, const char *told)
{
    if (*told != '\0')
        jr_text_copy(known, size, told);
}

/*
 * The workflow's name and path. What keeps a run from being rerun is never replaced by
 * what would not: otherwise a later event could lift what an earlier one excluded.
 */
static void learn_workflow(const struct jr_bounds *bounds, const struct jr_event *event,
                           struct jr_run *run)
{
    const struct jr_list *left_alone = &bounds->no_retry_workflows;

    if (!jr_run_lists_workflow(left_alone, run->workflow, "")
        || jr_run_lists_workflow(left_alone, event->workflow, ""))
        jr_learn_text(run->workflow, sizeof run->workflow, event->workflow);
    if (!jr_run_lists_workflow(left_alone, "", run->workflow_path)
        || jr_run_lists_workflow(left_alone, "", event->workflow_path))
        jr_learn_text(run->workflow_path, sizeof run->workflow_path, event->workflow_path);
    if (event->workflow_id != 0)
        run->workflow_id = event->workflow_id;
}

void jr_learn_run(const struct jr_bounds *bounds, const struct jr_event *event,
                  struct jr_run *run)
{
    run->run_id = event->run_id;
    jr_learn_text(run->repo, sizeof run->repo, event->repo);
    jr_learn_text(run->branch, sizeof run->branch, event->branch);
    learn_workflow(bounds, event, run);
    if (event->repo_id != 0)
        run->repo_id = event->repo_id;
    if (event->kind != JR_EVENT_RUN)
        return;
    jr_learn_text(run->trigger, sizeof run->trigger, event->trigger);
    jr_learn_text(run->actor, sizeof run->actor, event->actor);
    jr_learn_text(run->head_sha, sizeof run->head_sha, event->head_sha);
    if (event->run_number != 0)
        run->run_number = event->run_number;
    /* Compared within one payload: the repository may have been renamed since others. */
    if (*event->head_repo != '\0')
        jr_text_copy(run->head_repo, sizeof run->head_repo,
                     strcasecmp(event->head_repo, event->repo) == 0 ? "" : event->head_repo);
    if (event->created_ms != 0)
        run->created_ms = event->created_ms;
}

void jr_learn_shown(const struct jr_bounds *bounds, const struct jr_event *seen,
                    struct jr_run *run)
{
    jr_learn_run(bounds, seen, run);
    run->shown = true;
}

/* When the event says that it happened; JR_TIME_MOST when it does not say. */
static int64_t time_of(const struct jr_event *event)
{
    int64_t time_ms = event->kind == JR_EVENT_RUN ? event->updated_ms : event->completed_ms;

    if (event->status != JR_STATUS_COMPLETED || time_ms == 0)
        time_ms = event->started_ms;
    if (time_ms == 0)
        time_ms = event->created_ms;
    return time_ms != 0 ? time_ms : JR_TIME_MOST;
}

void jr_learn_sender(const struct jr_event *event, struct jr_run *run)
{
    int64_t time_ms = time_of(event);

    if (*event->sender == '\0'
        || (*run->first_sender != '\0'
            && (time_ms > run->first_sender_ms
                || (time_ms == run->first_sender_ms
                    && strcmp(event->sender, run->first_sender) >= 0))))
        return;
    jr_learn_text(run->first_sender, sizeof run->first_sender, event->sender);
    run->first_sender_ms = time_ms;
}
