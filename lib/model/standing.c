/*
 * standing -- where a run stands, for people: the answer in a word, why, and what
 * somebody can do about it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/standing.h"

#include <stdio.h>

/* What else there is to say of a reason. */
enum {
    HELPS = 1,    /* `job-rerunner rerun' may help */
    GIVES_UP = 2, /* a chat is told that the run is given up */
    OVER = 4      /* nobody waits for a rerun any more */
};

/* What a reason comes to, and what can be done; of those not named nothing is known. */
static const struct row {
    enum jr_reason reason;
    enum jr_mood mood;
    enum jr_need need; /* of a run that failed and is closed */
    unsigned flags;
    const char *word; /* of a closed attempt */
    const char *remedy;
} rows[] = {
    { JR_REASON_ATTEMPTS_USED_UP, JR_MOOD_BAD, JR_NEED_GIVEN_UP, HELPS | GIVES_UP, "given up",
      "Look at what fails. RUN_ATTEMPTS says how often it is tried." },
    { JR_REASON_RERUNS_LIMIT, JR_MOOD_BAD, JR_NEED_GIVEN_UP, GIVES_UP, "given up",
      "GitHub reruns it no more: start the workflow anew." },
    { JR_REASON_CANNOT_BE_RETRIED, JR_MOOD_BAD, JR_NEED_GIVEN_UP, GIVES_UP, "refused",
      "\"Re-run all jobs\" on its page on GitHub may work where \"failed jobs\" does not." },
    { JR_REASON_NO_PERMISSION, JR_MOOD_BAD, JR_NEED_ACCESS, HELPS, "refused",
      "Give the token Actions \"Read and write\" for this repository, and its user write "
      "permission." },
    { JR_REASON_NOT_FOUND, JR_MOOD_BAD, JR_NEED_ACCESS, HELPS, "refused",
      "Add the repository to the token." },
    { JR_REASON_NOT_INSTALLED, JR_MOOD_BAD, JR_NEED_ACCESS, HELPS, "refused",
      "Install the App, with this repository among those chosen." },
    { JR_REASON_REFUSED, JR_MOOD_BAD, JR_NEED_ACCESS, HELPS, "refused",
      "GitHub's words are told with the call." },
    { JR_REASON_DRY_RUN, JR_MOOD_INFO, JR_NEED_NOTHING, HELPS, "dry run",
      "Set DRY_RUN=no and restart; by itself this attempt is not rerun then." },
    { JR_REASON_DRY_RUN_UNVERIFIED, JR_MOOD_INFO, JR_NEED_NOTHING, HELPS, "dry run",
      "Give a token, set DRY_RUN=no and restart; by itself this attempt is not rerun then." },
    { JR_REASON_TOO_OLD, JR_MOOD_CALM, JR_NEED_NOTHING, OVER, "too late",
      "GitHub reruns it no more: start the workflow anew." },
    { JR_REASON_MISSED, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS | OVER, "too late",
      "CATCH_UP decides it." },
    { JR_REASON_NEVER_COMPLETED, JR_MOOD_CALM, JR_NEED_NOTHING, OVER, "too late", "" },
    { JR_REASON_SENDER_EXCLUDED, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS, "left alone",
      "NO_RETRY_LIST decides it." },
    { JR_REASON_ACTOR_EXCLUDED, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS, "left alone",
      "NO_RETRY_LIST decides it." },
    { JR_REASON_BRANCH_EXCLUDED, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS, "left alone",
      "REPO_BRANCHES decides it." },
    { JR_REASON_FORK_BRANCH, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS, "left alone",
      "REPO_BRANCHES decides it." },
    { JR_REASON_REPOSITORY_EXCLUDED, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS, "left alone",
      "REPOS and NO_RETRY_REPOS decide it." },
    { JR_REASON_WORKFLOW_EXCLUDED, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS, "left alone",
      "NO_RETRY_WORKFLOWS decides it." },
    { JR_REASON_SUPERSEDED, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS | OVER, "superseded",
      "SUPERSEDED decides it." },
    { JR_REASON_CONCLUSION_NOT_RETRIED, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS, "left alone",
      "RETRY_CONCLUSIONS decides it." },
    { JR_REASON_CONCURRENCY_BUSY, JR_MOOD_CALM, JR_NEED_LATE, HELPS | GIVES_UP, "too late",
      "CATCH_UP decides it, and the policy's guard `concurrency`." },
    { JR_REASON_BUDGET_USED_UP, JR_MOOD_BAD, JR_NEED_LIMIT, HELPS | GIVES_UP, "over the limit",
      "The policy's `limits` decide it, and how long it waits for them: CATCH_UP." },
    { JR_REASON_OUTAGE_HOLD, JR_MOOD_BAD, JR_NEED_LATE, HELPS | GIVES_UP, "too late",
      "CATCH_UP decides it, and the policy's `outage`." },
    { JR_REASON_STOPPED, JR_MOOD_CALM, JR_NEED_NOTHING, HELPS, "stopped",
      "A comment `/rerun` on its pull request ends it." },
    { JR_REASON_LEFT_BY_RULE, JR_MOOD_CALM, JR_NEED_LEFT, GIVES_UP, "left alone", "" },
    { JR_REASON_CAUSE_NOT_KNOWN, JR_MOOD_CALM, JR_NEED_LEFT, GIVES_UP, "left alone", "" },
    { JR_REASON_NOT_WORTH_IT, JR_MOOD_CALM, JR_NEED_LEFT, GIVES_UP, "left alone", "" },
    { JR_REASON_SAME_FAILURE, JR_MOOD_CALM, JR_NEED_LEFT, GIVES_UP, "left alone", "" },
    { JR_REASON_EVIDENCE_UNREADABLE, JR_MOOD_CALM, JR_NEED_LEFT, GIVES_UP, "left alone", "" },
    { JR_REASON_DEPLOYMENT, JR_MOOD_CALM, JR_NEED_LEFT, 0, "left alone", "" },
    { JR_REASON_PULL_REQUEST_CLOSED, JR_MOOD_CALM, JR_NEED_NOTHING, OVER, "left alone", "" },
    { JR_REASON_MERGE_QUEUE, JR_MOOD_CALM, JR_NEED_NOTHING, OVER, "left alone", "" },
    /* of one that waits */
    { JR_REASON_BAD_TOKEN, JR_MOOD_WAIT, JR_NEED_NOTHING, 0, "",
      "Put a new token in its place; it goes on then." },
    { JR_REASON_BAD_APP, JR_MOOD_WAIT, JR_NEED_NOTHING, 0, "",
      "Compare GITHUB_APP_ID and the key with the App's page; it goes on then." },
    { JR_REASON_APP_SUSPENDED, JR_MOOD_WAIT, JR_NEED_NOTHING, 0, "",
      "The owner of the App's installation has to unsuspend it; it goes on then." },
    { JR_REASON_UNREACHABLE, JR_MOOD_WAIT, JR_NEED_NOTHING, 0, "",
      "Look at the network, https_proxy, GITHUB_CA_FILE and GITHUB_API_URL." },
    { JR_REASON_BAD_ANSWER, JR_MOOD_WAIT, JR_NEED_NOTHING, 0, "", "Is GITHUB_API_URL right?" },
};

