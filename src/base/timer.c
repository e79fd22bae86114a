/* SPDX-License-Identifier: BSD-2-Clause */
/* libevent's timers. */
#include "base/timer.h"

#include "base/loop.h"
#include "base/text.h"

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct timer *timer = arg;

    (void)fd;
    (void)what;
    timer->on_fire(timer->arg);
}

void
timer_init(struct timer *timer, struct loop *loop, void (*on_fire)(void *arg),
           void *arg)
{
    *timer = (struct timer){.on_fire = on_fire, .arg = arg};
    evtimer_assign(&timer->event, loop_base(loop), on_timeout, timer);
}

void
timer_start(struct timer *timer, uint64_t ms)
{
    struct timeval delay = {
        .tv_sec = (time_t)(ms / 1000),
        .tv_usec = (suseconds_t)(ms % 1000 * 1000),
    };

    if (ms == DURATION_OFF)
        timer_stop(timer);
    else if (evtimer_add(&timer->event, &delay) != 0)
        /* No memory.  Timers are limits: better early than never. */
        event_active(&timer->event, EV_TIMEOUT, 1);
}

void
timer_stop(struct timer *timer)
{
    if (timer->on_fire != NULL)
        evtimer_del(&timer->event);
}
