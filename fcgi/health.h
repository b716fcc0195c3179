/*
 * health -- GET /healthz: can this service do its work?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HEALTH_H
#define JR_HEALTH_H

#include "lib/request.h"
#include "lib/runtime.h"
#include "lib/settings.h"

#include <stdbool.h>

/*
 * Answer 503 when a commit has failed and none succeeded since, or when no
 * dispatcher has held the lock of STATE_DIR for 10 s; else 200, with what is
 * degraded. Only looks, never writes.
 *   runtime     NULL: there is no running service to tell
 *   in_service  asked of a worker, whose master replaces a dispatcher that died
 */
void jr_health_answer(const struct jr_settings *settings, const struct jr_runtime *runtime,
                      bool in_service, bool without_body, struct jr_response *response);

#endif
