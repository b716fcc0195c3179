/*
 * handle -- one request in, one answer out: the HTTP contract.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HANDLE_H
#define JR_HANDLE_H

#include "fcgi/web/context.h"
#include "fcgi/web/request.h"
#include "lib/base/error.h"
#include "lib/steps/batch.h"

#include <stdbool.h>

/*
 * A request and its answer. The door fills in the request (jr_request_init()) and
 * writes out the response when there is one; the rest is handle.c's.
 */
struct jr_exchange {
    struct jr_request request;
    struct jr_response response;

    struct jr_update update;
    struct jr_item item;
    enum jr_reason reason;
    struct jr_error error; /* the detail behind a reason, for the log */
    int64_t start_us;
};

/*
 * Do everything with a request that can be done before it is recorded.
 * Returns true: it is answered, and logged; false: it is to be recorded next, by
 * jr_handle_record(), and the exchange stays where it is until then.
 */
bool jr_handle_begin(struct jr_context *context, struct jr_exchange *exchange);

/*
 * Record requests that were begun, in one transaction if all goes well; answer and
 * log them, and wake the dispatcher if there is something for it. What an answer
 * promises is on disk when this returns.
 *   count  1 to JR_SLOT_UPDATES
 */
void jr_handle_record(struct jr_context *context, struct jr_exchange *const *exchanges,
                      size_t count);

#endif
