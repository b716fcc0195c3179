/*
 * github -- the calls of GitHub's REST API: a table, of what is asked, how its refusals are
 * sorted and what its successes hold.
 *
 * A new call is a row of the table in github.c, with its enum jr_api (lib/model/call.h) and
 * the function that reads its answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_GITHUB_H
#define JR_GITHUB_H

#include "lib/github/checkrun.h"
#include "lib/github/http.h"
#include "lib/model/call.h"
#include "lib/model/event.h"
#include "lib/model/evidence.h"
#include "lib/model/run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A page of a list of runs. */
struct jr_github_list {
    const char *conclusion; /* what the runs ended with */
    int64_t from_ms;        /* created at or after */
    int64_t until_ms;       /* created at or before; 0: no limit */
    unsigned page;          /* from 1 */
};

/* How many runs a page holds, and how many pages a list has at the most:
 * "up to 1,000 results for each search" with filters (docs, "List workflow runs"). */
#define JR_GITHUB_PAGE_RUNS 100
#define JR_GITHUB_PAGES 10

/* What a page holds. */
struct jr_github_page {
    size_t count; /* how many of runs are filled, newest first; what cannot be read is left out */
    size_t shown; /* how many runs the page held; fewer than a page: it was the last */
    struct jr_event *runs; /* in: JR_GITHUB_PAGE_RUNS entries of the caller's */
};

/* Whose the token is. */
struct jr_github_user {
    char login[JR_LOGIN_SIZE];
    bool classic;     /* a classic token, which has scopes; else GitHub does not tell what it may do */
    char scopes[256];
};

/* A repository, and what the token's user may do in it. */
struct jr_github_repo {
    char name[JR_REPO_SIZE]; /* as it is called now */
    bool archived;
    bool told;  /* GitHub says what the user may do */
    bool write; /* its user has write permission */
};

/* What a workflow or an App is called, as people see it; empty unless DONE. */
struct jr_github_name {
    char text[JR_NAME_SIZE];
};

/* What an App is called: by people, and in addresses and logins ("slug[bot]"). */
struct jr_github_app {
    char text[JR_NAME_SIZE];
    char slug[JR_LOGIN_SIZE];
    bool told;     /* GitHub says of which events it is told */
    bool comments; /* "issue_comment" is one of them, */
    bool checks;   /* and "check_run" */
};

/* What was looked for in a list (struct jr_ours). */
struct jr_github_found {
    uint64_t id;  /* 0: it is not on this page */
    size_t shown; /* how many the page held; fewer than JR_GITHUB_PAGE_FOUND: it was the last */
};

#define JR_GITHUB_PAGE_FOUND 100

/* What a token of an installation may do besides, as its owner has accepted: read, or write. */
enum {
    JR_GRANT_CHECKS = 1,
    JR_GRANT_PULLS = 2,   /* pull requests */
    JR_GRANT_CONTENTS = 4, /* the repository's files */
    JR_GRANT_WRITE_CHECKS = 8,
    JR_GRANT_WRITE_PULLS = 16
};

/* All that is read, and that is written. */
#define JR_GRANTS_ALL (JR_GRANT_CHECKS | JR_GRANT_PULLS | JR_GRANT_CONTENTS)
#define JR_GRANTS_WRITE (JR_GRANT_WRITE_CHECKS | JR_GRANT_WRITE_PULLS)

/* A token of an installation, which may do no more than write to Actions and that. */
struct jr_github_token {
    char *token;        /* NULL unless DONE; of any length; owned by who asked, to be wiped */
    int64_t expires_ms; /* when it ends, by GitHub's clock; 0: not told */
    unsigned grants;    /* what GitHub says that it may do besides: JR_GRANT_* */
};

/* How many jobs a page holds. */
#define JR_GITHUB_PAGE_JOBS 100

/* The jobs of a page that went wrong. */
struct jr_github_jobs {
    size_t shown; /* how many jobs the page held; fewer than JR_GITHUB_PAGE_JOBS: it was the last */
    size_t unfinished; /* how many of them have not ended, as it is shown */
    size_t count; /* how many of them have ended, and did so badly (jr_conclusion_is_bad()) */
    struct jr_evidence *jobs; /* those, in GitHub's order, each with its steps and its runner;
                                 NULL: none. Owned by who asked: jr_github_jobs_release() */
};

/* Free what it holds; it is all zero then. */
void jr_github_jobs_release(struct jr_github_jobs *jobs);

/* What a job was annotated with: only `annotations' and what belongs to them are filled. */
struct jr_github_annotations {
    struct jr_evidence evidence; /* owned by who asked: jr_evidence_release() */
};

/* Where a job's log is, or the log itself, where GitHub shows it at once. */
struct jr_github_log {
    char link[JR_LINK_SIZE]; /* a whole address, good for a minute at least; empty: see text. It is
                                a secret as long as it is good */
    char *text;    /* NULL: see link. Owned by who asked, to be freed; may hold any bytes */
    size_t length; /* of the text, as much as was asked for */
    bool cut;      /* what stood before is not in it */
};

