/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server from inside: shared by server.c, reload.c, drain.c and status.c.
 */
#ifndef PROXY_SERVER_PARTS_H
#define PROXY_SERVER_PARTS_H

#include "base/batch.h"
#include "base/loop.h"
#include "base/notify.h"
#include "base/pool.h"
#include "base/timer.h"
#include "base/watch.h"
#include "config/config.h"
#include "proxy/admission.h"
#include "proxy/confinement.h"
#include "proxy/preparation.h"
#include "proxy/service.h"
#include "proxy/thrift.h"
#include "proxy/worker.h"

/* To peers, callers of the status and in the log. */
#define BEING_STOPPED "kerbwrap is being stopped"

struct herald;
struct status;

struct server {
    /* owned */
    struct config *config; /* held; the newest */
    struct loop *loop;     /* of the main thread */
    struct pool *pool;
    struct batch_budget *budget;
    struct worker **workers;
    size_t worker_count;
    struct admission *admission;
    struct service **services; /* in the order of config */
    size_t service_count;
    struct status *status;
    struct notifier notifier;
    struct herald *herald;
    struct confinement *confinement; /* NULL: none */
    struct preparation *preparation; /* of the start or a reload under way */
    int signal_fd;
    struct watch signals;
    struct timer drain_timer;
    struct thrift thrift;
    /* plain */
    struct service_host host;
    uint64_t started_ms;
    int stopping;      /* SIGTERMs so far */
    bool reload_again; /* SIGHUP came while one was under way */
    bool failed;       /* to start */
};

/* `user =`: binds what is to be listened on, then confines the process. */
MUST_CHECK bool server_confine(struct server *server, struct error *err);
/* Of what was bound, what no service took. */
void server_forget_bound(struct server *server);
void server_raise_descriptors(const struct config *config);

/* Services as prepared, those of the server now (if any) as predecessors; NULL,
 * and err, when one cannot be. */
MUST_CHECK struct service **server_make_services(
    struct server *server, const struct prepared *prepared, struct error *err);
void server_free_services(struct service **services, size_t count);

/* max_connections and its like, as far as the descriptors allow. */
void server_apply_limits(struct server *server, const struct config *config);

/* Of a start or a reload: in the pool, and not for ever.  before and config are
 * those of struct preparation_settings.  False for lack of memory. */
MUST_CHECK bool server_prepare(struct server *server, struct config *before,
                               struct config *config, preparation_done *done);

/* SIGHUP: the file anew, all of it or nothing; later, when the last start or
 * reload is not over yet. */
void server_reload(struct server *server);

/* SIGTERM: once in an orderly way, twice at once. */
void server_stop(struct server *server);
/* A connection is gone: the drain may be over. */
void server_check_drained(struct server *server);

/* arrive (NULL: none) at every worker, visit (likewise) for its connections;
 * then done, once, in the main thread, with arg. */
typedef void server_arrive(struct worker *worker, const void *arg);
typedef void server_visit(struct connection *conn, struct evbuffer *out,
                          const void *arg);
typedef void server_visited(struct evbuffer *out, void *done_arg);

struct tour {
    server_arrive *arrive;
    server_visit *visit;
    const void *arg; /* borrowed by both until done */
    server_visited *done;
    void *done_arg;
};

/* out: what all visits wrote, joined by commas.  done always comes, at the
 * latest with the mail that is delivered once the workers have ended.  False
 * for lack of memory. */
MUST_CHECK bool server_tour(struct server *server, const struct tour *tour);

/* status.c */
MUST_CHECK struct status *status_new(struct server *server, struct error *err);
void status_free(struct status *status);

#endif
