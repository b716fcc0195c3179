/*
 * healthz -- GET /healthz: can this service do its work?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HEALTHZ_H
#define JR_HEALTHZ_H

#include "fcgi/web/request.h"
#include "lib/config/settings.h"
#include "lib/service/sight.h"

#include <stdbool.h>

/*
 * Answer 503 when a commit has failed and none succeeded since, or when no
 * dispatcher has held the lock of STATE_DIR for 10 s; else 200, with what is
 * degraded. The arguments are those of jr_health_look().
 */
void jr_healthz_answer(const struct jr_settings *settings, const struct jr_sight *sight,
                      bool in_service, bool without_body, struct jr_response *response);

#endif
