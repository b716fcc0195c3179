/*
 * statusview -- what is said of a service: is it alive, and what is it doing? The same by the
 * tool and by the pages. job-rerunner(8) documents the keys.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_STATUSVIEW_H
#define JR_STATUSVIEW_H

#include "fcgi/view/access.h"
#include "fcgi/view/health.h"
#include "lib/base/error.h"
#include "lib/config/settings.h"
#include "lib/format/emit.h"
#include "lib/github/shutout.h"
#include "lib/rules/policy.h"
#include "lib/service/halt.h"
#include "lib/service/sight.h"
#include "lib/steps/holding.h"
#include "lib/cluster/engine.h"
#include "lib/steps/spending.h"
#include "lib/store/flaky.h"
#include "lib/store/host.h"
#include "lib/store/listing.h"
#include "lib/store/notices.h"
#include "lib/store/pause.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* No more runners are named. */
#define JR_STATUSVIEW_RUNNERS 10

/* All that is shown, gathered before anything is written. */
struct jr_statusview {
    /* filled in by the caller */
    int64_t now_ms;
    const char *state_dir;
    const struct jr_pauses *pauses; /* in force */
    bool running, answers;
    pid_t master_pid, dispatcher_pid; /* 0: there is none, or it is not known */
    struct jr_sight sight;            /* all 0 if there is no answer */
    bool dispatcher_at_work;
    enum jr_access_state access;
    bool app;                     /* a GitHub App, in place of a token */
    bool settings_known, dry_run; /* of the running service */
    /* GitHub, as it said last; 0: not said */
    int64_t rate_limited_until_ms, token_rejected_ms, token_taken_ms, token_expires_ms;

    /* of several hosts; only who may ask etcd knows more than `sight' */
    const struct jr_engine_sight *hosts; /* NULL: etcd was not asked, or has not answered */
    const char *etcd_text;              /* why not; NULL: it was not asked, or has answered */

    /* by jr_statusview_read() */
    bool clusters; /* there are several hosts, by the settings */
    char host[JR_CLAIM_NAME_SIZE], host_id[JR_HOST_ID_SIZE]; /* id empty: there is none yet */
    struct jr_listing_counts counts;
    unsigned reports; /* that wait to be written at GitHub */
    uint64_t used_bytes, map_bytes;
    struct jr_waiting waiting;
    struct jr_halt halt;
    struct jr_notices_sum notices;
    struct jr_shutouts shutouts; /* owned */
    struct jr_holdings holdings;
    bool spending_known;
    struct jr_spending_view spending;
    struct jr_flaky runners[JR_STATUSVIEW_RUNNERS]; /* that stand out, the worst first */
    size_t runner_count;

    /* by jr_statusview_judge() */
    const struct jr_ailment *ailments[JR_AILMENTS_MAX];
    size_t ailment_count;
    bool healthy;
};

/*
 * Read what the store tells, in short transactions. Of what GitHub said last it fills in the
 * rate limit, and, where no service answers, what it said of the token.
 *   policy  in force, for its limits; NULL: it is not known
 * Returns JR_OK or what failed; jr_statusview_release() in any case.
 */
enum jr_err jr_statusview_read(struct jr_statusview *view, struct jr_store *store,
                               const struct jr_settings *settings, const struct jr_policy *policy,
                               struct jr_error *error) JR_CHECKED;
void jr_statusview_release(struct jr_statusview *view);

/* Find what is wrong. in_service: see jr_health_look() */
void jr_statusview_judge(struct jr_statusview *view, const struct jr_settings *settings,
                         bool in_service);

/* How the dispatcher stands to the other hosts, in a word: "up"; static. */
const char *jr_statusview_cluster(const struct jr_statusview *view);

/* How often a process was started in the place of another. */
int64_t jr_statusview_restarts(const struct jr_statusview *view);

/* Write all of it as an object, the outermost value. */
void jr_statusview_emit(struct jr_emit *emit, const struct jr_statusview *view);

#endif
