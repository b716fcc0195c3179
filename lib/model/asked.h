/*
 * asked -- what a person asks of the service on a pull request: by a line of a comment, or by a
 * button of a check run of ours.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ASKED_H
#define JR_ASKED_H

#include "lib/base/codec.h"
#include "lib/model/event.h"
#include "lib/model/verb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many runs of a commit, of different workflows. */
#define JR_ASKED_RUNS 32

/* How old a comment may be when it is told of: one that comes later nobody waits for any more. */
#define JR_ASKED_FRESH_MS ((int64_t)15 * 60 * 1000)

/* How long it is tried to do what was asked. */
#define JR_ASKED_LIFE_MS ((int64_t)60 * 60 * 1000)

/* How far it has come. The numbers are stored. */
enum jr_asked_state {
    JR_ASKED_NEW = 0,   /* nothing is done */
    JR_ASKED_ACTED = 1, /* it is done, or refused; the reaction is still to be set */
    JR_ASKED_SAYS = 2   /* so is the reaction; a comment is still to be written */
};

/* What came of it. The numbers are stored. */
enum jr_asked_end {
    JR_ASKED_OPEN = 0,
    JR_ASKED_DONE = 1,       /* at least one run is to be rerun; or they are stopped, or told of */
    JR_ASKED_NOTHING = 2,    /* there is no run that may be rerun for it */
    JR_ASKED_NOT_ALLOWED = 3, /* who asks has no write permission */
    JR_ASKED_CLOSED = 4,     /* the pull request is closed or merged */
    JR_ASKED_GIVEN_UP = 5,   /* GitHub did not tell what has to be known, for JR_ASKED_LIFE_MS */
    JR_ASKED_STALE = 6       /* its button is of an attempt, or a commit, that is not the newest */
};

#define JR_ASKED_ENDS (JR_ASKED_STALE + 1)

/* "done", "nothing-to-do", ...; for log and metrics. "open" for OPEN. */
const char *jr_asked_end_name(enum jr_asked_end end);

/* One that is not done with. */
struct jr_asked {
    enum jr_verb verb;
    enum jr_asked_state state;
    enum jr_asked_end end;
    uint64_t repo_id;
    char repo[JR_REPO_SIZE];
    char who[JR_LOGIN_SIZE];
    uint64_t who_id;       /* GitHub's, which nobody else gets; 0: not told, of a record of before */
    bool insider;          /* of a comment: GitHub calls its author owner, member or collaborator */
    uint64_t comment_id;   /* 0: by a button */
    uint64_t pull_request; /* of a comment */
    uint64_t run_id;       /* of a button */
    uint32_t attempt;      /* of a button: that was shown beside it */
    char sha[JR_SHA_SIZE]; /* of the pull request's newest commit; empty: not known yet */
    int64_t at_ms;         /* when it came */
    int64_t acted_ms;      /* when it was done, or refused; 0: it is not */
    int64_t due_ms;        /* when it is gone on with */
    uint32_t tries;        /* how often GitHub was asked in vain */
    bool intent;           /* SAYS: the comment was begun, and may be there */
    uint64_t runs[JR_ASKED_RUNS]; /* that it is about, newest first */
    size_t count;
};

/* Records as stored, as in run.h. */
#define JR_ASKED_RECORD_SIZE 1024
void jr_asked_encode(const struct jr_asked *asked, struct jr_writer *writer);
bool jr_asked_decode(struct jr_asked *asked, const void *bytes, size_t size);

#endif
