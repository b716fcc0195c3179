/*
 * github -- the calls of GitHub's REST API, and what its answers mean.
 *
 * Source: https://docs.github.com/en/rest/actions/workflow-runs ; refusals and
 * rate limits: doc/github.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_GITHUB_H
#define JR_GITHUB_H

#include "lib/github/http.h"
#include "lib/model/call.h"
#include "lib/model/event.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * All calls follow redirects (renamed repositories) by hand: at most three, and
 * only to the same scheme, host and port, since the token goes along.
 */

/*
 * Ask for a run: its newest attempt.
 *   api_url  base, without a slash at the end
 *   repo     owner/name, checked with jr_text_is_full_name()
 *   seen     out: whole only when call->outcome is DONE
 */
void jr_github_get_run(struct jr_http *http, const char *api_url, const char *repo,
                       uint64_t run_id, int64_t now_ms, struct jr_event *seen,
                       struct jr_call *call);

/*
 * Ask what a workflow is called: the answers about runs do not tell.
 *   name  out: empty unless DONE; where it is not in the answer, that is NEVER
 * Source: https://docs.github.com/en/rest/actions/workflows#get-a-workflow
 */
void jr_github_get_workflow(struct jr_http *http, const char *api_url, const char *repo,
                            uint64_t workflow_id, int64_t now_ms, char name[JR_NAME_SIZE],
                            struct jr_call *call);

/*
 * Ask a run's first job what its workflow is called: where GitHub does not show the workflow
 * itself, which may be deleted, or another repository's.
 *   name  out: empty unless DONE; where no job tells it, that is NEVER
 * Source: https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run
 */
void jr_github_get_job_workflow(struct jr_http *http, const char *api_url, const char *repo,
                                uint64_t run_id, int64_t now_ms, char name[JR_NAME_SIZE],
                                struct jr_call *call);

/*
 * Ask for a rerun of the failed jobs, or (all) of the whole run.
 *   before_ms  as for jr_http_post(): later nothing is sent, and the call is LATER,
 *              OUTDATED
 */
void jr_github_rerun(struct jr_http *http, const char *api_url, const char *repo,
                     uint64_t run_id, bool all, int64_t before_ms, int64_t now_ms,
                     struct jr_call *call);

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

/*
 * Ask for a page of a repository's runs, newest first.
 *   runs   out: JR_GITHUB_PAGE_RUNS entries of the caller's
 *   count  out: how many of them are filled; what cannot be read is left out
 *   shown  out: how many runs the page held; fewer than a page: it was the last
 */
void jr_github_list_runs(struct jr_http *http, const char *api_url, const char *repo,
                         const struct jr_github_list *list, int64_t now_ms, struct jr_event *runs,
                         size_t *count, size_t *shown, struct jr_call *call);

/* Ask for the rate limit: free of charge, shows whether the token is good. */
void jr_github_probe(struct jr_http *http, const char *api_url, int64_t now_ms,
                     struct jr_call *call);

/* Whose the token is. */
struct jr_github_user {
    char login[JR_LOGIN_SIZE];
    bool classic;     /* a classic token, which has scopes; else GitHub does not tell what it may do */
    char scopes[256];
};

/* Ask who the user of the token is; user is whole only when call->outcome is DONE. */
void jr_github_get_user(struct jr_http *http, const char *api_url, int64_t now_ms,
                        struct jr_github_user *user, struct jr_call *call);

/* A repository, and what the token's user may do in it. */
struct jr_github_repo {
    char name[JR_REPO_SIZE]; /* as it is called now */
    bool archived;
    bool told;  /* GitHub says what the user may do */
    bool write; /* its user has write permission */
};

/* Ask about a repository; seen is whole only when call->outcome is DONE. */
void jr_github_get_repo(struct jr_http *http, const char *api_url, const char *repo,
                        int64_t now_ms, struct jr_github_repo *seen, struct jr_call *call);

/*
 * The three calls that a GitHub App makes as itself: the client's token is then a JWT
 * (lib/crypto/jwt.h). Who uses them: lib/github/app.h.
 * Source: https://docs.github.com/en/rest/apps/apps
 */

/* Ask who the App is: free of charge, shows whether the JWT is good. name: as people see it. */
void jr_github_get_app(struct jr_http *http, const char *api_url, int64_t now_ms, char *name,
                       size_t size, struct jr_call *call);

/* Ask for the installation that a repository belongs to. id: 0 unless DONE. */
void jr_github_get_installation(struct jr_http *http, const char *api_url, const char *repo,
                                int64_t now_ms, uint64_t *id, struct jr_call *call);

/*
 * Ask for a token of an installation, which may do no more than write to Actions.
 *   token       out: NULL unless DONE; of any length; owned by the caller, to be wiped
 *   expires_ms  out: when it ends, by GitHub's clock; 0: not told
 */
void jr_github_make_token(struct jr_http *http, const char *api_url, uint64_t installation,
                          int64_t now_ms, char **token, int64_t *expires_ms,
                          struct jr_call *call);

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

/*
 * Sort an answer. Pure; for the functions above and for tests.
 *   posted  it answers a POST
 *   call    in: what; out: the rest
 */
void jr_github_sort(const struct jr_http_answer *answer, bool posted, int64_t now_ms,
                    struct jr_call *call);

#endif
