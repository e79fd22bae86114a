/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting into a table of bounds; searched from below, as most are short. */
#include "base/histogram.h"

#define MS UINT64_C(1000)
#define S (1000 * MS)

static const uint64_t bounds_us[][HISTOGRAM_BOUNDS] = {
    [HISTOGRAM_MOMENTS] = {1 * MS, 2 * MS, 5 * MS, 10 * MS, 25 * MS, 50 * MS,
                           100 * MS, 250 * MS, 500 * MS, 1 * S, 2500 * MS,
                           5 * S, 10 * S, 30 * S},
    [HISTOGRAM_LIFETIMES] = {10 * MS, 100 * MS, 1 * S, 5 * S, 15 * S, 60 * S,
                             300 * S, 900 * S, 3600 * S, 14400 * S, 43200 * S,
                             86400 * S, 259200 * S, 604800 * S},
};

uint64_t
histogram_bound_us(enum histogram_scale scale, size_t bound)
{
    return bounds_us[scale][bound];
}

void
histogram_observe(struct histogram *histogram, uint64_t us)
{
    const uint64_t *bounds = bounds_us[histogram->scale];
    size_t bucket = 0;

    while (bucket < HISTOGRAM_BOUNDS && us > bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}
