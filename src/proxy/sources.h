/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where arrivals come from.  A source is known while it has a handshake or an
 * arrival held back, and stands in a ring while it has one held back.  The main
 * thread's alone.
 */
#ifndef PROXY_SOURCES_H
#define PROXY_SOURCES_H

#include "proxy/arrival.h"

enum {
    SOURCE_BUCKETS = 1024
};

struct source {
    struct source *next;                      /* in the bucket */
    struct source *ring_next, *ring_previous; /* NULL: nothing is held */
    struct arrival *first, **last;            /* held, oldest first; owned */
    struct address address;
    unsigned handshakes;
    unsigned held;
};

/* All zero: none. */
struct sources {
    struct source *buckets[SOURCE_BUCKETS]; /* owned, and all in them */
    struct source *ring;                    /* whose turn is next */
};

/* The source of an address, a new one if need be; NULL: out of memory. */
struct source *sources_find(struct sources *sources,
                            const struct address *address);

/* Frees one that has neither handshakes nor held arrivals. */
void sources_forget_if_idle(struct sources *sources, struct source *source);

void source_hold(struct sources *sources, struct source *source,
                 struct arrival *arrival);
/* The arrival that the source, which has one, has held for longest. */
struct arrival *source_unhold(struct sources *sources, struct source *source);

/* One that holds most, among this one and the next few in the ring. */
struct source *sources_busiest(const struct sources *sources,
                               struct source *source);

#endif
