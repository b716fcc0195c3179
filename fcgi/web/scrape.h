/*
 * scrape -- GET /metrics, for Prometheus.
 *
 * Answered only where the web server says so (RERUNNER_PAGES): how busy somebody's
 * repositories are is not for everybody.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SCRAPE_H
#define JR_SCRAPE_H

#include "fcgi/web/context.h"
#include "fcgi/web/request.h"

#include <stdbool.h>

/* Is it /metrics, and open to this client? */
bool jr_scrape_is_open(const struct jr_request *request);

/*
 * Answer with the metrics of the running service: 200; 503 when there is none, when
 * too many pages are being made, or when the store fails.
 */
void jr_scrape_answer(struct jr_context *context, bool without_body, struct jr_response *response);

#endif
