/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one accepted connection works with: the settings, credential and
 * destinations of its service as they were when it was accepted.  Immutable and
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
#include "directory/discovery.h"
#include "gss/credential.h"
#include "proxy/counters.h"

struct addressbook;

/* Where to dial: the application, or a server sidecar and its name. */
struct destination {
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
    struct addressbook *addresses;          /* held; of the servers; or NULL */
    /* Held; candidate for candidate the destinations, with the weights that
     * order them; NULL with `connect =`. */
    struct discovery *choice;
    char *why_empty; /* owned; why there is no destination; NULL: there is */
    size_t destination_count;
    struct destination destinations[];
};

/* What a snapshot is made of; all borrowed, what is kept is held. */
struct snapshot_parts {
    struct config *config;
    const struct service_settings *service;
    struct credential *credential;
    struct counters *counters;
    const struct discovery *discovery; /* NULL with `connect =` */
    /* Whose penalties and known addresses go on; NULL: none. */
    const struct snapshot *previous;
};

/* NULL, and err, when a name cannot be composed. */
MUST_CHECK struct snapshot *snapshot_new(const struct snapshot_parts *parts,
                                         struct error *err);
/* What a server of `connect =` is called: `spn =`, or as spn_format says. */
MUST_CHECK bool snapshot_spn(const struct service_settings *service,
                             const struct endpoint *endpoint,
                             char spn[SPN_SIZE], struct error *err);

struct snapshot *snapshot_hold(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot);

enum {
    DESTINATIONS_MAX = 64
};

/*
 * The order of dialling, destination_count indices: as `select` says, and by SRV
 * priority and weight within an SCP; those under a penalty last.
 */
void snapshot_order(const struct snapshot *snapshot,
                    uint8_t order[DESTINATIONS_MAX]);

/* This destination failed: it goes last for 30 s.  Or it did not: no more. */
void snapshot_penalise(struct snapshot *snapshot, size_t destination);
void snapshot_absolve(struct snapshot *snapshot, size_t destination);

#endif
