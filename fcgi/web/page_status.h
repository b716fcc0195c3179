/*
 * page_status -- GET /status: how it goes, on one page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_STATUS_H
#define JR_PAGE_STATUS_H

#include "fcgi/web/context.h"
#include "lib/base/buffer.h"

/* Make the page; context has its store open. Returns JR_OK, or what failed. */
enum jr_err jr_page_status(const struct jr_context *context, struct jr_buffer *page,
                           int64_t now_ms, struct jr_error *error) JR_CHECKED;

#endif
