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
#include "base/users.h"
#include "config/config.h"
#include "proxy/admission.h"
#include "proxy/keywatch.h"
#include "proxy/provision.h"

struct listener;
struct service;

/* What services share; borrowed, as long as they live. */
struct service_host {
    struct loop *main_loop;
    struct pool *pool;
    struct admission *admission;
    struct service *const *running; /* before a reload; may pass listeners */
    size_t running_count;
    /* Bound before anything else was done, in the order of the services; who
     * takes one leaves NULL.  NULL: none was. */
    struct listener **bound;
    struct owner owner; /* whose sockets are when nothing else is said */
    uint64_t next_id;
};

/*
 * Binds, composes names; serves nobody yet and waits for nobody: what takes time
 * is in provision, of which it takes what it needs.  predecessor (NULL: none) is
 * the same service before a reload: its tickets, when the credential is the same,
 * go on, and so does the listener of whichever running service has the address.
 */
MUST_CHECK struct service *service_new(struct service_host *host,
                                       struct provision *provision,
                                       const struct service *predecessor,
                                       struct error *err);

/* Begins to accept; a server that has the directory asked about its names first
 * does it when that has answered, and not at all when they are bad.  False: it
 * could not, and tries again every second until it is stopped. */
MUST_CHECK bool service_start(struct service *service, struct error *err);

/* Does it listen where other does?  Port 0 is no place. */
bool service_succeeds(const struct service *service,
                      const struct service *other);

/* Accepts no more.  succeeded: another service goes on with the listener. */
void service_stop(struct service *service, bool succeeded);
void service_free(struct service *service);

/* Does it accept connections? */
bool service_is_serving(const struct service *service);

/* There may be room again. */
void service_resume(struct service *service);

const struct service_settings *service_settings(const struct service *service);

/* Through all reloads; borrowed. */
const struct counters *service_counters(const struct service *service);

/* Why it cannot serve now, a sentence that is valid until anything changes;
 * NULL: it can, as far as listener, directory and names go. */
const char *service_why_not_ready(const struct service *service);

/* What is measured of it now; members without has_ are always set. */
struct service_figures {
    bool is_ready;
    bool has_ticket;         /* a client */
    bool has_answer;         /* of the directory */
    bool has_keytab;         /* whose file was looked at */
    uint64_t ticket_seconds; /* until it ends; 0: there is none */
    uint64_t answer_seconds; /* since it came */
    size_t servers;          /* that the directory offers and the rules allow */
    struct key_facts keytab;
};
void service_figures(const struct service *service,
                     struct service_figures *out);

/* One JSON object. */
void service_describe(struct service *service, struct evbuffer *out);

#endif
