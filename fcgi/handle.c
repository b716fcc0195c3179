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

#include "fcgi/handle.h"
#include "fcgi/health.h"
#include "fcgi/page.h"
#include "fcgi/scrape.h"
#include "lib/form.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/signature.h"
#include "lib/testpoint.h"
#include "lib/text.h"
#include "lib/timestamp.h"
#include "lib/wake.h"

#include <stdlib.h>
#include <string.h>

/* A buffer grown beyond this is given back after the request. */
#define BODY_KEPT ((size_t)128 * 1024)

/* A short answer of plain text. */
#define TEXT_MOST ((size_t)1024)

/* Goes on to the next step. */
#define GO_ON 0

static const char greeting[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>job-rerunner</title>"
    "</head>\n<body><p>Hello, I'm a job Re-Runner!</p></body></html>\n";

/* A POST on its way through the steps. */
struct post {
    struct jr_handler *handler;
    const struct jr_request *request;
    size_t length;    /* of the body */
    char *form_value; /* the decoded payload of a form; owned */
    const char *payload;
    size_t payload_length;
    json_object *root; /* owned */
    struct jr_update update;
    struct jr_receipt receipt;
    enum jr_reason reason;
    struct jr_error error; /* the detail behind a reason, for the log */
};

static int end_with(struct post *post, int status, enum jr_reason reason)
{
    post->reason = reason;
    return status;
}

static int check_length(struct post *post)
{
    switch (jr_request_length(post->request, (uint64_t)post->handler->settings->body_max_bytes,
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
    struct jr_handler *handler = post->handler;

    if (post->length + 1 > handler->body_size) {
        char *larger = realloc(handler->body, post->length + 1);

        if (larger == NULL)
            return end_with(post, 503, JR_REASON_OUT_OF_MEMORY);
        handler->body = larger;
        handler->body_size = post->length + 1;
    }
    if (jr_request_read(post->request, handler->body, post->length) != JR_OK)
        return end_with(post, 400, JR_REASON_BODY_SHORT);
    handler->body[post->length] = '\0';
    return GO_ON;
}

static int check_signature(struct post *post)
{
    const struct jr_settings *settings = post->handler->settings;
    enum jr_err err = jr_signature_check(post->request->signature, post->handler->body,
                                         post->length, settings->github_sign_key,
                                         settings->github_sign_key_old);

    if (err == JR_EINVAL)
        return end_with(post, 403, JR_REASON_SIGNATURE_WRONG);
    return err == JR_OK ? GO_ON : end_with(post, 503, JR_REASON_STORE_FAILED);
}

static int check_event_name(struct post *post)
{
    if (post->request->header_doubled)
        return end_with(post, 400, JR_REASON_HEADER_DOUBLED);
    if (post->request->event != NULL && !jr_event_is_watched(post->request->event))
        return end_with(post, 204, JR_REASON_EVENT_NOT_WATCHED);
    if (post->length == 0)
        return end_with(post, 204, JR_REASON_NOTHING_IN_IT);
    return GO_ON;
}

static int find_payload(struct post *post)
{
    enum jr_err err;

    post->payload = post->handler->body;
    post->payload_length = post->length;
    if (!is_form(post))
        return GO_ON;
    err = jr_form_payload(post->handler->body, post->length, &post->form_value,
                          &post->payload_length, &post->error);
    post->payload = post->form_value;
    if (err == JR_ENOMEM)
        return end_with(post, 503, JR_REASON_OUT_OF_MEMORY);
    if (err != JR_OK)
        return end_with(post, 400, JR_REASON_BAD_FORM);
    if (post->payload_length == 0)
        return end_with(post, 204, JR_REASON_NOTHING_IN_IT);
    return GO_ON;
}

static int decode(struct post *post)
{
    enum jr_err err = jr_json_parse(post->payload, post->payload_length, &post->root, &post->error);

    if (err == JR_ENOMEM)
        return end_with(post, 503, JR_REASON_OUT_OF_MEMORY);
    if (err != JR_OK)
        return end_with(post, 400, JR_REASON_BAD_JSON);
    switch (jr_event_decode(post->request->event, post->root, &post->update.event, &post->error)) {
    case JR_PAYLOAD_NOTHING:
        return end_with(post, 204, JR_REASON_NOTHING_IN_IT);
    case JR_PAYLOAD_BAD:
        return end_with(post, 400, JR_REASON_BAD_SHAPE);
    case JR_PAYLOAD_EVENT:
        break;
    }
    return GO_ON;
}

static int store_failed(struct post *post, enum jr_err err)
{
    post->handler->broken |= err == JR_EFATAL;
    /* The dispatcher finds out when there is room again. */
    jr_wake_send(post->handler->settings->state_dir);
    return end_with(post, 503, err == JR_EFULL ? JR_REASON_STORE_FULL : JR_REASON_STORE_FAILED);
}

static int record(struct post *post)
{
    struct jr_handler *handler = post->handler;
    enum jr_err err;

    if (jr_delivery_identify(&post->update.delivery, post->request->delivery, handler->body,
                             post->length) != JR_OK)
        return end_with(post, 503, JR_REASON_STORE_FAILED);
    post->update.now_ms = jr_now_ms();
    err = jr_handler_open_store(handler, &post->error);
    if (err == JR_OK)
        err = jr_batch_submit(&handler->batch, handler->store, handler->settings, &post->update,
                              &post->receipt, &post->error);
    /* A repeat commits without a write, a damaged record fails by itself: neither shows
     * anything of the disk. */
    if (err != JR_EFORMAT && (err != JR_OK || !post->receipt.repeated))
        jr_runtime_note_commit(handler->runtime, err == JR_OK, post->update.now_ms);
    if (err != JR_OK)
        return store_failed(post, err);
    return end_with(post, post->receipt.answer.status, post->receipt.answer.reason);
}

static int (*const steps[])(struct post *) = {
    check_length, check_type, check_signature_header, read_body, check_signature,
    check_event_name, find_payload, decode, record,
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

static void log_post(const struct post *post, int status, int64_t start_us)
{
    const struct jr_event *event = &post->update.event;
    struct jr_line line;

    jr_line_begin(&line, level_of(status), "webhook");
    if (post->reason == JR_REASON_METHOD)
        log_header(&line, "method", post->request->method);
    log_header(&line, "delivery", post->request->delivery);
    log_header(&line, "event", post->request->event);
    jr_line_text(&line, "action", event->action);
    jr_line_text(&line, "repo", event->repo);
    if (event->run_id != 0) {
        jr_line_number(&line, "run", event->run_id);
        jr_line_number(&line, "attempt",
                       event->attempt != 0 ? event->attempt : post->receipt.answer.attempt);
    }
    if (event->job_id != 0) {
        jr_line_number(&line, "job", event->job_id);
        jr_line_text(&line, "name", event->job_name);
    }
    if (event->status == JR_STATUS_COMPLETED)
        jr_line_text(&line, "conclusion", jr_conclusion_name(event->conclusion));
    jr_line_number(&line, "status", (uint64_t)status);
    jr_line_text(&line, "result", jr_response_result(status));
    jr_line_text(&line, "reason", jr_reason_token(post->reason));
    if (post->receipt.verdict != JR_REASON_NONE) {
        jr_line_text(&line, "verdict", "closed");
        if (post->receipt.verdict != post->reason)
            jr_line_text(&line, "because", jr_reason_token(post->receipt.verdict));
    }
    if (post->receipt.repeated)
        jr_line_text(&line, "repeated", "yes");
    if (status >= 400 && post->error.code != JR_OK)
        jr_line_text(&line, "text", post->error.text);
    jr_line_ms(&line, "ms", jr_monotonic_us() - start_us);
    jr_line_write(&line);
}

static void count_post(const struct post *post, int status, int64_t start_us)
{
    struct jr_process *process = post->handler->process;
    struct jr_counters *counters;

    if (process == NULL)
        return;
    counters = &process->counters;
    jr_count_webhook(counters, post->request->event, status, post->reason,
                     jr_monotonic_us() - start_us);
    jr_count_verdict(counters, post->receipt.verdict);
    if (post->receipt.rescued)
        jr_count(&counters->rescued_runs);
}

static void handle_post(struct jr_handler *handler, const struct jr_request *request,
                        struct jr_response *response)
{
    struct post post = { .handler = handler, .request = request };
    int64_t start_us = jr_monotonic_us();
    int status = GO_ON;

    for (size_t i = 0; status == GO_ON && i < sizeof steps / sizeof *steps; i++)
        status = steps[i](&post);
    if (post.receipt.due_moved)
        jr_wake_send(handler->settings->state_dir);
    jr_response_reason(response, status, post.reason,
                       post.receipt.answer.run_id != 0 ? post.receipt.answer.run_id
                                                       : post.update.event.run_id);
    log_post(&post, status, start_us);
    count_post(&post, status, start_us);
    json_object_put(post.root);
    free(post.form_value);
    if (handler->body_size > BODY_KEPT) {
        free(handler->body);
        handler->body = NULL;
        handler->body_size = 0;
    }
}

/* As plain CGI, or alone, there is nobody to take a place from. */
static bool has_places(const struct jr_handler *handler)
{
    return handler->runtime != NULL && handler->worker >= 0;
}

bool jr_handle_may_read(struct jr_handler *handler, bool without_body,
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

void jr_handle_done(struct jr_handler *handler, struct jr_response *response)
{
    if (handler->has_place)
        jr_runtime_page_end(handler->runtime, handler->worker);
    handler->has_place = false;
    jr_response_release(response);
}

static void handle_get(struct jr_handler *handler, const struct jr_request *request,
                       bool without_body, struct jr_response *response)
{
    if (strcmp(request->path, "/") == 0)
        jr_response_page(response, 200, "text/html; charset=utf-8", greeting, without_body);
    else if (strcmp(request->path, "/healthz") == 0)
        jr_health_answer(handler->settings, handler->runtime, handler->worker >= 0, without_body,
                         response);
    else if (jr_page_is_open(request))
        jr_page_answer(handler, request, without_body, response);
    else if (jr_scrape_is_open(request))
        jr_scrape_answer(handler, without_body, response);
    else
        jr_response_page(response, 404, "text/plain; charset=utf-8", "There is no such page.\n",
                         without_body);
}

static void refuse_method(struct jr_handler *handler, const struct jr_request *request,
                          struct jr_response *response)
{
    struct post post = { .handler = handler, .request = request, .reason = JR_REASON_METHOD };
    int64_t start_us = jr_monotonic_us();

    jr_response_reason(response, 405, post.reason, 0);
    log_post(&post, 405, start_us);
    count_post(&post, 405, start_us);
}

static void answer(struct jr_handler *handler, const struct jr_request *request,
                   struct jr_response *response)
{
    const char *method = request->method == NULL ? "" : request->method;

    if (strcmp(method, "POST") == 0) {
        handle_post(handler, request, response);
    } else if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
        handle_get(handler, request, strcmp(method, "HEAD") == 0, response);
    } else {
        refuse_method(handler, request, response);
    }
}

void jr_handle(struct jr_handler *handler, const struct jr_request *request,
               struct jr_response *response)
{
    jr_process_note_busy(handler->process, jr_now_ms());
    answer(handler, request, response);
    jr_process_note_busy(handler->process, 0);
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

enum jr_err jr_handler_open_store(struct jr_handler *handler, struct jr_error *error)
{
    enum jr_err err;

    if (handler->store != NULL)
        return JR_OK;
    err = jr_store_open(&handler->store, handler->settings->state_dir,
                        handler->settings->map_size_bytes, error);
    if (err == JR_OK && (handler->worker < 0 || jr_test_batch_is_off())) {
        handler->own_slot = calloc(1, sizeof *handler->own_slot);
        err = handler->own_slot == NULL ? jr_error_set(error, JR_ENOMEM, "out of memory")
                                        : jr_batch_open(&handler->batch, 0, handler->own_slot, 1, 0,
                                                        handler->store, error);
    } else if (err == JR_OK) {
        jr_store_watch(handler->store, &handler->runtime->writer);
        jr_store_time(handler->store, &handler->process->counters.commit_us);
        err = jr_batch_open(&handler->batch, handler->runtime->batch_id, handler->runtime->slots,
                            handler->runtime->slot_count, (size_t)handler->worker,
                            handler->store, error);
    }
    return err;
}

void jr_handler_release(struct jr_handler *handler)
{
    jr_store_close(handler->store);
    free(handler->own_slot);
    free(handler->body);
    memset(handler, 0, sizeof *handler);
}
