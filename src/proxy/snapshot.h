/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one accepted connection works with: the settings, credential and
 * candidates of its service as they were when it was accepted.  Immutable and
 * reference counted, so that no loop reads anything that a reload or a lookup
 * changes under it.  Only the penalties and the counters move, atomically.
 */
#ifndef PROXY_SNAPSHOT_H
#define PROXY_SNAPSHOT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/socket.h"
#include "config/config.h"
#include "gss/credential.h"

/* Of a service through all its snapshots. */
struct counters {
    atomic_uint references;
    atomic_uint connections; /* now */
    atomic_uint_fast64_t accepted;
    atomic_uint_fast64_t opened;
    atomic_uint_fast64_t failed;
    atomic_uint_fast64_t refused;
    atomic_uint_fast64_t received; /* from the tunnel; of ended connections */
    atomic_uint_fast64_t sent;     /* to the tunnel; likewise */
};

/* Where to dial: the application, or a server sidecar and its name. */
struct candidate {
    struct endpoint endpoint;
    char *spn;                          /* owned; NULL beside a server */
    atomic_uint_fast64_t penalty_until; /* loop_now_ms; 0: none */
};

struct snapshot {
    atomic_uint references;
    struct config *config;                  /* held */
    const struct service_settings *service; /* in config */
    struct credential *credential;          /* held */
    struct counters *counters;              /* held */
    size_t candidate_count;
    struct candidate candidates[];
};

MUST_CHECK struct counters *counters_new(void);
struct counters *counters_hold(struct counters *counters);
void counters_release(struct counters *counters);

/*
 * A snapshot of a service whose candidates are its `connect =`.  Takes its own
 * references.  NULL, and err, when a name cannot be composed.
 */
MUST_CHECK struct snapshot *snapshot_new(struct config *config,
                                         const struct service_settings *service,
                                         struct credential *credential,
                                         struct counters *counters,
                                         struct error *err);
struct snapshot *snapshot_hold(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot);

enum {
    CANDIDATES_MAX = 64
};

/*
 * The order of dialling, candidate_count indices: as listed or shuffled, as the
 * service says, those under a penalty last.
 */
void snapshot_order(const struct snapshot *snapshot,
                    uint8_t order[CANDIDATES_MAX]);

/* This candidate failed: it goes last for 30 s.  Or it did not: no more. */
void snapshot_penalise(struct snapshot *snapshot, size_t candidate);
void snapshot_absolve(struct snapshot *snapshot, size_t candidate);

#endif
