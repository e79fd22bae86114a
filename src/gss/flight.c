/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A waiter counts landings rather than looking at busy: the next flight may
 * have begun before it wakes.
 */
#include "gss/flight.h"

#include <assert.h>

void
flight_init(struct flight *flight)
{
    *flight = (struct flight){0};
    pthread_mutex_init(&flight->mutex, NULL);
    pthread_cond_init(&flight->landed, NULL);
}

void
flight_clear(struct flight *flight)
{
    assert(!flight->busy);
    pthread_cond_destroy(&flight->landed);
    pthread_mutex_destroy(&flight->mutex);
}

bool
flight_lead(struct flight *flight, bool *ok_out, struct error *err)
{
    pthread_mutex_lock(&flight->mutex);
    bool lead = !flight->busy;

    if (lead) {
        flight->busy = true;
    } else {
        unsigned long before = flight->landings;

        flight->waiting++;
        while (flight->landings == before)
            pthread_cond_wait(&flight->landed, &flight->mutex);
        flight->waiting--;
        *ok_out = flight->ok;
        if (!flight->ok)
            error_copy(err, &flight->error);
    }
    pthread_mutex_unlock(&flight->mutex);
    return lead;
}

unsigned
flight_waiting(struct flight *flight)
{
    pthread_mutex_lock(&flight->mutex);
    unsigned waiting = flight->waiting;
    pthread_mutex_unlock(&flight->mutex);
    return waiting;
}

void
flight_land(struct flight *flight, bool ok, const struct error *err)
{
    pthread_mutex_lock(&flight->mutex);
    assert(flight->busy);
    flight->busy = false;
    flight->ok = ok;
    if (!ok)
        flight->error = *err;
    flight->landings++;
    pthread_cond_broadcast(&flight->landed);
    pthread_mutex_unlock(&flight->mutex);
}
