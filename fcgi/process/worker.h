/*
 * worker -- the FastCGI door: a child of the master that answers requests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_WORKER_H
#define JR_WORKER_H

#include "lib/config/settings.h"
#include "lib/service/runtime.h"

/*
 * Answer requests until told to stop. Returns the exit status.
 *   number  which of the workers this is, from 0
 */
int jr_worker_main(struct jr_settings *settings, struct jr_runtime *runtime, int number);

#endif
