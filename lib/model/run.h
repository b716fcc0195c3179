/*
 * run -- what is known of one workflow run and of each of its jobs.
 *
 * A run's state belongs to the newest attempt known. The jobs of that attempt
 * are a set keyed by job id; the run carries how many of the set are known,
 * unfinished and failed, kept true by gather.c as jobs move forward.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_RUN_H
#define JR_RUN_H

#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/model/event.h"
#include "lib/model/labels.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stdint.h>

/* Where an attempt stands. The numbers are stored. */
enum jr_phase {
    JR_PHASE_OPEN = 0,  /* events are gathered */
    JR_PHASE_DUE = 1,   /* suspect: GitHub is to be asked at due_ms */
    JR_PHASE_CLOSED = 2 /* decided, see reason */
};

const char *jr_phase_name(enum jr_phase phase);

/* In which list a run stands, besides that of its repository, by what is to be done about it. */
enum jr_run_list { JR_RUN_LIST_NONE, JR_RUN_LIST_NEEDY, JR_RUN_LIST_WAITING };

/* Runner minutes by system. */
struct jr_minutes {
    uint32_t of[JR_SYSTEMS];
};

/* A rerun that is counted as spent (budget.h). */
struct jr_spent {
    uint32_t attempt;  /* that was rerun; 0: none is counted that could have to be given back */
    int64_t at_ms;     /* in whose hour and day */
    uint64_t scope;    /* of which repository (jr_budget_scope) */
    struct jr_minutes minutes;
};

struct jr_run {
    bool known; /* false: nothing was recorded of it before */
    uint64_t run_id;

    /* facts, as the newest event or answer told them; empty or 0: not told */
    uint64_t repo_id;
    char repo[JR_REPO_SIZE];
    char branch[JR_NAME_SIZE];
    char workflow[JR_NAME_SIZE]; /* the workflow's own name */
    char workflow_path[JR_NAME_SIZE];
    uint64_t workflow_id;
    uint64_t run_number;        /* counts the runs of a workflow */
    char head_sha[JR_SHA_SIZE]; /* the commit */
    char trigger[JR_WORD_SIZE];
    char actor[JR_LOGIN_SIZE];
    char triggering_actor[JR_LOGIN_SIZE];
    char first_sender[JR_LOGIN_SIZE]; /* of the attempt's first event by its own time */
    int64_t first_sender_ms;
    char head_repo[JR_REPO_SIZE]; /* the fork that the branch is of; empty: none is known */
    int64_t created_ms; /* of attempt 1 */
    bool shown;         /* GitHub's API has shown it: what is empty now is empty there */

    /* the newest attempt */
    uint32_t attempt;
    bool numbered;         /* GitHub has told a number; else 1 is assumed */
    uint32_t base_attempt; /* the attempt of events without a number that came before one was told */
    uint32_t jobs_known;
    uint32_t jobs_unfinished;
    uint32_t jobs_failed;
    bool complete; /* workflow_run or a GET said so; conclusion and updated_ms are its */
    enum jr_conclusion conclusion;
    int64_t updated_ms;
    enum jr_phase phase;
    enum jr_reason reason; /* of the phase */

    /* the outbox entry: there is one exactly while due_ms is not 0 */
    int64_t due_ms;
    int64_t waiting_ms; /* since when there is one, however often it was put off; 0: there is none */
    int64_t denied_ms; /* since when GitHub knows it not, or forbids it (rule 7); 0: it does not */
    uint32_t tries;    /* how often GitHub was asked in vain, for the backoff */
    int64_t intent_ms; /* when a POST was begun of which no outcome is recorded; 0: none */
    enum jr_reason held; /* of JR_CLASS_HOLD: what kept it waiting when it was shown last; NONE */
    uint64_t superseded_by; /* the newer run, of an attempt that is closed as superseded */
    uint32_t judged_attempt; /* the newest attempt that a policy has judged worth a rerun, or has
                                left because its rule allows no more attempts; 0: none */
    bool debug;        /* ... which is to run with GitHub's debug log */
    bool rerun_all;    /* ask for all of its jobs: GitHub will not rerun the failed ones, or that
                          is what somebody wants */
    bool by_hand;      /* somebody asks for it: settings do not count; until it is decided */
    bool asked;        /* ... by a command on its pull request (asked.h): what NO_RETRY_* and REPOS
                          leave alone, what waits for an approval and what deploys stays so */
    bool reopened;     /* it was closed, and is judged anew: what another host has decided of it
                          before does not count (lib/cluster/claim.h) */

    /* an attempt that is under way: when to look whether it has gone quiet */
    int64_t quiet_due_ms; /* 0: not watched */
    uint32_t quiet_asks;  /* how often GitHub was asked since the last event */

    /* the run as a whole */
    uint32_t accepted_attempt; /* newest attempt whose rerun GitHub accepted from us */
    uint32_t reruns;           /* how many it accepted */
    int64_t first_event_ms;
    int64_t last_event_ms;
    uint32_t history_count; /* entries in the history */
    int64_t told_ms;        /* the time of the newest of them */

    /* what the aggregates have of it (flaky.h, days.h) */
    uint32_t jobs_tallied; /* jobs of the newest attempt that are done with */
    uint32_t failed_day;   /* since 1970: under which the newest attempt counts as failed; 0: it does not */
    uint32_t rescue_day;   /* likewise what came of our last rerun; 0: it does not count */
    bool rescued;          /* what that was */
    struct jr_spent spent; /* our newest rerun, as the counters of the limits have it */

