/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One attempt is open at a time; its timer is what ends a black hole.
 */
#include "proxy/dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/timer.h"
#include "base/watch.h"
#include "proxy/addressbook.h"

enum {
    ADDRESSES_MAX = 16,
    /* For a name service, where the answer of another time will do. */
    PATIENCE_MS = 1000,
};

struct resolution {
    struct job job; /* first: the pool's view */
    struct endpoint endpoint;
    struct address addresses[ADDRESSES_MAX];
    size_t count;
    bool found;
    struct error error;
    struct dial *dial; /* borrowed; valid unless abandoned */
};

struct dial {
    /* owned */
    struct resolution *resolution; /* while the pool works on it */
    int fd;                        /* the attempt in progress, or -1 */
    struct watch watch;
    struct timer timer;
    /* borrowed */
    struct loop *loop;
    struct pool *pool;
    struct addressbook *book; /* or NULL */
    void *arg;
    /* plain */
    dial_done *done;
    enum socket_end end;
    struct endpoint endpoint;
    struct address addresses[ADDRESSES_MAX];
    size_t count;
    size_t next;
    uint64_t deadline;
    struct error error; /* of the last attempt */
};

static void try_next(void *arg);

static void
end_attempt(struct dial *dial)
{
    watch_clear(&dial->watch);
    timer_stop(&dial->timer);
    /* It may be connected already: that must not look like a short stream. */
    socket_reset(dial->fd);
    dial->fd = -1;
}

static void
finish(struct dial *dial, int fd)
{
    dial_done *done = dial->done;
    void *arg = dial->arg;
    struct error error = dial->error;
    struct address address = {0};

    if (fd >= 0)
        address = dial->addresses[dial->next - 1];
    dial_cancel(dial);
    done(fd, &address, &error, arg);
}

static void
note_failure(struct dial *dial, int number)
{
    char text[ADDRESS_TEXT_SIZE];
    address_format(&dial->addresses[dial->next - 1], text, sizeof text);
    error_set_errno(&dial->error, number, "cannot connect to %s", text);
}

static void
on_attempt_late(void *arg)
{
    struct dial *dial = arg;
    note_failure(dial, ETIMEDOUT);
    end_attempt(dial);
    try_next(dial);
}

static void
on_attempt_ready(void *arg)
{
    struct dial *dial = arg;
    int number = socket_connect_result(dial->fd);

    if (number != 0) {
        note_failure(dial, number);
        end_attempt(dial);
        try_next(dial);
        return;
    }
    int fd = dial->fd;
    dial->fd = -1;
    finish(dial, fd);
}

static void
try_next(void *arg)
{
    struct dial *dial = arg;

    while (dial->next < dial->count) {
        uint64_t now = loop_now_ms();
        uint64_t left = dial->deadline > now ? dial->deadline - now : 0;
        uint64_t share = left / (dial->count - dial->next);
        if (left == 0)
            break;
        dial->fd = socket_connect_start(&dial->addresses[dial->next++],
                                        dial->end, &dial->error);
        if (dial->fd < 0)
            continue;
        if (!watch_init(&dial->watch, dial->loop, dial->fd, on_attempt_ready,
                        dial)) {
            error_set(&dial->error, "cannot connect: out of memory");
            end_attempt(dial);
            continue;
        }
        timer_init(&dial->timer, dial->loop, on_attempt_late, dial);
        timer_start(&dial->timer, share > 0 ? share : 1);
        return;
    }
    finish(dial, -1);
}

static void
resolution_run(struct job *job)
{
    struct resolution *resolution = (struct resolution *)job;
    resolution->found = endpoint_resolve(
        &resolution->endpoint, resolution->addresses, ADDRESSES_MAX,
        &resolution->count, &resolution->error);
}

static void
resolution_discard(struct job *job)
{
    free(job);
}

static bool
recall(struct dial *dial)
{
    if (dial->book == NULL)
        return false;
    dial->count = addressbook_recall(dial->book, &dial->endpoint,
                                     dial->addresses);
    return dial->count > 0;
}

static void
on_resolved(struct job *job)
{
    struct resolution *resolution = (struct resolution *)job;
    struct dial *dial = resolution->dial;

    dial->resolution = NULL;
    timer_stop(&dial->timer);
    if (resolution->found) {
        dial->count = resolution->count;
        for (size_t i = 0; i < dial->count; i++)
            dial->addresses[i] = resolution->addresses[i];
        if (dial->book != NULL)
            addressbook_note(dial->book, &dial->endpoint, dial->addresses,
                             dial->count);
    } else if (!recall(dial)) {
        dial->error = resolution->error;
    }
    free(resolution);
    try_next(dial);
}

static void
on_resolution_late(void *arg)
{
    struct dial *dial = arg;

    pool_abandon(&dial->resolution->job);
    dial->resolution = NULL;
    error_set(&dial->error,
              "cannot resolve %s: the name service does not answer; see "
              "resolv.conf(5)",
              dial->endpoint.host);
    if (recall(dial))
        try_next(dial);
    else
        finish(dial, -1);
}

static bool
start_resolution(struct dial *dial, uint64_t timeout_ms)
{
    char lane[LANE_NAME_SIZE];
    struct resolution *resolution = calloc(1, sizeof *resolution);
    if (resolution == NULL)
        return false;
    resolution->endpoint = dial->endpoint;
    resolution->dial = dial;
    resolution->job.run = resolution_run;
    resolution->job.done = on_resolved;
    resolution->job.discard = resolution_discard;
    dial->resolution = resolution;
    snprintf(lane, sizeof lane, "dns %.*s", LANE_NAME_SIZE - 5,
             dial->endpoint.host);
    timer_init(&dial->timer, dial->loop, on_resolution_late, dial);
    timer_start(&dial->timer, timeout_ms);
    pool_submit(dial->pool, lane, dial->loop, &resolution->job);
    return true;
}

struct dial *
dial_start(struct loop *loop, struct pool *pool,
           const struct endpoint *endpoint, uint64_t timeout_ms,
           dial_done *done, void *arg)
{
    struct dial *dial = calloc(1, sizeof *dial);
    if (dial == NULL)
        return NULL;
    dial->fd = -1;
    dial->loop = loop;
    dial->pool = pool;
    dial->done = done;
    dial->arg = arg;
    dial->endpoint = *endpoint;
    dial->deadline = loop_now_ms() + timeout_ms;
    error_set(&dial->error, "cannot connect: no time left");
    if (endpoint_literal(endpoint, &dial->addresses[0])) {
        dial->count = 1;
        timer_init(&dial->timer, loop, try_next, dial);
        timer_start(&dial->timer, 0);
    } else if (!start_resolution(dial, timeout_ms)) {
        free(dial);
        return NULL;
    }
    return dial;
}

void
dial_arm_reset(struct dial *dial)
{
    dial->end = SOCKET_ENDS_BY_RESET;
}

void
dial_go_by(struct dial *dial, struct addressbook *book)
{
    uint64_t now = loop_now_ms();

    dial->book = book;
    if (dial->resolution != NULL && recall(dial) &&
        dial->deadline > now + PATIENCE_MS)
        timer_start(&dial->timer, PATIENCE_MS);
}

void
dial_cancel(struct dial *dial)
{
    if (dial == NULL)
        return;
    if (dial->resolution != NULL)
        pool_abandon(&dial->resolution->job);
    end_attempt(dial);
    free(dial);
}
