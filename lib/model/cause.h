/*
 * cause -- why a job failed: a closed list, the same for everybody.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CAUSE_H
#define JR_CAUSE_H

#include <stdbool.h>

/* The numbers are stored: append, never renumber. */
enum jr_cause {
    JR_CAUSE_NONE = 0, /* not judged */
    /* infrastructural: not the code's */
    JR_CAUSE_RUNNER_LOST = 1,
    JR_CAUSE_RUNNER_SHUTDOWN = 2,
    JR_CAUSE_NOT_ACQUIRED = 3,
    JR_CAUSE_PROVISIONING = 4,
    JR_CAUSE_INTERNAL_ERROR = 5,
    JR_CAUSE_SETUP = 6,
    JR_CAUSE_SERVICE = 7,
    JR_CAUSE_NETWORK = 8,
    JR_CAUSE_REGISTRY = 9,
    JR_CAUSE_GIT = 10,
    JR_CAUSE_RATE_LIMITED = 11,
    JR_CAUSE_DISK = 12,
    JR_CAUSE_MEMORY = 13,
    /* of time */
    JR_CAUSE_TIMEOUT = 20,
    JR_CAUSE_STEP_TIMEOUT = 21,
    /* the code's, or its surroundings' */
    JR_CAUSE_TEST = 30,
    JR_CAUSE_BUILD = 31,
    JR_CAUSE_LINT = 32,
    JR_CAUSE_CRASH = 33,
    JR_CAUSE_ENVIRONMENT = 34,
    /* nobody's rerun helps */
    JR_CAUSE_BILLING = 40,
    JR_CAUSE_POLICY = 41,
    JR_CAUSE_WORKFLOW_INVALID = 42,
    JR_CAUSE_CANCELLED_BY_PERSON = 43,
    JR_CAUSE_SUPERSEDED = 44,
    /* no cause of its own */
    JR_CAUSE_ECHO = 50, /* a job that only reports others */
    JR_CAUSE_UNKNOWN = 51
};

/* They are numbered below this. */
#define JR_CAUSES (JR_CAUSE_UNKNOWN + 1)

/* The word, static; NULL: there is no such cause. */
const char *jr_cause_name(enum jr_cause cause);

/* The cause that a word names; NONE: none. */
enum jr_cause jr_cause_from(const char *word);

/* Is it one of the group `infrastructure': a fault of machines and services, not of the code? */
bool jr_cause_is_infrastructural(enum jr_cause cause);

/*
 * Does GitHub cancel a job for it, so that it tells why nobody else has? Other causes say
 * nothing of that: what a person cancels may have lost its network before.
 */
bool jr_cause_cancels(enum jr_cause cause);

/* Is it one that no rerun helps, whoever pays or decides first has to do something? */
bool jr_cause_forbids(enum jr_cause cause);

#endif