    /* in which lists it stands, set by ledger.c (runindex.h) */
    bool listed;           /* in that of its repository */
    enum jr_run_list list; /* ... and in this one */

    /* not in the record: what the indexes hold, set by ledger.c, as is waiting_ms */
    int64_t stored_due_ms;
    int64_t stored_waiting_ms;
    int64_t stored_quiet_due_ms;
    int64_t stored_last_event_ms;
    int64_t stored_told_ms;
    uint64_t stored_line;
    uint64_t stored_run_number;
    uint64_t stored_scope; /* of its repository's list; 0: it is in none */
    enum jr_run_list stored_list;

    /* not in the record: set by listing.c, where the run does not tell its conclusion */
    enum jr_conclusion jobs_conclusion; /* what its jobs came to; NONE: nobody has looked */
};

struct jr_job {
    bool known;
    uint64_t run_id;
    uint64_t job_id;
    uint32_t attempt; /* 0: not told; then it is the run's base_attempt */
    enum jr_status status;
    enum jr_conclusion conclusion;
    bool carried_over; /* not executed in this attempt, only shown again */
    int64_t created_ms, started_ms, completed_ms;
    bool tallied; /* the aggregates have it (flaky.h) */
    char name[JR_NAME_SIZE];
    char runner[JR_NAME_SIZE];
    char labels[JR_LABELS_SIZE];
    char steps[JR_STEPTEXT_SIZE];   /* of one that failed, as the event told; empty: it did not */
    char environment[JR_NAME_SIZE]; /* that it deploys to; empty: none is known */
};

/* What came of an attempt. */
enum jr_result {
    JR_RESULT_NONE,    /* nothing yet, or nothing that tells: cancelled, skipped ... */
    JR_RESULT_SUCCESS,
    JR_RESULT_FAILED   /* also timed out, or unable to start */
};

/* What a conclusion comes to. */
enum jr_result jr_conclusion_result(enum jr_conclusion conclusion);

/*
 * What came of the newest attempt: by the run's own conclusion, else by its jobs
 * once all that are known are done (more may still come).
 */
enum jr_result jr_run_result(const struct jr_run *run);

/*
 * The conclusion of the newest attempt: the run's own, else what its known jobs
 * came to (more may still come); NONE while it goes on.
 */
enum jr_conclusion jr_run_conclusion(const struct jr_run *run);

/*
 * Why it stands where it stands. Like `reason`, but never NONE of a run that is
 * known: an open attempt that nothing was decided about waits for something.
 */
enum jr_reason jr_run_reason(const struct jr_run *run);

/* Is the newest attempt there because GitHub accepted a rerun of ours? */
bool jr_run_is_our_rerun(const struct jr_run *run);

/* Could a pattern of a list be for the name of a workflow? One that ends in .yml or .yaml is for
 * its file. */
bool jr_run_lists_names(const struct jr_list *list);

/* Is a workflow in a list of patterns, by its name, its path or its file's name? Each may be
 * empty. */
bool jr_run_lists_workflow(const struct jr_list *list, const char *name, const char *path);

/* Are all known jobs of the newest attempt done, and is one known? */
bool jr_run_jobs_done(const struct jr_run *run);

/* What to call the run's workflow: its name; where none was told, its file's; else "". */
const char *jr_run_workflow(const struct jr_run *run);

/* The last part of a path. */
const char *jr_run_file_of(const char *path);

/* Was the run triggered by a pull request? */
bool jr_run_is_of_pull_request(const struct jr_run *run);

/*
 * Can a newer run stand in this one's place? Only runs of a push or a pull request follow
 * each other on a branch; all that tells which belong together has to be known.
 */
bool jr_run_is_in_line(const struct jr_run *run);

/*
 * Of two runs that are in line: is `newer` the newer one of the same workflow, branch, event
 * and head repository, and of another commit?
 */
bool jr_run_supersedes(const struct jr_run *newer, const struct jr_run *run);

/* No job runs longer (GitHub ends a run after 35 days): what tells more is wrong. */
#define JR_RUNNER_MINUTES_MOST (35 * 24 * 60)

/*
 * The runner minutes between two times. Each that was begun counts, as GitHub bills them:
 * https://docs.github.com/en/billing/concepts/product-billing/github-actions
 *   started_ms, completed_ms  0: not told
 * Returns 0 when not both are told; at least 1 else, at most JR_RUNNER_MINUTES_MOST.
 */
uint32_t jr_runner_minutes(int64_t started_ms, int64_t completed_ms);

/* Those of a job; 0 for one that has not ended, was skipped, or was only shown again. */
uint32_t jr_job_minutes(const struct jr_job *job);

/* Rule 1: the attempt that a job belongs to. */
uint32_t jr_run_attempt_of(const struct jr_run *run, const struct jr_job *job);

/* More than any record needs. */
#define JR_RECORD_SIZE 2560

/*
 * Records as stored: a version, then the fields. Decoding fails (false) for
 * another version or bytes that are not such a record; keys (run_id, job_id)
 * and `known` are not in the record, the caller sets them.
 */
void jr_run_encode(const struct jr_run *run, struct jr_writer *writer);
bool jr_run_decode(struct jr_run *run, const void *bytes, size_t size);
void jr_job_encode(const struct jr_job *job, struct jr_writer *writer);
bool jr_job_decode(struct jr_job *job, const void *bytes, size_t size);

#endif
