/*
 * guardcalls -- what GitHub is asked for the guards of a policy, right before a rerun.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/guardcalls.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/rules/learn.h"
#include "lib/steps/step.h"

#include <stdlib.h>
#include <string.h>

/* How often GitHub is asked about an attempt in vain, with the run's backoff, before nobody could
 * say. */
#define TRIES 3

/* Where GitHub keeps workflows; the path of others, which it makes itself, is no file. */
#define WORKFLOWS ".github/workflows/"

struct jr_guardcalls {
    struct jr_desk *desk;
    const struct jr_policy *policy, *own;
    struct jr_refusals *refusals;
    struct jr_question *question;
    struct jr_run run; /* with what is shown of it */
    struct jr_event seen;
    struct jr_guard_news *news;
    enum jr_guard_kind kind; /* that is asked for */
    size_t at;               /* of several groups or pull requests, the one that is asked for */
    bool over;
    enum jr_guardcalls_end end;
    struct jr_call call;
    struct jr_github_line line; /* what questions hold */
    struct jr_github_groups groups;
    struct jr_github_group group;
    struct jr_github_pull pull;
    struct jr_github_file file;
};

static void end(struct jr_guardcalls *calls, enum jr_guardcalls_end how)
{
    calls->over = true;
    calls->end = how;
}

static void ask_for_next(struct jr_guardcalls *calls);

/* A guard is answered; on to the next. */
static void is_told(struct jr_guardcalls *calls, enum jr_guard_told told)
{
    calls->news->told[calls->kind] = told;
    ask_for_next(calls);
}

/* Ask, unless GitHub has refused to tell that of late. */
static void ask(struct jr_guardcalls *calls, struct jr_ask what)
{
    struct jr_desk *desk = calls->desk;

    if (jr_refusals_has(calls->refusals, what.api, calls->run.repo, calls->run.workflow_id,
                        jr_monotonic_ms())) {
        is_told(calls, JR_GUARD_NOT_TOLD);
        return;
    }
    jr_test_point("guards");
    if (jr_calls_wait_ms(&desk->calls) > 0 || jr_desk_is_paused(desk, &calls->run)) {
        end(calls, JR_GUARDCALLS_LAID_DOWN);
        return;
    }
    what.repo = calls->run.repo;
    calls->question->about = calls->run.run_id;
    calls->question->turn.ask = what;
    jr_calls_ask(&desk->calls, calls->question);
}

static void ask_for_group(struct jr_guardcalls *calls)
{
    ask(calls, (struct jr_ask){ .api = JR_API_GET_GROUP, .id = calls->run.run_id,
                                .name = calls->groups.names[calls->at], .holds = &calls->group });
}

/* By the numbers that GitHub shows; of a fork's, it shows none. */
static void ask_for_pull(struct jr_guardcalls *calls)
{
    if (calls->seen.pull_count > 0)
        ask(calls, (struct jr_ask){ .api = JR_API_GET_PULL, .id = calls->seen.pulls[calls->at],
                                    .holds = &calls->pull });
    else if (*calls->run.branch == '\0' || *calls->run.head_sha == '\0'
             || strcmp(calls->run.head_repo, JR_REPO_DELETED) == 0)
        is_told(calls, JR_GUARD_NOT_TOLD);
    else
        ask(calls, (struct jr_ask){ .api = JR_API_FIND_PULL, .run = &calls->run,
                                    .holds = &calls->pull });
}

static void ask_for_file(struct jr_guardcalls *calls)
{
    const struct jr_run *run = &calls->run;
    bool by_commit = (jr_trigger_traits(run->trigger) & JR_TRIGGER_DEFAULT_BRANCH) == 0;

    if (strncmp(run->workflow_path, WORKFLOWS, strlen(WORKFLOWS)) != 0
        || strstr(run->workflow_path, "..") != NULL || (by_commit && *run->head_sha == '\0'))
        is_told(calls, JR_GUARD_NOT_TOLD);
    else
        ask(calls, (struct jr_ask){ .api = JR_API_GET_FILE, .name = run->workflow_path,
                                    .run = by_commit ? run : NULL, .holds = &calls->file });
}

