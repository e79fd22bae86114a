/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event loop that one thread runs: descriptors, timers, and a mailbox by
 * which other threads hand it work.  Everything but loop_post, loop_stop and
 * loop_now_ms is called by the loop's own thread only (or while none runs it),
 * so that no lock guards an event.
 *
 * Descriptors are watched edge-triggered, once for life: on_ready runs when
 * something may have changed, and the owner tries the I/O until EAGAIN.
 * Level-triggered close events spin on reset peers.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/error.h"

struct loop;

/* Intrusive: embed it; its owner may free it inside deliver. */
struct mail {
    struct mail *next;
    void (*deliver)(
        struct mail *mail); /* runs in the receiving loop's thread */
};

/* A descriptor.  The owner closes it, after watch_clear. */
struct watch {
    /* borrowed */
    struct loop *loop; /* NULL: not watching */
    void *arg;
    /* plain */
    void (*on_ready)(void *arg);
    int fd;
    bool readable; /* since last cleared by the owner on EAGAIN */
    bool writable;
    bool slow; /* set by the owner: its turns are long, others come first */
    bool queued;
    struct watch *next, **link;
    /* owned */
    struct event event;
};

struct timer {
    void (*on_fire)(void *arg);
    void *arg; /* borrowed */
    struct event event;
};

/* A loop named for the log ("main", "loop 1"); not running yet. */
MUST_CHECK bool loop_new(const char *name, struct loop **loop_out,
                         struct error *err);

/* Stops the thread of loop_start and waits for it: what it touched is the
 * caller's then.  Without such a thread, and twice, is fine. */
void loop_join(struct loop *loop);

/* Stops it first (joins the thread of loop_start).  Its watches and timers have
 * been cleared, and nobody posts to it any more.  NULL is fine. */
void loop_free(struct loop *loop);

/* Runs in the calling thread until loop_stop; or in a thread of its own, with
 * all signals blocked.  Mail posted before loop_stop is still delivered. */
void loop_run(struct loop *loop);
MUST_CHECK bool loop_start(struct loop *loop, struct error *err);
void loop_stop(struct loop *loop); /* any thread; returns at once */

/* Queues mail in order; any thread; never blocks, never fails.  The mail
 * belongs to the loop until deliver is called. */
void loop_post(struct loop *loop, struct mail *mail);

/* Delivers what mail is there, as the running loop does by itself.  After
 * loop_join: jobs of a pool that were abandoned too late come home this way. */
void loop_deliver(struct loop *loop);

/* Milliseconds, or microseconds, of CLOCK_MONOTONIC; any thread. */
uint64_t loop_now_ms(void);
uint64_t loop_now_us(void);

struct event_base *loop_base(struct loop *loop);
const char *loop_name(const struct loop *loop);

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
/* Runs on_ready once more after the other ready watches had their turn: how a
 * busy connection yields without waiting for a new edge.  All descriptors are
 * looked at and all due timers fire in between; between the turns of two slow
 * ones, too, so that whoever has little to do waits for one of them; for more
 * only where such as he took long themselves, for half of the time is theirs. */
void watch_again(struct watch *watch);

/* One-shot.  start on a running timer moves it, with DURATION_OFF (base/text.h)
 * it stops; stop is fine on a stopped one and on one that is all zero. */
void timer_init(struct timer *timer, struct loop *loop,
                void (*on_fire)(void *arg), void *arg);
void timer_start(struct timer *timer, uint64_t ms);
void timer_stop(struct timer *timer);

#endif
