/*
 * tracer -- sees whether another host has asked for a rerun that shows itself here
 * (lib/steps/tracing.h), by its claim in etcd; one at a time. GitHub is not asked.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TRACER_H
#define JR_TRACER_H

#include "fcgi/process/duty.h"

extern const struct jr_duty jr_tracer_duty;

#endif
