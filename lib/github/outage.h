/*
 * outage -- while calls fail, whatever they are about: what is wrong, and when the next
 * one is made.
 *
 * GitHub cannot be reached, it fails, or something else answers in its place. Each run has
 * a backoff of its own, but a hundred of them are a hundred calls that fail, each perhaps
 * after half a minute. So once two calls in a row have failed that were not about the same
 * run, one at a time is made, whichever is due first, after a wait that doubles from
 * API_BACKOFF_MIN to JR_OUTAGE_MAX_MS. One run about which GitHub always fails holds up
 * nobody.
 *
 * Times are of the monotonic clock. Nothing of it is stored: after a restart the first call
 * tells.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_OUTAGE_H
#define JR_OUTAGE_H

#include "lib/base/timestamp.h"
#include "lib/config/settings.h"
#include "lib/model/call.h"

#include <stdbool.h>
#include <stdint.h>

/* The longest wait, if API_BACKOFF_MAX is not shorter: how late an end is noticed. */
#define JR_OUTAGE_MAX_MS JR_MINUTE_MS

/* How long calls have to fail before it is said: one of many may fail by itself. */
#define JR_OUTAGE_TOLD_MS JR_MINUTE_MS

struct jr_outage {
    /* UNREACHABLE, SERVER_ERROR, NOT_GITHUB; NONE: the last call was answered */
    enum jr_reason reason;
    int64_t good_ms;       /* when GitHub answered last; 0: it never has */
    uint64_t about;        /* the run that the last call was about; 0: no run */
    unsigned failed;       /* in a row; those about the run of the one before do not count */
    int64_t wait_ms;       /* the wait after the last one; 0: there is none */
    int64_t held_until_ms;
    int64_t known_us; /* when the failure that holds calls was answered, or given up */
};

/* What it says of GitHub as a whole: one of the three reasons, or NONE when GitHub has answered. */
enum jr_reason jr_outage_reason(const struct jr_call *call);

/*
 * Take note of an answer. The failure of a call that was begun before the last one was known
 * is the same one: it makes no wait longer.
 *   about  the run that was asked about; 0: none
 * Returns whether calls have just begun to be held, or are no longer: then the log tells.
 */
bool jr_outage_note(struct jr_outage *outage, const struct jr_settings *settings,
                    const struct jr_call *call, uint64_t about, int64_t now_ms);

/* How long until a call may be made, in ms; 0: now. */
int64_t jr_outage_wait_ms(const struct jr_outage *outage, int64_t now_ms);

#endif
