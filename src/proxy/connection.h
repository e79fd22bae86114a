/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection from its arrival to its last byte: dial, handshake, relay,
 * farewell, in the order of its role.  One state, one owner (its worker), one
 * way to end.  All in the worker's thread.
 */
#ifndef PROXY_CONNECTION_H
#define PROXY_CONNECTION_H

#include <event2/buffer.h>

#include "proxy/arrival.h"
#include "wire/message.h"

struct connection;

/* Takes the arrival over and gives it back to the main thread by its mails. */
void connection_open(struct arrival *arrival);

/*
 * Ends it in any state: the peer is told code, the application sees a reset,
 * the log says reason.  A connection that is ending already goes on ending.
 */
void connection_close(struct connection *conn, enum reset_code code,
                      const char *reason);

/* Frees it without a word; its loop has ended.  The arrival stays. */
void connection_drop(struct connection *conn);

/* The next on the same worker. */
struct connection *connection_next(const struct connection *conn);

/* Ends it when the rules of the service in config do not let its peer in: at
 * once, or when its groups are known.  config is held meanwhile. */
void connection_enforce(struct connection *conn, struct config *config);

/* Is it over, but for last words? */
bool connection_is_ending(const struct connection *conn);

uint64_t connection_id(const struct connection *conn);
/* Of the peer; "" until it is proved. */
const char *connection_peer(const struct connection *conn);

/* Tells the counters of the service what it has carried since last told. */
void connection_account(struct connection *conn);

/* One JSON object. */
void connection_describe(struct connection *conn, struct evbuffer *out);

#endif
