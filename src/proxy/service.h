/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One [server NAME] or [client NAME] while it runs: its listener, the snapshot
 * that the next accepted connection gets, and the upkeep of its tickets.  The
 * main thread's alone.
 */
#ifndef PROXY_SERVICE_H
#define PROXY_SERVICE_H

#include <event2/buffer.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "config/config.h"
#include "proxy/admission.h"

/* What services share; borrowed, as long as they live. */
struct service_host {
    struct loop *main_loop;
    struct pool *pool;
    struct admission *admission;
    uint64_t next_id;
};

struct service;

/*
 * Binds, loads the credential, composes names; serves nobody yet.  predecessor
 * (NULL: none) is the same service before a reload: its listener, when the
 * address is the same, and its tickets, when the credential is, go on.
 */
MUST_CHECK struct service *service_new(struct service_host *host,
                                       struct config *config,
                                       const struct service_settings *settings,
                                       struct service *predecessor,
                                       struct error *err);

/* Begins to accept. */
MUST_CHECK bool service_start(struct service *service, struct error *err);

/* Accepts no more.  successor (NULL: none) goes on with what they share. */
void service_stop(struct service *service, const struct service *successor);
void service_free(struct service *service);

/* There may be room again. */
void service_resume(struct service *service);

const struct service_settings *service_settings(const struct service *service);

/* Through all reloads; borrowed. */
const struct counters *service_counters(const struct service *service);

/* One JSON object. */
void service_describe(struct service *service, struct evbuffer *out);

#endif
