/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One accepted connection as the main thread knows it: handed to a worker by
 * mail, and told of by mail when its peer has proved itself and when it is gone.
 * Between these mails only the worker touches it, but for the members that are
 * marked.
 */
#ifndef PROXY_ARRIVAL_H
#define PROXY_ARRIVAL_H

#include <stdint.h>

#include "base/loop.h"
#include "base/socket.h"
#include "proxy/snapshot.h"

struct admission;
struct source;
struct worker;

/* How it ended, for who has a single one. */
struct outcome {
    bool finished; /* both directions, all is delivered */
    struct error reason;
};

struct arrival {
    struct mail to_worker;
    struct mail proved; /* back: it is no handshake any more */
    struct mail closed; /* back: it is gone */
    /* owned */
    int fd;                    /* the worker's once it has the mail */
    struct snapshot *snapshot; /* held */
    /* borrowed */
    struct worker *worker;
    struct loop *main_loop;
    struct outcome *outcome; /* filled before closed; or NULL */
    /* plain */
    unsigned parts; /* the connection, its program: closed when none is left */
    struct address peer;
    uint64_t id;
    struct admission *admission; /* borrowed; see admission_is_crowded */
    /* the main thread's alone */
    struct source *source;                /* while it counts as a handshake */
    struct arrival *next;                 /* in its source's queue */
    uint64_t held_ms;                     /* since when it is there */
    struct arrival *all_next, **all_link; /* of all arrivals */
};

/* One part is gone.  In the worker's thread. */
static inline void
arrival_leave(struct arrival *arrival)
{
    if (--arrival->parts == 0)
        loop_post(arrival->main_loop, &arrival->closed);
}

#endif
