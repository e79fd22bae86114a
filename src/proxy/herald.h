/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells the service manager how it goes: ready, reloading, stopping, a line of
 * status, and, when it wants them, signs of life.  A sign of life is given only
 * when every event loop has answered a letter since the last.
 */
#ifndef PROXY_HERALD_H
#define PROXY_HERALD_H

#include "base/error.h"
#include "base/notify.h"

struct herald;
struct server;

/* In the main thread, when the workers stand.  notifier is borrowed. */
MUST_CHECK struct herald *herald_new(struct server *server,
                                     const struct notifier *notifier,
                                     struct error *err);

/* Once the workers have ended and the main loop has delivered their mail. */
void herald_free(struct herald *herald);

/* NULL is fine for all of them: a start or an end that is not complete. */
void herald_ready(struct herald *herald);     /* started or reloaded */
void herald_reloading(struct herald *herald); /* ready follows */
void herald_stopping(struct herald *herald);

#endif
