/*
 * throttle -- when GitHub may be called: its rate limits, a rejected token, and
 * the share of the hourly limit that looking for missed work may use.
 *
 * A stop outlives a restart; it belongs to the token, so a new one starts clean. Each
 * installation of a GitHub App has a rate limit, and so a throttle, of its own.
 * Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_THROTTLE_H
#define JR_THROTTLE_H

#include "lib/config/settings.h"
#include "lib/model/call.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* The longest stop: GitHub's limits are per hour. */
#define JR_THROTTLE_MAX_MS (JR_HOUR_MS + JR_MINUTE_MS)

struct jr_throttle {
    uint64_t fingerprint;       /* of the token that this is about, or of the App */
    uint64_t installation;      /* of the App; 0: it is about all calls */
    int64_t stopped_until_ms;   /* no call before; 0: not stopped */
    int64_t stop_ms;            /* how long the stop is at most from now; not stored */
    int64_t known_us;           /* monotonic: when the answer came that stopped; not stored */
    enum jr_reason stop_reason; /* RATE_LIMITED, BAD_TOKEN, BAD_APP or APP_SUSPENDED */
    int64_t rejected_ms;        /* since when the token is rejected; 0: it is not */
    int64_t secondary_wait_ms;  /* the last wait that no header named; 0: none lately */
    int64_t token_expires_ms;   /* as GitHub said last; 0: it did not */
    int64_t hourly_limit;       /* as GitHub said last; 0: it did not */

    /* not stored: the bucket for looking for missed work */
    double tokens;     /* less than none: who began to look went on to the end */
    int64_t filled_ms; /* 0: it is full */
};

/*
 * Load what is known about a token, in a read transaction; a clean start for
 * another token than the last. A stop that lies too far ahead is cut.
 *   token         what tells it from others; for a GitHub App, id and key
 *   installation  of the App; 0: all calls
 */
void jr_throttle_load(struct jr_txn *txn, struct jr_throttle *throttle, const char *token,
                      uint64_t installation, int64_t now_ms);
/* Load what was known of the last token, whichever that was; for who has none. */
void jr_throttle_recall(struct jr_txn *txn, struct jr_throttle *throttle);

/* Of an installation, only a stop is kept. */
void jr_throttle_save(struct jr_txn *txn, const struct jr_throttle *throttle);

/*
 * Take note of an answer. One to a call that was begun before the stop was known does not end
 * it, and makes it longer only if it names a later end.
 * Returns whether anything changed that is to be saved.
 */
bool jr_throttle_note(struct jr_throttle *throttle, const struct jr_settings *settings,
                      const struct jr_call *call, int64_t now_ms);

/*
 * How long all calls are stopped, in ms; 0: they are not. A clock that was set
 * back does not make a stop longer than it was when it began, or was loaded.
 */
int64_t jr_throttle_stop_left_ms(struct jr_throttle *throttle, int64_t now_ms);

/*
 * The share for looking for missed work: a tenth of the hourly limit, as a bucket
 * that is full at start. How long until there is a call to spare, in ms; 0: now.
 */
int64_t jr_throttle_wait_ms(struct jr_throttle *throttle, int64_t now_ms);

/* Take one call of that share, though none may be to spare. */
void jr_throttle_take(struct jr_throttle *throttle);

#endif
