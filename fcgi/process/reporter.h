/*
 * reporter -- says at GitHub what becomes of runs (REPORT), one at a time and aside: nothing else
 * waits for it, and it takes no place of the questions and reruns that the service is for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPORTER_H
#define JR_REPORTER_H

#include "fcgi/process/duty.h"

extern const struct jr_duty jr_reporter_duty;

#endif
