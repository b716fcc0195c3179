/*
 * answerer -- does what people ask for on pull requests (COMMANDS), one after the other.
 * Like reporter.h it works beside the reruns: no rerun waits for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ANSWERER_H
#define JR_ANSWERER_H

#include "fcgi/process/calls.h"
#include "fcgi/process/desk.h"
#include "lib/github/github.h"
#include "lib/steps/answering.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many answers are remembered to the question who may ask, and for so long. */
#define JR_ANSWERER_KNOWN 64
#define JR_ANSWERER_KNOWN_MS (5 * JR_MINUTE_MS)

enum jr_answerer_step {
    JR_ANSWERER_IDLE,
    JR_ANSWERER_WHO,   /* GitHub is asked whether he may, */
    JR_ANSWERER_PULL,  /* for the pull request, */
    JR_ANSWERER_COMMIT, /* or whether that of a button is still of its commit, */
    JR_ANSWERER_RUNS,  /* for the runs of its newest commit; */
    JR_ANSWERER_REACTS, /* takes the reaction, */
    JR_ANSWERER_LOOKS, /* tells whether the comment is there, */
    JR_ANSWERER_SAYS   /* takes it */
};

struct jr_answerer {
    struct jr_desk *desk;
    enum jr_answerer_step step;
    struct jr_answering work;
    struct jr_question question;
    struct jr_github_permission permission; /* what questions hold */
    struct jr_github_pull pull;
    struct jr_run run;  /* of a button */
    struct jr_github_page page; /* its runs are owned while RUNS is asked */
    struct jr_github_found found;
    uint64_t made;
    struct jr_ours ours;
    char marker[64];
    unsigned comments_page;
    char *json;           /* owned */
    int64_t write_due_ms; /* monotonic: nothing is written before */
    struct {
        uint64_t repo_id, who_id;
        bool may;
        int64_t until_ms; /* monotonic; 0: nothing is known here */
    } known[JR_ANSWERER_KNOWN];
    size_t next_known;
};

void jr_answerer_open(struct jr_answerer *answerer, struct jr_desk *desk);
void jr_answerer_close(struct jr_answerer *answerer);

/*
 * Go on, if nothing else is to be done now. Returns how long until there is something to be done,
 * in ms; JR_CALLS_NEVER: only when something changes, or GitHub answers.
 */
int64_t jr_answerer_work(struct jr_answerer *answerer);

#endif
