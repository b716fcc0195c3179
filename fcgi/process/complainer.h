/*
 * complainer -- tells the authors of broken policy files at GitHub, one after the other.
 * Like reporter.h it works beside the reruns: no rerun waits for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_COMPLAINER_H
#define JR_COMPLAINER_H

#include "fcgi/process/calls.h"
#include "fcgi/process/desk.h"
#include "lib/github/github.h"
#include "lib/steps/complaining.h"

#include <stdbool.h>
#include <stdint.h>

enum jr_complainer_step {
    JR_COMPLAINER_IDLE,
    JR_COMPLAINER_COMMIT, /* GitHub is asked which commit has changed the file last, */
    JR_COMPLAINER_FILE,   /* how the file is there, */
    JR_COMPLAINER_FIND,   /* whether the check run is there already, */
    JR_COMPLAINER_WRITES  /* and to take it */
};

struct jr_complainer {
    struct jr_desk *desk;
    enum jr_complainer_step step;
    struct jr_complaining work;
    struct jr_question question;
    struct jr_github_commit commit; /* what questions hold */
    struct jr_github_file file;     /* its text is owned */
    struct jr_github_found found;
    uint64_t made;
    struct jr_run at; /* of the commit, for the question about the file */
    struct jr_ours ours;
    unsigned page;
    char *json;           /* owned */
    int64_t write_due_ms; /* monotonic: nothing is written before */
};

void jr_complainer_open(struct jr_complainer *complainer, struct jr_desk *desk);
void jr_complainer_close(struct jr_complainer *complainer);

/*
 * Go on, if nothing else is to be done now. Returns how long until there is something to be done,
 * in ms; JR_CALLS_NEVER: only when something changes, or GitHub answers.
 */
int64_t jr_complainer_work(struct jr_complainer *complainer);

#endif
