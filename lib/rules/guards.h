/*
 * guards -- what keeps a run that deserves a rerun from getting one: it is no longer wanted, it
 * would push something else out, or it does more than to test.
 *
 * Pure. What is not known lets the run pass: a guard is asked by what was found out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_GUARDS_H
#define JR_GUARDS_H

#include "lib/model/words.h"
#include "lib/rules/policy.h"

#include <stdbool.h>
#include <stddef.h>

/* What is known of the run and of what is around it. */
struct jr_guard_facts {
    const char *event; /* that triggered it: "push"; empty: not known */
    bool event_named;  /* a rule names it (jr_guards_event_is_named()) */
    enum jr_guard_told newer;   /* holds: there is a newer run in its line, of another commit */
    enum jr_guard_told held;    /* ... another run holds its concurrency group */
    enum jr_guard_told closed;  /* ... its pull request is closed or merged */
    enum jr_guard_told deploys; /* ... a job that would run again has an environment */
};

/* What the guards of a policy say. */
struct jr_guard_answer {
    enum jr_policy_verdict verdict; /* RERUN: nothing is in the way */
    enum jr_reason reason;          /* else why; NONE */
    enum jr_guard_told told[JR_GUARD_KINDS]; /* what each was told; NOT_ASKED: it is off, nothing
                                                was found out for it, or one before it holds */
};

/*
 * Ask the guards, in this order: superseded, concurrency, closed, deployments, merge-queue,
 * events. The first that holds answers. Runs of events that do more than to test (release,
 * deployment, issue_comment, repository_dispatch) are left unless a rule names the event, or
 * `events' lists it.
 */
struct jr_guard_answer jr_guards_ask(const struct jr_guards *guards,
                                     const struct jr_guard_facts *facts);

/* The guard that a policy has for what can be asked; that of the events is always on. */
enum jr_guard jr_guards_of(const struct jr_guards *guards, enum jr_guard_kind kind);

/*
 * Does a name of a job or of a workflow say that it does more than to test: has it deploy,
 * release, publish, upload, promote or pages as a word? For where nothing exact is known.
 */
bool jr_guards_name_deploys(const char *name);

/* Does a rule name an event in its `when'? Under a ceiling one of each has to. */
bool jr_guards_event_is_named(const struct jr_policy_part *part, const char *event);

#endif
