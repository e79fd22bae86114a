/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps a client's servers found: looks them up at the start and every refresh,
 * off the loops; keeps the last good answer, in memory and in state_dir, while
 * the directory does not answer; tells its owner when what is known changes.
 * The main thread's alone.
 */
#ifndef PROXY_FINDER_H
#define PROXY_FINDER_H

#include <event2/buffer.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "config/config.h"
#include "directory/discovery.h"

struct finder;

/* discovery is borrowed: hold it to keep it. */
typedef void finder_changed(const struct discovery *discovery, void *arg);

/* Reads the kept answer, which may block; asks nobody yet.  config is held. */
MUST_CHECK struct finder *finder_new(struct config *config,
                                     const struct service_settings *service,
                                     unsigned workers, struct error *err);

/* Before finder_start: goes on with what predecessor knows, when it asked the
 * same. */
void finder_succeed(struct finder *finder, const struct finder *predecessor);

/* What is known now; never NULL. */
const struct discovery *finder_discovery(const struct finder *finder);

/* Begins to ask.  on_changed may come from then on, never inside. */
void finder_start(struct finder *finder, struct loop *loop, struct pool *pool,
                  finder_changed *on_changed, void *arg);
void finder_free(struct finder *finder); /* any state; NULL is fine */

/* Seconds since the directory gave what is known; false: it never did. */
bool finder_age(const struct finder *finder, uint64_t *seconds_out);

/* Members of a JSON object: what is known, since when, from where. */
void finder_describe(const struct finder *finder, struct evbuffer *out);

#endif
