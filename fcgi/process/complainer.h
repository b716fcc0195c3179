/*
 * complainer -- tells the authors of broken policy files at GitHub, one after the other.
 * Like reporter.h it works beside the reruns: no rerun waits for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_COMPLAINER_H
#define JR_COMPLAINER_H

#include "fcgi/process/duty.h"

extern const struct jr_duty jr_complainer_duty;

#endif
