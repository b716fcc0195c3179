/*
 * health -- can this service do its work? For /healthz, for the pages and for the tool.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HEALTH_H
#define JR_HEALTH_H

#include "lib/config/settings.h"
#include "lib/service/sight.h"

#include <stdbool.h>
#include <stddef.h>

/* What can be wrong. The strings are static. */
struct jr_ailment {
    const char *word;   /* as /healthz names it */
    bool fails;         /* the work cannot be done; else it is only degraded */
    const char *what;   /* a sentence for people, and another on what to do */
    const char *remedy;
};

/* There are not more of them. */
#define JR_AILMENTS_MAX 20

/*
 * Find what is wrong, failures first. Only looks, never writes.
 *   sight       NULL: there is no running service to tell
 *   in_service  asked of a worker, whose master replaces a dispatcher that died
 * Returns how many were found.
 */
size_t jr_health_look(const struct jr_settings *settings, const struct jr_sight *sight,
                      bool in_service, int64_t now_ms,
                      const struct jr_ailment *found[JR_AILMENTS_MAX]);

#endif
