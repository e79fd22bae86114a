/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a connected tunnel socket to a channel with a peer that proved itself:
 * docs/protocol.md section 3.  GSS steps run in the pool; the object survives
 * on its loop.  It has no clock: its owner cancels it when time is up.
 */
#ifndef PROXY_HANDSHAKE_H
#define PROXY_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/pool.h"
#include "config/config.h"
#include "gss/context.h"
#include "proxy/sealed.h"
#include "wire/message.h"

enum handshake_outcome {
    HANDSHAKE_DONE,    /* proved, both HELLOs agree; the initiator may have
                          waited for READY */
    HANDSHAKE_PROBE,   /* the peer closed without a byte, or, proven, in place
                          of its HELLO */
    HANDSHAKE_FAILED,  /* here or there; another server may do better */
    HANDSHAKE_REFUSED, /* the proven peer says no, and would elsewhere */
};

struct handshake_result {
    enum handshake_outcome outcome;
    bool stale; /* FAILED: so was the ticket (gss/context.h) */
    struct error error;
    /* owned; the receiver takes what it wants and sets it to NULL */
    struct channel *channel; /* DONE */
    struct context *context; /* whose peer is known; NULL before that */
    struct bytes farewell;   /* not DONE, or a trial: sent before closing */
    /* DONE */
    struct hello hello; /* the peer's */
};

typedef void handshake_done(struct handshake_result *result, void *arg);

struct handshake_settings {
    /* borrowed, as long as the handshake */
    struct loop *loop;
    struct pool *pool;
    const struct service_settings *service;
    const char *target;          /* initiator: the SPN to ask for */
    const struct bytes *request; /* ... the AP-REQ that the context made
                                    already; NULL: it makes one */
    /* plain */
    int fd; /* stays the caller's */
    uint64_t connection_id;
    bool wait_ready; /* initiator: READY ends it, not our HELLO */
    bool trial;      /* ... the server's HELLO, and a RESET is the farewell: the
                        server has proved itself, and dials nobody */
};

struct handshake;

/*
 * context is taken over, on failure too.  done fires exactly once, never inside
 * handshake_start, never after handshake_cancel.  The result is cleared after
 * done returns.  NULL for lack of memory.
 */
MUST_CHECK struct handshake *handshake_start(
    const struct handshake_settings *settings, struct context *context,
    handshake_done *done, void *arg);
void handshake_cancel(struct handshake *hs);

/* Time is up: appends what a proven peer should be told, if it is one. */
void handshake_last_words(struct handshake *hs, const char *sentence,
                          struct bytes *bytes);

/* An acceptor's: is the client's first token not here yet? */
bool handshake_is_unheard(const struct handshake *handshake);

/* What stage it is in, for the log when time is up: "the peer's first token". */
const char *handshake_stage(const struct handshake *hs);

#endif
