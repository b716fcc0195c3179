/*
 * call -- one call of GitHub's API, and how its answer was sorted.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CALL_H
#define JR_CALL_H

#include "lib/model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jr_outcome {
    JR_OUTCOME_DONE,   /* it was accepted */
    JR_OUTCOME_LATER,  /* refused now: ask again */
    JR_OUTCOME_NEVER,  /* refused for good */
    JR_OUTCOME_UNKNOWN /* it may have worked or not: look before trying again */
};

/* Whom a refusal as a whole (reason SHUT_OUT) is about. The numbers are stored. */
enum jr_shut {
    JR_SHUT_NOTHING = 0,
    JR_SHUT_REPO = 1,  /* the repository that the call was about */
    JR_SHUT_OWNER = 2, /* all that its owner has */
    JR_SHUT_ALL = 3    /* the account that the token is of: all calls */
};

/* The calls of the API: the rows of the table in lib/github/github.c. */
enum jr_api {
    JR_API_GET_RUN,
    JR_API_RERUN_FAILED,
    JR_API_RERUN_ALL,
    JR_API_LIST_RUNS,
    JR_API_RATE_LIMIT,
    JR_API_GET_APP,
    JR_API_GET_INSTALLATION,
    JR_API_MAKE_TOKEN,
    JR_API_GET_WORKFLOW,
    JR_API_GET_JOBS,
    JR_API_GET_ATTEMPT_JOBS,
    JR_API_GET_ANNOTATIONS,
    JR_API_GET_LOG,
    JR_API_LIST_LINE,
    JR_API_GET_GROUPS,
    JR_API_GET_GROUP,
    JR_API_GET_PULL,
    JR_API_FIND_PULL,
    JR_API_GET_FILE,
    JR_API_LIST_CHECKS,
    JR_API_MAKE_CHECK,
    JR_API_SET_CHECK,
    JR_API_LIST_COMMENTS,
    JR_API_MAKE_COMMENT,
    JR_API_SET_COMMENT,
    JR_API_GET_PERMISSION,
    JR_API_LIST_COMMIT,
    JR_API_REACT,
    JR_API_GET_USER,
    JR_API_FIND_COMMIT,
    JR_API_GET_REPO,
    JR_APIS,
    JR_API_NONE = JR_APIS /* GitHub was not asked */
};

/* Room for an entity tag, by which a host knows a version of what it has shown: RFC 9110, 8.8.3. */
#define JR_ETAG_SIZE 128

struct jr_call {
    enum jr_api api;
    const char *what; /* static: "GET run", "POST rerun-failed-jobs" ... */
    enum jr_outcome outcome;
    enum jr_reason reason;
    bool stops_all;   /* no call at all for a time, about this run or another */
    int64_t wait_ms;  /* how long then; 0: not said, throttle.c knows */
    enum jr_shut shut; /* with reason SHUT_OUT: whom it is about */
    bool try_all;     /* it may be that only its failed jobs cannot be rerun */
    int status;       /* HTTP; 0: no answer */
    int64_t begun_us;         /* monotonic: when it was begun; 0: it was not made */
    int64_t duration_us;
    int64_t hourly_limit;     /* 0: not said */
    int64_t rate_remaining;   /* calls left of it; -1: not said */
    int64_t rate_reset_ms;    /* when it is whole again, by this host's clock; 0: not said */
    int64_t token_expires_ms; /* 0: not said */
    int64_t date_ms;          /* GitHub's clock, in whole seconds; 0: not said */
    char text[256];           /* what GitHub or libcurl said, for people; may be empty */
};

/* Was a call begun before another thing was known, at known_us of the monotonic clock? */
static inline bool jr_call_is_older(const struct jr_call *call, int64_t known_us)
{
    return call->begun_us < known_us;
}

/* When its answer came, of the monotonic clock. */
static inline int64_t jr_call_ended_us(const struct jr_call *call)
{
    return call->begun_us + call->duration_us;
}

/*
 * How long until a repository may be looked at for missed work, in ms, by the share of
 * the calls that such looks have; 0: now; JR_SHARE_NONE: nobody knows, so nothing waits
 * for it. Asked about the same one many times.
 */
#define JR_SHARE_NONE INT64_MAX
typedef int64_t jr_share_wait(void *context, const char *repo);

/* A function that tells it, and the context that it is called with. */
struct jr_share {
    jr_share_wait *wait;
    void *context;
};

/* How long a repository has to wait, as above. Where share is NULL, none has to. */
static inline int64_t jr_share_wait_ms(const struct jr_share *share, const char *repo)
{
    return share == NULL ? 0 : share->wait(share->context, repo);
}

#endif
