/*
 * master -- the service: a process that keeps workers and dispatcher going.
 *
 * It opens neither store nor network. What a child does cannot end it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_MASTER_H
#define JR_MASTER_H

#include "lib/config/settings.h"

/* Run the service on descriptor 0 until SIGTERM or SIGINT. Returns the exit status. */
int jr_master_main(struct jr_settings *settings);

#endif
