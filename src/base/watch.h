/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A descriptor that a loop watches: edge-triggered, once for life.  on_ready runs
 * when something may have changed, and the owner tries the I/O until EAGAIN.
 * Level-triggered close events spin on reset peers.
 *
 * Everything here is called by the loop's own thread only (or while none runs it).
 */
#ifndef BASE_WATCH_H
#define BASE_WATCH_H

#include <stdbool.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/error.h"
#include "base/turns.h"

struct loop;

/* The owner closes fd, after watch_clear. */
struct watch {
    /* borrowed */
    struct loop *loop; /* NULL: not watching */
    void *arg;
    /* plain */
    void (*on_ready)(void *arg);
    int fd;
    bool readable; /* since last cleared by the owner on EAGAIN */
    bool writable;
    bool slow; /* set by the owner: its turns are long (base/turns.h) */
    struct turn turn;
    /* owned */
    struct event event;
};

/*
 * Starts to watch fd; on_ready runs at the earliest from the loop.  readable
 * and writable are false until the loop's first look at fd, which sets what is
 * true already: a ready descriptor needs no new edge, and one whose connect is
 * under way is not mistaken for writable.  False: fd cannot be watched (errno).
 */
MUST_CHECK bool watch_init(struct watch *watch, struct loop *loop, int fd,
                           void (*on_ready)(void *arg), void *arg);

/* Never calls on_ready again.  Any state: from inside any on_ready, twice, or
 * never initialised (all zero). */
void watch_clear(struct watch *watch);

/* Gives the owner another turn (base/turns.h): how a busy connection yields
 * without waiting for a new edge.  All descriptors are looked at and all due timers
 * fire between two rounds of turns. */
void watch_again(struct watch *watch);

#endif
