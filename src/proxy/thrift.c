/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving back takes locks that allocations take too, for milliseconds where
 * there is much: so it waits until half of a crowd has gone, and then a while
 * for more of it.  A thread of the pool does it, a lock after the other.
 */
#include "proxy/thrift.h"

#include <malloc.h>

enum {
    CROWD = 64,
    WAIT_MS = 1000
};

static void
run(struct job *job)
{
    (void)job;
    malloc_trim(0);
}

static void
on_done(struct job *job)
{
    struct thrift *thrift = (struct thrift *)job;

    thrift->busy = false;
}

static void
discard(struct job *job)
{
    (void)job;
}

static void
on_fire(void *arg)
{
    struct thrift *thrift = arg;

    if (thrift->busy)
        return;
    thrift->busy = true;
    thrift->most = thrift->now;
    pool_submit(thrift->pool, "memory", thrift->loop, &thrift->job);
}

void
thrift_init(struct thrift *thrift, struct loop *loop, struct pool *pool)
{
    *thrift = (struct thrift){
        .job = {.run = run, .done = on_done, .discard = discard},
        .loop = loop,
        .pool = pool,
    };
    timer_init(&thrift->timer, loop, on_fire, thrift);
}

void
thrift_stop(struct thrift *thrift)
{
    timer_stop(&thrift->timer);
}

void
thrift_note(struct thrift *thrift, unsigned left)
{
    unsigned gone;

    thrift->now = left;
    if (thrift->most <= left)
        thrift->most = left + 1;
    gone = thrift->most - left;
    if (gone >= CROWD && gone >= thrift->most / 2)
        timer_start(&thrift->timer, WAIT_MS);
}
