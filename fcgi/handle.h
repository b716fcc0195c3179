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
    char *body;                 /* owned, reused */
    size_t body_size;
    bool has_place; /* is making a page, and one of few that may */
    bool broken;    /* the store can no longer be used: the process has to leave */
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
 * for another page. To be called after each jr_handle().
 */
void jr_handle_done(struct jr_handler *handler, struct jr_response *response);

/*
 * Answer a request, log it, and wake the dispatcher if there is something for it.
 * What the answer promises is on disk when this returns.
 */
void jr_handle(struct jr_handler *handler, const struct jr_request *request,
               struct jr_response *response);

#endif
