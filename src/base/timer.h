/* SPDX-License-Identifier: BSD-2-Clause */
/* A timer of a loop.  Everything here is called by the loop's own thread only (or
 * while none runs it). */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stdint.h>
#include <event2/event.h>
#include <event2/event_struct.h>

struct loop;

struct timer {
    void (*on_fire)(void *arg);
    void *arg; /* borrowed */
    struct event event;
};

/* One-shot.  start on a running timer moves it, with DURATION_OFF (base/text.h)
 * it stops; stop is fine on a stopped one and on one that is all zero. */
void timer_init(struct timer *timer, struct loop *loop,
                void (*on_fire)(void *arg), void *arg);
void timer_start(struct timer *timer, uint64_t ms);
void timer_stop(struct timer *timer);

#endif
