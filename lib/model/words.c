/*
 * words -- the closed sets of words: statuses, conclusions and our reasons.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/words.h"

#include <stddef.h>
#include <string.h>

struct word {
    const char *word;
    int value;
};

static const struct word statuses[] = {
    { "queued", JR_STATUS_QUEUED },
    { "in_progress", JR_STATUS_IN_PROGRESS },
    { "completed", JR_STATUS_COMPLETED },
    { "waiting", JR_STATUS_QUEUED },
    { "pending", JR_STATUS_QUEUED },
    { "requested", JR_STATUS_QUEUED },
    { NULL, JR_STATUS_UNKNOWN },
};

static const struct word conclusions[] = {
    { "success", JR_CONCLUSION_SUCCESS },
    { "skipped", JR_CONCLUSION_SKIPPED },
    { "neutral", JR_CONCLUSION_NEUTRAL },
    { "failure", JR_CONCLUSION_FAILURE },
    { "timed_out", JR_CONCLUSION_TIMED_OUT },
    { "cancelled", JR_CONCLUSION_CANCELLED },
    { "action_required", JR_CONCLUSION_ACTION_REQUIRED },
    { "stale", JR_CONCLUSION_STALE },
    { "startup_failure", JR_CONCLUSION_STARTUP_FAILURE },
    { NULL, JR_CONCLUSION_OTHER },
};

/* The value of a word; that of the closing row when it is not in the table. */
static int value_of(const struct word *table, const char *word)
{
    while (table->word != NULL && (word == NULL || strcmp(table->word, word) != 0))
        table++;
    return table->value;
}

/* The first word of a value. */
static const char *word_of(const struct word *table, int value, const char *otherwise)
{
    for (; table->word != NULL; table++)
        if (table->value == value)
            return table->word;
    return otherwise;
}

enum jr_status jr_status_from(const char *word)
{
    return (enum jr_status)value_of(statuses, word);
}

const char *jr_status_name(enum jr_status status)
{
    return word_of(statuses, (int)status, "unknown");
}

enum jr_conclusion jr_conclusion_from(const char *word)
{
    if (word == NULL || *word == '\0')
        return JR_CONCLUSION_NONE;
    return (enum jr_conclusion)value_of(conclusions, word);
}

const char *jr_conclusion_name(enum jr_conclusion conclusion)
{
    return word_of(conclusions, (int)conclusion,
                   conclusion == JR_CONCLUSION_NONE ? "none" : "other");
}

bool jr_conclusion_is_bad(enum jr_conclusion conclusion)
{
    return conclusion != JR_CONCLUSION_SUCCESS && conclusion != JR_CONCLUSION_SKIPPED
           && conclusion != JR_CONCLUSION_NEUTRAL;
}

