/*
 * github -- the two calls of GitHub's REST API, and what its answers mean.
 *
 * Source: https://docs.github.com/en/rest/actions/workflow-runs ; refusals and
 * rate limits: HACKING, "What GitHub answers".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_GITHUB_H
#define JR_GITHUB_H

#include "lib/call.h"
#include "lib/event.h"
#include "lib/http.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Ask for a run: its newest attempt.
 *   api_url  base, without a slash at the end
 *   repo     owner/name, checked with jr_text_is_full_name()
 *   seen     out: whole only when call->outcome is DONE
 */
void jr_github_get_run(struct jr_http *http, const char *api_url, const char *repo,
                       uint64_t run_id, int64_t now_ms, struct jr_event *seen,
                       struct jr_call *call);

/* Ask for a rerun of the failed jobs, or (all) of the whole run. */
void jr_github_rerun(struct jr_http *http, const char *api_url, const char *repo,
                     uint64_t run_id, bool all, int64_t now_ms, struct jr_call *call);

/*
 * Sort an answer. Pure; for the two functions above and for tests.
 *   posted  it answers a POST
 *   call    in: what; out: the rest
 */
void jr_github_sort(const struct jr_http_answer *answer, bool posted, int64_t now_ms,
                    struct jr_call *call);

#endif
