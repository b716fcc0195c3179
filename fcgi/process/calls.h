/*
 * calls -- GitHub's API, as the dispatcher may call it.
 *
 * Keeps to the rate limits, stops while the token is rejected and for whoever shuts it
 * out, and goes step by step while calls fail (rule 7); remembers that over restarts, and
 * tells /healthz and the log. Whether there is a token or a GitHub App, only this file knows.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CALLS_H
#define JR_CALLS_H

#include "lib/base/timestamp.h"
#include "lib/config/settings.h"
#include "lib/github/app.h"
#include "lib/github/github.h"
#include "lib/github/outage.h"
#include "lib/github/shutout.h"
#include "lib/github/throttle.h"
#include "lib/model/run.h"
#include "lib/service/runtime.h"
#include "lib/store/store.h"

/* How old what GitHub has shown may be at most when a rerun is asked for: between the two
 * nobody else's rerun can have run and failed. What takes nearly so long to be shown is of
 * no use. */
#define JR_CALLS_FRESH_MS (5 * JR_SECOND_MS)
#define JR_CALLS_SLOW_MS (4 * JR_SECOND_MS)

/* What a call is named that was not made. */
#define JR_CALLS_UNASKED "no call"

struct jr_calls {
    struct jr_settings *settings; /* the token in it may be read anew */
    struct jr_store *store;
    struct jr_told *told;       /* what it shows to others; NULL: nobody looks */
    struct jr_http *http;       /* NULL without token and App: nothing is called */
    struct jr_app *app;         /* NULL: there is a token */
    int64_t asked_ms;           /* jr_boottime_ms() before the last GET of a run */
    int64_t skew_told_ms;       /* what the log was told of the clocks */
    struct jr_throttle throttle; /* of all calls; an App's installations have their own besides */
    struct jr_outage outage;
    struct jr_shutouts shutouts;
    uint64_t about;          /* the run, or workflow, that is asked about; 0: none */
    int64_t secret_look_ms;  /* monotonic: when the secret's file was last looked at */
    int64_t expiry_told_ms; /* when the log was last warned of the token's end */
};

/* JR_OK, or why there can be no calls. Without token and App it is open, but calls nothing. */
enum jr_err jr_calls_open(struct jr_calls *calls, struct jr_settings *settings,
                          struct jr_store *store, struct jr_told *told,
                          struct jr_error *error) JR_CHECKED;
void jr_calls_close(struct jr_calls *calls);

/*
 * How long no call at all may be made, in ms; 0: go ahead. Tries a rejected token again
 * when it is time to, or when its file has another one.
 */
int64_t jr_calls_wait_ms(struct jr_calls *calls);

/*
 * Once in a while, whether anything is due or not: while somebody shuts us out, see whether
 * there is another secret in its file, and forget whom nobody asks about any more.
 */
void jr_calls_tend(struct jr_calls *calls);

/*
 * How long until there is a call to spare for looking at a repository, in ms, within the
 * share of its own installation; 0: now, or it is not known yet where it belongs.
 *   repo   owner/name; empty: any; of an App, then 0
 *   calls  struct jr_calls, open for calls; of a type that jr_share_wait has
 */
int64_t jr_calls_share_wait_ms(void *calls, const char *repo);

/* Take a call of that share, after it was made: then it is known where the repository belongs. */
void jr_calls_share_take(struct jr_calls *calls, const char *repo);

/*
 * The calls of lib/github/github.h. Their answers are noted. jr_calls_rerun() is about the run that
 * was asked for last, and sends nothing when that is over JR_CALLS_FRESH_MS ago; an answer
 * that took over JR_CALLS_SLOW_MS is none. While one installation of an App is stopped, or an
 * owner shuts us out, calls about its repositories are LATER, unasked (what is
 * JR_CALLS_UNASKED); the others go on.
 */
void jr_calls_get_run(struct jr_calls *calls, const struct jr_run *run, struct jr_event *seen,
                      struct jr_call *call);
void jr_calls_get_workflow(struct jr_calls *calls, const char *repo, uint64_t workflow_id,
                           char name[JR_NAME_SIZE], struct jr_call *call);
void jr_calls_get_job_workflow(struct jr_calls *calls, const struct jr_run *run,
                               char name[JR_NAME_SIZE], struct jr_call *call);
void jr_calls_rerun(struct jr_calls *calls, const struct jr_run *run, bool all,
                    struct jr_call *call);
void jr_calls_list_runs(struct jr_calls *calls, const char *repo,
                        const struct jr_github_list *list, struct jr_event *runs, size_t *count,
                        size_t *shown, struct jr_call *call);

#endif
