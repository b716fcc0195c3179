/*
 * engine -- a host among several: that it lives, what it has claimed, and what holds for all hosts.
 * All of it is kept in etcd, below /jr/CLUSTER_NAME/:
 *
 *   host/ID              a host that lives; its create revision tells one start from the next
 *   run/RUN/ATTEMPT      a claim (claim.h); RUN has 20 digits, ATTEMPT 3, so that order is order
 *   ctl/paused           nobody gets a permit while it is there
 *   ctl/stop             a rate limit, or a token that is rejected: it ends by itself
 *   ctl/sweep            which host reads the lists now
 *   ctl/budget/...       what reruns have spent (spent.h)
 *   ctl/outage/CAUSE     reruns for that cause are held on all hosts
 *   format               1; with another one this version does nothing
 *
 * Claims that are held, the host, its outages and the sweep hang on the host's lease: when the host
 * dies, etcd deletes them. The right to a POST hangs on no lease: a permit is a new revision of the
 * claim, and the transaction that writes it compares the host, ctl/paused and ctl/stop, too.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ENGINE_H
#define JR_ENGINE_H

#include "lib/base/error.h"
#include "lib/cluster/claim.h"
#include "lib/cluster/etcd.h"
#include "lib/cluster/spent.h"
#include "lib/config/settings.h"
#include "lib/model/cause.h"
#include "lib/model/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_ENGINE_HOSTS JR_ETCD_KEYS_MOST

enum jr_engine_state {
    JR_ENGINE_JOINS,   /* not yet among the hosts, or no longer */
    JR_ENGINE_UP,
    JR_ENGINE_DOWN,    /* etcd does not answer as it has to */
    JR_ENGINE_COPY,    /* a host with the same id lives on another machine */
    JR_ENGINE_TOO_NEW  /* the keys are of a later format */
};

/* The word for it: "up"; static. */
const char *jr_engine_state_name(enum jr_engine_state state);

/* What holds for all hosts, as it was seen last. */
struct jr_engine_sight {
    bool paused;         /* by ctl/paused; `pauser' and paused_ms are of it */
    bool paused_for_good; /* ... until somebody ends it */
    char pauser[JR_CLAIM_NAME_SIZE];
    int64_t paused_ms;
    bool stopped;        /* by ctl/stop, for the token that this host has */
    enum jr_reason stop_reason;
    char sweeper[JR_CLAIM_NAME_SIZE]; /* who reads the lists; empty: nobody */
    uint64_t outages;     /* for which all hosts hold reruns: bit n is enum jr_cause n */
    uint64_t own_outages; /* those which this host has told; only of the engine itself */
    size_t hosts;
    char names[JR_ENGINE_HOSTS][JR_CLAIM_NAME_SIZE];
};

struct jr_engine;

/* How an attempt's claim went. */
enum jr_claimed {
    JR_CLAIMED_NOT_YET,
    JR_CLAIMED,        /* go ahead: GitHub may be asked */
    JR_CLAIMED_WAIT,   /* another has it */
    JR_CLAIMED_ACCEPT, /* another has had it rerun */
    JR_CLAIMED_CLOSE,  /* another has decided that it is not to be */
    JR_CLAIMED_HALT,   /* nothing is to be asked now: paused, stopped, or etcd is out of reach */
};

/* What a rerun costs, and what the policy's limits leave for it. */
struct jr_engine_cost {
    uint64_t scope; /* of its repository */
    struct jr_minutes minutes;
    struct jr_limits repo, all;
};

/* An attempt in hand. All zero: none. It stays where it is until jr_claimant_end(). */
struct jr_claimant {
    struct jr_engine *engine;
    uint64_t run_id;
    uint32_t attempt;
    bool reopened;
    struct jr_claim claim; /* as it was seen last */
    int64_t modified;      /* its revision; 0: it is not there */
    int64_t unchanged_ms;  /* how long it has not changed, as far as this host knows */
    bool took_over;        /* it was in another host's hand before */
    bool permitted;        /* this process has the right to a POST, or had it */
    struct jr_etcd_call *call;
    bool holds;            /* `call' writes; else it looks */
    unsigned rounds;
    struct jr_claim next;  /* what is written */
    int64_t stop_modified; /* revision of a stop that is for another token; 0: there is none */
    struct jr_spent_view spent; /* what all hosts have spent, as seen last */
    struct jr_minutes cost;     /* what the permit has added to that */
    char text[256];        /* HALT: why */
};

/*
 *   id        of this host, 32 hexadecimal digits, kept in its store
 *   machine   where that store lies: it differs between two copies of the store
 * Only after fork. JR_OK, JR_ENOMEM or JR_EIO.
 */
