/*
 * notify -- tells the service manager how it goes: sd_notify(3), without its library.
 *
 * Everything here does nothing where no service manager listens.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_NOTIFY_H
#define JR_NOTIFY_H

#include "lib/base/error.h"

#include <stdint.h>

/* Send assignments, a line each, such as "READY=1\nSTATUS=text": a printf format. */
void jr_notify(const char *format, ...) JR_PRINTF(1, 2);

/* How often the service manager wants to hear WATCHDOG=1 at least, of this process; 0: it does not. */
int64_t jr_notify_watchdog_ms(void);

#endif
