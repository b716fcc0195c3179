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
#include "lib/service/sight.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

#define JR_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The text of a service that has just begun is some 20 kB; it cannot become longer than this. */
#define JR_METRICS_MOST ((size_t)2 * 1024 * 1024)

/* What there is to tell. Times in ms since the epoch, 0: none; what is yes or no as 1 or 0. */
struct jr_metrics {
    struct jr_sight sight; /* its workers_busy without the one that answers */
    const char *version;   /* of the program */
    int64_t now_ms;
    int64_t dispatcher_up; /* one, of this service or another, holds the lock */
    int64_t outbox_entries;
    int64_t outbox_due_ms; /* when the first is or was due that no pause holds up; 0: there is none */
    /* reruns of this hour and runner time of today, of all repositories; repositories by their
     * limits; runs that wait */
    int64_t spent_reruns, spent_seconds, limits_near, limits_over, budget_waiting;
    int64_t suspect_runners; /* that stand out (flaky.h); JR_FLAKY_SUSPECTS_MAX: as many or more */
    int64_t held_causes;   /* for which reruns are held: bit n is enum jr_cause n */
    int64_t held_runs;     /* that wait for that, or for their turn after it */
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
 *   metrics  with the time that jr_metrics_read_sight() has set
 * Returns JR_OK or what failed.
 */
enum jr_err jr_metrics_read_store(struct jr_metrics *metrics, struct jr_store *store,
                                  struct jr_error *error) JR_CHECKED;

/* Write the text. buffer->ok is false when it does not fit. */
void jr_metrics_write(const struct jr_metrics *metrics, struct jr_buffer *buffer);

#endif
