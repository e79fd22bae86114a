/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries bytes between two descriptors of any kind, as standard input and
 * output, and a socket.  Two threads that block: a regular file cannot be
 * watched, and O_NONBLOCK would be seen by everybody who shares the descriptor.
 */
#ifndef PROXY_PUMP_H
#define PROXY_PUMP_H

#include "base/error.h"
#include "base/loop.h"

struct pump;

struct pump_settings {
    int input, output; /* borrowed; output is ended by the pump */
    int socket;        /* taken over, also on failure; blocking */
    struct loop *loop; /* borrowed; of on_failed */
    /* Reading input or writing output failed; at most once. */
    void (*on_failed)(const struct error *err, void *arg);
    void *arg;
};

MUST_CHECK struct pump *pump_start(const struct pump_settings *settings,
                                   struct error *err);

/*
 * Waits until all that the socket brought is written; output is at its end then.
 * False when it could not be.  A thread that waits for input is left behind, but
 * does not use the loop any more.
 */
MUST_CHECK bool pump_finish(struct pump *pump, struct error *err);

/* After pump_finish, once the loop has delivered its mail; NULL is fine. */
void pump_free(struct pump *pump);

#endif