/* How many runs of a line are looked at. */
#define JR_GITHUB_LINE_RUNS 10

/* The newest runs of a workflow, on a branch and for an event. */
struct jr_github_line {
    size_t count; /* of runs, newest first; what cannot be read is left out */
    struct jr_event runs[JR_GITHUB_LINE_RUNS];
};

/* The concurrency groups that a run is in. One whose name has no room here, or could be no part
 * of an address, is left out. */
#define JR_GITHUB_GROUPS 8
#define JR_GITHUB_GROUP_SIZE 512
struct jr_github_groups {
    size_t count;
    bool more; /* some were left out */
    char names[JR_GITHUB_GROUPS][JR_GITHUB_GROUP_SIZE];
};

struct jr_github_group {
    bool held; /* another run than the question's holds it, or waits for it */
};

struct jr_github_pull {
    size_t found; /* of FIND_PULL: how many pull requests are of that branch and commit */
    bool closed;  /* the last of them is closed, or merged */
    char sha[JR_SHA_SIZE]; /* of GET_PULL: its newest commit; empty: not told */
};

/* The newest commit of the default branch that has changed a file; empty: none has. */
struct jr_github_commit {
    char sha[JR_SHA_SIZE];
};

/* What somebody may do in a repository. */
struct jr_github_permission {
    bool writes;      /* write, maintain or admin */
    uint64_t user_id; /* whose it is; 0: not told */
};

/* A file of a repository may have so many bytes. */
#define JR_GITHUB_FILE_MAX ((size_t)256 * 1024)
struct jr_github_file {
    char *text; /* owned by who asked, to be freed; any bytes; NULL unless DONE, and while it is
                   unchanged */
    size_t length;
    bool unchanged;          /* it still is what the question's etag is of */
    char etag[JR_ETAG_SIZE]; /* of this version; empty: not told */
};

/*
 * A question. What a success holds goes into `holds', which is zero at first and whole only
 * when the outcome is DONE; it stays the caller's:
 *
 *   GET_RUN                struct jr_event: the run's newest attempt. repo, id: the run
 *   RERUN_FAILED, _ALL     NULL. repo, id: the run; before_ms, permit, debug
 *   LIST_RUNS              struct jr_github_page. repo, list
 *   RATE_LIMIT             NULL. Free of charge, shows whether the token is good
 *   GET_APP                struct jr_github_app. Free of charge, shows whether the JWT is good
 *   GET_INSTALLATION       uint64_t: what a repository belongs to; 0 unless DONE. repo
 *   MAKE_TOKEN             struct jr_github_token. id: the installation; grants. NEVER,
 *                          NO_PERMISSION: its owner has not accepted what is asked for
 *   GET_WORKFLOW           struct jr_github_name. repo, id: the workflow. NEVER: it has none
 *   GET_JOBS               struct jr_github_name: what the workflow is called by a run's first
 *                          job, where GitHub does not show the workflow itself, which may be
 *                          deleted, or another repository's. repo, id: the run. NEVER: no job
 *                          tells
 *   GET_ATTEMPT_JOBS       struct jr_github_jobs. repo, id: the run; attempt, page
 *   GET_ANNOTATIONS        struct jr_github_annotations. repo, id: the job, which is its check
 *                          run. No fine-grained token may read them: NEVER, NO_PERMISSION
 *   GET_LOG                struct jr_github_log. repo, id: the job; tail_bytes. GitHub answers
 *                          with a link to another host, which is not followed here: the token
 *                          is none of that host's business (lib/github/loghost.h). NEVER with
 *                          status 404: it was never stored; 410: it is no longer kept
 *   LIST_LINE              struct jr_github_line: the newest runs of a run's workflow, branch and
 *                          event. repo, id: the workflow; run: its branch and trigger
 *   GET_GROUPS             struct jr_github_groups. repo, id: the run. NEVER, status 404: the host
 *                          has no such call
 *   GET_GROUP              struct jr_github_group; also when nobody is in it, which GitHub answers
 *                          with 404. repo, name: the group; id: the run that asks
 *   GET_PULL               struct jr_github_pull. repo, id: its number
 *   FIND_PULL              struct jr_github_pull: of the branch and commit of a run. repo; run: its
 *                          branch, head_sha and head_repo
 *   GET_FILE               struct jr_github_file. repo; name: its path; run: of whose commit it is;
 *                          NULL: the newest of the default branch; etag. NEVER, status 404: there is
 *                          none; with BAD_ANSWER: what is there is no file that can be read
 *   LIST_CHECKS            struct jr_github_found. repo; sha, name: of the check run; ours, page
 *   MAKE_CHECK             uint64_t: its id. repo; json. UNKNOWN: it may be there
 *   SET_CHECK              NULL. repo, id: the check run; json
 *   LIST_COMMENTS          struct jr_github_found. repo, id: the pull request; ours, page
 *   MAKE_COMMENT           uint64_t: its id. repo, id: the pull request; json. UNKNOWN: likewise
 *   SET_COMMENT            NULL. repo, id: the comment; json
 *   GET_PERMISSION         struct jr_github_permission. repo, name: a login. NEVER, status 404:
 *                          he is no collaborator
 *   LIST_COMMIT            struct jr_github_page: the newest runs of a commit. repo, sha
 *   REACT                  NULL. repo, id: the comment; json. One that is there already is as
 *                          good as a new one
 *   GET_USER               struct jr_github_user: whose the token is
 *   FIND_COMMIT            struct jr_github_commit: which commit of the default branch has changed a
 *                          file last. repo, name: its path
 *   GET_REPO               struct jr_github_repo. repo
 */
