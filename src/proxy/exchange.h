/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole frames over a socket, one at a time: what the handshake talks through.
 * A frame is read to its last byte and no further, so that whatever follows is
 * still in the socket for the relay; memory grows with what arrived, not with
 * what was declared.
 */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/watch.h"
#include "proxy/sealed.h"

enum exchange_end {
    EXCHANGE_SILENT, /* the peer closed and never sent a byte */
    EXCHANGE_BROKEN, /* anything else; err says what */
};

typedef void exchange_frame(void *arg, uint8_t *token, size_t size);
typedef void exchange_sent(void *arg);
typedef void exchange_ended(void *arg, enum exchange_end end,
                            const struct error *error);

struct exchange {
    /* owned */
    struct watch watch;
    struct bytes out; /* filled by the owner before exchange_send */
    uint8_t *in;
    /* borrowed */
    void *arg;
    const char *stage; /* what is awaited or done, for errors and the log */
    /* plain */
    int fd;
    bool heard;
    size_t in_size, in_room, in_max;
    size_t out_sent;
    exchange_frame *on_frame; /* set while a frame is awaited */
    exchange_sent *on_sent;   /* set while out is being sent */
    exchange_ended *on_ended;
};

/* fd stays the caller's.  on_ended fires at most once, and nothing after it;
 * the owner may clear the exchange inside any callback. */
MUST_CHECK bool exchange_init(struct exchange *exchange, struct loop *loop,
                              int fd, exchange_ended *on_ended, void *arg);
void exchange_clear(struct exchange *exchange);

/* The next frame, of a token of at most max bytes, goes to on_frame, which may
 * write into it; it is valid during the call. */
void exchange_await(struct exchange *exchange, const char *stage, size_t max,
                    exchange_frame *on_frame);

/* Sends what is in out. */
void exchange_send(struct exchange *exchange, const char *stage,
                   exchange_sent *on_sent);

/* Gives back the memory of the last frame, while something slow is under way. */
void exchange_rest(struct exchange *exchange, const char *stage);

#endif