static void ask_for_next(struct jr_guardcalls *calls)
{
    const struct jr_guarded_run about = { calls->policy, calls->own, &calls->run, &calls->seen,
                                          calls->news, jr_now_ms() };
    struct jr_error error;

    calls->at = 0;
    if (jr_guarding_next(calls->desk->store, calls->desk->settings, &about, &calls->kind, &error)
        != JR_OK) {
        end(calls, JR_GUARDCALLS_DONE);
        return;
    }
    switch (calls->kind) {
    case JR_GUARD_SUPERSEDED:
        ask(calls, (struct jr_ask){ .api = JR_API_LIST_LINE, .id = calls->run.workflow_id,
                                    .run = &calls->run, .holds = &calls->line });
        break;
    case JR_GUARD_CONCURRENCY:
        ask(calls, (struct jr_ask){ .api = JR_API_GET_GROUPS, .id = calls->run.run_id,
                                    .holds = &calls->groups });
        break;
    case JR_GUARD_CLOSED:
        ask_for_pull(calls);
        break;
    case JR_GUARD_DEPLOYMENTS:
        ask_for_file(calls);
        break;
    default:
        end(calls, JR_GUARDCALLS_DONE);
    }
}

/*
 * A list that is behind does not show the run itself, nor one as old: then nobody knows what else
 * it does not show. So it is with a branch's name that many forks have.
 */
static void line_is_told(struct jr_guardcalls *calls)
{
    const struct jr_bounds none = { .run_attempts = 0 };
    enum jr_guard_told told = JR_GUARD_NOT_TOLD;

    for (size_t i = 0; i < calls->line.count; i++) {
        struct jr_run other = { .run_id = 0 };

        jr_learn_shown(&none, &calls->line.runs[i], &other);
        if (jr_run_supersedes(&other, &calls->run)) {
            calls->news->newer_run_id = other.run_id;
            calls->news->newer_finished = calls->line.runs[i].status == JR_STATUS_COMPLETED;
            told = JR_GUARD_HOLDS;
            break;
        }
        if (other.run_number != 0 && other.run_number <= calls->run.run_number)
            told = JR_GUARD_FREE;
    }
    is_told(calls, told);
}

static void groups_are_told(struct jr_guardcalls *calls)
{
    if (calls->groups.count > 0)
        ask_for_group(calls);
    else
        is_told(calls, calls->groups.more ? JR_GUARD_NOT_TOLD : JR_GUARD_FREE);
}

static void group_is_told(struct jr_guardcalls *calls)
{
    if (calls->group.held)
        is_told(calls, JR_GUARD_HOLDS);
    else if (++calls->at < calls->groups.count)
        ask_for_group(calls);
    else
        is_told(calls, calls->groups.more ? JR_GUARD_NOT_TOLD : JR_GUARD_FREE);
}

/* One that is open is enough: the run may be of that. */
static void pull_is_told(struct jr_guardcalls *calls)
{
    size_t known = calls->seen.pull_count;

    if (calls->pull.found != 1)
        is_told(calls, JR_GUARD_NOT_TOLD);
    else if (!calls->pull.closed || known > JR_EVENT_PULLS)
        is_told(calls, JR_GUARD_FREE);
    else if (++calls->at < known)
        ask_for_pull(calls);
    else
        is_told(calls, JR_GUARD_HOLDS);
}

static void file_is_told(struct jr_guardcalls *calls)
{
    struct jr_github_file *file = &calls->file;
    enum jr_guard_told told;
    struct jr_error error;

    if (jr_guarding_read_file(calls->desk->store, &calls->run, file->text, file->length, &told,
                              &error) != JR_OK)
        told = JR_GUARD_NOT_TOLD;
    free(file->text);
    file->text = NULL;
    is_told(calls, told);
}

/*
 * GitHub refuses to tell. A 404 to what is asked about one workflow says nothing of others; one
 * to the groups of a run that was just shown: that the host has no such call. A file that one
 * commit has not, another may have: a pull request from before the workflow was written is run
 * with the file of the branch that it is for.
 */
static void note_refusal(struct jr_guardcalls *calls, const struct jr_call *call)
{
    bool is_unknown = call->reason == JR_REASON_NOT_FOUND;

    if ((!is_unknown && call->reason != JR_REASON_NO_PERMISSION)
        || (is_unknown && call->api == JR_API_GET_FILE))
        return;
    jr_refusals_note(calls->refusals, call->api,
                     is_unknown && call->api == JR_API_GET_GROUPS ? "" : calls->run.repo,
                     is_unknown && call->api == JR_API_LIST_LINE ? calls->run.workflow_id : 0,
                     jr_monotonic_ms());
}

