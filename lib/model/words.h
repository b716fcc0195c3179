/*
 * words -- the closed sets of words: statuses, conclusions and our reasons.
 *
 * Source of statuses and conclusions: the schemas of `workflow_job` and
 * `workflow_run` at https://docs.github.com/en/webhooks/webhook-events-and-payloads .
 * The sets grew before and will again: an unknown word is OTHER, never an error.
 * The numbers are stored: append, never renumber.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_WORDS_H
#define JR_WORDS_H

#include <stdbool.h>

/* How far a job or run has come; a job only moves to a greater one. */
enum jr_status {
    JR_STATUS_UNKNOWN = 0,
    JR_STATUS_QUEUED = 1, /* also waiting, pending, requested: not started */
    JR_STATUS_IN_PROGRESS = 2,
    JR_STATUS_COMPLETED = 3
};

enum jr_conclusion {
    JR_CONCLUSION_NONE = 0,
    JR_CONCLUSION_SUCCESS = 1,
    JR_CONCLUSION_SKIPPED = 2,
    JR_CONCLUSION_NEUTRAL = 3,
    JR_CONCLUSION_FAILURE = 4,
    JR_CONCLUSION_TIMED_OUT = 5,
    JR_CONCLUSION_CANCELLED = 6,
    JR_CONCLUSION_ACTION_REQUIRED = 7,
    JR_CONCLUSION_STALE = 8,
    JR_CONCLUSION_STARTUP_FAILURE = 9,
    JR_CONCLUSION_OTHER = 10
};

/* The status that a `status` or `action` of GitHub stands for. NULL: unknown. */
enum jr_status jr_status_from(const char *word);
const char *jr_status_name(enum jr_status status);

enum jr_conclusion jr_conclusion_from(const char *word); /* NULL or "": NONE */
const char *jr_conclusion_name(enum jr_conclusion conclusion);

/* They are numbered below this. */
#define JR_CONCLUSIONS (JR_CONCLUSION_OTHER + 1)

/* A job that ended so makes its run suspect: other than success, skipped, neutral. */
bool jr_conclusion_is_bad(enum jr_conclusion conclusion);

/* What an event that triggers runs means for them, as bits. */
enum {
    JR_TRIGGER_LINE = 1,           /* its runs follow each other: a newer one supersedes */
    JR_TRIGGER_PULL = 2,           /* they are of a pull request */
    JR_TRIGGER_DEFAULT_BRANCH = 4, /* GitHub takes the workflow's file from the default branch */
    JR_TRIGGER_QUEUE = 8,          /* they are of the merge queue */
    JR_TRIGGER_DOES = 16           /* they do more than to test */
};

/* Those of a run's event ("push"); 0 of one that means nothing special, or is not known. */
unsigned jr_trigger_traits(const char *event);

