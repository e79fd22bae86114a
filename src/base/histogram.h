/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often something took how long.  Any thread may observe and read at any
 * time; an observation is two additions to memory.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_BOUNDS = 14
};

enum histogram_scale {
    HISTOGRAM_MOMENTS,   /* 1 ms to 30 s */
    HISTOGRAM_LIFETIMES, /* 10 ms to a week */
};

/* All zero: nothing observed yet. */
struct histogram {
    enum histogram_scale scale;
    atomic_uint_fast64_t
        buckets[HISTOGRAM_BOUNDS + 1]; /* the last: above all */
    atomic_uint_fast64_t sum_us;
};

/* The upper bounds, in microseconds, ascending; bound < HISTOGRAM_BOUNDS. */
uint64_t histogram_bound_us(enum histogram_scale scale, size_t bound);

void histogram_observe(struct histogram *histogram, uint64_t us);

#endif