/*
 * May GitHub be asked once more for what it did not tell? What nobody was asked, or stops all, is
 * no try; and a group that was held is not taken for free because nobody could say.
 */
static bool may_try_again(struct jr_guardcalls *calls, const struct jr_call *call)
{
    const struct jr_run *run = &calls->run;

    if (call->outcome != JR_OUTCOME_LATER && call->outcome != JR_OUTCOME_UNKNOWN)
        return false;
    return call->api == JR_API_NONE || call->stops_all
           || (calls->kind == JR_GUARD_CONCURRENCY && run->held == JR_REASON_CONCURRENCY_BUSY)
           || jr_refusals_vain(calls->refusals, run->run_id, run->attempt) < TRIES;
}

/* GitHub did not tell it. */
static void is_not_told(struct jr_guardcalls *calls, const struct jr_call *call)
{
    if (may_try_again(calls, call)) {
        calls->call = *call;
        calls->call.outcome = JR_OUTCOME_LATER;
        end(calls, JR_GUARDCALLS_LATER);
        return;
    }
    note_refusal(calls, call);
    is_told(calls, JR_GUARD_NOT_TOLD);
}

static void is_answered(struct jr_guardcalls *calls)
{
    const struct jr_call *call = &calls->question->turn.call;

    if (call->outcome != JR_OUTCOME_DONE) {
        is_not_told(calls, call);
        return;
    }
    switch (calls->question->turn.ask.api) {
    case JR_API_LIST_LINE:
        line_is_told(calls);
        break;
    case JR_API_GET_GROUPS:
        groups_are_told(calls);
        break;
    case JR_API_GET_GROUP:
        group_is_told(calls);
        break;
    case JR_API_GET_FILE:
        file_is_told(calls);
        break;
    default:
        pull_is_told(calls);
    }
}

/* There is no memory to ask. */
static void nobody_can_say(struct jr_guard_news *news)
{
    for (int i = 0; i < JR_GUARD_KINDS; i++)
        if (news->told[i] == JR_GUARD_NOT_ASKED)
            news->told[i] = JR_GUARD_NOT_TOLD;
}

struct jr_guardcalls *jr_guardcalls_begin(struct jr_desk *desk, struct jr_refusals *refusals,
                                          struct jr_question *question,
                                          const struct jr_guarded_run *about,
                                          struct jr_guard_news *news)
{
    const struct jr_bounds bounds = jr_step_bounds(desk->settings);
    struct jr_guarded_run nothing_told = *about;
    struct jr_guardcalls *calls;
    enum jr_guard_kind kind;
    struct jr_error error;

    memset(news, 0, sizeof *news);
    nothing_told.news = news;
    if (jr_guarding_next(desk->store, desk->settings, &nothing_told, &kind, &error) != JR_OK)
        return NULL;
    calls = calloc(1, sizeof *calls);
    if (calls == NULL) {
        nobody_can_say(news);
        return NULL;
    }
    calls->desk = desk;
    calls->policy = about->policy;
    calls->own = about->own;
    calls->refusals = refusals;
    calls->question = question;
    calls->run = *about->run;
    calls->seen = *about->seen;
    calls->news = news;
    jr_learn_shown(&bounds, about->seen, &calls->run);
    question->is_over = false;
    ask_for_next(calls);
    return calls;
}

enum jr_guardcalls_end jr_guardcalls_work(struct jr_guardcalls *calls)
{
    while (!calls->over && calls->question->is_over) {
        calls->question->is_over = false;
        is_answered(calls);
    }
    return calls->over ? calls->end : JR_GUARDCALLS_GO_ON;
}

const struct jr_call *jr_guardcalls_call(const struct jr_guardcalls *calls)
{
    return &calls->call;
}

void jr_guardcalls_end(struct jr_guardcalls *calls)
{
    if (calls == NULL)
        return;
    jr_calls_drop(&calls->desk->calls, calls->question);
    free(calls->file.text);
    free(calls);
}
