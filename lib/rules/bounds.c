/*
 * bounds -- the bounds in force: what the rules know of the settings, and which runs it
 * leaves alone.
 *
 * The comments name the rules of "The rules" in doc/design.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/bounds.h"

bool jr_bounds_retries(const struct jr_bounds *bounds, enum jr_conclusion conclusion)
{
    return (bounds->retry_conclusions & 1u << conclusion) != 0;
}

bool jr_bounds_looks_at(const struct jr_bounds *bounds, enum jr_conclusion conclusion)
{
    return jr_bounds_retries(bounds, conclusion)
           || (bounds->judges_cancelled && conclusion == JR_CONCLUSION_CANCELLED);
}

bool jr_bounds_covers(const struct jr_bounds *bounds, const char *repo)
{
    return (bounds->repos.count == 0 || jr_list_match(&bounds->repos, repo))
           && !jr_list_match(&bounds->no_retry_repos, repo);
}

bool jr_bounds_excludes_login(const struct jr_bounds *bounds, const char *login)
{
    return *login != '\0' && jr_list_match(&bounds->no_retry_list, login);
}

/* Rule 5: a branch that is not told is not filtered before GitHub was asked. */
static enum jr_reason filter_branch(const struct jr_bounds *bounds, const struct jr_run *run)
{
    if (bounds->repo_branches.count == 0 || (*run->branch == '\0' && !run->shown))
        return JR_REASON_NONE;
    if (!jr_list_match(&bounds->repo_branches, run->branch))
        return JR_REASON_BRANCH_EXCLUDED;
    /* A fork's `master` carries the same name and is not ours. */
    return *run->head_repo != '\0' ? JR_REASON_FORK_BRANCH : JR_REASON_NONE;
}

enum jr_reason jr_bounds_filter(const struct jr_bounds *bounds, const struct jr_run *run,
                                uint32_t attempt)
{
    bool by_hand = run->by_hand && attempt == run->attempt;
    enum jr_reason reason;

    if (by_hand && !run->asked)
        return JR_REASON_NONE;
    if (!jr_bounds_covers(bounds, run->repo))
        return JR_REASON_REPOSITORY_EXCLUDED;
    if (jr_run_lists_workflow(&bounds->no_retry_workflows, run->workflow, run->workflow_path))
        return JR_REASON_WORKFLOW_EXCLUDED;
    reason = by_hand ? JR_REASON_NONE : filter_branch(bounds, run);
    if (reason != JR_REASON_NONE)
        return reason;
    if (jr_bounds_excludes_login(bounds, run->actor)
        || jr_bounds_excludes_login(bounds, run->triggering_actor))
        return JR_REASON_ACTOR_EXCLUDED;
    return attempt >= bounds->run_attempts && !by_hand ? JR_REASON_ATTEMPTS_USED_UP
                                                      : JR_REASON_NONE;
}

enum jr_reason jr_bounds_filter_known(const struct jr_bounds *bounds, const struct jr_run *run)
{
    if ((!run->by_hand || run->asked) && *run->actor == '\0' && *run->triggering_actor == '\0'
        && jr_bounds_excludes_login(bounds, run->first_sender))
        return JR_REASON_ACTOR_EXCLUDED;
    return jr_bounds_filter(bounds, run, run->attempt);
}
