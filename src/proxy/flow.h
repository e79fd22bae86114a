/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two flows and the relay share.  Private to relay.c, outbound.c and
 * inbound.c.
 */
#ifndef PROXY_FLOW_H
#define PROXY_FLOW_H

#include <sys/uio.h>

#include "base/timer.h"
#include "base/watch.h"
#include "proxy/relay.h"

enum {
    BATCH_RECORDS = 16,
    BATCH_START = 16 * 1024,
    BATCH_MAX = 256 * 1024,
    BATCH_WASTEFUL = 4, /* times what is worth receiving: give it back */
    /* Frame header, token and all. */
    RECORD_SLOT = 16 * 1024,
    /* Smaller ones, as many as the engine has lanes, are sealed sooner than few
     * large ones; much below this their headers would show on the wire. */
    RECORD_SLOT_LEAST = 1024,
    /* Batches carried in one turn before other connections have theirs. */
    TURN_BATCHES = 2,
    /* How soon a flow asks again for memory that was not there. */
    TURN_WAIT_MS = 10,
};

enum flow_state {
    FLOW_OPEN,
    FLOW_ENDING, /* EOF seen at the source, not yet told to the sink */
    FLOW_ENDED,
};

enum flow_status {
    FLOW_WAITS,  /* for a socket, or for memory */
    FLOW_BUSY,   /* had its turn, has more to do */
    FLOW_BROKEN, /* relay->result says how */
};

/* Messages owed to the peer, in the order of sending. */
enum owed {
    OWED_READY = 1 << 0,
    OWED_PONG = 1 << 1,
    OWED_PING = 1 << 2,
};

struct outbound {
    struct batch batch; /* owned */
    size_t begin, end;  /* sealed bytes still to be sent */
    size_t reach;       /* the batch worth taking next */
    unsigned owed;
    enum flow_state state;
};

struct inbound {
    struct batch batch; /* owned */
    size_t begin, end;  /* received bytes not yet opened */
    size_t reach;
    struct iovec plain[BATCH_RECORDS]; /* in batch; to be written to the app */
    int plain_next, plain_count;
    enum flow_state state;
    bool awaits_ready;
};

struct relay {
    /* owned */
    struct channel *channel;
    struct watch app, tunnel;
    struct timer heartbeat, idle, turn;
    struct outbound outbound;
    struct inbound inbound;
    /* borrowed */
    struct relay_settings settings;
    /* plain */
    struct relay_result result; /* of a flow that broke */
    struct relay_progress progress;
    uint64_t heard_ms; /* last byte from the tunnel */
    uint64_t data_ms;  /* last DATA or EOF either way */
    bool pinged;       /* a PING waits for any byte */
    bool channel_dead;
};

/* Carries what it can, for one turn. */
enum flow_status outbound_pump(struct relay *relay);
enum flow_status inbound_pump(struct relay *relay);

/* Sets the result and returns FLOW_BROKEN. */
enum flow_status relay_broken(struct relay *relay, enum relay_end end,
                              enum reset_code reset, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Of a socket that need not be connected any more: once both directions have
 * ended, it is not.  0: none. */
int relay_pending_error(int fd);

/* Is DATA and everything but HELLO and RESET encrypted here? */
static inline bool
relay_confidential(const struct relay *relay)
{
    return relay->settings.protection == PROTECTION_SEAL;
}

#endif
