/*
 * handle -- one request in, one answer out: the HTTP contract.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HANDLE_H
#define JR_HANDLE_H

#include "lib/batch.h"
#include "lib/error.h"
#include "lib/request.h"
#include "lib/runtime.h"
#include "lib/settings.h"
#include "lib/signature.h"
#include "lib/store.h"

#include <stdbool.h>

/* What a process that answers requests keeps from one to the next. */
struct jr_handler {
    const struct jr_settings *settings;
    struct jr_store *store;     /* NULL: opened when it is first needed; owned */
    struct jr_batch batch;      /* open when the store is */
    struct jr_slot *own_slot;   /* the batch's only one, where there is none to share; owned */
    int worker;                 /* which slot of the runtime is ours; -1: none */
    struct jr_runtime *runtime; /* NULL: nothing is known of a running service */
    struct jr_process *process; /* our block in it; NULL: none */
    struct jr_signer signer;    /* opened when it is first needed; owned */
    char *body;                 /* owned, reused */
    size_t body_size;
    bool has_place; /* is making a page, and one of few that may */
    bool broken;    /* the store can no longer be used: the process has to leave */
};

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

/* worker: which of the service's workers this is; -1: none, as plain CGI */
void jr_handler_init(struct jr_handler *handler, const struct jr_settings *settings,
                     struct jr_runtime *runtime, int worker);
void jr_handler_release(struct jr_handler *handler);

/* Open the store. JR_OK, also when it is open already; else as jr_store_open(). */
enum jr_err jr_handler_open_store(struct jr_handler *handler, struct jr_error *error) JR_CHECKED;

/*
 * Before a page, or the metrics, is made: take one of the few places for it, until
 * jr_handle_done(). Returns false when there is none; response is then a 503.
 */
bool jr_handle_may_read(struct jr_handler *handler, bool without_body,
                        struct jr_response *response);

/*
 * The answer has been written out, but for a byte at most: free it, and make room
 * for another page. To be called after each answer.
 */
void jr_handle_done(struct jr_handler *handler, struct jr_response *response);

/*
 * Do everything with a request that can be done before it is recorded.
 * Returns true: it is answered, and logged; false: it is to be recorded next, by
 * jr_handle_record(), and the exchange stays where it is until then.
 */
bool jr_handle_begin(struct jr_handler *handler, struct jr_exchange *exchange);

/*
 * Record requests that were begun, in one transaction if all goes well; answer and
 * log them, and wake the dispatcher if there is something for it. What an answer
 * promises is on disk when this returns.
 *   count  1 to JR_SLOT_UPDATES
 */
void jr_handle_record(struct jr_handler *handler, struct jr_exchange *const *exchanges,
                      size_t count);

#endif
