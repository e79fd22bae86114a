/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection from inside: shared by connection.c, the two openings
 * (initiator.c, acceptor.c), enforce.c, execute.c and describe.c, and by nobody else.
 */
#ifndef PROXY_CONNECTION_PARTS_H
#define PROXY_CONNECTION_PARTS_H

#include "base/log.h"
#include "base/timer.h"
#include "gss/context.h"
#include "proxy/connection.h"
#include "proxy/dial.h"
#include "proxy/farewell.h"
#include "proxy/handshake.h"
#include "proxy/program.h"
#include "proxy/rate.h"
#include "proxy/relay.h"
#include "proxy/step.h"
#include "proxy/vetting.h"
#include "proxy/worker.h"

/* What was told to the counters of the service, and when what began. */
struct account {
    uint64_t started_us, opened_us;
    struct relay_progress told;
    struct rate rate;
};

enum connection_state {
    CONNECTION_OPENING,  /* until READY */
    CONNECTION_RELAYING, /* the log says "up" */
    CONNECTION_PARTING,  /* the log says "down"; last bytes are on their way */
    CONNECTION_GONE,
};

struct connection {
    /* owned */
    struct arrival *arrival;
    int app_fd, tunnel_fd; /* -1: none yet, or no more */
    struct dial *dial;
    struct step *asking;   /* initiator: the AP-REQ is being made ... */
    struct context *asked; /* ... and waits for its answer, */
    struct bytes request;  /* ... and for a server to go to */
    struct handshake *handshake;
    struct vetting *vetting;       /* acceptor: before the application */
    struct vetting *vetting_again; /* by the rules of a reload */
    struct program *program;       /* acceptor: `exec =` */
    struct relay *relay;
    struct farewell *farewell;
    struct context *context; /* whose peer is known; NULL before */
    struct channel *channel; /* proved, not yet the relay's */
    char *target;            /* acceptor: what the client asked for */
    struct config *rules;    /* acceptor: held; that judged the peer */
    struct timer deadline, lifetime, expiry;
    struct timer vet_later; /* vetting_again was not answered */
    /* borrowed */
    struct worker *worker;
    struct connection *next, **link;
    const char *rule; /* acceptor: that let the peer in; in rules */
    /* plain */
    enum connection_state state;
    bool app_end_passed; /* the end of the program's output is the peer's */
    uint8_t order[DESTINATIONS_MAX];
    size_t attempt; /* index into order */
    bool retried;   /* initiator: with a new ticket; once is enough */
    uint64_t connect_left, handshake_left;
    uint64_t vet_wait_ms; /* the last of vet_later; 0: none */
    uint64_t stage_ms, started_ms;
    struct address remote;          /* the server sidecar, or the application */
    uint64_t peer_id;               /* from the peer's HELLO */
    uint32_t peer_max_plaintext;    /* likewise */
    struct relay_progress progress; /* once the relay is gone */
    struct account account;
};

/* How a connection ends: all that its one log line and its peers need. */
struct ending {
    enum log_event event; /* DOWN, FAILED, REFUSED or PROBE */
    const char *reason;
    const char *label;     /* of the failure, for counting; NULL: "other" */
    bool clean;            /* the application sees an end, not a reset */
    struct bytes farewell; /* taken over */
    bool goodbye; /* flush farewell and part in order, else just close */
};

/* The one exit.  conn is gone, or parting by itself, when it returns. */
void connection_end(struct connection *conn, struct ending *ending);

/* Ends it with a RESET to a peer that is proved; to another, silently. */
void connection_refuse(struct connection *conn, enum log_event event,
                       enum reset_code code, const char *reason);

/* What a handshake that succeeded yields. */
void connection_prove(struct connection *conn, struct handshake_result *result);

/* Both sockets stand, the peer is proved. */
void connection_relay(struct connection *conn, enum relay_opening opening);

/* account.c: what the counters of the service are told. */
void account_proved(struct connection *conn);
void account_opened(struct connection *conn);
void account_failover(struct connection *conn, const char *label);
void account_end(struct connection *conn, enum log_event event,
                 const char *label);

/* The openings of the two roles. */
void initiator_open(struct connection *conn);
void acceptor_open(struct connection *conn);

/* The acceptor's peer: judged by the rules, and then on to the application. */
void connection_vet(struct connection *conn);
void connection_vet_later(void *arg); /* when vet_later is over */
void acceptor_go_on(struct connection *conn);

/* On to a program; and whether its end is one (relay.h). */
void connection_execute(struct connection *conn);
enum relay_app_end connection_app_end(struct error *err, void *arg);

/* Where it leads, as text; "" as long as it does not. */
void connection_format_to(const struct connection *conn,
                          char text[ENDPOINT_TEXT_SIZE]);

static inline const struct snapshot *
connection_snapshot(const struct connection *conn)
{
    return conn->arrival->snapshot;
}

static inline const struct service_settings *
connection_service(const struct connection *conn)
{
    return conn->arrival->snapshot->service;
}

/* "" until it is known. */
const char *connection_target(const struct connection *conn);

#endif
