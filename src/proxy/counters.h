/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted of a service, through all its snapshots and reloads.  Any
 * thread adds and reads at any time: relaxed, a few additions in the life of a
 * connection, none for a byte or a record.
 */
#ifndef PROXY_COUNTERS_H
#define PROXY_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/histogram.h"

enum {
    /* Kinds of failures that are told apart; the last takes any more. */
    FAILURE_KINDS = 48
};

/* Labels live for ever; the same text may have several addresses. */
struct failure_count {
    _Atomic(const char *) label; /* NULL: free, and so are those behind */
    atomic_uint_fast64_t count;
};

struct counters {
    atomic_uint references;
    atomic_uint connections; /* now */
    atomic_uint_fast64_t accepted;
    /* How openings ended. */
    atomic_uint_fast64_t opened;
    atomic_uint_fast64_t failed;
    atomic_uint_fast64_t refused;
    atomic_uint_fast64_t probes;
    atomic_uint_fast64_t failovers; /* one of several servers did not do */
    struct failure_count failures[FAILURE_KINDS];
    struct histogram handshake;  /* from accepting to a proved peer */
    struct histogram connection; /* from opening to the end */
    /* Of connections that ended, and of others up to the last look at them. */
    atomic_uint_fast64_t received; /* from the tunnel */
    atomic_uint_fast64_t sent;     /* to the tunnel */
};

MUST_CHECK struct counters *counters_new(void); /* NULL: out of memory */
struct counters *counters_hold(struct counters *counters);
void counters_release(struct counters *counters); /* NULL is fine */

/* One more of what is counted in counter. */
void counters_add(atomic_uint_fast64_t *counter, uint64_t amount);
uint64_t counters_get(const atomic_uint_fast64_t *counter);

/* A failure of this kind; NULL: "other". */
void counters_failure(struct counters *counters, const char *label);

#endif
