/*
 * errand -- the runs that the dispatcher has in hand: each is asked about, judged, rerun if it
 * is to be, and recorded.
 *
 * An errand stands at one of its steps, and each step ends with what GitHub answers or with a
 * transaction; so several runs are in hand at once, and one whose question hangs holds up no
 * other. Questions overlap, up to API_READS of them. Reruns are asked for one by one, at
 * API_WRITE_INTERVAL, in the order in which the runs were taken up, which is that in which they
 * were due. While JR_ERRANDS_WAITING whose answer asks for a rerun wait for that, no more are
 * asked about, so that what GitHub has shown is still fresh; one that has waited too long is
 * asked about anew.
 *
 * Nothing of an errand is stored but what its steps record: after a crash the run's entry is
 * due, and the next process takes it up from the beginning.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ERRAND_H
#define JR_ERRAND_H

#include "fcgi/process/calls.h"
#include "fcgi/process/desk.h"
#include "fcgi/process/guardcalls.h"
#include "fcgi/process/inquiry.h"
#include "fcgi/process/ownfiles.h"
#include "fcgi/process/workflows.h"
#include "lib/github/github.h"
#include "lib/model/call.h"
#include "lib/model/event.h"
#include "lib/model/run.h"
#include "lib/rules/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many may wait to be rerun before no more are asked about. */
#define JR_ERRANDS_WAITING 3

/* How many there are at most: those that are asked about (API_READS), that wait, and one that is
 * rerun. */
#define JR_ERRANDS_MAX (16 + JR_ERRANDS_WAITING + 1)

/*
 * While a POST hangs, questions go on; of those runs that turn out to need a POST as well, so
 * many are laid aside and not asked about again until it has ended.
 */
#define JR_ERRANDS_ASIDE 256

enum jr_errand_step {
    JR_ERRAND_NONE,      /* the place is free */
    JR_ERRAND_CLAIM,     /* of several hosts, one is to have it in hand */
    JR_ERRAND_NAME_WAITS, /* another errand asks for the name of its workflow */
    JR_ERRAND_NAME,      /* GitHub is asked what its workflow is called, */
    JR_ERRAND_JOB_NAME,  /* or what a job says of that, */
    JR_ERRAND_RUN,       /* and for the run */
    JR_ERRAND_OWN_WAITS, /* another errand asks for the policy file of its repository */
    JR_ERRAND_OWN,       /* GitHub is asked for that */
    JR_ERRAND_INQUIRY,   /* it is found out why it failed */
    JR_ERRAND_GUARDS,    /* GitHub is asked for the guards of the policy */
    JR_ERRAND_WAITS,     /* it asks for a rerun, and waits for its turn */
    JR_ERRAND_POST       /* the intent is on disk, and the rerun is asked for */
};

struct jr_errand {
    enum jr_errand_step step;
    uint64_t number;   /* errands are numbered as they are taken up */
    bool is_quiet;     /* it is not due: nothing was heard of it (rule 8) */
    int64_t begun_ms;  /* monotonic: when it was last asked about */
    int64_t asked_ms;  /* jr_boottime_ms() before the question about the run */
    struct jr_run run;
    struct jr_question question;
    struct jr_event seen;       /* what GitHub has shown of the run */
    struct jr_github_name name; /* of its workflow */
    struct jr_call naming;      /* what came of asking for that */
    uint64_t workflow_id;       /* whose name is asked for */
    bool was_named;             /* it is the second time */
    struct jr_call call;        /* what came of asking */
    struct jr_verdict verdict;
    uint64_t scope;             /* whose policy file counts; 0: it is not asked for */
    int64_t own_ms;             /* monotonic: since when GitHub is asked for it */
    char etag[JR_ETAG_SIZE];    /* of the version that is known */
    struct jr_github_file file; /* what that question holds */
    struct jr_ownfile *own;     /* the version that counts; NULL: there is none */
    struct jr_inquiry *inquiry; /* NULL: there is none */
    struct jr_guardcalls *guards; /* likewise */
    struct jr_guard_news news;    /* what these were told, and */
    int64_t news_ms;              /* when, monotonic; 0: they were not asked */
    struct jr_engine_cost cost;   /* of its rerun, where there are limits, too */
    struct jr_claimant claimant;  /* where there are several hosts */
    bool is_claimed;              /* at CLAIM: it is ours, and waits for room to ask */
    uint32_t shown_attempt;       /* GitHub shows that it is this one; 0: the run's */
    bool is_held;                 /* they are not, since it waits for something else */
};

struct jr_errands {
    struct jr_desk *desk;
    struct jr_workflows workflows;
    struct jr_ownfiles ownfiles;
    struct jr_inquirer inquirer;
    struct jr_errand items[JR_ERRANDS_MAX];
    size_t count;
    uint64_t numbers;
    int64_t last_post_ms;  /* when the last POST was begun, as the store has it, */
    int64_t write_due_ms;  /* and when the next may be; monotonic */
    int64_t post_begun_ms; /* monotonic, of the errand that is at POST */
    int64_t post_ms;       /* how long the last one took, 2 s at most */
    uint64_t aside[JR_ERRANDS_ASIDE];
    size_t asides;
    unsigned claims; /* how many were taken up; for who wants a turn as well */
    bool passed_over; /* the search has met runs that wait for another's answer */
};

/*
 * Take up what is due first, if there is room. Returns how long until there is something to be
 * done, in ms: 0 when something was done, JR_CALLS_NEVER when nothing is due, or all that is
 * to come follows the end of a question.
 */
int64_t jr_errands_claim(struct jr_errands *errands);

/*
 * Take up a run that has gone quiet. Returns false, and nothing is done, when it is in hand
 * already, there is no room, or its repository has to wait.
 */
bool jr_errands_take_quiet(struct jr_errands *errands, const struct jr_run *run);

/* Is a quiet run in hand? One at a time is enough. */
bool jr_errands_has_quiet(const struct jr_errands *errands);

/*
 * Is there room for one more read of GitHub (API_READS)? A run that waits for the name of its
 * workflow takes up room: all of them are asked about as soon as it is told.
 */
bool jr_errands_may_read(const struct jr_errands *errands);

/* Take each errand as far as it can go without waiting. */
void jr_errands_work(struct jr_errands *errands);

/*
 * Rerun the run whose turn it is. Returns how long until one can be, in ms: 0 when something
 * was done, JR_CALLS_NEVER when none waits for it, or only for the end of a question.
 */
int64_t jr_errands_write(struct jr_errands *errands);

/* Lay down those that wait to be rerun, while nothing may be: they stay due. */
void jr_errands_lay_down(struct jr_errands *errands);

/*
 * How long until a policy file is waited for no longer, in ms; JR_CALLS_NEVER: none is asked for.
 * jr_errands_work() then goes on with the one that is kept.
 */
int64_t jr_errands_patience_ms(const struct jr_errands *errands);

/*
 * It is time to stop: lay down all, but for a POST under way. That has a grace of 3 s, since
 * its outcome is worth it, and is recorded.
 */
void jr_errands_stop(struct jr_errands *errands);

/*
 * Find what is due first, neither paused nor in hand (jr_rerun_first).
 *   walk  in and out: see there; what holds up is set here
 */
enum jr_err jr_errands_find(struct jr_errands *errands, struct jr_rerun_walk *walk,
                            int64_t latest_ms, int64_t now_ms, int64_t *due_ms,
                            struct jr_run *run, struct jr_error *error) JR_CHECKED;

#endif
