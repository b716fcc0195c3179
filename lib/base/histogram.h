/*
 * histogram -- how long something took, counted in buckets, in memory that others may read.
 *
 * One process writes; counting is a load and a store, without a lock.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HISTOGRAM_H
#define JR_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Of jr_histogram_bounds_us[]; one bucket more holds what is above them all. */
#define JR_HISTOGRAM_BOUNDS 11

struct jr_histogram {
    _Atomic uint64_t buckets[JR_HISTOGRAM_BOUNDS + 1]; /* each for itself, not cumulated */
    _Atomic uint64_t sum_us;
};

/* The upper ends of the buckets, rising. */
extern const int64_t jr_histogram_bounds_us[JR_HISTOGRAM_BOUNDS];

/* Count one more. Only for the process whose counter it is; it may be NULL. */
static inline void jr_count(_Atomic uint64_t *counter)
{
    if (counter != NULL)
        atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                              memory_order_relaxed);
}

/* Take one more duration into a histogram; it may be NULL. A negative one is 0. */
void jr_histogram_note(struct jr_histogram *histogram, int64_t duration_us);

/* How many durations are in it. */
uint64_t jr_histogram_count(const struct jr_histogram *histogram);

#endif
