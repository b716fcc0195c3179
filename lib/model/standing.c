/*
 * standing -- where a run stands, for people: the answer in a word, why, and what
 * somebody can do about it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/standing.h"

#include <stdio.h>

/* What a reason comes to, and what can be done; of those not named nothing is known. */
static const struct row {
    enum jr_reason reason;
    enum jr_mood mood;
    const char *word; /* of a closed attempt */
    const char *remedy;
    bool rerun_helps;
} rows[] = {
    { JR_REASON_ATTEMPTS_USED_UP, JR_MOOD_BAD, "given up",
      "Look at what fails. RUN_ATTEMPTS says how often it is tried.", true },
    { JR_REASON_RERUNS_LIMIT, JR_MOOD_BAD, "given up",
      "GitHub reruns it no more: start the workflow anew.", false },
    { JR_REASON_CANNOT_BE_RETRIED, JR_MOOD_BAD, "refused",
      "\"Re-run all jobs\" on its page on GitHub may work where \"failed jobs\" does not.", false },
    { JR_REASON_NO_PERMISSION, JR_MOOD_BAD, "refused",
      "Give the token Actions \"Read and write\" for this repository, and its user write "
      "permission.", true },
    { JR_REASON_NOT_FOUND, JR_MOOD_BAD, "refused", "Add the repository to the token.", true },
    { JR_REASON_NOT_INSTALLED, JR_MOOD_BAD, "refused",
      "Install the App, with this repository among those chosen.", true },
    { JR_REASON_REFUSED, JR_MOOD_BAD, "refused", "GitHub's words are told with the call.", true },
    { JR_REASON_DRY_RUN, JR_MOOD_INFO, "dry run",
      "DRY_RUN decides it; it is not rerun by itself when that is off.", true },
    { JR_REASON_DRY_RUN_UNVERIFIED, JR_MOOD_INFO, "dry run",
      "DRY_RUN decides it, and there is no token; it is not rerun by itself later.", true },
    { JR_REASON_TOO_OLD, JR_MOOD_CALM, "too late",
      "GitHub reruns it no more: start the workflow anew.", false },
    { JR_REASON_MISSED, JR_MOOD_CALM, "too late", "CATCH_UP decides it.", true },
    { JR_REASON_NEVER_COMPLETED, JR_MOOD_CALM, "too late", "", false },
    { JR_REASON_SENDER_EXCLUDED, JR_MOOD_CALM, "left alone", "NO_RETRY_LIST decides it.", true },
    { JR_REASON_ACTOR_EXCLUDED, JR_MOOD_CALM, "left alone", "NO_RETRY_LIST decides it.", true },
    { JR_REASON_BRANCH_EXCLUDED, JR_MOOD_CALM, "left alone", "REPO_BRANCHES decides it.", true },
    { JR_REASON_FORK_BRANCH, JR_MOOD_CALM, "left alone", "REPO_BRANCHES decides it.", true },
    { JR_REASON_REPOSITORY_EXCLUDED, JR_MOOD_CALM, "left alone",
      "REPOS and NO_RETRY_REPOS decide it.", true },
    { JR_REASON_WORKFLOW_EXCLUDED, JR_MOOD_CALM, "left alone", "NO_RETRY_WORKFLOWS decides it.",
      true },
    { JR_REASON_SUPERSEDED, JR_MOOD_CALM, "superseded", "SUPERSEDED decides it.", true },
    { JR_REASON_CONCLUSION_NOT_RETRIED, JR_MOOD_CALM, "left alone",
      "RETRY_CONCLUSIONS decides it.", true },
    { JR_REASON_CONCURRENCY_BUSY, JR_MOOD_CALM, "too late",
      "CATCH_UP decides it, and the policy's guard `concurrency`.", true },
    { JR_REASON_BUDGET_USED_UP, JR_MOOD_BAD, "over the limit",
      "The policy's `limits` decide it, and how long it waits for them: CATCH_UP.", true },
    { JR_REASON_OUTAGE_HOLD, JR_MOOD_BAD, "too late",
      "CATCH_UP decides it, and the policy's `outage`.", true },
    { JR_REASON_STOPPED, JR_MOOD_CALM, "stopped", "A comment `/rerun` on its pull request ends it.",
      true },
    /* of one that waits */
    { JR_REASON_BAD_TOKEN, JR_MOOD_WAIT, "", "Put a new token in its place; it goes on then.",
      false },
    { JR_REASON_BAD_APP, JR_MOOD_WAIT, "",
      "Compare GITHUB_APP_ID and the key with the App's page; it goes on then.", false },
    { JR_REASON_APP_SUSPENDED, JR_MOOD_WAIT, "",
      "The owner of the App's installation has to unsuspend it; it goes on then.", false },
    { JR_REASON_UNREACHABLE, JR_MOOD_WAIT, "",
      "Look at the network, https_proxy, GITHUB_CA_FILE and GITHUB_API_URL.", false },
    { JR_REASON_BAD_ANSWER, JR_MOOD_WAIT, "", "Is GITHUB_API_URL right?", false },
};

