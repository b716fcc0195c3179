/*
 * scrape -- GET /metrics, for Prometheus.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/scrape.h"
#include "lib/base/log.h"
#include "lib/base/timestamp.h"
#include "lib/service/metrics.h"
#include "lib/steps/chosen.h"
#include "lib/steps/spending.h"

#include <string.h>

bool jr_scrape_is_open(const struct jr_request *request)
{
    return (request->pages & JR_PAGES_METRICS) != 0 && strcmp(request->path, "/metrics") == 0;
}

static enum jr_err read_limits(const struct jr_context *context, struct jr_metrics *metrics,
                               struct jr_error *error)
{
    struct jr_spending_view spending = { .limited = false };
    struct jr_policy policy;
    enum jr_err err = jr_chosen_policy(context->settings, &policy);

    if (err != JR_OK)
        return jr_error_set(error, err, "the policy cannot be read");
    err = jr_spending_look(context->store, &policy, metrics->now_ms, &spending, error);
    jr_policy_release(&policy);
    metrics->spent_reruns = spending.all.reruns;
    metrics->spent_seconds = 60 * (int64_t)spending.all.minutes;
    metrics->limits_near = spending.near;
    metrics->limits_over = spending.over;
    metrics->budget_waiting = (int64_t)spending.waiting;
    return err;
}

static enum jr_err make(struct jr_context *context, struct jr_buffer *text, struct jr_error *error)
{
    struct jr_metrics metrics;
    struct jr_sight sight;
    enum jr_err err;

    if (jr_context_look(context, &sight) == NULL)
        return jr_error_set(error, JR_ENOENT, "no service is running");
    jr_metrics_read_sight(&metrics, &sight, context->process != NULL,
                          context->settings->state_dir, jr_now_ms());
    err = jr_context_open_store(context, error);
    if (err == JR_OK)
        err = jr_metrics_read_store(&metrics, context->store, error);
    if (err == JR_OK)
        err = read_limits(context, &metrics, error);
    context->broken |= err == JR_EFATAL;
    if (err != JR_OK)
        return err;
    jr_metrics_write(&metrics, text);
    return text->ok ? JR_OK : jr_error_set(error, JR_ENOMEM, "out of memory");
}

void jr_scrape_answer(struct jr_context *context, bool without_body, struct jr_response *response)
{
    struct jr_buffer text;
    struct jr_error error;

    if (!jr_context_may_read(context, without_body, response))
        return;
    jr_buffer_init(&text, JR_METRICS_MOST);
    if (make(context, &text, &error) == JR_OK) {
        jr_response_large(response, 200, JR_METRICS_TYPE, "", &text, without_body);
        return;
    }
    jr_buffer_release(&text);
    jr_log(JR_LOG_ERROR, "metrics", "%s", error.text);
    jr_response_page(response, 503, "text/plain; charset=utf-8",
                     "There are no metrics for now; the log says why.\n", without_body);
}