/* Why something was answered or decided. Token and sentence: jr_reason_*(). */
enum jr_reason {
    JR_REASON_NONE = 0,
    /* recorded, to be continued */
    JR_REASON_WAITING_FOR_JOBS = 1,
    JR_REASON_WAITING_FOR_RUN = 2,
    JR_REASON_OLDER_ATTEMPT = 3,
    JR_REASON_ALREADY_DECIDED = 4,
    JR_REASON_NO_NEWS = 5,
    JR_REASON_SKIPPED_FIRST = 6,
    JR_REASON_UNKNOWN_RUN = 7,
    JR_REASON_UNKNOWN_ACTION = 8,
    /* an attempt ended */
    JR_REASON_JOBS_SUCCEEDED = 20,
    JR_REASON_JOBS_FAILED = 21,
    JR_REASON_RUN_FAILED = 22,
    JR_REASON_CONCLUSION_NOT_RETRIED = 23,
    /* left alone by a setting */
    JR_REASON_ATTEMPTS_USED_UP = 40,
    JR_REASON_SENDER_EXCLUDED = 41,
    JR_REASON_ACTOR_EXCLUDED = 42,
    JR_REASON_BRANCH_EXCLUDED = 43,
    JR_REASON_REPOSITORY_EXCLUDED = 44,
    JR_REASON_WORKFLOW_EXCLUDED = 45,
    JR_REASON_FORK_BRANCH = 46,
    JR_REASON_DRY_RUN = 47,
    JR_REASON_DRY_RUN_UNVERIFIED = 48,
    /* what GitHub said of the run */
    JR_REASON_RUN_NOT_COMPLETED = 60,
    JR_REASON_RERUN_BY_OTHERS = 61,
    JR_REASON_TOO_OLD = 62,
    JR_REASON_MISSED = 63,
    JR_REASON_NEVER_COMPLETED = 64,
    JR_REASON_BEHIND = 65,
    JR_REASON_CHANGED_MEANWHILE = 66,
    JR_REASON_FOUND_FAILED = 67,
    JR_REASON_NOT_FAILED = 68,
    JR_REASON_RERUNS_LIMIT = 69,
    JR_REASON_BY_HAND = 70,
    JR_REASON_SUPERSEDED = 71,
    JR_REASON_RUN_SUCCEEDED = 72,
    JR_REASON_OUTDATED = 73,
    JR_REASON_PAUSED = 74,
    JR_REASON_WORKFLOW_UNKNOWN = 75,
    /* what came of a call */
    JR_REASON_RERUN_ACCEPTED = 80,
    JR_REASON_RERUN_WORKED = 81,
    JR_REASON_OUTCOME_UNKNOWN = 82,
    JR_REASON_ALREADY_RUNNING = 83,
    JR_REASON_CANNOT_BE_RETRIED = 84,
    JR_REASON_NO_PERMISSION = 85,
    JR_REASON_NOT_FOUND = 86,
    JR_REASON_BAD_TOKEN = 87,
    JR_REASON_RATE_LIMITED = 88,
    JR_REASON_SERVER_ERROR = 89,
    JR_REASON_UNREACHABLE = 90,
    JR_REASON_BAD_ANSWER = 91,
    JR_REASON_REFUSED = 92,
    JR_REASON_MOVED = 93,
    JR_REASON_BAD_APP = 94,
    JR_REASON_NOT_INSTALLED = 95,
    JR_REASON_APP_SUSPENDED = 96,
    JR_REASON_NOT_GITHUB = 97,
    JR_REASON_SHUT_OUT = 98,
    /* the request itself */
    JR_REASON_EVENT_NOT_WATCHED = 120,
    JR_REASON_NOTHING_IN_IT = 121,
    JR_REASON_METHOD = 122,
    JR_REASON_LENGTH_MISSING = 123,
    JR_REASON_LENGTH_BAD = 124,
    JR_REASON_BODY_TOO_LARGE = 125,
    JR_REASON_CONTENT_TYPE = 126,
    JR_REASON_SIGNATURE_MISSING = 127,
    JR_REASON_SIGNATURE_MALFORMED = 128,
    JR_REASON_SIGNATURE_DOUBLED = 129,
    JR_REASON_SIGNATURE_WRONG = 130,
    JR_REASON_HEADER_DOUBLED = 131,
    JR_REASON_BODY_SHORT = 132,
    JR_REASON_BAD_FORM = 133,
    JR_REASON_BAD_JSON = 134,
    JR_REASON_BAD_SHAPE = 135,
    JR_REASON_STORE_FULL = 136,
    JR_REASON_STORE_FAILED = 137,
    JR_REASON_OUT_OF_MEMORY = 138,
    /* what a policy says */
    JR_REASON_LEFT_BY_RULE = 140,
    JR_REASON_CAUSE_NOT_KNOWN = 141,
    JR_REASON_NOT_WORTH_IT = 142,
    JR_REASON_SAME_FAILURE = 143,
    JR_REASON_EVIDENCE_UNREADABLE = 144,
    JR_REASON_PULL_REQUEST_CLOSED = 145,
    JR_REASON_DEPLOYMENT = 146,
    JR_REASON_MERGE_QUEUE = 147,
    JR_REASON_CONCURRENCY_BUSY = 148,
    JR_REASON_BUDGET_USED_UP = 149,
    JR_REASON_OUTAGE_HOLD = 150,
    /* what a command asks for */
    JR_REASON_STOPPED = 160,
    JR_REASON_ASKED = 161,
    JR_REASON_NOTHING_ASKED = 162,
    /* what other hosts have done (lib/cluster) */
    JR_REASON_CLAIMED_ELSEWHERE = 165,
    JR_REASON_CLUSTER_UNREACHABLE = 166,
    JR_REASON_CLAIM_LATE = 167,
    JR_REASON_DECIDED_ELSEWHERE = 168,
    JR_REASON_RERUN_ELSEWHERE = 169
};

