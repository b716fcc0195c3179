/*
 * page -- the pages for people, of which each is there as JSON too, and lists as CSV: GET /status,
 * /runs, /repos, /jobs, /runners, /causes, /settings, and the pages of one run and one repository.
 *
 * Each is made in memory, up to a ceiling, from the store as it is at the moment,
 * and only then written out. They are answered only where the web server says so
 * (RERUNNER_PAGES), since they show names of private repositories.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_H
#define JR_PAGE_H

#include "fcgi/web/context.h"
#include "fcgi/web/request.h"

#include <stdbool.h>

/*
 * Make what is the same of all pages, in the process that the workers are forked from: else each
 * of them does so for its first page, of which somebody waits.
 */
void jr_page_prepare(void);

/* Is it the path of one of these pages, and are they open to this client? */
bool jr_page_is_open(const struct jr_request *request);

/*
 * Answer with the page: 200; 400 for a parameter that is wrong, which it names; 404 for what is
 * not known; 503 when too many are being made, or when the store fails.
 */
void jr_page_answer(struct jr_context *context, const struct jr_request *request,
                    bool without_body, struct jr_response *response);

#endif
