/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One look at every connection, each in the thread of its worker, the results
 * gathered in the main thread.
 */
#include <stdlib.h>

#include "base/container.h"
#include "base/json.h"
#include "proxy/server_parts.h"

struct stop;

struct journey {
    struct tour tour;
    struct evbuffer *out; /* owned */
    size_t pending;
    size_t count;
    struct stop *stops; /* owned */
};

struct stop {
    struct round round;
    struct journey *journey;
    struct evbuffer *one, *out; /* owned */
};

static void
journey_free(struct journey *journey)
{
    for (size_t i = 0; i < journey->count; i++) {
        if (journey->stops[i].one != NULL)
            evbuffer_free(journey->stops[i].one);
        if (journey->stops[i].out != NULL)
            evbuffer_free(journey->stops[i].out);
    }
    if (journey->out != NULL)
        evbuffer_free(journey->out);
    free(journey->stops);
    free(journey);
}

static void
on_visit(struct round *round, struct connection *conn)
{
    struct stop *stop = container_of(round, struct stop, round);
    const struct tour *tour = &stop->journey->tour;

    /* Each visit begins with an empty text: to look for the end of a long one
     * takes time. */
    tour->visit(conn, stop->one, tour->arg);
    if (evbuffer_get_length(stop->one) == 0)
        return;
    if (evbuffer_get_length(stop->out) > 0)
        evbuffer_add(stop->out, ",", 1);
    evbuffer_add_buffer(stop->out, stop->one);
}

static void
on_arrival(struct round *round)
{
    const struct stop *stop = container_of(round, struct stop, round);
    const struct tour *tour = &stop->journey->tour;

    tour->arrive(round->worker, tour->arg);
}

static void
end(struct journey *journey)
{
    journey->tour.done(journey->out, journey->tour.done_arg);
    journey_free(journey);
}

static void
on_stop_done(struct round *round)
{
    struct stop *stop = container_of(round, struct stop, round);
    struct journey *journey = stop->journey;

    json_values(journey->out, stop->out);
    if (--journey->pending == 0)
        end(journey);
}

static struct journey *
journey_new(const struct server *server, const struct tour *tour)
{
    struct journey *journey = calloc(1, sizeof *journey);
    if (journey == NULL)
        return NULL;
    journey->tour = *tour;
    journey->out = evbuffer_new();
    journey->stops = calloc(server->worker_count, sizeof *journey->stops);
    if (journey->out == NULL || journey->stops == NULL) {
        journey_free(journey);
        return NULL;
    }
    journey->pending = server->worker_count;
    while (journey->count < server->worker_count) {
        struct stop *stop = &journey->stops[journey->count++];
        stop->journey = journey;
        stop->round.arrive = tour->arrive != NULL ? on_arrival : NULL;
        stop->round.visit = tour->visit != NULL ? on_visit : NULL;
        stop->round.done = on_stop_done;
        stop->one = evbuffer_new();
        stop->out = evbuffer_new();
        if (stop->one == NULL || stop->out == NULL) {
            journey_free(journey);
            return NULL;
        }
    }
    return journey;
}

bool
server_tour(struct server *server, const struct tour *tour)
{
    struct journey *journey = journey_new(server, tour);
    if (journey == NULL)
        return false;
    for (size_t i = 0; i < server->worker_count; i++)
        worker_visit(server->workers[i], server->loop,
                     &journey->stops[i].round);
    return true;
}
