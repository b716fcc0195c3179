/*
 * event -- what a webhook, or an answer of the API, says about a run or a job.
 *
 * Knows the JSON of GitHub and nothing of what follows from it. Every field is
 * a copy of bounded size: an event can be compared, stored and passed between
 * processes as it is.
 *
 * Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads ; only
 * ids, names and times that are used are read, and whatever GitHub may leave out
 * may be missing (older hosts send neither run_attempt nor head_branch).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_EVENT_H
#define JR_EVENT_H

#include "lib/base/error.h"
#include "lib/model/words.h"
#include "lib/model/labels.h"

#include "lib/model/steptext.h"
#include "lib/model/verb.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_REPO_SIZE 208  /* owner/name: at most 100 + 1 + 100 */
#define JR_LOGIN_SIZE 112 /* a user's or bot's login */
#define JR_NAME_SIZE 256  /* branch, workflow, job and runner names */
#define JR_WORD_SIZE 64   /* an action, or what triggered a run */
#define JR_SHA_SIZE 65    /* a commit's id: SHA-1, or SHA-256 */
#define JR_EVENT_PULLS 4  /* pull requests that are read of a run */

/* The head_repo of a run whose fork has been deleted: no name that a repository has. */
#define JR_REPO_DELETED "(deleted)"

enum jr_event_kind {
    JR_EVENT_JOB, /* workflow_job */
    JR_EVENT_RUN, /* workflow_run, or GET /repos/{o}/{r}/actions/runs/{id} */
    JR_EVENT_ASKING /* issue_comment or check_run: somebody asks for something (verb.h) */
};

struct jr_event {
    enum jr_event_kind kind;
    char action[JR_WORD_SIZE]; /* as sent; empty in an answer of the API */
    enum jr_status status;     /* of the job or the run */
    enum jr_conclusion conclusion;

    uint64_t run_id;
    uint32_t attempt; /* 0: not said */
    uint64_t repo_id; /* 0: not said */
    char repo[JR_REPO_SIZE];
    char branch[JR_NAME_SIZE]; /* empty: not said */
    char workflow[JR_NAME_SIZE]; /* the workflow's own name, never the run's; empty: not said */
    char sender[JR_LOGIN_SIZE];  /* who caused the event */

    /* of a job */
    uint64_t job_id;
    char job_name[JR_NAME_SIZE];
    char runner[JR_NAME_SIZE];
    char labels[JR_LABELS_SIZE]; /* sorted, "a,b", what does not fit left out; empty: none are told */
    char steps[JR_STEPTEXT_SIZE]; /* of a job that may have failed (steptext.h); empty: not told */
    char environment[JR_NAME_SIZE]; /* that it deploys to; empty: none is told */
    int64_t created_ms; /* of the job, or of the run's first attempt; 0: not said */
    int64_t started_ms; /* of the job, or of the run's attempt */
    int64_t completed_ms;

    /* of a run */
    int64_t updated_ms;
    char actor[JR_LOGIN_SIZE];
    char triggering_actor[JR_LOGIN_SIZE];
    char trigger[JR_WORD_SIZE];   /* push, pull_request, ... */
    char head_repo[JR_REPO_SIZE]; /* where the branch is; another than repo: a fork */
    uint64_t workflow_id;         /* 0: not said */
    char workflow_path[JR_NAME_SIZE]; /* ".github/workflows/ci.yml", without "@ref" */
    uint64_t run_number;              /* counts the runs of a workflow; 0: not said */
    char head_sha[JR_SHA_SIZE];       /* the commit; empty: not said */

    /* of an asking: run_id is that of a button's check run, attempt the one that it shows;
     * created_ms that of a comment */
    enum jr_verb verb;     /* NONE: nothing is asked that counts */
    uint64_t sender_id;    /* who asks: a login can be given to another */
    uint8_t insider;       /* 1: GitHub calls who comments owner, member or collaborator */
    uint64_t comment_id;   /* 0: it is a button */
    uint64_t pull_request; /* its number; of a comment */
    uint64_t app_id;       /* whose check run it is; of a button */
    char app_client_id[JR_WORD_SIZE];

    /* of an answer of the API alone; the history has neither */
    uint64_t pulls[JR_EVENT_PULLS]; /* numbers of the pull requests that it may be of */
    size_t pull_count; /* more than JR_EVENT_PULLS: others are not here */
};

/* What a payload holds. */
enum jr_payload {
    JR_PAYLOAD_EVENT,     /* an event to be recorded */
    JR_PAYLOAD_NOTHING,   /* null, or neither workflow_job nor workflow_run in it */
    JR_PAYLOAD_NOT_JSON,
    JR_PAYLOAD_BAD,       /* JSON, but not of the right shape */
    JR_PAYLOAD_NO_MEMORY
};

/* Is this X-GitHub-Event one that is looked at? */
bool jr_event_is_watched(const char *name);

/* Is it one by which somebody may ask for something (COMMANDS)? */
bool jr_event_is_asking(const char *name);

/*
 * Read a webhook's payload.
 *   name    the X-GitHub-Event; NULL: found by what the payload holds
 *   text    the payload, of length bytes and a NUL after them; spoilt afterwards
 *   event   out: whole only for JR_PAYLOAD_EVENT. Of an asking whose verb is NONE nothing else
 *           is: an edit, a comment on an issue, a bot's, one that was written by somebody else
 *           than who sends it, and most that people write
 *   error   out: for all that is neither EVENT nor NOTHING, what is wrong
 */
enum jr_payload jr_event_read(const char *name, char *text, size_t length,
                              struct jr_event *event, struct jr_error *error) JR_CHECKED;

/*
 * Read a run as GET /repos/{owner}/{repo}/actions/runs/{run_id} answers it. The name of
 * its workflow is not in it: `name` there is the run's own where the workflow has a
 * `run-name`, and only `path` and `workflow_id` are sure.
 * Returns JR_OK, or JR_EINVAL with the wrong member named.
 */
enum jr_err jr_event_decode_run(json_object *run, struct jr_event *event,
                                struct jr_error *error) JR_CHECKED;

#endif
