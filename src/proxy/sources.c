/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table by address, and a ring of those whose arrivals wait.
 */
#include "proxy/sources.h"

#include <netinet/in.h>
#include <stdlib.h>

enum {
    LOOKED_AT_MAX = 32 /* so that a flood of sources costs no search each */
};

static struct source **
bucket_of(struct sources *sources, const struct address *address)
{
    const uint8_t *bytes = (const uint8_t *)"";
    size_t size = 0;
    uint32_t hash = 2166136261u;

    if (address->storage.ss_family == AF_INET) {
        bytes = (const uint8_t *)&(
                    (const struct sockaddr_in *)&address->storage)
                    ->sin_addr;
        size = sizeof(struct in_addr);
    } else if (address->storage.ss_family == AF_INET6) {
        bytes = (const uint8_t *)&(
                    (const struct sockaddr_in6 *)&address->storage)
                    ->sin6_addr;
        size = sizeof(struct in6_addr);
    }
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return &sources->buckets[hash % SOURCE_BUCKETS];
}

struct source *
sources_find(struct sources *sources, const struct address *address)
{
    struct source **bucket = bucket_of(sources, address);

    for (struct source *source = *bucket; source != NULL; source = source->next)
        if (address_same_host(&source->address, address))
            return source;
    struct source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return NULL;
    source->address = *address;
    source->last = &source->first;
    source->next = *bucket;
    *bucket = source;
    return source;
}

void
sources_forget_if_idle(struct sources *sources, struct source *source)
{
    if (source->handshakes > 0 || source->first != NULL)
        return;
    struct source **link = bucket_of(sources, &source->address);
    while (*link != source)
        link = &(*link)->next;
    *link = source->next;
    free(source);
}

/* The ring of sources with arrivals held back. */

static void
ring_enter(struct sources *sources, struct source *source)
{
    if (source->ring_next != NULL)
        return;
    if (sources->ring == NULL) {
        source->ring_next = source->ring_previous = source;
        sources->ring = source;
        return;
    }
    source->ring_next = sources->ring;
    source->ring_previous = sources->ring->ring_previous;
    source->ring_previous->ring_next = source;
    source->ring_next->ring_previous = source;
}

static void
ring_leave(struct sources *sources, struct source *source)
{
    if (source->ring_next == source) {
        sources->ring = NULL;
    } else {
        source->ring_next->ring_previous = source->ring_previous;
        source->ring_previous->ring_next = source->ring_next;
        if (sources->ring == source)
            sources->ring = source->ring_next;
    }
    source->ring_next = source->ring_previous = NULL;
}

void
source_hold(struct sources *sources, struct source *source,
            struct arrival *arrival)
{
    *source->last = arrival;
    source->last = &arrival->next;
    source->held++;
    ring_enter(sources, source);
}

struct arrival *
source_unhold(struct sources *sources, struct source *source)
{
    struct arrival *arrival = source->first;

    source->first = arrival->next;
    source->held--;
    arrival->next = NULL;
    if (source->first == NULL) {
        source->last = &source->first;
        ring_leave(sources, source);
    }
    return arrival;
}

struct source *
sources_busiest(const struct sources *sources, struct source *source)
{
    struct source *busiest = source, *next = sources->ring;

    for (int i = 0; i < LOOKED_AT_MAX; i++, next = next->ring_next)
        if (next->held > busiest->held)
            busiest = next;
    return busiest;
}
