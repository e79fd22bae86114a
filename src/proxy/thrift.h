/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that a crowd needed goes back to the system once the crowd has gone:
 * the C library by itself keeps what lies between things still in use.
 */
#ifndef PROXY_THRIFT_H
#define PROXY_THRIFT_H

#include "base/loop.h"
#include "base/pool.h"
#include "base/timer.h"

struct thrift {
    struct job job; /* first: the pool's view */
    struct timer timer;
    struct loop *loop; /* borrowed, as is the pool */
    struct pool *pool;
    unsigned most; /* connections since memory was last given back */
    unsigned now;
    bool busy; /* the pool is at it */
};

/* To be stopped after pool_free, which leaves nothing to the loop. */
void thrift_init(struct thrift *thrift, struct loop *loop, struct pool *pool);
void thrift_stop(struct thrift *thrift); /* all zero is fine */

/* One has ended; so many are left. */
void thrift_note(struct thrift *thrift, unsigned left);

#endif