static const struct row other = { JR_REASON_NONE, JR_MOOD_CALM, "left alone", "", false };

static const struct row *row_of(enum jr_reason reason)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].reason == reason)
            return &rows[i];
    return &other;
}

static void say(struct jr_standing *standing, enum jr_mood mood, const char *word,
                const char *why)
{
    standing->mood = mood;
    standing->word = word;
    snprintf(standing->why, sizeof standing->why, "%s", why);
}

/* Is all that is known of the attempt good? */
static bool has_succeeded(const struct jr_run *run)
{
    return run->complete ? run->conclusion == JR_CONCLUSION_SUCCESS
                         : run->phase == JR_PHASE_OPEN && run->reason == JR_REASON_JOBS_SUCCEEDED;
}

enum jr_reason jr_standing_reason(const struct jr_run *run, bool paused)
{
    if (run->phase == JR_PHASE_DUE)
        return paused ? JR_REASON_PAUSED : jr_run_reason(run);
    return run->complete && has_succeeded(run) ? JR_REASON_RUN_SUCCEEDED : jr_run_reason(run);
}

/* What was rescued once may have been rerun by somebody else since. */
static void say_succeeded(const struct jr_run *run, struct jr_standing *standing)
{
    bool rescued = run->rescued && jr_run_is_our_rerun(run);

    say(standing, JR_MOOD_GOOD, rescued ? "rescued" : "succeeded",
        !run->complete     ? "every known job is done and none failed"
        : rescued          ? "the run succeeded after a rerun"
        : run->attempt > 1 ? "the run succeeded after a rerun that was not asked for here"
                           : "the run succeeded");
}

static void say_open(const struct jr_run *run, struct jr_standing *standing)
{
    enum jr_reason reason = jr_run_reason(run);

    if (!jr_run_is_our_rerun(run))
        say(standing, JR_MOOD_CALM, "going on",
            run->jobs_known == 0 ? "the run is not over, and no job of it is known"
                                 : jr_reason_words(reason));
    else
        say(standing, JR_MOOD_INFO, "rerun",
            reason == JR_REASON_WAITING_FOR_JOBS
                ? "GitHub accepted the rerun; its jobs are not all done"
                : "GitHub accepted the rerun; nothing was heard of it yet");
}

static void say_closed(const struct jr_run *run, struct jr_standing *standing)
{
    const struct row *row = row_of(run->reason);
    bool by_conclusion = run->reason == JR_REASON_CONCLUSION_NOT_RETRIED;

    /* Skipped or neutral: there is nothing to rerun. */
    if (run->reason == JR_REASON_NOT_FAILED && run->complete) {
        say(standing, JR_MOOD_CALM, jr_conclusion_name(run->conclusion),
            jr_reason_words(run->reason));
        return;
    }
    /* One that waits is not closed, but a damaged record may say so. */
    say(standing, row->mood, *row->word == '\0' ? other.word : row->word,
        jr_reason_words(run->reason));
    if (by_conclusion)
        snprintf(standing->why, sizeof standing->why,
                 "it ended as %s, which is not in RETRY_CONCLUSIONS",
                 jr_conclusion_name(run->conclusion));
    if (run->reason == JR_REASON_SUPERSEDED && run->superseded_by != 0)
        snprintf(standing->why, sizeof standing->why, "%s: it is run %llu",
                 jr_reason_words(run->reason), (unsigned long long)run->superseded_by);
    standing->remedy = row->remedy;
    standing->rerun_helps = row->rerun_helps;
}