enum jr_err jr_engine_open(struct jr_engine **engine, const struct jr_settings *settings,
                           const char *id, const char *machine, jr_etcd_note *note, void *context,
                           struct jr_error *error) JR_CHECKED;

/* Leave the cluster (2 s at most), and close. All claimants have ended. NULL: nothing. */
void jr_engine_close(struct jr_engine *engine);

/* Go on. Returns how long until there is something to be done though nothing comes, in ms. */
int64_t jr_engine_tend(struct jr_engine *engine);

int jr_engine_fd(const struct jr_engine *engine);
int64_t jr_engine_wait_ms(const struct jr_engine *engine);

enum jr_engine_state jr_engine_state(const struct jr_engine *engine);
const struct jr_engine_sight *jr_engine_sight(const struct jr_engine *engine);

/* Why it is not up, for people; "" while it is. */
const char *jr_engine_text(const struct jr_engine *engine);

/* May GitHub be asked at all: is it up, and neither paused nor stopped? */
bool jr_engine_may_work(const struct jr_engine *engine);

/* Something may have changed since it was seen last: look at once. */
void jr_engine_look(struct jr_engine *engine);

/* Which token there is now: 16 hexadecimal digits. Stops for other tokens are not ours. */
void jr_engine_set_fingerprint(struct jr_engine *engine, const char *fingerprint);

/* Tell all hosts that GitHub has stopped the token for so long; etcd forgets it after that. Returns
 * false when it cannot be told now. */
bool jr_engine_tell_stop(struct jr_engine *engine, enum jr_reason reason, int64_t wait_ms);

/* The stop is over before its time: take back what this host has told. */
void jr_engine_end_stop(struct jr_engine *engine);

/* Have all hosts hold reruns for a cause, or take that back. */
void jr_engine_hold(struct jr_engine *engine, enum jr_cause cause, bool holds);

/* Is it this host's turn to read the lists? False, too, until etcd has answered. */
bool jr_engine_may_sweep(struct jr_engine *engine);
void jr_engine_end_sweep(struct jr_engine *engine);

/*
 * Begin to claim an attempt, and see how it goes.
 *   claimant  run_id, attempt, reopened (claim.h); spent.wanted: the policy may have limits, and spent.scope
 *             is the repository's; the rest is not looked at
 */
void jr_claimant_begin(struct jr_engine *engine, struct jr_claimant *claimant);
enum jr_claimed jr_claimant_work(struct jr_claimant *claimant);

/*
 * A newer attempt is there: begin to see whether a host has asked for it, by the claim of the one
 * before, which is only read.
 *   claimant  run_id, attempt; the rest is not looked at
 * The other tells: NOT_YET; ACCEPT: the host that the claim names has; CLOSE: no host has; HALT:
 * the claim cannot be read now.
 */
void jr_claimant_trace(struct jr_engine *engine, struct jr_claimant *claimant);
enum jr_claimed jr_claimant_traced(struct jr_claimant *claimant);

/*
 * Ask for the right to one POST, within a request (jr_http_permit). Waits for etcd, 3 s at most.
 *   late_ms  of jr_boottime_ms(): a permit that comes later is of no use
 *   cost     NULL: there are no limits; else it is added to what all hosts have spent, if the
 *            limits leave as much
 * Returns JR_REASON_NONE: the POST is to be sent at once; else why not.
 */
enum jr_reason jr_claimant_permit(struct jr_claimant *claimant, int64_t late_ms,
                                  const struct jr_engine_cost *cost);

/*
 * The attempt is decided: write that into the claim, without waiting for it. A claim that is not
 * ours is left alone. The claimant is all zero after that.
 */
void jr_claimant_finish(struct jr_claimant *claimant, enum jr_claim_result result,
                        enum jr_reason reason, int status);
/*
 * It is not decided, and others may try. give_back: a claim that we hold is deleted; else as keep.
 * keep: what has a permit that was not used is held again.
 */
void jr_claimant_give_back(struct jr_claimant *claimant);
void jr_claimant_keep(struct jr_claimant *claimant);
/* The claim stays as it is. */
void jr_claimant_end(struct jr_claimant *claimant);

/* Name a key below the cluster's: printf(3)'s format. */
void jr_engine_key(const struct jr_settings *settings, char key[JR_ETCD_KEY_SIZE],
                   const char *format, ...) JR_PRINTF(3, 4);

/* The name of this host for people. */
void jr_engine_host(const struct jr_settings *settings, char name[JR_CLAIM_NAME_SIZE]);

/* Take what was read below "host/" and "ctl/"; for the tool, too. */
void jr_engine_read_sight(const struct jr_settings *settings, const struct jr_etcd_answer *answer,
                          struct jr_engine_sight *sight);

/* Random bytes as hexadecimal digits; size is odd. */
void jr_engine_random(char *text, size_t size);

#endif
