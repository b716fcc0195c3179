/*
 * input -- what can happen to a run, as facts, and what comes of it: the two sides of the
 * one transition, jr_decide().
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_INPUT_H
#define JR_INPUT_H

#include "lib/base/timestamp.h"
#include "lib/model/call.h"
#include "lib/model/event.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stdint.h>

/* The numbers are stored. */
enum jr_input_kind {
    JR_INPUT_EVENT = 1,  /* a webhook */
    JR_INPUT_SEEN = 2,   /* GitHub has shown the run */
    JR_INPUT_UNSEEN = 3, /* GitHub cannot be asked: there is no token, and DRY_RUN is on */
    JR_INPUT_FAILED = 4, /* GitHub was asked, and has not shown the run */
    JR_INPUT_POSTED = 5, /* what came of a POST */
    JR_INPUT_LISTED = 6, /* a list of failed runs shows it */
    JR_INPUT_HAND = 7,   /* somebody asks for a rerun */
    JR_INPUT_QUIET = 8,  /* the quiet_due_ms of a watched run has come */
    JR_INPUT_NAMED = 9,  /* GitHub has shown the run, but it is paused: only its name is taken */
    JR_INPUT_JUDGED = 10 /* the policy has judged why the attempt failed */
};

#define JR_INPUTS (JR_INPUT_JUDGED + 1)

/* What the policy says of a failed attempt. */
struct jr_judgement {
    bool leaves;      /* it is not to be rerun; the reason is the input's */
    bool debug;       /* the rerun runs with GitHub's debug log */
    int64_t delay_ms; /* from the attempt's end to the rerun; -1: RERUN_DELAY */
    uint32_t jobs;    /* how many failed jobs it rests on */
};

/* What is known of newer runs of the same workflow, branch, event and head repository, with
 * another commit. */
enum jr_newer_state {
    JR_NEWER_NONE,
    JR_NEWER_FINISHED,  /* all that are known are over */
    JR_NEWER_UNFINISHED /* one is under way: a rerun of the older run may cancel it */
};

struct jr_newer {
    enum jr_newer_state state;
    uint64_t run_id; /* of the one under way, else of the newest; 0: there is none */
};

/* What keeps a run waiting that may be rerun later. */
struct jr_hold {
    enum jr_reason reason; /* of JR_CLASS_HOLD; NONE: nothing */
    int64_t until_ms;      /* when to look again, or earlier (jr_verdict_hold_ms()) */
};

/* No hold looks further ahead at a time. */
#define JR_HOLD_MOST_MS (12 * JR_HOUR_MS)

/* What the guards of a policy were told before a run was judged. */
struct jr_guards_told {
    bool asked; /* a policy has guards: they stand above the setting SUPERSEDED */
    enum jr_guard_told by[JR_GUARD_KINDS];
};

/* What has happened. Behind each member: the kinds that have it; others leave it 0. */
struct jr_input {
    enum jr_input_kind kind;
    int64_t now_ms;
    const struct jr_event *event; /* EVENT, SEEN, LISTED, NAMED; its run_id is the run's */
    bool anew;              /* EVENT: it was answered before, by a setting, and is judged anew */
    struct jr_newer newer;  /* SEEN, UNSEEN */
    enum jr_reason guard;   /* SEEN: of the policy, or of who stopped it, that keeps it from being
                               rerun; NONE */
    struct jr_guards_told guards; /* SEEN: of that policy, for the record */
    struct jr_hold hold;    /* SEEN */
    bool moved;             /* SEEN, UNSEEN, FAILED, POSTED, JUDGED: the run has not the outbox
                               entry any more that was claimed, but another or none */
    uint32_t attempt;       /* FAILED, POSTED, JUDGED: the attempt that it is about */
    enum jr_outcome outcome; /* FAILED (never DONE), POSTED: how the answer was sorted */
    enum jr_reason reason;  /* FAILED, POSTED, JUDGED: why */
    bool try_all;           /* POSTED: it may be that only its failed jobs cannot be rerun */
    struct jr_judgement judgement; /* JUDGED */
    const char *repo;       /* HAND: owner/name, for a run of which nothing is recorded */
    bool asked;             /* HAND: by a command on its pull request (run.h) */
    bool all;               /* HAND: all of its jobs are to run again, not only the failed */
};

/* What is done next about a run. The numbers are stored. */
enum jr_step {
    JR_STEP_NONE = 0,         /* nothing: it is closed, or a newer entry stands */
    JR_STEP_WAIT = 1,         /* ask at due_ms, or when it has gone quiet */
    JR_STEP_RERUN_FAILED = 2, /* POST rerun-failed-jobs; the intent is in the run */
    JR_STEP_RERUN_ALL = 3,    /* POST rerun; the intent is in the run */
    JR_STEP_ASK = 4,          /* ask GitHub now; the run has no outbox entry */
    JR_STEP_JUDGE = 5         /* find out why it failed, and have the policy judge that */
};

#define JR_STEPS (JR_STEP_JUDGE + 1)

/* What comes of it, besides the run and the job as they are then. */
struct jr_verdict {
    bool changed;         /* false: all is as before, and nothing is to be recorded */
    enum jr_reply reply;  /* EVENT: what the webhook is answered */
    enum jr_step step;    /* all but EVENT */
    enum jr_reason reason; /* of the reply, or of the step; HAND that is not changed: why not */
    uint32_t attempt;     /* that it is about */
    /* An older attempt that this ended: 0, or its number and what became of it. */
    uint32_t ended_attempt;
    enum jr_reason ended_reason;
    uint32_t by_others; /* an attempt that had failed, and that somebody else has had rerun: a
                           person, or another host of ours; 0: there is none */
    bool rescued; /* the run has ended in success by a rerun of ours; set by who records it */
    /* The causes of the failed jobs of the attempt that was rerun, and that this rescued; bit n
     * is enum jr_cause n. Likewise. */
    uint64_t rerun_causes, rescued_causes;
};

#endif