static const struct {
    enum jr_reason reason;
    const char *token, *words;
} reasons[] = {
    { JR_REASON_NONE, "none", "nothing to say" },
    { JR_REASON_WAITING_FOR_JOBS, "waiting-for-jobs", "other jobs of this attempt are not done" },
    { JR_REASON_WAITING_FOR_RUN, "waiting-for-run", "the run is not completed" },
    { JR_REASON_OLDER_ATTEMPT, "older-attempt", "a newer attempt of this run is known" },
    { JR_REASON_ALREADY_DECIDED, "already-decided", "this attempt is decided or known to be complete" },
    { JR_REASON_NO_NEWS, "no-news", "nothing that was not known" },
    { JR_REASON_SKIPPED_FIRST, "skipped-first", "a skipped job is the first that was heard of this run" },
    { JR_REASON_UNKNOWN_RUN, "unknown-run", "nothing was recorded of this run before; it is now" },
    { JR_REASON_UNKNOWN_ACTION, "unknown-action", "the action and the status are not known" },
    { JR_REASON_JOBS_SUCCEEDED, "jobs-succeeded", "every known job is done and none failed" },
    { JR_REASON_JOBS_FAILED, "jobs-failed", "every known job is done and some failed" },
    { JR_REASON_RUN_FAILED, "run-failed", "the run is completed and failed" },
    { JR_REASON_CONCLUSION_NOT_RETRIED, "conclusion-not-retried", "the run's conclusion is not in RETRY_CONCLUSIONS" },
    { JR_REASON_ATTEMPTS_USED_UP, "attempts-used-up", "the run has had RUN_ATTEMPTS attempts" },
    { JR_REASON_SENDER_EXCLUDED, "sender-excluded", "the sender of this event is in NO_RETRY_LIST" },
    { JR_REASON_ACTOR_EXCLUDED, "actor-excluded", "the actor of the run is in NO_RETRY_LIST" },
    { JR_REASON_BRANCH_EXCLUDED, "branch-excluded", "the branch is not in REPO_BRANCHES" },
    { JR_REASON_REPOSITORY_EXCLUDED, "repository-excluded", "the repository is not in REPOS or is in NO_RETRY_REPOS" },
    { JR_REASON_WORKFLOW_EXCLUDED, "workflow-excluded", "the workflow is in NO_RETRY_WORKFLOWS" },
    { JR_REASON_FORK_BRANCH, "fork-branch", "the branch is a fork's, not one of the repository in REPO_BRANCHES" },
    { JR_REASON_DRY_RUN, "dry-run", "DRY_RUN is on; it would have been rerun" },
    { JR_REASON_DRY_RUN_UNVERIFIED, "dry-run-unverified", "DRY_RUN without a token; by its events it would have been rerun, GitHub was not asked" },
    { JR_REASON_RUN_NOT_COMPLETED, "run-not-completed", "GitHub says that the run is not completed" },
    { JR_REASON_RERUN_BY_OTHERS, "rerun-by-others", "a newer attempt exists that was not asked for here" },
    { JR_REASON_TOO_OLD, "too-old", "the run is older than the 30 days in which GitHub re-runs" },
    { JR_REASON_MISSED, "missed", "the run ended longer ago than CATCH_UP" },
    { JR_REASON_NEVER_COMPLETED, "never-completed", "the run is older than the 35 days that GitHub lets one live" },
    { JR_REASON_BEHIND, "behind", "GitHub still shows an older attempt" },
    { JR_REASON_CHANGED_MEANWHILE, "changed-meanwhile", "an event changed the run while GitHub was asked" },
    { JR_REASON_FOUND_FAILED, "found-failed", "a list of failed runs shows it, and no event had told of it" },
    { JR_REASON_NOT_FAILED, "not-failed", "nothing of the run failed" },
    { JR_REASON_RERUNS_LIMIT, "reruns-limit", "the run has had the 50 reruns that GitHub allows" },
    { JR_REASON_BY_HAND, "by-hand", "a rerun was asked for by hand" },
    { JR_REASON_PAUSED, "paused", "it waits for the end of a pause" },
    { JR_REASON_SUPERSEDED, "superseded", "a newer run of the same workflow and branch has another commit, and SUPERSEDED is leave" },
    { JR_REASON_RUN_SUCCEEDED, "run-succeeded", "the run succeeded" },
    { JR_REASON_OUTDATED, "outdated", "too long ago GitHub showed the run for a rerun to rest on it; nothing was sent" },
    { JR_REASON_WORKFLOW_UNKNOWN, "workflow-unknown", "GitHub does not tell the workflow's name, and NO_RETRY_WORKFLOWS may have it" },
    { JR_REASON_RERUN_ACCEPTED, "rerun-accepted", "GitHub accepted the rerun" },
    { JR_REASON_RERUN_WORKED, "rerun-worked", "the outcome was unknown, and a newer attempt shows that it worked" },
    { JR_REASON_OUTCOME_UNKNOWN, "outcome-unknown", "the rerun was asked for, but no usable answer came" },
    { JR_REASON_ALREADY_RUNNING, "already-running", "GitHub says that the run is already running" },
    { JR_REASON_CANNOT_BE_RETRIED, "cannot-be-retried", "GitHub does not retry this run" },
    { JR_REASON_NO_PERMISSION, "no-permission", "the token may not do this; it needs write permission for Actions in this repository" },
    { JR_REASON_NOT_FOUND, "not-found", "GitHub does not know the run, or the token may not see its repository" },
    { JR_REASON_BAD_TOKEN, "bad-token", "GitHub rejects the token: expired or revoked" },
    { JR_REASON_RATE_LIMITED, "rate-limited", "GitHub's rate limit is used up" },
    { JR_REASON_SERVER_ERROR, "server-error", "GitHub failed" },
    { JR_REASON_UNREACHABLE, "unreachable", "GitHub could not be reached" },
    { JR_REASON_BAD_ANSWER, "bad-answer", "GitHub's answer is not what it has to be" },
    { JR_REASON_REFUSED, "refused", "GitHub refused" },
    { JR_REASON_MOVED, "moved", "GitHub redirects to another place" },
    { JR_REASON_BAD_APP, "bad-app", "GitHub rejects what the App's key signs: GITHUB_APP_ID or the key is wrong" },
    { JR_REASON_NOT_INSTALLED, "not-installed", "the GitHub App is not installed for this repository" },
    { JR_REASON_APP_SUSPENDED, "app-suspended", "the GitHub App's installation is suspended" },
    { JR_REASON_NOT_GITHUB, "not-github", "something on the way answered in GitHub's place: a proxy, an ingress, or GITHUB_API_URL lacks /api/v3" },
    { JR_REASON_SHUT_OUT, "shut-out", "GitHub shuts this program out of all that the owner has" },
    { JR_REASON_EVENT_NOT_WATCHED, "event-not-watched", "only workflow_job and workflow_run are looked at" },
    { JR_REASON_NOTHING_IN_IT, "nothing-in-it", "no workflow_job or workflow_run in it" },
    { JR_REASON_METHOD, "method", "only GET, HEAD and POST are answered" },
    { JR_REASON_LENGTH_MISSING, "length-missing", "the request has no Content-Length" },
    { JR_REASON_LENGTH_BAD, "length-bad", "the Content-Length is not a number" },
    { JR_REASON_BODY_TOO_LARGE, "body-too-large", "the body is larger than BODY_MAX" },
    { JR_REASON_CONTENT_TYPE, "content-type", "the content type is neither application/json nor application/x-www-form-urlencoded" },
    { JR_REASON_SIGNATURE_MISSING, "signature-missing", "no X-Hub-Signature-256; set the webhook's secret" },
    { JR_REASON_SIGNATURE_MALFORMED, "signature-malformed", "X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits" },
    { JR_REASON_SIGNATURE_DOUBLED, "signature-doubled", "more than one X-Hub-Signature-256" },
    { JR_REASON_SIGNATURE_WRONG, "signature-wrong", "the signature is not made with GITHUB_SIGN_KEY" },
    { JR_REASON_HEADER_DOUBLED, "header-doubled", "a header that may come once came twice" },
    { JR_REASON_BODY_SHORT, "body-short", "the body is not as long as Content-Length says" },
    { JR_REASON_BAD_FORM, "bad-form", "the form does not hold one payload" },
    { JR_REASON_BAD_JSON, "bad-json", "the payload is not JSON" },
    { JR_REASON_BAD_SHAPE, "bad-shape", "the payload is not of the shape that GitHub sends" },
    { JR_REASON_STORE_FULL, "store-full", "disk or map is full; nothing was recorded" },
    { JR_REASON_STORE_FAILED, "store-failed", "the store failed; nothing was recorded" },
    { JR_REASON_OUT_OF_MEMORY, "out-of-memory", "out of memory; nothing was recorded" },
};

static size_t row_of(enum jr_reason reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].reason == reason)
            return i;
    return 0;
}

const char *jr_reason_token(enum jr_reason reason)
{
    return reasons[row_of(reason)].token;
}

const char *jr_reason_words(enum jr_reason reason)
{
    return reasons[row_of(reason)].words;
}

bool jr_reason_is_filter(enum jr_reason reason)
{
    return reason >= JR_REASON_ATTEMPTS_USED_UP && reason <= JR_REASON_FORK_BRANCH;
}
