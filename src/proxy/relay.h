/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two flows of the same shape over an established channel: outbound reads the
 * application and seals, inbound unseals and writes the application.  One batch
 * a flow is all that is ever in flight, and that is the back-pressure; a flow
 * with nothing to carry holds no memory.  docs/protocol.md sections 5 to 7.
 */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include <stdint.h>

#include "base/batch.h"
#include "base/error.h"
#include "base/loop.h"
#include "gss/channel.h"
#include "proxy/sealed.h"
#include "wire/message.h"

enum relay_end {
    RELAY_FINISHED,   /* both directions ended with EOF, all is delivered */
    RELAY_TRUNCATED,  /* the tunnel ended or broke before both EOFs */
    RELAY_VIOLATION,  /* the peer broke the protocol */
    RELAY_APP_RESET,  /* the application reset its connection */
    RELAY_PEER_RESET, /* the peer sent RESET */
    RELAY_SILENT,     /* no answer to a PING */
    RELAY_IDLE,       /* no data for idle_timeout */
};

struct relay_result {
    enum relay_end end;
    enum reset_code reset; /* to tell the peer; 0: nothing */
    bool refused;          /* PEER_RESET: and no other server would do */
    struct error error;
};

enum relay_opening {
    RELAY_OPEN,         /* READY was exchanged already */
    RELAY_SENDS_READY,  /* the acceptor's first word */
    RELAY_AWAITS_READY, /* the initiator may send before it hears READY */
};

/* What the end of the application's bytes means. */
enum relay_app_end {
    RELAY_APP_ENDED,
    RELAY_APP_UNSURE, /* not yet known: relay_look_again asks again */
    RELAY_APP_FAILED, /* an error, like its reset; err says which */
};

struct relay_settings {
    /* borrowed, as long as the relay */
    struct loop *loop;
    struct batch_store *store;
    void *arg;
    /* plain */
    int app_fd; /* stay the caller's */
    int tunnel_fd;
    enum relay_opening opening;
    enum protection protection;
    uint32_t peer_max_plaintext;
    uint64_t heartbeat;
    uint64_t idle_timeout;
    /* AWAITS_READY: READY came.  At most once, before on_ended. */
    void (*on_opened)(void *arg);
    /* NULL: it means that it ended, and a reset is one.  Else asked at both. */
    enum relay_app_end (*on_app_end)(struct error *err, void *arg);
    /* Exactly once, never inside relay_start; the relay does nothing more. */
    void (*on_ended)(const struct relay_result *result, void *arg);
};

struct relay;

/* channel is taken over, on failure too.  NULL for lack of memory. */
MUST_CHECK struct relay *relay_start(const struct relay_settings *settings,
                                     struct channel *channel);
void relay_free(struct relay *relay); /* any state; no callback */

/* At the application, soon: UNSURE has come to an end, perhaps. */
void relay_look_again(struct relay *relay);

/*
 * The relay carries nothing more: appends what it still owes the tunnel, then a
 * RESET unless code is 0.  A channel that failed yields nothing.
 */
void relay_last_words(struct relay *relay, enum reset_code code,
                      const char *sentence, struct bytes *bytes);

struct relay_progress {
    uint64_t from_app; /* application bytes read */
    uint64_t to_app;   /* application bytes written */
};

struct relay_progress relay_progress(const struct relay *relay);
const char *relay_engine(const struct relay *relay);

#endif
