/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a server does about the directory at its start: sees whether its names
 * are registered as they should be, and keeps its service connection point up
 * to date.  Off the loops; a directory that does not answer is asked again.
 * The main thread's alone.
 */
#ifndef PROXY_REGISTRATION_H
#define PROXY_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>
#include <event2/buffer.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "config/config.h"

struct registration;

/* Comes again when it changes: a name may be put right, or taken away. */
typedef void registration_verdict(bool may_serve, void *arg);

/* Is there anything to see to? */
bool registration_is_wanted(const struct config *config,
                            const struct service_settings *service);

/* Asks nobody yet.  config is held. */
MUST_CHECK struct registration *registration_new(
    struct config *config, const struct service_settings *service,
    unsigned workers, struct error *err);

/* port: that is bound, published unless another is configured.  on_verdict
 * comes from then on, never inside. */
void registration_start(struct registration *registration, struct loop *loop,
                        struct pool *pool, uint16_t port,
                        registration_verdict *on_verdict, void *arg);
void registration_free(struct registration *registration); /* NULL is fine */

/* A member of a JSON object. */
void registration_describe(const struct registration *registration,
                           struct evbuffer *out);

#endif
