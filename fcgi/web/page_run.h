/*
 * page_run -- GET /runs/ID: the story of one run.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_RUN_H
#define JR_PAGE_RUN_H

#include "fcgi/web/context.h"
#include "lib/base/buffer.h"

/*
 * Make the page; context has its store open.
 * Returns JR_OK; JR_ENOENT for a run of which nothing is recorded; else what failed.
 */
enum jr_err jr_page_run(const struct jr_context *context, uint64_t run_id, struct jr_buffer *page,
                        int64_t now_ms, struct jr_error *error) JR_CHECKED;

#endif
