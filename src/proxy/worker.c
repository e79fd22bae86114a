/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mail in, connections out.  A worker never reads what the main thread writes.
 */
#include "proxy/worker.h"

#include <stdlib.h>

#include "base/container.h"
#include "proxy/connection.h"
#include "proxy/program.h"

struct worker *
worker_new(const char *name, struct pool *pool, struct batch_budget *budget,
           struct error *err)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        error_set(err, "cannot start an event loop: out of memory");
        return NULL;
    }
    worker->pool = pool;
    worker->store = batch_store_new(budget);
    if (worker->store == NULL) {
        error_set(err, "cannot start an event loop: out of memory");
        worker_free(worker);
        return NULL;
    }
    if (!loop_new(name, &worker->loop, err)) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

bool
worker_start(struct worker *worker, struct error *err)
{
    return loop_start(worker->loop, err);
}

void
worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    if (worker->loop != NULL)
        loop_join(worker->loop);
    while (worker->connections != NULL)
        connection_drop(worker->connections);
    program_kill_all(&worker->programs);
    if (worker->loop != NULL)
        loop_deliver(worker->loop); /* of jobs that were on their way */
    loop_free(worker->loop);
    batch_store_free(worker->store);
    free(worker);
}

static void
on_arrival(struct mail *mail)
{
    connection_open(container_of(mail, struct arrival, to_worker));
}

void
worker_take(struct worker *worker, struct arrival *arrival)
{
    arrival->worker = worker;
    arrival->to_worker.deliver = on_arrival;
    loop_post(worker->loop, &arrival->to_worker);
}

static void
on_round_over(struct mail *mail)
{
    struct round *round = container_of(mail, struct round, mail);
    round->done(round);
}

static void
on_round(struct mail *mail)
{
    struct round *round = container_of(mail, struct round, mail);
    struct connection *conn = round->worker->connections;

    while (conn != NULL) {
        struct connection *next = connection_next(conn);
        round->visit(round, conn);
        conn = next;
    }
    round->mail.deliver = on_round_over;
    loop_post(round->main_loop, &round->mail);
}

void
worker_visit(struct worker *worker, struct loop *main_loop, struct round *round)
{
    round->worker = worker;
    round->main_loop = main_loop;
    round->mail.deliver = on_round;
    loop_post(worker->loop, &round->mail);
}