void jr_standing_of(const struct jr_run *run, struct jr_standing *standing)
{
    standing->token = jr_reason_token(jr_standing_reason(run, false));
    standing->remedy = "";
    standing->rerun_helps = false;
    if (run->phase == JR_PHASE_DUE) {
        say(standing, JR_MOOD_WAIT, run->intent_ms != 0 ? "asked for" : "waiting",
            jr_reason_words(run->reason));
        standing->remedy = row_of(run->reason)->remedy;
    } else if (has_succeeded(run)) {
        say_succeeded(run, standing);
    } else if (run->phase == JR_PHASE_OPEN) {
        say_open(run, standing);
    } else {
        say_closed(run, standing);
    }
}

/* Did the newest attempt end badly, as far as is known? */
static bool has_ended_badly(const struct jr_run *run)
{
    return run->complete ? jr_conclusion_is_bad(run->conclusion) : run->jobs_failed > 0;
}

enum jr_need jr_need_of(enum jr_reason reason)
{
    switch (reason) {
    case JR_REASON_ATTEMPTS_USED_UP:
    case JR_REASON_RERUNS_LIMIT:
    case JR_REASON_CANNOT_BE_RETRIED:
        return JR_NEED_GIVEN_UP;
    case JR_REASON_LEFT_BY_RULE:
    case JR_REASON_CAUSE_NOT_KNOWN:
    case JR_REASON_NOT_WORTH_IT:
    case JR_REASON_SAME_FAILURE:
    case JR_REASON_EVIDENCE_UNREADABLE:
    case JR_REASON_DEPLOYMENT:
        return JR_NEED_LEFT;
    case JR_REASON_NO_PERMISSION:
    case JR_REASON_NOT_FOUND:
    case JR_REASON_NOT_INSTALLED:
    case JR_REASON_REFUSED:
        return JR_NEED_ACCESS;
    case JR_REASON_BUDGET_USED_UP:
        return JR_NEED_LIMIT;
    case JR_REASON_OUTAGE_HOLD:
    case JR_REASON_CONCURRENCY_BUSY:
        return JR_NEED_LATE;
    default:
        return JR_NEED_NOTHING;
    }
}

enum jr_need jr_standing_need(const struct jr_run *run)
{
    if (run->phase == JR_PHASE_OPEN || !has_ended_badly(run))
        return JR_NEED_NOTHING;
    return run->phase == JR_PHASE_DUE ? JR_NEED_WAITS : jr_need_of(run->reason);
}

const char *jr_need_words(enum jr_need need)
{
    static const char *const words[JR_NEEDS] = {
        [JR_NEED_NOTHING] = "",
        [JR_NEED_WAITS] = "waits",
        [JR_NEED_GIVEN_UP] = "given up",
        [JR_NEED_LEFT] = "left by the policy",
        [JR_NEED_ACCESS] = "no access",
        [JR_NEED_LIMIT] = "over the limit",
        [JR_NEED_LATE] = "too late",
    };

    return (size_t)need < JR_NEEDS ? words[need] : "";
}

const char *jr_standing_word(size_t index)
{
    static const char *const words[] = {
        "asked for", "dry run", "given up", "going on",  "left alone", "neutral", "over the limit",
        "refused",   "rerun",   "rescued",  "skipped",   "stopped",    "succeeded",
        "superseded", "too late", "waiting",
    };

    return index < sizeof words / sizeof *words ? words[index] : NULL;
}
