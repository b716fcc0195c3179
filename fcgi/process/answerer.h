/*
 * answerer -- does what people ask for on pull requests (COMMANDS), one after the other.
 * Like reporter.h it works beside the reruns: no rerun waits for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ANSWERER_H
#define JR_ANSWERER_H

#include "fcgi/process/duty.h"

extern const struct jr_duty jr_answerer_duty;

#endif
