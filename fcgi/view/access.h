/*
 * access -- what GitHub is called with, and whether GitHub takes it: for people.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ACCESS_H
#define JR_ACCESS_H

#include "lib/service/sight.h"

#include <stdbool.h>

enum jr_access_state {
    JR_ACCESS_UNKNOWN,   /* no service runs that could tell */
    JR_ACCESS_NONE,      /* there is neither a token nor an App */
    JR_ACCESS_NOT_TRIED, /* not since the service has started, or since it was read anew */
    JR_ACCESS_TAKEN,     /* GitHub has done what was asked, last at token_taken_ms */
    JR_ACCESS_REJECTED   /* since token_rejected_ms */
};

/*
 * How it stands.
 *   set    is there a token, or an App's key, in the running service?
 *   sight  of that service; NULL: none runs
 */
enum jr_access_state jr_access_look(bool set, const struct jr_sight *sight);

/* A word for JSON: "unknown", "none", "not-tried", "taken", "rejected". Static. */
const char *jr_access_token(enum jr_access_state state);

#endif
