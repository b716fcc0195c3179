/*
 * handler -- what a process that answers requests keeps from one to the next.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/handler.h"
#include "lib/base/testpoint.h"

#include <stdlib.h>
#include <string.h>

/* A short answer of plain text. */
#define TEXT_MOST ((size_t)1024)

/* As plain CGI, or alone, there is nobody to take a place from. */
static bool has_places(const struct jr_handler *handler)
{
    return handler->runtime != NULL && handler->worker >= 0;
}

void jr_handler_init(struct jr_handler *handler, const struct jr_settings *settings,
                     struct jr_runtime *runtime, int worker)
{
    memset(handler, 0, sizeof *handler);
    handler->settings = settings;
    handler->runtime = runtime;
    handler->worker = worker;
    if (runtime != NULL && worker >= 0)
        handler->process = jr_runtime_process(runtime, (size_t)worker);
    /* The worker that had this number before may have been killed at a page. */
    if (has_places(handler))
        jr_runtime_page_end(handler->runtime, handler->worker);
}

const struct jr_sight *jr_handler_look(const struct jr_handler *handler, struct jr_sight *sight)
{
    if (handler->runtime != NULL)
        jr_runtime_look(handler->runtime, sight);
    else if (jr_sight_ask(handler->settings->state_dir, sight, NULL) != JR_OK)
        return NULL;
    return sight;
}

/* Submit updates by oneself, each in a transaction of its own. */
static enum jr_err open_own_slot(struct jr_handler *handler, struct jr_error *error)
{
    struct jr_slots slots = { .count = 1 };

    slots.all = handler->own_slot = calloc(1, sizeof *handler->own_slot);
    if (slots.all == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    return jr_batch_open(&handler->batch, &slots, handler->store, error);
}

/* Submit updates together with the other workers. */
static enum jr_err open_slot(struct jr_handler *handler, struct jr_error *error)
{
    struct jr_runtime *runtime = handler->runtime;
    const struct jr_slots slots = {
        .id = runtime->batch_id,
        .all = runtime->crowd->slots,
        .leading = &runtime->crowd->leading,
        .count = runtime->workers,
        .own = (size_t)handler->worker,
    };

    return jr_batch_open(&handler->batch, &slots, handler->store, error);
}

enum jr_err jr_handler_open_store(struct jr_handler *handler, struct jr_error *error)
{
    enum jr_err err;

    if (handler->store != NULL)
        return JR_OK;
    err = jr_store_open(&handler->store, handler->settings->state_dir,
                        handler->settings->map_size_bytes, error);
    if (err == JR_OK && (handler->worker < 0 || jr_test_batch_is_off())) {
        err = open_own_slot(handler, error);
    } else if (err == JR_OK) {
        jr_store_watch(handler->store, &handler->process->watch);
        jr_store_time(handler->store, &handler->process->counters.commit_us);
        err = open_slot(handler, error);
    }
    return err;
}

void jr_handler_release(struct jr_handler *handler)
{
    jr_store_close(handler->store);
    jr_signer_close(&handler->signer);
    free(handler->own_slot);
    free(handler->body);
    memset(handler, 0, sizeof *handler);
}

bool jr_handler_may_read(struct jr_handler *handler, bool without_body,
                         struct jr_response *response)
{
    struct jr_buffer text;

    if (!has_places(handler))
        return true;
    handler->has_place = jr_runtime_page_begin(handler->runtime, handler->worker);
    if (handler->has_place)
        return true;
    jr_buffer_init(&text, TEXT_MOST);
    jr_buffer_print(&text, "%d pages are being made. Try again in a second.\n", JR_PAGES_AT_ONCE);
    jr_response_large(response, 503, "text/plain; charset=utf-8", "Retry-After: 1\r\n", &text,
                      without_body);
    return false;
}

void jr_handler_done(struct jr_handler *handler, struct jr_response *response)
{
    if (handler->has_place)
        jr_runtime_page_end(handler->runtime, handler->worker);
    handler->has_place = false;
    jr_response_release(response);
}
