/*
 * bounds -- the bounds in force: what the rules know of the settings, and which runs it
 * leaves alone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_BOUNDS_H
#define JR_BOUNDS_H

#include "lib/base/text.h"
#include "lib/model/run.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stdint.h>

/* No secrets, and nothing that no rule asks for. The lists belong to whoever made it. */
struct jr_bounds {
    /* which runs are rerun */
    int64_t run_attempts; /* attempts of one run, the first included */
    struct jr_list no_retry_list;
    struct jr_list repo_branches; /* empty: all */
    struct jr_list repos;         /* empty: all */
    struct jr_list no_retry_repos;
    struct jr_list no_retry_workflows;
    unsigned retry_conclusions; /* bit 1 << enum jr_conclusion */
    bool rerun_superseded;      /* false: leave a run that a newer one stands in the place of */
    bool dry_run;
    bool judges;           /* a run is rerun only after a policy has judged why it failed */
    bool judges_cancelled; /* one that was cancelled may be rerun then, too */
    bool judges_workflows; /* the policy asks for the names of workflows */
    bool reports;          /* no rule asks for it: it is said at GitHub what becomes of runs */
    bool traces;           /* likewise: there are other hosts, which may have had a run rerun */

    /* when */
    int64_t rerun_delay_ms;
    int64_t api_backoff_min_ms;
    int64_t api_backoff_max_ms;
    int64_t reconcile_interval_ms; /* 0: never */
    int64_t catch_up_ms;
    int64_t patience_ms; /* rule 7 */

    /* who is told */
    unsigned notify_on; /* bit 1 << enum jr_notice_kind; 0: nobody is */
    struct jr_list notify_branches;
};

/* Does a run that ended so deserve a rerun? */
bool jr_bounds_retries(const struct jr_bounds *bounds, enum jr_conclusion conclusion);

/* The same, or may a policy find that it does: a cancelled one that nobody has cancelled? */
bool jr_bounds_looks_at(const struct jr_bounds *bounds, enum jr_conclusion conclusion);

/* Are a repository's runs rerun at all? */
bool jr_bounds_covers(const struct jr_bounds *bounds, const char *repo);

/* Would this login keep a run from being rerun? */
bool jr_bounds_excludes_login(const struct jr_bounds *bounds, const char *login);

/*
 * The setting that leaves an attempt of the run alone, judged by what is known by now; NONE
 * if none does, and of one that was asked for by hand. For one that was asked for by a command
 * neither RUN_ATTEMPTS nor REPO_BRANCHES counts: those say what is rerun by itself.
 */
enum jr_reason jr_bounds_filter(const struct jr_bounds *bounds, const struct jr_run *run,
                                uint32_t attempt);

/*
 * The same of the newest attempt, once all is known that will be known: where GitHub names
 * no actor, the sender of the attempt's first event stands for him.
 */
enum jr_reason jr_bounds_filter_known(const struct jr_bounds *bounds, const struct jr_run *run);

#endif
