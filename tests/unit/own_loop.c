/* SPDX-License-Identifier: BSD-2-Clause */
#include "own_loop.h"

#include <check.h>

#include "base/timer.h"

struct loop *loop;

void
own_loop_set_up(void)
{
    ck_assert(loop_new("test", &loop, NULL));
}

void
own_loop_tear_down(void)
{
    loop_free(loop);
}

static void
stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

void
own_loop_run_for(uint64_t ms)
{
    struct timer timer;

    timer_init(&timer, loop, stop, NULL);
    timer_start(&timer, ms);
    loop_run(loop);
    timer_stop(&timer);
}