static const struct row other = {
    JR_REASON_NONE, JR_MOOD_CALM, JR_NEED_NOTHING, 0, "left alone", "",
};

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
    say(standing, row->mood, jr_standing_word_of(run->reason), jr_reason_words(run->reason));
    if (by_conclusion)
        snprintf(standing->why, sizeof standing->why,
                 "it ended as %s, which is not in RETRY_CONCLUSIONS",
                 jr_conclusion_name(run->conclusion));
    if (run->reason == JR_REASON_SUPERSEDED && run->superseded_by != 0)
        snprintf(standing->why, sizeof standing->why, "%s: it is run %llu",
                 jr_reason_words(run->reason), (unsigned long long)run->superseded_by);
    standing->remedy = row->remedy;
    standing->rerun_helps = (row->flags & HELPS) != 0;
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
    return row_of(reason)->need;
}

/* One that waits is not closed, but a damaged record may say so. */
const char *jr_standing_word_of(enum jr_reason reason)
{
    const char *word = row_of(reason)->word;

    return *word == '\0' ? other.word : word;
}

bool jr_standing_gives_up(enum jr_reason reason)
{
    return (row_of(reason)->flags & GIVES_UP) != 0;
}

bool jr_standing_is_over(enum jr_reason reason)
{
    return (row_of(reason)->flags & OVER) != 0;
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
