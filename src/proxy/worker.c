/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mail in, connections out.  A worker never reads what the main thread writes.
 */
#include "proxy/worker.h"

#include <stdlib.h>

#include "base/container.h"
#include "config/config.h"
#include "proxy/connection.h"
#include "proxy/program.h"

/* Some 100 us of describing. */
enum {
    VISITS_IN_TURN = 16
};

struct worker *
worker_new(struct loop *host, const char *name, struct pool *pool,
           struct batch_budget *budget, struct error *err)
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
    worker->is_guest = host != NULL;
    worker->loop = host;
    if (host == NULL && !loop_new(name, &worker->loop, err)) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

bool
worker_start(struct worker *worker, struct error *err)
{
    return worker->is_guest || loop_start(worker->loop, err);
}

void
worker_end(struct worker *worker)
{
    loop_join(worker->loop);
    loop_deliver(worker->loop); /* of arrivals that were on their way */
    while (worker->connections != NULL)
        connection_drop(worker->connections);
    program_kill_all(&worker->programs);
    loop_deliver(worker->loop); /* of rounds */
}

void
worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    if (worker->loop != NULL)
        loop_deliver(worker->loop); /* of jobs that were abandoned */
    if (!worker->is_guest)
        loop_free(worker->loop);
    config_release(worker->rules);
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
begin_round(struct round *round)
{
    struct worker *worker = round->worker;

    round->next_visit = round->visit != NULL ? worker->connections : NULL;
    round->next = worker->rounds;
    round->link = &worker->rounds;
    if (round->next != NULL)
        round->next->link = &round->next;
    worker->rounds = round;
    if (round->arrive != NULL)
        round->arrive(round);
}

static void
end_round(struct round *round)
{
    *round->link = round->next;
    if (round->next != NULL)
        round->next->link = round->link;
    round->mail.deliver = on_round_over;
    loop_post(round->main_loop, &round->mail);
}

/* What is posted from here is delivered after the loop's other work. */
static void
on_round(struct mail *mail)
{
    struct round *round = container_of(mail, struct round, mail);

    if (round->link == NULL)
        begin_round(round);
    for (int i = 0; i < VISITS_IN_TURN && round->next_visit != NULL; i++) {
        struct connection *conn = round->next_visit;
        round->next_visit = connection_next(conn);
        round->visit(round, conn);
    }
    if (round->next_visit == NULL)
        end_round(round);
    else
        loop_post(round->worker->loop, &round->mail);
}

void
worker_visit(struct worker *worker, struct loop *main_loop, struct round *round)
{
    round->worker = worker;
    round->main_loop = main_loop;
    round->link = NULL;
    round->mail.deliver = on_round;
    loop_post(worker->loop, &round->mail);
}

void
worker_rule_by(struct worker *worker, struct config *config)
{
    config_release(worker->rules);
    worker->rules = config != NULL ? config_hold(config) : NULL;
}

void
worker_forget(struct worker *worker, const struct connection *conn)
{
    for (struct round *round = worker->rounds; round != NULL;
         round = round->next)
        if (round->next_visit == conn)
            round->next_visit = connection_next(conn);
}
