/*
 * handle -- one request in, one answer out: the HTTP contract.
 *
 * A POST goes through a row of steps, the cheapest and least trusting first.
 * Each step either goes on (0) or ends the request with a status and a reason;
 * the order of the steps is the order of the contract.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/handle.h"
#include "fcgi/view/reply.h"
#include "fcgi/web/healthz.h"
#include "fcgi/web/page.h"
#include "fcgi/web/scrape.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/form.h"
#include "lib/model/asked.h"
#include "lib/service/wake.h"

#include <stdlib.h>
#include <string.h>

/* A buffer grown beyond this is given back after the request. */
#define BODY_KEPT ((size_t)128 * 1024)

/* Goes on to the next step. */
#define GO_ON 0

static const char greeting[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>job-rerunner</title>"
    "</head>\n<body><p>Hello, I'm a job Re-Runner!</p></body></html>\n";

/* A POST on its way through the steps. */
struct post {
    struct jr_context *context;
    struct jr_exchange *exchange;
    const struct jr_request *request; /* the exchange's */
    size_t length;                    /* of the body */
    char *form_value;                 /* the decoded payload of a form; owned */
    char *payload;                    /* in the body or the form; spoilt by decode() */
    size_t payload_length;
};

static int end_with(struct post *post, int status, enum jr_reason reason)
{
    post->exchange->reason = reason;
    return status;
}

static int check_length(struct post *post)
{
    switch (jr_request_length(post->request, (uint64_t)post->context->settings->body_max_bytes,
                              &post->length)) {
    case JR_OK:
        return GO_ON;
    case JR_ENOENT:
        return end_with(post, 411, JR_REASON_LENGTH_MISSING);
    case JR_EFULL:
        return end_with(post, 413, JR_REASON_BODY_TOO_LARGE);
    default:
        return end_with(post, 411, JR_REASON_LENGTH_BAD);
    }
}

static bool is_form(const struct post *post)
{
    return jr_request_has_type(post->request, "application/x-www-form-urlencoded");
}

static int check_type(struct post *post)
{
    if (is_form(post) || jr_request_has_type(post->request, "application/json"))
        return GO_ON;
    return end_with(post, 415, JR_REASON_CONTENT_TYPE);
}

static int check_signature_header(struct post *post)
{
    if (post->request->signature_doubled)
        return end_with(post, 403, JR_REASON_SIGNATURE_DOUBLED);
    if (post->request->signature == NULL)
        return end_with(post, 403, JR_REASON_SIGNATURE_MISSING);
    if (!jr_signature_is_wellformed(post->request->signature))
        return end_with(post, 403, JR_REASON_SIGNATURE_MALFORMED);
    return GO_ON;
}

static int read_body(struct post *post)
{
    struct jr_context *context = post->context;

    if (post->length + 1 > context->body_size) {
        char *larger = realloc(context->body, post->length + 1);

        if (larger == NULL)
            return end_with(post, 503, JR_REASON_OUT_OF_MEMORY);
        context->body = larger;
        context->body_size = post->length + 1;
    }
    if (jr_request_read(post->request, context->body, post->length) != JR_OK)
        return end_with(post, 400, JR_REASON_BODY_SHORT);
    context->body[post->length] = '\0';
    return GO_ON;
}

static int check_signature(struct post *post)
{
    struct jr_context *context = post->context;
    const struct jr_settings *settings = context->settings;
    enum jr_err err = JR_OK;

    if (context->signer.contexts[0] == NULL)
        err = jr_signer_open(&context->signer, settings->github_sign_key,
                             settings->github_sign_key_old);
    if (err == JR_OK)
        err = jr_signature_check(&context->signer, post->request->signature, context->body,
                                 post->length);
    if (err == JR_EINVAL)
        return end_with(post, 403, JR_REASON_SIGNATURE_WRONG);
    return err == JR_OK ? GO_ON : end_with(post, 503, JR_REASON_STORE_FAILED);
}

static int check_event_name(struct post *post)
{
    const char *event = post->request->event;

    if (event != NULL && !jr_event_is_watched(event)
        && !(post->context->settings->commands && jr_event_is_asking(event)))
        return end_with(post, 204, JR_REASON_EVENT_NOT_WATCHED);
    if (post->length == 0)
        return end_with(post, 204, JR_REASON_NOTHING_IN_IT);
    return GO_ON;
}

static int find_payload(struct post *post)
{
    enum jr_err err;

    post->payload = post->context->body;
    post->payload_length = post->length;
    if (!is_form(post))
        return GO_ON;
    err = jr_form_payload(post->context->body, post->length, &post->form_value,
                          &post->payload_length, &post->exchange->error);
    post->payload = post->form_value;
    if (err == JR_ENOMEM)
        return end_with(post, 503, JR_REASON_OUT_OF_MEMORY);
    if (err != JR_OK)
        return end_with(post, 400, JR_REASON_BAD_FORM);
    if (post->payload_length == 0)
        return end_with(post, 204, JR_REASON_NOTHING_IN_IT);
    return GO_ON;
}

/* The body is looked at for the last time: afterwards the payload is spoilt. */
static int identify(struct post *post)
{
    if (jr_delivery_identify(&post->exchange->update.delivery, post->request->delivery,
                             post->context->body, post->length) != JR_OK)
        return end_with(post, 503, JR_REASON_STORE_FAILED);
    return GO_ON;
}

static int decode(struct post *post)
{
    switch (jr_event_read(post->request->event, post->payload, post->payload_length,
                          &post->exchange->update.event, &post->exchange->error)) {
    case JR_PAYLOAD_NOTHING:
        return end_with(post, 204, JR_REASON_NOTHING_IN_IT);
    case JR_PAYLOAD_NOT_JSON:
        return end_with(post, 400, JR_REASON_BAD_JSON);
    case JR_PAYLOAD_BAD:
        return end_with(post, 400, JR_REASON_BAD_SHAPE);
    case JR_PAYLOAD_NO_MEMORY:
        return end_with(post, 503, JR_REASON_OUT_OF_MEMORY);
    case JR_PAYLOAD_EVENT:
        break;
    }
    /* Only now: what there is nothing in is 204 before it is 400. */
    if (post->request->header_doubled)
        return end_with(post, 400, JR_REASON_HEADER_DOUBLED);
    return GO_ON;
}

/* The reason for an answer that the store did not let us give. */
static enum jr_reason reason_of(enum jr_err err)
{
    return err == JR_EFULL ? JR_REASON_STORE_FULL : JR_REASON_STORE_FAILED;
}

static bool is_of_our_app(const struct jr_settings *settings, const struct jr_event *event)
{
    char digits[JR_DIGITS_SIZE];
    const char *ours = settings->github_app_id;

    return ours != NULL
           && (strcmp(ours, event->app_client_id) == 0
               || strcmp(ours, jr_text_digits(event->app_id, digits)) == 0);
}

/* Of what people may ask for, all but what counts ends here: nothing of it is recorded. */
static int check_asking(struct post *post)
{
    const struct jr_event *event = &post->exchange->update.event;
    bool is_comment = event->comment_id != 0;

    if (event->kind != JR_EVENT_ASKING)
        return GO_ON;
    if (event->verb == JR_VERB_NONE
        || (is_comment && jr_now_ms() - event->created_ms > JR_ASKED_FRESH_MS)
        || (!is_comment && !is_of_our_app(post->context->settings, event)))
        return end_with(post, 202, JR_REASON_NOTHING_ASKED);
    return GO_ON;
}

static int open_store(struct post *post)
{
    struct jr_exchange *exchange = post->exchange;

    exchange->update.now_ms = jr_now_ms();
    if (jr_context_open_store(post->context, &exchange->error) == JR_OK)
        return GO_ON;
    if (exchange->error.code != JR_EFORMAT)
        jr_process_note_commit(post->context->process, false);
    jr_wake_send(post->context->settings->state_dir);
    return end_with(post, 503, reason_of(exchange->error.code));
}

static int (*const steps[])(struct post *) = {
    check_length, check_type, check_signature_header, read_body, check_signature,
    check_event_name, find_payload, identify, decode, check_asking,
    open_store,
};

/* Our fault is an error, a rejected request worth a look, all else the daily business. */
static enum jr_log_level level_of(int status)
{
    if (status >= 500)
        return JR_LOG_ERROR;
    return status >= 400 && status != 404 ? JR_LOG_WARN : JR_LOG_INFO;
}

/* A header may be of any length, and more than its beginning says nothing. */
static void log_header(struct jr_line *line, const char *key, const char *value)
{
    char beginning[96];

    if (value == NULL)
        return;
    jr_text_copy(beginning, sizeof beginning, value);
    jr_line_text(line, key, beginning);
}

static void log_post(const struct jr_exchange *exchange, int status)
{
    const struct jr_event *event = &exchange->update.event;
    const struct jr_receipt *receipt = &exchange->item.receipt;
    struct jr_line line;

    jr_line_begin(&line, level_of(status), "webhook");
    if (exchange->reason == JR_REASON_METHOD)
        log_header(&line, "method", exchange->request.method);
    log_header(&line, "delivery", exchange->request.delivery);
    log_header(&line, "event", exchange->request.event);
    jr_line_text(&line, "action", event->action);
    jr_line_text(&line, "repo", event->repo);
    if (event->run_id != 0) {
        jr_line_number(&line, "run", event->run_id);
        jr_line_number(&line, "attempt",
                       event->attempt != 0 ? event->attempt : receipt->answer.attempt);
    }
    if (event->verb != JR_VERB_NONE) {
        jr_line_text(&line, "command", jr_verb_name(event->verb));
        jr_line_text(&line, "by", event->sender);
    }
    if (event->job_id != 0) {
        jr_line_number(&line, "job", event->job_id);
        jr_line_text(&line, "name", event->job_name);
    }
    if (event->status == JR_STATUS_COMPLETED)
        jr_line_text(&line, "conclusion", jr_conclusion_name(event->conclusion));
    jr_line_number(&line, "status", (uint64_t)status);
    jr_line_text(&line, "result", jr_response_result(status));
    jr_line_text(&line, "reason", jr_reason_token(exchange->reason));
    if (receipt->verdict != JR_REASON_NONE) {
        jr_line_text(&line, "verdict", "closed");
        if (receipt->verdict != exchange->reason)
            jr_line_text(&line, "because", jr_reason_token(receipt->verdict));
    }
    if (receipt->repeated)
        jr_line_text(&line, "repeated", "yes");
    if (status >= 400 && exchange->error.code != JR_OK)
        jr_line_text(&line, "text", exchange->error.text);
    jr_line_ms(&line, "ms", jr_monotonic_us() - exchange->start_us);
    jr_line_write(&line);
}

static void count_post(struct jr_process *process, const struct jr_exchange *exchange, int status)
{
    const struct jr_receipt *receipt = &exchange->item.receipt;

    if (process == NULL)
        return;
    jr_count_webhook(&process->counters, exchange->request.event, status, exchange->reason,
                     jr_monotonic_us() - exchange->start_us);
    jr_count_verdict(&process->counters, receipt->verdict);
    if (receipt->rescued)
        jr_count(&process->counters.rescued_runs);
    jr_count_causes(&process->counters, receipt->rerun_causes, receipt->rescued_causes);
}

static void answer_post(struct jr_context *context, struct jr_exchange *exchange, int status)
{
    uint64_t run_id = exchange->item.receipt.answer.run_id;

    /* A repeated delivery gets the first answer, whatever its body says now. */
    jr_response_reason(&exchange->response, status, exchange->reason,
                       run_id != 0 ? run_id : exchange->update.event.run_id);
    log_post(exchange, status);
    count_post(context->process, exchange, status);
}

static bool begin_post(struct jr_context *context, struct jr_exchange *exchange)
{
    struct post post = { .context = context, .exchange = exchange, .request = &exchange->request };
    int status = GO_ON;

    for (size_t i = 0; status == GO_ON && i < sizeof steps / sizeof *steps; i++)
        status = steps[i](&post);
    if (status != GO_ON)
        answer_post(context, exchange, status);
    free(post.form_value);
    if (context->body_size > BODY_KEPT) {
        free(context->body);
        context->body = NULL;
        context->body_size = 0;
    }
    return status != GO_ON;
}

/* What came of recording it. */
static void end_post(struct jr_context *context, struct jr_exchange *exchange)
{
    const struct jr_item *item = &exchange->item;
    enum jr_err err = item->error.code;
    int status = jr_reply_status(item->receipt.answer.reply);

    /* A repeat commits without a write, a damaged record fails by itself: neither shows
     * anything of the disk. */
    if (err != JR_EFORMAT && (err != JR_OK || !item->receipt.repeated))
        jr_process_note_commit(context->process, err == JR_OK);
    exchange->reason = item->receipt.answer.reason;
    if (err != JR_OK) {
        context->broken |= err == JR_EFATAL;
        exchange->error = item->error;
        exchange->reason = reason_of(err);
        status = 503;
    }
    answer_post(context, exchange, status);
}

void jr_handle_record(struct jr_context *context, struct jr_exchange *const *exchanges,
                      size_t count)
{
    struct jr_item items[JR_SLOT_UPDATES];
    bool wake = false;

    for (size_t i = 0; i < count; i++)
        items[i] = (struct jr_item){ .update = &exchanges[i]->update };
    jr_batch_submit(&context->batch, context->store, context->settings, items, count);
    jr_log_hold();
    for (size_t i = 0; i < count; i++) {
        exchanges[i]->item = items[i];
        wake |= items[i].error.code != JR_OK || items[i].receipt.due_moved;
        end_post(context, exchanges[i]);
    }
    jr_log_release();
    /* It has to find what it is woken for: an entry, or that commits fail. */
    if (wake)
        jr_wake_send(context->settings->state_dir);
}

static void handle_get(struct jr_context *context, const struct jr_request *request,
                       bool without_body, struct jr_response *response)
{
    struct jr_sight sight;

    if (strcmp(request->path, "/") == 0)
        jr_response_page(response, 200, "text/html; charset=utf-8", greeting, without_body);
    else if (strcmp(request->path, "/healthz") == 0)
        jr_healthz_answer(context->settings, jr_context_look(context, &sight), context->worker >= 0,
                         without_body, response);
    else if (jr_page_is_open(request))
        jr_page_answer(context, request, without_body, response);
    else if (jr_scrape_is_open(request))
        jr_scrape_answer(context, without_body, response);
    else
        jr_response_page(response, 404, "text/plain; charset=utf-8", "There is no such page.\n",
                         without_body);
}

bool jr_handle_begin(struct jr_context *context, struct jr_exchange *exchange)
{
    const char *method = exchange->request.method == NULL ? "" : exchange->request.method;

    memset(&exchange->update, 0, sizeof exchange->update);
    memset(&exchange->item, 0, sizeof exchange->item);
    exchange->error.code = JR_OK;
    exchange->start_us = jr_monotonic_us();
    if (strcmp(method, "POST") == 0)
        return begin_post(context, exchange);
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
        handle_get(context, &exchange->request, strcmp(method, "HEAD") == 0, &exchange->response);
    } else {
        exchange->reason = JR_REASON_METHOD;
        answer_post(context, exchange, 405);
    }
    return true;
}
