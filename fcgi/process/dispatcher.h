/*
 * dispatcher -- the process that asks GitHub about due runs and reruns them.
 *
 * There is one for a STATE_DIR: it holds the lock, and the only GitHub token.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_DISPATCHER_H
#define JR_DISPATCHER_H

#include "lib/config/settings.h"
#include "lib/service/runtime.h"

#include <stdint.h>

/*
 * Wait for the lock, then work off the outbox until told to stop.
 * Returns the exit status.
 */
int jr_dispatcher_main(struct jr_settings *settings, struct jr_runtime *runtime);

/*
 * For plain CGI: if the lock is free, work off what is due by until_ms and
 * leave. Returns the exit status.
 */
int jr_dispatcher_work_off(struct jr_settings *settings, int64_t until_ms);

#endif
