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

/* Sources: GitHub's docs, "Events that trigger workflows"; doc/github.md. */
static const struct word triggers[] = {
    { "push", JR_TRIGGER_LINE },
    { "pull_request", JR_TRIGGER_LINE | JR_TRIGGER_PULL },
    { "pull_request_target", JR_TRIGGER_LINE | JR_TRIGGER_PULL | JR_TRIGGER_DEFAULT_BRANCH },
    { "schedule", JR_TRIGGER_DEFAULT_BRANCH },
    { "workflow_run", JR_TRIGGER_DEFAULT_BRANCH },
    { "merge_group", JR_TRIGGER_QUEUE },
    { "release", JR_TRIGGER_DOES },
    { "deployment", JR_TRIGGER_DOES },
    { "issue_comment", JR_TRIGGER_DOES },
    { "repository_dispatch", JR_TRIGGER_DOES },
    { NULL, 0 },
};

unsigned jr_trigger_traits(const char *event)
{
    return (unsigned)value_of(triggers, event);
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
    enum jr_reason_class class;
    const char *token, *words;
    const char *note; /* sentences for the documents; `code` in backquotes */
} reasons[] = {
    { JR_REASON_NONE, JR_CLASS_NONE, "none", "nothing to say", "" },
    { JR_REASON_WAITING_FOR_JOBS, JR_CLASS_WAIT, "waiting-for-jobs", "other jobs of this attempt are not done", "" },
    { JR_REASON_WAITING_FOR_RUN, JR_CLASS_WAIT, "waiting-for-run", "the run is not completed", "" },
    { JR_REASON_OLDER_ATTEMPT, JR_CLASS_WAIT, "older-attempt", "a newer attempt of this run is known",
      "The event is kept as history, and changes nothing." },
    { JR_REASON_ALREADY_DECIDED, JR_CLASS_WAIT, "already-decided", "this attempt is decided or known to be complete",
      "The event is kept as history, and changes nothing." },
    { JR_REASON_NO_NEWS, JR_CLASS_WAIT, "no-news", "nothing that was not known", "" },
    { JR_REASON_SKIPPED_FIRST, JR_CLASS_WAIT, "skipped-first", "a skipped job is the first that was heard of this run",
      "That is usual: GitHub never queues a job that it skips." },
    { JR_REASON_UNKNOWN_RUN, JR_CLASS_WAIT, "unknown-run", "nothing was recorded of this run before; it is now",
      "That is usual right after the webhook was made. If the job failed, GitHub is asked about "
      "the run." },
    { JR_REASON_UNKNOWN_ACTION, JR_CLASS_WAIT, "unknown-action", "the action and the status are not known",
      "GitHub sends something that is newer than this version. The event changes nothing." },
    { JR_REASON_JOBS_SUCCEEDED, JR_CLASS_CONCLUSION, "jobs-succeeded", "every known job is done and none failed", "" },
    { JR_REASON_JOBS_FAILED, JR_CLASS_SUSPECT, "jobs-failed", "every known job is done and some failed",
      "GitHub is asked about the run after RERUN_DELAY." },
    { JR_REASON_RUN_FAILED, JR_CLASS_SUSPECT, "run-failed", "the run is completed and failed",
      "After an event, GitHub is asked about the run. After an answer of GitHub, the run is "
      "rerun." },
    { JR_REASON_CONCLUSION_NOT_RETRIED, JR_CLASS_CONCLUSION, "conclusion-not-retried", "the run's conclusion is not in RETRY_CONCLUSIONS",
      "A run that somebody cancelled stays cancelled for this reason. Way out: add the "
      "conclusion to RETRY_CONCLUSIONS." },
    { JR_REASON_ATTEMPTS_USED_UP, JR_CLASS_FILTER, "attempts-used-up", "the run has had RUN_ATTEMPTS attempts",
      "Way out: raise RUN_ATTEMPTS for the next time, or `job-rerunner rerun RUN`." },
    { JR_REASON_SENDER_EXCLUDED, JR_CLASS_FILTER, "sender-excluded", "the sender of this event is in NO_RETRY_LIST",
      "It is the answer to this event alone; the run is judged by its actors. Way out: change "
      "the setting, restart, and redeliver the event." },
    { JR_REASON_ACTOR_EXCLUDED, JR_CLASS_FILTER, "actor-excluded", "the actor of the run is in NO_RETRY_LIST",
      "The actor is who started the run, or this attempt. Way out: change the setting, restart, "
      "and redeliver an event that was answered 204; or `job-rerunner rerun RUN`." },
    { JR_REASON_BRANCH_EXCLUDED, JR_CLASS_FILTER, "branch-excluded", "the branch is not in REPO_BRANCHES",
      "Way out: change the setting, restart, and redeliver an event that was answered 204; or "
      "`job-rerunner rerun RUN`." },
    { JR_REASON_REPOSITORY_EXCLUDED, JR_CLASS_FILTER, "repository-excluded", "the repository is not in REPOS or is in NO_RETRY_REPOS",
      "Way out: change the setting, restart, and redeliver an event that was answered 204; or "
      "`job-rerunner rerun RUN`." },
    { JR_REASON_WORKFLOW_EXCLUDED, JR_CLASS_FILTER, "workflow-excluded", "the workflow is in NO_RETRY_WORKFLOWS",
      "Way out: change the setting, restart, and redeliver an event that was answered 204; or "
      "`job-rerunner rerun RUN`." },
    { JR_REASON_FORK_BRANCH, JR_CLASS_FILTER, "fork-branch", "the branch is a fork's, not one of the repository in REPO_BRANCHES",
      "A pull request from a fork carries the name of the branch in the fork. Way out: "
      "`job-rerunner rerun RUN`." },
    { JR_REASON_DRY_RUN, JR_CLASS_FINAL, "dry-run", "DRY_RUN is on; it would have been rerun",
      "The attempt is closed. Way out: `DRY_RUN=no`, and `job-rerunner rerun RUN`." },
    { JR_REASON_DRY_RUN_UNVERIFIED, JR_CLASS_FINAL, "dry-run-unverified", "DRY_RUN without a token; by its events it would have been rerun, GitHub was not asked",
      "The attempt is closed. Way out: give a token, `DRY_RUN=no`, and `job-rerunner rerun "
      "RUN`." },
    { JR_REASON_RUN_NOT_COMPLETED, JR_CLASS_ASK, "run-not-completed", "GitHub says that the run is not completed",
      "GitHub is asked again, until the run is over." },
    { JR_REASON_RERUN_BY_OTHERS, JR_CLASS_RERUN, "rerun-by-others", "a newer attempt exists that was not asked for here",
      "Somebody has rerun the run already." },
    { JR_REASON_TOO_OLD, JR_CLASS_FINAL, "too-old", "the run is older than the 30 days in which GitHub re-runs",
      "GitHub offers no way out." },
    { JR_REASON_MISSED, JR_CLASS_FINAL, "missed", "the run ended longer ago than CATCH_UP",
      "Way out: `job-rerunner rerun RUN`, or raise CATCH_UP for the next time." },
    { JR_REASON_NEVER_COMPLETED, JR_CLASS_FINAL, "never-completed", "the run is older than the 35 days that GitHub lets one live",
      "GitHub offers no way out." },
    { JR_REASON_BEHIND, JR_CLASS_ASK, "behind", "GitHub still shows an older attempt",
      "GitHub is asked again." },
    { JR_REASON_CHANGED_MEANWHILE, JR_CLASS_ASK, "changed-meanwhile", "an event changed the run while GitHub was asked",
      "What that event decided holds." },
    { JR_REASON_FOUND_FAILED, JR_CLASS_SUSPECT, "found-failed", "a list of failed runs shows it, and no event had told of it",
      "GitHub is asked about it as about any other run." },
    { JR_REASON_NOT_FAILED, JR_CLASS_CONCLUSION, "not-failed", "nothing of the run failed",
      "All of it was skipped, for instance." },
    { JR_REASON_RERUNS_LIMIT, JR_CLASS_FINAL, "reruns-limit", "the run has had the 50 reruns that GitHub allows",
      "GitHub offers no way out." },
    { JR_REASON_BY_HAND, JR_CLASS_SUSPECT, "by-hand", "a rerun was asked for by hand",
      "GitHub is asked at once." },
    { JR_REASON_PAUSED, JR_CLASS_ASK, "paused", "it waits for the end of a pause",
      "In the history of a run: it waited for that. Way out: `job-rerunner resume`." },
    { JR_REASON_SUPERSEDED, JR_CLASS_FINAL, "superseded", "a newer run of the same workflow and branch has another commit, and SUPERSEDED is leave",
      "A rerun could cancel the newer run; and of a pull request nobody waits for the older "
      "result. Way out: `SUPERSEDED=rerun`, or `job-rerunner rerun RUN`." },
    { JR_REASON_RUN_SUCCEEDED, JR_CLASS_CONCLUSION, "run-succeeded", "the run succeeded", "" },
    { JR_REASON_OUTDATED, JR_CLASS_ASK, "outdated", "too long ago GitHub showed the run for a rerun to rest on it; nothing was sent",
      "The limit is 5 seconds. GitHub is asked again." },
    { JR_REASON_WORKFLOW_UNKNOWN, JR_CLASS_DENIAL, "workflow-unknown", "GitHub does not tell the workflow's name, and NO_RETRY_WORKFLOWS or the policy may have it",
      "GitHub is asked again for 15 minutes, then the run is left alone. Way out: `job-rerunner "
      "rerun RUN`; or name files (`deploy.yml`) there, since for those no name is asked for." },
    { JR_REASON_RERUN_ACCEPTED, JR_CLASS_RERUN, "rerun-accepted", "GitHub accepted the rerun", "" },
    { JR_REASON_RERUN_WORKED, JR_CLASS_RERUN, "rerun-worked", "the outcome was unknown, and a newer attempt shows that it worked", "" },
    { JR_REASON_OUTCOME_UNKNOWN, JR_CLASS_CALL, "outcome-unknown", "the rerun was asked for, but no usable answer came",
      "GitHub is asked about the run before anything is posted again." },
    { JR_REASON_ALREADY_RUNNING, JR_CLASS_CALL, "already-running", "GitHub says that the run is already running",
      "GitHub is asked again." },
    { JR_REASON_CANNOT_BE_RETRIED, JR_CLASS_CALL, "cannot-be-retried", "GitHub does not retry this run",
      "Way out: try it on the page of the run on GitHub. \"Re-run all jobs\" may work where "
      "\"Re-run failed jobs\" does not." },
    { JR_REASON_NO_PERMISSION, JR_CLASS_DENIAL, "no-permission", "the token may not do this; it needs write permission for Actions in this repository",
      "GitHub is asked again, and the run is closed only after a quarter of an hour (at once, "
      "if the rerun was asked for by hand). Way out: Actions \"Read and write\" for this "
      "repository, and write permission for the user of the token; then `job-rerunner rerun "
      "RUN`." },
    { JR_REASON_NOT_FOUND, JR_CLASS_DENIAL, "not-found", "GitHub does not know the run, or the token may not see its repository",
      "GitHub is asked again, and the run is closed only after a quarter of an hour (at once, "
      "if the rerun was asked for by hand). Way out: add the repository to the token; then "
      "`job-rerunner rerun RUN`." },
    { JR_REASON_BAD_TOKEN, JR_CLASS_CALL, "bad-token", "GitHub rejects the token: expired or revoked",
      "Reruns that are due wait, and none is lost. Way out: a new token." },
    { JR_REASON_RATE_LIMITED, JR_CLASS_CALL, "rate-limited", "GitHub's rate limit is used up",
      "All calls (of an App: those of the installation) wait until it is over. Way out, if it "
      "happens often: a GitHub user for this program alone, since all tokens of a user share "
      "one limit." },
    { JR_REASON_SERVER_ERROR, JR_CLASS_OUTAGE, "server-error", "GitHub failed",
      "GitHub is asked again." },
    { JR_REASON_UNREACHABLE, JR_CLASS_OUTAGE, "unreachable", "GitHub could not be reached",
      "The log has the words of libcurl. GitHub is asked again. Way out: look at the network, "
      "https_proxy, GITHUB_CA_FILE and GITHUB_API_URL." },
    { JR_REASON_BAD_ANSWER, JR_CLASS_CALL, "bad-answer", "GitHub's answer is not what it has to be",
      "GitHub is asked again. Way out: check GITHUB_API_URL." },
    { JR_REASON_REFUSED, JR_CLASS_CALL, "refused", "GitHub refused",
      "The log has the words of GitHub." },
    { JR_REASON_MOVED, JR_CLASS_CALL, "moved", "GitHub redirects to another place",
      "A redirect to another host is not followed, nor a fourth one in a row. GitHub is asked "
      "again." },
    { JR_REASON_BAD_APP, JR_CLASS_CALL, "bad-app", "GitHub rejects what the App's key signs: GITHUB_APP_ID or the key is wrong",
      "Reruns that are due wait, and none is lost. Way out: GITHUB_APP_ID has to be that of the "
      "App, and the page of the App has to show the key." },
    { JR_REASON_NOT_INSTALLED, JR_CLASS_DENIAL, "not-installed", "the GitHub App is not installed for this repository",
      "GitHub is asked again for a quarter of an hour, as with not-found. Way out: install the "
      "App, with this repository among those chosen; then `job-rerunner rerun RUN`." },
    { JR_REASON_APP_SUSPENDED, JR_CLASS_CALL, "app-suspended", "the GitHub App's installation is suspended",
      "GitHub is asked again, and other installations go on. Way out: the owner of the "
      "installation ends the suspension." },
    { JR_REASON_NOT_GITHUB, JR_CLASS_OUTAGE, "not-github", "something on the way answered in GitHub's place: a proxy, an ingress, or GITHUB_API_URL lacks /api/v3",
      "It decides nothing. GitHub is asked again, and the log shows how the answer begins. Way "
      "out: look at the proxy (https_proxy), or at the load balancer of a GitHub Enterprise "
      "Server; `job-rerunner check --online` tries it." },
    { JR_REASON_SHUT_OUT, JR_CLASS_CALL, "shut-out", "GitHub shuts this program out of all that the owner has",
      "The cause is an IP allow list, SAML single sign-on, a policy for tokens, a suspended "
      "account, billing, or Actions that are switched off. Reruns that are due wait until "
      "GitHub lets the program in again. Way out: repair what the words of GitHub in the log "
      "name." },
    { JR_REASON_EVENT_NOT_WATCHED, JR_CLASS_REQUEST, "event-not-watched", "only workflow_job and workflow_run are looked at",
      "As the answer to a `ping` it means that the secret is right. For other events, way out: "
      "untick them in the webhook." },
    { JR_REASON_NOTHING_IN_IT, JR_CLASS_REQUEST, "nothing-in-it", "no workflow_job or workflow_run in it", "" },
    { JR_REASON_METHOD, JR_CLASS_REQUEST, "method", "only GET, HEAD and POST are answered", "" },
    { JR_REASON_LENGTH_MISSING, JR_CLASS_REQUEST, "length-missing", "the request has no Content-Length", "" },
    { JR_REASON_LENGTH_BAD, JR_CLASS_REQUEST, "length-bad", "the Content-Length is not a number", "" },
    { JR_REASON_BODY_TOO_LARGE, JR_CLASS_REQUEST, "body-too-large", "the body is larger than BODY_MAX",
      "Way out: raise BODY_MAX." },
    { JR_REASON_CONTENT_TYPE, JR_CLASS_REQUEST, "content-type", "the content type is neither application/json nor application/x-www-form-urlencoded",
      "Way out: choose application/json in the webhook." },
    { JR_REASON_SIGNATURE_MISSING, JR_CLASS_SIGNATURE, "signature-missing", "no X-Hub-Signature-256; set the webhook's secret", "" },
    { JR_REASON_SIGNATURE_MALFORMED, JR_CLASS_SIGNATURE, "signature-malformed", "X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits", "" },
    { JR_REASON_SIGNATURE_DOUBLED, JR_CLASS_SIGNATURE, "signature-doubled", "more than one X-Hub-Signature-256", "" },
    { JR_REASON_SIGNATURE_WRONG, JR_CLASS_SIGNATURE, "signature-wrong", "the signature is not made with GITHUB_SIGN_KEY",
      "Way out: enter the same secret at both ends. No proxy may change the body." },
    { JR_REASON_HEADER_DOUBLED, JR_CLASS_REQUEST, "header-doubled", "a header that may come once came twice",
      "It is X-GitHub-Event or X-GitHub-Delivery." },
    { JR_REASON_BODY_SHORT, JR_CLASS_REQUEST, "body-short", "the body is not as long as Content-Length says", "" },
    { JR_REASON_BAD_FORM, JR_CLASS_REQUEST, "bad-form", "the form does not hold one payload",
      "Way out: choose application/json in the webhook." },
    { JR_REASON_BAD_JSON, JR_CLASS_REQUEST, "bad-json", "the payload is not JSON", "" },
    { JR_REASON_BAD_SHAPE, JR_CLASS_REQUEST, "bad-shape", "the payload is not of the shape that GitHub sends",
      "The log names the member." },
    { JR_REASON_STORE_FULL, JR_CLASS_STORE, "store-full", "disk or map is full; nothing was recorded",
      "Way out: make room on the disk, or raise MAP_SIZE; then redeliver." },
    { JR_REASON_STORE_FAILED, JR_CLASS_STORE, "store-failed", "the store failed; nothing was recorded",
      "The log says why. Way out: repair it, then redeliver." },
    { JR_REASON_OUT_OF_MEMORY, JR_CLASS_STORE, "out-of-memory", "out of memory; nothing was recorded",
      "Way out: give the host more memory, then redeliver." },
    { JR_REASON_LEFT_BY_RULE, JR_CLASS_FINAL, "left-by-rule", "the policy leaves runs that failed for this cause",
      "Way out: `job-rerunner rerun RUN`, or another policy." },
    { JR_REASON_CAUSE_NOT_KNOWN, JR_CLASS_FINAL, "cause-not-known", "no signature tells why it failed, and the policy leaves such runs",
      "Way out: `job-rerunner rerun RUN`, or a signature in the policy." },
    { JR_REASON_NOT_WORTH_IT, JR_CLASS_FINAL, "not-worth-it", "too few of the last reruns of this job for this cause were worth it",
      "The rule's `only-if` says so." },
    { JR_REASON_SAME_FAILURE, JR_CLASS_FINAL, "same-failure", "an earlier attempt failed in the same step by the same error",
      "Way out: `same-failure: rerun` in the policy." },
    { JR_REASON_EVIDENCE_UNREADABLE, JR_CLASS_FINAL, "evidence-unreadable", "what might tell the cause could not be read",
      "Annotations need the permission Checks, logs the permission Actions." },
    { JR_REASON_PULL_REQUEST_CLOSED, JR_CLASS_FINAL, "pull-request-closed", "its pull request is closed or merged",
      "Nobody waits for it. The policy's guard `closed` says so." },
    { JR_REASON_DEPLOYMENT, JR_CLASS_FINAL, "deployment", "a job that would run again has an environment",
      "Way out: `job-rerunner rerun RUN`, or the policy's guard `deployments`." },
    { JR_REASON_MERGE_QUEUE, JR_CLASS_FINAL, "merge-queue", "its pull request has left the merge queue by now",
      "The policy's guard `merge-queue` says so." },
    { JR_REASON_CONCURRENCY_BUSY, JR_CLASS_HOLD, "concurrency-busy", "another run holds its concurrency group",
      "It waits until that is over, at most CATCH_UP. The policy's guard `concurrency` says so." },
    { JR_REASON_BUDGET_USED_UP, JR_CLASS_HOLD, "budget-used-up", "as much as the policy's limits allow is spent",
      "It waits for the next hour or day, at most CATCH_UP. One that costs more than a whole day "
      "allows is left at once. Way out: `limits` or `limits-all` in the policy, or `job-rerunner "
      "rerun RUN`." },
    { JR_REASON_OUTAGE_HOLD, JR_CLASS_HOLD, "outage-hold", "many runs fail for the same kind of cause, and reruns wait until that is over",
      "It waits, at most CATCH_UP, until a probe succeeds. The policy's `outage` says when reruns "
      "are held. Way out: `job-rerunner resume --outage`, or `job-rerunner rerun RUN`." },
    { JR_REASON_STOPPED, JR_CLASS_FINAL, "stopped", "reruns of its commit were stopped on its pull request",
      "It holds for all runs of that commit. Way out: `/rerun` there, or `job-rerunner rerun RUN`." },
    { JR_REASON_ASKED, JR_CLASS_WAIT, "asked", "a command is recorded, and GitHub is asked who may give it",
      "The answer is a reaction to the comment." },
    { JR_REASON_NOTHING_ASKED, JR_CLASS_REQUEST, "nothing-asked", "no command is in it, or none that counts",
      "Comments that are edited, a bot's, or older than a quarter of an hour do not count, nor "
      "does the same comment twice." },
    { JR_REASON_CLAIMED_ELSEWHERE, JR_CLASS_ASK, "claimed-elsewhere", "another host has it in hand",
      "It is looked at again, and taken over when that host does nothing for CLUSTER_TAKEOVER." },
    { JR_REASON_CLUSTER_UNREACHABLE, JR_CLASS_ASK, "cluster-unreachable", "etcd did not say that this host may ask for the rerun; nothing was sent",
      "Without it no host reruns anything, and what is due stays due. Way out: look at etcd and "
      "at CLUSTER_ETCD; `job-rerunner check --online` tries it." },
    { JR_REASON_CLAIM_LATE, JR_CLASS_ASK, "claim-late", "this host's right to the rerun was over before the request could be sent; nothing was sent",
      "The limit is 5 seconds. The host stood still, or etcd was slow. It is asked again." },
    { JR_REASON_DECIDED_ELSEWHERE, JR_CLASS_FINAL, "decided-elsewhere", "another host has decided that it is not to be rerun",
      "That host's history has the reason. Way out: `job-rerunner rerun RUN`." },
    { JR_REASON_RERUN_ELSEWHERE, JR_CLASS_RERUN, "rerun-elsewhere", "another host has asked for the rerun, and GitHub accepted it", "" },
};

