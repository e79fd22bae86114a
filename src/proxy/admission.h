/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may come in now: counts connections and handshakes, holds back what is
 * over the limits, and hands arrivals to the workers in turn.  The main
 * thread's alone.
 *
 * A held arrival costs a descriptor and nothing else: nothing is read from it.
 * Sources take turns, so that one that floods delays itself, and no arrival is
 * held for longer than a handshake may take; together they take at most half of
 * the connections.  While some are held, those inside who keep silent are to be
 * sent away early: admission_is_crowded.  Only servers' arrivals count as
 * handshakes: a client's come from applications on this machine.
 */
#ifndef PROXY_ADMISSION_H
#define PROXY_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/loop.h"
#include "proxy/arrival.h"
#include "proxy/worker.h"

struct admission;

struct admission_limits {
    unsigned connections;
    unsigned handshakes;
    unsigned handshakes_per_source;
};

struct admission_status {
    unsigned limit;       /* of connections */
    unsigned connections; /* held ones too */
    unsigned handshakes;
    unsigned held;
};

/* workers is borrowed.  on_closed tells that a connection is gone, so
 * that there may be room again. */
MUST_CHECK struct admission *admission_new(struct loop *main_loop,
                                           struct worker *const *workers,
                                           size_t worker_count,
                                           void (*on_closed)(void *arg),
                                           void *arg, struct error *err);

/* Whoever is held back is sent away, with that reason in the log, and nothing
 * more is handed to the workers, which are about to end.  NULL is fine. */
void admission_stop(struct admission *admission, const char *reason);

/* The workers have ended: frees what is still out there or held back. */
void admission_free(struct admission *admission);

void admission_limit(struct admission *admission,
                     const struct admission_limits *limits);

/* Is one more connection within max_connections? */
bool admission_has_room(const struct admission *admission);

/* Takes the arrival over: hands it on, now or when its turn comes. */
void admission_take(struct admission *admission, struct arrival *arrival);

/* Are any held back?  Of an arrival that was handed over; any thread. */
bool admission_is_crowded(const struct arrival *arrival);

struct admission_status admission_status(const struct admission *admission);

#endif