struct jr_ask {
    enum jr_api api;
    const char *repo; /* owner/name, checked with jr_text_is_full_name() */
    uint64_t id;
    const struct jr_github_list *list;
    const struct jr_run *run;
    const char *name;
    const char *etag;  /* of the version that is known; NULL or empty: none is */
    int64_t before_ms; /* as in struct jr_http_request: later nothing is sent, and the call is
                          LATER, OUTDATED; 0: no limit */
    jr_http_permit *permit; /* likewise: without it nothing is sent, and the call is LATER with
                          its reason; NULL: it needs none */
    void *permits;     /* what that is called with */
    unsigned attempt;  /* of a run, from 1 */
    unsigned page;     /* of its jobs, from 1 */
    size_t tail_bytes; /* of a log that comes at once: no more than its end; 0: all of it, up to
                          JR_HTTP_BODY_MAX */
    bool debug;        /* the new attempt writes GitHub's debug log */
    unsigned grants;   /* what the token is to do besides: JR_GRANT_* */
    const char *sha;   /* of a commit, in hexadecimal */
    const struct jr_ours *ours;
    const char *json;  /* the body; it stays the caller's until the end */
    void *holds;
};

/* The words for a call: static. */
const char *jr_github_what(enum jr_api api);
/* What it is called in /metrics; NULL: only the tool makes it. */
const char *jr_github_counted(enum jr_api api);
/* Which permission of a token it needs, in GitHub's words; NULL: none, or one of an App's own. */
const char *jr_github_permission(enum jr_api api);
/* Does it ask for a rerun? */
bool jr_github_is_write(enum jr_api api);
/*
 * Is it one whose failure is normal, so that it says nothing of any other call? That makes no
 * outage (lib/github/outage.h), ends no shut-out, and no App looks up once more where the
 * repository belongs. Rate limits, a rejected token and a shut-out count as they do for any.
 */
bool jr_github_is_optional(enum jr_api api);
/* Is it one that a GitHub App makes as itself, with a JWT (lib/crypto/jwt.h) as the token? */
bool jr_github_is_as_app(enum jr_api api);

/* Room for any address: each byte of a name may become three. */
#define JR_GITHUB_URL_SIZE 3072

/* A call under way; all zero: there is none. For this file only. */
struct jr_exchange {
    struct jr_http *http;
    const char *api_url;
    const struct jr_ask *ask;
    char *token;
    char url[JR_GITHUB_URL_SIZE];
    struct jr_transfer *transfer;
    char wish[128]; /* the body of the call for a token */
    int hops;
    int64_t begun_us, duration_us;
};

/*
 * Begin a call. It follows redirects (renamed repositories) by hand: at most three, and
 * only to the same scheme, host and port, since the token goes along.
 *   exchange  out: to be released
 *   api_url   base, without a slash at the end
 *   token     NULL: none; it is copied
 * api_url and ask stay the caller's until the release.
 */
void jr_github_begin(struct jr_exchange *exchange, struct jr_http *http, const char *api_url,
                     const char *token, const struct jr_ask *ask);

/*
 * To be called after jr_http_work(). Returns whether the call has ended; then `call' says how,
 * and the question holds its answer.
 */
bool jr_github_take(struct jr_exchange *exchange, int64_t now_ms, struct jr_call *call);

/* Release it; under way, it is broken off. One that is all zero: nothing. */
void jr_github_release(struct jr_exchange *exchange);

/* Make a call and wait for its end: for who does nothing else meanwhile. */
void jr_github_ask(struct jr_http *http, const char *api_url, const char *token,
                   const struct jr_ask *ask, struct jr_call *call);

/*
 * Where people see what the API shows: https://github.com for
 * https://api.github.com, https://HOST for https://HOST/api/v3, https://SUB.ghe.com
 * for https://api.SUB.ghe.com; else the base itself. Pure.
 *   url  out: without a slash at the end; empty when it does not fit
 */
void jr_github_web_url(const char *api_url, char *url, size_t size);

/*
 * The page of a run there; empty when the repository is no owner/name or it does
 * not fit. Returns whether there is one.
 */
#define JR_URL_SIZE 900
bool jr_github_run_url(const char *api_url, const char *repo, uint64_t run_id,
                       char url[JR_URL_SIZE]);

/* The same of a job of it, with its log; false also when the job is not known (0). */
bool jr_github_job_url(const char *api_url, const char *repo, uint64_t run_id, uint64_t job_id,
                       char url[JR_URL_SIZE]);

#endif
