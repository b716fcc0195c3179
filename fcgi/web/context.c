/*
 * context -- what a process that answers requests keeps from one to the next.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/context.h"
#include "lib/base/testpoint.h"

#include <stdlib.h>
#include <string.h>

/* A short answer of plain text. */
#define TEXT_MOST ((size_t)1024)

/* As plain CGI, or alone, there is nobody to take a place from. */
static bool has_places(const struct jr_context *context)
{
    return context->runtime != NULL && context->worker >= 0;
}

void jr_context_init(struct jr_context *context, const struct jr_settings *settings,
                     struct jr_runtime *runtime, int worker)
{
    memset(context, 0, sizeof *context);
    context->settings = settings;
    context->runtime = runtime;
    context->worker = worker;
    if (runtime != NULL && worker >= 0)
        context->process = jr_runtime_process(runtime, (size_t)worker);
    /* The worker that had this number before may have been killed at a page. */
    if (has_places(context))
        jr_runtime_page_end(context->runtime, context->worker);
}

const struct jr_sight *jr_context_look(const struct jr_context *context, struct jr_sight *sight)
{
    if (context->runtime != NULL)
        jr_runtime_look(context->runtime, sight);
    else if (jr_sight_ask(context->settings->state_dir, sight, NULL) != JR_OK)
        return NULL;
    return sight;
}

/* Submit updates by oneself, each in a transaction of its own. */
static enum jr_err open_own_slot(struct jr_context *context, struct jr_error *error)
{
    struct jr_slots slots = { .count = 1 };

    slots.all = context->own_slot = calloc(1, sizeof *context->own_slot);
    if (slots.all == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    return jr_batch_open(&context->batch, &slots, context->store, error);
}

/* Submit updates together with the other workers. */
static enum jr_err open_slot(struct jr_context *context, struct jr_error *error)
{
    struct jr_runtime *runtime = context->runtime;
    const struct jr_slots slots = {
        .id = runtime->batch_id,
        .all = runtime->crowd->slots,
        .leading = &runtime->crowd->leading,
        .count = runtime->workers,
        .own = (size_t)context->worker,
    };

    return jr_batch_open(&context->batch, &slots, context->store, error);
}

enum jr_err jr_context_open_store(struct jr_context *context, struct jr_error *error)
{
    enum jr_err err;

    if (context->store != NULL)
        return JR_OK;
    err = jr_store_open(&context->store, context->settings->state_dir,
                        context->settings->map_size_bytes, error);
    if (err == JR_OK && (context->worker < 0 || jr_test_batch_is_off())) {
        err = open_own_slot(context, error);
    } else if (err == JR_OK) {
        jr_store_watch(context->store, &context->process->watch);
        jr_store_time(context->store, &context->process->counters.commit_us);
        err = open_slot(context, error);
    }
    return err;
}

void jr_context_release(struct jr_context *context)
{
    jr_store_close(context->store);
    jr_signer_close(&context->signer);
    free(context->own_slot);
    free(context->body);
    memset(context, 0, sizeof *context);
}

bool jr_context_may_read(struct jr_context *context, bool without_body,
                         struct jr_response *response)
{
    struct jr_buffer text;

    if (!has_places(context))
        return true;
    context->has_place = jr_runtime_page_begin(context->runtime, context->worker);
    if (context->has_place)
        return true;
    jr_buffer_init(&text, TEXT_MOST);
    jr_buffer_print(&text, "%d pages are being made. Try again in a second.\n", JR_PAGES_AT_ONCE);
    jr_response_large(response, 503, "text/plain; charset=utf-8", "Retry-After: 1\r\n", &text,
                      without_body);
    return false;
}

void jr_context_done(struct jr_context *context, struct jr_response *response)
{
    if (context->has_place)
        jr_runtime_page_end(context->runtime, context->worker);
    context->has_place = false;
    jr_response_release(response);
}
