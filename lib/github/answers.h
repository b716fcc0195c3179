/*
 * answers -- what GitHub's answers mean: done, refused now or for good, or nobody knows.
 *
 * Refusals and rate limits: HACKING, "What GitHub answers".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ANSWERS_H
#define JR_ANSWERS_H

#include "lib/github/http.h"
#include "lib/model/call.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Sort an answer. Pure.
 *   posted  it answers a POST that may have taken effect whenever it was sent
 *   call    in: api and what; out: the rest
 */
void jr_answer_sort(const struct jr_http_answer *answer, bool posted, int64_t now_ms,
                    struct jr_call *call);

#endif
