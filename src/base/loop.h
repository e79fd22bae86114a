/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event loop that one thread runs: descriptors (base/watch.h), timers
 * (base/timer.h), and a mailbox by which other threads hand it work.  Everything
 * but loop_post, loop_stop and the time is called by the loop's own thread only
 * (or while none runs it), so that no lock guards an event.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct event_base;
struct loop;
struct turns;

/* Intrusive: embed it; its owner may free it inside deliver. */
struct mail {
    struct mail *next;
    void (*deliver)(
        struct mail *mail); /* runs in the receiving loop's thread */
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

const char *loop_name(const struct loop *loop);

/* For watches and timers, which are in it. */
struct event_base *loop_base(struct loop *loop);
struct turns *loop_turns(struct loop *loop);

#endif
