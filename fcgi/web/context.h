/*
 * context -- what a process that answers requests keeps from one to the next: the store
 * and its batch, the keys, a buffer, and its place among those that make pages.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CONTEXT_H
#define JR_CONTEXT_H

#include "fcgi/web/request.h"
#include "lib/base/error.h"
#include "lib/config/settings.h"
#include "lib/crypto/signature.h"
#include "lib/service/runtime.h"
#include "lib/service/sight.h"
#include "lib/steps/batch.h"
#include "lib/store/store.h"

#include <stdbool.h>

struct jr_context {
    const struct jr_settings *settings;
    struct jr_store *store;     /* NULL: opened when it is first needed; owned */
    struct jr_batch batch;      /* open when the store is */
    struct jr_slot *own_slot;   /* the batch's only one, where there is none to share; owned */
    int worker;                 /* which slot of the runtime is ours; -1: none */
    struct jr_runtime *runtime; /* of the service of which this is a worker; NULL: of none */
    struct jr_process *process; /* our block in it; NULL: none */
    struct jr_signer signer;    /* opened when it is first needed; owned */
    char *body;                 /* owned, reused */
    size_t body_size;
    bool has_place; /* is making a page, and one of few that may */
    bool broken;    /* the store can no longer be used: the process has to leave */
};

/* worker: which of the service's workers this is; -1: none, as plain CGI */
void jr_context_init(struct jr_context *context, const struct jr_settings *settings,
                     struct jr_runtime *runtime, int worker);
void jr_context_release(struct jr_context *context);

/*
 * See how the service goes: our own, or the one that runs on the same STATE_DIR.
 * Returns sight, or NULL when none is running.
 */
const struct jr_sight *jr_context_look(const struct jr_context *context, struct jr_sight *sight);

/* Open the store. JR_OK, also when it is open already; else as jr_store_open(). */
enum jr_err jr_context_open_store(struct jr_context *context, struct jr_error *error) JR_CHECKED;

/*
 * Before a page, or the metrics, is made: take one of the few places for it, until
 * jr_context_done(). Returns false when there is none; response is then a 503.
 */
bool jr_context_may_read(struct jr_context *context, bool without_body,
                         struct jr_response *response);

/*
 * The answer has been written out, but for a byte at most: free it, and make room
 * for another page. To be called after each answer.
 */
void jr_context_done(struct jr_context *context, struct jr_response *response);

#endif
