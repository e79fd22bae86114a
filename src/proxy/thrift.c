/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving back takes locks that allocations take too, for milliseconds where
 * there is much: so it waits until half of a crowd has gone, and then a while
 * for more of it.
 */
#include "proxy/thrift.h"

#include <malloc.h>

enum {
    CROWD = 64,
    WAIT_MS = 1000
};

static void
on_fire(void *arg)
{
    struct thrift *thrift = arg;

    malloc_trim(0);
    thrift->most = thrift->now;
}

void
thrift_init(struct thrift *thrift, struct loop *loop)
{
    timer_init(&thrift->timer, loop, on_fire, thrift);
    thrift->most = thrift->now = 0;
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
