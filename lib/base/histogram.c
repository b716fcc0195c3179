/*
 * histogram -- how long something took, counted in buckets.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/histogram.h"

const int64_t jr_histogram_bounds_us[JR_HISTOGRAM_BOUNDS] = {
    500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 500000, 2000000, 8000000,
};

static void add(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

void jr_histogram_note(struct jr_histogram *histogram, int64_t duration_us)
{
    size_t bucket = 0;

    if (histogram == NULL)
        return;
    if (duration_us < 0)
        duration_us = 0;
    while (bucket < JR_HISTOGRAM_BOUNDS && duration_us > jr_histogram_bounds_us[bucket])
        bucket++;
    add(&histogram->sum_us, (uint64_t)duration_us);
    jr_count(&histogram->buckets[bucket]);
}

uint64_t jr_histogram_count(const struct jr_histogram *histogram)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= JR_HISTOGRAM_BOUNDS; i++)
        count += histogram->buckets[i];
    return count;
}
