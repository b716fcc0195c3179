/*
 * reporter -- says at GitHub what becomes of runs (REPORT), one at a time and aside: nothing else
 * waits for it, and it takes no place of the questions and reruns that the service is for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPORTER_H
#define JR_REPORTER_H

#include "fcgi/process/calls.h"
#include "fcgi/process/desk.h"
#include "lib/github/github.h"
#include "lib/steps/reporting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many repositories are remembered in which GitHub has refused it. */
#define JR_REPORTER_REFUSALS 64

/* More pages of comments are not looked through. */
#define JR_REPORTER_PAGES 30

enum jr_reporter_step {
    JR_REPORTER_IDLE,
    JR_REPORTER_WHO,   /* GitHub is asked who we are, for the sake of comments, */
    JR_REPORTER_PULL,  /* for the run, */
    JR_REPORTER_FIND,  /* whether it is there already, */
    JR_REPORTER_WRITES /* and to take it */
};

struct jr_reporter {
    struct jr_desk *desk;
    bool is_closing_all; /* nothing is said any more, and something may be open */
    enum jr_reporter_step step;
    struct jr_reporting_work work;
    struct jr_question question;
    struct jr_github_user user; /* what questions hold */
    struct jr_github_app app;
    struct jr_event seen;
    struct jr_github_found found;
    uint64_t made;
    char login[JR_LOGIN_SIZE + 8]; /* ours; empty: not known yet */
    struct jr_ours ours;
    unsigned page;
    bool is_new;
    char *json; /* owned */
    int64_t write_due_ms; /* monotonic: not before */
    struct {
        char repo[JR_REPO_SIZE];
        int64_t until_ms; /* monotonic */
    } refusals[JR_REPORTER_REFUSALS];
    size_t refusal;
};

void jr_reporter_open(struct jr_reporter *reporter, struct jr_desk *desk);
void jr_reporter_close(struct jr_reporter *reporter);

/*
 * Go on, if nothing else is to be done now. Returns how long until there is something to be done,
 * in ms; JR_CALLS_NEVER: only when something changes, or GitHub answers.
 */
int64_t jr_reporter_work(struct jr_reporter *reporter);

#endif
