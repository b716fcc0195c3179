/*
 * access -- what GitHub is called with, and whether GitHub takes it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/access.h"

enum jr_access_state jr_access_look(bool set, const struct jr_sight *sight)
{
    if (sight == NULL)
        return JR_ACCESS_UNKNOWN;
    if (!set)
        return JR_ACCESS_NONE;
    if (sight->token_rejected_ms != 0)
        return JR_ACCESS_REJECTED;
    return sight->token_taken_ms != 0 ? JR_ACCESS_TAKEN : JR_ACCESS_NOT_TRIED;
}

const char *jr_access_token(enum jr_access_state state)
{
    static const char *const tokens[] = {
        [JR_ACCESS_UNKNOWN] = "unknown", [JR_ACCESS_NONE] = "none",
        [JR_ACCESS_NOT_TRIED] = "not-tried", [JR_ACCESS_TAKEN] = "taken",
        [JR_ACCESS_REJECTED] = "rejected",
    };

    return tokens[state];
}