/* How a webhook is answered; the status that goes with it is HTTP's. The numbers are stored. */
enum jr_reply {
    JR_REPLY_NONE = 0,
    JR_REPLY_SETTLED = 1,     /* the attempt has ended, and nothing is to be done */
    JR_REPLY_SCHEDULED = 2,   /* GitHub is going to be asked: there is an outbox entry */
    JR_REPLY_RECORDED = 3,    /* more is to come, or it tells nothing new */
    JR_REPLY_LEFT_ALONE = 4,  /* by a setting: judged anew when it is delivered again */
    JR_REPLY_UNKNOWN_RUN = 5  /* the first that was heard of the run is the end of a job */
};

#define JR_REPLIES (JR_REPLY_UNKNOWN_RUN + 1)

/* They are numbered below this; not each number has one. */
#define JR_REASONS (JR_REASON_RERUN_ELSEWHERE + 1)

/* By its token; NONE for any other text. */
enum jr_reason jr_reason_from(const char *token);

/* The token ("jobs-failed") and the sentence for a reader. Never NULL. */
const char *jr_reason_token(enum jr_reason reason);
const char *jr_reason_words(enum jr_reason reason);

/*
 * What the documents tell besides: what follows, and the way out. Whole sentences, with
 * `code` in backquotes; "" when there is nothing to add. Never NULL.
 */
const char *jr_reason_note(enum jr_reason reason);

/*
 * What a reason is about. Whoever treats reasons of one kind alike goes by this, so that a
 * new reason is a row with its class and nothing else.
 */
enum jr_reason_class {
    JR_CLASS_NONE,
    JR_CLASS_WAIT,       /* an event was recorded, and more is to come; or it tells nothing new */
    JR_CLASS_SUSPECT,    /* GitHub is going to be asked about the attempt */
    JR_CLASS_CONCLUSION, /* how the attempt ended: nothing needs to be rerun */
    JR_CLASS_FILTER,     /* a setting leaves the run alone; another setting would not */
    JR_CLASS_FINAL,      /* it failed, and is not rerun all the same */
    JR_CLASS_ASK,        /* GitHub has to be asked again */
    JR_CLASS_HOLD,       /* it deserves a rerun, and waits for when it may have one */
    JR_CLASS_RERUN,      /* there is a newer attempt */
    JR_CLASS_CALL,       /* how GitHub answered a call */
    JR_CLASS_OUTAGE,     /* GitHub did not answer as GitHub: the calls fail for all runs */
    JR_CLASS_DENIAL,     /* GitHub does not know it, or forbids it: may pass by itself (rule 7) */
    JR_CLASS_SIGNATURE,  /* a request that is not signed, or not rightly */
    JR_CLASS_REQUEST,    /* a request that holds nothing to record */
    JR_CLASS_STORE       /* nothing could be recorded */
};

enum jr_reason_class jr_reason_class(enum jr_reason reason);

/* Does it say that GitHub has accepted a rerun of the service, of this host or of another? */
bool jr_reason_is_our_rerun(enum jr_reason reason);

/* The guards of a policy, in the order in which they are asked. The numbers are stored. */
enum jr_guard_kind {
    JR_GUARD_SUPERSEDED = 0,  /* is there a newer run in its line, of another commit? */
    JR_GUARD_CONCURRENCY = 1, /* does another run hold its concurrency group? */
    JR_GUARD_CLOSED = 2,      /* is its pull request closed or merged? */
    JR_GUARD_DEPLOYMENTS = 3, /* would a job run again that deploys? */
    JR_GUARD_MERGE_QUEUE = 4, /* is it of the merge queue? */
    JR_GUARD_EVENTS = 5       /* is it of an event whose runs do more than to test? */
};

#define JR_GUARD_KINDS (JR_GUARD_EVENTS + 1)

/* What one of them was told. The numbers are stored. */
enum jr_guard_told {
    JR_GUARD_NOT_ASKED = 0,
    JR_GUARD_FREE = 1,    /* nothing is in the way */
    JR_GUARD_HOLDS = 2,
    JR_GUARD_NOT_TOLD = 3 /* nobody could say: it lets the run pass */
};

/* As in a policy file ("merge-queue"), and for people ("not told"). */
const char *jr_guard_kind_name(enum jr_guard_kind kind);
const char *jr_guard_told_name(enum jr_guard_told told);

#endif
