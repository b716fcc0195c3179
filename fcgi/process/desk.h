/*
 * desk -- what the dispatcher's parts share: the store, the way to GitHub, what is paused, and
 * how the dispatcher waits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_DESK_H
#define JR_DESK_H

#include "fcgi/process/calls.h"
#include "fcgi/process/cluster.h"
#include "lib/config/settings.h"
#include "lib/github/loghost.h"
#include "lib/rules/input.h"
#include "lib/service/matcher.h"
#include "lib/service/runtime.h"
#include "lib/steps/judging.h"
#include "lib/steps/rerun.h"
#include "lib/store/ownpolicy.h"
#include "lib/store/pause.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* After a failure of the store. */
#define JR_DESK_STORE_WAIT_MS JR_SECOND_MS

struct jr_desk {
    struct jr_settings *settings;
    struct jr_runtime *runtime; /* NULL for plain CGI */
    struct jr_told *told;       /* what we tell in it; NULL without it */
    struct jr_process *process; /* our block of that, once the lock is ours; NULL without it */
    struct jr_store *store;
    struct jr_calls calls;
    struct jr_cluster cluster; /* the other hosts, if there are any */
    struct jr_loghost *loghost; /* NULL: logs are not read */
    struct jr_http *receiver;   /* of notices; NULL: nobody is told */
    struct jr_matcher *matcher; /* NULL: it is not looked for why runs fail */
    int lock_fd, wake_fd;
    struct jr_pauses pauses; /* what was paused when that was last looked at */
    int64_t paused_ms;       /* since when all of it is; 0: it is not */
    struct jr_rerun_walk walk; /* past what is held up, or in hand */
    int64_t unsure_ms;       /* when a POST begun before may have been cut off */
    bool failing;            /* the last commit failed */
    bool broken;             /* the store can no longer be used */
};

/* Whoever has the lock, the master wants to see that its own dispatcher goes on. */
void jr_desk_beat(const struct jr_desk *desk);

/*
 * Wait for a time or less: until a question is over, a log comes, a job is judged, a worker
 * wakes us, or it is time to stop. What GitHub sends meanwhile is taken.
 */
void jr_desk_rest(struct jr_desk *desk, int64_t wait_ms);

/* The same for the whole time, whoever wakes or stops, but for a question that is over. */
void jr_desk_rest_deaf(struct jr_desk *desk, int64_t wait_ms);

/* Wait for the whole time; ends early only to stop. */
void jr_desk_pause(struct jr_desk *desk, int64_t wait_ms);

/* A transaction has failed, or was about a run that somebody made the service forget. */
void jr_desk_store_failed(struct jr_desk *desk, enum jr_err err, const struct jr_error *error);

/* May nothing be recorded, as far as this process or another has seen? */
bool jr_desk_commits_fail(const struct jr_desk *desk);

/* Count what has been recorded about a run's reruns: accepted, or that one rescued it. */
void jr_desk_count_rerun(const struct jr_desk *desk, const struct jr_verdict *verdict);

/* The same, and the verdict itself. */
void jr_desk_count(const struct jr_desk *desk, const struct jr_verdict *verdict);

/* Count what was found out about the failed jobs of an attempt, once that has been judged. */
void jr_desk_count_findings(const struct jr_desk *desk, const struct jr_judging *findings);

/* Count what GitHub has told of a repository's policy file. */
void jr_desk_count_ownfile(const struct jr_desk *desk, enum jr_ownpolicy_state state,
                           bool unchanged);

/* Look at what is paused by now; notes it for /healthz. False: all work has to wait. */
bool jr_desk_look_at_pauses(struct jr_desk *desk);

/* Is the work on a run paused by now? */
bool jr_desk_is_paused(struct jr_desk *desk, const struct jr_run *run);

/* How long runs of a repository wait for the end of a pause (jr_share_wait). */
int64_t jr_desk_pause_wait_ms(void *desk, const char *repo);

/* How long a repository may not be looked at for missed work (jr_share_wait). */
int64_t jr_desk_look_wait_ms(void *desk, const char *repo);

#endif
