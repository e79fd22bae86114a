/* SPDX-License-Identifier: BSD-2-Clause */
/* libevent's events, which only tell that a watch has a turn coming. */
#include "base/watch.h"

#include "base/container.h"
#include "base/loop.h"

static void
on_edge(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg;

    (void)fd;
    if ((what & EV_READ) != 0)
        watch->readable = true;
    if ((what & EV_WRITE) != 0)
        watch->writable = true;
    watch_again(watch);
}

static void
take_turn(struct turn *turn)
{
    struct watch *watch = container_of(turn, struct watch, turn);

    watch->on_ready(watch->arg);
}

bool
watch_init(struct watch *watch, struct loop *loop, int fd,
           void (*on_ready)(void *arg), void *arg)
{
    *watch = (struct watch){
        .arg = arg, .on_ready = on_ready, .fd = fd, .turn.take = take_turn};
    if (event_assign(&watch->event, loop_base(loop), fd,
                     EV_READ | EV_WRITE | EV_ET | EV_PERSIST, on_edge,
                     watch) != 0 ||
        event_add(&watch->event, NULL) != 0)
        return false;
    watch->loop = loop;
    return true;
}

void
watch_clear(struct watch *watch)
{
    if (watch->loop == NULL)
        return;
    event_del(&watch->event);
    turns_remove(loop_turns(watch->loop), &watch->turn);
    watch->loop = NULL;
}

void
watch_again(struct watch *watch)
{
    if (watch->loop != NULL)
        turns_add(loop_turns(watch->loop), &watch->turn,
                  watch->slow ? TURN_LONG : TURN_SHORT);
}