static size_t row_of(enum jr_reason reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].reason == reason)
            return i;
    return 0;
}

enum jr_reason jr_reason_from(const char *token)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reasons[i].token, token) == 0)
            return reasons[i].reason;
    return JR_REASON_NONE;
}

const char *jr_reason_token(enum jr_reason reason)
{
    return reasons[row_of(reason)].token;
}

const char *jr_reason_words(enum jr_reason reason)
{
    return reasons[row_of(reason)].words;
}

enum jr_reason_class jr_reason_class(enum jr_reason reason)
{
    return reasons[row_of(reason)].class;
}

bool jr_reason_is_our_rerun(enum jr_reason reason)
{
    return reason == JR_REASON_RERUN_ACCEPTED || reason == JR_REASON_RERUN_WORKED
           || reason == JR_REASON_RERUN_ELSEWHERE;
}

const char *jr_reason_note(enum jr_reason reason)
{
    return reasons[row_of(reason)].note;
}

const char *jr_guard_kind_name(enum jr_guard_kind kind)
{
    static const char *const names[JR_GUARD_KINDS] = { "superseded",  "concurrency", "closed",
                                                       "deployments", "merge-queue", "events" };

    return names[kind];
}

const char *jr_guard_told_name(enum jr_guard_told told)
{
    static const char *const names[] = { "not asked", "free", "holds", "not told" };

    return names[told];
}
