/*
 * etcd -- the calls of etcd's JSON gateway (version 3.4 and newer): compare and swap, ranges,
 * leases; over the program's own HTTP client.
 *
 * A write ends in one of three ways. WON: it took effect. LOST: it did not, since a compare did not
 * hold. UNKNOWN: nobody can say, or it may still take effect, seconds later. So every write
 * compares something, and writes a text that is in no other write. After an unknown answer, a
 * second try or a read at the end finds that text, if the write took effect.
 *
 * Unknown are an answer of 5xx, one that cannot be read, and none; then the next endpoint is tried.
 * A try takes 1 s at most, connecting half of that. After 401 a new token is asked for, and
 * the call is made once more. Of an answer no more than 64 kB are read.
 *
 * Source: https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/ ; 64-bit numbers come as strings,
 * zero and false are left out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ETCD_H
#define JR_ETCD_H

#include "lib/base/error.h"
#include "lib/config/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_ETCD_TRY_MS 1000

#define JR_ETCD_KEY_SIZE 160
#define JR_ETCD_VALUE_SIZE 1025

/* Parts of a transaction, of each kind. */
#define JR_ETCD_PARTS 12

/* Keys that are read at once. */
#define JR_ETCD_KEYS_MOST 64

enum jr_etcd_end { JR_ETCD_WON, JR_ETCD_LOST, JR_ETCD_UNKNOWN };

struct jr_etcd;
struct jr_etcd_call; /* one that is under way, or over */

enum jr_etcd_by {
    JR_ETCD_CREATED, /* the revision that made the key; 0: it is not there */
    JR_ETCD_MODIFIED /* the revision that wrote it last */
};

struct jr_etcd_compare {
    char key[JR_ETCD_KEY_SIZE];
    enum jr_etcd_by by;
    int64_t revision;
};

struct jr_etcd_put {
    char key[JR_ETCD_KEY_SIZE];
    char value[JR_ETCD_VALUE_SIZE]; /* empty: the key is deleted */
    int64_t lease;                  /* on which the key hangs; 0: on none, it stays */
};

struct jr_etcd_read {
    char key[JR_ETCD_KEY_SIZE];
    bool below; /* all keys that begin so, JR_ETCD_KEYS_MOST at most, in their order */
    char from[JR_ETCD_KEY_SIZE]; /* ... from this one on; empty: from the first */
};

/*
 * If all compares hold, all puts are written; else none is. In both cases all reads are done, after
 * that. Without compares and puts it is a snapshot. No two puts have the same key.
 */
struct jr_etcd_txn {
    struct jr_etcd_compare compares[JR_ETCD_PARTS];
    size_t compare_count;
    struct jr_etcd_put puts[JR_ETCD_PARTS];
    size_t put_count;
    struct jr_etcd_read reads[JR_ETCD_PARTS];
    size_t read_count;
    char own[32]; /* a text that only this write has, in the value of a key that is read */
};

struct jr_etcd_kv {
    size_t read; /* by which of the reads it was found */
    char key[JR_ETCD_KEY_SIZE];
    char value[JR_ETCD_VALUE_SIZE]; /* empty, too, if it is longer or has a NUL in it */
    int64_t created, modified, lease;
};

struct jr_etcd_answer {
    enum jr_etcd_end end;
    bool refused;   /* UNKNOWN, and nothing was done: the request is wrong, or not allowed */
    bool read_back; /* WON, found by reading back: `kvs' were read then, not by the write */
    int64_t lease;  /* of grant and keepalive */
    int64_t ttl_s;  /* likewise; keepalive: 0, WON: the lease is over */
    int64_t revision;
    char version[32]; /* of status */
    bool has_leader;  /* likewise */
    struct jr_etcd_kv *kvs; /* what was read, owned by the call; not on UNKNOWN */
    size_t count;
    int64_t duration_us; /* of all tries */
    char text[256]; /* UNKNOWN: the words of etcd or libcurl, for people */
};

/* Called once for each call that ends by itself; not for one that is released before. */
typedef void jr_etcd_note(void *context, const struct jr_etcd_answer *answer);

/*
 *   settings  of the cluster, with secrets; they are used until close
 *   note      NULL: nobody wants to know
 * Only after fork. JR_OK, JR_ENOMEM or JR_EIO.
 */
enum jr_err jr_etcd_open(struct jr_etcd **etcd, const struct jr_settings *settings,
                         jr_etcd_note *note, void *context, struct jr_error *error) JR_CHECKED;

/* After all calls were ended. NULL: nothing. */
void jr_etcd_close(struct jr_etcd *etcd);

/*
 * Begin a call; jr_etcd_end_call() in the end. NULL: there is no memory.
 *   tries  each at the next endpoint, at least 1; reading back has one more
 */
struct jr_etcd_call *jr_etcd_txn(struct jr_etcd *etcd, const struct jr_etcd_txn *txn,
                                 unsigned tries) JR_CHECKED;
struct jr_etcd_call *jr_etcd_grant(struct jr_etcd *etcd, int64_t ttl_s) JR_CHECKED;
struct jr_etcd_call *jr_etcd_keep_alive(struct jr_etcd *etcd, int64_t lease) JR_CHECKED;
struct jr_etcd_call *jr_etcd_revoke(struct jr_etcd *etcd, int64_t lease) JR_CHECKED;

/* Ask one endpoint once for its state; where that is not told to users, for its version. WON: it
 * answers. */
struct jr_etcd_call *jr_etcd_status(struct jr_etcd *etcd, size_t endpoint) JR_CHECKED;

/* Go on without waiting. NULL: it is under way; else the answer, good until the end of the call. */
const struct jr_etcd_answer *jr_etcd_work(struct jr_etcd_call *call);

/* Wait for it: within the limits of its tries. */
const struct jr_etcd_answer *jr_etcd_await(struct jr_etcd_call *call);

/* Release it, under way or not. NULL: nothing. */
void jr_etcd_end_call(struct jr_etcd_call *call);

/* For poll(2), as of http.h. */
int jr_etcd_fd(const struct jr_etcd *etcd);
int64_t jr_etcd_wait_ms(const struct jr_etcd *etcd);

/* Take what has come; then jr_etcd_work() of each call. */
void jr_etcd_tend(struct jr_etcd *etcd);

/* Find a key among what was read; NULL: it is not there. */
const struct jr_etcd_kv *jr_etcd_find(const struct jr_etcd_answer *answer, const char *key);

/* Add a part to a transaction, which is all zero at first: up to JR_ETCD_PARTS of each kind. */
void jr_etcd_add_compare(struct jr_etcd_txn *txn, const char *key, enum jr_etcd_by by,
                         int64_t revision);
void jr_etcd_add_put(struct jr_etcd_txn *txn, const char *key, const char *value, int64_t lease);
void jr_etcd_add_read(struct jr_etcd_txn *txn, const char *key, bool below);

#endif
