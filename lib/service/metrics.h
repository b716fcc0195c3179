/*
 * metrics -- the counters and the state of a service as text for Prometheus.
 *
 * Source: the text format, version 0.0.4, and the conventions for names and units:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://prometheus.io/docs/practices/naming/
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_METRICS_H
#define JR_METRICS_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/service/counters.h"
#include "lib/service/sight.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define JR_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The text is some 15 kB; it cannot become longer than this. */
#define JR_METRICS_MOST ((size_t)1024 * 1024)

/* What there is to tell. Times in ms since the epoch, 0: none; what is yes or no as 1 or 0. */
struct jr_metrics {
    struct jr_counters counters; /* of all processes together */
    const char *version;         /* of the program */
    int64_t now_ms;
    int64_t started_ms;
    int64_t workers;
    int64_t workers_busy;
    int64_t worker_restarts;
    int64_t dispatcher_restarts;
    int64_t dispatcher_up; /* one, of this service or another, holds the lock */
    int64_t commits_failing;
    int64_t paused;
    int64_t repo_pauses;
    int64_t token_rejected;
    int64_t token_expires_ms;
    int64_t rate_limited;
    int64_t shut_outs;
    enum jr_reason outage; /* why calls fail; NONE: they do not */
    int64_t rate_limit; /* 0: GitHub has not told; then neither of the two below */
    int64_t rate_remaining;
    int64_t rate_reset_ms;
    int64_t sweep_begun_ms;
    int64_t sweep_ended_ms;
    int64_t map_used_bytes; /* 0: not measured yet */
    int64_t map_size_bytes;
    int64_t outbox_entries;
    int64_t outbox_due_ms; /* when the first is or was due that no pause holds up; 0: there is none */
    int64_t outbox_oldest_ms; /* since when the one waits that has waited longest; likewise */
};

/*
 * Collect all that processes tell each other.
 *   from_worker  asked by a worker of the service, which does not count as busy
 *   state_dir    where the dispatcher's lock is
 */
void jr_metrics_read_sight(struct jr_metrics *metrics, const struct jr_sight *sight,
                           bool from_worker, const char *state_dir, int64_t now_ms);

/*
 * Collect what is in the store, in short read transactions (jr_listing_waiting).
 *   metrics  with the time that jr_metrics_read_runtime() has set
 * Returns JR_OK or what failed.
 */
enum jr_err jr_metrics_read_store(struct jr_metrics *metrics, struct jr_store *store,
                                  struct jr_error *error) JR_CHECKED;

/* Write the text. buffer->ok is false when it does not fit. */
void jr_metrics_write(const struct jr_metrics *metrics, struct jr_buffer *buffer);

#endif
