/*
 * claim -- who may ask GitHub for the rerun of an attempt, among several hosts: the record of it,
 * and the moves from one state to the next. Pure: no clock, no I/O.
 *
 * `held' saves work, and is no right: one host asks GitHub about the attempt, and the others wait.
 * It may vanish, or be taken by another host, at any time. `posting' is the right to one POST: only
 * the process that wrote that revision of the record has it, and for JR_CLAIM_POST_MS only. `done'
 * ends the claim; done and accepted is final.
 * The engine writes a record only if etcd finds it as it was read, or still not there.
 * The clocks of two hosts are never compared: at_ms is for people.
 *
 * A record is JSON in one line, {"v":1,...}. Unknown members are ignored, so that hosts of two
 * versions work together.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CLAIM_H
#define JR_CLAIM_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/timestamp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A host sends its POST within this time after the permit, or never. A request takes 30 s at most
 * (http.h), and GitHub ends what it has begun after 10 s. So CLUSTER_TAKEOVER is at least 60 s.
 */
#define JR_CLAIM_POST_MS (5 * JR_SECOND_MS)

/* A claim that is held and has not changed for so long may be taken: its host hangs, or has
 * written it too late. */
#define JR_CLAIM_STUCK_MS (15 * JR_MINUTE_MS)

#define JR_CLAIM_ID_SIZE 33    /* of a host: 32 hexadecimal digits */
#define JR_CLAIM_OP_SIZE 17    /* of a start or a write: 16 */
#define JR_CLAIM_NAME_SIZE 64  /* of a host, for people */
#define JR_CLAIM_REASON_SIZE 32

/* A record has no more bytes. */
#define JR_CLAIM_MOST 1024

enum jr_claim_state { JR_CLAIM_NONE, JR_CLAIM_HELD, JR_CLAIM_POSTING, JR_CLAIM_DONE };

/* How it ended. */
enum jr_claim_result {
    JR_CLAIM_OPEN,
    JR_CLAIM_ACCEPTED, /* GitHub accepted the rerun */
    JR_CLAIM_REFUSED,  /* ... or refused it for good */
    JR_CLAIM_CLOSED,   /* it is not to be rerun, by what GitHub showed */
    JR_CLAIM_OTHERS    /* a newer attempt exists that no host asked for */
};

struct jr_claim {
    enum jr_claim_state state; /* NONE: there is no record, and the rest is 0 */
    enum jr_claim_result result;
    char host[JR_CLAIM_ID_SIZE];
    char name[JR_CLAIM_NAME_SIZE]; /* what people call that host */
    char boot[JR_CLAIM_OP_SIZE];   /* the start of the dispatcher that wrote it */
    char op[JR_CLAIM_OP_SIZE];     /* this write */
    unsigned posts;                /* how many permits there were */
    int64_t at_ms;                 /* that host's clock */
    char reason[JR_CLAIM_REASON_SIZE]; /* jr_reason_token() of what ended it; may be empty */
    int status;                    /* HTTP, of the answer to a POST; 0: none came */
};

/*
 * Read a record. Another host wrote it, so each member is checked against its range; without a host
 * or an op it is no record.
 * Returns JR_OK; JR_EFORMAT, of another version than 1 or damaged, or JR_ENOMEM: claim is all
 * zero then.
 */
enum jr_err jr_claim_parse(const char *text, size_t length, struct jr_claim *claim,
                           struct jr_error *error) JR_CHECKED;

/* Write it, in one line; the buffer's `ok' tells whether all of it fits. */
void jr_claim_print(const struct jr_claim *claim, struct jr_buffer *buffer);

const char *jr_claim_state_name(enum jr_claim_state state);
const char *jr_claim_result_name(enum jr_claim_result result);

/* Who wrote a record. */
enum jr_claim_whose {
    JR_CLAIM_MINE,    /* this process wrote it */
    JR_CLAIM_FORMER,  /* this host, before its last start: its POST may still be under way */
    JR_CLAIM_ANOTHERS
};

enum jr_claim_whose jr_claim_whose(const struct jr_claim *claim, const char *host,
                                   const char *boot);

/* A record, as it is seen by a process that has its attempt in hand. */
struct jr_claim_view {
    const struct jr_claim *claim;
    enum jr_claim_whose whose;
    int64_t unchanged_ms;  /* how long it has not changed, by the own clock */
    int64_t takeover_ms;   /* CLUSTER_TAKEOVER */
    int64_t stuck_ms;      /* JR_CLAIM_STUCK_MS, but in tests */
    bool reopened;         /* it was closed here, and is judged anew; or it is asked for by hand */
};

/* What is done next. */
enum jr_claim_next {
    JR_CLAIM_TAKE,     /* write `held', then ask GitHub */
    JR_CLAIM_ASK,      /* nobody knows what came of a POST: ask GitHub, and leave the record */
    JR_CLAIM_WAIT,     /* another has it in hand: look again later */
    JR_CLAIM_ACCEPT,   /* another has had it rerun */
    JR_CLAIM_CLOSE     /* another has decided that it is not to be */
};

enum jr_claim_next jr_claim_look(const struct jr_claim_view *view);

/*
 * A newer attempt is there: has a host asked for it? A host that has the right to a POST has, even
 * if nobody knows what came of it.
 */
bool jr_claim_is_of_rerun(const struct jr_claim *claim);

/* Would it be taken from another host that has it in hand? That is counted. */
bool jr_claim_is_takeover(const struct jr_claim_view *view);

/*
 * The moves. If the state before does not allow the move, it returns false and leaves `next' alone.
 * Else `next' is the record to be written, provided that `before' is still there then.
 *   by  who writes: host, name, boot, a new op, at_ms; the rest is not looked at
 */
bool jr_claim_hold(const struct jr_claim *before, const struct jr_claim *by,
                   struct jr_claim *next);
bool jr_claim_post(const struct jr_claim *before, const struct jr_claim *by,
                   struct jr_claim *next);
/* Nothing was sent, or GitHub refused for now: others may try. Only for the process that posts. */
bool jr_claim_unpost(const struct jr_claim *before, const struct jr_claim *by,
                     struct jr_claim *next);
bool jr_claim_finish(const struct jr_claim *before, const struct jr_claim *by,
                     enum jr_claim_result result, struct jr_claim *next);

#endif
