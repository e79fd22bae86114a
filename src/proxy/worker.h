/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One event loop and the connections that live on it.
 */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include <event2/buffer.h>

#include "base/batch.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "proxy/arrival.h"

struct config;
struct connection;
struct program;

struct worker {
    /* owned */
    struct loop *loop; /* unless it is a host's */
    struct batch_store *store;
    /* the loop's thread only */
    struct connection *connections;
    struct round *rounds;     /* under way; borrowed */
    struct program *programs; /* that outlive their connections */
    struct config *rules; /* held; of the last reload, which judge everybody;
                               * NULL: each has its own */
    uint64_t untold;      /* generation of the rules of which the log says that
                        nobody can tell whom they forbid; 0: of none */
    /* borrowed */
    struct pool *pool;
    /* plain */
    bool is_guest; /* in the loop of a host */
};

/* In host, a loop that somebody else runs; NULL: in one of its own, which is
 * called name. */
MUST_CHECK struct worker *worker_new(struct loop *host, const char *name,
                                     struct pool *pool,
                                     struct batch_budget *budget,
                                     struct error *err);
/* A thread for its loop, unless that is a host's. */
MUST_CHECK bool worker_start(struct worker *worker, struct error *err);

/* Stops the thread, or a host has stopped it, then drops what connections are
 * left.  Before pool_free, whose jobs may still be on their way home. */
void worker_end(struct worker *worker);

/* After pool_free.  NULL is fine. */
void worker_free(struct worker *worker);

/* Hands the arrival over; from the main thread. */
void worker_take(struct worker *worker, struct arrival *arrival);

/*
 * A look at all connections of a worker, in its own thread, a few at a time
 * between the turns of the connections: arrive and visit (NULL: nothing) run
 * there, then done in the main thread.  Embed it; it may be freed in done.
 */
struct round {
    struct mail mail;
    struct worker *worker;  /* borrowed */
    struct loop *main_loop; /* borrowed */
    struct connection *next_visit;
    struct round *next, **link; /* of the worker's; link NULL: not yet */
    void (*arrive)(struct round *round);
    void (*visit)(struct round *round, struct connection *conn);
    void (*done)(struct round *round);
};

void worker_visit(struct worker *worker, struct loop *main_loop,
                  struct round *round);

/* Who comes from now on is judged by config; NULL: by his own.  In the loop's
 * thread. */
void worker_rule_by(struct worker *worker, struct config *config);

/* The connection goes: no round comes to it.  In the loop's thread. */
void worker_forget(struct worker *worker, const struct connection *conn);

#endif
