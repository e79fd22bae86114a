/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flush, shut down, drain.  The invariant: nothing that arrives here is ever
 * looked at.
 */
#include "proxy/farewell.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/timer.h"
#include "base/watch.h"

/* A peer that keeps talking to a closed door is cut off here. */
enum {
    DRAIN_BYTES_MAX = 4 * 1024 * 1024,
    DRAIN_ROUND_MAX = 16
};

struct farewell {
    /* owned */
    struct bytes bytes;
    struct watch watch;
    struct timer timer;
    /* borrowed */
    void *arg;
    /* plain */
    void (*done)(void *arg);
    size_t sent;
    size_t drained;
    bool shut;
};

enum progress {
    PROGRESS_WAIT,
    PROGRESS_END
};

static void
finish(void *arg)
{
    struct farewell *farewell = arg;
    void (*done)(void *) = farewell->done;
    void *done_arg = farewell->arg;

    farewell_cancel(farewell);
    done(done_arg);
}

static enum progress
flush(struct farewell *farewell)
{
    while (farewell->sent < farewell->bytes.size) {
        ssize_t n = send(farewell->watch.fd,
                         farewell->bytes.data + farewell->sent,
                         farewell->bytes.size - farewell->sent, MSG_NOSIGNAL);
        if (n >= 0) {
            farewell->sent += (size_t)n;
        } else if (errno == EAGAIN) {
            return PROGRESS_WAIT;
        } else if (errno != EINTR) {
            return PROGRESS_END;
        }
    }
    if (!farewell->shut && shutdown(farewell->watch.fd, SHUT_WR) != 0)
        return PROGRESS_END;
    farewell->shut = true;
    return PROGRESS_WAIT;
}

static enum progress
drain(struct farewell *farewell)
{
    char scrap[16384];

    for (int round = 0; round < DRAIN_ROUND_MAX; round++) {
        ssize_t n = recv(farewell->watch.fd, scrap, sizeof scrap, 0);
        if (n == 0)
            return farewell->shut ? PROGRESS_END : PROGRESS_WAIT;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? PROGRESS_WAIT : PROGRESS_END;
        farewell->drained += (size_t)n;
        if (farewell->drained > DRAIN_BYTES_MAX)
            return PROGRESS_END;
    }
    watch_again(&farewell->watch);
    return PROGRESS_WAIT;
}

static void
on_ready(void *arg)
{
    struct farewell *farewell = arg;

    if (flush(farewell) == PROGRESS_END || drain(farewell) == PROGRESS_END)
        finish(farewell);
}

struct farewell *
farewell_start(struct loop *loop, int fd, struct bytes *bytes,
               uint64_t timeout_ms, void (*done)(void *arg), void *arg)
{
    struct farewell *farewell = calloc(1, sizeof *farewell);
    if (farewell == NULL) {
        bytes_clear(bytes);
        return NULL;
    }
    farewell->bytes = *bytes;
    *bytes = (struct bytes){0};
    farewell->done = done;
    farewell->arg = arg;
    timer_init(&farewell->timer, loop, finish, farewell);
    timer_start(&farewell->timer, timeout_ms);
    if (!watch_init(&farewell->watch, loop, fd, on_ready, farewell)) {
        farewell_cancel(farewell);
        return NULL;
    }
    return farewell;
}

void
farewell_cancel(struct farewell *farewell)
{
    if (farewell == NULL)
        return;
    watch_clear(&farewell->watch);
    timer_stop(&farewell->timer);
    bytes_clear(&farewell->bytes);
    free(farewell);
}
